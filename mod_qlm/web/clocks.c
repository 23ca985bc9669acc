/* Saying that clocks differ. */
#include "web/clocks.h"

#include "service/clocks.h"
#include "web/database.h"

#include <stdlib.h>

#define PAUSE apr_time_from_sec(20)

static void warn(server_rec *s, int ahead)
{
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                 QLMNO(1208) "the clock of the database's server is %d seconds %s this server's: "
                             "let all servers follow the same time (chrony, systemd-timesyncd)",
                 abs(ahead), ahead > 0 ? "ahead of" : "behind");
}

void qlm_clocks_check(server_rec *s, qlm_store_t *store, apr_pool_t *pool)
{
    int ahead;

    if (!qlm_clocks_compare(&ahead, store, pool) && ahead) {
        warn(s, ahead);
    }
}

static qlm_error_t *look(server_rec *s, qlm_store_t *store, apr_pool_t *pool)
{
    int ahead, is_ours = 0;

    QLM_TRY(qlm_clocks_compare(&ahead, store, pool));
    if (ahead) {
        QLM_TRY(qlm_clocks_take_turn(&is_ours, store, qlm_server_conf(s)->owner, pool));
    }
    if (is_ours) {
        warn(s, ahead);
    }
    return NULL;
}

qlm_error_t *qlm_clocks_watch(server_rec *s, apr_pool_t *pool)
{
    qlm_server_conf_t *conf = qlm_server_conf(s);
    apr_time_t now = apr_time_now();
    qlm_store_t *store = NULL;
    qlm_error_t *error;
    void *loan;

    if (conf->database_path || llabs(now - conf->clock_looked_at) < PAUSE) {
        return NULL; /* SQLite's clock is ours */
    }
    conf->clock_looked_at = now;
    loan = qlm_database_loan(s, pool);
    error = qlm_database_lend(&store, loan, pool);
    if (!error) {
        error = look(s, store, pool);
    }
    qlm_database_give_back(store, loan);
    return error;
}
