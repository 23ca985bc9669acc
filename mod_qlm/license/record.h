/* The fields of a license by name: what history, export and import share. Computation only. */
#ifndef QLM_LICENSE_RECORD_H
#define QLM_LICENSE_RECORD_H

#include "license/license.h"

typedef enum qlm_license_field_t {
#define QLM_LICENSE_FIELD(member, type, name) QLM_LICENSE_FIELD_##member,
#include "license/record.def"
#undef QLM_LICENSE_FIELD
    QLM_LICENSE_FIELD_COUNT
} qlm_license_field_t;

/** QLM's name of a field; static. */
const char *qlm_license_field_name(qlm_license_field_t field);

/** Find a field by QLM's name, any case. @return 1 and *field set, or 0 */
int qlm_license_field_find(qlm_license_field_t *field, const char *name);

/** The value as text, in @a pool: times as `yyyy-MM-dd HH:mm:ss` UTC and "" for none, flags as true
 * or false, numbers in decimal. */
const char *qlm_license_field_text(const qlm_license_t *license, qlm_license_field_t field,
                                   apr_pool_t *pool);

/** Read such a text into the record; texts are kept, not copied. Errors: ARGUMENT, naming the field
 * and what it takes. */
qlm_error_t *qlm_license_field_set(qlm_license_t *license, qlm_license_field_t field,
                                   const char *text, apr_pool_t *pool);

/** An empty record: no texts, no limits, the values a new license has. */
void qlm_license_clear(qlm_license_t *license);

/** What differs between two records, as JSON `{"Name":["before","after"],…}` in @a pool; "" if
 * nothing does. A @a before of NULL is an empty record. */
const char *qlm_license_changes(const qlm_license_t *before, const qlm_license_t *after,
                                apr_pool_t *pool);

#endif
