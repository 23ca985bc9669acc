/* Typed arguments: one reader per type. */
#include "service/arguments.h"

#include "base/date.h"
#include "base/text.h"

#include <apr_strings.h>
#include <string.h>

static const qlm_argument_row_t rows[QLM_ARGUMENT_COUNT] = {
    {"", QLM_ARGUMENT_TYPE_TEXT, 0, 0, ""},
#define QLM_ARGUMENT(id, names, type, min, max, help)                                              \
    {names, QLM_ARGUMENT_TYPE_##type, min, max, help},
#include "service/arguments.def"
#undef QLM_ARGUMENT
};

const qlm_argument_row_t *qlm_argument_row(qlm_argument_t argument)
{
    return &rows[argument];
}

const char *qlm_argument_name(qlm_argument_t argument, apr_pool_t *pool)
{
    const char *names = rows[argument].names;
    const char *blank = strchr(names, ' ');

    return blank ? apr_pstrmemdup(pool, names, (apr_size_t)(blank - names)) : names;
}

const char *qlm_argument_raw(const qlm_fields_t *fields, qlm_argument_t argument, int sources)
{
    const char *names = rows[argument].names;
    char name[64];

    if (!strchr(names, ' ')) {
        return qlm_fields_get(fields, names, sources);
    }
    while (*names) {
        apr_size_t length = strcspn(names, " ");
        const char *value;

        apr_cpystrn(name, names, length + 1 < sizeof(name) ? length + 1 : sizeof(name));
        value = qlm_fields_get(fields, name, sources);
        if (value) {
            return value;
        }
        names += length + strspn(names + length, " ");
    }
    return NULL;
}

static qlm_error_t *unusable(qlm_argument_t argument, const char *raw, const char *expected,
                             apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "%s=%s is not usable: %s", qlm_argument_name(argument, pool),
                          qlm_text_for_log(raw, 40, pool), expected);
}

static int has_control(const char *text, int may_have_lines)
{
    for (; may_have_lines && *text; text++) {
        if (((unsigned char)*text < 0x20 && !strchr("\t\r\n", *text)) || *text == 0x7f) {
            return 1;
        }
    }
    return qlm_text_has_control(text);
}

static qlm_error_t *read_text(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                              apr_pool_t *pool)
{
    const qlm_argument_row_t *row = &rows[argument];
    const char *text = qlm_text_from_latin1_or_utf8(raw, pool);

    if (strlen(text) > (apr_size_t)row->max) {
        return unusable(argument, raw,
                        apr_psprintf(pool, "at most %d bytes are accepted", (int)row->max), pool);
    }
    if (has_control(text, row->type == QLM_ARGUMENT_TYPE_LINES)) {
        return unusable(argument, raw, "control characters are not accepted", pool);
    }
    value->text = row->type == QLM_ARGUMENT_TYPE_RAW ? text : qlm_text_trim(text, pool);
    value->is_given = *value->text != '\0';
    return NULL;
}

static qlm_error_t *read_int(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                             apr_pool_t *pool)
{
    const qlm_argument_row_t *row = &rows[argument];

    if (!qlm_text_to_int64(&value->number, raw, row->min, row->max)) {
        return unusable(argument, raw,
                        apr_psprintf(pool, "a whole number from %d to %d is expected",
                                     (int)row->min, (int)row->max),
                        pool);
    }
    value->is_given = row->type != QLM_ARGUMENT_TYPE_DAYS || value->number > 0;
    return NULL;
}

static qlm_error_t *read_date(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                              const qlm_properties_t *properties, apr_pool_t *pool)
{
    const char *pattern = qlm_properties_text(properties, QLM_PROPERTY_DATE_FORMAT);

    if (!qlm_date_parse_any(&value->number, raw, pattern)) {
        return unusable(argument, raw, "a date such as 2027-12-31 is expected", pool);
    }
    value->number = qlm_date_end_of_day(value->number);
    value->is_given = 1;
    return NULL;
}

static qlm_error_t *read_features(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                                  apr_pool_t *pool)
{
    qlm_features_t features;

    if (!qlm_features_parse(&features, raw)) {
        return unusable(argument, raw,
                        "pairs set:value are expected, set 0 to 3, value 0 to 255, such as 0:3;1:1",
                        pool);
    }
    for (int set = 0; set < QLM_FEATURE_SETS; set++) {
        value->number |= (apr_int64_t)features.set[set] << (8 * set);
    }
    value->is_given = 1;
    return NULL;
}

static qlm_error_t *read_model(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                               apr_pool_t *pool)
{
    qlm_model_t model = QLM_MODEL_NONE;

    if (!qlm_model_parse(&model, raw)) {
        const char *names = "one of";

        for (int m = QLM_MODEL_PERMANENT; m < QLM_MODEL_COUNT; m++) {
            names = apr_pstrcat(pool, names, " ", qlm_model_name((qlm_model_t)m), NULL);
        }
        return unusable(argument, raw, apr_pstrcat(pool, names, " is expected", NULL), pool);
    }
    value->number = model;
    value->is_given = model != QLM_MODEL_NONE;
    return NULL;
}

static qlm_error_t *read_bool(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                              apr_pool_t *pool)
{
    int truth = 1;

    if (!qlm_text_to_bool(&truth, raw) && rows[argument].type == QLM_ARGUMENT_TYPE_BOOL) {
        return unusable(argument, raw, "true or false is expected", pool);
    }
    value->number = truth;
    value->is_given = 1;
    return NULL;
}

static void read_engine(qlm_value_t *value, const char *raw)
{
    qlm_engine_t engine = QLM_ENGINE_6;

    value->is_given = qlm_engine_parse(&engine, raw);
    value->number = engine;
}

static qlm_error_t *read_value(qlm_value_t *value, qlm_argument_t argument, const char *raw,
                               const qlm_properties_t *properties, apr_pool_t *pool)
{
    switch (rows[argument].type) {
    case QLM_ARGUMENT_TYPE_INT:
    case QLM_ARGUMENT_TYPE_DAYS:
        return read_int(value, argument, raw, pool);
    case QLM_ARGUMENT_TYPE_BOOL:
    case QLM_ARGUMENT_TYPE_FLAG:
        return read_bool(value, argument, raw, pool);
    case QLM_ARGUMENT_TYPE_DATE:
        return read_date(value, argument, raw, properties, pool);
    case QLM_ARGUMENT_TYPE_FEATURES:
        return read_features(value, argument, raw, pool);
    case QLM_ARGUMENT_TYPE_MODEL:
        return read_model(value, argument, raw, pool);
    case QLM_ARGUMENT_TYPE_ENGINE:
        read_engine(value, raw);
        return NULL;
    case QLM_ARGUMENT_TYPE_TEXT:
    case QLM_ARGUMENT_TYPE_LINES:
    case QLM_ARGUMENT_TYPE_RAW:
    default:
        return read_text(value, argument, raw, pool);
    }
}

static qlm_error_t *missing(qlm_argument_t argument, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT,
                          argument == QLM_ARGUMENT_KEY ? QLM_CODE_NOT_PROVIDED
                                                       : QLM_CODE_MISSING_ARGUMENT,
                          "%s is missing: add the %s to the call",
                          qlm_argument_name(argument, pool), rows[argument].help);
}

qlm_error_t *qlm_arguments_read(qlm_arguments_t **arguments, const qlm_parameter_t *parameters,
                                const qlm_fields_t *fields, int sources,
                                const qlm_properties_t *properties, apr_pool_t *pool)
{
    qlm_arguments_t *made = apr_pcalloc(pool, sizeof(*made));

    for (; parameters->argument != QLM_ARGUMENT_NONE; parameters++) {
        qlm_value_t *value = &made->value[parameters->argument];
        const char *raw = qlm_argument_raw(fields, parameters->argument, sources);

        if (raw) {
            QLM_TRY(read_value(value, parameters->argument, raw, properties, pool));
        }
        if (!value->is_given && parameters->is_required) {
            return missing(parameters->argument, pool);
        }
    }
    *arguments = made;
    return NULL;
}

const char *qlm_arguments_text(const qlm_arguments_t *arguments, qlm_argument_t argument)
{
    return arguments->value[argument].is_given ? arguments->value[argument].text : "";
}

apr_int64_t qlm_arguments_number(const qlm_arguments_t *arguments, qlm_argument_t argument,
                                 apr_int64_t fallback)
{
    return arguments->value[argument].is_given ? arguments->value[argument].number : fallback;
}

void qlm_arguments_features(qlm_features_t *features, const qlm_arguments_t *arguments,
                            qlm_argument_t argument)
{
    apr_int64_t number = qlm_arguments_number(arguments, argument, 0);

    for (int set = 0; set < QLM_FEATURE_SETS; set++) {
        features->set[set] = (unsigned char)((number >> (8 * set)) & 0xff);
    }
}
