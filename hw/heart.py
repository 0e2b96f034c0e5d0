"""Takes the power away for a moment from a gateway whose agent has fallen silent.

It begins with the first heartbeat that asks for it, so that neither a bench without an agent nor a box that is being
installed is switched off, and an agent that ends in order says so with a heartbeat that asks for nothing. After a cycle
the box has ``BOOT_MS`` to come back, and twice as long after each further one, for a box that does not start would not
do so by being switched off more often.
"""

from clock import since

SILENT_MS = 3500  # three heartbeats that did not come
LEAST_MS = 5000  # no agent is judged by fewer heartbeats than five
OFF_MS = 5000  # until the capacitors of a power supply are empty
BOOT_MS = 300000
_DOUBLINGS = 4


class Heart:
    """What is known of the agent's heartbeat."""

    def __init__(self) -> None:
        self.silent = False  # it may have been there before the processor was reset
        self.armed = False
        self.cycling = False
        self.cycles = 0  # since the last heartbeat
        self._since = 0  # of the last heartbeat, or of the last change of the output
        self._patience = 0

    def beat(self, ms: int, watchdog_s: int) -> None:
        """Hear the agent, which wants to be missed after so long; 0: never."""
        self.silent = False
        self.cycles = 0
        if not self.cycling:  # off is off for all of OFF_MS
            self.armed = watchdog_s > 0
            self._since = ms
            self._patience = max(watchdog_s * 1000, LEAST_MS)

    def look(self, ms: int) -> None:
        """Decide what the time says; ``cycling`` is the output."""
        gone = since(ms, self._since)
        if not self.silent and gone >= SILENT_MS:
            self.silent = True
        if self.cycling and gone >= OFF_MS:
            self.cycling = False
            self._since = ms
            self._patience = BOOT_MS << min(self.cycles - 1, _DOUBLINGS)
        elif self.armed and not self.cycling and gone >= self._patience:
            self.cycling = True
            self.cycles += 1
            self._since = ms
