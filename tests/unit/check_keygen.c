/* Activation keys and computer keys. */
#include "license/keygen.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static const qlm_secrets_t *secrets;

static const unsigned char secret_bytes[64] =
    "0123456789abcdef0123456789abcdefFEDCBA9876543210FEDCBA987654321";
static const unsigned char some_random[QLM_KEY_RANDOM_BYTES] = {0,    0x11, 0x22, 0x33, 0x44,
                                                                0x55, 0x66, 0x77, 0x88, 0xff};

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    secrets = qlm_secrets_from_bytes(secret_bytes, 1, pool);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static const char *make_key(char prefix)
{
    return qlm_keygen_activation(prefix, some_random, secrets, pool);
}

static qlm_key_shape_t read_key(const char **normal, const char *typed)
{
    return qlm_keygen_read(normal, typed, secrets, pool);
}

/* Keys that were handed out must be recognised for ever: this one was computed independently of the
 * code under test, by the documented layout. */
START_TEST(test_golden)
{
    const char *normal;

    ck_assert_str_eq(make_key('F'), "F1008J4CT4ANK7F27Z2B0XTVQD");
    ck_assert_int_eq(read_key(&normal, "F1008-J4CT4-ANK7F-27Z2B-0XTVQD"), QLM_KEY_OURS);
    ck_assert_str_eq(normal, "F1008J4CT4ANK7F27Z2B0XTVQD");
}
END_TEST

START_TEST(test_shape)
{
    for (const char *prefix = "ABFKLMRSTGE"; *prefix; prefix++) {
        const char *key = make_key(*prefix), *normal;

        ck_assert_uint_eq(strlen(key), QLM_KEY_LENGTH);
        ck_assert_int_eq(key[0], *prefix);
        ck_assert_uint_eq(strspn(key + 1, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 25);
        ck_assert_int_eq(read_key(&normal, key), QLM_KEY_OURS);
        ck_assert_str_eq(normal, key);
    }
}
END_TEST

/* Every random bit matters, and every change of one shows in the check part too. */
START_TEST(test_random_bits)
{
    const char *key = make_key('A');

    for (int bit = 0; bit < 80; bit++) {
        unsigned char other[QLM_KEY_RANDOM_BYTES];
        const char *changed;

        memcpy(other, some_random, sizeof(other));
        other[bit / 8] = (unsigned char)(other[bit / 8] ^ (1 << bit % 8));
        changed = qlm_keygen_activation('A', other, secrets, pool);
        ck_assert_int_ne(strncmp(key, changed, 18), 0);
        ck_assert_str_ne(key + 18, changed + 18);
    }
}
END_TEST

/* A key is bound to its prefix (so a trial cannot be typed into a permanent one) and to the site.
 */
START_TEST(test_bound)
{
    const qlm_secrets_t *others = qlm_secrets_from_bytes(secret_bytes + 32, 1, pool);
    char *key = apr_pstrdup(pool, make_key('B'));
    const char *normal;

    ck_assert_int_eq(qlm_keygen_read(&normal, key, others, pool), QLM_KEY_MISTYPED);
    key[0] = 'A';
    ck_assert_int_eq(read_key(&normal, key), QLM_KEY_MISTYPED);
}
END_TEST

/* After a rotation, keys of the older secret are still ours and new ones carry the new check. */
START_TEST(test_rotation)
{
    const qlm_secrets_t *older = qlm_secrets_from_bytes(secret_bytes + 32, 1, pool);
    const qlm_secrets_t *both = qlm_secrets_from_bytes(secret_bytes, 2, pool);
    const char *old_key = qlm_keygen_activation('A', some_random, older, pool);
    const char *normal;

    ck_assert_int_eq(qlm_keygen_read(&normal, old_key, both, pool), QLM_KEY_OURS);
    ck_assert_int_eq(qlm_keygen_read(&normal, make_key('A'), both, pool), QLM_KEY_OURS);
    ck_assert_str_eq(qlm_keygen_activation('A', some_random, both, pool), make_key('A'));
    ck_assert_str_ne(old_key, make_key('A'));
}
END_TEST

/* Each single wrong character, and each swap of neighbours, is noticed. */
START_TEST(test_typing_mistakes)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const char *key = make_key('A'), *normal;

    for (int i = 2; i < QLM_KEY_LENGTH; i++) {
        for (const char *c = alphabet; *c; c++) {
            char *typed = apr_pstrdup(pool, key);

            typed[i] = *c;
            ck_assert_int_eq(read_key(&normal, typed),
                             *c == key[i] ? QLM_KEY_OURS : QLM_KEY_MISTYPED);
        }
        if (i + 1 < QLM_KEY_LENGTH && key[i] != key[i + 1]) {
            char *typed = apr_pstrdup(pool, key);

            typed[i] = key[i + 1];
            typed[i + 1] = key[i];
            ck_assert_int_eq(read_key(&normal, typed), QLM_KEY_MISTYPED);
            ck_assert_str_eq(normal, typed);
        }
    }
}
END_TEST

START_TEST(test_forgiving)
{
    const char *key = make_key('A'), *shown = qlm_keygen_display(key, pool), *normal;
    char *typed = apr_pstrdup(pool, shown);
    char *spaced = apr_pcalloc(pool, 4 * QLM_KEY_LENGTH + 1);

    for (char *c = typed; *c; c++) {
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    for (int i = 0; i < QLM_KEY_LENGTH; i++) {
        static const char *const between[] = {" ",        "\t",           "\r\n",        "--",
                                              "\xC2\xA0", "\xE2\x80\x93", "\xE2\x88\x92"};

        spaced[strlen(spaced)] = key[i];
        memcpy(spaced + strlen(spaced), between[i % 7], strlen(between[i % 7]));
    }
    ck_assert_int_eq(read_key(&normal, typed), QLM_KEY_OURS);
    ck_assert_str_eq(normal, key);
    ck_assert_int_eq(read_key(&normal, spaced), QLM_KEY_OURS);
    ck_assert_str_eq(normal, key);
    ck_assert_int_eq(read_key(&normal, apr_psprintf(pool, " %s\n", shown)), QLM_KEY_OURS);
    ck_assert_str_eq(normal, key);
}
END_TEST

/* The random part of zeros and ones gives a key full of look-alikes. */
START_TEST(test_lookalikes)
{
    static const unsigned char zeros[QLM_KEY_RANDOM_BYTES] = {0, 0x04, 0x21};
    const char *key = qlm_keygen_activation('L', zeros, secrets, pool), *normal;
    char *typed = apr_pstrdup(pool, key);
    int replaced = 0;

    for (char *c = typed + 1; *c; c++) {
        if (*c == '0' || *c == '1') {
            *c = (char)(*c == '0' ? (replaced % 2 ? 'o' : 'O') : (replaced % 2 ? 'i' : 'l'));
            replaced++;
        }
    }
    ck_assert_int_gt(replaced, 10);
    ck_assert_int_eq(read_key(&normal, typed), QLM_KEY_OURS);
    ck_assert_str_eq(normal, key);
    typed[0] = '1'; /* the prefix is not read that way */
    ck_assert_int_eq(read_key(&normal, typed), QLM_KEY_FOREIGN);
}
END_TEST

/* Imported keys of any shape are left to the database, letters as they are. */
START_TEST(test_foreign)
{
    static const struct {
        const char *typed, *normal;
    } keys[] = {
        {"a", "A"},
        {"DEMO-2019-0001", "DEMO20190001"},
        {"{4f0c9a00-1111-2222-3333-444455556666}", "{4F0C9A00111122223333444455556666}"},
        {"AIRO1-23456-789AB-CDEFG-HIJKNO", "AIRO123456789ABCDEFGHIJKNO"},
        {"AUUUU-23456-789AB-CDEFG-HJKMNP", "AUUUU23456789ABCDEFGHJKMNP"},
        {"A2345-23456-789AB-CDEFG-HJKMNP", "A234523456789ABCDEFGHJKMNP"}, /* other layout */
        {"Z1345-23456-789AB-CDEFG-HJKMNP", "Z134523456789ABCDEFGHJKMNP"}, /* other prefix */
        {"A1345-23456-789AB-CDEFG-HJKMN", "A134523456789ABCDEFGHJKMN"},   /* one short */
        {"A1345-23456-789AB-CDEFG-HJKMNPQ", "A134523456789ABCDEFGHJKMNPQ"},
        {"x'; DROP TABLE license; <b>&", "X';DROPTABLELICENSE;<B>&"},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *normal;

        ck_assert_msg(read_key(&normal, keys[i].typed) == QLM_KEY_FOREIGN, "%s", keys[i].typed);
        ck_assert_str_eq(normal, keys[i].normal);
    }
}
END_TEST

START_TEST(test_unreadable)
{
    static const char *const bad[] = {NULL,
                                      "",
                                      " ",
                                      "---",
                                      "\xE2\x80\x93",
                                      "A\x01"
                                      "BC",
                                      "\xC3\x84"
                                      "BC",
                                      "ABC\x7F",
                                      "AB\xE2\x80",
                                      "\xFF"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *normal = NULL;

        ck_assert_int_eq(read_key(&normal, bad[i]), QLM_KEY_UNREADABLE);
        ck_assert_str_eq(normal, "");
    }
}
END_TEST

START_TEST(test_longest)
{
    char text[2 * QLM_KEY_MAX_LENGTH + 2];
    const char *normal;

    memset(text, 'X', sizeof(text));
    text[QLM_KEY_MAX_LENGTH] = '\0';
    ck_assert_int_eq(read_key(&normal, text), QLM_KEY_FOREIGN);
    ck_assert_uint_eq(strlen(normal), QLM_KEY_MAX_LENGTH);
    text[QLM_KEY_MAX_LENGTH] = 'X';
    text[QLM_KEY_MAX_LENGTH + 1] = '\0';
    ck_assert_int_eq(read_key(&normal, text), QLM_KEY_UNREADABLE);
    for (int i = 0; i < QLM_KEY_MAX_LENGTH; i++) { /* dashes do not count */
        memcpy(text + 2 * i, "X-", 2);
    }
    text[2 * QLM_KEY_MAX_LENGTH] = '\0';
    ck_assert_int_eq(read_key(&normal, text), QLM_KEY_FOREIGN);
}
END_TEST

/* No key of ours can hold the letters that some shops take for a failure. */
START_TEST(test_never_error)
{
    unsigned char random[QLM_KEY_RANDOM_BYTES] = {0};

    for (int i = 0; i < 2000; i++) {
        const char *key;

        memcpy(random, &i, sizeof(i));
        key = qlm_keygen_activation('E', random, secrets, pool);
        ck_assert_ptr_null(strpbrk(key + 1, "OILU"));
    }
}
END_TEST

START_TEST(test_display)
{
    static const struct {
        const char *normal, *shown;
    } keys[] = {
        {"", ""},
        {"A", "A"},
        {"ABCDEFGHI", "ABCDEFGHI"},
        {"ABCDEFGHIJ", "ABCDE-FGHIJ"},
        {"ABCDEFGHIJKLMN", "ABCDE-FGHIJKLMN"},
        {"ABCDEFGHIJKLMNO", "ABCDE-FGHIJ-KLMNO"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDE-FGHIJ-KLMNO-PQRST-UVWXYZ"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZ012", "ABCDE-FGHIJ-KLMNO-PQRST-UVWXYZ012"},
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ck_assert_str_eq(qlm_keygen_display(keys[i].normal, pool), keys[i].shown);
    }
}
END_TEST

/* A log line must not let anybody use the key. */
START_TEST(test_for_log)
{
    const char *key = make_key('A');

    ck_assert_str_eq(qlm_keygen_for_log(key, pool), apr_psprintf(pool, "%.5s...", key));
    ck_assert_str_eq(qlm_keygen_for_log("ABCDEFG", pool), "ABC...");
    ck_assert_str_eq(qlm_keygen_for_log("A", pool), "...");
    ck_assert_str_eq(qlm_keygen_for_log("", pool), "...");
    ck_assert_str_eq(qlm_keygen_for_log(NULL, pool), "...");
    ck_assert_ptr_null(strpbrk(qlm_keygen_for_log("A\n\r\x1b[31mBCDEFGHIJK", pool), "\n\r\x1b"));
}
END_TEST

static qlm_computer_claim_t some_claim(void)
{
    qlm_computer_claim_t claim = {.prefix = 'U',
                                  .activation_key = "A1345",
                                  .computer_id = "PC-1",
                                  .expires_at = 1700000000,
                                  .features = "0:3;",
                                  .floating_seats = 1,
                                  .num_licenses = 2};

    return claim;
}

static const char *claim_key(const qlm_computer_claim_t *claim)
{
    return qlm_keygen_computer(claim, secrets, pool);
}

START_TEST(test_computer_same)
{
    qlm_computer_claim_t claim = some_claim(), again = some_claim();

    again.computer_id = "pc-1"; /* compared without case */
    ck_assert_uint_eq(strlen(claim_key(&claim)), QLM_KEY_LENGTH);
    ck_assert_int_eq(claim_key(&claim)[0], 'U');
    ck_assert_uint_eq(strspn(claim_key(&claim) + 1, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 25);
    ck_assert_str_eq(claim_key(&claim), claim_key(&again));
    ck_assert_str_eq(claim_key(&claim), "UYA1P84DWTFFQ2GEHXZPH4T5RD");
}
END_TEST

/* Whatever a claim says changes its key; nothing can be moved from one field to the next. */
START_TEST(test_computer_differs)
{
    qlm_computer_claim_t claims[10];
    const char *keys[10];

    for (int i = 0; i < 10; i++) {
        claims[i] = some_claim();
    }
    claims[1].prefix = 'V';
    claims[2].activation_key = "A1346";
    claims[3].computer_id = "PC-2";
    claims[4].expires_at = 0;
    claims[5].features = "";
    claims[6].floating_seats = 2;
    claims[7].num_licenses = 1;
    claims[8].num_licenses = 1;
    claims[8].floating_seats = 2;
    claims[9].computer_id = "2\nPC-1";
    for (int i = 0; i < 10; i++) {
        keys[i] = claim_key(&claims[i]);
        for (int j = 0; j < i; j++) {
            ck_assert_msg(strcmp(keys[i] + 1, keys[j] + 1) != 0, "claims %d and %d", j, i);
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("keygen");
    TCase *cases = tcase_create("keygen");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_golden);
    tcase_add_test(cases, test_shape);
    tcase_add_test(cases, test_random_bits);
    tcase_add_test(cases, test_bound);
    tcase_add_test(cases, test_rotation);
    tcase_add_test(cases, test_typing_mistakes);
    tcase_add_test(cases, test_forgiving);
    tcase_add_test(cases, test_lookalikes);
    tcase_add_test(cases, test_foreign);
    tcase_add_test(cases, test_unreadable);
    tcase_add_test(cases, test_longest);
    tcase_add_test(cases, test_never_error);
    tcase_add_test(cases, test_display);
    tcase_add_test(cases, test_for_log);
    tcase_add_test(cases, test_computer_same);
    tcase_add_test(cases, test_computer_differs);
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
