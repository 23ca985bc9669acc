/* The bell is a word in shared memory, which Linux lets processes sleep on. */
#include "store/bell.h"

#include <apr_atomic.h>

#include <sys/mman.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#endif

struct qlm_bell_t {
    apr_uint32_t count;
};

#ifdef __linux__

static apr_status_t unmap(void *data)
{
    munmap(data, sizeof(qlm_bell_t));
    return APR_SUCCESS;
}

qlm_bell_t *qlm_bell_create(apr_pool_t *pool)
{
    void *bell =
        mmap(NULL, sizeof(qlm_bell_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (bell == MAP_FAILED) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, bell, unmap, apr_pool_cleanup_null);
    return bell;
}

void qlm_bell_wait(qlm_bell_t *bell, apr_uint32_t count, apr_interval_time_t at_most)
{
    struct timespec limit = {at_most / APR_USEC_PER_SEC, at_most % APR_USEC_PER_SEC * 1000};

    syscall(SYS_futex, &bell->count, FUTEX_WAIT, count, &limit, NULL, 0);
}

void qlm_bell_ring(qlm_bell_t *bell)
{
    apr_atomic_inc32(&bell->count);
    syscall(SYS_futex, &bell->count, FUTEX_WAKE, 1, NULL, NULL, 0);
}

#else

qlm_bell_t *qlm_bell_create(apr_pool_t *pool)
{
    (void)pool;
    return NULL;
}

void qlm_bell_wait(qlm_bell_t *bell, apr_uint32_t count, apr_interval_time_t at_most)
{
    (void)bell;
    (void)count;
    apr_sleep(at_most);
}

void qlm_bell_ring(qlm_bell_t *bell)
{
    (void)bell;
}

#endif

apr_uint32_t qlm_bell_count(const qlm_bell_t *bell)
{
    return apr_atomic_read32((volatile apr_uint32_t *)&bell->count);
}
