"""Two web servers with mod_qlm, a balancer in front of them, and one database on several servers behind: a soak run
(../soak/) through the balancer, with nodes and servers killed and cut off.

  cluster.py [--operations N] [--seed S]    the environment is that of ../http/env.py: QLM_DATABASE=mariadb is three
                                            nodes with Galera, postgresql a primary and its standby

`make cluster` plays 100,000 calls on each; test_cluster.py plays 20,000.
"""
import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "soak"), str(HERE.parent / "http")]

import network  # noqa: E402
import soak  # noqa: E402
from client import ASMX  # noqa: E402
from engines import ENGINE, Server, dump  # noqa: E402
from env import RUN_USER, Site, Template, httpd_modules, is_root  # noqa: E402
from galera import Galera  # noqa: E402
from standby import Pair  # noqa: E402

MODULES = ("mpm_event", "authz_core", "authz_host", "dir", "headers", "proxy", "proxy_http", "proxy_balancer",
           "proxy_hcheck", "lbmethod_bybusyness", "slotmem_shm")


class Balancer(Site):
    """The httpd in front, as in docs/cluster.md; of a site it has nothing but the server's life."""

    def __init__(self, template, servers):
        self.servers = servers
        super().__init__(template)

    def make_database(self, template):
        self.owns_database = False

    def write_config(self):
        members = "\n".join("    BalancerMember http://127.0.0.1:%d hcmethod=GET hcuri=%s/PingHttp hcinterval=1"
                            " hcpasses=1 hcfails=1 retry=1 connectiontimeout=2 timeout=30" % (s.port, ASMX)
                            for s in self.servers)
        user = "User %s\nGroup %s\n" % (RUN_USER, RUN_USER) if is_root() else ""
        (self.root / "httpd.conf").write_text(f'''ServerRoot "{self.root}"
{"".join("LoadModule %s_module %s/mod_%s.so%s" % (n, httpd_modules(), n, chr(10)) for n in MODULES)}
ServerName localhost
Listen 127.0.0.1:{self.port}
{user}PidFile run/httpd.pid
DefaultRuntimeDir run
DocumentRoot htdocs
ErrorLog logs/error.log
LogLevel info
MaxKeepAliveRequests 0
<Proxy balancer://qlm>
{members}
    ProxySet lbmethod=bybusyness
</Proxy>
ProxyPass /qlm balancer://qlm/qlm
ProxyPreserveHost On
''')


class Cluster:
    """Two web servers, their balancer and the database servers: what soak.Run needs of a site, and its faults."""

    calls_per_fault = 1500  # a cluster takes its time to come together again

    def __init__(self, group):
        """group: the database servers, a Galera or a Pair."""
        self.group = group
        Server.running[ENGINE] = group.server
        self.template = Template()
        self.databases = group.new_databases()
        self.sites = [Site(self.template, database=database) for database in self.databases]
        self.sites[0].ctl("init")
        self.template.database.copy_to(self.databases[0])
        self.balancer = Balancer(self.template, self.sites)
        self.port = self.balancer.port
        self.faults = [of_one_site(f) for f in KILLS] + [of_group(f) for f in group.faults]

    def servers(self):
        return [*self.sites, self.balancer]

    def start(self):
        for server in self.servers():
            server.start()
        return self

    def stop(self, gracefully=False):
        for server in reversed(self.servers()):
            server.stop(gracefully)

    def ctl(self, *arguments, **more):
        return self.sites[0].ctl(*arguments, **more)

    def query(self, sql, *values):
        return self.sites[0].query(sql, *values)

    def differences(self):
        """Between the rows on the database servers, as texts."""
        first, *others = [dump(copy) for copy in self.group.copies(self.databases[0].name)]
        return ["table %s is not the same on server %d" % (table, number)
                for number, other in enumerate(others, 1) for table in first if first[table] != other[table]]

    def allow(self, pattern):
        for server in self.servers():
            server.allow(pattern)

    def audit(self):
        return [p for server in self.servers() for p in server.audit()]

    def empty_logs(self):
        for server in self.servers():
            server.empty_logs()

    def destroy(self):
        for server in reversed(self.servers()):
            server.destroy()
        self.template.remove()
        del Server.running[ENGINE]


# ---- faults

KILLS = [soak.kill, soak.kill_child, soak.restart_gracefully]


def of_one_site(fault):
    """The fault, of one of the web servers."""
    def strike(cluster, choose):
        fault(choose.choice(cluster.sites), choose)
    strike.__name__ = fault.__name__
    return strike


def of_group(fault):
    def strike(cluster, choose):
        fault(cluster.group, cluster.databases, choose)
    strike.__name__ = fault.__name__
    return strike


# ---- all together

@contextlib.contextmanager
def running():
    """A cluster of the engine, started; nothing is left of it."""
    with contextlib.ExitStack() as undo:
        owns_network = network.is_possible()
        if owns_network:
            undo.enter_context(network.of_our_own())
        group = Galera(owns_network) if ENGINE == "mariadb" else Pair(owns_network)
        undo.callback(group.remove)
        cluster = Cluster(group)
        undo.callback(cluster.destroy)
        yield cluster.start()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=100000)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to stop, it takes its servers with it
    with running() as cluster:
        is_good = soak.soak(cluster, options.seed, options.operations, 50000, tempfile.gettempdir())
        found = cluster.differences()
        soak.say("\n".join(found) or "the rows are the same on all servers")
        return 0 if is_good and not found else 1


if __name__ == "__main__":
    sys.exit(main())
