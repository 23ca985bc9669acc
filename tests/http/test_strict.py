"""Strict authentication: requests signed with the vendor's API key, as a client of the real server signs them."""
import contextlib
import datetime
import hashlib
import hmac
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from client import ASMX, Connection, encode, order, plain_refusal, raw, xml_refusal
from env import RUN_USER, Site, free_port, httpd_modules, httpd_program, is_root

API_KEY = "k3y-of-the-API"
METHOD = "GetActivationKey"


@pytest.fixture(scope="module")
def signed(template):
    """A site of this file's own: its vendors have an API key, METHOD must be signed."""
    site = Site(template, location="QlmPublicBase https://licenses.example.com",
                server='<Location "/qlm/public">\nQlmService on\nQlmPublicBase https://www.example.com/licensing/\n'
                       '</Location>\n<Location "/qlm/bare">\nQlmService on\nQlmPublicBase https://www.example.com/\n'
                       '</Location>')
    site.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin=API_KEY + "\n")
    site.ctl("property", "set", "strictAuthenticationHttpMethods", "RetrieveActivationKeyHttp;" + METHOD)
    try:
        yield site.start()
    finally:
        site.destroy()


def stamp(seconds=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def mac(text, key=API_KEY):
    return hmac.new(key.encode("ascii"), text.encode("utf-8"), hashlib.sha256).hexdigest()


def sign(url, key=API_KEY, at=0, more=()):
    """The headers of version 2."""
    when = stamp(at)
    text = url + "&X-Qlm-Timestamp:" + when + "&X-Qlm-Authentication-Version:2"
    text += "".join("&%s:%s" % pair for pair in more)
    return {"X-Qlm-Timestamp": when, "X-Qlm-Authentication-Version": "2", "X-Qlm-Authentication-Token": mac(text, key),
            **dict(more)}


def target(method=METHOD, path=ASMX, **more):
    return "%s/%s?%s" % (path, method, encode(order(**more)))


def own_url(site, path_and_query):
    return "http://127.0.0.1:%d%s" % (site.port, path_and_query)


def get(site, path_and_query, headers, verb="GET", body=None):
    connection = Connection(site)
    try:
        return connection.request(verb, path_and_query, body, headers)
    finally:
        connection.close()


def refused(site, answer, code=8):
    return xml_refusal(site, answer, code, "QLM1003")


# ---- as the client sees the server

def test_a_signed_request_is_served(signed):
    what = target()
    assert get(signed, what, sign(own_url(signed, what))).licenses
    more = (("X-Qlm-Client", "shop 7"), ("X-Qlm-Nonce", "1a"))
    assert get(signed, what, sign(own_url(signed, what), more=more)).licenses


@pytest.mark.parametrize("names", [("X-Qlm-Timestamp", "X-Qlm-Authentication-Version", "X-Qlm-Authentication"),
                                   ("Qlm-Timestamp", "Qlm-Authentication-Version", "Qlm-Authentication-Token")])
def test_other_spellings_of_the_headers(signed, names):
    what = target()
    headers = sign(own_url(signed, what))
    assert get(signed, what, dict(zip(names, headers.values()))).licenses


def test_what_is_not_signed_is_refused(signed):
    what = target()
    good = sign(own_url(signed, what))
    with signed.unchanged():
        texts = {refused(signed, get(signed, what, headers)) for headers in (
            {}, sign(own_url(signed, what), "another-key"), sign(own_url(signed, what), ""),
            {**good, "X-Qlm-Authentication-Token": ""}, {**good, "X-Qlm-Added": "1"},
            {**good, "X-Qlm-Authentication-Version": "1"}, {**good, "X-Qlm-Timestamp": stamp(5)},
            {k: v for k, v in good.items() if k != "X-Qlm-Timestamp"},
            sign("https://127.0.0.1:%d%s" % (signed.port, what)), sign(own_url(signed, what + "&")))}
        texts.add(refused(signed, get(signed, target(is_pwd="wrong"), good)))
        texts.add(refused(signed, get(signed, target(is_quantity="100"), good)))
        wrong = target(is_pwd="wrong")
        texts.add(refused(signed, get(signed, wrong, sign(own_url(signed, wrong)))))
    assert len(texts) == 1  # which half was wrong is not told
    assert "signed" in texts.pop()


def test_a_shop_is_refused_in_its_own_form(signed):
    """Cleverbridge has no API key here: closed, signed or not."""
    what = target(vendor="cleverbridge")
    with signed.unchanged():
        plain_refusal(signed, get(signed, what, sign(own_url(signed, what), "")), 403)


def test_the_time_stamp(signed):
    what = target()
    for at in (-590, 590):
        assert get(signed, what, sign(own_url(signed, what), at=at)).licenses
    with signed.unchanged():
        for at in (-620, 620, -86400 * 365):
            assert "clock" in refused(signed, get(signed, what, sign(own_url(signed, what), at=at)), 2)
    with signed.properties(strictAuthenticationTimestampTolerance="30"):
        with signed.unchanged():
            refused(signed, get(signed, what, sign(own_url(signed, what), at=-40)), 2)
        assert get(signed, what, sign(own_url(signed, what), at=-20)).licenses


def test_a_replay_within_the_tolerance_is_served(signed):
    """The protocol has no nonce; an order number makes the repeat harmless."""
    what = target(orderNumber="strict-1")
    headers = sign(own_url(signed, what))
    first = get(signed, what, headers)
    assert first.licenses and get(signed, what, headers).body == first.body


def test_version_1_only_if_it_is_allowed(signed):
    what = target()
    headers = {"Qlm-Timestamp": stamp(), "Qlm-Authentication-Token": mac(own_url(signed, what))}
    with signed.unchanged():
        refused(signed, get(signed, what, headers))
        refused(signed, get(signed, what, {**headers, "Qlm-Authentication-Version": "1"}))
    with signed.properties(strictAuthenticationMinimumVersion="1"):
        assert get(signed, what, headers).licenses
        assert get(signed, what, {**headers, "Qlm-Authentication-Version": "1"}).licenses
        assert get(signed, what, sign(own_url(signed, what))).licenses


@pytest.mark.parametrize("path", ["/qlm/QLMSERVICE.asmx", "/qlm//qlmservice.asmx", "/qlm/x/qlmservice%2easmx",
                                  "/qlm/./qlmservice.asmx"])
@pytest.mark.parametrize("query", ["?&%s", "?%s&a=%%7e%%7E+;|{x}", "?%s&x=?y=/../z", "?%s&is%%5Fpwd=", "?is_pwd=&%s"])
def test_the_url_counts_byte_for_byte(signed, path, query):
    """Neither masking nor the canonical spelling of the URL changes what was signed."""
    signed.allow("AH")
    what = path + "/getACTIVATIONkey" + query % encode(order())
    url = own_url(signed, what)
    lines = "".join("%s: %s\r\n" % pair for pair in sign(url).items())
    data = raw(signed, ("GET %s HTTP/1.0\r\nHost: 127.0.0.1:%d\r\n%s\r\n" % (what, signed.port, lines)).encode())
    if b"400 Bad Request" in data.split(b"\r\n")[0]:
        pytest.fail("httpd refused the request itself: %s" % what)
    assert b"<activationKey>" in data, data
    assert b"is_pwd=" in what.encode() or "%5Fpwd" in what


def test_absolute_form_and_host_in_capitals(signed):
    what = target()
    url = "http://LICENSES.example.com" + what
    lines = "".join("%s: %s\r\n" % pair for pair in sign(url).items())
    for line in (url, what):
        data = raw(signed, ("GET %s HTTP/1.0\r\nHost: LICENSES.example.com\r\n%s\r\n" % (line, lines)).encode())
        assert b"<activationKey>" in data, data


def test_a_request_that_names_no_host(signed):
    """HTTP/1.0: only the public base is left."""
    what = target()
    for url, is_good in (("https://licenses.example.com" + what, True), ("http://localhost" + what, False),
                         ("http://" + what, False), (what, False)):
        lines = "".join("%s: %s\r\n" % pair for pair in sign(url).items())
        data = raw(signed, ("GET %s HTTP/1.0\r\n%s\r\n" % (what, lines)).encode())
        assert (b"<activationKey>" in data) == is_good, (url, data)
    signed.expect("QLM1003")


def test_post(signed):
    """The body is not signed; its arguments count as ever."""
    what = ASMX + "/" + METHOD + "?is_vendor=QlmAuthenticationProvider"
    form = encode({k: v for k, v in order().items() if k != "is_vendor"}).encode()
    headers = {**sign(own_url(signed, what)), "Content-Type": "application/x-www-form-urlencoded"}
    assert get(signed, what, headers, "POST", form).licenses
    with signed.unchanged():
        refused(signed, get(signed, what, {"Content-Type": "application/x-www-form-urlencoded"}, "POST", form))


def test_no_secret_in_the_logs(signed):
    mark = signed.mark()
    what = target(is_avkey="AAAAA-SECRET")
    with signed.unchanged():
        refused(signed, get(signed, what, sign(own_url(signed, what), "another-key")))
    line, = signed.lines_since(mark, "QLM1003")
    assert "https://licenses.example.com/qlm/qlmservice.asmx/GetActivationKey?..." in line.text
    assert "QlmPublicBase" in line.text
    written = signed.everything_written()
    assert API_KEY.encode() not in written and b"Sesam" not in written
    assert "AAAAA-SECRET" not in line.text


def test_a_public_method_may_be_listed(signed):
    query = "/PingHttp?" + encode({"is_user": "shop", "is_pwd": "Sesam-0pen"})
    with signed.properties(strictAuthenticationHttpMethods="pinghttp"):
        refused(signed, get(signed, ASMX + "/PingHttp", {}))
        refused(signed, get(signed, ASMX + "/PingHttp", sign(own_url(signed, ASMX + "/PingHttp"))))
        assert get(signed, ASMX + query, sign(own_url(signed, ASMX + query))).field("serverVersion")
        assert get(signed, target(), {}).licenses
    assert get(signed, ASMX + "/PingHttp", {}).field("serverVersion")


def test_the_api_key_opens_nothing_without_strict_authentication(signed):
    with signed.properties(strictAuthenticationHttpMethods="none"):
        with signed.unchanged():
            what = target(is_pwd=API_KEY)
            refused(signed, get(signed, what, sign(own_url(signed, what))))
        assert get(signed, target(), {}).licenses


def test_a_new_api_key_holds_from_the_next_call(signed):
    what = target()
    signed.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin="new-key\n")
    try:
        refused(signed, get(signed, what, sign(own_url(signed, what))))
        assert get(signed, what, sign(own_url(signed, what), "new-key")).licenses
        signed.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=")
        with signed.unchanged():
            for key in ("new-key", API_KEY, "", "null"):
                refused(signed, get(signed, what, sign(own_url(signed, what), key)))
    finally:
        signed.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin=API_KEY + "\n")


def test_the_example_of_the_documentation(signed):
    """docs/authentication.md, run by a shell with curl and openssl."""
    page = (Path(__file__).parents[2] / "docs" / "authentication.md").read_text()
    example = re.search("```sh\n(.*?)```", page, re.S).group(1)
    values = {"QLM": own_url(signed, ASMX), "METHOD": METHOD, "QUERY": encode(order()), "API_KEY": API_KEY}
    done = subprocess.run(["sh", "-euc", example], env={**os.environ, **values}, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 0 and "<activationKey>" in done.stdout, done


# ---- behind a proxy

class Front:
    """Another httpd with mod_proxy: / and /licensing/ lead to the site."""

    def __init__(self, site):
        self.port = free_port()
        self.root = Path(tempfile.mkdtemp(prefix="qlm-front-", dir="/tmp"))
        self.root.chmod(0o755)
        user = "User %s\nGroup %s\n" % (RUN_USER, RUN_USER) if is_root() else ""
        modules = "".join("LoadModule %s_module %s/mod_%s.so\n" % (name, httpd_modules(), name)
                          for name in ("mpm_event", "authz_core", "proxy", "proxy_http"))
        (self.root / "httpd.conf").write_text(f'''ServerRoot "{self.root}"
{modules}
ServerName front
Listen 127.0.0.1:{self.port}
{user}PidFile httpd.pid
DefaultRuntimeDir .
ErrorLog error.log
StartServers 1
ProxyPass "/licensing/" "http://127.0.0.1:{site.port}/qlm/public/"
ProxyPass "/qlmservice.asmx" "http://127.0.0.1:{site.port}/qlm/bare/qlmservice.asmx"
ProxyPass "/" "http://127.0.0.1:{site.port}/" nocanon
''')
        self.process = subprocess.Popen([httpd_program(), "-f", str(self.root / "httpd.conf"), "-DFOREGROUND"],
                                        stdin=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.02)
        raise RuntimeError("the front does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.root)


@pytest.fixture(scope="module")
def front(signed):
    made = Front(signed)
    yield made
    made.stop()


def test_behind_a_proxy_the_public_base_counts(signed, front):
    for base, what in (("https://licenses.example.com", target()),
                       ("https://licenses.example.com", target(path="/qlm//QlmService.asmx", is_userdata1="ä ~")),
                       ("https://www.example.com", target(path="/licensing/qlmservice.asmx")),
                       ("https://www.example.com", target(path="/qlmservice.asmx"))):
        assert get(front, what, sign(base + what)).licenses, (base, what)


def test_behind_a_proxy_nothing_else_does(signed, front):
    """Not the front's own address, and not the base of another location."""
    with signed.unchanged():
        for url, what in (("http://127.0.0.1:%d" % front.port, target()),
                          ("https://www.example.com", target()),
                          ("https://licenses.example.com", target(path="/licensing/qlmservice.asmx")),
                          ("https://www.example.com/licensing", target(path="/qlmservice.asmx"))):
            refused(signed, get(front, what, sign(url + what)))


@pytest.mark.parametrize("value", ["licenses.example.com", "ftp://x.example", "https://", "https:///x",
                                   "https://u:p@x.example", "https://x.example/?q", "https://x.example/#f", "/qlm",
                                   "https://x.example:port"])
def test_a_public_base_is_a_url(new_site, value):
    site = new_site(start=False, location='QlmPublicBase "%s"' % value)
    done = site.configtest()
    assert done.returncode != 0 and "QlmPublicBase takes" in done.stderr


# ---- https

def test_the_scheme_is_that_of_the_connection(new_site):
    """A client of a TLS server signs https://; nothing needs to be configured for it."""
    site = new_site(start=False)
    port = free_port()
    certificate, key = site.root / "tls.crt", site.root / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=60)
    site._server = f'''LoadModule ssl_module {httpd_modules()}/mod_ssl.so
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
SSLEngine on
SSLCertificateFile "{certificate}"
SSLCertificateKeyFile "{key}"
</VirtualHost>'''
    site.write_config()
    site.start()
    site.allow("AH01906|AH01909|AH02292")  # the certificate is nobody's
    site.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin=API_KEY + "\n")
    site.ctl("property", "set", "strictAuthenticationHttpMethods", METHOD)
    url = "https://localhost:%d%s" % (port, target())
    context = ssl.create_default_context(cafile=str(certificate))

    def ask(signed_url):
        request = urllib.request.Request(url, headers=sign(signed_url))
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.read()

    assert b"<activationKey>" in ask(url)
    site.expect("QLM1003")
    assert b"<errorCode>8<" in ask(url.replace("https:", "http:"))
