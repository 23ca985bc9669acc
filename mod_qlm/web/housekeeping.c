/* The background work of one child. */
#include "web/housekeeping.h"

#include "service/accessed.h"
#include "web/clocks.h"
#include "web/database.h"

qlm_error_t *qlm_housekeeping_work(server_rec *s, apr_pool_t *pool)
{
    const qlm_lender_t lender = {qlm_database_lend, qlm_database_give_back,
                                 qlm_database_loan(s, pool)};

    QLM_TRY(qlm_accessed_write(qlm_service_accessed(qlm_server_conf(s)->service), &lender,
                               apr_time_sec(apr_time_now()), 0, pool));
    return qlm_clocks_watch(s, pool);
}

/* With mpm_prefork this may be a signal's handler in the middle of a call, which holds locks that
 * nobody would ever release: then what was noted is lost, as at a kill. */
static apr_status_t finish(void *data)
{
    server_rec *s = data;
    qlm_server_conf_t *conf = qlm_server_conf(s);
    apr_int64_t now = apr_time_sec(apr_time_now());
    qlm_lender_t lender = {qlm_database_lend, qlm_database_give_back, NULL};
    apr_pool_t *pool;

    if (qlm_service_is_idle(conf->service)) {
        apr_pool_create(&pool, NULL);
        lender.baton = qlm_database_loan(s, pool);
        (void)qlm_accessed_write(qlm_service_accessed(conf->service), &lender, now, 1, pool);
        apr_pool_destroy(pool);
    }
    return APR_SUCCESS;
}

void qlm_housekeeping_register(server_rec *s, apr_pool_t *pchild)
{
    apr_pool_pre_cleanup_register(pchild, s, finish);
}
