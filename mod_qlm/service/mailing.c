/* The outbox's mails, one after the other; and retention, by the way. */
#include "base/text.h"
#include "mail/message.h"
#include "service/retention.h"
#include "service/sealed.h"

#include <apr_strings.h>
#include <string.h>

#define SEND_SECONDS 20
#define BATCHES_MAX  50 /* of one round; the next one is a second later */

static const char lease_name[] = "outbox";

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
    return qlm_site_open_secret(&settings->password, QLM_PROPERTY_SMTP_PASSWORD, properties,
                                secrets, pool);
}

qlm_error_t *qlm_outbox_find_clear_login(const char **server, qlm_store_t *store, apr_pool_t *pool)
{
    qlm_properties_t *properties = qlm_properties_create(pool);
    apr_array_header_t *values;
    const char *host;

    QLM_TRY(qlm_store_list_properties(&values, store, pool));
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *value = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        qlm_properties_put(properties, value->name, value->value);
    }
    host = qlm_properties_text(properties, QLM_PROPERTY_SMTP_SERVER);
    *server = *host && *qlm_properties_text(properties, QLM_PROPERTY_SMTP_USER) &&
                      !qlm_properties_bool(properties, QLM_PROPERTY_SMTP_ENABLE_SSL) &&
                      !qlm_text_is_loopback(host)
                  ? host
                  : NULL;
    return NULL;
}

/* ---- one mail ---------------------------------------------------------------------------------
 */

static qlm_smtp_outcome_t send_mail(const char **reason, const qlm_outbox_row_t *row,
                                    const qlm_round_t *round, apr_pool_t *pool)
{
    qlm_smtp_settings_t settings = {0};
    qlm_mail_t *mail;
    qlm_error_t *error =
        qlm_sealed_read_mail(&mail, row, qlm_service_secrets(round->service), pool);

    if (error) {
        *reason = error->text;
        return QLM_SMTP_NEVER;
    }
    error = qlm_outbox_smtp_settings(&settings, round->properties,
                                     qlm_service_secrets(round->service), pool);
    if (error) {
        *reason = error->text;
        return QLM_SMTP_AWAY;
    }
    settings.ca_file = round->input->ca_file ? round->input->ca_file : "";
    settings.is_stopping = round->input->is_stopping;
    settings.baton = round->input->baton;
    if (!*settings.server) {
        *reason = "no mail server: run `qlmctl property set smtpServer HOST`";
        return QLM_SMTP_AWAY;
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

/* ---- the round --------------------------------------------------------------------------------
 */

/* What there is to do, if we may. */
typedef struct agenda_t {
    apr_array_header_t *rows; /* NULL = nothing, or the lease is somebody else's */
    int has_old;
} agenda_t;

static qlm_error_t *look(qlm_store_t *store, qlm_round_t *round, void *baton, apr_pool_t *pool)
{
    agenda_t *agenda = baton;
    qlm_outbox_filter_t filter = {QLM_OUTBOX_MAIL, "", qlm_round_now(round), QLM_ROUND_BATCH};
    int is_free;

    QLM_TRY(qlm_round_is_lease_free(&is_free, store, round, pool));
    if (!is_free) {
        return NULL;
    }
    QLM_TRY(qlm_store_list_due(&agenda->rows, store, &filter, pool));
    return qlm_retention_look(&agenda->has_old, store, round, pool);
}

/* *is_over: no use to go on in this round. */
static qlm_error_t *send_all(int *is_over, qlm_round_t *round, const apr_array_header_t *rows,
                             apr_pool_t *pool)
{
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (int i = 0; i < rows->nelts && !*is_over; i++) {
        qlm_outbox_row_t *row = &APR_ARRAY_IDX(rows, i, qlm_outbox_row_t);
        qlm_smtp_outcome_t outcome;
        const char *reason = "";
        int held;

        apr_pool_clear(scratch);
        QLM_TRY(qlm_round_hold_lease(&held, round, scratch));
        if (!held || qlm_round_is_stopping(round)) {
            *is_over = 1;
            break;
        }
        outcome = send_mail(&reason, row, round, scratch);
        *is_over = outcome == QLM_SMTP_AWAY;
        QLM_TRY(qlm_round_settle(round, row, outcome, reason, scratch));
    }
    apr_pool_destroy(scratch);
    return NULL;
}

/* *is_over: there is nothing more to do in this round. */
static qlm_error_t *work_batch(int *is_over, qlm_round_t *round, apr_pool_t *pool)
{
    agenda_t agenda = {NULL, 0};
    int held;

    *is_over = 1;
    QLM_TRY(qlm_round_look(round, look, &agenda, pool));
    if (!agenda.rows || (agenda.rows->nelts == 0 && !agenda.has_old)) {
        return NULL;
    }
    QLM_TRY(qlm_round_hold_lease(&held, round, pool));
    if (!held) {
        return NULL;
    }
    *is_over = 0;
    QLM_TRY(send_all(is_over, round, agenda.rows, pool));
    if (agenda.has_old && !round->result->purged && !qlm_round_is_stopping(round)) {
        QLM_TRY(qlm_retention_purge(round, pool));
    }
    *is_over |= agenda.rows->nelts < QLM_ROUND_BATCH;
    return NULL;
}

qlm_error_t *qlm_outbox_send(qlm_outbox_round_t *result, qlm_service_t *service,
                             const qlm_outbox_input_t *input, apr_pool_t *pool)
{
    qlm_round_t round = {result, input, service, lease_name, 0, NULL};
    apr_pool_t *batch;
    int is_over = 0;

    memset(result, 0, sizeof(*result));
    apr_pool_create(&batch, pool);
    for (int i = 0; i < BATCHES_MAX && !is_over; i++) {
        apr_pool_clear(batch);
        QLM_TRY(work_batch(&is_over, &round, batch));
    }
    apr_pool_destroy(batch);
    return NULL;
}
