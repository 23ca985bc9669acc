/* Comparing clocks. */
#include "service/clocks.h"

#include "store/clock.h"
#include "store/outbox.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <unistd.h>

/* A row of the outbox is begun with 9 seconds more of the lease than it takes at most (round.c): as
 * long as clocks differ by less, a lease has one holder. */
#define TOLERANCE apr_time_from_sec(5)
#define QUIET     3600 /* seconds */

qlm_error_t *qlm_clocks_compare(int *ahead, qlm_store_t *store, apr_pool_t *pool)
{
    apr_interval_time_t difference;

    QLM_TRY(qlm_store_compare_clocks(&difference, store, pool));
    *ahead = llabs(difference) > TOLERANCE ? (int)apr_time_sec(difference) : 0;
    return NULL;
}

/* ---- who speaks ---- */

/* The right to speak is a lease nobody extends. */
typedef struct turn_t {
    const char *name, *owner;
    apr_int64_t now;
    int is_ours;
} turn_t;

static qlm_error_t *turn_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    turn_t *turn = baton;

    return qlm_store_take_lease(&turn->is_ours, store, turn->name, turn->owner, turn->now,
                                turn->now + QUIET, pool);
}

qlm_error_t *qlm_clocks_take_turn(int *is_ours, qlm_store_t *store, const char *owner,
                                  apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    char host[256] = "localhost";
    turn_t turn = {0};

    gethostname(host, sizeof(host) - 1);
    turn.name = apr_psprintf(pool, "clock/%.50s", host);
    turn.owner = apr_psprintf(pool, "%s/%" APR_INT64_T_FMT, owner, (apr_int64_t)now);
    turn.now = apr_time_sec(now);
    QLM_TRY(qlm_store_write(store, turn_unit, &turn, pool));
    *is_ours = turn.is_ours;
    return NULL;
}
