/* Salesforce: an Outbound Message says which orders were activated; the orders themselves are read
 * back with our own credentials, so that a forged message can at most point at an order that is
 * really there. One acknowledgement answers for all orders of a message, and "no" brings all of
 * them again: each order is fulfilled by itself and safe to repeat. */
#include "vendor/vendors.h"

#include "base/text.h"
#include "vendor/answer.h"
#include "vendor/sforder.h"
#include "vendor/soap.h"

#include <apr_strings.h>

#define XML_TYPE              "text/xml; charset=UTF-8"
#define TEXT_TYPE             "text/plain; charset=UTF-8"
#define MESSAGE_FIELD         "XML"
#define ORGANIZATION_PROPERTY "salesforce_organization"
#define ORGANIZATION_PIN      "salesforce_organization"
#define PIN_SECONDS           ((apr_int64_t)10 * 366 * 86400)
#define DONE_PREFIX           "salesforce_done_"
#define DONE_SECONDS          (48 * 3600) /* twice as long as Salesforce repeats a message */
#define LOG_MAX_BYTES         60

/** A delivery being served. */
typedef struct delivery_t {
    const qlm_webhook_t *webhook;
    const qlm_soap_message_t *message;
    qlm_sfclient_t *client;
    qlm_sfreader_t reader;
    apr_array_header_t *done; /**< ids of the notifications that are dealt with (const char *) */
    int is_pending;           /**< something is left to be sent again */
    apr_pool_t *pool;
} delivery_t;

static void note(const delivery_t *delivery, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(const delivery_t *delivery, const char *format, ...)
{
    const qlm_webhook_t *webhook = delivery->webhook;
    va_list arguments;
    va_start(arguments, format);
    webhook->note(webhook->baton, apr_pvsprintf(delivery->pool, format, arguments));
    va_end(arguments);
}

/** Why something must be sent again; the detail is for the log as well. */
static void postpone(delivery_t *delivery, const qlm_error_t *error)
{
    delivery->is_pending = 1;
    note(delivery, "redelivery is asked for: %s%s%s", error->text, error->detail ? ": " : "",
         error->detail ? error->detail : "");
}

/* ---- organisation ---- */

/** Whose message we accept: the organisation set, else the one pinned at the first login, NULL as
 * long as there was none. */
static qlm_error_t *known_organization(const char **organization, delivery_t *delivery)
{
    const char *set =
        qlm_properties_get(delivery->webhook->callback->properties, ORGANIZATION_PROPERTY);
    if (set && *set) {
        *organization = qlm_text_trim(set, delivery->pool);
        return NULL;
    }
    return qlm_sfclient_recall(organization, delivery->client, ORGANIZATION_PIN, delivery->pool);
}

static qlm_error_t *deny(const delivery_t *delivery, const char *known)
{
    qlm_error_t *error =
        qlm_error_make(delivery->pool, QLM_ERROR_DENIED, QLM_CODE_AUTHENTICATION,
                       "the message is from another organization than the one configured");
    return qlm_error_detail(error, delivery->pool,
                            "it is from %s, expected is %s; if the sender is right, set the "
                            "property " ORGANIZATION_PROPERTY,
                            delivery->message->organization,
                            qlm_text_for_log(known, LOG_MAX_BYTES, delivery->pool));
}

/** The organisation that our credentials lead to must be the sender: an order of one is not found
 * in the other, and would be taken for one that does not exist. */
static qlm_error_t *compare_login(delivery_t *delivery, const char *known)
{
    const char *own = delivery->client->session.organization,
               *sender = delivery->message->organization;
    if (!*own && known) {
        delivery->client->session.organization = known;
        return NULL;
    }
    if (!*own) {
        return qlm_error_make(delivery->pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN,
                              "the login does not name the organization; set the "
                              "property " ORGANIZATION_PROPERTY);
    }
    if (!known) {
        QLM_TRY(qlm_sfclient_remember(delivery->client, ORGANIZATION_PIN, own,
                                      delivery->webhook->callback->now + PIN_SECONDS));
    }
    if (qlm_soap_is_same_id(own, sender)) {
        return NULL;
    }
    return known ? qlm_error_make(delivery->pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN,
                                  "the credentials in the vendor's record lead to the organization "
                                  "%s, but the message is from %s",
                                  own, sender)
                 : deny(delivery, own);
}

/** Let in who may be, and log in. Errors: DENIED; others are passing. */
static qlm_error_t *admit(delivery_t *delivery)
{
    const char *known;
    QLM_TRY(known_organization(&known, delivery));
    if (known && !qlm_soap_is_same_id(known, delivery->message->organization)) {
        return deny(delivery, known);
    }
    QLM_TRY(qlm_sfclient_connect(delivery->client));
    return compare_login(delivery, known);
}

/* ---- orders ---- */

/** What may succeed when the same is sent again. */
static int is_passing(const qlm_error_t *error)
{
    return error->kind == QLM_ERROR_OUTBOUND || error->kind == QLM_ERROR_STORE ||
           error->kind == QLM_ERROR_INTERNAL || error->kind == QLM_ERROR_CONFLICT;
}

static const char *name_of(const qlm_sforder_t *order, const char *id, apr_pool_t *pool)
{
    return *order->number ? apr_psprintf(pool, "order %s (%s)",
                                         qlm_text_for_log(order->number, LOG_MAX_BYTES, pool), id)
                          : apr_psprintf(pool, "order %s", id);
}

static void report(delivery_t *delivery, const qlm_sforder_t *order, const char *id,
                   const qlm_error_t *error)
{
    const char *name = name_of(order, id, delivery->pool);
    if (error && is_passing(error)) {
        delivery->is_pending = 1;
        note(delivery, "%s: redelivery is asked for: %s%s%s", name, error->text,
             error->detail ? ": " : "", error->detail ? error->detail : "");
    }
    else if (error) {
        note(delivery, "%s is not served, and repeating would not help: %s%s%s", name, error->text,
             error->detail ? ": " : "", error->detail ? error->detail : "");
    }
    if (*order->remark) {
        note(delivery, "%s: %s", name, order->remark);
    }
}

/** @return 1 if the order is dealt with, 0 if it must be sent again */
static int serve_order(delivery_t *delivery, const char *id)
{
    const qlm_webhook_t *webhook = delivery->webhook;
    qlm_sforder_t order;
    apr_pool_t *pool;
    int created = 0;
    apr_pool_create(&pool, delivery->pool);
    qlm_error_t *error = qlm_sforder_read(&order, &delivery->reader, id, pool);
    if (!error && order.lines->nelts) {
        error = webhook->deliver(&created, webhook->baton, order.lines, pool);
    }
    report(delivery, &order, id, error);
    int is_done = !error || !is_passing(error);
    apr_pool_destroy(pool);
    return is_done;
}

/** What speaks against asking for this record at all, NULL if nothing. */
static const char *fault_of(const qlm_soap_notification_t *notification)
{
    if (!*notification->object_id) {
        return "it names no record";
    }
    if (*notification->object_type && strcmp(notification->object_type, "Order") != 0) {
        return "it is not about an Order";
    }
    return qlm_soap_is_id(notification->object_id) ? NULL : "its record's id is none";
}

/** An order that was edited several times at once comes several times in one message. */
static int is_repeated(const delivery_t *delivery, int index)
{
    const apr_array_header_t *list = delivery->message->notifications;
    const char *id = APR_ARRAY_IDX(list, index, qlm_soap_notification_t).object_id;
    for (int i = 0; i < index; ++i) {
        if (qlm_soap_is_same_id(APR_ARRAY_IDX(list, i, qlm_soap_notification_t).object_id, id)) {
            return 1;
        }
    }
    return 0;
}

/** Was this very notification dealt with when the message came before? Only a short cut, for which
 * nothing is wrong if it is missing: orders are safe to repeat, but reading a hundred of them again
 * may use up the time that the rest of the message needs. */
static int was_done(delivery_t *delivery, const char *notification_id)
{
    const char *kept = NULL;
    if (!qlm_soap_is_id(notification_id)) {
        return 0;
    }
    qlm_error_t *error = qlm_sfclient_recall(
        &kept, delivery->client, apr_pstrcat(delivery->pool, DONE_PREFIX, notification_id, NULL),
        delivery->pool);
    return !error && kept;
}

static void serve_notification(delivery_t *delivery, int index)
{
    const qlm_soap_notification_t *notification =
        &APR_ARRAY_IDX(delivery->message->notifications, index, qlm_soap_notification_t);
    const char *fault = fault_of(notification);
    if (fault) {
        note(delivery, "notification %s is left out: %s",
             qlm_text_for_log(notification->id, LOG_MAX_BYTES, delivery->pool), fault);
        return;
    }
    if (is_repeated(delivery, index) || was_done(delivery, notification->id)) {
        return;
    }
    if (serve_order(delivery, notification->object_id) && qlm_soap_is_id(notification->id)) {
        APR_ARRAY_PUSH(delivery->done, const char *) = notification->id;
    }
}

/** All of it comes again: say which notifications need not be looked at then. */
static void remember_done(delivery_t *delivery)
{
    for (int i = 0; i < delivery->done->nelts; ++i) {
        const char *name = apr_pstrcat(delivery->pool, DONE_PREFIX,
                                       APR_ARRAY_IDX(delivery->done, i, const char *), NULL);
        if (qlm_sfclient_remember(delivery->client, name, "1",
                                  delivery->webhook->callback->now + DONE_SECONDS)) {
            return;
        }
    }
}

static void serve_notifications(delivery_t *delivery)
{
    int count = delivery->message->notifications->nelts, index = 0;
    for (; index < count && !delivery->client->is_halted; ++index) {
        if (!qlm_sfclient_has_time(delivery->client)) {
            note(delivery, "redelivery is asked for: the time for this delivery is used up");
            break;
        }
        serve_notification(delivery, index);
    }
    if (index < count) {
        delivery->is_pending = 1;
        note(delivery, "%d of %d notifications are left to the redelivery", count - index, count);
    }
    if (delivery->is_pending) {
        remember_done(delivery);
    }
}

/* ---- the vendor ---- */

static void acknowledge(qlm_answer_t *answer, int is_taken)
{
    answer->http_status = 200;
    answer->content_type = XML_TYPE;
    answer->body = qlm_soap_acknowledgement(is_taken);
}

static void write_failure(qlm_answer_t *answer, const qlm_error_t *error,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_answer_failure_as_text(answer, error, TEXT_TYPE, pool);
}

static qlm_error_t *read_message(delivery_t *delivery)
{
    const char *xml =
        qlm_fields_get(delivery->webhook->callback->fields, MESSAGE_FIELD, QLM_FROM_BODY);
    if (!xml) {
        return qlm_error_make(delivery->pool, QLM_ERROR_ARGUMENT, QLM_CODE_EMPTY_DATA,
                              "there is no outbound message in the body");
    }
    return qlm_soap_read(&delivery->message, xml, delivery->pool);
}

/** Everything up to the answer. Errors: ARGUMENT, DENIED; what passes is noted and postponed. */
static qlm_error_t *serve(delivery_t *delivery)
{
    QLM_TRY(read_message(delivery));
    qlm_error_t *error = qlm_sfclient_create(&delivery->client, delivery->webhook, delivery->pool);
    if (!error) {
        error = admit(delivery);
    }
    if (error && error->kind == QLM_ERROR_DENIED) {
        return error;
    }
    if (error) {
        postpone(delivery, error);
        return NULL;
    }
    qlm_sforder_start(&delivery->reader, delivery->client);
    serve_notifications(delivery);
    return NULL;
}

static qlm_error_t *receive(qlm_answer_t *answer, const qlm_webhook_t *webhook, apr_pool_t *pool)
{
    delivery_t delivery = {.webhook = webhook, .pool = pool};
    delivery.done = apr_array_make(pool, 8, sizeof(const char *));
    qlm_error_t *error = serve(&delivery);
    if (error) {
        write_failure(answer, error, webhook->callback, pool);
        return error;
    }
    acknowledge(answer, !delivery.is_pending);
    return NULL;
}

static qlm_error_t *read_order(qlm_order_t *order, const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)order;
    (void)callback;
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "Salesforce sends its orders to QlmWebHookHandler");
}

/** Nobody calls it while read_order refuses; the keys go out by mail. */
static void write_keys(qlm_answer_t *answer, const apr_array_header_t *keys,
                       const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_answer_keys_as_text(answer, keys, TEXT_TYPE, pool);
}

static const char *const domains[] = {".salesforce.com", ".force.com", NULL};

const qlm_vendor_t qlm_vendor_salesforce = {
    .name = "salesforce",
    .aliases = NULL,
    .title = "Salesforce",
    .is_body_trusted = 0,
    .read_order = read_order,
    .write_keys = write_keys,
    .write_failure = write_failure,
    .domains = domains,
    .receive = receive,
};
