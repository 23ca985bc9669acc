/* Reading and writing features. */
#include "license/features.h"

#include "base/text.h"

#include <apr_strings.h>
#include <string.h>

#define SEPARATORS ";,"
#define BLANKS     " \t"

/* Read 1 to @a max_digits digits at *text, blanks around them, no more than @a max. */
static int read_number(unsigned int *number, const char **text, size_t max_digits, unsigned int max)
{
    const char *start = *text + strspn(*text, BLANKS);
    size_t digits = strspn(start, "0123456789");
    unsigned int value = 0;

    if (digits < 1 || digits > max_digits) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        value = value * 10 + (unsigned int)(start[i] - '0');
    }
    *text = start + digits + strspn(start + digits, BLANKS);
    *number = value;
    return value <= max;
}

/* Is @a text nothing but one "0", perhaps followed by separators? */
static int is_lone_zero(const char *text)
{
    const char *start = text + strspn(text, BLANKS);

    return *start == '0' && start[1 + strspn(start + 1, BLANKS SEPARATORS)] == '\0';
}

int qlm_features_parse(qlm_features_t *features, const char *text)
{
    qlm_features_t found = {{0}};

    if (text == NULL || is_lone_zero(text)) {
        *features = found;
        return 1;
    }
    for (text += strspn(text, BLANKS SEPARATORS); *text; text += strspn(text, BLANKS SEPARATORS)) {
        unsigned int set, value;

        if (!read_number(&set, &text, 1, QLM_FEATURE_SETS - 1) || *text++ != ':' ||
            !read_number(&value, &text, 3, 255) || (*text && !strchr(SEPARATORS, *text))) {
            return 0;
        }
        found.set[set] = (unsigned char)(found.set[set] | value);
    }
    *features = found;
    return 1;
}

const char *qlm_features_format(const qlm_features_t *features, apr_pool_t *pool)
{
    char text[QLM_FEATURE_SETS * sizeof("0:255;")];
    size_t length = 0;

    text[0] = '\0';
    for (int i = 0; i < QLM_FEATURE_SETS; i++) {
        if (features->set[i]) {
            length += (size_t)apr_snprintf(text + length, sizeof(text) - length, "%d:%d;", i,
                                           features->set[i]);
        }
    }
    return apr_pstrmemdup(pool, text, length);
}

/* The name of a feature among "set:id:name;…"; NULL if it has none. */
static const char *name_of(const char *names, const char *feature, apr_pool_t *pool)
{
    apr_array_header_t *rows = qlm_text_split(names, ";", pool);
    size_t length = strlen(feature);

    for (int i = 0; i < rows->nelts; i++) {
        const char *row = APR_ARRAY_IDX(rows, i, const char *);

        if (strncmp(row, feature, length) == 0 && row[length] == ':') {
            return row + length + 1;
        }
    }
    return NULL;
}

const char *qlm_features_names(const char *stored, const char *names, apr_pool_t *pool)
{
    const char *text = "";
    qlm_features_t features;

    if (!qlm_features_parse(&features, stored)) {
        return stored;
    }
    for (int bit = 0; bit < 8 * QLM_FEATURE_SETS; bit++) {
        unsigned int id = 1U << (bit % 8);

        if (features.set[bit / 8] & id) {
            const char *feature = apr_psprintf(pool, "%d:%u", bit / 8, id);
            const char *name = name_of(names, feature, pool);

            text = apr_pstrcat(pool, text, name ? name : feature, ",", NULL);
        }
    }
    return text;
}

/* One "set:id:name". *feature is set to the bit, 0 to 31. */
static int read_name(int *feature, const char *row)
{
    unsigned int set, id;
    int bit = 0;

    if (!read_number(&set, &row, 1, QLM_FEATURE_SETS - 1) || *row++ != ':' ||
        !read_number(&id, &row, 3, 128) || *row++ != ':' || id == 0 || (id & (id - 1)) != 0) {
        return 0;
    }
    while (1U << bit != id) {
        bit++;
    }
    *feature = 8 * (int)set + bit;
    return *row != '\0' && !strpbrk(row, ",:");
}

int qlm_features_are_names(const char *names, apr_pool_t *pool)
{
    apr_array_header_t *rows = qlm_text_split(names, ";", pool);
    unsigned int seen = 0;

    for (int i = 0; i < rows->nelts; i++) {
        int feature;

        if (!read_name(&feature, APR_ARRAY_IDX(rows, i, const char *)) ||
            (seen & (1U << feature)) != 0) {
            return 0;
        }
        seen |= 1U << feature;
    }
    return 1;
}
