"""What of the panel's events outlives the agent: it dies between any two steps, and a new one reads the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from agent.app.heard import Heard
from agent.errors import MediaError, SpoolError
from agent.panel.messages import Numbers
from agent.spool.schema import TABLES

RUN = 0xCAFE


class Ledger:
    """Tables in memory that outlive every agent."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.executescript(TABLES)
        self.error: SpoolError | None = None

    def read(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return self.db.execute(sql, values).fetchall()

    def write(self, job: Callable[[sqlite3.Connection], object]) -> None:
        if self.error is not None:
            raise self.error
        job(self.db)

    def seal(self, instance: int, event: str) -> None:
        """An instance becomes durable."""
        row = (instance, str(instance), "", "", "", "", 0, 0, b"", b"", 1, 0.0, 0.0, None, "probe", 0)
        self.db.execute(f"INSERT INTO instance VALUES ({','.join('?' * len(row))})", row)
        detail = f"frames=1\npanel_event={event}\nclock=set" if event else "frames=1"
        self.db.execute("INSERT INTO event VALUES (NULL, 0, ?, NULL, 'captured', NULL, ?, x'')", (instance, detail))


class Agent:
    """One life of it, with an event of the panel."""

    def __init__(self, ledger: Ledger, first: int = 1) -> None:
        self.said: list[str] = []
        self.heard = Heard(ledger, lambda _level, text: self.said.append(text))  # type: ignore[arg-type]
        self.lost = self.heard.numbers.greeted(RUN, first)

    def takes(self, number: int) -> bool:
        return self.heard.numbers.take(RUN, number)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.mark.parametrize(("steps", "again", "told"), [
    ("", True, False), ("a", True, False), ("ad", False, False), ("ab", False, True), ("abd", False, False),
])  # fmt: skip
def test_it_dies_before_the_acknowledgement(ledger: Ledger, steps: str, again: bool, told: bool) -> None:
    first = Agent(ledger)
    first.heard.carried_out(0)  # so that the run is known
    assert first.takes(1)
    if "b" in steps:
        first.heard.carried_out(1, "probe")
    if "d" in steps:
        ledger.seal(1, first.heard.name(1))
    second = Agent(ledger)
    assert second.takes(1) == again
    assert second.lost == 0
    assert second.said == (
        [f"event {RUN:08x}.1 asked for an image of probe, and there is none: the agent ended before it was durable"]
        if told
        else []
    )


@pytest.mark.parametrize("durable", [True, False])
def test_it_dies_after_the_acknowledgement(ledger: Ledger, durable: bool) -> None:
    first = Agent(ledger)
    assert first.takes(1)
    first.heard.carried_out(1, "probe")
    if durable:
        ledger.seal(1, first.heard.name(1))
    second = Agent(ledger, first=2)
    assert second.lost == 0
    assert bool(second.said) != durable
    assert second.takes(2)
    assert Agent(ledger, first=2).said == second.said  # until something new is noted


def test_events_of_which_nothing_comes_are_not_called_lost(ledger: Ledger) -> None:
    first = Agent(ledger)
    assert first.takes(1)
    first.heard.passed(1)
    first.heard.settle(lambda _source: False)
    assert Agent(ledger, first=2).lost == 0


def test_a_promise_is_kept_or_forgotten_when_nothing_is_under_way(ledger: Ledger) -> None:
    agent = Agent(ledger)
    for number in (1, 2, 3):
        assert agent.takes(number)
        agent.heard.carried_out(number, "probe" if number < 3 else "other")
    ledger.seal(1, agent.heard.name(1))
    agent.heard.settle(lambda source: source == "probe")
    assert list(agent.heard._open) == [2]
    agent.heard.settle(lambda _source: False)
    assert Agent(ledger, first=4).said == []


def test_another_run_begins_anew(ledger: Ledger) -> None:
    first = Agent(ledger)
    assert first.takes(1)
    first.heard.carried_out(1, "probe")
    ledger.seal(1, first.heard.name(1))
    heard = Heard(ledger, lambda *_: None)  # type: ignore[arg-type]
    assert heard.numbers.greeted(RUN + 1, 1) == 0
    assert heard.numbers.take(RUN + 1, 1)
    assert heard._made() == set()


def test_numbers_that_come_round_are_in_order(ledger: Ledger) -> None:
    ledger.db.execute("INSERT INTO meta VALUES ('panel', ?)", (f"{RUN} {0xFFFFFFFE}",))
    heard = Heard(ledger, lambda *_: None)  # type: ignore[arg-type]
    ledger.seal(1, heard.name(0xFFFFFFFF))
    ledger.seal(2, heard.name(0))
    assert Heard(ledger, lambda *_: None).numbers.wanted == 1  # type: ignore[arg-type]


def test_a_medium_that_fails_costs_the_memory_and_not_the_event(ledger: Ledger) -> None:
    agent = Agent(ledger)
    ledger.error = MediaError("dead")
    for number in (1, 2):
        assert agent.takes(number)
        agent.heard.carried_out(number, "probe")
    assert agent.said == ["an event may be carried out twice should the agent end now: dead"]
    assert isinstance(agent.heard.numbers, Numbers)
