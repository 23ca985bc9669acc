"""Writing to PostgreSQL and MariaDB: against the plain client on the same server, with as many connections as httpd has
open."""
from figures import at_least, ratios, spread

NAMES = ("SERVERS",)
CLIENTS = 64
KINDS = ("issue", "activate-unsigned")


def measure(bench):
    for engine in bench.options.engines.split(","):
        if engine != "sqlite":
            with bench.databases(engine) as make:
                measure_engine(bench, engine, make)


def measure_engine(bench, engine, make):
    database, store = make(bench.options.small)
    plain, plain_store = make(bench.options.small)
    site = bench.serve(database, store)
    try:
        bench.warm(site)
        connections = min(CLIENTS, len(database.connections()))
        bench.tables.setdefault("Plain client", []).append("%s: %d connections" % (engine, connections))
        for _ in range(bench.options.rounds):
            for kind in KINDS:
                bench.raw("plain client, %s, %s" % (engine, kind), plain, plain_store / "keys", kind.split("-")[0],
                          connections=connections)
                bench.load("%s, %s, %d" % (engine, kind, CLIENTS), site, kind, clients=CLIENTS)
            for kind in ("unsigned", "activate"):
                bench.load("%s, %s, %d" % (engine, kind, CLIENTS), site, kind, clients=CLIENTS)
    finally:
        bench.end(site)


def goals(bench):
    found = []
    for engine in bench.options.engines.split(","):
        for kind in KINDS if engine != "sqlite" else ():
            share, words = spread(ratios(bench.results["%s, %s, %d" % (engine, kind, CLIENTS)],
                                         bench.results["plain client, %s, %s" % (engine, kind)]))
            found.append(at_least("%s / plain client, %s %s" % (engine, kind, words), share, 0.7))
    return found
