/* What customers themselves decide: SubscribeToMailListHttp and UpdatePrivacyConsentHttp. Anybody
 * may call, so neither tells whether an address is known, nor makes a customer of it. */
#include "base/buffer.h"
#include "base/text.h"
#include "license/customer.h"
#include "service/customers.h"
#include "service/operations.h"
#include "service/reply.h"
#include "service/select.h"

#include <apr_strings.h>
#include <string.h>

/* One call in progress. */
typedef struct work_t {
    qlm_call_t *call;
    const char *email;
    const char *key; /* in normal form, NULL: none is asked for */
    int is_yes;
    /* what a run of the unit leaves: */
    apr_int64_t id; /* of the customer, 0: not known */
} work_t;

static qlm_error_t *read_email(work_t *work)
{
    work->email = qlm_arguments_text(work->call->arguments, QLM_ARGUMENT_EMAIL);
    return qlm_customer_is_email(work->email)
               ? NULL
               : qlm_error_make(work->call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                "is_email is not an e-mail address");
}

static void answer(qlm_reply_t *reply, const work_t *work, const char *text)
{
    qlm_buffer_t *buffer = qlm_buffer_create(256, work->call->pool);

    qlm_buffer_add(buffer, QLM_XML_DECLARATION "<QuickLicenseManager>");
    qlm_buffer_add_element(buffer, "result", text);
    qlm_buffer_add(buffer, "</QuickLicenseManager>");
    qlm_reply_set(reply, QLM_TYPE_XML, buffer->text);
    qlm_reply_note(reply, work->id ? "updated" : "unknown",
                   work->id ? apr_psprintf(work->call->pool, "customer %" APR_INT64_T_FMT, work->id)
                            : "");
}

/* ---- mails ------------------------------------------------------------------------------------
 */

static qlm_error_t *set_include(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    const qlm_customer_t *before;
    qlm_customer_t after;

    work->id = 0;
    QLM_TRY(qlm_store_find_customer_by_email(&before, store, work->email, pool));
    if (!before) {
        return NULL;
    }
    work->id = before->id;
    after = *before;
    after.include_in_mail_list = work->is_yes;
    return qlm_customers_change(before, &after, store, work->call, pool);
}

/* A call that changes nothing, such as a stranger's, writes nothing. */
static qlm_error_t *subscribe(work_t *work)
{
    qlm_call_t *call = work->call;
    const qlm_customer_t *known;

    QLM_TRY(qlm_store_find_customer_by_email(&known, call->store, work->email, call->pool));
    work->id = known ? known->id : 0;
    return known && known->include_in_mail_list != work->is_yes
               ? qlm_store_write(call->store, set_include, work, call->pool)
               : NULL;
}

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title></head>"
    "<body><p>%s</p></body></html>\n";

qlm_error_t *qlm_operation_subscribe(qlm_reply_t *reply, qlm_call_t *call)
{
    work_t work = {.call = call,
                   .is_yes = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_INCLUDE, 1)};
    const char *text = work.is_yes ? "Succesfully subscribed customer." /* as documented */
                                   : "Succesfully unsubscribed customer.";

    QLM_TRY(read_email(&work));
    QLM_TRY(subscribe(&work));
    answer(reply, &work, text);
    if (qlm_arguments_number(call->arguments, QLM_ARGUMENT_HTML, 0)) {
        text = work.is_yes ? "You will receive our mails." : "You will receive no more mails.";
        qlm_reply_set(reply, QLM_TYPE_HTML, apr_psprintf(call->pool, page, text, text));
    }
    return NULL;
}

/* ---- consent ----------------------------------------------------------------------------------
 */

/* Key and address prove each other. */
static qlm_error_t *check_owner(const qlm_customer_t *customer, const work_t *work,
                                qlm_store_t *store, apr_pool_t *pool)
{
    qlm_license_view_t *view;

    QLM_TRY(qlm_store_find_license(&view, store, work->key, "", pool));
    return customer && view && view->license.customer_id == customer->id
               ? NULL
               : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_CUSTOMER_NOT_FOUND,
                                "the activation key and the e-mail address do not belong together");
}

/* The row of history is the record for auditors: what, when, from which address. */
static qlm_error_t *set_consent(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    const qlm_customer_t *before;
    qlm_customer_t after;

    QLM_TRY(qlm_store_find_customer_by_email(&before, store, work->email, pool));
    QLM_TRY(check_owner(before, work, store, pool));
    work->id = before->id;
    after = *before;
    if (before->privacy_consent != work->is_yes) {
        after.privacy_consent = work->is_yes;
        after.privacy_consent_at = work->call->now;
    }
    return qlm_customers_change(before, &after, store, work->call, pool);
}

static qlm_error_t *decide(work_t *work)
{
    qlm_call_t *call = work->call;
    const qlm_customer_t *known;

    QLM_TRY(qlm_store_find_customer_by_email(&known, call->store, work->email, call->pool));
    QLM_TRY(check_owner(known, work, call->store, call->pool));
    work->id = known->id;
    return known->privacy_consent != work->is_yes
               ? qlm_store_write(call->store, set_consent, work, call->pool)
               : NULL;
}

qlm_error_t *qlm_operation_privacy_consent(qlm_reply_t *reply, qlm_call_t *call)
{
    work_t work = {.call = call,
                   .is_yes = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_CONSENT, 0)};

    QLM_TRY(read_email(&work));
    QLM_TRY(qlm_select_key(&work.key, call));
    QLM_TRY(decide(&work));
    answer(reply, &work, "Successfully updated the privacy consent.");
    return NULL;
}
