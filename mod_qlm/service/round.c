/* Lease, looks and bookkeeping of the outbox's worker. */
#include "service/round.h"

#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <string.h>

/* A row takes 20 seconds at most (SEND_SECONDS in mailing.c, the fetcher's limit for webhooks) and
 * a second for the farewell. It is begun with at least LEASE_LEFT of the lease ahead. */
#define LEASE_SECONDS 45
#define LEASE_LEFT    30
#define PAUSE_FIRST   30
#define PAUSE_LONGEST (6 * 3600)
#define LIFE_SECONDS  (3 * QLM_DATE_DAY)
#define DEFER_BATCH   500 /* rows of one transaction, so that nobody waits long for it */

apr_int64_t qlm_outbox_pause(int attempts, apr_int64_t created_at, apr_int64_t now)
{
    apr_int64_t pause = PAUSE_FIRST;

    for (int i = 1; i < attempts && pause < PAUSE_LONGEST; i++) {
        pause *= 2;
    }
    pause = pause < PAUSE_LONGEST ? pause : PAUSE_LONGEST;
    return now + pause - created_at > LIFE_SECONDS ? 0 : pause;
}

apr_int64_t qlm_round_now(const qlm_round_t *round)
{
    return round->input->clock(round->input->baton);
}

int qlm_round_is_stopping(const qlm_round_t *round)
{
    return round->input->is_stopping(round->input->baton);
}

/* ---- the database -----------------------------------------------------------------------------
 */

qlm_error_t *qlm_round_look(qlm_round_t *round, qlm_round_look_t look, void *baton,
                            apr_pool_t *pool)
{
    const qlm_lender_t *lender = &round->input->lender;
    const qlm_snapshot_t *site;
    qlm_store_t *store = NULL;
    qlm_error_t *error = lender->lend(&store, lender->baton, pool);

    if (!error) {
        error = qlm_site_snapshot(&site, qlm_service_site(round->service), store, pool);
    }
    if (!error) {
        round->properties = qlm_snapshot_properties(site);
        error = look(store, round, baton, pool);
    }
    lender->give_back(store, lender->baton);
    return error;
}

static qlm_error_t *write_unit(const qlm_outbox_input_t *input, qlm_unit_t unit, void *baton,
                               apr_pool_t *pool)
{
    const qlm_lender_t *lender = &input->lender;
    qlm_store_t *store = NULL;
    qlm_error_t *error = lender->lend(&store, lender->baton, pool);

    if (!error) {
        error = qlm_store_write(store, unit, baton, pool);
    }
    lender->give_back(store, lender->baton);
    return error;
}

qlm_error_t *qlm_round_write(const qlm_round_t *round, qlm_unit_t unit, void *baton,
                             apr_pool_t *pool)
{
    return write_unit(round->input, unit, baton, pool);
}

/* ---- lease ------------------------------------------------------------------------------------
 */

typedef struct lease_t {
    const char *name, *owner;
    apr_int64_t now;
    int taken;
} lease_t;

static qlm_error_t *lease_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    lease_t *lease = baton;

    return qlm_store_take_lease(&lease->taken, store, lease->name, lease->owner, lease->now,
                                lease->now + LEASE_SECONDS, pool);
}

qlm_error_t *qlm_round_hold_lease(int *held, qlm_round_t *round, apr_pool_t *pool)
{
    lease_t lease = {round->lease, round->input->owner, qlm_round_now(round), 1};

    if (round->leased_until < lease.now + LEASE_LEFT) {
        QLM_TRY(qlm_round_write(round, lease_unit, &lease, pool));
        round->leased_until = lease.taken ? lease.now + LEASE_SECONDS : 0;
        round->result->is_ours |= lease.taken;
    }
    *held = lease.taken;
    return NULL;
}

qlm_error_t *qlm_round_is_lease_free(int *is_free, qlm_store_t *store, const qlm_round_t *round,
                                     apr_pool_t *pool)
{
    return qlm_store_is_lease_free(is_free, store, round->lease, round->input->owner,
                                   qlm_round_now(round), pool);
}

static qlm_error_t *release_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const qlm_outbox_input_t *input = baton;

    return qlm_store_release_leases(store, input->owner, pool);
}

qlm_error_t *qlm_outbox_release(const qlm_outbox_input_t *input, apr_pool_t *pool)
{
    qlm_outbox_input_t copy = *input;

    return write_unit(input, release_unit, &copy, pool);
}

/* ---- bookkeeping ------------------------------------------------------------------------------
 */

typedef struct update_t {
    const qlm_outbox_row_t *row;
} update_t;

static qlm_error_t *update_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const update_t *update = baton;
    int changed;

    return qlm_store_update_outbox(&changed, store, update->row, 0, pool);
}

/* The publisher's own schedule for webhooks, if one is set. */
static apr_int64_t pause_of(const qlm_outbox_row_t *row, const qlm_round_t *round, apr_int64_t now)
{
    apr_int64_t most = qlm_properties_int(round->properties, QLM_PROPERTY_WEBHOOK_MAX_RETRIES);

    if (strcmp(row->kind, QLM_OUTBOX_WEBHOOK) == 0 && most >= 0) {
        apr_int64_t interval =
            qlm_properties_int(round->properties, QLM_PROPERTY_WEBHOOK_RETRY_INTERVAL);

        return row->attempts > most ? 0 : interval > 0 ? interval : 1;
    }
    return qlm_outbox_pause(row->attempts, row->created_at, now);
}

/* Returns how long it waits, 0 = no more. */
static apr_int64_t judge(qlm_outbox_row_t *row, qlm_smtp_outcome_t outcome, const char *reason,
                         qlm_round_t *round)
{
    int is_sent = outcome == QLM_SMTP_SENT;
    apr_int64_t now = qlm_round_now(round);
    apr_int64_t pause;

    row->attempts++;
    row->last_error = is_sent ? "" : reason;
    pause = is_sent || outcome == QLM_SMTP_NEVER ? 0 : pause_of(row, round, now);
    if (is_sent) {
        row->state = QLM_OUTBOX_SENT;
        round->result->sent++;
    }
    else if (pause > 0) {
        row->next_at = now + pause;
        round->result->later++;
    }
    else {
        row->state = QLM_OUTBOX_FAILED;
        round->result->failed++;
    }
    row->finished_at = pause > 0 ? 0 : now;
    return pause;
}

static void log_row(const qlm_outbox_row_t *row, const char *reason, const qlm_round_t *round,
                    apr_pool_t *pool)
{
    int is_final = strcmp(row->state, QLM_OUTBOX_FAILED) == 0;
    const char *what = is_final                                      ? "given up"
                       : strcmp(row->state, QLM_OUTBOX_WAITING) == 0 ? "will be tried again"
                                                                     : "sent";

    round->input->log(round->input->baton,
                      apr_psprintf(pool, "%s %" APR_INT64_T_FMT " (%s) %s after %d %s%s%s",
                                   row->kind, row->id, row->subject, what, row->attempts,
                                   row->attempts == 1 ? "try" : "tries", *reason ? ": " : "",
                                   qlm_text_for_log(reason, 200, pool)),
                      is_final);
}

typedef struct deferral_t {
    qlm_outbox_filter_t filter;
    apr_int64_t next_at;
    const char *reason;
    int changed;
} deferral_t;

static qlm_error_t *defer_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    deferral_t *deferral = baton;

    return qlm_store_defer_outbox(&deferral->changed, store, &deferral->filter, deferral->next_at,
                                  deferral->reason, pool);
}

/* The others due for a receiver that is away. They wait no longer than for the first pause, however
 * often this row was tried: it may be this very row that makes the receiver hang. */
static qlm_error_t *defer_others(qlm_round_t *round, const qlm_outbox_row_t *row, apr_int64_t pause,
                                 const char *reason, apr_pool_t *pool)
{
    apr_int64_t now = qlm_round_now(round);
    int is_mail = strcmp(row->kind, QLM_OUTBOX_MAIL) == 0;
    deferral_t deferral = {{row->kind, is_mail ? "" : row->target, now, DEFER_BATCH}, 0, "", 0};
    int count = 0;

    pause = pause > 0 && pause < PAUSE_FIRST ? pause : PAUSE_FIRST;
    deferral.next_at = now + pause;
    deferral.reason = apr_pstrcat(pool, "not tried: ", reason, NULL);
    do {
        QLM_TRY(qlm_round_write(round, defer_unit, &deferral, pool));
        count += deferral.changed;
    } while (deferral.changed == DEFER_BATCH && !qlm_round_is_stopping(round));
    round->result->deferred += count;
    if (count) {
        round->input->log(
            round->input->baton,
            apr_psprintf(pool, "%d more for the same receiver wait %d seconds", count, (int)pause),
            0);
    }
    return NULL;
}

qlm_error_t *qlm_round_settle(qlm_round_t *round, qlm_outbox_row_t *row, qlm_smtp_outcome_t outcome,
                              const char *reason, apr_pool_t *pool)
{
    int is_for_later = outcome == QLM_SMTP_LATER || outcome == QLM_SMTP_AWAY;
    update_t update = {row};
    apr_int64_t pause;

    if (is_for_later && qlm_round_is_stopping(round)) {
        return NULL;
    }
    pause = judge(row, outcome, reason, round);
    log_row(row, reason, round, pool);
    QLM_TRY(qlm_round_write(round, update_unit, &update, pool));
    return outcome == QLM_SMTP_AWAY ? defer_others(round, row, pause, reason, pool) : NULL;
}
