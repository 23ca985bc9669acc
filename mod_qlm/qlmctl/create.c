/* key create: the service's own GetActivationKey, called by the operator. */
#include "base/text.h"
#include "qlmctl/ask.h"
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "service/methods.h"

#include <apr_strings.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The vendor whose fields and answer are the plainest. */
#define VENDOR "qlmauthenticationprovider"
#define METHOD "GetActivationKey"

/* Its fields of order and customer. */
static const char *const order_fields[] = {
    "orderNumber", "line",    "subscriptionid", "email",         "name",
    "company",     "addr1",   "addr2",          "city",          "state",
    "zip",         "country", "phone",          "CustomerNotes", NULL,
};

/* These are said by options, or are not the operator's. */
static const qlm_argument_t reserved[] = {
    QLM_ARGUMENT_VENDOR, QLM_ARGUMENT_USER,  QLM_ARGUMENT_PWD,      QLM_ARGUMENT_PRODUCT,
    QLM_ARGUMENT_MAJOR,  QLM_ARGUMENT_MINOR, QLM_ARGUMENT_QUANTITY, QLM_ARGUMENT_NONE,
};

static int is_reserved(qlm_argument_t argument)
{
    for (const qlm_argument_t *at = reserved; *at != QLM_ARGUMENT_NONE; at++) {
        if (*at == argument) {
            return 1;
        }
    }
    return 0;
}

/* Is it one of the blank-separated spellings? */
static int is_spelling(const char *name, const char *spellings)
{
    apr_size_t length = strlen(name);

    while (*spellings) {
        apr_size_t own = strcspn(spellings, " ");

        if (own == length && strncasecmp(spellings, name, length) == 0) {
            return 1;
        }
        spellings += own + strspn(spellings + own, " ");
    }
    return 0;
}

/* A mistyped name would be ignored by the service, which has to bear with shops. */
static int is_known(const char *name)
{
    const qlm_parameter_t *parameter = qlm_method_find(METHOD)->parameters;

    for (; parameter->argument != QLM_ARGUMENT_NONE; parameter++) {
        if (!is_reserved(parameter->argument) &&
            is_spelling(name, qlm_argument_row(parameter->argument)->names)) {
            return 1;
        }
    }
    for (const char *const *field = order_fields; *field; field++) {
        if (strcasecmp(*field, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static qlm_error_t *add_pair(qlm_fields_t *fields, qlm_tool_t *tool, const char *word)
{
    const char *equals = strchr(word, '=');
    const char *name =
        equals ? apr_pstrmemdup(tool->pool, word, (apr_size_t)(equals - word)) : word;

    if (!equals || !is_known(name)) {
        return qlm_tool_usage(tool, "key create does not know %s; see qlmctl key create --help",
                              qlm_text_for_log(word, 60, tool->pool));
    }
    return qlm_fields_add(fields, name, equals + 1, QLM_FROM_URL);
}

static qlm_error_t *add_number(qlm_fields_t *fields, const char *name, apr_int64_t number)
{
    return qlm_fields_add(fields, name, apr_psprintf(fields->pool, "%" APR_INT64_T_FMT, number),
                          QLM_FROM_URL);
}

static qlm_error_t *read_fields(qlm_fields_t *fields, qlm_tool_t *tool)
{
    int id, major, minor;
    apr_int64_t quantity = 1;

    QLM_TRY(qlm_tool_option_product(&id, &major, &minor, tool, "product"));
    QLM_TRY(qlm_tool_option_int(&quantity, tool, "quantity", 1, QLM_MAX_QUANTITY));
    QLM_TRY(qlm_fields_add(fields, "is_vendor", VENDOR, QLM_FROM_URL));
    QLM_TRY(add_number(fields, "is_productid", id));
    QLM_TRY(add_number(fields, "is_majorversion", major));
    QLM_TRY(add_number(fields, "is_minorversion", minor));
    QLM_TRY(add_number(fields, "is_quantity", quantity));
    for (int i = 0; i < tool->words->nelts; i++) {
        QLM_TRY(add_pair(fields, tool, qlm_tool_word(tool, i)));
    }
    return NULL;
}

/* The activationKey elements of the answer, wherever they stand. */
static void collect(json_t *keys, xmlNode *node)
{
    for (; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            strcmp((const char *)node->name, "activationKey") == 0) {
            xmlChar *text = xmlNodeGetContent(node);

            qlm_output_append_text(keys, (const char *)text);
            xmlFree(text);
        }
        collect(keys, node->children);
    }
}

static qlm_error_t *read_keys(json_t **keys, qlm_tool_t *tool, const qlm_reply_t *reply)
{
    xmlDoc *document = xmlReadMemory(reply->body, (int)reply->length, NULL, NULL, XML_PARSE_NONET);

    *keys = qlm_output_array(tool->pool);
    if (document) {
        collect(*keys, xmlDocGetRootElement(document));
        xmlFreeDoc(document);
    }
    return json_array_size(*keys) > 0
               ? NULL
               : qlm_tool_failure(tool, "the keys were made, but the answer cannot be read; see "
                                        "qlmctl key list");
}

qlm_error_t *qlm_command_key_create(qlm_tool_t *tool)
{
    qlm_fields_t *fields = qlm_fields_create(tool->pool);
    qlm_reply_t *reply;
    json_t *keys, *record;

    QLM_TRY(read_fields(fields, tool));
    QLM_TRY(qlm_ask(&reply, tool, METHOD, fields));
    if (reply->error) {
        return qlm_error_copy(reply->error, tool->pool);
    }
    QLM_TRY(read_keys(&keys, tool, reply));
    if (!tool->is_json) {
        for (size_t i = 0; i < json_array_size(keys); i++) {
            puts(json_string_value(json_array_get(keys, i)));
        }
        return NULL;
    }
    record = qlm_output_object(tool->pool);
    qlm_output_put_value(record, "keys", keys);
    qlm_output_put_bool(record, "is_repeat", strcmp(reply->outcome, "repeated") == 0);
    qlm_output_put(record, "oddity", reply->oddity);
    qlm_output_record(tool, record);
    return NULL;
}
