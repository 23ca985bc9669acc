/* The key generator. Pure: randomness and secrets are arguments.
 *
 * An activation key of ours: 1 prefix letter + 25 symbols of Crockford's base 32 (digits and
 * capitals without I L O U): 5 bits layout version, 80 random bits, 40 bits of HMAC-SHA256 over
 * prefix, version and random part. Keys are stored and compared in normal form: no blanks, no
 * dashes, capitals. Keys of any other shape are "foreign" (imported) and opaque. */
#ifndef QLM_LICENSE_KEYGEN_H
#define QLM_LICENSE_KEYGEN_H

#include "base/crypto.h"
#include "license/model.h"

#define QLM_KEY_LENGTH       26
#define QLM_KEY_MAX_LENGTH   128 /**< longest key accepted, in normal form */
#define QLM_KEY_RANDOM_BYTES 10

typedef enum qlm_key_shape_t {
    QLM_KEY_UNREADABLE, /**< empty, too long, or characters no key has */
    QLM_KEY_FOREIGN,    /**< not our shape: only the database knows */
    QLM_KEY_MISTYPED,   /**< our shape and layout version, wrong check part */
    QLM_KEY_OURS        /**< our shape, check part right */
} qlm_key_shape_t;

/** Make an activation key in normal form, in @a pool. */
const char *qlm_keygen_activation(char prefix, const unsigned char random[QLM_KEY_RANDOM_BYTES],
                                  const qlm_secrets_t *secrets, apr_pool_t *pool);

/** Read a key as typed: drops blanks and dashes, upper-cases; for our shape reads O as 0 and I, L
 * as 1 after the prefix if that makes the check part right. *normal (never NULL, "" when
 * unreadable) is in @a pool. */
qlm_key_shape_t qlm_keygen_read(const char **normal, const char *typed,
                                const qlm_secrets_t *secrets, apr_pool_t *pool);

/** What a computer key certifies. */
typedef struct qlm_computer_claim_t {
    char prefix;
    const char *activation_key; /**< normal form */
    const char *computer_id;    /**< compared without case: folded before hashing */
    apr_int64_t expires_at;     /**< seconds, 0 = never */
    const char *features;       /**< stored form */
    int floating_seats;
    int num_licenses;
} qlm_computer_claim_t;

/** The computer key of a claim: prefix + 25 symbols of HMAC. Same claim, same key. In normal form,
 * in @a pool. */
const char *qlm_keygen_computer(const qlm_computer_claim_t *claim, const qlm_secrets_t *secrets,
                                apr_pool_t *pool);

/** The key with a dash after each @a group characters while more than @a last remain; 0 = without
 * dashes. In @a pool. */
const char *qlm_keygen_group(const char *normal, apr_size_t group, apr_size_t last,
                             apr_pool_t *pool);

/** The key as shown to people: a dash after each 5 while more than 9 characters remain. In @a pool.
 */
const char *qlm_keygen_display(const char *normal, apr_pool_t *pool);

/** A short form for logs that identifies without revealing: the first 5 characters and "…" as
 * "A1B2C...". In @a pool. */
const char *qlm_keygen_for_log(const char *key, apr_pool_t *pool);

#endif
