/* The bell by which processes wake each other. */
#include "store/bell.h"

#include <apr_general.h>

#include <check.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_US apr_time_from_sec(30) /* longer than any machine is busy */

static apr_pool_t *pool;
static qlm_bell_t *bell;

static void make_bell(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    bell = qlm_bell_create(pool);
    ck_assert_ptr_nonnull(bell);
}

static void remove_bell(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

START_TEST(who_was_called_meanwhile_does_not_sleep)
{
    apr_uint32_t count = qlm_bell_count(bell);
    apr_time_t started = apr_time_now();

    qlm_bell_ring(bell);
    ck_assert_uint_eq(qlm_bell_count(bell), count + 1);
    qlm_bell_wait(bell, count, LONG_US);
    ck_assert(apr_time_now() - started < LONG_US);
}
END_TEST

START_TEST(nobody_sleeps_longer_than_said)
{
    apr_time_t started = apr_time_now();

    qlm_bell_wait(bell, qlm_bell_count(bell), 30000);
    ck_assert(apr_time_now() - started >= 30000);
    ck_assert(apr_time_now() - started < LONG_US);
}
END_TEST

/* Sleeps until it is called; its exit code says whether it was. */
static pid_t start_sleeper(int told)
{
    pid_t pid = fork();

    if (pid == 0) {
        apr_uint32_t count = qlm_bell_count(bell);
        apr_time_t started = apr_time_now();

        if (write(told, "x", 1) != 1) {
            _exit(2);
        }
        qlm_bell_wait(bell, count, LONG_US);
        _exit(apr_time_now() - started < LONG_US ? 0 : 1);
    }
    return pid;
}

START_TEST(another_process_is_woken)
{
    int ends[2], status;
    pid_t pid;
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    pid = start_sleeper(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    apr_sleep(20000); /* asleep by now, most times */
    qlm_bell_ring(bell);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bell");
    SRunner *runner = srunner_create(suite);
    TCase *tests = tcase_create("bell");
    int failed;

    tcase_add_checked_fixture(tests, make_bell, remove_bell);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, who_was_called_meanwhile_does_not_sleep);
    tcase_add_test(tests, nobody_sleeps_longer_than_said);
    tcase_add_test(tests, another_process_is_woken);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
