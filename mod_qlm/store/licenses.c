/* Licenses: finding, adding, revoking, listing, counting. */
#include "store/records.h"

#include "base/text.h"
#include "license/record.h"
#include "store/history.h"

#include <string.h>

static qlm_error_t *read_shown(qlm_license_t *license, qlm_row_t *row, apr_pool_t *pool)
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
    license->num_licenses = qlm_row_int(row);
    license->available_licenses = qlm_row_int(row);
    license->floating_seats = qlm_row_int(row);
    license->features = qlm_row_text(row);
    license->expires_at = qlm_row_int64(row);
    license->duration_days = qlm_row_int(row);
    license->maintenance_until = qlm_row_int64(row);
    license->computer_type = qlm_row_int(row);
    license->user_data = qlm_row_text(row);
    license->properties = qlm_row_text(row);
    license->order_status = qlm_row_text(row);
    license->customer_id = qlm_row_int64(row);
    license->allowed_computers = qlm_row_text(row);
    license->denied_computers = qlm_row_text(row);
    if (!qlm_model_parse(&license->model, model)) {
        return qlm_error_store(pool, "license %" APR_INT64_T_FMT ": unknown license model %s",
                               license->id, qlm_text_for_log(model, 40, pool));
    }
    return NULL;
}

qlm_error_t *qlm_record_read_license(qlm_license_t *license, qlm_row_t *row, apr_pool_t *pool)
{
    QLM_TRY(read_shown(license, row, pool));
    license->is_test = qlm_row_int(row);
    license->created_at = qlm_row_int64(row);
    license->ordered_at = qlm_row_int64(row);
    license->first_activated_at = qlm_row_int64(row);
    license->vendor = qlm_row_text(row);
    license->order_ref = qlm_row_text(row);
    license->line_ref = qlm_row_text(row);
    license->subscription_ref = qlm_row_text(row);
    license->comment = qlm_row_text(row);
    license->legacy_key = qlm_row_text(row);
    license->affiliate_id = qlm_row_text(row);
    license->disabled_at = qlm_row_int64(row);
    license->modified_at = qlm_row_int64(row);
    license->released_at = qlm_row_int64(row);
    license->max_release_count = qlm_row_int(row);
    license->max_release_days = qlm_row_int(row);
    license->organization_id = qlm_row_int64(row);
    license->bundle_id = qlm_row_text(row);
    return NULL;
}

static qlm_error_t *find_view(qlm_license_view_t **view, qlm_store_t *store,
                              qlm_statement_t statement, const char *activation_key,
                              const char *computer_id, apr_pool_t *pool)
{
    const char *values[] = {qlm_text_fold(qlm_statement_text(computer_id), pool), activation_key};
    int is_whole = statement == QLM_STATEMENT_LICENSE_FIND;
    qlm_license_view_t *found;
    qlm_row_t row;

    *view = NULL;
    QLM_TRY(qlm_statement_lock_key(store, activation_key, pool));
    QLM_TRY(qlm_statement_select_one(&row, store, statement, values, pool));
    if (!row) {
        return NULL;
    }
    found = apr_palloc(pool, sizeof(*found));
    if (is_whole) {
        QLM_TRY(qlm_record_read_license(&found->license, &row, pool));
    }
    else {
        qlm_license_clear(&found->license);
        QLM_TRY(read_shown(&found->license, &row, pool));
    }
    qlm_record_read_activation(&found->activation, &row);
    qlm_record_read_shown_customer(&found->customer, &row);
    *view = found;
    return NULL;
}

qlm_error_t *qlm_store_find_license(qlm_license_view_t **view, qlm_store_t *store,
                                    const char *activation_key, const char *computer_id,
                                    apr_pool_t *pool)
{
    return find_view(view, store, QLM_STATEMENT_LICENSE_FIND, activation_key, computer_id, pool);
}

qlm_error_t *qlm_store_show_license(qlm_license_view_t **view, qlm_store_t *store,
                                    const char *activation_key, const char *computer_id,
                                    apr_pool_t *pool)
{
    return find_view(view, store, QLM_STATEMENT_LICENSE_SHOW, activation_key, computer_id, pool);
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
                            qlm_statement_number(license->customer_id, pool),
                            qlm_statement_number(license->disabled_at, pool),
                            qlm_statement_number(license->created_at, pool),
                            qlm_statement_number(license->released_at, pool),
                            qlm_statement_number(license->max_release_count, pool),
                            qlm_statement_number(license->max_release_days, pool),
                            qlm_statement_number(license->organization_id, pool),
                            qlm_statement_text(license->bundle_id),
                            qlm_statement_text(license->allowed_computers),
                            qlm_statement_text(license->denied_computers)};
    int added;

    QLM_TRY(qlm_statement_execute(&added, store, QLM_STATEMENT_LICENSE_INSERT, values, pool));
    if (!added) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "this activation key exists already");
    }
    return NULL;
}

/* ---- changing ---- */

static qlm_error_t *update_license(qlm_store_t *store, const qlm_license_t *license,
                                   apr_int64_t now, apr_pool_t *pool)
{
    const char *values[] = {license->activation_key,
                            qlm_statement_number(license->product_id, pool),
                            qlm_statement_number(license->major, pool),
                            qlm_statement_number(license->minor, pool),
                            qlm_model_name(license->model),
                            qlm_statement_number(license->engine, pool),
                            license->is_generic ? "1" : "0",
                            license->is_disabled ? "1" : "0",
                            qlm_statement_number(license->num_licenses, pool),
                            qlm_statement_number(license->available_licenses, pool),
                            qlm_statement_number(license->floating_seats, pool),
                            license->features,
                            qlm_statement_number(license->expires_at, pool),
                            qlm_statement_number(license->duration_days, pool),
                            qlm_statement_number(license->maintenance_until, pool),
                            qlm_statement_number(license->computer_type, pool),
                            qlm_statement_number(license->first_activated_at, pool),
                            license->subscription_ref,
                            license->user_data,
                            license->comment,
                            license->legacy_key,
                            license->affiliate_id,
                            license->properties,
                            license->order_status,
                            qlm_statement_number(license->customer_id, pool),
                            qlm_statement_number(license->disabled_at, pool),
                            qlm_statement_number(now, pool),
                            qlm_statement_number(license->released_at, pool),
                            qlm_statement_number(license->max_release_count, pool),
                            qlm_statement_number(license->max_release_days, pool),
                            qlm_statement_number(license->organization_id, pool),
                            license->bundle_id,
                            license->allowed_computers,
                            license->denied_computers,
                            qlm_statement_number(license->id, pool)};

    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_UPDATE, values, pool);
}

/* A key that exists already would end in a driver's message, which no decision may rest on. */
static qlm_error_t *check_new_key(qlm_store_t *store, const qlm_license_t *before,
                                  const qlm_license_t *after, apr_pool_t *pool)
{
    qlm_license_view_t *other;

    if (strcmp(before->activation_key, after->activation_key) == 0) {
        return NULL;
    }
    QLM_TRY(qlm_store_find_license(&other, store, after->activation_key, "", pool));
    return other ? qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "this activation key exists already")
                 : NULL;
}

/* The record of a key that is replaced ends as Upgraded; what is stored is that of the new key. */
static const char *changes_of(const qlm_license_t *before, const qlm_license_t *after,
                              apr_pool_t *pool)
{
    qlm_license_t noted = *after;

    if (strcmp(before->activation_key, after->activation_key) != 0) {
        noted.order_status = "Upgraded";
    }
    return qlm_license_changes(before, &noted, pool);
}

qlm_error_t *qlm_store_change_license(int *is_changed, qlm_store_t *store,
                                      const qlm_license_t *before, const qlm_license_t *after,
                                      const char *event, const qlm_actor_t *actor, apr_pool_t *pool)
{
    const char *changes = changes_of(before, after, pool);
    const qlm_history_t row = {.license_id = after->id,
                               .customer_id = after->customer_id,
                               .activation_key = before->activation_key,
                               .event = event,
                               .changes = changes};
    int differs = *changes || before->customer_id != after->customer_id ||
                  before->organization_id != after->organization_id;

    if (is_changed) {
        *is_changed = differs;
    }
    if (!differs) {
        return NULL;
    }
    QLM_TRY(check_new_key(store, before, after, pool));
    QLM_TRY(update_license(store, after, actor->now, pool));
    return event ? qlm_store_add_history(store, &row, actor, pool) : NULL;
}

qlm_error_t *qlm_store_disable_license(int *changed, qlm_store_t *store, const char *activation_key,
                                       int is_disabled, const qlm_actor_t *actor, apr_pool_t *pool)
{
    qlm_license_view_t *view;
    qlm_license_t after;

    *changed = 0;
    QLM_TRY(qlm_store_find_license(&view, store, activation_key, "", pool));
    if (!view) {
        return NULL;
    }
    *changed = 1;
    after = view->license;
    qlm_license_disable(&after, is_disabled, actor->now);
    return qlm_store_change_license(NULL, store, &view->license, &after,
                                    is_disabled ? "revoked" : "restored", actor, pool);
}

qlm_error_t *qlm_store_delete_license(qlm_store_t *store, apr_int64_t license_id, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(license_id, pool)};

    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_ACTIVATIONS_DELETE, values, pool));
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_LICENSE_DELETE, values, pool);
}

/* ---- listing ---- */

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

qlm_error_t *qlm_store_licenses_of(apr_array_header_t **licenses, qlm_store_t *store,
                                   const char *vendor, const char *subscription_ref,
                                   const char *order_ref, int limit, apr_pool_t *pool)
{
    const char *values[] = {*subscription_ref ? subscription_ref : order_ref, vendor,
                            qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store,
                                 *subscription_ref ? QLM_STATEMENT_LICENSES_BY_SUBSCRIPTION
                                                   : QLM_STATEMENT_LICENSES_BY_ORDER_NUMBER,
                                 values, pool));
    return read_licenses(licenses, rows, pool);
}

qlm_error_t *qlm_store_page_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                     apr_int64_t after, int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(after, pool), qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_PAGE, values, pool));
    return read_licenses(licenses, rows, pool);
}

qlm_error_t *qlm_store_retrieve_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                         const char *vendor, const char *order_ref,
                                         const char *user_data, int limit, apr_pool_t *pool)
{
    const char *most = qlm_statement_number(limit, pool);
    const char *by_order[] = {order_ref, user_data, user_data, vendor, vendor, most};
    const char *by_user_data[] = {user_data, user_data, vendor, vendor, most};
    apr_array_header_t *rows;

    QLM_TRY(*order_ref ? qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_OF_ORDER,
                                              by_order, pool)
                       : qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_OF_USER_DATA,
                                              by_user_data, pool));
    return read_licenses(licenses, rows, pool);
}

qlm_error_t *qlm_store_list_recent(apr_array_header_t **views, qlm_store_t *store,
                                   const char *vendor, apr_int64_t since, int limit,
                                   apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(since, pool), vendor, vendor,
                            qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_LICENSES_RECENT, values, pool));
    *views = apr_array_make(pool, rows->nelts, sizeof(qlm_license_view_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_license_view_t *view = apr_array_push(*views);
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        memset(view, 0, sizeof(*view));
        QLM_TRY(qlm_record_read_license(&view->license, &row, pool));
        qlm_record_read_customer(&view->customer, &row);
    }
    return NULL;
}

qlm_error_t *qlm_store_count_licenses(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                      apr_pool_t *pool)
{
    return qlm_statement_count(count, store, QLM_STATEMENT_LICENSES_COUNT,
                               (const char *[]){qlm_statement_number(since, pool)}, pool);
}
