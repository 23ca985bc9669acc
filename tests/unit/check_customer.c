/* Records of customers and the patterns of organizations. */
#include "license/customer.h"
#include "license/organization.h"

#include <apr_general.h>
#include <apr_strings.h>
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

static qlm_customer_t ann(void)
{
    qlm_customer_t customer;

    qlm_customer_clear(&customer);
    customer.email = "ann@buyer.example";
    customer.full_name = "Ann";
    customer.city = "Bonn";
    return customer;
}

START_TEST(a_cleared_record_says_nothing)
{
    qlm_customer_t before = ann(), after = ann(), said;

    qlm_customer_clear(&said);
    qlm_customer_merge(&after, &said);
    ck_assert_str_eq(qlm_customer_changes(&before, &after, pool), "");
    ck_assert_int_eq(said.privacy_consent, -1);
    ck_assert_int_eq(said.include_in_mail_list, -1);
}
END_TEST

START_TEST(what_is_said_is_taken_over_but_never_the_address)
{
    qlm_customer_t before = ann(), after = ann(), said = {.email = "x@y.example", .city = "K\"ln"};

    before.organization_id = after.organization_id = 7;
    said.organization_id = 8;
    said.privacy_consent = 1;
    said.include_in_mail_list = 1;
    qlm_customer_merge(&after, &said);
    ck_assert_str_eq(qlm_customer_changes(&before, &after, pool),
                     "{\"City\":[\"Bonn\",\"K\\\"ln\"],\"IncludeInMailList\":[\"\",\"true\"]}");
    ck_assert_str_eq(after.email, "ann@buyer.example");
    ck_assert_int_eq((int)after.organization_id, 7);
}
END_TEST

START_TEST(gaps_are_filled)
{
    qlm_customer_t customer = ann(), other;

    qlm_customer_clear(&other);
    other.full_name = "Bob";
    other.phone = "1";
    other.organization_id = 5;
    other.privacy_consent = 1;
    other.privacy_consent_at = 99;
    other.include_in_mail_list = 0;
    qlm_customer_fill(&customer, &other);
    ck_assert_str_eq(customer.full_name, "Ann");
    ck_assert_str_eq(customer.phone, "1");
    ck_assert_int_eq((int)customer.organization_id, 5);
    ck_assert_int_eq(customer.privacy_consent, 1);
    ck_assert_int_eq((int)customer.privacy_consent_at, 99);
    ck_assert_int_eq(customer.include_in_mail_list, 0);
}
END_TEST

START_TEST(all_of_a_record_is_in_the_changes)
{
    qlm_customer_t customer = ann();

    ck_assert_str_eq(qlm_customer_changes(&customer, NULL, pool),
                     "{\"Email\":[\"ann@buyer.example\",\"\"],\"FullName\":[\"Ann\",\"\"],"
                     "\"City\":[\"Bonn\",\"\"]}");
}
END_TEST

static const struct {
    const char *domains, *email;
    int is_covered;
} patterns[] = {
    {"", "a@b.example", 0},
    {"b.example", "a@b.example", 1},
    {"B.Example", "A@b.EXAMPLE", 1},
    {"b.example", "a@x.b.example", 0},
    {"%.b.example", "a@x.b.example", 1},
    {"%.b.example", "a@b.example", 0},
    {"%b.example", "a@notb.example", 1},
    {"%@b.example", "a@b.example", 1},
    {"%@b.example", "a@x.b.example", 0},
    {"sales%@b.example", "sales.eu@b.example", 1},
    {"x.example, b.example ,", "a@b.example", 1},
    {",,", "a@b.example", 0},
    {"%", "a@b.example", 1},
    {"%", "no-address", 0},
    {"%a%b%c%", "x@aabbcc.example", 1},
    {"%a%b%d%", "x@aabbcc.org", 0},
    {"b_example", "a@b.example", 0},
};

START_TEST(patterns_of_domains)
{
    ck_assert_int_eq(qlm_organization_covers(patterns[_i].domains, patterns[_i].email, pool),
                     patterns[_i].is_covered);
}
END_TEST

/* A pattern made to take long: each % may match anywhere. */
START_TEST(no_pattern_takes_long)
{
    char pattern[1000], email[2000];

    for (int i = 0; i < 999; i++) {
        pattern[i] = i % 2 ? 'a' : '%';
    }
    pattern[998] = 'b';
    pattern[999] = '\0';
    memset(email, 'a', sizeof(email));
    email[1] = '@';
    email[1999] = '\0';
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(qlm_organization_covers(pattern, email, pool), 0);
    }
}
END_TEST

static const struct {
    const char *text;
    int is_email;
} emails[] = {
    {"ann@buyer.example", 1},
    {"", 0},
    {"ann", 0},
    {"@x", 0},
    {"a@", 0},
    {"a@b@c", 0},
    {"a b@c", 0},
    {"a@b,c@d", 0},
    {"<a@b>", 0},
    {"a@b\r\n", 0},
    {"\"a\"@b", 0},
    {"\xc3\xa4@b", 1},
};

START_TEST(what_can_be_an_address)
{
    ck_assert_int_eq(qlm_customer_is_email(emails[_i].text), emails[_i].is_email);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(table[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("customer");
    TCase *tests = tcase_create("customer");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_cleared_record_says_nothing);
    tcase_add_test(tests, what_is_said_is_taken_over_but_never_the_address);
    tcase_add_test(tests, gaps_are_filled);
    tcase_add_test(tests, all_of_a_record_is_in_the_changes);
    tcase_add_loop_test(tests, patterns_of_domains, 0, ROWS(patterns));
    tcase_add_test(tests, no_pattern_takes_long);
    tcase_add_loop_test(tests, what_can_be_an_address, 0, ROWS(emails));
    suite_add_tcase(suite, tests);
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
