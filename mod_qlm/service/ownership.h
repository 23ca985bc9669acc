/* Which site a database belongs to: the one whose secret made what is in it. With another secret
 * every key would be wrong, and every new one wrong for the others. The database keeps a verifier
 * of the secret; nothing can be learned from it. */
#ifndef QLM_SERVICE_OWNERSHIP_H
#define QLM_SERVICE_OWNERSHIP_H

#include "base/crypto.h"
#include "store/store.h"

/** Is the database that of these secrets, or not claimed yet? Errors: STORE with what to do. */
qlm_error_t *qlm_ownership_check(qlm_store_t *store, const qlm_secrets_t *secrets,
                                 apr_pool_t *pool);

/** Make it the one of these secrets, of the newest of them; a unit of its own, unless there is
 * nothing to change. Errors: STORE if it holds keys made with another secret. */
qlm_error_t *qlm_ownership_claim(qlm_store_t *store, const qlm_secrets_t *secrets,
                                 apr_pool_t *pool);

#endif
