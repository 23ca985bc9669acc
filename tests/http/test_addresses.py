"""Who may call by address: blocked addresses, methods for administrators only, behind a proxy too."""
import pytest

from client import call, one_line, order, plain_refusal, validate, xml_refusal

HERE, ELSEWHERE = "127.0.0.0/8", "192.0.2.0/24 2001:db8::/32"


def refused(site, answer):
    xml_refusal(site, answer, 3)


def test_blocked_addresses_are_refused_everywhere(any_site):
    with any_site.properties(blockIPAddresses="192.0.2.1; " + HERE):
        with any_site.unchanged():
            for method in ("PingHttp", "ValidateLicenseHttp", "GetActivationKey"):
                refused(any_site, call(any_site, method, order()))
            plain_refusal(any_site, call(any_site, "GetActivationKey", order("cleverbridge")), 403)
    assert call(any_site, "PingHttp").error is None


def test_admin_methods_only_from_admin_addresses(any_site):
    with any_site.properties(httpAdminMethods="getactivationkey;NoSuchMethod",
                             httpAdminMethodsAllowedIPAddresses=ELSEWHERE):
        with any_site.unchanged():
            refused(any_site, call(any_site, "GetActivationKey", order()))
            refused(any_site, call(any_site, "GETACTIVATIONKEY", order()))
            plain_refusal(any_site, call(any_site, "GetActivationKey", order("cleverbridge")), 403)
        assert call(any_site, "GetActivationKeyWithExpiryDate", order()).licenses
        assert call(any_site, "PingHttp").error is None
    with any_site.properties(httpAdminMethods="GetActivationKey, PingHttp",
                             httpAdminMethodsAllowedIPAddresses=ELSEWHERE + "," + HERE):
        assert call(any_site, "GetActivationKey", order()).licenses
        assert call(any_site, "PingHttp").error is None


def test_an_empty_list_of_admin_addresses_is_nobody(site):
    with site.properties(httpAdminMethods="PingHttp"):
        refused(site, call(site, "PingHttp"))
    assert call(site, "PingHttp").error is None


@pytest.mark.parametrize("stored", ["everybody", "127.0.0.1/", "127.0.0.1-127.0.0.9", "*", "127.0.0.*"])
def test_a_damaged_list_of_admin_addresses_is_nobody(site, stored):
    """What did not come through qlmctl: an entry that cannot be read lets nobody in."""
    with site.properties(httpAdminMethods="PingHttp", httpAdminMethodsAllowedIPAddresses=ELSEWHERE):
        site.change("UPDATE qlm_property SET value = ? WHERE name_key = 'httpadminmethodsallowedipaddresses'", stored)
        site.change("UPDATE qlm_site SET revision = revision + 1")
        refused(site, call(site, "PingHttp"))


def test_a_damaged_entry_does_not_open_the_rest_of_a_block_list(site):
    with site.properties(blockIPAddresses=HERE):
        site.change("UPDATE qlm_property SET value = ? WHERE name_key = 'blockipaddresses'", "every body;" + HERE)
        site.change("UPDATE qlm_site SET revision = revision + 1")
        refused(site, call(site, "PingHttp"))


@pytest.mark.parametrize("name", ["blockIPAddresses", "httpAdminMethodsAllowedIPAddresses"])
@pytest.mark.parametrize("value", ["everybody", "192.0.2.7/33", "192.0.2.1;192.0.2.300", "192.0.2.1-192.0.2.9",
                                   "example.org", "2001:db8::/129"])
def test_an_unreadable_entry_is_refused_when_it_is_set(site, name, value):
    with site.unchanged():
        done = site.ctl("property", "set", name, value, check=False)
    assert done.returncode != 0
    one_line(done.stderr.strip())
    assert name in done.stderr and value.split(";")[-1] in done.stderr and "192.0.2.7" in done.stderr


@pytest.mark.parametrize("name", ["httpAdminMethods", "strictAuthenticationHttpMethods"])
def test_a_method_nobody_knows_is_told_when_it_is_set(new_site, name):
    """It may be one of the former server; but it may be a typing mistake."""
    site = new_site(start=False)
    done = site.ctl("property", "set", name, "GetActivationKey;GetActivatoinKey, none PINGHTTP")
    assert "called GetActivatoinKey." in done.stdout
    assert done.stdout.count("called") == 1
    assert site.ctl_json("property", "get", name)["value"] == "GetActivationKey;GetActivatoinKey, none PINGHTTP"


# ---- behind a proxy: the address is the one mod_remoteip found

@pytest.fixture(scope="module")
def proxied(template):
    from env import Site, httpd_modules

    site = Site(template, server='LoadModule remoteip_module %s/mod_remoteip.so\nRemoteIPHeader X-Forwarded-For\n'
                                 'RemoteIPInternalProxy 127.0.0.1' % httpd_modules(),
                location="Require all granted")
    try:
        yield site.start()
    finally:
        site.destroy()


def from_address(site, address, method="PingHttp", query=None):
    return call(site, method, query, headers={"X-Forwarded-For": address})


def test_rules_hold_for_the_clients_address(proxied):
    with proxied.properties(blockIPAddresses="192.0.2.0/24;2001:db8:bad::/48"):
        for address in ("192.0.2.9", "2001:db8:bad::7", "::ffff:192.0.2.9"):
            refused(proxied, from_address(proxied, address))
        for address in ("198.51.100.9", "2001:db8::7"):
            assert from_address(proxied, address).error is None
    with proxied.properties(httpAdminMethods="GetActivationKey",
                            httpAdminMethodsAllowedIPAddresses="198.51.100.0/24 2001:db8::/32"):
        for address in ("198.51.100.9", "2001:db8::7"):
            assert from_address(proxied, address, "GetActivationKey", order()).licenses
        with proxied.unchanged():
            for address in ("192.0.2.9", "2001:db9::7"):
                refused(proxied, from_address(proxied, address, "GetActivationKey", order()))
            refused(proxied, call(proxied, "GetActivationKey", order()))  # the proxy itself


def test_a_header_of_the_client_itself_is_not_believed(site):
    """Without mod_remoteip, and from who is no proxy, the header says nothing."""
    with site.properties(httpAdminMethods="PingHttp", httpAdminMethodsAllowedIPAddresses="192.0.2.0/24"):
        refused(site, from_address(site, "192.0.2.9"))


def test_the_log_names_rule_and_address(site):
    mark = site.mark()
    with site.properties(httpAdminMethods="PingHttp", httpAdminMethodsAllowedIPAddresses="192.0.2.0/24"):
        answer = call(site, "PingHttp")
        refused(site, answer)
    assert site.lines_since(mark, "QLM1003.*httpAdminMethods.*127.0.0.1.*httpAdminMethodsAllowedIPAddresses")
    assert "192.0.2" not in answer.text and "127.0.0.1" not in answer.text


def test_validation_is_not_an_admin_method_by_default(site):
    answer = validate(site, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA")
    assert answer.code not in ("3", "8"), answer
