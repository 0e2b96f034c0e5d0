"""Pages: after a screen of lines ``--More--`` waits for a key.

Space goes on by a page, Enter by a line, q or ^C ends the output. While it waits nothing more is read of the command,
which therefore waits too. ``terminal length 0`` switches it off. A line longer than the terminal counts as the rows it
takes.
"""

from __future__ import annotations

from agent.console.paint import columns
from agent.typed import Final

MORE: Final = "--More--"
# What one piece of a child's output may hold in lines before it is shown.
HELD_LIMIT: Final = 20_000


class Pager:
    """Counts rows and holds what does not fit."""

    __slots__ = ("_held", "_left", "_length", "_width", "quit", "waiting")

    def __init__(self, length: int, width: int) -> None:
        self._length = length
        self._width = width
        self._left = length - 1
        self._held: list[str] = []
        self.waiting = False
        self.quit = False

    def feed(self, lines: list[str]) -> str:
        """Return what may be shown of ``lines`` and of what is held."""
        if self.quit:
            return ""
        self._held += lines[: max(HELD_LIMIT - len(self._held), 0)]
        return self._go_on()

    def key(self, name: str, text: str) -> str:
        """Take a key while it waits; returns what is shown for it."""
        if text in ("q", "Q") or name in ("interrupt", "eof"):
            self.quit, self.waiting = True, False
            self._held.clear()
            return _wipe()
        rows = self._length - 1 if text in (" ", "f") else 1 if name in ("enter", "next") else 0
        if not rows:
            return ""
        self._left = max(rows, 1)
        self.waiting = False
        return _wipe() + self._go_on()

    def _go_on(self) -> str:
        out: list[str] = []
        while self._held and not self.waiting:
            rows = max(1, -(-columns(self._held[0]) // self._width))
            if self._length and self._left < rows and self._left < self._length - 1:
                self.waiting = True
                out.append(MORE)
            else:
                out.append(self._held.pop(0) + "\r\n")
                self._left -= rows
                if self._length and self._left <= 0 and self._held:
                    self.waiting = True
                    out.append(MORE)
        return "".join(out)


def _wipe() -> str:
    return "\r" + " " * len(MORE) + "\r"
