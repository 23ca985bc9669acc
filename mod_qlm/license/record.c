/* One table of fields (record.def) and what is done with all of them. */
#include "license/record.h"

#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum field_type_t { TEXT, NUMBER, TIME, FLAG, MODEL, ENGINE } field_type_t;

typedef struct field_row_t {
    const char *name;
    field_type_t type;
    size_t offset;
} field_row_t;

static const field_row_t rows[] = {
#define QLM_LICENSE_FIELD(member, type, name) {name, type, offsetof(qlm_license_t, member)},
#include "license/record.def"
#undef QLM_LICENSE_FIELD
};

static const char time_pattern[] = "yyyy-MM-dd HH:mm:ss";

const char *qlm_license_field_name(qlm_license_field_t field)
{
    return rows[field].name;
}

int qlm_license_field_find(qlm_license_field_t *field, const char *name)
{
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        if (strcasecmp(rows[i].name, name) == 0) {
            *field = (qlm_license_field_t)i;
            return 1;
        }
    }
    return 0;
}

static const void *member_of(const qlm_license_t *license, qlm_license_field_t field)
{
    return (const char *)license + rows[field].offset;
}

const char *qlm_license_field_text(const qlm_license_t *license, qlm_license_field_t field,
                                   apr_pool_t *pool)
{
    const void *member = member_of(license, field);
    const char *text;
    apr_int64_t seconds;

    switch (rows[field].type) {
    case NUMBER:
        return apr_itoa(pool, *(const int *)member);
    case TIME:
        seconds = *(const apr_int64_t *)member;
        return seconds ? qlm_date_format(seconds, time_pattern, pool) : "";
    case FLAG:
        return *(const int *)member ? "true" : "false";
    case MODEL:
        return qlm_model_name(*(const qlm_model_t *)member);
    case ENGINE:
        return *(const qlm_engine_t *)member == QLM_ENGINE_5 ? "5.0.00" : "6.0.00";
    case TEXT:
    default:
        text = *(const char *const *)member;
        return text ? text : "";
    }
}

static int read_member(void *member, field_type_t type, const char *text)
{
    apr_int64_t number = 0;

    switch (type) {
    case NUMBER:
        if (!qlm_text_to_int64(&number, text, APR_INT32_MIN, APR_INT32_MAX)) {
            return 0;
        }
        *(int *)member = (int)number;
        return 1;
    case TIME:
        *(apr_int64_t *)member = 0;
        return !*text || qlm_date_parse_any(member, text, NULL);
    case FLAG:
        return qlm_text_to_bool(member, text);
    case MODEL:
        return qlm_model_parse(member, text);
    case ENGINE:
        return qlm_engine_parse(member, text);
    case TEXT:
    default:
        *(const char **)member = text;
        return 1;
    }
}

qlm_error_t *qlm_license_field_set(qlm_license_t *license, qlm_license_field_t field,
                                   const char *text, apr_pool_t *pool)
{
    static const char *const takes[] = {
        [TEXT] = "a text",
        [NUMBER] = "a whole number",
        [TIME] = "a date such as 2030-12-31 or 2030-12-31 23:59:59",
        [FLAG] = "true or false",
        [MODEL] = "a license model such as permanent or subscription",
        [ENGINE] = "5.0.00 or 6.0.00",
    };

    if (read_member((char *)license + rows[field].offset, rows[field].type, text)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "%s takes %s, not \"%s\"", rows[field].name, takes[rows[field].type],
                          qlm_text_for_log(text, 60, pool));
}

void qlm_license_clear(qlm_license_t *license)
{
    memset(license, 0, sizeof(*license));
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        if (rows[i].type == TEXT) {
            *(const char **)(void *)((char *)license + rows[i].offset) = "";
        }
    }
    license->engine = QLM_ENGINE_6;
    license->model = QLM_MODEL_PERMANENT;
    license->duration_days = -1;
    license->max_release_count = license->max_release_days = -2;
}

const char *qlm_license_changes(const qlm_license_t *before, const qlm_license_t *after,
                                apr_pool_t *pool)
{
    json_t *changes = json_object();
    qlm_license_t empty;
    const char *copy = "";
    char *text;

    if (!before) {
        qlm_license_clear(&empty);
        before = &empty;
    }
    for (int i = 0; i < QLM_LICENSE_FIELD_COUNT; i++) {
        const char *was = qlm_license_field_text(before, (qlm_license_field_t)i, pool);
        const char *is = qlm_license_field_text(after, (qlm_license_field_t)i, pool);

        if (strcmp(was, is) != 0) {
            json_object_set_new(changes, rows[i].name, json_pack("[s,s]", was, is));
        }
    }
    if (json_object_size(changes)) {
        text = json_dumps(changes, JSON_COMPACT);
        copy = text ? apr_pstrdup(pool, text) : "";
        free(text);
    }
    json_decref(changes);
    return copy;
}
