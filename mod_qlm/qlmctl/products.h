/* Looking up product versions and what they define. */
#ifndef QLM_QLMCTL_PRODUCTS_H
#define QLM_QLMCTL_PRODUCTS_H

#include "qlmctl/tool.h"

/** The product version of these numbers. Errors: there is none. */
qlm_error_t *qlm_products_find(const qlm_product_t **product, qlm_tool_t *tool, int id, int major,
                               int minor);

/** The product properties that a version defines; there need not be such a version. */
qlm_error_t *qlm_products_definitions(qlm_pp_definitions_t **definitions, qlm_tool_t *tool, int id,
                                      int major, int minor);

#endif
