/* Who may register for a trial: the rules that the publisher has set by server properties. */
#ifndef QLM_SERVICE_TRIALRULES_H
#define QLM_SERVICE_TRIALRULES_H

#include "service/call.h"
#include "store/registrations.h"

/** One who wants a trial. */
typedef struct qlm_applicant_t {
    qlm_registration_t registration; /**< but for license_id */
    const char *full_name, *company, *phone, *country;
} qlm_applicant_t;

/** The rules that need no database: what must be said, which e-mail providers and addresses are
 * taken. Errors: ARGUMENT 208, REFUSED 1 or 3. */
qlm_error_t *qlm_trialrules_check(const qlm_applicant_t *applicant, const qlm_call_t *call);

/** Inside a unit: the rules about what was before.
 * @param earlier    registrations of the same e-mail, array of qlm_registration_t
 * @param customer   with that e-mail, NULL if there is none
 * Errors: REFUSED 213, or 1 and 3 for limits. */
qlm_error_t *qlm_trialrules_check_earlier(const qlm_applicant_t *applicant,
                                          const apr_array_header_t *earlier,
                                          const qlm_customer_t *customer, qlm_store_t *store,
                                          const qlm_call_t *call, apr_pool_t *pool);

#endif
