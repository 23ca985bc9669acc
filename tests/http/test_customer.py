"""UpdateUserInformation: customers by the fields of their shops, licenses linked, addresses moved."""
import contextlib
import json

import pytest

from client import (CREDENTIALS, activate, call, issue, kept, normal, order, order_number, plain_refusal, storm,
                    xml_refusal)

SINK = "http://127.0.0.1:9/"  # nobody listens: what is looked at is the row that waits


def update(site, fields=None, vendor="QlmAuthenticationProvider", **more):
    query = {"is_vendor": vendor, **CREDENTIALS, **more}
    return call(site, "UpdateUserInformation", query, fields or {})


def address():
    return "c%s@customer.example" % order_number()


def customer(site, email):
    found = site.query("SELECT * FROM qlm_customer WHERE email_key = ?", email.lower())
    assert len(found) <= 1
    return found[0] if found else None


def owner(site, key):
    return site.query("SELECT c.* FROM qlm_customer c JOIN qlm_license l ON l.customer_id = c.id"
                      " WHERE l.activation_key = ?", normal(key))[0]


def events(site, customer_id):
    return [r["event"] for r in site.query("SELECT event FROM qlm_history WHERE customer_id = ? AND license_id = 0"
                                           " ORDER BY id", customer_id)]


@contextlib.contextmanager
def webhooks(site):
    """The events that a block tells of, about customers: pairs of name and CustomerInfo."""
    names = ("customer_created", "customer_modified", "customer_deleted")
    with site.properties(webHooksEnabled="true", **{name: SINK for name in names}):
        last = site.query("SELECT COALESCE(MAX(id), 0) AS id FROM qlm_outbox")[0]["id"]
        told = []
        yield told
        for row in site.query("SELECT payload FROM qlm_outbox WHERE id > ? AND kind = 'webhook' ORDER BY id", last):
            payload = json.loads(row["payload"])
            told.append((payload["Event"], payload["CustomerInfo"]))
        site.change("DELETE FROM qlm_outbox WHERE id > ?", last)


FIELDS = {"name": "Ann Buyer", "company": "Buyer & Söhne <GmbH>", "phone": "+49 1", "addr1": "Street 1",
          "addr2": "Back yard", "city": "Köln", "state": "NRW", "zip": "50667", "country": "DE",
          "CustomerNotes": "calls on Mondays", "fax": "2", "mobile": "3", "ipaddress": "192.0.2.7"}


def test_added_then_updated(any_site):
    email = address()
    answer = update(any_site, {"email": email, **FIELDS}, is_externaluserid="U-1", is_userdata1="data",
                    is_affiliateid="partners")
    row = customer(any_site, email)
    assert answer.field("result") == "Customer %d was added successfully." % row["id"]
    assert (row["full_name"], row["company"], row["phone"], row["address1"], row["address2"], row["city"],
            row["state"], row["zip"], row["country"], row["notes"], row["fax"], row["mobile"], row["ip_address"]) == (
        "Ann Buyer", "Buyer & Söhne <GmbH>", "+49 1", "Street 1", "Back yard", "Köln", "NRW", "50667", "DE",
        "calls on Mondays", "2", "3", "192.0.2.7")
    assert (row["external_id"], row["user_data"], row["affiliate_id"]) == ("U-1", "data", "partners")
    assert row["created_at"] == row["modified_at"] > 0
    assert (row["privacy_consent"], row["include_in_mail_list"]) == (-1, -1)
    answer = update(any_site, {"email": email.upper(), "city": "Bonn"})
    assert answer.field("result") == "Customer %d was updated successfully." % row["id"]
    after = customer(any_site, email)
    assert {k for k in row if row[k] != after[k]} - {"modified_at"} == {"city"}
    assert events(any_site, row["id"]) == ["customer_created", "customer_modified"]
    changes = any_site.query("SELECT * FROM qlm_history WHERE customer_id = ? ORDER BY id", row["id"])
    assert json.loads(changes[1]["changes"]) == {"City": ["Köln", "Bonn"]}
    assert changes[1]["method"] == "UpdateUserInformation" and changes[1]["address"] == "127.0.0.1"


def test_the_same_again_changes_nothing(site):
    email = address()
    key = issue(site)
    assert update(site, {"email": email, **FIELDS}, is_avkey=key).error is None
    before = [site.query("SELECT * FROM qlm_" + t) for t in ("customer", "history", "outbox")]
    assert "was updated" in update(site, {"email": email, **FIELDS}, is_avkey=key).field("result")
    assert before == [site.query("SELECT * FROM qlm_" + t) for t in ("customer", "history", "outbox")]


def test_many_at_once_make_one(site):
    email = address()
    query = {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS}

    def one(box, _):
        return kept(box, site).call("UpdateUserInformation", query, {"email": email, **FIELDS})

    answers = storm(range(32), one, 16)
    assert all(a.status == 200 and a.error is None for a in answers)
    row = customer(site, email)
    said = [a.field("result") for a in answers]
    assert said.count("Customer %d was added successfully." % row["id"]) == 1
    assert said.count("Customer %d was updated successfully." % row["id"]) == 31
    assert events(site, row["id"]) == ["customer_created"]


@pytest.mark.parametrize("vendor, fields, expected", [
    ("cleverbridge", {"EMAIL": None, "REG_NAME": "Ann", "STREET": "1"}, {"full_name": "Ann", "address1": "1"}),
    ("shareit", {"EMAIL": None, "FIRSTNAME": "Ann", "LASTNAME": "Lee", "NLALLOW": "true", "FAX": "9"},
     {"full_name": "Ann Lee", "include_in_mail_list": 1, "fax": "9"}),
])
def test_a_shop_needs_no_order_and_gets_ok(site, vendor, fields, expected):
    email = address()
    answer = update(site, {**fields, "EMAIL": email}, vendor=vendor)
    assert (answer.status, answer.body) == (200, b"OK") and answer.type.startswith("text/plain")
    row = customer(site, email)
    assert {k: row[k] for k in expected} == expected


def test_bytes_of_a_shop_in_latin1(site):
    email = address()
    assert update(site, b"EMAIL=" + email.encode() + b"&LASTNAME=M%FCller&FIRSTNAME=Ann", vendor="shareit").body == b"OK"
    assert customer(site, email)["full_name"] == "Ann Müller"


# ---- licenses

@pytest.mark.parametrize("separator", ["\n", "\r\n", ",", ";", " , \r\n;"])
def test_a_list_of_keys_is_linked(site, separator):
    email, keys = address(), [issue(site, email=address()) for _ in range(3)]
    before = [owner(site, key)["id"] for key in keys]
    assert update(site, {"email": email, "is_avkey": separator.join(keys)}).error is None
    for key, old in zip(keys, before):
        assert owner(site, key)["email"] == email
        rows = site.query("SELECT h.* FROM qlm_history h JOIN qlm_license l ON l.id = h.license_id"
                          " WHERE l.activation_key = ? ORDER BY h.id", normal(key))
        assert [r["event"] for r in rows] == ["created", "linked"]
        assert rows[1]["customer_id"] == customer(site, email)["id"] != old


def test_unknown_keys_are_left_out(site):
    email, key = address(), issue(site)
    answer = update(site, {"email": email}, is_avkey=",".join(["FOREIGN-KEY", key, "A" * 150, "'; DROP TABLE x--"]))
    assert answer.error is None
    assert owner(site, key)["email"] == email
    site.expect(r"QLM1009.*AAAAA\.\.\. cannot be a key and was not linked; FOREI\.\.\. is not known here")


def test_a_buyer_cannot_take_a_license(site):
    key = issue(site, email=address())
    mine = owner(site, key)["email"]
    assert update(site, {"EMAIL": address(), "is_avkey": key, "is_previousemail": mine}, vendor="cleverbridge").body == b"OK"
    assert owner(site, key)["email"] == mine


# ---- another address

def test_a_new_address(site):
    old, new = address(), address()
    key = issue(site, email=old, name="Ann")
    before = customer(site, old)
    with webhooks(site) as told:
        answer = update(site, {"email": new}, is_previousemail=old.upper())
    assert answer.field("result") == "Customer %d was updated successfully." % before["id"]
    after = owner(site, key)
    assert (after["id"], after["email"], after["full_name"]) == (before["id"], new, "Ann")
    assert customer(site, old) is None
    assert [(event, info["Email"]) for event, info in told] == [("customer_modified", new)]
    rows = site.query("SELECT * FROM qlm_history WHERE customer_id = ? AND license_id = 0 ORDER BY id", before["id"])
    assert json.loads(rows[-1]["changes"]) == {"Email": [old, new]}
    assert update(site, {"email": new}, is_previousemail=old).error is None  # again: nothing left to do
    assert owner(site, key)["email"] == new


def test_two_records_become_one(site):
    old, new = address(), address()
    keys = [issue(site, email=old, name="Old", city="Bonn") for _ in range(3)] + [issue(site, email=new, name="New")]
    gone, stays = customer(site, old), customer(site, new)
    with webhooks(site) as told:
        assert update(site, {"email": new, "phone": "7"}, is_previousemail=old).error is None
    row = customer(site, new)
    assert (row["id"], row["full_name"], row["city"], row["phone"]) == (stays["id"], "New", "Bonn", "7")
    assert [owner(site, key)["id"] for key in keys] == [stays["id"]] * 4
    assert customer(site, old) is None
    assert [e for e, _ in told] == ["customer_modified", "customer_deleted", "customer_modified"]
    assert events(site, gone["id"])[-1] == "customer_deleted"
    assert site.ctl_json("db", "check") == []


def test_an_unknown_previous_address(site):
    email = address()
    assert "was added" in update(site, {"email": email}, is_previousemail=address()).field("result")
    assert "was updated" in update(site, {"email": email}, is_previousemail=email).field("result")
    site.expect("QLM1009.*no customer has the address of is_previousemail")


# ---- organizations

def organization(site, row):
    found = site.query("SELECT * FROM qlm_organization WHERE id = ?", row["organization_id"])
    return found[0]["name"] if found else None


def test_organizations_are_made_only_if_asked(site):
    email = address()
    update(site, {"email": email, "company": "Nobody Ltd"})
    assert customer(site, email)["organization_id"] == 0


@pytest.mark.parametrize("fields, name", [
    ({"email": "%s@one.firm.example", "company": "Firm %s"}, "Firm %s"),
    ({"email": "a@d%s.example"}, "d%s.example"),
    ({"email": "%s@Gmail.com"}, None),
])
def test_an_organization_of_company_or_domain(site, fields, name):
    number = order_number()
    fields = {k: v % number for k, v in fields.items()}
    with site.properties(autoCreateOrganization="true"):
        assert update(site, fields).error is None
        assert update(site, {**fields, "email": "x" + fields["email"], "company": fields.get("company", "").upper()}).error is None
    assert organization(site, customer(site, fields["email"])) == (name and name % number)
    assert organization(site, customer(site, "x" + fields["email"])) == (name and name % number)


def test_organizations_are_made_once(site):
    number = order_number()
    query = {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS}

    def one(box, i):
        return kept(box, site).call("UpdateUserInformation", query,
                                    {"email": "p%d@firm%s.example" % (i, number), "company": "Firm " + number})

    with site.properties(autoCreateOrganization="true"):
        assert all(a.error is None for a in storm(range(24), one, 12))
    assert len(site.query("SELECT * FROM qlm_organization WHERE name_key = ?", "firm " + number)) == 1


# ---- who else makes customers

def test_orders_and_activations_tell(site):
    email, other = address(), address()
    with webhooks(site) as told:
        issue(site, email=email, name="Ann")
        issue(site, email=email, name="Ann")
        issue(site, email=email, name="Ann B")
        key = issue(site)
        with site.properties(autoCreateCustomerDuringActivation="true"):
            assert activate(site, key, is_email=other).error is None
    assert [(e, i["Email"]) for e, i in told] == [
        ("customer_created", email), ("customer_modified", email), ("customer_created", other)]
    assert told[0][1]["CustomerID"] == customer(site, email)["id"]
    assert events(site, customer(site, email)["id"]) == ["customer_created", "customer_modified"]
    assert owner(site, key)["email"] == other


# ---- refusals

@pytest.mark.parametrize("fields, more, code", [
    ({}, {}, 208),
    ({"name": "Ann"}, {}, 208),
    ({"email": "no-address"}, {}, 208),
    ({"email": "a@b.example\r\nBcc: x@y.example"}, {}, 208),
    ({"email": "a@" + "b" * 300 + ".example"}, {}, 208),
    ({"email": "a@b.example"}, {"is_previousemail": "none"}, 5),
    ({"email": "a@b.example"}, {"is_previousemail": "a\x01@b.example"}, 5),
    ({"email": "a@b.example"}, {"is_avkey": "A\x01B"}, 5),
    ({"email": "a@b.example"}, {"is_avkey": "K," * 1001}, 5),
    ({"email": "a@b.example", "is_avkey": "K" * 40001}, {}, 5),
    ({"email": "a@b.example"}, {"is_externaluserid": "x" * 256}, 5),
    ({"email": "a@b.example"}, {"is_userdata1": "x" * 1001}, 5),
    ({"email": "a@b.example"}, {"is_affiliateid": "x\ny"}, 5),
], ids=range(13))
def test_refused(site, fields, more, code):
    with site.unchanged():
        xml_refusal(site, update(site, fields, **more), code)


def test_a_shop_is_refused_in_its_form(site):
    with site.unchanged():
        plain_refusal(site, update(site, {"REG_NAME": "Ann"}, vendor="cleverbridge"), 400)


def test_credentials(site):
    with site.unchanged():
        xml_refusal(site, update(site, {"email": address()}, is_pwd="wrong"), 8)
        xml_refusal(site, call(site, "UpdateUserInformation", None, {"email": address()}), 8)


@pytest.mark.parametrize("text", ["' OR 1=1 --", "<script>&amp;", "%s%n", "\u202e\u0000x", "\U0001f600", "x" * 5000, "a\r\nb"],
                         ids=range(7))
def test_texts_of_strangers(site, text):
    email = address()
    assert update(site, {"email": email, "name": text, "company": text, "CustomerNotes": text}).error is None
    row = customer(site, email)
    assert len(row["full_name"].encode()) <= 255 and len(row["notes"].encode()) <= 1000
    assert site.ctl_json("customer", "find", email)[0]["full_name"] == row["full_name"]
    site.allow("QLM1009.*company cut to 255 bytes; name cut to 255 bytes; CustomerNotes cut to 1000 bytes$")


def test_bad_texts_do_not_reach_the_log(site):
    mark = site.mark()
    assert update(site, {"email": address(), "name": "Forged\n[error] line"}).error is None
    assert not any("Forged" in line.text for line in site.error_lines(mark))


# ---- what the operator sees

def test_customer_show(site):
    email = address()
    key = issue(site, orderNumber=order_number(), email=email, name="Ann")
    shown = site.ctl_json("customer", "show", email.upper())
    assert (shown["email"], shown["full_name"], shown["organization"], shown["privacy_consent"]) == (email, "Ann", None, None)
    assert shown["created_at"] == shown["modified_at"] is not None
    assert [license["activation_key"] for license in shown["licenses"]] == [key]
    assert sorted(row["event"] for row in shown["history"]) == ["created", "customer_created"]
    assert site.ctl_json("customer", "show", shown["id"]) == shown
    assert email in site.ctl("customer", "show", email).stdout
    for word, code in ((address(), 1), ("12345", 1), ("ann", 2), ("", 2)):
        assert site.ctl("customer", "show", word, check=False).returncode == code


def test_an_organization_by_its_domains(site):
    domain = "d%s.example" % order_number()
    made = site.ctl_json("organization", "add", "Firm " + domain, "domains=%s,%%.%s" % (domain, domain))
    with site.properties(autoCreateOrganization="true"):  # patterns go first
        update(site, {"email": "a@" + domain, "company": "Other"})
        update(site, {"email": "b@x." + domain})
    issue(site, email="c@" + domain)
    update(site, {"email": "d@x" + domain})
    linked = site.ctl_json("organization", "show", "firm " + domain)
    assert [c["email"] for c in linked["customers"]] == ["c@" + domain, "b@x." + domain, "a@" + domain]
    assert site.ctl_json("customer", "show", "a@" + domain)["organization"] == "Firm " + domain
    after = site.ctl_json("organization", "set", made["id"], "domains=", "may-users-acquire=true", "name=New " + domain)
    assert (after["domains"], after["may_users_acquire"], after["name"]) == ("", True, "New " + domain)
    update(site, {"email": "e@" + domain})
    assert site.ctl_json("customer", "show", "e@" + domain)["organization"] is None
    assert after in site.ctl_json("organization", "list", "--limit", 1000)


@pytest.mark.parametrize("words, code", [
    (["add", "Taken"], 1), (["add", " "], 2), (["add", "a\nb"], 2), (["add", "x", "domains=%"], 2),
    (["add", "x", "domains=a b"], 2), (["add", "x", "name=y"], 2), (["add", "x", "frob=1"], 2),
    (["add", "x" * 256], 2), (["add", "x", "may-users-acquire=perhaps"], 2), (["set", "Taken"], 2),
    (["set", "None such", "notes=x"], 1), (["set", "Taken", "name=Other"], 1), (["show", "None such"], 1)])
def test_organizations_refuse(site, words, code):
    for name in ("Taken", "Other"):
        site.ctl("organization", "add", name, check=False)
    with site.unchanged():
        done = site.ctl("organization", *words, check=False)
    assert done.returncode == code and done.stderr, done


def test_a_customer_is_exported_and_imported(new_site, tmp_path):
    site = new_site()  # other tests have customers without an address, whom nobody can import
    email = address()
    key = issue(site, email=email, name="Ann")
    update(site, {"email": email, "ipaddress": "2001:db8::1"}, is_externaluserid="U;1", is_userdata1='a "b"')
    call(site, "UpdatePrivacyConsentHttp", {"is_avkey": key, "is_email": email, "is_consent": "0"})
    file = tmp_path / "customers.csv"
    file.write_text(site.ctl("export", "customers").stdout, encoding="utf-8")
    other = new_site(start=False)
    other.ctl("import", file)
    before, after = customer(site, email), customer(other, email)
    for name in ("email", "full_name", "external_id", "user_data", "ip_address", "privacy_consent", "privacy_consent_at"):
        assert after[name] == before[name] != "", name
    assert (after["external_id"], after["privacy_consent"]) == ("U;1", 0)
