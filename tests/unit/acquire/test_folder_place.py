"""How a file leaves a drop folder: never another one that has its name by now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.acquire import folder_place
from agent.acquire.folder_file import Stamp, stamp_of
from agent.acquire.folder_place import Place
from agent.errors import DeviceError


def stamp(path: Path) -> Stamp:
    return stamp_of(os.lstat(path))


def put(path: Path, data: bytes = b"x") -> Path:
    path.write_bytes(data)
    return path


def place(path: Path, *patterns: str) -> Place:
    return Place(str(path), patterns or ("*",))


def names(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*") if not found.is_dir())


def test_a_file_goes_to_done_or_away(tmp_path: Path) -> None:
    with place(tmp_path) as one:
        one.prepare()
        assert one.take_away("a", stamp(put(tmp_path / "a")), keep=True)
        assert one.take_away("a", stamp(put(tmp_path / "a")), keep=True)
        assert one.take_away("b", stamp(put(tmp_path / "b")), keep=False)
    assert names(tmp_path) == ["done/a", "done/a-1"]


@pytest.mark.parametrize("keep", [True, False])
def test_another_file_of_the_name_stays(tmp_path: Path, *, keep: bool) -> None:
    with place(tmp_path) as one:
        one.prepare()
        read = stamp(put(tmp_path / "a"))
        put(tmp_path / "new", b"another")
        os.rename(tmp_path / "new", tmp_path / "a")
        assert not one.take_away("a", read, keep=keep)
        assert (tmp_path / "a").read_bytes() == b"another"
        os.unlink(tmp_path / "a")
        assert not one.take_away("a", read, keep=keep)
    assert names(tmp_path) == []


def test_one_that_is_exchanged_in_the_last_moment_gets_its_name_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the name and the rename: found in ``.taking`` and given back."""
    read = stamp(put(tmp_path / "a"))
    look = os.lstat

    def late(path: object, **how: object) -> os.stat_result:
        found = look(path, **how)  # type: ignore[call-overload]
        if path == "a":
            put(tmp_path / "new", b"another")
            os.rename(tmp_path / "new", tmp_path / "a")
        return found  # type: ignore[no-any-return]

    with place(tmp_path) as one:
        one.prepare()
        monkeypatch.setattr(folder_place.os, "lstat", late)
        assert not one.take_away("a", read, keep=False)
        monkeypatch.undo()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"another"


def test_what_a_crash_left_goes_back_and_over_nothing(tmp_path: Path) -> None:
    (tmp_path / ".taking").mkdir()
    put(tmp_path / ".taking/a.png", b"old")
    put(tmp_path / "a.png", b"new")
    with place(tmp_path) as one:
        one.prepare()
    assert names(tmp_path) == ["a-1.png", "a.png"]
    assert (tmp_path / "a-1.png").read_bytes() == b"old"


def test_what_is_rejected_has_its_reason_beside_it(tmp_path: Path) -> None:
    with place(tmp_path) as one:
        where = one.reject("a.png", stamp(put(tmp_path / "a.png")), "cut \udcff short")
        assert where == str(tmp_path / "rejected/a.png")
        one.reject("a.png", stamp(put(tmp_path / "a.png", b"y")), "again")
        os.symlink("/etc/passwd", tmp_path / "link")
        one.reject("link", stamp(tmp_path / "link"), "is a link")
    assert names(tmp_path) == [
        "rejected/a-1.png", "rejected/a-1.png.reason.txt", "rejected/a.png", "rejected/a.png.reason.txt",
        "rejected/link", "rejected/link.reason.txt",
    ]  # fmt: skip
    assert (tmp_path / "rejected/a.png.reason.txt").read_text() == "cut \\udcff short\n"
    assert os.readlink(tmp_path / "rejected/link") == "/etc/passwd"


def test_names_of_any_bytes_and_of_any_length(tmp_path: Path) -> None:
    odd = [b"\xff\x01\n.png", b"x" * 255, "ü".encode() * 120 + b".png"]
    with place(tmp_path) as one:
        one.prepare()
        for name in odd:
            text = os.fsdecode(name)
            put(tmp_path / text)
            assert text in one.scan()
            assert one.reject(text, stamp(tmp_path / text), "no picture")
            put(tmp_path / text)
            assert one.take_away(text, stamp(tmp_path / text), keep=True)
    assert len(names(tmp_path)) == 9


@pytest.mark.parametrize("what", ["link", "file"])
def test_what_stands_where_our_folders_belong_is_refused(tmp_path: Path, what: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    drop = tmp_path / "drop"
    elsewhere.mkdir()
    drop.mkdir()
    if what == "link":
        (drop / "done").symlink_to(elsewhere)
    else:
        put(drop / "done")
    with place(drop) as one, pytest.raises(DeviceError, match="where a folder of ours belongs"):
        one.prepare()
    assert not [*elsewhere.iterdir()]


def test_what_is_asked_for(tmp_path: Path) -> None:
    for name in ("a.png", "b.PNG", "c.dcm", ".d.png", "e.tmp"):
        put(tmp_path / name)
    (tmp_path / "done").mkdir()
    with place(tmp_path, "*.png", "*.dcm") as one:
        assert sorted(one.scan()) == ["a.png", "c.dcm"]


def test_no_link_pipe_or_device_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "sub").mkdir()
    with place(tmp_path) as one:
        for name, word in {"pipe": "a pipe", "link": "a link", "sub": "a folder"}.items():
            with pytest.raises(DeviceError, match=word), one.opened(name):
                pass


def test_a_folder_that_is_gone_or_another_one_is_told(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    with pytest.raises(DeviceError, match="No such file"):
        place(drop)
    drop.mkdir()
    with place(drop) as one:
        os.rename(drop, tmp_path / "old")
        with pytest.raises(DeviceError, match="No such file"):
            one.scan()
        drop.mkdir()
        with pytest.raises(DeviceError, match="another folder"):
            one.scan()


def test_a_crowd_is_looked_at_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_place, "MAX_FILES", 3)
    for number in range(5):
        put(tmp_path / f"{number}")
    with place(tmp_path) as one:
        assert len(one.scan()) == 3
        assert one.crowded
