"""Previews: averages, windows, colours and refusals."""

from __future__ import annotations

import struct

import pytest

from agent.errors import NativeArgumentError
from agent.native.frame import FrameDescription
from agent.native.picture import Window, find_window, thumbnail

FULL = Window(0, 255)


def test_cells_are_means_of_their_boxes() -> None:
    frame = bytes([0, 10, 100, 102, 20, 30, 104, 106, 1, 1, 2, 2])
    assert thumbnail(frame, FrameDescription(3, 4), 1, 2, window=FULL) == bytes([10, 69])
    assert thumbnail(frame, FrameDescription(3, 4), 3, 4, window=FULL) == frame


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_stays_colour(planar: int) -> None:
    pixels = [(255, 0, 9)] * 4
    frame = bytes(v for p in pixels for v in p) if planar == 0 else bytes(p[k] for k in range(3) for p in pixels)
    rgb = FrameDescription(2, 2, 3, photometric_interpretation="RGB", planar_configuration=planar)
    assert thumbnail(frame, rgb, 1, 1) == bytes([255, 0, 9])


def test_ybr_becomes_rgb_and_monochrome1_is_turned() -> None:
    ybr = FrameDescription(1, 1, 3, photometric_interpretation="YBR_FULL")
    assert thumbnail(bytes([76, 85, 255]), ybr, 1, 1) == bytes([254, 0, 0])
    inverted = FrameDescription(1, 2, photometric_interpretation="MONOCHROME1")
    assert thumbnail(bytes([0, 200]), inverted, 1, 2, window=FULL) == bytes([255, 55])


def test_window_maps_16_bits_and_masks_what_is_not_stored() -> None:
    d = FrameDescription(1, 3, 1, 16, 12, 11)
    frame = struct.pack("<3H", 0x0000, 0xF800, 0x0FFF)
    assert thumbnail(frame, d, 1, 3, window=Window(0, 4095)) == bytes([0, 128, 255])
    assert thumbnail(frame, d, 1, 3, window=Window(2047, 2049)) == bytes([0, 128, 255])


def test_signed_values_are_ordered() -> None:
    d = FrameDescription(1, 3, 1, 16, 16, 15, pixel_representation=1)
    frame = struct.pack("<3h", -1000, 0, 1000)
    assert thumbnail(frame, d, 1, 3, window=Window(-1000, 1000)) == bytes([0, 128, 255])
    window = find_window(frame, d, tail=0.0)
    assert -1000 - 256 < window.low <= -1000
    assert 1000 <= window.high < 1000 + 256


def test_found_window_leaves_the_tails_out() -> None:
    d = FrameDescription(10, 100)
    frame = bytes([0] * 4 + [50] * 496 + [60] * 496 + [255] * 4)
    assert find_window(frame, d) == (50, 60)
    assert find_window(frame, d, tail=0.0) == (0, 255)
    assert find_window(bytes([7] * 1000), d) == (7, 8)
    assert thumbnail(bytes([7] * 1000), d, 1, 1) == b"\x00"


@pytest.mark.parametrize(
    ("rows", "columns", "window"), [(0, 1, FULL), (3, 1, FULL), (1, 3, FULL), (1, 1, Window(5, 5))]
)
def test_impossible_sizes_are_refused(rows: int, columns: int, window: Window) -> None:
    with pytest.raises(NativeArgumentError):
        thumbnail(bytes(4), FrameDescription(2, 2), rows, columns, window=window)


@pytest.mark.parametrize("name", ["PALETTE COLOR", "YBR_FULL_422"])
def test_other_photometric_interpretations_are_refused_by_name(name: str) -> None:
    with pytest.raises(NativeArgumentError, match=name):
        thumbnail(bytes(4), FrameDescription(2, 2, photometric_interpretation=name), 1, 1)
