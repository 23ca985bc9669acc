/* Sessions: settings at their beginning, and a new one for one that is lost. */
#include "store/session.h"

#include "base/text.h"

#include <apr_strings.h>

#include <ctype.h>
#include <string.h>

/* ---- parameters ---- */

/* Is there a parameter of that name? */
static int has_param(const char *params, const char *name)
{
    size_t length = strlen(name);
    const char *at = params;

    while ((at = strstr(at, name)) != NULL) {
        int is_start = at == params || strchr(" \t;|,", at[-1]);

        at += length;
        while (*at == ' ') {
            ++at;
        }
        if (is_start && *at == '=') {
            return 1;
        }
    }
    return 0;
}

/* A change that leaves a row as it is counts as found, or a computer that activates again within a
 * second would look as if it had been released. The driver must not connect again by itself: what
 * it then went on with would be half a transaction. And nobody waits for a server that is gone for
 * minutes. */
const char *qlm_session_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool)
{
    if (dialect == QLM_DIALECT_MYSQL) {
        return apr_pstrcat(pool, params,
                           has_param(params, "flags") ? "" : " flags=CLIENT_FOUND_ROWS",
                           has_param(params, "reconnect") ? "" : " reconnect=0", NULL);
    }
    if (dialect == QLM_DIALECT_PGSQL && !strstr(params, "://")) {
        return apr_pstrcat(pool, params,
                           has_param(params, "connect_timeout") ? "" : " connect_timeout=5", NULL);
    }
    return params;
}

/* ---- settings ---- */

/* SQLite. Sent before anything is prepared, because foreign_keys drops prepared statements. There
 * is no busy_timeout: a waiter inside it would hold the driver's process-wide mutex, which the
 * writer it waits for needs. synchronous FULL is what makes a commit durable. The file is not
 * mapped: each connection would map all of it for itself (page faults, page tables, a new mapping
 * whenever it grows), and an unreadable page would end the process instead of the call. The cache
 * is small because each connection has its own; behind it is the system's. */
static const char *const sqlite_settings[] = {"PRAGMA foreign_keys=ON", "PRAGMA synchronous=FULL",
                                              "PRAGMA cache_size=-256", "PRAGMA temp_store=MEMORY",
                                              NULL};

/* Whatever the server's defaults are: each statement sees what is committed when it begins, so that
 * the loser of a race reads the winner's rows; nobody waits long for a row; a commit is durable.
 * Rows come back as a select's. */
static const char *const pgsql_settings[] = {
    "SELECT set_config('client_min_messages', 'error', false),"
    " set_config('client_encoding', 'UTF8', false),"
    " set_config('standard_conforming_strings', 'on', false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('lock_timeout', '3s', false),"
    " set_config('idle_in_transaction_session_timeout', '60s', false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)",
    NULL};

/* The same, and values are taken as they are or refused, never cut; texts are equal only if they
 * are the same, trailing blanks included. */
static const char *const mysql_settings[] = {
    "SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin",
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_BACKSLASH_ESCAPES',"
    " tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 3, autocommit = 1",
    NULL};

/* A change that another node of a Galera cluster has acknowledged must be seen here, too: before it
 * reads, the session waits until its node has applied what was committed anywhere. Servers that are
 * no node may not even know the variables. */
static qlm_error_t *follow_other_nodes(qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    qlm_row_t row;

    QLM_TRY(
        qlm_connection_select_text(&rows, store, "SHOW SESSION VARIABLES LIKE 'wsrep_on'", pool));
    row = rows->nelts ? APR_ARRAY_IDX(rows, 0, qlm_row_t) : NULL;
    store->is_node = row && row[1] && !strcmp(row[1], "ON");
    return store->is_node
               ? qlm_connection_execute_text(
                     store, "SET SESSION wsrep_sync_wait = @@SESSION.wsrep_sync_wait | 1", pool)
               : NULL;
}

static qlm_error_t *send_setting(qlm_store_t *store, const char *sql, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    return store->dialect == QLM_DIALECT_MYSQL
               ? qlm_connection_execute_text(store, sql, pool)
               : qlm_connection_select_text(&rows, store, sql, pool);
}

qlm_error_t *qlm_session_begin(qlm_store_t *store, apr_pool_t *pool)
{
    static const char *const *const settings[] = {/* QLM_DIALECT_SQLITE */ sqlite_settings,
                                                  /* QLM_DIALECT_PGSQL */ pgsql_settings,
                                                  /* QLM_DIALECT_MYSQL */ mysql_settings};
    const char *const *sql;

    for (sql = settings[store->dialect]; *sql; ++sql) {
        QLM_TRY(send_setting(store, *sql, pool));
    }
    if (store->dialect == QLM_DIALECT_MYSQL) {
        QLM_TRY(follow_other_nodes(store, pool));
    }
    if (store->dialect != QLM_DIALECT_SQLITE) {
        QLM_TRY(qlm_statement_prepare(store, QLM_STATEMENT_SESSION, pool));
    }
    store->is_ready = 1;
    return NULL;
}

/* ---- lost ---- */

/* No message is read for this: they come in the server's language. */
int qlm_session_is_intact(qlm_store_t *store, apr_pool_t *pool)
{
    apr_dbd_prepared_t *prepared = store->prepared[QLM_STATEMENT_SESSION];
    apr_dbd_results_t *results = NULL;

    if (store->dialect == QLM_DIALECT_SQLITE) {
        return 1;
    }
    if (!prepared ||
        apr_dbd_pselect(store->driver, pool, *store->handle, &results, prepared, 1, 0, NULL)) {
        return 0;
    }
    return qlm_connection_read_rows(store, results, pool, pool)->nelts == 1;
}

qlm_error_t *qlm_session_renew(qlm_store_t *store, apr_pool_t *pool)
{
    apr_dbd_t *fresh = NULL;

    if (!store->params) {
        return qlm_error_store(pool, "the connection to the database is lost");
    }
    if (!qlm_connection_may_renew(store)) {
        return qlm_error_store(pool, "the connection to the database is lost, and a new one was "
                                     "tried a moment ago");
    }
    qlm_connection_forget(store);
    store->prepared[QLM_STATEMENT_SESSION] = NULL;
    store->is_ready = 0;
    QLM_TRY(qlm_connection_open_handle(&fresh, store->driver, store->params, store->pool, pool));
    apr_dbd_close(store->driver, *store->handle);
    *store->handle = fresh;
    store->is_worn = 0;
    store->is_ours = 1;
    store->next_renewal = 0; /* it was good: the next loss is another one */
    return qlm_session_begin(store, pool);
}
