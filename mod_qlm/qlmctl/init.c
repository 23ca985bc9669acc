/* init: make what is missing, check the rights. May be run again at any time. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/rights.h"
#include "service/ownership.h"

#include <apr_strings.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct init_t {
    qlm_tool_t *tool;
    const char *user; /* NULL = not said */
    int made_secret, made_database;
    int had_version; /* schema version found */
    apr_array_header_t *problems;
} init_t;

/* A new secret would open nothing that an older one has sealed: then the old one must come back. */
static qlm_error_t *check_not_orphaned(init_t *init)
{
    qlm_tool_t *tool = init->tool;
    apr_array_header_t *products;
    apr_int64_t licenses;
    qlm_store_t *store;
    int version;

    QLM_TRY(qlm_tool_open(&store, tool, 1));
    QLM_TRY(qlm_store_schema_version(&version, store, tool->pool));
    if (version != QLM_SCHEMA_VERSION) {
        return NULL;
    }
    QLM_TRY(qlm_store_list_products(&products, store, tool->pool));
    QLM_TRY(qlm_store_count_licenses(&licenses, store, 0, tool->pool));
    if (products->nelts == 0 && licenses == 0) {
        return NULL;
    }
    return qlm_tool_failure(tool,
                            "the secret file %s is missing, but the database holds keys made with "
                            "it; bring the file back from its backup",
                            tool->secret_path);
}

static int database_exists(const qlm_tool_t *tool)
{
    struct stat found;

    return !qlm_tool_is_sqlite(tool) || stat(tool->params, &found) == 0;
}

static qlm_error_t *init_secret(init_t *init)
{
    qlm_tool_t *tool = init->tool;
    const qlm_secrets_t *secrets;
    struct stat found;
    int made_folder;

    if (stat(tool->secret_path, &found) != 0 && errno == ENOENT) {
        if (database_exists(tool)) {
            QLM_TRY(check_not_orphaned(init));
        }
        QLM_TRY(qlm_rights_make_folder(&made_folder, tool, tool->secret_path));
        QLM_TRY(qlm_secrets_create(tool->secret_path, tool->pool));
        init->made_secret = 1;
    }
    return qlm_tool_secrets(&secrets, tool);
}

static qlm_error_t *init_database(init_t *init)
{
    qlm_tool_t *tool = init->tool;
    qlm_store_t *store;
    int made_folder;

    init->made_database = !database_exists(tool);
    if (qlm_tool_is_sqlite(tool)) {
        QLM_TRY(qlm_rights_make_folder(&made_folder, tool, tool->params));
    }
    QLM_TRY(qlm_tool_open(&store, tool, 0));
    QLM_TRY(qlm_store_schema_version(&init->had_version, store, tool->pool));
    QLM_TRY(qlm_store_upgrade(store, tool->pool));
    QLM_TRY(qlm_store_check(store, tool->pool));
    return qlm_ownership_claim(store, tool->secrets, tool->pool);
}

static qlm_error_t *init_rights(init_t *init)
{
    qlm_tool_t *tool = init->tool;

    init->problems = apr_array_make(tool->pool, 1, sizeof(const char *));
    if (!qlm_tool_is_sqlite(tool)) {
        return NULL;
    }
    qlm_tool_close(tool);
    if (init->user) {
        QLM_TRY(qlm_rights_give(tool, tool->params, init->user));
    }
    return qlm_rights_check(&init->problems, tool, tool->params, init->user);
}

/* Root's database is of no use to an httpd that serves as another user, but of use to one that does
 * not: so it is said, and is no failure. */
static int is_roots(const init_t *init)
{
    struct stat found;

    return !init->user && qlm_tool_is_sqlite(init->tool) && stat(init->tool->params, &found) == 0 &&
           found.st_uid == 0;
}

static void report_json(const init_t *init)
{
    json_t *record = qlm_output_object(init->tool->pool);
    json_t *problems = qlm_output_array(init->tool->pool);

    qlm_output_put(record, "secret", init->tool->secret_path);
    qlm_output_put_bool(record, "made_secret", init->made_secret);
    qlm_output_put(record, "database", init->tool->params);
    qlm_output_put_bool(record, "made_database", init->made_database);
    qlm_output_put_int(record, "schema", QLM_SCHEMA_VERSION);
    for (int i = 0; i < init->problems->nelts; i++) {
        qlm_output_append_text(problems, APR_ARRAY_IDX(init->problems, i, const char *));
    }
    qlm_output_put_value(record, "problems", problems);
    qlm_output_record(init->tool, record);
}

static void report(const init_t *init)
{
    const qlm_tool_t *tool = init->tool;

    if (tool->is_json) {
        report_json(init);
        return;
    }
    qlm_output_say(tool, "secret: %s, %s", tool->secret_path,
                   init->made_secret ? "made; keep a copy in a safe place" : "was there");
    qlm_output_say(tool, "database: %s, %s", qlm_tool_is_sqlite(tool) ? tool->params : tool->driver,
                   init->had_version == QLM_SCHEMA_VERSION
                       ? "was there"
                       : apr_psprintf(tool->pool, "tables made (schema %d)", QLM_SCHEMA_VERSION));
    for (int i = 0; i < init->problems->nelts; i++) {
        qlm_output_say(tool, "rights: %s", APR_ARRAY_IDX(init->problems, i, const char *));
    }
    if (is_roots(init)) {
        qlm_output_say(tool,
                       "rights: the database belongs to root; httpd's processes are not root, "
                       "so run qlmctl init --user with the name of theirs (www-data on "
                       "Debian)");
    }
    else if (init->problems->nelts == 0) {
        qlm_output_say(tool, "rights: good");
    }
}

qlm_error_t *qlm_command_init(qlm_tool_t *tool)
{
    init_t init = {0};

    init.tool = tool;
    init.user = qlm_tool_option(tool, "user");
    if (init.user && !qlm_tool_is_sqlite(tool)) {
        return qlm_tool_usage(tool, "--user is for the files of SQLite; rights on another database "
                                    "are given there");
    }
    QLM_TRY(init_secret(&init));
    QLM_TRY(init_database(&init));
    QLM_TRY(init_rights(&init));
    report(&init);
    if (init.problems->nelts > 0) {
        return qlm_tool_failure(tool, "the rights are not right: %s",
                                APR_ARRAY_IDX(init.problems, 0, const char *));
    }
    return NULL;
}
