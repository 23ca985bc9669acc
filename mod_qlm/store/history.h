/* History: what happened to licenses and customers, by whom. A row is written in the unit that is
 * its cause. */
#ifndef QLM_STORE_HISTORY_H
#define QLM_STORE_HISTORY_H

#include "store/store.h"

/** One thing that happened. Texts may be NULL for "". */
typedef struct qlm_history_t {
    apr_int64_t id; /**< made by qlm_store_add_history */
    apr_int64_t license_id, customer_id;
    const char *activation_key; /**< that the license had before */
    const char *event;          /**< "created", "activated", "released", "renewed" … */
    const char *method, *vendor, *address;
    const char *computer_id;
    const char *changes; /**< JSON: qlm_license_changes, or other {"name":["before","after"]} */
    apr_int64_t happened_at;
} qlm_history_t;

/** Inside a unit: add a row about @a license_id and @a customer_id (0 = none).
 * @param computer_id, changes  may be NULL */
qlm_error_t *qlm_store_add_history(qlm_store_t *store, const qlm_history_t *row,
                                   const qlm_actor_t *actor, apr_pool_t *pool);

/** What to list: the first field that is set counts. */
typedef struct qlm_history_filter_t {
    apr_int64_t license_id, customer_id;
    const char *activation_key; /**< the one a license had at that time, in normal form */
    int limit;                  /**< most rows */
} qlm_history_filter_t;

/** array of qlm_history_t, newest first */
qlm_error_t *qlm_store_list_history(apr_array_header_t **rows, qlm_store_t *store,
                                    const qlm_history_filter_t *filter, apr_pool_t *pool);

/** How often @a event happened to a license since @a since; to one computer unless @a computer_id
 * is NULL. */
qlm_error_t *qlm_store_count_history(apr_int64_t *count, qlm_store_t *store, apr_int64_t license_id,
                                     const char *event, apr_int64_t since, const char *computer_id,
                                     apr_pool_t *pool);

/** Is there a row that qlm_store_purge_history would remove? */
qlm_error_t *qlm_store_has_old_history(int *has_old, qlm_store_t *store, apr_int64_t before,
                                       apr_pool_t *pool);

/** Inside a unit: remove at most @a limit rows older than @a before, but no releases, which limits
 * count. *removed says how many. */
qlm_error_t *qlm_store_purge_history(int *removed, qlm_store_t *store, apr_int64_t before,
                                     int limit, apr_pool_t *pool);

#endif
