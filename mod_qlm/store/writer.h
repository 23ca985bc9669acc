/* The queue of writers to one SQLite database. Internal to the store.
 *
 * Units of work queue in the order they come. The thread of the first leads: it takes the lock
 * between processes, runs the units that have gathered in one transaction on its own connection,
 * and wakes their threads: one flush of the disk serves them all. */
#ifndef QLM_STORE_WRITER_H
#define QLM_STORE_WRITER_H

#include "store/store.h"

#include <apr_thread_cond.h>

typedef enum qlm_job_state_t {
    QLM_JOB_WAITING, /**< in the queue */
    QLM_JOB_LEADS,   /**< its thread has the turn */
    QLM_JOB_TAKEN,   /**< in the batch of another thread */
    QLM_JOB_DONE
} qlm_job_state_t;

/** A unit of work on its way; lives on the stack of the thread that waits for it. */
typedef struct qlm_job_t {
    qlm_unit_t unit;
    void *baton;
    apr_pool_t *pool;   /**< scratch for the unit and its error */
    int is_alone;       /**< must not share its transaction */
    qlm_error_t *error; /**< how it ended */

    /* The writer's: */
    qlm_job_state_t state;
    apr_thread_cond_t *wake;
    struct qlm_job_t *next; /**< in the queue or the batch */
} qlm_job_t;

/** Queue @a job and wait, at most until @a deadline.
 * @param batch  the jobs to run now, beginning with @a job, the lock held; or NULL: another thread
 * has run it
 * Errors: STORE, no turn in time or no lock file. */
qlm_error_t *qlm_writer_enter(qlm_job_t **batch, qlm_writer_t *writer, qlm_job_t *job,
                              const char *database_path, apr_time_t deadline);

/** The batch is finished: release the lock, wake its threads, let the next lead. */
void qlm_writer_leave(qlm_writer_t *writer, qlm_job_t *batch);

#endif
