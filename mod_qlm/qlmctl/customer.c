/* customer: find, show. */
#include "qlmctl/commands.h"
#include "qlmctl/history.h"
#include "qlmctl/output.h"
#include "qlmctl/records.h"

#include "base/text.h"
#include "store/organizations.h"

#include <string.h>

#define LIMIT     50
#define LIMIT_MAX 100000
#define SHOWN_MAX 1000 /* licenses, and rows of history */

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

/* ---- show -------------------------------------------------------------------------------------
 */

static qlm_error_t *find_named(const qlm_customer_t **customer, qlm_tool_t *tool)
{
    const char *word = qlm_tool_word(tool, 0);
    apr_int64_t id;

    *customer = NULL;
    if (strchr(word, '@')) {
        QLM_TRY(qlm_store_find_customer_by_email(customer, tool->store, word, tool->pool));
    }
    else if (qlm_text_to_int64(&id, word, 1, APR_INT64_MAX)) {
        QLM_TRY(qlm_store_find_customer(customer, tool->store, id, tool->pool));
    }
    else {
        return qlm_tool_usage(tool, "customer show takes an e-mail address or an id");
    }
    return *customer
               ? NULL
               : qlm_tool_failure(tool, "there is no such customer; see qlmctl customer find");
}

static qlm_error_t *add_organization(json_t *record, qlm_tool_t *tool, apr_int64_t id)
{
    const qlm_organization_t *organization = NULL;

    if (id) {
        QLM_TRY(qlm_store_find_organization(&organization, tool->store, id, tool->pool));
    }
    qlm_output_put(record, "organization", organization ? organization->name : NULL);
    return NULL;
}

static qlm_error_t *add_licenses(json_t *record, qlm_tool_t *tool, apr_int64_t id)
{
    const qlm_license_filter_t filter = {.customer_id = id, .limit = SHOWN_MAX};
    json_t *list = qlm_output_array(tool->pool);
    apr_array_header_t *licenses;

    QLM_TRY(qlm_store_list_licenses(&licenses, tool->store, &filter, tool->pool));
    for (int i = 0; i < licenses->nelts; i++) {
        qlm_output_append(
            list, qlm_record_license(&APR_ARRAY_IDX(licenses, i, qlm_license_t), tool->pool));
    }
    qlm_output_put_value(record, "licenses", list);
    return NULL;
}

static qlm_error_t *add_history(json_t *record, qlm_tool_t *tool, apr_int64_t id)
{
    const qlm_history_filter_t filter = {.customer_id = id, .limit = SHOWN_MAX};
    json_t *list = qlm_output_array(tool->pool);
    apr_array_header_t *rows;

    QLM_TRY(qlm_store_list_history(&rows, tool->store, &filter, tool->pool));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_output_append(list, qlm_history_row(&APR_ARRAY_IDX(rows, i, qlm_history_t), tool));
    }
    qlm_output_put_value(record, "history", list);
    return NULL;
}

qlm_error_t *qlm_command_customer_show(qlm_tool_t *tool)
{
    const qlm_customer_t *customer;
    qlm_store_t *store;
    json_t *record;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(find_named(&customer, tool));
    record = qlm_record_customer(customer, tool->pool);
    QLM_TRY(add_organization(record, tool, customer->organization_id));
    QLM_TRY(add_licenses(record, tool, customer->id));
    QLM_TRY(add_history(record, tool, customer->id));
    qlm_output_record(tool, record);
    return NULL;
}
