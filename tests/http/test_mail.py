"""Mails of orders, as a mail server receives them and Python's own library reads them."""
import datetime

import pytest
from lxml import etree

from client import call, order, order_number, plain_refusal, xml_refusal
from outside import MAIL_PASSWORD, MAIL_USER, SENDER, TEMPLATE, MailServer, holds_no_secret, mailing_site, make_due, \
    rows, secure_mail_server, set_template, settled, trust, use_mail

@pytest.fixture(scope="module")
def server():
    made = secure_mail_server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailer(template, server):
    with mailing_site(template, server, smtpFromDisplayName="Müller & Söhne, Lizenzen") as site:
        yield site


def customer(number):
    return "c%s@buyer.example" % number


def cb_form(number, **more):
    return {"PURCHASE_ID": number, "RUNNING_NO": "1", "PRODUCT_ID": "88120", "QUANTITY": "1", "FIRSTNAME": "Ada",
            "LASTNAME": "Byron", "EMAIL": customer(number), **more}


def buy(site, number=None, template=TEMPLATE, url=(), **form):
    """An order through Cleverbridge's form, which names a customer. Returns its number and key."""
    number = number or order_number()
    answer = call(site, "GetActivationKeyWithExpiryDate",
                  order("cleverbridge", is_emailtemplate=template, **dict(url)), cb_form(number, **form))
    assert answer.status == 200, answer
    return number, answer.text


def bought(site, server, *arguments, **more):
    """The same, and the mail that it caused."""
    number, keys = buy(site, *arguments, **more)
    mail, = server.wait_for(customer(number))
    assert mail.defects == [], mail.defects
    return number, keys, mail


def test_a_mail_hands_over_the_key(mailer, server):
    number, key, mail = bought(mailer, server)
    assert (mail.sender, mail.recipients) == (SENDER, [customer(number)])
    assert mail.tls and mail.user == MAIL_USER
    assert mail.mailboxes("From") == [("Müller & Söhne, Lizenzen", SENDER)]
    assert mail.mailboxes("To") == [("", customer(number))]
    assert mail.message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in mail.message.iter_parts()] == ["text/plain", "text/html"]
    assert [p.get_content_charset() for p in mail.message.iter_parts()] == ["utf-8", "utf-8"]
    assert mail.keys == [key] and key in mail.html
    assert number in mail.subject and number in mail.text and number in mail.html
    assert "Ada Byron" in mail.text and "Demo 1.0" in mail.text
    sent = email_date(mail)
    assert abs((datetime.datetime.now(datetime.timezone.utc) - sent).total_seconds()) < 60
    assert mail.header("MIME-Version").startswith("1.0")
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert mail.id.startswith("<") and mail.id.endswith("@publisher.example>")
    seen = settled(mailer, number, "sent")
    assert (seen["attempts"], seen["last_error"]) == (1, "") and seen["finished_at"] > 0


def email_date(mail):
    return mail.message["Date"].datetime


def test_the_wire_form_is_what_any_mail_server_takes(mailer, server):
    _, _, mail = bought(mailer, server, LASTNAME="Żółć " * 25)
    assert mail.raw.isascii() and b"\0" not in mail.raw
    lines = mail.raw.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert max(len(line) for line in lines if b"boundary=" not in line) <= 78
    assert b"\n" not in mail.raw.replace(b"\r\n", b"") and b"\r" not in mail.raw.replace(b"\r\n", b"")


def test_one_mail_has_all_keys_of_the_order(mailer, server):
    number, keys, mail = bought(mailer, server, url={"is_usemultipleactivationskey": "false"}, QUANTITY="7")
    licenses = mailer.query("SELECT activation_key FROM qlm_license WHERE order_ref = ?", number)
    assert len(licenses) == 7
    assert sorted(k.replace("-", "") for k in mail.keys) == sorted(r["activation_key"] for r in licenses)
    assert all(mail.html.count(key) == 1 for key in mail.keys)
    settled(mailer, number, "sent")
    assert len(server.to(customer(number))) == 1 and len(rows(mailer, number)) == 1


def test_one_hundred_keys_in_one_mail(mailer, server):
    number, _, mail = bought(mailer, server, url={"is_usemultipleactivationskey": "false"}, QUANTITY="100")
    assert len(set(mail.keys)) == 100 and all(key in mail.html for key in mail.keys)


def test_a_repeated_order_sends_no_second_mail(mailer, server):
    number, key, first = bought(mailer, server)
    settled(mailer, number, "sent")
    with mailer.unchanged():
        assert buy(mailer, number) == (number, key)
    assert len(rows(mailer, number)) == 1


NAMES = [("Zoë", "Müller"), ("Łukasz", "Żółć"), ("芽衣", "田中"), ("Ναυσικά", "Ωραία"), ("O'Brien", "\"Quote\" & <Sons>"),
         ("🔑", "=?utf-8?Q?fake?="), ("x" * 70, "é" * 70), ("a=b", "100%")]


def test_names_of_the_world(mailer, server):
    set_template(mailer, "Names", "For %FullName%", "<p>[%FullName%]</p>", "[%FullName%]")
    numbers = [buy(mailer, template="Names", FIRSTNAME=first, LASTNAME=last)[0] for first, last in NAMES]
    for number, (first, last) in zip(numbers, NAMES):
        mail, = server.wait_for(customer(number))
        name = first + " " + last
        assert mail.defects == []
        assert mail.subject == "For " + name
        assert mail.text.strip() == "[%s]" % name
        assert lxml_text(mail.html) == "[%s]" % name
        assert mail.raw.isascii()


def lxml_text(html):
    return "".join(etree.HTML(html).itertext()).strip()


def test_latin1_from_a_shop_becomes_proper_mail(mailer, server):
    number = order_number()
    body = ("PURCHASE_ID=%s&RUNNING_NO=1&PRODUCT_ID=300555001&QUANTITY=1&FIRSTNAME=Zo%%EB&LASTNAME=M%%FCller"
            "&EMAIL=%s" % (number, customer(number).replace("@", "%40"))).encode()
    answer = call(mailer, "GetActivationKey", order("shareit", is_emailtemplate=TEMPLATE), body)
    assert answer.status == 200, answer
    mail, = server.wait_for(customer(number))
    assert "Zoë Müller" in mail.text and "Zoë Müller" in mail.html
    assert mail.keys == [answer.text]


# ---- what an order cannot do to a mail

def test_fields_inject_neither_html_nor_variables(mailer, server):
    evil = "<script>alert(1)</script><b title='x\">%ActivationKey% %ItemTemplate% & %OrderID%"
    set_template(mailer, "Evil", "x %Company% y", "<p title=\"%Company%\">%Company%</p>", "%Company%")
    _, key, mail = bought(mailer, server, template="Evil", COMPANY=evil)
    assert mail.text.strip() == evil
    assert key not in mail.html and key not in mail.text and key not in mail.subject
    assert "<script" not in mail.html and "<b " not in mail.html
    paragraph, = etree.HTML(mail.html).iter("p")
    assert paragraph.text == evil and paragraph.attrib == {"title": evil} and len(paragraph) == 0


def test_fields_inject_no_header(mailer, server):
    set_template(mailer, "Lines", "Hello %FullName%", "<p>%FullName%</p>", "%FullName%")
    cuts = ["\r\n", "\n", "\r", "\r\n\r\n", "\x0b", "\u2028", "\x85", "=0D=0A", "?=\r\n"]
    numbers = [buy(mailer, template="Lines", LASTNAME="Byron" + cut + "Bcc: spy@evil.example")[0] for cut in cuts]
    for number in numbers:
        mail, = server.wait_for(customer(number))
        assert mail.recipients == [customer(number)]
        assert "bcc" not in [k.lower() for k in mail.message.keys()]
        assert mail.subject.startswith("Hello Ada Byron")
        assert mail.raw.split(b"\r\n\r\n")[0].count(b"\nBcc") == 0


BAD_ADDRESSES = [
    "ada@byron.example\r\nRCPT TO:<spy@evil.example>", "ada@byron.example\nBcc: spy@evil.example",
    "ada@byron.example, spy@evil.example", "<ada@byron.example> SIZE=1", "ada@byron.example>", "ada", "@", "a b@c.example",
    "ada@byron..example", "x" * 65 + "@byron.example", "ada@byron.example;spy@evil.example"]


def test_an_address_that_is_none_gets_no_mail_but_keys(mailer, server):
    before = server.mark()
    mailer.allow(r"\bQLM1009\b")
    for address in BAD_ADDRESSES:
        mark = mailer.mark()
        number, key = buy(mailer, EMAIL=address)
        assert key and rows(mailer, number) == [], address
        assert mailer.lines_since(mark, r"no mail was sent"), address
    bought(mailer, server)  # what came after them is there, they are not
    assert len(server.mails(before)) == 1


def test_without_an_address_a_line_of_the_log_says_so(mailer):
    mark = mailer.mark()
    mailer.allow(r"\bQLM1009\b")
    number, _ = buy(mailer, EMAIL="")
    assert rows(mailer, number) == []
    assert mailer.lines_since(mark, r"no mail was sent.*e-mail")


# ---- whether, in which language, by which template

def test_no_mail_is_sent_unless_asked_for(mailer):
    for template, url in ((None, {}), ("", {}), (TEMPLATE, {"is_send_mail": "false"}),
                          (TEMPLATE, {"is_sendmail": "0"})):
        number, _ = buy(mailer, template=template, url=url)
        assert rows(mailer, number) == []


def test_a_template_that_is_not_there(mailer):
    mark = mailer.mark()
    mailer.allow(r"\bQLM1009\b")
    number, key = buy(mailer, template="9. Nothing of the kind")
    assert key and rows(mailer, number) == []
    line, = mailer.lines_since(mark, r"there is no template")
    assert "9. Nothing of the kind" in line.text


def test_a_template_whose_name_is_two_lines(mailer):
    answer = call(mailer, "GetActivationKeyWithExpiryDate", order("cleverbridge", is_emailtemplate="1. New\r\nOrder"),
                  cb_form(order_number()))
    assert "is_emailtemplate" in plain_refusal(mailer, answer, 400)


def test_the_language_asked_for(mailer, server):
    numbers = [buy(mailer, url={"is_locale": language})[0] for language in ("en", "de", "xx")]
    english, german, other = [server.wait_for(customer(number))[0] for number in numbers]
    assert "Thank you" in english.text and "Vielen Dank" in german.text
    assert other.keys  # some language is better than no mail


def test_names_of_templates_are_compared_without_case(mailer, server):
    assert bought(mailer, server, template="1. new ORDER")[2].keys


def test_a_stored_template_wins_over_the_built_in_one(mailer, server):
    set_template(mailer, TEMPLATE, "Ours %OrderID%", "<p>%ActivationKey%</p>")
    try:
        number, key, mail = bought(mailer, server)
        assert mail.subject == "Ours " + number
        assert mail.text.split() == [key]  # made from the HTML
    finally:
        mailer.change("DELETE FROM qlm_template WHERE name = ?", TEMPLATE)


def test_repetition_and_variables(mailer, server):
    set_template(mailer, "All", "%OrderID%/%ProductName%",
                 "<p>%FullName%|%Email%|%Company%|%City%|%Zip%|%Country%|%Phone%</p><ul>"
                 "%ItemTemplate%<li>%ActivationKey% %NumLicenses% %EnabledFeatures%</li>%ItemTemplate%</ul>",
                 "%itemtemplate%* %activationkey% %PRODUCTNAME% %MajorVersion%.%MinorVersion%\n%itemtemplate%")
    number, _, mail = bought(
        mailer, server, template="All", url={"is_usemultipleactivationskey": "false", "is_features": "0:3"},
        QUANTITY="2", COMPANY="Engine & Co", CITY="London", ZIP="W1", COUNTRY="United Kingdom", PHONE="1815")
    assert mail.subject == number + "/Demo"
    first, second = mail.keys
    assert mail.text.split("\n")[:2] == ["* %s Demo 1.0" % first, "* %s Demo 1.0" % second]
    assert "Ada Byron|%s|Engine &amp; Co|London|W1|United Kingdom|1815" % customer(number) in mail.html
    assert "<li>%s 1 0:3" % first in mail.html and "<li>%s 1 0:3" % second in mail.html


def test_unknown_variables_stay_and_are_reported(mailer, server):
    set_template(mailer, "Unknown", "s", "<p style=\"width: 50%\">%NoSuchThing% 100%</p>", "%NoSuchThing% 50% %% %")
    mark = mailer.mark()
    mailer.allow(r"\bQLM1009\b")
    _, _, mail = bought(mailer, server, template="Unknown")
    assert mail.text.strip() == "%NoSuchThing% 50% %% %"
    assert mailer.lines_since(mark, r"unknown variables: NoSuchThing")


def test_lines_that_begin_with_dots_and_from(mailer, server):
    set_template(mailer, "Dots", "s", "<p>x</p>", ".\n..\n.QUIT\nFrom here\n%Company%\nend")
    _, _, mail = bought(mailer, server, template="Dots", COMPANY=".")
    assert mail.text.rstrip("\n") == ".\n..\n.QUIT\nFrom here\n.\nend"


# ---- copies

def test_copies_and_hidden_copies(mailer, server):
    with mailer.properties(sendMailCc="sales@publisher.example, boss@publisher.example",
                           sendMailBcc="archive@publisher.example;log@publisher.example"):
        number, _, mail = bought(mailer, server)
    assert sorted(mail.recipients) == sorted([customer(number), "sales@publisher.example", "boss@publisher.example",
                                              "archive@publisher.example", "log@publisher.example"])
    assert [a for _, a in mail.mailboxes("Cc")] == ["sales@publisher.example", "boss@publisher.example"]
    assert b"archive@" not in mail.raw and b"log@publisher" not in mail.raw
    assert len(server.to(customer(number))) == 1


def test_an_unusable_copy_is_left_out(mailer, server):
    mark = mailer.mark()
    mailer.allow(r"\bQLM1009\b")
    with mailer.properties(sendMailCc="good@publisher.example;bad one", sendMailBcc="<x>@y"):
        number, _, mail = bought(mailer, server)
    assert sorted(mail.recipients) == sorted([customer(number), "good@publisher.example"])
    assert mailer.lines_since(mark, r"sendMailCc.*bad one") and mailer.lines_since(mark, r"sendMailBcc")


def test_a_copy_that_is_refused_does_not_keep_the_customer_from_the_key(mailer, server):
    with mailer.properties(sendMailCc="gone@publisher.example,here@publisher.example"), \
            server.mode("refuse gone@publisher.example"):
        number, key, mail = bought(mailer, server)
        settled(mailer, number, "sent", 1)
    assert sorted(mail.recipients) == sorted([customer(number), "here@publisher.example"])
    assert mail.keys == [key]


# ---- the connection

def test_a_certificate_of_somebody_else_gets_neither_password_nor_mail(new_site, server):
    stranger = secure_mail_server()
    try:
        site = new_site(start=False)  # does not know the certificate
        use_mail(site, stranger)
        site.start()
        number, key = buy(site)
        seen = settled(site, number, "waiting", 1)
        assert "certificate" in seen["last_error"].lower() or "ssl" in seen["last_error"].lower(), seen
        assert stranger.mails() == []
        holds_no_secret(site, MAIL_PASSWORD)
    finally:
        stranger.close()


def test_a_server_without_starttls_gets_nothing_where_encryption_is_asked_for(new_site):
    plain = MailServer("--user", MAIL_USER, "--password", MAIL_PASSWORD)
    try:
        site = new_site(start=False)
        use_mail(site, plain, smtpEnableSSL="true")
        site.start()
        number, _ = buy(site)
        seen = settled(site, number, "waiting", 1)
        assert seen["last_error"] and plain.mails() == []
    finally:
        plain.close()


def test_a_plain_server_in_the_house(new_site):
    plain = MailServer()
    try:
        site = new_site(start=False)
        use_mail(site, plain)
        site.start()
        number, key, mail = bought(site, plain)
        assert mail.keys == [key] and not mail.tls and mail.user is None
    finally:
        plain.close()


def test_mails_wait_until_there_is_a_mail_server(new_site, server):
    site = new_site(server=trust(server))
    number, key = buy(site)
    seen = settled(site, number, "waiting", 1)
    assert "smtpServer" in seen["last_error"]
    use_mail(site, server)
    make_due(site)
    mail, = server.wait_for(customer(number))
    assert mail.keys == [key] and mail.sender == SENDER
    assert mail.mailboxes("From") == [("", SENDER)]
    assert mail.defects == []


def test_a_refused_order_sends_no_mail(mailer, server):
    before = len(rows(mailer))
    answer = call(mailer, "GetActivationKey", order(is_productid="77", is_emailtemplate=TEMPLATE))
    xml_refusal(mailer, answer, answer.code)
    assert len(rows(mailer)) == before


def test_the_password_of_the_mail_server_is_nowhere(mailer, server):
    bought(mailer, server)
    holds_no_secret(mailer, MAIL_PASSWORD)
    shown = mailer.ctl("property", "get", "smtpPassword", check=False)
    assert MAIL_PASSWORD not in shown.stdout + shown.stderr
    assert MAIL_PASSWORD not in mailer.ctl("property", "list").stdout


# ---- the operator's hand

def test_a_template_from_a_file(mailer, server, tmp_path):
    page = tmp_path / "order.html"
    page.write_text("<p>Für %FullName%:</p>%ItemTemplate%<p>%ActivationKey%</p>%ItemTemplate%", encoding="utf-8")
    mailer.ctl("template", "set", "From a file", "--subject", "Schlüssel %OrderID%", "--html", page)
    number, key, mail = bought(mailer, server, template="from a FILE")
    assert mail.subject == "Schlüssel " + number
    assert mail.keys == [key] and "Für Ada Byron" in mail.text
    mailer.ctl("template", "remove", "From a file")
    mailer.allow(r"\bQLM1009\b")
    assert rows(mailer, buy(mailer, template="From a file")[0]) == []


def test_a_test_mail(mailer, server):
    said = mailer.ctl("mail", "test", "operator@publisher.example", "--ca-file", server.certificate, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    mail, = server.wait_for("operator@publisher.example")
    assert mail.defects == [] and mail.tls and mail.user == MAIL_USER
    with server.mode("refuse-login"):
        said = mailer.ctl("mail", "test", "operator@publisher.example", "--ca-file", server.certificate, check=False)
    assert said.returncode == 1 and MAIL_PASSWORD not in said.stdout + said.stderr
