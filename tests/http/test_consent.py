"""SubscribeToMailListHttp and UpdatePrivacyConsentHttp: what customers decide, and what strangers learn."""
import json

import pytest

from client import call, issue, kept, order_number, storm, xml_refusal


def address():
    return "c%s@consent.example" % order_number()


def customer(site, email):
    return site.query("SELECT * FROM qlm_customer WHERE email_key = ?", email.lower())[0]


def history(site, email):
    return site.query("SELECT * FROM qlm_history WHERE customer_id = ? AND license_id = 0 ORDER BY id",
                      customer(site, email)["id"])


def subscribe(site, **query):
    return call(site, "SubscribeToMailListHttp", query)


def consent(site, key, email, value="1", **more):
    return call(site, "UpdatePrivacyConsentHttp", {"is_avkey": key, "is_email": email, "is_consent": value, **more})


# ---- mails

@pytest.mark.parametrize("include, stored, text", [
    (None, 1, "Succesfully subscribed customer."), ("1", 1, "Succesfully subscribed customer."),
    ("0", 0, "Succesfully unsubscribed customer."), ("False", 0, "Succesfully unsubscribed customer.")])
def test_subscribed(any_site, include, stored, text):
    email = address()
    issue(any_site, email=email)
    query = {"is_email": email.upper(), **({"is_include": include} if include else {})}
    answer = subscribe(any_site, **query)
    assert answer.error is None and answer.names == ["result"] and answer.field("result") == text
    assert customer(any_site, email)["include_in_mail_list"] == stored
    rows = history(any_site, email)
    assert rows[-1]["event"] == "customer_modified" and rows[-1]["method"] == "SubscribeToMailListHttp"
    assert json.loads(rows[-1]["changes"]) == {"IncludeInMailList": ["", "true" if stored else "false"]}
    assert subscribe(any_site, **query).body == answer.body
    assert history(any_site, email) == rows


def test_a_stranger_learns_nothing_and_leaves_nothing(site):
    email = address()
    issue(site, email=email)
    known = subscribe(site, is_email=email)
    with site.unchanged():
        unknown = subscribe(site, is_email=address())
    assert (unknown.status, unknown.body, unknown.type) == (known.status, known.body, known.type)
    pages = [subscribe(site, is_email=e, is_html="true") for e in (email, address())]
    assert pages[0].body == pages[1].body


@pytest.mark.parametrize("include, words", [("1", "You will receive our mails."), ("0", "You will receive no more mails.")])
def test_a_page_for_people(site, include, words):
    email = address()
    issue(site, email=email)
    page = subscribe(site, is_email=email, is_include=include, is_html="true")
    assert page.status == 200 and page.type == "text/html; charset=utf-8"
    assert words in page.text and email not in page.text and "error" not in page.text.lower()


@pytest.mark.parametrize("query, code", [
    ({}, 208), ({"is_email": "none"}, 5), ({"is_email": "<script>@x"}, 5), ({"is_email": "a@b.example,c@d.example"}, 5),
    ({"is_email": "a@b.example\r\nBcc: x@y.example"}, 5), ({"is_email": "a" * 260 + "@b"}, 5),
    ({"is_email": "a@b.example", "is_include": "maybe"}, 5), ({"is_email": "a@b.example", "is_html": "x"}, 5)])
def test_unusable(site, query, code):
    with site.unchanged():
        xml_refusal(site, subscribe(site, **query), code)


# ---- consent

def test_given_denied_and_given_again(any_site):
    email = address()
    key = issue(any_site, email=email)
    assert customer(any_site, email)["privacy_consent"] == -1
    for value, stored in (("1", 1), ("0", 0), ("true", 1)):
        answer = consent(any_site, key, email.upper(), value)
        assert answer.error is None and answer.field("result") == "Successfully updated the privacy consent."
        row = customer(any_site, email)
        assert row["privacy_consent"] == stored and row["privacy_consent_at"] >= row["created_at"]
    rows = [r for r in history(any_site, email) if r["method"] == "UpdatePrivacyConsentHttp"]
    assert [json.loads(r["changes"])["PrivacyConsent"] for r in rows] == [["", "true"], ["true", "false"],
                                                                          ["false", "true"]]
    assert all(r["address"] == "127.0.0.1" for r in rows)


def test_the_same_again_keeps_the_date(site):
    email = address()
    key = issue(site, email=email)
    assert consent(site, key, email).error is None
    site.change("UPDATE qlm_customer SET privacy_consent_at = 5 WHERE email_key = ?", email)
    rows = history(site, email)
    assert consent(site, key, email).error is None
    assert customer(site, email)["privacy_consent_at"] == 5 and history(site, email) == rows


def test_many_at_once_are_one_change(site):
    email = address()
    key = issue(site, email=email)

    def one(box, _):
        return kept(box, site).call("UpdatePrivacyConsentHttp", {"is_avkey": key, "is_email": email, "is_consent": "1"})

    assert all(a.error is None for a in storm(range(24), one, 12))
    assert len([r for r in history(site, email) if r["method"] == "UpdatePrivacyConsentHttp"]) == 1


def test_key_and_address_must_belong_together(site):
    email, other = address(), address()
    key, foreign = issue(site, email=email), issue(site, email=other)
    nobody = issue(site)
    with site.unchanged():
        said = [xml_refusal(site, consent(site, *pair), 1904) for pair in (
            (key, other), (foreign, email), (nobody, email), ("UNKNOWN-KEY", email), (key, address()))]
    assert len(set(said)) == 1


@pytest.mark.parametrize("more, code", [
    ({"is_avkey": ""}, 206), ({"is_email": ""}, 208), ({"is_consent": ""}, 208), ({"is_consent": "2"}, 5),
    ({"is_email": "x"}, 5), ({"is_avkey": "A1234-12345-12345-12345-12345X"}, 205), ({"is_avkey": "K" * 201}, 5),
    ({"is_avkey": "' OR 1=1 --"}, 1904)])
def test_refused(site, more, code):
    email = address()
    key = issue(site, email=email)
    with site.unchanged():
        xml_refusal(site, consent(site, key, email, **more), code)
