/* Trial registrations in the store: what the rules against a second trial look at. */
#include "store_fixture.h"

#include "store/registrations.h"

typedef struct entry_t {
    qlm_registration_t registration;
    int ordinal;
} entry_t;

UNIT(add, const entry_t)
{
    return qlm_store_add_registration(unit_store, &baton->registration, baton->ordinal, unit_pool);
}

static qlm_error_t *enter(const char *email, const char *domain, const char *address, int ordinal,
                          apr_int64_t license, apr_int64_t at)
{
    entry_t entry = {{.email = email,
                      .domain = domain,
                      .address = address,
                      .product_id = 1,
                      .major = 2,
                      .minor = 3,
                      .license_id = license,
                      .created_at = at},
                     ordinal};

    return qlm_store_write(store, add, &entry, pool);
}

static int count_of(const char *address, apr_int64_t since)
{
    apr_int64_t count;

    OK(qlm_store_count_registrations(&count, store, address, since, pool));
    return (int)count;
}

static int count_of_domain(const char *domain)
{
    apr_int64_t count;

    OK(qlm_store_count_registrations_of_domain(&count, store, domain, pool));
    return (int)count;
}

START_TEST(listed_by_email_in_their_order)
{
    apr_array_header_t *list;
    const qlm_registration_t *first;

    write_license(1, "AKEY", 1);
    OK(enter("Ann@A.example", "a.example", "192.0.2.1", 0, 1, NOW));
    OK(enter("ann@a.example", "a.example", "", 1, 99, NOW - 5));
    OK(enter("bob@a.example", "a.example", "", 0, 0, NOW));
    OK(qlm_store_list_registrations(&list, store, "ANN@a.example", pool));
    ck_assert_int_eq(list->nelts, 2);
    first = &APR_ARRAY_IDX(list, 0, qlm_registration_t);
    ck_assert_str_eq(first->email, "ann@a.example");
    ck_assert_str_eq(first->domain, "a.example");
    ck_assert_str_eq(first->address, "192.0.2.1");
    ck_assert_int_eq(first->product_id * 100 + first->major * 10 + first->minor, 123);
    ck_assert(first->license_id == 1 && first->created_at == NOW);
    ck_assert(first->expires_at == 0 && first->first_activated_at == 0);
    ck_assert(APR_ARRAY_IDX(list, 1, qlm_registration_t).license_id ==
              99); /* gone, and no matter */
    OK(qlm_store_list_registrations(&list, store, "eve@a.example", pool));
    ck_assert_int_eq(list->nelts, 0);
}
END_TEST

START_TEST(of_two_at_the_same_time_one_wins)
{
    OK(enter("ann@a.example", "a.example", "", 0, 1, NOW));
    FAILS(enter("ANN@a.example", "a.example", "", 0, 2, NOW), QLM_ERROR_CONFLICT, "same");
    OK(enter("ann@a.example", "a.example", "", 1, 2, NOW));
}
END_TEST

START_TEST(counted)
{
    OK(enter("ann@a.example", "a.example", "192.0.2.1", 0, 0, NOW));
    OK(enter("bob@a.example", "a.example", "192.0.2.1", 0, 0, NOW + 10));
    OK(enter("eve@b.example", "b.example", "192.0.2.2", 0, 0, NOW + 20));
    ck_assert_int_eq(count_of("", 0), 3);
    ck_assert_int_eq(count_of("", NOW + 10), 2);
    ck_assert_int_eq(count_of("192.0.2.1", 0), 2);
    ck_assert_int_eq(count_of("192.0.2.1", NOW + 10), 1);
    ck_assert_int_eq(count_of("192.0.2.3", 0), 0);
    ck_assert_int_eq(count_of_domain("a.example"), 2);
    ck_assert_int_eq(count_of_domain("example"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registrations");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, make_store, remove_folder);
    tcase_add_test(all, listed_by_email_in_their_order);
    tcase_add_test(all, of_two_at_the_same_time_one_wins);
    tcase_add_test(all, counted);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
