/* The outbox's workers.
 *
 * Each child ticks once a second; which of them works is decided by a lease in the database,
 * because httpd's own singleton does not move on when its process is killed.
 *
 * mod_watchdog ends its threads in time in some versions of httpd only. In the others a thread
 * would go on using connections and libraries that are being torn down around it. So the end of a
 * child waits here until both workers are through. */
#include "web/worker.h"

#include "outbound/smtp.h"
#include "service/outbox.h"
#include "web/database.h"
#include "web/housekeeping.h"
#include "web/outbound.h"

#include <ap_mpm.h>
#include <apr_optional.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <curl/curl.h>
#include <mod_watchdog.h>
#include <openssl/crypto.h>

#define LANES         2
#define TICK          apr_time_from_sec(1)
#define PATIENCE      apr_time_from_sec(60)
#define QUIET         apr_time_from_sec(600)
#define REST_MAX      apr_time_from_sec(10)    /* between two tries while the database is away */
#define IDLE_PATIENCE apr_time_from_msec(1500) /* until the next tick of a worker that sleeps */
#define BUSY_PATIENCE apr_time_from_sec(6)     /* until a worker has dropped what it is doing */

/* What a lane is to one server. */
typedef struct trouble_t {
    apr_time_t failing_since, quiet_until, rest_until;
    int is_ours; /* a lease was taken that may still run */
} trouble_t;

/* One kind of rows, and the thread that works on it. */
typedef struct lane_t {
    const char *name;
    qlm_error_t *(*work)(qlm_outbox_round_t *round, qlm_service_t *service,
                         const qlm_outbox_input_t *input, apr_pool_t *pool);
    struct qlm_lanes_t *lanes;
    apr_os_thread_t thread;
    trouble_t *troubles; /* one for each server, in the order of the list */
    int keeps_house;     /* writes what the calls have noted, too */
    int has_thread, is_working, has_ended;
} lane_t;

struct qlm_lanes_t {
    server_rec *s; /* the first of all */
    lane_t lane[LANES];
    apr_thread_mutex_t
        *mutex; /* guards the flags of the lanes and the next; NULL before child_init */
    apr_thread_cond_t *changed;
    int is_stopping;
};

/* What the callbacks of a round get. */
typedef struct shift_t {
    server_rec *s;
    struct qlm_lanes_t *lanes;
} shift_t;

/* ---- log --------------------------------------------------------------------------------------
 */

static void log_row(void *baton, const char *line, int is_final)
{
    const shift_t *shift = baton;

    if (is_final) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, shift->s, QLMNO(1203) "outbox: %s", line);
    }
    else {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, shift->s, QLMNO(1204) "outbox: %s", line);
    }
}

/* A database that is away is reported by the calls it fails; a worker only speaks up when that
 * lasts, and not every second. */
static void note_trouble(server_rec *s, trouble_t *trouble, const qlm_error_t *error)
{
    apr_time_t now = apr_time_now(), lasts;

    if (!error) {
        trouble->failing_since = trouble->rest_until = 0;
        return;
    }
    if (!trouble->failing_since) {
        trouble->failing_since = now;
    }
    lasts = now - trouble->failing_since;
    trouble->rest_until = now + (lasts < REST_MAX ? lasts : REST_MAX);
    if (lasts >= PATIENCE && now >= trouble->quiet_until) {
        trouble->quiet_until = now + QUIET;
        ap_log_error(APLOG_MARK, APLOG_WARNING, error->status, s, QLMNO(1205) "outbox: %s; %s",
                     error->text, error->detail ? error->detail : "");
    }
}

/* ---- a round ----------------------------------------------------------------------------------
 */

static apr_int64_t present(void *baton)
{
    (void)baton;
    return apr_time_sec(apr_time_now());
}

static int is_stopping(void *baton)
{
    const shift_t *shift = baton;
    int state = 0, told;

    apr_thread_mutex_lock(shift->lanes->mutex);
    told = shift->lanes->is_stopping;
    apr_thread_mutex_unlock(shift->lanes->mutex);
    return told ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING);
}

/* The owner of a lease is a lane, so that one can give up its own while the other still works. */
static void fill_input(qlm_outbox_input_t *input, const lane_t *lane, shift_t *shift,
                       apr_pool_t *pool)
{
    qlm_server_conf_t *conf = qlm_server_conf(shift->s);

    input->owner = apr_pstrcat(pool, conf->owner, "/", lane->name, NULL);
    input->ca_file = conf->ca_file;
    input->lender.lend = qlm_database_lend;
    input->lender.give_back = qlm_database_give_back;
    input->lender.baton = qlm_database_loan(shift->s, pool);
    input->courier = qlm_outbound_courier(conf->http, shift->s, pool);
    input->send_mail = qlm_smtp_send;
    input->clock = present;
    input->is_stopping = is_stopping;
    input->log = log_row;
    input->baton = shift;
}

static void work(const lane_t *lane, server_rec *s, trouble_t *trouble, apr_pool_t *pool)
{
    shift_t shift = {s, lane->lanes};
    qlm_outbox_input_t input = {0};
    qlm_outbox_round_t round;
    qlm_error_t *error, *outcome;

    if (apr_time_now() < trouble->rest_until) {
        return; /* mod_dbd has a line for each connection that it does not get */
    }
    fill_input(&input, lane, &shift, pool);
    error = lane->keeps_house ? qlm_housekeeping_work(s, pool) : NULL;
    outcome = lane->work(&round, qlm_server_conf(s)->service, &input, pool);
    note_trouble(s, trouble, outcome ? outcome : error);
    trouble->is_ours |= round.is_ours;
}

/* What could not be given up ends by itself. */
static void release(const lane_t *lane, server_rec *s, trouble_t *trouble, apr_pool_t *pool)
{
    shift_t shift = {s, lane->lanes};
    qlm_outbox_input_t input = {0};

    if (trouble->is_ours) {
        fill_input(&input, lane, &shift, pool);
        qlm_outbox_release(&input, pool);
        trouble->is_ours = 0;
    }
}

static void each_server(const lane_t *lane, apr_pool_t *pool,
                        void (*what)(const lane_t *lane, server_rec *s, trouble_t *trouble,
                                     apr_pool_t *pool))
{
    trouble_t *trouble = lane->troubles;

    for (server_rec *s = lane->lanes->s; s; s = s->next, trouble++) {
        if (qlm_server_conf(s)->service && qlm_server_conf(s)->http) {
            apr_pool_t *own;

            apr_pool_create(&own, pool);
            what(lane, s, trouble, own);
            apr_pool_destroy(own);
        }
    }
}

/* ---- beginning and end ------------------------------------------------------------------------
 */

/* May this lane use what the child has? *is_last: for the last time. */
static int begin_work(lane_t *lane, int *is_last)
{
    struct qlm_lanes_t *lanes = lane->lanes;
    int may;

    apr_thread_mutex_lock(lanes->mutex);
    may = !lane->has_ended;
    lane->is_working = may;
    *is_last |= lanes->is_stopping;
    apr_thread_mutex_unlock(lanes->mutex);
    return may;
}

static void end_work(lane_t *lane, int is_last)
{
    apr_thread_mutex_lock(lane->lanes->mutex);
    lane->is_working = 0;
    lane->has_ended = is_last;
    apr_thread_cond_broadcast(lane->lanes->changed);
    apr_thread_mutex_unlock(lane->lanes->mutex);
}

/* Some versions of mod_watchdog announce the end by the thread that ends the child; with an MPM
 * without threads that may be in the middle of anything. The lane's own thread comes by soon. */
static int is_own_thread(const lane_t *lane)
{
    return apr_os_thread_equal(lane->thread, apr_os_thread_current());
}

static apr_status_t tick(int state, void *data, apr_pool_t *pool)
{
    lane_t *lane = data;
    int is_last = state == AP_WATCHDOG_STATE_STOPPING;

    if (!lane->lanes->mutex || (is_last && !is_own_thread(lane))) {
        return APR_SUCCESS;
    }
    if (state == AP_WATCHDOG_STATE_STARTING) {
        apr_thread_mutex_lock(lane->lanes->mutex);
        lane->thread = apr_os_thread_current();
        lane->has_thread = 1;
        apr_thread_mutex_unlock(lane->lanes->mutex);
        return APR_SUCCESS;
    }
    if (begin_work(lane, &is_last)) {
        each_server(lane, pool, is_last ? release : work);
        if (is_last) {
            OPENSSL_thread_stop(); /* this thread may not come to its own end */
        }
        end_work(lane, is_last);
    }
    return APR_SUCCESS;
}

/* Wait until a lane has ended. The mutex is held. */
static void await_end(lane_t *lane)
{
    apr_time_t begun = apr_time_now(), left;

    while (lane->has_thread && !lane->has_ended) {
        left = begun + (lane->is_working ? BUSY_PATIENCE : IDLE_PATIENCE) - apr_time_now();
        if (left <= 0) {
            break;
        }
        apr_thread_cond_timedwait(lane->lanes->changed, lane->lanes->mutex, left);
    }
    lane->has_ended = 1; /* no more work is begun */
}

/* The first thing when the child's pool ends, before the connections in pools below it. */
static apr_status_t stop_lanes(void *data)
{
    struct qlm_lanes_t *lanes = data;

    apr_thread_mutex_lock(lanes->mutex);
    lanes->is_stopping = 1;
    for (int i = 0; i < LANES; i++) {
        await_end(&lanes->lane[i]);
    }
    apr_thread_mutex_unlock(lanes->mutex);
    return APR_SUCCESS;
}

static apr_status_t clean_up_curl(void *data)
{
    const struct qlm_lanes_t *lanes = data;

    if (!lanes || (!lanes->lane[0].is_working && !lanes->lane[1].is_working)) {
        curl_global_cleanup();
    }
    return APR_SUCCESS;
}

void qlm_worker_init(apr_pool_t *pchild, server_rec *s)
{
    struct qlm_lanes_t *lanes = qlm_server_conf(s)->lanes;
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    apr_pool_cleanup_register(pchild, lanes, clean_up_curl, apr_pool_cleanup_null);
    /* A thread that was slow to start comes by when the child's pool is gone: what tells it that
     * all is over must outlive that. */
    if (lanes && apr_pool_create_unmanaged_ex(&pool, NULL, NULL) == APR_SUCCESS &&
        apr_thread_cond_create(&lanes->changed, pool) == APR_SUCCESS &&
        apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS) {
        lanes->mutex = mutex;
        apr_pool_pre_cleanup_register(pchild, lanes, stop_lanes);
    }
}

static int register_lane(lane_t *lane, apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *register_callback =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;

    return get_instance && register_callback &&
           get_instance(&watchdog, apr_pstrcat(pconf, "_qlm_", lane->name, "_", NULL), 0, 0,
                        pconf) == APR_SUCCESS &&
           register_callback(watchdog, TICK, lane, tick) == APR_SUCCESS;
}

int qlm_worker_register(apr_pool_t *pconf, server_rec *s)
{
    struct qlm_lanes_t *lanes = apr_pcalloc(pconf, sizeof(*lanes));
    int servers = 0;

    lanes->s = s;
    lanes->lane[0].name = "mail";
    lanes->lane[0].work = qlm_outbox_send;
    lanes->lane[1].name = "webhook";
    lanes->lane[1].work = qlm_outbox_post;
    lanes->lane[1].keeps_house = 1; /* a mail server may hang */
    for (const server_rec *each = s; each; each = each->next) {
        servers++;
    }
    for (int i = 0; i < LANES; i++) {
        lanes->lane[i].lanes = lanes;
        lanes->lane[i].troubles = apr_pcalloc(pconf, sizeof(trouble_t) * (apr_size_t)servers);
        if (!register_lane(&lanes->lane[i], pconf)) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, s,
                         QLMNO(1206) "mod_watchdog is not there: no mail and no webhook is sent");
            return 0;
        }
    }
    qlm_server_conf(s)->lanes = lanes;
    return 1;
}
