/* Installations: what is kept of them, their days, and what is forgotten. */
#include "store_fixture.h"

#include "base/date.h"
#include "store/installs.h"

#define DAY QLM_DATE_DAY

static qlm_install_t sample(const char *id, apr_int64_t at, const char *address)
{
    const qlm_install_t install = {.install_id = id,
                                   .activation_key = "AKEY",
                                   .computer_key = "",
                                   .computer_id = "PC-1",
                                   .computer_name = "Desk",
                                   .product_name = "Demo",
                                   .major = 1,
                                   .software_version = "1.0.3",
                                   .os_version = "Linux",
                                   .is_trial = 1,
                                   .address = address,
                                   .custom_data = {"a", "b", "c"},
                                   .installed_at = at,
                                   .last_accessed_at = at,
                                   .days_used = 1};

    return install;
}

UNIT(add, const qlm_install_t)
{
    return qlm_store_add_install(unit_store, baton, unit_pool);
}

UNIT(describe, const qlm_install_t)
{
    return qlm_store_describe_install(unit_store, baton, unit_pool);
}

UNIT(access_now, const apr_int64_t)
{
    return qlm_store_access_install(unit_store, "one", *baton, unit_pool);
}

UNIT(remove_now, const apr_int64_t)
{
    return qlm_store_remove_install(unit_store, "one", *baton, unit_pool);
}

typedef struct purge_t {
    apr_int64_t before;
    int limit, removed;
} purge_t;

UNIT(purge, purge_t)
{
    return qlm_store_purge_installs(&baton->removed, unit_store, baton->before, baton->limit,
                                    unit_pool);
}

static void write_install(const char *id, apr_int64_t at, const char *address)
{
    qlm_install_t install = sample(id, at, address);

    OK(qlm_store_write(store, add, &install, pool));
}

static const qlm_install_t *install_of(const char *id)
{
    qlm_install_t *install;

    OK(qlm_store_find_install(&install, store, id, pool));
    return install;
}

static void at(qlm_unit_t unit, apr_int64_t now)
{
    OK(qlm_store_write(store, unit, &now, pool));
}

static int count_of(apr_int64_t since, const char *address)
{
    apr_int64_t count;

    OK(qlm_store_count_installs(&count, store, since, address, pool));
    return (int)count;
}

START_TEST(all_fields_are_kept)
{
    const qlm_install_t *install;

    write_install("one", NOW, "192.0.2.1");
    install = install_of("one");
    ck_assert_str_eq(install->install_id, "one");
    ck_assert_str_eq(install->activation_key, "AKEY");
    ck_assert_str_eq(install->computer_key, "");
    ck_assert_str_eq(install->computer_id, "PC-1");
    ck_assert_str_eq(install->computer_name, "Desk");
    ck_assert_str_eq(install->product_name, "Demo");
    ck_assert_int_eq(install->major, 1);
    ck_assert_int_eq(install->minor, 0);
    ck_assert_str_eq(install->software_version, "1.0.3");
    ck_assert_str_eq(install->os_version, "Linux");
    ck_assert_int_eq(install->is_trial, 1);
    ck_assert_str_eq(install->address, "192.0.2.1");
    ck_assert_str_eq(install->custom_data[0], "a");
    ck_assert_str_eq(install->custom_data[2], "c");
    ck_assert(install->installed_at == NOW && install->last_accessed_at == NOW);
    ck_assert(install->uninstalled_at == 0 && install->activated_at == 0);
    ck_assert_int_eq(install->days_used, 1);
    ck_assert_ptr_null(install_of("two"));
}
END_TEST

START_TEST(a_new_description_leaves_the_days)
{
    qlm_install_t changed = sample("one", NOW + 5 * DAY, "192.0.2.2");

    write_install("one", NOW, "192.0.2.1");
    write_install("two", NOW, "192.0.2.1");
    changed.custom_data[1] = "new";
    changed.computer_key = "UKEY";
    changed.activated_at = NOW + 1;
    changed.is_trial = 0;
    OK(qlm_store_write(store, describe, &changed, pool));
    ck_assert_str_eq(install_of("one")->custom_data[1], "new");
    ck_assert_str_eq(install_of("one")->computer_key, "UKEY");
    ck_assert_str_eq(install_of("one")->address, "192.0.2.2");
    ck_assert_int_eq(install_of("one")->is_trial, 0);
    ck_assert(install_of("one")->activated_at == NOW + 1);
    ck_assert(install_of("one")->installed_at == NOW);
    ck_assert(install_of("one")->last_accessed_at == NOW);
    ck_assert_str_eq(install_of("two")->custom_data[1], "b");
}
END_TEST

START_TEST(each_day_counts_once)
{
    const apr_int64_t morning = NOW - NOW % DAY + DAY;

    write_install("one", NOW, "");
    at(access_now, NOW + 1);
    ck_assert_int_eq(install_of("one")->days_used, 1);
    ck_assert(install_of("one")->last_accessed_at == NOW);
    at(access_now, morning);
    at(access_now, morning + DAY - 1);
    ck_assert_int_eq(install_of("one")->days_used, 2);
    ck_assert(install_of("one")->last_accessed_at == morning);
    at(access_now, morning + DAY);
    at(access_now, morning + 9 * DAY);
    ck_assert_int_eq(install_of("one")->days_used, 4);
}
END_TEST

START_TEST(what_is_used_again_is_not_removed)
{
    write_install("one", NOW, "");
    at(remove_now, NOW + 5);
    at(remove_now, NOW + 9);
    ck_assert(install_of("one")->uninstalled_at == NOW + 5);
    at(access_now, NOW + 10);
    ck_assert(install_of("one")->uninstalled_at == 0);
    ck_assert_int_eq(install_of("one")->days_used, 1);
}
END_TEST

START_TEST(counted_and_forgotten)
{
    purge_t work = {NOW + 3, 2, -1};
    apr_array_header_t *list;

    for (int i = 0; i < 4; i++) {
        write_install(apr_psprintf(pool, "id%d", i), NOW + i, i == 1 ? "192.0.2.1" : "192.0.2.2");
    }
    ck_assert_int_eq(count_of(NOW, ""), 4);
    ck_assert_int_eq(count_of(NOW + 2, ""), 2);
    ck_assert_int_eq(count_of(NOW, "192.0.2.2"), 3);
    OK(qlm_store_list_installs(&list, store, 2, pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, qlm_install_t).install_id, "id3");
    OK(qlm_store_write(store, purge, &work, pool));
    ck_assert_int_eq(work.removed, 2);
    ck_assert_ptr_null(install_of("id0"));
    ck_assert_ptr_nonnull(install_of("id2"));
    OK(qlm_store_write(store, purge, &work, pool));
    ck_assert_int_eq(work.removed, 1);
    ck_assert_ptr_nonnull(install_of("id3"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("installs");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, make_store, remove_folder);
    tcase_add_test(all, all_fields_are_kept);
    tcase_add_test(all, a_new_description_leaves_the_days);
    tcase_add_test(all, each_day_counts_once);
    tcase_add_test(all, what_is_used_again_is_not_removed);
    tcase_add_test(all, counted_and_forgotten);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
