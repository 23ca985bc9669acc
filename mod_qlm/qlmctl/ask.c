/* Asking the service. */
#include "qlmctl/ask.h"

#include <string.h>

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

qlm_error_t *qlm_ask_prepare(qlm_call_input_t *input, qlm_service_t **service, qlm_tool_t *tool)
{
    const qlm_secrets_t *secrets;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    memset(input, 0, sizeof(*input));
    input->client_ip = "";
    input->now = tool->now;
    input->is_operator = 1;
    input->lender.lend = lend;
    input->lender.give_back = give_back;
    input->lender.baton = tool;
    *service = qlm_service_create(secrets, tool->pool);
    return NULL;
}

qlm_error_t *qlm_ask(qlm_reply_t **reply, qlm_tool_t *tool, const char *method,
                     qlm_fields_t *fields)
{
    qlm_call_input_t input;
    qlm_service_t *service;

    QLM_TRY(qlm_ask_prepare(&input, &service, tool));
    input.method = method;
    input.fields = fields;
    *reply = qlm_service_run(service, &input, tool->pool);
    return NULL;
}
