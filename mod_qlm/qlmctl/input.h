/* Files that a command reads whole: documents, keys, templates. */
#ifndef QLM_QLMCTL_INPUT_H
#define QLM_QLMCTL_INPUT_H

#include "qlmctl/tool.h"

/** Read the file @a path, or standard input for "-". *text is terminated and in the tool's pool.
 * @param what  what it ought to be, for the message: "license document"
 * Errors: it cannot be read, or has more than @a max bytes. */
qlm_error_t *qlm_input_read(char **text, apr_size_t *length, qlm_tool_t *tool, const char *path,
                            apr_size_t max, const char *what);

#endif
