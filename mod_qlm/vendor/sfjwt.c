/* The signed statement of the JWT bearer grant (RFC 7515, RFC 7523). */
#include "vendor/sfjwt.h"

#include "base/crypto.h"
#include "vendor/json.h"

#include <apr_encode.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define ARMOUR_BEGIN "-----BEGIN "
#define ARMOUR_END   "-----END "
#define ARMOUR_DASH  "-----"
#define MIN_BITS     2048

static qlm_error_t *refuse(const char *why, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN,
                          "the private key in shared_key cannot be used: %s", why);
}

static apr_status_t release_key(void *key)
{
    EVP_PKEY_free(key);
    return APR_SUCCESS;
}

static apr_status_t wipe(void *text)
{
    OPENSSL_cleanse(text, strlen(text));
    return APR_SUCCESS;
}

/** The base64 between the armour's lines, without what the way through a one-line field has made of
 * line ends: blanks, or a backslash and an n. Without armour all of @a key. */
static const char *strip_armour(const char *key, apr_pool_t *pool)
{
    const char *begin = strstr(key, ARMOUR_BEGIN), *end = NULL;
    char *made = apr_palloc(pool, strlen(key) + 1), *to = made;
    if (begin) {
        begin = strstr(begin + strlen(ARMOUR_BEGIN), ARMOUR_DASH);
        end = begin ? strstr(begin + strlen(ARMOUR_DASH), ARMOUR_END) : NULL;
    }
    const char *from = begin && end ? begin + strlen(ARMOUR_DASH) : key;
    for (; *from && from != end; ++from) {
        if (from[0] == '\\' && (from[1] == 'n' || from[1] == 'r')) {
            ++from;
        }
        else if (!strchr(" \t\r\n", *from)) {
            *to++ = *from;
        }
    }
    *to = '\0';
    apr_pool_cleanup_register(pool, made, wipe, apr_pool_cleanup_null);
    return made;
}

static qlm_error_t *read_key(EVP_PKEY **key, const char *text, apr_pool_t *pool)
{
    unsigned char *der;
    apr_size_t length;
    if (strstr(text, "ENCRYPTED")) {
        return refuse("it is encrypted itself", pool);
    }
    if (!qlm_base64_decode(&der, &length, strip_armour(text, pool), pool)) {
        return refuse("it is neither PEM nor base64", pool);
    }
    const unsigned char *at = der;
    *key = d2i_AutoPrivateKey(NULL, &at, (long)length);
    OPENSSL_cleanse(der, length);
    if (!*key) {
        return refuse("it is no private key", pool);
    }
    apr_pool_cleanup_register(pool, *key, release_key, apr_pool_cleanup_null);
    if (!EVP_PKEY_is_a(*key, "RSA") || EVP_PKEY_get_bits(*key) < MIN_BITS) {
        return refuse("it is no RSA key of 2048 bits or more", pool);
    }
    return NULL;
}

static const char *encode(const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    return apr_pencode_base64_binary(pool, bytes, (apr_ssize_t)length, APR_ENCODE_BASE64URL, NULL);
}

/** "header.claims", NULL if a claim is not UTF-8. */
static const char *statement(const qlm_sfjwt_t *claims, apr_pool_t *pool)
{
    static const char header[] = "{\"alg\":\"RS256\"}";
    json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "iss", claims->issuer, "sub", claims->subject,
                             "aud", claims->audience, "exp", (json_int_t)claims->expires_at);
    const char *text = qlm_json_keep(json, pool) ? qlm_json_write(json, pool) : NULL;
    if (!text) {
        return NULL;
    }
    return apr_pstrcat(pool, encode(header, sizeof(header) - 1, pool), ".",
                       encode(text, strlen(text), pool), NULL);
}

static int sign(unsigned char *signature, size_t *length, EVP_PKEY *key, const char *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int is_done =
        context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestSign(context, signature, length, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(context);
    return is_done;
}

qlm_error_t *qlm_sfjwt_sign(const char **jwt, const qlm_sfjwt_t *claims, const char *key,
                            apr_pool_t *pool)
{
    EVP_PKEY *rsa = NULL;
    QLM_TRY(read_key(&rsa, key, pool));
    const char *text = statement(claims, pool);
    size_t length = (size_t)EVP_PKEY_get_size(rsa);
    unsigned char *signature = apr_palloc(pool, length);
    if (!text || !sign(signature, &length, rsa, text)) {
        return refuse("signing failed", pool);
    }
    *jwt = apr_pstrcat(pool, text, ".", encode(signature, length, pool), NULL);
    return NULL;
}
