/* Lends mod_dbd's connections to the service, one per call, and takes them back before the response
 * is written. */
#ifndef QLM_WEB_DATABASE_H
#define QLM_WEB_DATABASE_H

#include "web/web.h"

/** Fetch mod_dbd's functions; called once after all modules are there. @return 0 if mod_dbd is not
 * loaded */
int qlm_database_init(void);

/** Hook into mod_dbd. */
void qlm_database_register_hooks(void);

/** The baton for the two functions below. It lives in @a pool, and with it at the latest
 * the connection goes back. */
void *qlm_database_loan(server_rec *s, apr_pool_t *pool);

/** See qlm_lender_t. */
qlm_error_t *qlm_database_lend(qlm_store_t **store, void *baton, apr_pool_t *pool);
void qlm_database_give_back(qlm_store_t *store, void *baton);

#endif
