/* product: add, list, show, keys. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/products.h"
#include "qlmctl/records.h"

#include "base/date.h"
#include "base/text.h"
#include "license/signature.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 255

qlm_error_t *qlm_products_find(const qlm_product_t **product, qlm_tool_t *tool, int id, int major,
                               int minor)
{
    apr_array_header_t *products;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_products(&products, store, tool->pool));
    for (int i = 0; i < products->nelts; i++) {
        *product = &APR_ARRAY_IDX(products, i, qlm_product_t);
        if ((*product)->id == id && (*product)->major == major && (*product)->minor == minor) {
            return NULL;
        }
    }
    return qlm_tool_failure(tool, "there is no product %d version %d.%d; see qlmctl product list",
                            id, major, minor);
}

/* The product that --id and --version name. */
static qlm_error_t *find_named(const qlm_product_t **product, qlm_tool_t *tool)
{
    int id, major, minor;

    QLM_TRY(qlm_tool_option_product(&id, &major, &minor, tool, "id"));
    return qlm_products_find(product, tool, id, major, minor);
}

/* ---- add --------------------------------------------------------------------------------------
 */

typedef struct addition_t {
    qlm_product_t product;
    int added;
} addition_t;

static qlm_error_t *add(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    addition_t *addition = baton;

    return qlm_store_add_product(&addition->added, store, &addition->product, pool);
}

static qlm_error_t *read_product(qlm_product_t *product, int *bits, qlm_tool_t *tool)
{
    const char *algorithm = qlm_tool_option(tool, "algorithm");
    const char *released = qlm_tool_option(tool, "released");
    apr_int64_t length = 2048;

    QLM_TRY(qlm_tool_option_product(&product->id, &product->major, &product->minor, tool, "id"));
    QLM_TRY(qlm_tool_option_int(&length, tool, "bits", 1024, 8192));
    *bits = (int)length;
    product->name = qlm_tool_option(tool, "name");
    if (!qlm_text_is_utf8(product->name) || qlm_text_has_control(product->name) ||
        !*qlm_text_trim(product->name, tool->pool) || strlen(product->name) > NAME_MAX_BYTES) {
        return qlm_tool_usage(tool,
                              "--name takes a UTF-8 text of 1 to %d bytes without control "
                              "characters",
                              NAME_MAX_BYTES);
    }
    product->name = qlm_text_trim(product->name, tool->pool);
    if (algorithm && !qlm_algorithm_parse(&product->algorithm, algorithm)) {
        return qlm_tool_usage(tool, "--algorithm takes rsa-sha256 or rsa-sha1");
    }
    if (released && !qlm_date_parse(&product->released_at, released, "yyyy-MM-dd")) {
        return qlm_tool_usage(tool, "--released takes a date as yyyy-MM-dd, such as 2026-05-14");
    }
    return NULL;
}

qlm_error_t *qlm_command_product_add(qlm_tool_t *tool)
{
    addition_t addition = {{0}, 0};
    qlm_product_t *product = &addition.product;
    const qlm_secrets_t *secrets;
    qlm_store_t *store;
    const char *private_pem;
    int bits;

    product->algorithm = QLM_ALGORITHM_RSA_SHA256;
    QLM_TRY(read_product(product, &bits, tool));
    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_signature_generate(&private_pem, &product->public_key_pem, bits, tool->pool));
    QLM_TRY(qlm_secrets_seal(
        &product->private_key_sealed, secrets,
        qlm_product_identity(product->id, product->major, product->minor, tool->pool), private_pem,
        tool->pool));
    QLM_TRY(qlm_store_write(store, add, &addition, tool->pool));
    if (!addition.added) {
        return qlm_tool_failure(tool,
                                "product %d version %d.%d is there already and was not changed; "
                                "see qlmctl product show",
                                product->id, product->major, product->minor);
    }
    if (tool->is_json) {
        qlm_output_record(tool, qlm_record_product(product, tool->pool));
    }
    qlm_output_say(tool, "Added product %d version %d.%d, %s, with a new key (%s, %d bits).",
                   product->id, product->major, product->minor, product->name,
                   qlm_algorithm_name(product->algorithm), bits);
    return NULL;
}

/* ---- list, show, keys -------------------------------------------------------------------------
 */

qlm_error_t *qlm_command_product_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"product_id", "ID"},       {"version", "VERSION"},   {"name", "NAME"},
        {"algorithm", "ALGORITHM"}, {"released", "RELEASED"}, {NULL, NULL},
    };
    apr_array_header_t *products;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_products(&products, store, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < products->nelts; i++) {
        qlm_output_append(
            rows, qlm_record_product(&APR_ARRAY_IDX(products, i, qlm_product_t), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

qlm_error_t *qlm_command_product_show(qlm_tool_t *tool)
{
    const qlm_product_t *product;
    json_t *record;

    QLM_TRY(find_named(&product, tool));
    record = qlm_record_product(product, tool->pool);
    if (!tool->is_json) {
        json_object_del(record, "public_key_pem"); /* many lines: product keys prints them */
    }
    qlm_output_record(tool, record);
    return NULL;
}

qlm_error_t *qlm_command_product_keys(qlm_tool_t *tool)
{
    const char *format = qlm_tool_option(tool, "format");
    const qlm_product_t *product;
    const char *xml;

    if (format && strcmp(format, "pem") != 0 && strcmp(format, "xml") != 0) {
        return qlm_tool_usage(tool, "--format takes pem or xml");
    }
    QLM_TRY(find_named(&product, tool));
    QLM_TRY(qlm_signature_public_xml(&xml, product->public_key_pem, tool->pool));
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put(record, "pem", product->public_key_pem);
        qlm_output_put(record, "xml", xml);
        qlm_output_record(tool, record);
    }
    else if (format && strcmp(format, "xml") == 0) {
        puts(xml);
    }
    else {
        fputs(product->public_key_pem, stdout);
    }
    return NULL;
}
