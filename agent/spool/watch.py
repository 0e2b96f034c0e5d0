"""Is the medium below a running spool still there, writable, and roomy: looked at from outside, every few seconds.

What is wrong is a ``Trouble``: one for each cause, with the sentence that a person reads. A trouble ends when its cause
does, by itself; nothing here changes the spool, but for a file of a few bytes that is written and synced while some
write has failed: that is the only way to know that writes succeed again.

A medium is the one that was opened as long as ``spool.lock`` in its folder is the file that this process holds. Without
it the folder is an empty mount point, or another medium. One that comes back as itself is gone on with; one that was
taken out and put in again is a new file system to the kernel: its locks, files and ledger must be opened anew, which a
new start does best (``returned``).

How full it is counts without what may be evicted at once: a medium that keeps committed instances as long as there is
room is not in need.
"""

from __future__ import annotations

import os

from agent.errors import AgentError, FileUnreadable, MediaError, SpoolError, SpoolFull
from agent.spool.mount import check_folder
from agent.spool.names import INSTANCES, LEDGER, LOCK
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.spool.room import Free
    from agent.spool.store import Spool

PROBE: Final = "probe"  # a name in the spool folder
MIB: Final = 1 << 20


class Levels(NamedTuple):
    """Shares of the medium in use, of 1, from which on it is said."""

    warning: float = 0.8
    alarm: float = 0.9


class Trouble(NamedTuple):
    """One thing that is wrong."""

    cause: str  # medium, read-only, write, full, level; clip, ledger, head of the keeper
    level: str  # of the log
    text: str
    refuses: bool = False  # captures are refused meanwhile
    returned: bool = False  # a spool is there again that this process has not opened

    @property
    def dead(self) -> bool:
        """Whether nothing can be written."""
        return self.refuses and self.cause != "full"


class Watch:
    """What one process knows of its medium; for one thread, but for ``note``."""

    __slots__ = ("_levels", "_spool", "_suspect")

    def __init__(self, spool: Spool, levels: Levels) -> None:
        self._spool = spool
        self._levels = levels
        self._suspect: AgentError | None = None  # a write failed, and none has succeeded since

    def note(self, error: AgentError) -> None:
        """Take notice of an error that some role met."""
        if isinstance(error, MediaError | SpoolFull) and not isinstance(error, FileUnreadable):
            self._suspect = error

    def look(self) -> list[Trouble]:
        """Say what is wrong now, the worst first."""
        gone = self._gone()
        if gone is not None:
            return [gone]
        try:
            free = self._spool.medium.free()
            fixed = os.statvfs(self._spool.root).f_flag & os.ST_RDONLY
        except (SpoolError, OSError) as error:
            return [Trouble("medium", "error", f"the medium of the spool does not answer: {error}; {_MEANWHILE}", True)]  # noqa: FBT003 - of a tuple
        if fixed:
            text = f"the medium of the spool has become read-only ({self._spool.root}); {_MEANWHILE}"
            return [Trouble("read-only", "error", text, refuses=True)]
        found = [self._writes()] if self._suspect is not None else []
        return [one for one in (*found, self._room(free)) if one is not None]

    def _gone(self) -> Trouble | None:
        root = self._spool.root
        try:
            here = os.stat(f"{root}/{LOCK}")
        except OSError as error:
            text = f"the medium of the spool is gone: {root}/{LOCK}: {error.strerror}; {_MEANWHILE}"
            return Trouble("medium", "error", text, refuses=True)
        if self._spool.holds(here):
            try:
                check_folder(root, f"{root}/{INSTANCES}")
            except MediaError as error:  # mounted over, or taken away
                return Trouble("medium", "error", f"{error}; {_MEANWHILE}", refuses=True)
            return None
        known = os.path.exists(f"{root}/{LEDGER}")
        what = "is back, and must be opened anew" if known else "is another one, without a spool of ours"
        text = f"the medium at {root} {what}; {_MEANWHILE}"
        return Trouble("medium", "error", text, refuses=True, returned=known)

    def _writes(self) -> Trouble | None:
        """Try to write, until that succeeds."""
        try:
            _probe(self._spool)
        except SpoolFull as error:
            return Trouble("full", "error", f"{error}; {_MEANWHILE}", refuses=True)
        except SpoolError as error:
            text = f"the medium of the spool cannot be written: {error}; {_MEANWHILE}"
            return Trouble("write", "error", text, refuses=True)
        self._suspect = None
        return None

    def _room(self, free: Free) -> Trouble | None:
        """Say how full it is; exact only where it matters."""
        floor = self._spool.admission.floor_bytes(free)
        few = free.inodes is not None and free.inodes < self._spool.policy.min_free_inodes
        if free.used < self._levels.warning and free.bytes >= floor and not few:
            return None
        kept = free._replace(bytes=min(free.bytes + self._spool.evictable_bytes(), free.total_bytes))
        short = few or kept.bytes < floor
        text = (
            f"the medium of the spool is {kept.used:.0%} full, {kept.bytes // MIB} MiB are left"
            f"{'' if free.inodes is None else f' and {free.inodes} files'}, without what is committed"
        )
        if short:
            kept_free = f"{self._spool.policy.min_free_inodes} files" if few else f"{floor // MIB} MiB"
            why = f"out of resources, captures are refused: {kept_free} are to stay free"
            return Trouble("full", "error", f"{text}; {why}", refuses=True)
        if kept.used >= self._levels.alarm:
            return Trouble("level", "error", f"{text}; captures are refused below {floor // MIB} MiB")
        if kept.used >= self._levels.warning:
            return Trouble("level", "warning", text)
        return None


_MEANWHILE: Final = "captures are refused until it is well again, nothing that was acknowledged is touched"


def _probe(spool: Spool) -> None:
    """Write and sync a file and the ledger's log; raises ``SpoolError``."""
    path = f"{spool.root}/{PROBE}"
    spool.medium.remove(path, sync=False)
    file = spool.medium.create(path)
    try:
        file.write_at(0, b"is this written?\n")
        file.finish()
    finally:
        file.close()
        spool.medium.remove(path, sync=False)
    spool.ledger.read("SELECT 1 FROM meta LIMIT 1")
