"""The spool as a File-set: its DICOMDIR is what the ledger says, and survives what happens to it."""

from __future__ import annotations

import os
import sqlite3
from itertools import count
from pathlib import Path

import pytest
from fakes import filesets
from fakes.spool_world import NO_WAIT, PACS, capture, part10

from agent.errors import MediaError, SpoolFull
from agent.media.dicomdir_reader import open_directory
from agent.spool import file_set
from agent.spool.durable import Medium
from agent.spool.file_set import Pace, refresh, rest_s
from agent.spool.ops import Ops
from agent.spool.record_index import RecordIndex
from agent.spool.room import Free
from agent.spool.store import Spool, prepare


@pytest.fixture
def spool(tmp_path):
    prepare(str(tmp_path / "spool"))
    with Spool.open(str(tmp_path / "spool"), destinations=[PACS], policy=NO_WAIT) as opened:
        yield opened


UIDS = count(1)


def bring(spool, pace=file_set.ALL_AT_ONCE, medium=None):
    return refresh(medium or spool.medium, spool.reader.live_numbers, "BOX", lambda: f"2.25.{next(UIDS)}", pace)


def listed(root, name="DICOMDIR") -> list[str]:
    return filesets.listed(Path(root) / name)


def set_uid(root) -> str:
    with open(f"{root}/DICOMDIR", "rb") as file:
        data = file.read()
    return open_directory(lambda length, at: data[at : at + length], len(data)).meta.sop_instance_uid


def test_instances_are_listed_and_no_file_is_read_twice(spool, monkeypatch):
    for number in (1, 2, 3):
        capture(spool, number)
    done = bring(spool)
    assert (done.added, done.removed, done.listed, done.left, done.notes) == (3, 0, 3, 0, ())
    assert listed(spool.root) == [f"INST\\000000\\0000000{number}" for number in (1, 2, 3)]
    monkeypatch.setattr(file_set, "open_file", lambda *_, **__: pytest.fail("a file was read again"))
    assert bring(spool)._replace(listed=0) == file_set.Outcome()


def test_what_is_evicted_is_not_listed_any_more(spool):
    for number in (1, 2):
        capture(spool, number)
    bring(spool)
    before = set_uid(spool.root)
    spool.ledger.write(lambda db: db.execute("UPDATE instance SET life = 24 WHERE id = 1"))
    capture(spool, 3)
    done = bring(spool)
    assert (done.added, done.removed, done.listed) == (1, 1, 2)
    assert listed(spool.root) == ["INST\\000000\\00000002", "INST\\000000\\00000003"]
    assert listed(spool.root, "DICOMDIR.BAK") == ["INST\\000000\\00000001", "INST\\000000\\00000002"]
    assert set_uid(spool.root) == before


@pytest.mark.parametrize("damage", ["gone", "garbage", "other version"])
def test_the_kept_records_are_only_a_cache(spool, damage):
    capture(spool, 1)
    bring(spool)
    uid, path = set_uid(spool.root), f"{spool.root}/records.db"
    if damage == "gone":
        os.unlink(path)
    elif damage == "garbage":
        with open(path, "wb") as file:
            file.write(b"x" * 5000)
    else:
        with RecordIndex(path) as index:
            index._ask("PRAGMA user_version = 77", ())
    assert bring(spool).added == 1
    assert listed(spool.root) == ["INST\\000000\\00000001"]
    assert set_uid(spool.root) == uid


@pytest.mark.parametrize("how", ["gone", "replaced"])
def test_a_directory_that_is_not_ours_any_more_is_written_again(spool, how):
    capture(spool, 1)
    bring(spool)
    os.unlink(f"{spool.root}/DICOMDIR")
    if how == "replaced":
        with open(f"{spool.root}/DICOMDIR", "wb") as file:
            file.write(b"something else")
    done = bring(spool)
    assert done.written > 0
    assert listed(spool.root) == ["INST\\000000\\00000001"]


class Dies(Ops):
    """Ends the process, as far as the medium can tell, in front of the n-th change."""

    def __init__(self, at):
        self.left = at
        self.calls = []

    def step(self, call, path):
        self.calls.append(call)
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "died")


def test_whenever_it_dies_there_is_a_directory_and_the_next_time_it_is_true(spool):
    capture(spool, 1)
    bring(spool)
    for number in range(2, 30):
        capture(spool, number)
        ops = Dies(number - 2)
        try:
            bring(spool, medium=Medium(spool.root, ops))
            break
        except MediaError:
            shown = listed(spool.root)
            assert len(shown) in {1, number - 1, number}
            bring(spool)
            assert len(listed(spool.root)) == number
    assert number > 9
    assert ops.calls[-7:] == ["fsync", "unlink", "link", "rename", "rename", "fsync", "fsync"]
    assert sorted(name for name in os.listdir(spool.root) if name.endswith("~")) == []


def test_without_links_there_is_one_generation(spool, monkeypatch):
    capture(spool, 1)
    bring(spool)
    capture(spool, 2)

    def refused(*_, **__):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refused)
    bring(spool)
    assert len(listed(spool.root)) == 2
    assert not os.path.exists(f"{spool.root}/DICOMDIR.BAK")


def test_an_image_has_the_room_of_a_directory(spool, monkeypatch):
    capture(spool, 1)
    monkeypatch.setattr(Medium, "free", lambda _: Free(1 << 20, 1 << 30, None))
    with pytest.raises(SpoolFull, match="no room for another DICOMDIR"):
        bring(spool)
    assert not os.path.exists(f"{spool.root}/DICOMDIR")
    monkeypatch.undo()
    assert bring(spool).written > 0


def test_work_without_time_goes_on_the_next_time(spool):
    for number in range(1, 4):
        capture(spool, number)
    done = bring(spool, Pace(within_s=0.0))
    assert (done.added, done.left, done.written) == (0, 3, 0)
    assert bring(spool).listed == 3


def test_an_instance_without_a_record_is_told_once(spool, tmp_path):
    path = tmp_path / "odd.dcm"
    data = part10(1).replace(b"UI\x08\x001.2.3.4\0", b"UI\x08\x00\0\0\0\0\0\0\0\0")
    path.write_bytes(data)
    spool.import_file(str(path))
    done = bring(spool)
    assert done.listed == 0
    assert "INST/000000/00000001: it says no study" in done.notes[0]
    assert bring(spool) == file_set.Outcome()


def test_a_file_that_cannot_be_read_is_tried_again(spool, monkeypatch):
    capture(spool, 1)
    capture(spool, 2)
    honest = file_set._entry

    def entry(root, number):
        if number == 1:
            raise MediaError("read: Input/output error")
        return honest(root, number)

    monkeypatch.setattr(file_set, "_entry", entry)
    done = bring(spool)
    assert (done.added, done.left, done.listed) == (1, 0, 1)
    assert "Input/output error" in done.notes[0]
    assert listed(spool.root) == ["INST\\000000\\00000002"]
    monkeypatch.undo()
    assert bring(spool).listed == 2


def test_a_large_directory_is_written_less_often():
    assert rest_s(0) == rest_s(400_000) == 10.0
    assert rest_s(50 << 20) == 800.0


def test_two_names_of_one_file_are_told_apart(spool):
    """What a process leaves that died when the old directory had its second name and the new one had none yet."""
    capture(spool, 1)
    bring(spool)
    os.link(f"{spool.root}/DICOMDIR", f"{spool.root}/DICOMDIR.BAK")
    capture(spool, 2)
    bring(spool)
    assert (len(listed(spool.root)), len(listed(spool.root, "DICOMDIR.BAK"))) == (2, 1)
    assert [name for name in os.listdir(spool.root) if name.endswith("~")] == []


def test_whatever_fails_is_an_error_of_the_spool_and_nothing_is_lost(spool, monkeypatch):
    """A stop must not end in a traceback because the medium, or the number of its instances, is beyond us."""
    capture(spool, 1)
    bring(spool)
    capture(spool, 2)
    monkeypatch.setattr("agent.media.dicomdir.LAST_OFFSET", 500)
    with pytest.raises(MediaError, match="4 GiB"):
        bring(spool)
    monkeypatch.undo()

    def no_room(*_, **__):
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr("agent.spool.record_index.sqlite3.connect", no_room)
        with pytest.raises(MediaError, match="disk I/O error"):
            bring(spool)
    with monkeypatch.context() as broken:
        broken.setattr(RecordIndex, "_below", no_room)
        with pytest.raises(MediaError, match="disk I/O error"):
            bring(spool)
    assert len(listed(spool.root)) == 1
    bring(spool)
    assert len(listed(spool.root)) == 2


def test_records_that_are_found_damaged_in_the_middle_are_made_anew(spool):
    """A medium that said it had written and had not leaves a database that opens, and breaks when it is asked."""
    for number in range(1, 40):
        capture(spool, number)
    bring(spool)
    uid, path = set_uid(spool.root), f"{spool.root}/records.db"
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        for at in range(4096, size, 4096):
            file.seek(at)
            file.write(b"\xff" * 64)
    capture(spool, 40)
    done = bring(spool)
    assert (done.added, done.listed) == (40, 40)
    assert len(listed(spool.root)) == 40
    assert set_uid(spool.root) == uid
