/* What a shop's call is about: the order as its translator reads it, and the is_* arguments, to
 * which the publisher's mapping of the shop's product contributes. */
#ifndef QLM_SERVICE_ORDERING_H
#define QLM_SERVICE_ORDERING_H

#include "service/call.h"

/** Read the order by the call's vendor; names it in the reply's subject. Errors: ARGUMENT. */
qlm_error_t *qlm_ordering_read(qlm_order_t *order, qlm_reply_t *reply, qlm_call_t *call);

/** Read the method's arguments (call->arguments); property <vendor>_<product> fills what the URL
 * leaves open. Errors: ARGUMENT, also for a shop's product that neither URL nor property explains,
 * where the method requires a product. */
qlm_error_t *qlm_ordering_arguments(const qlm_order_t *order, qlm_call_t *call);

#endif
