"""Where the panel's ticks lie on our monotonic clock, and how sure that is.

A ``pong`` has the tick of a moment between sending and receiving: the middle, give or take half. The surest pair is
kept, and its uncertainty grows with age, because two crystals drift; a pair that is surer than that takes its place,
and so does one that contradicts it, for then the panel's clock has begun anew.
"""

from __future__ import annotations

from agent.panel.messages import TICKS
from agent.typed import Final

DRIFT: Final = 100e-6  # both crystals at their worst, over the temperatures of a clinic
_HALF: Final = (TICKS + 1) // 2


class TickMap:
    """One pair of readings; without any, nothing is known."""

    __slots__ = ("_at", "_tick", "_uncertainty_s")

    def __init__(self) -> None:
        self._at = 0.0
        self._tick = 0
        self._uncertainty_s = -1.0

    def learn(self, sent: float, received: float, tick: int) -> None:
        """Take what one ping has told."""
        half = (received - sent) / 2
        middle = sent + half
        known = self.time_of(tick)
        if known is None or half <= known[1] or abs(known[0] - middle) > known[1] + half:
            self._at, self._tick, self._uncertainty_s = middle, tick, half

    def time_of(self, tick: int) -> tuple[float, float] | None:
        """Return the monotonic time of a tick near the last pair, and its uncertainty, both in seconds."""
        if self._uncertainty_s < 0:
            return None
        passed = (((tick - self._tick + _HALF) & TICKS) - _HALF) / 1e6
        return self._at + passed, self._uncertainty_s + DRIFT * abs(passed)
