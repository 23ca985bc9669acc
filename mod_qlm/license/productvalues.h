/* The product properties of one license: what is_pp sets, what is stored, what its document shows.
 *
 * Stored is a line for each value that was set: the key of its definition, the value, the times of
 * its last update and of its expiry (0 = never), separated by tabs. (Every validation reads it:
 * JSON would double what product properties cost. No value or name holds a control character.) A
 * stored text without a tab is an is_pp as it came, from before its product had definitions; it is
 * read with those of today. A value that has expired, or does not fit its definition any more,
 * counts as not set: the default holds. Computation only. */
#ifndef QLM_LICENSE_PRODUCTVALUES_H
#define QLM_LICENSE_PRODUCTVALUES_H

#include "license/productproperties.h"

#define QLM_PP_ENTRIES_MAX 500   /**< entries of one is_pp */
#define QLM_PP_STORED_MAX  65000 /**< bytes stored with a license */

/** A property of a license as it is now. */
typedef struct qlm_pp_value_t {
    const qlm_pp_definition_t *definition;
    const char *value; /**< the default if none is set */
    int is_set;
    apr_int64_t updated_at, expires_at; /**< seconds UTC, 0 = unknown, never */
} qlm_pp_value_t;

/** Change the properties of a license as @a is_pp says: category.name::value[::expiry]||…, where
 * +n and -n add to the value (or default) of an int and keep its expiry. All or nothing.
 * @param changed  set to what is to be stored, in @a pool
 * @param stored   what is stored now (qlm_license_t.properties)
 * @param definitions  of the license's product version; NULL = none
 * Errors: ARGUMENT, naming the first bad entry and what is expected. */
qlm_error_t *qlm_pp_apply(const char **changed, const char *stored, const char *is_pp,
                          const qlm_pp_definitions_t *definitions, apr_int64_t now,
                          apr_pool_t *pool);

/** The same for a paid order (@a stored is "" for a new license). It is not refused for a bad
 * entry: that is left out, and *oddity says so (it stays as it is if nothing was wrong). For a
 * product without definitions @a is_pp is kept as it is. @return what is to be stored, in @a pool
 * or one of the texts given */
const char *qlm_pp_apply_order(const char **oddity, const char *stored, const char *is_pp,
                               const qlm_pp_definitions_t *definitions, apr_int64_t now,
                               apr_pool_t *pool);

/** All properties of the product with the values of @a stored: array of qlm_pp_value_t in the order
 * of the definitions, in @a pool. */
apr_array_header_t *qlm_pp_values(const char *stored, const qlm_pp_definitions_t *definitions,
                                  apr_int64_t now, apr_pool_t *pool);

/** The same as QLM's XML, declaration included; "" if nothing is defined. In @a pool. */
const char *qlm_pp_write(const char *stored, const qlm_pp_definitions_t *definitions,
                         apr_int64_t now, apr_pool_t *pool);

#endif
