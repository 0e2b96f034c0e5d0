"""Several associations with one destination: one health, one queue, one end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from fakes.spool_world import capture

from agent.errors import ConnectFailed, SpoolError
from agent.forward.circuit import Circuit
from agent.forward.policy import BREAKER_FAILURES, BackOff, Health
from agent.forward.settings import Settings
from agent.forward.settle import Settler
from agent.forward.team import Helper, run_team
from agent.forward.worker import Worker
from agent.link.peer import Peer
from agent.spool.core import Destination
from agent.spool.store import Spool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


DOWN = ConnectFailed("down")


def test_a_failure_that_all_meet_counts_once() -> None:
    circuit, back_off = Circuit(), BackOff(15, 900)
    told = [circuit.failed(DOWN, 100.0 + moment, back_off, lambda: 0.5) for moment in range(BREAKER_FAILURES)]
    assert told == [True, *[False] * (BREAKER_FAILURES - 1)]
    assert circuit.health.failures == 1
    assert not circuit.health.open
    assert circuit.failed(DOWN, circuit.health.next_at, back_off, lambda: 0.5)
    assert circuit.health.failures == 2


def test_failures_in_a_row_still_open_it() -> None:
    circuit, back_off, now = Circuit(), BackOff(15, 900), 0.0
    for _ in range(BREAKER_FAILURES):
        now = max(now, circuit.health.next_at)
        assert circuit.failed(DOWN, now, back_off, lambda: 0.5)
    assert circuit.health.open
    circuit.health = Health()
    assert circuit.failed(DOWN, 0.0, back_off, lambda: 0.5), "and a good word closes it for all"


class One:
    """A worker or helper that does what it is told until it is stopped."""

    number = 2

    def __init__(self, circuit: Circuit, work: Callable[[], None] = lambda: None) -> None:
        self.circuit = circuit
        self.work = work
        self.ended = False

    def run(self, stop: Any) -> None:
        self.work()
        while not stop.is_set():
            self.circuit.wait(0, 0.01)
        self.ended = True


def team(*work: Callable[[], None]) -> tuple[Worker, list[Helper], list[One]]:
    circuit = Circuit()
    made = [One(circuit, one) for one in work]
    return cast("Worker", made[0]), cast("list[Helper]", made[1:]), made


def nothing() -> None:
    pass


def fail() -> None:
    raise SpoolError("the medium is gone")


@pytest.mark.parametrize("work", [(nothing, fail, nothing), (fail, nothing, nothing)])
def test_what_one_raises_ends_all_and_is_raised(work: tuple[Callable[[], None], ...]) -> None:
    leader, helpers, made = team(*work)
    with pytest.raises(SpoolError, match="the medium is gone"):
        run_team(leader, helpers, threading.Event(), lambda: None)
    assert [one.ended for one in made] == [one.work is nothing for one in made]


def test_a_stop_ends_all() -> None:
    leader, helpers, made = team(nothing, nothing, nothing)
    stop = threading.Event()
    stop.set()
    run_team(leader, helpers, stop, lambda: None)
    assert all(one.ended for one in made)


def test_what_is_due_is_counted_up_to_what_matters(tmp_path: Path) -> None:
    with Spool.open(str(tmp_path), destinations=[Destination("pacs")]) as spool:
        for number in range(1, 6):
            capture(spool, number)
        now = spool.clock.monotonic()
        assert [spool.due("pacs", now, most) for most in (3, 100)] == [3, 5]
        (first, *_) = spool.claim("pacs", now, 2)
        spool.deferred(first, "busy", now + 60)
        assert spool.due("pacs", now, 100) == 3
        assert spool.due("pacs", now + 60, 100) == 4


def test_a_call_before_anybody_waits_is_heard() -> None:
    circuit = Circuit()
    circuit.call()
    assert circuit.wait(0, 60.0) == 1
    assert circuit.wait(1, 0.0) == 1


def test_what_a_helper_carries_to_its_next_association_is_given_back_when_there_is_none(tmp_path: Path) -> None:
    """Else it would be nobody's: the leader does not see what is active, and failover hands over what waits."""
    with Spool.open(str(tmp_path), destinations=[Destination("pacs")]) as spool:
        capture(spool, 1)
        how, settler = Settings("pacs", Peer("A", "h", 1), associations=2), Settler(spool, {}, lambda *_: None)
        leader, helper = Worker(spool, how, settler, str), Helper(spool, how, settler, str)
        helper.help(leader, 2)
        helper._carried = helper._claim()
        leader.health = Health(1, spool.clock.monotonic() + 60)
        leader.circuit.call()
        helper._turn(threading.Event())
        assert spool.counts()["pacs"] == {"queued": 1}
        assert helper._carried == []
