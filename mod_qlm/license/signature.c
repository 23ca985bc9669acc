/* RSA keys of products, and XML signatures over canonical documents.
 *
 * A signature is nearly all of a validation's cost. What can be kept is kept in the key: the parsed
 * numbers, the digests, and the fingerprint that tells remembered signatures apart. */
#include "license/signature.h"

#include "base/crypto.h"
#include "license/keyvalue.h"
#include "license/profile.h"

#include <apr_strings.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

#define CLOSING_TAG        "</" QLM_DOCUMENT_ROOT ">"
#define CLOSING_TAG_LENGTH (sizeof(CLOSING_TAG) - 1)

/* SignedInfo in canonical form, up to the digest and after it. As part of the document the element
 * inherits the namespace; when it is signed by itself the declaration stands in its own tag. */
#define INFO_OPEN        "<SignedInfo"
#define INFO_NAMESPACE   " xmlns=\"" QLM_DSIG_NAMESPACE "\""
#define EMPTY(name, uri) "<" name " Algorithm=\"" uri "\"></" name ">"
#define INFO_BODY(signature, digest)                                                               \
    ">" EMPTY("CanonicalizationMethod", QLM_DSIG_C14N)                                             \
        EMPTY("SignatureMethod", signature) "<Reference URI=\"\"><Transforms>" EMPTY(              \
            "Transform", QLM_DSIG_ENVELOPED) "</Transforms>" EMPTY("DigestMethod",                 \
                                                                   digest) "<DigestValue>"
#define INFO_END "</DigestValue></Reference></SignedInfo>"

/* What differs between the algorithms. */
static const struct {
    const char *digest_name;
    const char *info_body;
} profiles[] = {
    [QLM_ALGORITHM_RSA_SHA256] = {"SHA256", INFO_BODY(QLM_DSIG_RSA_SHA256, QLM_DSIG_SHA256)},
    [QLM_ALGORITHM_RSA_SHA1] = {"SHA1", INFO_BODY(QLM_DSIG_RSA_SHA1, QLM_DSIG_SHA1)},
};
#define ALGORITHMS (sizeof(profiles) / sizeof(profiles[0]))

struct qlm_private_key_t {
    EVP_PKEY *pkey;
    EVP_MD *digests[ALGORITHMS];
    EVP_PKEY_CTX *signers[ALGORITHMS];               /* ready to sign; only ever copied */
    unsigned char fingerprint[SHA256_DIGEST_LENGTH]; /* of the public key */
};

/* An error with OpenSSL's own word as detail; its error queue is emptied. */
static qlm_error_t *crypto_error(qlm_code_t code, const char *text, apr_pool_t *pool)
{
    char reason[256];
    unsigned long number = ERR_peek_last_error();
    qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_INTERNAL, code, "%s", text);

    if (number) {
        ERR_error_string_n(number, reason, sizeof(reason));
        qlm_error_detail(error, pool, "%s", reason);
    }
    ERR_clear_error();
    return error;
}

/* ---- keys ---- */

static const char *bio_text(BIO *bio, apr_pool_t *pool)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);

    return apr_pstrmemdup(pool, data, (apr_size_t)length);
}

/* Write both PEM texts. @return 0 if OpenSSL failed */
static int write_pair(const char **private_pem, const char **public_pem, EVP_PKEY *pkey,
                      apr_pool_t *pool)
{
    BIO *private_bio = BIO_new(BIO_s_mem()), *public_bio = BIO_new(BIO_s_mem());
    int is_written =
        private_bio && public_bio &&
        PEM_write_bio_PKCS8PrivateKey(private_bio, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_PUBKEY(public_bio, pkey) == 1;

    if (is_written) {
        *private_pem = bio_text(private_bio, pool);
        *public_pem = bio_text(public_bio, pool);
    }
    BIO_free(private_bio);
    BIO_free(public_bio);
    return is_written;
}

qlm_error_t *qlm_signature_generate(const char **private_pem, const char **public_pem, int bits,
                                    apr_pool_t *pool)
{
    EVP_PKEY *pkey = NULL;
    int is_written;

    if (bits < QLM_RSA_MIN_BITS || bits > QLM_RSA_MAX_BITS) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "An RSA key has %d to %d bits.", QLM_RSA_MIN_BITS, QLM_RSA_MAX_BITS);
    }
    pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
    is_written = pkey && write_pair(private_pem, public_pem, pkey, pool);
    EVP_PKEY_free(pkey);
    return is_written ? NULL
                      : crypto_error(QLM_CODE_UNKNOWN, "The RSA key pair could not be made.", pool);
}

qlm_error_t *qlm_signature_read_pair(const char **private_pem, const char **public_pem,
                                     const char *key_value, apr_pool_t *pool)
{
    EVP_PKEY *pkey = qlm_key_value_read(key_value, 1, pool);
    int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;
    int is_written = bits >= QLM_RSA_MIN_BITS && bits <= QLM_RSA_MAX_BITS &&
                     write_pair(private_pem, public_pem, pkey, pool);

    EVP_PKEY_free(pkey);
    return is_written
               ? NULL
               : qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                "this is no RSA key pair: RSAKeyValue with Modulus, Exponent, "
                                "P, Q, DP, DQ, InverseQ and D, of %d to %d bits, is needed",
                                QLM_RSA_MIN_BITS, QLM_RSA_MAX_BITS);
}

static apr_status_t free_key(void *data)
{
    qlm_private_key_t *key = data;

    for (size_t i = 0; i < ALGORITHMS; i++) {
        EVP_PKEY_CTX_free(key->signers[i]);
        EVP_MD_free(key->digests[i]);
    }
    EVP_PKEY_free(key->pkey);
    return APR_SUCCESS;
}

/* A key of ours has no pass phrase. The empty one is given, so that OpenSSL never asks for one on
 * the terminal. */
static EVP_PKEY *read_private_key(const char *pem)
{
    char passphrase[] = "";
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, passphrase) : NULL;

    BIO_free(bio);
    return pkey;
}

/* SHA-256 of the public key in DER form. @return 0 if OpenSSL failed */
static int make_fingerprint(qlm_private_key_t *key)
{
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key->pkey, &der);
    int is_made = length > 0 &&
                  EVP_Digest(der, (size_t)length, key->fingerprint, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return is_made;
}

/* PKCS#1 v1.5 with this key and digest. @return NULL if OpenSSL failed */
static EVP_PKEY_CTX *make_signer(EVP_PKEY *pkey, const EVP_MD *digest)
{
    EVP_PKEY_CTX *context = digest ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;

    if (context && (EVP_PKEY_sign_init(context) != 1 ||
                    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1 ||
                    EVP_PKEY_CTX_set_signature_md(context, digest) != 1)) {
        EVP_PKEY_CTX_free(context);
        context = NULL;
    }
    return context;
}

qlm_error_t *qlm_signature_load(qlm_private_key_t **key, const char *private_pem, apr_pool_t *pool)
{
    qlm_private_key_t *made = apr_pcalloc(pool, sizeof(*made));
    int bits;

    apr_pool_cleanup_register(pool, made, free_key, apr_pool_cleanup_null);
    made->pkey = read_private_key(private_pem);
    bits = made->pkey ? EVP_PKEY_get_bits(made->pkey) : 0;
    if (made->pkey == NULL || !EVP_PKEY_is_a(made->pkey, "RSA") || bits < QLM_RSA_MIN_BITS ||
        bits > QLM_RSA_MAX_BITS || !make_fingerprint(made)) {
        return crypto_error(QLM_CODE_FAILED_TO_SIGN,
                            "The product's private key cannot be used: it must be an RSA key of "
                            "1024 to 8192 bits in PEM form.",
                            pool);
    }
    for (size_t i = 0; i < ALGORITHMS; i++) {
        made->digests[i] = EVP_MD_fetch(NULL, profiles[i].digest_name, NULL);
        made->signers[i] = make_signer(made->pkey, made->digests[i]);
    }
    ERR_clear_error();
    *key = made;
    return NULL;
}

/* Append one number of the key as base64 of its big-endian bytes. @return 0 if OpenSSL failed */
static int add_number(qlm_buffer_t *buffer, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = NULL;
    int length;
    unsigned char *bytes;

    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1) {
        return 0;
    }
    length = BN_num_bytes(number);
    bytes = apr_palloc(buffer->pool, (apr_size_t)length);
    BN_bn2bin(number, bytes);
    BN_free(number);
    qlm_buffer_add(buffer, qlm_base64_encode(bytes, (apr_size_t)length, buffer->pool));
    return 1;
}

qlm_error_t *qlm_signature_public_xml(const char **xml, const char *public_pem, apr_pool_t *pool)
{
    char passphrase[] = "";
    BIO *bio = BIO_new_mem_buf(public_pem, -1);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, passphrase) : NULL;
    qlm_buffer_t *buffer = qlm_buffer_create(1000, pool);
    int is_written;

    qlm_buffer_add(buffer, "<RSAKeyValue><Modulus>");
    is_written = pkey && add_number(buffer, pkey, OSSL_PKEY_PARAM_RSA_N);
    qlm_buffer_add(buffer, "</Modulus><Exponent>");
    is_written = is_written && add_number(buffer, pkey, OSSL_PKEY_PARAM_RSA_E);
    qlm_buffer_add(buffer, "</Exponent></RSAKeyValue>");
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    if (!is_written) {
        return crypto_error(QLM_CODE_UNKNOWN, "The public key is not an RSA key in PEM form.",
                            pool);
    }
    *xml = buffer->text;
    return NULL;
}

/* ---- signing ---- */

static qlm_error_t *sign_error(apr_pool_t *pool)
{
    return crypto_error(QLM_CODE_FAILED_TO_SIGN, "The license document could not be signed.", pool);
}

/* The name under which a signature is remembered: everything that decides its bytes. */
static int make_id(unsigned char id[32], const qlm_private_key_t *key, qlm_algorithm_t algorithm,
                   const qlm_buffer_t *info)
{
    unsigned char tag = (unsigned char)algorithm;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int is_made = context &&
                  EVP_DigestInit_ex(context, key->digests[QLM_ALGORITHM_RSA_SHA256], NULL) == 1 &&
                  EVP_DigestUpdate(context, &tag, 1) == 1 &&
                  EVP_DigestUpdate(context, key->fingerprint, sizeof(key->fingerprint)) == 1 &&
                  EVP_DigestUpdate(context, info->text, info->length) == 1 &&
                  EVP_DigestFinal_ex(context, id, NULL) == 1;

    EVP_MD_CTX_free(context);
    return is_made;
}

/* RSA PKCS#1 v1.5 over @a info; the key is shared by threads, the context is not. */
static const char *sign_info(const qlm_private_key_t *key, qlm_algorithm_t algorithm,
                             const qlm_buffer_t *info, apr_pool_t *pool)
{
    unsigned char signature[QLM_RSA_MAX_BITS / 8];
    size_t length = sizeof(signature);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_dup(key->signers[algorithm]);
    int is_signed = context &&
                    EVP_Digest(info->text, info->length, digest, &digest_length,
                               key->digests[algorithm], NULL) == 1 &&
                    EVP_PKEY_sign(context, signature, &length, digest, digest_length) == 1;

    EVP_PKEY_CTX_free(context);
    return is_signed ? qlm_base64_encode(signature, length, pool) : NULL;
}

/* The signature of @a info: remembered, or made and then remembered. */
static const char *recall_or_sign(const qlm_private_key_t *key, qlm_algorithm_t algorithm,
                                  const qlm_buffer_t *info, const qlm_signature_memory_t *memory,
                                  apr_pool_t *pool)
{
    unsigned char id[32];
    const char *signature = NULL;

    if (memory == NULL || !make_id(id, key, algorithm, info)) {
        return sign_info(key, algorithm, info, pool);
    }
    if (memory->recall(memory->baton, id, &signature, pool)) {
        return signature;
    }
    signature = sign_info(key, algorithm, info, pool);
    if (signature) {
        memory->remember(memory->baton, id, signature);
    }
    return signature;
}

/* SignedInfo as it is signed. */
static qlm_buffer_t *write_info(qlm_algorithm_t algorithm, const char *digest, apr_pool_t *pool)
{
    qlm_buffer_t *info = qlm_buffer_create(900, pool);

    qlm_buffer_add(info, INFO_OPEN INFO_NAMESPACE);
    qlm_buffer_add(info, profiles[algorithm].info_body);
    qlm_buffer_add(info, digest);
    qlm_buffer_add(info, INFO_END);
    return info;
}

/* The document: @a content with the Signature in front of the root's end tag. */
static const char *write_signed(const char *content, apr_size_t body, const qlm_buffer_t *info,
                                const char *signature, apr_pool_t *pool)
{
    static const apr_size_t tag_length = sizeof(INFO_OPEN INFO_NAMESPACE) - 1;
    qlm_buffer_t *document = qlm_buffer_create(body + info->length + strlen(signature) + 200, pool);

    qlm_buffer_add_bytes(document, content, body);
    qlm_buffer_add(document, "<Signature" INFO_NAMESPACE ">" INFO_OPEN);
    qlm_buffer_add_bytes(document, info->text + tag_length, info->length - tag_length);
    qlm_buffer_add(document, "<SignatureValue>");
    qlm_buffer_add(document, signature);
    qlm_buffer_add(document, "</SignatureValue></Signature>" CLOSING_TAG);
    return document->text;
}

qlm_error_t *qlm_signature_sign(const char **document, const char *content,
                                const qlm_private_key_t *key, qlm_algorithm_t algorithm,
                                const qlm_signature_memory_t *memory, apr_pool_t *pool)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length;
    apr_size_t length = strlen(content);
    const char *signature;
    qlm_buffer_t *info;

    if (length < CLOSING_TAG_LENGTH ||
        strcmp(content + length - CLOSING_TAG_LENGTH, CLOSING_TAG) != 0 ||
        (size_t)algorithm >= ALGORITHMS || key->signers[algorithm] == NULL ||
        EVP_Digest(content, length, digest, &digest_length, key->digests[algorithm], NULL) != 1) {
        return sign_error(pool);
    }
    info = write_info(algorithm, qlm_base64_encode(digest, digest_length, pool), pool);
    signature = recall_or_sign(key, algorithm, info, memory, pool);
    if (signature == NULL) {
        return sign_error(pool);
    }
    *document = write_signed(content, length - CLOSING_TAG_LENGTH, info, signature, pool);
    return NULL;
}
