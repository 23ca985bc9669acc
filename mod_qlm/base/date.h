/* Dates and times: 64-bit seconds since 1970-01-01 00:00:00 UTC. Patterns are the .NET custom date
 * patterns that QLM's properties use; of these: yyyy yy MM M dd d HH H mm m ss s, everything else
 * literal (also MMM or yyy: no names, no other widths). */
#ifndef QLM_BASE_DATE_H
#define QLM_BASE_DATE_H

#include <apr_pools.h>

#define QLM_DATE_DAY ((apr_int64_t)86400)
/** 9999-12-31 23:59:59, the last moment that can be written. */
#define QLM_DATE_MAX ((apr_int64_t)253402300799)

/** Read @a text by @a pattern, strictly (whole text, real calendar date, year 1970 to 9999).
 * What the pattern leaves out is that of 1970-01-01 00:00:00; callers try several patterns.
 * @return 1 and *seconds set (start of day when the pattern has no time), or 0 */
int qlm_date_parse(apr_int64_t *seconds, const char *text, const char *pattern);

/** Read a date argument: by @a pattern if it is not NULL, else/then "yyyy-MM-dd", "yyyy-MM-dd
 * HH:mm:ss", "yyyy-MM-dd HH:mm" and "yyyy-MM-ddTHH:mm:ss" with optional Z. @return as
 * qlm_date_parse */
int qlm_date_parse_any(apr_int64_t *seconds, const char *text, const char *pattern);

/** Write @a seconds by @a pattern, into @a pool; a moment that cannot be written (before 1970,
 * after QLM_DATE_MAX) as the nearest that can. */
const char *qlm_date_format(apr_int64_t seconds, const char *pattern, apr_pool_t *pool);

/** 23:59:59 of the day that holds @a seconds; never after QLM_DATE_MAX. */
apr_int64_t qlm_date_end_of_day(apr_int64_t seconds);

/** @a seconds without its seconds: the start of its minute. */
apr_int64_t qlm_date_minute(apr_int64_t seconds);

/** 23:59:59 of the day @a days after the day that holds @a seconds (@a days 0 or more); never after
 * QLM_DATE_MAX. */
apr_int64_t qlm_date_add_days(apr_int64_t seconds, apr_int64_t days);

#endif
