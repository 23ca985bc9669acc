/* Attempt rows: adding, listing, removing. */
#include "store/attempts.h"

#include "base/text.h"
#include "store/statement.h"

static qlm_error_t *raise_attempt(int *raised, qlm_store_t *store, const qlm_attempt_t *attempt,
                                  apr_int64_t before, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(attempt->attempts, pool),
                            qlm_statement_number(attempt->last_at, pool),
                            qlm_statement_text(attempt->computer_name),
                            qlm_statement_text(attempt->address),
                            qlm_statement_number(attempt->license_id, pool),
                            qlm_text_fold(attempt->computer_id, pool),
                            qlm_statement_number(attempt->code, pool),
                            qlm_statement_number(before, pool)};

    return qlm_statement_execute(raised, store, QLM_STATEMENT_ATTEMPT_RAISE, values, pool);
}

qlm_error_t *qlm_store_add_attempt(int *is_settled, qlm_store_t *store,
                                   const qlm_attempt_t *attempt, apr_int64_t before,
                                   apr_pool_t *pool)
{
    const char *license = qlm_statement_number(attempt->license_id, pool);
    const char *values[] = {license,
                            qlm_text_fold(attempt->computer_id, pool),
                            qlm_statement_number(attempt->code, pool),
                            attempt->computer_id,
                            qlm_statement_text(attempt->computer_name),
                            qlm_statement_text(attempt->address),
                            qlm_statement_number(attempt->attempts, pool),
                            qlm_statement_number(attempt->first_at, pool),
                            qlm_statement_number(attempt->last_at, pool)};
    apr_int64_t count;

    QLM_TRY(raise_attempt(is_settled, store, attempt, before, pool));
    if (*is_settled) {
        return NULL;
    }
    QLM_TRY(qlm_statement_count(&count, store, QLM_STATEMENT_ATTEMPTS_COUNT,
                                (const char *[]){license}, pool));
    if (count >= QLM_ATTEMPTS_MAX) {
        *is_settled = 1;
        return NULL;
    }
    return qlm_statement_execute(is_settled, store, QLM_STATEMENT_ATTEMPT_INSERT, values, pool);
}

static void read_attempt(qlm_attempt_t *attempt, qlm_row_t *row)
{
    attempt->license_id = qlm_row_int64(row);
    attempt->code = qlm_row_int(row);
    attempt->computer_id = qlm_row_text(row);
    attempt->computer_name = qlm_row_text(row);
    attempt->address = qlm_row_text(row);
    attempt->attempts = qlm_row_int(row);
    attempt->first_at = qlm_row_int64(row);
    attempt->last_at = qlm_row_int64(row);
    attempt->activation_key = qlm_row_text(row);
}

qlm_error_t *qlm_store_list_attempts(apr_array_header_t **attempts, qlm_store_t *store,
                                     apr_int64_t license_id, int limit, apr_pool_t *pool)
{
    const char *most = qlm_statement_number(limit, pool);
    const char *of_one[] = {qlm_statement_number(license_id, pool), most};
    const char *of_all[] = {most};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store,
                                 license_id ? QLM_STATEMENT_ATTEMPTS_OF : QLM_STATEMENT_ATTEMPTS,
                                 license_id ? of_one : of_all, pool));
    *attempts = apr_array_make(pool, rows->nelts, sizeof(qlm_attempt_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        read_attempt(apr_array_push(*attempts), &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_has_old_attempts(int *has_old, qlm_store_t *store, apr_int64_t before,
                                        apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), "1"};
    qlm_row_t row;

    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_ATTEMPTS_OLD, values, pool));
    *has_old = row != NULL;
    return NULL;
}

qlm_error_t *qlm_store_purge_attempts(int *removed, qlm_store_t *store, apr_int64_t before,
                                      int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(before, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_ATTEMPTS_OLD, values, pool));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        const char *key[] = {row[0], row[1], row[2]};

        QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_ATTEMPT_DELETE, key, pool));
    }
    *removed = rows->nelts;
    return NULL;
}

qlm_error_t *qlm_store_is_others_key(int *is_others, qlm_store_t *store, apr_int64_t license_id,
                                     const char *computer_id, const char *computer_key,
                                     apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license_id, pool), computer_key,
                            qlm_text_fold(computer_id, pool)};
    apr_int64_t count;

    QLM_TRY(qlm_statement_count(&count, store, QLM_STATEMENT_ACTIVATION_OTHERS_KEY, values, pool));
    *is_others = count > 0;
    return NULL;
}
