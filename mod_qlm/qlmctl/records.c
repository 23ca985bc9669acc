/* Stored records as JSON values. Members are named as the fields of the records are. */
#include "qlmctl/records.h"

#include "base/date.h"
#include "base/text.h"
#include "license/keygen.h"

#include <apr_strings.h>
#include <string.h>

static void put_product_version(json_t *object, int id, int major, int minor, apr_pool_t *pool)
{
    qlm_output_put_int(object, "product_id", id);
    qlm_output_put(object, "version", apr_psprintf(pool, "%d.%d", major, minor));
}

/* What was sold. */
static void put_grant(json_t *object, const qlm_license_t *license)
{
    qlm_output_put(object, "model", qlm_model_name(license->model));
    qlm_output_put_int(object, "engine", license->engine);
    qlm_output_put_bool(object, "is_generic", license->is_generic);
    qlm_output_put_bool(object, "is_disabled", license->is_disabled);
    qlm_output_put_bool(object, "is_test", license->is_test);
    qlm_output_put_int(object, "num_licenses", license->num_licenses);
    qlm_output_put_int(object, "available_licenses", license->available_licenses);
    qlm_output_put_int(object, "floating_seats", license->floating_seats);
    qlm_output_put(object, "features", license->features);
    qlm_output_put_time(object, "expires_at", license->expires_at);
    qlm_output_put_int(object, "duration_days", license->duration_days);
    qlm_output_put_time(object, "maintenance_until", license->maintenance_until);
    qlm_output_put_int(object, "computer_type", license->computer_type);
    qlm_output_put_time(object, "created_at", license->created_at);
    qlm_output_put_time(object, "ordered_at", license->ordered_at);
    qlm_output_put_time(object, "first_activated_at", license->first_activated_at);
    qlm_output_put_time(object, "released_at", license->released_at);
    qlm_output_put_time(object, "disabled_at", license->disabled_at);
    qlm_output_put_time(object, "modified_at", license->modified_at);
    qlm_output_put_int(object, "max_release_count", license->max_release_count);
    qlm_output_put_int(object, "max_release_days", license->max_release_days);
}

json_t *qlm_record_license(const qlm_license_t *license, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put_id(object, "id", license->id);
    qlm_output_put(object, "activation_key", qlm_keygen_display(license->activation_key, pool));
    put_product_version(object, license->product_id, license->major, license->minor, pool);
    put_grant(object, license);
    qlm_output_put(object, "vendor", license->vendor);
    qlm_output_put(object, "order_ref", license->order_ref);
    qlm_output_put(object, "line_ref", license->line_ref);
    qlm_output_put(object, "subscription_ref", license->subscription_ref);
    qlm_output_put(object, "order_status", license->order_status);
    qlm_output_put(object, "user_data", license->user_data);
    qlm_output_put(object, "comment", license->comment);
    qlm_output_put(object, "legacy_key", license->legacy_key);
    qlm_output_put(object, "affiliate_id", license->affiliate_id);
    qlm_output_put(object, "properties", license->properties);
    qlm_output_put(object, "bundle_id", license->bundle_id);
    qlm_output_put(object, "allowed_computers", license->allowed_computers);
    qlm_output_put(object, "denied_computers", license->denied_computers);
    qlm_output_put_id(object, "customer_id", license->customer_id);
    qlm_output_put_id(object, "organization_id", license->organization_id);
    return object;
}

json_t *qlm_record_activation(const qlm_activation_t *activation, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put_id(object, "id", activation->id);
    qlm_output_put_id(object, "license_id", activation->license_id);
    qlm_output_put(object, "computer_id", activation->computer_id);
    qlm_output_put(object, "computer_name", activation->computer_name);
    qlm_output_put(object, "computer_key", qlm_keygen_display(activation->computer_key, pool));
    qlm_output_put(object, "version",
                   apr_psprintf(pool, "%d.%d", activation->major, activation->minor));
    qlm_output_put_time(object, "activated_at", activation->activated_at);
    qlm_output_put_time(object, "last_accessed_at", activation->last_accessed_at);
    qlm_output_put_int(object, "activation_count", activation->activation_count);
    qlm_output_put(object, "user_data", activation->user_data);
    qlm_output_put(object, "ip_address", activation->ip_address);
    qlm_output_put_time(object, "offline_until", activation->offline_until);
    return object;
}

/* What may not have been said. */
static void put_said(json_t *object, const char *key, int said)
{
    if (said < 0) {
        qlm_output_put(object, key, NULL);
    }
    else {
        qlm_output_put_bool(object, key, said);
    }
}

json_t *qlm_record_customer(const qlm_customer_t *customer, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put_id(object, "id", customer->id);
    qlm_output_put(object, "email", customer->email);
    qlm_output_put(object, "full_name", customer->full_name);
    qlm_output_put(object, "company", customer->company);
    qlm_output_put(object, "phone", customer->phone);
    qlm_output_put(object, "fax", customer->fax);
    qlm_output_put(object, "mobile", customer->mobile);
    qlm_output_put(object, "address1", customer->address1);
    qlm_output_put(object, "address2", customer->address2);
    qlm_output_put(object, "city", customer->city);
    qlm_output_put(object, "state", customer->state);
    qlm_output_put(object, "zip", customer->zip);
    qlm_output_put(object, "country", customer->country);
    qlm_output_put(object, "notes", customer->notes);
    qlm_output_put(object, "affiliate_id", customer->affiliate_id);
    put_said(object, "include_in_mail_list", customer->include_in_mail_list);
    qlm_output_put(object, "external_id", customer->external_id);
    qlm_output_put(object, "user_data", customer->user_data);
    qlm_output_put(object, "ip_address", customer->ip_address);
    qlm_output_put_id(object, "organization_id", customer->organization_id);
    put_said(object, "privacy_consent", customer->privacy_consent);
    qlm_output_put_time(object, "privacy_consent_at", customer->privacy_consent_at);
    qlm_output_put_time(object, "created_at", customer->created_at);
    qlm_output_put_time(object, "modified_at", customer->modified_at);
    return object;
}

json_t *qlm_record_organization(const qlm_organization_t *organization, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put_id(object, "id", organization->id);
    qlm_output_put(object, "name", organization->name);
    qlm_output_put(object, "domains", organization->domains);
    qlm_output_put_bool(object, "may_users_acquire", organization->may_users_acquire);
    qlm_output_put(object, "notes", organization->notes);
    qlm_output_put_time(object, "created_at", organization->created_at);
    return object;
}

json_t *qlm_record_order_line(const qlm_order_record_t *record, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put(object, "vendor", record->vendor);
    qlm_output_put(object, "order_ref", record->order_ref);
    qlm_output_put(object, "line_ref", record->line_ref);
    qlm_output_put(object, "fingerprint", record->fingerprint);
    qlm_output_put(object, "content_type", record->content_type);
    qlm_output_put(object, "answer", record->answer);
    qlm_output_put_time(object, "created_at", record->created_at);
    return object;
}

json_t *qlm_record_product(const qlm_product_t *product, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    put_product_version(object, product->id, product->major, product->minor, pool);
    qlm_output_put(object, "name", product->name);
    qlm_output_put(object, "algorithm", qlm_algorithm_name(product->algorithm));
    qlm_output_put(object, "released",
                   product->released_at ? qlm_date_format(product->released_at, "yyyy-MM-dd", pool)
                                        : NULL);
    qlm_output_put(object, "features", product->features);
    qlm_output_put(object, "latest_version", product->latest_version);
    qlm_output_put(object, "latest_version_url", product->latest_version_url);
    qlm_output_put(object, "latest_version_notes", product->latest_version_notes);
    qlm_output_put(object, "public_key_pem", product->public_key_pem);
    return object;
}

json_t *qlm_record_pp_value(const qlm_pp_value_t *value, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put(object, "category", value->definition->category);
    qlm_output_put(object, "name", value->definition->name);
    qlm_output_put(object, "type", qlm_pp_type_name(value->definition->type));
    qlm_output_put(object, "value", value->value);
    qlm_output_put_bool(object, "is_set", value->is_set);
    qlm_output_put_time(object, "updated_at", value->updated_at);
    qlm_output_put_time(object, "expires_at", value->expires_at);
    return object;
}

json_t *qlm_record_vendor(const char *title, const qlm_vendor_record_t *record, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put(object, "name", record->name);
    qlm_output_put(object, "title", title);
    qlm_output_put_bool(object, "is_enabled", record->is_enabled);
    qlm_output_put_bool(object, "is_open", record->is_open);
    qlm_output_put(object, "user", record->user);
    qlm_output_put_bool(object, "has_password", !qlm_text_is_empty(record->password_verifier));
    qlm_output_put_bool(object, "has_sealed_password", !qlm_text_is_empty(record->password_sealed));
    qlm_output_put(object, "url", record->url);
    qlm_output_put_bool(object, "has_api_key", !qlm_text_is_empty(record->api_key_sealed));
    qlm_output_put_bool(object, "has_shared_key", !qlm_text_is_empty(record->shared_key_sealed));
    qlm_output_put(object, "callback_user", record->callback_user);
    qlm_output_put_bool(object, "has_callback_password",
                        !qlm_text_is_empty(record->callback_verifier));
    return object;
}

json_t *qlm_record_outbox(const qlm_outbox_row_t *row, apr_pool_t *pool)
{
    int is_waiting = strcmp(row->state, QLM_OUTBOX_WAITING) == 0;
    json_t *object = qlm_output_object(pool);

    qlm_output_put_id(object, "id", row->id);
    qlm_output_put(object, "kind", row->kind);
    qlm_output_put(object, "state", row->state);
    qlm_output_put(object, "target", row->target);
    qlm_output_put(object, "subject", row->subject);
    qlm_output_put(object, "order_key", row->order_key);
    qlm_output_put_int(object, "attempts", row->attempts);
    qlm_output_put(object, "last_error", row->last_error);
    qlm_output_put_time(object, "created_at", row->created_at);
    qlm_output_put_time(object, "next_at", is_waiting ? row->next_at : 0);
    qlm_output_put_time(object, "finished_at", row->finished_at);
    return object;
}
