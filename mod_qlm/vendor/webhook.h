/* What a translator needs to serve a webhook: a delivery that may hold several orders, and that may
 * have to be completed by asking the shop. It still knows no SQL, no httpd and no keys: all it
 * needs is handed in. */
#ifndef QLM_VENDOR_WEBHOOK_H
#define QLM_VENDOR_WEBHOOK_H

#include "base/fetch.h"
#include "vendor/vendor.h"

/** One item of an order, and the arguments the publisher has mapped to its product
 * ("&is_productid=1&…"). */
typedef struct qlm_line_t {
    qlm_order_t
        order; /**< order_ref and customer are those of the whole order; line_ref names the item */
    const char *arguments; /**< query string; URL arguments win over it */
} qlm_line_t;

/** The vendor's record with its secrets opened; "" where there is none. */
typedef struct qlm_credentials_t {
    const char *user, *password, *url, *api_key, *shared_key;
} qlm_credentials_t;

typedef struct qlm_webhook_t {
    const qlm_callback_t *callback;
    const qlm_credentials_t *credentials;
    const qlm_fetcher_t *fetcher; /**< may only reach the hosts of the vendor's configuration */
    apr_time_t deadline;          /**< when to stop and ask for redelivery */

    /** The present, for the deadline. */
    apr_time_t (*clock)(void *baton);
    /** Fulfil one order: all its lines in one transaction, those done before left out; safe to
     * repeat. *done counts the lines that were new. Errors: STORE or INTERNAL are transient (ask
     * for redelivery); ARGUMENT and REFUSED are final for this order. */
    qlm_error_t *(*deliver)(int *done, void *baton, const apr_array_header_t *lines,
                            apr_pool_t *pool);
    /** A small secret kept for all processes, encrypted (an access token). *value is NULL if there
     * is none or it has expired. */
    qlm_error_t *(*recall)(const char **value, void *baton, const char *name, apr_pool_t *pool);
    /** Keep it until @a expires_at (seconds UTC); NULL removes it. */
    qlm_error_t *(*remember)(void *baton, const char *name, const char *value,
                             apr_int64_t expires_at, apr_pool_t *pool);
    /** One line for the log: odd but served, or why redelivery is asked for. No secrets. */
    void (*note)(void *baton, const char *text);
    void *baton;
} qlm_webhook_t;

#endif
