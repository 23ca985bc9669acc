/* Outbound HTTP by libcurl. Time-outs, a size limit, TLS verification, no redirects, https only
 * (http to loopback addresses), a proxy if set. Connections are kept and reused within the process:
 * handles rest in a small stack guarded by a mutex. */
#ifndef QLM_OUTBOUND_HTTP_H
#define QLM_OUTBOUND_HTTP_H

#include "base/fetch.h"

typedef struct qlm_http_t qlm_http_t;

typedef struct qlm_http_settings_t {
    int connect_seconds;  /**< 0 = default 5 */
    int total_seconds;    /**< 0 = default 20 */
    apr_size_t max_bytes; /**< of an answer; 0 = default 2 MiB */
    const char *proxy;    /**< "" = none (and none from the environment) */
    const char *user_agent;
    const char *ca_file; /**< "" = the system's */
} qlm_http_settings_t;

/** Called after each exchange, for the log: method, URL without query, status (0 = none),
 * microseconds, outcome text. No secrets. */
typedef void (*qlm_http_observer_t)(void *baton, const char *method, const char *url, int status,
                                    apr_int64_t microseconds, const char *outcome);

/** curl_global_init must have been called. Lives in @a pool. Thread-safe. */
qlm_error_t *qlm_http_create(qlm_http_t **http, const qlm_http_settings_t *settings,
                             apr_pool_t *pool);

/** A fetcher over @a http for one caller.
 * @param hosts  the only hosts it may talk to (array of const char *, any case, "host" for any port
 * of it or "host:port", IPv6 addresses in brackets); NULL = any; kept, not copied
 * @param observer  may be NULL; also called for what was refused before connecting, with status 0
 * @return in @a pool */
const qlm_fetcher_t *qlm_http_fetcher(qlm_http_t *http, const apr_array_header_t *hosts,
                                      qlm_http_observer_t observer, void *observer_baton,
                                      apr_pool_t *pool);

#endif
