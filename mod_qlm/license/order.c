/* The quantity arithmetic. */
#include "license/order.h"

#define MAX_ACTIVATIONS 1000000

static qlm_error_t *refuse(const char *text, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT, "%s", text);
}

static qlm_error_t *check_numbers(const qlm_terms_t *terms, int quantity, apr_pool_t *pool)
{
    apr_int64_t per_key = terms->activations_per_key ? terms->activations_per_key : 1;

    if (quantity < 1 || quantity > QLM_MAX_QUANTITY) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "The quantity must be a whole number from 1 to %d.",
                              QLM_MAX_QUANTITY);
    }
    if (per_key < 1) {
        return refuse("is_numberofactivationsperkey must be at least 1.", pool);
    }
    if (terms->additional_activations < 0) {
        return refuse("is_additionalactivations must not be negative.", pool);
    }
    if (quantity * per_key + terms->additional_activations > MAX_ACTIVATIONS) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "The quantity, is_numberofactivationsperkey and "
                              "is_additionalactivations together give more than %d activations.",
                              MAX_ACTIVATIONS);
    }
    return NULL;
}

/* Several keys share the quantity out, so that each carries the seats of one unit; the additional
 * activations belong to a single shared key only. */
qlm_error_t *qlm_order_share(qlm_share_t *share, const qlm_terms_t *terms, int quantity,
                             apr_pool_t *pool)
{
    int per_key = terms->activations_per_key ? terms->activations_per_key : 1;
    int additional = terms->use_one_key ? terms->additional_activations : 0;
    int units = terms->use_one_key ? quantity : 1;

    QLM_TRY(check_numbers(terms, quantity, pool));
    share->keys = terms->use_one_key ? 1 : quantity;
    share->activations = units * per_key + additional;
    share->floating_seats = 1;
    if (qlm_model_is_cloud(terms->model)) {
        share->floating_seats = share->activations;
    }
    else if (terms->is_floating || qlm_model_is_floating(terms->model)) {
        share->activations = 1 + additional;
        share->floating_seats = terms->use_one_key ? quantity : per_key;
    }
    return NULL;
}

int qlm_terms_is_limited(const qlm_terms_t *terms)
{
    return terms->expires_at != 0 || terms->duration_days >= 0;
}
