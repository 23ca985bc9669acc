/* One prototype per operation behind the method table. Each returns an error or fills the reply. */
#ifndef QLM_SERVICE_OPERATIONS_H
#define QLM_SERVICE_OPERATIONS_H

#include "service/call.h"

/** GetActivationKey, GetActivationKeyWithExpiryDate (issue.c). */
qlm_error_t *qlm_operation_issue(qlm_reply_t *reply, qlm_call_t *call);

/** ValidateLicenseHttp, ActivateKey (activation.c): validates and, unless is_activate=false,
 * activates. */
qlm_error_t *qlm_operation_validate(qlm_reply_t *reply, qlm_call_t *call);

/** QlmWebHookHandler (webhook.c): one order, or a delivery of several that the translator reads. */
qlm_error_t *qlm_operation_webhook(qlm_reply_t *reply, qlm_call_t *call);

/** The Analytics methods: AnalyticsAddInstallHttp, AnalyticsUpdateInstallHttp,
 * AnalyticsUpdateLastAccessedDateHttp, AnalyticsRemoveInstallHttp (analytics.c). */
qlm_error_t *qlm_operation_add_install(qlm_reply_t *reply, qlm_call_t *call);
qlm_error_t *qlm_operation_update_install(qlm_reply_t *reply, qlm_call_t *call);
qlm_error_t *qlm_operation_access_install(qlm_reply_t *reply, qlm_call_t *call);
qlm_error_t *qlm_operation_remove_install(qlm_reply_t *reply, qlm_call_t *call);
/** ReleaseLicenseHttp (release.c). */
qlm_error_t *qlm_operation_release(qlm_reply_t *reply, qlm_call_t *call);

/** Register (register.c): a trial key by mail. */
qlm_error_t *qlm_operation_register(qlm_reply_t *reply, qlm_call_t *call);

/** RequestAuthorizationCodeForActivationHttp and ActivateKeyByAuthorizationCodeHttp
 * (authorization.c). */
qlm_error_t *qlm_operation_request_code(qlm_reply_t *reply, qlm_call_t *call);
qlm_error_t *qlm_operation_activate_by_code(qlm_reply_t *reply, qlm_call_t *call);

/** RevokeLicenseHttp (revoke.c). */
qlm_error_t *qlm_operation_revoke(qlm_reply_t *reply, qlm_call_t *call);

/** GetRecentOrdersHttp (recent.c). */
qlm_error_t *qlm_operation_recent(qlm_reply_t *reply, qlm_call_t *call);

/** RetrieveActivationKeyHttp (retrieve.c). */
qlm_error_t *qlm_operation_retrieve(qlm_reply_t *reply, qlm_call_t *call);

/** GetLatestVersionHttp (latest.c). */
qlm_error_t *qlm_operation_latest(qlm_reply_t *reply, qlm_call_t *call);
/** RenewSubscriptionHttp (renew.c). */
qlm_error_t *qlm_operation_renew(qlm_reply_t *reply, qlm_call_t *call);

/** EnableMaintenancePlan, RenewMaintenancePlan (maintenance.c). */
qlm_error_t *qlm_operation_enable_plan(qlm_reply_t *reply, qlm_call_t *call);
qlm_error_t *qlm_operation_renew_plan(qlm_reply_t *reply, qlm_call_t *call);

/** UpdateLicenseHttp (update.c). */
qlm_error_t *qlm_operation_update(qlm_reply_t *reply, qlm_call_t *call);

/** UpgradeLicense (upgrade.c). */
qlm_error_t *qlm_operation_upgrade(qlm_reply_t *reply, qlm_call_t *call);

/** SubscribeToMailListHttp (consent.c). */
qlm_error_t *qlm_operation_subscribe(qlm_reply_t *reply, qlm_call_t *call);

/** UpdatePrivacyConsentHttp (consent.c). */
qlm_error_t *qlm_operation_privacy_consent(qlm_reply_t *reply, qlm_call_t *call);

/** UpdateUserInformation (userinfo.c). */
qlm_error_t *qlm_operation_user_information(qlm_reply_t *reply, qlm_call_t *call);

/** PingHttp (ping.c). */
qlm_error_t *qlm_operation_ping(qlm_reply_t *reply, qlm_call_t *call);

#endif
