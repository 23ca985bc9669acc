/* Reading the command line. Not by a getopt: there, "-1" and "-" are options. */
#include "qlmctl/options.h"

#include "base/text.h"
#include "qlmctl/commands.h"
#include "qlmctl/httpd.h"

#include <apr_env.h>
#include <apr_strings.h>
#include <string.h>

static const qlm_command_option_t *find_in(const qlm_command_option_t *options, const char *name)
{
    for (; options && options->name; options++) {
        if (strcmp(options->name, name) == 0) {
            return options;
        }
    }
    return NULL;
}

/* The command may come after the option, so any command's option will do for now. An option of one
 * name takes a value either everywhere or nowhere. */
static const qlm_command_option_t *find_anywhere(const char *name)
{
    const qlm_command_option_t *option = find_in(qlm_common_options, name);

    for (const qlm_command_t *command = qlm_commands; !option && command->noun; command++) {
        option = find_in(command->options, name);
    }
    return option;
}

static qlm_error_t *read_option(qlm_tool_t *tool, const char *text, const char *next, int *used)
{
    const char *equals = strchr(text, '=');
    const char *name =
        equals ? apr_pstrmemdup(tool->pool, text, (apr_size_t)(equals - text)) : text;
    const qlm_command_option_t *option = find_anywhere(name);
    qlm_given_t *given;

    if (!option) {
        return qlm_tool_usage(tool, "there is no option --%s; see qlmctl --help",
                              qlm_text_for_log(name, 40, tool->pool));
    }
    if (!option->value && equals) {
        return qlm_tool_usage(tool, "--%s takes no value", name);
    }
    if (option->value && !equals && !next) {
        return qlm_tool_usage(tool, "--%s needs a value: %s", name, option->value);
    }
    *used = option->value && !equals;
    given = apr_array_push(tool->given);
    given->name = option->name;
    given->value = option->value ? equals ? equals + 1 : next : NULL;
    return NULL;
}

static qlm_error_t *split(qlm_tool_t *tool, int count, const char *const *arguments)
{
    int is_over = 0;

    for (int i = 0; i < count; i++) {
        const char *text = arguments[i];
        int used = 0;

        if (!is_over && strcmp(text, "--") == 0) {
            is_over = 1;
        }
        else if (!is_over && strcmp(text, "-h") == 0) {
            QLM_TRY(read_option(tool, "help", NULL, &used));
        }
        else if (!is_over && strncmp(text, "--", 2) == 0) {
            QLM_TRY(read_option(tool, text + 2, i + 1 < count ? arguments[i + 1] : NULL, &used));
            i += used;
        }
        else {
            APR_ARRAY_PUSH(tool->words, const char *) = text;
        }
    }
    return NULL;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static qlm_error_t *unknown_command(qlm_tool_t *tool)
{
    const char *first = qlm_tool_word(tool, 0);
    const char *second = qlm_tool_word(tool, 1);

    if (!first) {
        return qlm_tool_usage(tool, "no command was given; see qlmctl --help");
    }
    if (qlm_command_is_noun(first) && !second) {
        return qlm_tool_usage(tool, "%s needs a verb; see qlmctl %s --help", first, first);
    }
    if (qlm_command_is_noun(first)) {
        return qlm_tool_usage(tool, "there is no command %s %s; see qlmctl %s --help", first,
                              qlm_text_for_log(second, 40, tool->pool), first);
    }
    return qlm_tool_usage(tool, "there is no command %s; see qlmctl --help",
                          qlm_text_for_log(first, 40, tool->pool));
}

static void drop_words(apr_array_header_t *words, int count)
{
    for (int i = count; i < words->nelts; i++) {
        APR_ARRAY_IDX(words, i - count, const char *) = APR_ARRAY_IDX(words, i, const char *);
    }
    words->nelts -= count;
}

static qlm_error_t *check_options(qlm_tool_t *tool, const char *name)
{
    for (int i = 0; i < tool->given->nelts; i++) {
        const char *option = APR_ARRAY_IDX(tool->given, i, qlm_given_t).name;

        if (!find_in(qlm_common_options, option) && !find_in(tool->command->options, option)) {
            return qlm_tool_usage(tool, "%s has no option --%s; see qlmctl %s --help", name, option,
                                  name);
        }
    }
    for (const qlm_command_option_t *o = tool->command->options; o && o->name; o++) {
        if (o->is_required && !qlm_tool_option(tool, o->name)) {
            return qlm_tool_usage(tool, "%s needs --%s %s; see qlmctl %s --help", name, o->name,
                                  o->value, name);
        }
    }
    return NULL;
}

static qlm_error_t *check_words(qlm_tool_t *tool, const char *name)
{
    const qlm_command_t *command = tool->command;

    if (tool->words->nelts < command->min_words) {
        return qlm_tool_usage(tool, "%s needs %s; see qlmctl %s --help", name, command->words,
                              name);
    }
    if (tool->words->nelts > command->max_words) {
        return qlm_tool_usage(
            tool, "%s does not take the argument %s; see qlmctl %s --help", name,
            qlm_text_for_log(qlm_tool_word(tool, command->max_words), 40, tool->pool), name);
    }
    return NULL;
}

/* ---- the site ---------------------------------------------------------------------------------
 */

/* Option, else environment, else what was compiled in. An empty variable counts as none. */
static const char *setting(const qlm_tool_t *tool, const char *option, const char *variable,
                           const char *fallback)
{
    const char *given = qlm_tool_option(tool, option);
    char *value = NULL;

    if (given) {
        return given;
    }
    if (apr_env_get(&value, variable, tool->pool) == APR_SUCCESS && *value) {
        return value;
    }
    return fallback;
}

void qlm_options_split_database(const char **driver, const char **params, const char *database)
{
    static const char *const drivers[] = {"sqlite3", "pgsql", "mysql"};

    *driver = "sqlite3";
    *params = database;
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        size_t length = strlen(drivers[i]);

        if (strncmp(database, drivers[i], length) == 0 && database[length] == ':') {
            *driver = drivers[i];
            *params = database + length + 1;
        }
    }
}

static qlm_error_t *read_site(qlm_tool_t *tool)
{
    const char *httpd = setting(tool, "httpd", "QLMCTL_HTTPD", NULL);
    qlm_httpd_site_t site = {QLM_DEFAULT_SECRET, QLM_DEFAULT_DATABASE};

    if (httpd) {
        QLM_TRY(qlm_httpd_read_site(&site, httpd, qlm_tool_option(tool, "site"), tool));
    }
    tool->secret_path = setting(tool, "secret", "QLMCTL_SECRET", site.secret_path);
    qlm_options_split_database(&tool->driver, &tool->params,
                               setting(tool, "database", "QLMCTL_DATABASE", site.database));
    if (!*tool->params || !*tool->secret_path) {
        return qlm_tool_usage(tool, "--database and --secret must not be empty");
    }
    return NULL;
}

qlm_error_t *qlm_options_read(int *is_help, qlm_tool_t *tool, int count,
                              const char *const *arguments)
{
    int used = 0;
    const char *name;

    QLM_TRY(split(tool, count, arguments));
    tool->is_json = qlm_tool_option(tool, "json") != NULL;
    tool->command = qlm_command_find(&used, tool->words);
    *is_help = qlm_tool_option(tool, "help") != NULL;
    if (*is_help) {
        return NULL;
    }
    if (!tool->command) {
        return unknown_command(tool);
    }
    drop_words(tool->words, used);
    name = qlm_command_name(tool->command, tool->pool);
    QLM_TRY(check_options(tool, name));
    QLM_TRY(check_words(tool, name));
    return read_site(tool);
}
