/* What the arguments of a key-creating call ask for, with the site's defaults filled in. */
#ifndef QLM_SERVICE_TERMS_H
#define QLM_SERVICE_TERMS_H

#include "service/arguments.h"

/** Decide the terms of @a order by @a arguments: model, engine, expiry, maintenance, features and
 * numbers. Texts are those of the arguments. @a now: seconds UTC. */
void qlm_terms_read(qlm_terms_t *terms, const qlm_arguments_t *arguments, const qlm_order_t *order,
                    const qlm_properties_t *properties, apr_int64_t now);

/** The days that a maintenance plan gets: is_maintduration, else maintenancePlanPeriodInDays; at
 * least 1. */
apr_int64_t qlm_terms_plan_days(const qlm_arguments_t *arguments,
                                const qlm_properties_t *properties);

#endif
