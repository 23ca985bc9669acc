/* Sentences that the operator may word anew: customMessage_… properties. */
#ifndef QLM_SERVICE_MESSAGE_H
#define QLM_SERVICE_MESSAGE_H

#include "license/properties.h"

/** The text of @a property with {0}, {1} … replaced by @a values, in @a pool. A number for which
 * there is no value stays as it is.
 * @param values  ends with NULL; what they hold is not looked at again */
const char *qlm_message(const qlm_properties_t *properties, qlm_property_t property,
                        const char *const *values, apr_pool_t *pool);

#endif
