"""DICOM files on their way out: what sending needs to know of each, kept so small that thousands do not show.

``Files`` is a sequence of ``Instance`` that keeps a hundred and some bytes for each file, all in one piece, and builds
the value when it is asked for; ``add`` reads the File Meta Information once. Raises ``FileError``, ``NotDicomError`` or
``DecodeError`` for what cannot be sent. ``require_whole`` follows the headers of a Data Set to the end of its file,
without reading pixels: what is cut must not arrive as if it were whole, nor what is another instance than its File Meta
Information says.
"""

from __future__ import annotations

import os
import struct
from array import array
from collections.abc import Sequence
from itertools import pairwise

from agent.dataset.uid import DEFLATED_EXPLICIT_VR_LE
from agent.dimse.message import MEDIUM
from agent.errors import DecodeError, FileError, NotDicomError
from agent.media.part10 import META_OFFSET, PREFIX_LIMIT_BYTES, FileMeta, decode_prefix
from agent.typed import TYPE_CHECKING, Generic, NamedTuple, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.spool.walk import Origin

KEPT = 16  # instances made of their rows
FIRST_READ_BYTES = 2048  # holds preamble and File Meta Information of all but a few files
# Data Set offset, file size, numbers of pair and folder, length of the SOP Instance UID; it and the name follow.
_ROW = struct.Struct("<IQHIH")
_OTHER_HINT = "Find out at its source which is right; 'modality-agent transcode' writes those of the Data Set."
_GROUP_LENGTH = slice(META_OFFSET + 8, META_OFFSET + 12)  # value of (0002,0000), if it comes first as it must

_Value = TypeVar("_Value")
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
    priority: int = MEDIUM  # of its C-STORE-RQ


def pair_of(instance: Instance) -> Pair:
    """Return what the presentation context of ``instance`` is about."""
    return instance.sop_class_uid, instance.transfer_syntax_uid


class Numbered(Generic[_Value]):
    """Values with a number each, in the order of their first appearance."""

    __slots__ = ("_numbers", "values")

    def __init__(self) -> None:
        self.values: list[_Value] = []
        self._numbers: dict[_Value, int] = {}

    def number_of(self, value: _Value) -> int:
        """Return the number of ``value``, a new one where it is new."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class Files(Sequence[Instance]):
    """Files to send, in order."""

    __slots__ = ("_ends", "_folders", "_made", "_order", "_pairs", "_rows")

    def __init__(self) -> None:
        self._rows = bytearray()
        self._ends = array("Q", [0])  # where each row ends in ``_rows``, the next begins
        self._pairs: Numbered[Pair] = Numbered()
        self._folders: Numbered[str] = Numbered()
        self._order = range(0)  # numbers of the rows that this is about
        self._made: dict[int, Instance] = {}  # the last few: each one is asked for several times on its way

    def add(self, path: str) -> None:
        """Read what sending needs from the start of the file and append it."""
        found = open_instance(path)
        name = os.path.basename(path)
        pair = self._pairs.number_of(pair_of(found))
        folder = self._folders.number_of(path[: len(path) - len(name)])
        uid = found.sop_instance_uid.encode()
        self._rows += _ROW.pack(found.data_set_offset, found.size, pair, folder, len(uid)) + uid + os.fsencode(name)
        self._ends.append(len(self._rows))
        self._order = range(len(self._ends) - 1)

    def uids_repeat(self) -> bool:
        """Say whether two files may have one SOP Instance UID; without a doubt when it says no."""
        hashes = array("q", (hash(self._uid(number)) for number in self._order))
        return any(one == next_ for one, next_ in pairwise(sorted(hashes)))

    def pairs(self) -> Iterator[Pair]:
        """Yield the pair of each file, without making its ``Instance``."""
        for number in self._order:
            yield self._pairs.values[_ROW.unpack_from(self._rows, self._ends[number])[2]]

    def share(self, part: int, parts: int) -> Files:
        """Return every ``parts``-th file from ``part`` on."""
        share = Files()
        for name in self.__slots__:
            setattr(share, name, getattr(self, name))
        share._order, share._made = self._order[part::parts], {}  # others work on theirs at the same time
        return share

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Instance: ...
    @overload
    def __getitem__(self, index: slice) -> list[Instance]: ...
    def __getitem__(self, index: int | slice) -> Instance | list[Instance]:
        if isinstance(index, slice):
            return [self._row(number) for number in self._order[index]]
        return self._row(self._order[index])

    def _row(self, number: int) -> Instance:
        found = self._made.get(number)
        if found is None:
            if len(self._made) >= KEPT:
                self._made.clear()
            found = self._made[number] = self._make(number)
        return found

    def _uid(self, number: int) -> bytes:
        start = self._ends[number]
        length = _ROW.unpack_from(self._rows, start)[-1]
        return bytes(self._rows[start + _ROW.size : start + _ROW.size + length])

    def _make(self, number: int) -> Instance:
        row = self._rows[self._ends[number] : self._ends[number + 1]]
        offset, size, pair, folder, length = _ROW.unpack_from(row)
        name = _ROW.size + length
        path = self._folders.values[folder] + os.fsdecode(bytes(row[name:]))
        sop_class, syntax = self._pairs.values[pair]
        return Instance(path, sop_class, row[_ROW.size : name].decode(), syntax, offset, size)


def pairs_of(instances: Sequence[Instance]) -> Iterator[Pair]:
    """Yield the pair of each instance, in order."""
    return instances.pairs() if isinstance(instances, Files) else map(pair_of, instances)


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
        raise FileError.of(path, error) from error
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
