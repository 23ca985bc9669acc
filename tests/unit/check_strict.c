/* Strict authentication, against tokens that were computed elsewhere (with Python's hmac). */
#include "unit/service_fixture.h"

#define QUERY "is_vendor=QlmAuthenticationProvider&is_user=demo&is_pwd=demo" PRODUCT
#define URL   "https://licenses.example.com/qlm/qlmservice.asmx/GetActivationKey?" QUERY
#define STAMP "2026-11-21 09:30:15"

/* All under the API key "consumer" of the fixture, but the last, and one with its end changed. */
#define TOKEN         "680ea9a9727632b800713ad669b43b6efea21b7ffab44686eba914382463410e"
#define TOKEN_CHANGED "680ea9a9727632b800713ad669b43b6efea21b7ffab44686eba914382463410f"
#define TOKEN_1       "818a093e33acf75f3122e124c263af16812e080e9f0f38a29ff6d0645b2fc38e"
#define TOKEN_FURTHER "1caf91b9ff1edf8d44b64368d7cb6808824b72a57ad1667aa2ca1aa8dbce1cd3"
#define TOKEN_SWAPPED "e114055a9f978783e37858a790e3b249a7f75c989b14e3b44f2bd279d81d29fd"
#define TOKEN_OTHER   "3cbf2e69b0ec8d8b61bdf35eb07e2d05fa520bc451447828bb5883e78a541eee"

static void set_up_strict(void)
{
    set_up();
    set_property("strictAuthenticationHttpMethods", "GetActivationKey; PingHttp ActivateKey");
}

static void header(const char *name, const char *value)
{
    if (!signed_headers) {
        signed_headers = apr_table_make(pool, 8);
    }
    apr_table_addn(signed_headers, name, value);
}

/* The headers of a request signed by version 2. */
static void sign(const char *token)
{
    signed_headers = NULL;
    header("User-Agent", "test");
    header("X-Qlm-Timestamp", STAMP);
    header("X-Qlm-Authentication-Version", "2");
    header("X-Qlm-Authentication-Token", token);
}

static qlm_reply_t *ask(void)
{
    signed_url = signed_url ? signed_url : URL;
    return call("GetActivationKey", QUERY, "");
}

static void served(void)
{
    const qlm_reply_t *reply = ask();

    ck_assert_msg(!reply->error, "%s (%s)", reply->error ? reply->error->text : "",
                  reply->error ? reply->error->detail : "");
    ck_assert_str_eq(reply->outcome, "issued");
}

static void refused(const char *code, const char *why)
{
    const qlm_reply_t *reply = ask();

    ck_assert_msg(reply->error != NULL, "served, instead of: %s", why);
    ck_assert_int_eq(reply->error->kind, QLM_ERROR_DENIED);
    ck_assert_str_eq(element(reply, "errorCode"), code);
    has(reply->error->detail, why);
    has_not(reply->error->detail, "consumer"); /* neither the key nor a query is logged */
    has_not(reply->error->detail, "is_pwd");
    has_not(reply->body, why);
    ck_assert_int_eq(count_licenses(), 0);
}

START_TEST(a_signed_request_is_served)
{
    sign(TOKEN);
    served();
}
END_TEST

START_TEST(every_spelling_of_the_headers)
{
    static const char *const spellings[][3] = {
        {"X-Qlm-Timestamp", "X-Qlm-Authentication-Version", "X-Qlm-Authentication"},
        {"Qlm-Timestamp", "Qlm-Authentication-Version", "Qlm-Authentication-Token"},
        {"x-qlm-timestamp", "X-QLM-AUTHENTICATION-VERSION", "x-qlm-authentication-token"},
        {"Qlm-Timestamp", "X-Qlm-Authentication-Version", "X-Qlm-Authentication"},
    };

    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        signed_headers = NULL;
        header(spellings[i][0], STAMP);
        header(spellings[i][1], "2");
        header(spellings[i][2], TOKEN);
        served();
    }
    sign("680EA9A9727632B800713AD669B43B6EFEA21B7FFAB44686EBA914382463410E");
    served();
}
END_TEST

START_TEST(further_headers_are_signed_in_their_order)
{
    sign(TOKEN_FURTHER);
    header("X-Qlm-Client", "Caf\xc3\xa9 2");
    header("X-Other", "not signed");
    header("x-qlm-nonce", "17");
    served();
}
END_TEST

START_TEST(other_orders_names_or_values_are_not_what_was_signed)
{
    static const char *const others[][4] = {
        {"x-qlm-nonce", "17", "X-Qlm-Client", "Caf\xc3\xa9 2"}, /* order */
        {"X-Qlm-Client", "Caf\xc3\xa9 2", "X-Qlm-Nonce", "17"}, /* case of a name */
        {"X-Qlm-Client", "Caf\xc3\xa9 2", "x-qlm-nonce", "18"},
        {"X-Qlm-Client", "Caf\xc3\xa9 2", "x-other", "17"},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        sign(TOKEN_FURTHER);
        header(others[i][0], others[i][1]);
        header(others[i][2], others[i][3]);
        refused("8", "signature is wrong");
    }
    sign(TOKEN); /* one that was added on the way */
    header("X-Qlm-Client", "x");
    refused("8", "signature is wrong");
    sign(TOKEN_SWAPPED);
    header("x-qlm-nonce", "17");
    header("X-Qlm-Client", "Caf\xc3\xa9 2");
    served();
}
END_TEST

START_TEST(tokens_that_do_not_fit)
{
    static const char *const tokens[] = {
        TOKEN_1, TOKEN_OTHER, TOKEN_FURTHER, TOKEN "0", TOKEN ", " TOKEN, TOKEN_CHANGED, "680ea9a9",
        "null",  "0",         "*",           "\xff"};

    for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
        sign(tokens[i]);
        refused("8", "signature is wrong");
    }
    sign("");
    refused("8", "not signed");
    signed_headers = NULL;
    refused("8", "not signed");
    header("X-Qlm-Timestamp", STAMP);
    header("X-Qlm-Authentication-Version", "2");
    refused("8", "not signed");
}
END_TEST

START_TEST(another_url_is_not_what_was_signed)
{
    static const char *const urls[] = {
        "http://licenses.example.com/qlm/qlmservice.asmx/GetActivationKey?" QUERY,
        "https://licenses.example.com:443/qlm/qlmservice.asmx/GetActivationKey?" QUERY,
        "https://other.example.com/qlm/qlmservice.asmx/GetActivationKey?" QUERY,
        "https://licenses.example.com/qlm/qlmservice.asmx/getactivationkey?" QUERY,
        URL "&is_quantity=100",
        "https://licenses.example.com/qlm/qlmservice.asmx/GetActivationKey",
        ""};

    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        sign(TOKEN);
        signed_url = urls[i];
        refused("8", "signature is wrong, or of another URL than ");
    }
}
END_TEST

START_TEST(awkward_urls_are_signed_byte_for_byte)
{
    sign("232aafb214e171999528b5451b18630297365ee73b66ea3de22228f056e1bf8f");
    signed_url = "http://127.0.0.1:8080/qlm/QlmService.asmx/getactivationkey?&" QUERY
                 "&is_features=0:3;1:1&name=J%C3%BCrgen+%7e|{x}";
    served();
}
END_TEST

/* ---- time ---- */

START_TEST(the_time_may_differ_by_the_tolerance)
{
    apr_int64_t stamp = now;

    for (int sign_of = -1; sign_of <= 1; sign_of += 2) {
        sign(TOKEN);
        now = stamp + sign_of * 600;
        served();
    }
    set_property("strictAuthenticationTimestampTolerance", "0");
    now = stamp;
    served();
}
END_TEST

START_TEST(and_not_by_more)
{
    apr_int64_t stamp = now;

    sign(TOKEN);
    now = stamp + 601;
    refused("2", "differs by 601 s");
    has(ask()->error->text, "set the clock");
    now = stamp - 601;
    refused("2", "differs by 601 s");
    set_property("strictAuthenticationTimestampTolerance", "5");
    now = stamp + 6;
    refused("2", "differs by 6 s");
    set_property("strictAuthenticationTimestampTolerance", "0");
    now = stamp - 1;
    refused("2", "differs by 1 s");
    set_property("strictAuthenticationTimestampTolerance", "-1");
    now = stamp;
    refused("2", "differs by 0 s");
}
END_TEST

START_TEST(only_who_signed_learns_of_the_time)
{
    now += 100000;
    sign(TOKEN_OTHER);
    refused("8", "signature is wrong");
}
END_TEST

START_TEST(time_stamps_that_are_none)
{
    static const char *const stamps[] = {"",
                                         "2026-11-21",
                                         "2026-11-21T09:30:15",
                                         "2026-11-21 09:30:15Z",
                                         "21.11.2026 09:30:15",
                                         "2026-02-30 09:30:15",
                                         "1795253415",
                                         "now",
                                         "2026-11-21 09:30:15, 2026-11-21 09:30:15"};

    set_property("strictAuthenticationMinimumVersion", "1");
    for (size_t i = 0; i < sizeof(stamps) / sizeof(*stamps); i++) {
        signed_headers = NULL; /* version 1 does not sign it, so that it gets as far as this */
        header("X-Qlm-Authentication-Token", TOKEN_1);
        header("X-Qlm-Timestamp", stamps[i]);
        refused("8", "X-Qlm-Timestamp is missing or not");
    }
}
END_TEST

/* ---- versions ---- */

static void sign_by_version_1(const char *version)
{
    signed_headers = NULL;
    header("Qlm-Timestamp", STAMP);
    header("Qlm-Authentication-Token", TOKEN_1);
    if (version) {
        header("Qlm-Authentication-Version", version);
    }
}

START_TEST(version_1_must_be_allowed)
{
    static const char *const minimums[] = {"1", "0", "-1"};

    sign_by_version_1("1");
    refused("8", "below strictAuthenticationMinimumVersion");
    sign_by_version_1(NULL);
    refused("8", "below strictAuthenticationMinimumVersion");
    for (size_t i = 0; i < sizeof(minimums) / sizeof(*minimums); i++) {
        set_property("strictAuthenticationMinimumVersion", minimums[i]);
        sign_by_version_1("1");
        served();
        sign_by_version_1(NULL);
        served();
        sign(TOKEN); /* the newer one stays good */
        served();
    }
    now += 601;
    sign_by_version_1("1");
    has(ask()->error->detail, "differs by 601 s");
}
END_TEST

START_TEST(a_signature_of_version_1_is_none_of_version_2)
{
    set_property("strictAuthenticationMinimumVersion", "1");
    sign_by_version_1("2");
    refused("8", "signature is wrong");
}
END_TEST

START_TEST(versions_that_are_not_known)
{
    static const char *const versions[] = {"0", "3", "02", "+2", "2.0", "two", "-1", "22"};

    set_property("strictAuthenticationMinimumVersion", "1");
    for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
        sign_by_version_1(versions[i]);
        refused("8", "is not known");
    }
    set_property("strictAuthenticationMinimumVersion", "3");
    sign(TOKEN);
    refused("8", "below strictAuthenticationMinimumVersion");
}
END_TEST

/* ---- with the other credentials ---- */

static void answered(const char *why, const char *query)
{
    const qlm_reply_t *reply;

    sign(TOKEN);
    signed_url = URL;
    reply = call("GetActivationKey", query, "");
    ck_assert_msg(reply->error != NULL, "%s", query);
    has(reply->error->detail, why);
    ck_assert_int_eq(reply->error->code, QLM_CODE_AUTHENTICATION);
}

START_TEST(the_signature_does_not_replace_the_password)
{
    answered("wrong credentials", "is_user=demo&is_pwd=wrong" PRODUCT);
    answered("wrong credentials", "is_user=demo" PRODUCT);
    answered("not known", "is_vendor=nobody&is_user=demo&is_pwd=demo" PRODUCT);
}
END_TEST

START_TEST(one_text_for_all)
{
    const char *text;

    signed_headers = NULL;
    text = ask()->error->text;
    has(text, "signed");
    sign(TOKEN_OTHER);
    ck_assert_str_eq(ask()->error->text, text);
    sign(TOKEN);
    ck_assert_str_eq(call("GetActivationKey", "is_user=demo&is_pwd=x" PRODUCT, "")->error->text,
                     text);
}
END_TEST

UNIT(set_api_key, const char)
{
    qlm_vendor_record_t record = {
        .name = "qlmauthenticationprovider",
        .is_enabled = 1,
        .user = "demo",
        .password_verifier =
            qlm_secrets_verifier(secrets, "vendor/qlmauthenticationprovider", "demo", unit_pool),
        .password_sealed = "",
        .url = "",
        .api_key_sealed = baton,
        .shared_key_sealed = "",
        .callback_user = "",
        .callback_verifier = ""};

    return qlm_store_set_vendor(unit_store, &record, unit_pool);
}

START_TEST(without_an_api_key_nothing_is_signed)
{
    /* what is signed with the empty key: computed as the others */
    static const char *const tokens[] = {
        TOKEN, "28d0e1b35140a7578044fa6dd1948c1a385e63a3f824359984373f3b220b7b36"};
    static char damaged[] = "s1$AAAA", none[] = "";
    char *const stored[] = {none, damaged};

    for (size_t i = 0; i < 2; i++) {
        OK(qlm_store_write(store, set_api_key, stored[i], pool));
        for (size_t t = 0; t < 2; t++) {
            sign(tokens[t]);
            refused("8", "has no API key");
        }
    }
}
END_TEST

START_TEST(an_open_vendor_signs_too)
{
    run_sql("UPDATE qlm_vendor SET is_open = 1");
    run_sql("UPDATE qlm_site SET revision = revision + 1");
    signed_headers = NULL;
    refused("8", "not signed");
    sign(TOKEN);
    served();
}
END_TEST

/* ---- which methods ---- */

START_TEST(methods_that_are_not_listed_need_no_signature)
{
    qlm_reply_t *reply = call("GetActivationKeyWithExpiryDate", QUERY, "");

    ck_assert_ptr_null(reply->error);
    set_property("strictAuthenticationHttpMethods", "none");
    served();
}
END_TEST

START_TEST(a_public_method_that_is_listed_is_not_public)
{
    qlm_reply_t *reply = call("PingHttp", "", "");

    ck_assert_ptr_nonnull(reply->error);
    ck_assert_int_eq(reply->error->code, QLM_CODE_AUTHENTICATION);
    sign(TOKEN);
    signed_url = URL;
    reply = call("PingHttp", CREDENTIALS, "");
    ck_assert_ptr_null(reply->error);
    reply = call("ActivateKey", "is_avkey=A&is_pcid=PC", "");
    ck_assert_int_eq(reply->error->code, QLM_CODE_AUTHENTICATION);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("strict");
    TCase *tests = tcase_create("strict");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up_strict, tear_down);
    tcase_add_test(tests, a_signed_request_is_served);
    tcase_add_test(tests, every_spelling_of_the_headers);
    tcase_add_test(tests, further_headers_are_signed_in_their_order);
    tcase_add_test(tests, other_orders_names_or_values_are_not_what_was_signed);
    tcase_add_test(tests, tokens_that_do_not_fit);
    tcase_add_test(tests, another_url_is_not_what_was_signed);
    tcase_add_test(tests, awkward_urls_are_signed_byte_for_byte);
    tcase_add_test(tests, the_time_may_differ_by_the_tolerance);
    tcase_add_test(tests, and_not_by_more);
    tcase_add_test(tests, only_who_signed_learns_of_the_time);
    tcase_add_test(tests, time_stamps_that_are_none);
    tcase_add_test(tests, version_1_must_be_allowed);
    tcase_add_test(tests, a_signature_of_version_1_is_none_of_version_2);
    tcase_add_test(tests, versions_that_are_not_known);
    tcase_add_test(tests, the_signature_does_not_replace_the_password);
    tcase_add_test(tests, one_text_for_all);
    tcase_add_test(tests, without_an_api_key_nothing_is_signed);
    tcase_add_test(tests, an_open_vendor_signs_too);
    tcase_add_test(tests, methods_that_are_not_listed_need_no_signature);
    tcase_add_test(tests, a_public_method_that_is_listed_is_not_public);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
