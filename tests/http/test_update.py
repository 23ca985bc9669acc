"""UpdateLicenseHttp: every field it changes, what it refuses, and what happens at the same time."""
import random

import pytest

from changing import at_once, change, changes, expiry, history, in_days, seats_add_up, stored
from client import (CREDENTIALS, PRODUCT, activate, call, issue, issue_all, normal, on_one_day, order_number, report,
                    storm, validate, xml_refusal)
from test_product_properties import defined, values  # noqa: F401

METHOD = "UpdateLicenseHttp"


def update(site, **more):
    return change(site, METHOD, **more)


def updated(site, key, **more):
    answer = update(site, is_avkey=key, **more)
    assert answer.error is None, answer
    assert answer.field("result") == "Successfully updated license information for ActivationKey=%s." % key
    return stored(site, key)


def refused(site, key, code, **more):
    with site.unchanged():
        return xml_refusal(site, update(site, is_avkey=key, **more), code)


# ---- each field

def test_the_key_stays_and_history_tells(any_site):
    key = issue(any_site, is_features="0:1", is_userdata1="old")
    first = activate(any_site, key).field("pckey")
    row = updated(any_site, key, is_features="0:3;1:1", is_userdata1="new", is_affiliateid="eu")
    assert (row["features"], row["user_data"], row["affiliate_id"]) == ("0:3;1:1;", "new", "eu")
    seen = activate(any_site, key)
    assert seen.field("features") == "0:3;1:1;" and seen.field("pckey") != first
    row, = history(any_site, key, "updated")
    assert changes(row) == {"Features": ["0:1;", "0:3;1:1;"], "UserData1": ["old", "new"], "AffiliateID": ["", "eu"]}
    assert updated(any_site, key, is_features="0")["features"] == ""


def test_the_end(site):
    def check(_):
        key = issue(site, is_licensemodel="subscription", is_expduration="10")
        assert updated(site, key, is_expdate="2099-05-01")["duration_days"] == 10
        assert expiry(site, key) == "2099-05-01"
        assert updated(site, key, is_expduration="90")["duration_days"] == 90
        assert expiry(site, key) == in_days(90), "from today"
        assert updated(site, key, is_expduration="60", is_expdate="2098-01-31")["duration_days"] == 60
        assert expiry(site, key) == "2098-01-31"
        with site.properties(useDurationToSetExpiryDate="false"):
            assert updated(site, key, is_expduration="15")["duration_days"] == 15
        assert expiry(site, key) == "2098-01-31"
        assert updated(site, key, is_expdate="9999-12-31") and expiry(site, key) == "9999-12-31"
    on_one_day(check)


def test_the_product_version(site):
    key = issue(site)
    xml_refusal(site, validate(site, key, is_majorversion="2"), 211)
    row = updated(site, key, is_productid="1", is_majorversion="2", is_minorversion="0")
    assert (row["product_id"], row["major"], row["minor"]) == (1, 2, 0)
    assert validate(site, key, is_majorversion="2").error is None
    assert updated(site, key, is_majorversion="3")["major"] == 3
    row = updated(site, key, is_productid="2", is_majorversion="2")
    assert (row["product_id"], row["major"], row["minor"]) == (2, 2, 0)
    for wrong in ({"is_productid": "77"}, {"is_majorversion": "9"}, {"is_minorversion": "5"}):
        assert "unknown product" in refused(site, key, 218, **wrong)


def test_the_model(site):
    def check(_):
        key = issue(site)
        assert key.startswith("A")
        assert "is_expdate" in refused(site, key, 208, is_licensemodel="subscription")
        assert updated(site, key, is_licensemodel="trial", is_expduration="30")["model"] == "trial"
        assert (expiry(site, key), validate(site, key).field("status")) == (in_days(30), "4")
        assert updated(site, key, is_licensemodel="subscription")["model"] == "subscription"
        assert expiry(site, key) == in_days(30)
        row = updated(site, key, is_licensemodel="permanent")
        assert (row["model"], row["expires_at"], row["duration_days"]) == ("permanent", 0, -1)
        assert validate(site, key).field("status") == "2"
        row = updated(site, key, is_licensemodel="permanent", is_expdate="2099-01-31")
        assert (row["model"], expiry(site, key)) == ("permanent", "2099-01-31")
        refused(site, key, 200, is_licensemodel="subscription_cloud")
        refused(site, key, 5, is_licensemodel="eternal")
        floating = issue(site, is_licensemodel="subscription_floating", is_expduration="30", is_quantity="5")
        row = updated(site, floating, is_licensemodel="permanent")
        assert (row["model"], row["floating_seats"], row["num_licenses"]) == ("permanent_floating", 5, 1)
    on_one_day(check)


def test_the_number_of_activations(any_site):
    key = issue(any_site, is_quantity="5")
    for computer in ("A", "B", "C"):
        activate(any_site, key, computer)
    row = updated(any_site, key, is_quantity="10")
    assert (row["num_licenses"], row["available_licenses"]) == (10, 7)
    row = updated(any_site, key, is_quantity="3")
    assert (row["num_licenses"], row["available_licenses"]) == (3, 0)
    xml_refusal(any_site, activate(any_site, key, "D"), 210)
    text = refused(any_site, key, 210, is_quantity="2", is_userdata1="not stored either")
    assert text == "3 computers are active and only 2 are to be allowed: release 1 of them first"
    for bad in ("0", "-1", "10000", "many"):
        refused(any_site, key, 5, is_quantity=bad)
    seats_add_up(any_site)


def test_the_quantity_of_floating_and_cloud_keys(site):
    key = issue(site, is_licensemodel="permanent_floating", is_quantity="5")
    row = updated(site, key, is_quantity="9")
    assert (row["num_licenses"], row["available_licenses"], row["floating_seats"]) == (1, 1, 9)
    key = issue(site, is_licensemodel="subscription_cloud", is_expduration="30", is_quantity="5")
    row = updated(site, key, is_quantity="9")
    assert (row["num_licenses"], row["available_licenses"], row["floating_seats"]) == (9, 9, 9)


def test_revoked_and_restored(site):
    key = issue(site)
    assert updated(site, key, is_revoke="true")["disabled_at"] > 0
    xml_refusal(site, validate(site, key), 201)
    assert updated(site, key, is_features="0:1")["is_disabled"] == 1, "what is revoked may be changed, and stays so"
    assert updated(site, key, is_revoke="0")["disabled_at"] == 0
    assert validate(site, key).error is None


def test_release_limits_and_engine(site):
    key = issue(site)
    row = updated(site, key, is_maxreleasecount="3", is_maxreleaseperiod="30")
    assert (row["max_release_count"], row["max_release_days"]) == (3, 30)
    row = updated(site, key, is_maxreleasecount="-1", is_maxreleaseperiod="-2")
    assert (row["max_release_count"], row["max_release_days"]) == (-1, -2)
    refused(site, key, 5, is_maxreleasecount="-3")
    refused(site, key, 5, is_maxreleaseperiod="x")
    assert updated(site, key, is_qlmversion="5.0.00")["engine"] == 5
    assert validate(site, key).error is None


def test_product_properties(defined):  # noqa: F811
    key, number = issue(defined, is_pp="limits.credits::100"), order_number()
    for _ in range(2):
        updated(defined, key, orderNumber=number, is_pp="limits.credits::-1")
        assert values(report(defined, key))["limits.credits"] == "99"
    assert "limits.credit" in refused(defined, key, 5, is_pp="limits.seats::7||limits.credit::1", is_userdata1="no")
    updated(defined, key, is_pp="limits.seats::7||modules.qa::true")
    seen = values(report(defined, key))
    assert (seen["limits.seats"], seen["limits.credits"], seen["modules.qa"]) == ("7", "99", "true")


def test_product_properties_at_once(defined):  # noqa: F811
    """Pay per use: each call counts."""
    key = issue(defined, is_pp="limits.credits::100")
    answers = storm(range(60), lambda box, _: change(defined, METHOD, box=box, is_avkey=key,
                                                     is_pp="limits.credits::-1"), clients=16)
    assert {a.error for a in answers} == {None}
    assert values(report(defined, key))["limits.credits"] == "40"


# ---- refusals

def test_nothing_to_change(site):
    key = issue(site)
    assert "is_features" in refused(site, key, 208)
    refused(site, key, 208, is_fetures="0:1")


@pytest.mark.parametrize("arguments, code", [
    ({"is_features": "9:1"}, 5), ({"is_expdate": "10000-01-01"}, 5), ({"is_expdate": "2026-02-30"}, 5),
    ({"is_expduration": "36501"}, 5), ({"is_expduration": "-2"}, 5), ({"is_productid": "-1"}, 5),
    ({"is_majorversion": "100"}, 5), ({"is_revoke": "perhaps"}, 5), ({"is_userdata1": "x" * 1001}, 5),
    ({"is_affiliateid": "x" * 256}, 5),
])
def test_what_cannot_be_read(site, arguments, code):
    refused(site, issue(site), code, **arguments)


def test_nothing_is_meant(site):
    with site.unchanged():
        xml_refusal(site, update(site, is_features="0:1"), 206)
        xml_refusal(site, update(site, is_features="0:1", is_avkey="X" * 150), 205)
        xml_refusal(site, update(site, is_features="0:1", is_avkey="FOREIGN-KEY"), 203)
        xml_refusal(site, update(site, is_features="0:1", orderNumber="no-such"), 203)


def test_credentials_and_switch(site):
    key = issue(site)
    with site.unchanged():
        xml_refusal(site, update(site, is_avkey=key, is_features="0:1", is_pwd="wrong"), 8)
        xml_refusal(site, update(site, is_avkey=key, is_features="0:1", is_user=None, is_pwd=None), 8)
    with site.properties(enableUpgradeLicense="false"):
        xml_refusal(site, update(site, is_avkey=key, is_features="0:1"), 7)
    assert stored(site, key)["features"] == ""


def test_default_arguments_are_for_new_keys(site):
    key = issue(site, is_majorversion="2")
    with site.properties(defaultUrlArgs="&is_productid=2&is_majorversion=2&is_minorversion=0&is_features=0:7"):
        row = updated(site, key, is_userdata1="x")
    assert (row["product_id"], row["major"], row["features"]) == (1, 2, "")


def test_a_buyer_changes_nothing(site):
    number = order_number()
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1"})
    answer = change(site, METHOD, "cleverbridge", {"PURCHASE_ID": number, "QUANTITY": "50", "is_quantity": "50",
                                                   "is_features": "0:255", "is_expdate": "2099-01-01"}, is_userdata1="x")
    assert (answer.status, answer.body) == (200, made.body)
    row = stored(site, made.text)
    assert (row["num_licenses"], row["features"], row["expires_at"], row["user_data"]) == (1, "", 0, "x")


# ---- which licenses

def test_all_of_an_order_but_no_other_product(site):
    number = order_number()
    keys = issue_all(site, orderNumber=number, is_quantity="2", is_usemultipleactivationskey="false")
    other = issue(site, orderNumber=number, is_productid="2", is_majorversion="2")
    answer = update(site, orderNumber=number, is_productid="1", is_majorversion="2", is_minorversion="0")
    site.expect("QLM1009.*name it by is_avkey")
    assert sorted(answer.field("result").rpartition("=")[2].rstrip(".").split(",")) == sorted(keys)
    assert [stored(site, k)["major"] for k in keys] == [2, 2]
    assert (stored(site, other)["product_id"], stored(site, other)["major"]) == (2, 2)


def test_an_order_with_a_single_license_may_change_its_product(site):
    number = order_number()
    key = issue(site, orderNumber=number)
    assert update(site, orderNumber=number, is_productid="2", is_majorversion="2", is_minorversion="0").error is None
    assert stored(site, key)["product_id"] == 2


def test_a_key_of_another_server(new_site):
    site = new_site()
    made = issue(site)
    site.change("UPDATE qlm_license SET activation_key = 'B8JV150XA7VH0ABC' WHERE activation_key = ?", normal(made))
    site.change("UPDATE qlm_site SET has_foreign_keys = 1, revision = revision + 1")
    answer = update(site, is_avkey="B8JV150XA7VH0ABC", is_features="0:1")
    assert answer.error is None
    assert stored(site, "B8JV150XA7VH0ABC")["features"] == "0:1;"


# ---- at the same time

def test_the_same_order_by_32_clients(any_site):
    def check(_):
        key, number = issue(any_site, is_licensemodel="subscription", is_expduration="10"), order_number()
        answers = at_once(any_site, 32, lambda box, _: change(any_site, METHOD, box=box, is_avkey=key,
                                                              orderNumber=number, is_expduration="30"))
        assert len(answers) == 1 and next(iter(answers))[0] == 200
        assert len(history(any_site, key, "updated")) == 1
        assert expiry(any_site, key) == in_days(30)
        # the repeat of an old order does not bring the old value back
        updated(any_site, key, orderNumber=order_number(), is_expdate="2099-01-31")
        assert update(any_site, is_avkey=key, orderNumber=number, is_expduration="30").error is None
        assert expiry(any_site, key) == "2099-01-31"
    on_one_day(check)


def test_everything_at_once(any_site):
    """Updates, renewals, revocations and activations of one license: nothing is lost, seats add up."""
    def check(_):
        key = issue(any_site, is_licensemodel="subscription", is_expduration="30", is_quantity="40")
        jobs = ([("RenewSubscriptionHttp", {"is_expduration": "1"})] * 20 +
                [(METHOD, {"is_userdata1": "u%d" % i}) for i in range(10)] +
                [(METHOD, {"is_quantity": str(40 + i)}) for i in range(10)] +
                [("EnableMaintenancePlan", {"is_maintdate": "2098-01-31"})] * 5 +
                [("ActivateKey", "PC-%d" % i) for i in range(30)])
        random.Random(17).shuffle(jobs)

        def work(box, job):
            if job[0] == "ActivateKey":
                return activate(any_site, key, job[1])
            return change(any_site, job[0], box=box, is_avkey=key, orderNumber=order_number(), **job[1])
        answers = storm(jobs, work, clients=16)
        assert {a.error for a in answers} == {None}
        row = stored(any_site, key)
        assert expiry(any_site, key) == in_days(50)
        assert row["num_licenses"] - row["available_licenses"] == 30 and 40 <= row["num_licenses"] < 50
        assert row["maintenance_until"] and row["user_data"].startswith("u")
        assert report(any_site, key).field("availableLicenses") == str(row["available_licenses"])
        seats_add_up(any_site)
    on_one_day(check)


def test_fewer_activations_while_computers_come(any_site):
    """Whichever comes first: never more computers than are allowed."""
    for turn in range(6):
        key = issue(any_site, is_quantity="20")

        def work(box, i):
            if i == 10:
                return change(any_site, METHOD, box=box, is_avkey=key, is_quantity="8")
            return activate(any_site, key, "PC-%d" % i)
        answers = storm(range(21), work, clients=16)
        row = stored(any_site, key)
        active = sum(a.error is None for i, a in enumerate(answers) if i != 10)
        assert row["num_licenses"] - row["available_licenses"] == active <= row["num_licenses"]
        assert (row["num_licenses"] == 8) == (answers[10].error is None), turn
    any_site.allow(r"QLM100[78]")
    seats_add_up(any_site)
