"""The Analytics methods: installations report on themselves, and strangers cannot fill the database."""
import re
import time
import uuid

import pytest

from client import call, issue, kept, normal, report, storm, xml_refusal

DAY = 86400
GUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
ADD, UPDATE, ACCESS, REMOVE = ["Analytics%sHttp" % m for m in ("AddInstall", "UpdateInstall", "UpdateLastAccessedDate",
                                                               "RemoveInstall")]
FULL = {"is_swversion": "1.0.3", "is_osversion": "Löwe 11", "is_computer_name": "Front <desk>", "is_computerID": "PC-1",
        "is_trial": "true", "is_productname": "Demo", "is_majorversion": "1", "is_minorversion": "2",
        "is_customdata1": "a&b", "is_customdata2": "two", "is_customdata3": "three"}


def add(site, **fields):
    answer = call(site, ADD, fields)
    assert answer.error is None and answer.names == ["result", "installID"], answer
    assert "error" not in answer.text.lower()
    assert GUID.match(answer.field("installID")), answer
    return answer.field("installID")


def done(answer):
    assert answer.error is None and answer.names == ["result"] and "error" not in answer.text.lower(), answer


def row(site, install):
    found, = site.query("SELECT * FROM qlm_install WHERE install_id = ?", install)
    return found


def let_days_pass(site, install, days):
    site.change("UPDATE qlm_install SET installed_at = installed_at - ?, last_accessed_at = last_accessed_at - ?"
                " WHERE install_id = ?", days * DAY, days * DAY, install)


def test_what_is_kept(any_site):
    key = issue(any_site)
    install = add(any_site, is_avkey=key, **FULL)
    seen = row(any_site, install)
    assert seen["activation_key"] == normal(key) and seen["computer_key"] == ""
    assert (seen["software_version"], seen["os_version"], seen["computer_name"]) == ("1.0.3", "Löwe 11", "Front <desk>")
    assert (seen["computer_id"], seen["is_trial"], seen["product_name"]) == ("PC-1", 1, "Demo")
    assert (seen["major"], seen["minor"], seen["address"]) == (1, 2, "127.0.0.1")
    assert [seen["custom_data%d" % i] for i in (1, 2, 3)] == ["a&b", "two", "three"]
    assert abs(seen["installed_at"] - time.time()) < 60 and seen["last_accessed_at"] == seen["installed_at"]
    assert (seen["uninstalled_at"], seen["activated_at"], seen["days_used"]) == (0, 0, 1)
    assert report(any_site, key).field("availableLicenses") == "1", "nothing is activated"


def test_nothing_is_required_to_add(site):
    first, second = add(site), add(site)
    assert first != second and row(site, first)["custom_data1"] == ""


def test_the_address_only_where_it_is_wanted(site):
    with site.properties(captureIPAddress="false"):
        assert row(site, add(site))["address"] == ""


def test_what_is_left_out_stays(any_site):
    install = add(any_site, **FULL)
    before = row(any_site, install)
    done(call(any_site, UPDATE, {"is_installid": install, "is_swversion": "1.0.4", "is_customdata2": "new",
                                 "is_trial": "false", "is_customdata3": ""}))
    assert row(any_site, install) == {**before, "software_version": "1.0.4", "custom_data2": "new", "is_trial": 0}


def test_the_id_in_other_spellings(site):
    install = add(site)
    for name, spelling in [("is_installid", install.upper()), ("is_installid ", "{%s}" % install), ("IS_InstallID", install)]:
        done(call(site, UPDATE, {name: spelling, "is_customdata1": spelling + name}))
        assert row(site, install)["custom_data1"] == (spelling + name).strip()


def test_activated_when_a_computer_key_is_first_reported(site):
    install = add(site)
    done(call(site, UPDATE, {"is_installid": install, "is_pckey": "U1234-56789"}))
    seen = row(site, install)
    assert seen["computer_key"] == "U123456789" and seen["activated_at"] > 0
    site.change("UPDATE qlm_install SET activated_at = 5 WHERE install_id = ?", install)
    done(call(site, UPDATE, {"is_installid": install, "is_pckey": "U1234-56780"}))
    assert row(site, install)["activated_at"] == 5


def test_days_used_count_days(any_site):
    install = add(any_site)
    with any_site.unchanged():
        for _ in range(3):
            done(call(any_site, ACCESS, {"is_installid": install}))
    for days in (1, 5):
        let_days_pass(any_site, install, days)
        done(call(any_site, ACCESS, {"is_installid": install}))
        with any_site.unchanged():
            done(call(any_site, ACCESS, {"is_installid": install}))
    seen = row(any_site, install)
    assert seen["days_used"] == 3 and abs(seen["last_accessed_at"] - time.time()) < 60
    shown, = [i for i in any_site.ctl_json("install", "list", "--limit", "1000") if i["install_id"] == install]
    assert (shown["days_used"], shown["days_installed"], shown["idle_days"]) == (3, 7, 0)


def test_a_day_counts_once_in_parallel(any_site):
    install = add(any_site)
    let_days_pass(any_site, install, 1)
    storm(range(32), lambda box, _: done(kept(box, any_site).call(ACCESS, {"is_installid": install})), 16)
    assert row(any_site, install)["days_used"] == 2


def test_a_report_without_news_writes_nothing(site):
    install = add(site, **FULL)
    with site.unchanged():
        done(call(site, UPDATE, {"is_installid": install}))
        done(call(site, UPDATE, {"is_installid": install, **FULL}))


def test_removed_and_back_again(site):
    install = add(site)
    done(call(site, REMOVE, {"is_installid": install}))
    when = row(site, install)["uninstalled_at"]
    assert abs(when - time.time()) < 60
    with site.unchanged():
        done(call(site, REMOVE, {"is_installid": install}))
    done(call(site, ACCESS, {"is_installid": install}))
    assert row(site, install)["uninstalled_at"] == 0 and row(site, install)["days_used"] == 1


@pytest.mark.parametrize("method", [UPDATE, ACCESS, REMOVE])
def test_unknown_ids(site, method):
    with site.unchanged():
        assert ADD in xml_refusal(site, call(site, method, {"is_installid": str(uuid.uuid4())}), 200)
        xml_refusal(site, call(site, method), 208)
        for bad in ("x", "{", "}", "{}", "' OR 1=1 --", "%s0" % uuid.uuid4(), "{%s" % uuid.uuid4(), "-" * 36, "é" * 18):
            assert "is_installid" in xml_refusal(site, call(site, method, {"is_installid": bad}), 5)
        xml_refusal(site, call(site, method, {"is_installid": "a" * 65}), 5)


@pytest.mark.parametrize("name, bad", [
    ("is_customdata1", "x" * 1001), ("is_customdata2", "a\x01b"), ("is_customdata3", "a\nb"),
    ("is_swversion", "x" * 256), ("is_osversion", "x" * 256), ("is_computer_name", "a\x7fb"),
    ("is_computerid", "x" * 256), ("is_productname", "x" * 256), ("is_trial", "maybe"), ("is_majorversion", "100"),
    ("is_minorversion", "x"), ("is_avkey", "x" * 201), ("is_pckey", "x" * 201)])
def test_bad_reports(site, name, bad):
    install = add(site)
    with site.unchanged():
        assert name in xml_refusal(site, call(site, ADD, {name: bad}), 5)
        assert name in xml_refusal(site, call(site, UPDATE, {"is_installid": install, name: bad}), 5)


def test_what_is_no_key_is_left_out(site):
    install = add(site, is_avkey="x" * 150, is_customdata1="kept")
    assert row(site, install)["activation_key"] == "" and row(site, install)["custom_data1"] == "kept"
    site.expect("QLM1009")


def test_texts_are_kept_as_they_came(site):
    nasty = "'); DROP TABLE qlm_install; -- <script>\u202e\U0001f600"
    assert row(site, add(site, is_customdata1=nasty))["custom_data1"] == nasty


@pytest.mark.parametrize("method", [ADD, UPDATE, ACCESS, REMOVE])
def test_switched_off(site, method):
    install = add(site)
    with site.properties(enablePublishAnalyticsApi="false"), site.unchanged():
        xml_refusal(site, call(site, method, {"is_installid": install}), 7)


def test_limits_of_a_day(new_site):
    site = new_site()
    with site.properties(maxInstallsPerAddressPerDay="3"):
        installs = [add(site) for _ in range(3)]
        assert "maxInstallsPerAddressPerDay" in xml_refusal(site, call(site, ADD), 1)
        done(call(site, UPDATE, {"is_installid": installs[0], "is_customdata1": "x"}))
        let_days_pass(site, installs[0], 1)
        add(site)
    with site.properties(maxInstallsPerDay="4", captureIPAddress="false"):
        add(site)
        assert "maxInstallsPerDay" in xml_refusal(site, call(site, ADD), 1)
    with site.properties(maxInstallsPerAddressPerDay="-1", maxInstallsPerDay="-1"):
        add(site)


def test_limits_hold_in_parallel(new_site):
    site = new_site()
    site.allow("QLM100[78]")
    with site.properties(maxInstallsPerAddressPerDay="5"):
        answers = storm(range(40), lambda box, _: kept(box, site).call(ADD), 16)
    assert [a.error is None for a in answers].count(True) == 5
    assert len(site.query("SELECT * FROM qlm_install")) == 5


def test_the_silent_make_room(new_site):
    site = new_site()
    old, young = add(site), add(site)
    let_days_pass(site, old, 731)
    let_days_pass(site, young, 729)
    new = add(site)
    assert {r["install_id"] for r in site.query("SELECT * FROM qlm_install")} == {young, new}
    with site.properties(installRetentionInDays="-1"):
        let_days_pass(site, young, 9000)
        add(site)
    assert row(site, young)


def test_shown_to_the_operator(new_site):
    site = new_site()
    assert site.ctl("install", "list").stdout == "none\n"
    install = add(site, **FULL)
    line = site.ctl("install", "list").stdout.splitlines()[-1]
    assert install in line and "Front <desk>" in line and "1.0.3" in line
    seen, = site.ctl_json("install", "list")
    assert (seen["custom_data1"], seen["address"], seen["is_trial"]) == ("a&b", "127.0.0.1", True)
