/* Tables in files: CSV with a heading line (RFC 4180), or XML as a data set writes it: a root whose
 * children are the rows and whose grandchildren the values. Which of the two, the first character
 * tells. */
#ifndef QLM_QLMCTL_TABLE_H
#define QLM_QLMCTL_TABLE_H

#include "qlmctl/tool.h"

#define QLM_TABLE_MAX_BYTES   ((apr_size_t)512 * 1024 * 1024)
#define QLM_TABLE_MAX_COLUMNS 200

/** A row; values by column, NULL where it has none. */
typedef struct qlm_table_row_t {
    int number; /**< counted from 1, the heading not */
    const char **value;
} qlm_table_row_t;

typedef struct qlm_table_t {
    apr_array_header_t *columns; /**< const char *: names, as in the file */
    apr_array_header_t *rows;    /**< qlm_table_row_t */
} qlm_table_t;

/** Read a file ("-": standard input) into the tool's pool. A value `NULL` is none; control
 * characters other than line ends and tabs, and bytes that are not UTF-8, refuse the file. Errors:
 * usage, naming file and line. */
qlm_error_t *qlm_table_read(qlm_table_t **table, qlm_tool_t *tool, const char *path);

/** The column of that name, any case; -1 if there is none. */
int qlm_table_column(const qlm_table_t *table, const char *name);

/** The value of a row in a column, "" if there is none (also for column -1). */
const char *qlm_table_value(const qlm_table_row_t *row, int column);

#endif
