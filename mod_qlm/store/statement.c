/* Prepared statements and the rows they return. */
#include "store/statement.h"

#include "base/text.h"

#include "store/connection.h"

#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

/* ---- statements ---- */

typedef enum statement_kind_t {
    KIND_PLAIN,
    KIND_NEW, /* insert unless it is there */
    KIND_LOCK /* select, and keep others from the rows until the unit ends */
} statement_kind_t;

typedef struct statement_row_t {
    const char *name;
    const char *sql;
    statement_kind_t kind;
} statement_row_t;

static const statement_row_t statement_table[] = {
#define QLM_STATEMENT(id, sql)      {#id, sql, KIND_PLAIN},
#define QLM_STATEMENT_NEW(id, sql)  {#id, sql, KIND_NEW},
#define QLM_STATEMENT_LOCK(id, sql) {#id, sql, KIND_LOCK},
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
};

const char *qlm_statement_name(qlm_statement_t statement)
{
    return statement_table[statement].name;
}

/* MariaDB's INSERT IGNORE would also cut what is too long: there the error for a key that is taken
 * has a number of its own, see is_taken. */
static const char *statement_sql(const qlm_store_t *store, const statement_row_t *row,
                                 apr_pool_t *pool)
{
    if (row->kind == KIND_NEW) {
        return apr_pstrcat(pool, "INSERT INTO ", row->sql,
                           store->dialect == QLM_DIALECT_MYSQL ? "" : " ON CONFLICT DO NOTHING",
                           NULL);
    }
    if (row->kind == KIND_LOCK && store->dialect != QLM_DIALECT_SQLITE) {
        return apr_pstrcat(pool, row->sql, " FOR UPDATE", NULL);
    }
    return row->sql;
}

#define MYSQL_DUPLICATE_KEY 1062

/* A row that was to be new is there already. */
static int is_taken(const qlm_store_t *store, qlm_statement_t statement, int rc)
{
    return rc == MYSQL_DUPLICATE_KEY && store->dialect == QLM_DIALECT_MYSQL &&
           statement_table[statement].kind == KIND_NEW;
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

/* Text that LIKE finds anywhere, its own wildcards taken literally. */
const char *qlm_statement_pattern(const char *text, apr_pool_t *pool)
{
    const char *folded = qlm_text_fold(text, pool);
    char *pattern = apr_palloc(pool, 2 * strlen(folded) + 3);
    char *to = pattern;

    *to++ = '%';
    for (; *folded; ++folded) {
        if (*folded == '%' || *folded == '_' || *folded == '!') {
            *to++ = '!';
        }
        *to++ = *folded;
    }
    *to++ = '%';
    *to = '\0';
    return pattern;
}

/* ---- running statements ---- */

/* One value as MariaDB wants it: it takes no text for LIMIT, and compares a text with a number as
 * if both were floating. */
static const void *typed_value(const char *format, const char *value, apr_pool_t *pool)
{
    apr_int64_t *number;
    int *small;

    if (!value || *format == 's') {
        return value;
    }
    if (*format == 'd') {
        small = apr_palloc(pool, sizeof(*small));
        *small = (int)apr_atoi64(value);
        return small;
    }
    number = apr_palloc(pool, sizeof(*number));
    *number = apr_atoi64(value);
    return number;
}

/* What MariaDB's driver can read back: it cuts what is longer, and says nothing. */
#define MYSQL_TEXT_MAX 1048000

static qlm_error_t *check_lengths(const qlm_store_t *store, const char *sql, const char **values,
                                  apr_pool_t *pool)
{
    if (store->dialect != QLM_DIALECT_MYSQL) {
        return NULL;
    }
    while ((sql = strchr(sql, '%')) != NULL) {
        if (*++sql == '%') {
            ++sql;
        }
        else if (*values++ && strlen(values[-1]) > MYSQL_TEXT_MAX) {
            return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_UNKNOWN,
                                  "a text is longer than the database can hold (%d bytes)",
                                  MYSQL_TEXT_MAX);
        }
    }
    return NULL;
}

static const void **typed_values(const char *sql, const char **values, apr_pool_t *pool)
{
    apr_array_header_t *typed = apr_array_make(pool, 16, sizeof(const void *));

    while ((sql = strchr(sql, '%')) != NULL) {
        ++sql;
        if (*sql == '%') {
            ++sql;
        }
        else {
            APR_ARRAY_PUSH(typed, const void *) = typed_value(sql, *values++, pool);
        }
    }
    return (const void **)typed->elts;
}

/* One try of a statement: a select when @a results is not NULL. */
static int run_prepared(qlm_store_t *store, const char *sql, apr_dbd_prepared_t *prepared,
                        const char **values, apr_dbd_results_t **results, int *changed,
                        apr_pool_t *pool)
{
    const void **typed;

    if (store->dialect != QLM_DIALECT_MYSQL) {
        return results ? apr_dbd_pselect(store->driver, pool, *store->handle, results, prepared, 1,
                                         0, values)
                       : apr_dbd_pquery(store->driver, pool, *store->handle, changed, prepared, 0,
                                        values);
    }
    typed = typed_values(sql, values, pool);
    return results
               ? apr_dbd_pbselect(store->driver, pool, *store->handle, results, prepared, 1, typed)
               : apr_dbd_pbquery(store->driver, pool, *store->handle, changed, prepared, typed);
}

static qlm_error_t *run(qlm_store_t *store, qlm_statement_t statement, const char **values,
                        apr_dbd_results_t **results, int *changed, apr_pool_t *pool)
{
    apr_time_t started = apr_time_now();
    qlm_error_t *error;
    int attempt = 0;
    int rc;

    QLM_TRY(check_lengths(store, statement_table[statement].sql, values, pool));
    do {
        rc = prepare(store, statement, pool);
        if (results) {
            *results = store->results[statement];
        }
        if (!rc) {
            rc = run_prepared(store, statement_table[statement].sql, store->prepared[statement],
                              values, results, changed, pool);
        }
        if (!rc) {
            return NULL;
        }
        if (is_taken(store, statement, rc)) {
            *changed = 0;
            return NULL;
        }
        error = qlm_connection_failure(store, statement_table[statement].name, rc, pool);
        if (attempt == 0 && qlm_connection_has_dropped(store, rc)) {
            qlm_connection_forget(store);
        }
    } while (qlm_connection_may_repeat(store, rc, attempt++, started, pool));
    return error; /* inside a unit, all of it is rolled back and run again */
}

/* MariaDB's driver makes room for the longest text that a column can hold, a megabyte for some, and
 * uses that of an earlier select if it is given it: so the first one's is kept with the connection.
 */
qlm_error_t *qlm_statement_select(apr_array_header_t **rows, qlm_store_t *store,
                                  qlm_statement_t statement, const char **values, apr_pool_t *pool)
{
    int is_kept = store->dialect == QLM_DIALECT_MYSQL;
    apr_pool_t *results_pool = is_kept && !store->results[statement] ? store->pool : pool;
    apr_dbd_results_t *results = NULL;

    QLM_TRY(run(store, statement, values, &results, NULL, results_pool));
    store->results[statement] = is_kept ? results : NULL;
    *rows = qlm_connection_read_rows(store, results, results_pool, pool);
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

static int needs_locks(const qlm_store_t *store)
{
    return store->is_in_unit && store->dialect != QLM_DIALECT_SQLITE;
}

static qlm_error_t *lock_license(qlm_store_t *store, qlm_statement_t statement, const char *value,
                                 apr_pool_t *pool)
{
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, statement, &value, pool));
    store->locked_license = row ? qlm_row_int64(&row) : 0;
    return NULL;
}

qlm_error_t *qlm_statement_lock_key(qlm_store_t *store, const char *activation_key,
                                    apr_pool_t *pool)
{
    if (!needs_locks(store) || strcmp(store->locked_key, activation_key) == 0) {
        return NULL;
    }
    QLM_TRY(lock_license(store, QLM_STATEMENT_LICENSE_LOCK_BY_KEY, activation_key, pool));
    apr_cpystrn(store->locked_key, store->locked_license ? activation_key : "",
                sizeof(store->locked_key));
    return NULL;
}

qlm_error_t *qlm_statement_lock_license(qlm_store_t *store, apr_int64_t license_id,
                                        apr_pool_t *pool)
{
    return needs_locks(store) && store->locked_license != license_id
               ? lock_license(store, QLM_STATEMENT_LICENSE_LOCK_BY_ID,
                              qlm_statement_number(license_id, pool), pool)
               : NULL;
}

/* Whoever wants the same turn waits until our unit ends. */
static qlm_error_t *take_turn(qlm_store_t *store, const char *name, apr_pool_t *pool)
{
    const char *fresh[] = {name, "", "0"};
    int held;

    QLM_TRY(qlm_statement_execute(&held, store, QLM_STATEMENT_TURN_TAKE, &name, pool));
    if (!held) {
        QLM_TRY(qlm_statement_execute(&held, store, QLM_STATEMENT_LEASE_INSERT, fresh, pool));
    }
    /* Somebody else was first to insert it: who has waited for that does not hold it yet. */
    return held ? NULL : qlm_statement_execute(NULL, store, QLM_STATEMENT_TURN_TAKE, &name, pool);
}

#define CUSTOMER_TURNS 64

/* The nodes of a cluster learn of each other's changes, not of each other's locks. */
qlm_error_t *qlm_statement_hold_customer(qlm_store_t *store, apr_int64_t id, apr_pool_t *pool)
{
    return needs_locks(store) && store->is_node
               ? take_turn(store, apr_psprintf(pool, "customers %d", (int)(id % CUSTOMER_TURNS)),
                           pool)
               : NULL;
}

qlm_error_t *qlm_statement_count(apr_int64_t *count, qlm_store_t *store, qlm_statement_t statement,
                                 const char **values, apr_pool_t *pool)
{
    qlm_row_t row;

    QLM_TRY(needs_locks(store) ? take_turn(store, "limits", pool) : NULL);
    QLM_TRY(qlm_statement_select_one(&row, store, statement, values, pool));
    *count = row ? qlm_row_int64(&row) : 0;
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
    rc = run_prepared(store, statement_table[QLM_STATEMENT_BACKUP].sql,
                      store->prepared[QLM_STATEMENT_BACKUP], values, NULL, &changed, pool);
    if (rc) {
        error = qlm_connection_failure(store, statement_table[QLM_STATEMENT_BACKUP].name, rc, pool);
    }
    qlm_connection_forget(store); /* the copying drops every prepared statement */
    return error;
}

/* ---- statements of generated text ---- */

struct qlm_adhoc_t {
    const char *sql;
    apr_dbd_prepared_t *prepared;
};

qlm_error_t *qlm_adhoc_prepare(qlm_adhoc_t **adhoc, qlm_store_t *store, const char *sql,
                               apr_pool_t *pool)
{
    int rc;

    *adhoc = apr_pcalloc(pool, sizeof(**adhoc));
    (*adhoc)->sql = apr_pstrdup(store->pool, sql);
    rc = apr_dbd_prepare(store->driver, store->pool, *store->handle, (*adhoc)->sql,
                         apr_psprintf(pool, "qlm_adhoc_%d", store->adhoc_count++),
                         &(*adhoc)->prepared);
    return rc ? qlm_connection_failure(store, sql, rc, pool) : NULL;
}

qlm_error_t *qlm_adhoc_select(apr_array_header_t **rows, qlm_store_t *store,
                              const qlm_adhoc_t *adhoc, const char **values, apr_pool_t *pool)
{
    apr_dbd_results_t *results = NULL;
    int rc = run_prepared(store, adhoc->sql, adhoc->prepared, values, &results, NULL, pool);

    if (rc) {
        return qlm_connection_failure(store, adhoc->sql, rc, pool);
    }
    *rows = qlm_connection_read_rows(store, results, pool, pool);
    return NULL;
}

qlm_error_t *qlm_adhoc_execute(qlm_store_t *store, const qlm_adhoc_t *adhoc, const char **values,
                               apr_pool_t *pool)
{
    int changed = 0;
    int rc;

    QLM_TRY(check_lengths(store, adhoc->sql, values, pool));
    rc = run_prepared(store, adhoc->sql, adhoc->prepared, values, NULL, &changed, pool);
    return rc ? qlm_connection_failure(store, adhoc->sql, rc, pool) : NULL;
}
