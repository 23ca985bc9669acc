/* What commands print: JSON values, shown as tables to people and as they are with --json.
 *
 * Texts from the database come from buyers and callers: in a table, control characters are taken
 * out of them, so that none reaches a terminal. Objects and arrays live as long as the pool they
 * were made in, wherever they are put. */
#ifndef QLM_QLMCTL_OUTPUT_H
#define QLM_QLMCTL_OUTPUT_H

#include "qlmctl/tool.h"

#include <jansson.h>

/** A column of a table; an array of them ends with a NULL key. */
typedef struct qlm_column_t {
    const char *key;     /**< member of the row */
    const char *heading; /**< over the column */
} qlm_column_t;

json_t *qlm_output_object(apr_pool_t *pool);
json_t *qlm_output_array(apr_pool_t *pool);

/** Put a text; NULL is put as null. What is not UTF-8 is read as Latin-1. */
void qlm_output_put(json_t *object, const char *key, const char *text);
void qlm_output_put_int(json_t *object, const char *key, apr_int64_t number);
void qlm_output_put_bool(json_t *object, const char *key, int is_true);
/** Put a time as 2027-12-31T23:59:59Z; 0 is put as null. */
void qlm_output_put_time(json_t *object, const char *key, apr_int64_t seconds);
/** Put a record's id, as text: many JSON readers round numbers of 63 bits. 0 is put as null. */
void qlm_output_put_id(json_t *object, const char *key, apr_int64_t id);
/** Put the value that @a json says; what is not JSON is put as a text. */
void qlm_output_put_json(json_t *object, const char *key, const char *json);
/** Put an object or array; NULL is put as null. */
void qlm_output_put_value(json_t *object, const char *key, json_t *value);
void qlm_output_append(json_t *array, json_t *value);
void qlm_output_append_text(json_t *array, const char *text);

/** Print an array of objects: one line each under headings. */
void qlm_output_rows(const qlm_tool_t *tool, json_t *rows, const qlm_column_t *columns);

/** Print one object: a line `name: value` for each member that says something. */
void qlm_output_record(const qlm_tool_t *tool, json_t *record);

/** Print a text of several lines for people, without control characters other than line ends and
 * tabs; nothing with --json. */
void qlm_output_text(const qlm_tool_t *tool, const char *text);

/** Print a sentence for people; nothing with --json. */
void qlm_output_say(const qlm_tool_t *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Print a sentence to standard error: what was done may not be what was meant. */
void qlm_output_warn(const qlm_tool_t *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
