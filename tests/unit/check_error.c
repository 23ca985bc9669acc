/* Errors: two texts, kept apart, that outlive what they were made of. */
#include "base/error.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

START_TEST(made)
{
    char name[] = "is_quantity";
    qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                        "%s=%d is not usable", name, 0);

    memset(name, 'x', sizeof(name) - 1);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_int_eq(error->code, 5);
    ck_assert_str_eq(error->text, "is_quantity=0 is not usable");
    ck_assert_ptr_null(error->detail);
    ck_assert_int_eq(error->status, APR_SUCCESS);
}
END_TEST

START_TEST(a_text_that_is_sent_is_no_format)
{
    qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_UNKNOWN, "%s", "%s%n%d");

    ck_assert_str_eq(error->text, "%s%n%d");
    ck_assert_str_eq(qlm_error_detail(error, pool, "%s", "100%")->detail, "100%");
}
END_TEST

START_TEST(the_database_is_not_told_to_callers)
{
    qlm_error_t *error = qlm_error_store(pool, "no such table: %s in %s", "license", "/var/x.db");

    ck_assert_int_eq(error->kind, QLM_ERROR_STORE);
    ck_assert_int_eq(error->code, 2000);
    ck_assert_str_eq(error->detail, "no such table: license in /var/x.db");
    ck_assert_ptr_null(strstr(error->text, "license"));
    ck_assert_ptr_null(strstr(error->text, "/var"));
    ck_assert_ptr_nonnull(strstr(error->text, "later"));
}
END_TEST

START_TEST(details_are_added)
{
    qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_DENIED, QLM_CODE_AUTHENTICATION, "denied");

    ck_assert_ptr_eq(qlm_error_detail(error, pool, "vendor %s", "shareit"), error);
    ck_assert_str_eq(error->text, "denied");
    ck_assert_str_eq(error->detail, "vendor shareit");
    qlm_error_detail(error, pool, "%s: again", error->detail);
    ck_assert_str_eq(error->detail, "vendor shareit: again");
}
END_TEST

START_TEST(copies_outlive_their_origin)
{
    apr_pool_t *other;
    qlm_error_t *error, *copy;

    ck_assert_int_eq(apr_pool_create(&other, NULL), APR_SUCCESS);
    error = qlm_error_store(other, "detail %d", 7);
    error->status = APR_ENOENT;
    copy = qlm_error_copy(error, pool);
    ck_assert_ptr_ne(copy->text, error->text);
    ck_assert_ptr_ne(copy->detail, error->detail);
    apr_pool_destroy(other);
    ck_assert_str_eq(copy->detail, "detail 7");
    ck_assert_ptr_nonnull(strstr(copy->text, "unavailable"));
    ck_assert_int_eq(copy->kind, QLM_ERROR_STORE);
    ck_assert_int_eq(copy->code, QLM_CODE_DATABASE);
    ck_assert_int_eq(copy->status, APR_ENOENT);
    ck_assert_ptr_null(qlm_error_copy(NULL, pool));
    error = qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_EXPIRED, "expired");
    ck_assert_ptr_null(qlm_error_copy(error, pool)->detail);
}
END_TEST

static qlm_error_t *counted(int *count, qlm_error_t *error)
{
    ++*count;
    return error;
}

static qlm_error_t *three(int *count, qlm_error_t *second)
{
    QLM_TRY(counted(count, NULL));
    if (*count)
        QLM_TRY(counted(count, second)); /* one statement, also without braces */
    else
        ck_abort_msg("unreachable");
    QLM_TRY(counted(count, NULL));
    return NULL;
}

START_TEST(trying_stops_at_the_first_error)
{
    qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN, "stop");
    int count = 0;

    ck_assert_ptr_null(three(&count, NULL));
    ck_assert_int_eq(count, 3);
    count = 0;
    ck_assert_ptr_eq(three(&count, error), error);
    ck_assert_int_eq(count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, made);
    tcase_add_test(tests, a_text_that_is_sent_is_no_format);
    tcase_add_test(tests, the_database_is_not_told_to_callers);
    tcase_add_test(tests, details_are_added);
    tcase_add_test(tests, copies_outlive_their_origin);
    tcase_add_test(tests, trying_stops_at_the_first_error);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
