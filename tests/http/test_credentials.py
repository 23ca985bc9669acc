"""Credentials fail closed: unset, empty, null, wrong, disabled. Nothing is stored by a refused call."""
import pytest

from client import CREDENTIALS, KEY, PRODUCT, basic, call, issue, one_line, order, order_number, \
    plain_refusal, validate, xml_refusal
from env import PASSWORD, USER

METHODS = ["GetActivationKey", "GetActivationKeyWithExpiryDate"]


def attempt(site, method="GetActivationKey", vendor="QlmAuthenticationProvider", headers=None, **credentials):
    fields = {"is_vendor": vendor, **PRODUCT, **credentials}
    return call(site, method, fields, {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "QUANTITY": "1"},
                headers=headers)


WRONG = [
    {"is_user": USER, "is_pwd": "wrong"}, {"is_user": "wrong", "is_pwd": PASSWORD},
    {"is_user": USER, "is_pwd": PASSWORD.lower()}, {"is_user": USER.upper(), "is_pwd": PASSWORD},
    {"is_user": USER, "is_pwd": PASSWORD + " x"}, {"is_user": USER, "is_pwd": PASSWORD[:-1]},
    {"is_user": USER, "is_pwd": ""}, {"is_user": "", "is_pwd": PASSWORD}, {"is_user": "", "is_pwd": ""},
    {"is_user": USER}, {"is_pwd": PASSWORD}, {},
    {"is_user": "null", "is_pwd": "null"}, {"is_user": USER, "is_pwd": "null"}, {"is_user": USER, "is_pwd": "\0"},
    {"is_user": USER, "is_pwd": PASSWORD + "\0"}, {"is_user": USER + "\0", "is_pwd": PASSWORD},
    {"is_user": USER, "is_pwd": "undefined"}, {"is_user": USER, "is_pwd": "x" * 5000},
    {"is_user": "' OR '1'='1", "is_pwd": "' OR '1'='1"}, {"is_user": "*", "is_pwd": "*"},
    {"is_user": "%", "is_pwd": "%"},
    {"is_user[]": USER, "is_pwd[]": PASSWORD},
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("credentials", WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_wrong_or_missing_credentials(site, method, credentials):
    with site.unchanged():
        xml_refusal(site, attempt(site, method, **credentials), 8)


@pytest.mark.parametrize("vendor", ["cleverbridge", "shareit"])
@pytest.mark.parametrize("credentials", [WRONG[0], WRONG[1], WRONG[6], WRONG[8], WRONG[11], WRONG[12]])
def test_shops_are_refused_in_their_own_form(any_site, vendor, credentials):
    with any_site.unchanged():
        plain_refusal(any_site, attempt(any_site, vendor=vendor, **credentials), 403)


def test_a_refusal_does_not_tell_which_half_was_wrong(site):
    texts = {xml_refusal(site, attempt(site, **WRONG[i]), 8) for i in (0, 1, 6, 7, 8, 11)}
    assert len(texts) == 1


def test_right_credentials_in_other_places(site):
    assert attempt(site, **CREDENTIALS).licenses
    assert attempt(site, **{"IS_USER": USER, "Is_Pwd": PASSWORD}).licenses
    assert call(site, "GetActivationKey", {"is_vendor": "QlmAuthenticationProvider"},
                {**PRODUCT, **CREDENTIALS}).licenses


# ---- HTTP Basic

def test_http_basic(site):
    assert attempt(site, headers=basic(USER, PASSWORD)).licenses
    assert KEY.match(attempt(site, vendor="cleverbridge", headers=basic(USER, PASSWORD)).text)


@pytest.mark.parametrize("headers", [
    basic(USER, "wrong"), basic("wrong", PASSWORD), basic(USER, ""), basic("", ""), {"Authorization": "Basic"},
    {"Authorization": "Basic c2hvcA=="}, {"Authorization": "Basic ="}, {"Authorization": "Bearer " + PASSWORD},
    {"Authorization": PASSWORD}])
def test_wrong_http_basic(site, headers):
    with site.unchanged():
        xml_refusal(site, attempt(site, headers=headers), 8)


def test_the_url_wins_over_http_basic(site):
    with site.unchanged():
        xml_refusal(site, attempt(site, headers=basic(USER, PASSWORD), is_user=USER, is_pwd="wrong"), 8)


# ---- vendors

@pytest.mark.parametrize("name", ["nobody", "fastspring2", "../cleverbridge", "cleverbridge ;", "x" * 300, "null",
                                  "qlmauthenticationprovider2", "\x01"])
def test_unknown_vendor(site, name):
    """Nobody knows what form this shop wants, so it must not see a 200 that it could take for a key."""
    with site.unchanged():
        site.expect("QLM1003")
        answer = attempt(site, vendor=name, **CREDENTIALS)
        assert (answer.status, answer.code) == (403, "8"), answer
        one_line(answer.error)


def test_disabled_vendor(site):
    with site.vendor("cleverbridge", "enabled=false"):
        with site.unchanged():
            plain_refusal(site, attempt(site, vendor="cleverbridge", **CREDENTIALS), 403)
    assert KEY.match(attempt(site, vendor="cleverbridge", **CREDENTIALS).text)
    with site.vendor("QlmAuthenticationProvider", "enabled=false"):
        with site.unchanged():
            xml_refusal(site, attempt(site, **CREDENTIALS), 8)
            xml_refusal(site, call(site, "GetActivationKey", {**PRODUCT, **CREDENTIALS}), 8)


def test_a_vendor_without_a_record_is_refused(site):
    row, = site.query("SELECT * FROM qlm_vendor WHERE name = 'shareit'")
    site.change("DELETE FROM qlm_vendor WHERE name = 'shareit'")
    site.change("UPDATE qlm_site SET revision = revision + 1")
    try:
        with site.unchanged():
            plain_refusal(site, attempt(site, vendor="shareit", **CREDENTIALS), 403)
            plain_refusal(site, attempt(site, vendor="shareit"), 403)
    finally:
        site.ctl("vendor", "set", "shareit", "enabled=true", "user=" + row["user_name"], "password=-",
                 stdin=PASSWORD + "\n")
    assert KEY.match(attempt(site, vendor="shareit", **CREDENTIALS).text)


@pytest.mark.parametrize("offered", [{}, {"is_user": "", "is_pwd": ""}, {"is_user": USER, "is_pwd": ""}, CREDENTIALS,
                                     {"is_user": "null", "is_pwd": "null"}])
def test_a_vendor_without_a_password_is_closed(new_site, offered):
    """An empty verifier never matches, whatever is sent."""
    site = new_site()
    site.change("UPDATE qlm_vendor SET password_verifier = '' WHERE name = 'qlmauthenticationprovider'")
    site.change("UPDATE qlm_site SET revision = revision + 1")
    with site.unchanged():
        xml_refusal(site, attempt(site, **offered), 8)


@pytest.mark.parametrize("verifier", ["v1$", "v1$AAAA", "garbage", "v2$abc", "NULL"])
def test_a_damaged_verifier_is_closed(new_site, verifier):
    site = new_site()
    site.change("UPDATE qlm_vendor SET password_verifier = ? WHERE name = 'qlmauthenticationprovider'", verifier)
    site.change("UPDATE qlm_site SET revision = revision + 1")
    with site.unchanged():
        for offered in (CREDENTIALS, {}, {"is_user": USER, "is_pwd": verifier}):
            xml_refusal(site, attempt(site, **offered), 8)


def test_the_verifier_belongs_to_its_vendor(new_site):
    """A verifier copied to another vendor's record opens nothing."""
    site = new_site()
    site.ctl("vendor", "set", "cleverbridge", "password=-", stdin="another-pass\n")
    site.change("UPDATE qlm_vendor SET password_verifier = (SELECT password_verifier FROM qlm_vendor"
                " WHERE name = 'qlmauthenticationprovider') WHERE name = 'cleverbridge'")
    site.change("UPDATE qlm_site SET revision = revision + 1")
    with site.unchanged():
        plain_refusal(site, attempt(site, vendor="cleverbridge", **CREDENTIALS), 403)


def test_an_open_vendor_needs_the_operators_word(site):
    with site.vendor("cleverbridge", "open=true"):
        assert KEY.match(attempt(site, vendor="cleverbridge").text)
        assert KEY.match(attempt(site, vendor="cleverbridge", is_user="any", is_pwd="thing").text)
        with site.unchanged():
            plain_refusal(site, attempt(site, vendor="shareit"), 403)
    with site.unchanged():
        plain_refusal(site, attempt(site, vendor="cleverbridge"), 403)


def test_a_disabled_vendor_is_closed_even_when_open(site):
    with site.vendor("cleverbridge", "open=true", "enabled=false"):
        with site.unchanged():
            plain_refusal(site, attempt(site, vendor="cleverbridge"), 403)


def test_a_changed_password_holds_from_the_next_call(any_site):
    with any_site.vendor("cleverbridge", "password=-", stdin="brand-new\n"):
        with any_site.unchanged():
            plain_refusal(any_site, attempt(any_site, vendor="cleverbridge", **CREDENTIALS), 403)
        assert KEY.match(attempt(any_site, vendor="cleverbridge", is_user=USER, is_pwd="brand-new").text)
    assert KEY.match(attempt(any_site, vendor="cleverbridge", **CREDENTIALS).text)


@pytest.mark.parametrize("password", ["a b+c%&=;?/\\!'\"<>", "pässwörd", "電腦", "x" * 200])
def test_awkward_passwords(site, password):
    with site.vendor("cleverbridge", "password=-", stdin=password + "\n"):
        assert KEY.match(attempt(site, vendor="cleverbridge", is_user=USER, is_pwd=password).text)
        with site.unchanged():
            plain_refusal(site, attempt(site, vendor="cleverbridge", is_user=USER, is_pwd=password + "x"), 403)


# ---- methods

@pytest.mark.parametrize("method", METHODS)
def test_disabled_method(any_site, method):
    with any_site.properties(enableGetActivationKey="false"):
        with any_site.unchanged():
            xml_refusal(any_site, attempt(any_site, method, **CREDENTIALS), 7)
            plain_refusal(any_site, attempt(any_site, method, vendor="cleverbridge", **CREDENTIALS), 403)
    assert attempt(any_site, method, **CREDENTIALS).licenses


def test_key_creation_is_disabled_until_configured(new_site):
    site = new_site()
    site.change("DELETE FROM qlm_property WHERE name_key = 'enablegetactivationkey'")
    site.change("UPDATE qlm_site SET revision = revision + 1")
    with site.unchanged():
        xml_refusal(site, attempt(site, **CREDENTIALS), 7)


def test_public_methods_need_no_credentials(site):
    key = issue(site)
    assert validate(site, key).error is None
    assert validate(site, key, is_user="any", is_pwd="thing").error is None
    assert call(site, "PingHttp").code is None


def test_another_secret_opens_nothing(new_site):
    """The database alone is worth nothing: with another site secret every credential is refused, even where the
    database does not know its own (test_two_sites.py has the others)."""
    site = new_site(start=False)
    site.change("UPDATE qlm_site SET secret_verifier = ''")
    site.secret.write_text("ab" * 32 + "\n")
    site.start()
    with site.unchanged():
        xml_refusal(site, attempt(site, **CREDENTIALS), 8)
        plain_refusal(site, attempt(site, vendor="cleverbridge", **CREDENTIALS), 403)


def test_an_order_of_another_vendor_is_not_handed_out(site):
    """The same order number at another vendor is another order."""
    number = order_number()
    first = call(site, "GetActivationKey", order("cleverbridge"),
                 {"PURCHASE_ID": number, "RUNNING_NO": "1", "QUANTITY": "1"})
    second = call(site, "GetActivationKey", order("shareit"),
                  {"PURCHASE_ID": number, "RUNNING_NO": "1", "QUANTITY": "1"})
    assert KEY.match(first.text) and KEY.match(second.text) and first.text != second.text
