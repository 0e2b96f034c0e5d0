"""The line being typed: text, cursor, bounds, and the part of it that fits into one row.

A line longer than the row is shown through a window that jumps by a quarter of it, with ``$`` where there is more to
the left: wrapping would need to know how the terminal wraps. Secrets are never shown, not even their length.

``tainted`` is set by noise and stays until the line is begun anew: what a burst on the wire has been through is not
what a person typed, whatever is rubbed out of it.
"""

from __future__ import annotations

from agent.console.paint import Row, columns
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Longer than any key of the configuration takes (1024 characters) with its words.
LINE_LIMIT: Final = 2048
_MIN_ROOM: Final = 20


class Line:
    """One line with its prompt."""

    __slots__ = ("_start", "_width", "at", "prompt", "secret", "tainted", "text")

    def __init__(self, prompt: str, width: int, *, secret: bool = False) -> None:
        self.prompt = prompt
        self.text = ""
        self.at = 0
        self.secret = secret
        self.tainted = False
        self._width = width
        self._start = 0

    def insert(self, text: str) -> bool:
        """Put ``text`` in at the cursor; False when the line is full, or a terminal would act on it."""
        if len(self.text) + len(text) > LINE_LIMIT or not text.isprintable():
            return False
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)
        return True

    def replace(self, text: str) -> None:
        """Make ``text`` the whole line."""
        self.text = text[:LINE_LIMIT]
        self.at = len(self.text)

    def edit(self, name: str) -> bool:
        """Do what the key ``name`` does to a line; False when that is nothing."""
        act = _EDITS.get(name)
        if act is None:
            return False
        before = self.text, self.at
        start, end, at = act(self)
        self.text = self.text[:start] + self.text[end:]
        self.at = at
        return before != (self.text, self.at)

    def row(self) -> Row:
        """Return what is to be seen of it."""
        if self.secret:
            return Row(self.prompt, len(self.prompt))
        room = max(self._width - 1 - columns(self.prompt), _MIN_ROOM)
        if columns(self.text) <= room:
            self._start = 0
            return Row(self.prompt + self.text, len(self.prompt) + self.at)
        if self.at < self._start or (self._start and self.at <= 1):
            self._start = max(0, self.at - room // 4)
        while columns(self.text[self._start : self.at]) > room - 2:
            self._start += room // 4
        start = self._start
        end = len(self.text)
        while columns(self.text[start:end]) > room - 1:
            end -= 1
        mark = "$" if start else ""
        shown = mark + self.text[start:end]
        return Row(self.prompt + shown, len(self.prompt) + len(mark) + self.at - start)

    def _word_left(self) -> int:
        at = self.at
        while at and self.text[at - 1] == " ":
            at -= 1
        while at and self.text[at - 1] != " ":
            at -= 1
        return at


# Each returns what is cut out and where the cursor is then.
_EDITS: Final[dict[str, Callable[[Line], tuple[int, int, int]]]] = {
    "erase": lambda s: (max(s.at - 1, 0), s.at, max(s.at - 1, 0)),
    "delete": lambda s: (s.at, s.at + 1, s.at),
    "kill-line": lambda _: (0, LINE_LIMIT, 0),
    "kill-end": lambda s: (s.at, LINE_LIMIT, s.at),
    "kill-word": lambda s: (s._word_left(), s.at, s._word_left()),  # noqa: SLF001  the table of the class above
    "home": lambda _: (0, 0, 0),
    "end": lambda s: (0, 0, len(s.text)),
    "left": lambda s: (0, 0, max(s.at - 1, 0)),
    "right": lambda s: (0, 0, min(s.at + 1, len(s.text))),
}
