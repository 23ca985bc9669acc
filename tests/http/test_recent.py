"""GetRecentOrdersHttp: what integrations that poll are told."""
import json
import time

import pytest

from client import CREDENTIALS, PRODUCT, call, issue, normal, order_number


def recent(site, vendor="QlmAuthenticationProvider", **more):
    return call(site, "GetRecentOrdersHttp", {"is_vendor": vendor, **CREDENTIALS, **more})


def orders(site, **more):
    answer = recent(site, **more)
    assert (answer.status, answer.type) == (200, "application/json"), answer
    assert "error" not in answer.text.lower()
    return json.loads(answer.body)


def test_new_keys_newest_first(any_site):
    number = order_number()
    keys = [issue(any_site, orderNumber=number + "-%d" % i, email="ann@customer.example", name="Ann \"B\" <c>",
                  country="DE", is_features="0:3", is_userdata1="data", subscriptionid="S-" + number) for i in range(3)]
    found = [o for o in orders(any_site) if o["OrderID"].startswith(number)]
    assert [o["ActivationKey"] for o in found] == [normal(k) for k in reversed(keys)]
    assert len({o["id"] for o in found}) == 3 and all(isinstance(o["id"], str) and o["id"].isdigit() for o in found)
    first = found[0]
    assert (first["FullName"], first["Email"], first["Country"]) == ("Ann \"B\" <c>", "ann@customer.example", "DE")
    assert (first["SubscriptionID"], first["UserData"], first["ProductID"], first["ProductName"]) == (
        "S-" + number, "data", 1, "Demo")
    assert (first["AvailableLicenses"], first["NumLicenses"], first["AffiliateID"]) == (1, 1, "None")
    assert list(first)[:3] == ["id", "LicenseUpdatedOnServer", "ActivationKey"]
    assert found == [o for o in orders(any_site) if o["OrderID"].startswith(number)]


def test_a_key_without_a_customer(site):
    key = normal(issue(site, orderNumber=order_number()))
    found = [o for o in orders(site) if o["ActivationKey"] == key][0]
    assert (found["FullName"], found["Email"], found["OrganizationID"]) == ("", "", 0)


def test_the_period(new_site):
    site = new_site()  # where no other test's keys come before
    number = order_number()
    key = normal(issue(site, orderNumber=number))
    site.change("UPDATE qlm_license SET created_at = ? WHERE activation_key = ?", int(time.time()) - 90 * 60, key)
    assert key not in [o["ActivationKey"] for o in orders(site)]
    assert key not in [o["ActivationKey"] for o in orders(site, is_period="80")]
    assert key in [o["ActivationKey"] for o in orders(site, is_period="100")]


def test_a_shop_sees_its_own(site):
    number = order_number()
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1", "EMAIL": "ann@customer.example"})
    issue(site, orderNumber=number)
    assert [o["ActivationKey"] for o in orders(site, vendor="cleverbridge") if o["OrderID"] == number] == [normal(made.text)]
    assert len([o for o in orders(site) if o["OrderID"] == number]) == 2


def test_at_most_a_thousand(new_site):
    site = new_site()
    site.ctl("property", "set", "enableGetRecentOrders", "true")
    call(site, "GetActivationKey", {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS, **PRODUCT,
                                    "orderNumber": "many", "is_quantity": "1100", "is_usemultipleactivationskey": "false"})
    newest = normal(issue(site, orderNumber="newest"))
    found = orders(site)
    assert len(found) == 1000 and found[0]["ActivationKey"] == newest
    assert len({o["id"] for o in found}) == 1000


def test_nothing_new(new_site):
    assert orders(new_site()) == []


@pytest.mark.parametrize("more, code", [
    ({"is_period": "0"}, 5), ({"is_period": "43201"}, 5), ({"is_period": "-5"}, 5),
    ({"is_period": "1e3"}, 5), ({"is_period": "9" * 400}, 5), ({"is_period": "60; DROP TABLE x"}, 5),
    ({"is_pwd": "wrong"}, 8), ({"is_vendor": "nobody"}, 8)])
def test_refused(site, more, code):
    with site.unchanged():
        answer = call(site, "GetRecentOrdersHttp", {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS, **more})
    assert (answer.status, answer.type) == (200, "application/json"), answer
    said = json.loads(answer.body)["QuickLicenseManager"]
    assert said["error"] and said["errorCode"] == code
    site.expect("QLM100[378]")


def test_switched_off(site):
    with site.properties(enableGetRecentOrders="false"):
        answer = recent(site)
        assert answer.status == 200 and json.loads(answer.body)["QuickLicenseManager"]["errorCode"] == 7
    site.expect("QLM100[378]")
