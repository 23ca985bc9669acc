/* attempts: list. */
#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/output.h"

#include "license/keygen.h"
#include "store/attempts.h"

#define LIMIT     50
#define LIMIT_MAX 100000

/* What people call the codes that activations are refused with. */
static const char *reason_of(int code)
{
    switch (code) {
    case QLM_CODE_BLOCKED:
        return "computer blocked";
    case QLM_CODE_REVOKED:
        return "license revoked";
    case QLM_CODE_ILLEGAL:
        return "computer key in the wrong place";
    case QLM_CODE_NOT_VALID:
        return "key not valid here";
    case QLM_CODE_ACTIVATED_ELSEWHERE:
        return "active on another computer";
    case QLM_CODE_EXPIRED:
        return "license expired";
    case QLM_CODE_NO_MORE_ACTIVATIONS:
        return "no activation left";
    case QLM_CODE_WRONG_VERSION:
        return "other version";
    case QLM_CODE_TOO_MANY_TRIALS:
        return "too many trials";
    case QLM_CODE_TOO_MANY_PER_SYSTEM:
        return "too many licenses on the computer";
    case QLM_CODE_PRODUCT_NOT_FOUND:
        return "product not defined here";
    case QLM_CODE_WRONG_PRODUCT:
        return "other product";
    case QLM_CODE_COMPUTER_KEY_MISMATCH:
        return "wrong computer key";
    default:
        return "";
    }
}

static json_t *record(const qlm_attempt_t *attempt, qlm_tool_t *tool)
{
    json_t *object = qlm_output_object(tool->pool);

    qlm_output_put(object, "activation_key",
                   qlm_keygen_display(attempt->activation_key, tool->pool));
    qlm_output_put(object, "computer_id", attempt->computer_id);
    qlm_output_put(object, "computer_name", attempt->computer_name);
    qlm_output_put(object, "address", attempt->address);
    qlm_output_put_int(object, "code", attempt->code);
    qlm_output_put(object, "reason", reason_of(attempt->code));
    qlm_output_put_int(object, "attempts", attempt->attempts);
    qlm_output_put_time(object, "first_at", attempt->first_at);
    qlm_output_put_time(object, "last_at", attempt->last_at);
    return object;
}

/* 0 = of all licenses. */
static qlm_error_t *find_license(apr_int64_t *id, qlm_tool_t *tool)
{
    const char *typed = qlm_tool_option(tool, "key");
    qlm_license_view_t *view;
    qlm_key_shape_t shape;

    *id = 0;
    if (!typed) {
        return NULL;
    }
    QLM_TRY(qlm_keys_find(&view, &shape, tool, typed, ""));
    if (!view) {
        return qlm_keys_unknown(tool, shape);
    }
    *id = view->license.id;
    return NULL;
}

qlm_error_t *qlm_command_attempts_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"last_at", "LAST"},
        {"attempts", "TIMES"},
        {"activation_key", "KEY"},
        {"computer_id", "COMPUTER"},
        {"computer_name", "NAME"},
        {"address", "ADDRESS"},
        {"code", "CODE"},
        {"reason", "REASON"},
        {NULL, NULL},
    };
    apr_int64_t limit = LIMIT, license_id;
    apr_array_header_t *attempts;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(find_license(&license_id, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_attempts(&attempts, store, license_id, (int)limit, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < attempts->nelts; i++) {
        qlm_output_append(rows, record(&APR_ARRAY_IDX(attempts, i, qlm_attempt_t), tool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}
