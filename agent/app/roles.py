"""Roles: the threads of the daemon, started from a plan, restarted with back-off, stopped in bounded time.

A role is a function that works until its ``stop`` event is set. The plan maps role names to specifications; ``apply``
compares a new plan with the running one and touches only what changed, so that a reload never interrupts a capture or
a transfer whose settings are the same. A role that ends with an error is said loudly and started again after 1 s,
2 s, 4 s ... 60 s; one that has worked for a minute starts counting anew. An ``AgentError`` is a failure of the world
and gets one line; anything else is a fault of ours and gets its traceback too.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.app.journal import Journal

BACK_OFF_BASE_S: Final = 1.0
BACK_OFF_CAP_S: Final = 60.0
# A role that lived so long was healthy: its next failure is a new one.
HEALTHY_S: Final = 60.0


def _nothing() -> None:
    """Wake nobody."""


class Spec(NamedTuple):
    """What a role does: ``work(stop, facts)``; two specifications with equal ``facts`` are the same role.

    ``wake`` is called after the stop event was set, for work that sleeps.
    """

    work: Callable[[threading.Event, Any], None]
    facts: Any
    wake: Callable[[], None] = _nothing


class Role:
    """One running role and what is known about it."""

    __slots__ = ("_journal", "_spec", "failures", "last_error", "name", "stop", "thread")

    def __init__(self, name: str, spec: Spec, journal: Journal) -> None:
        self.name = name
        self.stop = threading.Event()
        self.failures = 0
        self.last_error = ""
        self._spec = spec
        self._journal = journal
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)

    @property
    def facts(self) -> Any:
        """The facts this role was started with."""
        return self._spec.facts

    def wake(self) -> None:
        """Make work that sleeps look at its stop event."""
        self._spec.wake()

    def _live(self) -> None:
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                self._spec.work(self.stop, self._spec.facts)
            except AgentError as error:
                self._failed(f"{error} [{error.code}]; {error.hint}")
            except Exception as error:  # noqa: BLE001  the one place where a fault of ours is held: the role restarts
                import traceback

                self._journal.show(traceback.format_exc())
                self._failed(f"fault of the agent: {type(error).__name__}: {error}")
            else:
                return
            if time.monotonic() - started > HEALTHY_S:
                self.failures = 1
            self.stop.wait(min(BACK_OFF_BASE_S * 2 ** (self.failures - 1), BACK_OFF_CAP_S))

    def _failed(self, text: str) -> None:
        self.failures += 1
        self.last_error = text
        self._journal.say("error", self.name, text)


class Supervisor:
    """All roles of the daemon."""

    __slots__ = ("_journal", "roles")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.roles: dict[str, Role] = {}

    def apply(self, plan: Mapping[str, Spec], *, within_s: float) -> tuple[list[str], list[str]]:
        """Stop roles that are gone or changed, start what is new; returns the names stopped and started."""
        leaving = [name for name, role in self.roles.items() if name not in plan or plan[name].facts != role.facts]
        self._stop(leaving, within_s)
        arriving = [name for name in plan if name not in self.roles]
        for name in arriving:
            self.roles[name] = role = Role(name, plan[name], self._journal)
            role.thread.start()
        return leaving, arriving

    def drop(self, name: str, within_s: float) -> None:
        """Stop one role, if it is there."""
        if name in self.roles:
            self._stop([name], within_s)

    def stop(self, within_s: float) -> list[str]:
        """Stop every role; returns the names of those that did not end in time (their threads are daemons)."""
        return self._stop(list(self.roles), within_s)

    def _stop(self, names: list[str], within_s: float) -> list[str]:
        until = time.monotonic() + within_s
        for name in names:
            self.roles[name].stop.set()
            self.roles[name].wake()
        late = []
        for name in names:
            role = self.roles.pop(name)
            role.thread.join(max(0.0, until - time.monotonic()))
            if role.thread.is_alive():
                late.append(name)
                self._journal.say("warning", name, f"did not stop within {within_s:g} s")
        return late
