/* Reading and writing features. */
#include "license/features.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const struct {
    const char *text, *stored;
} good[] = {
    {"0:3;1:2;2:7;3:25", "0:3;1:2;2:7;3:25;"},
    {"0:7;", "0:7;"},
    {"0:1;0:2;0:4", "0:7;"}, /* pairs of one set are OR-ed */
    {"0:3,1:1", "0:3;1:1;"},
    {"3:255", "3:255;"},
    {"3:1;0:1", "0:1;3:1;"}, /* written set by set */
    {"1:0;2:4", "2:4;"},     /* empty sets are left out */
    {"0:007", "0:7;"},
    {" 0 : 3 ; 1 : 1 ", "0:3;1:1;"},
    {";0:3;;1:1;", "0:3;1:1;"},
    {NULL, ""},
    {"", ""},
    {"  ", ""},
    {"0", ""},
    {" 0 ;", ""},
    {";", ""},
    {"0:0", ""},
};

START_TEST(test_good)
{
    qlm_features_t features;

    memset(&features, 0xff, sizeof(features));
    ck_assert_msg(qlm_features_parse(&features, good[_i].text) == 1, "%s", good[_i].text);
    ck_assert_str_eq(qlm_features_format(&features, pool), good[_i].stored);
}
END_TEST

static const char *const bad[] = {
    "abc",  "9:1",   "4:1",   "0:256",      "0:999", "0:1000",  "0:-1",  "-1:0",    "+0:1",  "0:+1",
    "0:",   ":1",    ":",     "1",          "0;1:1", "0:3 1:1", "0:3|1", "0::3",    "0:3:4", "00:1",
    "0:1x", "0x1:1", "0:1;x", "0:\xC2\xB2", "0:1\n", "\n",      "00",    "0:1;9:1",
};

START_TEST(test_bad)
{
    qlm_features_t features = {{1, 2, 3, 4}};

    ck_assert_msg(qlm_features_parse(&features, bad[_i]) == 0, "%s", bad[_i]);
    ck_assert_msg(features.set[0] == 1 && features.set[3] == 4, "%s changed the result", bad[_i]);
}
END_TEST

/* What is written can be read again, for every value of every set. */
START_TEST(test_round_trip)
{
    for (int value = 0; value < 256; value++) {
        qlm_features_t features = {{0}}, again;

        features.set[_i] = (unsigned char)value;
        features.set[(_i + 1) % QLM_FEATURE_SETS] = (unsigned char)(255 - value);
        ck_assert_int_eq(qlm_features_parse(&again, qlm_features_format(&features, pool)), 1);
        ck_assert_mem_eq(&features, &again, sizeof(features));
    }
}
END_TEST

START_TEST(test_longest)
{
    qlm_features_t features = {{255, 255, 255, 255}};

    ck_assert_str_eq(qlm_features_format(&features, pool), "0:255;1:255;2:255;3:255;");
}
END_TEST

/* Length alone does not hurt. */
START_TEST(test_many_pairs)
{
    char *text = apr_pcalloc(pool, 4 * 100000 + 1);
    qlm_features_t features;

    for (int i = 0; i < 100000; i++) {
        memcpy(text + 4 * i, i % 2 ? "1:1;" : "2:8,", 4);
    }
    ck_assert_int_eq(qlm_features_parse(&features, text), 1);
    ck_assert_str_eq(qlm_features_format(&features, pool), "1:1;2:8;");
}
END_TEST

static const struct {
    const char *names;
    int is_good;
} names_rows[] = {
    {"", 1},
    {"0:1:STD", 1},
    {"0:1:STD;0:2:PRO;", 1},
    {"3:128:A b; 0:4:\xc3\xa4", 1},
    {"4:1:STD", 0},
    {"0:3:STD", 0},
    {"0:0:STD", 0},
    {"0:256:STD", 0},
    {"0:1:", 0},
    {"0:1", 0},
    {"STD", 0},
    {"0:1:A;0:1:B", 0},
    {"0:1:A,B", 0},
    {"0:1:A:B", 0},
    {"-1:1:A", 0},
    {"0:1:A;x", 0},
    {"1:1:A;0:1:B", 1},
};

START_TEST(test_names)
{
    ck_assert_int_eq(qlm_features_are_names(names_rows[_i].names, pool), names_rows[_i].is_good);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("features");
    TCase *cases = tcase_create("features");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(cases, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_loop_test(cases, test_round_trip, 0, QLM_FEATURE_SETS);
    tcase_add_loop_test(cases, test_names, 0, (int)(sizeof(names_rows) / sizeof(names_rows[0])));
    tcase_add_test(cases, test_longest);
    tcase_add_test(cases, test_many_pairs);
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
