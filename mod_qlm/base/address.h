/* Lists of internet addresses and networks, as operators write them: IPv4 or IPv6, each alone or
 * with /bits or /netmask, separated by ; , or blanks. */
#ifndef QLM_BASE_ADDRESS_H
#define QLM_BASE_ADDRESS_H

#include <apr_pools.h>
#include <apr_tables.h>

/** Read a list. Parts that are no address are left out. @return array of apr_ipsubnet_t *, in @a
 * pool
 * @param unreadable  set to the first part that was left out, NULL if none was; may be NULL */
apr_array_header_t *qlm_addresses_read(const char **unreadable, const char *list, apr_pool_t *pool);

/** Is @a address (text form, as httpd writes it) in one of the networks? What is no address is in
 * none. @a pool is for scratch. */
int qlm_addresses_hold(const apr_array_header_t *networks, const char *address, apr_pool_t *pool);

#endif
