/* Which licenses a changing call means: by key, by subscription, by order. */
#include "service/select.h"

#include "license/keygen.h"

qlm_error_t *qlm_select_unknown(apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NOT_FOUND,
                          "the activation key is not known here: check the key, or ask the "
                          "publisher");
}

qlm_error_t *qlm_select_key(const char **key, const qlm_call_t *call)
{
    return qlm_select_typed_key(key, qlm_arguments_text(call->arguments, QLM_ARGUMENT_KEY), call);
}

qlm_error_t *qlm_select_typed_key(const char **key, const char *typed, const qlm_call_t *call)
{
    qlm_key_shape_t shape = qlm_keygen_read(key, typed, call->secrets, call->pool);

    if (shape == QLM_KEY_UNREADABLE ||
        (shape == QLM_KEY_MISTYPED && !qlm_snapshot_has_foreign_keys(call->site))) {
        return qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_NOT_VALID,
                              "the activation key is not valid: check it for typing mistakes");
    }
    return NULL;
}

static int is_meant(const qlm_license_t *license, int matching, const qlm_arguments_t *arguments)
{
    apr_int64_t product = qlm_arguments_number(arguments, QLM_ARGUMENT_PRODUCT, -1);
    apr_int64_t major = qlm_arguments_number(arguments, QLM_ARGUMENT_MAJOR, -1);
    apr_int64_t minor = qlm_arguments_number(arguments, QLM_ARGUMENT_MINOR, -1);

    if (!matching || product < 0) {
        return 1;
    }
    return license->product_id == product &&
           (major < 0 || minor < 0 || (license->major == major && license->minor == minor));
}

/* Those of the subscription, or of the order if @a subscription is "". */
static qlm_error_t *list(apr_array_header_t *keys, const qlm_order_t *order,
                         const char *subscription, int matching, const qlm_call_t *call)
{
    apr_array_header_t *licenses;

    QLM_TRY(qlm_store_licenses_of(&licenses, call->store, order->vendor, subscription,
                                  order->order_ref, QLM_SELECT_MAX, call->pool));
    for (int i = 0; i < licenses->nelts; i++) {
        const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);

        if (is_meant(license, matching, call->arguments)) {
            APR_ARRAY_PUSH(keys, const char *) = license->activation_key;
        }
    }
    return NULL;
}

static qlm_error_t *find_by_key(apr_array_header_t *keys, int matching, const qlm_call_t *call)
{
    qlm_license_view_t *view;
    const char *key;

    QLM_TRY(qlm_select_key(&key, call));
    QLM_TRY(qlm_store_find_license(&view, call->store, key, "", call->pool));
    if (view && is_meant(&view->license, matching, call->arguments)) {
        APR_ARRAY_PUSH(keys, const char *) = key;
    }
    return keys->nelts ? NULL : qlm_select_unknown(call->pool);
}

/* A subscription first: a rebill brings the new order's number with the old subscription. */
static qlm_error_t *find_by_order(apr_array_header_t *keys, int *by_order, const qlm_order_t *order,
                                  int matching, const qlm_call_t *call)
{
    if (*order->subscription_ref) {
        QLM_TRY(list(keys, order, order->subscription_ref, matching, call));
    }
    if (keys->nelts == 0 && *order->order_ref) {
        QLM_TRY(list(keys, order, "", matching, call));
        *by_order = keys->nelts > 0;
    }
    return keys->nelts ? NULL
                       : qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_NOT_FOUND,
                                        "no license belongs to this order or subscription: check "
                                        "its number, or name the license by is_avkey");
}

qlm_error_t *qlm_select_licenses(apr_array_header_t **keys, int *by_order, const qlm_order_t *order,
                                 int matching, qlm_call_t *call)
{
    *by_order = 0;
    *keys = apr_array_make(call->pool, 4, sizeof(const char *));
    if (call->arguments->value[QLM_ARGUMENT_KEY].is_given) {
        return find_by_key(*keys, matching, call);
    }
    if (!*order->subscription_ref && !*order->order_ref) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_NOT_PROVIDED,
                              "name the license by is_avkey, or by the number of its order or "
                              "subscription");
    }
    return find_by_order(*keys, by_order, order, matching, call);
}
