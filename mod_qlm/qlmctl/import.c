/* import: rows of another license server's export, one transaction a file. */
#include "qlmctl/import.h"

#include "base/text.h"
#include "license/keygen.h"
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "vendor/vendor.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    qlm_import_row_t import_row;
} kinds[] = {
    [QLM_IMPORT_PRODUCTS] = {"products", qlm_import_product},
    [QLM_IMPORT_CUSTOMERS] = {"customers", qlm_import_customer},
    [QLM_IMPORT_LICENSES] = {"licenses", qlm_import_license},
    [QLM_IMPORT_ACTIVATIONS] = {"activations", qlm_import_activation},
};

/* One file in one unit of work. */
typedef struct work_t {
    const qlm_import_t *import;
    qlm_import_kind_t kind;
    int is_trial; /* nothing is to stay */
    int added, known;
    json_t *refused; /* {"row", "key", "reason"} */
} work_t;

/* What a trial ends with, so that nothing stays. */
static const char trial_text[] = "trial";

/* ---- what a table is about --------------------------------------------------------------------
 */

static qlm_import_kind_t kind_of(const qlm_table_t *table)
{
    if (qlm_import_has(table, "ActivationKey")) {
        return qlm_import_has(table, "ProductID") || !qlm_import_has(table, "ComputerID")
                   ? QLM_IMPORT_LICENSES
                   : QLM_IMPORT_ACTIVATIONS;
    }
    if (qlm_import_has(table, "MajorVersion|Major") && qlm_import_has(table, "ProductID|ID")) {
        return QLM_IMPORT_PRODUCTS;
    }
    return qlm_import_has(table, "Email") ? QLM_IMPORT_CUSTOMERS : QLM_IMPORT_UNKNOWN;
}

static qlm_error_t *choose_kind(qlm_import_kind_t *kind, qlm_tool_t *tool, const qlm_table_t *table,
                                const char *path)
{
    const char *name = qlm_tool_option(tool, "kind");

    *kind = name ? QLM_IMPORT_UNKNOWN : kind_of(table);
    for (int i = 0; name && i < QLM_IMPORT_UNKNOWN; i++) {
        if (strcasecmp(kinds[i].name, name) == 0) {
            *kind = (qlm_import_kind_t)i;
        }
    }
    if (*kind != QLM_IMPORT_UNKNOWN) {
        return NULL;
    }
    return name ? qlm_tool_usage(tool, "--kind takes products, customers, licenses or activations")
                : qlm_tool_failure(tool,
                                   "%s: the columns do not tell what the rows are; say --kind "
                                   "products, customers, licenses or activations",
                                   path);
}

/* ---- the unit of work -------------------------------------------------------------------------
 */

static void note_refusal(work_t *work, const qlm_table_row_t *row, const qlm_error_t *error)
{
    const qlm_import_t *import = work->import;
    int column = qlm_table_column(import->table, "ActivationKey");
    json_t *refusal = qlm_output_object(import->tool->pool);

    qlm_output_put_int(refusal, "row", row->number);
    qlm_output_put(refusal, "key",
                   qlm_keygen_for_log(qlm_table_value(row, column), import->tool->pool));
    qlm_output_put(refusal, "reason", error->text);
    qlm_output_append(work->refused, refusal);
}

static qlm_error_t *import_rows(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    work_t *work = baton;
    const apr_array_header_t *rows = work->import->table->rows;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    work->added = work->known = 0;
    work->refused = qlm_output_array(work->import->tool->pool);
    for (int i = 0; i < rows->nelts; i++) {
        const qlm_table_row_t *row = &APR_ARRAY_IDX(rows, i, qlm_table_row_t);
        int is_added = 0;
        qlm_error_t *error;

        apr_pool_clear(scratch);
        error = kinds[work->kind].import_row(&is_added, work->import, row, store, scratch);
        if (!error) {
            work->added += is_added;
            work->known += !is_added;
        }
        else if (error->kind == QLM_ERROR_ARGUMENT || error->kind == QLM_ERROR_REFUSED) {
            note_refusal(work, row, error);
        }
        else {
            return qlm_error_copy(error, pool);
        }
    }
    if (work->kind == QLM_IMPORT_LICENSES && work->added) {
        QLM_TRY(qlm_store_note_foreign_keys(store, pool));
    }
    return work->is_trial ? qlm_error_make(pool, QLM_ERROR_REFUSED, QLM_CODE_NONE, "%s", trial_text)
                          : NULL;
}

/* ---- the command ------------------------------------------------------------------------------
 */

static qlm_error_t *load_products(qlm_import_t *import, qlm_store_t *store)
{
    apr_pool_t *pool = import->tool->pool;
    apr_array_header_t *products;

    QLM_TRY(qlm_store_list_products(&products, store, pool));
    import->products = apr_hash_make(pool);
    for (int i = 0; i < products->nelts; i++) {
        const qlm_product_t *product = &APR_ARRAY_IDX(products, i, qlm_product_t);

        apr_hash_set(import->products,
                     apr_psprintf(pool, "%d.%d.%d", product->id, product->major, product->minor),
                     APR_HASH_KEY_STRING, product);
    }
    return NULL;
}

static qlm_error_t *read_vendor(qlm_import_t *import)
{
    const char *name = qlm_tool_option(import->tool, "vendor");
    const qlm_vendor_t *vendor = name ? qlm_vendor_find(name) : NULL;

    if (name && !vendor) {
        return qlm_tool_failure(import->tool, "there is no vendor %s; valid names: %s",
                                qlm_text_for_log(name, 40, import->tool->pool),
                                qlm_vendor_names(import->tool->pool));
    }
    import->vendor = vendor ? vendor->name : "";
    return NULL;
}

static json_t *report(const work_t *work, const char *path)
{
    json_t *record = qlm_output_object(work->import->tool->pool);

    qlm_output_put(record, "file", path);
    qlm_output_put(record, "kind", kinds[work->kind].name);
    qlm_output_put_int(record, "rows", work->import->table->rows->nelts);
    qlm_output_put_int(record, "added", work->added);
    qlm_output_put_int(record, "known", work->known);
    qlm_output_put_value(record, "refused", work->refused);
    return record;
}

/* For people: a line for the file, and one for each refused row. */
static void say_report(const work_t *work, const char *path)
{
    qlm_tool_t *tool = work->import->tool;

    qlm_output_say(tool, "%s: %d %s: %d added, %d there already, %d refused.%s", path,
                   work->import->table->rows->nelts, kinds[work->kind].name, work->added,
                   work->known, (int)json_array_size(work->refused),
                   work->is_trial ? " A trial: nothing was stored." : "");
    for (size_t i = 0; i < json_array_size(work->refused); i++) {
        const json_t *refusal = json_array_get(work->refused, i);

        qlm_output_say(tool, "  row %d (%s): %s",
                       (int)json_integer_value(json_object_get(refusal, "row")),
                       json_string_value(json_object_get(refusal, "key")),
                       json_string_value(json_object_get(refusal, "reason")));
    }
}

static qlm_error_t *import_file(json_t *reports, int *refused, qlm_import_t *import,
                                const char *path)
{
    qlm_tool_t *tool = import->tool;
    work_t work = {.import = import, .is_trial = qlm_tool_option(tool, "dry-run") != NULL};
    qlm_table_t *table;
    qlm_store_t *store;
    qlm_error_t *error;

    QLM_TRY(qlm_table_read(&table, tool, path));
    import->table = table;
    QLM_TRY(choose_kind(&work.kind, tool, table, path));
    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(load_products(import, store));
    error = qlm_store_write(store, import_rows, &work, tool->pool);
    if (error && !(work.is_trial && strcmp(error->text, trial_text) == 0)) {
        return error;
    }
    *refused += (int)json_array_size(work.refused);
    say_report(&work, path);
    qlm_output_append(reports, report(&work, path));
    return NULL;
}

qlm_error_t *qlm_command_import(qlm_tool_t *tool)
{
    qlm_import_t import = {.tool = tool,
                           .date_pattern = qlm_tool_option(tool, "date-format"),
                           .actor = {"qlmctl import", "", "", tool->now}};
    json_t *reports = qlm_output_array(tool->pool);
    int refused = 0;

    QLM_TRY(read_vendor(&import));
    QLM_TRY(qlm_tool_secrets(&import.secrets, tool));
    for (int i = 0; i < tool->words->nelts; i++) {
        QLM_TRY(import_file(reports, &refused, &import, qlm_tool_word(tool, i)));
    }
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put_value(record, "files", reports);
        qlm_output_record(tool, record);
    }
    return refused ? qlm_tool_failure(tool, "%d row%s could not be imported", refused,
                                      refused == 1 ? "" : "s")
                   : NULL;
}
