/* Texts and bytes in blocks of exactly their size, so that valgrind and the sanitizers see one byte
 * too many. Freed with the pool. */
#ifndef QLM_TESTS_EXACT_H
#define QLM_TESTS_EXACT_H

#include <apr_pools.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

static inline apr_status_t free_exact(void *block)
{
    free(block);
    return APR_SUCCESS;
}

/** A copy of @a length bytes, not terminated. */
static inline char *exact_bytes(const void *bytes, apr_size_t length, apr_pool_t *pool)
{
    char *block = malloc(length ? length : 1);

    ck_assert_ptr_nonnull(block);
    if (length) {
        memcpy(block, bytes, length);
    }
    apr_pool_cleanup_register(pool, block, free_exact, apr_pool_cleanup_null);
    return block;
}

/** A copy of a text. */
static inline char *exact(const char *text, apr_pool_t *pool)
{
    return exact_bytes(text, strlen(text) + 1, pool);
}

#endif
