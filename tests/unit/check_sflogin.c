/* Logging in to Salesforce: the record, the three grants, the answers, and the signed statement,
 * which is verified here with the public key. */
#include "vendor/sflogin.h"

#include "base/crypto.h"
#include "salesforce_fixture.h"
#include "vendor/json.h"
#include "vendor/sfjwt.h"

#include <apr_encode.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static void put(const char *name, const char *value)
{
    qlm_properties_put(world->properties, name, value);
}

static const char *refused_account(void)
{
    qlm_sfaccount_t account;
    qlm_error_t *error = qlm_sflogin_account(&account, &world->webhook, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_OUTBOUND);
    world_note(world, error->text);
    world_check_secrets("");
    return error->text;
}

static qlm_sfaccount_t *account_of(void)
{
    qlm_sfaccount_t *account = apr_pcalloc(pool, sizeof(*account));
    qlm_error_t *error = qlm_sflogin_account(account, &world->webhook, pool);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    return account;
}

/* ---- record ---- */

START_TEST(incomplete_records)
{
    static const struct {
        const char *grant;
        int missing;
        const char *text;
    } cases[] = {
        {"password", 0, "the grant password needs user in the vendor's record"},
        {"password", 1, "the grant password needs password (with the security token)"},
        {"password", 3, "the grant password needs api_key (consumer key)"},
        {"password", 4, "the grant password needs shared_key (consumer secret)"},
        {"client_credentials", 3, "the grant client_credentials needs api_key (consumer key)"},
        {"client_credentials", 4, "the grant client_credentials needs shared_key"},
        {"JWT", 0, "the grant jwt needs user"},
        {"jwt", 3, "the grant jwt needs api_key"},
        {" jwt ", 4, "the grant jwt needs shared_key (private key)"},
    };
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_credentials_t whole = {"u", "p-word", "", "key-of-app", "secret-of-app"};
        const char **members[] = {&whole.user, &whole.password, &whole.url, &whole.api_key,
                                  &whole.shared_key};
        *members[cases[i].missing] = "";
        world->credentials = whole;
        put("salesforce_grant", cases[i].grant);
        const char *text = refused_account();
        ck_assert_msg(strncmp(text, cases[i].text, strlen(cases[i].text)) == 0, "%s", text);
    }
}
END_TEST

START_TEST(unknown_grant)
{
    put("salesforce_grant", "authorization_code");
    ck_assert_ptr_nonnull(strstr(refused_account(), "password, client_credentials, jwt"));
    put("salesforce_grant", "");
    ck_assert_int_eq(account_of()->grant, QLM_SFGRANT_PASSWORD);
}
END_TEST

START_TEST(addresses_of_the_login_host)
{
    static const struct {
        const char *url, *origin, *host;
    } cases[] = {
        {"", "https://login.salesforce.com", "login.salesforce.com"},
        {"https://test.salesforce.com", "https://test.salesforce.com", "test.salesforce.com"},
        {" https://ACME.my.salesforce.com/ ", "https://acme.my.salesforce.com",
         "acme.my.salesforce.com"},
        {"acme.my.salesforce.com", "https://acme.my.salesforce.com", "acme.my.salesforce.com"},
        {"HTTPS://acme.example:8443/services/oauth2/token?x=1", "https://acme.example:8443",
         "acme.example"},
        {"http://localhost:8090", "http://localhost:8090", "localhost"},
        {"http://127.0.0.1:8090/", "http://127.0.0.1:8090", "127.0.0.1"},
        {"http://[::1]:8090", "http://[::1]:8090", "::1"},
    };
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        world->credentials.url = cases[i].url;
        const qlm_sfaccount_t *account = account_of();
        ck_assert_str_eq(account->origin, cases[i].origin);
        ck_assert_str_eq(account->host, cases[i].host);
    }
    static const char *const bad[] = {"http://login.salesforce.com",
                                      "ftp://login.salesforce.com",
                                      "file:///etc/passwd",
                                      "https://",
                                      "https:///x",
                                      "https://a b.example",
                                      "https://user@login.salesforce.com",
                                      "https://login.salesforce.com\r\nX: y",
                                      "https://login.salesforce.com\\@evil.example",
                                      "http://127.0.0.1.evil.example",
                                      "http://127.evil.example",
                                      "http://localhost.evil.example",
                                      "http://localhost@evil.example",
                                      "https://x:port",
                                      "https://\xc3\xa4.example"};
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        world->credentials.url = bad[i];
        ck_assert_msg(strstr(refused_account(), "the url in the vendor's record") != NULL, "%s",
                      bad[i]);
    }
}
END_TEST

START_TEST(client_credentials_need_my_domain)
{
    put("salesforce_grant", "client_credentials");
    ck_assert_ptr_nonnull(strstr(refused_account(), "needs the organization's My Domain"));
    world->credentials.url = "https://test.salesforce.com";
    ck_assert_ptr_nonnull(strstr(refused_account(), "test.salesforce.com does not serve it"));
    world->credentials.url = "https://acme.my.salesforce.com";
    ck_assert_int_eq(account_of()->grant, QLM_SFGRANT_CLIENT_CREDENTIALS);
}
END_TEST

START_TEST(audiences)
{
    ck_assert_str_eq(account_of()->audience, "https://login.salesforce.com");
    world->credentials.url = "acme.my.salesforce.com";
    ck_assert_str_eq(account_of()->audience, "https://login.salesforce.com");
    world->credentials.url = "https://test.salesforce.com";
    ck_assert_str_eq(account_of()->audience, "https://test.salesforce.com");
    world->credentials.url = "https://acme--dev.sandbox.my.salesforce.com";
    ck_assert_str_eq(account_of()->audience, "https://test.salesforce.com");
    put("salesforce_jwt_audience", " https://acme.my.site.com ");
    ck_assert_str_eq(account_of()->audience, "https://acme.my.site.com");
}
END_TEST

START_TEST(fingerprints_tell_accounts_apart)
{
    const char *first = account_of()->fingerprint;
    ck_assert_str_eq(account_of()->fingerprint, first);
    world->credentials.password = "another";
    ck_assert_str_eq(account_of()->fingerprint, first); /* the account is the same */
    world->credentials.user = "another";
    ck_assert_str_ne(account_of()->fingerprint, first);
    ck_assert_ptr_null(strchr(first, ' '));
}
END_TEST

/* ---- requests ---- */

START_TEST(requests_of_the_grants)
{
    qlm_fetch_request_t *request;
    world->credentials.password = "p&=+ %\xc3\xa4'\"";
    ck_assert_ptr_null(qlm_sflogin_request(&request, account_of(), WORLD_NOW, pool));
    ck_assert_str_eq(request->method, "POST");
    ck_assert_str_eq(request->url, WORLD_LOGIN_URL);
    ck_assert_str_eq(request->content_type, "application/x-www-form-urlencoded");
    qlm_fields_t *fields = qlm_fields_create(pool);
    ck_assert_ptr_null(
        qlm_fields_parse(fields, request->body, strlen(request->body), QLM_FROM_BODY));
    ck_assert_int_eq(fields->list->nelts, 5);
    ck_assert_str_eq(qlm_fields_get(fields, "password", QLM_FROM_BODY),
                     world->credentials.password);
    ck_assert_str_eq(qlm_fields_get(fields, "grant_type", QLM_FROM_BODY), "password");
    put("salesforce_grant", "client_credentials");
    world->credentials.url = "acme.my.salesforce.com";
    ck_assert_ptr_null(qlm_sflogin_request(&request, account_of(), WORLD_NOW, pool));
    ck_assert_str_eq(request->url, "https://acme.my.salesforce.com/services/oauth2/token");
    ck_assert_str_eq(request->body, "grant_type=client_credentials&client_id=3MVG9demoKey"
                                    "&client_secret=55DEMO");
}
END_TEST

/* ---- the signed statement ---- */

static EVP_PKEY *key_of(int bits)
{
    EVP_PKEY *key = EVP_RSA_gen((unsigned int)bits);
    ck_assert_ptr_nonnull(key);
    return key;
}

static char *pem_of(EVP_PKEY *key, int is_traditional)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    ck_assert_int_eq(is_traditional
                         ? PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL)
                         : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL),
                     1);
    long length = BIO_get_mem_data(bio, &data);
    char *text = apr_pstrmemdup(pool, data, (apr_size_t)length);
    BIO_free(bio);
    return text;
}

static unsigned char *unbase64(apr_size_t *length, const char *text, apr_size_t count)
{
    const char *part = apr_pstrmemdup(pool, text, count);
    ck_assert_ptr_null(strpbrk(part, "+/="));
    return (unsigned char *)(void *)(apr_uintptr_t)apr_pdecode_base64_binary(
        pool, part, APR_ENCODE_STRING, APR_ENCODE_BASE64URL, length);
}

/** Take a JWT apart, verify it, and compare its claims. */
static void check_jwt(const char *jwt, EVP_PKEY *key)
{
    apr_size_t length;
    json_t *claims;
    const char *dot = strchr(jwt, '.'), *last = strrchr(jwt, '.');
    unsigned char *bytes = unbase64(&length, jwt, (apr_size_t)(dot - jwt));
    ck_assert_str_eq(apr_pstrmemdup(pool, (char *)bytes, length), "{\"alg\":\"RS256\"}");
    bytes = unbase64(&length, dot + 1, (apr_size_t)(last - dot - 1));
    ck_assert_ptr_null(qlm_json_read(&claims, (char *)bytes, length, pool));
    ck_assert_str_eq(qlm_json_text(claims, "iss"), "3MVG9demoKey");
    ck_assert_str_eq(qlm_json_text(claims, "sub"), "bot@acme.example");
    ck_assert_str_eq(qlm_json_text(claims, "aud"), "https://login.salesforce.com");
    ck_assert(json_real_value(qlm_json_member(claims, "exp")) == (double)(WORLD_NOW + 180));
    bytes = unbase64(&length, last + 1, strlen(last + 1));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    ck_assert_int_eq(
        EVP_DigestVerify(context, bytes, length, (const unsigned char *)jwt, (size_t)(last - jwt)),
        1);
    EVP_MD_CTX_free(context);
}

static const char *jwt_with(const char *key)
{
    qlm_fetch_request_t *request;
    put("salesforce_grant", "jwt");
    world->credentials.shared_key = key;
    world->credentials.password = "";
    qlm_error_t *error = qlm_sflogin_request(&request, account_of(), WORLD_NOW, pool);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    ck_assert_ptr_null(strstr(request->body, "PRIVATE"));
    qlm_fields_t *fields = qlm_fields_create(pool);
    ck_assert_ptr_null(
        qlm_fields_parse(fields, request->body, strlen(request->body), QLM_FROM_BODY));
    ck_assert_int_eq(fields->list->nelts, 2);
    ck_assert_str_eq(qlm_fields_get(fields, "grant_type", QLM_FROM_BODY),
                     "urn:ietf:params:oauth:grant-type:jwt-bearer");
    return qlm_fields_get(fields, "assertion", QLM_FROM_BODY);
}

/** The PEM text with every line end replaced. */
static const char *joined(const char *pem, const char *with)
{
    const char *made = "";
    for (const char *line = pem; *line;) {
        apr_size_t length = strcspn(line, "\n");
        made = apr_pstrcat(pool, made, apr_pstrmemdup(pool, line, length), with, NULL);
        line += length + (line[length] == '\n');
    }
    return made;
}

START_TEST(jwt_with_a_key_in_any_form)
{
    EVP_PKEY *key = key_of(2048);
    unsigned char *der = NULL;
    const char *pem = pem_of(key, 0);
    const char *const forms[] = {pem,
                                 pem_of(key, 1),
                                 joined(pem, ""),
                                 joined(pem, " "),
                                 joined(pem, "\\n"),
                                 joined(pem, "\r\n")};
    for (apr_size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); ++i) {
        check_jwt(jwt_with(forms[i]), key);
    }
    int length = i2d_PrivateKey(key, &der);
    check_jwt(jwt_with(qlm_base64_encode(der, (apr_size_t)length, pool)), key);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(keys_that_cannot_be_used)
{
    EVP_PKEY *small = key_of(1024), *curve = EVP_EC_gen("P-256"), *good = key_of(2048);
    const char *pem = pem_of(good, 0);
    const struct {
        const char *key, *why;
    } cases[] = {
        {"55DEMO-secret", "neither PEM nor base64"},
        {"-----BEGIN PRIVATE KEY-----", "neither PEM nor base64"},
        {"-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----", "no private key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----AAAA-----END", "encrypted itself"},
        {apr_pstrmemdup(pool, pem, strlen(pem) / 2), "neither PEM nor base64"},
        {pem_of(small, 0), "no RSA key of 2048 bits or more"},
        {pem_of(curve, 0), "no RSA key of 2048 bits or more"},
    };
    put("salesforce_grant", "jwt");
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_fetch_request_t *request;
        world->credentials.shared_key = cases[i].key;
        qlm_error_t *error = qlm_sflogin_request(&request, account_of(), WORLD_NOW, pool);
        ck_assert_msg(error != NULL, "%s", cases[i].key);
        ck_assert_int_eq(error->kind, QLM_ERROR_OUTBOUND);
        ck_assert_msg(strstr(error->text, cases[i].why) != NULL, "%s: %s", cases[i].key,
                      error->text);
        world_note(world, error->text);
        world_check_secrets("");
    }
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
    EVP_PKEY_free(good);
}
END_TEST

/* ---- answers ---- */

static qlm_error_t *answer_to(qlm_sfsession_t *session, int status, const char *body)
{
    qlm_fetch_response_t response = {status, "application/json", body, strlen(body)};
    return qlm_sflogin_answer(session, account_of(), &response, pool);
}

static void check_answer_refused(int status, const char *body, const char *part)
{
    qlm_sfsession_t session;
    qlm_error_t *error = answer_to(&session, status, body);
    ck_assert_msg(error != NULL, "taken: %s", body);
    ck_assert_int_eq(error->kind, QLM_ERROR_OUTBOUND);
    ck_assert_msg(strstr(error->text, part) != NULL, "%s: %s", body, error->text);
    world_note(world, error->text);
    world_check_secrets("");
}

START_TEST(good_answers)
{
    static const struct {
        const char *url, *instance;
    } cases[] = {{"", "https://acme.my.salesforce.com"},
                 {"", "https://eu9.salesforce.com/"},
                 {"", "https://acme.my.force.com"},
                 {"https://login.acme.example", "https://login.acme.example"},
                 {"http://127.0.0.1:8090", "http://127.0.0.1:8091"},
                 {"http://localhost:8090", "http://127.0.0.1:8090"}};
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_sfsession_t session;
        world->credentials.url = cases[i].url;
        qlm_error_t *error = answer_to(&session, 200, token_answer(WORLD_TOKEN, cases[i].instance));
        ck_assert_msg(!error, "%s", error ? error->text : "");
        ck_assert_str_eq(session.token, WORLD_TOKEN);
        ck_assert_int_eq(strncmp(session.instance, cases[i].instance, strlen(session.instance)), 0);
        ck_assert_str_eq(session.organization, ORGANIZATION);
    }
}
END_TEST

START_TEST(instances_that_are_not_salesforces)
{
    static const char *const bad[] = {"https://evil.example",
                                      "https://salesforce.com.evil.example",
                                      "https://evilsalesforce.com",
                                      "https://.salesforce.com@evil.example",
                                      "http://acme.my.salesforce.com",
                                      "http://127.0.0.1:8080",
                                      "https://127.0.0.1",
                                      "https://acme.my.salesforce.com\\r\\nX: y",
                                      "//acme.my.salesforce.com",
                                      "acme.my.salesforce.com",
                                      ""};
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        check_answer_refused(200, token_answer(WORLD_TOKEN, bad[i]), "instance_url");
    }
}
END_TEST

START_TEST(tokens_that_are_none)
{
    static const char *const bad[] = {"", "a b", "a\\r\\nX-Evil: y", "\\u00e4", "a\\u007f"};
    for (apr_size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        check_answer_refused(200, token_answer(bad[i], INSTANCE), "no usable access token");
    }
    char *huge = apr_pcalloc(pool, 8194);
    memset(huge, 'a', 8193);
    check_answer_refused(200, token_answer(huge, INSTANCE), "no usable access token");
    check_answer_refused(200, "<html>", "no usable answer: it is no JSON");
    check_answer_refused(200, "[]", "no usable access token");
}
END_TEST

START_TEST(organizations_in_answers)
{
    static const struct {
        const char *id, *organization;
    } cases[] = {
        {"https://login.salesforce.com/id/00D7Q00000Demo1EAC/0057Q000000Dm01QAE", ORGANIZATION},
        {"https://login.salesforce.com/id/00D7Q00000Demo1/x", "00D7Q00000Demo1"},
        {"https://login.salesforce.com/id/00D7Q00000Demo1EAC", ORGANIZATION},
        {"https://login.salesforce.com/id//x", ""},
        {"https://login.salesforce.com/id/00D'/x", ""},
        {"x", ""},
        {"", ""}};
    for (apr_size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        qlm_sfsession_t session;
        const char *body =
            apr_psprintf(pool, json("{'access_token':'t','instance_url':'" INSTANCE "','id':'%s'}"),
                         cases[i].id);
        ck_assert_ptr_null(answer_to(&session, 200, body));
        ck_assert_str_eq(session.organization, cases[i].organization);
    }
}
END_TEST

START_TEST(refusals)
{
    check_answer_refused(400, json("{'error':'invalid_grant','error_description':'inactive user'}"),
                         "the login at login.salesforce.com as bot@acme.example was refused: "
                         "invalid_grant (inactive user); check user, password and security token; "
                         "where the organization blocks this flow, set salesforce_grant to "
                         "client_credentials or jwt");
    check_answer_refused(401, json("{'error':'invalid_client_id'}"), "check api_key");
    check_answer_refused(400, json("{'error':'invalid_client'}"), "check api_key");
    check_answer_refused(400, json("{'error':'unsupported_grant_type'}"), "salesforce_grant");
    check_answer_refused(503, "<html>busy</html>", "was answered with status 503");
    check_answer_refused(302, "", "was answered with status 302");
    check_answer_refused(400, json("{'error':{'a':1}}"), "was answered with status 400");
    check_answer_refused(400, json("{'error':'x\\r\\ny'}"), "was answered with status 400");
}
END_TEST

/** A host that echoes what it was sent does not get it into the log. */
START_TEST(refusals_that_echo)
{
    world->credentials.password = "sesam-open";
    world->credentials.shared_key = "quite secret";
    check_answer_refused(400,
                         json("{'error':'invalid_grant','error_description':"
                              "'the password Sesam-Open is wrong'}"),
                         "invalid_grant; check user");
    check_answer_refused(400,
                         json("{'error':'invalid_grant','error_description':"
                              "'secret quite secret'}"),
                         "invalid_grant; check user");
    check_answer_refused(400,
                         json("{'error':'invalid_grant','error_description':"
                              "'password=sesam%2Dopen'}"),
                         "invalid_grant; check user");
    check_answer_refused(400, json("{'error':'sesam-open'}"), "status 400");
}
END_TEST

static Suite *sflogin_suite(void)
{
    Suite *suite = suite_create("sflogin");
    TCase *tests = tcase_create("sflogin");
    tcase_set_timeout(tests, 60); /* keys are made */
    tcase_add_checked_fixture(tests, world_create, world_destroy);
    tcase_add_test(tests, incomplete_records);
    tcase_add_test(tests, unknown_grant);
    tcase_add_test(tests, addresses_of_the_login_host);
    tcase_add_test(tests, client_credentials_need_my_domain);
    tcase_add_test(tests, audiences);
    tcase_add_test(tests, fingerprints_tell_accounts_apart);
    tcase_add_test(tests, requests_of_the_grants);
    tcase_add_test(tests, jwt_with_a_key_in_any_form);
    tcase_add_test(tests, keys_that_cannot_be_used);
    tcase_add_test(tests, good_answers);
    tcase_add_test(tests, instances_that_are_not_salesforces);
    tcase_add_test(tests, tokens_that_are_none);
    tcase_add_test(tests, organizations_in_answers);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, refusals_that_echo);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(sflogin_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
