"""What can be found in a spool that a process left: a table, first match wins. It only looks (recovery.py acts).

Names in the folders are held against the rows of the same numbers. Digests are not recomputed for files whose row and
size agree: ``Spool.examine_number`` and ``spool verify`` do that. ``read`` is the ledger's, of the agent itself or of
another process that only looks (view.py); without a ledger every file is one without a row.
"""

from __future__ import annotations

import os

from agent.spool.faults import read_error
from agent.spool.names import (
    CLIP,
    FOLDER_BITS,
    INSTANCES,
    PART,
    clip_path,
    file_number,
    file_path,
    folder_number,
    folder_path,
    folders,
)
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.errors import SpoolError

    Read = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]


class Found(NamedTuple):
    """One thing recovery looks at: a name in a folder, a row, or both."""

    path: str
    number: int | None  # None: the name is not ours
    part: bool
    size: int | None  # None: no file
    life: Life | None  # None: no row
    row_size: int = 0
    row_digest: bytes = b""
    clip: bool = False  # a record of a clip is beside it, or is it


class Case(NamedTuple):
    """One row: what it is called, and what it looks like."""

    name: str
    matches: Callable[[Found], bool]


_GONE = {False: {Life.EVICTED}, True: {Life.EVICTED, Life.EVICTING}}  # by whether it is a .part

CASES: tuple[Case, ...] = (
    Case("name not ours", lambda f: f.number is None),
    Case("row before name", lambda f: f.part and f.life is Life.LIVE),
    Case("evicted, file back", lambda f: f.life in _GONE[f.part] and f.size is not None),
    Case("given up, file back", lambda f: f.life in {Life.DAMAGED, Life.LOST} and f.size is not None),
    Case("clip cut off", lambda f: f.part and f.clip),
    Case("draft", lambda f: f.part),
    Case("record of a clip", lambda f: f.clip),
    Case("evicting", lambda f: f.life is Life.EVICTING),
    Case("row without file", lambda f: f.life is Life.LIVE and f.size is None),
    Case("other size", lambda f: f.life is Life.LIVE and f.size != f.row_size),
    Case("file without row", lambda f: f.life is None),
)  # everything else is as it should be; checking.py says them in words


def case_of(found: Found) -> Case | None:
    """Return the first row that matches; None where all is well."""
    return next((case for case in CASES if case.matches(found)), None)


def numbered(root: str, read: Read) -> dict[int, bool]:
    """Return the numbers of folders that are there or have rows, and whether they are there; raises ``OSError``."""
    listed = set(folders(root))
    sql = f"SELECT DISTINCT id >> {FOLDER_BITS} FROM instance WHERE life IN (?, ?)"  # noqa: S608 - a number
    rows = {_number(row[0]) for row in read(sql, (int(Life.LIVE), int(Life.EVICTING)))}
    return {folder: folder in listed for folder in sorted(listed | rows)}


def strange_folders(root: str) -> list[str]:
    """Return the paths of what is not a folder of ours among them; raises ``OSError``."""
    entries = sorted(os.scandir(f"{root}/{INSTANCES}"), key=lambda entry: entry.name)
    return [e.path for e in entries if folder_number(e.name) is None or not e.is_dir(follow_symlinks=False)]


def look(
    root: str, read: Read, folder: int, leave: Callable[[int | None, SpoolError], None], *, listed: bool
) -> list[Found]:
    """Join the names in a folder with the rows of its numbers; what cannot be read is left to ``leave``."""
    sql = "SELECT id, life, size, file_sha256 FROM instance WHERE id BETWEEN ? AND ?"
    first = folder << FOLDER_BITS
    entries = list(_entries(folder_path(root, folder))) if listed else []
    # What was evicted is of no interest where no file is: most folders of an old spool are empty.
    sql += "" if entries else f" AND life <> {int(Life.EVICTED)}"
    rows = {_number(row[0]): row for row in read(sql, (first, first + (1 << FOLDER_BITS) - 1))}
    things: list[Found] = []
    seen: set[int] = set()
    names = {entry.name for entry in entries}
    for entry in entries:
        part, clip = entry.name.endswith(PART), entry.name.endswith(CLIP)
        number = file_number(entry.name.removesuffix(PART).removesuffix(CLIP), folder)
        try:
            plain = entry.is_file(follow_symlinks=False)
            size = entry.stat(follow_symlinks=False).st_size if plain else None
        except OSError as error:
            seen.update(() if number is None else (number,))
            leave(number, read_error(error, entry.path))
            continue
        number = number if plain else None
        row = None if number is None or part or clip else rows.get(number)
        if row is not None and row[1:3] == (Life.LIVE, size):  # as nearly all are
            seen.add(_number(row[0]))
            continue
        if number is None or clip:
            things.append(Found(entry.path, number, part, size, None, clip=clip))
        elif part:
            beside = os.path.basename(clip_path(entry.path)) in names
            things.append(_found(entry.path, number, size, rows.get(number))._replace(part=True, clip=beside))
        else:
            seen.add(number)
            things.append(_found(entry.path, number, size, row))
    things.extend(_found(file_path(root, n), n, None, row) for n, row in sorted(rows.items()) if n not in seen)
    return things


def _entries(path: str) -> Iterator[os.DirEntry[str]]:
    """By name, records of clips last: they are needed until everything else is done."""
    return iter(sorted(os.scandir(path), key=lambda entry: (entry.name.endswith(CLIP), entry.name)))


def _found(path: str, number: int, size: int | None, row: tuple[object, ...] | None) -> Found:
    if row is None:
        return Found(path, number, part=False, size=size, life=None)
    _id, life, row_size, digest = row
    assert isinstance(digest, bytes)
    return Found(path, number, False, size, Life(_number(life)), _number(row_size), digest)  # noqa: FBT003 - of a tuple


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
