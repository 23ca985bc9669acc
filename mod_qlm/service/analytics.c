/* The Analytics methods: installations report on themselves.
 *
 * Anybody may call: the id is random, so nobody reports for somebody else; how many are added on a
 * day is limited; a report that changes nothing writes nothing; and those that fell silent long ago
 * make room for new ones. */
#include "base/date.h"
#include "license/keygen.h"
#include "service/operations.h"
#include "service/reply.h"
#include "store/installs.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uuid.h>
#include <string.h>

#define FORGET_AT_ONCE 10 /* old ones, for each new one */

/* A report in progress. */
typedef struct report_t {
    qlm_call_t *call;
    qlm_install_t install;
    int is_described; /* it says something new of itself */
    int is_access;    /* and was not heard of today */
} report_t;

/* ---- what a report says -----------------------------------------------------------------------
 */

/* Omitted or equal: as it was. */
static void take_text(const char **text, report_t *report, qlm_argument_t argument)
{
    const char *given = qlm_arguments_text(report->call->arguments, argument);

    if (*given && strcmp(given, *text) != 0) {
        *text = given;
        report->is_described = 1;
    }
}

static void take_number(int *number, report_t *report, qlm_argument_t argument)
{
    int given = (int)qlm_arguments_number(report->call->arguments, argument, *number);

    if (given != *number) {
        *number = given;
        report->is_described = 1;
    }
}

/* A key in its normal form; one that cannot be a key is left out. */
static void take_key(const char **text, report_t *report, qlm_argument_t argument)
{
    qlm_call_t *call = report->call;
    const char *given = qlm_arguments_text(call->arguments, argument);
    const char *normal = "";

    if (*given) {
        qlm_keygen_read(&normal, given, call->secrets, call->pool);
        if (!*normal) {
            qlm_call_note(call, apr_pstrcat(call->pool, qlm_argument_name(argument, call->pool),
                                            " is no key and was not stored", NULL));
        }
    }
    if (*normal && strcmp(normal, *text) != 0) {
        *text = normal;
        report->is_described = 1;
    }
}

static void take_description(report_t *report)
{
    qlm_install_t *install = &report->install;
    const qlm_call_t *call = report->call;

    take_key(&install->activation_key, report, QLM_ARGUMENT_KEY);
    take_key(&install->computer_key, report, QLM_ARGUMENT_COMPUTER_KEY);
    take_text(&install->computer_id, report, QLM_ARGUMENT_INSTALL_COMPUTER);
    take_text(&install->computer_name, report, QLM_ARGUMENT_COMPUTER_NAME);
    take_text(&install->product_name, report, QLM_ARGUMENT_PRODUCT_NAME);
    take_number(&install->major, report, QLM_ARGUMENT_MAJOR);
    take_number(&install->minor, report, QLM_ARGUMENT_MINOR);
    take_text(&install->software_version, report, QLM_ARGUMENT_SOFTWARE_VERSION);
    take_text(&install->os_version, report, QLM_ARGUMENT_OS_VERSION);
    take_number(&install->is_trial, report, QLM_ARGUMENT_TRIAL);
    take_text(&install->custom_data[0], report, QLM_ARGUMENT_CUSTOM_DATA1);
    take_text(&install->custom_data[1], report, QLM_ARGUMENT_CUSTOM_DATA2);
    take_text(&install->custom_data[2], report, QLM_ARGUMENT_CUSTOM_DATA3);
    if (!install->activated_at && *install->computer_key) {
        install->activated_at = call->now;
    }
    if (report->is_described &&
        qlm_properties_bool(call->properties, QLM_PROPERTY_CAPTURE_IP_ADDRESS)) {
        install->address = call->input->client_ip;
    }
}

/* ---- adding -----------------------------------------------------------------------------------
 */

/* Random by our own generator: the id is all that an installation shows to prove itself. */
static qlm_error_t *make_id(const char **id, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, APR_UUID_FORMATTED_LENGTH + 1);
    apr_uuid_t uuid;

    QLM_TRY(qlm_random(uuid.data, sizeof(uuid.data), pool));
    uuid.data[6] = (unsigned char)((uuid.data[6] & 0x0f) | 0x40); /* RFC 4122: version 4 */
    uuid.data[8] = (unsigned char)((uuid.data[8] & 0x3f) | 0x80);
    apr_uuid_format(text, &uuid);
    *id = text;
    return NULL;
}

static qlm_error_t *check_limit(const report_t *report, qlm_property_t property,
                                const char *address, qlm_store_t *store, apr_pool_t *pool)
{
    const qlm_call_t *call = report->call;
    apr_int64_t limit = qlm_properties_int(call->properties, property);
    apr_int64_t count;

    if (limit < 0) {
        return NULL;
    }
    QLM_TRY(qlm_store_count_installs(&count, store, call->now - call->now % QLM_DATE_DAY, address,
                                     pool));
    return count < limit ? NULL
                         : qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_BLOCKED,
                                          "the server's limit %s is reached: try again tomorrow",
                                          qlm_property_row(property)->name);
}

static qlm_error_t *add(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const report_t *report = baton;
    const qlm_call_t *call = report->call;
    apr_int64_t days = qlm_properties_int(call->properties, QLM_PROPERTY_INSTALL_DAYS);
    int removed;

    QLM_TRY(check_limit(report, QLM_PROPERTY_INSTALLS_PER_DAY, "", store, pool));
    if (*report->install.address) {
        QLM_TRY(check_limit(report, QLM_PROPERTY_INSTALLS_PER_ADDRESS, report->install.address,
                            store, pool));
    }
    if (days >= 0) {
        QLM_TRY(qlm_store_purge_installs(&removed, store, call->now - days * QLM_DATE_DAY,
                                         FORGET_AT_ONCE, pool));
    }
    return qlm_store_add_install(store, &report->install, pool);
}

qlm_error_t *qlm_operation_add_install(qlm_reply_t *reply, qlm_call_t *call)
{
    static const qlm_install_t unknown = {.activation_key = "",
                                          .computer_key = "",
                                          .computer_id = "",
                                          .computer_name = "",
                                          .product_name = "",
                                          .software_version = "",
                                          .os_version = "",
                                          .address = "",
                                          .custom_data = {"", "", ""},
                                          .days_used = 1};
    report_t report = {.call = call, .install = unknown, .is_described = 1};
    qlm_install_t *install = &report.install;

    QLM_TRY(make_id(&install->install_id, call->pool));
    take_description(&report);
    install->installed_at = install->last_accessed_at = call->now;
    QLM_TRY(qlm_store_write(call->store, add, &report, call->pool));
    qlm_reply_result(reply, "The installation was added.", "installID", install->install_id,
                     call->pool);
    qlm_reply_note(reply, "added", qlm_keygen_for_log(install->install_id, call->pool));
    return NULL;
}

/* ---- what is there ----------------------------------------------------------------------------
 */

/* The id as it is stored: without braces, in lower case. */
static qlm_error_t *read_id(const char **id, const qlm_call_t *call)
{
    const char *given = qlm_arguments_text(call->arguments, QLM_ARGUMENT_INSTALL_ID);
    apr_size_t length = strlen(given);
    char *text = given[0] == '{' && given[length - 1] == '}'
                     ? apr_pstrmemdup(call->pool, given + 1, length - 2)
                     : apr_pstrdup(call->pool, given);
    apr_uuid_t uuid;

    for (char *at = text; *at; at++) {
        *at = (char)apr_tolower(*at);
    }
    *id = text;
    return apr_uuid_parse(&uuid, text) == APR_SUCCESS
               ? NULL
               : qlm_error_make(call->pool, QLM_ERROR_ARGUMENT, QLM_CODE_INVALID_FORMAT,
                                "is_installid is not usable: the id that AnalyticsAddInstallHttp "
                                "answered is expected");
}

static qlm_error_t *find(report_t *report, qlm_store_t *store, apr_pool_t *pool)
{
    const char *id;
    qlm_install_t *install;

    QLM_TRY(read_id(&id, report->call));
    QLM_TRY(qlm_store_find_install(&install, store, id, pool));
    if (!install) {
        return qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_LICENSE_ERROR,
                              "this installation is not known here: register it with "
                              "AnalyticsAddInstallHttp");
    }
    report->install = *install;
    return NULL;
}

static void look(report_t *report)
{
    const qlm_install_t *install = &report->install;
    apr_int64_t now = report->call->now;

    report->is_access =
        install->last_accessed_at < now - now % QLM_DATE_DAY || install->uninstalled_at != 0;
}

/* Read again: somebody else may have changed the rest. */
static qlm_error_t *update(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    report_t *report = baton;

    QLM_TRY(find(report, store, report->call->pool));
    take_description(report);
    QLM_TRY(qlm_store_describe_install(store, &report->install, pool));
    return qlm_store_access_install(store, report->install.install_id, report->call->now, pool);
}

static qlm_error_t *use_today(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const report_t *report = baton;

    return qlm_store_access_install(store, report->install.install_id, report->call->now, pool);
}

static qlm_error_t *remove_it(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const report_t *report = baton;

    return qlm_store_remove_install(store, report->install.install_id, report->call->now, pool);
}

static void answer(qlm_reply_t *reply, const report_t *report, const char *result,
                   const char *outcome)
{
    qlm_reply_result(reply, result, NULL, NULL, report->call->pool);
    qlm_reply_note(reply, outcome,
                   qlm_keygen_for_log(report->install.install_id, report->call->pool));
}

qlm_error_t *qlm_operation_update_install(qlm_reply_t *reply, qlm_call_t *call)
{
    report_t report = {.call = call};

    QLM_TRY(find(&report, call->store, call->pool));
    look(&report);
    take_description(&report);
    if (report.is_described || report.is_access) {
        QLM_TRY(qlm_store_write(call->store, update, &report, call->pool));
    }
    answer(reply, &report, "The installation was updated.", "updated");
    return NULL;
}

qlm_error_t *qlm_operation_access_install(qlm_reply_t *reply, qlm_call_t *call)
{
    report_t report = {.call = call};

    QLM_TRY(find(&report, call->store, call->pool));
    look(&report);
    if (report.is_access) {
        QLM_TRY(qlm_store_write(call->store, use_today, &report, call->pool));
    }
    answer(reply, &report, "The last accessed date was updated.", "accessed");
    return NULL;
}

qlm_error_t *qlm_operation_remove_install(qlm_reply_t *reply, qlm_call_t *call)
{
    report_t report = {.call = call};

    QLM_TRY(find(&report, call->store, call->pool));
    if (!report.install.uninstalled_at) {
        QLM_TRY(qlm_store_write(call->store, remove_it, &report, call->pool));
    }
    answer(reply, &report, "The installation was removed.", "removed");
    return NULL;
}
