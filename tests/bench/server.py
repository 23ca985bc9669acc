"""A private httpd for measurements: event MPM, tuned as the README says, on a folder of its own."""
import contextlib
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

RUN_USER = "www-data"
TICK = os.sysconf("SC_CLK_TCK")
STATIC_BYTES = 2560
PROCESSES, THREADS = [int(n) for n in os.environ.get("QLM_BENCH_MPM", "6x25").split("x")]
README = Path(__file__).resolve().parents[2] / "README.md"


def is_root():
    return os.geteuid() == 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def own(*paths):
    """Let the run-time user own these; an ordinary user runs the server as itself."""
    if is_root():
        entry = pwd.getpwnam(RUN_USER)
        for path in paths:
            os.chown(path, entry.pw_uid, entry.pw_gid)


CONFIG = '''ServerRoot "{root}"
{modules}
ServerName localhost
Listen 127.0.0.1:{port}
{user}
PidFile httpd.pid
DefaultRuntimeDir "{root}"
DocumentRoot "{root}"
ErrorLog error.log
LogLevel warn
Timeout 60
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
StartServers {processes}
ServerLimit {processes}
ThreadLimit 64
ThreadsPerChild {threads}
MinSpareThreads 1
MaxSpareThreads {workers}
MaxRequestWorkers {workers}
MaxConnectionsPerChild 0
'''

SERVICE = '''DBDriver {driver}
DBDParams "{params}"
{dbd}
QlmSecretFile "{secret}"
<Location "/qlm">
    QlmService on
    Require local
</Location>
'''


def recommended():
    """How many connections mod_dbd keeps, as the README has it."""
    lines = re.findall(r"^ *(DBD(?:Min|Keep|Max) \d+)$", README.read_text(), re.M)
    if not lines:
        raise RuntimeError("%s says nothing of DBDKeep and DBDMax" % README)
    return "\n".join(lines)


def set_autogroup(pid, nice):
    """The scheduler gives each session its share of the CPU; a lower number asks for more of it (root only)."""
    Path("/proc/%s/autogroup" % pid).write_text(str(nice))


def cpu_of_tree(pid):
    """CPU seconds of a process and its children so far, ended ones included."""
    total = 0
    for one in [pid] + children_of(pid):
        with contextlib.suppress(FileNotFoundError), open("/proc/%d/stat" % one) as file:
            total += sum(int(field) for field in file.read().rsplit(")", 1)[1].split()[11:15])
    return total / TICK


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(child) for child in file.read().split()]


class Server:
    """One httpd; with a database it has the module, without it only files. database: a path, or what tests/http/engines.py
    calls a Database. config: more lines of configuration; environment: more of that for the server."""

    precedence = 0  # of the server's session over other work on this machine

    def __init__(self, folder, database=None, secret=None, config="", environment=None, processes=PROCESSES, threads=THREADS):
        self.processes, self.threads = processes, threads
        self.config, self.environment = config, environment or {}
        self.root = Path(tempfile.mkdtemp(prefix="site-", dir=folder))
        self.root.chmod(0o755)
        self.port = free_port()
        self.database = database
        page = "<html><body>" + "static " * STATIC_BYTES
        (self.root / "static.html").write_text(page[:STATIC_BYTES - 15] + "</body></html>\n")
        self._write_config(database, secret)
        self.process = None

    def _write_config(self, database, secret):
        folder = os.environ.get("QLM_HTTPD_MODULES", "/usr/lib/apache2/modules")
        names = ["mpm_event", "authz_core", "authz_host", "mime"] + (["dbd", "socache_shmcb"] if database else [])
        lines = ["LoadModule %s_module %s/mod_%s.so" % (n, folder, n) for n in names]
        if database:
            lines.append("LoadModule qlm_module " + module_file())
        text = CONFIG.format(root=self.root, port=self.port, modules="\n".join(lines),
                             processes=self.processes, threads=self.threads, workers=self.processes * self.threads,
                             user="User %s\nGroup %s" % (RUN_USER, RUN_USER) if is_root() else "")
        text += "TypesConfig /dev/null\n"
        if database:
            text += SERVICE.format(driver=getattr(database, "driver", "sqlite3"), secret=secret, dbd=recommended(),
                                   params=getattr(database, "params", database))
        text += self.config + os.environ.get("QLM_BENCH_CONFIG", "") + "\n"
        (self.root / "httpd.conf").write_text(text)

    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def start(self):
        program = os.environ.get("QLM_HTTPD") or shutil.which("apache2", path="/usr/sbin:/usr/bin") or "httpd"
        with open(self.root / "console.log", "ab") as output:
            self.process = subprocess.Popen([program, "-f", str(self.root / "httpd.conf"), "-DFOREGROUND"],
                                            stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **self.environment}, start_new_session=True)
        if self.precedence:
            set_autogroup(self.process.pid, -self.precedence)
        for _ in range(500):
            if self.process.poll() is not None:
                raise RuntimeError("httpd ended:\n" + (self.root / "console.log").read_text() + self.log())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("httpd does not answer:\n" + self.log())

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def log(self):
        path = self.root / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def cpu(self):
        return cpu_of_tree(self.process.pid)

    def database_cpu(self):
        """The same of the database server, if there is one."""
        return cpu_of_tree(self.database.server.pid()) if hasattr(self.database, "server") else 0

    def memory(self):
        """[{"Pss": KiB, "Rss": KiB, "Anonymous": KiB}] of the children, without their mappings of the database file."""
        return [memory_of(pid, str(self.database)) for pid in children_of(self.process.pid)]


def memory_of(pid, database):
    found, counts = {"Pss": 0, "Rss": 0, "Anonymous": 0}, True
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            word = line.split()
            if not word[0].endswith(":"):  # the head of a mapping
                counts = len(word) < 6 or not word[5].startswith(database)
            elif word[0][:-1] in found and counts:
                found[word[0][:-1]] += int(word[1])
    return found


def built(name):
    """A program of this folder, or another file of it."""
    return os.environ.get("QLM_BENCH_" + Path(name).stem.upper()) or \
        str(Path(os.environ["QLM_BUILD"]) / "tests/bench" / name)


def output_of(*command, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode != 0:
        raise RuntimeError("%s: exit %d\n%s%s" % (command[0], done.returncode, done.stdout, done.stderr))
    return done.stdout


def module_file():
    """mod_qlm.so as built."""
    return os.environ.get("QLM_MODULE") or str(Path(os.environ["QLM_BUILD"]) / "mod_qlm/.libs/mod_qlm.so")
