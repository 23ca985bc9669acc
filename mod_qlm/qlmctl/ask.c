/* Asking the service. */
#include "qlmctl/ask.h"

static qlm_error_t *lend(qlm_store_t **store, void *baton, apr_pool_t *pool)
{
    qlm_tool_t *tool = baton;

    (void)pool;
    return qlm_tool_store(store, tool);
}

static void give_back(qlm_store_t *store, void *baton)
{
    (void)store;
    (void)baton;
}

qlm_error_t *qlm_ask(qlm_reply_t **reply, qlm_tool_t *tool, const char *method,
                     qlm_fields_t *fields)
{
    qlm_call_input_t input = {0};
    const qlm_secrets_t *secrets;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    input.method = method;
    input.fields = fields;
    input.client_ip = "";
    input.now = tool->now;
    input.is_operator = 1;
    input.lender.lend = lend;
    input.lender.give_back = give_back;
    input.lender.baton = tool;
    *reply = qlm_service_run(qlm_service_create(secrets, tool->pool), &input, tool->pool);
    return NULL;
}
