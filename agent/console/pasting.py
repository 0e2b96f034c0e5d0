"""Lines that are pasted: PEM, a configuration. Nothing is echoed, nothing edited, and the end is a line of its own.

A terminal that pastes sends as fast as the line goes, so there is nothing to be drawn meanwhile; how much came is said
afterwards. What is no text taints the whole.
"""

from __future__ import annotations

from agent.console.editor import Entered
from agent.console.keys import Key


class Pasting:
    """Collects one paste."""

    __slots__ = ("_end", "_limit", "_line", "_lines", "_size", "_tainted")

    def __init__(self, end: str, limit: int) -> None:
        self._end = end
        self._limit = limit
        self._lines: list[str] = []
        self._line: list[str] = []
        self._size = 0
        self._tainted = False

    def key(self, key: Key) -> Entered | None:
        """Take one key; returns everything, with the end line, when it is there."""
        if key.name == "text":
            self._line.append(key.text)
        elif key.name == "tab":
            self._line.append("\t")
        elif key.name == "erase":
            del self._line[-1:]
        elif key.name in ("interrupt", "eof"):
            return Entered("", "interrupt", self._tainted)
        elif key.name == "enter":
            line = "".join(self._line)
            self._lines.append(line)
            self._line.clear()
            if line.strip().startswith(self._end):
                return Entered("\n".join(self._lines) + "\n", "enter", self._tainted)
        else:
            self._tainted = True
        self._size += 1
        return Entered("", "limit", self._tainted) if self._size > self._limit else None
