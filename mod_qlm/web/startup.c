/* Start: the checks of configtest, secrets, signature cache, and each child's service. */
#include "web/startup.h"

#include "base/text.h"
#include "service/outbox.h"
#include "service/ownership.h"
#include "web/clocks.h"
#include "web/database.h"
#include "web/housekeeping.h"
#include "web/outbound.h"
#include "web/signature_cache.h"
#include "web/worker.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <mpm_common.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <unixd.h>

#define SETTING_MAX 4000 /* bytes of a directive's argument */

int qlm_startup_pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return qlm_signature_cache_register(pconf) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* ---- the configuration as written -------------------------------------------------------------
 */

/* The last directive `name` among `node` and its siblings (not inside containers), or NULL. */
static const ap_directive_t *find_directive(const ap_directive_t *node, const char *name)
{
    const ap_directive_t *found = NULL;

    for (; node; node = node->next) {
        if (strcasecmp(node->directive, name) == 0) {
            found = node;
        }
    }
    return found;
}

/* Is there a `QlmService on` anywhere at or below `node`? */
static int has_service(const ap_directive_t *node)
{
    for (; node; node = node->next) {
        if ((strcasecmp(node->directive, "QlmService") == 0 && strcasecmp(node->args, "on") == 0) ||
            has_service(node->first_child)) {
            return 1;
        }
    }
    return 0;
}

/* Access rules are looked up by the canonical spelling of a method's URL; a rule in another
 * spelling would never hold. */
static void check_locations(const ap_directive_t *node, server_rec *s, apr_pool_t *pool,
                            int *problems)
{
    for (; node; node = node->next) {
        const char *args = apr_pstrdup(pool, node->args);
        char *path = ap_getword_conf(pool, &args);
        const char *rest, *canonical;

        path[strcspn(path, ">")] = '\0';
        if (strcasecmp(node->directive, "<Location") == 0 && qlm_entry_find(NULL, &rest, path)) {
            canonical = qlm_entry_canonical("", qlm_entry_method(rest, pool), pool);
            if (!strstr(path, canonical)) {
                ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                             QLMNO(1111) "%s:%d: <Location \"%s\"> would never hold: end it as %s",
                             node->filename, node->line_num, path, canonical);
                ++*problems;
            }
        }
        check_locations(node->first_child, s, pool, problems);
    }
}

/* The container that defines a virtual host. */
static const ap_directive_t *find_host(const ap_directive_t *node, const server_rec *s)
{
    for (; node; node = node->next) {
        const ap_directive_t *inner;

        if (strcasecmp(node->directive, "<VirtualHost") == 0 &&
            node->line_num == (int)s->defn_line_number &&
            strcmp(node->filename, s->defn_name) == 0) {
            return node;
        }
        inner = find_host(node->first_child, s);
        if (inner) {
            return inner;
        }
    }
    return NULL;
}

/* The argument of a directive in force for `s`: its own, else the main server's. Quotes removed. */
static const char *setting_of(const server_rec *s, const char *name, apr_pool_t *pool)
{
    const ap_directive_t *host = s->is_virtual ? find_host(ap_conftree, s) : NULL;
    const ap_directive_t *found = host ? find_directive(host->first_child, name) : NULL;
    const char *args;

    if (!found) {
        found = find_directive(ap_conftree, name);
    }
    if (!found) {
        return NULL;
    }
    args = found->args;
    return ap_getword_conf(pool, &args);
}

/* ---- checks -----------------------------------------------------------------------------------
 */

static int is_config_test(void)
{
    return ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST;
}

/* May httpd's run-time user write `path`? (Only asked while httpd is root and its children will not
 * be.) */
static int is_writable_by_children(const char *path, apr_pool_t *pool)
{
    apr_finfo_t info;

    if (apr_stat(&info, path, APR_FINFO_PROT | APR_FINFO_OWNER, pool) != APR_SUCCESS) {
        return 0;
    }
    return (info.user == ap_unixd_config.user_id && (info.protection & APR_UWRITE)) ||
           (info.group == ap_unixd_config.group_id && (info.protection & APR_GWRITE)) ||
           (info.protection & APR_WWRITE);
}

static void check_owner(const qlm_store_t *store, server_rec *s, apr_pool_t *pool, int *problems)
{
    const char *path = qlm_store_path(store);

    if (!path || geteuid() != 0) {
        return;
    }
    if (!is_writable_by_children(path, pool) ||
        !is_writable_by_children(ap_make_dirstr_parent(pool, path), pool)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     QLMNO(1104) "%s and its folder must be writable by the server's user: run "
                                 "`qlmctl init --user %s`",
                     path, ap_unixd_config.user_name ? ap_unixd_config.user_name : "NAME");
        ++*problems;
    }
}

static void check_mail(qlm_store_t *store, server_rec *s, apr_pool_t *pool)
{
    const char *mail_server = NULL;
    qlm_error_t *error = qlm_outbox_find_clear_login(&mail_server, store, pool);

    if (!error && mail_server) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     QLMNO(1112) "smtpUser and smtpPassword go to %s unencrypted: run `qlmctl "
                                 "property set smtpEnableSSL true`",
                     qlm_text_for_log(mail_server, 100, pool));
    }
}

/* What is asked of a database only once: what each call asks is left to the first. */
static qlm_error_t *check_store(qlm_store_t *store, server_rec *s, apr_pool_t *pool)
{
    const qlm_secrets_t *secrets = qlm_server_conf(s)->secrets;

    QLM_TRY(qlm_store_check(store, pool));
    QLM_TRY(qlm_store_check_rights(store, pool));
    return secrets ? qlm_ownership_check(store, secrets, pool) : NULL;
}

static void check_database(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp, int *problems)
{
    const char *driver = setting_of(s, "DBDriver", ptemp);
    const char *params = setting_of(s, "DBDParams", ptemp);
    apr_pool_t *pool;
    qlm_store_t *store;
    qlm_error_t *error;

    if (!driver || !params) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     QLMNO(1105) "no database: add DBDriver and DBDParams to the configuration");
        ++*problems;
        return;
    }
    qlm_server_conf(s)->database_driver = apr_pstrdup(pconf, driver);
    qlm_server_conf(s)->database_params = apr_pstrdup(pconf, params);
    if (strcmp(driver, "sqlite3") == 0) {
        qlm_server_conf(s)->database_path = qlm_server_conf(s)->database_params;
    }
    apr_pool_create(&pool, ptemp);
    error = qlm_store_open(&store, driver, params, 1, pool);
    if (!error) {
        error = check_store(store, s, pool);
    }
    if (error) {
        ap_log_error(APLOG_MARK, APLOG_ERR, error->status, s, QLMNO(1106) "database: %s",
                     error->detail ? error->detail : error->text);
        ++*problems;
    }
    else {
        check_owner(store, s, pool, problems);
        check_mail(store, s, pool);
        qlm_clocks_check(s, store, pool);
    }
    apr_pool_destroy(pool);
}

static void load_secrets(server_rec *s, apr_pool_t *pool, int *problems)
{
    qlm_server_conf_t *conf = qlm_server_conf(s);
    qlm_error_t *error = qlm_secrets_load(&conf->secrets, conf->secret_file, pool);

    if (error) {
        ap_log_error(APLOG_MARK, APLOG_ERR, error->status, s, QLMNO(1107) "QlmSecretFile: %s%s%s",
                     error->text, error->detail ? "; " : "", error->detail ? error->detail : "");
        ++*problems;
    }
}

/* For `qlmctl --httpd`: a line for each site, on standard output. A tab inside a value is no more
 * than a blank there. */
static void print_sites(const server_rec *s, apr_pool_t *pool)
{
    for (; s; s = s->next) {
        const char *values[] = {s->server_hostname, qlm_server_conf(s)->secret_file,
                                setting_of(s, "DBDriver", pool), setting_of(s, "DBDParams", pool)};
        const char *line = "QlmSite";

        for (size_t i = 0; line && i < sizeof(values) / sizeof(*values); i++) {
            line = values[i] ? apr_pstrcat(pool, line, "\t",
                                           qlm_text_clean(values[i], SETTING_MAX, pool), NULL)
                             : NULL;
        }
        if (line) {
            printf("%s\n", line);
        }
    }
    fflush(stdout);
}

int qlm_startup_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    int problems = 0, database_problems = 0, sites = 0;

    (void)plog;
    if (is_config_test() && ap_exists_config_define("DUMP_QLM")) {
        print_sites(s, ptemp);
        return OK;
    }
    for (server_rec *each = s; each; each = each->next) {
        if (qlm_server_conf(each)->secret_file) {
            sites++;
            load_secrets(each, pconf, &problems);
        }
    }
    if (!has_service(ap_conftree)) {
        return OK;
    }
    check_locations(ap_conftree, s, ptemp, &problems);
    if (!sites) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, 0, s,
            QLMNO(1108) "QlmService needs QlmSecretFile: run `qlmctl init` and name the file");
        problems++;
    }
    if (!qlm_database_init()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                     QLMNO(1109) "QlmService needs mod_dbd: load it (on Debian `a2enmod dbd`)");
        problems++;
    }
    else {
        for (server_rec *each = s; each; each = each->next) {
            if (qlm_server_conf(each)->secret_file) {
                check_database(each, pconf, ptemp, &database_problems);
            }
        }
    }
    /* A database that is away fails the test of a configuration; a server that runs already goes on
     * and answers 503. */
    return problems || (database_problems && is_config_test()) ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* ---- start ------------------------------------------------------------------------------------
 */

int qlm_startup_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    qlm_server_conf_t *main_conf = qlm_server_conf(s);
    int sites = 0;

    (void)plog;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    qlm_database_init();
    if (qlm_signature_cache_create(&main_conf->cache, main_conf->signature_cache, s, pconf,
                                   ptemp) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    for (server_rec *each = s; each; each = each->next) {
        qlm_server_conf(each)->cache = main_conf->cache;
        if (qlm_server_conf(each)->secrets) {
            qlm_server_conf(each)->bell = qlm_bell_create(pconf);
            sites++;
        }
    }
    return sites == 0 || qlm_worker_register(pconf, s) ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* What one server needs in this child. */
static void make_service(qlm_server_conf_t *conf, apr_pool_t *pchild, server_rec *s)
{
    qlm_error_t *error = qlm_writer_create(&conf->writer, pchild);

    if (error) {
        ap_log_error(APLOG_MARK, APLOG_ERR, error->status, s, QLMNO(1110) "%s", error->text);
        return;
    }
    qlm_writer_use_bell(conf->writer, conf->bell);
    if (conf->group_commit == 0) {
        qlm_writer_commit_alone(conf->writer);
    }
    error = qlm_outbound_create(conf, pchild);
    if (error) {
        ap_log_error(APLOG_MARK, APLOG_ERR, error->status, s, QLMNO(1207) "outbound: %s",
                     error->text);
    }
    conf->service = qlm_service_create(conf->secrets, pchild);
    qlm_housekeeping_register(s, pchild);
}

void qlm_startup_child_init(apr_pool_t *pchild, server_rec *s)
{
    qlm_worker_init(pchild, s);
    qlm_signature_cache_child(qlm_server_conf(s)->cache, pchild, s);
    for (server_rec *each = s; each; each = each->next) {
        if (qlm_server_conf(each)->secrets) {
            make_service(qlm_server_conf(each), pchild, each);
        }
    }
}
