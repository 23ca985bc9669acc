/* Outbound HTTP as the rooms below see it: one function that is handed in. The server injects
 * libcurl (outbound/http.h), tests inject recordings. */
#ifndef QLM_BASE_FETCH_H
#define QLM_BASE_FETCH_H

#include "base/error.h"

#include <apr_tables.h>

typedef struct qlm_fetch_request_t {
    const char *method;                /**< "GET" or "POST" */
    const char *url;                   /**< absolute; https, or http to a loopback address */
    const apr_array_header_t *headers; /**< of const char *, "Name: value"; NULL = none */
    const char *body;                  /**< NULL = none */
    const char *content_type;          /**< of the body */
} qlm_fetch_request_t;

typedef struct qlm_fetch_response_t {
    int status;               /**< HTTP status; redirects are not followed */
    const char *content_type; /**< "" if the server named none */
    const char *body;         /**< terminated; the length counts */
    apr_size_t length;
} qlm_fetch_response_t;

typedef struct qlm_fetcher_t {
    /** Do it. *response is in @a pool. Errors: VENDOR-neutral kind STORE is never used;
     * QLM_ERROR_OUTBOUND when no HTTP answer came (refused, time-out, TLS, too large, address not
     * allowed); the text is for the log and holds no secrets. */
    qlm_error_t *(*fetch)(qlm_fetch_response_t **response, void *baton,
                          const qlm_fetch_request_t *request, apr_pool_t *pool);
    void *baton;
} qlm_fetcher_t;

/** The same for several exchanges at once: each is started, and whichever ends first is handed over
 * first. */
typedef struct qlm_courier_t {
    /** Begin; @a ticket names the exchange to the caller. @a request and @a pool are kept until it
     * is handed over. */
    void (*start)(void *baton, void *ticket, const qlm_fetch_request_t *request, apr_pool_t *pool);
    /** Wait up to @a milliseconds for one to end.
     * @return 1 if one did: *ticket is its name, *error NULL or why there is no answer (as fetch),
     * *response in its pool; 0 if none did */
    int (*wait)(void **ticket, qlm_fetch_response_t **response, qlm_error_t **error, void *baton,
                int milliseconds);
    void *baton;
} qlm_courier_t;

#endif
