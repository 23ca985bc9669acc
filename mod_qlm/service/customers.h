/* Customers, wherever they come from: orders, activations, shops' calls. */
#ifndef QLM_SERVICE_CUSTOMERS_H
#define QLM_SERVICE_CUSTOMERS_H

#include "service/call.h"

/** Inside a unit: create or update the customer (as qlm_store_put_customer does), link it to the
 * organization whose domains cover its e-mail unless it has one, and tell webhooks. */
qlm_error_t *qlm_customers_put(qlm_stored_customer_t *stored, const qlm_customer_t *customer,
                               int overwrite, qlm_store_t *store, const qlm_call_t *call,
                               apr_pool_t *pool);

/** Inside a unit: change a customer and tell webhooks. Errors: as qlm_store_change_customer. */
qlm_error_t *qlm_customers_change(const qlm_customer_t *before, const qlm_customer_t *after,
                                  qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool);

#endif
