/* The walk of a call: find the method, choose the vendor, borrow a connection, read the site, gate,
 * authenticate, read the arguments, run, give back, finish. */
#include "service/service.h"

#include "base/text.h"
#include "license/keygen.h"
#include "service/accessed.h"
#include "service/authenticate.h"
#include "service/call.h"
#include "service/methods.h"
#include "service/reply.h"
#include "service/site.h"
#include "service/strict.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define NOTES_MAX ((apr_size_t)2000) /* bytes of a log line */

struct qlm_service_t {
    const qlm_secrets_t *secrets;
    qlm_site_t *site;
    qlm_accessed_t *accessed;
    apr_uint32_t calls; /* being served now */
};

qlm_service_t *qlm_service_create(const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    qlm_service_t *service = apr_pcalloc(pool, sizeof(*service));

    service->secrets = secrets;
    service->site = qlm_site_create(secrets, pool);
    service->accessed = qlm_accessed_create(pool);
    return service;
}

const qlm_secrets_t *qlm_service_secrets(const qlm_service_t *service)
{
    return service->secrets;
}

qlm_site_t *qlm_service_site(const qlm_service_t *service)
{
    return service->site;
}

struct qlm_accessed_t *qlm_service_accessed(const qlm_service_t *service)
{
    return service->accessed;
}

int qlm_service_is_idle(qlm_service_t *service)
{
    return apr_atomic_read32(&service->calls) == 0;
}

void qlm_call_note(qlm_call_t *call, const char *text)
{
    apr_size_t length = call->notes ? strlen(call->notes) : 0;

    if (length == 0) {
        call->notes = qlm_text_for_log(text, NOTES_MAX, call->pool);
    }
    else if (length < NOTES_MAX) {
        call->notes = apr_pstrcat(call->pool, call->notes, "; ",
                                  qlm_text_for_log(text, NOTES_MAX - length, call->pool), NULL);
    }
}

qlm_actor_t qlm_call_actor(const qlm_call_t *call)
{
    const qlm_actor_t actor = {call->method->name, call->vendor ? call->vendor->name : "",
                               call->input->client_ip, call->now};

    return actor;
}

const char *qlm_call_shown_key(const char *normal, const qlm_call_t *call)
{
    apr_int64_t group = qlm_properties_int(call->properties, QLM_PROPERTY_KEY_GROUP);
    apr_int64_t last = qlm_properties_int(call->properties, QLM_PROPERTY_KEY_MAX_GROUP);

    return qlm_keygen_group(normal, group > 0 ? (apr_size_t)group : 0,
                            last > 0 ? (apr_size_t)last : 0, call->pool);
}

qlm_error_t *qlm_call_borrow(qlm_call_t *call)
{
    return call->store
               ? NULL
               : call->input->lender.lend(&call->store, call->input->lender.baton, call->pool);
}

void qlm_call_return(qlm_call_t *call)
{
    if (call->store) {
        call->input->lender.give_back(call->store, call->input->lender.baton);
        call->store = NULL;
    }
}

static qlm_error_t *find_method(qlm_call_t *call)
{
    call->method = qlm_method_find(call->input->method);
    if (!call->method) {
        return qlm_error_make(
            call->pool, QLM_ERROR_MISSING, QLM_CODE_BLOCKED,
            "there is no method %s here; the service URL itself lists the methods",
            qlm_text_for_log(call->input->method, 60, call->pool));
    }
    if (call->input->only && strcasecmp(call->input->only, call->method->name) != 0) {
        call->method = NULL;
        return qlm_error_make(call->pool, QLM_ERROR_MISSING, QLM_CODE_BLOCKED,
                              "only the method %s is served under this URL", call->input->only);
    }
    return NULL;
}

/* Arguments stored on the server: is_args=NAME, then defaultUrlArgs. Unknown names are ignored:
 * shops send any article number. */
static qlm_error_t *add_stored_arguments(qlm_call_t *call)
{
    qlm_fields_t *fields = call->input->fields;
    const char *name = qlm_argument_raw(fields, QLM_ARGUMENT_ARGS, call->sources);
    const char *stored = NULL;

    if (name && qlm_properties_bool(call->properties, QLM_PROPERTY_ENABLE_CUSTOM_ARGS) &&
        !qlm_property_find(name)) {
        stored = qlm_properties_get(call->properties, name);
    }
    if (stored) {
        QLM_TRY(qlm_fields_parse(fields, stored, strlen(stored), QLM_FROM_PROPERTY));
    }
    stored = qlm_properties_text(call->properties, QLM_PROPERTY_DEFAULT_URL_ARGS);
    return *stored ? qlm_fields_parse(fields, stored, strlen(stored), QLM_FROM_DEFAULT) : NULL;
}

static qlm_error_t *check_address(qlm_call_t *call)
{
    const char *address = call->input->client_ip;

    if (qlm_snapshot_is_blocked(call->site, address, call->pool)) {
        return qlm_error_make(call->pool, QLM_ERROR_DENIED, QLM_CODE_IP_RESTRICTION,
                              "this address may not call the license server");
    }
    if (qlm_snapshot_lists(call->site, QLM_LISTED_ADMIN, call->method) &&
        !qlm_snapshot_is_admin_address(call->site, address, call->pool)) {
        return qlm_error_detail(
            qlm_error_make(call->pool, QLM_ERROR_DENIED, QLM_CODE_IP_RESTRICTION,
                           "this address may not call the method %s", call->method->name),
            call->pool,
            "%s stands in httpAdminMethods, and %s is not in "
            "httpAdminMethodsAllowedIPAddresses",
            call->method->name, *address ? address : "an unknown address");
    }
    return NULL;
}

static qlm_error_t *check_gates(qlm_call_t *call)
{
    int gate = call->method->gate;

    if (call->input->is_operator) {
        return NULL;
    }
    QLM_TRY(check_address(call));
    if (gate >= 0 && !qlm_properties_bool(call->properties, (qlm_property_t)gate)) {
        return qlm_error_detail(qlm_error_make(call->pool, QLM_ERROR_DENIED, QLM_CODE_DISABLED,
                                               "the method %s is disabled on this license server",
                                               call->method->name),
                                call->pool, "run `qlmctl property set %s true` to enable it",
                                qlm_property_row((qlm_property_t)gate)->name);
    }
    return NULL;
}

/* Methods in a vendor's form read their arguments when they know the order, which may name further
 * ones. */
static qlm_error_t *read_arguments(qlm_call_t *call)
{
    qlm_arguments_t *arguments;

    if (call->method->form == QLM_FORM_VENDOR) {
        return NULL;
    }
    QLM_TRY(qlm_arguments_read(&arguments, call->method->parameters, call->input->fields,
                               call->sources, call->properties, call->pool));
    call->arguments = arguments;
    return NULL;
}

static qlm_error_t *walk(qlm_reply_t *reply, qlm_call_t *call, const qlm_service_t *service)
{
    const qlm_call_input_t *input = call->input;
    int has_vendor;

    call->sources = QLM_FROM_ANY;
    if (!*input->method) {
        return qlm_error_copy(input->error, call->pool);
    }
    QLM_TRY(find_method(call));
    reply->method = call->method->name;
    has_vendor = call->method->permission != QLM_PERMISSION_PUBLIC;
    if (has_vendor) {
        qlm_authenticate_choose_vendor(call); /* so that any failure has the shop's form */
    }
    if (input->error) {
        return qlm_error_copy(input->error, call->pool);
    }
    QLM_TRY(qlm_call_borrow(call));
    QLM_TRY(qlm_site_snapshot(&call->site, service->site, call->store, call->pool));
    call->properties = qlm_snapshot_properties(call->site);
    if (has_vendor || qlm_strict_is_required(call)) {
        QLM_TRY(qlm_authenticate_choose_vendor(call));
        reply->vendor = call->vendor->name;
    }
    QLM_TRY(check_gates(call));
    QLM_TRY(qlm_authenticate(call));
    QLM_TRY(add_stored_arguments(call));
    QLM_TRY(read_arguments(call));
    return call->method->run(reply, call);
}

qlm_reply_t *qlm_service_run(qlm_service_t *service, const qlm_call_input_t *input,
                             apr_pool_t *pool)
{
    qlm_reply_t *reply = qlm_reply_create(pool);
    qlm_call_t *call = apr_pcalloc(pool, sizeof(*call));
    qlm_error_t *error;

    call->pool = pool;
    call->now = input->now;
    call->input = input;
    call->secrets = service->secrets;
    call->accessed = service->accessed;
    if (!*input->method && !input->error) {
        qlm_reply_index(reply, pool);
        return reply;
    }
    apr_atomic_inc32(&service->calls);
    error = walk(reply, call, service);
    qlm_call_return(call);
    apr_atomic_dec32(&service->calls);
    if (!error && call->content) {
        error = qlm_reply_send_document(reply, call);
    }
    if (error) {
        qlm_reply_fail(reply, call, error);
    }
    if (call->notes) {
        reply->oddity =
            reply->oddity ? apr_pstrcat(pool, reply->oddity, "; ", call->notes, NULL) : call->notes;
    }
    return reply;
}
