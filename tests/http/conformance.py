"""The contract of each method, once: who may call it, what it takes, how it answers. test_conformance.py makes the cases
of it, and compares it with the page of methods and with what the server itself lists."""
import base64
import dataclasses
import hmac
import itertools
import re
import typing
from pathlib import Path

from client import PRODUCT, call, issue, order_number
from client import PRODUCT, call, issue, normal, order_number

ROOT = Path(__file__).resolve().parents[2]
VENDOR = "QlmAuthenticationProvider"

_serial = itertools.count(1)


def unique(prefix="T"):
    return "%s%d-%s" % (prefix, next(_serial), order_number())


# ---- arguments: types and bounds as the program's own table has them

@dataclasses.dataclass(frozen=True)
class Argument:
    id: str
    names: tuple
    type: str
    low: int
    high: int

    def good(self):
        """Other spellings of one good value, where the type has several; none if it depends on the method."""
        return {"BOOL": ["true", "1", "True", "YES", "on", "false", "0", "no", "OFF"],
                "MODEL": ["permanent", "TRIAL", "Subscription"],
                "FEATURES": ["0:3", "0:3;", "0:1,0:2", "0:255;1:1;2:2;3:3;", "0"]}.get(self.type, [])

    def bad(self):
        """Values that cannot be read, and why."""
        if self.type == "TEXT":
            return [("control", "a\x01b"), ("line end", "a\r\nb"), ("too long", "x" * (self.high + 1))]
        by_type = {
            "INT": [("word", "ten"), ("fraction", "1.5"), ("exponent", "1e3"), ("huge", "9" * 30),
                    ("below", str(self.low - 1)), ("above", str(self.high + 1)), ("hex", "0x10")],
            "DAYS": [("word", "ten"), ("fraction", "1.5"), ("below", str(self.low - 1)), ("above", str(self.high + 1))],
            "BOOL": [("word", "maybe"), ("number", "2")],
            "DATE": [("word", "tomorrow"), ("no such day", "2030-02-30"), ("no such month", "2030-13-01"),
                     ("beyond 9999", "10000-01-01"), ("time", "2030-01-01 25:00:00")],
            "FEATURES": [("set", "4:1"), ("value", "0:256"), ("word", "all"), ("sign", "0:-1")],
            "MODEL": [("word", "eternal"), ("number", "77")],
            "LINES": [("control", "a\x01b"), ("delete", "a\x7fb")],
        }
        return by_type.get(self.type, [])


def read_arguments():
    text = (ROOT / "mod_qlm/service/arguments.def").read_text(encoding="utf-8")
    limits = {"QLM_MAX_QUANTITY": 9999}
    found = {}
    for row in re.finditer(r'^QLM_ARGUMENT\((\w+), "([^"]+)", (\w+), ([-\w]+), ([-\w]+),', text, re.M):
        name, names, kind, low, high = row.groups()
        found[name] = Argument(name, tuple(names.split()), kind, int(limits.get(low, low)), int(limits.get(high, high)))
    assert len(found) > 30
    return found


ARGUMENTS = read_arguments()


# ---- methods

@dataclasses.dataclass(frozen=True)
class Method:
    name: str
    arguments: str                 # blank-separated ids of arguments.def; a required one ends with !
    permission: str                # public, offered (checked if given), vendor
    good: typing.Callable          # site -> fields of a call that succeeds, each time it is made
    answer: tuple = ()             # names of the children of the answer's root, in order; () = not one of XML
    gate: str = None               # the property that must be true
    ignores: str = ""              # arguments that are read leniently: a bad value is no refusal
    once: bool = False             # the call cannot be repeated with the same fields

    @property
    def takes(self):
        return [ARGUMENTS[a.rstrip("!")] for a in self.arguments.split()]

    @property
    def required(self):
        return [ARGUMENTS[a[:-1]] for a in self.arguments.split() if a.endswith("!")]

    @property
    def lenient(self):
        return [ARGUMENTS[a] for a in self.ignores.split()]


DOCUMENT = ("creationDateUtc pckey computerName computerID userCompany userFullName userEmail productID productName"
            " majorVersion minorVersion licenseModel maintenanceRenewalDate result status features duration"
            " floatingSeats numActivationsAllowed availableLicenses expiryDate activationKey userData activationDate"
            " serverDate computerType Signature").split()

ISSUE = ("VENDOR USER PWD PRODUCT! MAJOR! MINOR! QLM_VERSION QUANTITY ONE_KEY PER_KEY ADDITIONAL FLOATING FEATURES MODEL"
         " DURATION EXPIRY PLAN PLAN_DAYS COMPUTER_TYPE AFFILIATE USER_DATA LEGACY_KEY PROPERTIES ARGS MAIL_TEMPLATE"
         " RENEWAL_TEMPLATE SEND_MAIL LOCALE")


def an_order(_):
    return {**PRODUCT, "orderNumber": unique()}


def a_key(site):
    return {"is_avkey": issue(site, orderNumber=unique())}


def a_computer(site):
    return {**a_key(site), "is_pcid": unique("PC"), **PRODUCT}


def verifier_of(site, owner, password):
    """What the server stores of a password or code: made here as it makes it, HKDF and HMAC with SHA-256."""
    secret = bytes.fromhex(site.secret.read_text().split()[-1])
    master = hmac.digest(bytes(32), secret, "sha256")
    key = hmac.digest(master, b"mod_qlm credential v1" + b"\x01", "sha256")
    mac = hmac.digest(key, owner.encode() + b"\0" + password.encode(), "sha256")
    return "v1$" + base64.b64encode(mac).decode()


def a_code(site):
    """A code that came by mail, of a new license."""
    key, computer = issue(site, orderNumber=unique()), unique("PC")
    site.change("INSERT INTO qlm_authorization_code (computer_fold, code_verifier, license_id, created_at, expires_at)"
                " SELECT ?, ?, id, created_at, created_at + 600 FROM qlm_license WHERE activation_key = ?",
                computer.lower(), verifier_of(site, "code/" + computer.lower(), "123456"), normal(key))
    return {"is_authcode": "123456", "is_pcid": computer, **PRODUCT}


def an_install(site):
    return {"is_installid": call(site, "AnalyticsAddInstallHttp").field("installID")}


def an_applicant(_):
    return {"is_email": unique() + "@company.example", **PRODUCT}


def a_requester(_):
    return {"is_email": unique() + "@user.example", "is_pcid": unique("PC"), **PRODUCT}


INSTALL = ("SOFTWARE_VERSION OS_VERSION COMPUTER_NAME INSTALL_COMPUTER KEY COMPUTER_KEY TRIAL PRODUCT_NAME MAJOR MINOR"
           " CUSTOM_DATA1 CUSTOM_DATA2 CUSTOM_DATA3 ARGS")

def an_active_computer(site):
    fields = a_computer(site)
    assert call(site, "ActivateKey", fields).error is None
    return {name: fields[name] for name in ("is_avkey", "is_pcid")}


def a_subscription(site):
    return {"is_avkey": issue(site, orderNumber=unique(), is_expduration="30"), "is_expduration": "30"}


PLAN = "PLAN_DATE PLAN_DAYS VENDOR USER PWD PRODUCT MAJOR MINOR ARGS"
def a_product(site):
    if not site.query("SELECT 1 FROM qlm_product WHERE latest_version <> ''"):
        site.ctl("product", "set", "--id", 1, "--version", "1.0", "latest-version=1.0.3")
    return PRODUCT


def an_order_number(site):
    number = unique()
    issue(site, orderNumber=number)
    return {"is_orderid": number}


def an_address(site):
    email = unique("u") + "@customer.example"
    return {"is_avkey": issue(site, orderNumber=unique(), email=email), "is_email": email}


METHODS = [
    Method("ActivateKey",
           "KEY! COMPUTER_ID! PRODUCT MAJOR MINOR COMPUTER_NAME EMAIL USER_DATA AFFILIATE QLM_VERSION VENDOR USER PWD"
           " SIGN BOM ARGS", "offered", a_computer, DOCUMENT, ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("ActivateKeyByAuthorizationCodeHttp",
           "CODE! COMPUTER_ID! COMPUTER_KEY PRODUCT MAJOR MINOR COMPUTER_NAME EMAIL USER_DATA LOG_USER_DATA AFFILIATE"
           " QLM_VERSION SIGN BOM ARGS", "public", a_code, DOCUMENT, ignores="QLM_VERSION ARGS"),
    Method("AnalyticsAddInstallHttp", INSTALL, "public", lambda _: {}, ("result", "installID"),
           "enablePublishAnalyticsApi", ignores="ARGS"),
    Method("AnalyticsRemoveInstallHttp", "INSTALL_ID!", "public", an_install, ("result",), "enablePublishAnalyticsApi"),
    Method("AnalyticsUpdateInstallHttp", "INSTALL_ID! " + INSTALL, "public", an_install, ("result",),
           "enablePublishAnalyticsApi", ignores="ARGS"),
    Method("AnalyticsUpdateLastAccessedDateHttp", "INSTALL_ID!", "public", an_install, ("result",),
           "enablePublishAnalyticsApi"),
    Method("EnableMaintenancePlan", "KEY PLAN %s MAIL_TEMPLATE SEND_MAIL LOCALE" % PLAN, "vendor", a_key, ("result",),
           ignores="VENDOR USER PWD ARGS PLAN"),
    Method("GetActivationKey", ISSUE, "vendor", an_order, ("licenses",), "enableGetActivationKey",
           ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("GetActivationKeyWithExpiryDate", ISSUE, "vendor", an_order, ("licenses",), "enableGetActivationKey",
           ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("GetLatestVersionHttp", "PRODUCT! MAJOR! MINOR! ARGS LOCALE", "public", a_product,
           ("result", "latestVersion", "latestVersionUrl", "latestVersionNotes"), "enableGetLatestVersionHttp",
           ignores="ARGS LOCALE"),
    Method("GetRecentOrdersHttp", "PERIOD VENDOR USER PWD ARGS", "vendor", lambda _: {}, (), "enableGetRecentOrders",
           ignores="VENDOR USER PWD ARGS"),
    Method("PingHttp", "", "public", lambda _: {}, ("result", "serverDate", "serverVersion", "serverDate")),
    Method("QlmWebHookHandler", ISSUE, "vendor", an_order, ("licenses",),
           ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("Register",
           "EMAIL! PRODUCT! MAJOR! MINOR! ARGS FULL_NAME COMPANY PHONE COUNTRY ADDRESS1 ADDRESS2 CITY STATE ZIP SUBSCRIBE"
           " USER_DATA LOCALE MODEL DURATION EXPIRY FEATURES QUANTITY PLAN PLAN_DAYS AFFILIATE PROPERTIES QLM_VERSION"
           " SEND_MAIL MAIL_TEMPLATE MAIL_SUBJECT MAIL_FROM MAIL_CC MAIL_BCC FAILURE_TEMPLATE CONFIRMATION", "public",
           an_applicant, ("result",), "enableRegisterLicense", ignores="QLM_VERSION ARGS"),
    Method("ReleaseLicenseHttp", "KEY! COMPUTER_ID DEACTIVATION_CODE LOG_RELEASE VENDOR USER PWD ARGS LOCALE", "vendor",
           an_active_computer, ("result",), "enableReleaseKeyHttp", ignores="VENDOR USER PWD ARGS"),
    Method("RenewMaintenancePlan", "KEY %s RENEWAL_TEMPLATE SEND_MAIL LOCALE" % PLAN, "vendor", a_key, ("result",),
           ignores="VENDOR USER PWD ARGS"),
    Method("RenewSubscriptionHttp", "KEY EXPIRY DURATION PLAN PLAN_DATE PLAN_DAYS PROPERTIES VENDOR USER PWD PRODUCT MAJOR"
           " MINOR ARGS RENEWAL_TEMPLATE SEND_MAIL LOCALE", "vendor", a_subscription, ("result",),
           "enableRenewSubscriptionHttp", ignores="VENDOR USER PWD ARGS PLAN"),
    Method("RequestAuthorizationCodeForActivationHttp",
           "EMAIL! COMPUTER_ID! PRODUCT! MAJOR! MINOR! LOCALE ARGS", "public", a_requester, ("result",), ignores="ARGS"),
    Method("RetrieveActivationKeyHttp", "ORDER USER_DATA FORMAT VENDOR USER PWD ARGS LOCALE", "vendor", an_order_number,
           ("licenses",), "enableRetrieveActivationKeyHttp", ignores="VENDOR USER PWD ARGS"),
    Method("RevokeLicenseHttp", "KEY REVOKE VENDOR USER PWD PRODUCT MAJOR MINOR ARGS LOCALE", "vendor", a_key,
           ("result",), "enableRevokeLicense", ignores="VENDOR USER PWD ARGS"),
    Method("SubscribeToMailListHttp", "EMAIL! INCLUDE HTML ARGS LOCALE", "public",
           lambda _: {"is_email": "ann@customer.example"}, ("result",), ignores="ARGS"),
    Method("UpdateLicenseHttp",
           "KEY FEATURES EXPIRY DURATION PRODUCT MAJOR MINOR MODEL QUANTITY USER_DATA AFFILIATE REVOKE MAX_RELEASES"
           " RELEASE_DAYS PROPERTIES QLM_VERSION VENDOR USER PWD ARGS LOCALE", "vendor",
           lambda site: {**a_key(site), "is_features": "0:1"}, ("result",), "enableUpgradeLicense",
           ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("UpdatePrivacyConsentHttp", "KEY! EMAIL! CONSENT! ARGS LOCALE", "public",
           lambda site: {**an_address(site), "is_consent": "1"}, ("result",), ignores="ARGS"),
    Method("UpdateUserInformation", "KEYS PREVIOUS_EMAIL EXTERNAL_ID USER_DATA AFFILIATE VENDOR USER PWD ARGS LOCALE",
           "vendor", lambda _: {"email": unique("u") + "@customer.example"}, ("result",),
           ignores="VENDOR USER PWD ARGS"),
    Method("UpgradeLicense",
           "KEY PRODUCT MAJOR MINOR FEATURES EXPIRY DURATION MODEL USER_DATA AFFILIATE QLM_VERSION VENDOR USER PWD ARGS"
           " MAIL_TEMPLATE SEND_MAIL LOCALE", "vendor", a_key, ("licenses",), "enableUpgradeLicense",
           ignores="QLM_VERSION VENDOR USER PWD ARGS"),
    Method("ValidateLicenseHttp",
           "KEY! COMPUTER_ID COMPUTER_KEY ACTIVATE PRODUCT MAJOR MINOR COMPUTER_NAME EMAIL USER_DATA LOG_USER_DATA"
           " AFFILIATE QLM_VERSION SIGN BOM ARGS", "public", a_computer, DOCUMENT, ignores="QLM_VERSION ARGS"),
]
