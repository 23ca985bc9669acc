/* ReleaseLicenseHttp: a computer gives its seat back.
 *
 * One unit of work holds the license, judges, and gives. A revoked or expired license may be
 * released as well: that frees data and harms nobody. A release that comes twice finds nothing to
 * give the second time, and changes nothing. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"
#include "license/deactivation.h"
#include "license/keygen.h"
#include "license/record.h"
#include "service/message.h"
#include "service/notify.h"
#include "service/operations.h"
#include "service/reply.h"
#include "service/select.h"
#include "store/history.h"

#include <apr_strings.h>
#include <string.h>

/* One release in progress. */
typedef struct release_t {
    qlm_call_t *call;
    const char *key;         /* normal form */
    const char *computer_id; /* as sent; "" = the only one of a license for one computer */
    const char *secret;      /* deactivation codes are made with; NULL = none is asked for */
    /* what a run of the unit leaves: */
    const qlm_license_t *license; /* as it was */
    qlm_activation_t activation;  /* of the computer; id 0 = not active there */
    int active_elsewhere;         /* other computers on which it is active */
    int left;                     /* instances that still run on the computer */
} release_t;

static qlm_error_t *refuse(qlm_code_t code, const char *text, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_REFUSED, code, "%s", text);
}

/* ---- the computer -----------------------------------------------------------------------------
 */

/* A license for one computer needs no name of it. */
static qlm_error_t *find_computer(release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *activations;

    if (!*release->computer_id && release->license->num_licenses != 1) {
        return refuse(QLM_CODE_MISSING_ARGUMENT,
                      "The computer id is missing. Please send it as is_pcid: the license may be "
                      "active on several computers.",
                      pool);
    }
    if (release->activation.id) {
        return NULL;
    }
    QLM_TRY(
        qlm_store_list_activations(&activations, store, release->license->id, release->call->pool));
    if (*release->computer_id) {
        release->active_elsewhere = activations->nelts;
    }
    else if (activations->nelts) {
        release->activation = APR_ARRAY_IDX(activations, 0, qlm_activation_t);
    }
    return NULL;
}

static qlm_error_t *check_active(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    (void)store;
    if (release->activation.id) {
        return NULL;
    }
    return release->active_elsewhere
               ? refuse(QLM_CODE_RELEASE_ELSEWHERE,
                        "The license is not active on this computer but on another one. Please "
                        "release it there.",
                        pool)
               : refuse(QLM_CODE_RELEASE_NOT_ACTIVE,
                        "The license is not active on any computer: there is nothing to release.",
                        pool);
}

static qlm_error_t *check_offline(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    (void)store;
    return release->activation.offline_until > release->call->now
               ? qlm_error_make(
                     pool, QLM_ERROR_REFUSED, QLM_CODE_RELEASE_OFFLINE,
                     "The license was taken offline on this computer until %s UTC and "
                     "cannot be released before.",
                     qlm_date_format(release->activation.offline_until, "yyyy-MM-dd HH:mm", pool))
               : NULL;
}

/* ---- the deactivation code --------------------------------------------------------------------
 */

/* Read before the unit. A site that asks for codes and has no secret accepts none. */
static qlm_error_t *read_secret(release_t *release)
{
    const qlm_call_t *call = release->call;

    if (!qlm_properties_bool(call->properties, QLM_PROPERTY_RELEASE_CODE)) {
        return NULL;
    }
    if (!call->arguments->value[QLM_ARGUMENT_DEACTIVATION_CODE].is_given) {
        return refuse(QLM_CODE_MISSING_ARGUMENT,
                      "The deactivation code is missing. Please send it as is_deactivation_code.",
                      call->pool);
    }
    return qlm_snapshot_secret(&release->secret, call->site, QLM_PROPERTY_COMMUNICATION_KEY,
                               call->pool);
}

/* Judged before anything is told of the computer: who has no code learns nothing. */
static qlm_error_t *check_code(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = release->call;
    const qlm_deactivation_t deactivation = {release->key,
                                             *release->computer_id || !release->activation.id
                                                 ? release->computer_id
                                                 : release->activation.computer_id,
                                             release->secret};
    qlm_error_t *error;
    int is_right;

    (void)store;
    if (!release->secret) {
        return NULL;
    }
    QLM_TRY(qlm_deactivation_check(
        &is_right, qlm_arguments_text(call->arguments, QLM_ARGUMENT_DEACTIVATION_CODE),
        &deactivation, call->now, pool));
    if (is_right) {
        return NULL;
    }
    error = refuse(QLM_CODE_WRONG_DEACTIVATION_CODE,
                   "The deactivation code is wrong, or of another day. Please let the application "
                   "make a new one.",
                   pool);
    return *release->secret
               ? error
               : qlm_error_detail(error, pool,
                                  "no code is right before a secret is set: run "
                                  "`qlmctl property set communicationEncryptionKey -`");
}

/* ---- limits -----------------------------------------------------------------------------------
 */

/* Seats of cloud models come and go with the application's starts and ends. */
static qlm_error_t *check_period(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = release->call;
    apr_int64_t minutes =
        qlm_properties_int(call->properties, QLM_PROPERTY_PREVENT_RELEASE_MINUTES);

    (void)store;
    if (minutes <= 0 || qlm_model_is_cloud(release->license->model) ||
        (call->now - release->activation.activated_at) / 60 >= minutes) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_TOO_MANY_RELEASES,
                          "The license was activated on this computer less than %" APR_INT64_T_FMT
                          " minutes ago. Please release it later.",
                          minutes);
}

/* The license's own limit, or the site's where the license has -2. */
static apr_int64_t limit_of(int own, qlm_property_t property, const release_t *release)
{
    return own == -2 ? qlm_properties_int(release->call->properties, property) : own;
}

static qlm_error_t *check_limit(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_license_t *license = release->license;
    const qlm_properties_t *properties = release->call->properties;
    int per_client = qlm_properties_bool(properties, QLM_PROPERTY_MAX_RELEASE_PER_CLIENT);
    apr_int64_t limit =
        limit_of(license->max_release_count, QLM_PROPERTY_MAX_RELEASE_COUNT, release);
    apr_int64_t days = limit_of(license->max_release_days, QLM_PROPERTY_MAX_RELEASE_DAYS, release);
    apr_int64_t since = days > 0 ? release->call->now - days * QLM_DATE_DAY : 0;
    apr_int64_t count;

    if (limit < 0) {
        return NULL;
    }
    if (!per_client && !qlm_properties_bool(properties, QLM_PROPERTY_MAX_RELEASE_ABSOLUTE)) {
        limit *= license->num_licenses;
    }
    QLM_TRY(qlm_store_count_history(&count, store, license->id, "released", since,
                                    per_client ? release->activation.computer_id : NULL, pool));
    return count < limit ? NULL
                         : refuse(QLM_CODE_TOO_MANY_RELEASES,
                                  "This license has been released as often as it may be. Please "
                                  "contact the vendor.",
                                  pool);
}

/* ---- giving back ------------------------------------------------------------------------------
 */

static int is_logged(const qlm_call_t *call)
{
    return qlm_properties_bool(call->properties, QLM_PROPERTY_LOG_RELEASE) &&
           qlm_arguments_number(call->arguments, QLM_ARGUMENT_LOG_RELEASE, 1);
}

/* Several instances of an application share their computer's seat. */
static qlm_error_t *lower(release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    int lowered;

    release->left = release->activation.activation_count - 1;
    QLM_TRY(qlm_store_lower_activation(&lowered, store, release->license->id,
                                       release->activation.computer_id, release->call->now, pool));
    return lowered ? NULL
                   : refuse(QLM_CODE_COUNT_NOT_LOWERED,
                            "The number of instances on this computer could not be lowered.", pool);
}

static qlm_error_t *report(const release_t *release, const qlm_license_t *after, qlm_store_t *store,
                           apr_pool_t *pool)
{
    const qlm_call_t *call = release->call;
    const qlm_actor_t actor = qlm_call_actor(call);
    const qlm_history_t row = {.license_id = after->id,
                               .customer_id = after->customer_id,
                               .activation_key = after->activation_key,
                               .event = "released",
                               .computer_id = release->activation.computer_id,
                               .changes = qlm_license_changes(release->license, after, pool)};

    if (is_logged(call)) {
        QLM_TRY(qlm_store_add_history(store, &row, &actor, pool));
    }
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_RELEASED, after, NULL, &release->activation,
                              store, call, pool);
}

static qlm_error_t *give(const release_t *release, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_license_t after = *release->license;
    apr_int64_t now = release->call->now;
    int given;

    QLM_TRY(
        qlm_store_give_seat(&given, store, after.id, release->activation.computer_id, now, pool));
    if (!given) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the computer was released at the same time");
    }
    after.available_licenses++;
    after.released_at = after.modified_at = now;
    if (after.num_licenses == 1) {
        after.order_status = QLM_ORDER_RELEASED;
        QLM_TRY(qlm_store_set_order_status(store, &after, pool));
    }
    return report(release, &after, store, pool);
}

static qlm_error_t *release_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    static qlm_error_t *(*const rules[])(const release_t *, qlm_store_t *, apr_pool_t *) = {
        check_code, check_active, check_offline, check_period, check_limit};
    release_t *release = baton;
    qlm_call_t *call = release->call;
    qlm_license_view_t *view;

    QLM_TRY(qlm_store_find_license(&view, store, release->key, release->computer_id, call->pool));
    if (!view) {
        return qlm_select_unknown(pool);
    }
    release->license = &view->license;
    release->activation = view->activation;
    release->active_elsewhere = release->left = 0;
    QLM_TRY(find_computer(release, store, pool));
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        QLM_TRY(rules[i](release, store, pool));
    }
    return qlm_model_is_cloud(view->license.model) && release->activation.activation_count > 1
               ? lower(release, store, pool)
               : give(release, store, pool);
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static const char *result_text(const release_t *release)
{
    const qlm_call_t *call = release->call;
    const qlm_activation_t *activation = &release->activation;
    const char *name =
        *activation->computer_name ? activation->computer_name : activation->computer_id;
    const char *values[] = {qlm_call_shown_key(release->key, call), name, NULL};

    return release->left
               ? apr_psprintf(call->pool, "One instance less runs on computer %s; %d left.", name,
                              release->left)
               : qlm_message(call->properties, QLM_PROPERTY_TEXT_RELEASED, values, call->pool);
}

static void answer(qlm_reply_t *reply, const release_t *release)
{
    qlm_buffer_t *buffer = qlm_buffer_create(256, release->call->pool);

    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(buffer, "result", result_text(release));
    qlm_buffer_add(buffer, "</QuickLicenseManager>");
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
    reply->outcome = release->left ? "lowered" : "released";
}

qlm_error_t *qlm_operation_release(qlm_reply_t *reply, qlm_call_t *call)
{
    release_t release = {.call = call};

    release.computer_id = qlm_arguments_text(call->arguments, QLM_ARGUMENT_COMPUTER_ID);
    reply->subject =
        qlm_keygen_for_log(qlm_arguments_text(call->arguments, QLM_ARGUMENT_KEY), call->pool);
    QLM_TRY(qlm_select_key(&release.key, call));
    if (*release.computer_id) {
        QLM_TRY(qlm_license_check_computer_id(release.computer_id, call->pool));
    }
    QLM_TRY(read_secret(&release));
    QLM_TRY(qlm_store_write(call->store, release_unit, &release, call->pool));
    answer(reply, &release);
    return NULL;
}
