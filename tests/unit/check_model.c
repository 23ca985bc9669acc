/* License models, key letters, engines, and the names of products and algorithms. */
#include "license/model.h"
#include "license/product.h"

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* The table as the protocol documents it. */
static const struct {
    qlm_model_t model;
    const char *name;
    char activation, computer;
    int is_trial, is_subscription, is_floating, is_cloud;
} documented[] = {
    {QLM_MODEL_PERMANENT, "permanent", 'A', 'U', 0, 0, 0, 0},
    {QLM_MODEL_TRIAL, "trial", 'B', 'V', 1, 0, 0, 0},
    {QLM_MODEL_SUBSCRIPTION, "subscription", 'F', 'J', 0, 1, 0, 0},
    {QLM_MODEL_PERMANENT_FLOATING, "permanent_floating", 'K', 'N', 0, 0, 1, 0},
    {QLM_MODEL_TRIAL_FLOATING, "trial_floating", 'L', 'P', 1, 0, 1, 0},
    {QLM_MODEL_SUBSCRIPTION_FLOATING, "subscription_floating", 'M', 'Q', 0, 1, 1, 0},
    {QLM_MODEL_PERMANENT_CLOUD, "permanent_cloud", 'R', 'W', 0, 0, 0, 1},
    {QLM_MODEL_TRIAL_CLOUD, "trial_cloud", 'S', 'X', 1, 0, 0, 1},
    {QLM_MODEL_SUBSCRIPTION_CLOUD, "subscription_cloud", 'T', 'Y', 0, 1, 0, 1},
};
#define DOCUMENTED ((int)(sizeof(documented) / sizeof(documented[0])))

START_TEST(test_table)
{
    qlm_model_t model = documented[_i].model;

    ck_assert_str_eq(qlm_model_name(model), documented[_i].name);
    ck_assert_int_eq(qlm_model_is_trial(model), documented[_i].is_trial);
    ck_assert_int_eq(qlm_model_is_subscription(model), documented[_i].is_subscription);
    ck_assert_int_eq(qlm_model_is_floating(model), documented[_i].is_floating);
    ck_assert_int_eq(qlm_model_is_cloud(model), documented[_i].is_cloud);
    for (int limited = 0; limited < 2; limited++) {
        ck_assert_int_eq(qlm_model_activation_prefix(model, QLM_ENGINE_6, limited, 0),
                         documented[_i].activation);
        ck_assert_int_eq(qlm_model_computer_prefix(model, QLM_ENGINE_6, limited, 0),
                         documented[_i].computer);
    }
}
END_TEST

START_TEST(test_engine_5)
{
    qlm_model_t model = documented[_i].model;

    ck_assert_int_eq(qlm_model_activation_prefix(model, QLM_ENGINE_5, 0, 0), 'A');
    ck_assert_int_eq(qlm_model_activation_prefix(model, QLM_ENGINE_5, 1, 0), 'B');
    ck_assert_int_eq(qlm_model_computer_prefix(model, QLM_ENGINE_5, 0, 0), 'U');
    ck_assert_int_eq(qlm_model_computer_prefix(model, QLM_ENGINE_5, 1, 0), 'V');
}
END_TEST

START_TEST(test_generic)
{
    qlm_model_t model = documented[_i].model;
    qlm_engine_t engines[] = {QLM_ENGINE_5, QLM_ENGINE_6};

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(qlm_model_activation_prefix(model, engines[i], 0, 1),
                         documented[_i].is_trial ? 'E' : 'G');
        ck_assert_int_eq(qlm_model_activation_prefix(model, engines[i], 1, 1), 'E');
        ck_assert_int_eq(qlm_model_computer_prefix(model, engines[i], 1, 1), 'E');
    }
}
END_TEST

START_TEST(test_none)
{
    ck_assert_str_eq(qlm_model_name(QLM_MODEL_NONE), "none");
    ck_assert_int_eq(qlm_model_activation_prefix(QLM_MODEL_NONE, QLM_ENGINE_6, 0, 0), 'A');
    ck_assert_int_eq(qlm_model_activation_prefix(QLM_MODEL_NONE, QLM_ENGINE_6, 1, 0), 'B');
    ck_assert_int_eq(qlm_model_computer_prefix(QLM_MODEL_NONE, QLM_ENGINE_6, 0, 0), 'U');
    ck_assert_int_eq(qlm_model_computer_prefix(QLM_MODEL_NONE, QLM_ENGINE_6, 1, 0), 'V');
    ck_assert(!qlm_model_is_trial(QLM_MODEL_NONE) && !qlm_model_is_cloud(QLM_MODEL_NONE));
}
END_TEST

START_TEST(test_damaged_number)
{
    ck_assert_str_eq(qlm_model_name((qlm_model_t)99), "none");
    ck_assert_str_eq(qlm_model_name((qlm_model_t)-1), "none");
    ck_assert_int_eq(qlm_model_activation_prefix((qlm_model_t)99, QLM_ENGINE_6, 0, 0), 'A');
}
END_TEST

START_TEST(test_parse)
{
    qlm_model_t model = QLM_MODEL_NONE;

    ck_assert_int_eq(qlm_model_parse(&model, documented[_i].name), 1);
    ck_assert_int_eq(model, documented[_i].model);
}
END_TEST

START_TEST(test_parse_case)
{
    qlm_model_t model = QLM_MODEL_NONE;

    ck_assert_int_eq(qlm_model_parse(&model, "Trial_FLOATING"), 1);
    ck_assert_int_eq(model, QLM_MODEL_TRIAL_FLOATING);
    ck_assert_int_eq(qlm_model_parse(&model, "none"), 1);
    ck_assert_int_eq(model, QLM_MODEL_NONE);
}
END_TEST

START_TEST(test_parse_refused)
{
    static const char *const bad[] = {NULL,         "",           " ", "perm",
                                      "permanent ", "permanent_", "1", "trial\n"};
    qlm_model_t model = QLM_MODEL_TRIAL_CLOUD;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(qlm_model_parse(&model, bad[i]), 0);
        ck_assert_int_eq(model, QLM_MODEL_TRIAL_CLOUD);
    }
}
END_TEST

START_TEST(test_activation_letters)
{
    for (int c = -128; c < 128; c++) {
        int is_expected = 0;

        for (const char *letter = "ABFKLMRSTGE"; *letter; letter++) {
            is_expected |= *letter == c;
        }
        ck_assert_msg(qlm_model_is_activation_prefix((char)c) == is_expected, "character %d", c);
    }
}
END_TEST

START_TEST(test_engine_parse)
{
    static const struct {
        const char *text;
        int is_good;
        qlm_engine_t engine;
    } cases[] = {
        {"5.0.00", 1, QLM_ENGINE_5}, {"6.0.00", 1, QLM_ENGINE_6}, {"5", 1, QLM_ENGINE_5},
        {"6", 1, QLM_ENGINE_6},      {"4.0.00", 1, QLM_ENGINE_5}, {"17.1.2.3", 1, QLM_ENGINE_6},
        {"5.9", 1, QLM_ENGINE_5},    {"10.0", 1, QLM_ENGINE_6},   {"", 0, QLM_ENGINE_5},
        {NULL, 0, QLM_ENGINE_5},     {"6.", 0, QLM_ENGINE_5},     {".6", 0, QLM_ENGINE_5},
        {"6..0", 0, QLM_ENGINE_5},   {"v6", 0, QLM_ENGINE_5},     {"6.0 ", 0, QLM_ENGINE_5},
        {"-6", 0, QLM_ENGINE_5},     {"0.0.0", 0, QLM_ENGINE_5},  {"6.0.0.0.0", 0, QLM_ENGINE_5},
        {"999999", 0, QLM_ENGINE_5},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        qlm_engine_t engine = (qlm_engine_t)0;

        ck_assert_msg(qlm_engine_parse(&engine, cases[i].text) == cases[i].is_good, "%s",
                      cases[i].text);
        ck_assert_int_eq(engine, cases[i].is_good ? (int)cases[i].engine : 0);
    }
}
END_TEST

START_TEST(test_algorithm)
{
    qlm_algorithm_t algorithm = QLM_ALGORITHM_RSA_SHA1;

    ck_assert_str_eq(qlm_algorithm_name(QLM_ALGORITHM_RSA_SHA256), "rsa-sha256");
    ck_assert_str_eq(qlm_algorithm_name(QLM_ALGORITHM_RSA_SHA1), "rsa-sha1");
    ck_assert_int_eq(qlm_algorithm_parse(&algorithm, "RSA-SHA256"), 1);
    ck_assert_int_eq(algorithm, QLM_ALGORITHM_RSA_SHA256);
    ck_assert_int_eq(qlm_algorithm_parse(&algorithm, "rsa-sha1"), 1);
    ck_assert_int_eq(algorithm, QLM_ALGORITHM_RSA_SHA1);
    ck_assert_int_eq(qlm_algorithm_parse(&algorithm, "sha256"), 0);
    ck_assert_int_eq(qlm_algorithm_parse(&algorithm, ""), 0);
    ck_assert_int_eq(qlm_algorithm_parse(&algorithm, NULL), 0);
    ck_assert_int_eq(algorithm, QLM_ALGORITHM_RSA_SHA1);
}
END_TEST

/* Two product versions must never share an identity: sealed keys are bound to it. */
START_TEST(test_identity)
{
    ck_assert_str_eq(qlm_product_identity(1, 1, 0, pool), "product/1/1/0/private");
    ck_assert_str_ne(qlm_product_identity(1, 11, 0, pool), qlm_product_identity(11, 1, 0, pool));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *cases = tcase_create("model");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, test_table, 0, DOCUMENTED);
    tcase_add_loop_test(cases, test_engine_5, 0, DOCUMENTED);
    tcase_add_loop_test(cases, test_generic, 0, DOCUMENTED);
    tcase_add_test(cases, test_none);
    tcase_add_test(cases, test_damaged_number);
    tcase_add_loop_test(cases, test_parse, 0, DOCUMENTED);
    tcase_add_test(cases, test_parse_case);
    tcase_add_test(cases, test_parse_refused);
    tcase_add_test(cases, test_activation_letters);
    tcase_add_test(cases, test_engine_parse);
    tcase_add_test(cases, test_algorithm);
    tcase_add_test(cases, test_identity);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    apr_initialize();
    runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
