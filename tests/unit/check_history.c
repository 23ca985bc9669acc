/* Changed licenses and the history they leave; fields by name. */
#include "store_fixture.h"

#include "base/date.h"
#include "license/record.h"
#include "store/history.h"

static const qlm_actor_t actor = {"RevokeLicenseHttp", "shareit", "192.0.2.1", NOW};

typedef struct change_t {
    const char *key;
    apr_int64_t expires_at;
    const char *new_key; /* NULL: the same */
    int is_changed;
    int is_silent; /* no history */
} change_t;

UNIT(change, change_t)
{
    qlm_license_view_t *view;
    qlm_license_t after;

    QLM_TRY(qlm_store_find_license(&view, unit_store, baton->key, "", unit_pool));
    after = view->license;
    after.expires_at = baton->expires_at;
    if (baton->new_key) {
        after.activation_key = baton->new_key;
    }
    return qlm_store_change_license(&baton->is_changed, unit_store, &view->license, &after,
                                    baton->is_silent ? NULL : "renewed", &actor, unit_pool);
}

static const apr_array_header_t *history_of(apr_int64_t license_id, const char *key)
{
    const qlm_history_filter_t filter = {license_id, 0, key, 10};
    apr_array_header_t *rows;

    OK(qlm_store_list_history(&rows, store, &filter, pool));
    return rows;
}

START_TEST(a_license_that_is_as_before_is_not_written)
{
    change_t nothing = {.key = "AKEY", .is_changed = -1};
    qlm_license_t license = sample_license(1, "AKEY", 1);

    license.created_at = NOW - 60;
    OK(qlm_store_write(store, add_license, &license, pool));
    OK(qlm_store_write(store, change, &nothing, pool));
    ck_assert_int_eq(nothing.is_changed, 0);
    ck_assert(find(store, "AKEY", "")->license.modified_at == NOW - 60);
    ck_assert_int_eq(history_of(1, NULL)->nelts, 0);
}
END_TEST

START_TEST(a_changed_license_has_a_history)
{
    change_t move = {"AKEY", NOW + 86400, NULL, -1, 0};
    const apr_array_header_t *rows;
    const qlm_history_t *row;

    write_license(1, "AKEY", 1);
    write_license(2, "BKEY", 1);
    OK(qlm_store_write(store, change, &move, pool));
    ck_assert_int_eq(move.is_changed, 1);
    ck_assert(find(store, "AKEY", "")->license.expires_at == NOW + 86400);
    ck_assert(find(store, "AKEY", "")->license.modified_at == NOW);
    ck_assert(find(store, "BKEY", "")->license.expires_at == 0);
    rows = history_of(1, NULL);
    ck_assert_int_eq(rows->nelts, 1);
    row = &APR_ARRAY_IDX(rows, 0, qlm_history_t);
    ck_assert_str_eq(row->event, "renewed");
    ck_assert_str_eq(row->method, "RevokeLicenseHttp");
    ck_assert_str_eq(row->vendor, "shareit");
    ck_assert_str_eq(row->address, "192.0.2.1");
    ck_assert_str_eq(row->changes,
                     apr_psprintf(pool, "{\"SubscriptionExpiryDate\":[\"\",\"%s\"]}",
                                  qlm_date_format(NOW + 86400, "yyyy-MM-dd HH:mm:ss", pool)));
    /* the same again is no change */
    OK(qlm_store_write(store, change, &move, pool));
    ck_assert_int_eq(move.is_changed, 0);
    ck_assert_int_eq(history_of(1, NULL)->nelts, 1);
}
END_TEST

START_TEST(a_license_gets_another_key)
{
    change_t move = {"AKEY", 0, "CKEY", -1, 0};
    change_t clash = {"CKEY", 0, "BKEY", -1, 0};
    change_t silent = {"CKEY", NOW, "DKEY", -1, 1};

    write_license(1, "AKEY", 1);
    write_license(2, "BKEY", 1);
    OK(qlm_store_write(store, change, &move, pool));
    ck_assert_ptr_null(find(store, "AKEY", ""));
    ck_assert_int_eq(find(store, "CKEY", "")->license.num_licenses, 1);
    ck_assert_int_eq(history_of(0, "AKEY")->nelts, 1);
    /* the record of the old key ends as Upgraded, that of the new one is as it was */
    ck_assert_ptr_nonnull(
        strstr(APR_ARRAY_IDX(history_of(0, "AKEY"), 0, qlm_history_t).changes, "\"Upgraded\"]"));
    ck_assert_str_ne(find(store, "CKEY", "")->license.order_status, "Upgraded");
    FAILS(qlm_store_write(store, change, &clash, pool), QLM_ERROR_CONFLICT, "exists");
    ck_assert_int_eq(history_of(1, NULL)->nelts, 1);
    OK(qlm_store_write(store, change, &silent, pool));
    ck_assert_int_eq(silent.is_changed, 1);
    ck_assert(find(store, "DKEY", "")->license.expires_at == NOW);
    ck_assert_int_eq(history_of(1, NULL)->nelts, 1);
}
END_TEST

typedef struct purge_t {
    apr_int64_t before;
    int limit, removed;
} purge_t;

UNIT(purge, purge_t)
{
    return qlm_store_purge_history(&baton->removed, unit_store, baton->before, baton->limit,
                                   unit_pool);
}

UNIT(add_row, const qlm_history_t)
{
    return qlm_store_add_history(unit_store, baton, &actor, unit_pool);
}

START_TEST(old_rows_go_but_releases_stay)
{
    qlm_history_t row = {.license_id = 1, .event = "released", .computer_id = "PC-1"};
    purge_t work = {NOW + 1, 2, -1};
    apr_int64_t count;

    OK(qlm_store_write(store, add_row, &row, pool));
    row.computer_id = "pc-2";
    OK(qlm_store_write(store, add_row, &row, pool));
    row.event = "created";
    for (int i = 0; i < 3; i++) {
        OK(qlm_store_write(store, add_row, &row, pool));
    }
    OK(qlm_store_write(store, purge, &work, pool));
    ck_assert_int_eq(work.removed, 2);
    OK(qlm_store_write(store, purge, &work, pool));
    ck_assert_int_eq(work.removed, 1);
    ck_assert_int_eq(history_of(1, NULL)->nelts, 2);
    OK(qlm_store_count_history(&count, store, 1, "released", NOW, NULL, pool));
    ck_assert_int_eq((int)count, 2);
    OK(qlm_store_count_history(&count, store, 1, "released", NOW, "PC-2", pool));
    ck_assert_int_eq((int)count, 1);
    OK(qlm_store_count_history(&count, store, 1, "released", NOW + 1, NULL, pool));
    ck_assert_int_eq((int)count, 0);
}
END_TEST

/* Every field says what it holds, and reads what it says. */
START_TEST(fields_are_written_and_read)
{
    qlm_license_t license, copy;

    qlm_license_clear(&license);
    qlm_license_clear(&copy);
    license.activation_key = "AKEY";
    license.model = QLM_MODEL_TRIAL_CLOUD;
    license.engine = QLM_ENGINE_5;
    license.is_disabled = 1;
    license.num_licenses = 7;
    license.expires_at = NOW;
    license.max_release_count = -1;
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        qlm_license_field_t field;

        ck_assert(qlm_license_field_find(&field, qlm_license_field_name((qlm_license_field_t)i)));
        ck_assert_int_eq(field, i);
        OK(qlm_license_field_set(&copy, field, qlm_license_field_text(&license, field, pool),
                                 pool));
    }
    ck_assert_str_eq(qlm_license_changes(&license, &copy, pool), "");
    ck_assert_int_eq(copy.expires_at, NOW);
    ck_assert_int_eq(copy.model, QLM_MODEL_TRIAL_CLOUD);
}
END_TEST

START_TEST(bad_values_are_named)
{
    static const struct {
        const char *field, *value, *word;
    } bad[] = {
        {"NumLicenses", "1.5", "whole number"},   {"NumLicenses", "", "whole number"},
        {"ProductID", "4294967296", "ProductID"}, {"SubscriptionExpiryDate", "2030-02-30", "date"},
        {"Disabled", "perhaps", "true or false"}, {"LicenseModel", "eternal", "license model"},
        {"QlmVersion", "seven", "6.0.00"},
    };
    qlm_license_field_t field;
    qlm_license_t license;

    qlm_license_clear(&license);
    ck_assert(!qlm_license_field_find(&field, "NoSuchField"));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert(qlm_license_field_find(&field, bad[i].field));
        FAILS(qlm_license_field_set(&license, field, bad[i].value, pool), QLM_ERROR_ARGUMENT,
              bad[i].word);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    SRunner *runner = srunner_create(suite);
    TCase *records = tcase_create("records");
    int failed;

    tcase_add_checked_fixture(records, make_store, remove_folder);
    tcase_add_test(records, a_license_that_is_as_before_is_not_written);
    tcase_add_test(records, a_changed_license_has_a_history);
    tcase_add_test(records, a_license_gets_another_key);
    tcase_add_test(records, old_rows_go_but_releases_stay);
    tcase_add_test(records, fields_are_written_and_read);
    tcase_add_test(records, bad_values_are_named);
    suite_add_tcase(suite, records);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
