/* Names of product versions and algorithms. */
#include "license/product.h"

#include "base/text.h"

#include <apr_strings.h>
#include <strings.h>

const char *qlm_product_identity(int id, int major, int minor, apr_pool_t *pool)
{
    return apr_psprintf(pool, "product/%d/%d/%d/private", id, major, minor);
}

const char *qlm_algorithm_name(qlm_algorithm_t algorithm)
{
    return algorithm == QLM_ALGORITHM_RSA_SHA1 ? "rsa-sha1" : "rsa-sha256";
}

int qlm_algorithm_parse(qlm_algorithm_t *algorithm, const char *text)
{
    static const qlm_algorithm_t known[] = {QLM_ALGORITHM_RSA_SHA256, QLM_ALGORITHM_RSA_SHA1};

    if (qlm_text_is_empty(text)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(text, qlm_algorithm_name(known[i])) == 0) {
            *algorithm = known[i];
            return 1;
        }
    }
    return 0;
}
