/* rawloop DATABASE KEYS issue|activate SECONDS [CONNECTIONS [UNITS]]: the yardstick. Sends the
 * statements of issuing or activating, as statements.def has them and in the order of a call,
 * straight through the engine's own C interface: reads first, then one transaction; no httpd, no
 * APR. DATABASE is a path, pgsql:PARAMETERS or mysql:PARAMETERS. CONNECTIONS threads do that at
 * once, each on a connection of its own (1 on SQLite, which has one writer). With UNITS, so many
 * calls share a transaction. Prints one line: count, seconds, p50 us, p99 us, CPU us of each; times
 * are those of a transaction, from its first read to its commit. */
#include "bench/raw.h"

#include <pthread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define KEYS_MAX  10000
#define UNITS_MAX 1000
#define TIMES_MAX 2000000

/* One call: what it looks up, writes, and finds. */
typedef struct unit_t {
    long number;
    char stamp[32], text[32], email[64], license[32], key[64];
} unit_t;

typedef struct loop_t {
    const raw_engine_t *engine;
    const char *params;
    void (*read)(struct loop_t *loop, unit_t *unit);
    void (*write)(struct loop_t *loop, unit_t *unit);
    char (*keys)[64];
    int key_count, units;
    double limit; /* seconds */

    /* Of a thread: */
    pthread_t thread;
    void *connection;
    long number; /* of the next call; those of the others lie between */
    int step;
    char now[32];
    double *times;
    long count;
} loop_t;

void raw_die(const char *what, const char *why)
{
    fprintf(stderr, "rawloop: %s: %s\n", what, why);
    exit(1);
}

/* ---- statements ---- */

static const struct {
    const char *sql;
    char kind; /* of statements.def: plain, new, lock */
} texts[] = {
#define QLM_STATEMENT(id, sql)      {sql, 'p'},
#define QLM_STATEMENT_NEW(id, sql)  {sql, 'n'},
#define QLM_STATEMENT_LOCK(id, sql) {sql, 'l'},
#include "store/statements.def"
#undef QLM_STATEMENT
#undef QLM_STATEMENT_NEW
#undef QLM_STATEMENT_LOCK
};

/* APR's placeholders become the engine's: %s %d %lld -> ? or $1, %% -> % */
void raw_translate(raw_sql_t *sql, raw_id_t id, const raw_engine_t *engine)
{
    const char *from = texts[id].sql;
    char *to = sql->text, *end = to + sizeof(sql->text);

    sql->count = 0;
    to += snprintf(to, (size_t)(end - to), "%s", texts[id].kind == 'n' ? "INSERT INTO " : "");
    while (*from && end - to > 100) {
        if (*from != '%') {
            *to++ = *from++;
        }
        else if (from[1] == '%') {
            *to++ = '%';
            from += 2;
        }
        else {
            from += strspn(from + 1, "l") + 2;
            sql->is_number[sql->count++] = from[-1] == 'd';
            to += snprintf(to, (size_t)(end - to), engine->has_numbered_places ? "$%d" : "?",
                           sql->count);
        }
    }
    snprintf(to, (size_t)(end - to), "%s",
             texts[id].kind == 'n'   ? engine->if_new
             : texts[id].kind == 'l' ? engine->until_the_end
                                     : "");
}

static int run(loop_t *loop, raw_id_t id, const char *const *values)
{
    return loop->engine->run(loop->connection, id, values, NULL, 0);
}

/* A change that must change exactly one row. */
static void change(loop_t *loop, raw_id_t id, const char *const *values)
{
    if (run(loop, id, values) != 1) {
        raw_die(texts[id].sql, "did not change one row");
    }
}

/* A license is locked before a unit reads it, where there are locks. */
static void hold(loop_t *loop, const char *key)
{
    if (loop->engine->has_locks && run(loop, RAW_LICENSE_LOCK_BY_KEY, &key) != 1) {
        raw_die(key, "is missing");
    }
}

/* ---- the calls ---- */

static void fresh_id(const unit_t *unit, char *id, long offset)
{
    snprintf(id, 32, "%ld", 1000000000000L + unit->number * 8 + offset);
}

static void read_issue(loop_t *loop, unit_t *unit)
{
    const char *order[] = {"cleverbridge", unit->text, "1"};

    snprintf(unit->text, sizeof(unit->text), "raw-%ld", unit->number);
    snprintf(unit->email, sizeof(unit->email), "raw%ld@customer.example", unit->number);
    /* as scattered as real keys */
    snprintf(unit->stamp, sizeof(unit->stamp), "RAW%020llu",
             (unsigned long long)unit->number * 11400714819323198485ULL);
    run(loop, RAW_SITE, NULL);
    run(loop, RAW_ORDER_FIND, order);
}

static void write_issue(loop_t *loop, unit_t *unit)
{
    char customer[32], license[32], born[32], event[32];
    const char *none = "", *zero = "0", *one = "1", *now = loop->now, *email = unit->email;
    const char *order[] = {"cleverbridge", unit->text,           one, "1.1.0/1/1",
                           "text/plain",   "M1ABC-DEFGH-JKMN-P", now};
    const char *buyer[] = {customer, email, email, "Ada Byron", none, none, none, none, none,
                           none,     none,  none,  none,        none, none, none, "-1", zero,
                           none,     none,  none,  "-1",        zero, now,  now};
    const char *terms[] = {
        license,        unit->stamp, one,         one,      zero, "permanent", "6",
        zero,           zero,        zero,        one,      one,  zero,        none,
        zero,           "-1",        zero,        zero,     now,  now,         zero,
        "cleverbridge", unit->text,  one,         none,     none, none,        none,
        none,           none,        "Completed", customer, zero, now,         zero,
        "-2",           "-2",        zero,        none,     none, none};
    const char *arrived[] = {born,
                             zero,
                             customer,
                             none,
                             "customer_created",
                             "GetActivationKey",
                             "cleverbridge",
                             "127.0.0.1",
                             none,
                             "{}",
                             now,
                             none};
    const char *created[] = {
        event,          license,     customer, unit->stamp, "created", "GetActivationKey",
        "cleverbridge", "127.0.0.1", none,     none,        now,       none};

    fresh_id(unit, customer, 0);
    fresh_id(unit, license, 1);
    fresh_id(unit, born, 2);
    fresh_id(unit, event, 3);
    change(loop, RAW_ORDER_INSERT, order);
    run(loop, RAW_CUSTOMER_BY_EMAIL, &email);
    change(loop, RAW_CUSTOMER_INSERT, buyer);
    change(loop, RAW_HISTORY_INSERT, arrived);
    change(loop, RAW_LICENSE_INSERT, terms);
    change(loop, RAW_HISTORY_INSERT, created);
}

static void read_activate(loop_t *loop, unit_t *unit)
{
    const char *find[] = {unit->text, unit->key};

    snprintf(unit->text, sizeof(unit->text), "raw-%ld", unit->number);
    snprintf(unit->key, sizeof(unit->key), "%s", loop->keys[unit->number % loop->key_count]);
    run(loop, RAW_SITE, NULL);
    run(loop, RAW_LICENSE_SHOW, find);
}

static void write_activate(loop_t *loop, unit_t *unit)
{
    char id[32], event[32];
    const char *none = "", *zero = "0", *one = "1", *now = loop->now;
    const char *find[] = {unit->text, unit->key};
    const char *seat[] = {id,  unit->license, unit->text, unit->text, "Desk", "M0COMPUTERKEY",
                          one, zero,          now,        now,        one,    none,
                          none};
    const char *take[] = {now, zero, unit->license};
    const char *activated[] = {event,       unit->license, zero, unit->key,
                               "activated", "ActivateKey", none, "127.0.0.1",
                               unit->text,  none,          now,  unit->text};

    fresh_id(unit, id, 4);
    fresh_id(unit, event, 5);
    hold(loop, unit->key);
    if (loop->engine->run(loop->connection, RAW_LICENSE_FIND, find, unit->license,
                          sizeof(unit->license)) != 1) {
        raw_die(unit->key, "is missing");
    }
    change(loop, RAW_ACTIVATION_INSERT, seat);
    change(loop, RAW_LICENSE_TAKE_SEAT, take);
    run(loop, RAW_LICENSE_FIND, find);
    change(loop, RAW_HISTORY_INSERT, activated);
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

static void transact(loop_t *loop, unit_t *units)
{
    for (int i = 0; i < loop->units; i++, loop->number += loop->step) {
        units[i].number = loop->number;
        loop->read(loop, &units[i]);
    }
    loop->engine->say(loop->connection, loop->engine->begin);
    for (int i = 0; i < loop->units; i++) {
        loop->write(loop, &units[i]);
    }
    loop->engine->say(loop->connection, "COMMIT");
}

static void *play(void *data)
{
    loop_t *loop = data;
    unit_t *units = calloc((size_t)loop->units, sizeof(*units));
    double start = seconds_now(), at = start;

    if (!units) {
        raw_die("units", "no memory");
    }
    while (at - start < loop->limit && loop->count < TIMES_MAX) {
        double before = at;

        transact(loop, units);
        at = seconds_now();
        loop->times[loop->count++] = at - before;
    }
    free(units);
    return NULL;
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
        raw_die(path, "no keys");
    }
    fclose(file);
}

static void choose_engine(loop_t *loop, const char *database)
{
    static const raw_engine_t *const engines[] = {RAW_ENGINES};

    loop->engine = &raw_sqlite;
    loop->params = database;
    for (size_t i = 0; i < sizeof(engines) / sizeof(*engines); i++) {
        size_t length = strlen(engines[i]->driver);

        if (strncmp(database, engines[i]->driver, length) == 0 && database[length] == ':') {
            loop->engine = engines[i];
            loop->params = database + length + 1;
        }
    }
}

/* A thread's own copy, connected, with numbers that no other run and no other thread has. */
static loop_t *make_loops(const loop_t *like, int connections)
{
    loop_t *loops = calloc((size_t)connections, sizeof(*loops));

    if (!loops) {
        raw_die("connections", "no memory");
    }
    for (int i = 0; i < connections; i++) {
        loops[i] = *like;
        loops[i].connection = like->engine->open(like->params);
        loops[i].number = (long)time(NULL) * 1000000 + i;
        loops[i].step = connections;
        loops[i].times = calloc(TIMES_MAX, sizeof(double));
        if (!loops[i].times) {
            raw_die("times", "no memory");
        }
        snprintf(loops[i].now, sizeof(loops[i].now), "%ld", (long)time(NULL));
    }
    return loops;
}

/* All times in those of the first. @return how many */
static long gather(loop_t *loops, int connections)
{
    long count = 0;
    double *all;

    for (int i = 0; i < connections; i++) {
        count += loops[i].count;
    }
    all = calloc((size_t)count + 1, sizeof(*all));
    if (!all) {
        raw_die("times", "no memory");
    }
    count = 0;
    for (int i = 0; i < connections; i++) {
        memcpy(all + count, loops[i].times, (size_t)loops[i].count * sizeof(*all));
        count += loops[i].count;
    }
    qsort(all, (size_t)count, sizeof(*all), compare);
    loops->times = all;
    return count;
}

int main(int argc, char **argv)
{
    loop_t like = {.units = argc > 6 ? (int)strtol(argv[6], NULL, 10) : 1};
    int connections = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 1;
    int is_issue = argc > 3 && strcmp(argv[3], "issue") == 0;
    double start, cpu, took;
    loop_t *loops;
    long count;

    if (argc < 5 || connections < 1 || like.units < 1 || like.units > UNITS_MAX) {
        raw_die("usage", "rawloop DATABASE KEYS issue|activate SECONDS [CONNECTIONS [UNITS]]");
    }
    choose_engine(&like, argv[1]);
    read_keys(&like, argv[2]);
    like.read = is_issue ? read_issue : read_activate;
    like.write = is_issue ? write_issue : write_activate;
    like.limit = strtod(argv[4], NULL);
    loops = make_loops(&like, connections);
    cpu = cpu_seconds();
    start = seconds_now();
    for (int i = 0; i < connections; i++) {
        if (pthread_create(&loops[i].thread, NULL, play, &loops[i])) {
            raw_die("thread", "cannot be started");
        }
    }
    for (int i = 0; i < connections; i++) {
        pthread_join(loops[i].thread, NULL);
    }
    took = seconds_now() - start;
    cpu = cpu_seconds() - cpu;
    count = gather(loops, connections);
    printf("%ld %.6f %.1f %.1f %.1f\n", count * like.units, took, loops->times[count / 2] * 1e6,
           loops->times[count * 99 / 100] * 1e6, cpu * 1e6 / (double)(count * like.units));
    return 0;
}
