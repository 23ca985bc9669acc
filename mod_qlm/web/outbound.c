/* The outbox's worker in each child, and outbound exchanges in the log.
 *
 * Each child ticks once a second; which of them works is decided by a lease in the database,
 * because httpd's own singleton does not move on when its process is killed. */
#include "web/outbound.h"

#include "outbound/smtp.h"
#include "service/outbox.h"
#include "service/version.h"
#include "web/database.h"

#include <ap_mpm.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <curl/curl.h>
#include <mod_watchdog.h>
#include <unistd.h>

#define TICK          apr_time_from_sec(1)
#define FETCH_SECONDS 12 /* so that a webhook answers before its shop gives up */
#define PATIENCE      apr_time_from_sec(60)
#define QUIET         apr_time_from_sec(600)

/* ---- libcurl ----------------------------------------------------------------------------------
 */

static apr_status_t clean_up_curl(void *data)
{
    (void)data;
    curl_global_cleanup();
    return APR_SUCCESS;
}

void qlm_outbound_init(apr_pool_t *pchild)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    apr_pool_cleanup_register(pchild, NULL, clean_up_curl, apr_pool_cleanup_null);
}

qlm_error_t *qlm_outbound_create(qlm_server_conf_t *conf, apr_pool_t *pchild)
{
    qlm_http_settings_t settings = {0};
    char host[256] = "localhost";
    unsigned int noise = 0;

    settings.total_seconds = FETCH_SECONDS;
    settings.proxy = conf->proxy ? conf->proxy : "";
    settings.user_agent = "mod_qlm/" QLM_VERSION;
    settings.ca_file = conf->ca_file ? conf->ca_file : "";
    gethostname(host, sizeof(host) - 1);
    QLM_TRY(qlm_random(&noise, sizeof(noise), pchild));
    conf->owner = apr_psprintf(pchild, "%.60s/%d/%08x", host, (int)getpid(), noise);
    return qlm_http_create(&conf->http, &settings, pchild);
}

/* ---- log --------------------------------------------------------------------------------------
 */

static void observe_request(void *baton, const char *method, const char *url, int status,
                            apr_int64_t microseconds, const char *outcome)
{
    request_rec *r = baton;

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, QLMNO(1201) "%s %s: %d in %d ms: %s", method, url,
                  status, (int)(microseconds / 1000), outcome);
}

static void observe_server(void *baton, const char *method, const char *url, int status,
                           apr_int64_t microseconds, const char *outcome)
{
    server_rec *s = baton;

    ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, QLMNO(1202) "%s %s: %d in %d ms: %s", method, url,
                 status, (int)(microseconds / 1000), outcome);
}

const qlm_fetcher_t *qlm_outbound_fetcher(struct qlm_http_t *http, request_rec *r)
{
    return http ? qlm_http_fetcher(http, NULL, observe_request, r, r->pool) : NULL;
}

static void log_row(void *baton, const char *line, int is_final)
{
    server_rec *s = baton;

    if (is_final) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, QLMNO(1203) "outbox: %s", line);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, s, QLMNO(1204) "outbox: %s", line);
    }
}

/* ---- tick -------------------------------------------------------------------------------------
 */

static apr_int64_t present(void *baton)
{
    (void)baton;
    return apr_time_sec(apr_time_now());
}

static int is_stopping(void *baton)
{
    int state = 0;

    (void)baton;
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

/* A database that is away is reported by the calls it fails; the worker only speaks up when that
 * lasts, and not every second. */
static void note_trouble(server_rec *s, const qlm_error_t *error)
{
    qlm_server_conf_t *conf = qlm_server_conf(s);
    apr_time_t now = apr_time_now();

    if (!error) {
        conf->failing_since = 0;
        return;
    }
    if (!conf->failing_since) {
        conf->failing_since = now;
    }
    if (now - conf->failing_since >= PATIENCE && now >= conf->quiet_until) {
        conf->quiet_until = now + QUIET;
        ap_log_error(APLOG_MARK, APLOG_WARNING, error->status, s, QLMNO(1205) "outbox: %s; %s",
                     error->text, error->detail ? error->detail : "");
    }
}

static void work(server_rec *s, apr_pool_t *pool)
{
    qlm_server_conf_t *conf = qlm_server_conf(s);
    qlm_outbox_input_t input = {0};
    qlm_outbox_round_t round;

    input.owner = conf->owner;
    input.ca_file = conf->ca_file;
    input.lender.lend = qlm_database_lend;
    input.lender.give_back = qlm_database_give_back;
    input.lender.baton = qlm_database_loan(s, pool);
    input.fetcher = qlm_http_fetcher(conf->http, NULL, observe_server, s, pool);
    input.send_mail = qlm_smtp_send;
    input.clock = present;
    input.is_stopping = is_stopping;
    input.log = log_row;
    input.baton = s;
    note_trouble(s, qlm_outbox_work(&round, conf->service, &input, pool));
}

static apr_status_t tick(int state, void *data, apr_pool_t *pool)
{
    server_rec *s = data;

    for (; s && state == AP_WATCHDOG_STATE_RUNNING; s = s->next) {
        if (qlm_server_conf(s)->service && qlm_server_conf(s)->http) {
            work(s, pool);
        }
    }
    return APR_SUCCESS;
}

int qlm_outbound_register(apr_pool_t *pconf, server_rec *s)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *register_callback =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;

    if (!get_instance || !register_callback ||
        get_instance(&watchdog, "_qlm_", 0, 0, pconf) != APR_SUCCESS ||
        register_callback(watchdog, TICK, s, tick) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     QLMNO(1206) "mod_watchdog is not there: no mail and no webhook is sent");
        return 0;
    }
    return 1;
}
