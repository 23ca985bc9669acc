/* The typed arguments: every type, its limits, and what a caller is told. */
#include "service/arguments.h"

#include "base/date.h"

#include <apr_general.h>
#include <apr_strings.h>
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

static qlm_fields_t *fields_of(const char *query, const char *body)
{
    qlm_fields_t *fields = qlm_fields_create(pool);

    ck_assert_ptr_null(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
    ck_assert_ptr_null(qlm_fields_parse(fields, body, strlen(body), QLM_FROM_BODY));
    return fields;
}

/* Read one optional argument from a query. */
static qlm_error_t *read_one(qlm_value_t *value, qlm_argument_t argument, const char *query)
{
    const qlm_parameter_t parameters[] = {{argument, 0}, {QLM_ARGUMENT_NONE, 0}};
    qlm_arguments_t *arguments;
    qlm_error_t *error = qlm_arguments_read(&arguments, parameters, fields_of(query, ""),
                                            QLM_FROM_ANY, properties, pool);

    if (!error) {
        *value = arguments->value[argument];
    }
    return error;
}

static apr_int64_t number_of(qlm_argument_t argument, const char *query)
{
    qlm_value_t value = {0};
    qlm_error_t *error = read_one(&value, argument, query);

    ck_assert_msg(!error, "%s: %s", query, error ? error->text : "");
    ck_assert_msg(value.is_given, "%s was not taken", query);
    return value.number;
}

/* Refused with `code`, and the text names the argument. */
static void refused(qlm_argument_t argument, const char *query, qlm_code_t code)
{
    qlm_value_t value = {0};
    qlm_error_t *error = read_one(&value, argument, query);

    ck_assert_msg(error != NULL, "%s was accepted", query);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_int_eq(error->code, code);
    ck_assert_ptr_nonnull(strstr(error->text, qlm_argument_name(argument, pool)));
}

START_TEST(whole_numbers_are_strict)
{
    ck_assert_int_eq(number_of(QLM_ARGUMENT_QUANTITY, "is_quantity=12"), 12);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_MINOR, "is_minorversion=0"), 0);
    static const char *const bad[] = {"0", "-1", "1000000000", "3x", "1.0", "0x10", "1e3", "+-3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        refused(QLM_ARGUMENT_QUANTITY, apr_pstrcat(pool, "is_quantity=", bad[i], NULL),
                QLM_CODE_INVALID_FORMAT);
    }
}
END_TEST

START_TEST(minus_one_day_is_not_given)
{
    qlm_value_t value = {0};

    ck_assert_ptr_null(read_one(&value, QLM_ARGUMENT_DURATION, "is_expduration=-1"));
    ck_assert(!value.is_given);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_DURATION, "is_expduration=31"), 31);
    refused(QLM_ARGUMENT_DURATION, "is_expduration=-2", QLM_CODE_INVALID_FORMAT);
}
END_TEST

START_TEST(booleans_and_flags)
{
    ck_assert_int_eq(number_of(QLM_ARGUMENT_ACTIVATE, "is_activate=False"), 0);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_ACTIVATE, "is_activate=1"), 1);
    refused(QLM_ARGUMENT_ACTIVATE, "is_activate=perhaps", QLM_CODE_INVALID_FORMAT);
    /* any present value of the plan means a plan, unless it says no */
    ck_assert_int_eq(number_of(QLM_ARGUMENT_PLAN, "is_maintenance_plan=perhaps"), 1);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_PLAN, "yearly_maintenance_plan=0"), 0);
}
END_TEST

START_TEST(dates_end_at_the_end_of_their_day)
{
    apr_int64_t day;

    ck_assert(qlm_date_parse(&day, "2027-03-04", "yyyy-MM-dd"));
    ck_assert_int_eq(number_of(QLM_ARGUMENT_EXPIRY, "is_expdate=2027-03-04"), day + 86399);
    refused(QLM_ARGUMENT_EXPIRY, "is_expdate=2027-02-30", QLM_CODE_INVALID_FORMAT);
    refused(QLM_ARGUMENT_EXPIRY, "is_expdate=04.03.2027", QLM_CODE_INVALID_FORMAT);
    qlm_properties_put(properties, "dateFormat", "dd.MM.yyyy");
    ck_assert_int_eq(number_of(QLM_ARGUMENT_EXPIRY, "is_expdate=04.03.2027"), day + 86399);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_EXPIRY, "is_expdate=2027-03-04"), day + 86399);
}
END_TEST

START_TEST(features_come_back_set_by_set)
{
    const qlm_parameter_t parameters[] = {{QLM_ARGUMENT_FEATURES, 0}, {QLM_ARGUMENT_NONE, 0}};
    qlm_arguments_t *arguments;
    qlm_features_t features;

    ck_assert_ptr_null(qlm_arguments_read(&arguments, parameters,
                                          fields_of("is_features=0:3;3:255;1:1", ""), QLM_FROM_ANY,
                                          properties, pool));
    qlm_arguments_features(&features, arguments, QLM_ARGUMENT_FEATURES);
    ck_assert_int_eq(features.set[0], 3);
    ck_assert_int_eq(features.set[1], 1);
    ck_assert_int_eq(features.set[2], 0);
    ck_assert_int_eq(features.set[3], 255);
    refused(QLM_ARGUMENT_FEATURES, "is_features=9:1", QLM_CODE_INVALID_FORMAT);
    refused(QLM_ARGUMENT_FEATURES, "is_features=0:256", QLM_CODE_INVALID_FORMAT);
    refused(QLM_ARGUMENT_FEATURES, "is_features=abc", QLM_CODE_INVALID_FORMAT);
}
END_TEST

START_TEST(models_and_engines)
{
    qlm_value_t value = {0};

    ck_assert_int_eq(number_of(QLM_ARGUMENT_MODEL, "is_licensemodel=Trial"), QLM_MODEL_TRIAL);
    refused(QLM_ARGUMENT_MODEL, "is_licensemodel=rental", QLM_CODE_INVALID_FORMAT);
    ck_assert_int_eq(number_of(QLM_ARGUMENT_QLM_VERSION, "is_qlmversion=5.0.00"), QLM_ENGINE_5);
    ck_assert_ptr_null(read_one(&value, QLM_ARGUMENT_QLM_VERSION, "is_qlmversion=latest"));
    ck_assert(!value.is_given); /* cosmetic: the default counts */
}
END_TEST

START_TEST(texts_are_bounded_and_clean)
{
    qlm_value_t value = {0};

    ck_assert_ptr_null(read_one(&value, QLM_ARGUMENT_AFFILIATE, "is_affiliateid=%FCber"));
    ck_assert_str_eq(value.text, "\xc3\xbc"
                                 "ber"); /* not UTF-8: read as Latin-1 */
    refused(QLM_ARGUMENT_AFFILIATE, "is_affiliateid=a%0Ab", QLM_CODE_INVALID_FORMAT);
    refused(QLM_ARGUMENT_AFFILIATE, "is_affiliateid=a%00b", QLM_CODE_INVALID_FORMAT);
    char *longest = apr_pcalloc(pool, 300);
    memset(longest, 'x', 256);
    refused(QLM_ARGUMENT_AFFILIATE, apr_pstrcat(pool, "is_affiliateid=", longest, NULL),
            QLM_CODE_INVALID_FORMAT);
}
END_TEST

START_TEST(missing_arguments_are_named)
{
    const qlm_parameter_t key[] = {{QLM_ARGUMENT_KEY, 1}, {QLM_ARGUMENT_NONE, 0}};
    const qlm_parameter_t product[] = {{QLM_ARGUMENT_PRODUCT, 1}, {QLM_ARGUMENT_NONE, 0}};
    qlm_arguments_t *arguments;
    qlm_error_t *error = qlm_arguments_read(&arguments, key, fields_of("is_avkey=", ""),
                                            QLM_FROM_ANY, properties, pool);

    ck_assert_int_eq(error->code, QLM_CODE_NOT_PROVIDED);
    error =
        qlm_arguments_read(&arguments, product, fields_of("", ""), QLM_FROM_ANY, properties, pool);
    ck_assert_int_eq(error->code, QLM_CODE_MISSING_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error->text, "is_productid"));
}
END_TEST

START_TEST(the_url_wins_and_sources_can_be_closed)
{
    qlm_fields_t *fields = fields_of("is_productid=1", "is_productid=2&is_quantity=7");

    ck_assert_str_eq(qlm_argument_raw(fields, QLM_ARGUMENT_PRODUCT, QLM_FROM_ANY), "1");
    ck_assert_str_eq(qlm_argument_raw(fields, QLM_ARGUMENT_QUANTITY, QLM_FROM_ANY), "7");
    ck_assert_ptr_null(
        qlm_argument_raw(fields, QLM_ARGUMENT_QUANTITY, QLM_FROM_ANY & ~QLM_FROM_BODY));
}
END_TEST

START_TEST(misprinted_spellings_are_read)
{
    qlm_fields_t *fields = fields_of("is_minorverson=4&is_mainduration=30&is_maintplan=1", "");

    ck_assert_str_eq(qlm_argument_raw(fields, QLM_ARGUMENT_MINOR, QLM_FROM_ANY), "4");
    ck_assert_str_eq(qlm_argument_raw(fields, QLM_ARGUMENT_PLAN_DAYS, QLM_FROM_ANY), "30");
    ck_assert_str_eq(qlm_argument_raw(fields, QLM_ARGUMENT_PLAN, QLM_FROM_ANY), "1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arguments");
    TCase *tests = tcase_create("arguments");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, whole_numbers_are_strict);
    tcase_add_test(tests, minus_one_day_is_not_given);
    tcase_add_test(tests, booleans_and_flags);
    tcase_add_test(tests, dates_end_at_the_end_of_their_day);
    tcase_add_test(tests, features_come_back_set_by_set);
    tcase_add_test(tests, models_and_engines);
    tcase_add_test(tests, texts_are_bounded_and_clean);
    tcase_add_test(tests, missing_arguments_are_named);
    tcase_add_test(tests, the_url_wins_and_sources_can_be_closed);
    tcase_add_test(tests, misprinted_spellings_are_read);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
