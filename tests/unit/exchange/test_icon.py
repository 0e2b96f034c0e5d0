"""Icons of Directory Records: one form whatever the image is, and through the grayscale chain where it has a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest
from fakes import masters

from agent.app.source_file import opened
from agent.dataset import uid
from agent.exchange.icon import SIDE, icon_of

if TYPE_CHECKING:
    from pathlib import Path

_PIXELS = 0x7FE00010


def pixels_of(path: Path) -> bytes | None:
    with opened(str(path)) as file:
        icon = icon_of(file)
    if icon is None:
        return None
    assert (icon["Rows"], icon["Columns"], icon["BitsAllocated"]) == (SIDE, SIDE, 8)
    assert icon.text("PhotometricInterpretation") == "MONOCHROME2"
    data = icon[_PIXELS]
    assert isinstance(data, bytes)
    assert len(data) == SIDE * SIDE
    return data


@pytest.mark.parametrize("kind", ["us", "us-mf", "dx", "sc", "xa"])
def test_one_icon_whatever_the_transfer_syntax(tmp_path: Path, kind: str) -> None:
    syntaxes = (uid.EXPLICIT_VR_LE, uid.RLE_LOSSLESS, uid.JPEG_LS_LOSSLESS, uid.JPEG_LOSSLESS_SV1)
    icons = {pixels_of(masters.write(tmp_path, kind, syntax)) for syntax in syntaxes}
    assert len(icons) == 1
    assert None not in icons


def test_the_shape_is_kept_between_black_bars(tmp_path: Path) -> None:
    data = pixels_of(masters.write(tmp_path, "sc", uid.EXPLICIT_VR_LE, rows=100, columns=200))
    assert data is not None
    assert data[: 16 * SIDE] == data[48 * SIDE :] == bytes(16 * SIDE)
    assert any(data[20 * SIDE : 44 * SIDE])


def windowed(path: Path, center: float, width: float, interpretation: str = "MONOCHROME2") -> Path:
    found = pydicom.dcmread(path)
    found.WindowCenter, found.WindowWidth = center, width
    found.PhotometricInterpretation = interpretation
    if "PresentationLUTShape" in found:
        del found.PresentationLUTShape
    found.save_as(path)
    return path


def test_the_window_of_the_image_counts(tmp_path: Path) -> None:
    """All values of the picture are above the first window and below the second."""
    bright = pixels_of(windowed(masters.write(tmp_path, "dx", uid.EXPLICIT_VR_LE, rows=64, columns=64), -500, 10))
    dark = pixels_of(windowed(masters.write(tmp_path, "dx", uid.EXPLICIT_VR_LE, rows=64, columns=64), 15_000, 10))
    assert bright is not None
    assert dark is not None
    assert set(bright) == {255}
    assert set(dark) == {0}
    inverted = windowed(masters.write(tmp_path, "dx", uid.EXPLICIT_VR_LE, rows=64, columns=64), -500, 10, "MONOCHROME1")
    shown = pixels_of(inverted)
    assert shown is not None
    assert set(shown) == {0}


def test_a_large_image_is_thinned_out_first(tmp_path: Path) -> None:
    data = pixels_of(windowed(masters.write(tmp_path, "dx", uid.EXPLICIT_VR_LE, rows=1100, columns=1100), 3000, 6000))
    assert data is not None
    assert len(set(data)) > 10


def test_what_is_not_decoded_brings_its_own_or_none(tmp_path: Path) -> None:
    path = masters.write(tmp_path, "us-mf", uid.EXPLICIT_VR_LE)
    masters.call_it(path, uid.JPEG_LS_NEAR)
    assert pixels_of(path) is None
    found = pydicom.dcmread(path)
    item = pydicom.Dataset()
    item.Rows = item.Columns = SIDE
    item.SamplesPerPixel, item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 1, 8, 8, 7, 0
    item.PhotometricInterpretation = "MONOCHROME2"
    item.PixelData = bytes(range(64)) * 64
    found.IconImageSequence = [item]
    found.save_as(path)
    assert pixels_of(path) == bytes(range(64)) * 64
