/* The translators: the registry, answers, and callbacks that no recording would hold. The recorded
 * ones are played by check_vectors. */
#include "base/date.h"
#include "base/text.h"
#include "vendor/customer.h"
#include "vendor/vendors.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

static apr_pool_t *pool;
static qlm_properties_t *properties;
static apr_int64_t now;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    properties = qlm_properties_create(pool);
    ck_assert(qlm_date_parse(&now, "2026-11-21 09:30:00", "yyyy-MM-dd HH:mm:ss"));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* ---- helpers ---- */

static qlm_callback_t *callback_of(const char *query, const char *body)
{
    qlm_callback_t *callback = apr_pcalloc(pool, sizeof(*callback));
    qlm_fields_t *fields = qlm_fields_create(pool);
    ck_assert_ptr_null(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
    ck_assert_ptr_null(qlm_fields_parse(fields, body, strlen(body), QLM_FROM_BODY));
    callback->fields = fields;
    callback->properties = properties;
    callback->now = now;
    return callback;
}

static qlm_order_t *order_of(const qlm_vendor_t *vendor, const char *body)
{
    qlm_order_t *order = apr_palloc(pool, sizeof(*order));
    memset(order, 0x5a, sizeof(*order)); /* a member left unset must not pass for a zero */
    qlm_error_t *error = vendor->read_order(order, callback_of("", body), pool);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    return order;
}

static const char *refusal_of(const qlm_vendor_t *vendor, const char *query, const char *body)
{
    qlm_order_t order;
    qlm_error_t *error = vendor->read_order(&order, callback_of(query, body), pool);
    ck_assert_msg(error != NULL, "%s accepted %s %s", vendor->name, query, body);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    return error->text;
}

static apr_array_header_t *keys_of(int count)
{
    static const char *const samples[] = {"AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF",
                                          "G1111-22222-33333-44444-555556",
                                          "HZZZZ-YYYYY-XXXXX-WWWWW-VVVVVT"};
    apr_array_header_t *keys = apr_array_make(pool, 3, sizeof(const char *));
    for (int i = 0; i < count; ++i) {
        APR_ARRAY_PUSH(keys, const char *) = samples[i];
    }
    return keys;
}

static const char *repeated(char letter, apr_size_t count)
{
    char *text = apr_palloc(pool, count + 1);
    memset(text, letter, count);
    text[count] = '\0';
    return text;
}

static const char *escaped(const char *text)
{
    char *out = apr_palloc(pool, strlen(text) * 3 + 1), *end = out;
    for (const unsigned char *byte = (const unsigned char *)text; *byte; ++byte) {
        end += apr_snprintf(end, 4, "%%%02X", *byte);
    }
    return out;
}

/* ---- registry ---- */

START_TEST(every_vendor_is_found_by_its_names)
{
    int count = 0;
    for (const qlm_vendor_t *const *vendor = qlm_vendors; *vendor; ++vendor, ++count) {
        ck_assert_ptr_eq(qlm_vendor_find((*vendor)->name), *vendor);
        ck_assert_str_eq(qlm_text_fold((*vendor)->name, pool), (*vendor)->name);
        ck_assert(*(*vendor)->title);
        ck_assert_ptr_nonnull(strstr(qlm_vendor_names(pool), (*vendor)->name));
    }
    ck_assert_int_eq(count, 4);
    ck_assert_ptr_eq(qlm_vendor_find("ShareIt"), &qlm_vendor_shareit);
    ck_assert_ptr_eq(qlm_vendor_find("MyCommerce"), &qlm_vendor_shareit);
    ck_assert_ptr_eq(qlm_vendor_find(" QlmAuthenticationProvider "),
                     &qlm_vendor_qlmauthenticationprovider);
    ck_assert_str_eq(qlm_vendor_names(pool), "cleverbridge, shareit, salesforce, "
                                             "qlmauthenticationprovider");
}
END_TEST

START_TEST(other_names_are_not_found)
{
    ck_assert_ptr_null(qlm_vendor_find(NULL));
    ck_assert_ptr_null(qlm_vendor_find(""));
    ck_assert_ptr_null(qlm_vendor_find(" "));
    ck_assert_ptr_null(qlm_vendor_find("share"));
    ck_assert_ptr_null(qlm_vendor_find("shareit2"));
    ck_assert_ptr_null(qlm_vendor_find("cleverbridge,shareit"));
}
END_TEST

START_TEST(only_the_publishers_own_callers_are_trusted)
{
    for (const qlm_vendor_t *const *vendor = qlm_vendors; *vendor; ++vendor) {
        ck_assert_int_eq((*vendor)->is_body_trusted,
                         *vendor == &qlm_vendor_qlmauthenticationprovider);
    }
}
END_TEST

/* ---- answers ---- */

START_TEST(text_answer_is_exactly_the_keys)
{
    const qlm_vendor_t *const vendors[] = {&qlm_vendor_cleverbridge, &qlm_vendor_shareit};
    for (int i = 0; i < 2; ++i) {
        qlm_answer_t answer;
        vendors[i]->write_keys(&answer, keys_of(1), callback_of("", ""), pool);
        ck_assert_str_eq(answer.body, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF");
        vendors[i]->write_keys(&answer, keys_of(3), callback_of("", ""), pool);
        ck_assert_str_eq(answer.body, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF\n"
                                      "G1111-22222-33333-44444-555556\n"
                                      "HZZZZ-YYYYY-XXXXX-WWWWW-VVVVVT");
        ck_assert_int_eq(answer.http_status, 200);
    }
}
END_TEST

START_TEST(xml_answer_lists_the_keys)
{
    qlm_answer_t answer;
    qlm_vendor_qlmauthenticationprovider.write_keys(&answer, keys_of(2), callback_of("", ""), pool);
    ck_assert_str_eq(answer.body,
                     "<?xml version=\"1.0\" encoding=\"UTF-8\"?><QuickLicenseManager><licenses>"
                     "<license><activationKey>AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF</activationKey>"
                     "</license><license><activationKey>G1111-22222-33333-44444-555556"
                     "</activationKey></license></licenses></QuickLicenseManager>");
    ck_assert_str_eq(answer.content_type, "text/xml; charset=utf-8");
    ck_assert_int_eq(answer.http_status, 200);
    /* Some readers take any body with these letters for a failure. */
    ck_assert_ptr_null(strstr(qlm_text_fold(answer.body, pool), "error"));
}
END_TEST

static const struct {
    qlm_error_kind_t kind;
    qlm_code_t code;
    int text_status, xml_status;
} failures[] = {
    {QLM_ERROR_ARGUMENT, QLM_CODE_MISSING_ARGUMENT, 400, 200},
    {QLM_ERROR_DENIED, QLM_CODE_AUTHENTICATION, 403, 200},
    {QLM_ERROR_MISSING, QLM_CODE_PRODUCT_NOT_FOUND, 400, 200},
    {QLM_ERROR_MISSING, QLM_CODE_NO_PRODUCT, 400, 200},
    {QLM_ERROR_MISSING, QLM_CODE_NOT_FOUND, 404, 200},
    {QLM_ERROR_METHOD, QLM_CODE_UNKNOWN, 405, 405},
    {QLM_ERROR_TOO_LARGE, QLM_CODE_UNKNOWN, 413, 413},
    {QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR, 400, 200},
    {QLM_ERROR_CONFLICT, QLM_CODE_DATABASE, 503, 503},
    {QLM_ERROR_STORE, QLM_CODE_DATABASE, 503, 503},
    {QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN, 500, 500},
};

START_TEST(failures_have_the_shops_status)
{
    qlm_answer_t answer;
    qlm_callback_t *callback = callback_of("", "");
    qlm_error_t *error =
        qlm_error_make(pool, failures[_i].kind, failures[_i].code, "no such thing");
    qlm_vendor_cleverbridge.write_failure(&answer, error, callback, pool);
    ck_assert_int_eq(answer.http_status, failures[_i].text_status);
    ck_assert_str_eq(answer.body, "Error: no such thing");
    ck_assert_str_eq(answer.content_type, "text/plain; charset=UTF-8");
    qlm_vendor_shareit.write_failure(&answer, error, callback, pool);
    ck_assert_int_eq(answer.http_status, failures[_i].text_status);
    ck_assert_str_eq(answer.body, "Error: no such thing");
    ck_assert_str_eq(answer.content_type, "text/plain; charset=ISO-8859-1");
    qlm_vendor_qlmauthenticationprovider.write_failure(&answer, error, callback, pool);
    ck_assert_int_eq(answer.http_status, failures[_i].xml_status);
    ck_assert_str_eq(answer.body,
                     apr_psprintf(pool,
                                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?><QuickLicenseManager>"
                                  "<error>no such thing</error><errorCode>%d</errorCode>"
                                  "</QuickLicenseManager>",
                                  (int)failures[_i].code));
}
END_TEST

START_TEST(failure_stays_one_line_of_ascii)
{
    qlm_answer_t answer;
    qlm_error_t *error =
        qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_NONE,
                       "bad <\xc3\xbc>\r\nSet-Cookie: a=1 %s", repeated('x', 5000));
    qlm_vendor_shareit.write_failure(&answer, error, callback_of("", ""), pool);
    ck_assert(strncmp(answer.body, "Error: bad <", 12) == 0);
    ck_assert_uint_lt(strlen(answer.body), 600);
    ck_assert_int_eq(qlm_text_has_control(answer.body), 0);
    for (const char *byte = answer.body; *byte; ++byte) {
        ck_assert_int_lt((unsigned char)*byte, 0x80);
    }
    qlm_vendor_qlmauthenticationprovider.write_failure(&answer, error, callback_of("", ""), pool);
    ck_assert_ptr_nonnull(strstr(answer.body, "bad &lt;\xc3\xbc&gt;"));
    ck_assert_ptr_nonnull(strstr(answer.body, "<errorCode>3000</errorCode>"));
}
END_TEST

/* ---- what no recording holds ---- */

START_TEST(bad_quantities_are_refused)
{
    static const char *const quantities[] = {"0",
                                             "-1",
                                             "1000000000",
                                             "10000",
                                             "3x",
                                             "1.5",
                                             "1e3",
                                             "%2B%2B1",
                                             "0x2",
                                             "1 2",
                                             "99999999999999999999999",
                                             "%00"};
    const char *body =
        apr_pstrcat(pool, "PURCHASE_ID=7&RUNNING_NO=1&QUANTITY=", quantities[_i], NULL);
    ck_assert_str_eq(refusal_of(&qlm_vendor_cleverbridge, "", body),
                     "QUANTITY must be a whole number from 1 to 9999");
    ck_assert_str_eq(refusal_of(&qlm_vendor_shareit, "", body),
                     "QUANTITY must be a whole number from 1 to 9999");
    ck_assert_str_eq(refusal_of(&qlm_vendor_qlmauthenticationprovider, "",
                                apr_pstrcat(pool, "quantity=", quantities[_i], NULL)),
                     "quantity must be a whole number from 1 to 9999");
}
END_TEST

START_TEST(quantity_limits_are_inclusive)
{
    ck_assert_int_eq(order_of(&qlm_vendor_shareit, "PURCHASE_ID=7&QUANTITY=9999")->quantity, 9999);
    ck_assert_int_eq(order_of(&qlm_vendor_shareit, "PURCHASE_ID=7&QUANTITY=+1+")->quantity, 1);
}
END_TEST

START_TEST(references_are_never_altered)
{
    const qlm_vendor_t *vendor = &qlm_vendor_cleverbridge;
    const char *longest = repeated('9', 100);
    const char *body = apr_pstrcat(pool, "PURCHASE_ID=", longest, "&RUNNING_NO=+1+", NULL);
    ck_assert_str_eq(order_of(vendor, body)->order_ref, longest);
    ck_assert_str_eq(order_of(vendor, body)->line_ref, "1");
    ck_assert_str_eq(refusal_of(vendor, "", apr_pstrcat(pool, "PURCHASE_ID=9", longest, NULL)),
                     "PURCHASE_ID is longer than 100 bytes");
    ck_assert_str_eq(refusal_of(vendor, "", "PURCHASE_ID=1%0A2"),
                     "PURCHASE_ID has characters that are not allowed in it");
    ck_assert_str_eq(refusal_of(vendor, "", "PURCHASE_ID=1%EF%BF%BF"),
                     "PURCHASE_ID has characters that are not allowed in it");
    ck_assert_str_eq(refusal_of(vendor, "", "PURCHASE_ID=1&RUNNING_NO=%7F1"),
                     "RUNNING_NO has characters that are not allowed in it");
    ck_assert_str_eq(
        refusal_of(vendor, "", apr_pstrcat(pool, "PURCHASE_ID=1&PRODUCT_ID=", longest, "9", NULL)),
        "PRODUCT_ID is longer than 100 bytes");
    /* With a line number the product's number is only a remark, and no reason to refuse. */
    body = apr_pstrcat(pool, "PURCHASE_ID=1&RUNNING_NO=1&PRODUCT_ID=", longest, "9", NULL);
    ck_assert_str_eq(order_of(vendor, body)->shop_product, longest);
    ck_assert_str_eq(order_of(vendor, body)->oddity, "PRODUCT_ID cut to 100 bytes");
}
END_TEST

START_TEST(huge_texts_are_cut)
{
    const char *name = repeated('n', 65536);
    const char *umlauts = apr_pstrcat(pool, "a", escaped("\xc3\xbc"), NULL);
    for (int i = 0; i < 12; ++i) {
        umlauts = apr_pstrcat(pool, umlauts, umlauts, NULL);
    }
    qlm_order_t *order =
        order_of(&qlm_vendor_cleverbridge,
                 apr_pstrcat(pool, "PURCHASE_ID=1&QUANTITY=1&REG_NAME=", name, "&CITY=", umlauts,
                             "&EMAIL=", name, "@example.org", NULL));
    ck_assert_uint_eq(strlen(order->customer.full_name), 255);
    ck_assert_uint_le(strlen(order->customer.city), 255);
    ck_assert_uint_ge(strlen(order->customer.city), 253);
    ck_assert(qlm_text_is_utf8(order->customer.city));
    ck_assert_str_eq(order->customer.email, "");
    ck_assert_ptr_nonnull(strstr(order->oddity, "REG_NAME cut to 255 bytes"));
    ck_assert_ptr_nonnull(strstr(order->oddity, "EMAIL is not an e-mail address"));
    ck_assert_uint_lt(strlen(order->oddity), 1200);
    order = order_of(&qlm_vendor_qlmauthenticationprovider,
                     apr_pstrcat(pool, "CustomerNotes=", name, NULL));
    ck_assert_uint_eq(strlen(order->customer.notes), 1000);
}
END_TEST

START_TEST(texts_are_cleaned)
{
    qlm_order_t *order =
        order_of(&qlm_vendor_cleverbridge,
                 "PURCHASE_ID=1&REG_NAME=+A%0D%0AB%00C+&COMPANY=%3Cb%3E%26&CITY=%01");
    ck_assert_str_eq(order->customer.full_name, "A B C");
    ck_assert_str_eq(order->customer.company, "<b>&");
    ck_assert_str_eq(order->customer.city, "");
}
END_TEST

START_TEST(email_addresses)
{
    ck_assert(qlm_customer_is_email("a@b"));
    ck_assert(qlm_customer_is_email("first.last+tag@sub.shop.example"));
    ck_assert(qlm_customer_is_email("j\xc3\xb6rg@m\xc3\xbcller.example"));
    static const char *const bad[] = {"",       "a",     "@b",      "a@",
                                      "a@b@c",  "a b@c", "a@b,c@d", "Name <a@b>",
                                      "a@b\tc", "a@b\n", "\"a\"@b", "a@b;c"};
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        ck_assert_msg(!qlm_customer_is_email(bad[i]), "accepted '%s'", bad[i]);
    }
    ck_assert(!qlm_customer_is_email(apr_pstrcat(pool, repeated('a', 250), "@b.ex", NULL)));
    qlm_order_t *order = order_of(&qlm_vendor_shareit, "PURCHASE_ID=1&EMAIL=a%40b%0D%0ABcc:x%40y");
    ck_assert_str_eq(order->customer.email, "");
}
END_TEST

START_TEST(dates_far_from_today_are_noted)
{
    static const struct {
        const char *date, *day;
        int is_odd;
    } cases[] = {{"21/11/2026", "2026-11-21", 0}, {"22/11/2026", "2026-11-22", 0},
                 {"25/11/2026", "2026-11-25", 1}, {"21/12/2025", "2025-12-21", 0},
                 {"01/01/2020", "2020-01-01", 1}, {"1/2/2026", "2026-02-01", 0}};
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_order_t *order =
            order_of(&qlm_vendor_shareit,
                     apr_pstrcat(pool, "PURCHASE_ID=1&PURCHASE_DATE=", cases[i].date, NULL));
        ck_assert_str_eq(qlm_date_format(order->ordered_at, "yyyy-MM-dd", pool), cases[i].day);
        ck_assert_msg(!order->oddity == !cases[i].is_odd, "%s: %s", cases[i].date, order->oddity);
    }
}
END_TEST

START_TEST(dates_by_the_sites_pattern)
{
    qlm_properties_put(properties, "eCommerceProviderDateFormat", "yyyy.MM.dd");
    qlm_order_t *order = order_of(&qlm_vendor_shareit, "PURCHASE_ID=1&PURCHASE_DATE=2026.11.03");
    ck_assert_str_eq(qlm_date_format(order->ordered_at, "yyyy-MM-dd", pool), "2026-11-03");
    ck_assert_ptr_null(order->oddity);
}
END_TEST

START_TEST(stored_arguments_never_make_an_order)
{
    qlm_callback_t *callback = callback_of("", "PURCHASE_ID=1");
    qlm_fields_t *fields = qlm_fields_create(pool);
    const qlm_field_t own = {"PURCHASE_ID", "1", QLM_FROM_BODY};
    ck_assert_ptr_null(qlm_fields_add(fields, own.name, own.value, own.source));
    ck_assert_ptr_null(qlm_fields_add(fields, "EMAIL", "a@b.example", QLM_FROM_PROPERTY));
    ck_assert_ptr_null(qlm_fields_add(fields, "QUANTITY", "7", QLM_FROM_DEFAULT));
    ck_assert_ptr_null(qlm_fields_add(fields, "XML", "<", QLM_FROM_PROPERTY));
    ck_assert_ptr_null(qlm_fields_add(fields, "is_quantity", "3", QLM_FROM_PROPERTY));
    callback->fields = fields;
    qlm_order_t order;
    ck_assert_ptr_null(qlm_vendor_cleverbridge.read_order(&order, callback, pool));
    ck_assert_str_eq(order.customer.email, "");
    ck_assert_int_eq(order.quantity, 3);
    ck_assert_ptr_null(order.oddity);
}
END_TEST

START_TEST(url_wins_over_body)
{
    qlm_order_t order;
    qlm_callback_t *callback = callback_of("PURCHASE_ID=5&QUANTITY=2", "PURCHASE_ID=6&QUANTITY=3");
    ck_assert_ptr_null(qlm_vendor_shareit.read_order(&order, callback, pool));
    ck_assert_str_eq(order.order_ref, "5");
    ck_assert_int_eq(order.quantity, 2);
}
END_TEST

/* ---- what the notification document adds ---- */

#define FOR_XML(xml) apr_pstrcat(pool, "PURCHASE_ID=5&XML=", escaped(xml), NULL)
#define ITEM(number, product, quantity)                                                            \
    "<Item RunningNo='" number "'><ProductId>" product "</ProductId><Quantity>" quantity           \
    "</Quantity></Item>"
#define DOCUMENT(items) "<P><Purchase Id='5'><Items>" items "</Items></Purchase></P>"

START_TEST(items_without_a_line_number)
{
    const qlm_vendor_t *vendor = &qlm_vendor_cleverbridge;
    qlm_order_t *order =
        order_of(vendor, FOR_XML(DOCUMENT(ITEM("1", "a", "2") ITEM("2", "b", "3"))));
    ck_assert_int_eq(order->quantity, 5);
    ck_assert_str_eq(order->line_ref, "1");
    ck_assert_str_eq(order->oddity, "no RUNNING_NO: one call for the 5 units of 2 items");

    order = order_of(vendor, FOR_XML(DOCUMENT(ITEM("1", "a", "2"))));
    ck_assert_int_eq(order->quantity, 2);
    ck_assert_str_eq(order->shop_product, "a");
    ck_assert_str_eq(order->line_ref, "1"); /* the form alone decides it */
    ck_assert_ptr_null(order->oddity);

    const char *body = FOR_XML(DOCUMENT(ITEM("1", "a", "2") ITEM("2", "b", "many")));
    ck_assert_int_eq(order_of(vendor, body)->quantity, 2);
    ck_assert_int_eq(order_of(vendor, apr_pstrcat(pool, body, "&QUANTITY=6", NULL))->quantity, 6);

    body = FOR_XML(DOCUMENT(ITEM("1", "a", "9999") ITEM("2", "a", "1")));
    ck_assert_str_eq(refusal_of(vendor, "", body),
                     "QUANTITY of all items together is more than 9999");
    body = apr_pstrcat(pool, body, "&RUNNING_NO=2", NULL);
    ck_assert_int_eq(order_of(vendor, body)->quantity, 1);
    body = FOR_XML(DOCUMENT(ITEM("1", "a", "4")));
    ck_assert_int_eq(order_of(vendor, apr_pstrcat(pool, body, "&RUNNING_NO=3", NULL))->quantity, 1);
    ck_assert_int_eq(order_of(vendor, apr_pstrcat(pool, body, "&QUANTITY=1", NULL))->quantity, 1);
}
END_TEST

START_TEST(another_persons_address_is_not_taken_over)
{
    const char *xml = escaped("<P><Purchase Id='5'><BillingContact><City>Oslo</City>"
                              "<Email>payer@pay.example</Email></BillingContact></Purchase></P>");
    const qlm_vendor_t *vendor = &qlm_vendor_cleverbridge;
    const char *body = apr_pstrcat(pool, "PURCHASE_ID=5&XML=", xml, NULL);
    ck_assert_str_eq(order_of(vendor, body)->customer.city, "Oslo");
    ck_assert_str_eq(order_of(vendor, body)->customer.email, "payer@pay.example");
    ck_assert_str_eq(
        order_of(vendor, apr_pstrcat(pool, body, "&REG_NAME=User", NULL))->customer.email, "");
    body = apr_pstrcat(pool, body, "&EMAIL=user@use.example", NULL);
    ck_assert_str_eq(order_of(vendor, body)->customer.city, "");
    body = apr_pstrcat(pool, "PURCHASE_ID=5&EMAIL=PAYER@pay.example&XML=", xml, NULL);
    ck_assert_str_eq(order_of(vendor, body)->customer.city, "Oslo");
}
END_TEST

START_TEST(document_of_another_purchase_is_not_used)
{
    qlm_order_t *order =
        order_of(&qlm_vendor_cleverbridge,
                 FOR_XML("<P><Purchase Id='6'><StatusId>TST</StatusId></Purchase></P>"));
    ck_assert_int_eq(order->is_test, 0);
    ck_assert_str_eq(order->oddity, "field XML: the XML is not used: it is of another purchase");
    order = order_of(&qlm_vendor_cleverbridge,
                     FOR_XML("<P><Purchase><StatusId>tst</StatusId></Purchase></P>"));
    ck_assert_int_eq(order->is_test, 1);
    ck_assert_ptr_null(order->oddity);
}
END_TEST

START_TEST(what_is_no_document_is_noted)
{
    static const char *const texts[] = {"%20", "hello", "%00", "{}", "%3Ca%3E%26b;%3C/a%3E"};
    for (int i = 0; i < 5; ++i) {
        qlm_order_t *order = order_of(&qlm_vendor_cleverbridge,
                                      apr_pstrcat(pool, "PURCHASE_ID=5&xml=", texts[i], NULL));
        ck_assert_int_eq(order->quantity, 1);
        ck_assert_msg(i == 0 ? !order->oddity
                             : !strcmp(order->oddity, "field xml: the XML is not used: it is not "
                                                      "well-formed"),
                      "%s: %s", texts[i], order->oddity);
    }
    qlm_order_t *order = order_of(&qlm_vendor_cleverbridge, "PURCHASE_ID=5&other=hello");
    ck_assert_ptr_null(order->oddity);
}
END_TEST

START_TEST(document_too_large_for_us_does_not_stop_the_order)
{
    const char *body = apr_pstrcat(pool, "PURCHASE_ID=5&QUANTITY=2&XML=%3Ca%3E",
                                   repeated('x', 300 * 1024), "%3C/a%3E", NULL);
    qlm_order_t *order = order_of(&qlm_vendor_cleverbridge, body);
    ck_assert_int_eq(order->quantity, 2);
    ck_assert_str_eq(order->oddity, "field XML: the XML is not used: it is larger than 256 KiB");
}
END_TEST

static Suite *vendors_suite(void)
{
    Suite *suite = suite_create("vendors");
    TCase *tests = tcase_create("vendors");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_vendor_is_found_by_its_names);
    tcase_add_test(tests, other_names_are_not_found);
    tcase_add_test(tests, only_the_publishers_own_callers_are_trusted);
    tcase_add_test(tests, text_answer_is_exactly_the_keys);
    tcase_add_test(tests, xml_answer_lists_the_keys);
    tcase_add_loop_test(tests, failures_have_the_shops_status, 0,
                        (int)(sizeof(failures) / sizeof(failures[0])));
    tcase_add_test(tests, failure_stays_one_line_of_ascii);
    tcase_add_loop_test(tests, bad_quantities_are_refused, 0, 12);
    tcase_add_test(tests, quantity_limits_are_inclusive);
    tcase_add_test(tests, references_are_never_altered);
    tcase_add_test(tests, huge_texts_are_cut);
    tcase_add_test(tests, texts_are_cleaned);
    tcase_add_test(tests, email_addresses);
    tcase_add_test(tests, dates_far_from_today_are_noted);
    tcase_add_test(tests, dates_by_the_sites_pattern);
    tcase_add_test(tests, stored_arguments_never_make_an_order);
    tcase_add_test(tests, url_wins_over_body);
    tcase_add_test(tests, items_without_a_line_number);
    tcase_add_test(tests, another_persons_address_is_not_taken_over);
    tcase_add_test(tests, document_of_another_purchase_is_not_used);
    tcase_add_test(tests, what_is_no_document_is_noted);
    tcase_add_test(tests, document_too_large_for_us_does_not_stop_the_order);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(vendors_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
