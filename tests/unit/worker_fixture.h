/* What the tests of the outbox's worker share: senders and a clock that do as they are told. */
#ifndef QLM_TESTS_WORKER_FIXTURE_H
#define QLM_TESTS_WORKER_FIXTURE_H

#include "service/outbox.h"

#include "unit/outbox_fixture.h"

/* ---- the worker's world -----------------------------------------------------------------------
 */

/* What was sent, and what happens to it. */
static struct {
    qlm_smtp_outcome_t outcome;
    const char *reason;
    int mails;
    const char *message_ids, *from, *from_name, *to;
    qlm_smtp_settings_t settings;
    int status; /* of webhooks; 0 = no answer */
    int posts, most_flights;
    apr_int64_t patience; /* until then hangs what is to hang */
    const char *urls, *body, *signature, *content_type;
    int stop_after; /* rows, -1 = never */
    void (*meanwhile)(void);
    int lines, finals;
    const char *line;
} world;

/* Is there this text? */
static inline int says(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static inline qlm_smtp_outcome_t send_mail(const char **reason, const qlm_mail_t *mail,
                                           const qlm_smtp_settings_t *settings,
                                           apr_pool_t *send_pool)
{
    ck_assert_int_eq(lent, 0); /* nobody waits for a connection while a mail server hangs */
    ck_assert_ptr_nonnull(send_pool);
    ck_assert_ptr_null(qlm_mail_check(mail, pool));
    world.mails++;
    world.message_ids = apr_pstrcat(pool, world.message_ids, mail->message_id, NULL);
    world.from = apr_pstrdup(pool, mail->from);
    world.from_name = apr_pstrdup(pool, mail->from_name);
    world.to = apr_pstrdup(pool, mail->to);
    world.settings = *settings;
    world.settings.server = apr_pstrdup(pool, settings->server);
    world.settings.user = apr_pstrdup(pool, settings->user);
    world.settings.password = apr_pstrdup(pool, settings->password);
    world.settings.ca_file = apr_pstrdup(pool, settings->ca_file);
    if (world.meanwhile) {
        world.meanwhile();
    }
    *reason = apr_pstrdup(send_pool, world.reason);
    return world.outcome;
}

/* What is under way: in the order in which it was started. */
static struct {
    void *ticket;
    const char *url;
    apr_pool_t *pool;
} flying[40];
static int flights;

static inline void start_post(void *baton, void *ticket, const qlm_fetch_request_t *request,
                              apr_pool_t *post_pool)
{
    ck_assert_ptr_eq(baton, &world);
    ck_assert_int_eq(lent, 0);
    ck_assert_str_eq(request->method, "POST");
    ck_assert_int_eq(request->headers->nelts, 1);
    world.posts++;
    world.urls = apr_pstrcat(pool, world.urls, request->url, " ", NULL);
    world.body = apr_pstrdup(pool, request->body);
    world.content_type = apr_pstrdup(pool, request->content_type);
    world.signature = apr_pstrdup(pool, APR_ARRAY_IDX(request->headers, 0, const char *));
    for (int i = 0; i < flights; i++) {
        ck_assert_str_ne(flying[i].url, request->url); /* one at a time for each */
    }
    ck_assert_int_lt(flights, 40);
    flying[flights].ticket = ticket;
    flying[flights].url = apr_pstrdup(pool, request->url);
    flying[flights++].pool = post_pool;
    world.most_flights = flights > world.most_flights ? flights : world.most_flights;
}

/* The first that does not hang. Time passes while nobody answers; what hangs for 12 seconds has
 * failed. */
static inline int wait_for_post(void **ticket, qlm_fetch_response_t **response, qlm_error_t **error,
                                void *baton, int milliseconds)
{
    int i = 0;

    ck_assert_ptr_eq(baton, &world);
    ck_assert_int_eq(lent, 0);
    ck_assert_int_gt(milliseconds, 0);
    while (i < flights && says(flying[i].url, "hang") && now < world.patience) {
        i++;
    }
    if (i == flights) {
        now++;
        return 0;
    }
    *ticket = flying[i].ticket;
    *response = apr_pcalloc(flying[i].pool, sizeof(**response));
    (*response)->status = world.status;
    (*response)->content_type = (*response)->body = "";
    *error = !world.status || says(flying[i].url, "hang")
                 ? qlm_error_make(flying[i].pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "%s",
                                  "connection refused")
                 : NULL;
    flying[i] = flying[--flights];
    if (world.meanwhile) {
        world.meanwhile();
    }
    return 1;
}

static inline apr_int64_t tell_time(void *baton)
{
    (void)baton;
    return now;
}

static inline int is_stopping(void *baton)
{
    (void)baton;
    return world.stop_after >= 0 && world.mails + world.posts >= world.stop_after;
}

static inline void write_log(void *baton, const char *line, int is_final)
{
    (void)baton;
    world.lines++;
    world.finals += is_final;
    world.line = apr_pstrdup(pool, line);
}

static inline qlm_outbox_input_t input_of(const char *owner)
{
    static const qlm_courier_t webhooks = {start_post, wait_for_post, &world};
    qlm_outbox_input_t input = {0};

    input.owner = owner;
    input.lender.lend = lend;
    input.lender.give_back = give_back;
    input.courier = &webhooks;
    input.send_mail = send_mail;
    input.clock = tell_time;
    input.is_stopping = is_stopping;
    input.log = write_log;
    return input;
}

/* Mails, then webhooks. */
static inline qlm_error_t *work_as(qlm_outbox_round_t *round, const char *owner)
{
    qlm_outbox_input_t input = input_of(owner);
    qlm_outbox_round_t posted = {0};
    qlm_error_t *error = qlm_outbox_send(round, service, &input, pool);

    flights = 0;
    if (!error) {
        error = qlm_outbox_post(&posted, service, &input, pool);
    }
    ck_assert_int_eq(lent, 0);
    round->sent += posted.sent;
    round->later += posted.later;
    round->failed += posted.failed;
    round->deferred += posted.deferred;
    return error;
}

static inline qlm_outbox_round_t work(void)
{
    qlm_outbox_round_t round;

    OK(work_as(&round, "me"));
    return round;
}

static inline void check_round(qlm_outbox_round_t round, int sent, int later, int failed,
                               int purged)
{
    ck_assert_msg(round.sent == sent && round.later == later && round.failed == failed &&
                      round.purged == purged,
                  "sent %d, later %d, failed %d, purged %d (%s)", round.sent, round.later,
                  round.failed, round.purged, world.line);
}

static inline void set_up_worker(void)
{
    set_up();
    memset(&world, 0, sizeof(world));
    world.outcome = QLM_SMTP_SENT;
    world.status = 200;
    world.stop_after = -1;
    world.reason = world.message_ids = world.urls = world.line = "";
    set_property("smtpServer", "mail.sender.example");
    set_property("smtpFrom", "shop@sender.example");
}

static inline qlm_outbox_row_t new_mail(apr_int64_t id, const char *from)
{
    qlm_outbox_row_t row = new_row(id, "", now);
    qlm_mail_t mail = {0};

    mail.from = from;
    mail.from_name = "";
    mail.to = "ann@buyer.example";
    mail.subject = "Keys";
    mail.html = "<p>A1</p>";
    mail.text = "A1";
    mail.message_id = apr_psprintf(pool, "<qlm.%d@sender.example>", (int)id);
    mail.date = now;
    row.kind = QLM_OUTBOX_MAIL;
    row.target = mail.to;
    row.subject = "order shareit/1";
    row.payload = qlm_mail_to_json(&mail, pool);
    row.created_at = now;
    return row;
}

static inline void queue_mail(apr_int64_t id)
{
    write_row(new_mail(id, "shop@sender.example"));
}

static inline void queue_webhook(apr_int64_t id, const char *order_key)
{
    qlm_outbox_row_t row = new_row(id, order_key, now);

    row.created_at = now;
    write_row(row);
}

#endif
