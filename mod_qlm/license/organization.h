/* Organizations: whom their customers have in common. */
#ifndef QLM_LICENSE_ORGANIZATION_H
#define QLM_LICENSE_ORGANIZATION_H

#include <apr_pools.h>

/** An organization. Texts are never NULL in a record read from the store. */
typedef struct qlm_organization_t {
    apr_int64_t id;
    const char *name;    /**< unique, any case; at most 255 bytes */
    const char *notes;   /**< at most 1000 bytes */
    const char *domains; /**< patterns of its users' addresses, separated by commas; at most 1000 */
    int may_users_acquire; /**< AllowOrganizationUsersToAcquireLicenses */
    apr_int64_t created_at;
} qlm_organization_t;

/** Does one of the patterns in @a domains match @a email or the part behind its @? Any case; %
 * stands for any characters: "example.com", "%.example.com", "%@sales.example.com". */
int qlm_organization_covers(const char *domains, const char *email, apr_pool_t *pool);

#endif
