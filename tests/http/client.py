"""What a shop or an application does: call a method, read the answer, check the signature."""
import base64
import concurrent.futures
import datetime
import http.client
import json
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse

from lxml import etree

from env import PASSWORD, USER

ASMX = "/qlm/qlmservice.asmx"
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
KEY = re.compile(r"^[A-Z][0-9ABCDEFGHJKMNPQRSTVWXYZ]{4}(-[0-9ABCDEFGHJKMNPQRSTVWXYZ]{5}){3}"
                 r"-[0-9ABCDEFGHJKMNPQRSTVWXYZ]{6}$")

PRODUCT = {"is_productid": "1", "is_majorversion": "1", "is_minorversion": "0"}
CREDENTIALS = {"is_user": USER, "is_pwd": PASSWORD}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self._root = None

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def type(self):
        return self.headers.get("content-type", "")

    @property
    def root(self):
        if self._root is None:
            assert self.type.lower() == "text/xml; charset=utf-8", self
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
            self._root = etree.fromstring(self.body, parser)
            assert self._root.tag == "QuickLicenseManager", self
        return self._root

    def field(self, name):
        """Text of a child of the root; None if there is no such child, '' if it is empty. A page has none; an
        object of JSON has its members."""
        if self.type.startswith("text/html"):
            return None
        if self.type == "application/json":
            said = json.loads(self.body)
            said = said.get("QuickLicenseManager", {}) if isinstance(said, dict) else {}
            return str(said[name]) if name in said else None
        found = self.root.findall(name)
        assert len(found) <= 1, "%s comes %d times" % (name, len(found))
        return None if not found else (found[0].text or "")

    @property
    def names(self):
        return [etree.QName(child).localname for child in self.root]

    @property
    def error(self):
        return self.field("error")

    @property
    def code(self):
        return self.field("errorCode")

    @property
    def licenses(self):
        """Dashed keys of an answer of QlmAuthenticationProvider."""
        assert self.status == 200, self
        found = [e.text for e in self.root.findall("licenses/license/activationKey")]
        assert found, self
        return found

    def __repr__(self):
        return "<%d %s %r>" % (self.status, self.type, self.body[:600])


def encode(fields):
    """A dict or list of pairs as a query; raw text stays as it is."""
    if fields is None or isinstance(fields, (str, bytes)):
        return fields
    return urllib.parse.urlencode(fields)


class Connection:
    """One connection, kept alive, for one thread."""

    def __init__(self, site, timeout=60):
        self.site = site
        self.http = http.client.HTTPConnection("127.0.0.1", site.port, timeout=timeout)
        self.is_used = False

    def request(self, verb, target, body=None, headers=None):
        try:
            return self._request(verb, target, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            if not self.is_used:
                raise
            # a server may close a kept connection at any time between two requests: once more on a fresh one
            self.http.close()
            self.is_used = False
            return self._request(verb, target, body, headers)

    def _request(self, verb, target, body, headers):
        self.http.request(verb, target, body=body, headers=headers or {})
        response = self.http.getresponse()
        self.is_used = True
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def call(self, method, query=None, form=None, verb=None, headers=None, path=ASMX):
        target = path + ("/" + method if method else "")
        query = encode(query)
        if query:
            target += "?" + query
        headers = dict(headers or {})
        body = encode(form)
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not any(k.lower() == "content-type" for k in headers):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.request(verb or ("GET" if body is None else "POST"), target, body, headers)

    def close(self):
        self.http.close()


def call(site, method, query=None, form=None, verb=None, headers=None, path=ASMX, timeout=60):
    """One call on a fresh connection."""
    connection = Connection(site, timeout)
    try:
        return connection.call(method, query, form, verb, headers, path)
    finally:
        connection.close()


def raw(site, data, timeout=10, finish=False):
    """Send bytes as they are, read until the server closes. finish: tell it that no more will come."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=timeout) as s:
        s.sendall(data)
        if finish:
            s.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while True:
                piece = s.recv(65536)
                if not piece:
                    return received
                received += piece
        except ConnectionResetError:
            return received


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()}


# ---- the methods, with what they normally need

def order(vendor="QlmAuthenticationProvider", **more):
    """Query of a key creation."""
    fields = {"is_vendor": vendor, **PRODUCT, **CREDENTIALS}
    fields.update(more)
    return {k: v for k, v in fields.items() if v is not None}


def issue_all(site, method="GetActivationKey", form=None, **more):
    """Order through QlmAuthenticationProvider; returns the keys as shown."""
    answer = call(site, method, order(**more), form)
    return answer.licenses


def issue(site, method="GetActivationKey", form=None, **more):
    keys = issue_all(site, method, form, **more)
    assert len(keys) == 1, keys
    return keys[0]


def validate(site, key, computer="PC-1", method="ValidateLicenseHttp", **more):
    query = {"is_avkey": key, "is_pcid": computer, **PRODUCT}
    query.update(more)
    return call(site, method, {k: v for k, v in query.items() if v is not None})


def activate(site, key, computer="PC-1", **more):
    return validate(site, key, computer, method="ActivateKey", is_vendor="QlmAuthenticationProvider", **more)


def report(site, key, **more):
    """The document about a key, without activating it."""
    answer = validate(site, key, "no-computer", is_activate="false", **more)
    assert answer.status == 200 and answer.error is None, answer
    return answer


def normal(key):
    return key.replace("-", "")


# ---- refusals: their form, and the line of the log that must go with them

LOG_ID = {400: "QLM1007", 403: "QLM1003", 413: "QLM1004", 503: "QLM1001", 404: "QLM1005", 405: "QLM1006"}


def one_line(text):
    """A message for people: one line, not empty, without control characters."""
    assert text and text == text.strip() and not re.search(r"[\x00-\x1f\x7f]", text), repr(text)
    return text


def plain_refusal(site, answer, status):
    """A shop that takes plain text is refused: no 2xx and one line that nobody takes for a key. Returns the line."""
    assert answer.status == status, answer
    assert answer.type.lower().startswith("text/plain"), answer
    assert answer.text.startswith("Error: "), answer
    site.expect(r"\b%s\b" % LOG_ID[status])
    return one_line(answer.text.rstrip("\n"))


def xml_refusal(site, answer, code, log_id=None):
    """A caller that takes XML is refused: 200 with text and code. Returns the text."""
    assert answer.status == 200, answer
    assert answer.code == str(code), answer
    site.expect(r"\b%s\b" % (log_id or {3: "QLM1003", 7: "QLM1003", 8: "QLM1003"}.get(code, r"QLM100[78]")))
    return one_line(answer.error)


_orders = iter(range(200000001, 299999999))
_lock = threading.Lock()


def order_number():
    """A number no other order of this run has."""
    with _lock:
        return str(next(_orders))


# ---- days

def today():
    return datetime.datetime.now(datetime.timezone.utc).date()


def on_one_day(function):
    """Run a check that depends on the date; run it again if midnight came in between."""
    before = today()
    try:
        return function(before)
    except AssertionError:
        if today() == before:
            raise
        return function(today())


def day_after(days, start=None):
    return ((start or today()) + datetime.timedelta(days=days)).isoformat()


# ---- signatures

def verify(document, public_pem):
    """Ask the xmlsec1 program whether the document is signed by the key."""
    with tempfile.TemporaryDirectory(prefix="qlm-verify-") as folder:
        with open(folder + "/key.pem", "w") as f:
            f.write(public_pem)
        with open(folder + "/license.xml", "wb") as f:
            f.write(document)
        done = subprocess.run(["xmlsec1", "--verify", *lax_search(), "--pubkey-pem", folder + "/key.pem",
                               folder + "/license.xml"], capture_output=True, text=True, timeout=20)
    return done.returncode == 0 and "OK" in (done.stdout + done.stderr)


_lax = []


def lax_search():
    """xmlsec1 1.3 looks for a named key unless told otherwise; older versions do not know the option."""
    if not _lax:
        text = subprocess.run(["xmlsec1", "--version"], capture_output=True, text=True).stdout
        version = tuple(map(int, re.search(r"(\d+)\.(\d+)", text).groups()))
        _lax.append(["--lax-key-search"] if version >= (1, 3) else [])
    return _lax[0]


# ---- many at once

def storm(jobs, worker, clients):
    """Let `clients` threads work through `jobs`, all starting together; returns the results in the jobs' order.

    worker(connection_box, job): connection_box is a dict of the thread's own, for what it keeps between jobs."""
    boxes = threading.local()
    gate = threading.Barrier(clients)
    opened = []

    def run(job):
        if not hasattr(boxes, "box"):
            boxes.box = {}
            opened.append(boxes.box)
            try:
                gate.wait(5)
            except threading.BrokenBarrierError:
                pass
        return worker(boxes.box, job)

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        results = list(pool.map(run, jobs))
    for box in opened:
        for thing in box.values():
            if isinstance(thing, Connection):
                thing.close()
    return results


def kept(box, site):
    """The thread's own connection to a site."""
    if "connection" not in box:
        box["connection"] = Connection(site)
    return box["connection"]


def until(condition, seconds=10, pause=0.02):
    """Wait until condition() is true; returns its value or fails."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            assert value, "did not come true within %s s" % seconds
            return value
        time.sleep(pause)
