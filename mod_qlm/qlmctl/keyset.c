/* key: set, delete. */
#include "base/text.h"
#include "qlmctl/ask.h"
#include "qlmctl/commands.h"
#include "qlmctl/keys.h"
#include "qlmctl/output.h"
#include "service/operator.h"

#include <apr_strings.h>
#include <string.h>

static qlm_error_t *read_assignment(qlm_assignment_t *assignment, qlm_tool_t *tool,
                                    const char *word)
{
    const char *equals = strchr(word, '=');
    const char *name =
        equals ? apr_pstrmemdup(tool->pool, word, (apr_size_t)(equals - word)) : word;

    if (!equals || !qlm_license_field_find(&assignment->field, name)) {
        return qlm_tool_usage(tool, "key set takes Field=value, not %s; the fields: %s",
                              qlm_text_for_log(word, 60, tool->pool),
                              qlm_operator_fields(tool->pool));
    }
    assignment->value = equals + 1;
    return NULL;
}

qlm_error_t *qlm_command_key_set(qlm_tool_t *tool)
{
    apr_array_header_t *assignments = apr_array_make(tool->pool, 4, sizeof(qlm_assignment_t));
    qlm_license_view_t *view;
    qlm_call_input_t input;
    qlm_service_t *service;
    qlm_key_shape_t shape;
    int is_changed;

    for (int i = 1; i < tool->words->nelts; i++) {
        QLM_TRY(read_assignment(apr_array_push(assignments), tool, qlm_tool_word(tool, i)));
    }
    QLM_TRY(qlm_keys_find(&view, &shape, tool, qlm_tool_word(tool, 0), ""));
    if (!view) {
        return qlm_keys_unknown(tool, shape);
    }
    QLM_TRY(qlm_ask_prepare(&input, &service, tool));
    QLM_TRY(qlm_operator_set(&is_changed, service, &input, view->license.activation_key,
                             assignments, tool->pool));
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_bool(record, "is_changed", is_changed);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "%s %s.", qlm_keygen_display(view->license.activation_key, tool->pool),
                   is_changed ? "is changed; computers see it when they activate again"
                              : "was like that already");
    return NULL;
}

qlm_error_t *qlm_command_key_delete(qlm_tool_t *tool)
{
    qlm_license_view_t *view;
    qlm_call_input_t input;
    qlm_service_t *service;
    qlm_key_shape_t shape;

    QLM_TRY(qlm_keys_find(&view, &shape, tool, qlm_tool_word(tool, 0), ""));
    if (!view) {
        return qlm_keys_unknown(tool, shape);
    }
    QLM_TRY(qlm_ask_prepare(&input, &service, tool));
    QLM_TRY(qlm_operator_delete(service, &input, view->license.activation_key,
                                qlm_tool_option(tool, "force") != NULL, tool->pool));
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_bool(record, "is_deleted", 1);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "%s is deleted; its history stays (qlmctl key history).",
                   qlm_keygen_display(view->license.activation_key, tool->pool));
    return NULL;
}
