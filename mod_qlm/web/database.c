/* The door to mod_dbd. */
#include "web/database.h"

#include <apr_atomic.h>
#include <apr_optional.h>

#define DEAD_MAX 100 /* connections that a child may keep */
#define IN_VAIN  apr_time_from_sec(1)

/* Fetched once at startup, read-only afterwards. */
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

/* One caller's loan. */
typedef struct loan_t {
    server_rec *s;
    apr_pool_t *pool;
    ap_dbd_t *connection;
} loan_t;

/* mod_dbd asks a connection that was never lent before whether its server is there. */
static apr_status_t bound_waiting(apr_pool_t *pool, dbd_cfg_t *cfg, ap_dbd_t *connection)
{
    (void)pool;
    (void)cfg;
    qlm_store_bound_waiting(connection->driver, connection->handle);
    return APR_SUCCESS;
}

void qlm_database_register_hooks(void)
{
    APR_OPTIONAL_HOOK(dbd, post_connect, bound_waiting, NULL, NULL, APR_HOOK_MIDDLE);
}

int qlm_database_init(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close;
}

void *qlm_database_loan(server_rec *s, apr_pool_t *pool)
{
    loan_t *loan = apr_pcalloc(pool, sizeof(*loan));

    loan->s = s;
    loan->pool = pool;
    return loan;
}

/* A caller that ends early still gives its connection back. */
static apr_status_t return_loan(void *data)
{
    loan_t *loan = data;

    if (loan->connection) {
        dbd_close(loan->s, loan->connection);
        loan->connection = NULL;
    }
    return APR_SUCCESS;
}

/* mod_dbd does not tell a connection that is dead from a server that is away: so that is asked. */
static int is_server_there(const loan_t *loan)
{
    const qlm_server_conf_t *conf = qlm_server_conf(loan->s);
    qlm_store_t *store;
    qlm_error_t *error;
    apr_pool_t *pool;

    apr_pool_create(&pool, loan->pool);
    error = qlm_store_open(&store, conf->database_driver, conf->database_params, 1, pool);
    apr_pool_destroy(pool);
    return !error;
}

/* The pool drops a dead connection when asked for it; the next one is fresh, or dead as well: after
 * a restart of the server all of them are. Whoever has waited in vain does not wait once more, nor
 * let the others in the line. */
static ap_dbd_t *open_connection(const loan_t *loan)
{
    apr_time_t started = apr_time_now();
    ap_dbd_t *connection = NULL;
    int i;

    for (i = 0; i < DEAD_MAX && !connection; ++i) {
        if (apr_time_now() - started > IN_VAIN || (i == 1 && !is_server_there(loan))) {
            break;
        }
        connection = dbd_open(loan->pool, loan->s);
    }
    return connection;
}

static qlm_error_t *lend(qlm_store_t **store, loan_t *loan, apr_pool_t *pool)
{
    server_rec *s = loan->s;
    const char *path = qlm_server_conf(s)->database_path;
    ap_dbd_t *connection;
    apr_finfo_t info;

    /* A new connection to a missing SQLite file would make an empty one in its place. */
    if (path && APR_STATUS_IS_ENOENT(apr_stat(&info, path, APR_FINFO_TYPE, pool))) {
        return qlm_error_store(pool, "database %s is missing: restore it, or run `qlmctl init`",
                               path);
    }
    connection = open_connection(loan);
    if (!connection) {
        return qlm_error_store(pool, "mod_dbd has no connection: see its own messages, and check "
                                     "DBDriver and DBDParams");
    }
    loan->connection = connection;
    apr_pool_cleanup_register(loan->pool, loan, return_loan, apr_pool_cleanup_null);
    QLM_TRY(qlm_store_adopt(store, connection->driver, &connection->handle,
                            qlm_server_conf(s)->writer, qlm_server_conf(s)->database_params,
                            connection->pool));
    return qlm_store_check(*store, pool);
}

/* A server that answers nobody, not even with a refusal, would let every caller wait for as long as
 * a connection may take, one after the other, because mod_dbd opens one at a time. So once somebody
 * has waited in vain only one caller tries, and the others are told at once. */
qlm_error_t *qlm_database_lend(qlm_store_t **store, void *baton, apr_pool_t *pool)
{
    loan_t *loan = baton;
    qlm_server_conf_t *conf = qlm_server_conf(loan->s);
    int was_away = (int)apr_atomic_read32(&conf->is_database_away);
    apr_time_t started = apr_time_now();
    qlm_error_t *error;

    if (was_away && apr_atomic_cas32(&conf->is_database_tried, 1, 0)) {
        return qlm_error_store(pool,
                               "the database server does not answer: somebody else is trying");
    }
    error = lend(store, loan, pool);
    apr_atomic_set32(&conf->is_database_away, error && apr_time_now() - started > IN_VAIN);
    if (was_away) {
        apr_atomic_set32(&conf->is_database_tried, 0);
    }
    return error;
}

void qlm_database_give_back(qlm_store_t *store, void *baton)
{
    loan_t *loan = baton;

    (void)store;
    apr_pool_cleanup_run(loan->pool, loan, return_loan);
}
