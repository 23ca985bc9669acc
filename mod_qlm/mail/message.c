/* A mail as data: its addresses, the check before it is sent, and its form in an outbox row. */
#include "mail/message.h"

#include "base/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* RFC 5321 4.5.3.1; a path of 256 octets counts its two angle brackets. */
#define LOCAL_MAX   64
#define LABEL_MAX   63
#define ADDRESS_MAX 254

/* Characters of a dot-atom (RFC 5322 3.2.3). Quoted local parts are legal, and nobody has one. */
static int is_atext(char c)
{
    return c && (apr_isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~", c)) && !((unsigned char)c & 0x80);
}

static int is_local_part(const char *text, apr_size_t length)
{
    if (length == 0 || length > LOCAL_MAX || text[0] == '.' || text[length - 1] == '.') {
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (!is_atext(text[i]) && (text[i] != '.' || text[i - 1] == '.')) {
            return 0;
        }
    }
    return 1;
}

/* Letters, digits and inner hyphens. */
static int is_label(const char *text, apr_size_t length)
{
    if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-') {
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (((unsigned char)text[i] & 0x80) || (!apr_isalnum(text[i]) && text[i] != '-')) {
            return 0;
        }
    }
    return 1;
}

static int is_domain(const char *text)
{
    for (;;) {
        apr_size_t length = strcspn(text, ".");

        if (!is_label(text, length)) {
            return 0;
        }
        if (text[length] == '\0') {
            /* The last label of a name is never a number; that would be an IP address. */
            return strspn(text, "0123456789") != length;
        }
        text += length + 1;
    }
}

int qlm_mail_is_address(const char *address)
{
    const char *at = address ? strchr(address, '@') : NULL;

    return at && strlen(address) <= ADDRESS_MAX &&
           is_local_part(address, (apr_size_t)(at - address)) && is_domain(at + 1);
}

apr_array_header_t *qlm_mail_addresses(const char **left_out, const char *list, apr_pool_t *pool)
{
    apr_array_header_t *parts = qlm_text_split(list, ";,", pool);
    apr_array_header_t *addresses = apr_array_make(pool, parts->nelts + 1, sizeof(const char *));
    apr_array_header_t *others = apr_array_make(pool, 1, sizeof(const char *));

    for (int i = 0; i < parts->nelts; i++) {
        const char *part = APR_ARRAY_IDX(parts, i, const char *);

        if (qlm_mail_is_address(part)) {
            APR_ARRAY_PUSH(addresses, const char *) = part;
        }
        else {
            APR_ARRAY_PUSH(others, const char *) = qlm_text_for_log(part, 80, pool);
        }
    }
    *left_out = apr_array_pstrcat(pool, others, ',');
    return addresses;
}

int qlm_mail_is_message_id(const char *text)
{
    apr_size_t length = text ? strlen(text) : 0;
    const char *at = text ? strchr(text, '@') : NULL;

    if (length < 5 || length > ADDRESS_MAX || text[0] != '<' || text[length - 1] != '>' ||
        at == NULL || at == text + 1 || at == text + length - 2) {
        return 0;
    }
    for (apr_size_t i = 1; i + 1 < length; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr("<>()[]\\,;:\"", text[i]) ||
            (text[i] == '@' && text + i != at)) {
            return 0;
        }
    }
    return 1;
}

static qlm_error_t *check_address(const char *address, const char *what, apr_pool_t *pool)
{
    if (qlm_mail_is_address(address)) {
        return NULL;
    }
    return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                          "%s: '%s' is no usable e-mail address", what,
                          qlm_text_for_log(address ? address : "", 80, pool));
}

static qlm_error_t *check_addresses(const apr_array_header_t *list, const char *what,
                                    apr_pool_t *pool)
{
    for (int i = 0; list && i < list->nelts; i++) {
        QLM_TRY(check_address(APR_ARRAY_IDX(list, i, const char *), what, pool));
    }
    return NULL;
}

qlm_error_t *qlm_mail_check(const qlm_mail_t *mail, apr_pool_t *pool)
{
    QLM_TRY(check_address(mail->from, "sender", pool));
    QLM_TRY(check_address(mail->to, "recipient", pool));
    QLM_TRY(check_addresses(mail->cc, "copy", pool));
    QLM_TRY(check_addresses(mail->bcc, "blind copy", pool));
    if (!qlm_mail_is_message_id(mail->message_id)) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                              "the Message-ID has not the form <id@host>");
    }
    if (qlm_text_is_empty(mail->html) && qlm_text_is_empty(mail->text)) {
        return qlm_error_make(pool, QLM_ERROR_ARGUMENT, QLM_CODE_EMPTY_DATA,
                              "the mail has no text");
    }
    return NULL;
}

/* ---- the outbox row ----------------------------------------------------------------------------
 */

/* An object that the library could not make: memory is out, and pools end the process then, too. */
static json_t *made(json_t *value)
{
    if (!value) {
        abort();
    }
    return value;
}

static void put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, made(value)) != 0) {
        abort();
    }
}

static json_t *string_of(const char *text, apr_pool_t *pool)
{
    return json_string(qlm_text_from_latin1_or_utf8(text ? text : "", pool));
}

static json_t *list_of(const apr_array_header_t *texts, apr_pool_t *pool)
{
    json_t *list = made(json_array());

    for (int i = 0; texts && i < texts->nelts; i++) {
        json_t *text = made(string_of(APR_ARRAY_IDX(texts, i, const char *), pool));

        if (json_array_append_new(list, text) != 0) {
            abort();
        }
    }
    return list;
}

const char *qlm_mail_to_json(const qlm_mail_t *mail, apr_pool_t *pool)
{
    json_t *object = made(json_object());
    char *text;
    const char *json;

    put(object, "from", string_of(mail->from, pool));
    put(object, "from_name", string_of(mail->from_name, pool));
    put(object, "to", string_of(mail->to, pool));
    put(object, "cc", list_of(mail->cc, pool));
    put(object, "bcc", list_of(mail->bcc, pool));
    put(object, "subject", string_of(mail->subject, pool));
    put(object, "html", string_of(mail->html, pool));
    put(object, "text", string_of(mail->text, pool));
    put(object, "message_id", string_of(mail->message_id, pool));
    put(object, "date", json_integer(mail->date));
    text = json_dumps(object, JSON_COMPACT);
    if (!text) {
        abort();
    }
    json = apr_pstrdup(pool, text);
    free(text);
    json_decref(object);
    return json;
}

static qlm_error_t *malformed(const char *what, apr_pool_t *pool)
{
    return qlm_error_make(pool, QLM_ERROR_INTERNAL, QLM_CODE_UNKNOWN,
                          "a stored mail cannot be read: %s", what);
}

static qlm_error_t *take_string(const char **text, const json_t *object, const char *name,
                                apr_pool_t *pool)
{
    const char *value = json_string_value(json_object_get(object, name));

    if (!value) {
        return malformed(name, pool);
    }
    *text = apr_pstrdup(pool, value);
    return NULL;
}

static qlm_error_t *take_list(const apr_array_header_t **texts, const json_t *object,
                              const char *name, apr_pool_t *pool)
{
    const json_t *list = json_object_get(object, name);
    apr_array_header_t *taken;

    if (!json_is_array(list)) {
        return malformed(name, pool);
    }
    taken = apr_array_make(pool, 2, sizeof(const char *));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *value = json_string_value(json_array_get(list, i));

        if (!value) {
            return malformed(name, pool);
        }
        APR_ARRAY_PUSH(taken, const char *) = apr_pstrdup(pool, value);
    }
    *texts = taken;
    return NULL;
}

static qlm_error_t *take_mail(qlm_mail_t *mail, const json_t *object, apr_pool_t *pool)
{
    const json_t *date = json_object_get(object, "date");

    QLM_TRY(take_string(&mail->from, object, "from", pool));
    QLM_TRY(take_string(&mail->from_name, object, "from_name", pool));
    QLM_TRY(take_string(&mail->to, object, "to", pool));
    QLM_TRY(take_list(&mail->cc, object, "cc", pool));
    QLM_TRY(take_list(&mail->bcc, object, "bcc", pool));
    QLM_TRY(take_string(&mail->subject, object, "subject", pool));
    QLM_TRY(take_string(&mail->html, object, "html", pool));
    QLM_TRY(take_string(&mail->text, object, "text", pool));
    QLM_TRY(take_string(&mail->message_id, object, "message_id", pool));
    if (!json_is_integer(date)) {
        return malformed("date", pool);
    }
    mail->date = json_integer_value(date);
    return NULL;
}

qlm_error_t *qlm_mail_from_json(qlm_mail_t **mail, const char *json, apr_pool_t *pool)
{
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    qlm_mail_t *taken = apr_pcalloc(pool, sizeof(*taken));
    qlm_error_t *error =
        json_is_object(object) ? take_mail(taken, object, pool) : malformed("no JSON object", pool);

    json_decref(object);
    *mail = error ? NULL : taken;
    return error;
}
