"""What the users of a database server may do. Every test of this folder has httpd connect as one who may only read, add,
change and remove rows; here it is proved that this is so, and what is said when it is less."""
import pytest

import engines
from client import KEY, issue, normal, order_number, until
from outside import HookReceiver, rows
from test_database_faults import plain_away, service_is_back, shop
from test_life import test_the_life_of_a_license  # noqa: F401
from test_server_faults import NOISE, complaint, make, reconfigure, server  # noqa: F401

pytestmark = pytest.mark.servers_only
GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE"


def as_httpd(site):
    return site.database.with_params(user=engines.HTTPD_USER)


def revoke(site, right, table):
    """One right on one table, from a user that has all others."""
    if engines.ENGINE == "postgresql":
        site.change("REVOKE %s ON %s FROM qlm_httpd" % (right, table))
        return
    name = site.database.name
    site.change("REVOKE ALL ON %s.* FROM qlm_httpd@localhost" % name)
    for row in site.query(engines.TABLES["mariadb"]):
        rights = ["SELECT", "INSERT", "UPDATE", "DELETE"]
        if row["name"] == table:
            rights.remove(right)
        site.change("GRANT %s ON %s.%s TO qlm_httpd@localhost" % (", ".join(rights), name, row["name"]))


def give_back(site, right, table):
    site.change("GRANT %s ON %s TO %s" % (right, table, "qlm_httpd" if engines.ENGINE == "postgresql"
                                          else "qlm_httpd@localhost"))


def refusal(site, database, *arguments):
    """qlmctl ends with one line."""
    kept, site.database = site.database, database
    try:
        done = site.ctl(*arguments, check=False)
    finally:
        site.database = kept
    assert done.returncode == 1, done
    line, = done.stderr.splitlines()
    return line


def test_rows_are_all_that_httpd_may_change(make):  # noqa: F811
    """Orders, history, outbox, leases, what the background writes: all of it with those rights."""
    site = make()
    connections = site.query({
        "postgresql": "SELECT usename AS who FROM pg_stat_activity WHERE datname = current_database()"
                      " AND pid <> pg_backend_pid()",
        "mariadb": "SELECT user AS who FROM information_schema.processlist WHERE db = database()"
                   " AND id <> connection_id()"}[engines.ENGINE])
    assert {c["who"] for c in connections} == {"qlm_httpd"}
    receiver = HookReceiver()
    try:
        site.ctl("property", "set", "webHooksEnabled", "true")
        site.ctl("property", "set", "license_created", receiver.url())
        key = shop(site, order_number()).text
        assert KEY.match(key)
        until(lambda: receiver.about(key))
        until(lambda: [r["state"] for r in rows(site, kind="webhook") if normal(key) in r["payload"]] == ["sent"])
    finally:
        receiver.close()


def test_tables_are_made_by_somebody_else(make, server):  # noqa: F811
    site = make(start=False)
    empty = server.new_database()
    line = refusal(site, empty.with_params(user=engines.HTTPD_USER), "init")
    assert "owner of the database" in line and "GRANT ALL" in line
    site.change("ALTER TABLE qlm_site DROP COLUMN secret_verifier")
    site.change("UPDATE qlm_site SET schema_version = 3")
    before = site.dump()
    line = refusal(site, as_httpd(site), "db", "upgrade")
    assert "owner of the database" in line and "GRANT ALL" in line
    assert site.dump() == before
    site.ctl("db", "upgrade")
    kept, site.database = site.database, as_httpd(site)
    assert "nothing to do" in site.ctl("db", "upgrade").stdout
    site.ctl("init")  # finds all in order
    site.database = kept


@pytest.mark.parametrize("right, table", [("SELECT", "qlm_site"), ("SELECT", "qlm_property"), ("INSERT", "qlm_order"),
                                          ("UPDATE", "qlm_license"), ("DELETE", "qlm_outbox")])
def test_a_right_is_missing(make, right, table):  # noqa: F811
    site = make(start=False)
    assert site.configtest().returncode == 0
    revoke(site, right, table)
    line = complaint(site)
    assert table in line or right == "SELECT" and "no tables that its user may read" in line
    assert GRANT in line or "no tables" in line
    site.allow(NOISE)
    site.start()
    number = order_number()
    if right in ("SELECT", "INSERT"):
        mark = site.mark()
        plain_away(site, shop(site, number))
        assert site.lines_since(mark, "QLM1001")[0].text.count("GRANT") == line.count("GRANT")
        assert not site.query("SELECT 1 FROM qlm_license WHERE order_ref = ?", number)
    give_back(site, right, table)
    service_is_back(site, until(lambda: issue(site)), number)
