/* What was bought: the neutral order, whichever shop it came from, and what it entitles to.
 * Computation only. */
#ifndef QLM_LICENSE_ORDER_H
#define QLM_LICENSE_ORDER_H

#include "base/error.h"
#include "license/features.h"
#include "license/model.h"

#define QLM_MAX_QUANTITY 9999

/** A buyer. Texts are cleaned UTF-8, "" when unknown, never NULL in a record read from the store; a
 * translator may leave NULL for "not said". Lengths are limited to those of the schema (255; notes
 * 1000). */
typedef struct qlm_customer_t {
    apr_int64_t id;
    const char *email, *full_name, *company, *phone, *fax, *mobile;
    const char *address1, *address2, *city, *state, *zip, *country;
    const char *notes, *affiliate_id;
    int include_in_mail_list;            /**< -1 not said, 0, 1 */
    const char *external_id, *user_data; /**< the publisher's own */
    const char *ip_address;
    apr_int64_t organization_id; /**< 0 none */
    /* Not said by shops: */
    int privacy_consent; /**< -1 never asked, 0 denied, 1 given */
    apr_int64_t privacy_consent_at;
    apr_int64_t created_at, modified_at;
} qlm_customer_t;

/** One line of an order, as a translator hands it over. */
typedef struct qlm_order_t {
    const char *vendor;    /**< canonical name, in lower case */
    const char *order_ref; /**< the shop's order number; "" = the caller has none and no repeat can
                              be recognised */
    const char *line_ref;  /**< the line inside the order, "1" where the shop has none */
    const char *shop_product; /**< the shop's own product number, "" if none */
    int quantity;             /**< 1..QLM_MAX_QUANTITY */
    apr_int64_t ordered_at;   /**< by the shop's date; 0 = not said */
    apr_int64_t expires_at;   /**< the shop's own period end, end of day; 0 = not said. Beats
                                 is_expduration */
    int is_test;              /**< the shop says it is a test order */
    int is_remembered;        /**< 0: no record that recognises repeats (ShareIt's PURCHASE_ID 0) */
    const char *subscription_ref; /**< the shop's subscription id, "" if none */
    const char *user_data;        /**< "" if none */
    const char *comment;          /**< "" if none */
    const char *language;         /**< of the buyer, such as "de"; NULL = not said */
    qlm_customer_t customer;
    const char
        *oddity; /**< something wrong that did not stop the order, for the log; NULL if none */
} qlm_order_t;

/** What the arguments of GetActivationKey ask for, checked; times are seconds, 0 = not said. */
typedef struct qlm_terms_t {
    int product_id, major, minor;
    qlm_model_t model; /**< decided */
    qlm_engine_t engine;
    int is_generic;
    qlm_features_t features;
    int use_one_key;         /**< is_usemultipleactivationskey, default 1 */
    int activations_per_key; /**< 0 = not given */
    int additional_activations;
    int is_floating;
    apr_int64_t expires_at;        /**< decided expiry, end of day, 0 = none (yet) */
    int duration_days;             /**< -1 = none */
    apr_int64_t maintenance_until; /**< end of day, 0 = no plan */
    int computer_type;             /**< 0 none, 1 PC, 2 VM */
    const char *affiliate_id, *user_data, *legacy_key;
    const char *properties; /**< is_pp as given */
} qlm_terms_t;

/** How many keys, and what each allows. */
typedef struct qlm_share_t {
    int keys;
    int activations;    /**< NumLicenses of each key */
    int floating_seats; /**< of each key */
} qlm_share_t;

/** The quantity arithmetic: Q units, A additional, N per key, M one shared key.
 *  M: one key with Q×N + A; not M: Q keys with N each (A ignored); floating: FloatingSeats = Q,
 * NumLicenses 1 + A; cloud models: NumLicenses and FloatingSeats are the concurrent seats. Errors:
 * ARGUMENT when a product exceeds 1,000,000 activations. */
qlm_error_t *qlm_order_share(qlm_share_t *share, const qlm_terms_t *terms, int quantity,
                             apr_pool_t *pool);

/** Is the license limited in time (date or duration)? */
int qlm_terms_is_limited(const qlm_terms_t *terms);

#endif
