/* The key reader: any text as an activation key. */
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "license/keygen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char secret[32] = {1, 2, 3};
    apr_pool_t *pool = fuzz_pool();
    const qlm_secrets_t *secrets = qlm_secrets_from_bytes(secret, 1, pool);
    char *typed = fuzz_text(data, size);
    const char *normal = NULL, *again = NULL;
    qlm_key_shape_t shape = qlm_keygen_read(&normal, typed, secrets, pool);

    FUZZ_PROMISE(normal != NULL);
    FUZZ_PROMISE(strlen(normal) <= QLM_KEY_MAX_LENGTH);
    FUZZ_PROMISE((shape == QLM_KEY_UNREADABLE) == (*normal == '\0'));
    FUZZ_PROMISE(shape != QLM_KEY_OURS || strlen(normal) == QLM_KEY_LENGTH);
    if (shape != QLM_KEY_UNREADABLE) {
        /* what is shown to people reads back as the same key */
        FUZZ_PROMISE(qlm_keygen_read(&again, qlm_keygen_display(normal, pool), secrets, pool) ==
                     shape);
        FUZZ_PROMISE(strcmp(again, normal) == 0);
    }
    FUZZ_PROMISE(!qlm_text_has_control(qlm_keygen_for_log(normal, pool)));
    free(typed);
    apr_pool_destroy(pool);
    return 0;
}
