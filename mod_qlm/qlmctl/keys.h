/* Looking up licenses by their keys, and showing them whole. */
#ifndef QLM_QLMCTL_KEYS_H
#define QLM_QLMCTL_KEYS_H

#include "license/keygen.h"
#include "qlmctl/output.h"

/** Find the license of a key as typed, with the activation of @a computer_id ("" = no computer).
 * *view is NULL if there is none. @param shape may be NULL */
qlm_error_t *qlm_keys_find(qlm_license_view_t **view, qlm_key_shape_t *shape, qlm_tool_t *tool,
                           const char *typed, const char *computer_id);

/** The error that says that a key is not known. */
qlm_error_t *qlm_keys_unknown(qlm_tool_t *tool, qlm_key_shape_t shape);

/** Put a member `customer`: the customer of that id, null if there is none. */
qlm_error_t *qlm_keys_put_customer(json_t *record, qlm_tool_t *tool, apr_int64_t customer_id);

/** A license with its activations. */
qlm_error_t *qlm_keys_record(json_t **record, qlm_tool_t *tool, const qlm_license_t *license);

#endif
