/* The handler of qlmservice.asmx. */
#include "web/handler.h"

#include "service/methods.h"
#include "web/database.h"
#include "web/directives.h"
#include "web/outbound.h"
#include "web/request.h"
#include "web/respond.h"
#include "web/signature_cache.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

static const char segment[] = "/qlmservice.asmx";

const char *qlm_handler_find_service(const char *path)
{
    for (; (path = strchr(path, '/')) != NULL; path++) {
        if (strncasecmp(path, segment, sizeof(segment) - 1) == 0) {
            const char *rest = path + sizeof(segment) - 1;

            if (*rest == '\0' || *rest == '/') {
                return *rest ? rest + 1 : rest;
            }
        }
    }
    return NULL;
}

const char *qlm_handler_canonical(const char *path, const char *folder, apr_pool_t *pool)
{
    const char *rest = qlm_handler_find_service(path);
    apr_size_t length = strlen(rest);
    const qlm_method_t *method;
    const char *name;

    while (length > 0 && rest[length - 1] == '/') {
        length--;
    }
    name = apr_pstrmemdup(pool, rest, length);
    method = qlm_method_find(name);
    return apr_pstrcat(pool, folder, segment, length > 0 ? "/" : "", method ? method->name : name,
                       NULL);
}

/* The folder of the <Location> that switched the service on, if it is a plain one; else what stands
 * before the segment. */
static const char *folder_of(const request_rec *r)
{
    const char *location = qlm_dir_conf(r)->location;
    apr_size_t length = location ? strlen(location) : 0;
    const char *rest = qlm_handler_find_service(r->uri);

    while (length > 0 && location[length - 1] == '/') {
        length--;
    }
    if (location && *location == '/' && strncmp(r->uri, location, length) == 0 &&
        r->uri[length] == '/') {
        return apr_pstrmemdup(r->pool, location, length);
    }
    length = (apr_size_t)(rest - r->uri) - (sizeof(segment) - 1) - (rest[-1] == '/');
    return apr_pstrmemdup(r->pool, r->uri, length);
}

int qlm_handler_translate(request_rec *r)
{
    if (qlm_dir_conf(r)->service != 1 || !r->uri || !qlm_handler_find_service(r->uri)) {
        return DECLINED;
    }
    qlm_request_conf(r)->is_service = 1;
    /* httpd looks up its locations again after this: what is required of a method holds for every
     * spelling of its URL. */
    r->uri = (char *)qlm_handler_canonical(r->uri, folder_of(r), r->pool);
    r->filename = apr_pstrdup(r->pool, "qlm:service");
    return OK;
}

int qlm_handler_map(request_rec *r)
{
    /* The <Location> is not in force at this point, so the former step's finding counts. */
    if (!qlm_request_conf(r)->is_service) {
        return DECLINED;
    }
    r->handler = QLM_HANDLER;
    return OK;
}

static const qlm_error_t *check_verb(request_rec *r)
{
    if (r->method_number == M_GET || r->method_number == M_POST) {
        return NULL;
    }
    apr_table_setn(r->headers_out, "Allow", "GET, HEAD, POST");
    return qlm_error_make(r->pool, QLM_ERROR_METHOD, QLM_CODE_BLOCKED,
                          "the verb %s is not served here: use GET or POST",
                          ap_escape_logitem(r->pool, r->method));
}

/* The bare URL lists the methods, for GET only and unless that is switched off. */
static const qlm_error_t *check_index(request_rec *r)
{
    if (qlm_dir_conf(r)->index == 0) {
        return qlm_error_make(r->pool, QLM_ERROR_MISSING, QLM_CODE_BLOCKED,
                              "name a method behind qlmservice.asmx/");
    }
    if (r->method_number != M_GET) {
        return qlm_error_make(r->pool, QLM_ERROR_METHOD, QLM_CODE_BLOCKED,
                              "name a method behind qlmservice.asmx/ to post to");
    }
    return NULL;
}

static void fill_input(qlm_call_input_t *input, request_rec *r)
{
    const qlm_server_conf_t *conf = qlm_server_conf(r->server);

    input->method = qlm_handler_find_service(r->uri); /* canonical by now */
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

int qlm_handler_run(request_rec *r)
{
    apr_time_t started = apr_time_now();
    qlm_call_input_t input = {0};
    const qlm_server_conf_t *conf;

    if (!r->handler || strcmp(r->handler, QLM_HANDLER) != 0) {
        return DECLINED;
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
