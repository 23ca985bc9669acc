"""A database server that takes connections and says nothing, as behind a network that swallows packets, or one that is
frozen: the calls that meet it are refused when the connection's own limit is over, all others at once."""
import concurrent.futures
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

import engines
from client import issue, order_number, storm, until, validate
from test_database_faults import service_is_back
from test_server_faults import NOISE, make, reconfigure, server  # noqa: F401

pytestmark = pytest.mark.servers_only
LIMIT = 3  # seconds


def with_limits(site, database):
    """The parameters with a limit on connecting; MariaDB's driver reads it from a file only."""
    if engines.ENGINE == "postgresql":
        return database.with_params(connect_timeout=str(LIMIT))
    home = site.root / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / ".my.cnf").write_text("[qlm]\nconnect-timeout=%d\n" % LIMIT)
    site.environment["HOME"] = str(home)
    return database.with_params(group="qlm")


@pytest.fixture
def silent():
    """The port of somebody who never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(200)
        yield listener.getsockname()[1]


def timed(site, key, computer):
    started = time.monotonic()
    answer = validate(site, key, computer)
    return answer.status, time.monotonic() - started


def test_nobody_queues_up_for_a_server_that_is_silent(make, server, silent):  # noqa: F811
    """mod_dbd makes one connection after the other: with each caller trying, the twelfth would wait for a minute."""
    site = make(start=False)
    site.allow(NOISE)
    good = site.database.by_port()
    reconfigure(site, with_limits(site, good.with_params(port=str(silent))))
    site.start()
    assert timed(site, "A" * 26, "PC-0")[0] == 503
    started = time.monotonic()
    answers = storm(range(24), lambda box, i: timed(site, "A" * 26, "PC-%d" % i), clients=12)
    assert {status for status, _ in answers} == {503}
    assert time.monotonic() - started < 12 * LIMIT
    assert sum(took < 1 for _, took in answers) > 12, answers


@contextlib.contextmanager
def frozen(server):  # noqa: F811
    """The server's process and its children stand still."""
    parent = server.pid()
    family = [parent] + [int(p) for p in os.listdir("/proc") if p.isdigit() and parent_of(p) == parent]
    for process in family:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def parent_of(process):
    try:
        return int(Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return 0


def test_a_server_that_is_frozen(make, server):  # noqa: F811
    """It still acknowledges packets, so a call that had a connection waits until the server goes on, or is killed. New
    connections are limited. No answer is wrong."""
    site = make(start=False)
    site.allow(NOISE)
    reconfigure(site, with_limits(site, site.database.by_port()))
    site.start()
    key = issue(site, is_quantity="20")
    assert validate(site, key).error is None
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        with frozen(server):
            calls = [pool.submit(timed, site, key, "PC-%d" % i) for i in range(12)]
            until(lambda: any(call.done() for call in calls), 8 * LIMIT)
            time.sleep(LIMIT)
            assert {call.result()[0] for call in calls if call.done()} == {503}
        answers = [call.result()[0] for call in calls]
    assert set(answers) <= {200, 503}
    until(lambda: validate(site, key).error is None)
    seats = {r["computer_id"] for r in site.query("SELECT computer_id FROM qlm_activation")}
    assert {"PC-%d" % i for i, status in enumerate(answers) if status == 200} <= seats
    service_is_back(site, key, order_number())
    assert site.ctl("db", "check").returncode == 0
