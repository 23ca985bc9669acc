/* The reader of Salesforce's Outbound Message: what it takes out, and what it refuses. */
#include "vendor/soap.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#define ENVELOPE                                                                                   \
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' "                             \
    "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
#define OPEN  "<notifications xmlns='http://soap.sforce.com/2005/09/outbound'>"
#define CLOSE "</notifications>"
#define ORG   "<OrganizationId>00D7Q00000Demo1EAC</OrganizationId>"
#define ONE                                                                                        \
    "<Notification><Id>04l7Q000001Dm01QAC</Id><sObject xsi:type='sf:Order' "                       \
    "xmlns:sf='urn:sobject.enterprise.soap.sforce.com'><sf:Id>8017Q000005Zx1QAAS</sf:Id></"        \
    "sObject>"                                                                                     \
    "</Notification>"

static apr_pool_t *pool;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static const char *repeated(const char *text, int count)
{
    char *made = apr_palloc(pool, strlen(text) * (apr_size_t)count + 1), *end = made;
    for (int i = 0; i < count; ++i) {
        end = apr_cpystrn(end, text, strlen(text) + 1);
    }
    *end = '\0';
    return made;
}

static const char *in_body(const char *content)
{
    return apr_pstrcat(pool, ENVELOPE "<e:Body>", content, "</e:Body></e:Envelope>", NULL);
}

static const char *in_message(const char *content)
{
    return in_body(apr_pstrcat(pool, OPEN, content, CLOSE, NULL));
}

static const qlm_soap_message_t *message_of(const char *xml)
{
    const qlm_soap_message_t *message;
    qlm_error_t *error = qlm_soap_read(&message, xml, pool);
    ck_assert_msg(!error, "%s: %.300s", error ? error->text : "", xml);
    return message;
}

static void check_refused(const char *xml, const char *reason)
{
    const qlm_soap_message_t *message;
    qlm_error_t *error = qlm_soap_read(&message, xml, pool);
    ck_assert_msg(error != NULL, "accepted %.300s", xml);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_ptr_null(message);
    ck_assert_str_eq(error->text, apr_pstrcat(pool, "the message is not used: ", reason, NULL));
}

static const qlm_soap_notification_t *first_of(const qlm_soap_message_t *message)
{
    return &APR_ARRAY_IDX(message->notifications, 0, qlm_soap_notification_t);
}

START_TEST(message_in_full)
{
    const qlm_soap_message_t *message = message_of(in_message(
        ORG "<ActionId>04k7Q000000Dm01QAS</ActionId><SessionId xsi:nil='true'/><EnterpriseUrl>"
            "https://x.example</EnterpriseUrl>" ONE ONE));
    ck_assert_str_eq(message->organization, "00D7Q00000Demo1EAC");
    ck_assert_int_eq(message->notifications->nelts, 2);
    ck_assert_str_eq(first_of(message)->id, "04l7Q000001Dm01QAC");
    ck_assert_str_eq(first_of(message)->object_type, "Order");
    ck_assert_str_eq(first_of(message)->object_id, "8017Q000005Zx1QAAS");
}
END_TEST

/** Prefixes, order, comments, references and blanks are the sender's choice. */
START_TEST(other_spellings)
{
    static const char *const spellings[] = {
        "<o:notifications xmlns:o='http://soap.sforce.com/2005/09/outbound'><o:Notification>"
        "<o:sObject xmlns:q='urn:sobject.partner.soap.sforce.com' xsi:type='q:Order'><q:Name>n"
        "</q:Name><q:Id>\n 8017Q000005Zx1QAAS </q:Id></o:sObject><o:Id>04l7Q000001Dm01QAC</o:Id>"
        "</o:Notification><o:OrganizationId>00D7Q00000Demo1EAC</o:OrganizationId>"
        "</o:notifications>",
        OPEN ORG "<Notification><Id>04l7<!-- x -->Q000001Dm01QAC</Id><sObject xsi:type='Order'><Id>"
                 "<![CDATA[8017Q000005]]>&#90;x1QAAS</Id></sObject></Notification>" CLOSE,
        /* elements of the same names elsewhere mean something else */
        OPEN ORG "<x xmlns='urn:x'><OrganizationId>00D7Q00000Demo9EAC</OrganizationId>"
                 "<Notification/></x><Id>y</Id><OrganizationId xmlns='urn:x'>z</OrganizationId>"
                 "<Notification><x xmlns='urn:x'><Id>1</Id></x><sObject xsi:type='sf:Order'><sub>"
                 "<Id>2</Id></sub><Id>8017Q000005Zx1QAAS</Id></sObject><Id>04l7Q000001Dm01QAC</Id>"
                 "</Notification>" CLOSE};
    for (apr_size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); ++i) {
        const qlm_soap_message_t *message =
            message_of(apr_pstrcat(pool, "\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?>",
                                   in_body(spellings[i]), NULL));
        ck_assert_int_eq(message->notifications->nelts, 1);
        ck_assert_str_eq(message->organization, "00D7Q00000Demo1EAC");
        ck_assert_str_eq(first_of(message)->id, "04l7Q000001Dm01QAC");
        ck_assert_str_eq(first_of(message)->object_type, "Order");
        ck_assert_str_eq(first_of(message)->object_id, "8017Q000005Zx1QAAS");
    }
}
END_TEST

/** A record deleted before delivery has no data. Absent and nil are the same. */
START_TEST(nothing_said)
{
    static const char *const silent[] = {
        "<Notification/>", "<Notification><Id xsi:nil='true'/><sObject/></Notification>",
        "<Notification><Id xsi:nil='1'>x</Id><sObject "
        "xsi:nil='true'><Id/></sObject></Notification>",
        "<Notification><sObject><Id xsi:nil='true'>8017Q000005Zx1QAAS</Id></sObject>"
        "</Notification>"};
    for (apr_size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); ++i) {
        const qlm_soap_message_t *message =
            message_of(in_message(apr_pstrcat(pool, ORG, silent[i], NULL)));
        ck_assert_str_eq(first_of(message)->id, "");
        ck_assert_str_eq(first_of(message)->object_type, "");
        ck_assert_str_eq(first_of(message)->object_id, "");
    }
    const char *xml = in_message(ORG "<Notification><sObject><Id xsi:nil='false'>x</Id></sObject>"
                                     "</Notification>");
    ck_assert_str_eq(first_of(message_of(xml))->object_id, "x");
}
END_TEST

START_TEST(what_is_no_message)
{
    check_refused("", "it is not well-formed");
    check_refused("x", "it is not well-formed");
    check_refused(apr_pstrcat(pool, in_message(ORG ONE), "<x/>", NULL), "it is not well-formed");
    check_refused(ENVELOPE "<e:Body>" OPEN ORG ONE, "it is not well-formed");
    check_refused(in_message(ORG ONE "<SessionId>&unknown;</SessionId>"), "it is not well-formed");
    check_refused(in_message(ORG ONE "\x01"), "it is not well-formed");
    check_refused("<a/>", "it is no outbound message");
    check_refused("<Envelope><Body/></Envelope>", "it is no outbound message");
    check_refused("<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>",
                  "it is no outbound message");
    check_refused(in_body("<notifications>" ORG ONE CLOSE), "it is no outbound message");
    check_refused(in_body("<notificationsResponse "
                          "xmlns='http://soap.sforce.com/2005/09/outbound'/>"),
                  "it is no outbound message");
    check_refused(in_body(OPEN ORG ONE CLOSE OPEN ORG ONE CLOSE), "it holds two messages");
    check_refused(in_body(""), "it names no organization");
    check_refused(apr_pstrcat(pool, ENVELOPE "<e:Header>" OPEN ORG ONE CLOSE "</e:Header>",
                              "<e:Body/></e:Envelope>", NULL),
                  "it names no organization");
}
END_TEST

START_TEST(what_is_missing_or_said_twice)
{
    check_refused(in_message(ONE), "it names no organization");
    check_refused(
        in_message("<OrganizationId xsi:nil='true'>00D7Q00000Demo1EAC</OrganizationId>" ONE),
        "it names no organization");
    check_refused(in_message("<OrganizationId>00D7Q00000Demo1EA</OrganizationId>" ONE),
                  "it names no organization");
    check_refused(in_message("<OrganizationId>00D7Q00000Demo1'</OrganizationId>" ONE),
                  "it names no organization");
    check_refused(in_message(ORG), "it has no notification");
    check_refused(in_message(ORG "<OrganizationId>00D7Q00000Demo2EAC</OrganizationId>" ONE),
                  "it says an id twice");
    check_refused(in_message(ORG "<Notification><Id>a</Id><Id>b</Id></Notification>"),
                  "it says an id twice");
    check_refused(in_message(ORG "<Notification><sObject><Id>a</Id><Id>b</Id></sObject>"
                                 "</Notification>"),
                  "it says an id twice");
    check_refused(in_message(ORG "<Notification><sObject/><sObject/></Notification>"),
                  "it has a notification about two records");
}
END_TEST

START_TEST(document_types)
{
    check_refused(apr_pstrcat(pool, "<!DOCTYPE a>", in_message(ORG ONE), NULL),
                  "it has a document type");
    check_refused(apr_pstrcat(pool, "<!DOCTYPE a SYSTEM 'http://evil.example/x.dtd'>",
                              in_message(ORG ONE), NULL),
                  "it has a document type");
    check_refused(apr_pstrcat(pool, "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
                              in_message(ORG "<Notification><Id>&x;</Id></Notification>"), NULL),
                  "it has a document type");
    check_refused(apr_pstrcat(pool,
                              "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b "
                              "'&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>",
                              in_message(ORG "<Notification><Id>&b;</Id></Notification>"), NULL),
                  "it has a document type");
}
END_TEST

START_TEST(limits)
{
    const char *hundred = apr_pstrcat(pool, ORG, repeated(ONE, 100), NULL);
    ck_assert_int_eq(message_of(in_message(hundred))->notifications->nelts, 100);
    check_refused(in_message(apr_pstrcat(pool, hundred, ONE, NULL)),
                  "it has more than 100 notifications");
    const char *comment = apr_pstrcat(pool, "<!--", repeated("x", 60000), "-->", NULL);
    const char *large = in_message(apr_pstrcat(pool, ORG ONE, repeated(comment, 17), NULL));
    message_of(large);
    apr_size_t missing = 1024 * 1024 - strlen(large);
    large = apr_pstrcat(pool, large, repeated(" ", (int)missing), NULL);
    message_of(large);
    check_refused(apr_pstrcat(pool, large, " ", NULL), "it is larger than 1 MiB");
    check_refused(repeated("<x>", 700000), "it is larger than 1 MiB");
    check_refused(in_message(apr_pstrcat(pool, ORG ONE, repeated("<x>", 14), NULL)),
                  "it is nested too deeply");
    check_refused(in_message(apr_pstrcat(pool, ORG ONE, repeated("<x>", 1000), NULL)),
                  "it is nested too deeply");
    message_of(
        in_message(apr_pstrcat(pool, ORG ONE, repeated("<x>", 13), repeated("</x>", 13), NULL)));
    check_refused(in_message(apr_pstrcat(pool, ORG ONE "<x>", repeated("x", 65536), "</x>", NULL)),
                  "a field of it is larger than 64 KiB");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    const char *xml = in_message(apr_pstrcat(pool, ORG "<Notification><Id>", repeated("x", 60000),
                                             "</Id></Notification>", NULL));
    ck_assert_uint_eq(strlen(first_of(message_of(xml))->id), 255);
}
END_TEST

START_TEST(ids)
{
    ck_assert(qlm_soap_is_id("00D7Q00000Demo1"));
    ck_assert(qlm_soap_is_id("00D7Q00000Demo1EAC"));
    static const char *const none[] = {"",
                                       "00D7Q00000Demo",
                                       "00D7Q00000Demo1E",
                                       "00D7Q00000Demo1EA",
                                       "00D7Q00000Demo1EACx",
                                       "00D7Q00000Demo1 ",
                                       " 0D7Q00000Demo1",
                                       "00D7Q0000-Demo1",
                                       "00D7Q00000Dem\xc3\x84",
                                       "00D7Q00000Demo1\n"};
    for (apr_size_t i = 0; i < sizeof(none) / sizeof(none[0]); ++i) {
        ck_assert_msg(!qlm_soap_is_id(none[i]), "%s", none[i]);
        ck_assert(!qlm_soap_is_same_id(none[i], none[i]));
    }
    ck_assert(qlm_soap_is_same_id("00D7Q00000Demo1", "00D7Q00000Demo1EAC"));
    ck_assert(!qlm_soap_is_same_id("00D7Q00000Demo1EAC", "00D7Q00000demo1EAC"));
}
END_TEST

/** Both answers are well-formed and say nothing else; read here by the namespaces that count. */
START_TEST(acknowledgements)
{
    static const char frame[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope "
        "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>"
        "<notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>%s</Ack>"
        "</notificationsResponse></soapenv:Body></soapenv:Envelope>";
    ck_assert_str_eq(qlm_soap_acknowledgement(1), apr_psprintf(pool, frame, "true"));
    ck_assert_str_eq(qlm_soap_acknowledgement(0), apr_psprintf(pool, frame, "false"));
}
END_TEST

static Suite *soap_suite(void)
{
    Suite *suite = suite_create("soap");
    TCase *tests = tcase_create("soap");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, message_in_full);
    tcase_add_test(tests, other_spellings);
    tcase_add_test(tests, nothing_said);
    tcase_add_test(tests, what_is_no_message);
    tcase_add_test(tests, what_is_missing_or_said_twice);
    tcase_add_test(tests, document_types);
    tcase_add_test(tests, limits);
    tcase_add_test(tests, long_texts_are_cut);
    tcase_add_test(tests, ids);
    tcase_add_test(tests, acknowledgements);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(soap_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
