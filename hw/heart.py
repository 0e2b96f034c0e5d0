"""Takes the power away for a moment from a gateway whose agent has fallen silent.

It begins with the first heartbeat that asks for it, so that neither a bench without an agent nor a box that is being
installed is switched off, and an agent that ends in order says so with a heartbeat that asks for nothing. After a cycle
the box has ``BOOT_MS`` to come back, and twice as long after each further one, for a box that does not start would not
do so by being switched off more often.

A reset of the panel's own processor changes nothing of that: what was asked for is in the memory that the board keeps,
and the time counts from the reset. Only one that was without power waits to be asked again.
"""

import struct

from board import HEART_AT
from clock import since

SILENT_MS = 3500  # three heartbeats that did not come
LEAST_MS = 5000  # no agent is judged by fewer heartbeats than five
OFF_MS = 5000  # until the capacitors of a power supply are empty
BOOT_MS = 300000
_DOUBLINGS = 4
_KEPT = "<HBB"  # watchdog_s, cycles, armed and cycling as bits


class Heart:
    """What is known of the agent's heartbeat; ``kept`` is what the board keeps of the panel, and has a part of it."""

    def __init__(self, kept: bytearray) -> None:
        self.silent = False  # it may have been there before the processor was reset
        self._kept = kept
        watchdog_s, cycles, bits = struct.unpack_from(_KEPT, kept, HEART_AT)
        self._watchdog_s = int(watchdog_s)
        self.cycles = int(cycles)  # since the last heartbeat
        self.armed = bits & 1 > 0
        self.cycling = bits & 2 > 0
        self._since = 0  # of the last heartbeat, or of the last change of the output
        self._patience = self._boot_ms() if self.cycles else self._least_ms()

    def beat(self, ms: int, watchdog_s: int) -> bool:
        """Hear the agent, which wants to be missed after so long; 0: never. Whether what is kept has changed."""
        self.silent = False
        self.cycles = 0
        if not self.cycling:  # off is off for all of OFF_MS
            self.armed = watchdog_s > 0
            self._watchdog_s = watchdog_s
            self._since = ms
            self._patience = self._least_ms()
        return self._keep()

    def look(self, ms: int) -> bool:
        """Decide what the time says; ``cycling`` is the output. Whether what is kept has changed."""
        gone = since(ms, self._since)
        if not self.silent and gone >= SILENT_MS:
            self.silent = True
        if self.cycling and gone >= OFF_MS:
            self.cycling = False
            self._since = ms
            self._patience = self._boot_ms()
        elif self.armed and not self.cycling and gone >= self._patience:
            self.cycling = True
            self.cycles = min(self.cycles + 1, _DOUBLINGS + 1)
            self._since = ms
        else:
            return False
        return self._keep()

    def _least_ms(self) -> int:
        return max(self._watchdog_s * 1000, LEAST_MS)

    def _boot_ms(self) -> int:
        return BOOT_MS << max(self.cycles - 1, 0)  # none: its last heartbeat came while the power went

    def _keep(self) -> bool:
        before = bytes(self._kept[HEART_AT:])
        struct.pack_into(_KEPT, self._kept, HEART_AT, self._watchdog_s, self.cycles, self.armed | self.cycling << 1)
        return before != self._kept[HEART_AT:]
