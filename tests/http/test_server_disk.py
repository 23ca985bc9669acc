"""The disk of a database server is full: changes get 503 and leave nothing behind, reading goes on, and there is service
again as soon as there is room, without a restart of httpd. The server is on a small file system of its own."""
import contextlib
import os
import shutil

import pytest

import engines
from client import issue, order_number, until, validate
from test_database_faults import plain_away, service_is_back, shop, small_disk
from test_server_faults import NOISE, all_at_last, intact, make  # noqa: F401

pytestmark = [pytest.mark.servers_only, pytest.mark.as_root]
OPTIONS = {"postgresql": "-c max_wal_size=64MB -c min_wal_size=32MB -c shared_buffers=16MB",
           "mariadb": "--innodb-log-file-size=4M --innodb-data-file-path=ibdata1:12M:autoextend"}


@pytest.fixture
def server():
    with small_disk(200 * 1024) as disk:
        assert disk, "no file system of our own can be mounted"
        made = engines.Server(engines.ENGINE, parent=disk, options=OPTIONS[engines.ENGINE])
        try:
            yield made
        finally:
            made.remove()


class Filler:
    """A file that takes all the room there is."""

    def __init__(self, server):
        self.path = server.folder.parent / "filler"

    def fill(self):
        """Whatever the server has freed meanwhile is taken, too."""
        with open(self.path, "ab", buffering=0) as file:
            room = shutil.disk_usage(self.path.parent).free
            while room > 0:
                try:
                    room -= file.write(b"x" * min(room, 1 << 20))
                except OSError:  # not a whole page more
                    return

    def remove(self):
        os.unlink(self.path)


@pytest.fixture
def filler(server):
    return Filler(server)


def orders_until_refused(site, filler, most=400):
    """Answers by number; the last was refused."""
    answers = {}
    for _ in range(most):
        number = order_number()
        filler.fill()
        answers[number] = shop(site, number)
        if answers[number].status != 200:
            plain_away(site, answers[number])
            return answers
    raise AssertionError("the disk did not fill")


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_full_disk(make, filler, mpm):  # noqa: F811
    site = make(mpm=mpm)
    site.allow(NOISE)
    key = issue(site, is_quantity="50")
    assert validate(site, key).error is None
    mark = site.mark()
    answers = orders_until_refused(site, filler)
    assert site.lines_since(mark, "QLM1001.*make room on the server's disk")
    again = [order_number() for _ in range(3)]
    for number in again:
        answers[number] = shop(site, number)
    assert validate(site, key).error is None, "reading needs no room"
    filler.remove()
    stored = {r["order_ref"] for r in site.query("SELECT order_ref FROM qlm_license")}
    for number, answer in answers.items():
        assert (answer.status == 200) == (number in stored)
    all_at_last(site, answers)
    service_is_back(site, key, order_number())
    intact(site, answers)


def go_down(site, server, filler):
    """PostgreSQL ends by itself when its log finds no room; MariaDB's has its place from the start, so it is killed."""
    filler.fill()
    if engines.ENGINE == "postgresql":
        with contextlib.suppress(Exception):  # this connection, too, may be ended
            site.change("SELECT pg_switch_wal()")
    else:
        server.stop("now")


def test_the_server_goes_down_of_it(make, server, filler):  # noqa: F811
    """It may take an administrator to start it again, but nobody has to touch httpd."""
    site = make()
    site.allow(NOISE)
    key = issue(site, is_quantity="50")
    answers = {number: shop(site, number) for number in [order_number() for _ in range(5)]}
    go_down(site, server, filler)
    answers.update(orders_until_refused(site, filler))
    filler.remove()
    server.start()
    until(lambda: validate(site, key).error is None)
    intact(site, answers)
    all_at_last(site, answers)
    service_is_back(site, key, order_number())
    if engines.ENGINE == "postgresql":
        assert "could not write to file" in (server.folder / "server.log").read_text()
