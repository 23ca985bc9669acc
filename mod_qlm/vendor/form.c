/* Reading a shop's own fields. */
#include "vendor/form.h"

#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>

#define FROM_SHOP (QLM_FROM_URL | QLM_FROM_BODY)

void qlm_form_open(qlm_form_t *form, const qlm_callback_t *callback, int is_latin1,
                   apr_pool_t *pool)
{
    form->callback = callback;
    form->is_latin1 = is_latin1;
    form->oddity = NULL;
    form->pool = pool;
}

void qlm_form_note(qlm_form_t *form, const char *format, ...)
{
    if (form->oddity && strlen(form->oddity) > QLM_FORM_NOTES_MAX) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    const char *note = apr_pvsprintf(form->pool, format, arguments);
    va_end(arguments);
    form->oddity = form->oddity ? apr_pstrcat(form->pool, form->oddity, "; ", note, NULL) : note;
}

static int is_ascii(const char *text)
{
    for (; *text; ++text) {
        if ((unsigned char)*text >= 0x80) {
            return 0;
        }
    }
    return 1;
}

int qlm_form_looks_like_utf8(const qlm_fields_t *fields)
{
    int has_more_than_ascii = 0;
    for (int i = 0; i < fields->list->nelts; ++i) {
        const qlm_field_t *field = &APR_ARRAY_IDX(fields->list, i, qlm_field_t);
        if (!(field->source & FROM_SHOP) || strncasecmp(field->name, "is_", 3) == 0 ||
            is_ascii(field->value)) {
            continue;
        }
        if (!qlm_text_is_utf8(field->value)) {
            return 0;
        }
        has_more_than_ascii = 1;
    }
    return has_more_than_ascii;
}

/** The raw value of the first of @a names that has one; *found is the name that had it. */
static const char *find(const char **found, const qlm_form_t *form, const char *names, int sources)
{
    apr_array_header_t *list = qlm_text_split(names, "|", form->pool);
    for (int i = 0; i < list->nelts; ++i) {
        *found = APR_ARRAY_IDX(list, i, const char *);
        const char *value = qlm_fields_get(form->callback->fields, *found, sources);
        if (value) {
            return value;
        }
    }
    *found = names;
    return NULL;
}

static const char *decode(const qlm_form_t *form, const char *value)
{
    return form->is_latin1 ? qlm_text_from_latin1(value, form->pool)
                           : qlm_text_from_latin1_or_utf8(value, form->pool);
}

const char *qlm_form_value(const qlm_form_t *form, const char *names)
{
    const char *name;
    const char *value = find(&name, form, names, FROM_SHOP);
    return value ? apr_pstrdup(form->pool, qlm_text_trim(decode(form, value), form->pool)) : "";
}

const char *qlm_form_text(qlm_form_t *form, const char *names, apr_size_t max_bytes)
{
    const char *name;
    const char *value = find(&name, form, names, FROM_SHOP);
    if (!value) {
        return "";
    }
    value = qlm_text_trim(decode(form, value), form->pool);
    if (strlen(value) > max_bytes) {
        qlm_form_note(form, "%s cut to %" APR_SIZE_T_FMT " bytes", name, max_bytes);
    }
    return qlm_text_clean(value, max_bytes, form->pool);
}

qlm_error_t *qlm_form_reference(const char **reference, const qlm_form_t *form, const char *names)
{
    const char *name;
    const char *value = find(&name, form, names, FROM_SHOP);
    *reference = "";
    if (!value) {
        return NULL;
    }
    value = qlm_text_trim(decode(form, value), form->pool);
    if (strlen(value) > QLM_FORM_REFERENCE_MAX) {
        return qlm_error_make(form->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "%s is longer than %d bytes", name, QLM_FORM_REFERENCE_MAX);
    }
    /* What cleaning would change is refused instead: "1" and "1<control>" are not the same order,
     * and must not become it. */
    if (qlm_text_has_control(value) ||
        strcmp(qlm_text_clean(value, QLM_FORM_REFERENCE_MAX, form->pool), value) != 0) {
        return qlm_error_make(form->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "%s has characters that are not allowed in it", name);
    }
    *reference = apr_pstrdup(form->pool, value);
    return NULL;
}

qlm_error_t *qlm_form_quantity(int *quantity, const qlm_form_t *form, const char *names,
                               int sources)
{
    const char *name;
    apr_int64_t number;
    const char *value = find(&name, form, names, sources);
    if (!value) {
        return NULL;
    }
    if (!qlm_text_to_int64(&number, value, 1, QLM_MAX_QUANTITY)) {
        return qlm_error_make(form->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "%s must be a whole number from 1 to %d", name, QLM_MAX_QUANTITY);
    }
    *quantity = (int)number;
    return NULL;
}

apr_int64_t qlm_form_date(qlm_form_t *form, const char *names)
{
    const char *name, *value = find(&name, form, names, FROM_SHOP);
    apr_int64_t seconds;
    if (!value) {
        return 0;
    }
    const char *pattern =
        qlm_properties_text(form->callback->properties, QLM_PROPERTY_VENDOR_DATE_FORMAT);
    value = qlm_text_trim(value, form->pool);
    if (qlm_date_parse(&seconds, value, "dd/MM/yyyy") ||
        qlm_date_parse(&seconds, value, "d/M/yyyy") ||
        qlm_date_parse_any(&seconds, value, *pattern ? pattern : NULL)) {
        return seconds;
    }
    qlm_form_note(form, "%s is not a date: '%s'", name, qlm_text_for_log(value, 40, form->pool));
    return 0;
}
