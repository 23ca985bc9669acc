"""qlmctl, the built program, on sites of its own: a folder with a secret, and a database. No httpd here.

QLMCTL names the program; else it is found below QLM_BUILD.
"""
import base64
import contextlib
import json
import os
import pty
import pwd
import re
import select
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pytest

import engines
from engines import ENGINE, Server

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "qlmctl.8"
USER = "www-data"
as_root = pytest.mark.as_root  # only root can give files to another user

KEY = re.compile(r"^[0-9A-Z]{5}(-[0-9A-Z]{5}){3}-[0-9A-Z]{6}$")
NOW = int(time.time())
DAY = 86400


def program():
    named = os.environ.get("QLMCTL") or os.environ.get("QLM_QLMCTL")
    if not named:
        built = Path(os.environ["QLM_BUILD"], "mod_qlm", "qlmctl")
        named = built / "qlmctl" if built.is_dir() else built
    return str(Path(named).resolve())


class Site:
    """A site below a folder; `run` calls the program on it."""

    def __init__(self, root):
        self.root = root
        self.secret = root / "etc" / "secret"
        self.database = root / "data" / "qlm.db" if ENGINE == "sqlite" else Server.of(ENGINE).new_database()

    def remove(self):
        shutil.rmtree(self.root)
        if isinstance(self.database, engines.Database):
            self.database.remove()

    def copy_from(self, other):
        """Be another site."""
        shutil.copytree(other.root / "etc", self.root / "etc")
        if ENGINE == "sqlite":
            shutil.copytree(other.root / "data", self.root / "data")
        else:
            self.run("init")
            other.database.copy_to(self.database)

    def run(self, *words, stdin="", code=0, **more):
        """Run, demand the exit code, and with a failure exactly one line that begins as all do."""
        done = subprocess.run([program(), "--database", str(self.database), "--secret", str(self.secret),
                               *map(str, words)], input=stdin, capture_output=True, text=True, timeout=60, **more)
        assert done.returncode == code, "exit %d\n%s%s" % (done.returncode, done.stdout, done.stderr)
        if code:
            assert re.fullmatch(r"qlmctl: [^\n]+\n", done.stderr), done.stderr
        else:
            assert done.stderr == ""
        return done

    def text(self, *words, **more):
        return self.run(*words, **more).stdout

    def json(self, *words, **more):
        return json.loads(self.run("--json", *words, **more).stdout)

    def refusal(self, *words, code=1, **more):
        return self.run(*words, code=code, **more).stderr

    def query(self, sql, *values):
        return engines.query(self.database, sql, *values, write=True)

    def dump(self):
        return engines.dump(self.database)

    def add_product(self, number=1, version="1.0", *options):
        return self.run("product", "add", "--id", number, "--version", version, "--name", "Demo", *options)

    def create(self, *words):
        keys = self.text("key", "create", "--product", 1, "--version", "1.0", *words).split()
        return keys[0] if len(keys) == 1 else keys

    def normal(self, key):
        return key.replace("-", "")

    def activate(self, key, computer, name="", at=NOW):
        """As if that computer had activated the key."""
        row = self.query("SELECT id FROM qlm_license WHERE activation_key = ?", self.normal(key))[0]
        self.query("UPDATE qlm_license SET available_licenses = available_licenses - 1 WHERE id = ?", row["id"])
        self.query("INSERT INTO qlm_activation (id, license_id, computer_fold, computer_id, computer_name, major,"
                   " minor, activated_at, last_accessed_at, activation_count)"
                   " SELECT COALESCE(MAX(id), 0) + 1, ?, ?, ?, ?, 1, 0, ?, ?, 1 FROM qlm_activation",
                   row["id"], computer.lower(), computer, name, at, at)

    def change_license(self, key, **columns):
        for column, value in columns.items():
            self.query("UPDATE qlm_license SET %s = ? WHERE activation_key = ?" % column, value, self.normal(key))


@pytest.fixture
def empty():
    """Nothing yet. Not pytest's own temporary folder: other users cannot enter that."""
    root = Path(tempfile.mkdtemp(prefix="qlmctl-", dir="/tmp"))
    root.chmod(0o755)
    made = Site(root)
    database = made.database
    yield made
    made.database = database  # a test may have looked at another one
    made.remove()


@pytest.fixture(scope="session")
def pattern(tmp_path_factory):
    """A site with a product, copied for each test: making RSA keys is what takes time."""
    made = Site(tmp_path_factory.mktemp("pattern"))
    made.run("init")
    made.add_product(1, "1.0", "--released", "2024-01-31")
    return made


@pytest.fixture
def site(pattern, empty):
    empty.copy_from(pattern)
    return empty


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ---- the command line ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, says", [
    ([], "no command was given; see qlmctl --help"),
    (["frobnicate"], "no command frobnicate; see qlmctl --help"),
    (["key"], "key needs a verb; see qlmctl key --help"),
    (["key", "frob"], "no command key frob; see qlmctl key --help"),
    (["key", "show"], "key show needs KEY"),
    (["key", "show", "A", "B"], "does not take the argument B"),
    (["vendor", "set", "shareit"], "vendor set needs NAME field=value ..."),
    (["product", "add", "--id", "1"], "needs --version MAJOR.MINOR"),
    (["product", "list", "--frob"], "no option --frob"),
    (["product", "list", "--undo"], "product list has no option --undo"),
    (["product", "list", "--json=yes"], "--json takes no value"),
    (["product", "show", "--id"], "--id needs a value: NUMBER"),
    (["product", "show", "--id", "x", "--version", "1.0"], "--id x is not a whole number"),
    (["product", "show", "--id", "1", "--version", "1"], "--version 1 is not MAJOR.MINOR"),
    (["product", "show", "--id", "1", "--version", "1.100"], "--version 1.100 is not MAJOR.MINOR"),
    (["product", "show", "--id", "1", "--version", "1.0.0"], "--version 1.0.0 is not MAJOR.MINOR"),
    (["product", "keys", "--id", "1", "--version", "1.0", "--format", "der"], "--format takes pem or xml"),
    (["product", "add", "--id", "3", "--version", "1.0", "--name", " "], "--name takes"),
    (["product", "add", "--id", "3", "--version", "1.0", "--name", "a\nb"], "--name takes"),
    (["product", "add", "--id", "3", "--version", "1.0", "--name", "x", "--algorithm", "md5"], "--algorithm takes"),
    (["product", "add", "--id", "3", "--version", "1.0", "--name", "x", "--bits", "512"], "--bits 512 is not"),
    (["product", "add", "--id", "3", "--version", "1.0", "--name", "x", "--released", "2024-02-30"], "--released takes"),
    (["key", "list", "--limit", "0"], "--limit 0 is not a whole number from 1"),
    (["key", "create", "--product", "1", "--version", "1.0", "--quantity", "0"], "--quantity 0 is not"),
    (["key", "create", "--product", "1", "--version", "1.0", "is_expiry=2030-01-01"], "does not know is_expiry"),
    (["key", "create", "--product", "1", "--version", "1.0", "is_pwd=x"], "does not know is_pwd"),
    (["key", "create", "--product", "1", "--version", "1.0", "is_vendor=x"], "does not know is_vendor"),
    (["key", "create", "--product", "1", "--version", "1.0", "email"], "does not know email"),
    (["outbox", "list", "--state", "lost"], "--state takes waiting, sent, failed or cancelled"),
    (["outbox", "list", "--state", ""], "--state takes waiting"),
    (["outbox", "list", "--limit", "0"], "--limit 0 is not"),
    (["outbox", "show", "x"], "x is not an ID"),
    (["outbox", "retry", "0"], "0 is not an ID"),
    (["outbox", "cancel", "-1"], "-1 is not an ID"),
    (["template", "show", "1. New Order", "--format", "pem"], "--format takes html or text"),
    (["template", "set", "x", "--subject", "y"], "needs --html FILE"),
    (["template", "set", "x", "--html", "-"], "needs --subject TEXT"),
    (["template", "set", "x", "--subject", "y", "--html", "-", "--text", "-"], "standard input can be read once"),
    (["mail", "test", "Ada <ada@customer.example>"], "is not a bare address"),
    (["mail", "test", "ada@customer.example\r\nBcc: eve@customer.example"], "is not a bare address"),
    (["mail", "test", ""], "is not a bare address"),
    (["--database", "", "key", "list"], "must not be empty"),
])
def test_a_command_line_that_cannot_be_understood(site, words, says):
    before = site.dump()
    assert says in site.refusal(*words, code=2)
    assert site.dump() == before


def test_control_characters_of_the_command_line_do_not_reach_the_terminal(site):
    assert "\x1b" not in site.refusal("\x1b[31mred", code=2)
    assert "\x1b" not in site.refusal("verify", "\x1b[31mred")


def commands():
    """The commands as the help of everything lists them."""
    listing = subprocess.run([program(), "--help"], capture_output=True, text=True).stdout
    return re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?: [A-Z\[].*?)?  +[A-Z]", listing, re.M)


def test_help_of_everything_lists_all_commands(empty):
    assert set(commands()) >= {
        "init", "db upgrade", "db check", "db backup", "product add", "product list", "product show", "product keys",
        "product set",
        "vendor set", "vendor list", "vendor show", "property set", "property get", "property list", "key create",
        "key show", "key list", "key revoke", "key explain", "customer find", "customer show",
        "organization list", "organization show", "organization add", "organization set", "order find", "order show", "verify", "version",
        "outbox list", "outbox show", "outbox retry", "outbox cancel", "template list", "template show", "template set",
        "template remove", "template preview", "mail test"}


def test_help_everywhere_needs_no_site(empty):
    empty.secret = empty.database = Path("/nonexistent/x")
    for command in commands():
        words = command.split()
        text = empty.text(*words, "--help")
        assert text.startswith("Usage: qlmctl " + command)
        assert empty.text("--help", *words) == empty.text(*words, "-h") == text
        assert command in empty.text(words[0], "--help")


def test_the_manual_knows_every_command_and_option_and_has_no_mistakes():
    manual = MANUAL.read_text()
    plain = re.sub(r"\\f.|\\|\"", "", manual)
    for command in commands():
        assert re.search(r"^\.(B|BI|BR) %s\b" % re.escape(command), plain, re.M), command
        text = subprocess.run([program(), *command.split(), "--help"], capture_output=True, text=True).stdout
        for option in re.findall(r"^  (--[a-z]+)", text, re.M):
            assert option in plain, option
    if not shutil.which("groff"):
        pytest.skip("no groff: the manual was not typeset")
    typeset = subprocess.run(["groff", "-man", "-ww", "-Tutf8", str(MANUAL)], capture_output=True, text=True)
    assert (typeset.returncode, typeset.stderr) == (0, "")


def test_options_stand_anywhere(site):
    expected = site.json("product", "show", "--id", 1, "--version", "1.0")
    for words in (["--id", "1", "product", "--version=1.0", "show", "--json"],
                  ["product", "--json", "show", "--version", "1.0", "--id=1"]):
        assert json.loads(site.text(*words)) == expected


def test_two_dashes_end_the_options(site):
    site.run("property", "set", "--", "myArguments", "--help")
    assert site.text("property", "get", "myArguments") == "--help\n"


@pytest.mark.sqlite_only("paths")
def test_site_from_the_environment_and_database_prefixes(site):
    def run(*words, **variables):
        return subprocess.run([program(), *words], capture_output=True, text=True, env={**os.environ, **variables})

    settings = {"QLMCTL_DATABASE": str(site.database), "QLMCTL_SECRET": str(site.secret)}
    assert "Demo" in run("product", "list", **settings).stdout
    settings["QLMCTL_DATABASE"] = "sqlite3:" + str(site.database)
    assert "Demo" in run("product", "list", **settings).stdout
    settings["QLMCTL_DATABASE"] = "/nonexistent/qlm.db"
    assert run("product", "list", **settings).returncode == 1
    assert "Demo" in run("product", "list", "--database", str(site.database), **settings).stdout  # the option wins


def test_version(empty):
    assert re.fullmatch(r"qlmctl \d+\.\d+\.\d+ \(schema \d+\)\n", empty.text("version"))
    assert set(empty.json("version")) == {"program", "schema"}


def test_output_that_cannot_be_written_is_a_failure(site):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program(), "--database", str(site.database), "product", "list"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "could not be written" in done.stderr


# ---- init ------------------------------------------------------------------------------------------------------------

@pytest.mark.sqlite_only("its file")
def test_init_makes_everything_and_may_be_run_again(empty):
    first = empty.json("init")
    assert first["made_secret"] and first["made_database"]
    assert mode(empty.secret) == 0o600
    assert mode(empty.secret.parent) == mode(empty.database.parent) == 0o750
    assert mode(empty.database) & 0o007 == 0
    empty.add_product()
    secret, dump = empty.secret.read_bytes(), empty.dump()
    second = empty.json("init")
    assert not second["made_secret"] and not second["made_database"]
    assert (empty.secret.read_bytes(), empty.dump()) == (secret, dump)
    assert empty.text("init").count("was there") == 2


@pytest.mark.sqlite_only("its file")
def test_init_leaves_an_existing_folder_as_it_is(empty):
    empty.database.parent.mkdir(mode=0o705)
    empty.database.parent.chmod(0o705)
    empty.run("init")
    assert mode(empty.database.parent) == 0o705


def test_init_refuses_a_new_secret_for_a_database_in_use(site):
    site.secret.unlink()
    before = site.dump()
    assert "bring the file back from its backup" in site.refusal("init")
    assert not site.secret.exists()
    assert site.dump() == before


def test_init_makes_a_secret_for_a_database_that_holds_no_keys(empty):
    empty.run("init")
    empty.secret.unlink()
    assert empty.json("init")["made_secret"]


def test_init_refuses_a_secret_that_others_can_read(site):
    site.secret.chmod(0o644)
    assert str(site.secret) in site.refusal("init")
    site.secret.chmod(0o600)
    site.secret.write_text("too short\n")
    site.refusal("init")
    assert site.secret.read_text() == "too short\n"


@pytest.mark.sqlite_only("its file")
def test_init_refuses_a_file_that_is_no_database(empty):
    empty.database.parent.mkdir()
    empty.database.write_text("this is no database, only some text that is long enough to be looked at\n" * 20)
    before = empty.database.read_bytes()
    empty.refusal("init")
    assert empty.database.read_bytes() == before


@pytest.mark.sqlite_only("its file")
def test_user_is_for_sqlite(empty):
    empty.database = "pgsql:host=/nonexistent"
    assert "--user is for the files of SQLite" in empty.refusal("init", "--user", USER, code=2)


def owner(path):
    return pwd.getpwuid(path.lstat().st_uid).pw_name


@pytest.mark.sqlite_only("its file")
@as_root
def test_init_gives_the_database_to_the_user(empty):
    assert "belongs to root" in empty.text("init")
    assert "rights: good" in empty.text("init", "--user", USER)
    assert {owner(p) for p in empty.database.parent.iterdir()} == {USER}
    assert owner(empty.database.parent) == USER
    assert owner(empty.secret) == owner(empty.secret.parent) == "root"
    # root goes on working with it, and whatever comes into being stays usable for the user
    empty.add_product()
    assert {owner(p) for p in empty.database.parent.iterdir()} == {USER}
    as_user = ["setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups", "--"]
    for_user = Path("/tmp") / ("qlmctl-%d" % os.getpid())
    shutil.copy(program(), for_user)
    try:
        for_user.chmod(0o755)
        command = as_user + [str(for_user), "--database", str(empty.database), "property", "set", "a", "b"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        for_user.unlink()
    assert empty.text("property", "get", "a") == "b\n"
    assert empty.json("init")["problems"] == []


@pytest.mark.sqlite_only("its file")
@as_root
def test_init_says_what_the_user_cannot_reach(empty):
    empty.root.chmod(0o700)
    assert "user %s cannot enter the folder" % USER in empty.refusal("init", "--user", USER)
    assert empty.run("init", "--user", USER, "--json", code=1).stdout.count("cannot enter") == 1


@pytest.mark.sqlite_only("its file")
@as_root
def test_init_refuses_links_and_unknown_users(empty):
    empty.run("init")
    victim = empty.root / "victim"
    victim.write_text("root's\n")
    lock = Path(str(empty.database) + "-writer")
    lock.unlink(missing_ok=True)
    lock.symlink_to(victim)
    empty.refusal("init", "--user", USER)
    assert owner(victim) == "root"
    lock.unlink()
    os.link(victim, lock)
    assert "not a plain file" in empty.refusal("init", "--user", USER)
    assert owner(victim) == "root"
    assert "no user no-such-user" in empty.refusal("init", "--user", "no-such-user")


@pytest.mark.sqlite_only("its file")
@as_root
def test_init_never_gives_away_a_folder_of_the_system(empty):
    """/tmp stays root's; everybody may write there, so the rights are good."""
    empty.database = Path("/tmp/qlmctl-test-%d.db" % os.getpid())
    try:
        empty.run("init", "--user", USER)
        assert owner(Path("/tmp")) == "root"
        assert owner(empty.database) == USER
    finally:
        for left in Path("/tmp").glob(empty.database.name + "*"):
            left.unlink()


# ---- db --------------------------------------------------------------------------------------------------------------

@pytest.mark.sqlite_only("its file")
def test_a_missing_database_is_not_made(empty):
    for words in (["db", "check"], ["db", "upgrade"], ["key", "list"], ["db", "backup", str(empty.root / "copy")]):
        assert "is missing" in empty.refusal(*words)
    assert not empty.database.exists() and not empty.database.parent.exists()


def test_upgrade(site):
    assert "nothing to do" in site.text("db", "upgrade")
    version = site.json("db", "upgrade")
    assert version["schema_before"] == version["schema"] == site.json("version")["schema"]
    site.query("UPDATE qlm_site SET schema_version = schema_version + 1")
    site.refusal("db", "upgrade")
    assert "schema" in site.refusal("key", "list")


def test_check_finds_seats_that_do_not_add_up(site):
    assert "in order" in site.text("db", "check")
    assert site.json("db", "check") == []
    key = site.create("--quantity", 3)
    site.change_license(key, available_licenses=2)
    done = site.run("db", "check", code=1)
    assert "1 problem; " in done.stderr
    assert len(done.stdout.splitlines()) == 2  # heading, problem
    assert len(json.loads(site.run("db", "check", "--json", code=1).stdout)) == 1


@pytest.mark.sqlite_only("its file")
def test_check_finds_a_damaged_file(site):
    for _ in range(40):
        site.create("is_userdata1=" + "x" * 900)
    with contextlib.closing(sqlite3.connect(site.database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = site.database.stat().st_size
    with open(site.database, "r+b") as file:
        file.seek(size - 3 * 4096)
        file.write(b"\xff" * 4096)
    site.refusal("db", "check")


@pytest.mark.sqlite_only("its file")
def test_backup(site):
    key = site.create()
    copy = site.root / "copy.db"
    assert "Copied to" in site.text("db", "backup", copy)
    assert mode(copy) == 0o600
    before = copy.read_bytes()
    assert "is there already" in site.refusal("db", "backup", copy)
    assert copy.read_bytes() == before
    site.query("DELETE FROM qlm_license")
    site.database = copy
    assert site.json("key", "show", key)["activation_key"] == key
    assert site.json("db", "check") == []


def test_copy_to_another_database(site, empty, tmp_path):
    """There and, with SQLite at the other end, back again: what comes back is what was sent."""
    keys = [site.create("is_userdata1=Zo\u00eb's \u96fb\u8166 100% \\ 'x'", "email=zoe@customer.example")
            for _ in range(4)]
    for n, key in enumerate(keys):
        site.activate(key, "PC-%d" % n)
    site.run("property", "set", "MailSubject", "two\nlines")
    away = tmp_path / "away.db"
    before = site.dump()
    done = site.json("db", "copy", site.database, away)
    assert done["rows"] == sum(map(len, before.values()))
    back = engines.Server.of(ENGINE).new_database() if ENGINE != "sqlite" else tmp_path / "back.db"
    assert "compared them" in site.text("db", "copy", "-", "-", stdin="%s\n%s\n" % (away, back))
    assert site.dump() == before
    assert engines.dump(back) == before
    site.database = back
    assert site.json("db", "check") == []
    assert site.json("key", "show", keys[0])["activation_key"] == keys[0]


def test_copy_many_rows(site, tmp_path):
    """More than a page of each kind, with keys that begin alike."""
    for n in range(1300):
        site.query("INSERT INTO qlm_order (vendor, order_ref, line_ref, answer) VALUES ('shop', ?, ?, 'x')",
                   str(n // 3), str(n % 3))
    away = tmp_path / "away.db"
    site.run("db", "copy", site.database, away)
    assert engines.dump(away) == site.dump()


def test_copy_refuses_what_would_mix_two_sites(site, empty):
    site.create()
    before = site.dump()
    other = empty.root / "other.db"
    site.run("db", "copy", site.database, other)
    there = engines.dump(other)
    assert "holds rows already" in site.refusal("db", "copy", site.database, other)
    assert engines.dump(other) == there
    assert "the same database" in site.refusal("db", "copy", site.database, site.database, code=2)
    refusal = site.refusal("db", "copy", empty.root / "nowhere.db", empty.root / "new.db")
    assert "is missing" in refusal and "--httpd apachectl" in refusal
    assert not (empty.root / "new.db").exists()
    assert site.dump() == before


# ---- products --------------------------------------------------------------------------------------------------------

def test_product_list_and_show(site):
    assert re.search(r"^1 +1\.0 +Demo +rsa-sha256 +2024-01-31$", site.text("product", "list"), re.M)
    shown = site.json("product", "show", "--id", 1, "--version", "1.0")
    assert shown == site.json("product", "list")[0]
    assert (shown["product_id"], shown["version"], shown["released"]) == (1, "1.0", "2024-01-31")
    assert "PRIVATE" not in json.dumps(shown) and "sealed" not in json.dumps(shown)
    assert "no product 1 version 1.1" in site.refusal("product", "show", "--id", 1, "--version", "1.1")


def test_product_add_does_not_change_a_product(site):
    before = site.dump()
    assert "there already" in site.refusal("product", "add", "--id", 1, "--version", "1.0", "--name", "Other")
    assert site.dump() == before


def test_product_set_changes_what_is_named(site):
    before = site.json("product", "show", "--id", 1, "--version", "1.0")
    after = site.json("product", "set", "--id", 1, "--version", "1.0", "latest-version=1.0.3", "name=Demo two",
                      "features=0:1:STD;0:2:PRO", "latest-url=https://www.example.com/", "latest-notes=one\ntwo")
    assert after == site.json("product", "show", "--id", 1, "--version", "1.0")
    assert after == {**before, "latest_version": "1.0.3", "name": "Demo two", "features": "0:1:STD;0:2:PRO",
                     "latest_version_url": "https://www.example.com/", "latest_version_notes": "one\ntwo"}
    again = site.json("product", "set", "--id", 1, "--version", "1.0", "latest-notes=", "released=")
    assert again == {**after, "latest_version_notes": "", "released": None}
    made = site.run("product", "add", "--id", 4, "--version", "1.0", "--name", "New", "features=0:1:A",
                    "latest-version=2", "--json")
    assert json.loads(made.stdout)["features"] == "0:1:A"


@pytest.mark.parametrize("words, cause", [
    ([], "FIELD=VALUE"),
    (["algorithm=rsa-sha1"], "is not a field here; the fields are features="),
    (["name=x", "name=y"], "name is given twice"),
    (["name="], "name takes"),
    (["released=2026-02-30"], "released takes a date"),
    (["features=0:3:STD"], "features are names as set:id:name"),
    (["latest-url=javascript:alert(1)"], "latest-url begins with https://"),
    (["latest-version=a\nb"], "latest-version takes"),
    (["latest-version=" + "x" * 101], "at most 100 bytes"),
    (["latest-notes=a\x01b"], "latest-notes takes"),
])
def test_product_set_refuses(site, words, cause):
    before = site.dump()
    assert cause in site.refusal("product", "set", "--id", 1, "--version", "1.0", *words, code=2)
    assert site.dump() == before
    assert "no product 9" in site.refusal("product", "set", "--id", 9, "--version", "1.0", "name=x")


def test_product_with_other_choices(site):
    site.add_product(2, "2.7", "--algorithm", "rsa-sha1", "--bits", 1024)
    shown = site.json("product", "show", "--id", 2, "--version", "2.7")
    assert (shown["algorithm"], shown["released"]) == ("rsa-sha1", None)
    pem = site.root / "key.pem"
    pem.write_text(shown["public_key_pem"])
    said = subprocess.run(["openssl", "pkey", "-pubin", "-in", str(pem), "-noout", "-text"], capture_output=True,
                          text=True).stdout
    assert "1024 bit" in said


def test_product_keys_are_one_key_in_two_forms(site):
    pem = site.text("product", "keys", "--id", 1, "--version", "1.0")
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n") and pem.endswith("-----END PUBLIC KEY-----\n")
    xml = site.text("product", "keys", "--id", 1, "--version", "1.0", "--format", "xml")
    assert re.fullmatch(r"<RSAKeyValue><Modulus>[^<]+</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>\n", xml)
    assert site.json("product", "keys", "--id", 1, "--version", "1.0") == {"pem": pem, "xml": xml.strip()}
    modulus = subprocess.run(["openssl", "rsa", "-pubin", "-noout", "-modulus"], input=pem, capture_output=True,
                             text=True).stdout.strip().partition("=")[2]
    assert base64.b64decode(re.search("<Modulus>(.*)</Modulus>", xml).group(1)).hex().upper() == modulus


def test_the_private_key_is_sealed(site):
    assert "PRIVATE KEY" not in "\n".join(site.dump())
    sealed = site.query("SELECT private_key_sealed FROM qlm_product")[0]["private_key_sealed"]
    assert sealed.startswith("s1$") and len(sealed) > 1000


# ---- vendors ---------------------------------------------------------------------------------------------------------

def test_vendors_let_nobody_in_until_they_are_set(site):
    listed = {v["name"]: v for v in site.json("vendor", "list")}
    assert set(listed) >= {"cleverbridge", "shareit", "qlmauthenticationprovider"}
    assert not any(v["is_enabled"] or v["is_open"] or v["has_password"] for v in listed.values())
    assert "disabled" in site.json("vendor", "show", "cleverbridge")["state"]


def test_vendor_set_changes_what_is_named_and_nothing_else(site):
    site.run("vendor", "set", "cleverbridge", "enabled=true", "user=shop", "password=-", "url=https://shop.example/",
             stdin="Sesam\n")
    site.run("vendor", "set", "cleverbridge", "user=other")
    shown = site.json("vendor", "show", "CleverBridge")
    assert (shown["is_enabled"], shown["user"], shown["has_password"], shown["url"]) == (
        True, "other", True, "https://shop.example/")
    assert (shown["has_api_key"], shown["has_shared_key"], shown["is_open"]) == (False, False, False)


def test_vendor_names_are_made_canonical(site):
    for name, canonical in (("MyCommerce", "shareit"), ("QlmAuthenticationProvider", "qlmauthenticationprovider")):
        assert site.json("vendor", "set", name, "enabled=true")["name"] == canonical
    assert [r["name"] for r in site.query("SELECT name FROM qlm_vendor ORDER BY name")] == [
        "qlmauthenticationprovider", "shareit"]
    said = site.refusal("vendor", "set", "paddel", "enabled=true")
    assert "cleverbridge" in said and "shareit" in said
    assert "valid names" in site.refusal("vendor", "show", "paddel")


def test_secrets_are_read_from_standard_input_in_the_order_named(site):
    site.run("vendor", "set", "shareit", "shared_key=-", "user=u", "password=-", "api_key=-",
             stdin="the shared one\r\nthe pass wörd\nthe api one")  # the last line needs no end
    record = site.query("SELECT * FROM qlm_vendor")[0]
    assert record["password_verifier"].startswith("v1$")
    assert record["api_key_sealed"].startswith("s1$") and record["shared_key_sealed"].startswith("s1$")
    everything = "\n".join(site.dump())
    assert not any(s in everything for s in ("the shared one", "the pass", "the api one"))
    # a verifier depends on secret, vendor and password only: the same password shows which line was taken
    verifier = record["password_verifier"]
    site.run("vendor", "set", "shareit", "password=-", stdin="another\n")
    assert site.query("SELECT * FROM qlm_vendor")[0]["password_verifier"] != verifier
    site.run("vendor", "set", "shareit", "password=-", stdin="the pass wörd\n")
    assert site.query("SELECT * FROM qlm_vendor")[0]["password_verifier"] == verifier
    for words in (["vendor", "show", "shareit"], ["vendor", "list"], ["vendor", "list", "--json"]):
        assert not any(s in site.text(*words) for s in ("v1$", "s1$", "the "))


def test_a_secret_may_be_a_long_key(site):
    site.run("vendor", "set", "salesforce", "shared_key=-", stdin="x" * 4000 + "\n")
    assert len(site.query("SELECT shared_key_sealed FROM qlm_vendor")[0]["shared_key_sealed"]) > 5000


def vendor_row(site, name):
    return site.query("SELECT * FROM qlm_vendor WHERE name = ?", name)[0]


def test_a_pair_of_its_own_for_the_callback(site):
    shown = site.json("vendor", "set", "shareit", "enabled=true", "user=u", "password=-", "callback_user=caller",
                      stdin="the same\n")
    assert (shown["callback_user"], shown["has_callback_password"]) == ("caller", False)
    assert "callback_user counts only" in shown["state"]
    shown = site.json("vendor", "set", "shareit", "callback_password=-", stdin="the same\n")
    assert shown["has_callback_password"] and "callback_user and callback_password" in shown["state"]
    row = vendor_row(site, "shareit")
    assert row["callback_verifier"].startswith("v1$")
    assert row["callback_verifier"] != row["password_verifier"]  # each has an owner of its own
    listed = {v["name"]: v for v in site.json("vendor", "list")}
    assert (listed["shareit"]["callback_user"], listed["shareit"]["has_callback_password"]) == ("caller", True)
    assert "the same" not in "\n".join(site.dump())
    shown = site.json("vendor", "set", "shareit", "callback_user=", "callback_password=")
    assert (shown["callback_user"], shown["has_callback_password"], shown["has_password"]) == ("", False, True)


def test_the_password_is_kept_only_for_a_shop_that_is_asked_back(site):
    for name, is_kept in (("cleverbridge", False), ("salesforce", True)):
        shown = site.json("vendor", "set", name, "user=u", "password=-", stdin="Sesam-1\n")
        assert shown["has_password"] and shown["has_sealed_password"] == is_kept
        assert vendor_row(site, name)["password_sealed"].startswith("s1$") == is_kept
    first = vendor_row(site, "salesforce")
    site.run("vendor", "set", "salesforce", "user=other", "callback_password=-", stdin="Sesam-2\n")
    row = vendor_row(site, "salesforce")
    assert (row["password_sealed"], row["password_verifier"]) == (first["password_sealed"], first["password_verifier"])
    site.run("vendor", "set", "salesforce", "password=-", stdin="Sesam-3\n")
    changed = vendor_row(site, "salesforce")
    assert changed["password_sealed"] not in ("", row["password_sealed"])
    assert not site.json("vendor", "set", "salesforce", "password=")["has_sealed_password"]
    row = vendor_row(site, "salesforce")
    assert (row["password_sealed"], row["password_verifier"]) == ("", "")
    assert "Sesam" not in "\n".join(site.dump())


def test_an_empty_value_removes_a_secret(site):
    site.run("vendor", "set", "shareit", "password=-", "api_key=-", stdin="a\nb\n")
    shown = site.json("vendor", "set", "shareit", "password=")
    assert (shown["has_password"], shown["has_api_key"]) == (False, True)


@pytest.mark.parametrize("words, stdin, code, says", [
    (["password=Sesam"], "", 2, "write password=- and give it on standard input"),
    (["api_key=Sesam"], "", 2, "write api_key=-"),
    (["callback_password=Sesam"], "", 2, "write callback_password=-"),
    (["callback_user=a\nb"], "", 2, "callback_user takes"),
    (["pasword=Sesam"], "", 2, "pasword is not a field"),
    (["Sesam"], "", 2, "a word without ="),
    (["enabled=perhaps"], "", 2, "enabled takes true or false"),
    (["open="], "", 2, "open takes true or false"),
    (["enabled=true", "enabled=false"], "", 2, "enabled is given twice"),
    (["password=-", "password="], "Sesam\n", 2, "password is given twice"),
    (["user=a\tb"], "", 2, "user takes"),
    (["user=" + "x" * 256], "", 2, "user takes"),
    (["url=ftp://shop.example/"], "", 2, "https:// or http://"),
    (["enabled=true", "password=-"], "", 1, "no usable password on standard input"),
    (["enabled=true", "password=-"], "\n", 1, "is empty; nothing was changed"),
    (["enabled=true", "password=-", "api_key=-"], "Sesam\n", 1, "no usable api_key"),
    (["enabled=true", "password=-"], "Se\x01sam\n", 1, "control characters"),
    (["enabled=true", "password=-"], "Se\0sam\n", 1, "control characters"),
    (["enabled=true", "password=-"], "x" * 4001 + "\n", 1, "no usable password"),
])
def test_vendor_set_refuses(site, words, stdin, code, says):
    before = site.dump()
    said = site.refusal("vendor", "set", "cleverbridge", *words, stdin=stdin, code=code)
    assert says in said
    assert "Sesam" not in said
    assert site.dump() == before


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, site, *words):
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen([program(), "--database", str(site.database), "--secret", str(site.secret),
                                       *words], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        self.slave = slave
        self.seen = b""

    def wait_for(self, wanted, seconds=20):
        end = time.monotonic() + seconds
        while wanted not in self.seen and time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096)
        assert wanted in self.seen, self.seen

    def type(self, text):
        os.write(self.master, text)

    def has_echo(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal(site):
    opened = []

    def start(*words):
        opened.append(Terminal(site, *words))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_terminal_is_asked_without_echo(site, terminal):
    one = terminal("vendor", "set", "shareit", "enabled=true", "password=-", "api_key=-")
    one.wait_for(b"password: ")
    one.type(b"Sesam-0pen\n")
    one.wait_for(b"api_key: ")
    one.type(b"Sesam-2\n")
    one.wait_for(b"state:")
    assert one.child.wait(20) == 0
    assert b"Sesam" not in one.seen
    assert one.has_echo()
    shown = site.json("vendor", "show", "shareit")
    assert shown["has_password"] and shown["has_api_key"]


def test_a_terminal_has_its_echo_again_after_ctrl_c(site, terminal):
    one = terminal("vendor", "set", "shareit", "enabled=true", "password=-")
    one.wait_for(b"password: ")
    assert not one.has_echo()
    one.type(b"Sesam\x03")
    assert one.child.wait(20) == 1
    assert one.has_echo()
    one.wait_for(b"no usable password")
    assert b"Sesam" not in one.seen
    assert not site.json("vendor", "show", "shareit")["is_enabled"]


# ---- properties ------------------------------------------------------------------------------------------------------

def test_properties(site):
    assert site.text("property", "get", "enableGetActivationKey") == "false\n"  # the default
    assert site.text("property", "list") == "none\n"
    site.run("property", "set", "ENABLEgetactivationkey", "true")
    assert site.text("property", "get", "enableGetActivationKey") == "true\n"
    listed = site.json("property", "list")
    assert [(p["name"], p["value"], p["default"]) for p in listed] == [("enableGetActivationKey", "true", "false")]
    site.run("property", "set", "enableGetActivationKey", "")
    assert site.json("property", "list") == []
    assert site.text("property", "get", "enableGetActivationKey") == "false\n"


def test_property_values_may_look_like_options(site):
    site.run("property", "set", "maxNewKeysPerDay", "-1")
    site.run("property", "set", "myArguments", "-")
    assert [p["value"] for p in site.json("property", "list")] == ["-1", "-"]


@pytest.mark.parametrize("name", ["smtpPassword", "webHookSecretKey"])
def test_secret_properties_are_sealed_and_never_shown(site, name):
    before = site.dump()
    assert "others can read arguments" in site.refusal("property", "set", name, "Sesam", code=2)
    site.refusal("property", "set", name, "-", stdin="")
    site.refusal("property", "set", name, "-", stdin="\n")
    assert site.dump() == before
    said = [site.text("property", "set", name.lower(), "-", stdin="Sesam-0pen\n"),
            site.text("--json", "property", "set", name, "-", stdin="Sesam-0pen\n")]
    assert site.query("SELECT value FROM qlm_property")[0]["value"].startswith("s1$")
    assert "Sesam" not in "\n".join(site.dump())
    assert site.text("property", "get", name) == "(set)\n"
    for words in (["get", name], ["list"], ["list", "--all"]):
        said += [site.text("property", *words), site.text("--json", "property", *words)]
    assert not any(secret in text for text in said for secret in ("Sesam", "s1$"))
    site.run("property", "set", name, "")
    assert site.text("property", "get", name) == "\n" and site.json("property", "list") == []


def test_property_list_all(site):
    site.run("property", "set", "goldBundle", "&is_features=0:3")
    listed = {p["name"]: p for p in site.json("property", "list", "--all")}
    assert len(listed) > 20
    assert listed["goldBundle"]["value"] == "&is_features=0:3" and listed["goldBundle"]["category"] == "custom"
    assert not listed["dateFormat"]["is_set"] and listed["dateFormat"]["value"] == "yyyy-MM-dd"
    assert all(p["help"] for name, p in listed.items() if name != "goldBundle")
    assert "goldBundle" in site.text("property", "list") and "dateFormat" not in site.text("property", "list")


@pytest.mark.parametrize("name, value", [
    ("enableGetActivationKey", "maybe"), ("maxActivationsPerDay", "3x"), ("maxActivationsPerDay", "-2"),
    ("defaultLicenseModelWhenDurationSet", "rented"), ("dateFormat", "yesterday"), ("x" * 101, "1"), ("", "1"),
    ("a\nb", "1"), ("custom", "x" * 4001),
])
def test_property_values_that_are_refused(site, name, value):
    before = site.dump()
    site.refusal("property", "set", name, value)
    assert site.dump() == before


def test_a_property_that_is_not_there(site):
    assert "no property nonsense" in site.refusal("property", "get", "nonsense")


def test_a_change_raises_the_revision(site):
    def revision():
        return site.query("SELECT revision FROM qlm_site")[0]["revision"]

    for words in (["property", "set", "a", "b"], ["vendor", "set", "shareit", "enabled=true"],
                  ["product", "add", "--id", "7", "--version", "1.0", "--name", "x", "--bits", "1024"]):
        before = revision()
        site.run(*words)
        assert revision() > before, words


# ---- keys ------------------------------------------------------------------------------------------------------------

def test_key_create_needs_no_vendor_and_no_switch(site):
    key = site.create()
    assert KEY.match(key)
    shown = site.json("key", "show", key)
    assert (shown["model"], shown["num_licenses"], shown["available_licenses"], shown["expires_at"]) == (
        "permanent", 1, 1, None)
    assert (shown["customer"], shown["order_line"], shown["activations"]) == (None, None, [])


def test_key_create_takes_the_arguments_of_the_service(site):
    keys = site.create("--quantity", 3, "is_usemultipleactivationskey=false", "is_numberofactivationsperkey=5",
                       "is_expdate=2031-12-31", "IS_FEATURES=0:3;1:1", "is_userdata1=one=two&three")
    assert len(keys) == len(set(keys)) == 3
    for key in keys:
        shown = site.json("key", "show", key)
        assert (shown["num_licenses"], shown["expires_at"], shown["features"], shown["user_data"], shown["model"]) == (
            5, "2031-12-31T23:59:59Z", "0:3;1:1;", "one=two&three", "subscription")


def test_key_create_with_an_order_and_a_customer(site):
    words = ["orderNumber=4711", "email=ada@customer.example", "name=Ada Býron", "company=Analytical Engines",
             "addr1=1 Ring Road", "city=London", "country=United Kingdom", "phone=+44 1", "CustomerNotes=hello"]
    key = site.create(*words)
    shown = site.json("key", "show", key)
    customer = shown["customer"]
    assert (customer["email"], customer["full_name"], customer["company"], customer["address1"], customer["city"],
            customer["country"], customer["phone"], customer["notes"]) == (
        "ada@customer.example", "Ada Býron", "Analytical Engines", "1 Ring Road", "London", "United Kingdom", "+44 1",
        "hello")
    assert shown["customer_id"] == customer["id"] and int(customer["id"]) > 2 ** 53
    assert (shown["vendor"], shown["order_ref"]) == ("qlmauthenticationprovider", "4711")
    assert key in shown["order_line"]["answer"]
    again = site.json("key", "create", "--product", 1, "--version", "1.0", *words)
    assert (again["keys"], again["is_repeat"]) == ([key], True)
    assert len(site.json("key", "list")) == 1


@pytest.mark.parametrize("words, says", [
    (["--product", "9", "--version", "1.0"], "unknown product 9 version 1.0"),
    (["--product", "1", "--version", "1.0", "is_expdate=31.12.2031x"], "is_expdate"),
    (["--product", "1", "--version", "1.0", "is_features=9:1"], "is_features"),
    (["--product", "1", "--version", "1.0", "is_licensemodel=rented"], "is_licensemodel"),
    (["--product", "1", "--version", "1.0", "--quantity", "9999", "is_numberofactivationsperkey=10000"], ""),
])
def test_key_create_refusals_are_those_of_the_service(site, words, says):
    before = site.dump()
    assert says in site.refusal("key", "create", *words)
    assert site.dump() == before


def test_orders_are_found_by_a_part_of_their_number(site):
    for number in ("A-100%", "B-1001", "C_2"):
        site.create("orderNumber=" + number)
    assert {o["order_ref"] for o in site.json("order", "find", "100")} == {"A-100%", "B-1001"}
    assert [o["order_ref"] for o in site.json("order", "find", "00%")] == ["A-100%"]
    assert [o["order_ref"] for o in site.json("order", "find", "c_")] == ["C_2"]
    assert site.json("order", "find", "nothing") == []
    assert len(site.json("order", "find", "--limit", 1, "")) == 1
    assert "B-1001" in site.text("order", "find", "b-1")


def test_key_show_gives_every_stored_fact(site):
    key = site.create("--quantity", 4, "is_maintplan=true", "is_affiliateid=aff", "is_legacykey=OLD", "is_pp=<a/>",
                      "is_computertype=2", "orderNumber=1", "subscriptionid=S-1")
    site.activate(key, "PC-Ünö", "desk")
    shown = site.json("key", "show", key)
    row = site.query("SELECT * FROM qlm_license")[0]
    absent = set(row) - set(shown) - {"major", "minor"}
    assert not absent
    for column in ("num_licenses", "available_licenses", "features", "order_ref", "line_ref", "subscription_ref",
                   "user_data", "comment", "legacy_key", "affiliate_id", "properties", "order_status",
                   "duration_days", "computer_type", "engine", "floating_seats", "model"):
        assert shown[column] == row[column], column
    assert shown["maintenance_until"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row["maintenance_until"]))
    activation = shown["activations"][0]
    assert (activation["computer_id"], activation["computer_name"], activation["version"]) == ("PC-Ünö", "desk", "1.0")
    assert not set(site.query("SELECT * FROM qlm_activation")[0]) - set(activation) - {"major", "minor",
                                                                                     "computer_fold"}
    text = site.text("key", "show", key)
    assert re.search(r"^ +computer id: +PC-Ünö$", text, re.M) and key in text


def test_keys_are_read_as_people_type_them(site):
    key = site.create()
    prefix, rest = key[0], key[1:]
    typed = (prefix + rest.replace("0", "O").replace("1", "l")).lower().replace("-", " ")
    assert site.json("key", "show", typed)["activation_key"] == key


def test_keys_that_are_not_there(site):
    key = site.create()
    wrong = key[:-1] + ("7" if key[-1] != "7" else "8")
    assert "typing mistakes" in site.refusal("key", "show", wrong)
    assert "no such key" in site.refusal("key", "show", "ABC-123")
    assert "cannot be a key" in site.refusal("key", "show", "- -")
    assert "cannot be a key" in site.refusal("key", "show", "")
    assert "no such key" in site.refusal("key", "revoke", "ABC-123")


def test_foreign_keys_are_found(site):
    key = site.create()
    site.change_license(key, activation_key="OLDSERVERKEY99")
    assert site.json("key", "show", "oldserver-key99")["model"] == "permanent"


def test_a_text_of_a_buyer_does_not_reach_the_terminal_as_it_is(site):
    key = site.create("orderNumber=5", "name=Ada")
    site.query("UPDATE qlm_customer SET full_name = ?", "Ada\x1b[2J\x07\nevil: yes")
    text = site.text("key", "show", key)
    assert "\x1b" not in text and "\x07" not in text and "\nevil" not in text
    assert "\x1b" not in site.text("customer", "find", "ada")
    assert site.json("key", "show", key)["customer"]["full_name"] == "Ada\x1b[2J\x07\nevil: yes"


@pytest.mark.sqlite_only("the others refuse such texts")
def test_texts_that_are_not_utf8_are_shown(site):
    key = site.create()
    site.query("UPDATE qlm_license SET comment = CAST(X'4DFC6C6C' AS TEXT)")
    assert site.json("key", "show", key)["comment"] == "Müll"


def test_key_list(site):
    assert site.text("key", "list") == "none\n" and site.json("key", "list") == []
    keys = [site.create("orderNumber=%d" % n, "email=c%d@customer.example" % (n % 2)) for n in range(4)]
    assert [k["activation_key"] for k in site.json("key", "list")] == keys[::-1]  # newest first
    assert [k["activation_key"] for k in site.json("key", "list", "--limit", 2)] == keys[:1:-1]
    assert [k["activation_key"] for k in site.json("key", "list", "--order", 2)] == [keys[2]]
    assert site.json("key", "list", "--vendor", "mycommerce") == []
    assert len(site.json("key", "list", "--vendor", "QlmAuthenticationProvider")) == 4
    customer = site.json("customer", "find", "c1@")[0]["id"]
    assert [k["activation_key"] for k in site.json("key", "list", "--customer", customer)] == [keys[3], keys[1]]
    assert "valid names" in site.refusal("key", "list", "--vendor", "paddel")
    site.activate(keys[0], "PC")
    assert "1 of 1" in site.text("key", "list", "--order", 0)


def test_revoke_and_undo(site):
    key = site.create()
    assert site.json("key", "revoke", key) == {"activation_key": key, "is_disabled": True}
    assert site.json("key", "show", key)["is_disabled"]
    first = site.query("SELECT disabled_at FROM qlm_license")
    assert "is revoked" in site.text("key", "revoke", key)  # again: no harm
    assert site.query("SELECT disabled_at FROM qlm_license") == first
    assert "revoked" in site.text("key", "list")
    assert "not revoked" in site.text("key", "revoke", "--undo", key)
    assert not site.json("key", "show", key)["is_disabled"]


# ---- explain ---------------------------------------------------------------------------------------------------------

def explain(site, key, *words):
    before = site.dump()
    said = site.json("key", "explain", key, *words)
    text = site.text("key", "explain", key, *words)
    assert site.dump() == before, "explaining changes nothing"
    for fact in said["facts"]:
        assert fact in text
    return said


def test_explain_a_fresh_key(site):
    said = explain(site, site.create("--quantity", 10), "--computer", "PC-1")
    assert said["report"]["code"] == 0 and "needs activation" in said["report"]["text"]
    assert said["activation"] == {"code": 0, "text": "activated; 9 of 10 activations would be left"}
    assert any("10 of its 10 activations are free" in f for f in said["facts"])
    assert any("never expires" in f for f in said["facts"])


def test_explain_an_active_computer(site):
    key = site.create("--quantity", 2)
    site.activate(key, "PC-1", "desk")
    said = explain(site, key, "--computer", "pc-1")
    assert said["report"]["code"] == 0 and "valid and active" in said["report"]["text"]
    assert said["activation"]["code"] == 0 and "no seat is taken" in said["activation"]["text"]
    assert any("active on computer PC-1 (desk) since" in f for f in said["facts"])
    other = explain(site, key, "--computer", "PC-2")
    assert "1 of 2 activations" not in other["report"]["text"]
    assert other["activation"] == {"code": 0, "text": "activated; 0 of 2 activations would be left"}


def test_explain_seats_that_are_used_up(site):
    single, double = site.create(), site.create("--quantity", 2)
    site.activate(single, "PC-1")
    site.activate(double, "PC-1")
    site.activate(double, "PC-2")
    assert explain(site, single, "--computer", "PC-9")["activation"]["code"] == 207
    assert explain(site, double, "--computer", "PC-9")["activation"]["code"] == 210
    assert explain(site, double)["activation"]["code"] == 210
    assert "refused, code 210: no activation is free" in site.text("key", "explain", double)


def test_explain_many_computers(site):
    key = site.create("--quantity", 30)
    for n in range(25):
        site.activate(key, "PC-%d" % n, at=NOW + n)
    facts = explain(site, key)["facts"]
    assert sum("is active on computer" in f for f in facts) == 20
    assert any("on 5 more" in f for f in facts)


def test_explain_revoked_expired_and_blocked(site):
    key = site.create("--quantity", 2)
    site.change_license(key, expires_at=NOW - DAY)
    said = explain(site, key, "--computer", "PC-1")
    assert (said["report"]["code"], said["activation"]["code"]) == (209, 209)
    assert any("It expired at" in f for f in said["facts"])
    site.change_license(key, expires_at=NOW + DAY)
    assert any("It expires at" in f for f in explain(site, key)["facts"])
    site.run("property", "set", "blockComputerIDs", "PC-0||PC-1")
    assert explain(site, key, "--computer", "PC-1")["activation"]["code"] == 1
    assert explain(site, key, "--computer", "PC-2")["activation"]["code"] == 0
    site.run("key", "revoke", key)
    said = explain(site, key, "--computer", "PC-1")
    assert (said["report"]["code"], said["activation"]["code"]) == (201, 201)


def test_explain_limits_of_the_site(site):
    key, other = site.create("--quantity", 5), site.create("--quantity", 5)
    site.activate(other, "PC-1")
    site.run("property", "set", "maxActivationsPerSystem", 1)
    said = explain(site, key, "--computer", "PC-1")
    assert said["activation"]["code"] == 214
    assert any("maxActivationsPerSystem is 1; used up are 1" in f for f in said["facts"])
    assert explain(site, key, "--computer", "PC-2")["activation"]["code"] == 0
    site.run("property", "set", "maxActivationsPerSystem", -1)
    site.run("property", "set", "maxActivationsPerDay", 1)
    assert explain(site, key, "--computer", "PC-2")["activation"]["code"] == 210
    site.run("property", "set", "maxActivationsPerDay", 2)
    assert explain(site, key, "--computer", "PC-2")["activation"]["code"] == 0


def test_explain_limits_of_trials(site):
    key, other = (site.create("is_licensemodel=trial", "is_expduration=30") for _ in range(2))
    site.activate(other, "PC-1")
    site.run("property", "set", "numberOfTrialLicensesAllowedPerClient", 1)
    assert explain(site, key, "--computer", "PC-1")["activation"]["code"] == 0  # not enforced
    site.run("property", "set", "enforceMaxTrialsWhenActivating", "true")
    assert explain(site, key, "--computer", "PC-1")["activation"]["code"] == 213
    assert explain(site, key, "--computer", "PC-2")["activation"]["code"] == 0
    permanent = site.create()
    assert explain(site, permanent, "--computer", "PC-1")["activation"]["code"] == 0


def test_explain_keys_that_are_not_known(site):
    key = site.create()
    wrong = key[:-1] + ("7" if key[-1] != "7" else "8")
    said = explain(site, wrong)
    assert not said["is_known"] and said["activation"] is None
    assert said["report"]["code"] == 205 and "check digits are wrong" in said["facts"][0]
    assert explain(site, "ABC-123")["report"]["code"] == 203
    assert explain(site, "x" * 150)["report"]["code"] == 205
    assert "is_pcid" in site.refusal("key", "explain", key, "--computer", "")
    site.refusal("key", "explain", key, "--computer", "x" * 256)


# ---- outbox ----------------------------------------------------------------------------------------------------------

SAY_SENT = "UPDATE qlm_outbox SET state = ?, attempts = 3, last_error = ?, finished_at = ?, next_at = 0 WHERE id = ?"


@pytest.fixture
def posted(site):
    """A site with one mail (older) and one webhook in its outbox, of one order."""
    for name, value in (("smtpFrom", "shop@publisher.example"), ("smtpFromDisplayName", "Ünser Shop"),
                        ("sendMailCc", "cc@publisher.example"), ("sendMailBcc", "bcc@publisher.example"),
                        ("webHooksEnabled", "true"), ("license_created", "https://hook.example/a")):
        site.run("property", "set", name, value)
    site.key = site.create("orderNumber=77", "email=ada@customer.example", "name=Ada Býron",
                           "is_emailtemplate=1. New Order")
    rows = {r["kind"]: r["id"] for r in site.json("outbox", "list")}
    assert set(rows) == {"mail", "webhook"}
    site.mail, site.webhook = rows["mail"], rows["webhook"]
    return site


def test_outbox_list(site, posted):
    listed = {r["id"]: r for r in site.json("outbox", "list")}
    mail = listed[site.mail]
    assert (mail["state"], mail["target"], mail["attempts"], mail["last_error"], mail["finished_at"]) == (
        "waiting", "ada@customer.example", 0, "", None)
    assert mail["next_at"] == mail["created_at"] and "77" in mail["subject"]
    assert int(site.mail) > 2 ** 53
    site.query(SAY_SENT, "failed", "550 no such user", NOW, int(site.mail))
    assert [r["id"] for r in site.json("outbox", "list", "--state", "failed")] == [site.mail]
    assert [r["id"] for r in site.json("outbox", "list", "--state", "waiting")] == [site.webhook]
    assert site.json("outbox", "list", "--state", "sent") == []
    assert [int(r["id"]) for r in site.json("outbox", "list")] == sorted(map(int, listed), reverse=True)
    assert len(site.json("outbox", "list", "--limit", 1)) == 1
    text = site.text("outbox", "list")
    assert "550 no such user" in text and "https://hook.example/a" in text and site.key not in text


def test_outbox_list_of_an_empty_outbox(site):
    assert site.text("outbox", "list") == "none\n" and site.json("outbox", "list") == []


def test_outbox_show_a_mail(site, posted):
    shown = site.json("outbox", "show", site.mail)
    payload = shown["payload"]
    assert (payload["to"], payload["cc"], payload["bcc"], payload["from"], payload["from_name"]) == (
        "ada@customer.example", ["cc@publisher.example"], ["bcc@publisher.example"], "shop@publisher.example",
        "Ünser Shop")
    assert site.key in payload["text"] and site.key in payload["html"]
    text = site.text("outbox", "show", site.mail)
    for part in ("Ünser Shop <shop@publisher.example>", "ada@customer.example", "cc@publisher.example",
                 "bcc@publisher.example", payload["subject"], payload["message_id"], payload["text"]):
        assert part in text, part
    assert "<html" not in text


def test_outbox_show_a_mail_without_text_and_a_broken_one(site, posted):
    payload = site.json("outbox", "show", site.mail)["payload"]
    change = "UPDATE qlm_outbox SET payload = ? WHERE id = ?"
    site.query(change, json.dumps({**payload, "text": "", "html": "<p>one &amp; two</p>"}), int(site.mail))
    assert "one & two" in site.text("outbox", "show", site.mail)
    site.query(change, json.dumps({**payload, "text": "a\x1b[2Jb\n\tc\r\n"}), int(site.mail))
    assert site.text("outbox", "show", site.mail).endswith("\na[2Jb\n\tc\n")
    site.query(change, "no JSON", int(site.mail))
    assert "no JSON" in site.text("outbox", "show", site.mail)
    assert site.json("outbox", "show", site.mail)["payload"] == "no JSON"


def test_outbox_show_a_webhook(site, posted):
    payload = site.json("outbox", "show", site.webhook)["payload"]
    assert payload["Event"] == "license_created"
    assert payload["LicenseInfo"]["ActivationKey"] == site.normal(site.key)
    text = site.text("outbox", "show", site.webhook)
    assert re.search(r"^  Event: +license_created$", text, re.M) and "Ada Býron" in text


def test_outbox_retry(site, posted):
    for state in ("failed", "cancelled", "waiting"):
        site.query(SAY_SENT, state, "550 no", NOW if state != "waiting" else 0, int(site.mail))
        site.query("UPDATE qlm_outbox SET next_at = ? WHERE id = ?", NOW + DAY, int(site.mail))
        assert "is due now" in site.text("outbox", "retry", site.mail)
        row = site.query("SELECT * FROM qlm_outbox WHERE id = ?", int(site.mail))[0]
        assert (row["state"], row["attempts"], row["finished_at"]) == ("waiting", 3, 0)
        assert NOW - 5 <= row["next_at"] <= time.time() + 1
    site.query(SAY_SENT, "sent", "", NOW, int(site.mail))
    before = site.dump()
    assert "is sent already" in site.refusal("outbox", "retry", site.mail)
    assert site.dump() == before


def test_outbox_cancel(site, posted):
    assert site.json("outbox", "cancel", site.mail)["state"] == "cancelled"
    row = site.query("SELECT * FROM qlm_outbox WHERE id = ?", int(site.mail))[0]
    assert row["state"] == "cancelled" and NOW - 5 <= row["finished_at"] <= time.time() + 1
    site.query("UPDATE qlm_outbox SET finished_at = 7 WHERE id = ?", int(site.mail))
    assert "is cancelled" in site.text("outbox", "cancel", site.mail)  # again: no harm
    assert site.query("SELECT finished_at FROM qlm_outbox WHERE id = ?", int(site.mail))[0]["finished_at"] == 7
    assert site.query("SELECT state FROM qlm_outbox WHERE id = ?", int(site.webhook))[0]["state"] == "waiting"
    for state in ("sent", "failed"):
        site.query(SAY_SENT, state, "", NOW, int(site.mail))
        before = site.dump()
        assert "is %s already" % state in site.refusal("outbox", "cancel", site.mail)
        assert site.dump() == before


@pytest.mark.parametrize("verb", ["show", "retry", "cancel"])
def test_outbox_rows_that_are_not_there(site, posted, verb):
    before = site.dump()
    assert "the outbox holds no 5" in site.refusal("outbox", verb, "5")
    assert site.dump() == before


# ---- templates -------------------------------------------------------------------------------------------------------

ORDER = "1. New Order"


def set_template(site, html="<p>%FullName%: %ActivationKey%</p>", *words, name=ORDER, subject="Keys %OrderID%", **more):
    return site.run("template", "set", name, "--subject", subject, "--html", "-", *words, stdin=html, **more)


def sources(site):
    return {(t["name"], t["language"]): t["source"] for t in site.json("template", "list")}


def test_templates_that_are_built_in(site):
    listed = sources(site)
    assert listed[ORDER, "en"] == listed[ORDER, "de"] == "built in"
    shown = site.json("template", "show", "1. NEW order")
    assert shown["language"] == "en" and "%ItemTemplate%" in shown["html"]
    assert site.json("template", "show", ORDER, "--language", "DE")["language"] == "de"
    assert site.text("template", "show", ORDER, "--format", "html") == shown["html"]
    assert site.text("template", "show", ORDER, "--format", "text") == shown["text"]
    text = site.text("template", "show", ORDER)
    assert shown["html"] in text and shown["text"] in text and shown["subject"] in text
    assert "only for the languages en, de" in site.refusal("template", "show", ORDER, "--language", "fr")
    assert "no template Nonsense" in site.refusal("template", "show", "Nonsense")
    assert "is built in" in site.refusal("template", "remove", ORDER)
    assert "no template Nonsense" in site.refusal("template", "remove", "Nonsense")


def test_templates_that_are_stored(site, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("Grüße %FullName%\n")
    said = set_template(site, "<p>ä</p>\n", "--text", plain).stdout
    assert "is stored" in said and "not used any more: en, de" in said
    assert sources(site)[ORDER, ""] == "stored" and sources(site)[ORDER, "de"] == "built in, replaced"
    shown = site.json("template", "show", ORDER)
    assert (shown["html"], shown["text"], shown["subject"], shown["language"]) == (
        "<p>ä</p>\n", "Grüße %FullName%\n", "Keys %OrderID%", "")
    assert site.json("template", "show", ORDER, "--language", "en")["source"] == "built in, replaced"
    set_template(site, "<p>zwei</p>", "--language", "DE", name="1. new ORDER")
    assert site.json("template", "show", ORDER, "--language", "de")["html"] == "<p>zwei</p>"
    assert site.json("template", "show", ORDER)["html"] == "<p>ä</p>\n"
    set_template(site, "<p>drei</p>")  # replaces the first
    assert site.json("template", "show", ORDER)["html"] == "<p>drei</p>"
    assert len(site.query("SELECT * FROM qlm_template")) == 2
    assert "it is stored for" in site.refusal("template", "remove", ORDER, "--language", "fr")
    site.run("template", "remove", ORDER, "--language", "de")
    assert site.json("template", "remove", ORDER) == {"name": ORDER, "language": ""}
    assert sources(site)[ORDER, "de"] == "built in" and site.query("SELECT * FROM qlm_template") == []


def test_a_stored_template_makes_the_mail(site):
    set_template(site)
    key = site.create("orderNumber=9", "email=ada@customer.example", "name=<Ada>", "is_emailtemplate=" + ORDER)
    payload = site.json("outbox", "show", site.json("outbox", "list")[0]["id"])["payload"]
    assert (payload["subject"], payload["html"]) == ("Keys 9", "<p>&lt;Ada&gt;: %s</p>" % key)


def test_template_preview(site):
    preview = site.json("template", "preview", ORDER)
    assert "%" not in preview["subject"] + preview["text"] and preview["unknown"] == []
    keys = re.findall(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}-[0-9A-Z]{6}\b", preview["text"])
    assert len(set(keys)) == 2 and all(key in preview["html"] for key in keys)
    assert site.text("template", "preview", ORDER, "--format", "text") == preview["text"]
    set_template(site, "<p>%Company% %Nonsense% 100%</p>")
    preview = site.json("template", "preview", ORDER)
    assert preview["unknown"] == ["Nonsense"]
    assert "&lt;Ltd&gt;" in preview["html"] and "%Nonsense% 100%" in preview["html"]
    assert "<Ltd>" in site.text("template", "preview", ORDER, "--format", "text")
    assert site.query("SELECT * FROM qlm_outbox") == []


def test_the_preview_knows_every_variable_of_an_order_and_no_other(site):
    """The invented order of the preview against the mail of a real one."""
    names = re.findall(r'^ *put\(variables, "(\w+)"', (ROOT / "mod_qlm" / "service" / "notify.c").read_text(), re.M)
    samples = (ROOT / "mod_qlm" / "qlmctl" / "template.c").read_text().split("order_samples[]")[1].split("put_samples")[0]
    previewed = re.findall(r'^ *\{"(\w+)", "', samples, re.M)
    assert len(names) > 20
    assert set(previewed) == set(names) | {"authorizationcode"}
    set_template(site, " ".join("%%%s%%" % name for name in names))
    assert site.json("template", "preview", ORDER)["unknown"] == []


@pytest.mark.parametrize("name, subject, html, words, says", [
    ("x" * 101, "s", "<p>", [], "name"),
    ("", "s", "<p>", [], "name"),
    ("x", "", "<p>", [], "subject"),
    ("x", "a\nBcc: eve@customer.example", "<p>", [], "subject"),
    ("x", "s" * 251, "<p>", [], "subject"),
    ("x", "s", "", [], "neither HTML nor text"),
    ("x", "s", "<p>", ["--language", "english please"], "language"),
    ("x", "s", "%ItemTemplate% <p>", [], "%ItemTemplate%"),
    ("x", "s", "x" * 65537, [], "larger than 65536 bytes"),
    ("x", "s", "a\0b", [], "NUL"),
    ("x", "s", "<p>", ["--text", "/nonexistent/x"], "cannot open /nonexistent/x"),
    ("x", "s", "<p>", ["--text", "/tmp"], "cannot read /tmp"),
])
def test_templates_that_are_refused(site, name, subject, html, words, says):
    before = site.dump()
    said = site.refusal("template", "set", name, "--subject", subject, "--html", "-", *words, stdin=html)
    assert says in said
    assert site.dump() == before


def test_a_template_that_is_not_utf8_is_refused(site, tmp_path):
    page = tmp_path / "page"
    page.write_bytes(b"<p>Gr\xfc\xdfe</p>")
    assert "not UTF-8" in site.refusal("template", "set", "x", "--subject", "s", "--html", page)


# ---- the test mail ---------------------------------------------------------------------------------------------------

class MailServer:
    """A real SMTP server with STARTTLS and a login; see tests/simulators/smtpserver.py."""

    USER, PASSWORD = "shop", "Sesam-0pen"

    def __init__(self, folder):
        self.out, self.mode_file = folder / "mails", folder / "mode"
        self.out.touch()
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests" / "simulators" / "smtpserver.py"), "--starttls", "--user", self.USER,
             "--password", self.PASSWORD, "--folder", str(folder), "--out", str(self.out), "--mode-file",
             str(self.mode_file), "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = dict((line.split(None, 1) + [""])[:2] for line in iter(self.process.stdout.readline, "ready\n"))
        self.port, self.certificate = said["port"].strip(), said["certificate"].strip()

    def mode(self, text):
        self.mode_file.write_text(text)

    def mails(self):
        """What it has accepted, with headers and parts as Python's own library reads them."""
        return json.loads(subprocess.run([sys.executable, str(ROOT / "tests" / "simulators" / "readmail.py"),
                                          str(self.out)], capture_output=True, text=True, check=True).stdout)

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def mail_server(tmp_path):
    pytest.importorskip("aiosmtpd")
    server = MailServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def mailing(site, mail_server):
    """A site whose properties name the mail server."""
    for name, value in (("smtpServer", "127.0.0.1"), ("smtpPort", mail_server.port), ("smtpUser", mail_server.USER),
                        ("smtpFrom", "shop@publisher.example"), ("smtpFromDisplayName", "Ünser Shop")):
        site.run("property", "set", name, value)
    site.run("property", "set", "smtpPassword", "-", stdin=mail_server.PASSWORD + "\n")
    site.server = mail_server
    return site


def test_mail_test_sends_a_mail_and_says_what_the_server_said(mailing):
    said = mailing.json("mail", "test", "me@publisher.example", "--ca-file", mailing.server.certificate)
    assert (said["outcome"], said["encryption"], said["to"]) == ("sent", "STARTTLS", "me@publisher.example")
    assert said["answer"].startswith("250 ")
    mail, = mailing.server.mails()
    assert (mail["from"], mail["to"], mail["tls"], mail["user"]) == (
        "shop@publisher.example", ["me@publisher.example"], True, mailing.server.USER)
    assert mail["mailboxes"]["From"] == [["Ünser Shop", "shop@publisher.example"]]
    assert mail["headers"]["Message-ID"] == [said["message_id"]]
    assert [part["type"] for part in mail["parts"]] == ["text/plain", "text/html"] and mail["defects"] == []
    text = mailing.text("mail", "test", "me@publisher.example", "--ca-file", mailing.server.certificate)
    assert said["answer"] in text and mailing.server.PASSWORD not in text
    assert len({m["headers"]["Message-ID"][0] for m in mailing.server.mails()}) == 2
    assert mailing.query("SELECT * FROM qlm_outbox") == []


@pytest.mark.parametrize("mode, outcome, says", [
    ("refuse", "never", "550 5.1.1 no such user here"),
    ("tempfail", "later", "451 4.3.0 not now"),
    ("refuse-login", "later", "535"),
    ("busy", "later", "421 4.3.2 try later"),
    ("echo-password", "never", "550"),
])
def test_mail_test_fails_as_the_mail_server_says(mailing, mode, outcome, says):
    mailing.server.mode(mode)
    done = mailing.run("--json", "mail", "test", "me@publisher.example", "--ca-file", mailing.server.certificate, code=1)
    said = json.loads(done.stdout)
    assert said["outcome"] == outcome and says in said["answer"] and says in done.stderr
    assert "me@publisher.example was not sent" in done.stderr
    assert mailing.server.PASSWORD not in done.stdout + done.stderr
    assert mailing.server.mails() == []


def test_mail_test_trusts_no_unknown_certificate_and_no_plain_server(mailing):
    assert "certificate" in mailing.refusal("mail", "test", "me@publisher.example")
    mailing.run("property", "set", "smtpPort", "1")
    assert "was not sent" in mailing.refusal("mail", "test", "me@publisher.example")
    assert mailing.server.mails() == []


def test_mail_test_with_a_wrong_password(mailing):
    mailing.run("property", "set", "smtpPassword", "-", stdin="Sesam-closed\n")
    said = mailing.refusal("mail", "test", "me@publisher.example", "--ca-file", mailing.server.certificate)
    assert "535" in said and "Sesam" not in said


CLEAR = "unencrypted"


def test_a_login_in_clear_is_warned_of(site):
    def said_of(*words, stdin=""):
        return subprocess.run([program(), "--database", str(site.database), "--secret", str(site.secret), *words],
                              input=stdin, capture_output=True, text=True, timeout=60).stderr

    def set_property(name, value, stdin=""):
        said = said_of("property", "set", name, value, stdin=stdin)
        assert re.fullmatch(r"(qlmctl: warning: [^\n]+\n)?", said)
        return said

    assert set_property("smtpServer", "192.0.2.25") == ""  # TEST-NET: nobody answers
    assert set_property("smtpUser", "shop") == ""
    said = set_property("smtpEnableSSL", "false")
    assert CLEAR in said and "192.0.2.25" in said and "smtpEnableSSL true" in said
    assert CLEAR in set_property("smtpPassword", "-", stdin="Br1ef\n")
    assert set_property("sendMailCc", "a@publisher.example") == ""
    assert CLEAR in set_property("smtpFrom", "shop@publisher.example")
    warning, failure = said_of("mail", "test", "me@publisher.example").splitlines()
    assert CLEAR in warning and "was not sent" in failure and "Br1ef" not in warning + failure
    for host in ("localhost", "127.0.0.1", "::1"):
        assert set_property("smtpServer", host) == ""
    assert CLEAR in set_property("smtpServer", "localhost.publisher.example")
    assert set_property("smtpUser", "") == ""


def test_mail_test_names_what_is_not_set(site):
    assert "property set smtpServer" in site.refusal("mail", "test", "me@publisher.example")
    site.run("property", "set", "smtpServer", "mail.publisher.example")
    assert "property set smtpFrom" in site.refusal("mail", "test", "me@publisher.example")
    site.run("property", "set", "smtpFrom", "Shop <shop@publisher.example>")
    assert "bare address" in site.refusal("mail", "test", "me@publisher.example")


# ---- customers and orders --------------------------------------------------------------------------------------------

def test_customer_find(site):
    site.create("orderNumber=1", "email=Ada@Customer.example", "name=Ada Byron", "company=Engines")
    site.create("orderNumber=2", "email=bob@customer.example", "name=Bob", "company=100% Bob_s")
    assert {c["email"] for c in site.json("customer", "find", "CUSTOMER.example")} == {
        "Ada@Customer.example", "bob@customer.example"}
    for text in ("byron", "engin", "ada@"):
        assert [c["full_name"] for c in site.json("customer", "find", text)] == ["Ada Byron"]
    for text in ("100%", "b_s"):
        assert [c["full_name"] for c in site.json("customer", "find", text)] == ["Bob"]
    assert len(site.json("customer", "find", "customer", "--limit", 1)) == 1
    assert site.json("customer", "find", "' OR 1=1 --") == []
    assert "ada@customer.example" in site.text("customer", "find", "ada").lower()


def test_order_show(site):
    first = site.create("--quantity", 2, "is_usemultipleactivationskey=false", "orderNumber=O-1", "line=1",
                        "email=ada@customer.example")
    second = site.create("orderNumber=O-1", "line=2", "email=ada@customer.example")
    site.create("orderNumber=O-2")
    site.activate(second, "PC")
    shown = site.json("order", "show", "QLMAuthenticationProvider", "O-1")
    assert [line["line_ref"] for line in shown["lines"]] == ["1", "2"]
    assert all(key in shown["lines"][0]["answer"] for key in first)
    assert {k["activation_key"] for k in shown["licenses"]} == {*first, second}
    assert [k["activations"][0]["computer_id"] for k in shown["licenses"] if k["activations"]] == ["PC"]
    assert shown["customer"]["email"] == "ada@customer.example"
    assert not set(site.query("SELECT * FROM qlm_order")[0]) - set(shown["lines"][0])
    assert second in site.text("order", "show", "qlmauthenticationprovider", "O-1")


def test_orders_that_are_not_there(site):
    assert "has no order 1; " in site.refusal("order", "show", "shareit", "1")
    assert "valid names" in site.refusal("order", "show", "paddel", "1")
    site.refusal("order", "show", "shareit", "", code=2)


# ---- verify ----------------------------------------------------------------------------------------------------------

TEMPLATE = """<QuickLicenseManager><userFullName>Ada &amp; Bob</userFullName>%s<status>2</status>\
<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>\
<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>\
<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>\
<Reference URI=""><Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>\
</Transforms><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference>\
</SignedInfo><SignatureValue/></Signature></QuickLicenseManager>"""
NAMED = "<productID>1</productID><majorVersion>1</majorVersion><minorVersion>0</minorVersion>"


@pytest.fixture(scope="session")
def signed(tmp_path_factory):
    """A key pair, and a function that signs with it: by xmlsec1, which knows nothing of us."""
    if not shutil.which("xmlsec1"):
        pytest.skip("no xmlsec1: nobody to sign a document")
    folder = tmp_path_factory.mktemp("signed")
    private, public = folder / "private.pem", folder / "public.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(private), "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", str(private), "-pubout", "-out", str(public)], check=True,
                   capture_output=True)

    def sign(product):
        template = folder / "template.xml"
        template.write_text(TEMPLATE % product)
        done = subprocess.run(["xmlsec1", "--sign", "--privkey-pem", str(private), str(template)],
                              capture_output=True, check=True)
        return done.stdout

    sign.public = public
    return sign


def test_verify_with_a_key(empty, signed):
    document = empty.root / "license.xml"
    document.write_bytes(signed(NAMED))
    assert "valid" in empty.text("verify", document, "--key", signed.public)  # needs no site
    assert empty.text("verify", "-", "--key", signed.public, stdin=document.read_text()).startswith("-: valid")
    said = empty.json("verify", document, "--key", signed.public)
    assert said["is_valid"] and "rsa-sha256" in said["reason"]
    document.write_bytes(document.read_bytes().replace(b"Ada", b"Eve"))
    assert "is not genuine" in empty.refusal("verify", document, "--key", signed.public)
    assert json.loads(empty.run("verify", document, "--key", signed.public, "--json", code=1).stdout)["is_valid"] is False


def test_verify_with_the_product_that_the_document_names(site, signed):
    document = site.root / "license.xml"
    document.write_bytes(signed(NAMED))
    assert "is not genuine" in site.refusal("verify", document)  # signed with another key than the product's
    site.query("UPDATE qlm_product SET public_key_pem = ?", signed.public.read_text())
    assert "valid" in site.text("verify", document)
    xml = site.root / "key.xml"
    xml.write_text(site.text("product", "keys", "--id", 1, "--version", "1.0", "--format", "xml"))
    assert "valid" in site.text("verify", document, "--key", xml)
    document.write_bytes(signed(NAMED.replace("<minorVersion>0", "<minorVersion>9")))
    assert "no product 1 version 1.9" in site.refusal("verify", document)
    document.write_bytes(signed(NAMED + "<productID>2</productID>"))
    assert "names no product" in site.refusal("verify", document)
    document.write_bytes(signed(""))
    assert "name the public key with --key" in site.refusal("verify", document)
    assert "valid" in site.text("verify", document, "--key", signed.public)


@pytest.mark.parametrize("content, says", [
    (b"", "not plain XML"), (b"hello", "not plain XML"), (b"\0\0", "not plain XML"),
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "not plain XML"), (b"<a/>", "names no product"),
    (b"<a>" + NAMED.encode() + b"</a>", "is not genuine"), (b"x" * (1024 * 1024 + 1), "is larger than"),
], ids=["empty", "text", "nul", "dtd", "other", "unsigned", "large"])
def test_verify_refuses_what_is_no_license_document(site, content, says):
    document = site.root / "license.xml"
    document.write_bytes(content)
    assert says in site.refusal("verify", document)


@pytest.mark.sqlite_only("its file is one that cannot be read")
def test_verify_of_files_that_cannot_be_read(site):
    assert "cannot open" in site.refusal("verify", site.root / "missing.xml")
    assert "cannot read" in site.refusal("verify", site.root)
    assert "cannot open" in site.refusal("verify", site.database, "--key", site.root / "missing.pem")
    assert "is not genuine" in site.refusal("verify", site.database, "--key", site.database)


# ---- several at once -------------------------------------------------------------------------------------------------

def test_programs_at_once_lose_nothing(site):
    running = [subprocess.Popen([program(), "--database", str(site.database), "--secret", str(site.secret), "property",
                                 "set", "name%d" % n, str(n)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
               for n in range(12)]
    assert [p.communicate()[1] for p in running] == [b""] * 12
    assert [p.returncode for p in running] == [0] * 12
    assert {p["name"]: p["value"] for p in site.json("property", "list")} == {"name%d" % n: str(n) for n in range(12)}
