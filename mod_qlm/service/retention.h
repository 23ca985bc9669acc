/* Retention: what is kept for a time only, and is removed in small batches afterwards. Internal to
 * the outbox's worker, which does it by the way. */
#ifndef QLM_SERVICE_RETENTION_H
#define QLM_SERVICE_RETENTION_H

#include "service/round.h"

/** For a look: is anything older than its setting allows? Reads only. */
qlm_error_t *qlm_retention_look(int *has_old, qlm_store_t *store, const qlm_round_t *round,
                                apr_pool_t *pool);

/** Remove a batch of each kind, each in a unit of its own. */
qlm_error_t *qlm_retention_purge(qlm_round_t *round, apr_pool_t *pool);

#endif
