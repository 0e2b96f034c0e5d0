"""Log lines of the daemon: one line per event on stderr, readable on a serial console and by journald.

``TIME LEVEL ROLE: TEXT``; under systemd (JOURNAL_STREAM is set) the time is left to journald and the level becomes its
``<N>`` prefix. A line that would repeat within a minute is counted instead of printed, so that a dead archive does not
fill the flash with one sentence. The logging package would cost 2 MiB of memory for this.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from agent.app.term import printable

if TYPE_CHECKING:
    from typing import TextIO

# Numbers of syslog(3), which journald reads.
LEVELS: Final = {"error": 3, "warning": 4, "notice": 5, "info": 6}
# One sentence a minute is enough to know that nothing has changed.
REPEAT_S: Final = 60.0
_LINE_LIMIT: Final = 1000
# Distinct sentences remembered; with more, the oldest may repeat early.
_REMEMBERED: Final = 64


class Journal:
    """Where roles say what happened; safe to call from every thread."""

    __slots__ = ("_lock", "_seen", "_stream", "_systemd")

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream: TextIO | None = stream or sys.stderr
        self._systemd = "JOURNAL_STREAM" in os.environ
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], list[float]] = {}

    def say(self, level: str, role: str, text: str) -> None:
        """Print one event unless the same one was printed within ``REPEAT_S``."""
        with self._lock:
            again = self._repeats(role, text)
            if again is None:
                return
            more = f" (and {again} times since)" if again else ""
            self._write(level, f"{role}: {printable(text, _LINE_LIMIT)}{more}")

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

    def _write(self, level: str, text: str) -> None:
        if self._systemd:
            line = f"<{LEVELS[level]}>{text}\n"
        else:
            line = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {level:<7} {text}\n"
        if self._stream is None:
            return
        try:
            self._stream.write(line)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # a log that nobody reads any more must not stop the transport of images
