/* Sending one mail: libcurl speaks SMTP and builds the body, what the server answers decides. */
#include "outbound/smtp.h"

#include "base/text.h"

#include <apr_cstr.h>
#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <curl/curl.h>
#include <string.h>

#define CONNECT_SECONDS       5
#define DEFAULT_TOTAL_SECONDS 20
#define REPLY_MAX             200                  /* bytes of the server's reply that are kept */
#define RECIPIENTS_MAX        100                  /* RFC 5321 4.5.3.1.8 */
#define COPIES_REFUSED_MAX    3                    /* then the mail goes without any copy */
#define STOPPING_PATIENCE     apr_time_from_sec(3) /* for the answer to a mail that is all sent */

/* How far the dialogue has come: what the last reply answers. */
typedef enum stage_t {
    STAGE_CONNECT, /* greeting, EHLO, STARTTLS */
    STAGE_LOGIN,
    STAGE_SENDER,
    STAGE_RECIPIENT,
    STAGE_DATA /* also the reply to the mail itself */
} stage_t;

/* One attempt. */
typedef struct attempt_t {
    const qlm_mail_t *mail;
    const qlm_smtp_settings_t *settings;
    const apr_array_header_t *recipients; /* of const char *; the first is the one of To */
    apr_time_t deadline;                  /* of this attempt and all others of the mail */
    apr_time_t stopped_at;                /* when we were first told to stop; 0 = not yet */
    stage_t stage;
    int is_over;               /* the farewell was said; what it is answered does not matter */
    int recipient;             /* index of the one the last RCPT named; -1 before */
    int code;                  /* of the last reply; 0 = none yet */
    char reply[REPLY_MAX + 1]; /* that reply */
    char message[CURL_ERROR_SIZE];
    CURLcode result;
    apr_pool_t *pool;
} attempt_t;

/* ---- listening ----------------------------------------------------------------------------------
 */

static int begins_with(const char *bytes, size_t length, const char *word)
{
    return length >= strlen(word) && apr_cstr_casecmpn(bytes, word, strlen(word)) == 0;
}

/* Commands are only recognised, never kept: those of the login hold the password. */
static void note_command(attempt_t *attempt, const char *bytes, size_t length)
{
    static const struct {
        const char *word;
        stage_t stage;
    } commands[] = {{"EHLO", STAGE_CONNECT}, {"HELO", STAGE_CONNECT}, {"STARTTLS", STAGE_CONNECT},
                    {"AUTH ", STAGE_LOGIN},  {"MAIL ", STAGE_SENDER}, {"RCPT ", STAGE_RECIPIENT},
                    {"DATA\r\n", STAGE_DATA}};

    attempt->is_over |= begins_with(bytes, length, "QUIT\r\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (begins_with(bytes, length, commands[i].word)) {
            attempt->stage = commands[i].stage;
            attempt->recipient += attempt->stage == STAGE_RECIPIENT;
            return;
        }
    }
}

static void note_reply(attempt_t *attempt, const char *bytes, size_t length)
{
    size_t kept = length < REPLY_MAX ? length : REPLY_MAX;

    if (attempt->is_over || length < 3 || !apr_isdigit(bytes[0]) || !apr_isdigit(bytes[1]) ||
        !apr_isdigit(bytes[2])) {
        return;
    }
    memcpy(attempt->reply, bytes, kept);
    attempt->reply[kept] = '\0';
    attempt->reply[strcspn(attempt->reply, "\r\n")] = '\0';
    attempt->code = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + (bytes[2] - '0');
}

static int listen_in(CURL *handle, curl_infotype type, char *bytes, size_t length, void *baton)
{
    (void)handle;
    if (type == CURLINFO_HEADER_OUT) {
        note_command(baton, bytes, length);
    }
    else if (type == CURLINFO_HEADER_IN) {
        note_reply(baton, bytes, length);
    }
    return 0;
}

/* ---- what is sent -------------------------------------------------------------------------------
 */

/* As it goes on the wire: UTF-8, lines ending with CR LF, no other control characters. */
static const char *wire_text(const char *text, apr_pool_t *pool)
{
    const char *from = qlm_text_from_latin1_or_utf8(text, pool);
    char *made = apr_palloc(pool, 2 * strlen(from) + 1);
    char *to = made;

    for (; *from; from++) {
        if (*from == '\n' || *from == '\r') {
            from += *from == '\r' && from[1] == '\n';
            *to++ = '\r';
            *to++ = '\n';
        }
        else if (((unsigned char)*from >= ' ' && *from != 0x7f) || *from == '\t') {
            *to++ = *from;
        }
    }
    *to = '\0';
    return made;
}

static CURLcode add_part(curl_mime *mime, const char *text, const char *type, apr_pool_t *pool)
{
    curl_mimepart *part;
    CURLcode code;

    if (qlm_text_is_empty(text)) {
        return CURLE_OK;
    }
    part = curl_mime_addpart(mime);
    code = curl_mime_data(part, wire_text(text, pool), CURL_ZERO_TERMINATED);
    code = code ? code : curl_mime_type(part, type);
    return code ? code : curl_mime_encoder(part, "quoted-printable");
}

/* The better form comes last (RFC 2046 5.1.4). */
static CURLcode fill_mime(curl_mime *mime, const attempt_t *attempt)
{
    CURLcode code = add_part(mime, attempt->mail->text, "text/plain; charset=utf-8", attempt->pool);

    return code ? code
                : add_part(mime, attempt->mail->html, "text/html; charset=utf-8", attempt->pool);
}

/* Append, or free all and return NULL. */
static struct curl_slist *longer(struct curl_slist *list, const char *text)
{
    struct curl_slist *made = curl_slist_append(list, text);

    if (!made) {
        curl_slist_free_all(list);
    }
    return made;
}

static struct curl_slist *header_list(const attempt_t *attempt)
{
    const apr_array_header_t *lines = qlm_mail_headers(attempt->mail, attempt->pool);
    struct curl_slist *list = longer(NULL, "Content-Type: multipart/alternative");

    for (int i = 0; list && i < lines->nelts; i++) {
        list = longer(list, APR_ARRAY_IDX(lines, i, const char *));
    }
    return list;
}

static struct curl_slist *recipient_list(const attempt_t *attempt)
{
    struct curl_slist *list = NULL;

    for (int i = 0; i < attempt->recipients->nelts; i++) {
        list = longer(list, APR_ARRAY_IDX(attempt->recipients, i, const char *));
        if (!list) {
            break;
        }
    }
    return list;
}

/* ---- one attempt --------------------------------------------------------------------------------
 */

/* The name to greet with is this machine's if it is a full one, else the sender's domain. */
static const char *greeting_name(const attempt_t *attempt)
{
    char name[APRMAXHOSTLEN + 1];

    if (apr_gethostname(name, sizeof(name), attempt->pool) == APR_SUCCESS && strchr(name, '.') &&
        qlm_mail_is_address(apr_pstrcat(attempt->pool, "x@", name, NULL))) {
        return apr_pstrdup(attempt->pool, name);
    }
    return strchr(attempt->mail->from, '@') + 1;
}

static int is_url_set(CURLU *url, const attempt_t *attempt)
{
    const qlm_smtp_settings_t *settings = attempt->settings;
    int port = settings->port;

    if (port == 0) {
        port = settings->tls == 2 ? 465 : settings->tls == 1 ? 587 : 25;
    }
    return curl_url_set(url, CURLUPART_SCHEME, settings->tls == 2 ? "smtps" : "smtp", 0) ==
               CURLUE_OK &&
           curl_url_set(url, CURLUPART_HOST, settings->server, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_PORT, apr_itoa(attempt->pool, port), 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_PATH,
                        apr_pstrcat(attempt->pool, "/", greeting_name(attempt), NULL),
                        0) == CURLUE_OK;
}

/* Has this mail taken long enough? libcurl's own limits do not count the farewell, nor other
 * attempts. Called about once a second, also during the farewell. */
static int is_enough(void *baton, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                     curl_off_t sent)
{
    attempt_t *attempt = baton;
    const qlm_smtp_settings_t *settings = attempt->settings;
    apr_time_t now = apr_time_now();

    (void)to_get;
    (void)got;
    (void)to_send;
    (void)sent;
    if (settings->is_stopping && !attempt->stopped_at && settings->is_stopping(settings->baton)) {
        attempt->stopped_at = now;
    }
    return now >= attempt->deadline ||
           (attempt->stopped_at && (attempt->stage != STAGE_DATA || attempt->is_over ||
                                    now >= attempt->stopped_at + STOPPING_PATIENCE));
}

static CURLcode set_limits(CURL *handle, attempt_t *attempt)
{
    apr_time_t left = attempt->deadline - apr_time_now();
    long total = left > 0 ? (long)apr_time_as_msec(left) + 1 : 1;
    CURLcode code = curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);

    code = code ? code : curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, total);
    code =
        code ? code : curl_easy_setopt(handle, CURLOPT_SERVER_RESPONSE_TIMEOUT, total / 1000 + 1);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, is_enough);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_XFERINFODATA, attempt);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_FORBID_REUSE, 1L);
    return code ? code : curl_easy_setopt(handle, CURLOPT_PROXY, "");
}

static CURLcode set_security(CURL *handle, const qlm_smtp_settings_t *settings)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");

    code = code ? code
                : curl_easy_setopt(handle, CURLOPT_USE_SSL,
                                   (long)(settings->tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    code = code ? code : curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    code =
        code ? code : curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (!code && !qlm_text_is_empty(settings->ca_file)) {
        /* Only these, not the system's besides. */
        code = curl_easy_setopt(handle, CURLOPT_CAINFO, settings->ca_file);
        code = code ? code : curl_easy_setopt(handle, CURLOPT_CAPATH, NULL);
    }
    if (!code && !qlm_text_is_empty(settings->user)) {
        code = curl_easy_setopt(handle, CURLOPT_USERNAME, settings->user);
        code = code ? code
                    : curl_easy_setopt(handle, CURLOPT_PASSWORD,
                                       settings->password ? settings->password : "");
    }
    return code;
}

static CURLcode set_ears(CURL *handle, attempt_t *attempt)
{
    CURLcode code = curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L);

    code = code ? code : curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, listen_in);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_DEBUGDATA, attempt);
    return code ? code : curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, attempt->message);
}

static CURLcode perform(CURL *handle, CURLU *url, curl_mime *mime, struct curl_slist *headers,
                        struct curl_slist *recipients, attempt_t *attempt)
{
    CURLcode code = fill_mime(mime, attempt);

    code = code ? code : set_limits(handle, attempt);
    code = code ? code : set_security(handle, attempt->settings);
    code = code ? code : set_ears(handle, attempt);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_CURLU, url);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_MAIL_FROM, attempt->mail->from);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    code = code ? code : curl_easy_setopt(handle, CURLOPT_MIMEPOST, mime);
    return code ? code : curl_easy_perform(handle);
}

static void run_attempt(attempt_t *attempt)
{
    CURL *handle = curl_easy_init();
    CURLU *url = curl_url();
    curl_mime *mime = handle ? curl_mime_init(handle) : NULL;
    struct curl_slist *headers = header_list(attempt);
    struct curl_slist *recipients = recipient_list(attempt);

    if (!mime || !url || !headers || !recipients) {
        attempt->result = CURLE_OUT_OF_MEMORY;
    }
    else if (!is_url_set(url, attempt)) {
        attempt->result = CURLE_URL_MALFORMAT;
        apr_cpystrn(attempt->message, "the properties smtpServer and smtpPort name no server",
                    sizeof(attempt->message));
    }
    else {
        attempt->result = perform(handle, url, mime, headers, recipients, attempt);
    }
    curl_mime_free(mime);
    curl_easy_cleanup(handle);
    curl_slist_free_all(headers);
    curl_slist_free_all(recipients);
    curl_url_cleanup(url);
}

/* ---- what it means ------------------------------------------------------------------------------
 */

static int is_refused(const attempt_t *attempt)
{
    return attempt->result != CURLE_OK && attempt->code >= 400;
}

/* Would it have gone like this with any mail? 421: the server closes; 530: it wants a login first.
 */
static int is_away(const attempt_t *attempt)
{
    return attempt->stage == STAGE_CONNECT || attempt->stage == STAGE_LOGIN ||
           attempt->result == CURLE_OPERATION_TIMEDOUT ||
           attempt->result == CURLE_ABORTED_BY_CALLBACK ||
           (is_refused(attempt) && (attempt->code == 421 || attempt->code == 530));
}

/* Only what a server says of this mail is final. What it says of us (login, also one that is
 * missing: 530, sender, greeting) is the operator's to mend: the mail waits for it. */
static qlm_smtp_outcome_t outcome_of(const attempt_t *attempt)
{
    if (attempt->result == CURLE_OK) {
        return QLM_SMTP_SENT;
    }
    if (is_away(attempt)) {
        return QLM_SMTP_AWAY;
    }
    if (!is_refused(attempt) || attempt->code < 500) {
        return QLM_SMTP_LATER;
    }
    if (attempt->stage == STAGE_RECIPIENT || attempt->stage == STAGE_DATA) {
        return QLM_SMTP_NEVER;
    }
    /* 552: larger than the server takes, said before it was sent. */
    return attempt->stage == STAGE_SENDER && attempt->code == 552 ? QLM_SMTP_NEVER : QLM_SMTP_LATER;
}

static const char *stage_name(const attempt_t *attempt)
{
    switch (attempt->stage) {
    case STAGE_CONNECT:
        return "greeting";
    case STAGE_LOGIN:
        return "login";
    case STAGE_SENDER:
        return "sender";
    case STAGE_RECIPIENT:
        return "recipient";
    case STAGE_DATA:
        break;
    }
    return "mail";
}

/* The server's reply for the log. A server that echoes the password is not quoted. */
static const char *reply_of(const attempt_t *attempt)
{
    const char *password = attempt->settings->password;

    if (!qlm_text_is_empty(password) && strstr(attempt->reply, password)) {
        return apr_psprintf(attempt->pool, "%d (the rest is not shown)", attempt->code);
    }
    return qlm_text_for_log(attempt->reply, REPLY_MAX, attempt->pool);
}

static const char *reason_of(const attempt_t *attempt)
{
    const char *text = *attempt->message ? attempt->message : curl_easy_strerror(attempt->result);

    if (attempt->result == CURLE_OK) {
        return reply_of(attempt);
    }
    if (attempt->result == CURLE_ABORTED_BY_CALLBACK) {
        return attempt->stopped_at ? "we are stopping" : "no answer in time";
    }
    if (is_refused(attempt)) {
        return apr_pstrcat(attempt->pool, stage_name(attempt), " refused: ", reply_of(attempt),
                           NULL);
    }
    return qlm_text_for_log(text, REPLY_MAX, attempt->pool);
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

/* Each address once, as a server may send a mail as often as it is told an address. */
static void add_recipient(apr_array_header_t *recipients, const char *address)
{
    for (int i = 0; i < recipients->nelts; i++) {
        if (apr_cstr_casecmp(APR_ARRAY_IDX(recipients, i, const char *), address) == 0) {
            return;
        }
    }
    if (recipients->nelts < RECIPIENTS_MAX) {
        APR_ARRAY_PUSH(recipients, const char *) = address;
    }
}

static apr_array_header_t *recipients_of(const qlm_mail_t *mail, apr_pool_t *pool)
{
    apr_array_header_t *recipients = apr_array_make(pool, 4, sizeof(const char *));

    add_recipient(recipients, mail->to);
    for (int i = 0; mail->cc && i < mail->cc->nelts; i++) {
        add_recipient(recipients, APR_ARRAY_IDX(mail->cc, i, const char *));
    }
    for (int i = 0; mail->bcc && i < mail->bcc->nelts; i++) {
        add_recipient(recipients, APR_ARRAY_IDX(mail->bcc, i, const char *));
    }
    return recipients;
}

static apr_array_header_t *without(const apr_array_header_t *recipients, int index,
                                   apr_pool_t *pool)
{
    apr_array_header_t *left = apr_array_make(pool, recipients->nelts, sizeof(const char *));

    for (int i = 0; i < recipients->nelts; i++) {
        if (i != index) {
            APR_ARRAY_PUSH(left, const char *) = APR_ARRAY_IDX(recipients, i, const char *);
        }
    }
    return left;
}

static apr_array_header_t *only_first(const apr_array_header_t *recipients, apr_pool_t *pool)
{
    apr_array_header_t *left = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(left, const char *) = APR_ARRAY_IDX(recipients, 0, const char *);
    return left;
}

/* Was it a copy that was refused, not the recipient? */
static int is_copy_refused(const attempt_t *attempt)
{
    return is_refused(attempt) && attempt->stage == STAGE_RECIPIENT && attempt->recipient > 0 &&
           attempt->recipient < attempt->recipients->nelts && attempt->code != 421;
}

/* The recipients of the next attempt, after a copy was refused: without that one; without any when
 * there are many of them, or when the time is half used up. */
static apr_array_header_t *fewer(const attempt_t *attempt, int refused, apr_time_t half)
{
    return refused < COPIES_REFUSED_MAX && apr_time_now() < half
               ? without(attempt->recipients, attempt->recipient, attempt->pool)
               : only_first(attempt->recipients, attempt->pool);
}

static qlm_smtp_outcome_t attempt_all(const char **reason, const qlm_mail_t *mail,
                                      const qlm_smtp_settings_t *settings, apr_pool_t *pool)
{
    int total = settings->total_seconds > 0 ? settings->total_seconds : DEFAULT_TOTAL_SECONDS;
    apr_time_t begun = apr_time_now();
    apr_array_header_t *recipients = recipients_of(mail, pool);
    const char *left_out = "";

    for (int refused = 1;; refused++) {
        attempt_t attempt = {
            .mail = mail, .settings = settings, .recipients = recipients, .recipient = -1};

        attempt.pool = pool;
        attempt.deadline = begun + apr_time_from_sec(total);
        run_attempt(&attempt);
        /* A copy that cannot be delivered does not keep the customer from his keys. */
        if (!is_copy_refused(&attempt)) {
            *reason = apr_pstrcat(pool, reason_of(&attempt), left_out, NULL);
            return outcome_of(&attempt);
        }
        left_out = apr_pstrcat(pool, left_out, "; copy left out: ", reply_of(&attempt), NULL);
        recipients = fewer(&attempt, refused, begun + apr_time_from_sec(total) / 2);
    }
}

qlm_smtp_outcome_t qlm_smtp_send(const char **reason, const qlm_mail_t *mail,
                                 const qlm_smtp_settings_t *settings, apr_pool_t *pool)
{
    qlm_error_t *error = qlm_mail_check(mail, pool);

    if (error) {
        *reason = error->text;
        return QLM_SMTP_NEVER;
    }
    if (qlm_text_is_empty(settings->server)) {
        *reason = "mail is not configured: the property smtpServer is empty";
        return QLM_SMTP_AWAY;
    }
    return attempt_all(reason, mail, settings, pool);
}
