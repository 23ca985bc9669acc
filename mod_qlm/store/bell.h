/* A bell that a process shares with those it forks: who waits for something sleeps until another
 * one rings. It only makes waiting short and cheap: a process that is killed rings no more, and
 * others have another bell or none. So sleeps are bounded, and what is waited for is looked at
 * after each. Made by qlm_bell_create, see store.h. Internal to the store. */
#ifndef QLM_STORE_BELL_H
#define QLM_STORE_BELL_H

#include "store/store.h"

#include <apr_time.h>

typedef struct qlm_bell_t qlm_bell_t;

/** How often it was rung. To be asked before looking at what is waited for. */
apr_uint32_t qlm_bell_count(const qlm_bell_t *bell);

/** Sleep until it is rung once more than @a count times, or for so long. Those who sleep are woken
 * in the order they came. */
void qlm_bell_wait(qlm_bell_t *bell, apr_uint32_t count, apr_interval_time_t at_most);

/** Wake the one that has slept longest. */
void qlm_bell_ring(qlm_bell_t *bell);

#endif
