/* Cleverbridge's notification document, read with libxml2's SAX interface: no tree is built, and a
 * document type stops the parser before a single declaration in it is looked at. */
#include "vendor/notification.h"

#include "base/buffer.h"
#include "base/text.h"
#include "vendor/customer.h"
#include "vendor/form.h"

#include <apr_strings.h>
#include <libxml/parser.h>
#include <stddef.h>

#define NAME_MAX_BYTES 40 /* no local name that we look for is longer */

/** A contact in the making: the names of a person come in parts, a country in two forms. */
typedef struct contact_t {
    qlm_customer_t customer;
    const char *first_name, *last_name, *country_id;
} contact_t;

/** The state of the reader; the pools of names and texts are the caller's. */
typedef struct reader_t {
    qlm_notification_t *result;
    contact_t contacts[QLM_CONTACT_COUNT];
    char path[QLM_NOTIFICATION_MAX_DEPTH][NAME_MAX_BYTES]; /**< local names of the open elements */
    int depth;
    qlm_buffer_t *text; /**< character data since the last tag */
    xmlParserCtxtPtr parser;
    const char *refusal; /**< why we stopped the parser, or NULL */
    apr_pool_t *pool;
} reader_t;

typedef struct leaf_t {
    const char *name;
    apr_size_t offset;
} leaf_t;

static const leaf_t purchase_leaves[] = {{"StatusId", offsetof(qlm_notification_t, status_id)},
                                         {NULL, 0}};

static const leaf_t item_leaves[] = {
    {"ProductId", offsetof(qlm_notification_item_t, product_id)},
    {"Quantity", offsetof(qlm_notification_item_t, quantity)},
    {"PromotionName", offsetof(qlm_notification_item_t, promotion)},
    {"Couponcode", offsetof(qlm_notification_item_t, coupon)},
    {NULL, 0},
};

static const leaf_t contact_leaves[] = {
    {"Firstname", offsetof(contact_t, first_name)},
    {"Lastname", offsetof(contact_t, last_name)},
    {"Company", offsetof(contact_t, customer.company)},
    {"Street1", offsetof(contact_t, customer.address1)},
    {"Street2", offsetof(contact_t, customer.address2)},
    {"City", offsetof(contact_t, customer.city)},
    {"State", offsetof(contact_t, customer.state)},
    {"PostalCode", offsetof(contact_t, customer.zip)},
    {"Country", offsetof(contact_t, customer.country)},
    {"CountryId", offsetof(contact_t, country_id)},
    {"Email", offsetof(contact_t, customer.email)},
    {"Phone", offsetof(contact_t, customer.phone)},
    {"Fax", offsetof(contact_t, customer.fax)},
    {NULL, 0},
};

/** The elements that hold an address, in the order of qlm_contact_t. */
static const char *const contact_elements[QLM_CONTACT_COUNT] = {
    "LicenseeContact", "DeliveryContact", "BillingContact"};

static const char *clean(const reader_t *reader, const char *text)
{
    return qlm_text_clean(text, QLM_FORM_TEXT_MAX, reader->pool);
}

/** Store @a text in the member of @a record that @a name leads to; the first of equal ones counts.
 */
static void put_leaf(const reader_t *reader, void *record, const leaf_t *leaves, const char *name)
{
    for (; leaves->name; ++leaves) {
        if (strcmp(leaves->name, name) == 0) {
            const char **member = (const char **)(void *)((char *)record + leaves->offset);
            if (!**member) {
                *member = clean(reader, reader->text->text);
            }
            return;
        }
    }
}

static qlm_notification_item_t *last_item(const reader_t *reader)
{
    apr_array_header_t *items = reader->result->items;
    return items->nelts ? &APR_ARRAY_IDX(items, items->nelts - 1, qlm_notification_item_t) : NULL;
}

/** An attribute by local name, "" if absent. SAX2 hands over five pointers per attribute: local
 * name, prefix, namespace, begin and end of the value. */
static const char *attribute(const reader_t *reader, const char *name, int count,
                             const xmlChar **attributes)
{
    for (int i = 0; i < count; ++i, attributes += 5) {
        if (strcmp((const char *)attributes[0], name) == 0) {
            const char *begin = (const char *)attributes[3];
            apr_size_t length = (apr_size_t)(attributes[4] - attributes[3]);
            return clean(reader, apr_pstrmemdup(reader->pool, begin, length));
        }
    }
    return "";
}

static void stop(reader_t *reader, const char *reason)
{
    reader->refusal = reason;
    xmlStopParser(reader->parser);
}

static void on_document_type(void *baton, const xmlChar *name, const xmlChar *external_id,
                             const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    stop(baton, "it has a document type");
}

static void open_item(reader_t *reader, int count, const xmlChar **attributes)
{
    apr_array_header_t *items = reader->result->items;
    if (items->nelts >= QLM_NOTIFICATION_MAX_ITEMS) {
        stop(reader, "it has too many items");
        return;
    }
    qlm_notification_item_t item = {"", "", "", "", "", ""};
    item.running_no = attribute(reader, "RunningNo", count, attributes);
    APR_ARRAY_PUSH(items, qlm_notification_item_t) = item;
}

static void on_start(void *baton, const xmlChar *local_name, const xmlChar *prefix,
                     const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
                     int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    reader_t *reader = baton;
    const char *name = (const char *)local_name;
    (void)prefix;
    (void)uri;
    (void)namespace_count;
    (void)namespaces;
    (void)defaulted_count;
    if (reader->refusal) {
        return;
    }
    if (reader->depth >= QLM_NOTIFICATION_MAX_DEPTH) {
        stop(reader, "it is nested too deeply");
        return;
    }
    const char *parent = reader->depth ? reader->path[reader->depth - 1] : "";
    apr_cpystrn(reader->path[reader->depth++], name, NAME_MAX_BYTES);
    reader->text->length = 0;
    reader->text->text[0] = '\0';
    if (strcmp(name, "Purchase") == 0 && !*reader->result->purchase_id) {
        reader->result->purchase_id = attribute(reader, "Id", attribute_count, attributes);
    }
    else if (strcmp(name, "Item") == 0 && strcmp(parent, "Items") == 0) {
        open_item(reader, attribute_count, attributes);
    }
    else if (strcmp(name, "RecurringBilling") == 0 && strcmp(parent, "Item") == 0 &&
             last_item(reader)) {
        last_item(reader)->subscription_ref =
            attribute(reader, "SubscriptionId", attribute_count, attributes);
    }
}

static void on_text(void *baton, const xmlChar *text, int length)
{
    reader_t *reader = baton;
    if (!reader->refusal) {
        qlm_buffer_add_bytes(reader->text, (const char *)text, (apr_size_t)length);
    }
}

static void close_leaf(reader_t *reader, const char *name, const char *parent)
{
    if (strcmp(parent, "Purchase") == 0) {
        put_leaf(reader, reader->result, purchase_leaves, name);
        return;
    }
    if (strcmp(parent, "Item") == 0) {
        if (last_item(reader)) {
            put_leaf(reader, last_item(reader), item_leaves, name);
        }
        return;
    }
    for (int i = 0; i < QLM_CONTACT_COUNT; ++i) {
        if (strcmp(parent, contact_elements[i]) == 0) {
            put_leaf(reader, &reader->contacts[i], contact_leaves, name);
            return;
        }
    }
}

static void on_end(void *baton, const xmlChar *local_name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    reader_t *reader = baton;
    (void)prefix;
    (void)uri;
    if (reader->refusal || reader->depth == 0) {
        return;
    }
    if (--reader->depth > 0) {
        close_leaf(reader, (const char *)local_name, reader->path[reader->depth - 1]);
    }
    reader->text->length = 0;
    reader->text->text[0] = '\0';
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_document_type,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
};

static void start_reading(reader_t *reader, apr_pool_t *pool)
{
    memset(reader, 0, sizeof(*reader));
    reader->pool = pool;
    reader->text = qlm_buffer_create(256, pool);
    reader->result = apr_pcalloc(pool, sizeof(*reader->result));
    reader->result->purchase_id = "";
    reader->result->status_id = "";
    reader->result->items = apr_array_make(pool, 4, sizeof(qlm_notification_item_t));
    for (int i = 0; i < QLM_CONTACT_COUNT; ++i) {
        contact_t *contact = &reader->contacts[i];
        qlm_customer_clear(&contact->customer);
        contact->first_name = contact->last_name = contact->country_id = "";
    }
}

static void finish_contacts(reader_t *reader)
{
    for (int i = 0; i < QLM_CONTACT_COUNT; ++i) {
        contact_t *contact = &reader->contacts[i];
        qlm_customer_t *customer = &contact->customer;
        customer->full_name =
            qlm_customer_full_name(contact->first_name, contact->last_name, reader->pool);
        if (!*customer->country) {
            customer->country = contact->country_id;
        }
        if (!qlm_customer_is_email(customer->email)) {
            customer->email = "";
        }
        reader->result->contacts[i] = *customer;
    }
}

/** Run the parser. @return NULL, or why the document cannot be used */
static const char *parse(reader_t *reader, const char *xml, apr_size_t length)
{
    xmlSAXHandler sax = handlers; /* libxml2 copies it, but does not say so with a const */
    xmlInitParser();
    reader->parser = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
    if (!reader->parser) {
        return "out of memory";
    }
    /* The form has been decoded already, so the bytes are UTF-8 even if the declaration, written
     * before the shop encoded the form, says something else. */
    xmlCtxtUseOptions(reader->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                          XML_PARSE_IGNORE_ENC);
    xmlParseChunk(reader->parser, xml, (int)length, 1);
    const char *reason = reader->refusal;
    if (!reason && !reader->parser->wellFormed) {
        reason = "it is not well-formed";
    }
    xmlFreeParserCtxt(reader->parser);
    return reason;
}

qlm_error_t *qlm_notification_read(const qlm_notification_t **notification, const char *xml,
                                   apr_pool_t *pool)
{
    reader_t reader;
    apr_size_t length = strlen(xml);
    const char *reason = "it is larger than 256 KiB";
    *notification = NULL;
    if (length <= QLM_NOTIFICATION_MAX_BYTES) {
        start_reading(&reader, pool);
        reason = parse(&reader, xml, length);
    }
    if (reason) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the XML is not used: %s", reason);
    }
    finish_contacts(&reader);
    *notification = reader.result;
    return NULL;
}
