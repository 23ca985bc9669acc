/* RevokeLicenseHttp: a license is revoked, or restored. */
#include "base/text.h"
#include "service/change.h"
#include "service/operations.h"

static qlm_error_t *set_disabled(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = changing->call;
    int is_disabled = (int)qlm_arguments_number(call->arguments, QLM_ARGUMENT_REVOKE, 1);

    (void)store;
    (void)pool;
    qlm_license_disable(&changing->after, is_disabled, call->now);
    return NULL;
}

static const qlm_change_t revocation = {
    .event = "revoked",
    .outcome = "revoked",
    .result = "Successfully updated license information for ActivationKey=",
    .apply = set_disabled,
};

static const qlm_change_t restoration = {
    .event = "restored",
    .outcome = "restored",
    .result = "Successfully updated license information for ActivationKey=",
    .apply = set_disabled,
};

/* Which of the two is known before the arguments are read: history and log say what was asked. */
static int is_restoration(const qlm_call_t *call)
{
    const char *text = qlm_argument_raw(call->input->fields, QLM_ARGUMENT_REVOKE, call->sources);
    int is_disabled;

    return text && qlm_text_to_bool(&is_disabled, text) && !is_disabled;
}

qlm_error_t *qlm_operation_revoke(qlm_reply_t *reply, qlm_call_t *call)
{
    return qlm_change_run(reply, call, is_restoration(call) ? &restoration : &revocation);
}
