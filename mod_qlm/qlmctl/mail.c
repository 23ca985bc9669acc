/* mail: test. The mail server as the running server would use it, without waiting. */
#include "outbound/smtp.h"
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "service/outbox.h"

#include "base/text.h"

#include <apr_strings.h>
#include <curl/curl.h>
#include <string.h>

static const char subject[] = "Test mail of the license server";

static const char text[] =
    "This mail was sent by `qlmctl mail test`. That it is here shows that the license server\n"
    "can send mail with the settings it has now.\n";

static const char html[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"></head>\n<body>\n"
    "<p>This mail was sent by <code>qlmctl mail test</code>. That it is here shows that the "
    "license server can send mail with the settings it has now.</p>\n</body>\n</html>\n";

static qlm_error_t *read_properties(qlm_properties_t **properties, qlm_tool_t *tool)
{
    apr_array_header_t *values;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_properties(&values, store, tool->pool));
    *properties = qlm_properties_create(tool->pool);
    for (int i = 0; i < values->nelts; i++) {
        const qlm_property_value_t *value = &APR_ARRAY_IDX(values, i, qlm_property_value_t);

        qlm_properties_put(*properties, value->name, value->value);
    }
    return NULL;
}

static qlm_error_t *read_settings(qlm_smtp_settings_t *settings, qlm_tool_t *tool,
                                  const qlm_properties_t *properties)
{
    const char *ca_file = qlm_tool_option(tool, "ca-file");
    const qlm_secrets_t *secrets;

    QLM_TRY(qlm_tool_secrets(&secrets, tool));
    QLM_TRY(qlm_outbox_smtp_settings(settings, properties, secrets, tool->pool));
    settings->ca_file = ca_file ? ca_file : "";
    return *settings->server
               ? NULL
               : qlm_tool_failure(tool, "no mail server is set; run qlmctl property set smtpServer "
                                        "HOST");
}

static qlm_error_t *make_mail(qlm_mail_t *mail, qlm_tool_t *tool,
                              const qlm_properties_t *properties)
{
    const char *domain;

    mail->from = qlm_properties_text(properties, QLM_PROPERTY_SMTP_FROM);
    mail->from_name = qlm_properties_text(properties, QLM_PROPERTY_SMTP_FROM_NAME);
    if (!*mail->from) {
        return qlm_tool_failure(tool, "no sender is set; run qlmctl property set smtpFrom ADDRESS");
    }
    if (!qlm_mail_is_address(mail->from)) {
        return qlm_tool_failure(tool, "the property smtpFrom holds no bare address such as "
                                      "shop@publisher.example");
    }
    domain = strrchr(mail->from, '@') + 1;
    mail->to = qlm_tool_word(tool, 0);
    mail->cc = mail->bcc = apr_array_make(tool->pool, 0, sizeof(const char *));
    mail->subject = subject;
    mail->text = text;
    mail->html = html;
    mail->message_id = apr_psprintf(tool->pool, "<qlm.test.%" APR_INT64_T_FMT "@%s>",
                                    qlm_store_new_id(tool->store), domain);
    mail->date = tool->now;
    return NULL;
}

static const char *outcome_name(qlm_smtp_outcome_t outcome)
{
    switch (outcome) {
    case QLM_SMTP_SENT:
        return "sent";
    case QLM_SMTP_LATER:
    case QLM_SMTP_AWAY:
        return "later";
    case QLM_SMTP_NEVER:
    default:
        return "never";
    }
}

static void print_result(qlm_tool_t *tool, const qlm_smtp_settings_t *settings,
                         const qlm_mail_t *mail, qlm_smtp_outcome_t outcome, const char *reason)
{
    static const char *const encryption[] = {"none", "STARTTLS", "TLS"};
    json_t *record = qlm_output_object(tool->pool);

    qlm_output_put(record, "server", settings->server);
    if (settings->port) { /* else the one that belongs to the encryption */
        qlm_output_put_int(record, "port", settings->port);
    }
    qlm_output_put(record, "encryption", encryption[settings->tls]);
    qlm_output_put(record, "user", settings->user);
    qlm_output_put(record, "from", mail->from);
    qlm_output_put(record, "to", mail->to);
    qlm_output_put(record, "message_id", mail->message_id);
    qlm_output_put(record, "outcome", outcome_name(outcome));
    qlm_output_put(record, "answer", reason);
    qlm_output_record(tool, record);
}

qlm_error_t *qlm_command_warn_of_clear_login(qlm_tool_t *tool)
{
    const char *server;

    QLM_TRY(qlm_outbox_find_clear_login(&server, tool->store, tool->pool));
    if (server) {
        qlm_output_warn(tool,
                        "the login goes to %s unencrypted, where others can read it; run qlmctl "
                        "property set smtpEnableSSL true, or clear smtpUser",
                        server);
    }
    return NULL;
}

qlm_error_t *qlm_command_mail_test(qlm_tool_t *tool)
{
    const char *address = qlm_tool_word(tool, 0);
    qlm_smtp_settings_t settings = {0};
    qlm_properties_t *properties;
    qlm_smtp_outcome_t outcome;
    qlm_mail_t mail = {0};
    const char *reason = "";

    if (!qlm_mail_is_address(address)) {
        return qlm_tool_usage(tool, "%s is not a bare address such as me@publisher.example",
                              qlm_text_for_log(address, 100, tool->pool));
    }
    QLM_TRY(read_properties(&properties, tool));
    QLM_TRY(read_settings(&settings, tool, properties));
    QLM_TRY(make_mail(&mail, tool, properties));
    QLM_TRY(qlm_command_warn_of_clear_login(tool));
    qlm_tool_close(tool); /* a mail server may take its time */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return qlm_tool_failure(tool, "libcurl does not start; check the installation");
    }
    outcome = qlm_smtp_send(&reason, &mail, &settings, tool->pool);
    curl_global_cleanup();
    print_result(tool, &settings, &mail, outcome, reason);
    return outcome == QLM_SMTP_SENT
               ? NULL
               : qlm_tool_failure(tool, "the mail to %s was not sent: %s", address, reason);
}
