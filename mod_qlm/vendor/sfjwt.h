/* The signed statement by which Salesforce's JWT bearer grant logs in. */
#ifndef QLM_VENDOR_SFJWT_H
#define QLM_VENDOR_SFJWT_H

#include "base/error.h"

#define QLM_SFJWT_SECONDS                                                                          \
    180 /**< how long it is good for; Salesforce takes at most five minutes                        \
         */

typedef struct qlm_sfjwt_t {
    const char *issuer;   /**< consumer key */
    const char *subject;  /**< user name */
    const char *audience; /**< "https://login.salesforce.com" */
    apr_int64_t expires_at;
} qlm_sfjwt_t;

/** Sign @a claims with RS256.
 * @param key  an RSA private key that is not encrypted: PEM (PKCS#8 or PKCS#1), also with its lines
 * joined, or the bare base64 of its DER
 * The result lives in @a pool. Errors: OUTBOUND, without a word of the key. */
qlm_error_t *qlm_sfjwt_sign(const char **jwt, const qlm_sfjwt_t *claims, const char *key,
                            apr_pool_t *pool);

#endif
