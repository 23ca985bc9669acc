/* Secrets given by people and scripts: from standard input, never from arguments, where every user
 * of the machine could read them. */
#ifndef QLM_QLMCTL_SECRETINPUT_H
#define QLM_QLMCTL_SECRETINPUT_H

#include "qlmctl/tool.h"

/** Room for an RSA key of 4096 bits in one line; a terminal gives no longer lines. */
#define QLM_SECRET_MAX_BYTES 4000

/** Read one line from standard input, without its end; a terminal is asked for @a what on standard
 * error, without echo. Only what belongs to the line is read. *secret is in the tool's pool.
 * Errors: no line, an empty, too long or unreadable one (control characters, not UTF-8). */
qlm_error_t *qlm_secretinput_read(const char **secret, qlm_tool_t *tool, const char *what);

#endif
