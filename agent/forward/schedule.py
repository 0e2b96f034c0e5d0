"""When images may be sent to a destination: its windows, and what the clock on the wall says now.

Nothing is remembered and no timer is set: each question is answered from the local time of this moment. So a step of
the clock, the hour that a change to summer time leaves out and the one that comes twice need no rule of their own: a
window is open while the wall clock shows a time in it.

``turns_at`` is for people: it goes through the coming week quarter by quarter, within which local time runs evenly.
"""

from __future__ import annotations

import time

from agent.config.windows import DAY_MINUTES, WEEK_MINUTES
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.config.windows import Span

QUARTER_MINUTES: Final = 15  # every zone is off UTC, and every change of it happens, by whole quarters


class Schedule:
    """The windows of one destination; ``spans`` from ``config.windows``, at least one."""

    __slots__ = ("_local", "_spans", "_wall")

    def __init__(
        self,
        spans: Sequence[Span],
        wall: Callable[[], float] = time.time,
        local: Callable[[float], time.struct_time] = time.localtime,
    ) -> None:
        self._spans = spans
        self._wall = wall
        self._local = local

    def open(self) -> bool:
        """Return whether images may be sent now."""
        return self._within(self._minute(self._wall()))

    def turns_at(self) -> float | None:
        """Return when, in wall s, it will next be closed or open; None when it never changes."""
        now = self._wall() // 60 * 60
        before, quarter = self.open(), now // (QUARTER_MINUTES * 60) * (QUARTER_MINUTES * 60)
        for start in range(int(quarter), int(quarter) + (WEEK_MINUTES + DAY_MINUTES) * 60, QUARTER_MINUTES * 60):
            minute = self._minute(start)
            for step in range(QUARTER_MINUTES):
                at = start + step * 60
                if at > now and self._within((minute + step) % WEEK_MINUTES) is not before:
                    return float(at)
        return None

    def _minute(self, wall: float) -> int:
        now = self._local(wall)
        return now.tm_wday * DAY_MINUTES + now.tm_hour * 60 + now.tm_min

    def _within(self, minute: int) -> bool:
        return any(begins <= minute < ends for begins, ends in self._spans)
