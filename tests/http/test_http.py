"""The service as a part of httpd: paths, verbs, versions of HTTP, queries as shops write them, access control."""
import pytest

from client import ASMX, PRODUCT, Connection, call, issue, one_line, order, raw, report, validate
from env import Site


# ---- paths

@pytest.mark.parametrize("path", [ASMX, "/qlm/QlmService.asmx", "/qlm/QLMSERVICE.ASMX", "/qlm/qlmservice.ASMX",
                                  "/qlm/qlmdemo/qlmLicenseServer/qlmservice.asmx", "/qlm/a/b/c/d/qlmservice.asmx",
                                  "/qlm//qlmservice.asmx"])
@pytest.mark.parametrize("method", ["PingHttp", "pinghttp", "PINGHTTP", "PingHttp/"])
def test_paths_and_methods_are_matched_without_case(site, path, method):
    assert call(site, method, path=path).field("serverVersion")


def test_the_location_may_be_the_root(new_site):
    site = new_site(server='<Location "/">\nQlmService on\nRequire local\n</Location>\n'
                           '<Location "/closed">\nQlmService off\n</Location>')
    for path in ("/qlmservice.asmx", "/x/qlmservice.asmx", "/deep/er/QlmService.asmx"):
        assert call(site, "PingHttp", path=path).field("serverVersion")
    site.allow("core:error.*AH00126|File does not exist")
    assert call(site, "PingHttp", path="/closed/qlmservice.asmx").status == 404
    assert b"static" in call(site, "", path="/index.html").body


def test_outside_of_the_location_nothing_is_served(site):
    for path in ("/qlmservice.asmx/PingHttp", "/other/qlmservice.asmx/PingHttp", "/qlm/other.asmx/PingHttp",
                 "/qlm/PingHttp", "/qlm/qlmservice.asmxx/PingHttp", "/qlm/xqlmservice.asmx/PingHttp"):
        assert call(site, "", path=path).status == 404, path


def test_a_file_of_the_same_name_does_not_matter(site):
    folder = site.root / "htdocs" / "qlm" / "qlmservice.asmx"
    folder.mkdir(parents=True)
    try:
        (folder / "PingHttp").write_text("a file")
        assert call(site, "PingHttp").field("serverVersion")
        assert call(site, "").status == 200
    finally:
        (folder / "PingHttp").unlink()
        folder.rmdir()
        folder.parent.rmdir()


def test_percent_escapes_in_the_path(site):
    assert call(site, "Ping%48ttp").field("serverVersion")
    assert call(site, "PingHttp", path="/qlm/qlmservice%2Easmx").field("serverVersion")


# ---- what is not served

@pytest.mark.parametrize("method", ["NoSuchMethod", "PingHttpp", "Ping", "PingHttp/x", "..%5cPingHttp", "%3Cscript%3E",
                                    "RenewSubscriptionHttpp", "x" * 2000])
def test_an_unknown_method_is_404_with_one_line(site, method):
    mark = site.mark()
    answer = call(site, method)
    assert answer.status == 404
    one_line(answer.text.strip())
    assert "<script>" not in answer.text and len(answer.text) < 500
    assert site.lines_since(mark, "QLM1005")


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "PROPFIND", "MKCOL", "BREW"])
@pytest.mark.parametrize("method", ["PingHttp", "ValidateLicenseHttp", ""])
def test_other_verbs_are_405(site, verb, method):
    mark = site.mark()
    with site.unchanged():
        answer = call(site, method, verb=verb)
    assert answer.status == 405
    assert {"GET", "POST"} <= {v.strip() for v in answer.headers["allow"].split(",")}
    one_line(answer.text.strip())
    assert site.lines_since(mark, "QLM1006")


def test_trace_is_not_ours(site):
    assert call(site, "PingHttp", verb="TRACE").status in (405, 403)


def test_head_has_headers_and_no_body(site):
    answer = call(site, "PingHttp", verb="HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.type.lower() == "text/xml; charset=utf-8"


def test_posting_to_the_bare_url_is_refused(site):
    assert call(site, "", None, {"x": "y"}).status == 405


# ---- bodies

def test_a_body_over_the_limit_is_413(new_site):
    site = new_site(location="QlmMaxBody 2000")
    fine = order(is_userdata1="x" * 900)
    assert call(site, "GetActivationKey", None, fine).licenses
    with site.unchanged():
        for pad in (2001, 20000, 3000000):
            site.expect("QLM1004")
            answer = call(site, "GetActivationKey", order(), b"pad=" + b"x" * pad)
            assert answer.status == 413
            one_line(answer.text.strip() if not answer.type.lower().startswith("text/xml") else answer.error)
            assert "2000" in answer.text


def test_the_default_limit_is_one_megabyte(site):
    body = "PURCHASE_ID=&pad=" + "x" * (1048576 - 17)
    assert len(body) == 1048576
    assert call(site, "PingHttp", None, body).status == 200
    site.expect("QLM1004")
    assert call(site, "PingHttp", None, body + "x").status == 413


@pytest.mark.parametrize("size", [10, 5000])
def test_chunked_bodies(new_site, size):
    site = new_site(location="QlmMaxBody 2000")
    fields = b"is_vendor=QlmAuthenticationProvider&is_user=shop&is_pwd=Sesam-0pen&is_productid=1&is_majorversion=1" \
             b"&is_minorversion=0&pad=" + b"x" * size
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(fields[i:i + 100]), fields[i:i + 100])
                      for i in range(0, len(fields), 100)) + b"0\r\n\r\n"
    if size > 2000:
        site.expect("QLM1004")
    answer = raw(site, b"POST " + ASMX.encode() + b"/GetActivationKey HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                 b"Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer.split(b" ")[1] == (b"413" if size > 2000 else b"200")


def test_a_broken_chunk_is_not_too_large(site):
    """httpd answers 400 to this; our line in the log must not give another cause."""
    with site.unchanged():
        site.allow("QLM1007|AH")
        answer = raw(site, b"POST " + ASMX.encode() + b"/PingHttp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
                     b"\r\n\r\nzz\r\n", finish=True)
        assert answer.split(b" ")[1] == b"400"


def test_a_body_that_ends_early_stores_nothing(site):
    with site.unchanged():
        site.allow(r"QLM1007|AH\d+")
        received = raw(site, b"POST " + ASMX.encode() + b"/GetActivationKey?is_vendor=QlmAuthenticationProvider"
                       b"&is_user=shop&is_pwd=Sesam-0pen&is_productid=1&is_majorversion=1&is_minorversion=0"
                       b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\nis_quantity=3",
                       finish=True)
        assert b"<activationKey>" not in received


def test_empty_post(site):
    assert call(site, "PingHttp", None, b"").status == 200


# ---- versions of HTTP

def test_http_1_0_get_and_post(site):
    got = raw(site, b"GET " + ASMX.encode() + b"/PingHttp HTTP/1.0\r\n\r\n")
    assert got.startswith(b"HTTP/1.") and b" 200 " in got[:20] and b"<serverVersion>" in got
    body = b"is_vendor=QlmAuthenticationProvider&is_user=shop&is_pwd=Sesam-0pen&is_productid=1&is_majorversion=1" \
           b"&is_minorversion=0"
    got = raw(site, b"POST " + ASMX.encode() + b"/GetActivationKey HTTP/1.0\r\nContent-Type: "
              b"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert b" 200 " in got[:20] and b"<activationKey>" in got and b"chunked" not in got.lower()


def test_keep_alive_serves_many_calls(any_site):
    connection = Connection(any_site)
    key = issue(any_site)
    for _ in range(20):
        assert connection.call("ValidateLicenseHttp", {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT}).error is None
        assert connection.call("NoSuchMethod").status == 404
        assert connection.call("PingHttp", None, {"a": "b"}).status == 200
    connection.close()


def test_expect_continue(site):
    body = b"a=b"
    got = raw(site, b"POST " + ASMX.encode() + b"/PingHttp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
              b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n" + body)
    assert b"<serverVersion>" in got


# ---- queries

BASE = "is_vendor=QlmAuthenticationProvider&is_user=shop&is_pwd=Sesam-0pen&is_productid=1&is_majorversion=1" \
       "&is_minorversion=0"


@pytest.mark.parametrize("query", ["&" + BASE, "&&" + BASE + "&&", BASE.replace("&", "&&"), "=&" + BASE, BASE + "&=x",
                                   BASE + "&lonely", BASE + "&is_userdata1"])
def test_empty_pairs_are_skipped(site, query):
    assert call(site, "GetActivationKey", query).licenses


def test_a_second_question_mark_is_data(site):
    key = call(site, "GetActivationKey", BASE + "&is_userdata1=what?now").licenses[0]
    assert report(site, key).field("userData") == "what?now"


@pytest.mark.parametrize("written, read", [
    ("a;b", "a;b"), ("a%3Bb", "a;b"), ("a+b", "a b"), ("a%2Bb", "a+b"), ("100%", "100%"), ("5%zz", "5%zz"),
    ("%4", "%4"), ("a%", "a%"), ("%%41", "%A"), ("a=b=c", "a=b=c"), ("a:b|c{d}@e", "a:b|c{d}@e"), ("%26x", "&x"),
    ("%C3%BC", "ü"), ("%FC", "ü"), ("%e2%82%ac", "€")])
def test_values_as_they_are_written(site, written, read):
    if any(c in written for c in "{}|"):
        # httpd's strict parser takes these only where it is told so; through the body they always come
        key = call(site, "GetActivationKey", BASE, "is_userdata1=" + written).licenses[0]
    else:
        key = call(site, "GetActivationKey", BASE + "&is_userdata1=" + written).licenses[0]
    assert report(site, key).field("userData") == read


def test_raw_characters_pass_with_httpds_unsafe_option(new_site):
    site = new_site(server="HttpProtocolOptions Unsafe")
    query = BASE + "&is_userdata1=a|b{c}"
    got = raw(site, b"GET " + ASMX.encode() + b"/GetActivationKey?" + query.encode() +
              b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"<activationKey>" in got


def test_the_first_of_repeated_arguments_counts(site):
    key = call(site, "GetActivationKey", BASE + "&is_quantity=2&is_quantity=9").licenses[0]
    assert report(site, key).field("numActivationsAllowed") == "2"
    key = call(site, "GetActivationKey", BASE + "&is_quantity=&is_quantity=4").licenses[0]
    assert report(site, key).field("numActivationsAllowed") == "4"


def test_a_long_query(site):
    assert call(site, "GetActivationKey", BASE + "&pad=" + "x" * 6000).licenses


# ---- httpd's own access control

def test_require_on_one_method(new_site):
    site = new_site(server='<Location "/qlm/qlmservice.asmx/GetActivationKey">\nRequire ip 192.0.2.0/24\n</Location>')
    key_answer = call(site, "GetActivationKeyWithExpiryDate", order())
    assert key_answer.licenses
    with site.unchanged():
        site.expect("AH01630")
        assert call(site, "GetActivationKey", order()).status == 403
    assert validate(site, key_answer.licenses[0]).error is None


@pytest.mark.parametrize("method", ["getactivationkey", "GETACTIVATIONKEY", "GetActivation%4bey", "GetActivationKey/",
                                    "/GetActivationKey", "./GetActivationKey", "PingHttp/../getactivationkey"])
@pytest.mark.parametrize("path", [ASMX, "/qlm/QlmService.asmx"])
def test_require_on_one_method_holds_for_every_spelling(guarded_site, path, method):
    """Because we read paths without case, a plain <Location> must not be passed by by writing it in capitals."""
    guarded_site.expect("AH01630")
    with guarded_site.unchanged():
        assert call(guarded_site, method, order(), path=path).status == 403


@pytest.fixture(scope="module")
def guarded_site(template):
    site = Site(template, server='<Location "/qlm/qlmservice.asmx/GetActivationKey">\nRequire ip 192.0.2.0/24\n'
                                 '</Location>')
    try:
        yield site.start()
    finally:
        site.destroy()


def test_require_by_pattern_holds_in_every_folder(new_site):
    """LocationMatch without case, for sites that serve more than one folder."""
    site = new_site(server='<LocationMatch "(?i)/qlmservice\\.asmx/GetActivationKey(WithExpiryDate)?/*$">\n'
                           'Require ip 192.0.2.0/24\n</LocationMatch>')
    site.expect("AH01630")
    with site.unchanged():
        for path, method in ((ASMX, "getactivationkey"), (ASMX, "GETACTIVATIONKEYWITHEXPIRYDATE"),
                             ("/qlm/x/QlmService.asmx", "GetActivationKey"), (ASMX, "GetActivation%4bey"),
                             (ASMX, "GetActivationKey/"), (ASMX, "/GetActivationKey"), (ASMX, "./GetActivationKey"),
                             (ASMX, "PingHttp/../GetActivationKey"), (ASMX, "GetActivationKey//")):
            answer = call(site, method, order(), path=path)
            assert answer.status in (403, 404), (path, method, answer)
    assert call(site, "PingHttp").status == 200


def test_require_on_the_whole_location(new_site):
    site = new_site(location="Require ip 192.0.2.1", server='<Location "/qlm">\nAuthMerging Off\n'
                    'Require ip 192.0.2.1\n</Location>')
    site.expect("AH01630")
    assert call(site, "PingHttp").status == 403
    assert call(site, "").status == 403


def test_httpds_limits_hold(new_site):
    site = new_site(location="LimitRequestBody 1000")
    site.allow(r"AH01588|QLM1004|AH\d+")
    with site.unchanged():
        assert call(site, "GetActivationKey", order(), b"pad=" + b"x" * 2000).status == 413


def test_blocked_addresses(site):
    with site.properties(blockIPAddresses="192.0.2.7; 127.0.0.0/8"):
        with site.unchanged():
            site.expect("QLM1003")
            assert call(site, "PingHttp").code == "3"
            assert call(site, "GetActivationKey", order()).code == "3"
    assert call(site, "PingHttp").code is None
    with site.properties(blockIPAddresses="192.0.2.7, 10.0.0.0/8 2001:db8::/32"):
        assert call(site, "PingHttp").code is None
