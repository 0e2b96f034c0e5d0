"""Grey frames as one sample per pixel: what is grey, what has colour, and buffers that do not fit."""

from __future__ import annotations

import pytest

from agent.errors import NativeArgumentError
from agent.native.frame import FrameDescription
from agent.native.grey import narrow, widen

BY_PIXEL = FrameDescription(1, 3, 3, photometric_interpretation="RGB")
BY_PLANE = BY_PIXEL._replace(planar_configuration=1)


@pytest.mark.parametrize(
    ("description", "frame"), [(BY_PIXEL, b"\1\1\1\2\2\2\3\3\3"), (BY_PLANE, b"\1\2\3\1\2\3\1\2\3")]
)
def test_grey_becomes_a_third_and_comes_back(description: FrameDescription, frame: bytes) -> None:
    plane, again = bytearray(3), bytearray(9)
    assert narrow(frame, description, plane)
    assert plane == b"\1\2\3"
    assert widen(plane, description, again) == 9
    assert again == frame


def test_one_bit_of_colour_is_colour() -> None:
    assert not narrow(b"\1\1\1\2\2\3\3\3\3", BY_PIXEL, bytearray(3))
    assert not narrow(b"\1\1\1\2\2\2\3\3\3", BY_PLANE, bytearray(3))


def test_bits_above_the_stored_ones_count() -> None:
    twelve = FrameDescription(1, 1, 3, 16, 12, 11, photometric_interpretation="RGB")
    assert narrow(b"\1\2\1\2\1\2", twelve, bytearray(2))
    assert not narrow(b"\1\2\1\2\1\x82", twelve, bytearray(2))


def test_buffers_and_layouts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(NativeArgumentError):
        narrow(bytes(8), BY_PIXEL, bytearray(3))
    with pytest.raises(NativeArgumentError):
        narrow(bytes(9), BY_PIXEL, bytearray(2))
    with pytest.raises(NativeArgumentError):
        narrow(bytes(9), BY_PIXEL, bytes(3))
    with pytest.raises(NativeArgumentError):
        narrow(bytes(3), FrameDescription(1, 3), bytearray(3))
    with pytest.raises(NativeArgumentError):
        widen(bytes(3), BY_PIXEL, bytearray(8))
