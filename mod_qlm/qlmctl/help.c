/* Help texts, made from the command table. */
#include "qlmctl/help.h"

#include "qlmctl/commands.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define COLUMN 34

/* "product add --id NUMBER --version MAJOR.MINOR ...": the options that must be given. */
static const char *synopsis(const qlm_command_t *command, apr_pool_t *pool)
{
    const char *text = qlm_command_name(command, pool);

    for (const qlm_command_option_t *o = command->options; o && o->name; o++) {
        if (o->is_required) {
            text = apr_pstrcat(pool, text, " --", o->name, " ", o->value, NULL);
        }
    }
    return *command->words ? apr_pstrcat(pool, text, " ", command->words, NULL) : text;
}

static void print_options(const qlm_command_option_t *options, apr_pool_t *pool)
{
    for (; options && options->name; options++) {
        const char *left = apr_pstrcat(pool, "--", options->name, options->value ? " " : "",
                                       options->value ? options->value : "", NULL);

        printf("  %-*s %s%s\n", COLUMN - 12, left, options->help,
               options->is_required ? " (required)" : "");
    }
}

static void print_command(const qlm_command_t *command, apr_pool_t *pool)
{
    printf("Usage: qlmctl %s%s\n\n%s.\n", synopsis(command, pool),
           command->options ? " [OPTION ...]" : "", command->help);
    if (command->details) {
        printf("\n%s\n", command->details);
    }
    if (command->options) {
        printf("\nOptions:\n");
        print_options(command->options, pool);
    }
    printf("\nOptions of every command:\n");
    print_options(qlm_common_options, pool);
}

/* All commands, or those of one noun. */
static void print_commands(const char *noun, apr_pool_t *pool)
{
    printf("Usage: qlmctl [OPTION ...] %s\n\nCommands:\n",
           noun ? apr_pstrcat(pool, noun, " VERB ...", NULL) : "COMMAND ...");
    for (const qlm_command_t *command = qlm_commands; command->noun; command++) {
        if (!noun || strcmp(command->noun, noun) == 0) {
            const char *words = command->words;
            const char *left =
                apr_pstrcat(pool, qlm_command_name(command, pool), *words ? " " : "", words, NULL);

            printf("  %-*s %s\n", COLUMN, left, command->help);
        }
    }
    printf("\nOptions of every command, before or after its words:\n");
    print_options(qlm_common_options, pool);
    printf(
        "\n`qlmctl COMMAND --help` says more about one. Exit code: 0 done, 1 failed or refused,\n"
        "2 the command line cannot be understood. Environment: QLMCTL_DATABASE, QLMCTL_SECRET,\n"
        "QLMCTL_HTTPD.\n");
}

void qlm_help_print(const qlm_tool_t *tool)
{
    const char *first = qlm_tool_word(tool, 0);

    if (tool->command) {
        print_command(tool->command, tool->pool);
    }
    else {
        if (!first) {
            printf("qlmctl manages the site of a license server.\n\n");
        }
        print_commands(first && qlm_command_is_noun(first) ? first : NULL, tool->pool);
    }
}
