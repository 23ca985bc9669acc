/* What Cleverbridge and ShareIt have in common. */
#include "vendor/keygenerator.h"

#include "base/date.h"
#include "base/text.h"
#include "vendor/customer.h"

#include <apr_strings.h>

/** Kept as `NAME=text; …` in the license's comment: facts that only people need. */
static const char *const comment_fields[] = {"PROMOTION_NAME", "PROMOTION_COUPON_CODE",
                                             "ADDITIONAL2",    "SUBSCRIPTION_DATE",
                                             "START_DATE",     NULL};

/** The line of the order. RUNNING_NO says it; without it there is one call per product of the order
 * (or one per order), so the shop's product number tells lines apart. Only the form decides, never
 * the XML beside it: a repeat without readable XML must find the same line. The "p" keeps product
 * numbers from being mistaken for line numbers. */
static qlm_error_t *read_line(qlm_order_t *order, const qlm_form_t *form)
{
    const char *product;
    QLM_TRY(qlm_form_reference(&order->line_ref, form, "RUNNING_NO"));
    if (*order->line_ref) {
        return NULL;
    }
    QLM_TRY(qlm_form_reference(&product, form, "PRODUCT_ID"));
    order->line_ref = *product ? apr_pstrcat(form->pool, "p", product, NULL) : "1";
    return NULL;
}

static const char *read_comment(qlm_form_t *form)
{
    const char *comment = "";
    for (const char *const *name = comment_fields; *name; ++name) {
        const char *text = qlm_form_text(form, *name, QLM_FORM_TEXT_MAX);
        if (*text) {
            comment =
                apr_pstrcat(form->pool, comment, *comment ? "; " : "", *name, "=", text, NULL);
        }
    }
    return qlm_text_clean(comment, QLM_FORM_TEXT_MAX, form->pool);
}

/** The day of the order. A day far from today is believed, since it is the shop's word, but an
 * expiry reckoned from it would surprise the buyer. */
static void read_date(qlm_order_t *order, qlm_form_t *form)
{
    apr_int64_t now = form->callback->now;
    order->ordered_at = qlm_form_date(form, "PURCHASE_DATE");
    if (order->ordered_at && (order->ordered_at > now + 2 * QLM_DATE_DAY ||
                              order->ordered_at < now - 366 * QLM_DATE_DAY)) {
        qlm_form_note(form, "PURCHASE_DATE is far from today");
    }
}

void qlm_keygenerator_read_customer(qlm_customer_t *customer, qlm_form_t *form,
                                    const qlm_field_names_t *names)
{
    qlm_customer_read(customer, form, names);
    if (!*customer->full_name) {
        customer->full_name = qlm_form_text(form, "REG_NAME", QLM_FORM_TEXT_MAX);
    }
    if (!*customer->country) {
        customer->country = qlm_form_text(form, "ISO_CODE", QLM_FORM_TEXT_MAX);
    }
    customer->fax = qlm_form_text(form, "FAX", QLM_FORM_TEXT_MAX);
}

/* LANGUAGE_ID, where its meaning is known. */
static const char *read_language(const qlm_form_t *form)
{
    static const char *const languages[] = {"en", "de", "pt", "es", "it", "fr"};
    apr_int64_t id;

    return qlm_text_to_int64(&id, qlm_form_value(form, "LANGUAGE_ID"), 1, 6) ? languages[id - 1]
                                                                             : NULL;
}

qlm_error_t *qlm_keygenerator_read(qlm_order_t *order, qlm_form_t *form,
                                   const qlm_field_names_t *names)
{
    QLM_TRY(qlm_form_reference(&order->order_ref, form, names->order_ref));
    if (!*order->order_ref) {
        return qlm_error_make(form->pool, QLM_ERROR_ARGUMENT, QLM_CODE_MISSING_ARGUMENT,
                              "missing %s", names->order_ref);
    }
    QLM_TRY(read_line(order, form));
    order->quantity = 0;
    QLM_TRY(
        qlm_form_quantity(&order->quantity, form, names->quantity, QLM_FROM_URL | QLM_FROM_BODY));
    order->shop_product = qlm_form_text(form, "PRODUCT_ID", QLM_FORM_REFERENCE_MAX);
    order->expires_at = 0;
    order->is_test = 0;
    order->is_remembered = 1;
    order->subscription_ref = "";
    order->user_data = qlm_form_text(form, "ADDITIONAL1", QLM_FORM_TEXT_MAX);
    order->comment = read_comment(form);
    order->language = read_language(form);
    order->oddity = NULL;
    read_date(order, form);
    qlm_keygenerator_read_customer(&order->customer, form, names);
    return NULL;
}

qlm_error_t *qlm_keygenerator_finish(qlm_order_t *order, const qlm_form_t *form)
{
    if (order->quantity == 0) {
        order->quantity = 1;
        /* The body may carry a buyer's input, so is_* arguments are never read from it. */
        QLM_TRY(qlm_form_quantity(&order->quantity, form, "is_quantity",
                                  QLM_FROM_ANY & ~QLM_FROM_BODY));
    }
    order->oddity = form->oddity;
    return NULL;
}
