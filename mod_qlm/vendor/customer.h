/* Reading a customer out of a shop's fields. */
#ifndef QLM_VENDOR_CUSTOMER_H
#define QLM_VENDOR_CUSTOMER_H

#include "vendor/form.h"

#define QLM_CUSTOMER_NOTES_MAX 1000

/** A customer of whom nothing is known: "" everywhere. */
void qlm_customer_clear(qlm_customer_t *customer);

/** Read the customer whose fields are called @a names at the shop. The name is the full name if the
 * shop sends one, else first and last name. An e-mail address that cannot be one counts as absent
 * and is noted. */
void qlm_customer_read(qlm_customer_t *customer, qlm_form_t *form, const qlm_field_names_t *names);

/** Take over from @a other what @a customer does not say. */
void qlm_customer_fill(qlm_customer_t *customer, const qlm_customer_t *other);

/** "first last", cleaned, in @a pool. */
const char *qlm_customer_full_name(const char *first, const char *last, apr_pool_t *pool);

/** Can @a text be an e-mail address? Only what can never be one is refused: no or several '@',
 * blanks, control characters, separators of address lists, more than 254 bytes. */
int qlm_customer_is_email(const char *text);

#endif
