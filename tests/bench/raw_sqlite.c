/* The plain client on SQLite: WAL, synchronous FULL, as qlmctl makes its database and the module
 * opens it, but with a larger cache and the file mapped. */
#include "bench/raw.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct sqlite_t {
    sqlite3 *db;
    sqlite3_stmt *prepared[RAW_STATEMENTS];
} sqlite_t;

static void say(void *connection, const char *sql)
{
    sqlite_t *sqlite = connection;

    if (sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        raw_die(sql, sqlite3_errmsg(sqlite->db));
    }
}

static void *open_file(const char *path)
{
    sqlite_t *sqlite = calloc(1, sizeof(*sqlite));

    if (!sqlite || sqlite3_open_v2(path, &sqlite->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        raw_die(path, "cannot be opened");
    }
    say(sqlite, "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL;"
                " PRAGMA cache_size=-2000; PRAGMA mmap_size=1073741824; PRAGMA temp_store=MEMORY");
    return sqlite;
}

static sqlite3_stmt *statement_of(sqlite_t *sqlite, raw_id_t id)
{
    raw_sql_t sql;

    if (!sqlite->prepared[id]) {
        raw_translate(&sql, id, &raw_sqlite);
        if (sqlite3_prepare_v2(sqlite->db, sql.text, -1, &sqlite->prepared[id], NULL) !=
            SQLITE_OK) {
            raw_die(sql.text, sqlite3_errmsg(sqlite->db));
        }
    }
    return sqlite->prepared[id];
}

static int run(void *connection, raw_id_t id, const char *const *values, char *first, size_t size)
{
    sqlite_t *sqlite = connection;
    sqlite3_stmt *statement = statement_of(sqlite, id);
    int rows = 0, rc;

    for (int i = 0; i < sqlite3_bind_parameter_count(statement); i++) {
        sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
    }
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows++ == 0 && first) {
            snprintf(first, size, "%s", (const char *)sqlite3_column_text(statement, 0));
        }
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            (void)sqlite3_column_text(statement, i);
        }
    }
    if (rc != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK) {
        raw_die(sqlite3_sql(statement), sqlite3_errmsg(sqlite->db));
    }
    return sqlite3_column_count(statement) ? rows : sqlite3_changes(sqlite->db);
}

const raw_engine_t raw_sqlite = {.driver = "sqlite3",
                                 .begin = "BEGIN IMMEDIATE",
                                 .if_new = " ON CONFLICT DO NOTHING",
                                 .until_the_end = "",
                                 .open = open_file,
                                 .say = say,
                                 .run = run};
