/* Definitions of product properties: types, checks, looking up. */
#include "license/productproperties.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

/* ---- types ---- */

START_TEST(test_type_names)
{
    static const char *const names[] = {"int", "bool", "string", "ipAddress", "ipSubnet", "csv"};
    qlm_pp_type_t type;

    ck_assert_int_eq(QLM_PP_TYPE_COUNT, 6);
    for (int i = 0; i < QLM_PP_TYPE_COUNT; i++) {
        ck_assert_str_eq(qlm_pp_type_name((qlm_pp_type_t)i), names[i]);
        ck_assert_int_eq(qlm_pp_type_parse(&type, names[i]), 1);
        ck_assert_int_eq(type, i);
    }
    ck_assert_int_eq(qlm_pp_type_parse(&type, "IPADDRESS"), 1);
    ck_assert_int_eq(type, QLM_PP_IP_ADDRESS);
    ck_assert_int_eq(qlm_pp_type_parse(&type, "float"), 0);
    ck_assert_int_eq(qlm_pp_type_parse(&type, ""), 0);
    ck_assert_int_eq(qlm_pp_type_parse(&type, NULL), 0);
}
END_TEST

static const struct {
    qlm_pp_type_t type;
    const char *text, *normal; /* NULL: refused */
} values[] = {
    {QLM_PP_INT, "5", "5"},
    {QLM_PP_INT, "-0005", "-5"},
    {QLM_PP_INT, "2147483647", "2147483647"},
    {QLM_PP_INT, "-2147483648", "-2147483648"},
    {QLM_PP_INT, "2147483648", NULL},
    {QLM_PP_INT, "-2147483649", NULL},
    {QLM_PP_INT, "99999999999999999999999999", NULL},
    {QLM_PP_INT, "", NULL},
    {QLM_PP_INT, "5.0", NULL},
    {QLM_PP_INT, "5x", NULL},
    {QLM_PP_INT, "0x5", NULL},
    {QLM_PP_INT, " 5", NULL}, /* an unescaped + of a URL */
    {QLM_PP_BOOL, "true", "true"},
    {QLM_PP_BOOL, "True", "true"},
    {QLM_PP_BOOL, "1", "true"},
    {QLM_PP_BOOL, "no", "false"},
    {QLM_PP_BOOL, "maybe", NULL},
    {QLM_PP_BOOL, "", NULL},
    {QLM_PP_STRING, "", ""},
    {QLM_PP_STRING, "  two words ", "two words"},
    {QLM_PP_STRING, "<\"'&>", "<\"'&>"},
    {QLM_PP_STRING, "\xC3\xA9", "\xC3\xA9"},
    {QLM_PP_STRING, "\xFF", NULL},
    {QLM_PP_STRING, "a\nb", NULL},
    {QLM_PP_IP_ADDRESS, "192.0.2.7", "192.0.2.7"},
    {QLM_PP_IP_ADDRESS, "2001:db8::7", "2001:db8::7"},
    {QLM_PP_IP_ADDRESS, "::1", "::1"},
    {QLM_PP_IP_ADDRESS, "192.0.2", NULL},
    {QLM_PP_IP_ADDRESS, "192.0.2.256", NULL},
    {QLM_PP_IP_ADDRESS, "localhost", NULL},
    {QLM_PP_IP_ADDRESS, "192.0.2.0/24", NULL},
    {QLM_PP_IP_ADDRESS, "", NULL},
    {QLM_PP_IP_SUBNET, "192.0.2.0/24", "192.0.2.0/24"},
    {QLM_PP_IP_SUBNET, "192.0.2.0/255.255.255.0", "192.0.2.0/255.255.255.0"},
    {QLM_PP_IP_SUBNET, "2001:db8::/32", "2001:db8::/32"},
    {QLM_PP_IP_SUBNET, "192.0.2.0", NULL},
    {QLM_PP_IP_SUBNET, "192.0.2.0/", NULL},
    {QLM_PP_IP_SUBNET, "192.0.2.0/33", NULL},
    {QLM_PP_IP_SUBNET, "2001:db8::/129", NULL},
    {QLM_PP_IP_SUBNET, "192.0.2/24", NULL},
    {QLM_PP_IP_SUBNET, "example.com/24", NULL},
    {QLM_PP_CSV, "a,b,c", "a,b,c"},
    {QLM_PP_CSV, "", ""},
};

START_TEST(test_value)
{
    const char *normal = NULL;
    const char *expected = qlm_pp_read_value(&normal, values[_i].type, values[_i].text, pool);

    if (values[_i].normal) {
        ck_assert_msg(expected == NULL, "%s: %s", values[_i].text, expected);
        ck_assert_str_eq(normal, values[_i].normal);
    }
    else {
        ck_assert_msg(expected != NULL && *expected, "%s was accepted", values[_i].text);
    }
}
END_TEST

START_TEST(test_longest_value)
{
    char *text = apr_pcalloc(pool, QLM_PP_VALUE_MAX + 2);
    const char *normal;

    memset(text, 'x', QLM_PP_VALUE_MAX);
    ck_assert(!qlm_pp_read_value(&normal, QLM_PP_STRING, text, pool));
    text[QLM_PP_VALUE_MAX] = 'x';
    ck_assert(qlm_pp_read_value(&normal, QLM_PP_STRING, text, pool));
}
END_TEST

/* ---- definitions ---- */

static qlm_pp_definition_t define(const char *category, const char *name, qlm_pp_type_t type,
                                  const char *default_value)
{
    qlm_pp_definition_t definition = {category, name, "{g}", type, default_value, "", 0, NULL};

    return definition;
}

static const struct {
    const char *category, *name, *default_value, *help;
    qlm_pp_type_t type;
    const char *word; /* of the message; NULL: accepted */
} definitions[] = {
    {"limits", "seats", "5", "How many", QLM_PP_INT, NULL},
    {"", "seats", "", "", QLM_PP_INT, NULL},
    {"limits", "seats.max", "", "", QLM_PP_INT, NULL},
    {"two words", "and more", "x", "", QLM_PP_STRING, NULL},
    {"limits", "", "", "", QLM_PP_INT, "category.name"},
    {"a.b", "c", "", "", QLM_PP_INT, "a.b.c"},
    {"limits", "a::b", "", "", QLM_PP_INT, "without ::"},
    {"limits", "a|b", "", "", QLM_PP_INT, "a|b"},
    {"limits", " a", "", "", QLM_PP_INT, "name"},
    {"limits\n", "a", "", "", QLM_PP_INT, "name"},
    {"\xFF", "a", "", "", QLM_PP_INT, "name"},
    {"limits", "seats", "many", "", QLM_PP_INT, "default many does not fit type int"},
    {"limits", "seats", "5", "a\nb", QLM_PP_INT, "help"},
};

START_TEST(test_check)
{
    qlm_pp_definition_t definition = define(definitions[_i].category, definitions[_i].name,
                                            definitions[_i].type, definitions[_i].default_value);
    qlm_error_t *error;

    definition.help = definitions[_i].help;
    error = qlm_pp_check_definition(&definition, pool);
    if (definitions[_i].word) {
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
        ck_assert_msg(strstr(error->text, definitions[_i].word) != NULL, "%s", error->text);
    }
    else {
        ck_assert_msg(!error, "%s", error ? error->text : "");
    }
}
END_TEST

START_TEST(test_default_becomes_normal)
{
    qlm_pp_definition_t definition = define("modules", "qa", QLM_PP_BOOL, "Yes");

    ck_assert_ptr_null(qlm_pp_check_definition(&definition, pool));
    ck_assert_str_eq(definition.default_value, "true");
}
END_TEST

START_TEST(test_long_names)
{
    char *name = apr_pcalloc(pool, QLM_PP_NAME_MAX + 2);
    qlm_pp_definition_t definition = define("c", name, QLM_PP_INT, "");

    memset(name, 'n', QLM_PP_NAME_MAX);
    ck_assert_ptr_null(qlm_pp_check_definition(&definition, pool));
    name[QLM_PP_NAME_MAX] = 'n';
    ck_assert_ptr_nonnull(qlm_pp_check_definition(&definition, pool));
}
END_TEST

static qlm_pp_definitions_t *sample(void)
{
    static const char *const names[][2] = {
        {"limits", "seats"}, {"Limits", "Depth"}, {"a", "twin"},
        {"b", "Twin"},       {"", "alone"},       {"x", "with.dot"},
    };
    qlm_pp_definitions_t *made = qlm_pp_definitions_create(pool);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        qlm_pp_definition_t definition = define(names[i][0], names[i][1], QLM_PP_INT, "");

        qlm_pp_definitions_add(made, &definition);
    }
    return made;
}

static const struct {
    const char *text, *found; /* NULL: none */
    int is_ambiguous;
} lookups[] = {
    {"limits.seats", "seats", 0},
    {" LIMITS.Seats ", "seats", 0},
    {"limits.depth", "Depth", 0},
    {"depth", "Depth", 0},       /* the name alone */
    {"other.depth", "Depth", 0}, /* the category informs, the name decides */
    {"a.twin", "twin", 0},
    {"b.twin", "Twin", 0},
    {"twin", NULL, 1},
    {"c.twin", NULL, 1},
    {"alone", "alone", 0},
    {"any.alone", "alone", 0},
    {"x.with.dot", "with.dot", 0},
    {"with.dot", "with.dot", 0},
    {"limits", NULL, 0},
    {"limits.", NULL, 0},
    {".", NULL, 0},
    {"", NULL, 0},
};

START_TEST(test_find)
{
    int is_ambiguous = -1;
    const qlm_pp_definition_t *found =
        qlm_pp_definitions_find(&is_ambiguous, sample(), lookups[_i].text, pool);

    ck_assert_int_eq(is_ambiguous, lookups[_i].is_ambiguous);
    ck_assert_msg((found != NULL) == (lookups[_i].found != NULL), "%s", lookups[_i].text);
    if (found) {
        ck_assert_str_eq(found->name, lookups[_i].found);
    }
}
END_TEST

START_TEST(test_set)
{
    qlm_pp_definitions_t *set = sample();
    int is_ambiguous;

    ck_assert_int_eq(qlm_pp_definitions_count(set), 6);
    ck_assert_str_eq(qlm_pp_definitions_at(set, 1)->name, "Depth");
    ck_assert_int_eq(qlm_pp_definitions_count(NULL), 0);
    ck_assert_ptr_null(qlm_pp_definitions_find(&is_ambiguous, NULL, "seats", pool));
    ck_assert_int_eq(is_ambiguous, 0);
}
END_TEST

START_TEST(test_date)
{
    ck_assert_str_eq(qlm_pp_date(0, pool), "0001-01-01 00:00:00");
    ck_assert_str_eq(qlm_pp_date(1798761599, pool), "2026-12-31 23:59:59");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("productproperties");
    TCase *cases = tcase_create("productproperties");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_type_names);
    tcase_add_loop_test(cases, test_value, 0, (int)(sizeof(values) / sizeof(values[0])));
    tcase_add_test(cases, test_longest_value);
    tcase_add_loop_test(cases, test_check, 0, (int)(sizeof(definitions) / sizeof(definitions[0])));
    tcase_add_test(cases, test_default_becomes_normal);
    tcase_add_test(cases, test_long_names);
    tcase_add_loop_test(cases, test_find, 0, (int)(sizeof(lookups) / sizeof(lookups[0])));
    tcase_add_test(cases, test_set);
    tcase_add_test(cases, test_date);
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
