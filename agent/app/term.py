"""What people see: colours, progress, tables, sizes and times.

Colours and a progress line that rewrites itself appear only on a terminal that can; elsewhere progress is a plain line
now and then, and none at all for a job that is over before the first is due, so that a log stays readable. Text that
came from a file or a peer passes ``printable`` before it reaches a terminal: an escape sequence in a status comment
must not move anybody's cursor.
"""

from __future__ import annotations

import os
import sys
import time

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.typed import TextIO

_COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
# Ten updates a second look alive and cost nothing, also at 115200 baud; a line every two seconds keeps a log short.
TTY_INTERVAL_S: Final = 0.1
LOG_INTERVAL_S: Final = 2.0
# A job of about two seconds is over before anybody asks how far it is.
LOG_FIRST_S: Final = 3.0
BAR: Final = 20  # characters
# A terminal narrower than this would wrap every progress line.
_MIN_WIDTH: Final = 20


def colours_on(stream: TextIO) -> bool:
    """Whether ``stream`` is a terminal that wants colours (NO_COLOR and TERM=dumb are honoured)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """``text`` in a colour of the table when ``stream`` (stdout) shows colours, else unchanged."""
    if not colours_on(stream or sys.stdout):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def printable(text: str, limit: int = 200) -> str:
    """``text`` with control characters replaced and cut to ``limit`` characters."""
    clean = "".join(c if c.isprintable() else "?" for c in text[: limit + 1])
    return clean if len(clean) <= limit else clean[: limit - 1] + "~"


class Progress:
    """A progress line on stderr: rewritten in place on a terminal (TERM=dumb cannot), now and then a line elsewhere."""

    __slots__ = ("_interval_s", "_last", "_open", "_said", "_stream", "_tty")

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._interval_s = TTY_INTERVAL_S if self._tty else LOG_INTERVAL_S
        self._last = 0.0 if self._tty else time.monotonic() + LOG_FIRST_S - LOG_INTERVAL_S
        self._open = False
        self._said = ""

    def of(self, done: int, total: int, text: str) -> None:
        """Show how much is done, on a terminal with a bar."""
        full = BAR * done // total if total else BAR
        self.update(f"[{'#' * full}{'.' * (BAR - full)}] {text}" if self._tty else text)

    def update(self, text: str) -> None:
        """Show ``text`` unless the last one is too young, or the same in a log."""
        now = time.monotonic()
        if now - self._last < self._interval_s or (text == self._said and not self._tty):
            return
        self._last, self._said = now, text
        if self._tty:
            self._stream.write(f"\r{printable(text, _width())}\x1b[K")
            self._open = True
        else:
            self._stream.write(printable(text) + "\n")
        self._stream.flush()

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self.clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Wipe the progress line, if there is one."""
        if self._open:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._open = False


def _width() -> int:
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    # A serial line reports 0x0.
    return max(columns - 1, _MIN_WIDTH) if columns else 79


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Lines of a table with aligned columns; ``right`` names the columns aligned to the right."""
    cells = [list(headers), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    lines = []
    for row in cells:
        parts = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(parts).rstrip())
    return lines


def columns() -> int:
    """Return how wide stdout is: COLUMNS, the terminal, 80 where that does not say (serial); a pipe has no end."""
    given = os.environ.get("COLUMNS", "")
    if given.isascii() and given.isdecimal() and int(given):
        return int(given)
    try:
        found = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return found or (80 if sys.stdout.isatty() else sys.maxsize)


def count_text(count: int, noun: str, plural: str = "") -> str:
    """Say a number of things: ``1 frame``, ``2 frames``, with ``plural`` where an ``s`` is not enough."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def size_text(count: float) -> str:
    """Say a byte count for people: ``512 B``, ``1.5 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError("unreachable")


def span_text(seconds: float) -> str:
    """Say how long something lasts in its two largest units: ``40 s``, ``3 min 5 s``, ``2 d 4 h``."""
    left = int(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def clock_text(wall_s: float | None) -> str:
    """Say a wall-clock time for people in local time with seconds, or ``-``."""
    if not wall_s:
        return "-"
    return time.strftime("%H:%M:%S", time.localtime(wall_s)) + f".{int(wall_s * 1000) % 1000:03d}"


def hour_text(wall_s: float) -> str:
    """Return a coming moment of local time as people say it: ``Mon 2026-03-02 22:00``."""
    return time.strftime("%a %Y-%m-%d %H:%M", time.localtime(wall_s))


def stamp_text(wall_s: float | None) -> str:
    """Say a wall-clock time with date and zone (ISO 8601), or ``-``."""
    if not wall_s:
        return "-"
    return time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(wall_s))
