"""Failover as the worker sees it: a destination that is down, proven at the time; and a standby that is of use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from fakes.spool_world import FakeTime, capture

from agent.errors import AssociationRefused, ConnectFailed, NoAcceptedContext, StatusError
from agent.forward import standby
from agent.forward.policy import BREAKER_FAILURES, BackOff, Health
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.standby import Standby
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.spool.core import Destination
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BACK_OFF = BackOff(15, 900)
AFTER_S = 600.0
HOW = Settings("pacs", Peer("PACS", "h", 1), failover="other", failover_after_s=AFTER_S, back_off=BACK_OFF)


@pytest.fixture
def time_() -> FakeTime:
    return FakeTime()


@pytest.fixture
def spool(tmp_path: Path, time_: FakeTime) -> Iterator[Spool]:
    both = [Destination("pacs"), Destination("other", standby=True)]
    with Spool.open(str(tmp_path), destinations=both, clock=time_.clock()) as opened:
        yield opened


def worker_of(spool: Spool, time_: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker(spool, HOW, Settler(spool, {}, lambda *_: None), str, clock=lambda: time_.now, entropy=lambda: 0.1)
    monkeypatch.setattr(Worker, "_rest", lambda *_args, **_how: None)
    return made


def test_one_refusal_long_ago_is_no_reason_to_hand_over(
    spool: Spool, time_: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permanent refusal waits up to 15 minutes; the archive may have been restarted in the first one."""
    worker = worker_of(spool, time_, monkeypatch)
    tried: list[float] = []

    def probe(_worker: Worker) -> bool:
        tried.append(time_.now)
        return False

    monkeypatch.setattr(Worker, "_probe", probe)
    capture(spool, 1)
    began = time_.now
    worker._failed(AssociationRefused("nobody of that name"))
    assert worker.health.next_at == began + AFTER_S, "it is tried when it would be handed over"
    time_.now = began + AFTER_S
    worker._turn(threading.Event())
    assert (tried, spool.counts()["pacs"]) == ([began + AFTER_S], {"queued": 1})
    worker._failed(AssociationRefused("nobody of that name"))
    worker._turn(threading.Event())
    assert spool.counts() == {"pacs": {"diverted": 1}, "other": {"queued": 1}}


def test_an_archive_that_answers_echo_and_stores_nothing_is_down() -> None:
    full, health, now = StatusError("out of resources", status=0xA700), Health(), 0.0
    while not health.down_for(AFTER_S):
        assert now < 3 * AFTER_S, "it never counts as down"
        health = health.after_failure(full, now, BACK_OFF, lambda: 0.5)
        now = health.next_at
        if health.open:
            health = health.answered()
            assert (health.open, health.failures, health.next_at) == (False, 0, 0.0)
    assert now >= AFTER_S


def test_an_archive_that_answers_and_has_nothing_to_do_is_well(
    spool: Spool, time_: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(spool, time_, monkeypatch)
    for _ in range(BREAKER_FAILURES):
        time_.now = max(time_.now, worker.health.next_at)
        worker._failed(ConnectFailed("down"))
    time_.now = worker.health.next_at
    monkeypatch.setattr("agent.forward.worker.echo", lambda *_args: None)
    worker._turn(threading.Event())
    assert worker.health == Health()


def test_who_says_that_the_cause_is_gone_is_believed_until_the_next_failure() -> None:
    down = Health(7, 5000.0, open_since=100.0, failed_at=4000.0)
    assert down.down_for(AFTER_S)
    assert not down.tried_now().down_for(AFTER_S)
    assert down.tried_now().after_failure(ConnectFailed("down"), 4100.0, BACK_OFF, lambda: 0.5).down_for(AFTER_S)


@pytest.mark.parametrize("error", [None, NoAcceptedContext("no Verification"), ConnectFailed("nothing listens")])
def test_nothing_is_handed_over_to_one_that_cannot_be_reached_either(
    spool: Spool, time_: FakeTime, monkeypatch: pytest.MonkeyPatch, error: Any
) -> None:
    """It is our own line that is cut: what is handed over would not come back."""
    asked: list[object] = []
    said: list[str] = []

    def echo(peer: Peer, *_args: object) -> None:
        asked.append(peer)
        if error is not None:
            raise error

    monkeypatch.setattr(standby, "echo", echo)
    there = Peer("OTHER", "o", 2)
    one = Standby(spool, HOW._replace(failover_peer=there), lambda _, text: said.append(text), lambda: time_.now)
    one.hand_over("down", lambda: False)
    assert asked == [], "nothing waits, so that nobody is asked"
    capture(spool, 1)
    for _ in range(3):
        one.hand_over("down", lambda: False)
    assert asked == [there]
    reached = not isinstance(error, ConnectFailed)
    assert spool.counts()["pacs"] == {"diverted" if reached else "queued": 1}
    assert said == (
        ["1 instance handed over to other"]
        if reached
        else ["nothing is handed over: other cannot be reached either, nothing listens [link.connect]"]
    )
    error = None
    time_.now += standby.TRUST_S
    one.hand_over("down", lambda: False)
    assert spool.counts()["pacs"] == {"diverted": 1}
