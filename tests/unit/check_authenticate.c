/* Who may call: every way a credential can be missing, wrong or in the wrong place. */
#include "service/authenticate.h"

#include "unit/store_fixture.h"

#include <time.h>

static const qlm_secrets_t *secrets;
static qlm_site_t *site;
static qlm_call_t call;
static qlm_call_input_t input;
static qlm_properties_t *properties;

static void set_up(void)
{
    static const unsigned char secret[QLM_SECRET_BYTES] = {5};

    make_store();
    secrets = qlm_secrets_from_bytes(secret, 1, pool);
    site = qlm_site_create(secrets, pool);
    properties = qlm_properties_create(pool);
}

UNIT(set_vendor, qlm_vendor_record_t)
{
    return qlm_store_set_vendor(unit_store, baton, unit_pool);
}

static const char *verifier(const char *name, const char *password)
{
    return qlm_secrets_verifier(secrets, apr_pstrcat(pool, "vendor/", name, NULL), password, pool);
}

/* Store the record of a vendor; `password_verifier` as it lies in the database. */
static void vendor(const char *name, int is_enabled, int is_open, const char *user,
                   const char *password_verifier)
{
    qlm_vendor_record_t record = {.name = name,
                                  .is_enabled = is_enabled,
                                  .is_open = is_open,
                                  .user = user,
                                  .password_verifier = password_verifier,
                                  .password_sealed = "",
                                  .url = "",
                                  .api_key_sealed = "",
                                  .shared_key_sealed = ""};

    OK(qlm_store_write(store, set_vendor, &record, pool));
}

static void prepare(const char *method, const char *query, const char *body)
{
    memset(&call, 0, sizeof(call));
    memset(&input, 0, sizeof(input));
    input.method = method;
    input.client_ip = "192.0.2.7";
    input.fields = qlm_fields_create(pool);
    OK(qlm_fields_parse(input.fields, query, strlen(query), QLM_FROM_URL));
    OK(qlm_fields_parse(input.fields, body, strlen(body), QLM_FROM_BODY));
    call.pool = pool;
    call.input = &input;
    call.secrets = secrets;
    call.method = qlm_method_find(method);
    call.store = store;
    call.properties = properties;
    OK(qlm_site_snapshot(&call.site, site, store, pool));
}

/* Choose and authenticate what was prepared. */
static qlm_error_t *answer(void)
{
    QLM_TRY(qlm_authenticate_choose_vendor(&call));
    return qlm_authenticate(&call);
}

static qlm_error_t *asked(const char *query, const char *body)
{
    prepare("GetActivationKey", query, body);
    return answer();
}

static void denied(qlm_error_t *error, const char *why)
{
    ck_assert_msg(error != NULL, "let in, instead of: %s", why);
    ck_assert_int_eq(error->kind, QLM_ERROR_DENIED);
    ck_assert_int_eq(error->code, QLM_CODE_AUTHENTICATION);
    ck_assert_ptr_nonnull(error->detail);
    ck_assert_msg(strstr(error->detail, why) != NULL, "%s", error->detail);
    ck_assert_ptr_null(strstr(error->text, why)); /* callers are told one text for all */
    ck_assert_ptr_null(strstr(error->detail, "hidden"));
}

#define SHOP "is_vendor=cleverbridge"

/* ---- choosing the vendor ---- */

static const char *chosen(const char *query, const char *body)
{
    prepare("GetActivationKey", query, body);
    OK(qlm_authenticate_choose_vendor(&call));
    return call.vendor->name;
}

START_TEST(the_url_names_the_vendor)
{
    ck_assert_str_eq(chosen(SHOP, ""), "cleverbridge");
    ck_assert_int_eq(call.sources, QLM_FROM_ANY & ~QLM_FROM_BODY);
    ck_assert_str_eq(chosen("IS_VENDOR=CleverBridge", ""), "cleverbridge");
    ck_assert_str_eq(chosen("is_vendor=MyCommerce", ""), "shareit");
    ck_assert_str_eq(chosen("is_vendor=QlmAuthenticationProvider", ""),
                     "qlmauthenticationprovider");
    ck_assert_int_eq(call.sources, QLM_FROM_ANY);
    /* what stands in the body does not matter then */
    ck_assert_str_eq(chosen(SHOP, "is_vendor=QlmAuthenticationProvider"), "cleverbridge");
}
END_TEST

START_TEST(a_body_may_name_only_who_trusts_it)
{
    ck_assert_str_eq(chosen("", "is_vendor=QlmAuthenticationProvider"),
                     "qlmauthenticationprovider");
    prepare("GetActivationKey", "", SHOP);
    denied(qlm_authenticate_choose_vendor(&call), "put it into the URL");
    prepare("GetActivationKey", "is_vendor=", SHOP);
    denied(qlm_authenticate_choose_vendor(&call), "put it into the URL");
}
END_TEST

START_TEST(a_default_vendor)
{
    ck_assert_str_eq(chosen("", ""), "qlmauthenticationprovider");
    qlm_properties_put(properties, "defaultCommerceProvider", "shareit");
    ck_assert_str_eq(chosen("", ""), "shareit");
    ck_assert_int_eq(call.sources & QLM_FROM_BODY, 0);
    qlm_properties_put(properties, "defaultCommerceProvider", "");
    ck_assert_str_eq(chosen("", ""), "qlmauthenticationprovider");
    qlm_properties_put(properties, "defaultCommerceProvider", "nobody");
    prepare("GetActivationKey", "", "");
    denied(qlm_authenticate_choose_vendor(&call), "nobody");
    call.properties = NULL; /* before the site is known */
    ck_assert_ptr_null(qlm_authenticate_choose_vendor(&call));
}
END_TEST

START_TEST(unknown_vendors)
{
    static const char *const names[] = {"nobody",          "cleverbridge%00", "cleverbridge;",
                                        "../cleverbridge", "clever",          "%FF"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        prepare("GetActivationKey", apr_pstrcat(pool, "is_vendor=", names[i], NULL), "");
        denied(qlm_authenticate_choose_vendor(&call), "is not known");
    }
    prepare("GetActivationKey", "is_vendor=a%0D%0AQLM1003:%20forged", "");
    denied(qlm_authenticate_choose_vendor(&call), "a??QLM1003");
}
END_TEST

/* ---- credentials ---- */

START_TEST(the_right_pair_is_let_in)
{
    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", "hidden"));
    OK(asked(SHOP "&is_user=shop&is_pwd=hidden", ""));
    OK(asked(SHOP "&IS_USER=shop&is%5fpwd=hidden", ""));
}
END_TEST

START_TEST(any_other_pair_is_not)
{
    static const char *const pairs[] = {
        "",
        "&is_user=shop",
        "&is_pwd=hidden",
        "&is_user=&is_pwd=",
        "&is_user=shop&is_pwd=",
        "&is_user=&is_pwd=hidden",
        "&is_user=shop&is_pwd=Hidden",
        "&is_user=Shop&is_pwd=hidden",
        "&is_user=shop&is_pwd=hidden%00",
        "&is_user=shop%00&is_pwd=hidden",
        "&is_user=shop&is_pwd=hidden+",
        "&is_user=+shop&is_pwd=hidden",
        "&is_user=shop&is_pwd=null",
        "&is_user=*&is_pwd=*",
        "&is_user=hidden&is_pwd=shop",
        "&is_user=shop&is_user=x&is_pwd=x&is_pwd=hidden",
        "&is_user=shop&is_pwd[]=hidden",
        "&is_user=shop&is_pwd=%FF",
    };

    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", "hidden"));
    vendor("shareit", 1, 0, "shop", verifier("shareit", "other"));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        denied(asked(apr_pstrcat(pool, SHOP, pairs[i], NULL), ""), "wrong credentials");
    }
    denied(asked("is_vendor=shareit&is_user=shop&is_pwd=hidden", ""), "wrong credentials");
}
END_TEST

START_TEST(a_shops_body_gives_no_credentials)
{
    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", "hidden"));
    vendor("qlmauthenticationprovider", 1, 0, "shop",
           verifier("qlmauthenticationprovider", "hidden"));
    denied(asked(SHOP, "is_user=shop&is_pwd=hidden"), "wrong credentials");
    denied(asked(SHOP "&is_user=shop", "is_pwd=hidden"), "wrong credentials");
    OK(asked("", "is_user=shop&is_pwd=hidden"));
    OK(asked("is_user=shop", "is_pwd=hidden"));
    denied(asked("is_pwd=wrong", "is_user=shop&is_pwd=hidden"), "wrong credentials");
}
END_TEST

START_TEST(records_fail_closed)
{
    static const char pair[] = SHOP "&is_user=shop&is_pwd=hidden";

    denied(asked(pair, ""), "not enabled"); /* no record at all */
    vendor("cleverbridge", 0, 0, "shop", verifier("cleverbridge", "hidden"));
    denied(asked(pair, ""), "not enabled");
    vendor("cleverbridge", 0, 1, "", "");
    denied(asked(pair, ""), "not enabled");
    vendor("cleverbridge", 1, 0, "shop", "");
    denied(asked(pair, ""), "no password");
    denied(asked(SHOP, ""), "no password");
    denied(asked(SHOP "&is_user=shop&is_pwd=", ""), "no password");
    vendor("cleverbridge", 1, 0, "", "");
    denied(asked(SHOP, ""), "no password");
    vendor("cleverbridge", 1, 0, "shop", "hidden"); /* no verifier of ours */
    denied(asked(pair, ""), "wrong credentials");
    vendor("cleverbridge", 1, 0, "shop", "v1$");
    denied(asked(pair, ""), "wrong credentials");
    vendor("cleverbridge", 1, 0, "shop", verifier("shareit", "hidden")); /* copied from another */
    denied(asked(pair, ""), "wrong credentials");
    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", ""));
    denied(asked(SHOP "&is_user=shop&is_pwd=", ""), "wrong credentials");
}
END_TEST

START_TEST(an_open_vendor_is_declared)
{
    vendor("cleverbridge", 1, 1, "", "");
    OK(asked(SHOP, ""));
    OK(asked(SHOP "&is_user=x&is_pwd=y", ""));
    denied(asked("is_vendor=shareit", ""), "not enabled"); /* only that one */
}
END_TEST

START_TEST(without_a_user_the_password_counts)
{
    vendor("cleverbridge", 1, 0, "", verifier("cleverbridge", "hidden"));
    OK(asked(SHOP "&is_pwd=hidden", ""));
    OK(asked(SHOP "&is_user=anybody&is_pwd=hidden", ""));
    denied(asked(SHOP "&is_user=anybody", ""), "wrong credentials");
    denied(asked(SHOP, ""), "wrong credentials");
}
END_TEST

START_TEST(passwords_are_utf8_or_latin1)
{
    vendor("cleverbridge", 1, 0, "J\xc3\xbcrgen", verifier("cleverbridge", "p\xc3\xa4ss"));
    OK(asked(SHOP "&is_user=J%C3%BCrgen&is_pwd=p%C3%A4ss", ""));
    OK(asked(SHOP "&is_user=J%FCrgen&is_pwd=p%E4ss", ""));
    denied(asked(SHOP "&is_user=J%FCrgen&is_pwd=pass", ""), "wrong credentials");
}
END_TEST

START_TEST(http_basic_counts_when_nothing_else_was_given)
{
    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", "hidden"));
    prepare("GetActivationKey", SHOP, "");
    input.basic_user = "shop";
    input.basic_password = "hidden";
    OK(answer());
    input.basic_password = "wrong";
    denied(answer(), "wrong credentials");
    input.basic_password = "";
    denied(answer(), "wrong credentials");
    input.basic_password = NULL;
    denied(answer(), "wrong credentials");
    prepare("GetActivationKey", SHOP "&is_pwd=wrong", "");
    input.basic_user = "shop";
    input.basic_password = "hidden";
    denied(answer(), "wrong credentials");
    prepare("GetActivationKey", SHOP "&is_user=shop", "");
    input.basic_password = "hidden"; /* halves are not put together */
    denied(answer(), "wrong credentials");
}
END_TEST

/* ---- permissions ---- */

START_TEST(public_methods_ask_nobody)
{
    prepare("ValidateLicenseHttp", SHOP "&is_user=x&is_pwd=y", "");
    OK(answer());
    prepare("PingHttp", "", "");
    OK(answer());
}
END_TEST

START_TEST(what_is_offered_must_be_right)
{
    static const char of_key[] = "is_avkey=A&is_pcid=PC";

    vendor("qlmauthenticationprovider", 1, 0, "shop",
           verifier("qlmauthenticationprovider", "hidden"));
    prepare("ActivateKey", of_key, "");
    OK(answer());
    prepare("ActivateKey", "is_user=&is_pwd=", of_key);
    OK(answer());
    prepare("ActivateKey", "is_user=shop&is_pwd=hidden", of_key);
    OK(answer());
    prepare("ActivateKey", of_key, "is_user=shop&is_pwd=hidden");
    OK(answer());
    prepare("ActivateKey", "is_user=shop&is_pwd=wrong", of_key);
    denied(answer(), "wrong credentials");
    prepare("ActivateKey", of_key, "is_pwd=wrong");
    denied(answer(), "wrong credentials");
    prepare("ActivateKey", "is_user=shop", of_key);
    denied(answer(), "wrong credentials");
    prepare("ActivateKey", SHOP "&is_user=shop&is_pwd=hidden", of_key);
    denied(answer(), "not enabled");
}
END_TEST

START_TEST(a_release_is_closed_until_the_site_opens_it)
{
    static const char of_key[] = "is_avkey=A&is_pcid=PC";

    vendor("qlmauthenticationprovider", 1, 0, "shop",
           verifier("qlmauthenticationprovider", "hidden"));
    prepare("ReleaseLicenseHttp", of_key, "");
    denied(answer(), "wrong credentials");
    prepare("ReleaseLicenseHttp", "is_user=shop&is_pwd=hidden", of_key);
    OK(answer());
    qlm_properties_put(properties, "releaseLicenseRequiresAuthentication", "false");
    prepare("ReleaseLicenseHttp", of_key, "");
    OK(answer());
    prepare("ReleaseLicenseHttp", of_key, "is_pwd=wrong");
    denied(answer(), "wrong credentials");
    qlm_properties_put(properties, "releaseLicenseRequiresAuthentication", "perhaps");
    prepare("ReleaseLicenseHttp", of_key, ""); /* what cannot be read is closed */
    denied(answer(), "wrong credentials");
}
END_TEST

START_TEST(the_operator_needs_none)
{
    prepare("GetActivationKey", SHOP, "");
    input.is_operator = 1;
    OK(answer());
}
END_TEST

/* ---- time ---- */

#define BATCHES 200
#define CALLS   50

/* The time of one batch of refusals, in nanoseconds. */
static apr_int64_t batch(const char *query)
{
    apr_pool_t *whole = pool;
    struct timespec begin, end;

    apr_pool_create(&pool, whole);
    prepare("GetActivationKey", query, "");
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < CALLS; i++) {
        ck_assert_ptr_nonnull(answer());
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    apr_pool_destroy(pool);
    pool = whole;
    return (end.tv_sec - begin.tv_sec) * (apr_int64_t)1000000000 + (end.tv_nsec - begin.tv_nsec);
}

/* Refusals of every kind cost the same: the fastest of many batches, which noise cannot make
 * faster, differs by less than a third; a password's digest is most of it. */
START_TEST(the_time_of_a_refusal_tells_nothing)
{
    static const char *const queries[] = {
        SHOP "&is_user=shop&is_pwd=Xidden-very-well",                /* first byte */
        SHOP "&is_user=shop&is_pwd=hidden-very-welX",                /* last byte */
        SHOP "&is_user=shop&is_pwd=h",                               /* length */
        SHOP "&is_user=Xhop&is_pwd=hidden-very-well",                /* user */
        SHOP "&is_user=shop&is_pwd=",                                /* none */
        "is_vendor=shareit&is_user=shop&is_pwd=hidden-very-well",    /* no record */
        "is_vendor=salesforce&is_user=shop&is_pwd=hidden-very-well", /* not enabled */
        "is_vendor=qlmauthenticationprovider&is_user=shop&is_pwd=hidden-very-well", /* no password
                                                                                     */
        "is_vendor=nobody&is_user=shop&is_pwd=hidden-very-well"};
    apr_int64_t fastest[sizeof(queries) / sizeof(*queries)];
    apr_int64_t least = APR_INT64_MAX, most = 0;

    vendor("cleverbridge", 1, 0, "shop", verifier("cleverbridge", "hidden-very-well"));
    vendor("salesforce", 0, 0, "shop", verifier("salesforce", "hidden-very-well"));
    vendor("qlmauthenticationprovider", 1, 0, "shop", "");
    for (int b = 0; b < BATCHES; b++) {
        for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
            apr_int64_t taken = batch(queries[i]);

            fastest[i] = b == 0 || taken < fastest[i] ? taken : fastest[i];
        }
    }
    for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
        least = fastest[i] < least ? fastest[i] : least;
        most = fastest[i] > most ? fastest[i] : most;
    }
    ck_assert_msg(most < least * 13 / 10, "%" APR_INT64_T_FMT " to %" APR_INT64_T_FMT " ns",
                  least / CALLS, most / CALLS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("authenticate");
    TCase *tests = tcase_create("authenticate");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, remove_folder);
    tcase_add_test(tests, the_url_names_the_vendor);
    tcase_add_test(tests, a_body_may_name_only_who_trusts_it);
    tcase_add_test(tests, a_default_vendor);
    tcase_add_test(tests, unknown_vendors);
    tcase_add_test(tests, the_right_pair_is_let_in);
    tcase_add_test(tests, any_other_pair_is_not);
    tcase_add_test(tests, a_shops_body_gives_no_credentials);
    tcase_add_test(tests, records_fail_closed);
    tcase_add_test(tests, an_open_vendor_is_declared);
    tcase_add_test(tests, without_a_user_the_password_counts);
    tcase_add_test(tests, passwords_are_utf8_or_latin1);
    tcase_add_test(tests, http_basic_counts_when_nothing_else_was_given);
    tcase_add_test(tests, public_methods_ask_nobody);
    tcase_add_test(tests, what_is_offered_must_be_right);
    tcase_add_test(tests, a_release_is_closed_until_the_site_opens_it);
    tcase_add_test(tests, the_operator_needs_none);
    tcase_add_test(tests, the_time_of_a_refusal_tells_nothing);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
