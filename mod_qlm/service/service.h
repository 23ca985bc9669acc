/* What the server can be asked: the walk of a call from raw arguments to the reply. Knows no httpd.
 *
 * A qlm_service_t serves one site in one process: the secrets, and a snapshot of properties,
 * vendors and products that is read again when the database's revision changes. Threads may use it
 * at once. */
#ifndef QLM_SERVICE_SERVICE_H
#define QLM_SERVICE_SERVICE_H

#include "base/crypto.h"
#include "base/fields.h"
#include "license/signature.h"
#include "store/store.h"
#include "vendor/webhook.h"

typedef struct qlm_service_t qlm_service_t;

/** Where a call gets its database connection; web/database.c lends mod_dbd's, tests lend their own.
 */
typedef struct qlm_lender_t {
    qlm_error_t *(*lend)(qlm_store_t **store, void *baton, apr_pool_t *pool);
    /** Also after a failed lend, with what that has set or NULL. */
    void (*give_back)(qlm_store_t *store, void *baton);
    void *baton;
} qlm_lender_t;

/** How many URLs a client may have signed: behind a proxy we cannot know which it used. */
#define QLM_SIGNED_URLS 2

/** What a call brings along. */
typedef struct qlm_call_input_t {
    const char *method; /**< last path segment, any case; "" = the bare service URL */
    const char *only;   /**< the one method that is served where the call came in; NULL = all are */
    qlm_fields_t *fields;
    const char *client_ip; /**< as httpd knows it (mod_remoteip applied); "" = unknown */
    const char *basic_user, *basic_password; /**< HTTP Basic, NULL if absent */
    /** For strict authentication: the whole URL as the client may have written it, byte for byte;
     * NULL where there is none. */
    const char *signed_urls[QLM_SIGNED_URLS];
    const apr_table_t *headers; /**< of the request, as received; NULL = none */
    apr_int64_t now;            /**< seconds UTC */
    int is_operator;            /**< asked at the command line: no credentials, no switches */
    const char *server_version; /**< what PingHttp reports, "w.x.y.z"; NULL = our own */
    const qlm_error_t *error; /**< what went wrong while reading the request, or NULL: the answer */
    const qlm_fetcher_t *fetcher;         /**< outbound HTTP, NULL = there is none */
    const qlm_signature_memory_t *memory; /**< may be NULL */
    qlm_lender_t lender;
} qlm_call_input_t;

/** The answer: bytes for the wire, and words for one log line. */
typedef struct qlm_reply_t {
    int http_status;
    const char *content_type;
    const char *body;
    apr_size_t length;
    const char *method;  /**< as the table spells it; "" if unknown */
    const char *vendor;  /**< canonical name or "" */
    const char *outcome; /**< one word: "issued", "repeated", "activated", "valid", "reported",
                            "refused", "failed" … */
    const char *subject; /**< what it was about, fit for a log (short key, order number), or "" */
    const char *oddity;  /**< odd but served, or NULL */
    const qlm_error_t *error; /**< why it was refused, or NULL */
} qlm_reply_t;

/** Make a service. Lives in @a pool; background state has its own pools, destroyed with it. */
qlm_service_t *qlm_service_create(const qlm_secrets_t *secrets, apr_pool_t *pool);

/** What the service was made with, and its view of the site; for the outbox's worker. */
const qlm_secrets_t *qlm_service_secrets(const qlm_service_t *service);
struct qlm_site_t *qlm_service_site(const qlm_service_t *service);
/** What its calls have left to be written in the background. */
struct qlm_accessed_t *qlm_service_accessed(const qlm_service_t *service);

/** Is no call between its first and its last use of the database? */
int qlm_service_is_idle(qlm_service_t *service);

/** Serve one call. Never fails: every error becomes a reply. In @a pool. */
qlm_reply_t *qlm_service_run(qlm_service_t *service, const qlm_call_input_t *input,
                             apr_pool_t *pool);

#endif
