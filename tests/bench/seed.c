/* seed DATABASE SECRET COUNT KEYS: a database for measurements. Makes the tables, one product with
 * an RSA-2048 key, one shop (user and password "demo") and COUNT licenses that are each active on
 * one computer, through the library's own store. Writes up to KEYS_MAX lines `KEY COMPUTER-ID` of
 * licenses from all over the table to the file KEYS. */
#include "base/crypto.h"
#include "license/keygen.h"
#include "license/signature.h"
#include "store/connection.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEYS_MAX   10000
#define BATCH      10000
#define ID_LETTERS 16
/* Computers come and go in a measurement; no key may run out of seats. */
#define SEATS 1000000

typedef struct seed_t {
    const qlm_secrets_t *secrets;
    FILE *keys;
    apr_int64_t now;
    int count, step; /* licenses; a line in the file for each step-th */
    int from, to;    /* of this batch */
} seed_t;

static void die(const char *what)
{
    fprintf(stderr, "seed: %s\n", what);
    exit(1);
}

static void must(qlm_error_t *error)
{
    if (error) {
        die(error->detail ? error->detail : error->text);
    }
}

/* ---- settings: what issuing, activating and validating need ---- */

static qlm_error_t *add_product(qlm_store_t *store, const seed_t *seed, apr_pool_t *pool)
{
    qlm_product_t product = {.id = 1, .major = 1, .minor = 0, .name = "Demo"};
    const char *private_pem;
    int added;

    QLM_TRY(qlm_signature_generate(&private_pem, &product.public_key_pem, 2048, pool));
    QLM_TRY(qlm_secrets_seal(&product.private_key_sealed, seed->secrets,
                             qlm_product_identity(1, 1, 0, pool), private_pem, pool));
    return qlm_store_add_product(&added, store, &product, pool);
}

static qlm_error_t *add_settings(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const seed_t *seed = baton;
    qlm_vendor_record_t vendor = {.name = "cleverbridge",
                                  .is_enabled = 1,
                                  .user = "demo",
                                  .password_verifier = qlm_secrets_verifier(
                                      seed->secrets, "vendor/cleverbridge", "demo", pool),
                                  .password_sealed = "",
                                  .url = "",
                                  .api_key_sealed = "",
                                  .shared_key_sealed = ""};

    QLM_TRY(add_product(store, seed, pool));
    QLM_TRY(qlm_store_set_vendor(store, &vendor, pool));
    QLM_TRY(qlm_store_set_property(store, "enableUpgradeLicense", "true", pool));
    return qlm_store_set_property(store, "enableGetActivationKey", "true", pool);
}

/* ---- licenses ---- */

/* Letters only: the same computer can be written in many ways, as case does not count. */
static const char *computer_id(int number, apr_pool_t *pool)
{
    char *id = apr_palloc(pool, ID_LETTERS + 1);

    for (int i = ID_LETTERS - 1; i >= 0; i--, number /= 26) {
        id[i] = (char)('a' + number % 26);
    }
    id[ID_LETTERS] = '\0';
    return id;
}

static qlm_error_t *add_customer(apr_int64_t *id, qlm_store_t *store, const seed_t *seed,
                                 int number, apr_pool_t *pool)
{
    qlm_customer_t customer = {.email = apr_psprintf(pool, "buyer%d@customer.example", number),
                               .full_name = apr_psprintf(pool, "Ada Byron %d", number),
                               .company = "Analytical Engines",
                               .city = "London",
                               .country = "GB"};

    const qlm_actor_t actor = {.method = "seed", .now = seed->now};
    qlm_stored_customer_t stored;

    QLM_TRY(qlm_store_put_customer(&stored, store, &customer, 0, &actor, pool));
    *id = stored.customer.id;
    return NULL;
}

static qlm_error_t *add_pair(qlm_store_t *store, const seed_t *seed, int number, apr_pool_t *pool)
{
    unsigned char random[QLM_KEY_RANDOM_BYTES];
    qlm_activation_t activation = {.major = 1, .computer_name = "Desk", .activation_count = 1};
    qlm_license_t license = {.product_id = 1,
                             .major = 1,
                             .model = QLM_MODEL_PERMANENT,
                             .engine = QLM_ENGINE_6,
                             .num_licenses = SEATS,
                             .available_licenses = SEATS,
                             .duration_days = -1,
                             .created_at = seed->now,
                             .ordered_at = seed->now,
                             .line_ref = "1",
                             .order_status = "Completed",
                             .vendor = "cleverbridge"};
    int taken;

    QLM_TRY(qlm_random(random, sizeof(random), pool));
    QLM_TRY(add_customer(&license.customer_id, store, seed, number, pool));
    license.id = qlm_store_new_id(store);
    license.activation_key = qlm_keygen_activation('M', random, seed->secrets, pool);
    license.order_ref = apr_psprintf(pool, "seed-%d", number);
    license.features = "";
    QLM_TRY(qlm_store_add_license(store, &license, pool));
    activation.id = qlm_store_new_id(store);
    activation.license_id = license.id;
    activation.computer_id = computer_id(number, pool);
    activation.computer_key =
        qlm_license_computer_key(&license, activation.computer_id, seed->secrets, pool);
    activation.activated_at = activation.last_accessed_at = seed->now;
    QLM_TRY(qlm_store_take_seat(&taken, store, &activation, 0, pool));
    if (number % seed->step == 0 &&
        fprintf(seed->keys, "%s %s\n", license.activation_key, activation.computer_id) < 0) {
        die("the keys cannot be written");
    }
    return NULL;
}

static qlm_error_t *add_batch(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const seed_t *seed = baton;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (int number = seed->from; number < seed->to; number++) {
        QLM_TRY(add_pair(store, seed, number, scratch));
        apr_pool_clear(scratch);
    }
    return NULL;
}

static void add_licenses(qlm_store_t *store, seed_t *seed, apr_pool_t *pool)
{
    for (seed->from = 0; seed->from < seed->count; seed->from = seed->to) {
        seed->to = seed->from + BATCH < seed->count ? seed->from + BATCH : seed->count;
        must(qlm_store_write(store, add_batch, seed, pool));
    }
}

int main(int argc, char **argv)
{
    seed_t seed = {0};
    apr_array_header_t *rows;
    apr_pool_t *pool;
    qlm_store_t *store;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (argc != 5 || (seed.count = (int)strtol(argv[3], NULL, 10)) < 1) {
        die("usage: seed DATABASE SECRET COUNT KEYS");
    }
    seed.now = time(NULL);
    seed.step = seed.count > KEYS_MAX ? (seed.count + KEYS_MAX - 1) / KEYS_MAX : 1;
    must(qlm_secrets_create(argv[2], pool));
    must(qlm_secrets_load(&seed.secrets, argv[2], pool));
    seed.keys = fopen(argv[4], "w");
    if (!seed.keys) {
        die("the file of keys cannot be made");
    }
    must(qlm_store_open(&store, "sqlite3", argv[1], 0, pool));
    /* Nobody needs a half-made database after a power cut. */
    must(qlm_connection_select_text(&rows, store, "PRAGMA synchronous=OFF", pool));
    must(qlm_connection_select_text(&rows, store, "PRAGMA cache_size=-600000", pool));
    must(qlm_store_upgrade(store, pool));
    must(qlm_store_write(store, add_settings, &seed, pool));
    add_licenses(store, &seed, pool);
    must(qlm_connection_select_text(&rows, store, "PRAGMA wal_checkpoint(TRUNCATE)", pool));
    if (fclose(seed.keys)) {
        die("the keys cannot be written");
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
