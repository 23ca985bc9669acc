/* RSA keys of products, XML signatures over our own canonical documents, and their verification.
 * OpenSSL's EVP does the work. */
#ifndef QLM_LICENSE_SIGNATURE_H
#define QLM_LICENSE_SIGNATURE_H

#include "base/buffer.h"
#include "base/error.h"
#include "license/product.h"

/** A parsed private key. Immutable; may be used by several threads at once; freed with its pool. */
typedef struct qlm_private_key_t qlm_private_key_t;

/** Make an RSA key pair of @a bits (2048 by default, 1024..8192). Both PEM texts are in @a pool.
 * Errors: INTERNAL. */
qlm_error_t *qlm_signature_generate(const char **private_pem, const char **public_pem, int bits,
                                    apr_pool_t *pool);

/** Read an RSA key pair that another server made, `<RSAKeyValue>` with the private numbers. Both
 * PEM texts are in @a pool. Errors: ARGUMENT, if it is none or has less than 1024 or more than 8192
 * bits. */
qlm_error_t *qlm_signature_read_pair(const char **private_pem, const char **public_pem,
                                     const char *key_value, apr_pool_t *pool);

/** Parse a private key; about 0.5 ms, so keep the result. Lives as long as @a pool. Errors:
 * INTERNAL. */
qlm_error_t *qlm_signature_load(qlm_private_key_t **key, const char *private_pem, apr_pool_t *pool);

/** The public key as `<RSAKeyValue><Modulus>…</Modulus><Exponent>…</Exponent></RSAKeyValue>`, in @a
 * pool. Errors: INTERNAL. */
qlm_error_t *qlm_signature_public_xml(const char **xml, const char *public_pem, apr_pool_t *pool);

/** Remembers signatures by what they sign; RSA PKCS#1 v1.5 is deterministic, so nothing needs to be
 * invalidated. */
typedef struct qlm_signature_memory_t {
    /** @return 1 and *signature (base64 text in @a pool), or 0 */
    int (*recall)(void *baton, const unsigned char id[32], const char **signature,
                  apr_pool_t *pool);
    void (*remember)(void *baton, const unsigned char id[32], const char *signature);
    void *baton;
} qlm_signature_memory_t;

/** Append `<Signature …>` to a document.
 * @param content  the canonical bytes that are signed: the whole root element without the
 * Signature, that is
 *                 "<QuickLicenseManager>" … "</QuickLicenseManager>"
 * @param memory   may be NULL
 * The result is content with the Signature as last child of the root, nothing between
 * `</Signature>` and the root's end tag; no XML declaration. In @a pool. Profile: XML-DSig
 * enveloped, Reference URI="", inclusive C14N 1.0, no KeyInfo. Errors: INTERNAL with code 215. */
qlm_error_t *qlm_signature_sign(const char **document, const char *content,
                                const qlm_private_key_t *key, qlm_algorithm_t algorithm,
                                const qlm_signature_memory_t *memory, apr_pool_t *pool);

/** Verify a signed license document (with or without BOM and declaration) against a public key in
 * PEM or RSAKeyValue form: parses with libxml2 (no network, no entities, no DTD), canonicalises
 * with libxml2, checks digest and signature, and that the profile is ours. *reason is a sentence in
 * @a pool: what was found ("valid, rsa-sha256"), or what is wrong.
 * @return 1 valid, 0 not valid */
int qlm_signature_verify(const char **reason, const char *document, apr_size_t length,
                         const char *public_key, apr_pool_t *pool);

#endif
