/* What an HTML page says, as plain text: for templates that have no text of their own. libxml2
 * reads the page, without network. */
#include "mail/message.h"

#include "base/buffer.h"
#include "base/text.h"

#include <apr_lib.h>
#include <libxml/HTMLparser.h>
#include <limits.h>
#include <string.h>

typedef struct plain_t {
    qlm_buffer_t *out;
    int newlines; /* wanted before the next word */
    int is_gap;   /* a blank is wanted before the next word */
    int pre;      /* how many <pre> are open */
} plain_t;

/* How an element shows. */
typedef struct look_t {
    const char *name;
    int newlines;     /* before and after it */
    int is_hidden;    /* with all that it holds */
    const char *mark; /* written at its start */
} look_t;

static const look_t looks[] = {
    {"address", 1, 0, ""},  {"article", 2, 0, ""}, {"blockquote", 2, 0, ""}, {"br", 0, 0, "\n"},
    {"dd", 1, 0, ""},       {"div", 1, 0, ""},     {"dl", 2, 0, ""},         {"dt", 1, 0, ""},
    {"footer", 2, 0, ""},   {"h1", 2, 0, ""},      {"h2", 2, 0, ""},         {"h3", 2, 0, ""},
    {"h4", 2, 0, ""},       {"h5", 2, 0, ""},      {"h6", 2, 0, ""},         {"head", 0, 1, ""},
    {"header", 2, 0, ""},   {"hr", 1, 0, "----"},  {"li", 1, 0, "- "},       {"ol", 2, 0, ""},
    {"p", 2, 0, ""},        {"pre", 2, 0, ""},     {"script", 0, 1, ""},     {"section", 2, 0, ""},
    {"style", 0, 1, ""},    {"table", 2, 0, ""},   {"td", 0, 0, " "},        {"template", 0, 1, ""},
    {"textarea", 0, 1, ""}, {"th", 0, 0, " "},     {"title", 0, 1, ""},      {"tr", 1, 0, ""},
    {"ul", 2, 0, ""},
};

static const look_t *look_of(const xmlNode *node)
{
    static const look_t inline_look = {"", 0, 0, ""};

    for (size_t i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
        if (strcmp((const char *)node->name, looks[i].name) == 0) {
            return &looks[i];
        }
    }
    return &inline_look;
}

static void want_newlines(plain_t *plain, int newlines)
{
    if (newlines > plain->newlines) {
        plain->newlines = newlines;
    }
}

/* What stands between the former word and the next. */
static void settle(plain_t *plain)
{
    if (plain->newlines > 0 && plain->out->length > 0) {
        qlm_buffer_add(plain->out, plain->newlines > 1 ? "\n\n" : "\n");
    }
    else if (plain->is_gap && plain->out->length > 0 &&
             plain->out->text[plain->out->length - 1] != '\n') {
        qlm_buffer_add(plain->out, " ");
    }
    plain->newlines = 0;
    plain->is_gap = 0;
}

static void write_text(plain_t *plain, const char *text)
{
    while (*text) {
        apr_size_t length = strcspn(text, " \t\r\n");

        if (length > 0) {
            settle(plain);
            qlm_buffer_add_bytes(plain->out, text, length);
            text += length;
            continue;
        }
        if (plain->pre && *text == '\n') {
            plain->newlines = plain->newlines < 2 ? plain->newlines + 1 : 2;
        }
        plain->is_gap = 1;
        text++;
    }
}

static void write_mark(plain_t *plain, const char *mark)
{
    if (strcmp(mark, "\n") == 0) {
        plain->newlines = plain->newlines < 2 ? plain->newlines + 1 : 2;
    }
    else if (*mark == ' ') {
        plain->is_gap = 1;
    }
    else if (*mark) {
        settle(plain);
        qlm_buffer_add(plain->out, mark);
    }
}

/* The address behind a link, unless the text of the link says it already. */
static void write_link(plain_t *plain, xmlNode *node)
{
    xmlChar *href = xmlGetProp(node, BAD_CAST "href");
    xmlChar *said = xmlNodeGetContent(node);
    const char *url = (const char *)href;

    if (url && said && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0) &&
        !strstr((const char *)said, url) && !qlm_text_has_control(url)) {
        write_text(plain, " <");
        qlm_buffer_add(plain->out, url);
        qlm_buffer_add(plain->out, ">");
    }
    xmlFree(href);
    xmlFree(said);
}

/* @return whether to go down into it */
static int open_node(plain_t *plain, const xmlNode *node)
{
    const look_t *look;

    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
        write_text(plain, node->content ? (const char *)node->content : "");
        return 0;
    }
    if (node->type != XML_ELEMENT_NODE) {
        return 0;
    }
    look = look_of(node);
    if (look->is_hidden) {
        return 0;
    }
    want_newlines(plain, look->newlines);
    write_mark(plain, look->mark);
    plain->pre += strcmp(look->name, "pre") == 0;
    return 1;
}

static void close_node(plain_t *plain, xmlNode *node)
{
    const look_t *look = look_of(node);

    if (strcmp((const char *)node->name, "a") == 0) {
        write_link(plain, node);
    }
    plain->pre -= strcmp(look->name, "pre") == 0;
    want_newlines(plain, look->newlines);
}

/* Walk without recursion: the depth is that of whoever wrote the page. */
static void walk(plain_t *plain, xmlNode *root)
{
    xmlNode *node = root;

    while (node) {
        if (open_node(plain, node)) {
            if (node->children) {
                node = node->children;
                continue;
            }
            close_node(plain, node);
        }
        while (node != root && !node->next) {
            node = node->parent;
            close_node(plain, node);
        }
        node = node == root ? NULL : node->next;
    }
}

const char *qlm_mail_text_of_html(const char *html, apr_pool_t *pool)
{
    const char *page = qlm_text_from_latin1_or_utf8(html, pool);
    apr_size_t length = strlen(page);
    plain_t plain = {qlm_buffer_create(length / 2, pool), 0, 0, 0};
    htmlDocPtr document = NULL;
    xmlNode *root;

    if (length > 0 && length <= INT_MAX) {
        document = htmlReadMemory(page, (int)length, NULL, "UTF-8",
                                  HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                      HTML_PARSE_NONET);
    }
    root = document ? xmlDocGetRootElement(document) : NULL;
    if (root) {
        walk(&plain, root);
    }
    xmlFreeDoc(document);
    if (plain.out->length > 0) {
        qlm_buffer_add(plain.out, "\n");
    }
    return plain.out->text;
}
