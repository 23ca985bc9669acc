/* Salesforce's Outbound Message, read with libxml2's SAX interface: no tree is built, and a
 * document type stops the parser before a single declaration in it is looked at. */
#include "vendor/soap.h"

#include "base/buffer.h"
#include "base/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <libxml/parser.h>

#define SOAP_NAMESPACE     "http://schemas.xmlsoap.org/soap/envelope/"
#define OUTBOUND_NAMESPACE "http://soap.sforce.com/2005/09/outbound"
#define XSI_NAMESPACE      "http://www.w3.org/2001/XMLSchema-instance"
#define NAME_MAX_BYTES     40 /* no local name that we look for is longer */
#define TEXT_MAX_BYTES     255
#define ID_LENGTH          15
#define ID_LENGTH_LONG     18

/** Where we are: the levels of the document that mean something. */
enum {
    LEVEL_ENVELOPE,
    LEVEL_BODY,
    LEVEL_MESSAGE,      /* notifications */
    LEVEL_NOTIFICATION, /* or another child of the message, such as OrganizationId */
    LEVEL_OBJECT,       /* or another child of a notification, such as its Id */
    LEVEL_FIELD
};

typedef struct reader_t {
    qlm_soap_message_t *result;
    char path[QLM_SOAP_MAX_DEPTH][NAME_MAX_BYTES]; /**< the open elements; "" = of no interest */
    int depth;
    int messages;       /**< how many `notifications` were opened */
    int objects;        /**< in the present notification */
    int is_nil;         /**< of the element opened last */
    qlm_buffer_t *text; /**< character data since the last tag */
    xmlParserCtxtPtr parser;
    const char *refusal; /**< why we stopped the parser, or NULL */
    apr_pool_t *pool;
} reader_t;

int qlm_soap_is_id(const char *text)
{
    apr_size_t length = 0;
    for (; apr_isascii(text[length]) && apr_isalnum(text[length]); ++length) {
    }
    return text[length] == '\0' && (length == ID_LENGTH || length == ID_LENGTH_LONG);
}

int qlm_soap_is_same_id(const char *left, const char *right)
{
    return qlm_soap_is_id(left) && qlm_soap_is_id(right) && strncmp(left, right, ID_LENGTH) == 0;
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

static int is_named(const char *name, const char *uri, const char *expected,
                    const char *expected_uri)
{
    return strcmp(name, expected) == 0 && uri && strcmp(uri, expected_uri) == 0;
}

/** An attribute of the XML Schema instance namespace, "" if absent. SAX2 hands over five pointers
 * per attribute: local name, prefix, namespace, begin and end of the value. */
static const char *xsi_attribute(const reader_t *reader, const char *name, int count,
                                 const xmlChar **attributes)
{
    for (int i = 0; i < count; ++i, attributes += 5) {
        if (is_named((const char *)attributes[0], (const char *)attributes[2], name,
                     XSI_NAMESPACE)) {
            const char *begin = (const char *)attributes[3];
            apr_size_t length = (apr_size_t)(attributes[4] - attributes[3]);
            return qlm_text_clean(apr_pstrmemdup(reader->pool, begin, length), TEXT_MAX_BYTES,
                                  reader->pool);
        }
    }
    return "";
}

static int is_open(const reader_t *reader, int level, const char *name)
{
    return reader->depth > level && strcmp(reader->path[level], name) == 0;
}

static int is_in_message(const reader_t *reader)
{
    return is_open(reader, LEVEL_BODY, "Body") && is_open(reader, LEVEL_MESSAGE, "notifications");
}

static qlm_soap_notification_t *last_notification(const reader_t *reader)
{
    apr_array_header_t *list = reader->result->notifications;
    return &APR_ARRAY_IDX(list, list->nelts - 1, qlm_soap_notification_t);
}

static void open_notification(reader_t *reader)
{
    static const qlm_soap_notification_t nothing = {"", "", ""};
    if (reader->result->notifications->nelts >= QLM_SOAP_MAX_NOTIFICATIONS) {
        stop(reader, "it has more than 100 notifications");
        return;
    }
    APR_ARRAY_PUSH(reader->result->notifications, qlm_soap_notification_t) = nothing;
    reader->objects = 0;
}

/** `sf:Order`: the prefix is the sender's choice. */
static void open_object(reader_t *reader, const char *type)
{
    const char *colon = strchr(type, ':');
    if (reader->objects++) {
        stop(reader, "it has a notification about two records");
        return;
    }
    last_notification(reader)->object_type = colon ? colon + 1 : type;
}

/** The levels down to the message are what makes it one. @return NULL, or what is wrong */
static const char *check_frame(reader_t *reader, const char *name, const char *uri)
{
    switch (reader->depth) {
    case LEVEL_ENVELOPE:
        return is_named(name, uri, "Envelope", SOAP_NAMESPACE) ? NULL : "it is no outbound message";
    case LEVEL_MESSAGE:
        if (!is_open(reader, LEVEL_BODY, "Body")) {
            return NULL;
        }
        if (!is_named(name, uri, "notifications", OUTBOUND_NAMESPACE)) {
            return "it is no outbound message";
        }
        return reader->messages++ ? "it holds two messages" : NULL;
    default:
        return NULL;
    }
}

/** The name by which an element is known at its level, "" if it is of no interest there. */
static const char *known_as(const reader_t *reader, const char *name, const char *uri)
{
    const char *expected = reader->depth <= LEVEL_BODY ? SOAP_NAMESPACE : OUTBOUND_NAMESPACE;
    if (reader->depth >= LEVEL_FIELD) {
        return name; /* the fields of a record are in a namespace of its own */
    }
    return uri && strcmp(uri, expected) == 0 ? name : "";
}

static void on_start(void *baton, const xmlChar *local_name, const xmlChar *prefix,
                     const xmlChar *uri, int namespace_count, const xmlChar **namespaces,
                     int attribute_count, int defaulted_count, const xmlChar **attributes)
{
    reader_t *reader = baton;
    const char *name = (const char *)local_name;
    (void)prefix;
    (void)namespace_count;
    (void)namespaces;
    (void)defaulted_count;
    if (reader->refusal) {
        return;
    }
    const char *fault = reader->depth < QLM_SOAP_MAX_DEPTH
                            ? check_frame(reader, name, (const char *)uri)
                            : "it is nested too deeply";
    if (fault) {
        stop(reader, fault);
        return;
    }
    name = known_as(reader, name, (const char *)uri);
    apr_cpystrn(reader->path[reader->depth++], name, NAME_MAX_BYTES);
    reader->text->length = 0;
    reader->text->text[0] = '\0';
    const char *nil = xsi_attribute(reader, "nil", attribute_count, attributes);
    reader->is_nil = strcmp(nil, "true") == 0 || strcmp(nil, "1") == 0;
    if (!is_in_message(reader)) {
        return;
    }
    if (reader->depth == LEVEL_NOTIFICATION + 1 && strcmp(name, "Notification") == 0) {
        open_notification(reader);
    }
    else if (reader->depth == LEVEL_OBJECT + 1 && strcmp(name, "sObject") == 0 &&
             is_open(reader, LEVEL_NOTIFICATION, "Notification")) {
        open_object(reader, xsi_attribute(reader, "type", attribute_count, attributes));
    }
}

static void on_text(void *baton, const xmlChar *text, int length)
{
    reader_t *reader = baton;
    if (!reader->refusal) {
        qlm_buffer_add_bytes(reader->text, (const char *)text, (apr_size_t)length);
    }
}

/** Keep the text of the element that ends; saying the same thing twice is a fault, since the two
 * may differ. */
static void keep(reader_t *reader, const char **member)
{
    if (**member) {
        stop(reader, "it says an id twice");
    }
    else if (!reader->is_nil) {
        *member = qlm_text_clean(reader->text->text, TEXT_MAX_BYTES, reader->pool);
    }
}

static void close_leaf(reader_t *reader, const char *name)
{
    int in_notification = is_open(reader, LEVEL_NOTIFICATION, "Notification");
    if (reader->depth == LEVEL_NOTIFICATION && strcmp(name, "OrganizationId") == 0) {
        keep(reader, &reader->result->organization);
    }
    else if (reader->depth == LEVEL_OBJECT && in_notification && strcmp(name, "Id") == 0) {
        keep(reader, &last_notification(reader)->id);
    }
    else if (reader->depth == LEVEL_FIELD && in_notification && strcmp(name, "Id") == 0 &&
             is_open(reader, LEVEL_OBJECT, "sObject")) {
        keep(reader, &last_notification(reader)->object_id);
    }
}

static void on_end(void *baton, const xmlChar *local_name, const xmlChar *prefix,
                   const xmlChar *uri)
{
    reader_t *reader = baton;
    (void)local_name;
    (void)prefix;
    (void)uri;
    if (reader->refusal || reader->depth == 0) {
        return;
    }
    const char *name = reader->path[--reader->depth];
    if (is_in_message(reader)) {
        close_leaf(reader, name);
    }
    reader->text->length = 0;
    reader->text->text[0] = '\0';
    reader->is_nil = 0;
}

static const xmlSAXHandler handlers = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_document_type,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .cdataBlock = on_text,
};

/** Run the parser. @return NULL, or why the document cannot be used */
static const char *parse(reader_t *reader, const char *xml, apr_size_t length)
{
    xmlSAXHandler sax = handlers; /* libxml2 copies it, but does not say so with a const */
    xmlInitParser();
    reader->parser = xmlCreatePushParserCtxt(&sax, reader, NULL, 0, NULL);
    if (!reader->parser) {
        return "out of memory";
    }
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

/** The parser compares each attribute of a tag with all others, so a tag of a megabyte would keep
 * it busy for minutes. No tag holds a second '<', so what lies between two of them bounds it. */
static int has_long_run(const char *xml)
{
    while (*xml) {
        apr_size_t length = strcspn(xml, "<");
        if (length > QLM_SOAP_MAX_RUN_BYTES) {
            return 1;
        }
        xml += length + (xml[length] == '<');
    }
    return 0;
}

static const char *check_result(const qlm_soap_message_t *message)
{
    if (!qlm_soap_is_id(message->organization)) {
        return "it names no organization";
    }
    return message->notifications->nelts ? NULL : "it has no notification";
}

static const char *read_message(reader_t *reader, const char *xml, apr_size_t length)
{
    reader->text = qlm_buffer_create(256, reader->pool);
    reader->result = apr_pcalloc(reader->pool, sizeof(*reader->result));
    reader->result->organization = "";
    reader->result->notifications =
        apr_array_make(reader->pool, 4, sizeof(qlm_soap_notification_t));
    const char *reason = parse(reader, xml, length);
    return reason ? reason : check_result(reader->result);
}

qlm_error_t *qlm_soap_read(const qlm_soap_message_t **message, const char *xml, apr_pool_t *pool)
{
    reader_t reader;
    apr_size_t length = strlen(xml);
    const char *reason = NULL;
    *message = NULL;
    memset(&reader, 0, sizeof(reader));
    reader.pool = pool;
    if (length > QLM_SOAP_MAX_BYTES) {
        reason = "it is larger than 1 MiB";
    }
    else if (has_long_run(xml)) {
        reason = "a field of it is larger than 64 KiB";
    }
    else {
        reason = read_message(&reader, xml, length);
    }
    if (reason) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the message is not used: %s", reason);
    }
    *message = reader.result;
    return NULL;
}

#define ACKNOWLEDGEMENT(word)                                                                      \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                                                   \
    "<soapenv:Envelope xmlns:soapenv=\"" SOAP_NAMESPACE "\"><soapenv:Body>"                        \
    "<notificationsResponse xmlns=\"" OUTBOUND_NAMESPACE "\"><Ack>" word "</Ack>"                  \
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"

const char *qlm_soap_acknowledgement(int is_taken)
{
    return is_taken ? ACKNOWLEDGEMENT("true") : ACKNOWLEDGEMENT("false");
}
