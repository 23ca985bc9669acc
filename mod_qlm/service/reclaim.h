/* Seats of cloud licenses that nobody uses any more: a client that crashed never gives its own
 * back. */
#ifndef QLM_SERVICE_RECLAIM_H
#define QLM_SERVICE_RECLAIM_H

#include "service/call.h"

/** Inside a unit, before a seat of @a license is taken: if it is of a cloud model and has none
 * free, take back that of the computer that has been silent longest, at least
 * cloudLicenseInactivityThreshold minutes, and is not offline. With history ("reclaimed") and the
 * webhook license_released. Errors: STORE; CONFLICT if that computer calls just now. */
qlm_error_t *qlm_reclaim_seat(const qlm_license_t *license, qlm_store_t *store,
                              const qlm_call_t *call, apr_pool_t *pool);

/** How much older than now the stored time of a computer's last call must be to be worth a write:
 * an hour, or a quarter of the threshold where that is less. In seconds. */
apr_int64_t qlm_reclaim_granularity(const qlm_license_t *license,
                                    const qlm_properties_t *properties);

#endif
