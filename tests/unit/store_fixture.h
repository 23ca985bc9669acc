/* What the tests of the store share: a database of its own for each test, and records to put in it.
 *
 * By default a new SQLite file. QLM_TEST_DATABASE="pgsql PARAMS" or "mysql PARAMS" names a database
 * of a server instead (unit/engines.sh starts some): it is emptied before each test. */
#ifndef QLM_TESTS_STORE_FIXTURE_H
#define QLM_TESTS_STORE_FIXTURE_H

#include "store/connection.h"
#include "store/store.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW ((apr_int64_t)1700000000)

static apr_pool_t *pool;
static char *folder;
static const char *path;
static const char *dbd_driver, *dbd_params; /* of the database under test */
static qlm_store_t *store;

/* Is the database under test that of a server? Tests about SQLite's file and its locks are added
 * with add_file_test and leave servers alone; add_server_test is the other way round. */
static inline int is_on_server(void)
{
    const char *database = getenv("QLM_TEST_DATABASE");

    return database && *database;
}

#define add_file_test(tcase, test)                                                                 \
    do {                                                                                           \
        if (!is_on_server()) {                                                                     \
            tcase_add_test(tcase, test);                                                           \
        }                                                                                          \
    } while (0)
#define add_server_test(tcase, test)                                                               \
    do {                                                                                           \
        if (is_on_server()) {                                                                      \
            tcase_add_test(tcase, test);                                                           \
        }                                                                                          \
    } while (0)

/* Must succeed; a failure shows what the log would say. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        qlm_error_t *ok_error_ = (call);                                                           \
        ck_assert_msg(!ok_error_, "%s: %s (%s)", #call, ok_error_ ? ok_error_->text : "",          \
                      ok_error_ && ok_error_->detail ? ok_error_->detail : "");                    \
    } while (0)

/* Must be an error of this kind whose detail holds this word, and whose text tells no path. */
#define FAILS(call, kind_, word)                                                                   \
    do {                                                                                           \
        qlm_error_t *fails_error_ = (call);                                                        \
        ck_assert_msg(fails_error_ != NULL, "%s: succeeded", #call);                               \
        ck_assert_msg(fails_error_->kind == (kind_), "%s: kind %d: %s", #call, fails_error_->kind, \
                      fails_error_->text);                                                         \
        ck_assert_msg(strstr(fails_error_->detail ? fails_error_->detail : fails_error_->text,     \
                             (word)) != NULL,                                                      \
                      "%s: %s (%s)", #call, fails_error_->text,                                    \
                      fails_error_->detail ? fails_error_->detail : "");                           \
        ck_assert_msg(!strstr(fails_error_->text, folder), "%s: %s", #call, fails_error_->text);   \
    } while (0)

/* A unit that does one thing: UNIT(name, type of baton) { ... } */
#define UNIT(name, baton_type)                                                                     \
    static inline qlm_error_t *name##_body(qlm_store_t *unit_store, baton_type *baton,             \
                                           apr_pool_t *unit_pool);                                 \
    static inline qlm_error_t *name(qlm_store_t *unit_store, void *baton, apr_pool_t *unit_pool)   \
    {                                                                                              \
        return name##_body(unit_store, baton, unit_pool);                                          \
    }                                                                                              \
    static inline qlm_error_t *name##_body(qlm_store_t *unit_store, baton_type *baton,             \
                                           apr_pool_t *unit_pool)

static qlm_store_t *open_store(apr_pool_t *open_pool)
{
    qlm_store_t *opened = NULL;

    OK(qlm_store_open(&opened, dbd_driver, dbd_params, 0, open_pool));
    return opened;
}

/* A server's database is used by one test after the other. */
static inline void empty_database(const char *name)
{
    static const char *const pgsql[] = {"DROP SCHEMA public CASCADE", "CREATE SCHEMA public"};
    const char *mysql[] = {apr_pstrcat(pool, "DROP DATABASE ", name, NULL),
                           apr_pstrcat(pool, "CREATE DATABASE ", name, NULL)};
    const char *const *sql = strcmp(dbd_driver, "pgsql") ? mysql : pgsql;
    qlm_store_t *opened = open_store(pool);
    int i;

    for (i = 0; i < 2; ++i) {
        OK(qlm_connection_execute_text(opened, sql[i], pool));
    }
}

/* Both from the environment; "dbname=" is the last of the parameters. */
static void choose_database(void)
{
    char *database = apr_pstrdup(pool, is_on_server() ? getenv("QLM_TEST_DATABASE") : "sqlite3 ");
    char *blank = strchr(database, ' ');

    ck_assert_ptr_nonnull(blank);
    *blank = '\0';
    dbd_driver = database;
    dbd_params = is_on_server() ? blank + 1 : path;
    if (is_on_server()) {
        ck_assert_ptr_nonnull(strstr(dbd_params, "dbname="));
        empty_database(strstr(dbd_params, "dbname=") + strlen("dbname="));
    }
}

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");

    apr_initialize();
    apr_pool_create(&pool, NULL);
    folder = apr_pstrcat(pool, base && *base ? base : "/tmp", "/check_store_XXXXXX", NULL);
    ck_assert(mkdtemp(folder) != NULL);
    path = apr_pstrcat(pool, folder, "/qlm.db", NULL);
    store = NULL;
    choose_database();
}

static void make_store(void)
{
    make_folder();
    store = open_store(pool);
    OK(qlm_store_upgrade(store, pool));
}

static void remove_folder(void)
{
    apr_pool_t *last;
    apr_finfo_t info;
    apr_dir_t *dir;
    char *gone = strdup(folder);

    apr_pool_destroy(pool); /* closes the connections */
    apr_pool_create(&last, NULL);
    if (!apr_dir_open(&dir, gone, last)) {
        while (!apr_dir_read(&info, APR_FINFO_NAME, dir)) {
            if (info.name[0] != '.') {
                unlink(apr_pstrcat(last, gone, "/", info.name, NULL));
            }
        }
        apr_dir_close(dir);
    }
    rmdir(gone);
    free(gone);
    apr_pool_destroy(last);
    apr_terminate();
}

/* A license with something in every field. */
static inline qlm_license_t sample_license(apr_int64_t id, const char *key, int seats)
{
    qlm_license_t license = {.id = id,
                             .activation_key = key,
                             .product_id = 7,
                             .major = 3,
                             .minor = 14,
                             .model = QLM_MODEL_SUBSCRIPTION,
                             .engine = QLM_ENGINE_6,
                             .is_generic = 0,
                             .is_disabled = 0,
                             .is_test = 1,
                             .num_licenses = seats,
                             .available_licenses = seats,
                             .floating_seats = 2,
                             .features = "0:3;1:1;",
                             .expires_at = 0,
                             .duration_days = 30,
                             .maintenance_until = NOW + 5,
                             .computer_type = 1,
                             .created_at = NOW,
                             .ordered_at = NOW - 60,
                             .first_activated_at = 0,
                             .vendor = "cleverbridge",
                             .order_ref = "1000",
                             .line_ref = "1",
                             .subscription_ref = "S77",
                             .user_data = "some \"data\" & 100% of it",
                             .comment = "it's a comment",
                             .legacy_key = "OLD-KEY",
                             .affiliate_id = "partner",
                             .properties = "<p/>",
                             .order_status = "Completed",
                             .customer_id = 0};

    return license;
}

static inline qlm_activation_t sample_activation(apr_int64_t id, apr_int64_t license_id,
                                                 const char *computer)
{
    qlm_activation_t activation = {.id = id,
                                   .license_id = license_id,
                                   .computer_id = computer,
                                   .computer_name = "Desk",
                                   .computer_key = "CKEY",
                                   .major = 3,
                                   .minor = 13,
                                   .activated_at = NOW + 100,
                                   .last_accessed_at = NOW + 101,
                                   .activation_count = 1,
                                   .user_data = "mine",
                                   .ip_address = "192.0.2.7"};

    return activation;
}

UNIT(add_license, qlm_license_t)
{
    return qlm_store_add_license(unit_store, baton, unit_pool);
}

static inline void write_license(apr_int64_t id, const char *key, int seats)
{
    qlm_license_t license = sample_license(id, key, seats);

    OK(qlm_store_write(store, add_license, &license, pool));
}

/** Taking a seat as a unit. */
typedef struct seat_t {
    qlm_activation_t activation;
    apr_int64_t expires_at;
    int taken;
} seat_t;

UNIT(take_seat, seat_t)
{
    baton->taken = -1;
    return qlm_store_take_seat(&baton->taken, unit_store, &baton->activation, baton->expires_at,
                               unit_pool);
}

static inline qlm_license_view_t *find(qlm_store_t *in, const char *key, const char *computer)
{
    qlm_license_view_t *view = NULL;

    OK(qlm_store_find_license(&view, in, key, computer, pool));
    return view;
}

/* ---- customers ---- */

typedef struct put_t {
    qlm_customer_t customer;
    int overwrite;
    apr_int64_t id;
    int is_new, is_changed;
} put_t;

UNIT(put_customer_unit, put_t)
{
    const qlm_actor_t actor = {.method = "test", .now = NOW};
    qlm_stored_customer_t stored;
    qlm_error_t *error = qlm_store_put_customer(&stored, unit_store, &baton->customer,
                                                baton->overwrite, &actor, unit_pool);

    baton->id = error ? 0 : stored.customer.id;
    baton->is_new = !error && stored.is_new;
    baton->is_changed = !error && stored.is_changed;
    return error;
}

static inline apr_int64_t put_customer(const char *email, const char *name, const char *company,
                                       int overwrite)
{
    put_t put = {.customer = {.email = email,
                              .full_name = name,
                              .company = company,
                              .phone = "1",
                              .fax = "2",
                              .mobile = "3",
                              .address1 = "4",
                              .address2 = "5",
                              .city = "6",
                              .state = "7",
                              .zip = "8",
                              .country = "9",
                              .notes = "10",
                              .affiliate_id = "11",
                              .include_in_mail_list = -1},
                 .overwrite = overwrite};

    OK(qlm_store_write(store, put_customer_unit, &put, pool));
    ck_assert(put.id > 0);
    return put.id;
}

#endif
