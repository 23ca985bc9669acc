/* One imported row becomes one record. What is there already is left alone, so that an import may
 * be run again. */
#include "base/date.h"
#include "base/text.h"
#include "license/customer.h"
#include "license/features.h"
#include "license/record.h"
#include "license/signature.h"
#include "qlmctl/import.h"
#include "store/history.h"

#include <apr_strings.h>
#include <libxml/parser.h>
#include <string.h>

#define TEXT_MAX      ((apr_size_t)255)
#define NOTES_MAX     ((apr_size_t)1000)
#define ADDRESS_MAX   ((apr_size_t)64)
#define LONG_TEXT_MAX ((apr_size_t)4000)
#define SEATS_MAX     1000000

static qlm_error_t *refuse(const char *text, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_INVALID_FORMAT, "%s", text);
}

static const char *product_name(int id, int major, int minor, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%d.%d.%d", id, major, minor);
}

/* ---- customers --------------------------------------------------------------------------------
 */

/* A table of licenses has the columns of their customers, too. */
static qlm_error_t *read_customer(qlm_customer_t *customer, const qlm_import_t *import,
                                  const qlm_table_row_t *row, apr_pool_t *pool)
{
    const struct {
        const char **text;
        const char *names;
        apr_size_t max;
    } fields[] = {
        {&customer->email, "Email|UserEmail", TEXT_MAX},
        {&customer->full_name, "FullName|UserFullName", TEXT_MAX},
        {&customer->company, "Company|UserCompany", TEXT_MAX},
        {&customer->phone, "Phone", TEXT_MAX},
        {&customer->fax, "Fax", TEXT_MAX},
        {&customer->mobile, "Mobile", TEXT_MAX},
        {&customer->address1, "Address1", TEXT_MAX},
        {&customer->address2, "Address2", TEXT_MAX},
        {&customer->city, "City", TEXT_MAX},
        {&customer->state, "State", TEXT_MAX},
        {&customer->zip, "Zip", TEXT_MAX},
        {&customer->country, "Country", TEXT_MAX},
        {&customer->notes, "Notes", NOTES_MAX},
    };

    qlm_customer_clear(customer);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        QLM_TRY(qlm_import_text(fields[i].text, import, row, fields[i].names, fields[i].max, pool));
    }
    return qlm_import_flag(&customer->include_in_mail_list, import, row, "IncludeInMailList", pool);
}

/* What a table of customers has besides; that of licenses has other columns of these names. */
static qlm_error_t *read_more(qlm_customer_t *customer, const qlm_import_t *import,
                              const qlm_table_row_t *row, apr_pool_t *pool)
{
    QLM_TRY(qlm_import_text(&customer->affiliate_id, import, row, "CreatedByAffiliate|AffiliateID",
                            TEXT_MAX, pool));
    QLM_TRY(qlm_import_text(&customer->external_id, import, row, "ExternalID", TEXT_MAX, pool));
    QLM_TRY(qlm_import_text(&customer->user_data, import, row, "UserData", NOTES_MAX, pool));
    QLM_TRY(qlm_import_text(&customer->ip_address, import, row, "IpAddress", ADDRESS_MAX, pool));
    QLM_TRY(qlm_import_flag(&customer->privacy_consent, import, row, "PrivacyConsent", pool));
    return qlm_import_time(&customer->privacy_consent_at, import, row, "PrivacyConsentLastUpdate",
                           pool);
}

/* Consent is given by nobody but the customer, and here by what was stored of it elsewhere. */
static qlm_error_t *add_with_consent(const qlm_customer_t *customer, const qlm_import_t *import,
                                     qlm_store_t *store, apr_pool_t *pool)
{
    qlm_stored_customer_t stored;
    qlm_customer_t after;
    int is_changed;

    QLM_TRY(qlm_store_put_customer(&stored, store, customer, 0, &import->actor, pool));
    after = stored.customer;
    after.privacy_consent = customer->privacy_consent;
    after.privacy_consent_at = customer->privacy_consent_at;
    return qlm_store_change_customer(&is_changed, store, &stored.customer, &after, &import->actor,
                                     pool);
}

qlm_error_t *qlm_import_customer(int *is_added, const qlm_import_t *import,
                                 const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_customer_t *known;
    qlm_customer_t customer;

    QLM_TRY(read_customer(&customer, import, row, pool));
    QLM_TRY(read_more(&customer, import, row, pool));
    if (!*customer.email) {
        return refuse("there is no Email, by which customers are known", pool);
    }
    QLM_TRY(qlm_store_find_customer_by_email(&known, store, customer.email, pool));
    *is_added = known == NULL;
    return known ? NULL : add_with_consent(&customer, import, store, pool);
}

/* ---- product properties -----------------------------------------------------------------------
 */

#define PROPERTIES_MAX ((apr_size_t)64000)

/* Is it fit for `category.name::value||…`, and for the line it is kept in? */
static int is_part(const char *text)
{
    return !strstr(text, "::") && !strstr(text, "||") && !qlm_text_has_control(text);
}

static const char *attribute(const xmlNode *node, const char *name, apr_pool_t *pool)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    const char *copy = apr_pstrdup(pool, value ? (const char *)value : "");

    xmlFree(value);
    return copy;
}

/* <Property name= category= value= …> as an entry of is_pp. Errors: REFUSED. */
static qlm_error_t *add_property(const char **entries, const xmlNode *node, apr_pool_t *pool)
{
    const char *category = attribute(node, "category", pool);
    const char *name = attribute(node, "name", pool);
    const char *value = attribute(node, "value", pool);

    if (!*name || !is_part(category) || !is_part(name) || !is_part(value)) {
        return refuse("Properties has a property without a name, or with :: or || in it", pool);
    }
    *entries = apr_pstrcat(pool, *entries, **entries ? "||" : "", category, *category ? "." : "",
                           name, "::", value, NULL);
    return NULL;
}

/* The XML in which QLM keeps them becomes what is_pp would have said; other texts are our own. */
static qlm_error_t *read_properties(qlm_license_t *license, const qlm_import_t *import,
                                    const qlm_table_row_t *row, apr_pool_t *pool)
{
    qlm_error_t *error = NULL;
    const xmlNode *root;
    const char *text;
    xmlDoc *document;

    QLM_TRY(qlm_import_text(&text, import, row, "Properties", PROPERTIES_MAX, pool));
    license->properties = text;
    if (*text != '<') {
        return NULL;
    }
    license->properties = "";
    document = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                             XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    root = document ? xmlDocGetRootElement(document) : NULL;
    if (!root || document->intSubset) {
        error = refuse("Properties is no well-formed XML", pool);
    }
    for (const xmlNode *node = error ? NULL : root->children; node && !error; node = node->next) {
        if (node->type == XML_ELEMENT_NODE) {
            error = add_property(&license->properties, node, pool);
        }
    }
    xmlFreeDoc(document);
    return error;
}

/* ---- licenses ---------------------------------------------------------------------------------
 */

static qlm_error_t *read_model(qlm_license_t *license, const qlm_import_t *import,
                               const qlm_table_row_t *row, apr_pool_t *pool)
{
    const char *text;
    apr_int64_t number;

    QLM_TRY(qlm_import_text(&text, import, row, "LicenseModel", TEXT_MAX, pool));
    if (qlm_text_to_int64(&number, text, QLM_MODEL_NONE, QLM_MODEL_SUBSCRIPTION_CLOUD)) {
        license->model = (qlm_model_t)number;
        return NULL;
    }
    if (!*text) {
        license->model = license->expires_at || license->duration_days > 0 ? QLM_MODEL_SUBSCRIPTION
                                                                           : QLM_MODEL_PERMANENT;
        return NULL;
    }
    return qlm_license_field_set(license, QLM_LICENSE_FIELD_model, text, pool);
}

static qlm_error_t *read_features(qlm_license_t *license, const qlm_import_t *import,
                                  const qlm_table_row_t *row, apr_pool_t *pool)
{
    qlm_features_t features;
    const char *text;

    QLM_TRY(qlm_import_text(&text, import, row, "Features", TEXT_MAX, pool));
    if (!qlm_features_parse(&features, text)) {
        return refuse("Features takes set:value;set:value; with sets 0 to 3", pool);
    }
    license->features = qlm_features_format(&features, pool);
    return NULL;
}

static qlm_error_t *read_texts(qlm_license_t *license, const qlm_import_t *import,
                               const qlm_table_row_t *row, apr_pool_t *pool)
{
    const struct {
        const char **text;
        const char *names;
        apr_size_t max;
    } fields[] = {
        {&license->order_ref, "OrderID", TEXT_MAX},
        {&license->line_ref, "OrderLine", TEXT_MAX},
        {&license->subscription_ref, "ReceiptID|SubscriptionID", TEXT_MAX},
        {&license->user_data, "UserData1|UserData", NOTES_MAX},
        {&license->comment, "Comment", LONG_TEXT_MAX},
        {&license->legacy_key, "LegacyKey", TEXT_MAX},
        {&license->affiliate_id, "AffiliateID", TEXT_MAX},
        {&license->bundle_id, "BundleID", TEXT_MAX},
        {&license->allowed_computers, "AllowedComputers", LONG_TEXT_MAX},
        {&license->denied_computers, "DeniedComputers", LONG_TEXT_MAX},
        {&license->order_status, "OrderStatus", (apr_size_t)64},
        {&license->vendor, "Vendor", (apr_size_t)100},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        QLM_TRY(qlm_import_text(fields[i].text, import, row, fields[i].names, fields[i].max, pool));
    }
    if (!*license->vendor) {
        license->vendor = import->vendor;
    }
    return NULL;
}

static qlm_error_t *read_numbers(qlm_license_t *license, const qlm_import_t *import,
                                 const qlm_table_row_t *row, apr_pool_t *pool)
{
    const struct {
        int *number;
        const char *names;
        int min, max;
    } fields[] = {
        {&license->product_id, "ProductID", 0, 999999999},
        {&license->major, "MajorVersion", 0, 99},
        {&license->minor, "MinorVersion", 0, 99},
        {&license->num_licenses, "NumLicenses", 0, SEATS_MAX},
        {&license->floating_seats, "FloatingSeats", 0, SEATS_MAX},
        {&license->duration_days, "SubscriptionDuration", -1, 36500},
        {&license->computer_type, "ComputerType", 0, 2},
        {&license->max_release_count, "MaxReleaseCount", -2, SEATS_MAX},
        {&license->max_release_days, "MaxReleasePeriodInDays", -2, 36500},
    };

    license->num_licenses = 1;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        QLM_TRY(qlm_import_number(fields[i].number, import, row, fields[i].names, fields[i].min,
                                  fields[i].max, pool));
    }
    return NULL;
}

static qlm_error_t *read_times(qlm_license_t *license, const qlm_import_t *import,
                               const qlm_table_row_t *row, apr_pool_t *pool)
{
    const struct {
        apr_int64_t *time;
        const char *names;
    } fields[] = {
        {&license->expires_at, "SubscriptionExpiryDate|ExpiryDate"},
        {&license->maintenance_until, "MaintenanceRenewalDate"},
        {&license->created_at, "CreationDate"},
        {&license->ordered_at, "OrderDate"},
        {&license->first_activated_at, "ActivationDate"},
        {&license->released_at, "ReleaseDate"},
        {&license->disabled_at, "DisabledDate"},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        QLM_TRY(qlm_import_time(fields[i].time, import, row, fields[i].names, pool));
    }
    if (license->expires_at) { /* a day lasts to its end */
        license->expires_at = qlm_date_end_of_day(license->expires_at);
    }
    if (license->maintenance_until) {
        license->maintenance_until = qlm_date_end_of_day(license->maintenance_until);
    }
    if (!license->created_at) {
        license->created_at = license->ordered_at ? license->ordered_at : import->actor.now;
    }
    return NULL;
}

static qlm_error_t *read_license(qlm_license_t *license, const qlm_import_t *import,
                                 const qlm_table_row_t *row, apr_pool_t *pool)
{
    const char *engine;

    qlm_license_clear(license);
    QLM_TRY(qlm_import_key(&license->activation_key, import, row, pool));
    QLM_TRY(read_texts(license, import, row, pool));
    QLM_TRY(read_properties(license, import, row, pool));
    QLM_TRY(read_numbers(license, import, row, pool));
    QLM_TRY(read_times(license, import, row, pool));
    QLM_TRY(read_features(license, import, row, pool));
    QLM_TRY(read_model(license, import, row, pool));
    QLM_TRY(qlm_import_flag(&license->is_generic, import, row, "GenericLicense", pool));
    QLM_TRY(qlm_import_flag(&license->is_disabled, import, row, "Disabled", pool));
    QLM_TRY(qlm_import_flag(&license->is_test, import, row, "Test", pool));
    QLM_TRY(qlm_import_text(&engine, import, row, "QlmVersion", TEXT_MAX, pool));
    license->available_licenses = license->num_licenses;
    return *engine ? qlm_license_field_set(license, QLM_LICENSE_FIELD_engine, engine, pool) : NULL;
}

/* ---- computers --------------------------------------------------------------------------------
 */

static qlm_error_t *read_activation(qlm_activation_t *activation, const qlm_license_t *license,
                                    const qlm_import_t *import, const qlm_table_row_t *row,
                                    apr_pool_t *pool)
{
    memset(activation, 0, sizeof(*activation));
    activation->license_id = license->id;
    activation->major = license->major;
    activation->minor = license->minor;
    activation->activation_count = 1;
    QLM_TRY(qlm_import_text(&activation->computer_id, import, row, "ComputerID", NOTES_MAX, pool));
    QLM_TRY(
        qlm_import_text(&activation->computer_name, import, row, "ComputerName", TEXT_MAX, pool));
    QLM_TRY(qlm_import_text(&activation->computer_key, import, row, "ComputerKey", 128, pool));
    QLM_TRY(
        qlm_import_text(&activation->ip_address, import, row, "IP_Address|IPAddress", 64, pool));
    QLM_TRY(qlm_import_time(&activation->activated_at, import, row, "ActivationDate", pool));
    QLM_TRY(qlm_import_time(&activation->last_accessed_at, import, row, "LastAccessedDate", pool));
    QLM_TRY(qlm_import_time(&activation->offline_until, import, row, "OfflineExpiryDate", pool));
    QLM_TRY(qlm_import_number(&activation->activation_count, import, row, "ActivationCount", 0,
                              SEATS_MAX, pool));
    if (!activation->activated_at) {
        activation->activated_at = import->actor.now;
    }
    if (!activation->last_accessed_at) {
        activation->last_accessed_at = activation->activated_at;
    }
    return NULL;
}

static qlm_error_t *add_activation(int *taken, const qlm_license_t *license,
                                   qlm_activation_t *activation, qlm_store_t *store,
                                   apr_pool_t *pool)
{
    *taken = 0;
    activation->id = qlm_store_new_id(store);
    return license->is_generic
               ? NULL
               : qlm_store_take_seat(taken, store, activation, license->expires_at, pool);
}

static qlm_error_t *put_customer(apr_int64_t *id, const qlm_customer_t *customer,
                                 const qlm_import_t *import, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_stored_customer_t stored;

    QLM_TRY(qlm_store_put_customer(&stored, store, customer, 0, &import->actor, pool));
    *id = stored.customer.id;
    return NULL;
}

static qlm_error_t *add_customer(qlm_license_t *license, const qlm_import_t *import,
                                 const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_customer_t customer;

    QLM_TRY(read_customer(&customer, import, row, pool));
    return *customer.email ? put_customer(&license->customer_id, &customer, import, store, pool)
                           : NULL;
}

static qlm_error_t *add_license(qlm_license_t *license, const qlm_import_t *import,
                                const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_history_t history = {.event = "imported", .activation_key = license->activation_key};
    qlm_activation_t activation;
    int taken;

    license->id = history.license_id = qlm_store_new_id(store);
    QLM_TRY(read_activation(&activation, license, import, row, pool));
    if (*activation.computer_id && license->num_licenses < 1) {
        return refuse("it is active on a computer, but NumLicenses is 0", pool);
    }
    if (*activation.computer_id) {
        QLM_TRY(qlm_license_check_computer_id(activation.computer_id, pool));
    }
    QLM_TRY(add_customer(license, import, row, store, pool));
    history.customer_id = license->customer_id;
    QLM_TRY(qlm_store_add_license(store, license, pool));
    QLM_TRY(qlm_store_add_history(store, &history, &import->actor, pool));
    return *activation.computer_id ? add_activation(&taken, license, &activation, store, pool)
                                   : NULL;
}

qlm_error_t *qlm_import_license(int *is_added, const qlm_import_t *import,
                                const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_license_view_t *known;
    qlm_license_t license;
    const char *product;

    QLM_TRY(read_license(&license, import, row, pool));
    product = product_name(license.product_id, license.major, license.minor, pool);
    if (!apr_hash_get(import->products, product, APR_HASH_KEY_STRING)) {
        return qlm_error_make(
            pool, QLM_ERROR_REFUSED, QLM_CODE_PRODUCT_NOT_FOUND,
            "product %d version %d.%d is not defined here: import or add it first",
            license.product_id, license.major, license.minor);
    }
    QLM_TRY(qlm_store_find_license(&known, store, license.activation_key, "", pool));
    *is_added = known == NULL;
    return known ? NULL : add_license(&license, import, row, store, pool);
}

qlm_error_t *qlm_import_activation(int *is_added, const qlm_import_t *import,
                                   const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_activation_t activation;
    const char *key, *computer;
    qlm_license_view_t *view;

    *is_added = 0;
    QLM_TRY(qlm_import_key(&key, import, row, pool));
    QLM_TRY(qlm_import_text(&computer, import, row, "ComputerID", NOTES_MAX, pool));
    QLM_TRY(qlm_license_check_computer_id(computer, pool));
    QLM_TRY(qlm_store_find_license(&view, store, key, computer, pool));
    if (!view) {
        return refuse("no license here has this ActivationKey: import the licenses first", pool);
    }
    if (view->activation.id) {
        return NULL;
    }
    if (view->license.available_licenses < 1) {
        return refuse("all NumLicenses of this license are active on other computers", pool);
    }
    QLM_TRY(read_activation(&activation, &view->license, import, row, pool));
    QLM_TRY(
        qlm_import_text(&activation.user_data, import, row, "UserData1|UserData", NOTES_MAX, pool));
    return add_activation(is_added, &view->license, &activation, store, pool);
}

/* ---- products ---------------------------------------------------------------------------------
 */

/* The key pair stands in whichever column has one with the private numbers. */
static qlm_error_t *read_pair(qlm_product_t *product, const qlm_import_t *import,
                              const qlm_table_row_t *row, apr_pool_t *pool)
{
    const char *pair = NULL, *private_pem;

    for (int i = 0; i < import->table->columns->nelts; i++) {
        const char *value = qlm_table_value(row, i);

        if (strstr(value, "<RSAKeyValue") && strstr(value, "<D>")) {
            pair = value;
        }
    }
    if (!pair) {
        return refuse("there is no RSA key pair (RSAKeyValue with the private numbers); make the "
                      "product with a new one by qlmctl product add",
                      pool);
    }
    QLM_TRY(qlm_signature_read_pair(&private_pem, &product->public_key_pem, pair, pool));
    return qlm_secrets_seal(&product->private_key_sealed, import->secrets,
                            qlm_product_identity(product->id, product->major, product->minor, pool),
                            private_pem, pool);
}

qlm_error_t *qlm_import_product(int *is_added, const qlm_import_t *import,
                                const qlm_table_row_t *row, qlm_store_t *store, apr_pool_t *pool)
{
    /* clients in the field know the old signatures */
    qlm_product_t product = {
        .id = -1, .major = -1, .minor = -1, .algorithm = QLM_ALGORITHM_RSA_SHA1};
    const char *algorithm;

    QLM_TRY(qlm_import_number(&product.id, import, row, "ProductID|ID", 0, 999999999, pool));
    QLM_TRY(qlm_import_number(&product.major, import, row, "MajorVersion|Major", 0, 99, pool));
    QLM_TRY(qlm_import_number(&product.minor, import, row, "MinorVersion|Minor", 0, 99, pool));
    QLM_TRY(qlm_import_text(&product.name, import, row, "ProductName|Name", TEXT_MAX, pool));
    QLM_TRY(qlm_import_time(&product.released_at, import, row, "ReleaseDate", pool));
    QLM_TRY(qlm_import_text(&product.features, import, row, "Features", LONG_TEXT_MAX, pool));
    QLM_TRY(qlm_import_text(&product.latest_version, import, row, "LatestVersion", 100, pool));
    QLM_TRY(qlm_import_text(&product.latest_version_url, import, row, "LatestVersionUrl", NOTES_MAX,
                            pool));
    QLM_TRY(qlm_import_text(&product.latest_version_notes, import, row, "LatestVersionNotes",
                            LONG_TEXT_MAX, pool));
    QLM_TRY(qlm_import_text(&algorithm, import, row, "SignatureAlgorithm", TEXT_MAX, pool));
    if (product.id < 0 || product.major < 0 || product.minor < 0 || !*product.name) {
        return refuse("a product needs ProductID, MajorVersion, MinorVersion and ProductName",
                      pool);
    }
    if (*algorithm && !qlm_algorithm_parse(&product.algorithm, algorithm)) {
        return refuse("SignatureAlgorithm takes rsa-sha256 or rsa-sha1", pool);
    }
    if (apr_hash_get(import->products, product_name(product.id, product.major, product.minor, pool),
                     APR_HASH_KEY_STRING)) {
        *is_added = 0;
        return NULL;
    }
    QLM_TRY(read_pair(&product, import, row, pool));
    return qlm_store_add_product(is_added, store, &product, pool);
}
