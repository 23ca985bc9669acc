/* Which terms an order gets: what is asked for, by which rule, with which default. */
#include "service/terms.h"

#include "base/date.h"
#include "base/text.h"
#include "service/methods.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static qlm_properties_t *properties;
static apr_int64_t now;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    properties = qlm_properties_create(pool);
    ck_assert(qlm_date_parse(&now, "2026-11-21 09:30:15", "yyyy-MM-dd HH:mm:ss"));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

#define PRODUCT "is_productid=7&is_majorversion=3&is_minorversion=14"

/* The terms of a query; `period` is the shop's own end of the license, "" = none. */
static qlm_terms_t read_terms(const char *query, const char *period)
{
    qlm_fields_t *fields = qlm_fields_create(pool);
    const char *whole = apr_pstrcat(pool, PRODUCT, *query ? "&" : "", query, NULL);
    qlm_arguments_t *arguments;
    qlm_order_t order = {.quantity = 1};
    qlm_terms_t terms;
    qlm_error_t *error = qlm_fields_parse(fields, whole, strlen(whole), QLM_FROM_URL);

    memset(&terms, 0x5a, sizeof(terms)); /* nothing may be left unset */
    ck_assert_ptr_null(error);
    error = qlm_arguments_read(&arguments, qlm_method_find("GetActivationKey")->parameters, fields,
                               QLM_FROM_URL, properties, pool);
    ck_assert_msg(!error, "%s: %s", query, error ? error->text : "");
    if (*period) {
        ck_assert(qlm_date_parse(&order.expires_at, period, "yyyy-MM-dd"));
        order.expires_at = qlm_date_end_of_day(order.expires_at);
    }
    qlm_terms_read(&terms, arguments, &order, properties, now);
    return terms;
}

/* "2026-12-01 23:59:59", or "" for 0 */
static const char *moment(apr_int64_t seconds)
{
    return seconds ? qlm_date_format(seconds, "yyyy-MM-dd HH:mm:ss", pool) : "";
}

static void put(const char *assignments)
{
    apr_array_header_t *list = qlm_text_split(assignments, ";", pool);

    properties = qlm_properties_create(pool);
    for (int i = 0; i < list->nelts; i++) {
        char *name = apr_pstrdup(pool, APR_ARRAY_IDX(list, i, const char *));
        char *equals = strchr(name, '=');

        ck_assert_ptr_nonnull(equals);
        *equals = '\0';
        qlm_properties_put(properties, name, equals + 1);
    }
}

START_TEST(a_bare_order_is_permanent)
{
    qlm_terms_t terms = read_terms("", "");

    ck_assert_int_eq(terms.product_id, 7);
    ck_assert_int_eq(terms.major, 3);
    ck_assert_int_eq(terms.minor, 14);
    ck_assert_int_eq(terms.model, QLM_MODEL_PERMANENT);
    ck_assert_int_eq(terms.engine, QLM_ENGINE_6);
    ck_assert_int_eq(terms.is_generic, 0);
    ck_assert_int_eq(terms.use_one_key, 1);
    ck_assert_int_eq(terms.activations_per_key, 0);
    ck_assert_int_eq(terms.additional_activations, 0);
    ck_assert_int_eq(terms.is_floating, 0);
    ck_assert_int_eq(terms.expires_at, 0);
    ck_assert_int_eq(terms.duration_days, -1);
    ck_assert_int_eq(terms.maintenance_until, 0);
    ck_assert_int_eq(terms.computer_type, 0);
    ck_assert_str_eq(terms.affiliate_id, "");
    ck_assert_str_eq(terms.user_data, "");
    ck_assert_str_eq(terms.legacy_key, "");
    ck_assert_str_eq(terms.properties, "");
    ck_assert_str_eq(qlm_features_format(&terms.features, pool), "");
    ck_assert_int_eq(qlm_terms_is_limited(&terms), 0);
}
END_TEST

START_TEST(everything_said_is_taken)
{
    qlm_terms_t terms =
        read_terms("is_usemultipleactivationskey=false&is_numberofactivationsperkey=5"
                   "&is_additionalactivations=2&is_computertype=2&is_affiliateid=eu"
                   "&is_userdata1=mine&is_legacykey=OLD&is_pp=p&is_features=0:3;1:1",
                   "");

    ck_assert_int_eq(terms.use_one_key, 0);
    ck_assert_int_eq(terms.activations_per_key, 5);
    ck_assert_int_eq(terms.additional_activations, 2);
    ck_assert_int_eq(terms.computer_type, 2);
    ck_assert_str_eq(terms.affiliate_id, "eu");
    ck_assert_str_eq(terms.user_data, "mine");
    ck_assert_str_eq(terms.legacy_key, "OLD");
    ck_assert_str_eq(terms.properties, "p");
    ck_assert_str_eq(qlm_features_format(&terms.features, pool), "0:3;1:1;");
    /* QLM's "not set" */
    ck_assert_int_eq(read_terms("is_numberofactivationsperkey=-1", "").activations_per_key, 0);
}
END_TEST

static const struct {
    const char *set, *query, *period, *model;
} models[] = {
    {"", "", "", "permanent"},
    {"", "is_expduration=30", "", "subscription"},
    {"", "is_expdate=2027-01-31", "", "subscription"},
    {"", "", "2027-01-31", "subscription"},
    {"", "is_expduration=-1", "", "permanent"},
    {"", "is_expduration=0", "", "permanent"},
    {"", "is_licensemodel=trial", "", "trial"},
    {"", "is_licensemodel=TRIAL&is_expduration=30", "", "trial"},
    {"", "is_licensemodel=none&is_expduration=30", "", "subscription"},
    {"", "is_licensemodel=permanent&is_expdate=2027-01-31", "", "permanent"},
    /* each kind of end has its own default, and a date decides over a duration */
    {"defaultLicenseModelWhenDurationSet=trial", "is_expduration=30", "", "trial"},
    {"defaultLicenseModelWhenDurationSet=trial", "is_expdate=2027-01-31", "", "subscription"},
    {"defaultLicenseModelWhenExpiryDateSet=trial", "is_expdate=2027-01-31", "", "trial"},
    {"defaultLicenseModelWhenExpiryDateSet=trial", "", "2027-01-31", "trial"},
    {"defaultLicenseModelWhenExpiryDateSet=trial", "is_expduration=30", "", "subscription"},
    {"defaultLicenseModelWhenExpiryDateSet=trial;defaultLicenseModelWhenDurationSet=permanent",
     "is_expduration=30&is_expdate=2027-01-31", "", "trial"},
    {"defaultLicenseModelWhenExpiryDateSet=trial;defaultLicenseModelWhenDurationSet=permanent",
     "is_expduration=30", "2027-01-31", "trial"},
    {"defaultLicenseModelWhenDurationSet=none", "is_expduration=30", "", "subscription"},
    {"defaultLicenseModelWhenDurationSet=nonsense", "is_expduration=30", "", "subscription"},
    {"defaultLicenseModelWhenDurationSet=", "is_expduration=30", "", "subscription"},
    /* floating kinds */
    {"", "is_floating=true", "", "permanent_floating"},
    {"", "is_floating=false", "", "permanent"},
    {"", "is_floating=true&is_expduration=30", "", "subscription_floating"},
    {"", "is_floating=true&is_licensemodel=trial", "", "trial_floating"},
    {"", "is_floating=true&is_licensemodel=trial_floating", "", "trial_floating"},
    {"", "is_floating=true&is_licensemodel=permanent_cloud", "", "permanent_cloud"},
    {"", "is_licensemodel=subscription_floating", "", "subscription_floating"},
};

START_TEST(the_model)
{
    qlm_terms_t terms;

    put(models[_i].set);
    terms = read_terms(models[_i].query, models[_i].period);
    ck_assert_msg(strcmp(qlm_model_name(terms.model), models[_i].model) == 0,
                  "%s %s %s: %s instead of %s", models[_i].set, models[_i].query, models[_i].period,
                  qlm_model_name(terms.model), models[_i].model);
    ck_assert_int_eq(terms.is_floating, strstr(models[_i].model, "floating") != NULL);
}
END_TEST

static const struct {
    const char *set, *query;
    int engine;
} engines[] = {
    {"", "", 6},
    {"", "is_qlmversion=5.0.00", 5},
    {"", "is_qlmversion=6.0.00", 6},
    {"", "is_qlmversion=rubbish", 6},
    {"defaultQlmVersion=5.0.00", "", 5},
    {"defaultQlmVersion=5.0.00", "is_qlmversion=6.0.00", 6},
    {"defaultQlmVersion=5.0.00", "is_qlmversion=rubbish", 5},
    {"defaultQlmVersion=rubbish", "", 6},
};

START_TEST(the_engine)
{
    put(engines[_i].set);
    ck_assert_int_eq((int)read_terms(engines[_i].query, "").engine, engines[_i].engine);
}
END_TEST

static const struct {
    const char *set, *query, *period, *expires;
    int days;
} ends[] = {
    {"", "", "", "", -1},
    {"", "is_expduration=10", "", "2026-12-01 23:59:59", 10},
    {"", "is_expduration=1", "", "2026-11-22 23:59:59", 1},
    {"", "is_expduration=-1", "", "", -1},
    {"", "is_expduration=0", "", "", -1},
    {"", "is_expdate=2027-01-31", "", "2027-01-31 23:59:59", -1},
    {"", "is_expdate=2020-01-31", "", "2020-01-31 23:59:59", -1},
    {"", "", "2027-02-28", "2027-02-28 23:59:59", -1},
    /* is_expdate, then the shop's period, then the duration */
    {"", "is_expdate=2027-01-31&is_expduration=10", "", "2027-01-31 23:59:59", 10},
    {"", "is_expdate=2027-01-31", "2027-02-28", "2027-01-31 23:59:59", -1},
    {"", "is_expduration=10", "2027-02-28", "2027-02-28 23:59:59", 10},
    {"", "is_expdate=2027-01-31&is_expduration=10", "2027-02-28", "2027-01-31 23:59:59", 10},
    /* the duration begins at the activation then */
    {"useDurationToSetExpiryDate=false", "is_expduration=10", "", "", 10},
    {"useDurationToSetExpiryDate=false", "is_expdate=2027-01-31&is_expduration=10", "",
     "2027-01-31 23:59:59", 10},
};

START_TEST(the_end)
{
    qlm_terms_t terms;

    put(ends[_i].set);
    terms = read_terms(ends[_i].query, ends[_i].period);
    ck_assert_msg(strcmp(moment(terms.expires_at), ends[_i].expires) == 0, "%s %s %s: %s",
                  ends[_i].set, ends[_i].query, ends[_i].period, moment(terms.expires_at));
    ck_assert_int_eq(terms.duration_days, ends[_i].days);
    ck_assert_int_eq(qlm_terms_is_limited(&terms), *ends[_i].expires || ends[_i].days > 0);
}
END_TEST

static const struct {
    const char *set, *query, *until;
} plans[] = {
    {"", "", ""},
    {"", "is_maintenance_plan=true", "2027-11-21 23:59:59"},
    {"", "is_maintenance_plan=1", "2027-11-21 23:59:59"},
    {"", "is_maintplan=yes", "2027-11-21 23:59:59"},
    {"", "yearly_maintenance_plan=Gold", "2027-11-21 23:59:59"},
    {"", "is_maintenance_plan=false", ""},
    {"", "is_maintenance_plan=0", ""},
    {"", "is_maintduration=30", ""},
    {"", "is_maintenance_plan=1&is_maintduration=30", "2026-12-21 23:59:59"},
    {"", "is_maintenance_plan=1&is_maintduration=-1", "2027-11-21 23:59:59"},
    {"", "is_maintenance_plan=1&is_maintduration=0", "2027-11-21 23:59:59"},
    {"", "is_maintenance_plan=false&is_maintduration=30", ""},
    {"maintenancePlanPeriodInDays=730", "is_maintenance_plan=1", "2028-11-20 23:59:59"},
    {"maintenancePlanPeriodInDays=730", "is_maintenance_plan=1&is_maintduration=30",
     "2026-12-21 23:59:59"},
    {"maintenancePlanPeriodInDays=0", "is_maintenance_plan=1", "2027-11-21 23:59:59"},
    {"maintenancePlanPeriodInDays=-1", "is_maintenance_plan=1", "2027-11-21 23:59:59"},
    {"maintenancePlanPeriodInDays=-1", "is_maintenance_plan=1&is_maintduration=-1",
     "2027-11-21 23:59:59"},
    {"maintenancePlanPeriodInDays=-1", "is_maintenance_plan=1&is_maintduration=30",
     "2026-12-21 23:59:59"},
    {"maintenancePlanPeriodInDays=1", "is_maintenance_plan=1", "2026-11-22 23:59:59"},
};

START_TEST(the_maintenance_plan)
{
    qlm_terms_t terms;

    put(plans[_i].set);
    terms = read_terms(plans[_i].query, "");
    ck_assert_msg(strcmp(moment(terms.maintenance_until), plans[_i].until) == 0, "%s %s: %s",
                  plans[_i].set, plans[_i].query, moment(terms.maintenance_until));
}
END_TEST

/* What the terms of floating and cloud licenses come to. */
static const struct {
    const char *query;
    int quantity, keys, activations, seats;
} shares[] = {
    {"", 3, 1, 3, 1},
    {"is_floating=true", 3, 1, 1, 3},
    {"is_floating=true&is_additionalactivations=2", 3, 1, 3, 3},
    {"is_floating=true&is_usemultipleactivationskey=false&is_numberofactivationsperkey=4", 3, 3, 1,
     4},
    {"is_licensemodel=permanent_cloud", 3, 1, 3, 3},
    {"is_usemultipleactivationskey=false", 3, 3, 1, 1},
};

START_TEST(the_share)
{
    qlm_terms_t terms = read_terms(shares[_i].query, "");
    qlm_share_t share;

    ck_assert_ptr_null(qlm_order_share(&share, &terms, shares[_i].quantity, pool));
    ck_assert_int_eq(share.keys, shares[_i].keys);
    ck_assert_int_eq(share.activations, shares[_i].activations);
    ck_assert_int_eq(share.floating_seats, shares[_i].seats);
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void)
{
    Suite *suite = suite_create("terms");
    TCase *tcase = tcase_create("terms");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_bare_order_is_permanent);
    tcase_add_test(tcase, everything_said_is_taken);
    tcase_add_loop_test(tcase, the_model, 0, ROWS(models));
    tcase_add_loop_test(tcase, the_engine, 0, ROWS(engines));
    tcase_add_loop_test(tcase, the_end, 0, ROWS(ends));
    tcase_add_loop_test(tcase, the_maintenance_plan, 0, ROWS(plans));
    tcase_add_loop_test(tcase, the_share, 0, ROWS(shares));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
