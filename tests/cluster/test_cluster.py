"""Two web servers behind a balancer, on three nodes of Galera or on a PostgreSQL primary and its standby: a soak run with
servers killed and cut off, and what one web server does must be seen by the other at once."""
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http"), str(HERE.parent / "soak")]

import cluster as setup  # noqa: E402
import soak  # noqa: E402
from checker import UNKNOWN, check_all  # noqa: E402
from client import KEY, call, issue, order, order_number, storm, until, validate  # noqa: E402
from engines import ENGINE, dump  # noqa: E402
from test_customer import address, update  # noqa: E402
from test_database_faults import plain_away, shop  # noqa: E402

OPERATIONS = int(os.environ.get("QLM_SOAK_OPERATIONS", "20000"))
SEED = os.environ.get("QLM_SOAK_SEED", "1")


@pytest.fixture(scope="module")
def played():
    """(cluster, finished run): a run has ended on it, its servers are started again."""
    with setup.running() as made:
        run = soak.Run(made, SEED, OPERATIONS).play()
        made.allow(soak.NOISE)
        assert made.audit() == []
        yield made.start(), run


@pytest.fixture
def cluster(played):
    cluster = played[0]
    yield cluster
    cluster.group.await_all()
    cluster.allow(soak.NOISE)
    assert cluster.audit() == []


# ---- many calls, many faults

def test_some_order_explains_everything(played, tmp_path):
    _, run = played
    run.write(tmp_path / "history.jsonl")
    problems = check_all(*soak.read(tmp_path / "history.jsonl"))
    assert not problems, "%s\n%s" % (run.summary(), "\n".join(problems[:5]))


def test_all_servers_have_the_same_rows(played):
    cluster, _ = played
    assert cluster.differences() == []
    checked = cluster.ctl("db", "check", check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_enough_was_played(played):
    cluster, run = played
    calls = [n for n in run.notes if n[3]["do"] != "rows"]
    assert len(calls) >= OPERATIONS
    assert sum(n[4] is UNKNOWN for n in calls) < len(calls) / 10, run.summary()
    assert len(run.faults) >= OPERATIONS // run.pause - 1, run.summary()
    assert {name for _, name in run.faults} == {fault.__name__ for fault in cluster.faults}, run.summary()
    for site in cluster.sites:
        assert b"ActivateKey" in (site.root / "logs" / "access.log").read_bytes(), "a web server had nothing to do"


# ---- one web server and the other

def test_what_one_sold_the_other_knows(cluster):
    one, other = cluster.sites
    for _ in range(40):
        key = issue(one)
        assert validate(other, key).error is None
        assert validate(one, key, is_activate="false").error is None
        one, other = other, one


def test_seats_are_sold_once(cluster):
    """To computers that come to both at the same time."""
    for _ in range(5):
        key = issue(cluster, is_quantity="3")
        answers = storm(range(12), lambda box, i: validate(cluster.sites[i % 2], key, "PC-%d" % i), clients=12)
        assert sum(a.status == 200 and a.error is None for a in answers) == 3, answers
        assert validate(cluster, key, "PC-99").code in ("207", "210")


def test_an_order_is_fulfilled_once(cluster):
    for _ in range(5):
        number = order_number()
        answers = storm(range(8), lambda box, i: shop(cluster.sites[i % 2], number), clients=8)
        assert len({a.body for a in answers if a.status == 200}) == 1
        assert len(cluster.query("SELECT id FROM qlm_license WHERE order_ref = ?", number)) == 1


def test_a_customer_who_moves_takes_his_licenses_along(cluster):
    """While he buys on the other server: the new license is of the customer who stays, or of a new one."""
    for _ in range(15):
        old, new = address(), address()
        issue(cluster, email=old)
        issue(cluster, email=new)
        answers = storm([0, 1, 2, 3], lambda box, i: update(cluster.sites[0], {"email": new}, is_previousemail=old) if i == 0
                        else call(cluster.sites[1], "GetActivationKey", order(email=old)), clients=4)
        assert {a.status for a in answers} <= {200, 503}
    assert cluster.ctl("db", "check").returncode == 0


def test_a_copy_of_the_database(cluster):
    """`qlmctl db copy` into the cluster."""
    copy = cluster.group.new_databases()
    cluster.ctl("db", "copy", str(cluster.databases[0]), str(copy[0]))
    rows = dump(cluster.databases[0])
    assert rows["qlm_license"] and all(dump(c) == rows for c in cluster.group.copies(copy[0].name))


# ---- servers that are gone

def test_a_web_server_that_is_gone(cluster):
    """The balancer leaves it alone from then on, and takes it back."""
    cluster.sites[0].kill()
    until(lambda: all(call(cluster, "PingHttp").status == 200 for _ in range(10)))
    key = issue(cluster)
    cluster.sites[0].start()
    mark = served(cluster.sites[0])
    until(lambda: validate(cluster, key).error is None and served(cluster.sites[0]) > mark)


def served(site):
    """How many activations that one has answered."""
    return site.read_log("access.log").count("/ValidateLicenseHttp")


if ENGINE == "mariadb":
    def test_a_node_that_is_cut_off(cluster):
        """Its web server refuses what it cannot know, in the caller's form; the balancer goes on with the other. It needs
        no help when the node is back."""
        site, node = cluster.sites[0], cluster.group.nodes[0]
        key, number = issue(site), order_number()
        node.isolate(True)
        try:
            until(lambda: node.status("cluster_status") == "non-Primary", 30)
            plain_away(site, shop(site, number))
            assert validate(site, key).status == 503
            until(lambda: all(call(cluster, "PingHttp").status == 200 for _ in range(10)), 30)
            assert validate(cluster, key).error is None
            answer = shop(cluster, number)
            assert KEY.match(answer.text)
        finally:
            node.isolate(False)
        cluster.group.await_all()
        assert until(lambda: (lambda a: a if a.status == 200 else None)(shop(site, number))).body == answer.body

else:
    def test_a_primary_that_is_replaced(cluster):
        """httpd has connections to the old one, which is gone or has become a standby."""
        pair, number = cluster.group, order_number()
        for lose in ("kill", "stop"):
            first = shop(cluster, number)
            getattr(pair.primary, lose)()
            assert shop(cluster, order_number()).status == 503
            pair.promote()
            assert until(lambda: (lambda a: a if a.status == 200 else None)(shop(cluster, number))).body == first.body
            pair.attach()
            until(lambda: shop(cluster, order_number()).status == 200)
