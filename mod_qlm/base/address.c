/* Lists of internet addresses and networks; APR reads and compares them. */
#include "base/address.h"

#include "base/text.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

#define SEPARATORS ";, \t\r\n"

apr_array_header_t *qlm_addresses_read(const char **unreadable, const char *list, apr_pool_t *pool)
{
    apr_array_header_t *parts = qlm_text_split(list, SEPARATORS, pool);
    apr_array_header_t *networks = apr_array_make(pool, parts->nelts, sizeof(apr_ipsubnet_t *));
    const char *bad = NULL;

    for (int i = 0; i < parts->nelts; i++) {
        const char *part = APR_ARRAY_IDX(parts, i, const char *);
        char *address = apr_pstrdup(pool, part);
        char *mask = strchr(address, '/');
        apr_ipsubnet_t *network;

        if (mask) {
            *mask++ = '\0';
        }
        if (apr_ipsubnet_create(&network, address, mask, pool) == APR_SUCCESS) {
            APR_ARRAY_PUSH(networks, apr_ipsubnet_t *) = network;
        }
        else if (!bad) {
            bad = part;
        }
    }
    if (unreadable) {
        *unreadable = bad;
    }
    return networks;
}

int qlm_addresses_hold(const apr_array_header_t *networks, const char *address, apr_pool_t *pool)
{
    const char *plain = apr_pstrmemdup(pool, address, strcspn(address, "%")); /* no scope */
    apr_sockaddr_t *parsed;

    /* What is no address must not be looked up as a name. */
    if (networks->nelts == 0 || !*plain || plain[strspn(plain, "0123456789abcdefABCDEF:.")] ||
        apr_sockaddr_info_get(&parsed, plain, APR_UNSPEC, 0, 0, pool) != APR_SUCCESS) {
        return 0;
    }
    for (int i = 0; i < networks->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(networks, i, apr_ipsubnet_t *), parsed)) {
            return 1;
        }
    }
    return 0;
}
