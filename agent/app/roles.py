"""Roles: the threads of the daemon, started from a plan, restarted with back-off, stopped in bounded time.

A role is a function that works until its ``stop`` event is set. The plan maps role names to specifications; ``apply``
compares a new plan with the running one and touches only what changed, so that a reload never interrupts a capture or a
transfer whose settings are the same. A role that ends with an error is said loudly and started again after 1 s, 2 s, 4
s ... 60 s; one that has worked for a minute starts counting anew. A role that is ``busy`` finishes something that would
be lost with it; at the end the supervisor waits for it much longer than for the others. An ``AgentError`` is a failure
of the world and gets one line; anything else is a fault of ours and gets its traceback too.
"""

from __future__ import annotations

import threading
import time

from agent.errors import AgentError
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agent.app.journal import Journal

BACK_OFF_BASE_S: Final = 1.0
BACK_OFF_CAP_S: Final = 60.0
# A role that lived so long was healthy: its next failure is a new one.
HEALTHY_S: Final = 60.0
# How often a busy role is looked at, and said to be waited for, while the agent stops.
TICK_S: Final = 5.0


def _nothing() -> None:
    """Wake nobody."""


def _nobody(_error: AgentError) -> None:
    """Hear nothing."""


def _never() -> bool:
    """Hold nobody up."""
    return False


class Spec(NamedTuple):
    """What a role does: ``work(stop, facts)``; two specifications with equal ``facts`` are the same role.

    ``wake`` is called after the stop event was set, for work that sleeps; ``busy`` tells whether it must not be left.
    """

    work: Callable[[threading.Event, Any], None]
    facts: Any
    wake: Callable[[], None] = _nothing
    busy: Callable[[], bool] = _never


class Role:
    """One running role and what is known about it."""

    __slots__ = ("_journal", "_spec", "_told", "failures", "last_error", "name", "stop", "thread")

    def __init__(self, name: str, spec: Spec, journal: Journal, told: Callable[[AgentError], None] = _nobody) -> None:
        self.name = name
        self.stop = threading.Event()
        self.failures = 0
        self.last_error = ""
        self._spec = spec
        self._journal = journal
        self._told = told
        self.thread = threading.Thread(target=self._live, name=name, daemon=True)

    @property
    def facts(self) -> Any:
        """The facts this role was started with."""
        return self._spec.facts

    def wake(self) -> None:
        """Make work that sleeps look at its stop event."""
        self._spec.wake()

    def busy(self) -> bool:
        """Tell whether the role is at something that would be lost with it."""
        return self.thread.is_alive() and self._spec.busy()

    def _live(self) -> None:
        while not self.stop.is_set():
            started = time.monotonic()
            try:
                self._spec.work(self.stop, self._spec.facts)
            except AgentError as error:
                self._told(error)
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

    __slots__ = ("_journal", "leaving", "roles", "told")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.told: Callable[[AgentError], None] = _nobody  # hears what failed, beside the log
        self.roles: dict[str, Role] = {}
        self.leaving: list[Role] = []  # told to stop and not ended yet

    def apply(self, plan: Mapping[str, Spec], *, within_s: float) -> tuple[list[str], list[str]]:
        """Stop roles that are gone or changed, start what is new; returns the names stopped and started."""
        leaving = [name for name, role in self.roles.items() if name not in plan or plan[name].facts != role.facts]
        self._stop(leaving, within_s)
        arriving = [name for name in plan if name not in self.roles]
        for name in arriving:
            self.roles[name] = role = Role(name, plan[name], self._journal, self.told)
            role.thread.start()
        return leaving, arriving

    def drop(self, name: str, within_s: float) -> None:
        """Stop one role, if it is there."""
        if name in self.roles:
            self._stop([name], within_s)

    def stop(self, within_s: float, busy_s: float = 0.0, tick: Callable[[str], None] | None = None) -> list[str]:
        """Stop every role, also those that earlier plans left behind; returns the names of those that did not end.

        A role has ``within_s``; one that is busy has ``busy_s`` before that begins, and ``tick(name)`` is called every
        ``TICK_S`` meanwhile. What is late stays in ``leaving``; its thread is a daemon and dies with the process.
        """
        self.leaving += self.roles.values()
        self.roles = {}
        began = time.monotonic()
        for role in self.leaving:
            role.stop.set()
            role.wake()
        for role in self.leaving:
            until = began + within_s
            while role.thread.is_alive() and (now := time.monotonic()) < until:
                if role.busy() and now < began + busy_s:
                    until = min(now + TICK_S, began + busy_s) + within_s
                    if tick is not None:
                        tick(role.name)
                role.thread.join(min(TICK_S, until - now))
        return self._late(within_s)

    def _stop(self, names: list[str], within_s: float) -> list[str]:
        until = time.monotonic() + within_s
        for name in names:
            self.roles[name].stop.set()
            self.roles[name].wake()
        for name in names:
            role = self.roles.pop(name)
            role.thread.join(max(0.0, until - time.monotonic()))
            self.leaving.append(role)
        return self._late(within_s)

    def _late(self, within_s: float) -> list[str]:
        """Forget the roles that have ended; say and return which have not."""
        self.leaving = [role for role in self.leaving if role.thread.is_alive()]
        for role in self.leaving:
            self._journal.say("warning", role.name, f"did not stop within {within_s:g} s")
        return [role.name for role in self.leaving]
