/* Passwords in request lines, queries and URLs: masked however they are spelled. */
#include "base/mask.h"

#include "base/fields.h"
#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define SECRET       "Hidden-9"

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

static void masks(const char *text, const char *expected)
{
    const char *given = exact(text, pool);
    const char *made = qlm_mask_text(given, pool);

    ck_assert_str_eq(made, expected);
    ck_assert_str_eq(given, text); /* not changed in place: the handler still reads it */
    ck_assert_ptr_eq(qlm_mask_text(made, pool), made);
}

START_TEST(nothing_to_mask_is_the_text_itself)
{
    static const char *const texts[] = {
        "",
        "a=b",
        "GET / HTTP/1.1",
        "is_pw=x",
        "is_pwdx=y",
        "xis_pwd=y",
        "is_pwd",
        "is_pwd&a=b",
        "a=is_pwd",
        "is_pwd%",
        "is_pw%6",
        "%",
        "%69",
        "is%5",
        "+",
        "&",
        "=",
        "is_pwd+",
        "is_user=is_pwd+=x",
        "is_pwd[]=x",
        "is_pwd%00=x",
        "is-pwd=x",
        "is_pwd%5b=",
        "a=b is_pwd=c",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *given = exact(texts[i], pool);

        ck_assert_msg(qlm_mask_text(given, pool) == given, "%s", texts[i]);
    }
    ck_assert_ptr_null(qlm_mask_text(NULL, pool));
}
END_TEST

START_TEST(queries)
{
    masks("is_pwd=" SECRET, "is_pwd=***");
    masks("is_user=a&is_pwd=" SECRET "&b=c", "is_user=a&is_pwd=***&b=c");
    masks("is_pwd=" SECRET "&is_pwd=" SECRET, "is_pwd=***&is_pwd=***");
    masks("&&is_pwd=" SECRET "&&", "&&is_pwd=***&&");
    masks("is_pwd=" SECRET "&a=is_pwd=b", "is_pwd=***&a=is_pwd=b");
    masks("is_pwd=", "is_pwd=***"); /* that there was none is not told either */
    masks("is_pwd=&a=b", "is_pwd=***&a=b");
    masks("is_pwd=***", "is_pwd=***");
    masks("is_pwd=****", "is_pwd=***");
    masks("IS_%41uthcode=123456&is_pwd=" SECRET "&is_authcode=1",
          "IS_%41uthcode=***&is_pwd=***&is_authcode=***");
}
END_TEST

START_TEST(spellings_of_the_name)
{
    static const char *const names[] = {
        "is_pwd",
        "IS_PWD",
        "Is_Pwd",
        "is%5Fpwd",
        "is%5fpwd",
        "%69%73%5F%70%77%64",
        "%49s_pwd",
        "+is_pwd",
        "++is_pwd",
        "%20is_pwd",
        "is_pwd+",
        "is_pwd%20",
        "%09is_pwd",
        "is_pwd%09",
        "%0dis_pwd",
        "is_pwd%0A",
        "%0D%0Ais_pwd%0D%0A",
        " is_pwd ",
        "\tis_pwd\t",
        "+%20+is_pwd+%20+",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        qlm_fields_t *fields = qlm_fields_create(pool);
        const char *query = apr_pstrcat(pool, "a=b&", names[i], "=" SECRET "&c=d", NULL);

        /* the reader takes it for is_pwd, so it must be masked */
        ck_assert_ptr_null(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
        ck_assert_str_eq(qlm_fields_get(fields, "is_pwd", QLM_FROM_ANY), SECRET);
        masks(query, apr_pstrcat(pool, "a=b&", names[i], "=***&c=d", NULL));
        masks(apr_pstrcat(pool, names[i], "=" SECRET, NULL),
              apr_pstrcat(pool, names[i], "=***", NULL));
    }
    /* what is no is_pwd to the reader, but was meant as one */
    masks("is_pwd%3D" SECRET, "is_pwd%3D***");
    masks("a=b;is_pwd=" SECRET, "a=b;is_pwd=***");
    masks("x?is_pwd=" SECRET, "x?is_pwd=***");
}
END_TEST

START_TEST(values_are_masked_whole)
{
    static const char *const values[] = {
        SECRET,
        ";" SECRET,
        "a;" SECRET,
        "=" SECRET,
        "?" SECRET,
        "#" SECRET,
        "a#" SECRET,
        "%26" SECRET,
        "%20" SECRET,
        "%" SECRET,
        " " SECRET,
        "a HTTP/" SECRET,
        "a HTTP/1.1 " SECRET,
        "\t" SECRET,
        ";is_pwd=" SECRET,
        "\xff" SECRET,
        "***" SECRET,
        "\"" SECRET,
        "is_pwd=" SECRET,
        "a HTTP/1.1",
        "12345 HTTP/678",
    };

    for (size_t i = 0; i < COUNT(values); i++) {
        masks(apr_pstrcat(pool, "GET /q?is_pwd=", values[i], " HTTP/1.1", NULL),
              "GET /q?is_pwd=*** HTTP/1.1");
        masks(apr_pstrcat(pool, "GET /q?is_pwd=", values[i], "&x=y HTTP/1.1", NULL),
              "GET /q?is_pwd=***&x=y HTTP/1.1");
    }
}
END_TEST

START_TEST(request_lines)
{
    masks("GET /qlm/qlmservice.asmx/M?is_user=u&is_pwd=" SECRET "&p=1 HTTP/1.1",
          "GET /qlm/qlmservice.asmx/M?is_user=u&is_pwd=***&p=1 HTTP/1.1");
    masks("GET /M?is_pwd=" SECRET " HTTP/1.0", "GET /M?is_pwd=*** HTTP/1.0");
    masks("GET /M?is_pwd=" SECRET, "GET /M?is_pwd=***");
    masks("GET /M?is_pwd=a HTTP/" SECRET, "GET /M?is_pwd=***");
    masks("GET /M?is_pwd=" SECRET " HTTP/1.1 more", "GET /M?is_pwd=***");
    masks("GET /M?is_pwd=" SECRET " more HTTP/1.1", "GET /M?is_pwd=*** HTTP/1.1");
    masks("GET\t/M?is_pwd=" SECRET "\tHTTP/1.1", "GET\t/M?is_pwd=***");
    masks("https://shop.example/x?a=b&is_pwd=" SECRET "#top",
          "https://shop.example/x?a=b&is_pwd=***");
}
END_TEST

/* The longest request line, full of passwords or of what could begin one: no time is lost. */
START_TEST(long_lines)
{
    static const char *const pieces[] = {
        "is_pwd=x&", "is_pwd=&", "&", "+", "is_pwd=", "is_pwd HTTP/", "&++", " HTTP/", ";is_pwd"};
    apr_size_t size = 1000000;
    char *text = malloc(size + 1);

    for (size_t i = 0; i < COUNT(pieces); i++) {
        apr_size_t length = strlen(pieces[i]);
        apr_time_t begin = apr_time_now();

        for (apr_size_t at = 0; at < size; at++) {
            text[at] = pieces[i][at % length];
        }
        text[size] = '\0';
        ck_assert_ptr_nonnull(qlm_mask_text(text, pool));
        ck_assert_msg(apr_time_now() - begin < apr_time_from_sec(20), "%s", pieces[i]);
    }
    free(text);
}
END_TEST

/* Whatever is sent: nothing that the reader takes for is_pwd is left. */
START_TEST(any_query)
{
    static const char *const pieces[] = {"is_pwd", "IS%5fPwd",  "=",   "&",  "+",   "%20", "%0a",
                                         "%3D",    ";",         "?",   "#",  "x",   "%",   "%4",
                                         " ",      " HTTP/1.1", "***", "\t", "%00", "\xff"};
    unsigned int random = 7;

    for (int round = 0; round < 20000; round++) {
        char query[200] = "";
        qlm_fields_t *fields = qlm_fields_create(pool);
        const char *masked;

        for (int i = 0; i < 12; i++) {
            random = random * 1103515245u + 12345u;
            apr_cpystrn(query + strlen(query), pieces[(random >> 16) % COUNT(pieces)],
                        sizeof(query) - strlen(query));
        }
        masked = qlm_mask_text(exact(query, pool), pool);
        ck_assert_ptr_null(qlm_fields_parse(fields, masked, strlen(masked), QLM_FROM_URL));
        for (int i = 0; i < fields->list->nelts; i++) {
            const qlm_field_t *field = &APR_ARRAY_IDX(fields->list, i, qlm_field_t);

            ck_assert_msg(strcasecmp(field->name, "is_pwd") != 0 || !*field->value ||
                              strcmp(field->value, "***") == 0 ||
                              strncmp(field->value, "*** HTTP/", 9) == 0,
                          "%s became %s", query, masked);
        }
        ck_assert_ptr_eq(qlm_mask_text(masked, pool), masked);
        if (round % 100 == 0) {
            apr_pool_clear(pool);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mask");
    TCase *tests = tcase_create("mask");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, nothing_to_mask_is_the_text_itself);
    tcase_add_test(tests, queries);
    tcase_add_test(tests, spellings_of_the_name);
    tcase_add_test(tests, values_are_masked_whole);
    tcase_add_test(tests, request_lines);
    tcase_add_test(tests, long_lines);
    tcase_add_test(tests, any_query);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
