/* The strict readers and cleaners, mostly with what nobody should send. */
#include "base/text.h"
#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- numbers and truth ---- */

START_TEST(whole_numbers)
{
    static const struct {
        const char *text;
        apr_int64_t number;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"-7", -7},
        {"007", 7},
        {" 12 ", 12},
        {"\t\r\n12\r\n\t", 12},
        {"9223372036854775807", APR_INT64_MAX},
        {"-9223372036854775808", APR_INT64_MIN},
        {"000000000000000000000000000000000000000001", 1},
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        apr_int64_t number = -99;

        ck_assert_msg(
            qlm_text_to_int64(&number, exact(good[i].text, pool), APR_INT64_MIN, APR_INT64_MAX),
            "\"%s\" was refused", good[i].text);
        ck_assert_msg(number == good[i].number, "\"%s\"", good[i].text);
    }
}
END_TEST

START_TEST(texts_that_are_no_whole_numbers)
{
    static const char *const bad[] = {
        "",
        " ",
        "+",
        "-",
        "- 1",
        "+-1",
        "--1",
        "1 2",
        "1,000",
        "1.0",
        "1e3",
        "0x10",
        "1x",
        "x1",
        "1\v",
        "\v1",
        "\f1",
        "1\xa0",
        "\302\2401",
        "\xd9\xa1",
        "\xef\xbc\x91",
        "1\x01",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999999999999999999999",
        "NaN",
        "inf",
        "1-",
        "1+1",
        "(1)",
        "'1'",
        "1;",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        apr_int64_t number = -99;

        ck_assert_msg(
            !qlm_text_to_int64(&number, exact(bad[i], pool), APR_INT64_MIN, APR_INT64_MAX),
            "\"%s\" was read as %ld", bad[i], (long)number);
        ck_assert_int_eq(number, -99);
    }
}
END_TEST

START_TEST(numbers_have_bounds)
{
    apr_int64_t number = -99;

    ck_assert(qlm_text_to_int64(&number, "1", 1, 9999));
    ck_assert(qlm_text_to_int64(&number, "9999", 1, 9999));
    ck_assert_int_eq(number, 9999);
    ck_assert(!qlm_text_to_int64(&number, "0", 1, 9999));
    ck_assert(!qlm_text_to_int64(&number, "10000", 1, 9999));
    ck_assert(!qlm_text_to_int64(&number, "-1", 0, 9999));
    ck_assert_int_eq(number, 9999);
}
END_TEST

START_TEST(truth_has_few_words)
{
    static const char *const yes[] = {"true", "TRUE", "True", "1", "-1", "yes", "On", " true\r\n"};
    static const char *const no[] = {"false", "FALSE", "0", "no", "OFF", "\tno "};
    static const char *const neither[] = {"",
                                          " ",
                                          "2",
                                          "-2",
                                          "00",
                                          "01",
                                          "+1",
                                          "t",
                                          "tru",
                                          "truex",
                                          "y",
                                          "n",
                                          "none",
                                          "true false",
                                          "o n",
                                          "true\x01",
                                          "\xc2\xa0true",
                                          "null",
                                          "tr\303\274e",
                                          "-"};
    int value = -99;

    for (size_t i = 0; i < COUNT(yes); i++) {
        ck_assert_msg(qlm_text_to_bool(&value, exact(yes[i], pool)) && value == 1, "%s", yes[i]);
    }
    for (size_t i = 0; i < COUNT(no); i++) {
        ck_assert_msg(qlm_text_to_bool(&value, exact(no[i], pool)) && value == 0, "%s", no[i]);
    }
    value = -99;
    for (size_t i = 0; i < COUNT(neither); i++) {
        ck_assert_msg(!qlm_text_to_bool(&value, exact(neither[i], pool)), "%s", neither[i]);
        ck_assert_int_eq(value, -99);
    }
}
END_TEST

START_TEST(this_machine)
{
    static const char *const here[] = {"localhost",   "LocalHost", "127.0.0.1",
                                       "127.255.1.2", "::1",       "[::1]"};
    static const char *const elsewhere[] = {
        "",         "localhost.example", "127.0.0.1.example", "128.0.0.1", "127.1",  "::",
        "::ffff:1", "127.0.0.1 ",        "mail.example",      "[::1",      "0.0.0.0"};

    for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
        ck_assert_msg(qlm_text_is_loopback(here[i]), "%s", here[i]);
    }
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++) {
        ck_assert_msg(!qlm_text_is_loopback(elsewhere[i]), "%s", elsewhere[i]);
    }
}
END_TEST

START_TEST(hex_digits)
{
    for (int c = -128; c < 256; c++) {
        static const char digits[] = "0123456789abcdef";
        const char *found =
            c > 0 && c < 128 ? strchr(digits, c >= 'A' && c <= 'Z' ? c + 32 : c) : NULL;

        ck_assert_int_eq(qlm_text_hex_digit((char)c), found ? (int)(found - digits) : -1);
    }
}
END_TEST

/* ---- encodings ---- */

static const char *const well_formed[] = {
    "",
    "plain",
    "\x01\x7f",
    "\xc2\x80",         /* the first of two bytes */
    "\xdf\xbf",         /* the last */
    "\xe0\xa0\x80",     /* the first of three */
    "\xed\x9f\xbf",     /* before the surrogates */
    "\xee\x80\x80",     /* behind them */
    "\xef\xbf\xbd",     /* U+FFFD */
    "\xef\xbf\xbf",     /* U+FFFF: no character, but well-formed */
    "\xf0\x90\x80\x80", /* the first of four */
    "\xf4\x8f\xbf\xbf", /* U+10FFFF, the last of all */
    "a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x94\x91",
};

static const char *const ill_formed[] = {
    "\x80", /* continuation alone */
    "\xbf",
    "a\x80z",
    "\xc0\x80",     /* overlong NUL */
    "\xc0\xaf",     /* overlong slash */
    "\xc1\xbf",     /* overlong DEL */
    "\xe0\x80\xaf", /* overlong in three */
    "\xe0\x9f\xbf",
    "\xf0\x80\x80\xaf", /* overlong in four */
    "\xf0\x8f\xbf\xbf",
    "\xed\xa0\x80", /* surrogates */
    "\xed\xbf\xbf",
    "\xed\xa0\xbd\xed\xb4\x91", /* a pair of them, as Java's modified UTF-8 writes it */
    "\xf4\x90\x80\x80",         /* beyond U+10FFFF */
    "\xf5\x80\x80\x80",
    "\xf8\x88\x80\x80\x80",     /* five bytes */
    "\xfc\x84\x80\x80\x80\x80", /* six */
    "\xfe",
    "\xff",
    "\xc3", /* cut off at the end of the text */
    "\xe2\x82",
    "\xf0\x9f\x94",
    "\xf0\x9f",
    "\xf0",
    "\xe2(\xac", /* continuation missing */
    "\xf0\x9f(\x91",
    "\xf0\x9f\x94(",
    "\xc3\xc3\xa9",
};

START_TEST(utf8_is_judged_by_rfc_3629)
{
    for (size_t i = 0; i < COUNT(well_formed); i++) {
        ck_assert_msg(qlm_text_is_utf8(exact(well_formed[i], pool)), "good number %d", (int)i);
    }
    for (size_t i = 0; i < COUNT(ill_formed); i++) {
        ck_assert_msg(!qlm_text_is_utf8(exact(ill_formed[i], pool)), "bad number %d", (int)i);
    }
}
END_TEST

/* Every code point, encoded as the tables of RFC 3629 say; and every pair of bytes. */
START_TEST(every_character_is_judged)
{
    for (unsigned int c = 1; c <= 0x110010; c++) {
        int length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        char text[5] = {0};

        for (int i = length - 1, rest = (int)c; i >= 0; i--, rest >>= 6) {
            static const int marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

            text[i] = (char)(i > 0 ? 0x80 | (rest & 0x3f) : rest | marks[length]);
        }
        int is_scalar = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        int is_xml =
            is_scalar && (c >= 0x20 || c == 9 || c == 10 || c == 13) && c != 0xfffe && c != 0xffff;

        if (qlm_text_is_utf8(text) != is_scalar ||
            qlm_text_xml_character(text) != (is_xml ? (apr_size_t)length : 0)) {
            ck_abort_msg("U+%04X is judged wrongly", c);
        }
    }
    for (int first = 0x80; first < 0x100; first++) {
        for (int second = 1; second < 0x100; second++) {
            char text[] = {(char)first, (char)second, '\0'};
            int is_good = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;

            ck_assert_int_eq(qlm_text_is_utf8(text), is_good);
        }
    }
}
END_TEST

START_TEST(characters_of_xml)
{
    ck_assert_uint_eq(qlm_text_xml_character(exact("", pool)), 0);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\t", pool)), 1);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\x7f", pool)), 1);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\xef\xbf", pool)), 0);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\xef", pool)), 0);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\xef\xbf\xbe", pool)), 0);
    ck_assert_uint_eq(qlm_text_xml_character(exact("\xf0\x9f\x94\x91", pool)), 4);
    for (size_t i = 0; i < COUNT(ill_formed); i++) {
        const char *bad = ill_formed[i][0] == 'a' ? ill_formed[i] + 1 : ill_formed[i];

        ck_assert_msg(!qlm_text_xml_character(exact(bad, pool)), "bad number %d", (int)i);
    }
}
END_TEST

START_TEST(latin1_becomes_utf8)
{
    char every[256], *made;

    for (int c = 1; c < 256; c++) {
        every[c - 1] = (char)c;
    }
    every[255] = '\0';
    made = (char *)qlm_text_from_latin1(exact(every, pool), pool);
    ck_assert(qlm_text_is_utf8(made));
    ck_assert_uint_eq(strlen(made), 127 + 2 * 128);
    ck_assert_str_eq(made + 127 + 2 * 127, "\xc3\xbf");
    ck_assert_str_eq(qlm_text_from_latin1("", pool), "");
    ck_assert_str_eq(qlm_text_from_latin1("\x80", pool), "\xc2\x80");
    ck_assert_str_eq(qlm_text_from_latin1("J\xfcrgen", pool), "J\xc3\xbcrgen");
    /* in any case: also what is UTF-8 already */
    ck_assert_str_eq(qlm_text_from_latin1("\xc3\xbc", pool), "\xc3\x83\xc2\xbc");
}
END_TEST

START_TEST(latin1_only_where_it_is_not_utf8)
{
    const char *good = "J\xc3\xbcrgen";

    ck_assert_ptr_eq(qlm_text_from_latin1_or_utf8(good, pool), good);
    ck_assert_str_eq(qlm_text_from_latin1_or_utf8("J\xfcrgen", pool), good);
    for (size_t i = 0; i < COUNT(ill_formed); i++) {
        ck_assert(qlm_text_is_utf8(qlm_text_from_latin1_or_utf8(exact(ill_formed[i], pool), pool)));
    }
}
END_TEST

/* ---- cleaning ---- */

START_TEST(control_characters_are_found)
{
    for (int c = 1; c < 256; c++) {
        char text[] = {'a', (char)c, '\0'};

        ck_assert_int_eq(qlm_text_has_control(text), c < 0x20 || c == 0x7f);
    }
    ck_assert(!qlm_text_has_control(""));
    ck_assert(qlm_text_has_control(exact("name\r\nSet-Cookie: x", pool)));
}
END_TEST

START_TEST(trimming)
{
    static const char text[] = "  in the middle";

    ck_assert_ptr_eq(qlm_text_trim(text, pool), text + 2); /* no copy without need */
    ck_assert_str_eq(qlm_text_trim(exact(" \t\r\na b\n\r\t ", pool), pool), "a b");
    ck_assert_str_eq(qlm_text_trim(exact("", pool), pool), "");
    ck_assert_str_eq(qlm_text_trim(exact(" \t\r\n ", pool), pool), "");
    ck_assert_str_eq(qlm_text_trim(exact("\va\f", pool), pool), "\va\f");
    ck_assert_str_eq(qlm_text_trim(exact("\xc2\xa0", pool), pool), "\xc2\xa0");
}
END_TEST

START_TEST(emptiness)
{
    ck_assert(qlm_text_is_empty(NULL));
    ck_assert(qlm_text_is_empty(""));
    ck_assert(!qlm_text_is_empty(" "));
}
END_TEST

START_TEST(names_are_cleaned)
{
    static const struct {
        const char *text, *clean;
    } cases[] = {
        {"", ""},
        {"Ann", "Ann"},
        {"  Ann  Lee  ", "Ann  Lee"},
        {"Ann\r\nLee", "Ann Lee"},
        {"Ann\x01\x02\x7f\t\nLee", "Ann Lee"},
        {"Ann \n Lee", "Ann  Lee"},
        {"\n\nAnn\n\n", "Ann"},
        {"\x01", ""},
        {" \x01 \x01 ", ""},
        {"a\x01\x80\x02z", "a z"},
        {"\xff\xfe"
         "Ann\x80",
         "Ann"},
        {"a\xc0\xaf"
         "b",
         "ab"},
        {"a\xef\xbf\xbe\xef\xbf\xbf"
         "b",
         "ab"},
        {"a\xed\xa0\x80"
         "b",
         "ab"},
        {"J\xc3\xbcrgen \xf0\x9f\x94\x91", "J\xc3\xbcrgen \xf0\x9f\x94\x91"},
        {"J\xfcrgen", "Jrgen"},
        {"\xe2\x82", ""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        ck_assert_str_eq(qlm_text_clean(exact(cases[i].text, pool), 100, pool), cases[i].clean);
    }
}
END_TEST

START_TEST(cleaned_texts_are_cut_between_characters)
{
    const char *keys = "\xf0\x9f\x94\x91\xf0\x9f\x94\x91";

    ck_assert_str_eq(qlm_text_clean("abcdef", 3, pool), "abc");
    ck_assert_str_eq(qlm_text_clean("abcdef", 0, pool), "");
    ck_assert_str_eq(qlm_text_clean("abc", 3, pool), "abc");
    ck_assert_str_eq(qlm_text_clean("ab cd", 3, pool), "ab");
    ck_assert_str_eq(qlm_text_clean("ab\ncd", 3, pool), "ab");
    ck_assert_str_eq(qlm_text_clean("ab\ncd", 2, pool), "ab");
    ck_assert_str_eq(qlm_text_clean("abc\xc3\xbcz", 4, pool), "abc");
    for (apr_size_t max = 0; max < 10; max++) {
        ck_assert_uint_eq(strlen(qlm_text_clean(keys, max, pool)), max < 4 ? 0 : max < 8 ? 4 : 8);
    }
}
END_TEST

/* Whatever is sent: the promises of the header hold. */
START_TEST(any_bytes_become_clean)
{
    unsigned int random = 1;

    for (int round = 0; round < 3000; round++) {
        char text[40];
        apr_size_t max = (apr_size_t)round % 40;
        const char *made;

        for (size_t i = 0; i < sizeof(text); i++) {
            static const char usual[] = "\x01 \n\xc3\xbc\xf0\x9f\x94\x91z\x80\xef\xbf\xbe\x7f";

            random = random * 1103515245u + 12345u;
            text[i] = random & 0x10000 ? usual[(random >> 20) % (sizeof(usual) - 1)]
                                       : (char)((random >> 20) % 255 + 1);
        }
        text[(random >> 8) % sizeof(text)] = '\0';
        made = qlm_text_clean(exact(text, pool), max, pool);
        ck_assert_uint_le(strlen(made), max);
        ck_assert(qlm_text_is_utf8(made));
        ck_assert(!qlm_text_has_control(made));
        ck_assert_str_eq(made, qlm_text_trim(made, pool));
        ck_assert_str_eq(made, qlm_text_clean(made, max, pool));
    }
}
END_TEST

START_TEST(folding)
{
    const char *given = exact(" Ann.LEE@Example.ORG\n", pool);

    ck_assert_str_eq(qlm_text_fold(given, pool), "ann.lee@example.org");
    ck_assert_str_eq(given, " Ann.LEE@Example.ORG\n"); /* not changed in place */
    ck_assert_str_eq(qlm_text_fold("@AZ[`az{", pool), "@az[`az{");
    ck_assert_str_eq(qlm_text_fold("\xc3\x9c"
                                   "BER",
                                   pool),
                     "\xc3\x9c"
                     "ber"); /* ASCII only */
    ck_assert_str_eq(qlm_text_fold("", pool), "");
}
END_TEST

START_TEST(splitting)
{
    apr_array_header_t *parts = qlm_text_split(exact(" a ;;b, c d,\t;", pool), ";,", pool);

    ck_assert_int_eq(parts->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(parts, 0, const char *), "a");
    ck_assert_str_eq(APR_ARRAY_IDX(parts, 1, const char *), "b");
    ck_assert_str_eq(APR_ARRAY_IDX(parts, 2, const char *), "c d");
    ck_assert_int_eq(qlm_text_split("", ",", pool)->nelts, 0);
    ck_assert_int_eq(qlm_text_split(",,, ,", ",", pool)->nelts, 0);
    ck_assert_int_eq(qlm_text_split("a,b", "", pool)->nelts, 1);
    ck_assert_int_eq(qlm_text_split("a,b,c,d,e,f,g,h,i", ",", pool)->nelts, 9);
}
END_TEST

START_TEST(texts_for_logs)
{
    ck_assert_str_eq(qlm_text_for_log("plain", 40, pool), "plain");
    ck_assert_str_eq(qlm_text_for_log("", 40, pool), "");
    ck_assert_str_eq(qlm_text_for_log("a\r\nQLM1003: forged", 40, pool), "a??QLM1003: forged");
    ck_assert_str_eq(qlm_text_for_log("\x1b[31m\x7f", 40, pool), "?[31m?");
    ck_assert_str_eq(qlm_text_for_log("J\xc3\xbcrgen", 40, pool), "J??rgen");
    ck_assert_str_eq(qlm_text_for_log("12345", 5, pool), "12345");
    ck_assert_str_eq(qlm_text_for_log("123456", 5, pool), "12345...");
    ck_assert_str_eq(qlm_text_for_log("123456", 0, pool), "...");
    ck_assert_str_eq(qlm_text_for_log("%s%n", 40, pool), "%s%n");
    ck_assert_str_eq(qlm_text_for_log("1234\xc3\xbc", 5, pool), "1234?...");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, whole_numbers);
    tcase_add_test(tests, texts_that_are_no_whole_numbers);
    tcase_add_test(tests, numbers_have_bounds);
    tcase_add_test(tests, truth_has_few_words);
    tcase_add_test(tests, this_machine);
    tcase_add_test(tests, hex_digits);
    tcase_add_test(tests, utf8_is_judged_by_rfc_3629);
    tcase_add_test(tests, every_character_is_judged);
    tcase_add_test(tests, characters_of_xml);
    tcase_add_test(tests, latin1_becomes_utf8);
    tcase_add_test(tests, latin1_only_where_it_is_not_utf8);
    tcase_add_test(tests, control_characters_are_found);
    tcase_add_test(tests, trimming);
    tcase_add_test(tests, emptiness);
    tcase_add_test(tests, names_are_cleaned);
    tcase_add_test(tests, cleaned_texts_are_cut_between_characters);
    tcase_add_test(tests, any_bytes_become_clean);
    tcase_add_test(tests, folding);
    tcase_add_test(tests, splitting);
    tcase_add_test(tests, texts_for_logs);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
