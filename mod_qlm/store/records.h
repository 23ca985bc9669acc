/* Reading the rows that several statements share. Internal to the store. The order of the reads is
 * the order of the column lists in statements.def. Each reads its columns and steps on. */
#ifndef QLM_STORE_RECORDS_H
#define QLM_STORE_RECORDS_H

#include "store/statement.h"

/** Errors: STORE, if the row holds what this program cannot have written. */
qlm_error_t *qlm_record_read_license(qlm_license_t *license, qlm_row_t *row, apr_pool_t *pool);
void qlm_record_read_activation(qlm_activation_t *activation, qlm_row_t *row);
void qlm_record_read_customer(qlm_customer_t *customer, qlm_row_t *row);
/** The few columns that a license document shows; the other fields are "". */
void qlm_record_read_shown_customer(qlm_customer_t *customer, qlm_row_t *row);

#endif
