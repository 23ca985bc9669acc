/* Filling in templates: one pass over the form, so that nothing a value holds is ever expanded. */
#include "mail/template.h"

#include "base/buffer.h"
#include "base/text.h"
#include "mail/message.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define TOKEN_MAX         100 /* bytes of a variable's name */
#define UNKNOWN_MAX       20  /* names that are reported */
#define LANGUAGE_MAX      16
#define SUBJECT_MAX       4096 /* bytes while it is made; it is cut to fewer */
#define ITEM_MARK         "%ItemTemplate%"
#define ITEM_MARK_LENGTH  (sizeof(ITEM_MARK) - 1)
#define ALL_KEYS_VARIABLE "activationkey"

/* Where a value is inserted. */
typedef enum place_t { IN_SUBJECT, IN_HTML, IN_TEXT } place_t;

/* One part (subject, HTML or text) in the making. */
typedef struct filling_t {
    place_t place;
    apr_hash_t *variables;
    const apr_array_header_t *items;
    qlm_buffer_t *out;
    apr_array_header_t *unknown; /* of const char *, shared by the parts */
    int is_cut;
    apr_pool_t *pool;
} filling_t;

/* Add what the form says or a value became; never half of it. */
static void add(filling_t *filling, const char *text, apr_size_t length)
{
    apr_size_t max = filling->place == IN_SUBJECT ? SUBJECT_MAX : QLM_TEMPLATE_RENDERED_MAX;

    if (filling->out->length + length > max) {
        filling->is_cut = 1;
    }
    if (!filling->is_cut) {
        qlm_buffer_add_bytes(filling->out, text, length);
    }
}

/* Control characters have no business in a mail; only the ends of lines and tabs are kept. */
static const char *without_controls(const char *value, apr_pool_t *pool)
{
    char *made = apr_pstrdup(pool, value);
    char *to = made;

    for (const char *p = value; *p; p++) {
        if (*p == '\r') {
            *to++ = '\n';
            p += p[1] == '\n';
        }
        else if ((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t') {
            *to++ = (char)(*p == 0x7f ? ' ' : *p);
        }
    }
    *to = '\0';
    return made;
}

static const char *escaped(const char *value, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(strlen(value) + 16, pool);

    qlm_buffer_add_attribute(buffer, value);
    return buffer->text;
}

/* Several lines as HTML that shows them as such. */
static const char *escaped_lines(const char *value, apr_pool_t *pool)
{
    apr_array_header_t *lines = qlm_text_split(value, "\n", pool);
    qlm_buffer_t *buffer = qlm_buffer_create(strlen(value) + 16, pool);

    for (int i = 0; i < lines->nelts; i++) {
        qlm_buffer_add(buffer, i ? "<br>" : "");
        qlm_buffer_add_attribute(buffer, APR_ARRAY_IDX(lines, i, const char *));
    }
    return buffer->text;
}

static void add_value(filling_t *filling, const char *value, int is_lines)
{
    apr_pool_t *pool = filling->pool;
    const char *text = qlm_text_from_latin1_or_utf8(value, pool);

    switch (filling->place) {
    case IN_SUBJECT:
        text = qlm_text_clean(text, QLM_TEMPLATE_SUBJECT_MAX, pool);
        break;
    case IN_HTML:
        text = without_controls(text, pool);
        text = is_lines ? escaped_lines(text, pool) : escaped(text, pool);
        break;
    case IN_TEXT:
        text = without_controls(text, pool);
        break;
    }
    add(filling, text, strlen(text));
}

/* All items' keys, one per line; NULL if no item has one. */
static const char *all_keys(const apr_array_header_t *items, apr_pool_t *pool)
{
    qlm_buffer_t *keys = qlm_buffer_create(64, pool);

    for (int i = 0; i < items->nelts; i++) {
        const char *key = apr_hash_get(APR_ARRAY_IDX(items, i, apr_hash_t *), ALL_KEYS_VARIABLE,
                                       APR_HASH_KEY_STRING);

        if (!qlm_text_is_empty(key)) {
            qlm_buffer_add(keys, keys->length ? "\n" : "");
            qlm_buffer_add(keys, key);
        }
    }
    return keys->length ? keys->text : NULL;
}

/* The value of `folded`; `item` is the one that is repeated for, or NULL outside. */
static const char *value_of(const filling_t *filling, const char *folded, apr_hash_t *item)
{
    apr_hash_t *first = item ? item : filling->variables;
    apr_hash_t *second = item ? filling->variables : NULL;
    const char *value = NULL;

    if (!item && strcmp(folded, ALL_KEYS_VARIABLE) == 0) {
        value = all_keys(filling->items, filling->pool);
    }
    if (!item && filling->items->nelts > 0) {
        second = APR_ARRAY_IDX(filling->items, 0, apr_hash_t *);
    }
    if (!value) {
        value = apr_hash_get(first, folded, APR_HASH_KEY_STRING);
    }
    return value || !second ? value : apr_hash_get(second, folded, APR_HASH_KEY_STRING);
}

/* The length of the name of the variable `%Name%` that begins at `text`, 0 if none does. */
static apr_size_t name_length(const char *text, const char *end)
{
    const char *p = text + 1;

    while (p < end && p - text <= TOKEN_MAX && !((unsigned char)*p & 0x80) &&
           (apr_isalnum(*p) || *p == '_' || *p == '.' || *p == '-')) {
        p++;
    }
    return p < end && *p == '%' ? (apr_size_t)(p - text - 1) : 0;
}

/* Style sheets and addresses of links are full of per cents that mean no variable. */
static int is_worth_reporting(const char *name)
{
    return apr_isalpha(*name) && !(strlen(name) == 2 && qlm_text_hex_digit(name[0]) >= 0 &&
                                   qlm_text_hex_digit(name[1]) >= 0);
}

static void report(filling_t *filling, const char *name)
{
    if (!is_worth_reporting(name) || filling->unknown->nelts >= UNKNOWN_MAX) {
        return;
    }
    for (int i = 0; i < filling->unknown->nelts; i++) {
        if (apr_cstr_casecmp(APR_ARRAY_IDX(filling->unknown, i, const char *), name) == 0) {
            return;
        }
    }
    APR_ARRAY_PUSH(filling->unknown, const char *) = name;
}

/* Add the form from `text` to `end` with its variables replaced. */
static void fill(filling_t *filling, const char *text, const char *end, apr_hash_t *item)
{
    while (text < end && !filling->is_cut) {
        const char *mark = memchr(text, '%', (apr_size_t)(end - text));
        apr_size_t length = mark ? name_length(mark, end) : 0;
        const char *name, *folded, *value;

        if (length == 0) {
            const char *next = mark ? mark + 1 : end;

            add(filling, text, (apr_size_t)(next - text));
            text = next;
            continue;
        }
        name = apr_pstrmemdup(filling->pool, mark + 1, length);
        folded = qlm_text_fold(name, filling->pool);
        value = value_of(filling, folded, item);
        add(filling, text, (apr_size_t)(mark - text));
        if (value) {
            add_value(filling, value, strcmp(folded, ALL_KEYS_VARIABLE) == 0);
            text = mark + length + 2;
        }
        else {
            /* Its second mark may well open the next one: "100%off%Name%". */
            report(filling, name);
            add(filling, mark, length + 1);
            text = mark + length + 1;
        }
    }
}

/* The next mark of a repeated part in `text`, or NULL. */
static const char *find_mark(const char *text)
{
    for (; (text = strchr(text, '%')) != NULL; text++) {
        if (apr_cstr_casecmpn(text, ITEM_MARK, ITEM_MARK_LENGTH) == 0) {
            return text;
        }
    }
    return NULL;
}

static const char *fill_part(filling_t *filling, const char *form)
{
    const char *open, *close;

    while ((open = find_mark(form)) != NULL &&
           (close = find_mark(open + ITEM_MARK_LENGTH)) != NULL) {
        fill(filling, form, open, NULL);
        for (int i = 0; i < filling->items->nelts; i++) {
            fill(filling, open + ITEM_MARK_LENGTH, close,
                 APR_ARRAY_IDX(filling->items, i, apr_hash_t *));
        }
        form = close + ITEM_MARK_LENGTH;
    }
    fill(filling, form, form + strlen(form), NULL);
    return filling->out->text;
}

static const char *rendered_part(qlm_rendered_t *rendered, filling_t *filling, place_t place,
                                 const char *form)
{
    const char *part;

    filling->place = place;
    filling->is_cut = 0;
    filling->out = qlm_buffer_create(strlen(form) + 256, filling->pool);
    part = fill_part(filling, qlm_text_from_latin1_or_utf8(form, filling->pool));
    rendered->is_cut |= filling->is_cut && place != IN_SUBJECT;
    return part;
}

void qlm_template_render(qlm_rendered_t *rendered, const qlm_template_t *form,
                         apr_hash_t *variables, const apr_array_header_t *items, apr_pool_t *pool)
{
    filling_t filling = {IN_SUBJECT, variables, items, NULL, NULL, 0, pool};
    const char *subject;

    filling.unknown = apr_array_make(pool, 2, sizeof(const char *));
    rendered->is_cut = 0;
    subject = rendered_part(rendered, &filling, IN_SUBJECT, form->subject);
    rendered->subject = qlm_text_clean(subject, 2 * QLM_TEMPLATE_SUBJECT_MAX, pool);
    rendered->html = rendered_part(rendered, &filling, IN_HTML, form->html);
    rendered->text = qlm_text_is_empty(form->text)
                         ? qlm_mail_text_of_html(rendered->html, pool)
                         : rendered_part(rendered, &filling, IN_TEXT, form->text);
    rendered->unknown = apr_array_pstrcat(pool, filling.unknown, ',');
}

/* ---- may it be stored? --------------------------------------------------------------------------
 */

static qlm_error_t *refusal(apr_pool_t *pool, const char *text)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT, "%s", text);
}

/* "", "en", "de-AT". */
static int is_language(const char *text)
{
    if (*text == '\0') {
        return 1;
    }
    if (strlen(text) > LANGUAGE_MAX || !apr_isalpha(text[0]) || !apr_isalpha(text[1])) {
        return 0;
    }
    for (const char *p = text; *p; p++) {
        if (((unsigned char)*p & 0x80) || (!apr_isalnum(*p) && (*p != '-' || !apr_isalnum(p[1])))) {
            return 0;
        }
    }
    return 1;
}

static int is_one_line(const char *text, apr_size_t max)
{
    apr_size_t length = strlen(text);

    return length >= 1 && length <= max && qlm_text_is_utf8(text) && !qlm_text_has_control(text);
}

static qlm_error_t *check_body(const char *body, const char *what, apr_pool_t *pool)
{
    int marks = 0;

    if (strlen(body) > QLM_TEMPLATE_BODY_MAX) {
        return refusal(pool, apr_psprintf(pool, "the %s of the template has more than %d bytes",
                                          what, QLM_TEMPLATE_BODY_MAX));
    }
    if (!qlm_text_is_utf8(body)) {
        return refusal(pool, apr_psprintf(pool, "the %s of the template is not UTF-8", what));
    }
    for (const char *p = body; (p = find_mark(p)) != NULL; p += ITEM_MARK_LENGTH) {
        marks++;
    }
    if (marks % 2) {
        return refusal(pool, apr_psprintf(pool,
                                          "the %s of the template has a %s without a second "
                                          "one that ends the repeated part",
                                          what, ITEM_MARK));
    }
    return NULL;
}

qlm_error_t *qlm_template_check(const qlm_template_t *form, apr_pool_t *pool)
{
    if (!is_one_line(form->name, QLM_TEMPLATE_NAME_MAX)) {
        return refusal(pool, "the name of a template is one line of 1 to 100 bytes of UTF-8");
    }
    if (!is_language(form->language)) {
        return refusal(pool, "the language of a template is a code such as en or de, or empty");
    }
    if (!is_one_line(form->subject, QLM_TEMPLATE_SUBJECT_MAX)) {
        return refusal(pool, "the subject of a template is one line of 1 to 250 bytes of UTF-8");
    }
    QLM_TRY(check_body(form->subject, "subject", pool));
    QLM_TRY(check_body(form->html, "HTML", pool));
    QLM_TRY(check_body(form->text, "text", pool));
    if (qlm_text_is_empty(form->html) && qlm_text_is_empty(form->text)) {
        return refusal(pool, "the template has neither HTML nor text");
    }
    return NULL;
}
