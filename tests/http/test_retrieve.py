"""RetrieveActivationKeyHttp: keys by order and user data, as XML and JSON, and whose they are."""
import json

import pytest

from client import ASMX, CREDENTIALS, PRODUCT, call, encode, issue, issue_all, order_number, xml_refusal
from test_strict import sign


def retrieve(site, vendor="QlmAuthenticationProvider", **more):
    return call(site, "RetrieveActivationKeyHttp", {"is_vendor": vendor, **CREDENTIALS, **more})


def buy(site, number):
    """An order at a shop; its key."""
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1", "EMAIL": "ann@customer.example"})
    assert made.status == 200, made
    return made.text


def test_by_order(any_site):
    number = order_number()
    keys = issue_all(any_site, orderNumber=number, is_quantity="3", is_usemultipleactivationskey="false")
    answer = retrieve(any_site, is_orderid=number)
    assert answer.licenses == keys
    assert retrieve(any_site, is_orderID=number, is_format="XML").body == answer.body
    assert json.loads(retrieve(any_site, is_orderid=number, is_format="json").body) == {
        "QuickLicenseManager": {"licenses": [{"activationKey": key} for key in keys]}}


def test_by_user_data(site):
    mine, number = "wizard-" + order_number(), order_number()
    key = issue(site, orderNumber=number, is_userdata1=mine)
    issue(site, orderNumber=order_number(), is_userdata1="other")
    assert retrieve(site, is_userdata1=mine).licenses == [key]
    assert retrieve(site, is_userdata1=mine, is_orderid=number).licenses == [key]
    xml_refusal(site, retrieve(site, is_userdata1=mine, is_orderid=order_number()), 203)
    xml_refusal(site, retrieve(site, is_userdata1="other", is_orderid=number), 203)
    xml_refusal(site, retrieve(site, is_userdata1=mine.upper()), 203)


@pytest.mark.sqlite_only("it asks SQLite for its plan")
def test_user_data_is_found_by_an_index(site):
    plan = site.query("EXPLAIN QUERY PLAN SELECT * FROM qlm_license l WHERE l.user_data = 'x'"
                      " AND ('' = '' OR l.vendor = '') ORDER BY l.id LIMIT 5")
    assert any("qlm_license_user_data" in row["detail"] for row in plan), plan


def test_a_shop_sees_its_own_orders(site):
    number = order_number()
    mine = buy(site, number)
    ours = issue(site, orderNumber=number)
    answer = retrieve(site, "cleverbridge", is_orderid=number)
    assert answer.licenses == [mine]  # XML, though the shop's own answers are plain text
    assert retrieve(site, is_orderid=number).licenses == [mine, ours]
    xml_refusal(site, retrieve(site, "shareit", is_orderid=number), 203)


def test_revoked_keys_are_left_out(site):
    number = order_number()
    keys = issue_all(site, orderNumber=number, is_quantity="2", is_usemultipleactivationskey="false")
    site.ctl("key", "revoke", keys[0])
    assert retrieve(site, is_orderid=number).licenses == keys[1:]
    site.ctl("key", "revoke", keys[1])
    xml_refusal(site, retrieve(site, is_orderid=number), 203)


def test_the_sample_with_the_stray_bracket(site):
    number = order_number()
    key = issue(site, orderNumber=number)
    assert retrieve(site, "QlmAuthenticationProvider>", is_orderid=number).licenses == [key]


def test_a_refusal_in_json(site):
    answer = retrieve(site, is_orderid="none", is_format="JSON")
    assert (answer.status, answer.type) == (200, "application/json")
    assert json.loads(answer.body)["QuickLicenseManager"]["errorCode"] == 203
    assert json.loads(answer.body)["QuickLicenseManager"]["error"]


@pytest.mark.parametrize("fields, code", [
    ({}, 208), ({"is_orderid": " "}, 208), ({"is_orderid": "x" * 256}, 5), ({"is_orderid": "a\nb"}, 5),
    ({"is_userdata1": "x" * 1001}, 5), ({"is_orderid": "1", "is_format": "yaml"}, 5),
    ({"is_orderid": "1", "is_format": "<x>" * 10}, 5), ({"is_orderid": "' OR ''='"}, 203),
    ({"is_orderid": "%"}, 203), ({"is_userdata1": "%"}, 203), ({"is_userdata1": "\u00e4\U0001f600"}, 203)])
def test_refused(site, fields, code):
    with site.unchanged():
        xml_refusal(site, retrieve(site, **fields), code)


def test_credentials_and_switch(site):
    number = order_number()
    issue(site, orderNumber=number)
    with site.unchanged():
        xml_refusal(site, retrieve(site, is_orderid=number, is_pwd="wrong"), 8)
        xml_refusal(site, call(site, "RetrieveActivationKeyHttp", {"is_orderid": number}), 8)
    with site.properties(enableRetrieveActivationKeyHttp="false"):
        xml_refusal(site, retrieve(site, is_orderid=number), 7)


def test_unless_told_otherwise_it_must_be_signed(site):
    number = order_number()
    key = issue(site, orderNumber=number)
    query = encode({"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS, "is_orderid": number})
    target = "%s/RetrieveActivationKeyHttp?%s" % (ASMX, query)
    site.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=-", stdin="the-api-key\n")
    with site.properties(strictAuthenticationHttpMethods=""):
        xml_refusal(site, retrieve(site, is_orderid=number), 8)
        headers = sign("http://127.0.0.1:%d%s" % (site.port, target), "the-api-key")
        assert call(site, "RetrieveActivationKeyHttp", query, headers=headers).licenses == [key]
    site.ctl("vendor", "set", "QlmAuthenticationProvider", "api_key=")
