/* What calls leave to be written later: batches, pauses, bounds. */
#include "service/accessed.h"

#include "unit/service_fixture.h"

static qlm_accessed_t *accessed;
static int loans; /* how often the database was asked for */

static qlm_error_t *lend_counted(qlm_store_t **borrowed, void *baton, apr_pool_t *lend_pool)
{
    loans++;
    return lend(borrowed, baton, lend_pool);
}

static const qlm_lender_t lender = {lend_counted, give_back, NULL};

static void begin(void)
{
    set_up();
    accessed = qlm_accessed_create(pool);
    loans = 0;
}

static qlm_error_t *write_at(apr_int64_t at, int is_last)
{
    qlm_error_t *error = qlm_accessed_write(accessed, &lender, at, is_last, pool);

    ck_assert_int_eq(lent, 0);
    return error;
}

/* An active computer of license 1. */
static qlm_activation_t active(const char *computer, apr_int64_t last_accessed_at)
{
    seat_t seat = {.activation = sample_activation(0, 1, computer)};

    seat.activation.id = loans + 10;
    seat.activation.last_accessed_at = last_accessed_at;
    OK(qlm_store_write(store, take_seat, &seat, pool));
    ck_assert_int_eq(seat.taken, 1);
    return seat.activation;
}

static apr_int64_t accessed_at(const char *computer)
{
    return find(store, "AKEY", computer)->activation.last_accessed_at;
}

/* ---- calls ---- */

START_TEST(calls_are_written_together_after_a_pause)
{
    qlm_activation_t first, second;

    write_license(1, "AKEY", 5);
    first = active("PC-1", now - 7200);
    second = active("PC-2", now - 7200);
    qlm_accessed_note(accessed, &first, 3600, now, pool);
    qlm_accessed_note(accessed, &second, 3600, now + 2, pool);
    qlm_accessed_note(accessed, &first, 3600, now + 3, pool);
    OK(write_at(now + QLM_ACCESSED_PAUSE - 1, 0));
    ck_assert_int_eq(loans, 0);
    OK(write_at(now + QLM_ACCESSED_PAUSE + 2, 0));
    ck_assert_int_eq(loans, 1);
    ck_assert_int_eq(accessed_at("pc-1"), now + 3);
    ck_assert_int_eq(accessed_at("PC-2"), now + 2);
    OK(write_at(now + 100, 0));
    ck_assert_int_eq(loans, 1); /* nothing is left */
}
END_TEST

START_TEST(what_is_fresh_is_not_noted)
{
    qlm_activation_t activation;

    write_license(1, "AKEY", 5);
    activation = active("PC-1", now - 3599);
    qlm_accessed_note(accessed, &activation, 3600, now, pool);
    OK(write_at(now + 100, 1));
    ck_assert_int_eq(loans, 0);
    qlm_accessed_note(accessed, &activation, 3599, now, pool);
    OK(write_at(now + 100, 1));
    ck_assert_int_eq(loans, 1);
    ck_assert_int_eq(accessed_at("PC-1"), now);
}
END_TEST

/* Another process has written meanwhile; an older time never replaces a newer one. */
START_TEST(the_stored_time_only_grows_by_the_granularity)
{
    qlm_activation_t activation;

    write_license(1, "AKEY", 5);
    activation = active("PC-1", now - 100);
    activation.last_accessed_at = now - 9999;
    qlm_accessed_note(accessed, &activation, 3600, now, pool);
    OK(write_at(now, 1));
    ck_assert_int_eq(accessed_at("PC-1"), now - 100);
}
END_TEST

START_TEST(the_last_write_waits_for_nothing)
{
    qlm_activation_t activation;

    write_license(1, "AKEY", 5);
    activation = active("PC-1", 5);
    qlm_accessed_note(accessed, &activation, 3600, now, pool);
    OK(write_at(now, 1));
    ck_assert_int_eq(accessed_at("PC-1"), now);
}
END_TEST

START_TEST(without_a_database_calls_are_forgotten)
{
    qlm_activation_t activation;

    write_license(1, "AKEY", 5);
    activation = active("PC-1", 5);
    qlm_accessed_note(accessed, &activation, 3600, now, pool);
    is_database_away = 1;
    ck_assert_ptr_nonnull(write_at(now + 60, 0));
    is_database_away = 0;
    OK(write_at(now + 120, 0));
    ck_assert_int_eq(loans, 1);
    ck_assert_int_eq(accessed_at("PC-1"), 5);
}
END_TEST

/* ---- attempts ---- */

static void refuse(const char *computer, int code, apr_int64_t at)
{
    const qlm_attempt_t attempt = {.license_id = 1,
                                   .code = code,
                                   .computer_id = computer,
                                   .computer_name = "Desk",
                                   .address = "192.0.2.9"};

    qlm_accessed_refuse(accessed, &attempt, at, pool);
}

static const apr_array_header_t *attempts_of(apr_int64_t license_id)
{
    apr_array_header_t *rows;

    OK(qlm_store_list_attempts(&rows, store, license_id, 100000, pool));
    return rows;
}

static const qlm_attempt_t *attempt(int index)
{
    return &APR_ARRAY_IDX(attempts_of(1), index, qlm_attempt_t);
}

START_TEST(attempts_are_one_row_for_each_computer_and_reason)
{
    write_license(1, "AKEY", 5);
    refuse("PC-1", 210, now);
    refuse("pc-1", 210, now + 1);
    refuse("PC-1", 209, now + 2);
    refuse("PC-2", 210, now + 3);
    OK(write_at(now + 60, 0));
    ck_assert_int_eq(attempts_of(1)->nelts, 3);
    ck_assert_int_eq(attempts_of(0)->nelts, 3);
    ck_assert_int_eq(attempts_of(2)->nelts, 0);
    ck_assert_str_eq(attempt(0)->computer_id, "PC-2");
    ck_assert_int_eq(attempt(1)->code, 209);
    ck_assert_int_eq(attempt(2)->attempts, 2);
    ck_assert_int_eq(attempt(2)->first_at, now);
    ck_assert_int_eq(attempt(2)->last_at, now + 1);
    ck_assert_str_eq(attempt(2)->computer_name, "Desk");
    ck_assert_str_eq(attempt(2)->address, "192.0.2.9");
    ck_assert_str_eq(attempt(2)->activation_key, "AKEY");
}
END_TEST

START_TEST(a_row_is_written_once_an_hour)
{
    write_license(1, "AKEY", 5);
    refuse("PC-1", 210, now);
    OK(write_at(now + 60, 0));
    for (int i = 0; i < 50; i++) {
        refuse("PC-1", 210, now + 100 + i);
        OK(write_at(now + 110 + i, 0));
    }
    ck_assert_int_le(loans, 2); /* the second finds the row fresh, then waits */
    ck_assert_int_eq(attempt(0)->attempts, 1);
    OK(write_at(now + 110 + QLM_ATTEMPT_PAUSE, 0));
    ck_assert_int_eq(attempt(0)->attempts, 51);
    ck_assert_int_eq(attempt(0)->last_at, now + 149);
    ck_assert_int_eq(attempt(0)->first_at, now);
}
END_TEST

START_TEST(the_last_write_counts_all)
{
    write_license(1, "AKEY", 5);
    refuse("PC-1", 210, now);
    OK(write_at(now + 60, 0));
    refuse("PC-1", 210, now + 61);
    OK(write_at(now + 62, 1));
    ck_assert_int_eq(attempt(0)->attempts, 2);
}
END_TEST

START_TEST(without_a_database_attempts_wait)
{
    write_license(1, "AKEY", 5);
    refuse("PC-1", 210, now);
    is_database_away = 1;
    ck_assert_ptr_nonnull(write_at(now + 60, 0));
    is_database_away = 0;
    refuse("PC-1", 210, now + 61);
    OK(write_at(now + 60 + QLM_ATTEMPT_PAUSE, 0));
    ck_assert_int_eq(attempt(0)->attempts, 2);
    ck_assert_int_eq(attempt(0)->first_at, now);
}
END_TEST

/* Who guesses computer ids fills neither the memory nor the database. */
START_TEST(attempts_are_bounded)
{
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    write_license(1, "AKEY", 5);
    for (int i = 0; i < 30000; i++) {
        const qlm_attempt_t guess = {.license_id = 1,
                                     .code = 210,
                                     .computer_id = apr_psprintf(scratch, "PC-%d", i),
                                     .computer_name = "",
                                     .address = ""};

        qlm_accessed_refuse(accessed, &guess, now, scratch);
        apr_pool_clear(scratch);
    }
    OK(write_at(now + 60, 0));
    ck_assert_int_eq(attempts_of(1)->nelts, QLM_ATTEMPTS_MAX);
    OK(write_at(now + 60 + QLM_ATTEMPT_PAUSE, 0));
    ck_assert_int_eq(loans, 1); /* what was too much does not wait */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accessed");
    TCase *tests = tcase_create("accessed");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, begin, tear_down);
    tcase_add_test(tests, calls_are_written_together_after_a_pause);
    tcase_add_test(tests, what_is_fresh_is_not_noted);
    tcase_add_test(tests, the_stored_time_only_grows_by_the_granularity);
    tcase_add_test(tests, the_last_write_waits_for_nothing);
    tcase_add_test(tests, without_a_database_calls_are_forgotten);
    tcase_add_test(tests, attempts_are_one_row_for_each_computer_and_reason);
    tcase_add_test(tests, a_row_is_written_once_an_hour);
    tcase_add_test(tests, the_last_write_counts_all);
    tcase_add_test(tests, without_a_database_attempts_wait);
    tcase_add_test(tests, attempts_are_bounded);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
