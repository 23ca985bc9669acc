/* The translators of this module, for the registry and for tests that want one in particular. */
#ifndef QLM_VENDOR_VENDORS_H
#define QLM_VENDOR_VENDORS_H

#include "vendor/vendor.h"

extern const qlm_vendor_t qlm_vendor_cleverbridge;
extern const qlm_vendor_t qlm_vendor_shareit;
extern const qlm_vendor_t qlm_vendor_salesforce;
extern const qlm_vendor_t qlm_vendor_qlmauthenticationprovider;

#endif
