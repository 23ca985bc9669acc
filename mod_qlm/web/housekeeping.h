/* Writing what the calls of this child have noted: in the background, and when it ends. */
#ifndef QLM_WEB_HOUSEKEEPING_H
#define QLM_WEB_HOUSEKEEPING_H

#include "web/web.h"

/** Write what is due for server @a s. Errors: STORE. */
qlm_error_t *qlm_housekeeping_work(server_rec *s, apr_pool_t *pool);

/** Write what is left when the child ends; hook child_init, when server @a s has its service. */
void qlm_housekeeping_register(server_rec *s, apr_pool_t *pchild);

#endif
