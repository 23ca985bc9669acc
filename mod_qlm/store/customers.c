/* Buyers. One record per e-mail address; without an address each order makes its own. */
#include "store/records.h"

#include "base/text.h"
#include "license/customer.h"
#include "store/history.h"

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
    customer->organization_id = qlm_row_int64(row);
    customer->external_id = qlm_row_text(row);
    customer->user_data = qlm_row_text(row);
    customer->ip_address = qlm_row_text(row);
    customer->privacy_consent = qlm_row_int(row);
    customer->privacy_consent_at = qlm_row_int64(row);
    customer->created_at = qlm_row_int64(row);
    customer->modified_at = qlm_row_int64(row);
}

void qlm_record_read_shown_customer(qlm_customer_t *customer, qlm_row_t *row)
{
    qlm_customer_clear(customer);
    customer->id = qlm_row_int64(row);
    customer->email = qlm_row_text(row);
    customer->full_name = qlm_row_text(row);
    customer->company = qlm_row_text(row);
}

/* ---- finding ---- */

static qlm_error_t *find(const qlm_customer_t **customer_p, qlm_store_t *store,
                         qlm_statement_t statement, const char *value, apr_pool_t *pool)
{
    qlm_customer_t *customer;
    qlm_row_t row;

    *customer_p = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, statement, &value, pool));
    if (row) {
        customer = apr_palloc(pool, sizeof(*customer));
        qlm_record_read_customer(customer, &row);
        *customer_p = customer;
    }
    return NULL;
}

static qlm_error_t *find_and_hold(const qlm_customer_t **customer, qlm_store_t *store,
                                  const char *email_key, apr_pool_t *pool)
{
    QLM_TRY(find(customer, store, QLM_STATEMENT_CUSTOMER_BY_EMAIL, email_key, pool));
    return *customer ? qlm_statement_hold_customer(store, (*customer)->id, pool) : NULL;
}

qlm_error_t *qlm_store_find_customer(const qlm_customer_t **customer, qlm_store_t *store,
                                     apr_int64_t id, apr_pool_t *pool)
{
    return find(customer, store, QLM_STATEMENT_CUSTOMER_BY_ID, qlm_statement_number(id, pool),
                pool);
}

qlm_error_t *qlm_store_find_customer_by_email(const qlm_customer_t **customer, qlm_store_t *store,
                                              const char *email, apr_pool_t *pool)
{
    const char *email_key = qlm_text_fold(qlm_statement_text(email), pool);

    *customer = NULL;
    return *email_key ? find_and_hold(customer, store, email_key, pool) : NULL;
}

/* ---- changing ---- */

/* Unique: the folded e-mail, or what no e-mail can be. */
static const char *email_key_of(const qlm_customer_t *customer, apr_pool_t *pool)
{
    const char *email_key = qlm_text_fold(customer->email, pool);

    return *email_key ? email_key
                      : apr_pstrcat(pool, "#", qlm_statement_number(customer->id, pool), NULL);
}

static qlm_error_t *add_history(qlm_store_t *store, const char *event, apr_int64_t customer_id,
                                const char *changes, const qlm_actor_t *actor, apr_pool_t *pool)
{
    const qlm_history_t row = {.customer_id = customer_id, .event = event, .changes = changes};

    return qlm_store_add_history(store, &row, actor, pool);
}

static qlm_error_t *insert_customer(int *added, qlm_store_t *store, const qlm_customer_t *customer,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(customer->id, pool),
                            email_key_of(customer, pool),
                            customer->email,
                            customer->full_name,
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
                            qlm_statement_number(customer->organization_id, pool),
                            customer->external_id,
                            customer->user_data,
                            customer->ip_address,
                            qlm_statement_number(customer->privacy_consent, pool),
                            qlm_statement_number(customer->privacy_consent_at, pool),
                            qlm_statement_number(customer->created_at, pool),
                            qlm_statement_number(customer->modified_at, pool)};

    return qlm_statement_execute(added, store, QLM_STATEMENT_CUSTOMER_INSERT, values, pool);
}

static qlm_error_t *update_customer(qlm_store_t *store, const qlm_customer_t *customer,
                                    apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {email_key_of(customer, pool),
                            customer->email,
                            customer->full_name,
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
                            qlm_statement_number(customer->organization_id, pool),
                            customer->external_id,
                            customer->user_data,
                            customer->ip_address,
                            qlm_statement_number(customer->privacy_consent, pool),
                            qlm_statement_number(customer->privacy_consent_at, pool),
                            qlm_statement_number(now, pool),
                            qlm_statement_number(customer->id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_CUSTOMER_UPDATE, values, pool);
}

/* An e-mail that is taken would end in a driver's message, which no decision may rest on. */
static qlm_error_t *check_new_email(qlm_store_t *store, const qlm_customer_t *customer,
                                    apr_pool_t *pool)
{
    const qlm_customer_t *other;

    QLM_TRY(qlm_store_find_customer_by_email(&other, store, customer->email, pool));
    return !other || other->id == customer->id
               ? NULL
               : qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                "another customer has this e-mail address");
}

qlm_error_t *qlm_store_change_customer(int *is_changed, qlm_store_t *store,
                                       const qlm_customer_t *before, const qlm_customer_t *after,
                                       const qlm_actor_t *actor, apr_pool_t *pool)
{
    const char *changes = qlm_customer_changes(before, after, pool);

    *is_changed = *changes != '\0';
    if (!*is_changed) {
        return NULL;
    }
    QLM_TRY(check_new_email(store, after, pool));
    QLM_TRY(update_customer(store, after, actor->now, pool));
    return add_history(store, "customer_modified", after->id, changes, actor, pool);
}

qlm_error_t *qlm_store_delete_customer(qlm_store_t *store, const qlm_customer_t *customer,
                                       const qlm_actor_t *actor, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(customer->id, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_CUSTOMER_DELETE, values, pool));
    return add_history(store, "customer_deleted", customer->id,
                       qlm_customer_changes(customer, NULL, pool), actor, pool);
}

static qlm_error_t *add_customer(qlm_customer_t *made, qlm_store_t *store,
                                 const qlm_customer_t *customer, const qlm_actor_t *actor,
                                 apr_pool_t *pool)
{
    int added;

    qlm_customer_clear(made);
    made->email = qlm_statement_text(customer->email);
    qlm_customer_merge(made, customer);
    made->id = qlm_store_new_id(store);
    made->created_at = made->modified_at = actor->now;
    QLM_TRY(insert_customer(&added, store, made, pool));
    if (!added) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the customer was added by somebody else at the same time");
    }
    return add_history(store, "customer_created", made->id, qlm_customer_changes(NULL, made, pool),
                       actor, pool);
}

qlm_error_t *qlm_store_put_customer(qlm_stored_customer_t *stored, qlm_store_t *store,
                                    const qlm_customer_t *customer, int overwrite,
                                    const qlm_actor_t *actor, apr_pool_t *pool)
{
    const qlm_customer_t *known;

    stored->is_new = stored->is_changed = 0;
    QLM_TRY(qlm_store_find_customer_by_email(&known, store, customer->email, pool));
    if (!known) {
        stored->is_new = 1;
        return add_customer(&stored->customer, store, customer, actor, pool);
    }
    stored->customer = *known;
    if (!overwrite) {
        return NULL;
    }
    qlm_customer_merge(&stored->customer, customer);
    return qlm_store_change_customer(&stored->is_changed, store, known, &stored->customer, actor,
                                     pool);
}

/* ---- searching ---- */

qlm_error_t *qlm_store_search_customers(apr_array_header_t **customers, qlm_store_t *store,
                                        const char *text, int limit, apr_pool_t *pool)
{
    const char *pattern = qlm_statement_pattern(text, pool);
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
