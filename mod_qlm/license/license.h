/* The license record, its activations, and the rules by which a computer is let in. Computation
 * only. */
#ifndef QLM_LICENSE_LICENSE_H
#define QLM_LICENSE_LICENSE_H

#include "license/order.h"
#include "license/product.h"
#include "license/properties.h"

/** ELicenseStatus bits. */
enum {
    QLM_STATUS_PERMANENT = 2,
    QLM_STATUS_DEMO = 4,
    QLM_STATUS_INVALID = 8,
    QLM_STATUS_PRODUCT_INVALID = 16,
    QLM_STATUS_VERSION_INVALID = 32,
    QLM_STATUS_EXPIRED = 64,
    QLM_STATUS_TAMPERED = 128,
    QLM_STATUS_MACHINE_INVALID = 256,
    QLM_STATUS_NEEDS_ACTIVATION = 512,
    QLM_STATUS_EXCEEDED_INSTANCES = 1024,
    QLM_STATUS_REVOKED = 2048
};

/** EOrderStatus, as stored. */
#define QLM_ORDER_IN_PROGRESS "In Progress"
#define QLM_ORDER_COMPLETED   "Completed"
#define QLM_ORDER_RELEASED    "Released"

/** A license as stored. Texts are never NULL; times are seconds UTC, 0 = none. */
typedef struct qlm_license_t {
    apr_int64_t id;
    const char *activation_key; /**< normal form */
    int product_id, major, minor;
    qlm_model_t model;
    qlm_engine_t engine;
    int is_generic, is_disabled, is_test;
    int num_licenses, available_licenses, floating_seats;
    const char *features; /**< stored form */
    apr_int64_t expires_at;
    int duration_days; /**< -1 none */
    apr_int64_t maintenance_until;
    int computer_type;
    apr_int64_t created_at, ordered_at, first_activated_at;
    const char *vendor, *order_ref, *line_ref, *subscription_ref;
    const char *user_data, *comment, *legacy_key, *affiliate_id;
    const char *properties;   /**< of the product, as stored (license/productvalues.h) */
    const char *order_status; /**< "Completed", "In Progress" … */
    apr_int64_t customer_id;  /**< 0 none */
    apr_int64_t disabled_at, modified_at, released_at;
    int max_release_count, max_release_days; /**< -1 no limit, -2 as the server property says */
    apr_int64_t organization_id;             /**< 0 none */
    const char *bundle_id;
    const char *allowed_computers, *denied_computers; /**< ids separated by ||, "" = no list */
} qlm_license_t;

/** A computer on which a license is active. id 0 = there is none. */
typedef struct qlm_activation_t {
    apr_int64_t id, license_id;
    const char *computer_id; /**< as the client wrote it when it activated */
    const char *computer_name, *computer_key;
    int major, minor; /**< version the client ran */
    apr_int64_t activated_at, last_accessed_at;
    int activation_count;
    const char *user_data, *ip_address;
    apr_int64_t offline_until; /**< a seat taken offline is not given away before; 0 = it is not */
} qlm_activation_t;

/** What a computer asks. */
typedef struct qlm_request_t {
    const char *computer_id;  /**< as sent; "" = none given */
    const char *computer_key; /**< is_pckey in normal form, "" = none */
    int activate;             /**< is_activate, default 1 */
    int has_version;          /**< the three below were given */
    int product_id, major, minor;
    apr_int64_t now;
} qlm_request_t;

/** The verdict on a request before the database is changed. */
typedef enum qlm_verdict_t {
    QLM_VERDICT_VALID,    /**< active on this computer; answer from the record */
    QLM_VERDICT_ACTIVATE, /**< not active here, and should be */
    QLM_VERDICT_REPORT    /**< not active here, and only a report was asked */
} qlm_verdict_t;

/** Judge a request by the rules in their order: revoked, product, version, computer id, blocked
 * computer (by the site or the license), expiry, computer key. Seats and limits are decided by the
 * store.
 * @param requested  the product version the client named, NULL if it named none or it is not known
 * Errors: REFUSED with the code of the first rule broken. */
qlm_error_t *qlm_license_judge(qlm_verdict_t *verdict, const qlm_license_t *license,
                               const qlm_activation_t *activation, const qlm_request_t *request,
                               const qlm_product_t *requested, const qlm_properties_t *properties,
                               apr_pool_t *pool);

/** Revoke or restore; the day of it is set when that changes something. */
void qlm_license_disable(qlm_license_t *license, int is_disabled, apr_int64_t now);

/** `status` of a refusal: the bits that go with @a code. */
int qlm_license_refusal_status(qlm_code_t code);

/** `status` of a success: exactly 2, or exactly 4 when the license is limited in time. */
int qlm_license_success_status(const qlm_license_t *license);

/** May @a computer_id be used: 1..255 characters, no control characters? Errors: REFUSED 208. */
qlm_error_t *qlm_license_check_computer_id(const char *computer_id, apr_pool_t *pool);

/** The computer key that @a license gives @a computer_id now, in @a pool. */
struct qlm_secrets_t;
const char *qlm_license_computer_key(const qlm_license_t *license, const char *computer_id,
                                     const struct qlm_secrets_t *secrets, apr_pool_t *pool);

#endif
