#!/usr/bin/env python3
"""Salesforce as a license server meets it: a token endpoint, a query endpoint, and Outbound Messages.

Written from the public description of the protocol; it knows nothing of the server under test. For tests:

    with Salesforce(callback="http://127.0.0.1:8080/…") as shop:
        order = shop.add_order(items=[("001", 2)], contact=person("Ada", "Byron", "ada@byron.example"))
        shop.activate([order])
        assert shop.wait_until_acknowledged(10)

For people: `python3 salesforce.py --port 8090 --callback URL --orders 5` says what to enter at the server, waits for
Enter (or not, with --now), activates the orders and shows what came of each message.

Times are scaled: a real organization waits longer between two attempts (see Salesforce.retry_seconds).
"""
import argparse
import base64
import collections
import http.client
import itertools
import json
import random
import re
import secrets
import ssl
import string
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
SOBJECT = "urn:sobject.enterprise.soap.sforce.com"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BATCH = 100  # most notifications of one message
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase

# What an organization has of the objects that are asked for; a dict is a lookup of another object.
CONTACT = {"Id": 1, "FirstName": 1, "LastName": 1, "Email": 1, "Phone": 1}
PRODUCT = {"Id": 1, "Name": 1, "ProductCode": 1}
SCHEMA = {
    "Order": {"Id": 1, "OrderNumber": 1, "Status": 1, "StatusCode": 1, "EffectiveDate": 1, "AccountId": 1,
              "Account": {"Id": 1, "Name": 1}, "BillToContact": CONTACT, "CustomerAuthorizedBy": CONTACT,
              "BillingStreet": 1, "BillingCity": 1, "BillingState": 1, "BillingPostalCode": 1, "BillingCountry": 1},
    "OrderItem": {"Id": 1, "OrderId": 1, "OrderItemNumber": 1, "Quantity": 1, "Description": 1, "ServiceDate": 1,
                  "EndDate": 1, "Product2": PRODUCT, "PricebookEntry": {"Id": 1, "Product2": PRODUCT}},
}
TYPES = {"BillToContact": "Contact", "CustomerAuthorizedBy": "Contact"}
QUERY = re.compile(r"\s*SELECT\s+([\w.,\s]+?)\s+FROM\s+(\w+)\s+WHERE\s+(\w+)\s*=\s*'((?:[^'\\]|\\.)*)'"
                   r"(?:\s+ORDER\s+BY\s+(\w+))?\s*", re.I)


def checked_id(short):
    """The 18 characters of an id of 15: the last three say which of the others are capitals."""
    tail = ""
    for part in (short[:5], short[5:10], short[10:15]):
        bits = sum(1 << i for i, letter in enumerate(part) if letter in string.ascii_uppercase)
        tail += (string.ascii_uppercase + "012345")[bits]
    return short + tail


def person(first, last, email, phone=None):
    return {"FirstName": first, "LastName": last, "Email": email, "Phone": phone}


class Fault:
    """Something that goes wrong, a number of times.

    where   "token", "order", "item" (the two queries), "page" (further pages), "query" (all three)
    kind    unavailable (503)  limit (403)  expired (401)  rights (403)  malformed (400)  missing (404)
            html  nested  truncated  empty  huge  redirect  slow  drop
            status: any, with code and message
    times   how often; with orders: how often for each of them; None = always
    orders  only for queries about these orders
    every   every n-th matching request only
    """

    def __init__(self, where, kind, times=1, orders=None, every=1, seconds=5.0, status=500, code="UNKNOWN_EXCEPTION",
                 message="An unexpected error occurred."):
        self.where, self.kind, self.times, self.every = where, kind, times, every
        self.orders = None if orders is None else {order[:15] for order in orders}
        self.seconds, self.status, self.code, self.message = seconds, status, code, message
        self.seen, self.hits = 0, 0
        self._hits_of = collections.Counter()

    def strikes(self, where, order_id):
        if where != self.where and not (self.where == "query" and where in ("order", "item", "page")):
            return False
        if self.orders is not None and (order_id or "")[:15] not in self.orders:
            return False
        key = (order_id or "")[:15] if self.orders is not None else ""
        self.seen += 1
        if self.seen % self.every or (self.times is not None and self._hits_of[key] >= self.times):
            return False
        self._hits_of[key] += 1
        self.hits += 1
        return True


class Attempt:
    """One delivery of one message, as the sender saw it."""

    def __init__(self, notifications, status, acknowledged, body, content_type, seconds, error):
        self.notifications, self.status, self.acknowledged, self.body = notifications, status, acknowledged, body
        self.content_type, self.seconds, self.error = content_type, seconds, error

    def __repr__(self):
        return "%d notification(s): %s, %.2f s" % (
            len(self.notifications), self.error or "status %d, Ack %s" % (self.status, self.acknowledged), self.seconds)


class Notification:
    def __init__(self, identity, order_id):
        self.id, self.order_id = identity, order_id
        self.attempts, self.due, self.queued = 0, 0.0, time.monotonic()
        self.is_acknowledged = self.is_dropped = False


class Salesforce:
    """One organization, its API and its queue of outbound messages."""

    def __init__(self, port=0, callback=None, organization=None, user="bot@acme.example",
                 password="Pa55word!XyZtokEN", client_id="3MVG9demoKey", client_secret="55DEMO-secret",
                 public_key=None, grants=("password", "client_credentials", "jwt"), page_size=2000,
                 versions=("v59.0", "v60.0", "v61.0"), audiences=("https://login.salesforce.com",),
                 is_my_domain=True, run_as=True, session_seconds=7200.0, retry_seconds=0.2, retry_most=5.0,
                 keep_seconds=300.0, timeout=60.0, ca_file=None, seed=None):
        self._random = random.Random(seed)
        self.organization = organization or self.new_id("00D")
        self.user_id = self.new_id("005")
        self.action_id = self.new_id("04k")
        self.callback, self.user, self.password = callback, user, password
        self.client_id, self.client_secret, self.public_key = client_id, client_secret, public_key
        self.grants, self.page_size, self.versions = set(grants), page_size, list(versions)
        self.audiences, self.is_my_domain, self.run_as = set(audiences), is_my_domain, run_as
        self.session_seconds, self.retry_seconds, self.retry_most = session_seconds, retry_seconds, retry_most
        self.keep_seconds, self.timeout, self.ca_file = keep_seconds, timeout, ca_file
        self.instance_url = None    # another address in token answers
        self.identity_url = None    # the same for `id`
        self.hidden = set()         # relationships and fields that the user may not see: "BillToContact", "Email"
        self.calls_left = None      # of the API; None = no limit
        self.requests = []          # (method, path, status) of every call
        self.queries = []           # every SOQL text
        self.logins = []            # (grant, error or None)
        self.attempts = []          # of messages
        self.orders = collections.OrderedDict()
        self.items = collections.defaultdict(list)
        self._faults, self._sessions, self._cursors, self._queue = [], {}, {}, []
        self._numbers = itertools.count(100)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stopped = threading.Event()
        self._senders = []
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.shop = self
        self._thread = None

    # ---- life ----

    def start(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def stop(self):
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread:
            self._server.shutdown()
            self._thread.join()
        for sender in self._senders:
            sender.join(2)
        self._server.server_close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def new_id(self, prefix):
        return checked_id(prefix + "".join(self._random.choice(ALPHABET) for _ in range(15 - len(prefix))))

    # ---- what the organization holds ----

    def add_order(self, items=(("001", 1),), contact=None, bill_to=None, account="Acme Corp.", number=None,
                  status="Draft", effective="2026-11-20", billing=None):
        """Add an order. `items` are (product code, quantity[, description[, further fields]]). @return its id"""
        with self._lock:
            order = {"Id": self.new_id("801"), "OrderNumber": number or "%08d" % next(self._numbers),
                     "Status": status, "StatusCode": status, "EffectiveDate": effective}
            order["Account"] = account and {"Id": self.new_id("001"), "Name": account}
            order["AccountId"] = order["Account"] and order["Account"]["Id"]
            order["CustomerAuthorizedBy"] = contact and dict(contact, Id=self.new_id("003"))
            order["BillToContact"] = bill_to and dict(bill_to, Id=self.new_id("003"))
            for field in ("Street", "City", "State", "PostalCode", "Country"):
                order["Billing" + field] = (billing or {}).get(field)
            self.orders[order["Id"][:15]] = order
            for item in items:
                self.add_item(order["Id"], *item)
            return order["Id"]

    def add_item(self, order_id, code, quantity=1, description=None, more=None):
        with self._lock:
            product = {"Id": self.new_id("01t"), "Name": "Product %s" % code, "ProductCode": code}
            item = {"Id": self.new_id("802"), "OrderId": order_id, "OrderItemNumber": "%010d" % next(self._numbers),
                    "Quantity": float(quantity) if isinstance(quantity, int) else quantity,
                    "Description": description, "ServiceDate": None, "EndDate": None, "Product2": product,
                    "PricebookEntry": {"Id": self.new_id("01u"), "Product2": product}}
            item.update(more or {})
            self.items[order_id[:15]].append(item)
            return item["Id"]

    def item_ids(self, order_id):
        return [item["Id"] for item in self.items[order_id[:15]]]

    def fault(self, where, kind, **options):
        fault = Fault(where, kind, **options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear_faults(self):
        with self._lock:
            self._faults.clear()

    def expire_sessions(self):
        with self._lock:
            self._sessions.clear()

    # ---- outbound messages: the sender ----

    def activate(self, order_ids, send=True, senders=1):
        """Activate orders: each gets a notification, which is sent until it is acknowledged. @return notifications"""
        with self._changed:
            made = []
            for order_id in order_ids:
                self.orders[order_id[:15]].update(Status="Activated", StatusCode="Activated")
                made.append(Notification(self.new_id("04l"), order_id))
            self._queue += made
            self._changed.notify_all()
        if send:
            self.send(senders)
        return made

    edit = activate  # the rule says "any time it's edited": a change of an active order is a new notification

    def send(self, senders=1):
        """Have at least so many senders working off the queue."""
        with self._lock:
            while len(self._senders) < senders:
                thread = threading.Thread(target=self._work, daemon=True)
                self._senders.append(thread)
                thread.start()

    def waiting(self):
        with self._lock:
            return [n for n in self._queue if not n.is_acknowledged and not n.is_dropped]

    def wait_until_acknowledged(self, seconds=30.0):
        """@return whether every notification was acknowledged in time and none was given up"""
        end = time.monotonic() + seconds
        with self._changed:
            while self.waiting() and time.monotonic() < end and not self._stopped.is_set():
                self._changed.wait(min(0.2, max(0.01, end - time.monotonic())))
            return all(n.is_acknowledged for n in self._queue)

    def _take(self):
        """Some notifications that are due; they are not due again before the attempt is over."""
        now = time.monotonic()
        with self._lock:
            for notification in self.waiting():
                notification.is_dropped = now - notification.queued > self.keep_seconds
            due = [n for n in self.waiting() if n.due <= now][:BATCH]
            for notification in due:
                notification.due = float("inf")
            return due

    def _work(self):
        while not self._stopped.is_set():
            due = self._take()
            if not due:
                self._stopped.wait(0.02)
                continue
            attempt = self.deliver(due)
            with self._changed:
                for notification in due:
                    notification.attempts += 1
                    notification.is_acknowledged |= attempt.acknowledged
                    wait = min(self.retry_most, self.retry_seconds * 2 ** min(notification.attempts - 1, 20))
                    notification.due = time.monotonic() + wait
                self._changed.notify_all()

    def deliver(self, notifications):
        """Send one message once. @return the attempt"""
        return self.post(self.message([(n.id, n.order_id) for n in notifications]), notifications)

    def message(self, notifications, organization=None, session=None, object_type="Order", doctype=""):
        """The message's bytes; `notifications` are (notification id, order id or None)."""
        organization = organization or self.organization
        parts = []
        for identity, order_id in notifications:
            order = self.orders.get((order_id or "")[:15], {})
            fields = [("Id", order_id), ("OrderNumber", order.get("OrderNumber")), ("Status", order.get("Status"))]
            parts.append("   <Notification>\n    <Id>%s</Id>\n    <sObject xsi:type=\"sf:%s\" xmlns:sf=\"%s\">\n%s"
                         "    </sObject>\n   </Notification>\n" % (
                             escape(identity), object_type, SOBJECT,
                             "".join("     <sf:%s>%s</sf:%s>\n" % (name, escape(value), name)
                                     for name, value in fields if value is not None)))
        session = "<SessionId>%s</SessionId>" % escape(session) if session else '<SessionId xsi:nil="true"/>'
        service = "%s/services/Soap/%%s/60.0/%s" % (self.url, organization[:15])
        return ('<?xml version="1.0" encoding="UTF-8"?>\n%s<soapenv:Envelope xmlns:soapenv="%s" '
                'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
                ' <soapenv:Body>\n  <notifications xmlns="%s">\n   <OrganizationId>%s</OrganizationId>\n'
                '   <ActionId>%s</ActionId>\n   %s\n   <EnterpriseUrl>%s</EnterpriseUrl>\n'
                '   <PartnerUrl>%s</PartnerUrl>\n%s  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n' % (
                    doctype, SOAP, OUTBOUND, escape(organization), self.action_id, session, service % "c",
                    service % "u", "".join(parts))).encode()

    def post(self, body, notifications=(), callback=None):
        """Send any bytes to the callback as a message. @return the attempt"""
        url = urllib.parse.urlsplit(callback or self.callback)
        started = time.monotonic()
        try:
            if url.scheme == "https":
                connection = http.client.HTTPSConnection(
                    url.hostname, url.port, timeout=self.timeout, context=ssl.create_default_context(cafile=self.ca_file))
            else:
                connection = http.client.HTTPConnection(url.hostname, url.port, timeout=self.timeout)
            try:
                connection.request("POST", urllib.parse.urlunsplit(("", "", url.path, url.query, "")), body, {
                    "Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""', "Accept": "text/xml"})
                answer = connection.getresponse()
                text = answer.read()
                status, content_type, error = answer.status, answer.getheader("Content-Type") or "", None
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as fault:
            status, content_type, text, error = 0, "", b"", "%s: %s" % (type(fault).__name__, fault)
        attempt = Attempt(list(notifications), status, status == 200 and acknowledges(text), text, content_type,
                          time.monotonic() - started, error)
        with self._lock:
            self.attempts.append(attempt)
        return attempt

    # ---- the API ----

    def answer(self, method, target, headers, body):
        """One request to the API. @return (status, content type, bytes), or None: hang up"""
        path, _, query = target.partition("?")
        parameters = urllib.parse.parse_qs(query, keep_blank_values=True)
        if path == "/services/oauth2/token":
            return self._token(method, headers, body)
        if path.rstrip("/") == "/services/data":
            return _json(200, [{"label": v, "url": "/services/data/" + v, "version": v[1:]} for v in self.versions])
        found = re.fullmatch(r"/services/data/(v\d+\.\d)/query/?(.*)", path)
        if not found or found.group(1) not in self.versions or method != "GET":
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        refusal = self._check_call(headers)
        if refusal:
            return refusal
        if found.group(2):
            return self._next_page(found.group(1), found.group(2))
        return self._query(found.group(1), parameters.get("q", [""])[0])

    def _check_call(self, headers):
        kind, _, token = (headers.get("Authorization") or "").partition(" ")
        with self._lock:
            used = self._sessions.get(token)
            if kind != "Bearer" or used is None or time.monotonic() - used > self.session_seconds:
                return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
            self._sessions[token] = time.monotonic()
            if self.calls_left is not None:
                if self.calls_left <= 0:
                    return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
                self.calls_left -= 1
        return None

    def _strike(self, where, order_id=None):
        with self._lock:
            fault = next((f for f in self._faults if f.strikes(where, order_id)), None)
        if not fault:
            return None, False
        if fault.kind == "slow":
            self._stopped.wait(fault.seconds)
            return None, False
        return self._broken(fault), True

    def _broken(self, fault):
        kind = fault.kind
        if kind == "expired":
            self.expire_sessions()
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        errors = {
            "unavailable": (503, "SERVER_UNAVAILABLE", "We are down for maintenance."),
            "limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
            "rights": (403, "INSUFFICIENT_ACCESS", "insufficient access rights on object id"),
            "malformed": (400, "MALFORMED_QUERY", "unexpected token: 'FROM'"),
            "missing": (404, "NOT_FOUND", "The requested resource does not exist"),
            "status": (fault.status, fault.code, fault.message),
        }
        if kind in errors:
            return _error(*errors[kind])
        return {
            "html": (200, "text/html", b"<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>"),
            "nested": (200, "application/json", b'{"totalSize":1,"done":true,"records":' + b"[" * 1000 + b"]" * 1000 + b"}"),
            "truncated": (200, "application/json", b'{"totalSize":1,"done":true,"records":[{"Id":"801'),
            "empty": (200, "application/json", b""),
            "huge": (200, "application/json", b'{"totalSize":0,"done":true,"records":[],"x":"' + b"x" * (9 << 20) + b'"}'),
            "redirect": (302, "text/html", b""),
            "drop": None,
        }[kind]

    # ---- login ----

    def _token(self, method, headers, body):
        broken, is_broken = self._strike("token")
        if is_broken:
            return broken
        if method != "POST":
            return _oauth_error("invalid_request", "must use HTTP POST")
        form = {name: values[0] for name, values in
                urllib.parse.parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}
        basic = headers.get("Authorization") or ""
        if basic.startswith("Basic "):
            name, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            form.setdefault("client_id", name)
            form.setdefault("client_secret", secret)
        grant = form.get("grant_type", "")
        check = {"password": self._check_password, "client_credentials": self._check_client,
                 JWT_GRANT: self._check_jwt}.get(grant)
        short = "jwt" if grant == JWT_GRANT else grant
        error = ("unsupported_grant_type", "grant type not supported")
        if check:
            error = check(form) if short in self.grants else ("invalid_grant", "authentication failure")
        with self._lock:
            self.logins.append((short, error and error[0]))
        return _oauth_error(*error) if error else self._new_session(short)

    def _new_session(self, grant):
        token = "%s!AQ4AQ%s" % (self.organization[:15], secrets.token_urlsafe(48).replace("-", "."))
        with self._lock:
            self._sessions[token] = time.monotonic()
        instance = self.instance_url or self.url
        answer = {"access_token": token, "instance_url": instance,
                  "id": self.identity_url or "%s/id/%s/%s" % (self.url, self.organization, self.user_id),
                  "token_type": "Bearer", "issued_at": str(int(time.time() * 1000)),
                  "signature": base64.b64encode(secrets.token_bytes(32)).decode()}
        if grant == "client_credentials":
            answer.update(scope="api", api_instance_url="https://api.salesforce.com")
        return _json(200, answer)

    def _check_app(self, form):
        if form.get("client_id") != self.client_id:
            return "invalid_client_id", "client identifier invalid"
        if form.get("client_secret") != self.client_secret:
            return "invalid_client", "invalid client credentials"
        return None

    def _check_password(self, form):
        wrong = self._check_app(form)
        if not wrong and (form.get("username"), form.get("password")) != (self.user, self.password):
            wrong = "invalid_grant", "authentication failure"
        return wrong

    def _check_client(self, form):
        if not self.is_my_domain:
            return "invalid_grant", "request not supported on this domain"
        wrong = self._check_app(form)
        return wrong or (None if self.run_as else ("invalid_grant", "no client credentials user enabled"))

    def _check_jwt(self, form):
        try:
            head, claims, signature = form.get("assertion", "").split(".")
            header, said = json.loads(_unbase64(head)), json.loads(_unbase64(claims))
            issuer, subject, audience, expires = said["iss"], said["sub"], said["aud"], float(said["exp"])
        except (ValueError, KeyError, TypeError):
            return "invalid_grant", "invalid assertion"
        if issuer != self.client_id:
            return "invalid_client_id", "client identifier invalid"
        if header.get("alg") != "RS256" or not self._is_signed(head + "." + claims, _unbase64(signature)):
            return "invalid_grant", "invalid assertion"
        if audience not in self.audiences:
            return "invalid_grant", "audience is invalid"
        if not time.time() - 30 < expires < time.time() + 330:
            return "invalid_grant", "expired authorization code"
        return None if subject == self.user else ("invalid_grant", "user hasn't approved this consumer")

    def _is_signed(self, text, signature):
        """Verified by OpenSSL's program with the public key (PEM text) that was given."""
        if not self.public_key:
            return False
        with tempfile.TemporaryDirectory() as folder:
            for name, data in (("key", self.public_key.encode()), ("text", text.encode()), ("signature", signature)):
                with open("%s/%s" % (folder, name), "wb") as file:
                    file.write(data)
            return subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder + "/key", "-signature",
                                   folder + "/signature", folder + "/text"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, check=False).returncode == 0

    # ---- queries ----

    def _query(self, version, soql):
        with self._lock:
            self.queries.append(soql)
        found = QUERY.fullmatch(soql)
        if not found:
            return _error(400, "MALFORMED_QUERY", "unexpected token: %s" % soql[:40])
        fields = [field.strip() for field in found.group(1).split(",")]
        kind, column, wanted, sorting = found.group(2), found.group(3), found.group(4), found.group(5)
        if kind not in SCHEMA:
            return _error(400, "INVALID_TYPE", "sObject type '%s' is not supported." % kind)
        broken, is_broken = self._strike("order" if kind == "Order" else "item", wanted)
        if is_broken:
            return broken
        for field in fields + [column] + ([sorting] if sorting else []):
            fault = self._unknown(kind, field)
            if fault:
                at = soql.find(field)
                return _error(400, "INVALID_FIELD", "\n%s\n%s^\nERROR at Row:1:Column:%d\n%s" % (
                    soql[max(0, at - 30):at + 50], " " * min(at, 30), at + 1, fault))
        if not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", wanted):
            return _error(400, "INVALID_QUERY_FILTER_OPERATOR", "\n%s = '%s'\n^\nERROR at Row:1:Column:1\n"
                          "invalid ID field: %s" % (column, wanted[:60], wanted[:60]))
        with self._lock:
            rows = list(self.orders.values()) if kind == "Order" else self.items.get(wanted[:15], [])
            rows = [row for row in rows if (row[column] or "")[:15] == wanted[:15]]
            if sorting:
                rows.sort(key=lambda row: row[sorting])
            records = [_record(version, kind, row, fields) for row in rows]
        return self._page(version, records, 0, None)

    def _unknown(self, kind, path):
        """@return what is wrong with a field, in Salesforce's words, or None"""
        names, known, entity = path.split("."), SCHEMA[kind], kind
        for name in names[:-1]:
            if not isinstance(known.get(name), dict) or name in self.hidden:
                return ("Didn't understand relationship '%s' in field path. If you are attempting to use a custom "
                        "relationship, be sure to append the '__r' after the custom relationship name. Please "
                        "reference your WSDL or the describe call for the appropriate names." % name)
            known, entity = known[name], TYPES.get(name, name)
        if known.get(names[-1]) != 1 or names[-1] in self.hidden:
            return ("No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to "
                    "append the '__c' after the custom field name. Please reference your WSDL or the describe call "
                    "for the appropriate names." % (names[-1], entity))
        return None

    def _page(self, version, records, offset, cursor):
        end = offset + self.page_size
        answer = {"totalSize": len(records), "done": end >= len(records), "records": records[offset:end]}
        if not answer["done"]:
            with self._lock:
                cursor = cursor or self.new_id("01g")
                self._cursors[cursor] = records
            answer["nextRecordsUrl"] = "/services/data/%s/query/%s-%d" % (version, cursor, end)
        return _json(200, answer)

    def _next_page(self, version, locator):
        cursor, _, offset = locator.partition("-")
        with self._lock:
            records = self._cursors.get(cursor)
        if records is None or not offset.isdigit():
            return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        order_id = records[0].get("OrderId") if records else None
        broken, is_broken = self._strike("page", order_id)
        return broken if is_broken else self._page(version, records, int(offset), cursor)


def acknowledges(text):
    """Does an answer acknowledge the message, as Salesforce would read it?"""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return False
    if root.tag != "{%s}Envelope" % SOAP:
        return False
    found = root.find("{%s}Body/{%s}notificationsResponse/{%s}Ack" % (SOAP, OUTBOUND, OUTBOUND))
    return found is not None and (found.text or "").strip() in ("true", "1")


def _unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(status, value):
    return status, "application/json;charset=UTF-8", json.dumps(value, ensure_ascii=False).encode()


def _error(status, code, message):
    return _json(status, [{"message": message, "errorCode": code}])


def _oauth_error(error, description):
    return _json(400, {"error": error, "error_description": description})


def _record(version, kind, row, fields):
    """The record as it is sent: only the fields asked for, lookups as nested objects or null."""
    made = {"attributes": {"type": kind, "url": "/services/data/%s/sobjects/%s/%s" % (version, kind, row["Id"])}}
    nested = collections.OrderedDict()
    for field in fields:
        name, _, rest = field.partition(".")
        if rest:
            nested.setdefault(name, []).append(rest)
        else:
            made[name] = row.get(name)
    for name, parts in nested.items():
        made[name] = _record(version, TYPES.get(name, name), row[name], parts) if row.get(name) else None
    return made


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    shop = None

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sfdcedge"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        shop = self.server.shop
        answer = shop.answer(self.command, self.path, self.headers, body)
        with shop._lock:
            shop.requests.append((self.command, self.path, answer and answer[0]))
        if answer is None:
            self.close_connection = True
            return
        status, content_type, data = answer
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        if status == 302:
            self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    do_GET = do_POST = _serve

    def log_message(self, *_):
        pass


# ---- for people ----


def _options():
    parser = argparse.ArgumentParser(description="A Salesforce organization to try a license server with.")
    parser.add_argument("--port", type=int, default=8090, help="of the API, on 127.0.0.1 (8090)")
    parser.add_argument("--callback", required=True, help="the server's webhook URL, with user and password")
    parser.add_argument("--orders", type=int, default=1)
    parser.add_argument("--product", action="append", metavar="CODE[:QUANTITY]", help="items of each order (001:1)")
    parser.add_argument("--email", default="customer{n}@acme.example", help="of the contacts; {n} is the order's number")
    parser.add_argument("--senders", type=int, default=1)
    parser.add_argument("--grant", choices=("password", "client_credentials", "jwt"), action="append",
                        help="what the organization allows (all)")
    parser.add_argument("--user", default="bot@acme.example")
    parser.add_argument("--password", default="Pa55word!XyZtokEN", help="with the security token")
    parser.add_argument("--client-id", default="3MVG9demoKey")
    parser.add_argument("--client-secret", default="55DEMO-secret")
    parser.add_argument("--public-key", metavar="FILE", help="PEM; what JWTs are verified with")
    parser.add_argument("--organization", default="00D7Q00000Demo1EAC")
    parser.add_argument("--page-size", type=int, default=2000)
    parser.add_argument("--fault", action="append", default=[], metavar="WHERE:KIND[:TIMES[:EVERY]]",
                        help="token, order, item or query; unavailable, limit, expired, html, nested, slow, drop …")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to wait for all to be acknowledged")
    parser.add_argument("--now", action="store_true", help="do not wait for Enter")
    return parser.parse_args()


def _items(products):
    for product in products or ["001"]:
        code, _, quantity = product.rpartition(":") if ":" in product else (product, "", "1")
        yield code, float(quantity)


def main():
    options = _options()
    key = None
    if options.public_key:
        with open(options.public_key, encoding="ascii") as file:
            key = file.read()
    try:
        shop = Salesforce(port=options.port, callback=options.callback, user=options.user, password=options.password,
                          client_id=options.client_id, client_secret=options.client_secret, public_key=key,
                          organization=options.organization, page_size=options.page_size, retry_seconds=1.0,
                          retry_most=20.0, grants=options.grant or ("password", "client_credentials", "jwt"))
    except OSError as fault:
        sys.exit("port %d: %s" % (options.port, fault.strerror))
    for text in options.fault:
        where, kind, times, every = (text.split(":") + ["1", "1"])[:4]
        shop.fault(where, kind, times=None if times == "always" else int(times), every=int(every))
    with shop:
        orders = [shop.add_order(items=list(_items(options.product)),
                                 contact=person("Customer", str(n), options.email.format(n=n)),
                                 account="Acme %d" % n) for n in range(1, options.orders + 1)]
        print("organization %s, login and API at %s\n  user %s\n  password %s\n  api_key %s\n  shared_key %s" % (
            shop.organization, shop.url, shop.user, shop.password, shop.client_id, shop.client_secret))
        print("orders %s" % " ".join(shop.orders[order[:15]]["OrderNumber"] for order in orders), flush=True)
        if not options.now:
            input("Enter activates %d order(s) … " % len(orders))
        started = time.monotonic()
        shop.activate(orders, senders=options.senders)
        is_done = shop.wait_until_acknowledged(options.seconds)
        for attempt in shop.attempts:
            print(attempt)
            if attempt.status != 200 and attempt.body:
                print("  %s" % attempt.body[:300].decode("utf-8", "replace"))
        print("%d order(s), %d message(s), %d call(s) of the API, %d login(s), %.1f s: %s" % (
            len(orders), len(shop.attempts), len(shop.requests), len(shop.logins), time.monotonic() - started,
            "all acknowledged" if is_done else "%d not acknowledged" % len(shop.waiting())))
    return 0 if is_done else 1


if __name__ == "__main__":
    sys.exit(main())
