"""UpgradeLicense: a new key takes the old one's place, once per order."""
import random
import threading
import time

import http.client
import pytest

from changing import at_once, change, changes, expiry, history, in_days, mails, plan, seats_add_up, stored
from client import (CREDENTIALS, KEY, PRODUCT, activate, call, issue, issue_all, normal, on_one_day, order_number,
                    report, storm, validate, xml_refusal)
from outside import TEMPLATE
from test_product_properties import defined  # noqa: F401

METHOD = "UpgradeLicense"
SECOND = {"is_productid": "1", "is_majorversion": "2", "is_minorversion": "0"}


def upgrade(site, **more):
    return change(site, METHOD, **{**SECOND, **more})


def upgraded(site, key, **more):
    fresh, = upgrade(site, is_avkey=key, **more).licenses
    assert KEY.match(fresh) and fresh != key
    return fresh


def is_gone(site, key, fresh):
    """The old key is not known, and nobody learns the new one from it."""
    for answer in (validate(site, key), activate(site, key), validate(site, key, is_majorversion="2")):
        xml_refusal(site, answer, 203)
        assert normal(fresh) not in normal(answer.text)


def test_a_new_key(any_site):
    key = issue(any_site, is_features="0:1", is_quantity="3", is_maintenance_plan="1", email="ann@buyer.example",
                orderNumber=order_number(), subscriptionid="SUB-" + order_number())
    for computer in ("A", "B"):
        assert activate(any_site, key, computer).error is None
    before = stored(any_site, key)
    fresh = upgraded(any_site, key, orderNumber=order_number(), subscriptionid="another")
    is_gone(any_site, key, fresh)
    after = stored(any_site, fresh)
    differs = {name for name in before if before[name] != after[name]}
    assert differs - {"modified_at", "released_at"} == {"activation_key", "major", "available_licenses",
                                                       "first_activated_at"}
    assert (after["major"], after["num_licenses"], after["available_licenses"]) == (2, 3, 3)
    assert after["order_status"] == "Completed" and after["first_activated_at"] == 0
    seen = activate(any_site, fresh, "A", is_majorversion="2")
    assert seen.error is None and seen.field("availableLicenses") == "2"
    assert seen.field("userEmail") == "ann@buyer.example"
    row, = history(any_site, fresh, "upgraded")
    assert row["activation_key"] == normal(key)
    assert changes(row)["ActivationKey"] == [normal(key), normal(fresh)]
    assert changes(row)["OrderStatus"] == ["Completed", "Upgraded"]
    assert changes(row)["MajorVersion"] == ["1", "2"]
    seats_add_up(any_site)


def test_the_operator_learns_what_became_of_a_key(site):
    key = issue(site)
    second = upgraded(site, key)
    third = upgraded(site, second)
    for old in (key, second):
        shown = site.ctl("key", "show", old, check=False)
        assert shown.returncode != 0 and "was upgraded on" in shown.stderr and third in shown.stderr
    assert third in site.ctl("key", "show", third).stdout
    assert "upgraded" in site.ctl("key", "history", key).stdout


def test_without_history(site):
    with site.properties(historyTableLogUpgrade="false"):
        key = issue(site)
        fresh = upgraded(site, key)
    assert [row["event"] for row in history(site, fresh)] == ["created"]
    assert "no such key" in site.ctl("key", "show", key, check=False).stderr
    is_gone(site, key, fresh)


def test_new_terms(site):
    def check(_):
        key = issue(site, is_licensemodel="trial", is_expduration="10")
        assert key.startswith("B")
        fresh = upgraded(site, key, is_licensemodel="subscription", is_expduration="365", is_features="0:7",
                         is_userdata1="mine", is_affiliateid="eu")
        row = stored(site, fresh)
        assert (fresh[0], row["model"], row["features"], row["user_data"], row["affiliate_id"]) == (
            "F", "subscription", "0:7;", "mine", "eu")
        assert (expiry(site, fresh), row["duration_days"]) == (in_days(365), 365)
        third = upgraded(site, fresh, is_licensemodel="permanent")
        assert (third[0], expiry(site, third)) == ("A", "")
        fourth = upgraded(site, third, is_expdate="2099-01-31", is_qlmversion="5.0.00")
        assert (fourth[0], expiry(site, fourth)) == ("B", "2099-01-31")
        assert validate(site, fourth, is_majorversion="2").error is None
    on_one_day(check)


def test_units_become_seats_of_the_new_model(site):
    def seats(key):
        row = stored(site, key)
        return row["num_licenses"], row["available_licenses"], row["floating_seats"]
    key = upgraded(site, issue(site, is_quantity="5"), is_licensemodel="permanent_floating")
    assert (key[0], seats(key)) == ("K", (1, 1, 5))
    key = upgraded(site, key, is_licensemodel="permanent_cloud")
    assert (key[0], seats(key)) == ("R", (5, 5, 5))
    key = upgraded(site, key, is_licensemodel="permanent")
    assert (key[0], seats(key)) == ("A", (5, 5, 1))


def test_the_plan_and_the_quantity_stay(site):
    """The quantity is that of the upgrade, not of activations."""
    key = issue(site, is_quantity="5", is_maintenance_plan="1")
    until = plan(site, key)
    fresh = upgraded(site, key, is_quantity="1", is_maintenance_plan="0")
    assert (plan(site, fresh), stored(site, fresh)["num_licenses"]) == (until, 5)


def test_product_properties_stay(defined):  # noqa: F811
    key = issue(defined, is_pp="limits.credits::100")
    before = stored(defined, key)["properties"]
    assert before and stored(defined, upgraded(defined, key))["properties"] == before


def test_a_subscription_begins_with_the_upgrade(site):
    reference = "SUB-" + order_number()
    fresh = upgraded(site, issue(site), subscriptionid=reference, orderNumber=order_number(),
                     is_licensemodel="subscription", is_expduration="30")
    assert change(site, "RenewSubscriptionHttp", subscriptionid=reference, is_expdate="2099-01-31").error is None
    assert expiry(site, fresh) == "2099-01-31"


def test_all_keys_of_an_order(site):
    number = order_number()
    keys = issue_all(site, orderNumber=number, is_quantity="3", is_usemultipleactivationskey="false")
    answer = upgrade(site, orderNumber=number)
    assert len(set(answer.licenses) | set(keys)) == 6
    assert {stored(site, k)["major"] for k in answer.licenses} == {2}
    assert upgrade(site, orderNumber=number).body == answer.body, "also by its own order it happens once"


def test_a_mail_hands_over_the_key(site):
    number = order_number()
    key = issue(site, email="c%s@buyer.example" % number)
    fresh = upgraded(site, key, orderNumber=number, is_emailtemplate=TEMPLATE)
    mail, = mails(site, number)
    assert mail["to"] == "c%s@buyer.example" % number
    assert fresh in mail["text"] and key not in mail["text"]


def test_a_shop_gets_the_key(site):
    number, again = order_number(), order_number()
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1"})
    answers = [change(site, METHOD, "cleverbridge", {"PURCHASE_ID": again, "QUANTITY": "1"}, is_avkey=made.text,
                      **SECOND) for _ in range(3)]
    assert len({(a.status, a.body) for a in answers}) == 1
    assert KEY.match(answers[0].text) and answers[0].text != made.text
    assert stored(site, answers[0].text)["order_ref"] == number


# ---- refusals

def test_refusals(site):
    key = issue(site)
    revoked = issue(site)
    assert change(site, "RevokeLicenseHttp", is_avkey=revoked).error is None
    with site.unchanged():
        xml_refusal(site, upgrade(site), 206)
        xml_refusal(site, upgrade(site, is_avkey="X" * 150), 205)
        xml_refusal(site, upgrade(site, is_avkey="A1234-12345-12345-12345-12345X"), 205)
        xml_refusal(site, upgrade(site, orderNumber="no-such"), 203)
        xml_refusal(site, upgrade(site, is_avkey=key, is_majorversion="9"), 218)
        xml_refusal(site, upgrade(site, is_avkey=key, is_licensemodel="subscription"), 208)
        xml_refusal(site, upgrade(site, is_avkey=key, is_expdate="10000-01-01"), 5)
        xml_refusal(site, upgrade(site, is_avkey=key, is_features="x"), 5)
        xml_refusal(site, upgrade(site, is_avkey=key, is_pwd="wrong"), 8)
        xml_refusal(site, upgrade(site, is_avkey=revoked), 201)
    with site.properties(enableUpgradeLicense="false"):
        xml_refusal(site, upgrade(site, is_avkey=key), 7)
    fresh = upgraded(site, key)
    with site.unchanged():
        xml_refusal(site, upgrade(site, is_avkey=key), 203)
        xml_refusal(site, change(site, "RenewSubscriptionHttp", is_avkey=key, is_expduration="1"), 203)
        xml_refusal(site, change(site, "UpdateLicenseHttp", is_avkey=key, is_features="0:1"), 203)
    assert report(site, fresh, is_majorversion="2")


# ---- at the same time

def test_the_same_order_by_32_clients(any_site):
    for _ in range(3):
        key, number = issue(any_site), order_number()
        answers = at_once(any_site, 32, lambda box, _: change(any_site, METHOD, box=box, is_avkey=key,
                                                              orderNumber=number, **SECOND))
        assert len(answers) == 1 and next(iter(answers))[0] == 200
        fresh, = upgrade(any_site, is_avkey=key, orderNumber=number).licenses
        assert len(history(any_site, fresh, "upgraded")) == 1
        assert stored(any_site, fresh)["major"] == 2


def test_two_upgrades_of_one_key(any_site):
    """Different orders for one key: one of them gets it."""
    for _ in range(5):
        key = issue(any_site)
        answers = storm(range(8), lambda box, i: change(any_site, METHOD, box=box, is_avkey=key,
                                                        orderNumber=order_number(), **SECOND), clients=8)
        assert sorted(a.code or "" for a in answers) == [""] + ["203"] * 7
        any_site.allow("QLM1008")


def test_renewals_by_subscription_survive_upgrades(any_site):
    """Rebills, activations and upgrades of one license at once: no rebill is lost, no seat stays taken."""
    def check(_):
        reference = "SUB-" + order_number()
        key = issue(any_site, subscriptionid=reference, orderNumber=order_number(), is_licensemodel="subscription",
                    is_expduration="30", is_quantity="50")
        jobs = (["renew"] * 20 + ["upgrade"] * 4 + ["activate"] * 20)
        random.Random(23).shuffle(jobs)

        def work(box, job):
            if job == "activate":
                return job, activate(any_site, key, "PC-" + order_number())
            if job == "renew":
                return job, change(any_site, "RenewSubscriptionHttp", box=box, subscriptionid=reference,
                                   orderNumber=order_number(), is_expduration="1")
            return job, change(any_site, METHOD, box=box, subscriptionid=reference, orderNumber=order_number())
        answers = storm(jobs, work, clients=8)
        any_site.allow("QLM100[78]")
        assert {a.error for job, a in answers if job != "activate"} == {None}
        row, = any_site.query("SELECT * FROM qlm_license WHERE subscription_ref = ?", reference)
        assert expiry(any_site, row["activation_key"]) == in_days(50)
        assert row["num_licenses"] == 50
        assert len(history(any_site, row["activation_key"], "upgraded")) == 4
        seats_add_up(any_site)
    on_one_day(check)


def test_killed_at_random_moments(new_site):
    """Upgrades are posted until they are acknowledged, through crashes: each order has one key."""
    site = new_site()
    moments = random.Random(29)
    orders, acknowledged = {}, {}

    def post(box, number):
        try:
            return number, change(site, METHOD, is_avkey=orders[number], orderNumber=number, **SECOND)
        except (OSError, http.client.HTTPException):
            return number, None
    for _ in range(6):
        jobs = [order_number() for _ in range(10)]
        orders.update((number, issue(site)) for number in jobs)
        results = []
        thread = threading.Thread(target=lambda now=jobs, out=results: out.extend(storm(now * 4, post, clients=8)))
        thread.start()
        time.sleep(moments.uniform(0.01, 0.08))
        site.kill()
        thread.join(60)
        assert not thread.is_alive()
        for number, answer in results:
            if answer is not None:
                assert answer.status == 200 and answer.error is None
                assert acknowledged.setdefault(number, answer.body) == answer.body
        site.start()
    site.allow("AH00|exit signal")
    for number, answer in storm(list(orders) * 2, post, clients=8):
        assert answer.status == 200
        assert acknowledged.setdefault(number, answer.body) == answer.body
        fresh, = answer.licenses
        assert stored(site, fresh)["major"] == 2
    assert len(site.query("SELECT id FROM qlm_license")) == len(orders)
    assert len(site.query("SELECT id FROM qlm_history WHERE event = 'upgraded'")) == len(orders)
    seats_add_up(site)
