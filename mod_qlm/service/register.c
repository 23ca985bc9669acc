/* Register: a stranger gets a trial key by mail.
 *
 * Anybody may call, so anybody decides nothing but what is about himself: what the key is worth and
 * what the mail says stands in the publisher's own properties (is_args). The key goes to the
 * mailbox only; a known customer's data are not touched. */
#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"
#include "mail/message.h"
#include "mail/template.h"
#include "service/fulfil.h"
#include "service/notify.h"
#include "service/operations.h"
#include "service/reply.h"
#include "service/trialrules.h"
#include "store/codes.h"
#include "store/outbox.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define DAY       86400
#define SEATS_MAX 10000
#define STORED    (QLM_FROM_PROPERTY | QLM_FROM_DEFAULT)

/* What only the publisher decides. */
static const qlm_argument_t of_publisher[] = {
    QLM_ARGUMENT_MODEL,        QLM_ARGUMENT_DURATION,         QLM_ARGUMENT_EXPIRY,
    QLM_ARGUMENT_FEATURES,     QLM_ARGUMENT_QUANTITY,         QLM_ARGUMENT_PLAN,
    QLM_ARGUMENT_PLAN_DAYS,    QLM_ARGUMENT_AFFILIATE,        QLM_ARGUMENT_PROPERTIES,
    QLM_ARGUMENT_QLM_VERSION,  QLM_ARGUMENT_SEND_MAIL,        QLM_ARGUMENT_MAIL_TEMPLATE,
    QLM_ARGUMENT_MAIL_SUBJECT, QLM_ARGUMENT_MAIL_FROM,        QLM_ARGUMENT_MAIL_CC,
    QLM_ARGUMENT_MAIL_BCC,     QLM_ARGUMENT_FAILURE_TEMPLATE, QLM_ARGUMENT_CONFIRMATION,
    QLM_ARGUMENT_NONE,
};

/* A registration in progress. */
typedef struct registering_t {
    qlm_call_t *call;
    qlm_arguments_t *arguments; /* the publisher's and the applicant's */
    int sources;                /* of the publisher's */
    qlm_applicant_t applicant;
    qlm_order_t order;
    apr_array_header_t *lines; /* the one line */
    const char *notes;         /* of the call, before the unit */
    const char *ignored;       /* names that the request had no right to, for the log */
} registering_t;

/* ---- arguments --------------------------------------------------------------------------------
 */

/* The publisher's arguments come from stored ones, unless he lets requests decide. */
static qlm_error_t *read_publishers(registering_t *registering)
{
    qlm_call_t *call = registering->call;
    qlm_parameter_t parameters[sizeof(of_publisher) / sizeof(*of_publisher)] = {{0}};
    qlm_arguments_t *stored;
    const char *ignored = "";

    for (int i = 0; of_publisher[i] != QLM_ARGUMENT_NONE; i++) {
        parameters[i].argument = of_publisher[i];
        if (qlm_argument_raw(call->input->fields, of_publisher[i], QLM_FROM_URL | QLM_FROM_BODY)) {
            ignored = apr_pstrcat(call->pool, ignored, " ",
                                  qlm_argument_name(of_publisher[i], call->pool), NULL);
        }
    }
    if (registering->sources != STORED) {
        return NULL;
    }
    registering->ignored = *ignored ? ignored : NULL;
    QLM_TRY(qlm_arguments_read(&stored, parameters, call->input->fields, STORED, call->properties,
                               call->pool));
    for (int i = 0; of_publisher[i] != QLM_ARGUMENT_NONE; i++) {
        registering->arguments->value[of_publisher[i]] = stored->value[of_publisher[i]];
    }
    return NULL;
}

static void set_number(registering_t *registering, qlm_argument_t argument, apr_int64_t number)
{
    registering->arguments->value[argument].is_given = 1;
    registering->arguments->value[argument].number = number;
}

static void set_text(registering_t *registering, qlm_argument_t argument, const char *text)
{
    registering->arguments->value[argument].is_given = *text != '\0';
    registering->arguments->value[argument].text = text;
}

/* is_floating is a number of seats here. */
static qlm_error_t *read_seats(apr_int64_t *seats, const registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    const char *raw =
        qlm_argument_raw(call->input->fields, QLM_ARGUMENT_FLOATING, registering->sources);
    int is_floating = 0;

    *seats = 0;
    if (!raw || qlm_text_to_int64(seats, raw, 0, SEATS_MAX)) {
        return NULL;
    }
    if (!qlm_text_to_bool(&is_floating, raw)) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "is_floating=%s is not usable: a number of seats is expected",
                              qlm_text_for_log(raw, 40, call->pool));
    }
    *seats =
        is_floating ? qlm_arguments_number(registering->arguments, QLM_ARGUMENT_QUANTITY, 1) : 0;
    return NULL;
}

/* ---- what the trial is worth ------------------------------------------------------------------
 */

static void limit_days(registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    const qlm_arguments_t *arguments = registering->arguments;
    apr_int64_t usual = qlm_properties_int(call->properties, QLM_PROPERTY_TRIAL_DAYS);
    apr_int64_t most = qlm_properties_int(call->properties, QLM_PROPERTY_MAX_TRIAL_DAYS);
    apr_int64_t days = qlm_arguments_number(arguments, QLM_ARGUMENT_DURATION, 0);
    apr_int64_t date = qlm_arguments_number(arguments, QLM_ARGUMENT_EXPIRY, 0);

    if (!date && !days && usual > 0) {
        days = usual;
    }
    if (most > 0 && date > qlm_date_add_days(call->now, most)) {
        set_number(registering, QLM_ARGUMENT_EXPIRY, qlm_date_add_days(call->now, most));
    }
    if (most > 0 && (days > most || (!date && !days))) {
        days = most;
    }
    if (days) {
        set_number(registering, QLM_ARGUMENT_DURATION, days);
    }
}

static void limit_terms(registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    qlm_model_t model = (qlm_model_t)qlm_arguments_number(registering->arguments,
                                                          QLM_ARGUMENT_MODEL, QLM_MODEL_NONE);

    if (!qlm_model_is_trial(model) &&
        (model == QLM_MODEL_NONE ||
         qlm_properties_bool(call->properties, QLM_PROPERTY_FORCE_TRIAL))) {
        model = QLM_MODEL_TRIAL;
        set_number(registering, QLM_ARGUMENT_MODEL, model);
    }
    if (qlm_model_is_trial(model)) {
        limit_days(registering);
    }
}

/* ---- the applicant ----------------------------------------------------------------------------
 */

static const char *text(const registering_t *registering, qlm_argument_t argument)
{
    return qlm_arguments_text(registering->arguments, argument);
}

static void fill_customer(registering_t *registering)
{
    qlm_customer_t *customer = &registering->order.customer;

    customer->email = text(registering, QLM_ARGUMENT_EMAIL);
    customer->full_name = text(registering, QLM_ARGUMENT_FULL_NAME);
    customer->company = text(registering, QLM_ARGUMENT_COMPANY);
    customer->phone = text(registering, QLM_ARGUMENT_PHONE);
    customer->country = text(registering, QLM_ARGUMENT_COUNTRY);
    customer->address1 = text(registering, QLM_ARGUMENT_ADDRESS1);
    customer->address2 = text(registering, QLM_ARGUMENT_ADDRESS2);
    customer->city = text(registering, QLM_ARGUMENT_CITY);
    customer->state = text(registering, QLM_ARGUMENT_STATE);
    customer->zip = text(registering, QLM_ARGUMENT_ZIP);
    customer->include_in_mail_list =
        (int)qlm_arguments_number(registering->arguments, QLM_ARGUMENT_SUBSCRIBE, -1);
}

static qlm_error_t *fill_applicant(registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    const qlm_customer_t *customer = &registering->order.customer;
    qlm_applicant_t *applicant = &registering->applicant;
    qlm_registration_t *registration = &applicant->registration;
    const qlm_arguments_t *arguments = registering->arguments;

    if (!qlm_mail_is_address(customer->email)) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "is_email is not usable: one e-mail address is expected");
    }
    registration->email = customer->email;
    registration->domain = qlm_text_fold(strrchr(customer->email, '@') + 1, call->pool);
    registration->address = qlm_properties_bool(call->properties, QLM_PROPERTY_CAPTURE_IP_ADDRESS)
                                ? call->input->client_ip
                                : "";
    registration->product_id = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, 0);
    registration->major = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, 0);
    registration->minor = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, 0);
    registration->created_at = call->now;
    applicant->full_name = customer->full_name;
    applicant->company = customer->company;
    applicant->phone = customer->phone;
    applicant->country = customer->country;
    return NULL;
}

/* Copies of the mail: those named with the trial, and those of all registrations. */
static void add_copies(registering_t *registering, qlm_argument_t argument, qlm_property_t property)
{
    const qlm_call_t *call = registering->call;

    set_text(registering, argument,
             apr_pstrcat(call->pool, text(registering, argument), ";",
                         qlm_properties_text(call->properties, property), NULL));
}

static qlm_error_t *prepare(registering_t *registering)
{
    qlm_call_t *call = registering->call;
    qlm_order_t *order = &registering->order;
    qlm_fulfil_line_t *line;
    apr_int64_t seats;

    QLM_TRY(read_publishers(registering));
    QLM_TRY(read_seats(&seats, registering));
    if (seats) {
        set_number(registering, QLM_ARGUMENT_FLOATING, 1);
    }
    limit_terms(registering);
    if (!*text(registering, QLM_ARGUMENT_MAIL_TEMPLATE)) {
        set_text(registering, QLM_ARGUMENT_MAIL_TEMPLATE, "Customer.TrialRequest");
    }
    add_copies(registering, QLM_ARGUMENT_MAIL_CC, QLM_PROPERTY_REGISTRATION_CC);
    add_copies(registering, QLM_ARGUMENT_MAIL_BCC, QLM_PROPERTY_REGISTRATION_BCC);
    order->vendor = QLM_REGISTRATION_VENDOR;
    order->order_ref =
        apr_psprintf(call->pool, "R%" APR_INT64_T_FMT, qlm_store_new_id(call->store));
    order->line_ref = "1";
    order->shop_product = order->subscription_ref = order->user_data = order->comment = "";
    order->quantity = (int)qlm_arguments_number(registering->arguments, QLM_ARGUMENT_QUANTITY, 1);
    fill_customer(registering);
    QLM_TRY(fill_applicant(registering));
    registering->lines = apr_array_make(call->pool, 1, sizeof(qlm_fulfil_line_t));
    line = apr_array_push(registering->lines);
    line->order = order;
    line->arguments = registering->arguments;
    QLM_TRY(qlm_fulfil_prepare(line, call));
    if (seats) {
        line->share.floating_seats = (int)seats;
    }
    return NULL;
}

/* ---- the unit of work -------------------------------------------------------------------------
 */

static const char *new_key(const registering_t *registering)
{
    const qlm_fulfil_line_t *line = &APR_ARRAY_IDX(registering->lines, 0, qlm_fulfil_line_t);

    return APR_ARRAY_IDX(line->keys, 0, const char *);
}

/* Of several that come at the same time with the same e-mail one makes the customer; the others are
 * then judged one after the other, with the earlier ones before their eyes. */
static qlm_error_t *enter(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    registering_t *registering = baton;
    qlm_call_t *call = registering->call;
    qlm_registration_t registration = registering->applicant.registration;
    const qlm_customer_t *known;
    apr_array_header_t *earlier;
    qlm_license_view_t *view;

    call->notes = registering->notes;
    QLM_TRY(qlm_store_find_customer_by_email(&known, store, registration.email, call->pool));
    if (known) {
        QLM_TRY(qlm_store_hold_customer(store, known->id, pool));
    }
    QLM_TRY(qlm_store_list_registrations(&earlier, store, registration.email, pool));
    QLM_TRY(
        qlm_trialrules_check_earlier(&registering->applicant, earlier, known, store, call, pool));
    if (known) { /* who registers has not proved to be that customer */
        registering->order.customer = *known;
    }
    QLM_TRY(qlm_fulfil_in_unit(registering->lines, store, call, pool));
    QLM_TRY(qlm_store_find_license(&view, store, new_key(registering), "", pool));
    registration.license_id = view ? view->license.id : 0;
    return qlm_store_add_registration(store, &registration, earlier->nelts, pool);
}

/* ---- answering --------------------------------------------------------------------------------
 */

static void put(apr_hash_t *variables, const char *name, const char *value)
{
    apr_hash_set(variables, name, APR_HASH_KEY_STRING, value);
}

static apr_hash_t *variables_of(const registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    const qlm_registration_t *registration = &registering->applicant.registration;
    const qlm_product_t *product = qlm_snapshot_product(call->site, registration->product_id,
                                                        registration->major, registration->minor);
    apr_hash_t *variables = apr_hash_make(call->pool);

    put(variables, "fullname", text(registering, QLM_ARGUMENT_FULL_NAME));
    put(variables, "email", registration->email);
    put(variables, "emailfrom", qlm_properties_text(call->properties, QLM_PROPERTY_SMTP_FROM));
    put(variables, "productname", product ? product->name : "");
    put(variables, "majorversion", apr_itoa(call->pool, registration->major));
    put(variables, "minorversion", apr_itoa(call->pool, registration->minor));
    return variables;
}

static int says_error(const char *message)
{
    for (; *message; message++) {
        if (strncasecmp(message, "error", 5) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The publisher's message, unless what was filled in makes it look like a failure. */
static const char *confirmation(const registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    int is_mailed = (int)qlm_arguments_number(registering->arguments, QLM_ARGUMENT_SEND_MAIL, 1);
    const char *message = text(registering, QLM_ARGUMENT_CONFIRMATION);
    const qlm_template_t form = {"", "", "", "", message};
    apr_array_header_t *items = apr_array_make(call->pool, 1, sizeof(apr_hash_t *));
    apr_hash_t *variables = variables_of(registering);
    qlm_rendered_t rendered;

    put(variables, "activationkey", qlm_call_shown_key(new_key(registering), call));
    APR_ARRAY_PUSH(items, apr_hash_t *) = variables;
    if (*message) {
        qlm_template_render(&rendered, &form, variables, items, call->pool);
        if (!says_error(rendered.text)) {
            return rendered.text;
        }
    }
    return is_mailed ? "Thank you for registering. The activation key is on its way to your e-mail "
                       "address."
                     : "Thank you for registering.";
}

/* The publisher's own page, with what is to be said in place of %QlmResponse%. */
static int answer_page(qlm_reply_t *reply, const char *message, const qlm_call_t *call)
{
    static const char mark[] = "%QlmResponse%";
    const char *page = qlm_properties_text(call->properties, QLM_PROPERTY_REGISTRATION_RESPONSE);
    qlm_buffer_t *buffer;
    const char *at;

    if (!*page) {
        return 0;
    }
    buffer = qlm_buffer_create(strlen(page) + 256, call->pool);
    while ((at = strstr(page, mark)) != NULL) {
        qlm_buffer_add_bytes(buffer, page, (apr_size_t)(at - page));
        qlm_buffer_add_attribute(buffer, message);
        page = at + sizeof(mark) - 1;
    }
    qlm_buffer_add(buffer, page);
    qlm_reply_set(reply, QLM_TYPE_HTML, buffer->text);
    return 1;
}

static void answer(qlm_reply_t *reply, const registering_t *registering)
{
    const qlm_call_t *call = registering->call;
    const char *message = confirmation(registering);

    if (!answer_page(reply, message, call)) {
        qlm_reply_result(reply, message, NULL, NULL, call->pool);
    }
    reply->outcome = "registered";
    reply->subject = apr_pstrcat(call->pool, qlm_keygen_for_log(new_key(registering), call->pool),
                                 registering->ignored ? "; not taken from the request:" : "",
                                 registering->ignored, NULL);
}

/* ---- refusing ---------------------------------------------------------------------------------
 */

typedef struct refusing_t {
    const registering_t *registering;
    const char *reason;
} refusing_t;

/* Only to customers that are known, and once a day: this method mails nobody else for strangers. */
static qlm_error_t *mail_refusal(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const refusing_t *refusing = baton;
    const registering_t *registering = refusing->registering;
    qlm_call_t *call = registering->call;
    const qlm_customer_t *known;
    const char *name, *mailed;
    const qlm_notice_t notice = {text(registering, QLM_ARGUMENT_FAILURE_TEMPLATE),
                                 text(registering, QLM_ARGUMENT_LOCALE),
                                 registering->applicant.registration.email,
                                 variables_of(registering),
                                 "refused registration",
                                 0};

    QLM_TRY(qlm_store_find_customer_by_email(&known, store, notice.to, pool));
    if (!known) {
        return NULL;
    }
    name = apr_psprintf(pool, "refused registration/%" APR_INT64_T_FMT, known->id);
    QLM_TRY(qlm_store_recall(&mailed, store, name, call->now, pool));
    if (mailed) {
        return NULL;
    }
    put(notice.variables, "fullname", known->full_name);
    put(notice.variables, "errormessage", refusing->reason);
    QLM_TRY(qlm_store_forget_expired(store, call->now, pool));
    QLM_TRY(qlm_store_remember(store, name, "1", call->now + DAY, pool));
    return qlm_notify_mail(&notice, store, call, pool);
}

static qlm_error_t *answer_refusal(qlm_reply_t *reply, const registering_t *registering,
                                   qlm_error_t *error)
{
    const qlm_call_t *call = registering->call;
    refusing_t refusing = {registering, error->text};

    if (error->kind != QLM_ERROR_REFUSED && error->kind != QLM_ERROR_ARGUMENT) {
        return error;
    }
    if (*text(registering, QLM_ARGUMENT_FAILURE_TEMPLATE) && error->kind == QLM_ERROR_REFUSED) {
        QLM_TRY(qlm_store_write(call->store, mail_refusal, &refusing, call->pool));
    }
    if (!answer_page(reply, apr_pstrcat(call->pool, "Error: ", error->text, NULL), call)) {
        return error;
    }
    reply->error = error;
    reply->outcome = "refused";
    return NULL;
}

/* ---- the operation ----------------------------------------------------------------------------
 */

static qlm_error_t *run(registering_t *registering)
{
    qlm_call_t *call = registering->call;

    QLM_TRY(prepare(registering));
    QLM_TRY(qlm_trialrules_check(&registering->applicant, call));
    registering->notes = call->notes;
    return qlm_store_write(call->store, enter, registering, call->pool);
}

qlm_error_t *qlm_operation_register(qlm_reply_t *reply, qlm_call_t *call)
{
    registering_t registering = {.call = call};
    qlm_error_t *error;

    registering.arguments =
        apr_pmemdup(call->pool, call->arguments, sizeof(*registering.arguments));
    registering.sources = qlm_properties_bool(call->properties, QLM_PROPERTY_REGISTRATION_TRUSTS)
                              ? QLM_FROM_ANY
                              : STORED;
    error = run(&registering);
    if (error) {
        return answer_refusal(reply, &registering, error);
    }
    answer(reply, &registering);
    return NULL;
}
