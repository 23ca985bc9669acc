/* Paths of the service in every spelling, and the one canonical spelling of each. */
#include "service/entry.h"

#include "service/methods.h"

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

static const struct {
    const char *path, *entry, *folder, *method;
} paths[] = {
    {"/qlm/qlmservice.asmx/PingHttp", "/qlmservice.asmx", "/qlm", "PingHttp"},
    {"/qlmservice.asmx/PingHttp", "/qlmservice.asmx", "", "PingHttp"},
    {"/a/B/QLMService.ASMX/pINGhTTP", "/qlmservice.asmx", "/a/B", "PingHttp"},
    {"/qlm/qlmservice.asmx", "/qlmservice.asmx", "/qlm", ""},
    {"/qlm/qlmservice.asmx/", "/qlmservice.asmx", "/qlm", ""},
    {"/qlm/qlmservice.asmx///", "/qlmservice.asmx", "/qlm", ""},
    {"/qlm/qlmservice.asmx/PingHttp//", "/qlmservice.asmx", "/qlm", "PingHttp"},
    {"/qlm/qlmservice.asmx/NoSuch", "/qlmservice.asmx", "/qlm", "NoSuch"},
    {"/qlm/qlmservice.asmx/x/PingHttp", "/qlmservice.asmx", "/qlm", "x/PingHttp"},
    {"/QlmLicenseServerNetCore/api/v1/QlmApi/PingHttp", "/api/v1/QlmApi",
     "/QlmLicenseServerNetCore", "PingHttp"},
    {"/x/API/V1/qlmapi/pinghttp", "/api/v1/QlmApi", "/x", "PingHttp"},
    {"/x/api/v1/QlmApi", "/api/v1/QlmApi", "/x", ""},
    {"/api/WebService/PingHttp", "/api/WebService", "", "PingHttp"},
    {"/x/api/webservice/PINGHTTP", "/api/WebService", "/x", "PingHttp"},
    {"/QlmCustomerSite/QlmRegistration.asmx/register", "/qlmregistration.asmx", "/QlmCustomerSite",
     NULL},
    /* what comes first is the entry point */
    {"/qlmservice.asmx/qlmservice.asmx/PingHttp", "/qlmservice.asmx", "",
     "qlmservice.asmx/PingHttp"},
    {"/api/WebService/qlmservice.asmx/PingHttp", "/api/WebService", "", "qlmservice.asmx/PingHttp"},
};

START_TEST(every_spelling_is_found)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        apr_size_t length = 999;
        const char *rest = NULL;
        const qlm_entry_t *entry = qlm_entry_find(&length, &rest, paths[i].path);

        ck_assert_msg(entry != NULL, "%s", paths[i].path);
        ck_assert_str_eq(entry->path, paths[i].entry);
        ck_assert_str_eq(apr_pstrmemdup(pool, paths[i].path, length), paths[i].folder);
        if (paths[i].method) {
            ck_assert_str_eq(qlm_entry_method(rest, pool), paths[i].method);
        }
        ck_assert_ptr_eq(qlm_entry_find(NULL, NULL, paths[i].path), entry);
    }
}
END_TEST

START_TEST(other_paths_are_not)
{
    static const char *const others[] = {
        "",
        "/",
        "qlmservice.asmx/PingHttp",
        "/qlm/PingHttp",
        "/qlm/qlmservice.asmxx/PingHttp",
        "/qlm/xqlmservice.asmx/PingHttp",
        "/api/v1/QlmApiX/PingHttp",
        "/api/v2/QlmApi/PingHttp",
        "/api/v1/x/QlmApi/PingHttp",
        "/xapi/v1/QlmApi/PingHttp",
        "/WebService/PingHttp",
        "/qlm/qlmservice;asmx/PingHttp",
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        ck_assert_msg(!qlm_entry_find(NULL, NULL, others[i]), "%s", others[i]);
    }
}
END_TEST

START_TEST(the_canonical_spelling)
{
    ck_assert_str_eq(qlm_entry_canonical("/qlm", "PingHttp", pool),
                     "/qlm/qlmservice.asmx/PingHttp");
    ck_assert_str_eq(qlm_entry_canonical("", "PingHttp", pool), "/qlmservice.asmx/PingHttp");
    ck_assert_str_eq(qlm_entry_canonical("/a/b", "", pool), "/a/b/qlmservice.asmx");
}
END_TEST

/* One spelling for all: its own canonical spelling is itself. */
START_TEST(the_canonical_spelling_is_its_own)
{
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        apr_size_t length;
        const char *rest, *once, *twice;

        qlm_entry_find(&length, &rest, paths[i].path);
        once = qlm_entry_canonical(apr_pstrmemdup(pool, paths[i].path, length),
                                   qlm_entry_method(rest, pool), pool);
        ck_assert_ptr_eq(qlm_entry_find(&length, &rest, once), &qlm_entries[0]);
        twice = qlm_entry_canonical(apr_pstrmemdup(pool, once, length),
                                    qlm_entry_method(rest, pool), pool);
        ck_assert_str_eq(once, twice);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("entry");
    TCase *tests = tcase_create("entry");
    SRunner *runner = srunner_create(suite);
    int failed;

    apr_initialize();
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, every_spelling_is_found);
    tcase_add_test(tests, other_paths_are_not);
    tcase_add_test(tests, the_canonical_spelling);
    tcase_add_test(tests, the_canonical_spelling_is_its_own);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
