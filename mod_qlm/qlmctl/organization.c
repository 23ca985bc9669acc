/* organization: list, add, set, show. */
#include "qlmctl/commands.h"
#include "qlmctl/pairs.h"
#include "qlmctl/records.h"

#include "base/text.h"
#include "store/organizations.h"

#include <string.h>

#define LIMIT          50
#define LIMIT_MAX      100000
#define SHOWN_MAX      1000 /* customers */
#define NAME_MAX_BYTES 255
#define TEXT_MAX_BYTES 1000

enum { NAME, DOMAINS, ACQUIRE, NOTES, FIELD_COUNT };

static const qlm_pair_t fields[] = {
    [NAME] = {"name", NAME_MAX_BYTES, 0},
    [DOMAINS] = {"domains", TEXT_MAX_BYTES, 0},
    [ACQUIRE] = {"may-users-acquire", NAME_MAX_BYTES, 0},
    [NOTES] = {"notes", TEXT_MAX_BYTES, 1},
    [FIELD_COUNT] = {NULL, 0, 0},
};

/* A change under way. */
typedef struct change_t {
    qlm_tool_t *tool;
    const char *values[FIELD_COUNT];
    qlm_organization_t organization;
    int added;
} change_t;

/* ---- reading ----------------------------------------------------------------------------------
 */

/* By id or by name: names that are numbers are found by their ids only. */
static qlm_error_t *find_named(qlm_organization_t *organization, qlm_tool_t *tool,
                               qlm_store_t *store)
{
    const char *word = qlm_tool_word(tool, 0);
    const qlm_organization_t *found;
    apr_int64_t id;

    if (qlm_text_to_int64(&id, word, 1, APR_INT64_MAX)) {
        QLM_TRY(qlm_store_find_organization(&found, store, id, tool->pool));
    }
    else {
        QLM_TRY(qlm_store_find_organization_named(&found, store, word, tool->pool));
    }
    if (!found) {
        return qlm_tool_failure(tool, "there is no organization %s; see qlmctl organization list",
                                qlm_text_for_log(word, 60, tool->pool));
    }
    *organization = *found;
    return NULL;
}

static qlm_error_t *check_name(qlm_tool_t *tool, const char *name)
{
    return qlm_text_is_utf8(name) && !qlm_text_has_control(name) &&
                   *qlm_text_trim(name, tool->pool) && strlen(name) <= NAME_MAX_BYTES
               ? NULL
               : qlm_tool_usage(tool,
                                "the name of an organization is a UTF-8 text of 1 to %d bytes "
                                "without control characters",
                                NAME_MAX_BYTES);
}

/* A pattern of nothing but % would make everybody a user. */
static qlm_error_t *check_domains(qlm_tool_t *tool, const char *domains)
{
    apr_array_header_t *patterns = qlm_text_split(domains, ",", tool->pool);

    for (int i = 0; i < patterns->nelts; i++) {
        const char *pattern = APR_ARRAY_IDX(patterns, i, const char *);

        if (!pattern[strspn(pattern, "%@.")] || strpbrk(pattern, " ;")) {
            return qlm_tool_usage(tool,
                                  "domains are patterns separated by commas, such as "
                                  "example.com,%%.example.com; not \"%s\"",
                                  qlm_text_for_log(pattern, 60, tool->pool));
        }
    }
    return NULL;
}

static qlm_error_t *apply_fields(change_t *change)
{
    qlm_organization_t *organization = &change->organization;
    qlm_tool_t *tool = change->tool;
    const char *const *values = change->values;

    if (values[NAME]) {
        QLM_TRY(check_name(tool, values[NAME]));
        organization->name = qlm_text_trim(values[NAME], tool->pool);
    }
    if (values[DOMAINS]) {
        QLM_TRY(check_domains(tool, values[DOMAINS]));
        organization->domains = values[DOMAINS];
    }
    if (values[ACQUIRE] && !qlm_text_to_bool(&organization->may_users_acquire, values[ACQUIRE])) {
        return qlm_tool_usage(tool, "may-users-acquire takes true or false");
    }
    organization->notes = values[NOTES] ? values[NOTES] : organization->notes;
    return NULL;
}

/* ---- add, set ---------------------------------------------------------------------------------
 */

static qlm_error_t *add(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    change_t *change = baton;

    return qlm_store_add_organization(&change->added, store, &change->organization, pool);
}

static void show_changed(const change_t *change, const char *what)
{
    if (change->tool->is_json) {
        qlm_output_record(change->tool,
                          qlm_record_organization(&change->organization, change->tool->pool));
    }
    qlm_output_say(change->tool, "%s organization %s.", what, change->organization.name);
}

qlm_error_t *qlm_command_organization_add(qlm_tool_t *tool)
{
    change_t change = {
        .tool = tool,
        .organization = {.name = "", .notes = "", .domains = "", .created_at = tool->now}};
    qlm_store_t *store;

    QLM_TRY(qlm_pairs_read(change.values, tool, 1, fields));
    if (change.values[NAME]) {
        return qlm_tool_usage(tool, "the name of a new organization is the first word");
    }
    change.values[NAME] = qlm_tool_word(tool, 0);
    QLM_TRY(apply_fields(&change));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_write(store, add, &change, tool->pool));
    if (!change.added) {
        return qlm_tool_failure(tool,
                                "organization %s is there already and was not changed; see qlmctl "
                                "organization set",
                                change.organization.name);
    }
    show_changed(&change, "Added");
    return NULL;
}

/* Read inside the unit: two operators who change different fields both succeed. */
static qlm_error_t *set(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    change_t *change = baton;
    const qlm_organization_t *other;

    QLM_TRY(find_named(&change->organization, change->tool, store));
    QLM_TRY(apply_fields(change));
    QLM_TRY(qlm_store_find_organization_named(&other, store, change->organization.name, pool));
    if (other && other->id != change->organization.id) {
        return qlm_tool_failure(change->tool, "another organization is called %s",
                                change->organization.name);
    }
    return qlm_store_set_organization(store, &change->organization, pool);
}

qlm_error_t *qlm_command_organization_set(qlm_tool_t *tool)
{
    change_t change = {.tool = tool};
    qlm_store_t *store;

    QLM_TRY(qlm_pairs_read(change.values, tool, 1, fields));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_write(store, set, &change, tool->pool));
    show_changed(&change, "Changed");
    return NULL;
}

/* ---- list, show -------------------------------------------------------------------------------
 */

qlm_error_t *qlm_command_organization_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"id", "ID"},           {"name", "NAME"},
        {"domains", "DOMAINS"}, {"may_users_acquire", "USERS MAY ACQUIRE"},
        {NULL, NULL},
    };
    apr_int64_t limit = LIMIT;
    apr_array_header_t *organizations;
    qlm_store_t *store;
    json_t *rows;

    QLM_TRY(qlm_tool_option_int(&limit, tool, "limit", 1, LIMIT_MAX));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_organizations(&organizations, store, (int)limit, tool->pool));
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < organizations->nelts; i++) {
        qlm_output_append(
            rows, qlm_record_organization(&APR_ARRAY_IDX(organizations, i, qlm_organization_t),
                                          tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

qlm_error_t *qlm_command_organization_show(qlm_tool_t *tool)
{
    qlm_organization_t organization;
    json_t *record, *list = qlm_output_array(tool->pool);
    apr_array_header_t *customers;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(find_named(&organization, tool, store));
    QLM_TRY(qlm_store_list_members(&customers, store, organization.id, SHOWN_MAX, tool->pool));
    record = qlm_record_organization(&organization, tool->pool);
    for (int i = 0; i < customers->nelts; i++) {
        qlm_output_append(
            list, qlm_record_customer(&APR_ARRAY_IDX(customers, i, qlm_customer_t), tool->pool));
    }
    qlm_output_put_value(record, "customers", list);
    qlm_output_record(tool, record);
    return NULL;
}
