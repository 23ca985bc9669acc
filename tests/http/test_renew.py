"""RenewSubscriptionHttp: dates and days, grace, plans, computers, mails; an order counts once."""
import http.client
import random
import threading
import time

import pytest

from changing import (age, at_once, change, changes, expiry, history, in_days, mails, plan, seats_add_up, stored)
from client import (CREDENTIALS, PRODUCT, activate, call, issue, on_one_day, order_number, report,
                    storm, validate, xml_refusal)
from outside import TEMPLATE
from test_product_properties import defined, values  # noqa: F401

METHOD = "RenewSubscriptionHttp"


def renew(site, **more):
    return change(site, METHOD, **more)


def renewed(site, key, **more):
    answer = renew(site, is_avkey=key, **more)
    assert answer.error is None, answer
    assert answer.field("result") == "Successfully renewed the subscription of ActivationKey=%s." % key
    return expiry(site, key)


def subscription(site, days="30", **more):
    return issue(site, is_licensemodel="subscription", is_expduration=days, **more)


# ---- how far

def test_by_days(site):
    def check(_):
        key = subscription(site)
        assert renewed(site, key, is_expduration="30") == in_days(60)
        assert report(site, key).field("expiryDate") == in_days(60) + " 23:59"
        assert stored(site, key)["order_status"] == "Completed"
    on_one_day(check)


def test_by_date_which_wins(site):
    key = subscription(site)
    assert renewed(site, key, is_expdate="2099-05-01") == "2099-05-01"
    assert renewed(site, key, is_expdate="2098-05-01", is_expduration="365") == "2098-05-01"


def test_an_expired_one_goes_on_from_its_end(site):
    def check(_):
        key = subscription(site)
        age(site, key, 40)
        xml_refusal(site, validate(site, key), 209)
        assert renewed(site, key, is_expduration="30") == in_days(20)
        assert validate(site, key).error is None
    on_one_day(check)


def test_a_long_expired_one_from_today(site):
    def check(_):
        key = subscription(site)
        age(site, key, 400)
        assert renewed(site, key, is_expduration="30") == in_days(30)
    on_one_day(check)


def test_neither_date_nor_days(site):
    def check(_):
        key = subscription(site, "90")
        assert renewed(site, key) == in_days(180)
        # no duration stored: the length of the first period, and it does not grow
        key = issue(site, is_licensemodel="subscription", is_expdate=in_days(60))
        assert stored(site, key)["duration_days"] == -1
        assert renewed(site, key) == in_days(120)
        assert renewed(site, key) == in_days(180)
        assert stored(site, key)["duration_days"] == 60
    on_one_day(check)


def test_nothing_says_how_far(site):
    key = issue(site, is_licensemodel="subscription", is_expdate=in_days(60))
    site.change("UPDATE qlm_license SET ordered_at = 0 WHERE activation_key = ?", key.replace("-", ""))
    with site.unchanged():
        text = xml_refusal(site, renew(site, is_avkey=key), 208)
        assert "is_expdate" in text and "is_expduration" in text


def test_days_that_are_not_begun(site):
    """A duration that counts from the activation: it begins with the renewal."""
    def check(_):
        with site.properties(useDurationToSetExpiryDate="false", useDurationToSetExpiryDateWhenActivating="true"):
            key = subscription(site)
            assert expiry(site, key) == ""
            assert renewed(site, key, is_expduration="10") == in_days(40)
    on_one_day(check)


def test_what_never_expires(site):
    key = issue(site)
    with site.unchanged():
        xml_refusal(site, renew(site, is_avkey=key, is_expduration="30"), 200)
        xml_refusal(site, renew(site, is_avkey=key, is_expdate="2099-01-01"), 200)
        with_rule = {"renewMaintenancePlanWhenSubscriptionRenewed": "true"}
    planned = issue(site, is_maintenance_plan="1")
    with site.properties(**with_rule):
        xml_refusal(site, renew(site, is_avkey=planned, is_expduration="30"), 200)


def test_a_revoked_one(site):
    key = subscription(site)
    assert change(site, "RevokeLicenseHttp", is_avkey=key).error is None
    with site.unchanged():
        xml_refusal(site, renew(site, is_avkey=key, is_expduration="30"), 201)


@pytest.mark.parametrize("arguments, code", [
    ({"is_expduration": "99999"}, 5), ({"is_expduration": "month"}, 5), ({"is_expduration": "-5"}, 5),
    ({"is_expdate": "2026-02-30"}, 5), ({"is_expdate": "10000-01-01"}, 5), ({"is_expdate": "soon"}, 5),
])
def test_what_cannot_be_read(site, arguments, code):
    key = subscription(site)
    with site.unchanged():
        xml_refusal(site, renew(site, is_avkey=key, **arguments), code)


def test_the_last_day_of_all(site):
    key = subscription(site)
    assert renewed(site, key, is_expdate="9999-12-31") == "9999-12-31"
    assert renewed(site, key, is_expduration="365") == "9999-12-31"


@pytest.mark.parametrize("grace, late, is_allowed", [("-1", 4000, True), ("0", 1, False), ("0", 0, True),
                                                     ("10", 10, True), ("10", 11, False)])
def test_grace(site, grace, late, is_allowed):
    def check(_):
        key = subscription(site)
        age(site, key, 30 + late)
        with site.properties(subscriptionGracePeriod=grace):
            if is_allowed:
                renewed(site, key, is_expduration="365")
            else:
                assert "subscriptionGracePeriod" in xml_refusal(site, renew(site, is_avkey=key, is_expduration="365"), 209)
                xml_refusal(site, renew(site, is_avkey=key, is_expdate="2099-01-01"), 209)
    on_one_day(check)


# ---- the plan

def test_the_plan_is_renewed_if_asked(site):
    def check(_):
        key = subscription(site, is_maintenance_plan="1", is_maintduration="30")
        renewed(site, key, is_expduration="30")
        assert plan(site, key) == in_days(30)
        renewed(site, key, is_expduration="30", is_maintenance_plan="1")
        assert (expiry(site, key), plan(site, key)) == (in_days(90), in_days(90))
        renewed(site, key, is_expduration="30", is_maintenance_plan="1", is_maintduration="365")
        assert (expiry(site, key), plan(site, key)) == (in_days(120), in_days(455))
        renewed(site, key, is_expduration="30", is_maintenance_plan="1")
        assert plan(site, key) == in_days(455), "no paid day is lost"
        renewed(site, key, is_expduration="30", is_maintenance_plan="1", is_maintdate="2031-01-31")
        assert plan(site, key) == "2031-01-31"
    on_one_day(check)


def test_the_plan_by_the_rule_of_the_site(site):
    def check(_):
        with site.properties(renewMaintenancePlanWhenSubscriptionRenewed="true"):
            key = subscription(site, is_maintenance_plan="1", is_maintduration="30")
            renewed(site, key, is_expduration="90")
            assert plan(site, key) == in_days(120)
            renewed(site, key, is_expduration="30", is_maintenance_plan="0")
            assert plan(site, key) == in_days(120)
            bare = subscription(site)
            renewed(site, bare, is_expduration="90")
            assert plan(site, bare) == ""
    on_one_day(check)


def test_a_plan_that_is_too_old_does_not_stop_the_subscription(site):
    def check(_):
        key = subscription(site, "1000", is_maintenance_plan="1", is_maintduration="10")
        age(site, key, 100)
        with site.properties(maintenancePlanGracePeriod="30"):
            renewed(site, key, is_expduration="30", is_maintenance_plan="1", is_maintduration="30")
            assert (expiry(site, key), plan(site, key)) == (in_days(930), in_days(-90))
            site.expect("QLM1009.*the maintenance plan ended")
    on_one_day(check)


def test_a_permanent_license_renews_its_plan(site):
    def check(_):
        key = issue(site, is_maintenance_plan="1")
        renewed(site, key, is_maintenance_plan="true")
        assert (expiry(site, key), plan(site, key)) == ("", in_days(730))
    on_one_day(check)


# ---- computers, history, mails

def test_computers_get_new_keys(any_site):
    key = subscription(any_site, is_quantity="3")
    first = {pc: activate(any_site, key, pc).field("pckey") for pc in ("PC-1", "PC-2")}
    renewed(any_site, key, is_expdate="2098-01-01")
    for pc, old in first.items():
        again = activate(any_site, key, pc)
        assert again.error is None and again.field("pckey") != old
        assert again.field("availableLicenses") == "1"
        rows = any_site.query("SELECT computer_key FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id"
                              " WHERE l.activation_key = ? AND computer_id = ?", key.replace("-", ""), pc)
        assert rows == [{"computer_key": again.field("pckey")}]
    seats_add_up(any_site)


def test_history_tells(site):
    key = subscription(site)
    before = expiry(site, key)
    renewed(site, key, is_expdate="2098-01-01")
    row, = history(site, key, "renewed")
    assert changes(row)["SubscriptionExpiryDate"] == [before + " 23:59:59", "2098-01-01 23:59:59"]
    assert row["method"] == METHOD
    renewed(site, key, is_expdate="2098-01-01")
    assert len(history(site, key, "renewed")) == 1


def test_mail_to_the_customer_of_the_license(site):
    number, rebill = order_number(), order_number()
    reference = "SUB-" + number
    for name in ("ann", "ann", "bob"):
        issue(site, orderNumber=order_number(), subscriptionid=reference, is_licensemodel="subscription",
              is_expduration="30", email="%s%s@buyer.example" % (name, number))
    renewal = {"subscriptionid": reference, "orderNumber": rebill, "is_expdate": "2097-03-01",
               "is_emailtemplate_renew": TEMPLATE}
    first = renew(site, **renewal)
    assert first.error is None
    sent = {mail["to"]: mail for mail in mails(site, rebill)}
    assert sorted(sent) == ["ann%s@buyer.example" % number, "bob%s@buyer.example" % number]
    assert sent["ann%s@buyer.example" % number]["text"].count("Demo 1.0") == 2
    assert renew(site, **renewal).body == first.body
    assert len(mails(site, rebill)) == 2


def test_mail_to_the_buyer_of_the_order(site):
    key, number = subscription(site), order_number()
    renewed(site, key, orderNumber=number, email="new@buyer.example", is_expduration="30",
            is_emailtemplate_renew=TEMPLATE)
    mail, = mails(site, number)
    assert mail["to"] == "new@buyer.example" and key in mail["text"]
    number = order_number()
    renewed(site, key, orderNumber=number, email="new@buyer.example", is_expduration="30",
            is_emailtemplate_renew=TEMPLATE, is_send_mail="false")
    renewed(site, key, orderNumber=number, email="new@buyer.example", is_expduration="30")
    assert mails(site, number) == []


def test_a_mail_that_cannot_be_sent_stops_nothing(site):
    key, number = subscription(site), order_number()
    assert renewed(site, key, is_expdate="2097-03-01", orderNumber=number, is_emailtemplate_renew=TEMPLATE) == "2097-03-01"
    assert mails(site, number) == []
    site.expect("QLM1009.*no usable e-mail address")
    site.expect("QLM1009.*no template")
    renewed(site, key, is_expdate="2097-03-02", orderNumber=order_number(), email="x@buyer.example",
            is_emailtemplate_renew="no-such-template")


# ---- product properties

def test_a_renewal_adds_to_product_properties_once(defined):  # noqa: F811
    key, number = subscription(defined, is_pp="limits.credits::100"), order_number()
    for _ in range(2):
        renewed(defined, key, is_expdate="2098-01-01", orderNumber=number, is_pp="limits.credits::+100")
        assert values(report(defined, key))["limits.credits"] == "200"
    # it is paid: what cannot be read is left out and noted
    renewed(defined, key, is_expdate="2098-01-02", orderNumber=order_number(),
            is_pp="limits.credit::+100||limits.seats::7")
    defined.expect("QLM1009.*limits.credit")
    seen = values(report(defined, key))
    assert (seen["limits.credits"], seen["limits.seats"], expiry(defined, key)) == ("200", "7", "2098-01-02")


# ---- which licenses

def test_all_of_a_subscription(site):
    def check(_):
        reference = "SUB-" + order_number()
        keys = [subscription(site, orderNumber=order_number(), subscriptionid=reference) for _ in range(3)]
        revoked = subscription(site, orderNumber=order_number(), subscriptionid=reference)
        other = subscription(site, orderNumber=order_number(), subscriptionid="SUB-" + order_number())
        assert change(site, "RevokeLicenseHttp", is_avkey=revoked).error is None
        answer = renew(site, subscriptionid=reference, is_expduration="30")
        site.expect("QLM1009.*revoked")
        assert answer.field("result").endswith("=%s." % ",".join(keys))
        assert [expiry(site, k) for k in keys] == [in_days(60)] * 3
        assert (expiry(site, revoked), expiry(site, other)) == (in_days(30), in_days(30))
    on_one_day(check)


def test_an_order_of_two_products(site):
    def check(_):
        number = order_number()
        first = subscription(site, orderNumber=number)
        second = subscription(site, orderNumber=number, is_majorversion="2")
        assert renew(site, orderNumber=number, is_expduration="30", **PRODUCT).error is None
        assert (expiry(site, first), expiry(site, second)) == (in_days(60), in_days(30))
    on_one_day(check)


@pytest.mark.parametrize("arguments, code", [
    ({}, 206), ({"is_avkey": "X" * 150}, 205), ({"is_avkey": "A1234-12345-12345-12345-12345X"}, 205),
    ({"subscriptionid": "no-such"}, 203), ({"orderNumber": "no-such"}, 203),
])
def test_nothing_is_meant(site, arguments, code):
    with site.unchanged():
        xml_refusal(site, renew(site, is_expduration="30", **arguments), code)


def test_default_arguments_are_for_new_keys(site):
    key = subscription(site, is_majorversion="2")
    with site.properties(defaultUrlArgs="&is_productid=1&is_majorversion=1&is_minorversion=0&is_expduration=1"):
        assert renewed(site, key) == in_days(60)


def test_a_shop_gets_the_key(site):
    def check(_):
        number = order_number()
        made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT,
                                               "is_expduration": "30"}, {"PURCHASE_ID": number, "QUANTITY": "1"})
        rebill = {"PURCHASE_ID": order_number(), "QUANTITY": "1"}
        arguments = {"vendor": "cleverbridge", "is_avkey": made.text, "is_expduration": "30"}
        answers = [renew(site, form=rebill, **arguments) for _ in range(3)]
        assert {(a.status, a.body) for a in answers} == {(200, made.body)}
        assert expiry(site, made.text) == in_days(60)
        assert change(site, "RevokeLicenseHttp", is_avkey=made.text).error is None
        refused = renew(site, form={"PURCHASE_ID": order_number()}, **arguments)
        assert refused.status == 400 and refused.text.startswith("Error: the license is revoked"), refused
        site.expect("QLM1008")
        assert renew(site, form=rebill, **arguments).body == made.body, "a repeat is answered as it was"
    on_one_day(check)


def test_credentials_and_switch(site):
    key = subscription(site)
    with site.unchanged():
        xml_refusal(site, renew(site, is_avkey=key, is_expduration="30", is_pwd="wrong"), 8)
        xml_refusal(site, renew(site, is_avkey=key, is_expduration="30", is_pwd=None), 8)
    with site.properties(enableRenewSubscriptionHttp="false"):
        xml_refusal(site, renew(site, is_avkey=key, is_expduration="30"), 7)


# ---- an order counts once

def test_the_same_rebill_by_32_clients(any_site):
    key, number = subscription(any_site), order_number()
    before = expiry(any_site, key)
    answers = at_once(any_site, 32, lambda box, _: change(any_site, METHOD, box=box, is_avkey=key, orderNumber=number,
                                                          is_expduration="30"))
    assert len(answers) == 1 and next(iter(answers))[0] == 200
    row, = history(any_site, key, "renewed")
    assert changes(row)["SubscriptionExpiryDate"][0].startswith(before)


def test_different_rebills_at_once_all_count(any_site):
    def check(_):
        reference = "SUB-" + order_number()
        key = subscription(any_site, orderNumber=order_number(), subscriptionid=reference, is_quantity="9")
        numbers = [order_number() for _ in range(12)]
        jobs = numbers * 4
        random.Random(5).shuffle(jobs)
        answers = storm(jobs, lambda box, n: change(any_site, METHOD, box=box, subscriptionid=reference,
                                                    orderNumber=n, is_expduration="10"), clients=16)
        assert {a.error for a in answers} == {None}
        assert expiry(any_site, key) == in_days(30 + 120)
        assert len(history(any_site, key, "renewed")) == 12
    on_one_day(check)


def test_by_the_licenses_own_order_each_call_counts(site):
    """Then the number only says which license is meant."""
    def check(_):
        number = order_number()
        key = subscription(site, orderNumber=number)
        for _ in range(2):
            assert renew(site, orderNumber=number, is_expduration="30").error is None
        assert expiry(site, key) == in_days(90)
    on_one_day(check)


def test_while_computers_come(any_site):
    """Renewals of one license while computers activate: no seat and no day is lost."""
    def check(_):
        key = subscription(any_site, is_quantity="60")

        def work(box, i):
            if i % 4:
                return activate(any_site, key, "PC-%d" % i)
            return change(any_site, METHOD, box=box, is_avkey=key, orderNumber=order_number(), is_expduration="1")
        answers = storm(range(80), work, clients=16)
        assert {a.error for a in answers} == {None}
        assert expiry(any_site, key) == in_days(50)
        assert stored(any_site, key)["available_licenses"] == 0
        # each computer holds the key of the license as it is now
        keys = {r["computer_id"]: r["computer_key"] for r in any_site.query(
            "SELECT a.* FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id WHERE l.activation_key = ?",
            key.replace("-", ""))}
        assert len(keys) == 60
        for computer in ("PC-1", "PC-79"):
            assert validate(any_site, key, computer).field("pckey") == keys[computer]
        seats_add_up(any_site)
    on_one_day(check)


@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_killed_at_random_moments(new_site, mpm):
    """Rebills are posted until they are acknowledged, through crashes: each counts once."""
    site = new_site(mpm=mpm)
    moments = random.Random(11)
    key = subscription(site, "10")
    first = stored(site, key)["expires_at"]
    number, acknowledged = [], {}

    def post(box, n):
        try:
            return n, change(site, METHOD, is_avkey=key, orderNumber=n, is_expduration="1")
        except (OSError, http.client.HTTPException):
            return n, None
    for _ in range(8):
        fresh = [order_number() for _ in range(12)]
        number += fresh
        results = []
        thread = threading.Thread(target=lambda jobs=fresh, out=results: out.extend(storm(jobs * 4, post, clients=8)))
        thread.start()
        time.sleep(moments.uniform(0.01, 0.12))
        site.kill()
        thread.join(60)
        assert not thread.is_alive()
        for n, answer in results:
            if answer is not None:
                assert answer.status == 200 and answer.error is None
                assert acknowledged.setdefault(n, answer.body) == answer.body
        site.start()
    site.allow("AH00|exit signal")
    for n, answer in storm(number * 2, post, clients=8):
        assert answer.status == 200
        assert acknowledged.setdefault(n, answer.body) == answer.body
    assert stored(site, key)["expires_at"] == first + len(number) * 86400
    assert len(history(site, key, "renewed")) == len(number)
    seats_add_up(site)
