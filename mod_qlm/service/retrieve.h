/* Whose orders a caller may see. */
#ifndef QLM_SERVICE_RETRIEVE_H
#define QLM_SERVICE_RETRIEVE_H

#include "service/call.h"

/** The vendor to whose orders the call is confined: a shop sees its own; the publisher's own
 * programs (QlmAuthenticationProvider) see all, "". */
const char *qlm_retrieve_scope(const qlm_call_t *call);

#endif
