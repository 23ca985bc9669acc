"""Activation: seats, re-activation, what an activating call stores, and the limits of the server."""
import pytest

from client import CREDENTIALS, PRODUCT, activate, call, issue, normal, order_number, report, validate, verify, \
    xml_refusal


def stored(site, key):
    return site.query("SELECT a.* FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id"
                      " WHERE l.activation_key = ? ORDER BY a.id", normal(key))


@pytest.fixture(params=["ActivateKey", "ValidateLicenseHttp"])
def method(request):
    return request.param


def test_activate_key_returns_the_whole_document(any_site):
    key = issue(any_site, form={"name": "Ann", "email": "ann@buyer.example", "company": "Buyer"})
    answer = activate(any_site, key)
    assert answer.error is None and answer.names[-1] == "Signature"
    short = [n for n in answer.names if n in ("pckey", "userCompany", "userFullName", "userEmail")]
    assert short == ["pckey", "userCompany", "userFullName", "userEmail"]
    assert verify(answer.body, any_site.template.public_keys[(1, "1.0")])
    assert answer.field("status") == "2"


def test_each_computer_takes_one_seat(any_site, method):
    key = issue(any_site, is_quantity="3")
    left = [validate(any_site, key, "PC-%d" % i, method).field("availableLicenses") for i in range(3)]
    assert left == ["2", "1", "0"]
    with any_site.unchanged():
        answer = validate(any_site, key, "PC-3", method)
    assert (answer.code, answer.field("status")) == ("210", "264")
    assert [a["computer_id"] for a in stored(any_site, key)] == ["PC-0", "PC-1", "PC-2"]


def test_the_same_computer_again_takes_none(site, method):
    key = issue(site, is_quantity="2")
    first = validate(site, key, "PC-1", method)
    with site.unchanged():
        for spelling in ("PC-1", "pc-1", "Pc-1"):
            again = validate(site, key, spelling, method)
            assert again.field("pckey") == first.field("pckey")
            assert again.field("availableLicenses") == "1"


def test_each_computer_and_license_has_its_own_computer_key(site):
    key, other = issue(site, is_quantity="2"), issue(site)
    keys = {validate(site, key, "PC-1").field("pckey"), validate(site, key, "PC-2").field("pckey"),
            validate(site, other, "PC-1").field("pckey"), normal(key), normal(other)}
    assert len(keys) == 5


def test_a_changed_entitlement_gives_a_new_computer_key(site):
    key = issue(site, is_features="0:1", is_expduration="30", is_quantity="2")
    first = validate(site, key).field("pckey")
    for change in ("features = '0:3;'", "expires_at = expires_at + 86400", "floating_seats = floating_seats + 1"):
        site.change("UPDATE qlm_license SET %s WHERE activation_key = ?" % change, normal(key))
        again = validate(site, key)
        assert again.field("pckey") != first and again.field("availableLicenses") == "1"
        assert [a["computer_key"] for a in stored(site, key)] == [again.field("pckey")]
        first = again.field("pckey")


def test_a_computer_on_a_newer_version_keeps_its_seat(site):
    key = issue(site, is_maintenance_plan="1")
    assert validate(site, key).error is None
    assert validate(site, key, is_majorversion="2").field("availableLicenses") == "0"
    row, = stored(site, key)
    assert (row["major"], row["minor"]) == (2, 0)


def test_what_an_activation_stores(site, method):
    key = issue(site)
    more = {} if method == "ActivateKey" else {"is_alog_userdata1": "seat 7"}
    answer = validate(site, key, "PC-1", method, is_computer_name="Desk <1>", is_userdata1="from the client",
                      is_affiliateid="Ost", **more)
    assert (answer.field("computerName"), answer.field("userData")) == ("Desk <1>", "from the client")
    row, = stored(site, key)
    assert (row["computer_id"], row["computer_name"], row["ip_address"]) == ("PC-1", "Desk <1>", "127.0.0.1")
    assert row["computer_key"] == answer.field("pckey")
    assert row["user_data"] == ("seat 7" if more else "")
    license_row, = site.query("SELECT * FROM qlm_license WHERE activation_key = ?", normal(key))
    assert license_row["affiliate_id"] == "Ost" and license_row["first_activated_at"] > 0


def test_a_call_that_does_not_activate_stores_nothing(site):
    key = issue(site)
    pckey = validate(site, key).field("pckey")
    with site.unchanged():
        for more in ({"is_activate": "false"}, {"is_pckey": pckey}):
            validate(site, key, is_userdata1="new", is_affiliateid="new", is_email="new@buyer.example", **more)


def test_the_address_is_kept_unless_switched_off(site):
    key = issue(site)
    with site.properties(captureIPAddress="false"):
        validate(site, key)
    assert stored(site, key)[0]["ip_address"] == ""


def test_the_name_follows_the_computer_unless_switched_off(site):
    key = issue(site)
    validate(site, key, is_computer_name="Old")
    assert validate(site, key, is_computer_name="New").field("computerName") == "New"
    assert validate(site, key).field("computerName") == "New", "a call without a name keeps it"
    with site.properties(updateComputerNameWhenReactivating="false"):
        assert validate(site, key, is_computer_name="Newest").field("computerName") == "New"


def test_a_customer_from_the_activation_only_where_allowed(site):
    mail = "act%s@buyer.example" % order_number()
    key, other = issue(site), issue(site)
    assert validate(site, key, is_email=mail).field("userEmail") == ""
    with site.properties(autoCreateCustomerDuringActivation="true"):
        assert validate(site, other, is_email=mail).field("userEmail") == mail
    assert len(site.query("SELECT * FROM qlm_customer WHERE email_key = ?", mail)) == 1


# ---- ActivateKey and credentials: optional, but never wrong

def test_activate_key_with_right_credentials(site):
    assert activate(site, issue(site), **CREDENTIALS).error is None


def test_activate_key_with_wrong_credentials(site):
    key = issue(site)
    with site.unchanged():
        xml_refusal(site, activate(site, key, **{**CREDENTIALS, "is_pwd": "wrong"}), 8)


def test_activate_key_needs_key_and_computer(site):
    key = issue(site)
    site.allow("QLM1007")
    with site.unchanged():
        assert call(site, "ActivateKey", {"is_pcid": "PC-1", **PRODUCT}).code == "206"
        assert call(site, "ActivateKey", {"is_avkey": key, **PRODUCT}).code == "208"


# ---- limits of the server

def test_activations_per_computer(site):
    computer = "limited-" + order_number()
    with site.properties(maxActivationsPerSystem="2"):
        keys = [issue(site) for _ in range(3)]
        assert [validate(site, k, computer).code for k in keys] == [None, None, "214"]
        assert report(site, keys[2]).field("availableLicenses") == "1"
        assert validate(site, keys[0], computer).error is None, "re-activation is no new activation"
        with site.properties(maxActivationsEnforcedOnVMsOnly="true"):
            assert validate(site, keys[2], computer).error is None
            assert validate(site, issue(site, is_computertype="2"), computer).code == "214"


def test_trials_per_computer(site):
    computer = "trial-" + order_number()

    def trial():
        return issue(site, is_licensemodel="trial", is_expduration="10")
    with site.properties(enforceMaxTrialsWhenActivating="true", numberOfTrialLicensesAllowedPerClient="1",
                         enforceMaxTrialsMatchComputerIDOnly="true"):
        first, second = trial(), trial()
        assert validate(site, first, computer).error is None
        assert validate(site, second, computer).code == "213"
        assert report(site, second).field("availableLicenses") == "1"
        assert validate(site, first, computer).error is None
        assert validate(site, issue(site), computer).error is None, "only trials count"
        site.ctl("key", "revoke", first)
        assert validate(site, second, computer).code == "213"
        with site.properties(countRevokedTrials="false"):
            assert validate(site, second, computer).error is None


def test_the_other_name_of_the_property_counts_too(new_site):
    site = new_site()
    for name, value in [("enforceMaxTrialsWhenActivating", "true"), ("numberOfTrialLicensesAllowedPerClient", "1"),
                        ("enforceTrialsMatchComputerIDOnly", "true")]:
        site.ctl("property", "set", name, value)
    keys = [issue(site, is_licensemodel=model, is_expduration="10") for model in ("trial", "trial_floating", "trial_cloud")]
    assert validate(site, keys[0], "PC-1", is_computer_name="A").error is None
    assert validate(site, keys[1], "pc-1", is_computer_name="B").code == "213"
    assert validate(site, keys[2], "PC-1").code == "213"
    site.ctl("property", "set", "numberOfTrialLicensesAllowedPerClient", "2")
    assert validate(site, keys[1], "PC-1", is_computer_name="B").error is None
    site.ctl("property", "set", "numberOfTrialLicensesAllowedPerClient", "0")
    assert validate(site, keys[2], "PC-2").code == "213"
    assert validate(site, keys[0], "PC-1").error is None, "a computer that is in stays in"
    site.ctl("property", "set", "numberOfTrialLicensesAllowedPerClient", "-1")
    assert validate(site, keys[2], "PC-1").error is None


def test_trials_are_counted_by_id_and_name(site):
    computer = "named-" + order_number()
    with site.properties(enforceMaxTrialsWhenActivating="true", numberOfTrialLicensesAllowedPerClient="1"):
        keys = [issue(site, is_licensemodel="trial", is_expduration="10") for _ in range(2)]
        assert validate(site, keys[0], computer, is_computer_name="A").error is None
        assert validate(site, keys[1], computer, is_computer_name="A").code == "213"
        assert validate(site, keys[1], computer, is_computer_name="B").error is None


def test_activations_per_day(new_site):
    site = new_site()
    key = issue(site, is_quantity="9")
    with site.properties(maxActivationsPerDay="2"):
        assert [validate(site, key, "PC-%d" % i).error is None for i in range(3)] == [True, True, False]
        assert validate(site, key, "PC-0").error is None
    assert validate(site, key, "PC-3").error is None
    assert report(site, key).field("availableLicenses") == "6"


def test_cloud_seats_are_seats(site):
    key = issue(site, is_licensemodel="subscription_cloud", is_expduration="30", is_quantity="2")
    codes = [validate(site, key, "PC-%d" % i).code for i in range(3)]
    assert codes == [None, None, "210"]


def test_single_keys_tell_where_they_are_active(site):
    key = issue(site)
    validate(site, key, "PC-1", is_computer_name="Front desk")
    answer = validate(site, key, "PC-2")
    assert answer.code == "207" and "Front desk" in answer.error
