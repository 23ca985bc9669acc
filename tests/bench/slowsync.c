/* Loaded in front of the C library: every flush of a file takes QLM_SYNC_DELAY_US longer, as on a
 * slower disk. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */
#endif

#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int (*flush_t)(int fd);

static int flush_slowly(const char *name, int fd)
{
    const char *delay = getenv("QLM_SYNC_DELAY_US");
    long us = delay ? strtol(delay, NULL, 10) : 0;
    struct timespec left = {us / 1000000, us % 1000000 * 1000};
    flush_t flush;

    /* ISO C has no cast from an object to a function. */
    *(void **)&flush = dlsym(RTLD_NEXT, name);
    while (nanosleep(&left, &left) != 0) {
    }
    return flush(fd);
}

int fsync(int fd)
{
    return flush_slowly("fsync", fd);
}

int fdatasync(int fd)
{
    return flush_slowly("fdatasync", fd);
}
