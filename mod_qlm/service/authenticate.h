/* Who is calling. Every credential fails closed: unset, empty, wrong, disabled is refused, without
 * saying which half was wrong, neither in words nor by the time it takes. */
#ifndef QLM_SERVICE_AUTHENTICATE_H
#define QLM_SERVICE_AUTHENTICATE_H

#include "service/call.h"

/** Which translator answers the call? Decided by is_vendor in the URL, else in the body (only for
 * vendors whose body is trusted), else the property defaultCommerceProvider, else
 * QlmAuthenticationProvider. Sets call->vendor and call->sources; works without a site too (then
 * without the property). Errors: DENIED 8 for an unknown vendor. */
qlm_error_t *qlm_authenticate_choose_vendor(qlm_call_t *call);

/** May the caller call the method? By the method's permission and the vendor's record, and if the
 * method is listed for strict authentication by the request's signature. Errors: DENIED 8; 2 for a
 * genuine signature whose time stamp is too far off. */
qlm_error_t *qlm_authenticate(qlm_call_t *call);

#endif
