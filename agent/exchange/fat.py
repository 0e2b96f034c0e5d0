"""Whether a FAT volume was taken away without being unmounted: its dirty marks, as bytes.

Two systems keep two marks. Linux and DOS set bit 0 of a byte in the boot sector while the volume is mounted for
writing (byte 37 on FAT12 and FAT16, 65 on FAT32); Windows clears the top bit but one of the second FAT entry. exFAT
has bit 1 of its Volume Flags (byte 106). While *we* have the volume mounted, the mark in the boot sector is our own and
says nothing about the last time; ``mounted`` leaves it out.
"""

from __future__ import annotations

import struct

from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Pread = Callable[[int, int], bytes]

FAT12_CLUSTERS, FAT16_CLUSTERS = 4085, 65525  # below the first it is FAT12, below the second FAT16
_BOOT_BYTES = 512
_CLEAN_16, _CLEAN_32 = 1 << 15, 1 << 27  # set in the second FAT entry of a volume that was closed


class Marks(NamedTuple):
    """What a boot sector and a FAT say."""

    kind: str  # FAT12, FAT16, FAT32, exFAT; empty: none of them
    dirty: bool


def marks(pread: Pread, *, mounted: bool = False) -> Marks:
    """Read the marks of the volume behind ``pread(length, offset)``; ``mounted``: by us, for writing."""
    boot = pread(_BOOT_BYTES, 0)
    if len(boot) < _BOOT_BYTES or boot[510:512] != b"\x55\xaa":
        return Marks("", dirty=False)
    if boot[3:11] == b"EXFAT   ":
        return Marks("exFAT", dirty=not mounted and bool(boot[106] & 2))
    kind, fat_at = _layout(boot)
    if not kind:
        return Marks("", dirty=False)
    byte = boot[65 if kind == "FAT32" else 37]
    return Marks(kind, dirty=(not mounted and bool(byte & 1)) or not _closed(pread, kind, fat_at))


def _layout(boot: bytes) -> tuple[str, int]:
    """Kind of FAT, and where the first one is."""
    sector, cluster, reserved, fats, entries, small = struct.unpack_from("<HBHBHH", boot, 11)
    fat_size = struct.unpack_from("<H", boot, 22)[0]
    if sector not in (512, 1024, 2048, 4096) or not cluster or not fats:
        return "", 0
    sectors = small or struct.unpack_from("<I", boot, 32)[0]
    if not fat_size:
        return "FAT32", reserved * sector
    data = sectors - reserved - fats * fat_size - (entries * 32 + sector - 1) // sector
    count = data // cluster
    return ("FAT12" if count < FAT12_CLUSTERS else "FAT16" if count < FAT16_CLUSTERS else ""), reserved * sector


def _closed(pread: Pread, kind: str, fat_at: int) -> bool:
    """Whether the second FAT entry says that the volume was closed; FAT12 has no such mark."""
    if kind == "FAT12":
        return True
    head = pread(8, fat_at)
    if len(head) < 8:
        return True
    if kind == "FAT16":
        return bool(struct.unpack_from("<H", head, 2)[0] & _CLEAN_16)
    return bool(struct.unpack_from("<I", head, 4)[0] & _CLEAN_32)
