/* Help texts, made from the command table. */
#ifndef QLM_QLMCTL_HELP_H
#define QLM_QLMCTL_HELP_H

#include "qlmctl/tool.h"

/** Print help to standard output: of the tool's command, of the noun that is its first word, or of
 * everything. */
void qlm_help_print(const qlm_tool_t *tool);

#endif
