"""Failover: owed to one or the other, never to both and never to nobody; and evicted behind the one that owes it."""

from __future__ import annotations

import pytest
from fakes.spool_world import FakeTime, capture, uid_of

from agent.spool import failover
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.quota import Policy
from agent.spool.receipt import Reader
from agent.spool.states import Priority
from agent.spool.store import Spool, prepare

PACS, OTHER = Destination("pacs"), Destination("other", standby=True)
WHY = "nothing listens [link.connect]"


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def spool(tmp_path, time_):
    prepare(str(tmp_path / "spool"))
    root = str(tmp_path / "spool")
    with Spool.open(root, destinations=[PACS, OTHER], clock=time_.clock(), policy=Policy(evict_after_s=0)) as opened:
        yield opened


def states(spool, number):
    return {delivery.destination: delivery.state for delivery in spool.receipt(uid_of(number)).deliveries}


def committed(spool, time_, destination):
    items = spool.claim(destination, time_.now, 100)
    spool.stored_many(Answer(item) for item in items)
    spool.open_transaction(destination, items, f"1.2.{len(items)}.{items[0].id}", time_.now + 9)
    uids = [item.sop_instance_uid for item in items]
    spool.settle(f"1.2.{len(items)}.{items[0].id}", uids, destination=destination)
    return [item.id for item in items]


def test_a_standby_gets_nothing_by_itself(spool, time_):
    capture(spool, 1)
    assert states(spool, 1) == {"pacs": "queued"}
    assert spool.claim("other", time_.now) == []


def test_what_waits_is_handed_over_with_its_story(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    spool.prioritize(uid_of(2), Priority.URGENT)
    spool.deferred_many(spool.claim("pacs", time_.now, 1), "busy", time_.now + 900)
    assert spool.divert("pacs", "other", WHY) == 2
    assert states(spool, 1) == states(spool, 2) == {"pacs": "diverted", "other": "queued"}
    assert spool.claim("pacs", time_.now + 1e6) == []
    assert [item.sop_instance_uid for item in spool.claim("other", time_.now)] == [uid_of(2), uid_of(1)]
    receipt = spool.receipt(uid_of(1))
    told = {(event.destination, event.kind): event.detail for event in receipt.events}
    assert told["pacs", "diverted"] == {"to": "other", "reason": WHY}
    assert told["other", "queued"] == {"instead_of": "pacs"}
    assert next(d.reason for d in receipt.deliveries if d.destination == "pacs") == f"handed over to other: {WHY}"
    assert Reader(spool.ledger.read).verify().faults == ()


def test_what_is_stored_active_or_held_stays(spool, time_):
    for number in (1, 2, 3):
        capture(spool, number)
    stored, held, _active = spool.claim("pacs", time_.now)
    spool.stored(stored)
    spool.held(held, "no")
    assert spool.divert("pacs", "other", WHY) == 0
    assert [states(spool, number) for number in (1, 2, 3)] == [{"pacs": "stored"}, {"pacs": "held"}, {"pacs": "active"}]


def test_what_is_new_goes_to_the_first_again(spool, time_):
    capture(spool, 1)
    spool.divert("pacs", "other", WHY)
    capture(spool, 2)
    assert states(spool, 2) == {"pacs": "queued"}
    assert [item.id for item in spool.claim("pacs", time_.now)] == [2]


def test_it_is_evicted_behind_the_other_only(spool, time_):
    capture(spool, 1)
    spool.divert("pacs", "other", WHY)
    time_.now += 1
    assert spool.evict() == 0
    assert committed(spool, time_, "other") == [1]
    time_.now += 1
    assert spool.evict() == 1


def test_two_that_hand_over_to_each_other_do_not_lose_it_between_them(spool, time_):
    """A configuration that was turned round: what one has handed over is not handed back."""
    capture(spool, 1)
    assert spool.divert("pacs", "other", WHY) == 1
    assert spool.divert("other", "pacs", WHY) == 0
    assert states(spool, 1) == {"pacs": "diverted", "other": "queued"}


def test_one_that_both_were_owed_stays_with_the_other(tmp_path, time_):
    prepare(str(tmp_path / "fan"))
    both = [PACS, Destination("other")]
    with Spool.open(str(tmp_path / "fan"), destinations=both, clock=time_.clock()) as spool:
        capture(spool, 1)
        assert spool.divert("pacs", "other", WHY) == 1
        assert states(spool, 1) == {"pacs": "diverted", "other": "queued"}
        assert [item.id for item in spool.claim("other", time_.now)] == [1]


def test_many_are_handed_over_in_bounded_commits(spool, monkeypatch):
    monkeypatch.setattr(failover, "BATCH", 2)
    for number in range(1, 6):
        capture(spool, number)
    assert spool.divert("pacs", "other", WHY) == 5
    assert spool.divert("pacs", "other", WHY) == 0


def test_news_that_comes_late_is_true_all_the_same(spool, time_):
    """An answer whose report was in doubt, and a report of the archive that had it after all."""
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    spool.deferred(item, "cut", time_.now)
    spool.divert("pacs", "other", WHY)
    spool.deferred(item, "cut", time_.now)
    spool.put_back([item])
    assert states(spool, 1)["pacs"] == "diverted"
    spool.stored(item)
    assert states(spool, 1) == {"pacs": "stored", "other": "queued"}


def test_nothing_is_handed_over_to_one_that_left_the_configuration(spool):
    """A reload configures the spool before the old worker has stopped; nobody would serve what it hands over then."""
    capture(spool, 1)
    spool.configure([PACS])
    assert spool.divert("pacs", "other", WHY) == 0
    assert states(spool, 1) == {"pacs": "queued"}


def test_what_is_owed_to_one_that_left_the_configuration_is_counted(spool, time_):
    for number in (1, 2, 3):
        capture(spool, number)
    assert spool.divert("pacs", "other", WHY) == 3
    committed(spool, time_, "other")
    capture(spool, 4)
    spool.divert("pacs", "other", WHY)
    assert spool.owed_to_nobody() == {}
    spool.configure([PACS])
    assert spool.owed_to_nobody() == {"other": 1}
    spool.configure([PACS, OTHER])
    assert spool.owed_to_nobody() == {}


def test_what_the_standby_refuses_for_good_goes_back(spool, time_):
    capture(spool, 1)
    spool.divert("pacs", "other", WHY)
    (item,) = spool.claim("other", time_.now)
    spool.held(item, "A900 data set does not match", status=0xA900)
    assert states(spool, 1) == {"pacs": "queued", "other": "diverted"}
    receipt = spool.receipt(uid_of(1))
    assert [event.kind for event in receipt.events if event.destination == "other"][-2:] == ["held", "diverted"]
    assert next(d.reason for d in receipt.deliveries if d.destination == "other").startswith(
        "handed over to pacs: A900"
    )
    assert not spool.divertible("pacs", "other"), "not to and fro"
    assert spool.evict(need_bytes=1) == 0
    assert committed(spool, time_, "pacs") == [1]
    assert spool.evict(need_bytes=1) == 1
    assert Reader(spool.ledger.read).verify().faults == ()


def test_what_nobody_is_there_for_to_take_back_stays_held(spool, time_):
    capture(spool, 1)
    spool.divert("pacs", "other", WHY)
    spool.configure([OTHER])
    (item,) = spool.claim("other", time_.now)
    spool.held(item, "A900", status=0xA900)
    assert states(spool, 1) == {"pacs": "diverted", "other": "held"}
