/* Sending a reply: status, headers, bytes, and its one line in the log. */
#ifndef QLM_WEB_RESPOND_H
#define QLM_WEB_RESPOND_H

#include "web/web.h"

/** Send @a reply and log it. @return OK, or the status httpd is to use */
int qlm_respond(request_rec *r, const qlm_reply_t *reply, apr_time_t started);

#endif
