/* Masking of is_pwd in what httpd logs and shows. */
#include "web/mask.h"

#include "base/mask.h"

#include <string.h>

static void mask_header(request_rec *r, const char *name)
{
    const char *value = apr_table_get(r->headers_in, name);
    const char *masked = value ? qlm_mask_text(value, r->pool) : NULL;

    if (masked != value) {
        apr_table_setn(r->headers_in, name, masked);
    }
}

/* The query of our own URLs is replaced too, because formats such as %q log it; the handler reads
 * the kept one. Other applications' queries are not touched. */
static void mask_query(request_rec *r)
{
    qlm_request_conf_t *conf = qlm_request_conf(r);
    const char *masked = qlm_mask_text(r->args, r->pool);

    if (masked == r->args || !r->uri || !qlm_entry_find(NULL, NULL, r->uri)) {
        return;
    }
    conf->args = r->args;
    conf->target = r->unparsed_uri;
    r->args = (char *)masked;
    r->parsed_uri.query = (char *)masked;
    r->unparsed_uri = (char *)qlm_mask_text(r->unparsed_uri, r->pool);
}

int qlm_mask_request(request_rec *r)
{
    if (r->the_request) {
        r->the_request = (char *)qlm_mask_text(r->the_request, r->pool);
    }
    if (r->uri && strchr(r->uri, '?')) { /* httpd could not take the URL apart */
        r->uri = (char *)qlm_mask_text(r->uri, r->pool);
    }
    mask_header(r, "Referer");
    if (r->args) {
        mask_query(r);
    }
    return DECLINED;
}

void qlm_mask_undo(request_rec *r)
{
    qlm_request_conf_t *conf = qlm_request_conf(r);

    if (conf->args) {
        r->args = r->parsed_uri.query = (char *)conf->args;
        r->unparsed_uri = (char *)conf->target;
    }
}

void qlm_mask_refused(request_rec *r)
{
    qlm_mask_request(r);
}
