/* Reading a request: query string and bounded form body become raw fields. */
#ifndef QLM_WEB_REQUEST_H
#define QLM_WEB_REQUEST_H

#include "web/web.h"

/** Read the fields of @a r, body included (any content type but multipart, XML and JSON counts as a
 * form, because shops send odd ones). Errors: TOO_LARGE, ARGUMENT; what was read so far stays in
 * *fields. In the request's pool. */
qlm_error_t *qlm_request_read(qlm_fields_t *fields, request_rec *r);

/** The URLs that the client of @a r may have signed: that of QlmPublicBase, and that of the request
 * itself by scheme and Host; in the request's pool. */
void qlm_request_signed_urls(const char *urls[QLM_SIGNED_URLS], request_rec *r);

/** The user and password of HTTP Basic, NULL where there are none. */
void qlm_request_basic(const char **user, const char **password, request_rec *r);

#endif
