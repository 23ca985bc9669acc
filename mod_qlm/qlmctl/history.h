/* Showing what happened. */
#ifndef QLM_QLMCTL_HISTORY_H
#define QLM_QLMCTL_HISTORY_H

#include "qlmctl/output.h"
#include "store/history.h"

/** A row of history, its changes in words for people. */
json_t *qlm_history_row(const qlm_history_t *row, qlm_tool_t *tool);

#endif
