/* Deactivation codes: making and checking. */
#include "license/deactivation.h"

#include "base/crypto.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

qlm_error_t *qlm_deactivation_code(const char **code, const qlm_deactivation_t *deactivation,
                                   apr_int64_t day, apr_pool_t *pool)
{
    return qlm_md5_hex(code,
                       apr_pstrcat(pool, deactivation->activation_key, "|",
                                   deactivation->computer_id, "|", deactivation->encryption_key,
                                   "|", qlm_date_format(day, "yyyy-MM-dd", pool), NULL),
                       pool);
}

/* As typed: without dashes and blanks, in lower case. */
static const char *read_code(const char *typed, apr_pool_t *pool)
{
    char *code = apr_palloc(pool, strlen(typed) + 1);
    char *end = code;

    for (; *typed; typed++) {
        if (*typed != '-' && !apr_isspace(*typed)) {
            *end++ = (char)apr_tolower(*typed);
        }
    }
    *end = '\0';
    return code;
}

/* The key between its braces, if it has both. */
static const char *without_braces(const char *key, apr_pool_t *pool)
{
    apr_size_t length = strlen(key);

    return length > 2 && key[0] == '{' && key[length - 1] == '}'
               ? apr_pstrmemdup(pool, key + 1, length - 2)
               : key;
}

/* All days are always compared. */
static qlm_error_t *check_days(int *is_right, const char *code,
                               const qlm_deactivation_t *deactivation, apr_int64_t now,
                               apr_pool_t *pool)
{
    for (int day = -1; day <= 1; day++) {
        const char *expected;

        QLM_TRY(qlm_deactivation_code(&expected, deactivation, now + day * QLM_DATE_DAY, pool));
        *is_right |= qlm_equal_constant_time(code, expected);
    }
    return NULL;
}

qlm_error_t *qlm_deactivation_check(int *is_right, const char *code,
                                    const qlm_deactivation_t *deactivation, apr_int64_t now,
                                    apr_pool_t *pool)
{
    qlm_deactivation_t each = *deactivation;
    const char *bare;

    *is_right = 0;
    if (qlm_text_is_empty(deactivation->encryption_key)) {
        return NULL;
    }
    code = read_code(code, pool);
    bare = without_braces(deactivation->encryption_key, pool);
    each.encryption_key = bare;
    QLM_TRY(check_days(is_right, code, &each, now, pool));
    each.encryption_key = apr_pstrcat(pool, "{", bare, "}", NULL);
    return check_days(is_right, code, &each, now, pool);
}
