/* Licenses and customers as programs are told of them: webhooks, GetRecentOrdersHttp. */
#ifndef QLM_SERVICE_INFO_H
#define QLM_SERVICE_INFO_H

#include "service/call.h"

#include <jansson.h>

/** LicenseInfo, members in the documented order; NULL without memory. The caller gives it up.
 * @param activation  the computer it is about, NULL: none */
json_t *qlm_info_license(const qlm_license_t *license, const qlm_customer_t *customer,
                         const qlm_activation_t *activation, const qlm_call_t *call,
                         apr_pool_t *pool);

/** CustomerInfo, likewise. */
json_t *qlm_info_customer(const qlm_customer_t *customer, apr_pool_t *pool);

/** "STD,PRO," for the enabled features of @a stored, by the names of the product; @a stored itself
 * if the product (NULL: none) names none. */
const char *qlm_info_features(const char *stored, const qlm_product_t *product, apr_pool_t *pool);

/** "2027-12-31T23:59:59"; "" for 0. */
const char *qlm_info_time(apr_int64_t seconds, apr_pool_t *pool);

#endif
