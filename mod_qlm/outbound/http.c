/* Outbound HTTP: what is asked is checked first, libcurl does it, handles (and with them their
 * connections) are kept for the next one. */
#include "outbound/exchange.h"

#include "base/buffer.h"
#include "base/text.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_time.h>
#include <curl/curl.h>
#include <string.h>

#define RESTING_MAX             16 /* handles that are kept; more are made when they are needed */
#define DEFAULT_CONNECT_SECONDS 5
#define DEFAULT_TOTAL_SECONDS   20
#define DEFAULT_MAX_BYTES       (2U * 1024U * 1024U)
#define HEADERS_MAX             65536 /* bytes of all headers of an answer */

struct qlm_http_t {
    qlm_http_settings_t settings;
    apr_thread_mutex_t *mutex; /* guards the two below */
    CURL *resting[RESTING_MAX];
    int count;
};

struct qlm_exchange_t {
    const qlm_http_caller_t *caller;
    const qlm_fetch_request_t *request;
    CURL *handle; /* NULL before it is taken and after it was given back */
    CURLU *url;
    int is_loopback;
    struct curl_slist *headers;
    qlm_buffer_t *body;
    apr_size_t header_bytes;
    int is_too_large;
    apr_time_t begun;
    char message[CURL_ERROR_SIZE];
    apr_pool_t *pool;
};

/* ---- the handles --------------------------------------------------------------------------------
 */

static apr_status_t close_handles(void *baton)
{
    qlm_http_t *http = baton;

    while (http->count > 0) {
        curl_easy_cleanup(http->resting[--http->count]);
    }
    return APR_SUCCESS;
}

static const char *kept(const char *text, apr_pool_t *pool)
{
    return apr_pstrdup(pool, text ? text : "");
}

qlm_error_t *qlm_http_create(qlm_http_t **http, const qlm_http_settings_t *settings,
                             apr_pool_t *pool)
{
    qlm_http_t *made = apr_pcalloc(pool, sizeof(*made));
    qlm_http_settings_t *own = &made->settings;
    apr_status_t status = apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    *http = NULL;
    if (status != APR_SUCCESS) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "no mutex for outbound HTTP (APR status %d)", status);
    }
    own->connect_seconds =
        settings->connect_seconds > 0 ? settings->connect_seconds : DEFAULT_CONNECT_SECONDS;
    own->total_seconds =
        settings->total_seconds > 0 ? settings->total_seconds : DEFAULT_TOTAL_SECONDS;
    own->max_bytes = settings->max_bytes > 0 ? settings->max_bytes : DEFAULT_MAX_BYTES;
    own->proxy = kept(settings->proxy, pool);
    own->user_agent = kept(settings->user_agent, pool);
    own->ca_file = kept(settings->ca_file, pool);
    apr_pool_cleanup_register(pool, made, close_handles, apr_pool_cleanup_null);
    *http = made;
    return NULL;
}

static CURL *take_handle(qlm_http_t *http)
{
    CURL *handle = NULL;

    apr_thread_mutex_lock(http->mutex);
    if (http->count > 0) {
        handle = http->resting[--http->count];
    }
    apr_thread_mutex_unlock(http->mutex);
    return handle ? handle : curl_easy_init();
}

/* Resetting forgets all options, secrets among them, and keeps the live connections. */
static void give_back(qlm_http_t *http, CURL *handle)
{
    curl_easy_reset(handle);
    apr_thread_mutex_lock(http->mutex);
    if (http->count < RESTING_MAX) {
        http->resting[http->count++] = handle;
        handle = NULL;
    }
    apr_thread_mutex_unlock(http->mutex);
    curl_easy_cleanup(handle);
}

/* ---- what may be asked --------------------------------------------------------------------------
 */

static qlm_error_t *refusal(apr_pool_t *pool, const char *text)
{
    return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "%s", text);
}

/* A part of a parsed URL, "" if it has none. */
static const char *url_part(CURLU *url, CURLUPart what, unsigned int flags, apr_pool_t *pool)
{
    char *part = NULL;
    const char *copy = "";

    if (curl_url_get(url, what, &part, flags) == CURLUE_OK && part) {
        copy = apr_pstrdup(pool, part);
    }
    curl_free(part);
    return copy;
}

static int is_allowed_host(const apr_array_header_t *hosts, const char *host, const char *port,
                           apr_pool_t *pool)
{
    const char *with_port = apr_pstrcat(pool, host, ":", port, NULL);

    for (int i = 0; hosts && i < hosts->nelts; i++) {
        const char *allowed = APR_ARRAY_IDX(hosts, i, const char *);

        if (apr_cstr_casecmp(allowed, host) == 0 || apr_cstr_casecmp(allowed, with_port) == 0) {
            return 1;
        }
    }
    return !hosts;
}

/* libcurl is lenient about the number of slashes, and would take a path for the host. */
static int is_absolute(const char *url)
{
    const char *colon = strchr(url, ':');

    return colon && strncmp(colon, "://", 3) == 0 && colon[3] != '/';
}

/* Everything is judged on libcurl's own reading of the URL, which is also what it connects to. */
static qlm_error_t *check_url(qlm_exchange_t *exchange, const apr_array_header_t *hosts)
{
    apr_pool_t *pool = exchange->pool;
    const char *scheme, *host, *port;

    if (!is_absolute(exchange->request->url) ||
        curl_url_set(exchange->url, CURLUPART_URL, exchange->request->url, 0) != CURLUE_OK) {
        return refusal(pool, "the address is no absolute URL");
    }
    scheme = url_part(exchange->url, CURLUPART_SCHEME, 0, pool);
    host = url_part(exchange->url, CURLUPART_HOST, 0, pool);
    port = url_part(exchange->url, CURLUPART_PORT, CURLU_DEFAULT_PORT, pool);
    exchange->is_loopback = qlm_text_is_loopback(host);
    if (strcmp(scheme, "https") != 0 && (strcmp(scheme, "http") != 0 || !exchange->is_loopback)) {
        return refusal(pool, "only https is allowed, and http to this machine itself");
    }
    if (*url_part(exchange->url, CURLUPART_USER, 0, pool) ||
        *url_part(exchange->url, CURLUPART_PASSWORD, 0, pool)) {
        return refusal(pool, "the URL may not hold a user or password");
    }
    if (!is_allowed_host(hosts, host, port, pool)) {
        return refusal(pool, apr_pstrcat(pool, "the host ", qlm_text_for_log(host, 100, pool),
                                         " is not among those that are configured", NULL));
    }
    return NULL;
}

/* "Name: value" with a name that is a token (RFC 9110 5.6.2) and a value on one line. */
static int is_header(const char *header)
{
    const char *p = header;

    while (*p && !((unsigned char)*p & 0x80) &&
           (apr_isalnum(*p) || strchr("!#$%&'*+-.^_`|~", *p))) {
        p++;
    }
    return p > header && *p == ':' && !qlm_text_has_control(p);
}

static qlm_error_t *add_header(qlm_exchange_t *exchange, const char *header)
{
    struct curl_slist *longer;

    if (!is_header(header)) {
        return refusal(exchange->pool, "a header of the request is malformed");
    }
    longer = curl_slist_append(exchange->headers, header);
    if (!longer) {
        return refusal(exchange->pool, "out of memory");
    }
    exchange->headers = longer;
    return NULL;
}

static qlm_error_t *add_headers(qlm_exchange_t *exchange)
{
    const qlm_fetch_request_t *request = exchange->request;
    const apr_array_header_t *headers = request->headers;
    const char *type = request->body && request->content_type ? request->content_type : "";

    for (int i = 0; headers && i < headers->nelts; i++) {
        QLM_TRY(add_header(exchange, APR_ARRAY_IDX(headers, i, const char *)));
    }
    /* An empty value keeps libcurl from adding the header by itself. */
    QLM_TRY(add_header(exchange, apr_pstrcat(exchange->pool, "Content-Type: ", type, NULL)));
    return add_header(exchange, "Expect:");
}

static qlm_error_t *check_request(qlm_exchange_t *exchange, const apr_array_header_t *hosts)
{
    const qlm_fetch_request_t *request = exchange->request;
    int is_post = strcmp(request->method, "POST") == 0;

    if (!exchange->url) {
        return refusal(exchange->pool, "out of memory");
    }
    if (!is_post && strcmp(request->method, "GET") != 0) {
        return refusal(exchange->pool, "the method is neither GET nor POST");
    }
    if (!is_post && request->body) {
        return refusal(exchange->pool, "a GET has no body");
    }
    QLM_TRY(check_url(exchange, hosts));
    return add_headers(exchange);
}

/* ---- the exchange -------------------------------------------------------------------------------
 */

static size_t take_body(char *bytes, size_t size, size_t count, void *baton)
{
    qlm_exchange_t *exchange = baton;
    size_t length = size * count;

    if (length > exchange->caller->http->settings.max_bytes - exchange->body->length) {
        exchange->is_too_large = 1;
        return 0;
    }
    qlm_buffer_add_bytes(exchange->body, bytes, length);
    return length;
}

/* Headers are counted, so that endless ones end. */
static size_t take_header(char *bytes, size_t size, size_t count, void *baton)
{
    qlm_exchange_t *exchange = baton;
    size_t length = size * count;

    (void)bytes;
    if (length > HEADERS_MAX - exchange->header_bytes) {
        exchange->is_too_large = 1;
        return 0;
    }
    exchange->header_bytes += length;
    return length;
}

static CURLcode set_limits(CURL *handle, const qlm_http_settings_t *settings)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);

    code = code ? code
                : curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)settings->connect_seconds);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_TIMEOUT, (long)settings->total_seconds);
    code =
        code ? code
             : curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)settings->max_bytes);
    return code ? code : curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
}

static CURLcode set_security(CURL *handle, const qlm_exchange_t *exchange)
{
    const qlm_http_settings_t *settings = &exchange->caller->http->settings;
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR,
                                     exchange->is_loopback ? "http,https" : "https");

    code = code ? code : curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    code =
        code ? code : curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!code && *settings->ca_file) {
        /* Only these, not the system's besides. */
        code = curl_easy_setopt(handle, CURLOPT_CAINFO, settings->ca_file);
        code = code ? code : curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    }
    /* Set in any case: unset, both would come from the environment. */
    code = code ? code
                : curl_easy_setopt(handle, CURLOPT_PROXY,
                                   exchange->is_loopback ? "" : settings->proxy);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_NOPROXY, "");
    return code ? code : curl_easy_setopt(handle, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
}

static CURLcode set_request(CURL *handle, const qlm_exchange_t *exchange)
{
    const qlm_fetch_request_t *request = exchange->request;
    const char *body = request->body ? request->body : "";
    CURLcode code = curl_easy_setopt(handle, CURLOPT_CURLU, exchange->url);

    code = code ? code : curl_easy_setopt(handle, CURLOPT_HTTPHEADER, exchange->headers);
    if (!code && *exchange->caller->http->settings.user_agent) {
        code = curl_easy_setopt(handle, CURLOPT_USERAGENT,
                                exchange->caller->http->settings.user_agent);
    }
    if (!code && strcmp(request->method, "POST") == 0) {
        code = curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body);
        code =
            code ? code
                 : curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    }
    return code;
}

static CURLcode set_answer(CURL *handle, qlm_exchange_t *exchange)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);

    code = code ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, exchange);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    return code ? code : curl_easy_setopt(handle, CURLOPT_HEADERDATA, exchange);
}

static CURLcode prepare(qlm_exchange_t *exchange)
{
    CURL *handle = exchange->handle;
    CURLcode code = curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, exchange->message);

    code = code ? code : set_limits(handle, &exchange->caller->http->settings);
    code = code ? code : set_security(handle, exchange);
    code = code ? code : set_request(handle, exchange);
    return code ? code : set_answer(handle, exchange);
}

static void read_response(qlm_fetch_response_t *response, const qlm_exchange_t *exchange)
{
    const char *type = NULL;
    long status = 0;

    curl_easy_getinfo(exchange->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(exchange->handle, CURLINFO_CONTENT_TYPE, &type);
    response->status = (int)status;
    response->content_type = apr_pstrdup(exchange->pool, type ? type : "");
    response->body = exchange->body->text;
    response->length = exchange->body->length;
}

static qlm_error_t *judge(qlm_fetch_response_t *response, const qlm_exchange_t *exchange,
                          CURLcode code)
{
    if (exchange->is_too_large || code == CURLE_FILESIZE_EXCEEDED) {
        return refusal(exchange->pool, "the answer is larger than the limit");
    }
    if (code != CURLE_OK) {
        const char *text = *exchange->message ? exchange->message : curl_easy_strerror(code);

        return refusal(exchange->pool, qlm_text_for_log(text, 200, exchange->pool));
    }
    read_response(response, exchange);
    return NULL;
}

/* The URL for the log: without what may hold a secret. Consumes the parsed URL's parts. */
static const char *url_for_log(CURLU *url, apr_pool_t *pool)
{
    const char *text;

    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    text = url_part(url, CURLUPART_URL, 0, pool);
    return *text ? qlm_text_for_log(text, 300, pool) : "(no URL)";
}

static void observe(const qlm_exchange_t *exchange, int status, const qlm_error_t *error)
{
    const qlm_http_caller_t *caller = exchange->caller;

    if (caller->observer) {
        caller->observer(caller->observer_baton,
                         qlm_text_for_log(exchange->request->method, 10, exchange->pool),
                         url_for_log(exchange->url, exchange->pool), status,
                         exchange->begun ? apr_time_now() - exchange->begun : 0,
                         error ? error->text : "answered");
    }
}

static void close_exchange(qlm_exchange_t *exchange)
{
    if (exchange->handle) {
        give_back(exchange->caller->http, exchange->handle);
        exchange->handle = NULL;
    }
    curl_slist_free_all(exchange->headers);
    curl_url_cleanup(exchange->url);
}

CURL *qlm_exchange_handle(const qlm_exchange_t *exchange)
{
    return exchange->handle;
}

qlm_error_t *qlm_exchange_open(qlm_exchange_t **opened, const qlm_http_caller_t *caller,
                               const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    qlm_exchange_t *exchange = apr_pcalloc(pool, sizeof(*exchange));
    qlm_error_t *error;

    exchange->caller = caller;
    exchange->request = request;
    exchange->pool = pool;
    exchange->url = curl_url();
    exchange->body = qlm_buffer_create(4096, pool);
    error = check_request(exchange, caller->hosts);
    if (!error) {
        exchange->handle = take_handle(caller->http);
        if (!exchange->handle || prepare(exchange) != CURLE_OK) {
            error = refusal(pool, "out of memory");
        }
    }
    *opened = error ? NULL : exchange;
    if (error) {
        observe(exchange, 0, error);
        close_exchange(exchange);
    }
    exchange->begun = apr_time_now();
    return error;
}

qlm_error_t *qlm_exchange_close(qlm_fetch_response_t **response, qlm_exchange_t *exchange,
                                CURLcode code)
{
    qlm_fetch_response_t *made = apr_pcalloc(exchange->pool, sizeof(*made));
    qlm_error_t *error = judge(made, exchange, code);

    observe(exchange, error ? 0 : made->status, error);
    close_exchange(exchange);
    *response = error ? NULL : made;
    return error;
}

static qlm_error_t *fetch(qlm_fetch_response_t **response, void *baton,
                          const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    qlm_exchange_t *exchange;

    *response = NULL;
    QLM_TRY(qlm_exchange_open(&exchange, baton, request, pool));
    return qlm_exchange_close(response, exchange, curl_easy_perform(exchange->handle));
}

const qlm_fetcher_t *qlm_http_fetcher(qlm_http_t *http, const apr_array_header_t *hosts,
                                      qlm_http_observer_t observer, void *observer_baton,
                                      apr_pool_t *pool)
{
    qlm_http_caller_t *caller = apr_pcalloc(pool, sizeof(*caller));
    qlm_fetcher_t *fetcher = apr_pcalloc(pool, sizeof(*fetcher));

    caller->http = http;
    caller->hosts = hosts;
    caller->observer = observer;
    caller->observer_baton = observer_baton;
    fetcher->fetch = fetch;
    fetcher->baton = caller;
    return fetcher;
}
