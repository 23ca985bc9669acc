/* Working off the outbox: a round sends what is due, mails and webhooks each in their own, so that
 * neither waits for the other. Exactly one process of all that share the database works at each of
 * the two, by a lease; each row is sent at least once, and again with growing pauses while it
 * fails, until it is parked as failed.
 *
 * Where nobody answers, one row finds out: the others for the same receiver (all mails are for the
 * mail server) are put off by at most half a minute, untried. */
#ifndef QLM_SERVICE_OUTBOX_H
#define QLM_SERVICE_OUTBOX_H

#include "outbound/smtp.h"
#include "service/service.h"

/** What a round needs; all of it is handed in. */
typedef struct qlm_outbox_input_t {
    const char *owner;   /**< who works: unique to the process */
    const char *ca_file; /**< certificate authorities for the mail server, NULL = the system's */
    qlm_lender_t lender;
    const qlm_courier_t *courier; /**< for webhooks; lives as long as the pool of the round */
    /** See qlm_smtp_send. */
    qlm_smtp_outcome_t (*send_mail)(const char **reason, const qlm_mail_t *mail,
                                    const qlm_smtp_settings_t *settings, apr_pool_t *pool);
    apr_int64_t (*clock)(void *baton); /**< seconds UTC */
    int (*is_stopping)(void *baton);   /**< asked between rows, and while one is under way */
    /** One line about a row that was tried; @a is_final tells that it was given up. */
    void (*log)(void *baton, const char *line, int is_final);
    void *baton;
} qlm_outbox_input_t;

typedef struct qlm_outbox_round_t {
    int sent, later, failed, purged;
    int deferred; /**< put off untried */
    int is_ours;  /**< the lease was taken */
} qlm_outbox_round_t;

/** One round of mails, and of retention. An idle server only reads; as long as batches are full
 * they follow each other, within bounds. Errors: STORE. */
qlm_error_t *qlm_outbox_send(qlm_outbox_round_t *round, qlm_service_t *service,
                             const qlm_outbox_input_t *input, apr_pool_t *pool);

/** One round of webhooks: until nothing is due, about a minute at most. Stopping drops what is
 * under way. Errors: STORE. */
qlm_error_t *qlm_outbox_post(qlm_outbox_round_t *round, qlm_service_t *service,
                             const qlm_outbox_input_t *input, apr_pool_t *pool);

/** Give up the leases of input->owner, at the end of a process. Errors: STORE. */
qlm_error_t *qlm_outbox_release(const qlm_outbox_input_t *input, apr_pool_t *pool);

/** When a row that has failed @a attempts times is tried again: seconds to wait, doubling from 30
 * to 6 hours; 0 = no more, because it is older than 3 days by then. */
apr_int64_t qlm_outbox_pause(int attempts, apr_int64_t created_at, apr_int64_t now);

/** The smtp… properties as settings. Errors: INTERNAL when the password cannot be opened. */
qlm_error_t *qlm_outbox_smtp_settings(qlm_smtp_settings_t *settings,
                                      const qlm_properties_t *properties,
                                      const qlm_secrets_t *secrets, apr_pool_t *pool);

/** By the smtp… properties as they are stored: does the login go to a mail server unencrypted, over
 * a network? *server is its name then, else NULL. Errors: STORE. */
qlm_error_t *qlm_outbox_find_clear_login(const char **server, qlm_store_t *store, apr_pool_t *pool);

#endif
