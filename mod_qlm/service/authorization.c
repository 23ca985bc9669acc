/* Authorization codes: a customer who has no key at hand asks for a code by e-mail address, and
 * activates with it.
 *
 * Anybody may ask, so the answer is the same whether or not there is a license, and few mails go
 * out. A code is good for the computer it was asked for only, is stored as a keyed verifier, and
 * few wrong ones end it. */
#include "base/text.h"
#include "license/keygen.h"
#include "mail/message.h"
#include "service/activation.h"
#include "service/notify.h"
#include "service/operations.h"
#include "service/reply.h"
#include "store/codes.h"

#include <apr_strings.h>
#include <string.h>

#define CODES_DIGITS   6
#define CODES_OPEN_MAX 5  /* of one customer at the same time */
#define PAUSE          60 /* seconds between two codes for a computer */
#define DAY            86400
#define LICENSES_MAX   100 /* of a customer, that are looked at */
#define TRIES          20  /* to make a code that the computer does not have */

static const char *verifier_owner(const char *computer_id, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "code/", qlm_text_fold(computer_id, pool), NULL);
}

static apr_int64_t code_seconds(const qlm_call_t *call)
{
    apr_int64_t minutes = qlm_properties_int(call->properties, QLM_PROPERTY_CODE_MINUTES);

    return (minutes > 0 ? minutes : 1) * 60;
}

/* ---- asking -----------------------------------------------------------------------------------
 */

/* One who asks. */
typedef struct asking_t {
    qlm_call_t *call;
    const char *computer_id;
    const qlm_customer_t *customer;
    const qlm_product_t *product;
    const char *notes; /* of the call, before the unit */
    /* what a run of the unit leaves: */
    const char *outcome;
} asking_t;

/* How well a license fits: 0 not at all; active on the computer already is best, a free seat comes
 * next. */
static qlm_error_t *fitness(int *fit, apr_int64_t *license_id, const asking_t *asking,
                            const char *key, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = asking->call;
    const qlm_product_t *product = asking->product;
    const qlm_request_t request = {asking->computer_id, "",       1, 1, product->id, product->major,
                                   product->minor,      call->now};
    qlm_license_view_t *view;
    qlm_verdict_t verdict;

    *fit = 0;
    QLM_TRY(qlm_store_find_license(&view, store, key, asking->computer_id, pool));
    if (!view || qlm_license_judge(&verdict, &view->license, &view->activation, &request, product,
                                   call->properties, pool)) {
        return NULL;
    }
    *license_id = view->license.id;
    *fit = verdict == QLM_VERDICT_VALID                                       ? 3
           : view->license.available_licenses > 0 || view->license.is_generic ? 2
                                                                              : 1;
    return NULL;
}

static qlm_error_t *choose_license(apr_int64_t *license_id, const asking_t *asking,
                                   qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *keys;
    int best = 0;

    *license_id = 0;
    QLM_TRY(qlm_store_list_usable_keys(&keys, store, asking->customer->id, asking->product->id,
                                       LICENSES_MAX, pool));
    for (int i = 0; i < keys->nelts; i++) {
        apr_int64_t id = 0;
        int fit;

        QLM_TRY(fitness(&fit, &id, asking, APR_ARRAY_IDX(keys, i, const char *), store, pool));
        if (fit > best) {
            best = fit;
            *license_id = id;
        }
    }
    return NULL;
}

/* Nobody is flooded with mails, and a guesser gets few codes to guess at. */
static qlm_error_t *is_too_much(int *too_much, const asking_t *asking, qlm_store_t *store,
                                apr_pool_t *pool)
{
    const qlm_call_t *call = asking->call;
    const char *computer = qlm_text_fold(asking->computer_id, pool);
    apr_int64_t a_day = qlm_properties_int(call->properties, QLM_PROPERTY_CODES_PER_DAY);
    apr_array_header_t *codes;
    int open = 0;

    *too_much = 0;
    QLM_TRY(qlm_store_list_codes_of_customer(&codes, store, asking->customer, call->now - DAY + 1,
                                             pool));
    for (int i = 0; i < codes->nelts; i++) {
        const qlm_authcode_t *code = &APR_ARRAY_IDX(codes, i, qlm_authcode_t);
        int is_same = strcmp(code->computer_id, computer) == 0;

        open += !code->used_at && code->expires_at > call->now && !is_same;
        *too_much |= is_same && code->created_at > call->now - PAUSE;
    }
    *too_much |= open >= CODES_OPEN_MAX || (a_day >= 0 && codes->nelts >= a_day);
    return NULL;
}

/* All of the 1,000,000 are equally likely: what is above the last full million is drawn again. */
static qlm_error_t *draw_digits(const char **digits, apr_pool_t *pool)
{
    const apr_uint32_t codes = 1000000;
    apr_uint32_t number;

    do {
        QLM_TRY(qlm_random(&number, sizeof(number), pool));
    } while (number >= UINT32_MAX - UINT32_MAX % codes);
    *digits = apr_psprintf(pool, "%0*u", CODES_DIGITS, number % codes);
    return NULL;
}

static const qlm_authcode_t *find_code(const apr_array_header_t *codes, const char *digits,
                                       const qlm_call_t *call, apr_pool_t *pool)
{
    for (int i = 0; i < codes->nelts; i++) {
        const qlm_authcode_t *code = &APR_ARRAY_IDX(codes, i, qlm_authcode_t);

        if (qlm_secrets_verify(call->secrets, verifier_owner(code->computer_id, pool), digits,
                               code->verifier)) {
            return code;
        }
    }
    return NULL;
}

/* A code that no other of the computer equals, also one that was used long ago. */
static qlm_error_t *add_code(const char **digits, const asking_t *asking, apr_int64_t license_id,
                             qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = asking->call;
    qlm_authcode_t code = {.computer_id = asking->computer_id,
                           .email = asking->customer->email,
                           .license_id = license_id,
                           .created_at = call->now,
                           .expires_at = call->now + code_seconds(call)};
    apr_array_header_t *others;
    int added = 0;

    *digits = "";
    QLM_TRY(qlm_store_hold_codes(&others, store, asking->computer_id, pool));
    for (int i = 0; i < TRIES && !added; i++) {
        QLM_TRY(draw_digits(digits, pool));
        if (find_code(others, *digits, call, pool)) {
            continue;
        }
        code.verifier = qlm_secrets_verifier(
            call->secrets, verifier_owner(asking->computer_id, pool), *digits, pool);
        QLM_TRY(qlm_store_add_code(&added, store, &code, call->now - DAY, pool));
    }
    return added ? NULL
                 : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_BLOCKED,
                                  "this computer has too many authorization codes");
}

static void put(apr_hash_t *variables, const char *name, const char *value)
{
    apr_hash_set(variables, name, APR_HASH_KEY_STRING, value);
}

static qlm_error_t *mail_code(const asking_t *asking, const char *digits, qlm_store_t *store,
                              apr_pool_t *pool)
{
    qlm_call_t *call = asking->call;
    const qlm_customer_t *customer = asking->customer;
    const qlm_product_t *product = asking->product;
    const qlm_notice_t notice = {
        .form = qlm_properties_text(call->properties, QLM_PROPERTY_CODE_TEMPLATE),
        .language = qlm_arguments_text(call->arguments, QLM_ARGUMENT_LOCALE),
        .to = customer->email,
        .variables = apr_hash_make(pool),
        .about = apr_psprintf(pool, "authorization code for product %d", product->id),
        .is_secret = 1};

    put(notice.variables, "authorizationcode", digits);
    put(notice.variables, "productname", product->name);
    put(notice.variables, "majorversion", apr_itoa(pool, product->major));
    put(notice.variables, "minorversion", apr_itoa(pool, product->minor));
    put(notice.variables, "fullname", customer->full_name);
    put(notice.variables, "email", customer->email);
    put(notice.variables, "company", customer->company);
    return qlm_notify_mail(&notice, store, call, pool);
}

static qlm_error_t *ask(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    asking_t *asking = baton;
    apr_int64_t license_id;
    const char *digits;
    int too_much;

    asking->call->notes = asking->notes;
    asking->outcome = "limited";
    QLM_TRY(is_too_much(&too_much, asking, store, pool));
    if (too_much) {
        return NULL;
    }
    asking->outcome = "unknown";
    QLM_TRY(choose_license(&license_id, asking, store, pool));
    if (!license_id) {
        return NULL;
    }
    asking->outcome = "sent";
    QLM_TRY(add_code(&digits, asking, license_id, store, pool));
    return mail_code(asking, digits, store, pool);
}

static qlm_error_t *read_asking(asking_t *asking, const qlm_call_t *call)
{
    const qlm_arguments_t *arguments = call->arguments;
    int product = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, 0);
    int major = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, 0);
    int minor = (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, 0);

    asking->computer_id = qlm_arguments_text(arguments, QLM_ARGUMENT_COMPUTER_ID);
    QLM_TRY(qlm_license_check_computer_id(asking->computer_id, call->pool));
    if (!qlm_mail_is_address(qlm_arguments_text(arguments, QLM_ARGUMENT_EMAIL))) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "is_email is not usable: one e-mail address is expected");
    }
    asking->product = qlm_snapshot_product(call->site, product, major, minor);
    return asking->product
               ? NULL
               : qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_PRODUCT_NOT_FOUND,
                                "unknown product %d version %d.%d: check is_productid, "
                                "is_majorversion and is_minorversion",
                                product, major, minor);
}

qlm_error_t *qlm_operation_request_code(qlm_reply_t *reply, qlm_call_t *call)
{
    asking_t asking = {.call = call, .notes = call->notes, .outcome = "unknown"};

    QLM_TRY(read_asking(&asking, call));
    QLM_TRY(qlm_store_find_customer_by_email(
        &asking.customer, call->store, qlm_arguments_text(call->arguments, QLM_ARGUMENT_EMAIL),
        call->pool));
    if (asking.customer) {
        QLM_TRY(qlm_store_write(call->store, ask, &asking, call->pool));
    }
    qlm_reply_result(reply,
                     "If a license belongs to this e-mail address, a code that activates it is on "
                     "its way there.",
                     NULL, NULL, call->pool);
    reply->outcome = asking.outcome;
    return NULL;
}

/* ---- trying -----------------------------------------------------------------------------------
 */

/* One who has a code. */
typedef struct trying_t {
    const qlm_call_t *call;
    const char *computer_id, *digits;
    const char *computer_key; /* is_pckey in normal form, "" = none */
    /* what a run of the unit leaves: */
    const char *key;      /* of the license, NULL = refused */
    qlm_error_t *refusal; /* in the call's pool */
} trying_t;

static qlm_error_t *refuse(const trying_t *trying, qlm_code_t code, const char *text)
{
    return qlm_error_make(trying->call->pool, QLM_ERROR_REFUSED, code, "%s", text);
}

static apr_int64_t window_start(const trying_t *trying)
{
    return trying->call->now - code_seconds(trying->call);
}

static int is_locked(const qlm_authcode_t *code, const trying_t *trying)
{
    apr_int64_t most = qlm_properties_int(trying->call->properties, QLM_PROPERTY_CODE_ATTEMPTS);

    return most >= 0 && code->attempts >= most && code->failed_at >= window_start(trying);
}

/* Can this code lead anywhere? Without a computer key it does so for a few minutes only. */
static int is_live(const qlm_authcode_t *code, const trying_t *trying)
{
    return code->expires_at > trying->call->now || (code->used_at && *trying->computer_key);
}

/* Codes that are neither locked nor at their end. */
static apr_array_header_t *open_codes(int *has_locked, const apr_array_header_t *codes,
                                      const trying_t *trying, apr_pool_t *pool)
{
    apr_array_header_t *open = apr_array_make(pool, codes->nelts, sizeof(qlm_authcode_t));

    *has_locked = 0;
    for (int i = 0; i < codes->nelts; i++) {
        const qlm_authcode_t *code = &APR_ARRAY_IDX(codes, i, qlm_authcode_t);

        if (is_live(code, trying)) {
            if (is_locked(code, trying)) {
                *has_locked = 1;
            }
            else {
                APR_ARRAY_PUSH(open, qlm_authcode_t) = *code;
            }
        }
    }
    return open;
}

static qlm_error_t *explain(const trying_t *trying, int has_locked)
{
    return has_locked ? refuse(trying, QLM_CODE_BLOCKED,
                               "too many wrong authorization codes came from this computer: ask "
                               "for a new code, or try again later")
                      : refuse(trying, QLM_CODE_NOT_VALID,
                               "the authorization code is wrong or has expired: check it, or ask "
                               "for a new one");
}

/* The unit of work: a wrong code is counted although it is refused, and codes that come at the same
 * time are looked at one after the other. */
static qlm_error_t *try_code(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    trying_t *trying = baton;
    const qlm_call_t *call = trying->call;
    apr_int64_t most = qlm_properties_int(call->properties, QLM_PROPERTY_CODE_ATTEMPTS);
    apr_array_header_t *codes;
    const qlm_authcode_t *code;
    int has_locked;

    trying->key = NULL;
    QLM_TRY(qlm_store_hold_codes(&codes, store, trying->computer_id, pool));
    codes = open_codes(&has_locked, codes, trying, pool);
    code = find_code(codes, trying->digits, call, pool);
    if (code) {
        trying->key = apr_pstrdup(call->pool, code->activation_key);
        return qlm_store_use_code(store, code, call->now, pool);
    }
    trying->refusal = explain(trying, has_locked && codes->nelts == 0);
    return codes->nelts && most >= 0 ? qlm_store_fail_codes(store, trying->computer_id, call->now,
                                                            window_start(trying), most, pool)
                                     : NULL;
}

static void read_trying(trying_t *trying, const qlm_call_t *call)
{
    const char *computer_key = qlm_arguments_text(call->arguments, QLM_ARGUMENT_COMPUTER_KEY);

    trying->call = call;
    trying->computer_id = qlm_arguments_text(call->arguments, QLM_ARGUMENT_COMPUTER_ID);
    trying->digits = qlm_arguments_text(call->arguments, QLM_ARGUMENT_CODE);
    trying->computer_key = "";
    if (*computer_key) {
        qlm_keygen_read(&trying->computer_key, computer_key, call->secrets, call->pool);
    }
}

/* A computer that shows the computer key it got is no guesser: nothing is counted or written, and
 * nobody can lock it out. */
static const qlm_authcode_t *find_known(const trying_t *trying, const apr_array_header_t *codes)
{
    const qlm_authcode_t *code = find_code(codes, trying->digits, trying->call, trying->call->pool);

    return code && code->used_at && *code->computer_key &&
                   qlm_equal_constant_time(trying->computer_key, code->computer_key)
               ? code
               : NULL;
}

/* Refusals are signed, too, when the client names its version. */
static void choose_signer(qlm_call_t *call)
{
    const qlm_arguments_t *arguments = call->arguments;

    call->signer = qlm_snapshot_product(
        call->site, (int)qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, -1),
        (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, -1),
        (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, -1));
}

qlm_error_t *qlm_operation_activate_by_code(qlm_reply_t *reply, qlm_call_t *call)
{
    trying_t trying = {0};
    apr_array_header_t *codes;
    const qlm_authcode_t *known;

    read_trying(&trying, call);
    choose_signer(call);
    QLM_TRY(qlm_license_check_computer_id(trying.computer_id, call->pool));
    QLM_TRY(qlm_store_list_codes(&codes, call->store, trying.computer_id, call->pool));
    if (codes->nelts == 0) {
        return explain(&trying, 0);
    }
    known = find_known(&trying, codes);
    if (known) {
        return qlm_activation_run(reply, call, known->activation_key);
    }
    QLM_TRY(qlm_store_write(call->store, try_code, &trying, call->pool));
    return trying.key ? qlm_activation_run(reply, call, trying.key) : trying.refusal;
}
