/* key explain: what the server would answer, and why, in words.
 *
 * What the server says to a mere question is asked of the service itself. What it would say to an
 * activation cannot be asked without taking the seat; so the library's judge is heard with the
 * records as they are, and seats and limits are read beside it. */
#include "base/date.h"
#include "base/text.h"
#include "qlmctl/ask.h"
#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/records.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

#define SHOWN_COMPUTERS 20

typedef struct explanation_t {
    qlm_tool_t *tool;
    const char *typed, *computer_id; /* "" = any computer that is not active yet */
    qlm_key_shape_t shape;
    qlm_license_view_t *view; /* NULL: not known */
    qlm_properties_t *properties;
    json_t *facts;
    json_t *report, *activation; /* answers: code and text */
} explanation_t;

static void say(explanation_t *explanation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(explanation_t *explanation, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    qlm_output_append_text(explanation->facts,
                           apr_pvsprintf(explanation->tool->pool, format, arguments));
    va_end(arguments);
}

static json_t *answer(const explanation_t *explanation, int code, const char *text)
{
    json_t *object = qlm_output_object(explanation->tool->pool);

    qlm_output_put_int(object, "code", code);
    qlm_output_put(object, "text", text);
    return object;
}

static const char *moment(const explanation_t *explanation, apr_int64_t seconds)
{
    return apr_pstrcat(explanation->tool->pool,
                       qlm_date_format(seconds > QLM_DATE_MAX ? QLM_DATE_MAX : seconds,
                                       "yyyy-MM-dd HH:mm", explanation->tool->pool),
                       " UTC", NULL);
}

/* ---- the records in words ---------------------------------------------------------------------
 */

static void say_shape(explanation_t *explanation)
{
    switch (explanation->shape) {
    case QLM_KEY_OURS:
        say(explanation, "The key is of this site's making: its check digits are right.");
        break;
    case QLM_KEY_MISTYPED:
        say(explanation,
            "The key looks like one of this site, but its check digits are wrong: it is "
            "mistyped, invented, or made with another secret.");
        break;
    case QLM_KEY_FOREIGN:
        say(explanation,
            "The key is not of this site's making; only if it was imported is it known.");
        break;
    case QLM_KEY_UNREADABLE:
    default:
        say(explanation,
            "This cannot be a key: it is empty, too long, or has characters no key has.");
        break;
    }
}

static void say_license(explanation_t *explanation)
{
    const qlm_license_t *license = &explanation->view->license;
    apr_pool_t *pool = explanation->tool->pool;

    say(explanation, "It is for product %d version %d.%d, model %s%s%s.", license->product_id,
        license->major, license->minor, qlm_model_name(license->model),
        license->is_generic ? ", generic (bound to no computer)" : "",
        license->is_test ? ", from a test order" : "");
    if (*license->vendor) {
        say(explanation, "It was made on %s for order %s of vendor %s.",
            moment(explanation, license->created_at),
            *license->order_ref ? qlm_text_for_log(license->order_ref, 60, pool) : "without number",
            license->vendor);
    }
    if (license->is_disabled) {
        say(explanation, "It is revoked; `qlmctl key revoke --undo` would lift that.");
    }
}

static void say_dates(explanation_t *explanation)
{
    const qlm_license_t *license = &explanation->view->license;
    apr_int64_t now = explanation->tool->now;

    if (license->expires_at) {
        say(explanation, license->expires_at < now ? "It expired at %s." : "It expires at %s.",
            moment(explanation, license->expires_at));
    }
    else if (license->duration_days > 0) {
        say(explanation, "It has no expiry date yet; it was sold for %d days.",
            license->duration_days);
    }
    else {
        say(explanation, "It never expires.");
    }
    if (license->maintenance_until) {
        say(explanation,
            license->maintenance_until < now ? "Its maintenance plan ended at %s."
                                             : "Its maintenance plan runs until %s.",
            moment(explanation, license->maintenance_until));
    }
}

static qlm_error_t *say_seats(explanation_t *explanation)
{
    const qlm_license_t *license = &explanation->view->license;
    apr_pool_t *pool = explanation->tool->pool;
    apr_array_header_t *activations;

    QLM_TRY(qlm_store_list_activations(&activations, explanation->tool->store, license->id, pool));
    say(explanation, "%d of its %d activation%s free.", license->available_licenses,
        license->num_licenses, license->num_licenses == 1 ? " is" : "s are");
    for (int i = 0; i < activations->nelts && i < SHOWN_COMPUTERS; i++) {
        const qlm_activation_t *a = &APR_ARRAY_IDX(activations, i, qlm_activation_t);

        say(explanation, "It is active on computer %s%s%s%s since %s.", a->computer_id,
            *a->computer_name ? " (" : "", a->computer_name, *a->computer_name ? ")" : "",
            moment(explanation, a->activated_at));
    }
    if (activations->nelts > SHOWN_COMPUTERS) {
        say(explanation, "And on %d more; see qlmctl key show.",
            activations->nelts - SHOWN_COMPUTERS);
    }
    if (*explanation->computer_id) {
        say(explanation, "On computer %s it is %s.", explanation->computer_id,
            explanation->view->activation.id ? "active" : "not active");
    }
    return NULL;
}

/* ---- what the server answers ------------------------------------------------------------------
 */

/* To a question that changes nothing: is_activate=false. */
static qlm_error_t *ask_report(explanation_t *explanation)
{
    qlm_fields_t *fields = qlm_fields_create(explanation->tool->pool);
    qlm_reply_t *reply;

    QLM_TRY(qlm_fields_add(fields, "is_avkey", explanation->typed, QLM_FROM_URL));
    QLM_TRY(qlm_fields_add(fields, "is_pcid", explanation->computer_id, QLM_FROM_URL));
    QLM_TRY(qlm_fields_add(fields, "is_activate", "false", QLM_FROM_URL));
    QLM_TRY(qlm_fields_add(fields, "is_sign", "false", QLM_FROM_URL));
    QLM_TRY(qlm_ask(&reply, explanation->tool, "ValidateLicenseHttp", fields));
    if (reply->error && reply->error->kind == QLM_ERROR_STORE) {
        return qlm_error_copy(reply->error, explanation->tool->pool);
    }
    if (reply->error) {
        explanation->report = answer(explanation, (int)reply->error->code, reply->error->text);
    }
    else if (strcmp(reply->outcome, "reported") == 0) {
        explanation->report =
            answer(explanation, 0,
                   "a document that says: not active on this computer yet, needs activation");
    }
    else {
        explanation->report =
            answer(explanation, 0, "a document that says: valid and active on this computer");
    }
    return NULL;
}

/* One limit of the site: a property that is a number, and how far it is used up. */
static int is_reached(explanation_t *explanation, qlm_property_t property, apr_int64_t used)
{
    apr_int64_t limit = qlm_properties_int(explanation->properties, property);

    say(explanation, "The property %s is %" APR_INT64_T_FMT "; used up are %" APR_INT64_T_FMT ".",
        qlm_property_row(property)->name, limit, used);
    return used >= limit;
}

static int has_limit(const explanation_t *explanation, qlm_property_t property, apr_int64_t least)
{
    return qlm_properties_int(explanation->properties, property) >= least;
}

static qlm_error_t *judge_trials(explanation_t *explanation)
{
    const qlm_properties_t *properties = explanation->properties;
    apr_int64_t count;

    if (!qlm_model_is_trial(explanation->view->license.model) ||
        !qlm_properties_bool(properties, QLM_PROPERTY_ENFORCE_MAX_TRIALS) ||
        !has_limit(explanation, QLM_PROPERTY_TRIALS_PER_CLIENT, 0)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_on_computer(
        &count, explanation->tool->store, explanation->computer_id, NULL,
        explanation->view->license.id, 1,
        qlm_properties_bool(properties, QLM_PROPERTY_COUNT_REVOKED_TRIALS),
        explanation->tool->pool));
    if (is_reached(explanation, QLM_PROPERTY_TRIALS_PER_CLIENT, count)) {
        explanation->activation =
            answer(explanation, QLM_CODE_TOO_MANY_TRIALS,
                   qlm_properties_bool(properties, QLM_PROPERTY_TRIALS_MATCH_ID_ONLY)
                       ? "this computer has used all the trial licenses it may have"
                       : "this computer has used all the trial licenses it may have, unless it "
                         "goes by another name now");
    }
    return NULL;
}

static qlm_error_t *judge_system(explanation_t *explanation)
{
    const qlm_license_t *license = &explanation->view->license;
    apr_int64_t count;

    if (!has_limit(explanation, QLM_PROPERTY_MAX_ACTIVATIONS_PER_SYSTEM, 0) ||
        (qlm_properties_bool(explanation->properties, QLM_PROPERTY_MAX_PER_SYSTEM_ON_VM_ONLY) &&
         license->computer_type != 2)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_on_computer(&count, explanation->tool->store, explanation->computer_id,
                                        NULL, license->id, 0, 1, explanation->tool->pool));
    if (is_reached(explanation, QLM_PROPERTY_MAX_ACTIVATIONS_PER_SYSTEM, count)) {
        explanation->activation = answer(explanation, QLM_CODE_TOO_MANY_PER_SYSTEM,
                                         "too many licenses are active on this computer already");
    }
    return NULL;
}

static qlm_error_t *judge_day(explanation_t *explanation)
{
    qlm_tool_t *tool = explanation->tool;
    apr_int64_t count;

    if (!has_limit(explanation, QLM_PROPERTY_MAX_ACTIVATIONS_PER_DAY, 1)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_activations(&count, tool->store, tool->now - tool->now % QLM_DATE_DAY,
                                        tool->pool));
    if (is_reached(explanation, QLM_PROPERTY_MAX_ACTIVATIONS_PER_DAY, count)) {
        explanation->activation = answer(explanation, QLM_CODE_NO_MORE_ACTIVATIONS,
                                         "the site's activations of today are used up");
    }
    return NULL;
}

static void judge_seats(explanation_t *explanation)
{
    const qlm_license_t *license = &explanation->view->license;
    apr_pool_t *pool = explanation->tool->pool;

    if (license->is_generic) {
        explanation->activation = answer(explanation, 0,
                                         "the key is generic: valid on every computer, no seat "
                                         "is taken");
    }
    else if (license->available_licenses > 0) {
        explanation->activation =
            answer(explanation, 0,
                   apr_psprintf(pool, "activated; %d of %d activations would be left",
                                license->available_licenses - 1, license->num_licenses));
    }
    else if (license->num_licenses == 1) {
        explanation->activation = answer(explanation, QLM_CODE_ACTIVATED_ELSEWHERE,
                                         "the license is active on another computer");
    }
    else {
        explanation->activation =
            answer(explanation, QLM_CODE_NO_MORE_ACTIVATIONS, "no activation is free");
    }
}

/* In the order in which the server looks: rules, limits, seats. */
static qlm_error_t *judge_activation(explanation_t *explanation)
{
    static const char nobody[] = "(a new computer)";
    const qlm_license_view_t *view = explanation->view;
    qlm_request_t request = {0};
    qlm_verdict_t verdict;
    qlm_error_t *error;

    request.computer_id = *explanation->computer_id ? explanation->computer_id : nobody;
    request.computer_key = "";
    request.activate = 1;
    request.now = explanation->tool->now;
    error = qlm_license_judge(&verdict, &view->license, &view->activation, &request, NULL,
                              explanation->properties, explanation->tool->pool);
    if (error) {
        explanation->activation = answer(explanation, (int)error->code, error->text);
        return NULL;
    }
    if (verdict == QLM_VERDICT_VALID) {
        explanation->activation =
            answer(explanation, 0, "valid: active there already, no seat is taken");
        return NULL;
    }
    if (!view->license.is_generic) {
        QLM_TRY(judge_trials(explanation));
        QLM_TRY(explanation->activation ? NULL : judge_system(explanation));
        QLM_TRY(explanation->activation ? NULL : judge_day(explanation));
    }
    if (!explanation->activation) {
        judge_seats(explanation);
    }
    return NULL;
}

static qlm_error_t *read_properties(explanation_t *explanation)
{
    apr_array_header_t *values;

    explanation->properties = qlm_properties_create(explanation->tool->pool);
    QLM_TRY(qlm_store_list_properties(&values, explanation->tool->store, explanation->tool->pool));
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *value = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        qlm_properties_put(explanation->properties, value->name, value->value);
    }
    return NULL;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static void say_answer(const explanation_t *explanation, const char *question, const json_t *given)
{
    int code = (int)json_integer_value(json_object_get(given, "code"));
    const char *text = json_string_value(json_object_get(given, "text"));

    if (code) {
        qlm_output_say(explanation->tool, "%s: refused, code %d: %s", question, code, text);
    }
    else {
        qlm_output_say(explanation->tool, "%s: %s", question, text);
    }
}

static void print_words(const explanation_t *explanation)
{
    for (size_t i = 0; i < json_array_size(explanation->facts); i++) {
        qlm_output_say(explanation->tool, "%s",
                       json_string_value(json_array_get(explanation->facts, i)));
    }
    qlm_output_say(explanation->tool, "%s", "");
    say_answer(explanation, "Asked now without activating, the server would answer",
               explanation->report);
    if (explanation->activation) {
        say_answer(explanation,
                   *explanation->computer_id ? "If this computer activated now"
                                             : "If a new computer activated now",
                   explanation->activation);
    }
}

static json_t *as_json(explanation_t *explanation)
{
    apr_pool_t *pool = explanation->tool->pool;
    json_t *record = qlm_output_object(pool);
    qlm_license_view_t *view = explanation->view;

    qlm_output_put_bool(record, "is_known", view != NULL);
    qlm_output_put(record, "computer_id",
                   *explanation->computer_id ? explanation->computer_id : NULL);
    qlm_output_put_value(record, "license", view ? qlm_record_license(&view->license, pool) : NULL);
    qlm_output_put_value(record, "facts", explanation->facts);
    qlm_output_put_value(record, "report", explanation->report);
    qlm_output_put_value(record, "activation", explanation->activation);
    return record;
}

static qlm_error_t *explain(explanation_t *explanation)
{
    QLM_TRY(qlm_keys_find(&explanation->view, &explanation->shape, explanation->tool,
                          explanation->typed, explanation->computer_id));
    say_shape(explanation);
    QLM_TRY(read_properties(explanation));
    QLM_TRY(ask_report(explanation));
    if (!explanation->view) {
        say(explanation, "No license in the database carries it.");
        return NULL;
    }
    say_license(explanation);
    say_dates(explanation);
    QLM_TRY(say_seats(explanation));
    return judge_activation(explanation);
}

qlm_error_t *qlm_command_key_explain(qlm_tool_t *tool)
{
    explanation_t explanation = {0};
    const char *computer_id = qlm_tool_option(tool, "computer");

    explanation.tool = tool;
    explanation.typed = qlm_tool_word(tool, 0);
    explanation.computer_id = computer_id ? computer_id : "";
    if (computer_id) {
        QLM_TRY(qlm_license_check_computer_id(computer_id, tool->pool));
    }
    explanation.facts = qlm_output_array(tool->pool);
    QLM_TRY(explain(&explanation));
    if (tool->is_json) {
        qlm_output_record(tool, as_json(&explanation));
    }
    else {
        print_words(&explanation);
    }
    return NULL;
}
