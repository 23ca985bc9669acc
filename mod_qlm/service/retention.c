/* Retention by the properties …RetentionInDays. */
#include "service/retention.h"

#include "base/date.h"
#include "store/attempts.h"
#include "store/history.h"

#define BATCH 500

/* What is kept for a time, and how it is removed. */
typedef struct kind_t {
    qlm_property_t days; /* -1 = for ever */
    qlm_error_t *(*has_old)(int *has_old, qlm_store_t *store, apr_int64_t before, apr_pool_t *pool);
    qlm_error_t *(*purge)(int *removed, qlm_store_t *store, apr_int64_t before, int limit,
                          apr_pool_t *pool);
} kind_t;

static const kind_t kinds[] = {
    {QLM_PROPERTY_OUTBOX_DAYS, qlm_store_has_old_outbox, qlm_store_purge_outbox},
    {QLM_PROPERTY_HISTORY_DAYS, qlm_store_has_old_history, qlm_store_purge_history},
    {QLM_PROPERTY_ATTEMPT_DAYS, qlm_store_has_old_attempts, qlm_store_purge_attempts},
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* What ended before this is old; 0 = nothing ever is. */
static apr_int64_t oldest_kept(const kind_t *kind, const qlm_round_t *round)
{
    apr_int64_t days = qlm_properties_int(round->properties, kind->days);

    return days < 0 ? 0 : qlm_round_now(round) - days * QLM_DATE_DAY;
}

qlm_error_t *qlm_retention_look(int *has_old, qlm_store_t *store, const qlm_round_t *round,
                                apr_pool_t *pool)
{
    *has_old = 0;
    for (size_t i = 0; i < KINDS && !*has_old; i++) {
        apr_int64_t before = oldest_kept(&kinds[i], round);

        if (before) {
            QLM_TRY(kinds[i].has_old(has_old, store, before, pool));
        }
    }
    return NULL;
}

typedef struct purge_t {
    const kind_t *kind;
    apr_int64_t before;
    int removed;
} purge_t;

static qlm_error_t *purge_unit(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    purge_t *purge = baton;

    return purge->kind->purge(&purge->removed, store, purge->before, BATCH, pool);
}

qlm_error_t *qlm_retention_purge(qlm_round_t *round, apr_pool_t *pool)
{
    for (size_t i = 0; i < KINDS && !qlm_round_is_stopping(round); i++) {
        purge_t purge = {&kinds[i], oldest_kept(&kinds[i], round), 0};

        if (purge.before) {
            QLM_TRY(qlm_round_write(round, purge_unit, &purge, pool));
            round->result->purged += purge.removed;
        }
    }
    return NULL;
}
