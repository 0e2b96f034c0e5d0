"""Calibrated instances as others see them: dciodvfy finds no error, and GDCM and pydicom measure what is there.

The phantom is a picture with two bright crosses whose distance is known in millimetres. Where they ended up in the
stored pixels, and how far apart they are, is worked out from the instance alone.
"""

from __future__ import annotations

import subprocess
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fakes.calibrated import COLUMNS, ROWS, SECTOR, clip, picture, template, write
from pydicom import dcmread

from agent.app.cli import main
from agent.iod.regions import Region, m_mode, spectrum

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CROSSES = ((14, 20), (38, 44))  # row, column: 24 rows of 0.4 mm, 24 columns of 0.5 mm
APART_MM = hypot(24 * 0.4, 24 * 0.5)


def phantom(depth: int = 16) -> np.ndarray[Any, Any]:
    frame = picture(depth)
    frame[8:44, 10:50] = frame[8:44, 10:50] // 4
    for row, column in CROSSES:
        frame[row, column] = 255
    return frame


def captured(folder: Path, kind: str, *keys: str, regions: tuple[Region, ...] = (SECTOR,)) -> Path:
    path = folder / "made.dcm"
    uri = clip(folder / "f", *[phantom()] * (3 if kind == "us-mf" else 1))
    lines = (
        "[[source]]", 'name = "probe"', f'uri = "{uri}"', f'sop_class = "{kind}"',
        f'calibration = "{write(folder / "deep.toml", template(16, *regions))}"', *keys,
    )  # fmt: skip
    (folder / "agent.toml").write_text("\n".join(lines))
    words = ["--config", str(folder / "agent.toml")]
    assert main(["config", "check", *words]) == 0
    assert main(["capture", "--source", "probe", "-o", str(path), *words]) == 0
    return path


def region_at(ds: Any, row: int, column: int) -> Any:
    """The region of high priority that a pixel lies in (C.8.5.5.1.3)."""
    found = [
        one for one in ds.SequenceOfUltrasoundRegions
        if one.RegionLocationMinX0 <= column <= one.RegionLocationMaxX1
        and one.RegionLocationMinY0 <= row <= one.RegionLocationMaxY1
    ]  # fmt: skip
    return min(found, key=lambda one: one.RegionFlags & 1)


def measured_mm(ds: Any) -> float:
    """Between the two brightest pixels of the first frame."""
    frame = ds.pixel_array.reshape(-1, ds.Rows, ds.Columns, 3)[0]
    bright = np.argwhere((frame == 255).all(axis=2))
    assert len(bright) == 2
    region = region_at(ds, *bright[0])
    assert region is region_at(ds, *bright[1])
    assert (region.PhysicalUnitsXDirection, region.PhysicalUnitsYDirection) == (3, 3)  # cm
    down, right = (bright[1] - bright[0]) * (region.PhysicalDeltaY, region.PhysicalDeltaX) * 10
    return float(hypot(down, right))


@pytest.mark.parametrize("kind", ["us", "us-mf"])
@pytest.mark.parametrize(
    "keys",
    [
        (),
        ('crop = "4,6,40,50"',),
        ('blackout = ["0,40,8,24"]', 'crop = "12,0,36,64"'),
        ('transfer_syntax = "jpeg-ls"',),
    ],
)
def test_a_known_distance_is_measured(
    tmp_path: Path, need: Callable[[str], str], kind: str, keys: tuple[str, ...]
) -> None:
    path = captured(tmp_path, kind, *keys)
    ds = dcmread(path)
    if not any("jpeg-ls" in key for key in keys):
        assert measured_mm(ds) == pytest.approx(APART_MM, abs=1e-9)
    said = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    assert not [line for line in said.stderr.splitlines() if line.startswith("Error")], said.stderr
    info = subprocess.run([need("gdcminfo"), str(path)], capture_output=True, text=True, check=True).stdout
    assert "Spacing: (0.05,0.04," in info


def test_several_regions_each_have_their_scale(tmp_path: Path, need: Callable[[str], str]) -> None:
    strip = m_mode((0, 44, 30, 47), 0.005, 0.03)
    doppler = spectrum((31, 44, COLUMNS - 1, ROWS - 1), 0.01, 2.5, 46)._replace(pulse_repetition_hz=4000)
    path = captured(tmp_path, "us-mf", regions=(SECTOR, strip, doppler))
    ds = dcmread(path)
    assert measured_mm(ds) == pytest.approx(APART_MM)
    spectral = region_at(ds, 45, 40)
    base = spectral.RegionLocationMinY0 + spectral.ReferencePixelY0
    velocity = spectral.ReferencePixelPhysicalValueY + (44 - base) * spectral.PhysicalDeltaY
    assert (velocity, spectral.PhysicalUnitsYDirection) == (pytest.approx(5.0), 7)  # two rows above: towards, cm/s
    assert region_at(ds, 45, 3).PhysicalDeltaX == 0.005
    said = subprocess.run([need("dciodvfy"), str(path)], capture_output=True, text=True, check=False)
    assert not [line for line in said.stderr.splitlines() if line.startswith("Error")], said.stderr
