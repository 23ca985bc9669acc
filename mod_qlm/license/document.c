/* The license document, written directly in canonical form. One pass, one buffer: this is on the
 * way of every validation. */
#include "license/document.h"

#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <string.h>

#define ROOT    "QuickLicenseManager"
#define DAY     "yyyy-MM-dd"
#define MINUTE  "yyyy-MM-dd HH:mm"
#define SECOND  "yyyy-MM-dd HH:mm:ss"
#define FOREVER "9999-12-31 23:59"

#define MINUTE_LENGTH (sizeof(MINUTE) - 1)

/* A usual document has about 1100 bytes; with more text the buffer grows. */
#define USUAL_LENGTH 2000

static const char *computer_type_name(int computer_type)
{
    static const char *const names[] = {"None", "PC", "VM"};

    return computer_type >= 0 && computer_type <= 2 ? names[computer_type] : names[0];
}

/* Latest date that can be written, so that a damaged record does not spoil the document. */
static apr_int64_t writable(apr_int64_t seconds)
{
    return seconds > QLM_DATE_MAX ? QLM_DATE_MAX : seconds;
}

static void add_date(qlm_buffer_t *buffer, const char *element, apr_int64_t seconds,
                     const char *pattern)
{
    const char *text = seconds ? qlm_date_format(writable(seconds), pattern, buffer->pool) : "";

    qlm_buffer_add_element(buffer, element, text);
}

/* For people. Programs read the elements, so the wording is free, except that the letters of
 * "error" must not appear: some shops' programs search every answer for them. */
static void add_result(qlm_buffer_t *buffer, const qlm_document_t *document)
{
    const qlm_license_t *license = document->license;

    qlm_buffer_addf(buffer, "<result>%s %d %s of ",
                    document->activation->id ? "The license is valid."
                                             : "The license is not active on this computer yet.",
                    license->num_licenses, license->num_licenses == 1 ? "copy" : "copies");
    qlm_buffer_add_xml(buffer, document->product->name);
    if (license->expires_at) {
        qlm_buffer_addf(buffer, " until %s.",
                        qlm_date_format(writable(license->expires_at), DAY, buffer->pool));
    }
    else {
        qlm_buffer_add(buffer, ", without expiry date.");
    }
    if (license->maintenance_until) {
        qlm_buffer_addf(buffer, " Maintenance plan until %s.",
                        qlm_date_format(writable(license->maintenance_until), DAY, buffer->pool));
    }
    qlm_buffer_add(buffer, "</result>");
}

/* Who and what: creationDateUtc to maintenanceRenewalDate. */
static void add_identity(qlm_buffer_t *buffer, const qlm_document_t *document, const char *now)
{
    const qlm_activation_t *activation = document->activation;
    const qlm_customer_t *customer = document->customer;
    const qlm_product_t *product = document->product;

    qlm_buffer_add_element(buffer, "creationDateUtc", now);
    qlm_buffer_add_element(buffer, "pckey", activation->id ? activation->computer_key : "");
    qlm_buffer_add_element(buffer, "computerName", activation->id ? activation->computer_name : "");
    qlm_buffer_add_element(buffer, "computerID", document->computer_id);
    qlm_buffer_add_element(buffer, "userCompany", customer->company);
    qlm_buffer_add_element(buffer, "userFullName", customer->full_name);
    qlm_buffer_add_element(buffer, "userEmail", customer->email);
    qlm_buffer_addf(buffer, "<productID>%d</productID>", product->id);
    qlm_buffer_add_element(buffer, "productName", product->name);
    qlm_buffer_addf(buffer,
                    "<majorVersion>%d</majorVersion><minorVersion>%d</minorVersion>"
                    "<licenseModel>%s</licenseModel>",
                    product->major, product->minor, qlm_model_name(document->license->model));
    add_date(buffer, "maintenanceRenewalDate", document->license->maintenance_until, SECOND);
}

/* What is granted: status to expiryDate. */
static void add_grant(qlm_buffer_t *buffer, const qlm_document_t *document)
{
    const qlm_license_t *license = document->license;
    int status = document->activation->id ? qlm_license_success_status(license)
                                          : QLM_STATUS_NEEDS_ACTIVATION;

    qlm_buffer_addf(buffer, "<status>%d</status>", status);
    qlm_buffer_add_element(buffer, "features", license->features);
    qlm_buffer_addf(buffer,
                    "<duration>%d</duration><floatingSeats>%d</floatingSeats>"
                    "<numActivationsAllowed>%d</numActivationsAllowed>"
                    "<availableLicenses>%d</availableLicenses>",
                    license->duration_days, license->floating_seats, license->num_licenses,
                    license->available_licenses);
    if (license->expires_at) {
        add_date(buffer, "expiryDate", license->expires_at, MINUTE);
    }
    else {
        qlm_buffer_add_element(buffer, "expiryDate", FOREVER);
    }
}

const char *qlm_document_write(const qlm_document_t *document, apr_pool_t *pool)
{
    const qlm_license_t *license = document->license;
    const char *properties = document->product_properties ? document->product_properties : "";
    qlm_buffer_t *buffer = qlm_buffer_create(USUAL_LENGTH + 5 * strlen(properties) / 4, pool);
    const char *now = qlm_date_format(qlm_date_minute(document->now), SECOND, pool);

    qlm_buffer_add(buffer, "<" ROOT ">");
    add_identity(buffer, document, now);
    add_result(buffer, document);
    add_grant(buffer, document);
    qlm_buffer_add_element(buffer, "activationKey", license->activation_key);
    qlm_buffer_add_element(buffer, "userData", license->user_data);
    if (*properties) {
        qlm_buffer_add_element(buffer, "productProperties", properties);
    }
    if (document->activation->id) {
        add_date(buffer, "activationDate", document->activation->activated_at, MINUTE);
    }
    qlm_buffer_add_element(buffer, "serverDate", apr_pstrmemdup(pool, now, MINUTE_LENGTH));
    qlm_buffer_add_element(buffer, "computerType", computer_type_name(license->computer_type));
    qlm_buffer_add(buffer, "</" ROOT ">");
    return buffer->text;
}

/* A refusal always says something: clients take an empty error element for success. */
const char *qlm_document_write_refusal(const qlm_error_t *error, apr_int64_t now, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(USUAL_LENGTH, pool);
    const char *date = qlm_date_format(qlm_date_minute(now), SECOND, pool);
    const char *text = qlm_text_is_empty(error->text) ? "The request was refused." : error->text;
    qlm_code_t code = error->code == QLM_CODE_NONE ? QLM_CODE_UNKNOWN : error->code;

    qlm_buffer_add(buffer, "<" ROOT ">");
    qlm_buffer_add_element(buffer, "creationDateUtc", date);
    qlm_buffer_add_element(buffer, "error", text);
    qlm_buffer_addf(buffer, "<errorCode>%d</errorCode><status>%d</status>", (int)code,
                    qlm_license_refusal_status(code));
    qlm_buffer_add_element(buffer, "serverDate", apr_pstrmemdup(pool, date, MINUTE_LENGTH));
    qlm_buffer_add(buffer, "</" ROOT ">");
    return buffer->text;
}
