"""Many clients on a server that is killed again and again: some order of their calls must explain every answer and the
rows at the end. ../soak/ plays and checks; `make soak` does it for hours."""
import copy
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "soak"))

import players  # noqa: E402
import soak  # noqa: E402
from checker import UNKNOWN, check_all  # noqa: E402
from client import call  # noqa: E402

OPERATIONS = int(os.environ.get("QLM_SOAK_OPERATIONS", "20000"))
SEED = os.environ.get("QLM_SOAK_SEED", "1")


@pytest.fixture(scope="module")
def played(template):
    """A finished run."""
    with soak.running_site(template) as site:
        run = soak.Run(site, SEED, OPERATIONS).play()
        site.allow(soak.NOISE)
        assert site.audit() == []
        checked = site.ctl("db", "check", check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    return run


@pytest.fixture(scope="module")
def history(played, tmp_path_factory):
    """(objects, histories), by way of a file as somebody would check it again."""
    path = tmp_path_factory.mktemp("soak") / "history.jsonl"
    played.write(path)
    return soak.read(path)


def test_some_order_explains_everything(played, history):
    problems = check_all(*history)
    assert not problems, "%s\n%s" % (played.summary(), "\n".join(problems[:5]))


def test_enough_was_played(played, history):
    calls = [n for n in played.notes if n[3]["do"] != "rows"]
    assert len(calls) >= OPERATIONS
    assert sum(n[4] is UNKNOWN for n in calls) < len(calls) / 20, "a server that only says 503 is no proof"
    assert len(played.faults) >= OPERATIONS // soak.CALLS_PER_FAULT - 1
    answered = {(n[3]["do"], n[4]["code"]) for n in calls if n[4] is not UNKNOWN}
    assert {(kind, None) for kind in played.kinds} | {("activate", "201")} <= answered
    assert ("activate", "207") in answered or ("activate", "210") in answered
    assert overlapping(history[1]) > len(calls) / 10, "calls that do not meet prove nothing"


def overlapping(histories):
    """How many calls began while another of the same object was under way."""
    count = 0
    for operations in histories.values():
        under_way = 0
        for operation in sorted(operations, key=lambda o: o.start):
            count += operation.start < under_way
            under_way = max(under_way, operation.end)
    return count


def test_what_the_server_can_is_played(site, played):
    site.allow("QLM100[78]")
    for kind, method in players.METHODS.items():
        assert (kind in played.kinds) == (call(site, method, players.VENDOR).status != 404)


def test_the_seed_says_what_is_played():
    def scripts(seed):
        return [list(players.script(seed, n, 4, 400, players.WEIGHTS)) for n in range(4)]
    assert scripts("7") == scripts("7") != scripts("8")
    assert sum(map(len, scripts("7"))) == 400


# ---- the real history, falsified: each of these must be found

def lose_a_computer(rows):
    del rows["active"][0]
    rows["free"] += 1


def give_a_seat_back(rows):
    rows["free"] += 1


def lose_a_revocation(rows):
    rows["is_revoked"] = False


def lose_a_row_of_history(rows):
    rows["events"][rows["events"].index(max(rows["events"]))] -= 1


def sell_another_key(rows):
    rows["keys"].append("K")


def answer_other_keys(answer):
    answer["keys"] = ["K%d" % i for i, _ in enumerate(answer["keys"])]


def count_another_seat(answer):
    answer["free"] += 1


def refuse_without_a_reason(answer):
    answer.clear()
    answer["code"] = "210"


def change_the_end(answer):
    answer["ends"] = "2039-07-01"


def keep_an_old_computer_key(answer):
    answer["computer_key"] = "K"


def is_document(answer):
    return "free" in answer


@pytest.mark.parametrize("falsify, do, condition", [
    (lose_a_computer, "rows", lambda a: a.get("active")),
    (give_a_seat_back, "rows", is_document),
    (lose_a_revocation, "rows", lambda a: a.get("is_revoked")),
    (lose_a_row_of_history, "rows", lambda a: sum(a.get("events", [])) > 3),
    (sell_another_key, "rows", lambda a: a.get("keys")),
    (answer_other_keys, "issue", lambda a: a["code"] is None),
    (count_another_seat, "report", is_document),
    (refuse_without_a_reason, "activate", lambda a: is_document(a) and a["free"]),
    (change_the_end, "report", is_document),
    (keep_an_old_computer_key, "report", lambda a: a.get("computer_key")),
])
def test_a_falsified_history_is_found_out(history, falsify, do, condition):
    """One answer in the middle of the run is changed."""
    objects, histories = history
    found = [(name, i) for name, operations in histories.items() for i, o in enumerate(operations)
             if o.call["do"] == do and o.answer is not UNKNOWN and condition(o.answer)]
    name, which = found[len(found) // 2]
    operations = copy.deepcopy(histories[name])
    assert check_all(objects, {name: operations}) == []
    falsify(operations[which].answer)
    assert check_all(objects, {name: operations})
