/* Reading an order back from Salesforce: the order with its contacts, its items, and which of them
 * are products of ours. */
#ifndef QLM_VENDOR_SFORDER_H
#define QLM_VENDOR_SFORDER_H

#include "vendor/sfclient.h"

/** Reads the orders of one delivery. */
typedef struct qlm_sfreader_t {
    qlm_sfclient_t *client;
    qlm_sfquery_t orders, items;
} qlm_sfreader_t;

/** What came of reading an order. */
typedef struct qlm_sforder_t {
    const char *number;        /**< for people, "" as long as it is not known */
    apr_array_header_t *lines; /**< of qlm_line_t; may be empty */
    const char *remark;        /**< what was left out and what was odd, "" if nothing */
} qlm_sforder_t;

void qlm_sforder_start(qlm_sfreader_t *reader, qlm_sfclient_t *client);

/** Read the order that Salesforce knows by @a id, a valid id. Everything is in @a pool.
 * order->number is set as soon as it is known. Errors: those of qlm_sfclient_select; REFUSED when
 * there is nothing to be delivered and asking again would not change that: no such order, not
 * activated. */
qlm_error_t *qlm_sforder_read(qlm_sforder_t *order, qlm_sfreader_t *reader, const char *id,
                              apr_pool_t *pool);

#endif
