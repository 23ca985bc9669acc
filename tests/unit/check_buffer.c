/* The growing text, and its escapes as an XML parser reads them back. */
#include "base/buffer.h"

#include "base/text.h"
#include "unit/awkward.h"
#include "unit/exact.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>

static apr_pool_t *pool;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
    xmlCleanupParser();
}

static const char *xml(const char *text)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);

    qlm_buffer_add_xml(buffer, text);
    ck_assert_uint_eq(buffer->length, strlen(buffer->text));
    return buffer->text;
}

static const char *attribute(const char *text)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);

    qlm_buffer_add_attribute(buffer, text);
    ck_assert_uint_eq(buffer->length, strlen(buffer->text));
    return buffer->text;
}

/* ---- growing ---- */

START_TEST(begins_empty)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);

    ck_assert_str_eq(buffer->text, "");
    ck_assert_uint_eq(buffer->length, 0);
    qlm_buffer_add(buffer, "");
    qlm_buffer_add_bytes(buffer, NULL, 0);
    qlm_buffer_add_xml(buffer, NULL);
    qlm_buffer_add_attribute(buffer, NULL);
    ck_assert_str_eq(buffer->text, "");
}
END_TEST

/* Around every limit: the terminator has its place. */
START_TEST(grows_by_single_bytes_and_by_much)
{
    for (apr_size_t capacity = 0; capacity < 300; capacity += 7) {
        qlm_buffer_t *buffer = qlm_buffer_create(capacity, pool);

        for (apr_size_t i = 0; i < 1000; i++) {
            char c = (char)('a' + i % 26);

            qlm_buffer_add_bytes(buffer, &c, 1);
            ck_assert_uint_eq(buffer->length, i + 1);
            ck_assert_uint_lt(buffer->length, buffer->capacity);
            ck_assert_int_eq(buffer->text[i], c);
            ck_assert_int_eq(buffer->text[i + 1], '\0');
        }
        ck_assert_uint_eq(strlen(buffer->text), 1000);
    }
    for (apr_size_t length = 0; length < 300; length++) {
        char *piece = memset(apr_pcalloc(pool, length + 1), 'x', length);
        qlm_buffer_t *buffer = qlm_buffer_create(64, pool);

        qlm_buffer_add(buffer, "begin");
        qlm_buffer_add_bytes(buffer, exact_bytes(piece, length, pool), length);
        qlm_buffer_add(buffer, "end");
        ck_assert_uint_eq(buffer->length, length + 8);
        ck_assert_str_eq(buffer->text, apr_pstrcat(pool, "begin", piece, "end", NULL));
    }
}
END_TEST

START_TEST(much_at_once)
{
    apr_size_t length = 3000000;
    char *much = memset(malloc(length), 'y', length);
    qlm_buffer_t *buffer = qlm_buffer_create(10, pool);

    qlm_buffer_add(buffer, "x");
    qlm_buffer_add_bytes(buffer, much, length);
    ck_assert_uint_eq(buffer->length, length + 1);
    ck_assert_int_eq(memcmp(buffer->text + 1, much, length), 0);
    ck_assert_int_eq(buffer->text[length + 1], '\0');
    free(much);
}
END_TEST

START_TEST(formatted)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);

    qlm_buffer_addf(buffer, "%d/%s/%02x", -7, "a & b", 10);
    ck_assert_str_eq(buffer->text, "-7/a & b/0a");
    qlm_buffer_addf(buffer, "%200s", "x");
    ck_assert_uint_eq(buffer->length, 211);
    /* its own text may be among the arguments */
    buffer = qlm_buffer_create(0, pool);
    qlm_buffer_add(buffer, "twice ");
    qlm_buffer_addf(buffer, "%s", buffer->text);
    ck_assert_str_eq(buffer->text, "twice twice ");
}
END_TEST

/* ---- escapes ---- */

START_TEST(character_data)
{
    ck_assert_str_eq(xml("a < b & c > d"), "a &lt; b &amp; c &gt; d");
    ck_assert_str_eq(xml("\"quotes\" 'stay'"), "\"quotes\" 'stay'");
    ck_assert_str_eq(xml("a\r\nb\tc\n"), "a&#xD;\nb\tc\n");
    ck_assert_str_eq(xml("]]>"), "]]&gt;");
    ck_assert_str_eq(xml("&amp;"), "&amp;amp;");
    ck_assert_str_eq(xml("<<<>>>&&&"), "&lt;&lt;&lt;&gt;&gt;&gt;&amp;&amp;&amp;");
    ck_assert_str_eq(xml(""), "");
    ck_assert_str_eq(xml("\x7f\xc2\x80\xc3\xbc"), "\x7f\xc2\x80\xc3\xbc");
}
END_TEST

START_TEST(attribute_values)
{
    ck_assert_str_eq(attribute("\"a\" 'b' <c> & d"), "&quot;a&quot; &#39;b&#39; &lt;c&gt; &amp; d");
    ck_assert_str_eq(attribute("a\r\n\tb"), "a&#xD;&#xA;&#x9;b");
    ck_assert_str_eq(attribute("x\" onclick=\"y"), "x&quot; onclick=&quot;y");
    ck_assert_str_eq(attribute(""), "");
}
END_TEST

START_TEST(forbidden_characters_are_dropped)
{
    static const struct {
        const char *text, *left;
    } cases[] = {
        {"a\x01\x08\x0b\x0c\x0e\x1f"
         "b",
         "ab"},
        {"\x01", ""},
        {"a\x80\xbf\xff\xfe"
         "b",
         "ab"},
        {"\xc0\xbc", ""},                 /* an overlong < */
        {"\xe0\x80\xbc", ""},             /* in three */
        {"\xf0\x80\x80\xbc", ""},         /* in four */
        {"\xed\xa0\x80\xed\xbf\xbf", ""}, /* surrogates */
        {"\xef\xbf\xbe|\xef\xbf\xbf", "|"},
        {"\xf4\x90\x80\x80", ""},
        {"\xc3", ""}, /* cut off */
        {"\xe2\x82", ""},
        {"\xf0\x9f\x94", ""},
        {"\xc3<", "&lt;"}, /* what follows is looked at again */
        {"\xe2\x82<", "&lt;"},
        {"\xf0\x9f\x94&", "&amp;"},
        {"\xc3\xc3\xbc", "\xc3\xbc"},
        {"<\x01>", "&lt;&gt;"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        ck_assert_str_eq(xml(exact(cases[i].text, pool)), cases[i].left);
        ck_assert_str_eq(attribute(exact(cases[i].text, pool)), cases[i].left);
    }
}
END_TEST

/* What an XML parser reads, as content and as attribute value. */
static void parsed_is(const char *text, const char *expected)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);
    xmlDocPtr document;
    xmlChar *content, *value;

    qlm_buffer_add(buffer, "<a b=\"");
    qlm_buffer_add_attribute(buffer, text);
    qlm_buffer_add(buffer, "\">");
    qlm_buffer_add_xml(buffer, text);
    qlm_buffer_add(buffer, "</a>");
    document = xmlReadMemory(buffer->text, (int)buffer->length, NULL, "UTF-8", XML_PARSE_NONET);
    ck_assert_msg(document != NULL, "no XML: %s", buffer->text);
    content = xmlNodeGetContent(xmlDocGetRootElement(document));
    value = xmlGetProp(xmlDocGetRootElement(document), (const xmlChar *)"b");
    ck_assert_str_eq((const char *)content, expected);
    ck_assert_str_eq((const char *)value, expected);
    xmlFree(content);
    xmlFree(value);
    xmlFreeDoc(document);
}

/* `text` without what XML forbids. */
static const char *allowed(const char *text)
{
    char *made = apr_pcalloc(pool, strlen(text) + 1);
    char *to = made;

    while (*text) {
        apr_size_t length = qlm_text_xml_character(text);

        memcpy(to, text, length);
        to += length;
        text += length ? length : 1;
    }
    return made;
}

START_TEST(a_parser_reads_what_was_written)
{
    for (int i = 0; i < AWKWARD_TEXTS; i++) {
        parsed_is(awkward_texts[i], allowed(awkward_texts[i]));
    }
}
END_TEST

START_TEST(a_parser_reads_any_two_bytes)
{
    for (int first = 1; first < 256; first++) {
        char text[64 * 3 + 1];

        for (int second = 0; second < 256; second += 64) {
            char *to = text;

            for (int c = second ? second : 1; c < second + 64; c++) {
                *to++ = (char)first;
                *to++ = (char)c;
                *to++ = '.';
            }
            *to = '\0';
            parsed_is(exact(text, pool), allowed(text));
        }
    }
}
END_TEST

START_TEST(elements)
{
    qlm_buffer_t *buffer = qlm_buffer_create(0, pool);

    qlm_buffer_add_element(buffer, "name", "a<b");
    qlm_buffer_add_element(buffer, "empty", "");
    qlm_buffer_add_element(buffer, "none", NULL);
    ck_assert_str_eq(buffer->text, "<name>a&lt;b</name><empty></empty><none></none>");
    ck_assert_uint_eq(buffer->length, strlen(buffer->text));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("buffer");
    TCase *tests = tcase_create("buffer");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, begins_empty);
    tcase_add_test(tests, grows_by_single_bytes_and_by_much);
    tcase_add_test(tests, much_at_once);
    tcase_add_test(tests, formatted);
    tcase_add_test(tests, character_data);
    tcase_add_test(tests, attribute_values);
    tcase_add_test(tests, forbidden_characters_are_dropped);
    tcase_add_test(tests, a_parser_reads_what_was_written);
    tcase_add_test(tests, a_parser_reads_any_two_bytes);
    tcase_add_test(tests, elements);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
