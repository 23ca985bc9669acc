/* Query, form body, Basic credentials. */
#include "web/request.h"

#include "web/directives.h"

#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <string.h>
#include <util_filter.h>

static apr_int64_t max_body(const request_rec *r)
{
    apr_int64_t max = qlm_dir_conf(r)->max_body;

    return max >= 0 ? max : QLM_MAX_BODY_DEFAULT;
}

static qlm_error_t *too_large(request_rec *r)
{
    return qlm_error_make(r->pool, QLM_ERROR_TOO_LARGE, QLM_CODE_BLOCKED,
                          "the request body is larger than %" APR_INT64_T_FMT
                          " bytes, the limit of "
                          "this license server",
                          max_body(r));
}

static qlm_error_t *interrupted(request_rec *r, apr_status_t status)
{
    qlm_error_t *error = qlm_error_make(r->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                        "the request body did not arrive in full: send it again");

    error->status = status;
    return error;
}

/* Is the body a form? Anything is that does not plainly say otherwise. */
static int is_form(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    return !type || (strncasecmp(type, "multipart/", 10) != 0 && !ap_strcasestr(type, "xml") &&
                     !ap_strcasestr(type, "json"));
}

/* Copy one brigade's data behind *body, which has room for max + 1 bytes. @return 0 when it does
 * not fit */
static int append(char *body, apr_size_t *length, apr_size_t max, apr_bucket_brigade *brigade,
                  apr_status_t *status)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t size;

        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        *status = apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ);
        if (*status != APR_SUCCESS) {
            return 1;
        }
        if (size > max - *length) {
            return 0;
        }
        memcpy(body + *length, data, size);
        *length += size;
    }
    return 1;
}

static qlm_error_t *read_body(char **body, apr_size_t *length, request_rec *r)
{
    apr_size_t max = (apr_size_t)max_body(r);
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *announced = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t expected = 0;
    int is_end = 0;

    if (announced && apr_strtoff(&expected, announced, NULL, 10) == APR_SUCCESS &&
        expected > (apr_off_t)max) {
        return too_large(r);
    }
    /* With an announced length only that much is needed; a chunked body may grow to the limit. */
    *body = apr_palloc(r->pool, (announced ? (apr_size_t)expected : max) + 1);
    *length = 0;
    while (!is_end) {
        apr_status_t status = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES,
                                             APR_BLOCK_READ, HUGE_STRING_LEN);

        if (status == APR_SUCCESS) {
            is_end = APR_BRIGADE_EMPTY(brigade) || APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));
            if (!append(*body, length, announced ? (apr_size_t)expected : max, brigade, &status)) {
                return too_large(r);
            }
        }
        if (status != APR_SUCCESS) {
            return APR_STATUS_IS_ENOSPC(status) ? too_large(r) : interrupted(r, status);
        }
        apr_brigade_cleanup(brigade);
    }
    return NULL;
}

qlm_error_t *qlm_request_read(qlm_fields_t *fields, request_rec *r)
{
    const char *args = qlm_request_conf(r)->args ? qlm_request_conf(r)->args : r->args;
    char *body = NULL;
    apr_size_t length = 0;

    if (args) {
        QLM_TRY(qlm_fields_parse(fields, args, strlen(args), QLM_FROM_URL));
    }
    if (r->method_number != M_POST) {
        return NULL;
    }
    QLM_TRY(read_body(&body, &length, r));
    if (!is_form(r)) {
        /* Translators look for a document under this name; forms may carry it themselves. */
        body[length] = '\0';
        return qlm_fields_add(fields, "XML", body, QLM_FROM_BODY);
    }
    return qlm_fields_parse(fields, body, length, QLM_FROM_BODY);
}

void qlm_request_basic(const char **user, const char **password, request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    char *decoded, *colon;

    *user = *password = NULL;
    if (!header || strncasecmp(header, "Basic ", 6) != 0) {
        return;
    }
    header += 6;
    while (*header == ' ') {
        header++;
    }
    decoded = ap_pbase64decode(r->pool, header);
    colon = strchr(decoded, ':');
    if (colon) {
        *colon = '\0';
        *user = decoded;
        *password = colon + 1;
    }
}

/* ---- the URL as the client wrote it -----------------------------------------------------------
 */

/* The request target byte for byte; of a request that was redirected inside the server, that of the
 * first. */
static const char *raw_target(request_rec *r)
{
    const qlm_request_conf_t *conf;

    while (r->prev) {
        r = r->prev;
    }
    conf = qlm_request_conf(r);
    return conf->target ? conf->target : r->unparsed_uri;
}

/* What follows scheme and host of a URL, "" if nothing does; NULL if it begins with neither. */
static const char *behind_host(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? host + 3 + strcspn(host + 3, "/?") : NULL;
}

/* A path behind the host of QlmPublicBase stands for the path of the <Location>. */
static const char *public_url(request_rec *r, const char *base, const char *path)
{
    const char *location = qlm_dir_conf(r)->location;
    const char *base_path = behind_host(base);
    apr_size_t length = strlen(base);
    apr_size_t skipped = 0;

    if (*base_path && location && *location == '/') {
        skipped = strlen(location) - (location[strlen(location) - 1] == '/');
        if (strncmp(path, location, skipped) != 0 || path[skipped] != '/') {
            skipped = 0;
        }
    }
    length -= length > 0 && base[length - 1] == '/';
    return apr_pstrcat(r->pool, apr_pstrmemdup(r->pool, base, length), path + skipped, NULL);
}

void qlm_request_signed_urls(const char *urls[QLM_SIGNED_URLS], request_rec *r)
{
    const char *target = raw_target(r);
    const char *base = qlm_dir_conf(r)->public_base;
    const char *host = apr_table_get(r->headers_in, "Host");
    int is_whole = *target != '/'; /* a URL with scheme and host, as sent to proxies */
    const char *path = is_whole ? behind_host(target) : target;

    urls[0] = base && path ? public_url(r, base, path) : NULL;
    urls[1] = is_whole ? target
              : host   ? apr_pstrcat(r->pool, ap_http_scheme(r), "://", host, target, NULL)
                       : NULL;
}
