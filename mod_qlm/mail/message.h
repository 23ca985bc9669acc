/* A mail as data: what an outbox row carries, and its form on the wire. Addresses are checked here;
 * an address or a header with a line break, a comma or a control character never gets through. */
#ifndef QLM_MAIL_MESSAGE_H
#define QLM_MAIL_MESSAGE_H

#include "base/error.h"

#include <apr_tables.h>

typedef struct qlm_mail_t {
    const char *from, *from_name;       /**< bare address; display name or "" */
    const char *to;                     /**< one bare address */
    const apr_array_header_t *cc, *bcc; /**< of const char *, bare addresses */
    const char *subject, *html, *text;  /**< UTF-8; html or text may be "" (not both) */
    const char *message_id;             /**< "<id@host>", stable over repeats */
    apr_int64_t date;                   /**< seconds UTC */
} qlm_mail_t;

/** Is @a address one plausible bare address (local@domain, RFC 5321 sizes, no controls, blanks,
 * commas, angle brackets)? */
int qlm_mail_is_address(const char *address);

/** Is @a text "<id@host>", printable ASCII without what would end it early? */
int qlm_mail_is_message_id(const char *text);

/** Split a cc/bcc property at `;` and `,`; implausible ones are left out and named in *left_out (""
 * if none). */
apr_array_header_t *qlm_mail_addresses(const char **left_out, const char *list, apr_pool_t *pool);

/** As JSON, for an outbox row, and back. Texts that are not UTF-8 are read as ISO-8859-1. Errors:
 * INTERNAL for malformed JSON. */
const char *qlm_mail_to_json(const qlm_mail_t *mail, apr_pool_t *pool);
qlm_error_t *qlm_mail_from_json(qlm_mail_t **mail, const char *json, apr_pool_t *pool);

/** May it be sent? Addresses, Message-ID and a body are looked at. Errors: ARGUMENT, naming the
 * part that is unusable. */
qlm_error_t *qlm_mail_check(const qlm_mail_t *mail, apr_pool_t *pool);

/** The RFC 5322 headers as "Name: value" lines without line ends (Date, From, To, Cc, Subject,
 * Message-ID, Auto-Submitted), RFC 2047 encoded words where needed; array of const char *. A folded
 * header takes several lines, those after the first begin with a blank. No line is longer than 78
 * columns, unless a single address or the Message-ID is. Bcc is never among them, nor is an address
 * or Message-ID that is not plausible. */
apr_array_header_t *qlm_mail_headers(const qlm_mail_t *mail, apr_pool_t *pool);

/** A text version of @a html for templates that have none: tags dropped, entities decoded
 * (libxml2's HTML parser). */
const char *qlm_mail_text_of_html(const char *html, apr_pool_t *pool);

#endif
