"""A database that is missing, locked, read-only, full, or of another schema version: 503 in the caller's form, and as
soon as it is back, service, without a restart."""
import concurrent.futures
import contextlib
import fcntl
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

import pytest

from client import KEY, PRODUCT, call, issue, normal, order, order_number, plain_refusal, storm, until, validate, \
    xml_refusal
from env import is_root, give_to_server

METHODS = ["GetActivationKey", "ValidateLicenseHttp", "ActivateKey"]


def shop(site, number):
    return call(site, "GetActivationKey", order("cleverbridge"),
                {"PURCHASE_ID": number, "RUNNING_NO": "1", "QUANTITY": "1"})


def away(site, answer):
    """503 in XML, one line, without a word about the inside."""
    assert answer.status == 503, answer
    assert answer.code == "2000", answer
    text = answer.error
    assert "\n" not in text and str(site.root) not in text and "sqlite" not in text.lower(), text
    site.allow(r"QLM1001|AH00632|AH\d+.*dbd|dbd")
    assert int(answer.headers["retry-after"]) > 0


def plain_away(site, answer):
    plain_refusal(site, answer, 503)
    assert not KEY.match(answer.text)


def everything_fails(site, key):
    for method in METHODS:
        query = order() if method == "GetActivationKey" else {"is_avkey": key, "is_pcid": "PC-1", **PRODUCT}
        away(site, call(site, method, query))
    plain_away(site, shop(site, order_number()))


def service_is_back(site, key, number):
    answer = until(lambda: (lambda a: a if a.status == 200 else None)(shop(site, number)), 10)
    assert KEY.match(answer.text)
    assert shop(site, number).body == answer.body
    assert validate(site, key).error is None
    rows = site.query("SELECT * FROM qlm_license WHERE order_ref = ?", number)
    assert [r["activation_key"] for r in rows] == [normal(answer.text)]
    assert site.damages() == []


@contextlib.contextmanager
def moved_away(site):
    aside = site.root / "aside"
    aside.mkdir()
    names = [p.name for p in site.database.parent.iterdir()]
    for name in names:
        os.rename(site.database.parent / name, aside / name)
    try:
        yield
    finally:
        for name in os.listdir(site.database.parent):
            os.unlink(site.database.parent / name)
        for name in names:
            os.rename(aside / name, site.database.parent / name)
        aside.rmdir()


@pytest.mark.sqlite_only("its file")
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_missing_while_running(new_site, mpm):
    site = new_site(mpm=mpm, server="StartServers 1\nMinSpareThreads 1" if mpm == "event" else "")
    key, number = issue(site), order_number()
    validate(site, key)
    with moved_away(site):
        everything_fails(site, key)
        plain_away(site, shop(site, number))
        # A child that is born now opens its first connection, and mod_dbd's driver makes an empty file then.
        assert mpm == "prefork" or not site.database.exists(), "an empty database must not be made in its place"
        assert call(site, "").status == 200, "the index needs no database"
    service_is_back(site, key, number)


@pytest.mark.sqlite_only("its file")
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_missing_at_the_start(new_site, mpm):
    site = new_site(mpm=mpm, start=False)
    site.allow("QLM1106|dbd|DBD")
    with moved_away(site):
        site.start()
        away(site, validate(site, "A" * 26))
        number = order_number()
        plain_away(site, shop(site, number))
    key = until(lambda: (lambda a: a.licenses[0] if a.status == 200 else None)(call(site, "GetActivationKey", order())))
    service_is_back(site, key, number)


@pytest.mark.sqlite_only("its file")
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_connections_opened_while_it_was_missing_do_no_harm(new_site, mpm):
    """mod_dbd opens connections at its start; where no file is, SQLite makes an empty one. When the real file is back,
    such a connection must not be used: SQLite would delete the write-ahead log that it finds beside an empty file."""
    site = new_site(mpm=mpm, start=False, server="DBDMin 8")
    site.allow("QLM1106|QLM1001|dbd|DBD")
    with moved_away(site):
        site.start()
    numbers = [order_number() for _ in range(300)]
    answers = dict(storm(numbers, lambda box, n: (n, shop(site, n)), clients=16))
    acknowledged = {n: a.text for n, a in answers.items() if a.status == 200}
    stored = {r["order_ref"]: r["activation_key"] for r in site.query("SELECT * FROM qlm_license")}
    lost = [n for n, key in acknowledged.items() if stored.get(n) != normal(key)]
    assert not lost, "%d of %d acknowledged orders are not in the database" % (len(lost), len(acknowledged))
    assert len(acknowledged) == len(numbers), "%d refused" % (len(numbers) - len(acknowledged))
    service_is_back(site, issue(site), order_number())


@pytest.mark.sqlite_only("its file")
def test_replaced_by_a_restored_copy(new_site):
    """A backup put in its place while the server runs: the old file must not be written on."""
    site = new_site()
    first = issue(site)
    site.ctl("db", "backup", site.root / "data" / "copy.db")
    second = issue(site)
    give_to_server(site.root / "data" / "copy.db")
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(str(site.database) + suffix)
    os.rename(site.root / "data" / "copy.db", site.database)
    site.allow("QLM1001|dbd")
    until(lambda: validate(site, first).error is None)
    assert validate(site, second).code == "203"
    third = issue(site)
    assert site.query("SELECT count(*) AS n FROM qlm_license WHERE activation_key = ?", normal(third))[0]["n"] == 1


@pytest.mark.sqlite_only("its one write lock")
def test_locked_by_another_process(new_site):
    """Somebody holds SQLite's write lock: reading goes on, writing gives up in time and works again afterwards."""
    site = new_site()
    key, number = issue(site), order_number()
    validate(site, key)
    other = sqlite3.connect(site.database, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert validate(site, key).error is None
        started = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda n: shop(site, n), [number, order_number()]))
        assert time.monotonic() - started < 30
        for answer in answers:
            plain_away(site, answer)
        assert validate(site, key).error is None
        other.execute("ROLLBACK")
    finally:
        other.close()
    service_is_back(site, key, number)


@pytest.mark.sqlite_only("its one write lock")
def test_locked_only_for_a_moment(new_site):
    """A lock that goes away in time is only a delay."""
    site = new_site()
    number = order_number()
    other = sqlite3.connect(site.database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(shop, site, number)
        time.sleep(0.5)
        other.execute("ROLLBACK")
        assert KEY.match(answer.result().text)
    other.close()


@pytest.mark.sqlite_only("its one write lock")
def test_the_writer_lock_is_held_by_another_process(new_site):
    site = new_site()
    key, number = issue(site), order_number()
    validate(site, key)
    with open(str(site.database) + "-writer", "r+") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        assert validate(site, key).error is None
        plain_away(site, shop(site, number))
        fcntl.lockf(lock, fcntl.LOCK_UN)
    service_is_back(site, key, number)


def set_rights(site, writable):
    """The database and its folder for the run-time user: readable only, or as usual."""
    folder = site.database.parent
    for path in [folder, *folder.iterdir()]:
        if is_root():
            if writable:
                give_to_server(path)
            else:
                os.chown(path, 0, 0)
        base = 0o755 if path.is_dir() else 0o644
        path.chmod(base if writable else base & 0o555)


@pytest.mark.sqlite_only("the rights of its file")
def test_read_only_while_running(new_site):
    """What is open stays writable; nothing may break either way, and new connections must not claim success."""
    site = new_site()
    key, number = issue(site), order_number()
    set_rights(site, writable=False)
    try:
        answer = shop(site, number)
        assert answer.status in (200, 503), answer
        site.allow("QLM1001")
        if answer.status == 200:
            assert site.query("SELECT 1 FROM qlm_license WHERE activation_key = ?", normal(answer.text))
    finally:
        set_rights(site, writable=True)
    service_is_back(site, key, number)


@pytest.mark.sqlite_only("the rights of its file")
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_read_only_from_the_start(new_site, mpm):
    site = new_site(mpm=mpm)
    key, number = issue(site), order_number()
    validate(site, key)
    site.stop()
    set_rights(site, writable=False)
    site.allow("QLM110[46]|QLM1001|dbd|DBD")
    site.start()
    try:
        plain_away(site, shop(site, number))
        away(site, call(site, "GetActivationKey", order()))
    finally:
        set_rights(site, writable=True)
    service_is_back(site, key, number)


def limit_files(site, size):
    """No process of the server may let a file grow beyond this size."""
    program = "import resource, sys\nfor pid in sys.argv[2:]:\n    resource.prlimit(int(pid), resource.RLIMIT_FSIZE," \
              " (int(sys.argv[1]), resource.RLIM_INFINITY))"

    def set_limits():
        owners = {}
        for pid in site.processes():
            owners.setdefault(os.stat("/proc/%d" % pid).st_uid, []).append(str(pid))
        for owner, pids in owners.items():  # only a process's own user may set its limits
            who = {"user": owner, "group": owner} if owner != os.geteuid() else {}
            if subprocess.run([sys.executable, "-c", program, str(size), *pids], capture_output=True, **who).returncode:
                return False
        return True

    until(set_limits)  # a child that is just starting changes its user


@pytest.mark.sqlite_only("written by our own processes")
def test_no_more_room_for_the_file(new_site):
    """A limit on the size of files stops the write-ahead log in the middle of a transaction."""
    site = new_site()
    key, number = issue(site), order_number()
    validate(site, key)
    log = os.path.getsize(str(site.database) + "-wal")
    limit_files(site, max(log, *(p.stat().st_size for p in (site.root / "logs").iterdir())) + 2000)
    try:
        numbers = [order_number() for _ in range(8)]
        answers = [shop(site, n) for n in numbers]
        failed = [n for n, a in zip(numbers, answers) if a.status != 200]
        assert failed, "the limit did not stop anything"
        for answer in answers:
            if answer.status != 200:
                assert answer.status == 503 and answer.text.startswith("Error: ")
        site.allow("QLM1001")
        assert validate(site, key).error is None
        for n in failed:
            assert not site.query("SELECT 1 FROM qlm_license WHERE order_ref = ?", n)
    finally:
        limit_files(site, resource.RLIM_INFINITY)
    for n, answer in zip(numbers, answers):
        again = shop(site, n)
        assert again.status == 200 and (answer.status != 200 or again.body == answer.body)
    service_is_back(site, key, number)


@contextlib.contextmanager
def small_disk(kilobytes):
    """A file system of its own of that size; None where we may not make one."""
    folder = tempfile.mkdtemp(prefix="qlm-disk-", dir="/tmp")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk,mode=755" % kilobytes, "qlm-test", folder],
                             capture_output=True).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)


@pytest.mark.sqlite_only("written by our own processes")
@pytest.mark.parametrize("mpm", ["event", "prefork"])
def test_full_disk(new_site, mpm):
    with small_disk(4096) as disk:
        if disk is None:  # mounting is for root; the limit on file sizes stops the same write for everybody
            test_no_more_room_for_the_file(new_site)
            return
        give_to_server(disk)
        site = new_site(mpm=mpm, database=disk + "/qlm.db")
        try:
            key, number = issue(site), order_number()
            validate(site, key)
            room = shutil.disk_usage(disk).free
            with open(disk + "/filler", "wb") as filler:
                filler.write(b"x" * (room - 8192))
            numbers = [order_number() for _ in range(20)]
            answers = {n: shop(site, n) for n in numbers}
            failed = [n for n in numbers if answers[n].status != 200]
            assert failed, "the disk did not fill"
            for n in failed:
                assert answers[n].status == 503 and answers[n].text.startswith("Error: ")
            site.allow("QLM1001")
            assert validate(site, key).error is None, "reading needs no room"
            os.unlink(disk + "/filler")
            for n in numbers:
                again = shop(site, n)
                assert again.status == 200
                assert answers[n].status != 200 or again.body == answers[n].body
            service_is_back(site, key, number)
        finally:
            site.stop()


SCHEMA = 4  # of this module


def set_schema_version(site, version):
    site.change("UPDATE qlm_site SET schema_version = ?, revision = revision + 1", version)


def speaks_of_the_schema(site, mark):
    line = site.lines_since(mark, "QLM1001")[0].text
    assert "qlmctl" in line or "newer" in line, line


@pytest.mark.parametrize("version", [0, SCHEMA - 1, SCHEMA + 1, 99])
def test_another_schema_version_while_running(new_site, version):
    """A newer qlmctl upgrades the tables under a running server: from then on the old module must not touch them."""
    site = new_site()
    key, number = issue(site), order_number()
    validate(site, key)
    set_schema_version(site, version)
    mark = site.mark()
    everything_fails(site, key)
    plain_away(site, shop(site, number))
    speaks_of_the_schema(site, mark)
    set_schema_version(site, SCHEMA)
    service_is_back(site, key, number)


@pytest.mark.parametrize("version", [0, SCHEMA - 1, SCHEMA + 1, 99])
def test_another_schema_version_at_the_start(new_site, version):
    site = new_site(start=False)
    set_schema_version(site, version)
    site.allow("QLM1106")
    site.start()
    mark, number = site.mark(), order_number()
    everything_fails(site, "A" * 26)
    plain_away(site, shop(site, number))
    speaks_of_the_schema(site, mark)
    set_schema_version(site, SCHEMA)
    service_is_back(site, issue(site), number)


@pytest.mark.sqlite_only("its file")
def test_a_database_without_our_tables(new_site):
    site = new_site(start=False)
    kept = site.database.read_bytes()
    site.database.unlink()
    sqlite3.connect(site.database).execute("CREATE TABLE other (x)").connection.commit()
    give_to_server(site.database)
    site.allow("QLM1106|dbd")
    site.start()
    mark = site.mark()
    plain_away(site, shop(site, order_number()))
    assert "qlmctl" in site.lines_since(mark, "QLM1001")[0].text
    replacement = site.database.with_name("new.db")
    replacement.write_bytes(kept)
    give_to_server(replacement)
    os.rename(replacement, site.database)
    number = order_number()
    key = until(lambda: (lambda a: a.licenses[0] if a.status == 200 else None)(call(site, "GetActivationKey", order())))
    service_is_back(site, key, number)


@pytest.mark.sqlite_only("its file")
def test_something_that_is_no_database(new_site):
    site = new_site(start=False)
    kept = site.database.read_bytes()
    site.database.write_bytes(b"this is not a database, only text\n" * 300)
    site.allow("QLM1106|dbd|DBD")
    site.start()
    away(site, call(site, "GetActivationKey", order()))
    plain_away(site, shop(site, order_number()))
    replacement = site.database.with_name("new.db")
    replacement.write_bytes(kept)
    give_to_server(replacement)
    os.rename(replacement, site.database)
    key = until(lambda: (lambda a: a.licenses[0] if a.status == 200 else None)(call(site, "GetActivationKey", order())))
    service_is_back(site, key, order_number())


@pytest.mark.sqlite_only("its own statements")
def test_statements_survive_changes_by_other_programs(new_site):
    """An index made by somebody, ANALYZE: SQLite drops prepared statements then; nobody may notice."""
    site = new_site()
    key = issue(site)
    for sql in ("CREATE INDEX somebody_made ON qlm_license (comment)", "ANALYZE", "DROP INDEX somebody_made",
                "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize"):
        site.change(sql)
        for _ in range(6):
            assert validate(site, key).error is None
        assert KEY.match(shop(site, order_number()).text)


def test_a_product_key_that_cannot_be_opened(new_site):
    """The private key was sealed with another secret: refused with 215, and nothing is stored."""
    site = new_site()
    key = issue(site)
    site.change("UPDATE qlm_product SET private_key_sealed = 's1$AAAA'")
    site.change("UPDATE qlm_site SET revision = revision + 1")
    site.expect("QLM1002")
    answer = validate(site, key)
    assert answer.error and answer.code == "215" and answer.field("pckey") is None
    assert validate(site, key, is_sign="false").error is None


def test_many_callers_with_few_connections(new_site):
    site = new_site(server="DBDMax 2\nDBDKeep 1")
    key = issue(site, is_quantity="40")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: validate(site, key, "PC-%d" % i), range(40)))
    assert all(a.error is None for a in answers)
    xml_refusal(site, validate(site, key, "PC-x"), 210)
