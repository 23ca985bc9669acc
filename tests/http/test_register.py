"""Register: a stranger gets a trial key by mail, and decides nothing but what is about himself."""
import collections
import json

import pytest
from lxml import html

from client import PRODUCT, call, day_after, issue, kept, normal, on_one_day, order_number, report, storm, validate, \
    xml_refusal
from outside import mailing_site, secure_mail_server

SAID = "Thank you for registering. The activation key is on its way to your e-mail address."


@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailer(template, server):
    with mailing_site(template, server) as site:
        yield site


@pytest.fixture
def fresh(new_site):
    """A site of the test's own, without a mail server: the mails wait."""
    return new_site()


def address(domain="company.example"):
    return "t%s@%s" % (order_number(), domain)


def register(site, mail, form=None, **more):
    return call(site, "Register", {"is_email": mail, **PRODUCT, **more}, form)


def done(answer, text=SAID):
    assert answer.error is None and answer.names == ["result"] and "error" not in answer.text.lower(), answer
    assert answer.field("result") == text
    return answer


def licenses(site, mail):
    return site.query("SELECT l.* FROM qlm_license l JOIN qlm_customer c ON c.id = l.customer_id"
                      " WHERE c.email_key = ? ORDER BY l.id", mail.lower())


def license_of(site, mail):
    found, = licenses(site, mail)
    return found


def mail_of(site, mail):
    found = site.query("SELECT payload FROM qlm_outbox WHERE kind = 'mail' AND target = ? ORDER BY id", mail)
    return [json.loads(r["payload"]) for r in found]


def stored(site, name, arguments):
    site.ctl("property", "set", name, arguments)
    return {"is_args": name}


def earlier(site, mail, days):
    site.change("UPDATE qlm_registration SET created_at = created_at - ? WHERE email_key = ?", days * 86400, mail)


# ---- the way through

def test_a_trial_key_comes_by_mail(mailer, server):
    mail = address()
    answer = done(register(mailer, mail, is_fullname="Ann <Löwe>", is_company="C & Co", is_phone="1", is_country="AT",
                           is_address1="Way 1", is_address2="2", is_city="Graz", is_state="S", is_zip="8010",
                           is_subscribeemail="true", is_userdata1="from the form"))
    sent, = server.wait_for(mail)
    key, = sent.keys
    assert key not in answer.text and normal(key) not in answer.text
    assert sent.subject == "Your trial of Demo" and "Valid until: " in sent.text
    customer, = mailer.query("SELECT * FROM qlm_customer WHERE email_key = ?", mail)
    assert [customer[n] for n in ("full_name", "company", "phone", "country", "address1", "address2", "city", "state",
                                  "zip", "include_in_mail_list")] == \
        ["Ann <Löwe>", "C & Co", "1", "AT", "Way 1", "2", "Graz", "S", "8010", 1]
    document = validate(mailer, key)
    assert document.error is None and document.field("licenseModel") == "trial"
    assert document.field("userData") == "from the form"
    assert on_one_day(lambda day: document.field("expiryDate") == day_after(30, day) + " 23:59")
    history = mailer.query("SELECT * FROM qlm_history WHERE license_id = ? ORDER BY id", license_of(mailer, mail)["id"])
    assert [(h["event"], h["method"]) for h in history][0] == ("created", "Register")


def test_by_a_form_in_another_language(fresh):
    mail = address()
    done(call(fresh, "register", None, {"is_email": mail, "is_locale": "de", **PRODUCT}))
    sent, = mail_of(fresh, mail)
    assert sent["subject"] == "Demo ausprobieren" and "Gültig bis" in sent["text"]


def test_what_the_publisher_has_stored(fresh):
    mail = address()
    more = stored(fresh, "trial", "&is_productid=1&is_majorversion=2&is_minorversion=0&is_expduration=7&is_features=0:3"
                                  "&is_quantity=2&is_affiliateid=web&is_maintplan=true&is_emailsubject=Hello %FullName%"
                                  "&is_emailfrom=trials@publisher.example&is_ccemail=a@publisher.example;x"
                                  "&is_bccemail=b@publisher.example&is_confirmationmessage=Hi %FullName%, see %Email%"
                                  " (%ProductName% %MajorVersion%)&is_emailtemplate=1. New Order")
    with fresh.properties(ccRecipients="c@publisher.example"):
        answer = call(fresh, "Register", {"is_email": mail, "is_fullname": "Ann\u2028B", **more})
    assert answer.field("result") == "Hi Ann\u2028B, see %s (Demo 2)" % mail
    made = license_of(fresh, mail)
    assert (made["major"], made["features"], made["num_licenses"], made["affiliate_id"]) == (2, "0:3;", 2, "web")
    assert made["model"] == "trial" and made["maintenance_until"] > 0
    assert on_one_day(lambda day: report(fresh, made["activation_key"], is_majorversion="2").field("expiryDate")
                      == day_after(7, day) + " 23:59")
    sent, = mail_of(fresh, mail)
    assert sent["subject"].startswith("Hello Ann") and sent["from"] == "trials@publisher.example"
    assert sent["cc"] == ["a@publisher.example", "c@publisher.example"] and sent["bcc"] == ["b@publisher.example"]
    fresh.expect("QLM1009")


def test_floating_seats(fresh):
    for value, seats in [("5", 5), ("0", 0), ("false", 0), ("true", 1), ("1", 1)]:
        mail = address()
        done(register(fresh, mail, **stored(fresh, "f", "&is_floating=" + value)))
        made = license_of(fresh, mail)
        assert (made["floating_seats"], made["model"]) == (seats or 1, "trial_floating" if seats else "trial"), value
    xml_refusal(fresh, register(fresh, address(), **stored(fresh, "f", "&is_floating=some")), 5)


def test_without_a_mail_the_message_may_hand_over_the_key(fresh):
    mail = address()
    answer = register(fresh, mail, **stored(fresh, "m", "&is_sendmail=false&is_confirmationmessage=Key: %25ActivationKey%25"))
    assert normal(answer.field("result").split()[1]) == license_of(fresh, mail)["activation_key"]
    assert mail_of(fresh, mail) == []
    done(register(fresh, address(), **stored(fresh, "m", "&is_sendmail=0")), "Thank you for registering.")


def test_the_publishers_page(fresh):
    page = '<h1>Trials</h1><p class="x">%QlmResponse%</p>'
    more = stored(fresh, "m", "&is_confirmationmessage=Hello <b>%FullName%</b>")
    with fresh.properties(registrationCustomResponse=page):
        mail = address()
        answer = register(fresh, mail, is_fullname='"><script>alert(1)</script>', **more)
        assert answer.type == "text/html; charset=utf-8" and "<script>" not in answer.text
        shown = html.fromstring(answer.text)
        assert shown.text_content() == 'TrialsHello <b>"><script>alert(1)</script></b>'
        refused = register(fresh, mail, **more)
        assert refused.type.startswith("text/html") and "Error: a trial of this product" in refused.text
        assert refused.text.startswith("<h1>Trials</h1>")
        fresh.expect("QLM1008")
    assert len(licenses(fresh, mail)) == 1


def test_a_name_cannot_make_it_look_like_a_failure(fresh):
    more = stored(fresh, "m", "&is_confirmationmessage=Hello %FullName%")
    done(register(fresh, address(), is_fullname="Terror Thomas", **more))


# ---- what a stranger does not decide

def test_only_the_publisher_says_what_it_is_worth(fresh):
    mail = address()
    mark = fresh.mark()
    answer = register(fresh, mail, {"is_features": "0:255", "is_quantity": "999"}, is_licensemodel="permanent",
                      is_expduration="9999", is_expdate="2099-01-01", is_affiliateid="me", is_pp="a.b::c", is_floating="9",
                      is_maintplan="1", is_qlmversion="5.0.00")
    done(answer)
    assert fresh.lines_since(mark, "Register.*not taken from the request: is_licensemodel is_expduration is_expdate")
    made = license_of(fresh, mail)
    assert (made["model"], made["features"], made["num_licenses"], made["floating_seats"]) == ("trial", "", 1, 1)
    assert (made["affiliate_id"], made["properties"], made["maintenance_until"], made["engine"]) == ("", "", 0, 6)
    assert on_one_day(lambda day: report(fresh, made["activation_key"]).field("expiryDate") == day_after(30, day) + " 23:59")


def test_only_the_publisher_writes_mails(fresh):
    mail = address()
    done(register(fresh, mail, is_emailsubject="Buy pills", is_emailfrom="boss@bank.example",
                  is_ccemail="victim@other.example", is_bccemail="victim@other.example", is_emailtemplate="AuthorizationCode",
                  is_confirmationmessage="%ActivationKey%", is_sendmail="false", is_emailtemplate_failed="1. New Order"))
    sent, = mail_of(fresh, mail)
    assert (sent["subject"], sent["from"], sent["cc"], sent["bcc"]) == ("Your trial of Demo", "", [], [])


def test_unless_he_lets_requests_decide(fresh):
    mail = address()
    with fresh.properties(registrationAcceptsAllArguments="true"):
        done(register(fresh, mail, is_expduration="9999", is_quantity="3", is_emailsubject="Ours", is_licensemodel="permanent"))
        made = license_of(fresh, mail)
        assert (made["num_licenses"], made["model"]) == (3, "trial")
        assert on_one_day(lambda day: report(fresh, made["activation_key"]).field("expiryDate")
                          == day_after(30, day) + " 23:59"), "maxTrialDuration"
        assert mail_of(fresh, mail)[0]["subject"] == "Ours"
        with fresh.properties(forceLicenseModelToTrial="false"):
            mail = address()
            done(register(fresh, mail, is_licensemodel="permanent"))
            assert license_of(fresh, mail)["model"] == "permanent" and license_of(fresh, mail)["expires_at"] == 0


@pytest.mark.parametrize("asked, usual, most, days", [
    ("", "14", "30", 14), ("", "60", "30", 30), ("", "-1", "20", 20), ("&is_expduration=90", "14", "30", 30),
    ("&is_expduration=90", "14", "-1", 90), ("&is_expdate=2999-01-01", "14", "30", 30), ("&is_expduration=3", "14", "30", 3)])
def test_how_long_a_trial_lasts(fresh, asked, usual, most, days):
    mail = address()
    with fresh.properties(trialDuration=usual, maxTrialDuration=most):
        done(register(fresh, mail, **stored(fresh, "d", asked + "&is_x=y")))
    key = license_of(fresh, mail)["activation_key"]
    assert on_one_day(lambda day: report(fresh, key).field("expiryDate") == day_after(days, day) + " 23:59")


def test_a_known_customer_is_not_changed(fresh):
    mail = address()
    key = issue(fresh, form={"email": mail, "name": "Ann", "company": "Real"})
    before = fresh.query("SELECT * FROM qlm_customer")
    done(register(fresh, mail.upper(), is_fullname="Eve", is_company="Fake", is_subscribeemail="false", is_phone="1"))
    assert fresh.query("SELECT * FROM qlm_customer") == before
    assert mail_of(fresh, mail) and [l["vendor"] for l in licenses(fresh, mail)] == ["qlmauthenticationprovider", "registration"]
    assert report(fresh, key).field("availableLicenses") == "1"


def test_switched_off_and_so_by_default(site):
    off, = [p for p in site.ctl_json("property", "list", "--all") if p["name"] == "enableRegisterLicense"]
    assert off["default"] == "false"
    with site.properties(enableRegisterLicense="false"), site.unchanged():
        xml_refusal(site, register(site, address()), 7)


def test_shown_to_the_operator(fresh):
    mail = address()
    issue(fresh)
    done(register(fresh, mail))
    shown, = fresh.ctl_json("key", "list", "--vendor", "registration")
    assert normal(shown["activation_key"]) == license_of(fresh, mail)["activation_key"]


# ---- the rules

def test_one_trial_of_a_product(fresh):
    mail = address()
    fresh.ctl("property", "set", "maxRegistrationsPerUser", "9")
    done(register(fresh, mail))
    with fresh.unchanged():
        xml_refusal(fresh, register(fresh, mail), 213)
        xml_refusal(fresh, register(fresh, mail.upper()), 213)
        xml_refusal(fresh, register(fresh, mail, is_majorversion="2"), 213)
    done(register(fresh, mail, is_productid="2", is_majorversion="2"))
    with fresh.properties(preventMultipleRegistrationsPerProduct="false"):
        xml_refusal(fresh, register(fresh, mail), 213)
        done(register(fresh, mail, is_majorversion="2"))
        with fresh.properties(preventMultipleRegistrationsPerMajorVersion="false"):
            done(register(fresh, mail))
            with fresh.properties(preventMultipleRegistrationsPerMinorVersion="true"):
                xml_refusal(fresh, register(fresh, mail), 213)


def test_registrations_of_one_user(fresh):
    mail = address()
    done(register(fresh, mail))
    other = {"is_productid": "2", "is_majorversion": "2"}
    assert "no more trials" in xml_refusal(fresh, register(fresh, mail, **other), 213)
    with fresh.properties(maxRegistrationsPerUser="2"):
        done(register(fresh, mail, **other))
    with fresh.properties(maxRegistrationsPerUser="-1", preventMultipleRegistrationsPerProduct="false",
                          preventMultipleRegistrationsPerMajorVersion="false"):
        done(register(fresh, mail))
    with fresh.properties(maxRegistrationsPerUser="0"):
        xml_refusal(fresh, register(fresh, address()), 213)


@pytest.mark.parametrize("field", ["OrderDate", "SubscriptionExpiryDate", "ActivationDate"])
def test_days_between_trials(fresh, field):
    mail = address()
    with fresh.properties(maxRegistrationsPerUser="-1", preventMultipleRegistrationsPerProduct="false",
                          preventMultipleRegistrationsPerMajorVersion="false", minimumDaysBetweenTrials="10",
                          minimumDaysBetweenTrialsDateField=field):
        done(register(fresh, mail))
        assert "too soon" in xml_refusal(fresh, register(fresh, mail), 213)
        earlier(fresh, mail, 11)
        if field == "OrderDate":
            done(register(fresh, mail))
            return
        column = {"ActivationDate": "first_activated_at", "SubscriptionExpiryDate": "expires_at"}[field]
        if field == "ActivationDate":
            fresh.change("UPDATE qlm_license SET first_activated_at = created_at")
        xml_refusal(fresh, register(fresh, mail), 213)
        fresh.change("UPDATE qlm_license SET %s = %s - ?" % (column, column), 41 * 86400)
        done(register(fresh, mail))


def test_never_again(fresh):
    mail = address()
    with fresh.properties(maxRegistrationsPerUser="-1", preventMultipleRegistrationsPerProduct="false",
                          preventMultipleRegistrationsPerMajorVersion="false", minimumDaysBetweenTrials="-1"):
        done(register(fresh, mail))
        earlier(fresh, mail, 9000)
        xml_refusal(fresh, register(fresh, mail), 213)


def test_one_of_a_domain(fresh):
    with fresh.properties(preventMultipleRegistrationsPerDomain="true"):
        done(register(fresh, address("one.example")))
        with fresh.unchanged():
            xml_refusal(fresh, register(fresh, address("ONE.example")), 213)
        done(register(fresh, address("two.example")))
        for _ in range(2):
            done(register(fresh, address("gmail.example")))


def test_not_for_customers(fresh):
    buyer, tester = address(), address()
    issue(fresh, form={"email": buyer})
    done(register(fresh, tester))
    with fresh.properties(preventRegistrationsIfCustomer="true", maxRegistrationsPerUser="9"):
        xml_refusal(fresh, register(fresh, buyer), 213)
        done(register(fresh, tester, is_productid="2", is_majorversion="2"))


def test_providers(fresh):
    with fresh.properties(allowGenericEmailProviders="false"):
        xml_refusal(fresh, register(fresh, address("gmail.com")), 1)
        xml_refusal(fresh, register(fresh, address("GoogleMail.com")), 1)
        done(register(fresh, address("mygmail.example")))
        with fresh.properties(genericEmailProviders="free.example"):
            done(register(fresh, address("gmail.com")))
            with fresh.properties(disallowedEmailMessage="Only companies, please."):
                assert xml_refusal(fresh, register(fresh, address("free.example")), 1) == "Only companies, please."
    with fresh.properties(bannedEmailProviders="Throw; @away.example , x.invalid"):
        for domain in ("throw.example", "my-throwaway.example", "away.example", "x.invalid"):
            xml_refusal(fresh, register(fresh, address(domain)), 1)
        done(register(fresh, address("go-away.example")))


def test_internet_addresses(fresh):
    with fresh.properties(blockRegistrationByIPAddress="192.0.2.0/24; 127.0.0.0/8"):
        xml_refusal(fresh, register(fresh, address()), 3, "QLM1008")
        with fresh.properties(disallowedIPAddressMessage="Not from there."):
            assert xml_refusal(fresh, register(fresh, address()), 3, "QLM1008") == "Not from there."
        with fresh.properties(whiteListedIPAddresses="127.0.0.1"):
            done(register(fresh, address()))
    with fresh.properties(preventRegistrationFromExistingIPAddress="true"):
        xml_refusal(fresh, register(fresh, address()), 3, "QLM1008")
        with fresh.properties(captureIPAddress="false"):
            done(register(fresh, address()))
        with fresh.properties(whiteListedIPAddresses="127.0.0.0/8"):
            done(register(fresh, address()))


def test_limits_of_a_day(fresh):
    with fresh.properties(maxRegistrationsPerAddressPerDay="2"):
        done(register(fresh, address()))
        done(register(fresh, address()))
        assert "maxRegistrationsPerAddressPerDay" in xml_refusal(fresh, register(fresh, address()), 1)
    with fresh.properties(maxRegistrationsPerDay="3"):
        done(register(fresh, address()))
        assert "maxRegistrationsPerDay" in xml_refusal(fresh, register(fresh, address()), 1)
        fresh.change("UPDATE qlm_registration SET created_at = created_at - 86400")
        done(register(fresh, address()))
    with fresh.properties(maxNewKeysPerDay="4"):
        xml_refusal(fresh, register(fresh, address()), 200)


@pytest.mark.parametrize("name, field", [("isFullNameRequired", "is_fullname"), ("isCompanyRequired", "is_company"),
                                         ("isPhoneRequired", "is_phone"), ("isCountryRequired", "is_country")])
def test_what_must_be_said(fresh, name, field):
    with fresh.properties(**{name: "true"}):
        with fresh.unchanged():
            assert field in xml_refusal(fresh, register(fresh, address()), 208)
        done(register(fresh, address(), **{field: "x"}))


# ---- in parallel

def test_equal_registrations_give_one_key(mailer):
    mail = address()
    mailer.allow("QLM100[78]")
    answers = storm(range(32), lambda box, _: kept(box, mailer).call("Register", {"is_email": mail, **PRODUCT}), 16)
    assert collections.Counter(a.code for a in answers) == {None: 1, "213": 31}
    assert len(licenses(mailer, mail)) == 1
    assert len(mailer.query("SELECT * FROM qlm_outbox WHERE target = ?", mail)) == 1


def test_as_many_as_allowed_and_no_more(fresh):
    mail = address()
    fresh.allow("QLM100[78]")
    with fresh.properties(maxRegistrationsPerUser="3", preventMultipleRegistrationsPerProduct="false",
                          preventMultipleRegistrationsPerMajorVersion="false"):
        answers = storm(range(32), lambda box, _: kept(box, fresh).call("Register", {"is_email": mail, **PRODUCT}), 16)
    assert collections.Counter(a.code for a in answers) == {None: 3, "213": 29}
    assert len(licenses(fresh, mail)) == 3


# ---- refusals by mail

def test_a_refusal_is_mailed_to_who_is_known_and_once_a_day(fresh, tmp_path):
    (tmp_path / "t.html").write_text("<p>%FullName%: %ErrorMessage%</p>")
    fresh.ctl("template", "set", "No", "--subject", "No trial", "--html", tmp_path / "t.html")
    more = stored(fresh, "r", "&is_emailtemplate_failed=No")
    mail = address()
    done(register(fresh, mail, is_fullname="Ann", **more))
    for _ in range(3):
        xml_refusal(fresh, register(fresh, mail, is_fullname="<b>Eve</b>", **more), 213)
    sent = mail_of(fresh, mail)
    assert [s["subject"] for s in sent] == ["Your trial of Demo", "No trial"]
    assert "Ann: a trial of this product was registered" in sent[1]["html"]
    with fresh.properties(maxRegistrationsPerUser="0"):
        stranger = address()
        xml_refusal(fresh, register(fresh, stranger, **more), 213)
        assert mail_of(fresh, stranger) == []


# ---- hostile input

@pytest.mark.parametrize("fields, code", [
    ({"is_email": ""}, 208), ({"is_productid": ""}, 208), ({"is_majorversion": ""}, 208), ({"is_minorversion": ""}, 208),
    ({"is_email": "x"}, 5), ({"is_email": "a@b.example, c@d.example"}, 5), ({"is_email": "a@b.example\nBcc: c@d.example"}, 5),
    ({"is_email": "a@b.example\r\n\r\nHello"}, 5), ({"is_email": "Ann <a@b.example>"}, 5), ({"is_email": "@"}, 5),
    ({"is_email": "a@"}, 5), ({"is_email": "x" * 250 + "@b.example"}, 5), ({"is_productid": "77"}, 218),
    ({"is_majorversion": "9"}, 218), ({"is_productid": "x"}, 5), ({"is_fullname": "a\nb"}, 5), ({"is_fullname": "x" * 256}, 5),
    ({"is_company": "a\x01b"}, 5), ({"is_phone": "x" * 256}, 5), ({"is_country": "x" * 256}, 5), ({"is_address1": "a\x00b"}, 5),
    ({"is_address2": "x" * 256}, 5), ({"is_city": "a\rb"}, 5), ({"is_state": "x" * 256}, 5), ({"is_zip": "x" * 256}, 5),
    ({"is_subscribeemail": "maybe"}, 5), ({"is_userdata1": "x" * 1001}, 5), ({"is_locale": "x" * 17}, 5),
    ({"is_emailsubject": "a\r\nBcc: c@d.example"}, 5), ({"is_emailsubject": "x" * 251}, 5), ({"is_emailfrom": "x" * 256}, 5),
    ({"is_ccemail": "x" * 1001}, 5), ({"is_bccemail": "a\nb"}, 5), ({"is_emailtemplate_failed": "x" * 101}, 5),
    ({"is_confirmationmessage": "x" * 2001}, 5)])
def test_bad_registrations(mailer, fields, code):
    with mailer.unchanged():
        xml_refusal(mailer, call(mailer, "Register", {"is_email": "a@b.example", **PRODUCT, **fields}), code)


def test_texts_stay_texts(mailer, server):
    mail = address()
    name = "%ActivationKey% <img src=x onerror=1> ${7*7} '); DROP TABLE qlm_customer; --"
    done(register(mailer, mail, is_fullname=name))
    sent, = server.wait_for(mail)
    assert "<img" not in sent.html and len(sent.keys) == 1
    assert mailer.query("SELECT full_name FROM qlm_customer WHERE email_key = ?", mail)[0]["full_name"] == name


def test_an_argument_set_that_is_not_there(fresh):
    mail = address()
    done(register(fresh, mail, is_args="smtpPassword"))
    done(register(fresh, address(), is_args="no such thing"))


def test_bad_stored_arguments(fresh):
    mail = address()
    fresh.expect("QLM1009")
    done(register(fresh, mail, **stored(fresh, "s", "&is_emailfrom=not an address&is_ccemail=x,y")))
    assert mail_of(fresh, mail)[0]["from"] == "" and mail_of(fresh, mail)[0]["cc"] == []
    for bad in ("&is_emailsubject=a%0D%0ABcc: c@d.example", "&is_expduration=x", "&is_emailtemplate=" + "x" * 101):
        xml_refusal(fresh, register(fresh, address(), **stored(fresh, "s", bad)), 5)
    done(register(fresh, address(), **stored(fresh, "s", "&is_emailtemplate=no such one")))
