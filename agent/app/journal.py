"""Log lines of the daemon: one line per event on stderr, readable on a serial console and by journald.

``TIME LEVEL ROLE: TEXT``; under systemd (JOURNAL_STREAM is set) the time is left to journald and the level becomes its
``<N>`` prefix. A line that would repeat within a minute is counted instead of printed, so that a dead archive does not
fill the flash with one sentence. The logging package would cost 2 MiB of memory for this.

The daemon keeps the last of it in the spool, too (``agent.app.logbook``), for who comes later and has no journald.

Nobody waits for the reader of the log, nor for the medium: a paused pager, a stopped serial line or a dying card blocks
one thread of ours (``Outlet``), which writes what ``say`` puts into a short queue. What finds the queue full is
dropped, counted and reported when there is room.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque

from agent.app.term import printable
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.typed import TextIO

# Numbers of syslog(3), which journald reads.
LEVELS: Final = {"error": 3, "warning": 4, "notice": 5, "info": 6}
# One sentence a minute is enough to know that nothing has changed.
REPEAT_S: Final = 60.0
# Lines that wait for the reader: a burst of a reload with 48 roles fits; at most 1 MiB when every line is long.
WAITING_LINES: Final = 256
# The last lines of a process are worth this wait; with a reader that is gone the process ends all the same.
CLOSE_S: Final = 1.0
_STDERR: Final = 2
_LINE_LIMIT: Final = 1000
# Distinct sentences remembered; with more, the oldest may repeat early.
_REMEMBERED: Final = 64


class Outlet:
    """A short queue of lines and the thread that writes them, begun with the first line."""

    __slots__ = ("_busy", "_change", "_dropped", "_form", "_lines", "_name", "_write", "_writer")

    def __init__(self, name: str, form: Callable[[str, str], str], write: Callable[[str], None]) -> None:
        """``form(level, text)`` makes a line, ``write`` may take as long as it likes and must not raise."""
        self._name = name
        self._form = form
        self._write = write
        self._change = threading.Condition()
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._busy = False  # a line is on its way out
        self._writer: threading.Thread | None = None

    def say(self, level: str, text: str) -> None:
        """Put an event into the queue."""
        self.put(self._form(level, text))

    def put(self, line: str) -> None:
        """Put a line into the queue."""
        with self._change:
            if len(self._lines) >= WAITING_LINES:
                self._dropped += 1
                return
            self._tell_dropped()
            self._lines.append(line)
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_all, name=self._name, daemon=True)
                self._writer.start()
            self._change.notify_all()

    def flush(self, until: float) -> bool:
        """Wait until everything is written; False when that was not so in time (monotonic s)."""
        with self._change:
            left = max(0.0, until - time.monotonic())
            return self._change.wait_for(lambda: not self._lines and not self._busy, left)

    def _tell_dropped(self) -> None:
        if self._dropped:
            text = f"log: {self._dropped} lines were dropped because nobody read the log"
            self._lines.append(self._form("warning", text))
            self._dropped = 0

    def _write_all(self) -> None:
        while True:
            with self._change:
                self._busy = False
                self._change.notify_all()
                self._change.wait_for(lambda: self._lines or self._dropped)
                if not self._lines:
                    self._tell_dropped()
                line = self._lines.popleft()
                self._busy = True
            self._write(line)


class Journal:
    """Where roles say what happened; safe to call from every thread, and it never blocks."""

    __slots__ = ("_lock", "_outlets", "_seen", "_stream", "_systemd")

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._systemd = "JOURNAL_STREAM" in os.environ
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], list[float]] = {}
        self._outlets = [Outlet("log", self._line, self._write)]

    def keep(self, write: Callable[[str], None]) -> None:
        """Have everything that is said from now on written elsewhere, too, always with its time."""
        self._outlets.append(Outlet("logbook", full_line, write))

    def say(self, level: str, role: str, text: str, *, always: bool = False) -> None:
        """Print one event unless the same one was printed within ``REPEAT_S``; ``always``: somebody waits for it."""
        with self._lock:
            again = 0 if always else self._repeats(role, text)
            if again is None:
                return
            more = f" (and {again} times since)" if again else ""
            for outlet in self._outlets:
                outlet.say(level, f"{role}: {printable(text, _LINE_LIMIT)}{more}")

    def show(self, text: str) -> None:
        """Print several lines as they are: a traceback."""
        with self._lock:
            for line in text.splitlines():
                for outlet in self._outlets:
                    outlet.put(printable(line, _LINE_LIMIT) + "\n")

    def flush(self, within_s: float = CLOSE_S) -> bool:
        """Wait until everything said is written; False when the reader did not take it in time."""
        until = time.monotonic() + within_s
        done = [outlet.flush(until) for outlet in self._outlets]
        return all(done)

    def _repeats(self, role: str, text: str) -> int | None:
        """How often the event was held back since it was last printed; None: hold it back now."""
        now = time.monotonic()
        seen = self._seen.pop((role, text), None)
        if seen is not None and now - seen[0] < REPEAT_S:
            seen[1] += 1
            self._seen[role, text] = seen
            return None
        self._seen[role, text] = [now, 0]
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return int(seen[1]) if seen else 0

    def _line(self, level: str, text: str) -> str:
        return f"<{LEVELS[level]}>{text}\n" if self._systemd else full_line(level, text)

    def _write(self, line: str) -> None:
        """Write past the buffers of ``sys.stderr``: a thread that blocks in them would hold up the end of Python."""
        try:
            if self._stream is not None:
                self._stream.write(line)
                self._stream.flush()
                return
            data = line.encode("utf-8", "replace")
            while data:
                data = data[os.write(_STDERR, data) :]
        except (OSError, ValueError):
            return  # a log that nobody reads any more must not stop the transport of images


def full_line(level: str, text: str) -> str:
    """An event as a line with its time."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {level:<7} {text}\n"
