"""Outgoing webhooks: what is posted, how it is signed, and what happens when nobody takes it."""
import time

import pytest

from client import activate, call, issue, issue_all, normal, order_number, until, validate
from outside import HookReceiver, holds_no_secret, let_time_pass, make_due, rows

SECRET = "w3bhook-Geheimnis"
MEMBERS = """LicenseUpdatedOnServer ActivationKey FullName Country AffiliateID Email Duration ExpiryDate UsesAdminEncryption
MaintenanceRenewalDate Features OrderID ReceiptID SubscriptionID LicenseModel ProductID MajorVersion MinorVersion NumLicenses
FloatingSeats UserData NewFeatures NewFloatingSeats ComputerID ComputerName Comment LegacyKey AvailableLicenses OrderDate
ProductProperties BundleID ProductName MaxReleaseCount MaxReleasePeriodInDays OrganizationID""".split()


@pytest.fixture(scope="module")
def hooks():
    made = HookReceiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def hooked(template, hooks):
    """A site that tells the receiver of new licenses and of activations."""
    from env import Site
    site = Site(template)
    try:
        site.ctl("property", "set", "webHooksEnabled", "true")
        site.ctl("property", "set", "license_created", hooks.url("/created"))
        site.ctl("property", "set", "license_activated", hooks.url("/activated"))
        site.ctl("property", "set", "webHookSecretKey", "-", stdin=SECRET + "\n")
        site.start()
        yield site
        site.stop(gracefully=True)
        problems = site.audit()
    finally:
        site.destroy()
    assert not problems, "\n".join(problems)


@pytest.fixture(autouse=True)
def a_receiver_in_good_mood(hooks):
    yield
    hooks.statuses, hooks.status, hooks.delay = [], 200, 0


def came(hooks, key, count=1, seconds=6):
    return until(lambda: hooks.about(key) if len(hooks.about(key)) >= count else None, seconds)


def waiting(site, key, attempts):
    def look():
        found = [r for r in rows(site, kind="webhook") if normal(key) in r["payload"] and r["attempts"] == attempts]
        return found[0] if found else None
    return until(look, 8, 0.05)


def test_a_new_license_is_told(hooked, hooks):
    number = order_number()
    key = issue(hooked, is_quantity="2", is_features="0:3", is_userdata1="Müller \"x\" \\ / €", is_expduration="30",
                is_affiliateid="north", purchase_id=number)
    hook, = came(hooks, key)
    assert hook.path == "/created" and hook.event == "license_created"
    assert hook.headers["Content-Type"] == "application/json"
    assert hook.is_signed_with(SECRET)
    assert len(hook.headers.get_all("X-QLM-Signature")) == 1
    assert list(hook.info) == MEMBERS
    assert hook.info["ActivationKey"] == normal(key)
    assert (hook.info["ProductID"], hook.info["MajorVersion"], hook.info["MinorVersion"]) == (1, 1, 0)
    assert (hook.info["NumLicenses"], hook.info["AvailableLicenses"]) == (2, 2)
    assert hook.info["UserData"] == "Müller \"x\" \\ / €"
    assert hook.info["AffiliateID"] == "north" and hook.info["ProductName"] == "Demo"
    assert len(hook.info["ExpiryDate"]) == 19 and "T" in hook.info["ExpiryDate"]
    assert hook.info["ComputerID"] == ""


def test_each_key_of_an_order_is_told_once(hooked, hooks):
    keys = issue_all(hooked, is_quantity="5", is_usemultipleactivationskey="false")
    for key in keys:
        assert len(came(hooks, key)) == 1
    time.sleep(1.2)
    assert [len(hooks.about(key)) for key in keys] == [1] * 5


def test_an_activation_is_told_after_the_license(hooked, hooks):
    key = issue(hooked, is_quantity="2")
    assert activate(hooked, key, "Rechner-Ä").error is None
    created, activated = came(hooks, key, 2)
    assert (created.event, activated.event) == ("license_created", "license_activated")
    assert activated.path == "/activated" and activated.is_signed_with(SECRET)
    assert activated.info["ComputerID"] == "Rechner-Ä" and activated.info["AvailableLicenses"] == 1


def test_a_validation_that_activates_nothing_is_not_told(hooked, hooks):
    key = issue(hooked)
    activate(hooked, key, "PC-1")
    came(hooks, key, 2)
    validate(hooked, key, "PC-1", is_activate="false")
    validate(hooked, key, "PC-2")  # refused
    time.sleep(1.5)
    assert len(hooks.about(key)) == 2


def test_nothing_is_told_when_switched_off_or_nobody_asked(hooked, hooks):
    with hooked.properties(webHooksEnabled="false"):
        off = issue(hooked)
    with hooked.properties(license_created=" ; "):
        nobody = issue(hooked)
    assert not [r for r in rows(hooked, kind="webhook") if normal(off) in r["payload"] or normal(nobody) in r["payload"]]


def test_several_receivers_and_the_one_that_fails_holds_up_nobody(hooked, hooks):
    other = HookReceiver()
    other.status = 500
    try:
        with hooked.properties(license_created="%s ; %s" % (other.url("/a"), hooks.url("/b"))):
            key = issue(hooked)
            assert came(hooks, key)[0].path == "/b"
            assert came(other, key)[0].path == "/a"
            seen = until(lambda: [r for r in rows(hooked, kind="webhook") if normal(key) in r["payload"]
                                  and r["target"] == other.url("/a") and r["attempts"] == 1], 8, 0.05)[0]
            assert seen["state"] == "waiting" and "500" in seen["last_error"]
            assert seen["next_at"] - time.time() == pytest.approx(30, abs=4)
        other.status = 200
        make_due(hooked)
        again = came(other, key, 2)
        assert again[0].body == again[1].body and again[1].is_signed_with(SECRET)
        assert len(hooks.about(key)) == 1
    finally:
        other.close()


def test_events_of_a_license_keep_their_order(hooked, hooks):
    hooks.status = 503
    key = issue(hooked)
    waiting(hooked, key, 1)
    with hooked.properties(license_activated=hooks.url("/created")):  # one receiver for both
        activate(hooked, key)
    time.sleep(2.5)
    assert [h.event for h in hooks.about(key)] == ["license_created"]  # the activation waits behind it
    hooks.status = 200
    other = issue(hooked)  # but no other license does
    came(hooks, other)
    make_due(hooked)
    assert [h.event for h in came(hooks, key, 3)] == ["license_created", "license_created", "license_activated"]


def test_any_2xx_is_taken(hooked, hooks):
    hooks.status = 202
    key = issue(hooked)
    came(hooks, key)
    until(lambda: [r for r in rows(hooked, kind="webhook") if normal(key) in r["payload"]][0]["state"] == "sent", 5)


def test_a_redirect_is_not_followed(hooked, hooks):
    hooks.status = 302
    key = issue(hooked)
    assert "302" in waiting(hooked, key, 1)["last_error"]
    hooks.status = 200
    make_due(hooked)
    came(hooks, key, 2)
    assert not [h for h in hooks.received if "elsewhere" in h.path]


def test_the_publishers_own_schedule(hooked, hooks):
    hooks.status = 500
    with hooked.properties(webHookMaxRetries="2", webHookRetryInterval="7"):
        key = issue(hooked)
        for tries in (1, 2):
            seen = waiting(hooked, key, tries)
            assert seen["state"] == "waiting" and seen["next_at"] - time.time() == pytest.approx(7, abs=3)
            let_time_pass(hooked, 9)
        hooked.expect(r"QLM1203.*license_created")
        assert waiting(hooked, key, 3)["state"] == "failed"
    assert len(hooks.about(key)) == 3


URLS = ["http://192.0.2.1/x", "file:///etc/passwd", "gopher://127.0.0.1:1/", "ftp://127.0.0.1/", "http://127.0.0.1:1/",
        "http://user@:/", "nonsense"]


def test_receivers_that_cannot_be_used(hooked):
    with hooked.properties(license_created=";".join(URLS)):
        key = issue(hooked)
    def tried():
        found = [r for r in rows(hooked, kind="webhook") if normal(key) in r["payload"]]
        return found if all(r["attempts"] == 1 for r in found) else None
    found = until(tried, 10, 0.1)
    assert sorted(r["target"] for r in found) == sorted(URLS)
    assert all(r["last_error"] for r in found)
    hooked.change("UPDATE qlm_outbox SET state = 'cancelled', finished_at = 1 WHERE state = 'waiting'")


def test_a_receiver_that_hangs_delays_no_answer(hooked, hooks):
    hooks.delay = 3
    keys = []
    began = time.monotonic()
    for _ in range(20):
        keys.append(issue(hooked))
    assert time.monotonic() - began < 2
    time.sleep(1.2)  # the worker hangs now
    took = []
    for _ in range(20):
        began = time.monotonic()
        keys.append(issue(hooked))
        took.append(time.monotonic() - began)
    assert max(took) < 0.5, took
    hooks.delay = 0
    for key in keys:
        came(hooks, key, seconds=30)


def test_a_receiver_that_hangs_holds_up_no_other(hooked, hooks):
    """Others are told at once, also what happens while one hangs; what is due for the one that hangs waits with it."""
    slow = HookReceiver()
    slow.delay = 60
    try:
        with hooked.properties(license_created="%s ; %s" % (slow.url(), hooks.url())):
            keys = [issue(hooked) for _ in range(5)]
            for key in keys:
                came(hooks, key, seconds=4)
            for _ in range(4):
                time.sleep(1)
                key = issue(hooked)
                keys.append(key)
                came(hooks, key, seconds=4)
        assert len(slow.received) == 1  # one at a time, and it still hangs
        late = lambda: [r for r in rows(hooked, kind="webhook") if r["target"] == slow.url()]
        until(lambda: all(r["last_error"] for r in late()), 15, 0.2)
        assert sorted(r["attempts"] for r in late()) == [0] * 8 + [1]
        assert len(slow.received) == 1
        slow.delay = 0
        make_due(hooked)
        for key in keys:
            came(slow, key)
    finally:
        slow.close()


def test_without_a_secret_it_is_signed_with_nothing(new_site, hooks):
    site = new_site(start=False)
    site.ctl("property", "set", "webHooksEnabled", "true")
    site.ctl("property", "set", "license_created", hooks.url())
    site.start()
    hook, = came(hooks, issue(site))
    assert hook.is_signed_with("") or "X-QLM-Signature" not in hook.headers


def test_the_secret_is_nowhere(hooked, hooks):
    came(hooks, issue(hooked))
    holds_no_secret(hooked, SECRET)
    assert SECRET not in hooked.ctl("property", "list").stdout


def test_a_refused_order_tells_nothing(hooked):
    before = len(rows(hooked, kind="webhook"))
    with hooked.properties(maxNewKeysPerDay="1"):
        answer = call(hooked, "GetActivationKey", {"is_vendor": "QlmAuthenticationProvider", "is_productid": "1",
                      "is_majorversion": "1", "is_minorversion": "0", "is_user": "shop", "is_pwd": "Sesam-0pen"})
        assert answer.error, answer
    assert len(rows(hooked, kind="webhook")) == before
