/* One table of texts (customer.def), and the few fields that are none. */
#include "license/customer.h"

#include "base/text.h"

#include <apr_strings.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    apr_size_t offset;
} texts[] = {
#define QLM_CUSTOMER_TEXT(member, name) {name, offsetof(qlm_customer_t, member)},
#include "license/customer.def"
#undef QLM_CUSTOMER_TEXT
};

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static const char **text_at(qlm_customer_t *customer, apr_size_t i)
{
    return (const char **)(void *)((char *)customer + texts[i].offset);
}

/* "" for NULL: what nobody said. */
static const char *text_of(const qlm_customer_t *customer, apr_size_t i)
{
    const char *text =
        *(const char *const *)(const void *)((const char *)customer + texts[i].offset);

    return text ? text : "";
}

void qlm_customer_clear(qlm_customer_t *customer)
{
    memset(customer, 0, sizeof(*customer));
    for (apr_size_t i = 0; i < TEXT_COUNT; i++) {
        *text_at(customer, i) = "";
    }
    customer->include_in_mail_list = customer->privacy_consent = -1;
}

void qlm_customer_fill(qlm_customer_t *customer, const qlm_customer_t *other)
{
    for (apr_size_t i = 0; i < TEXT_COUNT; i++) {
        if (!*text_of(customer, i)) {
            *text_at(customer, i) = text_of(other, i);
        }
    }
    if (customer->include_in_mail_list < 0) {
        customer->include_in_mail_list = other->include_in_mail_list;
    }
    if (!customer->organization_id) {
        customer->organization_id = other->organization_id;
    }
    if (customer->privacy_consent < 0) {
        customer->privacy_consent = other->privacy_consent;
        customer->privacy_consent_at = other->privacy_consent_at;
    }
}

void qlm_customer_merge(qlm_customer_t *customer, const qlm_customer_t *said)
{
    const char *email = customer->email;

    for (apr_size_t i = 0; i < TEXT_COUNT; i++) {
        if (*text_of(said, i)) {
            *text_at(customer, i) = text_of(said, i);
        }
    }
    customer->email = email;
    if (said->include_in_mail_list >= 0) {
        customer->include_in_mail_list = said->include_in_mail_list;
    }
    if (!customer->organization_id) {
        customer->organization_id = said->organization_id;
    }
}

int qlm_customer_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at && at != text && at[1] != '\0' && !strchr(at + 1, '@') &&
           strlen(text) <= QLM_CUSTOMER_EMAIL_MAX && !strpbrk(text, " ,;<>()\"\\") &&
           !qlm_text_has_control(text);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static void add_change(json_t *changes, const char *name, const char *was, const char *is)
{
    if (strcmp(was, is) != 0) {
        json_object_set_new(changes, name, json_pack("[s,s]", was, is));
    }
}

static const char *said_text(int said)
{
    return said < 0 ? "" : said ? "true" : "false";
}

static const char *id_text(apr_int64_t id, apr_pool_t *pool)
{
    return id ? apr_psprintf(pool, "%" APR_INT64_T_FMT, id) : "";
}

static json_t *compare(const qlm_customer_t *before, const qlm_customer_t *after, apr_pool_t *pool)
{
    json_t *changes = json_object();

    for (apr_size_t i = 0; i < TEXT_COUNT; i++) {
        add_change(changes, texts[i].name, text_of(before, i), text_of(after, i));
    }
    add_change(changes, "IncludeInMailList", said_text(before->include_in_mail_list),
               said_text(after->include_in_mail_list));
    add_change(changes, "OrganizationID", id_text(before->organization_id, pool),
               id_text(after->organization_id, pool));
    add_change(changes, "PrivacyConsent", said_text(before->privacy_consent),
               said_text(after->privacy_consent));
    return changes;
}

const char *qlm_customer_changes(const qlm_customer_t *before, const qlm_customer_t *after,
                                 apr_pool_t *pool)
{
    qlm_customer_t empty;
    json_t *changes;
    const char *copy = "";

    qlm_customer_clear(&empty);
    changes = compare(before ? before : &empty, after ? after : &empty, pool);
    if (json_object_size(changes)) {
        char *text = json_dumps(changes, JSON_COMPACT);

        copy = text ? apr_pstrdup(pool, text) : "";
        free(text);
    }
    json_decref(changes);
    return copy;
}
