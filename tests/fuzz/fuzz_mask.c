/* Masking: any text as a query. Nothing that the argument reader takes for is_pwd may be left. */
#include "base/fields.h"
#include "base/mask.h"
#include "fuzz/fuzz.h"

#include <strings.h>

static int is_masked(const char *value)
{
    return !*value || strcmp(value, "***") == 0 || strncmp(value, "*** HTTP/", 9) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    qlm_fields_t *fields = qlm_fields_create(pool);
    const char *masked = qlm_mask_text(text, pool);

    FUZZ_PROMISE(qlm_mask_text(masked, pool) == masked);
    qlm_fields_parse(fields, masked, strlen(masked), QLM_FROM_URL);
    for (int i = 0; i < fields->list->nelts; i++) {
        const qlm_field_t *field = &APR_ARRAY_IDX(fields->list, i, qlm_field_t);

        FUZZ_PROMISE(strcasecmp(field->name, "is_pwd") != 0 || is_masked(field->value));
    }
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
