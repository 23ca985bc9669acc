/* Lists of addresses and networks. */
#include "base/address.h"

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

static int holds(const char *list, const char *address)
{
    const char *unreadable;
    int found = qlm_addresses_hold(qlm_addresses_read(&unreadable, list, pool), address, pool);

    ck_assert_msg(unreadable == NULL, "%s", unreadable);
    return found;
}

START_TEST(addresses_and_networks)
{
    ck_assert(holds("192.0.2.7", "192.0.2.7"));
    ck_assert(!holds("192.0.2.7", "192.0.2.8"));
    ck_assert(holds("192.0.2.0/24;198.51.100.1", "198.51.100.1"));
    ck_assert(holds("192.0.2.0/255.255.255.128", "192.0.2.127"));
    ck_assert(!holds("192.0.2.0/255.255.255.128", "192.0.2.128"));
    ck_assert(holds("192.0.2.0/25, 203.0.113.0/32", "203.0.113.0"));
    ck_assert(!holds("203.0.113.0/32", "203.0.113.1"));
    ck_assert(holds("0.0.0.0/1", "127.0.0.1"));
    ck_assert(!holds("0.0.0.0/1 128.0.0.0/1", "2001:db8::1"));
    ck_assert(holds("2001:DB8::/32 ::1", "2001:db8:ffff::1"));
    ck_assert(holds("2001:DB8::/32 ::1", "::1"));
    ck_assert(!holds("2001:DB8::/32 ::1", "2001:db9::1"));
    ck_assert(!holds("::/1", "192.0.2.7"));
    ck_assert(holds("192.0.2.7", "::ffff:192.0.2.7")); /* the same computer */
    ck_assert(holds("fe80::/10", "fe80::1%eth0"));
}
END_TEST

START_TEST(what_is_no_address_is_in_no_network)
{
    static const char *const addresses[] = {"",           "localhost", "abc",          "192.0.2",
                                            "192.0.2.7 ", "-",         "192.0.2.7:80", "%eth0"};

    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        ck_assert_msg(!holds("192.0.2.0/24;127.0.0.0/8;::/1", addresses[i]), "%s", addresses[i]);
    }
    ck_assert(!holds("", "192.0.2.7"));
    ck_assert(!holds(" ;, ", "192.0.2.7"));
}
END_TEST

START_TEST(what_cannot_be_read_is_told_and_left_out)
{
    static const char *const parts[] = {
        "everybody",   "192.0.2.7/33",        "192.0.2.7/", "/24",       "192.0.2.999",
        "*",           "192.0.2.1-192.0.2.9", "192.0.2.*",  "::1/129",   "2001:db8::/255.0.0.0",
        "192.0.2.7/x", "example.org",         "-",          "0.0.0.0/0", "::/0"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        const char *unreadable;
        apr_array_header_t *networks = qlm_addresses_read(&unreadable, parts[i], pool);

        ck_assert_msg(unreadable != NULL, "%s", parts[i]);
        ck_assert_str_eq(unreadable, parts[i]);
        ck_assert_int_eq(networks->nelts, 0);
    }
    ck_assert(qlm_addresses_hold(qlm_addresses_read(NULL, "nonsense;192.0.2.7", pool), "192.0.2.7",
                                 pool)); /* the rest holds */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tests = tcase_create("address");
    SRunner *runner = srunner_create(suite);
    int failed;

    apr_initialize();
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, addresses_and_networks);
    tcase_add_test(tests, what_is_no_address_is_in_no_network);
    tcase_add_test(tests, what_cannot_be_read_is_told_and_left_out);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
