/* Templates: variables and where they are escaped, the repeated part, what may be stored, and those
 * that are built in. */
#include "mail/template.h"

#include "base/text.h"
#include "mail/message.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

static apr_pool_t *pool;
static apr_hash_t *variables;
static apr_array_header_t *items;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    variables = apr_hash_make(pool);
    items = apr_array_make(pool, 2, sizeof(apr_hash_t *));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static const char *repeated(const char *text, apr_size_t count)
{
    apr_size_t length = strlen(text);
    char *made = apr_palloc(pool, length * count + 1);

    for (apr_size_t i = 0; i < count; i++) {
        memcpy(made + i * length, text, length);
    }
    made[length * count] = '\0';
    return made;
}

static void set(const char *name, const char *value)
{
    apr_hash_set(variables, name, APR_HASH_KEY_STRING, value);
}

static apr_hash_t *add_item(const char *key, const char *product)
{
    apr_hash_t *item = apr_hash_make(pool);

    if (key) {
        apr_hash_set(item, "activationkey", APR_HASH_KEY_STRING, key);
    }
    if (product) {
        apr_hash_set(item, "productname", APR_HASH_KEY_STRING, product);
    }
    APR_ARRAY_PUSH(items, apr_hash_t *) = item;
    return item;
}

/* The same form as subject, HTML and text. */
static qlm_rendered_t rendered(const char *form)
{
    qlm_template_t all = {"x", "", form, form, form};
    qlm_rendered_t made;

    qlm_template_render(&made, &all, variables, items, pool);
    ck_assert_ptr_null(strpbrk(made.subject, "\r\n"));
    ck_assert(qlm_text_is_utf8(made.subject) && qlm_text_is_utf8(made.html) &&
              qlm_text_is_utf8(made.text));
    return made;
}

static void assert_all(const char *form, const char *expected)
{
    qlm_rendered_t made = rendered(form);

    ck_assert_str_eq(made.subject, expected);
    ck_assert_str_eq(made.html, expected);
    ck_assert_str_eq(made.text, expected);
    ck_assert(!made.is_cut);
}

/* ---- variables ----------------------------------------------------------------------------------
 */

START_TEST(variables_are_replaced)
{
    set("fullname", "Jane");
    set("payer_email", "j@b.example");
    set("properties.limits.max-seats", "5");
    set("empty", "");
    add_item("A-1", "Tool");
    assert_all("", "");
    assert_all("no variable", "no variable");
    assert_all("%FullName%", "Jane");
    assert_all("%fullname% %FULLNAME%,%FullName%", "Jane Jane,Jane");
    assert_all("%payer_email%/%Properties.limits.max-seats%", "j@b.example/5");
    assert_all("(%Empty%)", "()");
    assert_all("%ProductName%: %ActivationKey%", "Tool: A-1");
}
END_TEST

START_TEST(variables_come_before_the_first_item)
{
    set("productname", "Bundle");
    add_item("A-1", "Tool");
    assert_all("%ProductName%", "Bundle");
    assert_all("%ItemTemplate%%ProductName%%ItemTemplate%", "Tool");
    set("order", "7");
    assert_all("%ItemTemplate%%order%%ItemTemplate%", "7");
}
END_TEST

START_TEST(unknown_variables_stay)
{
    qlm_rendered_t made;

    set("fullname", "Jane");
    add_item("A-1", "Tool");
    assert_all("%Nope% %FullName%", "%Nope% Jane");
    assert_all("100%off%FullName%", "100%offJane");
    assert_all("%%FullName%%", "%Jane%");
    assert_all("% %FullName% %", "% Jane %");
    assert_all("%Full Name%", "%Full Name%");
    assert_all("%FullName", "%FullName");
    assert_all("%", "%");
    assert_all("%%", "%%");
    made = rendered("%Nope% %nope% %Other% width:50%;height:20% %41%C3%A4% 10%5% %a%");
    ck_assert_str_eq(made.unknown, "Nope,Other,a");
    made = rendered("%FullName%");
    ck_assert_str_eq(made.unknown, "");
    made = rendered(repeated("%Nope", 5000));
    ck_assert_str_eq(made.unknown, "Nope");
    made = rendered(apr_pstrcat(pool, "%", repeated("n", 101), "%", NULL));
    ck_assert_str_eq(made.unknown, "");
    made = rendered(apr_pstrcat(pool, "%", repeated("n", 100), "%", NULL));
    ck_assert_uint_eq(strlen(made.unknown), 100);
}
END_TEST

START_TEST(many_unknown_variables_are_not_all_named)
{
    const char *form = "";
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    for (int i = 0; i < 50; i++) {
        form = apr_psprintf(pool, "%s %%v%d%%", form, i);
    }
    made = rendered(form);
    ck_assert_ptr_nonnull(strstr(made.unknown, "v19"));
    ck_assert_ptr_null(strstr(made.unknown, "v20"));
}
END_TEST

/* ---- hostile values -----------------------------------------------------------------------------
 */

START_TEST(values_are_escaped_for_their_place)
{
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    set("company", "<script>alert('x')</script> & \"Sons\"");
    made = rendered("[%Company%]");
    ck_assert_str_eq(made.html, "[&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; "
                                "&quot;Sons&quot;]");
    ck_assert_str_eq(made.text, "[<script>alert('x')</script> & \"Sons\"]");
    ck_assert_str_eq(made.subject, "[<script>alert('x')</script> & \"Sons\"]");
}
END_TEST

START_TEST(values_do_not_break_lines_of_the_subject)
{
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    set("fullname", "Jane\r\nBcc: x@y.example\r\n\r\nbody");
    made = rendered("For %FullName%!");
    ck_assert_str_eq(made.subject, "For Jane Bcc: x@y.example body!");
    ck_assert_str_eq(made.text, "For Jane\nBcc: x@y.example\n\nbody!");
    set("fullname", "a\rb\x01\x1b[31mc\x7f\td");
    made = rendered("%FullName%");
    ck_assert_str_eq(made.subject, "a b [31mc d");
    ck_assert_str_eq(made.text, "a\nb[31mc \td");
    ck_assert_str_eq(made.html, "a&#xA;b[31mc &#x9;d");
}
END_TEST

START_TEST(values_are_not_expanded)
{
    apr_hash_t *item = add_item("%FullName%", "%ItemTemplate%%ActivationKey%%ItemTemplate%");

    set("fullname", "%ActivationKey%");
    set("company", "%Company% %Nope%");
    set("half", "%Full");
    apr_hash_set(item, "name", APR_HASH_KEY_STRING, "Name%");
    assert_all("%FullName%", "%ActivationKey%");
    assert_all("%ActivationKey%", "%FullName%");
    assert_all("%ProductName%", "%ItemTemplate%%ActivationKey%%ItemTemplate%");
    assert_all("%Company%", "%Company% %Nope%");
    assert_all("%half%%name%", "%FullName%");
    assert_all("%ItemTemplate%<%ProductName%>%ItemTemplate%",
               "<%ItemTemplate%%ActivationKey%%ItemTemplate%>");
    ck_assert_str_eq(rendered("%Company%").unknown, "");
}
END_TEST

START_TEST(values_that_are_no_utf8)
{
    qlm_rendered_t made;

    add_item("\xff", "Tool");
    set("fullname", "M\xfcller");
    made = rendered("%FullName% %ActivationKey%");
    ck_assert_str_eq(made.subject, "M\xc3\xbcller \xc3\xbf");
    ck_assert_str_eq(made.html, "M\xc3\xbcller \xc3\xbf");
    ck_assert_str_eq(made.text, "M\xc3\xbcller \xc3\xbf");
    set("fullname", "\xf0\x9f\x94\x91 \xef\xbf\xbf");
    made = rendered("%FullName%");
    ck_assert_str_eq(made.subject, "\xf0\x9f\x94\x91");
    ck_assert_str_eq(made.html, "\xf0\x9f\x94\x91 ");
}
END_TEST

START_TEST(large_values)
{
    const char *large = repeated("<\xc3\xa4", 21846); /* 64 KiB */
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    set("comment", large);
    made = rendered("%Comment%");
    ck_assert(!made.is_cut);
    ck_assert_str_eq(made.text, large);
    ck_assert_str_eq(made.html, repeated("&lt;\xc3\xa4", 21846));
    ck_assert_uint_le(strlen(made.subject), 2 * QLM_TEMPLATE_SUBJECT_MAX);
    ck_assert_uint_gt(strlen(made.subject), 200);
    /* 6,000 times that would be 400 MB. */
    made = rendered(repeated("%Comment% ", 6000));
    ck_assert(made.is_cut);
    ck_assert_uint_le(strlen(made.subject), 2 * QLM_TEMPLATE_SUBJECT_MAX);
    ck_assert_uint_le(strlen(made.html), QLM_TEMPLATE_RENDERED_MAX);
    ck_assert_uint_le(strlen(made.text), QLM_TEMPLATE_RENDERED_MAX);
    ck_assert_uint_gt(strlen(made.text), QLM_TEMPLATE_RENDERED_MAX - 66000);
}
END_TEST

/* ---- several items ------------------------------------------------------------------------------
 */

START_TEST(the_repeated_part)
{
    add_item("A-1", "Tool");
    add_item("B-2", "Kit");
    add_item("C-3", NULL);
    set("productname", "Bundle");
    assert_all("<%ItemTemplate%[%ProductName%=%ActivationKey%]%ItemTemplate%>",
               "<[Tool=A-1][Kit=B-2][Bundle=C-3]>");
    assert_all("%itemtemplate%%ActivationKey%,%ITEMTEMPLATE%", "A-1,B-2,C-3,");
    assert_all("%ItemTemplate%a%ItemTemplate%-%ItemTemplate%b%ItemTemplate%", "aaa-bbb");
    assert_all("x%ItemTemplate%%ItemTemplate%y", "xy");
}
END_TEST

START_TEST(a_mark_without_its_second)
{
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    assert_all("%ItemTemplate%%ProductName%", "%ItemTemplate%Tool");
    made = rendered("a %ItemTemplate% b");
    ck_assert_str_eq(made.text, "a %ItemTemplate% b");
    ck_assert_str_eq(made.unknown, "ItemTemplate");
}
END_TEST

START_TEST(all_keys_outside_the_repeated_part)
{
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    add_item("", "None");
    add_item("B-2\nB-3", "Kit");
    set("activationkey", "not this");
    made = rendered("%ActivationKey%");
    ck_assert_str_eq(made.subject, "A-1 B-2 B-3");
    ck_assert_str_eq(made.html, "A-1<br>B-2<br>B-3");
    ck_assert_str_eq(made.text, "A-1\nB-2\nB-3");
    made = rendered("%ItemTemplate%(%ActivationKey%)%ItemTemplate%");
    ck_assert_str_eq(made.html, "(A-1)()(B-2<br>B-3)");
}
END_TEST

START_TEST(keys_of_variables_when_no_item_has_one)
{
    add_item(NULL, "Tool");
    set("activationkey", "V-1");
    assert_all("%ActivationKey%", "V-1");
}
END_TEST

START_TEST(a_hundred_items)
{
    const char *expected = "";

    for (int i = 0; i < 100; i++) {
        const char *key = apr_psprintf(pool, "K-%d;", i);

        add_item(key, "Tool");
        expected = apr_pstrcat(pool, expected, key, NULL);
    }
    ck_assert_str_eq(rendered("%ItemTemplate%%ActivationKey%%ItemTemplate%").text, expected);
    ck_assert_str_eq(rendered("%ItemTemplate%%ActivationKey%%ItemTemplate%").html, expected);
}
END_TEST

START_TEST(text_is_made_of_html)
{
    qlm_template_t form = {"x", "", "s", "<p>Hello %FullName%</p><p>%ActivationKey%</p>", ""};
    qlm_rendered_t made;

    add_item("A-1", "Tool");
    add_item("B-2", "Tool");
    set("fullname", "<b>M\xc3\xbcller</b>");
    qlm_template_render(&made, &form, variables, items, pool);
    ck_assert_str_eq(made.text, "Hello <b>M\xc3\xbcller</b>\n\nA-1\nB-2\n");
    form.html = "";
    form.text = "only text";
    qlm_template_render(&made, &form, variables, items, pool);
    ck_assert_str_eq(made.html, "");
    ck_assert_str_eq(made.text, "only text");
}
END_TEST

/* ---- may it be stored? --------------------------------------------------------------------------
 */

static void assert_refused(const qlm_template_t *form, const char *part)
{
    qlm_error_t *error = qlm_template_check(form, pool);

    ck_assert_msg(error != NULL, "accepted: %s", part);
    ck_assert_int_eq(error->kind, QLM_ERROR_ARGUMENT);
    ck_assert_msg(strstr(error->text, part) != NULL, "%s", error->text);
}

START_TEST(templates_are_checked)
{
    const qlm_template_t good = {"1. New Order", "en", "Keys", "<p>x</p>", "x"};
    qlm_template_t form = good;

    ck_assert_ptr_null(qlm_template_check(&form, pool));
    form.name = repeated("n", 100);
    form.subject = repeated("s", 250);
    form.html = repeated("h", QLM_TEMPLATE_BODY_MAX);
    form.text = "";
    ck_assert_ptr_null(qlm_template_check(&form, pool));
    form.name = repeated("n", 101);
    assert_refused(&form, "name");
    form = good;
    form.name = "";
    assert_refused(&form, "name");
    form.name = "a\nb";
    assert_refused(&form, "name");
    form.name = "\xff";
    assert_refused(&form, "name");
    form = good;
    form.subject = repeated("s", 251);
    assert_refused(&form, "subject");
    form.subject = "";
    assert_refused(&form, "subject");
    form.subject = "x\r\nBcc: y@z.example";
    assert_refused(&form, "subject");
    form.subject = "%ItemTemplate%";
    assert_refused(&form, "subject");
}
END_TEST

START_TEST(bodies_are_checked)
{
    const qlm_template_t good = {"1. New Order", "", "Keys", "<p>x</p>", "x"};
    qlm_template_t form = good;

    form.html = repeated("h", QLM_TEMPLATE_BODY_MAX + 1);
    assert_refused(&form, "HTML");
    form = good;
    form.text = repeated("t", QLM_TEMPLATE_BODY_MAX + 1);
    assert_refused(&form, "text");
    form.text = "M\xfcller";
    assert_refused(&form, "UTF-8");
    form.text = "%ItemTemplate% %ItemTemplate% %itemtemplate%";
    assert_refused(&form, "%ItemTemplate%");
    form.text = "%ItemTemplate% %itemtemplate%";
    ck_assert_ptr_null(qlm_template_check(&form, pool));
    form.text = form.html = "";
    assert_refused(&form, "neither");
}
END_TEST

START_TEST(languages_are_checked)
{
    static const char *const good[] = {"", "en", "de", "de-AT", "zh-Hant-TW"};
    static const char *const bad[] = {
        "e", "1x", "en-", "en_US", "en us", "en\n", "\xc3\xa4\xc3\xa4", "de-aaaaaaaaaaaaaaaaa"};
    qlm_template_t form = {"x", "", "Keys", "<p>x</p>", "x"};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        form.language = good[i];
        ck_assert_ptr_null(qlm_template_check(&form, pool));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        form.language = bad[i];
        assert_refused(&form, "language");
    }
}
END_TEST

/* ---- those that are built in --------------------------------------------------------------------
 */

START_TEST(builtin_templates_are_sound)
{
    static const char *const names[] = {"1. New Order", "Ecommerce.New Order", "AuthorizationCode",
                                        "Customer.TrialRequest"};
    const apr_array_header_t *list = qlm_template_builtin(pool);
    int found = 0;

    ck_assert_int_eq(list->nelts, 8);
    for (int i = 0; i < list->nelts; i++) {
        const qlm_template_t *form = &APR_ARRAY_IDX(list, i, qlm_template_t);

        ck_assert_ptr_null(qlm_template_check(form, pool));
        ck_assert_ptr_nonnull(
            strstr(form->html, apr_pstrcat(pool, "<html lang=\"", form->language, "\">", NULL)));
        for (int j = 0; j < 4; j++) {
            found += strcmp(form->name, names[j]) == 0 &&
                     (strcmp(form->language, "en") == 0 || strcmp(form->language, "de") == 0);
        }
        for (int j = 0; j < i; j++) {
            const qlm_template_t *other = &APR_ARRAY_IDX(list, j, qlm_template_t);

            ck_assert(strcmp(form->name, other->name) != 0 ||
                      strcmp(form->language, other->language) != 0);
        }
    }
    ck_assert_int_eq(found, 8);
}
END_TEST

START_TEST(builtin_templates_say_what_matters)
{
    const apr_array_header_t *list = qlm_template_builtin(pool);

    set("orderid", "4711");
    set("fullname", "J\xc3\xb6rg <b>");
    set("authorizationcode", "123456");
    set("subscriptionexpirydate", "2027-01-31");
    set("majorversion", "2");
    set("minorversion", "1");
    add_item("AAAAA-1", "Tool & Co");
    add_item("BBBBB-2", "Kit");
    for (int i = 0; i < list->nelts; i++) {
        const qlm_template_t *form = &APR_ARRAY_IDX(list, i, qlm_template_t);
        int is_code = strcmp(form->name, "AuthorizationCode") == 0;
        qlm_rendered_t made;

        qlm_template_render(&made, form, variables, items, pool);
        ck_assert_str_eq(made.unknown, "");
        ck_assert_ptr_null(strchr(made.text, '%'));
        ck_assert_ptr_null(strstr(made.html, "J\xc3\xb6rg <b>"));
        ck_assert_ptr_nonnull(strstr(made.html, "Tool &amp; Co"));
        ck_assert_ptr_nonnull(strstr(made.text, "Tool & Co"));
        if (is_code) {
            ck_assert_ptr_nonnull(strstr(made.html, ">123456<"));
            ck_assert_ptr_nonnull(strstr(made.text, "    123456\n"));
            ck_assert_ptr_null(strstr(made.subject, "123456"));
            continue;
        }
        if (strcmp(form->name, "Customer.TrialRequest") == 0) {
            ck_assert_ptr_nonnull(strstr(made.subject, "Tool & Co"));
            ck_assert_ptr_nonnull(strstr(made.text, ": 2027-01-31\n"));
        }
        else {
            ck_assert_ptr_nonnull(strstr(made.subject, "4711"));
        }
        ck_assert_ptr_nonnull(strstr(made.html, "Tool &amp; Co 2.1"));
        ck_assert_ptr_nonnull(strstr(made.html, "AAAAA-1"));
        ck_assert_ptr_nonnull(strstr(made.html, "BBBBB-2"));
        ck_assert_ptr_nonnull(strstr(made.text, "Tool & Co 2.1\nAAAAA-1\n\nKit 2.1\nBBBBB-2\n"));
    }
}
END_TEST

static Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *tests = tcase_create("template");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, variables_are_replaced);
    tcase_add_test(tests, variables_come_before_the_first_item);
    tcase_add_test(tests, unknown_variables_stay);
    tcase_add_test(tests, many_unknown_variables_are_not_all_named);
    tcase_add_test(tests, values_are_escaped_for_their_place);
    tcase_add_test(tests, values_do_not_break_lines_of_the_subject);
    tcase_add_test(tests, values_are_not_expanded);
    tcase_add_test(tests, values_that_are_no_utf8);
    tcase_add_test(tests, large_values);
    tcase_add_test(tests, the_repeated_part);
    tcase_add_test(tests, a_mark_without_its_second);
    tcase_add_test(tests, all_keys_outside_the_repeated_part);
    tcase_add_test(tests, keys_of_variables_when_no_item_has_one);
    tcase_add_test(tests, a_hundred_items);
    tcase_add_test(tests, text_is_made_of_html);
    tcase_add_test(tests, templates_are_checked);
    tcase_add_test(tests, bodies_are_checked);
    tcase_add_test(tests, languages_are_checked);
    tcase_add_test(tests, builtin_templates_are_sound);
    tcase_add_test(tests, builtin_templates_say_what_matters);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(template_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
