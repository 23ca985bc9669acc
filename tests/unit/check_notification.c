/* The reader of Cleverbridge's notification document: what it takes out, and what it refuses. */
#include "vendor/notification.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

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

static const char *repeated(char letter, apr_size_t count)
{
    char *text = apr_palloc(pool, count + 1);
    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

static const char *refusal_of_xml(const char *xml)
{
    const qlm_notification_t *notification;
    qlm_error_t *error = qlm_notification_read(&notification, xml, pool);
    ck_assert_msg(error != NULL, "accepted %.80s", xml);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_ptr_null(notification);
    return error->text;
}

static const char *nested(int depth)
{
    const char *xml = "x";
    for (int i = 0; i < depth; ++i) {
        xml = apr_pstrcat(pool, "<a>", xml, "</a>", NULL);
    }
    return xml;
}

START_TEST(unreadable_documents)
{
    static const char *const broken[] = {"",
                                         "x",
                                         "<a>",
                                         "<a></b>",
                                         "<a/><b/>",
                                         "<a>&unknown;</a>",
                                         "<a x=\"&unknown;\"/>",
                                         "<a>\x01</a>",
                                         "<a>&#0;</a>",
                                         "<a x=\"1\" x=\"2\"/>",
                                         "<Purchase Id=\"1\"><StatusId>TST</StatusId>",
                                         "<?xml version=\"1.0\"?>"};
    for (apr_size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); ++i) {
        ck_assert_str_eq(refusal_of_xml(broken[i]), "the XML is not used: it is not well-formed");
    }
    ck_assert_str_eq(refusal_of_xml("<!DOCTYPE a><a/>"),
                     "the XML is not used: it has a document type");
    ck_assert_str_eq(refusal_of_xml("<!DOCTYPE a SYSTEM \"http://dtd.example/a\"><a/>"),
                     "the XML is not used: it has a document type");
    ck_assert_str_eq(refusal_of_xml(nested(33)), "the XML is not used: it is nested too deeply");
    ck_assert_str_eq(refusal_of_xml(nested(1000)), "the XML is not used: it is nested too deeply");
}
END_TEST

START_TEST(document_limits_are_inclusive)
{
    const qlm_notification_t *notification;
    ck_assert_ptr_null(qlm_notification_read(&notification, nested(32), pool));
    ck_assert_int_eq(notification->items->nelts, 0);
    const char *xml = apr_pstrcat(pool, "<a>", repeated('x', 256 * 1024 - 7), "</a>", NULL);
    ck_assert_ptr_null(qlm_notification_read(&notification, xml, pool));
    ck_assert_str_eq(refusal_of_xml(apr_pstrcat(pool, xml, " ", NULL)),
                     "the XML is not used: it is larger than 256 KiB");
    const char *items = "<Item/>";
    for (int i = 0; i < 9; ++i) {
        items = apr_pstrcat(pool, items, items, NULL);
    }
    ck_assert_str_eq(refusal_of_xml(apr_pstrcat(pool, "<Items>", items, "</Items>", NULL)),
                     "the XML is not used: it has too many items");
}
END_TEST

START_TEST(documents_are_read_by_local_names)
{
    static const char *const documents[] = {
        "<P><Purchase Id='5'><StatusId>PAY</StatusId><Items><Item RunningNo='2'><Quantity> 4 "
        "</Quantity></Item></Items></Purchase></P>",
        "<x:P xmlns:x='urn:1' xmlns:y='urn:2'><x:Purchase y:Id='5'><y:StatusId>PAY</y:StatusId>"
        "<x:Items><y:Item x:RunningNo='2'><x:Quantity>4</x:Quantity></y:Item></x:Items>"
        "</x:Purchase></x:P>",
        /* prefixes that are declared nowhere */
        "<n:P><n:Purchase t:Id='5'><t:StatusId>PAY</t:StatusId><t:Items><t:Item t:RunningNo='2'>"
        "<t:Quantity><!-- four -->4</t:Quantity></t:Item></t:Items></n:Purchase></n:P>",
        "\xef\xbb\xbf<?xml version='1.0' encoding='utf-16'?><P><Purchase Id='5'><StatusId>P&#65;Y"
        "</StatusId><Items><Item RunningNo='2'><Quantity><![CDATA[4]]></Quantity></Item></Items>"
        "</Purchase></P>"};
    for (apr_size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); ++i) {
        const qlm_notification_t *notification;
        qlm_error_t *error = qlm_notification_read(&notification, documents[i], pool);
        ck_assert_msg(!error, "document %d", (int)i);
        ck_assert_str_eq(notification->purchase_id, "5");
        ck_assert_str_eq(notification->status_id, "PAY");
        ck_assert_int_eq(notification->items->nelts, 1);
        const qlm_notification_item_t *item =
            &APR_ARRAY_IDX(notification->items, 0, qlm_notification_item_t);
        ck_assert_str_eq(item->running_no, "2");
        ck_assert_str_eq(item->quantity, "4");
    }
}
END_TEST

static const qlm_notification_t *notification_of(const char *xml)
{
    const qlm_notification_t *notification;
    qlm_error_t *error = qlm_notification_read(&notification, xml, pool);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    return notification;
}

START_TEST(contacts_are_kept_apart)
{
    const qlm_notification_t *notification = notification_of(
        "<P><Purchase><BillingContact><Firstname>Bea</Firstname><Lastname>Bill</Lastname>"
        "<Email>bea@bill.example</Email><CountryId>NO</CountryId></BillingContact>"
        "<LicenseeContact><Company>A &amp; B &lt;&#x20AC;&gt;</Company><Lastname>Lee</Lastname>"
        "<Street1>Road 1</Street1><Street2>Flat 2</Street2><PostalCode>123</PostalCode>"
        "<City>\xe6\x9d\xb1\xe4\xba\xac</City><State>T</State><Country>Japan</Country>"
        "<CountryId>JP</CountryId><Email>no address</Email><Phone>1</Phone><Fax>2</Fax>"
        "<Lastname>Second</Lastname></LicenseeContact></Purchase></P>");
    const qlm_customer_t *licensee = &notification->contacts[QLM_CONTACT_LICENSEE];
    const qlm_customer_t *billing = &notification->contacts[QLM_CONTACT_BILLING];
    ck_assert_str_eq(licensee->company, "A & B <\xe2\x82\xac>");
    ck_assert_str_eq(licensee->full_name, "Lee");
    ck_assert_str_eq(licensee->address1, "Road 1");
    ck_assert_str_eq(licensee->address2, "Flat 2");
    ck_assert_str_eq(licensee->zip, "123");
    ck_assert_str_eq(licensee->city, "\xe6\x9d\xb1\xe4\xba\xac");
    ck_assert_str_eq(licensee->state, "T");
    ck_assert_str_eq(licensee->country, "Japan");
    ck_assert_str_eq(licensee->email, "");
    ck_assert_str_eq(licensee->phone, "1");
    ck_assert_str_eq(licensee->fax, "2");
    ck_assert_str_eq(billing->full_name, "Bea Bill");
    ck_assert_str_eq(billing->email, "bea@bill.example");
    ck_assert_str_eq(billing->country, "NO");
    ck_assert_str_eq(notification->contacts[QLM_CONTACT_DELIVERY].full_name, "");
    ck_assert_int_eq(licensee->include_in_mail_list, -1);
}
END_TEST

/** Elements of the same names elsewhere in the document mean something else. */
START_TEST(only_the_right_places_count)
{
    const qlm_notification_t *notification = notification_of(
        "<P><StatusId>TST</StatusId><Purchase Id='5' x='6'><Items><Item RunningNo='1'>"
        "<RecurringBilling SubscriptionId='S1'><StatusId>TST</StatusId><Quantity>9</Quantity>"
        "</RecurringBilling><ProductId>p</ProductId><Quantity>2</Quantity>"
        "<Quantity>3</Quantity><Couponcode>C</Couponcode><PromotionName>N</PromotionName></Item>"
        "<Item/></Items><StatusId>PAY</StatusId><Item RunningNo='7'><Quantity>8</Quantity></Item>"
        "<ExtraParameters><Quantity>7</Quantity></ExtraParameters></Purchase>"
        "<Purchase Id='9'/><BillingContact/></P>");
    ck_assert_str_eq(notification->purchase_id, "5");
    ck_assert_str_eq(notification->status_id, "PAY");
    ck_assert_int_eq(notification->items->nelts, 2);
    const qlm_notification_item_t *items =
        (const qlm_notification_item_t *)(void *)notification->items->elts;
    ck_assert_str_eq(items[0].running_no, "1");
    ck_assert_str_eq(items[0].product_id, "p");
    ck_assert_str_eq(items[0].quantity, "2");
    ck_assert_str_eq(items[0].subscription_ref, "S1");
    ck_assert_str_eq(items[0].coupon, "C");
    ck_assert_str_eq(items[0].promotion, "N");
    ck_assert_str_eq(items[1].running_no, "");
}
END_TEST

/** Declared entities are never looked at, so that a small document cannot become a large one. */
START_TEST(entity_bomb_costs_nothing)
{
    const char *xml = "<!DOCTYPE P [<!ENTITY a0 'aaaaaaaaaa'>";
    for (int i = 1; i < 20; ++i) {
        xml = apr_psprintf(pool, "%s<!ENTITY a%d '&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;'>", xml,
                           i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    ck_assert_str_eq(refusal_of_xml(apr_pstrcat(pool, xml, "]><P x='&a19;'>&a19;</P>", NULL)),
                     "the XML is not used: it has a document type");
}
END_TEST

START_TEST(long_texts_are_cut)
{
    const qlm_notification_t *notification = notification_of(
        apr_pstrcat(pool, "<P><Purchase Id='", repeated('9', 70000), "'><LicenseeContact><City>",
                    repeated('c', 70000), "</City></LicenseeContact></Purchase></P>", NULL));
    ck_assert_uint_eq(strlen(notification->purchase_id), 255);
    ck_assert_uint_eq(strlen(notification->contacts[QLM_CONTACT_LICENSEE].city), 255);
}
END_TEST

static Suite *notification_suite(void)
{
    Suite *suite = suite_create("notification");
    TCase *tests = tcase_create("notification");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, unreadable_documents);
    tcase_add_test(tests, document_limits_are_inclusive);
    tcase_add_test(tests, documents_are_read_by_local_names);
    tcase_add_test(tests, contacts_are_kept_apart);
    tcase_add_test(tests, only_the_right_places_count);
    tcase_add_test(tests, entity_bomb_costs_nothing);
    tcase_add_test(tests, long_texts_are_cut);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(notification_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
