/* product: add, set, list, show, keys. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/pairs.h"
#include "qlmctl/products.h"
#include "qlmctl/records.h"

#include "base/date.h"
#include "base/text.h"
#include "license/signature.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES     255
#define FEATURES_MAX_BYTES 4000
#define VERSION_MAX_BYTES  100
#define URL_MAX_BYTES      1000
#define NOTES_MAX_BYTES    4000

static qlm_error_t *unknown(qlm_tool_t *tool, int id, int major, int minor)
{
    return qlm_tool_failure(tool, "there is no product %d version %d.%d; see qlmctl product list",
                            id, major, minor);
}

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
    return unknown(tool, id, major, minor);
}

/* The product that --id and --version name. */
static qlm_error_t *find_named(const qlm_product_t **product, qlm_tool_t *tool)
{
    int id, major, minor;

    QLM_TRY(qlm_tool_option_product(&id, &major, &minor, tool, "id"));
    return qlm_products_find(product, tool, id, major, minor);
}

/* ---- fields -----------------------------------------------------------------------------------
 */

enum { FEATURES, LATEST_VERSION, LATEST_URL, LATEST_NOTES, NAME, RELEASED, FIELD_COUNT };

static const qlm_pair_t fields[] = {
    [FEATURES] = {"features", FEATURES_MAX_BYTES, 0},
    [LATEST_VERSION] = {"latest-version", VERSION_MAX_BYTES, 0},
    [LATEST_URL] = {"latest-url", URL_MAX_BYTES, 0},
    [LATEST_NOTES] = {"latest-notes", NOTES_MAX_BYTES, 1},
    [NAME] = {"name", NAME_MAX_BYTES, 0},
    [RELEASED] = {"released", VERSION_MAX_BYTES, 0},
    [FIELD_COUNT] = {NULL, 0, 0},
};

/* @a dashes: "--" where they are options. */
static qlm_error_t *read_name(qlm_product_t *product, qlm_tool_t *tool, const char *dashes,
                              const char *name)
{
    const char *trimmed = qlm_text_trim(name, tool->pool);

    if (!qlm_text_is_utf8(name) || qlm_text_has_control(name) || !*trimmed ||
        strlen(name) > NAME_MAX_BYTES) {
        return qlm_tool_usage(tool,
                              "%sname takes a UTF-8 text of 1 to %d bytes without control "
                              "characters",
                              dashes, NAME_MAX_BYTES);
    }
    product->name = trimmed;
    return NULL;
}

static qlm_error_t *read_released(qlm_product_t *product, qlm_tool_t *tool, const char *dashes,
                                  const char *released)
{
    product->released_at = 0;
    return !*released || qlm_date_parse(&product->released_at, released, "yyyy-MM-dd")
               ? NULL
               : qlm_tool_usage(tool, "%sreleased takes a date as yyyy-MM-dd, such as 2026-05-14",
                                dashes);
}

static int is_url(const char *text)
{
    return !*text || strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
}

/* Change what is given. */
static qlm_error_t *apply_fields(qlm_product_t *product, qlm_tool_t *tool, const char *dashes,
                                 const char *const *values)
{
    if (values[FEATURES] && !qlm_features_are_names(values[FEATURES], tool->pool)) {
        return qlm_tool_usage(tool, "features are names as set:id:name;..., set 0 to 3, id 1, 2, "
                                    "4 ... 128, such as 0:1:STD;0:2:PRO");
    }
    if (values[LATEST_URL] && !is_url(values[LATEST_URL])) {
        return qlm_tool_usage(tool, "latest-url begins with https:// or http://");
    }
    if (values[NAME]) {
        QLM_TRY(read_name(product, tool, dashes, values[NAME]));
    }
    if (values[RELEASED]) {
        QLM_TRY(read_released(product, tool, dashes, values[RELEASED]));
    }
    product->features = values[FEATURES] ? values[FEATURES] : product->features;
    product->latest_version =
        values[LATEST_VERSION] ? values[LATEST_VERSION] : product->latest_version;
    product->latest_version_url =
        values[LATEST_URL] ? values[LATEST_URL] : product->latest_version_url;
    product->latest_version_notes =
        values[LATEST_NOTES] ? values[LATEST_NOTES] : product->latest_version_notes;
    return NULL;
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
    const char *values[FIELD_COUNT];
    apr_int64_t length = 2048;

    QLM_TRY(qlm_tool_option_product(&product->id, &product->major, &product->minor, tool, "id"));
    QLM_TRY(qlm_tool_option_int(&length, tool, "bits", 1024, 8192));
    *bits = (int)length;
    QLM_TRY(qlm_pairs_read(values, tool, 0, fields));
    if (values[NAME] || values[RELEASED]) {
        return qlm_tool_usage(tool, "name and release day of a new product are the options --name "
                                    "and --released");
    }
    values[NAME] = qlm_tool_option(tool, "name");
    values[RELEASED] = qlm_tool_option(tool, "released");
    if (algorithm && !qlm_algorithm_parse(&product->algorithm, algorithm)) {
        return qlm_tool_usage(tool, "--algorithm takes rsa-sha256 or rsa-sha1");
    }
    product->features = product->latest_version = "";
    product->latest_version_url = product->latest_version_notes = "";
    return apply_fields(product, tool, "--", values);
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

/* ---- set --------------------------------------------------------------------------------------
 */

typedef struct change_t {
    qlm_tool_t *tool;
    int id, major, minor;
    const char *values[FIELD_COUNT];
    qlm_product_t product; /* as it is now */
} change_t;

/* Read inside the unit: two operators who change different fields both succeed. */
static qlm_error_t *set(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    change_t *change = baton;
    apr_array_header_t *products;

    QLM_TRY(qlm_store_list_products(&products, store, change->tool->pool));
    for (int i = 0; i < products->nelts; i++) {
        change->product = APR_ARRAY_IDX(products, i, qlm_product_t);
        if (change->product.id == change->id && change->product.major == change->major &&
            change->product.minor == change->minor) {
            QLM_TRY(apply_fields(&change->product, change->tool, "", change->values));
            return qlm_store_set_product(store, &change->product, pool);
        }
    }
    return unknown(change->tool, change->id, change->major, change->minor);
}

qlm_error_t *qlm_command_product_set(qlm_tool_t *tool)
{
    change_t change = {.tool = tool};
    qlm_store_t *store;

    QLM_TRY(qlm_tool_option_product(&change.id, &change.major, &change.minor, tool, "id"));
    QLM_TRY(qlm_pairs_read(change.values, tool, 0, fields));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_write(store, set, &change, tool->pool));
    if (tool->is_json) {
        qlm_output_record(tool, qlm_record_product(&change.product, tool->pool));
    }
    qlm_output_say(tool, "Changed product %d version %d.%d, %s.", change.id, change.major,
                   change.minor, change.product.name);
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
