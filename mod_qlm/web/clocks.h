/* Says when this server's clock and that of the database's server differ. */
#ifndef QLM_WEB_CLOCKS_H
#define QLM_WEB_CLOCKS_H

#include "web/web.h"

/** At start. */
void qlm_clocks_check(server_rec *s, qlm_store_t *store, apr_pool_t *pool);

/** In the background: looks from time to time. Errors: STORE. */
qlm_error_t *qlm_clocks_watch(server_rec *s, apr_pool_t *pool);

#endif
