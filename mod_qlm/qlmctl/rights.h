/* Whose the files of an SQLite database are, and whether their user can work with them. httpd's
 * processes write the database, and SQLite makes files beside it: so they need the folder too. */
#ifndef QLM_QLMCTL_RIGHTS_H
#define QLM_QLMCTL_RIGHTS_H

#include "qlmctl/tool.h"

/** Make the folder of @a path with mode 0750, missing parents too. *made is 0 if it was there. */
qlm_error_t *qlm_rights_make_folder(int *made, qlm_tool_t *tool, const char *path);

/** The folder of @a path; in the tool's pool. */
const char *qlm_rights_folder(const qlm_tool_t *tool, const char *path);

/** Give the database, the files beside it and their folder to @a user. The connection must be
 * closed: closing a second descriptor of an open SQLite file would drop its locks. A folder of the
 * system (/var/lib, /tmp …) stays as it is. Links are never followed. Errors: unknown user, not
 * allowed, or a file that is not what it should be. */
qlm_error_t *qlm_rights_give(qlm_tool_t *tool, const char *database, const char *user);

/** What keeps the database's users from using it: *problems (array of const char *), one line each
 * with the remedy. Looked at with the rights of @a user, of the database's owner if NULL; ours if
 * we may not change to that user. */
qlm_error_t *qlm_rights_check(apr_array_header_t **problems, qlm_tool_t *tool, const char *database,
                              const char *user);

#endif
