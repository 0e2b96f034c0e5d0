"""The files of an ISO 9660 image by their names and places, to prove an image that another program has made.

Only what a File-set needs is read: the Primary Volume Descriptor, directory records, names without ``;1`` and a final
full stop, files of one extent. Everything is checked against the image before it is believed.
"""

from __future__ import annotations

import struct

from agent.errors import DecodeError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Pread = Callable[[int, int], bytes]

SECTOR: Final = 2048
_FIRST: Final = 16  # sector of the first volume descriptor
_DESCRIPTORS: Final = 64  # and as many are looked at
_DEPTH: Final = 8  # folders, the root too (ISO 9660 6.8.2.1)
_FOLDER_BYTES: Final = 64 << 20
_IS_FOLDER, _GOES_ON = 0x02, 0x80


class Place(NamedTuple):
    """A file in the image."""

    path: str
    offset: int
    size: int


class Image(NamedTuple):
    """What an image holds."""

    label: str  # Volume Identifier
    files: Iterator[Place]  # read as they are asked for; raises ``DecodeError``, too


def image_of(pread: Pread, size: int) -> Image:
    """Read an image of ``size`` bytes through ``pread(length, offset)``; raises ``DecodeError``."""
    for number in range(_FIRST, _FIRST + _DESCRIPTORS):
        sector = pread(SECTOR, number * SECTOR)
        if len(sector) < SECTOR or sector[1:6] != b"CD001" or sector[0] == 255:
            break
        if sector[0] == 1:
            label = sector[40:72].decode("ascii", "replace").rstrip()
            return Image(label, _files(pread, size, sector[156:190], "", set()))
    raise DecodeError("this is no ISO 9660 image: it has no Primary Volume Descriptor")


def _files(pread: Pread, size: int, record: bytes, path: str, seen: set[int]) -> Iterator[Place]:
    if path.count("/") >= _DEPTH:
        raise DecodeError(f"{path} lies deeper than {_DEPTH} folders")
    offset, length = _extent(record, size)
    if offset in seen:
        raise DecodeError(f"the folder {path} is its own, or that of another name")
    seen.add(offset)
    if length > _FOLDER_BYTES:
        raise DecodeError(f"the folder {path} has {length} bytes")
    data = pread(length, offset)
    at = 0
    while at < len(data):
        count = data[at]
        if not count:  # records do not cross sectors
            at += SECTOR - at % SECTOR
            continue
        one = data[at : at + count]
        at += count
        if len(one) < 34:
            raise DecodeError(f"a directory record in {path or 'the root'} is cut short")
        name = one[33 : 33 + one[32]]
        if name in (b"\0", b"\1"):
            continue
        text = name.decode("ascii", "replace").partition(";")[0].rstrip(".")
        whole = f"{path}/{text}" if path else text
        if one[25] & _GOES_ON:
            raise DecodeError(f"{whole} has more than one extent")
        if one[25] & _IS_FOLDER:
            yield from _files(pread, size, one, whole, seen)
        else:
            yield Place(whole, *_extent(one, size))


def _extent(record: bytes, size: int) -> tuple[int, int]:
    """Offset and length of a file or folder."""
    sector, length = struct.unpack_from("<I4xI", record, 2)
    if sector * SECTOR + length > size:
        raise DecodeError("a file lies outside of the image")
    return sector * SECTOR, length
