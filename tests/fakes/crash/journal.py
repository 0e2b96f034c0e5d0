"""What the shim wrote down of one life, and a disk that such changes are applied to.

A record of the log is one change below a folder: C create, M mkdir, R rename, L link, U unlink or rmdir, W write, T
truncate, A allocate, S sync, P a promise that was made in between. ``changes`` of a log and ``start`` must give the
folder as the life left it (``Disk.differs``): otherwise there is a call that the shim does not know, and nothing that
is made of the log means anything.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

HEAD: Final = struct.Struct("<cQqII")
DATA, NAMES = "WTA", "CMRLU"
FSYNC, FDATASYNC, SYNCFS = 0, 1, 2  # ``offset`` of a sync


class Change(NamedTuple):
    """One record."""

    kind: str
    file: int  # our own number of the inode
    offset: int
    path: str
    data: bytes  # of a write; the new path of a rename

    @property
    def target(self) -> str:
        """Where a rename goes to."""
        return self.data.decode()


class Log(NamedTuple):
    """One life."""

    root: str
    names: dict[str, int]  # path -> file at the beginning
    folders: frozenset[str]
    contents: dict[int, bytes]
    changes: list[Change]


def inodes(root: str) -> dict[str, int]:
    """Path -> inode of everything below ``root``, and of ``root``."""
    found = {}
    for base, folders, names in os.walk(root):
        for name in [*folders, *names, "."]:
            path = os.path.normpath(os.path.join(base, name))
            found[path] = os.stat(path).st_ino
    return found


def read(folder: Path) -> Log:
    """Read ``log``, ``inodes`` and ``start``, the copy of the folder as it was."""
    with open(folder / "inodes", encoding="utf-8") as text:
        before = json.load(text)
    root, known = str(before["root"]), dict(before["inodes"])
    number_of = {inode: number for number, inode in enumerate(dict.fromkeys(known.values()), 1)}
    names = {path: number_of[inode] for path, inode in known.items() if not _means_nothing(path)}
    folders, contents = set(), {}
    for path, number in names.items():
        source = folder / "start" / os.path.relpath(path, os.path.dirname(root))
        if source.is_dir():
            folders.add(path)
        elif source.is_file():
            contents[number] = source.read_bytes()
    changes, fresh, at = [], len(number_of), 0
    data = (folder / "log").read_bytes()
    while at < len(data):
        kind, inode, offset, a_size, b_size = HEAD.unpack_from(data, at)
        at += HEAD.size
        a, b = data[at : at + a_size], data[at + a_size : at + a_size + b_size]
        at += a_size + b_size
        if kind in b"CM":  # the file system may give out the number of a removed inode again
            fresh += 1
            number_of[inode] = fresh
        changes.append(Change(kind.decode(), number_of.get(inode, 0), offset, a.decode(), b))
    return Log(root, names, frozenset(folders), contents, changes)


class Disk:
    """Names, folders and bytes; contents are shared between copies, which makes copies cheap."""

    __slots__ = ("files", "folders", "names", "root")

    def __init__(self, log: Log) -> None:
        self.root = log.root
        self.names = dict(log.names)
        self.folders = set(log.folders)
        self.files = dict(log.contents)

    def copy(self) -> Disk:
        """Another one with the same on it."""
        other = Disk.__new__(Disk)
        other.root, other.names = self.root, dict(self.names)
        other.folders, other.files = set(self.folders), dict(self.files)
        return other

    def apply(self, change: Change, part: tuple[int, int] | None = None) -> None:
        """Make one change; of a write only the bytes from ``part[0]`` to ``part[1]``."""
        kind, number = change.kind, change.file
        if kind in DATA:
            old = self.files.get(number, b"")
            if kind == "W":
                first, last = part or (0, len(change.data))
                begin = change.offset + first
                old = old.ljust(begin, b"\0")
                self.files[number] = old[:begin] + change.data[first:last] + old[change.offset + last :]
            elif kind == "T":
                self.files[number] = old[: change.offset].ljust(change.offset, b"\0")
            else:
                self.files[number] = old.ljust(change.offset, b"\0")
        elif kind == "R":
            self._rename(change.path, change.target, number)
        elif kind == "U":
            self.names.pop(change.path, None)
            self.folders.discard(change.path)
        else:
            self.names[change.path] = number
            if kind == "M":
                self.folders.add(change.path)
            else:
                self.files.setdefault(number, b"")

    def _rename(self, source: str, target: str, number: int) -> None:
        self.names.pop(source, None)
        self.names[target] = number
        if source in self.folders:
            for path in [path for path in self.folders if path == source or path.startswith(source + "/")]:
                self.folders.remove(path)
                self.folders.add(target + path[len(source) :])
            for path in [path for path in self.names if path.startswith(source + "/")]:
                self.names[target + path[len(source) :]] = self.names.pop(path)

    def visible(self) -> dict[str, bytes | None]:
        """What a directory listing shows, below the root: files with their bytes, folders with None."""
        good = {self.root}
        found: dict[str, bytes | None] = {}
        for path in sorted(self.folders):
            if os.path.dirname(path) in good:
                good.add(path)
                found[path[len(self.root) :]] = None
        for path, number in self.names.items():
            if path not in self.folders and os.path.dirname(path) in good:
                found[path[len(self.root) :]] = self.files.get(number, b"")
        return found

    def write(self, target: str) -> None:
        """Make it a folder."""
        os.makedirs(target, exist_ok=True)
        for path, data in self.visible().items():
            if data is None:
                os.mkdir(target + path, 0o700)
            else:
                with open(target + path, "wb", buffering=0) as file:
                    file.write(data)

    def differs(self, folder: str) -> list[str]:
        """In what it is not the folder."""
        there: dict[str, bytes | None] = {}
        for base, folders, names in os.walk(folder):
            there.update((os.path.join(base, name)[len(folder) :], None) for name in folders)
            for name in names:
                path = os.path.join(base, name)
                if os.path.isfile(path) and not _means_nothing(path):
                    with open(path, "rb") as file:
                        there[path[len(folder) :]] = file.read()
        mine = self.visible()
        return sorted(path for path in {**there, **mine} if there.get(path, b"") != mine.get(path, b""))


class Digests:
    """Digests of disks; what two have in common is hashed once."""

    LIMIT = 20_000

    def __init__(self) -> None:
        self._known: dict[bytes, bytes] = {}

    def of(self, disk: Disk) -> bytes:
        """Two disks that look the same have the same."""
        whole = hashlib.blake2b(digest_size=16)
        for path, data in sorted(disk.visible().items()):
            whole.update(path.encode() + b"\0" + (b"/" if data is None else self._content(data)))
        return whole.digest()

    def _content(self, data: bytes) -> bytes:
        known = self._known.get(data)
        if known is None:
            if len(self._known) > self.LIMIT:
                self._known.clear()
            known = self._known[data] = hashlib.blake2b(data, digest_size=16).digest()
        return known


def _means_nothing(path: str) -> bool:
    return path.endswith("-shm")  # SQLite makes it anew
