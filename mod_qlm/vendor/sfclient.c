/* Asking Salesforce on behalf of one delivery. */
#include "vendor/sfclient.h"

#include "base/text.h"
#include "vendor/json.h"

#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define DEFAULT_VERSION "v60.0"
#define TOKEN_NAME      "salesforce_token"
#define TOKEN_SECONDS   7200 /* an idle session's life; what is shorter shows as a 401 */
#define CODE_MAX_BYTES  60

static qlm_error_t *refuse(apr_pool_t *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static qlm_error_t *refuse(apr_pool_t *pool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = apr_pvsprintf(pool, format, arguments);
    va_end(arguments);
    return qlm_error_make(pool, QLM_ERROR_OUTBOUND, QLM_CODE_UNKNOWN, "%s", text);
}

/** "60.0" or "v60.0" */
static int is_version(const char *text)
{
    apr_size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 3 && text[digits] == '.' && apr_isdigit(text[digits + 1]) &&
           text[digits + 2] == '\0';
}

static const char *choose_version(const qlm_webhook_t *webhook, apr_pool_t *pool)
{
    const char *said = qlm_properties_get(webhook->callback->properties, "salesforce_api_version");
    if (!said || !*said) {
        return DEFAULT_VERSION;
    }
    said = qlm_text_trim(said, pool);
    said += *said == 'v' || *said == 'V';
    if (!is_version(said)) {
        webhook->note(webhook->baton, "the property salesforce_api_version is not like v60.0; "
                                      "v60.0 is used");
        return DEFAULT_VERSION;
    }
    return apr_pstrcat(pool, "v", said, NULL);
}

qlm_error_t *qlm_sfclient_create(qlm_sfclient_t **client, const qlm_webhook_t *webhook,
                                 apr_pool_t *pool)
{
    qlm_sfclient_t *made = apr_pcalloc(pool, sizeof(*made));
    made->webhook = webhook;
    made->pool = pool;
    QLM_TRY(qlm_sflogin_account(&made->account, webhook, pool));
    made->version = choose_version(webhook, pool);
    *client = made;
    return NULL;
}

int qlm_sfclient_has_time(qlm_sfclient_t *client)
{
    const qlm_webhook_t *webhook = client->webhook;
    if (webhook->clock(webhook->baton) >= webhook->deadline) {
        client->is_halted = 1;
        return 0;
    }
    return 1;
}

static qlm_error_t *fetch(qlm_fetch_response_t **response, qlm_sfclient_t *client,
                          const qlm_fetch_request_t *request, apr_pool_t *pool)
{
    const qlm_fetcher_t *fetcher = client->webhook->fetcher;
    if (!qlm_sfclient_has_time(client)) {
        return refuse(pool, "the time for this delivery is used up");
    }
    return fetcher->fetch(response, fetcher->baton, request, pool);
}

/* ---- memory ---- */

qlm_error_t *qlm_sfclient_recall(const char **value, qlm_sfclient_t *client, const char *name,
                                 apr_pool_t *pool)
{
    const qlm_webhook_t *webhook = client->webhook;
    const char *kept = NULL;
    apr_size_t length = strlen(client->account.fingerprint);
    *value = NULL;
    QLM_TRY(webhook->recall(&kept, webhook->baton, name, pool));
    if (kept && strncmp(kept, client->account.fingerprint, length) == 0 && kept[length] == ' ') {
        *value = kept + length + 1;
    }
    return NULL;
}

qlm_error_t *qlm_sfclient_remember(qlm_sfclient_t *client, const char *name, const char *value,
                                   apr_int64_t expires_at)
{
    const qlm_webhook_t *webhook = client->webhook;
    if (value) {
        value = apr_pstrcat(client->pool, client->account.fingerprint, " ", value, NULL);
    }
    return webhook->remember(webhook->baton, name, value, expires_at, client->pool);
}

/** What is kept was checked once, but the record may have been changed since. */
static qlm_error_t *recall_session(qlm_sfclient_t *client)
{
    const char *kept;
    json_t *json;
    QLM_TRY(qlm_sfclient_recall(&kept, client, TOKEN_NAME, client->pool));
    if (!kept || qlm_json_read(&json, kept, strlen(kept), client->pool)) {
        return NULL;
    }
    qlm_sfsession_t session = {qlm_json_text(json, "token"), qlm_json_text(json, "instance"),
                               qlm_json_text(json, "organization")};
    if (!qlm_sflogin_check(&session, &client->account, client->pool)) {
        client->session = session;
    }
    return NULL;
}

static qlm_error_t *remember_session(qlm_sfclient_t *client)
{
    const qlm_sfsession_t *session = &client->session;
    json_t *json =
        qlm_json_keep(json_pack("{s:s, s:s, s:s}", "token", session->token, "instance",
                                session->instance, "organization", session->organization),
                      client->pool);
    const char *text = json ? qlm_json_write(json, client->pool) : NULL;
    return text ? qlm_sfclient_remember(client, TOKEN_NAME, text,
                                        client->webhook->callback->now + TOKEN_SECONDS)
                : NULL;
}

/* ---- session ---- */

static qlm_error_t *log_in(qlm_sfclient_t *client)
{
    qlm_fetch_request_t *request;
    qlm_fetch_response_t *response;
    const qlm_webhook_t *webhook = client->webhook;
    memset(&client->session, 0, sizeof(client->session));
    QLM_TRY(qlm_sflogin_request(&request, &client->account,
                                apr_time_sec(webhook->clock(webhook->baton)), client->pool));
    QLM_TRY(fetch(&response, client, request, client->pool));
    qlm_sfsession_t session;
    QLM_TRY(qlm_sflogin_answer(&session, &client->account, response, client->pool));
    client->session = session;
    return remember_session(client);
}

qlm_error_t *qlm_sfclient_connect(qlm_sfclient_t *client)
{
    qlm_error_t *error = recall_session(client);
    if (!error && !client->session.token) {
        error = log_in(client);
    }
    client->is_halted |= error != NULL;
    return error;
}

/** The session has run out: forget it and log in anew, once in a delivery. */
static qlm_error_t *renew(qlm_sfclient_t *client)
{
    const char *former = client->session.organization;
    if (client->renewals++) {
        client->is_halted = 1;
        return refuse(client->pool, "Salesforce refuses the session of a new login as well");
    }
    qlm_error_t *error = qlm_sfclient_remember(client, TOKEN_NAME, NULL, 0);
    if (!error) {
        error = log_in(client);
    }
    if (!error && strcmp(former, client->session.organization) != 0) {
        error = refuse(client->pool, "the new login leads to another organization");
    }
    client->is_halted |= error != NULL;
    return error;
}

/* ---- queries ---- */

static qlm_error_t *get(qlm_fetch_response_t **response, qlm_sfclient_t *client, const char *path,
                        apr_pool_t *pool)
{
    qlm_fetch_request_t request = {.method = "GET"};
    apr_array_header_t *headers = apr_array_make(pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(headers, const char *) =
        apr_pstrcat(pool, "Authorization: Bearer ", client->session.token, NULL);
    APR_ARRAY_PUSH(headers, const char *) = "Accept: application/json";
    request.headers = headers;
    request.url = apr_pstrcat(pool, client->session.instance, path, NULL);
    return fetch(response, client, &request, pool);
}

/** The same with a session that still counts. */
static qlm_error_t *get_with_session(qlm_fetch_response_t **response, qlm_sfclient_t *client,
                                     const char *path, apr_pool_t *pool)
{
    QLM_TRY(get(response, client, path, pool));
    if ((*response)->status != 401) {
        return NULL;
    }
    QLM_TRY(renew(client));
    QLM_TRY(get(response, client, path, pool));
    return (*response)->status == 401 ? renew(client) : NULL;
}

/** What an error answer says: an array of {message, errorCode}. The message may quote anything, so
 * it is for reading field names only. */
typedef struct complaint_t {
    const char *code, *message;
} complaint_t;

static complaint_t read_complaint(const qlm_fetch_response_t *response, apr_pool_t *pool)
{
    complaint_t complaint = {"", ""};
    json_t *answer;
    if (!qlm_json_read(&answer, response->body, response->length, pool)) {
        const char *code = qlm_json_text(json_array_get(answer, 0), "errorCode");
        if (strlen(code) <= CODE_MAX_BYTES &&
            !code[strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")]) {
            complaint.code = code;
            complaint.message = qlm_json_text(json_array_get(answer, 0), "message");
        }
    }
    return complaint;
}

static qlm_error_t *read_failure(qlm_sfclient_t *client, const qlm_fetch_response_t *response,
                                 const complaint_t *complaint, apr_pool_t *pool)
{
    if (strcmp(complaint->code, "REQUEST_LIMIT_EXCEEDED") == 0) {
        client->is_halted = 1; /* of the whole organisation, for hours */
    }
    return refuse(pool, "Salesforce answered a query with status %d%s%s", response->status,
                  *complaint->code ? " " : "", complaint->code);
}

/** Does leaving out @a name concern @a field: is it the field, its last part, or its beginning? */
static int is_about(const char *name, apr_size_t length, const char *field)
{
    apr_size_t field_length = strlen(field);
    if (length == 0 || length > field_length) {
        return 0;
    }
    const char *tail = field + field_length - length;
    return (strncasecmp(name, field, length) == 0 &&
            (field[length] == '\0' || field[length] == '.')) ||
           (strncasecmp(name, tail, length) == 0 && tail[-1] == '.');
}

/** Leave out what @a name names. @return how many fields */
static int strike_name(qlm_sfquery_t *query, const char *name, apr_size_t length)
{
    int kept = query->needed;
    for (int i = query->needed; i < query->fields->nelts; ++i) {
        const char *field = APR_ARRAY_IDX(query->fields, i, const char *);
        if (!is_about(name, length, field)) {
            APR_ARRAY_IDX(query->fields, kept++, const char *) = field;
        }
    }
    int struck = query->fields->nelts - kept;
    query->fields->nelts = kept;
    return struck;
}

/** Leave out the fields that @a message complains about. It quotes some of the query, then says
 * after "ERROR at" what it does not know, in single quotes; it also writes "Didn't", so what stands
 * between any two quotes may be the name. @return how many fields */
static int strike(qlm_sfquery_t *query, const char *message)
{
    const char *verdict = strstr(message, "ERROR at"), *end;
    const char *quote = strchr(verdict ? verdict : message, '\'');
    int struck = 0;
    for (; quote && (end = strchr(quote + 1, '\'')) != NULL; quote = end) {
        struck += strike_name(query, quote + 1, (apr_size_t)(end - quote - 1));
    }
    return struck;
}

static const char *query_path(const qlm_sfclient_t *client, const qlm_sfquery_t *query,
                              const char *rest, apr_pool_t *pool)
{
    const char *soql = "SELECT ";
    for (int i = 0; i < query->fields->nelts; ++i) {
        soql = apr_pstrcat(pool, soql, i ? ", " : "", APR_ARRAY_IDX(query->fields, i, const char *),
                           NULL);
    }
    soql = apr_pstrcat(pool, soql, " FROM ", query->object, " ", rest, NULL);
    return apr_pstrcat(pool, "/services/data/", client->version,
                       "/query/?q=", apr_pescape_urlencoded(pool, soql), NULL);
}

/** The first page; asked for again without the fields that are refused, as long as there are any to
 * leave out. */
static qlm_error_t *first_page(qlm_fetch_response_t **response, qlm_sfclient_t *client,
                               qlm_sfquery_t *query, const char *rest, apr_pool_t *pool)
{
    for (;;) {
        int before = query->fields->nelts;
        QLM_TRY(get_with_session(response, client, query_path(client, query, rest, pool), pool));
        if ((*response)->status == 200) {
            return NULL;
        }
        complaint_t complaint = read_complaint(*response, pool);
        if (strcmp(complaint.code, "INVALID_FIELD") != 0 || !strike(query, complaint.message)) {
            return read_failure(client, *response, &complaint, pool);
        }
        client->webhook->note(
            client->webhook->baton,
            apr_psprintf(pool,
                         "Salesforce does not know, or does not show our user, some fields of "
                         "%s; asked again without %d of them",
                         query->object, before - query->fields->nelts));
    }
}

/** Where the next page is: on the same host, whatever the answer says. */
static int is_page_path(const char *path)
{
    return strncmp(path, "/services/data/", 15) == 0 && !strstr(path, "..") &&
           !path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "/._-~%=&?")];
}

/** Add a page's records. *next is the path of the next page, NULL after the last. */
static qlm_error_t *read_page(apr_array_header_t *records, const char **next,
                              const qlm_fetch_response_t *response, apr_pool_t *pool)
{
    json_t *page;
    QLM_TRY(qlm_json_read(&page, response->body, response->length, pool));
    const json_t *list = qlm_json_member(page, "records"), *done = qlm_json_member(page, "done");
    if (!json_is_array(list) || !json_is_boolean(done)) {
        return refuse(pool, "it is no result of a query");
    }
    for (size_t i = 0; i < json_array_size(list); ++i) {
        APR_ARRAY_PUSH(records, const json_t *) = json_array_get(list, i);
    }
    if (records->nelts > QLM_SFCLIENT_MAX_RECORDS) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_INVALID_FORMAT,
                              "there are more than %d records", QLM_SFCLIENT_MAX_RECORDS);
    }
    *next = NULL;
    if (json_is_false(done)) {
        *next = qlm_json_text(page, "nextRecordsUrl");
        return is_page_path(*next) ? NULL : refuse(pool, "it names no usable next page");
    }
    return NULL;
}

static qlm_error_t *next_page(qlm_fetch_response_t **response, qlm_sfclient_t *client,
                              const char *path, apr_pool_t *pool)
{
    QLM_TRY(get_with_session(response, client, path, pool));
    if ((*response)->status != 200) {
        complaint_t complaint = read_complaint(*response, pool);
        return read_failure(client, *response, &complaint, pool);
    }
    return NULL;
}

qlm_error_t *qlm_sfclient_select(apr_array_header_t **records, qlm_sfclient_t *client,
                                 qlm_sfquery_t *query, const char *rest, apr_pool_t *pool)
{
    qlm_fetch_response_t *response;
    const char *next = NULL;
    apr_array_header_t *found = apr_array_make(pool, 8, sizeof(const json_t *));
    QLM_TRY(first_page(&response, client, query, rest, pool));
    for (int pages = 1;; ++pages) {
        qlm_error_t *error = read_page(found, &next, response, pool);
        if (error && error->kind == QLM_ERROR_OUTBOUND) {
            return refuse(pool, "Salesforce gave no usable answer to a query: %s", error->text);
        }
        if (error) {
            return error;
        }
        if (!next) {
            break;
        }
        if (pages >= QLM_SFCLIENT_MAX_PAGES) {
            return refuse(pool, "the answer to a query has more than %d pages",
                          QLM_SFCLIENT_MAX_PAGES);
        }
        QLM_TRY(next_page(&response, client, next, pool));
    }
    *records = found;
    return NULL;
}
