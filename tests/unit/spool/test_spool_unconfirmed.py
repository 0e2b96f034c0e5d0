"""Commitment always ends: questions are counted, and what no report settles is named and kept."""

from __future__ import annotations

import pytest
from fakes.spool_world import BOTH, FakeTime, capture, uid_of

from agent.spool.committing import SENDS_AGAIN
from agent.spool.forwarding import Answer
from agent.spool.quota import Policy
from agent.spool.store import Spool, prepare

ASKS = 3


@pytest.fixture
def time_():
    return FakeTime()


@pytest.fixture
def spool(tmp_path, time_):
    root = str(tmp_path / "spool")
    prepare(root)
    with Spool.open(root, destinations=BOTH, clock=time_.clock(), policy=Policy(evict_after_s=0)) as opened:
        yield opened


def state(spool, number=1):
    return next(d for d in spool.receipt(uid_of(number)).deliveries if d.destination == "pacs")


def send(spool, time_):
    spool.stored_many(Answer(item) for item in spool.claim("pacs", time_.now, 100))


def ask(spool, time_, uid):
    items = spool.awaiting_commitment("pacs", time_.now, most_asked=ASKS)
    return spool.open_transaction("pacs", items, uid, time_.now + 10) if items else []


def exhaust(spool, time_, first=0):
    """Ask until nothing may be asked, no report ever coming; returns the number of questions."""
    for turn in range(100):
        if not ask(spool, time_, f"1.2.3.{first + turn}"):
            return turn
        time_.now += 10
        spool.expired_transactions(time_.now)
    return 100


def test_questions_are_bounded_and_what_is_left_is_unconfirmed(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    assert spool.exhausted("pacs", time_.now, ASKS) == []
    assert exhaust(spool, time_) == ASKS
    (item,) = spool.exhausted("pacs", time_.now, ASKS)
    spool.unconfirmed([item], "found by C-FIND")
    assert spool.exhausted("pacs", time_.now, ASKS) == []
    line = state(spool)
    assert (line.state, line.reason) == ("unconfirmed", "no commitment after 3 questions; found by C-FIND")
    assert ("unconfirmed", line.reason) in [row[:2] for row in spool.reader.reasons("pacs")]
    assert spool.counts()["pacs"]["unconfirmed"] == 1
    assert not spool.reader.verify().faults


def test_the_unconfirmed_is_never_evicted(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    spool.stored_many(Answer(item) for item in spool.claim("second", time_.now, 100))
    exhaust(spool, time_)
    spool.unconfirmed(spool.exhausted("pacs", time_.now, ASKS), "")
    time_.now += 1e9
    assert spool.evict(need_bytes=10**12) == 0
    assert spool.receipt(uid_of(1)).state == "live"


@pytest.mark.parametrize("transaction", ["1.2.3.0", "1.2.3.2"])
def test_a_late_report_counts_after_a_restart_too(tmp_path, time_, transaction):
    root = str(tmp_path / "spool")
    prepare(root)
    with Spool.open(root, destinations=BOTH, clock=time_.clock(), policy=Policy()) as spool:
        capture(spool, 1)
        send(spool, time_)
        exhaust(spool, time_)
        spool.unconfirmed(spool.exhausted("pacs", time_.now, ASKS), "")
    with Spool.open(root, destinations=BOTH, clock=time_.clock(), policy=Policy()) as again:
        assert state(again).state == "unconfirmed"
        assert again.settle(transaction, [], [(uid_of(1), 0x0112)], destination="pacs")
        assert state(again).state == "unconfirmed"
        assert again.settle(transaction, [uid_of(1)], destination="pacs")
        assert state(again).state == "committed"


def test_retry_starts_again(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    exhaust(spool, time_)
    spool.unconfirmed(spool.exhausted("pacs", time_.now, ASKS), "")
    assert spool.retry("pacs") == 1
    (item,) = spool.claim("pacs", time_.now, 100)
    assert (item.attempt, item.asked) == (2, 0)  # a second sending: "duplicate" may speak of the first
    spool.stored_many([Answer(item)])
    assert exhaust(spool, time_, first=50) == ASKS


@pytest.mark.parametrize("reason", [0x0110, 0x0131, 0x0213, 0xABCD])
def test_reasons_to_ask_again_end(spool, time_, reason):
    capture(spool, 1)
    send(spool, time_)
    for turn in range(ASKS):
        assert ask(spool, time_, f"1.2.3.{turn}")
        spool.settle(f"1.2.3.{turn}", [], [(uid_of(1), reason)])
        time_.now += 4000
    assert ask(spool, time_, "1.2.3.9") == []
    assert [item.id for item in spool.exhausted("pacs", time_.now, ASKS)] == [1]


def test_sending_again_ends_with_the_operator_and_starts_again_with_him(spool, time_):
    capture(spool, 1)
    number = 0
    for _ in range(2):
        for turn in range(SENDS_AGAIN + 1):
            send(spool, time_)
            number += 1
            assert ask(spool, time_, f"1.2.3.{number}")
            spool.settle(f"1.2.3.{number}", [], [(uid_of(1), 0x0112)])
            assert state(spool).state == ("queued" if turn < SENDS_AGAIN else "held")
        assert "does not have it" in state(spool).reason
        assert spool.retry("pacs") == 1
