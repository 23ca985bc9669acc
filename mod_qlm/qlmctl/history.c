/* key history: what happened to a license, and by whom. */
#include "qlmctl/history.h"

#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/output.h"

#include <apr_strings.h>

#define LIMIT     50
#define LIMIT_MAX 100000

/* "Disabled: false -> true; …", for people. */
static const char *changes_text(const char *changes, apr_pool_t *pool)
{
    json_t *object = json_loads(changes, 0, NULL);
    const char *text = "", *name;
    json_t *pair;

    json_object_foreach(object, name, pair)
    {
        const char *before = json_string_value(json_array_get(pair, 0));
        const char *after = json_string_value(json_array_get(pair, 1));

        text =
            apr_pstrcat(pool, text, *text ? "; " : "", name, ": ", before && *before ? before : "-",
                        " -> ", after && *after ? after : "-", NULL);
    }
    json_decref(object);
    return text;
}

json_t *qlm_history_row(const qlm_history_t *row, qlm_tool_t *tool)
{
    json_t *object = qlm_output_object(tool->pool);

    qlm_output_put_time(object, "happened_at", row->happened_at);
    qlm_output_put(object, "event", row->event);
    qlm_output_put(object, "method", row->method);
    qlm_output_put(object, "vendor", row->vendor);
    qlm_output_put(object, "address", row->address);
    qlm_output_put(object, "computer_id", row->computer_id);
    if (tool->is_json && *row->changes) {
        qlm_output_put_json(object, "changes", row->changes);
    }
    else {
        qlm_output_put(object, "changes", changes_text(row->changes, tool->pool));
    }
    qlm_output_put(object, "activation_key", qlm_keygen_display(row->activation_key, tool->pool));
    return object;
}

/* A key that an upgrade has replaced is no license any more, but history knows it. */
static qlm_error_t *find_rows(apr_array_header_t **rows, qlm_tool_t *tool, int limit)
{
    const char *typed = qlm_tool_word(tool, 0);
    qlm_history_filter_t filter = {.limit = limit};
    qlm_license_view_t *view;
    qlm_key_shape_t shape;

    QLM_TRY(qlm_keys_find(&view, &shape, tool, typed, ""));
    if (view) {
        filter.license_id = view->license.id;
    }
    else {
        qlm_keygen_read(&filter.activation_key, typed, tool->secrets, tool->pool);
    }
    QLM_TRY(qlm_store_list_history(rows, tool->store, &filter, tool->pool));
    return view || (*rows)->nelts ? NULL : qlm_keys_unknown(tool, shape);
}

qlm_error_t *qlm_command_key_history(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"happened_at", "WHEN"}, {"event", "WHAT"},      {"method", "BY"},
        {"vendor", "VENDOR"},    {"address", "ADDRESS"}, {"computer_id", "COMPUTER"},
        {"changes", "CHANGES"},  {NULL, NULL},
    };
    apr_int64_t limit = LIMIT;
    apr_array_header_t *found;
    json_t *rows;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(find_rows(&found, tool, (int)limit));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < found->nelts; i++) {
        qlm_output_append(rows, qlm_history_row(&APR_ARRAY_IDX(found, i, qlm_history_t), tool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}
