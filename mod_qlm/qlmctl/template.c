/* template: list, show, set, remove, preview. */
#include "mail/template.h"
#include "qlmctl/commands.h"
#include "qlmctl/input.h"
#include "qlmctl/output.h"
#include "store/outbox.h"

#include "base/text.h"

#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A template and where it comes from. */
typedef struct entry_t {
    qlm_template_t form;
    int is_builtin;
    int is_replaced; /* by a stored one of its name, in whatever language */
} entry_t;

static int is_named(const qlm_template_t *form, const char *name)
{
    return strcasecmp(form->name, name) == 0;
}

static void add_entries(apr_array_header_t *entries, const apr_array_header_t *forms,
                        int is_builtin)
{
    int stored = entries->nelts;

    for (int i = 0; i < forms->nelts; i++) {
        entry_t entry = {APR_ARRAY_IDX(forms, i, qlm_template_t), is_builtin, 0};

        for (int k = 0; is_builtin && k < stored; k++) {
            entry.is_replaced |=
                is_named(&entry.form, APR_ARRAY_IDX(entries, k, entry_t).form.name);
        }
        APR_ARRAY_PUSH(entries, entry_t) = entry;
    }
}

/* Of entry_t: the stored ones, then those that are built in. */
static qlm_error_t *read_all(apr_array_header_t **entries, qlm_tool_t *tool)
{
    apr_array_header_t *stored;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_list_templates(&stored, store, tool->pool));
    *entries = apr_array_make(tool->pool, stored->nelts + 8, sizeof(entry_t));
    add_entries(*entries, stored, 0);
    add_entries(*entries, qlm_template_builtin(tool->pool), 1);
    return NULL;
}

static const char *language_name(const char *language)
{
    return *language ? language : "any";
}

/* The languages of a name, "en, de"; "" if there is no such template. `is_builtin` as in the entry,
 * -1 for both. */
static const char *languages_of(const apr_array_header_t *entries, const char *name, int is_builtin,
                                apr_pool_t *pool)
{
    const char *languages = "";

    for (int i = 0; i < entries->nelts; i++) {
        const entry_t *entry = &APR_ARRAY_IDX(entries, i, entry_t);

        if (is_named(&entry->form, name) && (is_builtin < 0 || entry->is_builtin == is_builtin)) {
            languages = apr_pstrcat(pool, languages, *languages ? ", " : "",
                                    language_name(entry->form.language), NULL);
        }
    }
    return languages;
}

/* The one that is asked for: of exactly that language; without a language the one that an order
 * without is_locale gets. */
static qlm_error_t *find_entry(const entry_t **found, qlm_tool_t *tool)
{
    const char *name = qlm_text_trim(qlm_tool_word(tool, 0), tool->pool);
    const char *language = qlm_tool_option(tool, "language");
    apr_array_header_t *entries;
    const char *languages;

    QLM_TRY(read_all(&entries, tool));
    *found = NULL;
    for (int i = 0; i < entries->nelts; i++) {
        const entry_t *entry = &APR_ARRAY_IDX(entries, i, entry_t);
        int is_exact = strcasecmp(entry->form.language, language ? language : "") == 0;

        if (!is_named(&entry->form, name) || (language ? !is_exact : entry->is_replaced)) {
            continue;
        }
        if (!*found || (!language && is_exact)) {
            *found = entry;
        }
    }
    if (*found) {
        return NULL;
    }
    languages = languages_of(entries, name, -1, tool->pool);
    return *languages ? qlm_tool_failure(tool, "the template %s is there only for the languages %s",
                                         qlm_text_for_log(name, 100, tool->pool), languages)
                      : qlm_tool_failure(tool, "there is no template %s; see qlmctl template list",
                                         qlm_text_for_log(name, 100, tool->pool));
}

static const char *source(const entry_t *entry)
{
    return !entry->is_builtin ? "stored" : entry->is_replaced ? "built in, replaced" : "built in";
}

static json_t *record_of(const entry_t *entry, apr_pool_t *pool)
{
    json_t *record = qlm_output_object(pool);

    qlm_output_put(record, "name", entry->form.name);
    qlm_output_put(record, "language", entry->form.language);
    qlm_output_put(record, "source", source(entry));
    qlm_output_put(record, "subject", entry->form.subject);
    return record;
}

/* ---- list, show -------------------------------------------------------------------------------
 */

qlm_error_t *qlm_command_template_list(qlm_tool_t *tool)
{
    static const qlm_column_t columns[] = {
        {"name", "NAME"}, {"language", "LANGUAGE"}, {"source", "SOURCE"}, {"subject", "SUBJECT"},
        {NULL, NULL},
    };
    json_t *rows = qlm_output_array(tool->pool);
    apr_array_header_t *entries;

    QLM_TRY(read_all(&entries, tool));
    for (int i = 0; i < entries->nelts; i++) {
        qlm_output_append(rows, record_of(&APR_ARRAY_IDX(entries, i, entry_t), tool->pool));
    }
    qlm_output_rows(tool, rows, columns);
    return NULL;
}

typedef enum part_t { PART_ALL, PART_HTML, PART_TEXT } part_t;

static qlm_error_t *read_part(part_t *part, qlm_tool_t *tool)
{
    const char *format = qlm_tool_option(tool, "format");

    *part = PART_ALL;
    if (format && strcmp(format, "html") == 0) {
        *part = PART_HTML;
    }
    else if (format && strcmp(format, "text") == 0) {
        *part = PART_TEXT;
    }
    else if (format) {
        return qlm_tool_usage(tool, "--format takes html or text");
    }
    return NULL;
}

static void print_part(const qlm_tool_t *tool, const char *heading, const char *text)
{
    if (*text) {
        printf("\n%s:\n\n", heading);
        qlm_output_text(tool, text);
    }
}

/* A record and the bodies that belong to it; for people only the part that was asked for. */
static void print_bodies(const qlm_tool_t *tool, json_t *record, part_t part, const char *html,
                         const char *text)
{
    if (tool->is_json) {
        qlm_output_put(record, "html", html);
        qlm_output_put(record, "text", text);
        qlm_output_record(tool, record);
    }
    else if (part == PART_ALL) {
        qlm_output_record(tool, record);
        print_part(tool, "text", text);
        print_part(tool, "html", html);
    }
    else {
        qlm_output_text(tool, part == PART_HTML ? html : text);
    }
}

qlm_error_t *qlm_command_template_show(qlm_tool_t *tool)
{
    const entry_t *entry;
    part_t part;

    QLM_TRY(read_part(&part, tool));
    QLM_TRY(find_entry(&entry, tool));
    print_bodies(tool, record_of(entry, tool->pool), part, entry->form.html, entry->form.text);
    return NULL;
}

/* ---- preview ----------------------------------------------------------------------------------
 */

/* An invented order with two keys: every variable that an order's mail knows, under its folded
 * name. */
typedef struct sample_t {
    const char *name, *value;
} sample_t;

static const sample_t order_samples[] = {
    {"orderid", "4711"},
    {"orderdate", "2027-01-31"},
    {"fullname", "Ada Example"},
    {"email", "ada@customer.example"},
    {"company", "Example & Sons <Ltd>"},
    {"phone", "+1 555 0100"},
    {"fax", "+1 555 0101"},
    {"mobile", "+1 555 0102"},
    {"address1", "1 Ring Road"},
    {"address2", "Floor 2"},
    {"city", "Springfield"},
    {"state", "OR"},
    {"zip", "97477"},
    {"country", "USA"},
    {"notes", "a note about the customer"},
    {"comment", "a comment on the order"},
    {"receiptid", "S-4711"},
    {"emailfrom", "shop@publisher.example"},
    {"authorizationcode", "123456"},
    {NULL, NULL},
};

static const sample_t first_samples[] = {
    {"activationkey", "A1B2C-D3E4F-G5H6J-K7M8N-P9Q0R1"},
    {"productname", "Demo"},
    {"majorversion", "1"},
    {"minorversion", "0"},
    {"numlicenses", "5"},
    {"availablelicenses", "5"},
    {"floatingseats", "0"},
    {"licensemodel", "subscription"},
    {"enabledfeatures", "0:3;"},
    {"subscriptionexpirydate", "2028-01-31"},
    {"subscriptionduration", "365"},
    {"maintenancerenewaldate", "2028-01-31"},
    {"userdata1", "user data"},
    {"legacykey", "OLD-KEY"},
    {"affiliatename", "affiliate"},
    {NULL, NULL},
};

/* What differs from the first. */
static const sample_t second_samples[] = {
    {"activationkey", "B2C3D-E4F5G-H6J7K-M8N9P-Q0R1S2"},
    {"productname", "Demo Pro"},
    {"majorversion", "2"},
    {NULL, NULL},
};

static void put_samples(apr_hash_t *variables, const sample_t *samples)
{
    for (; samples->name; samples++) {
        apr_hash_set(variables, samples->name, APR_HASH_KEY_STRING, samples->value);
    }
}

static void render_sample(qlm_rendered_t *rendered, const qlm_template_t *form, apr_pool_t *pool)
{
    apr_array_header_t *items = apr_array_make(pool, 2, sizeof(apr_hash_t *));
    apr_hash_t *variables = apr_hash_make(pool);

    put_samples(variables, order_samples);
    for (int i = 0; i < 2; i++) {
        apr_hash_t *item = apr_hash_make(pool);

        put_samples(item, first_samples);
        if (i == 1) {
            put_samples(item, second_samples);
        }
        APR_ARRAY_PUSH(items, apr_hash_t *) = item;
    }
    qlm_template_render(rendered, form, variables, items, pool);
}

static json_t *unknown_names(const qlm_rendered_t *rendered, apr_pool_t *pool)
{
    apr_array_header_t *names = qlm_text_split(rendered->unknown, ",", pool);
    json_t *list = qlm_output_array(pool);

    for (int i = 0; i < names->nelts; i++) {
        qlm_output_append_text(list, APR_ARRAY_IDX(names, i, const char *));
    }
    return list;
}

qlm_error_t *qlm_command_template_preview(qlm_tool_t *tool)
{
    const entry_t *entry;
    qlm_rendered_t rendered;
    json_t *record;
    part_t part;

    QLM_TRY(read_part(&part, tool));
    QLM_TRY(find_entry(&entry, tool));
    render_sample(&rendered, &entry->form, tool->pool);
    record = record_of(entry, tool->pool);
    qlm_output_put(record, "subject", rendered.subject);
    qlm_output_put_value(record, "unknown", unknown_names(&rendered, tool->pool));
    print_bodies(tool, record, part, rendered.html, rendered.text);
    return NULL;
}

/* ---- set, remove ------------------------------------------------------------------------------
 */

static qlm_error_t *read_body(const char **body, qlm_tool_t *tool, const char *option)
{
    const char *path = qlm_tool_option(tool, option);
    apr_size_t length;
    char *text;

    *body = "";
    if (!path) {
        return NULL;
    }
    QLM_TRY(qlm_input_read(&text, &length, tool, path, QLM_TEMPLATE_BODY_MAX, "template"));
    if (memchr(text, '\0', length)) {
        return qlm_tool_failure(tool, "%s holds a NUL byte; a template is UTF-8 text", path);
    }
    *body = text;
    return NULL;
}

static qlm_error_t *read_form(qlm_template_t *form, qlm_tool_t *tool)
{
    const char *language = qlm_tool_option(tool, "language");
    const char *text_path = qlm_tool_option(tool, "text");

    if (text_path && strcmp(text_path, "-") == 0 &&
        strcmp(qlm_tool_option(tool, "html"), "-") == 0) {
        return qlm_tool_usage(tool,
                              "standard input can be read once; give --html or --text a file");
    }
    form->name = qlm_text_trim(qlm_tool_word(tool, 0), tool->pool);
    form->language = qlm_text_fold(language ? language : "", tool->pool);
    form->subject = qlm_tool_option(tool, "subject");
    QLM_TRY(read_body(&form->html, tool, "html"));
    QLM_TRY(read_body(&form->text, tool, "text"));
    return qlm_template_check(form, tool->pool);
}

static qlm_error_t *apply_set(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    return qlm_store_set_template(store, baton, pool);
}

static void say_set(qlm_tool_t *tool, const qlm_template_t *form, const qlm_rendered_t *rendered,
                    const apr_array_header_t *entries)
{
    const char *builtin = languages_of(entries, form->name, 1, tool->pool);

    qlm_output_say(tool, "%s (language: %s) is stored.", form->name, language_name(form->language));
    if (*rendered->unknown) {
        qlm_output_say(tool, "These variables are not known and stay as they are written: %s",
                       rendered->unknown);
    }
    if (*builtin) {
        qlm_output_say(tool, "The built-in templates of that name are not used any more: %s",
                       builtin);
    }
}

qlm_error_t *qlm_command_template_set(qlm_tool_t *tool)
{
    entry_t entry = {{0}, 0, 0};
    qlm_rendered_t rendered;
    apr_array_header_t *entries;
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(read_form(&entry.form, tool));
    QLM_TRY(read_all(&entries, tool));
    QLM_TRY(qlm_store_write(store, apply_set, &entry.form, tool->pool));
    render_sample(&rendered, &entry.form, tool->pool);
    if (tool->is_json) {
        json_t *record = record_of(&entry, tool->pool);

        qlm_output_put_value(record, "unknown", unknown_names(&rendered, tool->pool));
        qlm_output_record(tool, record);
    }
    say_set(tool, &entry.form, &rendered, entries);
    return NULL;
}

typedef struct removal_t {
    const char *name, *language;
    int removed;
} removal_t;

static qlm_error_t *apply_remove(qlm_store_t *store, void *baton, apr_pool_t *pool)
{
    removal_t *removal = baton;

    return qlm_store_remove_template(&removal->removed, store, removal->name, removal->language,
                                     pool);
}

/* Why there was nothing to remove. */
static qlm_error_t *not_removed(qlm_tool_t *tool, const removal_t *removal)
{
    const char *name = qlm_text_for_log(removal->name, 100, tool->pool);
    apr_array_header_t *entries;
    const char *stored;

    QLM_TRY(read_all(&entries, tool));
    stored = languages_of(entries, removal->name, 0, tool->pool);
    if (*stored) {
        return qlm_tool_failure(tool, "%s is not stored for the language %s; it is stored for: %s",
                                name, language_name(removal->language), stored);
    }
    return *languages_of(entries, removal->name, 1, tool->pool)
               ? qlm_tool_failure(tool,
                                  "%s is built in and cannot be removed; a stored one of that name "
                                  "replaces it",
                                  name)
               : qlm_tool_failure(tool, "there is no template %s; see qlmctl template list", name);
}

qlm_error_t *qlm_command_template_remove(qlm_tool_t *tool)
{
    const char *language = qlm_tool_option(tool, "language");
    removal_t removal = {qlm_text_trim(qlm_tool_word(tool, 0), tool->pool),
                         qlm_text_fold(language ? language : "", tool->pool), 0};
    qlm_store_t *store;

    QLM_TRY(qlm_tool_store(&store, tool));
    QLM_TRY(qlm_store_write(store, apply_remove, &removal, tool->pool));
    if (!removal.removed) {
        return not_removed(tool, &removal);
    }
    if (tool->is_json) {
        json_t *record = qlm_output_object(tool->pool);

        qlm_output_put(record, "name", removal.name);
        qlm_output_put(record, "language", removal.language);
        qlm_output_record(tool, record);
    }
    qlm_output_say(tool, "%s (language: %s) is removed.", removal.name,
                   language_name(removal.language));
    return NULL;
}
