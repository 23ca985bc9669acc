/* The snapshot of the site: one for many calls, a new one after a change, old ones as long as they
 * are held. */
#include "service/site.h"

#include "unit/store_fixture.h"

static const qlm_secrets_t *secrets;
static qlm_site_t *site;

static const qlm_secrets_t *secrets_of(unsigned char first)
{
    unsigned char secret[QLM_SECRET_BYTES] = {0};

    secret[0] = first;
    return qlm_secrets_from_bytes(secret, 1, pool);
}

static void set_up(void)
{
    make_store();
    secrets = secrets_of(3);
    site = qlm_site_create(secrets, pool);
}

static const qlm_snapshot_t *snapshot(apr_pool_t *call_pool)
{
    const qlm_snapshot_t *held = NULL;

    OK(qlm_site_snapshot(&held, site, store, call_pool));
    return held;
}

/* ---- changes by another, such as the command line ---- */

typedef struct setting_t {
    const char *name, *value;
} setting_t;

UNIT(set_property, setting_t)
{
    return qlm_store_set_property(unit_store, baton->name, baton->value, unit_pool);
}

static void put(const char *name, const char *value)
{
    setting_t setting = {name, value};

    OK(qlm_store_write(store, set_property, &setting, pool));
}

UNIT(add_product, qlm_product_t)
{
    int added;

    QLM_TRY(qlm_store_add_product(&added, unit_store, baton, unit_pool));
    ck_assert_int_eq(added, 1);
    return NULL;
}

/* A product version whose private key is sealed by `sealer` for the version `sealed_minor`. */
static void put_product(int minor, const qlm_secrets_t *sealer, int sealed_minor)
{
    qlm_product_t product = {4,    2,    minor, "Demo", 0,  QLM_ALGORITHM_RSA_SHA256,
                             NULL, NULL, "",    "",     "", ""};
    const char *private_pem;

    OK(qlm_signature_generate(&private_pem, &product.public_key_pem, 1024, pool));
    OK(qlm_secrets_seal(&product.private_key_sealed, sealer,
                        qlm_product_identity(4, 2, sealed_minor, pool), private_pem, pool));
    OK(qlm_store_write(store, add_product, &product, pool));
}

UNIT(set_vendor, qlm_vendor_record_t)
{
    return qlm_store_set_vendor(unit_store, baton, unit_pool);
}

UNIT(note_foreign_keys, void)
{
    (void)baton;
    return qlm_store_note_foreign_keys(unit_store, unit_pool);
}

/* ---- sharing ---- */

START_TEST(calls_share_one_snapshot)
{
    apr_pool_t *first, *second;
    const qlm_snapshot_t *held;

    apr_pool_create(&first, pool);
    apr_pool_create(&second, pool);
    held = snapshot(first);
    ck_assert_ptr_eq(snapshot(second), held);
    apr_pool_destroy(first);
    ck_assert_ptr_eq(snapshot(second), held);
    apr_pool_destroy(second);
    ck_assert_ptr_eq(snapshot(pool), held); /* the site keeps it for the next call */
}
END_TEST

START_TEST(a_change_makes_a_new_one)
{
    const qlm_snapshot_t *before = snapshot(pool), *after;

    ck_assert_ptr_null(qlm_properties_get(qlm_snapshot_properties(before), "colour"));
    put("Colour", "red");
    after = snapshot(pool);
    ck_assert_ptr_ne(after, before);
    ck_assert_str_eq(qlm_properties_get(qlm_snapshot_properties(after), "COLOUR"), "red");
    /* the call that still holds the old one sees what it saw */
    ck_assert_ptr_null(qlm_properties_get(qlm_snapshot_properties(before), "colour"));
    put("Colour", NULL);
    ck_assert_ptr_null(qlm_properties_get(qlm_snapshot_properties(snapshot(pool)), "colour"));
}
END_TEST

/* With the sanitizers and valgrind: nothing is freed too early or not at all. */
START_TEST(an_old_one_lives_until_its_last_call)
{
    apr_pool_t *first, *second;
    const qlm_snapshot_t *old;

    put("colour", "red");
    apr_pool_create(&first, pool);
    apr_pool_create(&second, pool);
    old = snapshot(first);
    ck_assert_ptr_eq(snapshot(second), old);
    put("colour", "blue");
    snapshot(pool); /* the site lets the old one go */
    apr_pool_destroy(first);
    ck_assert_str_eq(qlm_properties_get(qlm_snapshot_properties(old), "colour"), "red");
    apr_pool_destroy(second);
    ck_assert_str_eq(qlm_properties_get(qlm_snapshot_properties(snapshot(pool)), "colour"), "blue");
}
END_TEST

START_TEST(licenses_are_no_change_of_the_site)
{
    const qlm_snapshot_t *before = snapshot(pool);

    write_license(1, "AKEY", 1);
    ck_assert_ptr_eq(snapshot(pool), before);
}
END_TEST

START_TEST(a_database_without_tables_is_an_error)
{
    const qlm_snapshot_t *held = NULL;
    qlm_store_t *empty = NULL;

    OK(qlm_store_open(&empty, "sqlite3", apr_pstrcat(pool, folder, "/empty.db", NULL), 0, pool));
    FAILS(qlm_site_snapshot(&held, site, empty, pool), QLM_ERROR_STORE, "qlmctl");
    ck_assert_ptr_null(held);
}
END_TEST

/* ---- what is in it ---- */

START_TEST(vendors_by_canonical_name)
{
    qlm_vendor_record_t record = {.name = "shareit",
                                  .is_enabled = 1,
                                  .user = "me",
                                  .password_verifier = "v1$x",
                                  .url = "https://shop.example"};
    const qlm_vendor_record_t *found;

    ck_assert_ptr_null(qlm_snapshot_vendor(snapshot(pool), "shareit"));
    OK(qlm_store_write(store, set_vendor, &record, pool));
    found = qlm_snapshot_vendor(snapshot(pool), "shareit");
    ck_assert_ptr_nonnull(found);
    ck_assert_int_eq(found->is_enabled, 1);
    ck_assert_str_eq(found->user, "me");
    ck_assert_ptr_null(qlm_snapshot_vendor(snapshot(pool), "cleverbridge"));
    ck_assert_ptr_null(qlm_snapshot_vendor(snapshot(pool), ""));
}
END_TEST

START_TEST(products_by_version)
{
    put_product(0, secrets, 0);
    put_product(1, secrets, 1);
    ck_assert_int_eq(qlm_snapshot_product(snapshot(pool), 4, 2, 1)->minor, 1);
    ck_assert_int_eq(qlm_snapshot_product(snapshot(pool), 4, 2, 0)->minor, 0);
    ck_assert_ptr_null(qlm_snapshot_product(snapshot(pool), 4, 2, 2));
    ck_assert_ptr_null(qlm_snapshot_product(snapshot(pool), 2, 4, 1));
    ck_assert_ptr_null(qlm_snapshot_product(snapshot(pool), 0, 0, 0));
}
END_TEST

START_TEST(foreign_keys_are_told)
{
    ck_assert(!qlm_snapshot_has_foreign_keys(snapshot(pool)));
    OK(qlm_store_write(store, note_foreign_keys, NULL, pool));
    ck_assert(qlm_snapshot_has_foreign_keys(snapshot(pool)));
}
END_TEST

/* ---- private keys ---- */

START_TEST(a_key_is_parsed_once)
{
    const qlm_private_key_t *key = NULL, *again = NULL;
    const qlm_snapshot_t *held;
    const char *signed_document;
    apr_pool_t *call_pool;

    put_product(0, secrets, 0);
    held = snapshot(pool);
    apr_pool_create(&call_pool, pool);
    OK(qlm_snapshot_private_key(&key, held, qlm_snapshot_product(held, 4, 2, 0), call_pool));
    apr_pool_destroy(call_pool); /* it is the snapshot's, not the call's */
    OK(qlm_snapshot_private_key(&again, held, qlm_snapshot_product(held, 4, 2, 0), pool));
    ck_assert_ptr_eq(key, again);
    OK(qlm_signature_sign(&signed_document, "<QuickLicenseManager></QuickLicenseManager>", key,
                          QLM_ALGORITHM_RSA_SHA256, NULL, pool));
}
END_TEST

static void cannot_sign(int minor)
{
    const qlm_snapshot_t *held = snapshot(pool);
    const qlm_private_key_t *key = NULL;

    for (int attempt = 0; attempt < 2;
         attempt++) { /* the first failure is not remembered as a key */
        qlm_error_t *error =
            qlm_snapshot_private_key(&key, held, qlm_snapshot_product(held, 4, 2, minor), pool);

        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
        ck_assert_int_eq(error->code, QLM_CODE_FAILED_TO_SIGN);
        ck_assert_ptr_nonnull(strstr(error->detail, "product 4 version 2."));
        ck_assert_ptr_null(strstr(error->text, "decrypted"));
        ck_assert_ptr_null(key);
    }
}

START_TEST(keys_of_another_secret_or_record_sign_nothing)
{
    qlm_product_t bare = {4, 2, 7, "Demo", 0, QLM_ALGORITHM_RSA_SHA256, "", "", "", "", "", ""};

    put_product(0, secrets_of(4), 0); /* the secret file was changed */
    put_product(1, secrets, 0);       /* copied from another version in the database */
    OK(qlm_store_write(store, add_product, &bare, pool));
    OK(qlm_secrets_seal(&bare.private_key_sealed, secrets, qlm_product_identity(4, 2, 8, pool),
                        "no key at all", pool));
    bare.minor = 8;
    OK(qlm_store_write(store, add_product, &bare, pool));
    cannot_sign(0);
    cannot_sign(1);
    cannot_sign(7);
    cannot_sign(8);
}
END_TEST

/* ---- blocked addresses ---- */

static int is_blocked(const char *list, const char *address)
{
    put("blockIPAddresses", list);
    return qlm_snapshot_is_blocked(snapshot(pool), address, pool);
}

START_TEST(addresses_and_networks_are_blocked)
{
    ck_assert(is_blocked("192.0.2.7", "192.0.2.7"));
    ck_assert(!is_blocked("192.0.2.7", "192.0.2.8"));
    ck_assert(!is_blocked("192.0.2.7", "192.0.2.70"));
    ck_assert(is_blocked("198.51.100.1; 192.0.2.0/24", "192.0.2.255"));
    ck_assert(!is_blocked("192.0.2.0/24", "192.0.3.0"));
    ck_assert(is_blocked("192.0.2.0/255.255.255.0", "192.0.2.9"));
    ck_assert(is_blocked("2001:db8::/32", "2001:db8:1::1"));
    ck_assert(!is_blocked("2001:db8::/32", "2001:db9::1"));
    ck_assert(is_blocked("\t2001:db8::1,\n192.0.2.7 ", "192.0.2.7"));
}
END_TEST

START_TEST(what_is_no_address_blocks_nobody)
{
    static const char *const lists[] = {
        "",          ";",           ";;,", "/", "192.0.2.7/",          "192.0.2.7/99",
        "everybody", "192.0.2.999", "*",   "-", "192.0.2.7-192.0.2.9", "://"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        ck_assert_msg(!is_blocked(lists[i], "192.0.2.7"), "%s", lists[i]);
    }
    ck_assert(is_blocked("nonsense;192.0.2.7/99;192.0.2.7", "192.0.2.7")); /* the rest holds */
    ck_assert(!is_blocked("192.0.2.7", ""));
}
END_TEST

/* ---- methods in lists ---- */

static int lists(qlm_listed_t list, const char *method)
{
    return qlm_snapshot_lists(snapshot(pool), list, qlm_method_find(method));
}

START_TEST(methods_are_listed_under_any_spelling)
{
    ck_assert(!lists(QLM_LISTED_ADMIN, "GetActivationKey"));
    put("httpAdminMethods", "NoSuchMethod;getactivationkey, PINGHTTP\tActivateKey");
    ck_assert(lists(QLM_LISTED_ADMIN, "GetActivationKey"));
    ck_assert(lists(QLM_LISTED_ADMIN, "PingHttp"));
    ck_assert(lists(QLM_LISTED_ADMIN, "ActivateKey"));
    ck_assert(!lists(QLM_LISTED_ADMIN, "GetActivationKeyWithExpiryDate"));
    ck_assert(!lists(QLM_LISTED_ADMIN, "ValidateLicenseHttp"));
    ck_assert(!lists(QLM_LISTED_STRICT, "GetActivationKey"));
    put("strictAuthenticationHttpMethods", "ValidateLicenseHttp");
    ck_assert(lists(QLM_LISTED_STRICT, "ValidateLicenseHttp"));
    ck_assert(!lists(QLM_LISTED_STRICT, "GetActivationKey"));
    put("strictAuthenticationHttpMethods", "none");
    ck_assert(!lists(QLM_LISTED_STRICT, "ValidateLicenseHttp"));
}
END_TEST

START_TEST(addresses_of_administrators)
{
    ck_assert(!qlm_snapshot_is_admin_address(snapshot(pool), "192.0.2.7", pool));
    put("httpAdminMethodsAllowedIPAddresses", "198.51.100.0/24;2001:db8::/32");
    ck_assert(qlm_snapshot_is_admin_address(snapshot(pool), "198.51.100.9", pool));
    ck_assert(qlm_snapshot_is_admin_address(snapshot(pool), "2001:db8::9", pool));
    ck_assert(!qlm_snapshot_is_admin_address(snapshot(pool), "192.0.2.7", pool));
    ck_assert(!qlm_snapshot_is_admin_address(snapshot(pool), "", pool));
    put("httpAdminMethodsAllowedIPAddresses", "everybody");
    ck_assert(!qlm_snapshot_is_admin_address(snapshot(pool), "192.0.2.7", pool));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("site");
    TCase *tests = tcase_create("site");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, remove_folder);
    tcase_add_test(tests, calls_share_one_snapshot);
    tcase_add_test(tests, a_change_makes_a_new_one);
    tcase_add_test(tests, an_old_one_lives_until_its_last_call);
    tcase_add_test(tests, licenses_are_no_change_of_the_site);
    tcase_add_test(tests, a_database_without_tables_is_an_error);
    tcase_add_test(tests, vendors_by_canonical_name);
    tcase_add_test(tests, products_by_version);
    tcase_add_test(tests, foreign_keys_are_told);
    tcase_add_test(tests, a_key_is_parsed_once);
    tcase_add_test(tests, keys_of_another_secret_or_record_sign_nothing);
    tcase_add_test(tests, addresses_and_networks_are_blocked);
    tcase_add_test(tests, what_is_no_address_blocks_nobody);
    tcase_add_test(tests, methods_are_listed_under_any_spelling);
    tcase_add_test(tests, addresses_of_administrators);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
