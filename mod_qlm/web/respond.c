/* Responses and their log lines. Nothing else in the module logs requests. */
#include "web/respond.h"

#include "base/text.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>

/* The words every line ends with: method, vendor, outcome, subject, milliseconds. */
static const char *describe(request_rec *r, const qlm_reply_t *reply, apr_time_t started)
{
    apr_int64_t us = apr_time_now() - started;

    return apr_psprintf(r->pool, "%s%s%s %s%s%s in %d.%d ms",
                        *reply->method ? reply->method : "request", *reply->vendor ? " for " : "",
                        reply->vendor, reply->outcome, *reply->subject ? ": " : "", reply->subject,
                        (int)(us / 1000), (int)(us % 1000 / 100));
}

static void log_failure(request_rec *r, const qlm_reply_t *reply, const char *line)
{
    const qlm_error_t *error = reply->error;
    const char *why = apr_psprintf(r->pool, "%s: %s%s%s", line, error->text,
                                   error->detail ? "; " : "", error->detail ? error->detail : "");

    switch (error->kind) {
    case QLM_ERROR_STORE:
    case QLM_ERROR_CONFLICT:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, error->status, r, QLMNO(1001) "database: %s", why);
        break;
    case QLM_ERROR_OUTBOUND:
    case QLM_ERROR_INTERNAL:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, error->status, r, QLMNO(1002) "internal: %s", why);
        break;
    case QLM_ERROR_DENIED:
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, QLMNO(1003) "denied: %s", why);
        break;
    case QLM_ERROR_TOO_LARGE:
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, QLMNO(1004) "too large: %s", why);
        break;
    case QLM_ERROR_MISSING:
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, QLMNO(1005) "no such method: %s", why);
        break;
    case QLM_ERROR_METHOD:
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, QLMNO(1006) "wrong verb: %s", why);
        break;
    case QLM_ERROR_ARGUMENT:
        /* A shop's order that is refused needs somebody's attention; an application's typing
         * mistake does not. */
        ap_log_rerror(APLOG_MARK, *reply->vendor ? APLOG_WARNING : APLOG_INFO, error->status, r,
                      QLMNO(1007) "bad argument: %s", why);
        break;
    case QLM_ERROR_REFUSED:
    default:
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, QLMNO(1008) "refused with code %d: %s",
                      (int)error->code, why);
        break;
    }
}

static void log_reply(request_rec *r, const qlm_reply_t *reply, apr_time_t started)
{
    if (!reply->error && !reply->oddity && !APLOGrinfo(r)) {
        return;
    }
    if (reply->error) {
        log_failure(r, reply, describe(r, reply, started));
        return;
    }
    if (reply->oddity) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, QLMNO(1009) "odd but served: %s: %s",
                      describe(r, reply, started), reply->oddity);
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, QLMNO(1010) "%s", describe(r, reply, started));
}

int qlm_respond(request_rec *r, const qlm_reply_t *reply, apr_time_t started)
{
    log_reply(r, reply, started);
    r->status = reply->http_status;
    ap_set_content_type(r, reply->content_type);
    ap_set_content_length(r, (apr_off_t)reply->length);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (reply->http_status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->headers_out, "Retry-After", "30");
    }
    if (reply->http_status == HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->connection->keepalive = AP_CONN_CLOSE; /* the rest of the body is not read */
    }
    if (!r->header_only) {
        ap_rwrite(reply->body, (int)reply->length, r);
    }
    return OK;
}
