"""The pixel path end to end: the daemon, a stock archive behind it, and numpy as the judge of every pixel there.

A panel with dark frame, gain, dead pixels and a curve, a fluoroscope whose clip goes through the same, and a scanner in
colour with calibrated regions; all with black-outs and a crop, all of odd sizes.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fakes.calibrated import clip, picture, template, write
from fakes.site import Site
from pydicom import dcmread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fakes.peers import Storescp

ROWS, COLUMNS, MOST = 61, 53, 4095
DEAD = ((3, 4), (3, 5), (4, 4), (0, 0), (60, 52), (30, 17))
BLACKOUT = ["4,6,2,3", "40,30,21,23"]
CROP = "2,3,55,47"
PEDESTAL, BLACK = 50, 4000
PANEL = {
    "pedestal": PEDESTAL, "blackout": BLACKOUT, "blackout_value": BLACK, "crop": CROP, "transfer_syntax": "jpeg-ls",
    "every_s": 0.1, "captures": 1,
}  # fmt: skip
DX = {
    "sop_class": "dx", "intensity_sign": 1, "patient_orientation": "L/F", "burned_in_annotation": "NO",
    "pixel_spacing_mm": 0.14, "laterality": "U", "view": "PA", "anatomy": "CHEST", "curve": "log",
}  # fmt: skip
XA = {"sop_class": "xa", "radiation_setting": "SC", "intensity_relationship": "DISP", "curve": "sqrt"}


def treated(frame: np.ndarray[Any, Any], dark: np.ndarray[Any, Any], gain: np.ndarray[Any, Any], curve: str) -> Any:
    """The whole path in numpy; shares no line with the product."""
    apart = frame.astype(np.int64) - dark
    scaled = np.sign(apart) * ((np.abs(apart) * gain.astype(np.int64) + 8192) >> 14)
    made = np.clip(scaled + PEDESTAL, 0, MOST)
    good = np.ones(made.shape, bool)
    good[tuple(zip(*DEAD, strict=True))] = False
    whole = made.copy()
    for row, column in DEAD:
        distance = np.maximum(abs(np.arange(ROWS)[:, None] - row), abs(np.arange(COLUMNS) - column))
        around = whole[good & (distance == distance[good].min())]
        made[row, column] = (around.sum() + len(around) // 2) // len(around)
    bent = np.log1p(made) / np.log1p(MOST) if curve == "log" else np.sqrt(made / MOST)
    made = np.floor(MOST * bent + 0.5 + 1e-9).astype(np.uint16)
    return hidden(made, BLACK)


def hidden(made: np.ndarray[Any, Any], value: int, blackout: list[str] = BLACKOUT, crop: str = CROP) -> Any:
    for text in blackout:
        top, left, rows, columns = map(int, text.split(","))
        made[top : top + rows, left : left + columns] = value
    top, left, rows, columns = map(int, crop.split(","))
    return made[top : top + rows, left : left + columns]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "site")
    yield made
    if made.agent is not None and made.agent.poll() is None:
        made.stop()


def test_what_the_archive_holds_is_what_numpy_makes(
    site: Site, tmp_path: Path, storescp: Callable[..., Storescp], need: Callable[[str], str]
) -> None:
    program, rng = need("dcmdjpls"), np.random.default_rng(20)
    frames = rng.integers(0, MOST + 1, (3, ROWS, COLUMNS), dtype=np.uint16)
    frames[1, ::2], frames[1, 1::2] = 0, MOST  # the edges of the range
    dark = rng.integers(0, 300, (ROWS, COLUMNS), dtype=np.uint16)
    gain = rng.integers(0, 40000, (ROWS, COLUMNS), dtype=np.uint16)
    for name, data in (("dark.raw", dark), ("gain.raw", gain), ("one.raw", frames[0]), ("clip.raw", frames)):
        (tmp_path / name).write_bytes(data.astype("<u2").tobytes())
    for name in ("one.toml", "clip.toml"):
        (tmp_path / name).write_text(f"rows = {ROWS}\ncolumns = {COLUMNS}\nbits_allocated = 16\nbits_stored = 12\n")
    (tmp_path / "dead.txt").write_text("".join(f"{row} {column}\n" for row, column in DEAD))
    files = {f"{key}_file": str(tmp_path / name)
             for key, name in (("offset", "dark.raw"), ("gain", "gain.raw"), ("defects", "dead.txt"))}  # fmt: skip
    shown = [picture(16, seed) for seed in range(2)]
    probe = {
        "name": "probe", "uri": clip(tmp_path / "f", *shown), "sop_class": "us-mf", "transfer_syntax": "rle",
        "calibration": write(tmp_path / "16cm.toml", template(16)), "blackout": ["0,40,9,24"], "blackout_value": 7,
        "crop": "5,6,41,53", "every_s": 0.1, "captures": 1,
    }  # fmt: skip
    peer = storescp("+xa")  # all transfer syntaxes
    site.configure(
        destinations=[{"name": "pacs", "called_ae": "ANY", "port": peer.port, "commitment": False}],
        sources=[
            {"name": "panel", "uri": f"replay:{tmp_path}/one.raw", **PANEL, **DX, **files},
            {"name": "fluoro", "uri": f"replay:{tmp_path}/clip.raw", **PANEL, **XA, **files},
            probe,
        ],
    )
    site.start()
    until = time.monotonic() + 30
    while not site.all_in("stored", 3):
        assert time.monotonic() < until, site.log()
        time.sleep(0.05)
    assert site.stop() == 0
    found = {str(ds.Modality): ds for ds in map(dcmread, peer.files())}
    wanted = [treated(frame, dark, gain, "log") for frame in frames]
    assert np.array_equal(decoded(found["DX"], program, tmp_path), wanted[0])
    assert np.array_equal(
        decoded(found["XA"], program, tmp_path), [treated(frame, dark, gain, "sqrt") for frame in frames]
    )
    assert found["DX"].PixelIntensityRelationship == "LOG"
    assert (found["DX"].BurnedInAnnotation, found["DX"].BitsStored) == ("NO", 12)
    colour = found["US"]
    assert np.array_equal(colour.pixel_array, [hidden(one, 7, ["0,40,9,24"], "5,6,41,53") for one in shown])
    [region] = colour.SequenceOfUltrasoundRegions
    assert (region.RegionLocationMinX0, region.RegionLocationMinY0) == (4, 3)
    assert (region.RegionLocationMaxX1, region.RegionLocationMaxY1) == (43, 38)
    for ds, said in ((found["DX"], "logarithm of samples"), (found["XA"], "square root of samples"), (colour, "16cm")):
        assert said in ds.ContributingEquipmentSequence[0].ContributionDescription
        assert "blacked out, cropped to" in ds.ContributingEquipmentSequence[0].ContributionDescription


def decoded(ds: Any, program: str, folder: Path) -> Any:
    """The frames of a JPEG-LS instance, by DCMTK's decoder."""
    path, native = folder / f"{ds.Modality}.dcm", folder / f"{ds.Modality}-native.dcm"
    ds.save_as(path)
    subprocess.run([program, str(path), str(native)], check=True, capture_output=True)
    return dcmread(native).pixel_array
