/* RenewSubscriptionHttp: a license ends later, and with it, if asked, its maintenance plan. */
#include "base/date.h"
#include "license/renewal.h"
#include "service/change.h"
#include "service/fulfil.h"
#include "service/maintenance.h"
#include "service/operations.h"

static qlm_error_t *check_grace(const qlm_changing_t *changing, apr_pool_t *pool)
{
    const qlm_call_t *call = changing->call;
    apr_int64_t until = changing->after.expires_at;
    apr_int64_t grace = qlm_properties_int(call->properties, QLM_PROPERTY_SUBSCRIPTION_GRACE);

    if (qlm_renewal_is_in_time(until, grace, call->now)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_EXPIRED,
                          "the license expired on %s, which is too long ago to renew it "
                          "(subscriptionGracePeriod): a new license is needed",
                          qlm_date_format(until, "yyyy-MM-dd", pool));
}

/* is_expdate, else the shop's own period, else by days from the end there was. */
static qlm_error_t *move_end(qlm_changing_t *changing, apr_pool_t *pool)
{
    qlm_call_t *call = changing->call;
    apr_int64_t until =
        qlm_arguments_number(call->arguments, QLM_ARGUMENT_EXPIRY, changing->order->expires_at);
    apr_int64_t days = qlm_arguments_number(call->arguments, QLM_ARGUMENT_DURATION,
                                            qlm_renewal_period(&changing->after));

    if (!until && days <= 0) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_MISSING_ARGUMENT,
                              "nothing says how far to renew: add is_expdate or is_expduration");
    }
    if (!until) {
        until = qlm_renewal_extend(&changing->after, days, call->now);
    }
    if (until < call->now) {
        qlm_call_note(call, "the date to renew to is in the past");
    }
    qlm_renewal_apply(&changing->after, until);
    return NULL;
}

/* A plan that is not said how long it is to last ends with the subscription, but not earlier than
 * it would have. */
static qlm_error_t *renew_plan(qlm_changing_t *changing, apr_pool_t *pool)
{
    const qlm_arguments_t *arguments = changing->call->arguments;
    qlm_license_t *after = &changing->after;

    if (arguments->value[QLM_ARGUMENT_PLAN_DATE].is_given ||
        arguments->value[QLM_ARGUMENT_PLAN_DAYS].is_given) {
        return qlm_maintenance_renew(changing, pool);
    }
    if (after->maintenance_until < after->expires_at) {
        after->maintenance_until = after->expires_at;
    }
    return NULL;
}

/* Asked for, or the site's rule for subscriptions that have one. */
static int wants_plan(const qlm_changing_t *changing)
{
    const qlm_call_t *call = changing->call;
    int is_rule = qlm_properties_bool(call->properties, QLM_PROPERTY_RENEW_PLAN) &&
                  changing->after.maintenance_until && changing->after.expires_at;

    return (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_PLAN, is_rule);
}

/* Such as a hundred credits more with each payment. */
static void set_product_properties(qlm_changing_t *changing)
{
    const char *is_pp = qlm_arguments_text(changing->call->arguments, QLM_ARGUMENT_PROPERTIES);

    if (*is_pp) {
        changing->after.properties = qlm_fulfil_properties(&changing->after, is_pp, changing->call);
    }
}

/* The subscription is renewed even if its plan cannot be. */
static qlm_error_t *renew_subscription(qlm_changing_t *changing, apr_pool_t *pool)
{
    int has_plan = wants_plan(changing);
    qlm_error_t *error;

    QLM_TRY(check_grace(changing, pool));
    QLM_TRY(move_end(changing, pool));
    error = has_plan ? renew_plan(changing, pool) : NULL;
    if (error) {
        qlm_call_note(changing->call, error->text);
    }
    return NULL;
}

static qlm_error_t *renew(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    (void)store;
    QLM_TRY(qlm_change_refuse_revoked(changing, pool));
    if (!qlm_renewal_is_endless(&changing->after)) {
        QLM_TRY(renew_subscription(changing, pool));
    }
    else if (wants_plan(changing)) {
        QLM_TRY(qlm_maintenance_renew(changing, pool));
    }
    else {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                              "the license never expires: there is nothing to renew");
    }
    set_product_properties(changing);
    return NULL;
}

qlm_error_t *qlm_operation_renew(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_change_t renewal = {
        .event = "renewed",
        .outcome = "renewed",
        .result = "Successfully renewed the subscription of ActivationKey=",
        .mail_template = QLM_ARGUMENT_RENEWAL_TEMPLATE,
        .apply = renew,
    };

    return qlm_change_run(reply, call, &renewal);
}
