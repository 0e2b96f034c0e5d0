"""The queue of those who seal: many orders in which its threads can run, and what must hold in each.

The threads are real, but only one runs at a time: at each of their steps (take the lock, wait, work) a player chooses
who goes on, so a schedule that hangs, does a member twice or leaves one behind is found, and found again.
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from fakes.player import Played, Player

from agent.errors import MediaError
from agent.spool import circle
from agent.spool.circle import Circle, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence


SCHEDULES = 60  # of each kind; thousands were played once


class Died(BaseException):
    """The end of a thread in the middle of its work."""


class World:
    """Some threads with members, and one work that says what is wrong."""

    def __init__(self, sizes: Sequence[int], choices: Sequence[float], dies_at: int) -> None:
        self.player = Player(choices)
        self.circle: Circle[Waiting] = Circle()
        self.changed = self.circle._changed = Played(self.player)  # type: ignore[assignment]
        self.members = {f"t{n}": [Waiting() for _ in range(size)] for n, size in enumerate(sizes)}
        self.worked: list[Waiting] = []
        self.leading = ""
        self.groups = 0
        self.dies_at = dies_at
        self.died: set[str] = set()
        self.wrong: list[str] = []

    def play(self) -> list[str]:
        stuck = self.player.run({name: lambda name=name: self._join(name) for name in self.members})
        if stuck:
            self.wrong.append(f"{sorted(stuck)} hang")
        if self.circle._waiting:
            self.wrong.append("somebody is left in the queue")
        if self.circle._led:
            self.wrong.append("somebody still leads")
        return self.wrong

    def _join(self, name: str) -> None:
        mine = self.members[name]
        try:
            self.circle.join(mine, self._work)
        except Died:
            self.died.add(name)
        self._check(all(one.done for one in mine), f"{name} returned before its own were done")
        failed = [one for one in mine if one.error is not None]
        self._check(self.dies_at > 0 or not failed, f"{failed} failed for nothing")
        self._check(all(isinstance(one.error, MediaError) for one in failed), "a member failed with something else")
        self._check(all((one in self.worked) != (one in failed) for one in mine), f"{name}: neither done nor failed")

    def _work(self, group: list[Waiting]) -> None:
        name = threading.current_thread().name
        self._check(not self.leading, f"{name} leads beside {self.leading}")
        self._check(0 < len(group) <= circle.LIMIT, f"a group of {len(group)}")
        self.leading, self.groups = name, self.groups + 1
        self.player.step()
        try:
            if self.groups == self.dies_at:
                raise Died
            for one in group:
                self._check(one not in self.worked and not one.done, "one was done twice")
                self.worked.append(one)
                one.done = True
                self.player.step()
        finally:
            self.leading = ""

    def _check(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def some(sizes: Sequence[int], seed: int, dies_at: int = 0) -> None:
    """Play schedules drawn at random, the first of which lets the first thread run through."""
    draw = random.Random(seed)
    for turn in range(SCHEDULES):
        choices = [draw.random() for _ in range(200 if turn else 0)]
        assert World(sizes, choices, dies_at).play() == [], f"schedule {turn} of seed {seed}"


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(circle, "LIMIT", 2)


@pytest.mark.parametrize("dies_at", [0, 1, 2], ids=["all live", "the first leader dies", "the second one dies"])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 1), (1, 1, 1)], ids=str)
def test_the_protocol_in_many_orders(sizes, dies_at):
    some(sizes, seed=sum(sizes) + dies_at, dies_at=dies_at)


@pytest.mark.parametrize("step", ["_leave", "_withdraw"])
def test_the_player_finds_what_is_missing(monkeypatch, step):
    def without(self: Circle[Waiting], *_members: object) -> None:
        with self._changed:
            self._led = False  # and nobody is told, or taken out of the queue

    monkeypatch.setattr(Circle, step, without)
    with pytest.raises(AssertionError, match="schedule"):
        some((3, 1), seed=1, dies_at=1)


def test_whom_a_leader_without_memory_had_not_begun_another_one_does(monkeypatch):
    """Nobody is taken from the queue and then forgotten: that one would be waited for for ever."""
    circle_, members, done = Circle(), [Waiting(), Waiting()], threading.Event()

    def nothing_left():
        raise MemoryError

    def work(group):
        for member in group:
            member.done = True

    def other():
        circle_.join(members[1:], work)
        done.set()

    circle_._led = True
    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    while not circle_._waiting:
        pass
    monkeypatch.setattr(circle, "_unfinished", nothing_left)
    with pytest.raises(MemoryError):
        circle_._one_group(work)
    monkeypatch.undo()
    circle_._leave()
    assert done.wait(10)
    assert members[1].error is None
