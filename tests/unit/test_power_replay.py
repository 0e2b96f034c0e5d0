"""The rules by which disks are made that a power cut may leave: of files (cuts) and of blocks."""

from __future__ import annotations

import io
import random
import struct
from typing import TYPE_CHECKING

import pytest
from fakes.crash.cuts import Cuts
from fakes.crash.journal import FDATASYNC, FSYNC, SYNCFS, Change, Log
from fakes.uml import blocks, ext4, pull, vfat

if TYPE_CHECKING:
    from pathlib import Path

ROOT, FOLDER = "/r", 1
A, B = 2, 3
NEW_A = [Change("C", A, 0, "/r/a.part", b""), Change("W", A, 0, "", b"A" * 1024)]
TO_A = Change("R", A, 0, "/r/a.part", b"/r/a")


def sync(file: int, reach: int = FSYNC) -> Change:
    return Change("S", file, reach, "", b"")


def left(model: str, *changes: Change) -> set[frozenset[tuple[str, bytes | None]]]:
    """The disks after all changes, as what a listing shows."""
    log = Log(ROOT, {ROOT: FOLDER}, frozenset({ROOT}), {}, list(changes))
    cuts = Cuts(log, model)
    after = len(cuts.log.changes)
    return {
        frozenset(disk.visible().items())
        for cut, disk in cuts.disks(cuts.all(random.Random(1), 0))
        if cut.after == after or (changes[-1].kind == "S" and cut.after == after - 1)
    }


def names(disks: set[frozenset[tuple[str, bytes | None]]]) -> set[frozenset[str]]:
    return {frozenset(name for name, _ in disk) for disk in disks}


@pytest.mark.parametrize("model", ["ext4", "weak"])
def test_what_is_synced_is_there_and_nothing_else_need_be(model: str) -> None:
    whole = left(model, *NEW_A, sync(A), TO_A, sync(FOLDER), Change("P", 0, 0, "said", b""))
    assert whole == {frozenset({("/a", b"A" * 1024)})}
    assert names(left(model, *NEW_A)) == {frozenset(), frozenset({"/a.part"})}


def test_bytes_come_without_each_other_and_torn() -> None:
    found = {dict(disk).get("/a.part") for disk in left("ext4", *NEW_A) | left("ext4", *NEW_A[:1])}
    assert found == {None, b"", b"A" * 512, bytes(512) + b"A" * 512, b"A" * 1024}


def test_a_file_sync_reaches_the_name_on_ext4_alone() -> None:
    """The weak model wants the folder; so a missing folder sync shows there."""
    changes = [*NEW_A, sync(A), Change("P", 0, 0, "said", b"")]
    assert names(left("ext4", *changes)) == {frozenset({"/a.part"})}
    assert frozenset() in names(left("weak", *changes))


def test_a_sync_reaches_no_further_than_the_last_change_of_its_inode() -> None:
    """A name that came later waits for a commit of its own; fdatasync of an old length commits nothing."""
    later = Change("C", B, 0, "/r/b", b"")
    changes = [*NEW_A, sync(A), TO_A, later, sync(A), Change("P", 0, 0, "said", b"")]
    assert names(left("ext4", *changes)) == {frozenset({"/a"}), frozenset({"/a", "/b"})}
    same = Change("W", A, 0, "", b"B" * 512)
    changes = [*NEW_A, sync(A), TO_A, same, sync(A, FDATASYNC), Change("P", 0, 0, "said", b"")]
    assert names(left("ext4", *changes)) == {frozenset({"/a.part"}), frozenset({"/a"})}


@pytest.mark.parametrize("model", ["ext4", "weak"])
def test_syncfs_reaches_everything(model: str) -> None:
    changes = [*NEW_A, TO_A, Change("C", B, 0, "/r/b", b""), sync(B, SYNCFS), Change("P", 0, 0, "said", b"")]
    assert left(model, *changes) == {frozenset({("/a", b"A" * 1024), ("/b", b"")})}


def test_a_rename_between_folders_is_two_changes_on_a_weak_file_system() -> None:
    folders = [Change("M", number, 0, path, b"") for number, path in ((8, "/r/x"), (9, "/r/y"))]
    made = [*folders, Change("C", A, 0, "/r/x/a", b""), sync(8), sync(FOLDER)]
    moved = Change("R", A, 0, "/r/x/a", b"/r/y/a")
    said = Change("P", 0, 0, "said", b"")
    files = {frozenset(disk - {"/x", "/y"}) for disk in names(left("weak", *made, moved, said))}
    assert files == {frozenset({"/x/a"}), frozenset({"/x/a", "/y/a"}), frozenset({"/y/a"}), frozenset()}


# --- blocks --------------------------------------------------------------------------------------


def written(*entries: blocks.Entry) -> io.BytesIO:
    """A log as dm-log-writes lays it out."""
    whole = struct.pack("<QQQI", 0x6A736677736872, 1, len(entries), 512).ljust(512, b"\0")
    for entry in entries:
        mark = entry.data if entry.flags & blocks.MARK else b""
        sectors = 0 if mark else len(entry.data) // 512
        whole += (struct.pack("<QQQQ", entry.sector, sectors, entry.flags, len(mark)) + mark).ljust(512, b"\0")
        whole += b"" if mark else entry.data
    return io.BytesIO(whole)


def block(at: int, letter: bytes, sectors: int = 1, flags: int = 0) -> blocks.Entry:
    return blocks.Entry(at, flags, letter * 512 * sectors)


def seen(*entries: blocks.Entry) -> list[tuple[str, int]]:
    """What the first sectors hold in each state, and how many promises were made before."""
    log = blocks.read(written(*entries))
    states = blocks.states(log, random.Random(1), 0)
    return [
        (blocks.image(bytes(2048), state)[::512].replace(b"\0", b".").decode(), len(state.marks)) for state in states
    ]


def test_a_flush_makes_all_before_it_certain_and_nothing_of_its_own() -> None:
    mark, flush = blocks.Entry(0, blocks.MARK, b"said"), blocks.Entry(0, blocks.FLUSH, b"")
    found = seen(block(0, b"A"), block(1, b"B"), flush, mark, block(2, b"C"))
    assert {text for text, marks in found if marks} == {"AB..", "ABC."}
    assert {text for text, marks in found if not marks} == {"....", "A...", ".B..", "AB.."}
    found = seen(block(0, b"A"), block(1, b"B", flags=blocks.FLUSH), mark)
    assert {text for text, marks in found if marks} == {"A...", "AB.."}
    found = seen(block(0, b"A"), block(1, b"B", flags=blocks.FLUSH | blocks.FUA), mark)
    assert {text for text, marks in found if marks} == {"AB.."}


def test_a_block_is_torn_between_sectors_and_states_are_made_once() -> None:
    found = seen(block(0, b"A", 2), block(0, b"A", 2))
    assert sorted(found) == sorted({("....", 0), ("A...", 0), ("AA..", 0)})


def test_a_sample_has_something_of_every_moment(tmp_path: Path) -> None:
    log = blocks.read(written(*(block(number % 4, b"%c" % (65 + number)) for number in range(12))))
    some = list(blocks.sampled(log, 1, 0, 12))
    assert len(some) == 12
    assert len({state.after for state in some}) >= 11
    path = tmp_path / "medium"
    blocks.store(str(path), blocks.image(bytes(1 << 20), some[-1]))
    assert path.read_bytes()[:2048] == blocks.image(bytes(2048), some[-1])
    assert path.stat().st_size == 1 << 20


def test_what_runs_in_another_kernel_can_be_found() -> None:
    """Nobody sees there that a name has gone until somebody has the time for it."""
    assert all(map(callable, (ext4.record, ext4.judge_inside, vfat.replay, pull.pulls)))
