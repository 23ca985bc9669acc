"""The paths of the classic service, of its successor and of trial registration; verbs and CORS."""
import pytest

from client import ASMX, call, one_line, order, raw, until
from env import Site

NEW = ["/qlm/QlmLicenseServerNetCore/api/v1/QlmApi", "/qlm/QlmLicenseServerNetCore/api/WebService",
       "/qlm/qlmlicenseservernetcore/API/V1/qlmapi", "/qlm/api/webservice", "/qlm/other/name/api/v1/QlmApi",
       "/qlm//api//v1//QlmApi", "/qlm/api/v1/Qlm%41pi"]
REGISTRATION = "/qlm/QlmCustomerSite/qlmregistration.asmx"


@pytest.mark.parametrize("path", NEW)
def test_the_newer_paths_reach_the_same_methods(site, path):
    for method in ("PingHttp", "PINGHTTP", "pinghttp/"):
        assert call(site, method, path=path).field("serverVersion")
    assert call(site, "GetActivationKey", order(), path=path).licenses
    assert call(site, "getactivationkey", {"is_vendor": "QlmAuthenticationProvider"},
                {k: v for k, v in order().items() if k != "is_vendor"}, path=path).licenses
    answer = call(site, "NoSuchMethod", path=path)
    assert answer.status == 404 and one_line(answer.error)


@pytest.mark.parametrize("path", NEW + [REGISTRATION])
@pytest.mark.parametrize("verb", ["GET", "HEAD", "POST"])
def test_only_the_classic_path_has_an_index(site, path, verb):
    for bare in (path, path + "/"):
        answer = call(site, "", path=bare, verb=verb)
        assert answer.status == 404 and "GetActivationKey" not in answer.text
    assert call(site, "").status == 200


@pytest.mark.parametrize("path", ["/QlmLicenseServerNetCore/api/v1/QlmApi", "/qlm/v1/QlmApi", "/qlm/api/v1/QlmApis",
                                  "/qlm/api/v2/QlmApi", "/qlm/QlmApi", "/qlm/WebService", "/qlm/xapi/WebService",
                                  "/api/WebService"])
def test_other_paths_are_not_served(site, path):
    assert call(site, "PingHttp", path=path).status == 404


def test_registration_serves_one_method(site):
    """The customer site is open to the world: what else the service can do is not reached through it."""
    with site.unchanged():
        for method in ("GetActivationKey", "PingHttp", "ValidateLicenseHttp", "NoSuchMethod"):
            answer = call(site, method, order(), path=REGISTRATION)
            assert answer.status == 404, answer


def test_a_site_that_moves_by_its_name_alone(new_site):
    """All paths of the former server at the root, by one section, and rules for all spellings at once."""
    site = new_site(server='<Location "/">\nQlmService on\nRequire local\n</Location>\n'
                           '<Location "/qlmservice.asmx/GetActivationKey">\nRequire ip 192.0.2.0/24\n</Location>')
    paths = ("/QlmLicenseServer/QlmService.asmx", "/QlmLicenseServerNetCore/api/v1/QlmApi",
             "/QlmLicenseServerNetCore/api/WebService", "/qlmservice.asmx")
    for path in paths:
        assert call(site, "PingHttp", path=path).field("serverVersion")
    with site.unchanged():
        for path in paths:
            site.expect("AH01630")
            assert call(site, "GetActivationKey", order(), path=path).status == 403
    assert b"static" in call(site, "", path="/index.html").body


# ---- access by method holds for every path

@pytest.fixture(scope="module")
def guarded_site(template):
    site = Site(template, server='<Location "/qlm/qlmservice.asmx/GetActivationKey">\nRequire ip 192.0.2.0/24\n'
                                 '</Location>')
    try:
        yield site.start()
    finally:
        site.destroy()


@pytest.mark.parametrize("method", ["GetActivationKey", "getactivationkey", "GetActivation%4bey", "GetActivationKey/",
                                    "./GetActivationKey", "PingHttp/../getactivationkey"])
@pytest.mark.parametrize("path", NEW + [REGISTRATION])
def test_require_on_a_method_holds_for_the_newer_paths(guarded_site, path, method):
    guarded_site.expect("AH01630")
    with guarded_site.unchanged():
        assert call(guarded_site, method, order(), path=path).status == 403


@pytest.mark.parametrize("path", ["/qlm/QlmLicenseServerNetCore/api/v1/QlmApi/GetActivationKey", "/qlm/api/WebService",
                                  "/qlm/qlmregistration.asmx/Register", "/qlm/qlmservice.asmx/getactivationkey",
                                  "/qlm/qlmservice.asmx/ActivateLicenseByAuthorizationCodeHttp/x"])
def test_a_rule_that_would_never_hold_is_found_at_start(new_site, path):
    site = new_site(start=False, server='<Location "%s">\nRequire all denied\n</Location>' % path)
    done = site.configtest()
    if path.endswith("/x"):  # no method: it holds for what it names
        assert done.returncode == 0, done
        return
    assert done.returncode != 0 and "QLM1111" in done.stderr and "/qlmservice.asmx" in done.stderr


def test_the_location_may_name_the_entry_point_itself(new_site):
    site = new_site(server='<Location "/shop/qlmservice.asmx">\nQlmService on\nQlmServerVersion 9.8.7.6\n'
                           'Require local\n</Location>')
    assert call(site, "PingHttp", path="/shop/qlmservice.asmx").field("serverVersion") == "9.8.7.6"
    assert call(site, "", path="/shop/qlmservice.asmx").status == 200
    assert call(site, "PingHttp", path="/shop/other/qlmservice.asmx").status == 404


def test_settings_of_the_location_hold_for_the_newer_paths(new_site):
    site = new_site(location="QlmServerVersion 9.8.7.6\nQlmMaxBody 2000")
    path = NEW[0]
    assert call(site, "PingHttp", path=path).field("serverVersion") == "9.8.7.6"
    site.expect("QLM1004")
    assert call(site, "PingHttp", None, b"x=" + b"y" * 2000, path=path).status == 413


def test_passwords_are_masked_there_too(new_site):
    site = new_site(server='CustomLog logs/custom.log "%q %U %r"')
    site.allow("QLM1003")
    for path in NEW[:4]:
        call(site, "GetActivationKey", "is_user=shop&is_pwd=hidden-word&is_vendor=cleverbridge", path=path)
    until(lambda: site.read_log("custom.log").count("\n") >= 4)
    assert b"hidden-word" not in site.everything_written()


# ---- verbs

@pytest.mark.parametrize("path", [ASMX, NEW[0]])
@pytest.mark.parametrize("method", ["", "PingHttp", "GetActivationKey", "NoSuchMethod"])
def test_options(any_site, path, method):
    with any_site.unchanged():
        answer = call(any_site, method, order(), verb="OPTIONS", path=path)
    assert (answer.status, answer.body) == (204, b"")
    assert [v.strip() for v in answer.headers["allow"].split(",")] == ["GET", "HEAD", "POST", "OPTIONS"]


def test_options_with_a_body(site):
    with site.unchanged():
        data = raw(site, ("OPTIONS %s/PingHttp HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nx=y&z"
                          "GET %s/PingHttp HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (ASMX, ASMX)).encode())
    first, _, second = data.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 204 ") and b"serverVersion" in second and b" 200 OK" in second


@pytest.mark.parametrize("path", [ASMX, NEW[0]])
def test_head_is_get_without_its_body(any_site, path):
    whole, head = (call(any_site, "PingHttp", verb=verb, path=path) for verb in ("GET", "HEAD"))
    assert (head.status, head.body, head.type) == (200, b"", whole.type)
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["cache-control"] == "no-store"


def test_a_head_that_creates_a_key_creates_it(site):
    """As GET does: who does not want the key should not ask."""
    before = len(site.query("SELECT id FROM qlm_license"))
    assert call(site, "GetActivationKey", order(), verb="HEAD").body == b""
    assert len(site.query("SELECT id FROM qlm_license")) == before + 1


# ---- raw characters in a query

@pytest.mark.parametrize("text", ["a|b{c}", "<b>", 'a"b', "a^b`c\\d", "0:3;1:1", "é", "x@y"])
def test_raw_characters_in_a_query_are_served(site, text):
    data = raw(site, ("GET %s/PingHttp?x=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % (ASMX, text)).encode())
    assert data.startswith(b"HTTP/1.1 200 OK") and b"serverVersion" in data


def test_a_raw_blank_is_httpds_400(site):
    data = raw(site, ("GET %s/PingHttp?x=a b HTTP/1.1\r\nHost: x\r\n\r\n" % ASMX).encode())
    assert data.startswith(b"HTTP/1.1 400 ")


# ---- CORS is mod_headers'

CORS = '''Header always set Access-Control-Allow-Origin "*"
Header always set Access-Control-Allow-Methods "POST, GET, OPTIONS"
Header always set Access-Control-Allow-Headers "accept, content-type"'''


def test_cors_as_documented(new_site):
    from pathlib import Path

    page = (Path(__file__).parents[2] / "docs" / "directives.md").read_text()
    for line in CORS.splitlines():
        assert "    " + line + "\n" in page
    site = new_site(location=CORS)
    asked = {"Origin": "https://www.example.org", "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "content-type"}
    for path in (ASMX, NEW[0]):
        preflight = call(site, "ValidateLicenseHttp", verb="OPTIONS", headers=asked, path=path)
        assert preflight.status == 204
        for answer in (preflight, call(site, "PingHttp", headers=asked, path=path),
                       call(site, "NoSuchMethod", headers=asked, path=path)):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "POST" in answer.headers["access-control-allow-methods"]
            assert "content-type" in answer.headers["access-control-allow-headers"]


def test_no_cors_unless_configured(site):
    assert not [h for h in call(site, "PingHttp", headers={"Origin": "https://x.example"}).headers
                if h.startswith("access-control")]
