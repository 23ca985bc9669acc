/* What an operator does to a license by hand, with the consequences that a method's change has:
 * history, new computer keys, webhooks. */
#ifndef QLM_SERVICE_OPERATOR_H
#define QLM_SERVICE_OPERATOR_H

#include "license/record.h"
#include "service/service.h"

/** A new value of one field, as text (see qlm_license_field_set). */
typedef struct qlm_assignment_t {
    qlm_license_field_t field;
    const char *value;
} qlm_assignment_t;

/** The names of the fields that may be set, comma separated; in @a pool. */
const char *qlm_operator_fields(apr_pool_t *pool);

/** Set fields of a license in one unit of work. A date lasts to the end of its day; a new
 * NumLicenses moves the free ones by the same difference.
 * @param assignments  array of qlm_assignment_t
 * @param input        lender and time count
 * @return *is_changed 0 if nothing differs. Errors: ARGUMENT for a field that may not be set or an
 * unusable value; REFUSED 203, or where computers would lose their seats; STORE. */
qlm_error_t *qlm_operator_set(int *is_changed, qlm_service_t *service,
                              const qlm_call_input_t *input, const char *activation_key,
                              const apr_array_header_t *assignments, apr_pool_t *pool);

/** Delete a license with its computers. Its history and its order's stored answer stay, so that the
 * order delivered again makes no new key. Errors: REFUSED 203, or while computers are active unless
 * @a even_if_active; STORE. */
qlm_error_t *qlm_operator_delete(qlm_service_t *service, const qlm_call_input_t *input,
                                 const char *activation_key, int even_if_active, apr_pool_t *pool);

#endif
