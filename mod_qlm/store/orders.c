/* Order lines and the answers they got: what makes a repeated delivery harmless. */
#include "store/statement.h"

static qlm_order_record_t *read_order(qlm_order_record_t *record, qlm_row_t row)
{
    record->vendor = qlm_row_text(&row);
    record->order_ref = qlm_row_text(&row);
    record->line_ref = qlm_row_text(&row);
    record->fingerprint = qlm_row_text(&row);
    record->content_type = qlm_row_text(&row);
    record->answer = qlm_row_text(&row);
    record->created_at = qlm_row_int64(&row);
    return record;
}

qlm_error_t *qlm_store_find_order(const qlm_order_record_t **record, qlm_store_t *store,
                                  const char *vendor, const char *order_ref, const char *line_ref,
                                  apr_pool_t *pool)
{
    const char *values[] = {vendor, order_ref, line_ref};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_ORDER_FIND, values, pool));
    *record = row ? read_order(apr_palloc(pool, sizeof(**record)), row) : NULL;
    return NULL;
}

qlm_error_t *qlm_store_list_order_lines(apr_array_header_t **records, qlm_store_t *store,
                                        const char *vendor, const char *order_ref, apr_pool_t *pool)
{
    const char *values[] = {vendor, order_ref};
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_ORDER_LINES, values, pool));
    *records = apr_array_make(pool, rows->nelts, sizeof(qlm_order_record_t));
    for (i = 0; i < rows->nelts; ++i) {
        read_order(apr_array_push(*records), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_search_orders(apr_array_header_t **records, qlm_store_t *store,
                                     const char *text, int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_pattern(text, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_ORDER_SEARCH, values, pool));
    *records = apr_array_make(pool, rows->nelts, sizeof(qlm_order_record_t));
    for (int i = 0; i < rows->nelts; i++) {
        read_order(apr_array_push(*records), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_add_order(int *added, qlm_store_t *store, const qlm_order_record_t *record,
                                 apr_pool_t *pool)
{
    const char *values[] = {record->vendor,
                            record->order_ref,
                            record->line_ref,
                            qlm_statement_text(record->fingerprint),
                            qlm_statement_text(record->content_type),
                            qlm_statement_text(record->answer),
                            qlm_statement_number(record->created_at, pool)};

    return qlm_statement_execute(added, store, QLM_STATEMENT_ORDER_INSERT, values, pool);
}
