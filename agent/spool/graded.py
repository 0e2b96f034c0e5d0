"""How good the clock was (promise P12): every move is recorded with wall time, and the history says what that is worth.

A grade is not written into each event but once, in front of the first event it is true of: event ``clock``, in the same
chain and transaction. Reading backwards from a move, the first such event is its grade (``grades``).

A clock that is moved by more than ``STEP_S`` while the agent runs is noticed at the next reading, because monotonic and
wall time then differ by something else than before; by how much is in the event.

Whether somebody keeps it right is asked by others, beside all work, and told here (``keeping``).
"""

from __future__ import annotations

from agent.spool.core import Clock
from agent.spool.grades import SYNCHRONISED, grade
from agent.spool.ledger import details, note
from agent.spool.states import Event
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import sqlite3

STEP_S: Final = 1.0  # a server slews by a thousandth at most, and is asked every minute or so
LOOK_S: Final = 60.0  # it is graded anew so often
_NEVER: Final = float("-inf")


class Graded:
    """A clock that notices what becomes of it; ``latest`` is the last wall time that was recorded."""

    __slots__ = ("_current", "_inner", "_kept", "_latest", "_looked_at", "_offset", "_step_s", "_synchronised",
        "_written")  # fmt: skip

    def __init__(self, inner: Clock, latest: float, synchronised: str = SYNCHRONISED) -> None:
        self._inner = inner
        self._latest = latest
        self._synchronised = synchronised
        self._kept: bool | None = None
        self._looked_at = _NEVER
        self._offset: float | None = None
        self._step_s = 0.0  # by how much it was moved since that was recorded
        self._current = ""
        self._written = ""

    @property
    def clock(self) -> Clock:
        """Return the same clock for whoever needs the time."""
        return Clock(self._inner.monotonic, self.wall)

    def keeping(self, kept: bool | None) -> None:  # noqa: FBT001  what is known, not how it is done
        """Take it that somebody keeps it right, that nobody does, or that nobody knows."""
        if kept is not self._kept:
            self._kept, self._looked_at = kept, _NEVER

    def wall(self) -> float:
        """Read it, and see whether it is what it was."""
        now, monotonic = self._inner.wall(), self._inner.monotonic()
        offset, self._offset = self._offset, now - monotonic
        if offset is not None and abs(self._offset - offset) > STEP_S:
            self._step_s += self._offset - offset
            self._looked_at = _NEVER
        if monotonic - self._looked_at >= LOOK_S:
            self._looked_at = monotonic
            self._current = grade(now, self._latest, self._synchronised, kept=self._kept)
        return now

    def record(self, db: sqlite3.Connection) -> None:
        """Within a transaction, before its events: say what they are worth, if that is news."""
        now = self.wall()
        if self._current != self._written or self._step_s:
            step = f"{self._step_s:+.3f}" if self._step_s else None
            note(db, now, None, None, Event.CLOCK, None, details(clock=self._current, step_s=step))

    def recorded(self) -> None:
        """Take it that what ``record`` wrote is on the medium."""
        self._written, self._step_s = self._current, 0.0
