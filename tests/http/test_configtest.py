"""What `apachectl configtest` finds before a start: one line each, with the remedy."""
import os
import re

import pytest

from client import call
from env import OURS, give_to_server, is_root


def complaint(site):
    """The configuration test fails; returns our lines."""
    done = site.configtest()
    assert done.returncode != 0, done.stderr
    lines = [l for l in done.stderr.splitlines() if OURS.search(l)]
    assert lines, done.stderr
    for line in lines:
        assert not re.search("[0-9a-f]{64}", line), "a secret in a message"
    return lines


def only_line(site):
    line, = complaint(site)
    return line


@pytest.fixture
def idle(new_site):
    return new_site(start=False)


def test_a_good_configuration(idle):
    done = idle.configtest()
    assert done.returncode == 0, done.stderr
    assert not OURS.search(done.stderr) and "Syntax OK" in done.stderr
    assert sorted(os.listdir(idle.root / "run")) == []


def test_missing_secret(idle):
    idle.secret.unlink()
    line = only_line(idle)
    assert str(idle.secret) in line and "qlmctl init" in line


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_secret_that_others_may_read(idle, mode):
    idle.secret.chmod(mode)
    line = only_line(idle)
    assert str(idle.secret) in line and "chmod" in line


@pytest.mark.parametrize("content", ["", "\n# nothing\n", "abc\n", "g" * 64 + "\n", "ab" * 31 + "\n", "ab" * 33 + "\n"])
def test_a_secret_that_is_none(idle, content):
    idle.secret.write_text(content)
    assert str(idle.secret) in only_line(idle)


def test_an_unreadable_secret(idle):
    idle.secret.unlink()
    idle.secret.mkdir()
    assert str(idle.secret) in only_line(idle)


def test_older_secrets_may_follow(idle):
    kept = idle.secret.read_text()
    idle.secret.write_text("# newest first\n" + "cd" * 32 + "\n\n" + kept)
    assert idle.configtest().returncode == 0


def test_no_secret_named(idle):
    config = idle.root / "httpd.conf"
    config.write_text(re.sub("QlmSecretFile.*", "", config.read_text()))
    assert any("QlmSecretFile" in l for l in complaint(idle))


@pytest.mark.sqlite_only("its file")
def test_missing_database(idle):
    idle.database.unlink()
    line = only_line(idle)
    assert str(idle.database) in line and "qlmctl init" in line
    assert not idle.database.exists()


@pytest.mark.sqlite_only("its file")
def test_missing_folder_of_the_database(idle):
    idle.database.unlink()
    idle.database.parent.rmdir()
    assert "qlmctl init" in only_line(idle)
    idle.database.parent.mkdir()


@pytest.mark.parametrize("version, remedy", [(0, "qlmctl init"), (1, "qlmctl db upgrade"), (99, "newer")])
def test_another_schema_version(idle, version, remedy):
    idle.change("UPDATE qlm_site SET schema_version = ?", version)
    give_to_server(*(idle.root / "data").iterdir())
    line = only_line(idle)
    assert remedy in line


@pytest.mark.sqlite_only("its file")
def test_a_file_that_is_no_database(idle):
    idle.database.write_bytes(b"no database\n" * 100)
    assert str(idle.database) in only_line(idle)


def test_a_login_that_goes_out_in_clear(idle):
    for name, value in (("smtpServer", "mail.publisher.example"), ("smtpUser", "shop"), ("smtpEnableSSL", "false")):
        idle.ctl("property", "set", name, value)
    done = idle.configtest()
    assert done.returncode == 0 and "QLM1112" in done.stderr and "mail.publisher.example" in done.stderr, done
    idle.ctl("property", "set", "smtpServer", "127.0.0.1")
    assert "QLM1112" not in idle.configtest().stderr


def test_no_database_configured(idle):
    config = idle.root / "httpd.conf"
    config.write_text(re.sub("DBD(Driver|Params).*", "", config.read_text()))
    assert "DBDParams" in only_line(idle)


def test_mod_dbd_not_loaded(idle):
    config = idle.root / "httpd.conf"
    config.write_text(re.sub("(LoadModule dbd_module|DBD).*", "", config.read_text()))
    line = only_line(idle)
    assert "mod_dbd" in line and "a2enmod dbd" in line


@pytest.mark.sqlite_only("the rights of its file")
def test_a_database_the_server_cannot_write(idle):
    if is_root():
        os.chown(idle.database, 0, 0)
        line = only_line(idle)
        assert str(idle.database) in line and "qlmctl init --user" in line
    else:  # as an ordinary user the server is us: what we may not write shows at the first write
        idle.database.chmod(0o444)
        assert idle.configtest().returncode in (0, 1)
        idle.database.chmod(0o644)


@pytest.mark.parametrize("directive", ["QlmSignatureCache maybe", "QlmMaxBody many", "QlmMaxBody 1",
                                       "QlmServerVersion 1.2", "QlmServerVersion a.b.c.d", "QlmService perhaps",
                                       "QlmNoSuchThing on"])
def test_malformed_directives(new_site, directive):
    place = "server" if "Cache" in directive else "location"
    site = new_site(start=False, **{place: directive})
    done = site.configtest()
    assert done.returncode != 0 and directive.split()[0] in done.stderr


def test_the_signature_cache_needs_its_module(idle):
    config = idle.root / "httpd.conf"
    text = re.sub("LoadModule socache_shmcb.*", "", config.read_text())
    config.write_text(text)
    assert idle.configtest().returncode == 0, "by default the cache is used where the module is there"
    idle.start()
    assert call(idle, "PingHttp").status == 200
    idle.stop()
    config.write_text(text + "QlmSignatureCache shmcb\n")
    done = idle.configtest()
    assert "socache_shmcb" in done.stderr or done.returncode == 0


def test_a_server_without_the_service_needs_nothing(idle):
    config = idle.root / "httpd.conf"
    text = re.sub('(QlmSecretFile|DBD|QlmService).*', "", config.read_text())
    config.write_text(text)
    idle.secret.unlink()
    assert idle.configtest().returncode == 0
    idle.start()
    assert call(idle, "PingHttp").status == 404
    assert b"static" in call(idle, "", path="/index.html").body


def test_a_start_without_the_secret_is_refused(idle):
    idle.secret.unlink()
    with pytest.raises(RuntimeError) as failure:
        idle.start()
    assert "QLM1107" in str(failure.value)
    idle.allow("QLM1107|AH00020|AH00016")


def test_graceful_with_a_broken_configuration_keeps_serving_after_repair(new_site):
    """The secret is read again by a graceful restart; apachectl runs the test first, which fails here."""
    site = new_site()
    kept = site.secret.read_text()
    site.secret.write_text("broken")
    assert site.configtest().returncode != 0
    site.secret.write_text(kept)
    assert site.configtest().returncode == 0
    site.graceful()
    assert call(site, "PingHttp").status == 200
