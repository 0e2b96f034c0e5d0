"""The lines of this session, in memory alone, and gone with it. Secret lines are never put in."""

from __future__ import annotations

from agent.typed import Final

HISTORY_LIMIT: Final = 100


class History:
    """Lines with a place in them; the place behind the newest is the line that was being typed."""

    __slots__ = ("_at", "_lines", "_typed")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._typed = ""

    @property
    def lines(self) -> list[str]:
        """Every line, the oldest first."""
        return list(self._lines)

    def add(self, line: str) -> None:
        """Keep a line that was entered."""
        if line.strip() and (not self._lines or self._lines[-1] != line):
            self._lines = [*self._lines[-HISTORY_LIMIT + 1 :], line]
        self.rewind()

    def forget(self) -> None:
        """Drop everything, as at log-out."""
        self._lines.clear()
        self.rewind()

    def rewind(self) -> None:
        """Go behind the newest."""
        self._at = len(self._lines)
        self._typed = ""

    def step(self, direction: int, current: str) -> str | None:
        """Return the line before (-1) or behind (1); None at the end."""
        if self._at == len(self._lines):
            self._typed = current
        at = self._at + direction
        if not 0 <= at <= len(self._lines):
            return None
        self._at = at
        return self._typed if at == len(self._lines) else self._lines[at]

    def search(self, part: str, skip: int) -> str | None:
        """Return the newest line that holds ``part``, or the one ``skip`` matches before it."""
        found = [line for line in reversed(self._lines) if part in line]
        return found[skip] if part and skip < len(found) else None
