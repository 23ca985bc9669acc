/* install: list. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"

#include "base/date.h"
#include "license/keygen.h"
#include "store/installs.h"

#include <apr_strings.h>

#define LIMIT     50
#define LIMIT_MAX 100000

static apr_int64_t days_between(apr_int64_t from, apr_int64_t to)
{
    return to > from ? to / QLM_DATE_DAY - from / QLM_DATE_DAY : 0;
}

/* From its first to its last day; and since when it is not heard of. */
static void put_days(json_t *object, const qlm_install_t *install, const qlm_tool_t *tool)
{
    apr_int64_t end = install->uninstalled_at ? install->uninstalled_at : tool->now;

    qlm_output_put_time(object, "installed_at", install->installed_at);
    qlm_output_put_time(object, "uninstalled_at", install->uninstalled_at);
    qlm_output_put_time(object, "activated_at", install->activated_at);
    qlm_output_put_time(object, "last_accessed_at", install->last_accessed_at);
    qlm_output_put_int(object, "days_used", install->days_used);
    qlm_output_put_int(object, "days_installed", days_between(install->installed_at, end) + 1);
    qlm_output_put_int(object, "idle_days", days_between(install->last_accessed_at, end));
}

static json_t *record(const qlm_install_t *install, const qlm_tool_t *tool)
{
    json_t *object = qlm_output_object(tool->pool);

    qlm_output_put(object, "install_id", install->install_id);
    qlm_output_put(object, "product_name", install->product_name);
    qlm_output_put(object, "version",
                   apr_psprintf(tool->pool, "%d.%d", install->major, install->minor));
    qlm_output_put(object, "software_version", install->software_version);
    qlm_output_put(object, "os_version", install->os_version);
    qlm_output_put(object, "computer_id", install->computer_id);
    qlm_output_put(object, "computer_name", install->computer_name);
    qlm_output_put(object, "activation_key",
                   qlm_keygen_display(install->activation_key, tool->pool));
    qlm_output_put(object, "computer_key", qlm_keygen_display(install->computer_key, tool->pool));
    qlm_output_put_bool(object, "is_trial", install->is_trial);
    qlm_output_put(object, "address", install->address);
    qlm_output_put(object, "custom_data1", install->custom_data[0]);
    qlm_output_put(object, "custom_data2", install->custom_data[1]);
    qlm_output_put(object, "custom_data3", install->custom_data[2]);
    put_days(object, install, tool);
    return object;
}

qlm_error_t *qlm_command_install_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"install_id", "ID"},
        {"product_name", "PRODUCT"},
        {"software_version", "VERSION"},
        {"os_version", "SYSTEM"},
        {"computer_name", "COMPUTER"},
        {"is_trial", "TRIAL"},
        {"days_used", "DAYS USED"},
        {"days_installed", "INSTALLED"},
        {"idle_days", "IDLE"},
        {"last_accessed_at", "LAST USED"},
        {NULL, NULL},
    };
    json_t *rows = qlm_output_array(tool->pool);
    apr_int64_t limit = LIMIT;
    apr_array_header_t *installs;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_installs(&installs, store, (int)limit, tool->pool));
    for (int i = 0; i < installs->nelts; i++) {
        qlm_output_append(rows, record(&APR_ARRAY_IDX(installs, i, qlm_install_t), tool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}
