/* Changing licenses that are there: renewals, upgrades, revocations … A method says what changes;
 * the rest is the same for all: which licenses are meant, once per order, one unit of work,
 * history, new computer keys, webhooks, the shop's answer. */
#ifndef QLM_SERVICE_CHANGE_H
#define QLM_SERVICE_CHANGE_H

#include "service/call.h"

/** One license about to be changed. */
typedef struct qlm_changing_t {
    const qlm_license_view_t *view; /**< as it is; held until the unit ends */
    qlm_license_t after;            /**< a copy to change */
    const qlm_order_t *order;       /**< of the call */
    qlm_call_t *call;
    int is_only;            /**< the call means this license and no other */
    const char *event;      /**< of the history; NULL: no row of history */
    int releases_computers; /**< set to 1: all computers lose their seats (available_licenses is the
                               method's to set) */
} qlm_changing_t;

/** What a method does. Static. */
typedef struct qlm_change_t {
    const char *event;     /**< of the history: "renewed" */
    const char *outcome;   /**< for the log: "renewed" */
    const char *result;    /**< what an XML answer says before the keys; NULL: the answer hands them
                              over as a creation does */
    int takes_new_product; /**< is_productid … are new values, not a condition */
    int happens_once;      /**< an order counts once even if it is the license's own */
    qlm_argument_t mail_template; /**< names the template of the customer's mail; NONE: no mail */

    /** Change changing->after. Runs inside the unit, perhaps more than once; must not write but by
     * @a store. Errors: REFUSED and ARGUMENT leave this license as it is; of several licenses the
     * others are changed all the same. */
    qlm_error_t *(*apply)(qlm_changing_t *changing, qlm_store_t *store, apr_pool_t *pool);
} qlm_change_t;

/** Inside a unit: the computers of a license that is held keep their seats, and get the computer
 * keys that @a license, as it is now, gives them. */
qlm_error_t *qlm_change_computer_keys(const qlm_license_t *license, qlm_store_t *store,
                                      const qlm_call_t *call, apr_pool_t *pool);

/** The refusal (201) of a method that is of no use to a revoked license, NULL for others. */
qlm_error_t *qlm_change_refuse_revoked(const qlm_changing_t *changing, apr_pool_t *pool);

/** Run @a change for the call: reads order and arguments, finds the licenses, and answers in the
 * vendor's form. An order that is not the licenses' own is remembered: the same one again, for the
 * same method, changes nothing and gets the same bytes. A call without an order number cannot be
 * recognised again. defaultUrlArgs is not looked at: it is for new keys. Errors: as
 * qlm_select_licenses, and those of apply. */
qlm_error_t *qlm_change_run(qlm_reply_t *reply, qlm_call_t *call, const qlm_change_t *change);

#endif
