/* The rules by which a computer is let in, and the numbers that go with them. */
#include "license/license.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define NOW   ((apr_int64_t)1700000000) /* 2023-11-14 22:13:20 */
#define KEY   "A1345678901234567890ABCDEF"
#define PCKEY "U1111111111111111111111111"

static apr_pool_t *pool;
static qlm_license_t license;
static qlm_activation_t active, inactive;
static qlm_request_t request;
static qlm_product_t product;
static qlm_properties_t *properties;

/* A good license of product 1 version 2.1, active on PC-1, and a call from there. */
static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    license = (qlm_license_t){.id = 7,
                              .activation_key = KEY,
                              .product_id = 1,
                              .major = 2,
                              .minor = 1,
                              .model = QLM_MODEL_PERMANENT,
                              .engine = QLM_ENGINE_6,
                              .num_licenses = 1,
                              .floating_seats = 1,
                              .features = "",
                              .duration_days = -1,
                              .allowed_computers = "",
                              .denied_computers = ""};
    active =
        (qlm_activation_t){.id = 9, .license_id = 7, .computer_id = "PC-1", .computer_key = PCKEY};
    inactive = (qlm_activation_t){.computer_id = "", .computer_key = ""};
    request = (qlm_request_t){.computer_id = "PC-1",
                              .computer_key = "",
                              .activate = 1,
                              .has_version = 1,
                              .product_id = 1,
                              .major = 2,
                              .minor = 1,
                              .now = NOW};
    product = (qlm_product_t){.id = 1, .major = 2, .minor = 1, .name = "Demo"};
    properties = qlm_properties_create(pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* The code of the refusal, 0 when let in; every refusal's text is checked on the way. */
static int judge(qlm_verdict_t *verdict, const qlm_activation_t *activation,
                 const qlm_product_t *requested)
{
    const qlm_error_t *error =
        qlm_license_judge(verdict, &license, activation, &request, requested, properties, pool);

    if (error == NULL) {
        return 0;
    }
    ck_assert_int_eq(error->kind, QLM_ERROR_REFUSED);
    ck_assert_msg(!qlm_text_has_control(error->text) && strlen(error->text) > 20, "%s",
                  error->text);
    ck_assert_msg(!strstr(error->text, KEY) && !strstr(error->text, PCKEY), "%s", error->text);
    ck_assert_int_ne((int)error->code, 0);
    return (int)error->code;
}

static int judge_active(void)
{
    qlm_verdict_t verdict;

    return judge(&verdict, &active, &product);
}

static int judge_inactive(void)
{
    qlm_verdict_t verdict;

    return judge(&verdict, &inactive, &product);
}

START_TEST(test_verdicts)
{
    qlm_verdict_t verdict = QLM_VERDICT_REPORT;

    ck_assert_int_eq(judge(&verdict, &active, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_VALID);
    ck_assert_int_eq(judge(&verdict, &inactive, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_ACTIVATE);
    request.activate = 0;
    ck_assert_int_eq(judge(&verdict, &inactive, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_REPORT);
    ck_assert_int_eq(judge(&verdict, &active, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_VALID);
}
END_TEST

/* With a computer key nothing is ever activated, whatever is_activate says. */
START_TEST(test_computer_key)
{
    qlm_verdict_t verdict = QLM_VERDICT_REPORT;

    request.computer_key = PCKEY;
    for (request.activate = 0; request.activate < 2; request.activate++) {
        ck_assert_int_eq(judge(&verdict, &inactive, &product), QLM_CODE_NOT_ACTIVATED);
        ck_assert_int_eq(judge(&verdict, &active, &product), 0);
        ck_assert_int_eq(verdict, QLM_VERDICT_VALID);
    }
}
END_TEST

START_TEST(test_computer_key_match)
{
    request.computer_key = "U2222222222222222222222222";
    ck_assert_int_eq(judge_active(), 0);
    qlm_properties_put(properties, "requireComputerKeyMatchWhenValidatingOnServer", "true");
    ck_assert_int_eq(judge_active(), QLM_CODE_COMPUTER_KEY_MISMATCH);
    ck_assert_int_eq(judge_inactive(), QLM_CODE_NOT_ACTIVATED);
    request.computer_key = PCKEY;
    ck_assert_int_eq(judge_active(), 0);
    request.computer_key = "";
    ck_assert_int_eq(judge_active(), 0);
}
END_TEST

/* Everything is wrong at once; set right one after the other, the next rule speaks. */
START_TEST(test_order_of_rules)
{
    license.is_disabled = 1;
    request.product_id = 2;
    request.minor = 0;
    request.computer_id = "";
    request.computer_key = PCKEY;
    license.is_generic = 1;
    license.expires_at = NOW - 1;
    qlm_properties_put(properties, "blockComputerIDs", "pc-1");
    ck_assert_int_eq(judge_inactive(), QLM_CODE_REVOKED);
    license.is_disabled = 0;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_WRONG_PRODUCT);
    request.product_id = 1;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_WRONG_VERSION);
    request.minor = 1;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_MISSING_ARGUMENT);
    request.computer_id = "PC-1";
    ck_assert_int_eq(judge_inactive(), QLM_CODE_NOT_VALID);
    license.is_generic = 0;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_BLOCKED);
    qlm_properties_put(properties, "blockComputerIDs", "");
    ck_assert_int_eq(judge_inactive(), QLM_CODE_EXPIRED);
    license.expires_at = NOW;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_NOT_ACTIVATED);
    request.computer_key = "";
    ck_assert_int_eq(judge_inactive(), 0);
}
END_TEST

/* A computer that is active is judged by the same rules. */
START_TEST(test_active_is_no_exception)
{
    license.is_disabled = 1;
    ck_assert_int_eq(judge_active(), QLM_CODE_REVOKED);
    license.is_disabled = 0;
    license.expires_at = NOW - 1;
    ck_assert_int_eq(judge_active(), QLM_CODE_EXPIRED);
    license.expires_at = 0;
    qlm_properties_put(properties, "blockComputerIDs", "PC-1");
    ck_assert_int_eq(judge_active(), QLM_CODE_BLOCKED);
}
END_TEST

/* Valid through the last second of its last day. */
START_TEST(test_expiry_edge)
{
    license.expires_at = qlm_date_end_of_day(NOW);
    request.now = license.expires_at;
    ck_assert_int_eq(judge_active(), 0);
    request.now++;
    ck_assert_int_eq(judge_active(), QLM_CODE_EXPIRED);
}
END_TEST

START_TEST(test_expiry_text)
{
    qlm_verdict_t verdict;
    const qlm_error_t *error;

    license.expires_at = NOW - 1;
    error = qlm_license_judge(&verdict, &license, &active, &request, &product, properties, pool);
    ck_assert_ptr_nonnull(strstr(error->text, "2023-11-14"));
}
END_TEST

START_TEST(test_no_version_named)
{
    qlm_verdict_t verdict;

    request.has_version = 0;
    request.product_id = 99;
    request.major = 0;
    ck_assert_int_eq(judge(&verdict, &active, NULL), 0);
}
END_TEST

/* The same version needs no product record: the license itself is proof that it exists. */
START_TEST(test_same_version_unknown)
{
    qlm_verdict_t verdict;

    ck_assert_int_eq(judge(&verdict, &active, NULL), 0);
}
END_TEST

/* Versions against the maintenance plan; license is 2.1, plan and release in days from today. */
static const struct {
    const char *what;
    int major, minor, plan, release, allow_older, code;
} versions[] = {
    {"newer, plan runs", 2, 2, 10, -5, 0, 0},
    {"newer major, plan runs", 3, 0, 10, -5, 0, 0},
    {"newer, no plan", 2, 2, 0, -5, 0, QLM_CODE_WRONG_VERSION},
    {"newer, plan over", 2, 2, -1, -5, 0, QLM_CODE_WRONG_VERSION},
    {"newer, released after the plan", 2, 2, 10, 11, 0, QLM_CODE_WRONG_VERSION},
    {"newer, released on the plan's last day", 2, 2, 10, 10, 0, 0},
    {"newer, release unknown", 2, 2, 10, 0, 0, QLM_CODE_WRONG_VERSION},
    {"newer minor, lower than it looks", 2, 10, 0, -5, 0, QLM_CODE_WRONG_VERSION},
    {"newer, allow_older is no help", 2, 2, 0, -5, 1, QLM_CODE_WRONG_VERSION},
    {"older", 2, 0, 0, -5, 0, QLM_CODE_WRONG_VERSION},
    {"older, the plan is no help", 2, 0, 10, -5, 0, QLM_CODE_WRONG_VERSION},
    {"older, allowed", 2, 0, 0, -5, 1, 0},
    {"older major with greater minor", 1, 9, 10, -5, 0, QLM_CODE_WRONG_VERSION},
    {"older major with greater minor, allowed", 1, 9, 0, 0, 1, 0},
};

static apr_int64_t day(int distance)
{
    return distance ? NOW - NOW % QLM_DATE_DAY + distance * QLM_DATE_DAY : 0;
}

START_TEST(test_versions)
{
    request.major = product.major = versions[_i].major;
    request.minor = product.minor = versions[_i].minor;
    product.released_at = day(versions[_i].release);
    license.maintenance_until = day(versions[_i].plan);
    if (license.maintenance_until) {
        license.maintenance_until = qlm_date_end_of_day(license.maintenance_until);
    }
    qlm_properties_put(properties, "allowActivatingOlderVersion",
                       versions[_i].allow_older ? "true" : "false");
    ck_assert_msg(judge_active() == versions[_i].code, "%s", versions[_i].what);
    ck_assert_msg(judge_inactive() == versions[_i].code, "%s", versions[_i].what);
}
END_TEST

/* The plan covers the whole of its last day, and not a second more. */
START_TEST(test_plan_edge)
{
    request.minor = product.minor = 2;
    product.released_at = day(-5);
    license.maintenance_until = NOW;
    ck_assert_int_eq(judge_active(), 0);
    product.released_at = NOW;
    ck_assert_int_eq(judge_active(), 0);
    product.released_at = NOW + 1;
    ck_assert_int_eq(judge_active(), QLM_CODE_WRONG_VERSION);
    product.released_at = day(-5);
    request.now = NOW + 1;
    ck_assert_int_eq(judge_active(), QLM_CODE_WRONG_VERSION);
}
END_TEST

START_TEST(test_unknown_version)
{
    qlm_verdict_t verdict;

    license.maintenance_until = NOW + 1;
    qlm_properties_put(properties, "allowActivatingOlderVersion", "true");
    request.minor = 2;
    ck_assert_int_eq(judge(&verdict, &active, NULL), QLM_CODE_WRONG_VERSION);
    request.minor = 0;
    ck_assert_int_eq(judge(&verdict, &active, NULL), QLM_CODE_WRONG_VERSION);
}
END_TEST

/* A report needs no computer; activating, or a computer key, does. */
START_TEST(test_computer_needed)
{
    qlm_verdict_t verdict;

    request.computer_id = "";
    ck_assert_int_eq(judge_inactive(), QLM_CODE_MISSING_ARGUMENT);
    request.activate = 0;
    ck_assert_int_eq(judge(&verdict, &inactive, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_REPORT);
    request.computer_key = PCKEY;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_MISSING_ARGUMENT);
    request.computer_key = "";
    request.computer_id = "a\nb"; /* an id that is given must be good */
    ck_assert_int_eq(judge_inactive(), QLM_CODE_MISSING_ARGUMENT);
}
END_TEST

START_TEST(test_generic)
{
    qlm_verdict_t verdict;

    license.is_generic = 1;
    ck_assert_int_eq(judge_inactive(), QLM_CODE_NOT_VALID);
    ck_assert_int_eq(judge_active(), QLM_CODE_NOT_VALID);
    qlm_properties_put(properties, "allowGenericKeys", "true");
    ck_assert_int_eq(judge(&verdict, &inactive, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_ACTIVATE);
    ck_assert_int_eq(judge(&verdict, &active, &product), 0);
    ck_assert_int_eq(verdict, QLM_VERDICT_VALID);
}
END_TEST

static const struct {
    const char *list, *id;
    int is_blocked;
} blocks[] = {
    {"PC-1", "PC-1", 1},           {"pc-1", "PC-1", 1},       {"a||PC-1||b", "PC-1", 1},
    {"a|| PC-1 ", "PC-1", 1},      {"a||b||PC-1", "pc-1", 1}, {"||PC-1||", "PC-1", 1},
    {"PC-10", "PC-1", 0},          {"XPC-1", "PC-1", 0},      {"PC-1;PC-2", "PC-1", 0},
    {"PC-1;PC-2", "PC-1;PC-2", 1}, {"a|PC-1", "PC-1", 0},     {"||||", "PC-1", 0},
    {"|| ||", "PC-1", 0},          {"a|b||c", "a|b", 1},      {"", "PC-1", 0},
};

START_TEST(test_blocked)
{
    qlm_properties_put(properties, "blockComputerIDs", blocks[_i].list);
    request.computer_id = blocks[_i].id;
    ck_assert_msg(judge_inactive() == (blocks[_i].is_blocked ? QLM_CODE_BLOCKED : 0), "%s in %s",
                  blocks[_i].id, blocks[_i].list);
}
END_TEST

START_TEST(test_denied)
{
    license.denied_computers = blocks[_i].list;
    request.computer_id = blocks[_i].id;
    ck_assert_int_eq(judge_inactive(), blocks[_i].is_blocked ? QLM_CODE_BLOCKED : 0);
}
END_TEST

/* A list that names somebody lets in nobody else; one that is empty lets in all. */
START_TEST(test_allowed)
{
    int is_let_in = blocks[_i].is_blocked || !*blocks[_i].list;

    license.allowed_computers = blocks[_i].list;
    request.computer_id = blocks[_i].id;
    ck_assert_int_eq(judge_inactive(), is_let_in ? 0 : QLM_CODE_BLOCKED);
    license.denied_computers = blocks[_i].id; /* who is on both lists is denied */
    ck_assert_int_eq(judge_inactive(), QLM_CODE_BLOCKED);
}
END_TEST

/* An empty entry does not block the caller who gives no id. */
START_TEST(test_blocked_without_id)
{
    qlm_properties_put(properties, "blockComputerIDs", "||a||");
    request.computer_id = "";
    request.activate = 0;
    ck_assert_int_eq(judge_inactive(), 0);
}
END_TEST

START_TEST(test_computer_id)
{
    char *text = apr_pcalloc(pool, 2000);

    ck_assert_ptr_null(qlm_license_check_computer_id("x", pool));
    ck_assert_ptr_null(qlm_license_check_computer_id("Anna's PC; 100 % \xE6\x97\xA5", pool));
    ck_assert_ptr_nonnull(qlm_license_check_computer_id("", pool));
    ck_assert_ptr_nonnull(qlm_license_check_computer_id(NULL, pool));
    ck_assert_ptr_nonnull(qlm_license_check_computer_id("a\tb", pool));
    ck_assert_ptr_nonnull(qlm_license_check_computer_id("\x7f", pool));
    ck_assert_ptr_nonnull(qlm_license_check_computer_id("\xC3", pool));
    memset(text, 'x', 255);
    ck_assert_ptr_null(qlm_license_check_computer_id(text, pool));
    text[255] = 'x';
    ck_assert_int_eq(qlm_license_check_computer_id(text, pool)->code, QLM_CODE_MISSING_ARGUMENT);
    for (int i = 0; i < 255; i++) { /* characters count, not bytes */
        memcpy(text + 4 * i, "\xF0\x9F\x94\x91", 4);
    }
    ck_assert_ptr_null(qlm_license_check_computer_id(text, pool));
    text[4 * 255] = 'x';
    ck_assert_ptr_nonnull(qlm_license_check_computer_id(text, pool));
}
END_TEST

static const struct {
    int code, status;
} statuses[] = {
    {QLM_CODE_NOT_FOUND, 8},
    {QLM_CODE_NOT_VALID, 8},
    {QLM_CODE_NOT_PROVIDED, 8},
    {QLM_CODE_MISSING_ARGUMENT, 8},
    {QLM_CODE_REVOKED, 2056},
    {QLM_CODE_WRONG_PRODUCT, 24},
    {QLM_CODE_PRODUCT_NOT_FOUND, 24},
    {QLM_CODE_WRONG_VERSION, 40},
    {QLM_CODE_EXPIRED, 68},
    {QLM_CODE_ACTIVATED_ELSEWHERE, 264},
    {QLM_CODE_NO_MORE_ACTIVATIONS, 264},
    {QLM_CODE_ILLEGAL, 264},
    {QLM_CODE_COMPUTER_KEY_MISMATCH, 264},
    {QLM_CODE_NOT_ACTIVATED, 264},
    {QLM_CODE_TOO_MANY_TRIALS, 264},
    {QLM_CODE_TOO_MANY_PER_SYSTEM, 264},
    {QLM_CODE_BLOCKED, 264},
    {QLM_CODE_IP_RESTRICTION, 8},
    {QLM_CODE_DISABLED, 8},
    {QLM_CODE_AUTHENTICATION, 8},
    {QLM_CODE_DATABASE, 8},
    {QLM_CODE_UNKNOWN, 8},
    {4711, 8},
};

START_TEST(test_refusal_status)
{
    ck_assert_int_eq(qlm_license_refusal_status((qlm_code_t)statuses[_i].code),
                     statuses[_i].status);
}
END_TEST

/* Whatever the code, no client may take the status for a success: the permanent bit never, the
 * other only where the license is over anyway. */
START_TEST(test_refusal_status_is_none_of_success)
{
    for (int code = -10; code < 5000; code++) {
        int status = qlm_license_refusal_status((qlm_code_t)code);

        ck_assert_int_eq(status & QLM_STATUS_PERMANENT, 0);
        ck_assert(!(status & QLM_STATUS_DEMO) || code == QLM_CODE_EXPIRED);
        ck_assert(status & (QLM_STATUS_INVALID | QLM_STATUS_EXPIRED));
    }
}
END_TEST

START_TEST(test_success_status)
{
    ck_assert_int_eq(qlm_license_success_status(&license), 2);
    license.expires_at = NOW + 1;
    ck_assert_int_eq(qlm_license_success_status(&license), 4);
    license.expires_at = 0;
    license.duration_days = 30;
    ck_assert_int_eq(qlm_license_success_status(&license), 4);
}
END_TEST

/* What the license grants decides its computer keys. */
START_TEST(test_computer_key_of_license)
{
    const unsigned char secret[32] = "a secret of thirty-two bytes....";
    const qlm_secrets_t *secrets = qlm_secrets_from_bytes(secret, 1, pool);
    const char *key = qlm_license_computer_key(&license, "PC-1", secrets, pool);
    const char *other;

    ck_assert_uint_eq(strlen(key), QLM_KEY_LENGTH);
    ck_assert_int_eq(key[0], 'U');
    ck_assert_str_eq(qlm_license_computer_key(&license, "pc-1", secrets, pool), key);
    ck_assert_str_ne(qlm_license_computer_key(&license, "PC-2", secrets, pool), key);
    license.features = "0:1;";
    other = qlm_license_computer_key(&license, "PC-1", secrets, pool);
    ck_assert_str_ne(other, key);
    license.model = QLM_MODEL_SUBSCRIPTION;
    license.expires_at = NOW;
    other = qlm_license_computer_key(&license, "PC-1", secrets, pool);
    ck_assert_int_eq(other[0], 'J');
    license.expires_at = NOW + QLM_DATE_DAY;
    ck_assert_str_ne(qlm_license_computer_key(&license, "PC-1", secrets, pool), other);
}
END_TEST

START_TEST(test_computer_key_of_generic)
{
    const unsigned char secret[32] = "a secret of thirty-two bytes....";
    const qlm_secrets_t *secrets = qlm_secrets_from_bytes(secret, 1, pool);

    license.is_generic = 1;
    ck_assert_int_eq(qlm_license_computer_key(&license, "PC-1", secrets, pool)[0], 'G');
    ck_assert_str_eq(qlm_license_computer_key(&license, "PC-1", secrets, pool),
                     qlm_license_computer_key(&license, "PC-2", secrets, pool));
}
END_TEST

static void add_judge_tests(TCase *cases)
{
    tcase_add_test(cases, test_verdicts);
    tcase_add_test(cases, test_computer_key);
    tcase_add_test(cases, test_computer_key_match);
    tcase_add_test(cases, test_order_of_rules);
    tcase_add_test(cases, test_active_is_no_exception);
    tcase_add_test(cases, test_expiry_edge);
    tcase_add_test(cases, test_expiry_text);
    tcase_add_test(cases, test_no_version_named);
    tcase_add_test(cases, test_same_version_unknown);
    tcase_add_loop_test(cases, test_versions, 0, (int)(sizeof(versions) / sizeof(versions[0])));
    tcase_add_test(cases, test_plan_edge);
    tcase_add_test(cases, test_unknown_version);
    tcase_add_test(cases, test_computer_needed);
    tcase_add_test(cases, test_generic);
    tcase_add_loop_test(cases, test_blocked, 0, (int)(sizeof(blocks) / sizeof(blocks[0])));
    tcase_add_loop_test(cases, test_denied, 0, (int)(sizeof(blocks) / sizeof(blocks[0])));
    tcase_add_loop_test(cases, test_allowed, 0, (int)(sizeof(blocks) / sizeof(blocks[0])));
    tcase_add_test(cases, test_blocked_without_id);
}

static Suite *make_suite(void)
{
    Suite *suite = suite_create("license");
    TCase *cases = tcase_create("license");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    add_judge_tests(cases);
    tcase_add_test(cases, test_computer_id);
    tcase_add_loop_test(cases, test_refusal_status, 0,
                        (int)(sizeof(statuses) / sizeof(statuses[0])));
    tcase_add_test(cases, test_refusal_status_is_none_of_success);
    tcase_add_test(cases, test_success_status);
    tcase_add_test(cases, test_computer_key_of_license);
    tcase_add_test(cases, test_computer_key_of_generic);
    suite_add_tcase(suite, cases);
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
