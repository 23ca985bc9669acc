/* Raw arguments of a call: named texts from the URL, the form body, a property (is_args) …, in the
 * order they came.
 *
 * Percent escapes are decoded to bytes; nothing is converted: a value may be any bytes except NUL
 * (a NUL byte is kept as 0x01, so that it shows as a control character). Names are compared without
 * ASCII case and without blanks around them. */
#ifndef QLM_BASE_FIELDS_H
#define QLM_BASE_FIELDS_H

#include "base/error.h"

#include <apr_tables.h>

/** Where a field came from: a bit set in look-ups, in order of precedence. */
enum {
    QLM_FROM_URL = 1,      /**< written by the merchant or the application */
    QLM_FROM_BODY = 2,     /**< form body; may carry a buyer's input */
    QLM_FROM_VENDOR = 4,   /**< provider metadata */
    QLM_FROM_PROPERTY = 8, /**< is_args or a mapped product id */
    QLM_FROM_DEFAULT = 16, /**< defaultUrlArgs */
    QLM_FROM_ANY = 31
};

#define QLM_FIELDS_MAX     500 /**< most fields of one call */
#define QLM_FIELD_NAME_MAX 200 /**< bytes */

typedef struct qlm_field_t {
    const char *name;  /**< trimmed, as sent */
    const char *value; /**< decoded bytes, never NULL */
    int source;        /**< one of QLM_FROM_* */
} qlm_field_t;

/** Fields in a pool; create with qlm_fields_create, fill by the functions below only. */
typedef struct qlm_fields_t {
    apr_array_header_t *list; /**< of qlm_field_t */
    apr_pool_t *pool;
    unsigned int marks[QLM_FIELDS_MAX]; /**< of each name, so that looking up compares numbers */
} qlm_fields_t;

qlm_fields_t *qlm_fields_create(apr_pool_t *pool);

/** Add one field (texts are not copied). Errors: ARGUMENT when there are more than QLM_FIELDS_MAX.
 */
qlm_error_t *qlm_fields_add(qlm_fields_t *fields, const char *name, const char *value, int source);

/** Read `name=value&name=value` (application/x-www-form-urlencoded): '&' separates, ';' never does;
 * empty pairs are skipped;
 * '+' is a blank; an escape that is broken stays as it is; a pair without '=' has an empty value.
 * @a text need not be terminated; @a length counts. Errors: ARGUMENT: too many fields, name too
 * long. */
qlm_error_t *qlm_fields_parse(qlm_fields_t *fields, const char *text, apr_size_t length,
                              int source);

/** The first non-empty value of @a name by precedence (URL before body before …) among @a sources,
 * or NULL. Empty values count as absent. */
const char *qlm_fields_get(const qlm_fields_t *fields, const char *name, int sources);

#endif
