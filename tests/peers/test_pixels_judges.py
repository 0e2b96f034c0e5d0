"""Our YBR_FULL and YBR_FULL_422 as other programs read and make them.

Ours is what exact arithmetic with the coefficients of PS3.3 C.7.6.3.1.2 gives, so whoever differs rounds otherwise:
pydicom has the coefficients with all their decimals (one sample of a thousand is one step apart), Pillow cuts off where
we round (every second or third is, one step), DCMTK cuts off in between (two steps at most).
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import convert_color_space
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from agent.native.convert import Plane, convert, converted_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIDE = 256


def noise(seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def made(pixels: np.ndarray[Any, Any], layout: str, space: str, to: str) -> np.ndarray[Any, Any]:
    out = bytearray(converted_bytes(to, SIDE, SIDE))
    convert([Plane(pixels)], layout, space, SIDE, SIDE, out, to=to)
    return np.frombuffer(out, np.uint8).reshape(SIDE, SIDE, -1)


def apart(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> tuple[int, float]:
    """The largest difference, and how many samples of a hundred differ."""
    distance = np.abs(one.astype(int) - other.astype(int))
    return int(distance.max()), 100 * float((distance > 0).mean())


def instance(path: Path, to: str, pixels: np.ndarray[Any, Any]) -> None:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = generate_uid(), generate_uid()
    ds.Modality, ds.ConversionType = "OT", "DI"
    ds.Rows = ds.Columns = SIDE
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, to, 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = pixels.tobytes()
    ds.save_as(path, enforce_file_format=True)


def test_pydicom_and_pillow_make_the_same_ybr() -> None:
    rgb = noise(1)
    ours = made(rgb, "RGB24", "rgb", "YBR_FULL")
    most, often = apart(ours, convert_color_space(rgb, "RGB", "YBR_FULL"))
    assert most <= 1
    assert often < 0.5
    assert apart(ours, np.asarray(PIL.Image.fromarray(rgb).convert("YCbCr")))[0] <= 1


def test_and_the_same_rgb_of_it() -> None:
    ybr = noise(2)
    ours = made(ybr, "RGB24", "bt601-full", "RGB")
    most, often = apart(ours, convert_color_space(ybr, "YBR_FULL", "RGB"))
    assert most <= 1
    assert often < 0.1
    assert apart(ours, np.asarray(PIL.Image.fromarray(ybr, "YCbCr").convert("RGB")))[0] <= 1


@pytest.mark.filterwarnings("ignore")  # pydicom tells that it converts
@pytest.mark.parametrize(("to", "layout"), [("YBR_FULL", "RGB24"), ("YBR_FULL_422", "YYUV")])
def test_readers_of_files_see_our_colours(tmp_path: Path, need: Callable[[str], str], to: str, layout: str) -> None:
    """The order of YBR_FULL_422, and whose chroma a pair has, are seen here: a mistake is a difference of hundreds."""
    stored = made(noise(3), "RGB24", "rgb", to)
    ours = made(stored, layout, "bt601-full", "RGB")
    instance(tmp_path / "a.dcm", to, stored)
    assert apart(ours, pydicom.dcmread(tmp_path / "a.dcm").pixel_array)[0] <= 1
    subprocess.run([need("dcm2pnm"), "+op", tmp_path / "a.dcm", tmp_path / "a.ppm"], check=True, timeout=60)
    assert apart(ours, np.asarray(PIL.Image.open(tmp_path / "a.ppm")))[0] <= 2
