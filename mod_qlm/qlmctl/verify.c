/* verify: the signature of a license document. */
#include "qlmctl/commands.h"
#include "qlmctl/input.h"
#include "qlmctl/output.h"
#include "qlmctl/products.h"

#include "base/text.h"
#include "license/signature.h"

#include <libxml/parser.h>
#include <string.h>

#define DOCUMENT_MAX_BYTES ((apr_size_t)1024 * 1024)

/* ---- whose key --------------------------------------------------------------------------------
 */

/* A number in a child of the root; -1 if it is not there once and readable. */
static int child_number(const xmlDoc *document, const char *name, apr_int64_t max)
{
    apr_int64_t number = -1;
    int count = 0;
    xmlNode *root = xmlDocGetRootElement(document);

    for (xmlNode *node = root ? root->children : NULL; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
            xmlChar *text = xmlNodeGetContent(node);

            count++;
            if (!text || !qlm_text_to_int64(&number, (const char *)text, 0, max)) {
                number = -1;
            }
            xmlFree(text);
        }
    }
    return count == 1 ? (int)number : -1;
}

/* The document is not trusted yet: it only says with which of our keys it claims to be signed. */
static xmlDoc *parse(const char *text, apr_size_t length)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlDoc *document = xmlReadMemory(text, (int)length, NULL, NULL, options);

    if (document && document->intSubset) { /* no license document has a DTD */
        xmlFreeDoc(document);
        return NULL;
    }
    return document;
}

static qlm_error_t *key_of_document(const char **key, qlm_tool_t *tool, const char *text,
                                    apr_size_t length)
{
    const qlm_product_t *product;
    int id, major, minor;
    xmlDoc *document = parse(text, length);

    if (!document) {
        return qlm_tool_failure(tool, "this is no license document: it is not plain XML");
    }
    id = child_number(document, "productID", 999999999);
    major = child_number(document, "majorVersion", 99);
    minor = child_number(document, "minorVersion", 99);
    xmlFreeDoc(document);
    if (id < 0 || major < 0 || minor < 0) {
        return qlm_tool_failure(tool,
                                "the document names no product and version (a refusal does not); "
                                "name the public key with --key");
    }
    QLM_TRY(qlm_products_find(&product, tool, id, major, minor));
    *key = product->public_key_pem;
    return NULL;
}

qlm_error_t *qlm_command_verify(qlm_tool_t *tool)
{
    const char *path = qlm_tool_word(tool, 0);
    const char *key_path = qlm_tool_option(tool, "key");
    const char *reason, *key = NULL;
    char *text, *key_text;
    apr_size_t length, key_length;
    int is_valid;

    QLM_TRY(qlm_input_read(&text, &length, tool, path, DOCUMENT_MAX_BYTES, "license document"));
    if (key_path) {
        QLM_TRY(qlm_input_read(&key_text, &key_length, tool, key_path, DOCUMENT_MAX_BYTES,
                               "public key"));
        key = key_text;
    }
    else {
        QLM_TRY(key_of_document(&key, tool, text, length));
    }
    is_valid = qlm_signature_verify(&reason, text, length, key, tool->pool);
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_bool(record, "is_valid", is_valid);
        qlm_output_put(record, "reason", reason);
        qlm_output_record(tool, record);
    }
    if (!is_valid) {
        return qlm_tool_failure(tool, "%s is not genuine: %s", path, reason);
    }
    qlm_output_say(tool, "%s: %s", path, reason);
    return NULL;
}
