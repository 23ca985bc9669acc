"""Says whether a history of calls that overlapped in time can be explained by some order of them.

A history is what clients saw: each call with its start, its end and its answer. It is linearizable if every call can be
given one moment between its start and its end at which it took effect as a whole, so that each answer is the one that
the model gives at that moment. A call whose connection broke, or that was refused with 503, has no known answer: its
moment may be any time after its start, or it may never come.

Every license and every order is an object of its own: a history is linearizable if that of each of its objects is, so
the search, which is exponential at worst, only meets short ones. It is that of Wing and Gong with the memory of Lowe:
depth first through the calls that may come next, and never twice into the same set of calls done with the same state.

Nothing here knows httpd, files or time: test_checker.py plays histories that must be accepted and others that must not.
"""
import datetime
from typing import Any, NamedTuple, Optional

UNKNOWN = None  # the answer of a call of which nobody knows how it ended


class Operation(NamedTuple):
    start: int
    end: int  # of no meaning if the answer is UNKNOWN
    call: dict
    answer: Any = UNKNOWN
    client: Any = ""


class Failure(NamedTuple):
    """No order explains the history: how far the best try came."""
    name: str
    state: Any
    done: list  # operations, in the order of the best try
    stuck: list  # (operation that had to come next, what it should have answered)
    history: list

    def __str__(self):
        lines = ["%s: no order of its %d calls explains them. The best try explains %d; the last of these:" %
                 (self.name, len(self.history), len(self.done))]
        lines += ["    " + show(o) for o in self.done[-12:]]
        lines += ["then, in the state %r, none of these can come next:" % (self.state,)]
        lines += ["    %s\n        but the model: %s" % (show(o), why) for o, why in self.stuck]
        return "\n".join(lines)


def show(operation):
    end = "?" if operation.answer is UNKNOWN else operation.end
    return "[%s..%s] client %s: %s -> %s" % (operation.start, end, operation.client, operation.call, operation.answer)


# ---- the search

def check(name, model, operations):
    """None if some order explains the operations, else a Failure.

    The model has: initial; apply(state, call), which returns (state afterwards, predicate or value of the answer);
    matches(expected, answer); is_reading(call, answer): no state is changed by such a call with that answer."""
    known = sorted((o for o in operations if o.answer is not UNKNOWN), key=lambda o: (o.start, o.end))
    open_ = sorted((o for o in operations if o.answer is UNKNOWN and not model.is_reading(o.call, UNKNOWN)),
                   key=lambda o: o.start)
    search = Search(model, known, open_)
    return None if search.run() else search.failure(name, list(operations))


class Search:
    """The bits of `done` number the known operations; those of unknown outcome follow them."""

    def __init__(self, model, known, open_):
        self.model, self.known, self.open = model, known, open_
        self.seen = set()
        self.best = (-1, None, None, ())  # how many, node, state, candidates

    def candidates(self, done):
        """Operations that may come next: those that begin before any operation that is not done has ended."""
        found, first_end = [], None
        number, count = (~done & (done + 1)).bit_length() - 1, len(self.known)
        while number < count:
            if not done >> number & 1:
                operation = self.known[number]
                if first_end is not None and operation.start > first_end:
                    break
                found.append(number)
                if first_end is None or operation.end < first_end:
                    first_end = operation.end
            number += 1
        # a later one may have ended first: those that began after that must wait
        found = [n for n in found if self.known[n].start <= first_end]
        for i, operation in enumerate(self.open):
            if operation.start > first_end:
                break
            if not done >> (count + i) & 1:
                found.append(count + i)
        return found

    def operation(self, number):
        count = len(self.known)
        return self.known[number] if number < count else self.open[number - count]

    def step(self, state, number):
        """The state after that operation; None if it cannot come now."""
        operation = self.operation(number)
        after, expected = self.model.apply(state, operation.call)
        if operation.answer is UNKNOWN:
            return None if after == state else after  # one that does nothing might as well never come
        return after if self.model.matches(expected, operation.answer, operation.call) else None

    def expand(self, done, state):
        """The nodes that follow. A reading that fits comes at once: it is in nobody's way."""
        candidates = self.candidates(done)
        nexts = []
        for number in candidates:
            after = self.step(state, number)
            if after is None:
                continue
            operation = self.operation(number)
            if self.model.is_reading(operation.call, operation.answer):
                return [(done | 1 << number, after, number)], candidates
            nexts.append((done | 1 << number, after, number))
        return nexts, candidates

    def run(self):
        goal = (1 << len(self.known)) - 1
        stack = [(0, self.model.initial, None)]  # the node: (number, node before)
        while stack:
            done, state, node = stack.pop()
            if done & goal == goal:
                return True
            nexts, candidates = self.expand(done, state)
            progress = bin(done & goal).count("1")
            if progress > self.best[0]:
                self.best = (progress, node, state, candidates)
            for after, new_state, number in reversed(nexts):
                if (after, new_state) not in self.seen:
                    self.seen.add((after, new_state))
                    stack.append((after, new_state, (number, node)))
        return False

    def failure(self, name, history):
        _, node, state, candidates = self.best
        done = []
        while node:
            done.append(self.operation(node[0]))
            node = node[1]
        stuck = [(self.operation(n), self.model.apply(state, self.operation(n).call)[1])
                 for n in candidates if n < len(self.known)]
        return Failure(name, state, done[::-1], stuck, history)


# ---- what an order is

class OrderModel:
    """The number of an order, and the keys it was answered with: once and for ever the same."""

    ANY = ("?",)  # fulfilled, and nobody has seen by what

    def __init__(self, keys):
        self.initial, self.keys = (), keys

    def apply(self, state, call):
        if call["do"] == "issue":
            return (state or self.ANY), (state or self.ANY)
        return state, state  # rows

    def matches(self, expected, answer, call):
        keys = tuple(answer.get("keys", ()))
        if call["do"] == "rows" and answer["answers"] != (1 if expected else 0):
            return False
        if call["do"] == "rows" and not expected:
            return not keys
        return answer.get("code") is None and len(keys) == len(set(keys)) == self.keys and \
            (expected == self.ANY or sorted(expected) == sorted(keys) and (call["do"] == "rows" or expected == keys))

    def is_reading(self, call, answer):
        return call["do"] == "rows"


class SeenOrderModel(OrderModel):
    """The same for a history in which some answer is known: every answer must be that one, so that is what the order
    becomes."""

    def __init__(self, keys, seen):
        super().__init__(keys)
        self.seen = tuple(seen)

    def apply(self, state, call):
        return (self.seen, self.seen) if call["do"] == "issue" else (state, state)


def order_model(keys, operations):
    """What the first known answer tells binds them all."""
    for o in operations:
        if o.call["do"] == "issue" and o.answer is not UNKNOWN and o.answer.get("code") is None:
            return SeenOrderModel(keys, o.answer["keys"])
    return OrderModel(keys)


# ---- what a license is

class LicenseState(NamedTuple):
    is_revoked: bool
    ends: int  # day, as a number
    active: tuple  # (computer, computer's name), sorted
    renewals: tuple  # numbers of orders that have renewed it, sorted
    events: tuple  # how many rows of history: activated, released, renewed, revoked, restored


EVENTS = ("activated", "released", "renewed", "revoked", "restored")
FULL = ("207", "210")  # the one computer that has it is named where it still has it a moment later


class LicenseModel:
    """A license from the moment its order is fulfilled: seats, computers, end, renewals, revocation."""

    def __init__(self, seats, ends):
        self.seats = seats
        self.initial = LicenseState(False, day_number(ends), (), (), (0,) * len(EVENTS))

    def apply(self, state, call):
        return getattr(self, call["do"])(state, call)

    def matches(self, expected, answer, call):
        if isinstance(expected, str):
            return answer.get("code") in (FULL if expected == "full" else (expected,))
        return all(answer.get(name) == value for name, value in expected.items())

    def is_reading(self, call, answer):
        return call["do"] in ("report", "rows") or answer is not UNKNOWN and answer.get("code") is not None

    # ---- calls: (state afterwards, code of the refusal or what the answer must say)

    def activate(self, state, call):
        computer, name = call["computer"], call.get("name", "")
        names = dict(state.active)
        if state.is_revoked:
            return state, "201"
        if computer not in names and len(names) >= self.seats:
            return state, "full"
        after = state if computer in names else happened(state, "activated")
        names[computer] = name or names.get(computer, "")
        after = after._replace(active=tuple(sorted(names.items())))
        return after, self.document(after, computer)

    def report(self, state, call):
        return state, "201" if state.is_revoked else self.document(state, call["computer"])

    def document(self, state, computer):
        names = dict(state.active)
        return {"code": None, "free": self.seats - len(names), "name": names.get(computer, ""),
                "is_active": computer in names, "ends": day_text(state.ends)}

    def release(self, state, call):
        computer = call["computer"]
        if not state.active:
            return state, "216"
        if computer not in dict(state.active):
            return state, "217"
        after = happened(state, "released")
        return after._replace(active=tuple(a for a in state.active if a[0] != computer)), {"code": None}

    def renew(self, state, call):
        if call["order"] in state.renewals:
            return state, {"code": None}
        if state.is_revoked:
            return state, "201"
        after = happened(state, "renewed")
        return after._replace(ends=state.ends + call["days"],
                              renewals=tuple(sorted(state.renewals + (call["order"],)))), {"code": None}

    def revoke(self, state, call):
        after = state if state.is_revoked else happened(state, "revoked")
        return after._replace(is_revoked=True), {"code": None}

    def restore(self, state, call):
        after = happened(state, "restored") if state.is_revoked else state
        return after._replace(is_revoked=False), {"code": None}

    def rows(self, state, call):
        """What is in the database at the end."""
        return state, {"is_revoked": state.is_revoked, "seats": self.seats, "free": self.seats - len(state.active),
                       "active": [list(a) for a in state.active], "ends": day_text(state.ends),
                       "renewals": list(state.renewals), "events": list(state.events)}


def happened(state, event):
    return state._replace(events=tuple(n + (e == event) for e, n in zip(EVENTS, state.events)))


def day_number(text):
    return datetime.date.fromisoformat(text).toordinal()


def day_text(number):
    return datetime.date.fromordinal(number).isoformat()


# ---- computer keys

def stale_computer_keys(observations):
    """A computer key stands for a computer and the terms it was made for. observations: (license, computer, end, key).
    Returns those that give one pair two keys, or one key to two pairs: the key of earlier terms was kept."""
    key_of, pair_of, found = {}, {}, []
    for license_, computer, ends, key in observations:
        pair = (license_, computer, ends)
        if key_of.setdefault(pair, key) != key:
            found.append("%s on %s until %s has the computer keys %s and %s" % (*pair, key_of[pair], key))
        elif pair_of.setdefault(key, pair) != pair:
            found.append("computer key %s is of %r and of %r" % (key, pair_of[key], pair))
    return found


# ---- a whole run

class Object(NamedTuple):
    """What is known of a license or an order before anything happens."""
    kind: str  # "license" or "order"
    keys: int = 1  # of an order
    seats: int = 1  # of a license
    ends: Optional[str] = None


def model_of(object_, operations):
    if object_.kind == "order":
        return order_model(object_.keys, operations)
    return LicenseModel(object_.seats, object_.ends)


def answers_that_differ(name, operations):
    """Whoever asks again for an order gets the same bytes."""
    bytes_ = {o.answer["bytes"] for o in operations if o.answer is not UNKNOWN and "bytes" in o.answer}
    return ["order %s was answered in %d ways" % (name, len(bytes_))] if len(bytes_) > 1 else []


def keys_of(operations):
    return {k for o in operations if o.answer is not UNKNOWN for k in o.answer.get("keys", ())}


def keys_sold_twice(orders):
    """orders: name -> operations. No key belongs to two orders."""
    owner, found = {}, []
    for name, operations in sorted(orders.items()):
        for key in sorted(keys_of(operations)):
            if owner.setdefault(key, name) != name:
                found.append("key %s is of order %s and of order %s" % (key, owner[key], name))
    return found


def observed_computer_keys(name, operations):
    for o in operations:
        if o.answer is UNKNOWN:
            continue
        if o.call["do"] == "rows":
            for computer, key in o.answer["computer_keys"]:
                yield name, computer, o.answer["ends"], key
        elif o.answer.get("is_active"):
            yield name, o.call["computer"], o.answer["ends"], o.answer["computer_key"]


def check_all(objects, histories):
    """objects: name -> Object; histories: name -> operations. Returns what is wrong, as texts."""
    found = keys_sold_twice({n: h for n, h in histories.items() if objects[n].kind == "order"})
    for name, operations in histories.items():
        failure = check(name, model_of(objects[name], operations), operations)
        if failure:
            found.append(str(failure))
        if objects[name].kind == "order":
            found += answers_that_differ(name, operations)
        else:
            found += stale_computer_keys(observed_computer_keys(name, operations))
    return found
