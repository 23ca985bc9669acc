/* The key generator.
 *
 * Layout of an activation key, in symbols of 5 bits behind the prefix:
 *     version (1)   random (16)   check (8) */
#include "license/keygen.h"

#include "base/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/crypto.h>
#include <string.h>

#define LAYOUT_VERSION 1

#define CHECK_BYTES    5
#define SYMBOLS        (QLM_KEY_LENGTH - 1)
#define VERSION_AT     1
#define RANDOM_AT      2
#define RANDOM_SYMBOLS (QLM_KEY_RANDOM_BYTES * 8 / 5)
#define CHECK_AT       (RANDOM_AT + RANDOM_SYMBOLS)
#define CHECK_SYMBOLS  (CHECK_BYTES * 8 / 5)

#define GROUP_SIZE      5
#define LAST_GROUP_SIZE 9
#define LOG_CHARACTERS  5

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Write @a symbols symbols from the first bits of @a bytes, most significant first. */
static void write_symbols(char *text, const unsigned char *bytes, int symbols)
{
    unsigned int bits = 0;
    int available = 0;

    for (int i = 0; i < symbols; i++) {
        if (available < 5) {
            bits = (bits << 8) | *bytes++;
            available += 8;
        }
        available -= 5;
        text[i] = alphabet[(bits >> available) & 31];
    }
}

/* Undo write_symbols; @a symbols * 5 is a multiple of 8. @return 0 if a character is no symbol */
static int read_symbols(unsigned char *bytes, const char *text, int symbols)
{
    unsigned int bits = 0;
    int available = 0;

    for (int i = 0; i < symbols; i++) {
        const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;

        if (found == NULL) {
            return 0;
        }
        bits = (bits << 5) | (unsigned int)(found - alphabet);
        available += 5;
        if (available >= 8) {
            available -= 8;
            *bytes++ = (unsigned char)(bits >> available);
        }
    }
    return 1;
}

/* The check part over prefix, version and random part. */
static void make_check(unsigned char check[CHECK_BYTES], char prefix,
                       const unsigned char random[QLM_KEY_RANDOM_BYTES],
                       const qlm_secrets_t *secrets, int index)
{
    unsigned char data[2 + QLM_KEY_RANDOM_BYTES];
    unsigned char mac[QLM_MAC_BYTES];

    data[0] = (unsigned char)prefix;
    data[1] = LAYOUT_VERSION;
    memcpy(data + 2, random, QLM_KEY_RANDOM_BYTES);
    qlm_secrets_mac(mac, secrets, index, QLM_PURPOSE_KEY_CHECK, data, sizeof(data));
    memcpy(check, mac, CHECK_BYTES);
}

const char *qlm_keygen_activation(char prefix, const unsigned char random[QLM_KEY_RANDOM_BYTES],
                                  const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    char *key = apr_palloc(pool, QLM_KEY_LENGTH + 1);
    unsigned char check[CHECK_BYTES];

    make_check(check, prefix, random, secrets, 0);
    key[0] = prefix;
    key[VERSION_AT] = alphabet[LAYOUT_VERSION];
    write_symbols(key + RANDOM_AT, random, RANDOM_SYMBOLS);
    write_symbols(key + CHECK_AT, check, CHECK_SYMBOLS);
    key[QLM_KEY_LENGTH] = '\0';
    return key;
}

/* Blanks and dashes as people and word processors write them. @return how many bytes to skip at
 * @a text, 0 if it is neither */
static apr_size_t skip_length(const char *text)
{
    static const char *const skipped[] = {
        " ",
        "\t",
        "\r",
        "\n",
        "-",
        "\xC2\xA0",     /* no-break space */
        "\xE2\x80\x8B", /* zero width space */
        "\xE2\x80\x90", /* hyphen, */
        "\xE2\x80\x91", /* no-break hyphen, */
        "\xE2\x80\x92", /* figure dash, */
        "\xE2\x80\x93", /* en dash, */
        "\xE2\x80\x94", /* em dash, */
        "\xE2\x88\x92", /* minus sign */
    };

    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
        apr_size_t length = strlen(skipped[i]);

        if (strncmp(text, skipped[i], length) == 0) {
            return length;
        }
    }
    return 0;
}

/* Copy @a typed without blanks and dashes, in capitals. @return how many characters; 0 when no key
 * looks like that */
static int normalise(char normal[QLM_KEY_MAX_LENGTH + 1], const char *typed)
{
    int length = 0;

    while (*typed) {
        char c = *typed;
        apr_size_t skip = apr_isalnum(c) ? 0 : skip_length(typed);

        if (skip) {
            typed += skip;
            continue;
        }
        if (c <= ' ' || c > '~' || length == QLM_KEY_MAX_LENGTH) {
            return 0;
        }
        normal[length++] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
        typed++;
    }
    normal[length] = '\0';
    return length;
}

/* Is the check part of @a key right with any of the secrets? The shape is known to be ours. */
static int is_check_right(const char *key, const qlm_secrets_t *secrets)
{
    unsigned char random[QLM_KEY_RANDOM_BYTES], check[CHECK_BYTES], expected[CHECK_BYTES];
    int is_right = 0;

    read_symbols(random, key + RANDOM_AT, RANDOM_SYMBOLS);
    read_symbols(check, key + CHECK_AT, CHECK_SYMBOLS);
    for (int i = 0; i < qlm_secrets_count(secrets); i++) {
        make_check(expected, key[0], random, secrets, i);
        is_right |= CRYPTO_memcmp(check, expected, CHECK_BYTES) == 0;
    }
    return is_right;
}

static int is_our_shape(const char *key, int length)
{
    return length == QLM_KEY_LENGTH && qlm_model_is_activation_prefix(key[0]) &&
           key[VERSION_AT] == alphabet[LAYOUT_VERSION] &&
           strspn(key + 1, alphabet) == QLM_KEY_LENGTH - 1;
}

/* The reading of look-alikes: O is 0, I and L are 1. @return whether there were any */
static int read_lookalikes(char *key)
{
    int changed = 0;

    for (char *c = key + 1; *c; c++) {
        if (*c == 'O' || *c == 'I' || *c == 'L') {
            *c = *c == 'O' ? '0' : '1';
            changed = 1;
        }
    }
    return changed;
}

/* A key with look-alikes in it is only ours if their reading makes the check right; otherwise it
 * may well be an imported one, in whose alphabet they are letters. */
qlm_key_shape_t qlm_keygen_read(const char **normal, const char *typed,
                                const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    char text[QLM_KEY_MAX_LENGTH + 1];
    char *reading;
    int length = typed ? normalise(text, typed) : 0;

    if (length == 0) {
        *normal = "";
        return QLM_KEY_UNREADABLE;
    }
    *normal = reading = apr_pstrmemdup(pool, text, (apr_size_t)length);
    if (is_our_shape(reading, length)) {
        return is_check_right(reading, secrets) ? QLM_KEY_OURS : QLM_KEY_MISTYPED;
    }
    if (!read_lookalikes(text) || !is_our_shape(text, length) || !is_check_right(text, secrets)) {
        return QLM_KEY_FOREIGN;
    }
    memcpy(reading, text, (apr_size_t)length);
    return QLM_KEY_OURS;
}

/* The id is last and the only field with free text, so that no two claims have the same text. */
const char *qlm_keygen_computer(const qlm_computer_claim_t *claim, const qlm_secrets_t *secrets,
                                apr_pool_t *pool)
{
    unsigned char mac[QLM_MAC_BYTES];
    char *key = apr_palloc(pool, QLM_KEY_LENGTH + 1);
    const char *text = apr_psprintf(pool, "%c\n%s\n%" APR_INT64_T_FMT "\n%s\n%d\n%d\n%s",
                                    claim->prefix, claim->activation_key, claim->expires_at,
                                    claim->features, claim->floating_seats, claim->num_licenses,
                                    qlm_text_fold(claim->computer_id, pool));

    qlm_secrets_mac(mac, secrets, 0, QLM_PURPOSE_COMPUTER_KEY, text, strlen(text));
    key[0] = claim->prefix;
    write_symbols(key + 1, mac, SYMBOLS);
    key[QLM_KEY_LENGTH] = '\0';
    return key;
}

const char *qlm_keygen_group(const char *normal, apr_size_t group, apr_size_t last,
                             apr_pool_t *pool)
{
    apr_size_t left = strlen(normal);
    char *text, *end;

    if (group == 0) {
        return apr_pstrdup(pool, normal);
    }
    text = end = apr_palloc(pool, left + left / group + 1);
    for (; left > last && left > group; left -= group, normal += group) {
        memcpy(end, normal, group);
        end[group] = '-';
        end += group + 1;
    }
    memcpy(end, normal, left + 1);
    return text;
}

const char *qlm_keygen_display(const char *normal, apr_pool_t *pool)
{
    return qlm_keygen_group(normal, GROUP_SIZE, LAST_GROUP_SIZE, pool);
}

/* Of a key so short that 5 characters would be most of it, only half is shown. */
const char *qlm_keygen_for_log(const char *key, apr_pool_t *pool)
{
    apr_size_t length = key ? strlen(key) : 0;
    apr_size_t shown = length < 2 * LOG_CHARACTERS ? length / 2 : LOG_CHARACTERS;
    const char *start = apr_pstrmemdup(pool, key ? key : "", shown);

    return apr_pstrcat(pool, qlm_text_for_log(start, shown, pool), "...", NULL);
}
