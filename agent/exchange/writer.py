"""Writing a File-set so that it is on the medium and not only said to be: the protocol, step by step.

    write + fsync every file -> fsync every folder -> DICOMDIR beside its place, fsync -> rename over it, fsync the
    renamed file, fsync the folder -> read everything back past the cache, compare digests

Each step has its reason on FAT: a name is written by the sync of the *file*, a folder's sync alone leaves the old one;
``write``, ``close`` and reading back succeed on a stick that is gone, and only ``fsync`` says so. Whatever fails, the
set is not safe, and the old DICOMDIR is the one in force until the new one is whole.

Files get their final names at once: no directory names them yet. Which names that will be is on the medium first, in a
journal, and goes when all is done: so the next export knows what of a broken one it may remove. Nothing else that is on
the medium is ever replaced, and nothing that is not on it is ever touched: each folder is opened in the one before it,
through no link, and what is made, read back or removed is so in the folder that was opened.

``Ops`` is the seam of ``durable``: tests die, fail or pull the stick at its Nth step.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import contextmanager
from itertools import islice

from agent.errors import FileError, MediaError
from agent.exchange import beneath
from agent.exchange.reread import reread
from agent.spool.durable import Medium
from agent.spool.faults import media_error
from agent.spool.ops import Ops
from agent.typed import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import ReadableBuffer

    from agent.exchange.reread import Reread
    from agent.spool.durable import File

DIRECTORY: Final = "DICOMDIR"
# What an export names its files. A journal may have its length before its bytes: then it holds anything.
_NAME: Final = re.compile(r"INST[0-9]?/[0-9A-F]{6}/[0-9A-F]{8}|WRAPPED")
_PART: Final = "DICOMDIR.NEW"  # 8.3: no file system makes a second name for it
JOURNAL: Final = "EXPORT.NEW"
_JOURNAL_BYTES: Final = 64 << 20  # a million names
_LINES: Final = 4096  # of them written at once
_LINE_BYTES: Final = 4096  # a longer line is none of ours
# Umask takes from these, as for every file that somebody asks for.
_FILE_MODE, _FOLDER_MODE = 0o666, 0o777
_HASH_BYTES: Final = 1 << 18
_PULLED: Final = "Do not hand the medium out. Put it in again, check it, and repeat the export."


class Written(NamedTuple):
    """One file of the set."""

    path: str  # below the root
    size: int
    sha256: str


class Log(Protocol):
    """Where what was written is noted, and gone through."""

    def append(self, item: Written, /) -> None:
        """Note one."""

    def __iter__(self) -> Iterator[Written]: ...


class FileSink:
    """A file of the set while it is written; ``sha256`` runs along as long as only ``write`` is used, in order."""

    __slots__ = ("_digest", "_file", "_position", "_ran")

    def __init__(self, file: File) -> None:
        self._file = file
        self._position = 0
        self._digest = hashlib.sha256()
        self._ran = 0

    def write(self, data: ReadableBuffer) -> int:
        """Append."""
        if self._ran == self._position:
            self._digest.update(data)
            self._ran += memoryview(data).nbytes
        done = self._file.write_at(self._position, data)
        self._position += done
        return done

    def write_at(self, offset: int, data: ReadableBuffer) -> int:
        """Write anywhere; ends the running digest."""
        self._ran = -1
        return self._file.write_at(offset, data)

    def seek(self, offset: int) -> None:
        """Let ``write`` go on at ``offset``; ends the running digest."""
        self._ran = -1
        self._position = offset

    def tell(self) -> int:
        """Where ``write`` goes on."""
        return self._position

    @property
    def path(self) -> str:
        """Where it is."""
        return self._file.path

    def sha256(self) -> str:
        """Of what was written, read back from memory where it was not written in order."""
        if self._ran == self._file.size:
            return self._digest.hexdigest()
        digest, at, buffer = hashlib.sha256(), 0, memoryview(bytearray(_HASH_BYTES))
        while at < self._file.size:
            piece = buffer[: min(_HASH_BYTES, self._file.size - at)]
            self._file.fill(at, piece)
            digest.update(piece)
            at += len(piece)
        return digest.hexdigest()


class SetWriter:
    """One File-set below ``root``, which exists; for one thread."""

    __slots__ = ("_folders", "_medium", "root", "written")

    def __init__(self, root: str, ops: Ops | None = None, written: Log | None = None) -> None:
        self.root = os.path.abspath(root)
        self._medium = Medium(self.root, ops)
        self._folders: set[str] = {self.root}
        self.written: Log = [] if written is None else written

    def leftovers(self) -> Iterator[str]:
        """Names of files that an export which broke off may have left; nothing where none did.

        Only names of instances: pages tell by themselves whose they are. ``begin`` replaces what this reads.
        """
        try:
            with beneath.folder(self.root) as root:
                if not beneath.is_beneath(root, JOURNAL):
                    return
                with open(beneath.open_beneath(root, JOURNAL), "rb") as file:
                    left = _JOURNAL_BYTES
                    while left > 0 and (line := file.readline(_LINE_BYTES)):
                        left -= len(line)
                        text = line.decode("ascii", "replace").rstrip("\r\n")
                        if _NAME.fullmatch(text):
                            yield text
        except OSError as error:
            raise media_error(error, "read", f"{self.root}/{JOURNAL}") from error

    def begin(self, paths: Iterable[str]) -> None:
        """Let the medium know the names of what will be written, before any of it is."""
        whole = f"{self.root}/{JOURNAL}"
        self._medium.remove(whole, sync=False)
        file = self._medium.create(whole, _FILE_MODE)
        try:
            sink = FileSink(file)
            lines = (f"{path}\n".encode("ascii") for path in paths)
            while chunk := b"".join(islice(lines, _LINES)):
                sink.write(chunk)
            file.finish()
        finally:
            file.close()
        self._medium.sync_folder(self.root)

    def end(self) -> None:
        """Everything is on the medium, and named."""
        self._medium.remove(f"{self.root}/{JOURNAL}")

    def put(self, path: str, fill: Callable[[FileSink], object]) -> Written:
        """Write and sync one file, which must not exist. A failed one is removed again."""
        with self._place(path) as (folder, whole):
            file = self._medium.create(whole, _FILE_MODE, folder)
        try:
            sink = FileSink(file)
            fill(sink)
            done = Written(path, file.size, sink.sha256())
            file.finish()
        except BaseException:
            file.close()
            self._forget(path)
            raise
        self.written.append(done)
        return done

    def keep(self, found: Written) -> None:
        """Count a file that is there already among those to be compared."""
        with self._place(found.path):
            self.written.append(found)

    def settle(self) -> None:
        """Sync every folder: from here on all names are on the medium."""
        for folder in sorted(self._folders, key=len, reverse=True):
            self._medium.sync_folder(folder)

    def direct(self, pieces: Iterable[bytes]) -> Written:
        """Put a DICOMDIR in force, whole or not at all."""
        part, final = f"{self.root}/{_PART}", f"{self.root}/{DIRECTORY}"
        self._medium.remove(part, sync=False)
        file = self._medium.create(part, _FILE_MODE)
        try:
            sink = FileSink(file)
            for piece in pieces:
                sink.write(piece)
            done = Written(DIRECTORY, file.size, sink.sha256())
            file.finish()
        finally:
            file.close()
        self._medium.swap(part, final)
        self.written.append(done)
        return done

    def drop(self, paths: Iterable[str]) -> None:
        """Remove files below the root that the DICOMDIR in force does not name any more.

        Raises ``MediaError``, with nothing removed there, where a link is in the way: it leads to what is not ours.
        """
        folders = set()
        for path in paths:
            if self._remove(path):
                folders.add(os.path.dirname(f"{self.root}/{path}"))
        for folder in folders:
            self._medium.sync_folder(folder)

    def holds(self, path: str) -> bool:
        """Whether there is anything of that name. Raises ``MediaError`` where a link is in the way."""
        with self._beneath(path) as (root, _):
            return beneath.is_beneath(root, path)

    def compare(self, watch: Callable[[int], None] = lambda _bytes: None) -> bool:
        """Read everything back; whether all of it came from the medium itself.

        Raises ``MediaError`` for a file that is not what was written.
        """
        uncached = True
        for one in self.written:
            whole = f"{self.root}/{one.path}"
            found = self.reread(one.path, watch)
            if (found.size, found.sha256) != (one.size, one.sha256):
                raise MediaError(f"{whole} does not come back from the medium as it was written", hint=_PULLED)
            uncached = uncached and found.uncached
        return uncached

    def reread(self, path: str, watch: Callable[[int], None] = lambda _bytes: None) -> Reread:
        """Hash a file as the medium has it. Raises ``MediaError``, also where a link is in the way."""
        try:
            with self._beneath(path) as (root, whole), beneath.parent_beneath(root, path) as (folder, _):
                return reread(whole, self._medium.ops, watch, folder)
        except FileNotFoundError as error:
            raise media_error(error, "read back", f"{self.root}/{path}") from error

    def free_bytes(self) -> int:
        """Room on the medium."""
        return self._medium.free().bytes

    @contextmanager
    def _place(self, path: str) -> Iterator[tuple[int, str]]:
        """The folder, open, that a file goes into, and the whole path; its folders are made."""
        folder, below = self.root, ""
        for name in path.split("/")[:-1]:
            folder, below = f"{folder}/{name}", f"{below}/{name}"
            if folder not in self._folders:
                with self._beneath(below[1:]) as (root, _), beneath.parent_beneath(root, below[1:]) as (above, _):
                    self._medium.make_folder(folder, _FOLDER_MODE, above)
                self._folders.add(folder)
        with self._beneath(path) as (root, whole), beneath.parent_beneath(root, path) as (above, _):
            yield above, whole

    def _remove(self, path: str) -> bool:
        """Unlink a file below the root, no folder synced; whether it was there."""
        try:
            with self._beneath(path) as (root, whole), beneath.parent_beneath(root, path) as (folder, _):
                return self._medium.remove(whole, sync=False, folder=folder)
        except FileNotFoundError:
            return False

    @contextmanager
    def _beneath(self, path: str) -> Iterator[tuple[int, str]]:
        """The root, open, and the whole path; a way out of the medium is a ``MediaError`` of what is done in it."""
        try:
            with beneath.folder(self.root) as root:
                yield root, f"{self.root}/{path}"
        except FileError as error:
            hint = "Look at it, and remove it, or use an empty medium."
            raise MediaError(f"{self.root}: something is in the way: {error}", hint=hint) from error

    def _forget(self, path: str) -> None:
        try:
            self._remove(path)
        except MediaError:
            return  # a medium in trouble: the first error is the one to be told
