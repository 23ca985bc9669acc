/* Mails that nobody may read in the outbox, such as those that bring an authorization code: their
 * row is sealed with the site's secret until it is sent. */
#ifndef QLM_SERVICE_SEALED_H
#define QLM_SERVICE_SEALED_H

#include "base/crypto.h"
#include "mail/message.h"
#include "store/outbox.h"

/** Is the row's payload sealed? */
int qlm_sealed_is(const qlm_outbox_row_t *row);

/** Seal the payload of a row that has its id. Errors: INTERNAL. */
qlm_error_t *qlm_sealed_write(qlm_outbox_row_t *row, const qlm_secrets_t *secrets,
                              apr_pool_t *pool);

/** The mail of a row, sealed or not. Errors: INTERNAL. */
qlm_error_t *qlm_sealed_read_mail(qlm_mail_t **mail, const qlm_outbox_row_t *row,
                                  const qlm_secrets_t *secrets, apr_pool_t *pool);

#endif
