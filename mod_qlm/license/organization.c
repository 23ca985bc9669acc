/* Matching addresses with the patterns of an organization. */
#include "license/organization.h"

#include "base/text.h"

#include <string.h>

/* Only the last % need be tried again, so the work stays within length times length. */
static int matches(const char *pattern, const char *text)
{
    const char *after_percent = NULL;
    const char *from = NULL;

    while (*text) {
        if (*pattern == '%') {
            after_percent = ++pattern;
            from = text;
        }
        else if (*pattern == *text) {
            pattern++;
            text++;
        }
        else if (after_percent) {
            pattern = after_percent;
            text = ++from;
        }
        else {
            return 0;
        }
    }
    return pattern[strspn(pattern, "%")] == '\0';
}

int qlm_organization_covers(const char *domains, const char *email, apr_pool_t *pool)
{
    const char *address = qlm_text_fold(email, pool);
    const char *at = strrchr(address, '@');
    apr_array_header_t *patterns;

    if (!at) {
        return 0;
    }
    patterns = qlm_text_split(qlm_text_fold(domains, pool), ",", pool);
    for (int i = 0; i < patterns->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(patterns, i, const char *);

        if (matches(pattern, at + 1) || matches(pattern, address)) {
            return 1;
        }
    }
    return 0;
}
