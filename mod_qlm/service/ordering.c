/* The order that a call speaks of, and the arguments that go with it. */
#include "service/ordering.h"

#include "base/text.h"
#include "service/reply.h"

#include <apr_strings.h>
#include <string.h>

static const char *log_subject(const qlm_order_t *order, apr_pool_t *pool)
{
    return apr_psprintf(pool, "order %s/%s%s",
                        *order->order_ref ? qlm_text_for_log(order->order_ref, 40, pool) : "-",
                        qlm_text_for_log(order->line_ref, 40, pool),
                        order->is_test ? " (test)" : "");
}

qlm_error_t *qlm_ordering_read(qlm_order_t *order, qlm_reply_t *reply, qlm_call_t *call)
{
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};

    order->vendor = call->vendor->name;
    order->order_ref = order->subscription_ref = order->user_data = order->comment = "";
    order->shop_product = "";
    order->line_ref = "1";
    order->quantity = 1;
    QLM_TRY(call->vendor->read_order(order, &callback, call->pool));
    reply->subject = log_subject(order, call->pool);
    reply->oddity = order->oddity;
    return NULL;
}

static int requires_product(const qlm_method_t *method)
{
    const qlm_parameter_t *parameter = method->parameters;

    while (parameter->argument != QLM_ARGUMENT_NONE &&
           parameter->argument != QLM_ARGUMENT_PRODUCT) {
        parameter++;
    }
    return parameter->argument == QLM_ARGUMENT_PRODUCT && parameter->is_required;
}

/* What the publisher has mapped to the shop's product, property <vendor>_<product>, fills what the
 * URL leaves open. */
static qlm_error_t *add_mapping(const qlm_order_t *order, qlm_call_t *call)
{
    qlm_fields_t *fields = call->input->fields;
    const char *name = apr_pstrcat(call->pool, order->vendor, "_", order->shop_product, NULL);
    const char *mapped = *order->shop_product ? qlm_properties_get(call->properties, name) : NULL;

    if (mapped) {
        return qlm_fields_parse(fields, mapped, strlen(mapped), QLM_FROM_PROPERTY);
    }
    if (!*order->shop_product || !requires_product(call->method) ||
        qlm_argument_raw(fields, QLM_ARGUMENT_PRODUCT, call->sources)) {
        return NULL;
    }
    name = qlm_text_for_log(name, 80, call->pool);
    return qlm_error_detail(
        qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_PRODUCT_NOT_FOUND,
                       "unknown product %s: neither is_productid nor a mapping says what it is",
                       qlm_text_for_log(order->shop_product, 40, call->pool)),
        call->pool, "run `qlmctl property set %s '&is_productid=…'`", name);
}

qlm_error_t *qlm_ordering_arguments(const qlm_order_t *order, qlm_call_t *call)
{
    qlm_arguments_t *arguments;

    QLM_TRY(add_mapping(order, call));
    QLM_TRY(qlm_arguments_read(&arguments, call->method->parameters, call->input->fields,
                               call->sources, call->properties, call->pool));
    call->arguments = arguments;
    return NULL;
}
