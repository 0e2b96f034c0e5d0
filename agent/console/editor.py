"""The line editor: keys in, bytes and whole lines out.

The editor knows one line, what of it is on the screen, and whom to ask for help. It redraws by comparing the row that
is shown with the row that should be (``paint``), so that no operation has drawing of its own. Messages that come
meanwhile are printed above the line, which then stands below as it was. Help that is longer than a page waits at
``--More--``; a key that is none of the pager's ends it and is typed.

A line that noise has been through is given back as tainted; whoever asked for it decides what that means (nobody runs
it).
"""

from __future__ import annotations

from agent.console.history import History
from agent.console.keys import Key
from agent.console.line import Line
from agent.console.pager import Pager
from agent.console.paint import Row, clean, erase, repaint
from agent.typed import Final, NamedTuple, Protocol

BELL: Final = "\a"
_HISTORY: Final = {"previous": -1, "next": 1}


class Assist(Protocol):
    """Who knows what the line may become."""

    def complete(self, before: str) -> tuple[str, list[str]]:
        """Return what to add at the cursor behind ``before``, and lines to show when that is nothing."""

    def explain(self, before: str) -> list[str] | None:
        """Return lines of help; None where ``?`` is a letter like others."""


class Entered(NamedTuple):
    """How a line ended: ``how`` is ``enter``, ``interrupt`` (^C) or ``eof`` (^D in an empty line)."""

    text: str
    how: str
    tainted: bool


class Editor:
    """Edits one line after the other."""

    __slots__ = (
        "_assist", "_help_pages", "_history", "_hits", "_line", "_quote", "_search", "_shown", "length", "out", "width",
    )  # fmt: skip

    def __init__(self, width: int = 80) -> None:
        self.width = width
        self.length = 0  # lines of a page of help; 0: no pages
        self.out: list[str] = []
        self._help_pages: Pager | None = None
        self._line: Line | None = None
        self._shown = Row()
        self._history: History | None = None
        self._assist: Assist | None = None
        self._quote = False
        self._search: str | None = None
        self._hits = 0

    @property
    def began(self) -> bool:
        """Whether an answer is under way: something is typed, or a secret is asked for."""
        return self._line is not None and (bool(self._line.text) or self._line.secret)

    def begin(
        self, prompt: str, *, secret: bool = False, history: History | None = None, assist: Assist | None = None
    ) -> None:
        """Show ``prompt`` and edit an empty line."""
        self._line = Line(prompt, self.width, secret=secret)
        self._history, self._assist, self._help_pages = history, assist, None
        self._quote, self._search = False, None
        if history is not None:
            history.rewind()
        self._shown = Row()
        self._draw()

    def give_up(self) -> None:
        """End the line without a result; what is shown stays."""
        if self._line is not None:
            self.out.append("\r\n")
        self._line = None

    def taint(self) -> None:
        """Note that the wire was disturbed."""
        if self._line is not None:
            self._line.tainted = True

    def message(self, lines: list[str]) -> None:
        """Print ``lines`` without tearing what is typed."""
        shown = [clean(line) + "\r\n" for line in lines]
        if self._line is None:
            self.out += shown
            return
        self._turn(Key("interrupt"))
        self.out.append(erase(self._shown))
        self.out += shown
        self._shown = Row()
        self._draw()

    def key(self, key: Key) -> Entered | None:
        """Take one key; returns the line when it has ended it."""
        line = self._line
        if line is None or self._turn(key):
            return None
        if key.name == "noise":
            line.tainted = True
        elif self._quote and key.name == "text":
            self._quote = False
            self._type(line, key.text)
        elif self._search is not None and self._searching(line, key):
            pass
        elif key.name == "enter":
            return self._end(line, "enter")
        elif key.name == "interrupt":
            self.out.append("^C")
            return self._end(line, "interrupt")
        elif key.name == "eof" and not line.text and not line.tainted:
            return self._end(line, "eof")
        else:
            self._other(line, key)
        self._draw()
        return None

    def _other(self, line: Line, key: Key) -> None:
        if key.name == "text":
            if key.text == "?" and not line.secret and self._help(line):
                return
            self._type(line, key.text)
        elif key.name == "tab":
            self._complete(line)
        elif key.name in _HISTORY:
            self._recall(line, _HISTORY[key.name])
        elif key.name == "search":
            self._search, self._hits = ("", 0) if self._history is not None else (None, 0)
        elif key.name == "quote":
            self._quote = True
        elif key.name == "redraw":
            self.out.append("\r\n")
            self._shown = Row()
        elif not line.edit("delete" if key.name == "eof" else key.name):
            self.out.append(BELL)
        if not line.text and key.name == "kill-line":
            line.tainted = False

    def _type(self, line: Line, text: str) -> None:
        if not line.insert(text):
            self.out.append(BELL)

    def _end(self, line: Line, how: str) -> Entered:
        self._search = None
        line.edit("end")
        if how == "enter":
            self._draw()
        self.out.append("\r\n")
        self._line = None
        return Entered(line.text, how, line.tainted)

    def _help(self, line: Line) -> bool:
        lines = self._assist.explain(line.text[: line.at]) if self._assist is not None else None
        if lines is None:
            return False
        self._below(lines)
        return True

    def _complete(self, line: Line) -> None:
        if self._assist is None or line.secret:
            self.out.append(BELL)
            return
        more, lines = self._assist.complete(line.text[: line.at])
        if more:
            self._type(line, more)
        elif lines:
            self._below(lines)
        else:
            self.out.append(BELL)

    def _below(self, lines: list[str]) -> None:
        pages = Pager(self.length, self.width)
        self.out += ["\r\n", pages.feed([clean(text) for text in lines])]
        self._shown = Row()
        self._help_pages = pages if pages.waiting else None

    def _turn(self, key: Key) -> bool:
        """Give a key to the pages of help; False when it is not theirs."""
        pages = self._help_pages
        if pages is None:
            return False
        theirs = key.text in (" ", "q", "Q") or key.name in ("enter", "interrupt")
        self.out.append(pages.key(key.name, key.text) if theirs else pages.key("interrupt", ""))
        if not pages.waiting:
            self._help_pages = None
            self._draw()
        return theirs

    def _recall(self, line: Line, direction: int) -> None:
        found = self._history.step(direction, line.text) if self._history is not None else None
        if found is None:
            self.out.append(BELL)
        else:
            line.replace(found)

    def _searching(self, line: Line, key: Key) -> bool:
        """Take a key of ^R; False when it ends the search and means something itself."""
        part, history = self._search, self._history
        assert part is not None
        assert history is not None
        if key.name not in ("text", "erase", "search", "cancel"):
            self._search = None
            return False
        if key.name == "cancel":
            self._search = None
            return True
        hits = self._hits + 1 if key.name == "search" else 0
        part = part + key.text if key.name == "text" else part[:-1] if key.name == "erase" else part
        found = history.search(part, hits)
        if found is None and part:
            self.out.append(BELL)
            return True
        self._search, self._hits = part, hits
        if found is not None:
            line.replace(found)
        return True

    def _draw(self) -> None:
        line = self._line
        if line is None or self._help_pages is not None:
            return
        row = line.row()
        if self._search is not None:
            text = f"(search '{self._search}') {line.text}"[: self.width - 1]
            row = Row(text, len(text))
        self.out.append(repaint(self._shown, row))
        self._shown = row
