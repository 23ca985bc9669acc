"""What more licenses cost, on each engine: validations and orders on databases of different sizes, in turns; what a request
costs httpd and the database server; how many statements it sends, and how many bytes it leaves behind."""
import contextlib
import re
import time

import engines
from figures import at_least, ratios, spread

NAMES = ("SCALE",)
CLIENTS = 16
GROWN = 20000  # orders, and as many activations, whose rows are measured
KINDS = ("unsigned", "issue", "activate-unsigned")

# Each row: table, bytes of its rows, bytes of its indexes.
TABLES = {
    "sqlite": "SELECT m.tbl_name AS name, SUM(CASE WHEN m.type = 'table' THEN d.pgsize ELSE 0 END) AS data,"
              " SUM(CASE WHEN m.type = 'table' THEN 0 ELSE d.pgsize END) AS indexes"
              " FROM dbstat d JOIN sqlite_master m ON m.name = d.name GROUP BY 1",
    "postgresql": "SELECT relname AS name, pg_table_size(oid) AS data, pg_indexes_size(oid) AS indexes FROM pg_class"
                  " WHERE relkind = 'r' AND relname LIKE 'qlm%'",
    "mariadb": "SELECT table_name AS name, data_length AS data, index_length AS indexes"
               " FROM information_schema.tables WHERE table_schema = database()",
}


def measure(bench):
    sizes = [int(size) for size in bench.options.sizes.split(",")]
    for engine in bench.options.engines.split(","):
        with bench.databases(engine) as make:
            measure_engine(bench, engine, make, sizes if engine != "mariadb" else [n for n in sizes if n <= 10 ** 6])


def name_of(engine, size, kind):
    return "%s of %d, %s" % (engine, size, kind)


def measure_engine(bench, engine, make, sizes):
    with contextlib.ExitStack() as stack:
        sites = {}
        for size in sizes:
            sites[size] = bench.serve(*make(size))
            stack.callback(bench.end, sites[size])
        bytes_before = {size: sum(r["data"] + r["indexes"] for r in tables_of(site)) for size, site in sites.items()}
        for site in sites.values():
            bench.warm(site)
        for _ in range(bench.options.rounds):
            for kind in KINDS:
                for size in sizes:
                    bench.load(name_of(engine, size, kind), sites[size], kind, clients=CLIENTS)
        bench.tables["%s: bytes of the database" % engine] = [
            "%9d licenses: %6.0f MB, %d bytes each" % (size, total / 1e6, total / size) for size, total in bytes_before.items()]
        bench.tables["%s: statements of a request" % engine] = list(count_statements(bench, sites[sizes[0]]))
        bench.tables["%s: bytes of rows" % engine] = list(grow(bench, sites[sizes[0]]))


# ---- bytes

def tables_of(site):
    engine = getattr(site.database, "engine", "sqlite")
    if engine == "mariadb":
        names = [row["name"] for row in engines.query(site.database, engines.TABLES[engine])]
        engines.query(site.database, "ANALYZE TABLE " + ", ".join(names))
    return engines.query(site.database, TABLES[engine])


def state_of(site):
    """{table: (rows, bytes, bytes of indexes)}"""
    return {row["name"]: (engines.query(site.database, "SELECT COUNT(*) AS n FROM " + row["name"])[0]["n"],
                          int(row["data"]), int(row["indexes"])) for row in tables_of(site)}


def grow(bench, site):
    """What orders and activations leave behind, table by table."""
    grown = GROWN if not bench.options.quick else GROWN // 20
    for kind in ("issue", "activate-unsigned"):
        before, count = state_of(site), 0
        while count < grown:
            count += bench.load(None, site, kind, clients=CLIENTS, seconds=5)[0]
        for table, now in sorted(state_of(site).items()):
            rows, data, indexes = (b - a for a, b in zip(before.get(table, (0, 0, 0)), now))
            if rows:
                yield "%-20s %-16s rows %.1f, bytes %5.0f, of indexes %5.0f, for each" % (
                    kind, table, rows / count, data / count, indexes / count)


# ---- statements

def count_statements(bench, site):
    """By the server's own count, without what the background sends meanwhile; SQLite has no such count."""
    if not hasattr(site.database, "server"):
        return
    seconds = max(4, bench.options.seconds)
    with counter(site.database) as count:
        time.sleep(seconds)
        idle = count()
    for kind in KINDS:
        with counter(site.database) as count:
            requests, _ = bench.load(None, site, kind, clients=1, seconds=seconds)
            yield "%-20s %.1f" % (kind, (count() - idle) / requests)


@contextlib.contextmanager
def counter(database):
    """A function that says how many statements came since."""
    if database.engine == "mariadb":
        before = questions(database)
        yield lambda: questions(database) - before
        return
    log = database.server.folder / "server.log"
    set_logging(database, "all")
    before = log.stat().st_size
    try:
        yield lambda: len(re.findall(rb"LOG:  (?:execute |statement: )", log.read_bytes()[before:]))
    finally:
        set_logging(database, "none")


def questions(database):
    return int(engines.query(database, "SHOW GLOBAL STATUS LIKE 'Questions'")[0]["Value"])


def set_logging(database, what):
    engines.query(database, "ALTER SYSTEM SET log_statement = '%s'" % what)
    engines.query(database, "SELECT pg_reload_conf()")


# ---- goals

def goals(bench):
    found = []
    sizes = [int(size) for size in bench.options.sizes.split(",")]
    for engine in bench.options.engines.split(","):
        for size in sizes[1:] if engine != "mariadb" else ():
            share, words = spread(ratios(*(bench.results[name_of(engine, n, "unsigned")] for n in (size, sizes[0]))))
            found.append(at_least("%s, unsigned, %d / %d licenses %s" % (engine, size, sizes[0], words), share, 0.9))
    return found
