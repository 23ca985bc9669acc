/* The tables: making, upgrading, checking and copying them. */
#include "store/connection.h"

#include "base/text.h"
#include "license/keygen.h"

#include <apr_strings.h>
#include <apr_time.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct step_t {
    int version;
    const char *sql;
} step_t;

static const step_t steps[] = {
#define QLM_SCHEMA(version, sql) {version, sql},
#include "store/schema.def"
#undef QLM_SCHEMA
};

/* ---- version ---- */

/* Is there a qlm_site that we know how to read? Another product may have a table of that name.
 * PostgreSQL's information_schema would hide what this user has no rights on. */
static const char *const site_count[] = {
    /* SQLite */ "SELECT COUNT(*) FROM pragma_table_info('qlm_site') WHERE name = 'schema_version'",
    /* PostgreSQL */
    "SELECT COUNT(*) FROM pg_catalog.pg_attribute"
    " WHERE attrelid = to_regclass('qlm_site') AND attname = 'schema_version'",
    /* MariaDB */
    "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()"
    " AND table_name = 'qlm_site' AND column_name = 'schema_version'"};

static const char *const table_names[] = {
    /* SQLite */ "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    /* PostgreSQL */
    "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY 1",
    /* MariaDB */
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1"};

static qlm_error_t *select_number(apr_int64_t *number, qlm_store_t *store, const char *sql,
                                  apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_connection_select_text(&rows, store, sql, pool));
    *number = 0;
    if (rows->nelts) {
        qlm_row_t row = APR_ARRAY_IDX(rows, 0, qlm_row_t);

        *number = qlm_row_int64(&row);
    }
    return NULL;
}

static const char schema_version_sql[] = "SELECT schema_version FROM qlm_site WHERE id = 1";

/* MariaDB makes a temporary table on its disk for each look into information_schema, and a full
 * disk is no reason to answer no validation: there the table itself is asked first. */
static int is_told_by_table(apr_int64_t *number, qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    qlm_row_t row;

    if (store->dialect != QLM_DIALECT_MYSQL ||
        qlm_connection_try_text(&rows, store, schema_version_sql, pool) || !rows->nelts) {
        return 0;
    }
    row = APR_ARRAY_IDX(rows, 0, qlm_row_t);
    *number = qlm_row_int64(&row);
    return 1;
}

qlm_error_t *qlm_store_schema_version(int *version, qlm_store_t *store, apr_pool_t *pool)
{
    apr_int64_t number;

    if (!is_told_by_table(&number, store, pool)) {
        QLM_TRY(select_number(&number, store, site_count[store->dialect], pool));
        QLM_TRY(number ? select_number(&number, store, schema_version_sql, pool) : NULL);
    }
    *version = (int)number;
    return NULL;
}

/* qlm_site is the first table that is made: where it is not there, none of the others is ours. */
qlm_error_t *qlm_schema_check_owner(qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    apr_int64_t has_site;
    int i;

    QLM_TRY(select_number(&has_site, store, site_count[store->dialect], pool));
    QLM_TRY(qlm_connection_select_text(&rows, store, table_names[store->dialect], pool));
    for (i = 0; i < rows->nelts; ++i) {
        const char *name = APR_ARRAY_IDX(rows, i, qlm_row_t)[0];

        if (strncmp(name, "sqlite_", 7) && !(has_site && !strncmp(name, "qlm_", 4))) {
            return qlm_error_store(pool,
                                   "%s: the database holds tables of another program (%s): name "
                                   "one of its own, and run `qlmctl init`",
                                   store->path ? store->path : "database",
                                   qlm_text_for_log(name, 64, pool));
        }
    }
    return NULL;
}

/* ---- making and upgrading ---- */

/* What a dialect says in place of a word of schema.def, wherever it stands. */
typedef struct wording_t {
    const char *word, *with;
} wording_t;

/* Only by exactly this name is the key SQLite's own row number. */
static const wording_t sqlite_wording[] = {{"{id}", "INTEGER NOT NULL PRIMARY KEY"},
                                           {"{clustered}", " WITHOUT ROWID"},
                                           {"{begin}", ""},
                                           {"{end}", ""},
                                           {"{of_license}", ""},
                                           {NULL, NULL}};

/* Texts are compared by their bytes, as on the other engines; and an index does not depend on the
 * version of the system's collations. A row of an index ends at 2.7 KB. No hash: most licenses have
 * the same text there, the empty one, and each new one would walk past all the others. */
static const wording_t pgsql_wording[] = {{"{id}", "BIGINT NOT NULL PRIMARY KEY"},
                                          {"{clustered}", ""},
                                          {"{begin}", "SUBSTR("},
                                          {"{end}", ", 1, 191)"},
                                          {"{of_license}", ""},
                                          {" TEXT NOT", " TEXT COLLATE \"C\" NOT"},
                                          {") NOT", ") COLLATE \"C\" NOT"},
                                          {NULL, NULL}};

/* Each step is committed by itself, whatever we say: it must do no harm the second time, when the
 * first was cut short. A TEXT would end at 64 KB. */
static const wording_t mysql_wording[] = {
    {"{id}", "BIGINT NOT NULL PRIMARY KEY"},
    {"{clustered}", ""},
    {"{begin}", ""},
    {"{end}", "(191)"},
    {"{of_license}", " ON qlm_license"},
    {" TEXT NOT", " MEDIUMTEXT NOT"},
    {"CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "},
    {"CREATE INDEX ", "CREATE INDEX IF NOT EXISTS "},
    {"CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX IF NOT EXISTS "},
    {" ADD COLUMN ", " ADD COLUMN IF NOT EXISTS "},
    {NULL, NULL}};

static const char *replace(const char *sql, const wording_t *wording, apr_pool_t *pool)
{
    const char *made = "";
    const char *at;

    while ((at = strstr(sql, wording->word)) != NULL) {
        made = apr_pstrcat(pool, made, apr_pstrndup(pool, sql, (apr_size_t)(at - sql)),
                           wording->with, NULL);
        sql = at + strlen(wording->word);
    }
    return apr_pstrcat(pool, made, sql, NULL);
}

const char *qlm_schema_step_sql(const qlm_store_t *store, const char *sql, apr_pool_t *pool)
{
    static const wording_t *const dialects[] = {/* QLM_DIALECT_SQLITE */ sqlite_wording,
                                                /* QLM_DIALECT_PGSQL */ pgsql_wording,
                                                /* QLM_DIALECT_MYSQL */ mysql_wording};
    const wording_t *wording;

    for (wording = dialects[store->dialect]; wording->word; ++wording) {
        sql = replace(sql, wording, pool);
    }
    if (store->dialect == QLM_DIALECT_MYSQL && !strncmp(sql, "CREATE TABLE", 12)) {
        sql = apr_pstrcat(pool, sql,
                          " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4"
                          " COLLATE=utf8mb4_nopad_bin",
                          NULL);
    }
    return sql;
}

/* The row that makes the database ours; it may be there from a first try. */
static qlm_error_t *add_site_row(qlm_store_t *store, apr_pool_t *pool)
{
    const char *sql =
        apr_psprintf(pool,
                     "INSERT INTO qlm_site (id, created_at) SELECT 1, %" APR_INT64_T_FMT
                     " FROM (SELECT COUNT(*) AS rows_there FROM qlm_site) s WHERE rows_there = 0",
                     apr_time_sec(apr_time_now()));

    return qlm_connection_execute_text(store, sql, pool);
}

static qlm_error_t *run_steps(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const char *sql;
    int version;
    apr_size_t i;

    (void)baton;
    QLM_TRY(qlm_store_schema_version(&version, store, pool));
    for (i = 0; i < sizeof(steps) / sizeof(*steps); ++i) {
        if (steps[i].version > version) {
            QLM_TRY(qlm_connection_execute_text(
                store, qlm_schema_step_sql(store, steps[i].sql, pool), pool));
        }
    }
    if (version == 0) {
        QLM_TRY(add_site_row(store, pool));
    }
    sql = apr_psprintf(pool, "UPDATE qlm_site SET schema_version = %d WHERE id = 1",
                       QLM_SCHEMA_VERSION);
    return qlm_connection_execute_text(store, sql, pool);
}

/* Readers and the writer must not block each other; the mode is a property of the file. */
static qlm_error_t *set_journal_mode(qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    qlm_row_t row;

    if (!store->path) {
        return NULL;
    }
    QLM_TRY(qlm_connection_select_text(&rows, store, "PRAGMA journal_mode=WAL", pool));
    row = rows->nelts ? APR_ARRAY_IDX(rows, 0, qlm_row_t) : NULL;
    if (!row || !row[0] || strcmp(row[0], "wal")) {
        return qlm_error_store(pool, "%s: the file system does not allow write-ahead logging",
                               store->path);
    }
    return NULL;
}

/* Names of customers are UTF-8, and a database that cannot hold them all would refuse orders. */
static qlm_error_t *check_encoding(qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    qlm_row_t row;

    if (store->dialect != QLM_DIALECT_PGSQL) {
        return NULL;
    }
    QLM_TRY(qlm_connection_select_text(&rows, store, "SELECT current_setting('server_encoding')",
                                       pool));
    row = rows->nelts ? APR_ARRAY_IDX(rows, 0, qlm_row_t) : NULL;
    if (row && row[0] && !strcmp(row[0], "UTF8")) {
        return NULL;
    }
    return qlm_error_store(pool,
                           "the encoding of the database is %s: make one with ENCODING 'UTF8' "
                           "TEMPLATE template0",
                           row && row[0] ? row[0] : "unknown");
}

/* An empty file that SQLite made is readable for everybody. Where this is not ours to change, it is
 * the owner's choice. */
static void close_to_others(const qlm_store_t *store)
{
    struct stat info;

    if (store->path && stat(store->path, &info) == 0) {
        (void)chmod(store->path, info.st_mode & 07777 & ~(mode_t)S_IRWXO);
    }
}

qlm_error_t *qlm_store_upgrade(qlm_store_t *store, apr_pool_t *pool)
{
    qlm_error_t *error;
    int version;

    QLM_TRY(qlm_store_schema_version(&version, store, pool));
    if (version > QLM_SCHEMA_VERSION) {
        return qlm_error_store(
            pool, "schema version %d is newer than this program knows (%d): upgrade mod_qlm",
            version, QLM_SCHEMA_VERSION);
    }
    if (version == 0) {
        QLM_TRY(qlm_schema_check_owner(store, pool));
        close_to_others(store);
    }
    QLM_TRY(set_journal_mode(store, pool));
    QLM_TRY(check_encoding(store, pool));
    if (version == QLM_SCHEMA_VERSION) {
        return NULL;
    }
    error = qlm_store_write(store, run_steps, NULL, pool);
    qlm_connection_forget(store);
    return error;
}

/* ---- checking ---- */

static void add_problem(apr_array_header_t *problems, const char *text)
{
    APR_ARRAY_PUSH(problems, const char *) = text;
}

static qlm_error_t *verify_engine(apr_array_header_t *problems, qlm_store_t *store,
                                  apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    if (store->dialect != QLM_DIALECT_SQLITE) {
        return NULL;
    }
    QLM_TRY(qlm_connection_select_text(&rows, store, "PRAGMA integrity_check", pool));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        const char *word = qlm_row_text(&row);

        if (strcmp(word, "ok")) {
            add_problem(problems, apr_pstrcat(pool, "integrity: ", word, NULL));
        }
    }
    QLM_TRY(qlm_connection_select_text(&rows, store, "PRAGMA foreign_key_check", pool));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        add_problem(problems, apr_psprintf(pool,
                                           "table %s, row %s: refers to a row of %s that is "
                                           "not there",
                                           row[0] ? row[0] : "?", row[1] ? row[1] : "?",
                                           row[2] ? row[2] : "?"));
    }
    return NULL;
}

static qlm_error_t *verify_seats(apr_array_header_t *problems, qlm_store_t *store, apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_VERIFY_SEATS, NULL, pool));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        const char *key = qlm_keygen_for_log(qlm_row_text(&row), pool);
        int seats = qlm_row_int(&row);
        int available = qlm_row_int(&row);
        int active = qlm_row_int(&row);

        add_problem(problems, apr_psprintf(pool, "license %s: %d seats, %d free, but %d computers",
                                           key, seats, available, active));
    }
    return NULL;
}

static qlm_error_t *verify_customers(apr_array_header_t *problems, qlm_store_t *store,
                                     apr_pool_t *pool)
{
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_VERIFY_CUSTOMERS, NULL, pool));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        const char *key = qlm_keygen_for_log(qlm_row_text(&row), pool);

        add_problem(problems,
                    apr_pstrcat(pool, "license ", key, ": its customer is not there", NULL));
    }
    return NULL;
}

qlm_error_t *qlm_store_verify(apr_array_header_t **problems, qlm_store_t *store, apr_pool_t *pool)
{
    *problems = apr_array_make(pool, 4, sizeof(const char *));
    QLM_TRY(verify_engine(*problems, store, pool));
    QLM_TRY(verify_seats(*problems, store, pool));
    return verify_customers(*problems, store, pool);
}

/* ---- copying ---- */

qlm_error_t *qlm_store_backup(qlm_store_t *store, const char *path, apr_pool_t *pool)
{
    qlm_error_t *error;
    int fd;

    if (!store->path) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_UNKNOWN,
                              "only an SQLite database is copied this way; use the tools of the "
                              "database server");
    }
    /* Made by us first, so that nobody else can read it and nothing is overwritten. */
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        char reason[120];

        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_UNKNOWN,
                              "%s: cannot be created: %s", path,
                              apr_strerror(apr_get_os_error(), reason, sizeof(reason)));
    }
    close(fd);
    error = qlm_statement_copy_database(store, path, pool);
    if (error) {
        unlink(path);
    }
    return error;
}
