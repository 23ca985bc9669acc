/* One database connection: what a store is. Internal to the store: other rooms include store.h
 * only. Nothing here knows what the tables mean. */
#ifndef QLM_STORE_CONNECTION_H
#define QLM_STORE_CONNECTION_H

#include "store/statement.h"

#include <apr_file_info.h>
#include <apr_time.h>

typedef enum qlm_dialect_t {
    QLM_DIALECT_SQLITE,
    QLM_DIALECT_PGSQL,
    QLM_DIALECT_MYSQL
} qlm_dialect_t;

struct qlm_store_t {
    const apr_dbd_driver_t *driver;
    apr_dbd_t **handle; /**< where the owner of the connection keeps it: it may be replaced */
    qlm_dialect_t dialect;
    qlm_writer_t *writer;
    apr_pool_t *pool; /**< the connection's */

    const char *params; /**< how to open the connection anew; NULL where that cannot be done */
    int is_ours;      /**< the handle was opened with these parameters, or with all that matters */
    const char *path; /**< of the SQLite file; NULL for other engines and memory databases */
    apr_dev_t device; /**< which file the connection has open */
    apr_ino_t inode;
    int is_worn;             /**< to be opened anew before its next use */
    apr_time_t next_renewal; /**< but not before this */
    int is_ready;            /**< the session's settings were accepted */
    int is_node;             /**< the server is one of a Galera cluster */
    int is_schema_good;      /**< the schema version was read and is ours */

    int is_in_unit;
    apr_int64_t locked_license; /**< the last that the unit has locked, 0 = none */
    char locked_key[129];       /**< the key it was locked by, "" = none */
    int is_unit_broken;         /**< a statement of it has failed: it must not be committed */
    int is_outcome_open;        /**< it may have been committed, or not */
    apr_int64_t last_id;

    apr_dbd_prepared_t *prepared[QLM_STATEMENT_COUNT]; /**< NULL = not prepared (any more) */
    apr_dbd_results_t *results[QLM_STATEMENT_COUNT];   /**< MariaDB: kept, to be used again */
    int generation;                                    /**< how often they were forgotten */
    int adhoc_count;                                   /**< how many others were prepared */
};

/** One try of a select that may well fail: no error is made of it, nothing is tried again. *rows:
 * as below. @return the driver's code, 0 = good */
int qlm_connection_try_text(apr_array_header_t **rows, qlm_store_t *store, const char *sql,
                            apr_pool_t *pool);

/** Run a text that is needed once and not worth preparing: pragmas, tables, transactions. *rows:
 * array of qlm_row_t. */
qlm_error_t *qlm_connection_select_text(apr_array_header_t **rows, qlm_store_t *store,
                                        const char *sql, apr_pool_t *pool);
qlm_error_t *qlm_connection_execute_text(qlm_store_t *store, const char *sql, apr_pool_t *pool);

/** End the unit's transaction. When this fails and nobody knows whether it was committed, because
 * the answer was lost, store->is_outcome_open is set. */
qlm_error_t *qlm_connection_commit(qlm_store_t *store, apr_pool_t *pool);

/** Read all rows of a result: array of qlm_row_t, in @a pool.
 * @param results_pool  the pool of the select */
apr_array_header_t *qlm_connection_read_rows(qlm_store_t *store, apr_dbd_results_t *results,
                                             apr_pool_t *results_pool, apr_pool_t *pool);

/** SQLite: did a statement fail because the engine dropped it, or knows a newer schema? Then it
 * works when prepared again. To be asked right after the failure. */
int qlm_connection_has_dropped(qlm_store_t *store, int rc);

/** The error for a failed @a what, with a hint for the operator. */
qlm_error_t *qlm_connection_failure(qlm_store_t *store, const char *what, int rc, apr_pool_t *pool);

/** May a statement that failed with @a rc be tried once more? On SQLite when it was only dropped,
 * or after somebody's short lock; on a server when its session was lost, and then there is a new
 * one. Never inside a unit, which is run again as a whole. To be asked right after the failure.
 * @param attempt  how often it was repeated already; @param started  when the first try began */
int qlm_connection_may_repeat(qlm_store_t *store, int rc, int attempt, apr_time_t started,
                              apr_pool_t *pool);

/** Was @a rc only somebody's short lock, with time left to ask again? Then a little time has passed
 * meanwhile. To be asked right after a failure; always 0 inside a unit.
 * @param started  when the first try began */
int qlm_connection_has_waited(qlm_store_t *store, int rc, apr_time_t started);

/** Is @a version, as found in the database, the one this program knows? Errors: STORE with what to
 * run. */
qlm_error_t *qlm_connection_judge_schema(qlm_store_t *store, int version, apr_pool_t *pool);

/** A database without a schema version: is it empty, or holds only tables of ours that are not
 * finished? Errors: STORE naming a table of another program. */
qlm_error_t *qlm_schema_check_owner(qlm_store_t *store, apr_pool_t *pool);

/** A step of schema.def in the words of the store's engine. */
const char *qlm_schema_step_sql(const qlm_store_t *store, const char *sql, apr_pool_t *pool);

/** Open a worn connection or a lost session anew, outside a unit. */
qlm_error_t *qlm_connection_renew(qlm_store_t *store, apr_pool_t *pool);

/** Open one more handle with @a params in @a connection_pool. */
qlm_error_t *qlm_connection_open_handle(apr_dbd_t **handle, const apr_dbd_driver_t *driver,
                                        const char *params, apr_pool_t *connection_pool,
                                        apr_pool_t *pool);

/** Each opening takes some memory of the connection's pool for as long as the connection lives, so
 * what stays broken is tried once a second. Counts as a try. */
int qlm_connection_may_renew(qlm_store_t *store);

/** Forget what was prepared and what is known of the schema. */
void qlm_connection_forget(qlm_store_t *store);

#endif
