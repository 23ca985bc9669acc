/* Passwords and authorization codes are taken out of everything that is logged: is_pwd and
 * is_authcode travel in URLs in this protocol. */
#ifndef QLM_BASE_MASK_H
#define QLM_BASE_MASK_H

#include <apr_pools.h>

/** Replace the value of each is_pwd and is_authcode in @a text (a query string, request line or
 * URL) by "***". Every spelling that qlm_fields_parse reads as one of them is found: any case,
 * percent escapes, blanks around; in doubt more is masked than needed. Masking again changes
 * nothing.
 * @return the masked copy in @a pool, or @a text itself when there is nothing to mask */
const char *qlm_mask_text(const char *text, apr_pool_t *pool);

#endif
