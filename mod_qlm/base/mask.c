/* Masking of passwords and codes in what is logged and shown. */
#include "base/mask.h"

#include "base/buffer.h"
#include "base/text.h"

#include <string.h>

static const char *const masked_names[] = {"is_pwd", "is_authcode"};
static const char mask[] = "***";

/* Read one character of a name at *text, percent escapes decoded; advances *text, which is not at
 * its end. */
static char name_character(const char **text)
{
    const char *p = *text;
    int high = *p == '%' ? qlm_text_hex_digit(p[1]) : -1;
    int low = high >= 0 ? qlm_text_hex_digit(p[2]) : -1;

    if (low >= 0) {
        *text = p + 3;
        return (char)(high * 16 + low);
    }
    *text = p + 1;
    return *p;
}

/* What the reader of arguments trims from a name. */
static int is_blank(char c)
{
    return c == ' ' || c == '+' || c == '\t' || c == '\r' || c == '\n';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does `text` begin with this name (any case, escaped or not, blanks around) and '='? @return where
 * the value begins, or NULL */
static const char *value_of(const char *name, const char *text)
{
    char c = ' ';

    while (is_blank(c) && *text) {
        c = name_character(&text);
    }
    while (*name && lower(c) == *name) {
        name++;
        c = *text ? name_character(&text) : '\0';
    }
    while (!*name && is_blank(c) && *text) {
        c = name_character(&text);
    }
    return !*name && c == '=' ? text : NULL;
}

static const char *value_of_masked(const char *text)
{
    const char *value = NULL;

    for (size_t i = 0; i < sizeof(masked_names) / sizeof(*masked_names) && !value; i++) {
        value = value_of(masked_names[i], text);
    }
    return value;
}

/* How long the value is: to the next '&', or to the end; the protocol at the end of a request line
 * is kept (a value may hold what looks like one). */
static apr_size_t value_length(const char *value)
{
    static const char protocol[] = " HTTP/";
    apr_size_t length = strcspn(value, "&");
    apr_size_t version = length;

    if (value[length] == '&') {
        return length;
    }
    while (version > 0 && strchr("0123456789.", value[version - 1])) {
        version--;
    }
    if (version >= sizeof(protocol) - 1 &&
        memcmp(value + version - (sizeof(protocol) - 1), protocol, sizeof(protocol) - 1) == 0) {
        return version - (sizeof(protocol) - 1);
    }
    return length;
}

static int is_masked_already(const char *value, apr_size_t length)
{
    return length == sizeof(mask) - 1 && memcmp(value, mask, length) == 0;
}

static int may_begin_a_name(const char *text, const char *p)
{
    return p == text || p[-1] == '?' || p[-1] == '&' || p[-1] == ';';
}

const char *qlm_mask_text(const char *text, apr_pool_t *pool)
{
    qlm_buffer_t *made = NULL;
    const char *from = text;
    const char *p = text;

    while (p && *p) {
        const char *value = may_begin_a_name(text, p) ? value_of_masked(p) : NULL;
        apr_size_t length = value ? value_length(value) : 0;

        if (!value || is_masked_already(value, length)) {
            p++;
            continue;
        }
        if (!made) {
            made = qlm_buffer_create(strlen(text) + sizeof(mask), pool);
        }
        qlm_buffer_add_bytes(made, from, (apr_size_t)(value - from));
        qlm_buffer_add(made, mask);
        from = p = value + length;
    }
    if (!made) {
        return text;
    }
    qlm_buffer_add(made, from);
    return made->text;
}
