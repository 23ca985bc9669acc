/* Installations: adding, describing, counting their days, listing, forgetting. */
#include "store/installs.h"

#include "base/date.h"
#include "store/records.h"

static void read_install(qlm_install_t *install, qlm_row_t row)
{
    install->install_id = qlm_row_text(&row);
    install->activation_key = qlm_row_text(&row);
    install->computer_key = qlm_row_text(&row);
    install->computer_id = qlm_row_text(&row);
    install->computer_name = qlm_row_text(&row);
    install->product_name = qlm_row_text(&row);
    install->major = qlm_row_int(&row);
    install->minor = qlm_row_int(&row);
    install->software_version = qlm_row_text(&row);
    install->os_version = qlm_row_text(&row);
    install->is_trial = qlm_row_int(&row);
    install->address = qlm_row_text(&row);
    for (int i = 0; i < QLM_INSTALL_CUSTOM_DATA; i++) {
        install->custom_data[i] = qlm_row_text(&row);
    }
    install->installed_at = qlm_row_int64(&row);
    install->uninstalled_at = qlm_row_int64(&row);
    install->activated_at = qlm_row_int64(&row);
    install->last_accessed_at = qlm_row_int64(&row);
    install->days_used = qlm_row_int(&row);
}

qlm_error_t *qlm_store_add_install(qlm_store_t *store, const qlm_install_t *install,
                                   apr_pool_t *pool)
{
    const char *values[] = {install->install_id,
                            install->activation_key,
                            install->computer_key,
                            install->computer_id,
                            install->computer_name,
                            install->product_name,
                            qlm_statement_number(install->major, pool),
                            qlm_statement_number(install->minor, pool),
                            install->software_version,
                            install->os_version,
                            qlm_statement_number(install->is_trial, pool),
                            install->address,
                            install->custom_data[0],
                            install->custom_data[1],
                            install->custom_data[2],
                            qlm_statement_number(install->installed_at, pool),
                            qlm_statement_number(install->uninstalled_at, pool),
                            qlm_statement_number(install->activated_at, pool),
                            qlm_statement_number(install->last_accessed_at, pool),
                            qlm_statement_number(install->days_used, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_INSTALL_INSERT, values, pool);
}

qlm_error_t *qlm_store_find_install(qlm_install_t **install, qlm_store_t *store,
                                    const char *install_id, apr_pool_t *pool)
{
    const char *values[] = {install_id};
    qlm_row_t row;

    *install = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_INSTALL_FIND, values, pool));
    if (row) {
        *install = apr_palloc(pool, sizeof(**install));
        read_install(*install, row);
    }
    return NULL;
}

qlm_error_t *qlm_store_describe_install(qlm_store_t *store, const qlm_install_t *install,
                                        apr_pool_t *pool)
{
    const char *values[] = {install->activation_key,
                            install->computer_key,
                            install->computer_id,
                            install->computer_name,
                            install->product_name,
                            qlm_statement_number(install->major, pool),
                            qlm_statement_number(install->minor, pool),
                            install->software_version,
                            install->os_version,
                            qlm_statement_number(install->is_trial, pool),
                            install->address,
                            install->custom_data[0],
                            install->custom_data[1],
                            install->custom_data[2],
                            qlm_statement_number(install->activated_at, pool),
                            install->install_id};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_INSTALL_DESCRIBE, values, pool);
}

qlm_error_t *qlm_store_access_install(qlm_store_t *store, const char *install_id, apr_int64_t now,
                                      apr_pool_t *pool)
{
    const char *today = qlm_statement_number(now - now % QLM_DATE_DAY, pool);
    const char *values[] = {today, qlm_statement_number(now, pool), install_id, today};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_INSTALL_ACCESS, values, pool);
}

qlm_error_t *qlm_store_remove_install(qlm_store_t *store, const char *install_id, apr_int64_t now,
                                      apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(now, pool), install_id};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_INSTALL_REMOVE, values, pool);
}

qlm_error_t *qlm_store_count_installs(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                      const char *address, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(since, pool), address, address};

    return qlm_statement_count(count, store, QLM_STATEMENT_INSTALL_COUNT, values, pool);
}

qlm_error_t *qlm_store_purge_installs(int *removed, qlm_store_t *store, apr_int64_t before,
                                      int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_INSTALL_OLD, values, pool));
    for (int i = 0; i < rows->nelts; i++) {
        const char *id[] = {*APR_ARRAY_IDX(rows, i, qlm_row_t)};

        QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_INSTALL_DELETE, id, pool));
    }
    *removed = rows->nelts;
    return NULL;
}

qlm_error_t *qlm_store_list_installs(apr_array_header_t **installs, qlm_store_t *store, int limit,
                                     apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_INSTALL_LIST, values, pool));
    *installs = apr_array_make(pool, rows->nelts, sizeof(qlm_install_t));
    for (int i = 0; i < rows->nelts; i++) {
        read_install(apr_array_push(*installs), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}
