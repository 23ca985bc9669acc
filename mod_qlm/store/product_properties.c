/* Product properties: what product versions define. */
#include "store/connection.h"

#include "base/text.h"

static qlm_error_t *read_definition(qlm_pp_record_t *record, qlm_row_t row, apr_pool_t *pool)
{
    qlm_pp_definition_t *definition = &record->definition;
    const char *type;

    record->product_id = qlm_row_int(&row);
    record->major = qlm_row_int(&row);
    record->minor = qlm_row_int(&row);
    definition->category = qlm_row_text(&row);
    definition->name = qlm_row_text(&row);
    definition->guid = qlm_row_text(&row);
    type = qlm_row_text(&row);
    definition->default_value = qlm_row_text(&row);
    definition->help = qlm_row_text(&row);
    definition->updated_at = qlm_row_int64(&row);
    if (!qlm_pp_type_parse(&definition->type, type)) {
        return qlm_error_store(pool, "product property %s: unknown type %s",
                               qlm_text_for_log(definition->name, 80, pool),
                               qlm_text_for_log(type, 40, pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_list_product_properties(apr_array_header_t **records, qlm_store_t *store,
                                               apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_PRODUCT_PROPERTIES, NULL, pool));
    *records = apr_array_make(pool, rows->nelts, sizeof(qlm_pp_record_t));
    for (i = 0; i < rows->nelts; ++i) {
        QLM_TRY(read_definition(apr_array_push(*records), APR_ARRAY_IDX(rows, i, qlm_row_t), pool));
    }
    return NULL;
}

/* Delete and insert, as for all settings. */
qlm_error_t *qlm_store_set_product_property(qlm_store_t *store, const qlm_pp_record_t *record,
                                            apr_pool_t *pool)
{
    const qlm_pp_definition_t *definition = &record->definition;
    const char *values[] = {qlm_statement_number(record->product_id, pool),
                            qlm_statement_number(record->major, pool),
                            qlm_statement_number(record->minor, pool),
                            qlm_pp_key(definition->category, definition->name, pool),
                            definition->category,
                            definition->name,
                            definition->guid,
                            qlm_pp_type_name(definition->type),
                            definition->default_value,
                            definition->help,
                            qlm_statement_number(definition->updated_at, pool)};

    QLM_TRY(
        qlm_statement_execute(NULL, store, QLM_STATEMENT_PRODUCT_PROPERTY_DELETE, values, pool));
    QLM_TRY(
        qlm_statement_execute(NULL, store, QLM_STATEMENT_PRODUCT_PROPERTY_INSERT, values, pool));
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_REVISE, NULL, pool);
}

qlm_error_t *qlm_store_remove_product_property(int *removed, qlm_store_t *store,
                                               const qlm_pp_record_t *record, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(record->product_id, pool),
                            qlm_statement_number(record->major, pool),
                            qlm_statement_number(record->minor, pool),
                            qlm_pp_key(record->definition.category, record->definition.name, pool)};

    QLM_TRY(
        qlm_statement_execute(removed, store, QLM_STATEMENT_PRODUCT_PROPERTY_DELETE, values, pool));
    return *removed ? qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_REVISE, NULL, pool)
                    : NULL;
}
