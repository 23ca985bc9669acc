/* Secrets, MACs, sealing, randomness: OpenSSL 3 behind the words of crypto.h. */
#include "base/crypto.h"

#include "base/text.h"

#include <apr_strings.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_BYTES 12
#define TAG_BYTES   16

/* The length of base64 of `bytes` bytes. */
#define BASE64_LENGTH(bytes) (((bytes) + 2) / 3 * 4)

/* What is derived from one secret. The MACs are kept with their key already taken in and are only
 * ever copied: looking an algorithm up and hashing the key would cost more than the data does. */
typedef struct derived_t {
    EVP_MAC_CTX *macs[QLM_PURPOSE_COUNT]; /* none for QLM_PURPOSE_SEAL */
    unsigned char seal[QLM_MAC_BYTES];
} derived_t;

struct qlm_secrets_t {
    int count;
    derived_t *derived; /* one per secret, newest first */
};

/* The info texts of HKDF; they must never change. */
static const char *const purposes[QLM_PURPOSE_COUNT] = {
    "mod_qlm key check v1",
    "mod_qlm computer key v1",
    "mod_qlm credential v1",
    "mod_qlm seal v1",
};

#define VERIFIER_MARK "v1$"
#define SEALED_MARK   "s1$"

/* ---- site secrets -----------------------------------------------------------------------------
 */

/* HKDF-SHA256, RFC 5869, without salt. Failing means OpenSSL is broken; the key is then cleared,
 * and the caller stops. */
static int derive(unsigned char key[QLM_MAC_BYTES], const unsigned char *secret, const char *info)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(apr_uintptr_t)secret,
                                          QLM_SECRET_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(apr_uintptr_t)info,
                                          strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    int is_good = context && EVP_KDF_derive(context, key, QLM_MAC_BYTES, params) > 0;

    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return is_good;
}

/* HMAC-SHA256 with its key taken in, or NULL. */
static EVP_MAC_CTX *make_mac(const unsigned char key[QLM_MAC_BYTES])
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac ? EVP_MAC_CTX_new(mac) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    EVP_MAC_free(mac);
    if (context && !EVP_MAC_init(context, key, QLM_MAC_BYTES, params)) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

static int derive_all(derived_t *derived, const unsigned char *secret)
{
    unsigned char key[QLM_MAC_BYTES];
    int is_good = derive(derived->seal, secret, purposes[QLM_PURPOSE_SEAL]);

    for (int p = 0; is_good && p < QLM_PURPOSE_COUNT; p++) {
        if (p != QLM_PURPOSE_SEAL) {
            is_good = derive(key, secret, purposes[p]) && (derived->macs[p] = make_mac(key));
        }
    }
    OPENSSL_cleanse(key, sizeof(key));
    return is_good;
}

static apr_status_t wipe(void *data)
{
    qlm_secrets_t *secrets = data;

    for (int i = 0; i < secrets->count; i++) {
        for (int p = 0; p < QLM_PURPOSE_COUNT; p++) {
            EVP_MAC_CTX_free(secrets->derived[i].macs[p]);
        }
        OPENSSL_cleanse(&secrets->derived[i], sizeof(derived_t));
    }
    return APR_SUCCESS;
}

const qlm_secrets_t *qlm_secrets_from_bytes(const unsigned char *bytes, int count, apr_pool_t *pool)
{
    qlm_secrets_t *secrets = apr_palloc(pool, sizeof(*secrets));

    if (count < 1) {
        return NULL;
    }
    secrets->count = count;
    secrets->derived = apr_pcalloc(pool, sizeof(derived_t) * (apr_size_t)count);
    apr_pool_cleanup_register(pool, secrets, wipe, apr_pool_cleanup_null);
    for (int i = 0; i < count; i++) {
        if (!derive_all(&secrets->derived[i], bytes + i * QLM_SECRET_BYTES)) {
            return NULL;
        }
    }
    return secrets;
}

int qlm_secrets_count(const qlm_secrets_t *secrets)
{
    return secrets->count;
}

/* HMAC of the two parts, one behind the other. Only want of memory can make it fail; no answer may
 * then be made of what is not a MAC. */
static void mac_of(unsigned char mac[QLM_MAC_BYTES], const EVP_MAC_CTX *keyed, const void *first,
                   apr_size_t first_length, const void *second, apr_size_t second_length)
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_dup(keyed);
    size_t length = 0;

    if (!context || !EVP_MAC_update(context, first, first_length) ||
        !EVP_MAC_update(context, second, second_length) ||
        !EVP_MAC_final(context, mac, &length, QLM_MAC_BYTES) || length != QLM_MAC_BYTES) {
        abort();
    }
    EVP_MAC_CTX_free(context);
}

void qlm_secrets_mac(unsigned char mac[QLM_MAC_BYTES], const qlm_secrets_t *secrets, int index,
                     qlm_purpose_t purpose, const void *data, apr_size_t length)
{
    mac_of(mac, secrets->derived[index].macs[purpose], data, length, "", 0);
}

/* ---- verifiers of passwords -------------------------------------------------------------------
 */

#define VERIFIER_MARK_LENGTH (sizeof(VERIFIER_MARK) - 1)
#define VERIFIER_SIZE        (VERIFIER_MARK_LENGTH + BASE64_LENGTH(QLM_MAC_BYTES) + 1)

/* The MAC is over owner, NUL, password: the NUL keeps owner and password apart. */
static void write_verifier(char verifier[VERIFIER_SIZE], const qlm_secrets_t *secrets, int index,
                           const char *owner, const char *password)
{
    unsigned char mac[QLM_MAC_BYTES];

    mac_of(mac, secrets->derived[index].macs[QLM_PURPOSE_CREDENTIAL], owner, strlen(owner) + 1,
           password, strlen(password));
    memcpy(verifier, VERIFIER_MARK, VERIFIER_MARK_LENGTH);
    EVP_EncodeBlock((unsigned char *)verifier + VERIFIER_MARK_LENGTH, mac, sizeof(mac));
}

const char *qlm_secrets_verifier(const qlm_secrets_t *secrets, const char *owner,
                                 const char *password, apr_pool_t *pool)
{
    char *verifier = apr_palloc(pool, VERIFIER_SIZE);

    write_verifier(verifier, secrets, 0, owner, password);
    return verifier;
}

int qlm_secrets_verify(const qlm_secrets_t *secrets, const char *owner, const char *password,
                       const char *verifier)
{
    char right[VERIFIER_SIZE];
    int is_given = !qlm_text_is_empty(password) && !qlm_text_is_empty(verifier);
    int is_match = 0;

    for (int i = 0; i < secrets->count; i++) {
        write_verifier(right, secrets, i, owner, password ? password : "");
        is_match |= qlm_equal_constant_time(right, verifier ? verifier : "");
    }
    return is_match & is_given;
}

/* ---- sealing ----------------------------------------------------------------------------------
 */

static qlm_error_t *seal_error(apr_pool_t *pool, const char *what, const char *identity)
{
    return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                          "%s cannot be %s: was the secret file changed?", identity, what);
}

qlm_error_t *qlm_secrets_seal(const char **sealed, const qlm_secrets_t *secrets,
                              const char *identity, const char *text, apr_pool_t *pool)
{
    int length = (int)strlen(text), done = 0, rest = 0;
    apr_size_t total = (apr_size_t)length + NONCE_BYTES + TAG_BYTES;
    unsigned char *out = apr_palloc(pool, total);
    EVP_CIPHER_CTX *context;
    int is_good;

    QLM_TRY(qlm_random(out, NONCE_BYTES, pool));
    context = EVP_CIPHER_CTX_new();
    is_good =
        context &&
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, secrets->derived[0].seal, out) > 0 &&
        EVP_EncryptUpdate(context, NULL, &rest, (const unsigned char *)identity,
                          (int)strlen(identity)) > 0 &&
        EVP_EncryptUpdate(context, out + NONCE_BYTES, &done, (const unsigned char *)text, length) >
            0 &&
        EVP_EncryptFinal_ex(context, out + NONCE_BYTES + done, &rest) > 0 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + NONCE_BYTES + length) >
            0;
    EVP_CIPHER_CTX_free(context);
    if (!is_good) {
        return seal_error(pool, "encrypted", identity);
    }
    *sealed = apr_pstrcat(pool, SEALED_MARK, qlm_base64_encode(out, total, pool), NULL);
    return NULL;
}

/* Try one secret. `in` is nonce, ciphertext, tag. */
static int open_with(char *text, const unsigned char *key, const char *identity,
                     const unsigned char *in, int length)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char tag[TAG_BYTES];
    int done = 0, rest = 0, is_good;

    memcpy(tag, in + NONCE_BYTES + length, TAG_BYTES);
    is_good =
        context && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, in) > 0 &&
        EVP_DecryptUpdate(context, NULL, &rest, (const unsigned char *)identity,
                          (int)strlen(identity)) > 0 &&
        EVP_DecryptUpdate(context, (unsigned char *)text, &done, in + NONCE_BYTES, length) > 0 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) > 0 &&
        EVP_DecryptFinal_ex(context, (unsigned char *)text + done, &rest) > 0;
    EVP_CIPHER_CTX_free(context);
    if (!is_good) {
        OPENSSL_cleanse(text, (apr_size_t)length); /* whatever it is, it is not genuine */
    }
    text[length] = '\0';
    return is_good;
}

qlm_error_t *qlm_secrets_open(const char **text, const qlm_secrets_t *secrets, const char *identity,
                              const char *sealed, apr_pool_t *pool)
{
    unsigned char *in;
    apr_size_t length;
    char *opened;

    if (qlm_text_is_empty(sealed)) {
        *text = "";
        return NULL;
    }
    if (strncmp(sealed, SEALED_MARK, sizeof(SEALED_MARK) - 1) != 0 ||
        !qlm_base64_decode(&in, &length, sealed + sizeof(SEALED_MARK) - 1, pool) ||
        length < NONCE_BYTES + TAG_BYTES) {
        return seal_error(pool, "decrypted", identity);
    }
    length -= NONCE_BYTES + TAG_BYTES;
    opened = apr_palloc(pool, length + 1);
    for (int i = 0; i < secrets->count; i++) {
        if (open_with(opened, secrets->derived[i].seal, identity, in, (int)length)) {
            *text = opened;
            return NULL;
        }
    }
    return seal_error(pool, "decrypted", identity);
}

/* ---- small things -----------------------------------------------------------------------------
 */

qlm_error_t *qlm_random(void *bytes, apr_size_t length, apr_pool_t *pool)
{
    if (RAND_bytes(bytes, (int)length) == 1) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                          "the system has no random numbers to give");
}

/* Texts of different length are unequal at once, but the time of a comparison is taken all the
 * same. */
int qlm_equal_constant_time(const char *given, const char *expected)
{
    apr_size_t length;
    int is_same_length;

    if (!given || !expected) {
        return 0;
    }
    length = strlen(given);
    is_same_length = length == strlen(expected);
    return (CRYPTO_memcmp(given, is_same_length ? expected : given, length) == 0) & is_same_length;
}

/* Lower-case hex digits of a digest. */
static const char *hex_of(const unsigned char *digest, apr_size_t length, apr_pool_t *pool)
{
    char *made = apr_palloc(pool, 2 * length + 1);

    for (apr_size_t i = 0; i < length; i++) {
        apr_snprintf(made + 2 * i, 3, "%02x", digest[i]);
    }
    return made;
}

qlm_error_t *qlm_sha256_hex(const char **hex, const char *text, apr_pool_t *pool)
{
    unsigned char digest[QLM_MAC_BYTES];

    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "OpenSSL cannot compute SHA-256");
    }
    *hex = hex_of(digest, sizeof(digest), pool);
    return NULL;
}

qlm_error_t *qlm_hmac_sha256_hex(const char **hex, const char *key, const char *text,
                                 apr_pool_t *pool)
{
    unsigned char digest[QLM_MAC_BYTES];
    size_t length = 0;

    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, strlen(key),
                   (const unsigned char *)text, strlen(text), digest, sizeof(digest), &length) ||
        length != sizeof(digest)) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "OpenSSL cannot compute HMAC-SHA256");
    }
    *hex = hex_of(digest, sizeof(digest), pool);
    return NULL;
}

qlm_error_t *qlm_md5_hex(const char **hex, const char *text, apr_pool_t *pool)
{
    unsigned char digest[16];

    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL) != 1) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "OpenSSL does not compute MD5 here (it may be in FIPS mode)");
    }
    *hex = hex_of(digest, sizeof(digest), pool);
    return NULL;
}

const char *qlm_base64_encode(const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, BASE64_LENGTH(length) + 1);

    EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

int qlm_base64_decode(unsigned char **bytes, apr_size_t *length, const char *text, apr_pool_t *pool)
{
    apr_size_t given = strlen(text);
    apr_size_t padding = 0;
    unsigned char *made;

    if (given == 0 || given % 4 != 0 || given > INT_MAX ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") +
                (padding = given - strcspn(text, "=")) !=
            given ||
        padding > 2 || strspn(text + given - padding, "=") != padding) {
        return 0;
    }
    made = apr_palloc(pool, given / 4 * 3 + 1);
    if (EVP_DecodeBlock(made, (const unsigned char *)text, (int)given) < 0) {
        return 0;
    }
    /* The bits that the padding leaves over must be 0, or one value had many texts. */
    for (apr_size_t i = 1; i <= padding; i++) {
        if (made[given / 4 * 3 - i] != 0) {
            return 0;
        }
    }
    *bytes = made;
    *length = given / 4 * 3 - padding;
    return 1;
}
