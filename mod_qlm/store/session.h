/* The session of a connection: what the engine is told when it begins, and what is done when it is
 * lost. Internal to the store. */
#ifndef QLM_STORE_SESSION_H
#define QLM_STORE_SESSION_H

#include "store/connection.h"

/** The connection's parameters as we open it: what this program relies on is added where the
 * operator has not said it. In @a pool. */
const char *qlm_session_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool);

/** Was a connection with these parameters opened with all that matters once it is open? */
int qlm_session_has_params(qlm_dialect_t dialect, const char *params, apr_pool_t *pool);

/** Send the settings that every statement relies on. To be done once on each session. */
qlm_error_t *qlm_session_begin(qlm_store_t *store, apr_pool_t *pool);

/** Is this still the session that was begun? A server may have closed it, and then the driver may
 * have begun another behind our back, without settings and prepared statements. Always yes on
 * SQLite, which has no sessions. */
int qlm_session_is_intact(qlm_store_t *store, apr_pool_t *pool);

/** Open a new connection to a database server in place of one that is lost or worn; at most once a
 * second. Outside a unit. */
qlm_error_t *qlm_session_renew(qlm_store_t *store, apr_pool_t *pool);

#endif
