/* One run of qlmctl: its words and options, the site it works on, its output.
 *
 * Everything lives in the tool's pool. Every failure is one error: its text says cause and remedy.
 */
#ifndef QLM_QLMCTL_TOOL_H
#define QLM_QLMCTL_TOOL_H

#include "base/crypto.h"
#include "store/store.h"

#include <apr_tables.h>

/** Exit codes; documented in the man page. */
enum {
    QLM_EXIT_OK = 0,
    QLM_EXIT_FAILED = 1, /**< understood, and failed: not found, refused, not valid */
    QLM_EXIT_USAGE = 2   /**< the command line cannot be understood; nothing was done */
};

struct qlm_command_t;

/** An option as given; value NULL for a flag. */
typedef struct qlm_given_t {
    const char *name, *value;
} qlm_given_t;

typedef struct qlm_tool_t {
    apr_pool_t *pool;
    const struct qlm_command_t *command;
    apr_array_header_t *words; /**< const char *: what follows the command's own words */
    apr_array_header_t *given; /**< of qlm_given_t */
    const char *driver;        /**< "sqlite3", "pgsql", "mysql" */
    const char *params;        /**< as for DBDParams; the path on SQLite */
    const char *secret_path;
    int is_json;
    apr_int64_t now; /**< seconds UTC */
    int exit_code;   /**< what to exit with if the command returns an error */
    qlm_store_t *store;
    apr_pool_t *store_pool;
    const qlm_secrets_t *secrets;
    int is_store_good; /**< it was checked */
} qlm_tool_t;

/** An error about the command line itself: exit code 2. */
qlm_error_t *qlm_tool_usage(qlm_tool_t *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** An error about what was asked for: exit code 1. */
qlm_error_t *qlm_tool_failure(qlm_tool_t *tool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** The word at @a index, NULL if there are fewer. */
const char *qlm_tool_word(const qlm_tool_t *tool, int index);

/** The value of an option ("" for a flag), NULL if it was not given. */
const char *qlm_tool_option(const qlm_tool_t *tool, const char *name);

/** An option that is a whole number; *number stays as it is if it was not given. Errors: usage. */
qlm_error_t *qlm_tool_option_int(apr_int64_t *number, qlm_tool_t *tool, const char *name,
                                 apr_int64_t min, apr_int64_t max);

/** The options --id (or @a id_option) and --version, both given. Errors: usage. */
qlm_error_t *qlm_tool_option_product(int *id, int *major, int *minor, qlm_tool_t *tool,
                                     const char *id_option);

/** The site's secrets, read once. */
qlm_error_t *qlm_tool_secrets(const qlm_secrets_t **secrets, qlm_tool_t *tool);

/** Open the database and check that its schema is this program's. Later calls give the same. */
qlm_error_t *qlm_tool_store(qlm_store_t **store, qlm_tool_t *tool);

/** Open the database whatever its schema; @a must_exist as for qlm_store_open. */
qlm_error_t *qlm_tool_open(qlm_store_t **store, qlm_tool_t *tool, int must_exist);

/** Close the connection, if there is one. */
void qlm_tool_close(qlm_tool_t *tool);

/** Is it an SQLite database, so that params is its path? */
int qlm_tool_is_sqlite(const qlm_tool_t *tool);

#endif
