/* The signature cache on mod_socache_shmcb. A failing cache costs a signature, never an answer. */
#include "web/signature_cache.h"

#include <ap_socache.h>
#include <apr_global_mutex.h>
#include <apr_strings.h>
#include <string.h>
#include <util_mutex.h>

#define SIGNATURE_MAX 2048 /* base64 of an RSA-8192 signature is 1368 bytes */

static const char lock_type[] = "qlm-signatures";
static const apr_interval_time_t lifetime =
    apr_time_from_sec(120); /* documents change each minute */

struct qlm_signature_cache_t {
    const ap_socache_provider_t *provider;
    ap_socache_instance_t *instance;
    apr_global_mutex_t *lock; /* NULL if the provider locks by itself */
};

/* What a request's memory needs. */
typedef struct memory_t {
    qlm_signature_memory_t memory;
    qlm_signature_cache_t *cache;
    request_rec *r;
} memory_t;

int qlm_signature_cache_register(apr_pool_t *pconf)
{
    return ap_mutex_register(pconf, lock_type, NULL, APR_LOCK_DEFAULT, 0) == APR_SUCCESS;
}

static apr_status_t destroy(void *data)
{
    qlm_signature_cache_t *cache = ((void **)data)[0];

    cache->provider->destroy(cache->instance, ((void **)data)[1]);
    return APR_SUCCESS;
}

static apr_status_t init(qlm_signature_cache_t *cache, server_rec *s, apr_pool_t *pconf)
{
    static const struct ap_socache_hints hints = {32, 344, apr_time_from_sec(120)};
    apr_status_t status;
    void **both;

    if (cache->provider->flags & AP_SOCACHE_FLAG_NOTMPSAFE) {
        status = ap_global_mutex_create(&cache->lock, NULL, lock_type, NULL, s, pconf, 0);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    status = cache->provider->init(cache->instance, "qlm-signatures", &hints, s, pconf);
    if (status == APR_SUCCESS) {
        both = apr_palloc(pconf, 2 * sizeof(*both));
        both[0] = cache;
        both[1] = s;
        apr_pool_cleanup_register(pconf, both, destroy, apr_pool_cleanup_null);
    }
    return status;
}

apr_status_t qlm_signature_cache_create(qlm_signature_cache_t **cache, const char *setting,
                                        server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp)
{
    const char *arguments = setting ? strchr(setting, ':') : NULL;
    const char *wrong;
    qlm_signature_cache_t *made;
    apr_status_t status;

    *cache = NULL;
    if (setting && strcasecmp(setting, "off") == 0) {
        return APR_SUCCESS;
    }
    made = apr_pcalloc(pconf, sizeof(*made));
    made->provider =
        ap_lookup_provider(AP_SOCACHE_PROVIDER_GROUP, "shmcb", AP_SOCACHE_PROVIDER_VERSION);
    if (!made->provider) {
        if (setting) {
            ap_log_error(
                APLOG_MARK, APLOG_ERR, 0, s,
                QLMNO(1101) "QlmSignatureCache %s needs mod_socache_shmcb: load it, or set "
                            "QlmSignatureCache off",
                setting);
            return APR_EGENERAL;
        }
        return APR_SUCCESS;
    }
    wrong = made->provider->create(
        &made->instance,
        arguments ? arguments + 1 : ap_runtime_dir_relative(ptemp, "qlm-signatures(1048576)"),
        ptemp, pconf);
    status = wrong ? APR_EINVAL : init(made, s, pconf);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, status, s,
                     QLMNO(1102) "the signature cache cannot be made%s%s: check QlmSignatureCache",
                     wrong ? ": " : "", wrong ? wrong : "");
        return status;
    }
    *cache = made;
    return APR_SUCCESS;
}

void qlm_signature_cache_child(qlm_signature_cache_t *cache, apr_pool_t *pchild, server_rec *s)
{
    apr_status_t status;

    if (!cache || !cache->lock) {
        return;
    }
    status =
        apr_global_mutex_child_init(&cache->lock, apr_global_mutex_lockfile(cache->lock), pchild);
    if (status != APR_SUCCESS) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, status, s,
            QLMNO(1103) "the lock of the signature cache cannot be opened: every document is "
                        "signed anew");
        cache->lock = NULL;
        cache->provider = NULL;
    }
}

static int lock(const qlm_signature_cache_t *cache)
{
    return !cache->lock || apr_global_mutex_lock(cache->lock) == APR_SUCCESS;
}

static void unlock(const qlm_signature_cache_t *cache)
{
    if (cache->lock) {
        apr_global_mutex_unlock(cache->lock);
    }
}

static int recall(void *baton, const unsigned char id[32], const char **signature, apr_pool_t *pool)
{
    const memory_t *memory = baton;
    const qlm_signature_cache_t *cache = memory->cache;
    unsigned char found[SIGNATURE_MAX];
    unsigned int length = sizeof(found);
    apr_status_t status;

    if (!lock(cache)) {
        return 0;
    }
    status = cache->provider->retrieve(cache->instance, memory->r->server, id, 32, found, &length,
                                       memory->r->pool);
    unlock(cache);
    if (status != APR_SUCCESS) {
        return 0;
    }
    *signature = apr_pstrmemdup(pool, (const char *)found, length);
    return 1;
}

static void remember(void *baton, const unsigned char id[32], const char *signature)
{
    const memory_t *memory = baton;
    const qlm_signature_cache_t *cache = memory->cache;
    apr_size_t length = strlen(signature);

    if (length > SIGNATURE_MAX || !lock(cache)) {
        return;
    }
    cache->provider->store(cache->instance, memory->r->server, id, 32, apr_time_now() + lifetime,
                           (unsigned char *)(apr_uintptr_t)signature, (unsigned int)length,
                           memory->r->pool);
    unlock(cache);
}

const qlm_signature_memory_t *qlm_signature_cache_memory(qlm_signature_cache_t *cache,
                                                         request_rec *r)
{
    memory_t *memory;

    if (!cache || !cache->provider) {
        return NULL;
    }
    memory = apr_palloc(r->pool, sizeof(*memory));
    memory->memory.recall = recall;
    memory->memory.remember = remember;
    memory->memory.baton = memory;
    memory->cache = cache;
    memory->r = r;
    return &memory->memory;
}
