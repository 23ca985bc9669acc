"""QlmWebHookHandler for the shops whose delivery is one order line: ShareIt's newer recipe, Cleverbridge, our own."""
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import KEY, call, normal, order, order_number, plain_refusal, report, today
from outside import TEMPLATE, holds_no_secret, mailing_site, row, rows, secure_mail_server, settled

METHOD = "QlmWebHookHandler"
CREDENTIALS = {"is_user": "shop", "is_pwd": "Sesam-0pen"}
MAPPING = ("&is_productid=1&is_majorversion=1&is_minorversion=0&is_productname=MyProduct&is_features=0:3;1:1"
           "&is_licensemodel=subscription&is_expduration=30&is_emailtemplate=" + TEMPLATE)


@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def handler(template, server):
    with mailing_site(template, server) as site:
        site.ctl("property", "set", "shareit_300555001", MAPPING)
        site.ctl("property", "set", "shareit_300555002",
                 "is_productid=2&is_majorversion=2&is_minorversion=0&is_usemultipleactivationskey=false")
        yield site


def customer(number):
    return "s%s@nowak.example" % number


def form(number=None, **more):
    number = number or order_number()
    fields = {"PURCHASE_ID": number, "RUNNING_NO": "1", "PURCHASE_DATE": today().strftime("%d/%m/%Y"),
              "PRODUCT_ID": "300555001", "QUANTITY": "1", "REG_NAME": "Jan Nowak", "FIRSTNAME": "Jan", "LASTNAME": "Nowak",
              "EMAIL": customer(number), "ENCODING": "UTF8", **more}
    return {k: v for k, v in fields.items() if v is not None}


def post(site, fields, **more):
    query = {"is_vendor": "shareit", **CREDENTIALS, **more}
    return call(site, METHOD, {k: v for k, v in query.items() if v is not None}, fields)


def keys_of(answer):
    assert answer.status == 200 and answer.type.lower().startswith("text/plain"), answer
    found = answer.text.split("\n")
    assert all(KEY.match(key) for key in found), answer
    return found


def licenses(site, number, vendor="shareit"):
    return site.query("SELECT * FROM qlm_license WHERE vendor = ? AND order_ref = ?", vendor, number)


def test_the_product_comes_from_the_mapping(handler, server):
    number = order_number()
    key, = keys_of(post(handler, form(number, EXPIRY_DATE="05/04/2090")))
    seen = report(handler, key)
    assert seen.field("features") == "0:3;1:1;" and seen.field("expiryDate") == "2090-04-05 23:59"
    made, = licenses(handler, number)
    assert (made["product_id"], made["activation_key"]) == (1, normal(key))
    mail, = server.wait_for(customer(number))
    assert mail.keys == [key] and "Jan Nowak" in mail.text


def test_several_keys_and_no_template(handler):
    number = order_number()
    keys = keys_of(post(handler, form(number, PRODUCT_ID="300555002", QUANTITY="3")))
    assert len(set(keys)) == 3 and rows(handler, number) == []


def test_a_repeat_gets_the_same_bytes_and_no_second_mail(handler):
    number = order_number()
    fields = form(number)
    first = post(handler, fields)
    settled(handler, number, "sent")
    with handler.unchanged():
        again = post(handler, fields)
    assert again.body == first.body and again.type == first.type


def test_both_recipes_are_one_order(handler):
    number = order_number()
    first = keys_of(post(handler, form(number)))
    second = call(handler, "GetActivationKey", order("ShareIt"), form(number))
    assert keys_of(second) == first
    assert keys_of(post(handler, form(number), is_vendor="MyCommerce")) == first


def test_a_renewal_moves_the_date_of_the_same_key(handler):
    first, = keys_of(post(handler, form(EXPIRY_DATE="05/04/2090")))
    renewal = form(EXPIRY_DATE="05/05/2090", ORIGINAL_KEY=first)
    assert keys_of(post(handler, renewal)) == [first]
    assert report(handler, first).field("expiryDate") == "2090-05-05 23:59"
    assert keys_of(post(handler, renewal)) == [first]  # again: not moved again
    assert report(handler, first).field("expiryDate") == "2090-05-05 23:59"
    assert len(handler.query("SELECT id FROM qlm_license WHERE activation_key = ?", normal(first))) == 1
    assert licenses(handler, renewal["PURCHASE_ID"]) == []


def test_equal_renewals_at_the_same_moment_extend_once(handler, server):
    """The shop names no date: each renewal that counted would add the 30 days of the mapping."""
    first, = keys_of(post(handler, form()))
    license, = handler.query("SELECT id, expires_at FROM qlm_license WHERE activation_key = ?", normal(first))
    fields = form(ORIGINAL_KEY=first)
    barrier = threading.Barrier(32)

    def renew(_):
        barrier.wait(20)
        return post(handler, fields, is_emailtemplate_renew="Ecommerce.New Order")

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(renew, range(32)))
    assert {(a.status, a.type, a.body) for a in answers} == {(200, answers[0].type, answers[0].body)}
    assert keys_of(answers[0]) == [first]
    seen, = handler.query("SELECT expires_at FROM qlm_license WHERE id = ?", license["id"])
    assert seen["expires_at"] - license["expires_at"] == 30 * 86400
    number = fields["PURCHASE_ID"]
    assert licenses(handler, number) == [] and len(rows(handler, number)) == 1
    mail, = server.wait_for(customer(number))
    assert mail.keys == [first]
    assert len(handler.query("SELECT * FROM qlm_order WHERE order_ref = ?", number)) == 1


def test_a_renewal_has_a_mail_of_its_own(handler, server):
    first, = keys_of(post(handler, form()))
    fields = form(ORIGINAL_KEY=first)
    assert keys_of(post(handler, fields, is_emailtemplate_renew="Ecommerce.New Order")) == [first]
    number = fields["PURCHASE_ID"]
    assert len(rows(handler, number)) == 1, "no mail was queued for a renewal with is_emailtemplate_renew"
    mail, = server.wait_for(customer(number))
    assert mail.keys == [first] and "The shop sends the invoice" in mail.text


def test_a_renewal_without_a_template_for_it_sends_no_mail_of_a_new_order(handler):
    first, = keys_of(post(handler, form()))
    fields = form(ORIGINAL_KEY=first)
    assert keys_of(post(handler, fields)) == [first]
    assert rows(handler, fields["PURCHASE_ID"]) == []


def test_a_key_of_another_product_is_no_renewal(handler):
    other, = keys_of(post(handler, form(PRODUCT_ID="300555002")))
    fields = form(ORIGINAL_KEY=other)
    assert keys_of(post(handler, fields)) != [other]
    assert len(licenses(handler, fields["PURCHASE_ID"])) == 1


def test_the_language_of_the_shop_is_that_of_the_mail(handler, server):
    """LANGUAGE_ID 2 is German."""
    numbers = order_number(), order_number()
    for number, language in zip(numbers, "12"):
        keys_of(post(handler, form(number, LANGUAGE_ID=language)))
    english, german = [server.wait_for(customer(number))[0] for number in numbers]
    assert "Thank you" in english.text
    assert "Vielen Dank" in german.text


def test_a_test_purchase_sends_no_mail(handler):
    fields = form(EMAIL="tester@shop.example")
    fields["PURCHASE_ID"] = "0"
    keys_of(post(handler, fields))
    assert not [r for r in rows(handler) if r["target"] == "tester@shop.example"]


@pytest.mark.parametrize("fields, named", [
    (dict(PRODUCT_ID="300999999"), "300999999"), (dict(PRODUCT_ID="300555001&is_productid=2"), "300555001"),
    (dict(PRODUCT_ID=None), "PRODUCT"), (dict(QUANTITY="0"), "QUANTITY"), (dict(QUANTITY="10000"), "QUANTITY"),
    (dict(QUANTITY="2.5"), "QUANTITY"), (dict(PURCHASE_ID=""), "PURCHASE_ID"), (dict(PRODUCT_ID="%s%n"), "%s%n")])
def test_an_order_that_cannot_be_served(handler, fields, named):
    sent = form(**{k: v for k, v in fields.items()})
    answer = post(handler, {k: v for k, v in sent.items() if v is not None})
    text = plain_refusal(handler, answer, 400)
    assert named.lower() in text.lower() or named == "PRODUCT", text


@pytest.mark.parametrize("wrong", [dict(is_pwd="no"), dict(is_user="nobody"), dict(is_user=None, is_pwd=None),
                                   dict(is_vendor="nosuchshop"), dict(is_vendor="stripe")])
def test_who_may_call(handler, wrong):
    query = {"is_vendor": "shareit", **CREDENTIALS, **wrong}
    answer = call(handler, METHOD, {k: v for k, v in query.items() if v is not None}, form())
    assert answer.status == 403 or answer.error, answer
    handler.expect(r"\bQLM1003\b")


def test_the_body_brings_neither_vendor_nor_credentials_nor_arguments(handler):
    answer = call(handler, METHOD, {"is_vendor": "shareit"}, form(is_user="shop", is_pwd="Sesam-0pen"))
    plain_refusal(handler, answer, 403)
    number = order_number()
    keys_of(post(handler, form(number, is_productid="2", is_emailtemplate="AuthorizationCode", is_features="0:255")))
    made, = licenses(handler, number)
    assert made["product_id"] == 1 and made["features"].startswith("0:3")


def test_the_url_wins_over_the_mapping(handler):
    number = order_number()
    keys_of(post(handler, form(number), is_features="0:1", is_send_mail="false"))
    made, = licenses(handler, number)
    assert made["features"].startswith("0:1") and rows(handler, number) == []


def test_cleverbridge_through_the_handler(handler, server):
    number = order_number()
    fields = {"PURCHASE_ID": number, "RUNNING_NO": "1", "PRODUCT_ID": "88120", "QUANTITY": "2", "FIRSTNAME": "Joerg",
              "LASTNAME": "Gruenwald", "EMAIL": customer(number)}
    query = order("cleverbridge", is_emailtemplate="Ecommerce.New Order")
    key, = keys_of(call(handler, METHOD, query, fields))
    assert keys_of(call(handler, METHOD, query, fields)) == [key]
    assert keys_of(call(handler, "GetActivationKeyWithExpiryDate", query, fields)) == [key]
    made, = licenses(handler, number, "cleverbridge")
    assert made["num_licenses"] == 2
    mail, = server.wait_for(customer(number))
    assert mail.keys == [key]


def test_a_cleverbridge_product_by_property(handler):
    number = order_number()
    fields = {"PURCHASE_ID": number, "RUNNING_NO": "1", "PRODUCT_ID": "88120", "QUANTITY": "1", "EMAIL": customer(number)}
    with handler.properties(cleverbridge_88120="&is_productid=2&is_majorversion=2&is_minorversion=0"):
        keys_of(call(handler, METHOD, {"is_vendor": "cleverbridge", **CREDENTIALS}, fields))
    made, = licenses(handler, number, "cleverbridge")
    assert made["product_id"] == 2


def test_mails_of_both_shops_were_sent_and_no_secret_written(handler):
    keys_of(post(handler, form(number := order_number())))
    settled(handler, number, "sent")
    assert row(handler, number)["attempts"] == 1
    holds_no_secret(handler, "Sesam-0pen")
