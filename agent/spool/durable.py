"""The one file that changes the medium: every create, write, sync, rename and unlink of the spool is here.

Why one file. A rename is not durable until its *folder* is synced, a file's bytes are not durable until the *file*
is synced, and a second fsync after a failed one may report success although the pages were dropped. Each rule is
easy to forget at one call site out of twenty, so there are no call sites: ruff bans ``os.fsync`` and ``os.rename``
everywhere else (ARCHITECTURE.md, "The spool"). The order that makes an instance durable is

    create .part in its final folder -> write -> fsync(file) -> rename in the same folder -> fsync(folder)

and only then may a ledger row speak of it. A group (group.py) does the same for many with ``Medium.flush``, which makes
bytes and names of the whole file system durable at once. Renames never cross folders for live instances; quarantine,
which does cross, syncs both folders.

A failed fsync kills its ``File``: the descriptor is closed, and every later call raises the same error again. The
caller writes the bytes anew into a new file or gives up; it can never "sync again and be lucky".

Every mutating call first passes ``Ops.step(call, path)``, which does nothing (ops.py).

Raises ``SpoolFull`` for ENOSPC, EDQUOT and EFBIG and ``MediaError`` for every other errno, always naming call and path.
"""

from __future__ import annotations

import os

from agent.errors import DeviceError, MediaError, SpoolDamaged, SpoolError
from agent.spool.faults import NO_ALLOCATE, NO_FOLDER_SYNC, NO_LINKS, media_error
from agent.spool.ops import Ops
from agent.spool.room import Free, free_of
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import ReadableBuffer

FILE_MODE = 0o600  # patient data: the agent's own user only
FOLDER_MODE = 0o700


class File:
    """One file being written; not thread safe. After a failed write or sync it stays dead."""

    __slots__ = ("_dead", "_fd", "_ops", "allocated", "path", "size")

    def __init__(self, fd: int, path: str, ops: Ops) -> None:
        self._fd = fd
        self._ops = ops
        self._dead: SpoolError | None = None
        self.path = path
        self.size = 0  # highest byte written + 1
        self.allocated = 0

    def allocate(self, length: int) -> bool:
        """Reserve blocks up to ``length`` bytes; False where the file system cannot reserve."""
        if length <= self.allocated:
            return True
        self._alive()
        try:
            self._ops.step("allocate", self.path)
            os.posix_fallocate(self._fd, self.allocated, length - self.allocated)
        except OSError as error:
            if error.errno in NO_ALLOCATE:
                return False
            # Not deadly: nothing written is lost, the caller may still finish what it has.
            raise media_error(error, "allocate", self.path) from error
        self.allocated = length
        return True

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write all of ``data`` at ``offset``; returns its length in bytes."""
        self._alive()
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view):
                self._ops.step("write", self.path)
                done += os.pwrite(self._fd, view[done:], offset + done)
        except OSError as error:
            raise self._die(error, "write") from error
        self.size = max(self.size, offset + done)
        return done

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Read into ``buffer`` from ``offset``; returns the number of bytes, 0 at the end."""
        self._alive()
        try:
            return os.preadv(self._fd, [buffer], offset)
        except OSError as error:
            raise media_error(error, "read", self.path) from error

    def fill(self, offset: int, buffer: memoryview) -> None:
        """Read all of ``buffer`` from ``offset``; raises ``SpoolDamaged`` where the file ends before."""
        done = 0
        while done < len(buffer):
            count = self.read_into(offset + done, buffer[done:])
            if count <= 0:
                raise SpoolDamaged(f"read {self.path}: it ends at byte {offset + done}, {len(buffer) - done} too soon")
            done += count

    def cut(self, length: int) -> None:
        """Give up what was written behind ``length``; ``finish`` cuts it off."""
        self.allocated = max(self.allocated, self.size)
        self.size = min(self.size, length)

    def settle(self) -> None:
        """Cut the file to its true size; nothing is durable yet."""
        self._alive()
        if self.allocated > self.size:
            try:
                self._ops.step("truncate", self.path)
                os.ftruncate(self._fd, self.size)
            except OSError as error:
                raise self._die(error, "truncate") from error
            self.allocated = self.size

    def finish(self) -> None:
        """Cut the file to its true size, sync and close it: from here on its bytes are durable."""
        self.settle()
        try:
            self._ops.step("fsync", self.path)
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)
        except OSError as error:
            raise self._die(error, "fsync") from error

    def syncer(self) -> Syncer:
        """Return what another thread syncs this file with while it is written."""
        self._alive()
        try:
            return Syncer(os.dup(self._fd), self)
        except OSError as error:
            raise media_error(error, "dup", self.path) from error

    @property
    def failed(self) -> SpoolError | None:
        """Return what killed it."""
        return self._dead

    def step(self, call: str) -> None:
        """Let a change of this file happen, or not."""
        self._ops.step(call, self.path)

    def kill(self, error: OSError, call: str) -> SpoolError:
        """Let every later call raise what ``call`` failed with; the descriptor is closed by its owner."""
        self._dead = self._dead or media_error(error, call, self.path)
        return self._dead

    def sync(self) -> None:
        """Make durable what was written so far, and how far the file goes."""
        self._alive()
        try:
            self._ops.step("fsync", self.path)
            os.fdatasync(self._fd)
        except OSError as error:
            raise self._die(error, "fsync") from error

    @property
    def closed(self) -> bool:
        """Whether it was finished or closed."""
        return self._fd < 0

    def close(self) -> None:
        """Close without any promise; idempotent."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            try:
                os.close(fd)
            except OSError as error:
                self._dead = media_error(error, "close", self.path)

    def _alive(self) -> None:
        if self._dead is not None:
            raise self._dead
        if self._fd < 0:
            raise MediaError(f"write {self.path}: the file is already closed")

    def _die(self, error: OSError, call: str) -> SpoolError:
        self.close()
        self._dead = media_error(error, call, self.path)
        return self._dead


class Syncer:
    """A second descriptor of a file being written, for the thread that syncs it.

    A failed sync is told once, to whichever descriptor asks: so it kills the file itself.
    """

    __slots__ = ("_fd", "_file")

    def __init__(self, fd: int, file: File) -> None:
        self._fd = fd
        self._file = file

    def sync(self) -> None:
        """Make durable what was written before this call."""
        try:
            self._file.step("fsync")
            os.fdatasync(self._fd)
        except OSError as error:
            raise self._file.kill(error, "fsync") from error

    def close(self) -> None:
        """Close the second descriptor; idempotent."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)


def _in(folder: int | None, path: str) -> str:
    return path if folder is None else os.path.basename(path)


class Medium:
    """The changing calls on one spool folder."""

    __slots__ = ("_whole", "ops", "root")

    def __init__(self, root: str, ops: Ops | None = None) -> None:
        self.root = root
        self.ops = ops or Ops()
        self._whole = -1  # what ``flush`` asks; opened before anything is written: errors since then are reported

    def watch(self) -> None:
        """Open what ``flush`` needs, before the first write that it is to answer for; raises ``MediaError``."""
        if self._whole < 0:
            try:
                self._whole = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except OSError as error:
                raise media_error(error, "open", self.root) from error

    @property
    def watched(self) -> bool:
        """Whether ``flush`` may be used."""
        return self._whole >= 0

    def close(self) -> None:
        """Let go of what ``watch`` opened; idempotent."""
        fd, self._whole = self._whole, -1
        if fd >= 0:
            os.close(fd)

    def flush(self) -> None:
        """Make all bytes and names on the file system durable; raises ``MediaError`` when any of them may be lost.

        Whose they are it does not say: sync what matters one by one to find out.
        """
        from agent.native.sync import sync_file_system  # a box that never groups does without the C core here

        assert self._whole >= 0, "watch first"
        try:
            self.ops.step("syncfs", self.root)
            sync_file_system(self._whole)
        except OSError as error:
            raise media_error(error, "syncfs", self.root) from error
        except DeviceError as error:
            raise MediaError(f"syncfs {self.root}: something on it could not be written") from error

    def create(self, path: str, mode: int = FILE_MODE, folder: int | None = None) -> File:
        """Create ``path``, which must not exist, in its ``folder`` if that is open; umask takes from ``mode``."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self.ops.step("create", path)
            return File(os.open(_in(folder, path), flags, mode, dir_fd=folder), path, self.ops)
        except OSError as error:
            raise media_error(error, "create", path) from error

    def reopen(self, path: str) -> File:
        """Open a file that an earlier process was writing, to complete it; its size is what the folder says."""
        try:
            self.ops.step("create", path)
            file = File(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), path, self.ops)
        except OSError as error:
            raise media_error(error, "open", path) from error
        try:
            file.size = file.allocated = os.stat(path).st_size
        except OSError as error:
            file.close()
            raise media_error(error, "stat", path) from error
        return file

    def publish(self, part: str, final: str) -> None:
        """Rename within one folder and sync the folder: ``final`` exists from here on. Never overwrites."""
        self._rename(part, final)
        self.sync_folder(os.path.dirname(final))

    def name(self, part: str, final: str) -> None:
        """Rename within one folder, for now: the name is durable with the next sync. Never overwrites."""
        self._rename(part, final)

    def replace(self, path: str, data: bytes) -> None:
        """Put ``data`` in the place of ``path``, whole or not at all; not synced: only for what nobody was promised."""
        part = f"{path}~"  # one a process died with is written over by the next
        try:
            self.ops.step("create", part)
            fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
            try:
                while data:
                    self.ops.step("write", part)
                    data = data[os.write(fd, data) :]
            finally:
                os.close(fd)
            self.ops.step("rename", path)
            os.rename(part, path)
        except OSError as error:
            raise media_error(error, "replace", path) from error

    def sync_file(self, path: str) -> None:
        """Make the bytes of a file durable that another program has written."""
        try:
            self._sync(path, os.O_NOFOLLOW)
        except OSError as error:
            raise media_error(error, "fsync", path) from error

    def swap(self, part: str, final: str) -> None:
        """Rename over ``final`` and sync the renamed file, then its folder.

        On FAT the entry of a renamed file is written by the sync of the *file*; that of its folder alone leaves the old
        one on the medium. The clusters of what it replaces are freed with the last descriptor of it, so one is held
        until the new entry is durable: an old entry whose clusters are free can no longer be read.
        """
        held = -1
        try:
            if os.path.lexists(final):
                held = os.open(final, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
            self.ops.step("rename", final)
            os.rename(part, final)
            self.sync_file(final)
            self.sync_folder(os.path.dirname(final))
        except OSError as error:
            raise media_error(error, "rename", part) from error
        finally:
            if held >= 0:
                os.close(held)

    def renew(self, path: str, pieces: Iterable[bytes], before: str, mode: int = FILE_MODE) -> int:
        """Put ``pieces`` in the place of ``path``, whole and durable or not at all; what was there is ``before`` then.

        At every moment there is the old file or the new one under ``path``. Where the file system has no links, nothing
        is kept as ``before``. Returns the bytes written.
        """
        part = f"{path}~"  # one a process died with is removed
        self.remove(part, sync=False)
        file = self.create(part, mode)
        try:
            for piece in pieces:
                file.write_at(file.size, piece)
            file.finish()
        finally:
            file.close()
        if os.path.lexists(path):
            self._keep(path, before)
        self.swap(part, path)
        return file.size

    def _keep(self, path: str, before: str) -> None:
        """Give ``path`` a second name, in the place of whatever has it."""
        spare = f"{before}~"
        self.remove(spare, sync=False)
        try:
            # rename(2) of two names of one file does nothing: a process that died behind the next rename left them so
            if os.path.lexists(before) and os.path.samefile(path, before):
                return
            if self._linked(path, spare):
                self.ops.step("rename", before)
                os.rename(spare, before)
        except OSError as error:
            raise media_error(error, "rename", spare) from error

    def set_aside(self, path: str, target: str) -> None:
        """Move ``path`` into another folder, the new name durable before the old one goes: a crash may double it.

        Not every file system keeps a rename between folders together; it is for what cannot be linked.
        """
        linked = self._linked(path, target)
        if not linked:
            self._rename(path, target)
        self.sync_folder(os.path.dirname(target))
        if linked:
            self.remove(path, sync=False)
        self.sync_folder(os.path.dirname(path))

    def remove(self, path: str, *, sync: bool = True, folder: int | None = None) -> bool:
        """Unlink ``path`` and sync its folder; False when there was nothing. ``sync=False``: the caller syncs."""
        try:
            self.ops.step("unlink", path)
            os.unlink(_in(folder, path), dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise media_error(error, "unlink", path) from error
        if sync:
            self.sync_folder(os.path.dirname(path))
        return True

    def make_folder(self, path: str, mode: int = FOLDER_MODE, folder: int | None = None) -> bool:
        """Create a folder and sync its parent; False when it is already there (parent synced all the same)."""
        made = True
        try:
            self.ops.step("mkdir", path)
            os.mkdir(_in(folder, path), mode, dir_fd=folder)
        except FileExistsError:
            made = False
        except OSError as error:
            raise media_error(error, "mkdir", path) from error
        self.sync_folder(os.path.dirname(path))
        return made

    def sync_folder(self, path: str) -> None:
        """Make the names in ``path`` durable."""
        try:
            self._sync(path, os.O_DIRECTORY)
        except OSError as error:
            if error.errno not in NO_FOLDER_SYNC:
                raise media_error(error, "fsync folder", path) from error

    def _sync(self, path: str, flags: int) -> None:
        self.ops.step("fsync", path)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free(self) -> Free:
        """Ask the file system how much room there is."""
        return free_of(self.root)

    def _linked(self, source: str, target: str) -> bool:
        """Give a file a second name; False where that cannot be."""
        try:
            self.ops.step("link", target)
            os.link(source, target, follow_symlinks=False)
            return os.path.samestat(os.lstat(source), os.lstat(target))
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise media_error(error, "link", source) from error
            return False

    def _rename(self, source: str, target: str) -> None:
        try:
            # rename(2) overwrites silently; numbers are never reused, so a name that exists is a fault of ours.
            if os.path.lexists(target):
                raise MediaError(f"rename {source}: {target} already exists")
            self.ops.step("rename", target)
            os.rename(source, target)
        except OSError as error:
            raise media_error(error, "rename", source) from error
