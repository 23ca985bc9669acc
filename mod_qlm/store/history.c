/* History rows: adding, listing, counting, removing. */
#include "store/history.h"

#include "base/text.h"
#include "store/records.h"

qlm_error_t *qlm_store_add_history(qlm_store_t *store, const qlm_history_t *row,
                                   const qlm_actor_t *actor, apr_pool_t *pool)
{
    const char *computer_id = qlm_statement_text(row->computer_id);
    const char *values[] = {qlm_statement_number(qlm_store_new_id(store), pool),
                            qlm_statement_number(row->license_id, pool),
                            qlm_statement_number(row->customer_id, pool),
                            qlm_statement_text(row->activation_key),
                            row->event,
                            qlm_statement_text(actor->method),
                            qlm_statement_text(actor->vendor),
                            qlm_statement_text(actor->address),
                            computer_id,
                            qlm_statement_text(row->changes),
                            qlm_statement_number(actor->now, pool),
                            qlm_text_fold(computer_id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_HISTORY_INSERT, values, pool);
}

static void read_history(qlm_history_t *history, qlm_row_t *row)
{
    history->id = qlm_row_int64(row);
    history->license_id = qlm_row_int64(row);
    history->customer_id = qlm_row_int64(row);
    history->activation_key = qlm_row_text(row);
    history->event = qlm_row_text(row);
    history->method = qlm_row_text(row);
    history->vendor = qlm_row_text(row);
    history->address = qlm_row_text(row);
    history->computer_id = qlm_row_text(row);
    history->changes = qlm_row_text(row);
    history->happened_at = qlm_row_int64(row);
}

qlm_error_t *qlm_store_list_history(apr_array_header_t **rows, qlm_store_t *store,
                                    const qlm_history_filter_t *filter, apr_pool_t *pool)
{
    const char *values[] = {NULL, qlm_statement_number(filter->limit, pool)};
    qlm_statement_t statement = QLM_STATEMENT_HISTORY_BY_KEY;
    apr_array_header_t *found;

    values[0] = qlm_statement_text(filter->activation_key);
    if (filter->license_id) {
        statement = QLM_STATEMENT_HISTORY_BY_LICENSE;
        values[0] = qlm_statement_number(filter->license_id, pool);
    }
    else if (filter->customer_id) {
        statement = QLM_STATEMENT_HISTORY_BY_CUSTOMER;
        values[0] = qlm_statement_number(filter->customer_id, pool);
    }
    QLM_TRY(qlm_statement_select(&found, store, statement, values, pool));
    *rows = apr_array_make(pool, found->nelts, sizeof(qlm_history_t));
    for (int i = 0; i < found->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(found, i, qlm_row_t);

        read_history(apr_array_push(*rows), &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_count_history(apr_int64_t *count, qlm_store_t *store, apr_int64_t license_id,
                                     const char *event, apr_int64_t since, const char *computer_id,
                                     apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license_id, pool), event,
                            qlm_statement_number(since, pool), computer_id ? "y" : "",
                            qlm_text_fold(qlm_statement_text(computer_id), pool)};

    return qlm_statement_count(count, store, QLM_STATEMENT_HISTORY_COUNT, values, pool);
}

qlm_error_t *qlm_store_purge_history(int *removed, qlm_store_t *store, apr_int64_t before,
                                     int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_HISTORY_OLD, values, pool));
    for (int i = 0; i < rows->nelts; i++) {
        const char *id[] = {*APR_ARRAY_IDX(rows, i, qlm_row_t)};

        QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_HISTORY_DELETE, id, pool));
    }
    *removed = rows->nelts;
    return NULL;
}

qlm_error_t *qlm_store_has_old_history(int *has_old, qlm_store_t *store, apr_int64_t before,
                                       apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), "1"};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_HISTORY_OLD, values, pool));
    *has_old = row != NULL;
    return NULL;
}
