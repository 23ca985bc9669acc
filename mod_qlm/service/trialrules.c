/* The rules of trial registration. Each is independent of the others and refuses by itself. */
#include "service/trialrules.h"

#include "base/address.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define SEPARATORS ";, \t\r\n"

static int is_set(const qlm_call_t *call, qlm_property_t property)
{
    return qlm_properties_bool(call->properties, property);
}

static qlm_error_t *refuse(const qlm_call_t *call, qlm_code_t code, const char *text)
{
    return qlm_error_make(call->pool, QLM_ERROR_REFUSED, code, "%s", text);
}

/* The publisher's own words, if there are any. */
static const char *words(const qlm_call_t *call, qlm_property_t property, const char *fallback)
{
    const char *own = qlm_properties_text(call->properties, property);

    return *own ? qlm_text_clean(own, 1000, call->pool) : fallback;
}

/* ---- without the database ---------------------------------------------------------------------
 */

static qlm_error_t *check_said(const qlm_applicant_t *applicant, const qlm_call_t *call)
{
    const struct {
        qlm_property_t property;
        qlm_argument_t argument;
        const char *value;
    } fields[] = {
        {QLM_PROPERTY_FULL_NAME_REQUIRED, QLM_ARGUMENT_FULL_NAME, applicant->full_name},
        {QLM_PROPERTY_COMPANY_REQUIRED, QLM_ARGUMENT_COMPANY, applicant->company},
        {QLM_PROPERTY_PHONE_REQUIRED, QLM_ARGUMENT_PHONE, applicant->phone},
        {QLM_PROPERTY_COUNTRY_REQUIRED, QLM_ARGUMENT_COUNTRY, applicant->country},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (is_set(call, fields[i].property) && !*fields[i].value) {
            return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_MISSING_ARGUMENT,
                                  "%s is missing: add the %s to the call",
                                  qlm_argument_name(fields[i].argument, call->pool),
                                  qlm_argument_row(fields[i].argument)->help);
        }
    }
    return NULL;
}

/* A part of the list stands anywhere in "@domain". */
static int is_listed(const char *domain, qlm_property_t list, const qlm_call_t *call)
{
    const char *at_domain = apr_pstrcat(call->pool, "@", domain, NULL);
    apr_array_header_t *parts =
        qlm_text_split(qlm_properties_text(call->properties, list), SEPARATORS, call->pool);

    for (int i = 0; i < parts->nelts; i++) {
        const char *part = qlm_text_fold(APR_ARRAY_IDX(parts, i, const char *), call->pool);

        if (strstr(at_domain, part)) {
            return 1;
        }
    }
    return 0;
}

static int is_generic(const char *domain, const qlm_call_t *call)
{
    return is_listed(domain, QLM_PROPERTY_GENERIC_PROVIDERS, call);
}

static qlm_error_t *check_provider(const char *domain, const qlm_call_t *call)
{
    if (is_listed(domain, QLM_PROPERTY_BANNED_PROVIDERS, call) ||
        (!is_set(call, QLM_PROPERTY_ALLOW_GENERIC_PROVIDERS) && is_generic(domain, call))) {
        return refuse(call, QLM_CODE_BLOCKED,
                      words(call, QLM_PROPERTY_DISALLOWED_EMAIL,
                            "this e-mail address cannot be used here: please use the address of "
                            "your company"));
    }
    return NULL;
}

static int holds_client(qlm_property_t list, const qlm_call_t *call)
{
    return qlm_addresses_hold(
        qlm_addresses_read(NULL, qlm_properties_text(call->properties, list), call->pool),
        call->input->client_ip, call->pool);
}

static qlm_error_t *refuse_address(const qlm_call_t *call)
{
    return refuse(call, QLM_CODE_IP_RESTRICTION,
                  words(call, QLM_PROPERTY_DISALLOWED_IP,
                        "nobody can register from this internet address: please ask the "
                        "publisher"));
}

qlm_error_t *qlm_trialrules_check(const qlm_applicant_t *applicant, const qlm_call_t *call)
{
    if (holds_client(QLM_PROPERTY_BLOCK_REGISTRATION_BY_IP, call) &&
        !holds_client(QLM_PROPERTY_WHITE_LISTED_IP, call)) {
        return refuse_address(call);
    }
    QLM_TRY(check_provider(applicant->registration.domain, call));
    return check_said(applicant, call);
}

/* ---- what was before --------------------------------------------------------------------------
 */

/* From which day the pause counts. */
static apr_int64_t counted_from(const qlm_registration_t *earlier, const qlm_call_t *call)
{
    const char *field =
        qlm_properties_text(call->properties, QLM_PROPERTY_DAYS_BETWEEN_TRIALS_FIELD);

    if (strcasecmp(field, "SubscriptionExpiryDate") == 0 && earlier->expires_at) {
        return earlier->expires_at;
    }
    if (strcasecmp(field, "ActivationDate") == 0 && earlier->first_activated_at) {
        return earlier->first_activated_at;
    }
    return earlier->created_at;
}

static int is_too_soon(const qlm_registration_t *earlier, const qlm_call_t *call)
{
    apr_int64_t days = qlm_properties_int(call->properties, QLM_PROPERTY_DAYS_BETWEEN_TRIALS);

    return days < 0 || (days > 0 && call->now < counted_from(earlier, call) + days * QLM_DATE_DAY);
}

static qlm_error_t *check_same_product(const qlm_registration_t *wanted,
                                       const qlm_registration_t *earlier, const qlm_call_t *call)
{
    int is_major = wanted->major == earlier->major;
    int is_minor = is_major && wanted->minor == earlier->minor;

    if (wanted->product_id != earlier->product_id) {
        return NULL;
    }
    if (is_set(call, QLM_PROPERTY_ONE_PER_PRODUCT) ||
        (is_major && is_set(call, QLM_PROPERTY_ONE_PER_MAJOR)) ||
        (is_minor && is_set(call, QLM_PROPERTY_ONE_PER_MINOR))) {
        return refuse(call, QLM_CODE_TOO_MANY_TRIALS,
                      "a trial of this product was registered for this e-mail address already");
    }
    return is_too_soon(earlier, call) ? refuse(call, QLM_CODE_TOO_MANY_TRIALS,
                                               "it is too soon for another trial of this product")
                                      : NULL;
}

static qlm_error_t *check_own(const qlm_applicant_t *applicant, const apr_array_header_t *earlier,
                              const qlm_call_t *call)
{
    apr_int64_t most = qlm_properties_int(call->properties, QLM_PROPERTY_REGISTRATIONS_PER_USER);

    for (int i = 0; i < earlier->nelts; i++) {
        QLM_TRY(check_same_product(&applicant->registration,
                                   &APR_ARRAY_IDX(earlier, i, qlm_registration_t), call));
    }
    return most >= 0 && earlier->nelts >= most
               ? refuse(call, QLM_CODE_TOO_MANY_TRIALS,
                        "no more trials can be registered for this e-mail address")
               : NULL;
}

static qlm_error_t *check_domain(const qlm_applicant_t *applicant, qlm_store_t *store,
                                 const qlm_call_t *call, apr_pool_t *pool)
{
    const char *domain = applicant->registration.domain;
    apr_int64_t count;

    if (!is_set(call, QLM_PROPERTY_ONE_PER_DOMAIN) || is_generic(domain, call)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_registrations_of_domain(&count, store, domain, pool));
    return count ? refuse(call, QLM_CODE_TOO_MANY_TRIALS,
                          "somebody of the same company has registered already")
                 : NULL;
}

static qlm_error_t *check_customer(const qlm_customer_t *customer, qlm_store_t *store,
                                   const qlm_call_t *call, apr_pool_t *pool)
{
    apr_int64_t count = 0;

    if (customer && is_set(call, QLM_PROPERTY_NOT_FOR_CUSTOMERS)) {
        QLM_TRY(qlm_store_count_bought(&count, store, customer->id, pool));
    }
    return count ? refuse(call, QLM_CODE_TOO_MANY_TRIALS,
                          "trials are for new customers: please ask the publisher")
                 : NULL;
}

static qlm_error_t *check_limit(qlm_property_t property, const char *address, qlm_store_t *store,
                                const qlm_call_t *call, apr_pool_t *pool)
{
    apr_int64_t most = qlm_properties_int(call->properties, property);
    apr_int64_t count;

    if (most < 0) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_registrations(&count, store, address,
                                          call->now - call->now % QLM_DATE_DAY, pool));
    return count < most ? NULL
                        : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_BLOCKED,
                                         "the server's limit %s is reached: try again tomorrow",
                                         qlm_property_row(property)->name);
}

static qlm_error_t *check_address(const char *address, qlm_store_t *store, const qlm_call_t *call,
                                  apr_pool_t *pool)
{
    apr_int64_t count;

    if (!*address || holds_client(QLM_PROPERTY_WHITE_LISTED_IP, call)) {
        return NULL;
    }
    QLM_TRY(check_limit(QLM_PROPERTY_REGISTRATIONS_PER_ADDRESS, address, store, call, pool));
    if (!is_set(call, QLM_PROPERTY_ONE_PER_IP)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_registrations(&count, store, address, 0, pool));
    return count ? refuse_address(call) : NULL;
}

qlm_error_t *qlm_trialrules_check_earlier(const qlm_applicant_t *applicant,
                                          const apr_array_header_t *earlier,
                                          const qlm_customer_t *customer, qlm_store_t *store,
                                          const qlm_call_t *call, apr_pool_t *pool)
{
    QLM_TRY(check_own(applicant, earlier, call));
    QLM_TRY(check_customer(customer, store, call, pool));
    QLM_TRY(check_domain(applicant, store, call, pool));
    QLM_TRY(check_address(applicant->registration.address, store, call, pool));
    return check_limit(QLM_PROPERTY_REGISTRATIONS_PER_DAY, "", store, call, pool);
}
