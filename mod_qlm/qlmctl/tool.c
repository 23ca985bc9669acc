/* What every command needs: words, options, secrets, the database. */
#include "qlmctl/tool.h"

#include "base/text.h"
#include "qlmctl/commands.h"
#include "service/ownership.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

static qlm_error_t *make(qlm_tool_t *tool, qlm_error_kind_t kind, const char *format,
                         va_list arguments)
{
    return qlm_error_make(tool->pool, kind, QLM_CODE_NONE, "%s",
                          apr_pvsprintf(tool->pool, format, arguments));
}

qlm_error_t *qlm_tool_usage(qlm_tool_t *tool, const char *format, ...)
{
    va_list arguments;
    qlm_error_t *error;

    va_start(arguments, format);
    error = make(tool, QLM_ERROR_ARGUMENT, format, arguments);
    va_end(arguments);
    tool->exit_code = QLM_EXIT_USAGE;
    return error;
}

qlm_error_t *qlm_tool_failure(qlm_tool_t *tool, const char *format, ...)
{
    va_list arguments;
    qlm_error_t *error;

    va_start(arguments, format);
    error = make(tool, QLM_ERROR_MISSING, format, arguments);
    va_end(arguments);
    return error;
}

const char *qlm_tool_word(const qlm_tool_t *tool, int index)
{
    return index < tool->words->nelts ? APR_ARRAY_IDX(tool->words, index, const char *) : NULL;
}

const char *qlm_tool_option(const qlm_tool_t *tool, const char *name)
{
    for (int i = tool->given->nelts - 1; i >= 0; i--) {
        const qlm_given_t *given = &APR_ARRAY_IDX(tool->given, i, qlm_given_t);

        if (strcmp(given->name, name) == 0) {
            return given->value ? given->value : "";
        }
    }
    return NULL;
}

qlm_error_t *qlm_tool_option_int(apr_int64_t *number, qlm_tool_t *tool, const char *name,
                                 apr_int64_t min, apr_int64_t max)
{
    const char *text = qlm_tool_option(tool, name);

    if (!text || qlm_text_to_int64(number, text, min, max)) {
        return NULL;
    }
    return qlm_tool_usage(
        tool, "--%s %s is not a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT, name,
        qlm_text_for_log(text, 40, tool->pool), min, max);
}

/* "M.m", both 0..99. */
static int parse_version(int *major, int *minor, const char *text, apr_pool_t *pool)
{
    const char *dot = strchr(text, '.');
    apr_int64_t first, second;

    if (!dot ||
        !qlm_text_to_int64(&first, apr_pstrmemdup(pool, text, (apr_size_t)(dot - text)), 0, 99) ||
        !qlm_text_to_int64(&second, dot + 1, 0, 99)) {
        return 0;
    }
    *major = (int)first;
    *minor = (int)second;
    return 1;
}

qlm_error_t *qlm_tool_option_product(int *id, int *major, int *minor, qlm_tool_t *tool,
                                     const char *id_option)
{
    const char *version = qlm_tool_option(tool, "version");
    apr_int64_t number = 0;

    QLM_TRY(qlm_tool_option_int(&number, tool, id_option, 0, 999999999));
    if (!version || !parse_version(major, minor, version, tool->pool)) {
        return qlm_tool_usage(tool, "--version %s is not MAJOR.MINOR, such as 1.0, each 0 to 99",
                              qlm_text_for_log(version ? version : "", 40, tool->pool));
    }
    *id = (int)number;
    return NULL;
}

/* Whoever needs both is not to mix two sites. */
static qlm_error_t *check_match(qlm_tool_t *tool)
{
    return tool->secrets && tool->is_store_good
               ? qlm_ownership_check(tool->store, tool->secrets, tool->pool)
               : NULL;
}

qlm_error_t *qlm_tool_secrets(const qlm_secrets_t **secrets, qlm_tool_t *tool)
{
    if (!tool->secrets) {
        QLM_TRY(qlm_secrets_load(&tool->secrets, tool->secret_path, tool->pool));
        QLM_TRY(check_match(tool));
    }
    *secrets = tool->secrets;
    return NULL;
}

int qlm_tool_is_sqlite(const qlm_tool_t *tool)
{
    return strcmp(tool->driver, "sqlite3") == 0;
}

qlm_error_t *qlm_tool_open(qlm_store_t **store, qlm_tool_t *tool, int must_exist)
{
    if (!tool->store) {
        apr_pool_create(&tool->store_pool, tool->pool);
        QLM_TRY(
            qlm_store_open(&tool->store, tool->driver, tool->params, must_exist, tool->store_pool));
    }
    *store = tool->store;
    return NULL;
}

qlm_error_t *qlm_tool_store(qlm_store_t **store, qlm_tool_t *tool)
{
    QLM_TRY(qlm_tool_open(store, tool, 1));
    QLM_TRY(qlm_store_check(*store, tool->pool));
    if (!tool->is_store_good) {
        tool->is_store_good = 1;
        QLM_TRY(check_match(tool));
    }
    return NULL;
}

void qlm_tool_close(qlm_tool_t *tool)
{
    if (tool->store_pool) {
        apr_pool_destroy(tool->store_pool);
        tool->store_pool = NULL;
        tool->store = NULL;
        tool->is_store_good = 0;
    }
}
