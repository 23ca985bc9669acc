/* What a translator is: it turns one shop's request into a neutral order, and the outcome into that
 * shop's answer. It knows no SQL, no httpd and no keys. One file per shop, one exported symbol
 * each, one line in vendors.c. */
#ifndef QLM_VENDOR_VENDOR_H
#define QLM_VENDOR_VENDOR_H

#include "base/fields.h"
#include "license/order.h"
#include "license/properties.h"

/** What a translator may look at. */
typedef struct qlm_callback_t {
    const qlm_fields_t *fields; /**< raw; the translator knows its shop's character set */
    const qlm_properties_t *properties;
    apr_int64_t now;
} qlm_callback_t;

/** An answer in the making: bytes, status and content type of what the shop gets. */
typedef struct qlm_answer_t {
    int http_status;
    const char *content_type;
    const char *body;
} qlm_answer_t;

/** Fields of the customer and order by their names at one shop; NULL = the shop has none. */
typedef struct qlm_field_names_t {
    const char *order_ref, *quantity, *email, *first_name, *last_name, *full_name, *company;
    const char *address1, *address2, *city, *state, *zip, *country, *phone, *subscription_ref;
} qlm_field_names_t;

struct qlm_webhook_t;

typedef struct qlm_vendor_t {
    const char *name;           /**< canonical, lower case: "cleverbridge" */
    const char *const *aliases; /**< NULL-terminated, lower case, or NULL */
    const char *title;          /**< for people: "Cleverbridge" */
    int is_body_trusted; /**< 0: the body carries a buyer's input and may not supply is_* arguments
                          */
    int can_renew;       /**< a delivery may renew a license: it carries the original key */

    /** Read the order out of the callback. Everything in *order is in @a pool, cleaned UTF-8.
     * Cosmetic trouble goes to order->oddity. Errors: ARGUMENT, naming the field. */
    qlm_error_t *(*read_order)(qlm_order_t *order, const qlm_callback_t *callback,
                               apr_pool_t *pool);

    /** Read the customer alone, where there is no order; in @a pool, cleaned UTF-8. Cosmetic
     * trouble goes to *oddity, which is NULL otherwise. NULL: the customer of read_order serves. */
    void (*read_customer)(qlm_customer_t *customer, const char **oddity,
                          const qlm_callback_t *callback, apr_pool_t *pool);

    /** Write the answer that hands over @a keys (array of const char *, display form). In @a pool.
     */
    void (*write_keys)(qlm_answer_t *answer, const apr_array_header_t *keys,
                       const qlm_callback_t *callback, apr_pool_t *pool);

    /** Write what became of a call that changed licenses, as a sentence; in @a pool. NULL: the shop
     * gets the keys, as by write_keys. */
    void (*write_result)(qlm_answer_t *answer, const char *result, const qlm_callback_t *callback,
                         apr_pool_t *pool);

    /** Write a failure: never a text the shop would hand to a buyer as a key. In @a pool. */
    void (*write_failure)(qlm_answer_t *answer, const qlm_error_t *error,
                          const qlm_callback_t *callback, apr_pool_t *pool);

    const char *const *domains; /**< NULL-terminated ".example.com": where receive may ask, besides
                                 * the host in the vendor's record; NULL = nowhere */

    /** Serve a webhook delivery that may hold several orders (vendor/webhook.h); NULL where a
     * delivery is one order, which read_order and write_keys serve. The answer is always set, also
     * for a failure that the shop is to repeat. Errors: ARGUMENT for an unusable delivery, DENIED
     * for a foreign one; written by write_failure. */
    qlm_error_t *(*receive)(qlm_answer_t *answer, const struct qlm_webhook_t *webhook,
                            apr_pool_t *pool);
} qlm_vendor_t;

/** All translators, NULL-terminated. */
extern const qlm_vendor_t *const qlm_vendors[];

/** Find by name or alias, any case. @return NULL if there is none */
const qlm_vendor_t *qlm_vendor_find(const char *name);

/** The canonical names, comma separated, for messages and help; in @a pool. */
const char *qlm_vendor_names(apr_pool_t *pool);

#endif
