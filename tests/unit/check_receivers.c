/* The outbox's worker and receivers that hang, refuse or come late; on a real SQLite file. */
#include "unit/worker_fixture.h"

/* ---- receivers that are away ------------------------------------------------------------------
 */

static void queue_for(apr_int64_t id, const char *target)
{
    qlm_outbox_row_t row = new_row(id, "", now);

    row.created_at = now;
    row.target = target;
    write_row(row);
}

START_TEST(one_mail_finds_out_that_the_server_is_away)
{
    qlm_outbox_round_t round;

    for (int i = 1; i <= 700; i++) {
        queue_mail(i);
    }
    world.outcome = QLM_SMTP_AWAY;
    world.reason = "no answer in time";
    round = work();
    check_round(round, 0, 1, 0, 0);
    ck_assert_int_eq(round.deferred, 699);
    ck_assert_int_eq(world.mails, 1);
    ck_assert_int_eq(find_row(1)->attempts, 1);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    ck_assert_int_eq(find_row(700)->next_at, now + 30);
    ck_assert_str_eq(find_row(2)->state, QLM_OUTBOX_WAITING);
    ck_assert_str_eq(find_row(2)->last_error, "not tried: no answer in time");
    world.outcome = QLM_SMTP_SENT;
    check_round(work(), 0, 0, 0, 0);
    queue_mail(701); /* a new one is tried at once */
    check_round(work(), 1, 0, 0, 0);
    now += 30;
    check_round(work(), 700, 0, 0, 0);
    ck_assert_int_eq(find_row(2)->attempts, 1);
    ck_assert_str_eq(find_row(2)->last_error, "");
}
END_TEST

/* The row that is tried waits longer each time, the others do not. */
START_TEST(a_mail_that_makes_the_server_hang_does_not_block_the_others)
{
    queue_mail(1);
    world.outcome = QLM_SMTP_AWAY;
    for (int i = 0; i < 5; i++) {
        work();
        now = find_row(1)->next_at;
    }
    queue_mail(2);
    work();
    ck_assert_int_eq(find_row(1)->attempts, 6);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    ck_assert_int_eq(find_row(2)->next_at, now + 30);
    now += 30;
    world.outcome = QLM_SMTP_SENT;
    check_round(work(), 1, 0, 0, 0);
    ck_assert_str_eq(find_row(2)->state, QLM_OUTBOX_SENT);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_WAITING);
}
END_TEST

START_TEST(a_receiver_that_hangs_keeps_no_other_waiting)
{
    qlm_outbox_round_t round;
    apr_int64_t begun = now;

    for (int i = 1; i <= 30; i++) {
        queue_for(i, "https://hang.example/");
        queue_for(100 + i, "https://b.example/");
        queue_for(200 + i, "https://c.example/");
    }
    world.patience = now + 12;
    round = work();
    check_round(round, 60, 1, 0, 0);
    ck_assert_int_eq(round.deferred, 29);
    ck_assert_int_eq(world.most_flights, 3);
    ck_assert_int_eq(find_row(230)->finished_at, begun);
    ck_assert_int_eq(find_row(1)->next_at, begun + 12 + 30);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    ck_assert_int_eq(find_row(2)->next_at, begun + 12 + 30);
}
END_TEST

/* One host is one receiver: what is older goes first, whatever the path. */
START_TEST(the_urls_of_a_host_are_served_in_order)
{
    queue_for(1, "https://a.example/z");
    queue_for(2, "https://a.example/a");
    queue_for(3, "https://a.example:444/a");
    queue_for(4, "https://a.example/z");
    check_round(work(), 4, 0, 0, 0);
    ck_assert_int_eq(world.most_flights, 2);
    ck_assert(says(world.urls, "https://a.example/z https://a.example"));
    ck_assert(says(world.urls, "https://a.example/a https://a.example/z "));
}
END_TEST

static void queue_more(void)
{
    world.meanwhile = NULL;
    queue_for(7, "https://d.example/");
}

/* Who comes while somebody hangs is served within a second or two. */
START_TEST(who_comes_later_does_not_wait_either)
{
    apr_int64_t begun = now;

    queue_for(1, "https://hang.example/");
    queue_for(2, "https://b.example/");
    world.patience = now + 12;
    world.meanwhile = queue_more;
    check_round(work(), 2, 1, 0, 0);
    ck_assert_int_le(find_row(7)->finished_at, begun + 2);
}
END_TEST

START_TEST(a_publishers_own_schedule_counts_only_what_was_tried)
{
    set_property("webHookMaxRetries", "0");
    queue_for(1, "https://a.example/");
    queue_for(2, "https://a.example/");
    world.status = 0;
    check_round(work(), 0, 0, 1, 0);
    ck_assert_str_eq(find_row(1)->state, QLM_OUTBOX_FAILED);
    ck_assert_str_eq(find_row(2)->state, QLM_OUTBOX_WAITING);
    ck_assert_int_eq(find_row(2)->attempts, 0);
    set_property("webHookMaxRetries", "5");
    set_property("webHookRetryInterval", "7");
    now += 30;
    queue_for(3, "https://a.example/");
    work();
    ck_assert_int_eq(find_row(2)->next_at, now + 7);
    ck_assert_int_eq(find_row(3)->next_at, now + 7); /* no later than the one that was tried */
}
END_TEST

START_TEST(who_stops_drops_what_is_under_way)
{
    apr_int64_t begun = now;

    queue_for(1, "https://hang.example/");
    queue_for(2, "https://also-hangs.example/");
    world.patience = now + 12;
    world.stop_after = 2;
    check_round(work(), 0, 0, 0, 0);
    ck_assert_int_eq(world.posts, 2);
    ck_assert_int_eq(find_row(1)->attempts, 0);
    ck_assert_int_eq(find_row(1)->next_at, begun);
    world.stop_after = -1;
    check_round(work(), 0, 2, 0, 0);
}
END_TEST

/* What fails because we stop is nobody's fault. */
START_TEST(a_mail_dropped_for_stopping_is_as_before)
{
    queue_mail(1);
    world.outcome = QLM_SMTP_AWAY;
    world.stop_after = 1;
    check_round(work(), 0, 0, 0, 0);
    ck_assert_int_eq(world.mails, 1);
    ck_assert_int_eq(find_row(1)->attempts, 0);
    ck_assert_int_eq(find_row(1)->next_at, now);
}
END_TEST

static Suite *receivers_suite(void)
{
    Suite *suite = suite_create("receivers");
    TCase *tests = tcase_create("receivers");

    tcase_add_checked_fixture(tests, set_up_worker, tear_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, one_mail_finds_out_that_the_server_is_away);
    tcase_add_test(tests, a_mail_that_makes_the_server_hang_does_not_block_the_others);
    tcase_add_test(tests, a_receiver_that_hangs_keeps_no_other_waiting);
    tcase_add_test(tests, the_urls_of_a_host_are_served_in_order);
    tcase_add_test(tests, who_comes_later_does_not_wait_either);
    tcase_add_test(tests, a_publishers_own_schedule_counts_only_what_was_tried);
    tcase_add_test(tests, who_stops_drops_what_is_under_way);
    tcase_add_test(tests, a_mail_dropped_for_stopping_is_as_before);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(receivers_suite());
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
