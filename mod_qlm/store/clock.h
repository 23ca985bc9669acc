/* The clock of the database server. */
#ifndef QLM_STORE_CLOCK_H
#define QLM_STORE_CLOCK_H

#include "store/store.h"

#include <apr_time.h>

/** How far the clock of the database's server is ahead of ours (negative: behind); only what the
 * time of asking cannot explain. 0 on SQLite, whose clock is ours. */
qlm_error_t *qlm_store_compare_clocks(apr_interval_time_t *ahead, qlm_store_t *store,
                                      apr_pool_t *pool);

#endif
