/* The command table. A new command is one row here and one function. */
#include "qlmctl/commands.h"

#include <apr_strings.h>
#include <string.h>

#define END_OF_OPTIONS                                                                             \
    {                                                                                              \
        NULL, NULL, 0, NULL                                                                        \
    }

const qlm_command_option_t qlm_common_options[] = {
    {"database", "DB", 0, "a path (SQLite), or sqlite3:PATH, pgsql:PARAMS, mysql:PARAMS"},
    {"secret", "FILE", 0, "the site's secret file"},
    {"httpd", "COMMAND", 0, "take both from httpd's configuration; COMMAND is apachectl, say"},
    {"site", "NAME", 0, "with --httpd: the ServerName, where several sites are configured"},
    {"json", NULL, 0, "print JSON for scripts instead of tables"},
    {"help", NULL, 0, "say what can be said, or what a command takes"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t init_options[] = {
    {"user", "NAME", 0, "the user httpd's processes run as; gets the database files and folder"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t product_add_options[] = {
    {"id", "NUMBER", 1, "product id"},
    {"version", "MAJOR.MINOR", 1, "product version"},
    {"name", "TEXT", 1, "product name, shown in license documents"},
    {"algorithm", "NAME", 0, "rsa-sha256 (default), or rsa-sha1 for old clients"},
    {"bits", "NUMBER", 0, "length of the RSA key, 1024 to 8192; default 2048"},
    {"released", "yyyy-MM-dd", 0, "release day; decides which maintenance plans cover it"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t product_options[] = {
    {"id", "NUMBER", 1, "product id"},
    {"version", "MAJOR.MINOR", 1, "product version"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t product_keys_options[] = {
    {"id", "NUMBER", 1, "product id"},
    {"version", "MAJOR.MINOR", 1, "product version"},
    {"format", "pem|xml", 0, "pem (default), or xml for <RSAKeyValue>"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t property_list_options[] = {
    {"all", NULL, 0, "known properties that are not set, too"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_create_options[] = {
    {"product", "NUMBER", 1, "product id"},
    {"version", "MAJOR.MINOR", 1, "product version"},
    {"quantity", "NUMBER", 0, "units; default 1"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_list_options[] = {
    {"vendor", "NAME", 0, "only keys of this vendor's orders; registration: trials"},
    {"order", "NUMBER", 0, "only keys of this order"},
    {"line", "NUMBER", 0, "only keys of this line of the order"},
    {"customer", "ID", 0, "only keys of this customer (see customer find)"},
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_revoke_options[] = {
    {"undo", NULL, 0, "let the key work again"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_explain_options[] = {
    {"computer", "ID", 0, "the computer that asks (is_pcid)"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_history_options[] = {
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t key_delete_options[] = {
    {"force", NULL, 0, "even if computers are active"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t import_options[] = {
    {"kind", "KIND", 0, "products, customers, licenses, activations; default: by the columns"},
    {"vendor", "NAME", 0, "the shop of licenses whose row names none"},
    {"date-format", "PATTERN", 0, "of dates, such as M/d/yyyy; yyyy-MM-dd is always read, too"},
    {"dry-run", NULL, 0, "say what would be done, and do nothing"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t attempts_list_options[] = {
    {"key", "KEY", 0, "only those of this key"},
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t customer_find_options[] = {
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t organization_list_options[] = {
    {"limit", "NUMBER", 0, "at most so many, by name; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t install_list_options[] = {
    {"limit", "NUMBER", 0, "at most so many, the last used first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t order_find_options[] = {
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t outbox_list_options[] = {
    {"state", "STATE", 0, "only waiting, sent, failed or cancelled ones"},
    {"limit", "NUMBER", 0, "at most so many, newest first; default 50"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t template_options[] = {
    {"language", "CODE", 0, "en, de ...; default: the one for customers of no known language"},
    {"format", "html|text", 0, "only this part, as it is"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t template_set_options[] = {
    {"language", "CODE", 0, "en, de ...; default: for any language"},
    {"subject", "TEXT", 1, "the subject, with variables"},
    {"html", "FILE", 1, "the HTML; - reads standard input"},
    {"text", "FILE", 0, "the plain text; default: made from the HTML"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t template_remove_options[] = {
    {"language", "CODE", 0, "en, de ...; default: the one for any language"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t mail_test_options[] = {
    {"ca-file", "FILE", 0, "certificate authorities, as QlmOutboundCAFile names to the server"},
    END_OF_OPTIONS,
};

static const qlm_command_option_t verify_options[] = {
    {"key", "FILE", 0, "public key, PEM or <RSAKeyValue>; default: the product the document names"},
    END_OF_OPTIONS,
};

static const char attempts_list_details[] =
    "One line for each license, computer and reason; counts are written once an hour. Code 202: a\n"
    "computer key that is genuine, but not the stored one of that computer.";
#define PRODUCT_FIELDS                                                                             \
    "Fields: features='0:1:STD;0:2:PRO' (names of the features, set:id:name;...),\n"               \
    "latest-version=TEXT, latest-url=URL, latest-notes=TEXT (what GetLatestVersionHttp tells)"

static const char product_fields[] = PRODUCT_FIELDS ".";
static const char product_set_details[] = PRODUCT_FIELDS
    ",\n"
    "name=TEXT, released=yyyy-MM-dd. An empty value removes what is stored. The keys "
    "stay.";

static const char vendor_set_details[] =
    "Fields: enabled=true|false, user=TEXT, password=-, url=URL, api_key=-, shared_key=-,\n"
    "open=true|false (true: no credentials are asked for), callback_user=TEXT,\n"
    "callback_password=- (a pair of its own for the URL that the shop calls; without it user\n"
    "and password serve there, too).\n"
    "A secret is never an argument: password=- reads it from standard input, one line for each\n"
    "secret in the order named; a terminal is asked without echo. An empty value, password=,\n"
    "removes what is stored.";

static const char product_property_set_details[] =
    "Fields: type=int|bool|string|ipAddress|ipSubnet|csv, default=VALUE, help=TEXT. A property "
    "that\n"
    "is there already keeps what is not given. Licenses that have no value of their own show the\n"
    "default.";

static const char organization_fields[] =
    "Fields: domains=example.com,%.example.com (customers with such an address are linked to it\n"
    "when the server is told of them; % stands for any characters), may-users-acquire=true|false\n"
    "(its users may acquire its licenses), notes=TEXT; with set also name=TEXT.";

static const char property_set_details[] = "An empty VALUE forgets the stored one, so that the "
                                           "default holds again. The value of a secret\n"
                                           "property is given as - and read from standard input.";

static const char key_create_details[] =
    "name=value: an is_... argument of GetActivationKey (is_expdate=2027-12-31, is_features=0:3),\n"
    "or order and customer: orderNumber, line, subscriptionid, email, name, company, addr1, "
    "addr2,\n"
    "city, state, zip, country, phone, CustomerNotes.\n"
    "An orderNumber that is known already gives its first answer again.";

static const char outbox_retry_details[] =
    "For what waits, has failed or was cancelled. The tries so far still count. What was sent is\n"
    "not sent again.";

static const char template_set_details[] =
    "Variables such as %ActivationKey% or %FullName% are filled in; the part between two\n"
    "%ItemTemplate% marks is repeated for each key. A stored template replaces the built-in ones\n"
    "of its name, in all languages.";

static const char key_set_details[] =
    "Fields: NumLicenses, FloatingSeats, Features, SubscriptionExpiryDate, SubscriptionDuration,\n"
    "MaintenanceRenewalDate, ComputerType, GenericLicense, ReceiptID, OrderStatus, UserData1,\n"
    "Comment, LegacyKey, AffiliateID, BundleID, AllowedComputers and DeniedComputers (ids "
    "separated\n"
    "by ||), MaxReleaseCount, MaxReleasePeriodInDays. An empty value forgets a text or a date.\n"
    "Computers keep their seats, and see the change when they activate again.";

static const char import_details[] =
    "FILE: CSV with a heading line or the XML of a data set, UTF-8, columns named as QLM names "
    "its\n"
    "fields; - reads standard input. Each file is one transaction. Give products and customers\n"
    "before licenses, and licenses before activations. What is there already is left alone; rows\n"
    "that cannot be used are listed with the reason, and exit code 1.";

static const char export_details[] =
    "CSV for qlmctl import, on standard output. Keys are in it in clear.";

const qlm_command_t qlm_commands[] = {
    {"init", NULL, "", 0, 0, init_options, "Make secret and database, check the rights", NULL,
     qlm_command_init},
    {"db", "upgrade", "", 0, 0, NULL, "Bring the tables to this program's schema version", NULL,
     qlm_command_db_upgrade},
    {"db", "check", "", 0, 0, NULL, "Check the database; exit code 1 if something is wrong", NULL,
     qlm_command_db_check},
    {"db", "backup", "FILE", 1, 1, NULL, "Copy an SQLite database to a new file, while it is used",
     "The secret file is not in it: without it the copy is of no use. Keep both, in two places.",
     qlm_command_db_backup},
    {"db", "copy", "FROM TO", 2, 2, NULL, "Move a site to another database, of any engine",
     "FROM and TO are written as for --database. Stop httpd before: what changes afterwards is not "
     "in\nthe copy. TO gets its tables if it has none, and must be empty. The copy is compared row "
     "by "
     "row.\nThe secret file stays the same. - reads FROM or TO from standard input, a line each, "
     "so "
     "that\nno password is on the command line.",
     qlm_command_db_copy},
    {"product", "add", "[field=value ...]", 0, QLM_WORDS_MAX, product_add_options,
     "Define a product version and make its keys", product_fields, qlm_command_product_add},
    {"product", "set", "FIELD=VALUE ...", 1, QLM_WORDS_MAX, product_options,
     "Change a product version", product_set_details, qlm_command_product_set},
    {"product", "list", "", 0, 0, NULL, "List the product versions", NULL,
     qlm_command_product_list},
    {"product", "show", "", 0, 0, product_options, "Show a product version", NULL,
     qlm_command_product_show},
    {"product", "keys", "", 0, 0, product_keys_options, "Print a product version's public key",
     NULL, qlm_command_product_keys},
    {"product", "property list", "PRODUCT.MAJOR.MINOR", 1, 1, NULL,
     "List the product properties of a version", NULL, qlm_command_product_property_list},
    {"product", "property set", "PRODUCT.MAJOR.MINOR CATEGORY.NAME field=value ...", 3,
     QLM_WORDS_MAX, NULL, "Define a product property", product_property_set_details,
     qlm_command_product_property_set},
    {"product", "property remove", "PRODUCT.MAJOR.MINOR CATEGORY.NAME", 2, 2, NULL,
     "Remove the definition of a product property", NULL, qlm_command_product_property_remove},
    {"vendor", "set", "NAME field=value ...", 2, QLM_WORDS_MAX, NULL, "Change a vendor's record",
     vendor_set_details, qlm_command_vendor_set},
    {"vendor", "list", "", 0, 0, NULL, "List the vendors", NULL, qlm_command_vendor_list},
    {"vendor", "show", "NAME", 1, 1, NULL, "Show a vendor's record (never its secrets)", NULL,
     qlm_command_vendor_show},
    {"property", "set", "NAME VALUE", 2, 2, NULL, "Set a server property", property_set_details,
     qlm_command_property_set},
    {"property", "get", "NAME", 1, 1, NULL, "Print the value of a server property", NULL,
     qlm_command_property_get},
    {"property", "list", "", 0, 0, property_list_options, "List the server properties that are set",
     NULL, qlm_command_property_list},
    {"key", "create", "[name=value ...]", 0, QLM_WORDS_MAX, key_create_options,
     "Create activation keys", key_create_details, qlm_command_key_create},
    {"key", "show", "KEY", 1, 1, NULL, "Show all that is stored about a key", NULL,
     qlm_command_key_show},
    {"key", "list", "", 0, 0, key_list_options, "List keys, newest first", NULL,
     qlm_command_key_list},
    {"key", "revoke", "KEY", 1, 1, key_revoke_options, "Refuse a key from now on", NULL,
     qlm_command_key_revoke},
    {"key", "explain", "KEY", 1, 1, key_explain_options,
     "Say what the server would answer to a computer, and why", NULL, qlm_command_key_explain},
    {"key", "set", "KEY Field=value ...", 2, QLM_WORDS_MAX, NULL, "Change fields of a license",
     key_set_details, qlm_command_key_set},
    {"key", "delete", "KEY", 1, 1, key_delete_options, "Delete a license",
     "Its history stays, and its order delivered again makes no new key. Revoking is better: the\n"
     "customer then hears why the key does not work.",
     qlm_command_key_delete},
    {"key", "history", "KEY", 1, 1, key_history_options,
     "Show what happened to a key, newest first", NULL, qlm_command_key_history},
    {"attempts", "list", "", 0, 0, attempts_list_options,
     "List activations that were refused, newest first", attempts_list_details,
     qlm_command_attempts_list},
    {"customer", "find", "TEXT", 1, 1, customer_find_options,
     "Find customers by a part of e-mail, name or company", NULL, qlm_command_customer_find},
    {"customer", "show", "E-MAIL|ID", 1, 1, NULL, "Show a customer with licenses and history", NULL,
     qlm_command_customer_show},
    {"organization", "list", "", 0, 0, organization_list_options, "List the organizations", NULL,
     qlm_command_organization_list},
    {"organization", "show", "NAME|ID", 1, 1, NULL, "Show an organization and its customers", NULL,
     qlm_command_organization_show},
    {"organization", "add", "NAME ...", 1, QLM_WORDS_MAX, NULL, "Add an organization",
     organization_fields, qlm_command_organization_add},
    {"organization", "set", "NAME|ID ...", 2, QLM_WORDS_MAX, NULL, "Change an organization",
     organization_fields, qlm_command_organization_set},
    {"order", "find", "TEXT", 1, 1, order_find_options, "Find orders by a part of their number",
     NULL, qlm_command_order_find},
    {"order", "show", "VENDOR ORDER", 2, 2, NULL, "Show an order, its keys and the stored answers",
     NULL, qlm_command_order_show},
    {"install", "list", "", 0, 0, install_list_options,
     "List the installations that report on themselves, the last used first", NULL,
     qlm_command_install_list},
    {"outbox", "list", "", 0, 0, outbox_list_options, "List mails and webhooks, newest first", NULL,
     qlm_command_outbox_list},
    {"outbox", "show", "ID", 1, 1, NULL, "Show a mail or webhook with its content", NULL,
     qlm_command_outbox_show},
    {"outbox", "retry", "ID", 1, 1, NULL, "Let a mail or webhook be sent now", outbox_retry_details,
     qlm_command_outbox_retry},
    {"outbox", "cancel", "ID", 1, 1, NULL, "Do not send a mail or webhook that waits", NULL,
     qlm_command_outbox_cancel},
    {"template", "list", "", 0, 0, NULL, "List the mail templates, built-in ones too", NULL,
     qlm_command_template_list},
    {"template", "show", "NAME", 1, 1, template_options, "Show a mail template", NULL,
     qlm_command_template_show},
    {"template", "set", "NAME", 1, 1, template_set_options, "Store a mail template",
     template_set_details, qlm_command_template_set},
    {"template", "remove", "NAME", 1, 1, template_remove_options, "Remove a stored mail template",
     NULL, qlm_command_template_remove},
    {"template", "preview", "NAME", 1, 1, template_options,
     "Show a mail template filled in for an invented order", NULL, qlm_command_template_preview},
    {"mail", "test", "ADDRESS", 1, 1, mail_test_options,
     "Send a test mail now and say what the mail server answers", NULL, qlm_command_mail_test},
    {"import", NULL, "FILE ...", 1, QLM_WORDS_MAX, import_options,
     "Import what another license server exported", import_details, qlm_command_import},
    {"export", NULL, "licenses|activations|customers", 1, 1, NULL, "Export rows as CSV",
     export_details, qlm_command_export},
    {"verify", NULL, "FILE", 1, 1, verify_options,
     "Check the signature of a license document; - reads standard input", NULL, qlm_command_verify},
    {"version", NULL, "", 0, 0, NULL, "Print the version of program and schema", NULL,
     qlm_command_version},
    {NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL},
};

/* How many words name `command`, 0 if they name another one. */
static int match(const qlm_command_t *command, const apr_array_header_t *words)
{
    const char *rest = command->verb;
    int count = 1;

    if (words->nelts == 0 || strcmp(command->noun, APR_ARRAY_IDX(words, 0, const char *)) != 0) {
        return 0;
    }
    for (; rest && *rest; rest += *rest == ' ') {
        const char *word = count < words->nelts ? APR_ARRAY_IDX(words, count, const char *) : "";
        apr_size_t length = strcspn(rest, " ");

        if (strlen(word) != length || strncmp(rest, word, length) != 0) {
            return 0;
        }
        rest += length;
        count++;
    }
    return count;
}

const qlm_command_t *qlm_command_find(int *used, const apr_array_header_t *words)
{
    for (const qlm_command_t *command = qlm_commands; command->noun; command++) {
        *used = match(command, words);
        if (*used) {
            return command;
        }
    }
    return NULL;
}

int qlm_command_is_noun(const char *noun)
{
    for (const qlm_command_t *command = qlm_commands; command->noun; command++) {
        if (strcmp(command->noun, noun) == 0) {
            return 1;
        }
    }
    return 0;
}

const char *qlm_command_name(const qlm_command_t *command, apr_pool_t *pool)
{
    return command->verb ? apr_pstrcat(pool, command->noun, " ", command->verb, NULL)
                         : command->noun;
}
