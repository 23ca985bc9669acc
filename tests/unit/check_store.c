/* The records of the store: what is written is what is read, and the rules each change keeps. */
#include "store_fixture.h"

#include "store/connection.h"

#include <apr_time.h>

#include <fcntl.h>
#include <sys/stat.h>

static int revision(void)
{
    apr_int64_t number = -1;

    OK(qlm_store_revision(&number, NULL, store, pool));
    return (int)number;
}

/* ---- schema ---- */

START_TEST(every_statement_prepares)
{
    int i;

    for (i = 0; i < QLM_STATEMENT_COUNT; ++i) {
        if (i == QLM_STATEMENT_BACKUP && is_on_server()) {
            continue;
        }
        OK(qlm_statement_prepare(store, (qlm_statement_t)i, pool));
        ck_assert_ptr_nonnull(store->prepared[i]);
    }
}
END_TEST

START_TEST(schema_is_made_once)
{
    int version = -1;

    store = open_store(pool);
    OK(qlm_store_schema_version(&version, store, pool));
    ck_assert_int_eq(version, 0);
    FAILS(qlm_store_check(store, pool), QLM_ERROR_STORE, "qlmctl init");
    OK(qlm_store_upgrade(store, pool));
    OK(qlm_store_schema_version(&version, store, pool));
    ck_assert_int_eq(version, QLM_SCHEMA_VERSION);
    OK(qlm_store_check(store, pool));
    write_license(1, "KEPT", 1);
    OK(qlm_store_upgrade(store, pool));
    ck_assert_ptr_nonnull(find(store, "KEPT", ""));
    ck_assert_pstr_eq(qlm_store_path(store), is_on_server() ? NULL : path);
}
END_TEST

UNIT(set_version, const char)
{
    return qlm_connection_execute_text(unit_store, baton, unit_pool);
}

static void force_version(const char *sql)
{
    union {
        const char *text;
        void *baton;
    } unconst = {sql};

    OK(qlm_store_write(store, set_version, unconst.baton, pool));
}

#define TEXT_OF_(number) #number
#define TEXT_OF(number)  TEXT_OF_(number)
#define CURRENT          TEXT_OF(QLM_SCHEMA_VERSION)

START_TEST(foreign_schema_is_refused)
{
    qlm_store_t *other;

    force_version("UPDATE qlm_site SET schema_version = 9");
    other = open_store(pool);
    FAILS(qlm_store_check(other, pool), QLM_ERROR_STORE, "schema version 9 is newer");
    FAILS(qlm_store_check(other, pool), QLM_ERROR_STORE, "upgrade mod_qlm");
    FAILS(qlm_store_upgrade(other, pool), QLM_ERROR_STORE, "newer");
    force_version("UPDATE qlm_site SET schema_version = -1");
    FAILS(qlm_store_check(other, pool), QLM_ERROR_STORE, "qlmctl db upgrade");
    /* A bad version is read again at each check, so that the remedy works without a restart. */
    force_version("UPDATE qlm_site SET schema_version = " CURRENT);
    OK(qlm_store_check(other, pool));
}
END_TEST

START_TEST(a_file_made_by_others_is_closed_too)
{
    struct stat info;

    ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0644)), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
    OK(qlm_store_upgrade(open_store(pool), pool));
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_file_made_here_is_not_for_everybody)
{
    struct stat info;

    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_mode & S_IRWXO, 0);
}
END_TEST

START_TEST(must_exist_makes_no_file)
{
    qlm_store_t *opened;
    struct stat info;

    FAILS(qlm_store_open(&opened, "sqlite3", path, 1, pool), QLM_ERROR_STORE, "missing");
    ck_assert_int_ne(stat(path, &info), 0);
    FAILS(qlm_store_open(&opened, "nosuch", path, 0, pool), QLM_ERROR_STORE, "nosuch");
    FAILS(qlm_store_open(&opened, "sqlite3", apr_pstrcat(pool, folder, "/no/where", NULL), 0, pool),
          QLM_ERROR_STORE, "cannot be created");
}
END_TEST

START_TEST(ids_rise)
{
    apr_int64_t last = 0;
    int i;

    for (i = 0; i < 20000; ++i) {
        apr_int64_t id = qlm_store_new_id(store);

        ck_assert_msg(id > last, "id %d does not rise", i);
        last = id;
    }
}
END_TEST

/* ---- settings ---- */

typedef struct pair_t {
    const char *name, *value;
} pair_t;

UNIT(set_property, pair_t)
{
    return qlm_store_set_property(unit_store, baton->name, baton->value, unit_pool);
}

static void put_property(const char *name, const char *value)
{
    pair_t pair = {name, value};

    OK(qlm_store_write(store, set_property, &pair, pool));
}

START_TEST(properties_are_replaced_by_folded_name)
{
    apr_array_header_t *values;
    qlm_property_value_t *first;
    int before = revision();

    put_property("writeBOM", "true");
    put_property("Another", "x'y\"z%s");
    put_property("WRITEbom", "false");
    ck_assert_int_eq(revision(), before + 3);
    OK(qlm_store_list_properties(&values, store, pool));
    ck_assert_int_eq(values->nelts, 2);
    first = &APR_ARRAY_IDX(values, 0, qlm_property_value_t);
    ck_assert_str_eq(first->name, "Another");
    ck_assert_str_eq(first->value, "x'y\"z%s");
    ck_assert_str_eq(first[1].name, "WRITEbom");
    ck_assert_str_eq(first[1].value, "false");
    put_property("anOTHER", NULL);
    OK(qlm_store_list_properties(&values, store, pool));
    ck_assert_int_eq(values->nelts, 1);
    ck_assert_int_eq(revision(), before + 4);
}
END_TEST

UNIT(note_foreign, void)
{
    (void)baton;
    return qlm_store_note_foreign_keys(unit_store, unit_pool);
}

START_TEST(foreign_keys_are_noted)
{
    apr_int64_t before, after;
    int has = -1;

    OK(qlm_store_revision(&before, &has, store, pool));
    ck_assert_int_eq(has, 0);
    OK(qlm_store_write(store, note_foreign, NULL, pool));
    OK(qlm_store_revision(&after, &has, store, pool));
    ck_assert_int_eq(has, 1);
    ck_assert(after > before);
}
END_TEST

UNIT(set_vendor, qlm_vendor_record_t)
{
    return qlm_store_set_vendor(unit_store, baton, unit_pool);
}

START_TEST(vendors_are_inserted_and_replaced)
{
    qlm_vendor_record_t record = {.name = "ShareIt",
                                  .is_enabled = 1,
                                  .is_open = 0,
                                  .user = "demo",
                                  .password_verifier = "v1$x",
                                  .password_sealed = "s1$p",
                                  .url = "https://shop.example/",
                                  .api_key_sealed = "s1$a",
                                  .shared_key_sealed = "s1$s"};
    const qlm_vendor_record_t *found;
    apr_array_header_t *records;
    int before = revision();

    OK(qlm_store_write(store, set_vendor, &record, pool));
    OK(qlm_store_list_vendors(&records, store, pool));
    ck_assert_int_eq(records->nelts, 1);
    found = &APR_ARRAY_IDX(records, 0, qlm_vendor_record_t);
    ck_assert_str_eq(found->name, "shareit");
    ck_assert_int_eq(found->is_enabled, 1);
    ck_assert_int_eq(found->is_open, 0);
    ck_assert_str_eq(found->user, "demo");
    ck_assert_str_eq(found->password_verifier, "v1$x");
    ck_assert_str_eq(found->password_sealed, "s1$p");
    ck_assert_str_eq(found->url, "https://shop.example/");
    ck_assert_str_eq(found->api_key_sealed, "s1$a");
    ck_assert_str_eq(found->shared_key_sealed, "s1$s");
    record = (qlm_vendor_record_t){.name = "shareit", .is_open = 1};
    OK(qlm_store_write(store, set_vendor, &record, pool));
    record.name = "alpha";
    OK(qlm_store_write(store, set_vendor, &record, pool));
    OK(qlm_store_list_vendors(&records, store, pool));
    ck_assert_int_eq(records->nelts, 2);
    found = &APR_ARRAY_IDX(records, 0, qlm_vendor_record_t);
    ck_assert_str_eq(found[0].name, "alpha");
    ck_assert_int_eq(found[1].is_enabled, 0);
    ck_assert_int_eq(found[1].is_open, 1);
    ck_assert_str_eq(found[1].user, "");
    ck_assert_str_eq(found[1].password_verifier, "");
    ck_assert_int_eq(revision(), before + 3);
}
END_TEST

typedef struct new_product_t {
    qlm_product_t product;
    int added;
} new_product_t;

UNIT(add_product, new_product_t)
{
    return qlm_store_add_product(&baton->added, unit_store, &baton->product, unit_pool);
}

static int put_product(int id, int major, int minor, const char *name)
{
    new_product_t new = {.product = {.id = id,
                                     .major = major,
                                     .minor = minor,
                                     .name = name,
                                     .released_at = NOW,
                                     .algorithm = QLM_ALGORITHM_RSA_SHA1,
                                     .public_key_pem = "PUBLIC",
                                     .private_key_sealed = "s1$k"}};

    OK(qlm_store_write(store, add_product, &new, pool));
    return new.added;
}

START_TEST(products_are_added_once)
{
    apr_array_header_t *products;
    const qlm_product_t *found;
    int before = revision();

    ck_assert_int_eq(put_product(2, 1, 0, "Second"), 1);
    ck_assert_int_eq(put_product(1, 10, 0, "First ten"), 1);
    ck_assert_int_eq(put_product(1, 9, 5, "First nine"), 1);
    ck_assert_int_eq(revision(), before + 3);
    ck_assert_int_eq(put_product(1, 9, 5, "Again"), 0);
    ck_assert_int_eq(revision(), before + 3);
    OK(qlm_store_list_products(&products, store, pool));
    ck_assert_int_eq(products->nelts, 3);
    found = &APR_ARRAY_IDX(products, 0, qlm_product_t);
    ck_assert_int_eq(found->id, 1);
    ck_assert_int_eq(found->major, 9);
    ck_assert_int_eq(found->minor, 5);
    ck_assert_str_eq(found->name, "First nine");
    ck_assert(found->released_at == NOW);
    ck_assert_int_eq(found->algorithm, QLM_ALGORITHM_RSA_SHA1);
    ck_assert_str_eq(found->public_key_pem, "PUBLIC");
    ck_assert_str_eq(found->private_key_sealed, "s1$k");
    ck_assert_int_eq(found[1].major, 10);
    ck_assert_int_eq(found[2].id, 2);
}
END_TEST

/* ---- orders ---- */

typedef struct new_order_t {
    qlm_order_record_t record;
    int added;
} new_order_t;

UNIT(add_order, new_order_t)
{
    return qlm_store_add_order(&baton->added, unit_store, &baton->record, unit_pool);
}

static int put_order(const char *order_ref, const char *line_ref, const char *answer)
{
    new_order_t new = {.record = {.vendor = "cleverbridge",
                                  .order_ref = order_ref,
                                  .line_ref = line_ref,
                                  .fingerprint = "77/1",
                                  .content_type = "text/plain",
                                  .answer = answer,
                                  .created_at = NOW}};

    OK(qlm_store_write(store, add_order, &new, pool));
    return new.added;
}

START_TEST(an_order_line_keeps_its_first_answer)
{
    const qlm_order_record_t *record;
    apr_array_header_t *records;

    ck_assert_int_eq(put_order("500", "2", "second line"), 1);
    ck_assert_int_eq(put_order("500", "1", "KEY-ONE\nKEY-TWO"), 1);
    ck_assert_int_eq(put_order("501", "1", "other order"), 1);
    ck_assert_int_eq(put_order("500", "1", "changed"), 0);
    OK(qlm_store_find_order(&record, store, "cleverbridge", "500", "1", pool));
    ck_assert_ptr_nonnull(record);
    ck_assert_str_eq(record->vendor, "cleverbridge");
    ck_assert_str_eq(record->order_ref, "500");
    ck_assert_str_eq(record->line_ref, "1");
    ck_assert_str_eq(record->fingerprint, "77/1");
    ck_assert_str_eq(record->content_type, "text/plain");
    ck_assert_str_eq(record->answer, "KEY-ONE\nKEY-TWO");
    ck_assert(record->created_at == NOW);
    OK(qlm_store_find_order(&record, store, "shareit", "500", "1", pool));
    ck_assert_ptr_null(record);
    OK(qlm_store_list_order_lines(&records, store, "cleverbridge", "500", pool));
    ck_assert_int_eq(records->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(records, 1, qlm_order_record_t).answer, "second line");
    OK(qlm_store_list_order_lines(&records, store, "cleverbridge", "none", pool));
    ck_assert_int_eq(records->nelts, 0);
}
END_TEST

/* ---- licenses ---- */

static void assert_license(const qlm_license_t *found, const qlm_license_t *expected)
{
    ck_assert(found->id == expected->id);
    ck_assert_str_eq(found->activation_key, expected->activation_key);
    ck_assert_int_eq(found->product_id, expected->product_id);
    ck_assert_int_eq(found->major, expected->major);
    ck_assert_int_eq(found->minor, expected->minor);
    ck_assert_int_eq(found->model, expected->model);
    ck_assert_int_eq(found->engine, expected->engine);
    ck_assert_int_eq(found->is_generic, expected->is_generic);
    ck_assert_int_eq(found->is_disabled, expected->is_disabled);
    ck_assert_int_eq(found->is_test, expected->is_test);
    ck_assert_int_eq(found->num_licenses, expected->num_licenses);
    ck_assert_int_eq(found->available_licenses, expected->available_licenses);
    ck_assert_int_eq(found->floating_seats, expected->floating_seats);
    ck_assert_str_eq(found->features, expected->features);
    ck_assert(found->expires_at == expected->expires_at);
    ck_assert_int_eq(found->duration_days, expected->duration_days);
    ck_assert(found->maintenance_until == expected->maintenance_until);
    ck_assert_int_eq(found->computer_type, expected->computer_type);
    ck_assert(found->created_at == expected->created_at);
    ck_assert(found->ordered_at == expected->ordered_at);
    ck_assert(found->first_activated_at == expected->first_activated_at);
    ck_assert_str_eq(found->vendor, expected->vendor);
    ck_assert_str_eq(found->order_ref, expected->order_ref);
    ck_assert_str_eq(found->line_ref, expected->line_ref);
    ck_assert_str_eq(found->subscription_ref, expected->subscription_ref);
    ck_assert_str_eq(found->user_data, expected->user_data);
    ck_assert_str_eq(found->comment, expected->comment);
    ck_assert_str_eq(found->legacy_key, expected->legacy_key);
    ck_assert_str_eq(found->affiliate_id, expected->affiliate_id);
    ck_assert_str_eq(found->properties, expected->properties);
    ck_assert_str_eq(found->order_status, expected->order_status);
    ck_assert(found->customer_id == expected->customer_id);
}

START_TEST(a_license_is_found_as_written)
{
    qlm_license_t license = sample_license(qlm_store_new_id(store), "AKEY", 5);
    qlm_license_t large = sample_license(APR_INT64_MAX, "BKEY", 1000000);
    seat_t seat = {sample_activation(4711, license.id, "PC-Ä 1"), 0, 0};
    const qlm_customer_t *customer;
    qlm_license_view_t *view;

    license.customer_id = put_customer("ann@shop.example", "Ann", "Ants", 0);
    OK(qlm_store_write(store, add_license, &license, pool));
    large.model = QLM_MODEL_TRIAL_CLOUD;
    large.engine = QLM_ENGINE_5;
    large.is_generic = 1;
    large.expires_at = 253402300799;
    OK(qlm_store_write(store, add_license, &large, pool));

    view = find(store, "BKEY", "PC-Ä 1");
    assert_license(&view->license, &large);
    ck_assert(view->activation.id == 0);
    ck_assert_str_eq(view->activation.computer_key, "");
    ck_assert(view->customer.id == 0);
    ck_assert_str_eq(view->customer.email, "");

    OK(qlm_store_write(store, take_seat, &seat, pool));
    view = find(store, "AKEY", "pc-Ä 1");
    license.available_licenses = 4;
    license.first_activated_at = NOW + 100;
    assert_license(&view->license, &license);
    ck_assert(view->customer.id == license.customer_id);
    ck_assert_str_eq(view->customer.email, "ann@shop.example");
    ck_assert_str_eq(view->customer.full_name, "Ann");
    ck_assert_str_eq(view->customer.company, "Ants");
    ck_assert_str_eq(view->customer.country, ""); /* not shown by a license document */
    OK(qlm_store_find_customer(&customer, store, license.customer_id, pool));
    ck_assert_str_eq(customer->country, "9");
    OK(qlm_store_find_customer(&customer, store, 12345, pool));
    ck_assert_ptr_null(customer);
    ck_assert(view->activation.id == 4711);
    ck_assert(view->activation.license_id == license.id);
    ck_assert_str_eq(view->activation.computer_id, "PC-Ä 1");
    ck_assert_str_eq(view->activation.computer_name, "Desk");
    ck_assert_str_eq(view->activation.computer_key, "CKEY");
    ck_assert_int_eq(view->activation.major, 3);
    ck_assert_int_eq(view->activation.minor, 13);
    ck_assert(view->activation.activated_at == NOW + 100);
    ck_assert(view->activation.last_accessed_at == NOW + 101);
    ck_assert_int_eq(view->activation.activation_count, 1);
    ck_assert_str_eq(view->activation.user_data, "mine");
    ck_assert_str_eq(view->activation.ip_address, "192.0.2.7");

    ck_assert(find(store, "AKEY", "another")->activation.id == 0);
    ck_assert_ptr_null(find(store, "akey", ""));
    ck_assert_ptr_null(find(store, "' OR ''='", ""));
}
END_TEST

START_TEST(awkward_texts_survive)
{
    qlm_license_t license = sample_license(1, "AKEY", 1);
    char *large = apr_palloc(pool, 65537);
    qlm_license_view_t *view;

    memset(large, 'x', 65536);
    large[65536] = '\0';
    license.user_data = large;
    license.comment =
        "quote ' double \" percent %s %% semicolon ; null -- \xE2\x82\xAC \xF0\x9F\x98\x80";
    license.properties = "line\r\nfeed\ttab ]]>";
    OK(qlm_store_write(store, add_license, &license, pool));
    view = find(store, "AKEY", "");
    ck_assert_str_eq(view->license.user_data, license.user_data);
    ck_assert_str_eq(view->license.comment, license.comment);
    ck_assert_str_eq(view->license.properties, license.properties);
}
END_TEST

START_TEST(a_key_exists_once)
{
    qlm_license_t license = sample_license(2, "AKEY", 9);

    write_license(1, "AKEY", 1);
    FAILS(qlm_store_write(store, add_license, &license, pool), QLM_ERROR_CONFLICT, "exists");
    ck_assert_int_eq(find(store, "AKEY", "")->license.num_licenses, 1);
}
END_TEST

typedef struct switch_t {
    const char *key;
    int is_disabled, changed;
} switch_t;

static const qlm_actor_t actor = {"RevokeLicenseHttp", "shareit", "192.0.2.1", NOW};

UNIT(disable, switch_t)
{
    return qlm_store_disable_license(&baton->changed, unit_store, baton->key, baton->is_disabled,
                                     &actor, unit_pool);
}

START_TEST(a_license_is_disabled_and_enabled)
{
    switch_t flip = {"AKEY", 1, -1};

    write_license(1, "AKEY", 1);
    OK(qlm_store_write(store, disable, &flip, pool));
    ck_assert_int_eq(flip.changed, 1);
    ck_assert_int_eq(find(store, "AKEY", "")->license.is_disabled, 1);
    flip.is_disabled = 0;
    OK(qlm_store_write(store, disable, &flip, pool));
    ck_assert_int_eq(find(store, "AKEY", "")->license.is_disabled, 0);
    flip.key = "NONE";
    OK(qlm_store_write(store, disable, &flip, pool));
    ck_assert_int_eq(flip.changed, 0);
}
END_TEST

static void put_in_order(apr_int64_t id, const char *vendor, const char *order, const char *line,
                         apr_int64_t customer)
{
    qlm_license_t license = sample_license(id, apr_psprintf(pool, "KEY%" APR_INT64_T_FMT, id), 1);

    license.vendor = vendor;
    license.order_ref = order;
    license.line_ref = line;
    license.customer_id = customer;
    license.created_at = NOW + id;
    OK(qlm_store_write(store, add_license, &license, pool));
}

/* The ids found, newest first, as a text. */
static const char *listed(const char *vendor, const char *order, const char *line,
                          apr_int64_t customer, int limit)
{
    qlm_license_filter_t filter = {vendor, order, line, customer, limit};
    apr_array_header_t *licenses;
    const char *ids = "";
    int i;

    OK(qlm_store_list_licenses(&licenses, store, &filter, pool));
    for (i = 0; i < licenses->nelts; ++i) {
        ids = apr_psprintf(pool, "%s%" APR_INT64_T_FMT, ids,
                           APR_ARRAY_IDX(licenses, i, qlm_license_t).id);
    }
    return ids;
}

START_TEST(licenses_are_listed_by_any_filter)
{
    apr_int64_t count;

    put_in_order(1, "cleverbridge", "A", "1", 50);
    put_in_order(2, "cleverbridge", "A", "2", 50);
    put_in_order(3, "cleverbridge", "B", "1", 51);
    put_in_order(4, "shareit", "A", "1", 50);
    put_in_order(5, "", "", "", 0);
    ck_assert_str_eq(listed("", "", "", 0, 100), "54321");
    ck_assert_str_eq(listed(NULL, NULL, NULL, 0, 2), "54");
    ck_assert_str_eq(listed("cleverbridge", "A", "", 0, 100), "21");
    ck_assert_str_eq(listed("cleverbridge", "A", "2", 0, 100), "2");
    ck_assert_str_eq(listed("cleverbridge", "A", "", 50, 1), "2");
    ck_assert_str_eq(listed("cleverbridge", "A", "", 51, 9), "");
    ck_assert_str_eq(listed("cleverbridge", "", "", 0, 9), "321");
    ck_assert_str_eq(listed("", "A", "1", 0, 9), "41");
    ck_assert_str_eq(listed("", "", "", 50, 9), "421");
    ck_assert_str_eq(listed("shareit", "", "", 50, 9), "4");
    ck_assert_str_eq(listed("", "A", "2", 50, 9), "2");
    OK(qlm_store_count_licenses(&count, store, 0, pool));
    ck_assert_int_eq(count, 5);
    OK(qlm_store_count_licenses(&count, store, NOW + 4, pool));
    ck_assert_int_eq(count, 2);
}
END_TEST

/* ---- activations ---- */

static int try_seat(apr_int64_t id, apr_int64_t license_id, const char *computer,
                    apr_int64_t expires_at)
{
    seat_t seat = {sample_activation(id, license_id, computer), expires_at, 0};

    OK(qlm_store_write(store, take_seat, &seat, pool));
    return seat.taken;
}

START_TEST(seats_are_taken_while_free)
{
    seat_t third = {sample_activation(13, 1, "pc3"), 0, 0};
    apr_array_header_t *activations;
    qlm_license_view_t *view;
    qlm_error_t *error;

    write_license(1, "AKEY", 2);
    ck_assert_int_eq(try_seat(11, 1, "PC1", NOW + 1000), 1);
    view = find(store, "AKEY", "pc1");
    ck_assert_int_eq(view->license.available_licenses, 1);
    ck_assert(view->license.expires_at == NOW + 1000);
    ck_assert(view->license.first_activated_at == NOW + 100);
    /* The same computer, written otherwise, takes no second seat and moves no date. */
    ck_assert_int_eq(try_seat(12, 1, "pc1", NOW + 2000), 0);
    ck_assert_int_eq(find(store, "AKEY", "")->license.available_licenses, 1);
    ck_assert_int_eq(try_seat(12, 1, "PC2", NOW + 2000), 1);
    view = find(store, "AKEY", "pc2");
    ck_assert_int_eq(view->license.available_licenses, 0);
    ck_assert(view->license.expires_at == NOW + 1000);
    error = qlm_store_write(store, take_seat, &third, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_REFUSED);
    ck_assert_int_eq(error->code, QLM_CODE_NO_MORE_ACTIVATIONS);
    ck_assert_str_eq(error->text, "All the available licenses have already been activated.");
    ck_assert(find(store, "AKEY", "pc3")->activation.id == 0);
    ck_assert_int_eq(find(store, "AKEY", "pc3")->license.available_licenses, 0);
    ck_assert_int_eq(try_seat(12, 1, "pC2", 0), 0);
    OK(qlm_store_list_activations(&activations, store, 1, pool));
    ck_assert_int_eq(activations->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(activations, 0, qlm_activation_t).computer_id, "PC1");
    ck_assert_str_eq(APR_ARRAY_IDX(activations, 1, qlm_activation_t).computer_id, "PC2");
}
END_TEST

UNIT(refresh, qlm_activation_t)
{
    return qlm_store_refresh_activation(unit_store, baton, unit_pool);
}

START_TEST(an_activation_is_refreshed)
{
    qlm_activation_t activation = sample_activation(0, 1, "pc1");
    const qlm_activation_t *found;

    write_license(1, "AKEY", 2);
    try_seat(11, 1, "PC1", 0);
    try_seat(12, 1, "PC2", 0);
    activation.computer_name = "Lap";
    activation.computer_key = "NEWKEY";
    activation.major = 4;
    activation.minor = 1;
    activation.activated_at = NOW + 500;
    activation.last_accessed_at = NOW + 501;
    activation.activation_count = 7; /* not looked at */
    activation.user_data = "yours";
    activation.ip_address = "2001:db8::1";
    OK(qlm_store_write(store, refresh, &activation, pool));
    found = &find(store, "AKEY", "PC1")->activation;
    ck_assert(found->id == 11);
    ck_assert_str_eq(found->computer_id, "pc1");
    ck_assert_str_eq(found->computer_name, "Lap");
    ck_assert_str_eq(found->computer_key, "NEWKEY");
    ck_assert_int_eq(found->major, 4);
    ck_assert_int_eq(found->minor, 1);
    ck_assert(found->activated_at == NOW + 500);
    ck_assert(found->last_accessed_at == NOW + 501);
    ck_assert_int_eq(found->activation_count, 2);
    ck_assert_str_eq(found->user_data, "yours");
    ck_assert_str_eq(found->ip_address, "2001:db8::1");
    ck_assert_str_eq(find(store, "AKEY", "PC2")->activation.computer_key, "CKEY");
    ck_assert_int_eq(find(store, "AKEY", "")->license.available_licenses, 0);
    activation.computer_id = "gone";
    FAILS(qlm_store_write(store, refresh, &activation, pool), QLM_ERROR_CONFLICT, "released");
}
END_TEST

typedef struct note_t {
    const char *user_data, *affiliate_id;
    apr_int64_t customer_id;
} note_t;

UNIT(note, note_t)
{
    return qlm_store_note_activation(unit_store, 1, baton->user_data, baton->affiliate_id,
                                     baton->customer_id, unit_pool);
}

START_TEST(notes_change_only_what_is_said)
{
    note_t first = {"fresh", NULL, 0}, second = {NULL, "", 77};
    const qlm_license_t *found;

    write_license(1, "AKEY", 2);
    OK(qlm_store_write(store, note, &first, pool));
    found = &find(store, "AKEY", "")->license;
    ck_assert_str_eq(found->user_data, "fresh");
    ck_assert_str_eq(found->affiliate_id, "partner");
    ck_assert(found->customer_id == 0);
    OK(qlm_store_write(store, note, &second, pool));
    found = &find(store, "AKEY", "")->license;
    ck_assert_str_eq(found->user_data, "fresh");
    ck_assert_str_eq(found->affiliate_id, "");
    ck_assert(found->customer_id == 77);
}
END_TEST

static int on_computer(const char *computer, const char *name, apr_int64_t except, int trials,
                       int with_revoked)
{
    apr_int64_t count = -1;

    OK(qlm_store_count_on_computer(&count, store, computer, name, except, trials, with_revoked,
                                   pool));
    return (int)count;
}

START_TEST(licenses_on_a_computer_are_counted)
{
    static const qlm_model_t models[] = {QLM_MODEL_TRIAL, QLM_MODEL_TRIAL_FLOATING,
                                         QLM_MODEL_TRIAL_CLOUD, QLM_MODEL_PERMANENT};
    apr_int64_t count;
    int i;

    for (i = 0; i < 4; ++i) {
        qlm_license_t license = sample_license(i + 1, apr_psprintf(pool, "KEY%d", i), 1);

        license.model = models[i];
        license.is_disabled = i == 1;
        OK(qlm_store_write(store, add_license, &license, pool));
        try_seat(i + 10, i + 1, "Pc", 0);
    }
    ck_assert_int_eq(on_computer("PC", NULL, 0, 0, 1), 4);
    ck_assert_int_eq(on_computer("PC", NULL, 4, 0, 1), 3);
    ck_assert_int_eq(on_computer("PC", NULL, 0, 1, 1), 3);
    ck_assert_int_eq(on_computer("PC", NULL, 0, 1, 0), 2);
    ck_assert_int_eq(on_computer("PC", NULL, 1, 1, 0), 1);
    ck_assert_int_eq(on_computer("PC", "DESK", 0, 0, 1), 4);
    ck_assert_int_eq(on_computer("PC", "other", 0, 0, 1), 0);
    ck_assert_int_eq(on_computer("PC", "", 0, 0, 1), 0);
    ck_assert_int_eq(on_computer("other", NULL, 0, 0, 1), 0);
    OK(qlm_store_count_activations(&count, store, NOW + 100, pool));
    ck_assert_int_eq(count, 4);
    OK(qlm_store_count_activations(&count, store, NOW + 101, pool));
    ck_assert_int_eq(count, 0);
}
END_TEST

/* ---- maintenance ---- */

START_TEST(verify_finds_what_does_not_add_up)
{
    apr_array_header_t *problems;

    write_license(1, "AAAAABBBBB", 2);
    try_seat(11, 1, "PC1", 0);
    OK(qlm_store_verify(&problems, store, pool));
    ck_assert_int_eq(problems->nelts, 0);
    force_version("UPDATE qlm_license SET available_licenses = 2, customer_id = 5");
    OK(qlm_store_verify(&problems, store, pool));
    ck_assert_int_eq(problems->nelts, 2);
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(problems, 0, const char *), "AAAAA"));
    ck_assert_ptr_null(strstr(APR_ARRAY_IDX(problems, 0, const char *), "AAAAABBBBB"));
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(problems, 0, const char *), "2 free"));
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(problems, 1, const char *), "customer"));
}
END_TEST

START_TEST(verify_finds_orphans)
{
    apr_array_header_t *problems, *rows;

    write_license(1, "AKEY", 2);
    try_seat(11, 1, "PC1", 0);
    OK(qlm_connection_select_text(&rows, store, "PRAGMA foreign_keys=OFF", pool));
    force_version("DELETE FROM qlm_license");
    OK(qlm_store_verify(&problems, store, pool));
    ck_assert_int_eq(problems->nelts, 1);
    ck_assert_ptr_nonnull(strstr(APR_ARRAY_IDX(problems, 0, const char *), "qlm_license"));
}
END_TEST

START_TEST(an_unknown_word_in_a_row_is_an_error)
{
    qlm_license_view_t *view;
    apr_array_header_t *products;

    write_license(1, "AKEY", 2);
    put_product(1, 1, 0, "Demo");
    force_version("UPDATE qlm_license SET model = 'rented'");
    force_version("UPDATE qlm_product SET algorithm = 'rot13'");
    FAILS(qlm_store_find_license(&view, store, "AKEY", "", pool), QLM_ERROR_STORE, "rented");
    FAILS(qlm_store_list_products(&products, store, pool), QLM_ERROR_STORE, "rot13");
}
END_TEST

START_TEST(a_backup_is_a_database)
{
    const char *copy = apr_pstrcat(pool, folder, "/it's a copy.db", NULL);
    qlm_store_t *opened;
    qlm_error_t *error;
    struct stat info;

    write_license(1, "AKEY", 2);
    OK(qlm_store_backup(store, copy, pool));
    ck_assert_int_eq(stat(copy, &info), 0);
    ck_assert_int_eq(info.st_mode & 077, 0);
    error = qlm_store_backup(store, copy, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    OK(qlm_store_open(&opened, "sqlite3", copy, 1, pool));
    OK(qlm_store_check(opened, pool));
    ck_assert_ptr_nonnull(find(opened, "AKEY", ""));
    /* The original goes on. */
    write_license(2, "BKEY", 2);
    ck_assert_ptr_null(find(opened, "BKEY", ""));
}
END_TEST

static TCase *group(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, remove_folder);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("store");
    SRunner *runner = srunner_create(suite);
    TCase *empty = group(suite, "no database yet", make_folder);
    TCase *records = group(suite, "records", make_store);
    int failed;

    tcase_add_test(empty, schema_is_made_once);
    add_file_test(empty, must_exist_makes_no_file);
    add_file_test(empty, a_file_made_by_others_is_closed_too);
    tcase_add_test(records, every_statement_prepares);
    tcase_add_test(records, foreign_schema_is_refused);
    add_file_test(records, a_file_made_here_is_not_for_everybody);
    tcase_add_test(records, ids_rise);
    tcase_add_test(records, properties_are_replaced_by_folded_name);
    tcase_add_test(records, foreign_keys_are_noted);
    tcase_add_test(records, vendors_are_inserted_and_replaced);
    tcase_add_test(records, products_are_added_once);
    tcase_add_test(records, an_order_line_keeps_its_first_answer);
    tcase_add_test(records, a_license_is_found_as_written);
    tcase_add_test(records, awkward_texts_survive);
    tcase_add_test(records, a_key_exists_once);
    tcase_add_test(records, a_license_is_disabled_and_enabled);
    tcase_add_test(records, licenses_are_listed_by_any_filter);
    tcase_add_test(records, seats_are_taken_while_free);
    tcase_add_test(records, an_activation_is_refreshed);
    tcase_add_test(records, notes_change_only_what_is_said);
    tcase_add_test(records, licenses_on_a_computer_are_counted);
    tcase_add_test(records, verify_finds_what_does_not_add_up);
    add_file_test(records, verify_finds_orphans);
    tcase_add_test(records, an_unknown_word_in_a_row_is_an_error);
    add_file_test(records, a_backup_is_a_database);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
