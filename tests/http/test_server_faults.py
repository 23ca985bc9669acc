"""A database server that is stopped, restarted, overloaded or not to be reached: 503 in the caller's form with a time to
come back, no order lost or fulfilled twice, and service as soon as it is back, without a restart of httpd."""
import concurrent.futures
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "soak"))

import engines
from client import KEY, PRODUCT, call, issue, kept, normal, order_number, order, storm, until, validate
import network
from env import OURS, free_port
from test_database_faults import everything_fails, plain_away, service_is_back, shop

pytestmark = pytest.mark.servers_only
NOISE = "QLM1001|QLM1106|dbd|DBD|AH00632"  # what a server that is away makes httpd say


ONE_CHILD = "StartServers 1\nMinSpareThreads 1\nMaxSpareThreads 25\nServerLimit 1\nMaxRequestWorkers 25\n"


@pytest.fixture(scope="module")
def server():
    """A server of our own, with a port: the other tests must not suffer."""
    made = engines.Server(engines.ENGINE, free_port())
    yield made
    made.remove()


@pytest.fixture
def make(server, template, new_site):
    """Makes a site on that server."""
    def make_site(start=True, **settings):
        site = new_site(start=False, database=server.new_database(), **settings)
        site.ctl("init")
        template.database.copy_to(site.database)
        return site.start() if start else site
    return make_site


@pytest.fixture
def site(make):
    return make()


def administer(site, postgresql, mariadb):
    """SQL of the administrator: of the one or the other engine."""
    site.change(postgresql if engines.ENGINE == "postgresql" else mariadb)


def intact(site, answers):
    """Every acknowledged order is there, with its key and once; the tables add up."""
    site.allow(NOISE)
    stored = {r["order_ref"]: r["activation_key"] for r in site.query("SELECT * FROM qlm_license")}
    for number, answer in answers.items():
        assert answer.status in (200, 503), answer
        if answer.status == 200:
            assert stored[number] == normal(answer.text)
        else:
            assert answer.text.startswith("Error: ") and int(answer.headers["retry-after"]) > 0
    assert len(stored) == len(site.query("SELECT id FROM qlm_license"))
    assert len(site.query("SELECT order_ref FROM qlm_order")) == len(site.query(
        "SELECT o.order_ref FROM qlm_order o JOIN qlm_license l ON l.vendor = o.vendor AND l.order_ref = o.order_ref"
        " AND l.line_ref = o.line_ref"))
    assert site.ctl("db", "check").returncode == 0


def all_at_last(site, answers):
    """What was refused is posted again, as shops do; what was fulfilled keeps its answer."""
    for number, answer in answers.items():
        again = until(lambda: (lambda a: a if a.status == 200 else None)(shop(site, number)), 10)
        assert answer.status != 200 or again.body == answer.body


# ---- connections

@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_cut_connections_are_not_noticed(make, mpm):
    site = make(mpm=mpm)
    key = issue(site, is_quantity="10")
    for round_ in range(5):
        assert site.database.cut_connections() > 0
        for _ in range(4):
            assert validate(site, key, "PC-%d" % round_).error is None
        assert site.database.cut_connections() > 0
        assert KEY.match(shop(site, order_number()).text)
    site.allow("dbd")


def test_many_connections_are_cut(make):
    """All that a child keeps are dead then, and the next call passes them by."""
    site = make(server=ONE_CHILD + "DBDMin 8")
    key = issue(site)
    assert validate(site, key).error is None
    until(lambda: len(site.database.connections()) >= 8)
    assert site.database.cut_connections() >= 8
    assert validate(site, key).error is None
    assert KEY.match(shop(site, order_number()).text)
    site.allow("dbd")


def test_connections_are_cut_under_load(site):
    over = threading.Event()

    def cutter():
        while not over.wait(0.1):
            site.database.cut_connections()

    numbers = [order_number() for _ in range(300)]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        cuts = pool.submit(cutter)
        try:
            answers = dict(storm(numbers, lambda box, n: (n, shop(site, n)), clients=12))
        finally:
            over.set()
        cuts.result()
    assert sum(a.status == 200 for a in answers.values()) > 150
    intact(site, answers)
    all_at_last(site, answers)
    intact(site, answers)


def test_more_callers_than_connections(site, server):
    """The server lets in three. Who is not let in is refused for now, never half served."""
    key = issue(site, is_quantity="60")
    site.stop()
    administer(site, "ALTER DATABASE %s CONNECTION LIMIT 3" % site.database.name,
               "GRANT USAGE ON *.* TO qlm_httpd@localhost WITH MAX_USER_CONNECTIONS 3")
    site.allow(NOISE)
    site.start()
    try:
        answers = storm(range(60), lambda box, i: (i, kept(box, site).call("ActivateKey", {
            "is_avkey": key, "is_pcid": "PC-%d" % i, **PRODUCT})), clients=16)
        assert {a.status for _, a in answers} <= {200, 503}
        assert any(a.status == 200 for _, a in answers)
    finally:
        administer(site, "ALTER DATABASE %s CONNECTION LIMIT -1" % site.database.name,
                   "GRANT USAGE ON *.* TO qlm_httpd@localhost WITH MAX_USER_CONNECTIONS 0")
    seats = {r["computer_id"] for r in site.query("SELECT computer_id FROM qlm_activation")}
    assert {"PC-%d" % i for i, a in answers if a.status == 200 and a.error is None} == seats
    time.sleep(1.1)  # a connection that could not be made is tried again after a second
    service_is_back(site, key, order_number())
    for i, _ in answers:
        assert until(lambda: validate(site, key, "PC-%d" % i).error is None)


@pytest.mark.as_root
@pytest.mark.skipif(not network.is_possible(), reason="it needs a network of its own")
def test_the_network_is_cut(template, new_site, monkeypatch):
    """No packet comes through any more and nobody says so: within seconds callers are told, and when the network is
    back, so is service. MariaDB's client takes its patience with new connections from my.cnf only."""
    with network.of_our_own():
        server = engines.Server(engines.ENGINE, free_port())
        try:
            patience = {"group": "qlm"} if engines.ENGINE == "mariadb" else {"connect_timeout": "3"}
            database = server.new_database().by_port().with_params(**patience)
            site = new_site(start=False, database=database)
            (site.root / ".my.cnf").write_text("[qlm]\nconnect-timeout=3\n")
            monkeypatch.setenv("HOME", str(site.root))
            site.ctl("init")
            template.database.copy_to(database)
            site.start()
            key, number = issue(site), order_number()
            first = shop(site, number)
            with network.dropping([server.port]):
                plain_away(site, shop(site, order_number()))  # within the minute that its client waits
                assert validate(site, key).status == 503
            site.allow(NOISE)
            until(lambda: all(shop(site, number).body == first.body for _ in range(20)), 30)  # every child has tried
            service_is_back(site, key, order_number())
            site.stop()
            site.allow(NOISE)
        finally:
            server.remove()


# ---- the server

@pytest.mark.parametrize("how", ["fast", "now"])
def test_stopped_and_started(site, server, how):
    key, number = issue(site), order_number()
    first = shop(site, number)
    server.stop(how)
    try:
        everything_fails(site, key)
        assert call(site, "").status == 200, "the index needs no database"
        plain_away(site, shop(site, number))
        site.allow(NOISE)
    finally:
        server.start()
    service_is_back(site, key, order_number())
    assert shop(site, number).body == first.body


def test_away_at_the_start(make, server):
    site = make(start=False)
    site.allow(NOISE)
    server.stop()
    try:
        site.start()
        everything_fails(site, "A" * 26)
    finally:
        server.start()
    key = until(lambda: (lambda a: a.licenses[0] if a.status == 200 else None)(call(site, "GetActivationKey", order())))
    service_is_back(site, key, order_number())


def test_away_for_long_does_not_fill_the_log(make, server):
    """mod_dbd has lines of its own for each connection that it does not get, and nobody calls."""
    site = make(server=ONE_CHILD)
    site.allow(NOISE)
    key = issue(site)
    server.stop()
    try:
        time.sleep(2)
        mark = site.mark()
        time.sleep(12)
        lines = site.error_lines(mark)
        assert lines and len(lines) <= 20, [l.text for l in lines]
    finally:
        server.start()
    service_is_back(site, key, order_number())


@pytest.mark.parametrize("how", ["fast", "now"])
def test_restarted_under_load(site, server, how):
    numbers = [order_number() for _ in range(300)]

    def restart():
        time.sleep(0.3)
        server.stop(how)
        server.start()

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        restarted = pool.submit(restart)
        answers = dict(storm(numbers, lambda box, n: (n, shop(site, n)), clients=12))
        restarted.result()
    intact(site, answers)
    all_at_last(site, answers)
    assert len(site.query("SELECT id FROM qlm_license")) == len(numbers)


def test_frozen_for_a_moment(site, server):
    """What is only slow is waited for."""
    key = issue(site)
    pid = server.pid() if engines.ENGINE == "mariadb" else None
    stopped = [pid] if pid else site.database.connections()  # PostgreSQL has a process for each connection
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(validate, site, key) for _ in range(4)]
        time.sleep(0.7)
        for process in stopped:
            os.kill(process, signal.SIGCONT)
        assert [a.result().error for a in answers] == [None] * 4


def test_no_changes_allowed(site):
    """A standby, or an administrator who copies something: reading goes on."""
    key, number = issue(site, is_quantity="2"), order_number()
    assert validate(site, key).error is None
    administer(site, "ALTER ROLE qlm_httpd SET default_transaction_read_only = on",
               "SET GLOBAL read_only = 1")
    site.database.cut_connections()
    try:
        assert validate(site, key).error is None
        plain_away(site, shop(site, number))
        assert validate(site, key, "PC-2").status == 503
        site.allow(NOISE)
    finally:
        administer(site, "ALTER ROLE qlm_httpd RESET default_transaction_read_only",
                   "SET GLOBAL read_only = 0")
    service_is_back(site, key, number)


def wait_for_a_standby(site, name):
    site.change("ALTER SYSTEM SET synchronous_standby_names = '%s'" % name)
    site.change("SELECT pg_reload_conf()")


@pytest.mark.postgresql_only("here the moment can be chosen")
def test_a_commit_whose_answer_is_lost(site):
    """It may have happened, as here, where the server has committed and waits for a standby that it does not have. Done
    once more, the release would be refused: the computer is not active any more."""
    key = issue(site)
    assert validate(site, key).error is None
    wait_for_a_standby(site, "nobody")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        released = pool.submit(call, site, "ReleaseLicenseHttp", order(is_avkey=key, is_pcid="PC-1"))
        until(lambda: site.query("SELECT 1 AS x FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
        assert site.database.cut_connections() > 0
        wait_for_a_standby(site, "")
        assert released.result().status == 503
    site.allow(NOISE)
    assert site.query("SELECT * FROM qlm_activation") == []


# ---- rows that somebody holds

def test_a_row_that_is_held(site):
    """By a program of the operator: for a moment it is a delay, for longer a refusal within bounds."""
    key = issue(site, is_quantity="3")
    with site.open_database(write=True) as db:
        db.execute("BEGIN")
        db.execute("SELECT id FROM qlm_license FOR UPDATE")
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            activation = pool.submit(validate, site, key, "PC-1")
            time.sleep(0.5)
            db.execute("ROLLBACK")
            assert activation.result().error is None
        db.execute("BEGIN")
        db.execute("SELECT id FROM qlm_license FOR UPDATE")
        started = time.monotonic()
        assert validate(site, key, "PC-1").error is None, "reading needs no lock"
        refused = validate(site, key, "PC-2")
        assert refused.status == 503 and time.monotonic() - started < 12
        db.execute("ROLLBACK")
    site.allow(NOISE)
    assert validate(site, key, "PC-2").field("availableLicenses") == "1"


# ---- before the start

def complaint(site):
    done = site.configtest()
    assert done.returncode != 0, done.stderr
    line, = [l for l in done.stderr.splitlines() if OURS.search(l)]
    return line


def reconfigure(site, database):
    config = site.root / "httpd.conf"
    config.write_text(re.sub('DBDParams.*', 'DBDParams "%s"' % database.params, config.read_text()))


def test_the_password_is_right(make):
    site = make(start=False)
    reconfigure(site, site.database.by_port())
    assert site.configtest().returncode == 0
    site.start()
    service_is_back(site, issue(site), order_number())


def test_what_mariadb_needs_is_added_to_its_parameters(make):
    """A driver that connects again by itself would go on with half a transaction."""
    site = make(start=False)
    reconfigure(site, site.database.with_params(reconnect=None, flags=None))
    assert site.configtest().returncode == 0
    site.start()
    key, number = issue(site), order_number()
    assert validate(site, key).error is None
    assert site.database.cut_connections() > 0
    assert validate(site, key).error is None
    site.allow("dbd")
    service_is_back(site, key, number)


def test_the_password_is_wrong(make):
    site = make(start=False)
    reconfigure(site, site.database.by_port("not-this-one"))
    line = complaint(site)
    assert "check user" in line and "not-this-one" not in line
    site.allow(NOISE)
    site.start()
    everything_fails(site, "A" * 26)
    assert b"not-this-one" not in site.everything_written()


def test_the_database_does_not_exist(make):
    site = make(start=False)
    reconfigure(site, site.database.with_params(dbname="qlm_nowhere"))
    line = complaint(site)
    assert "its name in the parameters" in line or "rights" in line


def test_nobody_listens(make):
    site = make(start=False)
    reconfigure(site, site.database.by_port().with_params(port=str(free_port())))
    assert "does the database server run" in complaint(site)


def test_the_host_is_unknown(make):
    site = make(start=False)
    reconfigure(site, site.database.by_port().with_params(host="nowhere.invalid"))
    assert "check the host in the parameters" in complaint(site)


def test_the_tables_are_missing(make, server):
    site = make(start=False)
    empty = server.new_database()
    reconfigure(site, empty)
    assert "qlmctl init" in complaint(site)


def test_a_driver_that_is_not_installed(make):
    site = make(start=False)
    config = site.root / "httpd.conf"
    config.write_text(re.sub('DBDriver.*', 'DBDriver nosuch', config.read_text()))
    done = site.configtest()
    assert done.returncode != 0 and "nosuch" in done.stderr
