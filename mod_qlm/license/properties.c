/* Server properties: the table, the checks, and a set of values.
 *
 * Known properties are read by type when they are put, so that a getter on the way of a request is
 * an array access. */
#include "license/properties.h"

#include "base/address.h"
#include "base/date.h"
#include "base/text.h"
#include "license/model.h"
#include "license/product.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_CHARACTERS 100
#define FOLDED_MAX          (4 * NAME_MAX_CHARACTERS + 1)
#define VALUE_MAX_BYTES     4000
#define BLANKS              " \t\r\n\v\f"
#define SAMPLE_DAY          ((apr_int64_t)2016230400) /* 2033-11-22: all parts differ */
#define INT_VALUE_MIN       (-1)
#define INT_VALUE_MAX       2147483647

struct qlm_properties_t {
    apr_pool_t *pool;
    const char *put[QLM_PROPERTY_COUNT];    /* as put; NULL = not set */
    const char *text[QLM_PROPERTY_COUNT];   /* the value in force: as put, or the default */
    apr_int64_t number[QLM_PROPERTY_COUNT]; /* the same of BOOL and INT, read */
    apr_hash_t *custom;                     /* folded name -> text */
};

static const qlm_property_row_t rows[QLM_PROPERTY_COUNT] = {
#define QLM_PROPERTY(id, name, category, type, fallback, help)                                     \
    [QLM_PROPERTY_##id] = {name, category, QLM_PROPERTY_##type, fallback, help},
#include "license/properties.def"
#undef QLM_PROPERTY
};

/* Other spellings in circulation. */
static const struct {
    const char *name;
    qlm_property_t property;
} synonyms[] = {
    {"enforceTrialsMatchComputerIDOnly", QLM_PROPERTY_TRIALS_MATCH_ID_ONLY},
};

const qlm_property_row_t *qlm_property_row(qlm_property_t property)
{
    return &rows[property];
}

const qlm_property_row_t *qlm_property_find(const char *name)
{
    if (name == NULL) {
        return NULL;
    }
    for (int i = 0; i < QLM_PROPERTY_COUNT; i++) {
        if (strcasecmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++) {
        if (strcasecmp(synonyms[i].name, name) == 0) {
            return &rows[synonyms[i].property];
        }
    }
    return NULL;
}

/* Read a BOOL or INT. */
static int read_number(apr_int64_t *number, const qlm_property_row_t *row, const char *value)
{
    int flag;

    if (row->type == QLM_PROPERTY_INT) {
        return qlm_text_to_int64(number, value, INT_VALUE_MIN, INT_VALUE_MAX);
    }
    if (!qlm_text_to_bool(&flag, value)) {
        return 0;
    }
    *number = flag;
    return 1;
}

static qlm_error_t *refuse(const char *name, const char *takes, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "The property %s takes %s.", qlm_text_for_log(name, 100, pool), takes);
}

/* Texts that are words of something else: a model, an engine, a date pattern. A date pattern is
 * good when a date written with it can be read again. */
static qlm_error_t *check_text(qlm_property_t property, const char *value, apr_pool_t *pool)
{
    qlm_algorithm_t algorithm;
    qlm_model_t model;
    qlm_engine_t engine;
    apr_int64_t seconds;

    switch (property) {
    case QLM_PROPERTY_MODEL_WHEN_DURATION:
    case QLM_PROPERTY_MODEL_WHEN_DATE:
        if (!qlm_model_parse(&model, value)) {
            return refuse(rows[property].name, "a license model such as subscription or trial",
                          pool);
        }
        break;
    case QLM_PROPERTY_SIGNATURE_ALGORITHM:
        if (*value && !qlm_algorithm_parse(&algorithm, value)) {
            return refuse(rows[property].name, "rsa-sha256 or rsa-sha1", pool);
        }
        break;
    case QLM_PROPERTY_DEFAULT_QLM_VERSION:
        if (!qlm_engine_parse(&engine, value)) {
            return refuse(rows[property].name, "an engine version, 5.0.00 or 6.0.00", pool);
        }
        break;
    case QLM_PROPERTY_DATE_FORMAT:
    case QLM_PROPERTY_VENDOR_DATE_FORMAT:
        if (!qlm_date_parse(&seconds, qlm_date_format(SAMPLE_DAY, value, pool), value) ||
            seconds != SAMPLE_DAY) {
            return refuse(rows[property].name,
                          "a date pattern with year, month and day, such as yyyy-MM-dd", pool);
        }
        break;
    default:
        break;
    }
    return NULL;
}

/* A list of addresses: a typing mistake in it must not go unnoticed. */
static qlm_error_t *check_list(qlm_property_t property, const char *value, apr_pool_t *pool)
{
    const char *unreadable = NULL;

    if (property == QLM_PROPERTY_BLOCK_IP_ADDRESSES || property == QLM_PROPERTY_ADMIN_ADDRESSES) {
        qlm_addresses_read(&unreadable, value, pool);
    }
    return unreadable
               ? refuse(rows[property].name,
                        apr_psprintf(pool,
                                     "addresses and networks such as 192.0.2.7 or 2001:db8::/32; "
                                     "\"%s\" is none",
                                     qlm_text_for_log(unreadable, 60, pool)),
                        pool)
               : NULL;
}

/* How many characters; bytes if it is not UTF-8. */
static apr_size_t count_characters(const char *text)
{
    apr_size_t count = 0;
    int is_utf8 = qlm_text_is_utf8(text);

    for (; *text; text++) {
        count += !is_utf8 || ((unsigned char)*text & 0xC0) != 0x80;
    }
    return count;
}

static qlm_error_t *check_name(const char *name, apr_pool_t *pool)
{
    if (qlm_text_is_empty(name) || qlm_text_has_control(name) || !qlm_text_is_utf8(name) ||
        count_characters(name) > NAME_MAX_CHARACTERS || *qlm_text_trim(name, pool) == '\0') {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "A property's name has 1 to %d characters and no control characters.",
                              NAME_MAX_CHARACTERS);
    }
    return NULL;
}

qlm_error_t *qlm_properties_check(const char *name, const char *value, apr_pool_t *pool)
{
    const qlm_property_row_t *row = qlm_property_find(name);
    apr_int64_t number;

    QLM_TRY(check_name(name, pool));
    if (value == NULL || strlen(value) > VALUE_MAX_BYTES || !qlm_text_is_utf8(value)) {
        return refuse(name, "at most 4000 bytes of UTF-8 text", pool);
    }
    if (row == NULL) {
        return NULL;
    }
    switch (row->type) {
    case QLM_PROPERTY_BOOL:
        return read_number(&number, row, value) ? NULL : refuse(name, "true or false", pool);
    case QLM_PROPERTY_INT:
        return read_number(&number, row, value)
                   ? NULL
                   : refuse(name, "a whole number from -1 to 2147483647", pool);
    case QLM_PROPERTY_TEXT:
        return check_text((qlm_property_t)(row - rows), value, pool);
    case QLM_PROPERTY_LIST:
        return check_list((qlm_property_t)(row - rows), value, pool);
    default:
        return NULL;
    }
}

/* Fold a custom name: trimmed, ASCII letters in lower case. Look-ups come from requests, and
 * threads share the set: so nothing is made in its pool. @return 0 if no such name can be stored */
static int fold_name(char folded[FOLDED_MAX], const char *name)
{
    apr_size_t length;

    if (qlm_text_is_empty(name)) {
        return 0;
    }
    name += strspn(name, BLANKS);
    for (length = strlen(name); length > 0 && strchr(BLANKS, name[length - 1]); length--) {
    }
    if (length == 0 || length >= FOLDED_MAX) {
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        folded[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    }
    folded[length] = '\0';
    return 1;
}

/* Let @a value, which was checked, be the one in force. */
static void use_value(qlm_properties_t *properties, qlm_property_t property, const char *value)
{
    properties->text[property] = value;
    if (rows[property].type == QLM_PROPERTY_BOOL || rows[property].type == QLM_PROPERTY_INT) {
        read_number(&properties->number[property], &rows[property], value);
    }
}

qlm_properties_t *qlm_properties_create(apr_pool_t *pool)
{
    qlm_properties_t *properties = apr_pcalloc(pool, sizeof(*properties));

    properties->pool = pool;
    properties->custom = apr_hash_make(pool);
    for (int i = 0; i < QLM_PROPERTY_COUNT; i++) {
        use_value(properties, (qlm_property_t)i, rows[i].fallback);
    }
    return properties;
}

void qlm_properties_put(qlm_properties_t *properties, const char *name, const char *value)
{
    const qlm_property_row_t *row = qlm_property_find(name);
    const char *copy = apr_pstrdup(properties->pool, value);
    char folded[FOLDED_MAX];
    int is_usable;

    if (row == NULL) {
        if (fold_name(folded, name)) {
            apr_hash_set(properties->custom, apr_pstrdup(properties->pool, folded),
                         APR_HASH_KEY_STRING, copy);
        }
        return;
    }
    /* Of a list that came past the check, the good parts still count: its default is another list.
     */
    is_usable = row->type == QLM_PROPERTY_LIST ||
                qlm_properties_check(name, copy, properties->pool) == NULL;
    properties->put[row - rows] = copy;
    use_value(properties, (qlm_property_t)(row - rows), is_usable ? copy : row->fallback);
}

int qlm_properties_bool(const qlm_properties_t *properties, qlm_property_t property)
{
    return properties->number[property] != 0;
}

apr_int64_t qlm_properties_int(const qlm_properties_t *properties, qlm_property_t property)
{
    return properties->number[property];
}

const char *qlm_properties_text(const qlm_properties_t *properties, qlm_property_t property)
{
    return properties->text[property];
}

const char *qlm_properties_get(const qlm_properties_t *properties, const char *name)
{
    const qlm_property_row_t *row = qlm_property_find(name);
    char folded[FOLDED_MAX];

    if (row) {
        return properties->put[row - rows];
    }
    return fold_name(folded, name) ? apr_hash_get(properties->custom, folded, APR_HASH_KEY_STRING)
                                   : NULL;
}
