/* UpdateLicenseHttp: a license is changed and keeps its key. */
#include "license/productvalues.h"
#include "service/newterms.h"
#include "service/operations.h"

#include <apr_strings.h>

/* The arguments that change something; the others say which license is meant. */
static const qlm_argument_t new_values[] = {
    QLM_ARGUMENT_FEATURES,     QLM_ARGUMENT_EXPIRY,      QLM_ARGUMENT_DURATION,
    QLM_ARGUMENT_PRODUCT,      QLM_ARGUMENT_MAJOR,       QLM_ARGUMENT_MINOR,
    QLM_ARGUMENT_MODEL,        QLM_ARGUMENT_QUANTITY,    QLM_ARGUMENT_USER_DATA,
    QLM_ARGUMENT_AFFILIATE,    QLM_ARGUMENT_REVOKE,      QLM_ARGUMENT_MAX_RELEASES,
    QLM_ARGUMENT_RELEASE_DAYS, QLM_ARGUMENT_QLM_VERSION, QLM_ARGUMENT_PROPERTIES,
};

static qlm_error_t *check_values(const qlm_arguments_t *arguments, apr_pool_t *pool)
{
    const char *names = "";

    for (size_t i = 0; i < sizeof(new_values) / sizeof(new_values[0]); i++) {
        if (arguments->value[new_values[i]].is_given) {
            return NULL;
        }
        names = apr_pstrcat(pool, names, *names ? ", " : "", qlm_argument_name(new_values[i], pool),
                            NULL);
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_MISSING_ARGUMENT,
                          "nothing says what to change: add one of %s", names);
}

/* Computers that are active keep their seats. */
static qlm_error_t *set_activations(qlm_license_t *license, int quantity, apr_pool_t *pool)
{
    int active = license->num_licenses - license->available_licenses;

    if (quantity < active) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NO_MORE_ACTIVATIONS,
                              "%d computers are active and only %d are to be allowed: release %d "
                              "of them first",
                              active, quantity, active - quantity);
    }
    license->num_licenses = quantity;
    license->available_licenses = quantity - active;
    return NULL;
}

/* As at a new license: of floating ones the quantity is the floating seats, of cloud ones both. */
static qlm_error_t *set_quantity(qlm_changing_t *changing, apr_pool_t *pool)
{
    qlm_license_t *after = &changing->after;
    int quantity = (int)qlm_arguments_number(changing->call->arguments, QLM_ARGUMENT_QUANTITY, 0);

    if (!quantity) {
        return NULL;
    }
    if (!qlm_model_is_floating(after->model)) {
        QLM_TRY(set_activations(after, quantity, pool));
    }
    if (qlm_model_is_floating(after->model) || qlm_model_is_cloud(after->model)) {
        after->floating_seats = quantity;
    }
    return NULL;
}

/* All or nothing, by the definitions of the product version that the license has now. */
static qlm_error_t *set_product_properties(qlm_changing_t *changing)
{
    const qlm_call_t *call = changing->call;
    qlm_license_t *after = &changing->after;
    const qlm_product_t *product =
        qlm_snapshot_product(call->site, after->product_id, after->major, after->minor);
    const char *is_pp = qlm_arguments_text(call->arguments, QLM_ARGUMENT_PROPERTIES);

    return *is_pp ? qlm_pp_apply(&after->properties, after->properties, is_pp,
                                 qlm_snapshot_pp_definitions(call->site, product), call->now,
                                 call->pool)
                  : NULL;
}

static qlm_error_t *update(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_arguments_t *arguments = changing->call->arguments;
    qlm_license_t *after = &changing->after;

    (void)store;
    QLM_TRY(check_values(arguments, pool));
    QLM_TRY(qlm_newterms_apply(changing, 0, pool));
    QLM_TRY(set_quantity(changing, pool));
    QLM_TRY(set_product_properties(changing));
    qlm_license_disable(
        after, (int)qlm_arguments_number(arguments, QLM_ARGUMENT_REVOKE, after->is_disabled),
        changing->call->now);
    after->max_release_count =
        (int)qlm_arguments_number(arguments, QLM_ARGUMENT_MAX_RELEASES, after->max_release_count);
    after->max_release_days =
        (int)qlm_arguments_number(arguments, QLM_ARGUMENT_RELEASE_DAYS, after->max_release_days);
    return NULL;
}

qlm_error_t *qlm_operation_update(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_change_t change = {
        .event = "updated",
        .outcome = "updated",
        .result = "Successfully updated license information for ActivationKey=",
        .takes_new_product = 1,
        .apply = update,
    };

    return qlm_change_run(reply, call, &change);
}
