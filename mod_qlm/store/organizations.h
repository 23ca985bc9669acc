/* Organizations in the database. */
#ifndef QLM_STORE_ORGANIZATIONS_H
#define QLM_STORE_ORGANIZATIONS_H

#include "license/organization.h"
#include "store/store.h"

/** array of qlm_organization_t, by name, at most @a limit */
qlm_error_t *qlm_store_list_organizations(apr_array_header_t **organizations, qlm_store_t *store,
                                          int limit, apr_pool_t *pool);
/** The same: those with patterns of domains, oldest first. */
qlm_error_t *qlm_store_list_domains(apr_array_header_t **organizations, qlm_store_t *store,
                                    apr_pool_t *pool);

/** *organization is NULL if there is none. */
qlm_error_t *qlm_store_find_organization(const qlm_organization_t **organization,
                                         qlm_store_t *store, apr_int64_t id, apr_pool_t *pool);
/** The same by name, any case. */
qlm_error_t *qlm_store_find_organization_named(const qlm_organization_t **organization,
                                               qlm_store_t *store, const char *name,
                                               apr_pool_t *pool);

/** Its customers, newest first, at most @a limit: array of qlm_customer_t */
qlm_error_t *qlm_store_list_members(apr_array_header_t **customers, qlm_store_t *store,
                                    apr_int64_t organization_id, int limit, apr_pool_t *pool);

/** Inside a unit: make organization->id and store it. *added is 0 if the name is taken (nothing is
 * changed then). */
qlm_error_t *qlm_store_add_organization(int *added, qlm_store_t *store,
                                        qlm_organization_t *organization, apr_pool_t *pool);
/** Inside a unit: replace the record of that id. Errors: CONFLICT if the name is another's. */
qlm_error_t *qlm_store_set_organization(qlm_store_t *store, const qlm_organization_t *organization,
                                        apr_pool_t *pool);

#endif
