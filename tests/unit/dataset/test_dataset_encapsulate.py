"""Offset tables and the index of frames, against items laid out by hand."""

from __future__ import annotations

import struct

import pytest

from agent.dataset import encapsulate
from agent.dataset.encapsulate import Extent, FrameIndex
from agent.dataset.encode import SEQUENCE_END, item_header
from agent.errors import DecodeError


def index_of(table: bytes, fragments: list[bytes], frames: int, end: bytes = SEQUENCE_END) -> list[bytes]:
    """The frames found in pixel data of these items, which start at offset 100 of their file."""
    items = b"".join(item_header(len(data)) + data for data in (table, *fragments))
    data = bytes(100) + items + end

    def pread(length: int, offset: int) -> bytes:
        return data[offset : offset + length]

    index = FrameIndex.read(pread, 100, frames)
    return [b"".join(pread(length, offset) for offset, length in index[i]) for i in range(len(index))]


def test_one_fragment_per_frame_needs_no_table() -> None:
    assert index_of(b"", [b"ab", b"cdef", b"gh"], 3) == [b"ab", b"cdef", b"gh"]


def test_all_fragments_are_the_only_frame() -> None:
    assert index_of(b"", [b"ab", b"cd"], 1) == [b"abcd"]


def test_the_table_tells_which_fragments_make_a_frame() -> None:
    table = encapsulate.basic_offset_table([0, 20])
    assert index_of(table, [b"ab", b"cd", b"ef"], 2) == [b"abcd", b"ef"]


@pytest.mark.parametrize("table", [b"", struct.pack("<2I", 0, 4), b"\0\0\0", struct.pack("<4I", 0, 10, 20, 30)])
def test_without_a_table_codestreams_tell(table: bytes) -> None:
    fragments = [b"\xff\xd8ab", b"cd", b"\xff\xd8ef"]
    assert index_of(table, fragments, 2) == [b"\xff\xd8abcd", b"\xff\xd8ef"]


@pytest.mark.parametrize(
    ("fragments", "frames", "end", "complaint"),
    [
        ([b"ab"], 2, SEQUENCE_END, "1 fragments do not make 2"),
        ([b"ab", b"cd", b"ef"], 2, SEQUENCE_END, "3 fragments do not make 2"),
        ([], 1, SEQUENCE_END, "0 fragments"),
        ([b"ab"], 1, b"", "cut short"),
        ([b"ab"], 1, item_header(0xFFFFFFFF), "fragment was expected"),
        ([b"ab"], 1, bytes(8), "fragment was expected"),
    ],
)
def test_what_cannot_be_frames_is_refused(fragments: list[bytes], frames: int, end: bytes, complaint: str) -> None:
    with pytest.raises(DecodeError, match=complaint):
        index_of(b"", fragments, frames, end)


def test_no_items_at_all() -> None:
    with pytest.raises(DecodeError, match="no items"):
        FrameIndex.read(lambda length, offset: SEQUENCE_END[offset : offset + length], 0, 1)


def test_frames_outside_are_index_errors() -> None:
    data = item_header(0) + item_header(2) + b"ab" + SEQUENCE_END
    index = FrameIndex.read(lambda length, offset: data[offset : offset + length], 0, 1)
    assert index[0] == [Extent(16, 2)]
    with pytest.raises(IndexError):
        index[1]
    with pytest.raises(IndexError):
        index[-1]


def test_tables_on_the_wire() -> None:
    assert encapsulate.offsets_of([2, 4]) == [0, 10]
    assert encapsulate.basic_offset_table([0, 10]) == b"\0\0\0\0\x0a\0\0\0"
    assert encapsulate.extended_offset_table([0, 10]) == b"\0" * 8 + b"\x0a" + b"\0" * 7
    assert encapsulate.fragment_header(3) == b"\xfe\xff\0\xe0\4\0\0\0"


def test_fragments_are_padded_and_counted() -> None:
    fragments = encapsulate.fragments_of([b"abc", b"de"])
    assert fragments == (encapsulate.basic_offset_table([0, 12]), (b"abc\0", b"de"))
