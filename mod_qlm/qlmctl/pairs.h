/* Words such as name=value: the fields of a record that a command sets. */
#ifndef QLM_QLMCTL_PAIRS_H
#define QLM_QLMCTL_PAIRS_H

#include "qlmctl/tool.h"

typedef struct qlm_pair_t {
    const char *name;     /**< NULL ends a list */
    apr_size_t max_bytes; /**< of its value */
    int may_have_lines;   /**< line ends and tabs are allowed in it */
} qlm_pair_t;

/** Read the words from @a first on as fields.
 * @param values  one for each row of @a fields: set to the value, in UTF-8 and without control
 *                characters, NULL for a field that is not named
 * Errors: usage: an unknown field, one named twice, an unusable value. */
qlm_error_t *qlm_pairs_read(const char **values, qlm_tool_t *tool, int first,
                            const qlm_pair_t *fields);

#endif
