/* Stored records as JSON values: every stored fact, secrets excluded. In the pool given. */
#ifndef QLM_QLMCTL_RECORDS_H
#define QLM_QLMCTL_RECORDS_H

#include "license/organization.h"
#include "license/productvalues.h"
#include "qlmctl/output.h"
#include "store/outbox.h"

json_t *qlm_record_license(const qlm_license_t *license, apr_pool_t *pool);
json_t *qlm_record_activation(const qlm_activation_t *activation, apr_pool_t *pool);
json_t *qlm_record_customer(const qlm_customer_t *customer, apr_pool_t *pool);
json_t *qlm_record_organization(const qlm_organization_t *organization, apr_pool_t *pool);
json_t *qlm_record_order_line(const qlm_order_record_t *record, apr_pool_t *pool);
json_t *qlm_record_product(const qlm_product_t *product, apr_pool_t *pool);
json_t *qlm_record_pp_value(const qlm_pp_value_t *value, apr_pool_t *pool);
json_t *qlm_record_vendor(const char *title, const qlm_vendor_record_t *record, apr_pool_t *pool);
/** An outbox row without its payload. */
json_t *qlm_record_outbox(const qlm_outbox_row_t *row, apr_pool_t *pool);

#endif
