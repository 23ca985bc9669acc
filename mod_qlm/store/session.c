/* Sessions: settings at their beginning, and a new one for one that is lost. */
#include "store/session.h"

#include "base/text.h"

#include <apr_strings.h>

#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* ---- parameters ---- */

/* What a parameter says, and more behind it; NULL if there is none of that name. */
static const char *param_value(const char *params, const char *name)
{
    size_t length = strlen(name);
    const char *at = params;

    while ((at = strstr(at, name)) != NULL) {
        int is_start = at == params || strchr(" \t;|,", at[-1]);

        at += length;
        at += strspn(at, " ");
        if (is_start && *at == '=') {
            return at + 1 + strspn(at + 1, " ");
        }
    }
    return NULL;
}

typedef struct param_t {
    const char *name, *with; /* what is added where nobody has said the name */
} param_t;

/* A change that leaves a row as it is counts as found, or a computer that activates again within a
 * second would look as if it had been released. The driver must not connect again by itself: what
 * it then went on with would be half a transaction. */
static const param_t mysql_params[] = {
    {"flags", " flags=CLIENT_FOUND_ROWS"}, {"reconnect", " reconnect=0"}, {NULL, NULL}};

/* Nobody waits for minutes for a server that was cut off: neither for what was sent, nor for an
 * answer that will never come. */
static const param_t pgsql_params[] = {{"tcp_user_timeout", " tcp_user_timeout=10000"},
                                       {"keepalives_idle", " keepalives_idle=5"},
                                       {"keepalives_interval", " keepalives_interval=2"},
                                       {"keepalives_count", " keepalives_count=3"},
                                       {NULL, NULL}};

/* A socket in the file system is never cut off. */
static int is_over_network(const char *params)
{
    const char *host = param_value(params, "host");

    return host && *host && !strchr("/'", *host);
}

static const char *missing_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool)
{
    const param_t *param = dialect == QLM_DIALECT_MYSQL ? mysql_params : pgsql_params;
    const char *missing = "";

    if (dialect == QLM_DIALECT_SQLITE ||
        (dialect == QLM_DIALECT_PGSQL && (strstr(params, "://") || !is_over_network(params)))) {
        return "";
    }
    for (; param->name; ++param) {
        missing = param_value(params, param->name) ? missing
                                                   : apr_pstrcat(pool, missing, param->with, NULL);
    }
    return missing;
}

int qlm_session_has_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool)
{
    return !*missing_params(dialect, params, pool);
}

const char *qlm_session_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool)
{
    int may_wait = dialect == QLM_DIALECT_PGSQL && !strstr(params, "://") &&
                   !param_value(params, "connect_timeout");

    return apr_pstrcat(pool, params, missing_params(dialect, params, pool),
                       may_wait ? " connect_timeout=5" : "", NULL);
}

/* The same for MariaDB, whose driver takes no parameters for it, nor its client a setting: its
 * socket is told. One in the file system refuses, and needs it as little. */
void qlm_store_bound_waiting(const apr_dbd_driver_t *driver, apr_dbd_t *handle)
{
    static const int on = 1, idle_s = 5, interval_s = 2, probes = 3, limit_ms = 10000;
    void *symbol = NULL;
    int (*socket_of)(void *) = NULL;
    int fd;

    if (!strcmp(apr_dbd_name(driver), "mysql")) {
        symbol = dlsym(RTLD_DEFAULT, "mysql_get_socket");
    }
    if (!symbol) {
        return;
    }
    memcpy(&socket_of, &symbol, sizeof(symbol)); /* C knows no cast for this */
    fd = socket_of(apr_dbd_native_handle(driver, handle));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof(limit_ms));
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

#define MYSQL_UNKNOWN_VARIABLE 1193

/* A change that another node of a Galera cluster has acknowledged must be seen here, too: before it
 * reads, the session waits until its node has applied what was committed anywhere. Servers that are
 * no node may not even know the variable. (SHOW VARIABLES, which is never an error, makes a
 * temporary table on the server's disk, for which there may be no room.) */
static qlm_error_t *follow_other_nodes(qlm_store_t *store, apr_pool_t *pool)
{
    static const char *const sql = "SELECT @@SESSION.wsrep_on";
    apr_array_header_t *rows;
    int rc = qlm_connection_try_text(&rows, store, sql, pool);

    if (rc && rc != MYSQL_UNKNOWN_VARIABLE) {
        return qlm_connection_failure(store, sql, rc, pool);
    }
    store->is_node = !rc && rows->nelts && !strcmp(APR_ARRAY_IDX(rows, 0, qlm_row_t)[0], "1");
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

    qlm_store_bound_waiting(store->driver, *store->handle);
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
