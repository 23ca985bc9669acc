/* Fulfilling an order: its lines become keys and a customer in one unit of work. Lines that
 * were fulfilled before are left alone, so an order may be delivered any number of times. */
#ifndef QLM_SERVICE_FULFIL_H
#define QLM_SERVICE_FULFIL_H

#include "service/call.h"

/** One line of an order and what became of it. */
typedef struct qlm_fulfil_line_t {
    const qlm_order_t *order;
    const qlm_arguments_t *arguments;
    /* filled by qlm_fulfil_prepare: */
    qlm_terms_t terms;
    qlm_share_t share;
    const char
        *fingerprint; /**< product, shop product, quantity: to notice a repeat that differs */
    /* filled by qlm_fulfil_order: */
    int is_new; /**< fulfilled now; 0: it was there already */
    const char *content_type, *answer;
    const apr_array_header_t *keys; /**< const char *, normal form, of a new line */
} qlm_fulfil_line_t;

/** Read a line's terms and check them against the site. Errors: ARGUMENT. */
qlm_error_t *qlm_fulfil_prepare(qlm_fulfil_line_t *line, const qlm_call_t *call);

/** The stored answer of a line: *is_known, and if so its content_type and answer. *oddity is set
 * for a repeat that differs. */
qlm_error_t *qlm_fulfil_find(int *is_known, const char **oddity, qlm_fulfil_line_t *line,
                             const qlm_call_t *call);

/** A new activation key, in the call's pool. Inside a unit, so that a unit that is run again makes
 * another. Errors: INTERNAL. */
qlm_error_t *qlm_fulfil_make_key(const char **key, char prefix, const qlm_call_t *call);

/** Fulfil @a lines (array of qlm_fulfil_line_t of one order) in one unit of work: new keys and
 * customer, and one mail with all of them if an argument names its template. Errors: REFUSED
 * (limits), STORE. */
qlm_error_t *qlm_fulfil_order(const apr_array_header_t *lines, qlm_call_t *call);

/** The same inside the caller's unit of work. */
qlm_error_t *qlm_fulfil_in_unit(const apr_array_header_t *lines, qlm_store_t *store,
                                qlm_call_t *call, apr_pool_t *pool);

/** What the product properties of @a license become by the @a is_pp of a paid order; what of it
 * cannot be used is left out and noted with the call. In its pool. */
const char *qlm_fulfil_properties(const qlm_license_t *license, const char *is_pp,
                                  qlm_call_t *call);

/** Fulfil a line by moving the end of @a license in one unit of work: to the shop's own date, else
 * by one period; a license without an end keeps none unless the shop names one. The answer hands
 * over its key. line->is_new is 0 if the line was fulfilled before; nothing is moved then. Errors:
 * STORE. */
qlm_error_t *qlm_fulfil_renewal(qlm_fulfil_line_t *line, const qlm_license_t *license,
                                qlm_call_t *call);

#endif
