/* The plain client on MariaDB, by its own library. */
#include "bench/raw.h"

#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 80
#define TEXT_MAX    1024 /* of a column that is read */

typedef struct statement_t {
    MYSQL_STMT *handle;
    raw_sql_t sql;
    char (*texts)[TEXT_MAX]; /* of a row */
    unsigned int columns;
} statement_t;

typedef struct mysql_t {
    MYSQL *connection;
    statement_t *prepared[RAW_STATEMENTS];
} mysql_t;

static void say(void *connection, const char *sql)
{
    mysql_t *mysql = connection;

    if (mysql_query(mysql->connection, sql)) {
        raw_die(sql, mysql_error(mysql->connection));
    }
}

/* The value of a parameter; "" if it is not there. */
static const char *param(char *value, size_t size, const char *params, const char *name)
{
    const char *at = strstr(params, name);

    *value = '\0';
    if (at && at[strlen(name)] == '=') {
        at += strlen(name) + 1;
        snprintf(value, size, "%.*s", (int)strcspn(at, " "), at);
    }
    return value;
}

static void *open_connection(const char *params)
{
    mysql_t *mysql = calloc(1, sizeof(*mysql));
    char socket[200], user[80], name[80];

    if (!mysql || !(mysql->connection = mysql_init(NULL))) {
        raw_die(params, "no memory");
    }
    mysql_options(mysql->connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(mysql->connection, NULL, param(user, sizeof(user), params, "user"),
                            NULL, param(name, sizeof(name), params, "dbname"), 0,
                            param(socket, sizeof(socket), params, "sock"), CLIENT_FOUND_ROWS)) {
        raw_die(params, mysql_error(mysql->connection));
    }
    say(mysql, "SET SESSION tx_isolation = 'READ-COMMITTED'");
    return mysql;
}

static void bind_columns(statement_t *statement)
{
    MYSQL_BIND columns[COLUMNS_MAX];

    statement->columns = mysql_stmt_field_count(statement->handle);
    if (!statement->columns) {
        return;
    }
    if (statement->columns > COLUMNS_MAX ||
        !(statement->texts = calloc(statement->columns, TEXT_MAX))) {
        raw_die(statement->sql.text, "too many columns");
    }
    memset(columns, 0, sizeof(columns));
    for (unsigned int i = 0; i < statement->columns; i++) {
        columns[i].buffer_type = MYSQL_TYPE_STRING;
        columns[i].buffer = statement->texts[i];
        columns[i].buffer_length = TEXT_MAX - 1;
    }
    if (mysql_stmt_bind_result(statement->handle, columns)) {
        raw_die(statement->sql.text, mysql_stmt_error(statement->handle));
    }
}

static statement_t *statement_of(mysql_t *mysql, raw_id_t id)
{
    statement_t *statement = mysql->prepared[id];

    if (statement) {
        return statement;
    }
    statement = mysql->prepared[id] = calloc(1, sizeof(*statement));
    if (!statement || !(statement->handle = mysql_stmt_init(mysql->connection))) {
        raw_die("MariaDB", "no memory");
    }
    raw_translate(&statement->sql, id, &raw_mysql);
    if (mysql_stmt_prepare(statement->handle, statement->sql.text, strlen(statement->sql.text))) {
        raw_die(statement->sql.text, mysql_stmt_error(statement->handle));
    }
    bind_columns(statement);
    return statement;
}

static void execute(statement_t *statement, const char *const *values)
{
    MYSQL_BIND bound[RAW_VALUES_MAX];
    long long numbers[RAW_VALUES_MAX];

    memset(bound, 0, sizeof(bound));
    for (int i = 0; i < statement->sql.count; i++) {
        if (statement->sql.is_number[i]) {
            numbers[i] = strtoll(values[i], NULL, 10);
            bound[i].buffer_type = MYSQL_TYPE_LONGLONG;
            bound[i].buffer = &numbers[i];
        }
        else {
            bound[i].buffer_type = MYSQL_TYPE_STRING;
            bound[i].buffer = (void *)values[i];
            bound[i].buffer_length = strlen(values[i]);
        }
    }
    if (mysql_stmt_bind_param(statement->handle, bound) || mysql_stmt_execute(statement->handle)) {
        raw_die(statement->sql.text, mysql_stmt_error(statement->handle));
    }
}

static int run(void *connection, raw_id_t id, const char *const *values, char *first, size_t size)
{
    statement_t *statement = statement_of(connection, id);
    int rows = 0, rc;

    execute(statement, values);
    if (!statement->columns) {
        return (int)mysql_stmt_affected_rows(statement->handle);
    }
    while ((rc = mysql_stmt_fetch(statement->handle)) == 0) {
        if (rows++ == 0 && first) {
            snprintf(first, size, "%s", statement->texts[0]);
        }
    }
    if (rc != MYSQL_NO_DATA || mysql_stmt_free_result(statement->handle)) {
        raw_die(statement->sql.text, mysql_stmt_error(statement->handle));
    }
    return rows;
}

const raw_engine_t raw_mysql = {.driver = "mysql",
                                .begin = "BEGIN",
                                .if_new = "",
                                .until_the_end = " FOR UPDATE",
                                .has_locks = 1,
                                .open = open_connection,
                                .say = say,
                                .run = run};
