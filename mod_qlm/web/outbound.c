/* Outbound exchanges in the log, and their settings. */
#include "web/outbound.h"

#include "outbound/courier.h"
#include "service/version.h"

#include <apr_strings.h>
#include <unistd.h>

#define FETCH_SECONDS 12 /* so that a webhook answers before its shop gives up */

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

const qlm_courier_t *qlm_outbound_courier(struct qlm_http_t *http, server_rec *s, apr_pool_t *pool)
{
    return qlm_http_courier(http, NULL, observe_server, s, pool);
}
