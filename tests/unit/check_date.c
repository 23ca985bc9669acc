/* Dates at the edges of the calendar, and patterns. */
#include "base/date.h"
#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define SECOND       "yyyy-MM-dd HH:mm:ss"

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

static apr_int64_t at(const char *text)
{
    apr_int64_t seconds = -99;

    ck_assert_msg(qlm_date_parse(&seconds, text, SECOND), "%s was refused", text);
    return seconds;
}

static void refused(const char *text, const char *pattern)
{
    apr_int64_t seconds = -99;

    ck_assert_msg(!qlm_date_parse(&seconds, exact(text, pool), exact(pattern, pool)),
                  "\"%s\" was read by \"%s\" as %ld", text, pattern, (long)seconds);
    ck_assert_int_eq(seconds, -99);
}

static void reads(const char *text, const char *pattern, const char *expected)
{
    apr_int64_t seconds = -99;

    ck_assert_msg(qlm_date_parse(&seconds, exact(text, pool), exact(pattern, pool)),
                  "\"%s\" was not read by \"%s\"", text, pattern);
    ck_assert_str_eq(qlm_date_format(seconds, SECOND, pool), expected);
}

/* ---- the calendar ---- */

START_TEST(known_moments)
{
    ck_assert_int_eq(at("1970-01-01 00:00:00"), 0);
    ck_assert_int_eq(at("2000-02-29 12:34:56"), 951827696);
    ck_assert_int_eq(at("2001-09-09 01:46:40"), 1000000000);
    ck_assert_int_eq(at("2038-01-19 03:14:08"), 2147483648LL);
    ck_assert_int_eq(at("2106-02-07 06:28:16"), 4294967296LL);
    ck_assert_int_eq(at("9999-12-31 23:59:59"), QLM_DATE_MAX);
}
END_TEST

START_TEST(days_that_do_not_exist)
{
    static const char *const days[] = {
        "2026-02-29", "2100-02-29", "2026-02-30", "2024-02-30", "2026-04-31", "2026-06-31",
        "2026-09-31", "2026-11-31", "2026-01-32", "2026-00-10", "2026-13-10", "2026-01-00",
        "2026-99-99", "0000-01-01", "1969-12-31", "1900-01-01", "0001-01-01",
    };

    for (size_t i = 0; i < COUNT(days); i++) {
        refused(days[i], "yyyy-MM-dd");
    }
    refused("2026-01-01 24:00:00", SECOND);
    refused("2026-01-01 23:60:00", SECOND);
    refused("2026-06-30 23:59:60", SECOND); /* no leap seconds */
    reads("2024-02-29", "yyyy-MM-dd", "2024-02-29 00:00:00");
    reads("2400-02-29", "yyyy-MM-dd", "2400-02-29 00:00:00");
}
END_TEST

/* Against the system's own calendar: each day to 2110, then one in each month to the end. */
START_TEST(every_day_is_read_as_it_is_written)
{
    apr_int64_t step = QLM_DATE_DAY;

    for (apr_int64_t day = 0; day < QLM_DATE_MAX; day += step) {
        time_t moment = (time_t)(day + 86399);
        struct tm calendar;
        char expected[32];
        apr_int64_t again = -1;
        const char *made = qlm_date_format(day + 86399, SECOND, pool);

        strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M:%S", gmtime_r(&moment, &calendar));
        ck_assert_str_eq(made, expected);
        ck_assert(qlm_date_parse(&again, made, SECOND));
        ck_assert_int_eq(again, day + 86399);
        ck_assert_int_eq(qlm_date_end_of_day(day), again);
        if (day > (apr_int64_t)140 * 365 * QLM_DATE_DAY) {
            step = 30 * QLM_DATE_DAY;
        }
    }
}
END_TEST

START_TEST(end_of_day)
{
    ck_assert_int_eq(qlm_date_end_of_day(at("2026-03-04 00:00:00")), at("2026-03-04 23:59:59"));
    ck_assert_int_eq(qlm_date_end_of_day(at("2026-03-04 23:59:59")), at("2026-03-04 23:59:59"));
    ck_assert_int_eq(qlm_date_end_of_day(at("2026-03-04 12:00:01")), at("2026-03-04 23:59:59"));
    ck_assert_int_eq(qlm_date_end_of_day(0), QLM_DATE_DAY - 1);
    ck_assert_int_eq(qlm_date_end_of_day(QLM_DATE_MAX), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_end_of_day(APR_INT64_MAX), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_end_of_day(-1), QLM_DATE_DAY - 1);
    ck_assert_int_eq(qlm_date_end_of_day(APR_INT64_MIN), QLM_DATE_DAY - 1);
}
END_TEST

START_TEST(minutes)
{
    ck_assert_int_eq(qlm_date_minute(at("2026-03-04 23:59:59")), at("2026-03-04 23:59:00"));
    ck_assert_int_eq(qlm_date_minute(at("2026-03-04 23:59:00")), at("2026-03-04 23:59:00"));
    ck_assert_int_eq(qlm_date_minute(QLM_DATE_MAX), QLM_DATE_MAX - 59);
    ck_assert_int_eq(qlm_date_minute(59), 0);
}
END_TEST

START_TEST(days_are_added_to_the_end_of_a_day)
{
    ck_assert_int_eq(qlm_date_add_days(at("2026-02-28 10:00:00"), 0), at("2026-02-28 23:59:59"));
    ck_assert_int_eq(qlm_date_add_days(at("2026-02-28 10:00:00"), 1), at("2026-03-01 23:59:59"));
    ck_assert_int_eq(qlm_date_add_days(at("2024-02-28 23:59:59"), 1), at("2024-02-29 23:59:59"));
    ck_assert_int_eq(qlm_date_add_days(at("2026-01-01 00:00:00"), 365), at("2027-01-01 23:59:59"));
    ck_assert_int_eq(qlm_date_add_days(at("9999-12-30 00:00:00"), 1), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(at("9999-12-30 23:59:59"), 1), QLM_DATE_MAX);
}
END_TEST

START_TEST(additions_stop_at_the_last_day)
{
    ck_assert_int_eq(qlm_date_add_days(at("9999-12-31 00:00:00"), 0), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(at("9999-12-31 00:00:00"), 1), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(at("2026-01-01 00:00:00"), APR_INT64_MAX), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(at("2026-01-01 00:00:00"), APR_INT64_MAX / 86400),
                     QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(APR_INT64_MAX, 1), QLM_DATE_MAX);
    ck_assert_int_eq(qlm_date_add_days(APR_INT64_MIN, 1), 2 * QLM_DATE_DAY - 1);
    ck_assert_int_eq(qlm_date_add_days(at("2026-01-01 00:00:00"), APR_INT64_MIN),
                     at("2026-01-01 23:59:59"));
}
END_TEST

/* ---- patterns ---- */

START_TEST(fields_of_patterns)
{
    reads("2026-03-04", "yyyy-MM-dd", "2026-03-04 00:00:00");
    reads("04.03.2026", "dd.MM.yyyy", "2026-03-04 00:00:00");
    reads("3/4/26", "M/d/yy", "2026-03-04 00:00:00");
    reads("12/31/99", "MM/dd/yy", "2099-12-31 00:00:00");
    reads("03/04/2026", "M/d/yyyy", "2026-03-04 00:00:00");
    reads("20260304", "yyyyMMdd", "2026-03-04 00:00:00");
    reads("20260304235958", "yyyyMMddHHmmss", "2026-03-04 23:59:58");
    reads("7:8:9 on 2026-3-4", "H:m:s on yyyy-M-d", "2026-03-04 07:08:09");
    reads("2026", "yyyy", "2026-01-01 00:00:00");
    reads("23:59", "HH:mm", "1970-01-01 23:59:00");
    reads("", "", "1970-01-01 00:00:00");
    reads("2026-03-04T05:06:07Z", "yyyy-MM-ddTHH:mm:ssZ", "2026-03-04 05:06:07");
    reads("\xe5\xb9\xb4"
          "2026",
          "\xe5\xb9\xb4yyyy", "2026-01-01 00:00:00");
}
END_TEST

START_TEST(patterns_are_strict)
{
    static const char *const bad[] = {
        "",
        "2026",
        "2026-3-4",
        "2026-03-4",
        "2026-03-04 ",
        " 2026-03-04",
        "2026-03-041",
        "2026-03-04x",
        "2026/03/04",
        "26-03-04",
        "02026-03-04",
        "2026-03-",
        "2026--3-04",
        "2026-+3-04",
        "+026-03-04",
        "-026-03-04",
        "2026-03-0x",
        "0x26-03-04",
        "2026-03-04\n",
        "2026-03-04\x01",
        "2026-\xd9\xa0\xd9\xa3-04",
        "2026-03-04T00:00:00",
        "99999999999999999999-03-04",
        "yyyy-MM-dd",
        "2026 03 04",
        "\xff\xff\xff\xff",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        refused(bad[i], "yyyy-MM-dd");
    }
    refused("2026-123-04", "yyyy-M-dd");
    refused("2026-03-04", "");
    refused("", "yyyy");
    refused("3/4/1", "M/d/yy");
}
END_TEST

START_TEST(runs_that_are_no_field_are_literal)
{
    static const char *const patterns[] = {"y",   "yyy", "yyyyy", "MMM", "MMMM",
                                           "ddd", "HHH", "mmmm",  "sss"};

    for (size_t i = 0; i < COUNT(patterns); i++) {
        reads(patterns[i], patterns[i], "1970-01-01 00:00:00");
        ck_assert_str_eq(qlm_date_format(QLM_DATE_MAX, patterns[i], pool), patterns[i]);
        refused("9999", patterns[i]);
        refused("12", patterns[i]);
    }
    ck_assert_str_eq(qlm_date_format(QLM_DATE_MAX, "dddd dd MMM yyyy%s%n", pool),
                     "dddd 31 MMM 9999%59%n");
}
END_TEST

START_TEST(writing)
{
    apr_int64_t moment = at("2026-03-04 05:06:07");

    ck_assert_str_eq(qlm_date_format(moment, SECOND, pool), "2026-03-04 05:06:07");
    ck_assert_str_eq(qlm_date_format(moment, "d.M.yy H:m:s", pool), "4.3.26 5:6:7");
    ck_assert_str_eq(qlm_date_format(at("2026-12-31 23:59:58"), "d.M.yy H:m:s", pool),
                     "31.12.26 23:59:58");
    ck_assert_str_eq(qlm_date_format(at("2026-10-09 10:09:10"), "d.M.yy H:m:s", pool),
                     "9.10.26 10:9:10");
    ck_assert_str_eq(qlm_date_format(at("2000-01-01 00:00:00"), "yy yyyy H", pool), "00 2000 0");
    ck_assert_str_eq(qlm_date_format(moment, "", pool), "");
    ck_assert_str_eq(qlm_date_format(moment, exact("d", pool), pool), "4");
}
END_TEST

START_TEST(moments_that_cannot_be_written)
{
    ck_assert_str_eq(qlm_date_format(QLM_DATE_MAX, SECOND, pool), "9999-12-31 23:59:59");
    ck_assert_str_eq(qlm_date_format(QLM_DATE_MAX + 1, SECOND, pool), "9999-12-31 23:59:59");
    ck_assert_str_eq(qlm_date_format(APR_INT64_MAX, SECOND, pool), "9999-12-31 23:59:59");
    ck_assert_str_eq(qlm_date_format(-1, SECOND, pool), "1970-01-01 00:00:00");
    ck_assert_str_eq(qlm_date_format(APR_INT64_MIN, SECOND, pool), "1970-01-01 00:00:00");
}
END_TEST

START_TEST(long_patterns_are_not_cut)
{
    char pattern[2001];
    const char *made;

    for (size_t i = 0; i < sizeof(pattern) - 1; i += 2) {
        memcpy(pattern + i, "d ", 2);
    }
    pattern[sizeof(pattern) - 1] = '\0';
    made = qlm_date_format(at("2026-12-31 00:00:00"), exact(pattern, pool), pool);
    ck_assert_uint_eq(strlen(made), 3000);
    ck_assert_str_eq(made + 2991, "31 31 31 ");
    reads(made, pattern, "1970-01-31 00:00:00");
}
END_TEST

START_TEST(any_usual_form)
{
    static const char *const forms[] = {"2026-03-04", "2026-03-04 00:00:00", "2026-03-04 00:00",
                                        "2026-03-04T00:00:00", "2026-03-04T00:00:00Z"};
    static const char *const bad[] = {"",
                                      "04.03.2026",
                                      "03/04/2026",
                                      "2026-03-04T00:00:00+01:00",
                                      "2026-03-04T00:00",
                                      "2026-03-04 ",
                                      "now",
                                      "20260304"};
    apr_int64_t seconds = -99;

    for (size_t i = 0; i < COUNT(forms); i++) {
        ck_assert(qlm_date_parse_any(&seconds, forms[i], NULL));
        ck_assert_int_eq(seconds, at("2026-03-04 00:00:00"));
    }
    seconds = -99;
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!qlm_date_parse_any(&seconds, bad[i], NULL), "%s", bad[i]);
    }
    ck_assert_int_eq(seconds, -99);
    ck_assert(qlm_date_parse_any(&seconds, "04.03.2026", "dd.MM.yyyy"));
    ck_assert_int_eq(seconds, at("2026-03-04 00:00:00"));
    ck_assert(qlm_date_parse_any(&seconds, "2027-03-04", "dd.MM.yyyy"));
    ck_assert_int_eq(seconds, at("2027-03-04 00:00:00"));
    ck_assert(qlm_date_parse_any(&seconds, "2026-04-03", "yyyy-dd-MM")); /* the pattern is first */
    ck_assert_int_eq(seconds, at("2026-03-04 00:00:00"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("date");
    TCase *tests = tcase_create("date");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, known_moments);
    tcase_add_test(tests, days_that_do_not_exist);
    tcase_add_test(tests, every_day_is_read_as_it_is_written);
    tcase_add_test(tests, end_of_day);
    tcase_add_test(tests, minutes);
    tcase_add_test(tests, days_are_added_to_the_end_of_a_day);
    tcase_add_test(tests, additions_stop_at_the_last_day);
    tcase_add_test(tests, fields_of_patterns);
    tcase_add_test(tests, patterns_are_strict);
    tcase_add_test(tests, runs_that_are_no_field_are_literal);
    tcase_add_test(tests, writing);
    tcase_add_test(tests, moments_that_cannot_be_written);
    tcase_add_test(tests, long_patterns_are_not_cut);
    tcase_add_test(tests, any_usual_form);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
