"""Events that the agent has not acknowledged yet, in memory that is taken once.

All of them are sent, then, as long as no acknowledgement comes, all of them again. The board keeps them over a reset of
the processor, without their times. A full box drops what comes and counts it; the exposure input, which has no finger
to wait for, leaves room for the switches.
"""

import struct
from array import array

from board import EXPOSURE, HEART_AT
from clock import since
from messages import OLD_MS

SLOTS = 8  # as many as a board keeps
ROOM = 3  # of them for switches only
RESEND_MS = 40  # more than a round trip through a USB adapter with its 16 ms timer
_NOTHING = 15
_KEPT = "<II"  # the run, the number of the oldest; then half a byte for each event, the lower half first


class Outbox:
    """A ring of numbered events; ``kept`` is what the board keeps of the panel, and begins with theirs."""

    def __init__(self, kept: bytearray, run: int) -> None:
        self.run = run or 1
        self.first = 1
        self.count = 0
        self.dropped = 0
        self._kept = kept
        self._sent = 0  # of those in the box
        self._sent_ms = 0
        self._at = 0  # slot of the oldest
        self._what = bytearray(SLOTS)
        self._tick = array("I", [0] * SLOTS)
        self._ms = array("I", [0] * SLOTS)
        self._old = bytearray(SLOTS)
        if any(kept[:4]):
            self._restore()
        self._keep()

    def add(self, place: int, level: int, tick: int, ms: int) -> bool:
        """Put in what happened; False when there is no room."""
        if self.count >= (SLOTS - ROOM if place == EXPOSURE else SLOTS):
            self.dropped = self.dropped + 1 & 0xFFFF
            return False
        at = (self._at + self.count) % SLOTS
        self._what[at] = place << 1 | level
        self._tick[at] = tick
        self._ms[at] = ms
        self._old[at] = 0
        self.count += 1
        self._keep()
        return True

    def acknowledge(self, run: int, wanted: int, ms: int) -> bool:
        """Let go of what came before the number that is wanted; whether there was any."""
        gone = wanted - self.first & 0xFFFFFFFF
        if run != self.run or not 0 < gone <= self.count:
            return False
        self.first = wanted
        self.count -= gone
        self._at = (self._at + gone) % SLOTS
        self._sent = max(self._sent - gone, 0)
        self._sent_ms = ms
        self._keep()
        return True

    def due(self, ms: int) -> int:
        """Return the place in the box of what is to be sent now, -1 for nothing; it counts as sent."""
        if self._sent and since(ms, self._sent_ms) >= RESEND_MS:
            self._sent = 0
        if self._sent >= self.count:
            return -1
        self._sent += 1
        self._sent_ms = ms
        return self._sent - 1

    def event(self, place: int, ms: int) -> tuple[int, int, int, int, int, int]:
        """Return the fields of an event as the message has them."""
        at = (self._at + place) % SLOTS
        age = OLD_MS if self._old[at] else min(since(ms, self._ms[at]), OLD_MS)
        what = self._what[at]
        number = self.first + place & 0xFFFFFFFF
        return self.run, number, self._tick[at], age, what >> 1, what & 1

    def grow_old(self, ms: int) -> None:
        """Mark what is too old for its age to be told, before the clock comes round."""
        for place in range(self.count):
            at = (self._at + place) % SLOTS
            if since(ms, self._ms[at]) >= OLD_MS:
                self._old[at] = 1

    def _restore(self) -> None:
        self.run, self.first = struct.unpack_from(_KEPT, self._kept, 0)
        while self.count < SLOTS:
            what = self._kept[8 + self.count // 2] >> (self.count & 1) * 4 & 15
            if what == _NOTHING:
                return
            self._what[self.count] = what
            self._old[self.count] = 1
            self.count += 1

    def _keep(self) -> None:
        struct.pack_into(_KEPT, self._kept, 0, self.run, self.first)
        for at in range(8, HEART_AT):
            place = (at - 8) * 2
            self._kept[at] = self._nibble(place) | self._nibble(place + 1) << 4

    def _nibble(self, place: int) -> int:
        return self._what[(self._at + place) % SLOTS] if place < self.count else _NOTHING
