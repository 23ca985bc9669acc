/* The site secret and what is derived from it. OpenSSL does the work.
 *
 * A site secret is 32 random bytes. The secret file holds one per line as 64 hex digits, newest
 * first; empty lines and lines beginning with # are skipped. Purposes are separated by HKDF-SHA256
 * (RFC 5869, no salt, info = purpose text); derived keys are made once, when the secrets are
 * loaded. New values are made with the newest secret; checks accept any. A qlm_secrets_t is
 * immutable after loading and may be shared by threads. */
#ifndef QLM_BASE_CRYPTO_H
#define QLM_BASE_CRYPTO_H

#include "base/error.h"

typedef struct qlm_secrets_t qlm_secrets_t;

/** What a derived key is for. */
typedef enum qlm_purpose_t {
    QLM_PURPOSE_KEY_CHECK,    /**< check digits of activation keys */
    QLM_PURPOSE_COMPUTER_KEY, /**< computer keys */
    QLM_PURPOSE_CREDENTIAL,   /**< verifiers of is_pwd passwords */
    QLM_PURPOSE_SEAL,         /**< encryption at rest */
    QLM_PURPOSE_COUNT
} qlm_purpose_t;

#define QLM_MAC_BYTES    32
#define QLM_SECRET_BYTES 32

/** Write a new secret file (mode 0600, never over an existing file). Errors: INTERNAL, with the
 * path in the text. */
qlm_error_t *qlm_secrets_create(const char *path, apr_pool_t *pool);

/** Read the secret file. Refused if it is readable by others than its owner (and group root), empty
 * or malformed. Errors: INTERNAL; the text names the remedy. *secrets lives in @a pool. */
qlm_error_t *qlm_secrets_load(const qlm_secrets_t **secrets, const char *path, apr_pool_t *pool);

/** Secrets from memory, newest first, each QLM_SECRET_BYTES (tests, fuzzing). @return NULL when
 * there is none or OpenSSL fails */
const qlm_secrets_t *qlm_secrets_from_bytes(const unsigned char *bytes, int count,
                                            apr_pool_t *pool);

/** How many secrets there are (at least 1). */
int qlm_secrets_count(const qlm_secrets_t *secrets);

/** HMAC-SHA256 of @a data under the key derived for @a purpose from secret number @a index (0 =
 * newest). Not for QLM_PURPOSE_SEAL, whose key is no MAC's. */
void qlm_secrets_mac(unsigned char mac[QLM_MAC_BYTES], const qlm_secrets_t *secrets, int index,
                     qlm_purpose_t purpose, const void *data, apr_size_t length);

/** A verifier for a password of @a owner (such as "vendor/cleverbridge"): "v1$" + base64 of an
 * HMAC. In @a pool. */
const char *qlm_secrets_verifier(const qlm_secrets_t *secrets, const char *owner,
                                 const char *password, apr_pool_t *pool);

/** Is @a password the one behind @a verifier? Fails closed: an empty, NULL or malformed verifier,
 * and an empty or NULL password, never match. The same work is done in any case: the time taken
 * depends on the password's length alone. */
int qlm_secrets_verify(const qlm_secrets_t *secrets, const char *owner, const char *password,
                       const char *verifier);

/** Encrypt @a text with AES-256-GCM; @a identity (such as "product/1/1/0/private") is authenticated
 * with it. The result is "s1$" + base64(nonce, ciphertext, tag), in @a pool. Errors: INTERNAL. */
qlm_error_t *qlm_secrets_seal(const char **sealed, const qlm_secrets_t *secrets,
                              const char *identity, const char *text, apr_pool_t *pool);

/** Undo qlm_secrets_seal with whichever secret fits. An empty @a sealed gives "". Errors: INTERNAL.
 */
qlm_error_t *qlm_secrets_open(const char **text, const qlm_secrets_t *secrets, const char *identity,
                              const char *sealed, apr_pool_t *pool);

/** Fill @a bytes from the system's CSPRNG. Errors: INTERNAL. */
qlm_error_t *qlm_random(void *bytes, apr_size_t length, apr_pool_t *pool);

/** Compare two texts in a time that depends on their lengths, not on what they say. NULL equals
 * nothing. */
int qlm_equal_constant_time(const char *given, const char *expected);

/** SHA-256 of @a text as 64 lower-case hex digits, in @a pool. Errors: INTERNAL. */
qlm_error_t *qlm_sha256_hex(const char **hex, const char *text, apr_pool_t *pool);

/** HMAC-SHA256 of @a text under @a key (its bytes as they are) as 64 lower-case hex digits, in @a
 * pool. For what others sign with a key that is shared with them. Errors: INTERNAL. */
qlm_error_t *qlm_hmac_sha256_hex(const char **hex, const char *key, const char *text,
                                 apr_pool_t *pool);

/** MD5 of @a text as 32 lower-case hex digits, in @a pool: for protocols that have it, never for
 * secrets of ours. Errors: INTERNAL where OpenSSL refuses it (FIPS mode). */
qlm_error_t *qlm_md5_hex(const char **hex, const char *text, apr_pool_t *pool);

/** base64 (RFC 4648 §4) with padding, one line, in @a pool. */
const char *qlm_base64_encode(const void *bytes, apr_size_t length, apr_pool_t *pool);

/** Strict base64: no blanks, padding in full, no bits left over, not empty. @return 1 with *bytes
 * and *length set (in @a pool), or 0 */
int qlm_base64_decode(unsigned char **bytes, apr_size_t *length, const char *text,
                      apr_pool_t *pool);

#endif
