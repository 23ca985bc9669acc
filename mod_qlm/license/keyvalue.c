/* Reading <RSAKeyValue>. */
#include "license/keyvalue.h"

#include "base/crypto.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <libxml/parser.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

/* The elements and what OpenSSL calls their numbers; the first two make a public key. */
static const struct {
    const char *element, *param;
} numbers[] = {
    {"Modulus", OSSL_PKEY_PARAM_RSA_N},    {"Exponent", OSSL_PKEY_PARAM_RSA_E},
    {"D", OSSL_PKEY_PARAM_RSA_D},          {"P", OSSL_PKEY_PARAM_RSA_FACTOR1},
    {"Q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"DP", OSSL_PKEY_PARAM_RSA_EXPONENT1},
    {"DQ", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"InverseQ", OSSL_PKEY_PARAM_RSA_COEFFICIENT1},
};

enum { PUBLIC_NUMBERS = 2, ALL_NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

int qlm_key_value_base64(unsigned char **bytes, apr_size_t *length, const xmlNode *node,
                         apr_pool_t *pool)
{
    const xmlNode *text = node->children;
    char *packed;

    if (node->properties || text == NULL || text->next || text->type != XML_TEXT_NODE) {
        return 0;
    }
    packed = apr_pstrdup(pool, (const char *)text->content);
    apr_collapse_spaces(packed,
                        (const char *)text->content); /* (what it returns is not the text) */
    return qlm_base64_decode(bytes, length, packed, pool);
}

static const xmlNode *child_element(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent->children; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0) {
            return node;
        }
    }
    return NULL;
}

static BIGNUM *read_number(const xmlNode *root, const char *element, apr_pool_t *pool)
{
    const xmlNode *node = child_element(root, element);
    unsigned char *bytes;
    apr_size_t length;

    return node && qlm_key_value_base64(&bytes, &length, node, pool)
               ? BN_bin2bn(bytes, (int)length, BN_secure_new())
               : NULL;
}

static int push_numbers(OSSL_PARAM_BLD *builder, BIGNUM **made, int count, const xmlNode *root,
                        apr_pool_t *pool)
{
    for (int i = 0; i < count; i++) {
        made[i] = read_number(root, numbers[i].element, pool);
        if (!made[i] || OSSL_PARAM_BLD_push_BN(builder, numbers[i].param, made[i]) != 1) {
            return 0;
        }
    }
    return 1;
}

static EVP_PKEY *make_key(OSSL_PARAM_BLD *builder, int is_private)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (params && context && EVP_PKEY_fromdata_init(context) == 1) {
        EVP_PKEY_fromdata(context, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params);
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

/* Numbers that do not belong together make signatures that nobody accepts. */
static EVP_PKEY *checked(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;

    if (key && (!context || EVP_PKEY_pairwise_check(context) != 1)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *read_root(const xmlNode *root, int is_private, apr_pool_t *pool)
{
    BIGNUM *made[ALL_NUMBERS] = {NULL};
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;

    if (builder &&
        push_numbers(builder, made, is_private ? ALL_NUMBERS : PUBLIC_NUMBERS, root, pool)) {
        key = make_key(builder, is_private);
        key = is_private ? checked(key) : key;
    }
    OSSL_PARAM_BLD_free(builder);
    for (int i = 0; i < ALL_NUMBERS; i++) {
        BN_clear_free(made[i]);
    }
    ERR_clear_error();
    return key;
}

EVP_PKEY *qlm_key_value_read(const char *text, int is_private, apr_pool_t *pool)
{
    xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), NULL, NULL, PARSE_OPTIONS);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    EVP_PKEY *key = NULL;

    if (root && document->intSubset == NULL &&
        strcmp((const char *)root->name, "RSAKeyValue") == 0) {
        key = read_root(root, is_private, pool);
    }
    xmlFreeDoc(document);
    return key;
}
