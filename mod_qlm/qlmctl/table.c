/* Reading tables, by libcsv and libxml2. */
#include "qlmctl/table.h"

#include "base/text.h"
#include "qlmctl/input.h"

#include <apr_strings.h>
#include <csv.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <string.h>
#include <strings.h>

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

/* A file in the making. */
typedef struct reading_t {
    qlm_tool_t *tool;
    const char *path;
    qlm_table_t *table;
    int is_heading;       /* CSV: the line that names the columns is being read */
    qlm_table_row_t *row; /* that is being read, NULL between rows */
    int column;           /* CSV: of the next value */
    qlm_error_t *error;
} reading_t;

static qlm_error_t *fail(reading_t *reading, const char *text)
{
    if (!reading->error) {
        reading->error = qlm_tool_failure(reading->tool, "%s, row %d: %s", reading->path,
                                          reading->table->rows->nelts, text);
    }
    return reading->error;
}

int qlm_table_column(const qlm_table_t *table, const char *name)
{
    for (int i = 0; i < table->columns->nelts; i++) {
        if (strcasecmp(APR_ARRAY_IDX(table->columns, i, const char *), name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *qlm_table_value(const qlm_table_row_t *row, int column)
{
    return column >= 0 && row->value[column] ? row->value[column] : "";
}

/* ---- rows and values, from either form --------------------------------------------------------
 */

/* @a columns: how many there can be. */
static void begin_row(reading_t *reading, int columns)
{
    reading->row = apr_array_push(reading->table->rows);
    reading->row->number = reading->table->rows->nelts;
    reading->row->value =
        apr_pcalloc(reading->tool->pool, (apr_size_t)columns * sizeof(const char *));
    reading->column = 0;
}

/* Line ends and tabs belong into notes; nothing else does. */
static int is_clean(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && !strchr("\t\r\n", *text)) || *text == 0x7f) {
            return 0;
        }
    }
    return 1;
}

static const char *take(reading_t *reading, const char *text, apr_size_t length)
{
    const char *copy = apr_pstrmemdup(reading->tool->pool, text, length);

    if (strlen(copy) != length || !is_clean(copy)) {
        fail(reading, "a value has control characters");
        return "";
    }
    if (!qlm_text_is_utf8(copy)) {
        fail(reading, "a value is not UTF-8: save the file as UTF-8");
        return "";
    }
    return strcmp(copy, "NULL") == 0 ? "" : copy;
}

static void add_column(reading_t *reading, const char *name)
{
    if (reading->table->columns->nelts >= QLM_TABLE_MAX_COLUMNS) {
        fail(reading, "there are too many columns");
        return;
    }
    if (*name && qlm_table_column(reading->table, name) >= 0) {
        fail(reading, apr_psprintf(reading->tool->pool, "column %s comes twice",
                                   qlm_text_for_log(name, 60, reading->tool->pool)));
        return;
    }
    APR_ARRAY_PUSH(reading->table->columns, const char *) = name;
}

/* ---- CSV --------------------------------------------------------------------------------------
 */

static void on_value(void *text, size_t length, void *baton)
{
    reading_t *reading = baton;
    int columns = reading->table->columns->nelts;
    const char *value;

    if (reading->error) {
        return;
    }
    value = take(reading, text ? text : "", length);
    if (reading->is_heading) {
        add_column(reading, qlm_text_trim(value, reading->tool->pool));
        return;
    }
    if (!reading->row) {
        begin_row(reading, columns);
    }
    if (reading->column >= columns) {
        fail(reading, "there are more values than columns");
        return;
    }
    reading->row->value[reading->column++] = value;
}

/* Empty lines are no rows: libcsv leaves them out. */
static void on_end(int character, void *baton)
{
    reading_t *reading = baton;

    (void)character;
    if (!reading->error && reading->row && reading->column < reading->table->columns->nelts) {
        fail(reading, "there are fewer values than columns");
    }
    reading->is_heading = 0;
    reading->row = NULL;
}

static void read_csv(reading_t *reading, const char *text, apr_size_t length)
{
    struct csv_parser parser;

    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        fail(reading, "the CSV reader cannot be started");
        return;
    }
    reading->is_heading = 1;
    if (csv_parse(&parser, text, length, on_value, on_end, reading) != length ||
        csv_fini(&parser, on_value, on_end, reading) != 0) {
        fail(reading, apr_pstrcat(reading->tool->pool,
                                  "this is no CSV: ", csv_strerror(csv_error(&parser)), NULL));
    }
    csv_free(&parser);
}

/* ---- XML --------------------------------------------------------------------------------------
 */

/* A value element: its name is the column. Elements inside a value are left to their text. */
static void read_element(reading_t *reading, xmlTextReader *reader)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(reader);
    xmlChar *text = xmlTextReaderReadString(reader);
    int column = qlm_table_column(reading->table, name);

    if (column < 0) {
        add_column(reading, apr_pstrdup(reading->tool->pool, name));
        column = reading->table->columns->nelts - 1;
    }
    if (text && !reading->error) {
        reading->row->value[column] = take(reading, (const char *)text, strlen((const char *)text));
    }
    xmlFree(text);
}

/* Depth 0 is the root, 1 a row, 2 a value. A schema that a data set carries is no row. */
static void read_node(reading_t *reading, xmlTextReader *reader)
{
    int depth = xmlTextReaderDepth(reader);

    switch (xmlTextReaderNodeType(reader)) {
    case XML_READER_TYPE_DOCUMENT_TYPE:
        fail(reading, "the XML has a DTD");
        break;
    case XML_READER_TYPE_ELEMENT:
        if (depth == 1) {
            reading->row = NULL;
            if (strcmp((const char *)xmlTextReaderConstLocalName(reader), "schema") != 0) {
                begin_row(reading, QLM_TABLE_MAX_COLUMNS);
            }
        }
        else if (depth == 2 && reading->row) {
            read_element(reading, reader);
        }
        break;
    default:
        break;
    }
}

static void read_xml(reading_t *reading, const char *text, apr_size_t length)
{
    xmlTextReader *reader = xmlReaderForMemory(text, (int)length, NULL, NULL, PARSE_OPTIONS);
    int status = reader ? xmlTextReaderRead(reader) : -1;

    for (; status == 1 && !reading->error; status = xmlTextReaderRead(reader)) {
        read_node(reading, reader);
    }
    if (status < 0) {
        fail(reading, "this is no well-formed XML");
    }
    xmlFreeTextReader(reader);
}

/* ---- all together -----------------------------------------------------------------------------
 */

qlm_error_t *qlm_table_read(qlm_table_t **table, qlm_tool_t *tool, const char *path)
{
    reading_t reading = {.tool = tool, .path = path};
    apr_size_t length;
    char *text;

    QLM_TRY(qlm_input_read(&text, &length, tool, path, QLM_TABLE_MAX_BYTES, "table"));
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    *table = reading.table = apr_palloc(tool->pool, sizeof(**table));
    (*table)->columns = apr_array_make(tool->pool, 40, sizeof(const char *));
    (*table)->rows = apr_array_make(tool->pool, 1000, sizeof(qlm_table_row_t));
    if (text[strspn(text, " \t\r\n")] == '<') {
        read_xml(&reading, text, length);
    }
    else {
        read_csv(&reading, text, length);
    }
    if (!reading.error && (*table)->columns->nelts == 0) {
        fail(&reading, "there are no columns");
    }
    return reading.error;
}
