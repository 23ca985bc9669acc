/* GetRecentOrdersHttp: for integrations that ask every few minutes what was sold. */
#include "service/info.h"
#include "service/operations.h"
#include "service/reply.h"
#include "service/retrieve.h"

#include <apr_strings.h>

#define PERIOD_DEFAULT 60
#define ORDERS_MAX     1000

/* The id is a text: many readers of JSON round numbers of 63 bits, and take different orders for
 * the same one. */
static json_t *order_info(const qlm_license_view_t *view, const qlm_call_t *call)
{
    json_t *order =
        json_pack("{s:s}", "id", apr_psprintf(call->pool, "%" APR_INT64_T_FMT, view->license.id));
    json_t *info = qlm_info_license(&view->license, &view->customer, NULL, call, call->pool);

    if (!info || json_object_update(order, info) != 0) {
        json_decref(order);
        order = NULL;
    }
    json_decref(info);
    return order;
}

/* NULL if one of them cannot be written: a list with gaps would look like orders that never were.
 */
static json_t *order_infos(const apr_array_header_t *views, const qlm_call_t *call)
{
    json_t *orders = json_array();

    for (int i = 0; i < views->nelts; i++) {
        if (json_array_append_new(
                orders, order_info(&APR_ARRAY_IDX(views, i, qlm_license_view_t), call)) != 0) {
            json_decref(orders);
            return NULL;
        }
    }
    return orders;
}

qlm_error_t *qlm_operation_recent(qlm_reply_t *reply, qlm_call_t *call)
{
    apr_int64_t minutes;
    apr_array_header_t *views;

    minutes = qlm_arguments_number(call->arguments, QLM_ARGUMENT_PERIOD, PERIOD_DEFAULT);
    QLM_TRY(qlm_store_list_recent(&views, call->store, qlm_retrieve_scope(call),
                                  call->now - 60 * minutes, ORDERS_MAX, call->pool));
    qlm_reply_note(reply, "listed", apr_psprintf(call->pool, "%d keys", views->nelts));
    return qlm_reply_set_json(reply, order_infos(views, call), call->pool);
}
