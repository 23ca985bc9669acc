/* What the tests of the outbox share: making rows, changing them, and taking the lease. */
#ifndef QLM_TESTS_OUTBOX_FIXTURE_H
#define QLM_TESTS_OUTBOX_FIXTURE_H

#include "unit/service_fixture.h"

UNIT(add_row, qlm_outbox_row_t)
{
    return qlm_store_add_outbox(unit_store, baton, unit_pool);
}

static inline qlm_outbox_row_t new_row(apr_int64_t id, const char *order_key, apr_int64_t next_at)
{
    qlm_outbox_row_t row = {.id = id,
                            .kind = QLM_OUTBOX_WEBHOOK,
                            .state = QLM_OUTBOX_WAITING,
                            .target = "https://hook.example/a",
                            .subject = "license_created AB12",
                            .order_key = order_key,
                            .payload = "{\"a\":\"\xc3\xa9 'x'\"}",
                            .last_error = "",
                            .created_at = NOW,
                            .next_at = next_at};

    return row;
}

static inline apr_int64_t write_row(qlm_outbox_row_t row)
{
    OK(qlm_store_write(store, add_row, &row, pool));
    return row.id;
}

/* The ids of rows, "1 2 3". */
static inline const char *ids_of(const apr_array_header_t *rows)
{
    const char *ids = "";

    for (int i = 0; i < rows->nelts; i++) {
        ids = apr_psprintf(pool, "%s%s%" APR_INT64_T_FMT, ids, i ? " " : "",
                           APR_ARRAY_IDX(rows, i, qlm_outbox_row_t).id);
    }
    return ids;
}

typedef struct change_t {
    qlm_outbox_row_t row;
    int force, changed;
} change_t;

UNIT(change_row, change_t)
{
    return qlm_store_update_outbox(&baton->changed, unit_store, &baton->row, baton->force,
                                   unit_pool);
}

static inline int change(apr_int64_t id, const char *state, apr_int64_t next_at,
                         apr_int64_t finished_at, int force)
{
    change_t work = {*find_row(id), force, -1};

    work.row.state = state;
    work.row.attempts++;
    work.row.next_at = next_at;
    work.row.finished_at = finished_at;
    OK(qlm_store_write(store, change_row, &work, pool));
    return work.changed;
}

typedef struct lease_t {
    const char *name, *owner;
    apr_int64_t at, until;
    int taken;
} lease_t;

UNIT(lease_unit, lease_t)
{
    return qlm_store_take_lease(&baton->taken, unit_store, baton->name, baton->owner, baton->at,
                                baton->until, unit_pool);
}

static inline int take(qlm_store_t *in, const char *name, const char *owner, apr_int64_t at,
                       apr_int64_t until)
{
    lease_t lease = {name, owner, at, until, -1};

    OK(qlm_store_write(in, lease_unit, &lease, pool));
    return lease.taken;
}

#endif
