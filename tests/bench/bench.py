"""The measurements behind `make bench`; docs/performance.md says what they mean.

  bench.py [--quick] [--only PART,...] [--seconds S] [--rounds N] [--small N] [--large N] [--keep FOLDER] [--engines E,...]
           [--sizes N,...] [--requests N] [--precedence] [--json FILE]

Parts: VALIDATE, WRITE, MEMORY, OUTBOX, GROUPCOMMIT, SERVERS, SCALE, LEAKS; the last two take long and are only measured
when they are named.

Everything that is compared is measured in turns (A B A B ...) within the same minute, and the median of the rounds
counts. Ratios of CPU time are the ones to trust on a machine that is doing other things as well.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures
import server
from server import built, output_of

sys.path.append(str(Path(__file__).resolve().parents[1] / "http"))
import engines  # noqa: E402

import groupcommit  # noqa: E402
import leaks  # noqa: E402
import outbox  # noqa: E402
import scale  # noqa: E402
import servers  # noqa: E402
import single  # noqa: E402

HERE = Path(__file__).resolve().parent
CONNECTIONS = 16
PRECEDENCE = 15
SERVER_OPTIONS = {"postgresql": "-c shared_buffers=1GB -c max_wal_size=4GB", "mariadb": "--innodb-buffer-pool-size=1G"}
USUAL = "VALIDATE,WRITE,MEMORY,OUTBOX,GROUPCOMMIT,SERVERS"
PARTS = [outbox, single, groupcommit, servers, scale, leaks]  # each: names, measure(bench), goals(bench)


class Bench:
    """What the parts share: loads and their results, databases, servers."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.parts = [part for part in options.only.split(",") if part]
        self.results = {}  # name -> Series
        self.tables = {}  # what else was found: heading -> rows
        self.complaints = []
        self.number = int(time.time()) * 10 ** 5 % 10 ** 13  # of the next request

    # ---- loads

    def series(self, name):
        return self.results.setdefault(name, figures.Series())

    def load(self, name, site, kind, clients=CONNECTIONS, span=10 ** 9, seconds=None):
        """One run of wrk against a running server. Returns how many requests, and what the load says besides."""
        seconds = seconds or self.options.seconds
        before, database_before = site.cpu(), site.database_cpu()
        text = output_of("wrk", "-t1", "-c%d" % clients, "-d%.0fs" % max(1, seconds), "--timeout", "30s",
                         "-s", HERE / "load.lua", site.url(), "--", kind, site.keys, self.number, span)
        cpu, database_cpu = site.cpu() - before, site.database_cpu() - database_before
        requests, us, p50, p99, failed, closed = [float(word) for word in
                                                  re.search(r"^RESULT (.*)$", text, re.M).group(1).split()]
        self.number += int(requests) + 10 * clients
        if name and requests == 0:
            raise RuntimeError("no request was answered\n" + text + site.log())
        if name:
            self.series(name).samples.append(figures.Sample(
                requests * 1e6 / us, p50 / 1e3, p99 / 1e3, int(failed), int(closed), cpu * 1e6 / requests,
                database_cpu * 1e6 / requests))
        return int(requests), text

    def raw(self, name, database, keys, kind, connections=1, units=1, environment=None):
        """One run of the plain client."""
        count, took, p50, p99, cpu = [float(word) for word in output_of(
            built("rawloop"), database, keys, kind, self.options.seconds, connections, units,
            **(environment or {})).split()]
        self.series(name).samples.append(figures.Sample(count / took, p50 / 1e3, p99 / 1e3, cpu=cpu))

    def warm(self, site, kinds=("unsigned", "issue", "activate")):
        """Every thread has its connection and its statements, and the keys used most are in memory."""
        for kind in kinds:
            self.load(None, site, kind, clients=64, seconds=2)
        self.load(None, site, "again", span=single.FEW_KEYS, seconds=1)
        # the database fits the secret: otherwise each validation would store another computer key
        if engines.query(site.database, "SELECT 1 FROM qlm_activation WHERE activation_count > 1 LIMIT 1"):
            raise RuntimeError("validations write")
        if not hasattr(site.database, "server"):
            with engines.open_file(site.database, write=True) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ---- sites

    def fresh_folder(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o755)
        return folder

    def seed(self, count):
        """A folder with a database of so many licenses, its secret and keys; kept and used again with --keep."""
        store = self.folder / ("seed-%d" % count)
        if not (store / "done").exists():
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir(mode=0o755)
            say("seeding %d licenses" % count)
            output_of(built("seed"), store / "qlm.db", store / "secret", count, store / "keys")
            (store / "done").touch()
        return store

    def file(self, name, count, keep=False):
        """A seeded database, and the folder of its seed. A seed that is kept is never written to."""
        store, data = self.seed(count), self.fresh_folder("data-" + name)
        if self.options.keep or keep:
            subprocess.run(["cp", "--reflink=auto", store / "qlm.db", data / "qlm.db"], check=True)
        else:
            os.rename(store / "qlm.db", data / "qlm.db")
            (store / "done").unlink()
        server.own(data, data / "qlm.db")
        return data / "qlm.db", store

    def site(self, name, count, keep=False, **settings):
        """A running server on a copy of a seeded database."""
        database, store = self.file(name, count, keep)
        return self.serve(database, store, **settings)

    def serve(self, database, store, **settings):
        site = server.Server(self.folder, database, store / "secret", **settings)
        site.keys, site.secret = store / "keys", store / "secret"
        return site.start()

    @contextlib.contextmanager
    def databases(self, engine):
        """A function that makes a database of so many licenses on that engine, and tells the folder of its secret and
        keys. PostgreSQL and MariaDB have a private server, which waits for the disk."""
        if engine == "sqlite":
            yield lambda count: self.file("of-%d" % count, count)
            return
        machine = engines.Server(engine, options=SERVER_OPTIONS[engine], durable=True)
        try:
            if server.Server.precedence:
                server.set_autogroup(machine.pid(), -server.Server.precedence)
            yield lambda count: self.fill(machine, count)
        finally:
            machine.remove()

    def fill(self, machine, count):
        database = machine.new_database()
        store = self.fresh_folder("%s-%s" % (machine.engine, database.name))
        say("seeding %d licenses on %s" % (count, machine.engine))
        output_of(built("seed"), database, store / "secret", count, store / "keys")
        return database, store

    def end(self, *sites):
        """Stop servers, and keep what they complained of."""
        for site in sites:
            site.stop()
            self.complaints += [line for line in site.log().splitlines() if ":notice]" not in line]

    # ---- all of it

    def measure(self):
        for part in PARTS:
            if set(part.NAMES) & set(self.parts):
                part.measure(self)

    def goals(self):
        found = [goal for part in PARTS if set(part.NAMES) & set(self.parts) for goal in part.goals(self)]
        found.append(figures.at_most("failed requests", sum(s.total("failed") for s in self.results.values()), 0))
        found.append(figures.at_most(
            "connections closed early, except with 64 clients",
            sum(s.total("closed") for name, s in self.results.items() if not name.endswith(", 64")), 0))
        return found

    def report(self):
        print("\n%-34s %10s %9s %9s %7s %7s %9s %9s" % ("", "requests/s", "p50 ms", "p99 ms", "failed", "closed", "CPU us",
                                                        "of the DB"))
        for name, series in sorted(self.results.items()):
            row = series.row()
            print("%-34s %10d %9.2f %9.2f %7d %7d %9.1f %9.1f" % (
                name, row["rate"], row["p50_ms"], row["p99_ms"], row["failed"], row["closed"], row["cpu_us"],
                row["database_cpu_us"]))
        print("CPU us: of all httpd processes, and of the database server, per request")
        for heading, rows in self.tables.items():
            print("\n%s\n%s" % (heading, "\n".join(rows)))
        print("\n%-76s %9s %9s" % ("", "found", "goal"))
        for text, value, limit, is_reached in self.goals():
            print("%-76s %9.3f %9s  %s" % (text, value, limit, "reached" if is_reached else "NOT REACHED"))
        if self.complaints:
            print("\nthe servers' error logs:\n" + "\n".join(self.complaints)[-3000:])


def say(text):
    print(text, file=sys.stderr, flush=True)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round on small databases, to see that it works")
    parser.add_argument("--only", default=USUAL, help="parts, comma separated")
    parser.add_argument("--seconds", type=float, default=2, help="of each run")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--small", type=int, default=10000, help="licenses")
    parser.add_argument("--large", type=int, default=1000000, help="licenses")
    parser.add_argument("--orders", type=int, default=400, help="of Salesforce in each round")
    parser.add_argument("--engines", default="sqlite,postgresql,mariadb", help="of SERVERS, SCALE and LEAKS")
    parser.add_argument("--sizes", default="10000,1000000", help="licenses of the databases of SCALE, the first small")
    parser.add_argument("--requests", type=int, default=1000000, help="of LEAKS, on each engine")
    parser.add_argument("--keep", help="a folder for the seeded SQLite databases, used again if they are there")
    parser.add_argument("--precedence", action="store_true",
                        help="take the CPU before other work on this machine (root only): for busy machines")
    parser.add_argument("--json", help="write the figures to this file too")
    for tool in ("wrk", "openssl"):
        if not shutil.which(tool):
            parser.error("%s is needed and not installed" % tool)
    options = parser.parse_args(sys.argv[1:] + os.environ.get("QLM_BENCH", "").split())
    if options.quick:
        options.seconds, options.rounds, options.large, options.orders = 1, 1, min(options.large, 20000), 50
        options.sizes, options.requests = "1000,20000", 20000
    return options


def main():
    options = read_options()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="qlm-bench-"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    started = time.monotonic()
    try:
        if options.precedence:
            server.Server.precedence = PRECEDENCE
            server.set_autogroup("self", -PRECEDENCE)
        bench = Bench(options, folder.resolve())
        bench.measure()
        bench.report()
        if options.json:
            Path(options.json).write_text(json.dumps(
                {"results": {name: series.row() for name, series in bench.results.items()},
                 "goals": [list(goal) for goal in bench.goals()], "tables": bench.tables}, indent=1))
        print("took %d s" % (time.monotonic() - started))
    finally:
        if options.precedence:
            server.set_autogroup("self", 0)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
