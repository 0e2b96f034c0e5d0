"""A player of threads: they are real, but one runs at a time, and at each step a draw says who.

A schedule is a list of draws, so one that hangs, or breaks what must hold, is found again. ``Played`` stands for
``threading.Condition``, ``Player.thread`` for ``threading.Thread``.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Player:
    """Lets one of several threads go on at a time; ``choices`` (0 to 1) says who, behind their end always the first."""

    def __init__(self, choices: Sequence[float]) -> None:
        self.choices = iter(choices)
        self.turns: dict[str, threading.Semaphore] = {}
        self.ready: set[str] = set()
        self.over: set[str] = set()
        self.back = threading.Semaphore(0)

    def run(self, lives: dict[str, Callable[[], None]]) -> set[str]:
        """Play all to the end; returns those that nobody can help on."""
        for name, life in lives.items():
            self.begin(name, life)
        while able := sorted(self.ready):
            self.turns[able[int(next(self.choices, 0) * len(able))]].release()
            assert self.back.acquire(timeout=60)
        return set(self.turns) - self.over

    def begin(self, name: str, life: Callable[[], None]) -> None:
        """Have one more thread play."""
        self.turns[name] = threading.Semaphore(0)
        self.ready.add(name)
        threading.Thread(target=self._live, args=(name, life), daemon=True).start()

    def thread(self, target: Callable[[], None], **_how: Any) -> Begun:
        """Make what stands for a thread that the played ones start."""
        return Begun(self, f"thread {len(self.turns)}", target)

    def _live(self, name: str, life: Callable[[], None]) -> None:
        threading.current_thread().name = name
        self.turns[name].acquire()
        try:
            life()
        finally:
            self.ready.discard(name)
            self.over.add(name)
            self.back.release()

    def step(self) -> None:
        """Let others go before."""
        name = threading.current_thread().name
        self.back.release()
        self.turns[name].acquire()

    def park(self, why: Callable[[], bool]) -> None:
        """Sleep until ``why`` no longer holds; whoever changes that calls ``wake``."""
        name = threading.current_thread().name
        while why():
            self.ready.discard(name)
            self.step()

    def wake(self, names: set[str]) -> None:
        """Let them go on when they are chosen."""
        self.ready |= names


class Begun:
    """A thread that plays from its ``start`` on."""

    def __init__(self, player: Player, name: str, life: Callable[[], None]) -> None:
        self._given = (name, life)
        self._player = player

    def start(self) -> None:
        self._player.step()
        self._player.begin(*self._given)


class Played:
    """A condition whose every step is one of the player's."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.held = ""
        self.sleeping: set[str] = set()
        self.queueing: set[str] = set()

    def __enter__(self) -> None:
        name = threading.current_thread().name
        self.player.step()
        self.queueing.add(name)
        self.player.park(lambda: bool(self.held))
        self.queueing.discard(name)
        self.held = name

    def __exit__(self, *_exc: object) -> None:
        self.held = ""
        self.player.wake(self.queueing)

    def wait(self) -> None:
        name = threading.current_thread().name
        self.sleeping.add(name)
        self.__exit__()
        self.player.park(lambda: name in self.sleeping)
        self.__enter__()

    def notify_all(self) -> None:
        assert self.held == threading.current_thread().name
        woken, self.sleeping = self.sleeping, set()
        self.player.wake(woken)
