"""Writing to SQLite by many clients at once: with one flush of the disk for all that wait and, for comparison, with one for
each (QlmGroupCommit off), and against the plain client with as many units in each transaction as there are clients. All of
it once more with flushes that take longer, as on a slower disk. There are as many processes as have a thread for each client,
and no more, since each process commits its own callers together."""
import shutil

import server
from figures import at_least, at_most, ratios, spread

NAMES = ("GROUPCOMMIT",)
CLIENTS = 64
PROCESSES = -(-CLIENTS // server.THREADS)
KINDS = ("issue", "activate-unsigned")  # a signature has nothing to do with the disk
DELAY_US = 5000
DISKS = ("", ", slow disk")


def environment_of(disk):
    return {"LD_PRELOAD": server.built(".libs/slowsync.so"), "QLM_SYNC_DELAY_US": str(DELAY_US)} if disk else {}


def measure(bench):
    store = bench.seed(bench.options.small)
    sites = {}
    try:
        for disk in DISKS:
            for switch in ("on", "off"):
                database, _ = bench.file("group-%s%s" % (switch, len(sites)), bench.options.small, keep=True)
                sites[switch, disk] = bench.serve(database, store, environment=environment_of(disk),
                                                  config="QlmGroupCommit %s\n" % switch, processes=PROCESSES)
        for site in sites.values():
            bench.warm(site)
        plain = bench.fresh_folder("group-plain") / "qlm.db"
        shutil.copy(store / "qlm.db", plain)
        for _ in range(bench.options.rounds):
            for kind in KINDS + ("activate",):
                play(bench, sites, plain, kind)
    finally:
        bench.end(*sites.values())


def play(bench, sites, plain, kind):
    for disk in DISKS:
        if kind in KINDS:
            bench.raw("plain client, %s, %d a commit%s" % (kind, CLIENTS, disk), plain, sites["on", disk].keys,
                      kind.split("-")[0], units=CLIENTS, environment=environment_of(disk))
        for switch in ("on", "off"):
            bench.load("group commit %s, %s%s, %d" % (switch, kind, disk, CLIENTS), sites[switch, disk], kind,
                       clients=CLIENTS)


def goals(bench):
    found = []
    for kind in KINDS:
        for disk in DISKS:
            on, off = (bench.results["group commit %s, %s%s, %d" % (switch, kind, disk, CLIENTS)] for switch in ("on", "off"))
            plain = bench.results["plain client, %s, %d a commit%s" % (kind, CLIENTS, disk)]
            gain, words = spread(ratios(on, off))
            found.append(at_least("group commit on / off, %s%s %s" % (kind, disk, words), gain, 10 if disk else 1.6))
            if not disk:
                share, words = spread(ratios(on, plain))
                found += [at_least("group commit / plain client, %s %s" % (kind, words), share, 0.25),
                          at_most("group commit, %s, p99 ms" % kind, on.median("p99"), 50)]
    return found
