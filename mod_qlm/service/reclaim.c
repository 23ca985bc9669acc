/* Taking a silent computer's seat back. */
#include "service/reclaim.h"

#include "license/record.h"
#include "service/notify.h"
#include "store/history.h"

#define HOUR 3600

/* 0 = seats of this license are never taken back. */
static apr_int64_t threshold_minutes(const qlm_license_t *license,
                                     const qlm_properties_t *properties)
{
    apr_int64_t minutes = qlm_properties_int(properties, QLM_PROPERTY_CLOUD_IDLE_MINUTES);

    return minutes > 0 && qlm_model_is_cloud(license->model) ? minutes : 0;
}

static qlm_error_t *report(const qlm_license_t *license, const qlm_activation_t *activation,
                           qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(call);
    qlm_license_t after = *license;
    qlm_history_t row = {.license_id = license->id,
                         .customer_id = license->customer_id,
                         .activation_key = license->activation_key,
                         .event = "reclaimed",
                         .computer_id = activation->computer_id};

    after.available_licenses++;
    after.released_at = after.modified_at = call->now;
    row.changes = qlm_license_changes(license, &after, pool);
    QLM_TRY(qlm_store_add_history(store, &row, &actor, pool));
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_RELEASED, &after, NULL, activation, store,
                              call, pool);
}

qlm_error_t *qlm_reclaim_seat(const qlm_license_t *license, qlm_store_t *store,
                              const qlm_call_t *call, apr_pool_t *pool)
{
    apr_int64_t minutes = threshold_minutes(license, call->properties);
    const qlm_activation_t *activation;
    int given;

    if (!minutes || license->available_licenses > 0) {
        return NULL;
    }
    QLM_TRY(qlm_store_find_idle(&activation, store, license->id, call->now - minutes * 60,
                                call->now, pool));
    if (!activation) {
        return NULL;
    }
    QLM_TRY(qlm_store_take_back(&given, store, activation, call->now, pool));
    return given ? report(license, activation, store, call, pool)
                 : qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "the idle computer called at the same time");
}

apr_int64_t qlm_reclaim_granularity(const qlm_license_t *license,
                                    const qlm_properties_t *properties)
{
    apr_int64_t minutes = threshold_minutes(license, properties);

    return minutes && minutes < 4 * HOUR / 60 ? minutes * 60 / 4 : HOUR;
}
