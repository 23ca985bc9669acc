"""Salesforce from end to end: an organization (a simulator that shares no code with us) activates orders, and customers
get mails with keys."""
import subprocess
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

import engines
from client import ASMX, call, order_number, until
from outside import MAIL_PASSWORD, SENDER, SIMULATORS, TEMPLATE, HookReceiver, holds_no_secret, mailing_site, \
    rows, secure_mail_server, settled, start_again, trust, use_mail

sys.path.insert(0, str(SIMULATORS))
from salesforce import Salesforce, person  # noqa: E402

MAPPING = "&is_productid=1&is_majorversion=1&is_minorversion=0&is_emailtemplate=" + TEMPLATE
USER, PASSWORD, SECRET = "bot@acme.example", "Pa55word!&=+ %XyZtokEN", "55DEMO-consumer-secret"
METHOD = "QlmWebHookHandler"


@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def licenser(template, server):
    """A site with products mapped to the codes 001 and 002."""
    with mailing_site(template, server) as site:
        site.ctl("property", "set", "salesforce_pid_001", MAPPING)
        site.ctl("property", "set", "salesforce_pid_002",
                 "is_productid=2&is_majorversion=2&is_minorversion=0&is_usemultipleactivationskey=false")
        yield site


def introduce(site, shop, *more, shared_key=SECRET):
    """Enter an organization at a site as an operator does."""
    site.ctl("vendor", "set", "salesforce", "user=" + USER, "password=-", "url=" + shop.url, "api_key=-", "shared_key=-",
             "enabled=true", *more, stdin="%s\n%s\n%s\n" % (PASSWORD, shop.client_id, shared_key))
    shop.callback = callback(site)


def callback(site, user=USER, password=PASSWORD, more=""):
    return "http://127.0.0.1:%d%s/%s?%s%s" % (site.port, ASMX, METHOD, urllib.parse.urlencode(
        {"is_vendor": "salesforce", "is_user": user, "is_pwd": password, "is_affiliateid": "salesforce"}), more)


def organization(**settings):
    # a consumer key of its own, so that nothing that was kept about another one fits
    return Salesforce(user=USER, password=PASSWORD, client_id="3MVG9." + order_number(), client_secret=SECRET, **settings)


@pytest.fixture
def shop(licenser):
    with organization() as made:
        introduce(licenser, made)
        yield made


def add(shop, *items, **more):
    """An order with a contact of its own. Returns id, number, address."""
    number = order_number()
    address = "sf%s@acme.example" % number
    more.setdefault("contact", person("Ada", "Byron", address))
    return shop.add_order(items=items or [("001", 1)], number=number, **more), number, address


def once(shop, *ids, **message):
    """Activate orders and deliver one message about them, once. Returns the attempt."""
    made = shop.activate(ids, send=False)
    if message:
        return shop.post(shop.message([(n.id, n.order_id) for n in made], **message))
    return shop.deliver(made)


def licenses(site, number):
    return site.query("SELECT * FROM qlm_license WHERE vendor = 'salesforce' AND order_ref = ? ORDER BY id", number)


def is_answered(attempt, acknowledged):
    assert attempt.status == 200 and attempt.content_type.replace(" ", "").lower() == "text/xml;charset=utf-8", attempt
    assert b"<Ack>true</Ack>" in attempt.body if acknowledged else b"<Ack>false</Ack>" in attempt.body, attempt.body
    assert attempt.acknowledged == acknowledged
    return True


def odd(site, mark, pattern):
    """One line of the log that names the cause."""
    site.expect(r"\bQLM1009\b")
    found = site.lines_since(mark, pattern)
    assert len(found) == 1, (pattern, [l.text for l in site.error_lines(mark)])
    return found[0].text


# ---- orders become mails

def test_an_order_becomes_keys_and_one_mail(licenser, shop, server):
    order, number, address = add(shop, ("001", 2), ("SRV", 1, "installation day"), ("002", 3), account="Engine & Sons",
                                 billing={"Street": "1 Row\r\nFlat 2", "City": "London", "PostalCode": "W1",
                                          "Country": "United Kingdom"})
    mark = licenser.mark()
    assert is_answered(once(shop, order), True)
    odd(licenser, mark, r"SRV")
    first, *others = licenses(licenser, number)
    assert (first["product_id"], first["num_licenses"], first["affiliate_id"]) == (1, 2, "salesforce")
    assert [(r["product_id"], r["num_licenses"]) for r in others] == [(2, 1)] * 3
    assert {r["line_ref"].split(".")[-1] for r in [first] + others} == {shop.item_ids(order)[0], shop.item_ids(order)[2]}
    mail, = server.wait_for(address)
    assert sorted(k.replace("-", "") for k in mail.keys) == sorted(r["activation_key"] for r in [first] + others)
    assert all(key in mail.html for key in mail.keys) and number in mail.subject and mail.sender == SENDER
    assert "Ada Byron" in mail.text and mail.defects == []
    customer, = licenser.query("SELECT * FROM qlm_customer WHERE email = ?", address)
    assert (customer["full_name"], customer["company"], customer["address1"], customer["address2"], customer["city"],
            customer["zip"], customer["country"]) == ("Ada Byron", "Engine & Sons", "1 Row", "Flat 2", "London", "W1",
                                                      "United Kingdom")
    settled(licenser, number, "sent")
    assert len(server.to(address)) == 1


def test_redelivery_and_later_edits_change_nothing(licenser, shop, server):
    order, number, address = add(shop, ("001", 2))
    made = shop.activate([order], send=False)
    assert is_answered(shop.deliver(made), True)
    server.wait_for(address)
    settled(licenser, number, "sent")
    tables = "qlm_license", "qlm_order", "qlm_outbox", "qlm_customer"
    before = {t: licenser.dump()[t] for t in tables}
    assert is_answered(shop.deliver(made), True)
    assert is_answered(once(shop, order), True)  # another edit: a new notification about the same order
    assert is_answered(once(shop, order[:15]), True)  # the short form of its id
    assert {t: licenser.dump()[t] for t in tables} == before


def test_an_item_added_later_gets_its_own_key_and_more_of_one_does_not(licenser, shop, server):
    order, number, address = add(shop, ("001", 2))
    once(shop, order)
    first, = server.wait_for(address)
    shop.add_item(order, "001", 1)
    assert is_answered(once(shop, order), True)
    assert len(licenses(licenser, number)) == 2
    first, second = server.wait_for(address, 2)
    assert len(second.keys) == 1 and second.keys != first.keys and second.id != first.id
    mark = licenser.mark()
    shop.items[order[:15]][0]["Quantity"] = 5.0
    assert is_answered(once(shop, order), True)
    odd(licenser, mark, r"another product or quantity")
    assert [r["num_licenses"] for r in licenses(licenser, number)] == [2, 1]


def test_the_same_message_from_many_sides_at_once(licenser, shop, server):
    order, number, address = add(shop, ("001", 1), ("002", 2))
    message = shop.message([(n.id, n.order_id) for n in shop.activate([order], send=False)])
    with ThreadPoolExecutor(8) as pool:
        attempts = list(pool.map(lambda _: shop.post(message), range(16)))
    assert all(is_answered(a, True) for a in attempts)
    assert len(licenses(licenser, number)) == 3
    settled(licenser, number, "sent")
    assert len(server.to(address)) == 1


def test_one_message_that_names_an_order_twice(licenser, shop):
    order, number, _ = add(shop)
    assert is_answered(once(shop, order, order, order[:15]), True)
    assert len(licenses(licenser, number)) == 1


# ---- many

def test_a_hundred_notifications_of_which_every_third_fails_at_first(licenser, shop, server):
    orders = [add(shop, ("001", 1), ("002", 1)) for _ in range(100)]
    fault = shop.fault("item", "unavailable", times=1, orders=[o for o, _, _ in orders[::3]])
    licenser.allow(r"\bQLM1009\b")
    shop.activate([o for o, _, _ in orders])
    assert shop.wait_until_acknowledged(40)
    assert fault.hits == 34 and 2 <= len(shop.attempts) <= 40, (fault.hits, len(shop.attempts))
    for order, number, _ in orders:
        assert sorted(r["product_id"] for r in licenses(licenser, number)) == [1, 2], number
    until(lambda: not [r for r in rows(licenser) if r["state"] == "waiting"], 30, 0.2)
    addresses = {address for _, _, address in orders}
    mails = [m for m in server.mails() if addresses.intersection(m.recipients)]
    assert sorted(r for m in mails for r in m.recipients) == sorted(addresses)
    assert all(len(m.keys) == 2 for m in mails)
    assert len({key for m in mails for key in m.keys}) == 200


def test_killed_while_orders_come_in(new_site, server):
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.ctl("property", "set", "salesforce_pid_001", MAPPING)
    site.allow(r"\bQLM1009\b|\bQLM1205\b|exit signal")
    with organization(retry_seconds=0.1, retry_most=0.5) as shop:
        introduce(site, shop)
        site.start()
        orders = [add(shop) for _ in range(30)]
        for i in range(0, 30, 5):
            shop.activate([o for o, _, _ in orders[i:i + 5]], senders=3)
            time.sleep(0.05)
            if i in (10, 20):
                site.kill()
                start_again(site)
        assert shop.wait_until_acknowledged(30)
        site.change("UPDATE qlm_lease SET leased_until = 0")
        for _, number, address in orders:
            assert len(licenses(site, number)) == 1
            mails = server.wait_for(address, seconds=30)
            assert len({(m.id, tuple(m.keys)) for m in mails}) == 1


# ---- login

def test_one_login_serves_many_messages(licenser, shop):
    for _ in range(3):
        assert is_answered(once(shop, add(shop)[0]), True)
    assert shop.logins == [("password", None)]


def test_client_credentials(licenser, shop):
    shop.grants = {"client_credentials"}
    with licenser.properties(salesforce_grant="client_credentials"):
        order, number, _ = add(shop)
        assert is_answered(once(shop, order), True)
    assert shop.logins == [("client_credentials", None)] and len(licenses(licenser, number)) == 1


def test_jwt(licenser, tmp_path):
    key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                         capture_output=True, text=True, check=True).stdout
    public = subprocess.run(["openssl", "pkey", "-pubout"], input=key, capture_output=True, text=True, check=True).stdout
    with organization(public_key=public, grants=("jwt",)) as shop:
        introduce(licenser, shop, shared_key=" ".join(key.split("\n")))
        with licenser.properties(salesforce_grant="jwt"):
            order, number, _ = add(shop)
            assert is_answered(once(shop, order), True)
            assert shop.logins == [("jwt", None)] and len(licenses(licenser, number)) == 1
            # a key that the organization does not know
            shop.public_key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True).stdout
            shop.expire_sessions()
            mark = licenser.mark()
            assert is_answered(once(shop, add(shop)[0]), False)
            assert USER in odd(licenser, mark, r"invalid_grant")
    holds_no_secret(licenser, key.split("\n")[2])


@pytest.mark.parametrize("break_it, word", [
    (dict(password="another"), "invalid_grant"), (dict(client_secret="another"), "invalid_client"),
    (dict(grants={"jwt"}), "invalid_grant")])
def test_a_refused_login_asks_for_redelivery_and_names_the_user(licenser, shop, break_it, word):
    kept = {name: getattr(shop, name) for name in break_it}
    for name, value in break_it.items():
        setattr(shop, name, value)
    order, number, _ = add(shop)
    mark = licenser.mark()
    made = shop.activate([order], send=False)
    assert is_answered(shop.deliver(made), False)
    assert USER in odd(licenser, mark, word)
    assert licenses(licenser, number) == []
    for name, value in kept.items():
        setattr(shop, name, value)
    assert is_answered(shop.deliver(made), True)
    assert len(licenses(licenser, number)) == 1


def test_a_session_that_has_run_out_is_renewed_once(licenser, shop):
    once(shop, add(shop)[0])
    shop.expire_sessions()
    order, number, _ = add(shop)
    assert is_answered(once(shop, order), True)
    assert shop.logins == [("password", None)] * 2 and len(licenses(licenser, number)) == 1
    shop.fault("item", "expired")  # between the two queries
    order, number, _ = add(shop)
    assert is_answered(once(shop, order), True)
    assert len(shop.logins) == 3 and len(licenses(licenser, number)) == 1
    shop.fault("item", "expired", times=None)  # again and again: not for ever
    mark = licenser.mark()
    assert is_answered(once(shop, add(shop)[0]), False)
    odd(licenser, mark, r"redelivery")
    assert len(shop.logins) <= 5


def test_a_session_that_has_run_out_and_a_login_that_is_refused(licenser, shop):
    once(shop, add(shop)[0])
    shop.expire_sessions()
    shop.password = "changed"
    mark = licenser.mark()
    assert is_answered(once(shop, add(shop)[0]), False)
    assert USER in odd(licenser, mark, r"invalid_grant")


@pytest.mark.parametrize("instance", ["https://evil.example", "http://salesforce.com.evil.example",
                                      "https://user@acme.my.salesforce.com", "ftp://acme.my.salesforce.com", "nonsense"])
def test_a_token_is_not_carried_elsewhere(licenser, shop, instance):
    shop.instance_url = instance
    mark = licenser.mark()
    assert is_answered(once(shop, add(shop)[0]), False)
    odd(licenser, mark, r"instance_url")
    assert shop.queries == []


# ---- who sends

def test_a_foreign_organization_is_refused(licenser, shop):
    order, number, _ = add(shop)
    once(shop, add(shop)[0])  # pins ours
    for foreign in ("00D7Q00000Foreign1", shop.organization[:14] + "x", "00Dshort", "", shop.organization.swapcase()):
        attempt = once(shop, order, organization=foreign or " ")
        assert attempt.status in (400, 403) and b"Envelope" not in attempt.body, (foreign, attempt)
        licenser.expect(r"\bQLM1003\b|\bQLM1007\b")
    assert licenses(licenser, number) == []
    assert is_answered(once(shop, order, organization=shop.organization[:15]), True)


def test_a_foreign_organization_in_the_very_first_message(licenser, shop):
    order, number, _ = add(shop)
    attempt = once(shop, order, organization="00D7Q00000Foreign1AAA"[:18])
    assert attempt.status == 403 and b"Envelope" not in attempt.body
    licenser.expect(r"\bQLM1003\b")
    assert licenses(licenser, number) == []
    assert is_answered(once(shop, order), True)


def test_the_organization_of_the_settings(licenser, shop):
    order, number, _ = add(shop)
    with licenser.properties(salesforce_organization="00D7Q00000Other1"[:15]):
        assert once(shop, order).status == 403
        licenser.expect(r"\bQLM1003\b")
        assert shop.logins == []
    with licenser.properties(salesforce_organization=shop.organization[:15]):
        assert is_answered(once(shop, order), True)


@pytest.mark.parametrize("user, password", [(USER, "wrong"), ("other", PASSWORD), ("", ""), (USER, "")])
def test_wrong_credentials(licenser, shop, user, password):
    shop.callback = callback(licenser, user, password)
    attempt = once(shop, add(shop)[0])
    assert attempt.status == 403 and b"Envelope" not in attempt.body
    licenser.expect(r"\bQLM1003\b")
    assert shop.requests == []


def test_a_pair_of_its_own_for_the_url(licenser, shop):
    licenser.ctl("vendor", "set", "salesforce", "callback_user=sfhook", "callback_password=-", stdin="k3lp-callback\n")
    try:
        shop.callback = callback(licenser)
        assert once(shop, add(shop)[0]).status == 403
        licenser.expect(r"\bQLM1003\b")
        shop.callback = callback(licenser, "sfhook", "k3lp-callback")
        order, number, _ = add(shop)
        assert is_answered(once(shop, order), True)
        assert len(licenses(licenser, number)) == 1
        holds_no_secret(licenser, "k3lp-callback")
    finally:
        licenser.ctl("vendor", "set", "salesforce", "callback_user=", "callback_password=-", stdin="\n", check=False)
        licenser.change("UPDATE qlm_vendor SET callback_user = '', callback_verifier = '' WHERE name = 'salesforce'")
        licenser.change("UPDATE qlm_site SET revision = revision + 1")


def test_nothing_in_the_message_is_called_or_used(licenser, shop):
    trap = HookReceiver()
    try:
        order, number, _ = add(shop)
        body = shop.message([(n.id, n.order_id) for n in shop.activate([order], send=False)], session="00D!stolen.session")
        body = body.replace(shop.url.encode(), trap.url("").encode())
        assert is_answered(shop.post(body), True)
        assert trap.received == [] and len(licenses(licenser, number)) == 1
        holds_no_secret(licenser, "stolen.session")
    finally:
        trap.close()


def test_a_forged_order_id(licenser, shop):
    shop.activate([add(shop)[0]], send=False)
    mark = licenser.mark()
    attempt = shop.post(shop.message([(shop.new_id("04l"), shop.new_id("801"))]))
    assert is_answered(attempt, True)
    odd(licenser, mark, r"no such order")
    queries = len(shop.queries)
    for forged in ("801' OR Id != '", "8017Q000005Zx1QAAS'--", "%27", "8017Q000005Zx1\u00e4", "x" * 300, "801"):
        mark = licenser.mark()
        assert is_answered(shop.post(shop.message([(shop.new_id("04l"), forged)])), True)
        odd(licenser, mark, r"left out")
    assert len(shop.queries) == queries


def test_an_order_that_is_not_activated(licenser, shop):
    order, number, _ = add(shop)
    mark = licenser.mark()
    assert is_answered(shop.post(shop.message([(shop.new_id("04l"), order)])), True)
    odd(licenser, mark, r"not activated")
    assert licenses(licenser, number) == []


# ---- messages that are none

def bad_messages(shop):
    good = shop.message([(shop.new_id("04l"), shop.new_id("801"))])
    yield "empty", b""
    yield "text", b"hello"
    yield "cut", good[:-30]
    yield "dtd", good.replace(b"<soapenv:Envelope", b'<!DOCTYPE x [<!ENTITY a "b">]>\n<soapenv:Envelope', 1)
    yield "bomb", good.replace(b"<soapenv:Envelope", b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c + 1, c, c, c, c) for c in range(97, 115)) + b"]>\n<soapenv:Envelope", 1)
    yield "external", good.replace(b"<soapenv:Envelope", b'<!DOCTYPE x SYSTEM "file:///etc/passwd">\n<soapenv:Envelope', 1)
    yield "101", shop.message([(shop.new_id("04l"), shop.new_id("801")) for _ in range(101)])
    yield "no notification", shop.message([])
    yield "another soap", b'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>' \
                          b'<login xmlns="urn:x"/></e:Body></e:Envelope>'
    yield "no organization", good.replace(b"OrganizationId>", b"OtherId>")
    yield "deep", good.replace(b"<ActionId>", b"<a>" * 5000 + b"</a>" * 5000 + b"<ActionId>")
    yield "html", b"<!DOCTYPE html><html><body>hi</body></html>"
    yield "nul", good.replace(b"Activated", b"Acti\0vated").replace(b"<ActionId>", b"<ActionId>\0")
    yield "attributes", good.replace(b"<ActionId", b"<ActionId " + b" ".join(b'a%d=""' % i for i in range(40000)), 1)


def test_messages_that_are_none(licenser, shop):
    for name, body in bad_messages(shop):
        mark, began = licenser.mark(), time.monotonic()
        attempt = shop.post(body)
        assert attempt.status == 400, (name, attempt, attempt.body)
        assert b"Envelope" not in attempt.body
        assert time.monotonic() - began < 1, name
        licenser.expect(r"\bQLM1007\b")
        assert len(licenser.lines_since(mark, r"QLM1007")) == 1, name
    assert shop.requests == []


def test_a_body_of_two_megabytes(licenser, shop):
    body = shop.message([(shop.new_id("04l"), shop.new_id("801"))])
    attempt = shop.post(body + b" " * (2 << 20))
    assert attempt.status in (400, 413) or attempt.error, attempt
    licenser.expect(r"\bQLM1004\b|\bQLM1007\b")
    assert shop.requests == []


def test_fields_that_are_missing_or_nil(licenser, shop):
    order, number, _ = add(shop)
    shop.activate([order], send=False)
    good = shop.message([(shop.new_id("04l"), order)])
    id_field = b"<sf:Id>%s</sf:Id>" % order.encode()
    assert id_field in good
    for bad in (good.replace(id_field, b""), good.replace(id_field, b'<sf:Id xsi:nil="true"/>'),
                good.replace(id_field, b"<sf:Id></sf:Id>"), good.replace(b'xsi:type="sf:Order"', b'xsi:type="sf:Account"')):
        mark = licenser.mark()
        assert is_answered(shop.post(bad), True)
        odd(licenser, mark, r"left out")
    assert licenses(licenser, number) == []
    # only the id is needed
    thin = good.replace(b"<sf:Status>Activated</sf:Status>", b'<sf:Status xsi:nil="true"/>').replace(
        b"<sf:OrderNumber>%s</sf:OrderNumber>" % number.encode(), b"")
    assert is_answered(shop.post(thin), True)
    assert len(licenses(licenser, number)) == 1


def test_a_get_request(licenser, shop):
    answer = call(licenser, METHOD, {"is_vendor": "salesforce", "is_user": USER, "is_pwd": PASSWORD})
    assert answer.status == 400, answer
    licenser.expect(r"\bQLM1007\b")


# ---- answers that are none

@pytest.mark.parametrize("where", ["token", "order", "item"])
def test_answers_that_are_none_ask_for_redelivery(licenser, where):
    for kind in ("unavailable", "limit", "html", "nested", "truncated", "empty", "huge", "redirect", "drop", "rights",
                 "malformed", "missing"):
        with organization() as shop:
            introduce(licenser, shop)
            order, number, _ = add(shop)
            made = shop.activate([order], send=False)
            # a connection that is dropped may be tried anew at once: a dropped one is dropped for a while
            fault = shop.fault(where, kind, times=None if kind == "drop" else 1)
            mark = licenser.mark()
            assert is_answered(shop.deliver(made), False), (where, kind)
            assert fault.hits >= 1
            odd(licenser, mark, r"redelivery")
            assert licenses(licenser, number) == []
            shop.clear_faults()
            assert is_answered(shop.deliver(made), True), (where, kind)
            assert len(licenses(licenser, number)) == 1


def test_a_limit_in_the_middle_of_a_batch(licenser, shop):
    """Example F2: what is done stays done."""
    first, second = add(shop), add(shop)
    made = shop.activate([first[0], second[0]], send=False)
    shop.fault("item", "limit", orders=[second[0]])
    licenser.expect(r"\bQLM1009\b")
    assert is_answered(shop.deliver(made), False)
    key, = licenses(licenser, first[1])
    assert licenses(licenser, second[1]) == []
    assert is_answered(shop.deliver(made), True)
    assert [r["activation_key"] for r in licenses(licenser, first[1])] == [key["activation_key"]]
    assert len(licenses(licenser, second[1])) == 1


def test_salesforce_that_is_not_there(licenser, shop):
    order, number, _ = add(shop)
    made = shop.activate([order], send=False)
    licenser.ctl("vendor", "set", "salesforce", "url=http://127.0.0.1:9")
    mark = licenser.mark()
    assert is_answered(shop.deliver(made), False)
    odd(licenser, mark, r"redelivery")
    assert licenses(licenser, number) == []


def test_slow_answers_hold_up_nobody_else(licenser, shop):
    shop.fault("order", "slow", seconds=3.0)
    order, number, _ = add(shop)
    results = []
    sender = threading.Thread(target=lambda: results.append(once(shop, order)))
    sender.start()
    time.sleep(0.3)
    for _ in range(20):
        began = time.monotonic()
        assert call(licenser, "PingHttp").status == 200
        answer = call(licenser, "GetActivationKey", {
            "is_vendor": "QlmAuthenticationProvider", "is_productid": "1", "is_majorversion": "1", "is_minorversion": "0",
            "is_user": "shop", "is_pwd": "Sesam-0pen"})
        assert answer.licenses
        assert time.monotonic() - began < 0.5
    sender.join()
    assert is_answered(results[0], True) and results[0].seconds >= 3


def test_many_pages(licenser, shop):
    shop.page_size = 3
    order, number, _ = add(shop, *[("001", 1)] * 10)
    assert is_answered(once(shop, order), True)
    assert len(licenses(licenser, number)) == 10
    order, number, _ = add(shop, *[("001", 1)] * 10)
    shop.fault("page", "unavailable")
    licenser.expect(r"\bQLM1009\b")
    made = shop.activate([order], send=False)
    assert is_answered(shop.deliver(made), False)
    assert licenses(licenser, number) == []
    assert is_answered(shop.deliver(made), True)
    assert len(licenses(licenser, number)) == 10


# ---- odd orders

@pytest.mark.parametrize("quantity", [0, 2.5, 10**6, -1, None, "2", 1e300])
def test_odd_quantities(licenser, shop, quantity):
    order, number, _ = add(shop, ("001", 1), ("001", quantity), ("002", 1))
    mark = licenser.mark()
    assert is_answered(once(shop, order), True)
    assert "quantity" in odd(licenser, mark, shop.item_ids(order)[1])
    assert sorted(r["product_id"] for r in licenses(licenser, number)) == [1, 2]


CODES = ["A'B", 'say "hi"', "100%", "%41", "a&b=c", "x&is_productid=2", "é/ü", "a b", "..", "001'--", "%s%n", "A" * 80]


def test_product_codes_are_keys_of_a_look_up_and_nothing_else(licenser, shop):
    for code in CODES:
        order, number, _ = add(shop, (code, 1))
        mark = licenser.mark()
        assert is_answered(once(shop, order), True), code
        odd(licenser, mark, r"left out")
        assert licenses(licenser, number) == [], code
        licenser.ctl("property", "set", "salesforce_pid_" + code, MAPPING)
        assert is_answered(once(shop, order), True), code
        row, = licenses(licenser, number)
        assert row["product_id"] == 1, code
    assert not [q for q in shop.queries if any(code in q for code in CODES[:-5])]


def test_mappings_are_query_strings(licenser, shop, server):
    licenser.ctl("property", "set", "salesforce_pid_Q1",
                 MAPPING.replace(" ", "+") + "&is_userdata1=a%2Bb%26c%2541+d&is_features=0:3")
    order, number, address = add(shop, ("Q1", 1))
    assert is_answered(once(shop, order), True)
    row, = licenses(licenser, number)
    assert row["user_data"] == "a+b&c%41 d" and row["features"].startswith("0:3")
    assert server.wait_for(address)


def test_a_mapping_that_leads_nowhere_holds_up_no_other_item(licenser, shop):
    licenser.ctl("property", "set", "salesforce_pid_BAD", "&is_productid=77&is_majorversion=1&is_minorversion=0")
    order, number, _ = add(shop, ("BAD", 1), ("001", 1))
    mark = licenser.mark()
    assert is_answered(once(shop, order), True)
    odd(licenser, mark, r"unknown product 77")
    assert len(licenses(licenser, number)) == 1


# ---- customers

def test_which_contact_is_written_to(licenser, shop, server):
    def addresses(order):
        once(shop, order[0])
        return [r["target"] for r in rows(licenser, order[1])]
    both = add(shop, bill_to=person("Bill", "Payer", "bill@acme.example"))
    assert addresses(both) == [both[2]]
    with licenser.properties(salesforce_contact="billto"):
        assert addresses(add(shop, bill_to=person("Bill", "Payer", "bill@acme.example"))) == ["bill@acme.example"]
        nobody = add(shop)
        assert addresses(nobody) == [nobody[2]]
    assert addresses(add(shop, contact=None, bill_to=person("Bill", "Payer", "bill2@acme.example"))) == ["bill2@acme.example"]


@pytest.mark.parametrize("contact", [None, person("Ada", "Byron", None), person("Ada", "Byron", ""),
                                     person(None, "Byron", "ada@acme.example\r\nBcc: spy@evil.example"),
                                     person("Ada", "Byron", "a@b.example,c@d.example"), person("Ada", "Byron", "@")])
def test_a_customer_who_cannot_be_written_to_still_gets_a_license(licenser, shop, contact):
    order, number, _ = add(shop, contact=contact, account="Acme Ltd " + order_number())
    mark = licenser.mark()
    assert is_answered(once(shop, order), True)
    odd(licenser, mark, r"mailed to nobody")
    row, = licenses(licenser, number)
    assert row["customer_id"] and rows(licenser, number) == []


@pytest.mark.parametrize("hidden", [{"BillToContact"}, {"CustomerAuthorizedBy"}, {"BillToContact", "CustomerAuthorizedBy"},
                                    {"Description"}, {"PricebookEntry"}, {"BillingState"}])
def test_fields_that_our_user_may_not_see(licenser, shop, hidden):
    shop.hidden = hidden
    order, number, _ = add(shop, bill_to=person("Bill", "Payer", "bill@acme.example"))
    licenser.allow(r"\bQLM1009\b")
    assert is_answered(once(shop, order), True)
    assert len(licenses(licenser, number)) == 1
    assert len(rows(licenser, number)) == (0 if len(hidden) == 2 else 1)


def test_names_of_the_world(licenser, shop, server):
    order, number, address = add(shop, contact=None, account="Łódź <b>&amp;</b>")
    shop.orders[order[:15]]["CustomerAuthorizedBy"] = dict(person("芽衣", "Żółć", address), Id=shop.new_id("003"))
    assert is_answered(once(shop, order), True)
    mail, = server.wait_for(address)
    assert "芽衣 Żółć" in mail.text and mail.defects == []


def test_names_with_line_breaks(licenser, shop, server):
    order, number, address = add(shop)
    contact = dict(person("Ada\r\nBcc: spy@evil.example", "By\nron<script>", address), Id=shop.new_id("003"))
    shop.orders[order[:15]]["CustomerAuthorizedBy"] = contact
    assert is_answered(once(shop, order), True)
    mail, = server.wait_for(address)
    assert mail.recipients == [address] and "bcc" not in map(str.lower, mail.message.keys())
    assert "<script" not in mail.html


# ---- the database

def test_a_database_that_refuses_asks_for_redelivery(new_site, server):
    site = new_site(server=trust(server), start=False)
    use_mail(site, server)
    site.ctl("property", "set", "salesforce_pid_001", MAPPING)
    with organization() as shop:
        introduce(site, shop)
        site.start()
        assert is_answered(once(shop, add(shop)[0]), True)
        order, number, address = add(shop)
        made = shop.activate([order], send=False)
        engines.add_trigger(site.database, "no_mail", "BEFORE INSERT", "qlm_outbox")
        site.expect(r"QLM10\d\d")
        site.allow(r"QLM")
        attempt = shop.deliver(made)
        assert not attempt.acknowledged, attempt
        assert licenses(site, number) == []  # all or nothing
        engines.drop_trigger(site.database, "no_mail")
        assert is_answered(shop.deliver(made), True)
        assert len(licenses(site, number)) == 1
        assert len(server.wait_for(address)) == 1


# ---- secrets

def test_secrets_are_nowhere(licenser, shop, server):
    order, number, address = add(shop)
    once(shop, order)
    tokens = list(shop._sessions)
    assert tokens
    server.wait_for(address)
    holds_no_secret(licenser, MAIL_PASSWORD, PASSWORD, urllib.parse.quote_plus(PASSWORD), urllib.parse.quote(PASSWORD),
                    SECRET, shop.client_id, *tokens)
    shown = licenser.ctl("vendor", "show", "salesforce").stdout + licenser.ctl("vendor", "list").stdout
    for secret in (PASSWORD, SECRET, shop.client_id):
        assert secret not in shown
