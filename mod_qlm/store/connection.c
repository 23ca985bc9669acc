/* One database connection: opening and checking it, plain texts, rows, and errors in words an
 * operator can use. */
#include "store/connection.h"

#include "base/text.h"
#include "store/session.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define STORE_KEY        "qlm_store"
#define SHORT_LOCK_MAX   apr_time_from_msec(1000)
#define RENEWAL_INTERVAL apr_time_from_sec(1)
#define NO_MESSAGE       "failed without a message"

/* ---- errors ---- */

/* What an engine's message means to the operator: the first row whose word occurs. Servers may
 * speak another language; then it is the last row. */
typedef struct hint_t {
    const char *word, *hint;
} hint_t;

static const hint_t sqlite_hints[] = {
    {"locked", "another program keeps the database locked"},
    {"readonly", "the file and its folder must be writable by the server's user"},
    {"read-only", "the file and its folder must be writable by the server's user"},
    {"unable to open",
     "the file and its folder must be readable and writable by the server's user"},
    {"full", "make room on the disk"},
    {"no such", "run `qlmctl db check`"},
    {"malformed", "run `qlmctl db check`, then restore a backup"},
    {"not a database", "the file is no database, restore a backup"},
    {"disk I/O", "look at the disk and the file's owner"},
    {"", "is the disk full, are the file and its folder writable by the server's user?"}};

/* Rights: of httpd's user, and of whoever makes and changes the tables. */
#define USE_HINT  "GRANT SELECT, INSERT, UPDATE, DELETE on all tables to the database's user"
#define MAKE_HINT "run it as the owner of the database, or GRANT ALL on it to this user"

#define HOST_HINT "check the host in the parameters"

static const hint_t server_hints[] = {
    {"deadlock", "two changes were in each other's way"},
    {"Deadlock", "two changes were in each other's way"},
    {"serialize", "two changes were in each other's way"},
    {"read-only", "the server takes no changes: is it a standby?"},
    {"READ ONLY", "the server takes no changes: is it a standby?"},
    {"starting up", "the server is starting"},
    {"shutting down", "the server is stopping"},
    {"shutdown", "the server is stopping"},
    {"too many", "raise the server's max_connections, or lower DBDMax"},
    {"Too many", "raise the server's max_connections, or lower DBDMax"},
    {"remaining connection", "raise the server's max_connections, or lower DBDMax"},
    {"authentication failed", "check user and password in the parameters"},
    {"Access denied", "check user, password and rights"},
    {"must be owner", MAKE_HINT},
    {"permission denied for schema", MAKE_HINT},
    {"permission denied", USE_HINT},
    {"CREATE command denied", MAKE_HINT},
    {"ALTER command denied", MAKE_HINT},
    {"INDEX command denied", MAKE_HINT},
    {"REFERENCES command denied", MAKE_HINT},
    {"command denied", USE_HINT},
    {"server host", HOST_HINT},
    {"host name", HOST_HINT},
    {"relation", "run `qlmctl db check`"},
    {"column", "run `qlmctl db check`"},
    {"doesn't exist", "run `qlmctl db check`"},
    {"Unknown database", "make the database, or check its name in the parameters"},
    {"does not exist", "make what is missing, or check its name in the parameters"},
    {"timeout", "somebody holds a row for too long, or the server is overloaded"},
    {"No space", "make room on the server's disk"},
    {"full", "make room on the server's disk"},
    {"connect", "does the database server run, and is it reached from here?"},
    {"", "see the log of the database server"}};

static const char *hint_for(qlm_dialect_t dialect, const char *message)
{
    const hint_t *hint = dialect == QLM_DIALECT_SQLITE ? sqlite_hints : server_hints;

    while (!strstr(message, hint->word)) {
        ++hint;
    }
    return hint->hint;
}

static const char *driver_message(qlm_store_t *store, int rc)
{
    const char *message = apr_dbd_error(store->driver, *store->handle, rc);

    if (!message || !*message || !strcmp(message, "not an error")) {
        return NO_MESSAGE;
    }
    return message;
}

/* SQLite says that the schema has changed, or nothing at all where an ANALYZE or a PRAGMA of its
 * own connection was the reason. No guess beyond that: preparing again costs memory until the
 * connection closes. */
int qlm_connection_has_dropped(qlm_store_t *store, int rc)
{
    const char *message = driver_message(store, rc);

    return store->dialect == QLM_DIALECT_SQLITE &&
           (strstr(message, "schema has changed") || !strcmp(message, NO_MESSAGE));
}

qlm_error_t *qlm_connection_failure(qlm_store_t *store, const char *what, int rc, apr_pool_t *pool)
{
    const char *message = driver_message(store, rc);

    store->is_unit_broken |= store->is_in_unit;
    store->is_schema_good &= store->dialect == QLM_DIALECT_SQLITE; /* to be looked at again */
    /* A connection opened while the file could only be read stays so, and one that has seen a
     * broken file may go on seeing it. A server that takes no changes may have lost its place to
     * another one. */
    if (strstr(message, "readonly") || strstr(message, "read-only") ||
        strstr(message, "READ ONLY") || strstr(message, "not a database") ||
        strstr(message, "disk I/O") || strstr(message, "malformed")) {
        store->is_worn = 1;
    }
    return qlm_error_store(pool, "%s: %s: %s (%d); %s", store->path ? store->path : "database",
                           what, qlm_text_for_log(message, 200, pool), rc,
                           hint_for(store->dialect, message));
}

void qlm_connection_forget(qlm_store_t *store)
{
    apr_dbd_prepared_t *session = store->prepared[QLM_STATEMENT_SESSION];

    memset(store->prepared, 0, sizeof(store->prepared));
    store->prepared[QLM_STATEMENT_SESSION] = session; /* it stands for the session itself */
    ++store->generation;
    store->is_schema_good = 0;
}

/* ---- rows and plain texts ---- */

/* SQLite's driver holds the rows in the pool of the select; PostgreSQL's frees them after the last,
 * MariaDB's overwrites the one before. */
static const char *keep_value(const qlm_store_t *store, const char *value, apr_pool_t *pool)
{
    return value && store->dialect != QLM_DIALECT_SQLITE ? apr_pstrdup(pool, value) : value;
}

/* Read to the end, or the driver goes on holding the result. */
apr_array_header_t *qlm_connection_read_rows(qlm_store_t *store, apr_dbd_results_t *results,
                                             apr_pool_t *results_pool, apr_pool_t *pool)
{
    apr_array_header_t *rows = apr_array_make(pool, 1, sizeof(qlm_row_t));
    int columns = apr_dbd_num_cols(store->driver, results);
    int number;

    for (number = 1;; ++number) {
        apr_dbd_row_t *row = NULL;
        const char **values;
        int i;

        /* SQLite's driver walks to a numbered row from the first, and steps to the next with -1. */
        if (apr_dbd_get_row(store->driver, results_pool, results, &row,
                            store->dialect == QLM_DIALECT_SQLITE ? -1 : number)) {
            return rows;
        }
        values = apr_palloc(pool, (apr_size_t)columns * sizeof(*values));
        for (i = 0; i < columns; ++i) {
            values[i] = keep_value(store, apr_dbd_get_entry(store->driver, row, i), pool);
        }
        APR_ARRAY_PUSH(rows, qlm_row_t) = values;
    }
}

/* Another process that opens or closes the database, or repairs it after a crash, holds it for some
 * milliseconds; the driver waits for nobody when it prepares. */
int qlm_connection_has_waited(qlm_store_t *store, int rc, apr_time_t started)
{
    const char *message = driver_message(store, rc);
    apr_time_t passed = apr_time_now() - started;

    if (store->dialect != QLM_DIALECT_SQLITE || store->is_in_unit || passed > SHORT_LOCK_MAX ||
        !(strstr(message, "locked") || strstr(message, "busy"))) {
        return 0;
    }
    apr_sleep(apr_time_from_msec(2) + passed / 8);
    return 1;
}

int qlm_connection_may_repeat(qlm_store_t *store, int rc, int attempt, apr_time_t started,
                              apr_pool_t *pool)
{
    qlm_error_t *error;

    if (store->is_in_unit) {
        return 0;
    }
    if (store->dialect != QLM_DIALECT_SQLITE) {
        /* While a session begins there is nothing to be lost yet. */
        if (attempt > 0 || !store->is_ready || qlm_session_is_intact(store, pool)) {
            return 0;
        }
        error = qlm_session_renew(store, pool);
        return !error;
    }
    return (attempt == 0 && qlm_connection_has_dropped(store, rc)) ||
           qlm_connection_has_waited(store, rc, started);
}

int qlm_connection_try_text(apr_array_header_t **rows, qlm_store_t *store, const char *sql,
                            apr_pool_t *pool)
{
    apr_dbd_results_t *results = NULL;
    int rc = apr_dbd_select(store->driver, pool, *store->handle, &results, sql, 1);

    *rows = rc ? NULL : qlm_connection_read_rows(store, results, pool, pool);
    return rc;
}

qlm_error_t *qlm_connection_select_text(apr_array_header_t **rows, qlm_store_t *store,
                                        const char *sql, apr_pool_t *pool)
{
    apr_time_t started = apr_time_now();
    qlm_error_t *error;
    int attempt = 0;
    int rc;

    do {
        rc = qlm_connection_try_text(rows, store, sql, pool);
        if (!rc) {
            return NULL;
        }
        error = qlm_connection_failure(store, sql, rc, pool);
    } while (qlm_connection_may_repeat(store, rc, attempt++, started, pool));
    return error;
}

qlm_error_t *qlm_connection_execute_text(qlm_store_t *store, const char *sql, apr_pool_t *pool)
{
    apr_time_t started = apr_time_now();
    qlm_error_t *error;
    int attempt = 0;
    int changed;
    int rc;

    do {
        rc = apr_dbd_query(store->driver, *store->handle, &changed, sql);
        if (!rc) {
            return NULL;
        }
        error = qlm_connection_failure(store, sql, rc, pool);
    } while (qlm_connection_may_repeat(store, rc, attempt++, started, pool));
    return error;
}

#define MYSQL_DEADLOCK 1213

/* Undone for certain is what PostgreSQL refuses in a session that goes on, and what MariaDB calls a
 * deadlock, which is also its word for a change that another node of a cluster was faster with. A
 * node that loses its cluster meanwhile does not know, and its session goes on. */
qlm_error_t *qlm_connection_commit(qlm_store_t *store, apr_pool_t *pool)
{
    qlm_error_t *error;
    int changed;
    int rc = apr_dbd_query(store->driver, *store->handle, &changed, "COMMIT");

    if (!rc) {
        return NULL;
    }
    error = qlm_connection_failure(store, "COMMIT", rc, pool);
    store->is_outcome_open = store->dialect == QLM_DIALECT_MYSQL
                                 ? rc != MYSQL_DEADLOCK
                                 : !qlm_session_is_intact(store, pool);
    return error;
}

/* ---- opening ---- */

static qlm_dialect_t dialect_of(const apr_dbd_driver_t *driver)
{
    const char *name = apr_dbd_name(driver);

    if (!strcmp(name, "pgsql")) {
        return QLM_DIALECT_PGSQL;
    }
    return !strcmp(name, "mysql") ? QLM_DIALECT_MYSQL : QLM_DIALECT_SQLITE;
}

qlm_error_t *qlm_store_adopt(qlm_store_t **store_p, const apr_dbd_driver_t *driver,
                             apr_dbd_t **handle, qlm_writer_t *writer, const char *params,
                             apr_pool_t *connection_pool)
{
    qlm_store_t *store = NULL;
    void *known = NULL;

    apr_pool_userdata_get(&known, STORE_KEY, connection_pool);
    store = known;
    if (!store || store->handle != handle) {
        store = apr_pcalloc(connection_pool, sizeof(*store));
        store->driver = driver;
        store->handle = handle;
        store->dialect = dialect_of(driver);
        store->writer = writer;
        store->pool = connection_pool;
        if (params && strcmp(params, ":memory:")) {
            store->params = qlm_session_params(store->dialect, apr_pstrdup(connection_pool, params),
                                               connection_pool);
            store->path = store->dialect == QLM_DIALECT_SQLITE ? store->params : NULL;
            store->is_ours = qlm_session_has_params(store->dialect, params, connection_pool);
        }
        apr_pool_userdata_setn(store, STORE_KEY, NULL, connection_pool);
    }
    *store_p = store;
    return NULL;
}

/* A connection of our own: the handle has to outlive the store that points to it. */
typedef struct owned_t {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
} owned_t;

static apr_status_t close_owned(void *data)
{
    owned_t *owned = data;

    return apr_dbd_close(owned->driver, owned->handle);
}

static qlm_error_t *look_at_file(apr_finfo_t *info, const qlm_store_t *store, apr_pool_t *pool)
{
    apr_status_t status =
        apr_stat(info, store->path, APR_FINFO_DEV | APR_FINFO_INODE | APR_FINFO_SIZE, pool);

    if (status && status != APR_INCOMPLETE) {
        return qlm_error_store(pool, "database %s is missing: restore it, or run `qlmctl init`",
                               store->path);
    }
    return NULL;
}

/* Remember which file the handle has open. */
static qlm_error_t *note_file(qlm_store_t *store, apr_pool_t *pool)
{
    apr_finfo_t info;

    if (store->path) {
        QLM_TRY(look_at_file(&info, store, pool));
        store->device = info.device;
        store->inode = info.inode;
    }
    return NULL;
}

/* SQLite would make the file readable for everybody; it holds customers and sealed secrets. */
static qlm_error_t *create_file(const char *path, apr_pool_t *pool)
{
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0660);

    if (fd < 0) {
        apr_status_t status = apr_get_os_error();
        char reason[120];

        return qlm_error_store(pool, "%s: cannot be created: %s", path,
                               apr_strerror(status, reason, sizeof(reason)));
    }
    close(fd);
    return NULL;
}

static qlm_error_t *prepare_file(const char *path, int must_exist, apr_pool_t *pool)
{
    apr_finfo_t info;

    if (!strcmp(path, ":memory:") || !apr_stat(&info, path, APR_FINFO_TYPE, pool)) {
        return NULL;
    }
    if (must_exist) {
        return qlm_error_store(pool,
                               "database %s is missing: run `qlmctl init`, restore it, or name "
                               "another one (`qlmctl --httpd apachectl` takes httpd's)",
                               path);
    }
    return create_file(path, pool);
}

qlm_error_t *qlm_connection_open_handle(apr_dbd_t **handle, const apr_dbd_driver_t *driver,
                                        const char *params, apr_pool_t *connection_pool,
                                        apr_pool_t *pool)
{
    qlm_dialect_t dialect = dialect_of(driver);
    const char *message = NULL;
    apr_dbd_t *opened = NULL;
    apr_status_t status = apr_dbd_open_ex(driver, connection_pool, params, &opened, &message);

    if (status || !opened) {
        /* Parameters may hold a password: only a file's name is told. */
        message = message ? message : "no message";
        return qlm_error_store(pool, "%s: cannot be opened: %s%s%s",
                               dialect == QLM_DIALECT_SQLITE ? params : apr_dbd_name(driver),
                               qlm_text_for_log(message, 200, pool),
                               dialect == QLM_DIALECT_SQLITE ? "" : "; ",
                               dialect == QLM_DIALECT_SQLITE ? "" : hint_for(dialect, message));
    }
    *handle = opened;
    return NULL;
}

qlm_error_t *qlm_store_open(qlm_store_t **store, const char *driver_name, const char *params,
                            int must_exist, apr_pool_t *pool)
{
    const apr_dbd_driver_t *driver = NULL;
    apr_pool_t *connection_pool;
    qlm_writer_t *writer;
    owned_t *owned;

    apr_dbd_init(pool);
    if (apr_dbd_get_driver(pool, driver_name, &driver)) {
        return qlm_error_store(pool, "database driver %s is not installed (libaprutil1-dbd-%s)",
                               driver_name, driver_name);
    }
    if (dialect_of(driver) == QLM_DIALECT_SQLITE) {
        QLM_TRY(prepare_file(params, must_exist, pool));
    }
    apr_pool_create(&connection_pool, pool);
    owned = apr_pcalloc(connection_pool, sizeof(*owned));
    owned->driver = driver;
    QLM_TRY(qlm_connection_open_handle(
        &owned->handle, driver, qlm_session_params(dialect_of(driver), params, connection_pool),
        connection_pool, pool));
    apr_pool_cleanup_register(connection_pool, owned, close_owned, apr_pool_cleanup_null);
    QLM_TRY(qlm_writer_create(&writer, connection_pool));
    QLM_TRY(qlm_store_adopt(store, driver, &owned->handle, writer, params, connection_pool));
    (*store)->is_ours = 1;
    return (*store)->dialect == QLM_DIALECT_SQLITE
               ? note_file(*store, pool) /* nobody else has opened this handle */
               : qlm_session_begin(*store, pool);
}

const char *qlm_store_path(const qlm_store_t *store)
{
    return store->path;
}

/* ---- checking ---- */

/* Open the file that stands at the path now, and only then let go of the old handle, which the
 * owner of the connection closes one day. */
static qlm_error_t *reopen(qlm_store_t *store, const apr_finfo_t *seen, apr_pool_t *pool)
{
    apr_dbd_t *fresh = NULL;
    apr_finfo_t now;
    qlm_error_t *error;

    QLM_TRY(qlm_connection_open_handle(&fresh, store->driver, store->path, store->pool, pool));
    error = look_at_file(&now, store, pool);
    if (error || now.inode != seen->inode || now.device != seen->device) {
        apr_dbd_close(store->driver, fresh);
        return error ? error : qlm_error_store(pool, "database %s is being replaced", store->path);
    }
    apr_dbd_close(store->driver, *store->handle);
    *store->handle = fresh;
    store->device = now.device;
    store->inode = now.inode;
    store->is_ready = 0;
    store->is_worn = 0;
    qlm_connection_forget(store);
    return NULL;
}

int qlm_connection_may_renew(qlm_store_t *store)
{
    apr_time_t now = apr_time_now();

    if (now < store->next_renewal) {
        return 0;
    }
    store->next_renewal = now + RENEWAL_INTERVAL;
    return 1;
}

/* No statement runs on a handle that may not be that of the file at the path: SQLite would open an
 * empty file in place of one that is missing for a moment, and such a handle, used when the real
 * file is back, takes away its write-ahead log. That holds for the handle mod_dbd has opened, too;
 * it is replaced before its first use. */
static qlm_error_t *check_file(qlm_store_t *store, apr_pool_t *pool)
{
    apr_finfo_t info;

    if (!store->path) {
        return NULL;
    }
    QLM_TRY(look_at_file(&info, store, pool));
    if (info.inode == store->inode && info.device == store->device &&
        !(store->is_worn && qlm_connection_may_renew(store))) {
        return NULL;
    }
    return reopen(store, &info, pool);
}

/* Between two runs of a unit. */
qlm_error_t *qlm_connection_renew(qlm_store_t *store, apr_pool_t *pool)
{
    if (!qlm_session_is_intact(store, pool)) {
        QLM_TRY(qlm_session_renew(store, pool));
    }
    else if (!store->is_worn) {
        return NULL;
    }
    return qlm_store_check(store, pool);
}

qlm_error_t *qlm_connection_judge_schema(qlm_store_t *store, int version, apr_pool_t *pool)
{
    store->is_schema_good = version == QLM_SCHEMA_VERSION;
    if (store->is_schema_good) {
        return NULL;
    }
    if (version == 0) {
        return qlm_error_store(pool, "%s: the database has no tables%s: run `qlmctl init`",
                               store->path ? store->path : "database",
                               store->dialect == QLM_DIALECT_MYSQL ? " that its user may read"
                                                                   : "");
    }
    return qlm_error_store(pool, "schema version %d is %s (%d): %s", version,
                           version > QLM_SCHEMA_VERSION ? "newer than this module knows"
                                                        : "older than this module needs",
                           QLM_SCHEMA_VERSION,
                           version > QLM_SCHEMA_VERSION ? "upgrade mod_qlm"
                                                        : "run `qlmctl db upgrade`");
}

/* What mod_dbd hands out may have been closed by the server, or opened without the parameters that
 * we rely on. */
static qlm_error_t *check_session(qlm_store_t *store, apr_pool_t *pool)
{
    int is_server = store->dialect != QLM_DIALECT_SQLITE && store->params;
    qlm_error_t *error;

    if (is_server && (store->is_worn || !store->is_ours)) {
        return qlm_session_renew(store, pool);
    }
    if (store->is_ready) {
        return NULL;
    }
    error = qlm_session_begin(store, pool);
    return error && is_server ? qlm_session_renew(store, pool) : error;
}

qlm_error_t *qlm_store_check(qlm_store_t *store, apr_pool_t *pool)
{
    int version;

    QLM_TRY(check_file(store, pool));
    QLM_TRY(check_session(store, pool));
    if (store->is_schema_good) {
        return NULL;
    }
    QLM_TRY(qlm_store_schema_version(&version, store, pool));
    if (version == 0) {
        QLM_TRY(qlm_schema_check_owner(store, pool));
    }
    return qlm_connection_judge_schema(store, version, pool);
}
