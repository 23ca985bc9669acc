/* qlmctl: the command line tool of a license server's site. Reads the command line, runs one
 * command, says in one line what went wrong. */
#include "base/text.h"
#include "qlmctl/commands.h"
#include "qlmctl/help.h"
#include "qlmctl/options.h"
#include "qlmctl/output.h"
#include "service/version.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES 2000

qlm_error_t *qlm_command_version(qlm_tool_t *tool)
{
    json_t *record = qlm_output_object(tool->pool);

    qlm_output_put(record, "program", QLM_VERSION);
    qlm_output_put_int(record, "schema", QLM_SCHEMA_VERSION);
    if (tool->is_json) {
        qlm_output_record(tool, record);
        return NULL;
    }
    printf("qlmctl %s (schema %d)\n", QLM_VERSION, QLM_SCHEMA_VERSION);
    return NULL;
}

/* The operator is at the machine and needs the detail, which callers of the server never see. What
 * a caller is told of a database that fails says nothing more to the operator. */
static void print_error(const qlm_error_t *error, apr_pool_t *pool)
{
    const char *line = error->text;

    if (error->detail) {
        line = error->kind == QLM_ERROR_STORE
                   ? error->detail
                   : apr_pstrcat(pool, line, " (", error->detail, ")", NULL);
    }
    fprintf(stderr, "qlmctl: %s\n", qlm_text_clean(line, LINE_MAX_BYTES, pool));
}

static int run(int count, const char *const *arguments, apr_pool_t *pool)
{
    qlm_tool_t tool = {0};
    qlm_error_t *error;
    int is_help = 0;

    tool.pool = pool;
    tool.words = apr_array_make(pool, 8, sizeof(const char *));
    tool.given = apr_array_make(pool, 8, sizeof(qlm_given_t));
    tool.now = apr_time_sec(apr_time_now());
    tool.exit_code = QLM_EXIT_FAILED;
    error = qlm_options_read(&is_help, &tool, count, arguments);
    if (!error && is_help) {
        qlm_help_print(&tool);
    }
    else if (!error) {
        error = tool.command->run(&tool);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "qlmctl: the output could not be written; is the disk full?\n");
        return QLM_EXIT_FAILED;
    }
    if (error) {
        print_error(error, pool);
        return tool.exit_code;
    }
    return QLM_EXIT_OK;
}

int main(int argc, const char *const *argv, const char *const *environment)
{
    apr_pool_t *pool;
    int code;

    if (apr_app_initialize(&argc, &argv, &environment) != APR_SUCCESS) {
        fprintf(stderr, "qlmctl: APR does not start; check the installation\n");
        return QLM_EXIT_FAILED;
    }
    atexit(apr_terminate);
    /* what is made here holds customers and keys: nothing for others */
    umask(027);
    apr_pool_create(&pool, NULL);
    code = run(argc - 1, argv + 1, pool);
    apr_pool_destroy(pool);
    return code;
}
