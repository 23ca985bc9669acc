/* Logging in to Salesforce: how the vendor's record becomes a token request, in one of three OAuth
 * grants, and what the answer says. Nothing is sent from here. */
#ifndef QLM_VENDOR_SFLOGIN_H
#define QLM_VENDOR_SFLOGIN_H

#include "vendor/webhook.h"

typedef enum qlm_sfgrant_t {
    QLM_SFGRANT_PASSWORD,           /**< user name, password with security token, key and secret */
    QLM_SFGRANT_CLIENT_CREDENTIALS, /**< key and secret; the app names the user */
    QLM_SFGRANT_JWT                 /**< key, user name and a signature by our private key */
} qlm_sfgrant_t;

/** The vendor's record and settings, checked. */
typedef struct qlm_sfaccount_t {
    qlm_sfgrant_t grant;
    const qlm_credentials_t *credentials;
    const char *origin; /**< of the login host: "https://login.salesforce.com" */
    const char *host;   /**< its name, in lower case */
    int is_loopback;
    const char *audience;    /**< of the JWT */
    const char *fingerprint; /**< tells accounts apart; holds no secret */
} qlm_sfaccount_t;

/** What a login yields. */
typedef struct qlm_sfsession_t {
    const char *token;        /**< NULL = not logged in */
    const char *instance;     /**< origin of the organisation's own host */
    const char *organization; /**< id of the organisation, "" if the answer does not name it */
} qlm_sfsession_t;

/** Check record and settings. Everything is in @a pool. Errors: OUTBOUND, naming what is missing or
 * wrong and what to do. */
qlm_error_t *qlm_sflogin_account(qlm_sfaccount_t *account, const qlm_webhook_t *webhook,
                                 apr_pool_t *pool);

/** The token request, in @a pool; @a now dates the JWT. Errors: OUTBOUND (the private key cannot be
 * read). */
qlm_error_t *qlm_sflogin_request(qlm_fetch_request_t **request, const qlm_sfaccount_t *account,
                                 apr_int64_t now, apr_pool_t *pool);

/** Read the answer to it. Errors: OUTBOUND: refused, or an answer that cannot be used; the text
 * says why and names the user, and holds no secret. */
qlm_error_t *qlm_sflogin_answer(qlm_sfsession_t *session, const qlm_sfaccount_t *account,
                                const qlm_fetch_response_t *response, apr_pool_t *pool);

/** May requests with our token go to @a session's instance, and is the token fit for a header?
 * Errors: OUTBOUND. */
qlm_error_t *qlm_sflogin_check(const qlm_sfsession_t *session, const qlm_sfaccount_t *account,
                               apr_pool_t *pool);

#endif
