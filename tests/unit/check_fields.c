/* The form reader with what browsers, shops and attackers send, and the look-up by precedence. */
#include "base/fields.h"

#include "base/text.h"
#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

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

static qlm_fields_t *parsed_bytes(const char *bytes, apr_size_t length)
{
    qlm_fields_t *fields = qlm_fields_create(pool);
    qlm_error_t *error =
        qlm_fields_parse(fields, exact_bytes(bytes, length, pool), length, QLM_FROM_URL);

    ck_assert_msg(!error, "%s", error ? error->text : "");
    return fields;
}

static qlm_fields_t *parsed(const char *text)
{
    return parsed_bytes(text, strlen(text));
}

static const qlm_field_t *field_at(const qlm_fields_t *fields, int index)
{
    ck_assert_int_lt(index, fields->list->nelts);
    return &APR_ARRAY_IDX(fields->list, index, qlm_field_t);
}

/* One pair is read as this name and value. */
static void reads(const char *text, const char *name, const char *value)
{
    qlm_fields_t *fields = parsed(text);

    ck_assert_msg(fields->list->nelts == 1, "%s: %d fields", text, fields->list->nelts);
    ck_assert_str_eq(field_at(fields, 0)->name, name);
    ck_assert_str_eq(field_at(fields, 0)->value, value);
    ck_assert_int_eq(field_at(fields, 0)->source, QLM_FROM_URL);
}

/* ---- reading ---- */

START_TEST(pairs)
{
    qlm_fields_t *fields = parsed("a=1&b=2&&=3&c&d=&e==5&&");

    ck_assert_int_eq(fields->list->nelts, 5);
    ck_assert_str_eq(field_at(fields, 0)->value, "1");
    ck_assert_str_eq(field_at(fields, 1)->name, "b");
    ck_assert_str_eq(field_at(fields, 2)->name, "c");
    ck_assert_str_eq(field_at(fields, 2)->value, "");
    ck_assert_str_eq(field_at(fields, 3)->value, "");
    ck_assert_str_eq(field_at(fields, 4)->value, "=5");
    ck_assert_int_eq(parsed("")->list->nelts, 0);
    ck_assert_int_eq(parsed("&&&&")->list->nelts, 0);
    ck_assert_int_eq(parsed("=")->list->nelts, 0);
    ck_assert_int_eq(parsed("+=1&%20=2& =3&%0d%0a=4")->list->nelts, 0);
}
END_TEST

START_TEST(a_semicolon_is_no_separator)
{
    reads("a=1;b=2", "a", "1;b=2");
    reads("a;b=2", "a;b", "2");
}
END_TEST

START_TEST(escapes)
{
    reads("a=%41%62%7a", "a", "Abz");
    reads("%61=1", "a", "1");
    reads("a=%c3%BC", "a", "\xc3\xbc");
    reads("a=%FF", "a", "\xff");
    reads("a=x+y%2Bz", "a", "x y+z");
    reads("a=%26b%3D1", "a", "&b=1"); /* an escaped separator separates nothing */
    reads("a%3D1=2", "a=1", "2");
    reads("a=%2541", "a", "%41"); /* decoded once */
    reads("a=\xc3\xbc", "a", "\xc3\xbc");
}
END_TEST

START_TEST(broken_escapes_stay)
{
    static const char *const texts[] = {"%",    "%4",  "%%",  "%zz",    "%4g", "%g4",
                                        "100%", "%-1", "% 1", "%u0041", "%%%", "%\x80\x80"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        reads(apr_pstrcat(pool, "a=", texts[i], NULL), "a", texts[i]);
    }
    reads("a=%%41", "a", "%A");
    reads("a=%4%41", "a", "%4A");
    /* an escape does not reach over the end of its pair */
    ck_assert_str_eq(qlm_fields_get(parsed("a=%4&b=1"), "a", QLM_FROM_ANY), "%4");
    ck_assert_str_eq(qlm_fields_get(parsed("a=%&41=1"), "a", QLM_FROM_ANY), "%");
    ck_assert_str_eq(field_at(parsed("%4=1"), 0)->name, "%4");
}
END_TEST

START_TEST(nul_bytes_show)
{
    reads("a=x%00y", "a", "x\1y");
    reads("a%00=1", "a\1", "1"); /* is not a */
    ck_assert_str_eq(field_at(parsed_bytes("a=x\0y", 5), 0)->value, "x\1y");
    ck_assert_str_eq(field_at(parsed_bytes("\0=1", 3), 0)->name, "\1");
    ck_assert_ptr_null(qlm_fields_get(parsed("is_pwd%00x=1"), "is_pwd", QLM_FROM_ANY));
}
END_TEST

START_TEST(names_are_trimmed_values_are_not)
{
    reads("+a%20= 1 ", "a", " 1 ");
    reads("%09a%0d%0a=1", "a", "1");
    reads("a b=1", "a b", "1");
}
END_TEST

START_TEST(only_the_length_counts)
{
    qlm_fields_t *fields = parsed_bytes("a=12&b=3", 3);

    ck_assert_int_eq(fields->list->nelts, 1);
    ck_assert_str_eq(field_at(fields, 0)->value, "1");
    ck_assert_int_eq(parsed_bytes("a=1", 0)->list->nelts, 0);
    ck_assert_str_eq(field_at(parsed_bytes("a=%41", 4), 0)->value, "%4");
}
END_TEST

START_TEST(names_have_a_longest)
{
    char *name = memset(apr_pcalloc(pool, 300), 'n', QLM_FIELD_NAME_MAX);
    qlm_fields_t *fields = parsed(apr_pstrcat(pool, name, "=1", NULL));
    qlm_error_t *error;
    char *text;

    ck_assert_str_eq(qlm_fields_get(fields, name, QLM_FROM_ANY), "1");
    ck_assert_uint_eq(strlen(name), QLM_FIELD_NAME_MAX);
    text = apr_pstrcat(pool, name, "n=1", NULL);
    error = qlm_fields_parse(qlm_fields_create(pool), text, strlen(text), QLM_FROM_BODY);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_int_eq(error->code, QLM_CODE_INVALID_FORMAT);
    ck_assert_ptr_null(strstr(error->text, "nnn")); /* what was sent is not said again */
    /* a body that is no form at all */
    error = qlm_fields_parse(qlm_fields_create(pool), text, QLM_FIELD_NAME_MAX + 1, QLM_FROM_BODY);
    ck_assert_ptr_nonnull(error);
}
END_TEST

START_TEST(values_may_be_long)
{
    apr_size_t length = 1000000;
    char *text = malloc(length);
    qlm_fields_t *fields = qlm_fields_create(pool);

    memset(text, 'v', length);
    memcpy(text, "a=", 2);
    ck_assert_ptr_null(qlm_fields_parse(fields, text, length, QLM_FROM_BODY));
    ck_assert_uint_eq(strlen(qlm_fields_get(fields, "a", QLM_FROM_ANY)), length - 2);
    free(text);
}
END_TEST

START_TEST(there_is_a_most)
{
    qlm_fields_t *fields = qlm_fields_create(pool);
    qlm_error_t *error;

    for (int i = 0; i < QLM_FIELDS_MAX; i++) {
        const char *text = apr_psprintf(pool, "n%d=%d", i, i);

        ck_assert_ptr_null(qlm_fields_parse(fields, text, strlen(text), QLM_FROM_URL));
    }
    for (int i = 0; i < QLM_FIELDS_MAX; i++) {
        const char *name = apr_psprintf(pool, "N%d", i);

        ck_assert_str_eq(qlm_fields_get(fields, name, QLM_FROM_ANY), name + 1);
    }
    error = qlm_fields_parse(fields, "m=1", 3, QLM_FROM_BODY);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    error = qlm_fields_add(fields, "m", "1", QLM_FROM_DEFAULT);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(fields->list->nelts, QLM_FIELDS_MAX);
    ck_assert_ptr_null(qlm_fields_get(fields, "m", QLM_FROM_ANY));
    ck_assert_ptr_null(qlm_fields_parse(fields, "&&&=1", 5, QLM_FROM_BODY)); /* no field at all */
}
END_TEST

/* ---- looking up ---- */

static qlm_fields_t *of_all_sources(void)
{
    static const int sources[] = {QLM_FROM_DEFAULT, QLM_FROM_PROPERTY, QLM_FROM_VENDOR,
                                  QLM_FROM_BODY, QLM_FROM_URL};
    qlm_fields_t *fields = qlm_fields_create(pool);

    for (size_t i = 0; i < COUNT(sources); i++) {
        ck_assert_ptr_null(
            qlm_fields_add(fields, "a", apr_psprintf(pool, "%d", sources[i]), sources[i]));
    }
    return fields;
}

START_TEST(sources_have_an_order)
{
    qlm_fields_t *fields = of_all_sources();

    for (int sources = 1; sources <= QLM_FROM_ANY; sources++) {
        int first = sources & -sources;

        ck_assert_str_eq(qlm_fields_get(fields, "a", sources), apr_psprintf(pool, "%d", first));
    }
    ck_assert_ptr_null(qlm_fields_get(fields, "a", 0));
    ck_assert_ptr_null(qlm_fields_get(fields, "b", QLM_FROM_ANY));
}
END_TEST

START_TEST(the_first_of_one_source_counts)
{
    qlm_fields_t *fields = parsed("a=1&A=2&a=3");

    ck_assert_str_eq(qlm_fields_get(fields, "a", QLM_FROM_ANY), "1");
    ck_assert_ptr_null(qlm_fields_get(fields, "a", QLM_FROM_BODY));
}
END_TEST

START_TEST(empty_is_absent)
{
    qlm_fields_t *fields = parsed("a=&a=2&b=&c");

    ck_assert_ptr_null(qlm_fields_parse(fields, "b=3", 3, QLM_FROM_BODY));
    ck_assert_str_eq(qlm_fields_get(fields, "a", QLM_FROM_ANY), "2");
    ck_assert_str_eq(qlm_fields_get(fields, "b", QLM_FROM_ANY), "3");
    ck_assert_ptr_null(qlm_fields_get(fields, "c", QLM_FROM_ANY));
    ck_assert_str_eq(qlm_fields_get(parsed("a=%20"), "a", QLM_FROM_ANY), " "); /* a blank is not */
}
END_TEST

START_TEST(names_have_no_case)
{
    qlm_fields_t *fields = parsed("Is_Pwd=1&[x]=2&\xc3\x84=3");

    ck_assert_str_eq(qlm_fields_get(fields, "is_pwd", QLM_FROM_ANY), "1");
    ck_assert_str_eq(qlm_fields_get(fields, "IS_PWD", QLM_FROM_ANY), "1");
    ck_assert_ptr_null(qlm_fields_get(fields, "is_pw", QLM_FROM_ANY));
    ck_assert_ptr_null(qlm_fields_get(fields, "is_pwd ", QLM_FROM_ANY));
    ck_assert_ptr_null(qlm_fields_get(fields, "", QLM_FROM_ANY));
    /* case is that of ASCII letters only */
    ck_assert_str_eq(qlm_fields_get(fields, "[X]", QLM_FROM_ANY), "2");
    ck_assert_ptr_null(qlm_fields_get(fields, "{x}", QLM_FROM_ANY));
    ck_assert_str_eq(qlm_fields_get(fields, "\xc3\x84", QLM_FROM_ANY), "3");
    ck_assert_ptr_null(qlm_fields_get(fields, "\xc3\xa4", QLM_FROM_ANY));
    ck_assert_ptr_null(qlm_fields_get(parsed("is\x7fpwd=1"), "is_pwd", QLM_FROM_ANY));
}
END_TEST

/* Names that a sender chose so that whatever numbers stand for them are the same. */
START_TEST(look_alike_names_are_told_apart)
{
    static const char *const names[] = {"@", "`", "[", "{", "_", "\x7f", "]", "}", "0", "\x10"};
    qlm_fields_t *fields = qlm_fields_create(pool);

    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_ptr_null(qlm_fields_add(fields, names[i], names[i], QLM_FROM_URL));
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_str_eq(qlm_fields_get(fields, names[i], QLM_FROM_ANY), names[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *tests = tcase_create("fields");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, pairs);
    tcase_add_test(tests, a_semicolon_is_no_separator);
    tcase_add_test(tests, escapes);
    tcase_add_test(tests, broken_escapes_stay);
    tcase_add_test(tests, nul_bytes_show);
    tcase_add_test(tests, names_are_trimmed_values_are_not);
    tcase_add_test(tests, only_the_length_counts);
    tcase_add_test(tests, names_have_a_longest);
    tcase_add_test(tests, values_may_be_long);
    tcase_add_test(tests, there_is_a_most);
    tcase_add_test(tests, sources_have_an_order);
    tcase_add_test(tests, the_first_of_one_source_counts);
    tcase_add_test(tests, empty_is_absent);
    tcase_add_test(tests, names_have_no_case);
    tcase_add_test(tests, look_alike_names_are_told_apart);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
