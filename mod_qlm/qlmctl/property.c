/* property: set, get, list. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/secretinput.h"

#include "base/text.h"
#include "service/methods.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A known property is stored under its documented name, whatever case or spelling was typed. */
static const char *stored_name(const char *typed, apr_pool_t *pool)
{
    const qlm_property_row_t *row = qlm_property_find(typed);

    return row ? row->name : qlm_text_trim(typed, pool);
}

static int is_secret(const qlm_property_row_t *row)
{
    return row && row->type == QLM_PROPERTY_SECRET;
}

static qlm_error_t *read_all(apr_array_header_t **values, qlm_tool_t *tool)
{
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    return qlm_store_list_properties(values, store, tool->pool);
}

/* The stored value of a name, NULL if it is not set. */
static const char *find_value(const apr_array_header_t *values, const char *name)
{
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *found = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        if (strcasecmp(found->name, name) == 0) {
            return found->value;
        }
    }
    return NULL;
}

/* `value` NULL: not set, then the default holds. A secret is never shown. */
static json_t *record(const qlm_tool_t *tool, const char *name, const char *value)
{
    static const char *const types[] = {
        [QLM_PROPERTY_BOOL] = "true or false", [QLM_PROPERTY_INT] = "number",
        [QLM_PROPERTY_TEXT] = "text",          [QLM_PROPERTY_LIST] = "list",
        [QLM_PROPERTY_SECRET] = "secret",
    };
    const qlm_property_row_t *row = qlm_property_find(name);
    const char *shown = value ? value : row ? row->fallback : "";
    json_t *object = qlm_output_object(tool->pool);

    if (is_secret(row)) {
        shown = value ? "(set)" : "";
    }
    qlm_output_put(object, "name", name);
    qlm_output_put(object, "value", shown);
    qlm_output_put_bool(object, "is_set", value != NULL);
    qlm_output_put(object, "default", row ? row->fallback : NULL);
    qlm_output_put(object, "category", row ? row->category : "custom");
    qlm_output_put(object, "type", row ? types[row->type] : "text");
    qlm_output_put(object, "help", row ? row->help : "");
    return object;
}

/* ---- set --------------------------------------------------------------------------------------
 */

static qlm_error_t *apply(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const qlm_property_value_t *change = baton;

    return qlm_store_set_property(store, change->name, change->value, pool);
}

static qlm_error_t *read_value(const char **value, qlm_tool_t *tool, const char *name)
{
    const char *typed = qlm_tool_word(tool, 1);
    const qlm_secrets_t *secrets;
    const char *secret;

    *value = *typed ? typed : NULL;
    if (!*value) {
        return NULL;
    }
    if (!is_secret(qlm_property_find(name))) {
        return qlm_properties_check(name, typed, tool->pool);
    }
    if (strcmp(typed, "-") != 0) {
        return qlm_tool_usage(
            tool,
            "%s is a secret and others can read arguments; write - and give it on "
            "standard input",
            name);
    }
    QLM_TRY(qlm_secretinput_read(&secret, tool, name));
    QLM_TRY(qlm_properties_check(name, secret, tool->pool));
    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    return qlm_secrets_seal(
        value, secrets, apr_pstrcat(tool->pool, "property/", qlm_text_fold(name, tool->pool), NULL),
        secret, tool->pool);
}

/* A list of methods may name those of another server, so that a value can be taken over as it is;
 * but a typing mistake would leave a method unprotected. */
static void tell_unknown_methods(const qlm_tool_t *tool, const qlm_property_value_t *change)
{
    const qlm_property_row_t *row = qlm_property_find(change->name);
    apr_array_header_t *names;

    if (row != qlm_property_row(QLM_PROPERTY_ADMIN_METHODS) &&
        row != qlm_property_row(QLM_PROPERTY_STRICT_METHODS)) {
        return;
    }
    names = qlm_text_split(change->value, QLM_METHOD_SEPARATORS, tool->pool);
    for (int i = 0; i < names->nelts; i++) {
        const char *name = APR_ARRAY_IDX(names, i, const char *);

        if (!qlm_method_find(name) && strcasecmp(name, "none") != 0) {
            qlm_output_say(tool, "No method of this server is called %s.", name);
        }
    }
}

qlm_error_t *qlm_command_property_set(qlm_tool_t *tool)
{
    qlm_property_value_t change = {stored_name(qlm_tool_word(tool, 0), tool->pool), NULL};
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(read_value(&change.value, tool, change.name));
    QLM_TRY(qlm_store_write(store, apply, &change, tool->pool));
    if (tool->is_json) {
        qlm_output_record(tool, record(tool, change.name, change.value));
    }
    else if (change.value) {
        qlm_output_say(tool, "%s is set.", change.name);
        tell_unknown_methods(tool, &change);
    }
    else {
        qlm_output_say(tool, "%s is not set any more.", change.name);
    }
    return strncasecmp(change.name, "smtp", 4) == 0 ? qlm_command_warn_of_clear_login(tool) : NULL;
}

/* ---- get, list --------------------------------------------------------------------------------
 */

qlm_error_t *qlm_command_property_get(qlm_tool_t *tool)
{
    const char *name = stored_name(qlm_tool_word(tool, 0), tool->pool);
    apr_array_header_t *values;
    const char *value;
    json_t *object;

    QLM_TRY(read_all(&values, tool));
    value = find_value(values, name);
    if (!value && !qlm_property_find(name)) {
        return qlm_tool_failure(tool, "there is no property %s; see qlmctl property list --all",
                                qlm_text_for_log(name, 100, tool->pool));
    }
    object = record(tool, name, value);
    if (tool->is_json) {
        qlm_output_record(tool, object);
        return NULL;
    }
    qlm_output_say(tool, "%s", json_string_value(json_object_get(object, "value")));
    return NULL;
}

qlm_error_t *qlm_command_property_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"name", "NAME"},         {"value", "VALUE"}, {"default", "DEFAULT"},
        {"help", "WHAT IT DOES"}, {NULL, NULL},
    };
    json_t *rows = qlm_output_array(tool->pool);
    apr_array_header_t *values;

    QLM_TRY(read_all(&values, tool));
    for (int i = 0; qlm_tool_option(tool, "all") && i < QLM_PROPERTY_COUNT; i++) {
        const char *name = qlm_property_row((qlm_property_t)i)->name;

        qlm_output_append(rows, record(tool, name, find_value(values, name)));
    }
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *found = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        if (!qlm_tool_option(tool, "all") || !qlm_property_find(found->name)) {
            qlm_output_append(rows, record(tool, found->name, found->value));
        }
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}
