"""The promises, and attempts to break them: an order is fulfilled once, a seat is sold once, nothing acknowledged is
lost."""
import http.client
import os
import random
import signal
import threading
import time

import pytest

from client import KEY, PRODUCT, Connection, activate, call, issue, kept, normal, order, order_number, report, storm, \
    until, validate
from env import PASSWORD, USER

OFFLINE = (OSError, http.client.HTTPException)


def form(number, line="1", quantity="1"):
    return {"PURCHASE_ID": number, "RUNNING_NO": line, "QUANTITY": quantity, "REG_NAME": "Parallel Buyer",
            "EMAIL": "p%s@buyer.example" % number}


def buy(connection, number, line="1", **more):
    return connection.call("GetActivationKeyWithExpiryDate", order("cleverbridge", is_expduration="365", **more),
                           form(number, line))


def intact(site):
    """The engine's own checks, and ours: seats add up, nothing is there twice."""
    assert site.damages() == []
    assert site.query("SELECT l.activation_key FROM qlm_license l WHERE available_licenses < 0 OR available_licenses <>"
                      " num_licenses - (SELECT count(*) FROM qlm_activation a WHERE a.license_id = l.id)") == []
    assert site.query("SELECT license_id FROM qlm_activation GROUP BY license_id, computer_fold"
                      " HAVING count(*) > 1") == []
    assert site.query("SELECT o.order_ref FROM qlm_order o LEFT JOIN qlm_license l ON l.vendor = o.vendor"
                      " AND l.order_ref = o.order_ref AND l.line_ref = o.line_ref"
                      " WHERE l.id IS NULL AND o.fingerprint NOT IN ('RenewSubscriptionHttp', 'RenewMaintenancePlan',"
                      " 'EnableMaintenancePlan', 'UpdateLicenseHttp', 'UpgradeLicense', 'RevokeLicenseHttp')") == []
    assert site.query("SELECT l.order_ref FROM qlm_license l LEFT JOIN qlm_order o ON l.vendor = o.vendor"
                      " AND l.order_ref = o.order_ref AND l.line_ref = o.line_ref"
                      " WHERE o.vendor IS NULL AND l.order_ref <> ''") == []
    checked = site.ctl("db", "check", check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


# ---- an order is fulfilled once

def age_rows(site, seconds):
    """A year passes: everything stored becomes that much older."""
    site.change("UPDATE qlm_order SET created_at = created_at - ?", seconds)
    site.change("UPDATE qlm_license SET created_at = created_at - ?, ordered_at = ordered_at - ?,"
                " expires_at = CASE expires_at WHEN 0 THEN 0 ELSE expires_at - ? END", seconds, seconds, seconds)
    site.change("UPDATE qlm_customer SET created_at = created_at - ?, modified_at = modified_at - ?", seconds, seconds)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_the_same_order_a_thousand_times(new_site, mpm):
    site = new_site(mpm=mpm)
    number = order_number()
    answers = storm(range(1000), lambda box, _: buy(kept(box, site), number), clients=32)
    bodies = {a.body for a in answers}
    assert [a.status for a in answers] == [200] * 1000
    assert len(bodies) == 1 and KEY.match(answers[0].text)
    assert len({a.type for a in answers}) == 1

    def one_license():
        licenses = site.query("SELECT * FROM qlm_license")
        assert [l["activation_key"] for l in licenses] == [normal(answers[0].text)]
        assert len(site.query("SELECT * FROM qlm_order")) == len(site.query("SELECT * FROM qlm_customer")) == 1
    one_license()
    site.restart()
    assert {call_again(site, number).body for _ in range(5)} == bodies
    age_rows(site, 365 * 86400 + 3600)
    assert {call_again(site, number).body for _ in range(5)} == bodies
    one_license()
    intact(site)


def call_again(site, number):
    connection = Connection(site)
    try:
        return buy(connection, number)
    finally:
        connection.close()


@pytest.mark.parametrize("vendor", ["shareit", "QlmAuthenticationProvider"])
def test_the_same_order_of_the_other_vendors(any_site, vendor):
    number = order_number()
    query = order(vendor, orderNumber=number) if vendor.startswith("Qlm") else order(vendor)
    body = None if vendor.startswith("Qlm") else form(number)
    answers = storm(range(200), lambda box, _: kept(box, any_site).call("GetActivationKey", query, body), clients=16)
    assert len({(a.status, a.body) for a in answers}) == 1 and answers[0].status == 200
    assert len(any_site.query("SELECT * FROM qlm_license WHERE order_ref = ?", number)) == 1


def test_many_orders_each_several_times(any_site):
    """Different orders at once, every one posted four times: one key each, all different."""
    numbers = [order_number() for _ in range(60)]
    jobs = numbers * 4
    random.Random(7).shuffle(jobs)
    answers = storm(jobs, lambda box, n: (n, buy(kept(box, any_site), n)), clients=16)
    texts = {}
    for number, answer in answers:
        assert answer.status == 200
        texts.setdefault(number, set()).add(answer.text)
    assert all(len(t) == 1 for t in texts.values())
    assert len({next(iter(t)) for t in texts.values()}) == 60


def test_lines_of_one_purchase_at_once(any_site):
    """One buyer, many lines at once: one customer, a key per line."""
    number = order_number()
    answers = storm([str(i % 20) for i in range(80)], lambda box, line: (line, buy(kept(box, any_site), number, line)),
                    clients=16)
    texts = {}
    for line, answer in answers:
        texts.setdefault(line, set()).add(answer.text)
    assert all(len(t) == 1 for t in texts.values()) and len(set.union(*texts.values())) == 20
    assert len(any_site.query("SELECT * FROM qlm_customer WHERE email_key = ?", "p%s@buyer.example" % number)) == 1


# ---- a seat is sold once

@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_200_computers_and_10_seats(new_site, mpm):
    site = new_site(mpm=mpm)
    key = issue(site, is_quantity="10")
    answers = storm(range(200), lambda box, i: (i, kept(box, site).call(
        "ActivateKey", {"is_avkey": key, "is_pcid": "PC-%d" % i, **PRODUCT})), clients=32)
    won = [i for i, a in answers if a.error is None]
    lost = [a for i, a in answers if a.error is not None]
    assert (len(won), len(lost)) == (10, 190)
    assert {(a.status, a.code, a.field("status")) for a in lost} == {(200, "210", "264")}
    left = sorted(int(a.field("availableLicenses")) for i, a in answers if a.error is None)
    assert left == list(range(10)), "each winner saw its own seat go"
    with site.unchanged():
        again = validate(site, key, "PC-%d" % won[0])
        assert (again.error, again.field("availableLicenses")) == (None, "0")
    assert report(site, key).field("availableLicenses") == "0"
    rows = site.query("SELECT a.computer_id FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id"
                          " WHERE l.activation_key = ?", normal(key))
    assert {r["computer_id"] for r in rows} == {"PC-%d" % i for i in won}
    intact(site)


def test_one_computer_many_times_takes_one_seat(any_site):
    key = issue(any_site, is_quantity="5")
    answers = storm(range(100), lambda box, i: kept(box, any_site).call(
        "ValidateLicenseHttp", {"is_avkey": key, "is_pcid": "PC-1" if i % 2 else "pc-1", **PRODUCT}), clients=16)
    assert {a.error for a in answers} == {None}
    assert {a.field("availableLicenses") for a in answers} == {"4"}
    assert len({a.field("pckey") for a in answers}) == 1


def test_a_computer_that_activates_at_once_under_several_names(any_site):
    """The one that takes the seat and the one that finds it taken: both names are stored, one after the other."""
    for i in range(40):
        key, names = issue(any_site), ["N%d-%d" % (i, n) for n in range(4)]
        answers = storm(names, lambda box, name: activate(any_site, key, is_computer_name=name), clients=4)
        assert [a.field("computerName") for a in answers] == names


def test_a_single_key_and_two_computers_at_once(any_site):
    for _ in range(15):
        key = issue(any_site)
        answers = storm(["A", "B"], lambda box, c: validate(any_site, key, c), clients=2)
        assert sorted(a.code or "" for a in answers) == ["", "207"]


def test_limits_hold_in_parallel(new_site):
    """maxActivationsPerSystem: 12 keys on one computer at once, 3 allowed."""
    site = new_site()
    keys = [issue(site) for _ in range(12)]
    with site.properties(maxActivationsPerSystem="3"):
        answers = storm(keys, lambda box, k: validate(site, k, "SAME"), clients=12)
        assert sorted(a.code or "" for a in answers) == [""] * 3 + ["214"] * 9
    with site.properties(maxNewKeysPerDay=str(12 + 5)):
        site.allow("QLM100[78]")
        answers = storm(range(12), lambda box, i: call(site, "GetActivationKey", order()), clients=12)
        assert sum(a.error is None for a in answers) == 5


# ---- kill -9

class Shopper(threading.Thread):
    """Orders and activates until told to stop; remembers what was acknowledged."""

    def __init__(self, site, ledger, stop, connect):
        super().__init__(daemon=True)
        self.site, self.ledger, self.stop, self.connect = site, ledger, stop, connect
        self.trouble = None

    def run(self):
        try:
            self.shop()
        except OFFLINE:
            pass
        except BaseException as trouble:  # an answer that no client should get
            self.trouble = trouble

    def shop(self):
        connection = self.connect(self.site)
        while not self.stop.is_set():
            number = order_number()
            self.ledger.posted(number)
            answer = buy(connection, number, is_numberofactivationsperkey="3")
            assert answer.status == 200 and KEY.match(answer.text), answer
            self.ledger.bought(number, answer.text)
            for computer in ("PC-1", "PC-2"):
                document = connection.call("ActivateKey", {"is_avkey": answer.text, "is_pcid": computer, **PRODUCT,
                                                           "is_sign": "false"})
                assert document.status == 200 and document.error is None, document
                self.ledger.activated(answer.text, computer, document.field("pckey"))


class Ledger:
    """What clients sent and what was acknowledged to them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.numbers, self.keys, self.seats = [], {}, {}

    def posted(self, number):
        with self.lock:
            self.numbers.append(number)

    def bought(self, number, key):
        with self.lock:
            assert self.keys.setdefault(number, key) == key

    def activated(self, key, computer, computer_key):
        with self.lock:
            self.seats[key, computer] = computer_key

    def compare(self, site):
        """Everything acknowledged is in the database, and nothing is there twice."""
        stored = {r["order_ref"]: r["activation_key"] for r in
                  site.query("SELECT order_ref, activation_key FROM qlm_license")}
        assert len(stored) == site.query("SELECT count(*) AS n FROM qlm_license")[0]["n"], "an order has two keys"
        answers = {r["order_ref"]: r["answer"] for r in site.query("SELECT order_ref, answer FROM qlm_order")}
        for number, key in self.keys.items():
            assert stored.get(number) == normal(key) and answers.get(number) == key, "order %s is lost" % number
        seats = {(r["activation_key"], r["computer_id"]): r["computer_key"] for r in site.query(
            "SELECT l.activation_key, a.computer_id, a.computer_key FROM qlm_activation a"
            " JOIN qlm_license l ON l.id = a.license_id")}
        for (key, computer), computer_key in self.seats.items():
            assert seats.get((normal(key), computer)) == computer_key, "an activation is lost"
        assert set(stored) <= set(self.numbers)


def shoppers(site, ledger, stop, count=16, connect=Connection):
    threads = [Shopper(site, ledger, stop, connect) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def finish(threads):
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    troubles = [t.trouble for t in threads if t.trouble]
    assert not troubles, troubles[:3]


@pytest.mark.parametrize("mpm, rounds", [("event", 60), ("prefork", 30)])
def test_kill_9_at_random_moments(new_site, mpm, rounds):
    site = new_site(mpm=mpm)
    moments = random.Random(20270101)
    ledger = Ledger()
    for _ in range(rounds):
        stop = threading.Event()
        before = len(ledger.keys)
        threads = shoppers(site, ledger, stop)
        until(lambda: len(ledger.keys) > before, 10, 0.002)
        time.sleep(moments.uniform(0, 0.15))
        site.kill()
        stop.set()
        finish(threads)
        site.start()
        ledger.compare(site)
    site.allow("AH00|exit signal")
    intact(site)
    # what was posted and not acknowledged: the shop posts again and gets exactly one key
    open_numbers = [n for n in ledger.numbers if n not in ledger.keys]
    for number, answer in storm(open_numbers, lambda box, n: (n, buy(kept(box, site), n,
                                                                      is_numberofactivationsperkey="3")), 8):
        assert answer.status == 200
        ledger.bought(number, answer.text)
    sample = moments.sample(sorted(ledger.keys), min(200, len(ledger.keys)))
    for number, answer in storm(sample, lambda box, n: (n, buy(kept(box, site), n)), 8):
        assert answer.text == ledger.keys[number]
    ledger.compare(site)
    assert len(site.query("SELECT id FROM qlm_license")) == len(ledger.numbers)
    intact(site)


def test_kill_9_of_single_children(new_site):
    """Children die, the parent lives: callers on other connections notice nothing, nothing is lost."""
    site = new_site()
    site.allow("AH00|exit signal")
    ledger = Ledger()
    moments = random.Random(4711)
    for _ in range(10):
        stop = threading.Event()
        threads = shoppers(site, ledger, stop, 8)
        time.sleep(moments.uniform(0.05, 0.15))
        children = site.processes()[1:]
        os.kill(moments.choice(children), signal.SIGKILL)
        time.sleep(0.1)
        stop.set()
        finish(threads)
        ledger.compare(site)
        until(lambda: call(site, "PingHttp").status == 200)
    assert ledger.keys
    intact(site)


# ---- graceful restart

class Fresh:
    """A new connection for every call."""

    def __init__(self, site):
        self.site = site

    def call(self, *arguments, **more):
        connection = Connection(self.site, timeout=30)
        try:
            return connection.call(*arguments, **more)
        except OFFLINE as trouble:
            raise AssertionError("a fresh connection failed: %r" % trouble)
        finally:
            connection.close()


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_graceful_restart_under_load(new_site, mpm):
    site = new_site(mpm=mpm)
    ledger, stop = Ledger(), threading.Event()
    threads = shoppers(site, ledger, stop, 8, Fresh)
    until(lambda: len(ledger.keys) > 20)
    for _ in range(5):
        before = len(ledger.keys)
        generation = site.read_log("error.log").count("resuming normal operations")
        site.graceful()
        until(lambda: site.read_log("error.log").count("resuming normal operations") > generation)
        until(lambda: len(ledger.keys) > before + 10)
    stop.set()
    finish(threads)
    ledger.compare(site)
    intact(site)


def test_kept_connections_over_a_graceful_restart(new_site):
    """A kept connection may be closed between calls, but a call that was acknowledged stays."""
    site = new_site()
    ledger, stop = Ledger(), threading.Event()
    threads = shoppers(site, ledger, stop, 8)
    until(lambda: len(ledger.keys) > 20)
    site.graceful()
    time.sleep(1)
    stop.set()
    finish(threads)
    ledger.compare(site)
    intact(site)


# ---- what must not leak

def test_memory_does_not_grow_with_calls(any_site):
    """Resident memory after a first thousand calls and after three thousand more."""
    key = issue(any_site, is_quantity="2")
    query = {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT}

    def resident():
        total = 0
        for pid in any_site.processes():
            with open("/proc/%d/status" % pid) as f:
                total += sum(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
        return total, len(any_site.processes())
    storm(range(1000), lambda box, i: kept(box, any_site).call("ValidateLicenseHttp", query), clients=4)
    first, processes = resident()
    storm(range(3000), lambda box, i: kept(box, any_site).call("ValidateLicenseHttp", query), clients=4)
    second, processes_now = resident()
    assert second / processes_now - first / processes < 2048, "%d kB, then %d kB" % (first, second)


# ---- seats that are given back

RELEASE = {"is_vendor": "QlmAuthenticationProvider", "is_user": USER, "is_pwd": PASSWORD}


def take(connection, key, computer):
    return connection.call("ActivateKey", {"is_avkey": key, "is_pcid": computer, **PRODUCT})


def give(connection, key, computer):
    return connection.call("ReleaseLicenseHttp", {**RELEASE, "is_avkey": key, "is_pcid": computer})


class Mover(threading.Thread):
    """Moves one computer in and out of licenses, and knows where it is; of a call that was cut off it knows nothing."""

    def __init__(self, site, keys, computer, stop):
        super().__init__()
        self.site, self.keys, self.computer, self.stop = site, keys, computer, stop
        self.active, self.moves, self.trouble = {}, 0, None  # key -> True, False or None (not known)

    def run(self):
        connection = Connection(self.site, timeout=30)
        chance = random.Random(self.computer)
        while not self.stop.is_set() and not self.trouble:
            key = chance.choice(self.keys)
            try:
                self.move(connection, key)
            except OFFLINE:
                self.active[key] = None
                connection.close()
                time.sleep(0.01)
            except AssertionError as trouble:
                self.trouble = trouble
        connection.close()

    def move(self, connection, key):
        was = self.active.get(key, False)
        answer = (give if was or (was is None and self.moves % 2) else take)(connection, key, self.computer)
        assert answer.status == 200, answer
        if answer.root.find("result") is not None and answer.error is None:
            self.active[key] = answer.field("status") is not None  # a document, or the sentence of a release
        else:
            assert answer.code in ("210", "216", "217"), answer
            assert was is None or (was is False and answer.code == "210"), "%r after %r" % (answer, was)
            self.active[key] = False
        self.moves += 1


def compare_seats(site, movers):
    """What was acknowledged is so."""
    rows = {(r["activation_key"], r["computer_id"]) for r in site.query(
        "SELECT l.activation_key, a.computer_id FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id")}
    for mover in movers:
        for key, is_active in mover.active.items():
            if is_active is not None:
                assert ((normal(key), mover.computer) in rows) == is_active, (key, mover.computer, is_active)


@pytest.mark.parametrize("mpm, rounds", [("event", 6), ("prefork", 4)])
def test_seats_move_while_the_server_is_killed(new_site, mpm, rounds):
    """32 computers share 3 licenses of 5 seats each, in and out; the server is killed in the middle."""
    site = new_site(mpm=mpm)
    site.allow("AH00|exit signal|QLM100[178]")
    keys = [issue(site, is_quantity="5") for _ in range(3)]
    moments = random.Random(20261121)
    known = [{} for _ in range(32)]
    moves = 0
    for _ in range(rounds):
        stop = threading.Event()
        movers = [Mover(site, keys, "PC-%d" % i, stop) for i in range(32)]
        for mover, active in zip(movers, known):
            mover.active = active
            mover.start()
        until(lambda: sum(m.moves for m in movers) > 100, 30)
        time.sleep(moments.uniform(0, 0.1))
        site.kill()
        stop.set()
        finish(movers)
        moves += sum(m.moves for m in movers)
        site.start()
        compare_seats(site, movers)
        intact(site)
    assert moves > 100 * rounds
    # nothing is left over: all computers leave, and every seat is free again
    for key in keys:
        storm(range(32), lambda box, i: give(kept(box, site), key, "PC-%d" % i), 8)
    assert {r["available_licenses"] for r in site.query("SELECT available_licenses FROM qlm_license")} == {5}
    intact(site)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_the_same_seat_is_given_once(new_site, mpm):
    """32 clients release the same computer: one gives the seat back, the others find nothing to give."""
    site = new_site(mpm=mpm)
    site.allow("QLM1008")
    key = issue(site, is_quantity="4")
    for _ in range(5):
        for computer in ("PC-1", "PC-2"):
            assert take(Fresh(site), key, computer).error is None
        answers = storm(range(64), lambda box, i: give(kept(box, site), key, "PC-1"), 32)
        assert sorted(str(a.code) for a in answers) == ["217"] * 63 + ["None"]
        assert report(site, key).field("availableLicenses") == "3"
        assert give(Fresh(site), key, "PC-2").error is None
    intact(site)
