/* From configuration to a running child: what is checked before start, and what each child makes.
 */
#ifndef QLM_WEB_STARTUP_H
#define QLM_WEB_STARTUP_H

#include "web/web.h"

/** Hook pre_config. */
int qlm_startup_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp);

/** Hook check_config: also run by `apachectl configtest`. Secret, modules, and the SQLite file. */
int qlm_startup_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** Hook post_config: reads the secrets while httpd is still root, makes the signature cache. */
int qlm_startup_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** Hook child_init. */
void qlm_startup_child_init(apr_pool_t *pchild, server_rec *s);

#endif
