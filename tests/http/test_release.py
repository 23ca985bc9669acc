"""ReleaseLicenseHttp: who may release, which computer, limits, what a release leaves behind."""
import hashlib
import json
import time

import pytest

from client import CREDENTIALS, activate, call, day_after, issue, normal, on_one_day, validate, xml_refusal


def release(site, key, computer="PC-1", vendor="QlmAuthenticationProvider", **more):
    query = {"is_vendor": vendor, **CREDENTIALS, "is_avkey": key, "is_pcid": computer, **more}
    return call(site, "ReleaseLicenseHttp", {k: v for k, v in query.items() if v is not None})


def without_credentials(site, key, computer="PC-1", **more):
    return release(site, key, computer, vendor=None, is_user=None, is_pwd=None, **more)


def stored(site, key):
    row, = site.query("SELECT * FROM qlm_license WHERE activation_key = ?", normal(key))
    return row


def history(site, key, event="released"):
    return site.query("SELECT h.* FROM qlm_history h JOIN qlm_license l ON l.id = h.license_id"
                      " WHERE l.activation_key = ? AND event = ? ORDER BY h.id", normal(key), event)


def age_history(site, key, days):
    site.change("UPDATE qlm_history SET happened_at = happened_at - ? WHERE license_id ="
                " (SELECT id FROM qlm_license WHERE activation_key = ?)", days * 86400, normal(key))


def move(site, key, times, computer="PC-1", **more):
    """Activate and release again and again; returns the codes of the releases."""
    codes = []
    for _ in range(times):
        assert validate(site, key, computer).error is None
        codes.append(release(site, key, computer, **more).code)
        if codes[-1]:
            xml_refusal(site, release(site, key, computer, **more), codes[-1])
    return codes


# ---- what a release does

def test_a_released_computer_makes_room(any_site):
    site = any_site
    key = issue(site)
    assert activate(site, key, "PC-1", is_computer_name="Front desk").error is None
    xml_refusal(site, activate(site, key, "PC-2"), 207)
    answer = release(site, key)
    assert answer.error is None and answer.names == ["result"]
    assert answer.field("result") == "Activation Key %s has been released from computer Front desk." % key
    row = stored(site, key)
    assert (row["available_licenses"], row["order_status"]) == (1, "Released")
    assert abs(row["released_at"] - time.time()) < 60
    assert activate(site, key, "PC-2").error is None
    assert stored(site, key)["order_status"] == "Completed"
    site.ctl("db", "check")


def test_what_stays_in_the_history(site):
    key = issue(site)
    activate(site, key)
    release(site, key)
    row, = history(site, key)
    assert (row["computer_id"], row["method"], row["vendor"]) == ("PC-1", "ReleaseLicenseHttp",
                                                                 "qlmauthenticationprovider")
    changes = json.loads(row["changes"])
    assert changes["AvailableLicenses"] == ["0", "1"] and changes["OrderStatus"] == ["Completed", "Released"]
    assert changes["ReleaseDate"][0] == "" and changes["ReleaseDate"][1]


@pytest.mark.parametrize("value", ["false", "0"])
def test_a_release_that_is_not_logged(site, value):
    key = issue(site)
    activate(site, key)
    assert release(site, key, is_logRelease=value).error is None
    assert history(site, key) == []
    with site.properties(historyTableLogRelease="false"):
        activate(site, key)
        assert release(site, key).error is None
    assert history(site, key) == []


def test_one_of_several_computers(site):
    key = issue(site, is_quantity="3")
    for computer in ("PC-1", "PC-2"):
        assert activate(site, key, computer).error is None
    assert release(site, key, "pc-2").error is None
    row = stored(site, key)
    assert (row["available_licenses"], row["order_status"]) == (2, "Completed")
    assert validate(site, key, "PC-1", is_activate="false").field("status") == "2"
    assert validate(site, key, "PC-2", is_activate="false").field("status") == "512"


def test_a_license_for_one_computer_needs_no_name_of_it(site):
    key = issue(site)
    activate(site, key)
    assert release(site, key, None).error is None
    assert stored(site, key)["available_licenses"] == 1
    many = issue(site, is_quantity="2")
    activate(site, many)
    xml_refusal(site, release(site, many, None), 208)


def test_once_more_changes_nothing(site):
    key = issue(site)
    activate(site, key)
    assert release(site, key).error is None
    with site.unchanged():
        xml_refusal(site, release(site, key), 216)


def test_a_revoked_or_expired_license_is_released_too(site):
    for change in ("is_disabled = 1", "expires_at = 1000"):
        key = issue(site)
        activate(site, key)
        site.change("UPDATE qlm_license SET %s WHERE activation_key = ?" % change, normal(key))
        assert release(site, key).error is None
        assert stored(site, key)["available_licenses"] == 1


def test_the_sentence_is_the_operators(site):
    key = issue(site)
    activate(site, key)
    with site.properties(customMessage_Res_LicenseKeyReleased="{1} <ade>: {0} {2}!"):
        assert release(site, key).field("result") == "PC-1 <ade>: %s {2}!" % key


def test_other_sentences_of_the_operator(site):
    single, many = issue(site), issue(site, is_quantity="2")
    activate(site, single, "PC-1", is_computer_name="Desk")
    for number in (1, 2):
        activate(site, many, "PC-%d" % number)
    with site.properties(customMessage_Res_AllKeysActivated="All are gone.",
                         customMessage_Res_LicenseKeyAlreadyActivated4="On {1} ({3}) since {2}: {0}"):
        assert xml_refusal(site, activate(site, many, "PC-3"), 210) == "All are gone."
        text = xml_refusal(site, activate(site, single, "PC-3"), 207)
    assert text.startswith("On Desk (PC-1) since 2") and single not in text and normal(single) not in text


# ---- who may

def test_credentials_are_needed_unless_the_operator_says_otherwise(any_site):
    site = any_site
    key = issue(site)
    activate(site, key)
    with site.unchanged():
        xml_refusal(site, without_credentials(site, key), 8)
        xml_refusal(site, release(site, key, is_pwd="wrong"), 8)
        xml_refusal(site, release(site, key, vendor="nobody"), 8)
    with site.properties(releaseLicenseRequiresAuthentication="false"):
        with site.unchanged():
            xml_refusal(site, release(site, key, is_pwd="wrong"), 8)
        assert without_credentials(site, key).error is None


def test_the_switch(site):
    key = issue(site)
    activate(site, key)
    with site.properties(enableReleaseKeyHttp="false"):
        xml_refusal(site, release(site, key), 7)


def test_get_and_post_are_one(site):
    key = issue(site)
    activate(site, key)
    answer = call(site, "releaselicensehttp", None, {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS,
                                                     "IS_AVKEY": key.lower(), "is_pcID": "PC-1"})
    assert answer.error is None


# ---- refusals

@pytest.mark.parametrize("fields, code", [
    ({"is_avkey": None}, 206),
    ({"is_avkey": "X" * 150}, 205),
    ({"is_avkey": "A1234-12345-12345-12345-12345X"}, 205),
    ({"is_avkey": "FOREIGN-KEY"}, 203),
    ({"is_pcid": "x" * 256}, 208),
    ({"is_pcid": "PC\n1"}, 5),
    ({"is_pcid": "PC-9"}, 217),
    ({"is_logRelease": "perhaps"}, 5),
])
def test_refusals(site, fields, code):
    key = issue(site)
    activate(site, key)
    query = {"is_avkey": key, **fields}
    with site.unchanged():
        xml_refusal(site, release(site, query.pop("is_avkey"), query.pop("is_pcid", "PC-1"), **query), code)


def test_never_activated(site):
    key = issue(site)
    with site.unchanged():
        xml_refusal(site, release(site, key), 216)
        xml_refusal(site, release(site, key, None), 216)


def test_a_seat_taken_offline(site):
    key = issue(site)
    activate(site, key)
    set_offline = "UPDATE qlm_activation SET offline_until = ? WHERE license_id = ?"
    site.change(set_offline, int(time.time()) + 3600, stored(site, key)["id"])
    with site.unchanged():
        xml_refusal(site, release(site, key), 228)
    site.change(set_offline, int(time.time()) - 1, stored(site, key)["id"])
    assert release(site, key).error is None


# ---- limits

def test_as_often_as_the_site_says(site):
    key = issue(site)
    with site.properties(maxReleaseCount="2"):
        assert move(site, key, 3) == [None, None, "212"]
        with site.properties(maxReleasePeriodInDays="30"):
            age_history(site, key, 31)
            assert release(site, key).error is None
    assert move(site, key, 2) == [None, None]


@pytest.mark.parametrize("count, days, codes", [(1, -2, [None, "212"]), (-1, -2, [None] * 4), (0, -2, ["212"]),
                                                (-2, -2, [None, None, None, "212"])])
def test_a_limit_of_its_own(site, count, days, codes):
    key = issue(site)
    site.change("UPDATE qlm_license SET max_release_count = ?, max_release_days = ? WHERE activation_key = ?",
                count, days, normal(key))
    with site.properties(maxReleaseCount="3"):
        assert move(site, key, len(codes)) == codes


def test_a_period_of_its_own(site):
    key, other = issue(site), issue(site)
    site.change("UPDATE qlm_license SET max_release_days = 10 WHERE activation_key = ?", normal(key))
    site.change("UPDATE qlm_license SET max_release_days = -1 WHERE activation_key = ?", normal(other))
    with site.properties(maxReleaseCount="1", maxReleasePeriodInDays="100"):
        for each, codes in ((key, [None]), (other, ["212"])):
            assert move(site, each, 1) == [None]
            age_history(site, each, 200 if each == other else 11)
            assert move(site, each, 1) == codes


def test_the_limit_of_each_computer(site):
    key = issue(site, is_quantity="2")
    with site.properties(maxReleaseCount="1", maxReleasePerClient="true"):
        assert move(site, key, 1, "PC-1") == [None]
        assert move(site, key, 1, "PC-2") == [None]
        assert move(site, key, 1, "pc-1") == ["212"]


def test_the_limit_grows_with_the_license(site):
    key = issue(site, is_quantity="3")
    with site.properties(maxReleaseCount="2", maxReleaseCountAbsolute="false"):
        assert move(site, key, 7) == [None] * 6 + ["212"]
    other = issue(site, is_quantity="3")
    with site.properties(maxReleaseCount="2"):
        assert move(site, other, 3) == [None, None, "212"]


def test_not_right_after_the_activation(site):
    key = issue(site)
    activate(site, key)
    with site.properties(preventDeactivationPeriod="10"):
        with site.unchanged():
            xml_refusal(site, release(site, key), 212)
        site.change("UPDATE qlm_activation SET activated_at = activated_at - 601 WHERE license_id = ?",
                    stored(site, key)["id"])
        assert release(site, key).error is None


# ---- orders in progress

def test_the_first_activation_completes_an_order(site):
    key, other = issue(site), issue(site, is_maintenance_plan="1", is_maintduration="10")
    for each in (key, other):
        site.change("UPDATE qlm_license SET order_status = 'In Progress' WHERE activation_key = ?", normal(each))
    plan = stored(site, other)["maintenance_until"]
    with site.properties(maintenancePlanPeriodInDays="20"):
        assert activate(site, key).error is None and activate(site, other).error is None
    row = stored(site, key)
    assert row["order_status"] == "Completed"
    assert 19 * 86400 < row["maintenance_until"] - time.time() < 21 * 86400
    assert stored(site, other)["maintenance_until"] == plan
    changes = json.loads(history(site, key, "activated")[0]["changes"])
    assert changes["OrderStatus"] == ["In Progress", "Completed"] and changes["MaintenanceRenewalDate"][1]
    # what was bought without a plan stays without one
    plain = issue(site)
    activate(site, plain)
    assert stored(site, plain)["maintenance_until"] == 0


# ---- the deactivation code

SECRET = "{B6163D99-F46A-4580-BB42-BF276A507A14}"


def code_for(key, computer="PC-1", secret=SECRET, days=0):
    """As an application makes it."""
    text = "|".join((normal(key), computer, secret, day_after(days)))
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def closed_site(site):
    """A site that asks for codes."""
    site.ctl("property", "set", "communicationEncryptionKey", "-", stdin=SECRET + "\n")
    with site.properties(releaseLicenseRequiresVerificationCode="true"):
        yield site
    site.ctl("property", "set", "communicationEncryptionKey", "")


@pytest.mark.parametrize("name", ["is_deactivation_code", "is_deacivation_code", "is_deactcode", "IS_DeactCode"])
def test_the_code_under_its_names(closed_site, name):
    key = issue(closed_site)
    activate(closed_site, key)
    assert release(closed_site, key, **{name: code_for(key)}).error is None


@pytest.mark.parametrize("days", [-1, 1])
def test_the_code_of_a_neighbouring_day(closed_site, days):
    key = issue(closed_site)
    activate(closed_site, key)
    # in the middle of a day nobody's today is two days away
    on_one_day(lambda day: xml_refusal(closed_site, release(closed_site, key, is_deactcode=code_for(key, days=2 * days)),
                                       224))
    assert release(closed_site, key, is_deactcode=code_for(key, days=days)).error is None


@pytest.mark.parametrize("make", [lambda k: code_for(k, "PC-2"), lambda k: code_for(k, secret=SECRET[1:-1] + "x"),
                                  lambda k: code_for("AAAAA-BBBBB"), lambda k: "x", lambda k: code_for(k)[:-1]])
def test_a_wrong_code(closed_site, make):
    key = issue(closed_site)
    activate(closed_site, key)
    with closed_site.unchanged():
        xml_refusal(closed_site, release(closed_site, key, is_deactcode=make(key)), 224)


def test_the_code_without_braces_in_capitals_with_dashes(closed_site):
    key = issue(closed_site)
    activate(closed_site, key)
    code = code_for(key, secret=SECRET[1:-1]).upper()
    assert release(closed_site, key, is_deactcode="-".join((code[:8], code[8:16], code[16:]))).error is None


def test_who_has_no_code_learns_nothing(closed_site):
    key = issue(closed_site)
    with closed_site.unchanged():
        xml_refusal(closed_site, release(closed_site, key), 208)
        xml_refusal(closed_site, release(closed_site, key, is_deactcode="x"), 224)
        xml_refusal(closed_site, release(closed_site, key, is_deactcode=code_for(key)), 216)


def test_the_only_computer_by_its_stored_id(closed_site):
    key = issue(closed_site)
    activate(closed_site, key, "Büro 7")
    xml_refusal(closed_site, release(closed_site, key, None, is_deactcode=code_for(key, "")), 224)
    assert release(closed_site, key, None, is_deactcode=code_for(key, "Büro 7")).error is None


def test_without_a_secret_every_code_is_wrong(site):
    key = issue(site)
    activate(site, key)
    with site.properties(releaseLicenseRequiresVerificationCode="true"), site.unchanged():
        mark = site.mark()
        for secret in ("", "{}", SECRET):
            xml_refusal(site, release(site, key, is_deactcode=code_for(key, secret=secret)), 224)
        assert site.lines_since(mark, "communicationEncryptionKey -")


def test_the_secret_is_shown_nowhere(closed_site):
    key = issue(closed_site)
    activate(closed_site, key)
    xml_refusal(closed_site, release(closed_site, key, is_deactcode="x"), 224)
    for command in (("property", "list"), ("property", "get", "communicationEncryptionKey")):
        shown = closed_site.ctl(*command, check=False)
        assert SECRET[1:-1] not in shown.stdout + shown.stderr
    assert SECRET[1:-1].encode() not in closed_site.everything_written()
