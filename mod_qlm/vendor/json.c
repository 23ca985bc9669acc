/* JSON that another server sent. */
#include "vendor/json.h"

#include <apr_strings.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 64

/** How deep arrays and objects are nested, counted before the parser is let near: it recurses. */
static int depth_of(const char *text, apr_size_t length)
{
    int depth = 0, deepest = 0, is_text = 0;
    for (apr_size_t i = 0; i < length; ++i) {
        if (is_text) {
            if (text[i] == '\\') {
                ++i;
            }
            else {
                is_text = text[i] != '"';
            }
        }
        else if (text[i] == '"') {
            is_text = 1;
        }
        else if (text[i] == '[' || text[i] == '{') {
            deepest = ++depth > deepest ? depth : deepest;
        }
        else if (text[i] == ']' || text[i] == '}') {
            --depth;
        }
    }
    return deepest;
}

static apr_status_t release(void *value)
{
    json_decref(value);
    return APR_SUCCESS;
}

json_t *qlm_json_keep(json_t *value, apr_pool_t *pool)
{
    if (value) {
        apr_pool_cleanup_register(pool, value, release, apr_pool_cleanup_null);
    }
    return value;
}

static qlm_error_t *refuse(const char *why, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "%s", why);
}

qlm_error_t *qlm_json_read(json_t **value, const char *text, apr_size_t length, apr_pool_t *pool)
{
    json_error_t where;
    *value = NULL;
    if (length > QLM_JSON_MAX_BYTES) {
        return refuse("the JSON is too large", pool);
    }
    if (depth_of(text, length) > QLM_JSON_MAX_DEPTH) {
        return refuse("the JSON is nested too deeply", pool);
    }
    /* As reals, because an integer that is too large shall be a bad number, not a bad document. */
    *value = qlm_json_keep(
        json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &where), pool);
    return *value ? NULL : refuse("it is no JSON", pool);
}

const json_t *qlm_json_member(const json_t *value, const char *path)
{
    char name[NAME_MAX_BYTES];
    while (value && *path) {
        apr_size_t length = strcspn(path, ".");
        if (length >= sizeof(name)) {
            return NULL;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        value = json_object_get(value, name);
        path += length + (path[length] == '.');
    }
    return json_is_null(value) ? NULL : value;
}

const char *qlm_json_text(const json_t *value, const char *path)
{
    const char *text = json_string_value(qlm_json_member(value, path));
    return text ? text : "";
}

const char *qlm_json_write(const json_t *value, apr_pool_t *pool)
{
    char *made = json_dumps(value, JSON_COMPACT);
    const char *text = made ? apr_pstrdup(pool, made) : NULL;
    free(made);
    return text;
}
