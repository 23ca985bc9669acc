/* Strict authentication: what was signed, and whether the token fits. */
#include "service/strict.h"

#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define OWN_PREFIX "X-Qlm"
#define URL_SHOWN  200 /* bytes of a URL in the log */

/* The spellings in circulation; the first that is there counts. */
static const char *const token_names[] = {"X-Qlm-Authentication-Token", "X-Qlm-Authentication",
                                          "Qlm-Authentication-Token", NULL};
static const char *const stamp_names[] = {"X-Qlm-Timestamp", "Qlm-Timestamp", NULL};
static const char *const version_names[] = {"X-Qlm-Authentication-Version",
                                            "Qlm-Authentication-Version", NULL};

/* What the headers of a request say; NULL where they say nothing. */
typedef struct claim_t {
    const char *token;
    const char *stamp;
    const char *version; /* "1" where no version is named */
} claim_t;

int qlm_strict_is_required(const qlm_call_t *call)
{
    return call->site && qlm_snapshot_lists(call->site, QLM_LISTED_STRICT, call->method);
}

static const char *find_header(const qlm_call_t *call, const char *const *names)
{
    for (; call->input->headers && *names; names++) {
        const char *value = apr_table_get(call->input->headers, *names);

        if (!qlm_text_is_empty(value)) {
            return value;
        }
    }
    return NULL;
}

static int is_among(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (strcasecmp(name, *names) == 0) {
            return 1;
        }
    }
    return 0;
}

/* ---- what was signed --------------------------------------------------------------------------
 */

static int add_further_header(void *buffer, const char *name, const char *value)
{
    if (strncasecmp(name, OWN_PREFIX, sizeof(OWN_PREFIX) - 1) == 0 &&
        !is_among(name, token_names) && !is_among(name, stamp_names) &&
        !is_among(name, version_names)) {
        qlm_buffer_add(buffer, "&");
        qlm_buffer_add(buffer, name);
        qlm_buffer_add(buffer, ":");
        qlm_buffer_add(buffer, value);
    }
    return 1;
}

static const char *signed_text(const qlm_call_t *call, const char *url, const claim_t *claim)
{
    qlm_buffer_t *buffer = qlm_buffer_create(1024, call->pool);

    qlm_buffer_add(buffer, url);
    if (strcmp(claim->version, "1") != 0) {
        qlm_buffer_add(buffer, "&X-Qlm-Timestamp:");
        qlm_buffer_add(buffer, claim->stamp ? claim->stamp : "");
        qlm_buffer_add(buffer, "&X-Qlm-Authentication-Version:");
        qlm_buffer_add(buffer, claim->version);
        if (call->input->headers) {
            apr_table_do(add_further_header, buffer, call->input->headers, NULL);
        }
    }
    return buffer->text;
}

/* Every URL is tried in any case: the time taken does not tell which one fits. */
static qlm_error_t *check_token(int *is_genuine, const qlm_call_t *call, const char *key,
                                const claim_t *claim)
{
    const char *given = qlm_text_fold(claim->token ? claim->token : "", call->pool);

    *is_genuine = 0;
    for (int i = 0; i < QLM_SIGNED_URLS; i++) {
        const char *url = call->input->signed_urls[i];
        const char *right;

        if (url) {
            QLM_TRY(qlm_hmac_sha256_hex(&right, key, signed_text(call, url, claim), call->pool));
            *is_genuine |= qlm_equal_constant_time(given, right);
        }
    }
    return NULL;
}

/* ---- judging ----------------------------------------------------------------------------------
 */

/* The vendor's API key, "" if there is none or it cannot be decrypted. */
static const char *api_key(const qlm_call_t *call, const qlm_vendor_record_t *record)
{
    const char *key = "";
    qlm_error_t *error = qlm_secrets_open(
        &key, call->secrets, apr_pstrcat(call->pool, "vendor/", record->name, "/api_key", NULL),
        record->api_key_sealed, call->pool);

    return error ? "" : key;
}

/* The URLs that were tried, without their queries: those hold keys and passwords. */
static const char *tried_urls(const qlm_call_t *call)
{
    const char *shown = "";

    for (int i = 0; i < QLM_SIGNED_URLS; i++) {
        const char *url = call->input->signed_urls[i];

        if (url) {
            shown = apr_pstrcat(call->pool, shown, *shown ? " or " : "",
                                qlm_text_for_log(apr_pstrmemdup(call->pool, url, strcspn(url, "?")),
                                                 URL_SHOWN, call->pool),
                                "?...", NULL);
        }
    }
    return *shown ? shown : "none, the request names no host";
}

static const char *check_version(const qlm_call_t *call, const claim_t *claim)
{
    apr_int64_t minimum = qlm_properties_int(call->properties, QLM_PROPERTY_STRICT_MINIMUM_VERSION);

    if (strcmp(claim->version, "1") != 0 && strcmp(claim->version, "2") != 0) {
        return apr_psprintf(call->pool, "X-Qlm-Authentication-Version %s is not known",
                            qlm_text_for_log(claim->version, 20, call->pool));
    }
    if (*claim->version - '0' < minimum) {
        return apr_psprintf(call->pool,
                            "X-Qlm-Authentication-Version %s is below "
                            "strictAuthenticationMinimumVersion",
                            claim->version);
    }
    return NULL;
}

static const char *check_time(qlm_code_t *code, const qlm_call_t *call, const claim_t *claim)
{
    apr_int64_t tolerance = qlm_properties_int(call->properties, QLM_PROPERTY_STRICT_TOLERANCE);
    apr_int64_t sent, difference;

    if (!claim->stamp || !qlm_date_parse(&sent, claim->stamp, "yyyy-MM-dd HH:mm:ss")) {
        return "X-Qlm-Timestamp is missing or not of the form yyyy-MM-dd HH:mm:ss";
    }
    difference = sent > call->now ? sent - call->now : call->now - sent;
    if (difference > tolerance) {
        *code = QLM_CODE_TIME_DIFFERENCE;
        return apr_psprintf(call->pool,
                            "X-Qlm-Timestamp differs by %" APR_INT64_T_FMT
                            " s from the server's time, more than "
                            "strictAuthenticationTimestampTolerance",
                            difference);
    }
    return NULL;
}

const char *qlm_strict_fault(qlm_code_t *code, const qlm_call_t *call,
                             const qlm_vendor_record_t *record)
{
    claim_t claim = {find_header(call, token_names), find_header(call, stamp_names),
                     find_header(call, version_names)};
    const char *key = api_key(call, record);
    const char *fault;
    qlm_error_t *error;
    int is_genuine;

    *code = QLM_CODE_AUTHENTICATION;
    if (!claim.version) {
        claim.version = "1";
    }
    error = check_token(&is_genuine, call, key, &claim);
    if (error) {
        return error->text;
    }
    if (!*key) {
        return apr_psprintf(call->pool,
                            "vendor %s has no API key that can be read; run `qlmctl vendor set %s "
                            "api_key=-`",
                            record->name, record->name);
    }
    if (!claim.token) {
        return "the request is not signed: there is no X-Qlm-Authentication-Token";
    }
    fault = check_version(call, &claim);
    if (fault) {
        return fault;
    }
    if (!is_genuine) {
        return apr_psprintf(call->pool,
                            "the signature is wrong, or of another URL than %s (see QlmPublicBase)",
                            tried_urls(call));
    }
    return check_time(code, call, &claim);
}
