/* Values of product properties: is_pp, the stored text, the XML. */
#include "license/productvalues.h"

#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#define XML_BEGIN "<?xml version=\"1.0\" encoding=\"utf-8\"?><ProductProperties>"
#define XML_END   "</ProductProperties>"

/* The usual length of an element, for the size of the buffer. */
#define USUAL_LENGTH 400

/* A value as stored. */
typedef struct entry_t {
    const char *key, *value;
    apr_int64_t updated_at, expires_at;
} entry_t;

/* What is stored with a license: in the order of the text, and by key. */
typedef struct values_t {
    apr_array_header_t *list; /* of entry_t * */
    apr_hash_t *by_key;
} values_t;

/* What an is_pp changes. */
typedef struct change_t {
    values_t values;
    const qlm_pp_definitions_t *definitions;
    apr_int64_t now;
    apr_pool_t *pool;
} change_t;

/* ---- what is stored ---------------------------------------------------------------------------
 */

/* The entry of `key`; a new one if there is none. */
static entry_t *make_entry(values_t *values, const char *key, apr_pool_t *pool)
{
    entry_t *entry = apr_hash_get(values->by_key, key, APR_HASH_KEY_STRING);

    if (!entry) {
        entry = apr_palloc(pool, sizeof(*entry));
        entry->key = key;
        APR_ARRAY_PUSH(values->list, entry_t *) = entry;
        apr_hash_set(values->by_key, key, APR_HASH_KEY_STRING, entry);
    }
    return entry;
}

/* The text before the next `separator`, which is cut off there; NULL if there is none. */
static char *next_part(char **text, char separator)
{
    char *begin = *text;
    char *end = strchr(begin, separator);

    if (!end) {
        return NULL;
    }
    *end = '\0';
    *text = end + 1;
    return begin;
}

/* One line; what we cannot have written is passed over. */
static void read_line(values_t *values, char *line, apr_pool_t *pool)
{
    entry_t read = {next_part(&line, '\t'), NULL, 0, 0};
    const char *updated_at;

    read.value = read.key ? next_part(&line, '\t') : NULL;
    updated_at = read.value ? next_part(&line, '\t') : NULL;
    if (updated_at && qlm_text_to_int64(&read.updated_at, updated_at, 0, QLM_DATE_MAX) &&
        qlm_text_to_int64(&read.expires_at, line, 0, QLM_DATE_MAX)) {
        *make_entry(values, read.key, pool) = read;
    }
}

static qlm_error_t *apply_all(change_t *change, const char *text, const char **oddity);

/* Fill change->values. */
static void read_stored(change_t *change, const char *stored)
{
    apr_int64_t now = change->now;
    const char *oddity;

    change->values.list = apr_array_make(change->pool, 8, sizeof(entry_t *));
    change->values.by_key = apr_hash_make(change->pool);
    if (strchr(stored, '\t')) {
        char *text = apr_pstrdup(change->pool, stored);

        for (char *line = next_part(&text, '\n'); line; line = next_part(&text, '\n')) {
            read_line(&change->values, line, change->pool);
        }
    }
    else if (*stored) {
        change->now = 0; /* when it was set is not known */
        apply_all(change, stored, &oddity);
        change->now = now;
    }
}

static qlm_error_t *write_stored(const char **stored, const change_t *change)
{
    qlm_buffer_t *buffer = qlm_buffer_create(200, change->pool);

    for (int i = 0; i < change->values.list->nelts; i++) {
        const entry_t *entry = APR_ARRAY_IDX(change->values.list, i, const entry_t *);

        qlm_buffer_add(buffer, entry->key);
        qlm_buffer_add(buffer, "\t");
        qlm_buffer_add(buffer, entry->value);
        qlm_buffer_addf(buffer, "\t%" APR_INT64_T_FMT "\t%" APR_INT64_T_FMT "\n", entry->updated_at,
                        entry->expires_at);
    }
    if (buffer->length > QLM_PP_STORED_MAX) {
        return qlm_error_make(change->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the product properties of this license would take more than %d "
                              "bytes: use shorter values",
                              QLM_PP_STORED_MAX);
    }
    *stored = buffer->text;
    return NULL;
}

/* What `values` holds of a property, if it holds now. */
static qlm_pp_value_t current(const values_t *values, const qlm_pp_definition_t *definition,
                              apr_int64_t now, apr_pool_t *pool)
{
    qlm_pp_value_t found = {definition, definition->default_value, 0, 0, 0};
    const entry_t *entry = apr_hash_get(values->by_key, definition->key, APR_HASH_KEY_STRING);

    if (entry && (!entry->expires_at || entry->expires_at >= now) &&
        !qlm_pp_read_value(&found.value, definition->type, entry->value, pool)) {
        found.is_set = 1;
        found.updated_at = entry->updated_at;
        found.expires_at = entry->expires_at;
    }
    return found;
}

/* ---- one entry of is_pp -----------------------------------------------------------------------
 */

static qlm_error_t *refuse(const char *entry, const char *why, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "is_pp entry %s is not usable: %s", qlm_text_for_log(entry, 80, pool),
                          why);
}

/* The date at the end of `text`; it is cut off then. "::" also stands in IPv6 addresses, so only
 * what is no value as a whole is split. */
static int cut_expiry(apr_int64_t *expires_at, char *text)
{
    char *at = NULL;

    for (char *p = strstr(text, "::"); p; p = strstr(p + 1, "::")) {
        at = p;
    }
    *expires_at = 0;
    if (!at) {
        return 1;
    }
    *at = '\0';
    if (at[2] == '\0') {
        return 1;
    }
    if (qlm_date_parse(expires_at, at + 2, "yyyy-MM-dd")) {
        *expires_at = qlm_date_end_of_day(*expires_at);
        return 1;
    }
    if (!qlm_date_parse_any(expires_at, at + 2, NULL)) {
        return 0;
    }
    *expires_at += *expires_at == 0; /* 0 would be never */
    return 1;
}

/* +n or -n: added to what holds now. */
static const char *add_number(const char **value, const qlm_pp_value_t *before, const char *text,
                              apr_pool_t *pool)
{
    apr_int64_t number = 0, amount;

    if (!qlm_text_to_int64(&amount, text, -(apr_int64_t)APR_INT32_MAX, APR_INT32_MAX)) {
        return "a whole number is expected after the sign";
    }
    qlm_text_to_int64(&number, before->value, APR_INT32_MIN, APR_INT32_MAX);
    number += amount;
    if (number < APR_INT32_MIN || number > APR_INT32_MAX) {
        return "the sum would leave the range of 32 bits: set the value itself";
    }
    *value = apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
    return NULL;
}

static int is_address(qlm_pp_type_t type)
{
    return type == QLM_PP_IP_ADDRESS || type == QLM_PP_IP_SUBNET;
}

/* The new value of a property and its expiry. @return NULL, or why there is none */
static const char *read_value(const char **value, apr_int64_t *expires_at, char *text,
                              const qlm_pp_definition_t *definition, const change_t *change)
{
    const char *expected;

    *expires_at = 0;
    if (is_address(definition->type) &&
        !qlm_pp_read_value(value, definition->type, text, change->pool)) {
        return NULL;
    }
    if (!cut_expiry(expires_at, text)) {
        return "after value and ::, a date such as 2027-12-31 or 2027-12-31 18:00:00 is expected";
    }
    if (definition->type == QLM_PP_INT && (*text == '+' || *text == '-')) {
        qlm_pp_value_t before = current(&change->values, definition, change->now, change->pool);

        *expires_at = *expires_at ? *expires_at : before.expires_at;
        return add_number(value, &before, text, change->pool);
    }
    expected = qlm_pp_read_value(value, definition->type, text, change->pool);
    return expected ? apr_pstrcat(change->pool, "expected is ", expected, NULL) : NULL;
}

/* Apply category.name::value[::expiry]. */
static qlm_error_t *apply_entry(change_t *change, const char *text)
{
    char *name = apr_pstrdup(change->pool, text);
    char *given = strstr(name, "::");
    const qlm_pp_definition_t *definition;
    const char *value, *problem;
    apr_int64_t expires_at;
    int is_ambiguous;

    if (!given) {
        return refuse(text, "category.name::value is expected", change->pool);
    }
    *given = '\0';
    definition = qlm_pp_definitions_find(&is_ambiguous, change->definitions, name, change->pool);
    if (!definition) {
        return refuse(text,
                      is_ambiguous ? "several properties have this name: say category.name"
                                   : "the product has no such property: correct the name, or "
                                     "define it on the license server",
                      change->pool);
    }
    problem = read_value(&value, &expires_at, given + 2, definition, change);
    if (problem) {
        return refuse(text, problem, change->pool);
    }
    *make_entry(&change->values, definition->key, change->pool) =
        (entry_t){definition->key, value, change->now, expires_at};
    return NULL;
}

/* ---- all entries ------------------------------------------------------------------------------
 */

/* The next entry of *text, trimmed; *text steps behind it. */
static const char *next_entry(const char **text, apr_pool_t *pool)
{
    const char *begin = *text;
    const char *end = strstr(begin, "||");

    *text = end ? end + 2 : begin + strlen(begin);
    return qlm_text_trim(
        apr_pstrmemdup(pool, begin, end ? (apr_size_t)(end - begin) : strlen(begin)), pool);
}

/* Apply all entries up to the first bad one, or, with `oddity`, all good ones. */
static qlm_error_t *apply_all(change_t *change, const char *text, const char **oddity)
{
    const qlm_error_t *first = NULL;
    int count = 0, bad = 0;

    while (*text) {
        const char *entry = next_entry(&text, change->pool);
        qlm_error_t *error = NULL;

        if (*entry && ++count > QLM_PP_ENTRIES_MAX) {
            error = refuse(entry, "at most 500 entries are accepted", change->pool);
            text = "";
        }
        else if (*entry) {
            error = apply_entry(change, entry);
        }
        if (error && !oddity) {
            return error;
        }
        first = first ? first : error;
        bad += error != NULL;
    }
    if (first) {
        *oddity = bad == 1 ? apr_pstrcat(change->pool, first->text, "; it was left out", NULL)
                           : apr_psprintf(change->pool, "%s; it and %d more were left out",
                                          first->text, bad - 1);
    }
    return NULL;
}

/* ---- for callers ------------------------------------------------------------------------------
 */

qlm_error_t *qlm_pp_apply(const char **changed, const char *stored, const char *is_pp,
                          const qlm_pp_definitions_t *definitions, apr_int64_t now,
                          apr_pool_t *pool)
{
    change_t change = {{NULL, NULL}, definitions, now, pool};

    read_stored(&change, stored);
    QLM_TRY(apply_all(&change, is_pp, NULL));
    return write_stored(changed, &change);
}

/* Without definitions nothing can be checked: `is_pp` is kept for the day when there are some. */
static const char *keep_text(const char *stored, const char *is_pp, apr_pool_t *pool)
{
    const char *kept = *stored ? apr_pstrcat(pool, stored, "||", is_pp, NULL) : is_pp;

    return strchr(kept, '\t') || strlen(kept) > QLM_PP_STORED_MAX ? stored : kept;
}

const char *qlm_pp_apply_order(const char **oddity, const char *stored, const char *is_pp,
                               const qlm_pp_definitions_t *definitions, apr_int64_t now,
                               apr_pool_t *pool)
{
    change_t change = {{NULL, NULL}, definitions, now, pool};
    const char *changed = stored;
    qlm_error_t *error;

    if (!*is_pp) {
        return stored;
    }
    if (!qlm_pp_definitions_count(definitions)) {
        *oddity = "is_pp has no effect yet: the product defines no properties";
        return keep_text(stored, is_pp, pool);
    }
    read_stored(&change, stored);
    apply_all(&change, is_pp, oddity);
    error = write_stored(&changed, &change);
    if (error) {
        *oddity = error->text;
    }
    return changed;
}

/* ---- what is shown ----------------------------------------------------------------------------
 */

apr_array_header_t *qlm_pp_values(const char *stored, const qlm_pp_definitions_t *definitions,
                                  apr_int64_t now, apr_pool_t *pool)
{
    change_t reader = {{NULL, NULL}, definitions, now, pool};
    int count = qlm_pp_definitions_count(definitions);
    apr_array_header_t *list = apr_array_make(pool, count, sizeof(qlm_pp_value_t));

    read_stored(&reader, stored);
    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(list, qlm_pp_value_t) =
            current(&reader.values, qlm_pp_definitions_at(definitions, i), now, pool);
    }
    return list;
}

/* Values are mostly set together, so the last date is often the next one. */
typedef struct date_t {
    apr_int64_t seconds;
    const char *text; /* NULL: none yet */
} date_t;

static void add_date(qlm_buffer_t *buffer, date_t *last, apr_int64_t seconds)
{
    if (!last->text || last->seconds != seconds) {
        last->seconds = seconds;
        last->text = qlm_pp_date(seconds, buffer->pool);
    }
    qlm_buffer_add(buffer, last->text);
}

const char *qlm_pp_write(const char *stored, const qlm_pp_definitions_t *definitions,
                         apr_int64_t now, apr_pool_t *pool)
{
    int count = qlm_pp_definitions_count(definitions);
    apr_array_header_t *values;
    qlm_buffer_t *buffer;
    date_t updated = {0}, expires = {0};

    if (count == 0) {
        return "";
    }
    values = qlm_pp_values(stored, definitions, now, pool);
    buffer = qlm_buffer_create(sizeof(XML_BEGIN XML_END) + (apr_size_t)count * USUAL_LENGTH, pool);
    qlm_buffer_add(buffer, XML_BEGIN);
    for (int i = 0; i < count; i++) {
        const qlm_pp_value_t *value = &APR_ARRAY_IDX(values, i, qlm_pp_value_t);
        const char *before, *between;

        qlm_pp_definitions_markup(&before, &between, definitions, i);
        qlm_buffer_add(buffer, before);
        qlm_buffer_add_attribute(buffer, value->value);
        qlm_buffer_add(buffer, between);
        add_date(buffer, &updated, value->updated_at);
        qlm_buffer_add(buffer, "\" expiryDate=\"");
        add_date(buffer, &expires, value->expires_at);
        qlm_buffer_add(buffer, "\" operation=\"None\"/>");
    }
    qlm_buffer_add(buffer, XML_END);
    return buffer->text;
}
