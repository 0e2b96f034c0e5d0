"""DICOM files on their way out: what sending needs to know of each, kept so small that thousands do not show.

``Files`` is a sequence of ``Instance`` that keeps a hundred bytes for each file and builds the value when it is asked
for; ``add`` reads the File Meta Information once. Raises ``FileError``, ``NotDicomError`` or ``DecodeError`` for what
cannot be sent. ``require_whole`` follows the headers of a Data Set to the end of its file, without reading pixels: what
is cut must not arrive as if it were whole, nor what is another instance than its File Meta Information says.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, overload

from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE
from agent.errors import DecodeError, FileError, NotDicomError
from agent.media.part10 import META_OFFSET, PREFIX_LIMIT_BYTES, FileMeta, decode_prefix

if TYPE_CHECKING:
    from agent.spool.walk import Origin

FIRST_READ_BYTES = 2048  # holds preamble and File Meta Information of all but a few files
_ROW = struct.Struct("<IQH")  # Data Set offset, file size, number of the pair; the SOP Instance UID follows
_OTHER_HINT = "Find out at its source which is right; 'modality-agent transcode' writes those of the Data Set."
_GROUP_LENGTH = slice(META_OFFSET + 8, META_OFFSET + 12)  # value of (0002,0000), if it comes first as it must

Pair = tuple[str, str]  # SOP Class UID, transfer syntax UID


class Instance(NamedTuple):
    """One DICOM file to send."""

    path: str
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data_set_offset: int  # bytes
    size: int  # bytes of the whole file
    data_set_sha256: bytes = b""  # what the Data Set must be; empty if nobody has recorded it


def pair_of(instance: Instance) -> Pair:
    """Return what the presentation context of ``instance`` is about."""
    return instance.sop_class_uid, instance.transfer_syntax_uid


class Files(Sequence[Instance]):
    """Files to send, in order."""

    __slots__ = ("_numbers", "_pairs", "_paths", "_rows")

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._rows: list[bytes] = []
        self._pairs: list[Pair] = []
        self._numbers: dict[Pair, int] = {}

    def add(self, path: str) -> None:
        """Read what sending needs from the start of the file and append it."""
        found = open_instance(path)
        pair = pair_of(found)
        number = self._numbers.setdefault(pair, len(self._pairs))
        if number == len(self._pairs):
            self._pairs.append(pair)
        self._paths.append(path)
        self._rows.append(_ROW.pack(found.data_set_offset, found.size, number) + found.sop_instance_uid.encode())

    def share(self, part: int, parts: int) -> Files:
        """Return every ``parts``-th file from ``part`` on."""
        share = Files()
        share._paths, share._rows = self._paths[part::parts], self._rows[part::parts]
        share._pairs, share._numbers = self._pairs, self._numbers
        return share

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> list[Instance]: ...
    def __getitem__(self, index: int | slice) -> Instance | list[Instance]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        row = self._rows[index]
        offset, size, number = _ROW.unpack_from(row)
        sop_class, syntax = self._pairs[number]
        return Instance(self._paths[index], sop_class, row[_ROW.size :].decode(), syntax, offset, size)


def open_instance(path: str) -> Instance:
    """Read what sending needs from the start of one file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            meta, offset = _prefix(fd, size)
        finally:
            os.close(fd)
    except NotDicomError as error:
        raise NotDicomError(f"{path} is no DICOM file ({error})") from error
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    return Instance(path, meta.sop_class_uid, meta.sop_instance_uid, meta.transfer_syntax_uid, offset, size)


def require_whole(instance: Instance, fd: int) -> None:
    """Raise ``DecodeError`` naming the file if its Data Set is damaged, odd in length (PS3.5 7.1.1), or another's."""
    from agent.spool.walk import walk  # who sends what has a recorded digest does not pay for it

    offset, size = instance.data_set_offset, instance.size
    try:
        origin = walk(lambda length, at: os.pread(fd, length, at), size, offset, instance.transfer_syntax_uid)
        if (size - offset) & 1 and instance.transfer_syntax_uid != DEFLATED_EXPLICIT_VR_LE:
            raise DecodeError("the Data Set has an odd length", offset=size)
        require_own(instance, origin)
    except DecodeError as error:
        raise type(error)(f"{instance.path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise FileError(f"{instance.path}: {error.strerror or error}") from error


def require_own(instance: Instance, origin: Origin) -> None:
    """Raise ``DecodeError`` if its Data Set is another instance: stored, it would be found under a wrong UID."""
    if wrong := origin.contradiction(instance.sop_class_uid, instance.sop_instance_uid):
        raise DecodeError(f"the file contradicts itself: {wrong} as File Meta Information says", hint=_OTHER_HINT)


def _prefix(fd: int, size: int) -> tuple[FileMeta, int]:
    """Most files tell all in their first 2 KiB; reading 64 KiB of each would cost more than sending a small one."""
    head = os.pread(fd, FIRST_READ_BYTES, 0)
    if size > FIRST_READ_BYTES and int.from_bytes(head[_GROUP_LENGTH], "little") > FIRST_READ_BYTES - META_OFFSET - 12:
        head = os.pread(fd, PREFIX_LIMIT_BYTES, 0)
    return decode_prefix(head)
