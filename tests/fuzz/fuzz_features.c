/* Features: any text as is_features. */
#include "fuzz/fuzz.h"
#include "license/features.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = fuzz_pool();
    char *text = fuzz_text(data, size);
    qlm_features_t features = {{0}}, again = {{0}};

    if (qlm_features_parse(&features, text)) {
        const char *stored = qlm_features_format(&features, pool);

        FUZZ_PROMISE(qlm_features_parse(&again, stored));
        FUZZ_PROMISE(memcmp(&features, &again, sizeof features) == 0);
        FUZZ_PROMISE(strcmp(stored, qlm_features_format(&again, pool)) == 0);
    }
    free(text);
    apr_pool_destroy(pool);
    return 0;
}
