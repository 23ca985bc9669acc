/* A product version and its keys. */
#ifndef QLM_LICENSE_PRODUCT_H
#define QLM_LICENSE_PRODUCT_H

#include <apr_pools.h>

typedef enum qlm_algorithm_t { QLM_ALGORITHM_RSA_SHA256, QLM_ALGORITHM_RSA_SHA1 } qlm_algorithm_t;

typedef struct qlm_product_t {
    int id, major, minor; /**< the identity; versions 0..99 */
    const char *name;
    apr_int64_t
        released_at; /**< start of the release day, 0 = unknown; decides maintenance plans */
    qlm_algorithm_t algorithm;
    const char *public_key_pem; /**< SubjectPublicKeyInfo */
    const char *
        private_key_sealed; /**< PKCS#8 PEM under qlm_secrets_seal, identity qlm_product_identity */
    const char *features;   /**< names, "set:id:name;…"; "" if there are none */
    const char *latest_version, *latest_version_url, *latest_version_notes; /**< "" if not said */
} qlm_product_t;

/** The identity under which the private key is sealed, such as "product/1/1/0/private"; in @a pool.
 */
const char *qlm_product_identity(int id, int major, int minor, apr_pool_t *pool);

/** "rsa-sha256" or "rsa-sha1"; static. */
const char *qlm_algorithm_name(qlm_algorithm_t algorithm);

/** Read such a name. @return 1 and *algorithm set, or 0 */
int qlm_algorithm_parse(qlm_algorithm_t *algorithm, const char *text);

#endif
