"""Where the records of a DICOMDIR are in its bytes, without keeping any (PS3.3 Table F.3-3, PS3.5 7.5).

Offsets count bytes from the start of the file to the item of a record. The items are passed one after the other, as the
sequence has them; of an item without length the end is found by its delimiter, counting what it opens, not by
recursion. One that has no end within ``MAX_RECORD_BYTES`` is beyond a limit.
"""

from __future__ import annotations

import struct

from agent.dataset.decode import Decoder, Limits
from agent.dataset.vr import VRS
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.dataset.dataset import DataSet
    from agent.dataset.decode import Stop

    Pread = Callable[[int, int], bytes]

RECORDS: Final = 0x00041220
ROOT_LIMITS: Final = Limits(total_bytes=1 << 20, value_bytes=1 << 16, text_bytes=1 << 16, elements=1000)
MAX_RECORD_BYTES: Final = 8 << 20  # icons are a few KiB, and an SR title with its modifiers no more
WINDOW_BYTES: Final = 64 * 1024  # read ahead: most records are half a KiB
_STEP_BYTES: Final = 16 * 1024
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_SHORT: Final = frozenset(name.encode() for name, row in VRS.items() if not row.long)
_CUT: Final = "the records of the directory are cut short"


class Place(NamedTuple):
    """One record: where its item starts, and where what is in it starts and ends."""

    offset: int
    start: int
    end: int


class Window:
    """A ``pread`` that reads ahead where reads follow each other; one that jumps about costs what it asks for."""

    __slots__ = ("_at", "_data", "_next", "_pread")

    def __init__(self, pread: Pread) -> None:
        self._pread = pread
        self._data = b""
        self._at = 0
        self._next = 0  # where a read that follows the last one starts

    def __call__(self, length: int, offset: int) -> bytes:
        """Read ``length`` bytes from ``offset``; fewer at the end of the file only."""
        start = offset - self._at
        if start < 0 or start + length > len(self._data):
            ahead = WINDOW_BYTES if offset == self._next else 0
            self._data, self._at, start = self._pread(max(length, ahead), offset), offset, 0
        self._next = offset + length
        return self._data[start : start + length]


def root_of(pread: Pread, at: int, size: int, syntax: str) -> tuple[DataSet, Stop | None]:
    """What a directory says of itself, and where its records are (None: it has none).

    Args:
        pread: ``pread(length, offset)``.
        at: Where the Data Set starts.
        size: Of the file.
        syntax: Its transfer syntax.

    Raises:
        DecodeError: The Data Set is damaged in front of its records, or its tags are not in order there.
    """
    decoder = Decoder(syntax, stop_before=RECORDS, offset=at, limits=ROOT_LIMITS)
    while decoder.stop is None and at < size and (piece := pread(min(_STEP_BYTES, size - at), at)):
        decoder.feed(piece)
        at += len(piece)
    stop = decoder.stop
    root = decoder.finish()
    if stop is None or stop.tag == RECORDS:
        return root, stop
    if stop.tag >> 16 != RECORDS >> 16:
        return root, None
    raise DecodeError("the records do not stand where they should", tag=stop.tag, offset=stop.header_offset)


def places(pread: Pread, at: int, length: int, size: int, *, explicit: bool = True) -> Iterator[Place]:
    """Every record of the sequence in turn.

    Args:
        pread: ``pread(length, offset)``.
        at: Where the value of Directory Record Sequence starts.
        length: Of it; below 0: undefined.
        size: Of the file.
        explicit: Whether elements name their VR.

    Raises:
        DecodeError: It ends before it should, or there is something else than items in it.
        LimitError: A record is too long.
    """
    end = at + length if length >= 0 else size
    while at < end:
        head = pread(8, at)
        if len(head) < 8:
            raise DecodeError(_CUT, offset=at)
        group, element, count = struct.unpack("<HHI", head)
        tag = group << 16 | element
        if tag == _SEQUENCE_END and length < 0:
            return
        if tag != _ITEM:
            raise DecodeError("where the next record of the directory should start is no item", offset=at)
        if count == _UNDEFINED:
            after = _behind(pread, at + 8, explicit=explicit)
            yield Place(at, at + 8, after - 8)
        else:
            after = at + 8 + count
            if count > MAX_RECORD_BYTES:
                raise LimitError(f"a record of {count} bytes, more than {MAX_RECORD_BYTES}", offset=at)
            if after > min(end, size):
                raise DecodeError(_CUT, offset=min(end, size))
            yield Place(at, at + 8, after)
        at = after
    if length < 0:
        raise DecodeError(_CUT, offset=at)


def _behind(pread: Pread, start: int, *, explicit: bool) -> int:
    """Behind the delimiter that closes an item without length."""
    depth, at = 1, start
    while depth:
        tag, length, at = _header(pread, at, explicit=explicit)
        if tag in (_ITEM_END, _SEQUENCE_END):
            depth -= 1
        elif length == _UNDEFINED:
            depth += 1
        else:
            at += length
        if at - start > MAX_RECORD_BYTES:
            raise LimitError(f"a record of more than {MAX_RECORD_BYTES} bytes", offset=start)
    return at


def _header(pread: Pread, at: int, *, explicit: bool) -> tuple[int, int, int]:
    """Tag, length of the value, and where it starts."""
    head = pread(12, at)
    if len(head) < 8:
        raise DecodeError(_CUT, offset=at)
    group, element = struct.unpack_from("<HH", head)
    tag = group << 16 | element
    if group == 0xFFFE or not explicit:
        return tag, int.from_bytes(head[4:8], "little"), at + 8
    if head[4:6] in _SHORT:
        return tag, int.from_bytes(head[6:8], "little"), at + 8
    return tag, int.from_bytes(head[8:12], "little"), at + 12
