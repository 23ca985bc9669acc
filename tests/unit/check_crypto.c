/* Secrets, MACs, verifiers, sealing. The expected values were computed by other implementations
 * (Python's hmac and AES-GCM by RFC 5869 and the layouts of crypto.h): they lie in databases and
 * must never change. */
#include "base/crypto.h"

#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <check.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define IDENTITY     "product/1/1/0/private"

static apr_pool_t *pool;
static const qlm_secrets_t *secrets; /* of the bytes 0 to 31 */
static const qlm_secrets_t *others;  /* of 32 to 63 */
static const qlm_secrets_t *rotated; /* both, the others newest */

static void set_up(void)
{
    unsigned char bytes[3 * QLM_SECRET_BYTES];

    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    for (size_t i = 0; i < 2 * QLM_SECRET_BYTES; i++) {
        bytes[i] = (unsigned char)i;
    }
    memcpy(bytes + 2 * QLM_SECRET_BYTES, bytes, QLM_SECRET_BYTES);
    secrets = qlm_secrets_from_bytes(bytes, 1, pool);
    others = qlm_secrets_from_bytes(bytes + QLM_SECRET_BYTES, 1, pool);
    rotated = qlm_secrets_from_bytes(bytes + QLM_SECRET_BYTES, 2, pool);
    ck_assert_ptr_nonnull(secrets);
    ck_assert_ptr_nonnull(others);
    ck_assert_ptr_nonnull(rotated);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* ---- MACs ---- */

static const char *mac_of(const qlm_secrets_t *of, int index, qlm_purpose_t purpose,
                          const char *data, apr_size_t length)
{
    unsigned char mac[QLM_MAC_BYTES];
    char *hex = apr_palloc(pool, 2 * sizeof(mac) + 1);

    qlm_secrets_mac(mac, of, index, purpose, exact_bytes(data, length, pool), length);
    for (size_t i = 0; i < sizeof(mac); i++) {
        apr_snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    }
    return hex;
}

START_TEST(derived_macs_are_those_of_rfc_5869)
{
    ck_assert_str_eq(mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, "some data", 9),
                     "f924db09a93665043fec9794a1614b6aec4db15b45067dad32473d081f1ef560");
    ck_assert_str_eq(mac_of(secrets, 0, QLM_PURPOSE_COMPUTER_KEY, "some data", 9),
                     "35971cd4d89175ad97ecd014fb425b96fc2ccd8c016296755748ab433c1cfe41");
    ck_assert_str_eq(mac_of(secrets, 0, QLM_PURPOSE_CREDENTIAL, "some data", 9),
                     "910c613a13eaf21ee0993217224e585b66458ffcc66c26bae913f5e9bae455dc");
}
END_TEST

START_TEST(purposes_and_secrets_are_separate)
{
    const char *seen[3 * QLM_PURPOSE_SEAL];
    size_t count = 0;

    for (int purpose = 0; purpose < QLM_PURPOSE_SEAL; purpose++) {
        seen[count++] = mac_of(secrets, 0, (qlm_purpose_t)purpose, "x", 1);
        seen[count++] = mac_of(others, 0, (qlm_purpose_t)purpose, "x", 1);
        seen[count++] = mac_of(secrets, 0, (qlm_purpose_t)purpose, "", 0);
        ck_assert_str_eq(mac_of(rotated, 0, (qlm_purpose_t)purpose, "x", 1), seen[count - 2]);
        ck_assert_str_eq(mac_of(rotated, 1, (qlm_purpose_t)purpose, "x", 1), seen[count - 3]);
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(seen[i], seen[j]);
        }
    }
    ck_assert_int_eq(qlm_secrets_count(secrets), 1);
    ck_assert_int_eq(qlm_secrets_count(rotated), 2);
    ck_assert_ptr_null(qlm_secrets_from_bytes((const unsigned char *)"", 0, pool));
}
END_TEST

START_TEST(macs_are_over_the_bytes)
{
    char *much = memset(malloc(100000), 'x', 100000);

    ck_assert_str_ne(mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, "a\0b", 3),
                     mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, "a\0c", 3));
    ck_assert_str_ne(mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, "a", 1),
                     mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, "a", 2));
    ck_assert_str_ne(mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, much, 100000),
                     mac_of(secrets, 0, QLM_PURPOSE_KEY_CHECK, much, 99999));
    free(much);
}
END_TEST

/* Threads share one qlm_secrets_t. */
static void *APR_THREAD_FUNC make_macs(apr_thread_t *thread, void *baton)
{
    unsigned char mac[QLM_MAC_BYTES];
    int *wrong = baton;

    (void)thread;
    for (int i = 0; i < 2000; i++) {
        qlm_secrets_mac(mac, secrets, 0, QLM_PURPOSE_KEY_CHECK, "some data", 9);
        *wrong += mac[0] != 0xf9 || mac[31] != 0x60;
        *wrong += !qlm_secrets_verify(secrets, "vendor/demo", "p\xc3\xa4ssword",
                                      "v1$v+H0YCjIuN7HyEdsMQ/4urGba0diHaLky2Nw7dE45wE=");
    }
    return NULL;
}

START_TEST(threads_may_share_secrets)
{
    apr_thread_t *threads[4];
    int wrong[4] = {0};
    apr_status_t status;

    for (size_t i = 0; i < COUNT(threads); i++) {
        ck_assert_int_eq(apr_thread_create(&threads[i], NULL, make_macs, &wrong[i], pool),
                         APR_SUCCESS);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        ck_assert_int_eq(apr_thread_join(&status, threads[i]), APR_SUCCESS);
        ck_assert_int_eq(wrong[i], 0);
    }
}
END_TEST

/* ---- verifiers of passwords ---- */

START_TEST(verifiers_never_change)
{
    const char *verifier = qlm_secrets_verifier(secrets, "vendor/demo", "p\xc3\xa4ssword", pool);

    ck_assert_str_eq(verifier, "v1$v+H0YCjIuN7HyEdsMQ/4urGba0diHaLky2Nw7dE45wE=");
    ck_assert(qlm_secrets_verify(secrets, "vendor/demo", "p\xc3\xa4ssword", verifier));
}
END_TEST

START_TEST(other_passwords_owners_and_secrets_do_not_match)
{
    const char *verifier = qlm_secrets_verifier(secrets, "vendor/a", "secret", pool);

    ck_assert_int_eq(qlm_secrets_verify(secrets, "vendor/a", "secret", verifier), 1);
    ck_assert(!qlm_secrets_verify(secrets, "vendor/a", "Secret", verifier));
    ck_assert(!qlm_secrets_verify(secrets, "vendor/a", "secret ", verifier));
    ck_assert(!qlm_secrets_verify(secrets, "vendor/a", "secre", verifier));
    ck_assert(!qlm_secrets_verify(secrets, "vendor/a", verifier, verifier));
    ck_assert(!qlm_secrets_verify(secrets, "vendor/b", "secret", verifier));
    ck_assert(!qlm_secrets_verify(secrets, "", "secret", verifier));
    ck_assert(!qlm_secrets_verify(others, "vendor/a", "secret", verifier));
    /* what belongs to the owner does not move into the password */
    ck_assert(!qlm_secrets_verify(secrets, "vendor/", "asecret", verifier));
    ck_assert(!qlm_secrets_verify(secrets, "vendor/as", "ecret", verifier));
}
END_TEST

START_TEST(verifiers_fail_closed)
{
    const char *good = qlm_secrets_verifier(secrets, "o", "p", pool);
    const char *of_nothing = qlm_secrets_verifier(secrets, "o", "", pool);
    const char *bad[] = {
        NULL,
        "",
        "v1$",
        "v1$=",
        "v1$====",
        "v1",
        "$",
        "p",
        "v2$",
        "s1$",
        "null",
        apr_pstrcat(pool, good, "=", NULL),
        apr_pstrcat(pool, good, " ", NULL),
        apr_pstrcat(pool, " ", good, NULL),
        apr_pstrcat(pool, good, good, NULL),
        good + 3,
        good + 1,
        apr_pstrmemdup(pool, good, strlen(good) - 1),
        apr_pstrcat(pool, "v2$", good + 3, NULL),
        apr_pstrcat(pool, "V1$", good + 3, NULL),
        of_nothing,
        "v1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };

    ck_assert(qlm_secrets_verify(secrets, "o", "p", good));
    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!qlm_secrets_verify(secrets, "o", "p", bad[i]), "%s", bad[i]);
        ck_assert_msg(!qlm_secrets_verify(secrets, "o", "", bad[i]), "%s", bad[i]);
        ck_assert_msg(!qlm_secrets_verify(secrets, "o", NULL, bad[i]), "%s", bad[i]);
    }
    ck_assert(!qlm_secrets_verify(secrets, "o", NULL, good));
    ck_assert(!qlm_secrets_verify(secrets, "o", "", good));
}
END_TEST

START_TEST(every_character_of_a_verifier_counts)
{
    const char *good = qlm_secrets_verifier(secrets, "o", "p", pool);

    for (size_t i = 0; i < strlen(good); i++) {
        for (int bit = 0; bit < 8; bit++) {
            char *bad = apr_pstrdup(pool, good);

            bad[i] = (char)(bad[i] ^ (1 << bit));
            ck_assert_msg(!qlm_secrets_verify(secrets, "o", "p", bad), "%s", bad);
        }
    }
}
END_TEST

START_TEST(long_and_odd_passwords)
{
    char *longest = memset(apr_pcalloc(pool, 100001), 'p', 100000);
    const char *verifier = qlm_secrets_verifier(secrets, "o", longest, pool);

    ck_assert_uint_eq(strlen(verifier), 47);
    ck_assert(qlm_secrets_verify(secrets, "o", longest, verifier));
    ck_assert(!qlm_secrets_verify(secrets, "o", longest + 1, verifier));
    verifier = qlm_secrets_verifier(secrets, "o", "\xff%s\x01", pool);
    ck_assert(qlm_secrets_verify(secrets, "o", "\xff%s\x01", verifier));
}
END_TEST

START_TEST(older_secrets_still_verify)
{
    const char *old = qlm_secrets_verifier(secrets, "o", "p", pool);
    const char *new = qlm_secrets_verifier(rotated, "o", "p", pool);

    ck_assert(qlm_secrets_verify(rotated, "o", "p", old));
    ck_assert(qlm_secrets_verify(rotated, "o", "p", new));
    ck_assert(!qlm_secrets_verify(rotated, "o", "q", old));
    ck_assert(!qlm_secrets_verify(secrets, "o", "p", new)); /* made with the newest */
    ck_assert(qlm_secrets_verify(others, "o", "p", new));
}
END_TEST

/* ---- sealing ---- */

static const char *sealed_of(const qlm_secrets_t *with, const char *identity, const char *text)
{
    const char *sealed = NULL;
    qlm_error_t *error = qlm_secrets_seal(&sealed, with, identity, text, pool);

    ck_assert_msg(!error, "%s", error ? error->text : "");
    return sealed;
}

static void opens(const qlm_secrets_t *with, const char *identity, const char *sealed,
                  const char *expected)
{
    const char *text = NULL;
    qlm_error_t *error = qlm_secrets_open(&text, with, identity, exact(sealed, pool), pool);

    ck_assert_msg(!error, "%s", error ? error->text : "");
    ck_assert_str_eq(text, expected);
}

/* Refused, and nothing is said but whose it was. */
static void stays_shut(const qlm_secrets_t *with, const char *identity, const char *sealed)
{
    static const char untouched[] = "untouched";
    const char *text = untouched;
    qlm_error_t *error = qlm_secrets_open(&text, with, identity, exact(sealed, pool), pool);

    ck_assert_msg(error != NULL, "%s was opened as %s", sealed, text);
    ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
    ck_assert_ptr_eq(text, untouched);
    ck_assert_ptr_nonnull(strstr(error->text, identity));
    ck_assert_ptr_null(strstr(error->text, "s1$"));
}

START_TEST(sealed_texts_never_change)
{
    opens(secrets, IDENTITY,
          "s1$ZGVmZ2hpamtsbW5vRquQ3zioFx4b/D/o52FD5laMB5ZRL3I=", "key \xe2\x82\xac");
}
END_TEST

START_TEST(what_is_sealed_is_opened)
{
    char *longest = memset(apr_pcalloc(pool, 100001), 'x', 100000);
    const char *texts[] = {"", "x", "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n",
                           "\xc3\xbc \xff \x01", longest};

    for (size_t i = 0; i < COUNT(texts); i++) {
        opens(secrets, IDENTITY, sealed_of(secrets, IDENTITY, texts[i]), texts[i]);
        opens(secrets, "", sealed_of(secrets, "", texts[i]), texts[i]);
    }
    opens(secrets, IDENTITY, "", "");
}
END_TEST

START_TEST(sealing_twice_gives_two_texts)
{
    const char *first = sealed_of(secrets, IDENTITY, "the same");
    const char *second = sealed_of(secrets, IDENTITY, "the same");

    ck_assert_str_ne(first, second);
    ck_assert_int_ne(strncmp(first, second, 3 + 16), 0); /* the nonces differ */
    ck_assert_int_eq(strncmp(first, "s1$", 3), 0);
}
END_TEST

START_TEST(sealed_for_one_record_opens_in_no_other)
{
    const char *sealed = sealed_of(secrets, IDENTITY, "x");

    stays_shut(secrets, "product/1/1/1/private", sealed);
    stays_shut(secrets, "product/1/1/0/privat", sealed);
    stays_shut(secrets, "", sealed);
    stays_shut(secrets, "%s%n", sealed);
    stays_shut(others, IDENTITY, sealed);
    stays_shut(rotated, "vendor/demo", sealed);
}
END_TEST

START_TEST(older_secrets_still_open)
{
    opens(rotated, IDENTITY, sealed_of(secrets, IDENTITY, "old"), "old");
    opens(rotated, IDENTITY, sealed_of(rotated, IDENTITY, "new"), "new");
    opens(others, IDENTITY, sealed_of(rotated, IDENTITY, "new"), "new");
    stays_shut(secrets, IDENTITY, sealed_of(rotated, IDENTITY, "new"));
}
END_TEST

START_TEST(every_bit_of_a_sealed_text_counts)
{
    const char *sealed = sealed_of(secrets, IDENTITY, "a text");
    unsigned char *bytes;
    apr_size_t length;

    ck_assert(qlm_base64_decode(&bytes, &length, sealed + 3, pool));
    ck_assert_uint_eq(length, 12 + 6 + 16);
    for (apr_size_t i = 0; i < length * 8; i++) {
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
        stays_shut(secrets, IDENTITY,
                   apr_pstrcat(pool, "s1$", qlm_base64_encode(bytes, length, pool), NULL));
        bytes[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    for (apr_size_t i = 1; i < length; i++) {
        stays_shut(secrets, IDENTITY,
                   apr_pstrcat(pool, "s1$", qlm_base64_encode(bytes, i, pool), NULL));
    }
    opens(secrets, IDENTITY, apr_pstrcat(pool, "s1$", qlm_base64_encode(bytes, length, pool), NULL),
          "a text");
}
END_TEST

START_TEST(what_is_not_sealed_is_not_opened)
{
    const char *sealed = sealed_of(secrets, IDENTITY, "x");
    const char *bad[] = {
        "s1$",
        "s1",
        "s",
        "$",
        "plain text",
        "s1$====",
        "s1$AAAA",
        "s2$AAAA",
        "s1$\xff",
        apr_pstrcat(pool, sealed, "=", NULL),
        apr_pstrcat(pool, sealed, "AAAA", NULL),
        apr_pstrcat(pool, " ", sealed, NULL),
        apr_pstrcat(pool, sealed, "\n", NULL),
        sealed + 3,
        apr_pstrcat(pool, "S1$", sealed + 3, NULL),
        apr_pstrcat(pool, "v1$", sealed + 3, NULL),
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        stays_shut(secrets, IDENTITY, bad[i]);
    }
}
END_TEST

/* ---- small things ---- */

START_TEST(random_bytes_differ)
{
    unsigned char first[64] = {0}, second[64] = {0};

    ck_assert_ptr_null(qlm_random(first, sizeof(first), pool));
    ck_assert_ptr_null(qlm_random(second, sizeof(second), pool));
    ck_assert_mem_ne(first, second, sizeof(first));
    for (size_t i = 0; i < sizeof(first); i += 16) { /* all of them were filled */
        ck_assert_mem_ne(first + i, second + i, 16);
    }
}
END_TEST

START_TEST(comparing_in_constant_time)
{
    static const char *const texts[] = {"",    "a",   "b",   "A",    "aa",   "ab",
                                        "abc", "abd", "bbc", "\xff", "a\x01"};

    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t j = 0; j < COUNT(texts); j++) {
            ck_assert_int_eq(qlm_equal_constant_time(exact(texts[i], pool), exact(texts[j], pool)),
                             i == j);
        }
        ck_assert(!qlm_equal_constant_time(NULL, texts[i]));
        ck_assert(!qlm_equal_constant_time(texts[i], NULL));
    }
    ck_assert(!qlm_equal_constant_time(NULL, NULL));
}
END_TEST

START_TEST(base64_by_rfc_4648)
{
    static const char *const pairs[][2] = {
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };
    unsigned char *bytes;
    apr_size_t length;

    for (size_t i = 0; i < COUNT(pairs); i++) {
        apr_size_t size = strlen(pairs[i][0]);

        ck_assert_str_eq(qlm_base64_encode(exact_bytes(pairs[i][0], size, pool), size, pool),
                         pairs[i][1]);
        ck_assert(qlm_base64_decode(&bytes, &length, exact(pairs[i][1], pool), pool));
        ck_assert_uint_eq(length, size);
        ck_assert_mem_eq(bytes, pairs[i][0], size);
    }
    ck_assert_str_eq(qlm_base64_encode("", 0, pool), "");
}
END_TEST

START_TEST(base64_is_strict)
{
    static const char *const bad[] = {
        "",
        "=",
        "==",
        "====",
        "A",
        "AA",
        "AAA",
        "AAAAA",
        "A===",
        "=AAA",
        "A=AA",
        "AA=A",
        "AAA=AAAA",
        "AA==AAAA",
        "Zg==\n",
        " Zg==",
        "Zg= =",
        "Zg==Zg==",
        "Z g=",
        "Zm9v\n",
        "Zm9v    ",
        "    Zm9v",
        "Zm-_",
        "Zm9\xc3",
        "\xff\xff\xff\xff",
        "Zm9v\001AAA",
        "Zh==",
        "Zm9=",
        "ZgA==" /* bits left over, or a character too many */
    };
    unsigned char *bytes = NULL;
    apr_size_t length = 99;

    for (size_t i = 0; i < COUNT(bad); i++) {
        ck_assert_msg(!qlm_base64_decode(&bytes, &length, exact(bad[i], pool), pool), "\"%s\"",
                      bad[i]);
    }
    ck_assert_ptr_null(bytes);
    ck_assert_uint_eq(length, 99);
}
END_TEST

START_TEST(base64_and_back)
{
    unsigned char data[300], *bytes;
    apr_size_t length;

    ck_assert_ptr_null(qlm_random(data, sizeof(data), pool));
    for (apr_size_t size = 1; size <= sizeof(data); size++) {
        const char *text = qlm_base64_encode(data, size, pool);

        ck_assert(qlm_base64_decode(&bytes, &length, text, pool));
        ck_assert_uint_eq(length, size);
        ck_assert_mem_eq(bytes, data, size);
    }
}
END_TEST

static TCase *tests_of_macs(void)
{
    TCase *tests = tcase_create("MACs and verifiers");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, derived_macs_are_those_of_rfc_5869);
    tcase_add_test(tests, purposes_and_secrets_are_separate);
    tcase_add_test(tests, macs_are_over_the_bytes);
    tcase_add_test(tests, threads_may_share_secrets);
    tcase_add_test(tests, verifiers_never_change);
    tcase_add_test(tests, other_passwords_owners_and_secrets_do_not_match);
    tcase_add_test(tests, verifiers_fail_closed);
    tcase_add_test(tests, every_character_of_a_verifier_counts);
    tcase_add_test(tests, long_and_odd_passwords);
    tcase_add_test(tests, older_secrets_still_verify);
    return tests;
}

static TCase *tests_of_sealing(void)
{
    TCase *tests = tcase_create("sealing and small things");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, sealed_texts_never_change);
    tcase_add_test(tests, what_is_sealed_is_opened);
    tcase_add_test(tests, sealing_twice_gives_two_texts);
    tcase_add_test(tests, sealed_for_one_record_opens_in_no_other);
    tcase_add_test(tests, older_secrets_still_open);
    tcase_add_test(tests, every_bit_of_a_sealed_text_counts);
    tcase_add_test(tests, what_is_not_sealed_is_not_opened);
    tcase_add_test(tests, random_bytes_differ);
    tcase_add_test(tests, comparing_in_constant_time);
    tcase_add_test(tests, base64_by_rfc_4648);
    tcase_add_test(tests, base64_is_strict);
    tcase_add_test(tests, base64_and_back);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("crypto");
    SRunner *runner = srunner_create(suite);
    int failed;

    suite_add_tcase(suite, tests_of_macs());
    suite_add_tcase(suite, tests_of_sealing());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
