/* The secret file: how it is made, who may read it, what is in it, and rotation. */
#include "base/crypto.h"

#include "unit/exact.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define OLD          "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NEW          "ffEEddCCbbAA99887766554433221100ffEEddCCbbAA99887766554433221100"

static apr_pool_t *pool;
static char folder[200];
static const char *path;

static void set_up(void)
{
    const char *base = getenv("TMPDIR");

    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    apr_snprintf(folder, sizeof(folder), "%s/qlm-secret-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = apr_pstrcat(pool, folder, "/secret", NULL);
}

static void tear_down(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
    apr_pool_destroy(pool);
    apr_terminate();
}

static void write_bytes(const char *bytes, apr_size_t length)
{
    int file;

    unlink(path);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, length), (ssize_t)length);
    close(file);
}

static const qlm_secrets_t *loaded(const char *text)
{
    const qlm_secrets_t *secrets = NULL;
    qlm_error_t *error;

    write_bytes(text, strlen(text));
    error = qlm_secrets_load(&secrets, path, pool);
    ck_assert_msg(!error, "%s", error ? error->text : "");
    return secrets;
}

/* The file is refused with this word, and none of its digits is told. */
static void refused(const char *word)
{
    const qlm_secrets_t *secrets = NULL;
    qlm_error_t *error = qlm_secrets_load(&secrets, path, pool);

    ck_assert_msg(error != NULL, "accepted instead of \"%s\"", word);
    ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(error->text, path));
    ck_assert_msg(strstr(error->text, word) != NULL, "\"%s\" is not in: %s", word, error->text);
    ck_assert_ptr_null(strstr(error->text, "0001020304"));
}

static void refused_text(const char *text, const char *word)
{
    write_bytes(text, strlen(text));
    refused(word);
}

static apr_uint32_t mode_of_file(void)
{
    struct stat info;

    ck_assert_int_eq(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void same_secrets(const qlm_secrets_t *a, int a_index, const qlm_secrets_t *b, int b_index)
{
    unsigned char first[QLM_MAC_BYTES], second[QLM_MAC_BYTES];

    qlm_secrets_mac(first, a, a_index, QLM_PURPOSE_KEY_CHECK, "x", 1);
    qlm_secrets_mac(second, b, b_index, QLM_PURPOSE_KEY_CHECK, "x", 1);
    ck_assert_mem_eq(first, second, sizeof(first));
}

/* ---- making ---- */

static const char *content(void)
{
    char *text = apr_pcalloc(pool, 10000);
    int file = open(path, O_RDONLY);

    ck_assert_int_ge(file, 0);
    ck_assert_int_gt(read(file, text, 9999), 0);
    close(file);
    return text;
}

START_TEST(a_new_file_is_private_and_can_be_read)
{
    const qlm_secrets_t *secrets = NULL;
    mode_t mask = umask(0);
    const char *first, *hex;

    ck_assert_ptr_null(qlm_secrets_create(path, pool));
    umask(mask);
    ck_assert_uint_eq(mode_of_file(), 0600);
    ck_assert_ptr_null(qlm_secrets_load(&secrets, path, pool));
    ck_assert_int_eq(qlm_secrets_count(secrets), 1);
    first = content();
    ck_assert_int_eq(first[0], '#');
    hex = strchr(first, '\n') + 1;
    ck_assert_uint_eq(strspn(hex, "0123456789abcdef"), 64);
    ck_assert_str_eq(hex + 64, "\n");
    unlink(path);
    ck_assert_ptr_null(qlm_secrets_create(path, pool));
    ck_assert_str_ne(content(), first);
}
END_TEST

START_TEST(nothing_is_overwritten)
{
    const char *elsewhere = apr_pstrcat(pool, folder, "/elsewhere", NULL);
    qlm_error_t *error;

    write_bytes("mine", 4);
    error = qlm_secrets_create(path, pool);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->kind, QLM_ERROR_INTERNAL);
    ck_assert(APR_STATUS_IS_EEXIST(error->status));
    ck_assert_ptr_nonnull(strstr(error->text, path));
    ck_assert_str_eq(content(), "mine");
    /* nor is a link followed to where there is nothing yet */
    unlink(path);
    ck_assert_int_eq(symlink(elsewhere, path), 0);
    ck_assert_ptr_nonnull(qlm_secrets_create(path, pool));
    ck_assert_int_ne(access(elsewhere, F_OK), 0);
}
END_TEST

START_TEST(folders_are_not_made)
{
    const char *deep = apr_pstrcat(pool, folder, "/none/secret", NULL);
    qlm_error_t *error = qlm_secrets_create(deep, pool);

    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(strstr(error->text, deep));
}
END_TEST

START_TEST(half_a_file_is_taken_away)
{
    struct rlimit before, none;
    qlm_error_t *error;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 10; /* as if the disk were full */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
    error = qlm_secrets_create(path, pool);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_ptr_null(qlm_secrets_create(path, pool));
}
END_TEST

/* ---- who may read it ---- */

/* All modes that let the owner read; group root may read what others may not. */
START_TEST(modes)
{
    struct stat info;

    write_bytes(OLD "\n", 65);
    ck_assert_int_eq(stat(path, &info), 0);
    for (mode_t mode = 0; mode < 0400; mode++) {
        const qlm_secrets_t *secrets = NULL;
        int is_good = (mode & 037) == 0 && (!(mode & 040) || info.st_gid == 0);
        qlm_error_t *error;

        ck_assert_int_eq(chmod(path, 0400 | mode), 0);
        error = qlm_secrets_load(&secrets, path, pool);
        ck_assert_msg((error == NULL) == is_good, "mode %o: %s", 0400 | (unsigned)mode,
                      error ? error->text : "accepted");
        if (error) {
            ck_assert_ptr_nonnull(strstr(error->text, "chmod 600"));
        }
    }
}
END_TEST

START_TEST(only_group_root_may_read)
{
    const qlm_secrets_t *secrets = NULL;
    struct stat info;

    write_bytes(OLD "\n", 65);
    ck_assert_int_eq(chmod(path, 0640), 0);
    if (chown(path, (uid_t)-1, 12345) != 0) {
        ck_assert_int_eq(errno, EPERM); /* only root may give it away; ours is another group then */
    }
    ck_assert_int_eq(stat(path, &info), 0);
    if (info.st_gid != 0) {
        refused("chmod 600");
    }
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_ptr_null(qlm_secrets_load(&secrets, path, pool));
}
END_TEST

START_TEST(missing_or_no_file)
{
    refused("qlmctl init");
    ck_assert_int_eq(mkdir(path, 0700), 0);
    refused("regular file");
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

/* ---- what is in it ---- */

START_TEST(lines_are_read_forgivingly)
{
    static const char *const texts[] = {
        OLD,
        OLD "\n",
        OLD "\r\n",
        "  " OLD "\t \n",
        "\n\n" OLD "\n\n",
        "# a comment\n" OLD "\n# another: " NEW "\n",
        "   # indented\n" OLD,
        "#\n" OLD,
    };
    unsigned char bytes[QLM_SECRET_BYTES];
    const qlm_secrets_t *expected;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)i;
    }
    expected = qlm_secrets_from_bytes(bytes, 1, pool);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const qlm_secrets_t *secrets = loaded(texts[i]);

        ck_assert_int_eq(qlm_secrets_count(secrets), 1);
        same_secrets(secrets, 0, expected, 0);
    }
}
END_TEST

START_TEST(case_of_digits_does_not_matter)
{
    const qlm_secrets_t *mixed = loaded(NEW);
    char lower[] = NEW;

    for (char *p = lower; *p; p++) {
        *p = (char)tolower(*p);
    }
    same_secrets(mixed, 0, loaded(lower), 0);
}
END_TEST

START_TEST(damaged_files_are_refused)
{
    static const char *const texts[] = {
        "0",
        OLD "0",
        OLD OLD,
        OLD " " NEW,
        "0x" OLD,
        OLD "\nx",
        "x\n" OLD,
        OLD " # comment",
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "0001 2030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1",
        "+00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "\xef\xbb\xbf" OLD,
        OLD "\r" NEW,
        "-----BEGIN PRIVATE KEY-----\n",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        refused_text(texts[i], "64 hex digits");
    }
    refused_text("", "holds no secret");
    refused_text("\n\n  \n", "holds no secret");
    refused_text("# " OLD, "holds no secret");
    write_bytes(OLD "\n\0" NEW "\n", 131);
    refused("NUL");
    write_bytes("\0", 1);
    refused("NUL");
}
END_TEST

START_TEST(too_much_is_refused_and_not_cut)
{
    char *text = apr_pcalloc(pool, 100000);

    memset(text, '#', 8000);
    ck_assert_int_eq(qlm_secrets_count(loaded(apr_pstrcat(pool, OLD "\n", text, NULL))), 1);
    for (apr_size_t length = 8191 - 65; length < 8191 - 65 + 3; length++) {
        memset(text, '#', length);
        if (length == 8191 - 65) {
            ck_assert_int_eq(qlm_secrets_count(loaded(apr_pstrcat(pool, OLD "\n", text, NULL))), 1);
        }
        else {
            refused_text(apr_pstrcat(pool, OLD "\n", text, NULL), "too large");
        }
    }
    memset(text, '#', 99999);
    refused_text(apr_pstrcat(pool, text, "\n" OLD "\n", NULL), "too large");
}
END_TEST

START_TEST(sixteen_secrets_are_the_most)
{
    char text[17 * 65 + 1];

    for (size_t i = 0; i < 17; i++) {
        memcpy(text + i * 65, i % 2 ? OLD "\n" : NEW "\n", 65);
    }
    text[16 * 65] = '\0';
    ck_assert_int_eq(qlm_secrets_count(loaded(text)), 16);
    text[16 * 65] = NEW[0];
    text[17 * 65] = '\0';
    refused_text(text, "at most 16");
}
END_TEST

/* ---- rotation ---- */

START_TEST(a_newer_secret_is_put_before_the_older)
{
    const qlm_secrets_t *before = loaded(OLD "\n");
    const qlm_secrets_t *after = loaded("# new\n" NEW "\n# old\n" OLD "\n");
    const qlm_secrets_t *alone = loaded(NEW "\n");
    const char *verifier = qlm_secrets_verifier(before, "o", "p", pool);
    const char *sealed, *text;

    ck_assert_int_eq(qlm_secrets_count(after), 2);
    same_secrets(after, 0, alone, 0);
    same_secrets(after, 1, before, 0);
    ck_assert(qlm_secrets_verify(after, "o", "p", verifier));
    ck_assert(!qlm_secrets_verify(alone, "o", "p", verifier));
    ck_assert_ptr_null(qlm_secrets_seal(&sealed, before, "id", "text", pool));
    ck_assert_ptr_null(qlm_secrets_open(&text, after, "id", sealed, pool));
    ck_assert_str_eq(text, "text");
    ck_assert_ptr_nonnull(qlm_secrets_open(&text, alone, "id", sealed, pool));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("secretfile");
    TCase *tests = tcase_create("secretfile");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_new_file_is_private_and_can_be_read);
    tcase_add_test(tests, nothing_is_overwritten);
    tcase_add_test(tests, folders_are_not_made);
    tcase_add_test(tests, half_a_file_is_taken_away);
    tcase_add_test(tests, modes);
    tcase_add_test(tests, only_group_root_may_read);
    tcase_add_test(tests, missing_or_no_file);
    tcase_add_test(tests, lines_are_read_forgivingly);
    tcase_add_test(tests, case_of_digits_does_not_matter);
    tcase_add_test(tests, damaged_files_are_refused);
    tcase_add_test(tests, too_much_is_refused_and_not_cut);
    tcase_add_test(tests, sixteen_secrets_are_the_most);
    tcase_add_test(tests, a_newer_secret_is_put_before_the_older);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
