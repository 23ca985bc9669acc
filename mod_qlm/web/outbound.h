/* Outbound HTTP, with a log line for each exchange. */
#ifndef QLM_WEB_OUTBOUND_H
#define QLM_WEB_OUTBOUND_H

#include "outbound/http.h"
#include "web/web.h"

/** What one server needs in this child: *http, and the name by which the child takes leases.
 * @return NULL or an error */
qlm_error_t *qlm_outbound_create(qlm_server_conf_t *conf, apr_pool_t *pchild);

/** A fetcher that logs for @a r; NULL if @a http is. */
const qlm_fetcher_t *qlm_outbound_fetcher(struct qlm_http_t *http, request_rec *r);

/** A courier that logs for @a s. */
const qlm_courier_t *qlm_outbound_courier(struct qlm_http_t *http, server_rec *s, apr_pool_t *pool);

#endif
