/* Orders read back from Salesforce: what becomes of their items, fields and contacts. */
#include "salesforce_fixture.h"

/* ---- orders and items ---- */

START_TEST(orders_that_are_not_to_be_served)
{
    expect_login();
    expect("GET", order_url(ORDER_1), 200, json("{'totalSize':0,'done':true,'records':[]}"));
    check_ack(message_of(ORDER_1), 1);
    check_noted("order " ORDER_1 " is not served, and repeating would not help: there is no such "
                "order");
    next_delivery();
    expect("GET", order_url(ORDER_1), 200,
           records("{'Id':'" ORDER_1 "','OrderNumber':'7','StatusCode':'Draft','Status':"
                   "'Activated'}"));
    check_ack(message_of(ORDER_1), 1);
    check_noted("order 7 (" ORDER_1 ") is not served, and repeating would not help: it is not "
                "activated");
    next_delivery();
    expect_order(ORDER_1, CONTACT);
    expect("GET", items_url(ORDER_1), 200, json("{'totalSize':0,'done':true,'records':[]}"));
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->deliveries, 0);
}
END_TEST

START_TEST(quantities)
{
    static const struct {
        const char *json;
        int quantity;
    } cases[] = {{"1", 1},        {"1.0", 1},   {"9999.0", 9999}, {"2e1", 20},
                 {"0", 0},        {"-1.0", 0},  {"2.5", 0},       {"1000000.0", 0},
                 {"1e300", 0},    {"10000", 0}, {"'2'", 0},       {"null", 0},
                 {"[2]", 0},      {"true", 0},  {"0.9999999", 0}, {"12345678901234567890", 0},
                 {"1.0000001", 0}};
    expect_login();
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        expect_order(ORDER_1, CONTACT);
        expect_items(ORDER_1,
                     apr_pstrcat(pool, item_record("8027Q00000AbCd9QAF", "'001'", cases[i].json),
                                 ",", good_item(), NULL));
        check_ack(message_of(ORDER_1), 1);
        int is_taken = cases[i].quantity > 0;
        ck_assert_int_eq(world->lines->nelts, 1 + is_taken);
        const qlm_line_t *last = &APR_ARRAY_IDX(world->lines, is_taken, qlm_line_t);
        ck_assert_str_eq(last->order.line_ref, "00D7Q00000Demo1.8027Q00000AbCd1QAF");
        if (is_taken) {
            ck_assert_int_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.quantity,
                             cases[i].quantity);
            ck_assert_int_eq(world->notes->nelts, 0);
        }
        else {
            check_noted("order 00000137 (" ORDER_1 "): item 8027Q00000AbCd9QAF (product code 001) "
                        "is refused: the quantity is not a whole number from 1 to 9999");
        }
        next_delivery();
    }
}
END_TEST

/** A product code is the key of a look-up, whatever it looks like. */
START_TEST(product_codes_inject_nothing)
{
    static const struct {
        const char *json, *property;
    } codes[] = {{"'O`Neil \\\"x\\\"'", "salesforce_pid_O'Neil \"x\""},
                 {"'100% %s%n'", "SALESFORCE_PID_100% %s%n"},
                 {"'a&is_productid=9'", "salesforce_pid_a&is_productid=9"},
                 {"' abc '", "salesforce_pid_ABC"},
                 {"'\\u00dcber'", "salesforce_pid_\xc3\x9c"
                                  "ber"},
                 {"'x\\ny'", NULL},
                 {"'`; DROP TABLE orders; --'", NULL},
                 {"''", NULL},
                 {"null", NULL},
                 {"7", NULL},
                 {"{'a':1}", NULL}};
    qlm_properties_put(world->properties, "salesforce_pid_", "&is_productid=666");
    qlm_properties_put(world->properties, "salesforce_pid_empty", "");
    expect_login();
    for (apr_size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); ++i) {
        const char *value = apr_psprintf(pool, "&is_productid=%d", (int)i);
        if (codes[i].property) {
            qlm_properties_put(world->properties, codes[i].property, value);
        }
        expect_order(ORDER_1, CONTACT);
        expect_items(ORDER_1, item_record("8027Q00000AbCd1QAF", codes[i].json, "1.0"));
        check_ack(message_of(ORDER_1), 1);
        ck_assert_int_eq(world->lines->nelts, codes[i].property != NULL);
        if (codes[i].property) {
            ck_assert_str_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).arguments, value);
        }
        else {
            check_noted("item 8027Q00000AbCd1QAF is left out: no property for the product code");
            ck_assert_ptr_null(strchr(world_notes(), '\n'));
        }
        next_delivery();
    }
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, item_record("8027Q00000AbCd1QAF", "'empty'", "1.0"));
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 0);
}
END_TEST

/** An order of many services does not fill the log. */
START_TEST(remarks_are_bounded)
{
    const char *items = good_item();
    expect_login();
    for (int i = 0; i < 500; ++i) {
        items = apr_pstrcat(
            pool, items, ",",
            item_record(apr_psprintf(pool, "8027Q0000%06dQAF", i), "'SERVICE'", "1.0"), NULL);
    }
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, items);
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 1);
    ck_assert_int_eq(world->notes->nelts, 1);
    ck_assert_uint_lt(strlen(world_notes()), 2000);
}
END_TEST

START_TEST(items_without_a_usable_id)
{
    static const char *const items[] = {"{'Quantity':1.0}", "{'Id':'8027Q00000AbCd1'}",
                                        "{'Id':'8027Q00000AbCd1Q.F'}", "null", "[]"};
    expect_login();
    for (apr_size_t i = 0; i < sizeof(items) / sizeof(items[0]); ++i) {
        expect_order(ORDER_1, CONTACT);
        expect_items(ORDER_1, apr_pstrcat(pool, good_item(), ",", items[i], NULL));
        check_ack(message_of(ORDER_1), 0);
        ck_assert_int_eq(world->deliveries, 0);
        next_delivery();
    }
}
END_TEST

START_TEST(pages_are_followed_on_the_same_host_only)
{
    static const char *const bad[] = {"https://evil.example/services/data/x",
                                      "//evil.example/services/data/x",
                                      "@evil.example/services/data/",
                                      ".evil.example/services/data/",
                                      "/services/data/../../evil",
                                      "/services/data/x\\r\\nHost: evil.example",
                                      "/services/data/a b",
                                      ""};
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect("GET", items_url(ORDER_1), 200,
           json("{'totalSize':3,'done':false,'nextRecordsUrl':"
                "'/services/data/v60.0/query/01g7Q00000Demo1QAA-2','records':["
                "{'Id':'8027Q00000AbCd1QAF','Quantity':1,'Product2':{'ProductCode':'001'}}]}"));
    expect("GET", INSTANCE "/services/data/v60.0/query/01g7Q00000Demo1QAA-2", 200,
           records(apr_pstrcat(pool, item_record("8027Q00000AbCd2QAF", "'001'", "2.0"), ",",
                               good_item(), NULL)))
        ->bearer = WORLD_TOKEN;
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 2); /* the first item, come again, counts once */
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        next_delivery();
        expect_order(ORDER_1, CONTACT);
        expect("GET", items_url(ORDER_1), 200,
               apr_psprintf(pool, json("{'done':false,'nextRecordsUrl':'%s','records':[%s]}"),
                            bad[i], json(good_item())));
        check_ack(message_of(ORDER_1), 0);
        check_noted("it names no usable next page");
        ck_assert_int_eq(world->lines->nelts, 0);
    }
}
END_TEST

/** Half an order is not delivered. */
START_TEST(page_that_fails)
{
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect("GET", items_url(ORDER_1), 200,
           apr_psprintf(pool,
                        json("{'done':false,'nextRecordsUrl':'/services/data/v60.0/query/x-1',"
                             "'records':[%s]}"),
                        json(good_item())));
    expect("GET", INSTANCE "/services/data/v60.0/query/x-1", 503, "busy");
    check_ack(message_of(ORDER_1), 0);
    ck_assert_int_eq(world->deliveries, 0);
}
END_TEST

START_TEST(pages_without_end)
{
    const char *page = json("{'done':false,'nextRecordsUrl':'/services/data/x','records':[]}");
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect("GET", items_url(ORDER_1), 200, page);
    for (int i = 1; i < 200; ++i) {
        expect("GET", INSTANCE "/services/data/x", 200, page);
    }
    check_ack(message_of(ORDER_1), 0);
    check_noted("more than 200 pages");
}
END_TEST

START_TEST(items_without_end)
{
    qlm_properties_put(world->properties, "salesforce_pid_001", "&is_productid=1");
    const char *many = good_item();
    for (int i = 0; i < 11; ++i) {
        many = apr_pstrcat(pool, many, ",", many, NULL);
    }
    expect_login();
    expect_order(ORDER_1, CONTACT);
    expect_items(ORDER_1, many);
    check_ack(message_of(ORDER_1), 1);
    check_noted("repeating would not help: there are more than 2000 records");
}
END_TEST

/* ---- fields the organisation does not have ---- */

static const char *unknown_relationship(const char *name)
{
    return apr_psprintf(pool,
                        "[{\"errorCode\":\"INVALID_FIELD\",\"message\":\"\\nAccount.Name, "
                        "BillToContact.Id, CustomerAuthorizedBy.Id\\n   ^\\nERROR at "
                        "Row:1:Column:99\\nDidn't understand relationship '%s' in field path. If "
                        "you are attempting to use a custom relationship, be sure to append the "
                        "'__r' after the custom relationship name.\"}]",
                        name);
}

/** Which fields are asked for, as a URL. */
static const char *query_of(const char *const *fields, const char *rest)
{
    const char *list = "";
    for (; *fields; ++fields) {
        list = apr_pstrcat(pool, list, *list ? ", " : "", *fields, NULL);
    }
    return apr_pstrcat(pool, QUERY_URL "SELECT ", list, " FROM ", rest, NULL);
}

START_TEST(contact_that_the_organization_does_not_have)
{
    static const char *const fewer[] = {"Id",
                                        "OrderNumber",
                                        "StatusCode",
                                        "Status",
                                        "EffectiveDate",
                                        "AccountId",
                                        "Account.Name",
                                        "CustomerAuthorizedBy.Id",
                                        "CustomerAuthorizedBy.FirstName",
                                        "CustomerAuthorizedBy.LastName",
                                        "CustomerAuthorizedBy.Email",
                                        "CustomerAuthorizedBy.Phone",
                                        "BillingStreet",
                                        "BillingCity",
                                        "BillingState",
                                        "BillingPostalCode",
                                        "BillingCountry",
                                        NULL};
    expect_login();
    expect("GET", order_url(ORDER_1), 400, unknown_relationship("BillToContact"));
    expect("GET", query_of(fewer, "Order WHERE Id = '" ORDER_1 "'"), 200,
           records(order_record(ORDER_1, CONTACT)));
    expect_items(ORDER_1, good_item());
    /* the next order of the message is asked for without it at once */
    expect("GET", query_of(fewer, "Order WHERE Id = '" ORDER_2 "'"), 200,
           records(order_record(ORDER_2, CONTACT)));
    expect_items(ORDER_2, item_record("8027Q00000AbCd2QAF", "'001'", "1.0"));
    check_ack(message_from(ORGANIZATION, apr_pstrcat(pool, notification("", ORDER_1),
                                                     notification("", ORDER_2), NULL)),
              1);
    ck_assert_int_eq(world->lines->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.customer.email,
                     "ada@byron.example");
    check_noted("asked again without 5 of them");
    ck_assert_int_eq(world->notes->nelts, 1);
}
END_TEST

START_TEST(one_column_after_the_other)
{
    static const char *const first[] = {"Id",
                                        "OrderNumber",
                                        "StatusCode",
                                        "Status",
                                        "EffectiveDate",
                                        "AccountId",
                                        "Account.Name",
                                        "BillToContact.Id",
                                        "BillToContact.FirstName",
                                        "BillToContact.LastName",
                                        "BillToContact.Email",
                                        "CustomerAuthorizedBy.Id",
                                        "CustomerAuthorizedBy.FirstName",
                                        "CustomerAuthorizedBy.LastName",
                                        "CustomerAuthorizedBy.Email",
                                        "BillingStreet",
                                        "BillingCity",
                                        "BillingState",
                                        "BillingPostalCode",
                                        "BillingCountry",
                                        NULL};
    static const char *const items[] = {"Id",          "Quantity",      "Product2.ProductCode",
                                        "Description", "ServiceDate",   "EndDate",
                                        "Product2.Id", "Product2.Name", NULL};
    expect_login();
    expect("GET", order_url(ORDER_1), 400,
           json("[{'errorCode':'INVALID_FIELD','message':'No such column `Phone` on entity "
                "`Contact`.'}]"));
    expect("GET", query_of(first, "Order WHERE Id = '" ORDER_1 "'"), 200,
           records(order_record(ORDER_1, CONTACT)));
    expect("GET", items_url(ORDER_1), 400, unknown_relationship("PricebookEntry"));
    expect("GET",
           query_of(items, "OrderItem WHERE OrderId = '" ORDER_1 "' ORDER BY OrderItemNumber"), 200,
           records(good_item()));
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 1);
}
END_TEST

/** Without these an order cannot be served, whoever says that they are not there. */
START_TEST(needed_fields_are_not_left_out)
{
    static const char *const names[] = {"Id", "OrderNumber", "StatusCode", "x", ""};
    expect_login();
    for (apr_size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        expect("GET", order_url(ORDER_1), 400,
               apr_psprintf(pool,
                            json("[{'errorCode':'INVALID_FIELD','message':'No such column `%s`'}]"),
                            strcmp(names[i], "Id") == 0 ? "Order.Id" : names[i]));
        check_ack(message_of(ORDER_1), 0);
        check_noted("400 INVALID_FIELD");
        next_delivery();
    }
}
END_TEST

/* ---- customers ---- */

static const qlm_customer_t *customer_of(const char *more)
{
    next_delivery();
    if (!apr_table_get(world->memory, "salesforce_token")) {
        expect_login();
    }
    expect_order(ORDER_1, more);
    expect_items(ORDER_1, good_item());
    check_ack(message_of(ORDER_1), 1);
    ck_assert_int_eq(world->lines->nelts, 1);
    return &APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.customer;
}

#define BILL_TO "'BillToContact':{'FirstName':'Bea','LastName':'Bill','Email':'bea@bill.example'}"
#define BOTH    CONTACT "," BILL_TO

START_TEST(contact_is_chosen)
{
    ck_assert_str_eq(customer_of(BOTH)->email, "ada@byron.example");
    ck_assert_str_eq(customer_of(BILL_TO)->email, "bea@bill.example");
    ck_assert_str_eq(customer_of("'CustomerAuthorizedBy':null," BILL_TO)->email,
                     "bea@bill.example");
    ck_assert_str_eq(
        customer_of("'CustomerAuthorizedBy':{'LastName':'X','Email':null}," BILL_TO)->email,
        "bea@bill.example");
    qlm_properties_put(world->properties, "salesforce_contact", " BillTo ");
    ck_assert_str_eq(customer_of(BOTH)->email, "bea@bill.example");
    ck_assert_str_eq(customer_of(CONTACT)->email, "ada@byron.example");
    qlm_properties_put(world->properties, "salesforce_contact", "customerAuthorizedBy");
    ck_assert_str_eq(customer_of(BOTH)->email, "ada@byron.example");
    ck_assert_int_eq(world->notes->nelts, 0);
    qlm_properties_put(world->properties, "salesforce_contact", "anybody");
    ck_assert_str_eq(customer_of(BOTH)->email, "ada@byron.example");
    check_noted("salesforce_contact is neither billto nor customerauthorizedby");
}
END_TEST

START_TEST(customers_without_address)
{
    const qlm_customer_t *customer = customer_of("'Account':{'Name':'Acme'}");
    ck_assert_str_eq(customer->email, "");
    ck_assert_str_eq(customer->full_name, "Acme");
    ck_assert_str_eq(customer->company, "Acme");
    check_noted("it has no contact: the keys are mailed to nobody");
    customer = customer_of("'CustomerAuthorizedBy':{'FirstName':null,'LastName':'Byron'}");
    ck_assert_str_eq(customer->full_name, "Byron");
    check_noted("the contact has no e-mail address");
}
END_TEST

/** Nothing but an address becomes one, and an address is not turned into another. */
START_TEST(addresses_that_are_none)
{
    static const char *const emails[] = {"'a@b.example\\r\\nBcc: c@d.example'",
                                         "'a@b.example,c@d.example'",
                                         "'a b@c.example'",
                                         "'<a@b.example>'",
                                         "'a@b@c.example'",
                                         "'@b.example'",
                                         "'nobody'",
                                         "'a@\\u202eb.example\\ufffe'"};
    for (apr_size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); ++i) {
        const qlm_customer_t *customer = customer_of(
            apr_pstrcat(pool, "'BillToContact':{'LastName':'X','Email':", emails[i], "}", NULL));
        ck_assert_msg(!*customer->email, "%s became %s", emails[i], customer->email);
        check_noted("the contact's e-mail address is none");
        ck_assert_int_eq(world->notes->nelts, 1);
    }
}
END_TEST

START_TEST(customer_in_full)
{
    const qlm_customer_t *customer = customer_of(
        "'Account':{'Name':'Acme\\tCorp.'},'CustomerAuthorizedBy':{'FirstName':' Ada ','LastName':"
        "'\\u9673\\nByron','Email':' ada@byron.example ','Phone':'+44 1'},'BillingStreet':"
        "'Road 1\\r\\nFlat 2\\r\\nLeft','BillingCity':'London','BillingState':null,"
        "'BillingPostalCode':'N1','BillingCountry':'UK','EffectiveDate':'2026-11-20'");
    ck_assert_str_eq(customer->full_name, "Ada \xe9\x99\xb3 Byron");
    ck_assert_str_eq(customer->company, "Acme Corp.");
    ck_assert_str_eq(customer->email, "ada@byron.example");
    ck_assert_str_eq(customer->phone, "+44 1");
    ck_assert_str_eq(customer->address1, "Road 1");
    ck_assert_str_eq(customer->address2, "Flat 2 Left");
    ck_assert_str_eq(customer->city, "London");
    ck_assert_str_eq(customer->state, "");
    ck_assert_str_eq(customer->zip, "N1");
    ck_assert_str_eq(customer->country, "UK");
    ck_assert_int_eq(customer->include_in_mail_list, -1);
    ck_assert_int_eq(APR_ARRAY_IDX(world->lines, 0, qlm_line_t).order.ordered_at, 1795132800);
}
END_TEST

static Suite *sforder_suite(void)
{
    Suite *suite = suite_create("sforder");
    TCase *tests = tcase_create("sforder");
    tcase_add_checked_fixture(tests, world_create, world_destroy);
    tcase_add_test(tests, orders_that_are_not_to_be_served);
    tcase_add_test(tests, quantities);
    tcase_add_test(tests, product_codes_inject_nothing);
    tcase_add_test(tests, remarks_are_bounded);
    tcase_add_test(tests, items_without_a_usable_id);
    tcase_add_test(tests, pages_are_followed_on_the_same_host_only);
    tcase_add_test(tests, page_that_fails);
    tcase_add_test(tests, pages_without_end);
    tcase_add_test(tests, items_without_end);
    tcase_add_test(tests, contact_that_the_organization_does_not_have);
    tcase_add_test(tests, one_column_after_the_other);
    tcase_add_test(tests, needed_fields_are_not_left_out);
    tcase_add_test(tests, contact_is_chosen);
    tcase_add_test(tests, customers_without_address);
    tcase_add_test(tests, addresses_that_are_none);
    tcase_add_test(tests, customer_in_full);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(sforder_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
