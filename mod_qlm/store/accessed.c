/* Seats in use: when their computers called last, and which of them nobody uses. */
#include "store/records.h"

#include "base/text.h"

qlm_error_t *qlm_store_find_idle(const qlm_activation_t **activation, qlm_store_t *store,
                                 apr_int64_t license_id, apr_int64_t before, apr_int64_t now,
                                 apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license_id, pool),
                            qlm_statement_number(before, pool), qlm_statement_number(now, pool)};
    qlm_activation_t *found;
    qlm_row_t row;

    *activation = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_ACTIVATION_IDLE, values, pool));
    if (row) {
        found = apr_palloc(pool, sizeof(*found));
        qlm_record_read_activation(found, &row);
        *activation = found;
    }
    return NULL;
}

qlm_error_t *qlm_store_take_back(int *given, qlm_store_t *store, const qlm_activation_t *activation,
                                 apr_int64_t now, apr_pool_t *pool)
{
    const char *seat[] = {qlm_statement_number(activation->license_id, pool),
                          qlm_text_fold(activation->computer_id, pool),
                          qlm_statement_number(activation->last_accessed_at, pool)};
    const char *license[] = {qlm_statement_number(now, pool), qlm_statement_number(now, pool),
                             qlm_statement_number(activation->license_id, pool)};

    QLM_TRY(qlm_statement_execute(given, store, QLM_STATEMENT_ACTIVATION_DELETE_IDLE, seat, pool));
    return *given
               ? qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_GIVE_SEAT, license, pool)
               : NULL;
}

qlm_error_t *qlm_store_set_accessed(qlm_store_t *store, apr_int64_t license_id,
                                    const char *computer_id, apr_int64_t at, apr_int64_t before,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(at, pool), qlm_statement_number(license_id, pool),
                            qlm_text_fold(computer_id, pool), qlm_statement_number(before, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_ACTIVATION_ACCESSED, values, pool);
}
