/* The quantity arithmetic. */
#include "license/order.h"

#include <apr_general.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static qlm_terms_t plain_terms(void)
{
    qlm_terms_t terms = {.product_id = 1,
                         .major = 1,
                         .model = QLM_MODEL_PERMANENT,
                         .engine = QLM_ENGINE_6,
                         .use_one_key = 1,
                         .duration_days = -1};

    return terms;
}

static const struct {
    const char *what;
    qlm_model_t model;
    int one_key, per_key, additional, floating, quantity;
    int keys, activations, seats;
} shares[] = {
    {"one unit", QLM_MODEL_PERMANENT, 1, 0, 0, 0, 1, 1, 1, 1},
    {"shared key", QLM_MODEL_PERMANENT, 1, 0, 0, 0, 5, 1, 5, 1},
    {"shared key with extras", QLM_MODEL_PERMANENT, 1, 0, 2, 0, 5, 1, 7, 1},
    {"3 x 2 = 6", QLM_MODEL_TRIAL, 1, 2, 0, 0, 3, 1, 6, 1},
    {"3 x 2 + 4", QLM_MODEL_TRIAL, 1, 2, 4, 0, 3, 1, 10, 1},
    {"3 keys of 2", QLM_MODEL_SUBSCRIPTION, 0, 2, 0, 0, 3, 3, 2, 1},
    {"3 keys of 1", QLM_MODEL_PERMANENT, 0, 0, 0, 0, 3, 3, 1, 1},
    {"extras do not multiply", QLM_MODEL_PERMANENT, 0, 2, 9, 0, 3, 3, 2, 1},
    {"floating", QLM_MODEL_PERMANENT, 1, 0, 0, 1, 10, 1, 1, 10},
    {"floating with extras", QLM_MODEL_PERMANENT, 1, 0, 3, 1, 10, 1, 4, 10},
    {"floating model", QLM_MODEL_TRIAL_FLOATING, 1, 0, 0, 0, 10, 1, 1, 10},
    {"floating, separate keys", QLM_MODEL_PERMANENT_FLOATING, 0, 0, 0, 1, 4, 4, 1, 1},
    {"floating, separate keys of 3", QLM_MODEL_PERMANENT_FLOATING, 0, 3, 5, 1, 4, 4, 1, 3},
    {"cloud", QLM_MODEL_SUBSCRIPTION_CLOUD, 1, 0, 0, 0, 8, 1, 8, 8},
    {"cloud, Q x N + A", QLM_MODEL_PERMANENT_CLOUD, 1, 3, 1, 0, 8, 1, 25, 25},
    {"cloud with is_floating", QLM_MODEL_TRIAL_CLOUD, 1, 0, 0, 1, 8, 1, 8, 8},
    {"cloud, separate keys", QLM_MODEL_TRIAL_CLOUD, 0, 2, 7, 0, 8, 8, 2, 2},
    {"most units", QLM_MODEL_PERMANENT, 1, 100, 0, 0, 9999, 1, 999900, 1},
    {"the limit itself", QLM_MODEL_PERMANENT, 1, 100, 100, 0, 9999, 1, 1000000, 1},
};

START_TEST(test_share)
{
    qlm_terms_t terms = plain_terms();
    qlm_share_t share;
    const qlm_error_t *error;

    terms.model = shares[_i].model;
    terms.use_one_key = shares[_i].one_key;
    terms.activations_per_key = shares[_i].per_key;
    terms.additional_activations = shares[_i].additional;
    terms.is_floating = shares[_i].floating;
    error = qlm_order_share(&share, &terms, shares[_i].quantity, pool);
    ck_assert_msg(error == NULL, "%s: %s", shares[_i].what, error ? error->text : "");
    ck_assert_msg(share.keys == shares[_i].keys && share.activations == shares[_i].activations &&
                      share.floating_seats == shares[_i].seats,
                  "%s: %d keys, %d activations, %d seats", shares[_i].what, share.keys,
                  share.activations, share.floating_seats);
}
END_TEST

static const struct {
    int per_key, additional, quantity;
    const char *named; /* what the text must name */
} refused[] = {
    {0, 0, 0, "quantity"},
    {0, 0, -1, "quantity"},
    {0, 0, QLM_MAX_QUANTITY + 1, "quantity"},
    {0, 0, 2147483647, "quantity"},
    {101, 0, 9999, "1000000"},
    {100, 101, 9999, "1000000"},
    {2147483647, 0, 9999, "1000000"},
    {0, 2147483647, 1, "1000000"},
    {2147483647, 2147483647, 9999, "1000000"},
    {-1, 0, 1, "is_numberofactivationsperkey"},
    {0, -1, 1, "is_additionalactivations"},
};

START_TEST(test_refused)
{
    qlm_terms_t terms = plain_terms();
    qlm_share_t share;
    const qlm_error_t *error;

    terms.activations_per_key = refused[_i].per_key;
    terms.additional_activations = refused[_i].additional;
    for (int one_key = 0; one_key < 2; one_key++) {
        terms.use_one_key = one_key;
        error = qlm_order_share(&share, &terms, refused[_i].quantity, pool);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
        ck_assert_msg(strstr(error->text, refused[_i].named) != NULL, "%s", error->text);
        ck_assert_ptr_null(strchr(error->text, '\n'));
    }
}
END_TEST

START_TEST(test_is_limited)
{
    qlm_terms_t terms = plain_terms();

    ck_assert_int_eq(qlm_terms_is_limited(&terms), 0);
    terms.duration_days = 30;
    ck_assert_int_eq(qlm_terms_is_limited(&terms), 1);
    terms.duration_days = -1;
    terms.expires_at = 1700000000;
    ck_assert_int_eq(qlm_terms_is_limited(&terms), 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("order");
    TCase *cases = tcase_create("order");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, test_share, 0, (int)(sizeof(shares) / sizeof(shares[0])));
    tcase_add_loop_test(cases, test_refused, 0, (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(cases, test_is_limited);
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
