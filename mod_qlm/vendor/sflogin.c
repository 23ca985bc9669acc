/* Logging in to Salesforce: requests and answers of the token endpoint. */
#include "vendor/sflogin.h"

#include "base/text.h"
#include "vendor/json.h"
#include "vendor/sfjwt.h"
#include "vendor/soap.h"

#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <openssl/evp.h>
#include <strings.h>

#define DEFAULT_URL     "https://login.salesforce.com"
#define TOKEN_PATH      "/services/oauth2/token"
#define FORM_TYPE       "application/x-www-form-urlencoded"
#define JWT_GRANT       "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define TOKEN_MAX_BYTES 8192
#define LOG_MAX_BYTES   120

/** What each grant is called in the settings and on the wire, and what of the record it needs. */
static const struct {
    const char *name, *wire;
    int needs_user, needs_password;
} grants[] = {
    [QLM_SFGRANT_PASSWORD] = {"password", "password", 1, 1},
    [QLM_SFGRANT_CLIENT_CREDENTIALS] = {"client_credentials", "client_credentials", 0, 0},
    [QLM_SFGRANT_JWT] = {"jwt", JWT_GRANT, 1, 0},
};

#define GRANT_COUNT (sizeof(grants) / sizeof(grants[0]))

static qlm_error_t *refuse(apr_pool_t *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static qlm_error_t *refuse(apr_pool_t *pool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "%s", text);
}

/* ---- addresses ---- */

/** The server part of an address. */
typedef struct origin_t {
    const char *text; /**< "https://host:port", no path */
    const char *host; /**< in lower case */
    int is_loopback;
} origin_t;

static int is_loopback_host(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0');
}

/** Read the server part of @a url: https, or http to this computer; nothing in it that could mean
 * another server to another reader. @return 1, or 0 if it cannot be used */
static int read_origin(origin_t *origin, const char *url, apr_pool_t *pool)
{
    apr_uri_t uri;
    apr_size_t length = strlen(url);
    if (strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                    "-._~:/?&=%[]") != length ||
        apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        !*uri.hostname || uri.user || (uri.port_str && !uri.port)) {
        return 0;
    }
    origin->host = qlm_text_fold(uri.hostname, pool);
    origin->is_loopback = is_loopback_host(origin->host);
    int is_secure = strcasecmp(uri.scheme, "https") == 0;
    if (!is_secure && !(strcasecmp(uri.scheme, "http") == 0 && origin->is_loopback)) {
        return 0;
    }
    const char *brackets = strchr(origin->host, ':') ? "[]" : "";
    origin->text = apr_psprintf(pool, "%s://%.1s%s%s%s%s", is_secure ? "https" : "http", brackets,
                                origin->host, *brackets ? "]" : "", uri.port_str ? ":" : "",
                                uri.port_str ? uri.port_str : "");
    return 1;
}

static int ends_with(const char *text, const char *end)
{
    apr_size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* ---- record and settings ---- */

static qlm_error_t *choose_grant(qlm_sfaccount_t *account, const qlm_properties_t *properties,
                                 apr_pool_t *pool)
{
    const char *name = qlm_properties_get(properties, "salesforce_grant");
    name = name && *name ? qlm_text_trim(name, pool) : grants[QLM_SFGRANT_PASSWORD].name;
    for (apr_size_t i = 0; i < GRANT_COUNT; ++i) {
        if (strcasecmp(name, grants[i].name) == 0) {
            account->grant = (qlm_sfgrant_t)i;
            return NULL;
        }
    }
    return refuse(pool, "the property salesforce_grant is none of password, client_credentials, "
                        "jwt");
}

static qlm_error_t *check_record(const qlm_sfaccount_t *account, apr_pool_t *pool)
{
    const qlm_credentials_t *record = account->credentials;
    const char *missing = NULL;
    if (!*record->api_key) {
        missing = "api_key (consumer key)";
    }
    else if (!*record->shared_key) {
        missing = account->grant == QLM_SFGRANT_JWT ? "shared_key (private key)"
                                                    : "shared_key (consumer secret)";
    }
    else if (grants[account->grant].needs_user && !*record->user) {
        missing = "user";
    }
    else if (grants[account->grant].needs_password && !*record->password) {
        missing = "password (with the security token)";
    }
    return missing ? refuse(pool, "the grant %s needs %s in the vendor's record",
                            grants[account->grant].name, missing)
                   : NULL;
}

static qlm_error_t *read_host(qlm_sfaccount_t *account, apr_pool_t *pool)
{
    origin_t origin;
    const char *url = qlm_text_trim(account->credentials->url, pool);
    if (!*url) {
        url = DEFAULT_URL;
    }
    else if (!strstr(url, "://")) {
        url = apr_pstrcat(pool, "https://", url, NULL);
    }
    if (!read_origin(&origin, url, pool)) {
        return refuse(pool, "the url in the vendor's record cannot be used: it must be https, or "
                            "http for a loopback address");
    }
    account->origin = origin.text;
    account->host = origin.host;
    account->is_loopback = origin.is_loopback;
    if (account->grant == QLM_SFGRANT_CLIENT_CREDENTIALS &&
        (strcmp(origin.host, "login.salesforce.com") == 0 ||
         strcmp(origin.host, "test.salesforce.com") == 0)) {
        return refuse(pool,
                      "the grant client_credentials needs the organization's My Domain as "
                      "url in the vendor's record; %s does not serve it",
                      origin.host);
    }
    return NULL;
}

/** Whom the JWT is for: said by a property, else the login host of the kind of organisation. */
static const char *choose_audience(const qlm_sfaccount_t *account,
                                   const qlm_properties_t *properties, apr_pool_t *pool)
{
    const char *said = qlm_properties_get(properties, "salesforce_jwt_audience");
    if (said && *said) {
        return qlm_text_trim(said, pool);
    }
    return strcmp(account->host, "test.salesforce.com") == 0 ||
                   ends_with(account->host, ".sandbox.my.salesforce.com")
               ? "https://test.salesforce.com"
               : DEFAULT_URL;
}

/** A digest, so that nothing of the record is kept beside a token. */
static const char *fingerprint(const qlm_sfaccount_t *account, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    const char *text =
        apr_pstrcat(pool, grants[account->grant].name, "\n", account->origin, "\n",
                    account->credentials->user, "\n", account->credentials->api_key, NULL);
    EVP_Digest(text, strlen(text), digest, &length, EVP_sha256(), NULL);
    return apr_pescape_hex(pool, digest, length, 0);
}

qlm_error_t *qlm_sflogin_account(qlm_sfaccount_t *account, const qlm_webhook_t *webhook,
                                 apr_pool_t *pool)
{
    const qlm_properties_t *properties = webhook->callback->properties;
    memset(account, 0, sizeof(*account));
    account->credentials = webhook->credentials;
    QLM_TRY(choose_grant(account, properties, pool));
    QLM_TRY(check_record(account, pool));
    QLM_TRY(read_host(account, pool));
    account->audience = choose_audience(account, properties, pool);
    account->fingerprint = fingerprint(account, pool);
    return NULL;
}

/* ---- request ---- */

static const char *field(const char *name, const char *value, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "&", name, "=", apr_pescape_urlencoded(pool, value), NULL);
}

qlm_error_t *qlm_sflogin_request(qlm_fetch_request_t **request, const qlm_sfaccount_t *account,
                                 apr_int64_t now, apr_pool_t *pool)
{
    const qlm_credentials_t *record = account->credentials;
    const char *body = apr_pstrcat(
        pool, "grant_type=", apr_pescape_urlencoded(pool, grants[account->grant].wire), NULL);
    if (account->grant == QLM_SFGRANT_JWT) {
        const char *jwt;
        qlm_sfjwt_t claims = {record->api_key, record->user, account->audience,
                              now + QLM_SFJWT_SECONDS};
        QLM_TRY(qlm_sfjwt_sign(&jwt, &claims, record->shared_key, pool));
        body = apr_pstrcat(pool, body, field("assertion", jwt, pool), NULL);
    }
    else {
        body = apr_pstrcat(pool, body, field("client_id", record->api_key, pool),
                           field("client_secret", record->shared_key, pool), NULL);
    }
    if (account->grant == QLM_SFGRANT_PASSWORD) {
        body = apr_pstrcat(pool, body, field("username", record->user, pool),
                           field("password", record->password, pool), NULL);
    }
    apr_array_header_t *headers = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(headers, const char *) = "Accept: application/json";
    *request = apr_pcalloc(pool, sizeof(**request));
    (*request)->method = "POST";
    (*request)->url = apr_pstrcat(pool, account->origin, TOKEN_PATH, NULL);
    (*request)->headers = headers;
    (*request)->body = body;
    (*request)->content_type = FORM_TYPE;
    return NULL;
}

/* ---- answer ---- */

/** The host's own words on a refusal, if they are words: whatever has the looks of a secret or
 * holds one of ours stays out of the log. */
static const char *description(const qlm_sfaccount_t *account, const json_t *answer,
                               apr_pool_t *pool)
{
    const qlm_credentials_t *record = account->credentials;
    const char *const secrets[] = {record->password, record->api_key, record->shared_key};
    const char *text = qlm_json_text(answer, "error_description");
    if (!*text || strlen(text) > LOG_MAX_BYTES ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ,.'/-")]) {
        return "";
    }
    for (apr_size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); ++i) {
        if (*secrets[i] && strcasestr(text, secrets[i])) {
            return "";
        }
    }
    return apr_pstrcat(pool, " (", text, ")", NULL);
}

/** What the administrator can do about it. */
static const char *advice(const qlm_sfaccount_t *account, const char *error)
{
    if (strcmp(error, "invalid_grant") == 0 && account->grant == QLM_SFGRANT_PASSWORD) {
        return "; check user, password and security token; where the organization blocks this "
               "flow, set salesforce_grant to client_credentials or jwt";
    }
    if (strcmp(error, "invalid_client_id") == 0 || strcmp(error, "invalid_client") == 0) {
        return "; check api_key and shared_key";
    }
    if (strcmp(error, "unsupported_grant_type") == 0) {
        return "; the app does not allow this flow: see salesforce_grant";
    }
    return "";
}

static qlm_error_t *read_refusal(const qlm_sfaccount_t *account,
                                 const qlm_fetch_response_t *response, const json_t *answer,
                                 apr_pool_t *pool)
{
    const char *error = qlm_json_text(answer, "error");
    if (!*error || strlen(error) > 40 || error[strspn(error, "abcdefghijklmnopqrstuvwxyz_")]) {
        return refuse(pool, "the login at %s was answered with status %d", account->host,
                      response->status);
    }
    const char *who =
        grants[account->grant].needs_user
            ? apr_pstrcat(pool, " as ",
                          qlm_text_for_log(account->credentials->user, LOG_MAX_BYTES, pool), NULL)
            : "";
    return refuse(pool, "the login at %s%s was refused: %s%s%s", account->host, who, error,
                  description(account, answer, pool), advice(account, error));
}

/** "https://…/id/<organisation>/<user>": the organisation, "" if it is no such address. */
static const char *organization_of(const char *identity, apr_pool_t *pool)
{
    const char *begin = strstr(identity, "/id/");
    if (!begin) {
        return "";
    }
    begin += 4;
    const char *id = apr_pstrmemdup(pool, begin, strcspn(begin, "/"));
    return qlm_soap_is_id(id) ? id : "";
}

qlm_error_t *qlm_sflogin_check(const qlm_sfsession_t *session, const qlm_sfaccount_t *account,
                               apr_pool_t *pool)
{
    origin_t origin;
    const char *end = session->token;
    for (; *end > 0x20 && *end < 0x7f; ++end) {
    }
    if (*end || end == session->token || end - session->token > TOKEN_MAX_BYTES) {
        return refuse(pool, "the login at %s gave no usable access token", account->host);
    }
    if (!read_origin(&origin, session->instance, pool) ||
        strcmp(origin.text, session->instance) != 0) {
        return refuse(pool, "the login at %s gave no usable instance_url", account->host);
    }
    /* A token must not be carried to whatever host an answer names. */
    if (strcmp(origin.host, account->host) != 0 && !(origin.is_loopback && account->is_loopback) &&
        !ends_with(origin.host, ".salesforce.com") && !ends_with(origin.host, ".force.com")) {
        return refuse(pool, "the login at %s gave an instance_url that is not Salesforce's: %s",
                      account->host, qlm_text_for_log(origin.host, LOG_MAX_BYTES, pool));
    }
    return NULL;
}

qlm_error_t *qlm_sflogin_answer(qlm_sfsession_t *session, const qlm_sfaccount_t *account,
                                const qlm_fetch_response_t *response, apr_pool_t *pool)
{
    json_t *answer;
    origin_t origin;
    qlm_error_t *error = qlm_json_read(&answer, response->body, response->length, pool);
    if (response->status != 200) {
        return read_refusal(account, response, error ? NULL : answer, pool);
    }
    if (error) {
        return refuse(pool, "the login at %s gave no usable answer: %s", account->host,
                      error->text);
    }
    const char *instance = qlm_json_text(answer, "instance_url");
    session->token = qlm_json_text(answer, "access_token");
    session->instance = read_origin(&origin, instance, pool) ? origin.text : "";
    session->organization = organization_of(qlm_json_text(answer, "id"), pool);
    QLM_TRY(qlm_sflogin_check(session, account, pool));
    session->token = apr_pstrdup(pool, session->token);
    return NULL;
}
