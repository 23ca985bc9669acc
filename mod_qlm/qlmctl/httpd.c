/* The site as httpd's configuration names it: httpd reads it, the module prints it. */
#include "qlmctl/httpd.h"

#include "base/text.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <string.h>

#define OUTPUT_MAX 65536 /* bytes; a line for each virtual host with a site */

static qlm_error_t *split(const char *const **arguments, const char *command, qlm_tool_t *tool)
{
    static const char *const more[] = {"-t", "-D", "DUMP_QLM", NULL};
    apr_array_header_t *all = apr_array_make(tool->pool, 8, sizeof(const char *));
    char **words = NULL;

    if (apr_tokenize_to_argv(command, &words, tool->pool) || !words[0]) {
        return qlm_tool_usage(tool, "--httpd names no command");
    }
    while (*words) {
        APR_ARRAY_PUSH(all, const char *) = *words++;
    }
    for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
        APR_ARRAY_PUSH(all, const char *) = more[i];
    }
    *arguments = (const char *const *)all->elts;
    return NULL;
}

/* Standard output comes here; what it complains about is said again when it is run with -t. */
static apr_status_t start(apr_proc_t *process, const char *const *arguments, apr_pool_t *pool)
{
    apr_procattr_t *attributes;
    apr_file_t *nowhere;
    apr_status_t status = apr_procattr_create(&attributes, pool);

    if (!status) {
        status = apr_procattr_io_set(attributes, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE);
    }
    if (!status) {
        status = apr_file_open(&nowhere, "/dev/null", APR_FOPEN_WRITE, 0, pool);
    }
    if (!status) {
        status = apr_procattr_child_err_set(attributes, nowhere, NULL);
    }
    if (!status) {
        status = apr_procattr_cmdtype_set(attributes, APR_PROGRAM_PATH);
    }
    return status ? status
                  : apr_proc_create(process, arguments[0], arguments, NULL, attributes, pool);
}

static qlm_error_t *run(char **output, const char *const *arguments, qlm_tool_t *tool)
{
    const char *name = qlm_text_for_log(arguments[0], 100, tool->pool);
    apr_size_t length = OUTPUT_MAX;
    apr_proc_t process;
    apr_exit_why_e why;
    apr_status_t status;
    int code = 0;

    *output = apr_pcalloc(tool->pool, OUTPUT_MAX + 1);
    status = start(&process, arguments, tool->pool);
    if (!status) {
        status = apr_file_read_full(process.out, *output, OUTPUT_MAX, &length);
        apr_file_close(process.out);
        (void)apr_proc_wait(&process, &code, &why, APR_WAIT);
    }
    return APR_STATUS_IS_EOF(status) && code == 0
               ? NULL
               : qlm_tool_failure(tool,
                                  "%s does not run, or does not accept its configuration: try it "
                                  "with -t",
                                  name);
}

/* One line of the output, see print_sites in web/startup.c: is it the site that is meant? */
static int is_meant(qlm_httpd_site_t *site, char *line, const char *name, apr_pool_t *pool)
{
    char *words[5], *rest;
    int count = 0;

    words[0] = apr_strtok(line, "\t", &rest);
    while (words[count] && ++count < 5) {
        words[count] = apr_strtok(NULL, "\t", &rest);
    }
    if (count < 5 || strcmp(words[0], "QlmSite") != 0 || (name && strcmp(name, words[1]) != 0)) {
        return 0;
    }
    site->secret_path = words[2];
    site->database = apr_pstrcat(pool, words[3], ":", words[4], NULL);
    return 1;
}

qlm_error_t *qlm_httpd_read_site(qlm_httpd_site_t *site, const char *command, const char *name,
                                 qlm_tool_t *tool)
{
    const char *const *arguments = NULL;
    qlm_httpd_site_t first = *site;
    char *output = NULL, *line, *rest;
    int count = 0;

    QLM_TRY(split(&arguments, command, tool));
    QLM_TRY(run(&output, arguments, tool));
    for (line = apr_strtok(output, "\n", &rest); line; line = apr_strtok(NULL, "\n", &rest)) {
        if (is_meant(site, line, name, tool->pool)) {
            /* virtual hosts inherit the main server's site: the same one is not another */
            count += !count || strcmp(first.database, site->database) != 0 ||
                     strcmp(first.secret_path, site->secret_path) != 0;
            first = *site;
        }
    }
    if (!count) {
        return qlm_tool_failure(tool,
                                "the configuration of httpd has no site%s%s: it takes "
                                "QlmSecretFile, DBDriver and DBDParams",
                                name ? " of ServerName " : "",
                                name ? qlm_text_for_log(name, 100, tool->pool) : "");
    }
    return count == 1 ? NULL
                      : qlm_tool_failure(tool, "the configuration of httpd has several sites: say "
                                               "which by --site and its ServerName");
}
