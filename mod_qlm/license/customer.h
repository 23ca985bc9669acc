/* The record of a customer: what is done with all of its fields. Computation only. */
#ifndef QLM_LICENSE_CUSTOMER_H
#define QLM_LICENSE_CUSTOMER_H

#include "license/order.h"

#define QLM_CUSTOMER_EMAIL_MAX 254 /**< RFC 5321: 256 of the path less the two brackets */

/** A customer of whom nothing is known: "" everywhere, nothing said, no organization. */
void qlm_customer_clear(qlm_customer_t *customer);

/** Take over from @a other what @a customer does not say. */
void qlm_customer_fill(qlm_customer_t *customer, const qlm_customer_t *other);

/** Take over what @a said says: texts but the e-mail, the wish for mails, and the organization of a
 * customer who has none. Empty texts say nothing. */
void qlm_customer_merge(qlm_customer_t *customer, const qlm_customer_t *said);

/** What differs between two records, as JSON `{"Name":["before","after"],…}` in @a pool; "" if
 * nothing does. A @a before or @a after of NULL is an empty record. */
const char *qlm_customer_changes(const qlm_customer_t *before, const qlm_customer_t *after,
                                 apr_pool_t *pool);

/** Can @a text be an e-mail address? Only what can never be one is refused: no or several '@',
 * blanks, control characters, separators of address lists, more than 254 bytes. */
int qlm_customer_is_email(const char *text);

#endif
