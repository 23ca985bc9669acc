/* Looking up product versions. */
#ifndef QLM_QLMCTL_PRODUCTS_H
#define QLM_QLMCTL_PRODUCTS_H

#include "qlmctl/tool.h"

/** The product version of these numbers. Errors: there is none. */
qlm_error_t *qlm_products_find(const qlm_product_t **product, qlm_tool_t *tool, int id, int major,
                               int minor);

#endif
