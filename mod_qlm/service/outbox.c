/* The outbox's worker: lease, rows, retention. */
#include "service/outbox.h"

#include "base/date.h"
#include "base/text.h"
#include "mail/message.h"
#include "service/site.h"
#include "store/outbox.h"

#include <apr_strings.h>
#include <string.h>

#define LEASE_SECONDS                                                                              \
    45 /* longer than one row takes: two time-outs, if the server hangs at the farewell */
#define SEND_SECONDS  10
#define BATCH         20
#define PURGE_BATCH   500
#define PAUSE_FIRST   30
#define PAUSE_LONGEST (6 * 3600)
#define LIFE_SECONDS  (3 * QLM_DATE_DAY)

static const char lease_name[] = "outbox";

/* One round in progress. */
typedef struct round_t {
    qlm_outbox_round_t *result;
    const qlm_outbox_input_t *input;
    qlm_service_t *service;
    const qlm_snapshot_t *site;
    const qlm_properties_t *properties;
    apr_pool_t *pool;
} round_t;

apr_int64_t qlm_outbox_pause(int attempts, apr_int64_t created_at, apr_int64_t now)
{
    apr_int64_t pause = PAUSE_FIRST;

    for (int i = 1; i < attempts && pause < PAUSE_LONGEST; i++) {
        pause *= 2;
    }
    pause = pause < PAUSE_LONGEST ? pause : PAUSE_LONGEST;
    return now + pause - created_at > LIFE_SECONDS ? 0 : pause;
}

/* ---- settings ---------------------------------------------------------------------------------
 */

/* A property of type secret, as it was given. */
static qlm_error_t *open_secret(const char **text, qlm_property_t property,
                                const qlm_properties_t *properties, const qlm_secrets_t *secrets,
                                apr_pool_t *pool)
{
    const char *identity =
        apr_pstrcat(pool, "property/", qlm_text_fold(qlm_property_row(property)->name, pool), NULL);

    return qlm_secrets_open(text, secrets, identity, qlm_properties_text(properties, property),
                            pool);
}

qlm_error_t *qlm_outbox_smtp_settings(qlm_smtp_settings_t *settings,
                                      const qlm_properties_t *properties,
                                      const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    int is_encrypted = qlm_properties_bool(properties, QLM_PROPERTY_SMTP_ENABLE_SSL);

    settings->server = qlm_properties_text(properties, QLM_PROPERTY_SMTP_SERVER);
    settings->port = (int)qlm_properties_int(properties, QLM_PROPERTY_SMTP_PORT);
    settings->user = qlm_properties_text(properties, QLM_PROPERTY_SMTP_USER);
    settings->tls = !is_encrypted ? 0 : settings->port == 465 ? 2 : 1;
    settings->ca_file = "";
    settings->total_seconds = SEND_SECONDS;
    return open_secret(&settings->password, QLM_PROPERTY_SMTP_PASSWORD, properties, secrets, pool);
}

/* ---- sending one row --------------------------------------------------------------------------
 */

static qlm_smtp_outcome_t send_mail(const char **reason, const qlm_outbox_row_t *row,
                                    const round_t *round, apr_pool_t *pool)
{
    qlm_smtp_settings_t settings = {0};
    qlm_mail_t *mail;
    qlm_error_t *error = qlm_mail_from_json(&mail, row->payload, pool);

    if (error) {
        *reason = error->text;
        return QLM_SMTP_NEVER;
    }
    error = qlm_outbox_smtp_settings(&settings, round->properties,
                                     qlm_service_secrets(round->service), pool);
    if (error) {
        *reason = error->text;
        return QLM_SMTP_LATER;
    }
    settings.ca_file = round->input->ca_file ? round->input->ca_file : "";
    if (!*settings.server) {
        *reason = "no mail server: run `qlmctl property set smtpServer HOST`";
        return QLM_SMTP_LATER;
    }
    if (!*mail->from) { /* it was queued before smtpFrom was set */
        mail->from = qlm_properties_text(round->properties, QLM_PROPERTY_SMTP_FROM);
        mail->from_name = qlm_properties_text(round->properties, QLM_PROPERTY_SMTP_FROM_NAME);
    }
    if (!*mail->from) {
        *reason = "no sender: run `qlmctl property set smtpFrom ADDRESS`";
        return QLM_SMTP_LATER;
    }
    return round->input->send_mail(reason, mail, &settings, pool);
}

/* The receiver recomputes SHA-256 over the body followed by the shared secret. */
static qlm_error_t *sign_webhook(const char **header, const char *body, const round_t *round,
                                 apr_pool_t *pool)
{
    const char *secret, *hex;

    QLM_TRY(open_secret(&secret, QLM_PROPERTY_WEBHOOK_SECRET, round->properties,
                        qlm_service_secrets(round->service), pool));
    QLM_TRY(qlm_sha256_hex(&hex, apr_pstrcat(pool, body, secret, NULL), pool));
    *header = apr_pstrcat(pool, "X-QLM-Signature: ", hex, NULL);
    return NULL;
}

static qlm_smtp_outcome_t post_webhook(const char **reason, const qlm_outbox_row_t *row,
                                       const round_t *round, apr_pool_t *pool)
{
    apr_array_header_t *headers = apr_array_make(pool, 1, sizeof(const char *));
    qlm_fetch_request_t request = {"POST", row->target, headers, row->payload, "application/json"};
    qlm_fetch_response_t *response = NULL;
    qlm_error_t *error = sign_webhook(apr_array_push(headers), row->payload, round, pool);

    if (!error) {
        error =
            round->input->fetcher->fetch(&response, round->input->fetcher->baton, &request, pool);
    }
    if (error) {
        *reason = error->text;
        return QLM_SMTP_LATER;
    }
    *reason = apr_psprintf(pool, "HTTP %d", response->status);
    return response->status >= 200 && response->status < 300 ? QLM_SMTP_SENT : QLM_SMTP_LATER;
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

static qlm_error_t *write_unit(const round_t *round, qlm_unit_t unit, void *baton, apr_pool_t *pool)
{
    const qlm_lender_t *lender = &round->input->lender;
    qlm_store_t *store = NULL;
    qlm_error_t *error = lender->lend(&store, lender->baton, pool);

    if (!error) {
        error = qlm_store_write(store, unit, baton, pool);
    }
    lender->give_back(store, lender->baton);
    return error;
}

/* The publisher's own schedule for webhooks, if one is set. */
static apr_int64_t pause_of(const qlm_outbox_row_t *row, const round_t *round, apr_int64_t now)
{
    apr_int64_t most = qlm_properties_int(round->properties, QLM_PROPERTY_WEBHOOK_MAX_RETRIES);

    if (strcmp(row->kind, QLM_OUTBOX_WEBHOOK) == 0 && most >= 0) {
        apr_int64_t interval =
            qlm_properties_int(round->properties, QLM_PROPERTY_WEBHOOK_RETRY_INTERVAL);

        return row->attempts > most ? 0 : interval > 0 ? interval : 1;
    }
    return qlm_outbox_pause(row->attempts, row->created_at, now);
}

static void settle(qlm_outbox_row_t *row, qlm_smtp_outcome_t outcome, const char *reason,
                   round_t *round)
{
    apr_int64_t now = round->input->clock(round->input->baton);
    apr_int64_t pause;

    row->attempts++;
    row->last_error = outcome == QLM_SMTP_SENT ? "" : reason;
    pause = outcome == QLM_SMTP_LATER ? pause_of(row, round, now) : 0;
    if (outcome == QLM_SMTP_SENT) {
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
}

static qlm_error_t *work_row(qlm_outbox_row_t *row, round_t *round, apr_pool_t *pool)
{
    const char *reason = "";
    int is_mail = strcmp(row->kind, QLM_OUTBOX_MAIL) == 0;
    qlm_smtp_outcome_t outcome =
        is_mail ? send_mail(&reason, row, round, pool) : post_webhook(&reason, row, round, pool);
    update_t update = {row};

    settle(row, outcome, reason, round);
    round->input->log(round->input->baton,
                      apr_psprintf(pool, "%s %" APR_INT64_T_FMT " (%s) %s after %d %s%s%s",
                                   row->kind, row->id, row->subject,
                                   outcome == QLM_SMTP_SENT ? "sent"
                                   : strcmp(row->state, QLM_OUTBOX_WAITING) == 0
                                       ? "will be tried again"
                                       : "given up",
                                   row->attempts, row->attempts == 1 ? "try" : "tries",
                                   *reason ? ": " : "", qlm_text_for_log(reason, 200, pool)),
                      strcmp(row->state, QLM_OUTBOX_FAILED) == 0);
    return write_unit(round, update_unit, &update, pool);
}

/* ---- lease ------------------------------------------------------------------------------------
 */

typedef struct lease_t {
    const char *owner;
    apr_int64_t now;
    int taken;
} lease_t;

static qlm_error_t *lease_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    lease_t *lease = baton;

    return qlm_store_take_lease(&lease->taken, store, lease_name, lease->owner, lease->now,
                                lease->now + LEASE_SECONDS, pool);
}

static qlm_error_t *take_lease(int *taken, const round_t *round, apr_pool_t *pool)
{
    lease_t lease = {round->input->owner, round->input->clock(round->input->baton), 0};

    QLM_TRY(write_unit(round, lease_unit, &lease, pool));
    *taken = lease.taken;
    return NULL;
}

/* ---- retention --------------------------------------------------------------------------------
 */

typedef struct purge_t {
    apr_int64_t before;
    int removed;
} purge_t;

static qlm_error_t *purge_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    purge_t *purge = baton;

    return qlm_store_purge_outbox(&purge->removed, store, purge->before, PURGE_BATCH, pool);
}

static qlm_error_t *purge(round_t *round, apr_pool_t *pool)
{
    apr_int64_t days = qlm_properties_int(round->properties, QLM_PROPERTY_OUTBOX_DAYS);
    purge_t work = {round->input->clock(round->input->baton) - days * QLM_DATE_DAY, 0};

    if (days < 0) {
        return NULL;
    }
    QLM_TRY(write_unit(round, purge_unit, &work, pool));
    round->result->purged = work.removed;
    return NULL;
}

/* ---- the round --------------------------------------------------------------------------------
 */

/* What is due, and is there anything old to remove? Reads only. */
static qlm_error_t *look(apr_array_header_t **rows, int *has_old, round_t *round)
{
    const qlm_lender_t *lender = &round->input->lender;
    apr_int64_t now = round->input->clock(round->input->baton);
    apr_int64_t days;
    qlm_store_t *store = NULL;
    qlm_error_t *error = lender->lend(&store, lender->baton, round->pool);

    if (!error) {
        error =
            qlm_site_snapshot(&round->site, qlm_service_site(round->service), store, round->pool);
    }
    if (!error) {
        round->properties = qlm_snapshot_properties(round->site);
        days = qlm_properties_int(round->properties, QLM_PROPERTY_OUTBOX_DAYS);
        error = qlm_store_list_due(rows, store, now, BATCH, round->pool);
        *has_old = 0;
        if (!error && days >= 0) {
            error =
                qlm_store_has_old_outbox(has_old, store, now - days * QLM_DATE_DAY, round->pool);
        }
    }
    lender->give_back(store, lender->baton);
    return error;
}

qlm_error_t *qlm_outbox_work(qlm_outbox_round_t *result, qlm_service_t *service,
                             const qlm_outbox_input_t *input, apr_pool_t *pool)
{
    round_t round = {result, input, service, NULL, NULL, pool};
    apr_array_header_t *rows;
    apr_pool_t *scratch;
    int has_old, taken = 1;

    memset(result, 0, sizeof(*result));
    QLM_TRY(look(&rows, &has_old, &round));
    if (rows->nelts == 0 && !has_old) {
        return NULL;
    }
    apr_pool_create(&scratch, pool);
    /* The lease is renewed before each row, so it outlasts every single one. */
    QLM_TRY(take_lease(&taken, &round, scratch));
    for (int i = 0; i < rows->nelts && taken && !input->is_stopping(input->baton); i++) {
        apr_pool_clear(scratch);
        QLM_TRY(work_row(&APR_ARRAY_IDX(rows, i, qlm_outbox_row_t), &round, scratch));
        QLM_TRY(take_lease(&taken, &round, scratch));
    }
    return has_old && taken && !input->is_stopping(input->baton) ? purge(&round, scratch) : NULL;
}
