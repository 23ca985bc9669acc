/* Asking the service as the server would: the same walk, on the tool's own connection, as the
 * operator (who needs no vendor's credentials and no enabled method). */
#ifndef QLM_QLMCTL_ASK_H
#define QLM_QLMCTL_ASK_H

#include "qlmctl/tool.h"
#include "service/service.h"

/** Call @a method with @a fields. Errors: secret or database not usable; what the service refuses
 * is in the reply. */
qlm_error_t *qlm_ask(qlm_reply_t **reply, qlm_tool_t *tool, const char *method,
                     qlm_fields_t *fields);

/** What a call at the command line brings along, and a service to ask; both in the tool's pool.
 * Errors: secret or database not usable. */
qlm_error_t *qlm_ask_prepare(qlm_call_input_t *input, qlm_service_t **service, qlm_tool_t *tool);

#endif
