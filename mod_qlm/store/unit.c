/* Units of work: one transaction each, rolled back at any error, run again when somebody was in the
 * way. Nobody else begins or commits. */
#include "store/connection.h"
#include "store/writer.h"

#include "base/crypto.h"

#include <apr_time.h>

#define ATTEMPTS        5
#define SERVER_ATTEMPTS 12 /* rows that many want at once can be a deadlock again and again */
#define WAIT_MAX        apr_time_from_sec(10) /* for turns to write, all attempts together */
/* No new attempt after this: the driver's own patience with a foreign lock is 1.7 s each time. */
#define RETRY_BUDGET  apr_time_from_msec(3400)
#define PAUSE_MIN_US  1000
#define PAUSE_SPAN_US 8192

/* 2020-01-01 00:00:00 UTC: where the ids' clock begins. */
#define EPOCH     ((apr_int64_t)1577836800 * APR_USEC_PER_SEC)
#define ID_RANDOM 12 /* bits */

apr_int64_t qlm_store_new_id(qlm_store_t *store)
{
    apr_uint64_t noise = 0;
    apr_int64_t id;

    /* Without randomness the clock and the unique keys have to do. */
    (void)qlm_random(&noise, sizeof(noise), store->pool);
    id = (apr_int64_t)((apr_uint64_t)(apr_time_now() - EPOCH) << ID_RANDOM |
                       (noise & ((1u << ID_RANDOM) - 1)));
    if (id <= store->last_id) {
        id = store->last_id + 1;
    }
    store->last_id = id;
    return id;
}

/* ---- one transaction ---- */

static void roll_back(qlm_store_t *store, apr_pool_t *pool)
{
    store->is_in_unit = 0;
    /* An engine that has ended the transaction by itself refuses this: as well. */
    (void)qlm_connection_execute_text(store, "ROLLBACK", pool);
}

/* A thread that ends in the middle, pool and all, leaves nothing behind. */
static apr_status_t roll_back_abandoned(void *data)
{
    qlm_store_t *store = data;
    apr_pool_t *pool;

    if (store->is_in_unit) {
        apr_pool_create(&pool, NULL);
        roll_back(store, pool);
        apr_pool_destroy(pool);
    }
    return APR_SUCCESS;
}

/* A unit that shares the transaction: undone by itself, unless the database failed. */
static qlm_error_t *run_shared(qlm_store_t *store, qlm_job_t *job)
{
    QLM_TRY(qlm_connection_execute_text(store, "SAVEPOINT unit", job->pool));
    job->error = job->unit(store, job->baton, job->pool);
    if (job->error) {
        if (job->error->kind == QLM_ERROR_STORE) {
            return job->error;
        }
        QLM_TRY(qlm_connection_execute_text(store, "ROLLBACK TO unit", job->pool));
    }
    return qlm_connection_execute_text(store, "RELEASE unit", job->pool);
}

static qlm_error_t *run_jobs(qlm_store_t *store, qlm_job_t *batch)
{
    qlm_job_t *job;

    if (!batch->next) {
        return batch->unit(store, batch->baton, batch->pool);
    }
    for (job = batch; job; job = job->next) {
        qlm_error_t *error = run_shared(store, job);

        if (error) {
            /* Whose fault it was will show when each is run by itself. */
            for (job = batch; job; job = job->next) {
                job->is_alone = 1;
            }
            return error;
        }
    }
    return NULL;
}

/* PostgreSQL reports success for the COMMIT of a transaction in which a statement has failed,
 * though it undoes it. */
static qlm_error_t *check_unbroken(const qlm_store_t *store, apr_pool_t *pool)
{
    return store->is_unit_broken && store->dialect != QLM_DIALECT_SQLITE
               ? qlm_error_store(pool, "database: a statement of the unit had failed")
               : NULL;
}

static qlm_error_t *run_in_transaction(qlm_store_t *store, qlm_job_t *batch)
{
    apr_pool_t *pool = batch->pool;
    qlm_error_t *error;

    QLM_TRY(qlm_connection_execute_text(
        store, store->dialect == QLM_DIALECT_SQLITE ? "BEGIN IMMEDIATE" : "BEGIN", pool));
    store->is_in_unit = 1;
    store->is_unit_broken = 0;
    store->is_outcome_open = 0;
    store->locked_license = 0;
    *store->locked_key = '\0';
    apr_pool_pre_cleanup_register(pool, store, roll_back_abandoned);
    error = run_jobs(store, batch);
    if (!error) {
        error = check_unbroken(store, pool);
    }
    if (!error) {
        error = qlm_connection_commit(store, pool);
    }
    if (error) {
        roll_back(store, pool);
    }
    store->is_in_unit = 0;
    apr_pool_cleanup_kill(pool, store, roll_back_abandoned);
    return error;
}

static void run_batch(qlm_store_t *store, qlm_job_t *batch)
{
    qlm_error_t *error = run_in_transaction(store, batch);
    qlm_job_t *job;

    /* Everybody's work is undone, and even a refusal may have rested on it. */
    for (job = batch; error && job; job = job->next) {
        job->error = qlm_error_copy(error, job->pool);
    }
}

/* On SQLite writers take turns by our own queue and lock: left to itself, its driver sleeps a tenth
 * of a second at each collision. Other engines do better with a transaction for each. */
static qlm_error_t *run_in_turn(qlm_store_t *store, qlm_job_t *job, apr_time_t deadline)
{
    qlm_job_t *batch = job;

    job->error = NULL;
    if (store->dialect != QLM_DIALECT_SQLITE) {
        run_batch(store, batch);
        return job->error;
    }
    QLM_TRY(qlm_writer_enter(&batch, store->writer, job, store->path, deadline));
    if (batch) {
        run_batch(store, batch);
        qlm_writer_leave(store->writer, batch);
    }
    return job->error;
}

/* ---- again ---- */

/* Where nobody knows whether the unit was committed, the caller has to ask again: a second run
 * would find what the first has done and take it for somebody else's, and refuse to release a
 * computer that it has released. */
static int is_worth_another(const qlm_store_t *store, const qlm_error_t *error, int attempt,
                            apr_time_t started)
{
    int attempts = store->dialect == QLM_DIALECT_SQLITE ? ATTEMPTS : SERVER_ATTEMPTS;

    return (error->kind == QLM_ERROR_STORE || error->kind == QLM_ERROR_CONFLICT) &&
           !store->is_outcome_open && attempt < attempts && apr_time_now() - started < RETRY_BUDGET;
}

static void pause_a_little(int attempt, apr_pool_t *pool)
{
    unsigned short noise = 0;

    (void)qlm_random(&noise, sizeof(noise), pool);
    apr_sleep((PAUSE_MIN_US + noise % PAUSE_SPAN_US) * attempt);
}

qlm_error_t *qlm_store_write(qlm_store_t *store, qlm_unit_t unit, void *baton, apr_pool_t *pool)
{
    qlm_job_t job = {.unit = unit, .baton = baton};
    apr_time_t started = apr_time_now();
    qlm_error_t *error;
    int attempt;

    if (store->is_in_unit) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "a unit of work inside another");
    }
    apr_pool_create(&job.pool, pool);
    for (attempt = 1;; ++attempt) {
        error = run_in_turn(store, &job, started + WAIT_MAX);
        if (!error || !is_worth_another(store, error, attempt, started)) {
            break;
        }
        job.wake = NULL; /* it was in the pool */
        apr_pool_clear(job.pool);
        pause_a_little(attempt, job.pool);
        error = qlm_connection_renew(store, job.pool);
        if (error) {
            break;
        }
    }
    error = qlm_error_copy(error, pool);
    apr_pool_destroy(job.pool);
    return error;
}
