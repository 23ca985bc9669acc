/* The database, in words of the domain. SQL is in statements.def, tables are in schema.def,
 * dialects, locks and retries in connection.c: nowhere else.
 *
 * A qlm_store_t is one database connection lent to one caller at a time. Reads may be made at any
 * time; every write is a unit of work (qlm_store_write). Results are copied to the pool given. All
 * functions may fail with QLM_ERROR_STORE. The pool is always last. */
#ifndef QLM_STORE_STORE_H
#define QLM_STORE_STORE_H

#include "base/error.h"
#include "license/license.h"
#include "license/product.h"
#include "license/productproperties.h"
#include "license/properties.h"

#include <apr_dbd.h>
#include <apr_tables.h>

#define QLM_SCHEMA_VERSION 4

typedef struct qlm_store_t qlm_store_t;

/** The writer lock of one database: what makes SQLite's writers take turns, between threads and
 * between processes. One per database and process; shared by all its connections. */
typedef struct qlm_writer_t qlm_writer_t;

/* ---- connections ---- */

/** Make the process's writer lock; it opens `<database>-writer` at the first write on SQLite and is
 * inert on other engines. */
qlm_error_t *qlm_writer_create(qlm_writer_t **writer, apr_pool_t *pool);

/** Give each unit of work a transaction of its own: for comparison. */
void qlm_writer_commit_alone(qlm_writer_t *writer);

/** By what processes with the same ancestor tell each other that the lock is free: to be made
 * before they are forked, in @a pool, and given to the writer of each. NULL where that cannot be:
 * they look again and again. */
struct qlm_bell_t;
struct qlm_bell_t *qlm_bell_create(apr_pool_t *pool);
void qlm_writer_use_bell(qlm_writer_t *writer, struct qlm_bell_t *bell);

/** Use a connection that mod_dbd (or another pool) opened. Nothing is sent yet: the pragmas go out
 * with the first qlm_store_check, statements are prepared when first used.
 * @param params  the connection's parameters, on SQLite the path of the file: with them the handle
 * is opened anew. On SQLite before its first use and whenever the file at the path is another one;
 * on a server when the session was lost, and on MariaDB before the first use, too. NULL: never
 * @param connection_pool  the pool the connection lives in; what belongs to the connection is kept
 *                         there
 * The store is remembered: a second call with the same handle is cheap. */
qlm_error_t *qlm_store_adopt(qlm_store_t **store, const apr_dbd_driver_t *driver,
                             apr_dbd_t **handle, qlm_writer_t *writer, const char *params,
                             apr_pool_t *connection_pool);

/** For a connection that was just opened: bound how long it may wait for a server that is cut off,
 * where the driver has no parameter for that (MariaDB). A store does so by itself, when it begins
 * its session; a pool may ask the server before that whether it is there. */
void qlm_store_bound_waiting(const apr_dbd_driver_t *driver, apr_dbd_t *handle);

/** Open a connection of one's own (command line, tests), closed with @a pool. @a must_exist: refuse
 * to create a new SQLite file.
 * @param driver  "sqlite3", "pgsql" or "mysql"; params as for DBDParams. */
qlm_error_t *qlm_store_open(qlm_store_t **store, const char *driver, const char *params,
                            int must_exist, apr_pool_t *pool);

/** Is the database there, the same file as when the connection was opened (reopened if it was
 * replaced), and of the schema version this program knows? Cheap; call it once per request. The
 * text of the error says what to run. */
qlm_error_t *qlm_store_check(qlm_store_t *store, apr_pool_t *pool);

/** @return the path of the SQLite file, NULL for other engines. Lives as long as the connection. */
const char *qlm_store_path(const qlm_store_t *store);

/* ---- schema ---- */

/** The schema version found: 0 = no tables of ours. */
qlm_error_t *qlm_store_schema_version(int *version, qlm_store_t *store, apr_pool_t *pool);

/** Make or upgrade the tables to QLM_SCHEMA_VERSION. Refuses newer ones. */
qlm_error_t *qlm_store_upgrade(qlm_store_t *store, apr_pool_t *pool);

/** May the connection's user read, add, change and remove rows of every table? Nothing is changed.
 * For a start, not for each request. On SQLite nothing is asked: there the rights are those of a
 * file. Errors: STORE naming the first right that is missing. */
qlm_error_t *qlm_store_check_rights(qlm_store_t *store, apr_pool_t *pool);

/** What proves the secret the database belongs to, "" = not claimed; see service/ownership.h. */
qlm_error_t *qlm_store_secret_verifier(const char **verifier, qlm_store_t *store, apr_pool_t *pool);
/** Inside a unit. */
qlm_error_t *qlm_store_set_secret_verifier(qlm_store_t *store, const char *verifier,
                                           apr_pool_t *pool);

/** The engine's own integrity check (SQLite: integrity_check, foreign keys) and ours (seats add
 * up). *problems: array of const char *. */
qlm_error_t *qlm_store_verify(apr_array_header_t **problems, qlm_store_t *store, apr_pool_t *pool);

/** Write a consistent copy of an SQLite database to a new file @a path while it is in use. */
qlm_error_t *qlm_store_backup(qlm_store_t *store, const char *path, apr_pool_t *pool);

/* ---- units of work ---- */

/** A unit of work: may be run again from the start, so it must not keep anything of a former run.
 * Any error rolls it back; STORE and CONFLICT errors make the store run it again (bounded, with
 * jitter). @a pool is cleared between runs.
 *
 * On SQLite the units that wait at the same time are committed together: a unit may be run by
 * another thread (its own waits meanwhile) and on another connection. So it must use the @a store
 * and the
 * @a pool that it is given, for reading too, and no other. */
typedef qlm_error_t *(*qlm_unit_t)(qlm_store_t *store, void *baton, apr_pool_t *pool);

/** Run @a unit in one transaction, durably committed when this returns NULL. The error is in @a
 * pool. */
qlm_error_t *qlm_store_write(qlm_store_t *store, qlm_unit_t unit, void *baton, apr_pool_t *pool);

/** A new record id: 63 bits, time-ordered, unique within the store's lending and practically
 * everywhere. Make it inside the unit, so that a unit that is run again after a collision makes a
 * new one. */
apr_int64_t qlm_store_new_id(qlm_store_t *store);

/** Who changes something, for the history. Texts may be NULL for "". */
typedef struct qlm_actor_t {
    const char *method;  /**< "RenewSubscriptionHttp", "qlmctl key revoke" */
    const char *vendor;  /**< the shop that asked */
    const char *address; /**< of the client */
    apr_int64_t now;
} qlm_actor_t;

/* ---- settings: properties, vendors, products
 * ---------------------------------------------------------------------- */

/** A counter that every change of properties, vendors, products increments.
 * @param has_foreign_keys  may be NULL; set to whether keys that this server did not make were ever
 * stored (see qlm_store_note_foreign_keys) */
qlm_error_t *qlm_store_revision(apr_int64_t *revision, int *has_foreign_keys, qlm_store_t *store,
                                apr_pool_t *pool);
/** Inside a unit: remember that the database holds keys made elsewhere. */
qlm_error_t *qlm_store_note_foreign_keys(qlm_store_t *store, apr_pool_t *pool);

/** A row of the property table; secret values are sealed with identity "property/<folded name>". */
typedef struct qlm_property_value_t {
    const char *name, *value;
} qlm_property_value_t;
qlm_error_t *qlm_store_list_properties(apr_array_header_t **values, qlm_store_t *store,
                                       apr_pool_t *pool);
/** Inside a unit. NULL value removes. */
qlm_error_t *qlm_store_set_property(qlm_store_t *store, const char *name, const char *value,
                                    apr_pool_t *pool);

/** A vendor's record. */
typedef struct qlm_vendor_record_t {
    const char *name; /**< canonical, folded */
    int is_enabled;
    int is_open;                   /**< declared by the operator to need no credentials */
    const char *user;              /**< "" = none */
    const char *password_verifier; /**< qlm_secrets_verifier, owner "vendor/<name>"; "" = none */
    const char *password_sealed;   /**< only where the password must be presented outward; identity
                                      "vendor/<name>/password" */
    const char *url;
    const char *api_key_sealed;    /**< identity "vendor/<name>/api_key" */
    const char *shared_key_sealed; /**< identity "vendor/<name>/shared_key" */
    /** A pair of its own for the callback URL; "" = user and password serve there too. The
     * verifier's owner is "vendor/<name>/callback". */
    const char *callback_user, *callback_verifier;
} qlm_vendor_record_t;
qlm_error_t *qlm_store_list_vendors(apr_array_header_t **records, qlm_store_t *store,
                                    apr_pool_t *pool);
/** Inside a unit: insert or replace. */
qlm_error_t *qlm_store_set_vendor(qlm_store_t *store, const qlm_vendor_record_t *record,
                                  apr_pool_t *pool);

/** array of qlm_product_t, ordered by id, major, minor */
qlm_error_t *qlm_store_list_products(apr_array_header_t **products, qlm_store_t *store,
                                     apr_pool_t *pool);
/** Inside a unit. CONFLICT-free: *added is 0 when that product version exists already. */
qlm_error_t *qlm_store_add_product(int *added, qlm_store_t *store, const qlm_product_t *product,
                                   apr_pool_t *pool);

/** A product property and the version that defines it. */
typedef struct qlm_pp_record_t {
    int product_id, major, minor;
    qlm_pp_definition_t definition;
} qlm_pp_record_t;
/** Of all products: array of qlm_pp_record_t, ordered by product version and key. */
qlm_error_t *qlm_store_list_product_properties(apr_array_header_t **records, qlm_store_t *store,
                                               apr_pool_t *pool);
/** Inside a unit: insert or replace. */
qlm_error_t *qlm_store_set_product_property(qlm_store_t *store, const qlm_pp_record_t *record,
                                            apr_pool_t *pool);
/** Inside a unit: *removed is 0 if that version has no property of that category and name. */
qlm_error_t *qlm_store_remove_product_property(int *removed, qlm_store_t *store,
                                               const qlm_pp_record_t *record, apr_pool_t *pool);

/** Inside a unit: store a product version's name, release day, features and latest version; its
 * keys stay. */
qlm_error_t *qlm_store_set_product(qlm_store_t *store, const qlm_product_t *product,
                                   apr_pool_t *pool);

/* ---- orders ---- */

/** The stored answer to an order line. */
typedef struct qlm_order_record_t {
    const char *vendor, *order_ref, *line_ref;
    const char *fingerprint; /**< "shop product/quantity", to notice a repeat that differs */
    const char *content_type, *answer;
    apr_int64_t created_at;
} qlm_order_record_t;

/** *record is NULL if there is none. */
qlm_error_t *qlm_store_find_order(const qlm_order_record_t **record, qlm_store_t *store,
                                  const char *vendor, const char *order_ref, const char *line_ref,
                                  apr_pool_t *pool);
/** array of qlm_order_record_t, by line */
qlm_error_t *qlm_store_list_order_lines(apr_array_header_t **records, qlm_store_t *store,
                                        const char *vendor, const char *order_ref,
                                        apr_pool_t *pool);
/** By part of the order's number, any case; newest first, at most @a limit. array of
 * qlm_order_record_t */
qlm_error_t *qlm_store_search_orders(apr_array_header_t **records, qlm_store_t *store,
                                     const char *text, int limit, apr_pool_t *pool);
/** Inside a unit: *added is 0 when that line is already there (nothing is changed then). */
qlm_error_t *qlm_store_add_order(int *added, qlm_store_t *store, const qlm_order_record_t *record,
                                 apr_pool_t *pool);

/* ---- customers ---- */

/** What storing a customer came to. */
typedef struct qlm_stored_customer_t {
    qlm_customer_t customer; /**< as it is stored now */
    int is_new, is_changed;  /**< at most one of them */
} qlm_stored_customer_t;

/** Inside a unit: find the customer by e-mail (folded; without e-mail always a new one), create or
 * update it (update only if @a overwrite; qlm_customer_merge says what is taken over), with its
 * row of history. Consent is not stored. Whoever tells webhooks calls qlm_customers_put. */
qlm_error_t *qlm_store_put_customer(qlm_stored_customer_t *stored, qlm_store_t *store,
                                    const qlm_customer_t *customer, int overwrite,
                                    const qlm_actor_t *actor, apr_pool_t *pool);
/** Inside a unit: replace the record @a before by @a after, which has the same id, with its row of
 * history. *is_changed is 0, and nothing is written, if they say the same. Errors: CONFLICT if
 * another customer has the new e-mail. */
qlm_error_t *qlm_store_change_customer(int *is_changed, qlm_store_t *store,
                                       const qlm_customer_t *before, const qlm_customer_t *after,
                                       const qlm_actor_t *actor, apr_pool_t *pool);
/** Inside a unit: remove a customer who has no licenses (any more); what was stored stays in the
 * row of history. */
qlm_error_t *qlm_store_delete_customer(qlm_store_t *store, const qlm_customer_t *customer,
                                       const qlm_actor_t *actor, apr_pool_t *pool);
/** *customer is NULL if there is none. */
qlm_error_t *qlm_store_find_customer(const qlm_customer_t **customer, qlm_store_t *store,
                                     apr_int64_t id, apr_pool_t *pool);
/** At most @a limit customers with ids after @a after, by id; array of qlm_customer_t */
qlm_error_t *qlm_store_page_customers(apr_array_header_t **customers, qlm_store_t *store,
                                      apr_int64_t after, int limit, apr_pool_t *pool);
/** By e-mail, any case; *customer is NULL if there is none. Inside a unit nobody else can change it
 * until the unit ends. */
qlm_error_t *qlm_store_find_customer_by_email(const qlm_customer_t **customer, qlm_store_t *store,
                                              const char *email, apr_pool_t *pool);
/** By part of e-mail, name or company, any case; newest first; array of qlm_customer_t, at most @a
 * limit. */
qlm_error_t *qlm_store_search_customers(apr_array_header_t **customers, qlm_store_t *store,
                                        const char *text, int limit, apr_pool_t *pool);

/* ---- licenses ---- */

/** A license, the activation of one computer (id 0 if not active there), and its customer (id 0 if
 * none): of the customer only what a license document shows (id, e-mail, name, company; the other
 * texts are ""), qlm_store_find_customer has the rest. */
typedef struct qlm_license_view_t {
    qlm_license_t license;
    qlm_activation_t activation;
    qlm_customer_t customer;
} qlm_license_view_t;

/** Find by key in normal form; one statement. *view is NULL if there is none. @a computer_id may be
 * "". Inside a unit the license is held: nobody else changes it, nor takes or gives a seat of it,
 * until the unit is committed. */
qlm_error_t *qlm_store_find_license(qlm_license_view_t **view, qlm_store_t *store,
                                    const char *activation_key, const char *computer_id,
                                    apr_pool_t *pool);
/** The same for a validation: of the license only what the rules look at and a document shows; the
 * other fields are those of qlm_license_clear. */
qlm_error_t *qlm_store_show_license(qlm_license_view_t **view, qlm_store_t *store,
                                    const char *activation_key, const char *computer_id,
                                    apr_pool_t *pool);
/** Inside a unit: insert; CONFLICT if the key exists (the caller makes new ones and runs again). */
qlm_error_t *qlm_store_add_license(qlm_store_t *store, const qlm_license_t *license,
                                   apr_pool_t *pool);
/** Inside a unit, of a license that is held: store the record @a after in place of @a before (equal
 * ids; product, key, seats … whatever differs), with a history row @a event (NULL: none); one
 * that gives a new key names the old one, and its order status as Upgraded. Writes nothing and adds
 * no history if nothing differs; *is_changed (may be NULL) tells. CONFLICT if the new key exists.
 */
qlm_error_t *qlm_store_change_license(int *is_changed, qlm_store_t *store,
                                      const qlm_license_t *before, const qlm_license_t *after,
                                      const char *event, const qlm_actor_t *actor,
                                      apr_pool_t *pool);
/** Inside a unit, of a license that is held: remove it and its computers; orders and history stay.
 */
qlm_error_t *qlm_store_delete_license(qlm_store_t *store, apr_int64_t license_id, apr_pool_t *pool);
/** Inside a unit: revoke or restore. *changed is 0 if there is no such key. */
qlm_error_t *qlm_store_disable_license(int *changed, qlm_store_t *store, const char *activation_key,
                                       int is_disabled, const qlm_actor_t *actor, apr_pool_t *pool);

/** What to list: any field may be empty/0. */
typedef struct qlm_license_filter_t {
    const char *vendor, *order_ref, *line_ref; /**< of an order, or "" */
    apr_int64_t customer_id;
    int limit; /**< most rows, newest first */
} qlm_license_filter_t;
/** array of qlm_license_t */
qlm_error_t *qlm_store_list_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                     const qlm_license_filter_t *filter, apr_pool_t *pool);

/** The licenses of a vendor's subscription, or, if that is "", of its order; those whose vendor is
 * not known (imported ones) too. Oldest first, at most @a limit. array of qlm_license_t */
qlm_error_t *qlm_store_licenses_of(apr_array_header_t **licenses, qlm_store_t *store,
                                   const char *vendor, const char *subscription_ref,
                                   const char *order_ref, int limit, apr_pool_t *pool);
/** At most @a limit licenses with ids after @a after, by id; array of qlm_license_t */
qlm_error_t *qlm_store_page_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                     apr_int64_t after, int limit, apr_pool_t *pool);

/** What a program asks for: texts may be "" but not both.
 * @param vendor     whose orders, "" = all
 * @param licenses   array of qlm_license_t, oldest first, at most @a limit */
qlm_error_t *qlm_store_retrieve_licenses(apr_array_header_t **licenses, qlm_store_t *store,
                                         const char *vendor, const char *order_ref,
                                         const char *user_data, int limit, apr_pool_t *pool);

/** Licenses made since @a since by orders of @a vendor ("" = all), newest first, at most @a limit:
 * array of qlm_license_view_t with whole customers and no activations. */
qlm_error_t *qlm_store_list_recent(apr_array_header_t **views, qlm_store_t *store,
                                   const char *vendor, apr_int64_t since, int limit,
                                   apr_pool_t *pool);

/** Licenses made since @a since; for maxNewKeysPerDay (0 = all: dbMaxRecords). */
qlm_error_t *qlm_store_count_licenses(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                      apr_pool_t *pool);

/* ---- activations ---- */

/** Inside a unit: take a seat for a computer. First inserts the activation (unique per license and
 * computer), then takes the seat by a change that only succeeds while one is free; sets the
 * license's expires_at if @a expires_at is not 0 and none is stored yet. *taken: 1 seat taken; 0
 * this computer is active already (nothing changed). Errors: REFUSED 210 when no seat is free (the
 * unit is rolled back). */
qlm_error_t *qlm_store_take_seat(int *taken, qlm_store_t *store, const qlm_activation_t *activation,
                                 apr_int64_t expires_at, apr_pool_t *pool);
/** Inside a unit: give a computer's seat back. *given is 0 if it had none (nothing is changed
 * then). */
qlm_error_t *qlm_store_give_seat(int *given, qlm_store_t *store, apr_int64_t license_id,
                                 const char *computer_id, apr_int64_t now, apr_pool_t *pool);
/** Inside a unit: one instance less runs on a computer. *lowered is 0 if it was the last one, or
 * none (nothing is changed then). */
qlm_error_t *qlm_store_lower_activation(int *lowered, qlm_store_t *store, apr_int64_t license_id,
                                        const char *computer_id, apr_int64_t now, apr_pool_t *pool);
/** Inside a unit: order status and maintenance plan of @a license, after a seat was taken or given.
 */
qlm_error_t *qlm_store_set_order_status(qlm_store_t *store, const qlm_license_t *license,
                                        apr_pool_t *pool);
/** Inside a unit: the computer key of an active computer, after its license has changed. */
qlm_error_t *qlm_store_set_computer_key(qlm_store_t *store, const qlm_activation_t *activation,
                                        const char *computer_key, apr_pool_t *pool);
/** Inside a unit: a computer activates again: new computer key, name, version, time; its count is
 * raised by one. */
qlm_error_t *qlm_store_refresh_activation(qlm_store_t *store, const qlm_activation_t *activation,
                                          apr_pool_t *pool);
/** Inside a unit: what an activating call stores with the license: user data and affiliate (NULL =
 * unchanged), customer (0 = unchanged). */
qlm_error_t *qlm_store_note_activation(qlm_store_t *store, apr_int64_t license_id,
                                       const char *user_data, const char *affiliate_id,
                                       apr_int64_t customer_id, apr_pool_t *pool);
/** array of qlm_activation_t, oldest first */
qlm_error_t *qlm_store_list_activations(apr_array_header_t **activations, qlm_store_t *store,
                                        apr_int64_t license_id, apr_pool_t *pool);
/** New activations since @a since, of the whole site. */
qlm_error_t *qlm_store_count_activations(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                         apr_pool_t *pool);
/** Other licenses active on a computer. @a trials_only: only trial models; @a with_revoked: count
 * revoked ones;
 * @a computer_name: must match too unless NULL. */
qlm_error_t *qlm_store_count_on_computer(apr_int64_t *count, qlm_store_t *store,
                                         const char *computer_id, const char *computer_name,
                                         apr_int64_t except_license_id, int trials_only,
                                         int with_revoked, apr_pool_t *pool);

/* ---- seats in use ---- */

/** The computer that has not called for the longest time, if that is before @a before and its seat
 * is not taken offline at @a now; *activation is NULL if there is none. */
qlm_error_t *qlm_store_find_idle(const qlm_activation_t **activation, qlm_store_t *store,
                                 apr_int64_t license_id, apr_int64_t before, apr_int64_t now,
                                 apr_pool_t *pool);
/** Inside a unit: take back the seat of such a computer. *given is 0 if it has called since then
 * (nothing is changed then). */
qlm_error_t *qlm_store_take_back(int *given, qlm_store_t *store, const qlm_activation_t *activation,
                                 apr_int64_t now, apr_pool_t *pool);
/** Inside a unit: a computer called at @a at; stored if what is stored is older than @a before. */
qlm_error_t *qlm_store_set_accessed(qlm_store_t *store, apr_int64_t license_id,
                                    const char *computer_id, apr_int64_t at, apr_int64_t before,
                                    apr_pool_t *pool);

#endif
