/* The plain client's connections: SQLite, PostgreSQL and MariaDB, each through its own C interface
 * and without a word more than needed. Whatever fails ends the program. */
#ifndef QLM_BENCH_RAW_H
#define QLM_BENCH_RAW_H

#include <stddef.h>

typedef enum raw_id_t {
#define QLM_STATEMENT(id, sql)      RAW_##id,
#define QLM_STATEMENT_NEW(id, sql)  RAW_##id,
#define QLM_STATEMENT_LOCK(id, sql) RAW_##id,
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
    RAW_STATEMENTS
} raw_id_t;

#define RAW_VALUES_MAX 48
#define RAW_SQL_MAX    4200

/** A statement in an engine's words. */
typedef struct raw_sql_t {
    char text[RAW_SQL_MAX];
    int count;                      /**< of values */
    char is_number[RAW_VALUES_MAX]; /**< which of them are numbers */
} raw_sql_t;

typedef struct raw_engine_t {
    const char *driver;                 /**< as in DBDriver */
    const char *begin;                  /**< a transaction that writes */
    const char *if_new, *until_the_end; /**< what follows an insert that may find its key taken, and
                                           a select that locks */
    int has_numbered_places, has_locks;

    void *(*open)(const char *params);
    void (*say)(void *connection, const char *sql);
    /** Run a statement, prepared when it comes first, and read all its rows. @a first: the first
     * value of the first row; may be NULL. @return how many rows came or were changed */
    int (*run)(void *connection, raw_id_t id, const char *const *values, char *first, size_t size);
} raw_engine_t;

extern const raw_engine_t raw_sqlite, raw_pgsql, raw_mysql;

/** The statement of statements.def in the words of an engine. */
void raw_translate(raw_sql_t *sql, raw_id_t id, const raw_engine_t *engine);

_Noreturn void raw_die(const char *what, const char *why);

#endif
