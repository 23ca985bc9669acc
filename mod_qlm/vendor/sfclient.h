/* Asking Salesforce on behalf of one delivery: a session that is shared by all processes through
 * the webhook's memory, renewed once when it has run out, and queries with all their pages.
 *
 * The delivery has a time budget, and some failures concern every further call as well: then the
 * client is halted and answers nothing more. */
#ifndef QLM_VENDOR_SFCLIENT_H
#define QLM_VENDOR_SFCLIENT_H

#include "vendor/sflogin.h"

#define QLM_SFCLIENT_MAX_RECORDS 2000 /**< of one query */
#define QLM_SFCLIENT_MAX_PAGES   200

typedef struct qlm_sfclient_t {
    const qlm_webhook_t *webhook;
    qlm_sfaccount_t account;
    qlm_sfsession_t session;
    const char *version; /**< of the API: "v60.0" */
    int renewals;        /**< of the session */
    int is_halted;       /**< no further call makes sense in this delivery */
    apr_pool_t *pool;
} qlm_sfclient_t;

/** A query whose fields may shrink: those that the organisation does not have, or does not show to
 * our user, are left out from then on. */
typedef struct qlm_sfquery_t {
    const char *object;         /**< "Order" */
    apr_array_header_t *fields; /**< of const char *, "Account.Name" */
    int needed;                 /**< the first of them, which cannot be left out */
} qlm_sfquery_t;

/** Check record and settings; nothing is sent. Errors: OUTBOUND. */
qlm_error_t *qlm_sfclient_create(qlm_sfclient_t **client, const qlm_webhook_t *webhook,
                                 apr_pool_t *pool);

/** Have a session: the one kept, or a new login. Errors: OUTBOUND, STORE; the client is halted. */
qlm_error_t *qlm_sfclient_connect(qlm_sfclient_t *client);

/** Is there time left for another call? Halts the client if not. */
int qlm_sfclient_has_time(qlm_sfclient_t *client);

/** Run @a query, all pages.
 * @param rest     "WHERE …"; whatever of it is not ours must have been checked
 * @param records  set to an array of const json_t *; they live in @a pool
 * Errors: OUTBOUND, STORE; REFUSED when there are more than QLM_SFCLIENT_MAX_RECORDS. */
qlm_error_t *qlm_sfclient_select(apr_array_header_t **records, qlm_sfclient_t *client,
                                 qlm_sfquery_t *query, const char *rest, apr_pool_t *pool);

/** A small text kept for all processes, which counts only for this account. *value is NULL if there
 * is none. In @a pool. Errors: STORE. */
qlm_error_t *qlm_sfclient_recall(const char **value, qlm_sfclient_t *client, const char *name,
                                 apr_pool_t *pool);
qlm_error_t *qlm_sfclient_remember(qlm_sfclient_t *client, const char *name, const char *value,
                                   apr_int64_t expires_at);

#endif
