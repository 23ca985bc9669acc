/* mod_qlm: a license server inside Apache httpd. This file is the table of contents: directives,
 * hooks, module record. The walk of a request is described in docs/architecture.md. */
#include "web/database.h"
#include "web/directives.h"
#include "web/handler.h"
#include "web/mask.h"
#include "web/startup.h"

#include <http_protocol.h>
#include <http_request.h>

static void register_hooks(apr_pool_t *pool)
{
    static const char *const before_forensic[] = {"mod_log_forensic.c", NULL};
    static const char *const before_proxy[] = {"mod_proxy.c", NULL};
    /* Its threads use what we make in the child. */
    static const char *const before_watchdog[] = {"mod_watchdog.c", NULL};

    (void)pool;
    ap_hook_pre_config(qlm_startup_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(qlm_startup_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(qlm_startup_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    qlm_database_register_hooks();
    ap_hook_child_init(qlm_startup_child_init, NULL, before_watchdog, APR_HOOK_MIDDLE);
    /* Before anybody can log or show the request line. */
    ap_hook_post_read_request(qlm_mask_request, NULL, before_forensic, APR_HOOK_REALLY_FIRST);
    /* Requests that are refused before that hook: before their answer, and before they are logged.
     */
    ap_hook_insert_error_filter(qlm_mask_refused, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(qlm_mask_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before mod_alias and core map the URL to a file, and before a proxy takes its query. */
    ap_hook_translate_name(qlm_handler_translate, NULL, before_proxy, APR_HOOK_FIRST);
    ap_hook_map_to_storage(qlm_handler_map, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(qlm_handler_run, NULL, NULL, APR_HOOK_MIDDLE);
}

/* Not AP_DECLARE_MODULE: that would define the log index a second time in this file. */
module AP_MODULE_DECLARE_DATA qlm_module = {
    STANDARD20_MODULE_STUFF,
    qlm_directives_create_dir,
    qlm_directives_merge_dir,
    qlm_directives_create_server,
    qlm_directives_merge_server,
    qlm_directives,
    register_hooks,
    AP_MODULE_FLAG_NONE,
};
