"""The whole life of one license: ordered, activated on two computers, released, moved, renewed, upgraded, revoked,
restored, exported, imported into an empty site, and validated there."""
from client import (CREDENTIALS, PRODUCT, activate, call, day_after, issue, on_one_day, order_number, report,
                    validate, verify, xml_refusal)

SHOP = {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS}
NEXT = {"is_productid": "1", "is_majorversion": "2", "is_minorversion": "0"}


def done(site, method, **fields):
    answer = call(site, method, {**SHOP, **fields})
    assert answer.error is None, answer
    return answer


def end_of(site, key, product):
    return report(site, key, **product).field("expiryDate")[:10]


def test_the_life_of_a_license(new_site, tmp_path):
    site, empty = new_site(), new_site()

    def live(today):
        subscription = "SUB-" + order_number()
        key = issue(site, "GetActivationKeyWithExpiryDate", orderNumber=order_number(), subscriptionid=subscription,
                    is_quantity="2", is_expduration="30", is_features="0:1", is_userdata1="Müller & Co",
                    email="mia@life.example", name="Mia Müller")
        assert end_of(site, key, PRODUCT) == day_after(30, today)

        # two computers, and no third
        first = activate(site, key, "PC-1", is_computer_name="Desk").field("pckey")
        second = activate(site, key, "PC-2").field("pckey")
        xml_refusal(site, activate(site, key, "PC-3"), 210)

        # released here, moved there
        done(site, "ReleaseLicenseHttp", is_avkey=key, is_pcid="PC-1")
        xml_refusal(site, validate(site, key, "PC-1", is_pckey=first), 219)
        assert activate(site, key, "PC-3").field("availableLicenses") == "0"

        # renewed once by the same order, however often it comes
        rebill = {"orderNumber": order_number(), "subscriptionid": subscription, "is_expduration": "30"}
        assert done(site, "RenewSubscriptionHttp", **rebill).body == done(site, "RenewSubscriptionHttp", **rebill).body
        assert end_of(site, key, PRODUCT) == day_after(60, today)
        assert activate(site, key, "PC-2").field("pckey") != second

        # upgraded: a new key, the old one is not known any more, both computers start afresh
        new, = done(site, "UpgradeLicense", is_avkey=key, orderNumber=order_number(), is_features="0:3", **NEXT).licenses
        assert new != key
        xml_refusal(site, validate(site, key, "PC-2"), 203)
        seen = activate(site, new, "PC-2", **NEXT)
        assert seen.error is None and seen.field("features") == "0:3;" and seen.field("majorVersion") == "2"
        assert end_of(site, new, NEXT) == day_after(60, today)

        # revoked, restored
        done(site, "RevokeLicenseHttp", is_avkey=new)
        xml_refusal(site, validate(site, new, "PC-2", **NEXT), 201)
        done(site, "RevokeLicenseHttp", is_avkey=new, is_revoke="false")
        pckey = validate(site, new, "PC-2", **NEXT).field("pckey")

        # what happened is told
        events = [row["event"] for row in reversed(site.ctl_json("key", "history", new))]
        assert events == ["created", "activated", "activated", "released", "activated", "renewed", "upgraded",
                          "activated", "revoked", "restored"]

        # out of here, into an empty site that has never heard of it
        for kind in ("customers", "licenses", "activations"):
            path = tmp_path / (kind + ".csv")
            path.write_text(site.ctl("export", kind).stdout, encoding="utf-8")
            empty.ctl("import", path)
        moved = validate(empty, new, "PC-2", is_pckey=pckey, **NEXT)
        assert moved.error is None and verify(moved.body, empty.template.public_keys[(1, "2.0")])
        for name in ("expiryDate", "features", "userFullName", "userEmail", "userData", "numActivationsAllowed",
                     "availableLicenses", "licenseModel", "pckey", "activationKey"):
            assert moved.field(name) == validate(site, new, "PC-2", is_pckey=pckey, **NEXT).field(name), name
        xml_refusal(empty, validate(empty, key, "PC-2"), 203)

        # and it lives on there
        done(empty, "RenewSubscriptionHttp", subscriptionid=subscription, is_expduration="30", orderNumber=order_number())
        assert end_of(empty, new, NEXT) == day_after(90, today)
        done(empty, "ReleaseLicenseHttp", is_avkey=new, is_pcid="PC-2")
        assert activate(empty, new, "PC-9", **NEXT).error is None
        for at in (site, empty):
            assert at.ctl("db", "check").returncode == 0

    on_one_day(live)
