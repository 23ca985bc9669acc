"""qlmctl key set and key delete: what an operator changes by hand has history, computer keys and webhooks."""
import json

import pytest

from client import PRODUCT, activate, call, issue, normal, order, order_number, report, validate, xml_refusal
from conftest import running


@pytest.fixture(scope="module")
def site(template):
    """A server of its own: an order whose license was deleted is nothing the other tests expect."""
    yield from running(template, "event")


@pytest.fixture
def told(site):
    """Webhooks are noted for a receiver that is away."""
    with site.properties(webHooksEnabled="true", license_modified="http://127.0.0.1:9/m",
                         license_deleted="http://127.0.0.1:9/d"):
        yield lambda key: [json.loads(r["payload"])["Event"] for r in site.query(
            "SELECT payload FROM qlm_outbox WHERE kind = 'webhook' ORDER BY id")
            if json.loads(r["payload"])["LicenseInfo"]["ActivationKey"] == normal(key)]


def set_fields(site, key, *fields, code=0):
    done = site.ctl("--json", "key", "set", key, *fields, check=False)
    assert done.returncode == code, done
    return json.loads(done.stdout) if code == 0 else done.stderr


def test_fields_are_set(site, told):
    key = issue(site)
    pckey = activate(site, key).field("pckey")
    assert set_fields(site, key, "NumLicenses=3", "Features=0:3;", "SubscriptionExpiryDate=2099-05-06",
                      "UserData1=Müller & Co", "Comment=a note")["is_changed"]
    seen = report(site, key)
    assert (seen.field("numActivationsAllowed"), seen.field("availableLicenses")) == ("3", "2")
    assert (seen.field("features"), seen.field("expiryDate")) == ("0:3;", "2099-05-06 23:59")
    assert seen.field("userData") == "Müller & Co"
    fresh = validate(site, key).field("pckey")
    assert fresh != pckey
    assert told(key) == ["license_modified"]
    last = site.ctl_json("key", "history", key)[0]
    assert last["event"] == "modified" and last["method"] == "qlmctl key set"
    assert last["changes"]["NumLicenses"] == ["1", "3"] and last["changes"]["Features"] == ["", "0:3;"]
    with site.unchanged():
        assert not set_fields(site, key, "NumLicenses=3", "Comment=a note")["is_changed"]


def test_computers_that_may_and_may_not(site):
    key = issue(site, is_quantity="5")
    set_fields(site, key, "DeniedComputers=PC-1||PC-2")
    assert activate(site, key, "pc-1").error and activate(site, key, "PC-3").error is None
    set_fields(site, key, "DeniedComputers=", "AllowedComputers=PC-1")
    assert activate(site, key, "PC-1").error is None and activate(site, key, "PC-4").error
    site.expect(r"\bQLM1008\b")


@pytest.mark.parametrize("field, says", [
    ("NumLicenses=0", "NumLicenses"), ("NumLicenses=1e3", "NumLicenses"), ("NumLicenses=99999999999", "NumLicenses"),
    ("Features=9:1", "Features"), ("SubscriptionExpiryDate=tomorrow", "date"), ("ActivationKey=A1", "cannot be set"),
    ("AvailableLicenses=7", "cannot be set"), ("ProductID=2", "cannot be set"), ("Comment=a\nb", "control"),
    ("UserData1=" + "x" * 1001, "1000"), ("MaxReleaseCount=-3", "MaxReleaseCount"),
])
def test_bad_values(site, field, says):
    key = issue(site)
    with site.unchanged():
        assert says in set_fields(site, key, "Comment=good", field, code=1)


@pytest.mark.parametrize("word", ["Colour=red", "Comment", "=x"])
def test_bad_words(site, word):
    assert "Field=value" in set_fields(site, issue(site), word, code=2)


def test_computers_are_not_left_without_a_seat(site):
    key = issue(site, is_quantity="2")
    for computer in ("PC-1", "PC-2"):
        activate(site, key, computer)
    assert "release some" in set_fields(site, key, "NumLicenses=1", code=1)


def test_a_license_is_deleted(site, told):
    number = order_number()
    key = issue(site, orderNumber=number)
    activate(site, key)
    refused = site.ctl("key", "delete", key, check=False)
    assert refused.returncode == 1 and "active on 1 computer" in refused.stderr
    site.ctl("key", "delete", "--force", key)
    xml_refusal(site, validate(site, key), 203)
    assert told(key) == ["license_deleted"]
    assert site.query("SELECT * FROM qlm_activation WHERE license_id NOT IN (SELECT id FROM qlm_license)") == []
    assert [row["event"] for row in site.ctl_json("key", "history", key)] == ["deleted", "activated", "created"]
    # the order is fulfilled for good: no second key for it
    again = call(site, "GetActivationKey", order(orderNumber=number, **PRODUCT))
    assert again.licenses == [key]
    assert site.ctl("key", "delete", key, check=False).returncode == 1
