/* Cleverbridge: key generator "Type 1". A form post per item of the purchase, with the purchase's
 * whole notification as XML in one of the fields. The form is authoritative; the XML fills gaps,
 * tells test purchases, and gives the items when the shop calls once for all of them. */
#include "vendor/vendors.h"

#include "base/text.h"
#include "vendor/answer.h"
#include "vendor/customer.h"
#include "vendor/keygenerator.h"
#include "vendor/notification.h"

#define CONTENT_TYPE "text/plain; charset=UTF-8"

static const qlm_field_names_t field_names = {
    .order_ref = "PURCHASE_ID",
    .quantity = "QUANTITY",
    .email = "EMAIL",
    .full_name = "REG_NAME",
    .first_name = "FIRSTNAME",
    .last_name = "LASTNAME",
    .company = "COMPANY",
    .address1 = "STREET",
    .address2 = "STREET2",
    .city = "CITY",
    .state = "STATE",
    .zip = "ZIP",
    .country = "COUNTRY",
    .phone = "PHONE",
};

/** Fields that a buyer writes, or may write: never taken for the shop's document. */
static const char *const buyers_fields[] = {"REG_NAME",
                                            "FIRSTNAME",
                                            "LASTNAME",
                                            "COMPANY",
                                            "EMAIL",
                                            "STREET",
                                            "STREET2",
                                            "CITY",
                                            "STATE",
                                            "ZIP",
                                            "COUNTRY",
                                            "PHONE",
                                            "FAX",
                                            "ADDITIONAL1",
                                            "ADDITIONAL2",
                                            "PROMOTION_NAME",
                                            "PROMOTION_COUPON_CODE",
                                            "RESELLER",
                                            NULL};

static int is_named_xml(const qlm_field_t *field)
{
    return strcasecmp(field->name, "XML") == 0;
}

/** The literal name of the shop's field is not certain: any that looks like XML may be it. */
static int is_document_field(const qlm_field_t *field)
{
    const char *text = field->value + strspn(field->value, " \t\r\n\xef\xbb\xbf");
    if (!(field->source & (QLM_FROM_URL | QLM_FROM_BODY)) || !*text) {
        return 0;
    }
    if (is_named_xml(field)) {
        return 1;
    }
    for (const char *const *name = buyers_fields; *name; ++name) {
        if (strcasecmp(field->name, *name) == 0) {
            return 0;
        }
    }
    return *text == '<';
}

/** Read the notification out of @a field. @return NULL, noted, if it is none or another purchase's.
 * The literal name of the shop's field is not certain, so any field may carry the document; one
 * under another name than XML must name this purchase, which a buyer filling in a form cannot do.
 */
static const qlm_notification_t *read_document(qlm_form_t *form, const qlm_field_t *field,
                                               const char *order_ref)
{
    const qlm_notification_t *notification;
    const char *name = qlm_text_for_log(field->name, 40, form->pool);
    const char *xml = qlm_text_from_latin1_or_utf8(field->value, form->pool);
    qlm_error_t *error =
        qlm_notification_read(&notification, qlm_text_trim(xml, form->pool), form->pool);
    if (error) {
        qlm_form_note(form, "field %s: %s", name, error->text);
        return NULL;
    }
    if ((*notification->purchase_id || !is_named_xml(field)) &&
        strcmp(notification->purchase_id, order_ref) != 0) {
        qlm_form_note(form, "field %s: the XML is not used: it is of another purchase", name);
        return NULL;
    }
    return notification;
}

static const qlm_notification_t *find_notification(qlm_form_t *form, const char *order_ref)
{
    const apr_array_header_t *list = form->callback->fields->list;
    for (int i = 0; i < list->nelts; ++i) {
        const qlm_field_t *field = &APR_ARRAY_IDX(list, i, qlm_field_t);
        if (is_document_field(field)) {
            const qlm_notification_t *notification = read_document(form, field, order_ref);
            if (notification) {
                return notification;
            }
        }
    }
    return NULL;
}

/** Whose address completes the form's: the licensee's; another contact's only for the same e-mail
 * address, or if nobody is known at all. A reseller who pays is not the customer. */
static void fill_customer(qlm_customer_t *customer, const qlm_notification_t *notification)
{
    qlm_customer_fill(customer, &notification->contacts[QLM_CONTACT_LICENSEE]);
    for (int i = QLM_CONTACT_LICENSEE + 1; i < QLM_CONTACT_COUNT; ++i) {
        const qlm_customer_t *contact = &notification->contacts[i];
        int is_nobody = !*customer->email && !*customer->full_name && !*customer->company;
        if (is_nobody || (*customer->email && strcasecmp(contact->email, customer->email) == 0)) {
            qlm_customer_fill(customer, contact);
        }
    }
}

static int read_item_quantity(apr_int64_t *quantity, const qlm_notification_item_t *item)
{
    return qlm_text_to_int64(quantity, item->quantity, 1, QLM_MAX_QUANTITY);
}

static void fill_from_item(qlm_order_t *order, const qlm_notification_item_t *item)
{
    apr_int64_t quantity;
    if (order->quantity == 0 && read_item_quantity(&quantity, item)) {
        order->quantity = (int)quantity;
    }
    if (!*order->shop_product) {
        order->shop_product = item->product_id;
    }
    if (!*order->subscription_ref) {
        order->subscription_ref = item->subscription_ref;
    }
    if (!*order->comment) {
        order->comment = *item->coupon ? item->coupon : item->promotion;
    }
}

/** Is @a item what this call is about: the line it names, or else its product, or else any? */
static int is_item_of_call(const qlm_notification_item_t *item, const qlm_order_t *order,
                           const char *running_no)
{
    if (*running_no) {
        return strcmp(item->running_no, running_no) == 0;
    }
    return !*order->shop_product || strcmp(item->product_id, order->shop_product) == 0;
}

/** With "Call once per purchase" a single call without RUNNING_NO stands for several items: the
 * buyer has paid for the units of all of them. Calls per item that merely lack the number have the
 * same line reference here, so that nothing is delivered twice either. */
static qlm_error_t *use_items(qlm_order_t *order, qlm_form_t *form,
                              const qlm_notification_t *notification)
{
    const qlm_notification_item_t *first = NULL;
    const char *running_no = qlm_form_value(form, "RUNNING_NO");
    apr_int64_t sum = 0, quantity;
    int count = 0, is_readable = 1;
    for (int i = 0; i < notification->items->nelts; ++i) {
        const qlm_notification_item_t *item =
            &APR_ARRAY_IDX(notification->items, i, qlm_notification_item_t);
        if (!is_item_of_call(item, order, running_no)) {
            continue;
        }
        first = first ? first : item;
        ++count;
        is_readable = is_readable && read_item_quantity(&quantity, item);
        sum += is_readable ? quantity : 0;
    }
    if (count > 1 && !*running_no && is_readable) {
        if (sum > QLM_MAX_QUANTITY) {
            return qlm_error_make(form->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                  "QUANTITY of all items together is more than %d",
                                  QLM_MAX_QUANTITY);
        }
        qlm_form_note(form, "no RUNNING_NO: one call for the %d units of %d items", (int)sum,
                      count);
        order->quantity = (int)sum;
    }
    else if (first) {
        fill_from_item(order, first);
    }
    return NULL;
}

static qlm_error_t *read_order(qlm_order_t *order, const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, 0, pool);
    order->vendor = qlm_vendor_cleverbridge.name;
    QLM_TRY(qlm_keygenerator_read(order, &form, &field_names));
    const qlm_notification_t *notification = find_notification(&form, order->order_ref);
    if (notification) {
        order->is_test = strcasecmp(notification->status_id, "TST") == 0;
        fill_customer(&order->customer, notification);
        QLM_TRY(use_items(order, &form, notification));
    }
    return qlm_keygenerator_finish(order, &form);
}

static void read_customer(qlm_customer_t *customer, const char **oddity,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    qlm_form_t form;
    qlm_form_open(&form, callback, 0, pool);
    qlm_keygenerator_read_customer(customer, &form, &field_names);
    *oddity = form.oddity;
}

static void write_keys(qlm_answer_t *answer, const apr_array_header_t *keys,
                       const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_answer_keys_as_text(answer, keys, CONTENT_TYPE, pool);
}

static void write_failure(qlm_answer_t *answer, const qlm_error_t *error,
                          const qlm_callback_t *callback, apr_pool_t *pool)
{
    (void)callback;
    qlm_answer_failure_as_text(answer, error, CONTENT_TYPE, pool);
}

const qlm_vendor_t qlm_vendor_cleverbridge = {
    .name = "cleverbridge",
    .aliases = NULL,
    .title = "Cleverbridge",
    .is_body_trusted = 0,
    .read_order = read_order,
    .read_customer = read_customer,
    .write_keys = write_keys,
    .write_failure = write_failure,
};
