/* Mails of orders and webhooks of events, as outbox rows. */
#include "service/notify.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"
#include "license/productvalues.h"
#include "mail/message.h"
#include "mail/template.h"
#include "service/fulfil.h"
#include "service/info.h"
#include "service/sealed.h"
#include "store/outbox.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- the variables of a template --------------------------------------------------------------
 */

static void put(apr_hash_t *variables, const char *name, const char *value)
{
    apr_hash_set(variables, name, APR_HASH_KEY_STRING, value ? value : "");
}

static const char *date_text(apr_int64_t seconds, const qlm_call_t *call)
{
    return seconds
               ? qlm_date_format(
                     seconds, qlm_properties_text(call->properties, QLM_PROPERTY_EMAIL_DATE_FORMAT),
                     call->pool)
               : "";
}

static const char *number_text(apr_int64_t number, const qlm_call_t *call)
{
    return apr_psprintf(call->pool, "%" APR_INT64_T_FMT, number);
}

static apr_hash_t *order_variables(const qlm_order_t *order, const qlm_call_t *call)
{
    const qlm_customer_t *customer = &order->customer;
    apr_hash_t *variables = apr_hash_make(call->pool);

    put(variables, "orderid", order->order_ref);
    put(variables, "orderdate", date_text(order->ordered_at ? order->ordered_at : call->now, call));
    put(variables, "fullname", customer->full_name);
    put(variables, "email", customer->email);
    put(variables, "company", customer->company);
    put(variables, "phone", customer->phone);
    put(variables, "fax", customer->fax);
    put(variables, "mobile", customer->mobile);
    put(variables, "address1", customer->address1);
    put(variables, "address2", customer->address2);
    put(variables, "city", customer->city);
    put(variables, "state", customer->state);
    put(variables, "zip", customer->zip);
    put(variables, "country", customer->country);
    put(variables, "notes", customer->notes);
    put(variables, "comment", order->comment);
    put(variables, "receiptid", order->subscription_ref);
    put(variables, "emailfrom", qlm_properties_text(call->properties, QLM_PROPERTY_SMTP_FROM));
    return variables;
}

/* What a key says of itself: the repeated part of a template. */
static apr_hash_t *key_variables(const qlm_fulfil_line_t *line, const char *key,
                                 const qlm_call_t *call)
{
    const qlm_terms_t *terms = &line->terms;
    const qlm_product_t *product =
        qlm_snapshot_product(call->site, terms->product_id, terms->major, terms->minor);
    apr_hash_t *variables = apr_hash_make(call->pool);

    put(variables, "activationkey", qlm_call_shown_key(key, call));
    put(variables, "productname", product ? product->name : "");
    put(variables, "majorversion", number_text(terms->major, call));
    put(variables, "minorversion", number_text(terms->minor, call));
    put(variables, "numlicenses", number_text(line->share.activations, call));
    put(variables, "availablelicenses", number_text(line->share.activations, call));
    put(variables, "floatingseats", number_text(line->share.floating_seats, call));
    put(variables, "licensemodel", qlm_model_name(terms->model));
    put(variables, "enabledfeatures",
        qlm_info_features(qlm_features_format(&terms->features, call->pool), product, call->pool));
    put(variables, "subscriptionexpirydate", date_text(terms->expires_at, call));
    put(variables, "subscriptionduration",
        terms->duration_days > 0 ? number_text(terms->duration_days, call) : "");
    put(variables, "maintenancerenewaldate", date_text(terms->maintenance_until, call));
    put(variables, "userdata1", terms->user_data);
    put(variables, "legacykey", terms->legacy_key);
    put(variables, "affiliatename", terms->affiliate_id);
    return variables;
}

/* The same of a license that was there before. */
static apr_hash_t *license_variables(const qlm_license_t *license, const qlm_call_t *call)
{
    const qlm_fulfil_line_t line = {
        .terms = {.product_id = license->product_id,
                  .major = license->major,
                  .minor = license->minor,
                  .model = license->model,
                  .expires_at = license->expires_at,
                  .duration_days = license->duration_days,
                  .maintenance_until = license->maintenance_until,
                  .user_data = license->user_data,
                  .legacy_key = license->legacy_key,
                  .affiliate_id = license->affiliate_id},
        .share = {1, license->num_licenses, license->floating_seats},
    };
    const qlm_product_t *product =
        qlm_snapshot_product(call->site, license->product_id, license->major, license->minor);
    apr_hash_t *variables = key_variables(&line, license->activation_key, call);

    put(variables, "enabledfeatures", qlm_info_features(license->features, product, call->pool));
    put(variables, "availablelicenses", number_text(license->available_licenses, call));
    return variables;
}

static apr_array_header_t *items_of(const apr_array_header_t *lines, const qlm_call_t *call)
{
    apr_array_header_t *items = apr_array_make(call->pool, 4, sizeof(apr_hash_t *));

    for (int i = 0; i < lines->nelts; i++) {
        const qlm_fulfil_line_t *line = &APR_ARRAY_IDX(lines, i, qlm_fulfil_line_t);

        for (int k = 0; line->is_new && k < line->keys->nelts; k++) {
            APR_ARRAY_PUSH(items, apr_hash_t *) =
                key_variables(line, APR_ARRAY_IDX(line->keys, k, const char *), call);
        }
    }
    return items;
}

/* ---- choosing the template --------------------------------------------------------------------
 */

/* The better of two: same name, the language asked for before any language before another. */
static int rank(const qlm_template_t *form, const char *name, const char *language)
{
    if (strcasecmp(form->name, name) != 0) {
        return 0;
    }
    return strcasecmp(form->language, language) == 0 ? 3 : *form->language == '\0' ? 2 : 1;
}

/* Choose the best of @a forms if it is better than *form; of equals the first stays. */
static void choose(const qlm_template_t **form, const apr_array_header_t *forms, const char *name,
                   const char *language)
{
    for (int i = 0; i < forms->nelts; i++) {
        const qlm_template_t *other = &APR_ARRAY_IDX(forms, i, qlm_template_t);
        int best = *form ? rank(*form, name, language) : 0;

        if (rank(other, name, language) > best) {
            *form = other;
        }
    }
}

/* A stored template goes before a built-in one, but not one of another language before one of the
 * language asked for. */
static qlm_error_t *find_template(const qlm_template_t **form, qlm_store_t *store, const char *name,
                                  const char *language, apr_pool_t *pool)
{
    apr_array_header_t *stored;

    *form = NULL;
    QLM_TRY(qlm_store_list_templates(&stored, store, pool));
    choose(form, stored, name, language);
    choose(form, qlm_template_builtin(pool), name, language);
    return NULL;
}

/* ---- mails ------------------------------------------------------------------------------------
 */

static void add_note(qlm_call_t *call, const char *format, const char *what)
{
    qlm_call_note(call, apr_psprintf(call->pool, format, what));
}

/* The part of an address behind the @, for Message-ID. */
static const char *domain_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at && at[1] ? at + 1 : "localhost";
}

/* Which template, in which language, to whom, what it is about, and what it says. */
typedef struct letter_t {
    const char *form, *language;
    const char *to, *about;
    apr_hash_t *variables;
    const apr_array_header_t *items; /* of apr_hash_t *, at least one */
    int is_secret;                   /* sealed, and without copies */
    const char *from, *subject;      /* instead of the site's and the template's; NULL, "" = not */
    const char *cc, *bcc;            /* besides those of the site; NULL = none */
} letter_t;

/* Addresses of a property and of arguments; what is unusable is noted. */
static apr_array_header_t *copies_of(qlm_property_t property, const char *more, qlm_call_t *call)
{
    const char *left_out;
    const char *list = qlm_properties_text(call->properties, property);
    apr_array_header_t *addresses = qlm_mail_addresses(
        &left_out, more ? apr_pstrcat(call->pool, list, ";", more, NULL) : list, call->pool);

    if (*left_out) {
        qlm_call_note(call, apr_psprintf(call->pool, "%s has no usable address in: %s",
                                         qlm_property_row(property)->name, left_out));
    }
    return addresses;
}

static void address_mail(qlm_mail_t *mail, const letter_t *letter, qlm_call_t *call)
{
    mail->from = qlm_properties_text(call->properties, QLM_PROPERTY_SMTP_FROM);
    mail->from_name = qlm_properties_text(call->properties, QLM_PROPERTY_SMTP_FROM_NAME);
    mail->to = letter->to;
    if (letter->is_secret) {
        mail->cc = mail->bcc = apr_array_make(call->pool, 1, sizeof(const char *));
        return;
    }
    mail->cc = copies_of(QLM_PROPERTY_SEND_MAIL_CC, letter->cc, call);
    mail->bcc = copies_of(QLM_PROPERTY_SEND_MAIL_BCC, letter->bcc, call);
    if (letter->from && *letter->from) {
        mail->from = letter->from;
    }
}

/* A row of the outbox. Nobody but the server that sends it reads a secret one. */
static qlm_error_t *add_row(qlm_mail_t *mail, const letter_t *letter, qlm_store_t *store,
                            const qlm_call_t *call, apr_pool_t *pool)
{
    qlm_outbox_row_t row = {0};

    row.id = qlm_store_new_id(store);
    mail->message_id =
        apr_psprintf(pool, "<qlm.%" APR_INT64_T_FMT "@%s>", row.id, domain_of(mail->from));
    row.kind = QLM_OUTBOX_MAIL;
    row.state = QLM_OUTBOX_WAITING;
    row.target = mail->to;
    row.subject = letter->about;
    row.order_key = row.last_error = "";
    row.payload = qlm_mail_to_json(mail, pool);
    row.created_at = row.next_at = call->now;
    if (letter->is_secret) {
        QLM_TRY(qlm_sealed_write(&row, call->secrets, pool));
    }
    return qlm_store_add_outbox(store, &row, pool);
}

static qlm_error_t *add_mail(const qlm_template_t *form, const letter_t *letter, qlm_store_t *store,
                             qlm_call_t *call, apr_pool_t *pool)
{
    qlm_rendered_t rendered;
    qlm_mail_t mail = {0};

    qlm_template_render(&rendered, form, letter->variables, letter->items, call->pool);
    if (rendered.is_cut) {
        add_note(call, "no mail was sent: it would be too large%s", "");
        return NULL;
    }
    if (*rendered.unknown) {
        add_note(call, "the mail template has unknown variables: %s", rendered.unknown);
    }
    address_mail(&mail, letter, call);
    mail.subject = rendered.subject;
    mail.html = rendered.html;
    mail.text = rendered.text;
    mail.date = call->now;
    return add_row(&mail, letter, store, call, pool);
}

/* Nothing but a note where there is no address or no template. */
static qlm_error_t *post(const letter_t *letter, qlm_store_t *store, qlm_call_t *call,
                         apr_pool_t *pool)
{
    const qlm_template_t *form;
    qlm_template_t own;

    if (qlm_text_is_empty(letter->to) || !qlm_mail_is_address(letter->to)) {
        add_note(call, "%s", "no mail was sent: the customer has no usable e-mail address");
        return NULL;
    }
    QLM_TRY(find_template(&form, store, letter->form, letter->language, pool));
    if (!form) {
        add_note(call, "no mail was sent: there is no template \"%s\"; run `qlmctl template list`",
                 qlm_text_for_log(letter->form, 60, pool));
        return NULL;
    }
    own = *form;
    if (!qlm_text_is_empty(letter->subject)) {
        own.subject = letter->subject;
    }
    return add_mail(&own, letter, store, call, pool);
}

qlm_error_t *qlm_notify_mail(const qlm_notice_t *notice, qlm_store_t *store, qlm_call_t *call,
                             apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, 1, sizeof(apr_hash_t *));
    const letter_t letter = {.form = notice->form,
                             .language = notice->language,
                             .to = notice->to,
                             .about = notice->about,
                             .variables = notice->variables,
                             .items = items,
                             .is_secret = notice->is_secret};

    APR_ARRAY_PUSH(items, apr_hash_t *) = notice->variables;
    put(notice->variables, "emailfrom",
        qlm_properties_text(call->properties, QLM_PROPERTY_SMTP_FROM));
    return post(&letter, store, call, pool);
}

/* A letter to the customer of an order. */
static void address_letter(letter_t *letter, const qlm_order_t *order, const qlm_call_t *call)
{
    letter->to = order->customer.email;
    letter->about = apr_psprintf(call->pool, "order %s/%s", order->vendor, order->order_ref);
    letter->variables = order_variables(order, call);
}

/* The template that the arguments name, "" for no mail. */
static const char *form_of(const qlm_arguments_t *arguments, qlm_argument_t template_argument)
{
    return qlm_arguments_number(arguments, QLM_ARGUMENT_SEND_MAIL, 1)
               ? qlm_arguments_text(arguments, template_argument)
               : "";
}

/* The language asked for in the URL, else the buyer's own. */
static const char *language_of(const qlm_arguments_t *arguments, const qlm_order_t *order)
{
    const char *asked = qlm_arguments_text(arguments, QLM_ARGUMENT_LOCALE);

    return *asked || !order->language ? asked : order->language;
}

/* The sender that the arguments name, "" if there is none that can be used. */
static const char *sender_of(const qlm_fulfil_line_t *line, qlm_call_t *call)
{
    const char *from = qlm_arguments_text(line->arguments, QLM_ARGUMENT_MAIL_FROM);

    if (*from && !qlm_mail_is_address(from)) {
        add_note(call, "%s", "is_emailfrom is no usable address");
        return "";
    }
    return from;
}

qlm_error_t *qlm_notify_order(const apr_array_header_t *lines, qlm_argument_t template_argument,
                              qlm_store_t *store, qlm_call_t *call, apr_pool_t *pool)
{
    const qlm_fulfil_line_t *first = NULL;
    letter_t letter = {.form = ""};

    for (int i = 0; i < lines->nelts && !*letter.form; i++) {
        first = &APR_ARRAY_IDX(lines, i, qlm_fulfil_line_t);
        letter.form = first->is_new ? form_of(first->arguments, template_argument) : "";
    }
    if (!*letter.form || first->order->is_test) {
        return NULL;
    }
    letter.language = language_of(first->arguments, first->order);
    address_letter(&letter, APR_ARRAY_IDX(lines, 0, qlm_fulfil_line_t).order, call);
    letter.items = items_of(lines, call);
    letter.from = sender_of(first, call);
    letter.subject = qlm_arguments_text(first->arguments, QLM_ARGUMENT_MAIL_SUBJECT);
    letter.cc = qlm_arguments_text(first->arguments, QLM_ARGUMENT_MAIL_CC);
    letter.bcc = qlm_arguments_text(first->arguments, QLM_ARGUMENT_MAIL_BCC);
    return post(&letter, store, call, pool);
}

/* The licenses of one customer, from the first of them on; NULL if that one is not the first. */
static apr_array_header_t *items_of_customer(const apr_array_header_t *licenses, int first,
                                             int with_all, const qlm_call_t *call)
{
    apr_array_header_t *items = apr_array_make(call->pool, licenses->nelts, sizeof(apr_hash_t *));
    apr_int64_t customer_id = APR_ARRAY_IDX(licenses, first, qlm_license_t).customer_id;

    for (int i = 0; i < licenses->nelts; i++) {
        const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);
        int is_meant = with_all || license->customer_id == customer_id;

        if (is_meant && i < first) {
            return NULL;
        }
        if (is_meant) {
            APR_ARRAY_PUSH(items, apr_hash_t *) = license_variables(license, call);
        }
    }
    return items;
}

qlm_error_t *qlm_notify_changed(const apr_array_header_t *licenses, const qlm_order_t *order,
                                qlm_argument_t template_argument, qlm_store_t *store,
                                qlm_call_t *call, apr_pool_t *pool)
{
    int has_buyer = !qlm_text_is_empty(order->customer.email);
    qlm_order_t addressed = *order;
    letter_t letter = {.form = form_of(call->arguments, template_argument),
                       .language = language_of(call->arguments, order)};

    for (int i = 0; i < licenses->nelts && *letter.form && !order->is_test; i++) {
        apr_int64_t id = APR_ARRAY_IDX(licenses, i, qlm_license_t).customer_id;
        const qlm_customer_t *customer = NULL;

        letter.items = items_of_customer(licenses, i, has_buyer, call);
        if (!letter.items) {
            continue;
        }
        if (!has_buyer && id) {
            QLM_TRY(qlm_store_find_customer(&customer, store, id, pool));
        }
        addressed.customer = customer ? *customer : order->customer;
        address_letter(&letter, &addressed, call);
        QLM_TRY(post(&letter, store, call, pool));
    }
    return NULL;
}

/* ---- webhooks ---------------------------------------------------------------------------------
 */

static const char *event_json(const char *event, const char *member, json_t *info,
                              const qlm_call_t *call, apr_pool_t *pool)
{
    json_t *whole = json_pack("{s:s, s:s, s:o}", "Event", event, "TimeStampUtc",
                              qlm_info_time(call->now, pool), member, info);
    char *text = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
    const char *copy = text ? apr_pstrdup(pool, text) : NULL;

    free(text);
    json_decref(whole);
    return copy;
}

/* The URLs of an event, NULL if nobody wants to know: the event's name is its property's. */
static apr_array_header_t *targets_of(qlm_property_t event, const qlm_call_t *call,
                                      apr_pool_t *pool)
{
    apr_array_header_t *targets;

    if (!qlm_properties_bool(call->properties, QLM_PROPERTY_WEBHOOKS_ENABLED)) {
        return NULL;
    }
    targets = qlm_text_split(qlm_properties_text(call->properties, event), "; \t\r\n", pool);
    return targets->nelts ? targets : NULL;
}

/* One row for each URL; those of one license or customer go to it in order. */
static qlm_error_t *add_event(const char *event, const char *about, apr_int64_t id,
                              const char *payload, const apr_array_header_t *targets,
                              qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    qlm_outbox_row_t row = {0};

    if (!payload) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "the JSON of the event %s cannot be made", event);
    }
    row.kind = QLM_OUTBOX_WEBHOOK;
    row.state = QLM_OUTBOX_WAITING;
    row.subject = apr_pstrcat(pool, event, " ", about, NULL);
    row.payload = payload;
    row.last_error = "";
    row.created_at = row.next_at = call->now;
    for (int i = 0; i < targets->nelts; i++) {
        row.id = 0;
        row.target = APR_ARRAY_IDX(targets, i, const char *);
        row.order_key = apr_psprintf(pool, "%" APR_INT64_T_FMT " %s", id, row.target);
        QLM_TRY(qlm_store_add_outbox(store, &row, pool));
    }
    return NULL;
}

qlm_error_t *qlm_notify_license(qlm_property_t event, const qlm_license_t *license,
                                const qlm_customer_t *customer, const qlm_activation_t *activation,
                                qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    static const qlm_customer_t nobody = {.include_in_mail_list = -1};
    const char *name = qlm_property_row(event)->name;
    apr_array_header_t *targets = targets_of(event, call, pool);

    if (!targets) {
        return NULL;
    }
    if (!customer && license->customer_id) {
        QLM_TRY(qlm_store_find_customer(&customer, store, license->customer_id, pool));
    }
    return add_event(
        name, qlm_keygen_for_log(license->activation_key, pool), license->id,
        event_json(name, "LicenseInfo",
                   qlm_info_license(license, customer ? customer : &nobody, activation, call, pool),
                   call, pool),
        targets, store, call, pool);
}

qlm_error_t *qlm_notify_customer(qlm_property_t event, const qlm_customer_t *customer,
                                 qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    const char *name = qlm_property_row(event)->name;
    apr_array_header_t *targets = targets_of(event, call, pool);

    return targets ? add_event(name, "customer", customer->id,
                               event_json(name, "CustomerInfo", qlm_info_customer(customer, pool),
                                          call, pool),
                               targets, store, call, pool)
                   : NULL;
}
