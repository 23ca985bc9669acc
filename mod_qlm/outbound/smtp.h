/* Sending one mail by libcurl's SMTP: STARTTLS or TLS, authentication, time-outs. */
#ifndef QLM_OUTBOUND_SMTP_H
#define QLM_OUTBOUND_SMTP_H

#include "base/error.h"
#include "mail/message.h"

/** The documented smtp… properties, read and opened. */
typedef struct qlm_smtp_settings_t {
    const char *server;          /**< host; "" = mail is not configured */
    int port;                    /**< 0 = 587, 465 for TLS from the start, 25 without TLS */
    const char *user, *password; /**< "" = no authentication */
    int tls;             /**< 0 none, 1 STARTTLS required, 2 TLS from the start (port 465) */
    const char *ca_file; /**< "" = the system's */
    int total_seconds;   /**< 0 = default 20 */
    /** Asked about once a second; a mail that cannot have been taken yet is dropped then, one that
     * may have been is given a moment more. NULL = nobody asks. */
    int (*is_stopping)(void *baton);
    void *baton;
} qlm_smtp_settings_t;

/** How a refusal is to be taken. */
typedef enum qlm_smtp_outcome_t {
    QLM_SMTP_SENT,
    QLM_SMTP_LATER, /**< this mail was refused for now: try again */
    QLM_SMTP_AWAY,  /**< no connection, no greeting, no login, no answer in time: try again, and no
                       other mail would have gone out just now */
    QLM_SMTP_NEVER  /**< 5xx for this mail: no use to repeat */
} qlm_smtp_outcome_t;

/** Send @a mail. qlm_mail_check is asked first; what it refuses is NEVER.
 *
 * A copy (Cc, Bcc) that the server refuses is left out, and *reason says so: the outcome is that of
 * the recipient. Only a refusal of the recipient or of the mail itself is NEVER; a refused login,
 * sender or greeting is for the operator to mend, so LATER or AWAY. At most 100 addresses are
 * served.
 *
 * Takes total_seconds and at most a second more, whatever the server does: repeats without refused
 * copies and the farewell included. curl_global_init must have been called.
 * @param reason  what the server answered, in @a pool: one line of ASCII without secrets */
qlm_smtp_outcome_t qlm_smtp_send(const char **reason, const qlm_mail_t *mail,
                                 const qlm_smtp_settings_t *settings, apr_pool_t *pool);

#endif
