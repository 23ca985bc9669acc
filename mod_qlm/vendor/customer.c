/* Reading a customer out of a shop's fields. */
#include "vendor/customer.h"

#include "base/text.h"

#include <apr_strings.h>
#include <stddef.h>

/** The texts of a customer that a shop has a field for, and where the field's name stands. */
static const struct {
    apr_size_t customer, names;
} columns[] = {
#define COLUMN(member)                                                                             \
    {                                                                                              \
        offsetof(qlm_customer_t, member), offsetof(qlm_field_names_t, member)                      \
    }
    COLUMN(company), COLUMN(phone), COLUMN(address1), COLUMN(address2),
    COLUMN(city),    COLUMN(state), COLUMN(zip),      COLUMN(country),
#undef COLUMN
};

static const char **text_at(qlm_customer_t *customer, apr_size_t offset)
{
    return (const char **)(void *)((char *)customer + offset);
}

static const char *text_of(const void *record, apr_size_t offset)
{
    return *(const char *const *)(const void *)((const char *)record + offset);
}

static const char *read_email(qlm_form_t *form, const char *names)
{
    /* Not qlm_form_text: an address must not become another one by cleaning or cutting. */
    const char *email = qlm_form_value(form, names);
    if (!*email) {
        return "";
    }
    if (!qlm_customer_is_email(email) ||
        strcmp(qlm_text_clean(email, QLM_CUSTOMER_EMAIL_MAX, form->pool), email) != 0) {
        qlm_form_note(form, "%s is not an e-mail address", names);
        return "";
    }
    return email;
}

const char *qlm_customer_full_name(const char *first, const char *last, apr_pool_t *pool)
{
    return qlm_text_clean(apr_pstrcat(pool, first, " ", last, NULL), QLM_FORM_TEXT_MAX, pool);
}

void qlm_customer_read(qlm_customer_t *customer, qlm_form_t *form, const qlm_field_names_t *names)
{
    qlm_customer_clear(customer);
    for (apr_size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); ++i) {
        const char *name = text_of(names, columns[i].names);
        if (name) {
            *text_at(customer, columns[i].customer) = qlm_form_text(form, name, QLM_FORM_TEXT_MAX);
        }
    }
    if (names->email) {
        customer->email = read_email(form, names->email);
    }
    if (names->full_name) {
        customer->full_name = qlm_form_text(form, names->full_name, QLM_FORM_TEXT_MAX);
    }
    if (!*customer->full_name && names->first_name && names->last_name) {
        customer->full_name = qlm_customer_full_name(
            qlm_form_text(form, names->first_name, QLM_FORM_TEXT_MAX),
            qlm_form_text(form, names->last_name, QLM_FORM_TEXT_MAX), form->pool);
    }
}
