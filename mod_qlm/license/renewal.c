/* The arithmetic of renewals. */
#include "license/renewal.h"

#include "base/date.h"

#define MAX_DAYS 36500

int qlm_renewal_is_endless(const qlm_license_t *license)
{
    return license->expires_at == 0 && license->duration_days <= 0;
}

int qlm_renewal_period(const qlm_license_t *license)
{
    apr_int64_t days = license->expires_at / QLM_DATE_DAY - license->ordered_at / QLM_DATE_DAY;

    if (license->duration_days > 0) {
        return license->duration_days;
    }
    return license->ordered_at > 0 && days > 0 && days <= MAX_DAYS ? (int)days : 0;
}

apr_int64_t qlm_renewal_extend(const qlm_license_t *license, apr_int64_t days, apr_int64_t now)
{
    apr_int64_t end = license->expires_at;
    apr_int64_t until;

    if (end == 0 && license->duration_days > 0) {
        end = qlm_date_add_days(now, license->duration_days);
    }
    until = qlm_date_add_days(end, days);
    return until > now ? until : qlm_date_add_days(now, days);
}

void qlm_renewal_apply(qlm_license_t *license, apr_int64_t until)
{
    int days = qlm_renewal_period(license);

    if (days > 0) {
        license->duration_days = days;
    }
    license->expires_at = until;
}

apr_int64_t qlm_renewal_prolong(apr_int64_t until, apr_int64_t days, apr_int64_t now)
{
    return qlm_date_add_days(until > now ? until : now, days);
}

int qlm_renewal_is_in_time(apr_int64_t until, apr_int64_t grace_days, apr_int64_t now)
{
    return until == 0 || grace_days < 0 || grace_days > MAX_DAYS ||
           now <= until + grace_days * QLM_DATE_DAY;
}
