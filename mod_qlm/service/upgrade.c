/* UpgradeLicense: a new key takes the place of the old one, which is not known any more. */
#include "license/renewal.h"
#include "service/fulfil.h"
#include "service/newterms.h"
#include "service/operations.h"

static qlm_error_t *make_key(qlm_license_t *license, const qlm_call_t *call)
{
    return qlm_fulfil_make_key(&license->activation_key,
                               qlm_model_activation_prefix(license->model, license->engine,
                                                           !qlm_renewal_is_endless(license),
                                                           license->is_generic),
                               call);
}

/* The license keeps its record, customer, order and plan; its computers have to activate the new
 * key. A subscription that the upgrade begins is noted where there was none. */
static qlm_error_t *upgrade(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = changing->call;
    qlm_license_t *after = &changing->after;

    (void)store;
    QLM_TRY(qlm_change_refuse_revoked(changing, pool));
    QLM_TRY(qlm_newterms_apply(changing, 1, pool));
    QLM_TRY(make_key(after, call));
    after->available_licenses = after->num_licenses;
    after->first_activated_at = 0;
    after->order_status = "Completed";
    if (!*after->subscription_ref) {
        after->subscription_ref = changing->order->subscription_ref;
    }
    changing->releases_computers = 1;
    if (!qlm_properties_bool(call->properties, QLM_PROPERTY_LOG_UPGRADE)) {
        changing->event = NULL;
    }
    return NULL;
}

qlm_error_t *qlm_operation_upgrade(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_change_t change = {
        .event = "upgraded",
        .outcome = "upgraded",
        .takes_new_product = 1,
        .happens_once = 1,
        .mail_template = QLM_ARGUMENT_MAIL_TEMPLATE,
        .apply = upgrade,
    };

    return qlm_change_run(reply, call, &change);
}
