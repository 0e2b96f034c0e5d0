"""What an operator holds stays here until he releases it, whatever comes later; and the receipt says who it was."""

from __future__ import annotations

import functools
import threading

import pytest
from fakes.spool_world import BOTH, NO_WAIT, FakeTime, capture, uid_of

from agent.errors import NotFound, SpoolError
from agent.forward.gate import Gate
from agent.spool import listing
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.ledger import Ledger
from agent.spool.states import Priority
from agent.spool.store import Spool, prepare

STUDY = "1.2.3.4"


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def root(tmp_path):
    prepare(str(tmp_path / "spool"))
    return str(tmp_path / "spool")


@pytest.fixture
def spool(root, time_):
    with Spool.open(root, destinations=BOTH, clock=time_.clock(), policy=NO_WAIT) as opened:
        yield opened


def states(spool, destination="pacs"):
    return [row.state for row in spool.rows(destination=destination)]


def claimed(spool, time_, destination="pacs"):
    return [item.id for item in spool.claim(destination, time_.now)]


def kinds(spool, number):
    return [(event.kind, event.detail.get("by")) for event in spool.receipt(uid_of(number)).events]


def test_one_instance_is_held_for_one_destination_and_released(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    assert spool.hold("pacs", uid_of(1), by="eva") == (1, 0, ())
    assert (states(spool), states(spool, "second")) == (["held", "queued"], ["queued"] * 2)
    assert claimed(spool, time_) == [2]
    assert spool.retry() == 0
    assert spool.retry("pacs", uid_of(1)) == 0
    assert states(spool)[0] == "held"
    assert spool.release(uid=uid_of(1), by="tom") == (1, 0, ())
    assert claimed(spool, time_) == [1]
    assert kinds(spool, 1)[-3:] == [
        ("held by the operator", "eva"), ("released by the operator", "tom"), ("active", None),
    ]  # fmt: skip
    assert spool.reader.verify().faults == ()


def test_what_a_failure_holds_is_not_the_operators(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    spool.held(item, "refused", status=0xA900)
    assert spool.hold(uid=uid_of(1)) == (1, 0, ())  # second alone
    assert spool.release(uid=uid_of(1)) == (1, 0, ())
    assert states(spool) == ["held"]
    assert spool.retry() == 1


def test_what_is_on_the_line_goes_on_and_is_held_when_it_comes_back(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    assert spool.hold(uid=STUDY, by="eva") == (1, 1, ())
    spool.deferred(item, "cut", time_.now)
    assert claimed(spool, time_) == []
    assert states(spool) == ["held"]
    capture(spool, 2)
    assert claimed(spool, time_) == []  # it came later, and is of the study
    assert states(spool) == ["held", "held"]
    assert spool.release(uid=STUDY) == (3, 0, ())
    capture(spool, 3)
    assert claimed(spool, time_) == [1, 2, 3]


def test_an_answer_that_comes_after_the_hold_counts(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    spool.hold(uid=STUDY)
    spool.stored_many([Answer(item)])
    assert states(spool) == ["stored"]


def test_a_study_held_for_all_is_released_for_one(spool, time_):
    capture(spool, 1)
    spool.hold(uid=STUDY)
    assert spool.release("pacs", STUDY) == (1, 0, ())
    capture(spool, 2)
    assert claimed(spool, time_) == [1, 2]
    assert claimed(spool, time_, "second") == []
    assert states(spool, "second") == ["held", "held"]


def test_a_destination_is_held_over_a_restart(root, spool, time_):
    capture(spool, 1)
    assert spool.hold("pacs", by="eva") == (0, 0, ("pacs",))
    assert spool.hold("pacs") == (0, 0, ("pacs",))  # once more changes nothing
    assert (spool.paused("pacs"), spool.paused("second"), spool.paused("unknown")) == (True, False, False)
    spool.close()
    with Spool.open(root, destinations=BOTH, clock=time_.clock()) as again:
        assert again.paused("pacs")
        assert [(one.destination, one.study_uid) for one in listing.holds(again.ledger.read)] == [("pacs", "")]
        assert again.release("pacs", by="tom") == (0, 0, ("pacs",))
        assert not again.paused("pacs")
        assert again.release("pacs") == (0, 0, ())


def test_the_receipt_says_when_its_destination_was_held(spool, time_):
    capture(spool, 1)
    spool.hold("pacs", by="eva")
    capture(spool, 2)
    spool.release("pacs", by="tom")
    items = spool.claim("pacs", time_.now)
    spool.stored_many(Answer(item) for item in items)
    spool.hold("pacs", by="later")
    spool.hold("second", by="other")
    capture(spool, 3)
    names = ("eva", "tom", "later")
    seen = {number: [one for one in kinds(spool, number) if one[1] in names] for number in (1, 2, 3)}
    both = [("held by the operator", "eva"), ("released by the operator", "tom")]
    assert seen == {1: both, 2: both, 3: [("held by the operator", "later")]}
    assert ("held by the operator", "other") in kinds(spool, 1)  # it still waits for that one


def test_everything_is_held_and_released(spool, time_):
    for number in (1, 2, 3):
        capture(spool, number)
    assert spool.hold().destinations == ("pacs", "second")
    spool.hold("pacs", uid_of(1))
    spool.hold("second", STUDY)
    told = spool.release()
    assert told == (4, 0, ("pacs", "second"))
    assert listing.holds(spool.ledger.read) == []
    assert claimed(spool, time_) == [1, 2, 3]


def test_what_the_spool_never_had_cannot_be_held(spool):
    with pytest.raises(NotFound, match="neither as an instance nor as a study"):
        spool.hold(uid="2.25.9")
    with pytest.raises(SpoolError, match="no destination"):
        spool.hold("nobody")


class Settings:
    destination, schedule, urgent_ignores_windows, associations = "pacs", None, True, 1


def test_a_held_destination_gets_nothing_not_even_what_is_urgent(spool, time_):
    said = []
    gate = Gate(spool, Settings, lambda *what: said.append(what), lambda: time_.now)
    capture(spool, 1)
    spool.prioritize(uid_of(1), Priority.URGENT)
    spool.hold("pacs")
    assert gate.claim() == ([], False)
    spool.release("pacs")
    items, _ = gate.claim()
    assert [item.id for item in items] == [1]
    spool.hold("pacs")
    assert gate.gives_way(items[0], [1])
    assert [text for _, text in said] == [
        "held by the operator: images wait", "released by the operator", "held by the operator: images wait",
    ]  # fmt: skip


def test_a_long_study_is_held_in_steps(spool, time_, monkeypatch):
    monkeypatch.setattr("agent.spool.holding.BATCH", 2)
    for number in range(1, 6):
        capture(spool, number)
    assert spool.hold("pacs", STUDY).deliveries == 5
    assert listing.held_by_operator(spool.ledger.read, "pacs") == 5
    assert listing.held_by_operator(spool.ledger.read, "pacs", uid_of(2)) == 1
    assert spool.release("pacs").deliveries == 5


def test_destinations_that_came_later_are_not_held(root, spool):
    spool.hold()
    spool.configure([*BOTH, Destination("new")])
    assert not spool.paused("new")


def study_of(spool):
    return spool.ledger.read("SELECT study_uid FROM instance")[0][0]


@pytest.mark.parametrize("whole_study", [True, False])
def test_a_worker_that_claims_while_a_study_is_released_holds_nothing_again(spool, time_, monkeypatch, whole_study):
    for number in (1, 2):
        capture(spool, number)
    spool.hold(uid=study_of(spool))
    assert not spool.paused("pacs")  # every worker looks before it claims, and it is remembered
    write, done = Ledger.write, []

    def and_claim(self, job):
        result = write(self, job)
        if isinstance(job, functools.partial) and job.func.__name__ == "_resume" and not done:
            done.append(spool.claim("pacs", time_.now))
        return result

    monkeypatch.setattr(Ledger, "write", and_claim)
    assert spool.release(uid=study_of(spool) if whole_study else None).deliveries == 4
    assert [len(items) for items in done] == [2]
    assert states(spool) == ["active", "active"]


def test_a_hold_that_comes_while_a_worker_looks_is_not_forgotten(spool, monkeypatch):
    capture(spool, 1)
    read, others = Ledger.read, []

    def and_hold(self, sql, values=()):
        rows = read(self, sql, values)
        if sql.endswith("FROM hold") and not others:
            others.append(threading.Thread(target=spool.hold, args=("pacs",)))
            others[0].start()
            others[0].join(0.2)  # it may be done by now, or wait for us
        return rows

    monkeypatch.setattr(Ledger, "read", and_hold)
    spool.paused("pacs")
    others[0].join()
    assert spool.paused("pacs")


def test_what_a_held_study_holds_is_not_said_to_be_released(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    spool.hold(uid=study_of(spool))
    assert spool.release(uid=uid_of(1)).deliveries == 0
    assert spool.release("pacs").deliveries == 0
    assert (claimed(spool, time_), states(spool)) == ([], ["held", "held"])
    assert spool.release(uid=study_of(spool)).deliveries == 4
    assert claimed(spool, time_) == [1, 2]
