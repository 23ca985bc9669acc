"""Refused activations: what is kept of them, for how long, and who may not activate at all."""
import time

import pytest

import engines
from client import PRODUCT, activate, issue, kept, normal, storm, until, validate, xml_refusal
from test_release import release, stored
from test_seats import WRITTEN


def attempts(site, key):
    return site.query("SELECT t.* FROM qlm_attempt t JOIN qlm_license l ON l.id = t.license_id"
                      " WHERE l.activation_key = ? ORDER BY t.code, t.computer_fold", normal(key))


def written(site, key, count=1):
    """The rows, when so many are there."""
    until(lambda: len(attempts(site, key)) >= count, WRITTEN)
    return attempts(site, key)


# ---- what is kept

def test_a_refused_activation_is_kept(any_site):
    site = any_site
    key = issue(site)
    activate(site, key)
    for _ in range(3):
        xml_refusal(site, activate(site, key, "PC-2", is_computer_name="Other desk"), 207)
    xml_refusal(site, validate(site, key, "PC-3"), 207)
    rows = written(site, key, 2)
    assert [(r["computer_id"], r["code"], r["computer_name"], r["address"]) for r in rows] == [
        ("PC-2", 207, "Other desk", "127.0.0.1"), ("PC-3", 207, "", "127.0.0.1")]
    assert 1 <= rows[0]["attempts"] <= 3, "the other children wait an hour"
    assert abs(rows[0]["last_at"] - time.time()) < 60


def test_reasons(site):
    key = issue(site)
    wanted = []
    for change, more, code in (("denied_computers = 'PC-1'", {}, 1), ("is_disabled = 1", {}, 201),
                               ("expires_at = 1000", {}, 209), ("is_disabled = 0", {"is_majorversion": "2"}, 211),
                               ("is_disabled = 0", {"is_productid": "2", "is_majorversion": "2"}, 220)):
        site.change("UPDATE qlm_license SET is_disabled = 0, expires_at = 0, denied_computers = '' WHERE activation_key"
                    " = ?", normal(key))
        site.change("UPDATE qlm_license SET %s WHERE activation_key = ?" % change, normal(key))
        xml_refusal(site, validate(site, key, **more), code)
        wanted.append(code)
    assert [r["code"] for r in written(site, key, len(wanted))] == wanted


def test_what_is_not_kept(new_site):
    site = new_site()
    key = issue(site)
    assert activate(site, key).error is None
    xml_refusal(site, validate(site, "FOREIGN-KEY"), 203)
    xml_refusal(site, validate(site, key, ""), 208)
    xml_refusal(site, validate(site, key, "PC-2", is_pckey="U0000"), 219)
    site.change("UPDATE qlm_license SET is_disabled = 1")
    xml_refusal(site, validate(site, key, "PC-2", is_activate="false"), 201)
    site.ctl("key", "explain", key, "--computer", "PC-2")
    site.stop(gracefully=True)
    assert site.query("SELECT * FROM qlm_attempt") == []


def test_nobody_waits_and_nobody_fills_the_database(new_site):
    site = new_site()
    key = issue(site)
    activate(site, key)
    engines.count_changes(site.database, "qlm_attempt", "INSERT", "UPDATE")
    answers = storm(range(600), lambda box, i: kept(box, site).call(
        "ActivateKey", {"is_avkey": key, "is_pcid": "PC-%d" % (2 + i % 2), **PRODUCT}), 16)
    assert {a.code for a in answers} == {"207"}
    site.allow("QLM1008")
    written(site, key, 2)
    assert engines.changes_counted(site.database) == 2
    site.stop(gracefully=True)
    rows = attempts(site, key)
    assert [r["attempts"] for r in rows] == [300, 300], "the rest is written at the end"


# ---- computer keys in the wrong hands

def test_a_copied_license_file(site):
    key = issue(site, is_quantity="2")
    pckey = validate(site, key, "PC-1").field("pckey")
    xml_refusal(site, validate(site, key, "PC-2", is_pckey=pckey), 219)
    assert [(r["computer_id"], r["code"]) for r in written(site, key)] == [("PC-2", 202)]
    own = validate(site, key, "PC-3").field("pckey")
    assert validate(site, key, "PC-3", is_pckey=pckey).error is None, "it is not refused for that"
    assert validate(site, key, "PC-3", is_pckey=own).error is None
    assert [r["computer_id"] for r in written(site, key, 2)] == ["PC-2", "PC-3"]


def test_a_license_file_that_outlives_the_release(site):
    key = issue(site)
    pckey = validate(site, key).field("pckey")
    assert release(site, key).error is None
    xml_refusal(site, validate(site, key, is_pckey=pckey), 219)
    assert [r["code"] for r in written(site, key)] == [202]


def test_a_key_that_must_match(site):
    key = issue(site)
    validate(site, key)
    with site.properties(requireComputerKeyMatchWhenValidatingOnServer="true"):
        xml_refusal(site, validate(site, key, is_pckey="U0000"), 225)
    assert [r["code"] for r in written(site, key)] == [225]


# ---- retention, and the command

def test_old_attempts_are_forgotten(new_site):
    site = new_site(start=False)
    site.start()
    key = issue(site)
    activate(site, key)
    for computer in ("PC-2", "PC-3"):
        xml_refusal(site, activate(site, key, computer), 207)
    written(site, key, 2)
    site.change("UPDATE qlm_attempt SET last_at = last_at - 91 * 86400 WHERE computer_fold = 'pc-2'")
    site.change("UPDATE qlm_history SET happened_at = happened_at - 1826 * 86400 WHERE event = 'created'")
    site.restart()  # a child looks at its start, and then now and then
    until(lambda: [r["computer_id"] for r in attempts(site, key)] == ["PC-3"], WRITTEN)
    until(lambda: [r["event"] for r in site.query("SELECT event FROM qlm_history")] == ["activated"], WRITTEN)


def test_the_list_of_the_operator(site):
    key, other = issue(site), issue(site)
    for each in (key, other):
        activate(site, each)
        xml_refusal(site, activate(site, each, "PC-2", is_computer_name="\x1b[1mDesk"), 5)
        xml_refusal(site, activate(site, each, "PC-2", is_computer_name="Desk"), 207)
        written(site, each)
    rows = site.ctl_json("attempts", "list", "--limit", "100000")
    assert {r["activation_key"] for r in rows} >= {key, other}
    row, = site.ctl_json("attempts", "list", "--key", key)
    assert (row["activation_key"], row["computer_id"], row["computer_name"], row["code"], row["reason"],
            row["attempts"]) == (key, "PC-2", "Desk", 207, "active on another computer", 1)
    assert row["first_at"] == row["last_at"] and row["last_at"].endswith("Z")
    shown = site.ctl("attempts", "list", "--key", key).stdout
    assert "active on another computer" in shown and key in shown
    assert site.ctl("attempts", "list", "--key", "FOREIGN-KEY", check=False).returncode == 1
    assert site.ctl("attempts", "list", "--limit", "0", check=False).returncode == 2


# ---- lists of a license

@pytest.mark.parametrize("column, ids, refused", [
    ("denied_computers", "x||pc-1", ["PC-1"]), ("allowed_computers", "x||pc-1", ["PC-2"]), ("denied_computers", "", []),
])
def test_lists_of_a_license(site, column, ids, refused):
    key = issue(site, is_quantity="2")
    site.change("UPDATE qlm_license SET %s = ? WHERE activation_key = ?" % column, ids, normal(key))
    for computer in ("PC-1", "PC-2"):
        if computer in refused:
            answer = activate(site, key, computer)
            assert answer.field("status") == "264"
            xml_refusal(site, answer, 1)
        else:
            assert activate(site, key, computer).error is None
    assert stored(site, key)["available_licenses"] == len(refused)


def test_a_computer_that_is_denied_later(site):
    key = issue(site)
    pckey = activate(site, key).field("pckey")
    site.change("UPDATE qlm_license SET denied_computers = 'PC-1' WHERE activation_key = ?", normal(key))
    xml_refusal(site, validate(site, key, is_pckey=pckey), 1)
    assert release(site, key).error is None
