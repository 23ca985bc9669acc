/* One round of the outbox's worker, as mails and webhooks share it: the lease, looking into the
 * database, and the bookkeeping of what was tried. Internal to the outbox.
 *
 * No connection is held while anything is sent. */
#ifndef QLM_SERVICE_ROUND_H
#define QLM_SERVICE_ROUND_H

#include "service/outbox.h"
#include "service/site.h"
#include "store/outbox.h"

#define QLM_ROUND_BATCH 20 /* rows that are read at once */

typedef struct qlm_round_t {
    qlm_outbox_round_t *result;
    const qlm_outbox_input_t *input;
    qlm_service_t *service;
    const char *lease;                  /**< its name */
    apr_int64_t leased_until;           /**< 0 = not yet ours */
    const qlm_properties_t *properties; /**< as the last look found them */
} qlm_round_t;

/** What a look is after; with a borrowed store and the properties of the moment. */
typedef qlm_error_t *(*qlm_round_look_t)(qlm_store_t *store, qlm_round_t *round, void *baton,
                                         apr_pool_t *pool);

/** Look into the database; reads only. The properties live as long as @a pool. */
qlm_error_t *qlm_round_look(qlm_round_t *round, qlm_round_look_t look, void *baton,
                            apr_pool_t *pool);

/** For a look: could this round hold the lease? */
qlm_error_t *qlm_round_is_lease_free(int *is_free, qlm_store_t *store, const qlm_round_t *round,
                                     apr_pool_t *pool);

/** Run a unit with a store of its own. */
qlm_error_t *qlm_round_write(const qlm_round_t *round, qlm_unit_t unit, void *baton,
                             apr_pool_t *pool);

apr_int64_t qlm_round_now(const qlm_round_t *round);
int qlm_round_is_stopping(const qlm_round_t *round);

/** See to it that the lease is ours for longer than any row takes: extended when too little of it
 * is left. *held is 0 if it is somebody else's. */
qlm_error_t *qlm_round_hold_lease(int *held, qlm_round_t *round, apr_pool_t *pool);

/** Note what became of a row, and log it. If the receiver is away, everything else that is due for
 * it waits as well, untried. A row that was not sent because we are stopping stays as it was. */
qlm_error_t *qlm_round_settle(qlm_round_t *round, qlm_outbox_row_t *row, qlm_smtp_outcome_t outcome,
                              const char *reason, apr_pool_t *pool);

#endif
