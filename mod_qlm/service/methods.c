/* The method table. A new method is one row here and one function. */
#include "service/methods.h"

#include "service/operations.h"

#include <strings.h>

#define REQUIRED(id)                                                                               \
    {                                                                                              \
        QLM_ARGUMENT_##id, 1                                                                       \
    }
#define OPTIONAL(id)                                                                               \
    {                                                                                              \
        QLM_ARGUMENT_##id, 0                                                                       \
    }
#define END                                                                                        \
    {                                                                                              \
        QLM_ARGUMENT_NONE, 0                                                                       \
    }

static const qlm_parameter_t issue_parameters[] = {
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    REQUIRED(PRODUCT),
    REQUIRED(MAJOR),
    REQUIRED(MINOR),
    OPTIONAL(QLM_VERSION),
    OPTIONAL(QUANTITY),
    OPTIONAL(ONE_KEY),
    OPTIONAL(PER_KEY),
    OPTIONAL(ADDITIONAL),
    OPTIONAL(FLOATING),
    OPTIONAL(FEATURES),
    OPTIONAL(MODEL),
    OPTIONAL(DURATION),
    OPTIONAL(EXPIRY),
    OPTIONAL(PLAN),
    OPTIONAL(PLAN_DAYS),
    OPTIONAL(COMPUTER_TYPE),
    OPTIONAL(AFFILIATE),
    OPTIONAL(USER_DATA),
    OPTIONAL(LEGACY_KEY),
    OPTIONAL(PROPERTIES),
    OPTIONAL(ARGS),
    OPTIONAL(MAIL_TEMPLATE),
    OPTIONAL(RENEWAL_TEMPLATE),
    OPTIONAL(SEND_MAIL),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t activate_parameters[] = {
    REQUIRED(KEY),
    REQUIRED(COMPUTER_ID),
    OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),
    OPTIONAL(MINOR),
    OPTIONAL(COMPUTER_NAME),
    OPTIONAL(EMAIL),
    OPTIONAL(USER_DATA),
    OPTIONAL(AFFILIATE),
    OPTIONAL(QLM_VERSION),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(SIGN),
    OPTIONAL(BOM),
    OPTIONAL(ARGS),
    END,
};

static const qlm_parameter_t validate_parameters[] = {
    REQUIRED(KEY),
    OPTIONAL(COMPUTER_ID),
    OPTIONAL(COMPUTER_KEY),
    OPTIONAL(ACTIVATE),
    OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),
    OPTIONAL(MINOR),
    OPTIONAL(COMPUTER_NAME),
    OPTIONAL(EMAIL),
    OPTIONAL(USER_DATA),
    OPTIONAL(LOG_USER_DATA),
    OPTIONAL(AFFILIATE),
    OPTIONAL(QLM_VERSION),
    OPTIONAL(SIGN),
    OPTIONAL(BOM),
    OPTIONAL(ARGS),
    END,
};

static const qlm_parameter_t request_code_parameters[] = {
    REQUIRED(EMAIL), REQUIRED(COMPUTER_ID), REQUIRED(PRODUCT), REQUIRED(MAJOR),
    REQUIRED(MINOR), OPTIONAL(LOCALE),      OPTIONAL(ARGS),    END,
};

static const qlm_parameter_t activate_by_code_parameters[] = {
    REQUIRED(CODE),      REQUIRED(COMPUTER_ID),   OPTIONAL(COMPUTER_KEY),  OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),     OPTIONAL(MINOR),         OPTIONAL(COMPUTER_NAME), OPTIONAL(EMAIL),
    OPTIONAL(USER_DATA), OPTIONAL(LOG_USER_DATA), OPTIONAL(AFFILIATE),     OPTIONAL(QLM_VERSION),
    OPTIONAL(SIGN),      OPTIONAL(BOM),           OPTIONAL(ARGS),          END,
};

static const qlm_parameter_t register_parameters[] = {
    REQUIRED(EMAIL),         REQUIRED(PRODUCT),
    REQUIRED(MAJOR),         REQUIRED(MINOR),
    OPTIONAL(ARGS),          OPTIONAL(FULL_NAME),
    OPTIONAL(COMPANY),       OPTIONAL(PHONE),
    OPTIONAL(COUNTRY),       OPTIONAL(ADDRESS1),
    OPTIONAL(ADDRESS2),      OPTIONAL(CITY),
    OPTIONAL(STATE),         OPTIONAL(ZIP),
    OPTIONAL(SUBSCRIBE),     OPTIONAL(USER_DATA),
    OPTIONAL(LOCALE),        OPTIONAL(MODEL),
    OPTIONAL(DURATION),      OPTIONAL(EXPIRY),
    OPTIONAL(FEATURES),      OPTIONAL(QUANTITY),
    OPTIONAL(PLAN),          OPTIONAL(PLAN_DAYS),
    OPTIONAL(AFFILIATE),     OPTIONAL(PROPERTIES),
    OPTIONAL(QLM_VERSION),   OPTIONAL(SEND_MAIL),
    OPTIONAL(MAIL_TEMPLATE), OPTIONAL(MAIL_SUBJECT),
    OPTIONAL(MAIL_FROM),     OPTIONAL(MAIL_CC),
    OPTIONAL(MAIL_BCC),      OPTIONAL(FAILURE_TEMPLATE),
    OPTIONAL(CONFIRMATION),  END,
};

/* What an installation says of itself. */
#define INSTALL_PARAMETERS                                                                         \
    OPTIONAL(SOFTWARE_VERSION), OPTIONAL(OS_VERSION), OPTIONAL(COMPUTER_NAME),                     \
        OPTIONAL(INSTALL_COMPUTER), OPTIONAL(KEY), OPTIONAL(COMPUTER_KEY), OPTIONAL(TRIAL),        \
        OPTIONAL(PRODUCT_NAME), OPTIONAL(MAJOR), OPTIONAL(MINOR), OPTIONAL(CUSTOM_DATA1),          \
        OPTIONAL(CUSTOM_DATA2), OPTIONAL(CUSTOM_DATA3), OPTIONAL(ARGS)

static const qlm_parameter_t add_install_parameters[] = {INSTALL_PARAMETERS, END};
static const qlm_parameter_t update_install_parameters[] = {REQUIRED(INSTALL_ID),
                                                            INSTALL_PARAMETERS, END};
static const qlm_parameter_t install_parameters[] = {REQUIRED(INSTALL_ID), END};
static const qlm_parameter_t release_parameters[] = {
    REQUIRED(KEY),
    OPTIONAL(COMPUTER_ID),
    OPTIONAL(DEACTIVATION_CODE),
    OPTIONAL(LOG_RELEASE),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(ARGS),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t revoke_parameters[] = {
    OPTIONAL(KEY),
    OPTIONAL(REVOKE),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),
    OPTIONAL(MINOR),
    OPTIONAL(ARGS),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t latest_parameters[] = {
    REQUIRED(PRODUCT), REQUIRED(MAJOR), REQUIRED(MINOR), OPTIONAL(ARGS), OPTIONAL(LOCALE), END,
};

static const qlm_parameter_t renew_parameters[] = {
    OPTIONAL(KEY),        OPTIONAL(EXPIRY),    OPTIONAL(DURATION),
    OPTIONAL(PLAN),       OPTIONAL(PLAN_DATE), OPTIONAL(PLAN_DAYS),
    OPTIONAL(PROPERTIES), OPTIONAL(VENDOR),    OPTIONAL(USER),
    OPTIONAL(PWD),        OPTIONAL(PRODUCT),   OPTIONAL(MAJOR),
    OPTIONAL(MINOR),      OPTIONAL(ARGS),      OPTIONAL(RENEWAL_TEMPLATE),
    OPTIONAL(SEND_MAIL),  OPTIONAL(LOCALE),    END,
};

static const qlm_parameter_t enable_plan_parameters[] = {
    OPTIONAL(KEY),       OPTIONAL(PLAN),    OPTIONAL(PLAN_DATE),
    OPTIONAL(PLAN_DAYS), OPTIONAL(VENDOR),  OPTIONAL(USER),
    OPTIONAL(PWD),       OPTIONAL(PRODUCT), OPTIONAL(MAJOR),
    OPTIONAL(MINOR),     OPTIONAL(ARGS),    OPTIONAL(MAIL_TEMPLATE),
    OPTIONAL(SEND_MAIL), OPTIONAL(LOCALE),  END,
};

static const qlm_parameter_t renew_plan_parameters[] = {
    OPTIONAL(KEY),
    OPTIONAL(PLAN_DATE),
    OPTIONAL(PLAN_DAYS),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),
    OPTIONAL(MINOR),
    OPTIONAL(ARGS),
    OPTIONAL(RENEWAL_TEMPLATE),
    OPTIONAL(SEND_MAIL),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t update_parameters[] = {
    OPTIONAL(KEY),          OPTIONAL(FEATURES),
    OPTIONAL(EXPIRY),       OPTIONAL(DURATION),
    OPTIONAL(PRODUCT),      OPTIONAL(MAJOR),
    OPTIONAL(MINOR),        OPTIONAL(MODEL),
    OPTIONAL(QUANTITY),     OPTIONAL(USER_DATA),
    OPTIONAL(AFFILIATE),    OPTIONAL(REVOKE),
    OPTIONAL(MAX_RELEASES), OPTIONAL(RELEASE_DAYS),
    OPTIONAL(PROPERTIES),   OPTIONAL(QLM_VERSION),
    OPTIONAL(VENDOR),       OPTIONAL(USER),
    OPTIONAL(PWD),          OPTIONAL(ARGS),
    OPTIONAL(LOCALE),       END,
};

static const qlm_parameter_t upgrade_parameters[] = {
    OPTIONAL(KEY),
    OPTIONAL(PRODUCT),
    OPTIONAL(MAJOR),
    OPTIONAL(MINOR),
    OPTIONAL(FEATURES),
    OPTIONAL(EXPIRY),
    OPTIONAL(DURATION),
    OPTIONAL(MODEL),
    OPTIONAL(USER_DATA),
    OPTIONAL(AFFILIATE),
    OPTIONAL(QLM_VERSION),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(ARGS),
    OPTIONAL(MAIL_TEMPLATE),
    OPTIONAL(SEND_MAIL),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t recent_parameters[] = {
    OPTIONAL(PERIOD), OPTIONAL(VENDOR), OPTIONAL(USER), OPTIONAL(PWD), OPTIONAL(ARGS), END,
};

static const qlm_parameter_t retrieve_parameters[] = {
    OPTIONAL(ORDER),  OPTIONAL(USER_DATA), OPTIONAL(FORMAT),
    OPTIONAL(VENDOR), OPTIONAL(USER),      OPTIONAL(PWD),
    OPTIONAL(ARGS),   OPTIONAL(LOCALE),    END,
};

static const qlm_parameter_t subscribe_parameters[] = {
    REQUIRED(EMAIL), OPTIONAL(INCLUDE), OPTIONAL(HTML), OPTIONAL(ARGS), OPTIONAL(LOCALE), END,
};

static const qlm_parameter_t consent_parameters[] = {
    REQUIRED(KEY), REQUIRED(EMAIL), REQUIRED(CONSENT), OPTIONAL(ARGS), OPTIONAL(LOCALE), END,
};

static const qlm_parameter_t user_parameters[] = {
    OPTIONAL(KEYS),
    OPTIONAL(PREVIOUS_EMAIL),
    OPTIONAL(EXTERNAL_ID),
    OPTIONAL(USER_DATA),
    OPTIONAL(AFFILIATE),
    OPTIONAL(VENDOR),
    OPTIONAL(USER),
    OPTIONAL(PWD),
    OPTIONAL(ARGS),
    OPTIONAL(LOCALE),
    END,
};

static const qlm_parameter_t no_parameters[] = {END};

const qlm_method_t qlm_methods[] = {
    {"ActivateKey", "Activate a key for one computer.", QLM_PERMISSION_OFFERED, QLM_FORM_DOCUMENT,
     -1, activate_parameters, qlm_operation_validate},
    {"ActivateKeyByAuthorizationCodeHttp", "Activate a license by the code that came by mail.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_DOCUMENT, -1, activate_by_code_parameters,
     qlm_operation_activate_by_code},
    {"AnalyticsAddInstallHttp", "Register an installation; the answer brings its id.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_XML, QLM_PROPERTY_ENABLE_ANALYTICS, add_install_parameters,
     qlm_operation_add_install},
    {"AnalyticsRemoveInstallHttp", "Note that an installation was removed.", QLM_PERMISSION_PUBLIC,
     QLM_FORM_XML, QLM_PROPERTY_ENABLE_ANALYTICS, install_parameters, qlm_operation_remove_install},
    {"AnalyticsUpdateInstallHttp", "Change what is known of an installation.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_XML, QLM_PROPERTY_ENABLE_ANALYTICS, update_install_parameters,
     qlm_operation_update_install},
    {"AnalyticsUpdateLastAccessedDateHttp", "Note that an installation is used today.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_XML, QLM_PROPERTY_ENABLE_ANALYTICS, install_parameters,
     qlm_operation_access_install},
    {"EnableMaintenancePlan", "Begin a maintenance plan, or extend it.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, -1, enable_plan_parameters, qlm_operation_enable_plan},
    {"GetActivationKey", "Create activation keys for an order.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY, issue_parameters,
     qlm_operation_issue},
    {"GetActivationKeyWithExpiryDate", "Create activation keys that expire.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, QLM_PROPERTY_ENABLE_GET_ACTIVATION_KEY, issue_parameters,
     qlm_operation_issue},
    {"GetLatestVersionHttp", "Tell the latest version of a product.", QLM_PERMISSION_PUBLIC,
     QLM_FORM_XML, QLM_PROPERTY_ENABLE_LATEST_VERSION, latest_parameters, qlm_operation_latest},
    {"GetRecentOrdersHttp", "List the keys that were created a short time ago.",
     QLM_PERMISSION_VENDOR, QLM_FORM_JSON, QLM_PROPERTY_ENABLE_RECENT_ORDERS, recent_parameters,
     qlm_operation_recent},
    {"PingHttp", "Tell that the server is there, its time and its version.", QLM_PERMISSION_PUBLIC,
     QLM_FORM_XML, -1, no_parameters, qlm_operation_ping},
    {"QlmWebHookHandler", "Receive a shop's webhook: orders become keys.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, -1, issue_parameters, qlm_operation_webhook},
    {"Register", "Register for a trial: the key comes by mail.", QLM_PERMISSION_PUBLIC,
     QLM_FORM_XML, QLM_PROPERTY_ENABLE_REGISTER, register_parameters, qlm_operation_register},
    {"ReleaseLicenseHttp", "Release a license from one computer, so that another can have it.",
     QLM_PERMISSION_RELEASE, QLM_FORM_XML, QLM_PROPERTY_ENABLE_RELEASE, release_parameters,
     qlm_operation_release},
    {"RenewMaintenancePlan", "Renew a maintenance plan.", QLM_PERMISSION_VENDOR, QLM_FORM_VENDOR,
     -1, renew_plan_parameters, qlm_operation_renew_plan},
    {"RenewSubscriptionHttp", "Let a license end later.", QLM_PERMISSION_VENDOR, QLM_FORM_VENDOR,
     QLM_PROPERTY_ENABLE_RENEW, renew_parameters, qlm_operation_renew},
    {"RequestAuthorizationCodeForActivationHttp",
     "Send the customer a code that activates a license.", QLM_PERMISSION_PUBLIC, QLM_FORM_XML, -1,
     request_code_parameters, qlm_operation_request_code},
    {"RetrieveActivationKeyHttp", "Fetch the keys of an order.", QLM_PERMISSION_VENDOR,
     QLM_FORM_CHOSEN, QLM_PROPERTY_ENABLE_RETRIEVE, retrieve_parameters, qlm_operation_retrieve},
    {"RevokeLicenseHttp", "Revoke a license, or restore it.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, QLM_PROPERTY_ENABLE_REVOKE, revoke_parameters, qlm_operation_revoke},
    {"SubscribeToMailListHttp", "Let a customer have mails, or not.", QLM_PERMISSION_PUBLIC,
     QLM_FORM_XML, -1, subscribe_parameters, qlm_operation_subscribe},
    {"UpdateLicenseHttp", "Change a license that keeps its key.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, QLM_PROPERTY_ENABLE_UPGRADE_LICENSE, update_parameters, qlm_operation_update},
    {"UpdatePrivacyConsentHttp", "Store whether a customer consents to the use of his data.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_XML, -1, consent_parameters, qlm_operation_privacy_consent},
    {"UpdateUserInformation", "Create or update a customer.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, -1, user_parameters, qlm_operation_user_information},
    {"UpgradeLicense", "Replace a license's key by a new one.", QLM_PERMISSION_VENDOR,
     QLM_FORM_VENDOR, QLM_PROPERTY_ENABLE_UPGRADE_LICENSE, upgrade_parameters,
     qlm_operation_upgrade},
    {"ValidateLicenseHttp", "Validate a license and, unless told otherwise, activate it.",
     QLM_PERMISSION_PUBLIC, QLM_FORM_DOCUMENT, -1, validate_parameters, qlm_operation_validate},
    {NULL, NULL, QLM_PERMISSION_PUBLIC, QLM_FORM_XML, -1, NULL, NULL},
};

const qlm_method_alias_t qlm_method_aliases[] = {
    {"ActivateLicenseByAuthorizationCodeHttp", "ActivateKeyByAuthorizationCodeHttp"},
    {NULL, NULL},
};

static const char *own_name(const char *name)
{
    for (const qlm_method_alias_t *alias = qlm_method_aliases; alias->name; alias++) {
        if (strcasecmp(alias->name, name) == 0) {
            return alias->method;
        }
    }
    return name;
}

const qlm_method_t *qlm_method_find(const char *name)
{
    name = own_name(name);
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        if (strcasecmp(method->name, name) == 0) {
            return method;
        }
    }
    return NULL;
}
