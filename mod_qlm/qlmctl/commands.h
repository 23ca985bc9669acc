/* The command table: what can be said, with which arguments and options, and who does it. Dispatch,
 * help and the check of the command line are all driven by it. */
#ifndef QLM_QLMCTL_COMMANDS_H
#define QLM_QLMCTL_COMMANDS_H

#include "qlmctl/tool.h"

/** An option of a command (or of all commands). */
typedef struct qlm_command_option_t {
    const char *name;  /**< without dashes; NULL ends a list */
    const char *value; /**< what it takes, in capitals; NULL for a flag */
    int is_required;
    const char *help;
} qlm_command_option_t;

typedef struct qlm_command_t {
    const char *noun;  /**< NULL ends the table */
    const char *verb;  /**< of one word or more; NULL for a command of one word */
    const char *words; /**< the further words, for help; "" if none */
    int min_words, max_words;
    const qlm_command_option_t *options; /**< NULL if none */
    const char *help;                    /**< one line */
    const char *details;                 /**< further lines, or NULL */
    qlm_error_t *(*run)(qlm_tool_t *tool);
} qlm_command_t;

#define QLM_WORDS_MAX 1000

extern const qlm_command_t qlm_commands[];

/** The options every command takes. */
extern const qlm_command_option_t qlm_common_options[];

/** The row of these words. @return NULL if there is none; *used is how many words name it */
const qlm_command_t *qlm_command_find(int *used, const apr_array_header_t *words);

/** Is there any command with this first word? */
int qlm_command_is_noun(const char *noun);

/** "key show"; in @a pool. */
const char *qlm_command_name(const qlm_command_t *command, apr_pool_t *pool);

/* One function per row, in the file of its noun. */
qlm_error_t *qlm_command_init(qlm_tool_t *tool);
qlm_error_t *qlm_command_db_upgrade(qlm_tool_t *tool);
qlm_error_t *qlm_command_db_check(qlm_tool_t *tool);
qlm_error_t *qlm_command_db_backup(qlm_tool_t *tool);
qlm_error_t *qlm_command_db_copy(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_add(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_keys(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_property_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_property_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_product_property_remove(qlm_tool_t *tool);
qlm_error_t *qlm_command_vendor_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_vendor_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_vendor_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_property_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_property_get(qlm_tool_t *tool);
qlm_error_t *qlm_command_property_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_create(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_history(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_delete(qlm_tool_t *tool);
qlm_error_t *qlm_command_import(qlm_tool_t *tool);
qlm_error_t *qlm_command_export(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_revoke(qlm_tool_t *tool);
qlm_error_t *qlm_command_key_explain(qlm_tool_t *tool);
qlm_error_t *qlm_command_attempts_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_customer_find(qlm_tool_t *tool);
qlm_error_t *qlm_command_customer_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_organization_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_organization_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_organization_add(qlm_tool_t *tool);
qlm_error_t *qlm_command_organization_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_order_find(qlm_tool_t *tool);
qlm_error_t *qlm_command_order_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_install_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_outbox_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_outbox_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_outbox_retry(qlm_tool_t *tool);
qlm_error_t *qlm_command_outbox_cancel(qlm_tool_t *tool);
qlm_error_t *qlm_command_template_list(qlm_tool_t *tool);
qlm_error_t *qlm_command_template_show(qlm_tool_t *tool);
qlm_error_t *qlm_command_template_set(qlm_tool_t *tool);
qlm_error_t *qlm_command_template_remove(qlm_tool_t *tool);
qlm_error_t *qlm_command_template_preview(qlm_tool_t *tool);
qlm_error_t *qlm_command_mail_test(qlm_tool_t *tool);

/** Warn if the mail server would be given user and password unencrypted; the store is open. */
qlm_error_t *qlm_command_warn_of_clear_login(qlm_tool_t *tool);

qlm_error_t *qlm_command_verify(qlm_tool_t *tool);
qlm_error_t *qlm_command_version(qlm_tool_t *tool);

#endif
