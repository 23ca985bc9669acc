/* May the connection's user do what the statements do? */
#include "store/connection.h"
#include "store/tables.h"

#include <apr_strings.h>

/* Servers look at rights when they explain a statement, too, and then nothing is changed. */
static qlm_error_t *try_table(qlm_store_t *store, const qlm_table_t *table, apr_pool_t *pool)
{
    const char *column = APR_ARRAY_IDX(table->columns, 0, qlm_table_column_t).name;
    const char *trials[] = {
        apr_pstrcat(pool, "SELECT ", column, " FROM ", table->name, NULL),
        apr_pstrcat(pool, "INSERT INTO ", table->name, " SELECT * FROM ", table->name, NULL),
        apr_pstrcat(pool, "UPDATE ", table->name, " SET ", column, " = ", column, NULL),
        apr_pstrcat(pool, "DELETE FROM ", table->name, NULL)};
    apr_array_header_t *rows;
    size_t i;

    for (i = 0; i < sizeof(trials) / sizeof(*trials); ++i) {
        QLM_TRY(qlm_connection_select_text(
            &rows, store, apr_pstrcat(pool, "EXPLAIN ", trials[i], " WHERE 1 = 0", NULL), pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_check_rights(qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *tables = qlm_tables_read(pool);
    int i;

    for (i = 0; i < tables->nelts && store->dialect != QLM_DIALECT_SQLITE; ++i) {
        QLM_TRY(try_table(store, &APR_ARRAY_IDX(tables, i, qlm_table_t), pool));
    }
    return NULL;
}
