"""Thousands of random calls against a simple model of seats, dates and states: after each call the answer and the rows
must be what the model says. A failure is cut down to a short script that shows it, with the seed that leads there."""
import datetime
import os
import random

import pytest

from client import CREDENTIALS, PRODUCT, Connection, normal, on_one_day, order_number

COMPUTERS = ["PC-A", "pc-b", "Ü 3", "laptop/4", "5"]
LICENSES = 4
STEPS = int(os.environ.get("QLM_MODEL_STEPS", "400"))
SEEDS = [int(s) for s in os.environ.get("QLM_MODEL_SEEDS", "1 2 3 4 5 6").split()]
VENDOR = {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS}


class Mismatch(Exception):
    pass


class License:
    """What a license is, and what the rules make of it."""

    def __init__(self, key, seats, days, today):
        self.key, self.seats, self.today = key, seats, today
        self.features = ""
        self.days = days
        self.ends = today + datetime.timedelta(days=days) if days else None
        self.is_revoked = False
        self.active = {}  # folded computer -> computer key

    def refusal(self):
        if self.is_revoked:
            return "201"
        if self.ends and self.ends < self.today:
            return "209"
        return None

    def activate(self, computer):
        if self.refusal():
            return self.refusal()
        if fold(computer) not in self.active:
            if len(self.active) >= self.seats:
                return "207" if self.seats == 1 else "210"
            self.active[fold(computer)] = None
        return None

    def rows(self):
        """(disabled, seats, free seats, active computers, last day)"""
        return (int(self.is_revoked), self.seats, self.seats - len(self.active), sorted(self.active),
                self.ends.isoformat() if self.ends else "", self.features)


class World:
    """One run: its own licenses on a server that others use, too."""

    def __init__(self, site, today):
        self.site, self.today = site, today
        self.http = Connection(site)
        self.licenses = []
        for i in range(LICENSES):
            days = (0, 30, 0, 10)[i]
            seats = (1, 2, 3, 1)[i]
            answer = self.call("GetActivationKeyWithExpiryDate", **PRODUCT, is_quantity=seats,
                               is_expduration=days or -1, orderNumber=order_number())
            self.licenses.append(License(answer.licenses[0], seats, days, today))

    def call(self, method, vendor=True, **fields):
        return self.http.call(method, {**(VENDOR if vendor else {}), **fields})

    # ---- one method each: call it, and tell the model

    def expect(self, answer, code):
        if answer.status != 200 or answer.code != code:
            raise Mismatch("expected code %s, got %r" % (code, answer))
        if code:
            self.site.expect(r"QLM100[78]")
        return answer

    def activate(self, license, computer, _):
        expected = license.activate(computer)
        answer = self.expect(self.call("ActivateKey", False, is_avkey=license.key, is_pcid=computer, **PRODUCT),
                             expected)
        if not expected:
            license.active[fold(computer)] = answer.field("pckey")
            if answer.field("availableLicenses") != str(license.seats - len(license.active)):
                raise Mismatch("availableLicenses %s" % answer.field("availableLicenses"))

    def validate(self, license, computer, _):
        """With a computer key: never activates."""
        known = license.active.get(fold(computer))
        expected = license.refusal() or (None if known else "219")
        self.expect(self.call("ValidateLicenseHttp", False, is_avkey=license.key, is_pcid=computer,
                              is_pckey=known or "U0000", **PRODUCT), expected)

    def report(self, license, computer, _):
        answer = self.expect(self.call("ValidateLicenseHttp", False, is_avkey=license.key, is_pcid=computer,
                                       is_activate="false", **PRODUCT), license.refusal())
        if not license.refusal():
            status = ("4" if license.days or license.ends else "2") if fold(computer) in license.active else "512"
            if answer.field("status") != status:
                raise Mismatch("status %s, expected %s" % (answer.field("status"), status))

    def release(self, license, computer, _):
        """Also of a license that is revoked or has ended."""
        code = None if fold(computer) in license.active else "217" if license.active else "216"
        self.expect(self.call("ReleaseLicenseHttp", is_avkey=license.key, is_pcid=computer), code)
        license.active.pop(fold(computer), None)

    def revoke(self, license, _, number):
        license.is_revoked = number % 3 != 0
        self.expect(self.call("RevokeLicenseHttp", is_avkey=license.key,
                              is_revoke="true" if license.is_revoked else "false"), None)

    def renew(self, license, _, number):
        days = 1 + number % 40
        expected = "201" if license.is_revoked else None if license.ends else "200"
        self.expect(self.call("RenewSubscriptionHttp", is_avkey=license.key, is_expduration=days,
                              orderNumber=order_number()), expected)
        if not expected:
            until = license.ends + datetime.timedelta(days=days)
            license.ends = until if until >= self.today else self.today + datetime.timedelta(days=days)

    def change_end(self, license, _, number):
        """Also into the past."""
        license.ends = self.today + datetime.timedelta(days=number % 60 - 20)
        self.expect(self.call("UpdateLicenseHttp", is_avkey=license.key, is_expdate=license.ends.isoformat()), None)

    def change_seats(self, license, _, number):
        seats = 1 + number % 4
        expected = "210" if seats < len(license.active) else None
        self.expect(self.call("UpdateLicenseHttp", is_avkey=license.key, is_quantity=seats), expected)
        license.seats = license.seats if expected else seats

    def change_features(self, license, _, number):
        license.features = "0:%d;" % (1 + number % 255)
        self.expect(self.call("UpdateLicenseHttp", is_avkey=license.key, is_features=license.features), None)

    def upgrade(self, license, _, number):
        expected = "201" if license.is_revoked else None
        fields = {"is_avkey": license.key, "orderNumber": order_number()}
        answer = self.expect(self.call("UpgradeLicense", **fields), expected)
        if not expected:
            old, license.key, license.active = license.key, answer.licenses[0], {}
            if self.call("UpgradeLicense", **fields).body != answer.body:
                raise Mismatch("the same upgrade again has another answer")
            self.expect(self.call("ActivateKey", False, is_avkey=old, is_pcid="PC"), "203")

    def other_key(self, license, computer, _):
        key = license.key[:-1] + ("2" if license.key[-1] != "2" else "3")
        self.expect(self.call("ActivateKey", False, is_avkey=key, is_pcid=computer), "205")

    OPERATIONS = [(activate, 8), (validate, 3), (report, 2), (release, 5), (revoke, 2), (other_key, 1), (renew, 2),
                  (change_end, 1), (change_seats, 2), (change_features, 1), (upgrade, 1)]

    # ---- comparing

    def compare(self, license):
        row, = self.site.query("SELECT id, is_disabled, num_licenses, available_licenses, expires_at, features"
                               " FROM qlm_license WHERE activation_key = ?", normal(license.key))
        computers = sorted(r["computer_fold"] for r in self.site.query(
            "SELECT computer_fold FROM qlm_activation WHERE license_id = ?", row["id"]))
        ends = row["expires_at"]
        stored = (row["is_disabled"], row["num_licenses"], row["available_licenses"], computers,
                  datetime.datetime.fromtimestamp(ends, datetime.timezone.utc).date().isoformat() if ends else "",
                  row["features"])
        expected = license.rows()
        expected = expected[:3] + (sorted(license.active),) + expected[4:]
        if stored != expected:
            raise Mismatch("stored %r, expected %r" % (stored, expected))

    def run(self, script):
        for name, number, computer, extra in script:
            license = self.licenses[number]
            before = license.key
            try:
                getattr(World, name)(self, license, COMPUTERS[computer], extra)
                self.compare(license)
            except Mismatch as mismatch:
                raise Mismatch("%s(%d %s, %s, %d): %s" % (name, number, before, COMPUTERS[computer], extra, mismatch))
        self.http.close()


def fold(computer):
    """As the server compares: ASCII letters without case."""
    return "".join(c.lower() if c.isascii() else c for c in computer)


def make_script(seed, steps):
    choose = random.Random(seed)
    names = [f.__name__ for f, _ in World.OPERATIONS]
    weights = [w for _, w in World.OPERATIONS]
    return [(choose.choices(names, weights)[0], choose.randrange(LICENSES), choose.randrange(len(COMPUTERS)),
             choose.randrange(1000)) for _ in range(steps)]


def failure(site, today, script):
    """What goes wrong, None if nothing does."""
    try:
        World(site, today).run(script)
    except Mismatch as mismatch:
        return str(mismatch)
    return None


def shrink(site, today, script, tries=80):
    """A shorter script that fails, too: leave out what is not needed, in ever smaller pieces."""
    size = max(1, len(script) // 2)
    while tries > 0:
        at = 0
        while at < len(script) and tries > 0:
            shorter = script[:at] + script[at + size:]
            tries -= 1
            if failure(site, today, shorter):
                script = shorter
            else:
                at += size
        if size == 1:
            break
        size = max(1, size // 2)
    return script


@pytest.mark.parametrize("seed", SEEDS)
def test_random_calls_do_what_the_model_says(site, seed):
    def play(today):
        script = make_script(seed, STEPS)
        if failure(site, today, script):
            short = shrink(site, today, script)
            pytest.fail("seed %d: %s\n%s" % (seed, failure(site, today, short), "\n".join(map(repr, short))))
    on_one_day(play)
