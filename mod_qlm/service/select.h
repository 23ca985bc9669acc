/* Which licenses a changing call means. */
#ifndef QLM_SERVICE_SELECT_H
#define QLM_SERVICE_SELECT_H

#include "service/call.h"

#define QLM_SELECT_MAX 1000 /**< most licenses of one order or subscription */

/** The licenses meant: that of is_avkey (or custom_referrer), else all of the order's subscription,
 * else all of the order itself.
 * @param keys      array of const char *, activation keys in normal form, at least one
 * @param by_order  set to 1 if the order's own number was what named them
 * @param matching  only those of the product (and, if all three arguments are given, version) that
 *                  is_productid names
 * Errors: REFUSED 203 if there is none, 205 for an unreadable key; ARGUMENT 206 if nothing names
 * a license; STORE. */
qlm_error_t *qlm_select_licenses(apr_array_header_t **keys, int *by_order, const qlm_order_t *order,
                                 int matching, qlm_call_t *call);

/** Read is_avkey. *key is in normal form. Errors: REFUSED 205 for what cannot be a key here. */
qlm_error_t *qlm_select_key(const char **key, const qlm_call_t *call);

/** The same of any text. */
qlm_error_t *qlm_select_typed_key(const char **key, const char *typed, const qlm_call_t *call);

/** The refusal of a key that is not known. */
qlm_error_t *qlm_select_unknown(apr_pool_t *pool);

#endif
