"""Where the bench archive keeps what it receives: files under its own numbers and an index by SOP Instance UID.

The order of the spool holds here too: bytes synced, renamed in place, folder synced, index row committed, and only then
does anybody say 0000H. What several associations bring at the same time goes that way together, with three syncs for up
to 64 instances (``agent/spool/circle.py``); who comes alone waits for nobody. File names are numbers of ours (P9). One
UID has one content (P5): the same Data Set again is done, another one is refused and changes nothing. Commitment is
answered from the index *and* the file: every byte of the file is read again and its digest compared, so a file that was
lost or damaged is not vouched for.

An instance is kept only when its Data Set is complete, that is when its headers lead to its very end (a sender with a
truncated file must not be told 0000H). One archive per folder: ``archive.lock`` is held while it is open. What belongs
to the archive when it starts is decided in ``archive_recovery``.

Raises ``MediaError``, ``SpoolFull`` or ``SpoolBusy``; ``FileError`` for a folder that is not the archive's.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
import time

from agent.app.archive_recovery import ASIDE, INDEX, LOCK, PART, READ_BYTES, Leftover, claim, examine, leftovers
from agent.errors import DataSetError, EncodeError, MediaError, SpoolBusy
from agent.media.part10 import FileMeta, encode_prefix
from agent.spool import mount
from agent.spool.circle import Circle
from agent.spool.durable import Medium
from agent.spool.lock import take
from agent.spool.schema import make_private
from agent.spool.together import LARGE_BYTES, Together, Written, finish, tried
from agent.spool.walk import walk
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.spool.durable import File
    from agent.spool.ops import Ops

FILES_PER_FOLDER = 256  # folders stay short enough to list on a console

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
_INSERT = f"INSERT INTO instance (number, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names


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


class Incoming(Written):
    """One instance while it arrives; ``write`` its Data Set, then ``ArchiveStore.keep`` or ``drop`` it."""

    __slots__ = ("calling_ae", "digest", "kept", "meta", "number", "offset")

    def __init__(self, number: int, file: File, meta: FileMeta) -> None:
        super().__init__(file)
        self.calling_ae = ""
        self.kept = False
        self.number = number
        self.meta = meta
        self.digest = hashlib.sha256()
        self.offset = file.write_at(0, encode_prefix(meta))

    def settle(self, *, kept: bool) -> None:
        """End with an answer."""
        self.kept, self.done = kept, True

    def write(self, data: bytes | memoryview | bytearray) -> None:
        """Append a piece of the Data Set."""
        self.file.write_at(self.file.size, data)
        self.digest.update(data)

    def check(self) -> None:
        """Raise ``DecodeError`` unless the Data Set is complete, ``EncodeError`` where it is another instance."""
        origin = walk(self._pread, self.file.size, self.offset, self.meta.transfer_syntax_uid)
        if wrong := origin.contradiction(self.meta.sop_class_uid, self.meta.sop_instance_uid):
            raise EncodeError(wrong)

    def _pread(self, length: int, offset: int) -> bytes:
        buffer = bytearray(length)
        return bytes(buffer[: self.file.read_into(offset, memoryview(buffer))])


def _nobody(_text: str) -> None:
    """Say nothing."""


class ArchiveStore:
    """The folder of an archive; thread safe. One process at a time."""

    __slots__ = ("_circle", "_db", "_held", "_lock", "_medium", "_next", "_say", "_together", "folder")

    def __init__(self, folder: str, say: Callable[[str], None] = _nobody, ops: Ops | None = None) -> None:
        """Open or make ``folder`` and put in order what a crash left there; ``say`` tells what was found."""
        self.folder = os.path.abspath(folder)
        self._say = say
        claim(self.folder)
        try:
            self._held = take(f"{self.folder}/{LOCK}")
        except SpoolBusy:
            hint = "Stop the other archive, or choose another folder with --directory."
            raise SpoolBusy(f"another archive is running in {self.folder}", hint=hint) from None
        self._lock = threading.Lock()
        self._medium = Medium(self.folder, ops)
        self._circle: Circle[Incoming] = Circle()
        self._together = Together(self._medium, time.monotonic)
        try:
            if mount.syncs_whole(mount.of(self.folder)):
                self._medium.watch()
            self._db = self._open_index()
            try:
                self._next = self._recover() + 1
            except BaseException:
                self._db.close()
                raise
        except BaseException:
            self._medium.close()
            os.close(self._held)
            raise

    def _open_index(self) -> sqlite3.Connection:
        path = f"{self.folder}/{INDEX}"
        try:
            make_private(path)
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _TABLE):
                    db.execute(statement)
            except sqlite3.Error:
                db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise MediaError(f"the archive cannot use {path}: {error}") from error
        return db

    def begin(self, meta: FileMeta) -> Incoming:
        """Make room for an instance that is about to arrive."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            path = self._path(number)
            if not os.path.isdir(os.path.dirname(path)):
                self._medium.make_folder(os.path.dirname(path))
        return Incoming(number, self._medium.create(f"{path}{PART}"), meta)

    def drop(self, incoming: Incoming) -> None:
        """Forget an instance that did not arrive whole."""
        incoming.file.close()
        self._medium.remove(incoming.file.path, sync=False)

    def keep(self, incoming: Incoming, calling_ae: str) -> bool:
        """Make it durable and index it; False, with nothing changed, if its UID is known with other content.

        Raises ``DecodeError`` for a Data Set that is not complete, ``EncodeError`` for one that is another instance
        than it is called; the caller then drops it.
        """
        ((kept, error),) = self.keep_all([incoming], calling_ae)
        if error is not None:
            raise error
        return kept

    def keep_all(self, arrived: Sequence[Incoming], calling_ae: str) -> list[tuple[bool, Exception | None]]:
        """Do ``keep`` for several at once; returns for each what it would have returned, or raised."""
        ready = []
        for incoming in arrived:
            incoming.calling_ae = calling_ae
            if tried(incoming, _prepare):
                ready.append(incoming)
        self._circle.join(ready, self._keep_group)
        for incoming in arrived:
            if incoming.error is not None:
                incoming.file.close()
        return [(incoming.kept, incoming.error) for incoming in arrived]

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
        """Close the index and let go of the folder; idempotent."""
        with self._lock:
            self._db.close()
            self._medium.close()
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    # --- inside --------------------------------------------------------------------------------

    def _path(self, number: int) -> str:
        return f"{self.folder}/{number // FILES_PER_FOLDER:06X}/{number:08X}"

    def _keep_group(self, group: list[Incoming]) -> None:
        """Make a group durable and index it; whoever leads is the only one who decides about a UID."""
        first: dict[str, Incoming] = {}
        again = [one for one in group if first.setdefault(one.meta.sop_instance_uid, one) is not one]
        new = [one for one in first.values() if tried(one, self._is_new)]
        if len(new) == 1:
            tried(new[0], self._enter_alone)
        elif new:
            self._enter_all(new)
        for one in again:  # the one before it may have failed
            if tried(one, self._is_new):
                tried(one, self._enter_alone)

    def _is_new(self, incoming: Incoming) -> bool:
        known = self.find(incoming.meta.sop_instance_uid)
        if known is None:
            return True
        same = known.data_set_sha256 == incoming.digest.hexdigest()
        if same and not self.intact(known):
            self._forget(known)
            return True
        self.drop(incoming)
        incoming.settle(kept=same)
        return False

    def _forget(self, stored: Stored) -> None:
        """Have no row of an instance whose own file is gone or damaged; what is left of that is set aside first."""
        if os.path.lexists(stored.path):
            self._set_aside(stored.path)  # a start would adopt a file without a row, and believe it
        try:
            with self._lock:
                self._db.execute("DELETE FROM instance WHERE sop_instance_uid = ?", (stored.sop_instance_uid,))
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be written: {error}") from error
        name = os.path.relpath(stored.path, self.folder)
        self._say(f"{name} was gone or damaged; {stored.sop_instance_uid} has come again and is kept anew")

    def _set_aside(self, path: str) -> None:
        self._medium.make_folder(f"{self.folder}/{ASIDE}")
        self._medium.set_aside(path, f"{self.folder}/{ASIDE}/{os.path.basename(path)}")

    def _enter_alone(self, incoming: Incoming) -> None:
        finish(incoming)
        self._medium.publish(incoming.file.path, self._path(incoming.number))
        if not self._insert(incoming.number, self._row(incoming)):
            raise MediaError(f"the index of the archive has number {incoming.number:08X} already")
        incoming.settle(kept=True)

    def _enter_all(self, members: list[Incoming]) -> None:
        self._together.harden(members)
        named = [one for one in members if not one.done and tried(one, self._name)]
        durable = self._together.sync_names(named)
        if durable:
            self._insert_all(durable)

    def _name(self, incoming: Incoming) -> None:
        self._medium.name(incoming.file.path, self._path(incoming.number))

    def _row(self, incoming: Incoming) -> Stored:
        meta, size = incoming.meta, incoming.file.size
        name = (meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid, self._path(incoming.number))
        return Stored(*name, incoming.offset, size, incoming.digest.hexdigest(), time.time(), incoming.calling_ae)

    def _insert_all(self, members: list[Incoming]) -> None:
        """Write the rows of all in one transaction, or of none: their files wait for the next start then."""
        rows = [self._values(one.number, self._row(one)) for one in members]
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self._db.executemany(_INSERT, rows)
                    self._db.execute("COMMIT")
                finally:
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            for one in members:
                one.fail(MediaError(f"the index of the archive cannot be written: {error}"))
            return
        for one in members:
            one.settle(kept=True)

    def _values(self, number: int, stored: Stored) -> tuple[object, ...]:
        return (number, *stored._replace(path=os.path.relpath(stored.path, self.folder)))

    def _insert(self, number: int, stored: Stored) -> bool:
        """Write one row; False when its UID or number has one already."""
        try:
            with self._lock:
                self._db.execute(_INSERT, self._values(number, stored))
        except sqlite3.IntegrityError:
            return False
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be written: {error}") from error
        return True

    def _ask(self, where: str, values: tuple[object, ...]) -> list[Stored]:
        try:
            with self._lock:
                rows = self._db.execute(f"SELECT {_COLUMNS} FROM instance {where}", values).fetchall()  # noqa: S608 - our own words
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be read: {error}") from error
        return [Stored(*row)._replace(path=f"{self.folder}/{row[3]}") for row in rows]

    # --- after a crash -------------------------------------------------------------------------

    def _recover(self) -> int:
        """Put in order every file of ours that has no row; returns the highest number in use."""
        try:
            highest = int(self._db.execute("SELECT coalesce(max(number), 0) FROM instance").fetchone()[0])
            indexed = {row[0] for row in self._db.execute("SELECT path FROM instance")}
        except sqlite3.Error as error:
            raise MediaError(f"the index of the archive cannot be read: {error}") from error
        for file in list(leftovers(self.folder)):
            highest = max(highest, file.number)
            if file.name in indexed or file.name.startswith(ASIDE):
                continue
            if file.part:
                self._medium.remove(f"{self.folder}/{file.name}", sync=False)
            else:
                self._adopt(file)
        return highest

    def _adopt(self, file: Leftover) -> None:
        path = f"{self.folder}/{file.name}"
        try:
            found = examine(path)
            meta, known = found.meta, self.find(found.meta.sop_instance_uid)
            reason = "its SOP Instance UID is indexed already" if known is not None else ""
        except DataSetError as error:
            reason = str(error)
        except OSError as error:
            self._say(f"{file.name} is not in the index and cannot be read: {error.strerror}; it was left there")
            return
        if not reason:
            name = (meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid)
            size, digest = found.size, found.data_set_sha256
            ae_title = meta.source_ae_title
            stored = Stored(*name, path, found.data_set_offset, size, digest, found.modified_at, ae_title)
            if self._insert(file.number, stored):
                self._say(f"{file.name} was not in the index and was taken in: {meta.sop_instance_uid}")
                return
            reason = "its number is indexed already"
        self._set_aside(path)
        self._say(f"{file.name} was not in the index and was moved to {ASIDE}: {reason}")


def _prepare(incoming: Incoming) -> None:
    """Do what its own thread can do for it."""
    incoming.check()
    if incoming.file.size >= LARGE_BYTES:
        finish(incoming)
