"""One server on SQLite: reading compared with files, writing with the plain client, memory."""
import contextlib
import re
import shutil
import sqlite3
import statistics
import subprocess

import server
from figures import at_least, at_most

NAMES = ("VALIDATE", "WRITE", "MEMORY")
FEW_KEYS = 100  # asked again within the minute
FLEETS = (1, 16, 64)  # clients that write at once
PROPERTIES = 20  # of the product, all with a value


class Single:
    """The servers that these parts share."""

    def __init__(self, bench):
        self.bench = bench
        self.signature_us, self.memory = [], {}
        self.small = bench.site("small", bench.options.small)
        self.plain = bench.fresh_folder("data-plain") / "qlm.db"
        shutil.copy(self.small.database, self.plain)  # nothing was written yet
        self.large = self.rich = self.small
        if "VALIDATE" in bench.parts:
            self.rich = self.with_properties()
            self.large = bench.site("large", bench.options.large)
        self.sites = {self.small, self.large, self.rich}

    def with_properties(self):
        """A copy of the small site whose product defines properties, and whose licenses all have values of them."""
        data = self.bench.fresh_folder("data-properties") / "qlm.db"
        names = ["property%d" % i for i in range(PROPERTIES)]
        stored = "".join("limits.%s\t%d\t1700000000\t4102444799\n" % pair for pair in zip(names, range(PROPERTIES)))
        shutil.copy(self.small.database, data)
        with contextlib.closing(sqlite3.connect(data)) as database, database:
            database.executemany(
                "INSERT INTO qlm_product_property (product_id, major, minor, name_key, category, name, guid, type,"
                " default_value, help, updated_at) VALUES (1, 1, 0, ?, 'limits', ?, ?, 'int', '5', ?, 1700000000)",
                [("limits." + name, name, "{0e6d0c1c-5a3b-4f2e-9d1c-%012d}" % i, "How many of number %d there are" % i)
                 for i, name in enumerate(names)])
            database.execute("UPDATE qlm_license SET properties = ?", [stored])
        server.own(data.parent, data)
        return self.bench.serve(data, self.small.secret.parent)

    def sign(self):
        """CPU us of one RSA-2048 signature, by OpenSSL's own measure."""
        text = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "rsa2048"], capture_output=True, text=True,
                              check=True).stdout
        per_second = float(re.search(r"^\+F2:\d+:2048:([0-9.e+-]+)", text, re.M).group(1))
        self.signature_us.append(1e6 / per_second)

    def validate(self):
        """Reading: everything that is compared stands in one round."""
        load, small, large = self.bench.load, self.small, self.large
        for _ in range(self.bench.options.rounds):
            load("static file", small, "static")
            load("unsigned, small", small, "unsigned")
            load("unsigned, properties", self.rich, "unsigned")
            load("unsigned, large", large, "unsigned")
            load("static file", small, "static")
            load("unsigned, small", small, "unsigned")
            load("unsigned, large", large, "unsigned")
            load("PingHttp", small, "ping")
            self.sign()
            load("signed, small", small, "signed")
            load("signed, large", large, "signed")
            load("signed again, small", small, "again", span=FEW_KEYS)
            load("signed again, large", large, "again", span=FEW_KEYS)
            load("unsigned, small", small, "unsigned")

    def write(self):
        load = self.bench.load
        for _ in range(self.bench.options.rounds):
            for kind in ("renew", "update", "release"):
                load(kind + ", 16", self.small, kind, clients=16)
            for kind in ("issue", "activate"):
                self.raw(kind)
                for clients in FLEETS:
                    load("%s, %d" % (kind, clients), self.small, kind, clients=clients)
                    if clients == 16:
                        self.raw(kind)
                        load("%s, %d" % (kind, clients), self.small, kind, clients=clients)

    def raw(self, kind):
        self.bench.raw("plain loop, " + kind, self.plain, self.small.keys, kind)

    def measure_memory(self):
        """A child's memory after all of that, against one that only serves files."""
        bare = server.Server(self.bench.folder)
        bare.keys = self.small.keys
        bare.start()
        try:
            self.bench.load(None, bare, "static", clients=64, seconds=2)
            for name, site in (("without", bare), ("small", self.small), ("large", self.large)):
                self.memory[name] = max(site.memory(), key=lambda found: found["Pss"])
        finally:
            bare.stop()


def measure(bench):
    single = bench.single = Single(bench)
    try:
        for site in single.sites:
            bench.warm(site)
        if "VALIDATE" in bench.parts:
            single.validate()
        if "WRITE" in bench.parts:
            single.write()
        if "MEMORY" in bench.parts:
            single.measure_memory()
    finally:
        bench.end(*single.sites)
    describe(single)


def describe(single):
    rows = ["small: %d licenses, large: %d licenses" % (single.bench.options.small, single.bench.options.large)]
    if single.signature_us:
        rows.append("openssl speed, CPU us of one rsa2048: %.1f" % statistics.median(single.signature_us))
    rows += ["memory of an httpd process, %s: PSS %d KiB, RSS %d KiB" % (name, found["Pss"], found["Rss"])
             for name, found in single.memory.items()]
    single.bench.tables["One server on SQLite"] = rows


# ---- goals

def goals(bench):
    return goals_of_reading(bench) + goals_of_writing(bench) + goals_of_memory(bench)


def goals_of_reading(bench):
    if "VALIDATE" not in bench.parts:
        return []

    def rate(name): return bench.results[name].median("rate")
    def cpu(name): return bench.results[name].median("cpu")
    found = []
    signature = statistics.median(bench.single.signature_us)
    for size in ("small", "large"):
        unsigned = cpu("unsigned, " + size)
        found += [
            at_least("unsigned / static file, requests per second, " + size,
                     rate("unsigned, " + size) / rate("static file"), 0.55),
            at_least("static file / unsigned, CPU, " + size, cpu("static file") / unsigned, 0.55),
            at_most("signed / (unsigned + one signature), CPU, " + size,
                    cpu("signed, " + size) / (unsigned + signature), 1.15),
            at_most("signed again / unsigned, CPU, " + size, cpu("signed again, " + size) / unsigned, 1.3)]
    return found + [
        at_most("unsigned with %d product properties / without, CPU" % PROPERTIES,
                cpu("unsigned, properties") / cpu("unsigned, small"), 1.5),
        at_least("large / small, unsigned, requests per second",
                 rate("unsigned, large") / rate("unsigned, small"), 0.9),
        at_most("large / small, unsigned, CPU", cpu("unsigned, large") / cpu("unsigned, small"), 1.1)]


def goals_of_writing(bench):
    if "WRITE" not in bench.parts:
        return []

    def rate(name): return bench.results[name].median("rate")
    return [
        at_least("issuing with 16 clients / plain loop, requests per second",
                 rate("issue, 16") / rate("plain loop, issue"), 0.5),
        at_most("issuing with 16 clients, p99 ms", bench.results["issue, 16"].median("p99"), 50),
    ] + [at_least("%s with 16 clients / issuing with 16 clients, requests per second" % kind,
                  rate(kind + ", 16") / rate("issue, 16"), 0.5) for kind in ("renew", "update", "release")]


def goals_of_memory(bench):
    memory = bench.single.memory
    return [at_most("memory (PSS) of an httpd process with the module, MiB more, " + name,
                    (memory[name]["Pss"] - memory["without"]["Pss"]) / 1024, 10)
            for name in ("small", "large") if memory]
