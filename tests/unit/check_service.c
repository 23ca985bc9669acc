/* The walk of a call on a real SQLite file, without httpd: issue, repeat, validate, activate,
 * refuse. */
#include "service/service.h"

#include "base/date.h"
#include "license/keygen.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

static apr_pool_t *pool;
static qlm_service_t *service;
static const qlm_secrets_t *secrets;
static qlm_store_t *store;
static char folder[] = "/tmp/qlm-service-XXXXXX";
static const char *database;
static apr_int64_t now;
static int lent;
static int is_database_away;

/* ---- the site under test ---- */

static qlm_error_t *set_up_site(qlm_store_t *s, void *baton, apr_pool_t *p)
{
    qlm_product_t product = {1,    1,    0,  "Demo", 0,  QLM_ALGORITHM_RSA_SHA256,
                             NULL, NULL, "", "",     "", ""};
    qlm_vendor_record_t vendor = {
        .name = "qlmauthenticationprovider", .is_enabled = 1, .user = "demo"};
    const char *private_pem;
    int added;

    (void)baton;
    QLM_TRY(qlm_signature_generate(&private_pem, &product.public_key_pem, 1024, p));
    QLM_TRY(qlm_secrets_seal(&product.private_key_sealed, secrets, qlm_product_identity(1, 1, 0, p),
                             private_pem, p));
    QLM_TRY(qlm_store_add_product(&added, s, &product, p));
    product.major = 2;
    product.released_at = now - 10 * QLM_DATE_DAY;
    QLM_TRY(qlm_secrets_seal(&product.private_key_sealed, secrets, qlm_product_identity(1, 2, 0, p),
                             private_pem, p));
    QLM_TRY(qlm_store_add_product(&added, s, &product, p));
    vendor.password_verifier =
        qlm_secrets_verifier(secrets, "vendor/qlmauthenticationprovider", "demo", p);
    QLM_TRY(qlm_store_set_vendor(s, &vendor, p));
    vendor.name = "cleverbridge";
    vendor.password_verifier = qlm_secrets_verifier(secrets, "vendor/cleverbridge", "demo", p);
    QLM_TRY(qlm_store_set_vendor(s, &vendor, p));
    return qlm_store_set_property(s, "enableGetActivationKey", "true", p);
}

static void no_error(qlm_error_t *error)
{
    ck_assert_msg(!error, "%s (%s)", error ? error->text : "",
                  error && error->detail ? error->detail : "");
}

static void set_up(void)
{
    static const unsigned char secret[32] = {7, 7, 7};

    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    database = apr_pstrcat(pool, folder, "/qlm.db", NULL);
    secrets = qlm_secrets_from_bytes(secret, 1, pool);
    ck_assert(qlm_date_parse(&now, "2026-11-21 09:30:15", "yyyy-MM-dd HH:mm:ss"));
    no_error(qlm_store_open(&store, "sqlite3", database, 0, pool));
    no_error(qlm_store_upgrade(store, pool));
    no_error(qlm_store_write(store, set_up_site, NULL, pool));
    service = qlm_service_create(secrets, pool);
    lent = is_database_away = 0;
}

static void tear_down(void)
{
    static const char *const files[] = {"", "-wal", "-shm", "-writer"};

    apr_pool_destroy(pool);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        apr_file_remove(apr_pstrcat(pool, folder, "/qlm.db", files[i], NULL), pool);
    }
    ck_assert_int_eq(rmdir(folder), 0);
    apr_pool_destroy(pool);
    apr_terminate();
}

/* ---- calling ---- */

static qlm_error_t *lend(qlm_store_t **borrowed, void *baton, apr_pool_t *p)
{
    (void)baton;
    if (is_database_away) {
        return qlm_error_store(p, "away for a test");
    }
    lent++;
    *borrowed = store;
    return NULL;
}

static void give_back(qlm_store_t *borrowed, void *baton)
{
    (void)baton;
    ck_assert_ptr_eq(borrowed, store);
    lent--;
}

static qlm_reply_t *call(const char *method, const char *query, const char *body)
{
    qlm_call_input_t input = {0};
    qlm_reply_t *reply;

    input.method = method;
    input.fields = qlm_fields_create(pool);
    no_error(qlm_fields_parse(input.fields, query, strlen(query), QLM_FROM_URL));
    no_error(qlm_fields_parse(input.fields, body, strlen(body), QLM_FROM_BODY));
    input.client_ip = "192.0.2.7";
    input.now = now;
    input.lender.lend = lend;
    input.lender.give_back = give_back;
    reply = qlm_service_run(service, &input, pool);
    ck_assert_int_eq(lent, 0); /* whatever happened, the connection went back */
    return reply;
}

#define CREDENTIALS "is_vendor=QlmAuthenticationProvider&is_user=demo&is_pwd=demo"
#define PRODUCT     "&is_productid=1&is_majorversion=1&is_minorversion=0"

static void has(const qlm_reply_t *reply, const char *text)
{
    ck_assert_msg(strstr(reply->body, text) != NULL, "\"%s\" is not in: %s", text, reply->body);
}

static void has_not(const qlm_reply_t *reply, const char *text)
{
    ck_assert_msg(strstr(reply->body, text) == NULL, "\"%s\" is in: %s", text, reply->body);
}

/* The text of the first <name> element of a reply. */
static const char *element(const qlm_reply_t *reply, const char *name)
{
    const char *begin = strstr(reply->body, apr_pstrcat(pool, "<", name, ">", NULL));
    const char *end;

    ck_assert_msg(begin != NULL, "no <%s> in: %s", name, reply->body);
    begin += strlen(name) + 2;
    end = strstr(begin, apr_pstrcat(pool, "</", name, ">", NULL));
    ck_assert_ptr_nonnull(end);
    return apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin));
}

static const char *issue(const char *more)
{
    qlm_reply_t *reply =
        call("GetActivationKey", apr_pstrcat(pool, CREDENTIALS PRODUCT, more, NULL), "");

    has(reply, "<activationKey>");
    return element(reply, "activationKey");
}

static qlm_reply_t *validate(const char *key, const char *more)
{
    return call("ValidateLicenseHttp", apr_pstrcat(pool, "is_avkey=", key, more, NULL), "");
}

/* ---- issuing ---- */

START_TEST(an_order_becomes_a_key)
{
    const char *key = issue("&orderNumber=A1&email=ann@example.org&name=Ann");
    qlm_license_view_t *view;
    const char *normal;

    ck_assert_int_eq(qlm_keygen_read(&normal, key, secrets, pool), QLM_KEY_OURS);
    no_error(qlm_store_find_license(&view, store, normal, "", pool));
    ck_assert_ptr_nonnull(view);
    ck_assert_str_eq(view->license.order_ref, "A1");
    ck_assert_str_eq(view->license.vendor, "qlmauthenticationprovider");
    ck_assert_str_eq(view->customer.email, "ann@example.org");
    ck_assert_int_eq(view->license.created_at, now);
    ck_assert_int_eq(key[0], 'A');
}
END_TEST

START_TEST(the_same_order_gets_the_same_bytes)
{
    static const char query[] = CREDENTIALS PRODUCT "&orderNumber=A2&email=ann@example.org";
    qlm_reply_t *first = call("GetActivationKey", query, "");
    qlm_reply_t *second;
    apr_array_header_t *licenses;
    qlm_license_filter_t filter = {"qlmauthenticationprovider", "A2", "", 0, 10};

    now += 370 * QLM_DATE_DAY;
    second = call("getactivationkey", query, "");
    ck_assert_str_eq(first->body, second->body);
    ck_assert_str_eq(second->outcome, "repeated");
    no_error(qlm_store_list_licenses(&licenses, store, &filter, pool));
    ck_assert_int_eq(licenses->nelts, 1);
}
END_TEST

START_TEST(a_repeat_with_another_quantity_gets_the_first_answer_and_is_odd)
{
    const char *key = issue("&orderNumber=A3&is_quantity=1");
    qlm_reply_t *reply =
        call("GetActivationKey", CREDENTIALS PRODUCT "&orderNumber=A3&is_quantity=5", "");

    has(reply, key);
    ck_assert_ptr_nonnull(reply->oddity);
}
END_TEST

START_TEST(calls_without_an_order_number_make_new_keys)
{
    ck_assert_str_ne(issue(""), issue(""));
}
END_TEST

START_TEST(terms_reach_the_license)
{
    const char *key = issue("&is_quantity=3&is_expduration=30&is_features=0:3;1:1"
                            "&is_maintenance_plan=1&is_affiliateid=eu&is_userdata1=x");
    qlm_license_view_t *view;
    const char *normal;

    qlm_keygen_read(&normal, key, secrets, pool);
    no_error(qlm_store_find_license(&view, store, normal, "", pool));
    ck_assert_int_eq(view->license.num_licenses, 3);
    ck_assert_int_eq(view->license.available_licenses, 3);
    ck_assert_int_eq(view->license.model, QLM_MODEL_SUBSCRIPTION);
    ck_assert_int_eq(view->license.expires_at, qlm_date_add_days(now, 30));
    ck_assert_int_eq(view->license.maintenance_until, qlm_date_add_days(now, 365));
    ck_assert_str_eq(view->license.features, "0:3;1:1;");
    ck_assert_str_eq(view->license.affiliate_id, "eu");
    ck_assert_str_eq(view->license.user_data, "x");
    ck_assert_int_eq(key[0], 'F');
}
END_TEST

START_TEST(refused_orders_store_nothing)
{
    static const struct {
        const char *query;
        int code;
    } cases[] = {
        {CREDENTIALS "&is_productid=9&is_majorversion=1&is_minorversion=0", 218},
        {CREDENTIALS "&is_majorversion=1&is_minorversion=0", 208},
        {CREDENTIALS PRODUCT "&is_quantity=0", 5},
        {CREDENTIALS PRODUCT "&is_features=9:1", 5},
        {CREDENTIALS PRODUCT "&is_expdate=never", 5},
        {"is_vendor=QlmAuthenticationProvider&is_user=demo&is_pwd=wrong" PRODUCT, 8},
        {"is_vendor=QlmAuthenticationProvider&is_user=wrong&is_pwd=demo" PRODUCT, 8},
        {"is_vendor=QlmAuthenticationProvider" PRODUCT, 8},
        {"is_vendor=QlmAuthenticationProvider&is_user=&is_pwd=" PRODUCT, 8},
        {"is_vendor=shareit&is_user=demo&is_pwd=demo" PRODUCT, 0},
        {"is_vendor=nobody&is_user=demo&is_pwd=demo" PRODUCT, 8},
    };
    apr_int64_t count;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        qlm_reply_t *reply = call("GetActivationKey", cases[i].query, "");

        ck_assert_msg(reply->error != NULL, "%s", cases[i].query);
        ck_assert_ptr_nonnull(strcasestr(reply->body, "error"));
        if (cases[i].code) {
            has(reply, apr_psprintf(pool, "<errorCode>%d</errorCode>", cases[i].code));
        }
    }
    no_error(qlm_store_count_licenses(&count, store, 0, pool));
    ck_assert_int_eq(count, 0);
}
END_TEST

START_TEST(a_shop_is_never_answered_with_a_failure_it_could_sell)
{
    qlm_reply_t *reply =
        call("GetActivationKey", "is_vendor=cleverbridge&is_user=demo&is_pwd=no" PRODUCT,
             "PURCHASE_ID=1&QUANTITY=1");

    ck_assert_int_eq(reply->http_status, 403);
    ck_assert(strncmp(reply->body, "Error: ", 7) == 0);
    is_database_away = 1;
    reply = call("GetActivationKey", "is_vendor=cleverbridge&is_user=demo&is_pwd=demo" PRODUCT,
                 "PURCHASE_ID=1&QUANTITY=1");
    ck_assert_int_eq(reply->http_status, 503);
    ck_assert(strncmp(reply->body, "Error: ", 7) == 0);
}
END_TEST

START_TEST(a_buyers_body_supplies_no_arguments)
{
    qlm_reply_t *reply =
        call("GetActivationKey", "is_vendor=cleverbridge" PRODUCT,
             "PURCHASE_ID=1&QUANTITY=1&is_user=demo&is_pwd=demo&is_features=0:255");

    ck_assert_int_eq(reply->http_status, 403);
    reply = call("GetActivationKey", PRODUCT,
                 "is_vendor=cleverbridge&is_user=demo&is_pwd=demo&PURCHASE_ID=1&QUANTITY=1");
    ck_assert_ptr_nonnull(reply->error);
}
END_TEST

static qlm_error_t *set_one(qlm_store_t *s, void *baton, apr_pool_t *p)
{
    const char *const *pair = baton;

    return qlm_store_set_property(s, pair[0], pair[1], p);
}

static void set_property(const char *name, const char *value)
{
    const char *pair[] = {name, value};

    no_error(qlm_store_write(store, set_one, (void *)pair, pool));
}

START_TEST(switches_hold_from_the_next_call_on)
{
    qlm_reply_t *reply;

    issue("");
    set_property("enableGetActivationKey", "false");
    reply = call("GetActivationKey", CREDENTIALS PRODUCT, "");
    has(reply, "<errorCode>7</errorCode>");
    set_property("enableGetActivationKey", "true");
    issue("");
    set_property("blockIPAddresses", "192.0.2.0/24");
    reply = call("PingHttp", "", "");
    has(reply, "<errorCode>3</errorCode>");
}
END_TEST

START_TEST(limits_of_new_keys)
{
    qlm_reply_t *reply;

    set_property("maxNewKeysPerDay", "2");
    issue("");
    issue("");
    reply = call("GetActivationKey", CREDENTIALS PRODUCT, "");
    has(reply, "<errorCode>200</errorCode>");
    now += QLM_DATE_DAY;
    issue("");
}
END_TEST

START_TEST(stored_arguments_fill_gaps_only)
{
    qlm_reply_t *reply;
    const char *normal;
    qlm_license_view_t *view;

    set_property("std", "&is_productid=1&is_majorversion=1&is_minorversion=0&is_features=0:1");
    reply = call("GetActivationKey", CREDENTIALS "&is_args=std&is_features=0:2", "");
    qlm_keygen_read(&normal, element(reply, "activationKey"), secrets, pool);
    no_error(qlm_store_find_license(&view, store, normal, "", pool));
    ck_assert_str_eq(view->license.features, "0:2;");
    reply = call("GetActivationKey", CREDENTIALS PRODUCT "&is_args=unknown", "");
    has(reply, "<activationKey>");
}
END_TEST

/* ---- validating ---- */

START_TEST(a_computer_activates_and_stays)
{
    const char *key = issue("");
    qlm_reply_t *first = validate(key, "&is_pcid=PC-1&is_computer_name=Office" PRODUCT);
    qlm_reply_t *again;

    ck_assert_str_eq(first->outcome, "activated");
    ck_assert_str_eq(element(first, "status"), "2");
    ck_assert_str_eq(element(first, "computerID"), "PC-1");
    ck_assert_str_eq(element(first, "availableLicenses"), "0");
    has(first, "<Signature ");
    again = validate(key, "&is_pcid=pc-1");
    ck_assert_str_eq(again->outcome, "valid");
    ck_assert_str_eq(element(again, "pckey"), element(first, "pckey"));
    ck_assert_str_eq(element(again, "computerID"), "pc-1");
    ck_assert_str_eq(element(again, "computerName"), "Office");
}
END_TEST

START_TEST(a_second_computer_is_told_who_has_the_seat)
{
    const char *key = issue("");
    qlm_reply_t *reply;

    validate(key, "&is_pcid=PC-1&is_computer_name=Office");
    reply = validate(key, "&is_pcid=PC-2");
    has(reply, "<errorCode>207</errorCode><status>264</status>");
    has(reply, "Office");
    has(reply, "<Signature ");
}
END_TEST

START_TEST(seats_of_a_shared_key_run_out)
{
    const char *key = issue("&is_quantity=2");

    validate(key, "&is_pcid=PC-1");
    validate(key, "&is_pcid=PC-2");
    has(validate(key, "&is_pcid=PC-3"), "<errorCode>210</errorCode>");
    has(validate(key, "&is_pcid=PC-1"), "<availableLicenses>0</availableLicenses>");
}
END_TEST

START_TEST(a_report_changes_nothing)
{
    const char *key = issue("");
    qlm_reply_t *reply = validate(key, "&is_pcid=PC-1&is_activate=false");

    ck_assert_str_eq(element(reply, "status"), "512");
    ck_assert_str_eq(element(reply, "pckey"), "");
    ck_assert_str_eq(element(reply, "availableLicenses"), "1");
    has_not(reply, "error");
}
END_TEST

START_TEST(refusals_of_the_table)
{
    const char *key = issue("&is_expduration=10");

    has(validate("", "&is_pcid=PC-1"), "<errorCode>206</errorCode><status>8</status>");
    has(validate("A12", "&is_pcid=PC-1"), "<errorCode>203</errorCode><status>8</status>");
    has(validate(key, PRODUCT), "<errorCode>208</errorCode><status>8</status>");
    has(validate(key, "&is_pcid=PC-1&is_productid=7&is_majorversion=1&is_minorversion=0"),
        "<errorCode>220</errorCode><status>24</status>");
    has(validate(key, "&is_pcid=PC-1&is_productid=1&is_majorversion=2&is_minorversion=0"),
        "<errorCode>211</errorCode><status>40</status>");
    has(validate(key, "&is_pcid=PC-1&is_pckey=JAAAA"),
        "<errorCode>219</errorCode><status>264</status>");
    now += 12 * QLM_DATE_DAY;
    has(validate(key, "&is_pcid=PC-1"), "<errorCode>209</errorCode><status>68</status>");
}
END_TEST

START_TEST(a_mistyped_key_is_not_looked_up)
{
    char *key = apr_pstrdup(pool, issue(""));

    key[12] = key[12] == '7' ? '8' : '7';
    has(validate(key, "&is_pcid=PC-1"), "<errorCode>205</errorCode>");
}
END_TEST

START_TEST(a_plan_covers_a_newer_version_and_its_key_signs)
{
    const char *key = issue("&is_maintenance_plan=true");
    qlm_reply_t *reply =
        validate(key, "&is_pcid=PC-1&is_productid=1&is_majorversion=2&is_minorversion=0");

    ck_assert_str_eq(element(reply, "status"), "2");
    ck_assert_str_eq(element(reply, "majorVersion"), "2");
}
END_TEST

START_TEST(a_duration_may_start_at_activation)
{
    const char *key;
    qlm_reply_t *reply;

    set_property("useDurationToSetExpiryDate", "false");
    set_property("useDurationToSetExpiryDateWhenActivating", "true");
    key = issue("&is_expduration=10&is_quantity=2");
    now += 100 * QLM_DATE_DAY;
    reply = validate(key, "&is_pcid=PC-1");
    ck_assert_str_eq(element(reply, "status"), "4");
    ck_assert_str_eq(element(reply, "expiryDate"),
                     qlm_date_format(qlm_date_add_days(now, 10), "yyyy-MM-dd HH:mm", pool));
    now += QLM_DATE_DAY; /* a second computer gets the date of the first */
    ck_assert_str_eq(element(validate(key, "&is_pcid=PC-2"), "expiryDate"),
                     element(reply, "expiryDate"));
}
END_TEST

START_TEST(limits_on_one_computer)
{
    set_property("maxActivationsPerSystem", "1");
    validate(issue(""), "&is_pcid=PC-1");
    has(validate(issue(""), "&is_pcid=PC-1"), "<errorCode>214</errorCode>");
    set_property("maxActivationsPerSystem", "-1");
    set_property("enforceMaxTrialsWhenActivating", "true");
    set_property("numberOfTrialLicensesAllowedPerClient", "1");
    validate(issue("&is_licensemodel=trial&is_expduration=30"), "&is_pcid=PC-9");
    has(validate(issue("&is_licensemodel=trial&is_expduration=30"), "&is_pcid=PC-9"),
        "<errorCode>213</errorCode>");
    set_property("blockComputerIDs", "PC-5||pc-6");
    has(validate(issue(""), "&is_pcid=PC-6"), "<errorCode>1</errorCode>");
}
END_TEST

/* ---- the rest ---- */

START_TEST(ping_unknown_and_index)
{
    qlm_reply_t *reply = call("PINGHTTP", "", "");

    has(reply, "<serverVersion>");
    has(reply, "<serverDate>2026-11-21T09:30:15Z</serverDate>");
    reply = call("NoSuchMethod", "", "");
    ck_assert_int_eq(reply->http_status, 404);
    reply = call("", "", "");
    ck_assert_int_eq(reply->http_status, 200);
    has(reply, "ValidateLicenseHttp");
    is_database_away = 1;
    ck_assert_int_eq(call("PingHttp", "", "")->http_status, 503);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service");
    TCase *tests = tcase_create("service");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_order_becomes_a_key);
    tcase_add_test(tests, the_same_order_gets_the_same_bytes);
    tcase_add_test(tests, a_repeat_with_another_quantity_gets_the_first_answer_and_is_odd);
    tcase_add_test(tests, calls_without_an_order_number_make_new_keys);
    tcase_add_test(tests, terms_reach_the_license);
    tcase_add_test(tests, refused_orders_store_nothing);
    tcase_add_test(tests, a_shop_is_never_answered_with_a_failure_it_could_sell);
    tcase_add_test(tests, a_buyers_body_supplies_no_arguments);
    tcase_add_test(tests, switches_hold_from_the_next_call_on);
    tcase_add_test(tests, limits_of_new_keys);
    tcase_add_test(tests, stored_arguments_fill_gaps_only);
    tcase_add_test(tests, a_computer_activates_and_stays);
    tcase_add_test(tests, a_second_computer_is_told_who_has_the_seat);
    tcase_add_test(tests, seats_of_a_shared_key_run_out);
    tcase_add_test(tests, a_report_changes_nothing);
    tcase_add_test(tests, refusals_of_the_table);
    tcase_add_test(tests, a_mistyped_key_is_not_looked_up);
    tcase_add_test(tests, a_plan_covers_a_newer_version_and_its_key_signs);
    tcase_add_test(tests, a_duration_may_start_at_activation);
    tcase_add_test(tests, limits_on_one_computer);
    tcase_add_test(tests, ping_unknown_and_index);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
