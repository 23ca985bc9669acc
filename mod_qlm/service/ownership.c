/* Which site a database belongs to. */
#include "service/ownership.h"

#include <apr_strings.h>
#include <string.h>

#define OWNER "database"
#define WHAT  "secret" /* what is verified is the secret itself, by what it makes of this word */

static int fits(const qlm_secrets_t *secrets, const char *verifier)
{
    return qlm_secrets_verify(secrets, OWNER, WHAT, verifier);
}

static qlm_error_t *belongs_to_another(apr_pool_t *pool)
{
    return qlm_error_store(pool, "it belongs to a site with another secret: name that site's "
                                 "secret file, or a database of its own");
}

qlm_error_t *qlm_ownership_check(qlm_store_t *store, const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    const char *verifier;

    QLM_TRY(qlm_store_secret_verifier(&verifier, store, pool));
    return !*verifier || fits(secrets, verifier) ? NULL : belongs_to_another(pool);
}

/* ---- claiming ---- */

static int opens(const qlm_secrets_t *secrets, const qlm_product_t *product, apr_pool_t *pool)
{
    const char *pem;

    return !qlm_secrets_open(
        &pem, secrets, qlm_product_identity(product->id, product->major, product->minor, pool),
        product->private_key_sealed, pool);
}

/* Without a verifier (tables of an earlier version) what is sealed tells; and what holds neither
 * products nor licenses may be anybody's. */
static qlm_error_t *judge(int *is_ours, qlm_store_t *store, const qlm_secrets_t *secrets,
                          const char *verifier, apr_pool_t *pool)
{
    apr_array_header_t *products;
    apr_int64_t licenses;

    *is_ours = fits(secrets, verifier);
    if (*is_ours) {
        return NULL;
    }
    QLM_TRY(qlm_store_list_products(&products, store, pool));
    QLM_TRY(qlm_store_count_licenses(&licenses, store, 0, pool));
    *is_ours = products->nelts == 0 && (licenses == 0 || !*verifier);
    for (int i = 0; !*is_ours && !*verifier && i < products->nelts; i++) {
        *is_ours = opens(secrets, &APR_ARRAY_IDX(products, i, qlm_product_t), pool);
    }
    return NULL;
}

static qlm_error_t *claim_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    return qlm_store_set_secret_verifier(store, baton, pool);
}

qlm_error_t *qlm_ownership_claim(qlm_store_t *store, const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    char *newest = apr_pstrdup(pool, qlm_secrets_verifier(secrets, OWNER, WHAT, pool));
    const char *verifier;
    int is_ours;

    QLM_TRY(qlm_store_secret_verifier(&verifier, store, pool));
    if (strcmp(verifier, newest) == 0) {
        return NULL;
    }
    QLM_TRY(judge(&is_ours, store, secrets, verifier, pool));
    return is_ours ? qlm_store_write(store, claim_unit, newest, pool) : belongs_to_another(pool);
}
