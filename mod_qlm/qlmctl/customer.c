/* customer: find. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/records.h"

#include "base/text.h"

#define LIMIT     50
#define LIMIT_MAX 100000

qlm_error_t *qlm_command_customer_find(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"id", "ID"},           {"email", "E-MAIL"},    {"full_name", "NAME"},
        {"company", "COMPANY"}, {"country", "COUNTRY"}, {NULL, NULL},
    };
    const char *text = qlm_tool_word(tool, 0);
    apr_int64_t limit = LIMIT;
    apr_array_header_t *customers;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    if (!qlm_text_is_utf8(text)) {
        return qlm_tool_usage(tool, "the text to find is not UTF-8; check the terminal's settings");
    }
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_search_customers(&customers, store, text, (int)limit, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < customers->nelts; i++) {
        qlm_output_append(
            rows, qlm_record_customer(&APR_ARRAY_IDX(customers, i, qlm_customer_t), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}
