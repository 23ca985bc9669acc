/* Licenses: finding, adding, revoking, listing, counting. */
#include "store/records.h"

#include "base/text.h"

#include <string.h>

qlm_error_t *qlm_record_read_license(qlm_license_t *license, qlm_row_t *row, apr_pool_t *pool)
{
    const char *model;

    license->id = qlm_row_int64(row);
    license->activation_key = qlm_row_text(row);
    license->product_id = qlm_row_int(row);
    license->major = qlm_row_int(row);
    license->minor = qlm_row_int(row);
    model = qlm_row_text(row);
    license->engine = qlm_row_int(row) == QLM_ENGINE_5 ? QLM_ENGINE_5 : QLM_ENGINE_6;
    license->is_generic = qlm_row_int(row);
    license->is_disabled = qlm_row_int(row);
    license->is_test = qlm_row_int(row);
    license->num_licenses = qlm_row_int(row);
    license->available_licenses = qlm_row_int(row);
    license->floating_seats = qlm_row_int(row);
    license->features = qlm_row_text(row);
    license->expires_at = qlm_row_int64(row);
    license->duration_days = qlm_row_int(row);
    license->maintenance_until = qlm_row_int64(row);
    license->computer_type = qlm_row_int(row);
    license->created_at = qlm_row_int64(row);
    license->ordered_at = qlm_row_int64(row);
    license->first_activated_at = qlm_row_int64(row);
    license->vendor = qlm_row_text(row);
    license->order_ref = qlm_row_text(row);
    license->line_ref = qlm_row_text(row);
    license->subscription_ref = qlm_row_text(row);
    license->user_data = qlm_row_text(row);
    license->comment = qlm_row_text(row);
    license->legacy_key = qlm_row_text(row);
    license->affiliate_id = qlm_row_text(row);
    license->properties = qlm_row_text(row);
    license->order_status = qlm_row_text(row);
    license->customer_id = qlm_row_int64(row);
    if (!qlm_model_parse(&license->model, model)) {
        return qlm_error_store(pool, "license %" APR_INT64_T_FMT ": unknown license model %s",
                               license->id, qlm_text_for_log(model, 40, pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_find_license(qlm_license_view_t **view, qlm_store_t *store,
                                    const char *activation_key, const char *computer_id,
                                    apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(qlm_statement_text(computer_id), pool), activation_key};
    qlm_row_t row;

    *view = NULL;
    QLM_TRY(qlm_statement_select_one(&row, store, QLM_STATEMENT_LICENSE_FIND, values, pool));
    if (!row) {
        return NULL;
    }
    *view = apr_palloc(pool, sizeof(**view));
    QLM_TRY(qlm_record_read_license(&(*view)->license, &row, pool));
    qlm_record_read_activation(&(*view)->activation, &row);
    qlm_record_read_shown_customer(&(*view)->customer, &row);
    return NULL;
}

qlm_error_t *qlm_store_add_license(qlm_store_t *store, const qlm_license_t *license,
                                   apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license->id, pool),
                            license->activation_key,
                            qlm_statement_number(license->product_id, pool),
                            qlm_statement_number(license->major, pool),
                            qlm_statement_number(license->minor, pool),
                            qlm_model_name(license->model),
                            qlm_statement_number(license->engine, pool),
                            license->is_generic ? "1" : "0",
                            license->is_disabled ? "1" : "0",
                            license->is_test ? "1" : "0",
                            qlm_statement_number(license->num_licenses, pool),
                            qlm_statement_number(license->available_licenses, pool),
                            qlm_statement_number(license->floating_seats, pool),
                            qlm_statement_text(license->features),
                            qlm_statement_number(license->expires_at, pool),
                            qlm_statement_number(license->duration_days, pool),
                            qlm_statement_number(license->maintenance_until, pool),
                            qlm_statement_number(license->computer_type, pool),
                            qlm_statement_number(license->created_at, pool),
                            qlm_statement_number(license->ordered_at, pool),
                            qlm_statement_number(license->first_activated_at, pool),
                            qlm_statement_text(license->vendor),
                            qlm_statement_text(license->order_ref),
                            qlm_statement_text(license->line_ref),
                            qlm_statement_text(license->subscription_ref),
                            qlm_statement_text(license->user_data),
                            qlm_statement_text(license->comment),
                            qlm_statement_text(license->legacy_key),
                            qlm_statement_text(license->affiliate_id),
                            qlm_statement_text(license->properties),
                            qlm_statement_text(license->order_status),
                            qlm_statement_number(license->customer_id, pool)};
    int added;

    QLM_TRY(qlm_statement_execute(&added, store, QLM_STATEMENT_LICENSE_INSERT, values, pool));
    if (!added) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "this activation key exists already");
    }
    return NULL;
}

qlm_error_t *qlm_store_set_expiry(qlm_store_t *store, apr_int64_t license_id,
                                  apr_int64_t expires_at, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(expires_at, pool),
                            qlm_statement_number(license_id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_EXPIRY, values, pool);
}

qlm_error_t *qlm_store_disable_license(int *changed, qlm_store_t *store, const char *activation_key,
                                       int is_disabled, apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {is_disabled ? "1" : "0",
                            qlm_statement_number(is_disabled ? now : 0, pool), activation_key};

    return qlm_statement_execute(changed, store, QLM_STATEMENT_LICENSE_DISABLE, values, pool);
}

static qlm_error_t *read_licenses(apr_array_header_t **licenses, const apr_array_header_t *rows,
                                  apr_pool_t *pool)
{
    int i;

    *licenses = apr_array_make(pool, rows->nelts, sizeof(qlm_license_t));
    for (i = 0; i < rows->nelts; ++i) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        QLM_TRY(qlm_record_read_license(apr_array_push(*licenses), &row, pool));
    }
    return NULL;
}

qlm_error_t *qlm_store_list_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                     const qlm_license_filter_t *filter, apr_pool_t *pool)
{
    const char *vendor = qlm_statement_text(filter->vendor);
    const char *order = qlm_statement_text(filter->order_ref);
    const char *line = qlm_statement_text(filter->line_ref);
    const char *customer = qlm_statement_number(filter->customer_id, pool);
    const char *limit = qlm_statement_number(filter->limit, pool);
    apr_array_header_t *rows;

    /* One statement for each index. */
    if (*vendor && *order) {
        const char *values[] = {vendor,   order, line, line, filter->customer_id ? customer : "",
                                customer, limit};

        QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_BY_ORDER, values, pool));
    }
    else if (filter->customer_id) {
        const char *values[] = {customer, vendor, vendor, order, order, line, line, limit};

        QLM_TRY(
            qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_BY_CUSTOMER, values, pool));
    }
    else {
        const char *values[] = {vendor, vendor, order, order, line, line, limit};

        QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_NEWEST, values, pool));
    }
    return read_licenses(licenses, rows, pool);
}

qlm_error_t *qlm_store_count_licenses(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                      apr_pool_t *pool)
{
    return qlm_statement_count(count, store, QLM_STATEMENT_LICENSES_COUNT,
                               (const char *[]){qlm_statement_number(since, pool)}, pool);
}
