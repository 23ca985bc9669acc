/* order: find, show. */
#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/records.h"

#include "base/text.h"
#include "vendor/vendor.h"

#define LICENSES_MAX 10000
#define LIMIT        50
#define LIMIT_MAX    100000

static json_t *found_row(const qlm_order_record_t *record, apr_pool_t *pool)
{
    json_t *row = qlm_output_object(pool);

    qlm_output_put(row, "vendor", record->vendor);
    qlm_output_put(row, "order_ref", record->order_ref);
    qlm_output_put(row, "line_ref", record->line_ref);
    qlm_output_put_time(row, "created_at", record->created_at);
    return row;
}

qlm_error_t *qlm_command_order_find(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"vendor", "VENDOR"},        {"order_ref", "ORDER"}, {"line_ref", "LINE"},
        {"created_at", "FULFILLED"}, {NULL, NULL},
    };
    const char *text = qlm_tool_word(tool, 0);
    apr_int64_t limit = LIMIT;
    apr_array_header_t *found;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    if (!qlm_text_is_utf8(text)) {
        return qlm_tool_usage(tool, "the text to find is not UTF-8; check the terminal's settings");
    }
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_search_orders(&found, store, text, (int)limit, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < found->nelts; i++) {
        qlm_output_append(rows,
                          found_row(&APR_ARRAY_IDX(found, i, qlm_order_record_t), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

static qlm_error_t *add_lines(json_t *record, qlm_tool_t *tool, const char *vendor,
                              const char *order, int *count)
{
    json_t *lines = qlm_output_array(tool->pool);
    apr_array_header_t *stored;

    QLM_TRY(qlm_store_list_order_lines(&stored, tool->store, vendor, order, tool->pool));
    for (int i = 0; i < stored->nelts; i++) {
        qlm_output_append(lines, qlm_record_order_line(
                                     &APR_ARRAY_IDX(stored, i, qlm_order_record_t), tool->pool));
    }
    *count += stored->nelts;
    qlm_output_put_value(record, "lines", lines);
    return NULL;
}

static qlm_error_t *add_licenses(json_t *record, qlm_tool_t *tool, const char *vendor,
                                 const char *order, int *count)
{
    qlm_license_filter_t filter = {
        .vendor = vendor, .order_ref = order, .line_ref = "", .limit = LICENSES_MAX};
    apr_array_header_t *licenses;
    json_t *list = qlm_output_array(tool->pool);

    QLM_TRY(qlm_store_list_licenses(&licenses, tool->store, &filter, tool->pool));
    for (int i = 0; i < licenses->nelts; i++) {
        json_t *license;

        QLM_TRY(qlm_keys_record(&license, tool, &APR_ARRAY_IDX(licenses, i, qlm_license_t)));
        qlm_output_append(list, license);
    }
    *count += licenses->nelts;
    qlm_output_put_value(record, "licenses", list);
    /* all lines of an order have one buyer */
    return qlm_keys_put_customer(
        record, tool,
        licenses->nelts > 0 ? APR_ARRAY_IDX(licenses, 0, qlm_license_t).customer_id : 0);
}

qlm_error_t *qlm_command_order_show(qlm_tool_t *tool)
{
    const qlm_vendor_t *vendor = qlm_vendor_find(qlm_tool_word(tool, 0));
    const char *order = qlm_tool_word(tool, 1);
    json_t *record;
    qlm_store_t *store;
    int count = 0;

    if (!vendor) {
        return qlm_tool_failure(tool, "there is no vendor %s; valid names: %s",
                                qlm_text_for_log(qlm_tool_word(tool, 0), 40, tool->pool),
                                qlm_vendor_names(tool->pool));
    }
    if (!*order || !qlm_text_is_utf8(order)) {
        return qlm_tool_usage(tool, "the order number is empty or not UTF-8");
    }
    QLM_TRY(qlm_tool_store(&store, tool));
    record = qlm_output_object(tool->pool);
    qlm_output_put(record, "vendor", vendor->name);
    qlm_output_put(record, "order_ref", order);
    QLM_TRY(add_lines(record, tool, vendor->name, order, &count));
    QLM_TRY(add_licenses(record, tool, vendor->name, order, &count));
    if (count == 0) {
        return qlm_tool_failure(tool, "vendor %s has no order %s; see qlmctl key list",
                                vendor->name, qlm_text_for_log(order, 100, tool->pool));
    }
    qlm_output_record(tool, record);
    return NULL;
}
