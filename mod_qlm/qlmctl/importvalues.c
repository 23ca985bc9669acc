/* Values of an imported row: what other servers write, read strictly. */
#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"
#include "qlmctl/import.h"

#include <apr_strings.h>
#include <string.h>

/* The first of the names that the table has; -1 if it has none. */
static int column_of(const qlm_table_t *table, const char *names)
{
    char name[64];

    while (*names) {
        apr_size_t length = strcspn(names, "|");
        int column;

        apr_cpystrn(name, names, length + 1 < sizeof(name) ? length + 1 : sizeof(name));
        column = qlm_table_column(table, name);
        if (column >= 0) {
            return column;
        }
        names += length + (names[length] == '|');
    }
    return -1;
}

int qlm_import_has(const qlm_table_t *table, const char *names)
{
    return column_of(table, names) >= 0;
}

static qlm_error_t *bad_value(const qlm_import_t *import, const char *names, const char *value,
                              const char *takes, apr_pool_t *pool)
{
    int column = column_of(import->table, names);
    const char *name = column >= 0 ? APR_ARRAY_IDX(import->table->columns, column, const char *)
                                   : apr_pstrmemdup(pool, names, strcspn(names, "|"));

    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "%s takes %s, not \"%s\"", name, takes,
                          qlm_text_for_log(value, 60, pool));
}

static const char *value_of(const qlm_import_t *import, const qlm_table_row_t *row,
                            const char *names, apr_pool_t *pool)
{
    return qlm_text_trim(qlm_table_value(row, column_of(import->table, names)), pool);
}

qlm_error_t *qlm_import_text(const char **text, const qlm_import_t *import,
                             const qlm_table_row_t *row, const char *names, apr_size_t max,
                             apr_pool_t *pool)
{
    *text = value_of(import, row, names, pool);
    return strlen(*text) <= max
               ? NULL
               : bad_value(import, names, *text,
                           apr_psprintf(pool, "at most %" APR_SIZE_T_FMT " bytes", max), pool);
}

qlm_error_t *qlm_import_number(int *number, const qlm_import_t *import, const qlm_table_row_t *row,
                               const char *names, int min, int max, apr_pool_t *pool)
{
    const char *text = value_of(import, row, names, pool);
    apr_int64_t value;

    if (!*text) {
        return NULL;
    }
    if (!qlm_text_to_int64(&value, text, min, max)) {
        return bad_value(import, names, text,
                         apr_psprintf(pool, "a whole number from %d to %d", min, max), pool);
    }
    *number = (int)value;
    return NULL;
}

/* A data set writes 2023-10-29T13:14:26.123+01:00. @return 1 and the zone's seconds east of UTC */
static int cut_zone(const char **text, apr_int64_t *east, apr_pool_t *pool)
{
    const char *rest = *text + 19;
    int sign;

    *east = 0;
    if (strlen(*text) <= 19 || (*text)[10] != 'T') {
        return 1;
    }
    if (*rest == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    *text = apr_pstrmemdup(pool, *text, 19);
    if (strcmp(rest, "") == 0 || strcmp(rest, "Z") == 0) {
        return 1;
    }
    sign = *rest == '-' ? -1 : 1;
    if (strlen(rest) != 6 || (*rest != '+' && *rest != '-') || rest[3] != ':' ||
        strspn(rest + 1, "0123456789") != 2 || strspn(rest + 4, "0123456789") != 2) {
        return 0;
    }
    *east = sign * ((rest[1] - '0') * 36000 + (rest[2] - '0') * 3600 + (rest[4] - '0') * 600 +
                    (rest[5] - '0') * 60);
    return 1;
}

qlm_error_t *qlm_import_time(apr_int64_t *seconds, const qlm_import_t *import,
                             const qlm_table_row_t *row, const char *names, apr_pool_t *pool)
{
    const char *text = value_of(import, row, names, pool);
    const char *rest = text;
    apr_int64_t east;

    *seconds = 0;
    if (!*text || strncmp(text, "0001-01-01", 10) == 0 || strncmp(text, "9999-12-31", 10) == 0) {
        return NULL;
    }
    if (!cut_zone(&rest, &east, pool) || !qlm_date_parse_any(seconds, rest, import->date_pattern)) {
        return bad_value(import, names, text,
                         "a date such as 2030-12-31 or 2030-12-31 23:59:59 (see --date-format)",
                         pool);
    }
    *seconds -= east;
    return NULL;
}

qlm_error_t *qlm_import_flag(int *flag, const qlm_import_t *import, const qlm_table_row_t *row,
                             const char *names, apr_pool_t *pool)
{
    const char *text = value_of(import, row, names, pool);

    if (!*text) {
        return NULL;
    }
    if (strcmp(text, "-1") == 0) {
        *flag = 1;
        return NULL;
    }
    return qlm_text_to_bool(flag, text) ? NULL
                                        : bad_value(import, names, text, "true or false", pool);
}

qlm_error_t *qlm_import_key(const char **key, const qlm_import_t *import,
                            const qlm_table_row_t *row, apr_pool_t *pool)
{
    const char *text = value_of(import, row, "ActivationKey", pool);

    if (qlm_keygen_read(key, text, import->secrets, pool) == QLM_KEY_UNREADABLE) {
        return *text ? bad_value(import, "ActivationKey", qlm_keygen_for_log(text, pool), "a key",
                                 pool)
                     : qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_NOT_PROVIDED,
                                      "there is no ActivationKey");
    }
    return NULL;
}
