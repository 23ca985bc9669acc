/* What the tests of whole calls share: a site on a real SQLite file, calls to it without httpd, and
 * a look into its outbox. */
#ifndef QLM_TESTS_SERVICE_FIXTURE_H
#define QLM_TESTS_SERVICE_FIXTURE_H

#include "unit/store_fixture.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"
#include "mail/message.h"
#include "service/service.h"
#include "store/outbox.h"

#include <apr_dbd.h>
#include <string.h>

#define CREDENTIALS "is_vendor=QlmAuthenticationProvider&is_user=demo&is_pwd=demo"
#define PRODUCT     "&is_productid=1&is_majorversion=1&is_minorversion=0"

static qlm_service_t *service;
static const qlm_secrets_t *secrets;
static apr_int64_t now;
static int lent;             /* connections that were borrowed and not yet given back */
static int is_database_away; /* the next loans fail */
static const qlm_fetcher_t *fetcher;
static const char *signed_url; /* the URL of the call, and its headers, where they matter */
static apr_table_t *signed_headers;

/* ---- the site ---- */

static inline qlm_error_t *add_vendor(qlm_store_t *unit_store, const char *name,
                                      apr_pool_t *unit_pool)
{
    qlm_vendor_record_t vendor = {.name = name, .is_enabled = 1, .user = "demo", .url = ""};
    const char *owner = apr_pstrcat(unit_pool, "vendor/", name, NULL);

    vendor.password_verifier = qlm_secrets_verifier(secrets, owner, "demo", unit_pool);
    QLM_TRY(qlm_secrets_seal(&vendor.password_sealed, secrets,
                             apr_pstrcat(unit_pool, owner, "/password", NULL), "demo", unit_pool));
    QLM_TRY(qlm_secrets_seal(&vendor.api_key_sealed, secrets,
                             apr_pstrcat(unit_pool, owner, "/api_key", NULL), "consumer",
                             unit_pool));
    QLM_TRY(qlm_secrets_seal(&vendor.shared_key_sealed, secrets,
                             apr_pstrcat(unit_pool, owner, "/shared_key", NULL), "hush",
                             unit_pool));
    vendor.callback_user = vendor.callback_verifier = "";
    return qlm_store_set_vendor(unit_store, &vendor, unit_pool);
}

UNIT(set_up_site, void)
{
    static const char *const vendors[] = {"qlmauthenticationprovider", "cleverbridge", "shareit",
                                          "salesforce"};
    qlm_product_t product = {1,  1,  0, "Demo \"Pro\"", 0, QLM_ALGORITHM_RSA_SHA256, NULL, NULL, "",
                             "", "", ""};
    const char *private_pem;
    int added;

    (void)baton;
    QLM_TRY(qlm_signature_generate(&private_pem, &product.public_key_pem, 1024, unit_pool));
    for (int id = 1; id <= 2; id++) {
        product.id = id;
        QLM_TRY(qlm_secrets_seal(&product.private_key_sealed, secrets,
                                 qlm_product_identity(id, 1, 0, unit_pool), private_pem,
                                 unit_pool));
        QLM_TRY(qlm_store_add_product(&added, unit_store, &product, unit_pool));
        product.name = "Other";
    }
    for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++) {
        QLM_TRY(add_vendor(unit_store, vendors[i], unit_pool));
    }
    return qlm_store_set_property(unit_store, "enableGetActivationKey", "true", unit_pool);
}

static inline void set_up(void)
{
    static const unsigned char secret[QLM_SECRET_BYTES] = {7, 7, 7};

    make_store();
    secrets = qlm_secrets_from_bytes(secret, 1, pool);
    ck_assert(qlm_date_parse(&now, "2026-11-21 09:30:15", "yyyy-MM-dd HH:mm:ss"));
    OK(qlm_store_write(store, set_up_site, NULL, pool));
    service = qlm_service_create(secrets, pool);
    lent = is_database_away = 0;
    fetcher = NULL;
    signed_url = NULL;
    signed_headers = NULL;
}

static inline void tear_down(void)
{
    remove_folder();
}

typedef struct pair_t {
    const char *name, *value;
} pair_t;

UNIT(set_pair, pair_t)
{
    return qlm_store_set_property(unit_store, baton->name, baton->value, unit_pool);
}

static inline void set_property(const char *name, const char *value)
{
    pair_t pair = {name, value};

    OK(qlm_store_write(store, set_pair, &pair, pool));
}

/* A property of type secret, sealed as the command line does it. */
static inline void set_secret(const char *name, const char *value)
{
    const char *sealed;

    OK(qlm_secrets_seal(&sealed, secrets,
                        apr_pstrcat(pool, "property/", qlm_text_fold(name, pool), NULL), value,
                        pool));
    set_property(name, sealed);
}

UNIT(set_form, const qlm_template_t)
{
    return qlm_store_set_template(unit_store, baton, unit_pool);
}

static inline void set_template(const char *name, const char *language, const char *subject,
                                const char *html, const char *text)
{
    qlm_template_t form = {name, language, subject, html, text};

    OK(qlm_store_write(store, set_form, &form, pool));
}

/* SQL past the store, on a connection of its own. */
static inline void run_sql(const char *sql)
{
    OK(qlm_connection_execute_text(open_store(pool), sql, pool));
}

/* ---- calling ---- */

static inline qlm_error_t *lend(qlm_store_t **borrowed, void *baton, apr_pool_t *lend_pool)
{
    (void)baton;
    if (is_database_away) {
        return qlm_error_store(lend_pool, "away for a test");
    }
    lent++;
    *borrowed = store;
    return NULL;
}

static inline void give_back(qlm_store_t *borrowed, void *baton)
{
    (void)baton;
    if (lent) { /* what a loan that failed gave is nothing to look at */
        ck_assert_ptr_eq(borrowed, store);
        lent--;
    }
}

static inline qlm_reply_t *run(const char *method, qlm_fields_t *fields)
{
    qlm_call_input_t input = {0};
    qlm_reply_t *reply;

    input.method = method;
    input.fields = fields;
    input.client_ip = "192.0.2.7";
    input.now = now;
    input.fetcher = fetcher;
    input.signed_urls[1] = signed_url;
    input.headers = signed_headers;
    input.lender.lend = lend;
    input.lender.give_back = give_back;
    reply = qlm_service_run(service, &input, pool);
    ck_assert_int_eq(lent, 0); /* whatever happened, the connection went back */
    return reply;
}

static inline qlm_reply_t *call(const char *method, const char *query, const char *body)
{
    qlm_fields_t *fields = qlm_fields_create(pool);

    OK(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
    OK(qlm_fields_parse(fields, body, strlen(body), QLM_FROM_BODY));
    return run(method, fields);
}

static inline void has(const char *text, const char *part)
{
    ck_assert_msg(text && strstr(text, part) != NULL, "\"%s\" is not in: %s", part, text);
}

static inline void has_not(const char *text, const char *part)
{
    ck_assert_msg(!text || strstr(text, part) == NULL, "\"%s\" is in: %s", part, text);
}

/* The text of the first <name> element of a reply. */
static inline const char *element(const qlm_reply_t *reply, const char *name)
{
    const char *begin = strstr(reply->body, apr_pstrcat(pool, "<", name, ">", NULL));
    const char *end;

    ck_assert_msg(begin != NULL, "no <%s> in: %s", name, reply->body);
    begin += strlen(name) + 2;
    end = strstr(begin, apr_pstrcat(pool, "</", name, ">", NULL));
    ck_assert_ptr_nonnull(end);
    return apr_pstrmemdup(pool, begin, (apr_size_t)(end - begin));
}

/* The license of a key in any form. */
static inline qlm_license_view_t *license_of(const char *key)
{
    const char *normal;
    qlm_license_view_t *view;

    ck_assert_msg(qlm_keygen_read(&normal, key, secrets, pool) == QLM_KEY_OURS, "%s", key);
    OK(qlm_store_find_license(&view, store, normal, "", pool));
    ck_assert_ptr_nonnull(view);
    return view;
}

static inline int count_licenses(void)
{
    apr_int64_t count;

    OK(qlm_store_count_licenses(&count, store, 0, pool));
    return (int)count;
}

/* ---- the outbox ---- */

/* All rows, newest first. */
static inline apr_array_header_t *rows_of(const char *state)
{
    apr_array_header_t *rows;

    OK(qlm_store_list_outbox(&rows, store, state, 10000, pool));
    return rows;
}

static inline int count_rows(const char *kind)
{
    apr_array_header_t *rows = rows_of("");
    int count = 0;

    for (int i = 0; i < rows->nelts; i++) {
        count += strcmp(APR_ARRAY_IDX(rows, i, qlm_outbox_row_t).kind, kind) == 0;
    }
    return count;
}

static inline const qlm_outbox_row_t *find_row(apr_int64_t id)
{
    const qlm_outbox_row_t *row;

    OK(qlm_store_find_outbox(&row, store, id, pool));
    ck_assert_ptr_nonnull(row);
    return row;
}

/* The only row of a kind. */
static inline const qlm_outbox_row_t *only_row(const char *kind)
{
    apr_array_header_t *rows = rows_of("");

    ck_assert_int_eq(count_rows(kind), 1);
    for (int i = 0; i < rows->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(rows, i, qlm_outbox_row_t).kind, kind) == 0) {
            return &APR_ARRAY_IDX(rows, i, qlm_outbox_row_t);
        }
    }
    return NULL;
}

static inline qlm_mail_t *only_mail(void)
{
    qlm_mail_t *mail;

    OK(qlm_mail_from_json(&mail, only_row(QLM_OUTBOX_MAIL)->payload, pool));
    return mail;
}

#endif
