/* RetrieveActivationKeyHttp: a program that has sent its user to a shop fetches the keys of the
 * order, by the number or by the user data that it gave along. */
#include "service/retrieve.h"
#include "base/text.h"
#include "license/keygen.h"
#include "service/operations.h"
#include "service/reply.h"
#include "vendor/vendors.h"

#include <apr_strings.h>
#include <jansson.h>
#include <string.h>

static qlm_error_t *read_wanted(const char **order_ref, const char **user_data, qlm_reply_t *reply,
                                const qlm_call_t *call)
{
    *order_ref = qlm_arguments_text(call->arguments, QLM_ARGUMENT_ORDER);
    *user_data = qlm_arguments_text(call->arguments, QLM_ARGUMENT_USER_DATA);
    if (!**order_ref && !**user_data) {
        return qlm_error_make(
            call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_MISSING_ARGUMENT,
            "is_orderid or is_userdata1 is missing: add what the order was given");
    }
    reply->subject = apr_psprintf(call->pool, "order %s",
                                  **order_ref ? qlm_text_for_log(*order_ref, 40, call->pool) : "-");
    return NULL;
}

const char *qlm_retrieve_scope(const qlm_call_t *call)
{
    return call->vendor == &qlm_vendor_qlmauthenticationprovider ? "" : call->vendor->name;
}

/* A key that was revoked is of no use any more. */
static qlm_error_t *find_keys(apr_array_header_t **keys, qlm_reply_t *reply, const qlm_call_t *call)
{
    const char *order_ref, *user_data;
    apr_array_header_t *licenses;

    QLM_TRY(read_wanted(&order_ref, &user_data, reply, call));
    QLM_TRY(qlm_store_retrieve_licenses(&licenses, call->store, qlm_retrieve_scope(call), order_ref,
                                        user_data, QLM_MAX_QUANTITY, call->pool));
    *keys = apr_array_make(call->pool, licenses->nelts, sizeof(const char *));
    for (int i = 0; i < licenses->nelts; i++) {
        const qlm_license_t *license = &APR_ARRAY_IDX(licenses, i, qlm_license_t);

        if (!license->is_disabled) {
            APR_ARRAY_PUSH(*keys, const char *) = qlm_call_shown_key(license->activation_key, call);
        }
    }
    return (*keys)->nelts ? NULL
                          : qlm_error_make(call->pool, QLM_ERROR_REFUSED, QLM_CODE_NOT_FOUND,
                                           "there is no key (yet) for this order");
}

static qlm_error_t *answer_json(qlm_reply_t *reply, const apr_array_header_t *keys,
                                apr_pool_t *pool)
{
    json_t *licenses = json_array();

    for (int i = 0; i < keys->nelts; i++) {
        json_array_append_new(
            licenses, json_pack("{s:s}", "activationKey", APR_ARRAY_IDX(keys, i, const char *)));
    }
    return qlm_reply_set_json(
        reply, json_pack("{s:{s:o}}", "QuickLicenseManager", "licenses", licenses), pool);
}

qlm_error_t *qlm_operation_retrieve(qlm_reply_t *reply, qlm_call_t *call)
{
    qlm_callback_t callback = {call->input->fields, call->properties, call->now};
    qlm_answer_t answer = {0};
    apr_array_header_t *keys;
    int is_json;

    QLM_TRY(qlm_reply_is_json(&is_json, call));
    QLM_TRY(find_keys(&keys, reply, call));
    reply->outcome = "retrieved";
    if (is_json) {
        return answer_json(reply, keys, call->pool);
    }
    qlm_vendor_qlmauthenticationprovider.write_keys(&answer, keys, &callback, call->pool);
    qlm_reply_set(reply, answer.content_type, answer.body);
    return NULL;
}
