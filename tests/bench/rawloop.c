/* rawloop DATABASE KEYS issue|activate SECONDS: the yardstick. Runs the statements of issuing or
 * activating, as statements.def has them, straight through SQLite's own C interface in one thread:
 * one transaction each, WAL, synchronous FULL. Prints one line:
 * count, seconds, p50 us, p99 us, CPU us of each. */
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define KEYS_MAX  10000
#define TIMES_MAX 2000000

typedef enum statement_t {
#define QLM_STATEMENT(id, sql)      ID_##id,
#define QLM_STATEMENT_NEW(id, sql)  ID_##id,
#define QLM_STATEMENT_LOCK(id, sql) ID_##id,
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
    STATEMENTS
} statement_t;

static const struct {
    const char *sql;
    int is_insert_new;
} texts[] = {
#define QLM_STATEMENT(id, sql)      {sql, 0},
#define QLM_STATEMENT_NEW(id, sql)  {sql, 1},
#define QLM_STATEMENT_LOCK(id, sql) {sql, 0},
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
};

typedef struct loop_t {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *prepared[STATEMENTS];
    char (*keys)[64];
    int key_count;
    long number; /* of the round */
    char stamp[32], text[32], email[64], license[32], now[32];
} loop_t;

static void die(const char *what, sqlite3 *db)
{
    fprintf(stderr, "rawloop: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
    exit(1);
}

/* ---- statements ---- */

/* APR's placeholders become SQLite's: %s %d %lld -> ?, %% -> % */
static void translate(char *to, const char *from)
{
    for (; *from; from++) {
        if (*from != '%') {
            *to++ = *from;
        }
        else if (from[1] == '%') {
            *to++ = '%';
            from++;
        }
        else {
            *to++ = '?';
            from += strspn(from + 1, "l") + 1;
        }
    }
    *to = '\0';
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        die(sql, db);
    }
    return statement;
}

static sqlite3_stmt *statement_of(loop_t *loop, statement_t id)
{
    char sql[4000], whole[4200];

    if (!loop->prepared[id]) {
        translate(sql, texts[id].sql);
        snprintf(whole, sizeof(whole), "%s%s%s", texts[id].is_insert_new ? "INSERT INTO " : "", sql,
                 texts[id].is_insert_new ? " ON CONFLICT DO NOTHING" : "");
        loop->prepared[id] = prepare(loop->db, whole);
    }
    return loop->prepared[id];
}

/* Run to the end, reading every column. @return how many rows */
static int step(loop_t *loop, sqlite3_stmt *statement)
{
    int rows = 0, rc;

    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            (void)sqlite3_column_text(statement, i);
        }
        if (rows++ == 0 && statement == loop->prepared[ID_LICENSE_FIND]) {
            snprintf(loop->license, sizeof(loop->license), "%s",
                     (const char *)sqlite3_column_text(statement, 0));
        }
    }
    if (rc != SQLITE_DONE || sqlite3_reset(statement) != SQLITE_OK) {
        die(sqlite3_sql(statement), loop->db);
    }
    return rows;
}

static int run(loop_t *loop, statement_t id, const char *const *values)
{
    sqlite3_stmt *statement = statement_of(loop, id);

    for (int i = 0; i < sqlite3_bind_parameter_count(statement); i++) {
        sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
    }
    return step(loop, statement);
}

/* A change that must change exactly one row. */
static void change(loop_t *loop, statement_t id, const char *const *values)
{
    run(loop, id, values);
    if (sqlite3_changes(loop->db) != 1) {
        die("nothing was changed", NULL);
    }
}

/* ---- one round ---- */

static void fresh_id(loop_t *loop, char *id, long offset)
{
    snprintf(id, 32, "%ld", 1000000000000L + loop->number * 4 + offset);
}

static void issue(loop_t *loop)
{
    char customer[32], license[32], event[32];
    const char *none = "", *zero = "0", *one = "1", *now = loop->now;
    const char *order[] = {"cleverbridge", loop->text,         one, "1.1.0/1/1",
                           "text/plain",   "M1ABC-DEFGH-JKMN", now};
    const char *email[] = {loop->email};
    const char *buyer[] = {customer, loop->email, loop->email, "Ada Byron", none, none, none,
                           none,     none,        none,        none,        none, none, none,
                           none,     none,        "-1",        zero,        none, none, none,
                           "-1",     zero,        now,         now};
    const char *terms[] = {
        license,        loop->stamp, one,         one,      zero, "permanent", "6",
        zero,           zero,        zero,        one,      one,  zero,        none,
        zero,           "-1",        zero,        zero,     now,  now,         zero,
        "cleverbridge", loop->text,  one,         none,     none, none,        none,
        none,           none,        "Completed", customer, zero, now,         zero,
        "-2",           "-2",        zero,        none,     none, none};
    const char *history[] = {
        event,          license,     customer, loop->stamp, "created", "GetActivationKey",
        "cleverbridge", "127.0.0.1", none,     none,        now,       none};

    snprintf(loop->text, sizeof(loop->text), "raw-%ld", loop->number);
    snprintf(loop->email, sizeof(loop->email), "raw%ld@customer.example", loop->number);
    /* as scattered as real keys */
    snprintf(loop->stamp, sizeof(loop->stamp), "RAW%020llu",
             (unsigned long long)loop->number * 11400714819323198485ULL);
    fresh_id(loop, customer, 0);
    fresh_id(loop, license, 1);
    fresh_id(loop, event, 2);
    run(loop, ID_SITE, NULL);
    run(loop, ID_ORDER_FIND, order);
    step(loop, loop->begin);
    change(loop, ID_ORDER_INSERT, order);
    run(loop, ID_CUSTOMER_BY_EMAIL, email);
    change(loop, ID_CUSTOMER_INSERT, buyer);
    change(loop, ID_LICENSE_INSERT, terms);
    change(loop, ID_HISTORY_INSERT, history);
    step(loop, loop->commit);
}

static void activate(loop_t *loop)
{
    char id[32], event[32];
    const char *none = "", *zero = "0", *one = "1", *now = loop->now;
    const char *find[] = {loop->text, loop->keys[loop->number % loop->key_count]};
    const char *seat[] = {id,  loop->license, loop->text, loop->text, none, "M0COMPUTERKEY",
                          one, zero,          now,        now,        one,  none,
                          none};
    const char *take[] = {now, zero, loop->license};
    const char *history[] = {event, loop->license, zero,       none, "activated", "ActivateKey",
                             none,  "127.0.0.1",   loop->text, none, now,         loop->text};

    snprintf(loop->text, sizeof(loop->text), "raw-%ld", loop->number);
    fresh_id(loop, id, 2);
    fresh_id(loop, event, 3);
    run(loop, ID_SITE, NULL);
    run(loop, ID_LICENSE_SHOW, find);
    step(loop, loop->begin);
    if (!run(loop, ID_LICENSE_FIND, find)) {
        die("a key is missing", NULL);
    }
    change(loop, ID_ACTIVATION_INSERT, seat);
    change(loop, ID_LICENSE_TAKE_SEAT, take);
    change(loop, ID_HISTORY_INSERT, history);
    run(loop, ID_LICENSE_FIND, find);
    step(loop, loop->commit);
}

/* ---- measuring ---- */

static double seconds_now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void open_database(loop_t *loop, const char *path)
{
    static const char pragmas[] = "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;"
                                  " PRAGMA synchronous=FULL; PRAGMA cache_size=-2000;"
                                  " PRAGMA mmap_size=1073741824; PRAGMA temp_store=MEMORY";

    if (sqlite3_open_v2(path, &loop->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(loop->db, pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        die(path, loop->db);
    }
    loop->begin = prepare(loop->db, "BEGIN IMMEDIATE");
    loop->commit = prepare(loop->db, "COMMIT");
}

static void read_keys(loop_t *loop, const char *path)
{
    FILE *file = fopen(path, "r");
    char rest[64];

    loop->keys = calloc(KEYS_MAX, sizeof(*loop->keys));
    while (file && loop->keys && loop->key_count < KEYS_MAX &&
           fscanf(file, "%63s %63s", loop->keys[loop->key_count], rest) == 2) {
        loop->key_count++;
    }
    if (!loop->key_count) {
        die("no keys", NULL);
    }
    fclose(file);
}

int main(int argc, char **argv)
{
    static double times[TIMES_MAX];
    loop_t loop = {0};
    double start, cpu, at, limit;
    long count = 0;

    if (argc != 5) {
        die("usage: rawloop DATABASE KEYS issue|activate SECONDS", NULL);
    }
    open_database(&loop, argv[1]);
    read_keys(&loop, argv[2]);
    loop.number = (long)time(NULL) * 1000000; /* a second run makes other rows */
    snprintf(loop.now, sizeof(loop.now), "%ld", (long)time(NULL));
    limit = strtod(argv[4], NULL);
    cpu = cpu_seconds();
    for (start = at = seconds_now(); at - start < limit && count < TIMES_MAX; count++) {
        double before = at;

        (strcmp(argv[3], "issue") == 0 ? issue : activate)(&loop);
        loop.number++;
        at = seconds_now();
        times[count] = at - before;
    }
    cpu = cpu_seconds() - cpu;
    qsort(times, (size_t)count, sizeof(times[0]), compare);
    printf("%ld %.6f %.1f %.1f %.1f\n", count, at - start, times[count / 2] * 1e6,
           times[count * 99 / 100] * 1e6, cpu * 1e6 / (double)count);
    sqlite3_close_v2(loop.db);
    return 0;
}
