/* One request: is it ours, read it, call the service, respond. */
#ifndef QLM_WEB_HANDLER_H
#define QLM_WEB_HANDLER_H

#include "web/web.h"

/** Find the service in a path: @return what follows "/qlmservice.asmx" (any case), "" for the bare
 * URL, or NULL when @a path has no such segment */
const char *qlm_handler_find_service(const char *path);

/** The canonical spelling of a service's @a path: @a folder, "/qlmservice.asmx", and the method as
 * its table spells it; in @a pool. */
const char *qlm_handler_canonical(const char *path, const char *folder, apr_pool_t *pool);

/** Hook translate_name: a service URL is no file. */
int qlm_handler_translate(request_rec *r);

/** Hook map_to_storage: nothing is to be looked up on disk. */
int qlm_handler_map(request_rec *r);

/** Hook handler. */
int qlm_handler_run(request_rec *r);

#endif
