/* The site as httpd's configuration names it. */
#ifndef QLM_QLMCTL_HTTPD_H
#define QLM_QLMCTL_HTTPD_H

#include "qlmctl/tool.h"

typedef struct qlm_httpd_site_t {
    const char *secret_path;
    const char *database; /**< as --database takes it */
} qlm_httpd_site_t;

/** Ask httpd itself, so that includes, variables and virtual hosts are understood as it understands
 * them: run @a command ("apachectl", "apache2 -f /srv/httpd.conf"; split at blanks, quotes are
 * heeded, no shell) with -t -D DUMP_QLM and read what the module prints then.
 * @param site  set to the site, in the tool's pool
 * @param name  the ServerName of the site; NULL where there is only one
 * Errors: the command does not run, or names no such site, or several. */
qlm_error_t *qlm_httpd_read_site(qlm_httpd_site_t *site, const char *command, const char *name,
                                 qlm_tool_t *tool);

#endif
