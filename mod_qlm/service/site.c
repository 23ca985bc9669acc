/* The snapshot of the site: loading, sharing between threads, letting go. */
#include "service/site.h"

#include "base/address.h"
#include "base/text.h"
#include "service/ownership.h"
#include "store/organizations.h"

#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

struct qlm_snapshot_t {
    apr_pool_t *pool;
    apr_uint32_t holders; /* the cache itself and every call that uses it */
    apr_int64_t revision;
    int has_foreign_keys;
    const qlm_secrets_t *secrets;
    qlm_properties_t *properties;
    apr_hash_t *vendors;
    apr_hash_t *products;
    apr_array_header_t *blocked;                   /* of apr_ipsubnet_t * */
    apr_array_header_t *admin_addresses;           /* of apr_ipsubnet_t * */
    apr_array_header_t *methods[QLM_LISTED_COUNT]; /* of const qlm_method_t * */
    apr_array_header_t *domains;                   /* of qlm_organization_t, those that have any */
    apr_thread_mutex_t *key_lock;
};

/* A product, its properties (NULL if none), and its parsed key, which is made under the snapshot's
 * lock, once. */
typedef struct loaded_product_t {
    qlm_product_t product;
    qlm_pp_definitions_t *definitions;
    qlm_private_key_t *key;
} loaded_product_t;

struct qlm_site_t {
    const qlm_secrets_t *secrets;
    apr_thread_mutex_t *lock; /* guards `current` */
    qlm_snapshot_t *current;
};

static apr_status_t release(void *data)
{
    qlm_snapshot_t *snapshot = data;

    if (apr_atomic_dec32(&snapshot->holders) == 0) {
        apr_pool_destroy(snapshot->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t site_destroy(void *data)
{
    qlm_site_t *site = data;

    if (site->current) {
        release(site->current);
        site->current = NULL;
    }
    return APR_SUCCESS;
}

qlm_site_t *qlm_site_create(const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    qlm_site_t *site = apr_pcalloc(pool, sizeof(*site));

    site->secrets = secrets;
    apr_thread_mutex_create(&site->lock, APR_THREAD_MUTEX_DEFAULT, pool);
    apr_pool_cleanup_register(pool, site, site_destroy, apr_pool_cleanup_null);
    return site;
}

/* ---- loading ----------------------------------------------------------------------------------
 */

static apr_array_header_t *load_addresses(const qlm_snapshot_t *snapshot, qlm_property_t property)
{
    return qlm_addresses_read(NULL, qlm_properties_text(snapshot->properties, property),
                              snapshot->pool);
}

/* Names that no method has are left out: they restrict nothing. */
static apr_array_header_t *load_methods(const qlm_snapshot_t *snapshot, qlm_property_t property)
{
    apr_array_header_t *names = qlm_text_split(qlm_properties_text(snapshot->properties, property),
                                               QLM_METHOD_SEPARATORS, snapshot->pool);
    apr_array_header_t *methods =
        apr_array_make(snapshot->pool, names->nelts, sizeof(const qlm_method_t *));

    for (int i = 0; i < names->nelts; i++) {
        const qlm_method_t *method = qlm_method_find(APR_ARRAY_IDX(names, i, const char *));

        if (method) {
            APR_ARRAY_PUSH(methods, const qlm_method_t *) = method;
        }
    }
    return methods;
}

static void load_lists(qlm_snapshot_t *snapshot)
{
    snapshot->blocked = load_addresses(snapshot, QLM_PROPERTY_BLOCK_IP_ADDRESSES);
    snapshot->admin_addresses = load_addresses(snapshot, QLM_PROPERTY_ADMIN_ADDRESSES);
    snapshot->methods[QLM_LISTED_ADMIN] = load_methods(snapshot, QLM_PROPERTY_ADMIN_METHODS);
    snapshot->methods[QLM_LISTED_STRICT] = load_methods(snapshot, QLM_PROPERTY_STRICT_METHODS);
}

static qlm_error_t *load_properties(qlm_snapshot_t *snapshot, qlm_store_t *store)
{
    apr_array_header_t *values;

    QLM_TRY(qlm_store_list_properties(&values, store, snapshot->pool));
    snapshot->properties = qlm_properties_create(snapshot->pool);
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *value = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        qlm_properties_put(snapshot->properties, value->name, value->value);
    }
    load_lists(snapshot);
    return NULL;
}

static qlm_error_t *load_vendors(qlm_snapshot_t *snapshot, qlm_store_t *store)
{
    apr_array_header_t *records;

    QLM_TRY(qlm_store_list_vendors(&records, store, snapshot->pool));
    snapshot->vendors = apr_hash_make(snapshot->pool);
    for (int i = 0; i < records->nelts; i++) {
        qlm_vendor_record_t *record = &APR_ARRAY_IDX(records, i, qlm_vendor_record_t);

        apr_hash_set(snapshot->vendors, record->name, APR_HASH_KEY_STRING, record);
    }
    return NULL;
}

/* The hash key of a product version: the three numbers, laid out without padding. */
typedef struct product_key_t {
    int id, major, minor;
} product_key_t;

static qlm_error_t *load_products(qlm_snapshot_t *snapshot, qlm_store_t *store)
{
    apr_array_header_t *products;

    QLM_TRY(qlm_store_list_products(&products, store, snapshot->pool));
    snapshot->products = apr_hash_make(snapshot->pool);
    for (int i = 0; i < products->nelts; i++) {
        loaded_product_t *loaded = apr_pcalloc(snapshot->pool, sizeof(*loaded));
        product_key_t *key = apr_palloc(snapshot->pool, sizeof(*key));

        loaded->product = APR_ARRAY_IDX(products, i, qlm_product_t);
        key->id = loaded->product.id;
        key->major = loaded->product.major;
        key->minor = loaded->product.minor;
        apr_hash_set(snapshot->products, key, sizeof(*key), loaded);
    }
    return NULL;
}

static loaded_product_t *find_product(const qlm_snapshot_t *snapshot, int id, int major, int minor)
{
    product_key_t key = {id, major, minor};

    return apr_hash_get(snapshot->products, &key, sizeof(key));
}

/* After the products: properties of a version that is gone belong to nobody. */
static qlm_error_t *load_product_properties(qlm_snapshot_t *snapshot, qlm_store_t *store)
{
    apr_array_header_t *records;

    QLM_TRY(qlm_store_list_product_properties(&records, store, snapshot->pool));
    for (int i = 0; i < records->nelts; i++) {
        const qlm_pp_record_t *record = &APR_ARRAY_IDX(records, i, qlm_pp_record_t);
        loaded_product_t *loaded =
            find_product(snapshot, record->product_id, record->major, record->minor);

        if (loaded && !loaded->definitions) {
            loaded->definitions = qlm_pp_definitions_create(snapshot->pool);
        }
        if (loaded) {
            qlm_pp_definitions_add(loaded->definitions, &record->definition);
        }
    }
    return NULL;
}

/* Read everything. The revision is read first: a change made meanwhile is then noticed by the next
 * call. */
static qlm_error_t *load(qlm_snapshot_t *snapshot, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_error_t *error;

    if ((error = qlm_ownership_check(store, snapshot->secrets, pool)) ||
        (error = load_properties(snapshot, store)) || (error = load_vendors(snapshot, store)) ||
        (error = load_products(snapshot, store)) ||
        (error = load_product_properties(snapshot, store)) ||
        (error = qlm_store_list_domains(&snapshot->domains, store, snapshot->pool))) {
        return qlm_error_copy(error, pool);
    }
    return NULL;
}

static qlm_error_t *snapshot_create(qlm_snapshot_t **snapshot, const qlm_site_t *site,
                                    qlm_store_t *store, apr_int64_t revision, int has_foreign_keys,
                                    apr_pool_t *pool)
{
    apr_pool_t *own;
    qlm_snapshot_t *made;
    qlm_error_t *error;

    apr_pool_create(&own, NULL);
    apr_pool_tag(own, "qlm_snapshot");
    made = apr_pcalloc(own, sizeof(*made));
    made->pool = own;
    made->holders = 1;
    made->revision = revision;
    made->has_foreign_keys = has_foreign_keys;
    made->secrets = site->secrets;
    apr_thread_mutex_create(&made->key_lock, APR_THREAD_MUTEX_DEFAULT, own);
    error = load(made, store, pool);
    if (error) {
        apr_pool_destroy(own);
        return error;
    }
    *snapshot = made;
    return NULL;
}

/* ---- sharing ----------------------------------------------------------------------------------
 */

/* Take hold of the current snapshot if it is of `revision`. */
static qlm_snapshot_t *hold_current(qlm_site_t *site, apr_int64_t revision)
{
    qlm_snapshot_t *found = NULL;

    apr_thread_mutex_lock(site->lock);
    if (site->current && site->current->revision == revision) {
        found = site->current;
        apr_atomic_inc32(&found->holders);
    }
    apr_thread_mutex_unlock(site->lock);
    return found;
}

/* Make `fresh` the current snapshot, unless somebody already put a newer one there. */
static void publish(qlm_site_t *site, qlm_snapshot_t *fresh)
{
    qlm_snapshot_t *old = NULL;

    apr_thread_mutex_lock(site->lock);
    if (!site->current || site->current->revision != fresh->revision) {
        old = site->current;
        site->current = fresh;
        apr_atomic_inc32(&fresh->holders);
    }
    apr_thread_mutex_unlock(site->lock);
    if (old) {
        release(old);
    }
}

qlm_error_t *qlm_site_snapshot(const qlm_snapshot_t **snapshot, qlm_site_t *site,
                               qlm_store_t *store, apr_pool_t *pool)
{
    apr_int64_t revision;
    int has_foreign_keys;
    qlm_snapshot_t *held;

    QLM_TRY(qlm_store_revision(&revision, &has_foreign_keys, store, pool));
    held = hold_current(site, revision);
    if (!held) {
        QLM_TRY(snapshot_create(&held, site, store, revision, has_foreign_keys, pool));
        publish(site, held);
    }
    apr_pool_cleanup_register(pool, held, release, apr_pool_cleanup_null);
    *snapshot = held;
    return NULL;
}

/* ---- looking things up ------------------------------------------------------------------------
 */

const qlm_properties_t *qlm_snapshot_properties(const qlm_snapshot_t *snapshot)
{
    return snapshot->properties;
}

qlm_error_t *qlm_site_open_secret(const char **text, qlm_property_t property,
                                  const qlm_properties_t *properties, const qlm_secrets_t *secrets,
                                  apr_pool_t *pool)
{
    const char *identity =
        apr_pstrcat(pool, "property/", qlm_text_fold(qlm_property_row(property)->name, pool), NULL);

    return qlm_secrets_open(text, secrets, identity, qlm_properties_text(properties, property),
                            pool);
}

qlm_error_t *qlm_snapshot_secret(const char **text, const qlm_snapshot_t *snapshot,
                                 qlm_property_t property, apr_pool_t *pool)
{
    return qlm_site_open_secret(text, property, snapshot->properties, snapshot->secrets, pool);
}

int qlm_snapshot_has_foreign_keys(const qlm_snapshot_t *snapshot)
{
    return snapshot->has_foreign_keys;
}

const qlm_vendor_record_t *qlm_snapshot_vendor(const qlm_snapshot_t *snapshot, const char *name)
{
    return apr_hash_get(snapshot->vendors, name, APR_HASH_KEY_STRING);
}

const qlm_product_t *qlm_snapshot_product(const qlm_snapshot_t *snapshot, int id, int major,
                                          int minor)
{
    const loaded_product_t *loaded = find_product(snapshot, id, major, minor);

    return loaded ? &loaded->product : NULL;
}

const qlm_pp_definitions_t *qlm_snapshot_pp_definitions(const qlm_snapshot_t *snapshot,
                                                        const qlm_product_t *product)
{
    const loaded_product_t *loaded =
        product ? find_product(snapshot, product->id, product->major, product->minor) : NULL;

    return loaded ? loaded->definitions : NULL;
}

static qlm_error_t *parse_key(loaded_product_t *loaded, const qlm_snapshot_t *snapshot,
                              apr_pool_t *pool)
{
    const qlm_product_t *product = &loaded->product;
    const char *pem;

    QLM_TRY(
        qlm_secrets_open(&pem, snapshot->secrets,
                         qlm_product_identity(product->id, product->major, product->minor, pool),
                         product->private_key_sealed, pool));
    return qlm_signature_load(&loaded->key, pem, snapshot->pool);
}

qlm_error_t *qlm_snapshot_private_key(const qlm_private_key_t **key, const qlm_snapshot_t *snapshot,
                                      const qlm_product_t *product, apr_pool_t *pool)
{
    loaded_product_t *loaded = find_product(snapshot, product->id, product->major, product->minor);
    qlm_error_t *error = NULL;

    apr_thread_mutex_lock(snapshot->key_lock);
    if (!loaded->key) {
        error = parse_key(loaded, snapshot, pool);
    }
    apr_thread_mutex_unlock(snapshot->key_lock);
    if (error) {
        return qlm_error_detail(
            qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_FAILED_TO_SIGN,
                           "the license document cannot be signed; tell the publisher"),
            pool, "private key of product %d version %d.%d: %s%s%s", product->id, product->major,
            product->minor, error->text, error->detail ? ": " : "",
            error->detail ? error->detail : "");
    }
    *key = loaded->key;
    return NULL;
}

apr_int64_t qlm_snapshot_organization(const qlm_snapshot_t *snapshot, const char *email,
                                      apr_pool_t *pool)
{
    for (int i = 0; i < snapshot->domains->nelts; i++) {
        const qlm_organization_t *organization =
            &APR_ARRAY_IDX(snapshot->domains, i, qlm_organization_t);

        if (qlm_organization_covers(organization->domains, email, pool)) {
            return organization->id;
        }
    }
    return 0;
}

int qlm_snapshot_is_blocked(const qlm_snapshot_t *snapshot, const char *address, apr_pool_t *pool)
{
    return qlm_addresses_hold(snapshot->blocked, address, pool);
}

int qlm_snapshot_is_admin_address(const qlm_snapshot_t *snapshot, const char *address,
                                  apr_pool_t *pool)
{
    return qlm_addresses_hold(snapshot->admin_addresses, address, pool);
}

int qlm_snapshot_lists(const qlm_snapshot_t *snapshot, qlm_listed_t list,
                       const qlm_method_t *method)
{
    const apr_array_header_t *methods = snapshot->methods[list];

    for (int i = 0; i < methods->nelts; i++) {
        if (APR_ARRAY_IDX(methods, i, const qlm_method_t *) == method) {
            return 1;
        }
    }
    return 0;
}
