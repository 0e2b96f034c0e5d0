"""Who may change a configuration: one editor at a time, for as long as he likes; and turns, for a moment each.

The *edit lock* is held by a session of the console from its first change to its commit. Another one is refused, and
told by whom. It is a lock of the kernel and ends with its holder, however that ends. A child of the holder acts for it.

A *turn* is taken for everything that changes files, also by the daemon that reverts what nobody confirmed: it must not
wait for an editor who went for lunch.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress

from agent.config.generations import LOCK, TURN
from agent.errors import ConfigLocked, FileError, SpoolBusy, SpoolError
from agent.spool import lock
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.generations import Folder

# A turn is a handful of writes: a second on a worn card, and some others may be before us.
TURN_S: Final = 15.0
_PAUSE_S: Final = 0.02


class Holder(NamedTuple):
    """Who edits."""

    who: str
    process: int
    since: float


class EditLock:
    """The edit lock as one process sees it."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._fd = -1

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._fd >= 0

    def take(self, who: str) -> bool:
        """Take it; False when a parent holds it for us. Raises ``ConfigLocked``."""
        if self.held:
            return True
        path = self._folder.in_it(LOCK)
        try:
            self._fd = lock.take(path)
        except SpoolBusy:
            holder = self.holder()
            if holder is not None and holder.process == os.getppid():
                return False
            text = "by somebody" if holder is None else _words(holder)
            raise ConfigLocked(f"{self._folder.file} is being edited {text}") from None
        except SpoolError as error:
            raise FileError(f"the configuration cannot be locked: {error.message}") from error
        self._folder.own(LOCK)
        with suppress(OSError):  # a full medium: it is held all the same, and nobody can say by whom
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()} {time.time():.0f} {who}\n".encode(), 0)
        return True

    def release(self) -> None:
        """Let it go; idempotent."""
        if self.held:
            with suppress(OSError):
                os.ftruncate(self._fd, 0)
            fd, self._fd = self._fd, -1
            os.close(fd)

    def holder(self) -> Holder | None:
        """Return who holds it; None for nobody, or one that has not said it yet."""
        if not lock.held(self._folder.in_it(LOCK)):
            return None
        words = (self._folder.read(LOCK) or b"").decode(errors="replace").strip().split(" ", 2)
        if len(words) != 3 or not (words[0].isdigit() and words[1].isdigit()):
            return None
        return Holder(words[2], int(words[0]), float(words[1]))


def _words(holder: Holder) -> str:
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder.since))
    return f"by {holder.who} since {since} (process {holder.process})"


@contextmanager
def turn(folder: Folder) -> Iterator[None]:
    """Have the files of the folder for oneself; raises ``ConfigLocked`` when that takes too long."""
    until = time.monotonic() + TURN_S
    while True:
        try:
            fd = lock.take(folder.in_it(TURN))
            break
        except SpoolBusy:
            if time.monotonic() > until:
                raise ConfigLocked(f"another process has been changing {folder.file} for {TURN_S:.0f} s") from None
            time.sleep(_PAUSE_S)
        except SpoolError as error:
            raise FileError(f"the configuration cannot be locked: {error.message}") from error
    try:
        folder.own(TURN)
        yield
    finally:
        os.close(fd)
