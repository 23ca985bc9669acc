"""PingHttp and the index page."""
import datetime
import re

import pytest

from client import ASMX, call
from lxml import etree, html


def test_ping(any_site):
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    answer = call(any_site, "PingHttp")
    after = datetime.datetime.now(datetime.timezone.utc)
    assert answer.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert answer.names == ["result", "serverDate", "serverVersion", "serverDate"]
    root = answer.root
    date = root.findall("serverDate")[0].text
    assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", date)
    assert before <= datetime.datetime.strptime(date + "+0000", "%Y-%m-%dT%H:%M:%SZ%z") <= after
    assert root.findall("serverDate")[1].get("date") and not root.findall("serverDate")[1].text
    assert re.match(r"^\d+(\.\d+){3}$", root.findtext("serverVersion"))
    assert re.match(r"^Successfully connected to License Server at .* UTC\. QLM Version: \d+(\.\d+){3}$",
                    root.findtext("result"))
    assert answer.headers["cache-control"] == "no-store"


def test_ping_by_post_and_with_any_arguments(site):
    assert call(site, "PingHttp", None, {"x": "y"}).field("serverVersion")
    assert call(site, "PingHttp", {"is_vendor": "nobody", "is_user": "x"}).field("serverVersion")


def test_the_version_can_be_set(new_site):
    site = new_site(location="QlmServerVersion 19.1.25322.2")
    answer = call(site, "PingHttp")
    assert answer.field("serverVersion") == "19.1.25322.2"
    assert "QLM Version: 19.1.25322.2" in answer.field("result")


def test_the_index_lists_methods_and_arguments(any_site):
    answer = call(any_site, "")
    assert (answer.status, answer.type.lower()) == (200, "text/html; charset=utf-8")
    text = html.fromstring(answer.body).text_content()
    for word in ("GetActivationKey", "GetActivationKeyWithExpiryDate", "ValidateLicenseHttp", "ActivateKey", "PingHttp",
                 "is_productid", "is_majorversion", "is_minorversion", "is_avkey", "is_pcid", "is_vendor",
                 "is_expduration", "is_features", "is_quantity"):
        assert word in text, word
    assert len(answer.body) < 65536


@pytest.mark.parametrize("path", [ASMX, ASMX + "/", "/qlm/QLMSERVICE.ASMX", "/qlm/some/where/QlmService.asmx"])
def test_the_index_is_there_however_it_is_spelled(site, path):
    assert call(site, "", path=path).status == 200
    assert call(site, "", "WSDL", path=path).status == 200


def test_head_of_the_index(site):
    answer = call(site, "", verb="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_the_index_says_nothing_about_the_site(site):
    text = call(site, "").text
    assert str(site.root) not in text and "sqlite" not in text.lower() and "Demo" not in text


def test_the_index_can_be_switched_off(new_site):
    site = new_site(location="QlmIndex off")
    for path in (ASMX, ASMX + "/"):
        answer = call(site, "", path=path)
        assert answer.status == 404
        assert "ValidateLicenseHttp" not in answer.text
    assert call(site, "PingHttp").status == 200


def test_the_index_is_well_formed(site):
    parser = etree.HTMLParser(recover=False)
    etree.fromstring(call(site, "").body, parser)
