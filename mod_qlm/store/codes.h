/* Authorization codes: six digits that activate a license on the computer they were asked for. A
 * code is stored as a keyed verifier only; used ones stay, so that the computer can go on naming
 * its license by its code. */
#ifndef QLM_STORE_CODES_H
#define QLM_STORE_CODES_H

#include "store/store.h"

/** A code, with what it leads to as that is now. */
typedef struct qlm_authcode_t {
    const char *computer_id; /**< compared without case */
    const char *verifier;    /**< of the code */
    const char *email;       /**< of the customer who got it, folded */
    apr_int64_t license_id;
    int attempts; /**< wrong ones since the last right one, the last of them at failed_at */
    apr_int64_t created_at, expires_at;
    apr_int64_t used_at; /**< 0 = not yet */
    apr_int64_t failed_at;
    const char *activation_key; /**< of its license */
    const char *computer_key;   /**< with which that is active on the computer; "" if it is not */
} qlm_authcode_t;

/** The codes of a computer, newest first, at most 1000; array of qlm_authcode_t. computer_id is
 * folded.
 */
qlm_error_t *qlm_store_list_codes(apr_array_header_t **codes, qlm_store_t *store,
                                  const char *computer_id, apr_pool_t *pool);

/** Inside a unit: the same, and hold them: nobody else tries or uses one until the unit has ended.
 */
qlm_error_t *qlm_store_hold_codes(apr_array_header_t **codes, qlm_store_t *store,
                                  const char *computer_id, apr_pool_t *pool);

/** Inside a unit: note a wrong attempt at all codes of a computer. What was counted before @a since
 * is forgotten; nothing is counted beyond @a most. */
qlm_error_t *qlm_store_fail_codes(qlm_store_t *store, const char *computer_id, apr_int64_t now,
                                  apr_int64_t since, apr_int64_t most, apr_pool_t *pool);

/** Inside a unit: a right attempt: the code is used (the first time counts), its attempts are
 * forgotten. */
qlm_error_t *qlm_store_use_code(qlm_store_t *store, const qlm_authcode_t *code, apr_int64_t now,
                                apr_pool_t *pool);

/** Inside a unit: codes that a customer got since @a since, for any computer; and nobody else asks
 * for codes of this customer until the unit has ended. array of qlm_authcode_t, without the parts
 * of the license. */
qlm_error_t *qlm_store_list_codes_of_customer(apr_array_header_t **codes, qlm_store_t *store,
                                              const qlm_customer_t *customer, apr_int64_t since,
                                              apr_pool_t *pool);

/** Inside a unit: add a code. Unused ones for the same computer and customer end now; those made
 * before @a forget are removed. *added is 0 if the computer has an equal one (nothing is changed
 * then but what has ended). */
qlm_error_t *qlm_store_add_code(int *added, qlm_store_t *store, const qlm_authcode_t *code,
                                apr_int64_t forget, apr_pool_t *pool);

/** Inside a unit: hold a customer: of units that hold the same one, one after the other goes on. */
qlm_error_t *qlm_store_hold_customer(qlm_store_t *store, apr_int64_t id, apr_pool_t *pool);

/** The licenses of a product that a customer may use: own ones, newest first, then those of an
 * organization that lets its users acquire licenses. Revoked ones are left out. array of
 * const char *: activation keys, at most @a limit of each kind. */
qlm_error_t *qlm_store_list_usable_keys(apr_array_header_t **keys, qlm_store_t *store,
                                        apr_int64_t customer_id, int product_id, int limit,
                                        apr_pool_t *pool);

#endif
