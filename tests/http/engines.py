"""The databases of the sites: SQLite files, or databases of a private PostgreSQL or MariaDB server.

QLM_DATABASE=sqlite|postgresql|mariadb chooses the engine of a whole run. A server is started when the first database on
it is made, in a temporary folder by ../dbserver.sh, and stopped at the end of the run.
"""
import atexit
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

DBSERVER = Path(__file__).parent.parent / "dbserver.sh"
ENGINE = os.environ.get("QLM_DATABASE") or "sqlite"
PASSWORD = "Datenbank-1"  # of the server's user on its port
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    "postgresql": "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1",
    "mariadb": "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1",
}
HTTPD_USER = "qlm_httpd"  # has the rights on tables that docs/databases.md asks for, and no others
ADMIT = {
    "postgresql": ["DO $$ BEGIN CREATE ROLE qlm_httpd LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                   "ALTER DEFAULT PRIVILEGES FOR ROLE qlm GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO qlm_httpd"],
    "mariadb": ["CREATE USER IF NOT EXISTS qlm_httpd@localhost",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON DATABASE.* TO qlm_httpd@localhost"],
}
if ENGINE not in TABLES:
    raise RuntimeError("QLM_DATABASE=%s: there are %s" % (ENGINE, ", ".join(TABLES)))


class Server:
    """A private server of one engine."""

    running = {}

    @classmethod
    def of(cls, engine):
        """The one that all sites of the run share."""
        if engine not in cls.running:
            # a run that is told to stop takes its server with it, too
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            cls.running[engine] = cls(engine)
            atexit.register(cls.running[engine].remove)
        return cls.running[engine]

    durable = "no"  # do commits wait for the disk?

    def __init__(self, engine, port="", parent="/tmp", options="", durable=False):
        """options: for the server's command line; durable: commits wait for the disk."""
        self.engine = engine
        self.port = str(port)
        self.durable = "yes" if durable else "no"
        self.count = 0
        root = Path(tempfile.mkdtemp(prefix="qlm-db-", dir=parent))
        root.chmod(0o755)
        self.folder = root / engine
        self.options = options
        try:
            self.start()
        except BaseException:
            self.remove()
            raise

    def _run(self, *arguments, **environment):
        done = subprocess.run([DBSERVER, *arguments], env={**os.environ, "QLM_DURABLE": self.durable, **environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=180)
        if done.returncode != 0:
            words = done.stderr.strip().splitlines()
            raise RuntimeError("dbserver.sh %s: %s" % (arguments[0], " / ".join(reversed(words[-12:])) or "exit %d" % done.returncode))
        return done.stdout.strip()

    def start(self):
        self._run("start", self.engine, self.folder, self.port, QLM_SERVER_OPTIONS=self.options)

    def stop(self, how="fast"):
        self._run("stop", self.folder, how)

    def pid(self):
        return int(self._run("pid", self.folder))

    def new_database(self):
        self.count += 1
        name = "qlm_%d" % self.count
        self._run("database", self.folder, name)
        for sql in ADMIT[self.engine]:
            self.administer(name, sql.replace("DATABASE", name))
        made = Database(self, name)
        made.httpd_params = made.with_params(user=HTTPD_USER).params
        return made

    def administer(self, name, sql):
        with contextlib.closing(self.connect(name)) as connection:
            connection.cursor().execute(sql)

    def connect(self, name):
        """A connection of the administrator, who also is past every limit of connections."""
        try:
            return self._connect(name)
        except Exception as error:  # each driver has its own
            error.add_note("\n".join(["the server's last words:", *self.last_words()]))
            raise

    def last_words(self):
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "server.log").read_text(errors="replace").splitlines()[-60:]
        return []

    def _connect(self, name):
        if self.engine == "postgresql":
            import psycopg2
            import psycopg2.extras
            connection = psycopg2.connect(host=str(self.folder), port=self.port or 5432, user="postgres", dbname=name,
                                          cursor_factory=psycopg2.extras.RealDictCursor)
            connection.autocommit = True
            return connection
        import pymysql
        return pymysql.connect(unix_socket=str(self.folder / "socket"), user="root", database=name, autocommit=True,
                               charset="utf8mb4", cursorclass=pymysql.cursors.DictCursor)

    def remove(self):
        with contextlib.suppress(RuntimeError):
            self.stop("now")
        shutil.rmtree(self.folder.parent, ignore_errors=True)


class Database:
    """A database of a server; as text it is what qlmctl --database takes."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.engine = server.engine
        self._idle = []  # connections for lend()
        self.httpd_params = None  # as params
        self.driver, self.params = server._run("params", server.folder, name).split(" ", 1)

    def __str__(self):
        return "%s:%s" % (self.driver, self.params)

    def with_params(self, **changed):
        """The same with other parameters."""
        other = Database.__new__(Database)
        other.__dict__.update(self.__dict__)
        other.httpd_params = None  # httpd, too, takes them as they are
        words = dict(w.split("=", 1) for w in self.params.split())
        words.update(changed)
        words["dbname"] = words.pop("dbname")  # where dbserver.sh has it, at the end
        other.params = " ".join("%s=%s" % w for w in words.items() if w[1] is not None)
        return other

    @contextlib.contextmanager
    def open(self, write=False):
        """Something with execute(sql with ?, values), which returns a cursor."""
        connection = self.server.connect(self.name)
        try:
            yield Session(connection)
        finally:
            connection.close()

    @contextlib.contextmanager
    def lend(self):
        """The same for a short look or change, through a connection that is used again: servers take their time to make
        one."""
        connection = self._idle.pop() if self._idle else None
        if connection is None or not is_alive(connection):
            connection = self.server.connect(self.name)
        try:
            yield Session(connection)
            connection.cursor().execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def by_port(self, password=PASSWORD):
        """The same through the port, where a password is asked for."""
        name = "password" if self.engine == "postgresql" else "pass"
        return self.with_params(host="127.0.0.1", sock=None, port=self.server.port, **{name: password})

    def copy_to(self, target):
        """All rows; target has the tables."""
        with self.open() as source, target.open(write=True) as sink:
            tables = [r["name"] for r in source.execute(TABLES[self.engine])]
            # what refers to others comes after them
            for table in sorted(tables, key=lambda t: (t == "qlm_activation", t)):
                sink.execute("DELETE FROM %s" % table)
                for row in source.execute("SELECT * FROM %s" % table):
                    sink.execute("INSERT INTO %s (%s) VALUES (%s)" % (table, ", ".join(row), ", ".join("?" * len(row))),
                                 list(row.values()))

    def remove(self):
        while self._idle:
            self._idle.pop().close()
        with contextlib.closing(self.server.connect("template1" if self.engine == "postgresql" else None)) as c:
            c.cursor().execute("DROP DATABASE %s%s" % (self.name, " WITH (FORCE)" if self.engine == "postgresql" else ""))

    # ---- faults

    OTHERS = {
        "postgresql": "SELECT pid AS id FROM pg_stat_activity WHERE datname = current_database()"
                      " AND pid <> pg_backend_pid()",
        "mariadb": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
    }

    def connections(self):
        """The server's ids of the sessions on this database."""
        with self.open() as db:
            return [r["id"] for r in db.execute(self.OTHERS[self.engine])]

    def cut_connections(self):
        """What an administrator does, or a firewall."""
        cut = 0
        with self.open(write=True) as db:
            for row in db.execute(self.OTHERS[self.engine]).fetchall():
                with contextlib.suppress(Exception):  # gone by itself meanwhile
                    db.execute("SELECT pg_terminate_backend(%d)" % row["id"] if self.engine == "postgresql"
                               else "KILL %d" % row["id"])
                    cut += 1
        return cut


def is_alive(connection):
    """The server may have been restarted, or the connection cut."""
    try:
        connection.cursor().execute("SELECT 1")
        return True
    except Exception:  # each driver has its own
        connection.close()
        return False


class Session:
    """SQL as the tests write it: with ? for values."""

    def __init__(self, connection):
        self.connection = connection

    def execute(self, sql, values=()):
        cursor = self.connection.cursor()
        if values:
            sql = sql.replace("%", "%%").replace("?", "%s")
        cursor.execute(sql, tuple(values) or None)
        return cursor


@contextlib.contextmanager
def open_file(path, write=False):
    """An SQLite file, in the same way."""
    db = sqlite3.connect("file:%s?mode=%s" % (path, "rw" if write else "ro"), uri=True, timeout=10, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        yield db
    finally:
        db.close()


# ---- whatever the engine: a path, or a Database

def open_database(database, write=False):
    """Something with execute(sql with ?, values), which returns a cursor."""
    return database.open(write) if isinstance(database, Database) else open_file(database, write)


def lent(database, write=False):
    """The same, for a short look or change."""
    return database.lend() if isinstance(database, Database) else open_file(database, write)


def query(database, sql, *values, write=False):
    """The rows, as dictionaries; none for a statement that gives none."""
    with lent(database, write) as db:
        cursor = db.execute(sql, values)
        return [dict(row) for row in cursor] if cursor.description else []


def change(database, sql, *values):
    """How many rows a statement has changed."""
    with lent(database, write=True) as db:
        return db.execute(sql, values).rowcount


def engine_of(database):
    return getattr(database, "engine", "sqlite")


def dump(database):
    """Every row of every table, to see whether a call changed anything. What the background writes some time later is
    left out: refused activations of earlier tests, who holds a lease, and how often a mail has been tried."""
    with lent(database) as db:
        return dump_through(db, engine_of(database))


def dump_through(db, engine):
    tables = [r["name"] for r in db.execute(TABLES[engine]).fetchall() if r["name"] not in ("qlm_attempt", "qlm_lease")]
    columns = {"qlm_outbox": "id, kind, target, subject, order_key, payload, created_at"}
    return {t: sorted(repr(tuple(dict(r).values()))
                      for r in db.execute("SELECT %s FROM %s" % (columns.get(t, "*"), t))) for t in tables}


# From here on the session sees the database as it is at its first look.
STAND_STILL = {"sqlite": "BEGIN", "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
               "mariadb": "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"}
# What it gives is another after each change that anybody makes, and sometimes after none.
MARKS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT CAST(pg_current_snapshot() AS TEXT) AS mark",
         "mariadb": "SELECT SUM(variable_value) AS mark FROM information_schema.global_status"
                    " WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE')"}


@contextlib.contextmanager
def watched(database):
    """A function that gives two dumps, of then and of now, or none if nothing can have been changed between them."""
    engine = engine_of(database)
    with lent(database) as before, lent(database) as now:
        before.execute(STAND_STILL[engine])
        before.execute(TABLES[engine]).fetchall()

        def mark():
            return [tuple(dict(row).values()) for row in now.execute(MARKS[engine]).fetchall()]
        first = mark()
        yield lambda: [dump_through(db, engine) for db in (before, now)] if mark() != first else []


TRIGGER = {
    "sqlite": ["CREATE TRIGGER {name} {when} ON {table} BEGIN {body}; END"],
    "mariadb": ["CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {body}"],
    "postgresql": ["CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
                   " AS $$ BEGIN {body}; RETURN NEW; END $$",
                   "CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"],
}
REFUSE = {"sqlite": "SELECT RAISE(ABORT, 'no change')", "postgresql": "RAISE EXCEPTION 'no change'",
          "mariadb": "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no change'"}


def add_trigger(database, name, when, table, body=None):
    """when: as BEFORE INSERT; body: a statement, without one every such change is refused."""
    engine = engine_of(database)
    for sql in TRIGGER[engine]:
        query(database, sql.format(name=name, when=when, table=table, body=body or REFUSE[engine]), write=True)


def drop_trigger(database, name):
    query(database, ("DROP FUNCTION %s CASCADE" if engine_of(database) == "postgresql" else "DROP TRIGGER %s") % name,
          write=True)


def count_changes(database, table, *events):
    """From now on, for changes_counted; events: as INSERT."""
    query(database, "CREATE TABLE test_writes (license_id BIGINT)", write=True)
    for event in events:
        add_trigger(database, "test_" + event.lower(), "AFTER " + event, table,
                    "INSERT INTO test_writes VALUES (NEW.license_id)")


def changes_counted(database):
    return query(database, "SELECT COUNT(*) AS n FROM test_writes")[0]["n"]


def damages(database):
    """What the engine itself finds wrong. Servers check what they store by themselves, and refuse to start."""
    if isinstance(database, Database):
        return []
    return [r for r in query(database, "PRAGMA integrity_check") if r["integrity_check"] != "ok"] + \
        query(database, "PRAGMA foreign_key_check")
