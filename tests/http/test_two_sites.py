"""A database that is not this site's: that of another program, or of another site, whose secret is another one. With the
same secret two servers are one site."""
import contextlib
import secrets
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

import engines
from client import issue, order_number, until, validate
from engines import ENGINE
from env import RUN_USER, give_to_server, is_root
from test_configtest import only_line
from test_database_faults import away, plain_away, service_is_back, shop

NOISE = "QLM1001|QLM1106"


@pytest.fixture
def empty_database():
    """A database without tables."""
    if ENGINE == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="qlm-other-", dir="/tmp"))
        folder.chmod(0o755)
        sqlite3.connect(folder / "other.db").close()
        yield folder / "other.db"
        shutil.rmtree(folder)
    else:
        made = engines.Server.of(ENGINE).new_database()
        yield made
        made.remove()


def change(database, sql):
    engines.query(database, sql, write=True)
    if ENGINE == "sqlite":
        give_to_server(database.parent, *database.parent.iterdir())


@contextlib.contextmanager
def on_database(site, database):
    """The site's configuration and qlmctl use another database for the length of a block."""
    kept, site.database = site.database, database
    site.write_config()
    try:
        yield
    finally:
        site.database = kept
        site.write_config()


def refusal(site, *arguments):
    done = site.ctl(*arguments, check=False)
    assert done.returncode == 1, done
    line, = done.stderr.splitlines()
    return line


def init(site):
    site.ctl("init", *(["--user", RUN_USER] if ENGINE == "sqlite" and is_root() else []))


def new_secret(site):
    site.secret.write_text(secrets.token_hex(32) + "\n")


# ---- another program's

@pytest.mark.parametrize("tables", [["wp_posts (id INTEGER)", "wp_users (id INTEGER)"], ["qlm_license (id INTEGER)"],
                                    ["qlm_site (id INTEGER, name VARCHAR(20))"]])
def test_tables_of_another_program(new_site, empty_database, tables):
    site = new_site(start=False)
    for table in tables:
        change(empty_database, "CREATE TABLE " + table)
    name = tables[0].split()[0]
    before = engines.dump(empty_database)
    with on_database(site, empty_database):
        for line in (only_line(site), refusal(site, "init"), refusal(site, "db", "upgrade"), refusal(site, "key", "list")):
            assert "another program (%s)" % name in line and "name one of its own" in line, line
        site.allow(NOISE)
        site.start()
        away(site, validate(site, "A" * 26))
        plain_away(site, shop(site, order_number()))
        site.stop()
    assert engines.dump(empty_database) == before, "nothing of it may be changed"


def test_an_empty_database_is_filled_by_init(new_site, empty_database):
    site = new_site(start=False)
    with on_database(site, empty_database):
        assert "qlmctl init" in only_line(site)
        init(site)
        assert site.configtest().returncode == 0


# ---- another site's

def test_another_secret_is_found_before_the_start(new_site):
    site = new_site(start=False)
    new_secret(site)
    before = site.dump()
    for line in (only_line(site), refusal(site, "init"), refusal(site, "db", "upgrade"),
                 refusal(site, "product", "add", "--id", 9, "--version", "1.0", "--name", "Nine"),
                 refusal(site, "key", "show", "A" * 26)):
        assert "another secret" in line and "a database of its own" in line, line
    assert site.dump() == before


def test_another_secret_is_refused_by_a_server_that_runs(new_site):
    """Its keys would be wrong for everybody else."""
    site = new_site()
    key, number = issue(site), order_number()
    good = site.secret.read_text()
    site.stop()
    new_secret(site)
    site.allow(NOISE)
    site.start()
    away(site, validate(site, key))
    plain_away(site, shop(site, number))
    site.stop()
    site.secret.write_text(good)
    site.start()
    service_is_back(site, key, number)


@pytest.mark.servers_only
def test_two_sites_one_database(new_site):
    """Two servers with the same secret are one site; one with another is found, and disturbs nobody."""
    first = new_site()
    twin, stranger = (new_site(start=False, database=first.database) for _ in range(2))
    new_secret(stranger)
    assert "another secret" in only_line(stranger)
    for other in (twin, stranger):
        other.allow(NOISE)
        other.start()
    key, number = issue(first), order_number()
    plain_away(stranger, shop(stranger, number))
    answer = shop(twin, number)
    assert answer.status == 200 and shop(first, number).body == answer.body
    for site in (first, twin):
        assert validate(site, key).error is None
    away(stranger, validate(stranger, key))


def test_older_secrets_of_the_file_are_the_sites_too(new_site):
    """A new secret in front is remembered by init; from then on a server that does not have it is a stranger."""
    site = new_site(start=False)
    old = site.secret.read_text()
    site.secret.write_text(secrets.token_hex(32) + "\n" + old)
    assert site.configtest().returncode == 0
    site.ctl("init")
    assert site.configtest().returncode == 0
    both = site.secret.read_text()
    site.secret.write_text(old)
    assert "another secret" in only_line(site)
    site.secret.write_text(both)
    site.start()
    service_is_back(site, issue(site), order_number())


def test_tables_of_an_earlier_version_get_to_know_their_secret(new_site):
    """By what it has sealed: somebody else's upgrade must not take the database away."""
    site = new_site(start=False)
    key = site.ctl("key", "create", "--product", 1, "--version", "1.0").stdout.split()[0]
    site.change("ALTER TABLE qlm_site DROP COLUMN secret_verifier")
    site.change("UPDATE qlm_site SET schema_version = 3")
    if ENGINE == "sqlite":
        give_to_server(*site.database.parent.iterdir())
    assert "qlmctl db upgrade" in only_line(site)
    good = site.secret.read_text()
    new_secret(site)
    assert "another secret" in refusal(site, "db", "upgrade")
    assert not site.query("SELECT secret_verifier AS s FROM qlm_site")[0]["s"]
    site.secret.write_text(good)
    site.ctl("db", "upgrade")
    assert site.query("SELECT secret_verifier AS s FROM qlm_site")[0]["s"]
    site.start()
    until(lambda: validate(site, key).error is None)
    new_secret(site)
    assert "another secret" in only_line(site)


def test_a_database_that_holds_nothing_is_anybodys(new_site, empty_database):
    site = new_site(start=False)
    with on_database(site, empty_database):
        init(site)
        new_secret(site)
        assert "another secret" in only_line(site)
        init(site)
        assert site.configtest().returncode == 0
