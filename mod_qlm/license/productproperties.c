/* Definitions of product properties: types, checks, looking up. */
#include "license/productproperties.h"

#include "base/buffer.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_hash.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define UNSET_DATE "0001-01-01 00:00:00"

/* ---- types ------------------------------------------------------------------------------------
 */

static const char *const type_names[QLM_PP_TYPE_COUNT] = {
    [QLM_PP_INT] = "int",
    [QLM_PP_BOOL] = "bool",
    [QLM_PP_STRING] = "string",
    [QLM_PP_IP_ADDRESS] = "ipAddress",
    [QLM_PP_IP_SUBNET] = "ipSubnet",
    [QLM_PP_CSV] = "csv",
};

const char *qlm_pp_type_name(qlm_pp_type_t type)
{
    return type_names[type];
}

int qlm_pp_type_parse(qlm_pp_type_t *type, const char *text)
{
    for (int i = 0; text && i < QLM_PP_TYPE_COUNT; i++) {
        if (strcasecmp(text, type_names[i]) == 0) {
            *type = (qlm_pp_type_t)i;
            return 1;
        }
    }
    return 0;
}

/* A blank before a number is what "+" in a URL becomes: to read it as a plain number would do
 * something else than was meant. */
static const char *read_int(const char **value, const char *text, apr_pool_t *pool)
{
    apr_int64_t number;

    if (*text == ' ' || !qlm_text_to_int64(&number, text, APR_INT32_MIN, APR_INT32_MAX)) {
        return "a whole number of 32 bits; in a URL, + is written %2B";
    }
    *value = apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
    return NULL;
}

static const char *read_bool(const char **value, const char *text)
{
    int truth;

    if (!qlm_text_to_bool(&truth, text)) {
        return "true or false";
    }
    *value = truth ? "true" : "false";
    return NULL;
}

static const char *read_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1
               ? NULL
               : "an IP address such as 192.0.2.7 or 2001:db8::7";
}

static const char *read_subnet(const char *text, apr_pool_t *pool)
{
    char *address = apr_pstrdup(pool, text);
    char *mask = strchr(address, '/');
    apr_ipsubnet_t *subnet;

    if (mask) {
        *mask++ = '\0';
        if (!read_address(address) &&
            apr_ipsubnet_create(&subnet, address, mask, pool) == APR_SUCCESS) {
            return NULL;
        }
    }
    return "a subnet such as 192.0.2.0/24 or 2001:db8::/32";
}

const char *qlm_pp_read_value(const char **value, qlm_pp_type_t type, const char *text,
                              apr_pool_t *pool)
{
    const char *trimmed = qlm_text_trim(text, pool);
    const char *expected = NULL;

    if (strlen(text) > QLM_PP_VALUE_MAX || !qlm_text_is_utf8(text) || qlm_text_has_control(text)) {
        return "at most 1000 bytes of UTF-8 without control characters";
    }
    switch (type) {
    case QLM_PP_INT:
        return read_int(value, text, pool);
    case QLM_PP_BOOL:
        return read_bool(value, text);
    case QLM_PP_IP_ADDRESS:
        expected = read_address(trimmed);
        break;
    case QLM_PP_IP_SUBNET:
        expected = read_subnet(trimmed, pool);
        break;
    case QLM_PP_STRING:
    case QLM_PP_CSV:
    case QLM_PP_TYPE_COUNT:
    default:
        break;
    }
    *value = expected ? *value : trimmed;
    return expected;
}

/* ---- one definition ---------------------------------------------------------------------------
 */

const char *qlm_pp_key(const char *category, const char *name, apr_pool_t *pool)
{
    return qlm_text_fold(*category ? apr_pstrcat(pool, category, ".", name, NULL) : name, pool);
}

const char *qlm_pp_date(apr_int64_t seconds, apr_pool_t *pool)
{
    return seconds ? qlm_date_format(seconds, "yyyy-MM-dd HH:mm:ss", pool) : UNSET_DATE;
}

static int is_text(const char *text, apr_size_t max)
{
    return strlen(text) <= max && qlm_text_is_utf8(text) && !qlm_text_has_control(text);
}

/* "::" and "||" separate the parts of is_pp: a name that holds them could never be set. */
static int is_name(const char *text, apr_pool_t *pool)
{
    return is_text(text, QLM_PP_NAME_MAX) && !strstr(text, "::") && !strchr(text, '|') &&
           strcmp(qlm_text_trim(text, pool), text) == 0;
}

qlm_error_t *qlm_pp_check_definition(qlm_pp_definition_t *definition, apr_pool_t *pool)
{
    const char *expected = NULL;

    if (!*definition->name || !is_name(definition->name, pool) ||
        !is_name(definition->category, pool) || strchr(definition->category, '.')) {
        return qlm_error_make(
            pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
            "%s is no name of a product property: use category.name, each of at "
            "most %d bytes, without :: and |",
            qlm_text_for_log(qlm_pp_key(definition->category, definition->name, pool), 80, pool),
            QLM_PP_NAME_MAX);
    }
    if (!is_text(definition->help, QLM_PP_VALUE_MAX)) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the help takes at most %d bytes of UTF-8 without control characters",
                              QLM_PP_VALUE_MAX);
    }
    if (*definition->default_value) {
        expected = qlm_pp_read_value(&definition->default_value, definition->type,
                                     definition->default_value, pool);
    }
    return expected ? qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                     "the default %s does not fit type %s: it takes %s",
                                     qlm_text_for_log(definition->default_value, 40, pool),
                                     qlm_pp_type_name(definition->type), expected)
                    : NULL;
}

/* ---- the definitions of a product version -----------------------------------------------------
 */

typedef struct entry_t {
    qlm_pp_definition_t definition;
    const char *before, *between; /* parts of the XML */
} entry_t;

struct qlm_pp_definitions_t {
    apr_array_header_t *list; /* of entry_t * */
    apr_hash_t *by_key;       /* entry_t * */
    apr_hash_t *by_name;      /* entry_t *, or &several where a name is not unique */
    apr_pool_t *pool;
};

static const entry_t several;

qlm_pp_definitions_t *qlm_pp_definitions_create(apr_pool_t *pool)
{
    qlm_pp_definitions_t *definitions = apr_palloc(pool, sizeof(*definitions));

    definitions->list = apr_array_make(pool, 8, sizeof(entry_t *));
    definitions->by_key = apr_hash_make(pool);
    definitions->by_name = apr_hash_make(pool);
    definitions->pool = pool;
    return definitions;
}

static void add_attribute(qlm_buffer_t *buffer, const char *name, const char *value)
{
    qlm_buffer_addf(buffer, " %s=\"", name);
    qlm_buffer_add_attribute(buffer, value);
    qlm_buffer_add(buffer, "\"");
}

static void make_markup(entry_t *entry, apr_pool_t *pool)
{
    const qlm_pp_definition_t *definition = &entry->definition;
    qlm_buffer_t *before = qlm_buffer_create(200, pool);
    qlm_buffer_t *between = qlm_buffer_create(200, pool);

    qlm_buffer_add(before, "<Property");
    add_attribute(before, "ID", definition->guid);
    add_attribute(before, "name", definition->name);
    add_attribute(before, "category", definition->category);
    add_attribute(before, "defaultValue", definition->default_value);
    qlm_buffer_add(before, " value=\"");
    qlm_buffer_add(between, "\"");
    add_attribute(between, "type", qlm_pp_type_name(definition->type));
    add_attribute(between, "help", definition->help);
    add_attribute(between, "lastDefinitionUpdate", qlm_pp_date(definition->updated_at, pool));
    qlm_buffer_add(between, " lastValueUpdate=\"");
    entry->before = before->text;
    entry->between = between->text;
}

void qlm_pp_definitions_add(qlm_pp_definitions_t *definitions,
                            const qlm_pp_definition_t *definition)
{
    entry_t *entry = apr_palloc(definitions->pool, sizeof(*entry));
    const char *name = qlm_text_fold(definition->name, definitions->pool);

    entry->definition = *definition;
    entry->definition.key = qlm_pp_key(definition->category, definition->name, definitions->pool);
    make_markup(entry, definitions->pool);
    APR_ARRAY_PUSH(definitions->list, entry_t *) = entry;
    apr_hash_set(definitions->by_key, entry->definition.key, APR_HASH_KEY_STRING, entry);
    apr_hash_set(definitions->by_name, name, APR_HASH_KEY_STRING,
                 apr_hash_get(definitions->by_name, name, APR_HASH_KEY_STRING) ? &several : entry);
}

int qlm_pp_definitions_count(const qlm_pp_definitions_t *definitions)
{
    return definitions ? definitions->list->nelts : 0;
}

const qlm_pp_definition_t *qlm_pp_definitions_at(const qlm_pp_definitions_t *definitions, int index)
{
    return &APR_ARRAY_IDX(definitions->list, index, const entry_t *)->definition;
}

void qlm_pp_definitions_markup(const char **before, const char **between,
                               const qlm_pp_definitions_t *definitions, int index)
{
    const entry_t *entry = APR_ARRAY_IDX(definitions->list, index, const entry_t *);

    *before = entry->before;
    *between = entry->between;
}

const qlm_pp_definition_t *qlm_pp_definitions_find(int *is_ambiguous,
                                                   const qlm_pp_definitions_t *definitions,
                                                   const char *text, apr_pool_t *pool)
{
    const char *key = qlm_text_fold(text, pool);
    const char *dot = strchr(key, '.');
    const entry_t *found;

    *is_ambiguous = 0;
    if (!definitions) {
        return NULL;
    }
    found = apr_hash_get(definitions->by_key, key, APR_HASH_KEY_STRING);
    if (!found) {
        found = apr_hash_get(definitions->by_name, key, APR_HASH_KEY_STRING);
    }
    if (!found && dot) {
        found = apr_hash_get(definitions->by_name, dot + 1, APR_HASH_KEY_STRING);
    }
    *is_ambiguous = found == &several;
    return found && !*is_ambiguous ? &found->definition : NULL;
}
