/* ShareIt, later MyCommerce: URL key generator. A form post per line of the order, in ISO-8859-1
 * unless it says or shows that it is UTF-8; the answer is in the character set of the question. */
#include "vendor/vendors.h"

#include "base/date.h"
#include "base/text.h"
#include "vendor/answer.h"
#include "vendor/customer.h"
#include "vendor/keygenerator.h"

static const qlm_field_names_t field_names = {
    .order_ref = "PURCHASE_ID",
    .quantity = "QUANTITY",
    .email = "EMAIL",
    .first_name = "FIRSTNAME",
    .last_name = "LASTNAME",
    .company = "COMPANY",
    .address1 = "STREET",
    .address2 = "ADDR2",
    .city = "CITY",
    .state = "STATE",
    .zip = "ZIP",
    .country = "COUNTRY",
    .phone = "PHONE",
};

/** ENCODING says UTF8, or is absent and the bytes cannot be anything else: an account set to
 * Unicode whose flag got lost on the way. */
static int is_utf8(const qlm_callback_t *callback)
{
    const char *encoding =
        qlm_fields_get(callback->fields, "ENCODING", QLM_FROM_URL | QLM_FROM_BODY);
    if (encoding && (strcasecmp(encoding, "UTF8") == 0 || strcasecmp(encoding, "UTF-8") == 0)) {
        return 1;
    }
    return qlm_form_looks_like_utf8(callback->fields);
}

static const char *content_type(const qlm_callback_t *callback)
{
    return is_utf8(callback) ? "text/plain; charset=UTF-8" : "text/plain; charset=ISO-8859-1";
}

/** EXPIRY_DATE ends the billing period that was paid for, and is the last day of it. */
static void read_period(qlm_order_t *order, qlm_form_t *form)
{
    apr_int64_t day = qlm_form_date(form, "EXPIRY_DATE");
    if (!day) {
        return;
    }
    order->expires_at = qlm_date_end_of_day(day);
    if (order->expires_at < form->callback->now) {
        qlm_form_note(form, "EXPIRY_DATE is in the past");
    }
}

/* A newsletter is wished for, or not. */
static void read_more(qlm_customer_t *customer, qlm_form_t *form)
{
    customer->affiliate_id = qlm_form_text(form, "RESELLER", QLM_FORM_TEXT_MAX);
    qlm_text_to_bool(&customer->include_in_mail_list, qlm_form_value(form, "NLALLOW"));
}

static void read_customer(qlm_customer_t *customer, const char **oddity,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, !is_utf8(callback), pool);
    qlm_keygenerator_read_customer(customer, &form, &field_names);
    read_more(customer, &form);
    *oddity = form.oddity;
}

static qlm_error_t *read_order(qlm_order_t *order, const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, !is_utf8(callback), pool);
    order->vendor = qlm_vendor_shareit.name;
    QLM_TRY(qlm_keygenerator_read(order, &form, &field_names));
    read_period(order, &form);
    read_more(&order->customer, &form);
    if (strcasecmp(qlm_form_value(&form, "INVOICE"), "UNPAID") == 0) {
        qlm_form_note(&form, "INVOICE is UNPAID");
    }
    if (strcmp(order->order_ref, "0") == 0) {
        /* Every test of every publisher has this number: nothing to recognise a repeat by. */
        order->is_test = 1;
        order->is_remembered = 0;
    }
    return qlm_keygenerator_finish(order, &form);
}

static void write_keys(qlm_answer_t *answer, const apr_array_header_t *keys,
                       const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_answer_keys_as_text(answer, keys, content_type(callback), pool);
}

static void write_failure(qlm_answer_t *answer, const qlm_error_t *error,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_answer_failure_as_text(answer, error, content_type(callback), pool);
}

static const char *const aliases[] = {"mycommerce", NULL};

const qlm_vendor_t qlm_vendor_shareit = {
    .name = "shareit",
    .aliases = aliases,
    .title = "ShareIt / MyCommerce",
    .is_body_trusted = 0,
    .can_renew = 1,
    .read_order = read_order,
    .read_customer = read_customer,
    .write_keys = write_keys,
    .write_failure = write_failure,
};
