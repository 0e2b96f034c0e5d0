"""The bandwidth limit of one peer: a token bucket between us and its sockets, shared by all associations with it.

Bytes of Data Sets wait for their turn, chunk by chunk; commands, commitment, echo and release never do: they are
counted, and what is bulk waits longer for it. Each chunk reserves its time on the line when it asks, so that several
associations share the rate in the order in which they ask, and a late wake-up is made up for by the next chunk. What
was not used for more than ``BURST_S`` is lost: this is a limit, not an average.

A chunk is ``CHUNK_S`` of the rate, so that the line is loaded evenly. What counts is what the connection is given:
PDUs with their heads, before TLS and TCP/IP add theirs (about 4 parts of 100). The waits are ours, not the peer's: the
driver adds them to its deadlines.
"""

from __future__ import annotations

import threading
import time

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK_S = 0.02
SMALLEST_CHUNK_BYTES = 1400  # a full segment: less would be more heads than payload
LARGEST_CHUNK_BYTES = 1 << 18
BURST_S = 0.1  # what the wait for an answer leaves unused may be made up for
TICK_S = 0.5  # a stop is noticed so fast
TRAIN_S = 1.0  # a refusal of the peer is looked for so often, and a PDU is not longer than this
SMALLEST_TRAIN_BYTES = 1 << 12


class Pace:
    """The limit; safe to use from several threads."""

    __slots__ = ("_clock", "_free_at", "_lock", "_rate", "_sleep", "chunk_bytes", "train_bytes")

    def __init__(
        self,
        bits_per_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bits_per_s / 8
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = clock()  # when what was given so far has gone at the rate
        self.chunk_bytes = int(min(max(self._rate * CHUNK_S, SMALLEST_CHUNK_BYTES), LARGEST_CHUNK_BYTES))
        self.train_bytes = int(max(self._rate * TRAIN_S, SMALLEST_TRAIN_BYTES))

    def spend(self, size: int) -> float:
        """Count ``size`` bytes that go now, whatever the rate; returns when, in monotonic s, they should have gone."""
        with self._lock:
            at = max(self._free_at, self._clock() - BURST_S)
            self._free_at = at + size / self._rate
        return at

    def wait(self, size: int, cancelled: Callable[[], bool]) -> float:
        """Wait until ``size`` bytes may go, or ``cancelled``; returns the seconds waited."""
        began = now = self._clock()
        at = self.spend(size)
        while now < at and not cancelled():
            self._sleep(min(at - now, TICK_S))
            now = self._clock()
        return now - began
