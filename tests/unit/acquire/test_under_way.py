"""Stills under way: in their order, told of when they are durable, at most so many, and nobody waits for the dead."""

from __future__ import annotations

import random
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fakes.player import Played, Player

from agent.acquire import under_way
from agent.acquire.under_way import LIMIT, Taken, UnderWay
from agent.errors import MediaError

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEDULES = 60


class Died(BaseException):
    """The end of a thread in the middle of its work."""


class Sealing:
    """Stands for the spool: seals what it is given, unless it is to fail or to die with it."""

    def __init__(self, step: Callable[[], object] = lambda: None) -> None:
        self.groups = self
        self.durable: list[Any] = []
        self.sizes: list[int] = []
        self.bad: set[Any] = set()
        self.deadly: set[Any] = set()
        self.step = step

    def seal_each(self, drafts: list[tuple[Any, Any]]) -> list[Any]:
        self.sizes.append(len(drafts))
        ends: list[Any] = []
        for draft, _ in drafts:
            self.step()
            if draft in self.deadly:
                raise Died
            if draft in self.bad:
                ends.append(MediaError(f"{draft} is bad"))
            else:
                self.durable.append(draft)
                ends.append(f"sealed {draft}")
        return ends


def taken(number: int) -> Taken:
    return Taken(f"captured {number}", number, "record", number)  # type: ignore[arg-type]


class World:
    """One source with stills under way."""

    def __init__(self, spool: Sealing) -> None:
        self.spool = spool
        self.told: list[tuple[Any, Any]] = []
        self.news = 0
        self.lost: list[Any] = []
        self.under_way = UnderWay(spool, self._tell, self._lose, self._news)  # type: ignore[arg-type]

    def _tell(self, captured: Any, sealed: Any) -> None:
        assert int(sealed.split()[1]) in self.spool.durable
        self.told.append((captured, sealed))

    def _lose(self, turn: Any, _error: BaseException) -> None:
        self.lost.append(turn)

    def _news(self) -> None:
        self.news += 1

    def numbers(self) -> list[int]:
        return [int(captured.split()[1]) for captured, _ in self.told]


def test_the_next_ones_gather_while_one_is_made_durable():
    entered, go = threading.Event(), threading.Event()
    spool = Sealing()
    spool.step = lambda: (entered.set(), go.wait(60))
    world = World(spool)
    world.under_way.put(taken(1))
    assert entered.wait(60)
    for number in range(2, LIMIT + 1):
        world.under_way.put(taken(number))
    assert (len(world.under_way), world.told) == (LIMIT, [])
    ninth = threading.Thread(target=world.under_way.put, args=(taken(LIMIT + 1),), daemon=True)
    ninth.start()
    ninth.join(0.02)
    assert ninth.is_alive(), "there is room for one too many"
    go.set()
    ninth.join(60)
    world.under_way.drain()
    assert world.numbers() == list(range(1, LIMIT + 2))
    assert spool.sizes[:2] in ([1, LIMIT - 1], [1, LIMIT])
    assert not world.under_way
    assert not world.under_way._busy


def test_one_that_fails_costs_itself_alone():
    world = World(Sealing())
    world.spool.bad = {2}
    for number in (1, 2, 3):
        world.under_way.put(taken(number))
    world.under_way.drain()
    assert (world.numbers(), world.lost) == ([1, 3], [2])
    assert [str(failure) for failure in world.under_way.failures()] == ["2 is bad"]
    assert (world.news, world.under_way.failures()) == (1, [])


def test_who_cannot_be_told_keeps_nobody_from_it():
    world = World(Sealing())
    tell = world.under_way._tell

    def told(captured: Any, sealed: Any) -> None:
        tell(captured, sealed)
        raise OSError("the log")

    world.under_way._tell = told
    for number in (1, 2):
        world.under_way.put(taken(number))
    world.under_way.drain()
    assert world.numbers() == [1, 2]
    assert len(world.under_way.failures()) == 2


def test_without_a_thread_its_own_does_it(monkeypatch):
    def none(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none)
    world = World(Sealing())
    world.under_way.put(taken(1))
    assert world.numbers() == [1]
    world.under_way.drain()


def play(choices: list[float], *, bad: int = 0, deadly: int = 0) -> None:
    player = Player(choices)
    spool = Sealing(player.step)
    world = World(spool)
    world.under_way._changed = Played(player)  # type: ignore[assignment]
    spool.bad, spool.deadly = {bad}, {deadly}
    most: list[int] = []

    def source() -> None:
        for number in range(1, 6):
            world.under_way.put(taken(number))
            most.append(len(world.under_way))
        world.under_way.drain()
        assert not world.under_way
        most.append(-1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_way, "LIMIT", 2)
        patch.setattr(under_way, "threading", SimpleNamespace(Thread=player.thread))
        stuck = player.run({"source": source})
    assert not stuck, "somebody hangs"
    assert most[-1] == -1, "the source did not come to its end"
    assert max(most) <= 2
    failures = world.under_way.failures()
    assert world.numbers() == sorted(world.numbers())
    assert len(failures) == bool(bad) + bool(deadly)
    assert sorted(world.numbers() + world.lost) == list(range(1, 6))  # each is told of, or lost
    if not deadly:
        assert world.numbers() == [number for number in range(1, 6) if number != bad]


@pytest.mark.parametrize("how", [{}, {"bad": 2}, {"deadly": 3}], ids=str)
def test_the_protocol_in_many_orders(how):
    draw = random.Random(len(str(how)))
    for turn in range(SCHEDULES):
        play([draw.random() for _ in range(200 if turn else 0)], **how)
