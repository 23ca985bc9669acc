/* The store on a database server: sessions that are lost, rows that several want at once, and what
 * a server would do differently from SQLite if it were not told. Played by engines.sh. */
#include "store_fixture.h"

#include "store/outbox.h"

#include <apr_thread_proc.h>

#include <sys/wait.h>

#define THREADS 8
#define ROUNDS  25

static void say(qlm_store_t *to, const char *sql)
{
    OK(qlm_connection_execute_text(to, sql, pool));
}

static const char *ask(qlm_store_t *to, const char *sql)
{
    apr_array_header_t *rows;

    OK(qlm_connection_select_text(&rows, to, sql, pool));
    ck_assert_int_eq(rows->nelts, 1);
    return APR_ARRAY_IDX(rows, 0, qlm_row_t)[0];
}

static int is_mariadb(void)
{
    return !strcmp(dbd_driver, "mysql");
}

static int count_rows(void)
{
    return (int)apr_atoi64(ask(store, "SELECT COUNT(*) FROM qlm_license"));
}

/* ---- what the session is told ---- */

UNIT(touch, void)
{
    const char *values[] = {"Touched", "0", "1"};
    int changed = 0;

    (void)baton;
    QLM_TRY(qlm_statement_execute(&changed, unit_store, QLM_STATEMENT_LICENSE_ORDER_STATUS, values,
                                  unit_pool));
    return changed == 1 ? NULL : qlm_error_store(unit_pool, "%d rows changed", changed);
}

START_TEST(a_change_to_what_is_there_already_counts)
{
    write_license(1, "AKEY", 1);
    OK(qlm_store_write(store, touch, NULL, pool));
    OK(qlm_store_write(store, touch, NULL, pool));
}
END_TEST

/* What mod_dbd has opened with parameters that say nothing of that. */
START_TEST(parameters_that_were_forgotten_are_added)
{
    const char *bare = dbd_params;
    qlm_store_t *adopted;
    apr_dbd_t *handle, *opened;

    write_license(1, "AKEY", 1);
    if (is_mariadb()) {
        size_t kept = (size_t)(strstr(dbd_params, "reconnect=") - dbd_params);

        bare = apr_pstrcat(pool, apr_pstrndup(pool, dbd_params, kept),
                           strstr(dbd_params, "dbname="), NULL);
        ck_assert_ptr_null(strstr(bare, "FOUND_ROWS"));
    }
    ck_assert_int_eq(apr_dbd_open(store->driver, pool, bare, &handle), APR_SUCCESS);
    opened = handle;
    OK(qlm_store_adopt(&adopted, store->driver, &handle, store->writer, bare, pool));
    OK(qlm_store_check(adopted, pool));
    ck_assert_int_eq(handle != opened, is_mariadb());
    OK(qlm_store_write(adopted, touch, NULL, pool));
    OK(qlm_store_write(adopted, touch, NULL, pool));
    ck_assert_int_eq(apr_dbd_close(store->driver, handle), APR_SUCCESS);
}
END_TEST

UNIT(remember, const char)
{
    return qlm_store_remember(unit_store, baton, "found", NOW + 1, unit_pool);
}

START_TEST(texts_are_equal_only_if_they_are_the_same)
{
    static const char *const others[] = {"memo ", " memo", "Memo", "mem\xc3\xb3", "memo\xcc\x81"};
    char name[] = "memo";
    const char *value;
    size_t i;

    OK(qlm_store_write(store, remember, name, pool));
    OK(qlm_store_recall(&value, store, name, NOW, pool));
    ck_assert_str_eq(value, "found");
    for (i = 0; i < sizeof(others) / sizeof(*others); ++i) {
        OK(qlm_store_recall(&value, store, others[i], NOW, pool));
        ck_assert_msg(!value, "\"%s\" is taken for memo", others[i]);
    }
}
END_TEST

START_TEST(a_text_that_is_too_long_is_refused_not_cut)
{
    char *name = apr_pcalloc(pool, 257);

    memset(name, 'x', 256);
    FAILS(qlm_store_write(store, remember, name, pool), QLM_ERROR_STORE, "long");
    ck_assert_str_eq(ask(store, "SELECT COUNT(*) FROM qlm_memo"), "0");
}
END_TEST

/* PostgreSQL. Most licenses have none: a hash would keep all of these in one chain, and each new
 * one would walk along it. */
START_TEST(user_data_is_found_by_an_index_in_order)
{
    apr_array_header_t *found;
    const char *plan = "";

    ck_assert_str_eq(ask(store, "SELECT COUNT(*) FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
                                " WHERE a.amname = 'hash'"),
                     "0");
    OK(qlm_store_retrieve_licenses(&found, store, "", "", "mine", 5, pool));
    ask(store, "SELECT set_config('enable_seqscan', 'off', false)");
    OK(qlm_connection_select_text(
        &found, store,
        apr_psprintf(pool, "EXPLAIN EXECUTE qlm_licenses_of_user_data_%d('a', 'a', '', '', '5')",
                     store->generation),
        pool));
    for (int i = 0; i < found->nelts; i++) {
        plan = apr_pstrcat(pool, plan, APR_ARRAY_IDX(found, i, qlm_row_t)[0], "\n", NULL);
    }
    ck_assert_msg(strstr(plan, "qlm_license_user_data") != NULL, "%s", plan);
}
END_TEST

/* As long as the driver of MariaDB reads back; longer ones are refused there and kept elsewhere.
 * Each is read where the one before was. */
START_TEST(long_texts_come_back_whole)
{
    static const int sizes[] = {70000, 1000000, 1100000, 3, 0};
    qlm_license_t license;
    size_t i;

    for (i = 0; i < sizeof(sizes) / sizeof(*sizes); ++i) {
        char *text = apr_pcalloc(pool, (apr_size_t)sizes[i] + 1);

        memset(text, 'x', (apr_size_t)sizes[i]);
        license = sample_license((apr_int64_t)i + 1, apr_psprintf(pool, "KEY%d", (int)i), 1);
        license.user_data = text;
        if (is_mariadb() && i == 2) {
            FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_ARGUMENT,
                  "longer");
        }
        else {
            OK(qlm_store_write(store, add_license, &license, pool));
            ck_assert_str_eq(find(store, license.activation_key, "")->license.user_data, text);
        }
    }
}
END_TEST

UNIT(give_seat, void)
{
    const char *values[] = {"0", "0", "4611686018427387906"};

    (void)baton;
    return qlm_statement_execute(NULL, unit_store, QLM_STATEMENT_LICENSE_GIVE_SEAT, values,
                                 unit_pool);
}

START_TEST(ids_are_compared_to_the_last_digit)
{
    apr_int64_t id = (apr_int64_t)4611686018427387905;

    write_license(id, "AKEY", 1);
    write_license(id + 1, "BKEY", 1);
    OK(qlm_store_write(store, give_seat, NULL, pool));
    ck_assert_int_eq(find(store, "AKEY", "")->license.available_licenses, 1);
    ck_assert_int_eq(find(store, "BKEY", "")->license.available_licenses, 2);
    ck_assert(find(store, "BKEY", "")->license.id == id + 1);
}
END_TEST

START_TEST(the_sessions_settings_are_ours)
{
    qlm_store_t *other = open_store(pool);

    if (is_mariadb()) {
        ck_assert_str_eq(ask(other, "SELECT @@tx_isolation"), "READ-COMMITTED");
        ck_assert_str_eq(ask(other, "SELECT @@character_set_client"), "utf8mb4");
        ck_assert_ptr_nonnull(strstr(ask(other, "SELECT @@sql_mode"), "STRICT_ALL_TABLES"));
    }
    else {
        ck_assert_str_eq(ask(other, "SHOW transaction_isolation"), "read committed");
        ck_assert_str_eq(ask(other, "SHOW client_encoding"), "UTF8");
        ck_assert_str_eq(ask(other, "SHOW lock_timeout"), "3s");
    }
}
END_TEST

/* ---- sessions that are lost ---- */

/* What an operator does, or a server that stops. */
static void cut(qlm_store_t *victim)
{
    qlm_store_t *other = open_store(pool);
    const char *id =
        ask(victim, is_mariadb() ? "SELECT CONNECTION_ID()" : "SELECT pg_backend_pid()");

    if (is_mariadb()) {
        say(other, apr_pstrcat(pool, "KILL ", id, NULL));
    }
    else {
        ask(other, apr_pstrcat(pool, "SELECT pg_terminate_backend(", id, ", 2000)", NULL));
    }
}

START_TEST(a_session_that_was_cut_is_not_noticed)
{
    int i;

    for (i = 0; i < 3; ++i) {
        write_license(1 + i, apr_psprintf(pool, "KEY%d", i), 1);
        cut(store);
        ck_assert_ptr_nonnull(find(store, "KEY0", "")); /* in a select */
        cut(store);
        write_license(100 + i, apr_psprintf(pool, "LATER%d", i), 1); /* in a unit */
        cut(store);
        OK(qlm_store_check(store, pool));
    }
    ck_assert_int_eq(count_rows(), 6);
}
END_TEST

/** Adds a license, and is cut off in the middle of its first run. */
UNIT(add_and_be_cut, int)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);

    QLM_TRY(qlm_store_add_license(unit_store, &license, unit_pool));
    if (++*baton == 1) {
        cut(unit_store);
    }
    license.id = 2;
    license.activation_key = "BKEY";
    return qlm_store_add_license(unit_store, &license, unit_pool);
}

START_TEST(a_unit_that_was_cut_is_run_again_as_a_whole)
{
    int runs = 0;

    OK(qlm_store_write(store, add_and_be_cut, &runs, pool));
    ck_assert_int_eq(runs, 2);
    ck_assert_int_eq(count_rows(), 2);
}
END_TEST

/** Adds a license, and is cut off before the commit. */
UNIT(add_and_be_cut_at_the_end, int)
{
    qlm_license_t license = sample_license(++*baton, "AKEY", 1);

    QLM_TRY(qlm_store_add_license(unit_store, &license, unit_pool));
    if (*baton == 1) {
        cut(unit_store);
    }
    return NULL;
}

/* Nor is it run again: from here it looks like one that happened and whose answer was lost. */
START_TEST(a_commit_that_was_cut_is_no_success)
{
    int runs = 0;
    qlm_error_t *error = qlm_store_write(store, add_and_be_cut_at_the_end, &runs, pool);

    ck_assert(error && error->kind == QLM_ERROR_STORE);
    ck_assert_int_eq(runs, 1);
    ck_assert_int_eq(count_rows(), 0);
    OK(qlm_store_write(store, add_and_be_cut_at_the_end, &runs, pool));
    ck_assert(find(store, "AKEY", "")->license.id == 2);
    ck_assert_int_eq(count_rows(), 1);
}
END_TEST

/* dbserver.sh with these words; */
static void serve(const char *first, const char *second, const char *third)
{
    const char *script = getenv("QLM_TEST_DBSERVER");
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execl(script, script, first, second, third, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d", first, status);
}

static void start_server(void)
{
    serve("start", is_mariadb() ? "mariadb" : "postgresql", getenv("QLM_TEST_SERVER"));
}

static void stop_server(const char *how)
{
    serve("stop", getenv("QLM_TEST_SERVER"), how);
}

START_TEST(a_server_that_was_away_is_found_again)
{
    qlm_license_t license = sample_license(2, "BKEY", 1);
    qlm_license_view_t *view;

    write_license(1, "AKEY", 1);
    stop_server("now");
    FAILS(qlm_store_find_license(&view, store, "AKEY", "", pool), QLM_ERROR_STORE, "database");
    FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_STORE, "database");
    start_server();
    apr_sleep(apr_time_from_msec(1100)); /* a lost connection is tried once a second */
    OK(qlm_store_check(store, pool));
    ck_assert_ptr_nonnull(find(store, "AKEY", ""));
    OK(qlm_store_write(store, add_license, &license, pool));
    stop_server("fast");
    start_server();
    write_license(3, "CKEY", 1); /* and a restart between two units is not noticed */
    ck_assert_int_eq(count_rows(), 3);
}
END_TEST

START_TEST(a_session_that_takes_no_changes_is_opened_anew)
{
    say(store,
        is_mariadb() ? "SET SESSION tx_read_only = 1" : "SET default_transaction_read_only = on");
    write_license(1, "AKEY", 1);
    ck_assert_int_eq(count_rows(), 1);
}
END_TEST

/* ---- rows that several want at once ---- */

typedef struct racer_t {
    int number;
    qlm_error_t *(*unit)(qlm_store_t *store, void *baton, apr_pool_t *pool);
    int done;
    const char *said;
} racer_t;

static void *APR_THREAD_FUNC race(apr_thread_t *thread, void *data)
{
    racer_t *racer = data;
    qlm_store_t *opened;
    qlm_error_t *error;
    apr_pool_t *own;
    int i;

    (void)thread;
    apr_pool_create(&own, NULL);
    error = qlm_store_open(&opened, dbd_driver, dbd_params, 1, own);
    for (i = 0; i < ROUNDS && !error; ++i) {
        error = qlm_store_write(opened, racer->unit, racer, own);
        racer->done += !error;
        if (error && error->kind == QLM_ERROR_REFUSED) {
            error = NULL;
        }
    }
    if (error) {
        racer->said = strdup(error->detail ? error->detail : error->text);
    }
    apr_pool_destroy(own);
    return NULL;
}

/** @return how many of their units were done */
static int let_race(qlm_unit_t unit)
{
    apr_thread_t *threads[THREADS];
    racer_t racers[THREADS];
    apr_status_t status;
    int i, done = 0;

    memset(racers, 0, sizeof(racers));
    for (i = 0; i < THREADS; ++i) {
        racers[i].number = i;
        racers[i].unit = unit;
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, race, &racers[i], pool), 0);
    }
    for (i = 0; i < THREADS; ++i) {
        apr_thread_join(&status, threads[i]);
        ck_assert_msg(!racers[i].said, "thread %d: %s", i, racers[i].said);
        done += racers[i].done;
    }
    return done;
}

/** Moves the end of a license by one second from where it is. */
UNIT(move_end, racer_t)
{
    qlm_license_view_t *view;

    (void)baton;
    QLM_TRY(qlm_store_find_license(&view, unit_store, "AKEY", "", unit_pool));
    return qlm_connection_execute_text(
        unit_store,
        apr_psprintf(unit_pool,
                     "UPDATE qlm_license SET expires_at = %" APR_INT64_T_FMT " WHERE id = 1",
                     view->license.expires_at + 1),
        unit_pool);
}

START_TEST(no_change_is_lost)
{
    write_license(1, "AKEY", 1);
    ck_assert_int_eq(let_race(move_end), THREADS * ROUNDS);
    ck_assert(find(store, "AKEY", "")->license.expires_at == THREADS * ROUNDS);
}
END_TEST

UNIT(lock_both, void)
{
    (void)baton;
    QLM_TRY(qlm_statement_lock_license(unit_store, 2, unit_pool));
    apr_sleep(apr_time_from_msec(300));
    return qlm_statement_lock_license(unit_store, 1, unit_pool);
}

static void *APR_THREAD_FUNC lock_in_a_thread(apr_thread_t *thread, void *data)
{
    qlm_store_t *opened;
    apr_pool_t *own;

    (void)thread;
    apr_pool_create(&own, NULL);
    *(int *)data = !qlm_store_open(&opened, dbd_driver, dbd_params, 1, own) &&
                   !qlm_store_write(opened, lock_both, NULL, own);
    apr_pool_destroy(own);
    return NULL;
}

/** The other way round; counts its runs. */
UNIT(run_into_it, int)
{
    ++*baton;
    QLM_TRY(qlm_statement_lock_license(unit_store, 1, unit_pool));
    apr_sleep(apr_time_from_msec(300));
    return qlm_statement_lock_license(unit_store, 2, unit_pool);
}

START_TEST(a_deadlock_is_solved)
{
    apr_thread_t *thread;
    apr_status_t status;
    int other = 0, runs = 0;

    write_license(1, "AKEY", 1);
    write_license(2, "BKEY", 1);
    ck_assert_int_eq(apr_thread_create(&thread, NULL, lock_in_a_thread, &other, pool), 0);
    OK(qlm_store_write(store, run_into_it, &runs, pool));
    apr_thread_join(&status, thread);
    ck_assert_int_eq(other, 1);
    ck_assert_int_le(runs, 3);
}
END_TEST

#define LIMIT 20

/** Adds a license while there are fewer than LIMIT. */
UNIT(add_within_limit, racer_t)
{
    apr_int64_t id = qlm_store_new_id(unit_store), count;
    qlm_license_t license =
        sample_license(id, apr_psprintf(unit_pool, "K%d-%" APR_INT64_T_FMT, baton->number, id), 1);

    QLM_TRY(qlm_store_count_licenses(&count, unit_store, 0, unit_pool));
    if (count >= LIMIT) {
        return qlm_error_make(unit_pool, QLM_ERROR_REFUSED, QLM_CODE_BLOCKED, "enough");
    }
    return qlm_store_add_license(unit_store, &license, unit_pool);
}

START_TEST(a_counted_limit_holds)
{
    ck_assert_int_eq(let_race(add_within_limit), LIMIT);
    ck_assert_int_eq(count_rows(), LIMIT);
}
END_TEST

/* ---- what must not be committed ---- */

/** Takes no notice of a statement that fails. */
UNIT(carry_on, void)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);
    char *name = apr_pcalloc(unit_pool, 257);

    (void)baton;
    memset(name, 'x', 256);
    QLM_TRY(qlm_store_add_license(unit_store, &license, unit_pool));
    ck_assert_ptr_nonnull(qlm_store_remember(unit_store, name, "x", NOW, unit_pool));
    return NULL;
}

START_TEST(a_unit_with_a_failed_statement_is_no_success)
{
    FAILS(qlm_store_write(store, carry_on, NULL, pool), QLM_ERROR_STORE, "had failed");
    ck_assert_int_eq(count_rows(), 0);
    write_license(1, "AKEY", 1);
}
END_TEST

/* MariaDB commits each step by itself. */
START_TEST(an_upgrade_that_was_cut_short_is_finished)
{
    write_license(1, "AKEY", 1);
    say(store, "UPDATE qlm_site SET schema_version = 0");
    if (is_mariadb()) {
        OK(qlm_store_upgrade(store, pool));
        OK(qlm_store_check(store, pool));
        ck_assert_str_eq(ask(store, "SELECT COUNT(*) FROM qlm_site"), "1");
    }
    else {
        FAILS(qlm_store_upgrade(store, pool), QLM_ERROR_STORE, "exists");
    }
    ck_assert_int_eq(count_rows(), 1);
}
END_TEST

static int executed(void)
{
    return (int)apr_atoi64(ask(store, "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"
                                      " WHERE VARIABLE_NAME = 'COM_STMT_EXECUTE'"));
}

UNIT(find_three_times, const char)
{
    for (int i = 0; i < 3; i++) {
        qlm_license_view_t *view;

        QLM_TRY(qlm_store_find_license(&view, unit_store, baton, "", unit_pool));
        ck_assert_ptr_nonnull(view);
    }
    return NULL;
}

/* MariaDB, which counts. */
START_TEST(a_license_is_locked_once_in_a_unit)
{
    char key[] = "AKEY";
    int before;

    write_license(1, key, 1);
    before = executed();
    OK(qlm_store_write(store, find_three_times, key, pool));
    ck_assert_int_eq(executed() - before, 1 + 3);
    OK(qlm_store_write(store, find_three_times, key, pool)); /* another unit, another lock */
    ck_assert_int_eq(executed() - before, 2 * (1 + 3));
}
END_TEST

static int is_on(const char *driver)
{
    return is_on_server() && !strncmp(getenv("QLM_TEST_DATABASE"), driver, strlen(driver));
}

int main(void)
{
    Suite *suite = suite_create("servers");
    SRunner *runner = srunner_create(suite);
    TCase *cases = tcase_create("servers");
    int failed;

    tcase_add_checked_fixture(cases, make_store, remove_folder);
    tcase_set_timeout(cases, 60);
    add_server_test(cases, a_change_to_what_is_there_already_counts);
    add_server_test(cases, parameters_that_were_forgotten_are_added);
    add_server_test(cases, texts_are_equal_only_if_they_are_the_same);
    add_server_test(cases, a_text_that_is_too_long_is_refused_not_cut);
    add_server_test(cases, long_texts_come_back_whole);
    add_server_test(cases, ids_are_compared_to_the_last_digit);
    add_server_test(cases, the_sessions_settings_are_ours);
    add_server_test(cases, a_session_that_was_cut_is_not_noticed);
    add_server_test(cases, a_unit_that_was_cut_is_run_again_as_a_whole);
    add_server_test(cases, a_commit_that_was_cut_is_no_success);
    add_server_test(cases, a_server_that_was_away_is_found_again);
    add_server_test(cases, a_session_that_takes_no_changes_is_opened_anew);
    add_server_test(cases, no_change_is_lost);
    add_server_test(cases, a_deadlock_is_solved);
    add_server_test(cases, a_counted_limit_holds);
    add_server_test(cases, a_unit_with_a_failed_statement_is_no_success);
    add_server_test(cases, an_upgrade_that_was_cut_short_is_finished);
    if (is_on("pgsql")) {
        tcase_add_test(cases, user_data_is_found_by_an_index_in_order);
    }
    if (is_on("mysql")) {
        tcase_add_test(cases, a_license_is_locked_once_in_a_unit);
    }
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
