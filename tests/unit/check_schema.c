/* Upgrades of the tables: from every earlier version, with the data in them. */
#include "store_fixture.h"

#include "store/connection.h"

UNIT(run_text, const char)
{
    return qlm_connection_execute_text(unit_store, baton, unit_pool);
}

static void change(const char *sql)
{
    OK(qlm_store_write(store, run_text, apr_pstrdup(pool, sql), pool));
}

/* What version 1 was: the tables and columns that came later taken away. */
START_TEST(version_1_is_upgraded_and_keeps_its_data)
{
    qlm_store_t *opened;
    qlm_license_view_t *view;

    write_license(1, "AKEY", 1);
    change("DROP TABLE qlm_outbox");
    change("DROP TABLE qlm_lease");
    change("DROP TABLE qlm_template");
    change("DROP TABLE qlm_memo");
    change("ALTER TABLE qlm_vendor DROP COLUMN callback_user");
    change("ALTER TABLE qlm_vendor DROP COLUMN callback_verifier");
    change("UPDATE qlm_site SET schema_version = 1");
    opened = open_store(pool);
    FAILS(qlm_store_check(opened, pool), QLM_ERROR_STORE, "qlmctl db upgrade");
    OK(qlm_store_upgrade(opened, pool));
    OK(qlm_store_check(opened, pool));
    OK(qlm_store_find_license(&view, opened, "AKEY", "", pool));
    ck_assert_ptr_nonnull(view);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schema");
    SRunner *runner = srunner_create(suite);
    TCase *records = tcase_create("records");
    int failed;

    tcase_add_checked_fixture(records, make_store, remove_folder);
    tcase_add_test(records, version_1_is_upgraded_and_keeps_its_data);
    suite_add_tcase(suite, records);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
