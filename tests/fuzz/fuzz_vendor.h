/* A shop's callback: any bytes as its form body. What comes out must be fit for the database and
 * for the shop, whatever went in. */
#ifndef QLM_TESTS_FUZZ_VENDOR_H
#define QLM_TESTS_FUZZ_VENDOR_H

#include "base/date.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "vendor/vendor.h"

#define FUZZ_NOW ((apr_int64_t)1780000000)

/* NULL ("not said"), or clean UTF-8 that is no longer than the schema allows. */
static inline int fuzz_is_clean(const char *text, size_t max_bytes)
{
    return !text ||
           (qlm_text_is_utf8(text) && !qlm_text_has_control(text) && strlen(text) <= max_bytes);
}

static inline void fuzz_check_order(const qlm_order_t *order)
{
    const qlm_customer_t *customer = &order->customer;

    FUZZ_PROMISE(order->quantity >= 1 && order->quantity <= QLM_MAX_QUANTITY);
    FUZZ_PROMISE(order->ordered_at >= 0 && order->ordered_at <= QLM_DATE_MAX);
    FUZZ_PROMISE(order->expires_at >= 0 && order->expires_at <= QLM_DATE_MAX);
    FUZZ_PROMISE(order->order_ref && fuzz_is_clean(order->order_ref, 255));
    FUZZ_PROMISE(order->line_ref && *order->line_ref && fuzz_is_clean(order->line_ref, 255));
    FUZZ_PROMISE(fuzz_is_clean(order->shop_product, 255));
    FUZZ_PROMISE(fuzz_is_clean(order->subscription_ref, 255));
    FUZZ_PROMISE(fuzz_is_clean(order->user_data, 1000));
    FUZZ_PROMISE(fuzz_is_clean(customer->email, 255) && fuzz_is_clean(customer->full_name, 255));
    FUZZ_PROMISE(fuzz_is_clean(customer->company, 255) && fuzz_is_clean(customer->phone, 255));
    FUZZ_PROMISE(fuzz_is_clean(customer->address1, 255) && fuzz_is_clean(customer->city, 255));
    FUZZ_PROMISE(fuzz_is_clean(customer->address2, 255) && fuzz_is_clean(customer->state, 255));
    FUZZ_PROMISE(fuzz_is_clean(customer->zip, 255) && fuzz_is_clean(customer->country, 255));
}

static inline int fuzz_vendor(const char *name, const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    const qlm_vendor_t *vendor = qlm_vendor_find(name);
    qlm_fields_t *fields = qlm_fields_create(pool);
    qlm_callback_t callback = {fields, qlm_properties_create(pool), FUZZ_NOW};
    apr_array_header_t *keys = apr_array_make(pool, 1, sizeof(const char *));
    qlm_order_t order;
    qlm_answer_t answer;
    qlm_error_t *error;
    char *body = malloc(size ? size : 1);

    FUZZ_PROMISE(vendor && body);
    memcpy(body, data, size);
    memset(&order, 0, sizeof order);
    memset(&answer, 0, sizeof answer);
    APR_ARRAY_PUSH(keys, const char *) = "A0000-00000-00000-00000-000000";
    if (qlm_fields_parse(fields, body, size, QLM_FROM_BODY) == NULL) {
        error = vendor->read_order(&order, &callback, pool);
        if (error) {
            FUZZ_PROMISE(error->text && !qlm_text_has_control(error->text));
            vendor->write_failure(&answer, error, &callback, pool);
            FUZZ_PROMISE(answer.http_status >= 400 && answer.body);
        }
        else {
            fuzz_check_order(&order);
            vendor->write_keys(&answer, keys, &callback, pool);
            FUZZ_PROMISE(answer.http_status == 200 && strstr(answer.body, "A0000-"));
        }
    }
    free(body);
    apr_pool_destroy(pool);
    return 0;
}

#endif
