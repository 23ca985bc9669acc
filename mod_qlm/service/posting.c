/* The outbox's webhooks: one at a time for each receiver, all receivers at once, so that one that
 * hangs keeps no other waiting. A receiver is a host with its port: whoever takes several events at
 * several URLs gets them in the order in which they happened. */
#include "service/round.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS_MAX   32 /* URLs, and so receivers, that are served at once */
#define WAIT_MS       200
#define LOOK_SECONDS  1
#define ROUND_SECONDS 60 /* then nothing more is begun; the next round is a second later */

static const char lease_name[] = "webhooks";

/* Who is posted to, while something is due for him. */
typedef struct receiver_t {
    const char *origin;
    apr_array_header_t *rows; /* of qlm_outbox_row_t, oldest first */
    int next;                 /* the one under way, or the next */
    int is_busy;
    int is_new;   /* made by the look in progress */
    int has_more; /* than was read */
    qlm_fetch_request_t request;
    apr_pool_t *pool; /* of this struct */
    apr_pool_t *row_pool;
} receiver_t;

typedef struct posting_t {
    qlm_round_t round;
    apr_hash_t *receivers; /* origin -> receiver_t */
    int under_way;
    apr_int64_t look_at;   /* when to see who else is due */
    apr_pool_t *pool;      /* parent of the receivers' */
    apr_pool_t *look_pool; /* cleared at each look */
} posting_t;

/* ---- one webhook ------------------------------------------------------------------------------
 */

/* The receiver recomputes SHA-256 over the body followed by the shared secret. */
static qlm_error_t *sign(const char **header, const char *body, const qlm_round_t *round,
                         apr_pool_t *pool)
{
    const char *secret, *hex;

    QLM_TRY(qlm_site_open_secret(&secret, QLM_PROPERTY_WEBHOOK_SECRET, round->properties,
                                 qlm_service_secrets(round->service), pool));
    QLM_TRY(qlm_sha256_hex(&hex, apr_pstrcat(pool, body, secret, NULL), pool));
    *header = apr_pstrcat(pool, "X-QLM-Signature: ", hex, NULL);
    return NULL;
}

static qlm_error_t *start_row(receiver_t *receiver, posting_t *posting)
{
    const qlm_courier_t *courier = posting->round.input->courier;
    qlm_outbox_row_t *row = &APR_ARRAY_IDX(receiver->rows, receiver->next, qlm_outbox_row_t);
    apr_array_header_t *headers;
    const char *signature;
    qlm_error_t *error;

    apr_pool_clear(receiver->row_pool);
    error = sign(&signature, row->payload, &posting->round, receiver->row_pool);
    if (error) {
        receiver->next++;
        return qlm_round_settle(&posting->round, row, QLM_SMTP_LATER, error->text,
                                receiver->row_pool);
    }
    headers = apr_array_make(receiver->row_pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(headers, const char *) = signature;
    receiver->request =
        (qlm_fetch_request_t){"POST", row->target, headers, row->payload, "application/json"};
    receiver->is_busy = 1;
    posting->under_way++;
    courier->start(courier->baton, receiver, &receiver->request, receiver->row_pool);
    return NULL;
}

static qlm_error_t *finish_row(receiver_t *receiver, const qlm_fetch_response_t *response,
                               const qlm_error_t *failure, posting_t *posting)
{
    qlm_outbox_row_t *row = &APR_ARRAY_IDX(receiver->rows, receiver->next, qlm_outbox_row_t);
    apr_pool_t *pool = receiver->row_pool;
    qlm_smtp_outcome_t outcome;
    const char *reason;

    posting->under_way--;
    receiver->is_busy = 0;
    receiver->next++;
    if (failure) { /* the others of this URL are deferred; there may be more for him */
        receiver->has_more |= receiver->next < receiver->rows->nelts;
        receiver->rows->nelts = receiver->next;
        return qlm_round_settle(&posting->round, row, QLM_SMTP_AWAY, failure->text, pool);
    }
    outcome = response->status >= 200 && response->status < 300 ? QLM_SMTP_SENT : QLM_SMTP_LATER;
    reason = apr_psprintf(pool, "HTTP %d", response->status);
    return qlm_round_settle(&posting->round, row, outcome, reason, pool);
}

/* ---- who is posted to -------------------------------------------------------------------------
 */

/* The URL up to its path. */
static const char *origin_of(const char *url, apr_pool_t *pool)
{
    const char *host = strstr(url, "://");
    apr_size_t before = host ? (apr_size_t)(host - url) + 3 : 0;

    return apr_pstrndup(pool, url, before + strcspn(url + before, "/?#"));
}

static receiver_t *add_receiver(posting_t *posting, const char *origin)
{
    receiver_t *receiver;
    apr_pool_t *pool;

    apr_pool_create(&pool, posting->pool);
    receiver = apr_pcalloc(pool, sizeof(*receiver));
    receiver->pool = pool;
    receiver->origin = apr_pstrdup(pool, origin);
    receiver->rows = apr_array_make(pool, QLM_ROUND_BATCH, sizeof(qlm_outbox_row_t));
    receiver->is_new = 1;
    apr_pool_create(&receiver->row_pool, pool);
    apr_hash_set(posting->receivers, receiver->origin, APR_HASH_KEY_STRING, receiver);
    return receiver;
}

/* What is due for one URL, unless its receiver is being served already. */
static qlm_error_t *add_rows(posting_t *posting, const char *target, qlm_store_t *store,
                             apr_pool_t *pool)
{
    qlm_outbox_filter_t filter = {QLM_OUTBOX_WEBHOOK, target, qlm_round_now(&posting->round),
                                  QLM_ROUND_BATCH};
    const char *origin = origin_of(target, pool);
    receiver_t *receiver = apr_hash_get(posting->receivers, origin, APR_HASH_KEY_STRING);
    apr_array_header_t *rows;

    if (receiver && !receiver->is_new) {
        return NULL;
    }
    receiver = receiver ? receiver : add_receiver(posting, origin);
    QLM_TRY(qlm_store_list_due(&rows, store, &filter, receiver->pool));
    apr_array_cat(receiver->rows, rows);
    receiver->has_more |= rows->nelts == QLM_ROUND_BATCH;
    return NULL;
}

static int compare_rows(const void *a, const void *b)
{
    const qlm_outbox_row_t *one = a, *other = b;

    if (one->next_at != other->next_at) {
        return one->next_at < other->next_at ? -1 : 1;
    }
    return one->id < other->id ? -1 : 1;
}

static void sort_new(const posting_t *posting)
{
    for (apr_hash_index_t *i = apr_hash_first(posting->look_pool, posting->receivers); i;
         i = apr_hash_next(i)) {
        receiver_t *receiver = apr_hash_this_val(i);

        if (receiver->is_new && receiver->rows->nelts > 0) {
            qsort(receiver->rows->elts, (size_t)receiver->rows->nelts, sizeof(qlm_outbox_row_t),
                  compare_rows);
        }
        receiver->is_new = 0;
    }
}

/* Whoever has something due and is not being served; nobody, if the lease is somebody else's. */
static qlm_error_t *look(qlm_store_t *store, qlm_round_t *round, void *baton, apr_pool_t *pool)
{
    posting_t *posting = baton;
    qlm_outbox_filter_t filter = {QLM_OUTBOX_WEBHOOK, "", qlm_round_now(round), TARGETS_MAX};
    apr_array_header_t *targets;
    int is_free;

    QLM_TRY(qlm_round_is_lease_free(&is_free, store, round, pool));
    if (!is_free) {
        return NULL;
    }
    QLM_TRY(qlm_store_list_targets(&targets, store, &filter, pool));
    for (int i = 0; i < targets->nelts; i++) {
        QLM_TRY(add_rows(posting, APR_ARRAY_IDX(targets, i, const char *), store, pool));
    }
    sort_new(posting);
    return NULL;
}

static void remove_receiver(posting_t *posting, receiver_t *receiver)
{
    if (receiver->has_more) {
        posting->look_at = 0;
    }
    apr_hash_set(posting->receivers, receiver->origin, APR_HASH_KEY_STRING, NULL);
    apr_pool_destroy(receiver->pool);
}

static qlm_error_t *start_idle(posting_t *posting)
{
    for (apr_hash_index_t *i = apr_hash_first(posting->look_pool, posting->receivers); i;
         i = apr_hash_next(i)) {
        receiver_t *receiver = apr_hash_this_val(i);

        while (!receiver->is_busy && receiver->next < receiver->rows->nelts) {
            QLM_TRY(start_row(receiver, posting));
        }
        if (!receiver->is_busy) {
            remove_receiver(posting, receiver); /* the current element may be removed */
        }
    }
    return NULL;
}

/* ---- the round --------------------------------------------------------------------------------
 */

static qlm_error_t *collect(posting_t *posting)
{
    const qlm_courier_t *courier = posting->round.input->courier;
    qlm_fetch_response_t *response;
    qlm_error_t *error;
    void *receiver;

    return courier->wait(&receiver, &response, &error, courier->baton, WAIT_MS)
               ? finish_row(receiver, response, error, posting)
               : NULL;
}

static qlm_error_t *look_again(posting_t *posting)
{
    apr_pool_clear(posting->look_pool);
    posting->look_at = qlm_round_now(&posting->round) + LOOK_SECONDS;
    return qlm_round_look(&posting->round, look, posting, posting->look_pool);
}

static qlm_error_t *post_all(posting_t *posting)
{
    apr_int64_t end = qlm_round_now(&posting->round) + ROUND_SECONDS;

    while (!qlm_round_is_stopping(&posting->round)) {
        apr_int64_t now = qlm_round_now(&posting->round);
        int held = 1;

        if (now < end && now >= posting->look_at) {
            QLM_TRY(look_again(posting));
        }
        if (apr_hash_count(posting->receivers) > 0) {
            QLM_TRY(qlm_round_hold_lease(&held, &posting->round, posting->look_pool));
        }
        if (held && now < end) {
            QLM_TRY(start_idle(posting));
        }
        if (!held || (!posting->under_way && (posting->look_at || now >= end))) {
            return NULL;
        }
        if (posting->under_way) {
            QLM_TRY(collect(posting));
        }
    }
    return NULL;
}

qlm_error_t *qlm_outbox_post(qlm_outbox_round_t *result, qlm_service_t *service,
                             const qlm_outbox_input_t *input, apr_pool_t *pool)
{
    posting_t posting = {{result, input, service, lease_name, 0, NULL}, NULL, 0, 0, pool, NULL};

    memset(result, 0, sizeof(*result));
    posting.receivers = apr_hash_make(pool);
    apr_pool_create(&posting.look_pool, pool);
    return post_all(&posting);
}
