/* Replies: XML, license documents, vendors' own forms. */
#include "service/reply.h"

#include "base/buffer.h"
#include "license/document.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

qlm_reply_t *qlm_reply_create(apr_pool_t *pool)
{
    qlm_reply_t *reply = apr_pcalloc(pool, sizeof(*reply));

    reply->http_status = 200;
    reply->content_type = QLM_TYPE_XML;
    reply->body = reply->method = reply->vendor = reply->subject = "";
    reply->outcome = "failed";
    return reply;
}

void qlm_reply_set(qlm_reply_t *reply, const char *content_type, const char *body)
{
    reply->content_type = content_type;
    reply->body = body;
    reply->length = strlen(body);
}

void qlm_reply_result(qlm_reply_t *reply, const char *result, const char *name, const char *value,
                      apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(256, pool);

    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(buffer, "result", result);
    if (name) {
        qlm_buffer_add_element(buffer, name, value);
    }
    qlm_buffer_add(buffer, "</QuickLicenseManager>");
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
}

void qlm_reply_note(qlm_reply_t *reply, const char *outcome, const char *subject)
{
    reply->outcome = outcome;
    reply->subject = subject;
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

qlm_error_t *qlm_reply_set_json(qlm_reply_t *reply, json_t *value, apr_pool_t *pool)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    if (!text) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "the JSON of the answer cannot be made");
    }
    qlm_reply_set(reply, QLM_TYPE_JSON, apr_pstrdup(pool, text));
    free(text);
    return NULL;
}

qlm_error_t *qlm_reply_is_json(int *is_json, const qlm_call_t *call)
{
    const char *format = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_FORMAT, call->sources);

    *is_json = format && strcasecmp(format, "json") == 0;
    return !format || *is_json || strcasecmp(format, "xml") == 0
               ? NULL
               : qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                "is_format takes xml or json");
}

/* ---- documents --------------------------------------------------------------------------------
 */

static int wants_bom(const qlm_call_t *call)
{
    int fallback =
        call->properties && qlm_properties_bool(call->properties, QLM_PROPERTY_WRITE_BOM);

    return call->arguments ? (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_BOM, fallback)
                           : fallback;
}

/* The site's, or else the product's. */
static qlm_algorithm_t algorithm_of(const qlm_call_t *call)
{
    qlm_algorithm_t algorithm = call->signer->algorithm;

    if (call->properties) {
        qlm_algorithm_parse(
            &algorithm, qlm_properties_text(call->properties, QLM_PROPERTY_SIGNATURE_ALGORITHM));
    }
    return algorithm;
}

qlm_error_t *qlm_reply_send_document(qlm_reply_t *reply, qlm_call_t *call)
{
    const char *document = call->content;
    const qlm_private_key_t *key;

    if (call->signer &&
        (!call->arguments || qlm_arguments_number(call->arguments, QLM_ARGUMENT_SIGN, 1))) {
        QLM_TRY(qlm_snapshot_private_key(&key, call->site, call->signer, call->pool));
        QLM_TRY(qlm_signature_sign(&document, call->content, key, algorithm_of(call),
                                   call->input->memory, call->pool));
    }
    qlm_reply_set(reply, QLM_TYPE_XML,
                  apr_pstrcat(call->pool, wants_bom(call) ? "\xef\xbb\xbf" : "",
                              QLM_XML_DECLARATION, document, NULL));
    return NULL;
}

/* ---- failures ---------------------------------------------------------------------------------
 */

/* The one place where a kind of error becomes an HTTP status. Business refusals are answers: 200.
 */
static int http_status(const qlm_error_t *error)
{
    switch (error->kind) {
    case QLM_ERROR_MISSING:
        return 404;
    case QLM_ERROR_METHOD:
        return 405;
    case QLM_ERROR_TOO_LARGE:
        return 413;
    case QLM_ERROR_STORE:
    case QLM_ERROR_CONFLICT:
    case QLM_ERROR_OUTBOUND:
        return 503;
    case QLM_ERROR_INTERNAL:
        return 500;
    case QLM_ERROR_ARGUMENT:
    case QLM_ERROR_DENIED:
    case QLM_ERROR_REFUSED:
    default:
        return 200;
    }
}

static void fail_xml(qlm_reply_t *reply, const qlm_error_t *error, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(256, pool);

    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(buffer, "error", error->text);
    qlm_buffer_addf(buffer, "<errorCode>%d</errorCode></QuickLicenseManager>", (int)error->code);
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
}

/* Texts of ours are ASCII or come checked; should one not be UTF-8, XML takes it. */
static void fail_json(qlm_reply_t *reply, const qlm_error_t *error, apr_pool_t *pool)
{
    if (qlm_reply_set_json(reply,
                           json_pack("{s:{s:s, s:i}}", "QuickLicenseManager", "error", error->text,
                                     "errorCode", (int)error->code),
                           pool)) {
        fail_xml(reply, error, pool);
    }
}

/* Signed as well whenever the product is known; when signing itself is what failed, unsigned. */
static void fail_document(qlm_reply_t *reply, qlm_call_t *call, const qlm_error_t *error)
{
    call->content = qlm_document_write_refusal(error, call->now, call->pool);
    if (error->code == QLM_CODE_FAILED_TO_SIGN || qlm_reply_send_document(reply, call)) {
        call->signer = NULL;
        if (qlm_reply_send_document(reply, call)) {
            fail_xml(reply, error, call->pool);
        }
    }
}

static void fail_vendor(qlm_reply_t *reply, qlm_call_t *call, const qlm_error_t *error)
{
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_answer_t answer = {http_status(error), QLM_TYPE_XML, ""};

    call->vendor->write_failure(&answer, error, &callback, call->pool);
    reply->http_status = answer.http_status;
    qlm_reply_set(reply, answer.content_type, answer.body);
}

void qlm_reply_fail(qlm_reply_t *reply, qlm_call_t *call, const qlm_error_t *error)
{
    qlm_form_t form = call->method ? call->method->form : QLM_FORM_XML;
    int is_json;

    reply->error = error;
    reply->http_status = http_status(error);
    reply->outcome = error->kind == QLM_ERROR_STORE || error->kind == QLM_ERROR_INTERNAL ||
                             error->kind == QLM_ERROR_CONFLICT
                         ? "failed"
                         : "refused";
    if (form == QLM_FORM_VENDOR && call->vendor) {
        fail_vendor(reply, call, error);
    }
    else if (form == QLM_FORM_DOCUMENT) {
        fail_document(reply, call, error);
    }
    else if (form == QLM_FORM_JSON) {
        fail_json(reply, error, call->pool);
    }
    else if (form == QLM_FORM_CHOSEN && !qlm_reply_is_json(&is_json, call) && is_json) {
        fail_json(reply, error, call->pool);
    }
    else {
        /* A shop that is not known must not take the answer for a key: no 200 for it. */
        if (form == QLM_FORM_VENDOR && error->kind == QLM_ERROR_DENIED) {
            reply->http_status = 403;
        }
        fail_xml(reply, error, call->pool);
    }
}

/* ---- index page -------------------------------------------------------------------------------
 */

static void add_parameters(qlm_buffer_t *buffer, const qlm_method_t *method, apr_pool_t *pool)
{
    for (const qlm_parameter_t *p = method->parameters; p->argument != QLM_ARGUMENT_NONE; p++) {
        qlm_buffer_addf(buffer, "<li><code>%s</code>%s: ", qlm_argument_name(p->argument, pool),
                        p->is_required ? " (required)" : "");
        qlm_buffer_add_xml(buffer, qlm_argument_row(p->argument)->help);
        qlm_buffer_add(buffer, "</li>\n");
    }
}

void qlm_reply_index(qlm_reply_t *reply, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(8192, pool);

    qlm_buffer_add(buffer, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                           "<title>QLM license service</title></head>\n<body>\n"
                           "<h1>QLM license service</h1>\n"
                           "<p>These methods can be called by GET or by POST of a form.</p>\n");
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        qlm_buffer_addf(buffer, "<h2>%s</h2>\n<p>", method->name);
        qlm_buffer_add_xml(buffer, method->summary);
        qlm_buffer_add(buffer, "</p>\n<ul>\n");
        add_parameters(buffer, method, pool);
        qlm_buffer_add(buffer, "</ul>\n");
    }
    qlm_buffer_add(buffer, "</body></html>\n");
    qlm_reply_set(reply, QLM_TYPE_HTML, buffer->text);
    qlm_reply_note(reply, "indexed", "");
}
