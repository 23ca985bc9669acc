/* Passwords are taken out of the request before anybody logs it; what is masked is in base/mask.h.
 */
#ifndef QLM_WEB_MASK_H
#define QLM_WEB_MASK_H

#include "web/web.h"

/** Mask the request line, query and Referer of @a r; the query of a license service's URL is kept
 * in the request's configuration. Hook post_read_request; also called before a refused request is
 * answered and logged. */
int qlm_mask_request(request_rec *r);

/** Put back the query of @a r, which only looked like ours: whoever serves it, such as a proxy that
 * passes it on, needs what was sent. It is masked again before it is logged. */
void qlm_mask_undo(request_rec *r);

/** Hook insert_error_filter: requests that httpd refuses before post_read_request. */
void qlm_mask_refused(request_rec *r);

#endif
