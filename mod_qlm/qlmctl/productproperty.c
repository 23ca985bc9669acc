/* product property: list, set, remove. */
#include "qlmctl/commands.h"
#include "qlmctl/output.h"
#include "qlmctl/products.h"
#include "qlmctl/records.h"

#include "base/text.h"

#include <apr_strings.h>
#include <apr_uuid.h>
#include <string.h>

/* Read PRODUCT.MAJOR.MINOR and find that product version. */
static qlm_error_t *read_version(qlm_pp_record_t *record, qlm_tool_t *tool)
{
    static const apr_int64_t most[] = {999999999, 99, 99};
    const char *text = qlm_tool_word(tool, 0);
    apr_array_header_t *parts = qlm_text_split(text, ".", tool->pool);
    const qlm_product_t *product;
    apr_int64_t numbers[3];
    int is_good = parts->nelts == 3;

    for (int i = 0; is_good && i < 3; i++) {
        is_good = qlm_text_to_int64(&numbers[i], APR_ARRAY_IDX(parts, i, const char *), 0, most[i]);
    }
    if (!is_good) {
        return qlm_tool_usage(tool, "%s is not PRODUCT.MAJOR.MINOR, such as 1.2.0",
                              qlm_text_for_log(text, 40, tool->pool));
    }
    record->product_id = (int)numbers[0];
    record->major = (int)numbers[1];
    record->minor = (int)numbers[2];
    return qlm_products_find(&product, tool, record->product_id, record->major, record->minor);
}

/* Split category.name at its first dot. */
static void read_name(qlm_pp_definition_t *definition, qlm_tool_t *tool)
{
    const char *text = qlm_text_trim(qlm_tool_word(tool, 1), tool->pool);
    const char *dot = strchr(text, '.');

    definition->category = dot ? apr_pstrmemdup(tool->pool, text, (apr_size_t)(dot - text)) : "";
    definition->name = dot ? dot + 1 : text;
}

qlm_error_t *qlm_products_definitions(qlm_pp_definitions_t **definitions, qlm_tool_t *tool, int id,
                                      int major, int minor)
{
    apr_array_header_t *records;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_product_properties(&records, store, tool->pool));
    *definitions = qlm_pp_definitions_create(tool->pool);
    for (int i = 0; i < records->nelts; i++) {
        const qlm_pp_record_t *record = &APR_ARRAY_IDX(records, i, qlm_pp_record_t);

        if (record->product_id == id && record->major == major && record->minor == minor) {
            qlm_pp_definitions_add(*definitions, &record->definition);
        }
    }
    return NULL;
}

/* ---- list -------------------------------------------------------------------------------------
 */

static json_t *definition_record(const qlm_pp_definition_t *definition, apr_pool_t *pool)
{
    json_t *object = qlm_output_object(pool);

    qlm_output_put(object, "category", definition->category);
    qlm_output_put(object, "name", definition->name);
    qlm_output_put(object, "type", qlm_pp_type_name(definition->type));
    qlm_output_put(object, "default", definition->default_value);
    qlm_output_put(object, "help", definition->help);
    qlm_output_put(object, "guid", definition->guid);
    qlm_output_put_time(object, "updated_at", definition->updated_at);
    return object;
}

qlm_error_t *qlm_command_product_property_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"category", "CATEGORY"}, {"name", "NAME"}, {"type", "TYPE"},
        {"default", "DEFAULT"},   {"help", "HELP"}, {NULL, NULL},
    };
    json_t *rows = qlm_output_array(tool->pool);
    qlm_pp_record_t version = {0};
    qlm_pp_definitions_t *definitions;

    QLM_TRY(read_version(&version, tool));
    QLM_TRY(qlm_products_definitions(&definitions, tool, version.product_id, version.major,
                                     version.minor));
    for (int i = 0; i < qlm_pp_definitions_count(definitions); i++) {
        qlm_output_append(rows,
                          definition_record(qlm_pp_definitions_at(definitions, i), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

/* ---- set --------------------------------------------------------------------------------------
 */

/* What to change; NULL = leave it, or what a new property has. */
typedef struct change_t {
    qlm_pp_record_t record;
    const char *type, *default_value, *help;
    qlm_tool_t *tool;
} change_t;

static qlm_error_t *read_field(change_t *change, qlm_tool_t *tool, const char *word)
{
    const struct {
        const char *name;
        const char **value;
    } fields[] = {
        {"type=", &change->type}, {"default=", &change->default_value}, {"help=", &change->help}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t length = strlen(fields[i].name);

        if (strncmp(word, fields[i].name, length) == 0) {
            *fields[i].value = qlm_text_trim(word + length, tool->pool);
            return NULL;
        }
    }
    return qlm_tool_usage(tool,
                          "%s is not a field of a product property; the fields are type=, "
                          "default=, help=",
                          qlm_text_for_log(word, 40, tool->pool));
}

static qlm_error_t *read_type(qlm_pp_type_t *type, qlm_tool_t *tool, const char *text)
{
    const char *names = "";

    if (qlm_pp_type_parse(type, text)) {
        return NULL;
    }
    for (int i = 0; i < QLM_PP_TYPE_COUNT; i++) {
        names =
            apr_pstrcat(tool->pool, names, i ? ", " : "", qlm_pp_type_name((qlm_pp_type_t)i), NULL);
    }
    return text ? qlm_tool_usage(tool, "there is no type %s; the types are %s",
                                 qlm_text_for_log(text, 40, tool->pool), names)
                : qlm_tool_usage(tool, "a new property needs a type: type= one of %s", names);
}

static const char *new_guid(apr_pool_t *pool)
{
    char text[APR_UUID_FORMATTED_LENGTH + 1];
    apr_uuid_t uuid;

    apr_uuid_get(&uuid);
    apr_uuid_format(text, &uuid);
    return apr_pstrcat(pool, "{", text, "}", NULL);
}

/* The stored definition of exactly this category and name, NULL if there is none. */
static qlm_error_t *find_stored(const qlm_pp_definition_t **stored, const change_t *change)
{
    const qlm_pp_record_t *record = &change->record;
    const qlm_pp_definition_t *wanted = &record->definition;
    apr_pool_t *pool = change->tool->pool;
    qlm_pp_definitions_t *definitions;
    const char *key = qlm_pp_key(wanted->category, wanted->name, pool);

    QLM_TRY(qlm_products_definitions(&definitions, change->tool, record->product_id, record->major,
                                     record->minor));
    *stored = NULL;
    for (int i = 0; i < qlm_pp_definitions_count(definitions); i++) {
        const qlm_pp_definition_t *at = qlm_pp_definitions_at(definitions, i);

        if (strcmp(qlm_pp_key(at->category, at->name, pool), key) == 0) {
            *stored = at;
        }
    }
    return NULL;
}

/* Fill the definition: what was given, else what is stored, else what a new one has. */
static qlm_error_t *complete(change_t *change)
{
    qlm_pp_definition_t *definition = &change->record.definition;
    const qlm_pp_definition_t *stored;

    QLM_TRY(find_stored(&stored, change));
    if (change->type || !stored) {
        QLM_TRY(read_type(&definition->type, change->tool, change->type));
    }
    else {
        definition->type = stored->type;
    }
    definition->guid = stored ? stored->guid : new_guid(change->tool->pool);
    definition->default_value = change->default_value ? change->default_value
                                : stored              ? stored->default_value
                                                      : "";
    definition->help = change->help ? change->help : stored ? stored->help : "";
    definition->updated_at = change->tool->now;
    return qlm_pp_check_definition(definition, change->tool->pool);
}

static qlm_error_t *apply(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    const change_t *change = baton;

    return qlm_store_set_product_property(store, &change->record, pool);
}

qlm_error_t *qlm_command_product_property_set(qlm_tool_t *tool)
{
    change_t change = {.tool = tool};

    for (int i = 2; i < tool->words->nelts; i++) {
        QLM_TRY(read_field(&change, tool, qlm_tool_word(tool, i)));
    }
    QLM_TRY(read_version(&change.record, tool));
    read_name(&change.record.definition, tool);
    QLM_TRY(complete(&change));
    QLM_TRY(qlm_store_write(tool->store, apply, &change, tool->pool));
    if (tool->is_json) {
        qlm_output_record(tool, definition_record(&change.record.definition, tool->pool));
    }
    qlm_output_say(tool, "%s is defined as %s, default %s.", qlm_tool_word(tool, 1),
                   qlm_pp_type_name(change.record.definition.type),
                   *change.record.definition.default_value ? change.record.definition.default_value
                                                           : "(none)");
    return NULL;
}

/* ---- remove -----------------------------------------------------------------------------------
 */

typedef struct removal_t {
    qlm_pp_record_t record;
    int removed;
} removal_t;

static qlm_error_t *remove_it(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    removal_t *removal = baton;

    return qlm_store_remove_product_property(&removal->removed, store, &removal->record, pool);
}

qlm_error_t *qlm_command_product_property_remove(qlm_tool_t *tool)
{
    removal_t removal = {{0}, 0};

    QLM_TRY(read_version(&removal.record, tool));
    read_name(&removal.record.definition, tool);
    QLM_TRY(qlm_store_write(tool->store, remove_it, &removal, tool->pool));
    if (!removal.removed) {
        return qlm_tool_failure(tool,
                                "there is no product property %s; see qlmctl product "
                                "property list",
                                qlm_text_for_log(qlm_tool_word(tool, 1), 80, tool->pool));
    }
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put(record, "category", removal.record.definition.category);
        qlm_output_put(record, "name", removal.record.definition.name);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "%s is not defined any more; values that licenses have stay stored.",
                   qlm_tool_word(tool, 1));
    return NULL;
}
