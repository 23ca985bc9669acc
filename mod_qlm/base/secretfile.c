/* The secret file: making and reading it. No copy of a secret stays behind in memory but the keys
 * derived from it. */
#include "base/crypto.h"
#include "base/text.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <string.h>

#define SECRET_HEX  (2 * QLM_SECRET_BYTES)
#define SECRETS_MAX 16
#define FILE_MAX    8192

static qlm_error_t *secret_error(apr_pool_t *pool, const char *path, const char *what,
                                 apr_status_t status)
{
    char reason[120] = "";
    qlm_error_t *error;

    if (status != APR_SUCCESS) {
        apr_strerror(status, reason, sizeof(reason));
    }
    error = qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN, "secret file %s: %s%s%s",
                           path, what, *reason ? ": " : "", reason);
    error->status = status;
    return error;
}

/* A new secret as hex digits. */
static qlm_error_t *make_secret(char hex[SECRET_HEX + 1], apr_pool_t *pool)
{
    unsigned char secret[QLM_SECRET_BYTES];

    QLM_TRY(qlm_random(secret, sizeof(secret), pool));
    for (int i = 0; i < QLM_SECRET_BYTES; i++) {
        apr_snprintf(hex + 2 * i, 3, "%02x", secret[i]);
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    return NULL;
}

qlm_error_t *qlm_secrets_create(const char *path, apr_pool_t *pool)
{
    char hex[SECRET_HEX + 1], text[256];
    apr_file_t *file;
    apr_status_t status;

    QLM_TRY(make_secret(hex, pool));
    apr_snprintf(text, sizeof(text),
                 "# Site secret of mod_qlm. Keep a copy in a safe place: without it no key can be "
                 "checked.\n%s\n",
                 hex);
    status = apr_file_open(&file, path, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_EXCL,
                           APR_FPROT_UREAD | APR_FPROT_UWRITE, pool);
    if (status == APR_SUCCESS) {
        status = apr_file_write_full(file, text, strlen(text), NULL);
        if (status == APR_SUCCESS) {
            status = apr_file_sync(file);
        }
        apr_file_close(file);
        if (status != APR_SUCCESS) {
            apr_file_remove(path, pool); /* half a secret would stand in the way of the next try */
        }
    }
    OPENSSL_cleanse(hex, sizeof(hex));
    OPENSSL_cleanse(text, sizeof(text));
    return status == APR_SUCCESS ? NULL : secret_error(pool, path, "cannot be made", status);
}

static int read_hex(unsigned char *bytes, const char *line, apr_size_t length)
{
    if (length != SECRET_HEX) {
        return 0;
    }
    for (int i = 0; i < QLM_SECRET_BYTES; i++) {
        int high = qlm_text_hex_digit(line[2 * i]), low = qlm_text_hex_digit(line[2 * i + 1]);

        if (high < 0 || low < 0) {
            return 0;
        }
        bytes[i] = (unsigned char)(high * 16 + low);
    }
    return 1;
}

static qlm_error_t *check_mode(apr_file_t *file, const char *path, apr_pool_t *pool)
{
    apr_finfo_t info;
    apr_status_t status =
        apr_file_info_get(&info, APR_FINFO_PROT | APR_FINFO_OWNER | APR_FINFO_TYPE, file);
    apr_int32_t open_to = APR_WREAD | APR_WWRITE | APR_WEXECUTE | APR_GWRITE | APR_GEXECUTE;

    if (status != APR_SUCCESS) {
        return secret_error(pool, path, "cannot be looked at", status);
    }
    if (info.filetype != APR_REG) {
        return secret_error(pool, path, "is not a regular file", APR_SUCCESS);
    }
    if (info.group != 0) {
        open_to |= APR_GREAD;
    }
    if (info.protection & open_to) {
        return secret_error(pool, path, "others can read it; run `chmod 600` on it", APR_SUCCESS);
    }
    return NULL;
}

/* Read the lines where they are: no copy of a secret is left behind in a pool.
 * @return how many secrets there are, -1 when a line is neither a secret nor to be skipped */
static int read_lines(unsigned char bytes[SECRETS_MAX * QLM_SECRET_BYTES], const char *text)
{
    static const char blanks[] = " \t\r";
    int count = 0;

    while (*text) {
        const char *line = text + strspn(text, blanks);
        apr_size_t length = strcspn(line, "\n");

        text = line + length + (line[length] == '\n');
        while (length > 0 && strchr(blanks, line[length - 1])) {
            length--;
        }
        if (length == 0 || *line == '#') {
            continue;
        }
        if (count == SECRETS_MAX || !read_hex(bytes + count * QLM_SECRET_BYTES, line, length)) {
            return -1;
        }
        count++;
    }
    return count;
}

static qlm_error_t *parse_secrets(const qlm_secrets_t **secrets, const char *path, const char *text,
                                  apr_pool_t *pool)
{
    unsigned char bytes[SECRETS_MAX * QLM_SECRET_BYTES];
    int count = read_lines(bytes, text);

    *secrets = count > 0 ? qlm_secrets_from_bytes(bytes, count, pool) : NULL;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (count < 0) {
        return secret_error(pool, path,
                            "each line must be 64 hex digits, at most 16 lines; restore it from a "
                            "copy",
                            APR_SUCCESS);
    }
    if (count == 0) {
        return secret_error(pool, path, "holds no secret; run `qlmctl init` on a new path",
                            APR_SUCCESS);
    }
    return *secrets ? NULL : secret_error(pool, path, "OpenSSL cannot derive keys", APR_SUCCESS);
}

/* The whole file as a text. What does not fit is not cut: that could drop a secret unnoticed. */
static qlm_error_t *read_file(char text[FILE_MAX], apr_file_t *file, const char *path,
                              apr_pool_t *pool)
{
    apr_size_t length = 0;
    apr_status_t status = apr_file_read_full(file, text, FILE_MAX, &length);

    if (status == APR_SUCCESS) {
        return secret_error(pool, path, "is too large to be a secret file", APR_SUCCESS);
    }
    if (!APR_STATUS_IS_EOF(status)) {
        return secret_error(pool, path, "cannot be read", status);
    }
    text[length] = '\0';
    if (strlen(text) != length) {
        return secret_error(pool, path, "is damaged: it holds a NUL; restore it from a copy",
                            APR_SUCCESS);
    }
    return NULL;
}

qlm_error_t *qlm_secrets_load(const qlm_secrets_t **secrets, const char *path, apr_pool_t *pool)
{
    char text[FILE_MAX];
    apr_file_t *file;
    qlm_error_t *error;
    apr_status_t status = apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool);

    if (status != APR_SUCCESS) {
        return secret_error(pool, path, "cannot be opened; run `qlmctl init`", status);
    }
    error = check_mode(file, path, pool);
    if (!error) {
        error = read_file(text, file, path, pool);
    }
    apr_file_close(file);
    if (!error) {
        error = parse_secrets(secrets, path, text, pool);
    }
    OPENSSL_cleanse(text, sizeof(text));
    return error;
}
