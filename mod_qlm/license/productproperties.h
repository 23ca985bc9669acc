/* Product properties: what a publisher defines for a product version (such as limits.seats, an int,
 * default 5), and what each type takes. The values of a license are in productvalues.h.
 *
 * A definition is found by its key, "category.name" without ASCII case. Names are unique in
 * practice, so the category may be left out, or be another one, where the name alone says which is
 * meant. Computation only. */
#ifndef QLM_LICENSE_PRODUCTPROPERTIES_H
#define QLM_LICENSE_PRODUCTPROPERTIES_H

#include "base/error.h"

#include <apr_tables.h>

#define QLM_PP_NAME_MAX  99   /**< bytes of a category, and of a name */
#define QLM_PP_VALUE_MAX 1000 /**< bytes of a value, a default and a help text */

typedef enum qlm_pp_type_t {
    QLM_PP_INT, /**< 32 bits, as the clients read it */
    QLM_PP_BOOL,
    QLM_PP_STRING,
    QLM_PP_IP_ADDRESS, /**< IPv4 or IPv6 */
    QLM_PP_IP_SUBNET,  /**< address/bits or address/mask */
    QLM_PP_CSV,        /**< texts separated by commas */
    QLM_PP_TYPE_COUNT
} qlm_pp_type_t;

/** One property of a product version. Texts are never NULL. */
typedef struct qlm_pp_definition_t {
    const char *category; /**< "" = none */
    const char *name;
    const char *guid; /**< in braces */
    qlm_pp_type_t type;
    const char *default_value; /**< fits the type, or "" */
    const char *help;
    apr_int64_t updated_at; /**< seconds UTC, 0 = unknown */
    const char *key;        /**< qlm_pp_key; set when it is added to a set */
} qlm_pp_definition_t;

/** The definitions of one product version: read-only once filled, usable by threads at once. */
typedef struct qlm_pp_definitions_t qlm_pp_definitions_t;

/** "int", "bool" … as documents spell it; static. */
const char *qlm_pp_type_name(qlm_pp_type_t type);

/** Read such a name, any case. @return 1 and *type set, or 0 */
int qlm_pp_type_parse(qlm_pp_type_t *type, const char *text);

/** Read @a text as a value of @a type; *value is its normal form in @a pool ("yes" is "true").
 * @return NULL, or what the type takes, such as "true or false" (static): *value is untouched then
 */
const char *qlm_pp_read_value(const char **value, qlm_pp_type_t type, const char *text,
                              apr_pool_t *pool);

/** The key of a definition: folded "category.name", or the name alone; in @a pool. */
const char *qlm_pp_key(const char *category, const char *name, apr_pool_t *pool);

/** May @a definition be stored? Makes its default normal. Errors: ARGUMENT, saying what is wrong
 * and what is accepted. */
qlm_error_t *qlm_pp_check_definition(qlm_pp_definition_t *definition, apr_pool_t *pool);

/** An empty set, in @a pool. */
qlm_pp_definitions_t *qlm_pp_definitions_create(apr_pool_t *pool);

/** Add a copy of @a definition; its texts must live as long as the set. */
void qlm_pp_definitions_add(qlm_pp_definitions_t *definitions,
                            const qlm_pp_definition_t *definition);

/** How many there are; none in NULL. */
int qlm_pp_definitions_count(const qlm_pp_definitions_t *definitions);

/** The definition at @a index, in the order added. */
const qlm_pp_definition_t *qlm_pp_definitions_at(const qlm_pp_definitions_t *definitions,
                                                 int index);

/** Find by "category.name" or name. @return NULL if there is none, or *is_ambiguous and several
 * have that name */
const qlm_pp_definition_t *qlm_pp_definitions_find(int *is_ambiguous,
                                                   const qlm_pp_definitions_t *definitions,
                                                   const char *text, apr_pool_t *pool);

/** The two parts of the XML element of the definition at @a index that never change: what stands
 * before its value, and between the value and its dates. */
void qlm_pp_definitions_markup(const char **before, const char **between,
                               const qlm_pp_definitions_t *definitions, int index);

/** A time as product properties write it; 0 is "0001-01-01 00:00:00". In @a pool. */
const char *qlm_pp_date(apr_int64_t seconds, apr_pool_t *pool);

#endif
