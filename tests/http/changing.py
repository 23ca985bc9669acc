"""What the tests of the methods that change licenses share: calling them, looking at and ageing what is stored."""
import datetime
import json

from client import CREDENTIALS, call, normal, storm, kept, today

DAY = 86400


def change(site, method, vendor="QlmAuthenticationProvider", form=None, box=None, **more):
    """Call a method with credentials; arguments that are None are left out."""
    query = {"is_vendor": vendor, **CREDENTIALS, **more}
    query = {name: value for name, value in query.items() if value is not None}
    return kept(box, site).call(method, query, form) if box is not None else call(site, method, query, form)


def stored(site, key):
    """The row of a license."""
    found, = site.query("SELECT * FROM qlm_license WHERE activation_key = ?", normal(key))
    return found


def age(site, key, days):
    """A license becomes that much older."""
    shift = days * DAY
    site.change("UPDATE qlm_license SET created_at = created_at - ?, ordered_at = ordered_at - ?,"
                " expires_at = CASE expires_at WHEN 0 THEN 0 ELSE expires_at - ? END,"
                " maintenance_until = CASE maintenance_until WHEN 0 THEN 0 ELSE maintenance_until - ? END"
                " WHERE activation_key = ?", shift, shift, shift, shift, normal(key))


def day_of(seconds):
    """The day whose last second this is; '' for none."""
    if seconds == 0:
        return ""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    assert moment.strftime("%H:%M:%S") == "23:59:59", moment
    return moment.date().isoformat()


def expiry(site, key):
    return day_of(stored(site, key)["expires_at"])


def plan(site, key):
    return day_of(stored(site, key)["maintenance_until"])


def in_days(days):
    return (today() + datetime.timedelta(days=days)).isoformat()


def history(site, key, event=None):
    """Rows of history of the license that has this key now, oldest first; of one event if named."""
    rows = site.query("SELECT h.* FROM qlm_history h JOIN qlm_license l ON l.id = h.license_id"
                      " WHERE l.activation_key = ? ORDER BY h.id", normal(key))
    return [row for row in rows if event in (None, row["event"])]


def changes(row):
    return json.loads(row["changes"])


def mails(site, number):
    """Mails of an order that wait in the outbox."""
    rows = site.query("SELECT payload FROM qlm_outbox WHERE kind = 'mail' AND subject LIKE ?", "%/" + number)
    return [json.loads(row["payload"]) for row in rows]


def at_once(site, clients, function):
    """Run function(box, i) by many clients at once; returns the different answers as (status, body)."""
    answers = storm(range(clients * 4), function, clients=clients)
    return {(answer.status, answer.body) for answer in answers}


def seats_add_up(site):
    assert site.query("SELECT l.activation_key FROM qlm_license l WHERE available_licenses < 0 OR available_licenses <>"
                      " num_licenses - (SELECT count(*) FROM qlm_activation a WHERE a.license_id = l.id)") == []
    checked = site.ctl("db", "check", check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
