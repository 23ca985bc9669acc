"""What leaves the server while it serves: Salesforce's orders, and answers while the mail server hangs."""
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from figures import Sample, at_most, ratios, spread

NAMES = ("OUTBOX",)
SIMULATORS = Path(__file__).resolve().parents[1] / "simulators"
sys.path.insert(0, str(SIMULATORS))
from salesforce import Salesforce, person  # noqa: E402

SENDERS = 16
WAITING = 5000  # mails in the outbox of the server whose mail server hangs
MAPPING = "&is_productid=1&is_majorversion=1&is_minorversion=0&is_emailtemplate=1. New Order"
MAIL = {"from": "shop@publisher.example", "from_name": "", "to": "ada@buyer.example", "cc": [], "bcc": [],
        "subject": "Keys", "html": "<p>A-1</p>", "text": "A-1", "message_id": "<qlm.1@publisher.example>", "date": 1}


def measure(bench):
    """Two servers with databases of their own, issuing in turns: one idle besides, one whose mail server hangs."""
    rounds = bench.options.rounds
    idle = bench.site("idle", bench.options.small, keep=True)
    stuck = bench.site("stuck", bench.options.small, keep=True)
    try:
        with hanging_mail_server(bench.folder) as port:
            fill(stuck, port)
            for site in (idle, stuck):
                bench.warm(site)
            await_hanging(stuck)
            turn = [("issue, idle", idle), ("issue, mail hangs", stuck)]
            for _ in range(2 * rounds):
                for name, site in turn:
                    bench.load(name, site, "issue")
                turn.reverse()  # neither is always the first
            left, tries = waiting(stuck)
        if left != WAITING:
            raise RuntimeError("%d of %d mails wait: the mail server does not hang" % (left, WAITING))
        bench.tables["Outbox"] = ["the mail server that hangs was tried %d times" % tries]
        measure_orders(bench, idle, rounds, bench.options.orders)
    finally:
        for site in (idle, stuck):
            site.stop()


def goals(bench):
    found = []
    for what in ("p50", "p99", "cpu"):
        median, words = spread(ratios(bench.results["issue, mail hangs"], bench.results["issue, idle"], what))
        found.append(at_most("issuing while mail hangs / idle, %s %s" % (what, words), median, 1.2))
    return found


def qlmctl(site, *words, stdin=""):
    program = os.environ.get("QLM_QLMCTL") or str(Path(os.environ["QLM_BUILD"]) / "mod_qlm/qlmctl/qlmctl")
    done = subprocess.run([program, "--database", str(site.database), "--secret", str(site.secret), *map(str, words)],
                          input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("qlmctl %s: %s" % (" ".join(map(str, words)), done.stderr))


# ---- orders of Salesforce

def organization(site):
    """A simulated organization that the site knows."""
    shop = Salesforce()
    qlmctl(site, "vendor", "set", "salesforce", "user=" + shop.user, "password=-", "api_key=-", "shared_key=-",
           "url=" + shop.url, "enabled=true", stdin="%s\n%s\n%s\n" % (shop.password, shop.client_id, shop.client_secret))
    qlmctl(site, "property", "set", "salesforce_pid_001", MAPPING)
    shop.callback = site.url() + "qlm/qlmservice.asmx/QlmWebHookHandler?" + urllib.parse.urlencode(
        {"is_vendor": "salesforce", "is_user": shop.user, "is_pwd": shop.password, "is_affiliateid": "salesforce"})
    return shop


def deliver(shop, count):
    """So many orders, each in a message of its own, from 16 senders. Returns seconds, failures and all latencies."""
    orders = [shop.add_order(contact=person("Ada", "Byron", "sf%d@acme.example" % i)) for i in range(count)]
    notifications = shop.activate(orders, send=False)
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        attempts = list(pool.map(lambda one: shop.deliver([one]), notifications))
    took = time.perf_counter() - began
    return took, sum(not a.acknowledged for a in attempts), sorted(a.seconds for a in attempts)


def measure_orders(bench, site, rounds, count):
    with organization(site) as shop:
        deliver(shop, SENDERS)  # login, connections
        for _ in range(rounds):
            cpu = site.cpu()
            took, failed, latencies = deliver(shop, count)
            bench.series("orders of Salesforce, 16").samples.append(Sample(
                count / took, latencies[count // 2] * 1e3, latencies[count * 99 // 100] * 1e3, failed,
                cpu=(site.cpu() - cpu) * 1e6 / count))


# ---- a mail server that hangs

@contextlib.contextmanager
def hanging_mail_server(folder):
    """A mail server that never greets; its port."""
    mode = Path(folder) / "mode"
    mode.write_text("hang")
    process = subprocess.Popen([sys.executable, str(SIMULATORS / "smtpserver.py"), "--mode-file", str(mode), "--until-eof"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        said = dict(line.strip().partition(" ")[::2] for line in iter(process.stdout.readline, "ready\n") if line)
        yield int(said["port"])
    finally:
        process.kill()
        process.wait()


def fill(site, port):
    """The outbox is full, and nobody takes anything out of it."""
    for name, value in (("smtpServer", "127.0.0.1"), ("smtpPort", port), ("smtpEnableSSL", "false"),
                        ("smtpFrom", MAIL["from"])):
        qlmctl(site, "property", "set", name, value)
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(site.database, timeout=10)) as database, database:
        database.executemany(
            "INSERT INTO qlm_outbox (id, kind, state, target, subject, order_key, payload, last_error, attempts,"
            " created_at, next_at, finished_at) VALUES (?, 'mail', 'waiting', ?, 'order bench/1', '', ?, '', 0, ?, ?, 0)",
            [(i + 1, MAIL["to"], json.dumps(MAIL), now, now) for i in range(WAITING)])


def waiting(site):
    """Mails that were not sent, and how often one was tried."""
    with contextlib.closing(sqlite3.connect(site.database, timeout=10)) as database:
        return database.execute("SELECT COUNT(*), SUM(attempts) FROM qlm_outbox WHERE state = 'waiting'").fetchone()


def await_hanging(site):
    """Until a worker holds the lease: then it is waiting for the greeting."""
    for _ in range(100):
        with contextlib.closing(sqlite3.connect(site.database, timeout=10)) as database:
            if database.execute("SELECT 1 FROM qlm_lease WHERE name = 'outbox'").fetchone():
                return
        time.sleep(0.1)
    raise RuntimeError("nobody works on the outbox")
