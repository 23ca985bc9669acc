"""The checker of soak runs: histories that some order of the calls explains, and others that none does."""
import itertools
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "soak"))

import checker  # noqa: E402
from checker import EVENTS, LicenseModel, Object, Operation, UNKNOWN, check, check_all  # noqa: E402

ENDS = "2040-06-30"
LATER = "2040-07-07"
OK = {"code": None}
NO_EVENTS = dict.fromkeys(EVENTS, 0)


def at(start, end, do, answer=UNKNOWN, **call):
    """A call that began and ended at these times."""
    return Operation(start, end, {"do": do, **call}, {"code": answer} if isinstance(answer, str) else answer)


def shown(free, is_active=True, name="", ends=ENDS, computer_key="K"):
    return {"code": None, "free": free, "is_active": is_active, "name": name, "ends": ends,
            "computer_key": computer_key if is_active else ""}


def activate(start, end, computer, answer=UNKNOWN, **call):
    return at(start, end, "activate", answer, computer=computer, **call)


def report(start, end, computer, answer):
    return at(start, end, "report", answer, computer=computer)


def release(start, end, computer, answer=UNKNOWN):
    return at(start, end, "release", answer, computer=computer)


def renew(start, end, order, answer=UNKNOWN, days=7):
    return at(start, end, "renew", answer, order=order, days=days)


def rows(active=(), seats=2, is_revoked=False, ends=ENDS, renewals=(), computer_keys=(), free=None, **events):
    return at(10**6, 10**6, "rows", {
        "is_revoked": is_revoked, "seats": seats, "free": seats - len(active) if free is None else free,
        "active": [list(a) for a in active], "ends": ends, "renewals": list(renewals),
        "computer_keys": [list(k) for k in computer_keys], "events": list({**NO_EVENTS, **events}.values())})


NOT_ACTIVE = {"is_active": False}

EXPLAINED = {
    "nothing": [],
    "one after the other": [
        activate(1, 2, "A", shown(1)), report(3, 4, "A", shown(1)), report(5, 6, "B", shown(1, False)),
        activate(7, 8, "B", shown(0)), activate(9, 10, "C", "210"), release(11, 12, "A", OK),
        release(13, 14, "A", "217"), release(15, 16, "B", OK), release(17, 18, "B", "216"),
        rows(activated=2, released=2)],
    "two want the last seat": [
        activate(1, 2, "A", shown(1)), activate(3, 8, "B", "210"), activate(4, 7, "C", shown(0)),
        rows([("A", ""), ("C", "")], activated=2)],
    "refused by one that is released at the same time": [
        activate(1, 2, "A", shown(1)), activate(3, 4, "B", shown(0)), activate(5, 9, "C", "210"),
        release(6, 8, "A", OK), report(10, 11, "B", shown(1))],
    "a read during a write sees it": [activate(1, 10, "A", shown(1)), report(2, 3, "A", shown(1))],
    "a read during a write does not see it": [activate(1, 10, "A", shown(1)), report(2, 3, "A", shown(2, False))],
    "a write that began earlier and ended later comes between two reads": [
        report(2, 3, "A", shown(2, False)), activate(1, 10, "A", shown(1)), report(4, 5, "A", shown(1))],
    "unknown, and happened": [activate(1, 2, "A"), report(3, 4, "A", shown(1)), rows([("A", "")], activated=1)],
    "unknown, and never happened": [activate(1, 2, "A"), report(3, 4, "A", shown(2, False)), rows()],
    "unknown, and happened much later": [
        activate(1, 2, "A"), report(3, 4, "A", shown(2, False)), report(5, 6, "A", shown(2, False)),
        report(7, 8, "A", shown(1)), rows([("A", "")], activated=1)],
    "unknown, and happened between a release and the end": [
        activate(1, 2, "A", shown(1)), activate(3, 4, "A"), release(5, 6, "A", OK), rows([("A", "")],
                                                                                        activated=2, released=1)],
    "two unknown, of which the second happened": [
        at(1, 2, "revoke"), activate(3, 4, "A"), report(5, 6, "A", shown(1)), rows([("A", "")], activated=1)],
    "revoked and restored": [
        at(1, 2, "revoke", OK), activate(3, 4, "A", "201"), report(5, 6, "A", "201"), at(7, 8, "restore", OK),
        at(9, 10, "restore", OK), activate(11, 12, "A", shown(1)), rows([("A", "")], activated=1, revoked=1,
                                                                       restored=1)],
    "a revoked license is released": [
        activate(1, 2, "A", shown(1)), at(3, 4, "revoke", OK), release(5, 6, "A", OK),
        rows(is_revoked=True, activated=1, released=1, revoked=1)],
    "a rebill that comes twice": [
        renew(1, 5, "R1", OK), renew(2, 6, "R1", OK), report(7, 8, "A", shown(2, False, ends=LATER)),
        rows(ends=LATER, renewals=["R1"], renewed=1)],
    "a rebill that is repeated after the license was revoked": [
        renew(1, 2, "R1", OK), at(3, 4, "revoke", OK), renew(5, 6, "R1", OK), renew(7, 8, "R2", "201"),
        rows(is_revoked=True, ends=LATER, renewals=["R1"], renewed=1, revoked=1)],
    "the computer's name of the last activation": [
        activate(1, 2, "A", shown(1, name="one"), name="one"), activate(3, 4, "A", shown(1, name="two"), name="two"),
        activate(5, 6, "A", shown(1, name="two")), rows([("A", "two")], activated=1)],
}

NOT_EXPLAINED = {
    "a seat sold twice": [
        activate(1, 2, "A", shown(1)), activate(3, 8, "B", shown(0)), activate(4, 7, "C", shown(0))],
    "a seat sold twice at the same time": [
        activate(1, 9, "A", shown(1)), activate(1, 9, "B", shown(0)), activate(1, 9, "C", shown(0))],
    "two who saw the same seat go": [activate(1, 9, "A", shown(1)), activate(2, 8, "B", shown(1))],
    "a lost activation": [activate(1, 2, "A", shown(1)), report(3, 4, "A", shown(2, False))],
    "a lost activation, in the rows": [activate(1, 2, "A", shown(1)), rows()],
    "a lost update of two at the same time": [
        activate(1, 9, "A", shown(1)), activate(2, 8, "B", shown(0)), rows([("A", "")], activated=1)],
    "an activation that nobody asked for": [report(1, 2, "A", shown(1))],
    "a stale read": [
        activate(1, 2, "A", shown(1)), activate(3, 4, "B", shown(0)), report(5, 6, "A", shown(1))],
    "the new, then the old": [
        activate(1, 10, "A", shown(1)), report(2, 3, "A", shown(1)), report(4, 5, "A", shown(2, False))],
    "refused though a seat is free": [activate(1, 2, "A", "210")],
    "refused though the release was acknowledged": [
        activate(1, 2, "A", shown(1)), activate(3, 4, "B", shown(0)), release(5, 6, "A", OK),
        activate(7, 8, "C", "210")],
    "a lost release": [activate(1, 2, "A", shown(1)), release(3, 4, "A", OK), report(5, 6, "A", shown(1))],
    "released twice": [activate(1, 2, "A", shown(1)), release(3, 9, "A", OK), release(4, 8, "A", OK)],
    "nothing to release though it is active": [activate(1, 2, "A", shown(1)), release(3, 4, "A", "216")],
    "activated though revoked": [at(1, 2, "revoke", OK), activate(3, 4, "A", shown(1))],
    "a lost revocation, in the rows": [at(1, 2, "revoke", OK), rows(revoked=1)],
    "revoked by nobody": [report(1, 2, "A", "201")],
    "revoked though restored": [at(1, 2, "revoke", OK), at(3, 4, "restore", OK), report(5, 6, "A", "201")],
    "a lost renewal": [renew(1, 2, "R1", OK), report(3, 4, "A", shown(2, False))],
    "a renewal that counts twice": [
        renew(1, 5, "R1", OK), renew(2, 6, "R1", OK), report(7, 8, "A", shown(2, False, ends="2040-07-14"))],
    "of two renewals one is lost": [
        renew(1, 5, "R1", OK), renew(2, 6, "R2", OK), rows(ends=LATER, renewals=["R1", "R2"], renewed=2)],
    "a renewal that is not remembered": [renew(1, 2, "R1", OK), rows(ends=LATER, renewed=1)],
    "a new rebill of a revoked license": [at(1, 2, "revoke", OK), renew(3, 4, "R1", OK)],
    "a lost name": [
        activate(1, 2, "A", shown(1, name="one"), name="one"), activate(3, 4, "A", shown(1, name="one"), name="two")],
    "an old name comes back": [
        activate(1, 2, "A", shown(1, name="one"), name="one"), activate(3, 4, "A", shown(1, name="two"), name="two"),
        report(5, 6, "A", shown(1, name="one"))],
    "unknown, and seen before it began": [report(1, 2, "A", shown(1)), activate(3, 4, "A")],
    "unknown, and happened twice": [
        activate(1, 2, "A"), report(3, 4, "A", shown(1)), release(5, 6, "A", OK), report(7, 8, "A", shown(1))],
    "unknown, and undone by nobody": [
        activate(1, 2, "A"), report(3, 4, "A", shown(1)), report(5, 6, "A", shown(2, False))],
    "unknown, and half done": [activate(1, 2, "A"), rows([("A", "")], free=2, activated=1)],
    "unknown, and done without a trace": [activate(1, 2, "A"), rows([("A", "")])],
    "seats that do not add up": [activate(1, 2, "A", shown(1)), rows([("A", "")], free=2, activated=1)],
    "another number of seats": [rows(seats=3)],
    "a change that history does not know": [activate(1, 2, "A", shown(1)), rows([("A", "")])],
    "a change that history knows twice": [activate(1, 2, "A", shown(1)), rows([("A", "")], activated=2)],
    "the license is gone": [activate(1, 2, "A", shown(1)), at(8, 9, "rows", {"is_missing": True})],
    "the license is not known": [report(1, 2, "A", "203")],
    "an answer that no client should get": [at(1, 2, "revoke", "HTTP 500")],
}


@pytest.mark.parametrize("name", EXPLAINED)
def test_explained(name):
    assert check(name, LicenseModel(2, ENDS), EXPLAINED[name]) is None


@pytest.mark.parametrize("name", NOT_EXPLAINED)
def test_not_explained(name):
    failure = check(name, LicenseModel(2, ENDS), NOT_EXPLAINED[name])
    assert failure and failure.stuck and name in str(failure)
    assert len(failure.done) < len(NOT_EXPLAINED[name])


# ---- orders

def issue(start, end, *keys, code=None):
    return at(start, end, "issue", {"code": code, "keys": list(keys), "bytes": hash(keys)} if keys or code else UNKNOWN)


def order_rows(*keys, answers=None):
    return at(10**6, 10**6, "rows", {"keys": list(keys), "answers": bool(keys) if answers is None else answers})


def problems(keys, *histories):
    names = ["order %d" % i for i in range(len(histories))]
    return check_all(dict.fromkeys(names, Object("order", keys=keys)), dict(zip(names, map(list, histories))))


@pytest.mark.parametrize("history", [
    [order_rows()],
    [issue(1, 9, "K1"), issue(2, 8, "K1"), issue(10, 11, "K1"), order_rows("K1")],
    [issue(1, 2), order_rows("K1")],
    [issue(1, 2), order_rows()],
    [issue(1, 2), issue(3, 4, "K1"), order_rows("K1")],
])
def test_an_order_fulfilled_once(history):
    assert problems(1, history) == []


@pytest.mark.parametrize("history", [
    [issue(1, 9, "K1"), issue(2, 8, "K2"), order_rows("K1")],
    [issue(1, 2, "K1"), order_rows("K1", "K2")],
    [issue(1, 2, "K1"), order_rows("K2")],
    [issue(1, 2, "K1"), order_rows()],
    [issue(1, 2, "K1"), order_rows("K1", answers=0)],
    [issue(1, 2, "K1"), order_rows("K1", answers=2)],
    [issue(1, 2, "K1", "K2")],
    [issue(1, 2), order_rows("K1", "K2")],
    [issue(1, 2), order_rows("K1", answers=0)],
    [order_rows("K1")],
    [issue(1, 2, code="2"), order_rows()],
])
def test_an_order_not_fulfilled_once(history):
    assert problems(1, history)


def test_several_keys_of_an_order():
    assert problems(2, [issue(1, 2, "K1", "K2"), order_rows("K2", "K1")]) == []
    assert problems(2, [issue(1, 2, "K1", "K1")])
    assert problems(2, [issue(1, 2, "K1", "K2"), issue(3, 4, "K2", "K1")])
    assert problems(2, [issue(1, 2, "K1", "K2"), order_rows("K1")])


def test_a_key_of_two_orders():
    assert problems(1, [issue(1, 2, "K1")], [issue(1, 2, "K2")]) == []
    assert "K1" in problems(1, [issue(1, 2, "K1")], [issue(1, 2, "K1")])[0]


def test_the_same_key_in_other_bytes():
    other = issue(3, 4, "K1")
    other.answer["bytes"] += 1
    assert "2 ways" in problems(1, [issue(1, 2, "K1"), other])[0]


# ---- computer keys

def license_problems(*history):
    return check_all({"L": Object("license", seats=2, ends=ENDS)}, {"L": list(history)})


def test_a_computer_key_of_earlier_terms():
    first = activate(1, 2, "A", shown(1, computer_key="K1"))
    after = [renew(3, 4, "R1", OK)]
    fresh = report(5, 6, "A", shown(1, ends=LATER, computer_key="K2"))
    assert license_problems(first, *after, fresh) == []
    assert "K1" in license_problems(first, *after, report(5, 6, "A", shown(1, ends=LATER, computer_key="K1")))[0]
    assert "K3" in license_problems(first, report(3, 4, "A", shown(1, computer_key="K3")))[0]
    both = dict(active=[("A", "")], activated=1, renewed=1, ends=LATER, renewals=["R1"])
    assert license_problems(first, *after, fresh, rows(**both, computer_keys=[("A", "K2")])) == []
    assert license_problems(first, *after, rows(**both, computer_keys=[("A", "K1")]))


# ---- against a search that is too simple to be wrong

def explained_by_brute_force(model, history):
    """Try every order of every choice of unknown calls."""
    known = [o for o in history if o.answer is not UNKNOWN]
    open_ = [o for o in history if o.answer is UNKNOWN]
    for count in range(len(open_) + 1):
        for happened in itertools.combinations(open_, count):
            if any(follows(model, order) for order in itertools.permutations(known + list(happened))):
                return True
    return False


def follows(model, order):
    state = model.initial
    for i, operation in enumerate(order):
        if any(later.answer is not UNKNOWN and later.end < operation.start for later in order[i + 1:]):
            return False
        state, expected = model.apply(state, operation.call)
        if operation.answer is not UNKNOWN and not model.matches(expected, operation.answer, operation.call):
            return False
    return True


def invent(choose, calls, model):
    """A history as a correct server would make it: calls that overlap, each with a moment at which it happens."""
    invented = []
    for _ in range(calls):
        moment = choose.uniform(0, 2 * calls)
        do = choose.choice(["activate", "activate", "report", "release", "renew", "revoke", "restore"])
        call = {"do": do, "computer": choose.choice("AB"), "order": choose.choice(["R1", "R2"]), "days": 7,
                "name": choose.choice(["", "N%d" % choose.randrange(9)])}
        invented.append((moment, moment - choose.expovariate(0.5), moment + choose.expovariate(0.5), call))
    state, history = model.initial, []
    for _, start, end, call in sorted(invented, key=lambda i: i[0]):
        fate = choose.random()  # answered, lost before it happened, lost afterwards
        after, expected = (state, None) if fate < 0.08 else model.apply(state, call)
        answer = UNKNOWN if fate < 0.16 else {"code": "210" if expected == "full" else expected} \
            if isinstance(expected, str) else expected
        history.append(Operation(start, end, call, answer))
        state = after
    return history


def damage(choose, history):
    """Another answer, or other times, of one call."""
    which = choose.randrange(len(history))
    operation = history[which]
    if operation.answer is not UNKNOWN and choose.random() < 0.7:
        other = choose.choice(history).answer
        operation = operation._replace(answer=other if other is not UNKNOWN else {"code": "201"})
    else:
        shift = choose.uniform(-8, 8)
        operation = operation._replace(start=operation.start + shift, end=operation.end + shift)
    return history[:which] + [operation] + history[which + 1:]


def test_as_brute_force_says():
    choose = random.Random(20270102)
    verdicts = {True: 0, False: 0}
    for _ in range(1500):
        model = LicenseModel(1, ENDS)
        history = damage(choose, invent(choose, choose.randrange(2, 7), model))
        expected = explained_by_brute_force(model, history)
        assert (check("", model, history) is None) == expected, history
        verdicts[expected] += 1
    assert min(verdicts.values()) > 300, verdicts


def test_long_histories_of_a_correct_server():
    choose = random.Random(20270103)
    for _ in range(25):
        model = LicenseModel(2, ENDS)
        assert check("", model, invent(choose, 120, model)) is None


def test_a_reading_of_unknown_outcome_says_nothing():
    assert check("", LicenseModel(2, ENDS), [report(1, 2, "A", UNKNOWN)]) is None
    assert checker.show(report(1, 2, "A", UNKNOWN)).startswith("[1..?]")
