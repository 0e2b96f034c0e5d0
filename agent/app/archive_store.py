"""Where the bench archive keeps what it receives: files under its own numbers and an index by SOP Instance UID.

The order of the spool holds here too: bytes synced, renamed in place, folder synced, index row committed, and only then
does anybody say 0000H. File names are numbers of ours (P9). One UID has one content (P5): the same Data Set again is
done, another one is refused and changes nothing. Commitment is answered from the index *and* the file: every byte of
the file is read again and its digest compared, so a file that was lost or damaged is not vouched for.

Raises ``MediaError`` or ``SpoolFull``.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from agent.errors import MediaError
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool.durable import Medium

if TYPE_CHECKING:
    from agent.spool.durable import File

FILES_PER_FOLDER = 256  # folders stay short enough to list on a console
READ_BYTES = 1 << 20

_TABLE = """
CREATE TABLE IF NOT EXISTS instance (
  number INTEGER PRIMARY KEY,
  sop_instance_uid TEXT NOT NULL UNIQUE,
  sop_class_uid TEXT NOT NULL,
  transfer_syntax_uid TEXT NOT NULL,
  path TEXT NOT NULL,               -- below the folder of the archive
  data_set_offset INTEGER NOT NULL, -- bytes
  size INTEGER NOT NULL,            -- bytes of the whole file
  data_set_sha256 TEXT NOT NULL,    -- hexadecimal
  received_at REAL NOT NULL,        -- seconds since 1970 UTC
  calling_ae TEXT NOT NULL
)"""
_COLUMNS = (
    "sop_instance_uid, sop_class_uid, transfer_syntax_uid, path, data_set_offset, size, data_set_sha256, received_at, "
    "calling_ae"
)


class Stored(NamedTuple):
    """One row of the index; ``path`` is absolute."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    path: str
    data_set_offset: int
    size: int
    data_set_sha256: str
    received_at: float
    calling_ae: str


class Incoming:
    """One instance while it arrives; ``write`` its Data Set, then ``ArchiveStore.keep`` or ``drop`` it."""

    __slots__ = ("digest", "file", "meta", "number", "offset")

    def __init__(self, number: int, file: File, meta: FileMeta) -> None:
        self.number = number
        self.file = file
        self.meta = meta
        self.digest = hashlib.sha256()
        self.offset = file.write_at(0, encode_prefix(meta))

    def write(self, data: bytes | memoryview | bytearray) -> None:
        """Append a piece of the Data Set."""
        self.file.write_at(self.file.size, data)
        self.digest.update(data)


class ArchiveStore:
    """The folder of an archive; thread safe. One process at a time."""

    __slots__ = ("_db", "_lock", "_medium", "_next", "folder")

    def __init__(self, folder: str) -> None:
        """Open or make ``folder``; what a crash left half-written is removed."""
        self.folder = os.path.abspath(folder)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            self._db = sqlite3.connect(f"{self.folder}/index.db", isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_TABLE)
        except (OSError, sqlite3.Error) as error:
            raise MediaError(f"the archive cannot use {self.folder}: {error}") from error
        self._lock = threading.Lock()
        self._medium = Medium(self.folder)
        self._next = self._clean() + 1

    def begin(self, meta: FileMeta) -> Incoming:
        """Make room for an instance that is about to arrive."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            path = self._path(number)
            if not os.path.isdir(os.path.dirname(path)):
                self._medium.make_folder(os.path.dirname(path))
        return Incoming(number, self._medium.create(f"{path}.part"), meta)

    def drop(self, incoming: Incoming) -> None:
        """Forget an instance that did not arrive whole."""
        incoming.file.close()
        self._medium.remove(incoming.file.path, sync=False)

    def keep(self, incoming: Incoming, calling_ae: str) -> bool:
        """Make it durable and index it; False, with nothing changed, if its UID is known with other content."""
        digest = incoming.digest.hexdigest()
        known = self.find(incoming.meta.sop_instance_uid)
        if known is None:
            path, part = self._path(incoming.number), incoming.file.path
            incoming.file.finish()
            self._medium.publish(part, path)
            known = self._enter(incoming, digest, path, calling_ae)
            if known is None:
                return True
            self._medium.remove(path)  # another association was faster with the same UID
        else:
            self.drop(incoming)
        return known.data_set_sha256 == digest

    def find(self, sop_instance_uid: str) -> Stored | None:
        """Return what is indexed under a UID."""
        rows = self._ask("WHERE sop_instance_uid = ?", (sop_instance_uid,))
        return rows[0] if rows else None

    def rows(self) -> list[Stored]:
        """Return the whole index in order of arrival."""
        return self._ask("ORDER BY number", ())

    def intact(self, stored: Stored) -> bool:
        """Read the file of an instance again and compare its digest."""
        digest = hashlib.sha256()
        try:
            with open(stored.path, "rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != stored.size:
                    return False
                file.seek(stored.data_set_offset)
                while data := file.read(READ_BYTES):
                    digest.update(data)
        except OSError:
            return False
        return digest.hexdigest() == stored.data_set_sha256

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            self._db.close()

    # --- inside --------------------------------------------------------------------------------

    def _path(self, number: int) -> str:
        return f"{self.folder}/{number // FILES_PER_FOLDER:06X}/{number:08X}"

    def _enter(self, incoming: Incoming, digest: str, path: str, calling_ae: str) -> Stored | None:
        meta = incoming.meta
        row = (
            *(incoming.number, meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid),
            *(os.path.relpath(path, self.folder), incoming.offset, incoming.file.size, digest, time.time(), calling_ae),
        )
        try:
            with self._lock:
                self._db.execute(f"INSERT INTO instance (number, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608 - our own column names
        except sqlite3.IntegrityError:
            return self.find(meta.sop_instance_uid)
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be written: {error}") from error
        return None

    def _ask(self, where: str, values: tuple[object, ...]) -> list[Stored]:
        try:
            with self._lock:
                rows = self._db.execute(f"SELECT {_COLUMNS} FROM instance {where}", values).fetchall()  # noqa: S608 - our own words
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be read: {error}") from error
        return [Stored(*row)._replace(path=f"{self.folder}/{row[3]}") for row in rows]

    def _clean(self) -> int:
        """Remove files without a row (nobody was told that they are here); return the highest number in use."""
        highest = int(self._db.execute("SELECT coalesce(max(number), 0) FROM instance").fetchone()[0])
        rows = {row[0] for row in self._db.execute("SELECT path FROM instance")}
        for name in sorted(os.listdir(self.folder)):
            if not os.path.isdir(f"{self.folder}/{name}"):
                continue
            for file in sorted(os.listdir(f"{self.folder}/{name}")):
                if f"{name}/{file}" not in rows:
                    self._medium.remove(f"{self.folder}/{name}/{file}", sync=False)
        return highest
