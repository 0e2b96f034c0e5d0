"""RLE Lossless for all geometries and all input: what goes in comes out, and nothing else ever happens."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

from fakes import rle_twin
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.pixels.decoders.rle import _rle_decode_frame
from pydicom.pixels.encoders.native import _encode_frame as pydicom_encode_frame

from agent.errors import NativeDataError
from agent.native.compress import RLE_LOSSLESS, decode, encode, encode_bound, rle_beside
from agent.native.frame import FrameDescription

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn


@st.composite
def layouts(draw: DrawFn) -> FrameDescription:
    samples, bits = draw(st.sampled_from([1, 3])), draw(st.sampled_from([8, 16]))
    rows, columns = draw(st.integers(1, 6)), draw(st.one_of(st.integers(1, 20), st.integers(60, 300)))
    planar = draw(st.sampled_from([0, 1])) if samples == 3 else 0
    return FrameDescription(rows, columns, samples, bits, bits, bits - 1, planar_configuration=planar)


@st.composite
def frames(draw: DrawFn) -> tuple[FrameDescription, bytes]:
    """Frames made of runs and noise, because uniform bytes hold no runs."""
    description = draw(layouts())
    pieces = draw(st.lists(st.tuples(st.binary(min_size=1, max_size=9), st.integers(1, 150)), min_size=1, max_size=30))
    pattern = b"".join(piece * count for piece, count in pieces)
    size = description.frame_bytes
    return description, (pattern * (size // len(pattern) + 1))[:size]


@given(frames())
def test_frame_comes_back_and_is_what_the_twin_says(case: tuple[FrameDescription, bytes]) -> None:
    d, native = case
    coded = encode(native, RLE_LOSSLESS, description=d)
    sample_bytes = d.bits_allocated // 8
    assert len(coded) % 2 == 0
    assert len(coded) <= encode_bound(d, RLE_LOSSLESS)
    assert coded == rle_twin.encode(
        native, d.rows, d.columns, d.samples_per_pixel, sample_bytes, d.planar_configuration
    )
    assert decode(coded, RLE_LOSSLESS, d) == native


@given(frames())
def test_pydicom_reads_ours_and_we_read_pydicom_s(case: tuple[FrameDescription, bytes]) -> None:
    d, native = case
    by_plane = d._replace(planar_configuration=1 if d.samples_per_pixel == 3 else 0)
    coded = encode(native, RLE_LOSSLESS, description=by_plane)
    theirs = _rle_decode_frame(coded, d.rows, d.columns, d.samples_per_pixel, d.bits_allocated, ">")
    assert bytes(theirs) == native
    by_pixel = d._replace(planar_configuration=0)
    runner = SimpleNamespace(
        get_option=lambda _name, default: default,
        bits_allocated=d.bits_allocated,
        samples_per_pixel=d.samples_per_pixel,
        columns=d.columns,
    )
    assert decode(pydicom_encode_frame(native, runner), RLE_LOSSLESS, by_pixel) == native


@given(st.binary(max_size=400), layouts())
@example(bytes(64), FrameDescription(1, 1))
def test_any_bytes_decode_or_are_refused_as_data(data: bytes, description: FrameDescription) -> None:
    out = bytearray(b"\xaa" * (description.frame_bytes + 64))
    view = memoryview(out)[: description.frame_bytes]
    with contextlib.suppress(NativeDataError):
        assert decode(data, RLE_LOSSLESS, description, out=view) == description.frame_bytes
        assert rle_beside(data, description) == 0
    assert out[description.frame_bytes :] == b"\xaa" * 64


@given(frames(), st.data())
def test_damaged_frames_decode_or_are_refused_as_data(
    case: tuple[FrameDescription, bytes], data: st.DataObject
) -> None:
    description, native = case
    coded = bytearray(encode(native, RLE_LOSSLESS, description=description))
    for _ in range(data.draw(st.integers(1, 4))):
        coded[data.draw(st.integers(0, len(coded) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(coded)))
    try:
        assert len(decode(coded[:cut], RLE_LOSSLESS, description)) == description.frame_bytes
    except NativeDataError:
        return
