/* What the calls of one process leave to be written later: when computers called last, and which
 * activations were refused. A call only notes; the background writes in batches, so that nobody
 * waits and a validation that changes nothing writes nothing.
 *
 * Bounded: what does not fit is forgotten. What is noted is lost when the process is killed; the
 * next call notes it again. Threads may note at once. */
#ifndef QLM_SERVICE_ACCESSED_H
#define QLM_SERVICE_ACCESSED_H

#include "service/service.h"
#include "store/attempts.h"

typedef struct qlm_accessed_t qlm_accessed_t;

#define QLM_ACCESSED_PAUSE 5    /**< seconds from the first note to the write of all */
#define QLM_ATTEMPT_PAUSE  3600 /**< seconds between two writes of one attempt row */

/** Nothing noted yet. Lives in @a pool; what is noted has a pool of its own. */
qlm_accessed_t *qlm_accessed_create(apr_pool_t *pool);

/** A computer called at @a now, if the time stored of it is @a granularity seconds old or more. */
void qlm_accessed_note(qlm_accessed_t *accessed, const qlm_activation_t *activation,
                       apr_int64_t granularity, apr_int64_t now, apr_pool_t *scratch);

/** An activation was refused; @a attempt is copied, its count and times are not looked at. */
void qlm_accessed_refuse(qlm_accessed_t *accessed, const qlm_attempt_t *attempt, apr_int64_t now,
                         apr_pool_t *scratch);

/** Write what is due at @a now; with @a is_last everything. Touches no database if there is nothing
 * to write. Errors: STORE, after which attempts are tried again later. */
qlm_error_t *qlm_accessed_write(qlm_accessed_t *accessed, const qlm_lender_t *lender,
                                apr_int64_t now, int is_last, apr_pool_t *pool);

#endif
