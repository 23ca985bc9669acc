"""ShareIt / MyCommerce: the recipe URL that begins with ?&, Latin-1 forms, products mapped by property."""
import pytest

from changing import expiry, in_days
from client import KEY, PRODUCT, activate, call, kept, normal, on_one_day, order, order_number, plain_refusal, report, \
    storm, today

METHOD = "GetActivationKey"


def recipe(more=""):
    return ("&is_vendor=ShareIt&is_productid=1&is_majorversion=1&is_minorversion=0&is_qlmversion=5.0.00"
            "&is_features=0:3;1:1&is_user=shop&is_pwd=Sesam-0pen" + more)


def latin1(number, more=""):
    return ("PURCHASE_ID=%s&RUNNING_NO=1&PURCHASE_DATE=%s&PRODUCT_ID=300555001&LANGUAGE_ID=2&QUANTITY=2"
            "&REG_NAME=Zo%%EB+M%%FCller&ADDITIONAL1=&ADDITIONAL2=&RESELLER=&LASTNAME=M%%FCller&FIRSTNAME=Zo%%EB"
            "&COMPANY=&EMAIL=zoe%%40mueller.example&PHONE=&FAX=&STREET=Am+Hang+9&ZIP=50679&CITY=K%%F6ln&STATE="
            "&COUNTRY=Deutschland&ISO_CODE=DE&NLALLOW=NO%s"
            % (number, today().strftime("%d%%2F%m%%2F%Y"), more)).encode()


def form(number=None, **more):
    fields = {"PURCHASE_ID": number or order_number(), "RUNNING_NO": "1", "PURCHASE_DATE": today().strftime("%d/%m/%Y"),
              "PRODUCT_ID": "300555001", "QUANTITY": "1", "REG_NAME": "Jan Nowak", "FIRSTNAME": "Jan",
              "LASTNAME": "Nowak", "EMAIL": "jan@nowak.example", "ENCODING": "UTF8"}
    fields.update(more)
    return {k: v for k, v in fields.items() if v is not None}


def key_of(answer, charset=None):
    assert answer.status == 200, answer
    kind = answer.type.replace(" ", "").lower()
    assert kind == "text/plain;charset=" + charset.lower() if charset else kind.startswith("text/plain;charset=")
    assert KEY.match(answer.body.decode("ascii")), answer
    return answer.body.decode("ascii")



def licenses(site, number):
    return site.query("SELECT * FROM qlm_license WHERE vendor = 'shareit' AND order_ref = ?", number)


def test_the_old_recipe_in_latin1(any_site):
    number = order_number()
    answer = call(any_site, METHOD, recipe(), latin1(number))
    key = key_of(answer, "ISO-8859-1")
    seen = report(any_site, key)
    assert seen.field("userFullName") == "Zoë Müller"
    assert seen.field("numActivationsAllowed") == "2"
    assert seen.field("features") == "0:3;1:1;"
    row, = licenses(any_site, number)
    assert row["activation_key"] == normal(key)
    with any_site.unchanged():
        again = call(any_site, METHOD, recipe(), latin1(number))
    assert again.body == answer.body and again.type == answer.type


def test_shareit_and_mycommerce_are_one_vendor(site):
    number = order_number()
    first = call(site, METHOD, recipe(), latin1(number))
    query = recipe().replace("ShareIt", "MyCommerce")
    assert call(site, METHOD, query, latin1(number)).body == first.body


def test_utf8_when_the_form_says_so(site):
    fields = form(FIRSTNAME="Łukasz", REG_NAME="Łukasz Nowak", COMPANY="Nowak Studio", EMAIL="ln@nowak.example")
    seen = report(site, key_of(call(site, METHOD, recipe(), fields), "UTF-8"))
    assert (seen.field("userFullName"), seen.field("userCompany")) == ("Łukasz Nowak", "Nowak Studio")
    assert seen.field("userEmail") == "ln@nowak.example"


def test_utf8_although_the_flag_was_lost(site):
    seen = report(site, key_of(call(site, METHOD, recipe(), form(FIRSTNAME="Łukasz", ENCODING=None))))
    assert seen.field("userFullName") == "Łukasz Nowak"


def test_undecodable_bytes_are_no_reason_to_refuse(site):
    body = latin1(order_number(), "&ENCODING=UTF8")
    assert report(site, key_of(call(site, METHOD, recipe(), body))).field("userFullName").startswith("Zo")


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/x-unknown", None])
def test_the_body_is_a_form_whatever_its_type_says(site, content_type):
    headers = {"Content-Type": content_type or ""}
    seen = report(site, key_of(call(site, METHOD, recipe(), latin1(order_number()), headers=headers)))
    assert seen.field("numActivationsAllowed") == "2"


def test_several_keys_come_one_per_line(site):
    answer = call(site, METHOD, recipe("&is_usemultipleactivationskey=false"), latin1(order_number()))
    keys = answer.text.split("\n")
    assert len(set(keys)) == 2 and all(KEY.match(k) for k in keys), answer


def test_lines_of_an_order(site):
    number = order_number()
    first = key_of(call(site, METHOD, recipe(), form(number)))
    second = key_of(call(site, METHOD, recipe(), form(number, RUNNING_NO="2")))
    assert first != second and len(licenses(site, number)) == 2
    assert key_of(call(site, METHOD, recipe(), form(number, RUNNING_NO="2"))) == second


def test_a_repeat_that_differs_gets_the_stored_answer(site):
    number = order_number()
    first = key_of(call(site, METHOD, recipe(), form(number)))
    site.expect(r"qlm:warn.*QLM1009.*%s" % number)
    with site.unchanged():
        assert key_of(call(site, METHOD, recipe(), form(number, QUANTITY="9"))) == first


def mapped(site):
    return site.properties(shareit_300555002="&is_productid=2&is_majorversion=2&is_minorversion=0"
                                             "&is_licensemodel=subscription&is_expduration=30&is_features=0:1")


def test_a_product_mapped_by_property(site):
    with mapped(site):
        number = order_number()
        query = {"is_vendor": "shareit", "is_user": "shop", "is_pwd": "Sesam-0pen"}
        fields = form(number, PRODUCT_ID="300555002")
        key = key_of(call(site, METHOD, query, fields))
        assert key.startswith("F")
        row, = licenses(site, number)
        assert (row["product_id"], row["major"], row["minor"], row["features"]) == (2, 2, 0, "0:1;")
        assert key_of(call(site, METHOD, query, fields)) == key


def test_the_url_wins_over_the_mapping(site):
    with mapped(site):
        number = order_number()
        key_of(call(site, METHOD, order("shareit", is_features="0:4"), form(number, PRODUCT_ID="300555002")))
        row, = licenses(site, number)
        assert (row["product_id"], row["features"]) == (1, "0:4;")


def test_the_period_of_the_shop_beats_the_duration(site):
    fields = form(SUBSCRIPTION_DATE="05/03/2090", START_DATE="05/03/2090", EXPIRY_DATE="05/04/2090")
    query = order("shareit", is_licensemodel="subscription", is_expduration="30")
    seen = report(site, key_of(call(site, METHOD, query, fields)))
    assert seen.field("expiryDate") == "2090-04-05 23:59"


def test_an_unmapped_product(site):
    """Refused by name, so that the publisher sees what to map; the log names the purchase."""
    with site.unchanged():
        number = order_number()
        mark = site.mark()
        answer = call(site, METHOD, {"is_vendor": "shareit", "is_user": "shop", "is_pwd": "Sesam-0pen"},
                      form(number, PRODUCT_ID="300999999"))
        assert "300999999" in plain_refusal(site, answer, 400)
        assert site.lines_since(mark, number), "the log does not name the purchase"


def test_purchase_0_is_a_test_that_is_not_remembered(site):
    before = site.query("SELECT count(*) AS n FROM qlm_order")[0]["n"]
    for _ in range(2):
        key_of(call(site, METHOD, recipe(), form("0", PRODUCT_ID="100000")))
    assert site.query("SELECT count(*) AS n FROM qlm_order")[0]["n"] == before
    assert all(row["is_test"] == 1 for row in licenses(site, "0"))


def test_an_unpaid_purchase_order_gets_its_key(site):
    site.expect("QLM1009.*UNPAID")
    key_of(call(site, METHOD, recipe(), form(INVOICE="UNPAID")))


def test_extra_fields_are_kept_or_ignored(site):
    fields = form(ADDITIONAL1="machine 4711", RESELLER="Nord Software", PROMOTION_NAME="spring", NLALLOW="YES",
                  **{"ADD[SERIAL]": "x"})
    number = fields["PURCHASE_ID"]
    key = key_of(call(site, METHOD, recipe(), fields))
    assert report(site, key).field("userData") == "machine 4711"
    assert licenses(site, number)[0]["affiliate_id"] == "Nord Software"


def test_the_affiliate_of_the_url_wins(site):
    fields = form(RESELLER="Nord Software")
    key_of(call(site, METHOD, recipe("&is_affiliateid=West"), fields))
    assert licenses(site, fields["PURCHASE_ID"])[0]["affiliate_id"] == "West"


@pytest.mark.parametrize("fields, named", [
    ({"PURCHASE_ID": ""}, "PURCHASE_ID"), ({"QUANTITY": "0"}, "QUANTITY"), ({"QUANTITY": "10000"}, "QUANTITY"),
    ({"QUANTITY": "-1"}, "QUANTITY"), ({"QUANTITY": "3x"}, "QUANTITY")])
def test_an_unusable_order_is_400(site, fields, named):
    with site.unchanged():
        assert named in plain_refusal(site, call(site, METHOD, recipe(), form(**fields)), 400)


@pytest.mark.parametrize("arguments", [{"is_pwd": "wrong"}, {"is_user": "wrong"}, {"is_pwd": None}])
def test_wrong_credentials_are_403(site, arguments):
    with site.unchanged():
        plain_refusal(site, call(site, METHOD, order("shareit", **arguments), form()), 403)


@pytest.mark.parametrize("date", ["31/02/2024", "soon", ""])
@pytest.mark.parametrize("name", ["PURCHASE_DATE", "EXPIRY_DATE"])
def test_bad_dates_do_not_stop_an_order(site, name, date):
    site.allow(r"QLM1009")
    key_of(call(site, METHOD, recipe(), form(**{name: date})))


def test_the_body_cannot_supply_or_change_arguments(site):
    fields = form(is_productid="2", is_majorversion="2", is_features="0:255", is_expdate="2099-01-01",
                  is_quantity="50", is_additionalactivations="99", is_user="x", is_pwd="y")
    key = key_of(call(site, METHOD, order("shareit"), fields))
    seen = report(site, key)
    assert (seen.field("productID"), seen.field("features")) == ("1", "")
    assert seen.field("numActivationsAllowed") == "1"


def test_the_body_cannot_bring_the_credentials(site):
    with site.unchanged():
        plain_refusal(site, call(site, METHOD, {"is_vendor": "shareit", **PRODUCT},
                     form(is_user="shop", is_pwd="Sesam-0pen")), 403)


def test_a_renewal_that_brings_the_original_key_moves_its_expiry(site):
    query = order("shareit", is_licensemodel="subscription", is_expduration="30")
    first = key_of(call(site, METHOD, query, form(EXPIRY_DATE="05/04/2090")))
    renewal = form(EXPIRY_DATE="05/05/2090", ORIGINAL_KEY=first)
    assert key_of(call(site, METHOD, query, renewal)) == first
    assert report(site, first).field("expiryDate") == "2090-05-05 23:59"
    assert key_of(call(site, METHOD, query, renewal)) == first
    assert key_of(call(site, METHOD, query, form(EXPIRY_DATE="05/06/2090"))) != first


def test_different_renewals_at_once_all_count(any_site):
    """Reckoned from the license as it is held; and active computers have the new key at once."""
    def check(_):
        query = order("shareit", is_licensemodel="subscription", is_expduration="30", is_quantity="2")
        first = key_of(call(any_site, METHOD, query, form()))
        computer_key = activate(any_site, first).field("pckey")
        numbers = [order_number() for _ in range(10)] * 3
        keys = storm(numbers, lambda box, n: key_of(kept(box, any_site).call(METHOD, query, form(n, ORIGINAL_KEY=first))),
                     clients=10)
        assert set(keys) == {first}
        assert expiry(any_site, first) == in_days(30 + 10 * 30)
        row, = any_site.query("SELECT a.computer_key FROM qlm_activation a JOIN qlm_license l ON l.id = a.license_id"
                              " WHERE l.activation_key = ?", normal(first))
        assert row["computer_key"] == activate(any_site, first).field("pckey") != computer_key
    on_one_day(check)


def test_a_renewal_of_a_license_without_stored_duration(site):
    """By the length of the first period, which does not grow."""
    def check(_):
        first = key_of(call(site, METHOD, order("shareit", is_expdate=in_days(60)), form()))
        for end in (120, 180):
            assert key_of(call(site, METHOD, order("shareit"), form(ORIGINAL_KEY=first))) == first
            assert expiry(site, first) == in_days(end)
    on_one_day(check)
