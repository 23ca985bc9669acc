/* The web room: the only one that knows httpd. What its files share. */
#ifndef QLM_WEB_WEB_H
#define QLM_WEB_WEB_H

#include "base/crypto.h"
#include "service/entry.h"
#include "service/service.h"

#include <httpd.h>

#include <http_config.h>
#include <http_log.h>
#include <mod_dbd.h>

/* Declares the module's log index in every file of the room. */
APLOG_USE_MODULE(qlm);

/** The prefix of a log message: its own id, never reused, listed in docs/log-ids.md. */
#define QLMNO(n) "QLM" #n ": "

#define QLM_HANDLER "qlm-handler"

struct qlm_lanes_t;           /* web/worker.c */
struct qlm_signature_cache_t; /* web/signature_cache.h */

/** Settings of a server (virtual host). */
typedef struct qlm_server_conf_t {
    const char *secret_file; /**< NULL = not set here */
    const char *proxy;       /**< for outbound HTTP, NULL = none */
    const char *ca_file;     /**< certificate authorities for outbound HTTP, NULL = the system's */
    int group_commit;        /**< QlmGroupCommit, -1 = not set */
    const char *signature_cache;         /**< "off", "shmcb[:args]", NULL = default */
    const char *database_driver;         /**< DBDriver, as it was read at start */
    const char *database_params;         /**< DBDParams, as they were read at start */
    const char *database_path;           /**< the SQLite file; NULL for other engines */
    const qlm_secrets_t *secrets;        /**< read while httpd is still root */
    struct qlm_signature_cache_t *cache; /**< made at start, NULL if off */
    qlm_service_t *service;              /**< made in each child */
    struct qlm_http_t *http;             /**< outbound HTTP of this child */
    struct qlm_lanes_t *lanes;           /**< the outbox's workers; of the main server */
    const char *owner;                   /**< how this child signs a lease */
    apr_uint32_t is_database_away;       /**< it lets callers in this child wait, in vain */
    apr_uint32_t is_database_tried;      /**< by one of them */
    struct qlm_bell_t *bell;             /**< by which the children's writers wake each other */
    qlm_writer_t *writer;                /**< the writer lock of its database in this child */
    apr_time_t clock_looked_at;          /**< when it was last compared with the database's */
} qlm_server_conf_t;

/** Settings of a <Location>; -1 and NULL are "not set here". */
typedef struct qlm_dir_conf_t {
    const char *location;       /**< path of the section that sets QlmService */
    int service;                /**< QlmService */
    int index;                  /**< QlmIndex */
    apr_int64_t max_body;       /**< QlmMaxBody, bytes */
    const char *server_version; /**< QlmServerVersion */
    const char *public_base;    /**< QlmPublicBase */
} qlm_dir_conf_t;

/** What a request carries between the hooks. */
typedef struct qlm_request_conf_t {
    const qlm_entry_t *entry; /**< the entry point of a service's URL; NULL = it is none */
    const char *method;       /**< what was called there, canonical; "" = nothing */
    const char *args; /**< the query string as it came, with passwords; NULL if it was not masked */
    const char *target; /**< the same of the whole request target */
} qlm_request_conf_t;

extern module AP_MODULE_DECLARE_DATA qlm_module;

/** The server's, directory's and request's settings. */
qlm_server_conf_t *qlm_server_conf(const server_rec *s);
qlm_dir_conf_t *qlm_dir_conf(const request_rec *r);
/** Made at the first call for a request. */
qlm_request_conf_t *qlm_request_conf(request_rec *r);

#endif
