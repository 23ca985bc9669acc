/* Reading the command line. */
#ifndef QLM_QLMCTL_OPTIONS_H
#define QLM_QLMCTL_OPTIONS_H

#include "qlmctl/tool.h"

/** Split the arguments into words and options, find the command, and check both against its row.
 *
 * Options begin with two dashes (or are -h) and may stand anywhere; "--" ends them. Anything else
 * is a word, "-" and "-1" included: they are values of properties and secrets. Sets words, given,
 * command, is_json, and the site from options, environment and defaults.
 * @param is_help  set to 1 if help is asked for: then nothing is checked, and command may be NULL
 * Errors: usage. */
qlm_error_t *qlm_options_read(int *is_help, qlm_tool_t *tool, int count,
                              const char *const *arguments);

/** The two halves of a --database. They live as long as @a database. */
void qlm_options_split_database(const char **driver, const char **params, const char *database);

#endif
