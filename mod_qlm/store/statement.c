/* Prepared statements and the rows they return. */
#include "store/statement.h"

#include "store/connection.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

/* ---- statements ---- */

typedef struct statement_row_t {
    const char *name;
    const char *sql;
    int is_insert_new;
} statement_row_t;

static const statement_row_t statement_table[] = {
#define QLM_STATEMENT(id, sql)     {#id, sql, 0},
#define QLM_STATEMENT_NEW(id, sql) {#id, sql, 1},
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
};

const char *qlm_statement_name(qlm_statement_t statement)
{
    return statement_table[statement].name;
}

static const char *statement_sql(const qlm_store_t *store, const statement_row_t *row,
                                 apr_pool_t *pool)
{
    if (!row->is_insert_new) {
        return row->sql;
    }
    if (store->dialect == QLM_DIALECT_MYSQL) {
        return apr_pstrcat(pool, "INSERT IGNORE INTO ", row->sql, NULL);
    }
    return apr_pstrcat(pool, "INSERT INTO ", row->sql, " ON CONFLICT DO NOTHING", NULL);
}

/* ---- preparing ---- */

/* Prepare a statement, if it is not. @return the driver's code */
static int prepare(qlm_store_t *store, qlm_statement_t statement, apr_pool_t *pool)
{
    const statement_row_t *row = &statement_table[statement];
    apr_dbd_prepared_t *prepared = NULL;
    char *label;
    char *at;
    int rc;

    if (store->prepared[statement]) {
        return 0;
    }
    /* Never the same label twice: PostgreSQL may still know the old one. */
    label = apr_psprintf(pool, "qlm_%s_%d", row->name, store->generation);
    for (at = label; *at; ++at) {
        *at = (char)apr_tolower(*at); /* PostgreSQL folds the name it is executed by */
    }
    /* The connection's pool: the driver keeps the types of the placeholders in it. */
    rc = apr_dbd_prepare(store->driver, store->pool, *store->handle,
                         statement_sql(store, row, pool), label, &prepared);
    store->prepared[statement] = rc ? NULL : prepared;
    return rc;
}

qlm_error_t *qlm_statement_prepare(qlm_store_t *store, qlm_statement_t statement, apr_pool_t *pool)
{
    int rc = prepare(store, statement, pool);

    return rc ? qlm_connection_failure(store, statement_table[statement].name, rc, pool) : NULL;
}

/* ---- values ---- */

apr_int64_t qlm_row_int64(qlm_row_t *at)
{
    const char *value = *(*at)++;

    return value ? apr_atoi64(value) : 0;
}

const char *qlm_statement_number(apr_int64_t number, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

/* ---- running statements ---- */

/* One try of a statement: a select when @a results is not NULL. */
static int run_prepared(qlm_store_t *store, qlm_statement_t statement, const char **values,
                        apr_dbd_results_t **results, int *changed, apr_pool_t *pool)
{
    apr_dbd_prepared_t *prepared = store->prepared[statement];

    if (results) {
        return apr_dbd_pselect(store->driver, pool, *store->handle, results, prepared, 1, 0,
                               values);
    }
    return apr_dbd_pquery(store->driver, pool, *store->handle, changed, prepared, 0, values);
}

static qlm_error_t *run(qlm_store_t *store, qlm_statement_t statement, const char **values,
                        apr_dbd_results_t **results, int *changed, apr_pool_t *pool)
{
    apr_time_t started = apr_time_now();
    int attempt;

    for (attempt = 0;; ++attempt) {
        qlm_error_t *error;
        int rc = prepare(store, statement, pool);

        if (!rc) {
            rc = run_prepared(store, statement, values, results, changed, pool);
        }
        if (!rc) {
            return NULL;
        }
        error = qlm_connection_failure(store, statement_table[statement].name, rc, pool);
        if (attempt == 0 && qlm_connection_has_dropped(store, rc)) {
            qlm_connection_forget(store);
            if (store->is_in_unit) {
                return error; /* the whole unit is rolled back and run again */
            }
        }
        else if (!qlm_connection_has_waited(store, rc, started)) {
            return error;
        }
        if (results) {
            *results = NULL;
        }
    }
}

qlm_error_t *qlm_statement_select(apr_array_header_t **rows, qlm_store_t *store,
                                  qlm_statement_t statement, const char **values, apr_pool_t *pool)
{
    apr_dbd_results_t *results = NULL;

    QLM_TRY(run(store, statement, values, &results, NULL, pool));
    *rows = qlm_connection_read_rows(store, results, pool);
    return NULL;
}

qlm_error_t *qlm_statement_select_one(qlm_row_t *row, qlm_store_t *store, qlm_statement_t statement,
                                      const char **values, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, statement, values, pool));
    *row = rows->nelts ? APR_ARRAY_IDX(rows, 0, qlm_row_t) : NULL;
    return NULL;
}

qlm_error_t *qlm_statement_count(apr_int64_t *count, qlm_store_t *store, qlm_statement_t statement,
                                 const char **values, apr_pool_t *pool)
{
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, statement, values, pool));
    *count = row ? qlm_row_int64(&row) : 0;
    return NULL;
}

qlm_error_t *qlm_statement_execute(int *changed, qlm_store_t *store, qlm_statement_t statement,
                                   const char **values, apr_pool_t *pool)
{
    int rows_changed = 0;

    if (!store->is_in_unit) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "a change outside a unit of work (%s)",
                              statement_table[statement].name);
    }
    QLM_TRY(run(store, statement, values, NULL, &rows_changed, pool));
    if (changed) {
        *changed = rows_changed;
    }
    return NULL;
}

qlm_error_t *qlm_statement_copy_database(qlm_store_t *store, const char *path, apr_pool_t *pool)
{
    const char *values[] = {path};
    qlm_error_t *error = NULL;
    int changed = 0;
    int rc;

    /* A second try would only complain about what the first has left in the file. */
    store->prepared[QLM_STATEMENT_BACKUP] = NULL;
    QLM_TRY(qlm_statement_prepare(store, QLM_STATEMENT_BACKUP, pool));
    rc = run_prepared(store, QLM_STATEMENT_BACKUP, values, NULL, &changed, pool);
    if (rc) {
        error = qlm_connection_failure(store, statement_table[QLM_STATEMENT_BACKUP].name, rc, pool);
    }
    qlm_connection_forget(store); /* the copying drops every prepared statement */
    return error;
}
