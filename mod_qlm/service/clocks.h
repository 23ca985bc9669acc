/* This server's clock and that of the database's server. Servers of one site agree on times by
 * their own clocks: leases, pauses, windows of signed requests. */
#ifndef QLM_SERVICE_CLOCKS_H
#define QLM_SERVICE_CLOCKS_H

#include "store/store.h"

/** @param ahead  how many seconds the database's clock is ahead of ours (negative: behind), 0 while
 *                they agree well enough. Errors: STORE. */
qlm_error_t *qlm_clocks_compare(int *ahead, qlm_store_t *store, apr_pool_t *pool);

/** May this process speak of it? Of all processes of a machine one may, once an hour. A unit of its
 * own.
 * @param owner  how this process signs a lease */
qlm_error_t *qlm_clocks_take_turn(int *is_ours, qlm_store_t *store, const char *owner,
                                  apr_pool_t *pool);

#endif
