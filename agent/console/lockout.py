"""Failed log-ins cost time, more each time, and a restart does not give it back.

From the ``free``-th failure of a name on each doubles the wait, from ``FIRST_S`` up to ``cap_s``; a success ends it.
Names that do not exist share one count, so that noise on the wire, or whoever guesses names, fills nothing and locks
nobody else out. What is kept is counts and times, never what was typed. A clock that was set back, or that knows no
date after a power cut, never makes a wait longer than the full one: waits are counted from the moment the file is
read, at most.
"""

from __future__ import annotations

import os

from agent.errors import SpoolError
from agent.spool.durable import FOLDER_MODE, Medium
from agent.typed import Final, NamedTuple

FIRST_S: Final = 5.0
UNKNOWN: Final = "-"
_NAMES_LIMIT: Final = 64
_COUNT_LIMIT: Final = 1000


class Failures(NamedTuple):
    """How often in a row, and until when (wall clock) nobody is let in."""

    times: int
    until: float


class LockOut:
    """Counts of failures in the console's folder; a medium that cannot be written costs only the restart's memory."""

    __slots__ = ("_cap_s", "_failures", "_folder", "_free", "_path")

    def __init__(self, folder: str, free: int, cap_s: float) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "failures")
        self._free, self._cap_s = free, cap_s
        self._failures: dict[str, Failures] = {}

    def limits(self, free: int, cap_s: float) -> None:
        """Take new limits."""
        self._free, self._cap_s = free, cap_s

    def load(self, wall: float) -> None:
        """Read what an earlier console left."""
        try:
            with open(self._path, encoding="ascii") as file:
                rows = [line.split() for line in file.read(65_536).splitlines()]
            for name, count, until in rows[:_NAMES_LIMIT]:
                left = min(float(until) - wall, self._delay(int(count)))
                self._failures[name] = Failures(min(int(count), _COUNT_LIMIT), wall + max(left, 0.0))
        except (OSError, ValueError):
            return

    def wait_s(self, name: str, wall: float) -> float:
        """Return how long ``name`` is not let in."""
        found = self._failures.get(name)
        return max(0.0, min(found.until - wall, self._delay(found.times))) if found is not None else 0.0

    def failed(self, name: str, wall: float) -> float:
        """Count a failure; returns the wait it costs."""
        found = self._failures.get(name)
        count = min((found.times if found is not None else 0) + 1, _COUNT_LIMIT)
        delay = self._delay(count)
        self._failures[name] = Failures(count, wall + delay)
        self._save()
        return delay

    def succeeded(self, name: str) -> int:
        """Forget the failures of ``name``; returns how many there were."""
        found = self._failures.pop(name, None)
        if found is not None:
            self._save()
        return found.times if found is not None else 0

    def _delay(self, count: int) -> float:
        over = count - self._free
        return 0.0 if over < 0 else min(FIRST_S * 2.0 ** min(over, 20), self._cap_s)

    def _save(self) -> None:
        rows = sorted(self._failures.items(), key=lambda one: -one[1].until)[:_NAMES_LIMIT]
        text = "".join(f"{name} {failures.times} {failures.until:.0f}\n" for name, failures in rows)
        medium = Medium(self._folder)
        try:
            if not os.path.isdir(self._folder):
                medium.make_folder(self._folder, FOLDER_MODE)
            medium.replace(self._path, text.encode("ascii"))
        except (SpoolError, OSError):
            return
