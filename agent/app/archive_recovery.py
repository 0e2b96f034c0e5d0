"""What the bench archive finds in its folder when it starts: whose folder it is, and what a crash left in it.

A folder is the archive's when it is empty or holds its index; in any other folder nothing is made, changed or removed.
Of names only ``XXXXXX/XXXXXXXX.part`` (hexadecimal, upper case) are ever removed: nobody was told that those arrived.
A whole file ``XXXXXX/XXXXXXXX`` without a row was published just before a crash. It is read to its end: complete and
under a SOP Instance UID that is not in the index, it is adopted; else it is moved to ``set-aside``. Both are said.
Names of any other form are somebody else's and left alone.

Raises ``FileError`` for a folder that cannot be the archive's, ``SpoolError`` when the medium fails.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat

from agent.errors import DataSetError, FileError
from agent.media.part10 import PREFIX_LIMIT_BYTES, FileMeta, decode_prefix
from agent.spool.faults import media_error
from agent.spool.walk import walk
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX: Final = "index.db"
LOCK: Final = "archive.lock"
ASIDE: Final = "set-aside"
PART: Final = ".part"
READ_BYTES: Final = 1 << 20
_DIGITS: Final = frozenset("0123456789ABCDEF")
_OURS: Final = frozenset({LOCK, INDEX, f"{INDEX}-wal", f"{INDEX}-shm", f"{INDEX}-journal"})
_COLUMNS: Final = frozenset({"sop_instance_uid", "data_set_sha256", "calling_ae"})  # of our table "instance"
_ELSEWHERE: Final = "Choose an empty folder, or one that an archive has made, with --directory."


class Leftover(NamedTuple):
    """A file of ours by its name; ``name`` is below the folder of the archive, ``part``: it never became whole."""

    number: int
    name: str
    part: bool


class Orphan(NamedTuple):
    """A whole file that nobody has indexed."""

    meta: FileMeta
    data_set_offset: int
    size: int
    data_set_sha256: str
    modified_at: float  # seconds since 1970 UTC


def claim(folder: str) -> None:
    """Make ``folder``, or see that it is an archive's; ``FileError`` otherwise. Changes nothing in one that exists."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        names = set(os.listdir(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise FileError(f"{folder} is not writable", hint="Choose another folder with --directory.")
    except FileExistsError:
        raise FileError(f"{folder} is not a folder", hint=_ELSEWHERE) from None
    except OSError as error:
        where = error.filename or folder
        raise FileError(f"{where}: {error.strerror}", hint="Choose another folder with --directory.") from None
    tables = _tables(f"{folder}/{INDEX}")
    if tables is None or (tables and "instance" not in tables) or (not tables and not names <= _OURS):
        raise FileError(f"{folder} is not empty and holds no index of an archive", hint=_ELSEWHERE)


def _tables(path: str) -> set[str] | None:
    """Names of the tables of an index, none for one that is not there or new; None when it is something else."""
    if not os.path.lexists(path):
        return set()
    if not os.path.isfile(path) or os.path.islink(path):
        return None
    try:
        db = sqlite3.connect(path)
        try:
            names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            columns = {row[1] for row in db.execute("PRAGMA table_info(instance)")}
        finally:
            db.close()
    except sqlite3.Error:
        return None
    return names if not columns or columns >= _COLUMNS else None


def leftovers(folder: str) -> Iterator[Leftover]:
    """Yield every file of ours, indexed or not, in order of number; links and foreign names are passed over."""
    try:
        for above in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not above.is_dir(follow_symlinks=False) or not (_is_number(above.name, 6) or above.name == ASIDE):
                continue
            for entry in sorted(os.scandir(above.path), key=lambda entry: entry.name):
                stem = entry.name.removesuffix(PART)
                if _is_number(stem, 8) and entry.is_file(follow_symlinks=False):
                    yield Leftover(int(stem, 16), f"{above.name}/{entry.name}", entry.name != stem)
    except OSError as error:
        raise media_error(error, "list", error.filename or folder) from error


def _is_number(name: str, digits: int) -> bool:
    return len(name) == digits and _DIGITS.issuperset(name)


def examine(path: str) -> Orphan:
    """Read a whole file; ``DataSetError`` when it is no complete DICOM file, ``OSError`` when it cannot be read."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise DataSetError("no regular file")
        meta, offset = decode_prefix(os.pread(fd, PREFIX_LIMIT_BYTES, 0))
        walk(lambda length, at: os.pread(fd, length, at), found.st_size, offset, meta.transfer_syntax_uid)
        digest, at = hashlib.sha256(), offset
        while data := os.pread(fd, READ_BYTES, at):
            digest.update(data)
            at += len(data)
        return Orphan(meta, offset, at, digest.hexdigest(), found.st_mtime)
    finally:
        os.close(fd)
