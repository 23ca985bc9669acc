/* The license document: its elements, its canonical form, and what clients rely on. */
#include "license/document.h"

#include "unit/awkward.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <libxml/c14n.h>
#include <libxml/chvalid.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NOW ((apr_int64_t)1700000007) /* 2023-11-14 22:13:27 */

static apr_pool_t *pool;
static qlm_license_t license;
static qlm_activation_t activation;
static qlm_customer_t customer;
static qlm_product_t product;
static qlm_document_t document;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    license = (qlm_license_t){.id = 7,
                              .activation_key = "F1345678901234567890ABCDEF",
                              .product_id = 3,
                              .major = 2,
                              .minor = 1,
                              .model = QLM_MODEL_SUBSCRIPTION,
                              .engine = QLM_ENGINE_6,
                              .num_licenses = 5,
                              .available_licenses = 4,
                              .floating_seats = 1,
                              .features = "0:7;",
                              .expires_at = 1725321599,        /* 2024-09-02 23:59:59 */
                              .maintenance_until = 1725407999, /* 2024-09-03 23:59:59 */
                              .duration_days = -1,
                              .computer_type = 1,
                              .user_data = "seat 12"};
    activation = (qlm_activation_t){.id = 9,
                                    .license_id = 7,
                                    .computer_id = "pc-1",
                                    .computer_name = "Front desk",
                                    .computer_key = "J1111111111111111111111111",
                                    .activated_at = NOW - 3600};
    customer = (qlm_customer_t){
        .id = 5, .email = "ann@example.org", .full_name = "Ann Example", .company = "Smith & Sons"};
    product = (qlm_product_t){.id = 3, .major = 2, .minor = 2, .name = "Demo <Pro>"};
    document = (qlm_document_t){.license = &license,
                                .activation = &activation,
                                .customer = &customer,
                                .product = &product,
                                .computer_id = "PC-1",
                                .now = NOW};
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const char *write_document(void)
{
    return qlm_document_write(&document, pool);
}

/* The text of an element below the root as a parser reads it, NULL if there is none. */
static const char *element(const char *text, const char *name)
{
    xmlDocPtr xml = xmlReadMemory(text, (int)strlen(text), NULL, "UTF-8", XML_PARSE_NONET);
    const char *found = NULL;

    ck_assert_msg(xml != NULL, "not well-formed: %s", text);
    for (xmlNodePtr node = xmlDocGetRootElement(xml)->children; node; node = node->next) {
        if (strcmp((const char *)node->name, name) == 0) {
            xmlChar *content = xmlNodeGetContent(node);

            ck_assert_msg(found == NULL, "two of %s", name);
            found = apr_pstrdup(pool, (const char *)content);
            xmlFree(content);
        }
    }
    xmlFreeDoc(xml);
    return found;
}

/* Is @a text what libxml2 makes of it? */
static void check_canonical(const char *text)
{
    xmlDocPtr xml = xmlReadMemory(text, (int)strlen(text), NULL, "UTF-8", XML_PARSE_NONET);
    xmlChar *canonical = NULL;

    ck_assert_msg(xml != NULL, "not well-formed: %s", text);
    ck_assert_int_gt(xmlC14NDocDumpMemory(xml, NULL, XML_C14N_1_0, NULL, 0, &canonical), 0);
    ck_assert_str_eq(text, (const char *)canonical);
    xmlFree(canonical);
    xmlFreeDoc(xml);
}

START_TEST(test_whole)
{
    ck_assert_str_eq(
        write_document(),
        "<QuickLicenseManager><creationDateUtc>2023-11-14 22:13:00</creationDateUtc>"
        "<pckey>J1111111111111111111111111</pckey><computerName>Front desk</computerName>"
        "<computerID>PC-1</computerID><userCompany>Smith &amp; Sons</userCompany>"
        "<userFullName>Ann Example</userFullName><userEmail>ann@example.org</userEmail>"
        "<productID>3</productID><productName>Demo &lt;Pro&gt;</productName>"
        "<majorVersion>2</majorVersion><minorVersion>2</minorVersion>"
        "<licenseModel>subscription</licenseModel>"
        "<maintenanceRenewalDate>2024-09-03 23:59:59</maintenanceRenewalDate>"
        "<result>The license is valid. 5 copies of Demo &lt;Pro&gt; until 2024-09-02. "
        "Maintenance plan until 2024-09-03.</result><status>4</status><features>0:7;</features>"
        "<duration>-1</duration><floatingSeats>1</floatingSeats>"
        "<numActivationsAllowed>5</numActivationsAllowed><availableLicenses>4</availableLicenses>"
        "<expiryDate>2024-09-02 23:59</expiryDate>"
        "<activationKey>F1345678901234567890ABCDEF</activationKey><userData>seat 12</userData>"
        "<activationDate>2023-11-14 21:13</activationDate>"
        "<serverDate>2023-11-14 22:13</serverDate><computerType>PC</computerType>"
        "</QuickLicenseManager>");
}
END_TEST

START_TEST(test_permanent)
{
    license.model = QLM_MODEL_PERMANENT;
    license.expires_at = license.maintenance_until = 0;
    license.num_licenses = 1;
    ck_assert_str_eq(element(write_document(), "status"), "2");
    ck_assert_str_eq(element(write_document(), "expiryDate"), "9999-12-31 23:59");
    ck_assert_str_eq(element(write_document(), "maintenanceRenewalDate"), "");
    ck_assert_str_eq(element(write_document(), "result"),
                     "The license is valid. 1 copy of Demo <Pro>, without expiry date.");
}
END_TEST

/* Nothing in a mere report may look like an activation. */
START_TEST(test_report)
{
    const char *text;

    activation.id = 0;
    text = write_document();
    ck_assert_str_eq(element(text, "status"), "512");
    ck_assert_str_eq(element(text, "pckey"), "");
    ck_assert_str_eq(element(text, "computerName"), "");
    ck_assert_str_eq(element(text, "computerID"), "PC-1");
    ck_assert_ptr_null(element(text, "activationDate"));
    ck_assert_ptr_nonnull(strstr(element(text, "result"), "not active"));
    check_canonical(text);
}
END_TEST

/* Elements stay where they are when there is nothing to say. */
START_TEST(test_empty_texts)
{
    const char *text;

    customer = (qlm_customer_t){0};
    license.features = license.user_data = "";
    activation.computer_name = NULL;
    document.computer_id = "";
    text = write_document();
    ck_assert_ptr_nonnull(strstr(text, "<computerName></computerName><computerID></computerID>"
                                       "<userCompany></userCompany><userFullName></userFullName>"
                                       "<userEmail></userEmail>"));
    ck_assert_ptr_nonnull(strstr(text, "<features></features>"));
    ck_assert_ptr_nonnull(strstr(text, "<userData></userData>"));
    check_canonical(text);
}
END_TEST

START_TEST(test_properties)
{
    static const char properties[] =
        "<?xml version=\"1.0\"?><props><p n=\"a\">1 &lt; 2</p></props>";

    ck_assert_ptr_null(element(write_document(), "productProperties"));
    document.product_properties = properties;
    ck_assert_str_eq(element(write_document(), "productProperties"), properties);
    check_canonical(write_document());
}
END_TEST

START_TEST(test_computer_types)
{
    static const struct {
        int type;
        const char *name;
    } types[] = {{0, "None"}, {1, "PC"}, {2, "VM"}, {3, "None"}, {-1, "None"}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        license.computer_type = types[i].type;
        ck_assert_str_eq(element(write_document(), "computerType"), types[i].name);
    }
}
END_TEST

/* An unchanged document has unchanged bytes for the rest of the minute, and other ones in the next:
 * that is what lets signatures be remembered. */
START_TEST(test_minute)
{
    const char *text = write_document();

    document.now = NOW + 32;
    ck_assert_str_eq(write_document(), text);
    document.now = NOW + 33;
    ck_assert_str_ne(write_document(), text);
    document.now = NOW - 27;
    ck_assert_str_eq(write_document(), text);
}
END_TEST

/* A date out of a damaged record does not spoil the document. */
START_TEST(test_far_dates)
{
    license.expires_at = APR_INT64_MAX;
    license.maintenance_until = APR_INT64_MAX;
    ck_assert_str_eq(element(write_document(), "expiryDate"), "9999-12-31 23:59");
    ck_assert_str_eq(element(write_document(), "maintenanceRenewalDate"), "9999-12-31 23:59:59");
    ck_assert_str_eq(element(write_document(), "status"), "4");
}
END_TEST

/* Let every text be @a text; productProperties too. */
static void set_texts(const char *text)
{
    license.user_data = license.features = license.activation_key = text;
    document.product_properties = text;
    activation.computer_name = activation.computer_key = text;
    customer.email = customer.full_name = customer.company = text;
    product.name = document.computer_id = text;
}

/* @a text as it may stand in XML: what is not UTF-8, and what XML forbids, is left out. By
 * libxml2's opinion of each character; it does not mind overlong forms, so we do. */
static const char *allowed(const char *text)
{
    static const int least[] = {0, 0, 0x80, 0x800, 0x10000};
    char *kept = apr_pstrdup(pool, text), *end = kept;

    while (*text) {
        int length = (int)strnlen(text, 4);
        int c = xmlGetUTF8Char((const unsigned char *)text, &length);

        if (c < 0 || c < least[length]) {
            text++;
            continue;
        }
        if (xmlIsCharQ((unsigned int)c)) {
            memcpy(end, text, (size_t)length);
            end += length;
        }
        text += length;
    }
    *end = '\0';
    return kept;
}

/* Our bytes are libxml2's canonical bytes, and a parser reads back what was put in. */
START_TEST(test_awkward)
{
    const char *text = awkward_texts[_i], *kept = allowed(text), *written;

    set_texts(text);
    written = write_document();
    check_canonical(written);
    ck_assert_str_eq(element(written, "computerID"), kept);
    ck_assert_str_eq(element(written, "userFullName"), kept);
    ck_assert_str_eq(element(written, "userData"), kept);
    ck_assert_ptr_null(strchr(written, '\r'));
    if (*text) {
        ck_assert_str_eq(element(written, "productProperties"), kept);
    }
}
END_TEST

/* Each single byte in the middle of a text. */
START_TEST(test_every_byte)
{
    for (int c = 1; c < 256; c++) {
        char text[4] = {'a', (char)c, 'b', '\0'};

        set_texts(text);
        check_canonical(write_document());
        ck_assert_str_eq(element(write_document(), "computerID"), allowed(text));
    }
}
END_TEST

START_TEST(test_long)
{
    char *text = apr_pcalloc(pool, 65536 + 1);

    for (int i = 0; i < 65536; i++) {
        text[i] = "<&>\r\n\t\"'x\xC3\xA4"[i % 11];
    }
    text[65536] = '\0';
    text[strlen(allowed(text))] = '\0'; /* a character that was cut at the end */
    set_texts(text);
    check_canonical(write_document());
    ck_assert_str_eq(element(write_document(), "userData"), text);
}
END_TEST

/* Some shops' programs take any answer with these letters for a failure. */
START_TEST(test_success_never_says_error)
{
    for (int model = 0; model < QLM_MODEL_COUNT; model++) {
        license.model = (qlm_model_t)model;
        for (int i = 0; i < 8; i++) {
            const char *text;

            activation.id = i & 1;
            license.expires_at = i & 2 ? NOW : 0;
            license.maintenance_until = i & 4 ? NOW : 0;
            text = write_document();
            ck_assert_ptr_null(strcasestr(text, "error"));
            ck_assert_ptr_null(strchr(text, '\n'));
        }
    }
}
END_TEST

START_TEST(test_refusal)
{
    const qlm_error_t *error =
        qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NO_MORE_ACTIVATIONS, "No <seat> & left.");
    const char *text = qlm_document_write_refusal(error, NOW, pool);

    ck_assert_str_eq(text, "<QuickLicenseManager>"
                           "<creationDateUtc>2023-11-14 22:13:00</creationDateUtc>"
                           "<error>No &lt;seat&gt; &amp; left.</error><errorCode>210</errorCode>"
                           "<status>264</status><serverDate>2023-11-14 22:13</serverDate>"
                           "</QuickLicenseManager>");
    check_canonical(text);
}
END_TEST

/* Nobody may read a refusal as a success, even one without a word or a code. */
START_TEST(test_refusal_says_something)
{
    qlm_error_t error = {.kind = QLM_ERROR_INTERNAL, .code = QLM_CODE_NONE, .text = ""};
    const char *text = qlm_document_write_refusal(&error, NOW, pool);

    ck_assert_str_eq(element(text, "errorCode"), "3000");
    ck_assert_str_eq(element(text, "status"), "8");
    ck_assert_uint_gt(strlen(element(text, "error")), 5);
    error.text = NULL;
    ck_assert_str_eq(qlm_document_write_refusal(&error, NOW, pool), text);
}
END_TEST

START_TEST(test_refusal_awkward)
{
    const qlm_error_t *error =
        qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_REVOKED, "x%s", awkward_texts[_i]);
    const char *text = qlm_document_write_refusal(error, NOW, pool);

    check_canonical(text);
    ck_assert_str_eq(element(text, "status"), "2056");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("document");
    TCase *cases = tcase_create("document");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_whole);
    tcase_add_test(cases, test_permanent);
    tcase_add_test(cases, test_report);
    tcase_add_test(cases, test_empty_texts);
    tcase_add_test(cases, test_properties);
    tcase_add_test(cases, test_computer_types);
    tcase_add_test(cases, test_minute);
    tcase_add_test(cases, test_far_dates);
    tcase_add_loop_test(cases, test_awkward, 0, AWKWARD_TEXTS);
    tcase_add_test(cases, test_every_byte);
    tcase_add_test(cases, test_long);
    tcase_add_test(cases, test_success_never_says_error);
    tcase_add_test(cases, test_refusal);
    tcase_add_test(cases, test_refusal_says_something);
    tcase_add_loop_test(cases, test_refusal_awkward, 0, AWKWARD_TEXTS);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    apr_initialize();
    runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
