/* vendor: set, list, show. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/records.h"
#include "qlmctl/secretinput.h"

#include "base/text.h"
#include "vendor/vendor.h"

#include <apr_strings.h>
#include <string.h>

#define USER_MAX_BYTES 255
#define URL_MAX_BYTES  2000

static qlm_error_t *find_vendor(const qlm_vendor_t **vendor, qlm_tool_t *tool, const char *name)
{
    *vendor = qlm_vendor_find(name);
    return *vendor ? NULL
                   : qlm_tool_failure(tool, "there is no vendor %s; valid names: %s",
                                      qlm_text_for_log(name, 40, tool->pool),
                                      qlm_vendor_names(tool->pool));
}

/* The record of a vendor; of one that was never set, a record that lets nobody in. */
static qlm_error_t *read_record(qlm_vendor_record_t *record, qlm_store_t *store, const char *name,
                                apr_pool_t *pool)
{
    apr_array_header_t *records;

    QLM_TRY(qlm_store_list_vendors(&records, store, pool));
    for (int i = 0; i < records->nelts; i++) {
        *record = APR_ARRAY_IDX(records, i, qlm_vendor_record_t);
        if (strcmp(record->name, name) == 0) {
            return NULL;
        }
    }
    memset(record, 0, sizeof(*record));
    record->name = name;
    record->user = record->password_verifier = record->password_sealed = record->url = "";
    record->api_key_sealed = record->shared_key_sealed = "";
    record->callback_user = record->callback_verifier = "";
    return NULL;
}

/* ---- fields -----------------------------------------------------------------------------------
 */

typedef enum field_t {
    FIELD_ENABLED,
    FIELD_USER,
    FIELD_PASSWORD,
    FIELD_URL,
    FIELD_API_KEY,
    FIELD_SHARED_KEY,
    FIELD_OPEN,
    FIELD_CALLBACK_USER,
    FIELD_CALLBACK_PASSWORD,
    FIELD_COUNT
} field_t;

static const struct {
    const char *name;
    int is_secret;
} fields[FIELD_COUNT] = {
    [FIELD_ENABLED] = {"enabled", 0},
    [FIELD_USER] = {"user", 0},
    [FIELD_PASSWORD] = {"password", 1},
    [FIELD_URL] = {"url", 0},
    [FIELD_API_KEY] = {"api_key", 1},
    [FIELD_SHARED_KEY] = {"shared_key", 1},
    [FIELD_OPEN] = {"open", 0},
    [FIELD_CALLBACK_USER] = {"callback_user", 0},
    [FIELD_CALLBACK_PASSWORD] = {"callback_password", 1},
};

/* What is to be changed: what to store in each field, NULL = leave it. */
typedef struct change_t {
    const qlm_vendor_t *vendor;
    const char *value[FIELD_COUNT];
    int flag[FIELD_COUNT];
    const char *password_sealed; /* beside the verifier, "" = none */
} change_t;

/* "enabled=, user=, password=- ..." */
static const char *field_names(apr_pool_t *pool)
{
    const char *names = "";

    for (int i = 0; i < FIELD_COUNT; i++) {
        names = apr_pstrcat(pool, names, i ? ", " : "", fields[i].name,
                            fields[i].is_secret ? "=-" : "=", NULL);
    }
    return names;
}

static qlm_error_t *find_field(field_t *field, const char **value, qlm_tool_t *tool,
                               const char *word)
{
    const char *equals = strchr(word, '=');

    for (int i = 0; equals && i < FIELD_COUNT; i++) {
        if (strlen(fields[i].name) == (size_t)(equals - word) &&
            strncmp(fields[i].name, word, (size_t)(equals - word)) == 0) {
            *field = (field_t)i;
            *value = equals + 1;
            return NULL;
        }
    }
    /* what stands behind the name may be a secret: it is not shown */
    return qlm_tool_usage(
        tool, "%s is not a field of a vendor; the fields are %s",
        equals ? qlm_text_for_log(apr_pstrmemdup(tool->pool, word, (apr_size_t)(equals - word)), 40,
                                  tool->pool)
               : "a word without =",
        field_names(tool->pool));
}

/* The form in which a secret is stored. A password that is only ever compared needs no more than a
 * verifier; that of a shop which we ask ourselves is presented there, too. */
static qlm_error_t *store_form(change_t *change, qlm_tool_t *tool, field_t field,
                               const char *secret)
{
    const char *owner = apr_pstrcat(tool->pool, "vendor/", change->vendor->name, NULL);
    const char *identity = apr_pstrcat(tool->pool, owner, "/", fields[field].name, NULL);
    const qlm_secrets_t *secrets;

    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    switch (field) {
    case FIELD_CALLBACK_PASSWORD:
        change->value[field] = qlm_secrets_verifier(
            secrets, apr_pstrcat(tool->pool, owner, "/callback", NULL), secret, tool->pool);
        return NULL;
    case FIELD_PASSWORD:
        change->value[field] = qlm_secrets_verifier(secrets, owner, secret, tool->pool);
        return change->vendor->receive ? qlm_secrets_seal(&change->password_sealed, secrets,
                                                          identity, secret, tool->pool)
                                       : NULL;
    default:
        return qlm_secrets_seal(&change->value[field], secrets, identity, secret, tool->pool);
    }
}

static qlm_error_t *read_secret_field(change_t *change, qlm_tool_t *tool, field_t field,
                                      const char *value)
{
    const char *secret;

    if (!*value) {
        change->value[field] = "";
        return NULL;
    }
    if (strcmp(value, "-") != 0) {
        return qlm_tool_usage(
            tool,
            "%s is a secret and others can read arguments; write %s=- and give it "
            "on standard input",
            fields[field].name, fields[field].name);
    }
    QLM_TRY(qlm_secretinput_read(&secret, tool, fields[field].name));
    return store_form(change, tool, field, secret);
}

static qlm_error_t *read_field(change_t *change, qlm_tool_t *tool, field_t field, const char *value)
{
    apr_size_t max = field == FIELD_URL ? URL_MAX_BYTES : USER_MAX_BYTES;

    if (field == FIELD_ENABLED || field == FIELD_OPEN) {
        if (!qlm_text_to_bool(&change->flag[field], value)) {
            return qlm_tool_usage(tool, "%s takes true or false", fields[field].name);
        }
    }
    else if (!qlm_text_is_utf8(value) || qlm_text_has_control(value) || strlen(value) > max) {
        return qlm_tool_usage(tool,
                              "%s takes a UTF-8 text of at most %d bytes without control "
                              "characters",
                              fields[field].name, (int)max);
    }
    else if (field == FIELD_URL && *value && strncmp(value, "https://", 8) != 0 &&
             strncmp(value, "http://", 7) != 0) {
        return qlm_tool_usage(tool, "url takes a URL that begins with https:// or http://");
    }
    change->value[field] = value;
    return NULL;
}

/* Two passes: nobody is asked for a secret on a command line that will not do. */
static qlm_error_t *read_fields(change_t *change, qlm_tool_t *tool)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 1; i < tool->words->nelts; i++) {
            field_t field = FIELD_ENABLED;
            const char *value = NULL;

            QLM_TRY(find_field(&field, &value, tool, qlm_tool_word(tool, i)));
            if (pass == 0 && change->value[field]) {
                return qlm_tool_usage(tool, "%s is given twice; give it once", fields[field].name);
            }
            if (!fields[field].is_secret) {
                QLM_TRY(read_field(change, tool, field, value));
            }
            else if (pass == 1 || (*value && strcmp(value, "-") != 0)) {
                QLM_TRY(read_secret_field(change, tool, field, value));
            }
            else {
                change->value[field] = "";
            }
        }
    }
    return NULL;
}

/* ---- set --------------------------------------------------------------------------------------
 */

static void replace(const char **stored, const change_t *change, field_t field)
{
    if (change->value[field]) {
        *stored = change->value[field];
    }
}

/* Read inside the unit: two operators who change different fields both succeed. */
static qlm_error_t *apply(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    change_t *change = baton;
    qlm_vendor_record_t record;

    QLM_TRY(read_record(&record, store, change->vendor->name, pool));
    if (change->value[FIELD_ENABLED]) {
        record.is_enabled = change->flag[FIELD_ENABLED];
    }
    if (change->value[FIELD_OPEN]) {
        record.is_open = change->flag[FIELD_OPEN];
    }
    if (change->value[FIELD_PASSWORD]) {
        record.password_sealed = change->password_sealed; /* never of the former password */
    }
    replace(&record.user, change, FIELD_USER);
    replace(&record.password_verifier, change, FIELD_PASSWORD);
    replace(&record.url, change, FIELD_URL);
    replace(&record.api_key_sealed, change, FIELD_API_KEY);
    replace(&record.shared_key_sealed, change, FIELD_SHARED_KEY);
    replace(&record.callback_user, change, FIELD_CALLBACK_USER);
    replace(&record.callback_verifier, change, FIELD_CALLBACK_PASSWORD);
    return qlm_store_set_vendor(store, &record, pool);
}

/* What the record means, where it is not what it may look like. */
static const char *consequence(const qlm_vendor_record_t *record)
{
    if (!record->is_enabled) {
        return "disabled: every call of this vendor is refused";
    }
    if (record->is_open) {
        return "open: whoever knows the URL is served; restrict it by Require, or set open=false";
    }
    if (!qlm_text_is_empty(record->callback_verifier)) {
        return "enabled: calls with callback_user and callback_password are served";
    }
    if (qlm_text_is_empty(record->password_verifier)) {
        return "enabled, but without a password every call is refused; set password=-";
    }
    if (!qlm_text_is_empty(record->callback_user)) {
        return "enabled: calls with user and password are served; callback_user counts only "
               "together with callback_password=-";
    }
    return "enabled: calls with this user and password are served";
}

static qlm_error_t *show(qlm_tool_t *tool, const qlm_vendor_t *vendor)
{
    qlm_vendor_record_t record;
    qlm_store_t *store;
    json_t *shown;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(read_record(&record, store, vendor->name, tool->pool));
    shown = qlm_record_vendor(vendor->title, &record, tool->pool);
    qlm_output_put(shown, "state", consequence(&record));
    qlm_output_record(tool, shown);
    return NULL;
}

qlm_error_t *qlm_command_vendor_set(qlm_tool_t *tool)
{
    change_t change = {0};
    qlm_store_t *store;

    QLM_TRY(find_vendor(&change.vendor, tool, qlm_tool_word(tool, 0)));
    change.password_sealed = "";
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(read_fields(&change, tool));
    QLM_TRY(qlm_store_write(store, apply, &change, tool->pool));
    return show(tool, change.vendor);
}

/* ---- list, show -------------------------------------------------------------------------------
 */

qlm_error_t *qlm_command_vendor_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"name", "NAME"},
        {"is_enabled", "ENABLED"},
        {"is_open", "OPEN"},
        {"user", "USER"},
        {"has_password", "PASSWORD"},
        {"has_api_key", "API KEY"},
        {"has_shared_key", "SHARED KEY"},
        {"callback_user", "CALLBACK USER"},
        {"has_callback_password", "CALLBACK PASSWORD"},
        {"url", "URL"},
        {NULL, NULL},
    };
    json_t *rows = qlm_output_array(tool->pool);
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    for (const qlm_vendor_t *const *vendor = qlm_vendors; *vendor; vendor++) {
        qlm_vendor_record_t record;

        QLM_TRY(read_record(&record, store, (*vendor)->name, tool->pool));
        qlm_output_append(rows, qlm_record_vendor((*vendor)->title, &record, tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

qlm_error_t *qlm_command_vendor_show(qlm_tool_t *tool)
{
    const qlm_vendor_t *vendor;

    QLM_TRY(find_vendor(&vendor, tool, qlm_tool_word(tool, 0)));
    return show(tool, vendor);
}
