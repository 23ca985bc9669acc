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

static const struct {
    int version;
    const char *sql;
} steps[] = {
#define QLM_SCHEMA(version, sql) {version, sql},
#include "store/schema.def"
#undef QLM_SCHEMA
};

/* The tables as an earlier version made them, in place of today's. */
static void go_back_to(int version)
{
    apr_array_header_t *tables = apr_array_make(pool, 16, sizeof(char *));

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (strncmp(steps[i].sql, "CREATE TABLE ", 13) == 0) {
            APR_ARRAY_PUSH(tables, char *) =
                apr_pstrmemdup(pool, steps[i].sql + 13, strcspn(steps[i].sql + 13, " "));
        }
    }
    for (int i = tables->nelts; i-- > 0;) {
        change(apr_pstrcat(pool, "DROP TABLE ", APR_ARRAY_IDX(tables, i, char *), NULL));
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && steps[i].version <= version; i++) {
        change(qlm_schema_step_sql(store, steps[i].sql, pool));
    }
    change(apr_psprintf(pool, "INSERT INTO qlm_site (id, schema_version) VALUES (1, %d)", version));
    change("INSERT INTO qlm_license (id, activation_key, product_id, major, minor, model, engine,"
           " num_licenses, available_licenses) VALUES (1, 'AKEY', 1, 1, 0, 'permanent', 6, 2, 2)");
}

/* Servers look whether all columns are there. (SQLite alone knows the one that copies its file.) */
static void prepare_all(qlm_store_t *opened)
{
    for (int i = 0; i < QLM_STATEMENT_COUNT; i++) {
        if (i != QLM_STATEMENT_BACKUP) {
            OK(qlm_statement_prepare(opened, (qlm_statement_t)i, pool));
        }
    }
}

START_TEST(an_earlier_version_is_upgraded_and_keeps_its_data)
{
    qlm_store_t *opened;
    qlm_license_view_t *view;
    int version;

    go_back_to(_i);
    opened = open_store(pool);
    FAILS(qlm_store_check(opened, pool), QLM_ERROR_STORE, "qlmctl db upgrade");
    OK(qlm_store_upgrade(opened, pool));
    OK(qlm_store_schema_version(&version, opened, pool));
    ck_assert_int_eq(version, QLM_SCHEMA_VERSION);
    OK(qlm_store_check(opened, pool));
    prepare_all(opened);
    OK(qlm_store_find_license(&view, opened, "AKEY", "", pool));
    ck_assert_ptr_nonnull(view);
    ck_assert_int_eq(view->license.num_licenses, 2);
    ck_assert_int_eq(view->license.max_release_count, -2);
}
END_TEST

/* It was made by hash once, and each insert walked past all licenses with the same text. */
START_TEST(postgresql_forgets_an_index_by_hash)
{
    const char *ask = "SELECT am.amname FROM pg_class c JOIN pg_am am ON am.oid = c.relam"
                      " WHERE c.oid = to_regclass('qlm_license_user_data')";
    apr_array_header_t *rows;

    if (store->dialect != QLM_DIALECT_PGSQL) {
        return;
    }
    go_back_to(3);
    change("DROP INDEX qlm_license_user_data");
    change("CREATE INDEX qlm_license_user_data ON qlm_license USING hash (user_data)");
    OK(qlm_store_upgrade(store, pool));
    OK(qlm_connection_select_text(&rows, store, ask, pool));
    ck_assert_int_eq(rows->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(rows, 0, qlm_row_t)[0], "btree");
}
END_TEST

/* A driver may read NULL as an empty text: nothing is ever NULL. */
START_TEST(no_column_may_be_null)
{
    static const char *const nullable[] = {
        /* SQLite */
        "SELECT COUNT(*), SUM(1 - c.\"notnull\") FROM sqlite_master m JOIN "
        "pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name LIKE 'qlm%'",
        /* PostgreSQL */
        "SELECT COUNT(*), SUM(CASE WHEN is_nullable = 'YES' THEN 1 ELSE 0 END)"
        " FROM information_schema.columns WHERE table_schema = current_schema()",
        /* MariaDB */
        "SELECT COUNT(*), CAST(SUM(is_nullable = 'YES') AS INTEGER)"
        " FROM information_schema.columns WHERE table_schema = DATABASE()"};
    apr_array_header_t *rows;
    qlm_row_t row;

    OK(qlm_connection_select_text(&rows, store, nullable[store->dialect], pool));
    row = APR_ARRAY_IDX(rows, 0, qlm_row_t);
    ck_assert_int_gt(qlm_row_int(&row), 150);
    ck_assert_int_eq(qlm_row_int(&row), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("schema");
    SRunner *runner = srunner_create(suite);
    TCase *records = tcase_create("records");
    int failed;

    tcase_add_checked_fixture(records, make_store, remove_folder);
    tcase_add_loop_test(records, an_earlier_version_is_upgraded_and_keeps_its_data, 1,
                        QLM_SCHEMA_VERSION);
    tcase_add_test(records, postgresql_forgets_an_index_by_hash);
    tcase_add_test(records, no_column_may_be_null);
    suite_add_tcase(suite, records);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
