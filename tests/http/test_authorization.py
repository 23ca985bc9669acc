"""Authorization codes: asked for by e-mail, sent by mail only, good for one computer, and hard to guess."""
import base64
import collections
import json
import re

import pytest

from client import PRODUCT, call, issue, kept, normal, order_number, report, storm, until, verify, xml_refusal
from outside import mailing_site, secure_mail_server

ASK, ENTER = "RequestAuthorizationCodeForActivationHttp", "ActivateKeyByAuthorizationCodeHttp"
SAME = "If a license belongs to this e-mail address, a code that activates it is on its way there."
DIGITS = re.compile(r"\b\d{6}\b")
MINUTE = 60


@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailer(template, server):
    with mailing_site(template, server) as site:
        yield site


def address():
    return "u%s@user.example" % order_number()


def computer():
    return "pc-" + order_number()


def license_of(site, mail, **more):
    return issue(site, form={"email": mail, "name": "Ann"}, **more)


def ask(site, mail, pc, **more):
    answer = call(site, ASK, {"is_email": mail, "is_pcid": pc, **PRODUCT, **more})
    assert answer.error is None and answer.names == ["result"], answer
    assert answer.field("result") == SAME and "error" not in answer.text.lower()
    return answer


def enter(site, code, pc, **more):
    return call(site, ENTER, {"is_authcode": code, "is_pcid": pc, **PRODUCT, **more})


def codes(site, pc):
    return site.query("SELECT * FROM qlm_authorization_code WHERE computer_fold = ? ORDER BY created_at, code_verifier",
                      pc.lower())


def mails(site):
    return site.query("SELECT * FROM qlm_outbox WHERE kind = 'mail' ORDER BY id")


def let_pass(site, pc, seconds):
    """Codes of a computer become older."""
    site.change("UPDATE qlm_authorization_code SET created_at = created_at - ?, expires_at = expires_at - ?,"
                " failed_at = failed_at - ? WHERE computer_fold = ?", seconds, seconds, seconds, pc.lower())


def code_of(server, mail, count=1):
    """From the newest mail to that address."""
    found = server.wait_for(mail, count)
    digits, = set(DIGITS.findall(found[-1].text))
    return digits


def get(mailer, server, pc=None, **more):
    """A customer with a license who has asked for a code."""
    mail, pc = address(), pc or computer()
    key = license_of(mailer, mail, **more)
    ask(mailer, mail, pc)
    return key, mail, pc, code_of(server, mail)


def other(code, step=1):
    return "%06d" % ((int(code) + step) % 1000000)


# ---- the way through

def test_a_code_activates_and_goes_on_naming_the_license(mailer, server):
    key, mail, pc, code = get(mailer, server)
    message = server.to(mail)[0]
    assert message.subject == "Your activation code" and code in message.html and "Demo" in message.text
    answer = enter(mailer, code, pc, is_computer_name="Desk")
    assert answer.error is None and verify(answer.body, mailer.template.public_keys[(1, "1.0")])
    assert (answer.field("activationKey"), answer.field("computerID")) == (normal(key), pc)
    assert answer.field("userEmail") == mail and answer.field("computerName") == "Desk"
    pckey = answer.field("pckey")
    assert pckey and report(mailer, key).field("availableLicenses") == "0"
    with mailer.unchanged():  # a validation that changes nothing writes nothing
        again = enter(mailer, code, pc, is_pckey=pckey)
    assert (again.field("status"), again.field("pckey")) == ("2", pckey)
    let_pass(mailer, pc, 30 * 86400)
    with mailer.unchanged():
        assert enter(mailer, code, pc.upper(), is_pckey=pckey).error is None, "used codes stay"
    mailer.ctl("key", "revoke", key)
    xml_refusal(mailer, enter(mailer, code, pc, is_pckey=pckey), 201)


def test_the_first_call_may_be_repeated_for_a_while(mailer, server):
    key, _, pc, code = get(mailer, server)
    first = enter(mailer, code, pc).field("pckey")
    assert enter(mailer, code, pc).field("pckey") == first
    let_pass(mailer, pc, 10 * MINUTE)
    xml_refusal(mailer, enter(mailer, code, pc), 205)
    assert report(mailer, key).field("availableLicenses") == "0"


def test_the_other_name_of_the_method(mailer, server):
    _, _, pc, code = get(mailer, server)
    answer = call(mailer, "activatelicensebyauthorizationcodehttp", {"is_authcode": code, "is_pcid": pc})
    assert answer.error is None and answer.field("pckey")


def test_after_a_renewal_the_old_computer_key_will_do(mailer, server):
    key, _, pc, code = get(mailer, server, is_expduration="30")
    pckey = enter(mailer, code, pc).field("pckey")
    mailer.change("UPDATE qlm_license SET expires_at = expires_at + 86400 WHERE activation_key = ?", normal(key))
    mailer.change("UPDATE qlm_activation SET computer_key = 'NEWER' WHERE computer_id = ?", pc)
    let_pass(mailer, pc, 86400)
    assert enter(mailer, code, pc, is_pckey=pckey).error is None


def test_in_the_customers_language(mailer, server):
    mail, pc = address(), computer()
    license_of(mailer, mail)
    ask(mailer, mail, pc, is_locale="de")
    server.wait_for(mail)
    assert server.to(mail)[0].subject == "Ihr Aktivierungscode"


def test_a_template_of_ones_own(mailer, server, tmp_path):
    (tmp_path / "t.html").write_text("<p>%FullName%: %AuthorizationCode% for %ProductName% %MajorVersion%</p>")
    mailer.ctl("template", "set", "Mine", "--subject", "Code %AuthorizationCode%", "--html", tmp_path / "t.html")
    with mailer.properties(activationByAuthorizationCodeEmailTemplate="Mine", sendMailBcc="boss@publisher.example"):
        _, mail, _, code = get(mailer, server)
    seen = server.to(mail)[0]
    assert seen.subject == "Code " + code and "Ann: %s for Demo 1" % code in seen.html
    assert seen.recipients == [mail], "nobody gets a copy of a code"


# ---- which license

def test_a_license_with_a_free_seat_is_preferred(mailer, server):
    mail, pc = address(), computer()
    free = license_of(mailer, mail)
    taken = license_of(mailer, mail)
    expired = license_of(mailer, mail, is_expdate="2020-01-01")
    revoked = license_of(mailer, mail)
    mailer.ctl("key", "revoke", revoked)
    assert call(mailer, "ActivateKey", {"is_avkey": taken, "is_pcid": "elsewhere"}).error is None
    ask(mailer, mail, pc)
    answer = enter(mailer, code_of(server, mail), pc)
    assert answer.field("activationKey") == normal(free) and expired
    # active here already comes before a free seat
    newer = license_of(mailer, mail)
    let_pass(mailer, pc, 2 * MINUTE)
    ask(mailer, mail, pc)
    answer = enter(mailer, code_of(server, mail, 2), pc)
    assert answer.field("activationKey") == normal(free) and report(mailer, newer).field("availableLicenses") == "1"


def test_a_license_of_the_organization_where_it_allows(mailer, server):
    mail, owner, pc = address(), address(), computer()
    key = license_of(mailer, owner)
    license_of(mailer, mail, is_productid="2", is_majorversion="2")
    mailer.change("INSERT INTO qlm_organization (id, name_key, name) VALUES (77, 'org', 'Org')")
    mailer.change("UPDATE qlm_customer SET organization_id = 77 WHERE email_key = ?", mail)
    mailer.change("UPDATE qlm_license SET organization_id = 77 WHERE activation_key = ?", normal(key))
    ask(mailer, mail, pc)
    assert codes(mailer, pc) == []
    mailer.change("UPDATE qlm_organization SET may_users_acquire = 1")
    ask(mailer, mail, pc)
    assert enter(mailer, code_of(server, mail), pc).field("activationKey") == normal(key)


def test_no_seat_is_free(mailer, server):
    mail, pc = address(), computer()
    key = license_of(mailer, mail)
    assert call(mailer, "ActivateKey", {"is_avkey": key, "is_pcid": "elsewhere"}).error is None
    ask(mailer, mail, pc)
    xml_refusal(mailer, enter(mailer, code_of(server, mail), pc), 207)


@pytest.mark.parametrize("state", ["nobody", "other product", "revoked", "expired", "other version"])
def test_the_answer_tells_nothing(site, state):
    mail = address()
    if state != "nobody":
        more = {"other product": {"is_productid": "2", "is_majorversion": "2"}, "expired": {"is_expdate": "2020-01-01"},
                "other version": {"is_majorversion": "2"}}.get(state, {})
        key = license_of(site, mail, **more)
        if state == "revoked":
            site.ctl("key", "revoke", key)
    with site.unchanged():
        ask(site, mail, computer())


# ---- what is kept secret

def test_the_code_is_nowhere_but_in_the_mail(mailer, server):
    with server.mode("tempfail"):  # so that the mail is still there to be read
        mail, pc = address(), computer()
        license_of(mailer, mail)
        answer = ask(mailer, mail, pc)
        row = until(lambda: [r for r in mails(mailer) if r["target"] == mail and r["attempts"]])[0]
        stored, = codes(mailer, pc)
        assert not DIGITS.search(answer.text) and row["payload"].startswith("s1$")
        shown = mailer.ctl("outbox", "show", row["id"]).stdout
        assert "sealed" in shown and not DIGITS.search(shown.replace(str(row["id"]), "").replace(mail, ""))
        assert "payload" not in mailer.ctl_json("outbox", "show", row["id"])
        dump = json.dumps(mailer.dump())
    mailer.change("UPDATE qlm_outbox SET next_at = 0")
    code = code_of(server, mail)
    assert code not in stored["code_verifier"] and ('"%s"' % code) not in dump and ("'%s'" % code) not in dump
    assert base64.b64encode(code.encode())[:-2].decode() not in dump
    assert enter(mailer, code, pc).error is None
    until(lambda: b"is_authcode=***" in mailer.everything_written())
    assert b"=" + code.encode() not in mailer.everything_written()


def test_equal_codes_of_two_computers_look_different(mailer, server):
    _, _, pc, code = get(mailer, server)
    with mailer.unchanged():  # it is another computer's: not even a try
        xml_refusal(mailer, enter(mailer, code, computer()), 205)
    mailer.change("INSERT INTO qlm_authorization_code (computer_fold, code_verifier, license_id, created_at, expires_at)"
                  " SELECT 'thief', code_verifier, license_id, created_at, expires_at FROM qlm_authorization_code"
                  " WHERE computer_fold = ?", pc)
    xml_refusal(mailer, enter(mailer, code, "thief"), 205)
    mailer.change("DELETE FROM qlm_authorization_code WHERE computer_fold = 'thief'")


# ---- guessing

def test_expired(mailer, server):
    key, _, pc, code = get(mailer, server)
    let_pass(mailer, pc, 10 * MINUTE)
    with mailer.unchanged():
        assert "expired" in xml_refusal(mailer, enter(mailer, code, pc), 205)
    assert report(mailer, key).field("availableLicenses") == "1"


def test_the_life_of_a_code_is_a_property(mailer, server):
    with mailer.properties(activationByAuthorizationCodeExpiryDuration="60"):
        _, _, pc, code = get(mailer, server)
        let_pass(mailer, pc, 59 * MINUTE)
        assert enter(mailer, code, pc).error is None


def test_locked_after_some_wrong_ones(mailer, server):
    key, mail, pc, code = get(mailer, server)
    for i in range(5):
        xml_refusal(mailer, enter(mailer, other(code, i + 1), pc), 205)
    with mailer.unchanged():
        xml_refusal(mailer, enter(mailer, code, pc), 1)
        xml_refusal(mailer, enter(mailer, other(code), pc), 1)
    assert report(mailer, key).field("availableLicenses") == "1"
    # a new code is the way out
    let_pass(mailer, pc, 2 * MINUTE)
    ask(mailer, mail, pc)
    fresh = code_of(server, mail, 2)
    if fresh != code:
        xml_refusal(mailer, enter(mailer, code, pc), 205)
    assert enter(mailer, fresh, pc).error is None


def test_four_wrong_ones_and_the_right_one(mailer, server):
    _, _, pc, code = get(mailer, server)
    for i in range(4):
        xml_refusal(mailer, enter(mailer, other(code, i + 1), pc), 205)
    assert enter(mailer, code, pc).error is None
    assert codes(mailer, pc)[0]["attempts"] == 0


def test_locked_against_parallel_guesses(mailer, server):
    key, _, pc, code = get(mailer, server)
    mailer.allow("QLM100[78]")
    answers = storm(range(1, 33), lambda box, i: kept(box, mailer).call(
        ENTER, {"is_authcode": other(code, i), "is_pcid": pc}), 32)
    assert collections.Counter(a.code for a in answers) == {"205": 5, "1": 27}
    assert codes(mailer, pc)[0]["attempts"] == 5
    xml_refusal(mailer, enter(mailer, code, pc), 1)
    assert report(mailer, key).field("availableLicenses") == "1"


def test_used_codes_cannot_be_guessed_either_and_nobody_locks_a_computer_out(mailer, server):
    _, _, pc, code = get(mailer, server)
    pckey = enter(mailer, code, pc).field("pckey")
    let_pass(mailer, pc, 86400)
    xml_refusal(mailer, enter(mailer, other(code), pc), 205)
    assert codes(mailer, pc)[0]["attempts"] == 0, "without a computer key there is nothing to guess"
    for i in range(5):
        xml_refusal(mailer, enter(mailer, other(code, i + 1), pc, is_pckey="U12345"), 205)
    xml_refusal(mailer, enter(mailer, code, pc, is_pckey="U12345"), 1)
    assert enter(mailer, code, pc, is_pckey=pckey).error is None
    let_pass(mailer, pc, 11 * MINUTE)
    assert enter(mailer, code, pc, is_pckey="U12345").error is None, "a lock ends by itself"


def test_parallel_firsts_take_one_seat(mailer, server):
    key, _, pc, code = get(mailer, server, is_quantity="9")
    answers = storm(range(16), lambda box, _: kept(box, mailer).call(ENTER, {"is_authcode": code, "is_pcid": pc}), 16)
    assert len({a.field("pckey") for a in answers}) == 1 and all(a.error is None for a in answers)
    assert report(mailer, key).field("availableLicenses") == "8"


@pytest.mark.parametrize("most, tries", [("1", 1), ("-1", 8)])
def test_the_number_of_attempts_is_a_property(mailer, server, most, tries):
    with mailer.properties(activationByAuthorizationCodeMaxAttempts=most):
        _, _, pc, code = get(mailer, server)
        for i in range(tries):
            xml_refusal(mailer, enter(mailer, other(code, i + 1), pc), 205)
        answer = enter(mailer, code, pc)
        if most == "1":
            xml_refusal(mailer, answer, 1)
        else:
            assert answer.error is None


# ---- mails are few

def sent_to(site, mail):
    return len([r for r in mails(site) if r["target"] == mail])


def test_one_mail_a_minute_for_a_computer(mailer, server):
    _, mail, pc, first = get(mailer, server)
    with mailer.unchanged():
        ask(mailer, mail, pc)
        ask(mailer, mail.upper(), pc.upper())
    let_pass(mailer, pc, 61)
    ask(mailer, mail, pc)
    second = code_of(server, mail, 2)
    if first != second:
        xml_refusal(mailer, enter(mailer, first, pc), 205)  # the newer one has replaced it
    assert enter(mailer, second, pc).error is None


def test_one_mail_although_asked_in_parallel(mailer):
    mail, pc = address(), computer()
    license_of(mailer, mail)
    storm(range(16), lambda box, _: kept(box, mailer).call(ASK, {"is_email": mail, "is_pcid": pc, **PRODUCT}), 16)
    assert sent_to(mailer, mail) == 1 and len(codes(mailer, pc)) == 1


def test_few_open_codes_for_a_customer(mailer):
    mail = address()
    license_of(mailer, mail)
    base = computer()
    storm(range(16), lambda box, i: kept(box, mailer).call(
        ASK, {"is_email": mail, "is_pcid": "%s-%d" % (base, i), **PRODUCT}), 8)
    assert sent_to(mailer, mail) == 5


def test_few_codes_a_day(mailer):
    mail, pc = address(), computer()
    license_of(mailer, mail)
    with mailer.properties(activationByAuthorizationCodeMaxPerDay="2"):
        for _ in range(4):
            ask(mailer, mail, pc)
            let_pass(mailer, pc, 3600)
        assert sent_to(mailer, mail) == 2
        let_pass(mailer, pc, 86400)
        ask(mailer, mail, pc)
    assert sent_to(mailer, mail) == 3
    assert len(codes(mailer, pc)) == 1, "what was never used is forgotten after a day"


# ---- hostile input

@pytest.mark.parametrize("fields, code", [
    ({"is_email": ""}, 208), ({"is_pcid": ""}, 208), ({"is_productid": ""}, 208), ({"is_majorversion": ""}, 208),
    ({"is_minorversion": ""}, 208), ({"is_email": "x"}, 5), ({"is_email": "a@b.example,c@d.example"}, 5),
    ({"is_email": "a@b.example\r\nBcc: c@d.example"}, 5), ({"is_email": "<a@b.example>"}, 5),
    ({"is_email": "x" * 250 + "@b.example"}, 5), ({"is_pcid": "x" * 256}, 208), ({"is_pcid": "a\x01b"}, 5),
    ({"is_productid": "77"}, 218), ({"is_productid": "x"}, 5), ({"is_majorversion": "9"}, 218),
    ({"is_locale": "x" * 17}, 5)])
def test_bad_requests(site, fields, code):
    query = {"is_email": "a@user.example", "is_pcid": "PC-1", **PRODUCT, **fields}
    with site.unchanged():
        xml_refusal(site, call(site, ASK, query), code)


def test_the_misprinted_version(site):
    query = {"is_email": address(), "is_pcid": "PC-1", "is_productid": "1", "is_majorversion": "1", "is_minorverson": "0"}
    assert call(site, ASK, query).field("result") == SAME


@pytest.mark.parametrize("code", ["x", "12345", "1234567", "000000 OR 1=1", "%", "'", "١٢٣٤٥٦", "-1", "1e5", "12 34 56"])
def test_bad_codes(mailer, server, code):
    _, _, pc, _ = get(mailer, server)
    xml_refusal(mailer, enter(mailer, code, pc), 205)


def test_bad_entries(site):
    with site.unchanged():
        xml_refusal(site, enter(site, "", "PC-1"), 208)
        xml_refusal(site, enter(site, "123456", ""), 208)
        xml_refusal(site, enter(site, "123456", "x" * 256), 208)
        xml_refusal(site, enter(site, "1" * 21, "PC-1"), 5)
        xml_refusal(site, enter(site, "1\x012345", "PC-1"), 5)
        xml_refusal(site, enter(site, "123456", "nobody-asked-for-this-one"), 205)


def test_refusals_are_signed(site):
    answer = enter(site, "123456", "nobody")
    xml_refusal(site, answer, 205)
    assert answer.field("status") == "8" and verify(answer.body, site.template.public_keys[(1, "1.0")])


def test_codes_have_six_digits_of_any_kind(mailer, server):
    seen = [get(mailer, server)[3] for _ in range(6)]
    assert len(set(seen)) > 1 and all(re.fullmatch(r"\d{6}", c) for c in seen)


def test_a_log_line_tells_what_was_done(mailer, server):
    mark = mailer.mark()
    _, _, pc, code = get(mailer, server)
    assert enter(mailer, code, pc).error is None
    line = mailer.lines_since(mark, ASK)[0].text
    assert "sent" in line and code not in "".join(l.text for l in mailer.error_lines(mark))
