/* Reading an order back from Salesforce. */
#include "vendor/sforder.h"

#include "base/date.h"
#include "base/text.h"
#include "vendor/customer.h"
#include "vendor/form.h"
#include "vendor/json.h"
#include "vendor/soap.h"
#include "vendor/vendors.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <strings.h>

#define ACTIVATED          "Activated"
#define MAPPING_PREFIX     "salesforce_pid_"
#define CONTACT_PROPERTY   "salesforce_contact"
#define ID_LENGTH          18
#define ORGANIZATION_BYTES 15
#define REMARK_MAX_BYTES   1500
#define LOG_MAX_BYTES      60

/** The first ones cannot be left out. */
static const char *const order_fields[] = {"Id",
                                           "OrderNumber",
                                           "StatusCode",
                                           "Status",
                                           "EffectiveDate",
                                           "AccountId",
                                           "Account.Name",
                                           "BillToContact.Id",
                                           "BillToContact.FirstName",
                                           "BillToContact.LastName",
                                           "BillToContact.Email",
                                           "BillToContact.Phone",
                                           "CustomerAuthorizedBy.Id",
                                           "CustomerAuthorizedBy.FirstName",
                                           "CustomerAuthorizedBy.LastName",
                                           "CustomerAuthorizedBy.Email",
                                           "CustomerAuthorizedBy.Phone",
                                           "BillingStreet",
                                           "BillingCity",
                                           "BillingState",
                                           "BillingPostalCode",
                                           "BillingCountry",
                                           NULL};
#define ORDER_FIELDS_NEEDED 3

static const char *const item_fields[] = {
    "Id",          "Quantity",      "Product2.ProductCode",
    "Description", "ServiceDate",   "EndDate",
    "Product2.Id", "Product2.Name", "PricebookEntry.Product2.ProductCode",
    NULL};
#define ITEM_FIELDS_NEEDED 3

/** The contacts of an order, by the relationships' names, in the order in which they are taken. */
static const char *const contacts[] = {"CustomerAuthorizedBy", "BillToContact"};
#define CONTACT_COUNT 2

/** An order being read. */
typedef struct reading_t {
    qlm_sforder_t *order;
    const qlm_sfclient_t *client;
    qlm_order_t common;     /**< what all lines have in common */
    apr_hash_t *seen_items; /**< ids, since pages may overlap */
    apr_pool_t *pool;
} reading_t;

static void start_query(qlm_sfquery_t *query, const char *object, const char *const *fields,
                        int needed, apr_pool_t *pool)
{
    query->object = object;
    query->needed = needed;
    query->fields = apr_array_make(pool, 32, sizeof(const char *));
    for (; *fields; ++fields) {
        APR_ARRAY_PUSH(query->fields, const char *) = *fields;
    }
}

void qlm_sforder_start(qlm_sfreader_t *reader, qlm_sfclient_t *client)
{
    reader->client = client;
    start_query(&reader->orders, "Order", order_fields, ORDER_FIELDS_NEEDED, client->pool);
    start_query(&reader->items, "OrderItem", item_fields, ITEM_FIELDS_NEEDED, client->pool);
}

static qlm_error_t *refuse(qlm_error_kind_t kind, apr_pool_t *pool, const char *text)
{
    return qlm_error_make(pool, kind, QLM_CODE_INVALID_FORMAT, "%s", text);
}

static void remark(reading_t *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Add to what the log will say of this order; what is too much is left out. */
static void remark(reading_t *reading, const char *format, ...)
{
    qlm_sforder_t *order = reading->order;
    if (strlen(order->remark) > REMARK_MAX_BYTES) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    const char *text = apr_pvsprintf(reading->pool, format, arguments);
    va_end(arguments);
    order->remark =
        *order->remark ? apr_pstrcat(reading->pool, order->remark, "; ", text, NULL) : text;
}

static const char *text_of(const reading_t *reading, const json_t *record, const char *path)
{
    return qlm_text_clean(qlm_json_text(record, path), QLM_FORM_TEXT_MAX, reading->pool);
}

/* ---- customer ---- */

/** An address is never changed into another one: what is not fit as it is counts as absent. */
static const char *email_of(const reading_t *reading, const json_t *contact)
{
    const char *email = qlm_text_trim(qlm_json_text(contact, "Email"), reading->pool);
    return qlm_customer_is_email(email) &&
                   strcmp(qlm_text_clean(email, QLM_FORM_TEXT_MAX, reading->pool), email) == 0
               ? email
               : "";
}

/** Which contact is asked first: the one set, else the first of the table. */
static int preferred_contact(reading_t *reading)
{
    const char *said =
        qlm_properties_get(reading->client->webhook->callback->properties, CONTACT_PROPERTY);
    said = said ? qlm_text_trim(said, reading->pool) : "";
    if (strcasecmp(said, "billto") == 0) {
        return 1;
    }
    if (*said && strcasecmp(said, "customerauthorizedby") != 0) {
        remark(reading,
               "the property " CONTACT_PROPERTY " is neither billto nor customerauthorizedby");
    }
    return 0;
}

/** The first contact that can be written to, else the first there is, else NULL. */
static const json_t *choose_contact(reading_t *reading, const json_t *record)
{
    const json_t *chosen = NULL;
    int first = preferred_contact(reading);
    for (int i = 0; i < CONTACT_COUNT; ++i) {
        const json_t *contact = qlm_json_member(record, contacts[(first + i) % CONTACT_COUNT]);
        if (*email_of(reading, contact)) {
            return contact;
        }
        chosen = chosen ? chosen : contact;
    }
    return chosen;
}

/** Salesforce has one field of several lines, we have two. */
static void read_street(reading_t *reading, const json_t *record)
{
    const char *street = qlm_json_text(record, "BillingStreet");
    apr_size_t length = strcspn(street, "\r\n");
    qlm_customer_t *customer = &reading->common.customer;
    customer->address1 = qlm_text_clean(apr_pstrmemdup(reading->pool, street, length),
                                        QLM_FORM_TEXT_MAX, reading->pool);
    customer->address2 = qlm_text_clean(street + length, QLM_FORM_TEXT_MAX, reading->pool);
}

static void read_customer(reading_t *reading, const json_t *record)
{
    qlm_customer_t *customer = &reading->common.customer;
    const json_t *contact = choose_contact(reading, record);
    qlm_customer_clear(customer);
    customer->company = text_of(reading, record, "Account.Name");
    customer->full_name =
        qlm_customer_full_name(text_of(reading, contact, "FirstName"),
                               text_of(reading, contact, "LastName"), reading->pool);
    if (!*customer->full_name) {
        customer->full_name = customer->company;
    }
    customer->email = email_of(reading, contact);
    customer->phone = text_of(reading, contact, "Phone");
    read_street(reading, record);
    customer->city = text_of(reading, record, "BillingCity");
    customer->state = text_of(reading, record, "BillingState");
    customer->zip = text_of(reading, record, "BillingPostalCode");
    customer->country = text_of(reading, record, "BillingCountry");
    if (!contact) {
        remark(reading, "it has no contact: the keys are mailed to nobody");
    }
    else if (!*customer->email) {
        remark(reading, "%s: the keys are mailed to nobody",
               *qlm_json_text(contact, "Email") ? "the contact's e-mail address is none"
                                                : "the contact has no e-mail address");
    }
}

/* ---- items ---- */

/** 1 to QLM_MAX_QUANTITY whole units; Salesforce writes 2.0. @return 0 if it is anything else */
static int quantity_of(const json_t *item)
{
    const json_t *value = qlm_json_member(item, "Quantity");
    double quantity = json_is_real(value) ? json_real_value(value) : 0;
    int whole = quantity >= 1 && quantity <= QLM_MAX_QUANTITY ? (int)quantity : 0;
    return (double)whole < quantity ? 0 : whole;
}

static const char *product_of(const reading_t *reading, const json_t *item)
{
    const char *code = qlm_json_text(item, "Product2.ProductCode");
    if (!*code) {
        code = qlm_json_text(item, "PricebookEntry.Product2.ProductCode");
    }
    return qlm_text_trim(code, reading->pool);
}

/** What the publisher has mapped to a product code, NULL if nothing. The code is a key of a look-up
 * and nothing else; a property's name holds whatever characters a code does. */
static const char *arguments_of(const reading_t *reading, const char *code)
{
    const char *value =
        *code ? qlm_properties_get(reading->client->webhook->callback->properties,
                                   apr_pstrcat(reading->pool, MAPPING_PREFIX, code, NULL))
              : NULL;
    return value && *value ? value : NULL;
}

/** An item is recognised by (vendor, order, line). Its id is unique in one organisation only, and
 * one that is copied (a sandbox) has the same ids and numbers again, so the line is both. The
 * organisation's id is cut to the 15 characters that say everything, because it may be configured
 * in either form. */
static const char *line_reference(const reading_t *reading, const char *item_id)
{
    return apr_psprintf(reading->pool, "%.*s.%s", ORGANIZATION_BYTES,
                        reading->client->session.organization, item_id);
}

static void read_item(reading_t *reading, const json_t *item, const char *id)
{
    const char *code = product_of(reading, item);
    const char *shown = qlm_text_for_log(*code ? code : "none", LOG_MAX_BYTES, reading->pool);
    const char *arguments = arguments_of(reading, code);
    int quantity = quantity_of(item);
    if (!arguments) {
        remark(reading, "item %s is left out: no property for the product code %s", id, shown);
        return;
    }
    if (!quantity) {
        remark(reading,
               "item %s (product code %s) is refused: the quantity is not a whole number from 1 "
               "to %d",
               id, shown, QLM_MAX_QUANTITY);
        return;
    }
    qlm_line_t *line = apr_array_push(reading->order->lines);
    line->order = reading->common;
    line->order.line_ref = line_reference(reading, id);
    line->order.shop_product = qlm_text_clean(code, QLM_FORM_TEXT_MAX, reading->pool);
    line->order.quantity = quantity;
    line->order.comment = text_of(reading, item, "Description");
    line->arguments = arguments;
}

static qlm_error_t *read_items(reading_t *reading, qlm_sfreader_t *reader, const char *order_id)
{
    apr_array_header_t *records;
    const char *rest = apr_pstrcat(reading->pool, "WHERE OrderId = '", order_id,
                                   "' ORDER BY OrderItemNumber", NULL);
    QLM_TRY(qlm_sfclient_select(&records, reader->client, &reader->items, rest, reading->pool));
    for (int i = 0; i < records->nelts; ++i) {
        const json_t *item = APR_ARRAY_IDX(records, i, const json_t *);
        const char *id = qlm_json_text(item, "Id");
        if (!qlm_soap_is_id(id) || strlen(id) != ID_LENGTH) {
            return refuse(QLM_ERROR_OUTBOUND, reading->pool,
                          "Salesforce gave no usable answer to a query: an item has no id");
        }
        if (!apr_hash_get(reading->seen_items, id, APR_HASH_KEY_STRING)) {
            apr_hash_set(reading->seen_items, id, APR_HASH_KEY_STRING, id);
            read_item(reading, item, id);
        }
    }
    return NULL;
}

/* ---- order ---- */

/** Find the order's record and make sure that it is the one asked for. */
static qlm_error_t *find_order(const json_t **record, qlm_sfreader_t *reader, const char *id,
                               apr_pool_t *pool)
{
    apr_array_header_t *records;
    const char *rest = apr_pstrcat(pool, "WHERE Id = '", id, "'", NULL);
    QLM_TRY(qlm_sfclient_select(&records, reader->client, &reader->orders, rest, pool));
    if (records->nelts == 0) {
        return refuse(QLM_ERROR_REFUSED, pool,
                      "there is no such order, or our user may not see it");
    }
    *record = APR_ARRAY_IDX(records, 0, const json_t *);
    if (records->nelts > 1 || !qlm_soap_is_same_id(qlm_json_text(*record, "Id"), id)) {
        return refuse(QLM_ERROR_OUTBOUND, pool,
                      "Salesforce gave no usable answer to a query: another order than asked for");
    }
    return NULL;
}

/** The number is what repeats are recognised by, so it is taken as it is or not at all. */
static qlm_error_t *read_number(reading_t *reading, const json_t *record)
{
    const char *number = qlm_json_text(record, "OrderNumber");
    if (!*number || strlen(number) > QLM_FORM_REFERENCE_MAX ||
        strcmp(qlm_text_clean(number, QLM_FORM_REFERENCE_MAX, reading->pool), number) != 0) {
        return refuse(QLM_ERROR_OUTBOUND, reading->pool,
                      "Salesforce gave no usable answer to a query: the order has no number");
    }
    reading->order->number = number;
    return NULL;
}

static void read_common(reading_t *reading, const json_t *record)
{
    qlm_order_t *common = &reading->common;
    memset(common, 0, sizeof(*common));
    common->vendor = qlm_vendor_salesforce.name;
    common->order_ref = reading->order->number;
    common->is_remembered = 1;
    common->subscription_ref = "";
    common->user_data = "";
    common->comment = "";
    qlm_date_parse(&common->ordered_at, qlm_json_text(record, "EffectiveDate"), "yyyy-MM-dd");
    read_customer(reading, record);
}

qlm_error_t *qlm_sforder_read(qlm_sforder_t *order, qlm_sfreader_t *reader, const char *id,
                              apr_pool_t *pool)
{
    const json_t *record = NULL;
    reading_t reading = {.order = order, .client = reader->client, .pool = pool};
    order->number = "";
    order->remark = "";
    order->lines = apr_array_make(pool, 8, sizeof(qlm_line_t));
    reading.seen_items = apr_hash_make(pool);
    QLM_TRY(find_order(&record, reader, id, pool));
    QLM_TRY(read_number(&reading, record));
    if (strcmp(qlm_json_text(record, "StatusCode"), ACTIVATED) != 0) {
        return refuse(QLM_ERROR_REFUSED, pool, "it is not activated");
    }
    read_common(&reading, record);
    return read_items(&reading, reader, id);
}
