/* Sentences that the operator words anew: their blanks are filled once, and with nothing else. */
#include "service/message.h"

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>

static apr_pool_t *pool;
static qlm_properties_t *properties;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    properties = qlm_properties_create(pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static const char *filled(const char *text, const char *first, const char *second)
{
    const char *values[] = {first, second, NULL};

    qlm_properties_put(properties, "customMessage_Res_LicenseKeyReleased", text);
    return qlm_message(properties, QLM_PROPERTY_TEXT_RELEASED, values, pool);
}

START_TEST(blanks_are_filled)
{
    ck_assert_str_eq(filled("{0} from {1}", "A", "B"), "A from B");
    ck_assert_str_eq(filled("{1}{1}{0}", "A", "B"), "BBA");
    ck_assert_str_eq(filled("no blank", "A", "B"), "no blank");
    ck_assert_str_eq(filled("{0}", "", "B"), "");
}
END_TEST

START_TEST(values_are_not_looked_at_again)
{
    ck_assert_str_eq(filled("{0} {1}", "{1}", "{0}"), "{1} {0}");
}
END_TEST

START_TEST(what_is_no_blank_stays)
{
    ck_assert_str_eq(filled("{2} {9} {0", "A", "B"), "{2} {9} {0");
    ck_assert_str_eq(filled("{", "A", "B"), "{");
    ck_assert_str_eq(filled("{}{x}{10}{ 0}{{0}}", "A", "B"), "{}{x}{10}{ 0}{A}");
    ck_assert_str_eq(filled("{0} {1}", NULL, "B"), "{0} {1}");
}
END_TEST

START_TEST(the_default_holds_again)
{
    const char *values[] = {"KEY", "Desk", NULL};

    ck_assert_str_eq(qlm_message(properties, QLM_PROPERTY_TEXT_RELEASED, values, pool),
                     "Activation Key KEY has been released from computer Desk.");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wording");
    TCase *tests = tcase_create("wording");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, blanks_are_filled);
    tcase_add_test(tests, values_are_not_looked_at_again);
    tcase_add_test(tests, what_is_no_blank_stays);
    tcase_add_test(tests, the_default_holds_again);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
