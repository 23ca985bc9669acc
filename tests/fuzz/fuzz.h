/* What the fuzz targets share: APR started once, a pool per input, the input as a terminated text
 * in a block of exactly its size (so that a sanitizer sees one byte too many). */
#ifndef QLM_TESTS_FUZZ_H
#define QLM_TESTS_FUZZ_H

#include <apr_general.h>
#include <apr_pools.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Stop at once if a promise of the code under test is broken. */
#define FUZZ_PROMISE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A pool of its own for one input. */
static inline apr_pool_t *fuzz_pool(void)
{
    static int is_started;
    apr_pool_t *pool = NULL;

    if (!is_started) {
        is_started = 1;
        FUZZ_PROMISE(apr_initialize() == APR_SUCCESS);
    }
    FUZZ_PROMISE(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    return pool;
}

/** The input as a text; to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_PROMISE(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
