"""qlmctl import, export and key history: what another license server knew goes on working here."""
import base64
import json
import subprocess

import pytest
from lxml import etree

from client import CREDENTIALS, activate, call, issue, order_number, report, validate, verify, xml_refusal
from conftest import running


@pytest.fixture(scope="module")
def site(template):
    """A server of its own: where foreign keys are known, a mistyped one is no longer told from them."""
    yield from running(template, "event")


def table(path, columns, *rows):
    """A CSV file; returns its path."""
    lines = [",".join(columns)] + [",".join('"%s"' % str(row.get(c, "")).replace('"', '""') for c in columns)
                                   for row in rows]
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    return path


def licenses(path, *rows):
    base = {"ProductID": "1", "MajorVersion": "1", "MinorVersion": "0", "NumLicenses": "1"}
    columns = list(dict.fromkeys(["ActivationKey", *base, *(c for row in rows for c in row)]))
    return table(path, columns, *({**base, **row} for row in rows))


def load(site, *words, code=0):
    done = site.ctl("--json", "import", *words, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout)["files"]


def key():
    """A key no other test has, of a shape that is not ours."""
    return "XQ" + order_number() + "FOREIGN"


def test_a_foreign_key_works_on(site, tmp_path):
    one, many = key(), key()
    file = licenses(tmp_path / "licenses.csv",
                    {"ActivationKey": one, "ComputerID": "Büro 7", "ComputerName": "Büro", "ComputerKey": "UOLDKEY1",
                     "Email": "ann@import.example", "FullName": "Ann \"A\" Import", "ActivationDate": "2023-02-03",
                     "Features": "0:7;", "OrderID": "O-1", "UserData1": "line 1\nline 2"},
                    {"ActivationKey": many, "NumLicenses": "3", "LicenseModel": "3",
                     "SubscriptionExpiryDate": "2099-01-31 00:00:00"})
    log = table(tmp_path / "log.csv", ["ActivationKey", "ComputerID", "ComputerName", "ComputerKey", "ActivationDate"],
                {"ActivationKey": many, "ComputerID": "PC-9", "ComputerKey": "JOLDKEY9",
                 "ActivationDate": "2023-05-06T07:08:09.123+02:00"})
    first, second = load(site, file, log)
    assert (first["kind"], first["rows"], first["added"], first["refused"]) == ("licenses", 2, 2, [])
    assert (second["kind"], second["added"]) == ("activations", 1)
    seen = validate(site, one, "Büro 7", is_pckey="UOLDKEY1")
    assert seen.error is None and seen.field("pckey") == "UOLDKEY1" and seen.field("features") == "0:7;"
    assert seen.field("userFullName") == 'Ann "A" Import' and seen.field("activationDate") == "2023-02-03 00:00"
    xml_refusal(site, activate(site, one, "another computer"), 207)
    seen = report(site, many)
    assert (seen.field("licenseModel"), seen.field("availableLicenses")) == ("subscription", "2")
    assert seen.field("expiryDate") == "2099-01-31 23:59"
    assert validate(site, many, "PC-9", is_pckey="JOLDKEY9").field("activationDate") == "2023-05-06 05:08"
    assert activate(site, many, "PC-10").field("availableLicenses") == "1"


def test_again_changes_nothing(site, tmp_path):
    file = licenses(tmp_path / "l.csv", {"ActivationKey": key(), "ComputerID": "PC-1", "Email": "bo@import.example"})
    assert load(site, file)[0]["added"] == 1
    with site.unchanged():
        again, = load(site, file)
    assert (again["added"], again["known"], again["refused"]) == (0, 1, [])


def test_a_trial_stores_nothing(site, tmp_path):
    file = licenses(tmp_path / "l.csv", {"ActivationKey": key()})
    with site.unchanged():
        assert load(site, "--dry-run", file)[0]["added"] == 1


@pytest.mark.parametrize("row, says", [
    ({"ActivationKey": ""}, "ActivationKey"),
    ({"ActivationKey": "K" * 200}, "ActivationKey"),
    ({"ProductID": "4711"}, "not defined"),
    ({"ProductID": "one"}, "ProductID"),
    ({"NumLicenses": "-1"}, "NumLicenses"),
    ({"NumLicenses": "1e3"}, "NumLicenses"),
    ({"NumLicenses": "0", "ComputerID": "PC"}, "NumLicenses"),
    ({"SubscriptionExpiryDate": "31.12.2030"}, "--date-format"),
    ({"SubscriptionExpiryDate": "2030-02-30"}, "SubscriptionExpiryDate"),
    ({"OrderDate": "2030-02-03T04:05:06+1:00"}, "OrderDate"),
    ({"LicenseModel": "eternal"}, "LicenseModel"),
    ({"Features": "9:1"}, "Features"),
    ({"Disabled": "maybe"}, "Disabled"),
    ({"OrderID": "x" * 300}, "OrderID"),
    ({"ComputerID": "x" * 300}, "computer id"),
    ({"Email": "x" * 300}, "Email"),
    ({"Properties": "<ProductProperties><Property"}, "Properties"),
    ({"Properties": '<!DOCTYPE a><ProductProperties/>'}, "Properties"),
    ({"Properties": '<ProductProperties><Property category="a" name="b" value="1||x.y::2"/></ProductProperties>'}, "||"),
])
def test_a_bad_row_is_refused_and_named(site, tmp_path, row, says):
    good = key()
    file = licenses(tmp_path / "l.csv", {"ActivationKey": key(), **row}, {"ActivationKey": good})
    result, = load(site, file, code=1)
    refusal, = result["refused"]
    assert refusal["row"] == 1 and says in refusal["reason"], refusal
    assert result["added"] == 1
    assert report(site, good).error is None


@pytest.mark.parametrize("text, says", [
    ("", "no columns"),
    ("ActivationKey,ActivationKey\r\n", "twice"),
    ("ActivationKey,ProductID\r\nA\r\n", "fewer"),
    ("ActivationKey,ProductID\r\nA,1,2\r\n", "more values"),
    ('ActivationKey,ProductID\r\n"A,1\r\n', "no CSV"),
    ("ActivationKey,ProductID\r\nA\x01,1\r\n", "control"),
    ("Colour,Taste\r\nred,sweet\r\n", "--kind"),
    ("<a><b><ActivationKey>A</ActivationKey></b>", "well-formed"),
    ('<!DOCTYPE a [<!ENTITY x "y">]><a><b><ActivationKey>&x;</ActivationKey></b></a>', "DTD"),
    (b"ActivationKey,FullName\r\nA,M\xfcller\r\n", "UTF-8"),
])
def test_an_unusable_file_is_refused_whole(site, tmp_path, text, says):
    path = tmp_path / "file"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with site.unchanged():
        done = site.ctl("import", path, check=False)
    assert done.returncode in (1, 2) and says in done.stderr, done


def test_a_data_set_in_xml(site, tmp_path):
    one = key()
    path = tmp_path / "l.xml"
    path.write_text('\ufeff<?xml version="1.0" standalone="yes"?><DocumentElement><schema><x/></schema>'
                    "<qryLicenseInfo><ActivationKey>%s</ActivationKey><ProductID>1</ProductID>"
                    "<MajorVersion>1</MajorVersion><MinorVersion>0</MinorVersion><NumLicenses>2</NumLicenses>"
                    "<FullName>M&amp;M &lt;b&gt;</FullName><Email>mm@import.example</Email>"
                    "<OrderDate>2023-10-29T13:14:26+02:00</OrderDate><GenericLicense>false</GenericLicense>"
                    "</qryLicenseInfo></DocumentElement>" % one, encoding="utf-8")
    assert load(site, path)[0]["added"] == 1
    seen = report(site, one)
    assert seen.field("userFullName") == "M&M <b>" and seen.field("numActivationsAllowed") == "2"


def test_seats_are_not_oversold_by_a_log(site, tmp_path):
    one = key()
    load(site, licenses(tmp_path / "l.csv", {"ActivationKey": one, "NumLicenses": "2"}))
    log = table(tmp_path / "log.csv", ["ActivationKey", "ComputerID"],
                *({"ActivationKey": one, "ComputerID": "PC-%d" % i} for i in range(3)))
    result, = load(site, log, code=1)
    assert result["added"] == 2 and "active on other computers" in result["refused"][0]["reason"]
    assert site.ctl("db", "check").returncode == 0
    unknown = table(tmp_path / "u.csv", ["ActivationKey", "ComputerID"], {"ActivationKey": key(), "ComputerID": "PC"})
    assert "import the licenses first" in load(site, unknown, code=1)[0]["refused"][0]["reason"]


def test_any_shop_may_name_an_imported_subscription(site, tmp_path):
    one, other, number = key(), key(), order_number()
    load(site, licenses(tmp_path / "l.csv", {"ActivationKey": one, "ReceiptID": number}))
    load(site, "--vendor", "shareit", licenses(tmp_path / "m.csv", {"ActivationKey": other, "ReceiptID": number}))
    answer = call(site, "RevokeLicenseHttp", {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS,
                                              "subscriptionid": number})
    assert answer.error is None
    xml_refusal(site, validate(site, one), 201)
    assert validate(site, other).error is None


def test_product_properties_in_xml(new_site, tmp_path):
    site = new_site()
    for name, kind, default in (("limits.seats", "int", "1"), ("look.title", "string", "None")):
        site.ctl("product", "property", "set", "1.1.0", name, "type=" + kind, "default=" + default)
    one = key()
    load(site, licenses(tmp_path / "l.csv", {"ActivationKey": one, "Properties":
         '<?xml version="1.0" encoding="utf-8"?><ProductProperties>'
         '<Property ID="{1}" name="seats" category="limits" value="7" type="int"/>'
         '<Property ID="{2}" name="title" category="look" value="A &amp; &lt;B&gt;" type="string"/></ProductProperties>'}))
    properties = etree.fromstring(report(site, one).field("productProperties").encode())
    assert {p.get("name"): p.get("value") for p in properties} == {"seats": "7", "title": "A & <B>"}


def test_dates_by_a_pattern(site, tmp_path):
    one = key()
    file = licenses(tmp_path / "l.csv", {"ActivationKey": one, "SubscriptionExpiryDate": "12/31/2098"})
    load(site, "--date-format", "M/d/yyyy", file)
    assert report(site, one).field("expiryDate") == "2098-12-31 23:59"


# ---- products

def integers(der):
    """The numbers of a PKCS#1 key (RFC 8017 A.1.2): version, n, e, d, p, q, dp, dq, qinv."""
    def length(at):
        if der[at] < 0x80:
            return der[at], at + 1
        size = der[at] & 0x7f
        return int.from_bytes(der[at + 1:at + 1 + size], "big"), at + 1 + size
    _, at = length(1)
    found = []
    while at < len(der):
        assert der[at] == 2
        size, at = length(at + 1)
        found.append(der[at:at + size].lstrip(b"\0"))
        at += size
    return found


@pytest.fixture(scope="module")
def pair():
    """An RSA key as .NET writes it, and its public half for the verifier."""
    pem = subprocess.run(["openssl", "genrsa", "1024"], capture_output=True, check=True).stdout
    der = subprocess.run(["openssl", "rsa", "-traditional", "-outform", "DER"], input=pem, capture_output=True,
                         check=True).stdout
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=pem, capture_output=True, check=True).stdout.decode()
    names = ["Modulus", "Exponent", "D", "P", "Q", "DP", "DQ", "InverseQ"]
    parts = dict(zip(names, (base64.b64encode(n).decode() for n in integers(der)[1:])))
    return parts, public


def key_value(parts):
    return "<RSAKeyValue>%s</RSAKeyValue>" % "".join("<%s>%s</%s>" % (n, v, n) for n, v in parts.items())


def product_file(path, number, value):
    return table(path, ["Name", "ID", "Major", "Minor", "ReleaseDate", "LicenseFileKey"],
                 {"Name": "Imported", "ID": number, "Major": "7", "Minor": "1", "ReleaseDate": "2022-03-04",
                  "LicenseFileKey": value})


def test_a_product_signs_with_its_own_key(new_site, tmp_path, pair):
    site = new_site()
    parts, public = pair
    file = product_file(tmp_path / "p.csv", 77, key_value(parts))
    assert load(site, file)[0]["added"] == 1
    with site.unchanged():
        assert load(site, file)[0]["known"] == 1
    made = issue(site, is_productid="77", is_majorversion="7", is_minorversion="1")
    seen = validate(site, made, is_productid="77", is_majorversion="7", is_minorversion="1")
    assert seen.error is None and verify(seen.body, public)


@pytest.mark.parametrize("change", [
    lambda parts: {k: v for k, v in parts.items() if k != "Q"},
    lambda parts: {**parts, "D": parts["P"]},
    lambda parts: {**parts, "Modulus": "!!!"},
    lambda parts: {},
])
def test_a_broken_pair_is_refused(site, tmp_path, pair, change):
    file = product_file(tmp_path / "p.csv", 78, key_value(change(pair[0])))
    with site.unchanged():
        assert "RSA key pair" in load(site, file, code=1)[0]["refused"][0]["reason"]


# ---- export and history

def test_what_is_exported_can_be_imported(site, new_site, tmp_path):
    number = order_number()
    kept = issue(site, orderNumber=number, is_quantity="2", email="eve@import.example", name="Eve, \"E\"",
                 is_features="0:3;1:1", is_expdate="2097-05-06", is_userdata1="x;y")
    pckey = activate(site, kept, "PC-Ä").field("pckey")
    files = []
    for kind in ("customers", "licenses", "activations"):
        path = tmp_path / (kind + ".csv")
        path.write_text(site.ctl("export", kind).stdout, encoding="utf-8")
        files.append(path)
    other = new_site()
    for path in files:  # whatever other tests have left is in the files too; ours must be usable
        load_any = other.ctl("--json", "import", path, check=False)
        assert load_any.returncode in (0, 1), load_any
    seen = validate(other, kept, "PC-Ä", is_pckey=pckey)
    assert seen.error is None, seen
    for name in ("features", "expiryDate", "userFullName", "userData", "numActivationsAllowed", "availableLicenses",
                 "pckey", "licenseModel"):
        assert seen.field(name) == validate(site, kept, "PC-Ä", is_pckey=pckey).field(name), name
    assert other.ctl("db", "check").returncode == 0


def test_history_of_a_key(site):
    made = issue(site)
    activate(site, made, "PC-H")
    site.ctl("key", "revoke", made)
    site.ctl("key", "revoke", "--undo", made)
    rows = site.ctl_json("key", "history", made)
    assert [row["event"] for row in rows] == ["restored", "revoked", "activated", "created"]
    assert rows[0]["changes"]["Disabled"] == ["true", "false"] and rows[1]["method"] == "qlmctl key revoke"
    assert rows[2]["computer_id"] == "PC-H" and rows[2]["address"] == "127.0.0.1"
    text = site.ctl("key", "history", made).stdout
    assert "Disabled: false -> true" in text and "WHEN" in text
    assert len(site.ctl_json("key", "history", "--limit", "1", made)) == 1
    assert site.ctl("key", "history", "A0000", check=False).returncode == 1
