/* QlmAuthenticationProvider: the publisher's own programs and shops without a translator. The
 * caller is trusted with is_* arguments in the body as well, and the answer is XML. */
#include "vendor/vendors.h"

#include "base/buffer.h"
#include "base/text.h"
#include "vendor/answer.h"
#include "vendor/customer.h"
#include "vendor/form.h"

#include <apr_strings.h>

#define CONTENT_TYPE    "text/xml; charset=utf-8"
#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"

static const qlm_field_names_t field_names = {
    .order_ref = "orderNumber|order_id|is_orderid",
    .quantity = "is_quantity|quantity",
    .email = "email|is_email",
    .full_name = "name|fullname|is_fullname",
    .first_name = "firstname",
    .last_name = "lastname",
    .company = "company|is_company",
    .address1 = "addr1|address1|is_address1",
    .address2 = "addr2|address2|is_address2",
    .city = "city|is_city",
    .state = "state|is_state",
    .zip = "zip|is_zip",
    .country = "country|is_country",
    .phone = "phone|is_phone",
    .subscription_ref = "subscriptionid",
};

/** "<product>.<major>.<minor>": an order may hold several products and have one call for each. */
static const char *product_line(const qlm_callback_t *callback, apr_pool_t *pool)
{
    static const char *const names[] = {"is_productid", "is_majorversion", "is_minorversion"};
    apr_int64_t numbers[3];
    for (int i = 0; i < 3; ++i) {
        const char *text = qlm_fields_get(callback->fields, names[i], QLM_FROM_ANY);
        if (!text || !qlm_text_to_int64(&numbers[i], text, 0, APR_INT32_MAX)) {
            return "1";
        }
    }
    return apr_psprintf(pool, "%" APR_INT64_T_FMT ".%" APR_INT64_T_FMT ".%" APR_INT64_T_FMT,
                        numbers[0], numbers[1], numbers[2]);
}

static void read_buyer(qlm_customer_t *customer, qlm_form_t *form)
{
    qlm_customer_read(customer, form, &field_names);
    customer->fax = qlm_form_text(form, "fax", QLM_FORM_TEXT_MAX);
    customer->mobile = qlm_form_text(form, "mobile", QLM_FORM_TEXT_MAX);
    customer->ip_address = qlm_form_text(form, "ipaddress|ip_address", QLM_CUSTOMER_ADDRESS_MAX);
    customer->notes = qlm_form_text(form, "CustomerNotes|notes", QLM_CUSTOMER_NOTES_MAX);
}

static void read_customer(qlm_customer_t *customer, const char **oddity,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, 0, pool);
    read_buyer(customer, &form);
    *oddity = form.oddity;
}

static qlm_error_t *read_order(qlm_order_t *order, const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, 0, pool);
    memset(order, 0, sizeof(*order));
    order->vendor = qlm_vendor_qlmauthenticationprovider.name;
    QLM_TRY(qlm_form_reference(&order->order_ref, &form, field_names.order_ref));
    order->is_remembered = *order->order_ref != '\0';
    QLM_TRY(qlm_form_reference(&order->line_ref, &form, "line|RUNNING_NO"));
    if (!*order->line_ref) {
        order->line_ref = product_line(callback, pool);
    }
    order->quantity = 1;
    QLM_TRY(qlm_form_quantity(&order->quantity, &form, field_names.quantity, QLM_FROM_ANY));
    QLM_TRY(qlm_form_reference(&order->subscription_ref, &form, field_names.subscription_ref));
    order->shop_product = "";
    order->user_data = "";
    order->comment = "";
    order->language = NULL;
    read_buyer(&order->customer, &form);
    order->oddity = form.oddity;
    return NULL;
}

static void write_keys(qlm_answer_t *answer, const apr_array_header_t *keys,
                       const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_buffer_t *xml = qlm_buffer_create(256, pool);
    qlm_buffer_add(xml, XML_DECLARATION "<QuickLicenseManager><licenses>");
    for (int i = 0; i < keys->nelts; ++i) {
        qlm_buffer_add(xml, "<license>");
        qlm_buffer_add_element(xml, "activationKey", APR_ARRAY_IDX(keys, i, const char *));
        qlm_buffer_add(xml, "</license>");
    }
    qlm_buffer_add(xml, "</licenses></QuickLicenseManager>");
    answer->http_status = 200;
    answer->content_type = CONTENT_TYPE;
    answer->body = xml->text;
}

static void write_result(qlm_answer_t *answer, const char *result, const qlm_callback_t *callback,
                         apr_pool_t *pool)
{
    (void)callback;
    qlm_buffer_t *xml = qlm_buffer_create(256, pool);
    qlm_buffer_add(xml, XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(xml, "result", result);
    qlm_buffer_add(xml, "</QuickLicenseManager>");
    answer->http_status = 200;
    answer->content_type = CONTENT_TYPE;
    answer->body = xml->text;
}

/** Callers look for the error element, so a refusal is an ordinary answer; what only a later call
 * or another request can mend keeps its status. */
static int failure_status(const qlm_error_t *error)
{
    switch (error->kind) {
    case QLM_ERROR_METHOD:
    case QLM_ERROR_TOO_LARGE:
    case QLM_ERROR_CONFLICT:
    case QLM_ERROR_STORE:
    case QLM_ERROR_INTERNAL:
        return qlm_answer_status(error);
    default:
        return 200;
    }
}

static void write_failure(qlm_answer_t *answer, const qlm_error_t *error,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_buffer_t *xml = qlm_buffer_create(256, pool);
    qlm_buffer_add(xml, XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(xml, "error", error->text);
    qlm_buffer_addf(xml, "<errorCode>%d</errorCode>",
                    (int)(error->code ? error->code : QLM_CODE_UNKNOWN));
    qlm_buffer_add(xml, "</QuickLicenseManager>");
    answer->http_status = failure_status(error);
    answer->content_type = CONTENT_TYPE;
    answer->body = xml->text;
}

const qlm_vendor_t qlm_vendor_qlmauthenticationprovider = {
    .name = "qlmauthenticationprovider",
    .aliases = NULL,
    .title = "QlmAuthenticationProvider",
    .is_body_trusted = 1,
    .read_order = read_order,
    .read_customer = read_customer,
    .write_keys = write_keys,
    .write_result = write_result,
    .write_failure = write_failure,
};
