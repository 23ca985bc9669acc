/* Cleverbridge's notification document, the XML that comes along in a field of the form.
 *
 * Elements and attributes are known by their local names: prefixes and namespaces change with every
 * version of the shop's schema. A document type, an entity of its own, more than 256 KiB or more
 * than 32 levels make the document unreadable; nothing is ever fetched. */
#ifndef QLM_VENDOR_NOTIFICATION_H
#define QLM_VENDOR_NOTIFICATION_H

#include "base/error.h"
#include "license/order.h"

#include <apr_tables.h>

#define QLM_NOTIFICATION_MAX_BYTES (256 * 1024)
#define QLM_NOTIFICATION_MAX_DEPTH 32
#define QLM_NOTIFICATION_MAX_ITEMS 500

/** One item of the purchase; "" where the document says nothing. */
typedef struct qlm_notification_item_t {
    const char *running_no, *product_id, *quantity, *subscription_ref;
    const char *promotion, *coupon;
} qlm_notification_item_t;

/** Whose address it is. */
typedef enum qlm_contact_t {
    QLM_CONTACT_LICENSEE,
    QLM_CONTACT_DELIVERY,
    QLM_CONTACT_BILLING,
    QLM_CONTACT_COUNT
} qlm_contact_t;

typedef struct qlm_notification_t {
    const char *purchase_id;
    const char *status_id; /**< "PAY", "TST" … */
    qlm_customer_t contacts[QLM_CONTACT_COUNT];
    apr_array_header_t *items; /**< of qlm_notification_item_t */
} qlm_notification_t;

/** Read @a xml (UTF-8, whatever its declaration says). Everything is in @a pool, cleaned. Errors:
 * ARGUMENT, with a text that says why it cannot be read and quotes nothing of it. */
qlm_error_t *qlm_notification_read(const qlm_notification_t **notification, const char *xml,
                                   apr_pool_t *pool);

#endif
