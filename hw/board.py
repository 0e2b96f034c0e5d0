"""What the panel needs of a board. A real one is a subclass in ``board_*.py``; what a board lacks is as it is here."""

from messages import UNKNOWN_C

FOOT, FOOT_2, BUTTON, BUTTON_2, EXPOSURE = 0, 1, 2, 3, 4  # places in messages.INPUTS
SWITCHES = (FOOT, FOOT_2, BUTTON, BUTTON_2)
EDGES = 8  # of the exposure input that may wait for the loop
KEPT = 16  # bytes that survive a reset of the processor: the free scratch registers of an RP2040
HEART_AT = 12  # where among them the heartbeat's are; the events' are in front


class Board:
    """Pins and line; every method returns at once."""

    kind = 0  # a place in messages.BOARDS
    cause = 0  # of the last reset: a place in messages.CAUSES
    abilities = 0  # bits of messages.ABILITIES
    serial = 0  # 64 bits that no other board has

    def __init__(self) -> None:
        self._edge_ticks = [0] * EDGES
        self._edge_levels = bytearray(EDGES)
        self._edge_in = 0
        self._edge_out = 0
        self.edges_lost = 0

    def ticks(self) -> int:
        """Return a microsecond counter that wraps."""
        return 0

    def ticks_between(self, then: int, now: int) -> int:
        """Return how far it went, negative when ``now`` came first."""
        return now - then

    def random(self) -> int:
        """Return 32 bits that are hardly ever the same."""
        return 0

    def read(self, buffer: bytearray) -> int:
        """Read what has come on the line, as far as it fits; returns how much."""
        return 0

    def write(self, buffer: bytearray, size: int) -> None:
        """Write to the line; what has no room is lost."""

    def level(self, place: int) -> int:
        """Return 1 while a switch is pressed."""
        return 0

    def power_fails(self) -> bool:
        """Whether the supply is about to go."""
        return False

    def temperature(self) -> int:
        """Return hundredths of a degree Celsius."""
        return UNKNOWN_C

    def lights(self, green: int, amber: int, red: int, buzzer: int) -> None:
        """Switch them on and off."""

    def power_cycle(self, on: int) -> None:
        """Take the gateway's power away while ``on``."""

    def feed(self) -> None:
        """Feed the processor's watchdog."""

    def keep(self, data: bytearray) -> None:
        """Keep ``KEPT`` bytes over a reset of the processor."""

    def kept(self) -> bytes | bytearray:
        """Return them; empty or zeros after the power was off."""
        return b""

    def edge(self, ticks: int, level: int) -> None:
        """Note an edge of the exposure input; called in an interrupt, so it takes no memory."""
        following = (self._edge_in + 1) % EDGES
        if following == self._edge_out:
            self.edges_lost += 1
            return
        self._edge_ticks[self._edge_in] = ticks
        self._edge_levels[self._edge_in] = level
        self._edge_in = following

    def next_edge(self) -> tuple[int, int] | None:
        """Take the oldest edge: ticks and level."""
        at = self._edge_out
        if at == self._edge_in:
            return None
        self._edge_out = (at + 1) % EDGES
        return self._edge_ticks[at], self._edge_levels[at]
