"""The clients of a soak run: what each of them will do, told by the seed alone, and the doing of it.

A client is a process with one kept connection. It plays its script call by call and notes start, end and answer of
each; nothing is sent twice unless the script says so. All clients walk through the same licenses at about the same
time, a few at once, so that their calls meet; a client that does not know a license's key yet orders it, with the
order's number that all of them use.
"""
import ctypes
import http.client
import random
import signal
import time
import traceback
import zlib

from checker import UNKNOWN
from client import ASMX, CREDENTIALS, PRODUCT, Answer, encode, normal

CALLS_PER_LICENSE = 80  # of all clients together: the search likes short histories
AT_ONCE = 4  # licenses
COMPUTERS = ["PC-%d" % i for i in range(5)]
ENDS = "2040-06-30"
RENEWALS = 6  # order numbers with which a license may be renewed: they come again
VENDOR = {"is_vendor": "QlmAuthenticationProvider", **CREDENTIALS}
PATIENCE = 60  # seconds for an answer, or for a server that is starting
OFFLINE = (OSError, http.client.HTTPException)

WEIGHTS = {"activate": 30, "report": 20, "release": 20, "renew": 12, "restore": 10, "revoke": 5, "issue": 6}
METHODS = {"release": "ReleaseLicenseHttp", "renew": "RenewSubscriptionHttp"}  # a server that has none is not asked


# ---- what will be done

def order_name(seed, number):
    return "S%s-%d" % (seed, number)


def plan(seed, number):
    """Of an order: how many keys, and seats of each."""
    choose = random.Random("%s plan %d" % (seed, number))
    return choose.choice([1, 1, 1, 2]), choose.choice([1, 1, 2, 3])


def license_names(seed, number):
    return ["%s/%d" % (order_name(seed, number), i) for i in range(plan(seed, number)[0])]


def count_orders(operations):
    return operations // CALLS_PER_LICENSE + AT_ONCE


def script(seed, client, clients, operations, kinds):
    """Yields (number of the order, which of its keys, call, is it hung up on): the calls of one client."""
    choose = random.Random("%s client %d" % (seed, client))
    kinds = [k for k in WEIGHTS if k in kinds]
    weights = [WEIGHTS[k] for k in kinds]
    for i in range(client, operations, clients):
        number = i // CALLS_PER_LICENSE + choose.randrange(AT_ONCE)
        call = {"do": choose.choices(kinds, weights)[0]}
        computer, name, renewal = choose.choice(COMPUTERS), choose.random() < 0.3, choose.randrange(RENEWALS)
        if call["do"] in ("activate", "report", "release"):
            call["computer"] = computer
        if call["do"] == "activate" and name:
            call["name"] = "N%d" % i
        if call["do"] == "renew":
            call.update(order="R%d" % renewal, days=7 * (renewal + 1))
        yield number, choose.randrange(plan(seed, number)[0]), call, choose.random() < 0.003


# ---- as a request

def issue_query(seed, number):
    keys, seats = plan(seed, number)
    query = {**VENDOR, **PRODUCT, "orderNumber": order_name(seed, number), "is_expdate": ENDS}
    if keys == 1:
        return {**query, "is_quantity": seats}
    return {**query, "is_quantity": keys, "is_usemultipleactivationskey": "false",
            "is_numberofactivationsperkey": seats}


def request(call, key, name):
    """(method, query) of a call for the license of that name."""
    do = call["do"]
    if do in ("activate", "report"):
        query = {"is_avkey": key, "is_pcid": call["computer"], "is_sign": "false", **PRODUCT}
        if do == "report":
            return "ValidateLicenseHttp", {**query, "is_activate": "false"}
        return "ActivateKey", {**query, "is_computer_name": call.get("name", "")}
    if do == "release":
        return METHODS[do], {**VENDOR, "is_avkey": key, "is_pcid": call["computer"]}
    if do == "renew":
        return METHODS[do], {**VENDOR, "is_avkey": key, "orderNumber": "%s-%s" % (name, call["order"]),
                             "is_expduration": call["days"]}
    return "RevokeLicenseHttp", {**VENDOR, "is_avkey": key, "is_revoke": "true" if do == "revoke" else "false"}


def read_answer(answer, do):
    """What the checker wants to know of it."""
    if answer.status in (502, 503, 504):  # the others are a balancer's
        return UNKNOWN
    if answer.status != 200:
        return {"code": "HTTP %d" % answer.status}
    if answer.error is not None:
        return {"code": answer.code, "text": answer.error}
    if do == "issue":
        return {"code": None, "keys": [normal(k) for k in answer.licenses], "bytes": zlib.crc32(answer.body)}
    if do in ("activate", "report"):
        return {"code": None, "free": int(answer.field("availableLicenses")), "name": answer.field("computerName"),
                "is_active": answer.field("status") in ("2", "4"), "ends": answer.field("expiryDate")[:10],
                "computer_key": answer.field("pckey")}
    return {"code": None}


# ---- doing it

class Player:
    """One client process at work."""

    def __init__(self, port, number, progress, limit):
        """progress: how many calls each player has made; limit: how many all of them may make for the time being."""
        self.port, self.number, self.progress, self.limit = port, number, progress, limit
        self.connection = None
        self.troubles = 0  # one after the other
        self.notes = []  # (object, start, end, call, answer, client)
        self.keys = {}

    def play(self, seed, clients, operations, kinds):
        for number, which, call, hangs_up in script(seed, self.number, clients, operations, kinds):
            self.wait_for_leave()
            if call["do"] == "issue" or number not in self.keys:
                self.order(seed, number)
            if call["do"] != "issue":
                key, name = self.keys[number][which], license_names(seed, number)[which]
                self.note(name, call, *request(call, key, name), hangs_up)

    def order(self, seed, number):
        """Until it is answered: a shop does that too."""
        while True:
            answer = self.note(order_name(seed, number), {"do": "issue"}, "GetActivationKeyWithExpiryDate",
                               issue_query(seed, number))
            if answer is not UNKNOWN:
                self.keys[number] = answer.get("keys") or [""] * plan(seed, number)[0]
                return

    def note(self, name, call, method, query, hangs_up=False):
        self.connect()
        start = time.monotonic_ns()
        answer = UNKNOWN
        try:
            self.connection.send(method, query)
            if hangs_up:
                self.drop()
            else:
                answer = read_answer(self.connection.receive(), call["do"])
        except OFFLINE:
            self.drop()
        self.notes.append((name, start, time.monotonic_ns(), call, answer, self.number))
        self.progress[self.number] += 1
        self.wait_a_little(answer is UNKNOWN and not hangs_up)
        return answer

    def wait_for_leave(self):
        while sum(self.progress) >= self.limit.value:
            if self.connection:
                self.drop()  # the server would close it some time
            time.sleep(0.01)

    def wait_a_little(self, is_trouble):
        """As shops do: the longer, the more often it went wrong."""
        self.troubles = self.troubles + 1 if is_trouble else 0
        if is_trouble:
            time.sleep(min(0.01 * 2 ** self.troubles, 0.5))

    def connect(self):
        """What cannot be sent has not happened: wait until the server listens."""
        end = time.monotonic() + PATIENCE
        while self.connection is None or not self.connection.is_open():
            try:
                self.connection = Once(self.port)
            except OFFLINE:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def drop(self):
        self.connection.close()
        self.connection = None


class Once:
    """A connection on which nothing is sent a second time."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.http.connect()

    def is_open(self):
        return self.http.sock is not None

    def send(self, method, query):
        self.http.request("GET", "%s/%s?%s" % (ASMX, method, encode(query)))

    def receive(self):
        response = self.http.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def close(self):
        self.http.close()


PR_SET_PDEATHSIG = 1


def run_player(port, number, progress, limit, pipe, job):
    """The process: sends what was noted, or a text if there is trouble."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no client outlives its run
    player = Player(port, number, progress, limit)
    try:
        player.play(*job)
        pipe.send(player.notes)
    except BaseException:
        pipe.send(traceback.format_exc())
