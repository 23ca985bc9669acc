/* A site moved from one database to another, whatever their engines. */
#ifndef QLM_STORE_COPY_H
#define QLM_STORE_COPY_H

#include "store/store.h"

/** Copy every row of every table of @a from, as they are at one moment, to @a to, and compare the
 * two row by row. @a to gets its tables if it has none, and must hold no rows. After an error it
 * holds none again.
 * @param count  set to the number of rows
 * Errors: CONFLICT if @a to holds rows; STORE, also if a row differs. */
qlm_error_t *qlm_store_copy(apr_int64_t *count, qlm_store_t *to, qlm_store_t *from,
                            apr_pool_t *pool);

#endif
