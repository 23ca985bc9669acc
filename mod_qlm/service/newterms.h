/* New terms for a license that is there: what UpdateLicenseHttp and UpgradeLicense have in
 * common. */
#ifndef QLM_SERVICE_NEWTERMS_H
#define QLM_SERVICE_NEWTERMS_H

#include "service/change.h"

/** Give changing->after the product version, model, features, end, engine, user data and user group
 * that the arguments name; what they do not name stays.
 * @param is_new_key  the license gets a new key: is_licensemodel may change between plain, floating
 *                    and cloud; otherwise its plain names mean the kind that the license is of
 * Errors: REFUSED 218 for an unknown product version, 220 if one of several licenses would go over
 * to another product, 208 for a limited model without an end, 200 for a model that the key cannot
 * have. */
qlm_error_t *qlm_newterms_apply(qlm_changing_t *changing, int is_new_key, apr_pool_t *pool);

#endif
