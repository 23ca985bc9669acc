/* Product properties in the database, and in the snapshot that calls see. */
#include "license/productvalues.h"
#include "service/site.h"

#include "unit/store_fixture.h"

static void set_up(void)
{
    make_store();
}

static qlm_pp_record_t sample(int minor, const char *category, const char *name)
{
    qlm_pp_record_t record = {7,
                              3,
                              minor,
                              {category, name, "{0e6d}", QLM_PP_IP_SUBNET, "192.0.2.0/24",
                               "it's \"help\" & 100% <of it>", NOW, NULL}};

    return record;
}

UNIT(set_one, const qlm_pp_record_t)
{
    return qlm_store_set_product_property(unit_store, baton, unit_pool);
}

static void put(const qlm_pp_record_t *record)
{
    OK(qlm_store_write(store, set_one, (void *)record, pool));
}

typedef struct removal_t {
    qlm_pp_record_t record;
    int removed;
} removal_t;

UNIT(remove_one, removal_t)
{
    return qlm_store_remove_product_property(&baton->removed, unit_store, &baton->record,
                                             unit_pool);
}

static apr_array_header_t *all(void)
{
    apr_array_header_t *records;

    OK(qlm_store_list_product_properties(&records, store, pool));
    return records;
}

static int revision(void)
{
    apr_int64_t number;

    OK(qlm_store_revision(&number, NULL, store, pool));
    return (int)number;
}

START_TEST(a_definition_comes_back_as_written)
{
    qlm_pp_record_t record = sample(14, "Net", "Range");
    const qlm_pp_record_t *found;
    int before = revision();

    put(&record);
    ck_assert_int_eq(revision(), before + 1);
    ck_assert_int_eq(all()->nelts, 1);
    found = &APR_ARRAY_IDX(all(), 0, qlm_pp_record_t);
    ck_assert_int_eq(found->product_id, 7);
    ck_assert_int_eq(found->major, 3);
    ck_assert_int_eq(found->minor, 14);
    ck_assert_str_eq(found->definition.category, "Net");
    ck_assert_str_eq(found->definition.name, "Range");
    ck_assert_str_eq(found->definition.guid, "{0e6d}");
    ck_assert_int_eq(found->definition.type, QLM_PP_IP_SUBNET);
    ck_assert_str_eq(found->definition.default_value, "192.0.2.0/24");
    ck_assert_str_eq(found->definition.help, record.definition.help);
    ck_assert(found->definition.updated_at == NOW);
}
END_TEST

/* One of each key and version; other versions are others. */
START_TEST(a_definition_is_replaced_and_removed)
{
    qlm_pp_record_t first = sample(14, "net", "range"), again = sample(14, "NET", "Range");
    qlm_pp_record_t other = sample(15, "net", "range"), bare = sample(14, "", "a");
    removal_t removal = {sample(14, "Net", "RANGE"), -1};
    int before;

    again.definition.type = QLM_PP_CSV;
    put(&first);
    put(&other);
    put(&again);
    put(&bare);
    ck_assert_int_eq(all()->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(all(), 0, qlm_pp_record_t).definition.name, "a");
    ck_assert_int_eq(APR_ARRAY_IDX(all(), 1, qlm_pp_record_t).definition.type, QLM_PP_CSV);
    ck_assert_int_eq(APR_ARRAY_IDX(all(), 2, qlm_pp_record_t).minor, 15);
    OK(qlm_store_write(store, remove_one, &removal, pool));
    ck_assert_int_eq(removal.removed, 1);
    ck_assert_int_eq(all()->nelts, 2);
    before = revision();
    OK(qlm_store_write(store, remove_one, &removal, pool));
    ck_assert_int_eq(removal.removed, 0);
    ck_assert_int_eq(revision(), before); /* nobody has to read anything again */
}
END_TEST

/* ---- the snapshot ---- */

UNIT(add_product, qlm_product_t)
{
    int added;

    return qlm_store_add_product(&added, unit_store, baton, unit_pool);
}

static const qlm_pp_definitions_t *definitions_of(int minor)
{
    qlm_site_t *site = qlm_site_create(NULL, pool);
    const qlm_snapshot_t *snapshot;

    OK(qlm_site_snapshot(&snapshot, site, store, pool));
    return qlm_snapshot_pp_definitions(snapshot, qlm_snapshot_product(snapshot, 7, 3, minor));
}

START_TEST(a_snapshot_has_those_of_each_version)
{
    qlm_product_t product = {.id = 7, .major = 3, .minor = 14, .name = "Demo"};
    qlm_pp_record_t seats = sample(14, "limits", "seats"), range = sample(14, "net", "range");
    qlm_pp_record_t orphan = sample(16, "net", "range");
    int is_ambiguous;

    OK(qlm_store_write(store, add_product, &product, pool));
    product.minor = 15;
    OK(qlm_store_write(store, add_product, &product, pool));
    put(&seats);
    put(&range);
    put(&orphan);
    ck_assert_int_eq(qlm_pp_definitions_count(definitions_of(14)), 2);
    ck_assert_ptr_nonnull(
        qlm_pp_definitions_find(&is_ambiguous, definitions_of(14), "net.range", pool));
    ck_assert_ptr_null(definitions_of(15));
    ck_assert_ptr_null(definitions_of(16)); /* there is no such product */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store properties");
    TCase *cases = tcase_create("records");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(cases, set_up, remove_folder);
    tcase_add_test(cases, a_definition_comes_back_as_written);
    tcase_add_test(cases, a_definition_is_replaced_and_removed);
    tcase_add_test(cases, a_snapshot_has_those_of_each_version);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
