/* The outbox's workers in each child: two threads of mod_watchdog, one for mails and one for
 * webhooks, that tick once a second and end in order before anything they use does. */
#ifndef QLM_WEB_WORKER_H
#define QLM_WEB_WORKER_H

#include "web/web.h"

/** Have mod_watchdog work off the outbox in each child; hook post_config (not later than MIDDLE).
 * @return 0 after a line in the log if mod_watchdog is missing */
int qlm_worker_register(apr_pool_t *pconf, server_rec *s);

/** Prepare the workers and libcurl; hook child_init, before mod_watchdog's and before anything else
 * here uses libcurl. At the end of the child the workers are waited for, for some seconds at most,
 * and their leases given up. */
void qlm_worker_init(apr_pool_t *pchild, server_rec *s);

#endif
