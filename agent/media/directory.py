"""A DICOMDIR: records that find each other by their place in the file (PS3.3 F.3.2.2, PS3.10 8.6).

Offsets count bytes from the start of the file to the item of a record, so that whatever changes the length of anything
in front of them breaks all of them: such a file is not rewritten. ``stray_offsets`` finds those that lead to no record.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from agent.dataset.tag import tag_str
from agent.dataset.uid import EXPLICIT_VR_LE, MEDIA_STORAGE_DIRECTORY
from agent.dataset.vr import VRS
from agent.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.media.file import DicomFile

    Pread = Callable[[int, int], bytes]

RECORDS: Final = 0x00041220
_ROOT: Final = (0x00041200, 0x00041202)  # first and last record of the root entity
_RECORD: Final = (0x00041400, 0x00041420)  # next record, and first one of the entity below
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG: Final = frozenset(name.encode() for name, row in VRS.items() if row.long)


def is_directory(file: DicomFile) -> bool:
    """Whether a file is a DICOMDIR."""
    return file.meta.sop_class_uid == MEDIA_STORAGE_DIRECTORY or RECORDS in file.dataset


def require_no_directory(file: DicomFile) -> None:
    """Raise ``EncodeError`` for a DICOMDIR: its offsets would lead nowhere in another file."""
    if is_directory(file):
        raise EncodeError(
            "a DICOMDIR is not rewritten: its records are found by their place in this very file",
            hint="Make a new one of the new files with a tool for File-sets, such as DCMTK's dcmmkdir.",
        )


def stray_offsets(file: DicomFile) -> Iterator[tuple[str, int, int]]:
    """Path, tag and value of every offset of a DICOMDIR in Explicit VR Little Endian that leads to no record.

    Raises:
        DecodeError: The records cannot be followed.
    """
    if file.meta.transfer_syntax_uid != EXPLICIT_VR_LE:
        return
    places = {0}  # which is how one says that there is none
    if RECORDS in file.dataset:
        places.update(_places(file.pread, file.data_set_offset))
    for tag in _ROOT:
        value = file.dataset.get(tag)
        if isinstance(value, int) and value not in places:
            yield tag_str(tag), tag, value
    for number, record in enumerate(file.dataset.items_of(RECORDS), 1):
        for tag in _RECORD:
            value = record.get(tag)
            if isinstance(value, int) and value not in places:
                yield f"{tag_str(RECORDS)}[{number}].{tag_str(tag)}", tag, value


def _places(pread: Pread, at: int) -> Iterator[int]:
    """Where the items of the records are; ``at`` is where the Data Set starts."""
    tag, length, at = _header(pread, at)
    while tag != RECORDS:
        at = _behind(pread, at, length)
        tag, length, at = _header(pread, at)
    end = at + length if length != _UNDEFINED else _UNDEFINED
    while at < end:
        start = at
        tag, length, at = _header(pread, at)
        if tag == _SEQUENCE_END:
            return
        yield start
        at = _behind(pread, at, length)


def _behind(pread: Pread, at: int, length: int) -> int:
    """Behind a value; one of undefined length ends with the delimiter that closes what it opened."""
    if length != _UNDEFINED:
        return at + length
    depth = 1
    while depth:
        tag, length, at = _header(pread, at)
        if tag in (_ITEM_END, _SEQUENCE_END):
            depth -= 1
        elif length == _UNDEFINED:
            depth += 1
        else:
            at += length
    return at


def _header(pread: Pread, at: int) -> tuple[int, int, int]:
    """Tag, length of the value, and where it starts."""
    head = pread(12, at)
    if len(head) < 8:
        raise DecodeError("the records of the directory are cut short", offset=at)
    group, element = struct.unpack_from("<HH", head)
    tag = group << 16 | element
    if group == 0xFFFE:
        return tag, int.from_bytes(head[4:8], "little"), at + 8
    if head[4:6] in _LONG:
        return tag, int.from_bytes(head[8:12], "little"), at + 12
    return tag, int.from_bytes(head[6:8], "little"), at + 8
