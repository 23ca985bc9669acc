/* Properties, vendors, products, and the counter that tells when one of them changed. */
#include "store/connection.h"

#include "base/text.h"

/* Every change of settings is seen by the other processes through this. */
static qlm_error_t *revise(qlm_store_t *store, apr_pool_t *pool)
{
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_REVISE, NULL, pool);
}

qlm_error_t *qlm_store_revision(apr_int64_t *revision, int *has_foreign_keys, qlm_store_t *store,
                                apr_pool_t *pool)
{
    qlm_row_t row;
    int foreign_keys;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_SITE, NULL, pool));
    if (!row) {
        return qlm_error_store(pool, "the row of table qlm_site is gone: restore a backup");
    }
    *revision = qlm_row_int64(&row);
    foreign_keys = qlm_row_int(&row);
    if (has_foreign_keys) {
        *has_foreign_keys = foreign_keys;
    }
    return qlm_connection_judge_schema(store, qlm_row_int(&row), pool);
}

qlm_error_t *qlm_store_note_foreign_keys(qlm_store_t *store, apr_pool_t *pool)
{
    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_FOREIGN_KEYS, NULL, pool));
    return revise(store, pool);
}

qlm_error_t *qlm_store_secret_verifier(const char **verifier, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_SITE_VERIFIER, NULL, pool));
    *verifier = row ? qlm_row_text(&row) : "";
    return NULL;
}

/* The servers that run look again: one of them may have lost its database. */
qlm_error_t *qlm_store_set_secret_verifier(qlm_store_t *store, const char *verifier,
                                           apr_pool_t *pool)
{
    const char *values[] = {verifier};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_SET_VERIFIER, values, pool));
    return revise(store, pool);
}

/* ---- properties ---- */

qlm_error_t *qlm_store_list_properties(apr_array_header_t **values, qlm_store_t *store,
                                       apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_PROPERTIES, NULL, pool));
    *values = apr_array_make(pool, rows->nelts, sizeof(qlm_property_value_t));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        qlm_property_value_t *value = apr_array_push(*values);

        value->name = qlm_row_text(&row);
        value->value = qlm_row_text(&row);
    }
    return NULL;
}

qlm_error_t *qlm_store_set_property(qlm_store_t *store, const char *name, const char *value,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(name, pool), qlm_text_trim(name, pool), value};

    /* Delete and insert: "insert or replace" has a different spelling in every engine. */
    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_PROPERTY_DELETE, values, pool));
    if (value) {
        QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_PROPERTY_INSERT, values, pool));
    }
    return revise(store, pool);
}

/* ---- vendors ---- */

static void read_vendor(qlm_vendor_record_t *record, qlm_row_t row)
{
    record->name = qlm_row_text(&row);
    record->is_enabled = qlm_row_int(&row);
    record->is_open = qlm_row_int(&row);
    record->user = qlm_row_text(&row);
    record->password_verifier = qlm_row_text(&row);
    record->password_sealed = qlm_row_text(&row);
    record->url = qlm_row_text(&row);
    record->api_key_sealed = qlm_row_text(&row);
    record->shared_key_sealed = qlm_row_text(&row);
    record->callback_user = qlm_row_text(&row);
    record->callback_verifier = qlm_row_text(&row);
}

qlm_error_t *qlm_store_list_vendors(apr_array_header_t **records, qlm_store_t *store,
                                    apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_VENDORS, NULL, pool));
    *records = apr_array_make(pool, rows->nelts, sizeof(qlm_vendor_record_t));
    for (i = 0; i < rows->nelts; ++i) {
        read_vendor(apr_array_push(*records), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_set_vendor(qlm_store_t *store, const qlm_vendor_record_t *record,
                                  apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(record->name, pool),
                            record->is_enabled ? "1" : "0",
                            record->is_open ? "1" : "0",
                            qlm_statement_text(record->user),
                            qlm_statement_text(record->password_verifier),
                            qlm_statement_text(record->password_sealed),
                            qlm_statement_text(record->url),
                            qlm_statement_text(record->api_key_sealed),
                            qlm_statement_text(record->shared_key_sealed),
                            qlm_statement_text(record->callback_user),
                            qlm_statement_text(record->callback_verifier)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_VENDOR_DELETE, values, pool));
    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_VENDOR_INSERT, values, pool));
    return revise(store, pool);
}

/* ---- products ---- */

static qlm_error_t *read_product(qlm_product_t *product, qlm_row_t row, apr_pool_t *pool)
{
    const char *algorithm;

    product->id = qlm_row_int(&row);
    product->major = qlm_row_int(&row);
    product->minor = qlm_row_int(&row);
    product->name = qlm_row_text(&row);
    product->released_at = qlm_row_int64(&row);
    algorithm = qlm_row_text(&row);
    product->public_key_pem = qlm_row_text(&row);
    product->private_key_sealed = qlm_row_text(&row);
    product->features = qlm_row_text(&row);
    product->latest_version = qlm_row_text(&row);
    product->latest_version_url = qlm_row_text(&row);
    product->latest_version_notes = qlm_row_text(&row);
    if (!qlm_algorithm_parse(&product->algorithm, algorithm)) {
        return qlm_error_store(pool, "product %d version %d.%d: unknown signature algorithm %s",
                               product->id, product->major, product->minor,
                               qlm_text_for_log(algorithm, 40, pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_list_products(apr_array_header_t **products, qlm_store_t *store,
                                     apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_PRODUCTS, NULL, pool));
    *products = apr_array_make(pool, rows->nelts, sizeof(qlm_product_t));
    for (i = 0; i < rows->nelts; ++i) {
        QLM_TRY(read_product(apr_array_push(*products), APR_ARRAY_IDX(rows, i, qlm_row_t), pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_add_product(int *added, qlm_store_t *store, const qlm_product_t *product,
                                   apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(product->id, pool),
                            qlm_statement_number(product->major, pool),
                            qlm_statement_number(product->minor, pool),
                            qlm_statement_text(product->name),
                            qlm_statement_number(product->released_at, pool),
                            qlm_algorithm_name(product->algorithm),
                            qlm_statement_text(product->public_key_pem),
                            qlm_statement_text(product->private_key_sealed),
                            qlm_statement_text(product->features),
                            qlm_statement_text(product->latest_version),
                            qlm_statement_text(product->latest_version_url),
                            qlm_statement_text(product->latest_version_notes)};

    QLM_TRY(qlm_statement_execute(added, store, QLM_STATEMENT_PRODUCT_INSERT, values, pool));
    return *added ? revise(store, pool) : NULL;
}

qlm_error_t *qlm_store_set_product(qlm_store_t *store, const qlm_product_t *product,
                                   apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_text(product->name),
                            qlm_statement_number(product->released_at, pool),
                            qlm_statement_text(product->features),
                            qlm_statement_text(product->latest_version),
                            qlm_statement_text(product->latest_version_url),
                            qlm_statement_text(product->latest_version_notes),
                            qlm_statement_number(product->id, pool),
                            qlm_statement_number(product->major, pool),
                            qlm_statement_number(product->minor, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_PRODUCT_UPDATE, values, pool));
    return revise(store, pool);
}
