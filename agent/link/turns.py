"""How often a peer may ask us something on one association: one core is shared by all destinations.

Nobody who keeps to PS3.7 asks again before he has his answer, and an archive that reports on hundreds of transactions
is done in seconds. One that asks without end is answered at ``PER_S``: what it has sent meanwhile waits in its own
socket, and the other associations keep their speed.
"""

from __future__ import annotations

import time

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = 128  # questions that are answered at once
PER_S = 100.0
TURN_BYTES = 1 << 16  # so much of a Data Set is as much work as one more question
LONGEST_S = 1.0  # a stop is noticed so fast


class Turns:
    """The questions of one association; used by its thread."""

    __slots__ = ("_clock", "_free_at", "_sleep")

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock() - BURST / PER_S  # when what was asked so far has been answered at the rate

    def wait(self, size: int = 0) -> None:
        """Wait until a question with ``size`` bytes of Data Set may be answered."""
        now = self._clock()
        at = max(self._free_at, now - BURST / PER_S)
        self._free_at = at + (1 + size // TURN_BYTES) / PER_S
        if at > now:
            self._sleep(min(at - now, LONGEST_S))
