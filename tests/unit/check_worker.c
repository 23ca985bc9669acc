/* The outbox's worker on a real SQLite file, with senders and a clock that do as they are told. */
#include "unit/worker_fixture.h"

#include "store/history.h"

#include <openssl/evp.h>
#include <stdio.h>

/* ---- rounds -----------------------------------------------------------------------------------
 */

START_TEST(what_is_due_is_sent_once)
{
    queue_mail(1);
    queue_webhook(2, "");
    check_round(work(), 2, 0, 0, 0);
    ck_assert_int_eq(world.mails, 1);
    ck_assert_int_eq(world.posts, 1);
    ck_assert_str_eq(world.to, "ann@buyer.example");
    ck_assert_str_eq(world.from, "shop@sender.example");
    ck_assert_str_eq(world.message_ids, "<qlm.1@sender.example>");
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_SENT);
    ck_assert_str_eq(find_row(1)->last_error, "");
    ck_assert_int_eq(find_row(1)->attempts, 1);
    ck_assert_int_eq(find_row(1)->finished_at, now);
    ck_assert_int_eq(world.lines, 2);
    ck_assert_int_eq(world.finals, 0);
    check_round(work(), 0, 0, 0, 0);
    ck_assert_int_eq(world.mails + world.posts, 2);
}
END_TEST

/* Pauses double from 30 seconds to 6 hours; what is 3 days old by its next try is given up. */
START_TEST(a_failing_row_is_tried_with_growing_pauses_for_three_days)
{
    apr_int64_t created = now, expected = 30;
    int tries = 0;

    queue_mail(1);
    world.outcome = QLM_SMTP_LATER;
    world.reason = "451 greylisted";
    for (;;) {
        const qlm_outbox_row_t *row;

        ck_assert_int_lt(tries, 100);
        work();
        ck_assert_int_eq(world.mails, ++tries);
        row = find_row(1);
        ck_assert_int_eq(row->attempts, tries);
        ck_assert_str_eq(row->last_error, "451 greylisted");
        if (strcmp(row->state, QLM_OUTBOX_WAITING) != 0) {
            break;
        }
        ck_assert_int_eq(row->finished_at, 0);
        ck_assert_int_eq(row->next_at, now + expected);
        now += expected - 1;
        work();
        ck_assert_int_eq(world.mails, tries); /* a second too early */
        now += 1;
        expected = expected * 2 < 6 * 3600 ? expected * 2 : 6 * 3600;
    }
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_FAILED);
    ck_assert_int_eq(find_row(1)->finished_at, now);
    /* 30 + 60 + … + 15360 = 30690, then ten times 21600 fit */
    ck_assert_int_eq(tries, 21);
    ck_assert_int_le(now, created + 3 * QLM_DATE_DAY);
    ck_assert_int_gt(now + 6 * 3600, created + 3 * QLM_DATE_DAY);
    ck_assert_int_eq(world.finals, 1);
    ck_assert(says(world.line, "given up after 21 tries: 451 greylisted"));
}
END_TEST

START_TEST(the_pause)
{
    static const struct {
        int attempts;
        apr_int64_t age, pause;
    } cases[] = {
        {1, 0, 30},
        {2, 30, 60},
        {10, 15330, 15360},
        {11, 30690, 21600},
        {50, 30690, 21600},
        {2000000000, 30690, 21600},
        {1, 3 * 86400 - 30, 30},
        {1, 3 * 86400 - 29, 0},
        {12, 3 * 86400 - 21600, 21600},
        {12, 3 * 86400 - 21599, 0},
        {1, 100 * 86400, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_int_eq(qlm_outbox_pause(cases[i].attempts, NOW, NOW + cases[i].age),
                         cases[i].pause);
    }
}
END_TEST

START_TEST(a_final_refusal_parks_the_row_at_once)
{
    queue_mail(1);
    queue_mail(2);
    world.outcome = QLM_SMTP_NEVER;
    world.reason = "550 no such user";
    check_round(work(), 0, 0, 2, 0);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_FAILED);
    ck_assert_str_eq(find_row(1)->last_error, "550 no such user");
    ck_assert_int_eq(find_row(1)->finished_at, now);
    ck_assert_int_eq(world.finals, 2);
    now += QLM_DATE_DAY;
    check_round(work(), 0, 0, 0, 0);
    ck_assert_int_eq(world.mails, 2);
}
END_TEST

START_TEST(a_repeat_has_the_message_id_of_the_first_try)
{
    queue_mail(1);
    world.outcome = QLM_SMTP_LATER;
    work();
    world.outcome = QLM_SMTP_SENT;
    now += 30;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(world.message_ids, "<qlm.1@sender.example><qlm.1@sender.example>");
    ck_assert_str_eq(find_row(1)->last_error, "");
    ck_assert_int_eq(find_row(1)->attempts, 2);
}
END_TEST

START_TEST(a_payload_that_cannot_be_read_is_parked)
{
    qlm_outbox_row_t row = new_mail(1, "shop@sender.example");

    row.payload = "{\"from\":";
    write_row(row);
    check_round(work(), 0, 0, 1, 0);
    ck_assert_int_eq(world.mails, 0);
    ck_assert_str_ne(find_row(1)->last_error, "");
}
END_TEST

START_TEST(full_batches_follow_each_other)
{
    for (int i = 1; i <= 45; i++) {
        queue_mail(i);
        queue_webhook(100 + i, "");
    }
    check_round(work(), 90, 0, 0, 0);
}
END_TEST

START_TEST(a_stopping_server_finishes_the_row_at_hand_only)
{
    for (int i = 1; i <= 5; i++) {
        queue_mail(i);
    }
    world.stop_after = 2;
    check_round(work(), 2, 0, 0, 0);
    ck_assert_int_eq(rows_of(QLM_OUTBOX_WAITING)->nelts, 3);
}
END_TEST

START_TEST(rows_of_one_license_go_out_in_order)
{
    queue_webhook(1, "a");
    queue_webhook(2, "a");
    world.status = 503;
    check_round(work(), 0, 1, 0, 0);
    world.status = 200;
    check_round(work(), 0, 0, 0, 0); /* the second waits for the first */
    now += 30;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_SENT);
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(find_row(2)->state, QLM_OUTBOX_SENT);
}
END_TEST

/* ---- settings of mail -------------------------------------------------------------------------
 */

START_TEST(without_a_mail_server_mails_wait)
{
    set_property("smtpServer", "");
    queue_mail(1);
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(world.mails, 0);
    ck_assert(says(find_row(1)->last_error, "smtpServer"));
    ck_assert(says(world.line, "smtpServer"));
    set_property("smtpServer", "mail.sender.example");
    now += 30;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(world.settings.server, "mail.sender.example");
}
END_TEST

START_TEST(a_sender_that_is_set_later_is_used)
{
    set_property("smtpFrom", "");
    write_row(new_mail(1, ""));
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(world.mails, 0);
    ck_assert(says(find_row(1)->last_error, "smtpFrom"));
    set_property("smtpFrom", "late@sender.example");
    set_property("smtpFromDisplayName", "The Shop");
    now += 30;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(world.from, "late@sender.example");
    ck_assert_str_eq(world.from_name, "The Shop");
}
END_TEST

START_TEST(the_properties_of_the_mail_server_are_used)
{
    set_property("smtpUser", "shop");
    set_secret("smtpPassword", "pa$$ \xc3\xa9");
    queue_mail(1);
    work();
    ck_assert_str_eq(world.settings.user, "shop");
    ck_assert_str_eq(world.settings.password, "pa$$ \xc3\xa9");
    ck_assert_str_eq(world.settings.ca_file, "");
    ck_assert_int_eq(world.settings.port, 0);
    ck_assert_int_eq(world.settings.tls, 1);
    ck_assert_int_gt(world.settings.total_seconds, 0);
    ck_assert_int_le(world.settings.total_seconds, 20); /* the lease outlasts it */
    set_property("smtpPort", "465");
    queue_mail(2);
    work();
    ck_assert_int_eq(world.settings.port, 465);
    ck_assert_int_eq(world.settings.tls, 2);
    set_property("smtpEnableSSL", "false");
    queue_mail(3);
    work();
    ck_assert_int_eq(world.settings.tls, 0);
}
END_TEST

START_TEST(a_password_sealed_by_another_server_sends_nothing)
{
    set_property("smtpPassword", "s1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    queue_mail(1);
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(world.mails, 0);
    ck_assert_str_ne(find_row(1)->last_error, "");
    ck_assert(!says(find_row(1)->last_error, "AAAA"));
}
END_TEST

/* ---- webhooks ---------------------------------------------------------------------------------
 */

/* The signature a receiver reckons: SHA-256 over the body and then the secret. */
static const char *signature(const char *body, const char *secret)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    char *hex = apr_palloc(pool, 65);

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, body, strlen(body));
    EVP_DigestUpdate(context, secret, strlen(secret));
    EVP_DigestFinal_ex(context, digest, &length);
    EVP_MD_CTX_free(context);
    ck_assert_uint_eq(length, 32);
    for (int i = 0; i < 32; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", (unsigned int)digest[i]);
    }
    return apr_pstrcat(pool, "X-QLM-Signature: ", hex, NULL);
}

START_TEST(a_webhook_is_posted_as_it_stands_and_signed)
{
    const char *body = new_row(1, "", now).payload;

    queue_webhook(1, "");
    work();
    ck_assert_str_eq(world.urls, "https://hook.example/a ");
    ck_assert_str_eq(world.content_type, "application/json");
    ck_assert_str_eq(world.body, body);
    ck_assert_str_eq(world.signature, signature(body, ""));
    set_secret("webHookSecretKey", "s3cret");
    queue_webhook(2, "");
    work();
    ck_assert_str_eq(world.signature, signature(body, "s3cret"));
    ck_assert_str_ne(signature(body, ""), signature(body, "s3cret"));
    ck_assert(!says(world.line, "s3cret"));
}
END_TEST

static const struct {
    int status, is_taken;
} statuses[] = {{200, 1}, {204, 1}, {299, 1}, {301, 0}, {304, 0}, {400, 0},
                {404, 0}, {410, 0}, {429, 0}, {500, 0}, {199, 0}, {0, 0}};

START_TEST(only_2xx_says_that_a_webhook_arrived)
{
    queue_webhook(1, "");
    world.status = statuses[_i].status;
    check_round(work(), statuses[_i].is_taken, !statuses[_i].is_taken, 0, 0);
    if (!statuses[_i].is_taken) {
        ck_assert_int_eq(find_row(1)->next_at, now + 30);
        ck_assert_str_eq(find_row(1)->last_error, world.status
                                                      ? apr_psprintf(pool, "HTTP %d", world.status)
                                                      : "connection refused");
    }
}
END_TEST

START_TEST(the_publishers_own_schedule)
{
    set_property("webHookMaxRetries", "2");
    set_property("webHookRetryInterval", "100");
    world.status = 500;
    queue_webhook(1, "");
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(find_row(1)->next_at, now + 100);
    now += 100;
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(find_row(1)->next_at, now + 100);
    now += 100;
    check_round(work(), 0, 0, 1, 0);
    ck_assert_int_eq(world.posts, 3); /* the call and two retries */
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_FAILED);
    set_property("webHookMaxRetries", "0");
    queue_webhook(2, "");
    check_round(work(), 0, 0, 1, 0);
    /* mails keep the server's schedule */
    world.outcome = QLM_SMTP_LATER;
    queue_mail(3);
    check_round(work(), 0, 1, 0, 0);
    ck_assert_int_eq(find_row(3)->next_at, now + 30);
}
END_TEST

START_TEST(the_servers_schedule_is_the_default)
{
    world.status = 500;
    queue_webhook(1, "");
    work();
    ck_assert_int_eq(find_row(1)->next_at, now + 30);
    now += 30;
    work();
    ck_assert_int_eq(find_row(1)->next_at, now + 60);
}
END_TEST

/* ---- retention --------------------------------------------------------------------------------
 */

static void add_finished(apr_int64_t id, const char *state, apr_int64_t finished_at)
{
    qlm_outbox_row_t row = new_row(id, "", finished_at);

    row.state = state;
    row.finished_at = finished_at;
    write_row(row);
}

START_TEST(finished_rows_follow_their_retention)
{
    add_finished(1, QLM_OUTBOX_SENT, now - 30 * QLM_DATE_DAY - 1);
    add_finished(2, QLM_OUTBOX_FAILED, now - 30 * QLM_DATE_DAY - 1);
    add_finished(3, QLM_OUTBOX_CANCELLED, now - 30 * QLM_DATE_DAY - 1);
    add_finished(4, QLM_OUTBOX_SENT, now - 30 * QLM_DATE_DAY);
    check_round(work(), 0, 0, 0, 3);
    ck_assert_str_eq(ids_of(rows_of("")), "4");
    check_round(work(), 0, 0, 0, 0);
    set_property("outboxRetentionInDays", "-1"); /* kept for ever */
    now += 10000 * QLM_DATE_DAY;
    check_round(work(), 0, 0, 0, 0);
    set_property("outboxRetentionInDays", "9999");
    check_round(work(), 0, 0, 0, 1);
    ck_assert_int_eq(rows_of("")->nelts, 0);
}
END_TEST

UNIT(add_events, const apr_int64_t)
{
    static const char *const events[] = {"created", "renewed", "released"};
    qlm_actor_t actor = {0};

    for (int i = 0; i < 3; i++) {
        qlm_history_t row = {.license_id = 7, .event = events[i]};

        actor.now = *baton;
        QLM_TRY(qlm_store_add_history(unit_store, &row, &actor, unit_pool));
    }
    return NULL;
}

static const char *events_kept(void)
{
    qlm_history_filter_t filter = {.license_id = 7, .limit = 100};
    apr_array_header_t *rows;
    const char *events = "";

    OK(qlm_store_list_history(&rows, store, &filter, pool));
    for (int i = 0; i < rows->nelts; i++) {
        events = apr_pstrcat(pool, events, APR_ARRAY_IDX(rows, i, qlm_history_t).event, " ", NULL);
    }
    return events;
}

/* Releases are counted by limits, so they stay. */
START_TEST(history_follows_its_retention)
{
    apr_int64_t old = now - 1825 * QLM_DATE_DAY - 1, young = old + 1;

    OK(qlm_store_write(store, add_events, &old, pool));
    OK(qlm_store_write(store, add_events, &young, pool));
    set_property("historyRetentionInDays", "-1");
    check_round(work(), 0, 0, 0, 0);
    set_property("historyRetentionInDays", "1825");
    check_round(work(), 0, 0, 0, 2);
    ck_assert_str_eq(events_kept(), "released renewed created released ");
    check_round(work(), 0, 0, 0, 0);
}
END_TEST

UNIT(add_many, int)
{
    for (int i = 0; i < *baton; i++) {
        qlm_outbox_row_t row = new_row(0, "", NOW);

        row.state = QLM_OUTBOX_SENT;
        row.finished_at = NOW;
        QLM_TRY(qlm_store_add_outbox(unit_store, &row, unit_pool));
    }
    return NULL;
}

START_TEST(much_is_removed_in_small_batches)
{
    int count = 501;

    OK(qlm_store_write(store, add_many, &count, pool));
    check_round(work(), 0, 0, 0, 500);
    check_round(work(), 0, 0, 0, 1);
    check_round(work(), 0, 0, 0, 0);
}
END_TEST

/* ---- who works --------------------------------------------------------------------------------
 */

START_TEST(the_second_server_sends_nothing_until_the_lease_runs_out)
{
    qlm_outbox_round_t round;
    apr_int64_t last;

    queue_mail(1);
    work();
    last = now;
    queue_mail(2);
    add_finished(3, QLM_OUTBOX_SENT, now - 31 * QLM_DATE_DAY);
    OK(work_as(&round, "other"));
    check_round(round, 0, 0, 0, 0); /* nor does it remove anything */
    ck_assert_str_eq(find_row(2)->state, QLM_OUTBOX_WAITING);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    ck_assert_int_eq(find_row(3)->id, 3);
    while (round.sent == 0) {
        ck_assert_int_le(now, last + 60);
        now++;
        OK(work_as(&round, "other"));
    }
    ck_assert_int_gt(now, last + 20 + 1); /* longer than a row takes */
    check_round(round, 1, 0, 0, 1);
    queue_mail(4);
    check_round(work(), 0, 0, 0, 0);
    ck_assert_str_eq(find_row(4)->state, QLM_OUTBOX_WAITING);
}
END_TEST

/* The process slept through its lease, and another one took over. */
static void lose_lease(void)
{
    now += 3600;
    ck_assert_int_eq(take(store, "outbox", "other", now, now + 45), 1);
    world.meanwhile = NULL;
}

START_TEST(who_loses_the_lease_stops_after_the_row_at_hand)
{
    queue_mail(1);
    queue_mail(2);
    queue_mail(3);
    world.meanwhile = lose_lease;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_int_eq(world.mails, 1);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_SENT);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    ck_assert_str_eq(find_row(3)->state, QLM_OUTBOX_WAITING);
}
END_TEST

static void pass_time(void)
{
    now += 20;
}

START_TEST(a_slow_round_keeps_its_lease)
{
    qlm_outbox_round_t round;

    for (int i = 1; i <= 6; i++) {
        queue_mail(i);
    }
    world.meanwhile = pass_time; /* 120 seconds altogether */
    check_round(work(), 6, 0, 0, 0);
    world.meanwhile = NULL;
    queue_mail(7);
    OK(work_as(&round, "other"));
    check_round(round, 0, 0, 0, 0);
}
END_TEST

/* A server whose clock is ahead looks for the lease when a row has taken as long as it may. */
static int fast_clock, taken_by_fast_clock;
static void look_from_there(void)
{
    now += world.mails == 1 ? 15 : 21; /* so that the second begins with as little as is allowed */
    if (world.mails == 2) {
        taken_by_fast_clock =
            take(store, "outbox", "other", now + fast_clock, now + fast_clock + 45);
    }
}

START_TEST(a_lease_has_one_holder_while_clocks_differ_by_less_than_ten_seconds)
{
    queue_mail(1);
    queue_mail(2);
    fast_clock = _i;
    world.meanwhile = look_from_there;
    check_round(work(), 2, 0, 0, 0);
    ck_assert_int_eq(taken_by_fast_clock, _i > 9);
}
END_TEST

static void cancel_first(void)
{
    ck_assert_int_eq(change(1, QLM_OUTBOX_CANCELLED, now, now, 0), 1);
}

START_TEST(a_lease_is_given_up_at_the_end)
{
    qlm_outbox_round_t round;
    qlm_outbox_input_t input = input_of("me");

    queue_mail(1);
    queue_webhook(2, "");
    check_round(work(), 2, 0, 0, 0);
    queue_mail(3);
    queue_webhook(4, "");
    OK(work_as(&round, "other"));
    check_round(round, 0, 0, 0, 0);
    OK(qlm_outbox_release(&input, pool));
    ck_assert_int_eq(lent, 0);
    OK(work_as(&round, "other"));
    check_round(round, 2, 0, 0, 0);
    OK(qlm_outbox_release(&input, pool)); /* somebody else's is not */
    queue_mail(5);
    check_round(work(), 0, 0, 0, 0);
}
END_TEST

START_TEST(a_row_cancelled_meanwhile_stays_cancelled)
{
    queue_mail(1);
    world.outcome = QLM_SMTP_LATER;
    world.meanwhile = cancel_first;
    work();
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_CANCELLED);
    world.meanwhile = NULL;
    now += 30;
    check_round(work(), 0, 0, 0, 0);
    ck_assert_int_eq(world.mails, 1);
}
END_TEST

static void lose_database(void)
{
    is_database_away = 1;
}

START_TEST(what_could_not_be_marked_is_sent_again)
{
    qlm_outbox_round_t round;
    qlm_error_t *error;

    queue_mail(1);
    world.meanwhile = lose_database;
    error = work_as(&round, "me");
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_STORE);
    error = work_as(&round, "me"); /* still away */
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(world.mails, 1);
    is_database_away = 0;
    world.meanwhile = NULL;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_int_eq(world.mails, 2);
    ck_assert_str_eq(world.message_ids, "<qlm.1@sender.example><qlm.1@sender.example>");
}
END_TEST

/* ---- idle -------------------------------------------------------------------------------------
 */

static const char *content_of(const char *name)
{
    apr_file_t *file;
    apr_finfo_t info;
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *bytes, *hex = apr_palloc(pool, 65);

    if (apr_file_open(&file, name, APR_READ, 0, pool) != APR_SUCCESS) {
        return "none";
    }
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    bytes = apr_palloc(pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(file, bytes, (apr_size_t)info.size, NULL), APR_SUCCESS);
    apr_file_close(file);
    ck_assert_int_eq(EVP_Digest(bytes, (size_t)info.size, digest, NULL, EVP_sha256(), NULL), 1);
    for (int i = 0; i < 32; i++) {
        snprintf(hex + (size_t)i * 2, 3, "%02x", (unsigned int)digest[i]);
    }
    return hex;
}

/* What the database's files hold; its log is where a write goes first. */
static const char *state_of_files(void)
{
    return apr_pstrcat(pool, content_of(path), " ",
                       content_of(apr_pstrcat(pool, path, "-wal", NULL)), NULL);
}

START_TEST(an_idle_round_writes_nothing)
{
    const char *before;

    queue_mail(1);
    work();
    add_finished(2, QLM_OUTBOX_SENT, now - QLM_DATE_DAY); /* not old enough */
    write_row(new_row(3, "", now + 3600));                /* not due */
    before = state_of_files();
    for (int i = 0; i < 10; i++) {
        now++;
        check_round(work(), 0, 0, 0, 0);
    }
    ck_assert_str_eq(state_of_files(), before);
    ck_assert_int_eq(world.lines, 1);
    now += 3600;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_ne(state_of_files(), before); /* writing would have been seen */
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof(*(table)))

static Suite *worker_suite(void)
{
    Suite *suite = suite_create("worker");
    TCase *rounds = tcase_create("rounds");

    tcase_add_checked_fixture(rounds, set_up_worker, tear_down);
    tcase_set_timeout(rounds, 60);
    tcase_add_test(rounds, what_is_due_is_sent_once);
    tcase_add_test(rounds, a_failing_row_is_tried_with_growing_pauses_for_three_days);
    tcase_add_test(rounds, the_pause);
    tcase_add_test(rounds, a_final_refusal_parks_the_row_at_once);
    tcase_add_test(rounds, a_repeat_has_the_message_id_of_the_first_try);
    tcase_add_test(rounds, a_payload_that_cannot_be_read_is_parked);
    tcase_add_test(rounds, full_batches_follow_each_other);
    tcase_add_test(rounds, a_stopping_server_finishes_the_row_at_hand_only);
    tcase_add_test(rounds, rows_of_one_license_go_out_in_order);
    tcase_add_test(rounds, without_a_mail_server_mails_wait);
    tcase_add_test(rounds, a_sender_that_is_set_later_is_used);
    tcase_add_test(rounds, the_properties_of_the_mail_server_are_used);
    tcase_add_test(rounds, a_password_sealed_by_another_server_sends_nothing);
    tcase_add_test(rounds, a_webhook_is_posted_as_it_stands_and_signed);
    tcase_add_loop_test(rounds, only_2xx_says_that_a_webhook_arrived, 0, ROWS(statuses));
    tcase_add_test(rounds, the_publishers_own_schedule);
    tcase_add_test(rounds, the_servers_schedule_is_the_default);
    tcase_add_test(rounds, finished_rows_follow_their_retention);
    tcase_add_test(rounds, history_follows_its_retention);
    tcase_add_test(rounds, much_is_removed_in_small_batches);
    tcase_add_test(rounds, the_second_server_sends_nothing_until_the_lease_runs_out);
    tcase_add_test(rounds, who_loses_the_lease_stops_after_the_row_at_hand);
    tcase_add_test(rounds, a_slow_round_keeps_its_lease);
    tcase_add_loop_test(rounds, a_lease_has_one_holder_while_clocks_differ_by_less_than_ten_seconds,
                        8, 11);
    tcase_add_test(rounds, a_lease_is_given_up_at_the_end);
    tcase_add_test(rounds, a_row_cancelled_meanwhile_stays_cancelled);
    tcase_add_test(rounds, what_could_not_be_marked_is_sent_again);
    add_file_test(rounds, an_idle_round_writes_nothing);
    suite_add_tcase(suite, rounds);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(worker_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
