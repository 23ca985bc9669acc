/* Who is told: mails to customers and webhooks to the publisher's own systems. Everything here
 * writes outbox rows inside the unit of work that is their cause; nothing is sent. */
#ifndef QLM_SERVICE_NOTIFY_H
#define QLM_SERVICE_NOTIFY_H

#include "service/call.h"

#include <apr_hash.h>

/** Inside a unit: the mail of an order, if the arguments of a new line name a template
 * and is_send_mail does not say no: one mail with the keys of all new lines, in the language of
 * is_locale or the buyer's. An order without a usable address gets none; that is noted in the call.
 * @param lines              array of qlm_fulfil_line_t
 * @param template_argument  which argument names the template: is_emailtemplate or
 *                           is_emailtemplate_renew */
qlm_error_t *qlm_notify_order(const apr_array_header_t *lines, qlm_argument_t template_argument,
                              qlm_store_t *store, qlm_call_t *call, apr_pool_t *pool);

/** Inside a unit: the mail about @a licenses (array of qlm_license_t, as they are now) that a call
 * has changed, if its arguments name a template: to the buyer of @a order, or else to the customer
 * of each license, one mail to each. */
qlm_error_t *qlm_notify_changed(const apr_array_header_t *licenses, const qlm_order_t *order,
                                qlm_argument_t template_argument, qlm_store_t *store,
                                qlm_call_t *call, apr_pool_t *pool);
/** A mail that is not about an order. */
typedef struct qlm_notice_t {
    const char *form, *language; /**< name of the template; "" = no language is preferred */
    const char *to;
    apr_hash_t *variables; /**< folded name -> const char * */
    const char *about;     /**< for those who look into the outbox */
    int is_secret;         /**< sealed in the outbox, and nobody gets a copy */
} qlm_notice_t;

/** Inside a unit: a mail. Without a template or a usable address there is none; that is noted in
 * the call. */
qlm_error_t *qlm_notify_mail(const qlm_notice_t *notice, qlm_store_t *store, qlm_call_t *call,
                             apr_pool_t *pool);

/** Inside a unit: an outgoing webhook about a license, if webHooksEnabled and the property of that
 * name has URLs.
 * @param event       QLM_PROPERTY_ON_LICENSE_CREATED, _ACTIVATED, _MODIFIED, _RELEASED, _DELETED
 * @param customer    NULL: that of the license, read from the store
 * @param activation  the computer it is about, or NULL */
qlm_error_t *qlm_notify_license(qlm_property_t event, const qlm_license_t *license,
                                const qlm_customer_t *customer, const qlm_activation_t *activation,
                                qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool);

/** Inside a unit: the same about a customer.
 * @param event  QLM_PROPERTY_ON_CUSTOMER_CREATED, _MODIFIED, _DELETED */
qlm_error_t *qlm_notify_customer(qlm_property_t event, const qlm_customer_t *customer,
                                 qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool);

#endif
