"""Servers of one site whose clocks differ: it is found before the start and while they run, and what is sold and sent
stays right."""
import glob
import re
import time

import pytest

from client import issue, order_number, storm, until, validate
from outside import HookReceiver, rows
from test_database_faults import shop

pytestmark = pytest.mark.servers_only
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"


def set_clock(site, seconds):
    library, = glob.glob(LIBRARY)
    site.environment = {"LD_PRELOAD": library, "FAKETIME": "%+ds" % seconds, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def warnings(site):
    return [line.text for line in site.error_lines() if line.id == "QLM1208"]


def tells(line, seconds, word):
    """What the line says, give or take the time it took."""
    said = re.search(r"is (\d+) seconds (ahead of|behind) this", line)
    return abs(int(said[1]) - seconds) <= 3 and said[2] == word and "follow the same time" in line


@pytest.mark.parametrize("ahead", [-60, 3600, 2, 0])
def test_found_before_the_start(new_site, ahead):
    """A second or two is nothing."""
    site = new_site(start=False)
    set_clock(site, ahead)
    done = site.configtest()
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "QLM1208" in line]
    assert len(lines) == (abs(ahead) > 5), done.stderr
    assert not lines or tells(lines[0], abs(ahead), "ahead of" if ahead < 0 else "behind")


def test_found_while_running_and_said_once(new_site):
    """By one of the children, whoever is first; the others see in the database that it was said."""
    site = new_site(start=False, server="StartServers 4\nMinSpareThreads 100")
    set_clock(site, 60)
    site.allow("QLM1208")
    site.start()
    assert len(warnings(site)) == 1, "at the start"
    until(lambda: len(warnings(site)) == 2, 60)
    time.sleep(25)  # longer than each of them waits for its next look
    assert len(warnings(site)) == 2 and all(tells(line, 60, "behind") for line in warnings(site))


def test_two_servers_whose_clocks_differ(new_site):
    """By more than is right and less than does harm: seats, orders, mails and webhooks stay right."""
    first = new_site()
    second = new_site(start=False, database=first.database)
    set_clock(second, 8)
    second.allow("QLM1208")
    second.start()
    receiver = HookReceiver()
    receiver.delay = 0.3
    try:
        first.ctl("property", "set", "webHooksEnabled", "true")
        first.ctl("property", "set", "license_created", receiver.url())
        numbers = [order_number() for _ in range(20)] * 2
        bodies = storm(list(enumerate(numbers)), lambda box, job: shop((first, second)[(job[0] + job[0] // 20) % 2], job[1]), clients=8)
        keys = {number: body.text for number, body in zip(numbers, bodies)}
        assert all(body.status == 200 and body.text == keys[number] for number, body in zip(numbers, bodies))
        key = issue(first, is_quantity="5")
        answers = storm(range(20), lambda box, i: validate((first, second)[i % 2], key, "PC-%d" % i), clients=8)
        for site in (first, second):
            site.allow("QLM1008")
        assert sum(answer.error is None for answer in answers) == 5
        until(lambda: [r["state"] for r in rows(first, kind="webhook")].count("sent") == 21, 60, 0.2)
        for each in set(keys.values()) | {key}:
            assert len(receiver.about(each)) == 1
    finally:
        receiver.close()
    assert first.ctl("db", "check").returncode == 0
