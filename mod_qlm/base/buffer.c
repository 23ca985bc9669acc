/* The growing text and its escapes. */
#include "base/buffer.h"

#include "base/text.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <string.h>

qlm_buffer_t *qlm_buffer_create(apr_size_t capacity, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = apr_palloc(pool, sizeof(*buffer));

    buffer->capacity = capacity < 64 ? 64 : capacity;
    buffer->text = apr_palloc(pool, buffer->capacity);
    buffer->text[0] = '\0';
    buffer->length = 0;
    buffer->pool = pool;
    return buffer;
}

/* Room for `more` bytes and the terminator. */
static void reserve(qlm_buffer_t *buffer, apr_size_t more)
{
    apr_size_t capacity = buffer->capacity;
    char *grown;

    if (more < capacity - buffer->length) {
        return;
    }
    while (more >= capacity - buffer->length) {
        capacity *= 2;
    }
    grown = apr_palloc(buffer->pool, capacity);
    memcpy(grown, buffer->text, buffer->length + 1);
    buffer->text = grown;
    buffer->capacity = capacity;
}

void qlm_buffer_add_bytes(qlm_buffer_t *buffer, const char *bytes, apr_size_t length)
{
    if (length == 0) {
        return;
    }
    reserve(buffer, length);
    memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void qlm_buffer_add(qlm_buffer_t *buffer, const char *text)
{
    qlm_buffer_add_bytes(buffer, text, strlen(text));
}

void qlm_buffer_addf(qlm_buffer_t *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    qlm_buffer_add(buffer, apr_pvsprintf(buffer->pool, format, arguments));
    va_end(arguments);
}

/* What a byte asks for: IN_TEXT and IN_ATTRIBUTE are replaced or looked at there, all others are
 * copied as they are. The terminator is among them, so that a run always ends. */
enum { IN_TEXT = 1, IN_ATTRIBUTE = 2, ANYWHERE = IN_TEXT | IN_ATTRIBUTE };

static const unsigned char special[256] = {
    [0x00 ... 0x1f] = ANYWHERE, ['"'] = IN_ATTRIBUTE, ['\''] = IN_ATTRIBUTE,      ['&'] = ANYWHERE,
    ['<'] = ANYWHERE,           ['>'] = ANYWHERE,     [0x80 ... 0xff] = ANYWHERE,
};

/* Text nodes in canonical form: C14N 1.0 §2.3. */
static const char *escape_text(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#xD;";
    default:
        return NULL;
    }
}

static const char *escape_attribute(char c)
{
    switch (c) {
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\t':
        return "&#x9;";
    case '\n':
        return "&#xA;";
    default:
        return escape_text(c);
    }
}

/* Add `text` with its special characters replaced, forbidden ones dropped. */
static void add_escaped(qlm_buffer_t *buffer, const char *text, int where)
{
    const char *from = text;
    const char *p = text;

    for (;;) {
        const char *replacement;
        apr_size_t length;

        while (!(special[(unsigned char)*p] & where)) {
            p++;
        }
        length = qlm_text_xml_character(p);
        replacement = where == IN_TEXT ? escape_text(*p) : escape_attribute(*p);
        if (length && !replacement) {
            p += length;
            continue;
        }
        qlm_buffer_add_bytes(buffer, from, (apr_size_t)(p - from));
        if (*p == '\0') {
            return;
        }
        if (replacement) {
            qlm_buffer_add(buffer, replacement);
        }
        from = ++p;
    }
}

void qlm_buffer_add_xml(qlm_buffer_t *buffer, const char *text)
{
    if (text) {
        add_escaped(buffer, text, IN_TEXT);
    }
}

void qlm_buffer_add_attribute(qlm_buffer_t *buffer, const char *text)
{
    if (text) {
        add_escaped(buffer, text, IN_ATTRIBUTE);
    }
}

void qlm_buffer_add_element(qlm_buffer_t *buffer, const char *name, const char *text)
{
    qlm_buffer_add_bytes(buffer, "<", 1);
    qlm_buffer_add(buffer, name);
    qlm_buffer_add_bytes(buffer, ">", 1);
    qlm_buffer_add_xml(buffer, text);
    qlm_buffer_add_bytes(buffer, "</", 2);
    qlm_buffer_add(buffer, name);
    qlm_buffer_add_bytes(buffer, ">", 1);
}
