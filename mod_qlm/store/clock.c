/* The clock of the database server, by which several web servers can compare theirs. */
#include "store/clock.h"

#include "store/connection.h"

static const char *const server_time[] = {
    /* QLM_DIALECT_SQLITE */ NULL,
    /* QLM_DIALECT_PGSQL */ "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    /* QLM_DIALECT_MYSQL */ "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"};

qlm_error_t *qlm_store_compare_clocks(apr_interval_time_t *ahead, qlm_store_t *store,
                                      apr_pool_t *pool)
{
    const char *sql = server_time[store->dialect];
    apr_time_t before, after, there;
    apr_array_header_t *rows;
    qlm_row_t row;

    *ahead = 0;
    if (!sql) {
        return NULL;
    }
    before = apr_time_now();
    QLM_TRY(qlm_connection_select_text(&rows, store, sql, pool));
    after = apr_time_now();
    if (rows->nelts) {
        row = APR_ARRAY_IDX(rows, 0, qlm_row_t);
        there = apr_time_from_msec(qlm_row_int64(&row));
        *ahead = there < before ? there - before : there > after ? there - after : 0;
    }
    return NULL;
}
