/* Reading a customer out of a shop's fields. */
#ifndef QLM_VENDOR_CUSTOMER_H
#define QLM_VENDOR_CUSTOMER_H

#include "license/customer.h"
#include "vendor/form.h"

#define QLM_CUSTOMER_NOTES_MAX   1000
#define QLM_CUSTOMER_ADDRESS_MAX 64 /**< of a network address */

/** Read the customer whose fields are called @a names at the shop. The name is the full name if the
 * shop sends one, else first and last name. An e-mail address that cannot be one counts as absent
 * and is noted. */
void qlm_customer_read(qlm_customer_t *customer, qlm_form_t *form, const qlm_field_names_t *names);

/** "first last", cleaned, in @a pool. */
const char *qlm_customer_full_name(const char *first, const char *last, apr_pool_t *pool);

#endif
