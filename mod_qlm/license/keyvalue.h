/* RSA keys in the form of XML signatures, `<RSAKeyValue>`: the public one (XML-DSig 4.4.2.2), and
 * the private one that .NET's RSA.ToXmlString(true) adds to it (P, Q, DP, DQ, InverseQ, D). */
#ifndef QLM_LICENSE_KEYVALUE_H
#define QLM_LICENSE_KEYVALUE_H

#include <apr_pools.h>
#include <libxml/tree.h>
#include <openssl/evp.h>

/** Read a key as people paste it: with line feeds, with or without namespace; no DTD, no entities.
 * @param is_private  the private numbers are needed, too
 * @return the key, to be freed by EVP_PKEY_free; NULL if @a text is no such key or, of a private
 * one, the numbers do not belong together */
EVP_PKEY *qlm_key_value_read(const char *text, int is_private, apr_pool_t *pool);

/** The bytes of an element that holds nothing but base64 text, in which XML allows blanks.
 * @return 1 and *bytes in @a pool, or 0 */
int qlm_key_value_base64(unsigned char **bytes, apr_size_t *length, const xmlNode *node,
                         apr_pool_t *pool);

#endif
