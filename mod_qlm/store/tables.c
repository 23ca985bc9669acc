/* The tables and their columns, read from the steps of the schema, so that none can be forgotten.
 */
#include "store/tables.h"

#include <apr_strings.h>

#include <string.h>

static const char *const steps[] = {
#define QLM_SCHEMA(version, sql) sql,
#include "store/schema.def"
#undef QLM_SCHEMA
};

/* The next word, and step on behind it and its blanks. */
static const char *next_word(const char **at, apr_pool_t *pool)
{
    size_t length = strcspn(*at, " (),");
    const char *word = apr_pstrmemdup(pool, *at, length);

    *at += length;
    while (**at == ' ') {
        ++*at;
    }
    return word;
}

static const char *mark_for(const char *type)
{
    if (!strcmp(type, "BIGINT") || !strcmp(type, "{id}")) {
        return "%lld";
    }
    return !strcmp(type, "INTEGER") ? "%d" : "%s";
}

/* "name TYPE ...", up to the next comma between columns. */
static void read_column(qlm_table_t *table, const char *text, apr_pool_t *pool)
{
    qlm_table_column_t *column = apr_array_push(table->columns);
    const char *type;

    column->name = next_word(&text, pool);
    type = next_word(&text, pool);
    column->mark = mark_for(type);
    if (!strcmp(type, "{id}") || strstr(text, "PRIMARY KEY")) {
        APR_ARRAY_PUSH(table->keys, const char *) = column->name;
    }
}

static void read_key(qlm_table_t *table, const char *text, apr_pool_t *pool)
{
    for (text = strchr(text, '(') + 1; *text && *text != ')'; text += strspn(text, ", ")) {
        APR_ARRAY_PUSH(table->keys, const char *) = next_word(&text, pool);
    }
}

/* Where a column's definition ends: at the comma or parenthesis that is in none of its own. */
static size_t definition_length(const char *text)
{
    int depth = 0;
    size_t i;

    for (i = 0; text[i] && (depth > 0 || (text[i] != ',' && text[i] != ')')); ++i) {
        depth += (text[i] == '(') - (text[i] == ')');
    }
    return i;
}

static void read_table(apr_array_header_t *tables, const char *text, apr_pool_t *pool)
{
    qlm_table_t *table = apr_array_push(tables);

    table->name = next_word(&text, pool);
    table->columns = apr_array_make(pool, 16, sizeof(qlm_table_column_t));
    table->keys = apr_array_make(pool, 4, sizeof(const char *));
    for (++text; *text && *text != ')'; text += *text == ',') {
        const char *definition;
        size_t length;

        text += strspn(text, " ");
        length = definition_length(text);
        definition = apr_pstrmemdup(pool, text, length);
        if (!strncmp(definition, "PRIMARY KEY", 11)) {
            read_key(table, definition, pool);
        }
        else {
            read_column(table, definition, pool);
        }
        text += length;
    }
}

static qlm_table_t *find_table(apr_array_header_t *tables, const char *name)
{
    int i;

    for (i = 0; i < tables->nelts; ++i) {
        if (!strcmp(APR_ARRAY_IDX(tables, i, qlm_table_t).name, name)) {
            return &APR_ARRAY_IDX(tables, i, qlm_table_t);
        }
    }
    return NULL;
}

apr_array_header_t *qlm_tables_read(apr_pool_t *pool)
{
    static const char create[] = "CREATE TABLE ", alter[] = "ALTER TABLE ", add[] = "ADD COLUMN ";
    apr_array_header_t *tables = apr_array_make(pool, 32, sizeof(qlm_table_t));
    size_t i;

    for (i = 0; i < sizeof(steps) / sizeof(*steps); ++i) {
        const char *at = steps[i];

        if (!strncmp(at, create, sizeof(create) - 1)) {
            read_table(tables, at + sizeof(create) - 1, pool);
        }
        else if (!strncmp(at, alter, sizeof(alter) - 1)) {
            qlm_table_t *table;

            at += sizeof(alter) - 1;
            table = find_table(tables, next_word(&at, pool));
            if (table && !strncmp(at, add, sizeof(add) - 1)) {
                read_column(table, at + sizeof(add) - 1, pool);
            }
        }
    }
    return tables;
}
