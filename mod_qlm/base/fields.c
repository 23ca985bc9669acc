/* The form reader and the look-up by precedence. */
#include "base/fields.h"

#include "base/text.h"

#include <apr_cstr.h>
#include <apr_strings.h>
#include <string.h>

qlm_fields_t *qlm_fields_create(apr_pool_t *pool)
{
    qlm_fields_t *fields = apr_palloc(pool, sizeof(*fields));

    fields->list = apr_array_make(pool, 16, sizeof(qlm_field_t));
    fields->pool = pool;
    return fields;
}

/* A number that is the same for all spellings of a name (FNV-1a, the bit of case set in each
 * byte). Equal numbers are no proof: a sender may choose names that collide. */
static unsigned int mark_of(const char *name)
{
    unsigned int mark = 2166136261u;

    for (; *name; name++) {
        mark = (mark ^ ((unsigned char)*name | 0x20u)) * 16777619u;
    }
    return mark;
}

qlm_error_t *qlm_fields_add(qlm_fields_t *fields, const char *name, const char *value, int source)
{
    qlm_field_t *field;

    if (fields->list->nelts >= QLM_FIELDS_MAX) {
        return qlm_error_make(fields->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "too many arguments: at most %d are accepted", QLM_FIELDS_MAX);
    }
    fields->marks[fields->list->nelts] = mark_of(name);
    field = apr_array_push(fields->list);
    field->name = name;
    field->value = value;
    field->source = source;
    return NULL;
}

/* Decode `length` bytes: '+' is a blank, %XX a byte, a broken escape itself, NUL 0x01. */
static char *decode(const char *text, apr_size_t length, apr_pool_t *pool)
{
    char *decoded = apr_palloc(pool, length + 1);
    char *to = decoded;

    for (apr_size_t i = 0; i < length; i++) {
        char c = text[i];

        if (c == '+') {
            c = ' ';
        }
        else if (c == '%' && length - i > 2) {
            int high = qlm_text_hex_digit(text[i + 1]), low = qlm_text_hex_digit(text[i + 2]);

            if (high >= 0 && low >= 0) {
                c = (char)(high * 16 + low);
                i += 2;
            }
        }
        *to++ = c ? c : '\1';
    }
    *to = '\0';
    return decoded;
}

static qlm_error_t *add_pair(qlm_fields_t *fields, const char *pair, apr_size_t length, int source)
{
    const char *equals = memchr(pair, '=', length);
    apr_size_t name_length = equals ? (apr_size_t)(equals - pair) : length;
    const char *name, *value;

    if (name_length > QLM_FIELD_NAME_MAX) {
        return qlm_error_make(fields->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the name of an argument is longer than %d bytes",
                              QLM_FIELD_NAME_MAX);
    }
    name = qlm_text_trim(decode(pair, name_length, fields->pool), fields->pool);
    if (!*name) {
        return NULL;
    }
    value = equals ? decode(equals + 1, length - name_length - 1, fields->pool) : "";
    return qlm_fields_add(fields, name, value, source);
}

qlm_error_t *qlm_fields_parse(qlm_fields_t *fields, const char *text, apr_size_t length, int source)
{
    const char *end = text + length;

    while (text < end) {
        const char *ampersand = memchr(text, '&', (apr_size_t)(end - text));
        const char *stop = ampersand ? ampersand : end;

        if (stop > text) {
            QLM_TRY(add_pair(fields, text, (apr_size_t)(stop - text), source));
        }
        text = ampersand ? ampersand + 1 : end;
    }
    return NULL;
}

const char *qlm_fields_get(const qlm_fields_t *fields, const char *name, int sources)
{
    const qlm_field_t *list = (const qlm_field_t *)(void *)fields->list->elts;
    const qlm_field_t *found = NULL;
    unsigned int mark = mark_of(name);

    for (int i = 0; i < fields->list->nelts; i++) {
        const qlm_field_t *field = &list[i];

        if (fields->marks[i] == mark && (field->source & sources) && *field->value &&
            (!found || field->source < found->source) && apr_cstr_casecmp(field->name, name) == 0) {
            found = field;
        }
    }
    return found ? found->value : NULL;
}
