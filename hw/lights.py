"""What the operator sees and hears, as data: a row for each word of ``messages.LIGHTS``.

Eight steps of 125 ms, the first on the left. Lights repeat them; the buzzer plays its own once, when the row begins.
"""

from clock import since

STEP_MS = 125
#  green        amber       red         buzzer
PATTERNS = (
    (0b00000000, 0b00000000, 0b10000000, 0b00000000),  # silent: no agent
    (0b11111111, 0b00000000, 0b00000000, 0b00000000),  # ready
    (0b10101010, 0b00000000, 0b00000000, 0b10000000),  # capturing
    (0b11111111, 0b11110000, 0b00000000, 0b00000000),  # queue_waiting
    (0b11111111, 0b11111111, 0b00000000, 0b00000000),  # link_down
    (0b00000000, 0b00000000, 0b11001100, 0b11001100),  # attention
    (0b11101110, 0b00000000, 0b00000000, 0b00000000),  # armed
)
ATTENTION = 5


class Lights:
    """Which of them are on."""

    def __init__(self) -> None:
        self.row = 0
        self._begun = 0
        self._step = -1
        self._sounded = False

    def show(self, row: int, ms: int) -> None:
        """Change to another row; one that is not known here is ``attention``."""
        row = row if row < len(PATTERNS) else ATTENTION
        if row != self.row:
            self.row = row
            self._begun = ms
            self._step = -1
            self._sounded = False

    def look(self, ms: int) -> tuple[int, int, int, int] | None:
        """Return green, amber, red and buzzer when they are to change."""
        step = since(ms, self._begun) // STEP_MS & 7
        if step == self._step:
            return None
        self._sounded = self._sounded or step < self._step
        self._step = step
        green, amber, red, buzzer = PATTERNS[self.row]
        bit = 7 - step
        return green >> bit & 1, amber >> bit & 1, red >> bit & 1, 0 if self._sounded else buzzer >> bit & 1
