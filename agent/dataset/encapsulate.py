"""Encapsulated Pixel Data: fragments, offset tables and finding frames again (PS3.5 A.4, PS3.3 C.7.6.3.1.8).

::

    (7FE0,0010) OB, undefined length
      item: Basic Offset Table, one UInt32 per frame, or empty
      item: fragment ...                    even length, never parts of two frames
      sequence delimiter

We write one fragment per frame. Offsets count from the first fragment's item tag. Where one does not fit 32 bits, the
Basic Offset Table stays empty and the Extended Offset Table (7FE0,0001) with its lengths (7FE0,0002) says it.

Reading never trusts a table: the item headers are walked, eight bytes each, and a table only helps to tell which
fragments make a frame where there are more fragments than frames.
"""

from __future__ import annotations

import struct
from array import array

from agent.dataset.encode import item_header
from agent.dataset.tag import ITEM, PIXEL_DATA, SEQUENCE_DELIMITATION
from agent.dataset.values import Fragments
from agent.errors import DecodeError, LimitError
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

ITEM_HEADER_BYTES = 8
MAX_BASIC_OFFSET = 0xFFFFFFFE
# A fragment per frame and 100,000 frames are an hour of ultrasound; beyond this the file is an attack.
MAX_FRAGMENTS = 1 << 20
_CODESTREAM_STARTS = (b"\xff\xd8", b"\xff\x4f")  # SOI of JPEG and JPEG-LS, SOC of JPEG 2000


class Extent(NamedTuple):
    """Bytes of a file."""

    offset: int
    length: int


def fragments_of(frames: Iterable[bytes]) -> Fragments:
    """Frames as the value of Pixel Data: one padded fragment each, and their Basic Offset Table."""
    padded = tuple(frame + b"\0" if len(frame) & 1 else bytes(frame) for frame in frames)
    offsets = offsets_of([len(frame) for frame in padded])
    fits = not offsets or offsets[-1] <= MAX_BASIC_OFFSET
    return Fragments(basic_offset_table(offsets) if fits else b"", padded)


def offsets_of(fragment_lengths: Sequence[int]) -> list[int]:
    """Where each fragment's item starts, counted from the first one's, for fragments of these even lengths."""
    offsets, at = [], 0
    for length in fragment_lengths:
        offsets.append(at)
        at += ITEM_HEADER_BYTES + length
    return offsets


def basic_offset_table(offsets: Sequence[int]) -> bytes:
    """The content of the Basic Offset Table item."""
    return struct.pack(f"<{len(offsets)}I", *offsets)


def extended_offset_table(numbers: Sequence[int]) -> bytes:
    """The value of (7FE0,0001) from offsets, or of (7FE0,0002) from fragment lengths."""
    return struct.pack(f"<{len(numbers)}Q", *numbers)


class FrameIndex:
    """Where the fragments of each frame are; twelve bytes per fragment, whatever the frames weigh."""

    __slots__ = ("_first", "_lengths", "_offsets", "closed", "end", "table")

    def __init__(self) -> None:
        self.table = Extent(0, 0)  # the Basic Offset Table
        self.end = 0  # offset behind the sequence delimiter
        self.closed = True  # whether there is one
        self._offsets = array("Q")  # of the fragment's bytes in the file
        self._lengths = array("I")
        self._first = array("I")  # the first fragment of each frame

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, frame: int) -> list[Extent]:
        """The fragments of a frame, counted from 0."""
        if not 0 <= frame < len(self._first):
            raise IndexError(f"frame {frame} of {len(self._first)}")
        end = self._first[frame + 1] if frame + 1 < len(self._first) else len(self._offsets)
        return [Extent(self._offsets[i], self._lengths[i]) for i in range(self._first[frame], end)]

    @classmethod
    def read(cls, pread: Callable[[int, int], bytes], offset: int, number_of_frames: int) -> FrameIndex:
        """Walk the items of encapsulated Pixel Data.

        Args:
            pread: ``pread(length, offset)``, as ``os.pread`` without its descriptor.
            offset: Where the Basic Offset Table's item starts.
            number_of_frames: What Number of Frames promises.

        Raises:
            DecodeError: The items are damaged or cannot be that many frames.
        """
        index = cls.walk(pread, offset)
        index.group(pread, number_of_frames)
        return index

    @classmethod
    def walk(cls, pread: Callable[[int, int], bytes], offset: int, *, open_end: bool = False) -> FrameIndex:
        """Find the fragments and nothing more: no frames until ``group`` has told them apart.

        With ``open_end`` the bytes may end where the delimiter belongs; ``closed`` tells whether they do.

        Raises:
            DecodeError: The items are damaged.
        """
        index = cls()
        table_length, offset = _item(pread, offset)
        if table_length is None:
            raise DecodeError("encapsulated Pixel Data has no items", tag=PIXEL_DATA, offset=offset)
        index.table = Extent(offset, table_length)
        offset += table_length
        while True:
            if open_end and len(pread(2, offset - 1)) == 1:  # the end is here, not before
                index.closed = False
                break
            length, offset = _item(pread, offset)
            if length is None:
                break
            if len(index._offsets) == MAX_FRAGMENTS:
                raise LimitError(f"more than {MAX_FRAGMENTS} fragments", tag=PIXEL_DATA, offset=offset)
            index._offsets.append(offset)
            index._lengths.append(length)
            offset += length
        index.end = offset
        return index

    def fragments(self) -> Iterator[Extent]:
        """All fragments, whatever frame they belong to."""
        return map(Extent, self._offsets, self._lengths)

    def group(self, pread: Callable[[int, int], bytes], number_of_frames: int, *, one_each: bool = False) -> None:
        """Tell which fragment starts a frame: by count, by the table, or by what a codestream starts with.

        ``one_each``: the transfer syntax has one fragment for each frame, as RLE Lossless does (PS3.5 A.4.2).

        Raises:
            DecodeError: The fragments cannot be that many frames; a frame too many is never glued to another.
        """
        count = len(self._offsets)
        if count == number_of_frames:
            self._first = array("I", range(count))
        elif one_each:
            self._first = array("I")
        elif number_of_frames == 1 and count:
            several = self.table.length > 4 or len(self._by_codestream(pread)) > 1
            self._first = array("I") if several else array("I", [0])
        elif count > number_of_frames > 0:
            self._first = self._by_table(pread) or self._by_codestream(pread)
        if len(self._first) != number_of_frames or not count:
            raise DecodeError(f"{count} fragments do not make {number_of_frames} frames", tag=PIXEL_DATA)

    def _by_table(self, pread: Callable[[int, int], bytes]) -> array[int] | None:
        """Frame starts from the Basic Offset Table, or None where an entry hits no fragment."""
        table = self.table
        first_item = table.offset + table.length
        if not table.length or table.length % 4 or table.length // 4 > len(self._offsets):
            return None
        data = pread(table.length, table.offset)
        if len(data) != table.length:
            return None
        starts, fragment = array("I"), 0
        for (entry,) in struct.iter_unpack("<I", data):
            target = first_item + entry + ITEM_HEADER_BYTES
            while fragment < len(self._offsets) and self._offsets[fragment] < target:
                fragment += 1
            if fragment == len(self._offsets) or self._offsets[fragment] != target:
                return None
            starts.append(fragment)
        return starts

    def _by_codestream(self, pread: Callable[[int, int], bytes]) -> array[int]:
        starts = array("I")
        for fragment, offset in enumerate(self._offsets):
            if pread(2, offset) in _CODESTREAM_STARTS:
                starts.append(fragment)
        return starts


def fragment_header(length: int) -> bytes:
    """The item header before a frame of this many bytes."""
    return item_header(length + (length & 1))


def _item(pread: Callable[[int, int], bytes], offset: int) -> tuple[int | None, int]:
    """Length and offset of the next item's bytes; no length at the sequence delimiter."""
    header = pread(ITEM_HEADER_BYTES, offset)
    if len(header) != ITEM_HEADER_BYTES:
        raise DecodeError("the fragments are cut short", tag=PIXEL_DATA, offset=offset)
    group, element, length = struct.unpack("<HHI", header)
    tag = group << 16 | element
    if tag == SEQUENCE_DELIMITATION:
        return None, offset + ITEM_HEADER_BYTES
    if tag != ITEM or length == 0xFFFFFFFF:
        raise DecodeError("a fragment was expected", tag=PIXEL_DATA, offset=offset)
    return length, offset + ITEM_HEADER_BYTES
