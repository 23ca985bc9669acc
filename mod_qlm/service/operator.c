/* Licenses changed and deleted by the operator. */
#include "service/operator.h"

#include "base/date.h"
#include "base/text.h"
#include "license/features.h"
#include "service/change.h"
#include "service/notify.h"
#include "service/select.h"
#include "store/history.h"

#include <apr_strings.h>
#include <string.h>

#define SEATS_MAX 1000000

/* What may be set, and the longest text. Keys, products, orders and what is counted have their own
 * ways. */
static const struct {
    qlm_license_field_t field;
    apr_size_t max_bytes;
} settable[] = {
    {QLM_LICENSE_FIELD_num_licenses, 10},       {QLM_LICENSE_FIELD_floating_seats, 10},
    {QLM_LICENSE_FIELD_features, 64},           {QLM_LICENSE_FIELD_expires_at, 30},
    {QLM_LICENSE_FIELD_duration_days, 10},      {QLM_LICENSE_FIELD_maintenance_until, 30},
    {QLM_LICENSE_FIELD_computer_type, 10},      {QLM_LICENSE_FIELD_is_generic, 10},
    {QLM_LICENSE_FIELD_subscription_ref, 255},  {QLM_LICENSE_FIELD_order_status, 64},
    {QLM_LICENSE_FIELD_user_data, 1000},        {QLM_LICENSE_FIELD_comment, 4000},
    {QLM_LICENSE_FIELD_legacy_key, 255},        {QLM_LICENSE_FIELD_affiliate_id, 255},
    {QLM_LICENSE_FIELD_bundle_id, 255},         {QLM_LICENSE_FIELD_allowed_computers, 4000},
    {QLM_LICENSE_FIELD_denied_computers, 4000}, {QLM_LICENSE_FIELD_max_release_count, 10},
    {QLM_LICENSE_FIELD_max_release_days, 10},
};

enum { SETTABLE = sizeof(settable) / sizeof(settable[0]) };

const char *qlm_operator_fields(apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < SETTABLE; i++) {
        names = apr_pstrcat(pool, names, *names ? ", " : "",
                            qlm_license_field_name(settable[i].field), NULL);
    }
    return names;
}

/* ---- the call of an operator ------------------------------------------------------------------
 */

/* A unit of work that needs what a call has. */
typedef struct work_t {
    qlm_call_t call;
    const char *activation_key;
    const apr_array_header_t *assignments;
    int even_if_active;
    int is_changed;
} work_t;

static qlm_error_t *run(work_t *work, const qlm_method_t *method, qlm_unit_t unit,
                        qlm_service_t *service, const qlm_call_input_t *input, apr_pool_t *pool)
{
    qlm_call_t *call = &work->call;
    qlm_error_t *error;

    call->pool = pool;
    call->now = input->now;
    call->input = input;
    call->secrets = qlm_service_secrets(service);
    call->method = method;
    QLM_TRY(qlm_call_borrow(call));
    error = qlm_site_snapshot(&call->site, qlm_service_site(service), call->store, pool);
    if (!error) {
        call->properties = qlm_snapshot_properties(call->site);
        error = qlm_store_write(call->store, unit, work, pool);
    }
    qlm_call_return(call);
    return error;
}

static qlm_error_t *hold(qlm_license_view_t **view, const work_t *work, qlm_store_t *store,
                         apr_pool_t *pool)
{
    QLM_TRY(qlm_store_find_license(view, store, work->activation_key, "", pool));
    return *view ? NULL : qlm_select_unknown(pool);
}

/* ---- set --------------------------------------------------------------------------------------
 */

static qlm_error_t *refuse(const char *field, const char *takes, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT, "%s takes %s", field,
                          takes);
}

static qlm_error_t *check_assignment(const qlm_assignment_t *assignment, apr_pool_t *pool)
{
    const char *name = qlm_license_field_name(assignment->field);

    for (int i = 0; i < SETTABLE; i++) {
        if (settable[i].field == assignment->field) {
            return strlen(assignment->value) <= settable[i].max_bytes &&
                           !qlm_text_has_control(assignment->value) &&
                           qlm_text_is_utf8(assignment->value)
                       ? NULL
                       : refuse(name,
                                apr_psprintf(pool,
                                             "at most %" APR_SIZE_T_FMT
                                             " bytes of UTF-8 without control characters",
                                             settable[i].max_bytes),
                                pool);
        }
    }
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "%s cannot be set; these can: %s", name, qlm_operator_fields(pool));
}

static qlm_error_t *check_numbers(const qlm_license_t *after, apr_pool_t *pool)
{
    const struct {
        int number, min, max;
        qlm_license_field_t field;
    } bounds[] = {
        {after->num_licenses, 1, SEATS_MAX, QLM_LICENSE_FIELD_num_licenses},
        {after->floating_seats, 0, SEATS_MAX, QLM_LICENSE_FIELD_floating_seats},
        {after->duration_days, -1, 36500, QLM_LICENSE_FIELD_duration_days},
        {after->computer_type, 0, 2, QLM_LICENSE_FIELD_computer_type},
        {after->max_release_count, -2, SEATS_MAX, QLM_LICENSE_FIELD_max_release_count},
        {after->max_release_days, -2, 36500, QLM_LICENSE_FIELD_max_release_days},
    };

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if (bounds[i].number < bounds[i].min || bounds[i].number > bounds[i].max) {
            return refuse(
                qlm_license_field_name(bounds[i].field),
                apr_psprintf(pool, "a whole number from %d to %d", bounds[i].min, bounds[i].max),
                pool);
        }
    }
    return NULL;
}

/* What the fields mean together. */
static qlm_error_t *settle(qlm_license_t *after, const qlm_license_t *before, apr_pool_t *pool)
{
    qlm_features_t features;

    QLM_TRY(check_numbers(after, pool));
    if (!qlm_features_parse(&features, after->features)) {
        return refuse("Features", "set:value;set:value; with sets 0 to 3 and values 0 to 255",
                      pool);
    }
    after->features = qlm_features_format(&features, pool);
    after->expires_at = after->expires_at ? qlm_date_end_of_day(after->expires_at) : 0;
    after->maintenance_until =
        after->maintenance_until ? qlm_date_end_of_day(after->maintenance_until) : 0;
    after->available_licenses += after->num_licenses - before->num_licenses;
    if (after->available_licenses < 0) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                              "%d computers are active: release some before NumLicenses becomes %d",
                              before->num_licenses - before->available_licenses,
                              after->num_licenses);
    }
    return NULL;
}

static qlm_error_t *set_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    const qlm_actor_t actor = qlm_call_actor(&work->call);
    qlm_license_view_t *view;
    qlm_license_t after;

    QLM_TRY(hold(&view, work, store, pool));
    after = view->license;
    for (int i = 0; i < work->assignments->nelts; i++) {
        const qlm_assignment_t *one = &APR_ARRAY_IDX(work->assignments, i, qlm_assignment_t);

        QLM_TRY(check_assignment(one, pool));
        QLM_TRY(qlm_license_field_set(&after, one->field, one->value, pool));
    }
    QLM_TRY(settle(&after, &view->license, pool));
    QLM_TRY(qlm_store_change_license(&work->is_changed, store, &view->license, &after, "modified",
                                     &actor, pool));
    if (!work->is_changed) {
        return NULL;
    }
    QLM_TRY(qlm_change_computer_keys(&after, store, &work->call, pool));
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_MODIFIED, &after, NULL, NULL, store,
                              &work->call, pool);
}

qlm_error_t *qlm_operator_set(int *is_changed, qlm_service_t *service,
                              const qlm_call_input_t *input, const char *activation_key,
                              const apr_array_header_t *assignments, apr_pool_t *pool)
{
    static const qlm_method_t method = {.name = "qlmctl key set"};
    work_t work = {.activation_key = activation_key, .assignments = assignments};

    QLM_TRY(run(&work, &method, set_unit, service, input, pool));
    *is_changed = work.is_changed;
    return NULL;
}

/* ---- delete -----------------------------------------------------------------------------------
 */

static qlm_error_t *delete_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    const qlm_actor_t actor = qlm_call_actor(&work->call);
    qlm_license_view_t *view;
    qlm_history_t row = {.event = "deleted"};
    int active;

    QLM_TRY(hold(&view, work, store, pool));
    active = view->license.num_licenses - view->license.available_licenses;
    if (active > 0 && !work->even_if_active) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                              "the license is active on %d computer%s: release %s, or revoke the "
                              "key instead",
                              active, active == 1 ? "" : "s", active == 1 ? "it" : "them");
    }
    row.license_id = view->license.id;
    row.customer_id = view->license.customer_id;
    row.activation_key = view->license.activation_key;
    QLM_TRY(qlm_store_add_history(store, &row, &actor, pool));
    QLM_TRY(qlm_notify_license(QLM_PROPERTY_ON_LICENSE_DELETED, &view->license, NULL, NULL, store,
                               &work->call, pool));
    return qlm_store_delete_license(store, view->license.id, pool);
}

qlm_error_t *qlm_operator_delete(qlm_service_t *service, const qlm_call_input_t *input,
                                 const char *activation_key, int even_if_active, apr_pool_t *pool)
{
    static const qlm_method_t method = {.name = "qlmctl key delete"};
    work_t work = {.activation_key = activation_key, .even_if_active = even_if_active};

    return run(&work, &method, delete_unit, service, input, pool);
}
