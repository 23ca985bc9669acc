"""A throw-away site: a temporary ServerRoot with a real httpd, the module as built, and a database.

Nothing outside the temporary folder is touched and nothing but the processes started here is stopped. What the tests
need from outside comes by environment:

  QLM_BUILD    the build directory (holds mod_qlm/qlmctl/qlmctl and mod_qlm/.libs/mod_qlm.so); needed
  QLM_MODULE   another mod_qlm.so        QLM_QLMCTL   another qlmctl
  QLM_HTTPD    another httpd program     QLM_HTTPD_MODULES   the folder of its modules
  QLM_DATABASE the engine, see engines.py: sqlite (default), postgresql, mariadb
"""
import contextlib
import errno
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import engines
from engines import ENGINE, Database, Server

RUN_USER = "www-data"
PASSWORD = "Sesam-0pen"  # of every vendor of the template
USER = "shop"

LOG_FORMATS = r'''
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "%h %l %u %t \"%r\" %>s %O" common
LogFormat "%{Referer}i -> %U" referer
LogFormat "%{User-agent}i" agent
CustomLog logs/access.log combined
CustomLog logs/vhost.log vhost_combined
CustomLog logs/common.log common
CustomLog logs/referer.log referer
CustomLog logs/agent.log agent
'''

MPM = {
    "event": """StartServers 2
ServerLimit 16
ThreadLimit 25
ThreadsPerChild 25
MinSpareThreads 25
MaxSpareThreads 100
MaxRequestWorkers 150
""",
    "prefork": """StartServers 12
MinSpareServers 8
MaxSpareServers 60
ServerLimit 100
MaxRequestWorkers 80
""",
}

LINE = re.compile(r"^\[(?P<time>[^\]]+)\] \[(?P<module>[^:\]]*):(?P<level>\w+)\] (?P<rest>.*)$")
OURS = re.compile(r"\bQLM\d{4}\b")
LOUD = ("emerg", "alert", "crit", "error")
CRASH = "exit signal"


def is_root():
    return os.geteuid() == 0


def tool(variable, *parts):
    """A built file: named by its own variable or found below QLM_BUILD."""
    named = os.environ.get(variable)
    if named:
        return named
    build = os.environ.get("QLM_BUILD")
    if not build:
        raise RuntimeError("set QLM_BUILD to the build directory (or %s to the file)" % variable)
    path = Path(build).joinpath(*parts)
    if not path.exists():
        raise RuntimeError("%s is not built" % path)
    return str(path.resolve())


def httpd_program():
    named = os.environ.get("QLM_HTTPD")
    for name in [named] if named else ["apache2", "httpd"]:
        path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if path:
            return path
    raise RuntimeError("no httpd program found; set QLM_HTTPD")


def httpd_modules():
    return os.environ.get("QLM_HTTPD_MODULES", "/usr/lib/apache2/modules")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def give_to_server(*paths):
    """Let the run-time user own these; as an ordinary user we are that user already."""
    if is_root():
        entry = pwd.getpwnam(RUN_USER)
        for path in paths:
            os.chown(path, entry.pw_uid, entry.pw_gid)


def qlmctl(database, secret, *arguments, stdin="", check=True):
    """Run the command line tool; returns the finished process (text mode)."""
    done = subprocess.run(
        [tool("QLM_QLMCTL", "mod_qlm", "qlmctl", "qlmctl"), "--database", str(database), "--secret", str(secret),
         *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60)
    if check and done.returncode != 0:
        raise RuntimeError("qlmctl %s: exit %d\n%s%s" % (" ".join(map(str, arguments)), done.returncode,
                                                         done.stdout, done.stderr))
    return done


class LogLine:
    """One line of the error log."""

    def __init__(self, text):
        self.text = text
        match = LINE.match(text)
        self.module = match.group("module") if match else ""
        self.level = match.group("level") if match else ""
        ids = OURS.findall(text)
        self.id = ids[0] if ids else ""

    def is_alarming(self):
        if CRASH in self.text:
            return True
        if self.id:
            return self.level in LOUD + ("warn", "warning")
        return self.level in LOUD

    def __repr__(self):
        return self.text


class Template:
    """Secret, database, two products and three vendors, made once; every site starts as a copy."""

    PRODUCTS = {(1, "1.0"): ("Demo", "rsa-sha256"), (2, "2.0"): ("Demo Pro", "rsa-sha1")}
    VENDORS = ("cleverbridge", "shareit", "QlmAuthenticationProvider")

    # methods that are off until somebody wants them
    SWITCHES = ("enableGetActivationKey", "enableUpgradeLicense", "enableRetrieveActivationKeyHttp",
                "enableRevokeLicense", "enableGetRecentOrders", "enableRegisterLicense")

    def __init__(self):
        self.root = Path(tempfile.mkdtemp(prefix="qlm-template-", dir="/tmp"))
        self.database = self.root / "data" / "qlm.db" if ENGINE == "sqlite" else Server.of(ENGINE).new_database()
        self.secret = self.root / "secret"
        self.public_keys = {}
        self.root.chmod(0o755)
        (self.root / "data").mkdir()
        try:
            self._fill()
        except BaseException:
            self.remove()
            raise

    def _fill(self):
        self._run("init", *(["--user", RUN_USER] if is_root() and ENGINE == "sqlite" else []))
        for (number, version), (name, algorithm) in self.PRODUCTS.items():
            self._run("product", "add", "--id", number, "--version", version, "--name", name,
                      "--algorithm", algorithm, "--released", "2020-01-01")
        # a newer release of product 1, for version and maintenance rules
        self._run("product", "add", "--id", 1, "--version", "2.0", "--name", "Demo", "--released", "2024-06-01")
        self._run("product", "add", "--id", 1, "--version", "3.0", "--name", "Demo", "--released", "2999-01-01")
        for number, version in list(self.PRODUCTS) + [(1, "2.0")]:
            self.public_keys[(number, version)] = self._run(
                "product", "keys", "--id", number, "--version", version).stdout
        for vendor in self.VENDORS:
            self._run("vendor", "set", vendor, "enabled=true", "user=" + USER, "password=-",
                      stdin=PASSWORD + "\n")
        for switch in self.SWITCHES:
            self._run("property", "set", switch, "true")
        # requests are not signed, but in the tests of that
        self._run("property", "set", "strictAuthenticationHttpMethods", "none")
        # all tests call from one address
        for limit in ("maxInstallsPerAddressPerDay", "maxRegistrationsPerAddressPerDay"):
            self._run("property", "set", limit, "-1")

    def _run(self, *arguments, stdin=""):
        return qlmctl(self.database, self.secret, *arguments, stdin=stdin)

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Site:
    """A ServerRoot and its server. All sites that exist are in Site.alive, for the audit of their logs."""

    alive = []

    def __init__(self, template, mpm="event", location="", server="", database=None):
        """location: lines for the <Location>; server: lines at server level; database: another path for it, or that
        of another site, on a server."""
        self.template = template
        self.mpm = mpm
        self.root = Path(tempfile.mkdtemp(prefix="qlm-site-", dir="/tmp"))
        self.root.chmod(0o755)
        self.port = free_port()
        self.process = None
        self.secret = self.root / "secret"
        self.database = database
        self.expected, self.allowed = [], []
        self._audited = 0
        self._location, self._server = location, server
        self.environment = {}  # more of it for httpd
        for folder in ("data", "logs", "run", "htdocs"):
            (self.root / folder).mkdir()
            (self.root / folder).chmod(0o755)
        (self.root / "htdocs" / "index.html").write_text("<p>static</p>\n")
        shutil.copy(template.secret, self.secret)
        self.secret.chmod(0o600)
        self.make_database(template)
        self.write_config()
        Site.alive.append(self)

    def make_database(self, template):
        self.owns_database = not isinstance(self.database, Database)
        if not self.owns_database:
            return
        if ENGINE != "sqlite":
            self.database = Server.of(ENGINE).new_database()
            self.ctl("init")
            template.database.copy_to(self.database)
            return
        self.database = Path(self.database) if self.database else self.root / "data" / "qlm.db"
        shutil.copy(template.database, self.database)
        self.database.chmod(0o644)
        give_to_server(self.root / "data", self.database.parent, self.database)

    # ---- configuration

    def modules(self):
        names = ["mpm_" + self.mpm, "authz_core", "authz_host", "authn_core", "dbd", "socache_shmcb", "status", "dir",
                 "headers"]
        lines = ["LoadModule %s_module %s/mod_%s.so" % (n, httpd_modules(), n) for n in names]
        lines.append("LoadModule qlm_module " + tool("QLM_MODULE", "mod_qlm", ".libs", "mod_qlm.so"))
        return "\n".join(lines)

    def write_config(self):
        user = "User %s\nGroup %s\n" % (RUN_USER, RUN_USER) if is_root() else ""
        (self.root / "httpd.conf").write_text(f'''ServerRoot "{self.root}"
{self.modules()}
ServerName localhost
Listen 127.0.0.1:{self.port}
{user}PidFile run/httpd.pid
DefaultRuntimeDir run
DocumentRoot htdocs
Timeout 30
KeepAlive On
MaxKeepAliveRequests 0
GracefulShutdownTimeout 20
{MPM[self.mpm]}
ErrorLog logs/error.log
LogLevel info
{LOG_FORMATS}
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
DBDriver {getattr(self.database, "driver", "sqlite3")}
DBDParams "{self.database_params()}"
DBDMin 1
DBDKeep 64
DBDMax 64
QlmSecretFile "{self.secret}"
<Location "/qlm">
    QlmService on
    Require local
{self._location}
</Location>
{self._server}
''')

    def database_params(self):
        """Of a server's database: as a user who may change rows, but no tables."""
        if isinstance(self.database, Database):
            return self.database.httpd_params or self.database.params
        return self.database

    # ---- the server's life

    def configtest(self):
        return subprocess.run([httpd_program(), "-t", "-f", str(self.root / "httpd.conf")], capture_output=True,
                              text=True, timeout=30, env={**os.environ, **self.environment})

    def start(self):
        assert self.process is None, "already started"
        output = open(self.root / "logs" / "console.log", "ab")
        self.process = subprocess.Popen([httpd_program(), "-f", str(self.root / "httpd.conf"), "-DFOREGROUND"],
                                        stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                        start_new_session=True, env={**os.environ, **self.environment})
        output.close()
        self._await_answer()
        return self

    def _await_answer(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                code, self.process = self.process.returncode, None
                raise RuntimeError("httpd ended with %d\n%s\n%s" % (code, self.read_log("console.log"),
                                                                     self.read_log("error.log")))
            with contextlib.suppress(OSError):
                # the port listens before the children are there: only an answer means that they are
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                    s.sendall(b"GET /index.html HTTP/1.0\r\n\r\n")
                    if s.recv(100).startswith(b"HTTP/1."):
                        return
            time.sleep(0.01)
        raise RuntimeError("httpd does not answer\n" + self.read_log("error.log"))

    def graceful(self):
        self.process.send_signal(signal.SIGUSR1)

    def stop(self, gracefully=False):
        """Stop in order. (At a hard stop right after a request mpm_event itself may crash: hence the pause.)"""
        if self.process:
            if not gracefully:
                time.sleep(0.1)
            self.process.send_signal(signal.SIGWINCH if gracefully else signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise RuntimeError("httpd did not stop\n" + self.read_log("error.log"))
            self.process = None

    def kill(self):
        """kill -9 the whole tree of this server at once (its own session and process group)."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self._await_group_end(self.process.pid)
            self.process = None

    @staticmethod
    def _await_group_end(group):
        for _ in range(1000):
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return
            except PermissionError:
                pass
            if not group_members(group):
                return
            time.sleep(0.005)
        raise RuntimeError("processes of group %d survive kill -9" % group)

    def restart(self):
        self.stop()
        self.start()

    def processes(self):
        """Process ids of the server: parent first."""
        return [self.process.pid] + [p for p in group_members(self.process.pid) if p != self.process.pid]

    def destroy(self):
        self.kill()
        Site.alive.remove(self)
        shutil.rmtree(self.root, ignore_errors=True)
        if self.owns_database and isinstance(self.database, Database):
            self.database.remove()

    # ---- data

    def ctl(self, *arguments, stdin="", check=True):
        return qlmctl(self.database, self.secret, *arguments, stdin=stdin, check=check)

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments).stdout)

    @contextlib.contextmanager
    def properties(self, **values):
        """Set server properties for the length of a block."""
        before = {r["name_key"]: r for r in self.query("SELECT * FROM qlm_property")}
        for name, value in values.items():
            self.ctl("property", "set", name, value)
        try:
            yield
        finally:
            for name in map(str.lower, values):
                if name in before:
                    self.ctl("property", "set", name, before[name]["value"])
                else:  # back to the default, which is something else than a value
                    self.change("DELETE FROM qlm_property WHERE name_key = ?", name)
                    self.change("UPDATE qlm_site SET revision = revision + 1")

    @contextlib.contextmanager
    def vendor(self, name, *fields, stdin=""):
        """Change a vendor's record for the length of a block."""
        self.ctl("vendor", "set", name, *fields, stdin=stdin)
        try:
            yield
        finally:
            self.ctl("vendor", "set", name, "enabled=true", "open=false", "user=" + USER, "password=-",
                     stdin=PASSWORD + "\n")

    def open_database(self, write=False):
        """Something with execute(sql with ?, values)."""
        return engines.open_database(self.database, write)

    def query(self, sql, *values):
        return engines.query(self.database, sql, *values)

    def change(self, sql, *values):
        return engines.change(self.database, sql, *values)

    def dump(self):
        """Every row of every table, to see whether anything was changed."""
        return engines.dump(self.database)

    def damages(self):
        """What the engine itself finds wrong with the database."""
        return engines.damages(self.database)

    @contextlib.contextmanager
    def unchanged(self):
        """The block must leave the database as it is."""
        with engines.watched(self.database) as look:
            yield
            before, after = look() or ({}, {})
        assert before.keys() == after.keys()
        for table in before:
            assert before[table] == after[table], "table %s was changed" % table

    # ---- logs

    def read_log(self, name):
        with contextlib.suppress(FileNotFoundError):
            return (self.root / "logs" / name).read_bytes().decode("utf-8", "replace")
        return ""

    def error_lines(self, since=0):
        data = b""
        with contextlib.suppress(FileNotFoundError):
            data = (self.root / "logs" / "error.log").read_bytes()[since:]
        return [LogLine(t) for t in data.decode("utf-8", "replace").splitlines() if t]

    def mark(self):
        """A place in the error log, for lines_since."""
        try:
            return (self.root / "logs" / "error.log").stat().st_size
        except FileNotFoundError:
            return 0

    def lines_since(self, mark, pattern, seconds=3):
        """Our lines after the mark that match; waits a little for them, because httpd may answer before it logs."""
        end = time.monotonic() + seconds
        while True:
            found = [l for l in self.error_lines(mark) if l.id and re.search(pattern, l.text)]
            if found or time.monotonic() > end:
                return found
            time.sleep(0.01)

    def everything_written(self):
        """All bytes the server wrote into its folder of logs."""
        return b"".join(p.read_bytes() for p in sorted((self.root / "logs").iterdir()))

    def expect(self, pattern):
        """Declare that this test makes the server log an alarming line that matches (it must come)."""
        self.expected.append(pattern)

    def allow(self, pattern):
        """Declare that such a line may come."""
        self.allowed.append(pattern)

    def audit(self):
        """Alarming lines since the last audit that no test declared, and declarations that did not come true."""
        end = time.monotonic() + 2
        while True:  # an answer may arrive before its log line
            lines = self.error_lines(self._audited)
            absent = [p for p in self.expected if not any(re.search(p, l.text) for l in lines)]
            if not absent or time.monotonic() > end:
                break
            time.sleep(0.02)
        self._audited = self.mark()
        alarming = [l for l in lines if l.is_alarming()]
        known = self.expected + self.allowed
        undeclared = [l.text for l in alarming if not any(re.search(p, l.text) for p in known)]
        self.expected, self.allowed = [], []
        return (["undeclared line in the error log: " + t for t in undeclared] +
                ["expected line did not come: " + p for p in absent])

    def empty_logs(self):
        """Make room, where the server is stopped and its log has been audited."""
        assert self.process is None
        for path in (self.root / "logs").iterdir():
            os.truncate(path, 0)
        self._audited = 0


def group_members(group):
    """Living processes of a process group."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError as trouble:
                if trouble.errno in (errno.ENOENT, errno.ESRCH):
                    continue
                raise
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry))
    return sorted(found)
