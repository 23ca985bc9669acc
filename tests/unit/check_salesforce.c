/* Salesforce's translator, by recorded exchanges in tests/vectors/salesforce/ (NAME.exchange) and
 * by what no recording would hold.
 *
 * A recording is a text of directives, each a line that begins with '@'; lines below @message and
 * @answer are theirs:
 *   @property NAME = VALUE, @record FIELD = VALUE   what is set before
 *   @message                                       what Salesforce sends
 *   @request METHOD URL, @sends BODY, @bearer TOKEN   what must be asked for next
 *   @answer STATUS [CONTENT-TYPE]                  what comes back, status 0 is none
 *   @expect WHAT = VALUE                           see compare(); each must be used, and all notes
 *                                                  and lines that there are must be expected */
#include "salesforce_fixture.h"

#include "base/date.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <stdlib.h>

#ifndef QLM_VECTORS
#define QLM_VECTORS "vectors"
#endif

/* ---- recordings ---- */

typedef struct recording_t {
    const char *path;
    apr_table_t *expectations;
    const char *message;
} recording_t;

static char *read_text(const char *path)
{
    apr_file_t *file;
    apr_finfo_t info;
    ck_assert_msg(apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) == APR_SUCCESS,
                  "cannot open %s", path);
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    char *text = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(file, text, (apr_size_t)info.size, NULL), APR_SUCCESS);
    apr_file_close(file);
    return text;
}

/** Cut "name = value" in two. @return the value */
static char *split_pair(char *pair)
{
    char *value = strstr(pair, " = ");
    ck_assert_msg(value != NULL, "no ' = ' in %s", pair);
    *value = '\0';
    return value + 3;
}

static void put_record(const char *name, const char *value)
{
    const struct {
        const char *name, **member;
    } members[] = {{"user", &world->credentials.user},
                   {"password", &world->credentials.password},
                   {"url", &world->credentials.url},
                   {"api_key", &world->credentials.api_key},
                   {"shared_key", &world->credentials.shared_key}};
    for (apr_size_t i = 0; i < sizeof(members) / sizeof(members[0]); ++i) {
        if (strcmp(members[i].name, name) == 0) {
            *members[i].member = value;
            return;
        }
    }
    ck_abort_msg("no field %s", name);
}

static void read_answer(char *line, const char *body)
{
    exchange_t *exchange = last_exchange();
    char *rest;
    exchange->status = (int)strtol(line, &rest, 10);
    exchange->content_type = *rest ? rest + 1 : "application/json;charset=UTF-8";
    exchange->body = body;
}

/** One directive with the lines below it. */
static void read_directive(recording_t *recording, char *line, const char *below)
{
    char *rest = strchr(line, ' ');
    if (rest) {
        *rest++ = '\0';
    }
    if (strcmp(line, "message") == 0) {
        recording->message = below;
    }
    else if (strcmp(line, "property") == 0) {
        const char *value = split_pair(rest);
        qlm_properties_put(world->properties, rest, value);
    }
    else if (strcmp(line, "record") == 0) {
        const char *value = split_pair(rest);
        put_record(rest, value);
    }
    else if (strcmp(line, "request") == 0) {
        exchange_t exchange = {.status = -1};
        char *url = strchr(rest, ' ');
        *url++ = '\0';
        exchange.method = rest;
        exchange.url = url;
        APR_ARRAY_PUSH(world->script, exchange_t) = exchange;
    }
    else if (strcmp(line, "sends") == 0) {
        last_exchange()->sends = rest;
    }
    else if (strcmp(line, "bearer") == 0) {
        last_exchange()->bearer = rest;
    }
    else if (strcmp(line, "answer") == 0) {
        read_answer(rest, below);
    }
    else if (strcmp(line, "expect") == 0) {
        const char *value = split_pair(rest);
        apr_table_add(recording->expectations, rest, value);
    }
    else {
        ck_abort_msg("%s: what is @%s?", recording->path, line);
    }
}

static void read_recording(recording_t *recording, const char *path)
{
    char *text = read_text(path), *next = text;
    recording->path = path;
    recording->expectations = apr_table_make(pool, 8);
    recording->message = NULL;
    while (next && *next) {
        char *line = next;
        ck_assert_msg(*line == '@', "%s: %.60s", path, line);
        char *below = strchr(line, '\n');
        next = strstr(line, "\n@");
        if (next) {
            *next++ = '\0';
        }
        if (below) {
            *below++ = '\0';
        }
        read_directive(recording, line + 1, below && below != next ? below : "");
    }
    ck_assert_msg(recording->message != NULL, "%s: no message", path);
}

/** "order|line|product|quantity|arguments|date" */
static const char *line_text(const qlm_line_t *line)
{
    return apr_psprintf(
        pool, "%s|%s|%s|%d|%s|%s", line->order.order_ref, line->order.line_ref,
        line->order.shop_product, line->order.quantity, line->arguments,
        line->order.ordered_at ? qlm_date_format(line->order.ordered_at, "yyyy-MM-dd", pool) : "");
}

static const char *customer_text(const qlm_customer_t *customer)
{
    return apr_pstrcat(pool, customer->email, "|", customer->full_name, "|", customer->company, "|",
                       customer->phone, "|", customer->address1, "|", customer->address2, "|",
                       customer->city, "|", customer->state, "|", customer->zip, "|",
                       customer->country, NULL);
}

static void compare(const recording_t *recording, const qlm_answer_t *answer)
{
    const apr_array_header_t *list = apr_table_elts(recording->expectations);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)(void *)list->elts;
    int lines = 0, customers = 0, notes = 0;
    for (int i = 0; i < list->nelts; ++i) {
        const char *name = entries[i].key, *value = entries[i].val, *got = NULL;
        if (strcmp(name, "line") == 0) {
            ck_assert_msg(lines < world->lines->nelts, "%s: no line %s", recording->path, value);
            got = line_text(&APR_ARRAY_IDX(world->lines, lines++, qlm_line_t));
        }
        else if (strcmp(name, "customer") == 0) {
            ck_assert_msg(customers < world->lines->nelts, "%s: no customer", recording->path);
            got =
                customer_text(&APR_ARRAY_IDX(world->lines, customers++, qlm_line_t).order.customer);
        }
        else if (strcmp(name, "note") == 0) {
            ck_assert_msg(notes < world->notes->nelts, "%s: no note %s", recording->path, value);
            got = APR_ARRAY_IDX(world->notes, notes++, const char *);
        }
        else if (strcmp(name, "status") == 0) {
            got = apr_itoa(pool, answer->http_status);
        }
        else if (strcmp(name, "ack") == 0) {
            ck_assert_str_eq(answer->content_type, "text/xml; charset=UTF-8");
            got = strstr(answer->body, "<Ack>true</Ack>")    ? "true"
                  : strstr(answer->body, "<Ack>false</Ack>") ? "false"
                                                             : answer->body;
        }
        else if (strcmp(name, "body") == 0) {
            got = answer->body;
        }
        ck_assert_msg(got != NULL, "%s: what is %s?", recording->path, name);
        ck_assert_msg(strcmp(got, value) == 0, "%s: %s is\n%s\nnot\n%s", recording->path, name, got,
                      value);
    }
    ck_assert_msg(lines == world->lines->nelts, "%s: a line not expected", recording->path);
    ck_assert_msg(notes == world->notes->nelts, "%s: a note not expected: %s", recording->path,
                  world_notes());
}

START_TEST(recordings)
{
    const char *folder = QLM_VECTORS "/salesforce/";
    apr_dir_t *directory;
    apr_finfo_t entry;
    int count = 0;
    ck_assert_msg(apr_dir_open(&directory, folder, pool) == APR_SUCCESS, "no %s", folder);
    while (apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS) {
        recording_t recording;
        qlm_error_t *error;
        if (!strstr(entry.name, ".exchange")) {
            continue;
        }
        apr_pool_t *former = pool;
        world_create();
        read_recording(&recording, apr_pstrcat(pool, folder, entry.name, NULL));
        compare(&recording, world_receive(&error, recording.message));
        world_destroy();
        pool = former;
        ++count;
    }
    apr_dir_close(directory);
    ck_assert_int_ge(count, 8);
}
END_TEST

/* ---- the message ---- */

START_TEST(unusable_messages_are_refused)
{
    const char *many = "";
    for (int i = 0; i < 101; ++i) {
        many = apr_pstrcat(pool, many, notification("04l7Q000001Dm01QAC", ORDER_1), NULL);
    }
    ck_assert_str_eq(refusal_of(QLM_ERROR_ARGUMENT, 400, message_from(ORGANIZATION, many)),
                     "the message is not used: it has more than 100 notifications");
    ck_assert_str_eq(refusal_of(QLM_ERROR_ARGUMENT, 400, "orderNumber=1"),
                     "the message is not used: it is not well-formed");
    ck_assert_str_eq(refusal_of(QLM_ERROR_ARGUMENT, 400,
                                apr_pstrcat(pool, "<!DOCTYPE x>", message_of(ORDER_1), NULL)),
                     "the message is not used: it has a document type");
    qlm_answer_t answer;
    world->callback.fields = qlm_fields_create(pool);
    qlm_error_t *error = qlm_vendor_salesforce.receive(&answer, &world->webhook, pool);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_int_eq(answer.http_status, 400);
    ck_assert_int_eq(world->notes->nelts, 0);
}
END_TEST

/** A hundred are taken; each is read by itself. */
START_TEST(hundred_notifications)
{
    const char *many = "";
    expect_login();
    for (int i = 0; i < 100; ++i) {
        const char *id = apr_psprintf(pool, "8017Q00000%05dAAA", i);
        many = apr_pstrcat(pool, many, notification(apr_psprintf(pool, "04l7Q00000%05dAAA", i), id),
                           NULL);
        expect_order(id, CONTACT);
        expect_items(id, item_record(apr_psprintf(pool, "8027Q00000%05dAAA", i), "'001'", "1.0"));
    }
    check_ack(message_from(ORGANIZATION, many), 1);
    ck_assert_int_eq(world->deliveries, 100);
    ck_assert_int_eq(world->notes->nelts, 0);
    ck_assert_int_eq(apr_table_elts(world->memory)->nelts, 2); /* token and organisation */
}
END_TEST

/** Ids that are none never get into a query, and nothing is asked for them. */
START_TEST(forged_order_ids)
{
    static const char *const ids[] = {"",
                                      "801",
                                      "8017Q000005Zx1Q' OR Name != '",
                                      "8017Q000005Zx1'",
                                      "8017Q000005Zx1%2",
                                      "8017Q000005Zx1\xc3\x84",
                                      "8017Q000005Zx1QAA",
                                      "8017Q000005Zx1QAASx",
                                      "8017Q00 0005Zx1"};
    const char *all = "";
    int count = sizeof(ids) / sizeof(ids[0]);
    for (int i = 0; i < count; ++i) {
        all = apr_pstrcat(pool, all, notification("04l7Q000001Dm01QAC", ids[i]), NULL);
    }
    expect_login();
    check_ack(message_from(ORGANIZATION, all), 1);
    ck_assert_int_eq(world->notes->nelts, count);
    check_noted("notification 04l7Q000001Dm01QAC is left out: it names no record");
    check_noted("notification 04l7Q000001Dm01QAC is left out: its record's id is none");
}
END_TEST

START_TEST(other_objects_are_left_out)
{
    expect_login();
    check_ack(message_from(ORGANIZATION,
                           "<Notification><Id>04l7Q000001Dm01QAC</Id><sObject "
                           "xsi:type=\"sf:Opportunity\"><Id>0067Q00000Demo1QAS</Id></sObject>"
                           "</Notification><Notification><Id>x</Id><sObject xsi:type=\"sf:Order\">"
                           "<Id xsi:nil=\"true\"/></sObject></Notification><Notification/>"),
              1);
    check_noted("notification 04l7Q000001Dm01QAC is left out: it is not about an Order");
    check_noted("notification x is left out: it names no record");
    ck_assert_int_eq(world->notes->nelts, 3);
}
END_TEST

START_TEST(order_twice_in_a_message_is_read_once)
{
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    check_ack(
        message_from(ORGANIZATION,
                     apr_pstrcat(pool, notification("04l7Q000001Dm01QAC", ORDER_1),
                                 notification("04l7Q000001Dm02QAC", "8017Q000005Zx1Q"), NULL)),
        1);
    ck_assert_int_eq(world->deliveries, 1);
}
END_TEST

/* ---- whose message it is ---- */

START_TEST(foreign_organization_is_denied)
{
    qlm_properties_put(world->properties, "Salesforce_Organization", "00D7Q00000Demo9");
    ck_assert_str_eq(refusal_of(QLM_ERROR_DENIED, 403, message_of(ORDER_1)),
                     "the message is from another organization than the one configured");
    /* capitals count */
    qlm_properties_put(world->properties, "salesforce_organization", "00d7q00000demo1");
    refusal_of(QLM_ERROR_DENIED, 403, message_of(ORDER_1));
    qlm_properties_put(world->properties, "salesforce_organization", "00D7Q00000Demo1E");
    refusal_of(QLM_ERROR_DENIED, 403, message_of(ORDER_1));
    ck_assert_int_eq(world->played, 0);
}
END_TEST

START_TEST(organization_may_be_set_in_both_forms)
{
    static const char *const forms[] = {"00D7Q00000Demo1", ORGANIZATION, " 00D7Q00000Demo1EAC "};
    for (int i = 0; i < 3; ++i) {
        qlm_properties_put(world->properties, "salesforce_organization", forms[i]);
        next_delivery();
        if (i == 0) {
            expect_login();
        }
        expect_order(ORDER_1, CONTACT);
        expect_items(ORDER_1, good_item());
        check_ack(message_of(ORDER_1), 1);
        ck_assert_str_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.line_ref,
                         "00D7Q00000Demo1.8027Q00000AbCd1QAF");
    }
}
END_TEST

/** The first login says who we are; a later message of others does not even make us log in. */
START_TEST(organization_is_pinned_at_the_first_login)
{
    expect_login();
    refusal_of(QLM_ERROR_DENIED, 403,
               message_from("00D7Q00000Demo2EAC", notification("x", ORDER_1)));
    next_delivery();
    apr_table_unset(world->memory, "salesforce_token");
    refusal_of(QLM_ERROR_DENIED, 403,
               message_from("00D7Q00000Demo2EAC", notification("x", ORDER_1)));
    /* another account is another organisation: the pin counts for the one it was made with */
    world->credentials.user = "bot@other.example";
    expect_login();
    refusal_of(QLM_ERROR_DENIED, 403,
               message_from("00D7Q00000Demo2EAC", notification("x", ORDER_1)));
}
END_TEST

/** An order of one organisation is not found in another: it must not pass for served. */
START_TEST(credentials_of_another_organization)
{
    qlm_properties_put(world->properties, "salesforce_organization", "00D7Q00000Demo2EAC");
    expect_login();
    check_ack(message_from("00D7Q00000Demo2EAC", notification("x", ORDER_1)), 0);
    check_noted("lead to the organization 00D7Q00000Demo1EAC, but the message is from "
                "00D7Q00000Demo2EAC");
}
END_TEST

START_TEST(login_that_names_no_organization)
{
    const char *answer = json("{'access_token':'" WORLD_TOKEN "','instance_url':'" INSTANCE
                              "','id':'https://login.salesforce.com/id/x'}");
    expect("POST", WORLD_LOGIN_URL, 200, answer);
    check_ack(message_of(ORDER_1), 0);
    check_noted("set the property salesforce_organization");
    next_delivery();
    apr_table_clear(world->memory);
    qlm_properties_put(world->properties, "salesforce_organization", ORGANIZATION);
    expect("POST", WORLD_LOGIN_URL, 200, answer);
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    check_ack(message_of(ORDER_1), 1);
    ck_assert_str_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.line_ref,
                     "00D7Q00000Demo1.8027Q00000AbCd1QAF");
}
END_TEST

/* ---- session ---- */

START_TEST(token_is_shared_and_counts_for_its_account)
{
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    check_ack(message_of(ORDER_1), 1);
    next_delivery();
    expect("GET", order_url(ORDER_1), 200, records(order_record(ORDER_1, CONTACT)))->bearer =
        WORLD_TOKEN;
    expect_items(ORDER_1, good_item());
    check_ack(message_of(ORDER_1), 1);
    next_delivery();
    world->credentials.api_key = "another app";
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    check_ack(message_of(ORDER_1), 1);
}
END_TEST

START_TEST(kept_token_that_is_rubbish_is_not_used)
{
    static const char *const kept[] = {"", "x", "{}", "{\"token\":\"a\\r\\nX: y\"}",
                                       "{\"token\":\"t\",\"instance\":\"https://evil.example\"}"};
    expect_login();
    check_ack(message_from(ORGANIZATION, "<Notification/>"), 1);
    const char *good = apr_table_get(world->memory, "salesforce_token");
    const char *account = apr_pstrmemdup(pool, good, strcspn(good, " "));
    for (apr_size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); ++i) {
        next_delivery();
        apr_table_set(world->memory, "salesforce_token",
                      apr_pstrcat(pool, account, " ", kept[i], NULL));
        expect_login();
        check_ack(message_from(ORGANIZATION, "<Notification/>"), 1);
    }
}
END_TEST

START_TEST(expired_session_is_renewed_once)
{
    const char *expired = json("[{'message':'Session expired or invalid','errorCode':"
                               "'INVALID_SESSION_ID'}]");
    expect_login();
    expect("GET", order_url(ORDER_1), 401, expired)->bearer = WORLD_TOKEN;
    expect("POST", WORLD_LOGIN_URL, 200, token_answer("fresh!token", INSTANCE));
    expect("GET", order_url(ORDER_1), 200, records(order_record(ORDER_1, CONTACT)))->bearer =
        "fresh!token";
    expect("GET", items_url(ORDER_1), 200, records(good_item()))->bearer = "fresh!token";
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 1);
    ck_assert_ptr_nonnull(strstr(apr_table_get(world->memory, "salesforce_token"), "fresh!token"));
    /* and not twice: neither for the same call nor for a later one */
    next_delivery();
    expect("GET", order_url(ORDER_1), 401, expired);
    expect_login();
    expect("GET", order_url(ORDER_1), 401, expired);
    check_ack(
        message_from(ORGANIZATION, apr_pstrcat(pool, notification("04l7Q000001Dm01QAC", ORDER_1),
                                               notification("04l7Q000001Dm02QAC", ORDER_2), NULL)),
        0);
    check_noted("refuses the session of a new login as well");
    check_noted("1 of 2 notifications are left to the redelivery");
}
END_TEST

START_TEST(renewal_that_is_refused)
{
    expect_login();
    expect("GET", order_url(ORDER_1), 401, "[]");
    expect("POST", WORLD_LOGIN_URL, 400,
           json("{'error':'invalid_grant','error_description':'authentication failure'}"));
    check_ack(message_of(ORDER_1), 0);
    check_noted("the login at login.salesforce.com as bot@acme.example was refused: invalid_grant "
                "(authentication failure); check user, password and security token");
    check_noted("client_credentials or jwt");
    ck_assert_ptr_null(apr_table_get(world->memory, "salesforce_token"));
}
END_TEST

/** The message was admitted for the organisation of the first login. */
START_TEST(renewal_that_leads_elsewhere)
{
    expect_login();
    expect("GET", order_url(ORDER_1), 401, "[]");
    expect("POST", WORLD_LOGIN_URL, 200,
           json("{'access_token':'t','instance_url':'" INSTANCE
                "','id':'https://login.salesforce.com/id/00D7Q00000Demo2EAC/x'}"));
    check_ack(message_of(ORDER_1), 0);
    check_noted("the new login leads to another organization");
    ck_assert_int_eq(world->deliveries, 0);
}
END_TEST

START_TEST(version_of_the_api)
{
    static const struct {
        const char *said, *version;
    } cases[] = {{"", "v60.0"},           {"v58.0", "v58.0"},  {" V101.0 ", "v101.0"},
                 {"60", "v60.0"},         {"v60.00", "v60.0"}, {"v60.0/../..", "v60.0"},
                 {"v60.0\r\nX", "v60.0"}, {"latest", "v60.0"}};
    expect_login();
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_properties_put(world->properties, "salesforce_api_version", cases[i].said);
        expect("GET",
               apr_pstrcat(pool, INSTANCE "/services/data/", cases[i].version,
                           "/query/?q=SELECT " ORDER_FIELDS " FROM Order WHERE Id = '" ORDER_1 "'",
                           NULL),
               200, json("{'done':true,'records':[]}"));
        check_ack(message_of(ORDER_1), 1);
        ck_assert_int_eq(world->notes->nelts, i < 3 ? 1 : 2);
        next_delivery();
    }
}
END_TEST

START_TEST(broken_memory_is_passing)
{
    world->is_memory_broken = 1;
    check_ack(message_of(ORDER_1), 0);
    ck_assert_int_eq(world->notes->nelts, 1);
}
END_TEST

/* ---- failures ---- */

START_TEST(answers_that_cannot_be_used)
{
    static const char deep[] = "{'totalSize':1,'done':true,'records':%s}";
    char *nested = apr_pcalloc(pool, 2001);
    memset(nested, '[', 1000);
    memset(nested + 1000, ']', 1000);
    const char *const bodies[] = {
        "<html><body>maintenance</body></html>",
        "",
        "[]",
        "{}",
        "null",
        json("{'records':[]}"),
        json("{'records':{},'done':true}"),
        json("{'records':[],'done':'true'}"),
        json("{'records':[],'done':false}"),
        json("{'records':[],'done':true,'done':false}"),
        json("{'records':[],'done':true}x"),
        json("{'records':[{'Id':'\\u0000'}],'done':true}"),
        apr_psprintf(pool, json(deep), nested),
        records("null"),
        records("7"),
        records("{'Id':'" ORDER_2 "','OrderNumber':'1'}"),
        records("{'Id':'" ORDER_1 "','StatusCode':'Activated'}"),
        records("{'Id':'" ORDER_1 "','OrderNumber':'1\\n2'}"),
        records("{'Id':'" ORDER_1 "','OrderNumber':7}"),
        records("{'Id':'" ORDER_1 "','OrderNumber':'1'},{'Id':'" ORDER_1 "','OrderNumber':'1'}")};
    expect_login();
    for (apr_size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); ++i) {
        expect("GET", order_url(ORDER_1), 200, bodies[i]);
        check_ack(message_of(ORDER_1), 0);
        ck_assert_int_eq(world->notes->nelts, 1);
        check_noted("order " ORDER_1 ": redelivery is asked for: Salesforce gave no usable answer");
        next_delivery();
    }
    ck_assert_int_eq(world->deliveries, 0);
}
END_TEST

START_TEST(failures_of_one_order_leave_the_others)
{
    static const struct {
        int status;
        const char *body, *noted;
    } failures[] = {
        {500, "<html>", "status 500"},
        {503, "[{'errorCode':'SERVER_UNAVAILABLE','message':'x'}]", "503 SERVER_UNAVAILABLE"},
        {403, "[{'errorCode':'INSUFFICIENT_ACCESS'}]", "403 INSUFFICIENT_ACCESS"},
        {404, "[{'errorCode':'NOT_FOUND'}]", "404 NOT_FOUND"},
        {400, "[{'errorCode':'MALFORMED_QUERY'}]", "400 MALFORMED_QUERY"},
        {400, "[{'errorCode':'INVALID_FIELD','message':'No such column `StatusCode`'}]",
         "400 INVALID_FIELD"},
        {400, "[{'errorCode':'INVALID_FIELD'}]", "400 INVALID_FIELD"},
        {302, "", "status 302"},
        {503, "[{'errorCode':'a secret\\r\\nof ours'}]", "status 503"},
        {0, NULL, "no answer: time-out"},
    };
    const char *both =
        message_from(ORGANIZATION, apr_pstrcat(pool, notification("", ORDER_1),
                                               notification("04l7Q000001Dm02QAC", ORDER_2), NULL));
    expect_login();
    for (apr_size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); ++i) {
        expect("GET", order_url(ORDER_1), failures[i].status,
               failures[i].body ? json(failures[i].body) : NULL);
        expect_order(ORDER_2, CONTACT);
        expect_items(ORDER_2, good_item());
        check_ack(both, 0);
        check_noted(failures[i].noted);
        ck_assert_int_eq(world->notes->nelts, 1);
        ck_assert_int_eq(world->lines->nelts, 1);
        next_delivery();
        apr_table_unset(world->memory, "salesforce_done_04l7Q000001Dm02QAC");
    }
}
END_TEST

/** Further calls would only make it worse; what was done is not asked for again. */
START_TEST(limit_stops_the_delivery)
{
    const char *both = message_from(
        ORGANIZATION, apr_pstrcat(pool, notification("04l7Q000001Dm01QAC", ORDER_1),
                                  notification("04l7Q000001Dm02QAC", ORDER_2),
                                  notification("04l7Q000001Dm03QAC", "8017Q000005Zx3QAAS"), NULL));
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    expect("GET", order_url(ORDER_2), 403,
           json("[{'message':'TotalRequests Limit exceeded.','errorCode':"
                "'REQUEST_LIMIT_EXCEEDED'}]"));
    check_ack(both, 0);
    check_noted("order " ORDER_2 ": redelivery is asked for: Salesforce answered a query with "
                "status 403 REQUEST_LIMIT_EXCEEDED");
    check_noted("1 of 3 notifications are left to the redelivery");
    ck_assert_int_eq(world->lines->nelts, 1);
    next_delivery();
    expect_order(ORDER_2, CONTACT);
    expect_items(ORDER_2, item_record("8027Q00000AbCd2QAF", "'001'", "1.0"));
    expect_order("8017Q000005Zx3QAAS", CONTACT);
    expect_items("8017Q000005Zx3QAAS", item_record("8027Q00000AbCd3QAF", "'001'", "1.0"));
    check_ack(both, 1);
    ck_assert_int_eq(world->lines->nelts, 2);
}
END_TEST

START_TEST(time_budget)
{
    const char *both =
        message_from(ORGANIZATION, apr_pstrcat(pool, notification("04l7Q000001Dm01QAC", ORDER_1),
                                               notification("04l7Q000001Dm02QAC", ORDER_2), NULL));
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, good_item());
    last_exchange()->seconds = 45;
    check_ack(both, 0);
    ck_assert_int_eq(world->lines->nelts, 1); /* what was read is delivered */
    check_noted("the time for this delivery is used up");
    check_noted("1 of 2 notifications are left to the redelivery");
    /* in the middle of an order: nothing of it is delivered */
    next_delivery();
    world->webhook.deadline = world->time + apr_time_from_sec(45);
    expect("GET", order_url(ORDER_2), 200, records(order_record(ORDER_2, CONTACT)))->seconds = 46;
    check_ack(both, 0);
    ck_assert_int_eq(world->lines->nelts, 0);
    check_noted("order 00000137 (" ORDER_2 "): redelivery is asked for: the time for this delivery "
                "is used up");
    /* before the login */
    next_delivery();
    apr_table_clear(world->memory);
    check_ack(both, 0);
    check_noted("the time for this delivery is used up");
}
END_TEST

START_TEST(outcome_of_the_delivery_decides)
{
    static const struct {
        qlm_error_kind_t kind;
        int is_taken;
    } outcomes[] = {{QLM_ERROR_STORE, 0},    {QLM_ERROR_INTERNAL, 0}, {QLM_ERROR_CONFLICT, 0},
                    {QLM_ERROR_ARGUMENT, 1}, {QLM_ERROR_REFUSED, 1},  {QLM_ERROR_MISSING, 1}};
    world->failing_delivery = -1;
    expect_login();
    for (apr_size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); ++i) {
        world->delivery_kind = outcomes[i].kind;
        expect_order(ORDER_1, CONTACT);
        expect_items(ORDER_1, good_item());
        check_ack(message_of(ORDER_1), outcomes[i].is_taken);
        check_noted(outcomes[i].is_taken ? "repeating would not help: delivery failed"
                                         : "redelivery is asked for: delivery failed");
        next_delivery();
    }
}
END_TEST

/* ---- the rest of the vendor ---- */

START_TEST(single_orders_are_refused)
{
    qlm_order_t order;
    qlm_error_t *error = qlm_vendor_salesforce.read_order(&order, &world->callback, pool);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_str_eq(error->text, "Salesforce sends its orders to QlmWebHookHandler");
    ck_assert_int_eq(qlm_vendor_salesforce.is_body_trusted, 0);
    ck_assert_ptr_eq(qlm_vendor_find("SalesForce"), &qlm_vendor_salesforce);
}
END_TEST

START_TEST(keys_and_failures_are_plain_text)
{
    qlm_answer_t answer;
    apr_array_header_t *keys = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(keys, const char *) = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF";
    qlm_vendor_salesforce.write_keys(&answer, keys, &world->callback, pool);
    ck_assert_str_eq(answer.body, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF");
    ck_assert_int_eq(answer.http_status, 200);
    qlm_vendor_salesforce.write_failure(
        &answer, qlm_error_make(pool, QLM_ERROR_STORE, QLM_CODE_DATABASE, "busy\n<x>"),
        &world->callback, pool);
    ck_assert_int_eq(answer.http_status, 503);
    ck_assert_str_eq(answer.body, "Error: busy?<x>");
}
END_TEST

static Suite *salesforce_suite(void)
{
    Suite *suite = suite_create("salesforce");
    TCase *tests = tcase_create("salesforce");
    tcase_add_checked_fixture(tests, world_create, world_destroy);
    tcase_add_test(tests, recordings);
    tcase_add_test(tests, unusable_messages_are_refused);
    tcase_add_test(tests, hundred_notifications);
    tcase_add_test(tests, forged_order_ids);
    tcase_add_test(tests, other_objects_are_left_out);
    tcase_add_test(tests, order_twice_in_a_message_is_read_once);
    tcase_add_test(tests, foreign_organization_is_denied);
    tcase_add_test(tests, organization_may_be_set_in_both_forms);
    tcase_add_test(tests, organization_is_pinned_at_the_first_login);
    tcase_add_test(tests, credentials_of_another_organization);
    tcase_add_test(tests, login_that_names_no_organization);
    tcase_add_test(tests, token_is_shared_and_counts_for_its_account);
    tcase_add_test(tests, kept_token_that_is_rubbish_is_not_used);
    tcase_add_test(tests, expired_session_is_renewed_once);
    tcase_add_test(tests, renewal_that_is_refused);
    tcase_add_test(tests, renewal_that_leads_elsewhere);
    tcase_add_test(tests, version_of_the_api);
    tcase_add_test(tests, broken_memory_is_passing);
    tcase_add_test(tests, answers_that_cannot_be_used);
    tcase_add_test(tests, failures_of_one_order_leave_the_others);
    tcase_add_test(tests, limit_stops_the_delivery);
    tcase_add_test(tests, time_budget);
    tcase_add_test(tests, outcome_of_the_delivery_decides);
    tcase_add_test(tests, single_orders_are_refused);
    tcase_add_test(tests, keys_and_failures_are_plain_text);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(salesforce_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
