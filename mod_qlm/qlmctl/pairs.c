/* Reading name=value. */
#include "qlmctl/pairs.h"

#include "base/text.h"

#include <apr_strings.h>
#include <string.h>

static const char *names_of(const qlm_pair_t *fields, apr_pool_t *pool)
{
    const char *names = "";

    for (const qlm_pair_t *field = fields; field->name; field++) {
        names = apr_pstrcat(pool, names, field == fields ? "" : ", ", field->name, "=", NULL);
    }
    return names;
}

static qlm_error_t *find(int *index, const char **value, qlm_tool_t *tool, const char *word,
                         const qlm_pair_t *fields)
{
    const char *equals = strchr(word, '=');

    for (int i = 0; equals && fields[i].name; i++) {
        size_t length = strlen(fields[i].name);

        if (length == (size_t)(equals - word) && strncmp(fields[i].name, word, length) == 0) {
            *index = i;
            *value = equals + 1;
            return NULL;
        }
    }
    return qlm_tool_usage(tool, "%s is not a field here; the fields are %s",
                          qlm_text_for_log(word, 40, tool->pool), names_of(fields, tool->pool));
}

/* All of it must be what XML and JSON can hold. */
static int is_usable(const qlm_pair_t *field, const char *value)
{
    if (strlen(value) > field->max_bytes ||
        (!field->may_have_lines && qlm_text_has_control(value))) {
        return 0;
    }
    while (*value) {
        apr_size_t length = qlm_text_xml_character(value);

        if (length == 0) {
            return 0;
        }
        value += length;
    }
    return 1;
}

qlm_error_t *qlm_pairs_read(const char **values, qlm_tool_t *tool, int first,
                            const qlm_pair_t *fields)
{
    for (int i = 0; fields[i].name; i++) {
        values[i] = NULL;
    }
    for (int i = first; i < tool->words->nelts; i++) {
        const char *value = NULL;
        int index = 0;

        QLM_TRY(find(&index, &value, tool, qlm_tool_word(tool, i), fields));
        if (values[index]) {
            return qlm_tool_usage(tool, "%s is given twice; give it once", fields[index].name);
        }
        if (!is_usable(&fields[index], value)) {
            return qlm_tool_usage(tool,
                                  "%s takes a UTF-8 text of at most %d bytes without control "
                                  "characters",
                                  fields[index].name, (int)fields[index].max_bytes);
        }
        values[index] = value;
    }
    return NULL;
}
