/* The headers of a mail: RFC 5322 lines with RFC 2047 encoded words. */
#include "mail/message.h"

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/date.h"
#include "base/text.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <string.h>

#define COLUMNS_MAX      78 /* RFC 5322 2.1.1 */
#define ENCODED_LINE_MAX 76 /* RFC 2047 2: a line that holds an encoded word */
#define ENCODED_WORD_MAX 75 /* RFC 2047 2 */
#define WORD_MAX         60 /* longer ones are encoded, which can be folded anywhere */
#define WORD_START       "=?UTF-8?B?"
#define WORD_END         "?="
#define SUBJECT_MAX      500
#define NAME_MAX_BYTES   200

/* Lines in the making: `line` is the one that is not full yet. */
typedef struct writer_t {
    apr_array_header_t *lines; /* of const char * */
    qlm_buffer_t *line;
    apr_pool_t *pool;
} writer_t;

static void end_line(writer_t *writer)
{
    APR_ARRAY_PUSH(writer->lines, const char *) =
        apr_pstrmemdup(writer->pool, writer->line->text, writer->line->length);
    writer->line->length = 0;
    writer->line->text[0] = '\0';
}

/* Add a blank and `word`; on a new line, which the blank makes a continued one, if this is full. */
static void add_word(writer_t *writer, const char *word, apr_size_t max)
{
    if (writer->line->length + 1 + strlen(word) > max && strchr(writer->line->text, ' ')) {
        end_line(writer);
    }
    qlm_buffer_add(writer->line, " ");
    qlm_buffer_add(writer->line, word);
}

/* The bytes of `text` that one encoded word of at most `columns` can hold, whole characters only.
 */
static apr_size_t encodable(const char *text, apr_size_t columns)
{
    apr_size_t overhead = strlen(WORD_START WORD_END);
    apr_size_t room = columns > overhead ? (columns - overhead) / 4 * 3 : 0;
    apr_size_t length = 0;

    while (text[length]) {
        apr_size_t character = qlm_text_xml_character(text + length);

        if (character == 0 || length + character > room) {
            break;
        }
        length += character;
    }
    return length;
}

/* Add `text` (UTF-8 without controls) as encoded words. Adjacent ones are read without the blank
 * between them (RFC 2047 6.2). */
static void add_encoded(writer_t *writer, const char *text)
{
    while (*text) {
        apr_size_t used = writer->line->length + 1;
        apr_size_t columns = used < ENCODED_LINE_MAX ? ENCODED_LINE_MAX - used : 0;
        apr_size_t length =
            encodable(text, columns < ENCODED_WORD_MAX ? columns : ENCODED_WORD_MAX);

        if (length == 0) {
            end_line(writer);
            length = encodable(text, ENCODED_WORD_MAX);
        }
        add_word(writer,
                 apr_pstrcat(writer->pool, WORD_START,
                             qlm_base64_encode(text, length, writer->pool), WORD_END, NULL),
                 ENCODED_LINE_MAX);
        text += length;
    }
}

/* Can `text` stand as it is: ASCII, not mistaken for an encoded word, foldable at single blanks? */
static int is_plain(const char *text)
{
    apr_size_t word = 0;

    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p & 0x80 || (*p == ' ' && p[1] == ' ') || (*p == '=' && p[1] == '?')) {
            return 0;
        }
        word = *p == ' ' ? 0 : word + 1;
        if (word > WORD_MAX) {
            return 0;
        }
    }
    return 1;
}

static writer_t start(apr_array_header_t *lines, const char *name, apr_pool_t *pool)
{
    writer_t writer = {lines, qlm_buffer_create(128, pool), pool};

    qlm_buffer_add(writer.line, name);
    qlm_buffer_add(writer.line, ":");
    return writer;
}

/* One line of clean UTF-8, whatever was given. */
static const char *cleaned(const char *text, apr_size_t max_bytes, apr_pool_t *pool)
{
    return qlm_text_clean(qlm_text_from_latin1_or_utf8(text ? text : "", pool), max_bytes, pool);
}

static void add_subject(apr_array_header_t *lines, const char *subject, apr_pool_t *pool)
{
    writer_t writer = start(lines, "Subject", pool);
    const char *text = cleaned(subject, SUBJECT_MAX, pool);

    if (is_plain(text)) {
        const apr_array_header_t *words = qlm_text_split(text, " ", pool);

        for (int i = 0; i < words->nelts; i++) {
            add_word(&writer, APR_ARRAY_IDX(words, i, const char *), COLUMNS_MAX);
        }
    }
    else {
        add_encoded(&writer, text);
    }
    end_line(&writer);
}

/* A display name as a quoted string (RFC 5322 3.2.4). */
static const char *quoted(const char *name, apr_pool_t *pool)
{
    qlm_buffer_t *buffer = qlm_buffer_create(128, pool);

    qlm_buffer_add(buffer, "\"");
    for (const char *p = name; *p; p++) {
        if (*p == '"' || *p == '\\') {
            qlm_buffer_add(buffer, "\\");
        }
        qlm_buffer_add_bytes(buffer, p, 1);
    }
    qlm_buffer_add(buffer, "\"");
    return buffer->text;
}

static void add_from(apr_array_header_t *lines, const qlm_mail_t *mail, apr_pool_t *pool)
{
    writer_t writer = start(lines, "From", pool);
    const char *name = cleaned(mail->from_name, NAME_MAX_BYTES, pool);
    const char *string = quoted(name, pool);

    if (!qlm_mail_is_address(mail->from)) {
        return;
    }
    if (*name && is_plain(name) && strlen(string) <= WORD_MAX) {
        add_word(&writer, string, COLUMNS_MAX);
    }
    else if (*name) {
        add_encoded(&writer, name);
    }
    add_word(&writer, *name ? apr_pstrcat(pool, "<", mail->from, ">", NULL) : mail->from,
             *name ? ENCODED_LINE_MAX : COLUMNS_MAX);
    end_line(&writer);
}

static void add_addresses(apr_array_header_t *lines, const char *name,
                          const apr_array_header_t *addresses, apr_pool_t *pool)
{
    writer_t writer = start(lines, name, pool);
    const char *last = NULL;

    for (int i = 0; addresses && i < addresses->nelts; i++) {
        const char *address = APR_ARRAY_IDX(addresses, i, const char *);

        if (!qlm_mail_is_address(address)) {
            continue;
        }
        if (last) {
            add_word(&writer, apr_pstrcat(pool, last, ",", NULL), COLUMNS_MAX);
        }
        last = address;
    }
    if (last) {
        add_word(&writer, last, COLUMNS_MAX);
        end_line(&writer);
    }
}

/* RFC 5322 3.3; the zone as a number, names of zones are obsolete. */
static const char *date_of(apr_int64_t seconds, apr_pool_t *pool)
{
    apr_int64_t moment = seconds < 0 ? 0 : seconds > QLM_DATE_MAX ? QLM_DATE_MAX : seconds;
    apr_time_exp_t parts;

    if (apr_time_exp_gmt(&parts, apr_time_from_sec(moment)) != APR_SUCCESS) {
        return "Thu, 01 Jan 1970 00:00:00 +0000";
    }
    return apr_psprintf(pool, "%s, %02d %s %04d %02d:%02d:%02d +0000",
                        apr_day_snames[parts.tm_wday], parts.tm_mday,
                        apr_month_snames[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                        parts.tm_min, parts.tm_sec);
}

apr_array_header_t *qlm_mail_headers(const qlm_mail_t *mail, apr_pool_t *pool)
{
    apr_array_header_t *lines = apr_array_make(pool, 12, sizeof(const char *));
    apr_array_header_t *to = apr_array_make(pool, 1, sizeof(const char *));

    APR_ARRAY_PUSH(to, const char *) = mail->to;
    APR_ARRAY_PUSH(lines, const char *) =
        apr_pstrcat(pool, "Date: ", date_of(mail->date, pool), NULL);
    add_from(lines, mail, pool);
    add_addresses(lines, "To", to, pool);
    add_addresses(lines, "Cc", mail->cc, pool);
    add_subject(lines, mail->subject, pool);
    if (qlm_mail_is_message_id(mail->message_id)) {
        APR_ARRAY_PUSH(lines, const char *) =
            apr_pstrcat(pool, "Message-ID: ", mail->message_id, NULL);
    }
    /* RFC 3834: nobody's holiday notice is to answer this. */
    APR_ARRAY_PUSH(lines, const char *) = "Auto-Submitted: auto-generated";
    return lines;
}
