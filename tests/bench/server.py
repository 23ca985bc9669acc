"""A private httpd for measurements: event MPM, tuned as the README says, on a folder of its own."""
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

SERVICE = '''DBDriver sqlite3
DBDParams "{database}"
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


class Server:
    """One httpd; with a database it has the module, without it only files."""

    precedence = 0  # of the server's session over other work on this machine

    def __init__(self, folder, database=None, secret=None):
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
        text = CONFIG.format(root=self.root, port=self.port, modules="\n".join(lines), processes=PROCESSES,
                             threads=THREADS, workers=PROCESSES * THREADS,
                             user="User %s\nGroup %s" % (RUN_USER, RUN_USER) if is_root() else "")
        text += "TypesConfig /dev/null\n"
        if database:
            text += SERVICE.format(database=database, secret=secret, dbd=recommended())
        text += os.environ.get("QLM_BENCH_CONFIG", "") + "\n"
        (self.root / "httpd.conf").write_text(text)

    def url(self):
        return "http://127.0.0.1:%d/" % self.port

    def start(self):
        program = os.environ.get("QLM_HTTPD") or shutil.which("apache2", path="/usr/sbin:/usr/bin") or "httpd"
        with open(self.root / "console.log", "ab") as output:
            self.process = subprocess.Popen([program, "-f", str(self.root / "httpd.conf"), "-DFOREGROUND"],
                                            stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
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

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return [int(pid) for pid in file.read().split()]

    def cpu(self):
        """CPU seconds of the whole tree so far, ended processes included."""
        total = 0
        for pid in [self.process.pid] + self.children():
            with open("/proc/%d/stat" % pid) as file:
                total += sum(int(field) for field in file.read().rsplit(")", 1)[1].split()[11:15])
        return total / TICK

    def memory(self):
        """{"Pss": KiB, "Rss": KiB} of the largest child, without its mapping of the database file."""
        return max((memory_of(pid, str(self.database)) for pid in self.children()), key=lambda found: found["Pss"])


def memory_of(pid, database):
    found, counts = {"Pss": 0, "Rss": 0}, True
    with open("/proc/%d/smaps" % pid) as file:
        for line in file:
            word = line.split()
            if not word[0].endswith(":"):  # the head of a mapping
                counts = len(word) < 6 or not word[5].startswith(database)
            elif word[0][:-1] in found and counts:
                found[word[0][:-1]] += int(word[1])
    return found


def module_file():
    """mod_qlm.so as built."""
    return os.environ.get("QLM_MODULE") or str(Path(os.environ["QLM_BUILD"]) / "mod_qlm/.libs/mod_qlm.so")
