/* The rules by which a computer is let in, in their order. */
#include "license/license.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"

#include <apr_strings.h>
#include <string.h>

#define MAX_COMPUTER_ID 255 /* characters */

/* What every rule looks at. */
typedef struct case_t {
    const qlm_license_t *license;
    const qlm_activation_t *activation;
    const qlm_request_t *request;
    const qlm_product_t *requested;
    const qlm_properties_t *properties;
    apr_pool_t *pool;
} case_t;

static qlm_error_t *refuse(qlm_code_t code, const char *text, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_REFUSED, code, "%s", text);
}

static qlm_error_t *check_revoked(const case_t *c)
{
    if (c->license->is_disabled) {
        return refuse(QLM_CODE_REVOKED,
                      "This license was revoked. Please ask the vendor for a valid one.", c->pool);
    }
    return NULL;
}

static qlm_error_t *check_product(const case_t *c)
{
    if (c->request->has_version && c->request->product_id != c->license->product_id) {
        return refuse(QLM_CODE_WRONG_PRODUCT,
                      "This license key belongs to another product. Please enter the key of this "
                      "product.",
                      c->pool);
    }
    return NULL;
}

/* Is the newer version covered by the maintenance plan? The plan must run today, and must have run
 * when that version was released. */
static int is_covered(const case_t *c)
{
    apr_int64_t until = c->license->maintenance_until;

    return until != 0 && until >= c->request->now && c->requested->released_at != 0 &&
           until >= c->requested->released_at;
}

static qlm_error_t *check_version(const case_t *c)
{
    const qlm_license_t *license = c->license;
    const qlm_request_t *request = c->request;
    int distance = request->major != license->major ? request->major - license->major
                                                    : request->minor - license->minor;

    if (!request->has_version || distance == 0) {
        return NULL;
    }
    if (c->requested == NULL) {
        return qlm_error_make(c->pool, QLM_ERROR_REFUSED, QLM_CODE_WRONG_VERSION,
                              "This license is for version %d.%d, and version %d.%d of the product "
                              "is not known here.",
                              license->major, license->minor, request->major, request->minor);
    }
    if (distance > 0 && !is_covered(c)) {
        return qlm_error_make(c->pool, QLM_ERROR_REFUSED, QLM_CODE_WRONG_VERSION,
                              "This license is for version %d.%d and no maintenance plan covers "
                              "version %d.%d. Please renew the maintenance plan or upgrade.",
                              license->major, license->minor, request->major, request->minor);
    }
    if (distance < 0 && !qlm_properties_bool(c->properties, QLM_PROPERTY_ALLOW_ACTIVATING_OLDER)) {
        return qlm_error_make(c->pool, QLM_ERROR_REFUSED, QLM_CODE_WRONG_VERSION,
                              "This license is for version %d.%d, not for the older version %d.%d. "
                              "Please update the application.",
                              license->major, license->minor, request->major, request->minor);
    }
    return NULL;
}

/* Characters, not bytes: the id was checked to be UTF-8. */
static apr_size_t count_characters(const char *text)
{
    apr_size_t count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

qlm_error_t *qlm_license_check_computer_id(const char *computer_id, apr_pool_t *pool)
{
    if (!computer_id || !*qlm_text_trim(computer_id, pool)) {
        return refuse(QLM_CODE_MISSING_ARGUMENT,
                      "The computer id is missing. Please send it as is_pcid.", pool);
    }
    if (qlm_text_has_control(computer_id) || !qlm_text_is_utf8(computer_id)) {
        return refuse(QLM_CODE_MISSING_ARGUMENT,
                      "The computer id (is_pcid) must be UTF-8 text without control characters.",
                      pool);
    }
    if (count_characters(computer_id) > MAX_COMPUTER_ID) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_MISSING_ARGUMENT,
                              "The computer id (is_pcid) is longer than %d characters.",
                              MAX_COMPUTER_ID);
    }
    return NULL;
}

/* A mere report needs no computer; an id that is given must be usable in any case. */
static qlm_error_t *check_computer(const case_t *c)
{
    const qlm_request_t *request = c->request;

    if (request->activate || !qlm_text_is_empty(request->computer_key) ||
        !qlm_text_is_empty(request->computer_id)) {
        QLM_TRY(qlm_license_check_computer_id(request->computer_id, c->pool));
    }
    if (c->license->is_generic &&
        !qlm_properties_bool(c->properties, QLM_PROPERTY_ALLOW_GENERIC_KEYS)) {
        return refuse(QLM_CODE_NOT_VALID,
                      "Generic license keys are not allowed on this server. Please ask the vendor "
                      "for a key of your own.",
                      c->pool);
    }
    return NULL;
}

/* The list is separated by || only: an id may contain any single character. */
static int is_listed(const char *list, const char *computer_id, apr_pool_t *pool)
{
    const char *id = qlm_text_fold(computer_id, pool);

    while (*list) {
        const char *end = strstr(list, "||");
        apr_size_t length = end ? (apr_size_t)(end - list) : strlen(list);
        const char *entry = qlm_text_fold(apr_pstrmemdup(pool, list, length), pool);

        if (*entry && strcmp(entry, id) == 0) {
            return 1;
        }
        list += length + (end ? 2 : 0);
    }
    return 0;
}

/* The site's list, then the license's own: nobody who is denied, and nobody else than those who are
 * allowed, if any are named. */
static qlm_error_t *check_blocked(const case_t *c)
{
    const char *blocked = qlm_properties_text(c->properties, QLM_PROPERTY_BLOCK_COMPUTER_IDS);
    const char *denied = c->license->denied_computers;
    const char *allowed = c->license->allowed_computers;
    const char *id = c->request->computer_id;

    if (qlm_text_is_empty(id)) {
        return NULL;
    }
    if (is_listed(blocked, id, c->pool)) {
        return refuse(QLM_CODE_BLOCKED,
                      "This computer is blocked on the license server. Please contact the vendor.",
                      c->pool);
    }
    return is_listed(denied, id, c->pool) || (*allowed && !is_listed(allowed, id, c->pool))
               ? refuse(QLM_CODE_BLOCKED,
                        "This license may not be used on this computer. Please contact the vendor.",
                        c->pool)
               : NULL;
}

static qlm_error_t *check_expiry(const case_t *c)
{
    if (c->license->expires_at != 0 && c->request->now > c->license->expires_at) {
        return qlm_error_make(c->pool, QLM_ERROR_REFUSED, QLM_CODE_EXPIRED,
                              "This license expired on %s. Please renew it.",
                              qlm_date_format(c->license->expires_at, "yyyy-MM-dd", c->pool));
    }
    return NULL;
}

/* A client that already holds a computer key wants to know whether it still stands; it is never
 * activated by that question. */
static qlm_error_t *check_computer_key(const case_t *c)
{
    if (qlm_text_is_empty(c->request->computer_key)) {
        return NULL;
    }
    if (c->activation->id == 0 && !c->license->is_generic) { /* a generic one is active anywhere */
        return refuse(QLM_CODE_NOT_ACTIVATED,
                      "This license is not active on this computer. Please activate it again.",
                      c->pool);
    }
    if (qlm_properties_bool(c->properties, QLM_PROPERTY_REQUIRE_COMPUTER_KEY_MATCH) &&
        !qlm_equal_constant_time(c->request->computer_key, c->activation->computer_key)) {
        return refuse(QLM_CODE_COMPUTER_KEY_MISMATCH,
                      "The computer key is not the one stored for this computer. Please activate "
                      "the license again.",
                      c->pool);
    }
    return NULL;
}

qlm_error_t *qlm_license_judge(qlm_verdict_t *verdict, const qlm_license_t *license,
                               const qlm_activation_t *activation, const qlm_request_t *request,
                               const qlm_product_t *requested, const qlm_properties_t *properties,
                               apr_pool_t *pool)
{
    static qlm_error_t *(*const rules[])(const case_t *) = {
        check_revoked, check_product, check_version,      check_computer,
        check_blocked, check_expiry,  check_computer_key,
    };
    const case_t c = {license, activation, request, requested, properties, pool};

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        QLM_TRY(rules[i](&c));
    }
    if (activation->id != 0) {
        *verdict = QLM_VERDICT_VALID;
    }
    else {
        *verdict = request->activate ? QLM_VERDICT_ACTIVATE : QLM_VERDICT_REPORT;
    }
    return NULL;
}

void qlm_license_disable(qlm_license_t *license, int is_disabled, apr_int64_t now)
{
    if (is_disabled != license->is_disabled) {
        license->is_disabled = is_disabled;
        license->disabled_at = is_disabled ? now : 0;
    }
}

/* Clients take 2 and 4 for success and look at nothing else when they see 2; so only the expired
 * one carries 4, with a date in the past or none. */
int qlm_license_refusal_status(qlm_code_t code)
{
    switch (code) {
    case QLM_CODE_REVOKED:
        return QLM_STATUS_INVALID | QLM_STATUS_REVOKED;
    case QLM_CODE_WRONG_PRODUCT:
    case QLM_CODE_NO_PRODUCT:
    case QLM_CODE_PRODUCT_NOT_FOUND:
        return QLM_STATUS_INVALID | QLM_STATUS_PRODUCT_INVALID;
    case QLM_CODE_WRONG_VERSION:
        return QLM_STATUS_INVALID | QLM_STATUS_VERSION_INVALID;
    case QLM_CODE_EXPIRED:
        return QLM_STATUS_DEMO | QLM_STATUS_EXPIRED;
    case QLM_CODE_BLOCKED:
    case QLM_CODE_ILLEGAL:
    case QLM_CODE_ACTIVATED_ELSEWHERE:
    case QLM_CODE_NO_MORE_ACTIVATIONS:
    case QLM_CODE_TOO_MANY_TRIALS:
    case QLM_CODE_TOO_MANY_PER_SYSTEM:
    case QLM_CODE_NOT_ACTIVATED:
    case QLM_CODE_COMPUTER_KEY_MISMATCH:
        return QLM_STATUS_INVALID | QLM_STATUS_MACHINE_INVALID;
    default:
        return QLM_STATUS_INVALID;
    }
}

static int is_limited(const qlm_license_t *license)
{
    return license->expires_at != 0 || license->duration_days >= 0;
}

int qlm_license_success_status(const qlm_license_t *license)
{
    return is_limited(license) ? QLM_STATUS_DEMO : QLM_STATUS_PERMANENT;
}

/* The key of a generic license is the same on every computer. */
const char *qlm_license_computer_key(const qlm_license_t *license, const char *computer_id,
                                     const struct qlm_secrets_t *secrets, apr_pool_t *pool)
{
    const qlm_computer_claim_t claim = {
        .prefix = qlm_model_computer_prefix(license->model, license->engine, is_limited(license),
                                            license->is_generic),
        .activation_key = license->activation_key,
        .computer_id = license->is_generic ? "" : computer_id,
        .expires_at = license->expires_at,
        .features = license->features,
        .floating_seats = license->floating_seats,
        .num_licenses = license->num_licenses,
    };

    return qlm_keygen_computer(&claim, secrets, pool);
}
