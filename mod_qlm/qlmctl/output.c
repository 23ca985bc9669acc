/* Tables for people, JSON for scripts, from the same values. */
#include "qlmctl/output.h"

#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX_BYTES 4096
#define NAME_COLUMN    22
#define INDENT         2

/* jansson fails only when there is no memory left; APR ends the process then, and so do we. */
static json_t *have(json_t *value)
{
    if (!value) {
        fputs("qlmctl: out of memory\n", stderr);
        abort();
    }
    return value;
}

static void must(int result)
{
    if (result != 0) {
        have(NULL);
    }
}

static apr_status_t release(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

static json_t *owned(json_t *value, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, have(value), release, apr_pool_cleanup_null);
    return value;
}

json_t *qlm_output_object(apr_pool_t *pool)
{
    return owned(json_object(), pool);
}

json_t *qlm_output_array(apr_pool_t *pool)
{
    return owned(json_array(), pool);
}

void qlm_output_put_value(json_t *object, const char *key, json_t *value)
{
    must(json_object_set(object, key, value ? value : json_null()));
}

void qlm_output_append(json_t *array, json_t *value)
{
    must(json_array_append(array, value));
}

static json_t *latin1(const char *text)
{
    apr_pool_t *pool;
    json_t *value;

    apr_pool_create(&pool, NULL);
    value = have(json_string(qlm_text_from_latin1(text, pool)));
    apr_pool_destroy(pool);
    return value;
}

static json_t *string(const char *text)
{
    return qlm_text_is_utf8(text) ? have(json_string(text)) : latin1(text);
}

void qlm_output_append_text(json_t *array, const char *text)
{
    must(json_array_append_new(array, string(text)));
}

void qlm_output_put(json_t *object, const char *key, const char *text)
{
    must(json_object_set_new(object, key, text ? string(text) : json_null()));
}

void qlm_output_put_int(json_t *object, const char *key, apr_int64_t number)
{
    must(json_object_set_new(object, key, have(json_integer(number))));
}

void qlm_output_put_bool(json_t *object, const char *key, int is_true)
{
    must(json_object_set_new(object, key, json_boolean(is_true)));
}

void qlm_output_put_time(json_t *object, const char *key, apr_int64_t seconds)
{
    apr_pool_t *pool;

    if (!seconds) {
        qlm_output_put(object, key, NULL);
        return;
    }
    apr_pool_create(&pool, NULL);
    qlm_output_put(object, key,
                   qlm_date_format(seconds > QLM_DATE_MAX ? QLM_DATE_MAX : seconds,
                                   "yyyy-MM-ddTHH:mm:ssZ", pool));
    apr_pool_destroy(pool);
}

void qlm_output_put_id(json_t *object, const char *key, apr_int64_t id)
{
    char text[24];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, id);
    qlm_output_put(object, key, id ? text : NULL);
}

void qlm_output_put_json(json_t *object, const char *key, const char *json)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

    must(json_object_set_new(object, key, value ? value : string(json)));
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static void print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}

/* A value as people read it, in one line. */
static const char *cell(const json_t *value, apr_pool_t *pool)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        return qlm_text_clean(json_string_value(value), CELL_MAX_BYTES, pool);
    case JSON_INTEGER:
        return apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(value));
    case JSON_TRUE:
        return "yes";
    case JSON_FALSE:
        return "no";
    default:
        return "";
    }
}

/* Characters, not bytes. */
static int width(const char *text)
{
    int count = 0;

    for (; *text; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

static void print_padded(const char *text, int columns)
{
    fputs(text, stdout);
    for (int i = width(text); i < columns; i++) {
        putchar(' ');
    }
}

static int widest(const json_t *rows, const qlm_column_t *column, apr_pool_t *pool)
{
    int most = width(column->heading);

    for (size_t i = 0; i < json_array_size(rows); i++) {
        int own = width(cell(json_object_get(json_array_get(rows, i), column->key), pool));

        most = own > most ? own : most;
    }
    return most;
}

static void print_row(const json_t *row, const qlm_column_t *columns, const int *widths,
                      apr_pool_t *pool)
{
    for (int i = 0; columns[i].key; i++) {
        const char *text =
            row ? cell(json_object_get(row, columns[i].key), pool) : columns[i].heading;

        print_padded(*text ? text : "-", columns[i + 1].key ? widths[i] + 2 : 0);
    }
    putchar('\n');
}

static void print_table(const json_t *rows, const qlm_column_t *columns, apr_pool_t *pool)
{
    int count = 0;
    int *widths;

    while (columns[count].key) {
        count++;
    }
    widths = apr_pcalloc(pool, sizeof(*widths) * (apr_size_t)count);
    for (int i = 0; i < count; i++) {
        widths[i] = widest(rows, &columns[i], pool);
    }
    print_row(NULL, columns, widths, pool);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        print_row(json_array_get(rows, i), columns, widths, pool);
    }
}

void qlm_output_rows(const qlm_tool_t *tool, json_t *rows, const qlm_column_t *columns)
{
    if (tool->is_json) {
        print_json(rows);
    }
    else if (json_array_size(rows) == 0) {
        puts("none");
    }
    else {
        print_table(rows, columns, tool->pool);
    }
}

static void print_members(json_t *object, int indent, apr_pool_t *pool);

/* "is_enabled" reads as "enabled", "order_ref" as "order ref". */
static const char *label(const char *key, apr_pool_t *pool)
{
    char *text = apr_pstrdup(pool, strncmp(key, "is_", 3) == 0 ? key + 3 : key);

    for (char *at = text; *at; at++) {
        if (*at == '_') {
            *at = ' ';
        }
    }
    return apr_pstrcat(pool, text, ":", NULL);
}

static void print_items(json_t *array, int indent, apr_pool_t *pool)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *item = json_array_get(array, i);

        if (json_is_object(item)) {
            printf("%*s-\n", indent, "");
            print_members(item, indent + INDENT, pool);
        }
        else {
            printf("%*s%s\n", indent, "", cell(item, pool));
        }
    }
}

/* Members that say nothing are left out: the record of a plain license is short then. */
static void print_members(json_t *object, int indent, apr_pool_t *pool)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        const char *text = cell(value, pool);

        if (json_is_array(value) || json_is_object(value)) {
            if (json_array_size(value) > 0 || json_object_size(value) > 0) {
                printf("%*s%s\n", indent, "", label(key, pool));
                json_is_array(value) ? print_items(value, indent + INDENT, pool)
                                     : print_members(value, indent + INDENT, pool);
            }
        }
        else if (*text) {
            printf("%*s", indent, "");
            print_padded(label(key, pool), NAME_COLUMN);
            printf(" %s\n", text);
        }
    }
}

void qlm_output_record(const qlm_tool_t *tool, json_t *record)
{
    if (tool->is_json) {
        print_json(record);
    }
    else {
        print_members(record, 0, tool->pool);
    }
}

void qlm_output_say(const qlm_tool_t *tool, const char *format, ...)
{
    va_list arguments;

    if (tool->is_json) {
        return;
    }
    va_start(arguments, format);
    puts(qlm_text_clean(apr_pvsprintf(tool->pool, format, arguments), CELL_MAX_BYTES, tool->pool));
    va_end(arguments);
}

void qlm_output_warn(const qlm_tool_t *tool, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(
        stderr, "qlmctl: warning: %s\n",
        qlm_text_clean(apr_pvsprintf(tool->pool, format, arguments), CELL_MAX_BYTES, tool->pool));
    va_end(arguments);
}

void qlm_output_text(const qlm_tool_t *tool, const char *text)
{
    char last = '\n';

    if (tool->is_json) {
        return;
    }
    for (text = qlm_text_from_latin1_or_utf8(text, tool->pool); *text; text++) {
        if (*text == '\n' || *text == '\t' || ((unsigned char)*text >= ' ' && *text != 0x7f)) {
            putchar(*text);
            last = *text;
        }
    }
    if (last != '\n') {
        putchar('\n');
    }
}
