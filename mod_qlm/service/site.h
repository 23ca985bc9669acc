/* The site as one call sees it: properties, vendors and products of one revision of the database.
 *
 * Each process keeps the newest snapshot; it is read again when the database's revision has
 * changed, so a change made by the command line holds from the next call on. A snapshot never
 * changes; it lives until its last call has ended. */
#ifndef QLM_SERVICE_SITE_H
#define QLM_SERVICE_SITE_H

#include "base/crypto.h"
#include "license/productproperties.h"
#include "license/signature.h"
#include "service/methods.h"
#include "store/store.h"

typedef struct qlm_site_t qlm_site_t;
typedef struct qlm_snapshot_t qlm_snapshot_t;

/** An empty cache. Lives in @a pool; its snapshots have pools of their own. */
qlm_site_t *qlm_site_create(const qlm_secrets_t *secrets, apr_pool_t *pool);

/** The current snapshot; held until @a pool is cleared. Errors: STORE. */
qlm_error_t *qlm_site_snapshot(const qlm_snapshot_t **snapshot, qlm_site_t *site,
                               qlm_store_t *store, apr_pool_t *pool);

const qlm_properties_t *qlm_snapshot_properties(const qlm_snapshot_t *snapshot);

/** A property of type secret as it was given, in @a pool; "" if it is not set. Errors: INTERNAL. */
qlm_error_t *qlm_site_open_secret(const char **text, qlm_property_t property,
                                  const qlm_properties_t *properties, const qlm_secrets_t *secrets,
                                  apr_pool_t *pool);
/** The same of a snapshot. */
qlm_error_t *qlm_snapshot_secret(const char **text, const qlm_snapshot_t *snapshot,
                                 qlm_property_t property, apr_pool_t *pool);

/** Were keys imported that are not of our shape? Then no key is refused for its check part. */
int qlm_snapshot_has_foreign_keys(const qlm_snapshot_t *snapshot);

/** The record of a vendor by canonical name, or NULL. */
const qlm_vendor_record_t *qlm_snapshot_vendor(const qlm_snapshot_t *snapshot, const char *name);

/** A product version, or NULL. */
const qlm_product_t *qlm_snapshot_product(const qlm_snapshot_t *snapshot, int id, int major,
                                          int minor);

/** The product properties that a product version defines, NULL if it defines none (or @a product is
 * NULL). */
const qlm_pp_definitions_t *qlm_snapshot_pp_definitions(const qlm_snapshot_t *snapshot,
                                                        const qlm_product_t *product);

/** The private key of a product version; parsed when first asked for. Errors: INTERNAL with code
 * 215. */
qlm_error_t *qlm_snapshot_private_key(const qlm_private_key_t **key, const qlm_snapshot_t *snapshot,
                                      const qlm_product_t *product, apr_pool_t *pool);

/** The oldest organization one of whose patterns of domains matches @a email; 0 if none does. */
apr_int64_t qlm_snapshot_organization(const qlm_snapshot_t *snapshot, const char *email,
                                      apr_pool_t *pool);

/** Is @a address (text form) in blockIPAddresses? */
int qlm_snapshot_is_blocked(const qlm_snapshot_t *snapshot, const char *address, apr_pool_t *pool);

/** Is @a address (text form) in httpAdminMethodsAllowedIPAddresses? */
int qlm_snapshot_is_admin_address(const qlm_snapshot_t *snapshot, const char *address,
                                  apr_pool_t *pool);

/** The properties that list methods. */
typedef enum qlm_listed_t {
    QLM_LISTED_ADMIN,  /**< httpAdminMethods */
    QLM_LISTED_STRICT, /**< strictAuthenticationHttpMethods */
    QLM_LISTED_COUNT
} qlm_listed_t;

/** Does the property list @a method, under any of its names? */
int qlm_snapshot_lists(const qlm_snapshot_t *snapshot, qlm_listed_t list,
                       const qlm_method_t *method);

#endif
