"""Commitment always ends: questions are counted, and what no report settles is named and kept."""

from __future__ import annotations

import pytest
from fakes.spool_world import BOTH, FakeTime, capture, uid_of

from agent.spool.committing import SENDS_AGAIN
from agent.spool.core import Destination
from agent.spool.forwarding import Answer
from agent.spool.quota import Policy
from agent.spool.store import Spool, prepare

ASKS = 3
LAST = "no commitment after 3 questions; the last one: no report in time"


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
    assert (line.state, line.reason) == ("unconfirmed", f"{LAST}; found by C-FIND")
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


def test_what_is_not_listed_is_sent_once_more_and_then_unconfirmed(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    for turn, state_after in enumerate(["queued", "unconfirmed"]):
        assert exhaust(spool, time_, first=10 * turn) == ASKS
        items = spool.exhausted("pacs", time_.now, ASKS)
        assert spool.unlisted(items, "not listed") == (items if state_after == "queued" else [])
        assert state(spool).state == state_after
        send(spool, time_)
    assert state(spool).reason == f"{LAST}; not listed"
    details = [event.detail.get("listed") for event in spool.receipt(uid_of(1)).events]
    assert [word for word in details if word] == ["no", "no"]
    assert spool.retry("pacs") == 1  # the operator looked: it counts anew
    send(spool, time_)
    exhaust(spool, time_, first=30)
    assert len(spool.unlisted(spool.exhausted("pacs", time_.now, ASKS), "not listed")) == 1


def test_good_news_from_before_it_was_not_listed_is_too_old(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    exhaust(spool, time_)
    spool.unlisted(spool.exhausted("pacs", time_.now, ASKS), "not listed")
    send(spool, time_)
    assert spool.settle("1.2.3.0", [uid_of(1)], destination="pacs")
    assert state(spool).state == "stored"
    assert ask(spool, time_, "1.2.3.50")
    assert spool.settle("1.2.3.50", [uid_of(1)], destination="pacs")
    assert state(spool).state == "committed"


def test_what_is_not_listed_and_no_longer_here_is_not_sent(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    spool.stored_many(Answer(item) for item in spool.claim("second", time_.now, 100))
    exhaust(spool, time_)
    spool.ledger.write(lambda db: db.execute("UPDATE instance SET life = 25"))  # lost
    assert spool.unlisted(spool.exhausted("pacs", time_.now, ASKS), "not listed") == []
    assert state(spool).state == "unconfirmed"


def test_a_question_that_cannot_be_put_counts_and_comes_again_later(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    waits = []
    while items := spool.awaiting_commitment("pacs", time_.now, most_asked=ASKS):
        spool.not_offered(items, "not offered")
        assert spool.awaiting_commitment("pacs", time_.now, most_asked=ASKS) == []
        began = time_.now
        while not spool.awaiting_commitment("pacs", time_.now) and time_.now < began + 1000:
            time_.now += 1
        waits.append(time_.now - began)
    assert [round(wait) for wait in waits] == [60, 120, 240]
    (item,) = spool.exhausted("pacs", time_.now, ASKS)
    spool.unconfirmed([item], "")
    assert state(spool).reason == "no commitment after 3 questions; the last one: not offered"


def test_a_request_nobody_answered_counts_and_its_late_report_too(spool, time_):
    capture(spool, 1)
    send(spool, time_)
    assert ask(spool, time_, "1.2.3.1")
    spool.unanswered("1.2.3.1", "the request was not answered: it aborted [association.aborted]")
    assert spool.open_transactions() == []
    assert (state(spool).state, state(spool).asked) == ("stored", 1)
    assert "aborted" in state(spool).reason
    assert ask(spool, time_, "1.2.3.2") == []  # not at once
    assert spool.settle("1.2.3.1", [uid_of(1)], destination="pacs")
    assert state(spool).state == "committed"


def test_the_operator_has_what_is_stored_asked_for_at_once(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    send(spool, time_)
    spool.not_offered(spool.awaiting_commitment("pacs", time_.now), "not offered")
    assert spool.awaiting_commitment("pacs", time_.now) == []
    assert spool.ask_now("pacs", uid_of(1)) == 1
    (item,) = spool.awaiting_commitment("pacs", time_.now)
    assert (item.sop_instance_uid, item.asked, item.attempt) == (uid_of(1), 0, 1)
    assert spool.ask_now() == 2
    assert len(spool.awaiting_commitment("pacs", time_.now)) == 2
    assert [spool.ask_now("nobody"), spool.ask_now("pacs", "1.2.3")] == [0, 0]
    assert spool.reader.verify().faults == ()


def test_who_owes_no_commitment_is_not_asked(tmp_path, time_):
    root = str(tmp_path / "plain")
    prepare(root)
    with Spool.open(root, destinations=[Destination("pacs", commitment=False)], clock=time_.clock()) as plain:
        capture(plain, 1)
        send(plain, time_)
        assert plain.ask_now("pacs") == 0


def test_where_an_instance_is(spool, time_):
    capture(spool, 1)
    (item,) = spool.claim("pacs", time_.now)
    receipt = spool.receipt(uid_of(1))
    assert spool.place(item) == (receipt.study_uid, receipt.series_uid)


def test_when_the_next_question_is_due(spool, time_):
    assert spool.next_question_at("pacs") is None
    for number in (1, 2):
        capture(spool, number)
    send(spool, time_)
    assert spool.next_question_at("pacs") == 0
    ask(spool, time_, "1.2.3.1")
    assert spool.next_question_at("pacs") is None
    spool.settle("1.2.3.1", [], [(uid_of(number), 0x0213) for number in (1, 2)])
    assert spool.next_question_at("pacs") == pytest.approx(time_.now + 60)


def test_what_is_unconfirmed_is_asked_for_anew_where_commitment_is_offered_at_last(spool, time_):
    for number in (1, 2):
        capture(spool, number)
    send(spool, time_)
    exhaust(spool, time_)
    spool.settle("1.2.3.0", [uid_of(2)], destination="pacs")
    spool.unconfirmed(spool.exhausted("pacs", time_.now, ASKS), "")
    assert (spool.reopen("pacs"), spool.reopen("pacs")) == (1, 0)
    assert (state(spool).state, state(spool).asked, state(spool).reason) == ("stored", 0, "")
    assert state(spool, 2).state == "committed"
    assert exhaust(spool, time_, first=50) == ASKS
