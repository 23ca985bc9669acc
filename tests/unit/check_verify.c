/* Verification: which spellings of a signed document are accepted, and which attacks are not. */
#include "unit/signature_fixture.h"

/* ---- what must still verify ---- */

START_TEST(test_declaration_and_bom)
{
    const char *document = sign(PLAIN);

    check_valid(apr_pstrcat(pool, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", document, NULL));
    check_valid(apr_pstrcat(pool, "\xEF\xBB\xBF", document, NULL));
    check_valid(apr_pstrcat(pool, "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n",
                            document, "\r\n", NULL));
}
END_TEST

/* The same document in another spelling, as a client's XML library may write it back. */
START_TEST(test_other_spelling)
{
    const char *document = sign(OPEN "<status>2</status><userData></userData>" CLOSE);
    const char *value = strstr(document, "<SignatureValue>") + strlen("<SignatureValue>");

    check_valid(replace(document, "<userData></userData>", "<userData />"));
    check_valid(
        replace(document, "#enveloped-signature\"></Transform>", "#enveloped-signature\" />"));
    check_valid(replace(document, "<status>2", "<status>&#x32;"));
    check_valid(apr_psprintf(pool, "%.*s\n%.64s\n%s", (int)(value - document), document, value,
                             value + 64)); /* base64 in lines */
}
END_TEST

/* ---- what must not ---- */

START_TEST(test_changed)
{
    const char *document = sign(PLAIN);

    check_refused(replace(document, "<status>2", "<status>4"), "changed");
    check_refused(replace(document, ">Ann<", ">Ann <"), "changed");
    check_refused(replace(document, "<userFullName>", "<userFullName x=\"\">"), "changed");
    check_refused(replace(document, "<status>", "<extra></extra><status>"), "changed");
    check_refused(replace(document, "<status>", "\n<status>"), "changed");
    check_refused(replace(document, OPEN, "<QuickLicenseManager xmlns:a=\"urn:b\">"), "this key");
}
END_TEST

/* Every byte of a signed document counts: change any and it is refused. */
START_TEST(test_every_byte)
{
    const char *document = sign(PLAIN), *reason;

    for (apr_size_t i = 0; i < strlen(document); i++) {
        char *changed = apr_pstrdup(pool, document);

        changed[i] = (char)(changed[i] == 'A' ? 'B' : 'A');
        if (is_valid(&reason, changed)) { /* unused bits of the last base64 character */
            ck_assert_msg(strncmp(changed + i + 1, "=", 1) == 0, "byte %d: %s", (int)i, changed);
        }
    }
}
END_TEST

START_TEST(test_truncated)
{
    const char *document = sign(PLAIN), *reason;

    for (apr_size_t i = 0; i < strlen(document); i++) {
        ck_assert_int_eq(qlm_signature_verify(&reason, document, i, public_pem, pool), 0);
    }
}
END_TEST

START_TEST(test_other_profile)
{
    const char *document = sign(PLAIN);
    static const char *const changes[][2] = {
        {"<Reference URI=\"\">", "<Reference URI=\"#x\">"},
        {"<Reference URI=\"\">", "<Reference>"},
        {"<Reference URI=\"\">", "<Reference URI=\"\" Id=\"a\">"},
        {"<SignedInfo>", "<SignedInfo Id=\"a\">"},
        {"<SignedInfo>", "<SignedInfo> "},
        {"</SignatureValue>", "</SignatureValue><KeyInfo></KeyInfo>"},
        {"</SignatureValue>", "</SignatureValue><Object>x</Object>"},
        {"</Reference>", "</Reference><Reference URI=\"\"></Reference>"},
        {"</Transform>", "</Transform><Transform Algorithm=\"x\"></Transform>"},
        {"</Transforms>", "<x></x></Transforms>"},
        {"<Transforms>", "<Transforms x=\"\">"},
        {"REC-xml-c14n-20010315\"", "REC-xml-c14n-20010315#WithComments\""},
        {"xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"},
        {"xmlenc#sha256", "xmlenc#sha512"},
        {"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"},
        {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
         "http://www.w3.org/2000/09/xmldsig#hmac-sha1"},
        {"<SignatureValue>", "<SignatureValue x=\"\">"},
        {"<DigestMethod", "<DigestMethod x=\"\""},
    };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *reason;

        ck_assert_msg(!is_valid(&reason, replace(document, changes[i][0], changes[i][1])), "%s",
                      changes[i][1]);
        ck_assert_msg(strstr(reason, "form") || strstr(reason, "base64"), "%s: %s", reason,
                      changes[i][1]);
    }
}
END_TEST

/* Known attacks on readers of signed XML. */
START_TEST(test_attacks)
{
    const char *document = sign(PLAIN);
    const char *signature = strstr(document, "<Signature ");
    const char *taken = apr_pstrmemdup(pool, signature, strlen(signature) - strlen(CLOSE));

    /* a comment cuts a text in two for many readers and is not signed */
    check_refused(replace(document, ">Ann<", ">An<!-- x -->n<"), "something else");
    check_refused(replace(document, ">Ann<", "><![CDATA[Ann]]><"), "something else");
    check_refused(replace(document, "<status>", "<?php x ?><status>"), "something else");
    check_refused(apr_pstrcat(pool, "<!-- x -->", document, NULL), "beside");
    check_refused(apr_pstrcat(pool, document, "<?x y?>", NULL), "beside");
    /* two signatures, none, one elsewhere, one that only looks like it */
    check_refused(replace(document, CLOSE, apr_pstrcat(pool, taken, CLOSE, NULL)), "one Signature");
    check_refused(PLAIN, "not signed");
    check_refused(replace(replace(document, taken, ""), OPEN, apr_pstrcat(pool, OPEN, taken, NULL)),
                  "last child");
    check_refused(replace(document, CLOSE, "x" CLOSE), "last child");
    check_refused(replace(document, "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\">",
                          "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig\">"),
                  "last child");
    /* the signed part wrapped into another document */
    check_refused(apr_pstrcat(pool, OPEN "<status>2</status>", document, CLOSE, NULL), "Signature");
    check_refused(apr_psprintf(pool, "<a>%s</a>", document), "root");
    check_refused(sign("<QuickLicenseManager xmlns=\"urn:a\">" CLOSE), "root");
    check_refused(replace(replace(document, OPEN, "<a xmlns=\"urn:a\">"), CLOSE, "</a>"), "root");
}
END_TEST

START_TEST(test_doctype)
{
    const char *document = sign(PLAIN);

    check_refused(apr_pstrcat(pool, "<!DOCTYPE QuickLicenseManager>", document, NULL), "DTD");
    check_refused(apr_pstrcat(pool, "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
                              replace(document, ">Ann<", ">&e;<"), NULL),
                  "DTD");
    check_refused(replace(document, ">Ann<", ">&unknown;<"), "well-formed");
}
END_TEST

/* In UTF-16 the letters of a DTD are not where a search for them looks. */
START_TEST(test_doctype_utf16)
{
    const char *text = apr_pstrcat(pool, "<!DOCTYPE QuickLicenseManager []>", sign(PLAIN), NULL);
    apr_size_t length = strlen(text);
    char *wide = apr_pcalloc(pool, 2 * length + 2);
    const char *reason;

    memcpy(wide, "\xFF\xFE", 2);
    for (apr_size_t i = 0; i < length; i++) {
        wide[2 + 2 * i] = text[i];
    }
    ck_assert_int_eq(qlm_signature_verify(&reason, wide, 2 * length + 2, public_pem, pool), 0);
    ck_assert_ptr_nonnull(strstr(reason, "DTD"));
}
END_TEST

START_TEST(test_no_document)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "x",
                                      "<",
                                      "<QuickLicenseManager>",
                                      OPEN CLOSE,
                                      "<QuickLicenseManager/>",
                                      "\xFF\xFE<a/>"};
    const char *reason;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(is_valid(&reason, bad[i]), 0);
    }
    ck_assert_int_eq(qlm_signature_verify(&reason, "x", (apr_size_t)1 << 40, public_pem, pool), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("verify");
    TCase *cases = tcase_create("verify");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 120); /* under valgrind */
    tcase_add_test(cases, test_declaration_and_bom);
    tcase_add_test(cases, test_other_spelling);
    tcase_add_test(cases, test_changed);
    tcase_add_test(cases, test_every_byte);
    tcase_add_test(cases, test_truncated);
    tcase_add_test(cases, test_other_profile);
    tcase_add_test(cases, test_attacks);
    tcase_add_test(cases, test_doctype);
    tcase_add_test(cases, test_doctype_utf16);
    tcase_add_test(cases, test_no_document);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    apr_initialize();
    make_keys();
    runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
