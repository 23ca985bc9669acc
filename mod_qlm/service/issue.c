/* GetActivationKey and GetActivationKeyWithExpiryDate: a delivered order line becomes keys, or
 * renews the license it belongs to.
 *
 * The stored answer comes first: whoever asks again for an order line gets the very same bytes,
 * whatever has changed since. */
#include "base/text.h"
#include "license/keygen.h"
#include "service/fulfil.h"
#include "service/operations.h"
#include "service/ordering.h"
#include "service/reply.h"

#include <apr_strings.h>
#include <string.h>

/* ---- answering --------------------------------------------------------------------------------
 */

static void answer(qlm_reply_t *reply, const qlm_fulfil_line_t *line, const char *outcome)
{
    qlm_reply_set(reply, line->content_type, line->answer);
    reply->outcome = outcome;
}

/* Somebody else was faster: theirs is the answer. */
static qlm_error_t *answer_winner(qlm_reply_t *reply, qlm_fulfil_line_t *line, qlm_call_t *call)
{
    int is_known;

    QLM_TRY(qlm_fulfil_find(&is_known, &reply->oddity, line, call));
    answer(reply, line, "repeated");
    return NULL;
}

static qlm_error_t *issue(qlm_reply_t *reply, const apr_array_header_t *lines, qlm_call_t *call)
{
    qlm_fulfil_line_t *line = &APR_ARRAY_IDX(lines, 0, qlm_fulfil_line_t);

    QLM_TRY(qlm_fulfil_order(lines, call));
    if (!line->is_new) {
        return answer_winner(reply, line, call);
    }
    answer(reply, line, "issued");
    reply->subject =
        apr_psprintf(call->pool, "%s: %d key%s %s", reply->subject, line->keys->nelts,
                     line->keys->nelts == 1 ? "" : "s",
                     qlm_keygen_for_log(APR_ARRAY_IDX(line->keys, 0, const char *), call->pool));
    return NULL;
}

/* ---- renewing ---------------------------------------------------------------------------------
 */

/* May `field` carry the original key of a renewal? The shop names its field nowhere, so every field
 * of the body is looked at, unless property shareit_originalkey_field names it. */
static int may_be_original(const qlm_field_t *field, const qlm_call_t *call)
{
    const char *named =
        qlm_properties_text(call->properties, QLM_PROPERTY_SHAREIT_ORIGINAL_KEY_FIELD);

    return field->source == QLM_FROM_BODY && strlen(field->value) <= QLM_KEY_MAX_LENGTH &&
           (!*named || strcasecmp(field->name, named) == 0);
}

/* The license that is renewed: a posted key of ours, for the same product, not revoked. */
static qlm_error_t *find_original(qlm_license_view_t **original, const qlm_fulfil_line_t *line,
                                  const qlm_call_t *call)
{
    const apr_array_header_t *fields = call->input->fields->list;

    *original = NULL;
    for (int i = 0; i < fields->nelts && !*original && call->vendor->can_renew; i++) {
        const qlm_field_t *field = &APR_ARRAY_IDX(fields, i, qlm_field_t);
        const char *key;

        if (!may_be_original(field, call) ||
            qlm_keygen_read(&key, field->value, call->secrets, call->pool) != QLM_KEY_OURS) {
            continue;
        }
        QLM_TRY(qlm_store_find_license(original, call->store, key, "", call->pool));
        if (*original && ((*original)->license.product_id != line->terms.product_id ||
                          (*original)->license.is_disabled)) {
            *original = NULL;
        }
    }
    return NULL;
}

static qlm_error_t *renew(qlm_reply_t *reply, qlm_fulfil_line_t *line, const qlm_license_t *license,
                          qlm_call_t *call)
{
    QLM_TRY(qlm_fulfil_renewal(line, license, call));
    if (!line->is_new) {
        return answer_winner(reply, line, call);
    }
    answer(reply, line, "renewed");
    return NULL;
}

/* ---- the operation ----------------------------------------------------------------------------
 */

qlm_error_t *qlm_operation_issue(qlm_reply_t *reply, qlm_call_t *call)
{
    qlm_order_t order = {0};
    apr_array_header_t *lines = apr_array_make(call->pool, 1, sizeof(qlm_fulfil_line_t));
    qlm_fulfil_line_t *line = apr_array_push(lines);
    qlm_license_view_t *original;
    qlm_error_t *unusable;
    int is_known;

    QLM_TRY(qlm_ordering_read(&order, reply, call));
    QLM_TRY(qlm_ordering_arguments(&order, call));
    line->order = &order;
    line->arguments = call->arguments;
    /* A repeat is answered even if the product has been removed since. */
    unusable = qlm_fulfil_prepare(line, call);
    QLM_TRY(qlm_fulfil_find(&is_known, &reply->oddity, line, call));
    if (is_known) {
        answer(reply, line, "repeated");
        return NULL;
    }
    QLM_TRY(unusable);
    QLM_TRY(find_original(&original, line, call));
    return original ? renew(reply, line, &original->license, call) : issue(reply, lines, call);
}
