/* Who is told: mails to customers and webhooks to the publisher's own systems. Everything here
 * writes outbox rows inside the unit of work that is their cause; nothing is sent. */
#ifndef QLM_SERVICE_NOTIFY_H
#define QLM_SERVICE_NOTIFY_H

#include "service/call.h"

/** Inside a unit: the mail of an order, if the arguments of a new line name a template
 * and is_send_mail does not say no: one mail with the keys of all new lines, in the language of
 * is_locale or the buyer's. An order without a usable address gets none; that is noted in the call.
 * @param lines              array of qlm_fulfil_line_t
 * @param template_argument  which argument names the template: is_emailtemplate or
 *                           is_emailtemplate_renew */
qlm_error_t *qlm_notify_order(const apr_array_header_t *lines, qlm_argument_t template_argument,
                              qlm_store_t *store, qlm_call_t *call, apr_pool_t *pool);

/** Inside a unit: the webhook license_created, if webHooksEnabled and the property names URLs. */
qlm_error_t *qlm_notify_created(const qlm_license_t *license, const qlm_customer_t *customer,
                                qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool);

/** Inside a unit: the webhook license_activated. */
qlm_error_t *qlm_notify_activated(const qlm_license_view_t *view, qlm_store_t *store,
                                  const qlm_call_t *call, apr_pool_t *pool);

#endif
