/* Sealed payloads. A payload is JSON, an object, so the mark of a sealed text tells them apart. */
#include "service/sealed.h"

#include <apr_strings.h>

static const char *identity(const qlm_outbox_row_t *row, apr_pool_t *pool)
{
    return apr_psprintf(pool, "outbox/%" APR_INT64_T_FMT, row->id);
}

int qlm_sealed_is(const qlm_outbox_row_t *row)
{
    return *row->payload == 's';
}

qlm_error_t *qlm_sealed_write(qlm_outbox_row_t *row, const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    return qlm_secrets_seal(&row->payload, secrets, identity(row, pool), row->payload, pool);
}

qlm_error_t *qlm_sealed_read_mail(qlm_mail_t **mail, const qlm_outbox_row_t *row,
                                  const qlm_secrets_t *secrets, apr_pool_t *pool)
{
    const char *json = row->payload;

    if (qlm_sealed_is(row)) {
        QLM_TRY(qlm_secrets_open(&json, secrets, identity(row, pool), row->payload, pool));
    }
    return qlm_mail_from_json(mail, json, pool);
}
