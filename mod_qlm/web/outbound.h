/* Outbound HTTP and mail for the service, with a log line for each exchange; and the background
 * work that uses them: a tick of mod_watchdog in each child. */
#ifndef QLM_WEB_OUTBOUND_H
#define QLM_WEB_OUTBOUND_H

#include "outbound/http.h"
#include "web/web.h"

/** Prepare libcurl; hook child_init, before anything else here. */
void qlm_outbound_init(apr_pool_t *pchild);

/** What one server needs in this child: *http, and the name by which the child takes leases.
 * @return NULL or an error */
qlm_error_t *qlm_outbound_create(qlm_server_conf_t *conf, apr_pool_t *pchild);

/** A fetcher that logs for @a r; NULL if @a http is. */
const qlm_fetcher_t *qlm_outbound_fetcher(struct qlm_http_t *http, request_rec *r);

/** Have each child's watchdog work off the outbox; hook post_config (not later than MIDDLE).
 * @return 0 after a line in the log if mod_watchdog is missing */
int qlm_outbound_register(apr_pool_t *pconf, server_rec *s);

#endif
