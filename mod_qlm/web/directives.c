/* The directives of mod_qlm. Defaults apply when a setting is read, not when it is created. */
#include "web/directives.h"

#include "base/text.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <stddef.h>
#include <string.h>

/* ---- create and merge: one member list each ---------------------------------------------------
 */

#define SERVER_MEMBERS(X)                                                                          \
    X(const char *, secret_file, NULL)                                                             \
    X(const char *, signature_cache, NULL)                                                         \
    X(const char *, proxy, NULL)                                                                   \
    X(const char *, ca_file, NULL)                                                                 \
    X(int, group_commit, -1)

#define DIR_MEMBERS(X)                                                                             \
    X(int, service, -1)                                                                            \
    X(int, index, -1)                                                                              \
    X(apr_int64_t, max_body, -1)                                                                   \
    X(const char *, server_version, NULL)                                                          \
    X(const char *, public_base, NULL)

#define UNSET(type, member, unset) conf->member = (unset);
#define MERGE(type, member, unset)                                                                 \
    conf->member = add->member != (unset) ? add->member : base->member;

void *qlm_directives_create_dir(apr_pool_t *pool, char *path)
{
    qlm_dir_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    conf->location = path;
    DIR_MEMBERS(UNSET)
    return conf;
}

void *qlm_directives_merge_dir(apr_pool_t *pool, void *outer, void *inner)
{
    const qlm_dir_conf_t *base = outer;
    const qlm_dir_conf_t *add = inner;
    qlm_dir_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    DIR_MEMBERS(MERGE)
    conf->location = add->service != -1 ? add->location : base->location;
    return conf;
}

void *qlm_directives_create_server(apr_pool_t *pool, server_rec *s)
{
    qlm_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    (void)s;
    SERVER_MEMBERS(UNSET)
    return conf;
}

void *qlm_directives_merge_server(apr_pool_t *pool, void *outer, void *inner)
{
    const qlm_server_conf_t *base = outer;
    const qlm_server_conf_t *add = inner;
    qlm_server_conf_t *conf = apr_pcalloc(pool, sizeof(*conf));

    SERVER_MEMBERS(MERGE)
    return conf;
}

/* ---- setters ----------------------------------------------------------------------------------
 */

static const char *set_secret_file(cmd_parms *cmd, void *dir, const char *value)
{
    const char *only = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    if (only) {
        return only;
    }
    qlm_server_conf(cmd->server)->secret_file = ap_server_root_relative(cmd->pool, value);
    return NULL;
}

static const char *set_signature_cache(cmd_parms *cmd, void *dir, const char *value)
{
    const char *only = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    if (only) {
        return only;
    }
    if (strcasecmp(value, "off") != 0 && strncasecmp(value, "shmcb", 5) != 0) {
        return "QlmSignatureCache takes off or shmcb[:ARGUMENTS]";
    }
    qlm_server_conf(cmd->server)->signature_cache = value;
    return NULL;
}

static const char *set_proxy(cmd_parms *cmd, void *dir, const char *value)
{
    const char *only = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    if (only) {
        return only;
    }
    qlm_server_conf(cmd->server)->proxy = value;
    return NULL;
}

static const char *set_ca_file(cmd_parms *cmd, void *dir, const char *value)
{
    const char *only = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    if (only) {
        return only;
    }
    qlm_server_conf(cmd->server)->ca_file = ap_server_root_relative(cmd->pool, value);
    return NULL;
}

static const char *set_group_commit(cmd_parms *cmd, void *dir, int value)
{
    const char *only = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);

    (void)dir;
    if (!only) {
        qlm_server_conf(cmd->server)->group_commit = value;
    }
    return only;
}

static const char *set_max_body(cmd_parms *cmd, void *dir, const char *value)
{
    (void)cmd;
    if (!qlm_text_to_int64(&((qlm_dir_conf_t *)dir)->max_body, value, 1024, 1 << 30)) {
        return "QlmMaxBody takes a number of bytes from 1024 to 1073741824";
    }
    return NULL;
}

static const char *set_server_version(cmd_parms *cmd, void *dir, const char *value)
{
    apr_array_header_t *parts = qlm_text_split(value, ".", cmd->temp_pool);
    int is_good = parts->nelts == 4;
    apr_int64_t part;

    for (int i = 0; i < parts->nelts; i++) {
        is_good &= qlm_text_to_int64(&part, APR_ARRAY_IDX(parts, i, const char *), 0, 999999);
    }
    if (!is_good) {
        return "QlmServerVersion takes four numbers, such as 19.1.25322.2";
    }
    ((qlm_dir_conf_t *)dir)->server_version = value;
    return NULL;
}

static const char *set_public_base(cmd_parms *cmd, void *dir, const char *value)
{
    apr_uri_t uri;

    if (apr_uri_parse(cmd->temp_pool, value, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        !*uri.hostname ||
        (strcasecmp(uri.scheme, "https") != 0 && strcasecmp(uri.scheme, "http")) || uri.user ||
        uri.query || uri.fragment) {
        return "QlmPublicBase takes the URL that clients use, such as https://licenses.example.com";
    }
    ((qlm_dir_conf_t *)dir)->public_base = value;
    return NULL;
}

#define FLAG(name, member, help)                                                                   \
    AP_INIT_FLAG(name, ap_set_flag_slot, (void *)offsetof(qlm_dir_conf_t, member), ACCESS_CONF,    \
                 help)

const command_rec qlm_directives[] = {
    AP_INIT_TAKE1("QlmSecretFile", set_secret_file, NULL, RSRC_CONF,
                  "file of the site secret, made by `qlmctl init`"),
    AP_INIT_TAKE1("QlmSignatureCache", set_signature_cache, NULL, RSRC_CONF,
                  "off, or shmcb[:ARGUMENTS]: where signatures are remembered"),
    AP_INIT_TAKE1("QlmOutboundProxy", set_proxy, NULL, RSRC_CONF,
                  "proxy for the server's own HTTP calls, such as http://proxy:3128"),
    AP_INIT_TAKE1("QlmOutboundCAFile", set_ca_file, NULL, RSRC_CONF,
                  "certificate authorities for the server's own HTTP calls"),
    AP_INIT_FLAG("QlmGroupCommit", set_group_commit, NULL, RSRC_CONF,
                 "off: each unit of work is committed to SQLite by itself"),
    FLAG("QlmService", service, "on: qlmservice.asmx below this <Location> is the license service"),
    FLAG("QlmIndex", index, "on: the bare service URL lists the methods"),
    AP_INIT_TAKE1("QlmMaxBody", set_max_body, NULL, ACCESS_CONF, "largest request body in bytes"),
    AP_INIT_TAKE1("QlmServerVersion", set_server_version, NULL, ACCESS_CONF,
                  "four-part version that PingHttp reports"),
    AP_INIT_TAKE1("QlmPublicBase", set_public_base, NULL, ACCESS_CONF,
                  "the URL that clients use, when a proxy stands in front"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

/* ---- access -----------------------------------------------------------------------------------
 */

qlm_server_conf_t *qlm_server_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &qlm_module);
}

qlm_dir_conf_t *qlm_dir_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &qlm_module);
}

qlm_request_conf_t *qlm_request_conf(request_rec *r)
{
    qlm_request_conf_t *conf = ap_get_module_config(r->request_config, &qlm_module);

    if (!conf) {
        conf = apr_pcalloc(r->pool, sizeof(*conf));
        ap_set_module_config(r->request_config, &qlm_module, conf);
    }
    return conf;
}
