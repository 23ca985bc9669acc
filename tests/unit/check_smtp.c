/* Mails sent to a real SMTP server that behaves as told; what it got is read by Python's library.
 */
#include "outbound/smtp.h"

#include "unit/simulator.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <check.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define USER     "shop@sender.example"
#define PASSWORD "pass-\"word\" %41&4711"

/* Of the whole case; each test runs in its own process and with its own mode. */
static apr_pool_t *case_pool;
static const char *folder, *mode_file, *out_file;
static simulator_t simulator;

static apr_pool_t *pool;

static void start(const char *tls, const char *user)
{
    ck_assert_int_eq(apr_pool_create(&case_pool, NULL), APR_SUCCESS);
    folder = simulator_folder(case_pool);
    mode_file = apr_pstrcat(case_pool, folder, "/mode", NULL);
    out_file = apr_pstrcat(case_pool, folder, "/mails", NULL);
    const char *const arguments[] = {QLM_SIMULATORS "/smtpserver.py",
                                     "--folder",
                                     folder,
                                     "--mode-file",
                                     mode_file,
                                     "--out",
                                     out_file,
                                     "--until-eof",
                                     "--user",
                                     user,
                                     "--password",
                                     PASSWORD,
                                     tls,
                                     NULL};
    simulator_start(&simulator, arguments, case_pool);
}

static void start_starttls(void)
{
    start("--starttls", USER);
}

static void start_tls(void)
{
    start("--tls", USER);
}

static void start_plain(void)
{
    start(NULL, "");
}

static void stop(void)
{
    simulator_stop(&simulator);
    simulator_remove_folder(folder, case_pool);
    apr_pool_destroy(case_pool);
}

static void set_up(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    simulator_write(mode_file, "accept", pool);
    simulator_write(out_file, "", pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static void mode(const char *text)
{
    simulator_write(mode_file, text, pool);
}

static apr_array_header_t *list_of(const char *first, const char *second)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(list, const char *) = first;
    if (second) {
        APR_ARRAY_PUSH(list, const char *) = second;
    }
    return list;
}

static qlm_mail_t usual(void)
{
    qlm_mail_t mail = {.from = USER,
                       .from_name = "Der Sch\xc3\xb6ne Laden",
                       .to = "jane@buyer.example",
                       .subject = "Ihre Schl\xc3\xbcssel \xf0\x9f\x94\x91",
                       .html = "<p>Schl\xc3\xbcssel: <b>A-1</b></p>\n<p>.</p>\n",
                       .text = "Schl\xc3\xbcssel: A-1\n.\n..\nEnd\n",
                       .message_id = "<4711.1@sender.example>",
                       .date = 1751371200};
    return mail;
}

static qlm_smtp_settings_t usual_settings(int tls)
{
    qlm_smtp_settings_t settings = {.server = "localhost",
                                    .port = simulator.port,
                                    .user = USER,
                                    .password = PASSWORD,
                                    .tls = tls,
                                    .ca_file = simulator.certificate,
                                    .total_seconds = 10};
    return settings;
}

/* Send; the reason is in the log, so it is one line of ASCII and holds no secret. */
static const char *assert_outcome(qlm_smtp_outcome_t expected, const qlm_mail_t *mail,
                                  const qlm_smtp_settings_t *settings)
{
    const char *reason = NULL;
    qlm_smtp_outcome_t outcome = qlm_smtp_send(&reason, mail, settings, pool);

    ck_assert_ptr_nonnull(reason);
    ck_assert_msg(outcome == expected, "outcome %d: %s", (int)outcome, reason);
    ck_assert_msg(*reason && strlen(reason) < 1000, "%s", reason);
    for (const char *p = reason; *p; p++) {
        ck_assert_msg((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f, "%s", reason);
    }
    ck_assert_ptr_null(strstr(reason, "4711"));
    return reason;
}

static void assert_says(const char *reason, const char *part)
{
    ck_assert_msg(strstr(reason, part) != NULL, "%s", reason);
}

/* What arrived; the test owns it. */
static json_t *arrived(size_t count)
{
    json_t *mails = simulator_read_mail(NULL, out_file, pool);

    ck_assert_uint_eq(json_array_size(mails), count);
    return mails;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* ---- what arrives -------------------------------------------------------------------------------
 */

static void assert_sound(const json_t *mail)
{
    ck_assert_uint_eq(json_array_size(json_object_get(mail, "defects")), 0);
    ck_assert(json_is_true(json_object_get(mail, "ascii")));
    ck_assert_int_le(json_integer_value(json_object_get(mail, "longest")), 78);
    ck_assert_str_eq(simulator_header(mail, "Mime-Version"), "1.0");
}

static const json_t *part(const json_t *mail, size_t index)
{
    return json_array_get(json_object_get(mail, "parts"), index);
}

START_TEST(a_mail_arrives)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;
    const json_t *got;

    assert_says(assert_outcome(QLM_SMTP_SENT, &mail, &settings), "250 2.0.0 accepted");
    mails = arrived(1);
    got = json_array_get(mails, 0);
    assert_sound(got);
    ck_assert_str_eq(text_of(got, "from"), USER);
    ck_assert_str_eq(text_of(got, "user"), USER);
    ck_assert(json_is_true(json_object_get(got, "tls")));
    ck_assert_ptr_nonnull(strchr(text_of(got, "helo"), '.'));
    ck_assert_str_eq(text_of(got, "type"), "multipart/alternative");
    ck_assert_str_eq(simulator_header(got, "Subject"), mail.subject);
    ck_assert_str_eq(simulator_header(got, "Message-ID"), mail.message_id);
    ck_assert_str_eq(simulator_header(got, "Date"), "Tue, 01 Jul 2025 12:00:00 +0000");
    ck_assert_str_eq(simulator_header(got, "To"), mail.to);
    ck_assert_uint_eq(json_array_size(json_object_get(got, "parts")), 2);
    ck_assert_str_eq(text_of(part(got, 0), "type"), "text/plain");
    ck_assert_str_eq(text_of(part(got, 0), "charset"), "utf-8");
    ck_assert_str_eq(text_of(part(got, 0), "encoding"), "quoted-printable");
    ck_assert_str_eq(text_of(part(got, 0), "text"), mail.text);
    ck_assert_str_eq(text_of(part(got, 1), "type"), "text/html");
    ck_assert_str_eq(text_of(part(got, 1), "charset"), "utf-8");
    ck_assert_str_eq(text_of(part(got, 1), "text"), mail.html);
    json_decref(mails);
}
END_TEST

START_TEST(hidden_copies_are_only_in_the_envelope)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;
    const json_t *to;

    mail.cc = list_of("cc@sender.example", "JANE@buyer.example");
    mail.bcc = list_of("hidden@sender.example", "cc@sender.example");
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(1);
    to = json_object_get(json_array_get(mails, 0), "to");
    ck_assert_uint_eq(json_array_size(to), 3);
    ck_assert_str_eq(json_string_value(json_array_get(to, 0)), "jane@buyer.example");
    ck_assert_str_eq(json_string_value(json_array_get(to, 1)), "cc@sender.example");
    ck_assert_str_eq(json_string_value(json_array_get(to, 2)), "hidden@sender.example");
    ck_assert_ptr_null(strstr(text_of(json_array_get(mails, 0), "raw"), "hidden"));
    json_decref(mails);
}
END_TEST

START_TEST(one_part_alone)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;

    mail.html = "";
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mail = usual();
    mail.text = NULL;
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *got = json_array_get(mails, i);

        assert_sound(got);
        ck_assert_uint_eq(json_array_size(json_object_get(got, "parts")), 1);
        ck_assert_str_eq(text_of(part(got, 0), "type"), i ? "text/html" : "text/plain");
    }
    json_decref(mails);
}
END_TEST

/* A line of 64 KiB, all kinds of line ends, control characters, what is no UTF-8. */
START_TEST(awkward_bodies)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    char *line = apr_palloc(pool, 65537);
    json_t *mails;

    for (int i = 0; i < 65536; i++) {
        line[i] = "0123456789 =\xc3\xa4."[i % 15];
    }
    line[65535] = 'x';
    line[65536] = '\0';
    mail.html = line;
    mail.text = "a\rb\r\nc\nd\x01\x7f\x1b[0m\te\n\nFrom here\n.\n \n=20  \nM\xc3\xbcller";
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mail.text = "M\xfcller\r\n.\r\nMAIL FROM:<x@y.example>\r\n";
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(2);
    assert_sound(json_array_get(mails, 0));
    ck_assert_str_eq(text_of(part(json_array_get(mails, 0), 0), "text"),
                     "a\nb\nc\nd[0m\te\n\nFrom here\n.\n \n=20  \nM\xc3\xbcller");
    ck_assert_str_eq(text_of(part(json_array_get(mails, 0), 1), "text"), line);
    ck_assert_str_eq(text_of(part(json_array_get(mails, 1), 0), "text"),
                     "M\xc3\xbcller\n.\nMAIL FROM:<x@y.example>\n");
    json_decref(mails);
}
END_TEST

START_TEST(nothing_is_injected)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;
    const json_t *got;

    mail.subject = "x\r\nBcc: evil@x.example\r\n\r\nbody";
    mail.from_name = "y\nBcc: evil@x.example";
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(1);
    got = json_array_get(mails, 0);
    assert_sound(got);
    ck_assert_ptr_null(json_object_get(json_object_get(got, "headers"), "Bcc"));
    ck_assert_uint_eq(json_array_size(json_object_get(got, "to")), 1);
    ck_assert_str_eq(simulator_header(got, "Subject"), "x Bcc: evil@x.example body");
    json_decref(mails);

    mail.to = "jane@buyer.example>\r\nRCPT TO:<evil@x.example";
    assert_says(assert_outcome(QLM_SMTP_NEVER, &mail, &settings), "no usable e-mail address");
    json_decref(arrived(1));
}
END_TEST

START_TEST(a_repeat_is_recognizable)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;

    mode("drop-after");
    assert_outcome(QLM_SMTP_LATER, &mail, &settings);
    mode("accept");
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *got = json_array_get(mails, i);

        ck_assert_str_eq(simulator_header(got, "Message-ID"), "<4711.1@sender.example>");
        ck_assert_str_eq(simulator_header(got, "Date"), "Tue, 01 Jul 2025 12:00:00 +0000");
    }
    json_decref(mails);
}
END_TEST

/* ---- what a server may answer -------------------------------------------------------------------
 */

START_TEST(refusals)
{
    static const struct {
        const char *mode;
        qlm_smtp_outcome_t outcome;
        const char *reason;
    } rows[] = {
        {"refuse", QLM_SMTP_NEVER, "recipient refused: 550 5.1.1 no such user here"},
        {"refuse-data", QLM_SMTP_NEVER, "mail refused: 554 5.6.0 we do not want this"},
        {"tempfail", QLM_SMTP_LATER, "recipient refused: 451 4.3.0 not now"},
        {"tempfail-data", QLM_SMTP_LATER, "mail refused: 451 4.3.0 out of order"},
        {"refuse-sender", QLM_SMTP_LATER, "sender refused: 550 5.7.1 sender not welcome"},
        {"refuse-login", QLM_SMTP_AWAY, "login refused: 535"},
        {"need-login", QLM_SMTP_AWAY, "recipient refused: 530 5.7.0 who are you?"},
        {"busy", QLM_SMTP_AWAY, "greeting refused: 421 4.3.2 try later"},
        {"closed", QLM_SMTP_AWAY, "greeting refused: 554 5.3.2 no mail here"},
        {"drop-connect", QLM_SMTP_AWAY, ""},
        {"drop", QLM_SMTP_LATER, ""},
        {"echo-password", QLM_SMTP_NEVER, "recipient refused: 550 (the rest is not shown)"},
    };
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        mode(rows[i].mode);
        assert_says(assert_outcome(rows[i].outcome, &mail, &settings), rows[i].reason);
    }
    json_decref(arrived(0));
}
END_TEST

START_TEST(greylisting_ends)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);

    mode("greylist");
    mail.to = "grey@buyer.example";
    assert_says(assert_outcome(QLM_SMTP_LATER, &mail, &settings), "451 4.7.1 greylisted");
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    json_decref(arrived(1));
}
END_TEST

START_TEST(a_copy_that_is_refused_holds_nothing_up)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    const char *reason;
    json_t *mails;

    mail.cc = list_of("gone@sender.example", "cc@sender.example");
    mail.bcc = list_of("hidden@sender.example", NULL);
    mode("refuse gone@sender.example");
    reason = assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    assert_says(reason, "250 2.0.0 accepted; copy left out: 550 5.1.1 no such user here");
    mode("tempfail hidden@sender.example");
    assert_says(assert_outcome(QLM_SMTP_SENT, &mail, &settings), "copy left out: 451");
    mode("refuse jane@buyer.example");
    reason = assert_outcome(QLM_SMTP_NEVER, &mail, &settings);
    ck_assert_ptr_null(strstr(reason, "copy"));
    mails = arrived(2);
    ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(mails, 0), "to")), 3);
    ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(mails, 1), "to")), 3);
    json_decref(mails);
}
END_TEST

START_TEST(many_refused_copies_are_given_up)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    apr_array_header_t *copies = apr_array_make(pool, 40, sizeof(const char *));
    const char *reason;

    mode("greylist");
    mail.to = "patient@buyer.example";
    assert_outcome(QLM_SMTP_LATER, &mail, &settings);
    for (int i = 0; i < 40; i++) {
        APR_ARRAY_PUSH(copies, const char *) = apr_psprintf(pool, "c%d@sender.example", i);
    }
    mail.bcc = copies;
    reason = assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    for (int i = 0; i < 3; i++) {
        reason = strstr(reason, "copy left out");
        ck_assert_ptr_nonnull(reason);
        reason++;
    }
    ck_assert_ptr_null(strstr(reason, "copy left out"));
    json_decref(arrived(1));
}
END_TEST

static apr_time_t seconds_since(apr_time_t start_time)
{
    return apr_time_sec(apr_time_now() - start_time);
}

START_TEST(hanging_servers)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    apr_time_t begun = apr_time_now();

    settings.total_seconds = 1;
    mode("hang");
    assert_outcome(QLM_SMTP_AWAY, &mail, &settings);
    mode("hang-data");
    assert_outcome(QLM_SMTP_AWAY, &mail, &settings);
    mode("slow 5");
    assert_outcome(QLM_SMTP_AWAY, &mail, &settings);
    ck_assert_int_le(seconds_since(begun), 8);
    json_decref(arrived(0));

    begun = apr_time_now();
    settings.total_seconds = 2;
    mode("hang-quit");
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    ck_assert_int_lt(seconds_since(begun), 4); /* the limit and a second */
    json_decref(arrived(1));
}
END_TEST

/* Each refused copy costs a second and a half and another attempt, yet the customer's mail leaves
 * in time: when half of it is used up, the others are not asked any more. */
START_TEST(one_limit_for_all_attempts)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    apr_time_t begun = apr_time_now();

    mail.cc = list_of("c1@sender.example", "c2@sender.example");
    mail.bcc = list_of("c3@sender.example", "c4@sender.example");
    settings.total_seconds = 5;
    mode("slow-copies 1.5");
    assert_says(assert_outcome(QLM_SMTP_SENT, &mail, &settings), "copy left out: 550");
    ck_assert_int_lt(seconds_since(begun), 6);
    json_decref(arrived(1));

    begun = apr_time_now();
    mode("slow-copies 30");
    assert_outcome(QLM_SMTP_AWAY, &mail, &settings);
    ck_assert_int_lt(seconds_since(begun), 7);
}
END_TEST

static int is_told_to_stop(void *baton)
{
    apr_time_t *when = baton;

    return apr_time_now() >= *when;
}

START_TEST(stopping_waits_for_no_answer_that_does_not_matter)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    apr_time_t begun = apr_time_now(), when = begun + apr_time_from_sec(1);

    settings.total_seconds = 30;
    settings.is_stopping = is_told_to_stop;
    settings.baton = &when;
    mode("hang");
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "we are stopping");
    ck_assert_int_lt(seconds_since(begun), 4);

    /* The mail is there: its answer decides whether it is sent again. */
    begun = apr_time_now();
    when = begun + apr_time_from_sec(1);
    mode("slow 2");
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    json_decref(arrived(1));
    mode("hang-data");
    begun = apr_time_now();
    when = begun + apr_time_from_sec(1);
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "we are stopping");
    ck_assert_int_lt(seconds_since(begun), 8);
}
END_TEST

/* ---- TLS and login ------------------------------------------------------------------------------
 */

START_TEST(a_foreign_certificate_is_refused)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);

    settings.ca_file = "";
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "certificate");
    json_decref(arrived(0));
}
END_TEST

START_TEST(a_wrong_login_waits_for_the_operator)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);

    settings.password = "wrong";
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "login refused: 535");
    settings.user = settings.password = "";
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "530");
    json_decref(arrived(0));
}
END_TEST

START_TEST(tls_from_the_start)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(2);
    json_t *mails;

    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(1);
    ck_assert(json_is_true(json_object_get(json_array_get(mails, 0), "tls")));
    ck_assert_str_eq(text_of(json_array_get(mails, 0), "user"), USER);
    json_decref(mails);
    settings.ca_file = "";
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "certificate");
}
END_TEST

START_TEST(starttls_is_not_optional)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(1);
    json_t *mails;

    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "STARTTLS");
    json_decref(arrived(0));
    settings.tls = 0;
    settings.user = settings.password = "";
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    mails = arrived(1);
    ck_assert(json_is_false(json_object_get(json_array_get(mails, 0), "tls")));
    json_decref(mails);
}
END_TEST

START_TEST(the_environment_does_not_count)
{
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(0);

    settings.user = "";
    ck_assert_int_eq(setenv("all_proxy", "http://127.0.0.1:1/", 1), 0);
    assert_outcome(QLM_SMTP_SENT, &mail, &settings);
    unsetenv("all_proxy");
}
END_TEST

START_TEST(servers_that_are_none)
{
    static const char *const names[] = {
        "a b",          "localhost/x", "localhost\r\nX", "x@localhost",
        "http://local", "localhost:1", "localhost?x",    "#"};
    qlm_mail_t mail = usual();
    qlm_smtp_settings_t settings = usual_settings(0);

    settings.server = "";
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "smtpServer");
    settings.server = NULL;
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "smtpServer");
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        settings.server = names[i];
        assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "name no server");
    }
    json_decref(arrived(0));
    settings.server = "127.0.0.1";
    settings.port = 1;
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "connect");
    settings.port = 70000;
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "name no server");
    settings.port = -1;
    assert_says(assert_outcome(QLM_SMTP_AWAY, &mail, &settings), "name no server");
    mail.text = mail.html = "";
    assert_says(assert_outcome(QLM_SMTP_NEVER, &mail, &settings), "no text");
}
END_TEST

static TCase *tcase(Suite *suite, const char *name, void (*starter)(void))
{
    TCase *tests = tcase_create(name);

    tcase_add_unchecked_fixture(tests, starter, stop);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tests;
}

static Suite *smtp_suite(void)
{
    Suite *suite = suite_create("smtp");
    TCase *tests = tcase(suite, "STARTTLS", start_starttls);

    tcase_add_test(tests, a_mail_arrives);
    tcase_add_test(tests, hidden_copies_are_only_in_the_envelope);
    tcase_add_test(tests, one_part_alone);
    tcase_add_test(tests, awkward_bodies);
    tcase_add_test(tests, nothing_is_injected);
    tcase_add_test(tests, a_repeat_is_recognizable);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, greylisting_ends);
    tcase_add_test(tests, a_copy_that_is_refused_holds_nothing_up);
    tcase_add_test(tests, many_refused_copies_are_given_up);
    tcase_add_test(tests, hanging_servers);
    tcase_add_test(tests, one_limit_for_all_attempts);
    tcase_add_test(tests, stopping_waits_for_no_answer_that_does_not_matter);
    tcase_add_test(tests, a_foreign_certificate_is_refused);
    tcase_add_test(tests, a_wrong_login_waits_for_the_operator);
    tests = tcase(suite, "TLS", start_tls);
    tcase_add_test(tests, tls_from_the_start);
    tests = tcase(suite, "plain", start_plain);
    tcase_add_test(tests, starttls_is_not_optional);
    tcase_add_test(tests, the_environment_does_not_count);
    tcase_add_test(tests, servers_that_are_none);
    return suite;
}

/* Is the server there at all? If not, this test says SKIP. */
static int has_server(void)
{
    static const char *const arguments[] = {"-c", "import aiosmtpd", NULL};
    apr_pool_t *own;
    int has;

    if (apr_pool_create(&own, NULL) != APR_SUCCESS) {
        return 0;
    }
    has = simulator_output(arguments, own) != NULL;
    apr_pool_destroy(own);
    return has;
}

int main(void)
{
    SRunner *runner;
    int failed;

    if (apr_initialize() != APR_SUCCESS || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return 1;
    }
    if (!has_server()) {
        puts("no aiosmtpd: install python3-aiosmtpd");
        return 77;
    }
    runner = srunner_create(smtp_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    curl_global_cleanup();
    apr_terminate();
    return failed ? 1 : 0;
}
