/* Failed activations: one row for each license, computer and reason. */
#ifndef QLM_STORE_ATTEMPTS_H
#define QLM_STORE_ATTEMPTS_H

#include "store/store.h"

#define QLM_ATTEMPTS_MAX                                                                           \
    1000 /**< rows of one license: who guesses computer ids fills no database */

/** How often a computer was refused a license for one reason. */
typedef struct qlm_attempt_t {
    apr_int64_t license_id;
    int code; /**< qlm_code_t; QLM_CODE_ILLEGAL: a computer key that is genuine, but not the stored
                 one of this computer */
    const char *computer_id, *computer_name, *address;
    int attempts;
    apr_int64_t first_at, last_at;
    const char *activation_key; /**< of the license; only when listed, "" if it is gone */
} qlm_attempt_t;

/** Inside a unit: add @a attempt to the row of its license, computer and reason. *is_settled is 0,
 * and nothing is changed, if that row was changed after @a before. A new row that would be one too
 * many is left out. */
qlm_error_t *qlm_store_add_attempt(int *is_settled, qlm_store_t *store,
                                   const qlm_attempt_t *attempt, apr_int64_t before,
                                   apr_pool_t *pool);

/** array of qlm_attempt_t, newest first, at most @a limit; of one license, or of all if @a
 * license_id is 0 */
qlm_error_t *qlm_store_list_attempts(apr_array_header_t **attempts, qlm_store_t *store,
                                     apr_int64_t license_id, int limit, apr_pool_t *pool);

/** Is there a row whose last attempt was before @a before? */
qlm_error_t *qlm_store_has_old_attempts(int *has_old, qlm_store_t *store, apr_int64_t before,
                                        apr_pool_t *pool);

/** Inside a unit: remove at most @a limit such rows. *removed says how many. */
qlm_error_t *qlm_store_purge_attempts(int *removed, qlm_store_t *store, apr_int64_t before,
                                      int limit, apr_pool_t *pool);

/** Is @a computer_key that of another computer on which the license is active? */
qlm_error_t *qlm_store_is_others_key(int *is_others, qlm_store_t *store, apr_int64_t license_id,
                                     const char *computer_id, const char *computer_key,
                                     apr_pool_t *pool);

#endif
