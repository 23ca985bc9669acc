/* Deciding what is kept of a call. */
#include "service/attempt.h"

#include "base/text.h"
#include "service/accessed.h"

#include <string.h>

static void keep(const qlm_attempted_t *attempted, int code, qlm_call_t *call)
{
    const qlm_attempt_t attempt = {.license_id = attempted->view->license.id,
                                   .code = code,
                                   .computer_id = attempted->request->computer_id,
                                   .computer_name = attempted->computer_name,
                                   .address = call->input->client_ip};

    qlm_accessed_refuse(call->accessed, &attempt, call->now, call->pool);
}

/* Was @a computer_key made here, for this computer before it was released, or for another one? Keys
 * of what the license was formerly cannot be told from invented ones, and do not count. */
static qlm_error_t *is_genuine(int *genuine, const qlm_attempted_t *attempted, qlm_call_t *call)
{
    const qlm_request_t *request = attempted->request;
    const qlm_license_t *license = &attempted->view->license;
    const char *own =
        qlm_license_computer_key(license, request->computer_id, call->secrets, call->pool);

    *genuine = strcmp(own, request->computer_key) == 0;
    return *genuine
               ? NULL
               : qlm_store_is_others_key(genuine, call->store, license->id, request->computer_id,
                                         request->computer_key, call->pool);
}

/* A call with a computer key only asks; worth keeping is a key in the wrong hands, or one that had
 * to match and does not. A look-up that fails leaves nothing to keep: the answer stands. */
static void note_key(const qlm_attempted_t *attempted, const qlm_error_t *refusal, qlm_call_t *call)
{
    const qlm_activation_t *activation = &attempted->view->activation;
    int genuine;

    if ((activation->id &&
         strcmp(activation->computer_key, attempted->request->computer_key) == 0) ||
        is_genuine(&genuine, attempted, call)) {
        return;
    }
    if (genuine) {
        keep(attempted, QLM_CODE_ILLEGAL, call);
    }
    else if (refusal && refusal->code == QLM_CODE_COMPUTER_KEY_MISMATCH) {
        keep(attempted, QLM_CODE_COMPUTER_KEY_MISMATCH, call);
    }
}

void qlm_attempt_note(const qlm_attempted_t *attempted, const qlm_error_t *refusal,
                      qlm_call_t *call)
{
    const qlm_request_t *request = attempted->request;

    if ((refusal && refusal->kind != QLM_ERROR_REFUSED) ||
        qlm_license_check_computer_id(request->computer_id, call->pool)) {
        return;
    }
    if (*request->computer_key) {
        note_key(attempted, refusal, call);
    }
    else if (refusal && request->activate) {
        keep(attempted, (int)refusal->code, call);
    }
}
