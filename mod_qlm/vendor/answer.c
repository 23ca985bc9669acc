/* Answers that several shops have in common. */
#include "vendor/answer.h"

#include "base/text.h"

#include <apr_strings.h>

#define LINE_MAX_BYTES 400

int qlm_answer_status(const qlm_error_t *error)
{
    switch (error->kind) {
    case QLM_ERROR_ARGUMENT:
    case QLM_ERROR_REFUSED:
        return 400;
    case QLM_ERROR_DENIED:
        return 403;
    case QLM_ERROR_MISSING:
        /* A product that the shop sells and we do not know is the order's fault, not the URL's. */
        return error->code == QLM_CODE_PRODUCT_NOT_FOUND || error->code == QLM_CODE_NO_PRODUCT
                   ? 400
                   : 404;
    case QLM_ERROR_METHOD:
        return 405;
    case QLM_ERROR_TOO_LARGE:
        return 413;
    case QLM_ERROR_CONFLICT: /* the shop may try again */
    case QLM_ERROR_STORE:
    case QLM_ERROR_OUTBOUND:
        return 503;
    case QLM_ERROR_INTERNAL:
        break;
    }
    return 500;
}

void qlm_answer_keys_as_text(qlm_answer_t *answer, const apr_array_header_t *keys,
                             const char *content_type, apr_pool_t *pool)
{
    answer->http_status = 200;
    answer->content_type = content_type;
    answer->body = apr_array_pstrcat(pool, keys, '\n');
}

void qlm_answer_failure_as_text(qlm_answer_t *answer, const qlm_error_t *error,
                                const char *content_type, apr_pool_t *pool)
{
    answer->http_status = qlm_answer_status(error);
    answer->content_type = content_type;
    answer->body =
        apr_pstrcat(pool, "Error: ", qlm_text_for_log(error->text, LINE_MAX_BYTES, pool), NULL);
}
