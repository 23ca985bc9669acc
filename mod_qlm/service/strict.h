/* Strict authentication: requests that are signed with the vendor's API key.
 *
 * Version 2: the token is HMAC-SHA256, as 64 hex digits, under the API key over the URL as the
 * client wrote it, "&X-Qlm-Timestamp:" and the time stamp, "&X-Qlm-Authentication-Version:" and
 * the version, and "&Name:value" of each further header whose name begins with X-Qlm, in the order
 * received. Version 1 signs the URL alone. */
#ifndef QLM_SERVICE_STRICT_H
#define QLM_SERVICE_STRICT_H

#include "service/call.h"

/** Must requests of the call's method be signed? (strictAuthenticationHttpMethods) */
int qlm_strict_is_required(const qlm_call_t *call);

/** Is the request signed with the API key of @a record, in good time? A vendor without an API key
 * has signed nothing. @return NULL, or why not, for the log only (in the call's pool), with *code
 * set to 8, or to 2 when all that is wrong is the time */
const char *qlm_strict_fault(qlm_code_t *code, const qlm_call_t *call,
                             const qlm_vendor_record_t *record);

#endif
