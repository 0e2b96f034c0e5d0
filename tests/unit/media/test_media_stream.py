"""Instances written frame by frame, read back by ourselves and by pydicom."""

from __future__ import annotations

import functools
import os
import tracemalloc
from typing import TYPE_CHECKING

import pydicom
import pytest
from pydicom.encaps import generate_frames

from agent.dataset.dataset import DataSet
from agent.dataset.pixels import PixelDescription
from agent.dataset.uid import (
    DEFLATED_EXPLICIT_VR_LE,
    EXPLICIT_VR_LE,
    IMPLICIT_VR_LE,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
    US_MULTIFRAME,
    is_encapsulated,
)
from agent.errors import DecodeError, EncodeError
from agent.media.instance import encode_instance
from agent.media.part10 import FileMeta
from agent.media.reader import Instance, open_instance
from agent.media.stream import InstanceLayout

if TYPE_CHECKING:
    from pathlib import Path

BYTES = PixelDescription(5, 7)  # an odd number of bytes
WORDS = PixelDescription(4, 6, bits_allocated=16, bits_stored=12, high_bit=11)


def meta(syntax: str) -> FileMeta:
    return FileMeta(US_MULTIFRAME, "1.2.3", syntax, "AE")


def attributes(description: PixelDescription) -> DataSet:
    return DataSet({"SOPClassUID": US_MULTIFRAME, "SOPInstanceUID": "1.2.3", **description.to_elements()})


def write(path: Path, layout: InstanceLayout, frames: list[bytes], dataset: DataSet | None = None) -> Path:
    with path.open("wb") as file:
        file.seek(layout.pixel_offset)
        for frame in frames:
            file.write(layout.before(len(frame)) + frame + layout.after(len(frame)))
        head, tail = layout.finish(meta(layout.transfer_syntax_uid), dataset or attributes(layout.description))
        assert len(head) == layout.pixel_offset
        file.write(tail)
        file.seek(0)
        file.write(head)
    return path


def opened(path: Path) -> Instance:
    data = path.read_bytes()
    return open_instance(lambda length, offset: data[offset : offset + length], len(data))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("description", [BYTES, WORDS], ids=["bytes", "words"])
@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE])
def test_native_frames(tmp_path: Path, syntax: str, description: PixelDescription, count: int) -> None:
    frames = [os.urandom(description.frame_bytes) for _ in range(count)]
    layout = InstanceLayout(syntax, description, max_frames=count + 2)
    path = write(tmp_path / "x", layout, frames)
    instance = opened(path)
    assert instance.meta == meta(syntax)
    assert [instance.read_frame(i) for i in range(instance.number_of_frames)] == frames
    theirs = pydicom.dcmread(path)
    assert theirs.PixelData[: count * description.frame_bytes] == b"".join(frames)
    assert len(theirs.PixelData) % 2 == 0
    assert ("OW" if description is WORDS or syntax == IMPLICIT_VR_LE else "OB") == theirs["PixelData"].VR
    assert theirs.get("NumberOfFrames", 1) == count


@pytest.mark.parametrize("extended", [False, True])
def test_encapsulated_frames(tmp_path: Path, extended: bool) -> None:
    frames = [os.urandom(35 + i) for i in range(5)]
    layout = InstanceLayout(RLE_LOSSLESS, BYTES, max_frames=8, extended=extended)
    path = write(tmp_path / "x", layout, frames)
    instance = opened(path)
    assert [instance.read_frame(i)[: 35 + i] for i in range(instance.number_of_frames)] == frames
    theirs = pydicom.dcmread(path)
    tables = (theirs.ExtendedOffsetTable, theirs.ExtendedOffsetTableLengths) if extended else None
    found = generate_frames(theirs.PixelData, number_of_frames=5, extended_offsets=tables)
    assert [frame[: 35 + i] for i, frame in enumerate(found)] == frames
    assert ("ExtendedOffsetTable" in theirs) is extended


def test_offsets_beyond_32_bits_need_the_extended_table() -> None:
    large = PixelDescription(40_000, 40_000)
    layout = InstanceLayout(JPEG_LS_LOSSLESS, large, max_frames=3)
    for _ in range(3):
        layout.before(0xFFFFFFF0)
    head, _ = layout.finish(meta(JPEG_LS_LOSSLESS), attributes(large))
    assert b"\xe0\x7f\1\0OV\0\0\x18\0\0\0" in head
    assert head.endswith(b"\xfe\xff\0\xe0\0\0\0\0")


def test_without_room_for_it_both_tables_stay_empty() -> None:
    layout = InstanceLayout(JPEG_LS_LOSSLESS, BYTES, max_frames=3)
    for _ in range(3):
        layout.before(0xFFFFFFF0)
    head, _ = layout.finish(meta(JPEG_LS_LOSSLESS), attributes(BYTES))
    assert b"\xe0\x7f\1\0OV" not in head
    assert head.endswith(b"\xfe\xff\0\xe0\0\0\0\0")


def test_native_pixel_data_end_before_four_gigabytes() -> None:
    large = PixelDescription(30_000, 30_000)
    layout = InstanceLayout(EXPLICIT_VR_LE, large, max_frames=100)
    assert layout.room() == 4
    for _ in range(4):
        layout.before(large.frame_bytes)
    assert layout.room() == 0
    with pytest.raises(EncodeError, match="no room"):
        layout.before(large.frame_bytes)
    layout.finish(meta(EXPLICIT_VR_LE), attributes(large))


def test_frames_are_counted_and_measured() -> None:
    layout = InstanceLayout(EXPLICIT_VR_LE, WORDS, max_frames=2)
    with pytest.raises(EncodeError, match="without frames"):
        layout.finish(meta(EXPLICIT_VR_LE), attributes(WORDS))
    with pytest.raises(EncodeError, match="a frame of 3 bytes"):
        layout.before(3)
    layout.before(48)
    layout.before(48)
    assert layout.frames == 2
    with pytest.raises(EncodeError, match="no room"):
        layout.before(48)
    compressed = InstanceLayout(RLE_LOSSLESS, WORDS, max_frames=1)
    with pytest.raises(EncodeError, match="0 bytes"):
        compressed.before(0)
    compressed.before(9)
    with pytest.raises(EncodeError, match="no room"):
        compressed.before(9)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"NumberOfFrames": 3}, "3 frames are stated and 2 were written"),
        ({"Rows": 9}, "do not describe"),
        ({"PixelData": b"ab"}, "the layout's"),
        ({"ImageComments": "x" * 20_000}, r"\(0020,4000\)"),
        ({"TextValue": "x" * 40_000}, "more than there is room for"),
        ({"PatientName": ["A", "B"]}, "2 values"),
    ],
)
def test_finish_refuses_what_was_not_written(changes: dict[str, object], complaint: str) -> None:
    layout = InstanceLayout(EXPLICIT_VR_LE, WORDS, max_frames=2)
    layout.before(48)
    layout.before(48)
    ds = attributes(WORDS)
    ds.update(changes)  # type: ignore[arg-type]
    with pytest.raises(EncodeError, match=complaint):
        layout.finish(meta(EXPLICIT_VR_LE), ds)


def test_finish_refuses_another_transfer_syntax() -> None:
    layout = InstanceLayout(EXPLICIT_VR_LE, WORDS, max_frames=1)
    layout.before(48)
    with pytest.raises(EncodeError, match="written for Explicit"):
        layout.finish(meta(IMPLICIT_VR_LE), attributes(WORDS))


@pytest.mark.parametrize(
    ("syntax", "description", "frames", "complaint"),
    [
        (DEFLATED_EXPLICIT_VR_LE, WORDS, 1, "frame by frame"),
        ("1.2.840.10008.1.2.4.102", WORDS, 1, "frame by frame"),
        (EXPLICIT_VR_LE, WORDS, 0, "1 to 100000 frames"),
        (EXPLICIT_VR_LE, WORDS, 100_001, "1 to 100000 frames"),
        (EXPLICIT_VR_LE, PixelDescription(3, 3, 1, 1, 1, 0), 2, "end on a byte"),
    ],
)
def test_what_has_no_layout(syntax: str, description: PixelDescription, frames: int, complaint: str) -> None:
    with pytest.raises(EncodeError, match=complaint):
        InstanceLayout(syntax, description, max_frames=frames)


def test_a_budget_too_large_for_readers_is_refused() -> None:
    with pytest.raises(EncodeError, match="longer than readers accept"):
        InstanceLayout(EXPLICIT_VR_LE, WORDS, max_frames=1, header_budget=1 << 23)


def test_memory_does_not_grow_with_the_frames() -> None:
    layout = InstanceLayout(RLE_LOSSLESS, BYTES, max_frames=100_000)
    tracemalloc.start()
    for _ in range(100_000):
        layout.before(921_600)
    current, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < 1_000_000


# --- whole instances ----------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [IMPLICIT_VR_LE, EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE, RLE_LOSSLESS])
def test_whole_instances(tmp_path: Path, syntax: str) -> None:
    frames = [os.urandom(WORDS.frame_bytes) for _ in range(2)]
    ds = attributes(WORDS)
    ds["NumberOfFrames"] = 2
    path = tmp_path / "x"
    path.write_bytes(b"".join(encode_instance(meta(syntax), ds, frames)))
    instance = opened(path)
    assert [instance.read_frame(i) for i in range(2)] == frames
    assert instance.dataset == ds
    theirs = pydicom.dcmread(path)
    if is_encapsulated(syntax):
        assert list(generate_frames(theirs.PixelData, number_of_frames=2)) == frames
    else:
        assert theirs.PixelData == b"".join(frames)


def test_instances_without_pixels(tmp_path: Path) -> None:
    for syntax in (EXPLICIT_VR_LE, DEFLATED_EXPLICIT_VR_LE):
        path = tmp_path / "x"
        path.write_bytes(b"".join(encode_instance(meta(syntax), DataSet({"PatientID": "A"}))))
        instance = opened(path)
        assert instance.pixels is None
        assert instance.number_of_frames == 0
        with pytest.raises(IndexError):
            instance.read_frame(0)


# --- reading ------------------------------------------------------------------------------------


def test_pixels_stay_on_disk(tmp_path: Path) -> None:
    large = PixelDescription(1024, 1024)
    layout = InstanceLayout(EXPLICIT_VR_LE, large, max_frames=64)
    path = write(tmp_path / "x", layout, [bytes(large.frame_bytes)] * 64)
    asked: list[int] = []
    fd = os.open(path, os.O_RDONLY)

    def pread(length: int, offset: int) -> bytes:
        asked.append(length)
        return os.pread(fd, length, offset)

    open_instance(pread, path.stat().st_size)
    assert sum(asked) < 200_000
    instance = open_instance(functools.partial(os.pread, fd), path.stat().st_size)
    assert instance.frame_extents(63) == [(layout.pixel_offset + 63 * large.frame_bytes, large.frame_bytes)]
    os.close(fd)


@pytest.mark.parametrize("syntax", [EXPLICIT_VR_LE, RLE_LOSSLESS, DEFLATED_EXPLICIT_VR_LE])
def test_cut_anywhere_is_refused(tmp_path: Path, syntax: str) -> None:
    ds = attributes(BYTES)
    data = b"".join(encode_instance(meta(syntax), ds, [bytes(BYTES.frame_bytes)]))
    whole = open_instance(lambda length, offset: data[offset : offset + length], len(data))
    for end in range(132, len(data) - 1):
        part = data[:end]
        try:
            instance = open_instance(lambda length, offset, part=part: part[offset : offset + length], end)  # type: ignore[misc]
        except DecodeError:
            continue
        assert instance.pixels is None  # between two elements, before Pixel Data
        assert len(instance.dataset) < len(whole.dataset) or end < len(data) - BYTES.frame_bytes


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"NumberOfFrames": 9}, "too few for 9 frames"), ({"NumberOfFrames": "many"}, "not believable"),
     ({"Rows": None}, "Rows is missing"), ({"Rows": 65535, "Columns": 65535, "NumberOfFrames": 2**20}, "too few")],
)  # fmt: skip
def test_geometry_that_contradicts_the_pixels_is_refused(changes: dict[str, object], complaint: str) -> None:
    ds = attributes(WORDS)
    ds["PixelData"] = bytes(WORDS.frame_bytes)
    good = b"".join(encode_instance(meta(EXPLICIT_VR_LE), ds))
    open_instance(lambda length, offset: good[offset : offset + length], len(good))
    for key, value in changes.items():
        ds.set(key, value, vr="LO" if value == "many" else None)  # type: ignore[arg-type]
    data = b"".join(encode_instance(meta(EXPLICIT_VR_LE), ds))
    with pytest.raises(DecodeError, match=complaint):
        open_instance(lambda length, offset: data[offset : offset + length], len(data))


def test_pixel_data_must_fit_their_transfer_syntax() -> None:
    ds = attributes(WORDS)
    native = encode_instance(meta(EXPLICIT_VR_LE), ds, [bytes(48)])[1]
    packed = encode_instance(meta(RLE_LOSSLESS), ds, [bytes(48)])[1]
    for syntax, body in ((RLE_LOSSLESS, native), (EXPLICIT_VR_LE, packed)):
        data = encode_instance(meta(syntax), DataSet())[0] + body
        with pytest.raises(DecodeError, match=r"undefined length|must be encapsulated"):
            open_instance(lambda length, offset, data=data: data[offset : offset + length], len(data))  # type: ignore[misc]
