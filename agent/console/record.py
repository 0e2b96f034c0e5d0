"""The record of sessions, for the audit: who did what, when, from where, and how it ended.

One line per event, fields parted by tabs: time, line, user, role, event, outcome, text. What is typed at a prompt for
a secret never comes here, neither does a line that is no command (it may be a password typed too early), nor the name
of a user that does not exist. ``sessions`` is at most ``SIZE_LIMIT``; then it becomes ``sessions.1``, and so on.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque

from agent.errors import SpoolError
from agent.spool.durable import FOLDER_MODE, Medium
from agent.typed import Final

SIZE_LIMIT: Final = 262_144
KEPT: Final = 4
TEXT_LIMIT: Final = 400


class Record:
    """Appends to the record in the console's folder; ``lost`` counts what could not be written."""

    __slots__ = ("_folder", "_path", "line", "lost")

    def __init__(self, folder: str, line: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "sessions")
        self.line = line
        self.lost = 0

    def note(self, wall: float, user: str, role: str, event: str, outcome: str = "", text: str = "") -> None:
        """Write one line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(wall))
        clean = "".join(c if c.isprintable() else "?" for c in text[:TEXT_LIMIT])
        row = "\t".join((when, self.line, user or "-", role or "-", event, outcome or "-", clean)) + "\n"
        try:
            self._append(row.encode("utf-8", "replace"))
        except (OSError, SpoolError):
            self.lost += 1

    def tail(self, count: int) -> list[str]:
        """Return the last lines, their fields parted by blanks."""
        lines: deque[str] = deque(maxlen=count)
        for number in reversed(range(KEPT)):
            with (
                contextlib.suppress(OSError),
                open(_numbered(self._path, number), encoding="utf-8", errors="replace") as file,
            ):
                lines.extend(line.rstrip("\n").replace("\t", "  ") for line in file)
        return list(lines)

    def _append(self, row: bytes) -> None:
        if not os.path.isdir(self._folder):
            Medium(self._folder).make_folder(self._folder, FOLDER_MODE)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path, flags, 0o600)
        try:
            size = os.fstat(fd).st_size
            os.write(fd, row)
        finally:
            os.close(fd)
        if size + len(row) > SIZE_LIMIT:
            self._rotate()

    def _rotate(self) -> None:
        medium = Medium(self._folder)
        for number in range(KEPT - 1, 0, -1):
            source = _numbered(self._path, number - 1)
            if os.path.exists(source):
                medium.swap(source, _numbered(self._path, number))


def _numbered(path: str, number: int) -> str:
    return f"{path}.{number}" if number else path
