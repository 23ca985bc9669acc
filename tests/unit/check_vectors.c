/* Recorded callbacks, and the order that each must give. They are in tests/vectors/<vendor>/:
 * NAME.query and NAME.body are what the shop sends; NAME.order says line by line, as
 * `member = value`, what must come of it: an order (what is not named is empty, zero or false), or
 * `error` and its `status`; `oddity` lines are parts of the remark; `content_type` is the answer's.
 */
#include "base/date.h"
#include "vendor/vendors.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#ifndef QLM_VECTORS
#define QLM_VECTORS "vectors"
#endif

static apr_pool_t *pool;
static qlm_properties_t *properties;
static apr_int64_t now;

static void set_up(void)
{
    ck_assert_int_eq(apr_initialize(), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create(&pool, NULL), APR_SUCCESS);
    properties = qlm_properties_create(pool);
    ck_assert(qlm_date_parse(&now, "2026-11-21 09:30:00", "yyyy-MM-dd HH:mm:ss"));
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static qlm_callback_t *callback_of(const char *query, const char *body)
{
    qlm_callback_t *callback = apr_pcalloc(pool, sizeof(*callback));
    qlm_fields_t *fields = qlm_fields_create(pool);
    ck_assert_ptr_null(qlm_fields_parse(fields, query, strlen(query), QLM_FROM_URL));
    ck_assert_ptr_null(qlm_fields_parse(fields, body, strlen(body), QLM_FROM_BODY));
    callback->fields = fields;
    callback->properties = properties;
    callback->now = now;
    return callback;
}

/** The file's text without the line feed at its end, which no shop sends. */
static char *read_text(const char *path)
{
    apr_file_t *file;
    apr_finfo_t info;
    ck_assert_msg(apr_file_open(&file, path, APR_READ, APR_OS_DEFAULT, pool) == APR_SUCCESS,
                  "cannot open %s", path);
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    apr_size_t length = (apr_size_t)info.size;
    char *text = apr_pcalloc(pool, length + 1);
    ck_assert_int_eq(apr_file_read_full(file, text, length, NULL), APR_SUCCESS);
    apr_file_close(file);
    if (length > 0 && text[length - 1] == '\n') {
        text[length - 1] = '\0';
    }
    return text;
}

/** What a vector expects; a line is taken out when it was compared, so that none is overlooked. */
static apr_table_t *read_expectation(const char *path)
{
    apr_table_t *lines = apr_table_make(pool, 20);
    char *state, *line = apr_strtok(read_text(path), "\n", &state);
    for (; line; line = apr_strtok(NULL, "\n", &state)) {
        char *value = strstr(line, " = ");
        ck_assert_msg(value != NULL, "%s: %s", path, line);
        *value = '\0';
        apr_table_add(lines, line, value + 3);
    }
    return lines;
}

static const char *take(apr_table_t *lines, const char *name)
{
    const char *value = apr_table_get(lines, name);
    apr_table_unset(lines, name);
    return value ? value : "";
}

static void compare_text(const char *path, apr_table_t *lines, const char *name, const char *text)
{
    const char *expected = take(lines, name);
    ck_assert_msg(text && strcmp(text, expected) == 0, "%s: %s is '%s', not '%s'", path, name, text,
                  expected);
}

/** A number that is not named is @a fallback. */
static void compare_number(const char *path, apr_table_t *lines, const char *name, int number,
                           const char *fallback)
{
    if (!apr_table_get(lines, name)) {
        apr_table_set(lines, name, fallback);
    }
    compare_text(path, lines, name, apr_itoa(pool, number));
}

static void compare_time(const char *path, apr_table_t *lines, const char *name, apr_int64_t time)
{
    apr_int64_t expected = 0;
    const char *text = take(lines, name);
    ck_assert_msg(!*text || qlm_date_parse_any(&expected, text, NULL), "%s: %s", path, text);
    ck_assert_msg(time == expected, "%s: %s is %s, not %s", path, name,
                  qlm_date_format(time, "yyyy-MM-dd HH:mm:ss", pool), text);
}

static int is_in_oddity(void *oddity, const char *name, const char *part)
{
    ck_assert_msg(oddity && strstr(oddity, part), "%s '%s' is not in '%s'", name, part,
                  (const char *)oddity);
    return 1;
}

static void compare_oddity(const char *path, apr_table_t *lines, const char *oddity)
{
    ck_assert_msg(!oddity || apr_table_get(lines, "oddity"), "%s: unexpected '%s'", path, oddity);
    apr_table_do(is_in_oddity, (void *)(oddity ? apr_pstrdup(pool, oddity) : NULL), lines, "oddity",
                 NULL);
    apr_table_unset(lines, "oddity");
}

static void compare_customer(const char *path, apr_table_t *lines, const qlm_customer_t *customer)
{
#define COMPARE(member) compare_text(path, lines, "customer." #member, customer->member)
    COMPARE(email);
    COMPARE(full_name);
    COMPARE(company);
    COMPARE(phone);
    COMPARE(fax);
    COMPARE(mobile);
    COMPARE(address1);
    COMPARE(address2);
    COMPARE(city);
    COMPARE(state);
    COMPARE(zip);
    COMPARE(country);
    COMPARE(notes);
    COMPARE(affiliate_id);
#undef COMPARE
    compare_number(path, lines, "customer.include_in_mail_list", customer->include_in_mail_list,
                   "-1");
    ck_assert_int_eq(customer->id, 0);
}

static void compare_order(const char *path, apr_table_t *lines, const qlm_order_t *order)
{
    compare_text(path, lines, "order_ref", order->order_ref);
    compare_text(path, lines, "line_ref", order->line_ref);
    compare_text(path, lines, "shop_product", order->shop_product);
    compare_text(path, lines, "subscription_ref", order->subscription_ref);
    compare_text(path, lines, "user_data", order->user_data);
    compare_text(path, lines, "comment", order->comment);
    compare_number(path, lines, "quantity", order->quantity, "0");
    compare_number(path, lines, "is_test", order->is_test, "0");
    compare_number(path, lines, "is_remembered", order->is_remembered, "0");
    compare_time(path, lines, "ordered_at", order->ordered_at);
    compare_time(path, lines, "expires_at", order->expires_at);
    compare_oddity(path, lines, order->oddity);
    compare_customer(path, lines, &order->customer);
}

static void run_vector(const qlm_vendor_t *vendor, const char *path)
{
    apr_table_t *lines = read_expectation(apr_pstrcat(pool, path, ".order", NULL));
    qlm_callback_t *callback = callback_of(read_text(apr_pstrcat(pool, path, ".query", NULL)),
                                           read_text(apr_pstrcat(pool, path, ".body", NULL)));
    qlm_order_t order;
    qlm_answer_t answer;
    memset(&order, 0x5a, sizeof(order)); /* a member left unset must not pass for a zero */
    qlm_error_t *error = vendor->read_order(&order, callback, pool);
    if (apr_table_get(lines, "error")) {
        ck_assert_msg(error != NULL, "%s: not refused", path);
        compare_text(path, lines, "error", error->text);
        vendor->write_failure(&answer, error, callback, pool);
        ck_assert_msg(strstr(answer.body, error->text) != NULL, "%s: %s", path, answer.body);
        compare_number(path, lines, "status", answer.http_status, "");
    }
    else {
        ck_assert_msg(!error, "%s: %s", path, error ? error->text : "");
        ck_assert_str_eq(order.vendor, vendor->name);
        compare_order(path, lines, &order);
        apr_array_header_t *keys = apr_array_make(pool, 1, sizeof(const char *));
        APR_ARRAY_PUSH(keys, const char *) = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEF";
        vendor->write_keys(&answer, keys, callback, pool);
        ck_assert_int_eq(answer.http_status, 200);
    }
    compare_text(path, lines, "content_type", answer.content_type);
    ck_assert_msg(apr_is_empty_table(lines), "%s: a line that nothing was compared with", path);
}

/** One test per translator: every vector of its folder, at least three. */
START_TEST(vectors)
{
    const qlm_vendor_t *vendor = qlm_vendors[_i];
    const char *folder = apr_pstrcat(pool, QLM_VECTORS "/", vendor->name, "/", NULL);
    apr_dir_t *directory;
    apr_finfo_t entry;
    int count = 0;
    if (vendor->receive) {
        return; /* its deliveries are conversations: check_salesforce plays them */
    }
    ck_assert_msg(apr_dir_open(&directory, folder, pool) == APR_SUCCESS, "no %s", folder);
    while (apr_dir_read(&entry, APR_FINFO_NAME, directory) == APR_SUCCESS) {
        const char *ending = strstr(entry.name, ".order");
        if (ending) {
            run_vector(vendor, apr_psprintf(pool, "%s%.*s", folder, (int)(ending - entry.name),
                                            entry.name));
            ++count;
        }
    }
    apr_dir_close(directory);
    ck_assert_int_ge(count, 3);
}
END_TEST

static Suite *vectors_suite(void)
{
    Suite *suite = suite_create("vectors");
    TCase *tests = tcase_create("vectors");
    int vendors = 0;
    while (qlm_vendors[vendors]) {
        ++vendors;
    }
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, vectors, 0, vendors);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(vectors_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
