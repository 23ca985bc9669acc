/* Seats: which computers a license is active on. */
#include "store/records.h"

#include "base/text.h"

void qlm_record_read_activation(qlm_activation_t *activation, qlm_row_t *row)
{
    activation->id = qlm_row_int64(row);
    activation->license_id = qlm_row_int64(row);
    activation->computer_id = qlm_row_text(row);
    activation->computer_name = qlm_row_text(row);
    activation->computer_key = qlm_row_text(row);
    activation->major = qlm_row_int(row);
    activation->minor = qlm_row_int(row);
    activation->activated_at = qlm_row_int64(row);
    activation->last_accessed_at = qlm_row_int64(row);
    activation->activation_count = qlm_row_int(row);
    activation->user_data = qlm_row_text(row);
    activation->ip_address = qlm_row_text(row);
    activation->offline_until = qlm_row_int64(row);
}

static qlm_error_t *insert_activation(int *added, qlm_store_t *store,
                                      const qlm_activation_t *activation, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(activation->id, pool),
                            qlm_statement_number(activation->license_id, pool),
                            qlm_text_fold(activation->computer_id, pool),
                            activation->computer_id,
                            qlm_statement_text(activation->computer_name),
                            qlm_statement_text(activation->computer_key),
                            qlm_statement_number(activation->major, pool),
                            qlm_statement_number(activation->minor, pool),
                            qlm_statement_number(activation->activated_at, pool),
                            qlm_statement_number(activation->last_accessed_at, pool),
                            qlm_statement_number(activation->activation_count, pool),
                            qlm_statement_text(activation->user_data),
                            qlm_statement_text(activation->ip_address)};

    return qlm_statement_execute(added, store, QLM_STATEMENT_ACTIVATION_INSERT, values, pool);
}

qlm_error_t *qlm_store_take_seat(int *taken, qlm_store_t *store, const qlm_activation_t *activation,
                                 apr_int64_t expires_at, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(activation->activated_at, pool),
                            qlm_statement_number(expires_at, pool),
                            qlm_statement_number(activation->license_id, pool)};
    int changed;

    /* Before the activation that refers to it is inserted: on MariaDB two that hold the license for
     * that, and then both want to change it, are a deadlock. */
    QLM_TRY(qlm_statement_lock_license(store, activation->license_id, pool));
    QLM_TRY(insert_activation(taken, store, activation, pool));
    if (!*taken) {
        return NULL;
    }
    QLM_TRY(qlm_statement_execute(&changed, store, QLM_STATEMENT_LICENSE_TAKE_SEAT, values, pool));
    if (!changed) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NO_MORE_ACTIVATIONS,
                              "All the available licenses have already been activated.");
    }
    return NULL;
}

qlm_error_t *qlm_store_give_seat(int *given, qlm_store_t *store, apr_int64_t license_id,
                                 const char *computer_id, apr_int64_t now, apr_pool_t *pool)
{
    const char *seat[] = {qlm_statement_number(license_id, pool), qlm_text_fold(computer_id, pool)};
    const char *license[] = {qlm_statement_number(now, pool), qlm_statement_number(now, pool),
                             qlm_statement_number(license_id, pool)};

    QLM_TRY(qlm_statement_execute(given, store, QLM_STATEMENT_ACTIVATION_DELETE, seat, pool));
    return *given
               ? qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_GIVE_SEAT, license, pool)
               : NULL;
}

qlm_error_t *qlm_store_lower_activation(int *lowered, qlm_store_t *store, apr_int64_t license_id,
                                        const char *computer_id, apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(now, pool), qlm_statement_number(license_id, pool),
                            qlm_text_fold(computer_id, pool)};

    return qlm_statement_execute(lowered, store, QLM_STATEMENT_ACTIVATION_LOWER, values, pool);
}

qlm_error_t *qlm_store_set_order_status(qlm_store_t *store, const qlm_license_t *license,
                                        apr_pool_t *pool)
{
    const char *values[] = {license->order_status,
                            qlm_statement_number(license->maintenance_until, pool),
                            qlm_statement_number(license->id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_ORDER_STATUS, values, pool);
}

qlm_error_t *qlm_store_set_computer_key(qlm_store_t *store, const qlm_activation_t *activation,
                                        const char *computer_key, apr_pool_t *pool)
{
    const char *values[] = {computer_key, qlm_statement_number(activation->license_id, pool),
                            qlm_text_fold(activation->computer_id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_ACTIVATION_NEW_KEY, values, pool);
}

qlm_error_t *qlm_store_refresh_activation(qlm_store_t *store, const qlm_activation_t *activation,
                                          apr_pool_t *pool)
{
    const char *values[] = {activation->computer_id,
                            qlm_statement_text(activation->computer_name),
                            qlm_statement_text(activation->computer_key),
                            qlm_statement_number(activation->major, pool),
                            qlm_statement_number(activation->minor, pool),
                            qlm_statement_number(activation->activated_at, pool),
                            qlm_statement_number(activation->last_accessed_at, pool),
                            qlm_statement_text(activation->user_data),
                            qlm_statement_text(activation->ip_address),
                            qlm_statement_number(activation->license_id, pool),
                            qlm_text_fold(activation->computer_id, pool)};
    int changed;

    QLM_TRY(qlm_statement_execute(&changed, store, QLM_STATEMENT_ACTIVATION_UPDATE, values, pool));
    if (!changed) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the computer was released at the same time");
    }
    return NULL;
}

qlm_error_t *qlm_store_note_activation(qlm_store_t *store, apr_int64_t license_id,
                                       const char *user_data, const char *affiliate_id,
                                       apr_int64_t customer_id, apr_pool_t *pool)
{
    const char *values[] = {user_data, affiliate_id,
                            customer_id ? qlm_statement_number(customer_id, pool) : NULL,
                            qlm_statement_number(license_id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_NOTE, values, pool);
}

qlm_error_t *qlm_store_list_activations(apr_array_header_t **activations, qlm_store_t *store,
                                        apr_int64_t license_id, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license_id, pool)};
    apr_array_header_t *rows;
    int i;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_ACTIVATIONS_BY_LICENSE, values, pool));
    *activations = apr_array_make(pool, rows->nelts, sizeof(qlm_activation_t));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        qlm_record_read_activation(apr_array_push(*activations), &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_count_activations(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                         apr_pool_t *pool)
{
    return qlm_statement_count(count, store, QLM_STATEMENT_ACTIVATIONS_COUNT,
                               (const char *[]){qlm_statement_number(since, pool)}, pool);
}

qlm_error_t *qlm_store_count_on_computer(apr_int64_t *count, qlm_store_t *store,
                                         const char *computer_id, const char *computer_name,
                                         apr_int64_t except_license_id, int trials_only,
                                         int with_revoked, apr_pool_t *pool)
{
    /* An empty text switches its condition off. */
    const char *values[] = {qlm_text_fold(computer_id, pool),
                            qlm_statement_number(except_license_id, pool),
                            trials_only ? "y" : "",
                            qlm_model_name(QLM_MODEL_TRIAL),
                            qlm_model_name(QLM_MODEL_TRIAL_FLOATING),
                            qlm_model_name(QLM_MODEL_TRIAL_CLOUD),
                            with_revoked ? "" : "y",
                            computer_name ? "y" : "",
                            qlm_statement_text(computer_name)};

    return qlm_statement_count(count, store, QLM_STATEMENT_ACTIVATIONS_ON_COMPUTER, values, pool);
}
