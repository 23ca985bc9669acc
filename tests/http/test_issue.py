"""GetActivationKey and GetActivationKeyWithExpiryDate: what each argument gives the key, seen through the document."""
import pytest

from client import (KEY, PRODUCT, activate, call, day_after, issue, issue_all, normal, on_one_day, order, order_number,
                    report, validate, xml_refusal)

NEVER = "9999-12-31 23:59"


def document(site, **terms):
    """The document about a new key made with these arguments."""
    return report(site, issue(site, **terms))


# ---- the call itself

@pytest.mark.parametrize("method", ["GetActivationKey", "GetActivationKeyWithExpiryDate"])
@pytest.mark.parametrize("place", ["query", "form", "both"])
def test_arguments_come_by_query_form_or_both(any_site, method, place):
    fields = order(is_quantity="3")
    split = {"query": (fields, None), "form": (None, fields),
             "both": ({k: fields[k] for k in ("is_vendor", "is_user", "is_pwd")},
                      {k: v for k, v in fields.items() if k not in ("is_vendor", "is_user", "is_pwd")})}
    query, form = split[place]
    keys = call(any_site, method, query, form).licenses
    assert len(keys) == 1 and KEY.match(keys[0])
    assert report(any_site, keys[0]).field("numActivationsAllowed") == "3"


def test_the_query_wins_over_the_form(site):
    key = call(site, "GetActivationKey", order(is_quantity="2", is_features="0:1"),
               {"is_quantity": "50", "is_features": "0:255", "is_userdata1": "from the form"}).licenses[0]
    seen = report(site, key)
    assert seen.field("numActivationsAllowed") == "2"
    assert seen.field("features") == "0:1;"
    assert seen.field("userData") == "from the form"


def test_names_are_compared_without_case_and_trimmed(site):
    fields = {k.upper(): v for k, v in order().items()}
    key = call(site, "GETACTIVATIONKEY", fields | {"Is_UserData1 ": "x y", " IS_Quantity": "4"}).licenses[0]
    seen = report(site, key)
    assert (seen.field("userData"), seen.field("numActivationsAllowed")) == ("x y", "4")


def test_empty_arguments_count_as_absent(site):
    key = issue(site, is_quantity="", is_features="", is_expdate="", is_expduration="", is_licensemodel="",
                is_maintenance_plan="", is_computertype="", is_floating="", is_args="", is_qlmversion="")
    seen = report(site, key)
    assert seen.field("numActivationsAllowed") == "1"
    assert seen.field("maintenanceRenewalDate") == ""
    assert seen.field("expiryDate") == NEVER


def test_unknown_arguments_are_ignored(site):
    assert KEY.match(issue(site, is_nonsense="1", utm_source="mail", is_trackreferrer="1",
                           is_locale="fr"))


def test_keys_are_distinct_and_cannot_spell_error(site):
    keys = issue_all(site, is_quantity="300", is_usemultipleactivationskey="false")
    assert len(set(keys)) == 300
    assert all(KEY.match(k) for k in keys)


def test_the_response_never_has_the_word_error(site):
    answer = call(site, "GetActivationKey", order(is_quantity="5", is_features="0:1", is_expduration="30"))
    assert b"error" not in answer.body.lower()
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')


# ---- license models and prefixes

MODELS = [("permanent", "A", "U"), ("trial", "B", "V"), ("subscription", "F", "J"), ("permanent_floating", "K", "N"),
          ("trial_floating", "L", "P"), ("subscription_floating", "M", "Q"), ("permanent_cloud", "R", "W"),
          ("trial_cloud", "S", "X"), ("subscription_cloud", "T", "Y")]


@pytest.mark.parametrize("model, activation, computer", MODELS)
def test_engine_6_shows_the_model_in_the_first_letter(site, model, activation, computer):
    limited = {} if model.startswith("permanent") else {"is_expduration": "30"}
    key = issue(site, is_licensemodel=model, is_qlmversion="6.0.00", **limited)
    assert key[0] == activation
    answer = validate(site, key)
    assert answer.field("licenseModel") == model
    assert answer.field("pckey")[0] == computer
    assert answer.field("status") == ("4" if limited else "2")


@pytest.mark.parametrize("terms, activation, computer", [
    ({}, "A", "U"), ({"is_licensemodel": "permanent"}, "A", "U"),
    ({"is_licensemodel": "trial", "is_expduration": "10"}, "B", "V"),
    ({"is_licensemodel": "subscription", "is_expduration": "10"}, "B", "V"),
    ({"is_expdate": "2090-01-01"}, "B", "V")])
@pytest.mark.parametrize("engine", ["5.0.00", "4.0.00", "5.1"])
def test_older_engines_know_two_letters(site, terms, activation, computer, engine):
    key = issue(site, is_qlmversion=engine, **terms)
    assert key[0] == activation
    assert validate(site, key).field("pckey")[0] == computer


def test_the_engine_is_6_unless_the_property_says_otherwise(site):
    assert issue(site, is_expduration="9")[0] == "F"
    with site.properties(defaultQlmVersion="5.0.00"):
        assert issue(site, is_expduration="9")[0] == "B"
        assert issue(site, is_expduration="9", is_qlmversion="6.0.00")[0] == "F"


def test_the_model_is_read_without_case(site):
    assert document(site, is_licensemodel="Permanent_Floating").field("licenseModel") == "permanent_floating"


def test_default_models_of_limited_keys_are_properties(site):
    assert document(site, is_expduration="9").field("licenseModel") == "subscription"
    assert document(site, is_expdate="2090-01-01").field("licenseModel") == "subscription"
    with site.properties(defaultLicenseModelWhenDurationSet="trial"):
        assert document(site, is_expduration="9").field("licenseModel") == "trial"
        assert document(site, is_expdate="2090-01-01").field("licenseModel") == "subscription"
    with site.properties(defaultLicenseModelWhenExpiryDateSet="trial"):
        assert document(site, is_expdate="2090-01-01").field("licenseModel") == "trial"
    assert document(site).field("licenseModel") == "permanent"


# ---- quantity arithmetic

@pytest.mark.parametrize("terms, keys, activations, seats", [
    (dict(), 1, 1, None),
    (dict(is_quantity="5"), 1, 5, None),
    (dict(quantity="4"), 1, 4, None),
    (dict(is_quantity="3", is_additionalactivations="2"), 1, 5, None),
    (dict(is_quantity="3", is_numberofactivationsperkey="2"), 1, 6, None),
    (dict(is_quantity="3", is_numberofactivationsperkey="2", is_additionalactivations="1"), 1, 7, None),
    (dict(is_quantity="3", is_numberofactivationsperkey="-1"), 1, 3, None),
    (dict(is_quantity="3", is_usemultipleactivationskey="true"), 1, 3, None),
    (dict(is_quantity="3", is_usemultipleactivationskey="false"), 3, 1, None),
    (dict(is_quantity="3", is_usemultipleactivationskey="0"), 3, 1, None),
    (dict(is_quantity="2", is_usemultipleactivationskey="No"), 2, 1, None),
    (dict(is_quantity="2", is_usemultipleactivationskey="OFF"), 2, 1, None),
    (dict(is_quantity="3", is_usemultipleactivationskey="False", is_numberofactivationsperkey="2"), 3, 2, None),
    (dict(is_quantity="3", is_usemultipleactivationskey="false", is_additionalactivations="5"), 3, 1, None),
    (dict(is_quantity="4", is_floating="true"), 1, 1, 4),
    (dict(is_quantity="4", is_floating="1", is_additionalactivations="2"), 1, 3, 4),
    (dict(is_quantity="4", is_floating="false"), 1, 4, None),
    (dict(is_quantity="4", is_floating="0"), 1, 4, None),
    (dict(is_quantity="7", is_licensemodel="permanent_cloud"), 1, 7, 7),
    (dict(is_quantity="9999"), 1, 9999, None),
])
def test_quantity_arithmetic(site, terms, keys, activations, seats):
    made = issue_all(site, **terms)
    assert len(made) == keys
    for key in {made[0], made[-1]}:
        seen = report(site, key)
        assert seen.field("numActivationsAllowed") == str(activations)
        assert seen.field("availableLicenses") == str(activations)
        if seats is not None:
            assert seen.field("floatingSeats") == str(seats)


# ---- features

@pytest.mark.parametrize("argument, shown", [
    ("0:3;1:1", "0:3;1:1;"), ("0:3;1:1;", "0:3;1:1;"), ("1:2;0:1", "0:1;1:2;"), ("0:1;0:2;0:4", "0:7;"),
    ("3:255", "3:255;"), ("0:3,1:1", "0:3;1:1;"), ("0", ""), ("0:0", ""), ("0:3;1:2;2:7;3:25", "0:3;1:2;2:7;3:25;")])
def test_features(site, argument, shown):
    assert document(site, is_features=argument).field("features") == shown


def test_features_come_unencoded_in_recipes(site):
    query = "?&is_vendor=QlmAuthenticationProvider&is_productid=1&is_majorversion=1&is_minorversion=0" \
            "&is_features=0:3;1:1;2:4&is_user=shop&is_pwd=Sesam-0pen"
    key = call(site, "GetActivationKey", query[1:]).licenses[0]
    assert report(site, key).field("features") == "0:3;1:1;2:4;"


# ---- dates

@pytest.mark.parametrize("method", ["GetActivationKey", "GetActivationKeyWithExpiryDate"])
def test_a_duration_sets_the_end_of_that_day(site, method):
    def check(day):
        seen = report(site, issue(site, method, is_expduration="30"))
        assert seen.field("expiryDate") == day_after(30, day) + " 23:59"
        assert seen.field("duration") == "30"
    on_one_day(check)


@pytest.mark.parametrize("method", ["GetActivationKey", "GetActivationKeyWithExpiryDate"])
@pytest.mark.parametrize("text", ["2090-05-01", "2090-05-01 10:11:12", "2090-05-01 00:00:00"])
def test_a_date_means_the_end_of_that_day(site, method, text):
    seen = report(site, issue(site, method, is_expdate=text))
    assert seen.field("expiryDate") == "2090-05-01 23:59"


def test_the_date_wins_over_the_duration(site):
    assert document(site, is_expdate="2090-05-01", is_expduration="3").field("expiryDate") == "2090-05-01 23:59"


@pytest.mark.parametrize("duration", ["-1", "", None])
def test_without_a_duration_a_key_is_permanent(site, duration):
    key = issue(site, is_expduration=duration)
    seen = report(site, key)
    assert (seen.field("expiryDate"), seen.field("duration")) == (NEVER, "-1")
    assert validate(site, key).field("status") == "2"


def test_the_date_format_is_a_property(site):
    with site.properties(dateFormat="dd.MM.yyyy"):
        assert document(site, is_expdate="02.01.2090").field("expiryDate") == "2090-01-02 23:59"
        assert document(site, is_expdate="2090-03-04").field("expiryDate") == "2090-03-04 23:59"


def test_a_duration_may_begin_with_the_first_activation(site):
    with site.properties(useDurationToSetExpiryDate="false", useDurationToSetExpiryDateWhenActivating="true"):
        key = issue(site, is_expduration="10", is_quantity="2")

        def check(day):
            answer = validate(site, key, "PC-1")
            assert answer.field("status") == "4"
            assert answer.field("expiryDate") == day_after(10, day) + " 23:59"
        on_one_day(check)
        expiry = validate(site, key, "PC-1").field("expiryDate")
        assert validate(site, key, "PC-2").field("expiryDate") == expiry


def test_later_activations_reuse_the_date_of_the_first(site):
    with site.properties(useDurationToSetExpiryDate="false", useDurationToSetExpiryDateWhenActivating="true"):
        key = issue(site, is_expduration="10", is_quantity="3")
        validate(site, key, "PC-1")
        site.change("UPDATE qlm_license SET expires_at = expires_at - 5 * 86400 WHERE activation_key = ?", normal(key))
        first = validate(site, key, "PC-1").field("expiryDate")
        assert validate(site, key, "PC-2").field("expiryDate") == first


def test_the_rule_of_creation_comes_before_the_rule_of_activation(site):
    with site.properties(useDurationToSetExpiryDate="true", useDurationToSetExpiryDateWhenActivating="true"):
        def check(day):
            assert document(site, is_expduration="10").field("expiryDate") == day_after(10, day) + " 23:59"
        on_one_day(check)


def test_with_both_rules_off_the_server_sets_no_date(site):
    with site.properties(useDurationToSetExpiryDate="false", useDurationToSetExpiryDateWhenActivating="false"):
        key = issue(site, is_expduration="10")
        validate(site, key)
        row = site.query("SELECT expires_at, duration_days FROM qlm_license WHERE activation_key = ?", normal(key))[0]
        assert row == {"expires_at": 0, "duration_days": 10}


# ---- maintenance plan

@pytest.mark.parametrize("name", ["is_maintenance_plan", "is_maintenanceplan", "yearly_maintenance_plan",
                                  "is_maintplan"])
@pytest.mark.parametrize("value", ["1", "true", "-1"])
def test_a_plan_lasts_a_year(site, name, value):
    def check(day):
        assert document(site, **{name: value}).field("maintenanceRenewalDate") == day_after(365, day) + " 23:59:59"
    on_one_day(check)


@pytest.mark.parametrize("value", ["0", "false", "no", "False", ""])
def test_a_plan_can_be_declined(site, value):
    assert document(site, is_maintenance_plan=value).field("maintenanceRenewalDate") == ""


def test_the_length_of_a_plan(site):
    def check(day):
        seen = document(site, is_maintenance_plan="1", is_maintduration="30")
        assert seen.field("maintenanceRenewalDate") == day_after(30, day) + " 23:59:59"
        with site.properties(maintenancePlanPeriodInDays="100"):
            assert document(site, is_maintenance_plan="1").field("maintenanceRenewalDate") == \
                day_after(100, day) + " 23:59:59"
    on_one_day(check)


# ---- the rest of the record

@pytest.mark.parametrize("argument, shown", [(None, "None"), ("0", "None"), ("1", "PC"), ("2", "VM")])
def test_computer_type(site, argument, shown):
    assert document(site, is_computertype=argument).field("computerType") == shown


def test_user_data_affiliate_legacy_key_and_properties_are_stored(site):
    site.expect(r"QLM1009: .*is_pp has no effect yet")
    key = issue(site, is_userdata1="über <&> \"data\"", is_affiliateid="Nord", is_legacykey="OLD-123",
                is_pp="quality.module::3||quality.name::x")
    assert report(site, key).field("userData") == "über <&> \"data\""
    row = site.query("SELECT * FROM qlm_license WHERE activation_key = ?", normal(key))[0]
    assert row["user_data"] == "über <&> \"data\""
    assert row["affiliate_id"] == "Nord"
    assert row["legacy_key"] == "OLD-123"
    assert "quality.module::3" in row["properties"]


def test_the_customer_is_stored_and_linked(site):
    number = order_number()
    key = issue(site, orderNumber=number, form={"email": "Ann.%s@buyer.example" % number, "name": "Ann Buyer",
                                                "company": "Buyer Ltd", "country": "Peru"})
    seen = report(site, key)
    assert seen.field("userEmail").lower() == "ann.%s@buyer.example" % number
    assert (seen.field("userFullName"), seen.field("userCompany")) == ("Ann Buyer", "Buyer Ltd")


def test_one_customer_per_mail_address(site):
    mail = "one%s@buyer.example" % order_number()
    issue(site, form={"email": mail, "name": "First Name", "company": "A"})
    second = issue(site, form={"email": mail.upper(), "name": "Second Name"})
    assert report(site, second).field("userFullName") == "Second Name"
    assert report(site, second).field("userCompany") == "A", "an empty field must not overwrite"
    rows = site.query("SELECT * FROM qlm_customer WHERE email_key = ?", mail)
    assert len(rows) == 1


def test_known_customers_may_be_protected_from_orders(site):
    mail = "kept%s@buyer.example" % order_number()
    issue(site, form={"email": mail, "name": "First Name"})
    with site.properties(updateExistingUserInformation="false"):
        second = issue(site, form={"email": mail, "name": "Second Name"})
        assert report(site, second).field("userFullName") == "First Name"


@pytest.mark.parametrize("form, name", [
    (b"name=Zo%EB+M%FCller&email=latin%40buyer.example", "Zoë Müller"),
    ("name=Zo%C3%AB+M%C3%BCller&email=utf%40buyer.example".encode(), "Zoë Müller"),
    ("name=%E7%94%B0%E4%B8%AD&email=kanji%40buyer.example".encode(), "田中"),
    (b"name=50%25+off+100%+%zz&email=percent%40buyer.example", "50% off 100% %zz")])
def test_bytes_that_are_not_utf8_are_latin1(site, form, name):
    assert report(site, issue(site, form=form)).field("userFullName") == name


def test_the_same_order_number_gives_the_same_answer(any_site):
    number = order_number()
    first = call(any_site, "GetActivationKey", order(orderNumber=number, is_quantity="2"))
    with any_site.unchanged():
        again = call(any_site, "GetActivationKey", order(orderNumber=number, is_quantity="2"))
    assert first.body == again.body and first.type == again.type
    other = call(any_site, "GetActivationKey", order(orderNumber=order_number(), is_quantity="2"))
    assert other.body != first.body


def test_without_an_order_number_every_call_is_a_new_order(site):
    assert issue(site) != issue(site)


# ---- arguments kept in properties

def test_a_property_can_hold_arguments(site):
    with site.properties(bundle_a="&is_features=0:7&is_quantity=3&is_userdata1=stored"):
        seen = document(site, is_args="bundle_a")
        assert (seen.field("features"), seen.field("numActivationsAllowed")) == ("0:7;", "3")
        seen = document(site, is_args="BUNDLE_A", is_quantity="2")
        assert (seen.field("numActivationsAllowed"), seen.field("userData")) == ("2", "stored")
    with site.properties(bundle_b="is_features=0:7&is_quantity=3"):
        assert document(site, is_args="bundle_b").field("features") == "0:7;"


def test_a_property_may_name_the_product(site):
    with site.properties(bundle_c="&is_productid=2&is_majorversion=2&is_minorversion=0"):
        query = order(is_args="bundle_c", is_productid=None, is_majorversion=None, is_minorversion=None)
        key = call(site, "GetActivationKey", query).licenses[0]
        seen = report(site, key, is_productid="2", is_majorversion="2", is_minorversion="0")
        assert (seen.field("productID"), seen.field("productName")) == ("2", "Demo Pro")


@pytest.mark.parametrize("name", ["no-such-property", "enableGetActivationKey"])
def test_unknown_is_args_are_ignored(site, name):
    assert document(site, is_args=name).field("numActivationsAllowed") == "1"


def test_an_empty_is_args_with_arguments_after_it(site):
    query = "is_vendor=QlmAuthenticationProvider&is_user=shop&is_pwd=Sesam-0pen&is_productid=1&is_majorversion=1" \
            "&is_minorversion=0&is_args=&is_maintenance_plan=true"
    assert report(site, call(site, "GetActivationKey", query).licenses[0]).field("maintenanceRenewalDate") != ""


def test_is_args_can_be_switched_off(site):
    with site.properties(bundle_d="&is_features=0:7", enableCustomUrlArgs="false"):
        assert document(site, is_args="bundle_d").field("features") == ""


def test_the_customer_never_comes_from_is_args(site):
    with site.properties(bundle_e="&email=evil@buyer.example&name=Evil&is_features=0:1"):
        seen = document(site, is_args="bundle_e")
        assert (seen.field("userEmail"), seen.field("userFullName")) == ("", "")


def test_default_arguments_name_the_product(site):
    query = order(is_productid=None, is_majorversion=None, is_minorversion=None)
    with site.properties(defaultUrlArgs="&is_productid=1&is_majorversion=1&is_minorversion=0&is_features=0:4"):
        seen = report(site, call(site, "GetActivationKey", query).licenses[0])
        assert (seen.field("productID"), seen.field("features")) == ("1", "0:4;")
        assert document(site, is_features="0:2").field("features") == "0:2;"


# ---- limits

def test_at_most_so_many_keys_a_day(new_site):
    site = new_site()
    issue(site)
    with site.properties(maxNewKeysPerDay="3"):
        issue(site)
        with site.unchanged():
            answer = call(site, "GetActivationKey", order(is_quantity="2", is_usemultipleactivationskey="false"))
            xml_refusal(site, answer, 200)
        issue(site)
        with site.unchanged():
            xml_refusal(site, call(site, "GetActivationKey", order()), 200)
    issue(site)


def test_at_most_so_many_licenses(new_site):
    site = new_site()
    issue(site)
    with site.properties(dbMaxRecords="2"):
        issue(site)
        with site.unchanged():
            xml_refusal(site, call(site, "GetActivationKey", order()), 200)
    issue(site)


def test_a_repeated_order_is_answered_even_when_the_limit_is_reached(new_site):
    site = new_site()
    query = order(orderNumber=order_number())
    first = call(site, "GetActivationKey", query)
    with site.properties(maxNewKeysPerDay="1"):
        assert call(site, "GetActivationKey", query).body == first.body
        assert first.licenses


def test_keys_of_both_methods_activate(any_site):
    for method in ("GetActivationKey", "GetActivationKeyWithExpiryDate"):
        answer = activate(any_site, issue(any_site, method, is_expduration="5"))
        assert answer.error is None and answer.field("status") == "4"


def test_the_product_version_of_the_order_is_stored(site):
    key = issue(site, is_productid="1", is_majorversion="2", is_minorversion="0")
    seen = validate(site, key, **{**PRODUCT, "is_majorversion": "2"})
    assert (seen.field("majorVersion"), seen.field("minorVersion")) == ("2", "0")


@pytest.mark.parametrize("size, most, groups", [("4", "4", [4] * 6 + [2]), ("5", "6", [5] * 4 + [6]), ("0", "9", [26]),
                                                ("100", "9", [26]), ("13", "1", [13, 13])])
def test_how_keys_are_grouped(site, size, most, groups):
    number = order_number()
    with site.properties(licenseKeyFormatGroupSize=size, licenseKeyFormatMaxGroupSize=most):
        key = issue(site, orderNumber=number)
    assert [len(part) for part in key.split("-")] == groups
    assert issue(site, orderNumber=number) == key  # the same bytes, however keys are shown today
    assert report(site, key).field("activationKey") == normal(key)
