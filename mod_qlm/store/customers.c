/* Buyers. One record per e-mail address; without an address each order makes its own. */
#include "store/records.h"

#include "base/text.h"

#include <apr_strings.h>

#include <string.h>

void qlm_record_read_customer(qlm_customer_t *customer, qlm_row_t *row)
{
    customer->id = qlm_row_int64(row);
    customer->email = qlm_row_text(row);
    customer->full_name = qlm_row_text(row);
    customer->company = qlm_row_text(row);
    customer->phone = qlm_row_text(row);
    customer->fax = qlm_row_text(row);
    customer->mobile = qlm_row_text(row);
    customer->address1 = qlm_row_text(row);
    customer->address2 = qlm_row_text(row);
    customer->city = qlm_row_text(row);
    customer->state = qlm_row_text(row);
    customer->zip = qlm_row_text(row);
    customer->country = qlm_row_text(row);
    customer->notes = qlm_row_text(row);
    customer->affiliate_id = qlm_row_text(row);
    customer->include_in_mail_list = qlm_row_int(row);
}

void qlm_record_read_shown_customer(qlm_customer_t *customer, qlm_row_t *row)
{
    static const qlm_customer_t nobody = {0,  "", "", "", "", "", "", "",
                                          "", "", "", "", "", "", "", -1};

    *customer = nobody;
    customer->id = qlm_row_int64(row);
    customer->email = qlm_row_text(row);
    customer->full_name = qlm_row_text(row);
    customer->company = qlm_row_text(row);
}

qlm_error_t *qlm_store_find_customer(const qlm_customer_t **customer_p, qlm_store_t *store,
                                     apr_int64_t id, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(id, pool)};
    qlm_customer_t *customer;
    qlm_row_t row;

    *customer_p = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_CUSTOMER_BY_ID, values, pool));
    if (row) {
        customer = apr_palloc(pool, sizeof(*customer));
        qlm_record_read_customer(customer, &row);
        *customer_p = customer;
    }
    return NULL;
}

static qlm_error_t *insert_customer(int *added, qlm_store_t *store, apr_int64_t id,
                                    const char *email_key, const qlm_customer_t *customer,
                                    apr_int64_t now, apr_pool_t *pool)
{
    const char *at = qlm_statement_number(now, pool);
    const char *values[] = {qlm_statement_number(id, pool),
                            email_key,
                            qlm_statement_text(customer->email),
                            qlm_statement_text(customer->full_name),
                            qlm_statement_text(customer->company),
                            qlm_statement_text(customer->phone),
                            qlm_statement_text(customer->fax),
                            qlm_statement_text(customer->mobile),
                            qlm_statement_text(customer->address1),
                            qlm_statement_text(customer->address2),
                            qlm_statement_text(customer->city),
                            qlm_statement_text(customer->state),
                            qlm_statement_text(customer->zip),
                            qlm_statement_text(customer->country),
                            qlm_statement_text(customer->notes),
                            qlm_statement_text(customer->affiliate_id),
                            qlm_statement_number(customer->include_in_mail_list, pool),
                            at,
                            at};

    return qlm_statement_execute(added, store, QLM_STATEMENT_CUSTOMER_INSERT, values, pool);
}

/* The new text, unless it says nothing. */
static const char *merge(const char *old, const char *new, int *differs)
{
    if (qlm_text_is_empty(new) || !strcmp(old, new)) {
        return old;
    }
    *differs = 1;
    return new;
}

static int merge_customer(qlm_customer_t *known, const qlm_customer_t *customer)
{
    int differs = 0;

    known->full_name = merge(known->full_name, customer->full_name, &differs);
    known->company = merge(known->company, customer->company, &differs);
    known->phone = merge(known->phone, customer->phone, &differs);
    known->fax = merge(known->fax, customer->fax, &differs);
    known->mobile = merge(known->mobile, customer->mobile, &differs);
    known->address1 = merge(known->address1, customer->address1, &differs);
    known->address2 = merge(known->address2, customer->address2, &differs);
    known->city = merge(known->city, customer->city, &differs);
    known->state = merge(known->state, customer->state, &differs);
    known->zip = merge(known->zip, customer->zip, &differs);
    known->country = merge(known->country, customer->country, &differs);
    known->notes = merge(known->notes, customer->notes, &differs);
    known->affiliate_id = merge(known->affiliate_id, customer->affiliate_id, &differs);
    if (customer->include_in_mail_list >= 0 &&
        customer->include_in_mail_list != known->include_in_mail_list) {
        known->include_in_mail_list = customer->include_in_mail_list;
        differs = 1;
    }
    return differs;
}

static qlm_error_t *update_customer(qlm_store_t *store, const qlm_customer_t *customer,
                                    apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {customer->full_name,
                            customer->company,
                            customer->phone,
                            customer->fax,
                            customer->mobile,
                            customer->address1,
                            customer->address2,
                            customer->city,
                            customer->state,
                            customer->zip,
                            customer->country,
                            customer->notes,
                            customer->affiliate_id,
                            qlm_statement_number(customer->include_in_mail_list, pool),
                            qlm_statement_number(now, pool),
                            qlm_statement_number(customer->id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_CUSTOMER_UPDATE, values, pool);
}

qlm_error_t *qlm_store_put_customer(apr_int64_t *id, qlm_store_t *store,
                                    const qlm_customer_t *customer, int overwrite, apr_int64_t now,
                                    apr_pool_t *pool)
{
    const char *email_key = qlm_text_fold(qlm_statement_text(customer->email), pool);
    qlm_row_t row = NULL;
    int added;

    if (*email_key) {
        const char *values[] = {email_key};

        QLM_TRY(
            qlm_statement_select_one(&row, store, QLM_STATEMENT_CUSTOMER_BY_EMAIL, values, pool));
    }
    if (row) {
        qlm_customer_t known;

        qlm_record_read_customer(&known, &row);
        *id = known.id;
        return overwrite && merge_customer(&known, customer)
                   ? update_customer(store, &known, now, pool)
                   : NULL;
    }
    *id = qlm_store_new_id(store);
    if (!*email_key) {
        email_key = apr_pstrcat(pool, "#", qlm_statement_number(*id, pool), NULL);
    }
    QLM_TRY(insert_customer(&added, store, *id, email_key, customer, now, pool));
    if (!added) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the customer was added by somebody else at the same time");
    }
    return NULL;
}

/* Text that LIKE finds anywhere, its own wildcards taken literally. */
static const char *like_pattern(const char *text, apr_pool_t *pool)
{
    const char *folded = qlm_text_fold(text, pool);
    char *pattern = apr_palloc(pool, 2 * strlen(folded) + 3);
    char *to = pattern;

    *to++ = '%';
    for (; *folded; ++folded) {
        if (*folded == '%' || *folded == '_' || *folded == '!') {
            *to++ = '!';
        }
        *to++ = *folded;
    }
    *to++ = '%';
    *to = '\0';
    return pattern;
}

qlm_error_t *qlm_store_search_customers(apr_array_header_t **customers, qlm_store_t *store,
                                        const char *text, int limit, apr_pool_t *pool)
{
    const char *pattern = like_pattern(text, pool);
    const char *values[] = {pattern, pattern, pattern, qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_CUSTOMER_SEARCH, values, pool));
    *customers = apr_array_make(pool, rows->nelts, sizeof(qlm_customer_t));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        qlm_record_read_customer(apr_array_push(*customers), &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_find_customer_by_email(const qlm_customer_t **customer_p, qlm_store_t *store,
                                              const char *email, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(email, pool)};
    qlm_customer_t *customer;
    qlm_row_t row;

    *customer_p = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_CUSTOMER_BY_EMAIL, values, pool));
    if (row) {
        customer = apr_palloc(pool, sizeof(*customer));
        qlm_record_read_customer(customer, &row);
        *customer_p = customer;
    }
    return NULL;
}

qlm_error_t *qlm_store_page_customers(apr_array_header_t **customers, qlm_store_t *store,
                                      apr_int64_t after, int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(after, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_CUSTOMERS_PAGE, values, pool));
    *customers = apr_array_make(pool, rows->nelts, sizeof(qlm_customer_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        qlm_record_read_customer(apr_array_push(*customers), &row);
    }
    return NULL;
}
