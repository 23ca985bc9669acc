"""Product properties: defined by qlmctl, set by is_pp, shown in the signed document."""
import re

import pytest
from lxml import etree

from client import activate, call, issue, normal, order, order_number, report, validate, verify

UNSET = "0001-01-01 00:00:00"
ATTRIBUTES = ["ID", "name", "category", "defaultValue", "value", "type", "help", "lastDefinitionUpdate",
              "lastValueUpdate", "expiryDate", "operation"]
DEFINED = [("limits.seats", "int", "5"), ("limits.credits", "int", ""), ("modules.qa", "bool", "false"),
           ("modules.title", "string", "none"), ("net.host", "ipAddress", ""), ("net.range", "ipSubnet", ""),
           ("net.names", "csv", "")]


@pytest.fixture(scope="module")
def defined(event_site):
    """The shared server with properties of product 1 version 1.0, for the tests of this file."""
    for name, kind, default in DEFINED:
        event_site.ctl("product", "property", "set", "1.1.0", name, "type=" + kind, "default=" + default,
                       "help=About <%s>" % name)
    yield event_site
    for name, _, _ in DEFINED:
        event_site.ctl("product", "property", "remove", "1.1.0", name)


def properties(answer):
    """What the document says: {category.name: attributes}."""
    text = answer.field("productProperties")
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?><ProductProperties><Property ')
    root = etree.fromstring(text.encode())
    assert root.tag == "ProductProperties"
    assert all(list(row.attrib) == ATTRIBUTES and row.tag == "Property" for row in root)
    return {row.get("category") + "." + row.get("name"): dict(row.attrib) for row in root}


def values(answer):
    return {name: row["value"] for name, row in properties(answer).items()}


def stored(site, key):
    return site.query("SELECT properties FROM qlm_license WHERE activation_key = ?", normal(key))[0]["properties"]


# ---- the document

def test_the_document_shows_values_and_defaults(defined):
    key = issue(defined, is_pp="limits.seats::7||modules.QA::True::2099-12-31||net.host::2001:db8::7")
    answer = validate(defined, key)
    assert answer.error is None and "<ProductProperties>" not in answer.text and "&lt;Property" in answer.text
    assert verify(answer.body, defined.template.public_keys[(1, "1.0")])
    assert answer.names.index("productProperties") == answer.names.index("userData") + 1
    assert values(answer) == {"limits.seats": "7", "limits.credits": "", "modules.qa": "true",
                              "modules.title": "none", "net.host": "2001:db8::7", "net.range": "", "net.names": ""}
    rows = properties(answer)
    assert re.fullmatch(r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", rows["limits.seats"]["ID"])
    assert len({row["ID"] for row in rows.values()}) == len(DEFINED)
    assert rows["limits.seats"]["defaultValue"] == "5" and rows["limits.seats"]["type"] == "int"
    assert rows["limits.seats"]["help"] == "About <limits.seats>"
    assert rows["limits.seats"]["expiryDate"] == UNSET and rows["limits.seats"]["lastValueUpdate"] != UNSET
    assert rows["modules.qa"]["expiryDate"] == "2099-12-31 23:59:59"
    assert rows["modules.title"]["lastValueUpdate"] == UNSET
    assert all(row["operation"] == "None" and row["lastDefinitionUpdate"] > "2020" for row in rows.values())


@pytest.mark.parametrize("value", ["<&>\"'", "]]>", "Zoë 電腦 🖥️", "a;b&c=d %41 100%", "a | b", "x" * 1000])
def test_any_text_survives(defined, value):
    key = issue(defined, is_pp="modules.title::%s||net.names::b" % value)
    answer = validate(defined, key)
    assert values(answer)["modules.title"] == value
    assert verify(answer.body, defined.template.public_keys[(1, "1.0")])


def test_no_properties_no_element(site):
    key = issue(site, is_productid="2", is_majorversion="2")
    assert validate(site, key, is_productid="2", is_majorversion="2").field("productProperties") is None


def test_an_expired_value_is_the_default_again(defined):
    key = issue(defined, is_pp="limits.seats::7::2020-01-01||modules.qa::true::2020-01-01 00:00:00")
    row = properties(validate(defined, key))["limits.seats"]
    assert (row["value"], row["expiryDate"], row["lastValueUpdate"]) == ("5", UNSET, UNSET)


def test_a_new_definition_shows_at_once(defined):
    key = issue(defined, is_pp="limits.seats::7")
    before = properties(validate(defined, key))
    defined.ctl("product", "property", "set", "1.1.0", "limits.seats", "default=9")
    defined.ctl("product", "property", "set", "1.1.0", "late.comer", "type=bool", "default=yes")
    try:
        after = properties(activate(defined, key))
        assert (after["limits.seats"]["value"], after["limits.seats"]["defaultValue"]) == ("7", "9")
        assert after["limits.seats"]["ID"] == before["limits.seats"]["ID"]
        assert after["late.comer"]["value"] == "true"
        assert values(validate(defined, issue(defined)))["limits.seats"] == "9"
    finally:
        defined.ctl("product", "property", "remove", "1.1.0", "late.comer")
        defined.ctl("product", "property", "set", "1.1.0", "limits.seats", "default=5")


def test_a_report_and_a_validation_show_the_same(defined):
    key = issue(defined, is_pp="limits.seats::7")
    first = report(defined, key).field("productProperties")
    again = validate(defined, key)
    assert again.field("productProperties") == first
    with defined.unchanged():
        answer = validate(defined, key, is_pckey=again.field("pckey"))
    assert answer.field("productProperties") == first


# ---- orders

def test_numbers_are_added_to_the_default(defined):
    key = issue(defined, is_pp="limits.seats::+2||limits.credits::+10||limits.credits::-3")
    found = values(validate(defined, key))
    assert (found["limits.seats"], found["limits.credits"]) == ("7", "7")


def test_a_renewal_by_the_shop_adds_once(defined):
    def deliver(**more):
        return call(defined, "GetActivationKey",
                    order("shareit", is_licensemodel="subscription", is_expduration="30",
                          is_pp="limits.credits::+100"),
                    {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "PRODUCT_ID": "300555001", "QUANTITY": "1",
                     "REG_NAME": "Jan Nowak", "EMAIL": "jan@nowak.example", **more})

    first = deliver().text
    renewal = {"PURCHASE_ID": order_number(), "ORIGINAL_KEY": first}
    for _ in range(2):
        assert deliver(**renewal).text == first
        assert values(report(defined, first))["limits.credits"] == "200"


@pytest.mark.parametrize("bad, says", [
    ("limits.modul::3", "no such property"), ("limits.seats::many", "whole number"), ("limits.seats", "category.name"),
    ("modules.qa::maybe", "true or false"), ("net.host::example.com", "IP address"),
    ("limits.seats::1::tomorrow", "date"), ("limits.seats::2147483647||limits.seats::+1", "range"),
    ("modules.title::" + "x" * 1001, "1000 bytes"), ("limits.seats:: 2", "%2B"),
])
def test_a_paid_order_is_served_and_the_bad_entry_left_out(defined, bad, says):
    number = order_number()
    defined.expect(r"QLM1009: .*is_pp.*%s.*left out" % says)
    key = issue(defined, orderNumber=number, is_pp=bad + "||modules.title::kept")
    with defined.unchanged():
        assert issue(defined, orderNumber=number, is_pp=bad + "||modules.title::kept") == key
    found = values(validate(defined, key))
    assert found["modules.title"] == "kept"
    assert found["limits.seats"] in ("5", "2147483647")


def test_more_entries_than_anybody_needs(defined):
    defined.expect(r"QLM1009: .*at most 500")
    answer = call(defined, "GetActivationKey", order(), form={"is_pp": "seats::+1||" * 1200})
    assert answer.status == 200
    assert values(validate(defined, answer.licenses[0]))["limits.seats"] == "505"


def test_sold_before_the_properties_were_defined(site):
    site.expect(r"QLM1009: .*is_pp has no effect yet")
    key = issue(site, is_majorversion="2", is_pp="limits.seats::7||other.thing::x")
    assert stored(site, key) == "limits.seats::7||other.thing::x"
    site.ctl("product", "property", "set", "1.2.0", "limits.seats", "type=int", "default=5")
    try:
        assert values(validate(site, key, is_majorversion="2")) == {"limits.seats": "7"}
    finally:
        site.ctl("product", "property", "remove", "1.2.0", "limits.seats")


def test_the_event_carries_the_xml(defined):
    with defined.properties(webHooksEnabled="true", license_created="https://hook.example/x"):
        key = issue(defined, is_pp="limits.seats::7")
        payload = defined.query("SELECT id, payload FROM qlm_outbox WHERE kind = 'webhook' ORDER BY id DESC")[0]
        defined.ctl("outbox", "cancel", payload["id"])
    assert normal(key) in payload["payload"]
    assert r'<Property ID=\"' in payload["payload"] and r'value=\"7\" type=\"int\"' in payload["payload"]


# ---- qlmctl

def ctl_refusal(site, *words):
    done = site.ctl("product", "property", *words, check=False)
    assert done.returncode != 0
    return done.stderr


def test_list_set_remove(defined):
    rows = defined.ctl_json("product", "property", "list", "1.1.0")
    assert [(r["category"] + "." + r["name"], r["type"], r["default"]) for r in rows] == sorted(DEFINED)
    text = defined.ctl("product", "property", "list", "1.1.0").stdout
    assert re.search(r"^limits +seats +int +5 +About <limits.seats>$", text, re.M)
    assert defined.ctl("product", "property", "list", "2.2.0").stdout == "none\n"
    made = defined.ctl_json("product", "property", "set", "1.1.0", "Limits.SEATS", "help=new")
    assert (made["default"], made["help"], made["guid"]) == ("5", "new", rows[1]["guid"])
    assert len(defined.ctl_json("product", "property", "list", "1.1.0")) == len(DEFINED)
    defined.ctl("product", "property", "set", "1.1.0", "limits.seats", "help=About <limits.seats>")


@pytest.mark.parametrize("words, says", [
    (["set", "1.1.0", "a.b", "default=1"], "a new property needs a type"),
    (["set", "1.1.0", "a.b", "type=float"], "there is no type float; the types are int, bool"),
    (["set", "1.1.0", "a.b", "type=int", "default=x"], "the default x does not fit type int"),
    (["set", "1.1.0", "limits.seats", "type=bool"], "the default 5 does not fit type bool"),
    (["set", "1.1.0", "a.", "type=int"], "is no name of a product property"),
    (["set", "1.1.0", "a.b|c", "type=int"], "is no name of a product property"),
    (["set", "1.1.0", "a.b", "size=1"], "is not a field of a product property"),
    (["set", "1.1.0", "a.b"], "product property set needs"),
    (["set", "1.1", "a.b", "type=int"], "is not PRODUCT.MAJOR.MINOR"),
    (["set", "9.9.9", "a.b", "type=int"], "there is no product 9 version 9.9"),
    (["list"], "product property list needs"),
    (["remove", "1.1.0", "a.b"], "there is no product property a.b"),
    (["frob", "1.1.0"], "there is no command product property"),
])
def test_refusals_of_the_command_line(defined, words, says):
    with defined.unchanged():
        assert says in ctl_refusal(defined, *words)


def test_help(site):
    assert "Define a product property" in site.ctl("product", "--help").stdout
    assert "type=int|bool|string" in site.ctl("product", "property", "set", "--help").stdout


def test_key_create_says_what_was_left_out(defined):
    made = defined.ctl_json("key", "create", "--product", "1", "--version", "1.0",
                            "is_pp=limits.modul::3||limits.seats::7")
    assert re.fullmatch("is_pp entry limits.modul::3 is not usable: .*left out", made["oddity"])
    assert values(validate(defined, made["keys"][0]))["limits.seats"] == "7"


def test_key_show(defined):
    key = issue(defined, is_pp="limits.seats::7::2099-12-31")
    shown = defined.ctl_json("key", "show", key)["product_properties"]
    assert len(shown) == len(DEFINED)
    seats = [row for row in shown if row["name"] == "seats"][0]
    assert (seats["value"], seats["is_set"], seats["expires_at"]) == ("7", True, "2099-12-31T23:59:59Z")
    title = [row for row in shown if row["name"] == "title"][0]
    assert (title["value"], title["is_set"], title["updated_at"]) == ("none", False, None)
    text = defined.ctl("key", "show", key).stdout
    assert re.search(r"^product properties:$", text, re.M) and "limits.seats" not in text
