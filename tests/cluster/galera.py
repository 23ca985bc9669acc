"""Three MariaDB nodes with Galera on one machine, each in a folder and on ports of its own."""
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pymysql

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "soak"), str(HERE.parent / "http")]

import network  # noqa: E402
from engines import Database, Server  # noqa: E402
from env import free_port  # noqa: E402

PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so",
             "/usr/lib64/galera/libgalera_smm.so")
TRANSFER = "wsrep_sst_incremental"
BOOTSTRAP = " --wsrep-new-cluster"
PATIENCE = 60  # seconds for a node to come back

# A node that says nothing for this long is voted out. Galera's own values (5 and 15 s) suit networks with hiccups; in a
# test they would be a long pause after each fault.
PROVIDER_OPTIONS = ("evs.keepalive_period=PT0.5S;evs.suspect_timeout=PT2S;evs.inactive_timeout=PT4S;"
                    "evs.install_timeout=PT4S;gmcast.peer_timeout=PT2S;repl.causal_read_timeout=PT3S;gcache.size=64M")


def provider():
    """The library, or None if it is not installed."""
    return next((p for p in PROVIDERS if os.path.exists(p)), None)


class Node(Server):
    """One of the nodes: a server with a place in the cluster. It does not run yet."""

    def __init__(self, number, ports):
        """ports: (of the group, of state transfers) of all nodes."""
        self.number, self.ports = number, ports
        self.engine, self.port, self.count = "mariadb", "", 0
        root = Path(tempfile.mkdtemp(prefix="qlm-node-", dir="/tmp"))
        root.chmod(0o755)
        self.folder = root / "mariadb"
        shutil.copy(HERE / TRANSFER, root)

    def _run(self, *arguments, **environment):
        return super()._run(*arguments, PATH="%s:%s" % (self.folder.parent, os.environ["PATH"]), **environment)

    def start(self, more=""):
        """As long as it takes: the others may not have noticed yet that it was gone."""
        end = time.monotonic() + PATIENCE
        self.options = self.place() + more
        while True:
            try:
                return super().start()
            except RuntimeError:
                self.stop("now")
                if time.monotonic() > end:
                    raise

    def begin_like(self, other):
        """As a copy of that node, which is stopped: then only what is missing has to be sent to it."""
        subprocess.run(["cp", "-a", other.folder, self.folder], check=True)
        (self.folder / "server.log").unlink()

    def place(self):
        """Its options: where it is and with whom."""
        group, transfers = self.ports[self.number]
        return " ".join([
            "--wsrep-on=ON --wsrep-cluster-name=qlm --binlog-format=ROW --innodb-autoinc-lock-mode=2",
            "--wsrep-provider=" + provider(), "--wsrep-sst-method=" + TRANSFER.rpartition("_")[2],
            "--wsrep-cluster-address=gcomm://" + ",".join("127.0.0.1:%d" % p[0] for p in self.ports),
            "--wsrep-node-name=node%d" % self.number, "--wsrep-node-address=127.0.0.1:%d" % group,
            "--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:%d;ist.recv_addr=127.0.0.1:%d;%s" %
            (group, transfers, PROVIDER_OPTIONS)])

    def say(self, sql):
        """SQL of the administrator; the rows."""
        connection = self.connect(None)
        try:
            cursor = connection.cursor()
            cursor.execute(sql)
            return cursor.fetchall()
        finally:
            connection.close()

    def status(self, name):
        return self.say("SHOW GLOBAL STATUS LIKE 'wsrep_%s'" % name)[0]["Value"]

    def isolate(self, is_cut_off):
        self.say("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'" % is_cut_off)

    def is_there(self):
        """With the others, and with every change. A node that comes back closes its connections meanwhile."""
        wanted = {"ready": "ON", "local_state_comment": "Synced", "cluster_size": str(len(self.ports))}
        with contextlib.suppress(pymysql.err.OperationalError):
            return all(self.status(name) == value for name, value in wanted.items())


class Galera:
    """The cluster."""

    def __init__(self, owns_network):
        """owns_network: may packets be dropped?"""
        self.owns_network = owns_network
        ports = [(free_port(), free_port()) for _ in range(3)]
        self.nodes = [Node(number, ports) for number in range(3)]
        first, *others = self.nodes
        try:
            first.start(BOOTSTRAP)
            first.stop()
            for node in others:
                node.begin_like(first)
            first.start(BOOTSTRAP)
            for node in others:
                node.start()
        except BaseException:
            self.remove()
            raise

    def await_all(self):
        """Until every node is there and has every change."""
        end = time.monotonic() + PATIENCE
        while not all(n.is_there() for n in self.nodes):
            if time.monotonic() > end:
                raise RuntimeError("the nodes do not come together again\n" + "\n".join(
                    line for n in self.nodes for line in ["node %d:" % n.number, *n.last_words()]))
            time.sleep(0.1)

    # ---- what cluster.Cluster asks of it

    @property
    def server(self):
        return self.nodes[0]

    def new_databases(self):
        """An empty one, as the two web servers find it: each has a node, the third is there for the majority."""
        first = self.server.new_database()
        return [first, Database(self.nodes[1], first.name)]

    def copies(self, name):
        self.await_all()
        return [Database(node, name) for node in self.nodes]

    @property
    def faults(self):
        return [kill_node, cut_node_off, cut_connections] + [drop_packets] * self.owns_network

    def remove(self):
        for node in self.nodes:
            node.remove()


# ---- faults: of any node, also of the one that no web server uses

def kill_node(galera, _, choose):
    node = choose.choice(galera.nodes)
    node.stop("now")
    time.sleep(choose.random() * 3)
    node.start()
    galera.await_all()


def cut_node_off(galera, _, choose):
    """No packet between it and the others; web servers still reach it. Often long enough for the others to notice."""
    node = choose.choice(galera.nodes)
    node.isolate(True)
    time.sleep(choose.random() * 6)
    node.isolate(False)
    galera.await_all()


def drop_packets(galera, _, choose):
    """Between the nodes."""
    with network.dropping([group for group, _ in galera.nodes[0].ports], choose.uniform(0.05, 0.2)):
        time.sleep(choose.uniform(0.5, 3))
    galera.await_all()


def cut_connections(galera, databases, choose):
    choose.choice(databases).cut_connections()


if __name__ == "__main__":
    if not provider():
        sys.exit("galera.py: the library is not installed (galera-4)")
