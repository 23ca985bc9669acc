/* Signatures: made, verified by our own reader and by the xmlsec1 program. Attacks on the reader
 * are in check_verify.c. */
#include "license/document.h"
#include "unit/awkward.h"
#include "unit/signature_fixture.h"

#include <apr_file_io.h>
#include <apr_thread_proc.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define NO_TOOL 77 /* automake: skipped */

/* ---- the form ---- */

START_TEST(test_form)
{
    const char *document = sign(PLAIN);

    ck_assert_ptr_eq(strstr(document, OPEN "<status>2</status><userFullName>Ann</userFullName>"
                                           "<Signature "
                                           "xmlns=\"http://www.w3.org/2000/09/xmldsig#\">"
                                           "<SignedInfo><CanonicalizationMethod "),
                     document);
    ck_assert_ptr_nonnull(strstr(document, "</SignatureValue></Signature>" CLOSE));
    ck_assert_str_eq(strstr(document, CLOSE), CLOSE);
    ck_assert_ptr_nonnull(strstr(document, "<Reference URI=\"\">"));
    ck_assert_ptr_nonnull(strstr(document, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315\""));
    ck_assert_ptr_nonnull(strstr(document, "xmldsig-more#rsa-sha256\""));
    ck_assert_ptr_nonnull(strstr(document, "xmlenc#sha256\""));
    ck_assert_ptr_null(strpbrk(document, "\r\n\t"));
    ck_assert_ptr_null(strstr(document, "KeyInfo"));
    ck_assert_str_eq(sign(PLAIN), document); /* the same bytes every time */
}
END_TEST

START_TEST(test_form_sha1)
{
    const char *document = sign_with(PLAIN, key, QLM_ALGORITHM_RSA_SHA1), *reason;

    ck_assert_ptr_nonnull(strstr(document, "2000/09/xmldsig#rsa-sha1\""));
    ck_assert_ptr_nonnull(strstr(document, "2000/09/xmldsig#sha1\""));
    ck_assert_int_eq(is_valid(&reason, document), 1);
    ck_assert_str_eq(reason, "valid, rsa-sha1");
    ck_assert_int_eq(is_valid(&reason, sign(PLAIN)), 1);
    ck_assert_str_eq(reason, "valid, rsa-sha256");
}
END_TEST

START_TEST(test_not_signable)
{
    static const char *const bad[] = {"", "x", "<a></a>", "<QuickLicenseManager/>", PLAIN "\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *document = NULL;
        const qlm_error_t *error =
            qlm_signature_sign(&document, bad[i], key, QLM_ALGORITHM_RSA_SHA256, NULL, pool);

        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
        ck_assert_int_eq(error->code, QLM_CODE_FAILED_TO_SIGN);
        ck_assert_ptr_null(document);
    }
}
END_TEST

/* ---- keys ---- */

static const int sizes[] = {1024, 2048, 3072, 4096};

START_TEST(test_sizes)
{
    const char *private_text, *public_text, *reason;
    qlm_private_key_t *private_key;

    ck_assert_ptr_null(qlm_signature_generate(&private_text, &public_text, sizes[_i], pool));
    ck_assert_ptr_eq(strstr(private_text, "-----BEGIN PRIVATE KEY-----"), private_text);
    ck_assert_ptr_eq(strstr(public_text, "-----BEGIN PUBLIC KEY-----"), public_text);
    ck_assert_ptr_null(qlm_signature_load(&private_key, private_text, pool));
    for (int algorithm = 0; algorithm < 2; algorithm++) {
        const char *document = sign_with(PLAIN, private_key, (qlm_algorithm_t)algorithm);

        ck_assert_int_eq(
            qlm_signature_verify(&reason, document, strlen(document), public_text, pool), 1);
        ck_assert_int_eq(
            qlm_signature_verify(&reason, document, strlen(document), public_pem, pool), 0);
    }
}
END_TEST

START_TEST(test_sizes_refused)
{
    static const int bad[] = {-1, 0, 512, 1023, 8193, 1 << 30};
    const char *private_text, *public_text;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const qlm_error_t *error =
            qlm_signature_generate(&private_text, &public_text, bad[i], pool);

        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
    }
}
END_TEST

/* An elliptic-curve key, well-formed, but of the wrong kind. */
static const char *ec_pem(int is_private)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    long length;
    const char *text;

    if (is_private) {
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    }
    else {
        PEM_write_bio_PUBKEY(bio, pkey);
    }
    length = BIO_get_mem_data(bio, &data);
    text = apr_pstrmemdup(pool, data, (apr_size_t)length);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return text;
}

/* Neither the text nor the detail may show the key; nothing may ask on the terminal. */
START_TEST(test_load_refused)
{
    const char *bad[] = {"",
                         "no key",
                         public_pem,
                         replace(private_pem, "-----END", "-----"),
                         ec_pem(1),
                         "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                         "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
                         "-----END RSA PRIVATE KEY-----\n"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        qlm_private_key_t *loaded = NULL;
        const qlm_error_t *error = qlm_signature_load(&loaded, bad[i], pool);

        ck_assert_msg(error != NULL, "%s", bad[i]);
        ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
        ck_assert_ptr_null(strstr(error->text, "BEGIN"));
        ck_assert_ptr_null(loaded);
    }
}
END_TEST

START_TEST(test_public_xml)
{
    const char *xml = NULL, *reason, *document = sign(PLAIN), *pasted;
    const qlm_error_t *error = qlm_signature_public_xml(&xml, public_pem, pool);

    ck_assert_ptr_null(error);
    ck_assert_ptr_eq(strstr(xml, "<RSAKeyValue><Modulus>"), xml);
    ck_assert_ptr_nonnull(strstr(xml, "</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"));
    ck_assert_uint_eq(strlen(xml), strlen("<RSAKeyValue><Modulus></Modulus><Exponent>AQAB"
                                          "</Exponent></RSAKeyValue>") +
                                       344); /* base64 of 256 bytes: no sign byte in front */
    ck_assert_int_eq(qlm_signature_verify(&reason, document, strlen(document), xml, pool), 1);
    pasted = replace(replace(xml, "<Modulus>", "\n  <Modulus>\n "), "</Modulus>", "\n</Modulus>\n");
    ck_assert_int_eq(qlm_signature_verify(&reason, document, strlen(document), pasted, pool), 1);
}
END_TEST

START_TEST(test_public_xml_refused)
{
    const char *bad[] = {"", "no key", private_pem, ec_pem(0)};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *xml = NULL;

        ck_assert_ptr_nonnull(qlm_signature_public_xml(&xml, bad[i], pool));
        ck_assert_ptr_null(xml);
    }
}
END_TEST

START_TEST(test_bad_public_keys)
{
    const char *bad[] = {NULL,
                         "",
                         "no key",
                         ec_pem(0),
                         "<RSAKeyValue></RSAKeyValue>",
                         "<RSAKeyValue><Modulus>AQAB</Modulus><Exponent>AQAB</Exponent>"
                         "</RSAKeyValue>",
                         "<RSAKeyValue><Modulus>?</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>",
                         "<RSAKeyValue><Modulus><x/></Modulus><Exponent/></RSAKeyValue>",
                         "<!DOCTYPE a><RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>"};
    const char *document = sign(PLAIN), *reason;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(qlm_signature_verify(&reason, document, strlen(document), bad[i], pool),
                         0);
        ck_assert_msg(strstr(reason, "public key") != NULL, "%s", reason);
    }
    ck_assert_int_eq(
        qlm_signature_verify(&reason, document, strlen(document), other_public_pem, pool), 0);
    ck_assert_ptr_nonnull(strstr(reason, "this key"));
}
END_TEST

/* A key goes with its pool (valgrind watches). */
START_TEST(test_key_pool)
{
    apr_pool_t *own;
    qlm_private_key_t *loaded;

    for (int i = 0; i < 20; i++) {
        apr_pool_create(&own, NULL);
        ck_assert_ptr_null(qlm_signature_load(&loaded, private_pem, own));
        sign_with(PLAIN, loaded, QLM_ALGORITHM_RSA_SHA256);
        apr_pool_destroy(own);
    }
}
END_TEST

/* ---- memory ---- */

/* One remembered signature, and how often it was asked for and stored. */
typedef struct memory_t {
    unsigned char id[32];
    const char *signature;
    int recalled, remembered;
} memory_t;

static int recall(void *baton, const unsigned char id[32], const char **signature,
                  apr_pool_t *result_pool)
{
    memory_t *memory = baton;

    if (memory->signature == NULL || memcmp(memory->id, id, 32) != 0) {
        return 0;
    }
    memory->recalled++;
    *signature = apr_pstrdup(result_pool, memory->signature);
    return 1;
}

static void remember(void *baton, const unsigned char id[32], const char *signature)
{
    memory_t *memory = baton;

    memory->remembered++;
    memcpy(memory->id, id, 32);
    memory->signature = apr_pstrdup(pool, signature);
}

static const char *sign_remembering(memory_t *memory, const char *content,
                                    const qlm_private_key_t *private_key, qlm_algorithm_t algorithm)
{
    const qlm_signature_memory_t functions = {recall, remember, memory};
    const char *document = NULL;

    ck_assert_ptr_null(
        qlm_signature_sign(&document, content, private_key, algorithm, &functions, pool));
    return document;
}

START_TEST(test_memory)
{
    memory_t memory = {.signature = NULL};
    const char *first = sign_remembering(&memory, PLAIN, key, QLM_ALGORITHM_RSA_SHA256);

    ck_assert_int_eq(memory.remembered, 1);
    ck_assert_str_eq(sign_remembering(&memory, PLAIN, key, QLM_ALGORITHM_RSA_SHA256), first);
    ck_assert_int_eq(memory.recalled, 1);
    ck_assert_int_eq(memory.remembered, 1);
    ck_assert_str_eq(first, sign(PLAIN));
    check_valid(first);
}
END_TEST

/* Another text, algorithm or key is another signature. */
START_TEST(test_memory_is_told_apart)
{
    memory_t memory = {.signature = NULL};
    const char *private_text, *public_text, *document, *reason;
    qlm_private_key_t *other;

    ck_assert_ptr_null(qlm_signature_generate(&private_text, &public_text, 1024, pool));
    ck_assert_ptr_null(qlm_signature_load(&other, private_text, pool));
    sign_remembering(&memory, PLAIN, key, QLM_ALGORITHM_RSA_SHA256);
    check_valid(
        sign_remembering(&memory, OPEN "<status>4</status>" CLOSE, key, QLM_ALGORITHM_RSA_SHA256));
    check_valid(sign_remembering(&memory, PLAIN, key, QLM_ALGORITHM_RSA_SHA1));
    document = sign_remembering(&memory, PLAIN, other, QLM_ALGORITHM_RSA_SHA1);
    ck_assert_int_eq(qlm_signature_verify(&reason, document, strlen(document), public_text, pool),
                     1);
    ck_assert_int_eq(memory.recalled, 0);
    ck_assert_int_eq(memory.remembered, 4);
}
END_TEST

/* Reloading the same key finds what was remembered: children load it each for themselves. */
START_TEST(test_memory_is_shared)
{
    memory_t memory = {.signature = NULL};
    qlm_private_key_t *again;

    ck_assert_ptr_null(qlm_signature_load(&again, private_pem, pool));
    sign_remembering(&memory, PLAIN, key, QLM_ALGORITHM_RSA_SHA256);
    sign_remembering(&memory, PLAIN, again, QLM_ALGORITHM_RSA_SHA256);
    ck_assert_int_eq(memory.recalled, 1);
}
END_TEST

/* ---- the independent verifier ---- */

/* Write a file of this test; removed with the pool. */
static const char *write_file(const char *text, apr_size_t length)
{
    char *path =
        apr_psprintf(pool, "%s/qlm-check-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    apr_file_t *file;

    ck_assert_int_eq(
        apr_file_mktemp(&file, path,
                        APR_FOPEN_CREATE | APR_FOPEN_WRITE | APR_FOPEN_EXCL | APR_FOPEN_DELONCLOSE,
                        pool),
        APR_SUCCESS);
    ck_assert_int_eq(apr_file_write_full(file, text, length, NULL), APR_SUCCESS);
    return path;
}

/* Run xmlsec1 with @a arguments, quietly. @return its exit code, -1 if it could not be run */
static int run_xmlsec1(const char *const *arguments, apr_pool_t *scratch)
{
    apr_procattr_t *attributes;
    apr_proc_t process;
    apr_exit_why_e why;
    apr_file_t *sink;
    int code = -1;

    if (apr_procattr_create(&attributes, scratch) != APR_SUCCESS ||
        apr_procattr_cmdtype_set(attributes, APR_PROGRAM_PATH) != APR_SUCCESS ||
        apr_procattr_error_check_set(attributes, 1) != APR_SUCCESS ||
        apr_file_open(&sink, "/dev/null", APR_FOPEN_WRITE, APR_FPROT_OS_DEFAULT, scratch) !=
            APR_SUCCESS ||
        apr_procattr_child_out_set(attributes, sink, NULL) != APR_SUCCESS ||
        apr_procattr_child_err_set(attributes, sink, NULL) != APR_SUCCESS ||
        apr_proc_create(&process, "xmlsec1", arguments, NULL, attributes, scratch) != APR_SUCCESS) {
        return -1;
    }
    apr_proc_wait(&process, &code, &why, APR_WAIT);
    return APR_PROC_CHECK_EXIT(why) ? code : -1;
}

static int has_xmlsec1(void)
{
    static const char *const arguments[] = {"xmlsec1", "--version", NULL};
    apr_pool_t *own;
    int code;

    apr_pool_create(&own, NULL);
    code = run_xmlsec1(arguments, own);
    apr_pool_destroy(own);
    return code == 0;
}

/* xmlsec1's own verdict. */
static int xmlsec1_accepts(const char *document, const char *public_key)
{
    const char *arguments[] = {"xmlsec1",
                               "--verify",
                               "--pubkey-pem",
                               write_file(public_key, strlen(public_key)),
                               write_file(document, strlen(document)),
                               NULL};

    return run_xmlsec1(arguments, pool) == 0;
}

START_TEST(test_xmlsec1)
{
    const char *declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    const char *document = sign_with(PLAIN, key, (qlm_algorithm_t)_i);

    ck_assert(xmlsec1_accepts(document, public_pem));
    ck_assert(xmlsec1_accepts(apr_pstrcat(pool, declaration, document, NULL), public_pem));
    ck_assert(!xmlsec1_accepts(document, other_public_pem));
    ck_assert(!xmlsec1_accepts(replace(document, "<status>2", "<status>4"), public_pem));
}
END_TEST

/* A license document in which every text is @a text, signed. */
static const char *awkward_document(const char *text)
{
    const qlm_license_t license = {
        .activation_key = text, .features = text, .user_data = text, .duration_days = -1};
    const qlm_activation_t activation = {.id = 1, .computer_name = text, .computer_key = text};
    const qlm_customer_t customer = {.email = text, .full_name = text, .company = text};
    const qlm_product_t product = {.id = 1, .name = text};
    const qlm_document_t document = {.license = &license,
                                     .activation = &activation,
                                     .customer = &customer,
                                     .product = &product,
                                     .computer_id = text,
                                     .product_properties = text,
                                     .now = 1700000000};

    return sign(qlm_document_write(&document, pool));
}

START_TEST(test_xmlsec1_awkward)
{
    const char *document = awkward_document(awkward_texts[_i]);

    check_valid(document);
    ck_assert_msg(xmlsec1_accepts(document, public_pem), "%.300s", document);
}
END_TEST

START_TEST(test_xmlsec1_long)
{
    char *text = apr_pcalloc(pool, 65536 + 1);

    for (int i = 0; i < 65536; i++) {
        text[i] = "<&>\r\n\t\"'x]]>"[i % 12];
    }
    check_valid(awkward_document(text));
    ck_assert(xmlsec1_accepts(awkward_document(text), public_pem));
}
END_TEST

START_TEST(test_xmlsec1_refusal)
{
    const qlm_error_t *error = qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_EXPIRED, "Over.");
    const char *document = sign(qlm_document_write_refusal(error, 1700000000, pool));

    check_valid(document);
    ck_assert(xmlsec1_accepts(document, public_pem));
}
END_TEST

static TCase *make_case(const char *name)
{
    TCase *cases = tcase_create(name);

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 120); /* key generation under valgrind */
    return cases;
}

static Suite *make_suite(int with_xmlsec1)
{
    Suite *suite = suite_create("signature");
    TCase *cases = make_case("signature"), *tool = make_case("xmlsec1");

    tcase_add_test(cases, test_form);
    tcase_add_test(cases, test_form_sha1);
    tcase_add_test(cases, test_not_signable);
    tcase_add_loop_test(cases, test_sizes, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
    tcase_add_test(cases, test_sizes_refused);
    tcase_add_test(cases, test_load_refused);
    tcase_add_test(cases, test_public_xml);
    tcase_add_test(cases, test_public_xml_refused);
    tcase_add_test(cases, test_bad_public_keys);
    tcase_add_test(cases, test_key_pool);
    tcase_add_test(cases, test_memory);
    tcase_add_test(cases, test_memory_is_told_apart);
    tcase_add_test(cases, test_memory_is_shared);
    suite_add_tcase(suite, cases);
    if (with_xmlsec1) {
        tcase_add_loop_test(tool, test_xmlsec1, 0, 2);
        tcase_add_loop_test(tool, test_xmlsec1_awkward, 0, AWKWARD_TEXTS);
        tcase_add_test(tool, test_xmlsec1_long);
        tcase_add_test(tool, test_xmlsec1_refusal);
    }
    suite_add_tcase(suite, tool);
    return suite;
}

/* Without xmlsec1 the rest is tested, and a success is reported as "skipped", not as passed. */
int main(void)
{
    SRunner *runner;
    int failed, with_xmlsec1;

    apr_initialize();
    make_keys();
    with_xmlsec1 = has_xmlsec1();
    runner = srunner_create(make_suite(with_xmlsec1));
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    if (!failed && !with_xmlsec1) {
        printf("the xmlsec1 program is missing: not compared with it\n");
        return NO_TOOL;
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
