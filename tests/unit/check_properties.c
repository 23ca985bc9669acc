/* Server properties: table, checks, values. */
#include "license/properties.h"

#include "license/model.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static qlm_properties_t *properties;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    properties = qlm_properties_create(pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* Every row is complete, has a name of its own, and a default that its own check accepts. */
START_TEST(test_rows)
{
    const qlm_property_row_t *row = qlm_property_row((qlm_property_t)_i);
    const qlm_error_t *error = qlm_properties_check(row->name, row->fallback, pool);

    ck_assert(*row->name && *row->category && *row->help);
    ck_assert_ptr_eq(qlm_property_find(row->name), row);
    ck_assert_msg(error == NULL, "%s", error ? error->text : "");
    ck_assert_str_eq(qlm_properties_text(properties, (qlm_property_t)_i), row->fallback);
    ck_assert_ptr_null(qlm_properties_get(properties, row->name));
}
END_TEST

START_TEST(test_find)
{
    ck_assert_ptr_eq(qlm_property_find("ALLOWGENERICKEYS"),
                     qlm_property_row(QLM_PROPERTY_ALLOW_GENERIC_KEYS));
    ck_assert_ptr_eq(qlm_property_find("enforceTrialsMatchComputerIDOnly"),
                     qlm_property_row(QLM_PROPERTY_TRIALS_MATCH_ID_ONLY));
    ck_assert_ptr_null(qlm_property_find("shareit_300123"));
    ck_assert_ptr_null(qlm_property_find(""));
    ck_assert_ptr_null(qlm_property_find(NULL));
}
END_TEST

START_TEST(test_defaults)
{
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_CAPTURE_IP_ADDRESS), 1);
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY), 0);
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_MAINTENANCE_DAYS), 365);
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_DB_MAX_RECORDS), -1);
    ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_DATE_FORMAT), "yyyy-MM-dd");
    ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_DEFAULT_VENDOR), "");
}
END_TEST

START_TEST(test_values)
{
    char name[] = "ENABLEgetactivationkey", value[] = "Yes";

    qlm_properties_put(properties, name, value);
    memset(name, 'x', sizeof(name) - 1); /* both were copied */
    memset(value, 'x', sizeof(value) - 1);
    qlm_properties_put(properties, "maintenancePlanPeriodInDays", " 30 ");
    qlm_properties_put(properties, "defaultCommerceProvider", "shareit");
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY), 1);
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_MAINTENANCE_DAYS), 30);
    ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_DEFAULT_VENDOR), "shareit");
    ck_assert_str_eq(qlm_properties_get(properties, "EnableGetActivationKey"), "Yes");
    qlm_properties_put(properties, "enableGetActivationKey", "0");
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY), 0);
}
END_TEST

/* A value that somebody wrote into the database past the check does not change the rule. */
START_TEST(test_unreadable_values)
{
    qlm_properties_put(properties, "enableGetActivationKey", "maybe");
    qlm_properties_put(properties, "captureIPAddress", "");
    qlm_properties_put(properties, "maintenancePlanPeriodInDays", "7 weeks");
    qlm_properties_put(properties, "dateFormat", "");
    qlm_properties_put(properties, "defaultLicenseModelWhenDurationSet", "eternal");
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY), 0);
    ck_assert_int_eq(qlm_properties_bool(properties, QLM_PROPERTY_CAPTURE_IP_ADDRESS), 1);
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_MAINTENANCE_DAYS), 365);
    ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_DATE_FORMAT), "yyyy-MM-dd");
    ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_MODEL_WHEN_DURATION),
                     "subscription");
    ck_assert_str_eq(qlm_properties_get(properties, "dateFormat"), "");
}
END_TEST

/* A good value after a bad one, and a bad one after a good one. */
START_TEST(test_overwritten)
{
    qlm_properties_put(properties, "maxActivationsPerDay", "5");
    qlm_properties_put(properties, "maxActivationsPerDay", "many");
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_MAX_ACTIVATIONS_PER_DAY), -1);
    qlm_properties_put(properties, "maxActivationsPerDay", "6");
    ck_assert_int_eq(qlm_properties_int(properties, QLM_PROPERTY_MAX_ACTIVATIONS_PER_DAY), 6);
}
END_TEST

START_TEST(test_custom)
{
    char *longest = apr_pcalloc(pool, 501);

    memset(longest, 'N', 500);
    qlm_properties_put(properties, " ShareIt_300123 ", "&is_productid=1");
    qlm_properties_put(properties, "\xC3\x84pfel", "umlaut");
    qlm_properties_put(properties, longest, "never found");
    ck_assert_str_eq(qlm_properties_get(properties, "shareit_300123"), "&is_productid=1");
    ck_assert_str_eq(qlm_properties_get(properties, "\tSHAREIT_300123 "), "&is_productid=1");
    ck_assert_str_eq(qlm_properties_get(properties, "\xC3\x84PFEL"), "umlaut");
    ck_assert_ptr_null(qlm_properties_get(properties, "shareit_30012"));
    ck_assert_ptr_null(qlm_properties_get(properties, longest));
    ck_assert_ptr_null(qlm_properties_get(properties, ""));
    ck_assert_ptr_null(qlm_properties_get(properties, "  "));
    ck_assert_ptr_null(qlm_properties_get(properties, NULL));
}
END_TEST

/* Threads share a set: reading it must not make anything in its pool. Two allocations without
 * another one between them lie side by side. */
START_TEST(test_reading_is_pure)
{
    char *before, *after;
    char name[64];

    qlm_properties_put(properties, "ITEM1", "&is_productid=1");
    before = apr_palloc(pool, 8);
    for (int i = 0; i < 1000; i++) {
        apr_snprintf(name, sizeof(name), "Item%d", i);
        ck_assert_int_eq(qlm_properties_get(properties, name) != NULL, i == 1);
        ck_assert_str_eq(qlm_properties_text(properties, QLM_PROPERTY_DEFAULT_VENDOR), "");
    }
    after = apr_palloc(pool, 8);
    ck_assert_int_eq(after - before, 8);
}
END_TEST

static const struct {
    const char *name, *value;
    int is_good;
} checks[] = {
    {"allowGenericKeys", "true", 1},
    {"allowGenericKeys", "0", 1},
    {"allowGenericKeys", "", 0},
    {"allowGenericKeys", "2", 0},
    {"allowGenericKeys", NULL, 0},
    {"maxActivationsPerDay", "-1", 1},
    {"maxActivationsPerDay", "2147483647", 1},
    {"maxActivationsPerDay", "2147483648", 0},
    {"maxActivationsPerDay", "-2", 0},
    {"maxActivationsPerDay", "1.5", 0},
    {"maxActivationsPerDay", "", 0},
    {"defaultLicenseModelWhenDurationSet", "Trial", 1},
    {"defaultLicenseModelWhenDurationSet", "demo", 0},
    {"defaultLicenseModelWhenExpiryDateSet", "", 0},
    {"defaultQlmVersion", "5.0.00", 1},
    {"defaultQlmVersion", "new", 0},
    {"signatureAlgorithm", "RSA-SHA1", 1},
    {"signatureAlgorithm", "md5", 0},
    {"dateFormat", "dd.MM.yyyy", 1},
    {"dateFormat", "d/M/yyyy", 1},
    {"dateFormat", "HH:mm", 0},
    {"dateFormat", "", 0},
    {"eCommerceProviderDateFormat", "MM/dd/yyyy HH:mm", 1},
    {"blockComputerIDs", "a||b", 1},
    {"blockComputerIDs", "", 1},
    {"ITEM1", "&is_productid=1&is_majorversion=1", 1},
    {"ITEM1", "\xFF", 0},
    {"", "x", 0},
    {NULL, "x", 0},
    {" ", "x", 0},
    {"a\nb", "x", 0},
    {"\xFF", "x", 0},
};

START_TEST(test_check)
{
    const qlm_error_t *error = qlm_properties_check(checks[_i].name, checks[_i].value, pool);

    ck_assert_msg((error == NULL) == checks[_i].is_good, "%s=%s: %s", checks[_i].name,
                  checks[_i].value, error ? error->text : "accepted");
    if (error) {
        ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
        ck_assert_ptr_null(strchr(error->text, '\n'));
    }
}
END_TEST

START_TEST(test_check_lengths)
{
    char *text = apr_pcalloc(pool, 5000);

    memset(text, 'v', 4000);
    ck_assert_ptr_null(qlm_properties_check("ITEM1", text, pool));
    text[4000] = 'v';
    ck_assert_ptr_nonnull(qlm_properties_check("ITEM1", text, pool));
    text[100] = '\0';
    ck_assert_ptr_null(qlm_properties_check(text, "x", pool));
    text[100] = 'v';
    text[101] = '\0';
    ck_assert_ptr_nonnull(qlm_properties_check(text, "x", pool));
    /* 100 characters of two bytes each */
    for (int i = 0; i < 100; i++) {
        memcpy(text + 2 * i, "\xC3\xA4", 2);
    }
    text[200] = '\0';
    ck_assert_ptr_null(qlm_properties_check(text, "x", pool));
    qlm_properties_put(properties, text, "found");
    ck_assert_str_eq(qlm_properties_get(properties, text), "found");
}
END_TEST

/* The text says which property and what it takes. */
START_TEST(test_check_text)
{
    const qlm_error_t *error = qlm_properties_check("allowGenericKeys", "perhaps", pool);

    ck_assert_ptr_nonnull(strstr(error->text, "allowGenericKeys"));
    ck_assert_ptr_nonnull(strstr(error->text, "true or false"));
    ck_assert_ptr_null(strstr(error->text, "perhaps"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("properties");
    TCase *cases = tcase_create("properties");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, test_rows, 0, QLM_PROPERTY_COUNT);
    tcase_add_test(cases, test_find);
    tcase_add_test(cases, test_defaults);
    tcase_add_test(cases, test_values);
    tcase_add_test(cases, test_unreadable_values);
    tcase_add_test(cases, test_overwritten);
    tcase_add_test(cases, test_custom);
    tcase_add_test(cases, test_reading_is_pure);
    tcase_add_loop_test(cases, test_check, 0, (int)(sizeof(checks) / sizeof(checks[0])));
    tcase_add_test(cases, test_check_lengths);
    tcase_add_test(cases, test_check_text);
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
