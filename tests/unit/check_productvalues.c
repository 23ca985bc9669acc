/* Values of product properties: is_pp, what is stored, the XML. */
#include "license/productvalues.h"
#include "unit/awkward.h"

#include "base/text.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define NOW   ((apr_int64_t)1795200000) /* 2026-11-20 18:40:00 */
#define UNSET "0001-01-01 00:00:00"

static apr_pool_t *pool;
static qlm_pp_definitions_t *definitions;

static void define(const char *category, const char *name, qlm_pp_type_t type,
                   const char *default_value)
{
    qlm_pp_definition_t definition = {
        category, name, apr_pstrcat(pool, "{", name, "}", NULL), type, default_value, "help",
        NOW - 60, NULL};

    qlm_pp_definitions_add(definitions, &definition);
}

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    definitions = qlm_pp_definitions_create(pool);
    define("limits", "seats", QLM_PP_INT, "5");
    define("limits", "credits", QLM_PP_INT, "");
    define("modules", "qa", QLM_PP_BOOL, "false");
    define("modules", "Title", QLM_PP_STRING, "none");
    define("net", "host", QLM_PP_IP_ADDRESS, "");
    define("net", "range", QLM_PP_IP_SUBNET, "");
    define("net", "names", QLM_PP_CSV, "");
    define("a", "twin", QLM_PP_INT, "");
    define("b", "twin", QLM_PP_INT, "");
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* The property of a key as it is at `when`. */
static const qlm_pp_value_t *value_at(const char *stored, const char *key, apr_int64_t when)
{
    apr_array_header_t *list = qlm_pp_values(stored, definitions, when, pool);
    int is_ambiguous;

    ck_assert_int_eq(list->nelts, qlm_pp_definitions_count(definitions));
    for (int i = 0; i < list->nelts; i++) {
        const qlm_pp_value_t *value = &APR_ARRAY_IDX(list, i, qlm_pp_value_t);

        if (value->definition == qlm_pp_definitions_find(&is_ambiguous, definitions, key, pool)) {
            return value;
        }
    }
    ck_abort_msg("no property %s", key);
    return NULL;
}

static const char *value_of(const char *stored, const char *key)
{
    return value_at(stored, key, NOW)->value;
}

static const char *apply(const char *stored, const char *is_pp)
{
    const char *changed = NULL;
    qlm_error_t *error = qlm_pp_apply(&changed, stored, is_pp, definitions, NOW, pool);

    ck_assert_msg(!error, "%.100s: %s", is_pp, error ? error->text : "");
    return changed;
}

static const char *refused(const char *stored, const char *is_pp)
{
    const char *changed = "untouched";
    qlm_error_t *error = qlm_pp_apply(&changed, stored, is_pp, definitions, NOW, pool);

    ck_assert_msg(error != NULL, "%.100s was accepted", is_pp);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_str_eq(changed, "untouched");
    return error->text;
}

/* ---- setting ---- */

static const struct {
    const char *is_pp, *key, *value;
} good[] = {
    {"limits.seats::7", "limits.seats", "7"},
    {" LIMITS.Seats::007 ", "limits.seats", "7"},
    {"seats::7", "limits.seats", "7"},
    {"other.seats::7", "limits.seats", "7"},
    {"a.twin::1||b.twin::2", "b.twin", "2"},
    {"modules.qa::True", "modules.qa", "true"},
    {"modules.title::a | b : c; d=e", "modules.title", "a | b : c; d=e"},
    {"modules.title::", "modules.title", ""},
    {"modules.title::x::", "modules.title", "x"},
    {"modules.title::a::b::2027-12-31", "modules.title", "a::b"},
    {"net.host::192.0.2.7", "net.host", "192.0.2.7"},
    {"net.host::2001:db8::7", "net.host", "2001:db8::7"},
    {"net.host::::1", "net.host", "::1"},
    {"net.host::fe80::::2027-12-31", "net.host", "fe80::"},
    {"net.range::2001:db8::/32::2027-12-31", "net.range", "2001:db8::/32"},
    {"net.names::a,b;c", "net.names", "a,b;c"},
    {"||limits.seats::7||||", "limits.seats", "7"},
    {"limits.seats::7||limits.seats::8", "limits.seats", "8"},
    {"limits.seats::+2", "limits.seats", "7"}, /* added to the default */
    {"limits.seats::-2", "limits.seats", "3"},
    {"limits.seats::-7", "limits.seats", "-2"},
    {"limits.credits::+2", "limits.credits", "2"}, /* no default counts as 0 */
    {"limits.seats::10||limits.seats::+5||limits.seats::-1", "limits.seats", "14"},
    {"limits.seats::2147483640||limits.seats::+7", "limits.seats", "2147483647"},
    {"modules.title::+2", "modules.title", "+2"}, /* only numbers are added */
};

START_TEST(test_good)
{
    const char *stored = apply("", good[_i].is_pp);

    ck_assert_str_eq(value_of(stored, good[_i].key), good[_i].value);
    ck_assert_int_eq(value_at(stored, good[_i].key, NOW)->is_set, 1);
    ck_assert_int_eq(value_at(stored, good[_i].key, NOW)->updated_at, NOW);
    ck_assert_str_eq(value_of(stored, "modules.qa"),
                     strstr(good[_i].key, "qa") ? good[_i].value : "false");
}
END_TEST

static const struct {
    const char *is_pp, *word;
} bad[] = {
    {"limits.seats", "category.name::value"},
    {"limits.modul::3", "no such property"},
    {"limits.modul::3", "limits.modul::3"}, /* which one */
    {"limits.seats::7||nothing.there::1", "nothing.there::1"},
    {"twin::1", "several properties"},
    {"::1", "no such property"},
    {"limits.seats::", "whole number"},
    {"limits.seats::many", "whole number"},
    {"limits.seats:: 2", "%2B"},
    {"limits.seats::2147483648", "whole number"},
    {"limits.seats::+", "after the sign"},
    {"limits.seats::+x", "after the sign"},
    {"limits.seats::++2", "after the sign"},
    {"limits.seats::+2147483648", "after the sign"},
    {"limits.seats::2147483647||limits.seats::+1", "leave the range"},
    {"limits.seats::-2147483647||limits.seats::-2147483647", "leave the range"},
    {"modules.qa::maybe", "true or false"},
    {"modules.qa::2027-12-31", "true or false"}, /* a lone second field is the value */
    {"net.host::example.com", "IP address"},
    {"net.range::192.0.2.0", "subnet"},
    {"limits.seats::7::tomorrow", "date"},
    {"limits.seats::7::2027-02-30", "date"},
    {"limits.seats::7::2027-12-31::x", "date"},
    {"modules.title::a::b", "date"},
    {"modules.title::\xFF", "UTF-8"},
    {"modules.title::a\x01", "control"},
};

START_TEST(test_bad)
{
    const char *text = refused("", bad[_i].is_pp);

    ck_assert_msg(strstr(text, bad[_i].word) != NULL, "%s: %s", bad[_i].is_pp, text);
}
END_TEST

/* What is not named stays, and so does what is stored of properties that are not defined now. */
START_TEST(test_others_stay)
{
    const char *stored = apply("", "limits.seats::7||modules.qa::true");
    const char *again;

    again = apply(stored, "limits.seats::+1");
    ck_assert_str_eq(value_of(again, "limits.seats"), "8");
    ck_assert_str_eq(value_of(again, "modules.qa"), "true");
    again = apply("gone.by\t1\t1\t0\n", "limits.seats::1");
    ck_assert_str_eq(again, "gone.by\t1\t1\t0\nlimits.seats\t1\t1795200000\t0\n");
    ck_assert_str_eq(apply(stored, ""), stored);
    ck_assert_str_eq(apply("", ""), "");
}
END_TEST

START_TEST(test_not_defined)
{
    const char *changed;
    qlm_error_t *error = qlm_pp_apply(&changed, "", "limits.seats::7", NULL, NOW, pool);

    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_nonnull(strstr(error->text, "define it"));
}
END_TEST

static const char *many(int count)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 18 + 1);
    char *at = text;

    for (int i = 0; i < count; i++) {
        at += apr_snprintf(at, 19, "limits.seats::+1||");
    }
    return text;
}

START_TEST(test_many)
{
    ck_assert_str_eq(value_of(apply("", many(QLM_PP_ENTRIES_MAX)), "limits.seats"), "505");
    ck_assert_ptr_nonnull(strstr(refused("", many(QLM_PP_ENTRIES_MAX + 1)), "at most 500"));
    ck_assert_ptr_nonnull(strstr(refused("", many(10000)), "at most 500"));
}
END_TEST

START_TEST(test_too_much)
{
    const char *is_pp = "";

    for (int i = 0; i < 100; i++) {
        define("big", apr_psprintf(pool, "n%d", i), QLM_PP_STRING, "");
        is_pp = apr_psprintf(pool, "%s||n%d::%0*d", is_pp, i, QLM_PP_VALUE_MAX, i);
    }
    ck_assert_ptr_nonnull(strstr(refused("", is_pp), "65000 bytes"));
}
END_TEST

/* ---- expiry ---- */

START_TEST(test_expiry)
{
    const char *stored =
        apply("", "limits.seats::7::2026-12-31 18:00:00||modules.qa::1::2026-12-31");
    const qlm_pp_value_t *value = value_at(stored, "limits.seats", NOW);
    apr_int64_t end = value->expires_at;

    ck_assert_int_eq(end, 1798740000);
    ck_assert_str_eq(value_at(stored, "limits.seats", end)->value, "7");
    value = value_at(stored, "limits.seats", end + 1);
    ck_assert_str_eq(value->value, "5");
    ck_assert_int_eq(value->is_set, 0);
    ck_assert_int_eq(value->expires_at, 0);
    ck_assert_int_eq(value->updated_at, 0);
    /* a date means through that day */
    ck_assert_int_eq(value_at(stored, "modules.qa", NOW)->expires_at, 1798761599);
    ck_assert_str_eq(value_at(stored, "modules.qa", 1798761599)->value, "true");
    ck_assert_str_eq(value_at(stored, "modules.qa", 1798761600)->value, "false");
}
END_TEST

START_TEST(test_expiry_and_arithmetic)
{
    const char *stored = apply("", "limits.seats::7::2026-12-31");

    /* adding keeps the date, unless it gives one; setting does not */
    ck_assert_int_eq(value_at(apply(stored, "seats::+1"), "seats", NOW)->expires_at, 1798761599);
    ck_assert_int_eq(value_at(apply(stored, "seats::-1::2026-12-30"), "seats", NOW)->expires_at,
                     1798761599 - 86400);
    ck_assert_int_eq(value_at(apply(stored, "seats::8"), "seats", NOW)->expires_at, 0);
    /* what has expired is the default again */
    stored = apply("", "limits.seats::70::1970-01-01 00:00:00");
    ck_assert_str_eq(value_of(stored, "seats"), "5");
    stored = apply("", "limits.seats::70::2025-01-01");
    ck_assert_str_eq(value_of(stored, "seats"), "5");
    stored = apply(stored, "limits.seats::+1");
    ck_assert_str_eq(value_of(stored, "seats"), "6");
    ck_assert_int_eq(value_at(stored, "seats", NOW)->expires_at, 0);
}
END_TEST

/* ---- orders ---- */

START_TEST(test_order_leaves_out_what_is_bad)
{
    const char *oddity = NULL;
    const char *stored = qlm_pp_apply_order(
        &oddity, "", "limits.seats::7||limits.modul::3||modules.qa::maybe||net.names::a,b",
        definitions, NOW, pool);

    ck_assert_str_eq(value_of(stored, "limits.seats"), "7");
    ck_assert_str_eq(value_of(stored, "modules.qa"), "false");
    ck_assert_str_eq(value_of(stored, "net.names"), "a,b");
    ck_assert_ptr_nonnull(oddity);
    ck_assert_ptr_nonnull(strstr(oddity, "limits.modul::3"));
    ck_assert_ptr_nonnull(strstr(oddity, "1 more"));
}
END_TEST

START_TEST(test_order_without_oddity)
{
    const char *oddity = NULL;

    ck_assert_str_eq(qlm_pp_apply_order(&oddity, "", "", definitions, NOW, pool), "");
    ck_assert_str_eq(
        value_of(qlm_pp_apply_order(&oddity, "", "seats::+2", definitions, NOW, pool), "seats"),
        "7");
    ck_assert_ptr_null(oddity);
}
END_TEST

START_TEST(test_order_of_ten_thousand)
{
    const char *oddity = NULL;
    const char *stored = qlm_pp_apply_order(&oddity, "", many(10000), definitions, NOW, pool);

    ck_assert_str_eq(value_of(stored, "limits.seats"), "505");
    ck_assert_ptr_nonnull(strstr(oddity, "at most 500"));
    oddity = NULL;
    stored = qlm_pp_apply_order(&oddity, "", "no way", definitions, NOW, pool);
    ck_assert_str_eq(stored, "");
    ck_assert_ptr_nonnull(oddity);
}
END_TEST

/* A paid renewal adds to what there is. */
START_TEST(test_order_of_a_known_license)
{
    const char *oddity = NULL;
    const char *stored = apply("", "limits.seats::7||modules.qa::true");

    stored =
        qlm_pp_apply_order(&oddity, stored, "limits.seats::+3||x.y::1", definitions, NOW, pool);
    ck_assert_str_eq(value_of(stored, "limits.seats"), "10");
    ck_assert_str_eq(value_of(stored, "modules.qa"), "true");
    ck_assert_ptr_nonnull(strstr(oddity, "x.y::1"));
    ck_assert_str_eq(qlm_pp_apply_order(&oddity, stored, "", definitions, NOW, pool), stored);
}
END_TEST

/* Defined later than sold: nothing is lost. */
START_TEST(test_order_before_the_definitions)
{
    const char *oddity = NULL;
    const char *stored =
        qlm_pp_apply_order(&oddity, "", "limits.seats::7||x.y::1", NULL, NOW, pool);

    ck_assert_str_eq(stored, "limits.seats::7||x.y::1");
    ck_assert_ptr_nonnull(strstr(oddity, "defines no properties"));
    ck_assert_str_eq(value_of(stored, "limits.seats"), "7");
    ck_assert_int_eq(value_at(stored, "limits.seats", NOW)->updated_at, 0);
    stored = apply(stored, "limits.seats::+1");
    ck_assert_str_eq(stored, "limits.seats\t8\t1795200000\t0\n");
    ck_assert_str_eq(value_of(stored, "limits.seats"), "8");
    ck_assert_str_eq(qlm_pp_apply_order(&oddity, "", "a\tb", NULL, NOW, pool), "");
    ck_assert_str_eq(qlm_pp_apply_order(&oddity, "a.b::1", "a.b::+1", NULL, NOW, pool),
                     "a.b::1||a.b::+1");
    ck_assert_str_eq(qlm_pp_apply_order(&oddity, stored, "a.b::1", NULL, NOW, pool), stored);
}
END_TEST

/* ---- what is stored ---- */

static const char *const damaged[] = {
    "limits.seats\t7\t1\t0",          /* no line end: cut off */
    "limits.seats\t7\t1\n",           /* too few parts */
    "limits.seats\t7\t1\t0\t0\n",     /* too many */
    "limits.seats\t7\t1\tx\n",        /* no number */
    "limits.seats\t7\t-1\t0\n",       /* no time */
    "limits.seats\tmany\t1\t0\n",     /* no value of that type */
    "limits.seats\t7\t1\t2\n",        /* expired long ago */
    "limits.seats\t\t1\t0\n",         /* nothing */
    "\t\t\t\n\n\t7\t1\t0\n",          /* no name */
    "{\"limits.seats\":[\"7\",1,0]}", /* of some other program */
    "||",
    "limits.seats",
};

START_TEST(test_damaged)
{
    ck_assert_str_eq(value_of(damaged[_i], "limits.seats"), "5");
    ck_assert_str_eq(value_of(apply(damaged[_i], "limits.seats::+1"), "limits.seats"), "6");
}
END_TEST

START_TEST(test_stored_form)
{
    ck_assert_str_eq(apply("", "limits.seats::7"), "limits.seats\t7\t1795200000\t0\n");
    ck_assert_str_eq(apply("", "Limits.Seats::7::2026-12-31"),
                     "limits.seats\t7\t1795200000\t1798761599\n");
}
END_TEST

/* ---- the XML ---- */

static const char *attribute(xmlNodePtr node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    const char *copy;

    ck_assert_msg(value != NULL, "no attribute %s", name);
    copy = apr_pstrdup(pool, (const char *)value);
    xmlFree(value);
    return copy;
}

static xmlDocPtr parse(const char *xml)
{
    xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);

    ck_assert_msg(doc != NULL, "not well-formed: %s", xml);
    return doc;
}

START_TEST(test_xml)
{
    qlm_pp_definitions_t *one = qlm_pp_definitions_create(pool);
    qlm_pp_definition_t definition = {"limits", "seats", "{0-1}",    QLM_PP_INT,
                                      "5",      "a<b",   1700000000, NULL};

    ck_assert_str_eq(qlm_pp_write("", NULL, NOW, pool), "");
    ck_assert_str_eq(qlm_pp_write("", one, NOW, pool), "");
    qlm_pp_definitions_add(one, &definition);
    ck_assert_str_eq(
        qlm_pp_write("", one, NOW, pool),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><ProductProperties><Property ID=\"{0-1}\" "
        "name=\"seats\" category=\"limits\" defaultValue=\"5\" value=\"5\" type=\"int\" "
        "help=\"a&lt;b\" lastDefinitionUpdate=\"2023-11-14 22:13:20\" "
        "lastValueUpdate=\"" UNSET "\" expiryDate=\"" UNSET "\" operation=\"None\"/>"
        "</ProductProperties>");
    ck_assert_ptr_nonnull(strstr(
        qlm_pp_write(apply("", "seats::7::2026-12-31"), one, NOW, pool),
        " defaultValue=\"5\" value=\"7\" type=\"int\" help=\"a&lt;b\" "
        "lastDefinitionUpdate=\"2023-11-14 22:13:20\" lastValueUpdate=\"2026-11-20 18:40:00\" "
        "expiryDate=\"2026-12-31 23:59:59\" operation=\"None\"/>"));
}
END_TEST

/* Any text in any place: what libxml2 reads is what was written, but for what XML forbids. */
START_TEST(test_awkward_xml)
{
    const char *text = awkward_texts[_i];
    const char *clean = qlm_text_clean(text, QLM_PP_VALUE_MAX, pool);
    qlm_pp_definitions_t *one = qlm_pp_definitions_create(pool);
    qlm_pp_definition_t definition = {clean, clean, clean, QLM_PP_STRING, clean, clean, 0, NULL};
    xmlDocPtr doc;
    xmlNodePtr node;

    qlm_pp_definitions_add(one, &definition);
    doc = parse(qlm_pp_write("", one, NOW, pool));
    node = xmlDocGetRootElement(doc)->children;
    ck_assert_str_eq((const char *)node->name, "Property");
    ck_assert_ptr_null(node->next);
    ck_assert_str_eq(attribute(node, "name"), clean);
    ck_assert_str_eq(attribute(node, "category"), clean);
    ck_assert_str_eq(attribute(node, "defaultValue"), clean);
    ck_assert_str_eq(attribute(node, "value"), clean);
    ck_assert_str_eq(attribute(node, "help"), clean);
    ck_assert_str_eq(attribute(node, "ID"), clean);
    xmlFreeDoc(doc);
    if (strstr(clean, "::")) {
        return;
    }
    doc = parse(qlm_pp_write(apply("", apr_pstrcat(pool, "modules.title::", clean, NULL)),
                             definitions, NOW, pool));
    node = xmlDocGetRootElement(doc)->children->next->next->next;
    ck_assert_str_eq(attribute(node, "name"), "Title");
    ck_assert_str_eq(attribute(node, "value"), clean);
    xmlFreeDoc(doc);
}
END_TEST

/* The attributes and their order, of every row. */
START_TEST(test_attributes)
{
    static const char *const names[] = {
        "ID",
        "name",
        "category",
        "defaultValue",
        "value",
        "type",
        "help",
        "lastDefinitionUpdate",
        "lastValueUpdate",
        "expiryDate",
        "operation",
    };
    xmlDocPtr doc = parse(qlm_pp_write(apply("", "seats::1"), definitions, NOW, pool));
    int rows = 0;

    for (xmlNodePtr node = xmlDocGetRootElement(doc)->children; node; node = node->next) {
        const xmlAttr *at = node->properties;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++, at = at->next) {
            ck_assert_ptr_nonnull(at);
            ck_assert_str_eq((const char *)at->name, names[i]);
        }
        ck_assert_ptr_null(at);
        rows++;
    }
    ck_assert_int_eq(rows, qlm_pp_definitions_count(definitions));
    xmlFreeDoc(doc);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("productvalues");
    TCase *cases = tcase_create("productvalues");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_loop_test(cases, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(cases, test_others_stay);
    tcase_add_test(cases, test_not_defined);
    tcase_add_test(cases, test_many);
    tcase_add_test(cases, test_too_much);
    tcase_add_test(cases, test_expiry);
    tcase_add_test(cases, test_expiry_and_arithmetic);
    tcase_add_test(cases, test_order_leaves_out_what_is_bad);
    tcase_add_test(cases, test_order_without_oddity);
    tcase_add_test(cases, test_order_of_a_known_license);
    tcase_add_test(cases, test_order_of_ten_thousand);
    tcase_add_test(cases, test_order_before_the_definitions);
    tcase_add_loop_test(cases, test_damaged, 0, (int)(sizeof(damaged) / sizeof(damaged[0])));
    tcase_add_test(cases, test_stored_form);
    tcase_add_test(cases, test_xml);
    tcase_add_loop_test(cases, test_awkward_xml, 0, AWKWARD_TEXTS);
    tcase_add_test(cases, test_attributes);
    suite_add_tcase(suite, cases);
    return suite;
}

int main(void)
{
    SRunner *runner;
    int failed;

    apr_initialize();
    runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
