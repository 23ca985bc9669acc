/* Authorization codes: asking, trying, using; and the licenses they may lead to. */
#include "store/codes.h"

#include "base/text.h"
#include "store/records.h"

static void read_code(qlm_authcode_t *code, qlm_row_t *row)
{
    code->computer_id = qlm_row_text(row);
    code->verifier = qlm_row_text(row);
    code->email = qlm_row_text(row);
    code->license_id = qlm_row_int64(row);
    code->attempts = qlm_row_int(row);
    code->created_at = qlm_row_int64(row);
    code->expires_at = qlm_row_int64(row);
    code->used_at = qlm_row_int64(row);
    code->failed_at = qlm_row_int64(row);
    code->activation_key = code->computer_key = "";
}

qlm_error_t *qlm_store_list_codes(apr_array_header_t **codes, qlm_store_t *store,
                                  const char *computer_id, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(computer_id, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_CODES_OF_COMPUTER, values, pool));
    *codes = apr_array_make(pool, rows->nelts, sizeof(qlm_authcode_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);
        qlm_authcode_t *code = apr_array_push(*codes);

        read_code(code, &row);
        code->activation_key = qlm_row_text(&row);
        code->computer_key = qlm_row_text(&row);
    }
    return NULL;
}

/* An update that changes nothing takes the rows' locks, and what is read after it is the newest. */
qlm_error_t *qlm_store_hold_codes(apr_array_header_t **codes, qlm_store_t *store,
                                  const char *computer_id, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(computer_id, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_CODES_HOLD, values, pool));
    return qlm_store_list_codes(codes, store, computer_id, pool);
}

qlm_error_t *qlm_store_fail_codes(qlm_store_t *store, const char *computer_id, apr_int64_t now,
                                  apr_int64_t since, apr_int64_t most, apr_pool_t *pool)
{
    const char *forgotten = qlm_statement_number(since, pool);
    const char *values[] = {forgotten, qlm_statement_number(now, pool),
                            qlm_text_fold(computer_id, pool), qlm_statement_number(most, pool),
                            forgotten};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_CODES_FAIL, values, pool);
}

qlm_error_t *qlm_store_use_code(qlm_store_t *store, const qlm_authcode_t *code, apr_int64_t now,
                                apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(now, pool), code->computer_id, code->verifier};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_CODE_USE, values, pool);
}

qlm_error_t *qlm_store_list_codes_of_customer(apr_array_header_t **codes, qlm_store_t *store,
                                              const qlm_customer_t *customer, apr_int64_t since,
                                              apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(customer->email, pool),
                            qlm_statement_number(since, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_store_hold_customer(store, customer->id, pool));
    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_CODES_OF_EMAIL, values, pool));
    *codes = apr_array_make(pool, rows->nelts, sizeof(qlm_authcode_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        read_code(apr_array_push(*codes), &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_add_code(int *added, qlm_store_t *store, const qlm_authcode_t *code,
                                apr_int64_t forget, apr_pool_t *pool)
{
    const char *computer = qlm_text_fold(code->computer_id, pool);
    const char *email = qlm_text_fold(code->email, pool);
    const char *now = qlm_statement_number(code->created_at, pool);
    const char *ended[] = {now, computer, email, now};
    const char *old[] = {email, qlm_statement_number(forget, pool)};
    const char *values[] = {computer, code->verifier,
                            email,    qlm_statement_number(code->license_id, pool),
                            now,      qlm_statement_number(code->expires_at, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_CODES_END, ended, pool));
    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_CODES_FORGET, old, pool));
    return qlm_statement_execute(added, store, QLM_STATEMENT_CODE_INSERT, values, pool);
}

qlm_error_t *qlm_store_hold_customer(qlm_store_t *store, apr_int64_t id, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(id, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_CUSTOMER_HOLD, values, pool));
    return qlm_statement_hold_customer(store, id, pool);
}

static qlm_error_t *add_keys(apr_array_header_t *keys, qlm_store_t *store,
                             qlm_statement_t statement, const char **values, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, statement, values, pool));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        APR_ARRAY_PUSH(keys, const char *) = qlm_row_text(&row);
    }
    return NULL;
}

qlm_error_t *qlm_store_list_usable_keys(apr_array_header_t **keys, qlm_store_t *store,
                                        apr_int64_t customer_id, int product_id, int limit,
                                        apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(customer_id, pool),
                            qlm_statement_number(product_id, pool),
                            qlm_statement_number(limit, pool)};

    *keys = apr_array_make(pool, 4, sizeof(const char *));
    QLM_TRY(add_keys(*keys, store, QLM_STATEMENT_KEYS_OF_CUSTOMER, values, pool));
    return add_keys(*keys, store, QLM_STATEMENT_KEYS_OF_ORGANIZATION, values, pool);
}
