"""Bad input: one clear line that names the cause, the right status or code, a log line with its own id, and a database
that is as it was."""
import re

import pytest

from client import ASMX, PRODUCT, call, issue, normal, one_line, order, order_number, plain_refusal, raw, validate, \
    xml_refusal

VENDORS = ["QlmAuthenticationProvider", "cleverbridge", "shareit"]


def create(site, vendor, **arguments):
    """An order with these arguments in the URL."""
    return call(site, "GetActivationKey", order(vendor, **arguments),
                {"PURCHASE_ID": order_number(), "RUNNING_NO": "1"})


def refused(site, vendor, answer, codes=("5",)):
    """The refusal in the form of the vendor; returns its line. The log must have one too."""
    if vendor != "QlmAuthenticationProvider":
        return plain_refusal(site, answer, 400)
    assert answer.code in codes, answer
    return xml_refusal(site, answer, answer.code, "QLM1007")


# ---- creating keys

BAD = [
    ("is_productid", ["abc", "1x", "-1", "1.5", "99999999999999999999", "0x1", "1 2", "'1'", "\x01"]),
    ("is_majorversion", ["abc", "100", "-1", "1,0", "1.0"]),
    ("is_minorversion", ["abc", "100", "-1", "99999999999"]),
    ("is_quantity", ["0", "-1", "1000000000", "3x", "10000", "1.5", "NaN", "1e3", "٣", "99999999999999999999"]),
    ("is_numberofactivationsperkey", ["x", "-2", "1000000000"]),
    ("is_additionalactivations", ["x", "-1", "1000000000"]),
    ("is_usemultipleactivationskey", ["maybe", "2", "truee"]),
    ("is_floating", ["maybe", "2"]),
    ("is_features", ["9:1", "4:1", "0:256", "abc", "0:-1", "0:1:2", ":", "0:", ":1", "-1:1", "0:x", "0:99999999999"]),
    ("is_licensemodel", ["forever", "permanentt", "11"]),
    ("is_expdate", ["soon", "2090-13-01", "2090-02-30", "01/02/2090", "2090-1-1x", "0000-00-00", "20900101",
                    "99999-01-01", "2090-01-01 25:00:00"]),
    ("is_expduration", ["x", "-2", "1e9", "99999999999", "30d"]),
    ("is_maintduration", ["x", "-2", "99999999999"]),
    ("is_computertype", ["3", "-1", "PC"]),
    ("is_userdata1", ["a\x01b", "a\nb", "x" * 5000]),
    ("is_affiliateid", ["a\x00b", "x" * 5000]),
]


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("name, values", BAD, ids=[n for n, _ in BAD])
def test_malformed_arguments(site, vendor, name, values):
    if name == "is_quantity" and vendor != "QlmAuthenticationProvider":
        values = []  # shops state the quantity in their own field: tested with each of them
        with site.unchanged():
            answer = call(site, "GetActivationKey", order(vendor),
                          {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "QUANTITY": "0"})
            assert "QUANTITY" in plain_refusal(site, answer, 400)
    with site.unchanged():
        for value in values:
            more = {"is_maintenance_plan": "1"} if name == "is_maintduration" else {}
            mark = site.mark()
            line = refused(site, vendor, create(site, vendor, **{name: value, **more}))
            assert name in line, "%s=%r: %s" % (name, value, line)
            logged, = site.lines_since(mark, "QLM1007")
            assert name in logged.text


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("name", ["is_productid", "is_majorversion", "is_minorversion"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_product_arguments(site, vendor, name, value):
    with site.unchanged():
        line = refused(site, vendor, create(site, vendor, **{name: value}), codes=("208",))
        assert name in line


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("triple", [("77", "1", "0"), ("1", "9", "0"), ("1", "1", "9"), ("2", "1", "0"),
                                    ("999999999", "99", "99")])
def test_unknown_product(site, vendor, triple):
    number, major, minor = triple
    with site.unchanged():
        line = refused(site, vendor, create(site, vendor, is_productid=number, is_majorversion=major,
                                            is_minorversion=minor), codes=("218", "204"))
        assert number in line and "%s.%s" % (major, minor) in line


def test_too_many_activations(site):
    with site.unchanged():
        line = refused(site, VENDORS[0], create(site, VENDORS[0], is_quantity="9999",
                                                is_numberofactivationsperkey="10000"), codes=("5", "200", "208"))
        assert "activations" in line.lower()


# ---- validating

@pytest.mark.parametrize("method", ["ValidateLicenseHttp", "ActivateKey"])
@pytest.mark.parametrize("name, value, code, status", [
    ("is_pcid", "", "208", "8"), ("is_pcid", "x" * 256, "208", "8"), ("is_pcid", "é" * 256, "208", "8"),
    ("is_avkey", "", "206", "8"), ("is_avkey", "ABCDE", "203 205", "8"), ("is_avkey", "?" * 26, "203 205", "8"),
    ("is_avkey", "x" * 300, "205 5", "8"), ("is_productid", "abc", "5", "8"), ("is_majorversion", "abc", "5", "8"),
    ("is_minorversion", "-3", "5", "8"), ("is_productid", "2", "220 218", "24"),
    ("is_productid", "88", "218 220", "24"),
    ("is_sign", "maybe", "5", "8"), ("is_writebom", "maybe", "5", "8")])
def test_bad_validations(any_site, method, name, value, code, status):
    key = issue(any_site)
    mark = any_site.mark()
    any_site.allow("QLM1007")
    with any_site.unchanged():
        answer = validate(any_site, key, method=method, **({} if name == "is_pcid" else {name: value})) \
            if name != "is_pcid" else validate(any_site, key, value, method)
    assert answer.code in code.split() and answer.field("status") == status, answer
    one_line(answer.error)
    assert len(any_site.lines_since(mark, "QLM100[78]")) == 1


def test_is_activate_malformed(site):
    """An unreadable is_activate must not activate."""
    key = issue(site)
    with site.unchanged():
        answer = validate(site, key, is_activate="maybe")
        assert answer.code == "5" and "is_activate" in answer.error


def test_a_key_of_another_product(site):
    key = issue(site, is_productid="2", is_majorversion="2", is_minorversion="0")
    with site.unchanged():
        answer = validate(site, key)
        assert (answer.code, answer.field("status")) == ("220", "24")


def test_a_mistyped_key(site):
    key = normal(issue(site))
    swapped = next(key[:i] + key[i + 1] + key[i] + key[i + 2:] for i in range(5, 24) if key[i] != key[i + 1])
    with site.unchanged():
        assert validate(site, swapped).code == "205"


@pytest.mark.parametrize("key", ["'; DROP TABLE qlm_license; --", "' OR ''='", "%", "_" * 26, "\\", "%s%s%s%n", "{}",
                                 "../../etc/passwd", "<script>alert(1)</script>", "\u202e\u0000", "A" * 26 + "'"])
def test_hostile_texts_are_only_texts(site, key):
    good = issue(site)
    with site.unchanged():
        answer = validate(site, key, computer="' OR 1=1 --")
        assert answer.error and answer.field("status") == "8"
        assert "script" not in answer.error and "passwd" not in answer.error
    for text in ("'; DROP TABLE qlm_license; --", "%s%n", "]]>", "<b>"):
        answer = validate(site, issue(site, is_userdata1=text), computer=text, is_computer_name=text)
        assert (answer.field("computerID"), answer.field("computerName"), answer.field("userData")) == (text,) * 3
    assert validate(site, good).error is None


# ---- forms

def test_ten_thousand_arguments(site):
    many = "&".join("a%d=b" % i for i in range(10000))
    with site.unchanged():
        site.allow("QLM1007")
        for answer in (call(site, "GetActivationKey", order(), many), call(site, "ValidateLicenseHttp", None, many),
                       call(site, "PingHttp", None, many)):
            assert answer.status == 200
            assert "too many" in one_line(answer.error).lower() or "arguments" in answer.error
        answer = call(site, "GetActivationKey", order("cleverbridge"), "PURCHASE_ID=5&QUANTITY=1&" + many)
        plain_refusal(site, answer, 400)


def test_many_empty_pairs_are_nothing(site):
    assert call(site, "GetActivationKey", order(), "&" * 100000).licenses


def test_a_very_long_name(site):
    with site.unchanged():
        site.allow("QLM1007")
        answer = call(site, "GetActivationKey", order(), "x" * 5000 + "=1")
        one_line(answer.error)


@pytest.mark.parametrize("value", ["a%00b", "%00", "a%01b", "a%0d%0aSet-Cookie:x=y", "a%1b[31mred", "%7f", "a%08b"])
@pytest.mark.parametrize("name", ["is_userdata1", "is_avkey", "is_productid", "is_affiliateid", "is_vendor", "is_args"])
def test_nul_and_control_bytes(site, name, value):
    query = "&".join("%s=%s" % (k, v) for k, v in order().items() if k != name) + "&%s=%s" % (name, value)
    mark = site.mark()
    site.allow("QLM100[37]")
    if name in ("is_avkey",):
        answer = call(site, "ValidateLicenseHttp", query + "&is_pcid=x")
    else:
        answer = call(site, "GetActivationKey", query)
    if name == "is_args":  # an unknown name is ignored, whatever it is
        assert answer.status == 200
    else:
        assert answer.error and answer.code in ("5", "8", "203", "205"), answer
        one_line(answer.error)
    assert "set-cookie" not in answer.headers
    text = "".join(l.text for l in site.error_lines(mark))
    assert "\x1b" not in text and "Set-Cookie:x=y\n" not in text


def test_control_bytes_in_a_shops_fields_do_not_stop_an_order(site):
    """A buyer's name with control bytes is cleaned, not refused: the order is paid."""
    number = order_number()
    body = "PURCHASE_ID=%s&RUNNING_NO=1&QUANTITY=1&REG_NAME=An%%00na%%01+B%%0D%%0Aolt&EMAIL=a%s%%40b.example" % (number,
                                                                                                             number)
    assert call(site, "GetActivationKey", order("cleverbridge"), body).status == 200
    row, = site.query("SELECT c.* FROM qlm_customer c JOIN qlm_license l ON l.customer_id = c.id WHERE l.order_ref = ?",
                      number)
    assert not any(ord(c) < 32 for c in row["full_name"]) and row["full_name"].startswith("An")


def test_overlong_customer_texts_are_cut(site):
    number = order_number()
    form = {"PURCHASE_ID": number, "RUNNING_NO": "1", "QUANTITY": "1", "REG_NAME": "Ж" * 5000, "CITY": "C" * 5000,
            "EMAIL": "e" * 5000 + "@b.example"}
    site.allow("QLM1009")
    assert call(site, "GetActivationKey", order("cleverbridge"), form).status == 200
    row, = site.query("SELECT c.* FROM qlm_customer c JOIN qlm_license l ON l.customer_id = c.id WHERE l.order_ref = ?",
                      number)
    assert all(len(str(v).encode()) <= 1000 for v in row.values())
    assert set(row["full_name"]) == {"Ж"}


@pytest.mark.parametrize("number", ["x" * 5000, "a\nb", "a\x00b"])
@pytest.mark.parametrize("field", ["PURCHASE_ID", "RUNNING_NO"])
def test_unusable_order_numbers(site, field, number):
    """An order number that cannot be stored as it is could make two orders one: refused, or kept apart."""
    site.allow("QLM100[79]")
    form = {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "QUANTITY": "1"}
    first = call(site, "GetActivationKey", order("cleverbridge"), {**form, field: number + "1"})
    second = call(site, "GetActivationKey", order("cleverbridge"), {**form, field: number + "2"})
    if first.status == 200:
        assert second.status == 200 and first.text != second.text
    else:
        assert first.status == second.status == 400
        plain_refusal(site, first, 400)


@pytest.mark.parametrize("content_type", ["application/json", "text/xml", "application/xml; charset=utf-8",
                                          "multipart/form-data; boundary=x"])
def test_bodies_that_are_no_forms(site, content_type):
    """They supply no arguments; what the URL says still counts."""
    body = b'{"is_quantity": 5}\x00<?xml is_quantity=5&is_userdata1=fromxml?>--x'
    answer = call(site, "GetActivationKey", order(), body, headers={"Content-Type": content_type})
    key = answer.licenses[0]
    seen = validate(site, key)
    assert (seen.field("numActivationsAllowed"), seen.field("userData")) == ("1", "")


def test_no_answer_shows_the_inside(site):
    """No path, no SQL, no word of the database in any refusal."""
    site.allow("QLM100[37]")
    answers = [create(site, v, **{name: values[0]}) for v in VENDORS for name, values in BAD]
    answers += [validate(site, k) for k in ("", "x", "A" * 26)] + [call(site, "Nothing"), call(site, "", verb="PUT")]
    refusals = [a for a in answers if b"error" in a.body.lower()]
    assert len(refusals) > len(answers) / 2
    for answer in refusals:
        # digests and signatures are random letters: anything may turn up in them
        text = re.sub("<(digest|signature)value>[^<]*", "", answer.body.decode().lower())
        for word in ("sqlite", "select ", "insert ", str(site.root), "qlm_license", ".c:", "stack", "/usr/", "0x"):
            assert word not in text, (word, answer)


def test_garbage_on_the_wire(site):
    """httpd itself refuses these; nothing reaches the database and the server lives on."""
    site.allow("AH|core:error")
    with site.unchanged():
        for data in (b"\x00" * 100 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n",
                     b"GET " + ASMX.encode() + b"/PingHttp?\xff\xfe HTTP/1.0\r\n\r\n", b"\r\n\r\n\r\n"):
            raw(site, data, finish=True)
    assert call(site, "PingHttp").status == 200


def test_the_triple_may_be_incomplete_when_validating(site):
    """Product arguments are recommended, not required: an incomplete triple is no check."""
    key = issue(site)
    assert call(site, "ValidateLicenseHttp", {"is_avkey": key, "is_pcid": "PC-1",
                                              "is_productid": PRODUCT["is_productid"]}).error is None
