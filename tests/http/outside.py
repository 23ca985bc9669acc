"""The world outside of the server under test: a mail server, receivers of webhooks; and the outbox that leads there."""
import contextlib
import email
import email.header
import email.policy
import email.utils
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from client import KEY, until
from env import Site

SIMULATORS = Path(__file__).parent.parent / "simulators"
PYTHON = os.environ.get("PYTHON") or "/usr/bin/python3"
MAIL_USER, MAIL_PASSWORD = "postman", "Br1ef-geheimnis"
SENDER = "licenses@publisher.example"
TEMPLATE = "1. New Order"  # one that is there without being stored


class Mail:
    """A mail as the receiving server got it, read by Python's own library."""

    def __init__(self, line):
        seen = json.loads(line)
        self.sender, self.recipients = seen["from"], seen["to"]
        self.tls, self.user, self.time = seen["tls"], seen["user"], seen["time"]
        self.raw = seen["message"].encode("utf-8", "surrogateescape")
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.defects = [repr(d) for part in self.message.walk() for d in part.defects]
        self.defects += [repr(d) for value in self.message.values() for d in getattr(value, "defects", ())]

    def header(self, name):
        found = self.message.get_all(name, [])
        assert len(found) == 1, "%d headers %s" % (len(found), name)
        return str(found[0])

    def mailboxes(self, name):
        """[(display name, address)], decoded by the older interface: the newer one keeps the blank between two words."""
        values = [str(v) for v in email.message_from_bytes(self.raw).get_all(name, [])]
        pairs = email.utils.getaddresses(["".join(v.splitlines()) for v in values])
        return [(str(email.header.make_header(email.header.decode_header(who))), address) for who, address in pairs]

    @property
    def id(self):
        return self.header("Message-ID")

    @property
    def subject(self):
        return self.header("Subject")

    def part(self, kind):
        found = [p for p in self.message.walk() if p.get_content_type() == kind]
        assert len(found) == 1, (kind, [p.get_content_type() for p in self.message.walk()])
        return found[0].get_content().replace("\r\n", "\n")

    @property
    def text(self):
        return self.part("text/plain")

    @property
    def html(self):
        return self.part("text/html")

    @property
    def keys(self):
        """What looks like a key, in the text."""
        return [word for word in self.text.split() if KEY.match(word)]


class MailServer:
    """The SMTP simulator as a process of its own."""

    def __init__(self, *arguments):
        self.folder = Path(tempfile.mkdtemp(prefix="qlm-mail-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.out, self.mode_file = self.folder / "mails", self.folder / "mode"
        self.out.touch()
        self.arguments, self.port, self.process = arguments, 0, None
        self._read, self._size = [], 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PYTHON, str(SIMULATORS / "smtpserver.py"), "--out", str(self.out), "--mode-file", str(self.mode_file),
             "--folder", str(self.folder), "--port", str(self.port), "--until-eof", *self.arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = dict(line.strip().partition(" ")[::2] for line in iter(self.process.stdout.readline, "ready\n") if line)
        self.port, self.certificate = int(said["port"]), said["certificate"]
        if self.certificate:
            os.chmod(self.certificate, 0o644)

    def stop(self):
        """Nobody listens any more."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def set(self, mode):
        fresh = self.folder / "mode.new"
        fresh.write_text(mode)
        fresh.rename(self.mode_file)

    @contextlib.contextmanager
    def mode(self, mode):
        self.set(mode)
        try:
            yield
        finally:
            self.set("accept")

    def mark(self):
        return len(self.mails())

    def mails(self, since=0):
        """All that came; each is read once."""
        with open(self.out, "rb") as file:
            file.seek(self._size)
            fresh = file.read()
        fresh = fresh[:fresh.rfind(b"\n") + 1]
        self._size += len(fresh)
        self._read += [Mail(line) for line in fresh.splitlines()]
        return self._read[since:]

    def to(self, address, since=0):
        """Mails that were sent to an address."""
        return [mail for mail in self.mails(since) if address in mail.recipients]

    def wait_for(self, address, count=1, seconds=8):
        until(lambda: len(self.to(address)) >= count, seconds)
        return self.to(address)


class HookReceiver:
    """An HTTP server that keeps what is posted to it. Answers `status` (or that of `statuses`, first to last)."""

    def __init__(self):
        self.received, self.statuses, self.status, self.delay = [], [], 200, 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _handler(receiver):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                receiver.received.append(Hook(self.path, self.headers, body))
                status = receiver.statuses.pop(0) if receiver.statuses else receiver.status
                time.sleep(receiver.delay)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    if status // 100 == 3:
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")

            def do_GET(self):
                receiver.received.append(Hook("GET " + self.path, self.headers, b""))
                self.send_error(405)

            def log_message(self, *_):
                pass

        return Handler

    def url(self, path="/hook"):
        return "http://127.0.0.1:%d%s" % (self._server.server_address[1], path)

    def about(self, key):
        """What came about a license, in order."""
        return [h for h in self.received if h.key == key.replace("-", "")]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Hook:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = {}
        self.event = self.json.get("Event")
        self.info = self.json.get("LicenseInfo") or {}
        self.key = self.info.get("ActivationKey")

    def is_signed_with(self, secret):
        return self.headers.get("X-QLM-Signature") == hashlib.sha256(self.body + secret.encode()).hexdigest()


# ---- sites that send

def use_mail(site, server, **more):
    """Tell a site of its mail server."""
    settings = {"smtpServer": "127.0.0.1", "smtpPort": server.port, "smtpFrom": SENDER,
                "smtpEnableSSL": "true" if server.certificate else "false", **more}
    if "--user" in server.arguments:
        settings["smtpUser"] = MAIL_USER
        site.ctl("property", "set", "smtpPassword", "-", stdin=MAIL_PASSWORD + "\n")
    for name, value in settings.items():
        site.ctl("property", "set", name, value)


def secure_mail_server():
    return MailServer("--starttls", "--user", MAIL_USER, "--password", MAIL_PASSWORD)


def trust(server):
    """Server lines that make the mail server's certificate known."""
    return 'QlmOutboundCAFile "%s"' % server.certificate


@contextlib.contextmanager
def mailing_site(template, server, **more):
    """A running site of a module's own that can send mails; its log is audited at the end."""
    site = Site(template, server=trust(server))
    try:
        use_mail(site, server, **more)
        site.start()
        yield site
        site.stop(gracefully=True)
        problems = site.audit()
    finally:
        site.destroy()
    assert not problems, "\n".join(problems)


def start_again(site):
    """Start a killed server whose clients go on calling: one of them may have taken its port meanwhile, by connecting
    to itself, and gives it back soon."""
    site.allow(r"AH00072|AH00015")  # could not bind, no listening sockets
    for attempt in range(20):
        size = len(site.read_log("console.log"))
        try:
            return site.start()
        except RuntimeError:
            if "could not bind" not in site.read_log("console.log")[size:] or attempt == 19:
                raise
            time.sleep(0.2)


# ---- the outbox

def rows(site, number=None, kind="mail"):
    """Rows of the outbox: mails of an order, or all of a kind."""
    if number is None:
        return site.query("SELECT * FROM qlm_outbox WHERE kind = ? ORDER BY id", kind)
    return site.query("SELECT * FROM qlm_outbox WHERE kind = ? AND subject LIKE ? ORDER BY id", kind, "%/" + number)


def row(site, number):
    """The one mail of an order."""
    found = rows(site, number)
    assert len(found) == 1, found
    return found[0]


def settled(site, number, state, attempts=None, seconds=8):
    """Wait until the mail of an order is in a state, after a number of tries."""
    def look():
        seen = row(site, number)
        return seen if seen["state"] == state and attempts in (None, seen["attempts"]) else None
    try:
        return until(look, seconds, 0.05)
    except AssertionError:
        raise AssertionError("%s is not %s after %s tries" % (row(site, number), state, attempts))


def let_time_pass(site, seconds):
    """As if everything in the outbox had happened so much earlier."""
    site.change("UPDATE qlm_outbox SET created_at = created_at - ?, next_at = next_at - ?, "
                "finished_at = CASE WHEN finished_at > 0 THEN finished_at - ? ELSE 0 END", seconds, seconds, seconds)


def make_due(site):
    """All that waits is to be tried again now."""
    site.change("UPDATE qlm_outbox SET next_at = 0 WHERE state = 'waiting'")


def set_template(site, name, subject, html, text="", language=""):
    site.change("DELETE FROM qlm_template WHERE name_key = ? AND language = ?", name.lower(), language)
    site.change("INSERT INTO qlm_template (name_key, language, name, subject, html, plain) VALUES (?, ?, ?, ?, ?, ?)",
                name.lower(), language, name, subject, html, text)


# ---- secrets

def written(site):
    """All bytes below the site's folder, by file, but the secret itself."""
    return {path: path.read_bytes() for path in sorted(site.root.rglob("*"))
            if path.is_file() and path != site.secret}


def holds_no_secret(site, *secrets):
    for path, data in written(site).items():
        for secret in secrets:
            assert secret.encode() not in data, "%s holds the secret %s" % (path, secret)
