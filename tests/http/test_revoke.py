"""RevokeLicenseHttp: by key, by order, by subscription; restoring; history and refusals."""
import json

import pytest

from client import (CREDENTIALS, PRODUCT, activate, call, issue, issue_all, normal, order_number, plain_refusal,
                    validate, xml_refusal)


def revoke(site, vendor="QlmAuthenticationProvider", **more):
    return call(site, "RevokeLicenseHttp", {"is_vendor": vendor, **CREDENTIALS, **more})


def history(site, key):
    return site.query("SELECT h.* FROM qlm_history h JOIN qlm_license l ON l.id = h.license_id"
                      " WHERE l.activation_key = ? ORDER BY h.id", normal(key))


def test_revoked_and_restored(any_site):
    key = issue(any_site)
    assert activate(any_site, key).error is None
    answer = revoke(any_site, is_avkey=key)
    assert answer.error is None
    assert answer.field("result") == "Successfully updated license information for ActivationKey=%s." % key
    xml_refusal(any_site, validate(any_site, key), 201)
    xml_refusal(any_site, activate(any_site, key, "PC-2"), 201)
    assert revoke(any_site, is_avkey=key, is_revoke="false").error is None
    assert validate(any_site, key).error is None
    rows = history(any_site, key)
    assert [row["event"] for row in rows] == ["created", "activated", "revoked", "restored"]
    assert json.loads(rows[2]["changes"])["Disabled"] == ["false", "true"]
    assert rows[2]["method"] == "RevokeLicenseHttp" and rows[2]["vendor"] == "qlmauthenticationprovider"
    assert rows[2]["address"] == "127.0.0.1"


def test_once_more_changes_nothing(site):
    key = issue(site)
    assert revoke(site, is_avkey=key).error is None
    before = history(site, key)
    assert revoke(site, is_avkey=key).error is None
    assert history(site, key) == before


def test_all_keys_of_an_order(site):
    number = order_number()
    keys = issue_all(site, orderNumber=number, is_quantity="3", is_usemultipleactivationskey="false")
    other = issue(site, orderNumber=order_number())
    assert revoke(site, orderNumber=number).error is None
    for key in keys:
        xml_refusal(site, validate(site, key), 201)
    assert validate(site, other).error is None
    # the order's number only says which licenses are meant: the opposite is no repeat
    assert revoke(site, orderNumber=number, is_revoke="0").error is None
    assert validate(site, keys[0]).error is None


def test_all_keys_of_a_subscription(site):
    subscription = "SUB-" + order_number()
    keys = [issue(site, orderNumber=order_number(), subscriptionid=subscription) for _ in range(2)]
    assert revoke(site, subscriptionid=subscription, orderNumber=order_number()).error is None
    for key in keys:
        xml_refusal(site, validate(site, key), 201)


def test_the_product_narrows(site):
    number = order_number()
    first = issue(site, orderNumber=number)
    second = issue(site, orderNumber=number, is_majorversion="2")
    assert revoke(site, orderNumber=number, **PRODUCT).error is None
    xml_refusal(site, validate(site, first), 201)
    assert validate(site, second, is_majorversion="2").error is None


def test_a_shop_gets_the_key(site):
    number = order_number()
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1", "EMAIL": "ann@example.org"})
    assert made.status == 200, made
    answer = call(site, "RevokeLicenseHttp", {"is_vendor": "cleverbridge", **CREDENTIALS}, {"PURCHASE_ID": number})
    assert answer.status == 200 and answer.body == made.body
    xml_refusal(site, validate(site, made.text), 201)


@pytest.mark.parametrize("fields, code", [
    ({}, 206),
    ({"is_avkey": "A1234-12345-12345-12345-12345X"}, 205),
    ({"is_avkey": "X" * 150}, 205),
    ({"is_avkey": "FOREIGN-KEY"}, 203),
    ({"orderNumber": "no-such-order"}, 203),
    ({"subscriptionid": "no-such-subscription"}, 203),
])
def test_nothing_is_meant(site, fields, code):
    with site.unchanged():
        xml_refusal(site, revoke(site, **fields), code)


def test_a_buyer_cannot_name_the_license(site):
    key = issue(site)
    answer = call(site, "RevokeLicenseHttp", {"is_vendor": "cleverbridge", **CREDENTIALS},
                  {"is_avkey": key, "PURCHASE_ID": order_number()})
    assert answer.text.startswith("Error: ")
    site.expect(r"\bQLM100[78]\b")
    assert validate(site, key).error is None


def test_credentials_and_switch(site):
    key = issue(site)
    xml_refusal(site, revoke(site, is_avkey=key, is_pwd="wrong"), 8)
    with site.properties(enableRevokeLicense="false"):
        xml_refusal(site, revoke(site, is_avkey=key), 7)
    assert validate(site, key).error is None


def test_get_and_post_are_one(site):
    key = issue(site)
    answer = call(site, "revokelicensehttp", None,
                  {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS, "is_avkey": key}, path="/qlm/QlmService.ASMX")
    assert answer.error is None
    xml_refusal(site, validate(site, key), 201)
