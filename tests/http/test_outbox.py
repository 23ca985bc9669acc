"""The outbox: mails survive whatever happens to the mail server and to us, and nobody waits for them."""
import os
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Connection, call, order, order_number, until
from outside import HookReceiver, MAIL_PASSWORD, TEMPLATE, holds_no_secret, let_time_pass, mailing_site, make_due, row, rows, \
    secure_mail_server, settled, start_again, trust, use_mail

METHOD = "GetActivationKeyWithExpiryDate"
MANY = int(os.environ.get("QLM_TEST_ORDERS", "150"))  # orders between the kills
LEASE = 45  # seconds
DAY = 86400


@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailer(template, server):
    with mailing_site(template, server) as site:
        yield site


def customer(number):
    return "c%s@buyer.example" % number


def fields(number):
    return {"PURCHASE_ID": number, "RUNNING_NO": "1", "PRODUCT_ID": "88120", "QUANTITY": "1", "FIRSTNAME": "Ada",
            "LASTNAME": "Byron", "EMAIL": customer(number)}


QUERY = order("cleverbridge", is_emailtemplate=TEMPLATE)


def buy(site):
    number = order_number()
    answer = call(site, METHOD, QUERY, fields(number))
    assert answer.status == 200, answer
    return number, answer.text


# ---- a mail server with moods

LATER = {  # mood -> what the row says of it
    "greylist": "451", "tempfail": "451", "tempfail-data": "451", "busy": "421", "closed": "554", "drop-connect": "",
    "drop": "", "drop-after": "", "refuse-login": "", "need-login": "530", "refuse-sender": "550",
}


def test_passing_troubles_are_tried_again(mailer, server):
    """Each mood once, then a server that takes all."""
    orders = {}
    for mood, said in LATER.items():
        with server.mode(mood):
            number, key = buy(mailer)
            seen = settled(mailer, number, "waiting", 1)
            assert said in seen["last_error"] and seen["last_error"] != "", (mood, seen)
            assert seen["next_at"] - time.time() == pytest.approx(30, abs=4), mood
            assert seen["finished_at"] == 0
            orders[mood] = number, key
    make_due(mailer)
    for mood, (number, key) in orders.items():
        assert settled(mailer, number, "sent", 2)["last_error"] == ""
        mails = server.to(customer(number))
        assert [m.keys for m in mails] == [[key]] * (2 if mood == "drop-after" else 1), mood
        assert len({m.id for m in mails}) == 1  # a repeat can be told by it
        assert len({m.message["Date"] for m in mails}) == 1
    holds_no_secret(mailer, MAIL_PASSWORD)


def test_a_mail_server_that_is_not_there(mailer, server):
    server.stop()
    try:
        number, key = buy(mailer)
        assert settled(mailer, number, "waiting", 1)["last_error"]
    finally:
        server.start()
    make_due(mailer)
    settled(mailer, number, "sent", 2)
    assert [m.keys for m in server.to(customer(number))] == [[key]]


@pytest.mark.parametrize("mood, said", [("refuse", "550"), ("refuse-data", "554")])
def test_what_is_refused_for_good_is_parked(mailer, server, mood, said):
    mailer.expect(r"QLM1203.*%s" % said)
    with server.mode(mood):
        number, key = buy(mailer)
        seen = settled(mailer, number, "failed", 1)
    assert said in seen["last_error"] and seen["finished_at"] == pytest.approx(time.time(), abs=8)
    assert key and server.to(customer(number)) == []


def test_a_server_that_tells_the_password_is_not_quoted(mailer, server):
    mailer.expect(r"QLM1203")
    with server.mode("echo-password"):
        number, _ = buy(mailer)
        assert "550" in settled(mailer, number, "failed", 1)["last_error"]
    holds_no_secret(mailer, MAIL_PASSWORD)


def test_pauses_grow_to_six_hours_and_end_after_three_days(mailer, server):
    with server.mode("tempfail"):
        number, _ = buy(mailer)
        for tries, pause in enumerate((30, 60, 120, 240), 1):
            seen = settled(mailer, number, "waiting", tries)
            assert seen["next_at"] - time.time() == pytest.approx(pause, abs=4)
            let_time_pass(mailer, pause + 5)
        mailer.change("UPDATE qlm_outbox SET attempts = 20, next_at = 0 WHERE id = ?", seen["id"])
        seen = settled(mailer, number, "waiting", 21)
        assert seen["next_at"] - time.time() == pytest.approx(6 * 3600, abs=10)
        let_time_pass(mailer, 2 * DAY)
        seen = settled(mailer, number, "waiting", 22)
        mailer.expect(r"QLM1203.*%s" % number)
        let_time_pass(mailer, DAY)
        seen = settled(mailer, number, "failed", 23)
        assert seen["finished_at"] and "451" in seen["last_error"]


def test_a_row_that_waits_is_not_tried_before_its_time(mailer, server):
    with server.mode("tempfail"):
        number, _ = buy(mailer)
        settled(mailer, number, "waiting", 1)
    time.sleep(2.5)
    assert row(mailer, number)["attempts"] == 1


# ---- nobody waits

def latencies(site, count=60):
    connection, took = Connection(site), []
    for _ in range(count):
        number = order_number()
        began = time.perf_counter()
        answer = connection.call(METHOD, QUERY, fields(number))
        took.append(time.perf_counter() - began)
        assert answer.status == 200, answer
    connection.close()
    return took


def test_a_mail_server_that_hangs_delays_no_answer(new_site, server):
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.start()
    site.allow(r"QLM1203|QLM1205")
    latencies(site, 20)
    idle = latencies(site)
    with server.mode("hang"):
        latencies(site, 20)  # fills the outbox
        time.sleep(1.5)  # somebody hangs by now
        stuck = latencies(site)
    sent = [r for r in rows(site) if r["state"] == "sent"]
    assert statistics.median(stuck) < 3 * statistics.median(idle) + 0.002, (idle, stuck)
    assert max(stuck) < 0.5, max(stuck)
    assert len(sent) < len(rows(site))
    began = time.monotonic()
    site.stop()  # does not wait for the mail server either
    assert time.monotonic() - began < 10
    site.start()
    site.change("UPDATE qlm_lease SET leased_until = 0")
    make_due(site)
    until(lambda: all(r["state"] == "sent" for r in rows(site)), 40, 0.2)


def test_a_mail_server_that_hangs_delays_no_webhook(new_site, server):
    site = new_site(server=trust(server), start=False)
    hooks = HookReceiver()
    use_mail(site, server)
    site.ctl("property", "set", "webHooksEnabled", "true")
    site.ctl("property", "set", "license_created", hooks.url())
    site.start()
    try:
        with server.mode("hang"):
            buy(site)
            time.sleep(1.5)  # the mail hangs now
            for _ in range(3):
                _, key = buy(site)
                until(lambda: hooks.about(key), 4)
                assert rows(site)[0]["attempts"] == 0  # still
    finally:
        hooks.close()


def test_one_mail_finds_out_that_the_server_is_away(new_site, server):
    """The others wait as long, untried, and go out together."""
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    with server.mode("busy"):
        site.start()
        site.change("INSERT INTO qlm_lease (name, owner, leased_until) VALUES ('outbox', 'other', ?)",
                    int(time.time()) + 1000)
        numbers = [buy(site)[0] for _ in range(40)]
        site.change("UPDATE qlm_lease SET leased_until = 0")
        until(lambda: all(r["next_at"] > time.time() + 20 for r in rows(site)), 5, 0.1)
        assert sorted(r["attempts"] for r in rows(site)) == [0] * 39 + [1]
        assert {r["last_error"].replace("not tried: ", "") for r in rows(site)} == {
            "greeting refused: 421 4.3.2 try later"}
        assert len(site.lines_since(0, r"QLM1204.*39 more for the same receiver wait")) == 1
    make_due(site)
    until(lambda: all(r["state"] == "sent" for r in rows(site)), 8, 0.1)
    assert all(len(server.to(customer(n))) == 1 for n in numbers)


# ---- who works

def test_a_lease_of_somebody_else_is_respected_until_it_ends(mailer, server):
    mailer.change("UPDATE qlm_lease SET owner = 'other.example/1/0', leased_until = ? WHERE name = 'outbox'",
                  int(time.time()) + 1000)
    number, key = buy(mailer)
    time.sleep(3)
    assert row(mailer, number)["attempts"] == 0 and server.to(customer(number)) == []
    mailer.change("UPDATE qlm_lease SET leased_until = ?", int(time.time()) - 1)
    settled(mailer, number, "sent", 1)


def owners(site):
    return {r["owner"] for r in site.query("SELECT owner FROM qlm_lease WHERE name = 'outbox'")}


def test_two_servers_on_one_database_and_the_death_of_one(template, new_site, server):
    first = new_site(server=trust(server), start=False)
    second = new_site(server=trust(server), start=False, database=first.database)
    use_mail(first, server)
    before = server.mark()
    with server.mode("slow 0.02"):
        first.start()
        second.start()
        with ThreadPoolExecutor(8) as pool:
            numbers = [n for n, _ in pool.map(lambda i: buy((first, second)[i % 2]), range(60))]
        until(lambda: all(r["state"] == "sent" for r in rows(first)), 30, 0.1)
    came = [r for m in server.mails(before) for r in m.recipients]  # also what other tests left behind
    assert sorted(r for r in came if r in set(map(customer, numbers))) == sorted(map(customer, numbers))
    assert all(r["attempts"] == 1 for r in rows(first))

    # the one that works dies at once: what it was sending, and all the rest, is the other one's after the lease
    with server.mode("hang-data"):
        number, key = buy(first)
        until(lambda: row(first, number)["attempts"] == 0, 3)
        time.sleep(2)  # somebody is sending it by now
        owner, = owners(first)
        pid = int(owner.split("/")[1])
        dying, living = (first, second) if pid in first.processes() else (second, first)
        assert pid in dying.processes()
        dying.kill()
    died = time.time()
    later = [buy(living)[0] for _ in range(5)]
    settled(living, number, "sent", 1, seconds=LEASE + 20)
    assert time.time() - died < LEASE + 5
    assert owners(living) != {owner}
    for one in later:
        settled(living, one, "sent", 1)
    assert [m.keys for m in server.to(customer(number))] == [[key]]


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_who_stops_in_order_hands_the_outbox_over(template, new_site, server, mpm):
    """Without waiting for the lease to end."""
    first = new_site(server=trust(server), start=False, mpm=mpm)
    second = new_site(server=trust(server), start=False, mpm=mpm, database=first.database)
    use_mail(first, server)
    for site in (first, second):
        site.start()
    for _ in range(3):  # whoever it is, and wherever the lease is then
        settled(first, buy(first if first.process else second)[0], "sent", 1)
        owner, = owners(first)
        pid = int(owner.split("/")[1])
        leaving, staying = (first, second) if pid in first.processes() else (second, first)
        leaving.stop(gracefully=True)
        assert owners(first) != {owner}
        number, key = buy(staying)
        settled(staying, number, "sent", 1, seconds=5)
        assert [m.keys for m in server.to(customer(number))] == [[key]]
        assert owners(first) != {owner}
        leaving.start()


def test_no_mail_outlasts_the_lease(template, new_site, server):
    """The slowest conversation there is: each copy is refused after some seconds, which makes it begin anew. The other
    server on this database sends none of these mails."""
    first = new_site(server=trust(server), start=False)
    second = new_site(server=trust(server), start=False, database=first.database)
    use_mail(first, server, sendMailBcc="a@copy.example;b@copy.example;c@copy.example;d@copy.example")
    lowest = LEASE
    with server.mode("slow-copies 5"):
        first.start()
        second.start()
        numbers = [buy(site)[0] for site in (first, second, first)]
        end = time.monotonic() + 100
        while not all(r["state"] == "sent" for r in rows(first)):
            assert time.monotonic() < end, rows(first)
            left = first.query("SELECT leased_until FROM qlm_lease WHERE name = 'outbox'")
            lowest = min([lowest] + [r["leased_until"] - time.time() for r in left])
            time.sleep(0.1)
    assert lowest > 5, "the lease ended while a mail was under way"
    assert [[m.recipients for m in server.to(customer(n))] for n in numbers] == [[[customer(n)]] for n in numbers]
    assert all(r["attempts"] == 1 for r in rows(first))


def test_a_child_that_dies_is_followed_by_another(new_site, server):
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.start()
    site.allow(r"exit signal")
    settled(site, buy(site)[0], "sent", 1)
    owner, = owners(site)
    os.kill(int(owner.split("/")[1]), 9)
    site.change("UPDATE qlm_lease SET leased_until = ?", int(time.time()) - 1)
    number, key = buy(site)
    settled(site, number, "sent", 1)
    assert owners(site) != {owner}
    assert [m.keys for m in server.to(customer(number))] == [[key]]


def test_a_graceful_restart_goes_on_with_the_outbox(new_site, server):
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.start()
    with server.mode("slow 0.05"):
        numbers = [buy(site)[0] for _ in range(20)]
        site.graceful()
        numbers += [buy(site)[0] for _ in range(20)]
        until(lambda: len(site.read_log("error.log").split("resuming normal operations")) > 2, 10)
        time.sleep(1)
        site.change("UPDATE qlm_lease SET leased_until = 0")  # of the child that has gone
        until(lambda: all(r["state"] == "sent" for r in rows(site)), 20, 0.1)
    for number in numbers:
        assert {m.id for m in server.to(customer(number))} and row(site, number)["attempts"] == 1


# ---- death and repair

class Moods(threading.Thread):
    """Changes the mail server's mood all the time."""

    def __init__(self, server, random_source):
        super().__init__(daemon=True)
        self.server, self.random, self.is_over = server, random_source, threading.Event()

    def run(self):
        while not self.is_over.is_set():
            self.server.set(self.random.choice(["accept"] * 3 + ["tempfail", "drop", "drop-after", "busy", "slow 0.1",
                                                                 "greylist", "hang-data"]))
            self.is_over.wait(self.random.uniform(0.1, 0.5))
        self.server.set("accept")


def deliver(site, number, end):
    """As a shop does: again and again until there is an answer. Returns the key."""
    while time.monotonic() < end:
        try:
            answer = call(site, METHOD, QUERY, fields(number), timeout=5)
            if answer.status == 200:
                return answer.text
            assert answer.status == 503, answer
        except OSError:
            pass
        except Exception as trouble:  # half an answer
            assert type(trouble).__module__ == "http.client", trouble
        time.sleep(0.05)
    raise AssertionError("order %s was never answered" % number)


def test_kill_at_any_moment_loses_no_key_and_no_mail(new_site, server):
    chance = random.Random(int(os.environ.get("QLM_TEST_SEED", time.time_ns() % 100000)))
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.allow(r"QLM1205|QLM1001|QLM1203|exit signal")
    site.start()
    before, kills = server.mark(), 0
    numbers = [order_number() for _ in range(MANY)]
    moods = Moods(server, chance)
    moods.start()
    with ThreadPoolExecutor(4) as pool:
        end = time.monotonic() + 60 + MANY / 5
        gap = 12.0 / MANY  # orders are spread over some seconds, so that kills meet them
        keys = []
        for number in numbers:
            keys.append(pool.submit(deliver, site, number, end))
            time.sleep(gap)
            if chance.random() < 8 / MANY:
                time.sleep(chance.uniform(0, 1.2))
                make_due(site)
                site.kill()
                kills += 1
                start_again(site)
                # what stood still while the lease of a dead process runs out stands still for as long; not in this test
                site.change("UPDATE qlm_lease SET leased_until = 0")
        keys = [k.result() for k in keys]
    moods.is_over.set()
    moods.join()

    def is_done():
        make_due(site)
        return all(r["state"] == "sent" for r in rows(site))
    until(is_done, 60, 0.5)
    mails = server.mails(before)
    for number, key in zip(numbers, keys):
        got = [m for m in mails if customer(number) in m.recipients]
        assert got and {tuple(m.keys) for m in got} == {(key,)}, "order %s: %d mails" % (number, len(got))
        assert len({m.id for m in got}) == 1
        assert len(rows(site, number)) == 1
        made = site.query("SELECT activation_key FROM qlm_license WHERE order_ref = ?", number)
        assert [r["activation_key"] for r in made] == [key.replace("-", "")]
    repeats = len(mails) - len(numbers)
    dropped = len([r for r in rows(site) if r["attempts"] > 1])
    print("%d orders, %d kills, %d mails, %d rows tried more than once" % (MANY, kills, len(mails), dropped))
    # a repeat needs a kill between two bookkeepings, or a server that took a mail and did not say so
    assert repeats <= kills + sum(r["attempts"] for r in rows(site)) - len(numbers)
    assert site.damages() == []
    site.restart()


# ---- retention

def test_finished_rows_are_removed_after_their_time(mailer, server):
    settled(mailer, buy(mailer)[0], "sent")
    with server.mode("tempfail"):
        waiting, _ = buy(mailer)
        settled(mailer, waiting, "waiting", 1)
        old, young = int(time.time()) - 30 * DAY - 60, int(time.time()) - 30 * DAY + 600
        with mailer.open_database(write=True) as db:
            db.execute("BEGIN")
            for i in range(1300):
                state = ("sent", "failed", "cancelled")[i % 3]
                db.execute("INSERT INTO qlm_outbox (id, kind, state, subject, created_at, finished_at)"
                           " VALUES (?, 'mail', ?, 'order old/x', ?, ?)", (i + 1, state, old, old))
            db.execute("INSERT INTO qlm_outbox (id, kind, state, subject, created_at, finished_at)"
                       " VALUES (5000, 'mail', 'sent', 'order young/x', ?, ?)", (young, young))
            db.execute("COMMIT")
        mailer.change("UPDATE qlm_outbox SET created_at = ? WHERE subject LIKE ?", old, "%/" + waiting)
        keys = len(mailer.query("SELECT id FROM qlm_license"))
        orders = len(mailer.query("SELECT order_ref FROM qlm_order"))
        sizes = set()

        def old_rows():
            count = mailer.query("SELECT COUNT(*) AS n FROM qlm_outbox WHERE subject = 'order old/x'")[0]["n"]
            sizes.add(count)
            return count
        until(lambda: old_rows() == 0, 12)
        assert {800, 300} <= sizes, "not removed in small batches: %s" % sorted(sizes)
        assert mailer.query("SELECT id FROM qlm_outbox WHERE id = 5000")
        assert row(mailer, waiting)["state"] == "waiting"
        assert len(mailer.query("SELECT id FROM qlm_license")) == keys
        assert len(mailer.query("SELECT order_ref FROM qlm_order")) == orders
        mailer.change("UPDATE qlm_outbox SET state = 'cancelled', finished_at = 1 WHERE subject LIKE ?", "%/" + waiting)


def test_retention_for_ever(mailer):
    with mailer.properties(outboxRetentionInDays="-1"):
        mailer.change("INSERT INTO qlm_outbox (id, kind, state, subject, created_at, finished_at)"
                      " VALUES (77, 'mail', 'sent', 'kept', 1, 1)")
        time.sleep(2.5)
        assert mailer.query("SELECT id FROM qlm_outbox WHERE id = 77")
    until(lambda: not mailer.query("SELECT id FROM qlm_outbox WHERE id = 77"), 8)


# ---- odd rows

def test_a_row_that_cannot_be_read_stops_nobody_else(mailer, server):
    mailer.expect(r"QLM1203")
    mailer.change("INSERT INTO qlm_outbox (id, kind, state, subject, payload, target)"
                  " VALUES (78, 'mail', 'waiting', 'broken', '{not json', 'x@buyer.example')")
    number, _ = buy(mailer)
    settled(mailer, number, "sent", 1)
    until(lambda: mailer.query("SELECT id FROM qlm_outbox WHERE id = 78 AND state = 'failed'"), 8)


def test_a_cancelled_row_is_not_sent(mailer, server):
    with server.mode("tempfail"):
        number, _ = buy(mailer)
        seen = settled(mailer, number, "waiting", 1)
        mailer.change("UPDATE qlm_outbox SET state = 'cancelled', next_at = 0, finished_at = ? WHERE id = ?",
                      int(time.time()), seen["id"])
    other, _ = buy(mailer)
    settled(mailer, other, "sent", 1)
    assert server.to(customer(number)) == [] and row(mailer, number)["state"] == "cancelled"


def test_an_idle_server_writes_nothing(mailer):
    settled(mailer, buy(mailer)[0], "sent")
    with mailer.unchanged():
        time.sleep(2.5)


# ---- the operator's hand

def test_retry_and_cancel_by_hand(mailer, server):
    mailer.expect(r"QLM1203")
    with server.mode("refuse"):
        number, key = buy(mailer)
        failed = settled(mailer, number, "failed", 1)
    shown = mailer.ctl("outbox", "show", failed["id"]).stdout
    assert customer(number) in shown and "550" in shown
    assert number in mailer.ctl("outbox", "list").stdout
    mailer.ctl("outbox", "retry", failed["id"])
    settled(mailer, number, "sent")
    assert [m.keys for m in server.to(customer(number))] == [[key]]
    with server.mode("tempfail"):
        number, _ = buy(mailer)
        waiting = settled(mailer, number, "waiting", 1)
        mailer.ctl("outbox", "cancel", waiting["id"])
    assert row(mailer, number)["state"] == "cancelled"
    make_due(mailer)
    settled(mailer, buy(mailer)[0], "sent")
    assert server.to(customer(number)) == []
