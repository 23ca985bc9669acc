/* Units of work and their troubles: rolled back, run again, raced by threads and processes, and a
 * database that is locked, replaced, missing, read-only, full, damaged or changed under way. */
#include "store_fixture.h"

#include "store/bell.h"
#include "store/connection.h"
#include "store/writer.h"

#include <apr_thread_proc.h>
#include <apr_time.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define NOBODY 65534

static int count_rows(qlm_store_t *in)
{
    apr_int64_t count = -1;

    OK(qlm_store_count_licenses(&count, in, 0, pool));
    return (int)count;
}

/* Some other program that knows nothing of our locks. */
static qlm_store_t *other_program(void)
{
    return open_store(pool);
}

static void say(qlm_store_t *to, const char *sql)
{
    OK(qlm_connection_execute_text(to, sql, pool));
}

static void ask(qlm_store_t *to, const char *sql)
{
    apr_array_header_t *rows;

    OK(qlm_connection_select_text(&rows, to, sql, pool));
}

/* ---- one unit ---- */

/** A unit that adds a license, then fails as told while @a failures lasts. */
typedef struct trial_t {
    qlm_error_kind_t kind;
    int failures;
    int runs;
} trial_t;

UNIT(add_then_fail, trial_t)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);

    ++baton->runs;
    QLM_TRY(qlm_store_add_license(unit_store, &license, unit_pool));
    if (baton->runs <= baton->failures) {
        return qlm_error_make(unit_pool, baton->kind, QLM_CODE_UNKNOWN, "as told");
    }
    return NULL;
}

START_TEST(an_error_leaves_nothing)
{
    trial_t trial = {QLM_ERROR_REFUSED, 1, 0};
    qlm_error_t *error = qlm_store_write(store, add_then_fail, &trial, pool);

    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_REFUSED);
    ck_assert_str_eq(error->text, "as told");
    ck_assert_int_eq(trial.runs, 1); /* a rule is not asked twice */
    ck_assert_int_eq(count_rows(store), 0);
    OK(qlm_store_write(store, add_then_fail, &trial, pool));
    ck_assert_int_eq(count_rows(store), 1);
}
END_TEST

START_TEST(store_and_conflict_are_run_again)
{
    trial_t trial = {QLM_ERROR_CONFLICT, 2, 0};
    trial_t forever = {QLM_ERROR_STORE, 1000, 0};

    FAILS(qlm_store_write(store, add_then_fail, &forever, pool), QLM_ERROR_STORE, "as told");
    ck_assert_int_eq(forever.runs, is_on_server() ? 12 : 5);
    ck_assert_int_eq(count_rows(store), 0);
    OK(qlm_store_write(store, add_then_fail, &trial, pool));
    ck_assert_int_eq(trial.runs, 3);
    ck_assert_int_eq(count_rows(store), 1);
}
END_TEST

UNIT(nested, void)
{
    trial_t trial = {QLM_ERROR_STORE, 0, 0};

    (void)baton;
    return qlm_store_write(unit_store, add_then_fail, &trial, unit_pool);
}

START_TEST(changes_need_exactly_one_unit)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);

    FAILS(qlm_store_add_license(store, &license, pool), QLM_ERROR_INTERNAL, "outside");
    FAILS(qlm_store_write(store, nested, NULL, pool), QLM_ERROR_INTERNAL, "inside another");
    ck_assert_int_eq(count_rows(store), 0);
}
END_TEST

START_TEST(a_connection_is_adopted_once)
{
    qlm_store_t *again = NULL;

    OK(qlm_store_adopt(&again, store->driver, store->handle, store->writer, dbd_params,
                       store->pool));
    ck_assert_ptr_eq(again, store);
}
END_TEST

START_TEST(a_writer_serves_one_database)
{
    trial_t trial = {QLM_ERROR_STORE, 0, 0};
    qlm_store_t *other;

    write_license(2, "BKEY", 1);
    OK(qlm_store_open(&other, "sqlite3", apr_pstrcat(pool, folder, "/second.db", NULL), 0, pool));
    OK(qlm_store_upgrade(other, pool));
    other->writer = store->writer;
    FAILS(qlm_store_write(other, add_then_fail, &trial, pool), QLM_ERROR_INTERNAL, "another");
    ck_assert_int_eq(trial.runs, 0);
}
END_TEST

START_TEST(a_database_in_memory_works)
{
    trial_t trial = {QLM_ERROR_STORE, 0, 0};
    qlm_store_t *memory;

    OK(qlm_store_open(&memory, "sqlite3", ":memory:", 0, pool));
    ck_assert_ptr_null(qlm_store_path(memory));
    OK(qlm_store_upgrade(memory, pool));
    OK(qlm_store_check(memory, pool));
    OK(qlm_store_write(memory, add_then_fail, &trial, pool));
    ck_assert_int_eq(count_rows(memory), 1);
    ck_assert_int_eq(qlm_store_backup(memory, path, pool)->kind, QLM_ERROR_ARGUMENT);
}
END_TEST

/* ---- many threads ---- */

#define THREADS 32

/** One of many threads with a connection of its own. */
typedef struct racer_t {
    int number;
    qlm_writer_t *writer; /**< shared, or NULL: only the file keeps them apart */
    int taken, refused, failed;
    int runs; /**< of its unit */
    const char *said;
} racer_t;

static void *APR_THREAD_FUNC race_for_a_seat(apr_thread_t *thread, void *data)
{
    racer_t *racer = data;
    apr_pool_t *own;
    qlm_store_t *opened;
    seat_t seat;
    qlm_error_t *error;

    (void)thread;
    apr_pool_create(&own, NULL);
    error = qlm_store_open(&opened, dbd_driver, dbd_params, 1, own);
    if (!error) {
        if (racer->writer) {
            opened->writer = racer->writer;
        }
        seat.activation =
            sample_activation(100 + racer->number, 1, apr_psprintf(own, "PC%d", racer->number));
        seat.expires_at = 0;
        error = qlm_store_write(opened, take_seat, &seat, own);
    }
    racer->taken = !error && seat.taken == 1;
    racer->refused = error && error->code == QLM_CODE_NO_MORE_ACTIVATIONS;
    if (error && !racer->refused) {
        racer->failed = 1;
        racer->said = strdup(error->detail ? error->detail : error->text);
    }
    apr_pool_destroy(own);
    return NULL;
}

static void run_threads(apr_thread_start_t function, racer_t racers[THREADS], qlm_writer_t *writer)
{
    apr_thread_t *threads[THREADS];
    apr_status_t status;
    int i;

    memset(racers, 0, THREADS * sizeof(*racers));
    for (i = 0; i < THREADS; ++i) {
        racers[i].number = i;
        racers[i].writer = writer;
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, function, &racers[i], pool), 0);
    }
    for (i = 0; i < THREADS; ++i) {
        apr_thread_join(&status, threads[i]);
        ck_assert_msg(!racers[i].failed, "thread %d: %s", i, racers[i].said);
    }
}

static void seats_are_never_sold_twice(qlm_writer_t *writer)
{
    racer_t racers[THREADS];
    apr_array_header_t *activations, *problems;
    int taken = 0, refused = 0;
    int i;

    write_license(1, "AKEY", 10);
    run_threads(race_for_a_seat, racers, writer);
    for (i = 0; i < THREADS; ++i) {
        taken += racers[i].taken;
        refused += racers[i].refused;
    }
    ck_assert_int_eq(taken, 10);
    ck_assert_int_eq(refused, THREADS - 10);
    ck_assert_int_eq(find(store, "AKEY", "")->license.available_licenses, 0);
    OK(qlm_store_list_activations(&activations, store, 1, pool));
    ck_assert_int_eq(activations->nelts, 10);
    OK(qlm_store_verify(&problems, store, pool));
    ck_assert_int_eq(problems->nelts, 0);
}

START_TEST(threads_that_share_a_queue)
{
    qlm_writer_t *writer;

    OK(qlm_writer_create(&writer, pool));
    seats_are_never_sold_twice(writer);
}
END_TEST

START_TEST(threads_that_share_only_the_file)
{
    seats_are_never_sold_twice(NULL);
}
END_TEST

/** A unit that fails for good, among others that must not suffer. */
UNIT(add_or_poison, racer_t)
{
    qlm_license_t license;

    baton->runs++;
    license =
        sample_license(1000 + baton->number, apr_psprintf(unit_pool, "K%d", baton->number), 1);
    QLM_TRY(qlm_store_add_license(unit_store, &license, unit_pool));
    if (baton->number % 8 == 0) {
        return qlm_error_make(unit_pool, QLM_ERROR_REFUSED, QLM_CODE_BLOCKED, "refused");
    }
    if (baton->number % 8 == 1) {
        return qlm_error_store(unit_pool, "poison");
    }
    return NULL;
}

static void *APR_THREAD_FUNC add_one(apr_thread_t *thread, void *data)
{
    racer_t *racer = data;
    qlm_store_t *opened;
    qlm_error_t *error;
    apr_pool_t *own;

    (void)thread;
    apr_pool_create(&own, NULL);
    error = qlm_store_open(&opened, dbd_driver, dbd_params, 1, own);
    if (!error) {
        opened->writer = racer->writer;
        error = qlm_store_write(opened, add_or_poison, racer, own);
    }
    racer->taken = !error;
    racer->refused = error && error->kind == QLM_ERROR_REFUSED;
    racer->failed = error && error->kind == QLM_ERROR_STORE && strstr(error->detail, "poison");
    if (error && !racer->refused && !racer->failed) {
        racer->said = strdup(error->detail ? error->detail : error->text);
    }
    apr_pool_destroy(own);
    return NULL;
}

/* Together, and (1) each by itself. */
START_TEST(units_in_one_transaction_do_not_harm_each_other)
{
    apr_thread_t *threads[THREADS];
    racer_t racers[THREADS];
    qlm_writer_t *writer;
    apr_status_t status;
    qlm_job_t *batch, blocker = {.pool = pool}, again = {.pool = pool, .is_alone = 1};
    int i;

    OK(qlm_writer_create(&writer, pool));
    if (_i == 1) {
        qlm_writer_commit_alone(writer);
    }
    /* Hold the turn until all are in the queue, so that they do share a transaction. */
    OK(qlm_writer_enter(&batch, writer, &blocker, path, apr_time_now() + apr_time_from_sec(5)));
    ck_assert_ptr_eq(batch, &blocker);
    memset(racers, 0, sizeof(racers));
    for (i = 0; i < THREADS; ++i) {
        racers[i].number = i;
        racers[i].writer = writer;
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, add_one, &racers[i], pool), 0);
    }
    apr_sleep(apr_time_from_msec(500));
    qlm_writer_leave(writer, batch);
    /* And again after the first failure. */
    OK(qlm_writer_enter(&batch, writer, &again, path, apr_time_now() + apr_time_from_sec(5)));
    ck_assert_ptr_eq(batch, &again);
    apr_sleep(apr_time_from_msec(300));
    qlm_writer_leave(writer, batch);
    for (i = 0; i < THREADS; ++i) {
        apr_thread_join(&status, threads[i]);
        ck_assert_msg(!racers[i].said, "thread %d: %s", i, racers[i].said);
        ck_assert_int_eq(racers[i].refused, i % 8 == 0);
        ck_assert_int_eq(racers[i].failed, i % 8 == 1);
        ck_assert_int_eq(racers[i].taken, i % 8 > 1);
        /* Once together, and after the failure once alone: nobody suffers twice. Alone, nobody
         * suffers at all. */
        ck_assert_msg(racers[i].failed || racers[i].runs <= 2 - _i, "run %d times", racers[i].runs);
    }
    ck_assert_int_eq(count_rows(store), THREADS / 8 * 6);
}
END_TEST

/* ---- the queue ---- */

START_TEST(a_turn_is_waited_for_no_longer_than_said)
{
    qlm_job_t first = {.pool = pool}, second = {.pool = pool}, third = {.pool = pool};
    apr_time_t started = apr_time_now();
    qlm_job_t *batch, *none;
    qlm_writer_t *writer, *other_process;

    OK(qlm_writer_create(&writer, pool));
    OK(qlm_writer_create(&other_process, pool));
    OK(qlm_writer_enter(&batch, writer, &first, path, started + apr_time_from_sec(5)));
    FAILS(qlm_writer_enter(&none, writer, &second, path, started + 100000), QLM_ERROR_STORE,
          "too many writers");
    FAILS(qlm_writer_enter(&none, other_process, &third, path, started + 200000), QLM_ERROR_STORE,
          "another process");
    ck_assert(apr_time_now() - started < apr_time_from_sec(3));
    qlm_writer_leave(writer, batch);
    /* Both gave up properly: the next turns are free. */
    OK(qlm_writer_enter(&batch, other_process, &third, path,
                        apr_time_now() + apr_time_from_sec(5)));
    ck_assert_ptr_eq(batch, &third);
    qlm_writer_leave(other_process, batch);
    OK(qlm_writer_enter(&batch, writer, &second, path, apr_time_now() + apr_time_from_sec(5)));
    ck_assert_ptr_eq(batch, &second);
    qlm_writer_leave(writer, batch);
}
END_TEST

/* A process that says that it waits, and does nothing else. */
static pid_t start_waiting(void)
{
    struct flock waiting = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
    int ends[2];
    pid_t pid;
    char byte;

    write_license(1, "AKEY", 1); /* makes the file */
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        int fd = open(apr_pstrcat(pool, path, "-writer", NULL), O_RDWR);

        if (fcntl(fd, F_SETLK, &waiting) == 0 && write(ends[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    return pid;
}

static void stop_waiting(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* One turn. @return how long it had to be waited for, us */
static apr_time_t take_turn(qlm_writer_t *writer)
{
    qlm_job_t job = {.pool = pool};
    apr_time_t started = apr_time_now(), waited;
    qlm_job_t *batch;

    OK(qlm_writer_enter(&batch, writer, &job, path, started + apr_time_from_sec(5)));
    waited = apr_time_now() - started;
    qlm_writer_leave(writer, batch);
    return waited;
}

/* Those who wait in other processes are let in, however busy this one is. */
START_TEST(a_process_that_waits_is_yielded_to)
{
    pid_t pid = start_waiting();
    qlm_writer_t *writer;

    OK(qlm_writer_create(&writer, pool));
    ck_assert_int_ge(take_turn(writer), 300);
    stop_waiting(pid);
}
END_TEST

/* With a bell it is called, and nobody is called in vain. */
START_TEST(a_process_that_waits_is_called)
{
    pid_t pid = start_waiting();
    qlm_bell_t *bell = qlm_bell_create(pool);
    qlm_writer_t *writer;

    OK(qlm_writer_create(&writer, pool));
    qlm_writer_use_bell(writer, bell);
    ck_assert_int_ge(take_turn(writer), 10000); /* it does not call back */
    ck_assert_uint_eq(qlm_bell_count(bell), 1);
    stop_waiting(pid);
    take_turn(writer);
    ck_assert_uint_eq(qlm_bell_count(bell), 1);
}
END_TEST

START_TEST(root_makes_the_lock_file_for_the_owner_of_the_database)
{
    uid_t owner = geteuid() ? geteuid() : NOBODY;
    struct stat info;

    unlink(apr_pstrcat(pool, path, "-writer", NULL));
    ck_assert_int_eq(chown(path, owner, (gid_t)-1), 0);
    store = open_store(pool);
    write_license(1, "AKEY", 1);
    ck_assert_int_eq(stat(apr_pstrcat(pool, path, "-writer", NULL), &info), 0);
    ck_assert_int_eq(info.st_uid, owner);
    ck_assert_int_eq(info.st_mode & S_IRWXO, 0);
}
END_TEST

START_TEST(a_lock_file_that_cannot_be_opened_is_told)
{
    trial_t trial = {QLM_ERROR_STORE, 0, 0};
    const char *lock = apr_pstrcat(pool, path, "-writer", NULL);

    OK(qlm_store_write(store, add_then_fail, &trial, pool));
    unlink(lock);
    ck_assert_int_eq(symlink("/etc/passwd", lock), 0); /* a trap for root */
    FAILS(qlm_store_write(open_store(pool), add_then_fail, &trial, pool), QLM_ERROR_STORE,
          "-writer: cannot be opened");
}
END_TEST

/* ---- processes ---- */

UNIT(add_numbered, int)
{
    qlm_license_t license =
        sample_license(qlm_store_new_id(unit_store), apr_psprintf(unit_pool, "N%d", *baton), 1);

    return qlm_store_add_license(unit_store, &license, unit_pool);
}

static pid_t start_writer_process(int from, int count)
{
    pid_t pid = fork();

    if (pid == 0) {
        qlm_error_t *error;
        qlm_store_t *opened;
        apr_pool_t *own;
        int i;

        apr_pool_create(&own, NULL);
        error = qlm_store_open(&opened, dbd_driver, dbd_params, 1, own);
        for (i = from; !error && i < from + count; ++i) {
            error = qlm_store_write(opened, add_numbered, &i, own);
        }
        apr_pool_destroy(own);
        _exit(error ? 1 : 0);
    }
    return pid;
}

START_TEST(processes_take_turns)
{
    pid_t pids[3];
    int i, status;

    for (i = 0; i < 3; ++i) {
        pids[i] = start_writer_process(i * 1000, 100);
    }
    for (i = 5000; i < 5100; ++i) {
        OK(qlm_store_write(store, add_numbered, &i, pool));
    }
    for (i = 0; i < 3; ++i) {
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    }
    ck_assert_int_eq(count_rows(store), 400);
}
END_TEST

UNIT(add_and_hang, int)
{
    QLM_TRY(add_numbered(unit_store, baton, unit_pool));
    ck_assert_int_eq(write(baton[1], "x", 1), 1);
    for (;;) {
        pause();
    }
}

START_TEST(a_killed_writer_leaves_nothing_and_no_lock)
{
    int number[2] = {1, 0}, ends[2], status;
    apr_time_t started;
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        qlm_store_t *opened;

        number[1] = ends[1];
        if (!qlm_store_open(&opened, dbd_driver, dbd_params, 1, pool)) {
            qlm_store_write(opened, add_and_hang, number, pool);
        }
        _exit(1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    started = apr_time_now();
    OK(qlm_store_write(store, add_numbered, number, pool));
    ck_assert(apr_time_now() - started < apr_time_from_sec(1));
    ck_assert_int_eq(count_rows(store), 1);
}
END_TEST

/* ---- a database in trouble ---- */

START_TEST(a_foreign_lock_ends_in_a_clear_error)
{
    qlm_store_t *other = other_program();
    apr_time_t started = apr_time_now();
    int number = 1;

    say(other, "BEGIN IMMEDIATE");
    FAILS(qlm_store_write(store, add_numbered, &number, pool), QLM_ERROR_STORE, "locked");
    ck_assert(apr_time_now() - started < apr_time_from_sec(6));
    ck_assert_ptr_null(find(store, "N1", "")); /* readers are not disturbed */
    say(other, "ROLLBACK");
    OK(qlm_store_write(store, add_numbered, &number, pool));
}
END_TEST

START_TEST(a_replaced_file_is_opened_again)
{
    const char *copy = apr_pstrcat(pool, folder, "/copy.db", NULL);
    apr_dbd_t *before;

    OK(qlm_store_check(store, pool));
    before = *store->handle;
    write_license(1, "AKEY", 1);
    OK(qlm_store_backup(store, copy, pool));
    write_license(2, "BKEY", 1);
    OK(qlm_store_check(store, pool));
    ck_assert_ptr_eq(*store->handle, before);
    unlink(apr_pstrcat(pool, path, "-wal", NULL));
    unlink(apr_pstrcat(pool, path, "-shm", NULL));
    ck_assert_int_eq(rename(copy, path), 0);
    OK(qlm_store_check(store, pool));
    ck_assert_ptr_ne(*store->handle, before);
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
    ck_assert_ptr_null(find(store, "BKEY", ""));
    write_license(3, "CKEY", 1);
    ck_assert_int_eq(count_rows(other_program()), 2);
}
END_TEST

START_TEST(a_missing_file_is_told_and_comes_back)
{
    const char *away = apr_pstrcat(pool, folder, "/away.db", NULL);
    struct stat info;

    write_license(1, "AKEY", 1);
    ck_assert_int_eq(rename(path, away), 0);
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "missing");
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "qlmctl init");
    ck_assert_int_ne(stat(path, &info), 0); /* and is not made */
    ck_assert_int_eq(rename(away, path), 0);
    OK(qlm_store_check(store, pool));
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
}
END_TEST

START_TEST(a_file_without_tables_is_told_and_recovers)
{
    const char *away = apr_pstrcat(pool, folder, "/away.db", NULL);

    ck_assert_int_eq(rename(path, away), 0);
    ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "no tables");
    OK(qlm_store_upgrade(open_store(pool), pool)); /* what qlmctl does */
    OK(qlm_store_check(store, pool));
    write_license(1, "AKEY", 1);
}
END_TEST

START_TEST(a_damaged_file_is_told_and_recovers)
{
    const char *copy = apr_pstrcat(pool, folder, "/copy.db", NULL);
    static const char junk[] = "this is no database, whatever its name says; it is long enough "
                               "to be looked at by the engine, which reads a header of 100 bytes";
    int fd;

    OK(qlm_store_backup(store, copy, pool));
    unlink(path);
    unlink(apr_pstrcat(pool, path, "-wal", NULL));
    unlink(apr_pstrcat(pool, path, "-shm", NULL));
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, junk, sizeof(junk)), sizeof(junk));
    close(fd);
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "restore a backup");
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "not a database");
    ck_assert_int_eq(rename(copy, path), 0);
    OK(qlm_store_check(store, pool));
    write_license(1, "AKEY", 1);
}
END_TEST

static qlm_license_t large_license(void)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);
    char *large = apr_palloc(pool, 1000001);

    memset(large, 'x', 1000000);
    large[1000000] = '\0';
    license.user_data = large;
    return license;
}

START_TEST(a_full_disk_is_told_and_recovers)
{
    qlm_license_t license = large_license();

    ask(store, "PRAGMA max_page_count=60");
    FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_STORE,
          "make room on the disk");
    ck_assert_int_eq(count_rows(store), 0);
    ask(store, "PRAGMA max_page_count=100000");
    OK(qlm_store_write(store, add_license, &license, pool));
    ck_assert_int_eq(count_rows(store), 1);
}
END_TEST

START_TEST(a_read_only_connection_is_opened_anew)
{
    apr_dbd_t *before = *store->handle;
    int number = 1;

    ask(store, "PRAGMA query_only=ON");
    OK(qlm_store_write(store, add_numbered, &number, pool));
    ck_assert_ptr_ne(*store->handle, before);
    ck_assert_int_eq(count_rows(other_program()), 1);
}
END_TEST

/* As a user who may read the file but not write it: exit code 0 if the error is the right one. */
static void write_without_rights(void)
{
    int number = 1, is_told;
    qlm_store_t *opened;
    qlm_error_t *error;
    apr_pool_t *own;

    if (geteuid() == 0 && setuid(NOBODY)) {
        _exit(3);
    }
    apr_pool_create(&own, NULL);
    error = qlm_store_open(&opened, dbd_driver, dbd_params, 1, own);
    if (!error) {
        error = qlm_store_write(opened, add_numbered, &number, own);
    }
    is_told = error && error->kind == QLM_ERROR_STORE && strstr(error->detail, "writable");
    apr_pool_destroy(own);
    _exit(is_told ? 0 : 4);
}

START_TEST(a_file_without_write_permission_is_told)
{
    int status;
    pid_t pid;

    ask(store, "PRAGMA wal_checkpoint(TRUNCATE)");
    ck_assert_int_eq(chmod(folder, 0555), 0);
    ck_assert_int_eq(chmod(path, 0444), 0);
    pid = fork();
    if (pid == 0) {
        write_without_rights();
    }
    waitpid(pid, &status, 0);
    chmod(folder, 0700);
    chmod(path, 0600);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}
END_TEST

/* ---- statements that the engine drops ---- */

START_TEST(a_schema_change_elsewhere_is_survived)
{
    int number = 1;

    write_license(1, "AKEY", 1);
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
    say(other_program(), "CREATE INDEX extra ON qlm_license (comment)");
    ck_assert_ptr_nonnull(find(store, "AKEY", "")); /* outside a unit: prepared again */
    say(other_program(),
        strcmp(dbd_driver, "mysql") ? "DROP INDEX extra" : "DROP INDEX extra ON qlm_license");
    OK(qlm_store_write(store, add_numbered, &number, pool)); /* the unit is run again */
    ck_assert_int_eq(count_rows(store), 2);
}
END_TEST

START_TEST(an_analysis_is_survived)
{
    write_license(1, "AKEY", 1);
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
    say(store, "ANALYZE");
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
    say(store, "ANALYZE");
    write_license(2, "BKEY", 1);
    ask(store, "PRAGMA foreign_keys=ON");
    write_license(3, "CKEY", 1);
    ck_assert_int_eq(count_rows(store), 3);
}
END_TEST

START_TEST(a_new_schema_is_noticed_while_running)
{
    qlm_store_t *other = other_program();
    qlm_license_view_t *view;

    OK(qlm_store_check(store, pool));
    ck_assert_ptr_null(find(store, "AKEY", ""));
    say(other, "ALTER TABLE qlm_license RENAME COLUMN comment TO remark");
    say(other, "UPDATE qlm_site SET schema_version = 99");
    FAILS(qlm_store_find_license(&view, store, "AKEY", "", pool), QLM_ERROR_STORE,
          "run `qlmctl db check`");
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "schema version 99 is newer");
}
END_TEST

/* Preparing again costs memory until the connection closes. */
START_TEST(other_errors_prepare_nothing_again)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);
    char *large = apr_palloc(pool, 1000001);
    apr_dbd_t *handle;
    int prepared, i;

    memset(large, 'x', 1000000);
    large[1000000] = '\0';
    license.user_data = large;
    ask(store, "PRAGMA max_page_count=60");
    FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_STORE, "full");
    prepared = store->generation;
    handle = *store->handle;
    for (i = 0; i < 3; ++i) {
        FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_STORE, "full");
    }
    ck_assert_int_eq(store->generation, prepared);
    ck_assert_ptr_eq(*store->handle, handle);
}
END_TEST

static TCase *group(Suite *suite, const char *name, double timeout)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, make_store, remove_folder);
    tcase_set_timeout(tcase, timeout);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("units");
    SRunner *runner = srunner_create(suite);
    TCase *unit = group(suite, "one unit", 30);
    TCase *race = group(suite, "races", 120);
    TCase *trouble = group(suite, "trouble", 60);
    TCase *dropped = group(suite, "dropped statements", 30);
    int failed;

    tcase_add_test(unit, an_error_leaves_nothing);
    tcase_add_test(unit, store_and_conflict_are_run_again);
    tcase_add_test(unit, changes_need_exactly_one_unit);
    tcase_add_test(unit, a_connection_is_adopted_once);
    add_file_test(unit, a_writer_serves_one_database);
    add_file_test(unit, a_database_in_memory_works);
    tcase_add_test(race, threads_that_share_a_queue);
    tcase_add_test(race, threads_that_share_only_the_file);
    if (!is_on_server()) {
        tcase_add_loop_test(race, units_in_one_transaction_do_not_harm_each_other, 0, 2);
    }
    add_file_test(race, a_turn_is_waited_for_no_longer_than_said);
    add_file_test(race, a_process_that_waits_is_yielded_to);
    add_file_test(race, a_process_that_waits_is_called);
    add_file_test(race, root_makes_the_lock_file_for_the_owner_of_the_database);
    add_file_test(race, a_lock_file_that_cannot_be_opened_is_told);
    tcase_add_test(race, processes_take_turns);
    tcase_add_test(race, a_killed_writer_leaves_nothing_and_no_lock);
    add_file_test(trouble, a_foreign_lock_ends_in_a_clear_error);
    add_file_test(trouble, a_replaced_file_is_opened_again);
    add_file_test(trouble, a_missing_file_is_told_and_comes_back);
    add_file_test(trouble, a_file_without_tables_is_told_and_recovers);
    add_file_test(trouble, a_damaged_file_is_told_and_recovers);
    add_file_test(trouble, a_full_disk_is_told_and_recovers);
    add_file_test(trouble, a_read_only_connection_is_opened_anew);
    add_file_test(trouble, a_file_without_write_permission_is_told);
    tcase_add_test(dropped, a_schema_change_elsewhere_is_survived);
    add_file_test(dropped, an_analysis_is_survived);
    tcase_add_test(dropped, a_new_schema_is_noticed_while_running);
    add_file_test(dropped, other_errors_prepare_nothing_again);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
