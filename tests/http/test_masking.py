"""is_pwd appears in nothing the server writes or shows, with Debian's stock log formats."""
import socket

import pytest

from client import ASMX, CREDENTIALS, KEY, PRODUCT, call, order, order_number, raw, until
from env import Site, httpd_modules

SECRET = "Tr0ub4dor-hidden"  # what must never be found

QUERIES = [
    "is_pwd=%s", "is_user=shop&is_pwd=%s", "is_pwd=%s&is_user=shop", "IS_PWD=%s", "Is_Pwd=%s&x=y", "&is_pwd=%s",
    "&&is_pwd=%s", "a=b&+is_pwd=%s", "a=b&is_pwd+=%s", "a=b&%%20is_pwd=%s", "is%%5fpwd=%s", "is_%%70wd=%s",
    "%%69%%73%%5F%%70%%77%%64=%s", "is_pwd%%20=%s", "a=b;is_pwd=%s", "is_pwd=%s#fragment", "is_pwd=%s&is_pwd=%s",
    "is_pwd=%%20%s", "is_pwd=;%s", "is_pwd=a;%s", "is_pwd==%s", "is_pwd=?%s", "x?is_pwd=%s", "x=%%26&is_pwd=%s",
]


@pytest.fixture(scope="module")
def watched(template):
    """A site of this file's own, whose logs are searched."""
    site = Site(template)
    try:
        yield site.start()
    finally:
        site.destroy()


@pytest.fixture(autouse=True)
def from_here_on(watched):
    """Each test searches what was written since it began."""
    _begin.clear()
    _begin.update({p: p.stat().st_size for p in (watched.root / "logs").iterdir()})


_begin = {}


def written_since(site):
    return b"".join(p.read_bytes()[_begin.get(p, 0):] for p in sorted((site.root / "logs").iterdir()))


def fill(query):
    return query.replace("%%", "%").replace("%s", SECRET)


def nothing_found(site, *more):
    """Wait until the access logs are written, then search them all."""
    status = call(site, "", path="/server-status")
    assert status.status == 200 and b"Server Status" in status.body
    auto = call(site, "", "auto", path="/server-status")
    written = written_since(site) + status.body + auto.body + b"".join(more)
    for form in (SECRET, SECRET.lower(), SECRET.upper(), SECRET[1:], SECRET.replace("-", "%2d")):
        assert form.encode() not in written, "found %s" % form


def logged(site, word):
    until(lambda: word in site.read_log("access.log"))


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("method", ["GetActivationKey", "ValidateLicenseHttp", "PingHttp", "NoSuchMethod"])
def test_in_the_query_of_a_get(watched, method, query):
    mark = order_number()
    watched.allow("QLM100[37]")
    answer = raw(watched, ("GET %s/%s?%s&mark=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                           % (ASMX, method, fill(query), mark)).encode())
    assert answer
    until(lambda: "mark=" + mark in watched.read_log("access.log") or "#" in query)
    nothing_found(watched, answer)


def test_the_rest_of_the_line_stays_readable(watched):
    mark = order_number()
    watched.allow("QLM1003")
    call(watched, "GetActivationKey", "is_user=shop&is_pwd=%s&is_productid=1&mark=%s" % (SECRET, mark))
    logged(watched, "mark=" + mark)
    line, = [l for l in watched.read_log("access.log").splitlines() if "mark=" + mark in l]
    assert "is_user=shop&is_pwd=***&is_productid=1&mark=%s HTTP/1.1" % mark in line
    nothing_found(watched)


def test_in_a_form(watched):
    watched.allow("QLM1003")
    answers = [call(watched, "GetActivationKey", order(is_pwd=None), {"is_pwd": SECRET, "PURCHASE_ID": "1"}),
               call(watched, "GetActivationKey", {"is_vendor": "cleverbridge", **PRODUCT}, {"is_pwd": SECRET})]
    nothing_found(watched, *[a.body for a in answers])


def test_masked_calls_still_work(watched):
    """Masking happens before the handler runs; the handler must see what was sent."""
    with watched.vendor("cleverbridge", "password=-", stdin=SECRET + "\n"):
        for pwd in ("is_pwd=" + SECRET, "is%5Fpwd=" + SECRET, "IS_PWD=" + SECRET):
            query = "is_vendor=cleverbridge&is_productid=1&is_majorversion=1&is_minorversion=0&is_user=shop&" + pwd
            answer = call(watched, "GetActivationKey", query, {"PURCHASE_ID": order_number(), "RUNNING_NO": "1",
                                                               "QUANTITY": "1"})
            assert KEY.match(answer.text), answer
    nothing_found(watched)


@pytest.mark.parametrize("method", ["PingHttp", "NoSuchMethod", ""])
def test_in_the_referer(watched, method):
    for query in QUERIES:
        call(watched, method, headers={"Referer": "https://shop.example" + ASMX + "/GetActivationKey?" + fill(query)})
    call(watched, "", path="/index.html", headers={"Referer": "https://shop.example/x?is_pwd=" + SECRET})
    call(watched, "", path="/nothing-here", headers={"Referer": "https://shop.example/x?a=b&is_pwd=" + SECRET})
    until(lambda: "is_pwd=***" in watched.read_log("referer.log"))
    nothing_found(watched)


@pytest.mark.parametrize("path", ["/nothing-here", "/index.html", "/qlm/", "/qlm", "/qlmservice.asmx/GetActivationKey",
                                  "/qlm/qlmservice.asmxx/PingHttp", "/qlm/../qlm/qlmservice.asmx/PingHttp",
                                  "/server-status"])
def test_in_requests_that_are_not_ours(watched, path):
    """A typing mistake in the path must not bring the password into the log."""
    mark = order_number()
    watched.allow("AH")
    answer = raw(watched, ("GET %s?is_user=shop&is_pwd=%s&mark=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                           % (path, SECRET, mark)).encode())
    logged(watched, "mark=" + mark)
    nothing_found(watched, answer)


REFUSED_BY_HTTPD = [
    "GET {u} HTTP/1.1\r\nHost: a b\r\n\r\n",
    "GET {u} HTTP/1.1\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET {u} HTTP/9.9\r\nHost: x\r\n\r\n",
    "GET {u} HTTP/1.1 more\r\nHost: x\r\n\r\n",
    "GET {u} HTTX/1.1\r\nHost: x\r\n\r\n",
    "GET {u}\r\n\r\n",
    "GET  {u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET\t{u}\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "G<T {u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "get {u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u}%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u}|x{{y}} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u}\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u} x HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u}<> HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /%ff%00{u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /../..{u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET x{u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://[x{u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://x:99999999{u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n",
    "GET {u}&pad={long} HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 150 + "\r\n",
    "POST {u} HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "POST {u} HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    "POST {u} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: odd\r\n\r\n",
    "POST {u} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "TRACE {u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT {u} HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT {u} HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{u}",
    "GET {u} HTTP/1.1\r\nHost: x\r\nReferer: http://x{u}\r\nReferer: http://y{u}\r\n\r\n",
    "GET {u} HTTP/1.1\r\nHost: x\r\nAccept: \x01\r\nReferer: http://x{u}\r\n\r\n",
    "GET {u} HTTP/1.1\nHost: x\n\n",
    "{u}\r\n\r\n",
]


@pytest.mark.parametrize("number", range(len(REFUSED_BY_HTTPD)))
def test_in_requests_that_httpd_itself_refuses(watched, number):
    url = ASMX + "/GetActivationKey?is_user=shop&is_pwd=" + SECRET
    request = REFUSED_BY_HTTPD[number].format(u=url, long="y" * 9000)
    watched.allow(r"AH|QLM100[347]|core:error")
    before = len(watched.read_log("access.log").splitlines())
    answer = raw(watched, request.encode("latin-1"), finish=True)
    if answer:
        until(lambda: len(watched.read_log("access.log").splitlines()) > before)
    # what httpd echoes to the client that sent it is no log; everything else is searched
    nothing_found(watched)


@pytest.mark.parametrize("level", ["debug", "trace8"])
def test_in_a_talkative_error_log(new_site, level):
    """The levels of our own module; core's trace levels write headers on purpose."""
    site = new_site(server="LogLevel info qlm:%s" % level)
    site.allow("QLM1003")
    call(site, "GetActivationKey", "is_vendor=cleverbridge&is_user=shop&is_pwd=" + SECRET, {"PURCHASE_ID": "1"})
    call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **PRODUCT}, {"is_pwd": SECRET})
    assert SECRET.encode() not in site.everything_written()


def test_the_query_format_too(new_site):
    """%q, %U and the environment as other modules see them."""
    site = new_site(server='CustomLog logs/custom.log "%q %U %r %{QUERY_STRING}e %{REQUEST_URI}e %h %{Referer}i"')
    site.allow("QLM1003")
    call(site, "GetActivationKey", "is_user=shop&is_pwd=%s&is_vendor=cleverbridge" % SECRET)
    until(lambda: "is_pwd=***" in site.read_log("custom.log"))
    assert SECRET.encode() not in site.everything_written()


@pytest.mark.parametrize("pass_on", ['ProxyPass "/front/" "http://127.0.0.1:%d/qlm/"',
                                     'ProxyPass "/front/" "http://127.0.0.1:%d/qlm/" nocanon'])
def test_a_proxy_in_the_same_server_passes_the_password_on(new_site, pass_on):
    """A service's URL that is not served here is only passed on: whole, and masked in the logs all the same."""
    site = new_site(start=False)
    modules = "".join("LoadModule %s_module %s/mod_%s.so\n" % (n, httpd_modules(), n) for n in ("proxy", "proxy_http"))
    site._server = modules + pass_on % site.port + '\nCustomLog logs/custom.log "%q %U %r %{QUERY_STRING}e"'
    site.write_config()
    site.start()
    site.ctl("vendor", "set", "cleverbridge", "password=-", stdin=SECRET + "\n")
    answer = call(site, "GetActivationKey", order("cleverbridge", is_pwd=SECRET),
                  {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "QUANTITY": "1"}, path="/front/qlmservice.asmx")
    assert KEY.match(answer.text), answer
    until(lambda: all(" %s/qlmservice.asmx/Get" % folder in site.read_log("custom.log") for folder in ("/front", "/qlm")))
    assert SECRET.encode() not in site.everything_written()


def test_status_page_while_the_call_runs(watched):
    """A body that does not come keeps the call open; mod_status shows the request line meanwhile."""
    with socket.create_connection(("127.0.0.1", watched.port), timeout=10) as s:
        s.sendall(("POST %s/GetActivationKey?is_vendor=cleverbridge&is_user=shop&is_pwd=%s&slow=1 HTTP/1.1\r\n"
                   "Host: x\r\nContent-Length: 100\r\n\r\nPURCHASE_ID=1" % (ASMX, SECRET)).encode())
        until(lambda: b"POST /qlm" in call(watched, "", path="/server-status").body)
        nothing_found(watched)
        watched.allow("QLM100[37]|AH")


def test_keys_are_not_logged_in_full(watched):
    """The error log names keys by their beginning only."""
    key = call(watched, "GetActivationKey", order(**CREDENTIALS)).licenses[0]
    call(watched, "ActivateKey", None, {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT})
    call(watched, "ActivateKey", None, {"is_avkey": key, "is_pcid": "PC-2", **PRODUCT})
    until(lambda: watched.lines_since(0, "code 207.*" + key[:5]))
    log = watched.read_log("error.log")
    assert key not in log and key.replace("-", "") not in log and key[6:11] not in log
