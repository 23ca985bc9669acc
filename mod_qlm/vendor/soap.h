/* Salesforce's Outbound Message: a SOAP envelope with 1 to 100 notifications, each about one
 * record.
 *
 * Only what says who sends it and which records it is about is read: the addresses and the session
 * id in it are not for us (whoever forges a message would choose them). A document type, an entity
 * of its own, more than 1 MiB or 16 levels make it unreadable; nothing is ever fetched. */
#ifndef QLM_VENDOR_SOAP_H
#define QLM_VENDOR_SOAP_H

#include "base/error.h"

#include <apr_tables.h>

#define QLM_SOAP_MAX_BYTES         (1024 * 1024)
#define QLM_SOAP_MAX_RUN_BYTES     (64 * 1024) /**< of one tag and the text after it */
#define QLM_SOAP_MAX_DEPTH         16
#define QLM_SOAP_MAX_NOTIFICATIONS 100

/** About one record; "" where the message says nothing, or nil. */
typedef struct qlm_soap_notification_t {
    const char *id;          /**< of the notification */
    const char *object_type; /**< "Order" */
    const char *object_id;   /**< as sent: may be anything */
} qlm_soap_notification_t;

typedef struct qlm_soap_message_t {
    const char *organization;          /**< a valid id */
    apr_array_header_t *notifications; /**< of qlm_soap_notification_t, at least one */
} qlm_soap_message_t;

/** Read @a xml (UTF-8). Everything is in @a pool, cleaned, at most 255 bytes a text. Errors:
 * ARGUMENT, with a text that says why it cannot be read and quotes nothing of it. */
qlm_error_t *qlm_soap_read(const qlm_soap_message_t **message, const char *xml, apr_pool_t *pool);

/** Can @a text be the id of a record: 15 letters and digits, or 18? */
int qlm_soap_is_id(const char *text);

/** Are two valid ids the same? The 15 first characters say everything; the three more only repeat
 * which of them are capitals. */
int qlm_soap_is_same_id(const char *left, const char *right);

/** The envelope that says: all of it is taken, or send it again. Static. */
const char *qlm_soap_acknowledgement(int is_taken);

#endif
