"""EnableMaintenancePlan and RenewMaintenancePlan: until when a license may take newer versions."""
import random

import pytest

from changing import age, at_once, change, changes, history, in_days, mails, plan, stored
from client import CREDENTIALS, PRODUCT, call, issue, on_one_day, order_number, storm, validate, xml_refusal
from outside import TEMPLATE

ENABLE, RENEW = "EnableMaintenancePlan", "RenewMaintenancePlan"


def done(site, method, key, **more):
    answer = change(site, method, is_avkey=key, **more)
    assert answer.error is None, answer
    assert answer.field("result").endswith(" the maintenance plan of ActivationKey=%s." % key)
    return plan(site, key)


# ---- enabling

def test_enabled(site):
    def check(_):
        key = issue(site)
        xml_refusal(site, validate(site, key, is_majorversion="2"), 211)
        assert done(site, ENABLE, key, is_maintplan="1") == in_days(365)
        assert validate(site, key, is_majorversion="2").error is None
        row, = history(site, key, "plan enabled")
        assert changes(row) == {"MaintenanceRenewalDate": ["", in_days(365) + " 23:59:59"]}
        with site.properties(maintenancePlanPeriodInDays="30"):
            assert done(site, ENABLE, issue(site)) == in_days(30)
        with site.properties(maintenancePlanPeriodInDays="-1"):
            assert done(site, ENABLE, issue(site)) == done(site, RENEW, issue(site)) == in_days(365)
    on_one_day(check)


@pytest.mark.parametrize("name", ["is_maintduration", "is_mainduration"])
def test_enabled_by_days(site, name):
    def check(_):
        key = issue(site)
        assert done(site, ENABLE, key, **{"is_maintplan": "1", name: "10"}) == in_days(10)
        assert done(site, ENABLE, key, **{"is_maintplan": "1", name: "20"}) == in_days(20), "from today"
        assert done(site, ENABLE, key, **{"is_maintplan": "1", name: "5"}) == in_days(20), "not shortened"
        assert done(site, ENABLE, key, **{"is_maintplan": "1", name: "5", "is_maintdate": "2031-01-31"}) == "2031-01-31"
        assert done(site, ENABLE, key, is_maintplan="1", is_maintdate=in_days(3)) == in_days(3)
    on_one_day(check)


@pytest.mark.parametrize("no", ["0", "false"])
def test_ended(site, no):
    key = issue(site, is_maintenance_plan="1")
    assert done(site, ENABLE, key, is_maintplan=no) == ""
    xml_refusal(site, validate(site, key, is_majorversion="2"), 211)


def test_enabled_however_long_ago_it_ended(site):
    def check(_):
        key = issue(site, is_maintenance_plan="1", is_maintduration="10")
        age(site, key, 1000)
        with site.properties(maintenancePlanGracePeriod="0"):
            assert done(site, ENABLE, key, is_maintplan="1") == in_days(365)
    on_one_day(check)


# ---- renewing

def test_renewed(site):
    def check(_):
        key = issue(site, is_maintenance_plan="1", is_maintduration="30")
        assert done(site, RENEW, key) == in_days(395), "early: on from its end"
        assert done(site, RENEW, key, is_maintduration="10") == in_days(405)
        age(site, key, 505)
        assert done(site, RENEW, key, is_maintduration="10") == in_days(10), "late: from today"
        assert done(site, RENEW, key, is_maintdate="2031-01-31", is_maintduration="10") == "2031-01-31"
        assert done(site, RENEW, issue(site)) == in_days(365), "there was none"
    on_one_day(check)


@pytest.mark.parametrize("grace, late, is_allowed", [("-1", 4000, True), ("0", 1, False), ("0", 0, True),
                                                     ("10", 10, True), ("10", 11, False)])
def test_grace(site, grace, late, is_allowed):
    def check(_):
        key = issue(site, is_maintenance_plan="1", is_maintduration="30")
        age(site, key, 30 + late)
        with site.properties(maintenancePlanGracePeriod=grace):
            if is_allowed:
                done(site, RENEW, key)
            else:
                assert ENABLE in xml_refusal(site, change(site, RENEW, is_avkey=key), 209)
    on_one_day(check)


def test_without_key_by_subscription_or_order_and_product(site):
    def check(_):
        number, reference = order_number(), "SUB-" + order_number()
        first = issue(site, orderNumber=number, subscriptionid=reference)
        other = issue(site, orderNumber=number, subscriptionid=reference, is_majorversion="2")
        assert change(site, RENEW, subscriptionid=reference, orderNumber=order_number(), **PRODUCT).error is None
        assert (plan(site, first), plan(site, other)) == (in_days(365), "")
        assert change(site, RENEW, orderNumber=number, **PRODUCT, is_maintduration="1").error is None
        assert (plan(site, first), plan(site, other)) == (in_days(366), "")
        assert change(site, RENEW, custom_referrer=first).error is None
        assert plan(site, first) == in_days(731)
    on_one_day(check)


# ---- both

@pytest.mark.parametrize("method", [ENABLE, RENEW])
def test_refusals(site, method):
    key = issue(site)
    with site.unchanged():
        xml_refusal(site, change(site, method), 206)
        xml_refusal(site, change(site, method, is_avkey="X" * 150), 205)
        xml_refusal(site, change(site, method, is_avkey="A1234-12345-12345-12345-12345X"), 205)
        xml_refusal(site, change(site, method, orderNumber="no-such"), 203)
        xml_refusal(site, change(site, method, is_avkey=key, is_pwd="wrong"), 8)
        xml_refusal(site, change(site, method, is_avkey=key, is_maintdate="2031-02-30"), 5)
        xml_refusal(site, change(site, method, is_avkey=key, is_maintduration="99999"), 5)
        xml_refusal(site, change(site, method, is_avkey=key, is_maintdate="10000-01-01"), 5)
    assert change(site, "RevokeLicenseHttp", is_avkey=key).error is None
    with site.unchanged():
        xml_refusal(site, change(site, method, is_avkey=key), 201)


@pytest.mark.parametrize("method, named", [(ENABLE, "is_emailtemplate"), (RENEW, "is_emailtemplate_renew")])
def test_a_mail(site, method, named):
    number = order_number()
    key = issue(site, email="c%s@buyer.example" % number)
    done(site, method, key, orderNumber=number, **{named: TEMPLATE})
    mail, = mails(site, number)
    assert mail["to"] == "c%s@buyer.example" % number and key in mail["text"]


@pytest.mark.parametrize("method", [ENABLE, RENEW])
def test_a_shop_gets_the_key(site, method):
    number = order_number()
    made = call(site, "GetActivationKey", {"is_vendor": "cleverbridge", **CREDENTIALS, **PRODUCT},
                {"PURCHASE_ID": number, "QUANTITY": "1"})
    answer = change(site, method, "cleverbridge", {"PURCHASE_ID": number, "QUANTITY": "1"})
    assert (answer.status, answer.body) == (200, made.body)
    assert plan(site, made.text)


@pytest.mark.parametrize("method", [ENABLE, RENEW])
def test_the_same_order_by_32_clients(any_site, method):
    def check(_):
        key, number = issue(any_site), order_number()
        answers = at_once(any_site, 32, lambda box, _: change(any_site, method, box=box, is_avkey=key,
                                                              orderNumber=number, is_maintduration="30"))
        assert len(answers) == 1 and next(iter(answers))[0] == 200
        assert plan(any_site, key) == in_days(30)
        assert len([r for r in history(any_site, key) if r["event"].startswith("plan ")]) == 1
    on_one_day(check)


def test_with_renewals_and_updates_at_once(any_site):
    """Each method changes what is its own, and nothing is lost."""
    def check(_):
        key = issue(any_site, is_licensemodel="subscription", is_expduration="30", is_maintenance_plan="1",
                    is_maintduration="30")
        jobs = [(RENEW, {"is_maintduration": "1"})] * 20 + [("RenewSubscriptionHttp", {"is_expduration": "1"})] * 20
        random.Random(3).shuffle(jobs)
        answers = storm(jobs, lambda box, j: change(any_site, j[0], box=box, is_avkey=key,
                                                    orderNumber=order_number(), **j[1]), clients=16)
        assert {a.error for a in answers} == {None}
        row = stored(any_site, key)
        assert row["expires_at"] == row["maintenance_until"] and plan(any_site, key) == in_days(50)
    on_one_day(check)
