/* Outbound HTTP against a real server on this machine: what is refused before connecting, limits,
 * time-outs, TLS, and that connections are kept. */
#include "outbound/courier.h"

#include "unit/simulator.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <check.h>
#include <curl/curl.h>
#include <string.h>

static apr_pool_t *case_pool;
static const char *folder;
static simulator_t simulator;

static apr_pool_t *pool;
static qlm_http_t *http;

/* What the observer saw last. */
static int observed, observed_status;
static apr_int64_t observed_time;
static const char *observed_url, *observed_outcome;

static void start(const char *tls, const char *address)
{
    ck_assert_int_eq(apr_pool_create(&case_pool, NULL), APR_SUCCESS);
    folder = simulator_folder(case_pool);
    const char *const arguments[] = {QLM_SIMULATORS "/webserver.py",
                                     "--folder",
                                     folder,
                                     "--until-eof",
                                     "--address",
                                     address,
                                     tls,
                                     NULL};
    simulator_start(&simulator, arguments, case_pool);
}

static void start_plain(void)
{
    start(NULL, "127.0.0.1");
}

static void start_tls(void)
{
    /* Also as 127.0.0.2, which the certificate does not name. */
    start("--tls", "0.0.0.0");
}

static void stop(void)
{
    simulator_stop(&simulator);
    simulator_remove_folder(folder, case_pool);
    apr_pool_destroy(case_pool);
}

static qlm_http_t *created(int total_seconds, apr_size_t max_bytes, const char *proxy,
                           const char *ca_file)
{
    qlm_http_settings_t settings = {.connect_seconds = 2,
                                    .total_seconds = total_seconds,
                                    .max_bytes = max_bytes,
                                    .proxy = proxy,
                                    .user_agent = "check/1.0",
                                    .ca_file = ca_file};
    qlm_http_t *made;

    ck_assert_ptr_null(qlm_http_create(&made, &settings, pool));
    return made;
}

static void set_up(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    observed = 0;
    http = created(10, 0, "", simulator.certificate ? simulator.certificate : "");
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static void observer(void *baton, const char *method, const char *url, int status,
                     apr_int64_t microseconds, const char *outcome)
{
    ck_assert_ptr_eq(baton, &observed);
    ck_assert_ptr_nonnull(method);
    observed++;
    observed_status = status;
    observed_time = microseconds;
    observed_url = url;
    observed_outcome = outcome;
}

static const char *url_of(const char *scheme, const char *path)
{
    return apr_psprintf(pool, "%s://localhost:%d%s", scheme, simulator.port, path);
}

static qlm_error_t *fetch(qlm_fetch_response_t **response, const qlm_fetch_request_t *request,
                          const apr_array_header_t *hosts)
{
    const qlm_fetcher_t *fetcher = qlm_http_fetcher(http, hosts, observer, &observed, pool);
    qlm_error_t *error = fetcher->fetch(response, fetcher->baton, request, pool);

    ck_assert((error == NULL) == (*response != NULL));
    return error;
}

static qlm_fetch_response_t *got(const char *path)
{
    qlm_fetch_request_t request = {.method = "GET", .url = url_of("http", path)};
    qlm_fetch_response_t *response;
    qlm_error_t *error = fetch(&response, &request, NULL);

    ck_assert_msg(error == NULL, "%s: %s", path, error ? error->text : "");
    return response;
}

static const char *refused_url(const char *url, const apr_array_header_t *hosts)
{
    qlm_fetch_request_t request = {.method = "GET", .url = url};
    qlm_fetch_response_t *response;
    qlm_error_t *error = fetch(&response, &request, hosts);

    ck_assert_msg(error != NULL, "allowed: %s", url);
    ck_assert_int_eq(error->kind, QLM_ERROR_OUTBOUND);
    for (const char *p = error->text; *p; p++) {
        ck_assert_msg((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f, "%s", error->text);
    }
    return error->text;
}

static void assert_says(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s", text);
}

/* What the server saw of a request to /echo; the test owns it. */
static json_t *echoed(const qlm_fetch_response_t *response)
{
    json_t *seen = json_loads(response->body, 0, NULL);

    ck_assert_msg(seen != NULL, "%s", response->body);
    return seen;
}

static int has_header(const json_t *seen, const char *header)
{
    const json_t *headers = json_object_get(seen, "headers");
    int count = 0;

    for (size_t i = 0; i < json_array_size(headers); i++) {
        count +=
            strncasecmp(json_string_value(json_array_get(headers, i)), header, strlen(header)) == 0;
    }
    return count;
}

/* ---- what is sent and what comes back -----------------------------------------------------------
 */

START_TEST(a_get)
{
    qlm_fetch_response_t *response = got("/echo?a=secret");
    json_t *seen = echoed(response);

    ck_assert_int_eq(response->status, 200);
    ck_assert_str_eq(response->content_type, "application/json");
    ck_assert_uint_eq(response->length, strlen(response->body));
    ck_assert_str_eq(json_string_value(json_object_get(seen, "method")), "GET");
    ck_assert_str_eq(json_string_value(json_object_get(seen, "path")), "/echo?a=secret");
    ck_assert_int_eq(has_header(seen, "User-Agent: check/1.0"), 1);
    ck_assert_int_eq(has_header(seen, "Content-Type:"), 0);
    ck_assert_int_eq(observed, 1);
    ck_assert_int_eq(observed_status, 200);
    ck_assert_int_gt(observed_time, 0);
    ck_assert_str_eq(observed_url, url_of("http", "/echo"));
    ck_assert_str_eq(observed_outcome, "answered");
    json_decref(seen);
}
END_TEST

START_TEST(a_post)
{
    apr_array_header_t *headers = apr_array_make(pool, 2, sizeof(const char *));
    char *body = apr_palloc(pool, 1500001);
    qlm_fetch_request_t request = {.method = "POST",
                                   .url = url_of("http", "/echo"),
                                   .headers = headers,
                                   .body = body,
                                   .content_type = "application/json"};
    qlm_fetch_response_t *response;
    json_t *seen;

    memset(body, 'b', 1500000);
    body[1500000] = '\0';
    APR_ARRAY_PUSH(headers, const char *) = "Authorization: Bearer t0ken";
    APR_ARRAY_PUSH(headers, const char *) = "X-QLM-Signature: 0123";
    ck_assert_ptr_null(fetch(&response, &request, NULL));
    seen = echoed(response);
    ck_assert_str_eq(json_string_value(json_object_get(seen, "method")), "POST");
    ck_assert_str_eq(json_string_value(json_object_get(seen, "body")), body);
    ck_assert_int_eq(has_header(seen, "Authorization: Bearer t0ken"), 1);
    ck_assert_int_eq(has_header(seen, "X-QLM-Signature: 0123"), 1);
    ck_assert_int_eq(has_header(seen, "Content-Type: application/json"), 1);
    ck_assert_int_eq(has_header(seen, "Expect:"), 0);
    json_decref(seen);
    request.body = NULL;
    request.headers = NULL;
    ck_assert_ptr_null(fetch(&response, &request, NULL));
    seen = echoed(response);
    ck_assert_str_eq(json_string_value(json_object_get(seen, "method")), "POST");
    ck_assert_int_eq(has_header(seen, "Content-Length: 0"), 1);
    ck_assert_int_eq(has_header(seen, "Content-Type:"), 0);
    /* Nothing of the former request is left in the handle. */
    ck_assert_int_eq(has_header(seen, "Authorization:"), 0);
    json_decref(seen);
    seen = echoed(got("/echo"));
    ck_assert_str_eq(json_string_value(json_object_get(seen, "method")), "GET");
    ck_assert_int_eq(has_header(seen, "Content-Length:"), 0);
    json_decref(seen);
}
END_TEST

START_TEST(any_status_is_an_answer)
{
    static const int statuses[] = {200, 201, 400, 401, 403, 404, 429, 500, 503};

    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        qlm_fetch_response_t *response = got(apr_psprintf(pool, "/status/%d", statuses[i]));

        ck_assert_int_eq(response->status, statuses[i]);
        ck_assert_str_eq(response->body, apr_psprintf(pool, "status %d", statuses[i]));
        ck_assert_int_eq(observed_status, statuses[i]);
    }
}
END_TEST

START_TEST(redirects_are_answers)
{
    qlm_fetch_response_t *response = got("/redirect");

    ck_assert_int_eq(response->status, 302);
    ck_assert_str_eq(response->body, "");
}
END_TEST

START_TEST(bodies_of_all_kinds)
{
    qlm_fetch_response_t *response = got("/chunked");

    ck_assert_str_eq(response->body, "one two three");
    ck_assert_str_eq(response->content_type, "");
    response = got("/nul");
    ck_assert_uint_eq(response->length, 3);
    ck_assert_mem_eq(response->body, "a\0b", 4);
    response = got("/empty");
    ck_assert_int_eq(response->status, 204);
    ck_assert_uint_eq(response->length, 0);
    ck_assert_str_eq(response->body, "");
}
END_TEST

START_TEST(connections_are_kept)
{
    long first = 0;

    for (int i = 0; i < 5; i++) {
        json_t *seen = echoed(got("/echo"));
        long connection = (long)json_integer_value(json_object_get(seen, "connection"));

        ck_assert_int_gt(connection, 0);
        first = first ? first : connection;
        ck_assert_int_eq(connection, first);
        json_decref(seen);
    }
    /* One that broke is replaced. */
    refused_url(url_of("http", "/broken"), NULL);
    ck_assert_int_eq(got("/status/200")->status, 200);
}
END_TEST

typedef struct worker_t {
    const qlm_fetcher_t *fetcher;
    const char *url;
    int answered;
} worker_t;

static void *work(apr_thread_t *thread, void *baton)
{
    worker_t *worker = baton;

    (void)thread;
    for (int i = 0; i < 10; i++) {
        qlm_fetch_request_t request = {.method = "GET", .url = worker->url};
        qlm_fetch_response_t *response;
        apr_pool_t *own;

        apr_pool_create(&own, NULL);
        worker->answered +=
            !worker->fetcher->fetch(&response, worker->fetcher->baton, &request, own) &&
            response->status == 200;
        apr_pool_destroy(own);
    }
    return NULL;
}

START_TEST(threads_share_it)
{
    worker_t workers[20];
    apr_thread_t *threads[20];
    apr_status_t status;

    for (int i = 0; i < 20; i++) {
        workers[i].fetcher = qlm_http_fetcher(http, NULL, NULL, NULL, pool);
        workers[i].url = url_of("http", "/echo");
        workers[i].answered = 0;
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, work, &workers[i], pool),
                         APR_SUCCESS);
    }
    for (int i = 0; i < 20; i++) {
        apr_thread_join(&status, threads[i]);
        ck_assert_int_eq(workers[i].answered, 10);
    }
}
END_TEST

/* ---- what is refused before connecting ----------------------------------------------------------
 */

START_TEST(urls_that_are_not_asked)
{
    static const char *const urls[] = {
        "",
        "x",
        "/path",
        "//host/",
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://evil.localhost/",
        "http://localhost.:80/",
        "http://[::2]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/",
        "http://2130706434.example/",
        "file:///etc/passwd",
        "ftp://localhost/",
        "gopher://localhost/",
        "dict://localhost/",
        "ldap://localhost/",
        "smtp://localhost/",
        "javascript:alert(1)",
        "https://user@localhost/",
        "https://user:pass@localhost/",
        "https://localhost:0x1/",
        "https://localhost:99999/",
        "https://local host/",
        "https://localhost/\r\nX: y",
        "https://localhost/\x01",
        "https:///path",
        "https:/path",
        "https:path",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        refused_url(urls[i], NULL);
        ck_assert_int_eq(observed_status, 0);
        ck_assert_msg(observed_time == 0, "asked: %s (%s)", urls[i], observed_outcome);
        ck_assert_ptr_null(strstr(observed_url, "pass@"));
        ck_assert_ptr_null(strpbrk(observed_url, "\r\n\x01"));
    }
    ck_assert_int_eq(observed, sizeof(urls) / sizeof(*urls));
}
END_TEST

START_TEST(loopback_in_all_its_forms)
{
    static const char *const hosts[] = {"127.0.0.1", "127.1", "0x7f.1", "2130706433", "LOCALHOST"};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        qlm_fetch_request_t request = {
            .method = "GET",
            .url = apr_psprintf(pool, "http://%s:%d/echo", hosts[i], simulator.port)};
        qlm_fetch_response_t *response;
        qlm_error_t *error = fetch(&response, &request, NULL);

        ck_assert_msg(!error, "%s: %s", hosts[i], error ? error->text : "");
    }
}
END_TEST

START_TEST(only_hosts_that_are_configured)
{
    apr_array_header_t *hosts = apr_array_make(pool, 2, sizeof(const char *));
    qlm_fetch_request_t request = {.method = "GET", .url = url_of("http", "/echo")};
    qlm_fetch_response_t *response;

    assert_says(refused_url(request.url, hosts), "not among those that are configured");
    APR_ARRAY_PUSH(hosts, const char *) = "login.shop.example";
    APR_ARRAY_PUSH(hosts, const char *) = "localhost:1";
    refused_url(request.url, hosts);
    refused_url("https://login.shop.example.evil.example/", hosts);
    refused_url("https://evil.example/login.shop.example", hosts);
    refused_url("https://evil.example#login.shop.example", hosts);
    refused_url("https://login.shop.example@evil.example/", hosts);
    refused_url("https://xlogin.shop.example/", hosts);
    refused_url(apr_psprintf(pool, "http://127.0.0.1:%d/", simulator.port), hosts);
    APR_ARRAY_PUSH(hosts, const char *) = apr_psprintf(pool, "LocalHost:%d", simulator.port);
    ck_assert_ptr_null(fetch(&response, &request, hosts));
    apr_array_clear(hosts);
    APR_ARRAY_PUSH(hosts, const char *) = "LOCALHOST";
    ck_assert_ptr_null(fetch(&response, &request, hosts));
}
END_TEST

START_TEST(requests_that_are_malformed)
{
    static const char *const bad[] = {
        "X-A: b\r\nX-Evil: y", "X-A: b\n", "X A: b", ": b", "X-A", "", "X-A;", "X-\xc3\xa4: b"};
    qlm_fetch_request_t request = {.method = "PUT", .url = url_of("http", "/echo")};
    qlm_fetch_response_t *response;

    ck_assert_ptr_nonnull(fetch(&response, &request, NULL));
    request.method = "GET";
    request.body = "x";
    ck_assert_ptr_nonnull(fetch(&response, &request, NULL));
    request.method = "POST";
    request.content_type = "text/plain\r\nX-Evil: y";
    ck_assert_ptr_nonnull(fetch(&response, &request, NULL));
    request.content_type = "text/plain";
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        apr_array_header_t *headers = apr_array_make(pool, 1, sizeof(const char *));

        APR_ARRAY_PUSH(headers, const char *) = bad[i];
        request.headers = headers;
        ck_assert_msg(fetch(&response, &request, NULL) != NULL, "sent: %s", bad[i]);
        ck_assert_int_eq(observed_status, 0);
    }
}
END_TEST

/* ---- what a server may do -----------------------------------------------------------------------
 */

START_TEST(sizes_are_limited)
{
    http = created(10, 1000, "", "");
    ck_assert_uint_eq(got("/huge/1000")->length, 1000);
    assert_says(refused_url(url_of("http", "/huge/1001"), NULL), "larger than the limit");
    assert_says(refused_url(url_of("http", "/endless"), NULL), "larger than the limit");
    assert_says(refused_url(url_of("http", "/headers"), NULL), "larger than the limit");
    /* The default is 2 MiB. */
    http = created(10, 0, "", "");
    ck_assert_uint_eq(got("/huge/2097152")->length, 2097152);
    assert_says(refused_url(url_of("http", "/huge/2097153"), NULL), "larger than the limit");
    assert_says(refused_url(url_of("http", "/endless"), NULL), "larger than the limit");
    ck_assert_int_eq(got("/status/200")->status, 200);
}
END_TEST

START_TEST(time_is_limited)
{
    apr_time_t begun = apr_time_now();

    http = created(1, 0, "", "");
    refused_url(url_of("http", "/slow/5"), NULL);
    ck_assert_int_ge(observed_time, 900000);
    refused_url(url_of("http", "/drip"), NULL);
    ck_assert_int_le(apr_time_sec(apr_time_now() - begun), 4);
    ck_assert_int_eq(got("/slow/0.1")->status, 200);
}
END_TEST

START_TEST(broken_answers)
{
    static const char *const paths[] = {"/broken", "/garbage", "/close"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        refused_url(url_of("http", paths[i]), NULL);
        ck_assert_int_eq(observed_status, 0);
    }
    assert_says(refused_url("http://127.0.0.1:1/", NULL), "connect");
}
END_TEST

/* ---- several at once ----------------------------------------------------------------------------
 */

typedef struct errand_t {
    qlm_fetch_request_t request;
    qlm_fetch_response_t *response;
    qlm_error_t *error;
    apr_time_t ended;
} errand_t;

static void send_off(const qlm_courier_t *courier, errand_t *errand, const char *url)
{
    memset(errand, 0, sizeof(*errand));
    errand->request.method = "GET";
    errand->request.url = url;
    courier->start(courier->baton, errand, &errand->request, pool);
}

/* Wait for the next one; NULL if none came. */
static errand_t *next_back(const qlm_courier_t *courier, int milliseconds)
{
    apr_time_t end = apr_time_now() + apr_time_from_msec(milliseconds);
    qlm_fetch_response_t *response;
    qlm_error_t *error;
    void *ticket;

    do {
        if (courier->wait(&ticket, &response, &error, courier->baton, 50)) {
            errand_t *errand = ticket;

            errand->response = response;
            errand->error = error;
            errand->ended = apr_time_now();
            ck_assert((error == NULL) == (response != NULL));
            return errand;
        }
    } while (apr_time_now() < end);
    return NULL;
}

START_TEST(a_courier_waits_for_nobody)
{
    const qlm_courier_t *courier = qlm_http_courier(http, NULL, observer, &observed, pool);
    apr_time_t begun = apr_time_now();
    errand_t slow, refused, closed, quick[20];

    send_off(courier, &slow, url_of("http", "/slow/2"));
    send_off(courier, &refused, "http://192.0.2.1/");
    send_off(courier, &closed, "http://127.0.0.1:1/");
    for (int i = 0; i < 20; i++) {
        send_off(courier, &quick[i], url_of("http", "/status/204"));
    }
    for (int i = 0; i < 22; i++) {
        errand_t *back = next_back(courier, 2000);

        ck_assert_ptr_nonnull(back);
        ck_assert_ptr_ne(back, &slow);
    }
    ck_assert_int_lt(apr_time_now() - begun, apr_time_from_msec(1900));
    assert_says(refused.error->text, "only https");
    assert_says(closed.error->text, "connect");
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(quick[i].response->status, 204);
    }
    ck_assert_ptr_eq(next_back(courier, 4000), &slow);
    ck_assert_str_eq(slow.response->body, "late");
    ck_assert_int_eq(observed, 23);
    ck_assert_ptr_null(next_back(courier, 100));
}
END_TEST

START_TEST(a_courier_observes_the_limits)
{
    const qlm_courier_t *courier;
    errand_t slow, huge, redirected;

    http = created(1, 1000, "", "");
    courier = qlm_http_courier(http, NULL, observer, &observed, pool);
    send_off(courier, &slow, url_of("http", "/slow/30"));
    send_off(courier, &huge, url_of("http", "/endless"));
    send_off(courier, &redirected, url_of("http", "/redirect"));
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(next_back(courier, 5000));
    }
    assert_says(slow.error->text, "timed out");
    assert_says(huge.error->text, "larger than the limit");
    ck_assert_int_eq(redirected.response->status, 302);
}
END_TEST

/* At the end of the pool, what is under way is dropped, and told. */
START_TEST(a_courier_can_be_dismissed)
{
    apr_pool_t *own;
    const qlm_courier_t *courier;
    apr_time_t begun = apr_time_now();
    errand_t errands[3];

    apr_pool_create(&own, pool);
    courier = qlm_http_courier(http, NULL, observer, &observed, own);
    for (int i = 0; i < 3; i++) {
        send_off(courier, &errands[i], url_of("http", "/slow/30"));
    }
    ck_assert_ptr_null(next_back(courier, 300));
    apr_pool_destroy(own);
    ck_assert_int_eq(observed, 3);
    ck_assert_int_lt(apr_time_now() - begun, apr_time_from_sec(3));
    ck_assert_int_eq(got("/status/200")->status, 200); /* the handles are of use again */
}
END_TEST

START_TEST(names_that_do_not_resolve)
{
    assert_says(refused_url("https://nowhere.invalid/?key=4711", NULL), "resolve");
    ck_assert_str_eq(observed_url, "https://nowhere.invalid/");
    ck_assert_int_gt(observed_time, 0);
}
END_TEST

/* ---- proxy and environment ----------------------------------------------------------------------
 */

START_TEST(the_environment_does_not_count)
{
    ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    ck_assert_int_eq(setenv("all_proxy", "http://127.0.0.1:1/", 1), 0);
    ck_assert_int_eq(setenv("https_proxy", url_of("http", "/"), 1), 0);
    ck_assert_int_eq(got("/status/200")->status, 200);
    assert_says(refused_url("https://nowhere.invalid/", NULL), "resolve host");
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("https_proxy");
}
END_TEST

START_TEST(the_proxy_of_the_settings_counts)
{
    ck_assert_int_eq(setenv("no_proxy", "*", 1), 0);
    http = created(5, 0, apr_psprintf(pool, "http://user:pr0xy@127.0.0.1:%d", simulator.port), "");
    /* The simulator is no proxy and knows no CONNECT: that it was asked is what counts. */
    assert_says(refused_url("https://nowhere.invalid/", NULL), "501");
    ck_assert_ptr_null(strstr(observed_outcome, "pr0xy"));
    ck_assert_int_eq(got("/status/200")->status, 200);
    unsetenv("no_proxy");
}
END_TEST

/* ---- TLS ----------------------------------------------------------------------------------------
 */

START_TEST(tls_with_a_known_certificate)
{
    qlm_fetch_request_t request = {.method = "GET", .url = url_of("https", "/echo")};
    qlm_fetch_response_t *response;
    qlm_error_t *error = fetch(&response, &request, NULL);

    ck_assert_msg(!error, "%s", error ? error->text : "");
    ck_assert_int_eq(response->status, 200);
}
END_TEST

START_TEST(tls_with_a_foreign_certificate)
{
    http = created(5, 0, "", "");
    assert_says(refused_url(url_of("https", "/echo"), NULL), "certificate");
    http = created(5, 0, "", "/nowhere/ca.pem");
    refused_url(url_of("https", "/echo"), NULL);
}
END_TEST

START_TEST(tls_with_a_foreign_name)
{
    /* The certificate is for localhost and 127.0.0.1. */
    assert_says(refused_url(apr_psprintf(pool, "https://127.0.0.2:%d/echo", simulator.port), NULL),
                "matches target host name");
}
END_TEST

static TCase *tcase(Suite *suite, const char *name, void (*starter)(void))
{
    TCase *tests = tcase_create(name);

    tcase_add_unchecked_fixture(tests, starter, stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

static Suite *http_suite(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase(suite, "http", start_plain);

    tcase_add_test(tests, a_get);
    tcase_add_test(tests, a_post);
    tcase_add_test(tests, any_status_is_an_answer);
    tcase_add_test(tests, redirects_are_answers);
    tcase_add_test(tests, bodies_of_all_kinds);
    tcase_add_test(tests, connections_are_kept);
    tcase_add_test(tests, threads_share_it);
    tcase_add_test(tests, urls_that_are_not_asked);
    tcase_add_test(tests, loopback_in_all_its_forms);
    tcase_add_test(tests, only_hosts_that_are_configured);
    tcase_add_test(tests, requests_that_are_malformed);
    tcase_add_test(tests, sizes_are_limited);
    tcase_add_test(tests, time_is_limited);
    tcase_add_test(tests, broken_answers);
    tcase_add_test(tests, a_courier_waits_for_nobody);
    tcase_add_test(tests, a_courier_observes_the_limits);
    tcase_add_test(tests, a_courier_can_be_dismissed);
    tcase_add_test(tests, names_that_do_not_resolve);
    tcase_add_test(tests, the_environment_does_not_count);
    tcase_add_test(tests, the_proxy_of_the_settings_counts);
    tests = tcase(suite, "TLS", start_tls);
    tcase_add_test(tests, tls_with_a_known_certificate);
    tcase_add_test(tests, tls_with_a_foreign_certificate);
    tcase_add_test(tests, tls_with_a_foreign_name);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    if (apr_initialize() != APR_SUCCESS || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return 1;
    }
    runner = srunner_create(http_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    apr_terminate();
    return failed ? 1 : 0;
}
