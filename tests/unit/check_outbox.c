/* The outbox as it is stored: rows, the lease, templates and memos, in a real SQLite file. */
#include "unit/outbox_fixture.h"

/* ---- rows -------------------------------------------------------------------------------------
 */

static qlm_outbox_filter_t filter_of(const char *target, apr_int64_t at, int limit)
{
    qlm_outbox_filter_t filter = {QLM_OUTBOX_WEBHOOK, target, at, limit};

    return filter;
}

static const char *due_for(const char *target, apr_int64_t at, int limit)
{
    qlm_outbox_filter_t filter = filter_of(target, at, limit);
    apr_array_header_t *rows;

    OK(qlm_store_list_due(&rows, store, &filter, pool));
    return ids_of(rows);
}

static const char *due(apr_int64_t at, int limit)
{
    return due_for("", at, limit);
}

START_TEST(a_row_comes_back_as_it_was_stored)
{
    qlm_outbox_row_t row = new_row(0, "77 https://hook.example/a", NOW + 5);
    const qlm_outbox_row_t *found;
    apr_int64_t id;

    row.attempts = 3;
    row.last_error = "HTTP 500";
    row.finished_at = NOW + 9;
    id = write_row(row);
    ck_assert(id > 0);
    found = find_row(id);
    ck_assert_str_eq(found->kind, QLM_OUTBOX_WEBHOOK);
    ck_assert_str_eq(found->state, QLM_OUTBOX_WAITING);
    ck_assert_str_eq(found->target, row.target);
    ck_assert_str_eq(found->subject, row.subject);
    ck_assert_str_eq(found->order_key, row.order_key);
    ck_assert_str_eq(found->payload, row.payload);
    ck_assert_str_eq(found->last_error, "HTTP 500");
    ck_assert_int_eq(found->attempts, 3);
    ck_assert_int_eq(found->created_at, NOW);
    ck_assert_int_eq(found->next_at, NOW + 5);
    ck_assert_int_eq(found->finished_at, NOW + 9);
    OK(qlm_store_find_outbox(&found, store, id + 1, pool));
    ck_assert_ptr_null(found);
}
END_TEST

START_TEST(an_id_that_is_given_is_kept)
{
    ck_assert_int_eq(write_row(new_row(4711, "", NOW)), 4711);
    ck_assert_int_eq(find_row(4711)->next_at, NOW);
    ck_assert_int_ne(write_row(new_row(0, "", NOW)), write_row(new_row(0, "", NOW)));
}
END_TEST

START_TEST(texts_of_others_are_cleaned_and_cut)
{
    qlm_outbox_row_t row = new_row(1, "", NOW);
    char *lengthy = apr_pcalloc(pool, 2001);

    memset(lengthy, 'e', 2000);
    row.subject = "order x\r\nBcc: y";
    row.last_error = lengthy;
    write_row(row);
    ck_assert_str_eq(find_row(1)->subject, "order x Bcc: y");
    ck_assert_uint_lt(strlen(find_row(1)->last_error), 400);
    ck_assert_uint_gt(strlen(find_row(1)->last_error), 300);
}
END_TEST

START_TEST(due_are_waiting_rows_whose_time_has_come_oldest_first)
{
    qlm_outbox_row_t sent = new_row(4, "", NOW - 50);

    write_row(new_row(1, "", NOW));
    write_row(new_row(2, "", NOW - 10));
    write_row(new_row(3, "", NOW + 1));
    sent.state = QLM_OUTBOX_SENT;
    write_row(sent);
    write_row(new_row(5, "", NOW - 10));
    ck_assert_str_eq(due(NOW, 10), "2 5 1");
    ck_assert_str_eq(due(NOW, 2), "2 5");
    ck_assert_str_eq(due(NOW + 1, 10), "2 5 1 3");
    ck_assert_str_eq(due(NOW - 11, 10), "");
}
END_TEST

START_TEST(rows_of_one_order_key_are_due_one_after_the_other)
{
    write_row(new_row(1, "a", NOW + 100)); /* its next try is later: the others wait for it */
    write_row(new_row(2, "a", NOW));
    write_row(new_row(3, "b", NOW));
    write_row(new_row(4, "b", NOW));
    write_row(new_row(5, "", NOW));
    write_row(new_row(6, "", NOW));
    ck_assert_str_eq(due(NOW, 10), "3 5 6");
    ck_assert_str_eq(due(NOW + 100, 10), "3 5 6 1");
    /* a row that has ended in any way holds nobody up */
    ck_assert_int_eq(change(1, QLM_OUTBOX_FAILED, NOW, NOW, 0), 1);
    ck_assert_int_eq(change(3, QLM_OUTBOX_SENT, NOW, NOW, 0), 1);
    ck_assert_str_eq(due(NOW, 10), "2 4 5 6");
    ck_assert_int_eq(change(2, QLM_OUTBOX_CANCELLED, NOW, NOW, 0), 1);
    ck_assert_str_eq(due(NOW, 10), "4 5 6");
}
END_TEST

START_TEST(only_a_waiting_row_is_changed_unless_forced)
{
    write_row(new_row(1, "", NOW));
    ck_assert_int_eq(change(1, QLM_OUTBOX_WAITING, NOW + 30, 0, 0), 1);
    ck_assert_int_eq(find_row(1)->next_at, NOW + 30);
    ck_assert_int_eq(find_row(1)->attempts, 1);
    ck_assert_int_eq(change(1, QLM_OUTBOX_CANCELLED, NOW, NOW + 1, 0), 1);
    ck_assert_int_eq(change(1, QLM_OUTBOX_SENT, NOW, NOW + 2, 0), 0);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_CANCELLED);
    ck_assert_int_eq(find_row(1)->finished_at, NOW + 1);
    ck_assert_int_eq(change(1, QLM_OUTBOX_WAITING, NOW + 3, 0, 1), 1);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_WAITING);
    ck_assert_int_eq(find_row(1)->finished_at, 0);
    ck_assert_str_eq(due(NOW + 3, 10), "1");
}
END_TEST

START_TEST(rows_are_listed_newest_first_and_counted_by_state)
{
    static const char *const states[] = {QLM_OUTBOX_WAITING, QLM_OUTBOX_SENT, QLM_OUTBOX_FAILED,
                                         QLM_OUTBOX_WAITING};
    apr_array_header_t *rows;
    apr_int64_t count;

    for (int i = 0; i < 4; i++) {
        qlm_outbox_row_t row = new_row(i + 1, "", NOW);

        row.state = states[i];
        write_row(row);
    }
    ck_assert_str_eq(ids_of(rows_of("")), "4 3 2 1");
    ck_assert_str_eq(ids_of(rows_of(QLM_OUTBOX_WAITING)), "4 1");
    ck_assert_str_eq(ids_of(rows_of("' OR '1'='1")), "");
    OK(qlm_store_list_outbox(&rows, store, "", 2, pool));
    ck_assert_str_eq(ids_of(rows), "4 3");
    OK(qlm_store_count_outbox(&count, store, QLM_OUTBOX_WAITING, pool));
    ck_assert_int_eq(count, 2);
    OK(qlm_store_count_outbox(&count, store, QLM_OUTBOX_CANCELLED, pool));
    ck_assert_int_eq(count, 0);
}
END_TEST

typedef struct purge_t {
    apr_int64_t before;
    int limit, removed;
} purge_t;

UNIT(purge_rows, purge_t)
{
    return qlm_store_purge_outbox(&baton->removed, unit_store, baton->before, baton->limit,
                                  unit_pool);
}

static int purge(apr_int64_t before, int limit)
{
    purge_t work = {before, limit, -1};

    OK(qlm_store_write(store, purge_rows, &work, pool));
    return work.removed;
}

START_TEST(finished_rows_are_removed_in_batches)
{
    static const char *const states[] = {QLM_OUTBOX_SENT, QLM_OUTBOX_FAILED, QLM_OUTBOX_CANCELLED};
    int has_old;

    for (int i = 0; i < 7; i++) {
        qlm_outbox_row_t row = new_row(i + 1, "", NOW - 1000);

        row.state = states[i % 3];
        row.finished_at = NOW + i;
        write_row(row);
    }
    write_row(new_row(8, "", NOW - 1000)); /* waits, however old */
    OK(qlm_store_has_old_outbox(&has_old, store, NOW, pool));
    ck_assert_int_eq(has_old, 0);
    OK(qlm_store_has_old_outbox(&has_old, store, NOW + 1, pool));
    ck_assert_int_eq(has_old, 1);
    ck_assert_int_eq(purge(NOW + 5, 2), 2);
    ck_assert_str_eq(ids_of(rows_of("")), "8 7 6 5 4 3");
    ck_assert_int_eq(purge(NOW + 5, 10), 3);
    ck_assert_int_eq(purge(NOW + 5, 10), 0);
    ck_assert_str_eq(ids_of(rows_of("")), "8 7 6");
    ck_assert_int_eq(purge(NOW + 1000000, 10), 2);
    ck_assert_str_eq(ids_of(rows_of("")), "8");
}
END_TEST

/* ---- receivers --------------------------------------------------------------------------------
 */

static void add_for(apr_int64_t id, const char *kind, const char *target, apr_int64_t next_at)
{
    qlm_outbox_row_t row = new_row(id, "", next_at);

    row.kind = kind;
    row.target = target;
    write_row(row);
}

static void add_for_several(void)
{
    add_for(1, QLM_OUTBOX_WEBHOOK, "https://b.example/", NOW - 1);
    add_for(2, QLM_OUTBOX_WEBHOOK, "https://a.example/", NOW);
    add_for(3, QLM_OUTBOX_WEBHOOK, "https://b.example/", NOW);
    add_for(4, QLM_OUTBOX_WEBHOOK, "https://c.example/", NOW + 1);
    add_for(5, QLM_OUTBOX_MAIL, "https://b.example/", NOW);
}

START_TEST(receivers_are_told_apart)
{
    qlm_outbox_filter_t filter = filter_of("", NOW, 10);
    apr_array_header_t *targets;

    add_for_several();
    OK(qlm_store_list_targets(&targets, store, &filter, pool));
    ck_assert_str_eq(apr_array_pstrcat(pool, targets, ' '),
                     "https://a.example/ https://b.example/");
    filter.limit = 1;
    OK(qlm_store_list_targets(&targets, store, &filter, pool));
    ck_assert_str_eq(apr_array_pstrcat(pool, targets, ' '), "https://a.example/");
    ck_assert_str_eq(due_for("https://b.example/", NOW, 10), "1 3");
    ck_assert_str_eq(due_for("https://c.example/", NOW, 10), "");
    filter.kind = QLM_OUTBOX_MAIL;
    filter.limit = 10;
    OK(qlm_store_list_due(&targets, store, &filter, pool));
    ck_assert_str_eq(ids_of(targets), "5");
}
END_TEST

typedef struct deferral_t {
    qlm_outbox_filter_t filter;
    int changed;
} deferral_t;

UNIT(defer_unit, deferral_t)
{
    return qlm_store_defer_outbox(&baton->changed, unit_store, &baton->filter, NOW + 30,
                                  "not tried: refused", unit_pool);
}

static int defer(const char *target, int limit)
{
    deferral_t deferral = {filter_of(target, NOW, limit), -1};

    OK(qlm_store_write(store, defer_unit, &deferral, pool));
    return deferral.changed;
}

START_TEST(what_is_due_for_a_receiver_is_put_off)
{
    add_for_several();
    ck_assert_int_eq(change(3, QLM_OUTBOX_CANCELLED, NOW, NOW, 0), 1);
    ck_assert_int_eq(defer("https://b.example/", 10), 1);
    ck_assert_str_eq(due(NOW, 10), "2");
    ck_assert_str_eq(due(NOW + 30, 10), "2 4 1");
    ck_assert_str_eq(find_row(1)->last_error, "not tried: refused");
    ck_assert_int_eq(find_row(1)->attempts, 0);
    ck_assert_int_eq(find_row(1)->finished_at, 0);
    ck_assert_str_eq(find_row(5)->last_error, ""); /* a mail */
    ck_assert_int_eq(find_row(3)->next_at, NOW);
    add_for(6, QLM_OUTBOX_WEBHOOK, "https://a.example/", NOW);
    ck_assert_int_eq(defer("", 1), 1); /* the oldest first */
    ck_assert_str_eq(due(NOW, 10), "6");
    ck_assert_int_eq(defer("", 10), 1);
    ck_assert_int_eq(defer("", 10), 0);
}
END_TEST

/* ---- lease ------------------------------------------------------------------------------------
 */

static int is_free(const char *name, const char *owner, apr_int64_t at)
{
    int free = -1;

    OK(qlm_store_is_lease_free(&free, store, name, owner, at, pool));
    return free;
}

UNIT(release_unit, const char)
{
    return qlm_store_release_leases(unit_store, baton, unit_pool);
}

static void release(const char *owner)
{
    char *copy = apr_pstrdup(pool, owner);

    OK(qlm_store_write(store, release_unit, copy, pool));
}

START_TEST(a_lease_has_one_owner_until_it_expires)
{
    qlm_store_t *other = open_store(pool);

    ck_assert_int_eq(take(store, "outbox", "a", NOW, NOW + 45), 1);
    ck_assert_int_eq(take(other, "outbox", "b", NOW, NOW + 45), 0);
    ck_assert_int_eq(take(store, "outbox", "a", NOW + 40, NOW + 85), 1); /* renewed */
    ck_assert_int_eq(take(other, "outbox", "b", NOW + 46, NOW + 91), 0);
    ck_assert_int_eq(take(other, "outbox", "b", NOW + 85, NOW + 130), 0); /* its last second */
    ck_assert_int_eq(take(other, "outbox", "b", NOW + 86, NOW + 131), 1);
    ck_assert_int_eq(take(store, "outbox", "a", NOW + 87, NOW + 132), 0);
    /* one that has run out may still be its owner's, if nobody was faster */
    ck_assert_int_eq(take(other, "outbox", "b", NOW + 1000, NOW + 1045), 1);
    ck_assert_int_eq(take(store, "another", "a", NOW, NOW + 45), 1);
    ck_assert(!is_free("outbox", "a", NOW + 1045)); /* b's last second */
    ck_assert(is_free("outbox", "b", NOW));
    ck_assert(is_free("outbox", "a", NOW + 1046));
    ck_assert(is_free("unheard-of", "a", NOW));
    release("b");
    ck_assert_int_eq(take(store, "outbox", "a", NOW, NOW + 45), 1);
    ck_assert(!is_free("another", "b", NOW)); /* only b's were given up */
}
END_TEST

/* ---- templates and memos ----------------------------------------------------------------------
 */

typedef struct removal_t {
    const char *name, *language;
    int removed;
} removal_t;

UNIT(remove_form, removal_t)
{
    return qlm_store_remove_template(&baton->removed, unit_store, baton->name, baton->language,
                                     unit_pool);
}

START_TEST(templates_are_stored_replaced_and_removed)
{
    apr_array_header_t *forms;
    const qlm_template_t *form;
    removal_t removal = {"1. NEW order", "DE", -1};

    set_template("2. Later", "", "s2", "<p>h2</p>", "t2");
    set_template("1. New Order", "en", "s", "<p>%FullName% isn't 100%</p>", "");
    set_template("1. New Order", "de", "s", "h", "t");
    set_template(" 1. new ORDER", "De", "\xc3\x9c", "neu", "neuer"); /* the same one */
    OK(qlm_store_list_templates(&forms, store, pool));
    ck_assert_int_eq(forms->nelts, 3);
    form = &APR_ARRAY_IDX(forms, 0, qlm_template_t);
    ck_assert_str_eq(form->name, "1. new ORDER");
    ck_assert_str_eq(form->language, "de");
    ck_assert_str_eq(form->subject, "\xc3\x9c");
    ck_assert_str_eq(form->html, "neu");
    ck_assert_str_eq(form->text, "neuer");
    form = &APR_ARRAY_IDX(forms, 1, qlm_template_t);
    ck_assert_str_eq(form->language, "en");
    ck_assert_str_eq(form->html, "<p>%FullName% isn't 100%</p>");
    ck_assert_str_eq(form->text, "");
    ck_assert_str_eq(APR_ARRAY_IDX(forms, 2, qlm_template_t).name, "2. Later");

    OK(qlm_store_write(store, remove_form, &removal, pool));
    ck_assert_int_eq(removal.removed, 1);
    OK(qlm_store_write(store, remove_form, &removal, pool));
    ck_assert_int_eq(removal.removed, 0);
    OK(qlm_store_list_templates(&forms, store, pool));
    ck_assert_int_eq(forms->nelts, 2);
}
END_TEST

typedef struct memo_t {
    const char *name, *value;
    apr_int64_t expires_at;
} memo_t;

UNIT(remember, memo_t)
{
    return qlm_store_remember(unit_store, baton->name, baton->value, baton->expires_at, unit_pool);
}

static void keep(const char *name, const char *value, apr_int64_t expires_at)
{
    memo_t memo = {name, value, expires_at};

    OK(qlm_store_write(store, remember, &memo, pool));
}

static const char *recall(const char *name, apr_int64_t at)
{
    const char *value = "unset";

    OK(qlm_store_recall(&value, store, name, at, pool));
    return value;
}

START_TEST(memos_are_kept_until_they_expire)
{
    ck_assert_ptr_null(recall("token", NOW));
    keep("token", "one", NOW + 10);
    keep("other", "it's", NOW + 10);
    ck_assert_str_eq(recall("token", NOW), "one");
    ck_assert_str_eq(recall("token", NOW + 9), "one");
    ck_assert_ptr_null(recall("token", NOW + 10));
    keep("token", "two", NOW + 20);
    ck_assert_str_eq(recall("token", NOW + 10), "two");
    keep("token", NULL, 0);
    ck_assert_ptr_null(recall("token", NOW));
    keep("token", NULL, 0); /* forgetting twice is no fault */
    ck_assert_str_eq(recall("other", NOW), "it's");
    keep("empty", "", NOW + 1);
    ck_assert_str_eq(recall("empty", NOW), "");
}
END_TEST

static Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    TCase *rows = tcase_create("store");

    tcase_add_checked_fixture(rows, make_store, remove_folder);
    tcase_add_test(rows, a_row_comes_back_as_it_was_stored);
    tcase_add_test(rows, an_id_that_is_given_is_kept);
    tcase_add_test(rows, texts_of_others_are_cleaned_and_cut);
    tcase_add_test(rows, due_are_waiting_rows_whose_time_has_come_oldest_first);
    tcase_add_test(rows, rows_of_one_order_key_are_due_one_after_the_other);
    tcase_add_test(rows, only_a_waiting_row_is_changed_unless_forced);
    tcase_add_test(rows, rows_are_listed_newest_first_and_counted_by_state);
    tcase_add_test(rows, finished_rows_are_removed_in_batches);
    tcase_add_test(rows, receivers_are_told_apart);
    tcase_add_test(rows, what_is_due_for_a_receiver_is_put_off);
    tcase_add_test(rows, a_lease_has_one_owner_until_it_expires);
    tcase_add_test(rows, templates_are_stored_replaced_and_removed);
    tcase_add_test(rows, memos_are_kept_until_they_expire);
    suite_add_tcase(suite, rows);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(outbox_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
