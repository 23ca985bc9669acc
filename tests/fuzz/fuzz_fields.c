/* The argument reader: any bytes as a form body. */
#include "base/fields.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *exact = malloc(size ? size : 1);
    qlm_fields_t *fields = qlm_fields_create(pool);

    FUZZ_PROMISE(exact != NULL);
    memcpy(exact, data, size);
    if (qlm_fields_parse(fields, exact, size, QLM_FROM_BODY) == NULL) {
        FUZZ_PROMISE(fields->list->nelts <= QLM_FIELDS_MAX);
    }
    for (int i = 0; i < fields->list->nelts; i++) {
        const qlm_field_t *field = &APR_ARRAY_IDX(fields->list, i, qlm_field_t);

        FUZZ_PROMISE(field->name && field->value);
        FUZZ_PROMISE(strlen(field->name) <= QLM_FIELD_NAME_MAX);
        FUZZ_PROMISE(strlen(field->value) <= size);
        FUZZ_PROMISE(field->source == QLM_FROM_BODY);
        FUZZ_PROMISE(qlm_fields_get(fields, field->name, QLM_FROM_URL) == NULL);
        FUZZ_PROMISE(!*field->value || qlm_fields_get(fields, field->name, QLM_FROM_ANY) != NULL);
        FUZZ_PROMISE(qlm_text_is_utf8(qlm_text_from_latin1_or_utf8(field->value, pool)));
    }
    free(exact);
    apr_pool_destroy(pool);
    return 0;
}
