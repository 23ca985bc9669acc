/* Activations that were refused, and computer keys in the wrong hands: what of them is kept. */
#ifndef QLM_SERVICE_ATTEMPT_H
#define QLM_SERVICE_ATTEMPT_H

#include "service/call.h"

/** One call of a computer about a license that is known. */
typedef struct qlm_attempted_t {
    const qlm_license_view_t *view;
    const qlm_request_t *request;
    const char *computer_name;
} qlm_attempted_t;

/** Note, to be written later, what is to be kept of the call: that the activation was refused for
 * @a refusal (NULL = it was not), or that its computer key is genuine but not the one stored for
 * this computer (code 202; not refused for that alone). Reports are no attempts. */
void qlm_attempt_note(const qlm_attempted_t *attempted, const qlm_error_t *refusal,
                      qlm_call_t *call);

#endif
