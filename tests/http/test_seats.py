"""Seats in use: instances of cloud licenses, seats that nobody uses, and when computers called last."""
import time

import pytest

import engines
from client import CREDENTIALS, PRODUCT, call, issue, kept, normal, storm, until, validate, xml_refusal
from test_release import history, release, stored

WRITTEN = 20  # seconds after which a note must be in the database: pause, tick, a slow machine


def activation(site, key, computer="PC-1"):
    rows = site.query("SELECT a.* FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id"
                      " WHERE l.activation_key = ? AND a.computer_fold = lower(?)", normal(key), computer)
    return rows[0] if rows else None


def cloud(site, seats="2"):
    return issue(site, is_licensemodel="subscription_cloud", is_expduration="30", is_quantity=seats)


def age(site, key, seconds, computer="PC-1"):
    site.change("UPDATE qlm_activation SET last_accessed_at = last_accessed_at - ? WHERE computer_fold = lower(?)"
                " AND license_id = ?", seconds, computer, stored(site, key)["id"])


# ---- instances

def test_instances_of_a_cloud_license(any_site):
    site = any_site
    key = cloud(site)
    pckey = [validate(site, key).field("pckey") for _ in range(3)][2]
    assert activation(site, key)["activation_count"] == 3
    assert stored(site, key)["available_licenses"] == 1
    validate(site, key, is_pckey=pckey)
    validate(site, key, is_activate="false")
    assert activation(site, key)["activation_count"] == 3, "only starts count"
    for left in (2, 1):
        answer = release(site, key, is_logRelease="false")
        assert answer.error is None and "%d left" % left in answer.field("result")
        assert activation(site, key)["activation_count"] == left
        assert stored(site, key)["available_licenses"] == 1
    answer = release(site, key, is_logRelease="false")
    assert answer.field("result").startswith("Activation Key")
    assert activation(site, key) is None and stored(site, key)["available_licenses"] == 2
    assert history(site, key) == []
    with site.unchanged():
        xml_refusal(site, release(site, key), 216)


def test_only_the_last_instance_leaves_a_trace(site):
    key = cloud(site)
    for _ in range(2):
        validate(site, key)
    with site.properties(maxReleaseCount="0"):
        assert release(site, key).code == "212", "a limit of releases is one of instances, too"
        site.expect("QLM1008")
    assert release(site, key).error is None and history(site, key) == []
    assert release(site, key).error is None and len(history(site, key)) == 1


def test_many_instances_at_once(any_site):
    site = any_site
    key = cloud(site)

    def start(box, _):
        return kept(box, site).call("ValidateLicenseHttp", {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT})

    def end(box, _):
        return kept(box, site).call("ReleaseLicenseHttp", {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS,
                                                           "is_avkey": key, "is_pcid": "PC-1"})
    assert {a.code for a in storm(range(40), start, 16)} == {None}
    assert activation(site, key)["activation_count"] == 40
    assert {a.code for a in storm(range(40), end, 16)} == {None}
    assert activation(site, key) is None and stored(site, key)["available_licenses"] == 2
    site.ctl("db", "check")


def test_other_models_have_no_instances(site):
    key = issue(site, is_quantity="2")
    for _ in range(3):
        validate(site, key)
    assert activation(site, key)["activation_count"] == 1
    assert release(site, key).error is None and activation(site, key) is None


# ---- seats that nobody uses

def test_a_silent_computer_makes_room(any_site):
    site = any_site
    key = cloud(site)
    for computer in ("PC-1", "PC-2"):
        validate(site, key, computer)
    age(site, key, 3000, "PC-1")
    age(site, key, 2000, "PC-2")
    xml_refusal(site, validate(site, key, "PC-3"), 210)
    with site.properties(cloudLicenseInactivityThreshold="60"):
        xml_refusal(site, validate(site, key, "PC-3"), 210)
    with site.properties(cloudLicenseInactivityThreshold="30"):
        assert validate(site, key, "PC-3").error is None
        assert activation(site, key, "PC-1") is None and activation(site, key, "PC-2")
        assert [r["computer_id"] for r in history(site, key, "reclaimed")] == ["PC-1"]
        assert validate(site, key, "PC-1").error is None, "the next one in line"
        assert activation(site, key, "PC-2") is None
        xml_refusal(site, validate(site, key, "PC-2"), 210)
    assert stored(site, key)["available_licenses"] == 0
    site.ctl("db", "check")


def test_a_silent_computer_keeps_its_seat_while_others_are_free(site):
    key = cloud(site, "3")
    for computer in ("PC-1", "PC-2"):
        validate(site, key, computer)
    age(site, key, 90000, "PC-1")
    with site.properties(cloudLicenseInactivityThreshold="1"):
        assert validate(site, key, "PC-3").error is None
    assert activation(site, key, "PC-1")


def test_a_seat_taken_offline_is_not_taken_back(site):
    key = cloud(site, "1")
    validate(site, key)
    age(site, key, 90000)
    site.change("UPDATE qlm_activation SET offline_until = ? WHERE license_id = ?", int(time.time()) + 60,
                stored(site, key)["id"])
    with site.properties(cloudLicenseInactivityThreshold="1"):
        xml_refusal(site, validate(site, key, "PC-2"), 207)
        site.change("UPDATE qlm_activation SET offline_until = 5")
        assert validate(site, key, "PC-2").error is None


def test_other_models_keep_their_seats(site):
    key = issue(site)
    validate(site, key)
    age(site, key, 90000)
    with site.properties(cloudLicenseInactivityThreshold="1"):
        xml_refusal(site, validate(site, key, "PC-2"), 207)


def test_one_idle_seat_is_given_once(any_site):
    site = any_site
    key = cloud(site, "1")
    validate(site, key)
    age(site, key, 90000)
    with site.properties(cloudLicenseInactivityThreshold="1"):
        answers = storm(range(16), lambda box, i: kept(box, site).call(
            "ValidateLicenseHttp", {"is_avkey": key, "is_pcid": "NEW-%d" % i, **PRODUCT}), 16)
    assert sorted(str(a.code) for a in answers) == ["207"] * 15 + ["None"]
    site.ctl("db", "check")


# ---- the last call

def test_a_thousand_validations_are_one_write(new_site):
    site = new_site()
    key = issue(site)
    pckey = validate(site, key).field("pckey")
    age(site, key, 7200)
    engines.count_changes(site.database, "qlm_activation", "UPDATE")
    before = activation(site, key)["last_accessed_at"]
    queries = [{"is_avkey": key, "is_pcid": "PC-1", **PRODUCT}, {"is_avkey": key, "is_pcid": "pc-1", "is_pckey": pckey}]
    answers = storm(range(1000), lambda box, i: kept(box, site).call("ValidateLicenseHttp", queries[i % 2]), 16)
    assert {a.code for a in answers} == {None}
    until(lambda: activation(site, key)["last_accessed_at"] > before, WRITTEN)
    storm(range(100), lambda box, i: kept(box, site).call("ValidateLicenseHttp", queries[i % 2]), 16)
    site.stop(gracefully=True)
    assert abs(activation(site, key)["last_accessed_at"] - time.time()) < 60
    assert engines.changes_counted(site.database) == 1


@pytest.mark.parametrize("mpm", ["event", "prefork"])
@pytest.mark.parametrize("gracefully", [True, False])
def test_an_orderly_stop_loses_nothing(new_site, mpm, gracefully):
    site = new_site(mpm=mpm)
    keys = [issue(site) for _ in range(20)]
    for key in keys:
        validate(site, key)
    site.change("UPDATE qlm_activation SET last_accessed_at = 5")
    storm(keys, lambda box, key: kept(box, site).call("ValidateLicenseHttp",
                                                      {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT}), 8)
    site.stop(gracefully=gracefully)
    assert site.query("SELECT * FROM qlm_activation WHERE last_accessed_at = 5") == []


def test_what_is_no_call_of_the_computer(new_site):
    site = new_site()
    key, generic = issue(site), issue(site)
    validate(site, key)
    site.change("UPDATE qlm_license SET is_generic = 1 WHERE activation_key = ?", normal(generic))
    site.change("UPDATE qlm_activation SET last_accessed_at = 5")
    with site.properties(allowGenericKeys="true"), site.unchanged():
        validate(site, key, is_activate="false")
        call(site, "PingHttp")
        assert validate(site, generic).error is None
        site.ctl("key", "explain", key, "--computer", "PC-1")
        site.stop(gracefully=True)
    assert activation(site, key)["last_accessed_at"] == 5


def test_finer_where_seats_are_taken_back(site):
    key = cloud(site)
    pckey = validate(site, key).field("pckey")
    age(site, key, 120)
    before = activation(site, key)["last_accessed_at"]
    validate(site, key, is_pckey=pckey)
    with site.properties(cloudLicenseInactivityThreshold="4"):
        validate(site, key, is_pckey=pckey)
    until(lambda: activation(site, key)["last_accessed_at"] > before, WRITTEN)


# ---- several versions on one computer

def test_a_new_version_replaces_the_old_one_unless_both_may_be_there(site):
    key = issue(site, is_maintenance_plan="1", is_quantity="2")
    validate(site, key)
    with site.properties(allowMultipleProductVersionsOnSameSystem="true"), site.unchanged():
        assert validate(site, key, is_majorversion="2").error is None
        assert validate(site, key).error is None
    assert validate(site, key, is_majorversion="2").error is None
    assert (activation(site, key)["major"], stored(site, key)["available_licenses"]) == (2, 1)
