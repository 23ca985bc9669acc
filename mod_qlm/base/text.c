/* Strict readers and cleaners. */
#include "base/text.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int qlm_text_is_empty(const char *text)
{
    return !text || !*text;
}

int qlm_text_is_loopback(const char *host)
{
    struct in_addr address;

    if (apr_cstr_casecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
        strcmp(host, "::1") == 0) {
        return 1;
    }
    return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

int qlm_text_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *qlm_text_trim(const char *text, apr_pool_t *pool)
{
    apr_size_t length;

    while (is_blank(*text)) {
        text++;
    }
    length = strlen(text);
    if (length == 0 || !is_blank(text[length - 1])) {
        return text;
    }
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    return apr_pstrmemdup(pool, text, length);
}

int qlm_text_to_int64(apr_int64_t *number, const char *text, apr_int64_t min, apr_int64_t max)
{
    const char *digits;
    char *end;
    apr_int64_t value;

    while (is_blank(*text)) {
        text++;
    }
    digits = text + (*text == '+' || *text == '-');
    if (!apr_isdigit(*digits)) {
        return 0;
    }
    errno = 0;
    value = apr_strtoi64(text, &end, 10);
    if (errno != 0) {
        return 0;
    }
    while (is_blank(*end)) {
        end++;
    }
    if (*end || value < min || value > max) {
        return 0;
    }
    *number = value;
    return 1;
}

int qlm_text_to_bool(int *value, const char *text)
{
    static const char *const words[] = {"false", "0", "no", "off", "true", "1", "-1", "yes", "on"};
    apr_size_t length;

    while (is_blank(*text)) {
        text++;
    }
    length = strlen(text);
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (strlen(words[i]) == length && apr_cstr_casecmpn(words[i], text, length) == 0) {
            *value = i >= 4;
            return 1;
        }
    }
    return 0;
}

/* Length of the well-formed UTF-8 character at `p` (RFC 3629 §4), 0 if there is none. */
static apr_size_t utf8_length(const unsigned char *p)
{
    apr_size_t length = p[0] < 0x80   ? 1
                        : p[0] < 0xc2 ? 0
                        : p[0] < 0xe0 ? 2
                        : p[0] < 0xf0 ? 3
                        : p[0] < 0xf5 ? 4
                                      : 0;

    for (apr_size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return length;
}

int qlm_text_is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    while (*p) {
        apr_size_t length = *p < 0x80 ? 1 : utf8_length(p);

        if (length == 0) {
            return 0;
        }
        p += length;
    }
    return 1;
}

apr_size_t qlm_text_xml_character(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;

    if (p[0] < 0x20) {
        return p[0] == '\t' || p[0] == '\n' || p[0] == '\r';
    }
    /* U+FFFE and U+FFFF are well-formed and no characters. */
    return p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe ? 0 : utf8_length(p);
}

const char *qlm_text_from_latin1(const char *text, apr_pool_t *pool)
{
    char *made = apr_palloc(pool, 2 * strlen(text) + 1);
    char *to = made;

    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p < 0x80) {
            *to++ = (char)*p;
        }
        else {
            *to++ = (char)(0xc0 | (*p >> 6));
            *to++ = (char)(0x80 | (*p & 0x3f));
        }
    }
    *to = '\0';
    return made;
}

const char *qlm_text_from_latin1_or_utf8(const char *text, apr_pool_t *pool)
{
    return qlm_text_is_utf8(text) ? text : qlm_text_from_latin1(text, pool);
}

static int is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

int qlm_text_has_control(const char *text)
{
    for (; *text; text++) {
        if (is_control(*text)) {
            return 1;
        }
    }
    return 0;
}

const char *qlm_text_clean(const char *text, apr_size_t max_bytes, apr_pool_t *pool)
{
    apr_size_t given = strlen(text);
    char *made = apr_palloc(pool, (given < max_bytes ? given : max_bytes) + 1);
    apr_size_t used = 0;
    int is_gap = 0;

    for (const char *p = text; *p;) {
        apr_size_t length = qlm_text_xml_character(p);

        if (is_control(*p)) {
            is_gap = 1;
            p++;
            continue;
        }
        if (length == 0) {
            p++;
            continue;
        }
        if (is_gap && used > 0 && made[used - 1] != ' ' && *p != ' ' && used < max_bytes) {
            made[used++] = ' ';
        }
        is_gap = 0;
        if (used + length > max_bytes) {
            break;
        }
        if (*p != ' ' || used > 0) {
            memcpy(made + used, p, length);
            used += length;
        }
        p += length;
    }
    while (used > 0 && made[used - 1] == ' ') {
        used--;
    }
    made[used] = '\0';
    return made;
}

const char *qlm_text_fold(const char *text, apr_pool_t *pool)
{
    char *made = apr_pstrdup(pool, qlm_text_trim(text, pool));

    for (char *p = made; *p; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p = (char)(*p - 'A' + 'a');
        }
    }
    return made;
}

apr_array_header_t *qlm_text_split(const char *text, const char *separators, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 4, sizeof(const char *));

    while (*text) {
        apr_size_t length = strcspn(text, separators);
        const char *part = qlm_text_trim(apr_pstrmemdup(pool, text, length), pool);

        if (*part) {
            APR_ARRAY_PUSH(parts, const char *) = part;
        }
        text += length + (text[length] != '\0');
    }
    return parts;
}

const char *qlm_text_for_log(const char *text, apr_size_t max_bytes, apr_pool_t *pool)
{
    apr_size_t length = strlen(text);
    int is_cut = length > max_bytes;
    char *made = apr_pstrcat(pool, apr_pstrmemdup(pool, text, is_cut ? max_bytes : length),
                             is_cut ? "..." : "", NULL);

    for (char *p = made; *p; p++) {
        if (is_control(*p) || (unsigned char)*p >= 0x80) {
            *p = '?';
        }
    }
    return made;
}
