/* A mail as data: addresses, the outbox row, headers as another library reads them, the text of a
 * page. */
#include "mail/message.h"

#include "unit/simulator.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <string.h>

static apr_pool_t *pool;

static void set_up(void)
{
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const char *repeated(const char *text, int count)
{
    const char *made = "";

    for (int i = 0; i < count; i++) {
        made = apr_pstrcat(pool, made, text, NULL);
    }
    return made;
}

static apr_array_header_t *list_of(const char *first, const char *second)
{
    apr_array_header_t *list = apr_array_make(pool, 2, sizeof(const char *));

    if (first) {
        APR_ARRAY_PUSH(list, const char *) = first;
    }
    if (second) {
        APR_ARRAY_PUSH(list, const char *) = second;
    }
    return list;
}

static qlm_mail_t usual(void)
{
    qlm_mail_t mail = {.from = "shop@sender.example",
                       .from_name = "The Shop",
                       .to = "jane@buyer.example",
                       .subject = "Your keys",
                       .html = "<p>Hello</p>",
                       .text = "Hello\n",
                       .message_id = "<1.2@sender.example>",
                       .date = 1751371200};

    mail.cc = list_of("copy@sender.example", NULL);
    mail.bcc = list_of("hidden@sender.example", NULL);
    return mail;
}

/* ---- addresses ----------------------------------------------------------------------------------
 */

START_TEST(addresses_that_pass)
{
    static const char *const good[] = {
        "a@b.example",           "jane.doe+shop@mail.buyer.example",
        "o'brien@buyer.example", "root@localhost",
        "x_y-z=1@a-b.example",   "{a}!#$%&*/?^`|~@b.example",
        "1@2.example",           "a@xn--bcher-kva.example",
        "A@B.EXAMPLE",           "a@1and2.example9",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        ck_assert_msg(qlm_mail_is_address(good[i]), "refused: %s", good[i]);
    }
}
END_TEST

START_TEST(addresses_that_do_not)
{
    static const char *const bad[] = {
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a@b@c.example",
        "a b@c.example",
        " a@b.example",
        "a@b.example ",
        "a@b.example\n",
        "a@b.example\r\nBcc: x@y.example",
        "a\r\n@b.example",
        "a\t@b.example",
        "a\x01@b.example",
        "a\x7f@b.example",
        "<a@b.example>",
        "a,b@c.example",
        "a@b.example,c@d.example",
        "a@b,c.example",
        "a;b@c.example",
        "\"a b\"@c.example",
        "a(b)@c.example",
        "a:b@c.example",
        "a\\b@c.example",
        ".a@b.example",
        "a.@b.example",
        "a..b@c.example",
        "a@.example",
        "a@b..example",
        "a@b.example.",
        "a@-b.example",
        "a@b-.example",
        "a@b_c.example",
        "a@127.0.0.1",
        "a@[127.0.0.1]",
        "a@b.123",
        "j\xc3\xa4ne@b.example",
        "a@\xc3\xbc.example",
        "a@\xff",
        "a> SIZE=1@b.example",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        ck_assert_msg(!qlm_mail_is_address(bad[i]), "accepted: %s", bad[i]);
    }
    ck_assert(!qlm_mail_is_address(NULL));
}
END_TEST

START_TEST(sizes_of_addresses)
{
    const char *label = repeated("d", 63);
    const char *three = apr_pstrcat(pool, label, ".", label, ".", label, NULL);

    ck_assert(qlm_mail_is_address(apr_pstrcat(pool, repeated("a", 64), "@b.example", NULL)));
    ck_assert(!qlm_mail_is_address(apr_pstrcat(pool, repeated("a", 65), "@b.example", NULL)));
    ck_assert(qlm_mail_is_address(apr_pstrcat(pool, "a@", label, ".example", NULL)));
    ck_assert(!qlm_mail_is_address(apr_pstrcat(pool, "a@d", label, ".example", NULL)));
    /* 254 and 255 bytes */
    ck_assert(qlm_mail_is_address(apr_pstrcat(pool, repeated("a", 61), "@", three, NULL)));
    ck_assert(qlm_mail_is_address(apr_pstrcat(pool, repeated("a", 60), "@", three, ".e", NULL)));
    ck_assert(!qlm_mail_is_address(apr_pstrcat(pool, repeated("a", 61), "@", three, ".e", NULL)));
    ck_assert(!qlm_mail_is_address(repeated("a", 70000)));
}
END_TEST

START_TEST(lists_of_addresses)
{
    const char *left_out;
    apr_array_header_t *list = qlm_mail_addresses(
        &left_out, " a@b.example ;c@d.example,, x ; e@f.example\r\nBcc: y@z.example;", pool);

    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, const char *), "a@b.example");
    ck_assert_str_eq(APR_ARRAY_IDX(list, 1, const char *), "c@d.example");
    ck_assert_str_eq(left_out, "x,e@f.example??Bcc: y@z.example");
    list = qlm_mail_addresses(&left_out, "", pool);
    ck_assert_int_eq(list->nelts, 0);
    ck_assert_str_eq(left_out, "");
}
END_TEST

/* ---- the check before sending -------------------------------------------------------------------
 */

static void assert_unusable(const qlm_mail_t *mail, const char *part)
{
    const qlm_error_t *error = qlm_mail_check(mail, pool);

    ck_assert_msg(error != NULL, "accepted: %s", part);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_msg(strstr(error->text, part) != NULL, "%s", error->text);
    ck_assert_ptr_null(strpbrk(error->text, "\r\n"));
}

START_TEST(mails_are_checked)
{
    qlm_mail_t mail = usual();

    ck_assert_ptr_null(qlm_mail_check(&mail, pool));
    mail.from = "a\r\nX: y@b.example";
    assert_unusable(&mail, "sender");
    mail = usual();
    mail.to = "";
    assert_unusable(&mail, "recipient");
    mail.to = NULL;
    assert_unusable(&mail, "recipient");
    mail = usual();
    mail.cc = list_of("a@b.example", "a@b.example\nX: y");
    assert_unusable(&mail, "copy");
    mail = usual();
    mail.bcc = list_of("nobody", NULL);
    assert_unusable(&mail, "blind copy");
    mail = usual();
    mail.html = mail.text = "";
    assert_unusable(&mail, "no text");
    mail.text = "x";
    ck_assert_ptr_null(qlm_mail_check(&mail, pool));
}
END_TEST

START_TEST(message_ids_are_checked)
{
    static const char *const bad[] = {"",        "<>",          "<a>",         "a@b",
                                      "<@b>",    "<a@>",        "<a@b",        "<a b@c>",
                                      "<a@b@c>", "<a@b>\r\nX:", "<a\r\n@b>",   "<a@b> <c@d>",
                                      "<<a@b>>", "<a\x7f@b>",   "<\xc3\xa4@b>"};
    qlm_mail_t mail = usual();

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        mail.message_id = bad[i];
        assert_unusable(&mail, "Message-ID");
    }
    mail.message_id = NULL;
    assert_unusable(&mail, "Message-ID");
}
END_TEST

/* ---- the outbox row -----------------------------------------------------------------------------
 */

START_TEST(json_there_and_back)
{
    qlm_mail_t mail = usual();
    qlm_mail_t *read;

    mail.subject = "\"quoted\" \\ \xf0\x9f\x94\x91 \xc3\xbc";
    mail.html = repeated("<p>\xe6\xbc\xa2\r\n\t&</p>", 4000);
    mail.text = "";
    mail.cc = list_of("a@b.example", "c@d.example");
    mail.bcc = NULL;
    mail.date = 4102444799;
    ck_assert_ptr_null(qlm_mail_from_json(&read, qlm_mail_to_json(&mail, pool), pool));
    ck_assert_str_eq(read->from, mail.from);
    ck_assert_str_eq(read->from_name, mail.from_name);
    ck_assert_str_eq(read->to, mail.to);
    ck_assert_int_eq(read->cc->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(read->cc, 1, const char *), "c@d.example");
    ck_assert_int_eq(read->bcc->nelts, 0);
    ck_assert_str_eq(read->subject, mail.subject);
    ck_assert_str_eq(read->html, mail.html);
    ck_assert_str_eq(read->text, "");
    ck_assert_str_eq(read->message_id, mail.message_id);
    ck_assert_int_eq(read->date, mail.date);
}
END_TEST

START_TEST(json_of_bytes_that_are_no_utf8)
{
    qlm_mail_t mail = usual();
    qlm_mail_t *read;

    mail.subject = "M\xfcller";
    mail.html = "\xc3";
    mail.text = NULL;
    ck_assert_ptr_null(qlm_mail_from_json(&read, qlm_mail_to_json(&mail, pool), pool));
    ck_assert_str_eq(read->subject, "M\xc3\xbcller");
    ck_assert_str_eq(read->html, "\xc3\x83");
    ck_assert_str_eq(read->text, "");
}
END_TEST

START_TEST(json_that_is_malformed)
{
    qlm_mail_t mail = usual();
    const char *good = qlm_mail_to_json(&mail, pool);
    const char *bad[] = {"",
                         "null",
                         "[]",
                         "{}",
                         "{\"from\":1}",
                         repeated("[", 5000),
                         apr_pstrcat(pool, good, "x", NULL),
                         apr_pstrmemdup(pool, good, strlen(good) - 1),
                         apr_psprintf(pool, "{\"date\":1,%s", good + 1)};
    qlm_mail_t *read;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        qlm_error_t *error = qlm_mail_from_json(&read, bad[i], pool);

        ck_assert_msg(error != NULL, "accepted: %.80s", bad[i]);
        ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
        ck_assert_ptr_null(read);
    }
}
END_TEST

START_TEST(json_with_a_wrong_member)
{
    static const char *const members[] = {"from",    "from_name", "to",   "cc",         "bcc",
                                          "subject", "html",      "text", "message_id", "date"};
    qlm_mail_t mail = usual();
    qlm_mail_t *read;

    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        json_t *object = json_loads(qlm_mail_to_json(&mail, pool), 0, NULL);
        qlm_error_t *error;
        char *text;

        json_object_set_new(object, members[i], json_pack("[i]", 7));
        text = json_dumps(object, 0);
        error = qlm_mail_from_json(&read, text, pool);
        ck_assert_ptr_nonnull(error);
        ck_assert_ptr_nonnull(strstr(error->text, members[i]));
        free(text);
        json_decref(object);
    }
}
END_TEST

/* ---- headers ------------------------------------------------------------------------------------
 */

/* The headers as Python reads them. Checks what holds for all: no line end in a line, no line too
 * long, encoded words of at most 75 characters. */
static json_t *parsed(const qlm_mail_t *mail)
{
    const apr_array_header_t *lines = qlm_mail_headers(mail, pool);
    const char *folder = simulator_folder(pool);
    const char *path = apr_pstrcat(pool, folder, "/mail", NULL);
    const char *raw = "";
    json_t *read;

    for (int i = 0; i < lines->nelts; i++) {
        const char *line = APR_ARRAY_IDX(lines, i, const char *);
        const char *word = strstr(line, "=?UTF-8?B?");

        for (const char *p = line; *p; p++) {
            ck_assert_msg((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f, "%s", line);
        }
        ck_assert_msg(strlen(line) <= (word ? 76 : 78), "%s", line);
        ck_assert_msg(*line != ' ' || i > 0, "begins with a continued line");
        ck_assert_msg(strspn(line, " ") < strlen(line), "an empty line");
        for (; word; word = strstr(word + 1, "=?UTF-8?B?")) {
            ck_assert_msg(strcspn(word, " ") <= 75, "%s", line);
        }
        raw = apr_pstrcat(pool, raw, line, "\r\n", NULL);
    }
    simulator_write(path, apr_pstrcat(pool, raw, "\r\nbody\r\n", NULL), pool);
    read = simulator_read_mail("--raw", path, pool);
    ck_assert_msg(json_array_size(json_object_get(read, "defects")) == 0, "defects in:\n%s", raw);
    ck_assert_uint_eq(json_object_size(json_object_get(read, "headers")),
                      5U + (mail->cc != NULL) + (qlm_mail_is_message_id(mail->message_id) != 0));
    simulator_remove_folder(folder, pool);
    return read;
}

static const char *mailbox(const json_t *mail, const char *header, size_t index, size_t part)
{
    const json_t *list = json_object_get(json_object_get(mail, "mailboxes"), header);

    return json_string_value(json_array_get(json_array_get(list, index), part));
}

START_TEST(headers_of_a_usual_mail)
{
    qlm_mail_t mail = usual();
    json_t *read = parsed(&mail);

    ck_assert_str_eq(simulator_header(read, "Date"), "Tue, 01 Jul 2025 12:00:00 +0000");
    ck_assert_str_eq(mailbox(read, "From", 0, 0), "The Shop");
    ck_assert_str_eq(mailbox(read, "From", 0, 1), "shop@sender.example");
    ck_assert_str_eq(simulator_header(read, "To"), "jane@buyer.example");
    ck_assert_str_eq(simulator_header(read, "Cc"), "copy@sender.example");
    ck_assert_str_eq(simulator_header(read, "Subject"), "Your keys");
    ck_assert_str_eq(simulator_header(read, "Message-ID"), "<1.2@sender.example>");
    ck_assert_str_eq(simulator_header(read, "Auto-Submitted"), "auto-generated");
    json_decref(read);
}
END_TEST

START_TEST(subjects_survive)
{
    const char *subjects[] = {
        "x",
        "50% off =?UTF-8?B?eA==?= not decoded",
        "two  blanks",
        "Ihre Lizenzschl\xc3\xbcssel zur Bestellung 4711",
        "\xf0\x9f\x94\x91\xf0\x9f\x8e\x89 key \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
        repeated("\xf0\x9f\x94\x91", 120),
        repeated("\xe6\xbc\xa2\xe5\xad\x97", 80),
        repeated("long words of a subject ", 19),
        repeated("x", 60),
        repeated("x", 61),
        repeated("x", 480),
        repeated("a\xc3\xa4", 160),
        "tr\xc3\xa4iling colon: and \"quotes\" <b>html</b>",
    };

    for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
        qlm_mail_t mail = usual();
        json_t *read;

        mail.subject = subjects[i];
        read = parsed(&mail);
        ck_assert_uint_gt(strlen(simulator_header(read, "Subject")), 0);
        if (subjects[i][strlen(subjects[i]) - 1] == ' ') {
            ck_assert_int_eq(
                strncmp(simulator_header(read, "Subject"), subjects[i], strlen(subjects[i]) - 1),
                0);
        }
        else {
            ck_assert_str_eq(simulator_header(read, "Subject"), subjects[i]);
        }
        json_decref(read);
    }
}
END_TEST

START_TEST(nothing_is_injected)
{
    qlm_mail_t mail = usual();
    json_t *read;

    mail.subject = "keys\r\nBcc: evil@x.example\r\n\r\n<html>";
    mail.from_name = "Shop\r\nReply-To: evil@x.example\n\"<evil@x.example>,";
    mail.message_id = "<1@x>\r\nX-Evil: yes";
    read = parsed(&mail);
    ck_assert_str_eq(simulator_header(read, "Subject"), "keys Bcc: evil@x.example <html>");
    ck_assert_str_eq(mailbox(read, "From", 0, 0),
                     "Shop Reply-To: evil@x.example \"<evil@x.example>,");
    ck_assert_str_eq(mailbox(read, "From", 0, 1), "shop@sender.example");
    ck_assert_ptr_null(mailbox(read, "From", 1, 1));
    json_decref(read);
}
END_TEST

START_TEST(display_names_survive)
{
    const char *names[] = {
        "Plain",
        "O'Neil & Sons, \"Ltd.\" \\o/ (x) <y>",
        "M\xc3\xbcller \xf0\x9f\x94\x91",
        repeated("\xe6\xbc\xa2", 60),
        repeated("name ", 30),
        repeated("\"", 40),
        "=?UTF-8?B?eA==?=",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        qlm_mail_t mail = usual();
        json_t *read;

        mail.from_name = names[i];
        read = parsed(&mail);
        ck_assert_str_eq(mailbox(read, "From", 0, 0),
                         i == 4 ? apr_pstrmemdup(pool, names[i], strlen(names[i]) - 1) : names[i]);
        ck_assert_str_eq(mailbox(read, "From", 0, 1), "shop@sender.example");
        json_decref(read);
    }
}
END_TEST

START_TEST(copies_are_listed_and_hidden_ones_not)
{
    qlm_mail_t mail = usual();
    apr_array_header_t *copies = apr_array_make(pool, 20, sizeof(const char *));
    json_t *read;

    for (int i = 0; i < 20; i++) {
        APR_ARRAY_PUSH(copies, const char *) = apr_psprintf(pool, "copy%d@sender.example", i);
    }
    APR_ARRAY_PUSH(copies, const char *) = "bad\r\nX: y@z.example";
    mail.cc = copies;
    read = parsed(&mail);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_str_eq(mailbox(read, "Cc", i, 1), APR_ARRAY_IDX(copies, (int)i, const char *));
    }
    ck_assert_ptr_null(mailbox(read, "Cc", 20, 1));
    ck_assert_ptr_null(strstr(json_string_value(json_object_get(read, "raw")), "hidden"));
    json_decref(read);
    mail.cc = NULL;
    mail.from_name = NULL;
    read = parsed(&mail);
    ck_assert_str_eq(simulator_header(read, "From"), "shop@sender.example");
    json_decref(read);
}
END_TEST

START_TEST(dates_that_cannot_be)
{
    static const struct {
        apr_int64_t date;
        const char *text;
    } dates[] = {{0, "Date: Thu, 01 Jan 1970 00:00:00 +0000"},
                 {-5, "Date: Thu, 01 Jan 1970 00:00:00 +0000"},
                 {951782400, "Date: Tue, 29 Feb 2000 00:00:00 +0000"},
                 {INT64_MAX, "Date: Fri, 31 Dec 9999 23:59:59 +0000"},
                 {INT64_MIN, "Date: Thu, 01 Jan 1970 00:00:00 +0000"}};

    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
        qlm_mail_t mail = usual();

        mail.date = dates[i].date;
        ck_assert_str_eq(APR_ARRAY_IDX(qlm_mail_headers(&mail, pool), 0, const char *),
                         dates[i].text);
    }
}
END_TEST

START_TEST(long_and_hostile_texts_in_headers)
{
    qlm_mail_t mail = usual();
    json_t *read;

    mail.subject = repeated("\xf0\x9f\x94\x91 0123456789 ", 4000);
    mail.from_name = repeated("\xc3\xa4", 33000);
    read = parsed(&mail);
    ck_assert_uint_le(strlen(simulator_header(read, "Subject")), 500);
    ck_assert_uint_gt(strlen(simulator_header(read, "Subject")), 480);
    ck_assert_uint_eq(strlen(mailbox(read, "From", 0, 0)), 200);
    json_decref(read);
    mail.subject = "\xff\xfe\x80 M\xfcller";
    mail.from_name = "\xc3\x28";
    read = parsed(&mail);
    ck_assert_str_eq(simulator_header(read, "Subject"), "\xc3\xbf\xc3\xbe\xc2\x80 M\xc3\xbcller");
    ck_assert_str_eq(mailbox(read, "From", 0, 0), "\xc3\x83(");
    json_decref(read);
}
END_TEST

/* ---- the text of a page -------------------------------------------------------------------------
 */

START_TEST(text_of_pages)
{
    static const struct {
        const char *html, *text;
    } pages[] = {
        {"", ""},
        {"plain", "plain\n"},
        {"<p>One</p><p>Two\n lines</p>", "One\n\nTwo lines\n"},
        {"<h1>Head</h1>text<br>more<br/><br>end", "Head\n\ntext\nmore\n\nend\n"},
        {"<title>T</title><style>p{}</style><script>alert(1)</script><p>x</p>", "x\n"},
        {"a &amp; b &lt;c&gt; &euro;&#228;&nbsp;z", "a & b <c> \xe2\x82\xac\xc3\xa4\xc2\xa0z\n"},
        {"<ul><li>one<li>two</ul>after", "- one\n- two\n\nafter\n"},
        {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"},
        {"<a href='https://x.example/?a=1&amp;b=2'>here</a>.",
         "here <https://x.example/?a=1&b=2>.\n"},
        {"<a href='https://x.example/'>https://x.example/</a>", "https://x.example/\n"},
        {"<a href='javascript:alert(1)'>here</a>", "here\n"},
        {"<b>bo</b>ld <i>it</i>", "bold it\n"},
        {"<pre>a\n  b\nc</pre>", "a\nb\nc\n"},
        {"<div>x<hr>y</div>", "x\n----\ny\n"},
        {"<!-- hidden -->shown<!-- <p>no</p> -->", "shown\n"},
        {"<p>unclosed <b>and <i>nested", "unclosed and nested\n"},
        {"</p></div>stray", "stray\n"},
        {"\xc3\xa4 \xf0\x9f\x94\x91", "\xc3\xa4 \xf0\x9f\x94\x91\n"},
        {"M\xfcller", "M\xc3\xbcller\n"},
    };

    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        ck_assert_str_eq(qlm_mail_text_of_html(pages[i].html, pool), pages[i].text);
    }
}
END_TEST

START_TEST(text_of_hostile_pages)
{
    const char *text = qlm_mail_text_of_html(
        "<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><p>&x;</p>", pool);

    ck_assert_ptr_null(strstr(text, "root:"));
    text = qlm_mail_text_of_html(
        apr_pstrcat(pool, repeated("<div><b>", 100), "deep", repeated("</b>", 10), NULL), pool);
    ck_assert_str_eq(text, "deep\n");
    /* Deeper than libxml2 goes: whatever is left, it ends. */
    text = qlm_mail_text_of_html(apr_pstrcat(pool, repeated("<div><b>", 5000), "deep", NULL), pool);
    ck_assert_uint_le(strlen(text), 5);
    text = qlm_mail_text_of_html(repeated("<p>0123456789 abcdef</p>\n", 2700), pool);
    ck_assert_uint_gt(strlen(text), 2700 * 18 - 2);
}
END_TEST

static Suite *message_suite(void)
{
    Suite *suite = suite_create("message");
    TCase *tests = tcase_create("message");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, addresses_that_pass);
    tcase_add_test(tests, addresses_that_do_not);
    tcase_add_test(tests, sizes_of_addresses);
    tcase_add_test(tests, lists_of_addresses);
    tcase_add_test(tests, mails_are_checked);
    tcase_add_test(tests, message_ids_are_checked);
    tcase_add_test(tests, json_there_and_back);
    tcase_add_test(tests, json_of_bytes_that_are_no_utf8);
    tcase_add_test(tests, json_that_is_malformed);
    tcase_add_test(tests, json_with_a_wrong_member);
    tcase_add_test(tests, headers_of_a_usual_mail);
    tcase_add_test(tests, subjects_survive);
    tcase_add_test(tests, nothing_is_injected);
    tcase_add_test(tests, display_names_survive);
    tcase_add_test(tests, copies_are_listed_and_hidden_ones_not);
    tcase_add_test(tests, dates_that_cannot_be);
    tcase_add_test(tests, long_and_hostile_texts_in_headers);
    tcase_add_test(tests, text_of_pages);
    tcase_add_test(tests, text_of_hostile_pages);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    if (apr_initialize() != APR_SUCCESS) {
        return 1;
    }
    runner = srunner_create(message_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? 1 : 0;
}
