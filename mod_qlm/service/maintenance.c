/* EnableMaintenancePlan and RenewMaintenancePlan: until when a license may take newer versions. */
#include "service/maintenance.h"

#include "base/date.h"
#include "license/renewal.h"
#include "service/operations.h"
#include "service/terms.h"

qlm_error_t *qlm_maintenance_renew(qlm_changing_t *changing, apr_pool_t *pool)
{
    const qlm_call_t *call = changing->call;
    apr_int64_t until = changing->after.maintenance_until;
    apr_int64_t grace = qlm_properties_int(call->properties, QLM_PROPERTY_MAINTENANCE_GRACE);

    if (!qlm_renewal_is_in_time(until, grace, call->now)) {
        return qlm_error_make(
            pool, QLM_ERROR_REFUSED, QLM_CODE_EXPIRED,
            "the maintenance plan ended on %s, which is too long ago to renew it: "
            "begin a new one by EnableMaintenancePlan",
            qlm_date_format(until, "yyyy-MM-dd", pool));
    }
    changing->after.maintenance_until = qlm_arguments_number(
        call->arguments, QLM_ARGUMENT_PLAN_DATE,
        qlm_renewal_prolong(until, qlm_terms_plan_days(call->arguments, call->properties),
                            call->now));
    return NULL;
}

static qlm_error_t *renew(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    (void)store;
    QLM_TRY(qlm_change_refuse_revoked(changing, pool));
    return qlm_maintenance_renew(changing, pool);
}

/* A new plan counts from today; one that runs longer already is left to do so. */
static apr_int64_t enabled_until(const qlm_changing_t *changing)
{
    const qlm_call_t *call = changing->call;
    apr_int64_t until =
        qlm_date_add_days(call->now, qlm_terms_plan_days(call->arguments, call->properties));

    if (until < changing->after.maintenance_until) {
        until = changing->after.maintenance_until;
    }
    return qlm_arguments_number(call->arguments, QLM_ARGUMENT_PLAN_DATE, until);
}

static qlm_error_t *enable(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    (void)store;
    QLM_TRY(qlm_change_refuse_revoked(changing, pool));
    changing->after.maintenance_until =
        qlm_arguments_number(changing->call->arguments, QLM_ARGUMENT_PLAN, 1)
            ? enabled_until(changing)
            : 0;
    return NULL;
}

qlm_error_t *qlm_operation_enable_plan(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_change_t enabling = {
        .event = "plan enabled",
        .outcome = "enabled",
        .result = "Successfully updated the maintenance plan of ActivationKey=",
        .mail_template = QLM_ARGUMENT_MAIL_TEMPLATE,
        .apply = enable,
    };

    return qlm_change_run(reply, call, &enabling);
}

qlm_error_t *qlm_operation_renew_plan(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_change_t renewal = {
        .event = "plan renewed",
        .outcome = "renewed",
        .result = "Successfully renewed the maintenance plan of ActivationKey=",
        .mail_template = QLM_ARGUMENT_RENEWAL_TEMPLATE,
        .apply = renew,
    };

    return qlm_change_run(reply, call, &renewal);
}
