/* seed DATABASE SECRET COUNT KEYS: a database for measurements; a path, pgsql:PARAMETERS or
 * mysql:PARAMETERS. Makes the tables, one product with an RSA-2048 key, one shop (user and password
 * "demo") and COUNT licenses, each with a customer and active on one computer, in many rows at a
 * time. Writes up to KEYS_MAX lines `KEY COMPUTER-ID` of licenses from all over the table, in no
 * order, to the file KEYS. The secret is made if it is not there. */
#include "base/buffer.h"
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

#define KEYS_MAX   100000
#define BATCH      10000 /* licenses of a transaction */
#define ROWS       500   /* of a statement */
#define ID_LETTERS 16
/* Computers come and go in a measurement; no key may run out of seats. */
#define SEATS 1000000

typedef struct seed_t {
    const qlm_secrets_t *secrets;
    apr_int64_t now;
    int count, step; /* licenses; a line in the file for each step-th */
    int from, to;    /* of this batch */
    const char **lines;
    int line_count;
    apr_pool_t *pool; /* of the lines */
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

/* One statement for each table, with many rows. */
typedef struct rows_t {
    qlm_buffer_t *customers, *licenses, *activations;
} rows_t;

static qlm_buffer_t *begin_rows(const char *table, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(ROWS * 300, pool);

    qlm_buffer_addf(buffer, "INSERT INTO %s VALUES ", table);
    return buffer;
}

static void begin_all(rows_t *rows, apr_pool_t *pool)
{
    rows->customers = begin_rows(
        "qlm_customer (id, email_key, email, full_name, company, city, country, created_at,"
        " modified_at)",
        pool);
    rows->licenses =
        begin_rows("qlm_license (id, activation_key, product_id, major, minor, model, engine,"
                   " num_licenses, available_licenses, created_at, ordered_at, first_activated_at,"
                   " modified_at, vendor, order_ref, line_ref, order_status, customer_id)",
                   pool);
    rows->activations =
        begin_rows("qlm_activation (license_id, computer_fold, id, computer_id, computer_name,"
                   " computer_key, major, activated_at, last_accessed_at, activation_count)",
                   pool);
}

static void remember(seed_t *seed, const char *key, const char *computer)
{
    seed->lines[seed->line_count++] = apr_psprintf(seed->pool, "%s %s\n", key, computer);
}

/* No value needs to be escaped. */
static qlm_error_t *add_license(rows_t *rows, qlm_store_t *store, seed_t *seed, int number,
                                apr_pool_t *pool)
{
    unsigned char random[QLM_KEY_RANDOM_BYTES];
    /* What the computer key tells of it: with another one each validation would write. */
    qlm_license_t license = {.model = QLM_MODEL_PERMANENT,
                             .engine = QLM_ENGINE_6,
                             .num_licenses = SEATS,
                             .features = ""};
    const char *computer = computer_id(number, pool), *comma = number % ROWS ? "," : "";
    const char *now = qlm_statement_number(seed->now, pool);
    const char *customer = qlm_statement_number(qlm_store_new_id(store), pool);
    const char *id, *activation;

    QLM_TRY(qlm_random(random, sizeof(random), pool));
    license.id = qlm_store_new_id(store);
    license.activation_key = qlm_keygen_activation('M', random, seed->secrets, pool);
    id = qlm_statement_number(license.id, pool);
    activation = qlm_statement_number(qlm_store_new_id(store), pool);
    qlm_buffer_addf(rows->customers,
                    "%s(%s,'buyer%d@customer.example','buyer%d@customer.example','Ada Byron %d',"
                    "'Analytical Engines','London','GB',%s,%s)",
                    comma, customer, number, number, number, now, now);
    qlm_buffer_addf(rows->licenses,
                    "%s(%s,'%s',1,1,0,'%s',%d,%d,%d,%s,%s,%s,%s,'cleverbridge','seed-%d','1',"
                    "'Completed',%s)",
                    comma, id, license.activation_key, qlm_model_name(license.model),
                    (int)license.engine, SEATS, SEATS - 1, now, now, now, now, number, customer);
    qlm_buffer_addf(rows->activations, "%s(%s,'%s',%s,'%s','Desk','%s',1,%s,%s,1)", comma, id,
                    computer, activation, computer,
                    qlm_license_computer_key(&license, computer, seed->secrets, pool), now, now);
    if (number % seed->step == 0) {
        remember(seed, license.activation_key, computer);
    }
    return NULL;
}

static qlm_error_t *add_rows(qlm_store_t *store, seed_t *seed, int from, int to, apr_pool_t *pool)
{
    rows_t rows;

    begin_all(&rows, pool);
    for (int number = from; number < to; number++) {
        QLM_TRY(add_license(&rows, store, seed, number, pool));
    }
    QLM_TRY(qlm_connection_execute_text(store, rows.customers->text, pool));
    QLM_TRY(qlm_connection_execute_text(store, rows.licenses->text, pool));
    return qlm_connection_execute_text(store, rows.activations->text, pool);
}

static qlm_error_t *add_batch(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    seed_t *seed = baton;
    int first_line = (seed->from + seed->step - 1) / seed->step;
    apr_pool_t *scratch;

    seed->line_count = first_line; /* a batch may be run again */
    apr_pool_create(&scratch, pool);
    for (int from = seed->from; from < seed->to; from += ROWS) {
        QLM_TRY(
            add_rows(store, seed, from, from + ROWS < seed->to ? from + ROWS : seed->to, scratch));
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

/* Neighbours of the table are no neighbours in the file. */
static void write_lines(const seed_t *seed, const char *path)
{
    FILE *file = fopen(path, "w");
    int is_bad = !file;

    for (int i = seed->line_count - 1; i >= 0 && !is_bad; i--) {
        apr_uint32_t other;
        const char *line = seed->lines[i];

        must(qlm_random(&other, sizeof(other), seed->pool));
        other %= (apr_uint32_t)i + 1;
        is_bad = fputs(seed->lines[other], file) < 0;
        seed->lines[other] = line;
    }
    if (is_bad || fclose(file)) {
        die("the keys cannot be written");
    }
}

/* ---- the database ---- */

static qlm_store_t *open_database(const char *database, apr_pool_t *pool)
{
    static const char *const drivers[] = {"pgsql", "mysql"};
    const char *driver = "sqlite3", *params = database;
    qlm_store_t *store;

    for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
        size_t length = strlen(drivers[i]);

        if (strncmp(database, drivers[i], length) == 0 && database[length] == ':') {
            driver = drivers[i];
            params = database + length + 1;
        }
    }
    must(qlm_store_open(&store, driver, params, 0, pool));
    return store;
}

static void say(qlm_store_t *store, const char *sql, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    if (store->dialect == QLM_DIALECT_SQLITE) {
        must(qlm_connection_select_text(&rows, store, sql, pool));
    }
    else {
        must(qlm_connection_execute_text(store, sql, pool));
    }
}

/* Nobody needs a half-made database after a power cut. */
static void hurry(qlm_store_t *store, apr_pool_t *pool)
{
    if (store->dialect == QLM_DIALECT_SQLITE) {
        say(store, "PRAGMA synchronous=OFF", pool);
        say(store, "PRAGMA cache_size=-1000000", pool);
    }
    if (store->dialect == QLM_DIALECT_PGSQL) {
        say(store, "SET synchronous_commit = off", pool);
    }
}

/* An index is made faster when its rows are there already. The statements that make them, once they
 * are dropped. MariaDB, of which no big database is made, keeps them. */
static apr_array_header_t *drop_indexes(qlm_store_t *store, apr_pool_t *pool)
{
    static const char *const names_and_sql[] = {
        /* QLM_DIALECT_SQLITE */ "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql "
                                 "IS NOT NULL",
        /* QLM_DIALECT_PGSQL */
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND "
        "indexname NOT LIKE '%pkey'"};
    apr_array_header_t *found, *made = apr_array_make(pool, 32, sizeof(char *));

    if (store->dialect == QLM_DIALECT_MYSQL) {
        return made;
    }
    must(qlm_connection_select_text(&found, store, names_and_sql[store->dialect], pool));
    for (int i = 0; i < found->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(found, i, qlm_row_t);

        must(qlm_connection_execute_text(store, apr_pstrcat(pool, "DROP INDEX ", row[0], NULL),
                                         pool));
        APR_ARRAY_PUSH(made, const char *) = row[1];
    }
    return made;
}

static void make_indexes(qlm_store_t *store, const apr_array_header_t *made, apr_pool_t *pool)
{
    for (int i = 0; i < made->nelts; i++) {
        must(qlm_connection_execute_text(store, APR_ARRAY_IDX(made, i, const char *), pool));
    }
}

/* What the engine does by itself some time later, and not in the middle of a measurement.
 * PostgreSQL plans for empty tables as long as it believes in them, so those are left alone. */
static void settle(qlm_store_t *store, apr_pool_t *pool)
{
    if (store->dialect == QLM_DIALECT_SQLITE) {
        say(store, "PRAGMA wal_checkpoint(TRUNCATE)", pool);
    }
    if (store->dialect == QLM_DIALECT_PGSQL) {
        say(store, "VACUUM (ANALYZE) qlm_customer, qlm_license, qlm_activation", pool);
    }
}

int main(int argc, char **argv)
{
    seed_t seed = {0};
    apr_finfo_t info;
    apr_pool_t *pool;
    qlm_store_t *store;
    apr_array_header_t *indexes;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (argc != 5 || (seed.count = (int)strtol(argv[3], NULL, 10)) < 1) {
        die("usage: seed DATABASE SECRET COUNT KEYS");
    }
    seed.now = time(NULL);
    seed.step = seed.count > KEYS_MAX ? (seed.count + KEYS_MAX - 1) / KEYS_MAX : 1;
    seed.lines = apr_pcalloc(pool, KEYS_MAX * sizeof(*seed.lines));
    seed.pool = pool;
    if (apr_stat(&info, argv[2], APR_FINFO_TYPE, pool)) {
        must(qlm_secrets_create(argv[2], pool));
    }
    must(qlm_secrets_load(&seed.secrets, argv[2], pool));
    store = open_database(argv[1], pool);
    must(qlm_store_upgrade(store, pool));
    hurry(store, pool);
    must(qlm_store_write(store, add_settings, &seed, pool));
    indexes = drop_indexes(store, pool);
    add_licenses(store, &seed, pool);
    make_indexes(store, indexes, pool);
    settle(store, pool);
    write_lines(&seed, argv[4]);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
