/* Remembers signatures for all children in httpd's shared object cache: an unchanged document has
 * an unchanged signature. */
#ifndef QLM_WEB_SIGNATURE_CACHE_H
#define QLM_WEB_SIGNATURE_CACHE_H

#include "web/web.h"

typedef struct qlm_signature_cache_t qlm_signature_cache_t;

/** Reserve the cache's lock type; hook pre_config. */
int qlm_signature_cache_register(apr_pool_t *pconf);

/** Make the cache a server's settings ask for; hook post_config. *cache is NULL when it is off or
 * mod_socache_shmcb is not loaded and nothing was asked for. @return APR_SUCCESS, or a status after
 * a line in the log */
apr_status_t qlm_signature_cache_create(qlm_signature_cache_t **cache, const char *setting,
                                        server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp);

/** Open the lock in a child; hook child_init. */
void qlm_signature_cache_child(qlm_signature_cache_t *cache, apr_pool_t *pchild, server_rec *s);

/** The cache as the signer sees it, for one request; NULL if @a cache is. */
const qlm_signature_memory_t *qlm_signature_cache_memory(qlm_signature_cache_t *cache,
                                                         request_rec *r);

#endif
