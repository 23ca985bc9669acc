/* Orders become keys. The order line, with the very bytes of the answer, is the first thing the
 * transaction inserts: of two equal deliveries one wins, and the other finds the line there. */
#include "service/fulfil.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"
#include "license/productvalues.h"
#include "license/record.h"
#include "license/renewal.h"
#include "service/change.h"
#include "service/customers.h"
#include "service/notify.h"
#include "service/terms.h"
#include "store/history.h"

#include <apr_strings.h>
#include <string.h>

/* ---- before the unit --------------------------------------------------------------------------
 */

static qlm_error_t *check_product(const qlm_terms_t *terms, const qlm_call_t *call)
{
    if (qlm_snapshot_product(call->site, terms->product_id, terms->major, terms->minor)) {
        return NULL;
    }
    return qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_PRODUCT_NOT_FOUND,
                          "unknown product %d version %d.%d: check is_productid, is_majorversion "
                          "and is_minorversion, or define the product on the license server",
                          terms->product_id, terms->major, terms->minor);
}

qlm_error_t *qlm_fulfil_prepare(qlm_fulfil_line_t *line, const qlm_call_t *call)
{
    qlm_terms_t *terms = &line->terms;

    qlm_terms_read(terms, line->arguments, line->order, call->properties, call->now);
    line->fingerprint =
        apr_psprintf(call->pool, "%d.%d.%d/%s/%d", terms->product_id, terms->major, terms->minor,
                     line->order->shop_product, line->order->quantity);
    QLM_TRY(check_product(terms, call));
    return qlm_order_share(&line->share, terms, line->order->quantity, call->pool);
}

qlm_error_t *qlm_fulfil_find(int *is_known, const char **oddity, qlm_fulfil_line_t *line,
                             const qlm_call_t *call)
{
    const qlm_order_t *order = line->order;
    const qlm_order_record_t *record = NULL;

    if (order->is_remembered) {
        QLM_TRY(qlm_store_find_order(&record, call->store, order->vendor, order->order_ref,
                                     order->line_ref, call->pool));
    }
    *is_known = record != NULL;
    if (!record) {
        return NULL;
    }
    line->content_type = record->content_type;
    line->answer = record->answer;
    if (strcmp(record->fingerprint, line->fingerprint) != 0) {
        *oddity = apr_psprintf(call->pool,
                               "a repeat with another product or quantity (%s, first %s) got the "
                               "first answer",
                               line->fingerprint, record->fingerprint);
    }
    return NULL;
}

/* ---- the unit of work -------------------------------------------------------------------------
 */

typedef struct work_t {
    const apr_array_header_t *lines;
    qlm_call_t *call;
    const char *notes; /* of the call, before this unit */
} work_t;

/* The answer that hands over @a keys, in the shop's form; none where no shop asks. */
static void write_answer(qlm_fulfil_line_t *line, const apr_array_header_t *keys, qlm_call_t *call)
{
    apr_array_header_t *shown = apr_array_make(call->pool, keys->nelts, sizeof(const char *));
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_answer_t answer = {200, "", ""};

    for (int i = 0; i < keys->nelts; i++) {
        APR_ARRAY_PUSH(shown, const char *) =
            qlm_call_shown_key(APR_ARRAY_IDX(keys, i, const char *), call);
    }
    if (call->vendor) {
        call->vendor->write_keys(&answer, shown, &callback, call->pool);
    }
    line->content_type = answer.content_type;
    line->answer = answer.body;
}

qlm_error_t *qlm_fulfil_make_key(const char **key, char prefix, const qlm_call_t *call)
{
    unsigned char random[QLM_KEY_RANDOM_BYTES];

    QLM_TRY(qlm_random(random, sizeof(random), call->pool));
    *key = qlm_keygen_activation(prefix, random, call->secrets, call->pool);
    return NULL;
}

/* New keys, and the answer that hands them over. */
static qlm_error_t *make_keys(qlm_fulfil_line_t *line, qlm_call_t *call)
{
    const qlm_terms_t *terms = &line->terms;
    char prefix = qlm_model_activation_prefix(terms->model, terms->engine,
                                              qlm_terms_is_limited(terms), terms->is_generic);
    apr_array_header_t *keys = apr_array_make(call->pool, line->share.keys, sizeof(const char *));

    for (int i = 0; i < line->share.keys; i++) {
        QLM_TRY(qlm_fulfil_make_key((const char **)apr_array_push(keys), prefix, call));
    }
    line->keys = keys;
    write_answer(line, keys, call);
    return NULL;
}

static qlm_error_t *add_order_line(qlm_fulfil_line_t *line, qlm_store_t *store,
                                   const qlm_call_t *call, apr_pool_t *pool)
{
    const qlm_order_t *order = line->order;
    qlm_order_record_t record = {order->vendor,     order->order_ref,   order->line_ref,
                                 line->fingerprint, line->content_type, line->answer,
                                 call->now};

    line->is_new = 1;
    return order->is_remembered ? qlm_store_add_order(&line->is_new, store, &record, pool) : NULL;
}

static qlm_error_t *check_limit(int keys, qlm_property_t property, apr_int64_t since,
                                qlm_store_t *store, const qlm_call_t *call, apr_pool_t *pool)
{
    apr_int64_t limit = qlm_properties_int(call->properties, property);
    apr_int64_t count;

    if (limit < 0 || (limit == 0 && property == QLM_PROPERTY_MAX_NEW_KEYS_PER_DAY)) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_licenses(&count, store, since, pool));
    if (count + keys <= limit) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                          "the server's limit %s is reached: no more keys are made now",
                          qlm_property_row(property)->name);
}

static void fill_license(qlm_license_t *license, const qlm_fulfil_line_t *line,
                         const qlm_call_t *call)
{
    const qlm_terms_t *terms = &line->terms;
    const qlm_order_t *order = line->order;

    license->product_id = terms->product_id;
    license->major = terms->major;
    license->minor = terms->minor;
    license->model = terms->model;
    license->engine = terms->engine;
    license->is_generic = terms->is_generic;
    license->is_test = order->is_test;
    license->num_licenses = license->available_licenses = line->share.activations;
    license->floating_seats = line->share.floating_seats;
    license->features = qlm_features_format(&terms->features, call->pool);
    license->expires_at = terms->expires_at;
    license->duration_days = terms->duration_days;
    license->maintenance_until = terms->maintenance_until;
    license->computer_type = terms->computer_type;
    license->created_at = call->now;
    license->ordered_at = order->ordered_at ? order->ordered_at : call->now;
    license->vendor = order->vendor;
    license->order_ref = order->order_ref;
    license->line_ref = order->line_ref;
    license->subscription_ref = order->subscription_ref;
    license->user_data = *terms->user_data ? terms->user_data : order->user_data;
    license->comment = order->comment;
    license->legacy_key = terms->legacy_key;
    license->affiliate_id = *terms->affiliate_id || !order->customer.affiliate_id
                                ? terms->affiliate_id
                                : order->customer.affiliate_id;
    license->order_status = QLM_ORDER_COMPLETED;
}

const char *qlm_fulfil_properties(const qlm_license_t *license, const char *is_pp, qlm_call_t *call)
{
    const qlm_product_t *product =
        qlm_snapshot_product(call->site, license->product_id, license->major, license->minor);
    const char *oddity = NULL;
    const char *properties =
        qlm_pp_apply_order(&oddity, license->properties, is_pp,
                           qlm_snapshot_pp_definitions(call->site, product), call->now, call->pool);

    if (oddity) {
        qlm_call_note(call, oddity);
    }
    return properties;
}

static int has_customer(const qlm_customer_t *customer)
{
    return !qlm_text_is_empty(customer->email) || !qlm_text_is_empty(customer->full_name) ||
           !qlm_text_is_empty(customer->company);
}

static qlm_error_t *put_customer(apr_int64_t *id, qlm_store_t *store,
                                 const qlm_customer_t *customer, const qlm_call_t *call,
                                 apr_pool_t *pool)
{
    qlm_stored_customer_t stored;

    *id = 0;
    if (!has_customer(customer)) {
        return NULL;
    }
    QLM_TRY(qlm_customers_put(
        &stored, customer, qlm_properties_bool(call->properties, QLM_PROPERTY_UPDATE_EXISTING_USER),
        store, call, pool));
    *id = stored.customer.id;
    return NULL;
}

static qlm_error_t *add_licenses(const qlm_fulfil_line_t *line, apr_int64_t customer_id,
                                 qlm_store_t *store, qlm_call_t *call, apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(call);
    qlm_history_t row = {.event = "created"};
    qlm_license_t license;

    qlm_license_clear(&license);
    fill_license(&license, line, call);
    license.properties = qlm_fulfil_properties(&license, line->terms.properties, call);
    license.customer_id = row.customer_id = customer_id;
    for (int i = 0; i < line->keys->nelts; i++) {
        license.id = qlm_store_new_id(store);
        license.activation_key = APR_ARRAY_IDX(line->keys, i, const char *);
        QLM_TRY(qlm_store_add_license(store, &license, pool));
        row.license_id = license.id;
        row.activation_key = license.activation_key;
        QLM_TRY(qlm_store_add_history(store, &row, &actor, pool));
        QLM_TRY(qlm_notify_license(QLM_PROPERTY_ON_LICENSE_CREATED, &license,
                                   &line->order->customer, NULL, store, call, pool));
    }
    return NULL;
}

qlm_error_t *qlm_fulfil_in_unit(const apr_array_header_t *array, qlm_store_t *store,
                                qlm_call_t *call, apr_pool_t *pool)
{
    qlm_fulfil_line_t *lines = (qlm_fulfil_line_t *)(void *)array->elts;
    apr_int64_t customer_id;
    int keys = 0;

    for (int i = 0; i < array->nelts; i++) {
        QLM_TRY(make_keys(&lines[i], call));
        QLM_TRY(add_order_line(&lines[i], store, call, pool));
        keys += lines[i].is_new ? lines[i].keys->nelts : 0;
    }
    if (keys == 0) {
        return NULL;
    }
    QLM_TRY(check_limit(keys, QLM_PROPERTY_DB_MAX_RECORDS, 0, store, call, pool));
    QLM_TRY(check_limit(keys, QLM_PROPERTY_MAX_NEW_KEYS_PER_DAY,
                        call->now - call->now % QLM_DATE_DAY, store, call, pool));
    QLM_TRY(put_customer(&customer_id, store, &lines[0].order->customer, call, pool));
    for (int i = 0; i < array->nelts; i++) {
        if (lines[i].is_new) {
            QLM_TRY(add_licenses(&lines[i], customer_id, store, call, pool));
        }
    }
    return qlm_notify_order(array, QLM_ARGUMENT_MAIL_TEMPLATE, store, call, pool);
}

static qlm_error_t *fulfil(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const work_t *work = baton;

    work->call->notes = work->notes; /* without those of a run that was rolled back */
    return qlm_fulfil_in_unit(work->lines, store, work->call, pool);
}

qlm_error_t *qlm_fulfil_order(const apr_array_header_t *lines, qlm_call_t *call)
{
    work_t work = {lines, call, call->notes};

    return qlm_store_write(call->store, fulfil, &work, call->pool);
}

/* ---- renewals ---------------------------------------------------------------------------------
 */

typedef struct renewal_t {
    apr_array_header_t *lines; /* the one line */
    const qlm_license_t *license;
    qlm_call_t *call;
} renewal_t;

/* To the shop's own date; else one period on from the end, or from today if that is past already.
 */
static apr_int64_t renewed_until(const qlm_fulfil_line_t *line, const qlm_license_t *license,
                                 const qlm_call_t *call)
{
    apr_int64_t days = license->duration_days;

    if (line->order->expires_at) {
        return line->order->expires_at;
    }
    if (days <= 0) {
        days =
            line->terms.duration_days > 0 ? line->terms.duration_days : qlm_renewal_period(license);
    }
    return days <= 0 || qlm_renewal_is_endless(license)
               ? license->expires_at
               : qlm_renewal_extend(license, days, call->now);
}

/* Reckoned from the license as it is held: another order may have moved its end meanwhile. */
static qlm_error_t *move_end(const renewal_t *renewal, qlm_fulfil_line_t *line, qlm_store_t *store,
                             apr_pool_t *pool)
{
    const qlm_actor_t actor = qlm_call_actor(renewal->call);
    qlm_license_view_t *view;
    qlm_license_t after;

    QLM_TRY(qlm_store_find_license(&view, store, renewal->license->activation_key, "", pool));
    if (!view) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "the license was replaced at the same time");
    }
    after = view->license;
    line->terms.expires_at = renewed_until(line, &view->license, renewal->call);
    qlm_renewal_apply(&after, line->terms.expires_at);
    after.properties = qlm_fulfil_properties(&view->license, line->terms.properties, renewal->call);
    QLM_TRY(qlm_change_computer_keys(&after, store, renewal->call, pool));
    QLM_TRY(qlm_store_change_license(NULL, store, &view->license, &after, "renewed", &actor, pool));
    return qlm_notify_license(QLM_PROPERTY_ON_LICENSE_MODIFIED, &after, NULL, NULL, store,
                              renewal->call, pool);
}

/* The order line, the new date and the mail together: a repeat finds the line and moves nothing. */
static qlm_error_t *renew(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const renewal_t *renewal = baton;
    qlm_fulfil_line_t *line = &APR_ARRAY_IDX(renewal->lines, 0, qlm_fulfil_line_t);

    QLM_TRY(add_order_line(line, store, renewal->call, pool));
    if (!line->is_new) {
        return NULL;
    }
    QLM_TRY(move_end(renewal, line, store, pool));
    return qlm_notify_order(renewal->lines, QLM_ARGUMENT_RENEWAL_TEMPLATE, store, renewal->call,
                            pool);
}

qlm_error_t *qlm_fulfil_renewal(qlm_fulfil_line_t *line, const qlm_license_t *license,
                                qlm_call_t *call)
{
    renewal_t renewal = {apr_array_make(call->pool, 1, sizeof(*line)), license, call};
    apr_array_header_t *keys = apr_array_make(call->pool, 1, sizeof(const char *));
    qlm_error_t *error;

    APR_ARRAY_PUSH(keys, const char *) = license->activation_key;
    line->keys = keys;
    write_answer(line, keys, call);
    APR_ARRAY_PUSH(renewal.lines, qlm_fulfil_line_t) = *line;
    error = qlm_store_write(call->store, renew, &renewal, call->pool);
    line->is_new = APR_ARRAY_IDX(renewal.lines, 0, qlm_fulfil_line_t).is_new;
    return error;
}
