/* Directives: the table, and creating and merging the settings they fill. They only fill; nothing
 * acts here. */
#ifndef QLM_WEB_DIRECTIVES_H
#define QLM_WEB_DIRECTIVES_H

#include "web/web.h"

#define QLM_MAX_BODY_DEFAULT 1048576

extern const command_rec qlm_directives[];

void *qlm_directives_create_dir(apr_pool_t *pool, char *path);
void *qlm_directives_merge_dir(apr_pool_t *pool, void *outer, void *inner);
void *qlm_directives_create_server(apr_pool_t *pool, server_rec *s);
void *qlm_directives_merge_server(apr_pool_t *pool, void *outer, void *inner);

#endif
