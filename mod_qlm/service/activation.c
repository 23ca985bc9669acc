/* ValidateLicenseHttp and ActivateKey: a computer asks for its license.
 *
 * One read finds license, activation and customer. A call that changes nothing writes nothing; a
 * seat is taken in one unit of work that can only succeed while one is free. Signing comes later,
 * when the connection has been given back. */
#include "service/activation.h"
#include "base/date.h"
#include "base/text.h"
#include "license/customer.h"
#include "license/document.h"
#include "license/keygen.h"
#include "license/productvalues.h"
#include "license/record.h"
#include "service/accessed.h"
#include "service/attempt.h"
#include "service/customers.h"
#include "service/message.h"
#include "service/notify.h"
#include "service/operations.h"
#include "service/reclaim.h"
#include "service/reply.h"
#include "store/history.h"

#include <apr_strings.h>
#include <string.h>

/* One validation in progress. */
typedef struct validation_t {
    qlm_call_t *call;
    qlm_request_t request;
    const char *key; /* normal form */
    const char *computer_name;
    const char *user_data, *affiliate_id, *log_user_data; /* NULL = not given */
    const char *email;
    const qlm_product_t *requested;
    qlm_license_view_t *view;
    int taken;
    int is_full; /* no seat was free */
} validation_t;

static const char *given_text(const qlm_call_t *call, qlm_argument_t argument)
{
    const qlm_value_t *value = &call->arguments->value[argument];

    return value->is_given ? value->text : NULL;
}

/* ---- finding ----------------------------------------------------------------------------------
 */

static qlm_error_t *refuse(const qlm_call_t *call, qlm_code_t code, const char *message)
{
    return qlm_error_make(call->pool, QLM_ERROR_REFUSED, code, "%s", message);
}

static qlm_error_t *read_key(validation_t *validation)
{
    qlm_call_t *call = validation->call;
    qlm_key_shape_t shape =
        qlm_keygen_read(&validation->key, qlm_arguments_text(call->arguments, QLM_ARGUMENT_KEY),
                        call->secrets, call->pool);

    if (shape == QLM_KEY_UNREADABLE ||
        (shape == QLM_KEY_MISTYPED && !qlm_snapshot_has_foreign_keys(call->site))) {
        return refuse(call, QLM_CODE_NOT_VALID,
                      "the activation key is not valid: check it for typing mistakes");
    }
    return NULL;
}

static void read_request(validation_t *validation)
{
    qlm_call_t *call = validation->call;
    const qlm_arguments_t *arguments = call->arguments;
    qlm_request_t *request = &validation->request;
    const char *computer_key = qlm_arguments_text(arguments, QLM_ARGUMENT_COMPUTER_KEY);

    request->now = call->now;
    request->computer_id = qlm_arguments_text(arguments, QLM_ARGUMENT_COMPUTER_ID);
    request->activate = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_ACTIVATE, 1);
    request->computer_key = "";
    if (*computer_key) {
        qlm_keygen_read(&request->computer_key, computer_key, call->secrets, call->pool);
        if (!*request->computer_key) {
            request->computer_key = computer_key;
        }
    }
    request->product_id = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, -1);
    request->major = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, -1);
    request->minor = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, -1);
    request->has_version = arguments->value[QLM_ARGUMENT_PRODUCT].is_given &&
                           arguments->value[QLM_ARGUMENT_MAJOR].is_given &&
                           arguments->value[QLM_ARGUMENT_MINOR].is_given;
    validation->computer_name = qlm_arguments_text(arguments, QLM_ARGUMENT_COMPUTER_NAME);
    validation->email = qlm_arguments_text(arguments, QLM_ARGUMENT_EMAIL);
    validation->user_data = given_text(call, QLM_ARGUMENT_USER_DATA);
    validation->affiliate_id = given_text(call, QLM_ARGUMENT_AFFILIATE);
    validation->log_user_data = given_text(call, QLM_ARGUMENT_LOG_USER_DATA);
    if (request->has_version) {
        validation->requested =
            qlm_snapshot_product(call->site, request->product_id, request->major, request->minor);
    }
}

static qlm_error_t *known(const validation_t *validation, apr_pool_t *pool)
{
    return validation->view ? NULL
                            : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NOT_FOUND,
                                             "the activation key is not known here: check the key, "
                                             "or ask the publisher");
}

static qlm_error_t *find(validation_t *validation, qlm_store_t *store, apr_pool_t *pool)
{
    QLM_TRY(qlm_store_find_license(&validation->view, store, validation->key,
                                   validation->request.computer_id, pool));
    return known(validation, pool);
}

/* Enough for a call that changes nothing. */
static qlm_error_t *look(validation_t *validation, apr_pool_t *pool)
{
    QLM_TRY(qlm_store_show_license(&validation->view, validation->call->store, validation->key,
                                   validation->request.computer_id, pool));
    return known(validation, pool);
}

/* The product whose key signs: the version the client named, else the license's own. */
static void choose_signer(validation_t *validation)
{
    qlm_call_t *call = validation->call;
    const qlm_license_t *license = validation->view ? &validation->view->license : NULL;

    call->signer = validation->requested;
    if (!call->signer && license) {
        call->signer =
            qlm_snapshot_product(call->site, license->product_id, license->major, license->minor);
    }
}

/* ---- activating -------------------------------------------------------------------------------
 */

/* Limits on top of seats; each is off by default. */
static qlm_error_t *check_trials(const validation_t *validation, qlm_store_t *store,
                                 apr_pool_t *pool)
{
    const qlm_properties_t *properties = validation->call->properties;
    const qlm_license_t *license = &validation->view->license;
    apr_int64_t limit = qlm_properties_int(properties, QLM_PROPERTY_TRIALS_PER_CLIENT);
    apr_int64_t count;

    if (limit < 0 || !qlm_model_is_trial(license->model) ||
        !qlm_properties_bool(properties, QLM_PROPERTY_ENFORCE_MAX_TRIALS)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_on_computer(
        &count, store, validation->request.computer_id,
        qlm_properties_bool(properties, QLM_PROPERTY_TRIALS_MATCH_ID_ONLY)
            ? NULL
            : validation->computer_name,
        license->id, 1, qlm_properties_bool(properties, QLM_PROPERTY_COUNT_REVOKED_TRIALS), pool));
    return count < limit ? NULL
                         : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_TOO_MANY_TRIALS,
                                          "this computer has used all the trial licenses it may "
                                          "have");
}

static qlm_error_t *check_system(const validation_t *validation, qlm_store_t *store,
                                 apr_pool_t *pool)
{
    const qlm_properties_t *properties = validation->call->properties;
    const qlm_license_t *license = &validation->view->license;
    apr_int64_t limit = qlm_properties_int(properties, QLM_PROPERTY_MAX_ACTIVATIONS_PER_SYSTEM);
    apr_int64_t count;

    if (limit < 0 || (qlm_properties_bool(properties, QLM_PROPERTY_MAX_PER_SYSTEM_ON_VM_ONLY) &&
                      license->computer_type != 2)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_on_computer(&count, store, validation->request.computer_id, NULL,
                                        license->id, 0, 1, pool));
    return count < limit ? NULL
                         : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_TOO_MANY_PER_SYSTEM,
                                          "too many licenses are active on this computer already");
}

static qlm_error_t *check_day(const validation_t *validation, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = validation->call;
    apr_int64_t limit = qlm_properties_int(call->properties, QLM_PROPERTY_MAX_ACTIVATIONS_PER_DAY);
    apr_int64_t count;

    if (limit <= 0) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_activations(&count, store, call->now - call->now % QLM_DATE_DAY, pool));
    return count < limit ? NULL
                         : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NO_MORE_ACTIVATIONS,
                                          "the server's limit maxActivationsPerDay is reached: try "
                                          "again tomorrow");
}

/* A duration that starts at the first activation becomes a date now. */
static apr_int64_t expiry_at_activation(const validation_t *validation)
{
    const qlm_properties_t *properties = validation->call->properties;
    const qlm_license_t *license = &validation->view->license;

    if (license->expires_at || license->duration_days <= 0 ||
        !qlm_properties_bool(properties, QLM_PROPERTY_DURATION_SETS_DATE_AT_ACTIVATION)) {
        return license->expires_at;
    }
    return qlm_date_add_days(validation->call->now, license->duration_days);
}

static void fill_activation(qlm_activation_t *activation, const validation_t *validation)
{
    const qlm_call_t *call = validation->call;
    const qlm_license_t *license = &validation->view->license;
    int has_version = validation->request.has_version;

    activation->license_id = license->id;
    activation->computer_id = validation->request.computer_id;
    activation->computer_name = validation->computer_name;
    activation->computer_key = qlm_license_computer_key(license, validation->request.computer_id,
                                                        call->secrets, call->pool);
    activation->major = has_version ? validation->request.major : license->major;
    activation->minor = has_version ? validation->request.minor : license->minor;
    activation->activated_at = activation->last_accessed_at = call->now;
    activation->activation_count = 1;
    activation->user_data = validation->log_user_data ? validation->log_user_data : "";
    activation->ip_address = qlm_properties_bool(call->properties, QLM_PROPERTY_CAPTURE_IP_ADDRESS)
                                 ? call->input->client_ip
                                 : "";
}

/* What an activating call stores besides the seat. */
static qlm_error_t *note(const validation_t *validation, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = validation->call;
    const qlm_license_t *license = &validation->view->license;
    qlm_stored_customer_t stored = {.customer.id = 0};
    qlm_customer_t customer;

    if (*validation->email && !license->customer_id &&
        qlm_properties_bool(call->properties, QLM_PROPERTY_AUTO_CREATE_CUSTOMER)) {
        qlm_customer_clear(&customer);
        customer.email = validation->email;
        QLM_TRY(qlm_customers_put(&stored, &customer, 0, store, call, pool));
    }
    if (!validation->user_data && !validation->affiliate_id && !stored.customer.id) {
        return NULL;
    }
    return qlm_store_note_activation(store, license->id, validation->user_data,
                                     validation->affiliate_id, stored.customer.id, pool);
}

/* An order in progress is completed by its first activation, and its maintenance plan starts then;
 * a license that was released is in use again. */
static qlm_error_t *complete_order(const validation_t *validation, qlm_store_t *store,
                                   apr_pool_t *pool)
{
    const qlm_call_t *call = validation->call;
    qlm_license_t after = validation->view->license;
    apr_int64_t days = qlm_properties_int(call->properties, QLM_PROPERTY_MAINTENANCE_DAYS);
    int is_in_progress = strcmp(after.order_status, QLM_ORDER_IN_PROGRESS) == 0;

    if (!is_in_progress && strcmp(after.order_status, QLM_ORDER_RELEASED) != 0) {
        return NULL;
    }
    after.order_status = QLM_ORDER_COMPLETED;
    if (is_in_progress && !after.maintenance_until && days > 0) {
        after.maintenance_until = qlm_date_add_days(call->now, days);
    }
    return qlm_store_set_order_status(store, &after, pool);
}

/* History and webhook of a new activation. */
static qlm_error_t *report_activated(const validation_t *validation, const qlm_license_t *before,
                                     qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = validation->call;
    const qlm_license_view_t *view = validation->view;
    const qlm_actor_t actor = qlm_call_actor(call);
    const qlm_history_t row = {.license_id = view->license.id,
                               .customer_id = view->license.customer_id,
                               .activation_key = view->license.activation_key,
                               .event = "activated",
                               .computer_id = view->activation.computer_id,
                               .changes = qlm_license_changes(before, &view->license, pool)};

    QLM_TRY(qlm_store_add_history(store, &row, &actor, pool));
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_ACTIVATED, &view->license, NULL,
                              &view->activation, store, call, pool);
}

/* Any other refusal with the code of a full license is that of maxActivationsPerDay. */
static qlm_error_t *take(validation_t *validation, const qlm_activation_t *activation,
                         qlm_store_t *store, apr_pool_t *pool)
{
    qlm_error_t *error = qlm_store_take_seat(&validation->taken, store, activation,
                                             validation->view->license.expires_at, pool);

    validation->is_full = error && error->code == QLM_CODE_NO_MORE_ACTIVATIONS;
    return error;
}

/* A computer that is not active takes a seat. Of a cloud license that may be one that nobody has
 * used for long. */
static qlm_error_t *take_seat(validation_t *validation, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = validation->call;
    const qlm_license_t before = validation->view->license;
    qlm_activation_t activation = {0};

    QLM_TRY(check_trials(validation, store, pool));
    QLM_TRY(check_system(validation, store, pool));
    QLM_TRY(check_day(validation, store, pool));
    QLM_TRY(qlm_reclaim_seat(&before, store, call, pool));
    validation->view->license.expires_at = expiry_at_activation(validation);
    fill_activation(&activation, validation);
    activation.id = qlm_store_new_id(store);
    QLM_TRY(take(validation, &activation, store, pool));
    if (!validation->taken) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the computer was activated at the same time");
    }
    QLM_TRY(complete_order(validation, store, pool));
    QLM_TRY(note(validation, store, pool));
    QLM_TRY(find(validation, store, call->pool));
    return report_activated(validation, &before, store, pool);
}

/* A license for one computer names the computer that has it, as QLM does. */
static qlm_error_t *explain_elsewhere(const validation_t *validation, const qlm_activation_t *other)
{
    const qlm_call_t *call = validation->call;
    const char *values[] = {
        qlm_keygen_for_log(validation->view->license.activation_key, call->pool),
        other->computer_name, qlm_date_format(other->activated_at, "yyyy-MM-dd HH:mm", call->pool),
        other->computer_id, NULL};

    return refuse(
        call, QLM_CODE_ACTIVATED_ELSEWHERE,
        qlm_message(call->properties, QLM_PROPERTY_TEXT_ACTIVATED_ELSEWHERE, values, call->pool));
}

/* No seat is free: the operator words the reason. */
static qlm_error_t *explain_no_seat(const validation_t *validation)
{
    static const char *const no_values[] = {NULL};
    const qlm_call_t *call = validation->call;
    const qlm_license_t *license = &validation->view->license;
    apr_array_header_t *activations;

    if (license->num_licenses == 1) {
        QLM_TRY(qlm_store_list_activations(&activations, call->store, license->id, call->pool));
        if (activations->nelts > 0) {
            return explain_elsewhere(validation, &APR_ARRAY_IDX(activations, 0, qlm_activation_t));
        }
    }
    return refuse(
        call, QLM_CODE_NO_MORE_ACTIVATIONS,
        qlm_message(call->properties, QLM_PROPERTY_TEXT_ALL_ACTIVATED, no_values, call->pool));
}

/* ---- activating again -------------------------------------------------------------------------
 */

/* A new version replaces the old one on a computer, unless several may be there together: then the
 * activation keeps the version it was made with. */
static int is_other_version(const qlm_activation_t *fresh, const qlm_activation_t *activation,
                            const qlm_call_t *call)
{
    return (fresh->major != activation->major || fresh->minor != activation->minor) &&
           !qlm_properties_bool(call->properties, QLM_PROPERTY_SEVERAL_VERSIONS);
}

static int is_other_name(const qlm_activation_t *fresh, const qlm_activation_t *activation,
                         const qlm_call_t *call)
{
    return *fresh->computer_name && strcmp(fresh->computer_name, activation->computer_name) != 0 &&
           qlm_properties_bool(call->properties, QLM_PROPERTY_UPDATE_COMPUTER_NAME);
}

/* What the same computer once more changes in its activation. @return 0 if nothing: a validation
 * that changes nothing writes nothing. Each start of an application with a cloud license counts,
 * so that its ends can be counted too. */
static int is_renewed(qlm_activation_t *activation, const validation_t *validation)
{
    const qlm_call_t *call = validation->call;
    const qlm_activation_t *was = &validation->view->activation;
    qlm_activation_t fresh = {0};

    *activation = *was;
    fill_activation(&fresh, validation);
    if (is_other_name(&fresh, was, call)) {
        activation->computer_name = fresh.computer_name;
    }
    if (is_other_version(&fresh, was, call)) {
        activation->major = fresh.major;
        activation->minor = fresh.minor;
    }
    activation->computer_key = fresh.computer_key;
    activation->last_accessed_at = call->now;
    return qlm_model_is_cloud(validation->view->license.model) ||
           activation->computer_name != was->computer_name || activation->major != was->major ||
           activation->minor != was->minor || strcmp(fresh.computer_key, was->computer_key) != 0;
}

/* The same computer once more: no seat; what changed is stored. */
static qlm_error_t *renew_seat(validation_t *validation, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_activation_t activation;

    if (!is_renewed(&activation, validation)) {
        return NULL;
    }
    QLM_TRY(qlm_store_refresh_activation(store, &activation, pool));
    activation.activation_count++;
    validation->view->activation = activation;
    return NULL;
}

/* Does this call make the computer active, or active again? One with a computer key only asks. */
static int is_activating(const validation_t *validation)
{
    return validation->request.activate && !*validation->request.computer_key &&
           !validation->view->license.is_generic;
}

/* The unit of work: judged again inside the transaction, because the license may have changed since
 * it was read. */
static qlm_error_t *settle(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    validation_t *validation = baton;
    qlm_call_t *call = validation->call;
    qlm_verdict_t verdict;

    validation->taken = validation->is_full = 0;
    QLM_TRY(find(validation, store, call->pool));
    QLM_TRY(qlm_license_judge(&verdict, &validation->view->license, &validation->view->activation,
                              &validation->request, validation->requested, call->properties, pool));
    return verdict == QLM_VERDICT_ACTIVATE ? take_seat(validation, store, pool)
           : is_activating(validation)     ? renew_seat(validation, store, pool)
                                           : NULL;
}

static qlm_error_t *activate(validation_t *validation)
{
    qlm_call_t *call = validation->call;
    qlm_error_t *error = qlm_store_write(call->store, settle, validation, call->pool);

    return error && validation->is_full ? explain_no_seat(validation) : error;
}

/* ---- the operations ---------------------------------------------------------------------------
 */

/* A generic key is bound to no computer: every computer gets an answer, nothing is stored. */
static void pretend_active(validation_t *validation)
{
    fill_activation(&validation->view->activation, validation);
    validation->view->activation.id = validation->view->license.id;
}

static qlm_error_t *act(validation_t *validation, qlm_verdict_t verdict, const char **outcome)
{
    qlm_activation_t renewed;

    *outcome = verdict == QLM_VERDICT_REPORT ? "reported" : "valid";
    if (verdict == QLM_VERDICT_REPORT ||
        (verdict == QLM_VERDICT_VALID &&
         !(is_activating(validation) && is_renewed(&renewed, validation)))) {
        return NULL;
    }
    if (validation->view->license.is_generic) {
        pretend_active(validation);
        return NULL;
    }
    QLM_TRY(activate(validation));
    if (validation->taken) {
        *outcome = "activated";
    }
    return NULL;
}

/* Is the license known, what may the computer do, and does it do it? */
static qlm_error_t *decide(const char **outcome, validation_t *validation)
{
    qlm_call_t *call = validation->call;
    qlm_verdict_t verdict;

    QLM_TRY(qlm_license_judge(&verdict, &validation->view->license, &validation->view->activation,
                              &validation->request, validation->requested, call->properties,
                              call->pool));
    if (!call->signer) {
        return refuse(call, QLM_CODE_PRODUCT_NOT_FOUND,
                      "the product of this license is not defined on the license server: tell the "
                      "publisher");
    }
    return act(validation, verdict, outcome);
}

/* What is not the answer's business: the time of the call, or that it was refused. */
static void note_call(const validation_t *validation, const qlm_error_t *refusal)
{
    qlm_call_t *call = validation->call;
    const qlm_license_view_t *view = validation->view;
    const qlm_attempted_t attempted = {view, &validation->request, validation->computer_name};

    if (!view || call->input->is_operator || view->license.is_generic) {
        return;
    }
    if (!refusal && view->activation.id && validation->request.activate) {
        qlm_accessed_note(call->accessed, &view->activation,
                          qlm_reclaim_granularity(&view->license, call->properties), call->now,
                          call->pool);
    }
    qlm_attempt_note(&attempted, refusal, call);
}

static qlm_error_t *validate(qlm_reply_t *reply, validation_t *validation)
{
    qlm_call_t *call = validation->call;
    qlm_document_t document = {0};
    const char *outcome = "";
    qlm_error_t *error;

    read_request(validation);
    choose_signer(validation);
    if (!validation->key) {
        reply->subject =
            qlm_keygen_for_log(qlm_arguments_text(call->arguments, QLM_ARGUMENT_KEY), call->pool);
        QLM_TRY(read_key(validation));
    }
    QLM_TRY(look(validation, call->pool));
    choose_signer(validation);
    error = decide(&outcome, validation);
    note_call(validation, error);
    QLM_TRY(error);
    document.license = &validation->view->license;
    document.activation = &validation->view->activation;
    document.customer = &validation->view->customer;
    document.product = call->signer;
    document.computer_id = validation->request.computer_id;
    document.product_properties =
        qlm_pp_write(validation->view->license.properties,
                     qlm_snapshot_pp_definitions(call->site, call->signer), call->now, call->pool);
    document.now = call->now;
    call->content = qlm_document_write(&document, call->pool);
    reply->outcome = outcome;
    return NULL;
}

qlm_error_t *qlm_operation_validate(qlm_reply_t *reply, qlm_call_t *call)
{
    validation_t validation = {.call = call};

    return validate(reply, &validation);
}

qlm_error_t *qlm_activation_run(qlm_reply_t *reply, qlm_call_t *call, const char *key)
{
    validation_t validation = {.call = call, .key = key};

    reply->subject = qlm_keygen_for_log(key, call->pool);
    return validate(reply, &validation);
}
