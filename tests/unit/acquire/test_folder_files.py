"""When a file of a drop folder is due, told of, and set aside: by a clock that the test turns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.acquire.folder_seen import AGAIN_S, TELL_S, Files

NOW = 1000.0


def status(path: Path, data: bytes = b"x", mtime: float = 5.0) -> os.stat_result:
    path.write_bytes(data)
    os.utime(path, (mtime, mtime))
    return path.stat()


def test_a_file_is_due_once_it_was_still_for_long_enough(tmp_path: Path) -> None:
    files = Files(settle_s=2, reject_s=60)
    first = status(tmp_path / "a")
    files.look({"a": first}, NOW)
    assert files.due(set(), NOW + 1.9) == []
    assert files.due(set(), NOW + 2) == ["a"]
    assert files.next_at(set(), NOW + 100) == NOW + 2
    files.look({"a": status(tmp_path / "a", b"more")}, NOW + 1.9)
    assert files.due(set(), NOW + 3.8) == []
    assert files.due(set(), NOW + 3.9) == ["a"]
    assert files.due({"a"}, NOW + 3.9) == []  # somebody writes to it, says the kernel


def test_times_that_are_set_back_do_not_make_it_still(tmp_path: Path) -> None:
    files = Files(settle_s=2, reject_s=60)
    files.look({"a": status(tmp_path / "a", mtime=5)}, NOW)
    files.look({"a": status(tmp_path / "a", mtime=5)}, NOW + 1)  # written anew, its time set back: ctime tells
    assert files.due(set(), NOW + 2) == []
    assert files.due(set(), NOW + 3) == ["a"]


def test_files_are_taken_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    files = Files(settle_s=0, reject_s=60)
    times = {"b": 3.0, "c": 1.0, "a": 3.0}
    files.look({name: status(tmp_path / name, mtime=time) for name, time in times.items()}, NOW)
    assert files.due(set(), NOW) == ["c", "a", "b"]


def test_one_that_cannot_be_taken_is_tried_ever_later_told_once_and_set_aside(tmp_path: Path) -> None:
    files = Files(settle_s=1, reject_s=60)
    files.look({"a": status(tmp_path / "a")}, NOW)
    one = files.seen["a"]
    one.fail("cut short", NOW + 1)
    assert files.due(set(), NOW + AGAIN_S) == []
    assert files.due(set(), NOW + 1 + AGAIN_S) == ["a"]
    one.fail("cut short", NOW + 10)
    assert files.due(set(), NOW + 10 + AGAIN_S) == []
    assert [*files.to_tell(NOW + TELL_S - 0.1)] == []
    assert [name for name, _ in files.to_tell(NOW + TELL_S)] == ["a"]
    one.told = one.reason
    assert [*files.to_tell(NOW + TELL_S + 1)] == []
    assert files.hopeless(NOW + 59) == []
    assert files.hopeless(NOW + 60) == ["a"]
    files.look({"a": status(tmp_path / "a", b"more")}, NOW + 59)
    assert files.hopeless(NOW + 60) == []
    assert not files.seen["a"].reason


def test_with_no_limit_nothing_is_set_aside_nor_is_a_folder_ever(tmp_path: Path) -> None:
    for files in (Files(settle_s=0, reject_s=0), Files(settle_s=0, reject_s=1)):
        (tmp_path / "sub").mkdir(exist_ok=True)
        files.look({"sub": (tmp_path / "sub").stat()}, NOW)
        files.seen["sub"].fail("is a folder", NOW)
        assert files.hopeless(NOW + 1e9) == []
        assert [name for name, _ in files.to_tell(NOW + TELL_S)] == ["sub"]


def test_one_that_stays_open_is_told_and_set_aside_at_last(tmp_path: Path) -> None:
    files = Files(settle_s=2, reject_s=60)
    files.look({"a": status(tmp_path / "a")}, NOW)
    for later in (1, TELL_S, 60):
        files.note_written({"a", "unknown"}, NOW + later)
        assert files.due({"a"}, NOW + later) == []
        assert bool([*files.to_tell(NOW + later)]) == (later >= TELL_S)
        assert files.hopeless(NOW + later) == ["a"] * (later >= 60)


def test_what_is_done_is_due_no_more_until_it_is_another_one(tmp_path: Path) -> None:
    files = Files(settle_s=0, reject_s=60)
    files.look({"a": status(tmp_path / "a")}, NOW)
    files.seen["a"].done = True
    assert files.due(set(), NOW) == []
    files.look({"a": status(tmp_path / "a", b"another")}, NOW + 1)
    assert files.due(set(), NOW + 1) == ["a"]
    assert [name for name, _ in files.look({}, NOW + 2)] == ["a"]


@pytest.mark.parametrize("reject_s", [0, 60])
def test_next_look_is_no_later_than_asked(reject_s: float) -> None:
    assert Files(settle_s=1, reject_s=reject_s).next_at(set(), NOW) == NOW
