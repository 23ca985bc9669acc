/* Licenses and customers as JSON. */
#include "service/info.h"

#include "base/date.h"
#include "license/productvalues.h"

static const char *plain(const char *text)
{
    return text ? text : "";
}

/* "STD,PRO," for the enabled ones of the product's "set:id:name;…"; the stored form if the product
 * names none. */
const char *qlm_info_features(const char *stored, const qlm_product_t *product, apr_pool_t *pool)
{
    return product && *plain(product->features)
               ? qlm_features_names(stored, product->features, pool)
               : stored;
}

const char *qlm_info_time(apr_int64_t seconds, apr_pool_t *pool)
{
    return seconds ? qlm_date_format(seconds, "yyyy-MM-ddTHH:mm:ss", pool) : "";
}

json_t *qlm_info_license(const qlm_license_t *license, const qlm_customer_t *customer,
                         const qlm_activation_t *activation, const qlm_call_t *call,
                         apr_pool_t *pool)
{
    const qlm_product_t *product =
        qlm_snapshot_product(call->site, license->product_id, license->major, license->minor);
    const char *properties = qlm_pp_write(
        license->properties, qlm_snapshot_pp_definitions(call->site, product), call->now, pool);

    return json_pack(
        "{s:b, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i,"
        " s:i, s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:I}",
        "LicenseUpdatedOnServer", license->modified_at > license->created_at, "ActivationKey",
        license->activation_key, "FullName", plain(customer->full_name), "Country",
        plain(customer->country), "AffiliateID",
        *license->affiliate_id ? license->affiliate_id : "None", "Email", plain(customer->email),
        "Duration", license->duration_days, "ExpiryDate", qlm_info_time(license->expires_at, pool),
        "UsesAdminEncryption", 0, "MaintenanceRenewalDate",
        qlm_info_time(license->maintenance_until, pool), "Features",
        qlm_info_features(license->features, product, pool), "OrderID", license->order_ref,
        "ReceiptID", license->subscription_ref, "SubscriptionID", license->subscription_ref,
        "LicenseModel", (int)license->model, "ProductID", license->product_id, "MajorVersion",
        license->major, "MinorVersion", license->minor, "NumLicenses", license->num_licenses,
        "FloatingSeats", license->floating_seats, "UserData", license->user_data, "NewFeatures", "",
        "NewFloatingSeats", -1, "ComputerID", activation ? activation->computer_id : "",
        "ComputerName", activation ? activation->computer_name : "", "Comment", license->comment,
        "LegacyKey", license->legacy_key, "AvailableLicenses", license->available_licenses,
        "OrderDate", qlm_info_time(license->ordered_at, pool), "ProductProperties", properties,
        "BundleID", plain(license->bundle_id), "ProductName", product ? product->name : "",
        "MaxReleaseCount", license->max_release_count, "MaxReleasePeriodInDays",
        license->max_release_days, "OrganizationID", (json_int_t)license->organization_id);
}

json_t *qlm_info_customer(const qlm_customer_t *customer, apr_pool_t *pool)
{
    return json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s,"
        " s:s, s:I, s:i, s:s, s:s, s:s}",
        "CustomerID", (json_int_t)customer->id, "FullName", plain(customer->full_name), "Email",
        plain(customer->email), "Company", plain(customer->company), "Phone",
        plain(customer->phone), "Fax", plain(customer->fax), "Mobile", plain(customer->mobile),
        "Address1", plain(customer->address1), "Address2", plain(customer->address2), "City",
        plain(customer->city), "State", plain(customer->state), "Zip", plain(customer->zip),
        "Country", plain(customer->country), "Notes", plain(customer->notes), "AffiliateID",
        *plain(customer->affiliate_id) ? customer->affiliate_id : "None", "IncludeInMailList",
        customer->include_in_mail_list, "ExternalID", plain(customer->external_id), "UserData",
        plain(customer->user_data), "IpAddress", plain(customer->ip_address), "OrganizationID",
        (json_int_t)customer->organization_id, "PrivacyConsent", customer->privacy_consent,
        "PrivacyConsentLastUpdate", qlm_info_time(customer->privacy_consent_at, pool),
        "CreationDate", qlm_info_time(customer->created_at, pool), "ModifiedDate",
        qlm_info_time(customer->modified_at, pool));
}
