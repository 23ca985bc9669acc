/* The handler of the service. */
#include "web/handler.h"

#include "web/database.h"
#include "web/directives.h"
#include "web/mask.h"
#include "web/outbound.h"
#include "web/request.h"
#include "web/respond.h"
#include "web/signature_cache.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

/* Where a path is cut before its entry point, if it has one. */
static const char *folder_in(const char *path, apr_size_t length, apr_pool_t *pool)
{
    apr_size_t before;
    const char *whole = apr_pstrmemdup(pool, path, length);

    return qlm_entry_find(&before, NULL, whole) ? apr_pstrmemdup(pool, whole, before) : whole;
}

/* The folder of the <Location> that switched the service on, if it is a plain one; else what stands
 * before the entry point. */
static const char *folder_of(const request_rec *r)
{
    const char *location = qlm_dir_conf(r)->location;
    apr_size_t length = location ? strlen(location) : 0;

    while (length > 0 && location[length - 1] == '/') {
        length--;
    }
    if (location && *location == '/' && strncmp(r->uri, location, length) == 0 &&
        (r->uri[length] == '/' || r->uri[length] == '\0')) {
        return folder_in(location, length, r->pool);
    }
    return folder_in(r->uri, strlen(r->uri), r->pool);
}

int qlm_handler_translate(request_rec *r)
{
    qlm_request_conf_t *conf;
    const qlm_entry_t *entry;
    const char *rest;

    if (qlm_dir_conf(r)->service != 1 || !r->uri ||
        !(entry = qlm_entry_find(NULL, &rest, r->uri))) {
        qlm_mask_undo(r);
        return DECLINED;
    }
    conf = qlm_request_conf(r);
    conf->entry = entry;
    conf->method = qlm_entry_method(rest, r->pool);
    /* httpd looks up its locations again after this: what is required of a method holds for every
     * spelling of its URL. */
    r->uri = (char *)qlm_entry_canonical(folder_of(r), conf->method, r->pool);
    r->filename = apr_pstrdup(r->pool, "qlm:service");
    return OK;
}

int qlm_handler_map(request_rec *r)
{
    /* The <Location> is not in force at this point, so the former step's finding counts. */
    if (!qlm_request_conf(r)->entry) {
        return DECLINED;
    }
    r->handler = QLM_HANDLER;
    return OK;
}

static const char allowed_verbs[] = "GET, HEAD, POST, OPTIONS";

static const qlm_error_t *check_verb(request_rec *r)
{
    if (r->method_number == M_GET || r->method_number == M_POST) {
        return NULL;
    }
    apr_table_setn(r->headers_out, "Allow", allowed_verbs);
    return qlm_error_make(r->pool, QLM_ERROR_METHOD, QLM_CODE_BLOCKED,
                          "the verb %s is not served here: use GET or POST",
                          ap_escape_logitem(r->pool, r->method));
}

/* The bare URL of the classic service lists the methods, for GET only and unless that is switched
 * off. */
static const qlm_error_t *check_index(request_rec *r)
{
    if (qlm_dir_conf(r)->index == 0 || !qlm_request_conf(r)->entry->has_index) {
        return qlm_error_make(r->pool, QLM_ERROR_MISSING, QLM_CODE_BLOCKED,
                              "name a method behind this URL");
    }
    if (r->method_number != M_GET) {
        return qlm_error_make(r->pool, QLM_ERROR_METHOD, QLM_CODE_BLOCKED,
                              "name a method behind this URL to post to");
    }
    return NULL;
}

static void fill_input(qlm_call_input_t *input, request_rec *r)
{
    const qlm_server_conf_t *conf = qlm_server_conf(r->server);

    input->method = qlm_request_conf(r)->method;
    input->only = qlm_request_conf(r)->entry->only;
    input->fields = qlm_fields_create(r->pool);
    input->client_ip = r->useragent_ip ? r->useragent_ip : "";
    input->now = apr_time_sec(r->request_time);
    input->server_version = qlm_dir_conf(r)->server_version;
    input->fetcher = qlm_outbound_fetcher(conf->http, r);
    input->memory = qlm_signature_cache_memory(conf->cache, r);
    input->lender.lend = qlm_database_lend;
    input->lender.give_back = qlm_database_give_back;
    input->lender.baton = qlm_database_loan(r->server, r->pool);
    qlm_request_basic(&input->basic_user, &input->basic_password, r);
    qlm_request_signed_urls(input->signed_urls, r);
    input->headers = r->headers_in;
    input->error = check_verb(r);
    if (!input->error && !*input->method) {
        input->error = check_index(r);
    }
    if (!input->error) {
        input->error = qlm_request_read(input->fields, r);
    }
}

/* What a browser asks before a call from another site's page (CORS), and anybody who wonders. */
static int answer_options(request_rec *r)
{
    apr_table_setn(r->headers_out, "Allow", allowed_verbs);
    r->status = HTTP_NO_CONTENT;
    return OK;
}

int qlm_handler_run(request_rec *r)
{
    apr_time_t started = apr_time_now();
    qlm_call_input_t input = {0};
    const qlm_server_conf_t *conf;

    if (!r->handler || strcmp(r->handler, QLM_HANDLER) != 0 || !qlm_request_conf(r)->entry) {
        return DECLINED;
    }
    if (r->method_number == M_OPTIONS) {
        return answer_options(r);
    }
    conf = qlm_server_conf(r->server);
    if (!conf->service) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, 0, r,
            QLMNO(1011) "no site secret: add QlmSecretFile to the server's configuration");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    fill_input(&input, r);
    return qlm_respond(r, qlm_service_run(conf->service, &input, r->pool), started);
}
