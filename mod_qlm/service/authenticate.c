/* Choosing the vendor and checking its credentials. */
#include "service/authenticate.h"

#include "base/text.h"
#include "service/strict.h"

#include <apr_strings.h>
#include <string.h>

static const char default_vendor[] = "qlmauthenticationprovider";

/* One text for all that can be wrong. */
static qlm_error_t *denied(qlm_call_t *call, const char *detail)
{
    return qlm_error_detail(
        qlm_error_make(call->pool, QLM_ERROR_DENIED, QLM_CODE_AUTHENTICATION,
                       "access denied: is_vendor, is_user and is_pwd must be those of an enabled "
                       "vendor%s",
                       qlm_strict_is_required(call)
                           ? ", and the request must be signed with its API key"
                           : ""),
        call->pool, "%s", detail);
}

/* The name that was asked for, and whether it came from the body. */
static const char *asked_vendor(const qlm_call_t *call, int *is_from_body)
{
    const char *name = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_VENDOR, QLM_FROM_URL);

    *is_from_body = 0;
    if (!name) {
        name = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_VENDOR, QLM_FROM_BODY);
        *is_from_body = name != NULL;
    }
    if (!name && call->properties) {
        name = qlm_properties_text(call->properties, QLM_PROPERTY_DEFAULT_VENDOR);
    }
    return qlm_text_is_empty(name) ? default_vendor : name;
}

/* The pair offered: is_user/is_pwd, else HTTP Basic. */
static void offered(const qlm_call_t *call, const char **user, const char **password)
{
    *user = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_USER, call->sources);
    *password = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_PWD, call->sources);
    if (!*user && !*password) {
        *user = call->input->basic_user;
        *password = call->input->basic_password;
    }
    *user = *user ? qlm_text_from_latin1_or_utf8(*user, call->pool) : "";
    *password = *password ? qlm_text_from_latin1_or_utf8(*password, call->pool) : "";
}

/* A vendor nobody knows costs the time that wrong credentials cost. */
static void spend(const qlm_call_t *call)
{
    const char *user, *password;

    offered(call, &user, &password);
    qlm_secrets_verify(call->secrets, "vendor/", password, "");
}

qlm_error_t *qlm_authenticate_choose_vendor(qlm_call_t *call)
{
    int is_from_body;
    const char *name = asked_vendor(call, &is_from_body);

    call->vendor = qlm_vendor_find(name);
    call->sources = QLM_FROM_ANY;
    if (!call->vendor) {
        if (call->site) {
            spend(call);
        }
        return denied(call, apr_psprintf(call->pool, "vendor \"%s\" is not known; known are %s",
                                         qlm_text_for_log(name, 40, call->pool),
                                         qlm_vendor_names(call->pool)));
    }
    if (!call->vendor->is_body_trusted) {
        call->sources &= ~QLM_FROM_BODY;
        if (is_from_body) {
            return denied(call, apr_psprintf(call->pool,
                                             "is_vendor=%s stands in the body, which a buyer can "
                                             "influence; put it into the URL",
                                             call->vendor->name));
        }
    }
    return NULL;
}

/* Both halves are always compared, so that the time taken tells nothing. A pair set for the
 * callback URL is the only one that counts there. */
static int matches(const qlm_call_t *call, const qlm_vendor_record_t *record, const char *user,
                   const char *password)
{
    int has_own = !qlm_text_is_empty(record->callback_verifier);
    const char *owner =
        apr_pstrcat(call->pool, "vendor/", record->name, has_own ? "/callback" : "", NULL);
    const char *expected = has_own ? record->callback_user : record->user;
    int is_user = qlm_text_is_empty(expected) || qlm_equal_constant_time(user, expected);
    int is_password =
        qlm_secrets_verify(call->secrets, owner, password,
                           has_own ? record->callback_verifier : record->password_verifier);

    return is_user & is_password;
}

/* Why the pair offered does not open the record, for the log; NULL if it does. */
static const char *judge(const qlm_call_t *call, const qlm_vendor_record_t *record, int is_match)
{
    if (!record->is_enabled) {
        return apr_psprintf(call->pool,
                            "vendor %s is not enabled; run `qlmctl vendor set %s enabled=true`",
                            record->name, record->name);
    }
    if (record->is_open) {
        return NULL;
    }
    if (qlm_text_is_empty(record->password_verifier) &&
        qlm_text_is_empty(record->callback_verifier)) {
        return apr_psprintf(call->pool,
                            "vendor %s has no password; run `qlmctl vendor set %s "
                            "user=NAME password=-` or declare it open=true",
                            record->name, record->name);
    }
    return is_match ? NULL
                    : apr_psprintf(call->pool, "wrong credentials for vendor %s", record->name);
}

/* Whatever is wrong, the same is worked out before anything is judged, so that the time of a
 * refusal does not tell what it was; also for a vendor without a record. */
static qlm_error_t *check_vendor(qlm_call_t *call)
{
    const qlm_vendor_record_t nobody = {.name = call->vendor->name};
    const qlm_vendor_record_t *record = qlm_snapshot_vendor(call->site, call->vendor->name);
    const char *user, *password, *fault = NULL, *unsigned_because = NULL;
    qlm_code_t code = QLM_CODE_AUTHENTICATION;

    if (!record) {
        record = &nobody;
    }
    offered(call, &user, &password);
    fault = judge(call, record, matches(call, record, user, password));
    if (qlm_strict_is_required(call)) {
        unsigned_because = qlm_strict_fault(&code, call, record);
    }
    if (fault) {
        return denied(call, fault);
    }
    if (code == QLM_CODE_TIME_DIFFERENCE) {
        return qlm_error_detail(
            qlm_error_make(call->pool, QLM_ERROR_DENIED, code,
                           "access denied: the time stamp of the request differs too much from "
                           "the server's time: set the clock, and sign each request anew"),
            call->pool, "%s", unsigned_because);
    }
    return unsigned_because ? denied(call, unsigned_because) : NULL;
}

/* Nobody needs credentials, but those that are given must be right. */
static qlm_error_t *check_offered(qlm_call_t *call)
{
    return qlm_argument_raw(call->input->fields, QLM_ARGUMENT_USER, call->sources) ||
                   qlm_argument_raw(call->input->fields, QLM_ARGUMENT_PWD, call->sources)
               ? check_vendor(call)
               : NULL;
}

qlm_error_t *qlm_authenticate(qlm_call_t *call)
{
    if (call->input->is_operator) {
        return NULL;
    }
    if (qlm_strict_is_required(call)) {
        return check_vendor(call);
    }
    switch (call->method->permission) {
    case QLM_PERMISSION_VENDOR:
        return check_vendor(call);
    case QLM_PERMISSION_OFFERED:
        return check_offered(call);
    case QLM_PERMISSION_RELEASE:
        return qlm_properties_bool(call->properties, QLM_PROPERTY_RELEASE_AUTHENTICATION)
                   ? check_vendor(call)
                   : check_offered(call);
    case QLM_PERMISSION_PUBLIC:
    default:
        return NULL;
    }
}
