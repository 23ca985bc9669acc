/* Validating and activating a license that was not named by its key. */
#ifndef QLM_SERVICE_ACTIVATION_H
#define QLM_SERVICE_ACTIVATION_H

#include "service/call.h"

/** As ValidateLicenseHttp, of the license with @a key (normal form): validates and, unless the
 * arguments say otherwise, activates; the call's content is set. Errors: REFUSED, STORE. */
qlm_error_t *qlm_activation_run(qlm_reply_t *reply, qlm_call_t *call, const char *key);

#endif
