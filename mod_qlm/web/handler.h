/* One request: is it ours, read it, call the service, respond. */
#ifndef QLM_WEB_HANDLER_H
#define QLM_WEB_HANDLER_H

#include "web/web.h"

/** Hook translate_name: a service URL is no file. */
int qlm_handler_translate(request_rec *r);

/** Hook map_to_storage: nothing is to be looked up on disk. */
int qlm_handler_map(request_rec *r);

/** Hook handler. */
int qlm_handler_run(request_rec *r);

#endif
