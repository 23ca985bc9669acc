/* The maintenance plan of a license: what a call asks for it. */
#ifndef QLM_SERVICE_MAINTENANCE_H
#define QLM_SERVICE_MAINTENANCE_H

#include "service/change.h"

/** Renew the plan of changing->after: to is_maintdate, else on by is_maintduration or @a days from
 * its end, or from today if that is past or there was none. Errors: REFUSED 209 for a plan that
 * ended longer ago than maintenancePlanGracePeriod. */
qlm_error_t *qlm_maintenance_renew(qlm_changing_t *changing, apr_pool_t *pool);

#endif
