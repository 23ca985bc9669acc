/* Customers and organizations in the store. */
#include "store_fixture.h"

#include "store/history.h"
#include "store/organizations.h"

static const qlm_customer_t *search(const char *text, int limit, int expected)
{
    apr_array_header_t *customers;

    OK(qlm_store_search_customers(&customers, store, text, limit, pool));
    ck_assert_int_eq(customers->nelts, expected);
    return expected ? &APR_ARRAY_IDX(customers, 0, qlm_customer_t) : NULL;
}

START_TEST(a_customer_is_known_by_e_mail)
{
    const qlm_customer_t *found;
    apr_int64_t id = put_customer("Ann@Shop.example", "Ann", "Ants", 0);

    ck_assert(put_customer(" ann@shop.EXAMPLE ", "Other", "", 0) == id);
    found = search("ann@", 9, 1);
    ck_assert(found->id == id);
    ck_assert_str_eq(found->email, "Ann@Shop.example");
    ck_assert_str_eq(found->full_name, "Ann");
    ck_assert_str_eq(found->company, "Ants");
    ck_assert_str_eq(found->phone, "1");
    ck_assert_str_eq(found->fax, "2");
    ck_assert_str_eq(found->mobile, "3");
    ck_assert_str_eq(found->address1, "4");
    ck_assert_str_eq(found->address2, "5");
    ck_assert_str_eq(found->city, "6");
    ck_assert_str_eq(found->state, "7");
    ck_assert_str_eq(found->zip, "8");
    ck_assert_str_eq(found->country, "9");
    ck_assert_str_eq(found->notes, "10");
    ck_assert_str_eq(found->affiliate_id, "11");
    ck_assert_int_eq(found->include_in_mail_list, -1);
}
END_TEST

START_TEST(empty_texts_never_overwrite)
{
    put_t put = {.customer = {.email = "ann@shop.example",
                              .full_name = "Ann B",
                              .company = "",
                              .phone = NULL,
                              .include_in_mail_list = 1},
                 .overwrite = 1};
    const qlm_customer_t *found;

    put_customer("Ann@Shop.example", "Ann", "Ants", 0);
    OK(qlm_store_write(store, put_customer_unit, &put, pool));
    found = search("ann@", 9, 1);
    ck_assert_str_eq(found->full_name, "Ann B");
    ck_assert_str_eq(found->company, "Ants");
    ck_assert_str_eq(found->phone, "1");
    ck_assert_str_eq(found->email, "Ann@Shop.example");
    ck_assert_int_eq(found->include_in_mail_list, 1);
}
END_TEST

START_TEST(without_e_mail_each_is_new)
{
    apr_int64_t first = put_customer("", "Bob", "", 1);
    apr_int64_t second = put_customer(NULL, "Bob", "", 1);

    ck_assert(first != second);
    search("bob", 9, 2);
}
END_TEST

START_TEST(customers_are_searched_literally)
{
    const qlm_customer_t *found;

    put_customer("a_b@shop.example", "100% Ltd", "Wow!", 0);
    put_customer("axb@shop.example", "100 Ltd", "Wow", 0);
    ck_assert_str_eq(search("A_B", 9, 1)->full_name, "100% Ltd");
    ck_assert_str_eq(search("100% LTD", 9, 1)->full_name, "100% Ltd");
    ck_assert_str_eq(search("wow!", 9, 1)->full_name, "100% Ltd");
    search("' OR 1=1 --", 9, 0);
    found = search("ltd", 9, 2);
    ck_assert_str_eq(found[0].email, "axb@shop.example");
    found = search("ltd", 1, 1);
    ck_assert_str_eq(found[0].email, "axb@shop.example");
}
END_TEST

START_TEST(history_tells_of_customers)
{
    put_t put = {.customer = {.email = "ann@shop.example", .city = "Bonn"}, .overwrite = 1};
    qlm_history_filter_t filter = {.limit = 9};
    apr_array_header_t *rows;

    put.customer.include_in_mail_list = -1;
    put_customer("ann@shop.example", "Ann", "Ants", 1);
    OK(qlm_store_write(store, put_customer_unit, &put, pool));
    ck_assert_int_eq(put.is_new, 0);
    ck_assert_int_eq(put.is_changed, 1);
    OK(qlm_store_write(store, put_customer_unit, &put, pool));
    ck_assert_int_eq(put.is_changed, 0);
    filter.customer_id = put.id;
    OK(qlm_store_list_history(&rows, store, &filter, pool));
    ck_assert_int_eq(rows->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(rows, 0, qlm_history_t).event, "customer_modified");
    ck_assert_str_eq(APR_ARRAY_IDX(rows, 0, qlm_history_t).changes, "{\"City\":[\"6\",\"Bonn\"]}");
    ck_assert_str_eq(APR_ARRAY_IDX(rows, 1, qlm_history_t).event, "customer_created");
}
END_TEST

typedef struct move_t {
    const char *from, *to;
    int is_changed;
} move_t;

UNIT(move_unit, move_t)
{
    const qlm_actor_t actor = {.method = "test", .now = NOW + 5};
    const qlm_customer_t *before;
    qlm_customer_t after;

    OK(qlm_store_find_customer_by_email(&before, unit_store, baton->from, unit_pool));
    ck_assert_ptr_nonnull(before);
    after = *before;
    after.email = baton->to;
    return qlm_store_change_customer(&baton->is_changed, unit_store, before, &after, &actor,
                                     unit_pool);
}

START_TEST(an_address_is_moved_unless_it_is_taken)
{
    move_t move = {.from = "ANN@shop.example", .to = "Ann@new.example"};
    apr_int64_t id = put_customer("ann@shop.example", "Ann", "", 0);
    const qlm_customer_t *found;

    put_customer("bob@shop.example", "Bob", "", 0);
    OK(qlm_store_write(store, move_unit, &move, pool));
    ck_assert_int_eq(move.is_changed, 1);
    OK(qlm_store_find_customer_by_email(&found, store, "ann@NEW.example", pool));
    ck_assert(found && found->id == id && found->modified_at == NOW + 5);
    ck_assert_str_eq(found->email, "Ann@new.example");
    move.from = "ann@new.example";
    move.to = "bob@shop.example";
    ck_assert_int_eq(qlm_store_write(store, move_unit, &move, pool)->kind, QLM_ERROR_CONFLICT);
    OK(qlm_store_find_customer_by_email(&found, store, "", pool));
    ck_assert_ptr_null(found);
}
END_TEST

/* ---- organizations ---- */

typedef struct add_t {
    qlm_organization_t organization;
    int added;
} add_t;

UNIT(add_unit, add_t)
{
    return qlm_store_add_organization(&baton->added, unit_store, &baton->organization, unit_pool);
}

UNIT(set_unit, add_t)
{
    return qlm_store_set_organization(unit_store, &baton->organization, unit_pool);
}

static apr_int64_t revision(void)
{
    apr_int64_t number = -1;

    OK(qlm_store_revision(&number, NULL, store, pool));
    return number;
}

START_TEST(organizations_have_unique_names)
{
    add_t ants = {{.name = "Ants", .notes = "", .domains = "", .created_at = NOW}, 0};
    add_t again = {{.name = " ANTS ", .notes = "", .domains = "", .created_at = NOW}, 0};
    add_t bees = {{.name = "Bees", .notes = "n", .domains = "%.bee.example"}, 0};
    const qlm_organization_t *found;
    apr_array_header_t *list;
    apr_int64_t before = revision();

    OK(qlm_store_write(store, add_unit, &ants, pool));
    OK(qlm_store_write(store, add_unit, &again, pool));
    ck_assert_int_eq(ants.added, 1);
    ck_assert_int_eq(again.added, 0);
    ck_assert(revision() == before); /* only patterns of domains are kept by servers */
    OK(qlm_store_write(store, add_unit, &bees, pool));
    ck_assert(revision() > before);
    OK(qlm_store_find_organization_named(&found, store, "ants", pool));
    ck_assert(found && found->id == ants.organization.id && found->created_at == NOW);
    OK(qlm_store_list_organizations(&list, store, 9, pool));
    ck_assert_int_eq(list->nelts, 2);
    OK(qlm_store_list_domains(&list, store, pool));
    ck_assert_int_eq(list->nelts, 1);
    bees.organization.name = "ants";
    ck_assert_int_eq(qlm_store_write(store, set_unit, &bees, pool)->kind, QLM_ERROR_CONFLICT);
    bees.organization.name = "Bees Ltd";
    bees.organization.may_users_acquire = 1;
    OK(qlm_store_write(store, set_unit, &bees, pool));
    OK(qlm_store_find_organization(&found, store, bees.organization.id, pool));
    ck_assert_str_eq(found->name, "Bees Ltd");
    ck_assert_str_eq(found->notes, "n");
    ck_assert_int_eq(found->may_users_acquire, 1);
    OK(qlm_store_find_organization(&found, store, 1, pool));
    ck_assert_ptr_null(found);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("customers");
    SRunner *runner = srunner_create(suite);
    TCase *records = tcase_create("records");
    int failed;

    tcase_add_checked_fixture(records, make_store, remove_folder);
    tcase_add_test(records, a_customer_is_known_by_e_mail);
    tcase_add_test(records, empty_texts_never_overwrite);
    tcase_add_test(records, without_e_mail_each_is_new);
    tcase_add_test(records, customers_are_searched_literally);
    tcase_add_test(records, history_tells_of_customers);
    tcase_add_test(records, an_address_is_moved_unless_it_is_taken);
    tcase_add_test(records, organizations_have_unique_names);
    suite_add_tcase(suite, records);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
