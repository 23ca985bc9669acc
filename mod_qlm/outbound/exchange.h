/* One HTTP exchange in the hands of libcurl, from the check of what is asked to the answer.
 * Internal to the room: http.c has one at a time, courier.c several. */
#ifndef QLM_OUTBOUND_EXCHANGE_H
#define QLM_OUTBOUND_EXCHANGE_H

#include "outbound/http.h"

#include <curl/curl.h>

/** Who asks, and whom. */
typedef struct qlm_http_caller_t {
    qlm_http_t *http;
    const apr_array_header_t *hosts; /**< see qlm_http_fetcher */
    qlm_http_observer_t observer;
    void *observer_baton;
} qlm_http_caller_t;

typedef struct qlm_exchange_t qlm_exchange_t;

/** Check @a request and set up a handle for it; everything is kept, not copied, until it is closed.
 * Errors: OUTBOUND, observed. Nothing is to be closed then. */
qlm_error_t *qlm_exchange_open(qlm_exchange_t **exchange, const qlm_http_caller_t *caller,
                               const qlm_fetch_request_t *request, apr_pool_t *pool);

/** The handle to perform. */
CURL *qlm_exchange_handle(const qlm_exchange_t *exchange);

/** What came of it, by libcurl's @a code: the answer, or an error of kind OUTBOUND. The handle must
 * have left its multi handle. */
qlm_error_t *qlm_exchange_close(qlm_fetch_response_t **response, qlm_exchange_t *exchange,
                                CURLcode code);

#endif
