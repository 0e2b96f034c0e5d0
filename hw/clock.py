"""Time as the panel uses it: microseconds and milliseconds modulo 2^30, whatever the port's own ticks are."""

from board import Board
from messages import TICKS


def since(now: int, then: int) -> int:
    """How long ago ``then`` was, in either unit; right for half of the period: 9 minutes, or 6 days."""
    return (now - then) & TICKS


class Clock:
    """Adds up what the board's ticks advance; ``look`` must be called within half of their period."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._last = board.ticks()
        self._rest = 0
        self.us = 0
        self.ms = 0

    def look(self) -> None:
        """Take the time; ``us`` and ``ms`` stand still in between, so that one round of the loop has one time."""
        now = self._board.ticks()
        step = self._board.ticks_between(self._last, now)
        self._last = now
        self._rest += step
        self.us = self.us + step & TICKS
        self.ms = self.ms + self._rest // 1000 & TICKS
        self._rest %= 1000

    def us_of(self, ticks: int) -> int:
        """Return a reading of the board's ticks, as an interrupt takes one, in our microseconds."""
        return self.us + self._board.ticks_between(self._last, ticks) & TICKS
