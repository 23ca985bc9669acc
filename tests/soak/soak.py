"""Plays many calls of many clients on a site whose server is killed again and again, and has checker.py say whether
some order of the calls explains every answer and what is in the database at the end: no seat sold twice, no order
fulfilled twice, no acknowledged change lost.

  soak.py [--operations N] [--seed S] [--mpm event|prefork]     plays; the environment is that of tests/http/env.py
  soak.py --check FILE...                                       checks histories that were kept

`make soak` plays 1,000,000 calls; QLM_DATABASE chooses the engine. The seed decides what every client does and when, in
calls, which fault comes; how the calls meet is the machine's choice, so a seed makes a failure likely again, not
certain. The history of a failure is kept, and says by itself what was wrong.

A history is a file of JSON lines: "object" (an order or a license, what is known of it before), "call" (object, start
and end in nanoseconds, client, call, answer; null: the outcome is unknown), and "fault". The last calls are "rows":
what the database holds when all is over.
"""
import argparse
import collections
import contextlib
import ctypes
import datetime
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from multiprocessing.connection import wait
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "http")]

import checker  # noqa: E402
import network  # noqa: E402
import players  # noqa: E402
from checker import EVENTS, Object, Operation, UNKNOWN  # noqa: E402
from client import call  # noqa: E402
from engines import ENGINE, Server  # noqa: E402
from env import Site, Template, free_port  # noqa: E402

CALLS_PER_FAULT = 800
NO_LIMIT = 2 ** 62  # calls
STUCK = 120  # seconds without any call ended
NOISE = r"AH\d{5}|exit signal|QLM100[178]|QLM1106|dbd|DBD"  # what faults and refusals make a server say


# ---- faults

def kill(site, _):
    site.kill()
    site.start()


def kill_child(site, choose):
    with contextlib.suppress(ProcessLookupError, IndexError):  # at a graceful restart children come and go
        os.kill(choose.choice(site.processes()[1:]), signal.SIGKILL)


def restart_gracefully(site, _):
    site.graceful()


def kill_database(site, _):
    site.database.server.stop("now")
    site.database.server.start()


def cut_connections(site, _):
    site.database.cut_connections()


def drop_packets(site, choose):
    """Between httpd and the database server."""
    with network.dropping([site.database.server.port], choose.uniform(0.1, 0.4)):
        time.sleep(choose.uniform(0.2, 2))


def faults_of(site):
    if hasattr(site, "faults"):
        return site.faults
    of_database = [kill_database, cut_connections] if hasattr(site.database, "server") else []
    of_network = [drop_packets, drop_packets] if getattr(site, "owns_network", False) else []
    return [kill, kill, kill_child, restart_gracefully] + of_database + of_network


@contextlib.contextmanager
def running_site(template, mpm="event"):
    """A site of our own, started; with a database server also the server is, and where it can be the network."""
    with contextlib.ExitStack() as undo:
        database, owns_network = None, ENGINE != "sqlite" and network.is_possible()
        if owns_network:
            undo.enter_context(network.of_our_own())
            server = Server(ENGINE, free_port())
            undo.callback(server.remove)
            database = server.new_database().by_port()
        site = Site(template, mpm, database=database)
        undo.callback(site.destroy)
        site.owns_network = owns_network
        if owns_network:
            site.ctl("init")
            template.database.copy_to(database)
        yield site.start()


def schedule(site, seed, operations, pause):
    """[(after how many calls, fault)], the next one last. Each comes before one comes again."""
    choose = random.Random("%s faults" % seed)
    times = range(pause // 2, operations, pause)
    faults = faults_of(site)
    rounds = [f for _ in range(len(times) // len(faults) + 1) for f in choose.sample(faults, len(faults))]
    return [(t + choose.randrange(pause // 2), f) for t, f in zip(times, rounds)][::-1]


# ---- playing

class Run:
    """One history: some thousand calls with faults in between."""

    def __init__(self, site, seed, operations, clients=8):
        self.site, self.seed, self.operations, self.clients = site, str(seed), operations, clients
        self.pause = getattr(site, "calls_per_fault", CALLS_PER_FAULT)
        self.kinds = [k for k in players.WEIGHTS if has_method(site, k)]
        self.notes, self.faults = [], []
        self.seconds = 0.0

    def play(self):
        """Play and stop the server; a call that nobody waits for any more is over then, too."""
        began = time.monotonic()
        progress = multiprocessing.RawArray(ctypes.c_ulong, self.clients)
        limit = multiprocessing.RawValue(ctypes.c_ulong, 0)
        started = [self.start_player(n, progress, limit) for n in range(self.clients)]
        try:
            self.make_trouble([pipe for pipe, _ in started], progress, limit)
        finally:
            for _, process in started:
                process.kill()
        self.seconds = time.monotonic() - began
        self.site.stop(gracefully=True)
        self.notes += rows_of_orders(self) + rows_of_licenses(self)
        return self

    def start_player(self, number, progress, limit):
        ours, theirs = multiprocessing.Pipe(duplex=False)
        job = (self.seed, self.clients, self.operations, self.kinds)
        process = multiprocessing.get_context("fork").Process(
            target=players.run_player, args=(self.site.port, number, progress, limit, theirs, job))
        process.start()
        theirs.close()
        return ours, process

    def make_trouble(self, pipes, progress, limit):
        """Until all players are done: faults when their time has come. Players wait for a fault that takes long: without
        them it would come to fewer faults than are due."""
        choose = random.Random("%s trouble" % self.seed)
        coming = schedule(self.site, self.seed, self.operations, self.pause)
        count, moved = 0, time.monotonic()
        while pipes:
            limit.value = coming[-1][0] + self.pause if coming else NO_LIMIT
            for pipe in wait(pipes, timeout=0.002):
                self.take(pipe.recv())
                pipes.remove(pipe)
            if sum(progress) != count:
                count, moved = sum(progress), time.monotonic()
            if coming and count >= coming[-1][0] and pipes:
                self.do(coming.pop()[1], choose)
                moved = time.monotonic()
            if time.monotonic() - moved > STUCK:
                raise RuntimeError("no call has ended for %d s" % STUCK)

    def take(self, notes):
        if isinstance(notes, str):
            raise RuntimeError("a client failed\n" + notes)
        self.notes += notes

    def do(self, fault, choose):
        self.faults.append((time.monotonic_ns(), fault.__name__))
        fault(self.site, choose)

    # ---- what came of it

    def numbers(self):
        return range(players.count_orders(self.operations))

    def objects(self):
        for number in self.numbers():
            keys, seats = players.plan(self.seed, number)
            yield players.order_name(self.seed, number), Object("order", keys=keys)
            for name in players.license_names(self.seed, number):
                yield name, Object("license", seats=seats, ends=players.ENDS)

    def keys(self):
        """Name of the license -> its key, as answered."""
        known = {}
        for name, _, _, call_, answer, _ in self.notes:
            if call_["do"] == "issue" and answer is not UNKNOWN:
                known.update(("%s/%d" % (name, i), k) for i, k in enumerate(answer.get("keys", ())))
        return known

    def summary(self):
        calls = [n for n in self.notes if n[3]["do"] != "rows"]
        unknown = sum(n[4] is UNKNOWN for n in calls)
        faults = collections.Counter(f for _, f in self.faults)
        return "%d calls in %.0f s (%.0f/s), %d of unknown outcome; %s" % (
            len(calls), self.seconds, len(calls) / self.seconds, unknown,
            ", ".join("%s %d times" % f for f in sorted(faults.items())) or "no faults")

    def write(self, path):
        with open(path, "w") as file:
            for name, object_ in self.objects():
                line(file, what="object", name=name, **object_._asdict())
            for name, start, end, call_, answer, client in self.notes:
                line(file, what="call", object=name, start=start, end=end, client=client, call=call_, answer=answer)
            for at, fault in self.faults:
                line(file, what="fault", at=at, fault=fault)


def has_method(site, kind):
    return call(site, players.METHODS.get(kind, "PingHttp"), players.VENDOR).status != 404


def line(file, **fields):
    file.write(json.dumps(fields, separators=(",", ":")) + "\n")


# ---- what the database holds at the end

def select(run, columns, tables, order="l.order_ref", more=""):
    return run.site.query("SELECT %s FROM %s WHERE %s LIKE ?%s" % (columns, tables, order, more),
                          players.order_name(run.seed, 0)[:-1] + "%")


def rows_note(name, answer):
    now = time.monotonic_ns()
    return name, now, now, {"do": "rows"}, answer, "database"


def rows_of_orders(run):
    keys, answers = collections.defaultdict(list), collections.Counter()
    for row in select(run, "order_ref, activation_key", "qlm_license l", more=" ORDER BY id"):
        keys[row["order_ref"]].append(row["activation_key"])
    for row in select(run, "order_ref", "qlm_order", "order_ref"):
        answers[row["order_ref"]] += 1
    names = [players.order_name(run.seed, n) for n in run.numbers()]
    return [rows_note(n, {"keys": keys[n], "answers": answers[n]}) for n in names]


def rows_of_licenses(run):
    licenses = {r["activation_key"]: r for r in select(run, "*", "qlm_license l")}
    computers, events, renewals = (collections.defaultdict(list), collections.Counter(), collections.defaultdict(list))
    for row in select(run, "a.*", "qlm_activation a JOIN qlm_license l ON l.id = a.license_id",
                      more=" ORDER BY a.computer_fold"):
        computers[row["license_id"]].append(row)
    for row in select(run, "h.license_id, h.event", "qlm_history h JOIN qlm_license l ON l.id = h.license_id"):
        events[row["license_id"], row["event"]] += 1
    for row in select(run, "order_ref", "qlm_order", "order_ref", " AND order_ref LIKE '%/%' ORDER BY order_ref"):
        name, _, number = row["order_ref"].rpartition("-")
        renewals[name].append(number)
    return [rows_note(name, license_rows(licenses.get(key), computers, events, renewals[name]))
            for name, key in run.keys().items()]


def license_rows(row, computers, events, renewals):
    if row is None:
        return {"is_missing": True, "ends": "", "computer_keys": []}
    active = computers[row["id"]]
    return {"is_revoked": bool(row["is_disabled"]), "seats": row["num_licenses"], "free": row["available_licenses"],
            "active": [[a["computer_id"], a["computer_name"]] for a in active],
            "computer_keys": [[a["computer_id"], a["computer_key"]] for a in active],
            "ends": datetime.datetime.fromtimestamp(row["expires_at"], datetime.timezone.utc).date().isoformat(),
            "renewals": renewals, "events": [events[row["id"], e] for e in EVENTS]}


# ---- checking

def read(path):
    """(objects, histories) of a file, as checker.check_all takes them."""
    objects, histories = {}, {}
    with open(path) as file:
        for number, text in enumerate(file, 1):
            fields = json.loads(text)
            what = fields.pop("what")
            if what == "object":
                name = fields.pop("name")
                objects[name], histories[name] = Object(**fields), []
            elif what == "call":
                histories[fields.pop("object")].append(Operation(**fields))
            elif what != "fault":
                raise ValueError("%s:%d: there is no %r" % (path, number, what))
    return objects, histories


def check_file(path):
    return checker.check_all(*read(path))


# ---- by hand

def say(text):
    print(text, flush=True)


def soak(site, seed, operations, each, folder):
    """Histories of `each` calls, one after the other on the same site. Returns whether all can be explained."""
    is_good = True
    for part in range(-(-operations // each)):
        run = Run(site, "%s.%d" % (seed, part), min(each, operations - part * each)).play()
        path = Path(folder) / ("history-%s.jsonl" % run.seed)
        run.write(path)
        began = time.monotonic()
        site.allow(NOISE)
        problems = check_file(path) + site.audit()
        say("%s: %s; checked in %.0f s" % (run.seed, run.summary(), time.monotonic() - began))
        for problem in problems[:10]:
            say(problem)
        if problems:
            is_good = False
            say("%d problems; the history is kept: %s" % (len(problems), path))
        else:
            path.unlink()
        site.empty_logs()
        site.start()
    return is_good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=1000000)
    parser.add_argument("--each", type=int, default=50000, help="calls of one history")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--mpm", choices=["event", "prefork"], default="event")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="for the histories of failures")
    parser.add_argument("--check", nargs="+", metavar="FILE", help="only check these histories")
    options = parser.parse_args()
    if options.check:
        problems = [p for path in options.check for p in check_file(path)]
        say("\n".join(problems) or "explained")
        return 1 if problems else 0
    template = Template()
    try:
        with running_site(template, options.mpm) as site:
            return 0 if soak(site, options.seed, options.operations, options.each, options.folder) else 1
    finally:
        template.remove()


if __name__ == "__main__":
    sys.exit(main())
