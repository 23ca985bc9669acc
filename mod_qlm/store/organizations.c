/* Organizations. Running servers keep the patterns of domains, so a change of one is a new revision
 * of the site. */
#include "store/organizations.h"

#include "base/text.h"
#include "store/records.h"

static void read_organization(qlm_organization_t *organization, qlm_row_t row)
{
    organization->id = qlm_row_int64(&row);
    organization->name = qlm_row_text(&row);
    organization->notes = qlm_row_text(&row);
    organization->domains = qlm_row_text(&row);
    organization->may_users_acquire = qlm_row_int(&row);
    organization->created_at = qlm_row_int64(&row);
}

static qlm_error_t *list(apr_array_header_t **organizations, qlm_store_t *store,
                         qlm_statement_t statement, const char **values, apr_pool_t *pool)
{
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, statement, values, pool));
    *organizations = apr_array_make(pool, rows->nelts, sizeof(qlm_organization_t));
    for (int i = 0; i < rows->nelts; i++) {
        read_organization(apr_array_push(*organizations), APR_ARRAY_IDX(rows, i, qlm_row_t));
    }
    return NULL;
}

qlm_error_t *qlm_store_list_organizations(apr_array_header_t **organizations, qlm_store_t *store,
                                          int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(limit, pool)};

    return list(organizations, store, QLM_STATEMENT_ORGANIZATIONS, values, pool);
}

qlm_error_t *qlm_store_list_domains(apr_array_header_t **organizations, qlm_store_t *store,
                                    apr_pool_t *pool)
{
    return list(organizations, store, QLM_STATEMENT_ORGANIZATIONS_WITH_DOMAINS, NULL, pool);
}

static qlm_error_t *find(const qlm_organization_t **organization, qlm_store_t *store,
                         qlm_statement_t statement, const char *value, apr_pool_t *pool)
{
    apr_array_header_t *found;

    QLM_TRY(list(&found, store, statement, &value, pool));
    *organization = found->nelts ? &APR_ARRAY_IDX(found, 0, qlm_organization_t) : NULL;
    return NULL;
}

qlm_error_t *qlm_store_find_organization(const qlm_organization_t **organization,
                                         qlm_store_t *store, apr_int64_t id, apr_pool_t *pool)
{
    return find(organization, store, QLM_STATEMENT_ORGANIZATION_BY_ID,
                qlm_statement_number(id, pool), pool);
}

qlm_error_t *qlm_store_find_organization_named(const qlm_organization_t **organization,
                                               qlm_store_t *store, const char *name,
                                               apr_pool_t *pool)
{
    return find(organization, store, QLM_STATEMENT_ORGANIZATION_BY_NAME, qlm_text_fold(name, pool),
                pool);
}

qlm_error_t *qlm_store_list_members(apr_array_header_t **customers, qlm_store_t *store,
                                    apr_int64_t organization_id, int limit, apr_pool_t *pool)
{
    const char *values[] = {qlm_statement_number(organization_id, pool),
                            qlm_statement_number(limit, pool)};
    apr_array_header_t *rows;

    QLM_TRY(qlm_statement_select(&rows, store, QLM_STATEMENT_ORGANIZATION_MEMBERS, values, pool));
    *customers = apr_array_make(pool, rows->nelts, sizeof(qlm_customer_t));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_row_t row = APR_ARRAY_IDX(rows, i, qlm_row_t);

        qlm_record_read_customer(apr_array_push(*customers), &row);
    }
    return NULL;
}

static qlm_error_t *revise(qlm_store_t *store, apr_pool_t *pool)
{
    return qlm_statement_execute(NULL, store, QLM_STATEMENT_SITE_REVISE, NULL, pool);
}

qlm_error_t *qlm_store_add_organization(int *added, qlm_store_t *store,
                                        qlm_organization_t *organization, apr_pool_t *pool)
{
    organization->id = qlm_store_new_id(store);
    const char *values[] = {qlm_statement_number(organization->id, pool),
                            qlm_text_fold(organization->name, pool),
                            organization->name,
                            organization->notes,
                            organization->domains,
                            organization->may_users_acquire ? "1" : "0",
                            qlm_statement_number(organization->created_at, pool)};

    QLM_TRY(qlm_statement_execute(added, store, QLM_STATEMENT_ORGANIZATION_INSERT, values, pool));
    return *added && *organization->domains ? revise(store, pool) : NULL;
}

qlm_error_t *qlm_store_set_organization(qlm_store_t *store, const qlm_organization_t *organization,
                                        apr_pool_t *pool)
{
    const qlm_organization_t *other;
    const char *values[] = {qlm_text_fold(organization->name, pool),
                            organization->name,
                            organization->notes,
                            organization->domains,
                            organization->may_users_acquire ? "1" : "0",
                            qlm_statement_number(organization->id, pool)};

    QLM_TRY(qlm_store_find_organization_named(&other, store, organization->name, pool));
    if (other && other->id != organization->id) {
        return qlm_error_make(pool, QLM_ERROR_CONFLICT, QLM_CODE_DATABASE,
                              "another organization has this name");
    }
    QLM_TRY(qlm_statement_execute(NULL, store, QLM_STATEMENT_ORGANIZATION_UPDATE, values, pool));
    return revise(store, pool);
}
