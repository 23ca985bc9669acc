/* What leaves the server later: mails and outgoing webhooks as rows written in the transaction of
 * their cause; the lease that decides who works them off; mail templates; and small secrets shared
 * by all processes (tokens). */
#ifndef QLM_STORE_OUTBOX_H
#define QLM_STORE_OUTBOX_H

#include "mail/template.h"
#include "store/store.h"

/** Kinds and states are stored as these texts. */
#define QLM_OUTBOX_MAIL      "mail"
#define QLM_OUTBOX_WEBHOOK   "webhook"
#define QLM_OUTBOX_WAITING   "waiting"
#define QLM_OUTBOX_SENT      "sent"
#define QLM_OUTBOX_FAILED    "failed"
#define QLM_OUTBOX_CANCELLED "cancelled"

typedef struct qlm_outbox_row_t {
    apr_int64_t id;
    const char *kind, *state;
    const char *target;  /**< recipient's address, or the URL */
    const char *subject; /**< what it is about: "order V/R", "license_created A1B2C..." */
    const char
        *order_key; /**< rows with the same key are sent in the order of their ids; "" = no order */
    const char *payload;    /**< JSON */
    const char *last_error; /**< why the last try failed, "" = none */
    int attempts;
    apr_int64_t created_at, next_at, finished_at;
} qlm_outbox_row_t;

/** Inside a unit: add a waiting row. The id is set if it is 0. */
qlm_error_t *qlm_store_add_outbox(qlm_store_t *store, qlm_outbox_row_t *row, apr_pool_t *pool);

/** Which of the waiting rows are meant. */
typedef struct qlm_outbox_filter_t {
    const char *kind;
    const char *target; /**< "" = any */
    apr_int64_t now;    /**< what is due by then */
    int limit;          /**< no more rows than that */
} qlm_outbox_filter_t;

/** Waiting rows that are due, oldest first; array of qlm_outbox_row_t. A row whose order_key has an
 * older waiting row is left out. */
qlm_error_t *qlm_store_list_due(apr_array_header_t **rows, qlm_store_t *store,
                                const qlm_outbox_filter_t *filter, apr_pool_t *pool);

/** The targets of what is due (the filter's own does not count); array of const char *. */
qlm_error_t *qlm_store_list_targets(apr_array_header_t **targets, qlm_store_t *store,
                                    const qlm_outbox_filter_t *filter, apr_pool_t *pool);

/** Inside a unit: what is due waits until @a next_at, as @a reason says; it was not tried. *changed
 * tells how many rows. */
qlm_error_t *qlm_store_defer_outbox(int *changed, qlm_store_t *store,
                                    const qlm_outbox_filter_t *filter, apr_int64_t next_at,
                                    const char *reason, apr_pool_t *pool);

/** Inside a unit: after a try: state, attempts, next_at, finished_at, last_error of @a row are
 * stored, if the row is still waiting (or @a force). *changed tells. */
qlm_error_t *qlm_store_update_outbox(int *changed, qlm_store_t *store, const qlm_outbox_row_t *row,
                                     int force, apr_pool_t *pool);

/** *row is NULL if there is none. */
qlm_error_t *qlm_store_find_outbox(const qlm_outbox_row_t **row, qlm_store_t *store, apr_int64_t id,
                                   apr_pool_t *pool);

/** Newest first; @a state "" = all. array of qlm_outbox_row_t. */
qlm_error_t *qlm_store_list_outbox(apr_array_header_t **rows, qlm_store_t *store, const char *state,
                                   int limit, apr_pool_t *pool);

/** Rows in @a state. */
qlm_error_t *qlm_store_count_outbox(apr_int64_t *count, qlm_store_t *store, const char *state,
                                    apr_pool_t *pool);

/** Is there a finished row that ended before @a before? */
qlm_error_t *qlm_store_has_old_outbox(int *has_old, qlm_store_t *store, apr_int64_t before,
                                      apr_pool_t *pool);

/** Inside a unit: remove at most @a limit finished rows (sent, failed, cancelled) that ended before
 * @a before. */
qlm_error_t *qlm_store_purge_outbox(int *removed, qlm_store_t *store, apr_int64_t before, int limit,
                                    apr_pool_t *pool);

/** Inside a unit: take or extend the lease @a name for @a owner until @a until, if it is free
 * (expired before @a now) or already owned. *taken tells. */
qlm_error_t *qlm_store_take_lease(int *taken, qlm_store_t *store, const char *name,
                                  const char *owner, apr_int64_t now, apr_int64_t until,
                                  apr_pool_t *pool);

/** Could @a owner take the lease @a name @a now? Reads only. */
qlm_error_t *qlm_store_is_lease_free(int *is_free, qlm_store_t *store, const char *name,
                                     const char *owner, apr_int64_t now, apr_pool_t *pool);

/** Inside a unit: give up all leases of @a owner. */
qlm_error_t *qlm_store_release_leases(qlm_store_t *store, const char *owner, apr_pool_t *pool);

/** array of qlm_template_t, by name and language */
qlm_error_t *qlm_store_list_templates(apr_array_header_t **templates, qlm_store_t *store,
                                      apr_pool_t *pool);
/** Inside a unit: insert or replace. */
qlm_error_t *qlm_store_set_template(qlm_store_t *store, const qlm_template_t *form,
                                    apr_pool_t *pool);
/** Inside a unit. *removed is 0 if there was none. */
qlm_error_t *qlm_store_remove_template(int *removed, qlm_store_t *store, const char *name,
                                       const char *language, apr_pool_t *pool);

/** A small value kept for all processes until it expires; sealed by the caller. *value is NULL if
 * there is none (any more). */
qlm_error_t *qlm_store_recall(const char **value, qlm_store_t *store, const char *name,
                              apr_int64_t now, apr_pool_t *pool);
/** Inside a unit: remove what has expired. */
qlm_error_t *qlm_store_forget_expired(qlm_store_t *store, apr_int64_t now, apr_pool_t *pool);
/** Inside a unit. NULL removes. */
qlm_error_t *qlm_store_remember(qlm_store_t *store, const char *name, const char *value,
                                apr_int64_t expires_at, apr_pool_t *pool);

#endif
