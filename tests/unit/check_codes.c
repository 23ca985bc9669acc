/* Authorization codes in the store: asked for, tried, used; the licenses they may lead to. */
#include "store_fixture.h"

#include "store/codes.h"

#define MINUTE 60

UNIT(add, qlm_authcode_t)
{
    int added;

    QLM_TRY(qlm_store_add_code(&added, unit_store, baton, NOW - 86400, unit_pool));
    baton->attempts = added;
    return NULL;
}

UNIT(use, const qlm_authcode_t)
{
    return qlm_store_use_code(unit_store, baton, NOW + 7, unit_pool);
}

typedef struct failure_t {
    apr_int64_t now, since;
    int most;
} failure_t;

UNIT(note_failure, const failure_t)
{
    return qlm_store_fail_codes(unit_store, "pc", baton->now, baton->since, baton->most, unit_pool);
}

typedef struct listing_t {
    int count;
    const char *newest; /* verifier */
    apr_int64_t since;
} listing_t;

static void take(listing_t *listing, const apr_array_header_t *codes)
{
    listing->count = codes->nelts;
    listing->newest =
        codes->nelts ? apr_pstrdup(pool, APR_ARRAY_IDX(codes, 0, qlm_authcode_t).verifier) : "";
}

UNIT(list_held, listing_t)
{
    apr_array_header_t *codes;

    QLM_TRY(qlm_store_hold_codes(&codes, unit_store, "Pc", unit_pool));
    take(baton, codes);
    return NULL;
}

UNIT(list_of_customer, listing_t)
{
    const qlm_customer_t customer = {.id = 5, .email = "Ann@User.example"};
    apr_array_header_t *codes;

    QLM_TRY(
        qlm_store_list_codes_of_customer(&codes, unit_store, &customer, baton->since, unit_pool));
    take(baton, codes);
    return NULL;
}

/* @return whether it was new */
static int write_code(const char *computer, const char *verifier, const char *email,
                      apr_int64_t license, apr_int64_t at)
{
    qlm_authcode_t code = {.computer_id = computer,
                           .verifier = verifier,
                           .email = email,
                           .license_id = license,
                           .created_at = at,
                           .expires_at = at + 10 * MINUTE};

    OK(qlm_store_write(store, add, &code, pool));
    return code.attempts;
}

static apr_array_header_t *codes_of(const char *computer)
{
    apr_array_header_t *codes;

    OK(qlm_store_list_codes(&codes, store, computer, pool));
    return codes;
}

static const qlm_authcode_t *code_at(const char *computer, int index)
{
    apr_array_header_t *codes = codes_of(computer);

    ck_assert_int_lt(index, codes->nelts);
    return &APR_ARRAY_IDX(codes, index, qlm_authcode_t);
}

static void fail_at(apr_int64_t now, apr_int64_t since, int most)
{
    const failure_t failure = {now, since, most};

    OK(qlm_store_write(store, note_failure, (void *)&failure, pool));
}

static void with_licenses(void)
{
    make_store();
    write_license(1, "AKEY", 1);
    write_license(2, "BKEY", 1);
}

START_TEST(codes_belong_to_a_computer)
{
    listing_t held = {0};

    ck_assert(write_code("PC", "v1", "Ann@user.example", 1, NOW));
    ck_assert(write_code("pc", "v2", "bob@user.example", 2, NOW + 1));
    ck_assert(write_code("other", "v1", "ann@user.example", 1, NOW));
    ck_assert(!write_code("Pc", "v1", "eve@user.example", 2, NOW)); /* an equal one */
    ck_assert_int_eq(codes_of("pC")->nelts, 2);
    ck_assert_int_eq(codes_of("nobody's")->nelts, 0);
    ck_assert_str_eq(code_at("pc", 0)->verifier, "v2");
    ck_assert_str_eq(code_at("pc", 0)->activation_key, "BKEY");
    ck_assert_str_eq(code_at("pc", 1)->activation_key, "AKEY");
    ck_assert_str_eq(code_at("pc", 1)->computer_key, "");
    ck_assert_str_eq(code_at("pc", 1)->email, "ann@user.example");
    ck_assert(code_at("pc", 1)->expires_at == NOW + 10 * MINUTE);
    OK(qlm_store_write(store, list_held, &held, pool));
    ck_assert_int_eq(held.count, 2);
}
END_TEST

START_TEST(a_new_one_ends_the_unused_one)
{
    write_code("pc", "v1", "ann@user.example", 1, NOW);
    write_code("pc", "v2", "bob@user.example", 1, NOW + 1);
    OK(qlm_store_write(store, use, (void *)code_at("pc", 1), pool));
    write_code("pc", "v3", "ann@user.example", 1, NOW + 100);
    write_code("pc", "v4", "ann@user.example", 1, NOW + 200);
    ck_assert_str_eq(code_at("pc", 1)->verifier, "v3");
    ck_assert(code_at("pc", 1)->expires_at == NOW + 200);
    ck_assert(code_at("pc", 0)->expires_at == NOW + 200 + 10 * MINUTE);
    ck_assert(code_at("pc", 2)->expires_at == NOW + 1 + 10 * MINUTE);
    ck_assert(code_at("pc", 3)->expires_at == NOW + 10 * MINUTE);
}
END_TEST

START_TEST(wrong_ones_are_counted_up_to_a_limit)
{
    write_code("pc", "v1", "ann@user.example", 1, NOW);
    write_code("other", "v2", "ann@user.example", 1, NOW);
    for (int i = 0; i < 7; i++) {
        fail_at(NOW + i, NOW - 1000, 5);
    }
    ck_assert_int_eq(code_at("pc", 0)->attempts, 5);
    ck_assert(code_at("pc", 0)->failed_at == NOW + 4);
    ck_assert_int_eq(code_at("other", 0)->attempts, 0);
    /* what was long ago is forgotten */
    fail_at(NOW + 2000, NOW + 1000, 5);
    ck_assert_int_eq(code_at("pc", 0)->attempts, 1);
    ck_assert(code_at("pc", 0)->failed_at == NOW + 2000);
}
END_TEST

START_TEST(the_right_one_makes_forget)
{
    write_code("pc", "v1", "ann@user.example", 1, NOW);
    fail_at(NOW, NOW - 1000, 5);
    OK(qlm_store_write(store, use, (void *)code_at("pc", 0), pool));
    ck_assert_int_eq(code_at("pc", 0)->attempts, 0);
    ck_assert(code_at("pc", 0)->used_at == NOW + 7);
}
END_TEST

START_TEST(what_a_customer_got_lately)
{
    listing_t listing = {0, NULL, NOW};

    write_code("pc", "v1", "ann@user.example", 1, NOW - 1);
    write_code("pc", "v2", "ann@user.example", 1, NOW);
    write_code("other", "v3", "ann@user.example", 1, NOW + 1);
    write_code("other", "v4", "bob@user.example", 1, NOW + 1);
    OK(qlm_store_write(store, list_of_customer, &listing, pool));
    ck_assert_int_eq(listing.count, 2);
    ck_assert_str_eq(listing.newest, "v3");
}
END_TEST

START_TEST(unused_ones_are_forgotten_after_a_day)
{
    write_code("pc", "v1", "ann@user.example", 1, NOW - 86401);
    OK(qlm_store_write(store, use, (void *)code_at("pc", 0), pool));
    write_code("pc", "v2", "ann@user.example", 1, NOW - 86402);
    write_code("other", "v3", "ann@user.example", 1, NOW);
    ck_assert_int_eq(codes_of("pc")->nelts, 1);
    ck_assert_str_eq(code_at("pc", 0)->verifier, "v1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codes");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, with_licenses, remove_folder);
    tcase_add_test(all, codes_belong_to_a_computer);
    tcase_add_test(all, a_new_one_ends_the_unused_one);
    tcase_add_test(all, wrong_ones_are_counted_up_to_a_limit);
    tcase_add_test(all, the_right_one_makes_forget);
    tcase_add_test(all, what_a_customer_got_lately);
    tcase_add_test(all, unused_ones_are_forgotten_after_a_day);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
