/* What tables and columns the schema has. Internal to the store. */
#ifndef QLM_STORE_TABLES_H
#define QLM_STORE_TABLES_H

#include <apr_tables.h>

typedef struct qlm_table_column_t {
    const char *name;
    const char *mark; /**< its placeholder */
} qlm_table_column_t;

typedef struct qlm_table_t {
    const char *name;
    apr_array_header_t *columns; /**< of qlm_table_column_t */
    apr_array_header_t *keys;    /**< of const char *: names, in their order */
} qlm_table_t;

/** @return array of qlm_table_t, in the order they are made */
apr_array_header_t *qlm_tables_read(apr_pool_t *pool);

#endif
