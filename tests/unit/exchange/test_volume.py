"""Dirty marks of FAT volumes, and what is done about such a volume."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from agent.errors import MediaError
from agent.exchange import volume
from agent.exchange.fat import marks
from agent.exchange.volume import Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FAT16_BYTES = 20_000 << 10


def boot16(*, dirty: bool = False, closed: bool = True) -> bytes:
    """Boot sector and FAT of a FAT16 volume, as mkfs.vfat lays them out."""
    data = bytearray(2048)
    data[3:11] = b"mkfs.fat"
    struct.pack_into("<HBHBHH", data, 11, 512, 4, 4, 2, 512, 40_000)
    struct.pack_into("<H", data, 22, 40)
    data[37] = int(dirty)
    data[510:512] = b"\x55\xaa"
    return bytes(data) + struct.pack("<HH", 0xFFF8, 0xFFFF if closed else 0x7FFF) + bytes(508)


def boot32(*, dirty: bool = False, closed: bool = True) -> bytes:
    data = bytearray(32 * 512)
    struct.pack_into("<HBHBHH", data, 11, 512, 1, 32, 2, 0, 0)
    struct.pack_into("<I", data, 32, 140_000)
    data[65] = int(dirty)
    data[510:512] = b"\x55\xaa"
    return bytes(data) + struct.pack("<II", 0x0FFFFFF8, 0x0FFFFFFF if closed else 0x07FFFFFF)


def exfat(*, dirty: bool) -> bytes:
    data = bytearray(512)
    data[3:11] = b"EXFAT   "
    data[106] = 2 * dirty
    data[510:512] = b"\x55\xaa"
    return bytes(data)


def pread(data: bytes) -> Callable[[int, int], bytes]:
    return lambda length, offset: data[offset : offset + length]


@pytest.mark.parametrize(
    ("data", "mounted", "expected"),
    [
        (boot16(), False, ("FAT16", False)),
        (boot16(dirty=True), False, ("FAT16", True)),
        (boot16(dirty=True), True, ("FAT16", False)),  # our own mount set it
        (boot16(closed=False), True, ("FAT16", True)),  # Windows did not close it
        (boot32(), False, ("FAT32", False)),
        (boot32(dirty=True), False, ("FAT32", True)),
        (boot32(closed=False), True, ("FAT32", True)),
        (exfat(dirty=True), False, ("exFAT", True)),
        (exfat(dirty=True), True, ("exFAT", False)),
        (bytes(4096), False, ("", False)),
        (b"", False, ("", False)),
        (b"\xff" * 4096, False, ("", False)),
    ],
)
def test_marks(data: bytes, mounted: bool, expected: tuple[str, bool]) -> None:
    assert marks(pread(data), mounted=mounted) == expected


MOUNTS = "36 25 8:1 / {point} {options},relatime shared:1 - vfat /dev/sdx1 {options},codepage=437\n"


def mountinfo(folder: Path, options: str = "rw") -> str:
    path = folder / "mountinfo"
    path.write_text(MOUNTS.format(point=folder, options=options))
    return str(path)


def test_what_a_folder_is_on(tmp_path: Path) -> None:
    found = volume.look(str(tmp_path), mountinfo=mountinfo(tmp_path))
    assert found == Volume(str(tmp_path), "vfat", "/dev/sdx1", ("codepage=437", "relatime", "rw"))
    with pytest.raises(MediaError, match="read-only"):
        volume.look(str(tmp_path), mountinfo=mountinfo(tmp_path, "ro"))


@pytest.mark.parametrize(
    ("lines", "dirty"),
    [
        (["4,1,2,-;FAT-fs (sdx1): Volume was not properly unmounted. Some data may be corrupt."], True),
        (["4,1,2,-;FAT-fs (sdy1): Volume was not properly unmounted."], False),
        (["4,1,2,-;FAT-fs (sdx1): Volume was not properly unmounted.", "5,1,2,-;sd 6:0: [sdx] Attached SCSI"], False),
    ],
)
def test_the_log_of_the_kernel_counts(
    tmp_path: Path, lines: list[str], dirty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = iter(lines)
    monkeypatch.setattr(volume, "_record", lambda _fd: next(records, ""))
    stick = Volume("/mnt", "vfat", "/dev/sdx1")
    if dirty:
        with pytest.raises(MediaError, match="without being unmounted") as caught:
            volume.require_closed(stick, kmsg="/dev/null")
        assert "fsck.vfat -a /dev/sdx1" in caught.value.hint
    else:
        assert volume.require_closed(stick, kmsg="/dev/null") == []


def test_nobody_can_tell(tmp_path: Path) -> None:
    notes = volume.require_closed(Volume("/mnt", "vfat", "/dev/sdx1"), kmsg=str(tmp_path / "none"))
    assert "unknown" in notes[0]
    assert volume.require_closed(Volume("/mnt", "ext4", "/dev/sdx1"), kmsg=str(tmp_path / "none")) == []


def test_windows_did_not_close_it(tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.write_bytes(boot16(closed=False))
    with pytest.raises(MediaError, match="without being unmounted"):
        volume.require_closed(Volume("/mnt", "vfat", str(device)), kmsg=str(tmp_path / "none"))


class Machine:
    """Commands that are asked for; fsck repairs, and needs so many runs for it."""

    def __init__(self, device: Path, refuse: str = "", runs: int = 1) -> None:
        self.device, self.refuse, self.runs = device, refuse, runs
        self.ran: list[str] = []

    def __call__(self, words: Sequence[str]) -> int:
        self.ran.append(" ".join(words))
        if words[0] == self.refuse:
            return 1
        if words[0] == "fsck.vfat":
            self.device.write_bytes(boot16())
            self.runs -= 1
            return int(self.runs >= 0)  # 1: repaired
        return 0


def stick(tmp_path: Path, *, dirty: bool) -> tuple[Volume, Path]:
    device = tmp_path / "device"
    device.write_bytes(boot16(dirty=dirty))
    return Volume("/mnt/stick", "vfat", str(device), ("codepage=437", "rw")), device


@pytest.mark.parametrize("runs", [1, 2])
def test_a_dirty_volume_is_repaired_and_mounted_as_it_was(tmp_path: Path, runs: int) -> None:
    """What one run of fsck.fat 4.2 leaves of a cut chain is only mended by a second."""
    found, device = stick(tmp_path, dirty=True)
    machine = Machine(device, runs=runs)
    assert "repaired" in volume.repair(found, machine)[0]
    assert machine.ran == [
        "umount /mnt/stick",
        *[f"fsck.vfat -a {device}"] * (runs + 1),  # the last finds nothing
        f"mount -t vfat -o rw,codepage=437 {device} /mnt/stick",
    ]


def test_a_clean_one_is_only_looked_at(tmp_path: Path) -> None:
    found, device = stick(tmp_path, dirty=False)
    machine = Machine(device)
    assert volume.repair(found, machine) == []
    assert len(machine.ran) == 2


def test_what_cannot_be_repaired_or_unmounted_is_said(tmp_path: Path) -> None:
    found, device = stick(tmp_path, dirty=True)
    machine = Machine(device, refuse="umount")
    with pytest.raises(MediaError, match="cannot be unmounted"):
        volume.repair(found, machine)
    assert len(machine.ran) == 1

    def fruitless(words: Sequence[str]) -> int:
        return 0

    with pytest.raises(MediaError, match="could not repair"):
        volume.repair(found, fruitless)
    machine = Machine(device, runs=100)
    device.write_bytes(boot16(dirty=True))
    with pytest.raises(MediaError, match="could not repair"):
        volume.repair(found, machine)
    assert len(machine.ran) < 10


def test_remarks() -> None:
    assert "memory" in volume.remarks(Volume("/tmp", "tmpfs", "tmpfs"), claimed=True)[0]
    assert "PS3.12" in volume.remarks(Volume("/mnt", "exfat", "/dev/x"), claimed=True)[0]
    assert volume.remarks(Volume("/mnt", "exfat", "/dev/x"), claimed=False) == []


@pytest.mark.parametrize(
    ("boot", "kind", "options"),
    [
        (exfat(dirty=False), "exfat-fuse", ("rw",)),
        (b"\xebR\x90NTFS    ", "ntfs-3g", ("rw",)),
        (b"something", "fuseblk", ("allow_other", "blksize=4096", "group_id=0", "rw", "user_id=0")),
        (None, "fuseblk", ("allow_other", "blksize=4096", "group_id=0", "rw", "user_id=0")),
    ],
)
def test_what_a_process_is_the_file_system_of(
    tmp_path: Path, boot: bytes | None, kind: str, options: tuple[str, ...]
) -> None:
    """The kernel says fuseblk of all of them, which nothing can be mounted as."""
    device, table = tmp_path / "device", tmp_path / "mountinfo"
    if boot is not None:
        device.write_bytes(boot)
    more = "rw,user_id=0,group_id=0,allow_other,blksize=4096"
    table.write_text(f"36 35 7:0 / {tmp_path} rw - fuseblk {device} {more}\n")
    found = volume.look(str(tmp_path), mountinfo=str(table))
    assert (found.kind, found.options) == (kind, options)
    assert found.is_fused
    assert "PS3.12" in volume.remarks(found, claimed=True)[0]
    assert not volume.forget(found)  # it is no device
