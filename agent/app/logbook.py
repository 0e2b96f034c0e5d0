"""The log on disk: the last of what the daemon said, in two small files of the spool, written in turn.

``log/a`` and ``log/b`` in the spool, ``LIMIT_BYTES`` each: what is full makes room in the other, so that at least half
of the whole is always there. Never synced, because nobody was promised any of it, and written by a thread of its own
(``agent.app.journal``), so that a medium that hangs holds up no image and no other log. What cannot be written is
dropped, and nothing is tried again for ``REST_S``.

Reading needs no agent: it may be wedged or dead.
"""

from __future__ import annotations

import os
import time

from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = "log"
NAMES: Final = ("a", "b")
# A quiet box says some twenty lines a day, a busy one some thousand: days to years.
LIMIT_BYTES: Final = 512 * 1024
REST_S: Final = 10.0


class Logbook:
    """The writer's side; used by one thread."""

    __slots__ = ("_fd", "_folder", "_limit", "_not_before", "_turn")

    def __init__(self, root: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self._folder = f"{root}/{FOLDER}"
        self._limit = limit_bytes
        self._fd = -1
        self._turn = 0
        self._not_before = 0.0

    def write(self, line: str) -> None:
        """Write a line; never raises."""
        if time.monotonic() < self._not_before:
            return
        data = line.encode("utf-8", "replace")
        try:
            if self._fd < 0:
                self._open()
            if os.fstat(self._fd).st_size + len(data) > self._limit:
                self._change()
            os.write(self._fd, data)
        except OSError:
            self._close()
            self._not_before = time.monotonic() + REST_S

    def _open(self) -> None:
        if not os.path.isdir(self._folder):
            os.mkdir(self._folder, 0o700)
        self._turn = max((0, 1), key=lambda turn: _changed(f"{self._folder}/{NAMES[turn]}"))
        self._fd = self._descriptor(0)

    def _change(self) -> None:
        self._close()
        self._turn = 1 - self._turn
        self._fd = self._descriptor(os.O_TRUNC)

    def _descriptor(self, flags: int) -> int:
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | flags
        return os.open(f"{self._folder}/{NAMES[self._turn]}", how, 0o600)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class _Page(NamedTuple):
    changed: int  # ns
    name: str


def _by_age(folder: str) -> list[_Page]:
    """Both files, the one that was written last behind the other."""
    return sorted(_Page(_changed(f"{folder}/{name}"), name) for name in NAMES)


def _changed(path: str) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_mtime_ns
    except OSError:
        return -1


class Entry(NamedTuple):
    """One event; ``more`` are the lines of a traceback behind it."""

    at: float  # wall s; 0: not known
    level: str
    text: str
    line: str


class Reader:
    """The reader's side: ``entries`` yields what has come since it was last asked."""

    __slots__ = ("_folder", "_rest", "_seen")

    def __init__(self, root: str) -> None:
        self._folder = f"{root}/{FOLDER}"
        self._seen: dict[tuple[int, str], int] = {}  # inode and name -> how far it was read
        self._rest = b""

    def entries(self) -> Iterator[Entry]:
        """Everything that is new, oldest first; raises ``OSError`` when a file is there and cannot be read."""
        for page in _by_age(self._folder):
            data = self._new_of(page.name)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield entry_of(line.decode("utf-8", "replace"))

    def _new_of(self, name: str) -> bytes:
        try:
            fd = os.open(f"{self._folder}/{name}", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return b""
        try:
            found = os.fstat(fd)
            key = (found.st_ino, name)
            at = self._seen.get(key, 0)
            if found.st_size < at:  # it was begun anew
                at, self._rest = 0, b""
            data = os.pread(fd, LIMIT_BYTES * 2, at)
            self._seen[key] = at + len(data)
            return data
        finally:
            os.close(fd)


def entry_of(line: str) -> Entry:
    """Read one line of the log; one without a time (of a traceback) counts as an error of no known time."""
    stamp, _, rest = line.partition(" ")
    level, _, text = rest.partition(" ")
    try:
        at = _seconds(stamp)
    except ValueError:
        return Entry(0.0, "error", line, line)
    return Entry(at, level, text.lstrip(), line)


def _seconds(stamp: str) -> float:
    import calendar

    sign = {"+": 1, "-": -1}[stamp[19:20]] if stamp[19:20] in ("+", "-") else 0
    if not sign or not stamp[20:24].isdecimal():
        raise ValueError("no zone")
    offset = sign * (int(stamp[20:22]) * 3600 + int(stamp[22:24]) * 60)
    return float(calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - offset)
