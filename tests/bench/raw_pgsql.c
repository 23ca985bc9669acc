/* The plain client on PostgreSQL, by libpq. */
#include "bench/raw.h"

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct pgsql_t {
    PGconn *connection;
    int count[RAW_STATEMENTS]; /* of values; -1 before it is prepared */
} pgsql_t;

/* @return rows, or rows changed */
static int finish(pgsql_t *pgsql, PGresult *result, char *first, size_t size)
{
    int count = PQntuples(result);

    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
        if (first && count) {
            snprintf(first, size, "%s", PQgetvalue(result, 0, 0));
        }
        break;
    case PGRES_COMMAND_OK:
        count = (int)strtol(PQcmdTuples(result), NULL, 10);
        break;
    default:
        raw_die("PostgreSQL", PQerrorMessage(pgsql->connection));
    }
    PQclear(result);
    return count;
}

static void say(void *connection, const char *sql)
{
    pgsql_t *pgsql = connection;

    finish(pgsql, PQexec(pgsql->connection, sql), NULL, 0);
}

static void *open_connection(const char *params)
{
    pgsql_t *pgsql = calloc(1, sizeof(*pgsql));

    if (!pgsql) {
        raw_die(params, "no memory");
    }
    pgsql->connection = PQconnectdb(params);
    if (PQstatus(pgsql->connection) != CONNECTION_OK) {
        raw_die(params, PQerrorMessage(pgsql->connection));
    }
    for (int i = 0; i < RAW_STATEMENTS; i++) {
        pgsql->count[i] = -1;
    }
    return pgsql;
}

static int run(void *connection, raw_id_t id, const char *const *values, char *first, size_t size)
{
    pgsql_t *pgsql = connection;
    raw_sql_t sql;
    char name[16];

    snprintf(name, sizeof(name), "s%d", (int)id);
    if (pgsql->count[id] < 0) {
        raw_translate(&sql, id, &raw_pgsql);
        finish(pgsql, PQprepare(pgsql->connection, name, sql.text, 0, NULL), NULL, 0);
        pgsql->count[id] = sql.count;
    }
    return finish(pgsql,
                  PQexecPrepared(pgsql->connection, name, pgsql->count[id], values, NULL, NULL, 0),
                  first, size);
}

const raw_engine_t raw_pgsql = {.driver = "pgsql",
                                .begin = "BEGIN",
                                .if_new = " ON CONFLICT DO NOTHING",
                                .until_the_end = " FOR UPDATE",
                                .has_numbered_places = 1,
                                .has_locks = 1,
                                .open = open_connection,
                                .say = say,
                                .run = run};
