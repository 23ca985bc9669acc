"""A PostgreSQL primary and its standby on one machine. An order is acknowledged when both have it."""
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "soak"), str(HERE.parent / "http")]

import network  # noqa: E402
from engines import PASSWORD, Database, Server  # noqa: E402
from env import free_port  # noqa: E402

PATIENCE = 60  # seconds


class Half(Server):
    """One of the two servers. It does not run yet."""

    def __init__(self):
        self.engine, self.port, self.count, self.options = "postgresql", str(free_port()), 0, ""
        root = Path(tempfile.mkdtemp(prefix="qlm-half-", dir="/tmp"))
        root.chmod(0o755)
        self.folder = root / "postgresql"

    def say(self, sql):
        connection = self.connect("template1")
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def processes(self):
        """Of the server: itself and one for each connection, and more."""
        server = self.pid()
        children = Path("/proc/%d/task/%d/children" % (server, server)).read_text().split()
        return [server, *map(int, children)]

    def freeze(self):
        """As seen from outside: it neither answers nor closes a connection."""
        self.signal(signal.SIGSTOP)

    def kill(self):
        """All of it at once, frozen or not, as when the machine is gone."""
        self.signal(signal.SIGKILL)
        self.stop()

    def remove(self):
        with contextlib.suppress(RuntimeError):
            self.kill()
        super().remove()

    def signal(self, number):
        for process in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)


class Pair:
    """Primary and standby, and who is which at the moment."""

    def __init__(self, owns_network):
        """owns_network: may packets be dropped?"""
        self.owns_network = owns_network
        self.halves = [Half(), Half()]
        self.primary, self.standby = self.halves
        try:
            self.primary.start()
            self.primary.say("ALTER SYSTEM SET wal_keep_size = '512MB'")  # a standby that was away may need it
            self.attach()
        except BaseException:
            self.remove()
            raise

    def attach(self):
        """Make the standby anew from the primary, and have commits wait for it."""
        self.standby._run("standby", self.standby.folder, self.primary.folder)
        self.standby.start()
        self.wait_for("*")
        self.await_all()

    def wait_for(self, names):
        """Whom commits wait for: the standby, or nobody."""
        self.primary.say("ALTER SYSTEM SET synchronous_standby_names = '%s'" % names)
        self.primary.say("SELECT pg_reload_conf()")

    def await_all(self):
        end = time.monotonic() + PATIENCE
        while [r["sync_state"] for r in self.primary.say("SELECT sync_state FROM pg_stat_replication"
                                                         " WHERE state = 'streaming'")] != ["sync"]:
            if time.monotonic() > end:
                raise RuntimeError("the standby does not follow")
            time.sleep(0.05)

    def promote(self):
        """The standby becomes the primary, with all that was acknowledged; commits wait for nobody until there is a new
        standby."""
        self.primary, self.standby = self.standby, self.primary
        self.wait_for("")
        self.primary.say("SELECT pg_promote()")

    # ---- what cluster.Cluster asks of it

    @property
    def server(self):
        return self.primary

    def new_databases(self):
        """An empty one, as both web servers find it."""
        self.primary.count = max(half.count for half in self.halves)  # what one has made the other has, too
        return [self.database(self.primary.new_database().name)] * 2

    def copies(self, name):
        self.await_all()
        return [Database(half, name) for half in self.halves]

    @property
    def faults(self):
        return [fail_over, lose_frozen_primary, restart_standby, cut_connections] + \
            [lose_cut_off_primary, drop_packets] * self.owns_network

    def database(self, name):
        """On whichever server takes changes."""
        found = Database(self.primary, name)
        found.server = self
        ports = ",".join(half.port for half in self.halves)
        return found.with_params(host="127.0.0.1,127.0.0.1", port=ports, password=PASSWORD,
                                 target_session_attrs="read-write")

    def connect(self, name):
        return self.primary.connect(name)

    def remove(self):
        for half in self.halves:
            half.remove()


# ---- faults

def fail_over(pair, _, choose):
    """The primary is gone; some time later the standby takes its place, and the old one follows it."""
    pair.primary.kill()
    time.sleep(choose.random() * 2)
    pair.promote()
    pair.attach()


def lose_frozen_primary(pair, _, choose):
    """It keeps its connections and says nothing. What it would still answer it cannot: the standby has left it."""
    pair.primary.freeze()
    pair.promote()
    time.sleep(choose.random() * 3)
    pair.standby.kill()
    pair.attach()


def lose_cut_off_primary(pair, _, choose):
    """No packet reaches it, or comes from it."""
    with network.dropping([pair.primary.port]):
        time.sleep(choose.random() * 2)
        pair.promote()
        time.sleep(choose.random() * 3)
        pair.standby.kill()
    pair.attach()


def drop_packets(pair, _, choose):
    """Between the web servers and both."""
    with network.dropping([half.port for half in pair.halves], choose.uniform(0.1, 0.4)):
        time.sleep(choose.uniform(0.5, 2))


def restart_standby(pair, _, choose):
    """Meanwhile no change is acknowledged."""
    pair.standby.stop("now")
    time.sleep(choose.random() * 2)
    pair.standby.start()
    pair.await_all()


def cut_connections(pair, databases, choose):
    databases[0].cut_connections()
