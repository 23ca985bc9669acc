/* The tables of methods and arguments: in order, complete, and fit to be shown. */
#include "service/methods.h"

#include "unit/exact.h"

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>

#define METHODS_PAGE QLM_VECTORS "/../../docs/methods.md"

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
}

static int takes(const qlm_method_t *method, qlm_argument_t argument)
{
    for (const qlm_parameter_t *p = method->parameters; p->argument != QLM_ARGUMENT_NONE; p++) {
        if (p->argument == argument) {
            return p->is_required ? 2 : 1;
        }
    }
    return 0;
}

/* ---- methods ---- */

START_TEST(methods_are_in_alphabetical_order)
{
    const char *before = "";
    int count = 0;

    for (const qlm_method_t *method = qlm_methods; method->name; method++, count++) {
        ck_assert_msg(strcasecmp(before, method->name) < 0, "%s before %s", before, method->name);
        before = method->name;
    }
    ck_assert_int_ge(count, 5);
}
END_TEST

START_TEST(aliases_lead_to_methods)
{
    for (const qlm_method_alias_t *alias = qlm_method_aliases; alias->name; alias++) {
        ck_assert_str_ne(alias->name, alias->method);
        ck_assert_ptr_eq(qlm_method_find(alias->name), qlm_method_find(alias->method));
        for (const qlm_method_t *method = qlm_methods; method->name; method++) {
            ck_assert_str_ne(alias->name, method->name);
        }
    }
}
END_TEST

START_TEST(every_method_is_complete)
{
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        apr_size_t length = strlen(method->summary);

        ck_assert_ptr_nonnull(method->run);
        ck_assert_ptr_nonnull(method->parameters);
        ck_assert_msg(length > 10 && method->summary[length - 1] == '.', "%s", method->summary);
        /* a path segment that needs no escaping, in the URL and in the index page */
        ck_assert_uint_eq(
            strspn(method->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            strlen(method->name));
    }
}
END_TEST

START_TEST(gates_are_switches)
{
    int count = 0;

    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        if (method->gate == -1) {
            continue;
        }
        ck_assert_int_ge(method->gate, 0);
        ck_assert_int_lt(method->gate, QLM_PROPERTY_COUNT);
        ck_assert_msg(qlm_property_row((qlm_property_t)method->gate)->type == QLM_PROPERTY_BOOL,
                      "%s", method->name);
        count++;
    }
    ck_assert_int_gt(count, 0);
}
END_TEST

/* Webhooks, maintenance plans and customers are switched off with their vendor. */
static int has_no_switch(const qlm_method_t *method)
{
    static const char *const names[] = {"EnableMaintenancePlan", "QlmWebHookHandler",
                                        "RenewMaintenancePlan", "UpdateUserInformation"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(method->name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Whoever may create keys proves who he is, and his answers are his translator's. */
START_TEST(permissions_fit_the_arguments)
{
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        int is_closed = method->permission != QLM_PERMISSION_PUBLIC;

        ck_assert_msg(takes(method, QLM_ARGUMENT_VENDOR) == is_closed, "%s", method->name);
        ck_assert_msg(takes(method, QLM_ARGUMENT_USER) == is_closed, "%s", method->name);
        ck_assert_msg(takes(method, QLM_ARGUMENT_PWD) == is_closed, "%s", method->name);
        ck_assert(method->form != QLM_FORM_VENDOR || method->permission == QLM_PERMISSION_VENDOR);
        if (method->permission == QLM_PERMISSION_VENDOR) {
            ck_assert_msg((method->gate == -1) == has_no_switch(method),
                          "%s cannot be switched off", method->name);
        }
        if (method->form == QLM_FORM_DOCUMENT) {
            ck_assert_int_eq(takes(method, QLM_ARGUMENT_KEY) + takes(method, QLM_ARGUMENT_CODE), 2);
            ck_assert_int_eq(takes(method, QLM_ARGUMENT_SIGN), 1);
        }
    }
}
END_TEST

START_TEST(no_parameter_stands_twice)
{
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        int seen[QLM_ARGUMENT_COUNT] = {0};

        for (const qlm_parameter_t *p = method->parameters; p->argument != QLM_ARGUMENT_NONE; p++) {
            ck_assert_int_lt((int)p->argument, QLM_ARGUMENT_COUNT);
            ck_assert_msg(!seen[p->argument]++, "%s: %s", method->name,
                          qlm_argument_name(p->argument, pool));
        }
    }
}
END_TEST

START_TEST(methods_are_found_by_other_names)
{
    ck_assert_ptr_eq(qlm_method_find("activatelicensebyauthorizationcodehttp"),
                     qlm_method_find("ActivateKeyByAuthorizationCodeHttp"));
    ck_assert_ptr_nonnull(qlm_method_find("ActivateLicenseByAuthorizationCodeHttp"));
}
END_TEST

START_TEST(methods_are_found_by_name)
{
    static const char *const none[] = {"",           " ",         "Ping",
                                       "PingHttpX",  "PingHttp ", " PingHttp",
                                       "/PingHttp",  "PingHttp/", "P\xc4\xb1ngHttp",
                                       "%50ingHttp", "(null)"};

    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        char *name = apr_pstrdup(pool, method->name);

        ck_assert_ptr_eq(qlm_method_find(name), method);
        for (char *p = name; *p; p++) {
            *p = (char)(*p ^ 0x20);
        }
        ck_assert_ptr_eq(qlm_method_find(name), method);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        ck_assert_msg(!qlm_method_find(exact(none[i], pool)), "\"%s\"", none[i]);
    }
}
END_TEST

/* ---- arguments ---- */

START_TEST(every_argument_is_taken_and_explained)
{
    for (int a = QLM_ARGUMENT_NONE + 1; a < QLM_ARGUMENT_COUNT; a++) {
        const qlm_argument_row_t *row = qlm_argument_row((qlm_argument_t)a);
        int count = 0;

        for (const qlm_method_t *method = qlm_methods; method->name; method++) {
            count += takes(method, (qlm_argument_t)a) != 0;
        }
        ck_assert_msg(count > 0, "%s is no method's", row->names);
        ck_assert_msg(strlen(row->help) > 5, "%s is not explained", row->names);
        ck_assert_msg(row->min <= row->max, "%s", row->names);
    }
}
END_TEST

/* Texts and days without a longest would reach the database as they come. */
START_TEST(every_argument_is_bounded)
{
    for (int a = QLM_ARGUMENT_NONE + 1; a < QLM_ARGUMENT_COUNT; a++) {
        const qlm_argument_row_t *row = qlm_argument_row((qlm_argument_t)a);
        int has_bound = row->type == QLM_ARGUMENT_TYPE_TEXT ||
                        row->type == QLM_ARGUMENT_TYPE_LINES ||
                        row->type == QLM_ARGUMENT_TYPE_RAW || row->type == QLM_ARGUMENT_TYPE_INT ||
                        row->type == QLM_ARGUMENT_TYPE_DAYS;

        ck_assert_msg((row->max > 0) == has_bound, "%s", row->names);
        ck_assert_msg(row->max <= APR_INT32_MAX, "%s", row->names);
    }
}
END_TEST

static void check_spellings(apr_hash_t *seen, const qlm_method_t *method, qlm_argument_t argument)
{
    const char *names = qlm_argument_row(argument)->names;
    char *last, *name = apr_strtok(apr_pstrdup(pool, names), " ", &last);

    ck_assert_str_eq(name, qlm_argument_name(argument, pool));
    ck_assert_msg(strncmp(name, "is_", 3) == 0, "%s", name); /* the documented one */
    for (; name; name = apr_strtok(NULL, " ", &last)) {
        ck_assert_uint_lt(strlen(name), 64); /* what qlm_argument_raw looks up */
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
        ck_assert_msg(!apr_hash_get(seen, name, APR_HASH_KEY_STRING), "%s: %s stands twice",
                      method->name, name);
        apr_hash_set(seen, name, APR_HASH_KEY_STRING, names);
    }
}

/* Each spelling is short, in lower case, and means one argument of a method only. */
START_TEST(spellings_are_unique)
{
    for (const qlm_method_t *method = qlm_methods; method->name; method++) {
        apr_hash_t *seen = apr_hash_make(pool);

        for (const qlm_parameter_t *p = method->parameters; p->argument != QLM_ARGUMENT_NONE; p++) {
            check_spellings(seen, method, p->argument);
        }
    }
}
END_TEST

START_TEST(every_spelling_is_read)
{
    for (int a = QLM_ARGUMENT_NONE + 1; a < QLM_ARGUMENT_COUNT; a++) {
        char *last, *names = apr_pstrdup(pool, qlm_argument_row((qlm_argument_t)a)->names);

        for (char *name = apr_strtok(names, " ", &last); name;
             name = apr_strtok(NULL, " ", &last)) {
            qlm_fields_t *fields = qlm_fields_create(pool);

            ck_assert_ptr_null(qlm_fields_add(fields, name, "x", QLM_FROM_URL));
            ck_assert_str_eq(qlm_argument_raw(fields, (qlm_argument_t)a, QLM_FROM_ANY), "x");
        }
    }
}
END_TEST

START_TEST(the_page_names_every_argument)
{
    char *page = apr_pcalloc(pool, 200000);
    apr_size_t length = 0;
    apr_file_t *file;

    ck_assert_int_eq(apr_file_open(&file, METHODS_PAGE, APR_FOPEN_READ, 0, pool), APR_SUCCESS);
    ck_assert(APR_STATUS_IS_EOF(apr_file_read_full(file, page, 199999, &length)));
    for (int a = QLM_ARGUMENT_NONE + 1; a < QLM_ARGUMENT_COUNT; a++) {
        const char *name = qlm_argument_name((qlm_argument_t)a, pool);

        ck_assert_msg(strstr(page, apr_pstrcat(pool, "`", name, "`", NULL)) != NULL,
                      "%s is not in docs/methods.md", name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("methods");
    TCase *tests = tcase_create("methods");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, methods_are_in_alphabetical_order);
    tcase_add_test(tests, aliases_lead_to_methods);
    tcase_add_test(tests, every_method_is_complete);
    tcase_add_test(tests, gates_are_switches);
    tcase_add_test(tests, permissions_fit_the_arguments);
    tcase_add_test(tests, no_parameter_stands_twice);
    tcase_add_test(tests, methods_are_found_by_name);
    tcase_add_test(tests, methods_are_found_by_other_names);
    tcase_add_test(tests, every_argument_is_taken_and_explained);
    tcase_add_test(tests, every_argument_is_bounded);
    tcase_add_test(tests, spellings_are_unique);
    tcase_add_test(tests, every_spelling_is_read);
    tcase_add_test(tests, the_page_names_every_argument);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
