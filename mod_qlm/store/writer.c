/* The queue of writers, and the lock between processes: on the file `<database>-writer`, released
 * by the kernel when a process dies, however it dies. */
#include "store/writer.h"

#include "store/bell.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_MAX 64 /* so that no process keeps the others waiting long */

/* How long a process sleeps before it asks for the lock again: with a bell until it is called, at
 * most so long; without one about as long as one flush of the disk takes. */
#define NAP_US          20000
#define POLL_US         100
#define POLL_PATIENT_US 1000
#define EAGER_US        50000 /* how long to ask often */
#define YIELD_US        (3 * POLL_US)

/* Locks of the open file description also exclude two openings of the file in one process. */
#ifdef F_OFD_SETLK
#define SET_LOCK F_OFD_SETLK
#define GET_LOCK F_OFD_GETLK
#else
#define SET_LOCK F_SETLK
#define GET_LOCK F_GETLK
#endif

struct qlm_writer_t {
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool;
    const char *path; /* of the database; NULL before the first turn */
    int batch_max;
    qlm_job_t *first, *last;
    int has_leader;
    qlm_bell_t *bell; /* NULL = none */
    int fd;
    pid_t pid; /* who opened fd: a forked child must open its own */
};

static apr_status_t close_file(void *data)
{
    qlm_writer_t *writer = data;

    if (writer->fd >= 0) {
        close(writer->fd);
        writer->fd = -1;
    }
    return APR_SUCCESS;
}

qlm_error_t *qlm_writer_create(qlm_writer_t **writer_p, apr_pool_t *pool)
{
    qlm_writer_t *writer = apr_pcalloc(pool, sizeof(*writer));
    apr_status_t status = apr_thread_mutex_create(&writer->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (status) {
        return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "the writer lock cannot be made");
    }
    writer->pool = pool;
    writer->fd = -1;
    writer->batch_max = BATCH_MAX;
    apr_pool_cleanup_register(pool, writer, close_file, close_file);
    *writer_p = writer;
    return NULL;
}

void qlm_writer_commit_alone(qlm_writer_t *writer)
{
    writer->batch_max = 1;
}

void qlm_writer_use_bell(qlm_writer_t *writer, qlm_bell_t *bell)
{
    writer->bell = bell;
}

/* Root makes the file for the user who owns the database, or the server could not open it. Only a
 * file that was made here changes hands: the folder belongs to a less trusted user. */
static void give_to_owner(int fd, const char *database_path)
{
    struct stat database;

    if (geteuid() == 0 && stat(database_path, &database) == 0 &&
        fchown(fd, database.st_uid, database.st_gid) == 0) {
        fchmod(fd, (database.st_mode & 0660) | 0600);
    }
}

static qlm_error_t *open_file(qlm_writer_t *writer, const char *database_path, apr_pool_t *pool)
{
    const char *path;
    int fd;

    if (writer->fd >= 0 && writer->pid == getpid()) {
        return NULL;
    }
    close_file(writer);
    path = apr_pstrcat(pool, database_path, "-writer", NULL);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
    if (fd >= 0) {
        give_to_owner(fd, database_path);
    }
    else if (errno == EEXIST) {
        fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        char reason[120];

        return qlm_error_store(
            pool,
            "%s: cannot be opened: %s; the file and its folder must be writable by the "
            "server's user",
            path, apr_strerror(apr_get_os_error(), reason, sizeof(reason)));
    }
    writer->fd = fd;
    writer->pid = getpid();
    return NULL;
}

/* The two bytes of the file that are locked. */
enum {
    BYTE_WRITING, /* by the one that writes */
    BYTE_WAITING  /* shared by those that wait */
};

static struct flock lock_on(short type, off_t byte)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return lock;
}

static int set_lock(const qlm_writer_t *writer, short type, off_t byte)
{
    struct flock lock = lock_on(type, byte);

    return fcntl(writer->fd, SET_LOCK, &lock) == 0;
}

static int is_awaited(const qlm_writer_t *writer)
{
    struct flock lock = lock_on(F_WRLCK, BYTE_WAITING);

    return fcntl(writer->fd, GET_LOCK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* @param pause  where there is no bell */
static void nap(qlm_writer_t *writer, apr_uint32_t count, apr_interval_time_t pause)
{
    if (writer->bell) {
        qlm_bell_wait(writer->bell, count, NAP_US);
    }
    else {
        apr_sleep(pause);
    }
}

static apr_uint32_t bell_count(const qlm_writer_t *writer)
{
    return writer->bell ? qlm_bell_count(writer->bell) : 0;
}

/* There is no blocking lock with a time limit, so this asks again and again. Who finds others
 * waiting does not ask at once: without that, a busy process would keep the lock. */
static qlm_error_t *wait_for_lock(qlm_writer_t *writer, const char *database_path, int has_others,
                                  apr_time_t deadline, apr_pool_t *pool)
{
    apr_time_t patient_at = apr_time_now() + EAGER_US;
    apr_uint32_t count = bell_count(writer);

    while (has_others || !set_lock(writer, F_WRLCK, BYTE_WRITING)) {
        apr_time_t now = apr_time_now();

        if (!has_others && errno != EAGAIN && errno != EACCES && errno != EINTR) {
            char reason[120];

            return qlm_error_store(pool, "%s-writer: cannot be locked: %s", database_path,
                                   apr_strerror(apr_get_os_error(), reason, sizeof(reason)));
        }
        if (now >= deadline) {
            return qlm_error_store(pool, "%s: another process has been writing for too long",
                                   database_path);
        }
        nap(writer, count, has_others ? YIELD_US : now < patient_at ? POLL_US : POLL_PATIENT_US);
        has_others = 0;
        count = bell_count(writer); /* before the lock is asked for: a call in between counts */
    }
    return NULL;
}

static qlm_error_t *lock_file(qlm_writer_t *writer, const char *database_path, apr_time_t deadline,
                              apr_pool_t *pool)
{
    qlm_error_t *error;
    int has_others;

    QLM_TRY(open_file(writer, database_path, pool));
    has_others = is_awaited(writer);
    if (!has_others && set_lock(writer, F_WRLCK, BYTE_WRITING)) {
        return NULL;
    }
    set_lock(writer, F_RDLCK, BYTE_WAITING);
    error = wait_for_lock(writer, database_path, has_others, deadline, pool);
    set_lock(writer, F_UNLCK, BYTE_WAITING);
    return error;
}

static void unlock_file(qlm_writer_t *writer)
{
    set_lock(writer, F_UNLCK, BYTE_WRITING);
    if (writer->bell && is_awaited(writer)) {
        qlm_bell_ring(writer->bell);
    }
}

/* ---- the queue; all of these with the mutex held ---- */

static void append(qlm_writer_t *writer, qlm_job_t *job)
{
    job->state = QLM_JOB_WAITING;
    job->next = NULL;
    *(writer->last ? &writer->last->next : &writer->first) = job;
    writer->last = job;
}

static void drop(qlm_writer_t *writer, const qlm_job_t *job)
{
    qlm_job_t *before = NULL;
    qlm_job_t *at = writer->first;

    while (at && at != job) {
        before = at;
        at = at->next;
    }
    if (at) {
        *(before ? &before->next : &writer->first) = at->next;
        writer->last = writer->last == at ? before : writer->last;
    }
}

static void set_state(qlm_job_t *job, qlm_job_state_t state)
{
    job->state = state;
    if (job->wake) {
        apr_thread_cond_signal(job->wake);
    }
}

/* The lead is handed over, never let go between: nobody overtakes. */
static void pass_lead(qlm_writer_t *writer)
{
    if (writer->first) {
        set_state(writer->first, QLM_JOB_LEADS);
    }
    else {
        writer->has_leader = 0;
    }
}

/* Wait until the job leads or is done. One that was taken by a leader can no longer be withdrawn,
 * but then its end is near. */
static void wait_for_turn(qlm_writer_t *writer, qlm_job_t *job, apr_time_t deadline)
{
    while (job->state == QLM_JOB_WAITING || job->state == QLM_JOB_TAKEN) {
        apr_interval_time_t left = deadline - apr_time_now();

        if (job->state == QLM_JOB_TAKEN) {
            apr_thread_cond_wait(job->wake, writer->mutex);
        }
        else if (left > 0) {
            apr_thread_cond_timedwait(job->wake, writer->mutex, left);
        }
        else {
            drop(writer, job);
            return;
        }
    }
}

/* The jobs at the head of the queue that may share a transaction. */
static qlm_job_t *take_batch(qlm_writer_t *writer)
{
    qlm_job_t *batch = writer->first;
    qlm_job_t *last = batch;
    int count = 1;

    while (last->next && count < writer->batch_max && !batch->is_alone && !last->next->is_alone) {
        last = last->next;
        last->state = QLM_JOB_TAKEN;
        ++count;
    }
    writer->first = last->next;
    writer->last = writer->first ? writer->last : NULL;
    last->next = NULL;
    return batch;
}

/* ---- entering and leaving ---- */

/* The units of a batch run on the connection of the first: a writer must serve one database only. A
 * database in memory is seen by its own connection only. */
static int is_same_database(qlm_writer_t *writer, qlm_job_t *job, const char *database_path)
{
    if (!database_path) {
        job->is_alone = 1;
        return 1;
    }
    if (!writer->path) {
        writer->path = apr_pstrdup(writer->pool, database_path);
    }
    return !strcmp(writer->path, database_path);
}

/* Only those who wait need something to be woken by. */
static int can_wait(const qlm_writer_t *writer, qlm_job_t *job)
{
    return !writer->has_leader || job->wake || !apr_thread_cond_create(&job->wake, job->pool);
}

static qlm_error_t *queue_up(qlm_writer_t *writer, qlm_job_t *job, const char *database_path,
                             apr_time_t deadline)
{
    apr_thread_mutex_lock(writer->mutex);
    if (!is_same_database(writer, job, database_path) || !can_wait(writer, job)) {
        apr_thread_mutex_unlock(writer->mutex);
        return qlm_error_make(job->pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                              "the writer lock belongs to another database");
    }
    append(writer, job);
    if (writer->has_leader) {
        wait_for_turn(writer, job, deadline);
    }
    else {
        writer->has_leader = 1;
        job->state = QLM_JOB_LEADS;
    }
    apr_thread_mutex_unlock(writer->mutex);
    if (job->state == QLM_JOB_WAITING) {
        return qlm_error_store(job->pool, "too many writers: no turn to write in time");
    }
    return NULL;
}

qlm_error_t *qlm_writer_enter(qlm_job_t **batch, qlm_writer_t *writer, qlm_job_t *job,
                              const char *database_path, apr_time_t deadline)
{
    qlm_error_t *error = NULL;

    *batch = NULL;
    QLM_TRY(queue_up(writer, job, database_path, deadline));
    if (job->state == QLM_JOB_DONE) {
        return NULL;
    }
    if (database_path) {
        error = lock_file(writer, database_path, deadline, job->pool);
    }
    apr_thread_mutex_lock(writer->mutex);
    if (error) {
        drop(writer, job);
        pass_lead(writer);
    }
    else {
        *batch = take_batch(writer);
    }
    apr_thread_mutex_unlock(writer->mutex);
    return error;
}

void qlm_writer_leave(qlm_writer_t *writer, qlm_job_t *batch)
{
    if (writer->fd >= 0) {
        unlock_file(writer);
    }
    apr_thread_mutex_lock(writer->mutex);
    while (batch) {
        qlm_job_t *next = batch->next; /* once done, the job belongs to its thread again */

        set_state(batch, QLM_JOB_DONE);
        batch = next;
    }
    pass_lead(writer);
    apr_thread_mutex_unlock(writer->mutex);
}
