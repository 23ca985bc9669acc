/* Noting in memory, writing in batches. */
#include "service/accessed.h"

#include "base/text.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#define NOTES_MAX 20000 /* of one process at a time */
#define BATCH     500   /* rows of one unit of work */
#define NEVER     APR_INT64_MAX

/* One thing to write. */
typedef struct note_t {
    qlm_attempt_t attempt; /* code 0: no attempt, a call of that computer at last_at */
    apr_int64_t granularity;
    apr_int64_t due_at;
    int is_written; /* by the last run of the unit */
} note_t;

struct qlm_accessed_t {
    apr_thread_mutex_t *lock;
    apr_pool_t *pool;   /* of the notes; another one when they are taken out */
    apr_hash_t *notes;  /* license, code and computer -> note_t */
    apr_int64_t due_at; /* of the first */
};

static void begin(qlm_accessed_t *accessed)
{
    apr_pool_create(&accessed->pool, NULL);
    accessed->notes = apr_hash_make(accessed->pool);
    accessed->due_at = NEVER;
}

static apr_status_t forget(void *data)
{
    qlm_accessed_t *accessed = data;

    apr_pool_destroy(accessed->pool);
    return APR_SUCCESS;
}

qlm_accessed_t *qlm_accessed_create(apr_pool_t *pool)
{
    qlm_accessed_t *accessed = apr_pcalloc(pool, sizeof(*accessed));

    apr_thread_mutex_create(&accessed->lock, APR_THREAD_MUTEX_DEFAULT, pool);
    begin(accessed);
    apr_pool_cleanup_register(pool, accessed, forget, apr_pool_cleanup_null);
    return accessed;
}

/* ---- noting -----------------------------------------------------------------------------------
 */

/* The note of that license, computer and code; a new one has no attempts and is due at @a due_at;
 * NULL if there are too many. */
static note_t *note_of(qlm_accessed_t *accessed, const qlm_attempt_t *attempt, apr_int64_t due_at,
                       apr_pool_t *scratch)
{
    const char *key = apr_psprintf(scratch, "%" APR_INT64_T_FMT "/%d/%s", attempt->license_id,
                                   attempt->code, qlm_text_fold(attempt->computer_id, scratch));
    note_t *note = apr_hash_get(accessed->notes, key, APR_HASH_KEY_STRING);

    if (note || apr_hash_count(accessed->notes) >= NOTES_MAX) {
        return note;
    }
    note = apr_pcalloc(accessed->pool, sizeof(*note));
    note->attempt = *attempt;
    note->attempt.attempts = 0;
    note->attempt.computer_id = apr_pstrdup(accessed->pool, attempt->computer_id);
    note->attempt.computer_name = apr_pstrdup(accessed->pool, attempt->computer_name);
    note->attempt.address = apr_pstrdup(accessed->pool, attempt->address);
    note->due_at = due_at;
    apr_hash_set(accessed->notes, apr_pstrdup(accessed->pool, key), APR_HASH_KEY_STRING, note);
    if (due_at < accessed->due_at) {
        accessed->due_at = due_at;
    }
    return note;
}

void qlm_accessed_note(qlm_accessed_t *accessed, const qlm_activation_t *activation,
                       apr_int64_t granularity, apr_int64_t now, apr_pool_t *scratch)
{
    const qlm_attempt_t call = {.license_id = activation->license_id,
                                .computer_id = activation->computer_id,
                                .computer_name = "",
                                .address = ""};
    note_t *note;

    if (now - activation->last_accessed_at < granularity) {
        return;
    }
    apr_thread_mutex_lock(accessed->lock);
    note = note_of(accessed, &call, now + QLM_ACCESSED_PAUSE, scratch);
    if (note) {
        note->attempt.last_at = now;
        note->granularity = granularity;
    }
    apr_thread_mutex_unlock(accessed->lock);
}

/* Add to what is noted of it already. */
static void add_attempts(qlm_accessed_t *accessed, const qlm_attempt_t *attempt, apr_int64_t due_at,
                         apr_pool_t *scratch)
{
    note_t *note = note_of(accessed, attempt, due_at, scratch);

    if (note) {
        note->attempt.attempts += attempt->attempts;
        if (attempt->first_at < note->attempt.first_at) {
            note->attempt.first_at = attempt->first_at;
        }
        if (attempt->last_at > note->attempt.last_at) {
            note->attempt.last_at = attempt->last_at;
        }
    }
}

void qlm_accessed_refuse(qlm_accessed_t *accessed, const qlm_attempt_t *attempt, apr_int64_t now,
                         apr_pool_t *scratch)
{
    qlm_attempt_t one = *attempt;

    one.attempts = 1;
    one.first_at = one.last_at = now;
    apr_thread_mutex_lock(accessed->lock);
    add_attempts(accessed, &one, now + QLM_ACCESSED_PAUSE, scratch);
    apr_thread_mutex_unlock(accessed->lock);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

/* What one unit of work writes. */
typedef struct batch_t {
    note_t *notes[BATCH];
    int count;
    apr_int64_t now;
    int is_last;
} batch_t;

static qlm_error_t *write_batch(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    batch_t *batch = baton;

    for (int i = 0; i < batch->count; i++) {
        note_t *note = batch->notes[i];
        qlm_attempt_t *attempt = &note->attempt;
        apr_int64_t pause = batch->is_last ? 0 : QLM_ATTEMPT_PAUSE;

        note->is_written = 1;
        if (attempt->code) {
            QLM_TRY(
                qlm_store_add_attempt(&note->is_written, store, attempt, batch->now - pause, pool));
        }
        else {
            QLM_TRY(qlm_store_set_accessed(store, attempt->license_id, attempt->computer_id,
                                           attempt->last_at, attempt->last_at - note->granularity,
                                           pool));
        }
    }
    return NULL;
}

/* All notes leave; those that are not due come back. @return the pool of those that left */
static apr_pool_t *take_out(apr_array_header_t **due, qlm_accessed_t *accessed, apr_int64_t now,
                            int is_last)
{
    apr_hash_t *notes = accessed->notes;
    apr_pool_t *pool = accessed->pool;

    *due = apr_array_make(pool, (int)apr_hash_count(notes), sizeof(note_t *));
    begin(accessed);
    for (apr_hash_index_t *at = apr_hash_first(pool, notes); at; at = apr_hash_next(at)) {
        note_t *note = apr_hash_this_val(at);

        if (is_last || note->due_at <= now) {
            APR_ARRAY_PUSH(*due, note_t *) = note;
        }
        else {
            note_t *kept = note_of(accessed, &note->attempt, note->due_at, pool);

            kept->attempt.attempts = note->attempt.attempts;
            kept->granularity = note->granularity;
        }
    }
    return pool;
}

static qlm_error_t *write_all(const apr_array_header_t *due, const qlm_lender_t *lender,
                              apr_int64_t now, int is_last, apr_pool_t *pool)
{
    batch_t batch = {.now = now, .is_last = is_last};
    qlm_store_t *store = NULL;
    qlm_error_t *error = lender->lend(&store, lender->baton, pool);

    for (int i = 0; i < due->nelts && !error; i += batch.count) {
        batch.count = due->nelts - i < BATCH ? due->nelts - i : BATCH;
        memcpy(batch.notes, due->elts + (apr_size_t)i * sizeof(note_t *),
               (apr_size_t)batch.count * sizeof(note_t *));
        error = qlm_store_write(store, write_batch, &batch, pool);
        for (int k = 0; k < batch.count && error; k++) {
            batch.notes[k]->is_written = 0; /* it is rolled back */
        }
    }
    lender->give_back(store, lender->baton);
    return error;
}

/* Attempts that could not be written, because the database failed or because their row was written
 * within the hour, wait for the next hour; calls do not: the next one is noted again. */
static void put_back(qlm_accessed_t *accessed, const apr_array_header_t *due, apr_int64_t now,
                     apr_pool_t *scratch)
{
    for (int i = 0; i < due->nelts; i++) {
        const note_t *note = APR_ARRAY_IDX(due, i, note_t *);

        if (note->attempt.code && !note->is_written) {
            add_attempts(accessed, &note->attempt, now + QLM_ATTEMPT_PAUSE, scratch);
        }
    }
}

qlm_error_t *qlm_accessed_write(qlm_accessed_t *accessed, const qlm_lender_t *lender,
                                apr_int64_t now, int is_last, apr_pool_t *pool)
{
    apr_array_header_t *due;
    apr_pool_t *notes;
    qlm_error_t *error = NULL;

    apr_thread_mutex_lock(accessed->lock);
    if (!apr_hash_count(accessed->notes) || (!is_last && accessed->due_at > now)) {
        apr_thread_mutex_unlock(accessed->lock);
        return NULL;
    }
    notes = take_out(&due, accessed, now, is_last);
    apr_thread_mutex_unlock(accessed->lock);
    error = write_all(due, lender, now, is_last, pool);
    if (!is_last) {
        apr_thread_mutex_lock(accessed->lock);
        put_back(accessed, due, now, pool);
        apr_thread_mutex_unlock(accessed->lock);
    }
    apr_pool_destroy(notes);
    return error;
}
