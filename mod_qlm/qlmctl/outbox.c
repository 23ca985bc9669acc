/* outbox: list, show, retry, cancel. */
#include "mail/message.h"
#include "qlmctl/commands.h"
#include "qlmctl/records.h"

#include "base/text.h"
#include "service/sealed.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#define LIMIT           50
#define LIMIT_MAX       100000
#define STATE_MAX_BYTES 16

static int is_mail(const qlm_outbox_row_t *row)
{
    return strcmp(row->kind, QLM_OUTBOX_MAIL) == 0;
}

static qlm_error_t *read_id(apr_int64_t *id, qlm_tool_t *tool)
{
    const char *word = qlm_tool_word(tool, 0);

    return qlm_text_to_int64(id, word, 1, APR_INT64_MAX)
               ? NULL
               : qlm_tool_usage(tool, "%s is not an ID; qlmctl outbox list shows them",
                                qlm_text_for_log(word, 40, tool->pool));
}

static qlm_error_t *unknown_row(qlm_tool_t *tool, apr_int64_t id)
{
    return qlm_tool_failure(tool,
                            "the outbox holds no %" APR_INT64_T_FMT "; see qlmctl outbox list", id);
}

static qlm_error_t *find_row(const qlm_outbox_row_t **row, qlm_tool_t *tool, apr_int64_t id)
{
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_find_outbox(row, store, id, tool->pool));
    return *row ? NULL : unknown_row(tool, id);
}

/* ---- list -------------------------------------------------------------------------------------
 */

static qlm_error_t *read_state(const char **state, qlm_tool_t *tool)
{
    static const char *const states[] = {QLM_OUTBOX_WAITING, QLM_OUTBOX_SENT, QLM_OUTBOX_FAILED,
                                         QLM_OUTBOX_CANCELLED};
    const char *given = qlm_tool_option(tool, "state");

    *state = "";
    for (size_t i = 0; given && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i], given) == 0) {
            *state = states[i];
        }
    }
    return !given || **state
               ? NULL
               : qlm_tool_usage(tool, "--state takes waiting, sent, failed or cancelled");
}

qlm_error_t *qlm_command_outbox_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"id", "ID"},          {"kind", "KIND"},        {"state", "STATE"},
        {"target", "TO"},      {"subject", "ABOUT"},    {"created_at", "MADE"},
        {"attempts", "TRIES"}, {"next_at", "NEXT TRY"}, {"last_error", "LAST ERROR"},
        {NULL, NULL},
    };
    json_t *list = qlm_output_array(tool->pool);
    apr_int64_t limit = LIMIT;
    apr_array_header_t *rows;
    qlm_store_t *store;
    const char *state;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(read_state(&state, tool));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_outbox(&rows, store, state, (int)limit, tool->pool));
    for (int i = 0; i < rows->nelts; i++) {
        qlm_output_append(list,
                          qlm_record_outbox(&APR_ARRAY_IDX(rows, i, qlm_outbox_row_t), tool->pool));
    }
    qlm_output_rows(tool, list, columns);
    return NULL;
}

/* ---- show -------------------------------------------------------------------------------------
 */

static json_t *texts(const apr_array_header_t *list, apr_pool_t *pool)
{
    json_t *array = qlm_output_array(pool);

    for (int i = 0; i < list->nelts; i++) {
        qlm_output_append_text(array, APR_ARRAY_IDX(list, i, const char *));
    }
    return array;
}

/* What the customer sees of a mail, for people. */
static void show_mail(qlm_tool_t *tool, json_t *record, const qlm_mail_t *mail)
{
    json_t *head = qlm_output_object(tool->pool);

    qlm_output_put(head, "from",
                   *mail->from_name
                       ? apr_pstrcat(tool->pool, mail->from_name, " <", mail->from, ">", NULL)
                       : mail->from);
    qlm_output_put(head, "to", mail->to);
    qlm_output_put_value(head, "cc", texts(mail->cc, tool->pool));
    qlm_output_put_value(head, "bcc", texts(mail->bcc, tool->pool));
    qlm_output_put(head, "subject", mail->subject);
    qlm_output_put(head, "message_id", mail->message_id);
    qlm_output_put_value(record, "mail", head);
    qlm_output_record(tool, record);
    putchar('\n');
    qlm_output_text(tool, *mail->text ? mail->text : qlm_mail_text_of_html(mail->html, tool->pool));
}

qlm_error_t *qlm_command_outbox_show(qlm_tool_t *tool)
{
    const qlm_outbox_row_t *row;
    qlm_mail_t *mail;
    apr_int64_t id;
    json_t *record;

    QLM_TRY(read_id(&id, tool));
    QLM_TRY(find_row(&row, tool, id));
    record = qlm_record_outbox(row, tool->pool);
    if (qlm_sealed_is(row)) {
        qlm_output_record(tool, record);
        qlm_output_say(tool, "What the mail says is sealed: only the recipient gets to read it.");
        return NULL;
    }
    if (!tool->is_json && is_mail(row) && !qlm_mail_from_json(&mail, row->payload, tool->pool)) {
        show_mail(tool, record, mail);
        return NULL;
    }
    qlm_output_put_json(record, "payload", row->payload);
    qlm_output_record(tool, record);
    return NULL;
}

/* ---- retry, cancel ----------------------------------------------------------------------------
 */

typedef struct change_t {
    apr_int64_t id, now;
    const char *state;         /* wanted */
    char was[STATE_MAX_BYTES]; /* as found; "" = there is no such row */
    int is_done;
} change_t;

/* What was sent cannot be undone or, by accident, be sent twice; what is parked needs no cancel. */
static int may_become(const char *was, const char *state)
{
    return strcmp(state, QLM_OUTBOX_WAITING) == 0
               ? strcmp(was, QLM_OUTBOX_SENT) != 0
               : strcmp(was, QLM_OUTBOX_WAITING) == 0 || strcmp(was, QLM_OUTBOX_CANCELLED) == 0;
}

static qlm_error_t *apply(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    change_t *change = baton;
    const qlm_outbox_row_t *found;
    qlm_outbox_row_t row;

    change->is_done = 0;
    change->was[0] = '\0';
    QLM_TRY(qlm_store_find_outbox(&found, store, change->id, pool));
    if (!found) {
        return NULL;
    }
    apr_cpystrn(change->was, found->state, sizeof(change->was));
    if (!may_become(found->state, change->state)) {
        return NULL;
    }
    row = *found;
    row.state = change->state;
    if (strcmp(row.state, QLM_OUTBOX_WAITING) == 0) {
        row.next_at = change->now;
        row.finished_at = 0;
    }
    else if (!row.finished_at) {
        row.finished_at = change->now;
    }
    return qlm_store_update_outbox(&change->is_done, store, &row, 1, pool);
}

static qlm_error_t *set_state(const qlm_outbox_row_t **row, qlm_tool_t *tool, const char *state)
{
    change_t change = {0};
    qlm_store_t *store;

    QLM_TRY(read_id(&change.id, tool));
    change.now = tool->now;
    change.state = state;
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_write(store, apply, &change, tool->pool));
    if (!*change.was) {
        return unknown_row(tool, change.id);
    }
    if (!change.is_done) {
        return qlm_tool_failure(tool, "%" APR_INT64_T_FMT " is %s already; nothing was changed",
                                change.id, change.was);
    }
    QLM_TRY(find_row(row, tool, change.id));
    if (tool->is_json) {
        qlm_output_record(tool, qlm_record_outbox(*row, tool->pool));
    }
    return NULL;
}

qlm_error_t *qlm_command_outbox_retry(qlm_tool_t *tool)
{
    const qlm_outbox_row_t *row;

    QLM_TRY(set_state(&row, tool, QLM_OUTBOX_WAITING));
    qlm_output_say(tool, "The %s to %s is due now; the running server sends it.", row->kind,
                   row->target);
    return NULL;
}

qlm_error_t *qlm_command_outbox_cancel(qlm_tool_t *tool)
{
    const qlm_outbox_row_t *row;

    QLM_TRY(set_state(&row, tool, QLM_OUTBOX_CANCELLED));
    qlm_output_say(tool, "The %s to %s is cancelled: it is not sent.", row->kind, row->target);
    return NULL;
}
