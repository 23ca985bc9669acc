/* How far a renewal reaches. Computation only; times are seconds UTC, 0 = none. */
#ifndef QLM_LICENSE_RENEWAL_H
#define QLM_LICENSE_RENEWAL_H

#include "license/license.h"

/** Does nothing limit the time of @a license, so that there is nothing to renew? */
int qlm_renewal_is_endless(const qlm_license_t *license);

/** The days that one paid period of @a license has: its stored duration, else those from its order
 * to its end. 0 if neither is known. */
int qlm_renewal_period(const qlm_license_t *license);

/** The end after one more period: @a days on from the end of @a license, or from today if that is
 * past already. A license that has not begun (a duration, and no end yet) begins today. */
apr_int64_t qlm_renewal_extend(const qlm_license_t *license, apr_int64_t days, apr_int64_t now);

/** Let @a license end at @a until. The first renewal stores the length of the period where none is
 * stored: the dates do not tell it any more afterwards. */
void qlm_renewal_apply(qlm_license_t *license, apr_int64_t until);

/** The end of a plan that is paid for @a days more: on from @a until, or from today if that is
 * past; no paid day is lost. */
apr_int64_t qlm_renewal_prolong(apr_int64_t until, apr_int64_t days, apr_int64_t now);

/** May what ended at @a until (0 = it never began) still be renewed?
 * @param grace_days  days after the end; below 0 = no limit */
int qlm_renewal_is_in_time(apr_int64_t until, apr_int64_t grace_days, apr_int64_t now);

#endif
