/* db: upgrade, check, backup, copy. */
#include "qlmctl/commands.h"
#include "qlmctl/options.h"
#include "qlmctl/output.h"
#include "qlmctl/secretinput.h"
#include "service/ownership.h"
#include "store/copy.h"

#include <apr_strings.h>
#include <string.h>
#include <sys/stat.h>

/* Tables of an earlier version do not know their secret. Whoever upgrades them may have no right to
 * read it; then `qlmctl init` does this. */
static qlm_error_t *claim(qlm_tool_t *tool, qlm_store_t *store)
{
    const qlm_secrets_t *secrets;

    return qlm_tool_secrets(&secrets, tool) ? NULL
                                            : qlm_ownership_claim(store, secrets, tool->pool);
}

qlm_error_t *qlm_command_db_upgrade(qlm_tool_t *tool)
{
    qlm_store_t *store;
    int before;

    QLM_TRY(qlm_tool_open(&store, tool, 1));
    QLM_TRY(qlm_store_schema_version(&before, store, tool->pool));
    QLM_TRY(qlm_store_upgrade(store, tool->pool));
    QLM_TRY(claim(tool, store));
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_int(record, "schema_before", before);
        qlm_output_put_int(record, "schema", QLM_SCHEMA_VERSION);
        qlm_output_record(tool, record);
    }
    else if (before == QLM_SCHEMA_VERSION) {
        qlm_output_say(tool, "The schema has version %d already: nothing to do.", before);
    }
    else {
        qlm_output_say(tool, "The schema was upgraded from version %d to %d.", before,
                       QLM_SCHEMA_VERSION);
    }
    return NULL;
}

qlm_error_t *qlm_command_db_check(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {{"problem", "PROBLEM"}, {NULL, NULL}};
    apr_array_header_t *problems;
    json_t *rows;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_verify(&problems, store, tool->pool));
    if (problems->nelts == 0 && !tool->is_json) {
        qlm_output_say(tool, "The database is in order (schema %d).", QLM_SCHEMA_VERSION);
        return NULL;
    }
    rows = qlm_output_array(tool->pool);
    for (int i = 0; i < problems->nelts; i++) {
        json_t *row = qlm_output_object(tool->pool);

        qlm_output_put(row, "problem", APR_ARRAY_IDX(problems, i, const char *));
        qlm_output_append(rows, row);
    }
    qlm_output_rows(tool, rows, columns);
    if (problems->nelts > 0) {
        return qlm_tool_failure(tool,
                                "the database has %d problem%s; keep a copy of it and restore the "
                                "last good backup",
                                problems->nelts, problems->nelts == 1 ? "" : "s");
    }
    return NULL;
}

qlm_error_t *qlm_command_db_backup(qlm_tool_t *tool)
{
    const char *path = qlm_tool_word(tool, 0);
    qlm_error_t *error;
    qlm_store_t *store;
    struct stat found;

    if (!qlm_tool_is_sqlite(tool)) {
        return qlm_tool_failure(tool, "only SQLite databases are copied here; use the tool of the "
                                      "database (pg_dump, mariadb-dump)");
    }
    if (lstat(path, &found) == 0) {
        return qlm_tool_failure(tool, "%s is there already; name a new file", path);
    }
    QLM_TRY(qlm_tool_store(&store, tool));
    umask(077);
    error = qlm_store_backup(store, path, tool->pool);
    umask(027);
    QLM_TRY(error);
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put(record, "backup", path);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "Copied to %s. The secret file is not in it: keep a copy of %s, too.",
                   path, tool->secret_path);
    return NULL;
}

/* ---- copy ---- */

/* One of the two databases of a copy; "-" reads it from standard input. */
static qlm_error_t *open_named(qlm_store_t **store, qlm_tool_t *tool, int word, int must_exist)
{
    const char *name = qlm_tool_word(tool, word);
    const char *driver, *params;

    if (strcmp(name, "-") == 0) {
        QLM_TRY(qlm_secretinput_read(&name, tool, word == 0 ? "from" : "to"));
    }
    qlm_options_split_database(&driver, &params, name);
    return qlm_store_open(store, driver, params, must_exist, tool->pool);
}

qlm_error_t *qlm_command_db_copy(qlm_tool_t *tool)
{
    qlm_store_t *from, *to;
    apr_int64_t rows;

    if (strcmp(qlm_tool_word(tool, 0), qlm_tool_word(tool, 1)) == 0 &&
        strcmp(qlm_tool_word(tool, 0), "-") != 0) {
        return qlm_tool_usage(tool, "FROM and TO are the same database");
    }
    QLM_TRY(open_named(&from, tool, 0, 1));
    QLM_TRY(open_named(&to, tool, 1, 0));
    QLM_TRY(qlm_store_copy(&rows, to, from, tool->pool));
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_int(record, "rows", rows);
        qlm_output_record(tool, record);
        return NULL;
    }
    qlm_output_say(tool, "Copied %" APR_INT64_T_FMT " rows, and compared them one by one.", rows);
    qlm_output_say(
        tool, "Name the new database in httpd's configuration; the secret file stays. %s",
        qlm_store_path(to) ? "Run qlmctl init --user NAME on it, so that httpd may write."
                           : "From then on call qlmctl --httpd apachectl COMMAND: by itself it "
                             "means the file " QLM_DEFAULT_DATABASE ".");
    return NULL;
}
