/* QlmWebHookHandler: a shop's webhook. A delivery that is one order (ShareIt, Cleverbridge) goes
 * the way of GetActivationKey with the arguments mapped to the shop's product; a delivery of
 * several orders (Salesforce) is read by its translator, which is lent what it needs. No database
 * connection is held while a shop is asked. */
#include "vendor/webhook.h"
#include "base/text.h"
#include "service/fulfil.h"
#include "service/operations.h"
#include "service/reply.h"
#include "store/outbox.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <apr_uri.h>
#include <string.h>

#define BUDGET apr_time_from_sec(45) /* a shop gives up after 60 s */

/* ---- arguments of a line ----------------------------------------------------------------------
 */

/* The URL's arguments, then those mapped to the product, then the site's defaults. */
static qlm_error_t *read_arguments(const qlm_arguments_t **arguments, const char *mapped,
                                   const qlm_call_t *call)
{
    const apr_array_header_t *given = call->input->fields->list;
    qlm_fields_t *fields = qlm_fields_create(call->pool);
    const char *defaults = qlm_properties_text(call->properties, QLM_PROPERTY_DEFAULT_URL_ARGS);
    qlm_arguments_t *made;

    for (int i = 0; i < given->nelts; i++) {
        const qlm_field_t *field = &APR_ARRAY_IDX(given, i, qlm_field_t);

        if (field->source == QLM_FROM_URL) {
            QLM_TRY(qlm_fields_add(fields, field->name, field->value, field->source));
        }
    }
    QLM_TRY(qlm_fields_parse(fields, mapped, strlen(mapped), QLM_FROM_PROPERTY));
    QLM_TRY(qlm_fields_parse(fields, defaults, strlen(defaults), QLM_FROM_DEFAULT));
    QLM_TRY(qlm_arguments_read(&made, call->method->parameters, fields,
                               QLM_FROM_URL | QLM_FROM_PROPERTY | QLM_FROM_DEFAULT,
                               call->properties, call->pool));
    *arguments = made;
    return NULL;
}

/* ---- a delivery of several orders -------------------------------------------------------------
 */

static qlm_error_t *deliver(int *done, void *baton, const apr_array_header_t *given,
                            apr_pool_t *pool)
{
    qlm_call_t *call = baton;
    apr_array_header_t *lines = apr_array_make(call->pool, given->nelts, sizeof(qlm_fulfil_line_t));
    qlm_error_t *error = NULL;

    *done = 0;
    for (int i = 0; i < given->nelts; i++) {
        const qlm_line_t *one = &APR_ARRAY_IDX(given, i, qlm_line_t);
        qlm_fulfil_line_t line = {0};

        line.order = &one->order;
        error = read_arguments(&line.arguments, one->arguments, call);
        error = error ? error : qlm_fulfil_prepare(&line, call);
        if (error) { /* the mapping is wrong: the other lines go on, and a repeat would not help */
            qlm_call_note(call, apr_psprintf(pool, "line %s: %s",
                                             qlm_text_for_log(one->order.line_ref, 60, pool),
                                             error->text));
            continue;
        }
        APR_ARRAY_PUSH(lines, qlm_fulfil_line_t) = line;
    }
    if (lines->nelts == 0) {
        return NULL;
    }
    QLM_TRY(qlm_call_borrow(call));
    error = qlm_fulfil_order(lines, call);
    if (error && error->kind == QLM_ERROR_REFUSED) {
        /* A limit of this site: a paid order waits until the operator has raised it. */
        error = qlm_error_store(pool, "%s", error->text);
        qlm_call_note(call, error->detail);
    }
    for (int i = 0; i < lines->nelts && !error; i++) {
        qlm_fulfil_line_t *line = &APR_ARRAY_IDX(lines, i, qlm_fulfil_line_t);
        const char *oddity = NULL;
        int is_known;

        *done += line->is_new;
        if (!line->is_new) {
            error = qlm_fulfil_find(&is_known, &oddity, line, call);
        }
        if (oddity) {
            qlm_call_note(call, oddity);
        }
    }
    qlm_call_return(call);
    return error;
}

static const char *memo_identity(const qlm_call_t *call, const char *name, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "memo/", call->vendor->name, "/", name, NULL);
}

static qlm_error_t *recall(const char **value, void *baton, const char *name, apr_pool_t *pool)
{
    qlm_call_t *call = baton;
    const char *identity = memo_identity(call, name, pool);
    const char *sealed = NULL;
    qlm_error_t *error;

    *value = NULL;
    QLM_TRY(qlm_call_borrow(call));
    error = qlm_store_recall(&sealed, call->store, identity, call->now, pool);
    qlm_call_return(call);
    if (!error && sealed && qlm_secrets_open(value, call->secrets, identity, sealed, pool)) {
        *value = NULL; /* sealed with a secret that is gone: as if it were not there */
    }
    return error;
}

typedef struct memo_t {
    const char *name, *value;
    apr_int64_t expires_at, now;
} memo_t;

static qlm_error_t *remember_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const memo_t *memo = baton;

    QLM_TRY(qlm_store_forget_expired(store, memo->now, pool));
    return qlm_store_remember(store, memo->name, memo->value, memo->expires_at, pool);
}

static qlm_error_t *remember(void *baton, const char *name, const char *value,
                             apr_int64_t expires_at, apr_pool_t *pool)
{
    qlm_call_t *call = baton;
    memo_t memo = {memo_identity(call, name, pool), NULL, expires_at, call->now};
    qlm_error_t *error;

    if (value) {
        QLM_TRY(qlm_secrets_seal(&memo.value, call->secrets, memo.name, value, pool));
    }
    QLM_TRY(qlm_call_borrow(call));
    error = qlm_store_write(call->store, remember_unit, &memo, pool);
    qlm_call_return(call);
    return error;
}

static apr_time_t present(void *baton)
{
    (void)baton;
    return apr_time_now();
}

static void note(void *baton, const char *text)
{
    qlm_call_note(baton, text);
}

/* The vendor's record with its secrets opened. */
static qlm_error_t *open_credentials(qlm_credentials_t *credentials, const qlm_call_t *call)
{
    const qlm_vendor_record_t *record = qlm_snapshot_vendor(call->site, call->vendor->name);
    const char *owner = apr_pstrcat(call->pool, "vendor/", call->vendor->name, NULL);

    credentials->user = record->user;
    credentials->url = record->url;
    QLM_TRY(qlm_secrets_open(&credentials->password, call->secrets,
                             apr_pstrcat(call->pool, owner, "/password", NULL),
                             record->password_sealed, call->pool));
    QLM_TRY(qlm_secrets_open(&credentials->api_key, call->secrets,
                             apr_pstrcat(call->pool, owner, "/api_key", NULL),
                             record->api_key_sealed, call->pool));
    return qlm_secrets_open(&credentials->shared_key, call->secrets,
                            apr_pstrcat(call->pool, owner, "/shared_key", NULL),
                            record->shared_key_sealed, call->pool);
}

/* ---- which hosts a translator may reach -------------------------------------------------------
 */

typedef struct gate_t {
    const qlm_fetcher_t *fetcher;
    const qlm_vendor_t *vendor;
    const char *configured; /* host of the vendor's record; "" = none */
} gate_t;

static const char *host_of(const char *url, apr_pool_t *pool)
{
    apr_uri_t parts;

    return apr_uri_parse(pool, url, &parts) == APR_SUCCESS && parts.hostname ? parts.hostname : "";
}

static int ends_with(const char *text, const char *ending)
{
    apr_size_t length = strlen(text), wanted = strlen(ending);

    return length > wanted && strcasecmp(text + length - wanted, ending) == 0;
}

/* The host in the vendor's record, and the domains the shop itself serves from. */
static qlm_error_t *fetch_at_gate(qlm_fetch_response_t **response, void *baton,
                                  const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    const gate_t *gate = baton;
    const char *host = host_of(request->url, pool);
    int is_allowed = *gate->configured && strcasecmp(host, gate->configured) == 0;

    for (const char *const *domain = gate->vendor->domains; domain && *domain; domain++) {
        is_allowed = is_allowed || ends_with(host, *domain);
    }
    if (!is_allowed) {
        return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_BLOCKED,
                              "the host %s is none of %s's: it is not asked",
                              qlm_text_for_log(host, 80, pool), gate->vendor->title);
    }
    return gate->fetcher->fetch(response, gate->fetcher->baton, request, pool);
}

static qlm_error_t *receive_many(qlm_reply_t *reply, qlm_call_t *call)
{
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_credentials_t credentials = {0};
    qlm_webhook_t webhook = {0};
    gate_t gate = {call->input->fetcher, call->vendor, ""};
    qlm_fetcher_t fetcher = {fetch_at_gate, &gate};
    qlm_answer_t answer = {200, QLM_TYPE_XML, ""};

    if (!call->input->fetcher || !qlm_snapshot_vendor(call->site, call->vendor->name)) {
        return qlm_error_make(call->pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "this server cannot ask other servers");
    }
    QLM_TRY(open_credentials(&credentials, call));
    webhook.callback = &callback;
    webhook.credentials = &credentials;
    gate.configured = host_of(credentials.url, call->pool);
    webhook.fetcher = &fetcher;
    webhook.deadline = apr_time_now() + BUDGET;
    webhook.clock = present;
    webhook.deliver = deliver;
    webhook.recall = recall;
    webhook.remember = remember;
    webhook.note = note;
    webhook.baton = call;
    qlm_call_return(call);
    QLM_TRY(call->vendor->receive(&answer, &webhook, call->pool));
    reply->http_status = answer.http_status;
    qlm_reply_set(reply, answer.content_type, answer.body);
    reply->outcome = "received";
    return NULL;
}

qlm_error_t *qlm_operation_webhook(qlm_reply_t *reply, qlm_call_t *call)
{
    return call->vendor->receive ? receive_many(reply, call) : qlm_operation_issue(reply, call);
}
