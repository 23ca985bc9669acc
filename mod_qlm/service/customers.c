/* Storing customers and telling of it. */
#include "service/customers.h"

#include "base/text.h"
#include "service/notify.h"

qlm_error_t *qlm_customers_put(qlm_stored_customer_t *stored, const qlm_customer_t *customer,
                               int overwrite, qlm_store_t *store, const qlm_call_t *call,
                               apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(call);
    qlm_customer_t said = *customer;

    if (!said.organization_id && !qlm_text_is_empty(said.email)) {
        said.organization_id = qlm_snapshot_organization(call->site, said.email, pool);
    }
    QLM_TRY(qlm_store_put_customer(stored, store, &said, overwrite, &actor, pool));
    if (!stored->is_new && !stored->is_changed) {
        return NULL;
    }
    return qlm_notify_customer(stored->is_new ? QLM_PROPERTY_ON_CUSTOMER_CREATED
                                              : QLM_PROPERTY_ON_CUSTOMER_MODIFIED,
                               &stored->customer, store, call, pool);
}

qlm_error_t *qlm_customers_change(const qlm_customer_t *before, const qlm_customer_t *after,
                                  qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(call);
    int is_changed;

    QLM_TRY(qlm_store_change_customer(&is_changed, store, before, after, &actor, pool));
    return is_changed
               ? qlm_notify_customer(QLM_PROPERTY_ON_CUSTOMER_MODIFIED, after, store, call, pool)
               : NULL;
}
