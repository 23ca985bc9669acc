/* Deactivation codes against digests that another program (Python's hashlib) made. */
#include "license/deactivation.h"

#include "base/date.h"

#include <apr_general.h>
#include <check.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define KEY  "A1234567890ABCDEFGHJKMNPQR"
#define GUID "B6163D99-F46A-4580-BB42-BF276A507A14"

static apr_pool_t *pool;
static apr_int64_t now;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    ck_assert(qlm_date_parse(&now, "2026-11-21 23:59:59", "yyyy-MM-dd HH:mm:ss"));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static const struct {
    const char *key, *computer, *secret, *day, *code;
} vectors[] = {
    {KEY, "PC-1", "{" GUID "}", "2026-11-19", "069dc339da1dcfe2b708ce428daa9073"},
    {KEY, "PC-1", "{" GUID "}", "2026-11-20", "a165fb1e74edf8da6e83fcd7c092744c"},
    {KEY, "PC-1", "{" GUID "}", "2026-11-21", "a6a9a02bba0bc4566fe42e3a80acbeab"},
    {KEY, "PC-1", "{" GUID "}", "2026-11-22", "b3f774c868b1396fe5ca6450887fb960"},
    {KEY, "PC-1", "{" GUID "}", "2026-11-23", "70b38bde2155c4cfbe03c14e7d743f84"},
    {KEY, "PC-1", GUID, "2026-11-21", "552cfdf88624fccc936c901e9503005b"},
    {"OLDKEY", "B\xc3\xbcro 7|x", "k", "2028-02-29", "c8ad7c48496e5e572968f74707513ae7"},
    {"A", "", "{}", "1999-12-31", "376271ffdf17ef69883ff91f7b13d855"},
};

START_TEST(codes_are_those_of_the_vectors)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        const qlm_deactivation_t deactivation = {vectors[i].key, vectors[i].computer,
                                                 vectors[i].secret};
        const char *code;
        apr_int64_t day;

        ck_assert(qlm_date_parse(&day, vectors[i].day, "yyyy-MM-dd"));
        ck_assert_ptr_null(qlm_deactivation_code(&code, &deactivation, day + 3600, pool));
        ck_assert_str_eq(code, vectors[i].code);
    }
}
END_TEST

static int is_right(const char *code, const char *key, const char *computer, const char *secret)
{
    const qlm_deactivation_t deactivation = {key, computer, secret};
    int right = -1;

    ck_assert_ptr_null(qlm_deactivation_check(&right, code, &deactivation, now, pool));
    return right;
}

START_TEST(the_neighbouring_days_count_and_no_others)
{
    static const int right[] = {0, 1, 1, 1, 0};

    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(is_right(vectors[i].code, KEY, "PC-1", "{" GUID "}"), right[i]);
    }
}
END_TEST

START_TEST(braces_may_be_missing_on_either_side)
{
    ck_assert_int_eq(is_right(vectors[2].code, KEY, "PC-1", GUID), 1);
    ck_assert_int_eq(is_right(vectors[5].code, KEY, "PC-1", GUID), 1);
    ck_assert_int_eq(is_right(vectors[5].code, KEY, "PC-1", "{" GUID "}"), 1);
    ck_assert_int_eq(is_right(vectors[5].code, KEY, "PC-1", "{" GUID), 0);
}
END_TEST

START_TEST(codes_are_read_as_people_write_them)
{
    ck_assert_int_eq(is_right("A6A9A02B-BA0BC456-6FE42E3A-80ACBEAB", KEY, "PC-1", "{" GUID "}"), 1);
    ck_assert_int_eq(is_right(" a6 a9a02bba0bc4566fe42e3a80acbeab\n", KEY, "PC-1", GUID), 1);
    ck_assert_int_eq(is_right("a6a9a02bba0bc4566fe42e3a80acbea", KEY, "PC-1", GUID), 0);
    ck_assert_int_eq(is_right("a6a9a02bba0bc4566fe42e3a80acbeabb", KEY, "PC-1", GUID), 0);
    ck_assert_int_eq(is_right("", KEY, "PC-1", GUID), 0);
}
END_TEST

START_TEST(everything_in_it_counts)
{
    ck_assert_int_eq(is_right(vectors[2].code, KEY "X", "PC-1", GUID), 0);
    ck_assert_int_eq(is_right(vectors[2].code, KEY, "PC-2", GUID), 0);
    ck_assert_int_eq(is_right(vectors[2].code, KEY, "PC-1", GUID "X"), 0);
}
END_TEST

/* A code made with an empty key is anybody's to make. */
START_TEST(without_a_key_no_code_is_right)
{
    const qlm_deactivation_t open = {KEY, "PC-1", ""};
    const char *code;

    ck_assert_ptr_null(qlm_deactivation_code(&code, &open, now, pool));
    ck_assert_int_eq(is_right(code, KEY, "PC-1", ""), 0);
    ck_assert_int_eq(is_right(code, KEY, "PC-1", NULL), 0);
}
END_TEST

/* Where OpenSSL is told to keep to FIPS, the failure is told, not taken for a wrong code. */
START_TEST(no_md5_is_a_failure)
{
    const qlm_deactivation_t deactivation = {KEY, "PC-1", GUID};
    qlm_error_t *error;
    int right;

    ck_assert_int_eq(EVP_default_properties_enable_fips(NULL, 1), 1);
    error = qlm_deactivation_check(&right, "x", &deactivation, now, pool);
    ck_assert_int_eq(EVP_default_properties_enable_fips(NULL, 0), 1);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(error->text, "MD5"));
    ck_assert_int_eq(right, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deactivation");
    TCase *tests = tcase_create("deactivation");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, codes_are_those_of_the_vectors);
    tcase_add_test(tests, the_neighbouring_days_count_and_no_others);
    tcase_add_test(tests, braces_may_be_missing_on_either_side);
    tcase_add_test(tests, codes_are_read_as_people_write_them);
    tcase_add_test(tests, everything_in_it_counts);
    tcase_add_test(tests, without_a_key_no_code_is_right);
    tcase_add_test(tests, no_md5_is_a_failure);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
