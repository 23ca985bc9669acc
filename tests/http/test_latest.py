"""GetLatestVersionHttp: what the publisher stored, and what asks for it."""
import pytest

from client import PRODUCT, call, order, order_number, xml_refusal


@pytest.fixture
def product(site):
    def set_fields(**fields):
        site.ctl("product", "set", "--id", 1, "--version", "1.0",
                 *["%s=%s" % (name.replace("_", "-"), value) for name, value in fields.items()])

    yield set_fields
    set_fields(features="", latest_version="", latest_url="", latest_notes="")


def latest(site, **more):
    return call(site, "GetLatestVersionHttp", {**PRODUCT, **more})


def test_the_stored_texts(site, product):
    product(latest_version="1.0.3", latest_url="https://www.example.com/?a=1&b=2", latest_notes="one\n<b>two</b> \u00e4")
    answer = latest(site)
    assert answer.status == 200 and answer.error is None
    assert answer.names == ["result", "latestVersion", "latestVersionUrl", "latestVersionNotes"]
    assert answer.field("result") == "The latest version is 1.0.3"
    assert answer.field("latestVersion") == "1.0.3"
    assert answer.field("latestVersionUrl") == "https://www.example.com/?a=1&b=2"
    assert answer.field("latestVersionNotes") == "one\n<b>two</b> \u00e4"
    assert "error" not in answer.text.lower()


def test_a_running_server_notices_a_change(any_site, request):
    for version in ("1.0.4", "1.0.5 beta"):
        any_site.ctl("product", "set", "--id", 1, "--version", "1.0", "latest-version=" + version)
        assert latest(any_site).field("latestVersion") == version
    any_site.ctl("product", "set", "--id", 1, "--version", "1.0", "latest-version=")
    xml_refusal(any_site, latest(any_site), 6)


def test_misspelt_minor_version(site, product):
    product(latest_version="7")
    assert call(site, "getlatestversionhttp", {"is_productid": "1", "is_majorversion": "1",
                                               "is_minorverson": "0"}).field("latestVersion") == "7"


@pytest.mark.parametrize("fields, code", [
    ({"is_productid": "77"}, 218),
    ({"is_minorversion": "9"}, 218),
    ({"is_productid": ""}, 208),
    ({"is_majorversion": "1.0"}, 5),
    ({"is_majorversion": "100"}, 5),
    ({"is_minorversion": "-1"}, 5),
    ({"is_productid": "1' OR '1'='1"}, 5),
    ({"is_productid": "9" * 4000}, 5),
])
def test_refused(site, product, fields, code):
    product(latest_version="7")
    with site.unchanged():
        xml_refusal(site, latest(site, **fields), code)


def test_switched_off(site, product):
    product(latest_version="7")
    with site.properties(enableGetLatestVersionHttp="false"):
        xml_refusal(site, latest(site), 7)


def test_names_of_features_in_mails(site, product):
    product(features="0:1:STD;0:2:PRO")
    (site.root / "mail.html").write_text("<p>%ItemTemplate%[%EnabledFeatures%]%ItemTemplate%</p>")
    site.ctl("template", "set", "Features", "--subject", "s", "--html", site.root / "mail.html")
    number = order_number()
    assert call(site, "GetActivationKey", order(orderNumber=number, email="ann@customer.example", is_features="0:3;1:4",
                                                is_emailtemplate="Features")).error is None
    payload = site.query("SELECT payload FROM qlm_outbox WHERE subject LIKE ?", "%/" + number)[0]["payload"]
    assert "[STD,PRO,1:4,]" in payload
