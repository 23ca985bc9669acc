/* Verification of signed license documents.
 *
 * Only our own profile is accepted, exactly: what is not needed is not read, and so cannot be used
 * to make a reader see something else than what was signed. */
#include "license/keyvalue.h"
#include "license/profile.h"
#include "license/signature.h"

#include "base/crypto.h"

#include <apr_strings.h>
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#define MAX_DOCUMENT_BYTES (16 * 1024 * 1024)
#define PARSE_OPTIONS      (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

/* The algorithms, by the addresses that name them. */
static const struct {
    qlm_algorithm_t algorithm;
    const char *signature_uri, *digest_uri, *digest_name;
} known[] = {
    {QLM_ALGORITHM_RSA_SHA256, QLM_DSIG_RSA_SHA256, QLM_DSIG_SHA256, "SHA256"},
    {QLM_ALGORITHM_RSA_SHA1, QLM_DSIG_RSA_SHA1, QLM_DSIG_SHA1, "SHA1"},
};

/* A verification under way. The document and the key are freed by run(). */
typedef struct check_t {
    xmlDocPtr document;
    EVP_PKEY *key;
    xmlNodePtr signature, info, reference, digest_value, signature_value;
    size_t algorithm; /* index into known */
    const char *reason;
    apr_pool_t *pool;
} check_t;

static int fail(check_t *check, const char *reason)
{
    check->reason = reason;
    return 0;
}

/* ---- small questions about nodes ---- */

static int is_dsig_element(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && node->ns &&
           strcmp((const char *)node->ns->href, QLM_DSIG_NAMESPACE) == 0 &&
           (name == NULL || strcmp((const char *)node->name, name) == 0);
}

/* Has @a node exactly one attribute, @a name, with @a value? (Attribute texts without entities are
 * one text node.) */
static int has_only_attribute(const xmlNode *node, const char *name, const char *value)
{
    const xmlAttr *attribute = node->properties;
    const xmlNode *text = attribute ? attribute->children : NULL;

    if (attribute == NULL || attribute->next || attribute->ns ||
        strcmp((const char *)attribute->name, name) != 0 || (text && text->next)) {
        return 0;
    }
    return strcmp(text && text->content ? (const char *)text->content : "", value) == 0;
}

/* Is the element @a name with the one attribute Algorithm=@a uri and no content? */
static int is_algorithm(const xmlNode *node, const char *name, const char *uri)
{
    return is_dsig_element(node, name) && node->children == NULL &&
           has_only_attribute(node, "Algorithm", uri);
}

/* The next node in document order below @a top, NULL at its end. */
static xmlNodePtr walk(xmlNodePtr node, const xmlNode *top)
{
    if (node->children) {
        return node->children;
    }
    while (node != top && node->next == NULL) {
        node = node->parent;
    }
    return node == top ? NULL : node->next;
}

/* ---- the profile ---- */

/* Elements and text only. A comment is not part of what is signed, yet cuts a text in two for many
 * readers; the others have no business in a license. Exactly one Signature, counted as we go. */
static int check_nodes(check_t *check)
{
    xmlNodePtr root = xmlDocGetRootElement(check->document);
    int signatures = 0;

    if (check->document->intSubset || check->document->extSubset) {
        return fail(check, "the document has a DTD");
    }
    if (root == NULL || root->ns || strcmp((const char *)root->name, QLM_DOCUMENT_ROOT) != 0) {
        return fail(check, "the root element is not " QLM_DOCUMENT_ROOT);
    }
    if (check->document->children != root || root->next) {
        return fail(check, "there is something beside the root element");
    }
    for (xmlNodePtr node = root; node; node = walk(node, root)) {
        if (node->type != XML_ELEMENT_NODE && node->type != XML_TEXT_NODE) {
            return fail(check, "the document has something else than elements and text in it");
        }
        signatures +=
            node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, "Signature") == 0;
    }
    if (signatures == 0) {
        return fail(check, "the document is not signed");
    }
    if (signatures > 1 || !is_dsig_element(root->last, "Signature")) {
        return fail(check, "there must be one Signature, as last child of the root element");
    }
    check->signature = root->last;
    return 1;
}

static int check_algorithm(check_t *check, const xmlNode *method)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_algorithm(method, "SignatureMethod", known[i].signature_uri)) {
            check->algorithm = i;
            return 1;
        }
    }
    return 0;
}

/* Reference: the whole document without the Signature, and nothing else. */
static int check_reference(check_t *check)
{
    const xmlNode *transforms = check->reference->children;
    const xmlNode *method = transforms ? transforms->next : NULL;
    const xmlNode *transform = transforms ? transforms->children : NULL;

    if (!is_dsig_element(check->reference, "Reference") || check->reference->next ||
        !has_only_attribute(check->reference, "URI", "") ||
        !is_dsig_element(transforms, "Transforms") || transforms->properties ||
        !is_algorithm(transform, "Transform", QLM_DSIG_ENVELOPED) || transform->next ||
        !is_algorithm(method, "DigestMethod", known[check->algorithm].digest_uri)) {
        return 0;
    }
    check->digest_value = method->next;
    return is_dsig_element(check->digest_value, "DigestValue") && !check->digest_value->next;
}

/* Signature: SignedInfo and SignatureValue, no KeyInfo: the key is the caller's, never the
 * document's. */
static int check_profile(check_t *check)
{
    static const char reason[] = "the signature has not the form of this server's signatures";
    const xmlNode *method, *canonical;

    check->info = check->signature->children;
    if (check->signature->properties || !is_dsig_element(check->info, "SignedInfo") ||
        check->info->properties) {
        return fail(check, reason);
    }
    check->signature_value = check->info->next;
    canonical = check->info->children;
    method = canonical ? canonical->next : NULL;
    check->reference = method ? method->next : NULL;
    if (!is_dsig_element(check->signature_value, "SignatureValue") ||
        check->signature_value->next ||
        !is_algorithm(canonical, "CanonicalizationMethod", QLM_DSIG_C14N) ||
        !check_algorithm(check, method) || check->reference == NULL || !check_reference(check)) {
        return fail(check, reason);
    }
    return 1;
}

/* ---- the two values ---- */

/* A node set for libxml2's canonicaliser: SignedInfo and what is below it, with the namespaces that
 * are in force there. */
static int is_inside(void *baton, xmlNodePtr node, xmlNodePtr parent)
{
    const check_t *check = baton;

    if (node && (node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE)) {
        node = parent;
    }
    while (node && node != check->info) {
        node = node->parent;
    }
    return node != NULL;
}

/* The canonical bytes of SignedInfo. */
static xmlOutputBufferPtr canonical_info(check_t *check)
{
    xmlOutputBufferPtr output = xmlAllocOutputBuffer(NULL);

    if (output &&
        xmlC14NExecute(check->document, is_inside, check, XML_C14N_1_0, NULL, 0, output) < 0) {
        xmlOutputBufferClose(output);
        output = NULL;
    }
    return output;
}

static int check_signature_value(check_t *check)
{
    unsigned char *value;
    apr_size_t length;
    xmlOutputBufferPtr output;
    EVP_MD_CTX *context;
    int is_right = 0;

    if (!qlm_key_value_base64(&value, &length, check->signature_value, check->pool)) {
        return fail(check, "the SignatureValue is not base64");
    }
    output = canonical_info(check);
    context = EVP_MD_CTX_new();
    if (output && context &&
        EVP_DigestVerifyInit_ex(context, NULL, known[check->algorithm].digest_name, NULL, NULL,
                                check->key, NULL) == 1) {
        is_right = EVP_DigestVerify(context, value, length, xmlOutputBufferGetContent(output),
                                    xmlOutputBufferGetSize(output)) == 1;
    }
    EVP_MD_CTX_free(context);
    if (output) {
        xmlOutputBufferClose(output);
    }
    return is_right ? 1 : fail(check, "the signature was not made with this key");
}

/* The enveloped transform: the document without the Signature. It is taken out for good; this comes
 * last. */
static int check_digest_value(check_t *check)
{
    unsigned char *value, digest[EVP_MAX_MD_SIZE];
    apr_size_t length;
    size_t digest_length = 0;
    xmlChar *canonical = NULL;
    int size, is_right = 0;

    if (!qlm_key_value_base64(&value, &length, check->digest_value, check->pool)) {
        return fail(check, "the DigestValue is not base64");
    }
    xmlUnlinkNode(check->signature);
    xmlFreeNode(check->signature);
    size = xmlC14NDocDumpMemory(check->document, NULL, XML_C14N_1_0, NULL, 0, &canonical);
    if (size > 0 && EVP_Q_digest(NULL, known[check->algorithm].digest_name, NULL, canonical,
                                 (size_t)size, digest, &digest_length) == 1) {
        is_right = length == digest_length && CRYPTO_memcmp(value, digest, length) == 0;
    }
    xmlFree(canonical);
    return is_right ? 1 : fail(check, "the document was changed after it was signed");
}

/* ---- the public key ---- */

/* The empty pass phrase keeps OpenSSL from asking for one on the terminal. */
static EVP_PKEY *read_pem(const char *text)
{
    char passphrase[] = "";
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, passphrase) : NULL;

    BIO_free(bio);
    return key;
}

static int read_key(check_t *check, const char *text)
{
    int bits;

    if (text && strlen(text) <= MAX_DOCUMENT_BYTES) {
        check->key =
            strstr(text, "-----BEGIN") ? read_pem(text) : qlm_key_value_read(text, 0, check->pool);
    }
    bits = check->key ? EVP_PKEY_get_bits(check->key) : 0;
    if (check->key == NULL || !EVP_PKEY_is_a(check->key, "RSA") || bits < QLM_RSA_MIN_BITS ||
        bits > QLM_RSA_MAX_BITS) {
        return fail(check, "the public key is not an RSA key in PEM or RSAKeyValue form");
    }
    return 1;
}

/* ---- all together ---- */

/* A document type declaration is refused before the parser sees it; check_nodes finds those in
 * other encodings. Nothing of ours contains these letters unescaped. */
static int parse(check_t *check, const char *text, apr_size_t length)
{
    static const char declaration[] = "<!DOCTYPE";
    static const apr_size_t size = sizeof(declaration) - 1;

    if (length == 0 || length > MAX_DOCUMENT_BYTES) {
        return fail(check, "the document is empty or larger than 16 MiB");
    }
    for (apr_size_t i = 0; i + size <= length; i++) {
        if (text[i] == '<' && memcmp(text + i, declaration, size) == 0) {
            return fail(check, "the document has a DTD");
        }
    }
    check->document = xmlReadMemory(text, (int)length, NULL, NULL, PARSE_OPTIONS);
    return check->document ? 1 : fail(check, "the document is not well-formed XML");
}

int qlm_signature_verify(const char **reason, const char *document, apr_size_t length,
                         const char *public_key, apr_pool_t *pool)
{
    check_t check = {.pool = pool};
    int is_valid = read_key(&check, public_key) && parse(&check, document, length) &&
                   check_nodes(&check) && check_profile(&check) && check_signature_value(&check) &&
                   check_digest_value(&check);

    if (is_valid) {
        check.reason = apr_pstrcat(pool, "valid, ",
                                   qlm_algorithm_name(known[check.algorithm].algorithm), NULL);
    }
    *reason = check.reason;
    xmlFreeDoc(check.document);
    EVP_PKEY_free(check.key);
    ERR_clear_error();
    return is_valid;
}
