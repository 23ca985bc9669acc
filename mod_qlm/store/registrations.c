/* Registrations: adding, listing, counting. */
#include "store/registrations.h"

#include "base/text.h"
#include "store/records.h"

static void read_registration(qlm_registration_t *registration, qlm_row_t row)
{
    registration->email = qlm_row_text(&row);
    registration->domain = qlm_row_text(&row);
    registration->address = qlm_row_text(&row);
    registration->product_id = qlm_row_int(&row);
    registration->major = qlm_row_int(&row);
    registration->minor = qlm_row_int(&row);
    registration->license_id = qlm_row_int64(&row);
    registration->created_at = qlm_row_int64(&row);
    registration->expires_at = qlm_row_int64(&row);
    registration->first_activated_at = qlm_row_int64(&row);
}

qlm_error_t *qlm_store_list_registrations(apr_array_header_t **registrations, qlm_store_t *store,
                                          const char *email, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(email, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_REGISTRATIONS, values, pool));
    *registrations = apr_array_make(pool, rows->nelts, sizeof(qlm_registration_t));
    for (int i = 0; i < rows->nelts; i++) {
        read_registration(apr_array_push(*registrations), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_add_registration(qlm_store_t *store, const qlm_registration_t *registration,
                                        int ordinal, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(registration->email, pool),
                            qlm_statement_number(ordinal, pool),
                            registration->domain,
                            registration->address,
                            qlm_statement_number(registration->product_id, pool),
                            qlm_statement_number(registration->major, pool),
                            qlm_statement_number(registration->minor, pool),
                            qlm_statement_number(registration->license_id, pool),
                            qlm_statement_number(registration->created_at, pool)};
    int added;

    QLM_TRY(qlm_statement_execute(&added, store, QLM_STATEMENT_REGISTRATION_INSERT, values, pool));
    return added ? NULL
                 : qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "the same e-mail registers at the same time");
}

qlm_error_t *qlm_store_count_registrations(apr_int64_t *count, qlm_store_t *store,
                                           const char *address, apr_int64_t since, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(since, pool), address};

    return qlm_statement_count(count, store,
                               *address ? QLM_STATEMENT_REGISTRATIONS_OF_ADDRESS
                                        : QLM_STATEMENT_REGISTRATIONS_SINCE,
                               values, pool);
}

qlm_error_t *qlm_store_count_registrations_of_domain(apr_int64_t *count, qlm_store_t *store,
                                                     const char *domain, apr_pool_t *pool)
{
    const char *values[] = {domain};

    return qlm_statement_count(count, store, QLM_STATEMENT_REGISTRATIONS_OF_DOMAIN, values, pool);
}

qlm_error_t *qlm_store_count_bought(apr_int64_t *count, qlm_store_t *store, apr_int64_t customer_id,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(customer_id, pool), QLM_REGISTRATION_VENDOR};

    return qlm_statement_count(count, store, QLM_STATEMENT_LICENSES_BOUGHT, values, pool);
}
