/* Installations that report on themselves: one row each, for analytics. Reports come from anybody,
 * so what would change nothing writes nothing. */
#ifndef QLM_STORE_INSTALLS_H
#define QLM_STORE_INSTALLS_H

#include "store/store.h"

#define QLM_INSTALL_CUSTOM_DATA 3

/** An installation. Texts are never NULL in a record read from the store; times are seconds UTC,
 * 0 = none. */
typedef struct qlm_install_t {
    const char *install_id; /**< a GUID in lower case, without braces */
    const char *activation_key,
        *computer_key; /**< normal form; whether they exist is not looked at */
    const char *computer_id, *computer_name, *product_name;
    int major, minor;
    const char *software_version, *os_version;
    int is_trial;
    const char *address;
    const char *custom_data[QLM_INSTALL_CUSTOM_DATA];
    apr_int64_t installed_at, uninstalled_at;
    apr_int64_t activated_at; /**< when it first reported a computer key */
    apr_int64_t last_accessed_at;
    int days_used; /**< UTC days on which it was heard of */
} qlm_install_t;

/** Inside a unit: add a row. */
qlm_error_t *qlm_store_add_install(qlm_store_t *store, const qlm_install_t *install,
                                   apr_pool_t *pool);

/** *install is NULL if there is none. */
qlm_error_t *qlm_store_find_install(qlm_install_t **install, qlm_store_t *store,
                                    const char *install_id, apr_pool_t *pool);

/** Inside a unit: store what an installation says of itself, from activation_key to custom_data and
 * activated_at; its days are not touched. */
qlm_error_t *qlm_store_describe_install(qlm_store_t *store, const qlm_install_t *install,
                                        apr_pool_t *pool);

/** Inside a unit: it was used at @a now. Counts each UTC day once, also when told so in parallel;
 * an installation that is used is not uninstalled. */
qlm_error_t *qlm_store_access_install(qlm_store_t *store, const char *install_id, apr_int64_t now,
                                      apr_pool_t *pool);

/** Inside a unit: it was removed at @a now; the first time counts. */
qlm_error_t *qlm_store_remove_install(qlm_store_t *store, const char *install_id, apr_int64_t now,
                                      apr_pool_t *pool);

/** Installations added since @a since; from one address unless @a address is "". */
qlm_error_t *qlm_store_count_installs(apr_int64_t *count, qlm_store_t *store, apr_int64_t since,
                                      const char *address, apr_pool_t *pool);

/** Inside a unit: forget at most @a limit installations that were last heard of before @a before.
 */
qlm_error_t *qlm_store_purge_installs(int *removed, qlm_store_t *store, apr_int64_t before,
                                      int limit, apr_pool_t *pool);

/** array of qlm_install_t, newest access first, at most @a limit. */
qlm_error_t *qlm_store_list_installs(apr_array_header_t **installs, qlm_store_t *store, int limit,
                                     apr_pool_t *pool);

#endif
