/* The frame of all methods that change licenses. */
#include "service/change.h"

#include "base/text.h"
#include "license/keygen.h"
#include "service/notify.h"
#include "service/ordering.h"
#include "service/reply.h"
#include "service/select.h"

#include <apr_strings.h>
#include <string.h>

#define LOOK_UPS 5

/* One call in progress. */
typedef struct work_t {
    const qlm_change_t *change;
    const apr_array_header_t *keys; /* that were found; changed by the unit only in copies */
    const qlm_order_t *order;
    const char *line_ref; /* under which the answer is remembered; NULL: it is not */
    qlm_call_t *call;
    const char *notes; /* of the call, before the unit */
    /* what a run of the unit leaves: */
    int is_repeat;
    apr_array_header_t *shown;   /* keys as they are now, for people */
    apr_array_header_t *changed; /* qlm_license_t, in the unit's pool */
    qlm_answer_t answer;
} work_t;

/* ---- one license ------------------------------------------------------------------------------
 */

qlm_error_t *qlm_change_computer_keys(const qlm_license_t *license, qlm_store_t *store,
                                      const qlm_call_t *call, apr_pool_t *pool)
{
    apr_array_header_t *activations;

    QLM_TRY(qlm_store_list_activations(&activations, store, license->id, pool));
    for (int i = 0; i < activations->nelts; i++) {
        const qlm_activation_t *activation = &APR_ARRAY_IDX(activations, i, qlm_activation_t);
        const char *key =
            qlm_license_computer_key(license, activation->computer_id, call->secrets, pool);

        if (strcmp(key, activation->computer_key) != 0) {
            QLM_TRY(qlm_store_set_computer_key(store, activation, key, pool));
        }
    }
    return NULL;
}

static qlm_error_t *release_computers(const qlm_license_t *license, qlm_store_t *store,
                                      const qlm_call_t *call, apr_pool_t *pool)
{
    apr_array_header_t *activations;
    int given;

    QLM_TRY(qlm_store_list_activations(&activations, store, license->id, pool));
    for (int i = 0; i < activations->nelts; i++) {
        QLM_TRY(qlm_store_give_seat(&given, store, license->id,
                                    APR_ARRAY_IDX(activations, i, qlm_activation_t).computer_id,
                                    call->now, pool));
    }
    return NULL;
}

static qlm_error_t *store_changed(work_t *work, qlm_changing_t *changing, qlm_store_t *store,
                                  apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(work->call);
    int is_changed;

    if (changing->releases_computers) {
        QLM_TRY(release_computers(&changing->after, store, work->call, pool));
    }
    else {
        QLM_TRY(qlm_change_computer_keys(&changing->after, store, work->call, pool));
    }
    QLM_TRY(qlm_store_change_license(&is_changed, store, &changing->view->license, &changing->after,
                                     changing->event, &actor, pool));
    APR_ARRAY_PUSH(work->shown, const char *) =
        qlm_call_shown_key(changing->after.activation_key, work->call);
    if (!is_changed) {
        return NULL;
    }
    APR_ARRAY_PUSH(work->changed, qlm_license_t) = changing->after;
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_MODIFIED, &changing->after, NULL, NULL, store,
                              work->call, pool);
}

static int is_refusal(const qlm_error_t *error)
{
    return error->kind == QLM_ERROR_REFUSED || error->kind == QLM_ERROR_ARGUMENT;
}

/* *refusal is set, and nothing changed, where the rules are against it. */
static qlm_error_t *change_one(work_t *work, const char *key, qlm_error_t **refusal,
                               qlm_store_t *store, apr_pool_t *pool)
{
    qlm_changing_t changing = {.order = work->order,
                               .call = work->call,
                               .is_only = work->keys->nelts == 1,
                               .event = work->change->event};
    qlm_license_view_t *view;
    qlm_error_t *error;

    QLM_TRY(qlm_store_find_license(&view, store, key, "", pool));
    if (!view) {
        *refusal = qlm_select_unknown(work->call->pool);
        return NULL;
    }
    changing.view = view;
    changing.after = view->license;
    error = work->change->apply(&changing, store, pool);
    if (error && is_refusal(error)) {
        *refusal = qlm_error_copy(error, work->call->pool);
        return NULL;
    }
    return error ? error : store_changed(work, &changing, store, pool);
}

qlm_error_t *qlm_change_refuse_revoked(const qlm_changing_t *changing, apr_pool_t *pool)
{
    return changing->after.is_disabled
               ? qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_REVOKED,
                                "the license is revoked: restore it first (RevokeLicenseHttp with "
                                "is_revoke=false)")
               : NULL;
}

/* ---- the unit of work -------------------------------------------------------------------------
 */

static const char *result_text(const work_t *work, apr_pool_t *pool)
{
    const char *keys = apr_array_pstrcat(pool, work->shown, ',');

    return work->change->result ? apr_pstrcat(pool, work->change->result, keys, ".", NULL) : NULL;
}

static void write_answer(work_t *work)
{
    const qlm_vendor_t *vendor = work->call->vendor;
    qlm_callback_t callback = {work->call->input->fields, work->call->properties, work->call->now};
    const char *result = result_text(work, work->call->pool);

    memset(&work->answer, 0, sizeof(work->answer));
    if (vendor->write_result && result) {
        vendor->write_result(&work->answer, result, &callback, work->call->pool);
    }
    else {
        vendor->write_keys(&work->answer, work->shown, &callback, work->call->pool);
    }
}

/* The answer of the same order, if there is one. */
static qlm_error_t *find_answer(work_t *work, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_order_record_t *record = NULL;

    if (work->line_ref) {
        QLM_TRY(qlm_store_find_order(&record, store, work->order->vendor, work->order->order_ref,
                                     work->line_ref, pool));
    }
    work->is_repeat = record != NULL;
    if (record) {
        work->answer.content_type = apr_pstrdup(work->call->pool, record->content_type);
        work->answer.body = apr_pstrdup(work->call->pool, record->answer);
    }
    return NULL;
}

static qlm_error_t *remember(const work_t *work, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_order_record_t record = {
        work->order->vendor,       work->order->order_ref, work->line_ref, work->call->method->name,
        work->answer.content_type, work->answer.body,      work->call->now};
    int added = 1;

    if (work->line_ref) {
        QLM_TRY(qlm_store_add_order(&added, store, &record, pool));
    }
    return added ? NULL
                 : qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                                  "the same order is served at the same time");
}

static qlm_error_t *change_all(work_t *work, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_error_t *first = NULL;

    for (int i = 0; i < work->keys->nelts; i++) {
        qlm_error_t *refusal = NULL;

        QLM_TRY(
            change_one(work, APR_ARRAY_IDX(work->keys, i, const char *), &refusal, store, pool));
        if (refusal && work->keys->nelts > 1) {
            qlm_call_note(work->call, refusal->text);
        }
        first = first ? first : refusal;
    }
    return work->shown->nelts ? NULL : first;
}

/* What was remembered is looked for when the licenses are held: of two equal calls the second one
 * waits for the first there. */
static qlm_error_t *run_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    qlm_license_view_t *held;

    work->call->notes = work->notes;
    work->shown = apr_array_make(work->call->pool, work->keys->nelts, sizeof(const char *));
    work->changed = apr_array_make(pool, work->keys->nelts, sizeof(qlm_license_t));
    if (work->keys->nelts) {
        QLM_TRY(qlm_store_find_license(&held, store, APR_ARRAY_IDX(work->keys, 0, const char *), "",
                                       pool));
    }
    QLM_TRY(find_answer(work, store, pool));
    if (work->is_repeat) {
        return NULL;
    }
    QLM_TRY(change_all(work, store, pool));
    if (work->change->mail_template != QLM_ARGUMENT_NONE) {
        QLM_TRY(qlm_notify_changed(work->changed, work->order, work->change->mail_template, store,
                                   work->call, pool));
    }
    write_answer(work);
    return remember(work, store, pool);
}

/* ---- the call ---------------------------------------------------------------------------------
 */

/* A call that names its license by key needs no order. */
static qlm_error_t *read_order(qlm_order_t *order, qlm_reply_t *reply, qlm_call_t *call)
{
    const char *key = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_KEY, call->sources);
    qlm_error_t *error = qlm_ordering_read(order, reply, call);

    if (error && error->kind == QLM_ERROR_ARGUMENT && key) {
        memset(order, 0, sizeof(*order));
        order->vendor = call->vendor->name;
        order->order_ref = order->line_ref = order->subscription_ref = order->shop_product = "";
        error = NULL;
    }
    if (key) {
        reply->subject = qlm_keygen_for_log(key, call->pool);
    }
    return error;
}

static const char *line_of(const work_t *work)
{
    const qlm_order_t *order = work->order;

    return order->is_remembered && *order->order_ref
               ? apr_pstrcat(work->call->pool, work->call->method->name, "/", order->line_ref, NULL)
               : NULL;
}

/* An order is remembered unless it is how the license itself was bought: its number then only says
 * which license is meant, and may come again. */
static qlm_error_t *forget_own_order(work_t *work, int by_order)
{
    const qlm_order_t *order = work->order;
    const qlm_call_t *call = work->call;
    const char *key = APR_ARRAY_IDX(work->keys, 0, const char *);
    qlm_license_view_t *view;

    if (work->change->happens_once) {
        return NULL;
    }
    QLM_TRY(qlm_store_find_license(&view, call->store, key, "", call->pool));
    if (by_order || (view && strcmp(view->license.order_ref, order->order_ref) == 0)) {
        work->line_ref = NULL;
    }
    return NULL;
}

static qlm_error_t *change_selected(work_t *work)
{
    qlm_call_t *call = work->call;
    apr_array_header_t *keys;
    int by_order;

    QLM_TRY(
        qlm_select_licenses(&keys, &by_order, work->order, !work->change->takes_new_product, call));
    work->keys = keys;
    QLM_TRY(forget_own_order(work, by_order));
    return qlm_store_write(call->store, run_unit, work, call->pool);
}

/* A license may get a new key between the moment it is looked up and the moment it is held: by the
 * same order, whose answer is there then, or by another, and then it is looked up again. */
static qlm_error_t *change_or_repeat(work_t *work)
{
    qlm_error_t *error = NULL;

    for (int i = 0; i < LOOK_UPS; i++) {
        QLM_TRY(find_answer(work, work->call->store, work->call->pool));
        if (work->is_repeat) {
            return NULL;
        }
        error = change_selected(work);
        if (!error || error->code != QLM_CODE_NOT_FOUND) {
            break;
        }
    }
    return error;
}

static void answer(qlm_reply_t *reply, const work_t *work)
{
    qlm_reply_set(reply, work->answer.content_type, work->answer.body);
    reply->outcome = work->is_repeat ? "repeated" : work->change->outcome;
}

qlm_error_t *qlm_change_run(qlm_reply_t *reply, qlm_call_t *call, const qlm_change_t *change)
{
    qlm_order_t order = {0};
    work_t work = {.change = change, .order = &order, .call = call};

    call->sources &= ~QLM_FROM_DEFAULT;
    QLM_TRY(read_order(&order, reply, call));
    QLM_TRY(qlm_ordering_arguments(&order, call));
    work.line_ref = line_of(&work);
    work.notes = call->notes;
    QLM_TRY(change_or_repeat(&work));
    answer(reply, &work);
    return NULL;
}
