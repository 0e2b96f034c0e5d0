"""Arrays as frames: they describe themselves through the buffer protocol."""

from __future__ import annotations

import array

import numpy as np
import pytest

from agent.errors import NativeArgumentError
from agent.native.compress import JPEG_LS_LOSSLESS, RLE_LOSSLESS, TRANSFER_SYNTAXES, decode, encode
from agent.native.frame import FrameDescription, array_description

MATRIX = np.arange(6 * 5, dtype=np.uint16).reshape(6, 5)


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES)
@pytest.mark.parametrize("item", ["B", "b", "H", "h", "<u2", "<i2"])
@pytest.mark.parametrize("samples", [(), (1,), (3,)])
def test_an_array_is_coded_as_its_bytes_and_description(syntax: str, item: str, samples: tuple[int, ...]) -> None:
    frame = np.arange(4 * 7 * (samples or (1,))[0]).astype(item).reshape(4, 7, *samples)
    bits = 8 * frame.itemsize
    described = FrameDescription(
        4, 7, (samples or (1,))[0], bits, bits, bits - 1, int(frame.dtype.kind == "i"),
        "RGB" if samples == (3,) else "MONOCHROME2",
    )  # fmt: skip
    assert array_description(frame) == described
    coded = encode(frame, syntax)
    assert coded == encode(frame.tobytes(), syntax, description=described)
    back = np.zeros_like(frame)
    assert decode(coded, syntax, described, out=back) == frame.nbytes
    assert (back == frame).all()


def test_bits_stored_are_said_where_the_items_have_more() -> None:
    assert array_description(MATRIX, 12)[4:6] == (12, 11)
    narrow, wide = encode(MATRIX, JPEG_LS_LOSSLESS, bits_stored=12), encode(MATRIX, JPEG_LS_LOSSLESS)
    assert narrow != wide
    assert decode(narrow, JPEG_LS_LOSSLESS, array_description(MATRIX, 12)) == MATRIX.tobytes()
    flat = {"description": array_description(MATRIX, 12)}
    assert encode(MATRIX, JPEG_LS_LOSSLESS, bits_stored=12, **flat) == narrow
    with pytest.raises(NativeArgumentError, match="10 bits stored, and 12 in the description"):
        encode(MATRIX, JPEG_LS_LOSSLESS, bits_stored=10, **flat)


def test_no_library_is_needed_for_an_array() -> None:
    shaped = memoryview(array.array("H", range(30))).cast("B").cast("H", (6, 5))
    assert encode(shaped, RLE_LOSSLESS) == encode(MATRIX, RLE_LOSSLESS)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"flat bytes", "shape"),
        (np.zeros((2, 3, 4), np.uint8), "shape"),
        (np.zeros((1, 2, 2, 3), np.uint8), "shape"),
        (np.zeros((2, 2), np.float32), "format 'f'"),
        (np.zeros((2, 2), np.uint32), "format 'I'"),
        (np.zeros((2, 2), ">u2"), "format '>H'"),
        (np.zeros((4, 4), np.uint8)[:, ::2], "not a usable buffer"),
        (np.zeros((0, 4), np.uint8), "not a usable buffer|rows"),
        (3, "not a usable buffer"),
    ],
)
def test_what_is_no_frame_is_refused(frame: object, reason: str) -> None:
    with pytest.raises(NativeArgumentError, match=reason):
        encode(frame, RLE_LOSSLESS)  # type: ignore[call-overload]
