"""The vendor QlmAuthenticationProvider: XML answers, and what happens without a vendor."""
import re

import pytest

from client import CREDENTIALS, KEY, PRODUCT, call, issue_all, order, order_number, xml_refusal


@pytest.mark.parametrize("method", ["GetActivationKey", "GetActivationKeyWithExpiryDate"])
def test_the_form_of_the_answer(any_site, method):
    answer = call(any_site, method, order())
    assert (answer.status, answer.type.lower()) == (200, "text/xml; charset=utf-8")
    key = answer.licenses[0]
    assert KEY.match(key)
    body = answer.text.split("?>", 1)[1]
    assert re.sub(r"\s", "", body) == ("<QuickLicenseManager><licenses><license><activationKey>" + key +
                                       "</activationKey></license></licenses></QuickLicenseManager>")


def test_several_keys_are_repeated_elements(site):
    keys = issue_all(site, is_quantity="3", is_usemultipleactivationskey="false")
    assert len(set(keys)) == 3


@pytest.mark.parametrize("name", ["QlmAuthenticationProvider", "qlmauthenticationprovider",
                                  "QLMAUTHENTICATIONPROVIDER"])
def test_the_vendor_is_named_without_case(site, name):
    assert call(site, "GetActivationKey", order(is_vendor=name)).licenses


def test_without_a_vendor_it_is_this_one(site):
    assert call(site, "GetActivationKey", order(is_vendor=None)).licenses
    with site.unchanged():
        answer = call(site, "GetActivationKey", PRODUCT)
        xml_refusal(site, answer, 8)


def test_the_vendor_of_calls_without_one_is_a_property(site):
    with site.properties(defaultCommerceProvider="cleverbridge"):
        answer = call(site, "GetActivationKey", order(is_vendor=None), {"PURCHASE_ID": order_number(), "RUNNING_NO": 1,
                                                                        "QUANTITY": 1})
        assert answer.type.lower().startswith("text/plain")
        assert KEY.match(answer.text)


def test_a_refusal_is_xml_with_text_and_code(site):
    answer = call(site, "GetActivationKey", {**order(), "is_pwd": "wrong"})
    xml_refusal(site, answer, 8)
    assert answer.names[:2] == ["error", "errorCode"]
    assert answer.field("result") is None


def test_the_body_of_this_caller_is_its_own(site):
    """QlmAuthenticationProvider is called by the publisher's programs, which may post everything."""
    answer = call(site, "GetActivationKey", {"is_vendor": "QlmAuthenticationProvider"},
                  {**PRODUCT, **CREDENTIALS, "is_quantity": "2", "orderNumber": order_number()})
    assert len(answer.licenses) == 1


def test_order_and_subscription_numbers_are_stored(site):
    number = order_number()
    key = call(site, "GetActivationKey", order(orderNumber=number, subscriptionid="S-" + number)).licenses[0]
    row = site.query("SELECT * FROM qlm_license WHERE activation_key = ?", key.replace("-", ""))[0]
    assert row["order_ref"] == number
    assert row["subscription_ref"] == "S-" + number
    assert row["vendor"] == "qlmauthenticationprovider"
