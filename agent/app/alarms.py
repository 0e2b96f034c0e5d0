"""Alarms: one for each cause, said when it begins, when it changes its level, once an hour, and when it is over."""

from __future__ import annotations

import time

from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agent.app.journal import Journal
    from agent.spool.watch import Trouble

REMIND_S: Final = 3600.0


class Alarm(NamedTuple):
    """One that is on."""

    level: str
    text: str
    since: float  # wall s
    said_at: float  # monotonic s
    began: float  # monotonic s


class Alarms:
    """What is on; read by any thread, changed by one."""

    __slots__ = ("_clock", "_journal", "on")

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._clock = clock
        self.on: dict[str, Alarm] = {}

    def take(self, troubles: Iterable[Trouble]) -> list[str]:
        """Take what is wrong now, all of it; returns the causes that are over."""
        now, found = self._clock(), {trouble.cause: trouble for trouble in troubles}
        for cause, trouble in found.items():
            old = self.on.get(cause)
            if old is None or old.level != trouble.level or now - old.said_at >= REMIND_S:
                self._journal.say(trouble.level, "alarm", trouble.text, always=True)
                since, began = (time.time(), now) if old is None else (old.since, old.began)
                self.on[cause] = Alarm(trouble.level, trouble.text, since, now, began)
            else:
                self.on[cause] = old._replace(text=trouble.text)
        over = [cause for cause in self.on if cause not in found]
        for cause in over:
            alarm = self.on.pop(cause)
            self._journal.say(
                "notice", "alarm", f"over after {time.time() - alarm.since:.0f} s: {alarm.text}", always=True
            )
        return over

    def lasts(self, cause: str) -> float:
        """Return for how many seconds a cause is on."""
        return self._clock() - self.on[cause].began if cause in self.on else 0.0

    @property
    def facts(self) -> list[dict[str, Any]]:
        """Return what is on, as plain values."""
        return [{"cause": cause, "level": alarm.level, "text": alarm.text, "since": alarm.since}
                for cause, alarm in tuple(self.on.items())]  # fmt: skip
