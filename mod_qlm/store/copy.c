/* Copying a database, table by table in pages by their keys. */
#include "store/copy.h"

#include "store/connection.h"
#include "store/tables.h"

#include <apr_strings.h>

#include <string.h>

#define PAGE 500

/* ---- statements ---- */

static const char *column_list(const qlm_table_t *table, int with_marks, apr_pool_t *pool)
{
    const char *list = "";
    int i;

    for (i = 0; i < table->columns->nelts; ++i) {
        const qlm_table_column_t *column = &APR_ARRAY_IDX(table->columns, i, qlm_table_column_t);

        list =
            apr_pstrcat(pool, list, i ? ", " : "", with_marks ? column->mark : column->name, NULL);
    }
    return list;
}

static int column_index(const qlm_table_t *table, const char *name)
{
    int i = 0;

    while (strcmp(APR_ARRAY_IDX(table->columns, i, qlm_table_column_t).name, name)) {
        ++i;
    }
    return i;
}

static const char *key_mark(const qlm_table_t *table, int key)
{
    int index = column_index(table, APR_ARRAY_IDX(table->keys, key, const char *));

    return APR_ARRAY_IDX(table->columns, index, qlm_table_column_t).mark;
}

/* "a > ? OR (a = ? AND b > ?) ...": MariaDB finds its way through an index by this, and not by rows
 * in parentheses; with the others it is the other way round. */
static const char *key_condition_in_words(const qlm_table_t *table, apr_pool_t *pool)
{
    const char *all = "";
    int i, k;

    for (i = 0; i < table->keys->nelts; ++i) {
        const char *part = "";

        for (k = 0; k <= i; ++k) {
            part = apr_pstrcat(pool, part, k ? " AND " : "",
                               APR_ARRAY_IDX(table->keys, k, const char *), k < i ? " = " : " > ",
                               key_mark(table, k), NULL);
        }
        all = apr_pstrcat(pool, all, i ? " OR (" : "(", part, ")", NULL);
    }
    return all;
}

static const char *key_list(const qlm_table_t *table, int with_marks, apr_pool_t *pool)
{
    const char *list = "";
    int i;

    for (i = 0; i < table->keys->nelts; ++i) {
        list = apr_pstrcat(
            pool, list, i ? ", " : "",
            with_marks ? key_mark(table, i) : APR_ARRAY_IDX(table->keys, i, const char *), NULL);
    }
    return list;
}

static const char *key_condition(const qlm_store_t *store, const qlm_table_t *table,
                                 apr_pool_t *pool)
{
    return store->dialect == QLM_DIALECT_MYSQL
               ? key_condition_in_words(table, pool)
               : apr_pstrcat(pool, "(", key_list(table, 0, pool), ") > (", key_list(table, 1, pool),
                             ")", NULL);
}

/* ---- reading ---- */

/* One table of one database, read in pages. */
typedef struct reader_t {
    qlm_store_t *store;
    const qlm_table_t *table;
    qlm_adhoc_t *first, *next;
    qlm_row_t last; /* of the page before, NULL before the first */
    int is_over;
    apr_pool_t *pool, *pages[2]; /* the last row lives in the page before */
} reader_t;

static qlm_error_t *open_reader(reader_t *reader, qlm_store_t *store, const qlm_table_t *table,
                                apr_pool_t *pool)
{
    const char *select =
        apr_pstrcat(pool, "SELECT ", column_list(table, 0, pool), " FROM ", table->name, NULL);
    const char *order =
        apr_pstrcat(pool, " ORDER BY ", key_list(table, 0, pool), " LIMIT %d", NULL);

    memset(reader, 0, sizeof(*reader));
    reader->store = store;
    reader->table = table;
    reader->pool = pool;
    apr_pool_create(&reader->pages[0], pool);
    apr_pool_create(&reader->pages[1], pool);
    QLM_TRY(qlm_adhoc_prepare(&reader->first, store, apr_pstrcat(pool, select, order, NULL), pool));
    return qlm_adhoc_prepare(
        &reader->next, store,
        apr_pstrcat(pool, select, " WHERE ", key_condition(store, table, pool), order, NULL), pool);
}

/* The values for the condition: those of the last row's key, as often as the condition names them.
 */
static const char **page_values(const reader_t *reader, apr_pool_t *pool)
{
    apr_array_header_t *values = apr_array_make(pool, 8, sizeof(const char *));
    int keys = reader->table->keys->nelts;
    int in_words = reader->store->dialect == QLM_DIALECT_MYSQL;
    int i, k;

    for (i = in_words ? 0 : keys - 1; reader->last && i < keys; ++i) {
        for (k = 0; k <= i; ++k) {
            const char *name = APR_ARRAY_IDX(reader->table->keys, k, const char *);

            APR_ARRAY_PUSH(values, const char *) = reader->last[column_index(reader->table, name)];
        }
    }
    APR_ARRAY_PUSH(values, const char *) = qlm_statement_number(PAGE, pool);
    return (const char **)(void *)values->elts;
}

/* *rows: array of qlm_row_t, good until the next but one call; none at the end. */
static qlm_error_t *read_page(apr_array_header_t **rows, reader_t *reader)
{
    apr_pool_t *pool = reader->pages[0];

    reader->pages[0] = reader->pages[1];
    reader->pages[1] = pool;
    apr_pool_clear(pool);
    if (reader->is_over) {
        *rows = apr_array_make(pool, 1, sizeof(qlm_row_t));
        return NULL;
    }
    QLM_TRY(qlm_adhoc_select(rows, reader->store, reader->last ? reader->next : reader->first,
                             page_values(reader, pool), pool));
    reader->is_over = (*rows)->nelts < PAGE;
    if ((*rows)->nelts > 0) {
        reader->last = APR_ARRAY_IDX(*rows, (*rows)->nelts - 1, qlm_row_t);
    }
    return NULL;
}

/* ---- writing ---- */

typedef struct page_t {
    qlm_adhoc_t *insert;
    const qlm_table_t *table;
    const apr_array_header_t *rows;
} page_t;

static qlm_error_t *write_page(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const page_t *page = baton;
    apr_pool_t *row_pool;
    int i;

    apr_pool_create(&row_pool, pool);
    for (i = 0; i < page->rows->nelts; ++i) {
        apr_pool_clear(row_pool);
        QLM_TRY(qlm_error_copy(
            qlm_adhoc_execute(
                store, page->insert,
                apr_pmemdup(row_pool, APR_ARRAY_IDX(page->rows, i, qlm_row_t),
                            (apr_size_t)page->table->columns->nelts * sizeof(const char *)),
                row_pool),
            pool));
    }
    return NULL;
}

static qlm_error_t *copy_table(apr_int64_t *count, qlm_store_t *to, qlm_store_t *from,
                               const qlm_table_t *table, apr_pool_t *pool)
{
    page_t page = {.table = table};
    apr_array_header_t *rows;
    reader_t reader;

    QLM_TRY(qlm_adhoc_prepare(&page.insert, to,
                              apr_pstrcat(pool, "INSERT INTO ", table->name, " (",
                                          column_list(table, 0, pool), ") VALUES (",
                                          column_list(table, 1, pool), ")", NULL),
                              pool));
    QLM_TRY(open_reader(&reader, from, table, pool));
    do {
        QLM_TRY(read_page(&rows, &reader));
        page.rows = rows;
        QLM_TRY(rows->nelts ? qlm_store_write(to, write_page, &page, pool) : NULL);
        *count += rows->nelts;
    } while (rows->nelts);
    return NULL;
}

/* ---- comparing ---- */

static qlm_error_t *compare_rows(const qlm_table_t *table, qlm_row_t one, qlm_row_t other,
                                 apr_pool_t *pool)
{
    int i;

    for (i = 0; i < table->columns->nelts; ++i) {
        if (!one[i] || !other[i] || strcmp(one[i], other[i])) {
            return qlm_error_store(pool, "the copy differs: table %s, column %s", table->name,
                                   APR_ARRAY_IDX(table->columns, i, qlm_table_column_t).name);
        }
    }
    return NULL;
}

static qlm_error_t *compare_table(qlm_store_t *to, qlm_store_t *from, const qlm_table_t *table,
                                  apr_pool_t *pool)
{
    apr_array_header_t *here, *there;
    reader_t source, copy;
    int i;

    QLM_TRY(open_reader(&source, from, table, pool));
    QLM_TRY(open_reader(&copy, to, table, pool));
    do {
        QLM_TRY(read_page(&here, &source));
        QLM_TRY(read_page(&there, &copy));
        if (here->nelts != there->nelts) {
            return qlm_error_store(pool, "the copy differs: table %s has not as many rows",
                                   table->name);
        }
        for (i = 0; i < here->nelts; ++i) {
            QLM_TRY(compare_rows(table, APR_ARRAY_IDX(here, i, qlm_row_t),
                                 APR_ARRAY_IDX(there, i, qlm_row_t), pool));
        }
    } while (here->nelts);
    return NULL;
}

/* ---- all of it ---- */

static int is_site(const qlm_table_t *table)
{
    return !strcmp(table->name, "qlm_site"); /* its row is what makes the database ours */
}

static qlm_error_t *check_empty(qlm_store_t *to, const apr_array_header_t *tables, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    for (i = 0; i < tables->nelts; ++i) {
        const qlm_table_t *table = &APR_ARRAY_IDX(tables, i, qlm_table_t);

        QLM_TRY(qlm_connection_select_text(
            &rows, to, apr_pstrcat(pool, "SELECT 1 FROM ", table->name, " LIMIT 1", NULL), pool));
        if (rows->nelts && !is_site(table)) {
            return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "the database to copy to holds rows already (table %s): name "
                                  "an empty one",
                                  table->name);
        }
    }
    return NULL;
}

/* As a unit. @a baton: the tables. */
static qlm_error_t *remove_rows(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const apr_array_header_t *tables = baton;
    int i;

    for (i = tables->nelts; i-- > 0;) {
        const char *name = APR_ARRAY_IDX(tables, i, qlm_table_t).name;

        QLM_TRY(qlm_connection_execute_text(store, apr_pstrcat(pool, "DELETE FROM ", name, NULL),
                                            pool));
    }
    return NULL;
}

static qlm_error_t *copy_tables(apr_int64_t *count, qlm_store_t *to, qlm_store_t *from,
                                const apr_array_header_t *tables, apr_pool_t *pool)
{
    apr_pool_t *table_pool;
    int i;

    apr_pool_create(&table_pool, pool);
    /* The first, the site, is the last: before, nobody serves the copy. */
    for (i = 1; i <= tables->nelts; ++i) {
        const qlm_table_t *table = &APR_ARRAY_IDX(tables, i % tables->nelts, qlm_table_t);

        apr_pool_clear(table_pool);
        QLM_TRY(qlm_error_copy(copy_table(count, to, from, table, table_pool), pool));
    }
    for (i = 0; i < tables->nelts; ++i) {
        const qlm_table_t *table = &APR_ARRAY_IDX(tables, i, qlm_table_t);

        apr_pool_clear(table_pool);
        QLM_TRY(qlm_error_copy(compare_table(to, from, table, table_pool), pool));
    }
    return NULL;
}

/* What is read is of one moment, and no statement of it is repeated on another session. */
static qlm_error_t *begin_reading(qlm_store_t *from, apr_pool_t *pool)
{
    static const char *const begin[] = {
        /* QLM_DIALECT_SQLITE */ "BEGIN",
        /* QLM_DIALECT_PGSQL */ "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        /* QLM_DIALECT_MYSQL */ "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"};

    QLM_TRY(qlm_connection_execute_text(from, begin[from->dialect], pool));
    if (from->dialect == QLM_DIALECT_MYSQL) {
        QLM_TRY(
            qlm_connection_execute_text(from, "START TRANSACTION WITH CONSISTENT SNAPSHOT", pool));
    }
    from->is_in_unit = 1;
    return NULL;
}

static void end_reading(qlm_store_t *from, apr_pool_t *pool)
{
    from->is_in_unit = 0;
    (void)qlm_connection_execute_text(from, "ROLLBACK", pool);
}

qlm_error_t *qlm_store_copy(apr_int64_t *count, qlm_store_t *to, qlm_store_t *from,
                            apr_pool_t *pool)
{
    apr_array_header_t *tables = qlm_tables_read(pool);
    qlm_error_t *error;

    *count = 0;
    QLM_TRY(qlm_store_check(from, pool));
    QLM_TRY(qlm_store_upgrade(to, pool));
    QLM_TRY(qlm_store_check(to, pool));
    QLM_TRY(check_empty(to, tables, pool));
    QLM_TRY(qlm_store_write(to, remove_rows, tables, pool)); /* the site's row */
    QLM_TRY(begin_reading(from, pool));
    error = copy_tables(count, to, from, tables, pool);
    end_reading(from, pool);
    if (error) {
        (void)qlm_store_write(to, remove_rows, tables, pool);
    }
    return error;
}
