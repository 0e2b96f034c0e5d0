"""What a start would find, and what is not what was written, seen from another process: nothing is changed here.

``found`` is finding.py without its acts; ``verified`` reads every live file whole. Both work beside a running agent,
whose drafts are its own business, and ``found`` also where the ledger cannot be read: then every file is one that a
start would take into a new one.
"""

from __future__ import annotations

import hashlib
import os

from agent.spool.faults import read_error
from agent.spool.finding import case_of, look, numbered, strange_folders
from agent.spool.names import INSTANCES, QUARANTINE, file_path, folder_path
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.errors import SpoolError

    Read = Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]

CHUNK_BYTES = 1 << 20
PAGE = 256  # rows per read


# What a start makes of each case of finding.py.
SAYS = {
    "name not ours": "a name that is not ours: it goes to quarantine",
    "row before name": "its row came before the name of its file: it gets its name",
    "evicted, file back": "evicted long ago, and a file is back: it is deleted if it is the same",
    "given up, file back": "damaged or lost, and there is a file again: it is taken back if it is whole",
    "clip cut off": "a clip that was cut off: its durable frames become an instance",
    "draft": "a capture or copy that was never finished: it is deleted",
    "record of a clip": "a record of a clip that is complete: it is deleted",
    "evicting": "an eviction that was begun: it is finished",
    "row without file": "its file is gone: it is lost, unless it is in quarantine or comes back",
    "other size": "its size is not what was written: it is damaged and goes to quarantine",
    "file without row": "durable, but not in the ledger: it is adopted and queued",
}
ALARMS = {"name not ours", "row without file", "other size"}


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    case: str
    path: str
    says: str
    alarm: bool


class Wrong(NamedTuple):
    """One file that is not what was written."""

    number: int
    sop_instance_uid: str
    path: str
    reason: str
    unreadable: bool  # nothing is known of it but that


def no_rows(_sql: str, _values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """Answer for a ledger that cannot be read."""
    return []


def found(root: str, read: Read, *, running: bool) -> Iterator[Finding]:
    """Say what a start would find; ``running``: drafts belong to a process that is at work on them."""
    left: list[Finding] = []

    def leave(_number: int | None, error: SpoolError) -> None:
        left.append(Finding("unreadable", "", f"{error}: it is left in place", alarm=True))

    try:
        for path in strange_folders(root):
            yield Finding("name not ours", path, "not a folder of ours: it goes to quarantine", alarm=True)
        known = numbered(root, read)
    except OSError as error:
        text = f"{read_error(error, f'{root}/{INSTANCES}')}: nothing can be said"
        yield Finding("unreadable", f"{root}/{INSTANCES}", text, alarm=True)
        return
    for folder, listed in known.items():
        try:
            things = look(root, read, folder, leave, listed=listed)
        except OSError as error:
            path = folder_path(root, folder)
            yield Finding("unreadable", path, f"{read_error(error, path)}: nothing in it was looked at", alarm=True)
            continue
        cut = {thing.number for thing in things if thing.part and thing.clip}
        for thing in things:
            case = case_of(thing)
            if case is not None and case.name == "record of a clip" and thing.number in cut:
                continue  # it is that of the clip that was cut off, and told with it
            if case is not None and not (running and _its_own(thing.part, case.name, thing.number, read)):
                yield Finding(case.name, thing.path, SAYS[case.name], case.name in ALARMS)
    yield from left


def _its_own(part: bool, case: str, number: int | None, read: Read) -> bool:  # noqa: FBT001 - a fact of a name
    """Whether a running agent is at it: what it writes, evicts, or has sealed since we looked."""
    if part or case in {"record of a clip", "evicting"}:
        return True
    rows = read("SELECT life FROM instance WHERE id = ?", (number,)) if case in _MOVING else []
    return bool(rows) and (rows[0][0] != Life.LIVE or case == "file without row")


_MOVING = {"file without row", "row without file"}


def aside(root: str) -> list[str]:
    """List what is in quarantine."""
    try:
        return sorted(os.listdir(f"{root}/{QUARANTINE}"))
    except OSError:
        return []


def verified(root: str, read: Read, progress: Callable[[int, int], None]) -> tuple[int, int, list[Wrong]]:
    """Read every live file and compare digests; returns how many files and bytes, and what is wrong.

    ``progress(bytes so far, bytes in all)``.
    """
    total = int(read("SELECT coalesce(sum(size), 0) FROM instance WHERE life = ?", (int(Life.LIVE),))[0][0])
    files = done = after = 0
    wrong = []
    what = "id, size, data_set_offset, file_sha256, data_set_sha256, sop_instance_uid"
    sql = f"SELECT {what} FROM instance WHERE life = ? AND id > ? ORDER BY id LIMIT ?"  # noqa: S608 - our constant
    while rows := read(sql, (int(Life.LIVE), after, PAGE)):
        for number, size, offset, digest, data_set, uid in rows:
            after = number
            path = file_path(root, number)
            written = _Written(size, offset, bytes(digest), bytes(data_set))
            reason, unreadable = _compare(path, written, lambda more: progress(done + more, total))  # noqa: B023 - called at once
            if reason and read("SELECT life FROM instance WHERE id = ?", (number,))[0][0] == Life.LIVE:
                wrong.append(Wrong(number, uid, path, reason, unreadable))
            files, done = files + 1, done + size
    return files, done, wrong


class _Written(NamedTuple):
    """What the ledger says of a file."""

    size: int
    data_set_offset: int
    file_sha256: bytes
    data_set_sha256: bytes


def _compare(path: str, written: _Written, progress: Callable[[int], None]) -> tuple[str, bool]:
    """What is wrong with a file, or empty, and whether that is only that it cannot be read."""
    hashed, data_set = hashlib.sha256(), hashlib.sha256()
    count = 0
    try:
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what the medium has, not what memory has
            while piece := file.read(CHUNK_BYTES):
                hashed.update(piece)
                data_set.update(memoryview(piece)[max(written.data_set_offset - count, 0) :])
                count += len(piece)
                progress(min(count, written.size))
    except FileNotFoundError:
        return "its file is gone", False
    except OSError as error:
        return str(read_error(error, path)), True
    if count != written.size:
        return f"{count} bytes, {written.size} were written", False
    if hashed.digest() != written.file_sha256:
        return "its digest is not what was written", False
    if data_set.digest() != written.data_set_sha256:
        return "its Data Set is not what was sealed, or does not begin where the ledger says", False
    return "", False
