"""The measurements behind `make bench`; docs/performance.md says what they mean.

  bench.py [--quick] [--only VALIDATE,WRITE,MEMORY,OUTBOX] [--seconds S] [--rounds N] [--small N] [--large N] [--keep FOLDER]
           [--precedence] [--json FILE]

Everything that is compared is measured in turns (A B A B ...) within the same minute, and the median of the rounds
counts. Ratios of CPU time are the ones to trust on a machine that is doing other things as well.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import outbox
import server

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
FLEETS = (1, 16, 64)  # clients that write at once
FEW_KEYS = 100  # asked again within the minute
PRECEDENCE = 15
PROPERTIES = 20  # of the product, all with a value


def program(name):
    """A program of this folder as built."""
    return os.environ.get("QLM_BENCH_" + name.upper()) or str(Path(os.environ["QLM_BUILD"]) / "tests/bench" / name)


def output_of(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s%s" % (command[0], done.returncode, done.stdout, done.stderr))
    return done.stdout


class Sample:
    """One run of one load: requests per second, latencies in ms, failures, CPU us per request of httpd.

    closed: connections that httpd closed between two requests, as it does when all threads of a process are busy.
    """

    def __init__(self, rate, p50, p99, failed, closed, cpu):
        self.rate, self.p50, self.p99, self.failed, self.closed, self.cpu = rate, p50, p99, failed, closed, cpu


class Series:
    """All runs of one load."""

    def __init__(self):
        self.samples = []

    def median(self, what):
        return statistics.median(getattr(sample, what) for sample in self.samples)

    def total(self, what):
        return sum(getattr(sample, what) for sample in self.samples)

    def row(self):
        return {"rate": round(self.median("rate")), "p50_ms": round(self.median("p50"), 3),
                "p99_ms": round(self.median("p99"), 3), "failed": self.total("failed"), "closed": self.total("closed"),
                "cpu_us": round(self.median("cpu"), 1), "runs": len(self.samples),
                "rates": [round(sample.rate, 1) for sample in self.samples],
                "p50s_ms": [round(sample.p50, 3) for sample in self.samples]}


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.results = {}  # name -> Series
        self.number = int(time.time()) * 10 ** 5 % 10 ** 13  # of the next request
        self.signature_us = []
        self.memory = {}

    # ---- what is measured

    def series(self, name):
        return self.results.setdefault(name, Series())

    def load(self, name, site, kind, clients=CONNECTIONS, span=10 ** 9, seconds=None):
        """One run of wrk against a running server."""
        seconds = seconds or self.options.seconds
        before = site.cpu()
        text = output_of("wrk", "-t1", "-c%d" % clients, "-d%.0fs" % max(1, seconds), "--timeout", "30s",
                         "-s", HERE / "load.lua", site.url(), "--", kind, site.keys, self.number, span)
        cpu = site.cpu() - before
        requests, us, p50, p99, failed, closed = [float(word) for word in
                                                  re.search(r"^RESULT (.*)$", text, re.M).group(1).split()]
        self.number += int(requests) + 10 * clients
        if requests == 0:
            raise RuntimeError("no request was answered\n" + text + site.log())
        if name:
            self.series(name).samples.append(
                Sample(requests * 1e6 / us, p50 / 1e3, p99 / 1e3, int(failed), int(closed), cpu * 1e6 / requests))

    def raw(self, name, kind, seconds=None):
        count, took, p50, p99, cpu = [float(word) for word in output_of(
            program("rawloop"), self.plain, self.small.keys, kind, seconds or self.options.seconds).split()]
        self.series(name).samples.append(Sample(count / took, p50 / 1e3, p99 / 1e3, 0, 0, cpu))

    def sign(self):
        """CPU us of one RSA-2048 signature, by OpenSSL's own measure."""
        text = output_of("openssl", "speed", "-mr", "-seconds", "1", "rsa2048")
        per_second = float(re.search(r"^\+F2:\d+:2048:([0-9.e+-]+)", text, re.M).group(1))
        self.signature_us.append(1e6 / per_second)

    # ---- sites

    def seed(self, name, count):
        """A database with so many licenses; kept and used again with --keep."""
        store = self.folder / name
        if not (store / "done").exists():
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir(mode=0o755)
            say("seeding %d licenses" % count)
            output_of(program("seed"), store / "qlm.db", store / "secret", count, store / "keys")
            (store / "done").touch()
        return store

    def fresh_folder(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        return folder

    def site(self, name, count, keep=False):
        """A running server on a copy of a seeded database; a kept seed is never written to."""
        store = self.seed("seed-%d" % count, count)
        data = self.fresh_folder("data-" + name)
        if self.options.keep or keep:
            subprocess.run(["cp", "--reflink=auto", store / "qlm.db", data / "qlm.db"], check=True)
        else:
            os.rename(store / "qlm.db", data / "qlm.db")
        server.own(data, data / "qlm.db")
        site = server.Server(self.folder, data / "qlm.db", store / "secret")
        site.keys, site.secret = store / "keys", store / "secret"
        return site.start()

    def site_with_properties(self):
        """A copy of the small site whose product defines properties, and whose licenses all have values of them."""
        data = self.fresh_folder("data-properties") / "qlm.db"
        names = ["property%d" % i for i in range(PROPERTIES)]
        stored = "".join("limits.%s\t%d\t1700000000\t4102444799\n" % pair for pair in zip(names, range(PROPERTIES)))
        shutil.copy(self.small.database, data)  # nothing was written yet
        with contextlib.closing(sqlite3.connect(data)) as database, database:
            database.executemany(
                "INSERT INTO qlm_product_property (product_id, major, minor, name_key, category, name, guid, type,"
                " default_value, help, updated_at) VALUES (1, 1, 0, ?, 'limits', ?, ?, 'int', '5', ?, 1700000000)",
                [("limits." + name, name, "{0e6d0c1c-5a3b-4f2e-9d1c-%012d}" % i, "How many of number %d there are" % i)
                 for i, name in enumerate(names)])
            database.execute("UPDATE qlm_license SET properties = ?", [stored])
        server.own(data.parent, data)
        site = server.Server(self.folder, data, self.folder / ("seed-%d" % self.options.small) / "secret")
        site.keys = self.small.keys
        return site.start()

    def warm(self, site):
        """Every thread has its connection and its statements, and the keys used most are in memory."""
        for kind in ("unsigned", "issue", "activate"):
            self.load(None, site, kind, clients=64, seconds=1)
        self.load(None, site, "again", span=FEW_KEYS, seconds=1)
        with contextlib.closing(sqlite3.connect(site.database)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ---- parts

    def validate(self):
        """Reading: everything that is compared stands in one round."""
        small, large = self.small, self.large
        for _ in range(self.options.rounds):
            self.load("static file", small, "static")
            self.load("unsigned, small", small, "unsigned")
            self.load("unsigned, properties", self.rich, "unsigned")
            self.load("unsigned, large", large, "unsigned")
            self.load("static file", small, "static")
            self.load("unsigned, small", small, "unsigned")
            self.load("unsigned, large", large, "unsigned")
            self.load("PingHttp", small, "ping")
            self.sign()
            self.load("signed, small", small, "signed")
            self.load("signed, large", large, "signed")
            self.load("signed again, small", small, "again", span=FEW_KEYS)
            self.load("signed again, large", large, "again", span=FEW_KEYS)
            self.load("unsigned, small", small, "unsigned")

    def write(self):
        for _ in range(self.options.rounds):
            for kind in ("renew", "update", "release"):
                self.load(kind + ", 16", self.small, kind, clients=16)
            for kind in ("issue", "activate"):
                self.raw("plain loop, " + kind, kind)
                for clients in FLEETS:
                    self.load("%s, %d" % (kind, clients), self.small, kind, clients=clients)
                    if clients == 16:
                        self.raw("plain loop, " + kind, kind)
                        self.load("%s, %d" % (kind, clients), self.small, kind, clients=clients)

    def measure_outbox(self):
        """Two servers with databases of their own, issuing in turns: one idle besides, one whose mail server hangs."""
        idle = self.site("idle", self.options.small, keep=True)
        stuck = self.site("stuck", self.options.small, keep=True)
        try:
            with outbox.hanging_mail_server(self.folder) as port:
                outbox.fill(stuck, port)
                for site in (idle, stuck):
                    self.warm(site)
                outbox.await_hanging(stuck)
                turn = [("issue, idle", idle), ("issue, mail hangs", stuck)]
                for _ in range(2 * self.options.rounds):
                    for name, site in turn:
                        self.load(name, site, "issue")
                    turn.reverse()  # neither is always the first
                left, tries = outbox.waiting(stuck)
            if left != outbox.WAITING:
                raise RuntimeError("%d of %d mails wait: the mail server does not hang" % (left, outbox.WAITING))
            say("the mail server that hangs was tried %d times" % tries)
            outbox.measure_orders(idle, self.options.rounds, self.options.orders, self.note_orders)
        finally:
            for site in (idle, stuck):
                site.stop()

    def note_orders(self, rate, p50, p99, failed, cpu):
        self.series("orders of Salesforce, 16").samples.append(Sample(rate, p50, p99, failed, 0, cpu))

    def measure_memory(self):
        """A child's memory after all of that, against one that only serves files."""
        bare = server.Server(self.folder)
        bare.keys = self.small.keys
        bare.start()
        try:
            self.load(None, bare, "static", clients=64, seconds=2)
            self.memory = {"without": bare.memory(), "small": self.small.memory(), "large": self.large.memory()}
        finally:
            bare.stop()

    def run(self):
        parts = [part for part in self.options.only.split(",") if part]
        self.small = self.large = self.rich = None
        self.complaints = ""
        if "OUTBOX" in parts:  # first: a seed is used up by what follows
            self.measure_outbox()
        if parts == ["OUTBOX"]:
            return
        try:
            self.small = self.site("small", self.options.small)
            self.large = self.site("large", self.options.large) if "VALIDATE" in parts else self.small
            self.plain = self.fresh_folder("data-plain") / "qlm.db"
            shutil.copy(self.small.database, self.plain)  # nothing was written yet
            self.rich = self.site_with_properties() if "VALIDATE" in parts else self.small
            for site in {self.small, self.large, self.rich}:
                self.warm(site)
            if "VALIDATE" in parts:
                self.validate()
            if "WRITE" in parts:
                self.write()
            if "MEMORY" in parts:
                self.measure_memory()
        finally:
            for site in {self.small, self.large, self.rich}:
                if site:
                    site.stop()
        self.complaints = "\n".join(line for site in {self.small, self.large, self.rich}
                                    for line in site.log().splitlines() if ":notice]" not in line)

    # ---- what it says

    def pairs(self, name, other, what):
        """The ratios of runs that followed each other."""
        return [getattr(one, what) / getattr(two, what)
                for one, two in zip(self.results[name].samples, self.results[other].samples)]

    def goals(self):
        """(goal, found, limit, is_reached) for what was measured."""
        def rate(name): return self.results[name].median("rate")
        def cpu(name): return self.results[name].median("cpu")
        found = []

        def at_least(text, value, limit): found.append((text, value, ">= %g" % limit, value >= limit))
        def at_most(text, value, limit): found.append((text, value, "<= %g" % limit, value <= limit))

        if "static file" in self.results:
            signature = statistics.median(self.signature_us)
            for size in ("small", "large"):
                unsigned = cpu("unsigned, " + size)
                at_least("unsigned / static file, requests per second, " + size,
                         rate("unsigned, " + size) / rate("static file"), 0.55)
                at_least("static file / unsigned, CPU, " + size, cpu("static file") / unsigned, 0.55)
                at_most("signed / (unsigned + one signature), CPU, " + size,
                        cpu("signed, " + size) / (unsigned + signature), 1.15)
                at_most("signed again / unsigned, CPU, " + size, cpu("signed again, " + size) / unsigned, 1.3)
            at_most("unsigned with %d product properties / without, CPU" % PROPERTIES,
                    cpu("unsigned, properties") / cpu("unsigned, small"), 1.5)
            at_least("large / small, unsigned, requests per second",
                     rate("unsigned, large") / rate("unsigned, small"), 0.9)
            at_most("large / small, unsigned, CPU", cpu("unsigned, large") / cpu("unsigned, small"), 1.1)
        if "issue, 16" in self.results:
            at_least("issuing with 16 clients / plain loop, requests per second",
                     rate("issue, 16") / rate("plain loop, issue"), 0.5)
            at_most("issuing with 16 clients, p99 ms", self.results["issue, 16"].median("p99"), 50)
            for kind in ("renew", "update", "release"):
                at_least("%s with 16 clients / issuing with 16 clients, requests per second" % kind,
                         rate(kind + ", 16") / rate("issue, 16"), 0.5)
        if "issue, mail hangs" in self.results:
            for what in ("p50", "p99", "cpu"):
                ratios = self.pairs("issue, mail hangs", "issue, idle", what)
                at_most("issuing while mail hangs / idle, %s (%.2f to %.2f)" % (what, min(ratios), max(ratios)),
                        statistics.median(ratios), 1.2)
        if self.memory:
            for name in ("small", "large"):
                at_most("memory (PSS) of an httpd process with the module, MiB more, " + name,
                        (self.memory[name]["Pss"] - self.memory["without"]["Pss"]) / 1024, 10)
        at_most("failed requests", sum(series.total("failed") for series in self.results.values()), 0)
        at_most("connections closed early, except with 64 clients",
                sum(series.total("closed") for name, series in self.results.items() if not name.endswith(", 64")), 0)
        return found

    def report(self):
        print("\n%-28s %10s %9s %9s %7s %7s %9s" % ("", "requests/s", "p50 ms", "p99 ms", "failed", "closed", "CPU us"))
        for name, series in sorted(self.results.items()):
            row = series.row()
            print("%-28s %10d %9.2f %9.2f %7d %7d %9.1f" % (name, row["rate"], row["p50_ms"], row["p99_ms"],
                                                            row["failed"], row["closed"], row["cpu_us"]))
        if self.signature_us:
            print("%-28s %56.1f" % ("openssl speed, one rsa2048", statistics.median(self.signature_us)))
        if self.memory:
            print("memory of an httpd process, KiB: " + "; ".join(
                "%s PSS %d RSS %d" % (name, found["Pss"], found["Rss"]) for name, found in self.memory.items()))
        print("small: %d licenses, large: %d licenses; CPU us: of all httpd processes, per request" %
              (self.options.small, self.options.large))
        print("\n%-66s %9s %9s" % ("", "found", "goal"))
        for text, value, limit, is_reached in self.goals():
            print("%-66s %9.3f %9s  %s" % (text, value, limit, "reached" if is_reached else "NOT REACHED"))
        if self.complaints:
            print("\nthe server's error log:\n" + self.complaints[-3000:])


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round on small databases, to see that it works")
    parser.add_argument("--only", default="VALIDATE,WRITE,MEMORY,OUTBOX", help="parts, comma separated")
    parser.add_argument("--seconds", type=float, default=2, help="of each run")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--small", type=int, default=10000, help="licenses")
    parser.add_argument("--large", type=int, default=1000000, help="licenses")
    parser.add_argument("--orders", type=int, default=400, help="of Salesforce in each round")
    parser.add_argument("--keep", help="a folder for the seeded databases, used again if they are there")
    parser.add_argument("--precedence", action="store_true",
                        help="take the CPU before other work on this machine (root only): for busy machines")
    parser.add_argument("--json", help="write the figures to this file too")
    for tool in ("wrk", "openssl"):
        if not shutil.which(tool):
            parser.error("%s is needed and not installed" % tool)
    options = parser.parse_args(sys.argv[1:] + os.environ.get("QLM_BENCH", "").split())
    if options.quick:
        options.seconds, options.rounds, options.large, options.orders = 1, 1, min(options.large, 20000), 50
    folder = Path(options.keep or tempfile.mkdtemp(prefix="qlm-bench-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    started = time.monotonic()
    try:
        if options.precedence:
            server.Server.precedence = PRECEDENCE
            server.set_autogroup("self", -PRECEDENCE)
        bench = Bench(options, folder.resolve())
        bench.run()
        bench.report()
        if options.json:
            Path(options.json).write_text(json.dumps(
                {"results": {name: series.row() for name, series in bench.results.items()},
                 "goals": [list(goal) for goal in bench.goals()], "memory": bench.memory}, indent=1))
        print("took %d s" % (time.monotonic() - started))
    finally:
        if options.precedence:
            server.set_autogroup("self", 0)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
