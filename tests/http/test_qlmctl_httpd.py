"""qlmctl --httpd: the site is the one that httpd's configuration names, whatever the engine."""
import os
import subprocess

from env import httpd_program, tool


def httpd(site, file="httpd.conf"):
    """What starts that site's httpd."""
    return "'%s' -f %s" % (httpd_program(), site.root / file)


def run(*words, **variables):
    return subprocess.run([tool("QLM_QLMCTL", "mod_qlm", "qlmctl", "qlmctl"), *words], capture_output=True, text=True,
                          env={**os.environ, **variables}, timeout=60)


def test_site_of_the_configuration_of_httpd(new_site):
    """Whatever the engine: what the module uses is what qlmctl uses."""
    site = new_site(start=False, server="""<VirtualHost *>
ServerName twin.example
</VirtualHost>""")
    command = httpd(site)

    done = run("--httpd", command, "product", "list")
    assert "Demo" in done.stdout and done.stderr == ""
    assert "Demo" in run("product", "list", QLMCTL_HTTPD=command).stdout
    done = run("--httpd", command, "--secret", "/nonexistent/secret", "key", "create", "--product", "1", "--version", "1.0")
    assert done.returncode == 1 and "/nonexistent/secret" in done.stderr
    assert "Demo" in run("--httpd", command, "--site", "twin.example", "product", "list").stdout
    done = run("--httpd", command, "--site", "other.example", "product", "list")
    assert done.returncode == 1 and "no site of ServerName other.example" in done.stderr


def test_several_sites_of_httpd(new_site):
    other = new_site(start=False)
    site = new_site(start=False, server="""<VirtualHost *>
ServerName second.example
DBDriver %s
DBDParams "%s"
QlmSecretFile "%s"
</VirtualHost>""" % (getattr(other.database, "driver", "sqlite3"),
                                                     getattr(other.database, "params", other.database), other.secret))
    other.ctl("product", "add", "--id", 77, "--version", "1.0", "--name", "Other")
    command = httpd(site)

    assert "several sites" in run("--httpd", command, "product", "list").stderr
    assert "Other" in run("--httpd", command, "--site", "second.example", "product", "list").stdout
    assert "Other" not in run("--httpd", command, "--site", "localhost", "product", "list").stdout


def test_a_command_of_httpd_that_does_not_work(new_site):
    site = new_site(start=False)
    (site.root / "broken.conf").write_text("Nonsense on\n")
    for command, said in (("/nonexistent/httpd", "does not run"), ("", "no command"), ("echo", "has no site"),
                          (httpd(site, "broken.conf"), "try it with -t")):
        done = run("--httpd", command, "product", "list")
        assert done.returncode == (1 if command else 2) and said in done.stderr, done.stderr
