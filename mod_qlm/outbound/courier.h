/* Several HTTP exchanges at once, in one thread: who does not answer keeps nobody else waiting. */
#ifndef QLM_OUTBOUND_COURIER_H
#define QLM_OUTBOUND_COURIER_H

#include "outbound/http.h"

/** A courier over @a http, by the rules of qlm_http_fetcher. Not thread-safe.
 * @return in @a pool; what is under way when that ends is dropped, and what was handed to start
 * must live in it or longer */
const qlm_courier_t *qlm_http_courier(qlm_http_t *http, const apr_array_header_t *hosts,
                                      qlm_http_observer_t observer, void *observer_baton,
                                      apr_pool_t *pool);

#endif
