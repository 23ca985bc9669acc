/* UpdateUserInformation: a shop tells who a customer is, and which licenses are his. The same call
 * again finds everything as it is. */
#include "base/text.h"
#include "license/customer.h"
#include "license/keygen.h"
#include "service/customers.h"
#include "service/notify.h"
#include "service/operations.h"
#include "service/ordering.h"
#include "service/reply.h"
#include "service/select.h"
#include "store/organizations.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define KEYS_MAX  1000
#define KEY_MARKS "\r\n\t,;"

/* One call in progress. */
typedef struct work_t {
    qlm_customer_t said;
    const char *previous_email; /* "" if none that differs */
    apr_array_header_t *keys;   /* to link, in normal form */
    qlm_call_t *call;
    const char *notes; /* of the call, before the unit */
    /* what a run of the unit leaves: */
    apr_int64_t id;
    int is_new;
} work_t;

/* ---- reading ----------------------------------------------------------------------------------
 */

/* A shop may tell of a customer without telling of an order. */
static qlm_error_t *read_customer(work_t *work, qlm_reply_t *reply)
{
    qlm_call_t *call = work->call;
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_order_t order = {0};

    if (call->vendor->read_customer) {
        call->vendor->read_customer(&work->said, &reply->oddity, &callback, call->pool);
        return NULL;
    }
    QLM_TRY(qlm_ordering_read(&order, reply, call));
    work->said = order.customer;
    return NULL;
}

static void take_argument(const char **text, qlm_argument_t argument, const qlm_call_t *call)
{
    const qlm_value_t *value = &call->arguments->value[argument];

    *text = value->is_given ? value->text : *text;
}

static qlm_error_t *read_previous(work_t *work)
{
    const char *email = qlm_arguments_text(work->call->arguments, QLM_ARGUMENT_PREVIOUS_EMAIL);

    if (*email && !qlm_customer_is_email(email)) {
        return qlm_error_make(work->call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "is_previousemail is not an e-mail address");
    }
    work->previous_email = strcasecmp(email, work->said.email) == 0 ? "" : email;
    return NULL;
}

static void note_key(work_t *work, const char *key, const char *what)
{
    qlm_call_note(work->call, apr_psprintf(work->call->pool, "%s %s",
                                           qlm_keygen_for_log(key, work->call->pool), what));
}

/* What cannot be a key is left out: the customer is told of all the same. */
static qlm_error_t *read_keys(work_t *work)
{
    qlm_call_t *call = work->call;
    apr_array_header_t *typed = qlm_text_split(
        qlm_arguments_text(call->arguments, QLM_ARGUMENT_KEYS), KEY_MARKS, call->pool);

    if (typed->nelts > KEYS_MAX) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "is_avkey has more than %d keys: send them in several calls",
                              KEYS_MAX);
    }
    work->keys = apr_array_make(call->pool, typed->nelts, sizeof(const char *));
    for (int i = 0; i < typed->nelts; i++) {
        const char *text = APR_ARRAY_IDX(typed, i, const char *);
        const char *key;

        if (qlm_select_typed_key(&key, text, call)) {
            note_key(work, text, "cannot be a key and was not linked");
        }
        else {
            APR_ARRAY_PUSH(work->keys, const char *) = key;
        }
    }
    return NULL;
}

static qlm_error_t *read_arguments(qlm_call_t *call)
{
    qlm_arguments_t *arguments;

    QLM_TRY(qlm_arguments_read(&arguments, call->method->parameters, call->input->fields,
                               call->sources, call->properties, call->pool));
    call->arguments = arguments;
    return NULL;
}

static qlm_error_t *read_call(work_t *work, qlm_reply_t *reply)
{
    qlm_call_t *call = work->call;

    QLM_TRY(read_arguments(call));
    QLM_TRY(read_customer(work, reply));
    if (!*work->said.email) {
        return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_MISSING_ARGUMENT,
                              "the customer's e-mail address is missing or is none: send it in "
                              "the shop's own field");
    }
    take_argument(&work->said.external_id, QLM_ARGUMENT_EXTERNAL_ID, call);
    take_argument(&work->said.user_data, QLM_ARGUMENT_USER_DATA, call);
    take_argument(&work->said.affiliate_id, QLM_ARGUMENT_AFFILIATE, call);
    QLM_TRY(read_previous(work));
    return read_keys(work);
}

/* ---- organization -----------------------------------------------------------------------------
 */

/* Mail providers whose users have nothing else in common. */
static int is_shared_provider(const char *domain)
{
    static const char *const providers[] = {
        "aol.com",     "gmail.com", "gmx.de",   "gmx.net",     "googlemail.com", "hotmail.com",
        "icloud.com",  "live.com",  "mail.com", "mail.ru",     "me.com",         "msn.com",
        "outlook.com", "proton.me", "qq.com",   "t-online.de", "web.de",         "yahoo.com",
        "yandex.ru",   "163.com",   NULL,
    };

    for (const char *const *provider = providers; *provider; provider++) {
        if (strcasecmp(domain, *provider) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The company; without one the e-mail's domain. "" if neither stands for an organization. */
static const char *organization_name(const qlm_customer_t *customer)
{
    const char *at = strrchr(customer->email, '@');

    if (!qlm_text_is_empty(customer->company)) {
        return customer->company;
    }
    return at && !is_shared_provider(at + 1) ? at + 1 : "";
}

/* Two calls that make the same one meet at its unique name: the second is run again, and finds it.
 */
static qlm_error_t *put_organization(apr_int64_t *id, const char *name, qlm_store_t *store,
                                     const qlm_call_t *call, apr_pool_t *pool)
{
    qlm_organization_t made = {.name = name, .notes = "", .domains = "", .created_at = call->now};
    const qlm_organization_t *known;
    int added;

    QLM_TRY(qlm_store_find_organization_named(&known, store, name, pool));
    if (known) {
        *id = known->id;
        return NULL;
    }
    QLM_TRY(qlm_store_add_organization(&added, store, &made, pool));
    *id = made.id;
    return added ? NULL
                 : qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "the organization was added at the same time");
}

/* Patterns of domains go before an organization of the customer's own. */
static qlm_error_t *choose_organization(qlm_customer_t *customer, qlm_store_t *store,
                                        const qlm_call_t *call, apr_pool_t *pool)
{
    const char *name = organization_name(customer);
    const qlm_customer_t *known;

    if (!*name || !qlm_properties_bool(call->properties, QLM_PROPERTY_AUTO_CREATE_ORGANIZATION) ||
        qlm_snapshot_organization(call->site, customer->email, pool)) {
        return NULL;
    }
    QLM_TRY(qlm_store_find_customer_by_email(&known, store, customer->email, pool));
    return known && known->organization_id
               ? NULL
               : put_organization(&customer->organization_id, name, store, call, pool);
}

/* ---- licenses ---------------------------------------------------------------------------------
 */

static qlm_error_t *link_license(const work_t *work, const char *key, apr_int64_t customer_id,
                                 int *is_known, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(work->call);
    qlm_license_view_t *view;
    qlm_license_t after;
    int is_changed;

    QLM_TRY(qlm_store_find_license(&view, store, key, "", pool));
    *is_known = view != NULL;
    if (!view) {
        return NULL;
    }
    after = view->license;
    after.customer_id = customer_id;
    QLM_TRY(qlm_store_change_license(&is_changed, store, &view->license, &after, "linked", &actor,
                                     pool));
    return is_changed ? qlm_notify_license(QLM_PROPERTY_ON_LICENSE_MODIFIED, &after, NULL, NULL,
                                           store, work->call, pool)
                      : NULL;
}

static qlm_error_t *link_named(work_t *work, qlm_store_t *store, apr_pool_t *pool)
{
    for (int i = 0; i < work->keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(work->keys, i, const char *);
        int is_known;

        QLM_TRY(link_license(work, key, work->id, &is_known, store, pool));
        if (!is_known) {
            note_key(work, key, "is not known here and was not linked");
        }
    }
    return NULL;
}

/* All licenses of one customer become another's. */
static qlm_error_t *hand_over(const work_t *work, apr_int64_t from, apr_int64_t to,
                              qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_license_filter_t filter = {.customer_id = from, .limit = QLM_SELECT_MAX};
    apr_array_header_t *licenses;
    int is_known;

    do {
        QLM_TRY(qlm_store_list_licenses(&licenses, store, &filter, pool));
        for (int i = 0; i < licenses->nelts; i++) {
            QLM_TRY(link_license(work, APR_ARRAY_IDX(licenses, i, qlm_license_t).activation_key, to,
                                 &is_known, store, pool));
        }
    } while (licenses->nelts == QLM_SELECT_MAX);
    return NULL;
}

/* ---- another address --------------------------------------------------------------------------
 */

/* Two records turn out to be one customer: that of the new address stays, gets all licenses of the
 * other and what only the other says. */
static qlm_error_t *merge(const work_t *work, const qlm_customer_t *old,
                          const qlm_customer_t *stays, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(work->call);
    qlm_customer_t after = *stays;

    qlm_customer_fill(&after, old);
    QLM_TRY(hand_over(work, old->id, stays->id, store, pool));
    QLM_TRY(qlm_customers_change(stays, &after, store, work->call, pool));
    QLM_TRY(qlm_store_delete_customer(store, old, &actor, pool));
    return qlm_notify_customer(QLM_PROPERTY_ON_CUSTOMER_DELETED, old, store, work->call, pool);
}

static qlm_error_t *move_address(const work_t *work, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_customer_t *old, *other;
    qlm_customer_t after;

    if (!*work->previous_email) {
        return NULL;
    }
    QLM_TRY(qlm_store_find_customer_by_email(&old, store, work->previous_email, pool));
    QLM_TRY(qlm_store_find_customer_by_email(&other, store, work->said.email, pool));
    if (!old) {
        if (!other) { /* otherwise it may have moved before */
            qlm_call_note(work->call, "no customer has the address of is_previousemail");
        }
        return NULL;
    }
    if (other) {
        return merge(work, old, other, store, pool);
    }
    after = *old;
    after.email = work->said.email;
    return qlm_customers_change(old, &after, store, work->call, pool);
}

/* ---- the call ---------------------------------------------------------------------------------
 */

static qlm_error_t *update(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    qlm_customer_t said = work->said;
    qlm_stored_customer_t stored;

    work->call->notes = work->notes;
    QLM_TRY(move_address(work, store, pool));
    QLM_TRY(choose_organization(&said, store, work->call, pool));
    QLM_TRY(qlm_customers_put(&stored, &said, 1, store, work->call, pool));
    work->id = stored.customer.id;
    work->is_new = stored.is_new;
    return link_named(work, store, pool);
}

/* Shops that take plain text might show it as a key: as short as can be. */
static void answer(qlm_reply_t *reply, const work_t *work)
{
    const qlm_call_t *call = work->call;
    const char *what = work->is_new ? "added" : "updated";
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_answer_t made;

    qlm_reply_note(reply, what, apr_psprintf(call->pool, "customer %" APR_INT64_T_FMT, work->id));
    if (!call->vendor->write_result) {
        qlm_reply_set(reply, "text/plain; charset=utf-8", "OK");
        return;
    }
    call->vendor->write_result(&made,
                               apr_psprintf(call->pool,
                                            "Customer %" APR_INT64_T_FMT " was %s successfully.",
                                            work->id, what),
                               &callback, call->pool);
    qlm_reply_set(reply, made.content_type, made.body);
}

qlm_error_t *qlm_operation_user_information(qlm_reply_t *reply, qlm_call_t *call)
{
    work_t work = {.call = call};

    QLM_TRY(read_call(&work, reply));
    work.notes = call->notes;
    QLM_TRY(qlm_store_write(call->store, update, &work, call->pool));
    answer(reply, &work);
    return NULL;
}
