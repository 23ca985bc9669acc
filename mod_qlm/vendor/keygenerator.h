/* What Cleverbridge and ShareIt have in common: both call a "key generator", a form post with
 * upper-case field names, one call per line of the order, and hand the answer's body to the buyer.
 * Cleverbridge took the vocabulary over from ShareIt. */
#ifndef QLM_VENDOR_KEYGENERATOR_H
#define QLM_VENDOR_KEYGENERATOR_H

#include "vendor/form.h"

/** Read everything both know: order, line, product, quantity (0 if the form says none), dates,
 * customer, promotion. Errors: ARGUMENT, naming the field: PURCHASE_ID missing or unusable,
 * QUANTITY or RUNNING_NO unusable. */
qlm_error_t *qlm_keygenerator_read(qlm_order_t *order, qlm_form_t *form,
                                   const qlm_field_names_t *names);

/** Read the customer alone. */
void qlm_keygenerator_read_customer(qlm_customer_t *customer, qlm_form_t *form,
                                    const qlm_field_names_t *names);

/** Decide what the shop left open: a quantity that neither form nor document gave is is_quantity,
 * else 1; hands the form's oddities to the order. Errors: ARGUMENT: is_quantity unusable. */
qlm_error_t *qlm_keygenerator_finish(qlm_order_t *order, const qlm_form_t *form);

#endif
