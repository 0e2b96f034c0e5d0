"""The writing side of a File-set, reading back, and what an export that broke off leaves."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from agent.errors import MediaError
from agent.exchange import reread as rereading
from agent.exchange.reread import reread
from agent.exchange.writer import JOURNAL, FileSink, SetWriter
from agent.spool.durable import Medium
from agent.spool.ops import Ops

if TYPE_CHECKING:
    from pathlib import Path


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Noting(Ops):
    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def step(self, call: str, path: str) -> None:
        self.calls.append((call, os.path.basename(path)))


def test_the_order_of_a_directory(tmp_path: Path) -> None:
    """The renamed file is synced, then its folder: the other order is not enough on FAT."""
    ops = Noting()
    writer = SetWriter(str(tmp_path), ops)
    writer.direct([b"first"])
    ops.calls.clear()
    writer.direct([b"second"])
    tail = ops.calls[-4:]
    assert tail == [("fsync", "DICOMDIR.NEW"), ("rename", "DICOMDIR"), ("fsync", "DICOMDIR"), ("fsync", tmp_path.name)]
    assert (tmp_path / "DICOMDIR").read_bytes() == b"second"


class Holding(Ops):
    """Notes at each sync whether this process still has a file open that has no name any more."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held: list[bool] = []

    def step(self, call: str, path: str) -> None:
        if call == "fsync":
            links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
            here = [os.readlink(link) for link in links if os.path.lexists(link)]
            self.held.append(any(name.endswith("DICOMDIR (deleted)") for name in here))


def test_the_old_directory_keeps_its_clusters_until_the_new_one_is_in_force(tmp_path: Path) -> None:
    """FAT frees them with the last user of the file; a power cut may free them before the new name is there."""
    writer = SetWriter(str(tmp_path))
    writer.direct([b"first"])
    ops = Holding()
    SetWriter(str(tmp_path), ops).direct([b"second"])
    assert ops.held == [False, True, True]  # the new bytes; the renamed file; the folder


def test_digest_of_what_was_written_out_of_order(tmp_path: Path) -> None:
    def fill(sink: FileSink) -> None:
        sink.write(b"....")
        sink.write(b"tail")
        sink.seek(0)
        sink.write(b"head")

    done = SetWriter(str(tmp_path)).put("A/B/C", fill)
    assert done.sha256 == sha(b"headtail")
    assert done.size == 8


def test_a_failed_file_is_gone_and_an_old_one_is_never_replaced(tmp_path: Path) -> None:
    writer = SetWriter(str(tmp_path))

    def fail(sink: FileSink) -> None:
        sink.write(b"some")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.put("A/ONE", fail)
    assert list((tmp_path / "A").iterdir()) == []
    (tmp_path / "A" / "TWO").write_bytes(b"of somebody else")
    with pytest.raises(MediaError, match="TWO"):
        writer.put("A/TWO", lambda sink: sink.write(b"ours"))
    assert (tmp_path / "A" / "TWO").read_bytes() == b"of somebody else"
    assert writer.written == []


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "INST").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MediaError, match="symbolic link"):
        SetWriter(str(tmp_path / "root")).put("INST/ONE", lambda sink: sink.write(b"x"))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_journal_names_what_is_begun(tmp_path: Path) -> None:
    writer = SetWriter(str(tmp_path))
    assert list(writer.leftovers()) == []
    names = ["INST/000000/00000001", "INST3/0000FF/0000FF2A"]
    writer.begin([*names, "README.TXT"])
    assert list(SetWriter(str(tmp_path)).leftovers()) == names
    writer.end()
    assert list(SetWriter(str(tmp_path)).leftovers()) == []
    (tmp_path / JOURNAL).write_text("/etc/passwd\n../x\nPHOTOS/HOLIDAY\nINST/../../x\nINST/00\nREADME.TXT\n")
    assert list(SetWriter(str(tmp_path)).leftovers()) == []


def test_compare_finds_one_changed_byte_and_one_missing(tmp_path: Path) -> None:
    writer = SetWriter(str(tmp_path))
    writer.put("ONE", lambda sink: sink.write(b"a" * 5000))
    writer.compare()
    data = bytearray(b"a" * 5000)
    data[4999] ^= 1
    (tmp_path / "ONE").write_bytes(data)
    with pytest.raises(MediaError, match="does not come back"):
        writer.compare()
    (tmp_path / "ONE").unlink()
    with pytest.raises(MediaError, match="read back"):
        writer.compare()


@pytest.mark.parametrize("size", [0, 1, 4096, 5000, (1 << 20) - 1, 1 << 20, (1 << 20) + 4096, (2 << 20) + 7])
def test_reading_back_is_exact(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    path = str(tmp_path / "file")
    file = Medium(str(tmp_path)).create(path)
    file.write_at(0, data)
    file.finish()
    found = reread(path, Ops())
    assert found[:2] == (size, sha(data))


def test_without_direct_reading_it_is_said_whether_memory_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system without O_DIRECT: what stays in memory proves nothing."""
    real = os.open

    def refuse(path: str, flags: int, *args: int, **more: int) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, "no direct reading here")
        return real(path, flags, *args, **more)

    path = str(tmp_path / "file")
    file = Medium(str(tmp_path)).create(path)
    file.write_at(0, b"x" * 10_000)
    file.finish()
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(rereading, "_resident", lambda _fd, _size: True)
    assert not reread(path, Ops()).uncached
    monkeypatch.setattr(rereading, "_resident", lambda _fd, _size: False)
    assert reread(path, Ops()) == (10_000, sha(b"x" * 10_000), True)


def test_pages_in_memory_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.pread(fd, 100_000, 0)
        assert rereading._resident(fd, 100_000)
    finally:
        os.close(fd)


def test_a_journal_that_a_power_cut_left_without_its_bytes_names_nothing(tmp_path: Path) -> None:
    """FAT may have a file's length before its bytes: zeros, or what stood in the cluster before."""
    (tmp_path / JOURNAL).write_bytes(bytes(300) + b"\nDICOMDIR\nDEL /Q *.*\n/etc/passwd\n../up\nINST/000000/0000000")
    assert list(SetWriter(str(tmp_path)).leftovers()) == []
    (tmp_path / JOURNAL).write_bytes(b"INST/000000/00000001\nREADME.TXT\n")
    assert list(SetWriter(str(tmp_path)).leftovers()) == ["INST/000000/00000001"]
