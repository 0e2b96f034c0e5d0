"""Rebuilds from the shim's log the disks that a power cut may leave, after ALICE (Pillai et al., OSDI 2014).

Two models of what is on the medium when the power goes after the kth change:

*ext4* (data=ordered, barriers on)  names change in the order of the journal, and any fsync commits the journal: a
    prefix of the name changes that reaches at least to the last fsync. Bytes without an fsync of their file are there
    or not, each write by itself; the last one may be torn.
*weak*  a name change is certain only after an fsync of its folder, each by itself.

Everything synced is there; everything else is chosen: nothing, everything, each alone, all but each, and a few at
random. States that look the same are looked at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

HEAD = struct.Struct("<cQqII")
SECTOR = 512


class Change(NamedTuple):
    kind: str  # C create, M mkdir, R rename, U unlink, W write, T truncate, A allocate, S sync, P promise
    file: int  # our own number of the inode
    offset: int
    path: str
    data: bytes  # of a write; the new path of a rename


class Log(NamedTuple):
    root: str
    names: dict[str, int]  # path -> file at the beginning
    folders: set[str]
    contents: dict[int, bytes]
    changes: list[Change]


def read(log: str, start: str, root: str) -> Log:
    """Parse a log; ``start`` is a copy of the folder as it was, ``root`` the path of it in the log."""
    with open(log + ".inodes", encoding="utf-8") as file:
        inodes: dict[str, int] = json.load(file)
    number_of = {inode: number for number, inode in enumerate(inodes.values(), 1)}
    names = {path: number_of[inode] for path, inode in inodes.items()}
    folders, contents = set(), {}
    for path, number in names.items():
        source = start + path.removeprefix(os.path.dirname(root))
        if os.path.isdir(source):
            folders.add(path)
        elif not path.endswith("-shm"):
            with open(source, "rb") as file:
                contents[number] = file.read()
    names = {path: number for path, number in names.items() if not path.endswith("-shm")}
    changes, fresh = [], len(number_of)
    with open(log, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        kind, inode, offset, a_size, b_size = HEAD.unpack_from(data, at)
        at += HEAD.size
        a, b = data[at : at + a_size], data[at + a_size : at + a_size + b_size]
        at += a_size + b_size
        if kind in b"CM":  # the file system may give out the number of a removed inode again
            fresh += 1
            number_of[inode] = fresh
        changes.append(Change(kind.decode(), number_of.get(inode, 0), offset, a.decode(), b))
    return Log(root, names, folders, contents, changes)


def states(
    log: Log, model: str, dice: random.Random, *, random_each: int
) -> Iterator[tuple[int, frozenset[int], frozenset[int]]]:
    """Yield (k, the changes before k that are certain, those that happen to be there too)."""
    for k in range(len(log.changes) + 1):
        certain, open_ = _sort(log, k, model)
        for chosen in _choices(log, open_, model, dice, random_each):
            yield k, certain, chosen


def _sort(log: Log, k: int, model: str) -> tuple[frozenset[int], list[int]]:
    """Split the changes before k into those that are certain and those that are open."""
    folder_of = {number: path for path, number in log.names.items() if path in log.folders}
    folder_of.update({c.file: c.path for c in log.changes if c.kind == "M"})
    last_sync: dict[int, int] = {}
    folder_sync: dict[str, int] = {}
    for at, change in enumerate(log.changes[:k]):
        if change.kind == "S":
            last_sync[change.file] = at
            if change.file in folder_of:
                folder_sync[folder_of[change.file]] = at
    any_sync = max(last_sync.values(), default=-1)
    certain, open_ = set(), []
    for at, change in enumerate(log.changes[:k]):
        if change.kind in "WTA":
            synced = at < last_sync.get(change.file, -1)
        elif change.kind in "CMRU":
            here = folder_sync.get(os.path.dirname(change.data.decode() if change.kind == "R" else change.path), -1)
            synced = at < (any_sync if model == "ext4" else here)
        else:
            continue
        if synced:
            certain.add(at)
        else:
            open_.append(at)
    return frozenset(certain), open_


def _choices(log: Log, open_: list[int], model: str, dice: random.Random, random_each: int) -> Iterator[frozenset[int]]:
    names = [at for at in open_ if log.changes[at].kind in "CMRU"]
    if model == "ext4":  # a prefix of the name changes, any of the rest
        rest = [at for at in open_ if log.changes[at].kind not in "CMRU"]
        for cut in range(len(names) + 1):
            for some in _subsets(rest, dice, random_each):
                yield frozenset(names[:cut]) | some
    else:
        yield from _subsets(open_, dice, random_each)


def _subsets(things: list[int], dice: random.Random, random_each: int) -> Iterator[frozenset[int]]:
    everything = frozenset(things)
    if len(things) <= 3:
        for mask in range(1 << len(things)):
            yield frozenset(thing for bit, thing in enumerate(things) if mask >> bit & 1)
        return
    yield frozenset()
    yield everything
    for thing in things:
        yield everything - {thing}
        yield frozenset({thing})
    for _ in range(random_each):
        yield frozenset(thing for thing in things if dice.random() < 0.5)


class Disk:
    """What is on the medium in one state."""

    def __init__(self, log: Log, present: frozenset[int], torn: int | None = None) -> None:
        self.root = log.root
        self.names = dict(log.names)
        self.folders = set(log.folders)
        self.files = dict(log.contents)
        for at in sorted(present):
            self._apply(log.changes[at], torn=at == torn)

    def _apply(self, change: Change, *, torn: bool) -> None:
        if change.kind == "M":
            self.folders.add(change.path)
        elif change.kind == "C":
            self.names[change.path] = change.file
            self.files.setdefault(change.file, b"")
        elif change.kind == "R":
            self.names.pop(change.path, None)
            self.names[change.data.decode()] = change.file
        elif change.kind == "U":
            self.names.pop(change.path, None)
        else:
            old = self.files.get(change.file, b"")
            if change.kind == "W":
                data = change.data[: len(change.data) // 2 // SECTOR * SECTOR] if torn else change.data
                old = old.ljust(change.offset, b"\0")
                self.files[change.file] = old[: change.offset] + data + old[change.offset + len(data) :]
            elif change.kind == "T":
                self.files[change.file] = old[: change.offset].ljust(change.offset, b"\0")
            else:
                self.files[change.file] = old.ljust(change.offset, b"\0")

    def digest(self, promises: int) -> bytes:
        """What two states have in common when looking at one is enough."""
        whole = hashlib.sha256(str(promises).encode())
        for path in sorted(self.folders):
            whole.update(path.encode() + b"/")
        for path, number in sorted(self.names.items()):
            if path not in self.folders:
                whole.update(path.encode() + b"\0" + hashlib.sha256(self.files.get(number, b"")).digest())
        return whole.digest()

    def write(self, target: str) -> None:
        """Make it a folder again; a file in a folder that is not there is not there either."""
        os.makedirs(target, exist_ok=True)
        for path in sorted(self.folders):
            if path != self.root and os.path.isdir(target + os.path.dirname(path).removeprefix(self.root)):
                os.makedirs(target + path.removeprefix(self.root), exist_ok=True)
        for path, number in self.names.items():
            goal = target + path.removeprefix(self.root)
            if path not in self.folders and os.path.isdir(os.path.dirname(goal)):
                with open(goal, "wb") as file:
                    file.write(self.files.get(number, b""))
