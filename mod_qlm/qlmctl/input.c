/* Reading whole files. */
#include "qlmctl/input.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <string.h>

static qlm_error_t *open_file(apr_file_t **file, qlm_tool_t *tool, const char *path)
{
    apr_status_t status = strcmp(path, "-") == 0
                              ? apr_file_open_stdin(file, tool->pool)
                              : apr_file_open(file, path, APR_FOPEN_READ, 0, tool->pool);
    char reason[120];

    return status == APR_SUCCESS
               ? NULL
               : qlm_tool_failure(tool, "cannot open %s: %s; check path and rights", path,
                                  apr_strerror(status, reason, sizeof(reason)));
}

qlm_error_t *qlm_input_read(char **text, apr_size_t *length, qlm_tool_t *tool, const char *path,
                            apr_size_t max, const char *what)
{
    apr_file_t *file;
    apr_status_t status;

    QLM_TRY(open_file(&file, tool, path));
    *text = apr_palloc(tool->pool, max + 1);
    status = apr_file_read_full(file, *text, max + 1, length);
    apr_file_close(file);
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status)) {
        return qlm_tool_failure(tool, "cannot read %s; is it a file?", path);
    }
    if (*length > max) {
        return qlm_tool_failure(tool, "%s is larger than %d bytes; that is no %s", path, (int)max,
                                what);
    }
    (*text)[*length] = '\0';
    return NULL;
}
