/* The license document: the answer to ValidateLicenseHttp and ActivateKey, and the client's license
 * file. Written directly in canonical form (C14N 1.0), so that it can be signed as it is. */
#ifndef QLM_LICENSE_DOCUMENT_H
#define QLM_LICENSE_DOCUMENT_H

#include "license/license.h"

/** What a document says. */
typedef struct qlm_document_t {
    const qlm_license_t *license;
    const qlm_activation_t *activation; /**< id 0: only reported on */
    const qlm_customer_t *customer;
    const qlm_product_t *product;   /**< the version that is reported and signs */
    const char *computer_id;        /**< the caller's own text, echoed byte for byte */
    const char *product_properties; /**< their XML (qlm_pp_write); NULL or "" = none are defined */
    apr_int64_t now;                /**< truncated to the minute inside */
} qlm_document_t;

/** The canonical root element of a success, elements in QLM's documented order; in @a pool. */
const char *qlm_document_write(const qlm_document_t *document, apr_pool_t *pool);

/** The canonical root element of a refusal: creationDateUtc, error, errorCode, status, serverDate;
 * in @a pool. */
const char *qlm_document_write_refusal(const qlm_error_t *error, apr_int64_t now, apr_pool_t *pool);

#endif
