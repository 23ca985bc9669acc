/* Prepared statements and the rows they return. Internal to the store: other rooms include store.h
 * only.
 *
 * A statement is prepared when it is first used, and again when the engine has dropped it: a schema
 * change drops SQLite's, a reconnect PostgreSQL's and MariaDB's. */
#ifndef QLM_STORE_STATEMENT_H
#define QLM_STORE_STATEMENT_H

#include "store/store.h"

typedef enum qlm_statement_t {
#define QLM_STATEMENT(id, sql)      QLM_STATEMENT_##id,
#define QLM_STATEMENT_NEW(id, sql)  QLM_STATEMENT_##id,
#define QLM_STATEMENT_LOCK(id, sql) QLM_STATEMENT_##id,
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
    QLM_STATEMENT_COUNT
} qlm_statement_t;

/* ---- values ---- */

/** A row: its values in the order of the select list, in the pool of the select; NULL reads as "".
 */
typedef const char *const *qlm_row_t;

/** Read the next value of a row and step on. */
static inline const char *qlm_row_text(qlm_row_t *at)
{
    const char *value = *(*at)++;

    return value ? value : "";
}

apr_int64_t qlm_row_int64(qlm_row_t *at);

static inline int qlm_row_int(qlm_row_t *at)
{
    return (int)qlm_row_int64(at);
}

/** @a text to bind, "" for NULL: no column of ours is NULL. */
static inline const char *qlm_statement_text(const char *text)
{
    return text ? text : "";
}

/** @a number to bind, in @a pool. */
const char *qlm_statement_number(apr_int64_t number, apr_pool_t *pool);

/** What LIKE … ESCAPE '!' finds @a text by, anywhere in a folded value; in @a pool. */
const char *qlm_statement_pattern(const char *text, apr_pool_t *pool);

/* ---- running ---- */

/** Run a statement that returns rows. *rows: array of qlm_row_t, in @a pool. */
qlm_error_t *qlm_statement_select(apr_array_header_t **rows, qlm_store_t *store,
                                  qlm_statement_t statement, const char **values, apr_pool_t *pool);

/** The same for at most one row: *row is NULL if there is none. */
qlm_error_t *qlm_statement_select_one(qlm_row_t *row, qlm_store_t *store, qlm_statement_t statement,
                                      const char **values, apr_pool_t *pool);

/** Keep others from changing a license, and its activations, until the unit ends; nothing outside a
 * unit and on SQLite, which has one writer. */
qlm_error_t *qlm_statement_lock_key(qlm_store_t *store, const char *activation_key,
                                    apr_pool_t *pool);
qlm_error_t *qlm_statement_lock_license(qlm_store_t *store, apr_int64_t license_id,
                                        apr_pool_t *pool);

/** On a node of a cluster: keep units on other nodes from relying on what is known of a customer.
 * To be said by all that read, change or delete a customer inside a unit; elsewhere its row's lock
 * does it. */
qlm_error_t *qlm_statement_hold_customer(qlm_store_t *store, apr_int64_t id, apr_pool_t *pool);

/** The same as select_one for one number. Inside a unit it will be compared with a limit: on a
 * server those who count take turns until their units end. */
qlm_error_t *qlm_statement_count(apr_int64_t *count, qlm_store_t *store, qlm_statement_t statement,
                                 const char **values, apr_pool_t *pool);

/** Run a statement that changes rows, inside a unit. @a changed may be NULL. */
qlm_error_t *qlm_statement_execute(int *changed, qlm_store_t *store, qlm_statement_t statement,
                                   const char **values, apr_pool_t *pool);

/** A statement that is made while the program runs: of generated text, without values in it. Good
 * as long as the session in which it was prepared. */
typedef struct qlm_adhoc_t qlm_adhoc_t;

qlm_error_t *qlm_adhoc_prepare(qlm_adhoc_t **adhoc, qlm_store_t *store, const char *sql,
                               apr_pool_t *pool);
/** *rows: array of qlm_row_t, in @a pool. */
qlm_error_t *qlm_adhoc_select(apr_array_header_t **rows, qlm_store_t *store,
                              const qlm_adhoc_t *adhoc, const char **values, apr_pool_t *pool);
/** Inside a unit. */
qlm_error_t *qlm_adhoc_execute(qlm_store_t *store, const qlm_adhoc_t *adhoc, const char **values,
                               apr_pool_t *pool);

/** Copy an SQLite database to @a path, which exists and is empty, in one consistent read. */
qlm_error_t *qlm_statement_copy_database(qlm_store_t *store, const char *path, apr_pool_t *pool);

/** Prepare a statement now, if it is not. */
qlm_error_t *qlm_statement_prepare(qlm_store_t *store, qlm_statement_t statement, apr_pool_t *pool);

/** The name of a statement, as in statements.def; static. */
const char *qlm_statement_name(qlm_statement_t statement);

#endif
