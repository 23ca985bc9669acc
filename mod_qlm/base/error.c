/* Making errors. */
#include "base/error.h"

#include <apr_strings.h>
#include <stdarg.h>

static qlm_error_t *make(apr_pool_t *pool, qlm_error_kind_t kind, qlm_code_t code)
{
    qlm_error_t *error = apr_pcalloc(pool, sizeof(*error));

    error->kind = kind;
    error->code = code;
    return error;
}

qlm_error_t *qlm_error_make(apr_pool_t *pool, qlm_error_kind_t kind, qlm_code_t code,
                            const char *format, ...)
{
    qlm_error_t *error = make(pool, kind, code);
    va_list arguments;

    va_start(arguments, format);
    error->text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return error;
}

qlm_error_t *qlm_error_store(apr_pool_t *pool, const char *format, ...)
{
    qlm_error_t *error = make(pool, QLM_ERROR_STORE, QLM_CODE_DATABASE);
    va_list arguments;

    error->text = "temporarily unavailable; try again later";
    va_start(arguments, format);
    error->detail = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return error;
}

qlm_error_t *qlm_error_detail(qlm_error_t *error, apr_pool_t *pool, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error->detail = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return error;
}

qlm_error_t *qlm_error_copy(const qlm_error_t *error, apr_pool_t *pool)
{
    qlm_error_t *copy;

    if (!error) {
        return NULL;
    }
    copy = apr_pmemdup(pool, error, sizeof(*error));
    copy->text = apr_pstrdup(pool, error->text);
    copy->detail = apr_pstrdup(pool, error->detail);
    return copy;
}
