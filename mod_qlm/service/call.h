/* One call on its walk: each step reads what the former left here and adds one thing. Everything is
 * in the call's pool. */
#ifndef QLM_SERVICE_CALL_H
#define QLM_SERVICE_CALL_H

#include "service/arguments.h"
#include "service/methods.h"
#include "service/service.h"
#include "service/site.h"

typedef struct qlm_call_t {
    apr_pool_t *pool;
    apr_int64_t now;
    const qlm_call_input_t *input;
    const qlm_secrets_t *secrets;
    struct qlm_accessed_t *accessed; /**< what is to be written later */
    const qlm_method_t *method;      /**< the row, once found */
    qlm_store_t *store;              /**< lent; NULL before and after */
    const qlm_snapshot_t *site;
    const qlm_properties_t *properties; /**< of the site */
    const qlm_vendor_t *vendor;         /**< translator, for methods that take one */
    int sources;                        /**< where is_* arguments may come from */
    const qlm_arguments_t *arguments;
    const qlm_product_t *signer; /**< product whose key signs the answer, NULL if none is known */
    const char *notes;           /**< odd but served, for the log; NULL if nothing was */
    const char *content;         /**< canonical document to be signed and sent, or NULL */
} qlm_call_t;

/** Note something odd but served, for the log: one line in the end, bounded. @a text is copied. */
void qlm_call_note(qlm_call_t *call, const char *text);

/** Who changes something by this call, for the history. */
qlm_actor_t qlm_call_actor(const qlm_call_t *call);

/** A key as the site hands it out, by licenseKeyFormatGroupSize and licenseKeyFormatMaxGroupSize;
 * in the call's pool. */
const char *qlm_call_shown_key(const char *normal, const qlm_call_t *call);

/** Borrow a connection for the call (call->store), if it has none. Errors: STORE. */
qlm_error_t *qlm_call_borrow(qlm_call_t *call);

/** Give it back, so that nobody waits for it while the call does something slow. */
void qlm_call_return(qlm_call_t *call);

#endif
