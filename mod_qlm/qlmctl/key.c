/* key: show, list, revoke. */
#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/products.h"
#include "qlmctl/records.h"

#include "base/date.h"
#include "base/text.h"
#include "store/history.h"
#include "store/registrations.h"
#include "vendor/vendor.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define LIMIT     50
#define LIMIT_MAX 100000

qlm_error_t *qlm_keys_find(qlm_license_view_t **view, qlm_key_shape_t *shape, qlm_tool_t *tool,
                           const char *typed, const char *computer_id)
{
    const qlm_secrets_t *secrets;
    const char *normal;
    qlm_key_shape_t own_shape;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    own_shape = qlm_keygen_read(&normal, typed, secrets, tool->pool);
    if (shape) {
        *shape = own_shape;
    }
    *view = NULL;
    return own_shape == QLM_KEY_UNREADABLE
               ? NULL
               : qlm_store_find_license(view, store, normal, computer_id, tool->pool);
}

qlm_error_t *qlm_keys_unknown(qlm_tool_t *tool, qlm_key_shape_t shape)
{
    switch (shape) {
    case QLM_KEY_UNREADABLE:
        return qlm_tool_failure(tool, "this cannot be a key; give it as it was sold");
    case QLM_KEY_MISTYPED:
        return qlm_tool_failure(
            tool, "there is no such key, and its check digits are wrong; check it for "
                  "typing mistakes");
    default:
        return qlm_tool_failure(tool, "there is no such key; see qlmctl key list");
    }
}

qlm_error_t *qlm_keys_put_customer(json_t *record, qlm_tool_t *tool, apr_int64_t customer_id)
{
    const qlm_customer_t *customer = NULL;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    if (customer_id) {
        QLM_TRY(qlm_store_find_customer(&customer, store, customer_id, tool->pool));
    }
    qlm_output_put_value(record, "customer",
                         customer ? qlm_record_customer(customer, tool->pool) : NULL);
    return NULL;
}

qlm_error_t *qlm_keys_record(json_t **record, qlm_tool_t *tool, const qlm_license_t *license)
{
    apr_array_header_t *activations;
    qlm_store_t *store;
    json_t *list;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_activations(&activations, store, license->id, tool->pool));
    *record = qlm_record_license(license, tool->pool);
    list = qlm_output_array(tool->pool);
    for (int i = 0; i < activations->nelts; i++) {
        qlm_output_append(list, qlm_record_activation(
                                    &APR_ARRAY_IDX(activations, i, qlm_activation_t), tool->pool));
    }
    qlm_output_put_value(*record, "activations", list);
    return NULL;
}

/* ---- show -------------------------------------------------------------------------------------
 */

/* The stored answer to the order line that made the key, null if there is none. */
static qlm_error_t *add_order_line(json_t *record, qlm_tool_t *tool, const qlm_license_t *license)
{
    const qlm_order_record_t *line = NULL;

    if (*license->order_ref) {
        QLM_TRY(qlm_store_find_order(&line, tool->store, license->vendor, license->order_ref,
                                     license->line_ref, tool->pool));
    }
    qlm_output_put_value(record, "order_line",
                         line ? qlm_record_order_line(line, tool->pool) : NULL);
    return NULL;
}

/* The product properties of the key with their values, as its document shows them. */
static qlm_error_t *add_product_properties(json_t *record, qlm_tool_t *tool,
                                           const qlm_license_t *license)
{
    json_t *list = qlm_output_array(tool->pool);
    qlm_pp_definitions_t *definitions;
    apr_array_header_t *values;

    QLM_TRY(qlm_products_definitions(&definitions, tool, license->product_id, license->major,
                                     license->minor));
    values = qlm_pp_values(license->properties, definitions, tool->now, tool->pool);
    for (int i = 0; i < values->nelts; i++) {
        qlm_output_append(
            list, qlm_record_pp_value(&APR_ARRAY_IDX(values, i, qlm_pp_value_t), tool->pool));
    }
    qlm_output_put_value(record, "product_properties", list);
    if (!tool->is_json && values->nelts > 0) {
        json_object_del(record, "properties"); /* the same, as stored */
    }
    return NULL;
}

/* What history says of a key that is not known any more: an upgrade has replaced it. */
static qlm_error_t *say_replaced(qlm_tool_t *tool)
{
    qlm_history_filter_t filter = {.limit = LIMIT};
    apr_array_header_t *rows, *licenses;

    qlm_keygen_read(&filter.activation_key, qlm_tool_word(tool, 0), tool->secrets, tool->pool);
    QLM_TRY(qlm_store_list_history(&rows, tool->store, &filter, tool->pool));
    for (int i = 0; i < rows->nelts; i++) {
        const qlm_history_t *row = &APR_ARRAY_IDX(rows, i, qlm_history_t);

        if (strcmp(row->event, "upgraded") != 0) {
            continue;
        }
        QLM_TRY(
            qlm_store_page_licenses(&licenses, tool->store, row->license_id - 1, 1, tool->pool));
        if (licenses->nelts && APR_ARRAY_IDX(licenses, 0, qlm_license_t).id == row->license_id) {
            return qlm_tool_failure(
                tool, "this key was upgraded on %s: its license now has the key %s",
                qlm_date_format(row->happened_at, "yyyy-MM-dd HH:mm", tool->pool),
                qlm_keygen_display(APR_ARRAY_IDX(licenses, 0, qlm_license_t).activation_key,
                                   tool->pool));
        }
    }
    return NULL;
}

qlm_error_t *qlm_command_key_show(qlm_tool_t *tool)
{
    qlm_license_view_t *view;
    qlm_key_shape_t shape;
    json_t *record;

    QLM_TRY(qlm_keys_find(&view, &shape, tool, qlm_tool_word(tool, 0), ""));
    if (!view) {
        QLM_TRY(shape == QLM_KEY_UNREADABLE ? NULL : say_replaced(tool));
        return qlm_keys_unknown(tool, shape);
    }
    QLM_TRY(qlm_keys_record(&record, tool, &view->license));
    QLM_TRY(qlm_keys_put_customer(record, tool, view->license.customer_id));
    QLM_TRY(add_order_line(record, tool, &view->license));
    QLM_TRY(add_product_properties(record, tool, &view->license));
    qlm_output_record(tool, record);
    return NULL;
}

/* ---- list -------------------------------------------------------------------------------------
 */

static json_t *list_row(const qlm_license_t *license, apr_pool_t *pool)
{
    json_t *row = qlm_record_license(license, pool);

    qlm_output_put(row, "seats",
                   apr_psprintf(pool, "%d of %d",
                                license->num_licenses - license->available_licenses,
                                license->num_licenses));
    qlm_output_put(row, "state", license->is_disabled ? "revoked" : license->is_test ? "test" : "");
    return row;
}

static qlm_error_t *read_filter(qlm_license_filter_t *filter, qlm_tool_t *tool)
{
    const char *vendor = qlm_tool_option(tool, "vendor");
    const char *order = qlm_tool_option(tool, "order");
    const char *line = qlm_tool_option(tool, "line");
    apr_int64_t limit = LIMIT;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(qlm_tool_option_int(&filter->customer_id, tool, "customer", 1, APR_INT64_MAX));
    filter->limit = (int)limit;
    filter->order_ref = order ? order : "";
    filter->line_ref = line ? line : "";
    filter->vendor = "";
    if (vendor && strcasecmp(vendor, QLM_REGISTRATION_VENDOR) == 0) {
        filter->vendor = QLM_REGISTRATION_VENDOR;
    }
    else if (vendor && *vendor) {
        const qlm_vendor_t *found = qlm_vendor_find(vendor);

        if (!found) {
            return qlm_tool_failure(tool, "there is no vendor %s; valid names: %s",
                                    qlm_text_for_log(vendor, 40, tool->pool),
                                    qlm_vendor_names(tool->pool));
        }
        filter->vendor = found->name;
    }
    return NULL;
}

qlm_error_t *qlm_command_key_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"activation_key", "KEY"},
        {"product_id", "PRODUCT"},
        {"version", "VERSION"},
        {"model", "MODEL"},
        {"seats", "SEATS USED"},
        {"expires_at", "EXPIRES"},
        {"vendor", "VENDOR"},
        {"order_ref", "ORDER"},
        {"created_at", "MADE"},
        {"state", "STATE"},
        {NULL, NULL},
    };
    qlm_license_filter_t filter = {0};
    apr_array_header_t *licenses;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(read_filter(&filter, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_licenses(&licenses, store, &filter, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < licenses->nelts; i++) {
        qlm_output_append(rows, list_row(&APR_ARRAY_IDX(licenses, i, qlm_license_t), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

/* ---- revoke -----------------------------------------------------------------------------------
 */

typedef struct revocation_t {
    const char *key;
    int is_disabled, changed;
    qlm_actor_t actor;
} revocation_t;

static qlm_error_t *apply_revocation(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    revocation_t *revocation = baton;

    return qlm_store_disable_license(&revocation->changed, store, revocation->key,
                                     revocation->is_disabled, &revocation->actor, pool);
}

qlm_error_t *qlm_command_key_revoke(qlm_tool_t *tool)
{
    revocation_t revocation = {
        NULL, !qlm_tool_option(tool, "undo"), 0, {"qlmctl key revoke", "", "", tool->now}};
    qlm_license_view_t *view;
    qlm_key_shape_t shape;
    const char *shown;

    QLM_TRY(qlm_keys_find(&view, &shape, tool, qlm_tool_word(tool, 0), ""));
    if (!view) {
        return qlm_keys_unknown(tool, shape);
    }
    revocation.key = view->license.activation_key;
    shown = qlm_keygen_display(revocation.key, tool->pool);
    if (view->license.is_disabled != revocation.is_disabled) {
        QLM_TRY(qlm_store_write(tool->store, apply_revocation, &revocation, tool->pool));
        if (!revocation.changed) {
            return qlm_keys_unknown(tool, shape);
        }
    }
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put(record, "activation_key", shown);
        qlm_output_put_bool(record, "is_disabled", revocation.is_disabled);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "%s %s.", shown,
                   revocation.is_disabled ? "is revoked: it is refused from now on"
                                          : "is not revoked: it works as its terms allow");
    return NULL;
}
