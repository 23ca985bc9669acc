/* Server properties: the settings that QLM keeps in the database, by QLM's names.
 *
 * The known ones are listed once, in properties.def, with type, default and help; any other name is
 * a custom property (an argument set for is_args, shareit_<id> …). Values are texts; getters read
 * them by type and fall back to the default when a stored value cannot be read
 * (qlm_properties_check refuses such values when they are set). Names are compared without case. */
#ifndef QLM_LICENSE_PROPERTIES_H
#define QLM_LICENSE_PROPERTIES_H

#include "base/error.h"

#include <apr_hash.h>

typedef enum qlm_property_t {
#define QLM_PROPERTY(id, name, category, type, fallback, help) QLM_PROPERTY_##id,
#include "license/properties.def"
#undef QLM_PROPERTY
    QLM_PROPERTY_COUNT
} qlm_property_t;

typedef enum qlm_property_type_t {
    QLM_PROPERTY_BOOL,
    QLM_PROPERTY_INT,
    QLM_PROPERTY_TEXT,
    QLM_PROPERTY_LIST,  /**< separated as the help says */
    QLM_PROPERTY_SECRET /**< encrypted at rest, never shown */
} qlm_property_type_t;

/** One row of the table. */
typedef struct qlm_property_row_t {
    const char *name;
    const char *category;
    qlm_property_type_t type;
    const char *fallback; /**< default */
    const char *help;
} qlm_property_row_t;

/** A set of values: folded name -> text. Create with qlm_properties_create, then read-only. */
typedef struct qlm_properties_t qlm_properties_t;

/** The row of a known property; static. */
const qlm_property_row_t *qlm_property_row(qlm_property_t property);

/** Find a known property by name, any case. @return the row, or NULL for a custom name */
const qlm_property_row_t *qlm_property_find(const char *name);

/** May @a value be stored under @a name? Checks type and length (name 1..100 characters without
 * control characters, value up to 4000 bytes). Errors: ARGUMENT, naming the property and what it
 * takes. */
qlm_error_t *qlm_properties_check(const char *name, const char *value, apr_pool_t *pool);

qlm_properties_t *qlm_properties_create(apr_pool_t *pool);

/** Put a value; both texts are copied to the set's pool. */
void qlm_properties_put(qlm_properties_t *properties, const char *name, const char *value);

int qlm_properties_bool(const qlm_properties_t *properties, qlm_property_t property);
apr_int64_t qlm_properties_int(const qlm_properties_t *properties, qlm_property_t property);
/** Never NULL. */
const char *qlm_properties_text(const qlm_properties_t *properties, qlm_property_t property);

/** The value of any property, known or custom, by name without case; NULL if not set. */
const char *qlm_properties_get(const qlm_properties_t *properties, const char *name);

#endif
