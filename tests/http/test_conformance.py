"""Each rule of the contract that holds for many methods, played for every method and argument it is about. The cases are
made from conformance.py; what is special to one method is in the tests of that method."""
import re

import pytest

from client import ASMX, CREDENTIALS, basic, call, encode, raw
from conformance import METHODS, ROOT, VENDOR
from conftest import running

NEEDS_VENDOR = [m for m in METHODS if m.permission == "vendor"]


def names(methods):
    return dict(argvalues=methods, ids=[m.name for m in methods])


def named(cases):
    """[(method, …, id)] as parameters."""
    return [pytest.param(*case[:-1], id=case[-1]) for case in cases]


def credentials(method, **other):
    if method.permission != "vendor":
        return {}
    return {"is_vendor": VENDOR, **CREDENTIALS, **other}


def good(site, method, **more):
    fields = {**credentials(method), **method.good(site), **more}
    return {k: v for k, v in fields.items() if v is not None}


def succeeded(method, answer):
    assert answer.status == 200, answer
    assert "error" not in answer.text.lower(), answer
    if method.answer:
        assert answer.names == list(method.answer), answer
    assert answer.headers.get("cache-control") == "no-store"
    return answer


def refused(site, answer, *codes):
    assert answer.status == 200 and answer.code in [str(c) for c in codes], answer
    assert "error" in answer.text.lower() and answer.error.strip() == answer.error != "", answer
    assert re.search(r"[a-z]{3}", answer.error) and not re.search(r"[\x00-\x1f]", answer.error)
    site.expect(r"\bQLM100[378]\b")
    return answer


@pytest.fixture(autouse=True)
def no_mails_of_registrations(request, site):
    """Mails that wait for a mail server would make the server write in the middle of later tests."""
    yield
    if "Register" in request.node.name:
        site.change("DELETE FROM qlm_outbox WHERE target LIKE '%@company.example'")


# ---- the table itself

def test_every_method_is_described(site):
    listed = re.findall(r"<h2>(\w+)</h2>", call(site, "").text)
    assert listed == [m.name for m in METHODS]


@pytest.mark.parametrize("method", **names(METHODS))
def test_the_index_lists_the_arguments(site, method):
    section = re.search(r"<h2>%s</h2>.*?</ul>" % method.name, call(site, "").text, re.S).group(0)
    listed = re.findall(r"<code>(\w+)</code>( \(required\))?", section)
    assert listed == [(a.names[0], " (required)" if a in method.required else "") for a in method.takes]


@pytest.mark.parametrize("method", **names(METHODS))
def test_the_page_has_a_section_and_an_example(method):
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    section = re.search(r"^## %s$(.*?)(?=^## |\Z)" % method.name, page, re.M | re.S)
    assert section, "docs/methods.md has no section"
    text = section.group(1)
    alike = re.search(r"[Tt]he same as `(\w+)`|like `(\w+)`|those of\s+`(\w+)`", text)
    if alike:
        other = next(g for g in alike.groups() if g)
        text += re.search(r"^## %s$(.*?)(?=^## |\Z)" % other, page, re.M | re.S).group(1)
    common = {"is_vendor", "is_user", "is_pwd", "is_args", "is_locale", "is_qlmversion"}
    missing = [a.names[0] for a in method.takes if a.names[0] not in common and a.names[0] not in text]
    assert not missing
    assert method.gate is None or method.gate in text
    assert "curl" in text


# ---- calling

@pytest.mark.parametrize("method", **names(METHODS))
def test_get(site, method):
    succeeded(method, call(site, method.name, good(site, method)))


@pytest.mark.parametrize("method", **names(METHODS))
def test_post(site, method):
    succeeded(method, call(site, method.name, None, good(site, method)))


@pytest.mark.parametrize("method", **names(METHODS))
def test_query_and_body_together(site, method):
    fields = list(good(site, method).items())
    succeeded(method, call(site, method.name, dict(fields[::2]), dict(fields[1::2])))


@pytest.mark.parametrize("method", **names(METHODS))
def test_the_query_wins(site, method):
    fields = good(site, method)
    succeeded(method, call(site, method.name, fields, {name: "" if i % 2 else "nonsense" for i, name in enumerate(fields)}))


@pytest.mark.parametrize("method", **names(METHODS))
@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase], ids=["lower", "upper", "swapped"])
def test_case_of_path_and_names(site, method, change):
    fields = {change(name): value for name, value in good(site, method).items()}
    succeeded(method, call(site, change(method.name), fields, path="/qlm/" + change("qlmservice.asmx")))


@pytest.mark.parametrize("method", **names(METHODS))
def test_blanks_around_names_and_empty_pairs(site, method):
    fields = {" %s " % name: value for name, value in good(site, method).items()}
    succeeded(method, call(site, method.name, "&&" + encode(fields) + "&&is_nothing=&=&"))


@pytest.mark.parametrize("method", **names(METHODS))
def test_unknown_arguments_are_ignored(site, method):
    succeeded(method, call(site, method.name, good(site, method, is_future="1", utm_source="x;y", is_args="no such set")))


@pytest.mark.parametrize("method", **names(METHODS))
def test_http_1_0(site, method):
    body = encode(good(site, method)).encode()
    answer = raw(site, b"POST %s/%s HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (ASMX.encode(), method.name.encode(), len(body), body))
    assert answer.startswith(b"HTTP/1.1 200") and b"error" not in answer.lower(), answer


@pytest.mark.parametrize("method", **names(METHODS))
@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH"])
def test_other_verbs(site, method, verb):
    answer = call(site, method.name, good(site, method), verb=verb)
    assert answer.status == 405, answer
    site.expect(r"\bQLM1006\b")


# ---- who may call

@pytest.fixture(scope="module")
def blocking(template):
    """A site that blocks this address."""
    for site in running(template, "event"):
        site.ctl("property", "set", "blockIPAddresses", "127.0.0.0/8;::1")
        yield site


@pytest.mark.parametrize("method", **names(METHODS))
def test_a_blocked_address(blocking, method):
    refused(blocking, call(blocking, method.name, credentials(method)), 3)


@pytest.mark.parametrize("method", **names([m for m in METHODS if m.gate]))
def test_the_switch(site, method):
    fields = good(site, method)
    with site.properties(**{method.gate: "false"}):
        refused(site, call(site, method.name, fields), 7)
    succeeded(method, call(site, method.name, fields))


WRONG = [("no credentials", {"is_user": None, "is_pwd": None}), ("no password", {"is_pwd": None}),
         ("no user", {"is_user": None}), ("wrong password", {"is_pwd": "Sesam-0pen "}),
         ("password in other case", {"is_pwd": "SESAM-0PEN"}), ("wrong user", {"is_user": "shops"}),
         ("empty", {"is_user": "", "is_pwd": ""}), ("unknown vendor", {"is_vendor": "nobody"})]


@pytest.mark.parametrize("method, change", named([(m, c, "%s-%s" % (m.name, w)) for m in NEEDS_VENDOR for w, c in WRONG]))
def test_wrong_credentials(site, method, change):
    fields = {k: v for k, v in {**good(site, method), **change}.items() if v is not None}
    with site.unchanged():
        answer = call(site, method.name, fields)
    assert answer.status in (200, 403), answer
    assert answer.code == "8" and "error" in answer.text.lower(), answer
    site.expect(r"\bQLM1003\b")


@pytest.mark.parametrize("method", **names(NEEDS_VENDOR))
def test_a_disabled_vendor(site, method):
    fields = good(site, method)
    with site.vendor(VENDOR, "enabled=false"):
        refused(site, call(site, method.name, fields), 8)


@pytest.mark.parametrize("method", **names(NEEDS_VENDOR))
def test_credentials_by_basic(site, method):
    fields = good(site, method, is_user=None, is_pwd=None)
    succeeded(method, call(site, method.name, fields, headers=basic(CREDENTIALS["is_user"], CREDENTIALS["is_pwd"])))


@pytest.mark.parametrize("method", **names([m for m in METHODS if m.permission == "public"]))
def test_public_methods_need_none(site, method):
    succeeded(method, call(site, method.name, good(site, method, is_user="nobody", is_pwd="wrong")))


# ---- arguments

@pytest.mark.parametrize("method, argument",
                         named([(m, a, "%s-%s" % (m.name, a.names[0])) for m in METHODS for a in m.required]))
def test_a_required_argument_is_missing(site, method, argument):
    fields = good(site, method)
    for name in argument.names:
        fields.pop(name, None)
    for fields[argument.names[0]] in ("", None):
        left = {k: v for k, v in fields.items() if v is not None}
        with site.unchanged():
            answer = refused(site, call(site, method.name, left), 206 if argument.id == "KEY" else 208)
        assert argument.names[0] in answer.error


BAD = [(m, a, value, "%s-%s-%s" % (m.name, a.names[0], why))
       for m in METHODS for a in m.takes if a not in m.lenient for why, value in a.bad()]


@pytest.mark.parametrize("method, argument, value", named(BAD))
def test_an_unusable_value(site, method, argument, value):
    fields = good(site, method)
    for name in argument.names:
        fields.pop(name, None)
    query, form = {**fields, argument.names[0]: value}, None
    if len(value) > 4000:  # more than a URL can hold
        query, form = None, query
    with site.unchanged():
        answer = refused(site, call(site, method.name, query, form), 5, 205, 206, 208)
    if answer.code == "5":
        assert argument.names[0] in answer.error, answer


@pytest.mark.parametrize("method, argument, name",
                         named([(m, a, n, "%s-%s" % (m.name, n)) for m in METHODS for a in m.takes for n in a.names[1:]
                                if a not in m.lenient and a.bad()]))
def test_another_spelling_is_read(site, method, argument, name):
    """An unusable value shows that the name is read."""
    fields = good(site, method)
    for known in argument.names:
        fields.pop(known, None)
    refused(site, call(site, method.name, {**fields, name: argument.bad()[0][1]}), 5, 205)


@pytest.mark.parametrize("method, argument", named([(m, a, "%s-%s" % (m.name, a.names[0])) for m in METHODS
                                                    for a in m.takes if a.good() and a not in m.lenient]))
def test_all_spellings_of_a_value(site, method, argument):
    for value in argument.good():
        fields = good(site, method)
        answer = call(site, method.name, {**fields, argument.names[0]: value})
        assert answer.status == 200 and answer.code != "5", (value, answer)
        if answer.code:
            site.expect(r"\bQLM100[78]\b")
