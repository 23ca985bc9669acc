/* Importing rows that another license server exported. */
#ifndef QLM_QLMCTL_IMPORT_H
#define QLM_QLMCTL_IMPORT_H

#include "qlmctl/table.h"
#include "store/store.h"

#include <apr_hash.h>

/** What a row is about. */
typedef enum qlm_import_kind_t {
    QLM_IMPORT_PRODUCTS,
    QLM_IMPORT_CUSTOMERS,
    QLM_IMPORT_LICENSES,
    QLM_IMPORT_ACTIVATIONS,
    QLM_IMPORT_UNKNOWN
} qlm_import_kind_t;

/** A file on its way into the database. */
typedef struct qlm_import_t {
    qlm_tool_t *tool;
    const qlm_table_t *table;
    const char *vendor;       /**< of licenses that name none; "" = none */
    const char *date_pattern; /**< tried first; NULL = none */
    const qlm_secrets_t *secrets;
    apr_hash_t *products; /**< "1.2.0" of those that are defined */
    qlm_actor_t actor;
} qlm_import_t;

/** Import one row, inside a unit. *is_added is 0 if it was there already (nothing is changed then).
 * Errors: ARGUMENT and REFUSED for a row that cannot be used (nothing was changed then); others end
 * the import. */
typedef qlm_error_t *(*qlm_import_row_t)(int *is_added, const qlm_import_t *import,
                                         const qlm_table_row_t *row, qlm_store_t *store,
                                         apr_pool_t *pool);

qlm_error_t *qlm_import_product(int *is_added, const qlm_import_t *import,
                                const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool);
qlm_error_t *qlm_import_customer(int *is_added, const qlm_import_t *import,
                                 const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool);
qlm_error_t *qlm_import_license(int *is_added, const qlm_import_t *import,
                                const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool);
qlm_error_t *qlm_import_activation(int *is_added, const qlm_import_t *import,
                                   const qlm_table_row_t *row, qlm_store_t *store,
                                   apr_pool_t *pool);

/* ---- values of a row, under any of the names QLM has for them ("ReceiptID|SubscriptionID") ----
 */

/** The text, trimmed; "" if there is none. Errors: ARGUMENT, if it is longer than @a max bytes. */
qlm_error_t *qlm_import_text(const char **text, const qlm_import_t *import,
                             const qlm_table_row_t *row, const char *names, apr_size_t max,
                             apr_pool_t *pool);
/** The number; stays as it is if there is none. Errors: ARGUMENT. */
qlm_error_t *qlm_import_number(int *number, const qlm_import_t *import, const qlm_table_row_t *row,
                               const char *names, int min, int max, apr_pool_t *pool);
/** The time; 0 if there is none, also for .NET's 0001-01-01 and for 9999-12-31. Errors: ARGUMENT.
 */
qlm_error_t *qlm_import_time(apr_int64_t *seconds, const qlm_import_t *import,
                             const qlm_table_row_t *row, const char *names, apr_pool_t *pool);
/** True (true, 1, -1 …) or false; stays as it is if there is none. Errors: ARGUMENT. */
qlm_error_t *qlm_import_flag(int *flag, const qlm_import_t *import, const qlm_table_row_t *row,
                             const char *names, apr_pool_t *pool);
/** The activation key in normal form. Errors: ARGUMENT, if it is missing or cannot be one. */
qlm_error_t *qlm_import_key(const char **key, const qlm_import_t *import,
                            const qlm_table_row_t *row, apr_pool_t *pool);

/** Does the table have one of these columns? */
int qlm_import_has(const qlm_table_t *table, const char *names);

#endif
