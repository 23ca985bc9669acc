/* How far a renewal reaches. */
#include "license/renewal.h"

#include "base/date.h"
#include "license/record.h"

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>

static apr_pool_t *pool;
static apr_int64_t now;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    ck_assert(qlm_date_parse_any(&now, "2026-11-21 09:30:15", NULL));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* "" = none; a day is its end, anything longer that moment */
static apr_int64_t moment(const char *text)
{
    apr_int64_t seconds = 0;

    ck_assert(!*text || qlm_date_parse_any(&seconds, text, NULL));
    return *text && !text[10] ? qlm_date_end_of_day(seconds) : seconds;
}

static const char *shown(apr_int64_t seconds)
{
    return seconds ? qlm_date_format(seconds, "yyyy-MM-dd HH:mm:ss", pool) : "";
}

static qlm_license_t license_of(const char *ordered, const char *expires, int duration)
{
    qlm_license_t license;

    qlm_license_clear(&license);
    license.ordered_at = moment(ordered);
    license.expires_at = moment(expires);
    license.duration_days = duration;
    return license;
}

static const struct {
    const char *ordered, *expires;
    int duration, days;
} periods[] = {
    {"2026-01-01 10:00", "2026-01-31", -1, 30},
    {"2026-01-01 00:00", "2026-01-31", -1, 30}, /* the hour of the order does not matter */
    {"2026-01-01 23:59:59", "2026-01-31", -1, 30},
    {"2026-01-01 10:00", "2026-01-31", 365, 365}, /* the stored one wins */
    {"2026-01-01 10:00", "2026-01-31", 0, 30},
    {"2026-01-01 10:00", "2026-01-01", -1, 0},
    {"2026-01-02 10:00", "2026-01-01", -1, 0},
    {"2026-01-01 10:00", "", -1, 0},
    {"2026-01-01 10:00", "", 90, 90},
    {"", "2026-01-31", -1, 0},
    {"2026-01-01 10:00", "9999-12-31", -1, 0},
};

START_TEST(a_period_is_the_stored_one_or_the_first)
{
    qlm_license_t license =
        license_of(periods[_i].ordered, periods[_i].expires, periods[_i].duration);

    ck_assert_int_eq(qlm_renewal_period(&license), periods[_i].days);
}
END_TEST

static const struct {
    const char *expires;
    int duration, days;
    const char *until;
} extensions[] = {
    {"2026-12-31", -1, 30, "2027-01-30 23:59:59"}, /* early: no paid day is lost */
    {"2026-11-21", -1, 30, "2026-12-21 23:59:59"},
    {"2026-11-10", -1, 30, "2026-12-10 23:59:59"}, /* late: on from the old end */
    {"2026-10-22", -1, 30, "2026-11-21 23:59:59"}, /* to the end of today, still of use */
    {"2026-10-21", -1, 30, "2026-12-21 23:59:59"}, /* would be past: from today */
    {"2020-01-01", -1, 365, "2027-11-21 23:59:59"},
    {"9999-12-30", -1, 30, "9999-12-31 23:59:59"},
    {"2026-12-31", -1, 36500, "2126-12-07 23:59:59"},
    {"2024-02-28", -1, 1095, "2027-02-27 23:59:59"}, /* over a leap day */
    {"", 90, 30, "2027-03-21 23:59:59"},             /* begins today: 90 and 30 days */
};

START_TEST(an_end_is_moved_by_days)
{
    qlm_license_t license = license_of("", extensions[_i].expires, extensions[_i].duration);

    ck_assert_str_eq(shown(qlm_renewal_extend(&license, extensions[_i].days, now)),
                     extensions[_i].until);
}
END_TEST

START_TEST(the_first_renewal_keeps_the_length_of_the_period)
{
    qlm_license_t license = license_of("2026-01-01 10:00", "2026-12-31", -1);

    qlm_renewal_apply(&license, moment("2027-12-31"));
    ck_assert_str_eq(shown(license.expires_at), "2027-12-31 23:59:59");
    ck_assert_int_eq(license.duration_days, 364);
    qlm_renewal_apply(&license, moment("2030-12-31"));
    ck_assert_int_eq(license.duration_days, 364);
    license = license_of("", "2026-12-31", -1);
    qlm_renewal_apply(&license, moment("2027-12-31"));
    ck_assert_int_eq(license.duration_days, -1);
}
END_TEST

START_TEST(what_has_no_end_is_endless)
{
    qlm_license_t limited = license_of("", "2026-12-31", -1);
    qlm_license_t waiting = license_of("", "", 30);
    qlm_license_t endless = license_of("", "", -1);
    qlm_license_t zero = license_of("", "", 0);

    ck_assert(!qlm_renewal_is_endless(&limited));
    ck_assert(!qlm_renewal_is_endless(&waiting));
    ck_assert(qlm_renewal_is_endless(&endless));
    ck_assert(qlm_renewal_is_endless(&zero));
}
END_TEST

START_TEST(a_plan_goes_on_from_its_end_or_from_today)
{
    ck_assert_str_eq(shown(qlm_renewal_prolong(moment("2027-01-01"), 365, now)),
                     "2028-01-01 23:59:59");
    ck_assert_str_eq(shown(qlm_renewal_prolong(moment("2026-11-20"), 365, now)),
                     "2027-11-21 23:59:59");
    ck_assert_str_eq(shown(qlm_renewal_prolong(0, 365, now)), "2027-11-21 23:59:59");
    ck_assert_str_eq(shown(qlm_renewal_prolong(QLM_DATE_MAX, 365, now)), "9999-12-31 23:59:59");
}
END_TEST

static const struct {
    const char *until;
    int grace, is_in_time;
} graces[] = {
    {"2026-11-21", 0, 1},  {"2026-11-20", 0, 0},     {"2026-11-20", 1, 1},  {"2026-11-19", 1, 0},
    {"2020-01-01", -1, 1}, {"2020-01-01", 36501, 1}, {"2020-01-01", 30, 0}, {"", 0, 1},
};

START_TEST(grace_is_counted_in_days)
{
    ck_assert_int_eq(qlm_renewal_is_in_time(moment(graces[_i].until), graces[_i].grace, now),
                     graces[_i].is_in_time);
}
END_TEST

static int count(size_t bytes, size_t one)
{
    return (int)(bytes / one);
}

int main(void)
{
    Suite *suite = suite_create("renewal");
    TCase *tests = tcase_create("renewal");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_period_is_the_stored_one_or_the_first, 0,
                        count(sizeof(periods), sizeof(periods[0])));
    tcase_add_loop_test(tests, an_end_is_moved_by_days, 0,
                        count(sizeof(extensions), sizeof(extensions[0])));
    tcase_add_test(tests, the_first_renewal_keeps_the_length_of_the_period);
    tcase_add_test(tests, what_has_no_end_is_endless);
    tcase_add_test(tests, a_plan_goes_on_from_its_end_or_from_today);
    tcase_add_loop_test(tests, grace_is_counted_in_days, 0,
                        count(sizeof(graces), sizeof(graces[0])));
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
