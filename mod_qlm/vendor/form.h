/* Reading a shop's own fields: what they say becomes cleaned UTF-8, and what is wrong with them
 * without stopping the order is noted as an oddity.
 *
 * A field is looked for in the URL and in the body only: customer and order never come from stored
 * argument sets. `names` is one field name, or several separated by '|' of which the first that has
 * a value counts. Everything returned lives in the form's pool. */
#ifndef QLM_VENDOR_FORM_H
#define QLM_VENDOR_FORM_H

#include "vendor/vendor.h"

#define QLM_FORM_REFERENCE_MAX 100 /**< most bytes of an order, line or product number */
#define QLM_FORM_TEXT_MAX      255 /**< most bytes of a name or an address line */
#define QLM_FORM_NOTES_MAX     1000

typedef struct qlm_form_t {
    const qlm_callback_t *callback;
    int is_latin1; /**< bytes are ISO-8859-1; otherwise UTF-8, and ISO-8859-1 where they are not */
    const char *oddity; /**< what was odd so far, "a; b", NULL if nothing */
    apr_pool_t *pool;
} qlm_form_t;

void qlm_form_open(qlm_form_t *form, const qlm_callback_t *callback, int is_latin1,
                   apr_pool_t *pool);

/** Note an oddity for the log. Texts of buyers do not belong into it, field names do. Bounded: what
 * is too much is left out. */
void qlm_form_note(qlm_form_t *form, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Do the shop's own fields hold bytes beyond ASCII, all of them well-formed UTF-8? */
int qlm_form_looks_like_utf8(const qlm_fields_t *fields);

/** The decoded text, trimmed, otherwise as sent (control characters included); "" if absent. */
const char *qlm_form_value(const qlm_form_t *form, const char *names);

/** A cleaned text of at most @a max_bytes, "" if absent. A longer one is cut and noted. */
const char *qlm_form_text(qlm_form_t *form, const char *names, apr_size_t max_bytes);

/** A number by which the shop recognises something, "" if absent. It is never altered, because two
 * numbers that differ must stay different. Errors: ARGUMENT when it is longer than
 * QLM_FORM_REFERENCE_MAX bytes or holds characters that no such number has. */
qlm_error_t *qlm_form_reference(const char **reference, const qlm_form_t *form, const char *names);

/** Units bought, looked for in @a sources (QLM_FROM_*). *quantity stays as it is if absent. Errors:
 * ARGUMENT when it is not a whole number from 1 to QLM_MAX_QUANTITY, naming the field. */
qlm_error_t *qlm_form_quantity(int *quantity, const qlm_form_t *form, const char *names,
                               int sources);

/** The start of a day: dd/MM/yyyy, yyyy-MM-dd, or by the property eCommerceProviderDateFormat.
 * @return 0 if absent, and, noted, if it is not a date */
apr_int64_t qlm_form_date(qlm_form_t *form, const char *names);

#endif
