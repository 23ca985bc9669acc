"""Cleverbridge's key generator call: a form, an XML document inside it, and a bare key as the answer."""
import pytest

from client import KEY, PRODUCT, basic, call, day_after, normal, on_one_day, order, order_number, plain_refusal, \
    report, today

METHOD = "GetActivationKeyWithExpiryDate"
XML = '''<?xml version="1.0" encoding="utf-8"?>
<cbn:PaidOrderNotification xmlns:cbn="http://xml.cleverbridge.com/3.12.0.0/cleverbridgeNotification.xsd"
                           xmlns:cbt="http://xml.cleverbridge.com/3.12.0.0/cleverbridgeTypes.xsd">
  <cbn:Purchase cbt:Id="%(id)s">
    <cbt:Status>Paid</cbt:Status><cbt:StatusId>%(status)s</cbt:StatusId>
    <cbt:LicenseeContact>
      <cbt:Company>Tanaka Kogaku</cbt:Company>
      <cbt:Firstname>芽衣</cbt:Firstname><cbt:Lastname>田中</cbt:Lastname>
      <cbt:FirstnameRomanized>Mei</cbt:FirstnameRomanized><cbt:LastnameRomanized>Tanaka</cbt:LastnameRomanized>
      <cbt:CountryId>JP</cbt:CountryId><cbt:Email>%(email)s</cbt:Email>
    </cbt:LicenseeContact>
    <cbt:Items>
      <cbt:Item cbt:RunningNo="1"><cbt:ProductId>88120</cbt:ProductId><cbt:Quantity>1</cbt:Quantity></cbt:Item>
      <cbt:Item cbt:RunningNo="2"><cbt:ProductId>88133</cbt:ProductId><cbt:Quantity>3</cbt:Quantity></cbt:Item>
    </cbt:Items>
  </cbn:Purchase>
</cbn:PaidOrderNotification>
'''


def xml(number, status="PAY", email="mei@tanaka.example"):
    return XML % {"id": number, "status": status, "email": email}


def form(number=None, **more):
    fields = {"PURCHASE_ID": number or order_number(), "RUNNING_NO": "1", "PURCHASE_DATE": today().strftime("%d/%m/%Y"),
              "PRODUCT_ID": "88120", "QUANTITY": "1", "REG_NAME": "Gruenwald Optik GmbH", "FIRSTNAME": "Joerg",
              "LASTNAME": "Gruenwald", "COMPANY": "Gruenwald Optik GmbH", "EMAIL": "jg@gruenwald.example",
              "STREET": "Lindenweg 4", "CITY": "Jena", "ZIP": "07743", "COUNTRY": "Germany"}
    fields.update(more)
    return {k: v for k, v in fields.items() if v is not None}


def query(**more):
    return order("cleverbridge", **more)


def post(site, fields, **more):
    return call(site, METHOD, query(**more), fields)


def key_of(answer):
    assert answer.status == 200, answer
    assert answer.type.replace(" ", "").lower() == "text/plain;charset=utf-8"
    assert KEY.match(answer.text), answer
    return answer.text



def lines(site, number):
    return site.query("SELECT * FROM qlm_license WHERE vendor = 'cleverbridge' AND order_ref = ?", number)


def test_one_item(any_site):
    number = order_number()
    answer = post(any_site, form(number), is_expduration="365", is_qlmversion="5.0.00")
    key = key_of(answer)
    assert key.startswith("B")
    row, = lines(any_site, number)
    assert (row["activation_key"], row["line_ref"], row["num_licenses"]) == (normal(key), "1", 1)
    seen = report(any_site, key)
    assert seen.field("userFullName") == "Gruenwald Optik GmbH"
    assert seen.field("userCompany") == "Gruenwald Optik GmbH"
    assert seen.field("userEmail") == "jg@gruenwald.example"
    with any_site.unchanged():
        again = post(any_site, form(number), is_expduration="365", is_qlmversion="5.0.00")
    assert again.body == answer.body and again.type == answer.type


def test_the_expiry_counts_from_the_order(site):
    def check(day):
        answer = post(site, form(PURCHASE_DATE=day.strftime("%d/%m/%Y")), is_expduration="365")
        assert report(site, key_of(answer)).field("expiryDate") == day_after(365, day) + " 23:59"
    on_one_day(check)


def test_address_of_the_customer(site):
    number = order_number()
    post(site, form(number, EMAIL="a%s@gruenwald.example" % number, STREET2="Hof 2", STATE="TH", PHONE="+49 3641 1"))
    row, = site.query("SELECT * FROM qlm_customer WHERE email = ?", "a%s@gruenwald.example" % number)
    assert (row["address1"], row["address2"], row["city"]) == ("Lindenweg 4", "Hof 2", "Jena")
    assert (row["state"], row["zip"], row["country"], row["phone"]) == ("TH", "07743", "Germany", "+49 3641 1")


def test_a_second_item_with_separate_keys_and_xml(any_site):
    number = order_number()
    fields = form(number, RUNNING_NO="2", PRODUCT_ID="88133", QUANTITY="3", REG_NAME="Mei Tanaka", FIRSTNAME="Mei",
                  LASTNAME="Tanaka", COMPANY="", EMAIL="mei@tanaka.example", COUNTRY="Japan", XML=xml(number))
    answer = post(any_site, fields, is_usemultipleactivationskey="false")
    assert answer.status == 200
    keys = answer.text.split("\n")
    assert len(set(keys)) == 3 and all(KEY.match(k) for k in keys), answer
    assert all(report(any_site, k).field("numActivationsAllowed") == "1" for k in keys)
    assert report(any_site, keys[0]).field("userFullName") == "Mei Tanaka"
    assert post(any_site, fields, is_usemultipleactivationskey="false").body == answer.body
    assert len(lines(any_site, number)) == 3


def test_every_line_of_a_purchase_is_its_own_order(site):
    number = order_number()
    first, second = key_of(post(site, form(number))), key_of(post(site, form(number, RUNNING_NO="2")))
    assert first != second
    assert key_of(post(site, form(number))) == first
    assert key_of(post(site, form(number, RUNNING_NO="2"))) == second


def test_a_missing_line_number(site):
    number = order_number()
    first = key_of(post(site, form(number, RUNNING_NO=None)))
    assert key_of(post(site, form(number, RUNNING_NO=None))) == first
    other = key_of(post(site, form(number, RUNNING_NO=None, PRODUCT_ID="88133")))
    assert other != first
    assert key_of(post(site, form(number, RUNNING_NO=None, PRODUCT_ID="88133"))) == other


@pytest.mark.parametrize("difference", [{"QUANTITY": "7"}, {"PRODUCT_ID": "99999"}])
def test_a_repeat_that_differs_gets_the_stored_answer_and_a_warning(site, difference):
    number = order_number()
    first = key_of(post(site, form(number)))
    site.expect(r"qlm:warn.*QLM1009.*%s" % number)
    with site.unchanged():
        assert key_of(post(site, form(number, **difference))) == first


def test_names_of_fields_are_compared_without_case(site):
    number = order_number()
    fields = {k.lower(): v for k, v in form(number, QUANTITY="4").items()}
    assert report(site, key_of(post(site, fields))).field("numActivationsAllowed") == "4"
    assert len(lines(site, number)) == 1


@pytest.mark.parametrize("vendor", ["cleverbridge", "Cleverbridge", "CLEVERBRIDGE"])
def test_the_vendor_is_named_without_case(site, vendor):
    key_of(post(site, form(), is_vendor=vendor))


def test_the_xml_fills_what_the_form_lacks(site):
    number = order_number()
    mail = "x%s@tanaka.example" % number
    fields = form(number, REG_NAME=None, FIRSTNAME=None, LASTNAME=None, COMPANY=None, EMAIL=None,
                  XML=xml(number, email=mail))
    seen = report(site, key_of(post(site, fields)))
    assert seen.field("userEmail") == mail
    assert seen.field("userCompany") == "Tanaka Kogaku"
    assert "田中" in seen.field("userFullName") or "Tanaka" in seen.field("userFullName")


def test_the_form_wins_over_the_xml(site):
    number = order_number()
    mail = "form%s@gruenwald.example" % number
    seen = report(site, key_of(post(site, form(number, EMAIL=mail, XML=xml(number)))))
    assert (seen.field("userEmail"), seen.field("numActivationsAllowed")) == (mail, "1")


@pytest.mark.parametrize("name", ["xml", "NOTIFICATION"])
def test_any_field_that_looks_like_xml_is_the_document(site, name):
    number = order_number()
    mail = "n%s@tanaka.example" % number
    fields = form(number, EMAIL=None, **{name: "  \n" + xml(number, email=mail)})
    assert report(site, key_of(post(site, fields))).field("userEmail") == mail


def test_an_older_schema_with_other_prefixes_reads_the_same(site):
    number = order_number()
    mail = "old%s@tanaka.example" % number
    text = xml(number, email=mail).replace("cbt:", "").replace("cbn:", "").replace("xmlns:cbn", "xmlns") \
        .replace(' xmlns:cbt=', ' xmlns:unused=')
    assert report(site, key_of(post(site, form(number, EMAIL=None, XML=text)))).field("userEmail") == mail


@pytest.mark.parametrize("trouble", ["broken", "empty root", "doctype", "entities", "external", "deep", "huge"])
def test_bad_xml_never_stops_a_paid_order(site, trouble):
    number = order_number()
    good = xml(number)
    body = good.split("?>", 1)[1]
    texts = {
        "broken": good[:300],
        "empty root": "<",
        "doctype": '<?xml version="1.0"?><!DOCTYPE x>' + body,
        "entities": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' +
                    body.replace("Tanaka Kogaku", "&b;"),
        "external": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' +
                    body.replace("Tanaka Kogaku", "&f;"),
        "deep": "<a>" * 5000 + "</a>" * 5000,
        "huge": good.replace("Tanaka Kogaku", "K" * 300000),
    }
    site.allow(r"QLM1009")
    mark = site.mark()
    answer = post(site, form(number, COMPANY=None, XML=texts[trouble]))
    key = key_of(answer)
    assert site.lines_since(mark, r"(?i)xml"), "the trouble is not in the log"
    seen = report(site, key)
    assert seen.field("userEmail") == "jg@gruenwald.example"
    assert "root:" not in seen.text and "aaaa" not in seen.text and "KKKK" not in seen.text


@pytest.mark.parametrize("fields", [{"EMAIL": None}, {"EMAIL": ""}, {"COMPANY": "", "PHONE": "", "STATE": ""}])
def test_missing_personal_data_is_normal(site, fields):
    assert report(site, key_of(post(site, form(**fields)))).field("userFullName") == "Gruenwald Optik GmbH"


def test_nothing_known_about_the_buyer_at_all(site):
    key_of(post(site, {"PURCHASE_ID": order_number(), "RUNNING_NO": "1", "QUANTITY": "1"}))


@pytest.mark.parametrize("date", ["31/02/2026", "yesterday", "2026-05-14", "99/99/9999", ""])
def test_a_bad_date_is_never_a_reason_to_refuse(site, date):
    site.allow(r"QLM1009")
    key_of(post(site, form(PURCHASE_DATE=date)))


def test_a_test_purchase_gets_a_marked_key(site):
    number = order_number()
    key_of(post(site, form(number, XML=xml(number, status="TST"))))
    row, = lines(site, number)
    assert row["is_test"] == 1
    other = order_number()
    key_of(post(site, form(other, XML=xml(other))))
    assert lines(site, other)[0]["is_test"] == 0


@pytest.mark.parametrize("raw_form, name", [
    ("REG_NAME=M%C3%BCller+%26+S%C3%B6hne", "Müller & Söhne"), ("REG_NAME=M%FCller+%26+S%F6hne", "Müller & Söhne"),
    ("REG_NAME=%E8%8A%BD%E8%A1%A3", "芽衣")])
def test_utf8_and_latin1(site, raw_form, name):
    fields = "PURCHASE_ID=%s&RUNNING_NO=1&QUANTITY=1&%s" % (order_number(), raw_form)
    assert report(site, key_of(post(site, fields))).field("userFullName") == name


# ---- failures: never a text that a buyer could take for a key

@pytest.mark.parametrize("fields, named", [
    ({"PURCHASE_ID": ""}, "PURCHASE_ID"), ({"QUANTITY": "0"}, "QUANTITY"), ({"QUANTITY": "-1"}, "QUANTITY"),
    ({"QUANTITY": "1000000000"}, "QUANTITY"), ({"QUANTITY": "3x"}, "QUANTITY"), ({"QUANTITY": "1.5"}, "QUANTITY")])
def test_an_unusable_order_is_400(site, fields, named):
    with site.unchanged():
        answer = post(site, form(**fields))
        assert named in plain_refusal(site, answer, 400)


@pytest.mark.parametrize("arguments, named", [
    ({"is_productid": "77"}, "77"), ({"is_productid": "abc"}, "is_productid"), ({"is_productid": None}, "is_productid"),
    ({"is_majorversion": "9"}, "9"), ({"is_features": "9:1"}, "is_features"), ({"is_expdate": "soon"}, "is_expdate")])
def test_an_unusable_recipe_is_400(site, arguments, named):
    with site.unchanged():
        answer = call(site, METHOD, query(**arguments), form())
        assert named in plain_refusal(site, answer, 400)


@pytest.mark.parametrize("credentials", [{"is_pwd": "wrong"}, {"is_user": "wrong"}, {"is_pwd": None},
                                         {"is_user": None}, {"is_pwd": "", "is_user": ""}])
def test_wrong_credentials_are_403(site, credentials):
    with site.unchanged():
        text = plain_refusal(site, call(site, METHOD, query(**credentials), form()), 403)
        assert "is_user" not in text or "is_pwd" in text, "it must not tell which half was wrong"


# ---- the body carries a buyer's input

def test_the_body_cannot_supply_or_change_arguments(site):
    number = order_number()
    fields = form(number, is_productid="2", is_majorversion="2", is_minorversion="0", is_features="0:255",
                  is_expdate="2099-01-01", is_quantity="50", is_additionalactivations="99",
                  is_numberofactivationsperkey="9", is_maintenance_plan="1", yearly_maintenance_plan="1",
                  is_args="bundle", is_vendor="QlmAuthenticationProvider")
    with site.properties(bundle="&is_features=0:16"):
        seen = report(site, key_of(post(site, fields)))
    assert (seen.field("productID"), seen.field("majorVersion")) == ("1", "1")
    assert (seen.field("features"), seen.field("numActivationsAllowed")) == ("", "1")
    assert seen.field("expiryDate") == "9999-12-31 23:59"
    assert seen.field("maintenanceRenewalDate") == ""


def test_the_body_cannot_bring_the_credentials(site):
    with site.unchanged():
        answer = call(site, METHOD, {"is_vendor": "cleverbridge", **PRODUCT},
                      form(is_user="shop", is_pwd="Sesam-0pen"))
        plain_refusal(site, answer, 403)


def test_http_basic_with_the_same_pair(site):
    bare = {"is_vendor": "cleverbridge", **PRODUCT}
    assert KEY.match(call(site, METHOD, bare, form(), headers=basic("shop", "Sesam-0pen")).text)
    with site.unchanged():
        plain_refusal(site, call(site, METHOD, bare, form(), headers=basic("shop", "wrong")), 403)
        plain_refusal(site, call(site, METHOD, bare, form(), headers={"Authorization": "Basic !!!"}), 403)
